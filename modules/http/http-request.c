/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "http-private.h"

#define DEFAULT_TIMEOUT "60s"
#define DEFAULT_TIMEOUT_USEC (60 * G_USEC_PER_SEC)
#define DEFAULT_REDIRECTS 5

enum
{
  PROP_URL = 1,
  PROP_METHOD,
  PROP_HEADERS,
  PROP_QUERY,
  PROP_BODY,
  PROP_BODY_KIND,
  PROP_AUTH,
  PROP_TIMEOUT,
  PROP_REDIRECTS,
  PROP_ACCEPT_ERRORS,
  PROP_MAX_SIZE,
  PROP_VERIFY_TLS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaHttpRequest, nebula_http_request, NEBULA_TYPE_ACTION)

static void
nebula_http_request_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  _nebula_http_exchange_start ((NebulaHttpRequest *) action, invocation);
}

static NebulaEffect
nebula_http_request_get_effect (NebulaAction *action)
{
  const char *method = ((NebulaHttpRequest *) action)->method;

  if (_nebula_http_method_is_safe (method))
    return NEBULA_EFFECT_READ;
  if (strcmp (method, "PUT") == 0 || strcmp (method, "DELETE") == 0)
    return NEBULA_EFFECT_IDEMPOTENT;
  return NEBULA_EFFECT_EFFECTFUL;
}

static void
set_text (char **field, const GValue *value)
{
  g_free (*field);
  *field = g_value_dup_string (value);
}

static void
set_value (NebulaValue **field, const GValue *value)
{
  g_clear_pointer (field, nebula_value_unref);
  *field = g_value_dup_boxed (value);
}

