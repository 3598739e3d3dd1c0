/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_CONFIG (nebula_config_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaConfig, nebula_config, NEBULA, CONFIG, GObject)

NEBULA_API NebulaConfig *nebula_config_new (const char *const *files, GError **error);
NEBULA_API NebulaConfig *nebula_config_new_default (GError **error);
NEBULA_API GSettings *nebula_config_get_settings (NebulaConfig *self);
NEBULA_API GSettings *nebula_config_get_settings_of (NebulaConfig *self, const char *owner, GError **error);
NEBULA_API gboolean nebula_config_check_file (NebulaConfig *self, const char *path, GError **error);
NEBULA_API gboolean nebula_config_reload (NebulaConfig *self, GError **error);

/* For the command line. */
NEBULA_API char **nebula_config_list (NebulaConfig *self);
NEBULA_API NebulaValue *nebula_config_get (NebulaConfig *self, const char *key, GError **error);
NEBULA_API NebulaValue *nebula_config_describe (NebulaConfig *self, const char *key, GError **error);
NEBULA_API gboolean nebula_config_set (NebulaConfig *self, const char *key, const char *text, GError **error);
NEBULA_API gboolean nebula_config_store (NebulaConfig *self, const char *key, const char *text, GError **error);

/* For the program: a key that is not in the schema is a fault of the program. */
NEBULA_API char *nebula_config_dup_string (NebulaConfig *self, const char *key);
NEBULA_API gint64 nebula_config_get_integer (NebulaConfig *self, const char *key);
NEBULA_API gboolean nebula_config_get_boolean (NebulaConfig *self, const char *key);
NEBULA_API gint64 nebula_config_get_usec (NebulaConfig *self, const char *key);
NEBULA_API guint64 nebula_config_get_bytes (NebulaConfig *self, const char *key);
NEBULA_API char **nebula_config_dup_strv (NebulaConfig *self, const char *key);

/* The log as the settings say, now and after every change. */
NEBULA_API gboolean nebula_config_apply_log (NebulaConfig *self, GError **error);

G_END_DECLS
