/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values out of a stream. What came and was not yet read lies in a buffer; a value that is not whole yet is tried again when
 * twice as much is there, so that the work stays linear and the buffer never holds more than one value and a block.
 */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-protobuf.h"
#include "nebula-read-private.h"
#include "nebula-value-stream.h"

#define BLOCK_BYTES 65536
#define HEAD_BYTES  32 /* what stands before bytes has no more */

/**
 * NebulaValueReader:
 *
 * Reads values from a stream, one after the other, in bounded memory. After an error it cannot go on: nobody knows where the
 * next value begins.
 *
 * Thread: one at a time; reading blocks.
 */
struct _NebulaValueReader
{
  GObject parent_instance;

  GInputStream *stream;
  NebulaValueFormat format;
  gsize max_bytes;
  GByteArray *buffer;
  gsize at;        /* in the buffer */
  guint64 pending; /* bytes of the value that is open as a stream */
  gboolean is_at_end;
  gboolean is_broken;
};

G_DEFINE_FINAL_TYPE (NebulaValueReader, nebula_value_reader, G_TYPE_OBJECT)

static void
nebula_value_reader_finalize (GObject *object)
{
  NebulaValueReader *self = NEBULA_VALUE_READER (object);

  g_clear_object (&self->stream);
  g_clear_pointer (&self->buffer, g_byte_array_unref);

  G_OBJECT_CLASS (nebula_value_reader_parent_class)->finalize (object);
}

static void
nebula_value_reader_class_init (NebulaValueReaderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_value_reader_finalize;
}

static void
nebula_value_reader_init (NebulaValueReader *self)
{
  self->buffer = g_byte_array_new ();
}

static inline gsize
get_left (NebulaValueReader *self)
{
  return self->buffer->len - self->at;
}

/* Reads until @wanted bytes are there, or the end. */
static gboolean
fill (NebulaValueReader *self, gsize wanted, GCancellable *cancellable, GError **error)
{
  if (get_left (self) >= wanted)
    return TRUE;
  if (self->at > 0) {
    g_byte_array_remove_range (self->buffer, 0, (guint) self->at);
    self->at = 0;
  }
  while (self->buffer->len < wanted && !self->is_at_end) {
    guint length = self->buffer->len;
    gsize size = MAX (wanted - length, BLOCK_BYTES);
    gssize n_read = 0;

    g_byte_array_set_size (self->buffer, (guint) (length + size));
    n_read = g_input_stream_read (self->stream, self->buffer->data + length, size, cancellable, error);
    g_byte_array_set_size (self->buffer, length + (guint) MAX (n_read, 0));
    if (n_read < 0)
      return FALSE;
    self->is_at_end = n_read == 0;
  }
  return TRUE;
}

static gboolean
break_with (NebulaValueReader *self, NebulaError code, const char *why, GError **error)
{
  self->is_broken = TRUE;
  g_set_error_literal (error, NEBULA_ERROR, code, why);
  return FALSE;
}

static gboolean
break_short (NebulaValueReader *self, GError **error)
{
  return break_with (self, NEBULA_ERROR_INVALID_DATA, _ ("The stream ends in the middle of a value."), error);
}

static gboolean
break_large (NebulaValueReader *self, GError **error)
{
  self->is_broken = TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
               _ ("A value of the stream has more than %zu bytes. Raise the reader's limit, or open it as a stream."),
               self->max_bytes);
  return FALSE;
}

/* What is left of bytes that were opened is passed over. */
static gboolean
skip_pending (NebulaValueReader *self, GCancellable *cancellable, GError **error)
{
  gsize held = (gsize) MIN (self->pending, get_left (self));

  self->at += held;
  self->pending -= held;
  while (self->pending > 0) {
    gssize n_skipped = g_input_stream_skip (self->stream, (gsize) MIN (self->pending, G_MAXSSIZE), cancellable, error);

    if (n_skipped < 0)
      return FALSE;
    if (n_skipped == 0)
      return break_short (self, error);
    self->pending -= (guint64) n_skipped;
  }
  return TRUE;
}

