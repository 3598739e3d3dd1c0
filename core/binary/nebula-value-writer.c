/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-bincode.h"
#include "nebula-error.h"
#include "nebula-msgpack.h"
#include "nebula-protobuf.h"
#include "nebula-value-stream.h"

#define BLOCK_BYTES 65536

/**
 * NebulaValueWriter:
 *
 * Writes values to a stream, one behind the other. It holds one value at most, and of bytes that come from a stream only a
 * block.
 *
 * Thread: one at a time; writing blocks.
 */
struct _NebulaValueWriter
{
  GObject parent_instance;

  GOutputStream *stream;
  NebulaValueFormat format;
};

G_DEFINE_FINAL_TYPE (NebulaValueWriter, nebula_value_writer, G_TYPE_OBJECT)

static void
nebula_value_writer_finalize (GObject *object)
{
  NebulaValueWriter *self = NEBULA_VALUE_WRITER (object);

  g_clear_object (&self->stream);

  G_OBJECT_CLASS (nebula_value_writer_parent_class)->finalize (object);
}

static void
nebula_value_writer_class_init (NebulaValueWriterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_value_writer_finalize;
}

static void
nebula_value_writer_init (NebulaValueWriter *self)
{
}

static void
put_number (GByteArray *bytes, guint64 number, guint n_bytes, gboolean is_big_endian)
{
  for (guint i = 0; i < n_bytes; i++) {
    guint8 byte = (guint8) (number >> 8 * (is_big_endian ? n_bytes - 1 - i : i));

    g_byte_array_append (bytes, &byte, 1);
  }
}

static void
put_varint (GByteArray *bytes, guint64 number)
{
  for (; number >= 0x80; number >>= 7)
    put_number (bytes, (number & 0x7f) | 0x80, 1, FALSE);
  put_number (bytes, number, 1, FALSE);
}

static void
put_bincode_2_number (GByteArray *bytes, guint64 number)
{
  guint size = number <= G_MAXUINT16 ? 2 : number <= G_MAXUINT32 ? 4 : 8;

  if (number < 251) {
    put_number (bytes, number, 1, FALSE);
    return;
  }
  put_number (bytes, size == 2 ? 251 : size == 4 ? 252 : 253, 1, FALSE);
  put_number (bytes, number, size, FALSE);
}

/* What stands before bytes of some length. */
static GByteArray *
new_bytes_head (NebulaValueFormat format, guint64 length)
{
  g_autoptr (GByteArray) head = g_byte_array_new ();
  g_autoptr (GByteArray) inner = g_byte_array_new ();

  switch (format) {
  case NEBULA_VALUE_FORMAT_BINCODE_1:
    put_number (head, NEBULA_VALUE_KIND_BYTES, 4, FALSE);
    put_number (head, length, 8, FALSE);
    break;
  case NEBULA_VALUE_FORMAT_BINCODE_2:
    put_bincode_2_number (head, NEBULA_VALUE_KIND_BYTES);
    put_bincode_2_number (head, length);
    break;
  case NEBULA_VALUE_FORMAT_PROTOBUF:
    put_number (inner, 7 << 3 | 2, 1, FALSE);
    put_varint (inner, length);
    put_varint (head, inner->len + length);
    g_byte_array_append (head, inner->data, inner->len);
    break;
  case NEBULA_VALUE_FORMAT_MSGPACK:
  default:
    put_number (head, length <= G_MAXUINT8 ? 0xc4 : length <= G_MAXUINT16 ? 0xc5 : 0xc6, 1, TRUE);
    put_number (head, length, length <= G_MAXUINT8 ? 1 : length <= G_MAXUINT16 ? 2 : 4, TRUE);
  }
  return g_steal_pointer (&head);
}

static GBytes *
to_bytes (NebulaValueFormat format, NebulaValue *value, GError **error)
{
  if (format == NEBULA_VALUE_FORMAT_PROTOBUF)
    return nebula_value_to_protobuf (value, error);
  if (format == NEBULA_VALUE_FORMAT_MSGPACK)
    return nebula_value_to_msgpack (value);
  return nebula_value_to_bincode (value, format == NEBULA_VALUE_FORMAT_BINCODE_1 ? NEBULA_BINCODE_VERSION_1
                                                                                 : NEBULA_BINCODE_VERSION_2);
}

