/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One request from its route to its question. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "api-private.h"

#define QUERY_MOST 64

ApiRequest *
api_request_ref (ApiRequest *self)
{
  self->references++;
  return self;
}

void
api_request_unref (ApiRequest *self)
{
  if (--self->references > 0)
    return;
  g_clear_pointer (&self->stream, api_stream_free);
  g_object_unref (self->message);
  g_object_unref (self->cancellable);
  g_hash_table_unref (self->query);
  g_clear_pointer (&self->caller, nebula_caller_unref);
  g_clear_pointer (&self->body, nebula_value_unref);
  for (guint i = 0; i < API_PARAMETERS_MOST; i++)
    g_free (self->parameters[i]);
  g_free (self->id);
  g_free (self->address);
  g_free (self->language);
  g_free (self->trace);
  g_free (self);
}

const char *
api_request_get_header (ApiRequest *self, const char *name)
{
  return soup_message_headers_get_one (
      soup_server_message_get_request_headers (self->message), name);
}

static void
finished (SoupServerMessage *message, gpointer user_data)
{
  ApiRequest *self = user_data;

  if (self->is_over)
    return;
  self->is_over = TRUE;
  g_cancellable_cancel (self->cancellable);
  if (self->stream)
    api_stream_end (self->stream);
  api_service_end_request (self->service, self);
  api_request_unref (self);
}

static char *
make_id (ApiRequest *self)
{
  const char *given = api_request_get_header (self, "X-Request-Id");

  if (given && g_regex_match_simple ("^[A-Za-z0-9._-]{8,64}$", given, G_REGEX_DOLLAR_ENDONLY, 0))
    return g_strdup (given);
  return g_uuid_string_random ();
}

static char *
make_trace (ApiRequest *self)
{
  const char *parent = api_request_get_header (self, "traceparent");
  g_autoptr (NebulaTraceContext) context =
      parent ? nebula_trace_context_new (parent, api_request_get_header (self, "tracestate"), NULL)
             : NULL;
  NebulaClock *clock = nebula_clock_get_system ();
  guint64 random = nebula_clock_get_random (clock) | 1;
  g_autoptr (NebulaTraceContext) child = NULL;

  if (!context) {
    g_autofree char *made = g_strdup_printf (
        "00-%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x-%016" G_GINT64_MODIFIER "x-00",
        nebula_clock_get_random (clock) | 1, nebula_clock_get_random (clock), random);

    return g_steal_pointer (&made);
  }
  child = nebula_trace_context_new_child (context, random);
  return nebula_trace_context_to_header (child);
}

static char *
get_address (SoupServerMessage *message)
{
  GSocketAddress *address = soup_server_message_get_remote_address (message);

  if (!address || !G_IS_INET_SOCKET_ADDRESS (address))
    return g_strdup ("unix");
  return g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

static gboolean
read_pair (ApiRequest *self, const char *pair)
{
  const char *equals = strchr (pair, '=');
  g_autofree char *name = api_target_decode (pair, equals ? equals - pair : -1, TRUE);
  g_autofree char *value = api_target_decode (equals ? equals + 1 : "", -1, TRUE);

  if (!name || !value || g_hash_table_contains (self->query, name))
    return FALSE;
  g_hash_table_insert (self->query, g_steal_pointer (&name), g_steal_pointer (&value));
  return g_hash_table_size (self->query) <= QUERY_MOST;
}

static gboolean
read_query (ApiRequest *self)
{
  const char *query = g_uri_get_query (soup_server_message_get_uri (self->message));
  g_auto (GStrv) pairs = query ? g_strsplit (query, "&", QUERY_MOST + 1) : NULL;

  for (guint i = 0; pairs && pairs[i]; i++)
    if (*pairs[i] && !read_pair (self, pairs[i]))
      return FALSE;
  return TRUE;
}

static ApiRequest *
request_new (ApiService *service, SoupServerMessage *message)
{
  ApiRequest *self = g_new0 (ApiRequest, 1);
  const char *accepted;

  self->references = 1; /* the message's, until it is finished */
  self->service = service;
  self->message = g_object_ref (message);
  self->cancellable = g_cancellable_new ();
  self->query = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->id = make_id (self);
  self->address = get_address (message);
  accepted = api_request_get_header (self, "Accept-Language");
  self->language =
      accepted ? nebula_catalog_negotiate (api_service_get_catalog (service), accepted) : NULL;
  self->trace = make_trace (self);
  g_signal_connect (message, "finished", G_CALLBACK (finished), self);
  api_service_begin_request (service, self);
  return self;
}

static void
answer_no_route (ApiRequest *self, const char *allow)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (self->message);

  if (!allow) {
    api_answer_problem (self, 404, NEBULA_ERROR_NOT_FOUND, N_ ("Nothing is at this address."),
                        NULL);
    return;
  }
  soup_message_headers_replace (headers, "Allow", allow);
  if (g_str_equal (soup_server_message_get_method (self->message), "OPTIONS"))
    api_answer_text (self, 204, NULL, NULL);
  else
    api_answer_problem (self, 405, NEBULA_ERROR_UNSUPPORTED,
                        N_ ("This address does not know the method."), NULL);
}

