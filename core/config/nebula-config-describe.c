/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What settings there are, what holds, and where each value comes from. */
#include <string.h>

#include "nebula-config-private.h"
#include "nebula-convert.h"

static gint
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

gboolean
_nebula_config_has_key (NebulaConfig *self, const char *key)
{
  return _nebula_config_schemas_find (self->schemas, key, NULL, NULL) != NULL;
}

/* What holds, of a key that there is. */
GVariant *
_nebula_config_get_variant (NebulaConfig *self, const char *key)
{
  g_autofree char *path = _nebula_config_key_to_path (key);
  const char *leaf = NULL;
  GSettingsSchema *schema = _nebula_config_schemas_find (self->schemas, key, &leaf, NULL);
  g_autoptr (GSettingsSchemaKey) schema_key = g_settings_schema_get_key (schema, leaf);
  GVariant *variant = _nebula_config_backend_lookup (self->backend, path);

  return variant ? variant : g_settings_schema_key_get_default_value (schema_key);
}

/**
 * nebula_config_list:
 * @self: the settings
 *
 * Lists all settings, and those of tenants and modules that have a value.
 *
 * Returns: (transfer full) (array zero-terminated=1): keys in order
 *
 * Since: 1.0
 */
char **
nebula_config_list (NebulaConfig *self)
{
  char **keys = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), NULL);

  keys = _nebula_config_schemas_list (self->schemas, self->backend);
  qsort (keys, g_strv_length (keys), sizeof (char *), compare_keys);
  return keys;
}

/**
 * nebula_config_get:
 * @self: the settings
 * @key: a setting
 * @error: where to put an error
 *
 * Gets the value that holds.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal) if there is no such setting.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_config_get (NebulaConfig *self, const char *key, GError **error)
{
  g_autoptr (GVariant) variant = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self) && key != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!_nebula_config_schemas_find (self->schemas, key, NULL, error))
    return NULL;
  variant = _nebula_config_get_variant (self, key);
  return nebula_value_from_variant (variant, error);
}

/* Where the value of a path in the table comes from; NULL: nobody has set it. */
static char *
find_source (NebulaConfig *self, const char *path)
{
  if (g_hash_table_contains (self->overrides, path))
    return g_strdup ("command-line");
  if (g_hash_table_contains (self->environment, path))
    return _nebula_config_variable_from_path (path);
  for (guint i = self->tables->len; i > 0; i--)
    if (g_hash_table_contains (g_ptr_array_index (self->tables, i - 1), path))
      return g_strdup (self->files[i - 1]);
  return NULL;
}

static char *
dup_source (NebulaConfig *self, const char *key)
{
  g_autofree char *path = _nebula_config_key_to_path (key);
  const char *general = _nebula_config_path_get_general (path);
  char *source = find_source (self, path);

  if (!source && general)
    source = find_source (self, general);
  return source ? source : g_strdup ("default");
}

static const char *
get_type_name (GSettingsSchemaKey *key)
{
  const GVariantType *type = g_settings_schema_key_get_value_type (key);
  const char *kind = _nebula_config_get_text_kind (g_settings_schema_key_get_name (key));

  if (kind)
    return kind;
  if (g_variant_type_equal (type, G_VARIANT_TYPE_BOOLEAN))
    return "boolean";
  if (g_variant_type_equal (type, G_VARIANT_TYPE_INT32))
    return "integer";
  return g_variant_type_equal (type, G_VARIANT_TYPE_STRING) ? "string" : "list";
}

/* The schema gives ('type', …), ('enum', [choices]) or ('range', (least, greatest)). */
static void
describe_range (GSettingsSchemaKey *key, NebulaValueBuilder *builder)
{
  g_autoptr (GVariant) range = g_settings_schema_key_get_range (key);
  g_autoptr (GVariant) content = NULL;
  const char *kind = NULL;

  g_variant_get (range, "(&sv)", &kind, &content);
  if (strcmp (kind, "enum") == 0)
    nebula_value_builder_set_take (builder, "choices", nebula_value_from_variant (content, NULL));
  else if (strcmp (kind, "range") == 0)
    nebula_value_builder_set_take (builder, "range", nebula_value_from_variant (content, NULL));
}

/**
 * nebula_config_describe:
 * @self: the settings
 * @key: a setting
 * @error: where to put an error
 *
 * Tells all about a setting: `key`, `type`, `value`, `default`, `source` (`default`, a file, a variable or
 * `command-line`), `summary`, `description`, and `choices` or `range`.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal) if there is no such setting.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_config_describe (NebulaConfig *self, const char *key, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (GSettingsSchemaKey) schema_key = NULL;
  g_autoptr (GVariant) default_value = NULL;
  g_autofree char *source = NULL;
  const char *leaf = NULL;
  GSettingsSchema *schema = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self) && key != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  schema = _nebula_config_schemas_find (self->schemas, key, &leaf, error);
  if (!schema)
    return NULL;
  builder = nebula_value_builder_new_object ();
  schema_key = g_settings_schema_get_key (schema, leaf);
  default_value = g_settings_schema_key_get_default_value (schema_key);
  source = dup_source (self, key);
  nebula_value_builder_set_string (builder, "key", key);
  nebula_value_builder_set_string (builder, "type", get_type_name (schema_key));
  nebula_value_builder_set_take (builder, "value", nebula_config_get (self, key, NULL));
  nebula_value_builder_set_take (builder, "default", nebula_value_from_variant (default_value, NULL));
  nebula_value_builder_set_string (builder, "source", source);
  nebula_value_builder_set_string (builder, "summary", g_settings_schema_key_get_summary (schema_key));
  nebula_value_builder_set_string (builder, "description", g_settings_schema_key_get_description (schema_key));
  describe_range (schema_key, builder);
  return nebula_value_builder_end (builder);
}
