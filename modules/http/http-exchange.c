/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request on its way: send, follow redirections, read the answer up to the limit. All steps run on the loop of the
 * thread that invoked the action; encoding and parsing of large bodies goes to the executor.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "http-private.h"

#define BLOCK_BYTES 65536

typedef struct
{
  NebulaHttpRequest *request;
  NebulaInvocation *invocation;
  GMainContext *context;
  NebulaHttpSession *session;
  NebulaHttpCall *call;
  GError *call_error;
  SoupMessage *message;
  GInputStream *stream;
  GByteArray *content;
  GCancellable *cancellable; /* of the input and output */
  GSource *cancel_source;
  GSource *timeout_source;
  int n_redirects;
  gboolean is_timed_out;
} Exchange;

static void send_message (Exchange *self);

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
drop_message (Exchange *self)
{
  if (self->stream != NULL)
    g_input_stream_close_async (self->stream, G_PRIORITY_LOW, NULL, NULL, NULL);
  g_clear_object (&self->stream);
  g_clear_object (&self->message);
}

static void
exchange_free (Exchange *self)
{
  drop_source (&self->cancel_source);
  drop_source (&self->timeout_source);
  drop_message (self);
  g_clear_pointer (&self->session, _nebula_http_session_release);
  g_clear_pointer (&self->call, _nebula_http_call_free);
  g_clear_error (&self->call_error);
  g_clear_pointer (&self->content, g_byte_array_unref);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_object_unref (self->request);
  g_object_unref (self->invocation);
  g_free (self);
}

/* The end */

static void
end_with_error (Exchange *self, const GError *error)
{
  nebula_invocation_return_error (self->invocation, error);
  exchange_free (self);
}

static void
end_with_code (Exchange *self, NebulaError code, char *message)
{
  g_autoptr (GError) error = g_error_new_literal (NEBULA_ERROR, (gint) code, message);

  g_free (message);
  end_with_error (self, error);
}

/* A bad certificate stays bad. */
static gboolean
is_terminal (const GError *reason)
{
  return g_error_matches (reason, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE);
}

static void
end_with_network_error (Exchange *self, const GError *reason)
{
  g_autofree char *address = _nebula_http_describe_uri (self->call->uri);
  g_autofree char *cause = g_utf8_make_valid (reason->message, -1);
  g_autofree char *message = NULL;

  /* TRANSLATORS: the second %s is the reason that the system gives */
  message = g_strdup_printf (_("The connection to “%s” failed: %s. Check the address and the network"), address, cause);
  nebula_invocation_return_failure (self->invocation, nebula_error_code_to_string (NEBULA_ERROR_NETWORK), message,
                                    is_terminal (reason) ? NEBULA_RETRY_CLASS_TERMINAL : NEBULA_RETRY_CLASS_RETRY, NULL);
  exchange_free (self);
}

static void
end_with_failure (Exchange *self, const GError *reason)
{
  g_autofree char *address = _nebula_http_describe_uri (self->call->uri);

  if (self->is_timed_out)
    end_with_code (self, NEBULA_ERROR_TIMED_OUT,
                   g_strdup_printf (_("“%s” gave no whole answer in time. Try again later or raise “timeout”"), address));
  else if (g_cancellable_is_cancelled (self->cancellable))
    end_with_code (self, NEBULA_ERROR_CANCELLED, g_strdup (_("The request was given up because the node was cancelled")));
  else
    end_with_network_error (self, reason);
}

static void
answer_response (gpointer data)
{
  _nebula_http_response_answer (data);
}

static void
end_with_response (Exchange *self)
{
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&self->content));
  NebulaHttpResponse *response = _nebula_http_response_new (self->request, self->invocation, self->message, bytes);

  exchange_free (self);
  if (g_bytes_get_size (bytes) > NEBULA_LIMIT_INLINE_BYTES)
    nebula_executor_push (nebula_executor_get_default (), answer_response, response);
  else
    answer_response (response);
}

static void
end_too_large (Exchange *self)
{
  g_autofree char *address = _nebula_http_describe_uri (self->call->uri);

  end_with_code (self, NEBULA_ERROR_TOO_LARGE,
                 g_strdup_printf (_("The answer of “%s” has more than %lld bytes. Raise “max-size” to read it"),
                                  address, (long long) self->request->max_size));
}

