/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define G_SETTINGS_ENABLE_BACKEND
#include <gio/gsettingsbackend.h>

#include "nebula-config.h"

#define NEBULA_CONFIG_PATH "/org/nebula/"

/* Values by key (without the path), each a sunk GVariant of the schema's type. */
GHashTable *_nebula_config_table_new (void);
/* NULL with an error that names file, line, key and reason; an empty table if there is no such file. */
GHashTable *_nebula_config_file_read (GSettingsSchema *schema, const char *path, GError **error);
GVariant *_nebula_config_parse_text (GSettingsSchema *schema, const char *key, const char *text, GError **error);
gboolean _nebula_config_check_key (GSettingsSchema *schema, const char *key, GError **error);
/* "duration", "size", "levels", or NULL for plain types. */
const char *_nebula_config_get_text_kind (const char *key);
/* Writes one key into a file, which keeps its other keys. */
gboolean _nebula_config_file_write (GSettingsSchema *schema,
                                    const char *path,
                                    const char *key,
                                    GVariant *variant,
                                    GError **error);

gboolean _nebula_config_has_key (NebulaConfig *self, const char *key);

#define NEBULA_TYPE_CONFIG_BACKEND (_nebula_config_backend_get_type ())
G_DECLARE_FINAL_TYPE (NebulaConfigBackend, _nebula_config_backend, NEBULA, CONFIG_BACKEND, GSettingsBackend)

NebulaConfigBackend *_nebula_config_backend_new (void);
/* Puts a whole table in place and tells GSettings of each key that differs; gives their names. */
GPtrArray *_nebula_config_backend_replace (NebulaConfigBackend *self, GHashTable *table);
