/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "nebula-caller.h"
#include "nebula-event-bus.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_SERVICE_HOST (nebula_service_host_get_type ())
NEBULA_API G_DECLARE_INTERFACE (NebulaServiceHost, nebula_service_host, NEBULA, SERVICE_HOST, GObject)

/**
 * NebulaServiceHost:
 *
 * What runs services, and answers what they ask.
 */

/**
 * NebulaServiceHostInterface:
 * @get_options: what services are told when they start: an object
 * @authenticate: who holds a token; %NULL with error if nobody does
 * @is_set_up: whether there is anybody who could be known
 * @ask: begins a request
 * @ask_finish: ends it
 * @subscribe: begins to deliver events
 * @unsubscribe: ends it
 *
 * What a service may ask of the server that runs it. All may be called in any thread; answers come in the context from
 * which they were asked for.
 */
struct _NebulaServiceHostInterface
{
  GTypeInterface parent_iface;

  NebulaValue *(*get_options) (NebulaServiceHost *self);
  NebulaCaller *(*authenticate) (NebulaServiceHost *self, const char *token, GError **error);
  gboolean (*is_set_up) (NebulaServiceHost *self);
  void (*ask) (NebulaServiceHost *self, NebulaCaller *caller, NebulaValue *request, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
  NebulaValue *(*ask_finish) (NebulaServiceHost *self, GAsyncResult *result, gboolean *ret_is_replayed, GError **error);
  guint (*subscribe) (NebulaServiceHost *self, NebulaCaller *caller, NebulaValue *filter, NebulaEventCallback callback, gpointer user_data, GDestroyNotify destroy);
  void (*unsubscribe) (NebulaServiceHost *self, guint id);

  gpointer _reserved[8];
};

NEBULA_API NebulaValue *nebula_service_host_get_options (NebulaServiceHost *self);
NEBULA_API NebulaCaller *nebula_service_host_authenticate (NebulaServiceHost *self, const char *token, GError **error);
NEBULA_API gboolean nebula_service_host_is_set_up (NebulaServiceHost *self);
/* @request: {op, …}; docs/serving.md lists the operations. */
NEBULA_API void nebula_service_host_ask_async (NebulaServiceHost *self, NebulaCaller *caller, NebulaValue *request, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API NebulaValue *nebula_service_host_ask_finish (NebulaServiceHost *self, GAsyncResult *result, gboolean *ret_is_replayed, GError **error);
/* @filter: {topic?, workflow?, execution?}. 0: the caller may not. */
NEBULA_API guint nebula_service_host_subscribe (NebulaServiceHost *self, NebulaCaller *caller, NebulaValue *filter, NebulaEventCallback callback, gpointer user_data, GDestroyNotify destroy);
NEBULA_API void nebula_service_host_unsubscribe (NebulaServiceHost *self, guint id);

G_END_DECLS
