/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The patterns of JSONPath: I-Regexp (RFC 9485), translated for GRegex.
 *
 *   branches   a|b · groups (…) that keep nothing · . is any character but line ends
 *   repeats    * + ? {2} {2,} {2,5}
 *   classes    [a-z] [^…] · \p{Lu} \P{L} · escapes of punctuation, \n \r \t
 *
 * The grammar knows no verbs, references, look-around or lazy repeats; what is not in it is no pattern. “^” and “$” are
 * taken as the ends of the text, as most writers of such patterns expect. Backtracking is limited as in expressions.
 */
#include <string.h>

#include "nebula-jsonpath-private.h"
#include "nebula-regex-internal.h"

#define PATTERN_BYTES  4000
#define PATTERN_GROUPS 100

typedef struct {
  const char *at;
  const char *end;
  GString *out;
} Translator;

static gboolean
is_next (const Translator *self, char character)
{
  return self->at < self->end && *self->at == character;
}

/* One character that means itself, in and out of classes. */
static void
put_literal (Translator *self, char character)
{
  if (character == '\0')
    g_string_append (self->out, "\\x{0}");
  else if (g_ascii_ispunct (character))
    g_string_append_printf (self->out, "\\%c", character);
  else
    g_string_append_c (self->out, character);
}

/* The general categories: a letter, and for a narrower one a second. */
static gboolean
read_category (Translator *self, char letter)
{
  static const char *const categories[] = {"Llmotu", "Mcen",  "Ndlo", "Pcdefios",
                                           "Zlps",   "Sckmo", "Ccfno"};
  const char *name = self->at + 1;
  const char *close = is_next (self, '{')
                          ? memchr (name, '}', MIN (3, (gsize) (self->end - name)))
                          : NULL;

  if (close == NULL || close == name)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (categories); i++) {
    if (categories[i][0] != *name ||
        (close - name == 2 && strchr (categories[i] + 1, name[1]) == NULL))
      continue;
    g_string_append_printf (self->out, "\\%c{%.*s}", letter, (int) (close - name), name);
    self->at = close + 1;
    return TRUE;
  }
  return FALSE;
}

/* Behind a backslash. */
static gboolean
read_escape (Translator *self, gboolean *ret_is_category)
{
  char letter = self->at < self->end ? *self->at++ : '\0';

  *ret_is_category = letter == 'p' || letter == 'P';
  if (*ret_is_category)
    return read_category (self, letter);
  if (letter == 'n' || letter == 'r' || letter == 't')
    g_string_append_printf (self->out, "\\%c", letter);
  else if (letter != '\0' && strchr ("()*+-.?[\\]^{|}", letter) != NULL)
    put_literal (self, letter);
  else
    return FALSE;
  return TRUE;
}

/* One end of a range in a class. */
static gboolean
read_class_character (Translator *self, gboolean *ret_is_category)
{
  *ret_is_category = FALSE;
  if (self->at == self->end || *self->at == '-' || *self->at == '[' || *self->at == ']')
    return FALSE;
  if (*self->at == '\\') {
    self->at++;
    return read_escape (self, ret_is_category);
  }
  do
    put_literal (self, *self->at++);
  while (self->at < self->end && ((guchar) *self->at & 0xc0) == 0x80);
  return TRUE;
}

/* Behind “[”. */
static gboolean
read_class (Translator *self)
{
  gboolean is_category, is_first = TRUE;

  g_string_append_c (self->out, '[');
  if (is_next (self, '^'))
    g_string_append_c (self->out, *self->at++);
  for (; !is_next (self, ']') || is_first; is_first = FALSE) {
    if (is_next (self, '-') &&
        (is_first || (self->end - self->at > 1 && self->at[1] == ']'))) {
      put_literal (self, *self->at++);
      continue;
    }
    if (!read_class_character (self, &is_category))
      return FALSE;
    if (is_category || !is_next (self, '-') ||
        (self->end - self->at > 1 && self->at[1] == ']'))
      continue;
    g_string_append_c (self->out, *self->at++);
    if (!read_class_character (self, &is_category) || is_category)
      return FALSE;
  }
  self->at++;
  g_string_append_c (self->out, ']');
  return TRUE;
}

/* {n}, {n,} or {n,m}; behind “{” */
static gboolean
read_range (Translator *self)
{
  const char *close = memchr (self->at, '}', (gsize) (self->end - self->at));
  const char *first = self->at, *at = self->at;

  if (close == NULL)
    return FALSE;
  while (g_ascii_isdigit (*at))
    at++;
  if (at == first)
    return FALSE;
  if (*at == ',')
    at++;
  while (g_ascii_isdigit (*at))
    at++;
  if (at != close)
    return FALSE;
  g_string_append_printf (self->out, "{%.*s}", (int) (close - first), first);
  self->at = close + 1;
  return TRUE;
}

/* One atom that takes a repeat behind it. */
static gboolean
read_atom (Translator *self)
{
  gboolean is_category;
  char character = *self->at++;

  if (character == '\\')
    return read_escape (self, &is_category);
  if (character == '[')
    return read_class (self);
  if (character == '.')
    g_string_append (self->out, "[^\\n\\r]");
  else if (character == '^')
    g_string_append (self->out, "\\A");
  else if (character == '$')
    g_string_append (self->out, "\\z");
  else if (strchr ("*+?{}]", character) != NULL && character != '\0')
    return FALSE;
  else
    put_literal (self, character);
  while (self->at < self->end && ((guchar) *self->at & 0xc0) == 0x80)
    g_string_append_c (self->out, *self->at++);
  return TRUE;
}

static gboolean
read_repeat (Translator *self)
{
  if (self->at == self->end || strchr ("*+?{", *self->at) == NULL || *self->at == '\0')
    return TRUE;
  if (*self->at++ == '{')
    return read_range (self);
  g_string_append_c (self->out, self->at[-1]);
  return TRUE;
}

static gboolean
translate (Translator *self)
{
  guint open = 0, groups = 0;

  while (self->at < self->end) {
    char character = *self->at;

    if (character == '(') {
      self->at++;
      open++;
      g_string_append (self->out, "(?:");
      if (++groups > PATTERN_GROUPS)
        return FALSE;
      continue;
    }
    if (character == '|') {
      self->at++;
      g_string_append_c (self->out, '|');
      continue;
    }
    if (character == ')') {
      if (open-- == 0)
        return FALSE;
      self->at++;
      g_string_append_c (self->out, ')');
    } else if (!read_atom (self)) {
      return FALSE;
    }
    if (!read_repeat (self))
      return FALSE;
  }
  return open == 0;
}

GRegex *
_nebula_iregexp_new (const char *text, gsize length, gboolean is_whole)
{
  g_autoptr (GString) pattern = g_string_new (NULL);
  Translator translator = {.at = text, .end = text + length, .out = pattern};

  if (length > PATTERN_BYTES)
    return NULL;
  g_string_append (pattern, is_whole ? "\\A(?:" : "(?:");
  if (!translate (&translator))
    return NULL;
  g_string_append (pattern, is_whole ? ")\\z" : ")");
  return nebula_regex_new_translated (pattern->str, 0);
}
