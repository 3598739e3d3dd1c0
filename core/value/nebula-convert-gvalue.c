/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values and properties of GObjects. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "nebula-convert.h"
#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-value-private.h"

static gboolean
fail_type (NebulaValue *value, const char *wanted, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TYPE, _ ("Expected %s, got %s."), wanted,
               nebula_value_kind_to_string (nebula_value_get_kind (value)));
  return FALSE;
}

/* A whole number of whatever kind. */
static gboolean
get_whole (NebulaValue *value, gint64 *ret_integer)
{
  g_auto (NebulaDecimal) decimal = { 0 };

  decimal.digits = decimal.small;
  if (!nebula_value_is_number (value))
    return FALSE;
  if (value->kind == NEBULA_VALUE_KIND_INTEGER) {
    *ret_integer = nebula_value_get_integer (value);
    return TRUE;
  }
  _nebula_decimal_init (&decimal, value);
  if (decimal.n_digits > 0)
    return _nebula_decimal_get_integer (&decimal, ret_integer);
  *ret_integer = 0;
  return TRUE;
}

static gboolean
set_integer (NebulaValue *value, GValue *gvalue, GError **error)
{
  gint64 integer = 0, least = G_MININT64, greatest = G_MAXINT64;
  GType type = G_VALUE_TYPE (gvalue);

  if (!get_whole (value, &integer))
    return fail_type (value, _ ("a whole number"), error);
  if (type == G_TYPE_INT) {
    least = G_MININT;
    greatest = G_MAXINT;
  } else if (type == G_TYPE_UINT || type == G_TYPE_UINT64) {
    least = 0;
    greatest = type == G_TYPE_UINT ? (gint64) G_MAXUINT : G_MAXINT64;
  }
  if (integer < least || integer > greatest) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_OVERFLOW, _ ("The number %lld is out of range."),
                 (long long) integer);
    return FALSE;
  }
  if (type == G_TYPE_INT)
    g_value_set_int (gvalue, (gint) integer);
  else if (type == G_TYPE_UINT)
    g_value_set_uint (gvalue, (guint) integer);
  else if (type == G_TYPE_UINT64)
    g_value_set_uint64 (gvalue, (guint64) integer);
  else
    g_value_set_int64 (gvalue, integer);
  return TRUE;
}

static gboolean
set_float (NebulaValue *value, GValue *gvalue, GError **error)
{
  if (!nebula_value_is_number (value))
    return fail_type (value, _ ("a number"), error);
  if (G_VALUE_HOLDS_FLOAT (gvalue))
    g_value_set_float (gvalue, (gfloat) nebula_value_get_float (value));
  else
    g_value_set_double (gvalue, nebula_value_get_float (value));
  return TRUE;
}

static gboolean
check_text (NebulaValue *value, GError **error)
{
  if (value->kind != NEBULA_VALUE_KIND_STRING)
    return fail_type (value, _ ("a text"), error);
  if (strlen (nebula_value_get_string (value)) == nebula_value_get_string_length (value))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                       _ ("A text with the character U+0000 cannot be handed over; remove that character."));
  return FALSE;
}

static gboolean
set_string (NebulaValue *value, GValue *gvalue, GError **error)
{
  if (value->kind == NEBULA_VALUE_KIND_NULL) {
    g_value_set_string (gvalue, NULL);
    return TRUE;
  }
  if (!check_text (value, error))
    return FALSE;
  g_value_set_string (gvalue, nebula_value_get_string (value));
  return TRUE;
}

static gboolean
set_strv (NebulaValue *value, GValue *gvalue, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (value->kind == NEBULA_VALUE_KIND_NULL) {
    g_value_set_boxed (gvalue, NULL);
    return TRUE;
  }
  if (value->kind != NEBULA_VALUE_KIND_ARRAY)
    return fail_type (value, _ ("an array of texts"), error);
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);

    if (!check_text (item, error))
      return FALSE;
    g_strv_builder_add (builder, nebula_value_get_string (item));
  }
  g_value_take_boxed (gvalue, g_strv_builder_end (builder));
  return TRUE;
}

