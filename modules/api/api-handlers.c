/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Routes that do more than to pass on a question. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "api-private.h"

/* The service's loop turns; the engine is not asked. */
void
api_handle_health (ApiRequest *self)
{
  api_answer_text (self, 200, "application/json", g_strdup ("{\"status\":\"ok\"}"));
}

void
api_handle_document (ApiRequest *self)
{
  api_answer_value (self, 200, api_service_get_document (self->service));
}

static void
answer_metrics (ApiRequest *self, NebulaValue *answer)
{
  api_answer_text (self, 200, "text/plain; version=0.0.4; charset=utf-8",
                   g_strdup (nebula_value_get_string (answer)));
}

void
api_handle_metrics (ApiRequest *self)
{
  g_autoptr (NebulaValue) question = api_request_make_question (self, NULL);

  api_request_ask (self, question, answer_metrics);
}

/* {items, next}; what comes next is told as a link, too. */
static void
answer_page (ApiRequest *self, NebulaValue *answer)
{
  NebulaValue *next = nebula_value_get_member (answer, "next");
  g_autofree char *text =
      next && !nebula_value_is_null (next) ? nebula_value_to_text (next) : NULL;
  g_autofree char *escaped = text ? g_uri_escape_string (text, NULL, FALSE) : NULL;
  g_autofree char *link =
      escaped ? g_strdup_printf ("<?after=%s>; rel=\"next\"", escaped) : NULL;

  if (link)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (self->message), "Link", link);
  api_answer_value (self, self->route->status, answer);
}

void
api_handle_page (ApiRequest *self)
{
  g_autoptr (NebulaValue) question = api_request_make_question (self, NULL);

  api_request_ask (self, question, answer_page);
}

/* Workflows: their tag is their revision. */

static void
set_revision (ApiRequest *self, NebulaValue *answer)
{
  g_autofree char *tag =
      g_strdup_printf ("\"r%" G_GINT64_FORMAT "\"",
                       nebula_value_get_member_integer (answer, "revision", 0));

  soup_message_headers_replace (soup_server_message_get_response_headers (self->message),
                                "ETag", tag);
}

static void
answer_workflow (ApiRequest *self, NebulaValue *answer)
{
  set_revision (self, answer);
  api_answer_value (self, 200, answer);
}

void
api_handle_get_workflow (ApiRequest *self)
{
  g_autoptr (NebulaValue) question = api_request_make_question (self, NULL);

  api_request_ask (self, question, answer_workflow);
}

/* If-Match: the revision that must be current. If-None-Match: *: there must be none. FALSE: it is neither. */
static gboolean
read_condition (ApiRequest *self, NebulaValueBuilder *builder)
{
  const char *match = api_request_get_header (self, "If-Match");
  const char *none = api_request_get_header (self, "If-None-Match");
  gsize length = match ? strlen (match) : 0;
  g_autofree char *digits = NULL;
  gint64 revision;

  if (none && g_str_equal (none, "*"))
    nebula_value_builder_set_integer (builder, "if-revision", 0);
  if (!match)
    return !none || g_str_equal (none, "*");
  if (length < 4 || !g_str_has_prefix (match, "\"r") || match[length - 1] != '"')
    return FALSE;
  digits = g_strndup (match + 2, length - 3);
  if (!g_ascii_string_to_signed (digits, 10, 1, G_MAXINT32, &revision, NULL))
    return FALSE;
  nebula_value_builder_set_integer (builder, "if-revision", revision);
  return TRUE;
}

static NebulaValue *
make_text (ApiRequest *self)
{
  g_autoptr (GBytes) bytes =
      soup_message_body_flatten (soup_server_message_get_request_body (self->message));
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  if (size == 0 || !g_utf8_validate (data, (gssize) size, NULL))
    return NULL;
  return nebula_value_new_string_length (data, size);
}

static void
answer_published (ApiRequest *self, NebulaValue *answer)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) extra = NULL;

  if (!nebula_value_has_member (answer, "diagnostics")) {
    set_revision (self, answer);
    api_answer_value (self, nebula_value_get_member_boolean (answer, "changed", FALSE) ? 201 : 200,
                      answer);
    return;
  }
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set (builder, "diagnostics",
                            nebula_value_get_member (answer, "diagnostics"));
  extra = nebula_value_builder_end (builder);
  api_answer_problem (self, 422, NEBULA_ERROR_INVALID_WORKFLOW,
                      N_ ("The workflow is not valid; the diagnostics say why."), extra);
}

static void
answer_verdict (ApiRequest *self, NebulaValue *answer)
{
  api_answer_value (self, 200, answer);
}

/* The whole body as text: what is wrong with it is told with lines and columns. */
static void
ask_with_text (ApiRequest *self, NebulaValueBuilder *builder, ApiAnswered answered)
{
  NebulaValue *text = make_text (self);
  g_autoptr (NebulaValue) extra = NULL;
  g_autoptr (NebulaValue) question = NULL;

  if (!text) {
    api_answer_problem (self, 400, NEBULA_ERROR_INVALID_DATA,
                        N_ ("Send the workflow's definition, in UTF-8."), NULL);
    return;
  }
  nebula_value_builder_set_take (builder, "text", text);
  extra = nebula_value_builder_end (builder);
  question = api_request_make_question (self, extra);
  api_request_ask (self, question, answered);
}

void
api_handle_put_workflow (ApiRequest *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  if (read_condition (self, builder))
    ask_with_text (self, builder, answer_published);
  else
    api_answer_problem (self, 412, NEBULA_ERROR_CONFLICT,
                        N_ ("The condition names no revision. Send the ETag of the workflow as it was read."),
                        NULL);
}

void
api_handle_text_body (ApiRequest *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  ask_with_text (self, builder, answer_verdict);
}

static void
answer_nothing (ApiRequest *self, NebulaValue *answer)
{
  api_answer_value (self, 204, answer);
}

/* An empty revision takes a label away. */
void
api_handle_remove_label (ApiRequest *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) extra = NULL;
  g_autoptr (NebulaValue) question = NULL;

  nebula_value_builder_set_string (builder, "revision", "");
  extra = nebula_value_builder_end (builder);
  question = api_request_make_question (self, extra);
  api_request_ask (self, question, answer_nothing);
}
