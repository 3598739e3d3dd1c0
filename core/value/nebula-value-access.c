/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a value is, and its scalars. */
#include "nebula-value-private.h"

static inline gboolean
is_text (NebulaValue *self)
{
  return self->kind == NEBULA_VALUE_KIND_STRING || self->kind == NEBULA_VALUE_KIND_DECIMAL
         || self->kind == NEBULA_VALUE_KIND_REFERENCE;
}

/**
 * nebula_value_get_kind:
 * @self: a value
 *
 * Tells what a value is.
 *
 * Returns: the kind
 *
 * Since: 1.0
 */
NebulaValueKind
nebula_value_get_kind (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_VALUE_KIND_NULL);

  return (NebulaValueKind) self->kind;
}

/**
 * nebula_value_kind_to_string:
 * @kind: a kind
 *
 * Names a kind as the expression function `type_of` does.
 *
 * Returns: the name; static
 *
 * Since: 1.0
 */
const char *
nebula_value_kind_to_string (NebulaValueKind kind)
{
  static const char *const names[] = { "null",  "boolean", "integer", "float", "decimal",   "string",   "bytes",
                                       "array", "object",  "date",    "time",  "timestamp", "duration", "reference" };

  g_return_val_if_fail ((gsize) kind < G_N_ELEMENTS (names), "null");

  return names[kind];
}

/**
 * nebula_value_is_null:
 * @self: a value
 *
 * Tells whether a value is null.
 *
 * Returns: whether it is
 *
 * Since: 1.0
 */
gboolean
nebula_value_is_null (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, TRUE);

  return self->kind == NEBULA_VALUE_KIND_NULL;
}

/**
 * nebula_value_is_number:
 * @self: a value
 *
 * Tells whether a value is an integer, float or decimal.
 *
 * Returns: whether it is
 *
 * Since: 1.0
 */
gboolean
nebula_value_is_number (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->kind == NEBULA_VALUE_KIND_INTEGER || self->kind == NEBULA_VALUE_KIND_FLOAT
         || self->kind == NEBULA_VALUE_KIND_DECIMAL;
}

/**
 * nebula_value_get_size_bytes:
 * @self: a value
 *
 * Tells how much a value holds, in constant time: 8 bytes for each value in it and for each item, and the bytes of
 * texts and keys. Equal values have equal sizes, however they came to be.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
gsize
nebula_value_get_size_bytes (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->size;
}

/**
 * nebula_value_get_depth:
 * @self: a value
 *
 * Tells how deep a value is nested, in constant time: a scalar 0, an empty container 1. Stops at 65,535.
 *
 * Who nests values in a loop checks this against %NEBULA_LIMIT_DEPTH.
 *
 * Returns: levels
 *
 * Since: 1.0
 */
guint
nebula_value_get_depth (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->depth;
}

/**
 * nebula_value_get_boolean:
 * @self: a boolean
 *
 * Reads a boolean.
 *
 * Returns: what it is
 *
 * Since: 1.0
 */
gboolean
nebula_value_get_boolean (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_BOOLEAN, FALSE);

  return ((NebulaScalar *) self)->as.integer != 0;
}

/**
 * nebula_value_get_integer:
 * @self: an integer
 *
 * Reads an integer.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
gint64
nebula_value_get_integer (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_INTEGER, 0);

  return ((NebulaScalar *) self)->as.integer;
}

/**
 * nebula_value_get_float:
 * @self: an integer, float or decimal
 *
 * Reads a number as the nearest double.
 *
 * Returns: the number, always finite
 *
 * Since: 1.0
 */
double
nebula_value_get_float (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && nebula_value_is_number (self), 0.0);

  if (self->kind == NEBULA_VALUE_KIND_INTEGER)
    return (double) ((NebulaScalar *) self)->as.integer;
  if (self->kind == NEBULA_VALUE_KIND_FLOAT)
    return ((NebulaScalar *) self)->as.number;
  return g_ascii_strtod (((NebulaText *) self)->data, NULL);
}

/**
 * nebula_value_get_string:
 * @self: a string, decimal or reference
 *
 * Reads a text. It ends with 0, but a string may hold U+0000 before its end: see nebula_value_get_string_length().
 *
 * Returns: the text, which lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_value_get_string (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && is_text (self), NULL);

  if (G_UNLIKELY (self->flags & NEBULA_VALUE_SLICE))
    return _nebula_slice_terminate ((NebulaSlice *) self);
  return ((NebulaText *) self)->data;
}

/**
 * nebula_value_get_string_length:
 * @self: a string, decimal or reference
 *
 * Counts the bytes of a text.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
gsize
nebula_value_get_string_length (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && is_text (self), 0);

  return ((NebulaText *) self)->length;
}

/**
 * nebula_value_ref_bytes:
 * @self: bytes
 *
 * Reads bytes.
 *
 * Returns: (transfer full): the bytes, shared
 *
 * Since: 1.0
 */
GBytes *
nebula_value_ref_bytes (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_BYTES, NULL);

  return g_bytes_ref (((NebulaBytes *) self)->bytes);
}

/**
 * nebula_value_get_usec:
 * @self: a time, timestamp or duration
 *
 * Reads microseconds: since midnight, since 1970 in UTC, or of a span.
 *
 * Returns: microseconds
 *
 * Since: 1.0
 */
gint64
nebula_value_get_usec (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL, 0);
  g_return_val_if_fail (self->kind == NEBULA_VALUE_KIND_TIME || self->kind == NEBULA_VALUE_KIND_TIMESTAMP
                          || self->kind == NEBULA_VALUE_KIND_DURATION,
                        0);

  return ((NebulaScalar *) self)->as.integer;
}

/**
 * nebula_value_get_nanoseconds:
 * @self: a timestamp
 *
 * Reads what a timestamp has beyond its microseconds.
 *
 * Returns: nanoseconds, 0 to 999
 *
 * Since: 1.0
 */
guint
nebula_value_get_nanoseconds (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_TIMESTAMP, 0);

  return ((NebulaScalar *) self)->nanoseconds;
}

/**
 * nebula_value_get_offset_seconds:
 * @self: a timestamp
 *
 * Reads the offset from UTC that a timestamp is written in.
 *
 * Returns: seconds, positive to the east
 *
 * Since: 1.0
 */
int
nebula_value_get_offset_seconds (NebulaValue *self)
{
  g_return_val_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_TIMESTAMP, 0);

  return ((NebulaScalar *) self)->offset_seconds;
}

/**
 * nebula_value_get_date:
 * @self: a date
 * @ret_year: (out) (optional): the year
 * @ret_month: (out) (optional): the month, from 1
 * @ret_day: (out) (optional): the day, from 1
 *
 * Reads a calendar day.
 *
 * Since: 1.0
 */
void
nebula_value_get_date (NebulaValue *self, int *ret_year, int *ret_month, int *ret_day)
{
  gint64 packed = 0;

  g_return_if_fail (self != NULL && self->kind == NEBULA_VALUE_KIND_DATE);

  packed = ((NebulaScalar *) self)->as.integer;
  if (ret_year)
    *ret_year = (int) (packed / 10000);
  if (ret_month)
    *ret_month = (int) (packed / 100 % 100);
  if (ret_day)
    *ret_day = (int) (packed % 100);
}
