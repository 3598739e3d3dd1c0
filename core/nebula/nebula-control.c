/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What both sides of the control socket share; nebula-control-private.h has the protocol. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nebula-control-private.h"
#include "nebula-msgpack.h"

GBytes *
nebula_control_pack (NebulaValue *value, GError **error)
{
  g_autoptr (GByteArray) frame = g_byte_array_sized_new (256);
  const guint8 none[4] = {0};
  guint32 length;

  g_byte_array_append (frame, none, sizeof none);
  nebula_value_append_msgpack (value, frame);
  length = frame->len - (guint32) sizeof none;
  if (length > NEBULA_CONTROL_FRAME_BYTES) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
        _ ("This is too large for the control socket; read the store instead."));
    return NULL;
  }
  for (guint i = 0; i < sizeof none; i++)
    frame->data[i] = (guint8) (length >> (8 * i));
  return g_byte_array_free_to_bytes (g_steal_pointer (&frame));
}

NebulaValue *
nebula_control_unpack (GByteArray *buffer, GError **error)
{
  guint32 length = 0;
  gsize offset = 4;
  NebulaValue *value;

  if (buffer->len < 4)
    return NULL;
  for (guint i = 0; i < 4; i++)
    length |= (guint32) buffer->data[i] << (8 * i);
  if (length == 0 || length > NEBULA_CONTROL_FRAME_BYTES) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                 _ ("A frame of %u bytes is refused."), length);
    return NULL;
  }
  if (buffer->len < length + 4)
    return NULL;
  value = nebula_value_read_msgpack (buffer->data, length + 4, &offset, error);
  if (!value)
    return NULL;
  if (offset != length + 4 || nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("A frame must hold one object."));
    nebula_value_unref (value);
    return NULL;
  }
  g_byte_array_remove_range (buffer, 0, length + 4);
  return value;
}

static gboolean
set_socket_error (const char *path, int saved_errno, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
               _ ("The control socket “%s” cannot be used: %s."), path,
               g_strerror (saved_errno));
  return FALSE;
}

static gboolean
fill_address (const char *path, struct sockaddr_un *address, GError **error)
{
  g_autofree char *folder = NULL;
  g_autofree char *name = NULL;
  g_autofree char *text = g_strdup (path);
  int fd;

  address->sun_family = AF_UNIX;
  if (strlen (path) >= sizeof address->sun_path) {
    /* The folder stays open for the life of the process: the address goes through it. */
    folder = g_path_get_dirname (path);
    name = g_path_get_basename (path);
    fd = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
      return set_socket_error (path, errno, error);
    g_free (text);
    text = g_strdup_printf ("/proc/self/fd/%d/%s", fd, name);
  }
  if (g_strlcpy (address->sun_path, text, sizeof address->sun_path) >=
      sizeof address->sun_path)
    return set_socket_error (path, ENAMETOOLONG, error);
  return TRUE;
}

int
nebula_control_socket (const char *store,
                       gpointer ret_address,
                       guint *ret_length,
                       GError **error)
{
  g_autofree char *path = g_strconcat (store, ".sock", NULL);
  struct sockaddr_un address = {0};
  struct sockaddr_un *result = ret_address;
  int fd;

  if (!fill_address (path, &address, error))
    return -1;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    set_socket_error (path, errno, error);
    return -1;
  }
  *result = address;
  *ret_length = sizeof address;
  return fd;
}

void
nebula_control_read_rule (NebulaValue *request, NebulaRetention *ret_rule)
{
  *ret_rule = (NebulaRetention){
      .status_mask = (guint) nebula_value_get_member_integer (request, "status", 0),
      .workflow = nebula_value_get_member_string (request, "workflow", NULL),
      .tenant = nebula_value_get_member_string (request, "tenant", NULL),
      .ended_before_usec = nebula_value_get_member_integer (request, "before", 0),
      .keep = (guint) CLAMP (nebula_value_get_member_integer (request, "keep", 0), 0, G_MAXINT),
      .is_trial = nebula_value_get_member_boolean (request, "trial", FALSE),
  };
}

NebulaValue *
nebula_control_write_rule (const NebulaRetention *rule)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "op", "prune");
  nebula_value_builder_set_integer (builder, "status", rule->status_mask);
  if (rule->workflow)
    nebula_value_builder_set_string (builder, "workflow", rule->workflow);
  if (rule->tenant)
    nebula_value_builder_set_string (builder, "tenant", rule->tenant);
  nebula_value_builder_set_integer (builder, "before", rule->ended_before_usec);
  nebula_value_builder_set_integer (builder, "keep", rule->keep);
  nebula_value_builder_set_boolean (builder, "trial", rule->is_trial);
  return nebula_value_builder_end (builder);
}
