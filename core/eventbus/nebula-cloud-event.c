/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CloudEvents 1.0: the JSON format and the HTTP binding.
 *
 *   attributes   specversion "1.0" · id, source, type: needed · subject, time, datacontenttype, dataschema
 *   extensions   names of small letters and digits; values are texts, booleans and integers of 32 bits
 *   data         any JSON, or `data_base64`
 *
 *   binary       ce-NAME headers, percent-encoded; the body is the data
 *   structured   application/cloudevents+json: the body is the event; …-batch+json: an array of events
 */
#include "nebula-cloud-event.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-limits.h"
#include "nebula-text-forms-internal.h"

#define TOKEN_CHARACTERS "!#$%&'*+-.^_`|~"
#define EXTENSION_BYTES  64

static gboolean
is_token (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) &&
        (text[i] == '\0' || strchr (TOKEN_CHARACTERS, text[i]) == NULL))
      return FALSE;
  return length > 0;
}

/* type "/" subtype, with anything that is printable as parameters. */
static gboolean
is_media_type (const char *text, gsize length)
{
  gsize type = strcspn (text, "/");
  gsize subtype = type < length ? strcspn (text + type + 1, "; ") : 0;

  for (gsize i = 0; i < length; i++)
    if ((guchar) text[i] < 0x20 || text[i] == 0x7f)
      return FALSE;
  return type < length && is_token (text, type) && is_token (text + type + 1, subtype);
}

static gboolean
is_filled (const char *text, gsize length)
{
  return length > 0;
}

static gboolean
is_source (const char *text, gsize length)
{
  return length > 0 && nebula_text_is_uri_reference (text, length);
}

static gboolean
is_version (const char *text, gsize length)
{
  return strcmp (text, "1.0") == 0;
}

static const struct {
  const char *name;
  gboolean is_needed;
  NebulaTextForm form;
} attributes[] = {
    {"specversion", TRUE, is_version},
    {"id", TRUE, is_filled},
    {"source", TRUE, is_source},
    {"type", TRUE, is_filled},
    {"subject", FALSE, is_filled},
    {"time", FALSE, nebula_text_is_date_time},
    {"datacontenttype", FALSE, is_media_type},
    {"dataschema", FALSE, nebula_text_is_uri},
};

static NebulaValue *
refuse (GError **error, const char *name, const char *why)
{
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
      /* TRANSLATORS: the name of an attribute, and a clause that says what is wrong */
      _ ("The CloudEvent is refused: “%s” %s."), name, why);
  return NULL;
}

static gboolean
is_extension_name (const char *name, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_islower (name[i]) && !g_ascii_isdigit (name[i]))
      return FALSE;
  return length > 0 && length <= EXTENSION_BYTES;
}

static gboolean
is_extension_value (NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_INTEGER)
    return nebula_value_get_integer (value) >= G_MININT32 &&
           nebula_value_get_integer (value) <= G_MAXINT32;
  return kind == NEBULA_VALUE_KIND_STRING || kind == NEBULA_VALUE_KIND_BOOLEAN;
}

