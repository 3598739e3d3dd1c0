/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a parameter's value to a GObject property. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-action-private.h"
#include "nebula-duration.h"

static gboolean
refuse (NebulaParameter *parameter, GError **error, const char *reason)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER, _("The parameter “%s” is refused: %s"),
               nebula_parameter_get_name (parameter), reason);
  return FALSE;
}

static gboolean
refuse_type (NebulaParameter *parameter, GError **error)
{
  return refuse (parameter, error, _("its value does not fit the type of the property"));
}

static gboolean
is_kind (NebulaValue *value, NebulaValueKind kind)
{
  return nebula_value_get_kind (value) == kind;
}

static gboolean
to_int64 (NebulaParameter *parameter, NebulaValue *value, gint64 *ret_number, GError **error)
{
  guint64 bytes = 0;

  if (is_kind (value, NEBULA_VALUE_KIND_INTEGER)) {
    *ret_number = nebula_value_get_integer (value);
    return TRUE;
  }
  if (is_kind (value, NEBULA_VALUE_KIND_DURATION) || is_kind (value, NEBULA_VALUE_KIND_TIMESTAMP)) {
    *ret_number = nebula_value_get_usec (value);
    return TRUE;
  }
  if (!is_kind (value, NEBULA_VALUE_KIND_STRING))
    return refuse_type (parameter, error);

  if (nebula_parameter_get_kind (parameter) == NEBULA_PARAMETER_KIND_DURATION)
    return nebula_duration_parse (nebula_value_get_string (value), ret_number, error);
  if (nebula_parameter_get_kind (parameter) != NEBULA_PARAMETER_KIND_SIZE)
    return refuse_type (parameter, error);
  if (!nebula_size_parse (nebula_value_get_string (value), &bytes, error))
    return FALSE;
  if (bytes > G_MAXINT64)
    return refuse (parameter, error, _("it is too large"));
  *ret_number = (gint64) bytes;
  return TRUE;
}

static gboolean
set_integer (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  gint64 number = 0;

  if (!to_int64 (parameter, value, &number, error))
    return FALSE;
  if (G_VALUE_HOLDS_INT64 (property)) {
    g_value_set_int64 (property, number);
    return TRUE;
  }
  if (number < G_MININT || number > G_MAXINT)
    return refuse (parameter, error, _("it is out of range"));
  g_value_set_int (property, (gint) number);
  return TRUE;
}

static gboolean
set_string (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  if (!is_kind (value, NEBULA_VALUE_KIND_STRING)) {
    g_value_take_string (property, nebula_value_to_text (value));
    return TRUE;
  }
  if (strlen (nebula_value_get_string (value)) != nebula_value_get_string_length (value))
    return refuse (parameter, error, _("it must not hold a zero character"));
  g_value_set_string (property, nebula_value_get_string (value));
  return TRUE;
}

static gboolean
set_strv (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (!is_kind (value, NEBULA_VALUE_KIND_ARRAY))
    return refuse_type (parameter, error);

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);

    if (!is_kind (item, NEBULA_VALUE_KIND_STRING))
      return refuse_type (parameter, error);
    if (strlen (nebula_value_get_string (item)) != nebula_value_get_string_length (item))
      return refuse (parameter, error, _("it must not hold a zero character"));
    g_strv_builder_add (builder, nebula_value_get_string (item));
  }
  g_value_take_boxed (property, g_strv_builder_end (builder));
  return TRUE;
}

static gboolean
set_enum (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (G_VALUE_TYPE (property));
  GEnumValue *member = NULL;

  if (is_kind (value, NEBULA_VALUE_KIND_STRING))
    member = g_enum_get_value_by_nick (klass, nebula_value_get_string (value));
  if (member == NULL)
    return refuse_type (parameter, error);
  g_value_set_enum (property, member->value);
  return TRUE;
}

static gboolean
set_flags (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  g_autoptr (GFlagsClass) klass = g_type_class_ref (G_VALUE_TYPE (property));
  guint flags = 0;

  if (!is_kind (value, NEBULA_VALUE_KIND_ARRAY))
    return refuse_type (parameter, error);

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);
    GFlagsValue *member = NULL;

    if (is_kind (item, NEBULA_VALUE_KIND_STRING))
      member = g_flags_get_value_by_nick (klass, nebula_value_get_string (item));
    if (member == NULL)
      return refuse_type (parameter, error);
    flags |= member->value;
  }
  g_value_set_flags (property, flags);
  return TRUE;
}

