/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process-private.h"

#include <string.h>

#define BLOCK_BYTES 65536

static void read_on (NebulaProcessCapture *self);

/* What is over the limit is read and thrown away, so that the program does not wait for a full pipe. */
static void
keep (NebulaProcessCapture *self, GBytes *bytes)
{
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gsize n_kept = MIN (size, self->limit - self->content->len);
  gboolean passed = n_kept < size && !self->has_more;

  g_byte_array_append (self->content, data, (guint) n_kept);
  if (!passed)
    return;
  self->has_more = TRUE;
  self->changed (self->data);
}

static void
block_read (GObject *source, GAsyncResult *result, gpointer data)
{
  NebulaProcessCapture *self = data;
  g_autoptr (GBytes) bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, NULL);

  /* A failed read of a pipe means that it was given up; what is there stays. */
  if (bytes != NULL && g_bytes_get_size (bytes) > 0) {
    keep (self, bytes);
    read_on (self);
    return;
  }
  self->is_done = TRUE;
  self->changed (self->data);
}

static void
read_on (NebulaProcessCapture *self)
{
  g_input_stream_read_bytes_async (self->stream, BLOCK_BYTES, G_PRIORITY_DEFAULT, self->cancellable, block_read, self);
}

void
_nebula_process_capture_start (NebulaProcessCapture *self, GInputStream *stream, gsize limit, GCancellable *cancellable,
                               void (*changed) (gpointer data), gpointer data)
{
  self->stream = g_object_ref (stream);
  self->content = g_byte_array_new ();
  self->limit = limit;
  self->cancellable = g_object_ref (cancellable);
  self->changed = changed;
  self->data = data;
  read_on (self);
}

void
_nebula_process_capture_clear (NebulaProcessCapture *self)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->content, g_byte_array_unref);
}

static gboolean
is_text (const GByteArray *content)
{
  const char *at = (const char *) content->data;
  const char *end = at + content->len;

  while (at < end && !g_utf8_validate_len (at, (gsize) (end - at), &at)) {
    if (*at != '\0')
      return FALSE;
    at++;
  }
  return TRUE;
}

/* Cutting at the limit must not make bytes of a text because a character was halved. */
static void
drop_half_character (GByteArray *content)
{
  const char *end = NULL;

  if (content->len == 0 || g_utf8_validate_len ((const char *) content->data, content->len, &end))
    return;
  if (*end != '\0' && g_utf8_get_char_validated (end, (const char *) content->data + content->len - end) == (gunichar) -2)
    g_byte_array_set_size (content, (guint) (end - (const char *) content->data));
}

NebulaValue *
_nebula_process_capture_to_value (NebulaProcessCapture *self)
{
  g_autoptr (GBytes) bytes = NULL;

  if (self->has_more)
    drop_half_character (self->content);
  if (is_text (self->content))
    return nebula_value_new_string_length (self->content->len > 0 ? (const char *) self->content->data : "",
                                           self->content->len);
  bytes = g_bytes_new (self->content->data, self->content->len);
  return nebula_value_new_bytes (bytes);
}
