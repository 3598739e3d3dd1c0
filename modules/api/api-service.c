/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The service: listeners, connections and their limits, and what all requests share. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "config.h"

#include "api-listener.h"
#include "api-private.h"

#define CONNECTIONS      1024
#define PER_ADDRESS      64
#define RATE             200
#define BURST_SECONDS    4
#define SECRETS          10  /* guesses of one address at once … */
#define SECRETS_RATE     0.1 /* … and a second */
#define ANONYMOUS_BYTES  (64 * 1024)

struct _NebulaApiService {
  NebulaService parent_instance;

  SoupServer *server;
  GPtrArray *listeners;
  GHashTable *guards;    /* ApiGuard, borrowed */
  GHashTable *addresses; /* address → how many connections */
  GHashTable *requests;  /* ApiRequest, borrowed */
  GHashTable *channels;  /* filter → ApiChannel */
  GSource *sweep;
  ApiRouter *router;
  ApiRate *rates[API_RATE_SECRET + 1];
  NebulaCatalog *catalog;
  NebulaValue *schemas;
  GHashTable *compiled; /* name → NebulaJsonSchema */
  NebulaValue *document;
  GHashTable *hosts; /* names by which we are called */
  guint connections_most;
  guint per_address;
  gint64 body_limit;
  gboolean is_draining;
};

#define NEBULA_TYPE_API_SERVICE (nebula_api_service_get_type ())
GType nebula_api_service_get_type (void);
typedef struct {
  NebulaServiceClass parent_class;
} NebulaApiServiceClass;
typedef ApiService NebulaApiService;
G_DEFINE_TYPE (NebulaApiService, nebula_api_service, NEBULA_TYPE_SERVICE)

NebulaServiceHost *
api_service_get_host (ApiService *self)
{
  return nebula_service_get_host (NEBULA_SERVICE (self));
}

ApiRouter *
api_service_get_router (ApiService *self)
{
  return self->router;
}

NebulaCatalog *
api_service_get_catalog (ApiService *self)
{
  return self->catalog;
}

ApiRate *
api_service_get_rate (ApiService *self, ApiRateClass rate)
{
  return self->rates[rate];
}

gint64
api_service_get_body_limit (ApiService *self)
{
  return self->body_limit;
}

GHashTable *
api_service_get_channels (ApiService *self)
{
  return self->channels;
}

gboolean
api_service_is_draining (ApiService *self)
{
  return self->is_draining;
}

/* Made when somebody first asks: most servers are never asked. */
NebulaValue *
api_service_get_document (ApiService *self)
{
  if (!self->document)
    self->document = api_openapi_make (api_routes, api_n_routes);
  return self->document;
}

NebulaJsonSchema *
api_service_get_schema (ApiService *self, const char *name)
{
  NebulaJsonSchema *schema = g_hash_table_lookup (self->compiled, name);

  if (schema)
    return schema;
  if (!self->schemas)
    self->schemas = api_schemas_get ();
  schema = api_schemas_compile (self->schemas, name, NULL);
  g_return_val_if_fail (schema != NULL, NULL);
  g_hash_table_insert (self->compiled, g_strdup (name), schema);
  return schema;
}

static void
finish_drain (ApiService *self)
{
  if (self->is_draining && g_hash_table_size (self->requests) == 0)
    nebula_service_set_drained (NEBULA_SERVICE (self));
}

void
api_service_begin_request (ApiService *self, ApiRequest *request)
{
  g_hash_table_add (self->requests, request);
}

void
api_service_end_request (ApiService *self, ApiRequest *request)
{
  g_hash_table_remove (self->requests, request);
  finish_drain (self);
}

/* What the guard asks. */

/* The name without the port. A name that is nobody's could be anybody's page that points at us (DNS rebinding). */
static gboolean
is_our_host (ApiService *self, const char *host)
{
  g_autofree char *name = NULL;
  const char *end = host[0] == '[' ? strchr (host, ']') : strrchr (host, ':');

  if (host[0] == '[')
    return end && g_hostname_is_ip_address ((name = g_strndup (host + 1, (gsize) (end - host) - 1)));
  name = g_ascii_strdown (host, end ? end - host : -1);
  return g_hostname_is_ip_address (name) || g_str_equal (name, "localhost") ||
         g_hash_table_contains (self->hosts, name);
}

/* Whoever shows nothing may not send much, either. */
static gint64
get_limit (ApiService *self, const ApiHead *head, const ApiRoute *route)
{
  gint64 limit = route ? (gint64) route->body_bytes : ANONYMOUS_BYTES; /* 404 and 405 are answered, too */

  if (limit > self->body_limit)
    limit = self->body_limit;
  return api_head_get (head, "authorization") ? limit : MIN (limit, ANONYMOUS_BYTES);
}

