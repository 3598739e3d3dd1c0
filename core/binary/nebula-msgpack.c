/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MessagePack of values. Integers take the shortest form, floats 64 bits, keys are strings. Extension types:
 *
 *   -1  timestamp in UTC, the standard forms of 4, 8 and 12 bytes
 *   64  decimal: its text
 *   65  date: year (16 bits), month, day
 *   66  time of day: microseconds (64 bits)
 *   67  duration: microseconds (64 bits, signed)
 *   68  timestamp with an offset: microseconds since 1970 (64 bits, signed), offset in seconds (32 bits, signed),
 *       nanoseconds beyond the microseconds (16 bits)
 *   69  reference: its URI
 *   70  stored value: its text (nebula-stored-internal.h); written and read by the engine only
 *
 * All numbers are big-endian. What is read is checked before anything is allocated: a length can never claim more
 * than the bytes that are there. Keys that are not strings and repeated keys are refused. Integers beyond 63 bits become
 * decimals. An extension of another program is read as `{"$ext": type, "data": bytes}`, and an object that is just that
 * is written as the extension; one that names a type of ours stays an object.
 */
#include "nebula-msgpack.h"

#include <string.h>

#include "nebula-msgpack-private.h"
#include "nebula-stored-internal.h"
#include "nebula-value-layout-internal.h"

#define PIECE_BYTES     1024
#define SIZE_GUESS_MOST (1024 * 1024)

/* Writing. */

/* What is written is collected in pieces, because a GByteArray takes long for a few bytes. */
typedef struct
{
  GByteArray *bytes;
  guint used;
  guint8 piece[PIECE_BYTES];
} Writer;

static void
flush (Writer *writer)
{
  g_byte_array_append (writer->bytes, writer->piece, writer->used);
  writer->used = 0;
}

static inline void
put_bytes (Writer *writer, const void *data, gsize length)
{
  if (G_UNLIKELY (length > PIECE_BYTES - writer->used)) {
    flush (writer);
    if (length > PIECE_BYTES / 2) {
      g_byte_array_append (writer->bytes, data, (guint) length);
      return;
    }
  }
  if (length > 0)
    memcpy (writer->piece + writer->used, data, length);
  writer->used += (guint) length;
}

/* A big-endian number of some bytes behind a tag, in one step. */
static inline void
put_tagged (Writer *writer, guint8 tag, guint64 number, guint n_bytes)
{
  guint8 *place = NULL;

  if (G_UNLIKELY (PIECE_BYTES - writer->used < 9))
    flush (writer);
  place = writer->piece + writer->used;
  *place = tag;
  for (guint i = n_bytes; i > 0; i--, number >>= 8)
    place[i] = (guint8) number;
  writer->used += n_bytes + 1;
}

static void
put_number (Writer *writer, guint64 number, guint n_bytes)
{
  guint8 bytes[8] = { 0 };

  for (guint i = n_bytes; i > 0; i--, number >>= 8)
    bytes[i - 1] = (guint8) number;
  put_bytes (writer, bytes, n_bytes);
}

static void
put_integer (Writer *writer, gint64 integer)
{
  guint64 bits = (guint64) integer;

  if (integer >= -32 && integer < 128)
    put_tagged (writer, (guint8) integer, 0, 0);
  else if (integer >= 0 && integer <= G_MAXUINT8)
    put_tagged (writer, 0xcc, bits, 1);
  else if (integer >= 0 && integer <= G_MAXUINT16)
    put_tagged (writer, 0xcd, bits, 2);
  else if (integer >= 0 && integer <= G_MAXUINT32)
    put_tagged (writer, 0xce, bits, 4);
  else if (integer >= 0)
    put_tagged (writer, 0xcf, bits, 8);
  else if (integer >= G_MININT8)
    put_tagged (writer, 0xd0, bits, 1);
  else if (integer >= G_MININT16)
    put_tagged (writer, 0xd1, bits, 2);
  else if (integer >= G_MININT32)
    put_tagged (writer, 0xd2, bits, 4);
  else
    put_tagged (writer, 0xd3, bits, 8);
}

