/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   null      mv, empty        array    av
 *   boolean   b                object   a{sv}, in order
 *   integer   x                bytes    ay
 *   float     d                others   (sv): the name of the kind, and as content
 *   string    s                           decimal s · date (iii) · time x · timestamp (xiu) · duration x · reference s
 *
 * From outside any variant is taken: narrower integers, paths and signatures, tuples as arrays, dictionaries with keys
 * of other types by the text of the key.
 */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "nebula-convert.h"
#include "nebula-error.h"
#include "nebula-value-private.h"

static GVariant *to_variant (NebulaValue *value, GError **error);

static GVariant *
string_to_variant (const char *text, gsize length, GError **error)
{
  if (strlen (text) == length && g_utf8_validate (text, (gssize) length, NULL))
    return g_variant_new_string (text);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                       _ ("A text with the character U+0000 cannot be handed over; remove that character."));
  return NULL;
}

static GVariant *
array_to_variant (NebulaValue *value, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    GVariant *item = to_variant (nebula_value_get_item (value, i), error);

    if (!item)
      return NULL;
    g_variant_builder_add (&builder, "v", item);
  }
  return g_variant_builder_end (&builder);
}

static GVariant *
object_to_variant (NebulaValue *value, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sv}"));
  gsize length = 0;

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    const char *key = nebula_value_get_key (value, i, &length);
    g_autoptr (GVariant) checked = string_to_variant (key, length, error);
    GVariant *member = checked ? to_variant (nebula_value_get_member_at (value, i), error) : NULL;

    if (!member)
      return NULL;
    g_variant_ref_sink (checked);
    g_variant_builder_add (&builder, "{sv}", key, member);
  }
  return g_variant_builder_end (&builder);
}

static GVariant *
date_to_variant (NebulaValue *value)
{
  int year = 0, month = 0, day = 0;

  nebula_value_get_date (value, &year, &month, &day);
  return g_variant_new ("(iii)", year, month, day);
}

/* The content of a kind that GVariant lacks. */
static GVariant *
content_to_variant (NebulaValue *value, GError **error)
{
  if (value->kind == NEBULA_VALUE_KIND_DECIMAL || value->kind == NEBULA_VALUE_KIND_REFERENCE)
    return string_to_variant (nebula_value_get_string (value), nebula_value_get_string_length (value), error);
  if (value->kind == NEBULA_VALUE_KIND_DATE)
    return date_to_variant (value);
  if (value->kind == NEBULA_VALUE_KIND_TIMESTAMP)
    return g_variant_new ("(xiu)", nebula_value_get_usec (value), nebula_value_get_offset_seconds (value),
                          nebula_value_get_nanoseconds (value));
  return g_variant_new_int64 (nebula_value_get_usec (value));
}

static GVariant *
to_variant (NebulaValue *value, GError **error)
{
  GVariant *content = NULL;

  switch (nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_NULL:
    return g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  case NEBULA_VALUE_KIND_BOOLEAN:
    return g_variant_new_boolean (nebula_value_get_boolean (value));
  case NEBULA_VALUE_KIND_INTEGER:
    return g_variant_new_int64 (nebula_value_get_integer (value));
  case NEBULA_VALUE_KIND_FLOAT:
    return g_variant_new_double (nebula_value_get_float (value));
  case NEBULA_VALUE_KIND_STRING:
    return string_to_variant (nebula_value_get_string (value), nebula_value_get_string_length (value), error);
  case NEBULA_VALUE_KIND_BYTES:
    return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, ((NebulaBytes *) value)->bytes, TRUE);
  case NEBULA_VALUE_KIND_ARRAY:
    return array_to_variant (value, error);
  case NEBULA_VALUE_KIND_OBJECT:
    return object_to_variant (value, error);
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
  case NEBULA_VALUE_KIND_REFERENCE:
  default:
    content = content_to_variant (value, error);
    return content ? g_variant_new ("(sv)", nebula_value_kind_to_string ((NebulaValueKind) value->kind), content)
                   : NULL;
  }
}

static gboolean
check_depth (guint depth, guint limit, GError **error)
{
  if (depth <= limit)
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP, _ ("The value is nested deeper than 128 levels."));
  return FALSE;
}

/**
 * nebula_value_to_variant:
 * @self: a value
 * @error: where to put an error
 *
 * Converts a value to a variant of which nebula_value_from_variant() makes the same value.
 *
 * Errors, all terminal: %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_INVALID_DATA for a text with U+0000.
 *
 * Returns: (transfer full): the variant, not floating
 *
 * Since: 1.0
 */
