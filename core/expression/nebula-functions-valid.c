/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Predicates on the form of text and numbers: they never fail on text, they say no. */

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-expression-private.h"
#include "nebula-json.h"

#define TEXT_MAX 4096 /* none of these forms is longer, but for encodings */

typedef gboolean (*Test) (const char *text, gsize length);

/* Anything that is not text has no form. */
static gboolean
test (NebulaVm *vm, const NebulaCell *cell, Test has_form, gsize max, NebulaCell *ret)
{
  const char *text;
  gsize length;

  *ret = _nebula_cell_boolean (FALSE);
  if (!_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING))
    return TRUE;
  text = _nebula_cell_get_string (cell, &length);
  if (!_nebula_vm_burn (vm, length / 64))
    return FALSE;
  if (length > 0 && length <= max && strlen (text) == length)
    *ret = _nebula_cell_boolean (has_form (text, length));
  return TRUE;
}

static gboolean
is_label (const char *text, gsize length)
{
  if (length == 0 || length > 63 || text[0] == '-' || text[length - 1] == '-')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-')
      return FALSE;
  return TRUE;
}

static gboolean
is_hostname (const char *text, gsize length)
{
  if (length > 253)
    return FALSE;
  for (const char *at = text;;) {
    const char *dot = strchr (at, '.');

    if (!is_label (at, dot != NULL ? (gsize) (dot - at) : strlen (at)))
      return FALSE;
    if (dot == NULL)
      return !g_ascii_isdigit (at[strspn (at, "0123456789")]) &&
             at[strspn (at, "0123456789")] != '\0';
    at = dot + 1;
  }
}

static gboolean
is_ipv4 (const char *text, gsize length)
{
  guint parts = 0;

  for (const char *at = text; parts < 4; parts++) {
    gsize digits = strspn (at, "0123456789");
    int number = 0;

    if (digits == 0 || digits > 3 || (digits > 1 && *at == '0'))
      return FALSE;
    for (gsize i = 0; i < digits; i++)
      number = number * 10 + (at[i] - '0');
    if (number > 255)
      return FALSE;
    at += digits;
    if (parts == 3)
      return *at == '\0';
    if (*at++ != '.')
      return FALSE;
  }
  return FALSE;
}

static gboolean
is_ipv6 (const char *text, gsize length)
{
  g_autoptr (GInetAddress) address =
      strchr (text, ':') != NULL && strchr (text, '%') == NULL
          ? g_inet_address_new_from_string (text)
          : NULL;

  return address != NULL &&
         g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6;
}

static gboolean
is_ip (const char *text, gsize length)
{
  return is_ipv4 (text, length) || is_ipv6 (text, length);
}

/* The addr-spec that people use: a dot-atom and a domain with a point. */
static gboolean
is_email (const char *text, gsize length)
{
  const char *at = strrchr (text, '@');
  gsize local = at != NULL ? (gsize) (at - text) : 0;

  if (local == 0 || local > 64 || length > 254 || text[0] == '.' || at[-1] == '.')
    return FALSE;
  for (gsize i = 0; i < local; i++)
    if ((!g_ascii_isalnum (text[i]) && strchr ("!#$%&'*+/=?^_`{|}~.-", text[i]) == NULL) ||
        (text[i] == '.' && text[i + 1] == '.'))
      return FALSE;
  return strchr (at + 1, '.') != NULL && is_hostname (at + 1, strlen (at + 1));
}

/* An absolute address with a host. */
static gboolean
is_url (const char *text, gsize length)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_ENCODED, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL || *host == '\0' || strpbrk (text, " \t\r\n<>\"{}|\\^`") != NULL)
    return FALSE;
  return strchr (host, ':') != NULL || is_ipv4 (host, strlen (host)) ||
         is_hostname (host, strlen (host));
}

static gboolean
is_uuid (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    gboolean is_dash = i == 8 || i == 13 || i == 18 || i == 23;

    if (is_dash ? text[i] != '-' : !g_ascii_isxdigit (text[i]))
      return FALSE;
  }
  return length == 36;
}

static gboolean
is_mac (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (i % 3 == 2 ? text[i] != text[2] : !g_ascii_isxdigit (text[i]))
      return FALSE;
  return length == 17 && (text[2] == ':' || text[2] == '-');
}

static gboolean
is_base64 (const char *text, gsize length)
{
  gsize body = length;

  while (body > 0 && length - body < 2 && text[body - 1] == '=')
    body--;
  for (gsize i = 0; i < body; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '+' && text[i] != '/')
      return FALSE;
  return length % 4 == 0;
}

static gboolean
is_hex (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isxdigit (text[i]))
      return FALSE;
  return length % 2 == 0;
}

static gboolean
is_json (const char *text, gsize length)
{
  g_autoptr (NebulaValue) value =
      nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_NONE, NULL);

  return value != NULL;
}

static gboolean
matches (const char *pattern, const char *text)
{
  return g_regex_match_simple (pattern, text, G_REGEX_DOLLAR_ENDONLY, 0);
}

