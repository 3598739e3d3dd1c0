/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the segments and selectors of a JSONPath; the names in comments are those of the grammar of RFC 9535. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-jsonpath-private.h"
#include "nebula-limits.h"

#define GREATEST_INTEGER G_GINT64_CONSTANT (9007199254740991)

gboolean
_nebula_jsonpath_fail (NebulaJsonpathReader *self, const char *reason)
{
  glong column = g_utf8_strlen (self->text, self->at - self->text) + 1;

  if (self->error == NULL)
    g_set_error (&self->error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
                 _ ("JSONPath “%s”, character %ld: %s"), self->text, column, reason);
  return FALSE;
}

gboolean
_nebula_jsonpath_read_space (NebulaJsonpathReader *self)
{
  self->at += strspn (self->at, " \t\n\r");
  return TRUE;
}

static gboolean
read_hex (NebulaJsonpathReader *self, guint *ret_unit)
{
  guint unit = 0;

  for (int i = 0; i < 4; i++) {
    if (!g_ascii_isxdigit (self->at[i]))
      return _nebula_jsonpath_fail (
          self, _ ("Behind “\\u” four hexadecimal digits are needed."));
    unit = unit << 4 | (guint) g_ascii_xdigit_value (self->at[i]);
  }
  self->at += 4;
  *ret_unit = unit;
  return TRUE;
}

/* Behind `\u`. */
static gboolean
read_unicode (NebulaJsonpathReader *self, GString *string)
{
  guint unit, low;

  if (!read_hex (self, &unit))
    return FALSE;
  if (unit >= 0xd800 && unit <= 0xdfff) {
    if (unit >= 0xdc00 || self->at[0] != '\\' || self->at[1] != 'u')
      return _nebula_jsonpath_fail (self, _ ("Half of a surrogate pair stands alone."));
    self->at += 2;
    if (!read_hex (self, &low))
      return FALSE;
    if (low < 0xdc00 || low > 0xdfff)
      return _nebula_jsonpath_fail (self, _ ("Half of a surrogate pair stands alone."));
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }
  if (unit == 0)
    g_string_append_c (string, '\0');
  else
    g_string_append_unichar (string, unit);
  return TRUE;
}

/* Behind a backslash. */
static gboolean
read_escape (NebulaJsonpathReader *self, char quote, GString *string)
{
  static const char letters[] = "bfnrt/\\";
  static const char meanings[] = "\b\f\n\r\t/\\";
  char letter = *self->at;
  const char *found = letter != '\0' ? strchr (letters, letter) : NULL;

  if (letter == 'u') {
    self->at++;
    return read_unicode (self, string);
  }
  if (letter == quote)
    g_string_append_c (string, quote);
  else if (found != NULL)
    g_string_append_c (string, meanings[found - letters]);
  else
    return _nebula_jsonpath_fail (self, _ ("There is no such escape."));
  self->at++;
  return TRUE;
}

/* string-literal */
GString *
_nebula_jsonpath_read_string (NebulaJsonpathReader *self)
{
  g_autoptr (GString) string = g_string_new (NULL);
  char quote = *self->at++;

  while (*self->at != quote) {
    if ((guchar) *self->at < 0x20) {
      _nebula_jsonpath_fail (
          self, *self->at == '\0'
                    ? _ ("The closing quote is missing.")
                    : _ ("Control characters are written as escapes, such as “\\n”."));
      return NULL;
    }
    if (*self->at != '\\') {
      g_string_append_c (string, *self->at++);
      continue;
    }
    self->at++;
    if (!read_escape (self, quote, string))
      return NULL;
  }
  self->at++;
  return g_steal_pointer (&string);
}

static NebulaJsonpathSelector *
selector_new (NebulaJsonpathSelectorKind kind)
{
  NebulaJsonpathSelector *self = g_new0 (NebulaJsonpathSelector, 1);

  self->kind = kind;
  self->step = 1;
  return self;
}

static NebulaJsonpathSelector *
selector_new_name (GString *name)
{
  NebulaJsonpathSelector *self = selector_new (NEBULA_JSONPATH_NAME);

  self->length = name->len;
  self->name = g_string_free (name, FALSE);
  return self;
}

/* int; nothing is read if there is none */
static gboolean
read_integer (NebulaJsonpathReader *self, gint64 *ret_integer, gboolean *ret_is_there)
{
  gboolean is_negative = *self->at == '-';
  const char *start = self->at + is_negative;
  gint64 integer = 0;

  *ret_is_there = is_negative || g_ascii_isdigit (*start);
  if (!*ret_is_there)
    return TRUE;
  if (!g_ascii_isdigit (*start) ||
      (*start == '0' && (is_negative || g_ascii_isdigit (start[1]))))
    return _nebula_jsonpath_fail (
        self, _ ("An index is 0, or digits that do not begin with 0."));
  for (; g_ascii_isdigit (*start); start++) {
    integer = integer * 10 + (*start - '0');
    if (integer > GREATEST_INTEGER)
      return _nebula_jsonpath_fail (self,
                                    _ ("The index is greater than 9007199254740991."));
  }
  self->at = start;
  *ret_integer = is_negative ? -integer : integer;
  return TRUE;
}

/* Behind the first colon of a slice-selector. */
static gboolean
read_slice_end (NebulaJsonpathReader *self, NebulaJsonpathSelector *selector)
{
  const char *back = NULL;
  gboolean has_step;

  _nebula_jsonpath_read_space (self);
  if (!read_integer (self, &selector->end, &selector->has_end))
    return FALSE;
  back = self->at;
  _nebula_jsonpath_read_space (self);
  if (*self->at != ':') {
    self->at = back;
    return TRUE;
  }
  self->at++;
  _nebula_jsonpath_read_space (self);
  return read_integer (self, &selector->step, &has_step);
}

