/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api-head.h"

#include <string.h>

#define LENGTH_DIGITS 15 /* no body is a petabyte long */

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};
/* May stand once only: a second one is an attempt to say two things. */
static const char *const single[] = {"authorization", "content-length", "content-type", "expect", "host",
                                     "idempotency-key", "if-match", "origin", "transfer-encoding", NULL};
/* Not for those behind us: framing and hops are ours, ranges and upgrades are not served. */
static const char *const dropped[] = {"connection", "content-length", "expect", "keep-alive",
                                      "proxy-connection", "range", "te", "trailer",
                                      "transfer-encoding", "upgrade", NULL};

static void
field_clear (gpointer data)
{
  ApiField *field = data;

  g_free (field->name);
  g_free (field->value);
}

void
api_head_clear (ApiHead *self)
{
  g_clear_pointer (&self->method, g_free);
  g_clear_pointer (&self->target, g_free);
  g_clear_pointer (&self->fields, g_array_unref);
}

const char *
api_head_get (const ApiHead *self, const char *name)
{
  for (guint i = 0; self->fields && i < self->fields->len; i++) {
    const ApiField *field = &g_array_index (self->fields, ApiField, i);

    if (g_str_equal (field->name, name))
      return field->value;
  }
  return NULL;
}

static gboolean
is_token (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && (!text[i] || !strchr ("!#$%&'*+-.^_`|~", text[i])))
      return FALSE;
  return length > 0;
}

static guint
check_version (ApiHead *self, const char *version)
{
  if (!version || strlen (version) != 8 || !g_str_has_prefix (version, "HTTP/1.") ||
      (version[7] != '0' && version[7] != '1'))
    return 505;
  self->minor = version[7] - '0';
  return 0;
}

static guint
read_request_line (ApiHead *self, const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, " ", 4);
  guint n_parts = g_strv_length (parts);
  guint status;

  if (n_parts < 2 || n_parts > 3 || !is_token (parts[0], strlen (parts[0])))
    return 400;
  status = check_version (self, parts[2]);
  if (status)
    return status;
  if (!g_strv_contains (methods, parts[0]))
    return 501;
  if (!api_target_check (parts[1]) &&
      !(g_str_equal (parts[0], "OPTIONS") && g_str_equal (parts[1], "*")))
    return 400;
  self->method = g_strdup (parts[0]);
  self->target = g_strdup (parts[1]);
  return 0;
}

static guint
read_field (ApiHead *self, const char *line)
{
  const char *colon = strchr (line, ':');
  ApiField field;

  if (!colon || !is_token (line, (gsize) (colon - line)))
    return 400;
  field.name = g_ascii_strdown (line, (gssize) (colon - line));
  field.value = g_strstrip (g_strdup (colon + 1));
  if (g_strv_contains (single, field.name) && api_head_get (self, field.name)) {
    field_clear (&field);
    return 400;
  }
  g_array_append_val (self->fields, field);
  return self->fields->len > API_HEAD_FIELDS ? 431 : 0;
}

