/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bincode of values: what a Rust program reads and writes with the enumeration
 *
 *   enum Value {
 *       Null, Boolean (bool), Integer (i64), Float (f64), Decimal (String), String (String), Bytes (Vec<u8>),
 *       Array (Vec<Value>), Object (Vec<(String, Value)>), Date (i32, u8, u8), Time (i64),
 *       Timestamp (i64, u32, i32), Duration (i64), Reference (String),
 *   }
 *
 * in that order: variant numbers are u32, lengths u64, times microseconds; a timestamp has microseconds since 1970,
 * nanoseconds beyond them and the offset in seconds. All is little-endian.
 *
 *   version 1   every integer in its own length
 *   version 2   unsigned: below 251 one byte; else 251, 252 or 253 and 2, 4 or 8 bytes. Signed ones are zigzag: 0, -1, 1, -2
 *               become 0, 1, 2, 3. Single bytes (u8, bool) and floats stay as they are.
 *
 * A length can never claim more than the bytes that are there; repeated keys and what follows the value are refused.
 */
#include "nebula-bincode.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-read-private.h"
#include "nebula-slice-internal.h"

typedef struct {
  GByteArray *bytes;
  gboolean is_variable;
} Writer;

static void
put (Writer *self, guint64 number, guint n_bytes)
{
  guint8 bytes[8];

  for (guint i = 0; i < n_bytes; i++, number >>= 8)
    bytes[i] = (guint8) number;
  g_byte_array_append (self->bytes, bytes, n_bytes);
}

static void
put_unsigned (Writer *self, guint64 number, guint n_bytes)
{
  if (!self->is_variable) {
    put (self, number, n_bytes);
  } else if (number < 251) {
    put (self, number, 1);
  } else {
    guint size = number <= G_MAXUINT16 ? 2 : number <= G_MAXUINT32 ? 4 : 8;

    put (self, size == 2 ? 251 : size == 4 ? 252 : 253, 1);
    put (self, number, size);
  }
}

static void
put_signed (Writer *self, gint64 number, guint n_bytes)
{
  if (self->is_variable)
    put_unsigned (self, ((guint64) number << 1) ^ (guint64) (number >> 63), n_bytes);
  else
    put (self, (guint64) number, n_bytes);
}

static void
put_text (Writer *self, const char *text, gsize length)
{
  put_unsigned (self, length, 8);
  g_byte_array_append (self->bytes, (const guint8 *) text, (guint) length);
}

static void
put_own_text (Writer *self, NebulaValue *value)
{
  gsize length;
  const char *text = nebula_value_peek_text (value, &length);

  put_text (self, text, length);
}

static void
put_float (Writer *self, double number)
{
  guint64 bits;

  G_STATIC_ASSERT (sizeof bits == sizeof number);
  bits = ((union {
           double number;
           guint64 bits;
         }){.number = number})
             .bits;
  put (self, bits, 8);
}

static void put_value (Writer *self, NebulaValue *value);

static void
put_container (Writer *self, NebulaValue *value, gboolean is_object)
{
  gsize n = nebula_value_get_length (value);

  put_unsigned (self, n, 8);
  for (gsize i = 0; i < n; i++) {
    gsize length;
    const char *key = is_object ? nebula_value_get_key (value, i, &length) : NULL;

    if (key)
      put_text (self, key, length);
    put_value (self, is_object ? nebula_value_get_member_at (value, i)
                               : nebula_value_get_item (value, i));
  }
}

static void
put_date (Writer *self, NebulaValue *value)
{
  int year, month, day;

  nebula_value_get_date (value, &year, &month, &day);
  put_signed (self, year, 4);
  put (self, (guint64) month, 1);
  put (self, (guint64) day, 1);
}

static void
put_bytes (Writer *self, NebulaValue *value)
{
  g_autoptr (GBytes) bytes = nebula_value_ref_bytes (value);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  put_text (self, data, size);
}

