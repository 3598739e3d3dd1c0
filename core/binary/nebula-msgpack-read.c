/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading MessagePack; the format is told in nebula-msgpack.c. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-msgpack-private.h"
#include "nebula-msgpack-internal.h"
#include "nebula-read-private.h"
#include "nebula-slice-internal.h"
#include "nebula-stored-internal.h"

typedef struct
{
  NebulaValueBuilder *builder;
  gboolean is_object;
  guint64 left; /* values that are still to come */
  const char *key;
  gsize key_length;
} Level;

typedef struct
{
  const guint8 *data;
  gsize size;
  gsize at;
  guint depth;
  NebulaValue *result;
  gboolean is_own; /* written by the engine */
  gboolean is_short; /* it failed because there is no more */
  GBytes *owner; /* read in place; NULL: copied */
  GError **error;
  Level levels[NEBULA_LIMIT_DEPTH];
  NebulaValueBuilder *arrays[NEBULA_LIMIT_DEPTH]; /* kept for the next container at that depth */
  NebulaValueBuilder *objects[NEBULA_LIMIT_DEPTH];
} Reader;

/* What a tag says comes next. */
typedef enum
{
  PART_REFUSED,
  PART_SCALAR, /* complete in the tag and `length` bytes behind it */
  PART_STRING,
  PART_BINARY,
  PART_EXT,
  PART_ARRAY,
  PART_OBJECT,
} Part;

static gboolean
fail (Reader *reader, NebulaError code, const char *message)
{
  g_set_error (reader->error, NEBULA_ERROR, code, _ ("Byte %zu of the MessagePack data: %s"), reader->at,
               message);
  return FALSE;
}

static gboolean
fail_short (Reader *reader)
{
  reader->is_short = TRUE;
  return fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("It ends too early, or a length in it is wrong."));
}

static inline guint64
peek_number (const guint8 *data, gsize n_bytes)
{
  guint64 number = 0;

  for (gsize i = 0; i < n_bytes; i++)
    number = number << 8 | data[i];
  return number;
}

static gboolean
take_number (Reader *reader, gsize n_bytes, guint64 *ret_number)
{
  if (reader->size - reader->at < n_bytes)
    return fail_short (reader);
  *ret_number = peek_number (reader->data + reader->at, n_bytes);
  reader->at += n_bytes;
  return TRUE;
}

/* Reads the length that follows a tag; the tag itself is behind us. */
static Part
read_head (Reader *reader, guint8 tag, guint64 *ret_length)
{
  static const struct
  {
    guint8 part;
    guint8 length_bytes;
  } heads[32] = {
    [0x04] = { PART_BINARY, 1 }, [0x05] = { PART_BINARY, 2 }, [0x06] = { PART_BINARY, 4 }, [0x07] = { PART_EXT, 1 },
    [0x08] = { PART_EXT, 2 },    [0x09] = { PART_EXT, 4 },    [0x19] = { PART_STRING, 1 }, [0x1a] = { PART_STRING, 2 },
    [0x1b] = { PART_STRING, 4 }, [0x1c] = { PART_ARRAY, 2 },  [0x1d] = { PART_ARRAY, 4 },  [0x1e] = { PART_OBJECT, 2 },
    [0x1f] = { PART_OBJECT, 4 },
  };

  *ret_length = 0;
  if (tag < 0x80 || tag >= 0xe0)
    return PART_SCALAR;
  if (tag < 0xc0) {
    *ret_length = tag < 0xa0 ? tag & 0x0f : tag & 0x1f;
    return tag < 0x90 ? PART_OBJECT : tag < 0xa0 ? PART_ARRAY : PART_STRING;
  }
  if (tag >= 0xd4 && tag <= 0xd8) {
    *ret_length = G_GUINT64_CONSTANT (1) << (tag - 0xd4);
    return PART_EXT;
  }
  if (heads[tag - 0xc0].length_bytes > 0)
    return take_number (reader, heads[tag - 0xc0].length_bytes, ret_length) ? (Part) heads[tag - 0xc0].part : PART_REFUSED;
  return PART_SCALAR;
}