/* Reading */

static void read_on (Exchange *self);

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  Exchange *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);

  if (bytes == NULL) {
    end_with_failure (self, error);
  } else if (g_bytes_get_size (bytes) == 0) {
    end_with_response (self);
  } else if ((gint64) (self->content->len + g_bytes_get_size (bytes)) > self->request->max_size) {
    end_too_large (self);
  } else {
    g_byte_array_append (self->content, g_bytes_get_data (bytes, NULL), (guint) g_bytes_get_size (bytes));
    read_on (self);
  }
}

static void
read_on (Exchange *self)
{
  g_input_stream_read_bytes_async (self->stream, BLOCK_BYTES, G_PRIORITY_DEFAULT, self->cancellable, on_read, self);
}

static void
start_reading (Exchange *self)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);

  if (strcmp (self->call->method, "HEAD") != 0 && soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH &&
      soup_message_headers_get_content_length (headers) > self->request->max_size) {
    end_too_large (self);
    return;
  }
  self->content = g_byte_array_new ();
  read_on (self);
}

/* Redirections */

static gboolean
is_redirection (guint status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static gboolean
is_same_origin (GUri *left, GUri *right)
{
  return strcmp (g_uri_get_scheme (left), g_uri_get_scheme (right)) == 0 &&
         g_ascii_strcasecmp (g_uri_get_host (left), g_uri_get_host (right)) == 0 && g_uri_get_port (left) == g_uri_get_port (right);
}

static void
drop_credentials (NebulaHttpCall *call)
{
  soup_message_headers_remove (call->headers, "Authorization");
  soup_message_headers_remove (call->headers, "Cookie");
  soup_message_headers_remove (call->headers, "Proxy-Authorization");
}

/* As browsers do: 303 asks to look elsewhere, and so, by custom, do 301 and 302 after a POST. */
static void
change_method (NebulaHttpCall *call, guint status)
{
  gboolean is_post = strcmp (call->method, "POST") == 0;

  if (strcmp (call->method, "HEAD") == 0 || !(status == 303 || (is_post && (status == 301 || status == 302))))
    return;
  g_free (call->method);
  call->method = g_strdup ("GET");
  g_clear_pointer (&call->body, g_bytes_unref);
  soup_message_headers_remove (call->headers, "Content-Type");
  soup_message_headers_remove (call->headers, "Content-Encoding");
  soup_message_headers_remove (call->headers, "Idempotency-Key");
}

static GUri *
resolve_location (Exchange *self, const char *location)
{
  g_autoptr (GUri) uri = g_uri_parse_relative (self->call->uri, location, SOUP_HTTP_URI_FLAGS, NULL);

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return NULL;
  if (strcmp (g_uri_get_scheme (uri), "http") != 0 && strcmp (g_uri_get_scheme (uri), "https") != 0)
    return NULL;
  return soup_uri_copy (uri, SOUP_URI_USER, NULL, SOUP_URI_PASSWORD, NULL, SOUP_URI_FRAGMENT, NULL, SOUP_URI_NONE);
}

static void
follow (Exchange *self, const char *location)
{
  g_autoptr (GUri) uri = resolve_location (self, location);
  g_autofree char *address = _nebula_http_describe_uri (self->call->uri);

  if (uri == NULL) {
    end_with_code (self, NEBULA_ERROR_INVALID_DATA,
                   g_strdup_printf (_("“%s” redirects to an address that is no http or https URL. Ask its owner, or set “redirects” to 0"),
                                    address));
    return;
  }
  if (self->n_redirects++ >= self->request->redirects) {
    end_with_code (self, NEBULA_ERROR_LIMIT_EXCEEDED,
                   g_strdup_printf (_("“%s” redirects once more after %d redirections. Check the address or raise “redirects”"), address,
                                    self->request->redirects));
    return;
  }

  if (!is_same_origin (self->call->uri, uri))
    drop_credentials (self->call);
  change_method (self->call, soup_message_get_status (self->message));
  g_clear_pointer (&self->call->uri, g_uri_unref);
  self->call->uri = g_steal_pointer (&uri);
  drop_message (self);
  send_message (self);
}

/* Sending */

static void
on_sent (GObject *source, GAsyncResult *result, gpointer data)
{
  Exchange *self = data;
  g_autoptr (GError) error = NULL;
  const char *location;

  self->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (self->stream == NULL) {
    end_with_failure (self, error);
    return;
  }

  location = soup_message_headers_get_one (soup_message_get_response_headers (self->message), "Location");
  if (self->request->redirects > 0 && location != NULL && is_redirection (soup_message_get_status (self->message)))
    follow (self, location);
  else
    start_reading (self);
}

static gboolean
accept_any_certificate (SoupMessage *message, GTlsCertificate *certificate, GTlsCertificateFlags errors, gpointer data)
{
  return TRUE;
}

static void
copy_header (const char *name, const char *value, gpointer data)
{
  soup_message_headers_append (data, name, value);
}

static void
send_message (Exchange *self)
{
  self->message = soup_message_new_from_uri (self->call->method, self->call->uri);
  soup_message_add_flags (self->message, SOUP_MESSAGE_NO_REDIRECT);
  if (self->call->body != NULL)
    soup_message_set_request_body_from_bytes (self->message, NULL, self->call->body);
  soup_message_headers_foreach (self->call->headers, copy_header, soup_message_get_request_headers (self->message));
  if (!self->request->verify_tls)
    g_signal_connect (self->message, "accept-certificate", G_CALLBACK (accept_any_certificate), NULL);
  soup_session_send_async (_nebula_http_session_get (self->session), self->message, G_PRIORITY_DEFAULT, self->cancellable, on_sent,
                           self);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_cancellable_cancel (((Exchange *) data)->cancellable);
  return G_SOURCE_REMOVE;
}

static gboolean
on_timeout (gpointer data)
{
  Exchange *self = data;

  self->is_timed_out = TRUE;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
}

static void
watch (Exchange *self)
{
  self->cancel_source = g_cancellable_source_new (nebula_invocation_get_cancellable (self->invocation));
  g_source_set_callback (self->cancel_source, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (self->cancel_source, self->context);
  if (self->request->timeout == 0)
    return;
  self->timeout_source = g_timeout_source_new ((guint) MIN (self->request->timeout / 1000 + 1, G_MAXINT));
  g_source_set_callback (self->timeout_source, on_timeout, self, NULL);
  g_source_attach (self->timeout_source, self->context);
}

static gboolean
start_sending (gpointer data)
{
  Exchange *self = data;

  if (self->call == NULL) {
    end_with_error (self, self->call_error);
    return G_SOURCE_REMOVE;
  }
  self->session = _nebula_http_session_acquire (self->context);
  watch (self);
  send_message (self);
  return G_SOURCE_REMOVE;
}

static void
make_call (Exchange *self)
{
  const char *key = nebula_invocation_get_idempotency_key (self->invocation);

  self->call = _nebula_http_call_new (self->request, key, &self->call_error);
}

/* On the executor; back on the loop through a source. */
static void
make_call_apart (gpointer data)
{
  Exchange *self = data;
  g_autoptr (GMainContext) context = g_main_context_ref (self->context);
  g_autoptr (GSource) source = g_idle_source_new ();

  make_call (self);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, start_sending, self, NULL);
  g_source_attach (source, context);
}

void
_nebula_http_exchange_start (NebulaHttpRequest *request, NebulaInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  Exchange *self;

  if (g_cancellable_set_error_if_cancelled (nebula_invocation_get_cancellable (invocation), &error)) {
    nebula_invocation_return_error (invocation, error);
    return;
  }

  self = g_new0 (Exchange, 1);
  self->request = g_object_ref (request);
  self->invocation = g_object_ref (invocation);
  self->context = g_main_context_ref_thread_default ();
  self->cancellable = g_cancellable_new ();
  if (request->body != NULL && nebula_value_get_size_bytes (request->body) > NEBULA_LIMIT_INLINE_BYTES) {
    nebula_executor_push (nebula_executor_get_default (), make_call_apart, self);
    return;
  }
  make_call (self);
  start_sending (self);
}
