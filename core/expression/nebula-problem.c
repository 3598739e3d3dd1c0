/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors that point: line, column, the line itself with a caret below it, and a hint. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

#define EXCERPT_CHARACTERS 72
#define SUGGEST_CHARACTERS 32

void
_nebula_problem_locate (const char *text, gsize at, guint *ret_line, guint *ret_column)
{
  const char *line = text;
  guint number = 1;

  for (const char *p = text; *p != '\0' && p < text + at; p++)
    if (*p == '\n') {
      number++;
      line = p + 1;
    }
  *ret_line = number;
  *ret_column = (guint) g_utf8_strlen (line, (gssize) (text + at - line)) + 1;
}

/* The part of the line around @at that fits, and a caret below. */
static void
append_excerpt (GString *message, const char *text, gsize at)
{
  const char *point = text + at;
  const char *start = point;
  const char *end = point;
  guint before = 0, after = 0;

  while (start > text && start[-1] != '\n' && before < EXCERPT_CHARACTERS / 2) {
    start = g_utf8_prev_char (start);
    before++;
  }
  while (*end != '\0' && *end != '\n' && after < EXCERPT_CHARACTERS / 2) {
    end = g_utf8_next_char (end);
    after++;
  }
  g_string_append (message, "\n  ");
  for (const char *p = start; p < end; p++)
    g_string_append_c (message, (guchar) *p < ' ' ? ' ' : *p);
  g_string_append (message, "\n  ");
  for (guint i = 0; i < before; i++)
    g_string_append_c (message, ' ');
  g_string_append_c (message, '^');
}

GError *
_nebula_problem_new (NebulaError code,
                     const char *text,
                     gsize at,
                     const char *message,
                     const char *hint)
{
  g_autoptr (GString) whole = g_string_new (message);
  guint line, column;

  at = MIN (at, strlen (text));
  _nebula_problem_locate (text, at, &line, &column);
  g_string_append_c (whole, ' ');
  /* TRANSLATORS: where a mistake is in the text of an expression. */
  g_string_append_printf (whole, _ ("(line %u, column %u)"), line, column);
  append_excerpt (whole, text, at);
  if (hint != NULL)
    g_string_append_printf (whole, "\n%s", hint);
  return g_error_new_literal (NEBULA_ERROR, (int) code, whole->str);
}

/* Edits (insert, delete, change) from one to the other, letters compared without case. */
static guint
get_distance (const char *a, gsize length_a, const char *b, gsize length_b)
{
  guint8 row[SUGGEST_CHARACTERS + 1];

  for (gsize j = 0; j <= length_b; j++)
    row[j] = (guint8) j;
  for (gsize i = 1; i <= length_a; i++) {
    guint8 diagonal = row[0];

    row[0] = (guint8) i;
    for (gsize j = 1; j <= length_b; j++) {
      guint8 above = row[j];
      gboolean is_same = g_ascii_tolower (a[i - 1]) == g_ascii_tolower (b[j - 1]);

      row[j] = MIN (MIN (above, row[j - 1]) + 1, diagonal + (is_same ? 0 : 1));
      diagonal = above;
    }
  }
  return row[length_b];
}

gboolean
_nebula_problem_is_near (const char *wanted, const char *candidate, guint *best)
{
  gsize length = strlen (wanted);
  gsize other = strlen (candidate);
  guint distance;

  if (length > SUGGEST_CHARACTERS || other > SUGGEST_CHARACTERS || length == 0 ||
      other == 0)
    return FALSE;
  distance = get_distance (wanted, length, candidate, other);
  if (distance > MAX (MAX (length, other) / 3, 1) || distance >= *best ||
      distance >= MIN (length, other))
    return FALSE;
  *best = distance;
  return TRUE;
}

const char *
_nebula_problem_suggest (const char *wanted, const char *const *candidates)
{
  const char *nearest = NULL;
  guint best = G_MAXUINT;

  for (guint i = 0; candidates[i] != NULL; i++)
    if (_nebula_problem_is_near (wanted, candidates[i], &best))
      nearest = candidates[i];
  return nearest;
}