static NebulaValue *
read_float (Reader *reader, guint64 bits, gsize n_bytes)
{
  double number = 0.0;
  float single = 0.0F;
  guint32 single_bits = (guint32) bits;

  if (n_bytes == 4) {
    memcpy (&single, &single_bits, sizeof single);
    number = (double) single;
  } else {
    memcpy (&number, &bits, sizeof number);
  }
  if (isfinite (number))
    return nebula_value_new_float (number);
  fail (reader, NEBULA_ERROR_OVERFLOW, _ ("Infinity and “not a number” are no values."));
  return NULL;
}

static NebulaValue *
new_unsigned (guint64 number)
{
  char text[24];

  if (number <= G_MAXINT64)
    return nebula_value_new_integer ((gint64) number);
  g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, number);
  return nebula_value_new_decimal (text, NULL);
}

static gint64
extend_sign (guint64 bits, gsize n_bytes)
{
  guint shift = (guint) (64 - 8 * n_bytes);

  return (gint64) (bits << shift) >> shift;
}

static NebulaValue *
read_scalar (Reader *reader, guint8 tag)
{
  guint64 bits = 0;
  gsize n_bytes = 0;

  if (tag < 0x80 || tag >= 0xe0)
    return nebula_value_new_integer ((gint8) tag);
  if (tag == 0xc0)
    return nebula_value_new_null ();
  if (tag == 0xc2 || tag == 0xc3)
    return nebula_value_new_boolean (tag == 0xc3);
  if (tag < 0xca || tag > 0xd3) {
    fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("No MessagePack value begins like this."));
    return NULL;
  }
  n_bytes = tag <= 0xcb ? (gsize) 4 << (tag - 0xca) : (gsize) 1 << ((tag - 0xcc) & 3);
  if (!take_number (reader, n_bytes, &bits))
    return NULL;
  if (tag <= 0xcb)
    return read_float (reader, bits, n_bytes);
  return tag < 0xd0 ? new_unsigned (bits) : nebula_value_new_integer (extend_sign (bits, n_bytes));
}

static gboolean
check_text (Reader *reader, const char *text, gsize length)
{
  if (g_utf8_validate_len (text, length, NULL))
    return TRUE;
  /* U+0000 ends what GLib takes for valid text; here it is a character like others. */
  for (gsize from = 0; from < length;) {
    const char *stop = NULL;

    if (!g_utf8_validate_len (text + from, length - from, &stop) && *stop != '\0')
      return fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("A text is not UTF-8."));
    from = (gsize) (stop - text) + 1;
  }
  return TRUE;
}

static NebulaValue *
read_string (Reader *reader, const char *text, gsize length)
{
  if (!check_text (reader, text, length))
    return NULL;
  return reader->owner ? nebula_value_new_string_slice (reader->owner, text, length)
                       : nebula_value_new_string_length (text, length);
}

static NebulaValue *
read_bytes (Reader *reader, const guint8 *data, gsize length)
{
  g_autoptr (GBytes) bytes = NULL;

  if (reader->owner)
    return nebula_value_new_bytes_slice (reader->owner, data, length);
  bytes = g_bytes_new (data, length);
  return nebula_value_new_bytes (bytes);
}

/* The first second of the range is not wholly in it, so a part of a second is taken from the next one. */
static gboolean
join_usec (gint64 seconds, gint64 part_usec, gint64 *ret_usec)
{
  if (seconds < 0 && part_usec > 0) {
    seconds++;
    part_usec -= G_USEC_PER_SEC;
  }
  return !__builtin_mul_overflow (seconds, (gint64) G_USEC_PER_SEC, ret_usec)
         && !__builtin_add_overflow (*ret_usec, part_usec, ret_usec);
}