static void
put_float (Writer *writer, double number)
{
  guint64 bits = 0;

  memcpy (&bits, &number, sizeof bits);
  put_tagged (writer, 0xcb, bits, 8);
}

static inline void
put_string (Writer *writer, const char *text, gsize length)
{
  if (length < 32) {
    put_tagged (writer, (guint8) (0xa0 | length), 0, 0);
    put_bytes (writer, text, length);
    return;
  }
  if (length <= G_MAXUINT8)
    put_tagged (writer, 0xd9, length, 1);
  else if (length <= G_MAXUINT16)
    put_tagged (writer, 0xda, length, 2);
  else
    put_tagged (writer, 0xdb, length, 4);
  put_bytes (writer, text, length);
}

static void
put_text (Writer *writer, NebulaValue *value)
{
  const NebulaText *text = (const NebulaText *) value;

  put_string (writer, text->data, text->length);
}

static void
put_binary (Writer *writer, NebulaValue *value)
{
  g_autoptr (GBytes) bytes = nebula_value_ref_bytes (value);
  gsize length = 0;
  const void *data = g_bytes_get_data (bytes, &length);

  if (length <= G_MAXUINT8)
    put_tagged (writer, 0xc4, length, 1);
  else if (length <= G_MAXUINT16)
    put_tagged (writer, 0xc5, length, 2);
  else
    put_tagged (writer, 0xc6, length, 4);
  put_bytes (writer, data, length);
}

static void
put_ext (Writer *writer, int type, gsize length)
{
  guint8 code = (guint8) type;

  if (length == 1 || length == 2 || length == 4 || length == 8 || length == 16)
    put_tagged (writer, length == 1 ? 0xd4 : length == 2 ? 0xd5 : length == 4 ? 0xd6 : length == 8 ? 0xd7 : 0xd8, 0, 0);
  else if (length <= G_MAXUINT8)
    put_tagged (writer, 0xc7, length, 1);
  else if (length <= G_MAXUINT16)
    put_tagged (writer, 0xc8, length, 2);
  else
    put_tagged (writer, 0xc9, length, 4);
  put_bytes (writer, &code, 1);
}

static void
put_ext_text (Writer *writer, int type, NebulaValue *value)
{
  gsize length = nebula_value_get_string_length (value);

  put_ext (writer, type, length);
  put_bytes (writer, nebula_value_get_string (value), length);
}

/* Whole numbers of 64 bits without a sign have a form of their own; reading makes the same decimal of them. */
static void
put_decimal (Writer *writer, NebulaValue *value)
{
  const char *text = nebula_value_get_string (value);
  guint64 number = 0;

  if (text[0] != '0' && g_ascii_string_to_unsigned (text, 10, G_MAXINT64, G_MAXUINT64, &number, NULL)
      && number > G_MAXINT64)
    put_tagged (writer, 0xcf, number, 8);
  else
    put_ext_text (writer, NEBULA_MSGPACK_DECIMAL, value);
}

static void
put_timestamp (Writer *writer, NebulaValue *value)
{
  gint64 usec = nebula_value_get_usec (value);
  gint64 seconds = usec / G_USEC_PER_SEC - (usec % G_USEC_PER_SEC < 0 ? 1 : 0);
  guint64 nanoseconds = (guint64) (usec - seconds * G_USEC_PER_SEC) * 1000 + nebula_value_get_nanoseconds (value);
  int offset_seconds = nebula_value_get_offset_seconds (value);

  if (offset_seconds != 0) {
    put_ext (writer, NEBULA_MSGPACK_STAMP_OFFSET, 14);
    put_number (writer, (guint64) usec, 8);
    put_number (writer, (guint64) (gint64) offset_seconds, 4);
    put_number (writer, nebula_value_get_nanoseconds (value), 2);
  } else if (seconds >= 0 && seconds <= G_MAXUINT32 && nanoseconds == 0) {
    put_ext (writer, NEBULA_MSGPACK_TIMESTAMP, 4);
    put_number (writer, (guint64) seconds, 4);
  } else if (seconds >= 0 && seconds < G_GINT64_CONSTANT (1) << 34) {
    put_ext (writer, NEBULA_MSGPACK_TIMESTAMP, 8);
    put_number (writer, nanoseconds << 34 | (guint64) seconds, 8);
  } else {
    put_ext (writer, NEBULA_MSGPACK_TIMESTAMP, 12);
    put_number (writer, nanoseconds, 4);
    put_number (writer, (guint64) seconds, 8);
  }
}

