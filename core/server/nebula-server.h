/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"
#include "nebula-registry.h"
#include "nebula-service.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_SERVER (nebula_server_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaServer, nebula_server, NEBULA, SERVER, GObject)

/* Lives in the engine's context. It is a NebulaServiceHost: ask it with a NebulaCaller. @options: what services are told. */
NEBULA_API NebulaServer *nebula_server_new (NebulaEngine *engine, NebulaRegistry *registry, NebulaValue *options, GError **error);
NEBULA_API gboolean nebula_server_add_service (NebulaServer *self, NebulaService *service, GError **error);
/* All services of all modules, or those that @names lists. */
NEBULA_API gboolean nebula_server_load_services (NebulaServer *self, const char *const *names, GError **error);
NEBULA_API gboolean nebula_server_start (NebulaServer *self, GError **error);
NEBULA_API char **nebula_server_list_addresses (NebulaServer *self);
/* A secret that makes the first user, once; NULL if there are users. */
NEBULA_API char *nebula_server_begin_set_up (NebulaServer *self);
/* Takes nothing new, and waits for what runs, at most so long; then all services have ended. */
NEBULA_API void nebula_server_drain_async (NebulaServer *self, gint64 patience_usec, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gboolean nebula_server_drain_finish (NebulaServer *self, GAsyncResult *result, GError **error);
/* Ends all at once; before the engine stops. */
NEBULA_API void nebula_server_stop (NebulaServer *self);

G_END_DECLS
