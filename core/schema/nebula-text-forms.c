/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts with a form: numbers with check digits, identifiers, encodings. Addresses and times have files of their own. */
#include <string.h>

#include "nebula-json-schema-private.h"
#include "nebula-json.h"
#include "nebula-text-forms-internal.h"

#define FORM(name) nebula_text_is_##name

static const struct {
  const char *name;
  NebulaTextForm form;
} forms[] = {
    {"base64", FORM (base64)},
    {"credit-card", FORM (credit_card)},
    {"date", FORM (date)},
    {"date-time", FORM (date_time)},
    {"duration", FORM (duration)},
    {"email", FORM (email)},
    {"hex", FORM (hex)},
    {"hostname", FORM (hostname)},
    {"iban", FORM (iban)},
    {"idn-email", FORM (idn_email)},
    {"idn-hostname", FORM (idn_hostname)},
    {"ipv4", FORM (ipv4)},
    {"ipv6", FORM (ipv6)},
    {"iri", FORM (iri)},
    {"iri-reference", FORM (iri_reference)},
    {"json", FORM (json)},
    {"json-pointer", FORM (json_pointer)},
    {"mac", FORM (mac)},
    {"phone", FORM (phone)},
    {"port", FORM (port)},
    {"regex", FORM (regex)},
    {"relative-json-pointer", FORM (relative_json_pointer)},
    {"semver", FORM (semver)},
    {"slug", FORM (slug)},
    {"time", FORM (time)},
    {"uri", FORM (uri)},
    {"uri-reference", FORM (uri_reference)},
    {"uri-template", FORM (uri_template)},
    {"url", FORM (url)},
    {"uuid", FORM (uuid)},
    {"xml", FORM (xml)},
};

NebulaTextForm
nebula_text_form_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    if (strcmp (forms[i].name, name) == 0)
      return forms[i].form;
  return NULL;
}

/* 8-4-4-4-12 digits */
gboolean
nebula_text_is_uuid (const char *text, gsize length)
{
  if (length != 36)
    return FALSE;
  for (gsize i = 0; i < length; i++) {
    gboolean is_dash = i == 8 || i == 13 || i == 18 || i == 23;

    if (is_dash ? text[i] != '-' : !g_ascii_isxdigit (text[i]))
      return FALSE;
  }
  return TRUE;
}

/* Six pairs of digits between “:” or “-”, the same all along. */
gboolean
nebula_text_is_mac (const char *text, gsize length)
{
  if (length != 17 || (text[2] != ':' && text[2] != '-'))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (i % 3 == 2 ? text[i] != text[2] : !g_ascii_isxdigit (text[i]))
      return FALSE;
  return TRUE;
}

gboolean
nebula_text_is_hex (const char *text, gsize length)
{
  if (length == 0 || length % 2 != 0)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isxdigit (text[i]))
      return FALSE;
  return TRUE;
}

/* RFC 4648, section 4, with its padding. */
gboolean
nebula_text_is_base64 (const char *text, gsize length)
{
  gsize n = length;

  if (length == 0 || length % 4 != 0)
    return FALSE;
  while (n > length - 2 && text[n - 1] == '=')
    n--;
  for (gsize i = 0; i < n; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
      return FALSE;
  return TRUE;
}

gboolean
nebula_text_is_json (const char *text, gsize length)
{
  g_autoptr (NebulaValue) value =
      nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_LIMITED, NULL);

  return value != NULL;
}

/* Well formed as GMarkup has it: elements, attributes, comments, instructions; a document type is passed over. */
gboolean
nebula_text_is_xml (const char *text, gsize length)
{
  static const GMarkupParser parser = {NULL, NULL, NULL, NULL, NULL};
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (
      &parser, G_MARKUP_TREAT_CDATA_AS_TEXT | G_MARKUP_PREFIX_ERROR_POSITION, NULL, NULL);

  return g_markup_parse_context_parse (context, text, (gssize) length, NULL) &&
         g_markup_parse_context_end_parse (context, NULL);
}

gboolean
nebula_text_is_regex (const char *text, gsize length)
{
  g_autoptr (GRegex) regex = _nebula_ecma_regex_new (text, length, NULL);

  return regex != NULL;
}

static gsize
count_digits (const char *text)
{
  return strspn (text, "0123456789");
}

/* A whole number without leading zeros; its length, 0 if it is none. */
static gsize
measure_number (const char *text)
{
  gsize n = count_digits (text);

  return n > 1 && *text == '0' ? 0 : n;
}