void
api_request_begin (ApiService *service, SoupServerMessage *message)
{
  ApiRequest *self = request_new (service, message);
  g_autoptr (ApiRequest) kept = api_request_ref (self);
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));
  g_autofree char *allow = NULL;

  api_answer_set_headers (self);
  self->route = api_router_find (api_service_get_router (service),
                                 soup_server_message_get_method (message), path,
                                 self->parameters, &allow);
  if (!self->route)
    answer_no_route (self, allow);
  else if (!read_query (self))
    api_answer_problem (self, 400, NEBULA_ERROR_INVALID_ARGUMENT,
                        N_ ("The query cannot be read, or names something twice."), NULL);
  else
    api_who_find (self);
  if (!self->is_answered && !self->is_over) {
    self->is_paused = TRUE;
    soup_server_message_pause (message);
  }
}

/* The body. */

static gboolean
is_type (ApiRequest *self, const char *wanted)
{
  g_auto (GStrv) types = g_strsplit (wanted, " ", -1);
  const char *type = soup_message_headers_get_content_type (
      soup_server_message_get_request_headers (self->message), NULL);

  return type && g_strv_contains ((const char *const *) types, type);
}

static NebulaValue *
list_violations (GPtrArray *violations)
{
  g_autoptr (NebulaValueBuilder) errors = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < violations->len; i++)
    nebula_value_builder_add_take (errors,
                                   nebula_violation_to_value (violations->pdata[i]));
  nebula_value_builder_set_take (builder, "errors", nebula_value_builder_end (errors));
  return nebula_value_builder_end (builder);
}

static gboolean
check_body (ApiRequest *self)
{
  g_autoptr (GPtrArray) violations = NULL;
  g_autoptr (NebulaValue) extra = NULL;

  if (!self->route->request)
    return TRUE;
  violations = nebula_json_schema_check (
      api_service_get_schema (self->service, self->route->request), self->body, NULL);
  if (violations && violations->len == 0)
    return TRUE;
  extra = violations ? list_violations (violations) : NULL;
  api_answer_problem (self, 422, NEBULA_ERROR_INVALID_DATA,
                      N_ ("The body is not what this address takes."), extra);
  return FALSE;
}

static gboolean
parse_body (ApiRequest *self, const char *data, gsize size)
{
  g_autoptr (GError) error = NULL;

  self->body = nebula_value_parse_json (data, (gssize) size, NEBULA_JSON_FLAGS_LIMITED,
                                        &error);
  if (self->body)
    return check_body (self);
  /* However it is wrong, it is no JSON that we take. */
  api_answer_problem (self, error->code == NEBULA_ERROR_TOO_LARGE ? 413 : 400,
                      (NebulaError) error->code, error->message, NULL);
  return FALSE;
}