static void
put_date (Writer *writer, NebulaValue *value)
{
  int year = 0, month = 0, day = 0;

  nebula_value_get_date (value, &year, &month, &day);
  put_ext (writer, NEBULA_MSGPACK_DATE, 4);
  put_number (writer, (guint64) (year << 16 | month << 8 | day), 4);
}

static void
put_usec (Writer *writer, int type, NebulaValue *value)
{
  put_ext (writer, type, 8);
  put_number (writer, (guint64) nebula_value_get_usec (value), 8);
}

static void
put_count (Writer *writer, guint8 fix, guint8 tag, gsize count)
{
  if (count < 16)
    put_tagged (writer, (guint8) (fix | count), 0, 0);
  else if (count <= G_MAXUINT16)
    put_tagged (writer, tag, count, 2);
  else
    put_tagged (writer, (guint8) (tag + 1), count, 4);
}

/* An object that stands for an extension of another program. */
static gboolean
is_foreign_ext (NebulaValue *value)
{
  NebulaValue *type = NULL, *data = NULL;
  gint64 number = 0;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT || nebula_value_get_length (value) != 2)
    return FALSE;
  type = nebula_value_get_member (value, NEBULA_MSGPACK_EXT_TYPE);
  data = nebula_value_get_member (value, NEBULA_MSGPACK_EXT_DATA);
  if (!type || !data || nebula_value_get_kind (type) != NEBULA_VALUE_KIND_INTEGER
      || nebula_value_get_kind (data) != NEBULA_VALUE_KIND_BYTES)
    return FALSE;
  number = nebula_value_get_integer (type);
  return number >= G_MININT8 && number <= G_MAXINT8 && number != NEBULA_MSGPACK_TIMESTAMP
         && (number < NEBULA_MSGPACK_DECIMAL || number > NEBULA_MSGPACK_STORED);
}

static void
put_foreign_ext (Writer *writer, NebulaValue *value)
{
  NebulaValue *type = nebula_value_get_member (value, NEBULA_MSGPACK_EXT_TYPE);
  g_autoptr (GBytes) bytes = nebula_value_ref_bytes (nebula_value_get_member (value, NEBULA_MSGPACK_EXT_DATA));
  gsize length = 0;
  const void *data = g_bytes_get_data (bytes, &length);

  put_ext (writer, (int) nebula_value_get_integer (type), length);
  put_bytes (writer, data, length);
}