/* FALSE with error; *ret_known for the attributes of the specification. */
static gboolean
check_attribute (const char *name,
                 NebulaValue *value,
                 gboolean *ret_known,
                 GError **error)
{
  *ret_known = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++) {
    if (strcmp (attributes[i].name, name) != 0)
      continue;
    *ret_known = TRUE;
    if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING &&
        attributes[i].form (nebula_value_get_string (value),
                            nebula_value_get_string_length (value)))
      return TRUE;
    refuse (error, name, _ ("has a value that it cannot have"));
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_needed (NebulaValue *object, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++) {
    NebulaValue *value = nebula_value_get_member (object, attributes[i].name);

    if (attributes[i].is_needed && (!value || nebula_value_is_null (value))) {
      refuse (error, attributes[i].name, _ ("is missing"));
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
add_base64 (NebulaValueBuilder *event, NebulaValue *value, GError **error)
{
  const char *text = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING
                         ? nebula_value_get_string (value)
                         : NULL;
  gsize length = text ? nebula_value_get_string_length (value) : 0;
  g_autoptr (GBytes) bytes = NULL;
  guchar *data;

  if (!text || (length > 0 && !nebula_text_is_base64 (text, length))) {
    refuse (error, "data_base64", _ ("has a value that it cannot have"));
    return FALSE;
  }
  data = g_base64_decode (text, &length);
  bytes = g_bytes_new_take (data, length);
  nebula_value_builder_set_take (event, "data", nebula_value_new_bytes (bytes));
  return TRUE;
}

static gboolean
add_member (NebulaValueBuilder *event,
            const char *name,
            gsize length,
            NebulaValue *value,
            GError **error)
{
  gboolean is_known;

  if (strcmp (name, "data") == 0) {
    nebula_value_builder_set (event, name, value);
    return TRUE;
  }
  if (nebula_value_is_null (value))
    return TRUE;
  if (strcmp (name, "data_base64") == 0)
    return add_base64 (event, value, error);
  if (!check_attribute (name, value, &is_known, error))
    return FALSE;
  if (!is_known && (!is_extension_name (name, length) || !is_extension_value (value))) {
    refuse (error, name,
            _ ("is no extension; names have small letters and digits, values are texts, "
               "booleans or integers"));
    return FALSE;
  }
  nebula_value_builder_set (event, name, value);
  return TRUE;
}

/**
 * nebula_cloud_event_read:
 * @object: an event in the JSON format of CloudEvents
 * @error: where to put an error
 *
 * Checks an event of CloudEvents 1.0. Attributes that are null are left out; `data_base64` becomes bytes in `data`.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), naming the attribute.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_cloud_event_read (NebulaValue *object, GError **error)
{
  g_autoptr (NebulaValueBuilder) event = nebula_value_builder_new_object ();

  g_return_val_if_fail (object != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (nebula_value_get_kind (object) != NEBULA_VALUE_KIND_OBJECT) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("A CloudEvent is an object."));
    return NULL;
  }
  if (!check_needed (object, error))
    return NULL;
  if (nebula_value_has_member (object, "data") &&
      nebula_value_has_member (object, "data_base64"))
    return refuse (error, "data",
                   _ ("stands beside “data_base64”; there must be one of them"));
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    gsize length;
    const char *name = nebula_value_get_key (object, i, &length);

    if (!add_member (event, name, length, nebula_value_get_member_at (object, i), error))
      return NULL;
  }
  return nebula_value_builder_end (event);
}

/* Whether a content type is @wanted, parameters aside. */
static gboolean
is_type (const char *content_type, const char *wanted)
{
  gsize length = strlen (wanted);

  return g_ascii_strncasecmp (content_type, wanted, length) == 0 &&
         (content_type[length] == '\0' || content_type[length] == ';' ||
          content_type[length] == ' ');
}

static gboolean
is_json (const char *content_type)
{
  g_autofree char *type = g_strndup (content_type, strcspn (content_type, "; "));

  return g_ascii_strcasecmp (type, "application/json") == 0 ||
         g_ascii_strcasecmp (type, "text/json") == 0 || g_str_has_suffix (type, "+json");
}

static NebulaValue *
parse_body (GBytes *body, GError **error)
{
  return nebula_value_parse_json (g_bytes_get_data (body, NULL),
                                  (gssize) g_bytes_get_size (body),
                                  NEBULA_JSON_FLAGS_LIMITED, error);
}

static NebulaValue *
read_structured (GBytes *body, gboolean is_batch, GError **error)
{
  g_autoptr (NebulaValue) whole = parse_body (body, error);
  g_autoptr (NebulaValueBuilder) events = nebula_value_builder_new_array ();
  gsize n = is_batch && whole ? nebula_value_get_length (whole) : 1;

  if (!whole)
    return NULL;
  if (is_batch && nebula_value_get_kind (whole) != NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("A batch of CloudEvents is an array."));
    return NULL;
  }
  for (gsize i = 0; i < n; i++) {
    NebulaValue *event = nebula_cloud_event_read (
        is_batch ? nebula_value_get_item (whole, i) : whole, error);

    if (!event)
      return NULL;
    nebula_value_builder_add_take (events, event);
  }
  return nebula_value_builder_end (events);
}

/* The attribute of a `ce-` header; values are percent-encoded UTF-8, perhaps in quotes. */
static gboolean
add_header (NebulaValueBuilder *object,
            const char *name,
            NebulaValue *value,
            GError **error)
{
  g_autofree char *key = g_ascii_strdown (name + strlen ("ce-"), -1);
  g_autofree char *text = NULL;

  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING)
    text = g_uri_unescape_string (nebula_value_get_string (value), NULL);
  if (!text || !g_utf8_validate (text, -1, NULL)) {
    refuse (error, key, _ ("is not well encoded"));
    return FALSE;
  }
  if (text[0] == '"' && strlen (text) > 1 && g_str_has_suffix (text, "\""))
    nebula_value_builder_set_take (
        object, key, nebula_value_new_string_length (text + 1, strlen (text) - 2));
  else
    nebula_value_builder_set_string (object, key, text);
  return TRUE;
}