static gboolean
read_body (ApiRequest *self)
{
  SoupMessageBody *body = soup_server_message_get_request_body (self->message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  if (self->route->body_bytes == 0 || (size == 0 && !self->route->request))
    return TRUE;
  if (!is_type (self, self->route->content_types)) {
    api_answer_problem (self, 415, NEBULA_ERROR_UNSUPPORTED,
                        N_ ("This address does not take bodies of this type."), NULL);
    return FALSE;
  }
  if (is_type (self, "application/json") && self->route->request)
    return parse_body (self, data, size);
  return TRUE;
}

static gboolean
read_typed (const ApiQuery *query, const char *text, NebulaValue **ret_value)
{
  gint64 number;

  if (g_str_equal (query->type, "boolean")) {
    if (!g_str_equal (text, "true") && !g_str_equal (text, "false"))
      return FALSE;
    *ret_value = nebula_value_new_boolean (text[0] == 't');
  } else if (g_str_equal (query->type, "integer")) {
    if (!g_ascii_string_to_signed (text, 10, 0, G_MAXINT32, &number, NULL))
      return FALSE;
    *ret_value = nebula_value_new_integer (number);
  } else {
    *ret_value = nebula_value_new_string (text);
  }
  return TRUE;
}

/* Only what the route declares. */
static gboolean
check_query (ApiRequest *self)
{
  GHashTableIter iter;
  gpointer name, text;

  g_hash_table_iter_init (&iter, self->query);
  while (g_hash_table_iter_next (&iter, &name, &text)) {
    const ApiQuery *query = self->route->query;
    g_autoptr (NebulaValue) value = NULL;

    while (query && query->name && !g_str_equal (query->name, name))
      query++;
    if (query && query->name && read_typed (query, text, &value))
      continue;
    api_answer_problem (self, 400, NEBULA_ERROR_INVALID_ARGUMENT,
                        N_ ("The query has a parameter that this address does not take, or one of the wrong type."),
                        NULL);
    return FALSE;
  }
  return TRUE;
}

static void
add_members (NebulaValueBuilder *builder, NebulaValue *object)
{
  if (!object || nebula_value_get_kind (object) != NEBULA_VALUE_KIND_OBJECT)
    return;
  for (gsize i = 0; i < nebula_value_get_length (object); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (object, i, NULL),
                              nebula_value_get_member_at (object, i));
}

static void
add_query (ApiRequest *self, NebulaValueBuilder *builder)
{
  for (const ApiQuery *query = self->route->query; query && query->name; query++) {
    const char *text = g_hash_table_lookup (self->query, query->name);
    NebulaValue *value = NULL;

    if (text && read_typed (query, text, &value))
      nebula_value_builder_set_take (builder, query->name, value);
  }
}

/* Names of the parameters of the path are names of the operation's members. */
static void
add_path (ApiRequest *self, NebulaValueBuilder *builder)
{
  g_auto (GStrv) segments = g_strsplit (self->route->path + 1, "/", -1);
  guint n_parameters = 0;

  for (guint i = 0; segments[i]; i++) {
    gsize length = strlen (segments[i]);

    if (segments[i][0] != '{')
      continue;
    segments[i][length - 1] = '\0';
    nebula_value_builder_set_string (builder, segments[i] + 1,
                                     self->parameters[n_parameters++]);
  }
}

static void
add_once (ApiRequest *self, NebulaValueBuilder *builder)
{
  const char *key = api_request_get_header (self, "Idempotency-Key");
  g_autoptr (NebulaValueBuilder) once = NULL;

  if (!key || !(self->route->flags & API_FLAG_ONCE))
    return;
  once = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (once, "key", key);
  nebula_value_builder_set_string (once, "route", self->route->operation_id);
  nebula_value_builder_set_take (builder, "idempotency", nebula_value_builder_end (once));
}

NebulaValue *
api_request_make_question (ApiRequest *self, NebulaValue *extra)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  add_members (builder, self->body);
  add_query (self, builder);
  add_path (self, builder);
  add_members (builder, extra);
  add_once (self, builder);
  nebula_value_builder_set_string (builder, "op", self->route->op);
  return nebula_value_builder_end (builder);
}

typedef struct {
  ApiRequest *request;
  ApiAnswered answered;
} Asking;

static void
asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Asking *asking = user_data;
  g_autoptr (ApiRequest) self = asking->request;
  g_autoptr (GError) error = NULL;
  gboolean is_replayed = FALSE;
  g_autoptr (NebulaValue) answer = nebula_service_host_ask_finish (
      api_service_get_host (self->service), result, &is_replayed, &error);

  if (self->is_over)
    return;
  if (is_replayed)
    soup_message_headers_replace (soup_server_message_get_response_headers (self->message),
                                  "Idempotency-Replayed", "true");
  if (answer)
    asking->answered (self, answer);
  else
    api_answer_error (self, error);
}

void
api_request_ask (ApiRequest *self, NebulaValue *question, ApiAnswered answered)
{
  Asking *asking = g_new (Asking, 1);
  g_autoptr (NebulaCaller) caller = nebula_caller_with_request (
      self->caller, self->language, self->trace, G_MAXINT64);

  asking->request = api_request_ref (self);
  asking->answered = answered;
  nebula_service_host_ask_async (api_service_get_host (self->service), caller, question, NULL,
                                 asked, asking);
}

static void
answer_as_it_is (ApiRequest *self, NebulaValue *answer)
{
  api_answer_value (self, self->route->status, answer);
}

void
api_request_go_on (ApiRequest *self)
{
  g_autoptr (NebulaValue) question = NULL;

  if (!check_query (self) || !read_body (self))
    return;
  if (self->route->handle) {
    self->route->handle (self);
    return;
  }
  question = api_request_make_question (self, NULL);
  api_request_ask (self, question, answer_as_it_is);
}
