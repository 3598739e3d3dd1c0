/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"

G_BEGIN_DECLS

/**
 * NebulaModuleStatus:
 * @NEBULA_MODULE_STATUS_OK: its catalogue is known and its actions can be used
 * @NEBULA_MODULE_STATUS_BROKEN: it cannot be loaded; the reason says why
 * @NEBULA_MODULE_STATUS_REFUSED: its file or folder is not trusted, so that it was never opened
 */
typedef enum
{
  NEBULA_MODULE_STATUS_OK,
  NEBULA_MODULE_STATUS_BROKEN,
  NEBULA_MODULE_STATUS_REFUSED,
} NebulaModuleStatus;

/**
 * NebulaModuleInfo:
 *
 * What is known of one module file without loading it.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaModuleInfo NebulaModuleInfo;

#define NEBULA_TYPE_MODULE_INFO (nebula_module_info_get_type ())
NEBULA_API GType nebula_module_info_get_type (void);
NEBULA_API NebulaModuleInfo *nebula_module_info_ref (NebulaModuleInfo *self);
NEBULA_API void nebula_module_info_unref (NebulaModuleInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaModuleInfo, nebula_module_info_unref)
NEBULA_API const char *nebula_module_info_get_id (NebulaModuleInfo *self);
NEBULA_API const char *nebula_module_info_get_version (NebulaModuleInfo *self); /* empty unless ok */
NEBULA_API const char *nebula_module_info_get_title (NebulaModuleInfo *self);   /* empty unless ok */
NEBULA_API const char *nebula_module_info_get_path (NebulaModuleInfo *self);
NEBULA_API NebulaModuleStatus nebula_module_info_get_status (NebulaModuleInfo *self);
NEBULA_API const char *nebula_module_info_get_reason (NebulaModuleInfo *self); /* NULL if ok */
NEBULA_API guint nebula_module_info_get_n_actions (NebulaModuleInfo *self);
NEBULA_API NebulaValue *nebula_module_info_list_services (NebulaModuleInfo *self); /* [{name, title, type}] */
/* For what a module brings besides actions. */
NEBULA_API gboolean nebula_module_info_load (NebulaModuleInfo *self, GError **error);
NEBULA_API NebulaValue *nebula_module_info_to_value (NebulaModuleInfo *self);

G_END_DECLS