static gboolean
write_all (NebulaValueWriter *self, gconstpointer data, gsize size, GCancellable *cancellable, GError **error)
{
  return g_output_stream_write_all (self->stream, data, size, NULL, cancellable, error);
}

static gboolean
copy_content (NebulaValueWriter *self, GInputStream *content, guint64 length, GCancellable *cancellable, GError **error)
{
  g_autofree guint8 *block = g_malloc (BLOCK_BYTES);

  while (length > 0) {
    gssize n_read = g_input_stream_read (content, block, (gsize) MIN (length, BLOCK_BYTES), cancellable, error);

    if (n_read < 0)
      return FALSE;
    if (n_read == 0) {
      g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                   _ ("The bytes end %llu bytes before their length; what was written is not whole."),
                   (unsigned long long) length);
      return FALSE;
    }
    if (!write_all (self, block, (gsize) n_read, cancellable, error))
      return FALSE;
    length -= (guint64) n_read;
  }
  return TRUE;
}

/**
 * nebula_value_writer_new:
 * @stream: where to write; it is not closed with the writer
 * @format: how
 *
 * Makes a writer.
 *
 * Returns: (transfer full): a writer
 *
 * Since: 1.0
 */
NebulaValueWriter *
nebula_value_writer_new (GOutputStream *stream, NebulaValueFormat format)
{
  NebulaValueWriter *self = NULL;

  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), NULL);

  self = g_object_new (NEBULA_TYPE_VALUE_WRITER, NULL);
  self->stream = g_object_ref (stream);
  self->format = format;
  return self;
}

/**
 * nebula_value_writer_write:
 * @self: a writer
 * @value: what to write
 * @cancellable: (nullable): stops writing, perhaps in the middle of the value
 * @error: where to put an error
 *
 * Writes one value.
 *
 * Errors: %NEBULA_ERROR_TOO_DEEP (terminal) as Protocol Buffers above 128 levels; those of the stream.
 *
 * Returns: whether it was written
 *
 * Since: 1.0
 */
gboolean
nebula_value_writer_write (NebulaValueWriter *self, NebulaValue *value, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GByteArray) head = g_byte_array_new ();

  g_return_val_if_fail (NEBULA_IS_VALUE_WRITER (self), FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  bytes = to_bytes (self->format, value, error);
  if (!bytes)
    return FALSE;
  if (self->format == NEBULA_VALUE_FORMAT_PROTOBUF)
    put_varint (head, g_bytes_get_size (bytes));
  return write_all (self, head->data, head->len, cancellable, error)
         && write_all (self, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), cancellable, error);
}

/**
 * nebula_value_writer_write_bytes:
 * @self: a writer
 * @content: where the bytes come from
 * @length: how many
 * @cancellable: (nullable): stops writing in the middle of the value
 * @error: where to put an error
 *
 * Writes a value of bytes, block by block.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal) if @content ends before; %NEBULA_ERROR_TOO_LARGE (terminal): MessagePack has
 * no bytes above 4 GiB; those of the streams.
 *
 * Returns: whether all was written
 *
 * Since: 1.0
 */
gboolean
nebula_value_writer_write_bytes (NebulaValueWriter *self, GInputStream *content, guint64 length, GCancellable *cancellable, GError **error)
{
  g_autoptr (GByteArray) head = NULL;

  g_return_val_if_fail (NEBULA_IS_VALUE_WRITER (self), FALSE);
  g_return_val_if_fail (G_IS_INPUT_STREAM (content), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->format == NEBULA_VALUE_FORMAT_MSGPACK && length > G_MAXUINT32) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                         _ ("MessagePack has no bytes above 4 GiB; write them in pieces."));
    return FALSE;
  }
  head = new_bytes_head (self->format, length);
  return write_all (self, head->data, head->len, cancellable, error)
         && copy_content (self, content, length, cancellable, error);
}