static gboolean
fail_nick (const char *text, const char *allowed, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER, _ ("“%s” is not allowed here; use one of %s."), text,
               allowed);
  return FALSE;
}

static gboolean
set_enum (NebulaValue *value, GValue *gvalue, GError **error)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (G_VALUE_TYPE (gvalue));
  g_autoptr (GString) allowed = g_string_new (NULL);
  GEnumValue *found = NULL;

  if (!check_text (value, error))
    return FALSE;
  found = g_enum_get_value_by_nick (klass, nebula_value_get_string (value));
  if (found) {
    g_value_set_enum (gvalue, found->value);
    return TRUE;
  }
  for (guint i = 0; i < klass->n_values; i++)
    g_string_append_printf (allowed, "%s%s", i > 0 ? ", " : "", klass->values[i].value_nick);
  return fail_nick (nebula_value_get_string (value), allowed->str, error);
}

static gboolean
set_flags (NebulaValue *value, GValue *gvalue, GError **error)
{
  g_autoptr (GFlagsClass) klass = g_type_class_ref (G_VALUE_TYPE (gvalue));
  g_autoptr (GString) allowed = g_string_new (NULL);
  guint flags = 0;

  for (guint i = 0; i < klass->n_values; i++)
    g_string_append_printf (allowed, "%s%s", i > 0 ? ", " : "", klass->values[i].value_nick);
  if (value->kind != NEBULA_VALUE_KIND_ARRAY)
    return fail_type (value, _ ("an array of texts"), error);
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);
    GFlagsValue *found = NULL;

    if (!check_text (item, error))
      return FALSE;
    found = g_flags_get_value_by_nick (klass, nebula_value_get_string (item));
    if (!found)
      return fail_nick (nebula_value_get_string (item), allowed->str, error);
    flags |= found->value;
  }
  g_value_set_flags (gvalue, flags);
  return TRUE;
}

static GDateTime *
new_date_time (gint64 usec, int offset_seconds)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_offset (offset_seconds);
  g_autoptr (GDateTime) epoch = g_date_time_new_from_unix_utc (0);
  g_autoptr (GDateTime) utc = g_date_time_add (epoch, usec);

  return utc ? g_date_time_to_timezone (utc, zone) : NULL;
}

static gboolean
set_date_time (NebulaValue *value, GValue *gvalue, GError **error)
{
  gint64 usec = 0;
  int offset_seconds = 0;
  GDateTime *date_time = NULL;

  if (value->kind == NEBULA_VALUE_KIND_STRING) {
    if (!check_text (value, error)
        || !nebula_timestamp_parse (nebula_value_get_string (value), &usec, &offset_seconds, error))
      return FALSE;
  } else if (value->kind == NEBULA_VALUE_KIND_TIMESTAMP) {
    usec = nebula_value_get_usec (value);
    offset_seconds = nebula_value_get_offset_seconds (value);
  } else {
    return fail_type (value, _ ("a timestamp"), error);
  }
  date_time = new_date_time (usec, offset_seconds);
  if (!date_time) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_OVERFLOW, _ ("The timestamp lies outside the years 1 to 9999."));
    return FALSE;
  }
  g_value_take_boxed (gvalue, date_time);
  return TRUE;
}

/* Bytes, or the base64 text that they are in JSON. */
static gboolean
set_bytes (NebulaValue *value, GValue *gvalue, GError **error)
{
  gsize size = 0;
  guchar *data = NULL;
  g_autofree char *again = NULL;

  if (value->kind == NEBULA_VALUE_KIND_BYTES) {
    g_value_take_boxed (gvalue, nebula_value_ref_bytes (value));
    return TRUE;
  }
  if (!check_text (value, error))
    return FALSE;
  data = g_base64_decode (nebula_value_get_string (value), &size);
  again = g_base64_encode (data, size);
  if (strcmp (again, nebula_value_get_string (value)) != 0) {
    g_free (data);
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, _ ("The text is not base64."));
    return FALSE;
  }
  g_value_take_boxed (gvalue, g_bytes_new_take (data, size));
  return TRUE;
}

