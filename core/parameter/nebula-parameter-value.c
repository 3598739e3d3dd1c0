/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table's entry as a value, which is how it stands in the catalogue and goes to hosts:
 *
 *   {"name": "url", "kind": "text", "flags": ["required"], "title": …, "description": …, "group": …, "placeholder": …,
 *    "default": …, "options": [ … ], "order": 0, "minimum": …, "maximum": …, "min-length": …, "max-length": …,
 *    "pattern": …, "rules": …, "show-if": { … }, "hide-if": { … }}
 *
 * What has its default is left out. The default of a secret is never written.
 */
#include "nebula-parameter-private.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#include "nebula-condition.h"
#include "nebula-error.h"
#include "nebula-regex-internal.h"

static const struct
{
  NebulaParameterFlags flag;
  const char *name;
} flag_names[] = {
  { NEBULA_PARAMETER_FLAGS_REQUIRED, "required" },
  { NEBULA_PARAMETER_FLAGS_NULLABLE, "nullable" },
  { NEBULA_PARAMETER_FLAGS_SECRET, "secret" },
  { NEBULA_PARAMETER_FLAGS_NO_TEMPLATE, "no-template" },
  { NEBULA_PARAMETER_FLAGS_REST, "rest" },
};

static gboolean
is_secret (NebulaParameter *self)
{
  return (self->flags & NEBULA_PARAMETER_FLAGS_SECRET) != 0 || self->kind == NEBULA_PARAMETER_KIND_SECRET;
}

static void
set_text (NebulaValueBuilder *builder, const char *key, const char *text)
{
  if (text != NULL)
    nebula_value_builder_set_string (builder, key, text);
}

static void
set_value (NebulaValueBuilder *builder, const char *key, NebulaValue *value)
{
  if (value != NULL)
    nebula_value_builder_set (builder, key, value);
}

static void
set_number (NebulaValueBuilder *builder, const char *key, double number)
{
  if (!isfinite (number))
    return;
  if (fabs (number) < 9007199254740992.0 && floor (number) >= number)
    nebula_value_builder_set_integer (builder, key, (gint64) number);
  else
    nebula_value_builder_set_take (builder, key, nebula_value_new_float (number));
}

static void
set_length (NebulaValueBuilder *builder, const char *key, gint64 length)
{
  if (length >= 0)
    nebula_value_builder_set_integer (builder, key, length);
}

static NebulaValue *
flags_to_value (NebulaParameterFlags flags)
{
  g_autoptr (NebulaValueBuilder) names = nebula_value_builder_new_array ();

  for (gsize i = 0; i < G_N_ELEMENTS (flag_names); i++) {
    if (flags & flag_names[i].flag)
      nebula_value_builder_add_take (names, nebula_value_new_string (flag_names[i].name));
  }
  return nebula_value_builder_end (names);
}

