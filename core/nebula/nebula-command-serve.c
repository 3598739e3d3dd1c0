/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula serve: an engine over a store, and the services of all modules beside it, until somebody asks it to stop. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-retention.h"
#include "nebula-server.h"
#include "nebula-serving-private.h"
#include "nebula-settings-private.h"

typedef struct {
  char **listen;
  char *listen_unix;
  char *folder;
  char **services;
} ServeOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXTS (
        ServeOptions,
        listen,
        "listen",
        0,
        N_ ("Where to listen (127.0.0.1:7070); more than once for more places"),
        N_ ("ADDR:PORT")),
    NEBULA_OPTION_TEXT (ServeOptions,
                        listen_unix,
                        "listen-unix",
                        0,
                        N_ ("Listens on a Unix socket, too"),
                        N_ ("PATH")),
    NEBULA_OPTION_TEXT (ServeOptions,
                        folder,
                        "data-dir",
                        0,
                        N_ ("Folder of the store and of all else the server keeps"),
                        N_ ("DIR")),
    NEBULA_OPTION_TEXTS (
        ServeOptions,
        services,
        "service",
        0,
        N_ ("Only this service, instead of all that modules bring; repeatable"),
        N_ ("NAME")),
};

typedef struct {
  const ServeOptions *options;
  NebulaSettings settings;
  NebulaConfig *config;
  char *folder;
  NebulaSession session;
  NebulaServer *server;
  gboolean is_over;
  gboolean is_sealed;
} Serve;

static void
serve_clear (Serve *self)
{
  if (self->session.control)
    nebula_control_server_set_host (self->session.control, NULL);
  if (self->server)
    nebula_server_stop (self->server);
  g_clear_object (&self->server);
  nebula_session_clear (&self->session);
  g_clear_object (&self->config);
  g_free (self->folder);
  nebula_settings_clear (&self->settings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Serve, serve_clear)

static void
drained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Serve *self = user_data;

  if (!nebula_server_drain_finish (NEBULA_SERVER (source), result, NULL))
    nebula_note ("%s", _ ("Some requests were cut off."));
  self->is_over = TRUE;
}

static void
interrupted (gpointer user_data)
{
  Serve *self = user_data;

  nebula_note ("%s", _ ("Stopping… (once more to kill)"));
  nebula_server_drain_async (self->server,
                             nebula_config_get_usec (self->config, "drain-timeout"),
                             drained, self);
}

static void
hear_fatal (NebulaEvent *event, gpointer user_data)
{
  Serve *self = user_data;
  NebulaValue *data = nebula_event_get_data (event);

  nebula_complain (
      _ ("The store failed for good: %s. Start again; all goes on from its last safe state."),
      data ? nebula_value_get_member_string (data, "message", "?") : "?");
  self->is_sealed = TRUE;
  self->is_over = TRUE;
}

static void
set_up (NebulaServer *server, gpointer user_data)
{
  Serve *self = user_data;

  nebula_serving_remove_link (self->folder);
  nebula_note ("%s", _ ("The first user has been made."));
}

static gboolean
open_all (Serve *self, GError **error)
{
  g_autofree char *store = NULL;

  if (!nebula_settings_load (&self->settings, NULL, error))
    return FALSE;
  self->config = self->settings.config ? g_object_ref (self->settings.config)
                                       : nebula_config_new_default (error);
  if (!self->config)
    return FALSE;
  self->folder = nebula_serving_make_folder (self->config, self->options->folder, error);
  if (!self->folder)
    return FALSE;
  store = nebula_serving_get_store (self->folder);
  if (!nebula_session_open (&self->session, store, NEBULA_SESSION_OWN, error))
    return FALSE;
  nebula_engine_set_limits (self->session.engine, self->settings.max_nodes,
                            self->settings.max_connections);
  nebula_engine_set_retention (self->session.engine, self->settings.retention_usec,
                               self->settings.retention_failed_usec,
                               self->settings.retention_keep);
  nebula_session_watch_memory (&self->session, self->settings.memory_limit);
  return TRUE;
}

static gboolean
start (Serve *self, GError **error)
{
  g_autoptr (NebulaValue) told = nebula_serving_make_options (
      self->config, self->folder, self->options->listen, self->options->listen_unix);

  self->server =
      nebula_server_new (self->session.engine, self->session.registry, told, error);
  if (!self->server ||
      !nebula_server_load_services (
          self->server, (const char *const *) self->options->services, error) ||
      !nebula_server_start (self->server, error))
    return FALSE;
  if (self->session.control)
    nebula_control_server_set_host (self->session.control,
                                    NEBULA_SERVICE_HOST (self->server));
  return nebula_engine_recover (self->session.engine, error) >= 0;
}

/* The link that makes the first user; NULL: there are users. It stands in its file before anything is told. */
static char *
make_link (Serve *self, const char *address)
{
  g_autofree char *secret = nebula_server_begin_set_up (self->server);
  g_autofree char *link = NULL;
  g_autoptr (GError) error = NULL;

  if (!secret) {
    nebula_serving_remove_link (self->folder);
    return NULL;
  }
  link = g_strconcat (address ? address : "", "/setup?secret=", secret, NULL);
  g_signal_connect (self->server, "set-up", G_CALLBACK (set_up), self);
  if (!nebula_serving_write_link (self->folder, link, &error))
    nebula_complain_error (error);
  return g_steal_pointer (&link);
}

static void
tell (Serve *self)
{
  g_auto (GStrv) addresses = nebula_server_list_addresses (self->server);
  g_autofree char *link = make_link (self, addresses[0]);

  for (guint i = 0; addresses[i]; i++)
    nebula_note (_ ("Listening on %s"), addresses[i]);
  if (link)
    nebula_note (_ ("There is no user yet. Make the first one, once, at %s"), link);
  if (!addresses[0])
    nebula_note ("%s", _ ("No service listens; the engine runs what its store holds."));
}

static int
run (gpointer data, char **arguments)
{
  g_auto (Serve) self = {.options = data};
  g_autoptr (NebulaSubscription) fatal = NULL;
  g_autoptr (GError) error = NULL;

  if (!open_all (&self, &error) || !start (&self, &error))
    return nebula_fail (error, FALSE);
  fatal = nebula_event_bus_subscribe (nebula_engine_get_event_bus (self.session.engine),
                                      "system.fatal", NULL, hear_fatal, &self, NULL);
  nebula_interrupts_watch (interrupted, &self);
  tell (&self);
  while (!self.is_over)
    g_main_context_iteration (NULL, TRUE);
  nebula_interrupts_unwatch ();
  nebula_subscription_cancel (fatal);
  return self.is_sealed ? NEBULA_EXIT_RESTART : NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_serve = {
    .name = "serve",
    .summary = N_ ("Runs the server: the engine and the services of all modules"),
    .arguments = "",
    .details = N_ (
        "The first start prints a link that makes the first user, once; it stands in the file “first-user” "
        "of the data folder, too. SIGTERM ends the server when what it has begun to answer is answered.\n\n"
        "Examples:\n"
        "  nebula serve\n"
        "  nebula serve --listen 127.0.0.1:8080 --data-dir /var/lib/nebula"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ServeOptions),
    .run = run,
};