static gboolean
set_boolean (NebulaValue *value, GValue *gvalue, GError **error)
{
  if (value->kind != NEBULA_VALUE_KIND_BOOLEAN)
    return fail_type (value, _ ("true or false"), error);
  g_value_set_boolean (gvalue, nebula_value_get_boolean (value));
  return TRUE;
}

static gboolean
set_variant (NebulaValue *value, GValue *gvalue, GError **error)
{
  GVariant *variant = nebula_value_to_variant (value, error);

  if (variant)
    g_value_take_variant (gvalue, variant);
  return variant != NULL;
}

/**
 * nebula_value_to_gvalue:
 * @self: a value
 * @gvalue: an initialised GValue; it takes the value in its own type, and is untouched on failure
 * @error: where to put an error
 *
 * Converts a value to the type of a property. Nothing is guessed: a text is no number. Enums and flags go by nick,
 * a timestamp may be RFC 3339 text and bytes may be base64 text, because that is what they are in JSON.
 *
 * Errors, all terminal: %NEBULA_ERROR_TYPE, %NEBULA_ERROR_OVERFLOW, %NEBULA_ERROR_INVALID_PARAMETER for an unknown
 * nick, %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_SYNTAX for a broken timestamp, %NEBULA_ERROR_UNSUPPORTED for other
 * types.
 *
 * Returns: whether it fits
 *
 * Since: 1.0
 */
gboolean
nebula_value_to_gvalue (NebulaValue *self, GValue *gvalue, GError **error)
{
  GType type = G_TYPE_INVALID;

  g_return_val_if_fail (self != NULL && G_IS_VALUE (gvalue), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  type = G_VALUE_TYPE (gvalue);
  if (type == NEBULA_TYPE_VALUE) {
    g_value_set_boxed (gvalue, self);
    return TRUE;
  }
  if (type == G_TYPE_BOOLEAN)
    return set_boolean (self, gvalue, error);
  if (type == G_TYPE_INT64 || type == G_TYPE_INT || type == G_TYPE_UINT || type == G_TYPE_UINT64)
    return set_integer (self, gvalue, error);
  if (type == G_TYPE_DOUBLE || type == G_TYPE_FLOAT)
    return set_float (self, gvalue, error);
  if (type == G_TYPE_STRING)
    return set_string (self, gvalue, error);
  if (type == G_TYPE_STRV)
    return set_strv (self, gvalue, error);
  if (G_TYPE_IS_ENUM (type))
    return set_enum (self, gvalue, error);
  if (G_TYPE_IS_FLAGS (type))
    return set_flags (self, gvalue, error);
  if (type == G_TYPE_DATE_TIME)
    return set_date_time (self, gvalue, error);
  if (type == G_TYPE_BYTES)
    return set_bytes (self, gvalue, error);
  if (type == G_TYPE_VARIANT)
    return set_variant (self, gvalue, error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, _ ("Values cannot be handed over as %s."),
               g_type_name (type));
  return FALSE;
}

static NebulaValue *
from_flags (const GValue *gvalue)
{
  g_autoptr (GFlagsClass) klass = g_type_class_ref (G_VALUE_TYPE (gvalue));
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  guint flags = g_value_get_flags (gvalue);

  for (guint i = 0; i < klass->n_values; i++)
    if (klass->values[i].value != 0 && (flags & klass->values[i].value) == klass->values[i].value)
      nebula_value_builder_add_take (builder, nebula_value_new_string (klass->values[i].value_nick));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
from_enum (const GValue *gvalue)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (G_VALUE_TYPE (gvalue));
  GEnumValue *found = g_enum_get_value (klass, g_value_get_enum (gvalue));

  return found ? nebula_value_new_string (found->value_nick) : nebula_value_new_integer (g_value_get_enum (gvalue));
}

static NebulaValue *
from_date_time (GDateTime *date_time)
{
  return nebula_value_new_timestamp (g_date_time_to_unix (date_time) * G_USEC_PER_SEC
                                       + g_date_time_get_microsecond (date_time),
                                     (int) (g_date_time_get_utc_offset (date_time) / G_USEC_PER_SEC));
}

static NebulaValue *
from_number (const GValue *gvalue, GError **error)
{
  g_auto (GValue) wide = G_VALUE_INIT;
  GType type = G_VALUE_TYPE (gvalue);

  if (type == G_TYPE_UINT64 && g_value_get_uint64 (gvalue) > G_MAXINT64) {
    g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, g_value_get_uint64 (gvalue));

    return nebula_value_new_decimal (text, error);
  }
  if (type != G_TYPE_DOUBLE && type != G_TYPE_FLOAT) {
    g_value_init (&wide, G_TYPE_INT64);
    g_value_transform (gvalue, &wide);
    return nebula_value_new_integer (g_value_get_int64 (&wide));
  }
  g_value_init (&wide, G_TYPE_DOUBLE);
  g_value_transform (gvalue, &wide);
  if (isfinite (g_value_get_double (&wide)))
    return nebula_value_new_float (g_value_get_double (&wide));
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_OVERFLOW, _ ("Infinity and “not a number” are no values."));
  return NULL;
}

