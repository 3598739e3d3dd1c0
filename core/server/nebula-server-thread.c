/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A service in a thread of its own. */

#include "nebula-server-private.h"

struct _NebulaServiceThread {
  NebulaServer *server; /* borrowed: it outlives the thread */
  NebulaService *service;
  GMainContext *context;
  GMainLoop *loop;
  NebulaExecutor *thread; /* of one thread, which does nothing else; NULL: not started */
  GMutex lock; /* guards all below */
  GCond changed;
  gboolean is_ready; /* started, or failed to */
  gboolean is_ended;
  gboolean is_running;
  GError *error;
  gboolean is_drained; /* owner's context only */
};

static void
drained (NebulaServer *server, gpointer data)
{
  NebulaServiceThread *self = data;

  self->is_drained = TRUE;
  _nebula_server_drained (server);
}

static void
service_drained (NebulaService *service, gpointer user_data)
{
  NebulaServiceThread *self = user_data;

  _nebula_server_post (self->server, drained, NULL, self);
}

static void
run (gpointer data)
{
  NebulaServiceThread *self = data;
  GError *error = NULL;
  gboolean is_running;

  g_main_context_push_thread_default (self->context);
  is_running =
      nebula_service_attach (self->service, NEBULA_SERVICE_HOST (self->server), &error);
  g_mutex_lock (&self->lock);
  self->is_ready = TRUE;
  self->is_running = is_running;
  self->error = error;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  if (is_running) {
    g_main_loop_run (self->loop);
    nebula_service_stop (self->service);
  }
  /* What was on its way to the service is heard, so that nothing leaks. */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_clear_object (&self->service); /* in its own thread */
  g_main_context_pop_thread_default (self->context);
  g_mutex_lock (&self->lock);
  self->is_ended = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

NebulaServiceThread *
_nebula_service_thread_new (NebulaServer *server, NebulaService *service)
{
  NebulaServiceThread *self = g_new0 (NebulaServiceThread, 1);

  self->server = server;
  self->service = g_object_ref (service);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  return self;
}

NebulaService *
_nebula_service_thread_get_service (NebulaServiceThread *self)
{
  return self->service;
}

gboolean
_nebula_service_thread_start (NebulaServiceThread *self, GError **error)
{
  gboolean is_running;

  g_signal_connect (self->service, "drained", G_CALLBACK (service_drained), self);
  self->thread = nebula_executor_new (1);
  nebula_executor_push (self->thread, run, self);
  g_mutex_lock (&self->lock);
  while (!self->is_ready)
    g_cond_wait (&self->changed, &self->lock);
  is_running = self->is_running;
  if (self->error)
    g_propagate_error (error, g_steal_pointer (&self->error));
  g_mutex_unlock (&self->lock);
  return is_running;
}

static gboolean
drain (gpointer data)
{
  NebulaServiceThread *self = data;

  nebula_service_drain (self->service);
  return G_SOURCE_REMOVE;
}

static gboolean
quit (gpointer data)
{
  NebulaServiceThread *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
call (NebulaServiceThread *self, GSourceFunc function)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, function, self, NULL);
  g_source_attach (source, self->context);
}

void
_nebula_service_thread_drain (NebulaServiceThread *self)
{
  if (self->is_running)
    call (self, drain);
  else
    self->is_drained = TRUE;
}

gboolean
_nebula_service_thread_is_drained (NebulaServiceThread *self)
{
  return self->is_drained;
}

void
_nebula_service_thread_free (NebulaServiceThread *self)
{
  if (self->thread) {
    if (self->is_running)
      call (self, quit);
    g_mutex_lock (&self->lock);
    while (!self->is_ended)
      g_cond_wait (&self->changed, &self->lock);
    g_mutex_unlock (&self->lock);
  }
  g_clear_object (&self->thread);
  g_clear_object (&self->service);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_clear_error (&self->error);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self);
}