static gboolean
begin (NebulaValueReader *self, GCancellable *cancellable, GError **error)
{
  if (self->is_broken)
    return break_with (self, NEBULA_ERROR_CONFLICT, _ ("The stream was broken before; nothing more can be read from it."), error);
  return skip_pending (self, cancellable, error);
}

static NebulaValue *
try_read (NebulaValueReader *self, gboolean *ret_short, GError **error)
{
  gsize offset = self->at;
  NebulaValue *value = NULL;

  if (self->format == NEBULA_VALUE_FORMAT_MSGPACK)
    value = _nebula_msgpack_read (self->buffer->data, self->buffer->len, &offset, ret_short, error);
  else
    value = _nebula_bincode_read (self->buffer->data, self->buffer->len, &offset,
                                  self->format == NEBULA_VALUE_FORMAT_BINCODE_1 ? NEBULA_BINCODE_VERSION_1 : NEBULA_BINCODE_VERSION_2,
                                  ret_short, error);
  if (value)
    self->at = offset;
  return value;
}

/* A format that shows the end of a value only to who reads it. */
static NebulaValue *
read_growing (NebulaValueReader *self, GCancellable *cancellable, GError **error)
{
  while (TRUE) {
    g_autoptr (GError) problem = NULL;
    gboolean is_short = FALSE;
    NebulaValue *value = get_left (self) > 0 ? try_read (self, &is_short, &problem) : NULL;

    if (value)
      return value;
    if (problem && (!is_short || self->is_at_end)) {
      self->is_broken = TRUE;
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
    if (self->is_at_end)
      return NULL;
    if (get_left (self) >= self->max_bytes) {
      break_large (self, error);
      return NULL;
    }
    if (!fill (self, MIN (MAX (2 * get_left (self), 1), self->max_bytes), cancellable, error))
      return NULL;
  }
}

/* FALSE if it is not whole. */
static gboolean
peek_varint (NebulaValueReader *self, gsize *offset, guint64 *ret_number)
{
  *ret_number = 0;
  for (guint shift = 0; shift < 64 && *offset < self->buffer->len; shift += 7) {
    guint8 byte = self->buffer->data[(*offset)++];

    *ret_number |= (guint64) (byte & 0x7f) << shift;
    if (byte < 0x80)
      return TRUE;
  }
  return FALSE;
}

static NebulaValue *
read_delimited (NebulaValueReader *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  NebulaValue *value = NULL;
  guint64 length = 0;
  gsize offset = 0, head = 0;

  if (!fill (self, HEAD_BYTES, cancellable, error) || get_left (self) == 0)
    return NULL;
  offset = self->at;
  if (!peek_varint (self, &offset, &length)) {
    break_short (self, error);
    return NULL;
  }
  if (length > self->max_bytes) {
    break_large (self, error);
    return NULL;
  }
  head = offset - self->at;
  if (!fill (self, head + (gsize) length, cancellable, error))
    return NULL;
  if (get_left (self) - head < length) {
    break_short (self, error);
    return NULL;
  }
  bytes = g_bytes_new (self->buffer->data + self->at + head, (gsize) length);
  self->at += head + (gsize) length;
  value = nebula_value_from_protobuf (bytes, error);
  self->is_broken = value == NULL;
  return value;
}

/* The length in the head of bytes, and where they begin; FALSE: this is no head of bytes. */
static gboolean
peek_number (NebulaValueReader *self, gsize *offset, guint n_bytes, gboolean is_big_endian, guint64 *ret_number)
{
  const guint8 *data = self->buffer->data + *offset;

  if (self->buffer->len - *offset < n_bytes)
    return FALSE;
  *ret_number = 0;
  for (guint i = 0; i < n_bytes; i++)
    *ret_number = *ret_number << 8 | data[is_big_endian ? i : n_bytes - 1 - i];
  *offset += n_bytes;
  return TRUE;
}

static gboolean
peek_msgpack (NebulaValueReader *self, gsize *offset, guint64 *ret_length)
{
  guint64 tag = 0;

  return peek_number (self, offset, 1, TRUE, &tag) && tag >= 0xc4 && tag <= 0xc6
         && peek_number (self, offset, 1u << (tag - 0xc4), TRUE, ret_length);
}

static gboolean
peek_bincode_2_number (NebulaValueReader *self, gsize *offset, guint64 *ret_number)
{
  if (!peek_number (self, offset, 1, FALSE, ret_number) || *ret_number > 253)
    return FALSE;
  return *ret_number < 251 || peek_number (self, offset, 2u << (*ret_number - 251), FALSE, ret_number);
}

static gboolean
peek_bincode (NebulaValueReader *self, gsize *offset, guint64 *ret_length)
{
  guint64 variant = 0;

  if (self->format == NEBULA_VALUE_FORMAT_BINCODE_1)
    return peek_number (self, offset, 4, FALSE, &variant) && variant == NEBULA_VALUE_KIND_BYTES
           && peek_number (self, offset, 8, FALSE, ret_length);
  return peek_bincode_2_number (self, offset, &variant) && variant == NEBULA_VALUE_KIND_BYTES
         && peek_bincode_2_number (self, offset, ret_length);
}

/* One field and nothing else. */
static gboolean
peek_protobuf (NebulaValueReader *self, gsize *offset, guint64 *ret_length)
{
  guint64 whole = 0, tag = 0;
  gsize inner = 0;

  if (!peek_varint (self, offset, &whole))
    return FALSE;
  inner = *offset;
  return peek_varint (self, offset, &tag) && tag == (7 << 3 | 2) && peek_varint (self, offset, ret_length)
         && whole == *offset - inner + *ret_length;
}

static gboolean
peek_bytes (NebulaValueReader *self, gsize *offset, guint64 *ret_length)
{
  if (self->format == NEBULA_VALUE_FORMAT_MSGPACK)
    return peek_msgpack (self, offset, ret_length);
  if (self->format == NEBULA_VALUE_FORMAT_PROTOBUF)
    return peek_protobuf (self, offset, ret_length);
  return peek_bincode (self, offset, ret_length);
}

/* The stream of one value. */

#define NEBULA_TYPE_PENDING_STREAM (nebula_pending_stream_get_type ())
G_DECLARE_FINAL_TYPE (NebulaPendingStream, nebula_pending_stream, NEBULA, PENDING_STREAM, GInputStream)

struct _NebulaPendingStream
{
  GInputStream parent_instance;

  NebulaValueReader *reader;
  guint64 left;
};

G_DEFINE_FINAL_TYPE (NebulaPendingStream, nebula_pending_stream, G_TYPE_INPUT_STREAM)

static gssize
nebula_pending_stream_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  NebulaPendingStream *self = NEBULA_PENDING_STREAM (stream);
  NebulaValueReader *reader = self->reader;
  gsize held = 0;
  gssize n_read = 0;

  count = (gsize) MIN (count, self->left);
  if (count == 0)
    return 0;
  /* The reader went on without us. */
  if (reader->pending != self->left) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                         _ ("These bytes were passed over: the reader has gone on to the next value."));
    return -1;
  }
  held = MIN (count, get_left (reader));
  if (held > 0) {
    for (gsize i = 0; i < held; i++)
      ((guint8 *) buffer)[i] = reader->buffer->data[reader->at + i];
    reader->at += held;
    n_read = (gssize) held;
  } else {
    n_read = g_input_stream_read (reader->stream, buffer, count, cancellable, error);
  }
  if (n_read < 0)
    return -1;
  if (n_read == 0)
    return break_short (reader, error) ? 0 : -1;
  self->left = reader->pending -= (guint64) n_read;
  return n_read;
}