static NebulaValue *
read_timestamp (Reader *reader, const guint8 *data, gsize length)
{
  guint64 nanoseconds = 0;
  gint64 seconds = 0, usec = 0;

  if (length == 4) {
    seconds = (gint64) peek_number (data, 4);
  } else if (length == 8) {
    nanoseconds = peek_number (data, 8) >> 34;
    seconds = (gint64) (peek_number (data, 8) & ((G_GUINT64_CONSTANT (1) << 34) - 1));
  } else if (length == 12) {
    nanoseconds = peek_number (data, 4);
    seconds = (gint64) peek_number (data + 4, 8);
  }
  if ((length == 4 || length == 8 || length == 12) && nanoseconds < 1000000000
      && join_usec (seconds, (gint64) nanoseconds / 1000, &usec))
    return nebula_value_new_timestamp_full (usec, (guint) (nanoseconds % 1000), 0);
  fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("A timestamp is out of range."));
  return NULL;
}

static NebulaValue *
read_ext_text (Reader *reader, int type, const char *data, gsize length)
{
  g_autofree char *text = NULL;

  if (length > NEBULA_LIMIT_STRING_BYTES || memchr (data, '\0', length) || !g_utf8_validate_len (data, length, NULL)) {
    fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("A decimal or reference is not text."));
    return NULL;
  }
  text = g_strndup (data, length);
  return type == NEBULA_MSGPACK_DECIMAL ? nebula_value_new_decimal (text, reader->error) : nebula_value_new_reference (text);
}

static NebulaValue *
read_stored (Reader *reader, const guint8 *data, gsize length)
{
  g_autofree char *text = g_strndup ((const char *) data, length);
  NebulaValue *value = reader->is_own && !memchr (data, '\0', length) ? nebula_value_new_stored_from_text (text) : NULL;

  if (!value)
    fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("The contents of an extension are not what its type says."));
  return value;
}

static NebulaValue *
new_foreign_ext (Reader *reader, int type, const guint8 *data, gsize length)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_integer (builder, NEBULA_MSGPACK_EXT_TYPE, type);
  nebula_value_builder_set_take (builder, NEBULA_MSGPACK_EXT_DATA, read_bytes (reader, data, length));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
read_ext (Reader *reader, int type, const guint8 *data, gsize length)
{
  guint64 bits = length >= 8 ? peek_number (data, 8) : 0;

  if (type == NEBULA_MSGPACK_TIMESTAMP)
    return read_timestamp (reader, data, length);
  if (type == NEBULA_MSGPACK_DECIMAL || type == NEBULA_MSGPACK_REFERENCE)
    return read_ext_text (reader, type, (const char *) data, length);
  if (type == NEBULA_MSGPACK_STORED)
    return read_stored (reader, data, length);
  if (type == NEBULA_MSGPACK_DATE && length == 4)
    return nebula_value_new_date (data[0] << 8 | data[1], data[2], data[3], reader->error);
  if (type == NEBULA_MSGPACK_TIME && length == 8)
    return nebula_value_new_time ((gint64) bits, reader->error);
  if (type == NEBULA_MSGPACK_DURATION && length == 8)
    return nebula_value_new_duration ((gint64) bits);
  if (type == NEBULA_MSGPACK_STAMP_OFFSET && length == 14) {
    gint64 offset_seconds = extend_sign (peek_number (data + 8, 4), 4);
    guint nanoseconds = (guint) peek_number (data + 12, 2);

    if (offset_seconds > -86400 && offset_seconds < 86400 && nanoseconds < 1000)
      return nebula_value_new_timestamp_full ((gint64) bits, nanoseconds, (int) offset_seconds);
  }
  if (type < NEBULA_MSGPACK_DECIMAL || type > NEBULA_MSGPACK_REFERENCE)
    return new_foreign_ext (reader, type, data, length);
  fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("The contents of an extension are not what its type says."));
  return NULL;
}