/**
 * nebula_parameter_to_value:
 * @self: a parameter
 *
 * Writes it as an object, the form of the catalogue. The default of a secret is left out.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_parameter_to_value (NebulaParameter *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  builder = nebula_value_builder_new_object ();
  set_text (builder, "name", self->name);
  set_text (builder, "kind", _nebula_parameter_kind_get_info (self->kind)->name);
  if (self->flags != NEBULA_PARAMETER_FLAGS_NONE)
    nebula_value_builder_set_take (builder, "flags", flags_to_value (self->flags));
  set_text (builder, "title", self->title);
  set_text (builder, "description", self->description);
  set_text (builder, "group", self->group);
  set_text (builder, "placeholder", self->placeholder);
  if (!is_secret (self))
    set_value (builder, "default", self->default_value);
  if (self->options != NULL)
    nebula_value_builder_set_take (builder, "options", nebula_value_new_strv ((const char *const *) self->options));
  if (self->order != 0)
    nebula_value_builder_set_integer (builder, "order", self->order);
  if (self->has_range) {
    set_number (builder, "minimum", self->minimum);
    set_number (builder, "maximum", self->maximum);
  }
  set_length (builder, "min-length", self->min_length);
  set_length (builder, "max-length", self->max_length);
  set_text (builder, "pattern", self->pattern);
  set_value (builder, "rules", self->rules);
  set_value (builder, "show-if", self->show_if);
  set_value (builder, "hide-if", self->hide_if);
  return nebula_value_builder_end (builder);
}

static gboolean
refuse (GError **error, const char *name, const char *member)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _("The description of the parameter “%s” is damaged at “%s”. Write the catalogue anew"), name, member);
  return FALSE;
}

static gboolean
read_flags (NebulaParameter *self, NebulaValue *names, GError **error)
{
  if (names == NULL)
    return TRUE;
  if (nebula_value_get_kind (names) != NEBULA_VALUE_KIND_ARRAY)
    return refuse (error, self->name, "flags");

  for (gsize i = 0; i < nebula_value_get_length (names); i++) {
    NebulaValue *name = nebula_value_get_item (names, i);

    if (nebula_value_get_kind (name) != NEBULA_VALUE_KIND_STRING)
      return refuse (error, self->name, "flags");
    for (gsize j = 0; j < G_N_ELEMENTS (flag_names); j++) {
      if (g_str_equal (flag_names[j].name, nebula_value_get_string (name)))
        self->flags |= flag_names[j].flag;
    }
  }
  return TRUE;
}

static gboolean
read_options (NebulaParameter *self, NebulaValue *options, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (options == NULL)
    return TRUE;
  if (nebula_value_get_kind (options) != NEBULA_VALUE_KIND_ARRAY)
    return refuse (error, self->name, "options");

  for (gsize i = 0; i < nebula_value_get_length (options); i++) {
    NebulaValue *option = nebula_value_get_item (options, i);

    if (nebula_value_get_kind (option) != NEBULA_VALUE_KIND_STRING)
      return refuse (error, self->name, "options");
    g_strv_builder_add (builder, nebula_value_get_string (option));
  }
  self->options = g_strv_builder_end (builder);
  return TRUE;
}

static double
read_number (NebulaValue *value, const char *key, double fallback)
{
  NebulaValue *number = nebula_value_get_member (value, key);

  return number != NULL && nebula_value_is_number (number) ? nebula_value_get_float (number) : fallback;
}

static gboolean
read_range (NebulaParameter *self, NebulaValue *value, GError **error)
{
  double minimum = read_number (value, "minimum", -INFINITY);
  double maximum = read_number (value, "maximum", INFINITY);

  if (minimum > maximum)
    return refuse (error, self->name, "minimum");
  if (isfinite (minimum) || isfinite (maximum))
    nebula_parameter_set_range (self, minimum, maximum);
  return TRUE;
}

static gboolean
read_pattern (NebulaParameter *self, const char *pattern, GError **error)
{
  g_autoptr (GRegex) regex = NULL;

  if (pattern == NULL)
    return TRUE;
  regex = nebula_regex_new (pattern, -1, 0, NULL);
  if (regex == NULL)
    return refuse (error, self->name, "pattern");
  nebula_parameter_set_pattern (self, pattern);
  return TRUE;
}

static gboolean
read_condition (NebulaParameter *self, NebulaValue **place, NebulaValue *condition, GError **error)
{
  if (condition == NULL)
    return TRUE;
  if (!_nebula_condition_check (condition, error))
    return FALSE;
  *place = nebula_value_ref (condition);
  return TRUE;
}

static gboolean
read_members (NebulaParameter *self, NebulaValue *value, GError **error)
{
  nebula_parameter_set_title (self, nebula_value_get_member_string (value, "title", NULL));
  nebula_parameter_set_description (self, nebula_value_get_member_string (value, "description", NULL));
  nebula_parameter_set_group (self, nebula_value_get_member_string (value, "group", NULL));
  nebula_parameter_set_placeholder (self, nebula_value_get_member_string (value, "placeholder", NULL));
  nebula_parameter_set_default (self, nebula_value_get_member (value, "default"));
  self->order = (gint) nebula_value_get_member_integer (value, "order", 0);
  self->min_length = nebula_value_get_member_integer (value, "min-length", -1);
  self->max_length = nebula_value_get_member_integer (value, "max-length", -1);

  return read_flags (self, nebula_value_get_member (value, "flags"), error) &&
         read_options (self, nebula_value_get_member (value, "options"), error) &&
         read_range (self, value, error) &&
         read_pattern (self, nebula_value_get_member_string (value, "pattern", NULL), error) &&
         _nebula_parameter_read_rules (self, nebula_value_get_member (value, "rules"), error) &&
         read_condition (self, &self->show_if, nebula_value_get_member (value, "show-if"), error) &&
         read_condition (self, &self->hide_if, nebula_value_get_member (value, "hide-if"), error);
}

/**
 * nebula_parameter_new_from_value:
 * @value: what nebula_parameter_to_value() gave
 *
 * Reads a parameter back. @value may come from another process: everything in it is checked.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_TOO_DEEP (terminal).
 *
 * Returns: (transfer full): a new parameter
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_parameter_new_from_value (NebulaValue *value, GError **error)
{
  g_autoptr (NebulaParameter) self = NULL;
  const NebulaParameterKindInfo *info;
  const char *name, *kind;

  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT) {
    refuse (error, "", "");
    return NULL;
  }
  name = nebula_value_get_member_string (value, "name", "");
  kind = nebula_value_get_member_string (value, "kind", "");
  info = _nebula_parameter_kind_find (kind);
  if (*name == '\0' || info == NULL) {
    refuse (error, name, *name == '\0' ? "name" : "kind");
    return NULL;
  }

  self = nebula_parameter_new (name, info->kind);
  if (!read_members (self, value, error))
    return NULL;
  return g_steal_pointer (&self);
}

static void
set_schema_type (NebulaValueBuilder *schema, NebulaParameter *self, const NebulaParameterKindInfo *info)
{
  g_autoptr (NebulaValueBuilder) types = NULL;

  if (self->kind == NEBULA_PARAMETER_KIND_SIZE || self->kind == NEBULA_PARAMETER_KIND_EXPRESSION) {
    types = nebula_value_builder_new_array ();
    nebula_value_builder_add_take (types, nebula_value_new_string ("string"));
    nebula_value_builder_add_take (types, nebula_value_new_string (self->kind == NEBULA_PARAMETER_KIND_SIZE ? "integer" : "number"));
    if (self->kind == NEBULA_PARAMETER_KIND_EXPRESSION)
      nebula_value_builder_add_take (types, nebula_value_new_string ("boolean"));
  } else if (info->json_type == NULL) {
    return;
  } else if ((self->flags & NEBULA_PARAMETER_FLAGS_NULLABLE) == 0) {
    nebula_value_builder_set_string (schema, "type", info->json_type);
    return;
  } else {
    types = nebula_value_builder_new_array ();
    nebula_value_builder_add_take (types, nebula_value_new_string (info->json_type));
  }

  if (self->flags & NEBULA_PARAMETER_FLAGS_NULLABLE)
    nebula_value_builder_add_take (types, nebula_value_new_string ("null"));
  nebula_value_builder_set_take (schema, "type", nebula_value_builder_end (types));
}

static NebulaValue *
options_to_enum (NebulaParameter *self)
{
  g_autoptr (NebulaValue) options = nebula_value_new_strv ((const char *const *) self->options);
  g_autoptr (NebulaValue) null = NULL;

  if (self->kind != NEBULA_PARAMETER_KIND_SELECT || (self->flags & NEBULA_PARAMETER_FLAGS_NULLABLE) == 0)
    return g_steal_pointer (&options);
  null = nebula_value_new_null ();
  return nebula_value_append (options, null);
}

static void
set_schema_items (NebulaValueBuilder *schema, NebulaParameter *self, const NebulaParameterKindInfo *info)
{
  g_autoptr (NebulaValueBuilder) items = NULL;

  if (self->options != NULL && !info->items_are_texts)
    nebula_value_builder_set_take (schema, "enum", options_to_enum (self));
  if (!info->items_are_texts && self->kind != NEBULA_PARAMETER_KIND_EXPRESSIONS)
    return;

  items = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (items, "type", "string");
  if (self->options != NULL)
    nebula_value_builder_set_take (items, "enum", options_to_enum (self));
  nebula_value_builder_set_take (schema, info->items_are_texts ? "items" : "additionalProperties", nebula_value_builder_end (items));
}

static void
set_schema_limits (NebulaValueBuilder *schema, NebulaParameter *self, const NebulaParameterKindInfo *info)
{
  gboolean is_array = g_strcmp0 (info->json_type, "array") == 0;
  gboolean is_object = g_strcmp0 (info->json_type, "object") == 0;

  if (self->has_range) {
    set_number (schema, "minimum", self->minimum);
    set_number (schema, "maximum", self->maximum);
  }
  set_length (schema, is_array ? "minItems" : is_object ? "minProperties" : "minLength", self->min_length);
  set_length (schema, is_array ? "maxItems" : is_object ? "maxProperties" : "maxLength", self->max_length);
  set_text (schema, "pattern", self->pattern);
  if (self->kind == NEBULA_PARAMETER_KIND_FILE || self->kind == NEBULA_PARAMETER_KIND_WORKFLOW)
    nebula_value_builder_set_integer (schema, "minLength", MAX (self->min_length, 1));
}

/**
 * nebula_parameter_to_json_schema:
 * @self: a parameter
 *
 * Its values as a schema of JSON Schema 2020-12. The kind stands in `x-nebula-kind`; secrets are `writeOnly` and have
 * no default.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_parameter_to_json_schema (NebulaParameter *self)
{
  const NebulaParameterKindInfo *info;
  g_autoptr (NebulaValueBuilder) schema = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  info = _nebula_parameter_kind_get_info (self->kind);
  schema = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (schema, "title", nebula_parameter_get_title (self));
  set_text (schema, "description", self->description);
  set_schema_type (schema, self, info);
  set_text (schema, "format", info->json_format);
  set_schema_items (schema, self, info);
  set_schema_limits (schema, self, info);
  if (is_secret (self))
    nebula_value_builder_set_boolean (schema, "writeOnly", TRUE);
  else
    set_value (schema, "default", self->default_value);
  nebula_value_builder_set_string (schema, "x-nebula-kind", info->name);
  return nebula_value_builder_end (schema);
}
