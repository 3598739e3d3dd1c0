/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One session per main context. It belongs to a private source of that context and is found by it, so that there is no
 * table to guard. A session holds its context; the source leaves it when nobody has used it for a while.
 */
#include "http-private.h"

#define IDLE_USEC (30 * G_USEC_PER_SEC)
#define MAX_CONNECTIONS 256
#define MAX_CONNECTIONS_PER_HOST 64

struct _NebulaHttpSession
{
  GSource source;

  SoupSession *session;
  guint n_users;
};

static gboolean
nebula_http_session_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return G_SOURCE_REMOVE;
}

static void
nebula_http_session_finalize (GSource *source)
{
  g_clear_object (&((NebulaHttpSession *) source)->session);
}

static GSourceFuncs session_funcs = {
  .dispatch = nebula_http_session_dispatch,
  .finalize = nebula_http_session_finalize,
};

/* Its address marks our sources among all of a context. */
static char mark;

static gboolean
never_called (gpointer data)
{
  return G_SOURCE_REMOVE;
}

static NebulaHttpSession *
create (GMainContext *context)
{
  GSource *source = g_source_new (&session_funcs, sizeof (NebulaHttpSession));
  NebulaHttpSession *self = (NebulaHttpSession *) source;

  self->session = soup_session_new_with_options ("max-conns", MAX_CONNECTIONS, "max-conns-per-host",
                                                 MAX_CONNECTIONS_PER_HOST, "proxy-resolver", NULL, NULL);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_AUTH_MANAGER);
  g_source_set_callback (source, never_called, &mark, NULL);
  g_source_set_static_name (source, "nebula-http-session");
  g_source_attach (source, context);
  return self;
}

NebulaHttpSession *
_nebula_http_session_acquire (GMainContext *context)
{
  GSource *found = g_main_context_find_source_by_funcs_user_data (context, &session_funcs, &mark);
  NebulaHttpSession *self = found != NULL ? (NebulaHttpSession *) g_source_ref (found) : create (context);

  self->n_users++;
  g_source_set_ready_time (&self->source, -1);
  return self;
}

SoupSession *
_nebula_http_session_get (NebulaHttpSession *self)
{
  return self->session;
}

void
_nebula_http_session_release (NebulaHttpSession *self)
{
  if (--self->n_users == 0)
    g_source_set_ready_time (&self->source, g_get_monotonic_time () + IDLE_USEC);
  g_source_unref (&self->source);
}