/* A text, bytes or extension whose length was read. */
static NebulaValue *
read_block (Reader *reader, Part part, guint64 length)
{
  const guint8 *data = NULL;
  int type = 0;

  if (part == PART_EXT) {
    guint64 code = 0;

    if (!take_number (reader, 1, &code))
      return NULL;
    type = (gint8) code;
  }
  if (reader->size - reader->at < length) {
    fail_short (reader);
    return NULL;
  }
  data = reader->data + reader->at;
  reader->at += (gsize) length;
  if (part == PART_STRING)
    return read_string (reader, (const char *) data, (gsize) length);
  if (part == PART_BINARY)
    return read_bytes (reader, data, (gsize) length);
  return read_ext (reader, type, data, (gsize) length);
}

static gboolean
read_key (Reader *reader)
{
  Level *level = &reader->levels[reader->depth - 1];
  guint64 tag = 0, length = 0;

  if (!take_number (reader, 1, &tag))
    return FALSE;
  if ((tag < 0xa0 || tag > 0xbf) && (tag < 0xd9 || tag > 0xdb))
    return fail (reader, NEBULA_ERROR_INVALID_DATA, _ ("A key is not a text."));
  if (read_head (reader, (guint8) tag, &length) != PART_STRING)
    return FALSE;
  if (reader->size - reader->at < length)
    return fail_short (reader);
  level->key = (const char *) reader->data + reader->at;
  level->key_length = (gsize) length;
  reader->at += (gsize) length;
  if (nebula_value_builder_has (level->builder, level->key, level->key_length))
    return fail (reader, NEBULA_ERROR_DUPLICATE_KEY, _ ("A key stands in an object twice."));
  for (gsize i = 0; i < level->key_length; i++)
    if ((guchar) level->key[i] >= 0x80)
      return check_text (reader, level->key, level->key_length);
  return TRUE;
}

static gboolean
open_container (Reader *reader, gboolean is_object, guint64 count)
{
  NebulaValueBuilder **kept = is_object ? reader->objects : reader->arrays;
  Level *level = NULL;

  /* Each value takes a byte at least, each member two. */
  if (count > (reader->size - reader->at) / (is_object ? 2 : 1))
    return fail_short (reader);
  if (reader->depth >= NEBULA_LIMIT_DEPTH)
    return fail (reader, NEBULA_ERROR_TOO_DEEP, _ ("It is nested deeper than 128 levels."));
  kept += reader->depth;
  if (!*kept)
    *kept = is_object ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();
  level = &reader->levels[reader->depth++];
  level->builder = *kept;
  level->is_object = is_object;
  level->left = count;
  return TRUE;
}

static void
deliver (Reader *reader, NebulaValue *value)
{
  Level *level = NULL;

  if (reader->depth == 0) {
    reader->result = value;
    return;
  }
  level = &reader->levels[reader->depth - 1];
  level->left--;
  if (level->is_object)
    nebula_value_builder_set_length_take (level->builder, level->key, level->key_length, value);
  else
    nebula_value_builder_add_take (level->builder, value);
}

static gboolean
read_value (Reader *reader)
{
  guint64 tag = 0, length = 0;
  NebulaValue *value = NULL;
  Part part = PART_REFUSED;

  if (!take_number (reader, 1, &tag))
    return FALSE;
  part = read_head (reader, (guint8) tag, &length);
  if (part == PART_REFUSED)
    return FALSE;
  if (part == PART_ARRAY || part == PART_OBJECT)
    return open_container (reader, part == PART_OBJECT, length);
  value = part == PART_SCALAR ? read_scalar (reader, (guint8) tag) : read_block (reader, part, length);
  if (!value)
    return FALSE;
  deliver (reader, value);
  return TRUE;
}

static gboolean
read_all (Reader *reader)
{
  while (!reader->result) {
    Level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;

    if (level && level->left == 0) {
      reader->depth--;
      deliver (reader, nebula_value_builder_end (level->builder));
      continue;
    }
    if (level && level->is_object && !read_key (reader))
      return FALSE;
    if (!read_value (reader))
      return FALSE;
  }
  return TRUE;
}

static void
reader_clear (Reader *reader)
{
  for (guint i = 0; i < NEBULA_LIMIT_DEPTH; i++) {
    g_clear_pointer (&reader->arrays[i], nebula_value_builder_unref);
    g_clear_pointer (&reader->objects[i], nebula_value_builder_unref);
  }
}