static gboolean
is_semver (const char *text, gsize length)
{
  return length <= 255 &&
         matches ("^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)"
                  "(-(0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)"
                  "(\\.(0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*))*)?"
                  "(\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$",
                  text);
}

static gboolean
is_slug (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_islower (text[i]) && !g_ascii_isdigit (text[i]) &&
        (text[i] != '-' || i == 0 || i + 1 == length || text[i + 1] == '-'))
      return FALSE;
  return TRUE;
}

/* The rest of the digits by 97, letters as 10 to 35, the first four characters at the end (ISO 13616). */
static gboolean
is_iban (const char *text, gsize length)
{
  g_autoptr (GString) plain = g_string_new (NULL);
  guint rest = 0;

  for (gsize i = 0; i < length; i++)
    if (text[i] != ' ')
      g_string_append_c (plain, text[i]);
  if (plain->len < 15 || plain->len > 34 || !g_ascii_isupper (plain->str[0]) ||
      !g_ascii_isupper (plain->str[1]) || !g_ascii_isdigit (plain->str[2]) ||
      !g_ascii_isdigit (plain->str[3]))
    return FALSE;
  for (gsize i = 0; i < plain->len; i++) {
    char letter = plain->str[(i + 4) % plain->len];

    if (g_ascii_isdigit (letter))
      rest = (rest * 10 + (guint) (letter - '0')) % 97;
    else if (g_ascii_isupper (letter))
      rest = (rest * 100 + (guint) (letter - 'A') + 10) % 97;
    else
      return FALSE;
  }
  return rest == 1;
}

/* Luhn's sum: every second digit from the right is doubled. */
static gboolean
is_credit_card (const char *text, gsize length)
{
  guint sum = 0, digits = 0;

  for (gsize i = length; i > 0; i--) {
    char letter = text[i - 1];
    guint digit = (guint) (letter - '0');

    if (letter == ' ' || letter == '-')
      continue;
    if (!g_ascii_isdigit (letter))
      return FALSE;
    digit *= digits % 2 == 1 ? 2 : 1;
    sum += digit > 9 ? digit - 9 : digit;
    digits++;
  }
  return digits >= 12 && digits <= 19 && sum % 10 == 0;
}

/* As E.164 has it: a plus and 7 to 15 digits; blanks, dashes and parentheses between are fine. */
static gboolean
is_phone (const char *text, gsize length)
{
  guint digits = 0;

  if (text[0] != '+' || !g_ascii_isdigit (text[1]) || text[1] == '0')
    return FALSE;
  for (gsize i = 1; i < length; i++) {
    if (g_ascii_isdigit (text[i]))
      digits++;
    else if (strchr (" -().", text[i]) == NULL)
      return FALSE;
  }
  return digits >= 7 && digits <= 15;
}

static gboolean
is_time_zone (const char *text, gsize length)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (text);

  return zone != NULL && strchr (text, '.') == NULL;
}

static gboolean
is_duration (const char *text, gsize length)
{
  gint64 usec;

  return nebula_duration_parse (text, &usec, NULL);
}

static gboolean
is_date_time (const char *text, gsize length)
{
  gint64 usec;
  int offset;

  return strchr (text, ':') != NULL && nebula_timestamp_parse (text, &usec, &offset, NULL);
}

static gboolean
is_date (const char *text, gsize length)
{
  return matches ("^\\d{4}-\\d{2}-\\d{2}$", text) &&
         g_date_valid_dmy ((GDateDay) ((text[8] - '0') * 10 + text[9] - '0'),
                           (GDateMonth) ((text[5] - '0') * 10 + text[6] - '0'),
                           (GDateYear) g_ascii_strtoull (text, NULL, 10));
}

static gboolean
is_alphanumeric (const char *text, gsize length)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (!g_unichar_isalnum (g_utf8_get_char (p)))
      return FALSE;
  return TRUE;
}

#define DEFINE_TEST(name, max)                                                           \
  static gboolean call_##name (NebulaVm *vm, NebulaCell *arguments, guint count,         \
                               NebulaCell *ret)                                          \
  {                                                                                      \
    return test (vm, arguments, name, max, ret);                                         \
  }

DEFINE_TEST (is_alphanumeric, G_MAXSIZE)
DEFINE_TEST (is_base64, G_MAXSIZE)
DEFINE_TEST (is_credit_card, TEXT_MAX)
DEFINE_TEST (is_date, TEXT_MAX)
DEFINE_TEST (is_date_time, TEXT_MAX)
DEFINE_TEST (is_duration, TEXT_MAX)
DEFINE_TEST (is_email, TEXT_MAX)
DEFINE_TEST (is_hex, G_MAXSIZE)
DEFINE_TEST (is_hostname, TEXT_MAX)
DEFINE_TEST (is_iban, TEXT_MAX)
DEFINE_TEST (is_ip, TEXT_MAX)
DEFINE_TEST (is_ipv4, TEXT_MAX)
DEFINE_TEST (is_ipv6, TEXT_MAX)
DEFINE_TEST (is_json, G_MAXSIZE)
DEFINE_TEST (is_mac, TEXT_MAX)
DEFINE_TEST (is_phone, TEXT_MAX)
DEFINE_TEST (is_semver, TEXT_MAX)
DEFINE_TEST (is_slug, TEXT_MAX)
DEFINE_TEST (is_time_zone, TEXT_MAX)
DEFINE_TEST (is_url, TEXT_MAX)
DEFINE_TEST (is_uuid, TEXT_MAX)

