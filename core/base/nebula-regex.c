/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-regex-internal.h"

#define PATTERN_CHARACTERS 1000
#define PATTERN_GROUPS     100
#define LIMITS             "(*LIMIT_MATCH=100000)(*LIMIT_HEAP=8000)"

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_REGEX, why);
  return FALSE;
}

/* What may follow `(?` and calls a group again, or the outside. */
static gboolean
is_call (const char *after)
{
  if (*after == '+' || *after == '-')
    return g_ascii_isdigit (after[1]);
  return *after == 'R' || *after == 'C' || *after == '&' || g_ascii_isdigit (*after) ||
         strncmp (after, "P>", 2) == 0;
}

/* Escapes that could hide what follows from this check, or that cut characters. */
static gboolean
check_escape (const char *letter, GError **error)
{
  if (*letter != '\0' && strchr ("QECc", *letter) != NULL)
    return refuse (
        error,
        _ ("The regular expression has an escape that is not taken: \\Q, \\E, \\C or \\c"));
  if (*letter == 'g' && (letter[1] == '<' || letter[1] == '\''))
    return refuse (error, _ ("A regular expression cannot call its own groups"));
  return TRUE;
}

static gboolean
check_group (const char *open, guint *groups, GError **error)
{
  if (open[1] == '*')
    return refuse (error,
                   _ ("A regular expression cannot have verbs such as (*LIMIT_MATCH)"));
  if (open[1] == '?' && is_call (open + 2))
    return refuse (error, _ ("A regular expression cannot have recursion or callouts"));
  if (++*groups > PATTERN_GROUPS)
    return refuse (error, _ ("The regular expression has more than 100 groups"));
  return TRUE;
}

gboolean
nebula_regex_check (const char *text, gssize length, GError **error)
{
  guint groups = 0;

  if (length >= 0 && strlen (text) != (gsize) length)
    return refuse (error, _ ("A regular expression cannot hold the character U+0000"));
  if (g_utf8_strlen (text, -1) > PATTERN_CHARACTERS)
    return refuse (error, _ ("The regular expression is longer than 1,000 characters"));
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '(' && !check_group (p, &groups, error))
      return FALSE;
    if (*p != '\\')
      continue;
    if (!check_escape (++p, error))
      return FALSE;
    if (*p == '\0')
      break;
  }
  return TRUE;
}

GRegex *
nebula_regex_new (const char *text,
                  gssize length,
                  GRegexCompileFlags flags,
                  GError **error)
{
  GRegex *regex;

  if (!nebula_regex_check (text, length, error))
    return NULL;
  regex = nebula_regex_new_translated (text, flags);
  if (regex == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_REGEX,
                 _ ("The regular expression “%s” is not valid"), text);
  return regex;
}

GRegex *
nebula_regex_new_translated (const char *text, GRegexCompileFlags flags)
{
  g_autofree char *whole = g_strconcat (LIMITS, text, NULL);

  return g_regex_new (whole, flags, 0, NULL);
}

gboolean
nebula_regex_matches (GRegex *regex, const char *text, gsize length, GError **error)
{
  g_autoptr (GError) problem = NULL;

  if (length > NEBULA_REGEX_SUBJECT_BYTES) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED,
                 _ ("A regular expression takes at most %d bytes of text"),
                 NEBULA_REGEX_SUBJECT_BYTES);
    return FALSE;
  }
  if (g_regex_match_full (regex, text, (gssize) length, 0, 0, NULL, &problem))
    return TRUE;
  if (problem)
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED,
        _ ("The regular expression takes more steps than one match may"));
  return FALSE;
}
