/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which settings there are. `org.nebula` has those of the program; `org.nebula.tenant` and `org.nebula.module` have no place
 * of their own: they hold for each tenant and each module. A module may bring a schema `org.nebula.module.<id>` besides.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "config.h"
#include "nebula-config-private.h"
#include "nebula-error.h"

#define SCHEMA_ID "org.nebula"
#define TENANT_ID "org.nebula.tenant"
#define MODULE_ID "org.nebula.module"
#define TENANTS "tenants"
#define MODULES "modules"
#define NAME_BYTES_MAX 64
#define VARIABLE_PREFIX "NEBULA_"
#define VARIABLE_STEP "__"

/* Settings whose text has a form of its own. */
static const struct
{
  const char *key;
  const char *kind;
} text_kinds[] = {
  { "drain-timeout", "duration" },
  { "expression-memory", "size" },
  { "expression-output", "size" },
  { "expression-time", "duration" },
  { "log-buffer", "size" },
  { "log-file-age", "duration" },
  { "log-file-size", "size" },
  { "log-levels", "levels" },
  { "max-body-size", "size" },
  { "memory-limit", "size" },
  { "retention-age", "duration" },
  { "retention-failed-age", "duration" },
  { "run-timeout", "duration" },
};

const char *
_nebula_config_get_text_kind (const char *leaf)
{
  for (gsize i = 0; i < G_N_ELEMENTS (text_kinds); i++)
    if (strcmp (text_kinds[i].key, leaf) == 0)
      return text_kinds[i].kind;
  return NULL;
}

char *
_nebula_config_key_to_path (const char *key)
{
  return g_strdelimit (g_strdup (key), ".", '/');
}

char *
_nebula_config_key_from_path (const char *path)
{
  return g_strdelimit (g_strdup (path), "/", '.');
}

const char *
_nebula_config_path_get_general (const char *path)
{
  return g_str_has_prefix (path, TENANTS "/") ? strrchr (path, '/') + 1 : NULL;
}

/* `modules/http/log-level` is NEBULA_MODULES__HTTP__LOG_LEVEL. */
char *
_nebula_config_variable_from_path (const char *path)
{
  GString *name = g_string_new (VARIABLE_PREFIX);

  for (const char *at = path; *at; at++)
    if (*at == '/')
      g_string_append (name, VARIABLE_STEP);
    else
      g_string_append_c (name, *at == '-' ? '_' : g_ascii_toupper (*at));
  return g_string_free (name, FALSE);
}

/* g_settings_new () ends the process if it does not know the schema, so it is looked up first. */
static GSettingsSchema *
find_schema (NebulaConfigSchemas *self, const char *id)
{
  return self->source ? g_settings_schema_source_lookup (self->source, id, TRUE) : NULL;
}

static gboolean
find_all (NebulaConfigSchemas *self)
{
  g_clear_pointer (&self->main, g_settings_schema_unref);
  g_clear_pointer (&self->tenant, g_settings_schema_unref);
  g_clear_pointer (&self->module, g_settings_schema_unref);
  self->main = find_schema (self, SCHEMA_ID);
  self->tenant = find_schema (self, TENANT_ID);
  self->module = find_schema (self, MODULE_ID);
  return self->main && self->tenant && self->module;
}

NebulaConfigSchemas *
_nebula_config_schemas_new (GError **error)
{
  GSettingsSchemaSource *usual = g_settings_schema_source_get_default ();
  NebulaConfigSchemas *self = g_new0 (NebulaConfigSchemas, 1);

  self->modules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_settings_schema_unref);
  self->source = usual ? g_settings_schema_source_ref (usual) : NULL;
  if (find_all (self))
    return self;
  g_clear_pointer (&self->source, g_settings_schema_source_unref);
  self->source = g_settings_schema_source_new_from_directory (NEBULA_SCHEMA_DIR, usual, TRUE, NULL);
  if (find_all (self))
    return self;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG,
               _ ("The schema of the settings is missing; install Nebula again, or set GSETTINGS_SCHEMA_DIR. It was "
                  "looked for in “%s”."),
               NEBULA_SCHEMA_DIR);
  _nebula_config_schemas_free (self);
  return NULL;
}

void
_nebula_config_schemas_free (NebulaConfigSchemas *self)
{
  g_clear_pointer (&self->main, g_settings_schema_unref);
  g_clear_pointer (&self->tenant, g_settings_schema_unref);
  g_clear_pointer (&self->module, g_settings_schema_unref);
  g_clear_pointer (&self->source, g_settings_schema_source_unref);
  g_hash_table_unref (self->modules);
  g_free (self);
}

/* What a module brings itself; NULL if nothing. */
static GSettingsSchema *
find_own (NebulaConfigSchemas *self, const char *module)
{
  GSettingsSchema *schema = g_hash_table_lookup (self->modules, module);
  g_autofree char *id = NULL;

  if (schema)
    return schema;
  id = g_strconcat (MODULE_ID ".", module, NULL);
  schema = find_schema (self, id);
  /* Only one that has no place of its own can stand under the module's name. */
  if (schema && g_settings_schema_get_path (schema))
    g_clear_pointer (&schema, g_settings_schema_unref);
  if (schema)
    g_hash_table_insert (self->modules, g_strdup (module), schema);
  return schema;
}