static gboolean
call_is_positive (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_boolean (_nebula_cell_to_double (arguments) > 0);
  return TRUE;
}

static gboolean
call_is_negative (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  *ret = _nebula_cell_boolean (_nebula_cell_to_double (arguments) < 0);
  return TRUE;
}

static gboolean
call_is_multiple_of (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaCell rest;
  NebulaCell zero = _nebula_cell_integer (0);

  if (!_nebula_operate (vm, NEBULA_OP_MODULO, &arguments[0], &arguments[1], &rest))
    return FALSE;
  *ret = _nebula_cell_boolean (_nebula_cell_equal (&rest, &zero));
  _nebula_cell_release (&rest);
  return TRUE;
}

static gboolean
call_is_between (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  int low, high;

  if (!_nebula_operate_compare (vm, &arguments[0], &arguments[1], &low) ||
      !_nebula_operate_compare (vm, &arguments[0], &arguments[2], &high))
    return FALSE;
  *ret = _nebula_cell_boolean (low >= 0 && high <= 0);
  return TRUE;
}

/* clang-format off */
const NebulaFunction _nebula_functions_valid[] = {
  { "is_alphanumeric", NULL, "v", "b", "value", N_("whether it is text of letters and digits alone"), call_is_alphanumeric, 1, 1 },
  { "is_base64", NULL, "v", "b", "value", N_("whether it is text in base64 with its padding"), call_is_base64, 1, 1 },
  { "is_between", "between", "v", "b", "value, low, high", N_("whether it is within bounds, which belong to it"), call_is_between, 3, 3 },
  { "is_credit_card", NULL, "v", "b", "value", N_("whether it is the number of a card, by its check digit"), call_is_credit_card, 1, 1 },
  { "is_date", NULL, "v", "b", "value", N_("whether it is text like 2026-01-31, and a day that exists"), call_is_date, 1, 1 },
  { "is_date_time", NULL, "v", "b", "value", N_("whether it is text in RFC 3339"), call_is_date_time, 1, 1 },
  { "is_duration", NULL, "v", "b", "value", N_("whether it is text like 1h30m or PT90M"), call_is_duration, 1, 1 },
  { "is_email", NULL, "v", "b", "value", N_("whether it is the address of a mailbox"), call_is_email, 1, 1 },
  { "is_hex", NULL, "v", "b", "value", N_("whether it is bytes in hexadecimal"), call_is_hex, 1, 1 },
  { "is_hostname", NULL, "v", "b", "value", N_("whether it is the name of a host"), call_is_hostname, 1, 1 },
  { "is_iban", NULL, "v", "b", "value", N_("whether it is the number of a bank account, by its check digits"), call_is_iban, 1, 1 },
  { "is_ip", NULL, "v", "b", "value", N_("whether it is an address of IPv4 or IPv6"), call_is_ip, 1, 1 },
  { "is_ipv4", NULL, "v", "b", "value", N_("whether it is an address of IPv4"), call_is_ipv4, 1, 1 },
  { "is_ipv6", NULL, "v", "b", "value", N_("whether it is an address of IPv6"), call_is_ipv6, 1, 1 },
  { "is_json", NULL, "v", "b", "value", N_("whether it is text that from_json() reads"), call_is_json, 1, 1 },
  { "is_mac", NULL, "v", "b", "value", N_("whether it is the address of a network card"), call_is_mac, 1, 1 },
  { "is_multiple_of", NULL, "n", "b", "number, divisor", N_("whether nothing is left of a division"), call_is_multiple_of, 2, 2 },
  { "is_negative", NULL, "n", "b", "number", N_("whether it is below zero"), call_is_negative, 1, 1 },
  { "is_phone", NULL, "v", "b", "value", N_("whether it is a telephone number with its country, such as +39 06 1234567"), call_is_phone, 1, 1 },
  { "is_positive", NULL, "n", "b", "number", N_("whether it is above zero"), call_is_positive, 1, 1 },
  { "is_semver", NULL, "v", "b", "value", N_("whether it is a semantic version"), call_is_semver, 1, 1 },
  { "is_slug", NULL, "v", "b", "value", N_("whether it is text of small letters, digits and single dashes"), call_is_slug, 1, 1 },
  { "is_time_zone", NULL, "v", "b", "value", N_("whether it is the name of a time zone"), call_is_time_zone, 1, 1 },
  { "is_url", "is_uri", "v", "b", "value", N_("whether it is an address with scheme and host"), call_is_url, 1, 1 },
  { "is_uuid", NULL, "v", "b", "value", N_("whether it is a UUID"), call_is_uuid, 1, 1 },
  { NULL },
};
/* clang-format on */