/* A scalar wholly, or the head of a container, whose parts then follow: TRUE. */
static gboolean
put_value (Writer *writer, NebulaValue *value)
{
  switch ((NebulaValueKind) value->kind) {
  case NEBULA_VALUE_KIND_BOOLEAN:
    put_tagged (writer, nebula_value_get_boolean (value) ? 0xc3 : 0xc2, 0, 0);
    return FALSE;
  case NEBULA_VALUE_KIND_INTEGER:
    put_integer (writer, ((NebulaScalar *) value)->as.integer);
    return FALSE;
  case NEBULA_VALUE_KIND_FLOAT:
    put_float (writer, ((NebulaScalar *) value)->as.number);
    return FALSE;
  case NEBULA_VALUE_KIND_DECIMAL:
    put_decimal (writer, value);
    return FALSE;
  case NEBULA_VALUE_KIND_STRING:
    put_text (writer, value);
    return FALSE;
  case NEBULA_VALUE_KIND_BYTES:
    put_binary (writer, value);
    return FALSE;
  case NEBULA_VALUE_KIND_ARRAY:
    put_count (writer, 0x90, 0xdc, nebula_value_get_length (value));
    return TRUE;
  case NEBULA_VALUE_KIND_OBJECT:
    if (is_foreign_ext (value)) {
      put_foreign_ext (writer, value);
      return FALSE;
    }
    put_count (writer, 0x80, 0xde, nebula_value_get_length (value));
    return TRUE;
  case NEBULA_VALUE_KIND_DATE:
    put_date (writer, value);
    return FALSE;
  case NEBULA_VALUE_KIND_TIME:
    put_usec (writer, NEBULA_MSGPACK_TIME, value);
    return FALSE;
  case NEBULA_VALUE_KIND_TIMESTAMP:
    put_timestamp (writer, value);
    return FALSE;
  case NEBULA_VALUE_KIND_DURATION:
    put_usec (writer, NEBULA_MSGPACK_DURATION, value);
    return FALSE;
  case NEBULA_VALUE_KIND_REFERENCE:
    put_ext_text (writer, nebula_value_is_stored (value) ? NEBULA_MSGPACK_STORED : NEBULA_MSGPACK_REFERENCE, value);
    return FALSE;
  case NEBULA_VALUE_KIND_NULL:
  default:
    put_tagged (writer, 0xc0, 0, 0);
    return FALSE;
  }
}

typedef struct
{
  NebulaValue *const *next;
  NebulaValue *const *end;
  const NebulaKey *key; /* of the next; NULL in an array */
} WriteFrame;

#define N_FRAMES 16

static void
push_frame (WriteFrame *frame, NebulaValue *value)
{
  if (value->kind == NEBULA_VALUE_KIND_OBJECT) {
    const NebulaObject *object = (const NebulaObject *) value;

    frame->next = object->members;
    frame->end = object->members + object->shape->n_keys;
    frame->key = object->shape->keys;
  } else {
    const NebulaArray *array = (const NebulaArray *) value;

    frame->next = array->items;
    frame->end = array->items + array->length;
    frame->key = NULL;
  }
}

/* Deeper ones go to another call: the depth of values is limited, so are these. */
static void
put_containers (Writer *writer, NebulaValue *root)
{
  WriteFrame stack[N_FRAMES];
  guint depth = 1;

  push_frame (stack, root);
  while (depth > 0) {
    WriteFrame *frame = &stack[depth - 1];
    NebulaValue *child = NULL;

    if (frame->next == frame->end) {
      depth--;
      continue;
    }
    if (frame->key) {
      put_string (writer, frame->key->text, frame->key->length);
      frame->key++;
    }
    child = *frame->next++;
    if (!put_value (writer, child))
      continue;
    if (depth < N_FRAMES)
      push_frame (&stack[depth++], child);
    else
      put_containers (writer, child);
  }
}

/**
 * nebula_value_append_msgpack: (skip)
 * @self: a value
 * @buffer: where to add
 *
 * Writes a value as MessagePack behind other bytes.
 *
 * Since: 1.0
 */
void
nebula_value_append_msgpack (NebulaValue *self, GByteArray *buffer)
{
  Writer writer;

  g_return_if_fail (self != NULL && buffer != NULL);

  writer.bytes = buffer;
  writer.used = 0;
  if (put_value (&writer, self))
    put_containers (&writer, self);
  flush (&writer);
}

/**
 * nebula_value_to_msgpack:
 * @self: a value
 *
 * Writes a value as MessagePack.
 *
 * Returns: (transfer full): the bytes
 *
 * Since: 1.0
 */
GBytes *
nebula_value_to_msgpack (NebulaValue *self)
{
  GByteArray *buffer = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  buffer = g_byte_array_sized_new ((guint) MIN (nebula_value_get_size_bytes (self), SIZE_GUESS_MOST) + 64);
  nebula_value_append_msgpack (self, buffer);
  return g_byte_array_free_to_bytes (buffer);
}