static NebulaValue *
from_boxed (const GValue *gvalue, GError **error)
{
  GType type = G_VALUE_TYPE (gvalue);
  gpointer boxed = g_value_get_boxed (gvalue);

  if (!boxed)
    return nebula_value_new_null ();
  if (type == NEBULA_TYPE_VALUE)
    return nebula_value_ref (boxed);
  if (type == G_TYPE_STRV)
    return nebula_value_new_strv (boxed);
  if (type == G_TYPE_DATE_TIME)
    return from_date_time (boxed);
  if (type == G_TYPE_BYTES)
    return nebula_value_new_bytes (boxed);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, _ ("No value can be made of a %s."), g_type_name (type));
  return NULL;
}

static gboolean
is_numeric_type (GType type)
{
  return type == G_TYPE_CHAR || type == G_TYPE_UCHAR || type == G_TYPE_INT || type == G_TYPE_UINT || type == G_TYPE_LONG
         || type == G_TYPE_ULONG || type == G_TYPE_INT64 || type == G_TYPE_UINT64 || type == G_TYPE_FLOAT
         || type == G_TYPE_DOUBLE;
}

/**
 * nebula_value_from_gvalue:
 * @gvalue: a GValue
 * @error: where to put an error
 *
 * Converts what a property holds. %NULL of any type becomes null.
 *
 * Errors, all terminal: %NEBULA_ERROR_OVERFLOW for what is not finite, %NEBULA_ERROR_UNSUPPORTED for other types.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_gvalue (const GValue *gvalue, GError **error)
{
  GType type = G_TYPE_INVALID;

  g_return_val_if_fail (G_IS_VALUE (gvalue), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  type = G_VALUE_TYPE (gvalue);
  if (type == G_TYPE_BOOLEAN)
    return nebula_value_new_boolean (g_value_get_boolean (gvalue));
  if (type == G_TYPE_STRING)
    return g_value_get_string (gvalue) ? nebula_value_new_string (g_value_get_string (gvalue)) : nebula_value_new_null ();
  if (is_numeric_type (type))
    return from_number (gvalue, error);
  if (G_TYPE_IS_ENUM (type))
    return from_enum (gvalue);
  if (G_TYPE_IS_FLAGS (type))
    return from_flags (gvalue);
  if (type == G_TYPE_VARIANT)
    return g_value_get_variant (gvalue) ? nebula_value_from_variant (g_value_get_variant (gvalue), error)
                                        : nebula_value_new_null ();
  if (G_VALUE_HOLDS_BOXED (gvalue))
    return from_boxed (gvalue, error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, _ ("No value can be made of a %s."), g_type_name (type));
  return NULL;
}