static gboolean
is_name (const char *text, gsize length)
{
  if (length == 0 || length > NAME_BYTES_MAX)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-' && text[i] != '_')
      return FALSE;
  return TRUE;
}

/* `tenants.acme` and what follows it. */
static gboolean
split (const char *key, const char *group, char **ret_name, const char **ret_rest)
{
  const char *name = key + strlen (group) + 1;
  gsize length = 0;

  if (!g_str_has_prefix (key, group) || key[strlen (group)] != '.')
    return FALSE;
  length = strcspn (name, ".");
  if (!is_name (name, length))
    return FALSE;
  *ret_name = g_strndup (name, length);
  *ret_rest = name[length] == '.' ? name + length + 1 : name + length;
  return TRUE;
}

GSettingsSchema *
_nebula_config_schemas_find (NebulaConfigSchemas *self, const char *key, const char **ret_leaf, GError **error)
{
  g_autofree char *name = NULL;
  const char *leaf = key;
  GSettingsSchema *schema = self->main;

  if (split (key, TENANTS, &name, &leaf))
    schema = self->tenant;
  else if (split (key, MODULES, &name, &leaf))
    schema = g_settings_schema_has_key (self->module, leaf) ? self->module : find_own (self, name);
  if (!schema || !g_settings_schema_has_key (schema, leaf)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, _ ("There is no setting “%s”; “nebula config list” shows all."),
                 key);
    return NULL;
  }
  if (ret_leaf)
    *ret_leaf = leaf;
  return schema;
}

GSettingsSchema *
_nebula_config_schemas_find_owner (NebulaConfigSchemas *self, const char *owner, char **ret_path, GError **error)
{
  g_autofree char *name = NULL;
  const char *rest = NULL;
  GSettingsSchema *schema = NULL;

  if (split (owner, TENANTS, &name, &rest) && *rest == '\0') {
    schema = self->tenant;
  } else if (split (owner, MODULES, &name, &rest) && *rest == '\0') {
    schema = find_own (self, name);
    if (!schema)
      schema = self->module;
  }
  if (schema)
    *ret_path = g_strdup_printf (NEBULA_CONFIG_PATH "%s/%s/", schema == self->tenant ? TENANTS : MODULES, name);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG,
                 _ ("“%s” is neither a tenant nor a module; write “tenants.NAME” or “modules.NAME”."), owner);
  return schema;
}

char **
_nebula_config_schemas_list (NebulaConfigSchemas *self, NebulaConfigBackend *backend)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) keys = g_settings_schema_list_keys (self->main);
  g_autoptr (GPtrArray) paths = _nebula_config_backend_list (backend);

  g_strv_builder_addv (builder, (const char **) keys);
  for (guint i = 0; i < paths->len; i++) {
    g_autofree char *key = _nebula_config_key_from_path (g_ptr_array_index (paths, i));

    if (strchr (key, '.'))
      g_strv_builder_add (builder, key);
  }
  return g_strv_builder_end (builder);
}

static gboolean
read_variable (NebulaConfigSchemas *schemas, GHashTable *table, const char *key, const char *name, GError **error)
{
  const char *text = g_getenv (name);
  GVariant *variant = text ? _nebula_config_parse_text (schemas, key, text, error) : NULL;

  if (!text)
    return TRUE;
  if (!variant) {
    g_prefix_error (error, _ ("Environment variable %s: "), name);
    return FALSE;
  }
  g_hash_table_replace (table, _nebula_config_key_to_path (key), variant);
  return TRUE;
}

/* NEBULA_TENANTS__ACME__LANGUAGE: the name is in small letters and has hyphens. */
static gboolean
read_nested (NebulaConfigSchemas *schemas, GHashTable *table, const char *name, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (name + strlen (VARIABLE_PREFIX), VARIABLE_STEP, -1);
  g_autofree char *joined = NULL, *key = NULL;

  if (g_strv_length (parts) != 3 || (strcmp (parts[0], "TENANTS") != 0 && strcmp (parts[0], "MODULES") != 0))
    return TRUE;
  joined = g_strjoinv (".", parts);
  key = g_ascii_strdown (joined, -1);
  g_strdelimit (key, "_", '-');
  return read_variable (schemas, table, key, name, error);
}

gboolean
_nebula_config_environment_read (NebulaConfigSchemas *schemas, GHashTable *table, GError **error)
{
  g_auto (GStrv) keys = g_settings_schema_list_keys (schemas->main);
  g_auto (GStrv) names = g_listenv ();

  for (guint i = 0; keys[i]; i++) {
    g_autofree char *name = _nebula_config_variable_from_path (keys[i]);

    if (!read_variable (schemas, table, keys[i], name, error))
      return FALSE;
  }
  for (guint i = 0; names[i]; i++)
    if (g_str_has_prefix (names[i], VARIABLE_PREFIX) && !read_nested (schemas, table, names[i], error))
      return FALSE;
  return TRUE;
}