static gboolean
add_body (NebulaValueBuilder *object,
          const char *content_type,
          GBytes *body,
          GError **error)
{
  gsize length;
  const char *data = g_bytes_get_data (body, &length);
  NebulaValue *value;

  if (length == 0)
    return TRUE;
  if (is_json (content_type))
    value = parse_body (body, error);
  else if (g_ascii_strncasecmp (content_type, "text/", 5) == 0 &&
           g_utf8_validate (data, (gssize) length, NULL))
    value = nebula_value_new_string_length (data, length);
  else
    value = nebula_value_new_bytes (body);
  if (!value)
    return FALSE;
  nebula_value_builder_set_take (object, "data", value);
  return TRUE;
}

static NebulaValue *
read_binary (NebulaValue *headers, const char *content_type, GBytes *body, GError **error)
{
  g_autoptr (NebulaValueBuilder) object = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) events = nebula_value_builder_new_array ();
  g_autoptr (NebulaValue) whole = NULL;
  NebulaValue *event;

  for (gsize i = 0; i < nebula_value_get_length (headers); i++) {
    const char *name = nebula_value_get_key (headers, i, NULL);

    if (g_ascii_strncasecmp (name, "ce-", 3) == 0 &&
        !add_header (object, name, nebula_value_get_member_at (headers, i), error))
      return NULL;
  }
  if (content_type)
    nebula_value_builder_set_string (object, "datacontenttype", content_type);
  if (!add_body (object, content_type ? content_type : "", body, error))
    return NULL;
  whole = nebula_value_builder_end (object);
  event = nebula_cloud_event_read (whole, error);
  if (!event)
    return NULL;
  nebula_value_builder_add_take (events, event);
  return nebula_value_builder_end (events);
}

/**
 * nebula_cloud_event_read_http:
 * @headers: an object of header → text; names in any case
 * @body: the body
 * @error: where to put an error
 *
 * Reads the events of an HTTP message by the HTTP binding of CloudEvents 1.0: one in binary or structured mode, or a
 * batch.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), naming the attribute; the errors of nebula_value_parse_json ().
 *
 * Returns: (transfer full): an array of events
 *
 * Since: 1.0
 */
NebulaValue *
nebula_cloud_event_read_http (NebulaValue *headers, GBytes *body, GError **error)
{
  const char *content_type = NULL;

  g_return_val_if_fail (headers != NULL, NULL);
  g_return_val_if_fail (nebula_value_get_kind (headers) == NEBULA_VALUE_KIND_OBJECT,
                        NULL);
  g_return_val_if_fail (body != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  for (gsize i = 0; i < nebula_value_get_length (headers); i++) {
    NebulaValue *value = nebula_value_get_member_at (headers, i);

    if (g_ascii_strcasecmp (nebula_value_get_key (headers, i, NULL), "content-type") ==
            0 &&
        nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING)
      content_type = nebula_value_get_string (value);
  }
  if (content_type && is_type (content_type, "application/cloudevents+json"))
    return read_structured (body, FALSE, error);
  if (content_type && is_type (content_type, "application/cloudevents-batch+json"))
    return read_structured (body, TRUE, error);
  return read_binary (headers, content_type, body, error);
}
