/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers: values as JSON, problems (RFC 9457) in the language of the request, and the headers that all have. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "api-private.h"

#define GZIP_BYTES 1024 /* below that it costs more than it saves */

static SoupMessageHeaders *
get_headers (ApiRequest *self)
{
  return soup_server_message_get_response_headers (self->message);
}

void
api_answer_set_headers (ApiRequest *self)
{
  SoupMessageHeaders *headers = get_headers (self);

  soup_message_headers_replace (headers, "X-Request-Id", self->id);
  soup_message_headers_replace (headers, "traceparent", self->trace);
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (headers, "X-Frame-Options", "DENY");
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_message_headers_replace (headers, "Content-Security-Policy",
                                "default-src 'none'; frame-ancestors 'none'; form-action 'self'");
  soup_message_headers_replace (headers, "Cross-Origin-Resource-Policy", "same-origin");
  if (self->language)
    soup_message_headers_replace (headers, "Content-Language", self->language);
}

/* Ends the request. */
static void
finish (ApiRequest *self, guint status)
{
  if (self->is_answered || self->is_over)
    return;
  self->is_answered = TRUE;
  if (api_service_is_draining (self->service))
    soup_message_headers_replace (get_headers (self), "Connection", "close");
  soup_server_message_set_status (self->message, status, NULL);
  if (self->is_paused)
    soup_server_message_unpause (self->message);
  self->is_paused = FALSE;
}

static GBytes *
compress (GBytes *bytes)
{
  g_autoptr (GConverter) converter =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 1));
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, converter);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);

  if (!g_output_stream_write_all (stream, data, size, NULL, NULL, NULL) ||
      !g_output_stream_close (stream, NULL, NULL))
    return NULL;
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static gboolean
takes_gzip (ApiRequest *self)
{
  const char *accepted = api_request_get_header (self, "Accept-Encoding");
  GSList *codings = accepted ? soup_header_parse_quality_list (accepted, NULL) : NULL;
  gboolean is_taken = g_slist_find_custom (codings, "gzip", (GCompareFunc) g_ascii_strcasecmp) != NULL;

  soup_header_free_list (codings);
  return is_taken;
}

/* With HEAD the library sends the headers alone. */
static void
set_body (ApiRequest *self, const char *type, GBytes *bytes)
{
  g_autoptr (GBytes) packed = g_bytes_get_size (bytes) >= GZIP_BYTES && takes_gzip (self)
                                  ? compress (bytes)
                                  : NULL;
  SoupMessageHeaders *headers = get_headers (self);

  soup_message_headers_replace (headers, "Content-Type", type);
  soup_message_headers_append (headers, "Vary", "Accept-Encoding, Accept-Language");
  if (packed)
    soup_message_headers_replace (headers, "Content-Encoding", "gzip");
  soup_message_body_append_bytes (soup_server_message_get_response_body (self->message),
                                  packed ? packed : bytes);
}

void
api_answer_text (ApiRequest *self, guint status, const char *type, char *text)
{
  g_autoptr (GBytes) bytes = text ? g_bytes_new_take (text, strlen (text)) : NULL;

  if (self->is_over || self->is_answered)
    return;
  if (bytes)
    set_body (self, type, bytes);
  finish (self, status);
}

static gboolean
matches (const char *list, const char *tag)
{
  g_auto (GStrv) tags = g_strsplit (list, ",", -1);

  for (guint i = 0; tags[i]; i++) {
    const char *each = g_strstrip (tags[i]);

    if (g_str_has_prefix (each, "W/"))
      each += 2;
    if (g_str_equal (each, "*") || g_str_equal (each, tag))
      return TRUE;
  }
  return FALSE;
}

/* A tag that is not set yet is made of the content. */
static char *
make_tag (ApiRequest *self, const char *text)
{
  const char *given = soup_message_headers_get_one (get_headers (self), "ETag");
  g_autofree char *digest = NULL;

  if (given)
    return g_strdup (given);
  digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  digest[32] = '\0';
  return g_strdup_printf ("\"%s\"", digest);
}

void
api_answer_value (ApiRequest *self, guint status, NebulaValue *value)
{
  g_autofree char *text = NULL;
  g_autofree char *tag = NULL;
  const char *known = api_request_get_header (self, "If-None-Match");
  gboolean is_read = self->route && g_str_equal (self->route->method, "GET");

  if (self->is_over || self->is_answered)
    return;
  if (status == 204) {
    finish (self, 204);
    return;
  }
  text = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
  if (is_read) {
    tag = make_tag (self, text);
    soup_message_headers_replace (get_headers (self), "ETag", tag);
    soup_message_headers_replace (get_headers (self), "Cache-Control", "private, no-cache");
  }
  if (is_read && known && matches (known, tag))
    finish (self, 304);
  else
    api_answer_text (self, status, "application/json", g_steal_pointer (&text));
}