/* Values are at most 128 deep, so the stack holds. */
static void
put_value (Writer *self, NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  put_unsigned (self, kind, 4);
  switch (kind) {
  case NEBULA_VALUE_KIND_NULL:
    return;
  case NEBULA_VALUE_KIND_BOOLEAN:
    put (self, nebula_value_get_boolean (value) ? 1 : 0, 1);
    return;
  case NEBULA_VALUE_KIND_INTEGER:
    put_signed (self, nebula_value_get_integer (value), 8);
    return;
  case NEBULA_VALUE_KIND_FLOAT:
    put_float (self, nebula_value_get_float (value));
    return;
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_STRING:
  case NEBULA_VALUE_KIND_REFERENCE:
    put_own_text (self, value);
    return;
  case NEBULA_VALUE_KIND_BYTES:
    put_bytes (self, value);
    return;
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
    put_container (self, value, kind == NEBULA_VALUE_KIND_OBJECT);
    return;
  case NEBULA_VALUE_KIND_DATE:
    put_date (self, value);
    return;
  case NEBULA_VALUE_KIND_TIMESTAMP:
    put_signed (self, nebula_value_get_usec (value), 8);
    put_unsigned (self, nebula_value_get_nanoseconds (value), 4);
    put_signed (self, nebula_value_get_offset_seconds (value), 4);
    return;
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_DURATION:
  default:
    put_signed (self, nebula_value_get_usec (value), 8);
  }
}

/**
 * nebula_value_to_bincode:
 * @self: a value
 * @version: which encoding
 *
 * Writes a value as Bincode.
 *
 * Returns: (transfer full): the bytes
 *
 * Since: 1.0
 */
GBytes *
nebula_value_to_bincode (NebulaValue *self, NebulaBincodeVersion version)
{
  Writer writer = {NULL, version == NEBULA_BINCODE_VERSION_2};

  g_return_val_if_fail (self != NULL, NULL);

  writer.bytes = g_byte_array_new ();
  put_value (&writer, self);
  return g_byte_array_free_to_bytes (writer.bytes);
}

typedef struct {
  const guint8 *at;
  const guint8 *end;
  gboolean is_variable;
  gboolean is_short; /* it failed because there is no more */
  guint depth;
  GBytes *owner; /* read in place; NULL: copied */
  GError **error;
} Reader;

static gpointer
fail (Reader *self, const char *why)
{
  if (self->error && !*self->error)
    g_set_error_literal (self->error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, why);
  return NULL;
}

static gboolean
fail_short (Reader *self, const char *why)
{
  self->is_short = TRUE;
  return fail (self, why) != NULL;
}

static gboolean
take (Reader *self, guint n_bytes, guint64 *ret)
{
  if ((gsize) (self->end - self->at) < n_bytes)
    return fail_short (self, _ ("The Bincode ends too early."));
  *ret = 0;
  for (guint i = n_bytes; i > 0; i--)
    *ret = *ret << 8 | self->at[i - 1];
  self->at += n_bytes;
  return TRUE;
}

/* A number that fits in @n_bytes; the short form where there is one. */
static gboolean
take_unsigned (Reader *self, guint n_bytes, guint64 *ret)
{
  guint64 tag;
  guint size;

  if (!self->is_variable)
    return take (self, n_bytes, ret);
  if (!take (self, 1, &tag))
    return FALSE;
  *ret = tag;
  if (tag < 251)
    return TRUE;
  size = tag == 251 ? 2 : tag == 252 ? 4 : 8;
  if (tag > 253 || size > n_bytes) {
    fail (self, _ ("A number of the Bincode is too large."));
    return FALSE;
  }
  return take (self, size, ret);
}

static gboolean
take_signed (Reader *self, guint n_bytes, gint64 *ret)
{
  guint64 bits;

  if (!take_unsigned (self, n_bytes, &bits))
    return FALSE;
  if (self->is_variable)
    *ret = (gint64) (bits >> 1) ^ -(gint64) (bits & 1);
  else
    *ret = n_bytes == 4 ? (gint32) (guint32) bits : (gint64) bits;
  return TRUE;
}

/* A length of things that have at least @least bytes each. */
static gboolean
take_length (Reader *self, gsize least, gsize *ret)
{
  guint64 length;

  if (!take_unsigned (self, 8, &length))
    return FALSE;
  if (length > (guint64) (self->end - self->at) / least)
    return fail_short (self, _ ("A length of the Bincode claims more than there is."));
  *ret = (gsize) length;
  return TRUE;
}

/* UTF-8; U+0000 is a character like others. */
static gboolean
is_utf8 (const char *text, gsize length)
{
  const char *end = text + length, *stop;

  while (!g_utf8_validate_len (text, (gsize) (end - text), &stop)) {
    if (*stop != '\0')
      return FALSE;
    text = stop + 1;
  }
  return TRUE;
}

