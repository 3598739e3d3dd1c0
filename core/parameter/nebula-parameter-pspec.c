/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a GObject property to a parameter: kind, range, default, options, nick and blurb. */
#include "nebula-parameter-private.h"

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-expression.h"

static NebulaParameter *
from_boolean (GParamSpec *pspec)
{
  NebulaParameter *self = nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_BOOLEAN);

  self->default_value = nebula_value_new_boolean (G_PARAM_SPEC_BOOLEAN (pspec)->default_value);
  return self;
}

static NebulaParameter *
from_int (GParamSpec *pspec)
{
  GParamSpecInt *spec = G_PARAM_SPEC_INT (pspec);
  NebulaParameter *self = nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_INTEGER);

  nebula_parameter_set_range (self, spec->minimum, spec->maximum);
  self->default_value = nebula_value_new_integer (spec->default_value);
  return self;
}

static NebulaParameter *
from_int64 (GParamSpec *pspec)
{
  GParamSpecInt64 *spec = G_PARAM_SPEC_INT64 (pspec);
  NebulaParameter *self = nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_INTEGER);

  if (spec->minimum != G_MININT64 || spec->maximum != G_MAXINT64)
    nebula_parameter_set_range (self, (double) spec->minimum, (double) spec->maximum);
  self->default_value = nebula_value_new_integer (spec->default_value);
  return self;
}

static NebulaParameter *
from_double (GParamSpec *pspec)
{
  GParamSpecDouble *spec = G_PARAM_SPEC_DOUBLE (pspec);
  NebulaParameter *self = nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_NUMBER);

  if (spec->minimum > -G_MAXDOUBLE || spec->maximum < G_MAXDOUBLE)
    nebula_parameter_set_range (self, spec->minimum, spec->maximum);
  self->default_value = nebula_value_new_float (spec->default_value);
  return self;
}

static NebulaParameter *
from_string (GParamSpec *pspec)
{
  const char *text = G_PARAM_SPEC_STRING (pspec)->default_value;
  NebulaParameter *self = nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_TEXT);

  if (text != NULL)
    self->default_value = nebula_value_new_string (text);
  return self;
}

static NebulaParameter *
from_enum (GParamSpec *pspec)
{
  GParamSpecEnum *spec = G_PARAM_SPEC_ENUM (pspec);
  g_autoptr (GStrvBuilder) nicks = g_strv_builder_new ();
  NebulaParameter *self = nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_SELECT);

  for (guint i = 0; i < spec->enum_class->n_values; i++) {
    const GEnumValue *value = &spec->enum_class->values[i];

    g_strv_builder_add (nicks, value->value_nick);
    if (value->value == spec->default_value && self->default_value == NULL)
      self->default_value = nebula_value_new_string (value->value_nick);
  }
  self->options = g_strv_builder_end (nicks);
  return self;
}

static NebulaParameter *
from_flags (GParamSpec *pspec)
{
  GParamSpecFlags *spec = G_PARAM_SPEC_FLAGS (pspec);
  g_autoptr (GStrvBuilder) nicks = g_strv_builder_new ();
  g_autoptr (NebulaValueBuilder) defaults = nebula_value_builder_new_array ();
  NebulaParameter *self = nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_MULTI_SELECT);

  for (guint i = 0; i < spec->flags_class->n_values; i++) {
    const GFlagsValue *value = &spec->flags_class->values[i];

    if (value->value == 0)
      continue;
    g_strv_builder_add (nicks, value->value_nick);
    if ((spec->default_value & value->value) == value->value)
      nebula_value_builder_add_take (defaults, nebula_value_new_string (value->value_nick));
  }
  self->options = g_strv_builder_end (nicks);
  self->default_value = nebula_value_builder_end (defaults);
  return self;
}

static NebulaParameter *
from_boxed (GParamSpec *pspec)
{
  GType type = G_PARAM_SPEC_VALUE_TYPE (pspec);

  if (type == G_TYPE_STRV)
    return nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_STRINGS);
  if (type == G_TYPE_DATE_TIME)
    return nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_DATE_TIME);
  if (type == G_TYPE_BYTES || type == NEBULA_TYPE_VALUE)
    return nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_JSON);
  if (type == NEBULA_TYPE_EXPRESSION)
    return nebula_parameter_new (pspec->name, NEBULA_PARAMETER_KIND_EXPRESSION);
  return NULL;
}

static NebulaParameter *
from_type (GParamSpec *pspec)
{
  if (G_IS_PARAM_SPEC_BOOLEAN (pspec))
    return from_boolean (pspec);
  if (G_IS_PARAM_SPEC_INT (pspec))
    return from_int (pspec);
  if (G_IS_PARAM_SPEC_INT64 (pspec))
    return from_int64 (pspec);
  if (G_IS_PARAM_SPEC_DOUBLE (pspec))
    return from_double (pspec);
  if (G_IS_PARAM_SPEC_STRING (pspec))
    return from_string (pspec);
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    return from_enum (pspec);
  if (G_IS_PARAM_SPEC_FLAGS (pspec))
    return from_flags (pspec);
  if (G_IS_PARAM_SPEC_BOXED (pspec))
    return from_boxed (pspec);
  return NULL;
}

/**
 * nebula_parameter_new_from_pspec:
 * @pspec: a property of an action class
 *
 * Takes kind, range, default, options, title (nick) and description (blurb) from a property.
 *
 * Accepted types: #gboolean, #gint, #gint64, #gdouble, text, #GStrv, enumerations, flags, #GDateTime, #GBytes,
 * #NebulaValue and #NebulaExpression.
 *
 * Errors: %NEBULA_ERROR_UNSUPPORTED (terminal) if its type is another one or it cannot be written.
 *
 * Returns: (transfer full): a new parameter
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_parameter_new_from_pspec (GParamSpec *pspec, GError **error)
{
  NebulaParameter *self;

  g_return_val_if_fail (G_IS_PARAM_SPEC (pspec), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if ((pspec->flags & G_PARAM_WRITABLE) == 0 || (pspec->flags & G_PARAM_CONSTRUCT_ONLY) != 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                 _("The property “%s” cannot be a parameter because it cannot be set after construction. Make it "
                   "writable"),
                 pspec->name);
    return NULL;
  }

  self = from_type (pspec);
  if (self == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                 _("The property “%s” of the type %s cannot be a parameter. Use a type that the documentation of "
                   "parameters lists, such as NebulaValue"),
                 pspec->name, g_type_name (G_PARAM_SPEC_VALUE_TYPE (pspec)));
    return NULL;
  }
  self->title = g_strdup (g_param_spec_get_nick (pspec));
  self->description = g_strdup (g_param_spec_get_blurb (pspec));
  return self;
}