static NebulaValue *
merge (NebulaValue *problem, NebulaValue *extra)
{
  return extra ? nebula_value_merge (problem, extra, NEBULA_MERGE_FLAGS_NONE)
               : nebula_value_ref (problem);
}

static NebulaValue *
with_status (NebulaValue *problem, guint status)
{
  g_autoptr (NebulaValue) number = nebula_value_new_integer (status);

  return nebula_value_with_member (problem, "status", number);
}

void
api_answer_problem (ApiRequest *self,
                    guint status,
                    NebulaError code,
                    const char *detail,
                    NebulaValue *extra)
{
  NebulaCatalog *catalog = api_service_get_catalog (self->service);
  g_autoptr (GError) error = g_error_new_literal (
      NEBULA_ERROR, (gint) code, detail); /* the problem has it translated */
  g_autofree char *instance = g_strconcat ("urn:nebula:request:", self->id, NULL);
  g_autoptr (NebulaValue) plain = nebula_error_to_problem (
      error, catalog, self->language ? self->language : "en", instance);
  g_autoptr (NebulaValue) numbered = with_status (plain, status);
  g_autoptr (NebulaValue) problem = merge (numbered, extra);
  char *text = nebula_value_to_json (problem, NEBULA_JSON_FLAGS_NONE);

  soup_message_headers_replace (get_headers (self), "Cache-Control", "no-store");
  api_answer_text (self, status, "application/problem+json", text);
}

static void
set_retry (ApiRequest *self, const GError *error, guint status)
{
  gint64 after_ms = nebula_error_get_retry_after_ms (error);
  g_autofree char *seconds =
      g_strdup_printf ("%" G_GINT64_FORMAT, MAX ((after_ms + 999) / 1000, 1));

  if (after_ms >= 0 || status == 429 || status == 503)
    soup_message_headers_replace (get_headers (self), "Retry-After", seconds);
}

void
api_answer_error (ApiRequest *self, const GError *error)
{
  NebulaCatalog *catalog = api_service_get_catalog (self->service);
  guint status = nebula_error_get_http_status (error);
  g_autofree char *instance = g_strconcat ("urn:nebula:request:", self->id, NULL);
  g_autoptr (NebulaValue) problem = nebula_error_to_problem (
      error, catalog, self->language ? self->language : "en", instance);

  if (self->is_over || self->is_answered)
    return;
  if (status >= 500)
    g_message ("%s %s: %s", self->route ? self->route->operation_id : "?", self->id,
               error->message);
  set_retry (self, error, status);
  api_answer_text (self, status, "application/problem+json",
                   nebula_value_to_json (problem, NEBULA_JSON_FLAGS_NONE));
}

static const struct {
  guint status;
  NebulaError code;
  const char *detail;
} refusals[] = {
    {400, NEBULA_ERROR_SYNTAX, N_ ("The request is not well-formed.")},
    {408, NEBULA_ERROR_TIMED_OUT, N_ ("The request came too slowly.")},
    {411, NEBULA_ERROR_INVALID_ARGUMENT, N_ ("The request does not say how long its body is.")},
    {413, NEBULA_ERROR_TOO_LARGE, N_ ("The body is larger than this address takes.")},
    {414, NEBULA_ERROR_TOO_LARGE, N_ ("The address is too long.")},
    {415, NEBULA_ERROR_UNSUPPORTED, N_ ("Bodies are taken without a content coding.")},
    {417, NEBULA_ERROR_UNSUPPORTED, N_ ("What the request expects is not known here.")},
    {421, NEBULA_ERROR_INVALID_ARGUMENT, N_ ("This server does not go by that name. Add it to the setting “server-hosts”.")},
    {431, NEBULA_ERROR_TOO_LARGE, N_ ("The headers of the request are too large.")},
    {501, NEBULA_ERROR_UNSUPPORTED, N_ ("The method or the transfer coding is not known here.")},
    {505, NEBULA_ERROR_UNSUPPORTED, N_ ("Only HTTP/1.0 and HTTP/1.1 are spoken here.")},
};

char *
api_answer_make_refusal (NebulaCatalog *catalog, guint status, const char *accept_language)
{
  g_autofree char *language =
      accept_language ? nebula_catalog_negotiate (catalog, accept_language) : NULL;
  guint i = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) plain = NULL;
  g_autoptr (NebulaValue) problem = NULL;

  while (i + 1 < G_N_ELEMENTS (refusals) && refusals[i].status != status)
    i++;
  error = g_error_new_literal (
      NEBULA_ERROR, (gint) refusals[i].code, refusals[i].detail);
  plain = nebula_error_to_problem (error, catalog, language ? language : "en", NULL);
  problem = with_status (plain, status);
  return nebula_value_to_json (problem, NEBULA_JSON_FLAGS_NONE);
}