/* Identifiers between dots; those of digits alone have no leading zeros if @is_strict. */
static gboolean
skip_identifiers (const char **at, gboolean is_strict)
{
  for (;;) {
    const char *start = *at;
    gsize n;

    while (g_ascii_isalnum (**at) || **at == '-')
      (*at)++;
    n = (gsize) (*at - start);
    if (n == 0 || (is_strict && count_digits (start) == n && n > 1 && *start == '0'))
      return FALSE;
    if (**at != '.')
      return TRUE;
    (*at)++;
  }
}

/* Semantic Versioning 2.0.0 */
gboolean
nebula_text_is_semver (const char *text, gsize length)
{
  const char *at = text;

  for (guint i = 0; i < 3; i++) {
    gsize n = measure_number (at);

    at += n;
    if (n == 0 || (i < 2 && *at++ != '.'))
      return FALSE;
  }
  if (*at == '-') {
    at++;
    if (!skip_identifiers (&at, TRUE))
      return FALSE;
  }
  if (*at == '+') {
    at++;
    if (!skip_identifiers (&at, FALSE))
      return FALSE;
  }
  return at == text + length;
}

/* Words of small letters and digits, joined by single dashes. */
gboolean
nebula_text_is_slug (const char *text, gsize length)
{
  if (length == 0 || text[0] == '-' || text[length - 1] == '-')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_islower (text[i]) && !g_ascii_isdigit (text[i]) &&
        (text[i] != '-' || text[i + 1] == '-'))
      return FALSE;
  return TRUE;
}

/* A TCP or UDP port. */
gboolean
nebula_text_is_port (const char *text, gsize length)
{
  guint64 port;

  return measure_number (text) == length &&
         g_ascii_string_to_unsigned (text, 10, 1, 65535, &port, NULL);
}

/* ISO 13616: country, two check digits, account; the remainder by 97 is 1. Spaces between groups are fine. */
gboolean
nebula_text_is_iban (const char *text, gsize length)
{
  char plain[35];
  gsize n = 0;
  guint rest = 0;

  for (gsize i = 0; i < length; i++) {
    if (text[i] == ' ')
      continue;
    if (!(g_ascii_isdigit (text[i]) || g_ascii_isupper (text[i])) || n == 34)
      return FALSE;
    plain[n++] = text[i];
  }
  if (n < 15 || !g_ascii_isupper (plain[0]) || !g_ascii_isupper (plain[1]) ||
      !g_ascii_isdigit (plain[2]) || !g_ascii_isdigit (plain[3]))
    return FALSE;
  for (gsize i = 0; i < n; i++) {
    char letter = plain[(i + 4) % n];
    guint number =
        g_ascii_isdigit (letter) ? (guint) (letter - '0') : (guint) (letter - 'A') + 10;

    rest = (rest * (number > 9 ? 100 : 10) + number) % 97;
  }
  return rest == 1;
}

/* 12 to 19 digits, with spaces or dashes between them, whose check digit by Luhn's formula is right. */
gboolean
nebula_text_is_credit_card (const char *text, gsize length)
{
  guint sum = 0, n = 0;

  for (gsize i = length; i > 0; i--) {
    guint digit = (guint) (text[i - 1] - '0');

    if ((text[i - 1] == ' ' || text[i - 1] == '-') && i > 1 && i < length)
      continue;
    if (!g_ascii_isdigit (text[i - 1]))
      return FALSE;
    if (n++ % 2 == 1)
      digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return n >= 12 && n <= 19 && sum % 10 == 0;
}

/* E.164: “+”, a digit that is not 0, up to 14 more; spaces, dashes, dots and brackets may stand between. */
gboolean
nebula_text_is_phone (const char *text, gsize length)
{
  guint n = 0;

  if (length < 2 || text[0] != '+' || !g_ascii_isdigit (text[1]) || text[1] == '0')
    return FALSE;
  for (gsize i = 1; i < length; i++) {
    if (g_ascii_isdigit (text[i]))
      n++;
    else if (text[i] == '\0' || strchr (" -.()", text[i]) == NULL)
      return FALSE;
  }
  return n >= 7 && n <= 15 && g_ascii_isdigit (text[length - 1]);
}

/* RFC 6901 */
gboolean
nebula_text_is_json_pointer (const char *text, gsize length)
{
  if (length == 0)
    return TRUE;
  if (*text != '/')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (text[i] == '~' && text[i + 1] != '0' && text[i + 1] != '1')
      return FALSE;
  return TRUE;
}

gboolean
nebula_text_is_relative_json_pointer (const char *text, gsize length)
{
  gsize n = measure_number (text);

  if (n == 0)
    return FALSE;
  if (length == n + 1 && text[n] == '#')
    return TRUE;
  return nebula_text_is_json_pointer (text + n, length - n);
}