static void
nebula_pending_stream_finalize (GObject *object)
{
  g_clear_object (&NEBULA_PENDING_STREAM (object)->reader);

  G_OBJECT_CLASS (nebula_pending_stream_parent_class)->finalize (object);
}

static void
nebula_pending_stream_class_init (NebulaPendingStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_pending_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = nebula_pending_stream_read;
}

static void
nebula_pending_stream_init (NebulaPendingStream *self)
{
}

/**
 * nebula_value_reader_new:
 * @stream: where to read; it is not closed with the reader
 * @format: what it holds
 * @max_bytes: the largest value that is read as a whole; 0: 10 MiB
 *
 * Makes a reader. It reads ahead, so nobody else may read from @stream.
 *
 * Returns: (transfer full): a reader
 *
 * Since: 1.0
 */
NebulaValueReader *
nebula_value_reader_new (GInputStream *stream, NebulaValueFormat format, gsize max_bytes)
{
  NebulaValueReader *self = NULL;

  g_return_val_if_fail (G_IS_INPUT_STREAM (stream), NULL);

  self = g_object_new (NEBULA_TYPE_VALUE_READER, NULL);
  self->stream = g_object_ref (stream);
  self->format = format;
  self->max_bytes = MIN (max_bytes > 0 ? max_bytes : NEBULA_LIMIT_DOCUMENT_BYTES, G_MAXINT32);
  return self;
}