static guint
check_host (ApiHead *self)
{
  const char *host = api_head_get (self, "host");

  if (!host)
    return self->minor == 0 ? 0 : 400;
  return *host && strspn (host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
                      strlen (host)
             ? 0
             : 400;
}

static guint
read_length (ApiHead *self, const char *length)
{
  gsize n_digits = strlen (length);

  if (n_digits == 0 || strspn (length, "0123456789") != n_digits ||
      (length[0] == '0' && n_digits > 1))
    return 400;
  if (n_digits > LENGTH_DIGITS)
    return n_digits > 18 ? 400 : 413;
  self->length = g_ascii_strtoll (length, NULL, 10);
  return 0;
}

static guint
check_framing (ApiHead *self)
{
  const char *length = api_head_get (self, "content-length");
  const char *coding = api_head_get (self, "transfer-encoding");

  self->length = -1;
  if (coding && (length || self->minor == 0 || strchr (coding, ',')))
    return 400;
  if (coding && g_ascii_strcasecmp (coding, "chunked") != 0)
    return 501;
  self->is_chunked = coding != NULL;
  return length ? read_length (self, length) : 0;
}

static guint
check_head (ApiHead *self)
{
  const char *expect = api_head_get (self, "expect");
  const char *coding = api_head_get (self, "content-encoding");
  guint status = check_host (self);

  if (!status)
    status = check_framing (self);
  if (status)
    return status;
  self->expects_continue = expect != NULL;
  if (expect && g_ascii_strcasecmp (expect, "100-continue") != 0)
    return 417;
  return coding && g_ascii_strcasecmp (coding, "identity") != 0 ? 415 : 0;
}

/* The length of the line at @data without its CRLF; -1: it is not complete, -2: it is none. */
static gssize
find_line (const guint8 *data, gsize size)
{
  for (gsize i = 0; i < size; i++) {
    if (data[i] == '\r')
      return i + 1 == size ? -1 : data[i + 1] == '\n' ? (gssize) i : -2;
    if ((data[i] < 0x20 && data[i] != '\t') || data[i] == 0x7f)
      return -2;
  }
  return -1;
}

/* What is wrong with a line that goes on for ever. */
static guint
check_size (gsize offset, gsize size, gboolean is_first)
{
  if (is_first && size - offset > API_LINE_BYTES)
    return 414;
  return size >= API_HEAD_BYTES ? 431 : 0;
}

static guint
read_line (ApiHead *self, const char *line, gsize length, gboolean is_first)
{
  if (is_first)
    return length > API_LINE_BYTES ? 414 : read_request_line (self, line);
  return line[0] == ' ' || line[0] == '\t' ? 400 : read_field (self, line);
}

ApiParse
api_head_parse (ApiHead *self, const guint8 *data, gsize size, gsize *ret_used, guint *ret_status)
{
  gsize offset = size >= 2 && memcmp (data, "\r\n", 2) == 0 ? 2 : 0;
  gboolean is_first = TRUE;

  *ret_status = 0;
  api_head_clear (self);
  self->fields = g_array_new (FALSE, FALSE, sizeof (ApiField));
  g_array_set_clear_func (self->fields, field_clear);
  while (!*ret_status) {
    gssize length = find_line (data + offset, size - offset);
    g_autofree char *line = NULL;

    if (length == -2) {
      *ret_status = 400;
    } else if (length < 0) {
      *ret_status = check_size (offset, size, is_first);
      if (!*ret_status)
        return API_PARSE_MORE;
    } else if (length == 0 && !is_first) {
      *ret_used = offset + 2;
      *ret_status = *ret_used > API_HEAD_BYTES ? 431 : check_head (self);
      if (!*ret_status)
        return API_PARSE_DONE;
    } else {
      line = g_strndup ((const char *) data + offset, (gsize) length);
      *ret_status = read_line (self, line, (gsize) length, is_first);
      offset += (gsize) length + 2;
      is_first = FALSE;
    }
  }
  return API_PARSE_BAD;
}

static void
append (GByteArray *out, const char *text)
{
  g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text));
}

static gboolean
wants_close (const ApiHead *self)
{
  for (guint i = 0; i < self->fields->len; i++) {
    const ApiField *field = &g_array_index (self->fields, ApiField, i);
    g_autofree char *value = NULL;

    if (!g_str_equal (field->name, "connection"))
      continue;
    value = g_ascii_strdown (field->value, -1);
    if (strstr (value, "close"))
      return TRUE;
  }
  return FALSE;
}

void
api_head_write (const ApiHead *self, GByteArray *out)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text, "%s %s HTTP/1.%u\r\n", self->method, self->target, self->minor);
  for (guint i = 0; i < self->fields->len; i++) {
    const ApiField *field = &g_array_index (self->fields, ApiField, i);

    if (!g_strv_contains (dropped, field->name))
      g_string_append_printf (text, "%s: %s\r\n", field->name, field->value);
  }
  if (wants_close (self))
    g_string_append (text, "connection: close\r\n");
  if (self->is_chunked)
    g_string_append (text, "transfer-encoding: chunked\r\n");
  else if (self->length >= 0)
    g_string_append_printf (text, "content-length: %" G_GINT64_FORMAT "\r\n", self->length);
  g_string_append (text, "\r\n");
  append (out, text->str);
}
