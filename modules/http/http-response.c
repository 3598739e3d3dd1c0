/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an answer to the result or the error of the node. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "http-private.h"

#define USEC_PER_MS 1000

static void
nebula_http_response_free (NebulaHttpResponse *self)
{
  g_object_unref (self->invocation);
  g_free (self->target);
  g_free (self->reason);
  g_free (self->content_type);
  g_free (self->charset);
  nebula_value_unref (self->headers);
  g_bytes_unref (self->content);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaHttpResponse, nebula_http_response_free)

static NebulaValue *
collect_headers (SoupMessageHeaders *headers)
{
  g_autoptr (NebulaValueBuilder) object = nebula_value_builder_new_object ();
  SoupMessageHeadersIter iter;
  const char *name;
  const char *value;

  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value)) {
    g_autofree char *lower = g_ascii_strdown (name, -1);
    g_autofree char *key = g_utf8_make_valid (lower, -1);
    g_autofree char *text = NULL;

    if (nebula_value_builder_has (object, key, strlen (key)))
      continue;
    text = g_utf8_make_valid (soup_message_headers_get_list (headers, name), -1);
    nebula_value_builder_set_string (object, key, text);
  }
  return nebula_value_builder_end (object);
}

/* Seconds or a date; negative if there is neither. */
static gint64
read_retry_after (SoupMessageHeaders *headers)
{
  const char *text = soup_message_headers_get_one (headers, "Retry-After");
  g_autoptr (GDateTime) date = NULL;
  gint64 seconds = 0;
  gint64 usec;

  if (text == NULL)
    return -1;
  if (g_ascii_string_to_signed (text, 10, 0, G_MAXINT32, &seconds, NULL))
    return seconds * 1000;
  date = soup_date_time_new_from_http_string (text);
  if (date == NULL)
    return -1;
  usec = g_date_time_to_unix (date) * G_USEC_PER_SEC - g_get_real_time ();
  return MAX (usec, 0) / USEC_PER_MS;
}

NebulaHttpResponse *
_nebula_http_response_new (NebulaHttpRequest *request, NebulaInvocation *invocation, SoupMessage *message, GBytes *content)
{
  NebulaHttpResponse *self = g_new0 (NebulaHttpResponse, 1);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  g_autofree char *address = _nebula_http_describe_uri (soup_message_get_uri (message));
  g_autoptr (GHashTable) parameters = NULL;
  const char *type = soup_message_headers_get_content_type (headers, &parameters);
  const char *reason = soup_message_get_reason_phrase (message);

  self->invocation = g_object_ref (invocation);
  self->target = g_strconcat (soup_message_get_method (message), " ", address, NULL);
  self->status = soup_message_get_status (message);
  self->reason = g_utf8_make_valid (reason != NULL ? reason : "", -1);
  self->content_type = type != NULL ? g_ascii_strdown (type, -1) : NULL;
  if (parameters != NULL)
    self->charset = g_strdup (g_hash_table_lookup (parameters, "charset"));
  self->retry_after_ms = read_retry_after (headers);
  self->headers = collect_headers (headers);
  self->content = g_bytes_ref (content);
  self->accept_errors = request->accept_errors;
  return self;
}

static gboolean
is_json (const NebulaHttpResponse *self)
{
  return self->content_type != NULL &&
         (strcmp (self->content_type, "application/json") == 0 || g_str_has_suffix (self->content_type, "+json"));
}

static gboolean
is_text (const NebulaHttpResponse *self)
{
  static const char *const types[] = { "application/xml", "application/javascript", "application/x-www-form-urlencoded",
                                       "application/yaml", "application/x-ndjson", NULL };

  if (self->content_type == NULL || self->charset != NULL)
    return TRUE;
  return g_str_has_prefix (self->content_type, "text/") || g_str_has_suffix (self->content_type, "+xml") || is_json (self) ||
         g_strv_contains (types, self->content_type);
}

/* NULL if it is no text in the charset that it claims. */
static char *
decode_text (const NebulaHttpResponse *self, gsize *ret_length)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (self->content, &size);

  if (self->charset != NULL && g_ascii_strcasecmp (self->charset, "utf-8") != 0)
    return g_convert (data, (gssize) size, "UTF-8", self->charset, NULL, ret_length, NULL);
  if (!g_utf8_validate_len (data, size, NULL))
    return NULL;
  *ret_length = size;
  return g_strndup (data, size);
}

static NebulaValue *
parse_json (const NebulaHttpResponse *self, GError **error)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (self->content, &size);
  NebulaValue *value = nebula_value_parse_json (data, (gssize) size, NEBULA_JSON_FLAGS_LIMITED, error);

  if (value == NULL)
    g_prefix_error (error, _("The answer to %s says that it is JSON and is not: "), self->target);
  return value;
}

/* JSON by its type, text where it is one, bytes else; null if there is nothing. */
static NebulaValue *
read_body (const NebulaHttpResponse *self, gboolean is_strict, GError **error)
{
  g_autoptr (GError) reason = NULL;
  char *text = NULL;
  gsize length = 0;

  if (g_bytes_get_size (self->content) == 0)
    return nebula_value_new_null ();
  if (is_json (self)) {
    NebulaValue *value = parse_json (self, is_strict ? error : &reason);

    if (value != NULL || is_strict)
      return value;
  }
  if (is_text (self))
    text = decode_text (self, &length);
  return text != NULL ? nebula_value_new_string_take (text, length) : nebula_value_new_bytes (self->content);
}

static NebulaValue *
make_result (const NebulaHttpResponse *self, NebulaValue *body, gboolean is_error)
{
  g_autoptr (NebulaValueBuilder) result = nebula_value_builder_new_object ();

  nebula_value_builder_set_integer (result, "status", self->status);
  nebula_value_builder_set (result, "headers", self->headers);
  nebula_value_builder_set (result, "body", body);
  if (is_error && self->retry_after_ms >= 0)
    nebula_value_builder_set_integer (result, "retry_after_ms", self->retry_after_ms);
  return nebula_value_builder_end (result);
}

static NebulaRetryClass
get_retry_class (guint status)
{
  if (status == 429)
    return NEBULA_RETRY_CLASS_THROTTLE;
  if (status == 408 || status == 425 || status >= 500)
    return NEBULA_RETRY_CLASS_RETRY;
  return NEBULA_RETRY_CLASS_TERMINAL;
}

static void
answer_status (const NebulaHttpResponse *self, NebulaValue *details)
{
  g_autofree char *message = NULL;

  message = g_strdup_printf (_("%s was answered with the status %u %s. Read the answer in the details"), self->target,
                             self->status, self->reason);
  nebula_invocation_return_failure (self->invocation, nebula_error_code_to_string (NEBULA_ERROR_HTTP_STATUS), message,
                                    get_retry_class (self->status), details);
}

void
_nebula_http_response_answer (NebulaHttpResponse *response)
{
  g_autoptr (NebulaHttpResponse) self = response;
  gboolean is_error = self->status >= 400;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) body = read_body (self, !is_error, &error);
  g_autoptr (NebulaValue) result = NULL;

  if (body == NULL) {
    nebula_invocation_return_error (self->invocation, error);
    return;
  }
  result = make_result (self, body, is_error && !self->accept_errors);
  if (is_error && !self->accept_errors)
    answer_status (self, result);
  else
    nebula_invocation_return_value (self->invocation, result);
}
