/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gmodule.h>

#include "nebula-action.h"
#include "nebula-service.h"

G_BEGIN_DECLS

#define NEBULA_MODULE_ABI 1

/**
 * NebulaModuleRegistrar: (skip)
 *
 * What a module registers its types with; lives during the call only.
 */
typedef struct _NebulaModuleRegistrar NebulaModuleRegistrar;

NEBULA_API void nebula_module_registrar_add_action (NebulaModuleRegistrar *self, GType action_type);
/* A part of the server: a type derived from NebulaService. */
NEBULA_API void nebula_module_registrar_add_service (NebulaModuleRegistrar *self, GType service_type);
/* A pure function for expressions; its strings must be static. */
NEBULA_API void nebula_module_registrar_add_function (NebulaModuleRegistrar *self, const NebulaFunctionDescriptor *descriptor);

/**
 * NebulaModuleDescriptor: (skip)
 * @abi: %NEBULA_MODULE_ABI of the headers that it was built with
 * @size: size of this structure in those headers
 * @id: `[a-z0-9-]{1,64}`
 * @version: semantic version
 * @title: name for people, marked for translation
 * @register_types: registers the module's types, each GType name with the prefix `Nebula<Module>`
 *
 * The one symbol that a module exports.
 */
typedef struct
{
  guint32 abi;
  guint32 size;
  const char *id;
  const char *version;
  const char *title;
  void (*register_types) (NebulaModuleRegistrar *registrar);
} NebulaModuleDescriptor;

/* For the module host alone: opens a module here and writes its catalogue; it may crash. */
NEBULA_API NebulaValue *nebula_module_describe (const char *path, int fd, GError **error);

#define NEBULA_MODULE_SYMBOL "nebula_module"

/* NEBULA_DEFINE_MODULE (http, "1.2.0", N_("HTTP"), register_types) */
#define NEBULA_DEFINE_MODULE(id_, version_, title_, register_types_)                                                  \
  G_MODULE_EXPORT const NebulaModuleDescriptor nebula_module;                                                          \
  const NebulaModuleDescriptor nebula_module = { NEBULA_MODULE_ABI, sizeof (NebulaModuleDescriptor), #id_, version_, \
                                                 title_, register_types_ };

G_END_DECLS
