/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define G_SETTINGS_ENABLE_BACKEND
#include <gio/gsettingsbackend.h>

#include "nebula-config.h"

#define NEBULA_CONFIG_PATH "/org/nebula/"

/*
 * A setting has a key for people, such as `durability` or `tenants.acme.durability`, and a path in tables and GSettings:
 * `durability`, `tenants/acme/durability`. The last part, the leaf, is the key in its schema.
 */
char *_nebula_config_key_to_path (const char *key);
char *_nebula_config_key_from_path (const char *path);
char *_nebula_config_variable_from_path (const char *path);
/* The path of what holds for all, where a tenant says nothing; NULL: there is none. Borrowed. */
const char *_nebula_config_path_get_general (const char *path);

/* The schemas: of the program, of a tenant, of any module, and of single modules. */
typedef struct
{
  GSettingsSchemaSource *source;
  GSettingsSchema *main, *tenant, *module;
  GHashTable *modules; /* module → its own GSettingsSchema */
} NebulaConfigSchemas;

NebulaConfigSchemas *_nebula_config_schemas_new (GError **error);
void _nebula_config_schemas_free (NebulaConfigSchemas *self);
/* The schema that has a key, borrowed; NULL with an error. */
GSettingsSchema *_nebula_config_schemas_find (NebulaConfigSchemas *self,
                                              const char *key,
                                              const char **ret_leaf,
                                              GError **error);
GSettingsSchema *_nebula_config_schemas_find_owner (NebulaConfigSchemas *self,
                                                    const char *owner,
                                                    char **ret_path,
                                                    GError **error);
/* "duration", "size", "levels", or NULL for plain types. */
const char *_nebula_config_get_text_kind (const char *leaf);

/* Values by path, each a sunk GVariant of the schema's type. */
GHashTable *_nebula_config_table_new (void);
gboolean _nebula_config_environment_read (NebulaConfigSchemas *schemas, GHashTable *table, GError **error);
/* NULL with an error that names file, line, key and reason; an empty table if there is no such file. */
GHashTable *_nebula_config_file_read (NebulaConfigSchemas *schemas, const char *path, GError **error);
GVariant *_nebula_config_parse_text (NebulaConfigSchemas *schemas, const char *key, const char *text, GError **error);
/* Writes one key into a file, which keeps its other keys. */
gboolean _nebula_config_file_write (NebulaConfigSchemas *schemas,
                                    const char *path,
                                    const char *key,
                                    GVariant *variant,
                                    GError **error);

#define NEBULA_TYPE_CONFIG_BACKEND (_nebula_config_backend_get_type ())
G_DECLARE_FINAL_TYPE (NebulaConfigBackend, _nebula_config_backend, NEBULA, CONFIG_BACKEND, GSettingsBackend)

NebulaConfigBackend *_nebula_config_backend_new (void);
/* Puts a whole table in place and tells GSettings of each key that differs; gives their paths. */
GPtrArray *_nebula_config_backend_replace (NebulaConfigBackend *self, GHashTable *table);
/* What is set for a path, or for all; full, NULL if nothing is. */
GVariant *_nebula_config_backend_lookup (NebulaConfigBackend *self, const char *path);
/* Somebody reads a tenant's settings: he shall hear when what holds for all changes. */
void _nebula_config_backend_watch (NebulaConfigBackend *self, const char *path, GSettingsSchema *schema);
/* Paths that have a value. */
GPtrArray *_nebula_config_backend_list (NebulaConfigBackend *self);

/* All keys of the program, and those of tenants and modules that have a value. */
char **_nebula_config_schemas_list (NebulaConfigSchemas *self, NebulaConfigBackend *backend);

struct _NebulaConfig
{
  GObject parent_instance;

  NebulaConfigSchemas *schemas;
  GSettings *settings;
  NebulaConfigBackend *backend;
  GMainContext *context;
  char **files;
  GPtrArray *tables;       /* one GHashTable a file, lowest first */
  GHashTable *environment; /* above the files */
  GHashTable *overrides;   /* the command line's, above all */
  GPtrArray *monitors;
  GSource *reload_source;
};

gboolean _nebula_config_has_key (NebulaConfig *self, const char *key);
GVariant *_nebula_config_get_variant (NebulaConfig *self, const char *key);