GVariant *
nebula_value_to_variant (NebulaValue *self, GError **error)
{
  GVariant *variant = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_depth (nebula_value_get_depth (self), NEBULA_LIMIT_DEPTH, error))
    return NULL;
  variant = to_variant (self, error);
  return variant ? g_variant_ref_sink (variant) : NULL;
}

static NebulaValue *from_variant (GVariant *variant, guint depth, GError **error);

static NebulaValue *
number_from_variant (GVariant *variant, GError **error)
{
  g_autofree char *text = NULL;
  double number = 0.0;

  switch (g_variant_classify (variant)) {
  case G_VARIANT_CLASS_BYTE:
    return nebula_value_new_integer (g_variant_get_byte (variant));
  case G_VARIANT_CLASS_INT16:
    return nebula_value_new_integer (g_variant_get_int16 (variant));
  case G_VARIANT_CLASS_UINT16:
    return nebula_value_new_integer (g_variant_get_uint16 (variant));
  case G_VARIANT_CLASS_INT32:
    return nebula_value_new_integer (g_variant_get_int32 (variant));
  case G_VARIANT_CLASS_UINT32:
    return nebula_value_new_integer (g_variant_get_uint32 (variant));
  case G_VARIANT_CLASS_INT64:
    return nebula_value_new_integer (g_variant_get_int64 (variant));
  case G_VARIANT_CLASS_HANDLE:
    return nebula_value_new_integer (g_variant_get_handle (variant));
  case G_VARIANT_CLASS_UINT64:
    if (g_variant_get_uint64 (variant) <= G_MAXINT64)
      return nebula_value_new_integer ((gint64) g_variant_get_uint64 (variant));
    text = g_strdup_printf ("%" G_GUINT64_FORMAT, g_variant_get_uint64 (variant));
    return nebula_value_new_decimal (text, error);
  case G_VARIANT_CLASS_DOUBLE:
    number = g_variant_get_double (variant);
    if (isfinite (number))
      return nebula_value_new_float (number);
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_OVERFLOW, _ ("Infinity and “not a number” are no values."));
    return NULL;
  case G_VARIANT_CLASS_BOOLEAN:
  case G_VARIANT_CLASS_STRING:
  case G_VARIANT_CLASS_OBJECT_PATH:
  case G_VARIANT_CLASS_SIGNATURE:
  case G_VARIANT_CLASS_VARIANT:
  case G_VARIANT_CLASS_MAYBE:
  case G_VARIANT_CLASS_ARRAY:
  case G_VARIANT_CLASS_TUPLE:
  case G_VARIANT_CLASS_DICT_ENTRY:
  default:
    g_assert_not_reached ();
  }
}

static NebulaValue *
children_from_variant (GVariant *variant, guint depth, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < g_variant_n_children (variant); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
    NebulaValue *item = from_variant (child, depth + 1, error);

    if (!item)
      return NULL;
    nebula_value_builder_add_take (builder, item);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
entries_from_variant (GVariant *variant, guint depth, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (gsize i = 0; i < g_variant_n_children (variant); i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (variant, i);
    g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
    g_autoptr (GVariant) content = g_variant_get_child_value (entry, 1);
    g_autofree char *text = NULL;
    NebulaValue *member = from_variant (content, depth + 1, error);

    if (!member)
      return NULL;
    if (g_variant_is_of_type (key, G_VARIANT_TYPE_STRING))
      text = g_variant_dup_string (key, NULL);
    else
      text = g_variant_print (key, FALSE);
    nebula_value_builder_set_take (builder, text, member);
  }
  return nebula_value_builder_end (builder);
}

/* A pair that names one of our kinds and has the content for it; otherwise NULL without error. */
static NebulaValue *
named_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GVariant) content = NULL;
  const char *name = NULL;
  int year = 0, month = 0, day = 0, offset_seconds = 0;
  gint64 usec = 0;
  guint32 nanoseconds = 0;

  if (!g_variant_is_of_type (variant, G_VARIANT_TYPE ("(sv)")))
    return NULL;
  g_variant_get (variant, "(&sv)", &name, &content);
  if (g_variant_is_of_type (content, G_VARIANT_TYPE_STRING)) {
    if (strcmp (name, "decimal") == 0)
      return nebula_value_new_decimal (g_variant_get_string (content, NULL), error);
    return strcmp (name, "reference") == 0 ? nebula_value_new_reference (g_variant_get_string (content, NULL)) : NULL;
  }
  if (strcmp (name, "date") == 0 && g_variant_is_of_type (content, G_VARIANT_TYPE ("(iii)"))) {
    g_variant_get (content, "(iii)", &year, &month, &day);
    return nebula_value_new_date (year, month, day, error);
  }
  if (strcmp (name, "timestamp") == 0 && g_variant_is_of_type (content, G_VARIANT_TYPE ("(xiu)"))) {
    g_variant_get (content, "(xiu)", &usec, &offset_seconds, &nanoseconds);
    return nanoseconds < 1000 ? nebula_value_new_timestamp_full (usec, nanoseconds, offset_seconds) : NULL;
  }
  if (!g_variant_is_of_type (content, G_VARIANT_TYPE_INT64))
    return NULL;
  if (strcmp (name, "time") == 0)
    return nebula_value_new_time (g_variant_get_int64 (content), error);
  return strcmp (name, "duration") == 0 ? nebula_value_new_duration (g_variant_get_int64 (content)) : NULL;
}

