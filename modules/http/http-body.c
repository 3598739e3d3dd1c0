/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "http-private.h"

static gboolean
refuse_body (const char *kind, const char *wanted, GError **error)
{
  /* TRANSLATORS: the first %s is a kind such as “form”, the second the values that it takes */
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER, _("A body of the kind “%s” must be %s. Change “body” or “body-kind”"),
               kind, wanted);
  return FALSE;
}

static void
take_body (NebulaHttpCall *self, GBytes *body, const char *content_type)
{
  self->body = body;
  if (soup_message_headers_get_one (self->headers, "Content-Type") == NULL)
    soup_message_headers_replace (self->headers, "Content-Type", content_type);
}

static void
take_text (NebulaHttpCall *self, char *text, gsize length, const char *content_type)
{
  take_body (self, g_bytes_new_take (text, length), content_type);
}

static gboolean
set_json (NebulaHttpCall *self, NebulaValue *body, GError **error)
{
  char *text = nebula_value_to_json (body, NEBULA_JSON_FLAGS_NONE);

  take_text (self, text, strlen (text), "application/json");
  return TRUE;
}

static gboolean
set_text (NebulaHttpCall *self, NebulaValue *body, GError **error)
{
  if (nebula_value_get_kind (body) == NEBULA_VALUE_KIND_STRING) {
    take_body (self, g_bytes_new (nebula_value_get_string (body), nebula_value_get_string_length (body)),
               "text/plain; charset=utf-8");
  } else {
    char *text = nebula_value_to_text (body);

    take_text (self, text, strlen (text), "text/plain; charset=utf-8");
  }
  return TRUE;
}

static gboolean
set_bytes (NebulaHttpCall *self, NebulaValue *body, GError **error)
{
  if (nebula_value_get_kind (body) == NEBULA_VALUE_KIND_BYTES)
    take_body (self, nebula_value_ref_bytes (body), "application/octet-stream");
  else if (nebula_value_get_kind (body) == NEBULA_VALUE_KIND_STRING)
    take_body (self, g_bytes_new (nebula_value_get_string (body), nebula_value_get_string_length (body)),
               "application/octet-stream");
  else
    return refuse_body ("bytes", _("bytes or text"), error);
  return TRUE;
}

static gboolean
set_form (NebulaHttpCall *self, NebulaValue *body, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize length;

  if (nebula_value_get_kind (body) != NEBULA_VALUE_KIND_OBJECT)
    return refuse_body ("form", _("an object"), error);
  if (!_nebula_http_append_fields (text, body, "body", error))
    return FALSE;

  length = text->len;
  take_text (self, g_string_free (g_steal_pointer (&text), FALSE), length, "application/x-www-form-urlencoded");
  return TRUE;
}

/* What stands in the header of a part must not end it. */
static gboolean
is_plain (const char *text)
{
  return text != NULL && strpbrk (text, "\r\n\"") == NULL;
}

static gboolean
append_file (SoupMultipart *multipart, const char *name, NebulaValue *file, GError **error)
{
  NebulaValue *content = nebula_value_get_member (file, "content");
  const char *filename = nebula_value_get_member_string (file, "filename", name);
  const char *type = nebula_value_get_member_string (file, "type", "application/octet-stream");
  g_autoptr (GBytes) bytes = NULL;

  if (content == NULL || !is_plain (filename) || !is_plain (type)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                 _("The file “%s” of the body is refused. Give “content”, and “filename” and “type” without line breaks "
                   "and quotes"),
                 name);
    return FALSE;
  }
  if (nebula_value_get_kind (content) == NEBULA_VALUE_KIND_BYTES) {
    bytes = nebula_value_ref_bytes (content);
  } else if (nebula_value_get_kind (content) == NEBULA_VALUE_KIND_STRING) {
    bytes = g_bytes_new (nebula_value_get_string (content), nebula_value_get_string_length (content));
  } else {
    char *text = nebula_value_to_json (content, NEBULA_JSON_FLAGS_NONE);

    bytes = g_bytes_new_take (text, strlen (text));
  }
  soup_multipart_append_form_file (multipart, name, filename, type, bytes);
  return TRUE;
}

static gboolean
append_part (SoupMultipart *multipart, const char *name, NebulaValue *value, GError **error)
{
  g_autofree char *text = NULL;

  if (nebula_value_is_null (value))
    return TRUE;
  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT)
    return append_file (multipart, name, value, error);

  text = _nebula_http_to_field (value, "body", name, error);
  if (text == NULL)
    return FALSE;
  soup_multipart_append_form_string (multipart, name, text);
  return TRUE;
}

static gboolean
append_parts (SoupMultipart *multipart, const char *name, NebulaValue *value, GError **error)
{
  if (!is_plain (name)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                         _("A name in the body holds a line break or a quote. Give fields plain names"));
    return FALSE;
  }
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return append_part (multipart, name, value, error);

  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!append_part (multipart, name, nebula_value_get_item (value, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
set_multipart (NebulaHttpCall *self, NebulaValue *body, GError **error)
{
  g_autoptr (SoupMultipart) multipart = soup_multipart_new (SOUP_FORM_MIME_TYPE_MULTIPART);

  if (nebula_value_get_kind (body) != NEBULA_VALUE_KIND_OBJECT)
    return refuse_body ("multipart", _("an object"), error);
  for (gsize i = 0; i < nebula_value_get_length (body); i++)
    if (!append_parts (multipart, nebula_value_get_key (body, i, NULL), nebula_value_get_member_at (body, i), error))
      return FALSE;

  /* The boundary is known here only, so that a type from outside gives way. */
  soup_multipart_to_message (multipart, self->headers, &self->body);
  return TRUE;
}

typedef struct
{
  const char *kind;
  gboolean (*set) (NebulaHttpCall *self, NebulaValue *body, GError **error);
} BodyKind;

static const BodyKind body_kinds[] = {
  { "json", set_json }, { "form", set_form }, { "text", set_text }, { "bytes", set_bytes }, { "multipart", set_multipart },
};

static const char *
guess_kind (NebulaValue *body)
{
  if (nebula_value_get_kind (body) == NEBULA_VALUE_KIND_STRING)
    return "text";
  return nebula_value_get_kind (body) == NEBULA_VALUE_KIND_BYTES ? "bytes" : "json";
}

gboolean
_nebula_http_call_set_body (NebulaHttpCall *self, NebulaValue *body, const char *kind, GError **error)
{
  if (body == NULL || (kind == NULL && nebula_value_is_null (body)))
    return TRUE;
  if (kind == NULL)
    kind = guess_kind (body);

  for (gsize i = 0; i < G_N_ELEMENTS (body_kinds); i++)
    if (strcmp (body_kinds[i].kind, kind) == 0)
      return body_kinds[i].set (self, body, error);
  return refuse_body (kind, _("of another kind"), error);
}
