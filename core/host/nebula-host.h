/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-invocation.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_HOST (nebula_host_get_type ())
NEBULA_API
G_DECLARE_FINAL_TYPE (NebulaHost, nebula_host, NEBULA, HOST, GObject)

/* For the programs that host a module, in whatever language: load it, say what it brings, then pull work. */
NEBULA_API NebulaHost *nebula_host_new (const char *const *arguments, GError **error);
NEBULA_API const char *nebula_host_get_path (NebulaHost *self);
NEBULA_API const char *nebula_host_get_module_id (NebulaHost *self);
NEBULA_API char *nebula_host_get_location (NebulaHost *self);
NEBULA_API GBytes *nebula_host_read_module (NebulaHost *self, GError **error);
NEBULA_API gboolean nebula_host_load (NebulaHost *self, GError **error);
NEBULA_API void
nebula_host_describe_module (NebulaHost *self, const char *version, const char *title);
NEBULA_API gboolean nebula_host_add_action (NebulaHost *self,
                                            GType action_type,
                                            GError **error);
NEBULA_API gboolean nebula_host_describe_action (NebulaHost *self,
                                                 NebulaValue *description,
                                                 GError **error);
NEBULA_API void nebula_host_fail (NebulaHost *self, const char *message);
NEBULA_API void nebula_host_fail_with_error (NebulaHost *self, const GError *error);
NEBULA_API NebulaInvocation *nebula_host_next (NebulaHost *self);
NEBULA_API NebulaAction *nebula_host_create_action (NebulaHost *self,
                                                    NebulaInvocation *invocation,
                                                    GError **error);
NEBULA_API NebulaValue *nebula_host_get_parameters (NebulaHost *self,
                                                    NebulaInvocation *invocation);

/* Functions for expressions. */
NEBULA_API gboolean nebula_host_describe_function (NebulaHost *self,
                                                   NebulaValue *description,
                                                   GError **error);
NEBULA_API const char *nebula_host_get_function (NebulaHost *self,
                                                 NebulaInvocation *invocation);
NEBULA_API void nebula_host_call_function (NebulaHost *self, NebulaInvocation *invocation);

G_END_DECLS
