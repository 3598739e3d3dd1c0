/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nebula-service-host.h"

G_DEFINE_INTERFACE (NebulaServiceHost, nebula_service_host, G_TYPE_OBJECT)

static void
nebula_service_host_default_init (NebulaServiceHostInterface *iface)
{
}

/**
 * nebula_service_host_get_options:
 * @self: a host
 *
 * What services are told when they start: an object such as `{listen: ["127.0.0.1:8080"], "data-directory": "…"}`.
 *
 * Thread: any.
 *
 * Returns: (transfer none): an object that lives as long as @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_service_host_get_options (NebulaServiceHost *self)
{
  g_return_val_if_fail (NEBULA_IS_SERVICE_HOST (self), NULL);

  return NEBULA_SERVICE_HOST_GET_IFACE (self)->get_options (self);
}

/**
 * nebula_service_host_authenticate:
 * @self: a host
 * @token: what somebody shows
 * @error: where the failure goes
 *
 * Finds out who shows a token. It is a look-up in memory: no call to the engine.
 *
 * Thread: any.
 *
 * Errors: %NEBULA_ERROR_PERMISSION_DENIED (terminal): unknown, expired or revoked; it does not say which.
 *
 * Returns: (transfer full): the caller
 *
 * Since: 1.0
 */
NebulaCaller *
nebula_service_host_authenticate (NebulaServiceHost *self,
                                  const char *token,
                                  GError **error)
{
  g_return_val_if_fail (NEBULA_IS_SERVICE_HOST (self), NULL);
  g_return_val_if_fail (token != NULL, NULL);

  return NEBULA_SERVICE_HOST_GET_IFACE (self)->authenticate (self, token, error);
}

/**
 * nebula_service_host_is_set_up:
 * @self: a host
 *
 * Whether there is a user. As long as there is none, nothing but the way to make the first one is open.
 *
 * Thread: any.
 *
 * Returns: %TRUE if there is
 *
 * Since: 1.0
 */
gboolean
nebula_service_host_is_set_up (NebulaServiceHost *self)
{
  g_return_val_if_fail (NEBULA_IS_SERVICE_HOST (self), FALSE);

  return NEBULA_SERVICE_HOST_GET_IFACE (self)->is_set_up (self);
}

/**
 * nebula_service_host_ask_async:
 * @self: a host
 * @caller: who asks
 * @request: an object `{op, …}`; with `idempotency: {key, route}` it is done once
 * @cancellable: (nullable): stops waiting; what was begun goes on
 * @callback: (scope async) (closure user_data): called once, in the context this was called from
 * @user_data: data for @callback
 *
 * Asks for an operation. It is done in the engine's context or in a reader's thread, and answered after its commit.
 *
 * Thread: any.
 *
 * Errors: %NEBULA_ERROR_PERMISSION_DENIED (terminal): the caller's role does not hold what the operation needs;
 * %NEBULA_ERROR_UNSUPPORTED (terminal): no such operation; those of the operation.
 *
 * Since: 1.0
 */
void
nebula_service_host_ask_async (NebulaServiceHost *self,
                               NebulaCaller *caller,
                               NebulaValue *request,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_return_if_fail (NEBULA_IS_SERVICE_HOST (self));
  g_return_if_fail (caller != NULL && request != NULL);

  NEBULA_SERVICE_HOST_GET_IFACE (self)->ask (self, caller, request, cancellable, callback,
                                             user_data);
}

/**
 * nebula_service_host_ask_finish:
 * @self: a host
 * @result: what the callback got
 * @ret_is_replayed: (out) (optional): whether it is the stored answer to an earlier call with the same key
 * @error: where the failure goes
 *
 * Ends nebula_service_host_ask_async().
 *
 * Returns: (transfer full): the answer
 *
 * Since: 1.0
 */
NebulaValue *
nebula_service_host_ask_finish (NebulaServiceHost *self,
                                GAsyncResult *result,
                                gboolean *ret_is_replayed,
                                GError **error)
{
  gboolean is_replayed = FALSE;
  NebulaValue *answer;

  g_return_val_if_fail (NEBULA_IS_SERVICE_HOST (self), NULL);

  answer = NEBULA_SERVICE_HOST_GET_IFACE (self)->ask_finish (self, result, &is_replayed,
                                                             error);
  if (ret_is_replayed)
    *ret_is_replayed = is_replayed;
  return answer;
}

/**
 * nebula_service_host_subscribe:
 * @self: a host
 * @caller: who listens; only events of its tenant come
 * @filter: (nullable): an object {topic, workflow, execution}
 * @callback: (scope notified) (closure user_data) (destroy destroy): called for each event, in the thread-default context
 *   of this call
 * @user_data: data for @callback
 * @destroy: frees @user_data, in the same context, after the last call
 *
 * Listens to events as they are committed. A listener that is too slow loses the oldest ones.
 *
 * Thread: any.
 *
 * Returns: an id for nebula_service_host_unsubscribe(); 0 if the caller may not, and then @destroy was called
 *
 * Since: 1.0
 */
guint
nebula_service_host_subscribe (NebulaServiceHost *self,
                               NebulaCaller *caller,
                               NebulaValue *filter,
                               NebulaEventCallback callback,
                               gpointer user_data,
                               GDestroyNotify destroy)
{
  g_return_val_if_fail (NEBULA_IS_SERVICE_HOST (self), 0);
  g_return_val_if_fail (caller != NULL && callback != NULL, 0);

  return NEBULA_SERVICE_HOST_GET_IFACE (self)->subscribe (self, caller, filter, callback,
                                                          user_data, destroy);
}

/**
 * nebula_service_host_unsubscribe:
 * @self: a host
 * @id: what nebula_service_host_subscribe() gave
 *
 * Ends a subscription, from the context that began it: the callback is not called any more.
 *
 * Since: 1.0
 */
void
nebula_service_host_unsubscribe (NebulaServiceHost *self, guint id)
{
  g_return_if_fail (NEBULA_IS_SERVICE_HOST (self));

  NEBULA_SERVICE_HOST_GET_IFACE (self)->unsubscribe (self, id);
}
