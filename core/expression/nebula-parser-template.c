/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates: text with holes `{{ expression }}`. `{{-` takes away the blanks before it and `-}}` those after it (`{{-`
 * with a digit right after it is a hole with a negative number). `\{{` stands for the two braces and `\\{{` for a
 * backslash before a hole; nowhere else does a backslash mean anything.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-syntax-private.h"

static void
append_text (NebulaParser *self, NebulaSyntax *template, GString *text, gsize start)
{
  if (text->len == 0)
    return;
  _nebula_parser_append (
      template, _nebula_parser_string (self, text->str, text->len, (guint32) start));
  g_string_truncate (text, 0);
}

static void
trim_end (GString *text)
{
  while (text->len > 0 && g_ascii_isspace (text->str[text->len - 1]))
    g_string_truncate (text, text->len - 1);
}

/* Reads text up to the next hole; FALSE if there is none. The position is after its braces. */
static gboolean
find_hole (NebulaParser *self, GString *text)
{
  while (self->position < self->length) {
    const char *at = self->text + self->position;

    if (strncmp (at, "\\\\{{", 4) == 0) {
      g_string_append_c (text, '\\');
      self->position += 4;
      return TRUE;
    }
    if (strncmp (at, "\\{{", 3) == 0) {
      g_string_append (text, "{{");
      self->position += 3;
      continue;
    }
    if (strncmp (at, "{{", 2) == 0) {
      self->position += 2;
      return TRUE;
    }
    g_string_append_c (text, *at);
    self->position++;
  }
  return FALSE;
}

static gboolean
check_length (NebulaParser *self, gsize start)
{
  gsize length = self->token.start - start;

  if (length <= self->limits->characters ||
      (gsize) g_utf8_strlen (self->text + start, (gssize) length) <=
          self->limits->characters)
    return TRUE;
  return _nebula_parser_fail (self, NEBULA_ERROR_TOO_LARGE, start, NULL,
                              _ ("The expression has more than %d characters"),
                              (int) self->limits->characters);
}

/* From after `{{` to after `}}` and the blanks that it takes away. */
static NebulaSyntax *
parse_hole (NebulaParser *self)
{
  gsize start = self->position;
  gboolean is_trimmed;
  NebulaSyntax *hole;

  if (!_nebula_lexer_advance (self))
    return NULL;
  if (strncmp (self->text + self->token.start, "}}", 2) == 0) {
    _nebula_parser_fail (self, NEBULA_ERROR_SYNTAX, start,
                         _ ("Write “\\{{” for the braces themselves."),
                         _ ("There is no expression between the braces"));
    return NULL;
  }
  hole = _nebula_parser_parse_expression (self);
  if (hole == NULL)
    return NULL;
  is_trimmed = self->token.kind == NEBULA_TOKEN_TRIM_END;
  if (!is_trimmed && strncmp (self->text + self->token.start, "}}", 2) != 0) {
    _nebula_parser_fail_unexpected (self, _ ("A hole ends with “}}”."));
    return NULL;
  }
  if (!check_length (self, start))
    return NULL;
  self->position = self->token.start + (is_trimmed ? 3 : 2);
  while (is_trimmed && self->position < self->length &&
         g_ascii_isspace (self->text[self->position]))
    self->position++;
  return hole;
}

/* The value of one hole with no text around keeps its type: then that hole is returned. */
NebulaSyntax *
_nebula_parser_parse_template (NebulaParser *self)
{
  NebulaSyntax *template = _nebula_parser_node (self, NEBULA_SYNTAX_TEXT, 0, 0);
  g_autoptr (GString) text = g_string_new (NULL);
  gsize start = 0;
  guint holes = 0;

  self->is_template = TRUE;
  while (find_hole (self, text)) {
    NebulaSyntax *hole;
    char next = self->text[self->position];

    if (next == '-' && !g_ascii_isdigit (self->text[self->position + 1])) {
      self->position++;
      trim_end (text);
    }
    append_text (self, template, text, start);
    hole = parse_hole (self);
    if (!_nebula_parser_adopt (self, template, hole))
      return NULL;
    if (template->count >= G_MAXUINT16 - 2) {
      _nebula_parser_fail (self, NEBULA_ERROR_TOO_LARGE, start, NULL,
                           _ ("The template has too many holes"));
      return NULL;
    }
    _nebula_parser_append (template, hole);
    start = self->position;
    holes++;
  }
  append_text (self, template, text, start);
  if (template->count == 1 && holes == 1)
    return template->first;
  return template;
}