/**
 * nebula_value_reader_read:
 * @self: a reader
 * @cancellable: (nullable): stops reading; the reader can go on later
 * @error: where to put an error
 *
 * Reads the next value. What is left of one that is open as a stream is passed over.
 *
 * Errors: those of the format; %NEBULA_ERROR_INVALID_DATA (terminal) if the stream ends in the middle;
 * %NEBULA_ERROR_TOO_LARGE (terminal) above the reader's limit; %NEBULA_ERROR_CONFLICT (terminal) after an earlier error;
 * those of the stream.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without error at the end
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_reader_read (NebulaValueReader *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_VALUE_READER (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!begin (self, cancellable, error))
    return NULL;
  return self->format == NEBULA_VALUE_FORMAT_PROTOBUF ? read_delimited (self, cancellable, error)
                                                      : read_growing (self, cancellable, error);
}

/**
 * nebula_value_reader_open_bytes:
 * @self: a reader
 * @cancellable: (nullable): stops reading; the reader can go on later
 * @error: where to put an error
 *
 * Opens the next value, which must be bytes, as a stream, whatever their length. The stream is good until the reader reads
 * on.
 *
 * Errors: %NEBULA_ERROR_TYPE (terminal) if the next value is none of bytes, or there is no next one; it can still be read
 * with nebula_value_reader_read(). Those of the stream; from the stream that is returned %NEBULA_ERROR_INVALID_DATA (terminal)
 * if the bytes end too early.
 *
 * Returns: (transfer full): a stream of the bytes
 *
 * Since: 1.0
 */
GInputStream *
nebula_value_reader_open_bytes (NebulaValueReader *self, GCancellable *cancellable, GError **error)
{
  NebulaPendingStream *stream = NULL;
  guint64 length = 0;
  gsize offset = 0;

  g_return_val_if_fail (NEBULA_IS_VALUE_READER (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!begin (self, cancellable, error) || !fill (self, HEAD_BYTES, cancellable, error))
    return NULL;
  offset = self->at;
  if (!peek_bytes (self, &offset, &length)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                         _ ("The next value of the stream is none of bytes. Read it as a value."));
    return NULL;
  }
  self->at = offset;
  self->pending = length;
  stream = g_object_new (NEBULA_TYPE_PENDING_STREAM, NULL);
  stream->reader = g_object_ref (self);
  stream->left = length;
  return G_INPUT_STREAM (stream);
}
