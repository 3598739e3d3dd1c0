/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses: hosts (RFC 1123), IP, mail (RFC 5321), URIs (RFC 3986, 3987) and their templates (RFC 6570). */
#include <arpa/inet.h>
#include <gio/gio.h>
#include <string.h>

#include "nebula-text-forms-internal.h"

#define HOST_BYTES  253
#define LABEL_BYTES 63
#define LOCAL_BYTES 64

gboolean
nebula_text_is_ipv4 (const char *text, gsize length)
{
  struct in_addr address;

  return strlen (text) == length && inet_pton (AF_INET, text, &address) == 1;
}

gboolean
nebula_text_is_ipv6 (const char *text, gsize length)
{
  struct in6_addr address;

  return strlen (text) == length && inet_pton (AF_INET6, text, &address) == 1;
}

gboolean
nebula_text_is_hostname (const char *text, gsize length)
{
  gsize label = 0;

  if (length == 0 || length > HOST_BYTES)
    return FALSE;
  for (gsize i = 0; i <= length; i++) {
    if (i == length || text[i] == '.') {
      if (label == 0 || label > LABEL_BYTES || text[i - 1] == '-')
        return FALSE;
      label = 0;
      continue;
    }
    if (!g_ascii_isalnum (text[i]) && (text[i] != '-' || label == 0))
      return FALSE;
    label++;
  }
  return TRUE;
}

gboolean
nebula_text_is_idn_hostname (const char *text, gsize length)
{
  g_autofree char *ascii = NULL;

  if (length == 0 || strlen (text) != length)
    return FALSE;
  ascii = g_hostname_to_ascii (text);
  return ascii && nebula_text_is_hostname (ascii, strlen (ascii));
}

static gboolean
is_atom (char character)
{
  return g_ascii_isalnum (character) ||
         (character != '\0' && strchr ("!#$%&'*+-/=?^_`{|}~", character) != NULL);
}

/* Atoms between dots. */
static gboolean
is_dot_atom (const char *text, gsize length, gboolean is_international)
{
  gboolean is_start = TRUE;

  for (gsize i = 0; i < length; i++) {
    if (text[i] == '.') {
      if (is_start)
        return FALSE;
      is_start = TRUE;
      continue;
    }
    if (!is_atom (text[i]) && !(is_international && (guchar) text[i] >= 0x80))
      return FALSE;
    is_start = FALSE;
  }
  return !is_start;
}

static gboolean
is_quoted (const char *text, gsize length)
{
  if (length < 2 || text[0] != '"' || text[length - 1] != '"')
    return FALSE;
  for (gsize i = 1; i < length - 1; i++) {
    if (text[i] == '\\' && i + 1 < length - 1)
      i++;
    else if (text[i] == '"' || text[i] == '\\')
      return FALSE;
    if (!g_ascii_isprint (text[i]))
      return FALSE;
  }
  return TRUE;
}

/* [127.0.0.1] or [IPv6:::1] */
static gboolean
is_address_literal (const char *text, gsize length)
{
  g_autofree char *inner = NULL;

  if (length < 3 || text[0] != '[' || text[length - 1] != ']')
    return FALSE;
  inner = g_strndup (text + 1, length - 2);
  if (g_str_has_prefix (inner, "IPv6:"))
    return nebula_text_is_ipv6 (inner + 5, strlen (inner) - 5);
  return nebula_text_is_ipv4 (inner, strlen (inner));
}

static gboolean
is_mail (const char *text, gsize length, gboolean is_international)
{
  const char *at = NULL, *domain;
  gsize n_local, n_domain;

  for (gsize i = length; i > 0 && !at; i--)
    if (text[i - 1] == '@')
      at = &text[i - 1];
  if (!at)
    return FALSE;
  domain = at + 1;
  n_local = (gsize) (at - text);
  n_domain = length - n_local - 1;
  if (n_local > LOCAL_BYTES ||
      (!is_dot_atom (text, n_local, is_international) && !is_quoted (text, n_local)))
    return FALSE;
  return is_address_literal (domain, n_domain) ||
         (is_international ? nebula_text_is_idn_hostname (domain, n_domain)
                           : nebula_text_is_hostname (domain, n_domain));
}

gboolean
nebula_text_is_email (const char *text, gsize length)
{
  return is_mail (text, length, FALSE);
}

gboolean
nebula_text_is_idn_email (const char *text, gsize length)
{
  return is_mail (text, length, TRUE);
}

/* The characters of a URI, percent signs with two digits behind them. */
static gboolean
has_uri_characters (const char *text, gsize length, gboolean is_international)
{
  for (gsize i = 0; i < length; i++) {
    if (text[i] == '%') {
      if (!g_ascii_isxdigit (text[i + 1]) || !g_ascii_isxdigit (text[i + 2]))
        return FALSE;
      continue;
    }
    if (g_ascii_isalnum (text[i]) || (is_international && (guchar) text[i] >= 0x80))
      continue;
    if (text[i] == '\0' || strchr ("-._~:/?#[]@!$&'()*+,;=", text[i]) == NULL)
      return FALSE;
  }
  return TRUE;
}

