/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers on loopback for the tests of http.request. */
#pragma once

#include <libsoup/soup.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nebula-test.h"

namespace nebula
{

struct Seen
{
  std::string method;
  std::string path;
  std::string query;
  std::string body;
  std::map<std::string, std::string> headers;
};

/* A server on loopback whose routes tests set; it keeps what it was asked. */
class Server
{
public:
  using Handler = std::function<void (SoupServerMessage *message, const Seen &seen)>;

  explicit Server (GTlsCertificate *certificate = nullptr)
  {
    server_ = certificate ? soup_server_new ("tls-certificate", certificate, nullptr) : soup_server_new (nullptr, nullptr);
    if (certificate)
      listen_securely ();
    else
      listen ();
    soup_server_add_handler (server_, nullptr, &Server::handle, this, nullptr);
  }
  ~Server ()
  {
    if (service_) {
      g_socket_service_stop (service_);
      g_object_unref (service_);
    }
    soup_server_disconnect (server_);
    g_object_unref (server_);
  }
  std::string url (const std::string &path) const { return "http://127.0.0.1:" + std::to_string (port_) + path; }
  std::string https (const std::string &path) const { return "https://127.0.0.1:" + std::to_string (port_) + path; }
  void on (const std::string &path, Handler handler) { handlers_[path] = std::move (handler); }
  void
  redirect (const std::string &path, guint status, const std::string &location)
  {
    on (path, [status, location] (SoupServerMessage *message, const Seen &) {
      soup_server_message_set_status (message, status, nullptr);
      soup_message_headers_replace (soup_server_message_get_response_headers (message), "Location", location.c_str ());
    });
  }
  void
  answer (const std::string &path, guint status, const std::string &type, const std::string &body)
  {
    on (path, [status, type, body] (SoupServerMessage *message, const Seen &) {
      soup_server_message_set_status (message, status, nullptr);
      if (!type.empty ())
        soup_message_headers_replace (soup_server_message_get_response_headers (message), "Content-Type", type.c_str ());
      soup_message_body_append (soup_server_message_get_response_body (message), SOUP_MEMORY_COPY, body.data (), body.size ());
    });
  }

  std::vector<Seen> seen;

private:
  /* A listener of our own: libsoup 3.2 loses a reference to each socket that its own accepts. */
  void
  listen ()
  {
    Error error;
    service_ = g_socket_service_new ();
    GInetAddress *loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
    GSocketAddress *address = g_inet_socket_address_new (loopback, 0), *effective = nullptr;
    EXPECT_TRUE (g_socket_listener_add_address (G_SOCKET_LISTENER (service_), address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                                nullptr, &effective, error.out ()))
        << error.message ();
    port_ = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
    g_signal_connect_swapped (service_, "incoming", G_CALLBACK (&Server::accept), server_);
    g_object_unref (effective);
    g_object_unref (address);
    g_object_unref (loopback);
  }
  static gboolean
  accept (SoupServer *server, GSocketConnection *connection)
  {
    GSocketAddress *local = g_socket_connection_get_local_address (connection, nullptr);
    GSocketAddress *remote = g_socket_connection_get_remote_address (connection, nullptr);
    Error error;
    EXPECT_TRUE (soup_server_accept_iostream (server, G_IO_STREAM (connection), local, remote, error.out ())) << error.message ();
    g_clear_object (&local);
    g_clear_object (&remote);
    return TRUE;
  }
  void
  listen_securely ()
  {
    Error error;
    auto options = (SoupServerListenOptions) (SOUP_SERVER_LISTEN_HTTPS | SOUP_SERVER_LISTEN_IPV4_ONLY);
    EXPECT_TRUE (soup_server_listen_local (server_, 0, options, error.out ())) << error.message ();
    GSList *uris = soup_server_get_uris (server_);
    port_ = g_uri_get_port (static_cast<GUri *> (uris->data));
    g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  }
  static void
  keep_header (const char *name, const char *value, gpointer data)
  {
    char *lower = g_ascii_strdown (name, -1);
    std::string &kept = static_cast<Seen *> (data)->headers[lower];
    kept += kept.empty () ? value : std::string (", ") + value;
    g_free (lower);
  }
  static void
  handle (SoupServer *, SoupServerMessage *message, const char *path, GHashTable *, gpointer data)
  {
    Server *self = static_cast<Server *> (data);
    Seen seen;
    GUri *uri = soup_server_message_get_uri (message);
    SoupMessageBody *body = soup_server_message_get_request_body (message);
    seen.method = soup_server_message_get_method (message);
    seen.path = path;
    seen.query = g_uri_get_query (uri) ? g_uri_get_query (uri) : "";
    if (body->length > 0) {
      GBytes *bytes = soup_message_body_flatten (body);
      seen.body.assign (static_cast<const char *> (g_bytes_get_data (bytes, nullptr)), g_bytes_get_size (bytes));
      g_bytes_unref (bytes);
    }
    soup_message_headers_foreach (soup_server_message_get_request_headers (message), keep_header, &seen);
    self->seen.push_back (seen);
    auto found = self->handlers_.find (path);
    if (found != self->handlers_.end ())
      found->second (message, seen);
    else
      soup_server_message_set_status (message, 404, nullptr);
  }