static NebulaValue *
array_from_variant (GVariant *variant, guint depth, GError **error)
{
  if (g_variant_is_of_type (variant, G_VARIANT_TYPE_BYTESTRING)) {
    g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (variant);

    return nebula_value_new_bytes (bytes);
  }
  if (g_variant_is_of_type (variant, G_VARIANT_TYPE_DICTIONARY))
    return entries_from_variant (variant, depth, error);
  return children_from_variant (variant, depth, error);
}

static NebulaValue *
tuple_from_variant (GVariant *variant, guint depth, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  NebulaValue *value = named_from_variant (variant, &local_error);

  if (value)
    return value;
  if (local_error) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  return children_from_variant (variant, depth, error);
}

static NebulaValue *
from_variant (GVariant *variant, guint depth, GError **error)
{
  g_autoptr (GVariant) inner = NULL;

  /* Each level of a value costs up to three of a variant. */
  if (!check_depth (depth, 3 * NEBULA_LIMIT_DEPTH, error))
    return NULL;
  switch (g_variant_classify (variant)) {
  case G_VARIANT_CLASS_BOOLEAN:
    return nebula_value_new_boolean (g_variant_get_boolean (variant));
  case G_VARIANT_CLASS_STRING:
  case G_VARIANT_CLASS_OBJECT_PATH:
  case G_VARIANT_CLASS_SIGNATURE:
    return nebula_value_new_string (g_variant_get_string (variant, NULL));
  case G_VARIANT_CLASS_VARIANT:
    inner = g_variant_get_variant (variant);
    return from_variant (inner, depth + 1, error);
  case G_VARIANT_CLASS_MAYBE:
    inner = g_variant_get_maybe (variant);
    return inner ? from_variant (inner, depth + 1, error) : nebula_value_new_null ();
  case G_VARIANT_CLASS_ARRAY:
    return array_from_variant (variant, depth, error);
  case G_VARIANT_CLASS_TUPLE:
  case G_VARIANT_CLASS_DICT_ENTRY:
    return tuple_from_variant (variant, depth, error);
  case G_VARIANT_CLASS_BYTE:
  case G_VARIANT_CLASS_INT16:
  case G_VARIANT_CLASS_UINT16:
  case G_VARIANT_CLASS_INT32:
  case G_VARIANT_CLASS_UINT32:
  case G_VARIANT_CLASS_INT64:
  case G_VARIANT_CLASS_UINT64:
  case G_VARIANT_CLASS_HANDLE:
  case G_VARIANT_CLASS_DOUBLE:
  default:
    return number_from_variant (variant, error);
  }
}

/**
 * nebula_value_from_variant:
 * @variant: a variant; a floating one is consumed
 * @error: where to put an error
 *
 * Converts any variant.
 *
 * Errors, all terminal: %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_OVERFLOW for what is not finite, and those of the
 * constructors.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_variant (GVariant *variant, GError **error)
{
  g_autoptr (GVariant) sunk = NULL;
  g_autoptr (NebulaValue) value = NULL;

  g_return_val_if_fail (variant != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  sunk = g_variant_ref_sink (variant);
  value = from_variant (sunk, 0, error);
  if (value && !check_depth (nebula_value_get_depth (value), NEBULA_LIMIT_DEPTH, error))
    return NULL;
  return g_steal_pointer (&value);
}
