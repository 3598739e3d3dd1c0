/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The page behind the one-time link: a form without script, which makes the first user. */

#include <glib/gi18n-lib.h>

#include "api-private.h"

static const char *
translate (ApiRequest *self, const char *text)
{
  return self->language
             ? nebula_catalog_translate (api_service_get_catalog (self->service), self->language, text)
             : text;
}

static void
answer_page (ApiRequest *self, guint status, const char *inner)
{
  char *page = g_strdup_printf (
      "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>Nebula</title></head>"
      "<body><main><h1>Nebula</h1>%s</main></body></html>\n",
      self->language ? self->language : "en", inner);

  api_answer_text (self, status, "text/html; charset=utf-8", page);
}

static void
answer_form (ApiRequest *self, guint status, const char *secret, const char *note)
{
  g_autofree char *inner = g_markup_printf_escaped (
      "<p role=\"status\">%s</p><form method=\"post\" action=\"/setup\">"
      "<input type=\"hidden\" name=\"secret\" value=\"%s\">"
      "<p><label>%s <input name=\"user\" autocomplete=\"username\" required></label></p>"
      "<p><label>%s <input name=\"password\" type=\"password\" minlength=\"10\" "
      "autocomplete=\"new-password\" required></label></p>"
      "<p><button>%s</button></p></form>",
      note, secret, translate (self, N_ ("User name")), translate (self, N_ ("Password")),
      translate (self, N_ ("Make the first user")));

  answer_page (self, status, inner);
}

static void
answer_closed (ApiRequest *self, guint status)
{
  g_autofree char *inner = g_markup_printf_escaped (
      "<p>%s</p>", translate (self, N_ ("The first user has been made. This link has done its work.")));

  answer_page (self, status, inner);
}

static void
allow_form (ApiRequest *self)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (self->message),
                                "Content-Security-Policy",
                                "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
}

void
api_handle_set_up_page (ApiRequest *self)
{
  const char *secret = g_hash_table_lookup (self->query, "secret");

  allow_form (self);
  if (nebula_service_host_is_set_up (api_service_get_host (self->service)))
    answer_closed (self, 410);
  else
    answer_form (self, 200, secret ? secret : "",
                 translate (self, N_ ("Choose a name and a password of at least ten characters.")));
}

static void
made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ApiRequest) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) answer = nebula_service_host_ask_finish (
      api_service_get_host (self->service), result, NULL, &error);

  if (self->is_over)
    return;
  if (answer)
    answer_closed (self, 200);
  else
    answer_form (self, nebula_error_get_http_status (error),
                 g_hash_table_lookup (self->query, "secret"), error->message);
}

/* The form's members, as those of a query. */
static void
read_form (ApiRequest *self)
{
  g_autoptr (GBytes) bytes =
      soup_message_body_flatten (soup_server_message_get_request_body (self->message));
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_auto (GStrv) pairs = g_strsplit (text, "&", 16);

  for (guint i = 0; pairs[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (pairs[i], "=", 2);
    char *value = pair[0] && pair[1] ? api_target_decode (pair[1], -1, TRUE) : NULL;

    if (value)
      g_hash_table_replace (self->query, g_strdup (pair[0]), value);
  }
}

void
api_handle_set_up_form (ApiRequest *self)
{
  static const char *const members[] = {"secret", "user", "password"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) question = NULL;

  allow_form (self);
  read_form (self);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++) {
    const char *text = g_hash_table_lookup (self->query, members[i]);

    if (!text)
      g_hash_table_insert (self->query, g_strdup (members[i]), g_strdup (""));
    nebula_value_builder_set_string (builder, members[i], text ? text : "");
  }
  nebula_value_builder_set_string (builder, "op", "set-up");
  question = nebula_value_builder_end (builder);
  nebula_service_host_ask_async (api_service_get_host (self->service), self->caller, question,
                                 NULL, made, api_request_ref (self));
}
