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
#include "nebula-duration.h"
#include "nebula-msgpack.h"

#define LIST_DEFAULT 100
#define LIST_MOST    1000

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

static NebulaValue *
tags_to_value (char **tags)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; tags && tags[i]; i++)
    nebula_value_builder_add_take (builder, nebula_value_new_string (tags[i]));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
header_to_value (const NebulaHeader *header)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *created = nebula_timestamp_to_string (header->created_usec, 0);
  g_autofree char *updated = nebula_timestamp_to_string (header->updated_usec, 0);
  g_autofree char *wake =
      header->wake_usec > 0 ? nebula_timestamp_to_string (header->wake_usec, 0) : NULL;

  nebula_value_builder_set_string (builder, "execution", header->stream);
  nebula_value_builder_set_string (builder, "workflow", header->workflow);
  nebula_value_builder_set_string (
      builder, "status",
      nebula_execution_status_to_string ((NebulaExecutionStatus) header->status));
  nebula_value_builder_set_string (builder, "created", created);
  nebula_value_builder_set_string (builder, "updated", updated);
  nebula_value_builder_set_string (builder, "wakes", wake);
  nebula_value_builder_set_integer (builder, "recoveries", header->recoveries);
  nebula_value_builder_set_take (builder, "tags", tags_to_value (header->tags));
  return nebula_value_builder_end (builder);
}

/* A time, or how long ago. */
static gboolean
read_time (NebulaValue *request, const char *name, gint64 *ret_usec, GError **error)
{
  const char *text = nebula_value_get_member_string (request, name, NULL);
  gint64 ago;

  if (!text)
    return TRUE;
  if (nebula_duration_parse (text, &ago, NULL)) {
    *ret_usec = MAX (g_get_real_time () - ago, 1);
    return TRUE;
  }
  return nebula_timestamp_parse (text, ret_usec, NULL, error);
}

static gboolean
read_query (NebulaValue *request, NebulaHeaderQuery *query, GError **error)
{
  const char *status_text = nebula_value_get_member_string (request, "status", NULL);
  gint64 limit = nebula_value_get_member_integer (request, "limit", LIST_DEFAULT);
  NebulaExecutionStatus status;

  query->kind = NEBULA_STREAM_KIND_EXECUTION;
  query->workflow = nebula_value_get_member_string (request, "workflow", NULL);
  query->after = nebula_value_get_member_string (request, "after", NULL);
  query->limit = (guint) CLAMP (limit, 1, LIST_MOST);
  query->tenant = nebula_value_get_member_string (request, "tenant", NULL);
  query->text = nebula_value_get_member_string (request, "search", NULL);
  query->tag = nebula_value_get_member_string (request, "tag", NULL);
  if (!read_time (request, "since", &query->created_from_usec, error) ||
      !read_time (request, "before", &query->created_before_usec, error))
    return FALSE;
  if (!status_text)
    return TRUE;
  if (g_str_equal (status_text, "open")) {
    query->status_mask = (1u << NEBULA_EXECUTION_STATUS_COMPLETED) - 1;
    return TRUE;
  }
  if (!nebula_execution_status_from_string (status_text, &status)) {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
        _ ("“%s” is no status. Use open, created, running, suspended, paused, cancelling, completed, failed,"
           " cancelled or timed-out."),
        status_text);
    return FALSE;
  }
  query->status_mask = 1u << status;
  return TRUE;
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

NebulaValue *
nebula_control_list (NebulaStore *store, NebulaValue *request, GError **error)
{
  NebulaHeaderQuery query = {0};
  g_autoptr (GPtrArray) headers = NULL;
  g_autoptr (NebulaValueBuilder) items = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gboolean is_full;

  if (!read_query (request, &query, error))
    return NULL;
  headers = nebula_store_list_headers (store, &query, error);
  if (!headers)
    return NULL;
  for (guint i = 0; i < headers->len; i++)
    nebula_value_builder_add_take (items, header_to_value (headers->pdata[i]));
  is_full = headers->len > 0 && headers->len == query.limit;
  nebula_value_builder_set_take (builder, "items", nebula_value_builder_end (items));
  nebula_value_builder_set_string (
      builder, "next",
      is_full ? ((NebulaHeader *) headers->pdata[headers->len - 1])->stream : NULL);
  return nebula_value_builder_end (builder);
}
