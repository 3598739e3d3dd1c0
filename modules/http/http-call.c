/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From parameters to what goes over the wire. All that comes from outside is checked here. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "http-private.h"

#define TOKEN_CHARACTERS "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* They frame the message or belong to the connection: whoever sets them could smuggle a second request. */
static const char *const kept_headers[] = {
  "connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", NULL,
};

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER, message);
  return FALSE;
}

void
_nebula_http_call_free (NebulaHttpCall *self)
{
  g_free (self->method);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_clear_pointer (&self->headers, soup_message_headers_unref);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self);
}

gboolean
_nebula_http_method_is_safe (const char *method)
{
  return strcmp (method, "GET") == 0 || strcmp (method, "HEAD") == 0 || strcmp (method, "OPTIONS") == 0;
}

char *
_nebula_http_describe_uri (GUri *uri)
{
  return g_uri_to_string_partial (uri, G_URI_HIDE_USERINFO | G_URI_HIDE_QUERY | G_URI_HIDE_FRAGMENT);
}

char *
_nebula_http_to_field (NebulaValue *value, const char *what, const char *name, GError **error)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_ARRAY || kind == NEBULA_VALUE_KIND_OBJECT || kind == NEBULA_VALUE_KIND_BYTES) {
    refuse (error, _("The member “%s” of “%s” is no text, number or boolean. Write it as text, for example with to_json()"), name,
            what);
    return NULL;
  }
  if (kind == NEBULA_VALUE_KIND_STRING && strlen (nebula_value_get_string (value)) != nebula_value_get_string_length (value)) {
    refuse (error, _("The member “%s” of “%s” holds a zero character. Remove it"), name, what);
    return NULL;
  }
  return nebula_value_to_text (value);
}

static gboolean
append_field (GString *text, const char *name, NebulaValue *value, const char *what, GError **error)
{
  g_autofree char *field = NULL;

  if (nebula_value_is_null (value))
    return TRUE;
  field = _nebula_http_to_field (value, what, name, error);
  if (field == NULL)
    return FALSE;

  if (text->len > 0)
    g_string_append_c (text, '&');
  g_string_append_uri_escaped (text, name, NULL, FALSE);
  g_string_append_c (text, '=');
  g_string_append_uri_escaped (text, field, NULL, FALSE);
  return TRUE;
}

gboolean
_nebula_http_append_fields (GString *text, NebulaValue *object, const char *what, GError **error)
{
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    const char *name = nebula_value_get_key (object, i, NULL);
    NebulaValue *value = nebula_value_get_member_at (object, i);
    gboolean is_list = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY;
    gsize n_values = is_list ? nebula_value_get_length (value) : 1;

    for (gsize j = 0; j < n_values; j++)
      if (!append_field (text, name, is_list ? nebula_value_get_item (value, j) : value, what, error))
        return FALSE;
  }
  return TRUE;
}

/* Address */

/* People write spaces and letters of any script; what could end the line is no address. */
static char *
escape_url (const char *url, GError **error)
{
  g_autoptr (GString) escaped = g_string_new (NULL);

  for (const char *at = url; *at != '\0'; at++) {
    guchar byte = (guchar) *at;

    if (byte < 0x20 || byte == 0x7f) {
      refuse (error, _("The URL holds a line break or another control character. Remove it, or put values into “query”"));
      return NULL;
    }
    if (byte > 0x7e || strchr (" \"<>\\^`{|}", byte) != NULL)
      g_string_append_printf (escaped, "%%%02X", byte);
    else
      g_string_append_c (escaped, (char) byte);
  }
  return g_string_free (g_steal_pointer (&escaped), FALSE);
}

static gboolean
check_uri (GUri *uri, const char *url, GError **error)
{
  const char *scheme = g_uri_get_scheme (uri);
  const char *host = g_uri_get_host (uri);

  if (strcmp (scheme, "http") != 0 && strcmp (scheme, "https") != 0)
    return refuse (error, _("The URL has the scheme “%s”. Use http or https"), scheme);
  if (host == NULL || *host == '\0')
    return refuse (error, _("The URL “%s” names no host. Write it as in “https://example.com/path”"), url);
  if (g_uri_get_userinfo (uri) != NULL)
    return refuse (error, _("The URL holds a user name or password. Put them into “auth”, where they stay secret"));
  return TRUE;
}

static GUri *
add_query (GUri *uri, NebulaValue *query, GError **error)
{
  g_autoptr (GString) text = g_string_new (g_uri_get_query (uri));

  if (query != NULL && !_nebula_http_append_fields (text, query, "query", error))
    return NULL;
  return soup_uri_copy (uri, SOUP_URI_QUERY, text->len > 0 ? text->str : NULL, SOUP_URI_FRAGMENT, NULL, SOUP_URI_NONE);
}

static GUri *
make_uri (NebulaHttpRequest *request, GError **error)
{
  g_autofree char *escaped = escape_url (request->url, error);
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GError) reason = NULL;

  if (escaped == NULL)
    return NULL;
  uri = g_uri_parse (escaped, SOUP_HTTP_URI_FLAGS, &reason);
  if (uri == NULL) {
    refuse (error, _("“%s” is no URL: %s. Write it as in “https://example.com/path”"), request->url, reason->message);
    return NULL;
  }
  return check_uri (uri, request->url, error) ? add_query (uri, request->query, error) : NULL;
}

