/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are larger than memory: block by block into a blob, and out of one. */
#include "file-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define BLOCK_BYTES (4 * NEBULA_FILE_BLOCK_BYTES)

static gboolean
copy_to_blob (int fd, NebulaBlobWriter *writer, gint64 max_size, GCancellable *cancellable, const char *path, GError **error)
{
  g_autofree char *buffer = g_malloc (BLOCK_BYTES);
  gint64 size = 0;

  while (TRUE) {
    gssize n_read;

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    n_read = _nebula_file_read_block (fd, buffer, BLOCK_BYTES, path, error);
    if (n_read <= 0)
      return n_read == 0;
    size += n_read;
    if (max_size > 0 && size > max_size) {
      g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                   _("“%s” is larger than %lld bytes. Raise “max-size”, or read it in pieces with “lines”"), path,
                   (long long) max_size);
      return FALSE;
    }
    if (!nebula_blob_writer_write (writer, (const guint8 *) buffer, (gsize) n_read, error))
      return FALSE;
  }
}

NebulaValue *
_nebula_file_read_blob (int fd, NebulaInvocation *invocation, gint64 max_size, GCancellable *cancellable,
                        const char *path, GError **error)
{
  g_autoptr (NebulaBlobWriter) writer = nebula_invocation_create_blob (invocation, error);

  if (writer == NULL || !copy_to_blob (fd, writer, max_size, cancellable, path, error))
    return NULL;
  return nebula_blob_writer_finish (writer, error);
}

gboolean
_nebula_file_write_content (int fd, NebulaFileContent *content, GCancellable *cancellable, const char *path, GError **error)
{
  g_autofree char *buffer = NULL;
  gssize n_read;

  content->written = 0;
  if (content->bytes != NULL) {
    gsize size = 0;
    const char *data = g_bytes_get_data (content->bytes, &size);

    content->written = (gint64) size;
    return _nebula_file_write_all (fd, data, size, cancellable, path, error);
  }
  buffer = g_malloc (BLOCK_BYTES);
  while ((n_read = g_input_stream_read (content->stream, buffer, BLOCK_BYTES, cancellable, error)) > 0) {
    if (!_nebula_file_write_all (fd, buffer, (gsize) n_read, cancellable, path, error))
      return FALSE;
    content->written += n_read;
  }
  return n_read == 0;
}

GBytes *
_nebula_file_to_bytes (NebulaValue *content)
{
  char *text;

  if (nebula_value_get_kind (content) == NEBULA_VALUE_KIND_BYTES)
    return nebula_value_ref_bytes (content);
  if (nebula_value_get_kind (content) == NEBULA_VALUE_KIND_STRING)
    return g_bytes_new (nebula_value_get_string (content), nebula_value_get_string_length (content));

  text = nebula_value_to_json (content, NEBULA_JSON_FLAGS_NONE);
  return g_bytes_new_take (text, strlen (text));
}
