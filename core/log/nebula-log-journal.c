/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The native protocol of systemd's journal: one datagram an entry, made of fields.
 *
 *   NAME=value\n                                    a value of one line
 *   NAME\n <length: 64 bits, little endian> value\n any other
 *
 * A datagram that the socket refuses as too long goes as a sealed memory file instead: an empty datagram that carries its
 * descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdmessage.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nebula-log-private.h"

#define DEFAULT_SOCKET "/run/systemd/journal/socket"

#define NEBULA_TYPE_LOG_JOURNAL (nebula_log_journal_get_type ())
G_DECLARE_FINAL_TYPE (NebulaLogJournal, nebula_log_journal, NEBULA, LOG_JOURNAL, NebulaLogSink)

struct _NebulaLogJournal {
  NebulaLogSink parent_instance;

  char *identifier;
  GSocketAddress *address;
  GSocket *socket; /* NULL: not yet, or lost */
};

G_DEFINE_FINAL_TYPE (NebulaLogJournal, nebula_log_journal, NEBULA_TYPE_LOG_SINK)

static void
nebula_log_journal_finalize (GObject *object)
{
  NebulaLogJournal *self = (NebulaLogJournal *) object;

  g_clear_object (&self->socket);
  g_clear_object (&self->address);
  g_free (self->identifier);
  G_OBJECT_CLASS (nebula_log_journal_parent_class)->finalize (object);
}

static void
append_field (GString *text, const char *name, const char *value)
{
  gsize length = strlen (value);
  guint64 little = GUINT64_TO_LE ((guint64) length);

  g_string_append (text, name);
  if (strchr (value, '\n')) {
    g_string_append_c (text, '\n');
    g_string_append_len (text, (const char *) &little, sizeof little);
  } else {
    g_string_append_c (text, '=');
  }
  g_string_append_len (text, value, (gssize) length);
  g_string_append_c (text, '\n');
}

/* The journal takes capital letters, digits and underscores, at most 64 of them. */
static gboolean
is_name (const char *key)
{
  gsize length = strspn (key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

  return key[length] == '\0' && length <= 64 && g_ascii_isupper (*key);
}

static GString *
make_datagram (NebulaLogJournal *self, NebulaLogRecord *record)
{
  GString *text = g_string_sized_new (512);
  g_autofree char *priority
      = g_strdup_printf ("%d", _nebula_log_level_to_priority (record->level));

  append_field (text, "MESSAGE", record->message);
  append_field (text, "PRIORITY", priority);
  append_field (text, "SYSLOG_IDENTIFIER", self->identifier);
  append_field (text, "GLIB_DOMAIN", record->domain);
  for (guint i = 0; i < record->n_fields; i++)
    if (is_name (record->fields[i].key))
      append_field (text, record->fields[i].key, record->fields[i].value);
  return text;
}

static int
make_memory_file (const GString *text)
{
  int fd = memfd_create ("nebula-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0)
    return -1;
  if (_nebula_log_write_all (fd, text->str, text->len)
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
    return fd;
  close (fd);
  return -1;
}

static gboolean
send_file (NebulaLogJournal *self, const GString *text, GError **error)
{
  g_autoptr (GUnixFDList) list = NULL;
  g_autoptr (GSocketControlMessage) message = NULL;
  int fd = make_memory_file (text);

  if (fd < 0) {
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno), g_strerror (errno));
    return FALSE;
  }
  list = g_unix_fd_list_new_from_array (&fd, 1);
  message = g_unix_fd_message_new_with_fd_list (list);
  return g_socket_send_message (self->socket, self->address, NULL, 0, &message, 1,
                                G_SOCKET_MSG_NONE, NULL, error)
         >= 0;
}

static gboolean
send_record (NebulaLogJournal *self, NebulaLogRecord *record, GError **error)
{
  g_autoptr (GString) text = make_datagram (self, record);
  g_autoptr (GError) local_error = NULL;

  if (g_socket_send_to (self->socket, self->address, text->str, text->len, NULL, &local_error)
      >= 0)
    return TRUE;
  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    return send_file (self, text, error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

static gboolean
nebula_log_journal_write (NebulaLogSink *sink,
                          NebulaLogRecord *const *records,
                          guint n_records,
                          GError **error)
{
  NebulaLogJournal *self = NEBULA_LOG_JOURNAL (sink);

  if (!self->socket)
    self->socket
        = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, error);
  if (!self->socket)
    return FALSE;
  for (guint i = 0; i < n_records; i++) {
    if (send_record (self, records[i], error))
      continue;
    g_prefix_error (error, "%s: ",
                    g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (self->address)));
    g_clear_object (&self->socket);
    return FALSE;
  }
  return TRUE;
}

static void
nebula_log_journal_class_init (NebulaLogJournalClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_log_journal_finalize;
  NEBULA_LOG_SINK_CLASS (klass)->write = nebula_log_journal_write;
}

static void
nebula_log_journal_init (NebulaLogJournal *self)
{
}

/**
 * nebula_log_sink_open_journal:
 * @socket_path: (nullable) (type filename): the journal's socket, %NULL for the system's
 * @identifier: the name under which the program's entries are found
 *
 * Makes a sink that sends entries to systemd's journal, each with its fields.
 *
 * Returns: (transfer full): the sink
 *
 * Since: 1.0
 */
NebulaLogSink *
nebula_log_sink_open_journal (const char *socket_path, const char *identifier)
{
  NebulaLogJournal *self = NULL;

  g_return_val_if_fail (identifier != NULL, NULL);

  self = g_object_new (NEBULA_TYPE_LOG_JOURNAL, NULL);
  self->identifier = g_strdup (identifier);
  self->address = g_unix_socket_address_new (socket_path ? socket_path : DEFAULT_SOCKET);
  return NEBULA_LOG_SINK (self);
}