static gboolean
take_text (Reader *self, const char **ret_text, gsize *ret_length)
{
  if (!take_length (self, 1, ret_length))
    return FALSE;
  *ret_text = (const char *) self->at;
  self->at += *ret_length;
  if (is_utf8 (*ret_text, *ret_length))
    return TRUE;
  fail (self, _ ("A text is not UTF-8."));
  return FALSE;
}

static NebulaValue *take_value (Reader *self);

static NebulaValue *
take_array (Reader *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gsize n;

  if (!take_length (self, self->is_variable ? 1 : 4, &n))
    return NULL;
  for (gsize i = 0; i < n; i++) {
    NebulaValue *item = take_value (self);

    if (!item)
      return NULL;
    nebula_value_builder_add_take (builder, item);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
take_object (Reader *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gsize n;

  if (!take_length (self, self->is_variable ? 2 : 12, &n))
    return NULL;
  for (gsize i = 0; i < n; i++) {
    const char *key;
    gsize length;
    NebulaValue *member;

    if (!take_text (self, &key, &length))
      return NULL;
    if (nebula_value_builder_has (builder, key, length)) {
      g_set_error_literal (self->error, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY,
                           _ ("A key of the Bincode comes twice."));
      return NULL;
    }
    member = take_value (self);
    if (!member)
      return NULL;
    nebula_value_builder_set_length_take (builder, key, length, member);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
take_nested (Reader *self, gboolean is_object)
{
  NebulaValue *value;

  if (self->depth >= NEBULA_LIMIT_DEPTH) {
    g_set_error_literal (self->error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP,
                         _ ("The Bincode is nested too deep."));
    return NULL;
  }
  self->depth++;
  value = is_object ? take_object (self) : take_array (self);
  self->depth--;
  return value;
}

static NebulaValue *
take_date (Reader *self)
{
  gint64 year;
  guint64 month, day;

  if (!take_signed (self, 4, &year) || !take (self, 1, &month) || !take (self, 1, &day))
    return NULL;
  if (year < 0 || year > 9999)
    return fail (self, _ ("A date of the Bincode is not one."));
  return nebula_value_new_date ((int) year, (int) month, (int) day, self->error);
}

static NebulaValue *
take_timestamp (Reader *self)
{
  gint64 usec, offset;
  guint64 nanoseconds;

  if (!take_signed (self, 8, &usec) || !take_unsigned (self, 4, &nanoseconds) ||
      !take_signed (self, 4, &offset))
    return NULL;
  if (nanoseconds > 999 || ABS (offset) > 86399 ||
      usec < -G_GINT64_CONSTANT (62167219200000000) ||
      usec >= G_GINT64_CONSTANT (253402300800000000))
    return fail (self, _ ("A timestamp of the Bincode is not one."));
  return nebula_value_new_timestamp_full (usec, (guint) nanoseconds, (int) offset);
}

static NebulaValue *
take_number (Reader *self, NebulaValueKind kind)
{
  gint64 number;

  if (!take_signed (self, 8, &number))
    return NULL;
  if (kind == NEBULA_VALUE_KIND_TIME)
    return nebula_value_new_time (number, self->error);
  return kind == NEBULA_VALUE_KIND_DURATION ? nebula_value_new_duration (number)
                                            : nebula_value_new_integer (number);
}

static NebulaValue *
take_float (Reader *self)
{
  guint64 bits;
  double number;

  if (!take (self, 8, &bits))
    return NULL;
  number = ((union {
             double number;
             guint64 bits;
           }){.bits = bits})
               .number;
  if (!isfinite (number))
    return fail (self, _ ("A float of the Bincode is not finite."));
  return nebula_value_new_float (number);
}

static NebulaValue *
take_texts (Reader *self, NebulaValueKind kind)
{
  g_autofree char *copy = NULL;
  const char *text;
  gsize length;

  if (!take_text (self, &text, &length))
    return NULL;
  if (kind == NEBULA_VALUE_KIND_STRING)
    return self->owner ? nebula_value_new_string_slice (self->owner, text, length)
                       : nebula_value_new_string_length (text, length);
  if (memchr (text, '\0', length))
    return fail (self, _ ("A decimal or reference is not text."));
  copy = g_strndup (text, length);
  return kind == NEBULA_VALUE_KIND_DECIMAL ? nebula_value_new_decimal (copy, self->error)
                                           : nebula_value_new_reference (copy);
}

static NebulaValue *
take_bytes (Reader *self)
{
  g_autoptr (GBytes) bytes = NULL;
  const guint8 *data;
  gsize length;

  if (!take_length (self, 1, &length))
    return NULL;
  data = self->at;
  self->at += length;
  if (self->owner)
    return nebula_value_new_bytes_slice (self->owner, data, length);
  bytes = g_bytes_new (data, length);
  return nebula_value_new_bytes (bytes);
}

static NebulaValue *
take_boolean (Reader *self)
{
  guint64 byte;

  if (!take (self, 1, &byte))
    return NULL;
  return byte > 1 ? fail (self, _ ("A boolean of the Bincode is neither 0 nor 1."))
                  : nebula_value_new_boolean (byte == 1);
}

static NebulaValue *
take_value (Reader *self)
{
  guint64 variant;

  if (!take_unsigned (self, 4, &variant))
    return NULL;
  switch (variant) {
  case NEBULA_VALUE_KIND_NULL:
    return nebula_value_new_null ();
  case NEBULA_VALUE_KIND_BOOLEAN:
    return take_boolean (self);
  case NEBULA_VALUE_KIND_FLOAT:
    return take_float (self);
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_STRING:
  case NEBULA_VALUE_KIND_REFERENCE:
    return take_texts (self, (NebulaValueKind) variant);
  case NEBULA_VALUE_KIND_BYTES:
    return take_bytes (self);
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
    return take_nested (self, variant == NEBULA_VALUE_KIND_OBJECT);
  case NEBULA_VALUE_KIND_DATE:
    return take_date (self);
  case NEBULA_VALUE_KIND_TIMESTAMP:
    return take_timestamp (self);
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_DURATION:
    return take_number (self, (NebulaValueKind) variant);
  default:
    return fail (self, _ ("The Bincode holds a kind of value that does not exist."));
  }
}

NebulaValue *
_nebula_bincode_read (const guint8 *data,
                      gsize size,
                      gsize *offset,
                      NebulaBincodeVersion version,
                      gboolean *ret_short,
                      GError **error)
{
  g_autoptr (GError) problem = NULL;
  Reader reader = {.is_variable = version == NEBULA_BINCODE_VERSION_2, .error = &problem};
  NebulaValue *value;

  reader.at = data + *offset;
  reader.end = data + size;
  value = take_value (&reader);
  if (value)
    *offset = (gsize) (reader.at - data);
  else
    g_propagate_error (error, g_steal_pointer (&problem));
  *ret_short = reader.is_short;
  return value;
}

static NebulaValue *
read_whole (GBytes *bytes, gboolean in_place, NebulaBincodeVersion version, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (NebulaValue) value = NULL;
  Reader reader = {.is_variable = version == NEBULA_BINCODE_VERSION_2, .error = &problem};
  gsize size;

  reader.owner = in_place ? bytes : NULL;
  reader.at = g_bytes_get_data (bytes, &size);
  reader.end = reader.at + size;
  value = take_value (&reader);
  if (value && reader.at != reader.end) {
    fail (&reader, _ ("Something follows the value of the Bincode."));
    g_clear_pointer (&value, nebula_value_unref);
  }
  if (!value)
    g_propagate_error (error, g_steal_pointer (&problem));
  return g_steal_pointer (&value);
}

/**
 * nebula_value_from_bincode:
 * @bytes: Bincode of one value
 * @version: which encoding
 * @error: where to put an error
 *
 * Reads a value from Bincode.
 *
 * Errors, all terminal: %NEBULA_ERROR_INVALID_DATA; %NEBULA_ERROR_DUPLICATE_KEY; %NEBULA_ERROR_TOO_DEEP above 128.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_bincode (GBytes *bytes, NebulaBincodeVersion version, GError **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return read_whole (bytes, FALSE, version, error);
}

/**
 * nebula_value_from_bincode_in_place:
 * @bytes: Bincode of one value
 * @version: which encoding
 * @error: where to put an error
 *
 * Reads a value whose longer strings and bytes point into @bytes, as nebula_value_from_msgpack_in_place() does.
 *
 * Errors, all terminal: those of nebula_value_from_bincode().
 *
 * Returns: (transfer full): the value, which keeps @bytes
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_bincode_in_place (GBytes *bytes, NebulaBincodeVersion version, GError **error)
{
  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return read_whole (bytes, TRUE, version, error);
}