/* Headers */

static gboolean
check_header_name (const char *name, gsize length, GError **error)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  if (*name == '\0' || strlen (name) != length || strspn (name, TOKEN_CHARACTERS) != length)
    return refuse (error, _("A header has a name that is not allowed. Use letters, digits and hyphens"));
  if (g_strv_contains (kept_headers, lower))
    return refuse (error, _("The header “%s” is set by the connection alone. Leave it out"), name);
  return TRUE;
}

static gboolean
is_header_text (const char *text)
{
  for (; *text != '\0'; text++)
    if (((guchar) *text < 0x20 && *text != '\t') || *text == 0x7f)
      return FALSE;
  return TRUE;
}

static gboolean
append_header (NebulaHttpCall *self, const char *name, NebulaValue *value, GError **error)
{
  g_autofree char *text = NULL;

  if (nebula_value_is_null (value))
    return TRUE;
  text = _nebula_http_to_field (value, "headers", name, error);
  if (text == NULL)
    return FALSE;
  if (!is_header_text (text))
    return refuse (error, _("The header “%s” holds a line break or another control character. Remove it"), name);
  soup_message_headers_append (self->headers, name, text);
  return TRUE;
}

static gboolean
append_headers (NebulaHttpCall *self, NebulaValue *headers, GError **error)
{
  for (gsize i = 0; headers != NULL && i < nebula_value_get_length (headers); i++) {
    gsize length = 0;
    const char *name = nebula_value_get_key (headers, i, &length);
    NebulaValue *value = nebula_value_get_member_at (headers, i);
    gboolean is_list = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY;
    gsize n_values = is_list ? nebula_value_get_length (value) : 1;

    if (!check_header_name (name, length, error))
      return FALSE;
    for (gsize j = 0; j < n_values; j++)
      if (!append_header (self, name, is_list ? nebula_value_get_item (value, j) : value, error))
        return FALSE;
  }
  return TRUE;
}

/* Credentials */

static const char *
get_credential (NebulaValue *auth, const char *name)
{
  NebulaValue *value = nebula_value_get_member (auth, name);

  if (value == NULL || nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING ||
      strlen (nebula_value_get_string (value)) != nebula_value_get_string_length (value))
    return NULL;
  return nebula_value_get_string (value);
}

static gboolean
set_basic (NebulaHttpCall *self, NebulaValue *auth, GError **error)
{
  const char *username = get_credential (auth, "username");
  const char *password = get_credential (auth, "password");
  g_autofree char *pair = NULL;
  g_autofree char *encoded = NULL;
  g_autofree char *header = NULL;

  if (username == NULL || password == NULL || strchr (username, ':') != NULL)
    return refuse (error, _("“auth” of the type “basic” needs “username”, without a colon, and “password” as text"));
  pair = g_strconcat (username, ":", password, NULL);
  encoded = g_base64_encode ((const guchar *) pair, strlen (pair));
  header = g_strconcat ("Basic ", encoded, NULL);
  soup_message_headers_replace (self->headers, "Authorization", header);
  return TRUE;
}

static gboolean
set_bearer (NebulaHttpCall *self, NebulaValue *auth, GError **error)
{
  const char *token = get_credential (auth, "token");
  g_autofree char *header = NULL;

  if (token == NULL || *token == '\0' || !is_header_text (token))
    return refuse (error, _("“auth” of the type “bearer” needs “token”, a text without line breaks"));
  header = g_strconcat ("Bearer ", token, NULL);
  soup_message_headers_replace (self->headers, "Authorization", header);
  return TRUE;
}

static gboolean
set_auth (NebulaHttpCall *self, NebulaValue *auth, GError **error)
{
  const char *type;

  if (auth == NULL)
    return TRUE;
  type = nebula_value_get_member_string (auth, "type", "");
  if (strcmp (type, "basic") == 0)
    return set_basic (self, auth, error);
  if (strcmp (type, "bearer") == 0)
    return set_bearer (self, auth, error);
  return refuse (error, _("“auth” has no “type” that is known. Use “basic” or “bearer”"));
}

static void
set_agent (NebulaHttpCall *self)
{
  if (soup_message_headers_get_one (self->headers, "User-Agent") == NULL)
    soup_message_headers_replace (self->headers, "User-Agent", "nebula/1.0");
}

static void
set_key (NebulaHttpCall *self, const char *key)
{
  if (key == NULL || _nebula_http_method_is_safe (self->method) || !is_header_text (key))
    return;
  if (soup_message_headers_get_one (self->headers, "Idempotency-Key") == NULL)
    soup_message_headers_replace (self->headers, "Idempotency-Key", key);
}

NebulaHttpCall *
_nebula_http_call_new (NebulaHttpRequest *request, const char *idempotency_key, GError **error)
{
  g_autoptr (NebulaHttpCall) self = g_new0 (NebulaHttpCall, 1);

  self->method = g_strdup (request->method);
  self->headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  self->uri = make_uri (request, error);
  if (self->uri == NULL || !append_headers (self, request->headers, error) || !set_auth (self, request->auth, error) ||
      !_nebula_http_call_set_body (self, request->body, request->body_kind, error))
    return NULL;
  set_agent (self);
  set_key (self, idempotency_key);
  return g_steal_pointer (&self);
}