/* index-selector or slice-selector */
static NebulaJsonpathSelector *
read_numbers (NebulaJsonpathReader *self)
{
  g_autoptr (NebulaJsonpathSelector) selector = selector_new (NEBULA_JSONPATH_INDEX);
  const char *back = NULL;

  if (!read_integer (self, &selector->start, &selector->has_start))
    return NULL;
  back = self->at;
  _nebula_jsonpath_read_space (self);
  if (*self->at != ':') {
    self->at = back;
    return g_steal_pointer (&selector);
  }
  self->at++;
  selector->kind = NEBULA_JSONPATH_SLICE;
  return read_slice_end (self, selector) ? g_steal_pointer (&selector) : NULL;
}

static NebulaJsonpathSelector *
read_filter (NebulaJsonpathReader *self)
{
  g_autoptr (NebulaJsonpathSelector) selector = selector_new (NEBULA_JSONPATH_FILTER);

  self->at++;
  _nebula_jsonpath_read_space (self);
  selector->filter = _nebula_jsonpath_read_filter (self);
  return selector->filter != NULL ? g_steal_pointer (&selector) : NULL;
}

/* selector */
static NebulaJsonpathSelector *
read_selector (NebulaJsonpathReader *self)
{
  GString *name = NULL;

  if (*self->at == '"' || *self->at == '\'') {
    name = _nebula_jsonpath_read_string (self);
    return name != NULL ? selector_new_name (name) : NULL;
  }
  if (*self->at == '*') {
    self->at++;
    return selector_new (NEBULA_JSONPATH_WILDCARD);
  }
  if (*self->at == '?')
    return read_filter (self);
  if (*self->at == '-' || *self->at == ':' || g_ascii_isdigit (*self->at))
    return read_numbers (self);
  _nebula_jsonpath_fail (
      self,
      _ ("In brackets stands a name in quotes, “*”, an index, a slice such as “1:3”, or a filter behind “?”."));
  return NULL;
}

/* bracketed-selection */
static gboolean
read_brackets (NebulaJsonpathReader *self, NebulaJsonpathSegment *segment)
{
  do {
    NebulaJsonpathSelector *selector = NULL;

    self->at++;
    _nebula_jsonpath_read_space (self);
    selector = read_selector (self);
    if (selector == NULL)
      return FALSE;
    g_ptr_array_add (segment->selectors, selector);
    _nebula_jsonpath_read_space (self);
  } while (*self->at == ',');
  if (*self->at != ']')
    return _nebula_jsonpath_fail (self, _ ("“,” or “]” is needed here."));
  self->at++;
  return TRUE;
}

static gboolean
is_name_character (char character, gboolean is_first)
{
  return (guchar) character >= 0x80 || character == '_' || g_ascii_isalpha (character) ||
         (!is_first && g_ascii_isdigit (character));
}

/* wildcard-selector or member-name-shorthand */
static gboolean
read_shorthand (NebulaJsonpathReader *self, NebulaJsonpathSegment *segment)
{
  const char *start = self->at;

  if (*self->at == '*') {
    self->at++;
    g_ptr_array_add (segment->selectors, selector_new (NEBULA_JSONPATH_WILDCARD));
    return TRUE;
  }
  while (is_name_character (*self->at, self->at == start))
    self->at++;
  if (self->at == start)
    return _nebula_jsonpath_fail (
        self,
        _ ("A name is needed here; one with other characters goes in brackets and quotes."));
  g_ptr_array_add (segment->selectors,
                   selector_new_name (g_string_new_len (start, self->at - start)));
  return TRUE;
}

/* segment; the caller saw “[” or “.” */
static NebulaJsonpathSegment *
read_segment (NebulaJsonpathReader *self)
{
  g_autoptr (NebulaJsonpathSegment) segment = g_new0 (NebulaJsonpathSegment, 1);
  gboolean is_good;

  segment->selectors =
      g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_jsonpath_selector_free);
  if (*self->at == '[') {
    is_good = read_brackets (self, segment);
  } else {
    self->at++;
    segment->is_descendant = *self->at == '.';
    if (segment->is_descendant)
      self->at++;
    is_good = segment->is_descendant && *self->at == '[' ? read_brackets (self, segment)
                                                         : read_shorthand (self, segment);
  }
  return is_good ? g_steal_pointer (&segment) : NULL;
}

static gboolean
is_singular (const NebulaJsonpathSegment *segment)
{
  const NebulaJsonpathSelector *selector = g_ptr_array_index (segment->selectors, 0);

  return !segment->is_descendant && segment->selectors->len == 1 &&
         (selector->kind == NEBULA_JSONPATH_NAME ||
          selector->kind == NEBULA_JSONPATH_INDEX);
}

/* jsonpath-query or rel-query; the caller saw “$” or “@” */
NebulaJsonpathQuery *
_nebula_jsonpath_read_query (NebulaJsonpathReader *self)
{
  g_autoptr (NebulaJsonpathQuery) query = g_new0 (NebulaJsonpathQuery, 1);

  query->is_relative = *self->at++ == '@';
  query->is_singular = TRUE;
  query->segments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_jsonpath_segment_free);
  for (;;) {
    const char *back = self->at;
    NebulaJsonpathSegment *segment = NULL;

    _nebula_jsonpath_read_space (self);
    if (*self->at != '[' && *self->at != '.') {
      self->at = back;
      return g_steal_pointer (&query);
    }
    segment = read_segment (self);
    if (segment == NULL)
      return NULL;
    g_ptr_array_add (query->segments, segment);
    query->is_singular = query->is_singular && is_singular (segment);
  }
}