static gboolean
set_date_time (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  g_autoptr (GTimeZone) zone = NULL;
  g_autoptr (GDateTime) utc = NULL;
  g_autoptr (GDateTime) seconds = NULL;
  gint64 usec = 0;
  int offset = 0;

  if (is_kind (value, NEBULA_VALUE_KIND_TIMESTAMP)) {
    usec = nebula_value_get_usec (value);
    offset = nebula_value_get_offset_seconds (value);
  } else if (!is_kind (value, NEBULA_VALUE_KIND_STRING)) {
    return refuse_type (parameter, error);
  } else if (!nebula_timestamp_parse (nebula_value_get_string (value), &usec, &offset, error)) {
    return FALSE;
  }

  seconds = g_date_time_new_from_unix_utc (usec / G_USEC_PER_SEC);
  utc = seconds != NULL ? g_date_time_add (seconds, usec % G_USEC_PER_SEC) : NULL;
  if (utc == NULL)
    return refuse (parameter, error, _("it is out of range"));
  zone = g_time_zone_new_offset (offset);
  g_value_take_boxed (property, g_date_time_to_timezone (utc, zone));
  return TRUE;
}

static gboolean
set_bytes (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  if (is_kind (value, NEBULA_VALUE_KIND_BYTES))
    g_value_take_boxed (property, nebula_value_ref_bytes (value));
  else if (is_kind (value, NEBULA_VALUE_KIND_STRING))
    g_value_take_boxed (property,
                        g_bytes_new (nebula_value_get_string (value), nebula_value_get_string_length (value)));
  else
    return refuse_type (parameter, error);
  return TRUE;
}

static gboolean
set_boxed (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  GType type = G_VALUE_TYPE (property);

  if (type == G_TYPE_STRV)
    return set_strv (property, parameter, value, error);
  if (type == G_TYPE_DATE_TIME)
    return set_date_time (property, parameter, value, error);
  if (type == G_TYPE_BYTES)
    return set_bytes (property, parameter, value, error);
  if (type != NEBULA_TYPE_VALUE)
    return refuse_type (parameter, error);
  g_value_set_boxed (property, value);
  return TRUE;
}

static gboolean
set_value (GValue *property, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  if (G_VALUE_HOLDS_BOOLEAN (property) && is_kind (value, NEBULA_VALUE_KIND_BOOLEAN)) {
    g_value_set_boolean (property, nebula_value_get_boolean (value));
    return TRUE;
  }
  if (G_VALUE_HOLDS_DOUBLE (property) && nebula_value_is_number (value)) {
    g_value_set_double (property, nebula_value_get_float (value));
    return TRUE;
  }
  if (G_VALUE_HOLDS_INT (property) || G_VALUE_HOLDS_INT64 (property))
    return set_integer (property, parameter, value, error);
  if (G_VALUE_HOLDS_STRING (property))
    return set_string (property, parameter, value, error);
  if (G_VALUE_HOLDS_ENUM (property))
    return set_enum (property, parameter, value, error);
  if (G_VALUE_HOLDS_FLAGS (property))
    return set_flags (property, parameter, value, error);
  if (G_VALUE_HOLDS_BOXED (property))
    return set_boxed (property, parameter, value, error);
  return refuse_type (parameter, error);
}

gboolean
_nebula_property_set (GObject *object, GParamSpec *pspec, NebulaParameter *parameter, NebulaValue *value, GError **error)
{
  g_auto (GValue) property = G_VALUE_INIT;

  g_value_init (&property, G_PARAM_SPEC_VALUE_TYPE (pspec));
  if (nebula_value_is_null (value) && G_PARAM_SPEC_VALUE_TYPE (pspec) != NEBULA_TYPE_VALUE)
    g_param_value_set_default (pspec, &property);
  else if (!set_value (&property, parameter, value, error))
    return FALSE;

  g_object_set_property (object, pspec->name, &property);
  return TRUE;
}

GParamSpec *
_nebula_property_find (GObjectClass *klass, const char *name)
{
  GParamSpec *pspec = g_object_class_find_property (klass, name);

  if (pspec == NULL || !g_type_is_a (pspec->owner_type, NEBULA_TYPE_ACTION))
    return NULL;
  return (pspec->flags & G_PARAM_WRITABLE) != 0 ? pspec : NULL;
}