/* The length of the scheme; 0 if there is none. */
static gsize
measure_scheme (const char *text)
{
  const char *at = text;

  if (!g_ascii_isalpha (*at))
    return 0;
  while (g_ascii_isalnum (*at) || *at == '+' || *at == '-' || *at == '.')
    at++;
  return *at == ':' ? (gsize) (at - text) : 0;
}

/* [user@]host[:port], @length bytes */
static gboolean
is_authority (const char *text, gsize length)
{
  g_autofree char *authority = g_strndup (text, length);
  char *host = strrchr (authority, '@');
  char *end;

  if (host && strpbrk (authority, "[]") && strpbrk (authority, "[]") < host)
    return FALSE;
  host = host ? host + 1 : authority;
  end = host;
  if (*host == '[') {
    g_autofree char *inner = NULL;

    end = strchr (host, ']');
    if (!end)
      return FALSE;
    inner = g_strndup (host + 1, (gsize) (end - host - 1));
    if (*inner != 'v' && !nebula_text_is_ipv6 (inner, strlen (inner)))
      return FALSE;
    end++;
  } else {
    end += strcspn (host, ":[]");
  }
  if (*end == '\0')
    return TRUE;
  return *end == ':' && strspn (end + 1, "0123456789") == strlen (end + 1);
}

static gboolean
is_uri (const char *text, gsize length, gboolean needs_scheme, gboolean is_international)
{
  gsize scheme = measure_scheme (text);
  const char *at = text, *hash = memchr (text, '#', length);

  if (!has_uri_characters (text, length, is_international) ||
      (hash && strchr (hash + 1, '#')) || (scheme == 0 && needs_scheme))
    return FALSE;
  if (scheme > 0)
    at += scheme + 1;
  else if (at[strcspn (at, ":/?#")] == ':')
    return FALSE;
  if (at[0] == '/' && at[1] == '/') {
    gsize n = strcspn (at + 2, "/?#");

    if (!is_authority (at + 2, n))
      return FALSE;
    at += 2 + n;
  }
  return strpbrk (at, "[]") == NULL;
}

gboolean
nebula_text_is_uri (const char *text, gsize length)
{
  return is_uri (text, length, TRUE, FALSE);
}

gboolean
nebula_text_is_uri_reference (const char *text, gsize length)
{
  return is_uri (text, length, FALSE, FALSE);
}

gboolean
nebula_text_is_iri (const char *text, gsize length)
{
  return is_uri (text, length, TRUE, TRUE);
}

gboolean
nebula_text_is_iri_reference (const char *text, gsize length)
{
  return is_uri (text, length, FALSE, TRUE);
}

/* What a browser would open: http or https with a host. */
gboolean
nebula_text_is_url (const char *text, gsize length)
{
  const char *host = text + (g_str_has_prefix (text, "https") ? 8 : 7);

  if (!g_str_has_prefix (text, "http://") && !g_str_has_prefix (text, "https://"))
    return FALSE;
  return is_uri (text, length, TRUE, FALSE) && *host != '\0' &&
         strchr (":/?#", *host) == NULL;
}

static gboolean
skip_variable (const char **at)
{
  const char *start = *at;

  for (;; (*at)++) {
    if (**at == '%' && g_ascii_isxdigit ((*at)[1]) && g_ascii_isxdigit ((*at)[2]))
      *at += 2;
    else if (!g_ascii_isalnum (**at) && **at != '_' && (**at != '.' || *at == start))
      break;
  }
  if (*at == start)
    return FALSE;
  if (**at == '*') {
    (*at)++;
  } else if (**at == ':') {
    gsize n = strspn (++*at, "0123456789");

    if (n == 0 || n > 4 || **at == '0')
      return FALSE;
    *at += n;
  }
  return TRUE;
}

/* Behind “{”. */
static gboolean
skip_expression (const char **at)
{
  if (**at != '\0' && strchr ("+#./;?&=,!@|", **at))
    (*at)++;
  while (skip_variable (at)) {
    if (**at == '}') {
      (*at)++;
      return TRUE;
    }
    if (*(*at)++ != ',')
      return FALSE;
  }
  return FALSE;
}

gboolean
nebula_text_is_uri_template (const char *text, gsize length)
{
  const char *at = text, *end = text + length;

  while (at < end) {
    char character = *at++;

    if (character == '{') {
      if (!skip_expression (&at))
        return FALSE;
    } else if (character == '%') {
      if (!g_ascii_isxdigit (at[0]) || !g_ascii_isxdigit (at[1]))
        return FALSE;
    } else if ((guchar) character <= 0x20 || character == 0x7f ||
               strchr ("\"'<>\\^`|}", character)) {
      return FALSE;
    }
  }
  return TRUE;
}