static guint
admit (const ApiHead *head, gint64 *ret_limit, gpointer user_data)
{
  ApiService *self = user_data;
  const char *host = api_head_get (head, "host");
  const char *query = strchr (head->target, '?');
  g_autofree char *path = query ? g_strndup (head->target, (gsize) (query - head->target))
                                : g_strdup (head->target);
  char *parameters[API_PARAMETERS_MOST] = {NULL};
  g_autofree char *allow = NULL;
  const ApiRoute *route = api_router_find (self->router, head->method, path, parameters, &allow);

  for (guint i = 0; i < API_PARAMETERS_MOST; i++)
    g_free (parameters[i]);
  if (host && !is_our_host (self, host))
    return 421;
  *ret_limit = get_limit (self, head, route);
  return 0;
}

static char *
refuse (guint status, const char *accept_language, gpointer user_data)
{
  return api_answer_make_refusal (((ApiService *) user_data)->catalog, status,
                                  accept_language);
}

static void
closed (ApiGuard *guard, gpointer user_data)
{
  ApiService *self = user_data;
  const char *address = api_guard_get_address (guard);
  guint n_left = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, address)) - 1;

  if (!g_hash_table_remove (self->guards, guard))
    return;
  if (n_left > 0)
    g_hash_table_insert (self->addresses, g_strdup (address), GUINT_TO_POINTER (n_left));
  else
    g_hash_table_remove (self->addresses, address);
}

/* Connections. */

