/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Events for services: a subscription of the bus in the engine's context, and a mailbox in the context of whoever listens.
 * Between the two only so many events wait; a listener that does not keep up loses the oldest, as the bus has it.
 */

#include "nebula-server-private.h"

#define WAITING_MOST 1024

struct _NebulaListener {
  gatomicrefcount references;
  NebulaServer *server;
  NebulaMailbox *mailbox; /* in the listener's context */
  NebulaEventCallback callback;
  gpointer user_data;
  GDestroyNotify destroy;
  NebulaCaller *caller;
  NebulaValue *filter;
  NebulaSubscription *subscription; /* engine's context */
  gint n_waiting;
  gint is_closed;
};

static NebulaListener *
listener_ref (NebulaListener *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
_nebula_listener_unref (gpointer data)
{
  NebulaListener *self = data;

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  nebula_mailbox_unref (self->mailbox);
  nebula_caller_unref (self->caller);
  g_clear_pointer (&self->filter, nebula_value_unref);
  g_free (self);
}

/* In the listener's context. */
static void
receive (gpointer letter, gpointer user_data)
{
  NebulaListener *self = user_data;
  g_autoptr (NebulaEvent) event = letter;

  g_atomic_int_add (&self->n_waiting, -1);
  if (!g_atomic_int_get (&self->is_closed))
    self->callback (event, self->user_data);
}

/* In the engine's context. */
static void
hear (NebulaEvent *event, gpointer user_data)
{
  NebulaListener *self = user_data;

  if (g_atomic_int_get (&self->is_closed) ||
      g_atomic_int_get (&self->n_waiting) >= WAITING_MOST)
    return;
  g_atomic_int_inc (&self->n_waiting);
  nebula_event_ref (event);
  if (!nebula_mailbox_post (self->mailbox, event))
    nebula_event_unref (event);
}

static const char *
get (NebulaListener *self, const char *key)
{
  return self->filter ? nebula_value_get_member_string (self->filter, key, NULL) : NULL;
}

static void
begin (NebulaServer *server, gpointer data)
{
  NebulaListener *self = data;
  const char *topic = get (self, "topic");
  NebulaSubscriptionOptions options = {
      .pattern = topic ? topic : "*",
      .tenant = nebula_caller_get_tenant (self->caller),
      .workflow = get (self, "workflow"),
      .execution = get (self, "execution"),
      .capacity = WAITING_MOST,
      .overflow = NEBULA_OVERFLOW_DROP_OLDEST,
  };

  if (!g_atomic_int_get (&self->is_closed))
    self->subscription = nebula_event_bus_subscribe_full (
        nebula_engine_get_event_bus (server->engine), &options, hear, listener_ref (self),
        _nebula_listener_unref);
  _nebula_listener_unref (self);
}

static void
end (NebulaServer *server, gpointer data)
{
  NebulaListener *self = data;

  if (self->subscription)
    nebula_subscription_cancel (self->subscription);
  g_clear_object (&self->subscription);
  _nebula_listener_unref (self);
}

guint
_nebula_server_subscribe (NebulaServiceHost *host,
                          NebulaCaller *caller,
                          NebulaValue *filter,
                          NebulaEventCallback callback,
                          gpointer user_data,
                          GDestroyNotify destroy)
{
  NebulaServer *server = NEBULA_SERVER (host);
  const char *topic =
      filter ? nebula_value_get_member_string (filter, "topic", NULL) : NULL;
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  NebulaListener *self;
  guint id;

  if (!nebula_caller_may (caller, NEBULA_PERMISSION_EVENT_READ) ||
      (topic && !nebula_event_is_pattern (topic))) {
    if (destroy)
      destroy (user_data);
    return 0;
  }
  self = g_new0 (NebulaListener, 1);
  g_atomic_ref_count_init (&self->references);
  self->server = server;
  self->mailbox = nebula_mailbox_new (context, G_PRIORITY_DEFAULT, receive, self);
  self->callback = callback;
  self->user_data = user_data;
  self->destroy = destroy;
  self->caller = nebula_caller_ref (caller);
  self->filter = filter ? nebula_value_ref (filter) : NULL;
  g_mutex_lock (&server->lock);
  id = ++server->next_listener;
  g_hash_table_insert (server->listeners, GUINT_TO_POINTER (id), self);
  g_mutex_unlock (&server->lock);
  _nebula_server_post (server, begin, _nebula_listener_unref, listener_ref (self));
  return id;
}

void
_nebula_server_unsubscribe (NebulaServiceHost *host, guint id)
{
  NebulaServer *server = NEBULA_SERVER (host);
  gpointer found = NULL;
  NebulaListener *self;

  g_mutex_lock (&server->lock);
  g_hash_table_steal_extended (server->listeners, GUINT_TO_POINTER (id), NULL, &found);
  g_mutex_unlock (&server->lock);
  if (!found)
    return;
  self = found;
  g_atomic_int_set (&self->is_closed, TRUE);
  nebula_mailbox_close (self->mailbox, (GDestroyNotify) nebula_event_unref);
  if (self->destroy)
    self->destroy (self->user_data);
  _nebula_server_post (server, end, _nebula_listener_unref, self);
}
