/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action-resolver.h"
#include "nebula-module-info.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_REGISTRY (nebula_registry_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaRegistry, nebula_registry, NEBULA, REGISTRY, GObject)

NEBULA_API NebulaRegistry *nebula_registry_new (void);
/* Searches the folders, reads the cache, probes what is new. Broken modules are no error: see list_modules. */
NEBULA_API gboolean nebula_registry_load (NebulaRegistry *self, GError **error);
/* Where modules run, and how their hosts are kept; see the comment of the function. Before any action is used. */
NEBULA_API gboolean nebula_registry_set_hosting (NebulaRegistry *self, NebulaValue *options, GError **error);
NEBULA_API const char *nebula_registry_get_isolation (NebulaRegistry *self, NebulaModuleInfo *module);
NEBULA_API char *nebula_registry_get_quarantine_reason (NebulaRegistry *self, NebulaModuleInfo *module);
NEBULA_API gboolean nebula_registry_add_action (NebulaRegistry *self, GType action_type, GError **error);
NEBULA_API GPtrArray *nebula_registry_list_actions (NebulaRegistry *self); /* NebulaActionInfo by id, newest first */
NEBULA_API GPtrArray *nebula_registry_list_modules (NebulaRegistry *self); /* NebulaModuleInfo by id */
NEBULA_API GPtrArray *nebula_registry_search (NebulaRegistry *self, const char *text, guint limit);
/* Emits ::module-found for each file that appears or changes in a folder of the search path. */
NEBULA_API gboolean nebula_registry_watch (NebulaRegistry *self, GError **error);
NEBULA_API char **nebula_registry_get_default_search_path (void);
NEBULA_API char **nebula_registry_make_search_path (const char *const *folders);

G_END_DECLS
