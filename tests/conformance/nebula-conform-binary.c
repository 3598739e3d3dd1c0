/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Binary formats, in the suite's own terms: {KIND: V} for values, hexadecimal digits for bytes. */

#include <stdlib.h>
#include <string.h>

#include "nebula-bincode.h"
#include "nebula-conform.h"
#include "nebula-error.h"
#include "nebula-msgpack.h"
#include "nebula-protobuf.h"

/* Digits, with or without dashes between the bytes. */
static GBytes *
read_hex (const char *text, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (const char *at = text; *at != '\0'; at++) {
    guint8 byte;

    if (*at == '-')
      continue;
    if (!g_ascii_isxdigit (at[0]) || !g_ascii_isxdigit (at[1])) {
      g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                           "The request has no bytes.");
      return NULL;
    }
    byte = (guint8) (g_ascii_xdigit_value (at[0]) * 16 + g_ascii_xdigit_value (at[1]));
    g_byte_array_append (bytes, &byte, 1);
    at++;
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static char *
write_hex (GBytes *bytes, const char *between)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%s%02x", i > 0 ? between : "", data[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static NebulaValue *
write_bytes (NebulaValue *value)
{
  g_autoptr (GBytes) bytes = nebula_value_ref_bytes (value);
  g_autofree char *text = write_hex (bytes, "-");

  return nebula_value_new_string (text);
}

static NebulaValue *
new_pair (NebulaValue *first, NebulaValue *second)
{
  g_autoptr (NebulaValueBuilder) pair = nebula_value_builder_new_array ();

  nebula_value_builder_add_take (pair, first);
  nebula_value_builder_add_take (pair, second);
  return nebula_value_builder_end (pair);
}

/* [seconds, nanoseconds], the second never negative. */
static NebulaValue *
write_timestamp (NebulaValue *value)
{
  gint64 usec = nebula_value_get_usec (value);
  gint64 seconds = usec / G_USEC_PER_SEC - (usec % G_USEC_PER_SEC < 0);
  gint64 nanoseconds =
      (usec - seconds * G_USEC_PER_SEC) * 1000 + nebula_value_get_nanoseconds (value);

  return new_pair (nebula_value_new_integer (seconds),
                   nebula_value_new_integer (nanoseconds));
}

/* Numbers that JSON's readers would round are told as text. */
static gboolean
is_big (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_DECIMAL ||
         (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_INTEGER &&
          ABS (nebula_value_get_float (value)) > 9007199254740992.0);
}

static NebulaValue *
write_typed (NebulaValue *value)
{
  g_autoptr (NebulaValueBuilder) typed = nebula_value_builder_new_object ();
  NebulaValue *type = NULL;
  g_autofree char *text = NULL;

  switch ((guint) nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_NULL:
    nebula_value_builder_set (typed, "nil", value);
    break;
  case NEBULA_VALUE_KIND_BOOLEAN:
    nebula_value_builder_set (typed, "bool", value);
    break;
  case NEBULA_VALUE_KIND_BYTES:
    nebula_value_builder_set_take (typed, "binary", write_bytes (value));
    break;
  case NEBULA_VALUE_KIND_STRING:
    nebula_value_builder_set (typed, "string", value);
    break;
  case NEBULA_VALUE_KIND_ARRAY:
    nebula_value_builder_set (typed, "array", value);
    break;
  case NEBULA_VALUE_KIND_TIMESTAMP:
    nebula_value_builder_set_take (typed, "timestamp", write_timestamp (value));
    break;
  case NEBULA_VALUE_KIND_OBJECT:
    type = nebula_value_get_member (value, "$ext");
    if (type)
      nebula_value_builder_set_take (
          typed, "ext",
          new_pair (nebula_value_ref (type),
                    write_bytes (nebula_value_get_member (value, "data"))));
    else
      nebula_value_builder_set (typed, "map", value);
    break;
  default:
    text = nebula_value_to_text (value);
    if (is_big (value))
      nebula_value_builder_set_string (typed, "bignum", text);
    else
      nebula_value_builder_set (typed, "number", value);
  }
  return nebula_value_builder_end (typed);
}

static NebulaValue *
read_ext (NebulaValue *pair, GError **error)
{
  const char *text = nebula_value_get_string (nebula_value_get_item (pair, 1));
  g_autoptr (GBytes) bytes = read_hex (text, error);
  g_autoptr (NebulaValueBuilder) object = nebula_value_builder_new_object ();

  if (!bytes)
    return NULL;
  nebula_value_builder_set (object, "$ext", nebula_value_get_item (pair, 0));
  nebula_value_builder_set_take (object, "data", nebula_value_new_bytes (bytes));
  return nebula_value_builder_end (object);
}

static NebulaValue *
read_bignum (NebulaValue *text, GError **error)
{
  gint64 integer;

  if (g_ascii_string_to_signed (nebula_value_get_string (text), 10, G_MININT64,
                                G_MAXINT64, &integer, NULL))
    return nebula_value_new_integer (integer);
  return nebula_value_new_decimal (nebula_value_get_string (text), error);
}

static NebulaValue *
read_typed (NebulaValue *typed, GError **error)
{
  const char *kind = nebula_value_get_key (typed, 0, NULL);
  NebulaValue *value = nebula_value_get_member_at (typed, 0);
  g_autoptr (GBytes) bytes = NULL;

  if (g_str_equal (kind, "bignum"))
    return read_bignum (value, error);
  if (g_str_equal (kind, "ext"))
    return read_ext (value, error);
  if (g_str_equal (kind, "binary")) {
    bytes = read_hex (nebula_value_get_string (value), error);
    return bytes ? nebula_value_new_bytes (bytes) : NULL;
  }
  if (g_str_equal (kind, "timestamp")) {
    gint64 seconds = nebula_value_get_integer (nebula_value_get_item (value, 0));
    gint64 nanoseconds = nebula_value_get_integer (nebula_value_get_item (value, 1));

    return nebula_value_new_timestamp_full (seconds * G_USEC_PER_SEC + nanoseconds / 1000,
                                            (guint) (nanoseconds % 1000), 0);
  }
  return nebula_value_ref (value);
}

NebulaValue *
conform_msgpack_decode (NebulaValue *request, GError **error)
{
  const char *text = conform_get_text (request, "hex", error);
  g_autoptr (GBytes) bytes = text ? read_hex (text, error) : NULL;
  g_autoptr (NebulaValue) value = bytes ? nebula_value_from_msgpack (bytes, error) : NULL;

  return value ? write_typed (value) : NULL;
}

NebulaValue *
conform_msgpack_encode (NebulaValue *request, GError **error)
{
  NebulaValue *typed = nebula_value_get_member (request, "typed");
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;

  if (!typed || nebula_value_get_kind (typed) != NEBULA_VALUE_KIND_OBJECT ||
      nebula_value_get_length (typed) != 1) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         "The request has no typed value.");
    return NULL;
  }
  value = read_typed (typed, error);
  if (!value)
    return NULL;
  bytes = nebula_value_to_msgpack (value);
  text = write_hex (bytes, "");
  return nebula_value_new_string (text);
}

NebulaValue *
conform_bincode_roundtrip (NebulaValue *request, GError **error)
{
  NebulaValue *value = nebula_value_get_member (request, "value");
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  g_autoptr (GBytes) bytes =
      nebula_value_to_bincode (value ? value : null, NEBULA_BINCODE_VERSION_2);

  return nebula_value_from_bincode (bytes, NEBULA_BINCODE_VERSION_2, error);
}

NebulaValue *
conform_protobuf_roundtrip (NebulaValue *request, GError **error)
{
  NebulaValue *value = nebula_value_get_member (request, "value");
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  g_autoptr (GBytes) bytes = nebula_value_to_protobuf (value ? value : null, error);

  return bytes ? nebula_value_from_protobuf (bytes, error) : NULL;
}