static void
reader_init (Reader *reader, const guint8 *data, gsize size, GError **error)
{
  reader->data = data;
  reader->size = size;
  reader->at = 0;
  reader->depth = 0;
  reader->result = NULL;
  reader->is_own = FALSE;
  reader->is_short = FALSE;
  reader->owner = NULL;
  reader->error = error;
  memset (reader->arrays, 0, sizeof reader->arrays);
  memset (reader->objects, 0, sizeof reader->objects);
}

static NebulaValue *
read_msgpack (Reader *reader, gsize *offset)
{
  reader->at = *offset;
  if (read_all (reader))
    *offset = reader->at;
  reader_clear (reader);
  return reader->result;
}

static NebulaValue *
read_whole (GBytes *bytes, gboolean is_own, gboolean in_place, GError **error)
{
  Reader reader;
  gsize size = 0, offset = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (NebulaValue) value = NULL;

  reader_init (&reader, data, size, error);
  reader.is_own = is_own;
  reader.owner = in_place ? bytes : NULL;
  value = read_msgpack (&reader, &offset);
  if (value && offset < size) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                 _ ("%zu bytes follow the MessagePack value; give it alone."), size - offset);
    return NULL;
  }
  return g_steal_pointer (&value);
}

NebulaValue *
nebula_value_read_msgpack_own (const guint8 *data, gsize size, gsize *offset, GError **error)
{
  Reader reader;

  reader_init (&reader, data, size, error);
  reader.is_own = TRUE;
  return read_msgpack (&reader, offset);
}

NebulaValue *
nebula_value_from_msgpack_own (GBytes *bytes, GError **error)
{
  return read_whole (bytes, TRUE, FALSE, error);
}

NebulaValue *
_nebula_msgpack_read (const guint8 *data, gsize size, gsize *offset, gboolean *ret_short, GError **error)
{
  Reader reader;
  NebulaValue *value = NULL;

  reader_init (&reader, data, size, error);
  value = read_msgpack (&reader, offset);
  *ret_short = reader.is_short;
  return value;
}

/**
 * nebula_value_read_msgpack: (skip)
 * @data: (array length=size): bytes
 * @size: how many
 * @offset: (inout): where the value begins; moved behind it, untouched on failure
 * @error: where to put an error
 *
 * Reads one of several values. Hostile bytes fail before anything large is allocated.
 *
 * Errors, all terminal: %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_DUPLICATE_KEY,
 * %NEBULA_ERROR_OVERFLOW.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_read_msgpack (const guint8 *data, gsize size, gsize *offset, GError **error)
{
  Reader reader;

  g_return_val_if_fail (data != NULL || size == 0, NULL);
  g_return_val_if_fail (offset != NULL && *offset <= size, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  reader_init (&reader, data, size, error);
  return read_msgpack (&reader, offset);
}

/**
 * nebula_value_from_msgpack:
 * @bytes: MessagePack of one value
 * @error: where to put an error
 *
 * Reads a value.
 *
 * Errors, all terminal: those of nebula_value_read_msgpack(), and %NEBULA_ERROR_INVALID_DATA if something follows.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_msgpack (GBytes *bytes, GError **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return read_whole (bytes, FALSE, FALSE, error);
}

/**
 * nebula_value_from_msgpack_in_place:
 * @bytes: MessagePack of one value
 * @error: where to put an error
 *
 * Reads a value without copying what is large in it: strings and bytes of 64 bytes and more point into @bytes, shorter ones
 * and keys are copied, since a copy of them is smaller than a pointer with its owner. nebula_value_compact() makes the value
 * independent of @bytes.
 *
 * Errors, all terminal: those of nebula_value_from_msgpack().
 *
 * Returns: (transfer full): the value, which keeps @bytes
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_msgpack_in_place (GBytes *bytes, GError **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return read_whole (bytes, FALSE, TRUE, error);
}