static void
nebula_http_request_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaHttpRequest *self = (NebulaHttpRequest *) object;

  switch (id) {
  case PROP_URL:
    set_text (&self->url, value);
    break;
  case PROP_METHOD:
    set_text (&self->method, value);
    break;
  case PROP_HEADERS:
    set_value (&self->headers, value);
    break;
  case PROP_QUERY:
    set_value (&self->query, value);
    break;
  case PROP_BODY:
    set_value (&self->body, value);
    break;
  case PROP_BODY_KIND:
    set_text (&self->body_kind, value);
    break;
  case PROP_AUTH:
    set_value (&self->auth, value);
    break;
  case PROP_TIMEOUT:
    self->timeout = g_value_get_int64 (value);
    break;
  case PROP_REDIRECTS:
    self->redirects = g_value_get_int (value);
    break;
  case PROP_ACCEPT_ERRORS:
    self->accept_errors = g_value_get_boolean (value);
    break;
  case PROP_MAX_SIZE:
    self->max_size = g_value_get_int64 (value);
    break;
  case PROP_VERIFY_TLS:
    self->verify_tls = g_value_get_boolean (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_http_request_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaHttpRequest *self = (NebulaHttpRequest *) object;

  switch (id) {
  case PROP_URL:
    g_value_set_string (value, self->url);
    break;
  case PROP_METHOD:
    g_value_set_string (value, self->method);
    break;
  case PROP_HEADERS:
    g_value_set_boxed (value, self->headers);
    break;
  case PROP_QUERY:
    g_value_set_boxed (value, self->query);
    break;
  case PROP_BODY:
    g_value_set_boxed (value, self->body);
    break;
  case PROP_BODY_KIND:
    g_value_set_string (value, self->body_kind);
    break;
  case PROP_AUTH:
    g_value_set_boxed (value, self->auth);
    break;
  case PROP_TIMEOUT:
    g_value_set_int64 (value, self->timeout);
    break;
  case PROP_REDIRECTS:
    g_value_set_int (value, self->redirects);
    break;
  case PROP_ACCEPT_ERRORS:
    g_value_set_boolean (value, self->accept_errors);
    break;
  case PROP_MAX_SIZE:
    g_value_set_int64 (value, self->max_size);
    break;
  case PROP_VERIFY_TLS:
    g_value_set_boolean (value, self->verify_tls);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_http_request_finalize (GObject *object)
{
  NebulaHttpRequest *self = (NebulaHttpRequest *) object;

  g_free (self->url);
  g_free (self->method);
  g_free (self->body_kind);
  g_clear_pointer (&self->headers, nebula_value_unref);
  g_clear_pointer (&self->query, nebula_value_unref);
  g_clear_pointer (&self->body, nebula_value_unref);
  g_clear_pointer (&self->auth, nebula_value_unref);

  G_OBJECT_CLASS (nebula_http_request_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object)
{
  const GParamFlags plain = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags flags = plain | G_PARAM_CONSTRUCT;

  props[PROP_URL] = g_param_spec_string ("url", N_ ("URL"), N_ ("Address, with http or https."), NULL, flags);
  props[PROP_METHOD] = g_param_spec_string ("method", N_ ("Method"), N_ ("What is asked of the server."), "GET", flags);
  props[PROP_HEADERS] = g_param_spec_boxed ("headers", N_ ("Headers"), N_ ("Names and values; an array repeats a header."), NEBULA_TYPE_VALUE, plain);
  props[PROP_QUERY] = g_param_spec_boxed ("query", N_ ("Query"), N_ ("Names and values added to the address; an array repeats a name, null leaves it out."), NEBULA_TYPE_VALUE, plain);
  props[PROP_BODY] = g_param_spec_boxed ("body", N_ ("Body"), N_ ("Objects and arrays are sent as JSON, text and bytes as they are."), NEBULA_TYPE_VALUE, plain);
  props[PROP_BODY_KIND] = g_param_spec_string ("body-kind", N_ ("Kind of body"), N_ ("How the body is written; in multipart an object {filename, content, type} is a file."), NULL, flags);
  props[PROP_AUTH] = g_param_spec_boxed ("auth", N_ ("Credentials"), N_ ("{type: basic, username, password} or {type: bearer, token}."), NEBULA_TYPE_VALUE, plain);
  props[PROP_TIMEOUT] = g_param_spec_int64 ("timeout", N_ ("Timeout"), N_ ("How long the whole request may take; 0s is for ever."), 0, G_MAXINT64, DEFAULT_TIMEOUT_USEC, flags);
  props[PROP_REDIRECTS] = g_param_spec_int ("redirects", N_ ("Redirections"), N_ ("How many are followed; with 0 a redirection is the result."), 0, 20, DEFAULT_REDIRECTS, flags);
  props[PROP_ACCEPT_ERRORS] = g_param_spec_boolean ("accept-errors", N_ ("Accept errors"), N_ ("Takes an answer with a status of 400 or more as a result."), FALSE, flags);
  props[PROP_MAX_SIZE] = g_param_spec_int64 ("max-size", N_ ("Largest size"), N_ ("An answer with more bytes, unpacked, is an error."), 0, G_MAXINT32, NEBULA_LIMIT_DOCUMENT_BYTES, flags);
  props[PROP_VERIFY_TLS] = g_param_spec_boolean ("verify-tls", N_ ("Check certificates"), N_ ("Refuses servers whose certificate is not valid; off trusts anybody."), TRUE, flags);
  g_object_class_install_properties (object, N_PROPS, props);
}

static void
describe_parameters (NebulaActionClass *action)
{
  static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", NULL };
  static const char *const kinds[] = { "json", "form", "text", "bytes", "multipart", NULL };
  g_autoptr (NebulaValue) timeout = nebula_value_new_string (DEFAULT_TIMEOUT);
  NebulaParameter *parameter;

  parameter = nebula_action_class_describe (action, "url");
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
  nebula_parameter_set_placeholder (parameter, "https://example.com/orders");
  parameter = nebula_action_class_describe (action, "method");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_SELECT);
  nebula_parameter_set_options (parameter, methods);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "headers"), NEBULA_PARAMETER_KIND_OBJECT);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "query"), NEBULA_PARAMETER_KIND_OBJECT);
  nebula_parameter_add_flags (nebula_action_class_describe (action, "body"), NEBULA_PARAMETER_FLAGS_NULLABLE);
  parameter = nebula_action_class_describe (action, "body-kind");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_SELECT);
  nebula_parameter_set_options (parameter, kinds);
  parameter = nebula_action_class_describe (action, "auth");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_OBJECT);
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_SECRET);
  parameter = nebula_action_class_describe (action, "timeout");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_DURATION);
  nebula_parameter_set_default (parameter, timeout);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "max-size"), NEBULA_PARAMETER_KIND_SIZE);
}

static void
nebula_http_request_class_init (NebulaHttpRequestClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  object->set_property = nebula_http_request_set_property;
  object->get_property = nebula_http_request_get_property;
  object->finalize = nebula_http_request_finalize;
  action->invoke = nebula_http_request_invoke;
  action->get_effect = nebula_http_request_get_effect;

  install_properties (object);
  describe_parameters (action);
  nebula_action_class_set_details (action, "http.request", "1.0.0", N_ ("HTTP request"),
                                   N_ ("Asks a server and gives status, headers and body of its answer."), N_ ("Network"));
  nebula_action_class_set_effect (action, NEBULA_EFFECT_EFFECTFUL);
  nebula_action_class_add_capability (action, "network");
  nebula_action_class_set_result (action, "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
                                          "\"status\": {\"type\": \"integer\"}, \"headers\": {\"type\": \"object\"},"
                                          " \"body\": {}, \"retry_after_ms\": {\"type\": \"integer\"}}}");
  nebula_action_class_set_example (action, "action: http.request\n"
                                           "with: { url: \"https://example.com/orders\", query: { customer: \"{{ $input.customer }}\" } }\n"
                                           "retry: { attempts: 3, backoff: exponential, initial: 1s }\n");
}

static void
nebula_http_request_init (NebulaHttpRequest *self)
{
}