static char *
get_address (GSocketAddress *address)
{
  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return g_strdup ("unix");
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

static gboolean
has_place (ApiService *self, const char *address, guint n_of_address)
{
  return g_hash_table_size (self->guards) < self->connections_most &&
         (g_str_equal (address, "unix") || n_of_address < self->per_address);
}

static void
turn_away (GSocket *socket)
{
  static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n";

  g_socket_send (socket, answer, sizeof answer - 1, NULL, NULL);
  g_socket_close (socket, NULL);
}

static void
accepted (GSocket *socket, gpointer user_data)
{
  ApiService *self = user_data;
  g_autoptr (GSocketAddress) remote = g_socket_get_remote_address (socket, NULL);
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  g_autofree char *address = remote ? get_address (remote) : NULL;
  g_autoptr (NebulaApiGuard) guard = NULL;
  ApiGuardCalls calls = {admit, refuse, closed, self};
  guint n_connections;

  if (!address || !local)
    return;
  n_connections = GPOINTER_TO_UINT (g_hash_table_lookup (self->addresses, address));
  if (!has_place (self, address, n_connections)) {
    turn_away (socket);
    return;
  }
  guard = api_guard_new (socket, address, &calls);
  g_hash_table_add (self->guards, guard);
  g_hash_table_insert (self->addresses, g_strdup (address),
                       GUINT_TO_POINTER (n_connections + 1));
  soup_server_accept_iostream (self->server, G_IO_STREAM (guard), local, remote, NULL);
}

static gboolean
is_stale (gpointer key, gpointer channel, gpointer user_data)
{
  return api_channel_is_stale (channel, *(gint64 *) user_data);
}

static gboolean
sweep (gpointer user_data)
{
  ApiService *self = user_data;
  g_autoptr (GPtrArray) guards = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 now_usec = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer guard;

  g_hash_table_iter_init (&iter, self->guards);
  while (g_hash_table_iter_next (&iter, &guard, NULL))
    g_ptr_array_add (guards, g_object_ref (guard));
  for (guint i = 0; i < guards->len; i++)
    api_guard_sweep (guards->pdata[i], now_usec, self->is_draining);
  g_hash_table_foreach_remove (self->channels, is_stale, &now_usec);
  return G_SOURCE_CONTINUE;
}

/* Requests. */

static void
handle (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  api_request_begin (user_data, message);
}

/* Start and end. */

static gboolean
listen_on (ApiService *self, ApiListener *listener)
{
  if (!listener)
    return FALSE;
  g_ptr_array_add (self->listeners, listener);
  nebula_service_add_address (NEBULA_SERVICE (self), api_listener_get_url (listener));
  return TRUE;
}

/* The library keeps connections open only while it listens somewhere itself (soup-server.c, 3.2). */
static gboolean
let_connections_live (ApiService *self, GError **error)
{
  g_autoptr (GSocket) deaf = api_listener_make_deaf (error);

  return deaf && soup_server_listen_socket (self->server, deaf, (SoupServerListenOptions) 0, error);
}

static gboolean
open_listeners (ApiService *self, NebulaValue *options, GError **error)
{
  NebulaValue *listen = nebula_value_get_member (options, "listen");
  const char *path = nebula_value_get_member_string (options, "listen-unix", NULL);

  for (gsize i = 0; listen && i < nebula_value_get_length (listen); i++) {
    const char *address = nebula_value_get_string (nebula_value_get_item (listen, i));

    if (!listen_on (self, api_listener_new (address, accepted, self, error)))
      return FALSE;
  }
  return !path || !*path ||
         listen_on (self, api_listener_new_unix (path, accepted, self, error));
}

static void
read_hosts (ApiService *self, NebulaValue *options)
{
  NebulaValue *hosts = nebula_value_get_member (options, "server-hosts");

  for (gsize i = 0; hosts && i < nebula_value_get_length (hosts); i++)
    g_hash_table_add (
        self->hosts,
        g_ascii_strdown (nebula_value_get_string (nebula_value_get_item (hosts, i)), -1));
}

static void
read_options (ApiService *self, NebulaValue *options)
{
  double rate =
      (double) nebula_value_get_member_integer (options, "server-rate", RATE);

  self->connections_most = (guint) nebula_value_get_member_integer (
      options, "server-connections", CONNECTIONS);
  self->per_address = (guint) nebula_value_get_member_integer (
      options, "server-connections-per-address", PER_ADDRESS);
  self->body_limit = nebula_value_get_member_integer (options, "max-body-size",
                                                      NEBULA_LIMIT_DOCUMENT_BYTES);
  self->rates[API_RATE_CALL] = api_rate_new (rate, rate * BURST_SECONDS);
  self->rates[API_RATE_SECRET] = api_rate_new (SECRETS_RATE, SECRETS);
  read_hosts (self, options);
}

static void
api_service_stop (NebulaService *service)
{
  ApiService *self = (ApiService *) service;

  g_ptr_array_set_size (self->listeners, 0);
  if (self->sweep)
    g_source_destroy (self->sweep);
  g_clear_pointer (&self->sweep, g_source_unref);
  if (self->server)
    soup_server_disconnect (self->server);
  g_clear_object (&self->server);
  g_hash_table_remove_all (self->channels);
}

static gboolean
api_service_start (NebulaService *service, GError **error)
{
  ApiService *self = (ApiService *) service;
  NebulaValue *options = nebula_service_host_get_options (api_service_get_host (self));
  const char *folder = g_getenv ("NEBULA_LOCALEDIR");
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  read_options (self, options);
  self->catalog = nebula_catalog_new (folder ? folder : NEBULA_LOCALE_DIR, GETTEXT_PACKAGE);
  self->router = api_router_new (api_routes, api_n_routes);
  self->server = soup_server_new ("raw-paths", TRUE, NULL);
  soup_server_add_handler (self->server, NULL, handle, self, NULL);
  if (!let_connections_live (self, error) || !open_listeners (self, options, error)) {
    api_service_stop (service);
    return FALSE;
  }
  self->sweep = g_timeout_source_new_seconds (1);
  g_source_set_callback (self->sweep, sweep, self, NULL);
  g_source_attach (self->sweep, context);
  return TRUE;
}

static void
api_service_drain (NebulaService *service)
{
  ApiService *self = (ApiService *) service;
  g_autoptr (GPtrArray) requests =
      g_ptr_array_new_with_free_func ((GDestroyNotify) api_request_unref);
  GHashTableIter iter;
  gpointer request;

  self->is_draining = TRUE;
  g_ptr_array_set_size (self->listeners, 0);
  g_hash_table_iter_init (&iter, self->requests);
  while (g_hash_table_iter_next (&iter, &request, NULL))
    g_ptr_array_add (requests, api_request_ref (request));
  for (guint i = 0; i < requests->len; i++) {
    ApiRequest *each = requests->pdata[i];

    if (each->stream)
      api_stream_end (each->stream);
  }
  sweep (self);
  finish_drain (self);
}

static void
listener_free (gpointer data)
{
  api_listener_free (data);
}

static void
nebula_api_service_finalize (GObject *object)
{
  ApiService *self = (ApiService *) object;

  for (guint i = 0; i < G_N_ELEMENTS (self->rates); i++)
    g_clear_pointer (&self->rates[i], api_rate_free);
  g_ptr_array_unref (self->listeners);
  g_hash_table_unref (self->guards);
  g_hash_table_unref (self->addresses);
  g_hash_table_unref (self->requests);
  g_hash_table_unref (self->hosts);
  g_hash_table_unref (self->channels);
  g_hash_table_unref (self->compiled);
  g_clear_pointer (&self->router, api_router_free);
  g_clear_pointer (&self->schemas, nebula_value_unref);
  g_clear_pointer (&self->document, nebula_value_unref);
  g_clear_object (&self->catalog);
  G_OBJECT_CLASS (nebula_api_service_parent_class)->finalize (object);
}

static void
nebula_api_service_init (NebulaApiService *self)
{
  self->listeners = g_ptr_array_new_with_free_func (listener_free);
  self->guards = g_hash_table_new (NULL, NULL);
  self->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->requests = g_hash_table_new (NULL, NULL);
  self->channels =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, api_channel_free);
  self->hosts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->compiled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                          (GDestroyNotify) nebula_json_schema_unref);
}

static void
nebula_api_service_class_init (NebulaApiServiceClass *klass)
{
  NebulaServiceClass *service_class = (NebulaServiceClass *) klass;

  G_OBJECT_CLASS (klass)->finalize = nebula_api_service_finalize;
  nebula_service_class_set_details (service_class, "api", N_ ("REST API"));
  service_class->start = api_service_start;
  service_class->drain = api_service_drain;
  service_class->stop = api_service_stop;
}