  SoupServer *server_;
  GSocketService *service_ = nullptr;
  int port_ = 0;
  std::map<std::string, Handler> handlers_;
};

/* A server that says what it likes; it blocks, in threads of its own. */
class RawServer
{
public:
  explicit RawServer (std::string answer)
  {
    service_ = g_threaded_socket_service_new (4);
    port_ = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service_), nullptr, nullptr);
    /* The threads may outlive this object: the signal's closure owns what they say. */
    g_signal_connect_data (service_, "run", G_CALLBACK (run), new std::string (std::move (answer)), forget, (GConnectFlags) 0);
  }
  ~RawServer ()
  {
    g_socket_service_stop (service_);
    g_socket_listener_close (G_SOCKET_LISTENER (service_));
    g_object_unref (service_);
  }
  std::string url () const { return "http://127.0.0.1:" + std::to_string (port_) + "/"; }

private:
  static gboolean
  run (GThreadedSocketService *, GSocketConnection *connection, GObject *, gpointer data)
  {
    char request[4096];
    const std::string &answer = *static_cast<std::string *> (data);
    g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), request, sizeof request, nullptr, nullptr);
    g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), answer.data (), answer.size (), nullptr, nullptr, nullptr);
    g_io_stream_close (G_IO_STREAM (connection), nullptr, nullptr);
    return TRUE;
  }

  static void
  forget (gpointer data, GClosure *)
  {
    delete static_cast<std::string *> (data);
  }

  GSocketService *service_;
  guint16 port_;
};

/* For 127.0.0.1, signed by itself and valid for a hundred years; it protects nothing. */
static const char test_certificate[] = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4sXvJW3Jmw8XmLA3
LMReXTyiJ6dvT8RxqFJOpBgykBihRANCAASa2kJDDsws8A+d3Tk5aXLmo5Oq2Cx7
/A6i5Ur+OqhoGvtCaQC1nLVoxmnIznTgtgRJHJtW9fh5nzrbzHQdor11
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUI+I+7u0CJWW3EbYdS2zw8VfJvbswCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDA2NDcwNVoYDzIxMjYxMDMx
MDY0NzA1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASa2kJDDsws8A+d3Tk5aXLmo5Oq2Cx7/A6i5Ur+OqhoGvtCaQC1nLVo
xmnIznTgtgRJHJtW9fh5nzrbzHQdor11o28wbTAdBgNVHQ4EFgQUZ2NYW8bTEUba
ovOBJZBboQY5USAwHwYDVR0jBBgwFoAUZ2NYW8bTEUbaovOBJZBboQY5USAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgaSDg5VA2iI58ydFySZsM9XS0fwDuJdR/dlHe/KkyU9oCIQCD
16RmhUgy3vGYmC3RAXu93AQualZ5TH0zAmzNmW7WoQ==
-----END CERTIFICATE-----
)";

} // namespace nebula
