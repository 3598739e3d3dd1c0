/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api-listener.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>

#include <nebula/nebula-sdk.h>

#define BACKLOG      1024
#define ACCEPTS_MOST 64 /* in one turn */

struct _ApiListener {
  GSocket *socket;
  GSource *source;
  char *url;
  char *path; /* of a Unix socket; NULL: it is none */
  ApiAccepted accepted;
  gpointer user_data;
};

static gboolean
accept_some (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  ApiListener *self = user_data;

  for (guint i = 0; i < ACCEPTS_MOST; i++) {
    g_autoptr (GSocket) client = g_socket_accept (socket, NULL, NULL);

    if (!client)
      break;
    g_socket_set_blocking (client, FALSE);
    if (!self->path)
      g_socket_set_option (client, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
    self->accepted (client, self->user_data);
  }
  return G_SOURCE_CONTINUE;
}

static GSocketAddress *
parse (const char *text, GError **error)
{
  g_autoptr (GSocketConnectable) name =
      g_network_address_parse (text, G_MAXUINT16, NULL);
  g_autoptr (GInetAddress) host = NULL;
  const char *colon = strrchr (text, ':');

  if (name && colon)
    host = g_inet_address_new_from_string (
        g_str_equal (g_network_address_get_hostname (G_NETWORK_ADDRESS (name)), "localhost")
            ? "127.0.0.1"
            : g_network_address_get_hostname (G_NETWORK_ADDRESS (name)));
  if (host)
    return g_inet_socket_address_new (host,
                                      g_network_address_get_port (G_NETWORK_ADDRESS (name)));
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no address to listen on. Use ADDR:PORT, such as 127.0.0.1:7070 or [::1]:7070."),
               text);
  return NULL;
}

static gboolean
begin (ApiListener *self, GSocketAddress *address, GError **error)
{
  self->socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM,
                               G_SOCKET_PROTOCOL_DEFAULT, error);
  if (!self->socket)
    return FALSE;
  g_socket_set_blocking (self->socket, FALSE);
  g_socket_set_listen_backlog (self->socket, BACKLOG);
  return g_socket_bind (self->socket, address, TRUE, error) &&
         g_socket_listen (self->socket, error);
}

static void
watch (ApiListener *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (accept_some), self, NULL);
  g_source_attach (self->source, context);
}

static ApiListener *
listener_open (GSocketAddress *address,
               const char *name,
               ApiAccepted accepted,
               gpointer user_data,
               GError **error)
{
  ApiListener *self = g_new0 (ApiListener, 1);
  g_autoptr (GError) local_error = NULL;

  self->accepted = accepted;
  self->user_data = user_data;
  if (begin (self, address, &local_error)) {
    watch (self);
    return self;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
               _ ("The server cannot listen on “%s”: %s"), name, local_error->message);
  api_listener_free (self);
  return NULL;
}

static char *
make_url (GSocket *socket)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);
  g_autofree char *host =
      g_inet_address_to_string (g_inet_socket_address_get_address (inet));
  gboolean is_six = g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6;

  return g_strdup_printf (is_six ? "http://[%s]:%u" : "http://%s:%u", host,
                          g_inet_socket_address_get_port (inet));
}

ApiListener *
api_listener_new (const char *address, ApiAccepted accepted, gpointer user_data, GError **error)
{
  g_autoptr (GSocketAddress) parsed = parse (address, error);
  ApiListener *self =
      parsed ? listener_open (parsed, address, accepted, user_data, error) : NULL;

  if (self)
    self->url = make_url (self->socket);
  return self;
}

static gboolean
is_alive (GSocketAddress *address)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_DEFAULT, NULL);

  return socket && g_socket_connect (socket, address, NULL, NULL);
}

ApiListener *
api_listener_new_unix (const char *path,
                       ApiAccepted accepted,
                       gpointer user_data,
                       GError **error)
{
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  struct stat status;
  mode_t mask;
  ApiListener *self;

  if (lstat (path, &status) == 0 && S_ISSOCK (status.st_mode) && !is_alive (address))
    g_unlink (path);
  mask = umask (0117);
  self = listener_open (address, path, accepted, user_data, error);
  umask (mask);
  if (!self)
    return NULL;
  self->path = g_strdup (path);
  self->url = g_strconcat ("unix:", path, NULL);
  return self;
}

void
api_listener_free (ApiListener *self)
{
  if (self->source)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  if (self->path)
    g_unlink (self->path);
  g_clear_object (&self->socket);
  g_free (self->url);
  g_free (self->path);
  g_free (self);
}

const char *
api_listener_get_url (ApiListener *self)
{
  return self->url;
}

/* Bound to a name in a folder of our own, which is gone before anybody could use it. */
GSocket *
api_listener_make_deaf (GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("nebula-XXXXXX", error);
  g_autofree char *path = folder ? g_build_filename (folder, "deaf", NULL) : NULL;
  g_autoptr (GSocketAddress) address = path ? g_unix_socket_address_new (path) : NULL;
  g_autoptr (GSocket) socket = NULL;
  gboolean is_good;

  if (!folder)
    return NULL;
  socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                         error);
  is_good = socket && g_socket_bind (socket, address, FALSE, error) &&
            g_socket_listen (socket, error);
  g_unlink (path);
  g_rmdir (folder);
  return is_good ? g_steal_pointer (&socket) : NULL;
}
