/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may stand at a place of a text that is still being written: its tokens are read up to there. */

#include <string.h>

#include "nebula-completion-private.h"

#define HOLE 'h' /* of a text in double quotes */

typedef struct {
  NebulaCursor *cursor;
  NebulaParser parser;
  GString *frames; /* a letter for all that is open */
  NebulaToken last, before;
} Scan;

static void
scan_clear (Scan *self)
{
  _nebula_parser_clear (&self->parser);
  g_string_free (self->frames, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scan, scan_clear)

static char
get_frame (const Scan *self)
{
  return self->frames->len > 0 ? self->frames->str[self->frames->len - 1] : '\0';
}

static void
pop (Scan *self)
{
  g_string_truncate (self->frames, self->frames->len - 1);
}

static gboolean
is_choice (char frame)
{
  return frame == '?' || frame == NEBULA_CURSOR_IF || frame == NEBULA_CURSOR_THEN;
}

/* A bracket that closes ends the choices in it. */
static void
close_frame (Scan *self, char frame)
{
  while (is_choice (get_frame (self)))
    pop (self);
  if (get_frame (self) == frame)
    pop (self);
}

static gboolean
is_punctuation (const NebulaToken *token, const char *text)
{
  return token->kind == NEBULA_TOKEN_PUNCTUATION &&
         token->punctuation ==
             NEBULA_PUNCTUATION (text[0], text[1], text[1] != '\0' ? text[2] : '\0');
}

static gboolean
is_word (const Scan *self, const NebulaToken *token, const char *word)
{
  gsize length = strlen (word);

  return token->kind == NEBULA_TOKEN_NAME && token->end - token->start == length &&
         strncmp (self->parser.text + token->start, word, length) == 0;
}

static void
push (Scan *self, char frame)
{
  g_string_append_c (self->frames, frame);
}

static void
take_punctuation (Scan *self, const NebulaToken *token)
{
  if (is_punctuation (token, "(") || is_punctuation (token, "[") ||
      is_punctuation (token, "{") || is_punctuation (token, "?"))
    push (self, (char) (token->punctuation & 0xff));
  else if (is_punctuation (token, "?["))
    push (self, '[');
  else if (is_punctuation (token, ")"))
    close_frame (self, '(');
  else if (is_punctuation (token, "]"))
    close_frame (self, '[');
  else if (is_punctuation (token, "}"))
    close_frame (self, '{');
  else if (is_punctuation (token, ":") && get_frame (self) == '?')
    pop (self);
}

static void
take_word (Scan *self, const NebulaToken *token)
{
  if (is_punctuation (&self->last, ".") || is_punctuation (&self->last, "?."))
    return;
  if (is_word (self, token, "if")) {
    push (self, NEBULA_CURSOR_IF);
  } else if (is_word (self, token, "then") && get_frame (self) == NEBULA_CURSOR_IF) {
    pop (self);
    push (self, NEBULA_CURSOR_THEN);
  } else if (is_word (self, token, "else") && get_frame (self) == NEBULA_CURSOR_THEN) {
    pop (self);
  }
}

static void
remember (Scan *self, const NebulaToken *token)
{
  self->before = self->last;
  self->last = *token;
}

/* From inside a text to its end, or to the start of a hole in it; FALSE: the cursor is in it. */
static gboolean
take_text (Scan *self, NebulaToken token)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char quote = token.kind == NEBULA_TOKEN_TEXT ? '"' : '\'';
  gsize inside = self->parser.position;
  gboolean is_hole = FALSE;

  if (_nebula_lexer_read_string (&self->parser, quote, text, &is_hole)) {
    token.end = (guint32) self->parser.position;
    if (is_hole) {
      push (self, HOLE);
      token = (NebulaToken){.kind = NEBULA_TOKEN_END};
    }
    remember (self, &token);
    return TRUE;
  }
  if (!is_punctuation (&self->last, "[") && !is_punctuation (&self->last, "?["))
    return FALSE;
  self->cursor->kind = NEBULA_CURSOR_KEY;
  self->cursor->quote = quote;
  self->cursor->word = inside;
  self->cursor->dot = self->last.start;
  self->cursor->is_optional = is_punctuation (&self->last, "?[");
  pop (self);
  return FALSE;
}

/* Whether something that has a value ends with this token. */
static gboolean
ends_operand (const Scan *self, const NebulaToken *token)
{
  static const char *const words[] = {"and", "else", "if", "in", "not", "or", "then"};

  if (token->kind == NEBULA_TOKEN_PUNCTUATION)
    return is_punctuation (token, ")") || is_punctuation (token, "]") ||
           is_punctuation (token, "}");
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (is_word (self, token, words[i]))
      return FALSE;
  return token->kind != NEBULA_TOKEN_END && token->kind != NEBULA_TOKEN_TRIM_END;
}

static NebulaCursorKind
get_kind (Scan *self, const NebulaToken *previous)
{
  if (is_punctuation (previous, ".") || is_punctuation (previous, "?.")) {
    self->cursor->dot = previous->start;
    self->cursor->is_optional = is_punctuation (previous, "?.");
    return NEBULA_CURSOR_MEMBER;
  }
  if (is_punctuation (previous, "|"))
    return NEBULA_CURSOR_PIPE;
  if (ends_operand (self, previous))
    return NEBULA_CURSOR_OPERATOR;
  if (get_frame (self) == '{' &&
      (is_punctuation (previous, "{") || is_punctuation (previous, ",")))
    return NEBULA_CURSOR_ENTRY;
  return NEBULA_CURSOR_OPERAND;
}

/* The cursor stands behind the last token. */
static void
take_end (Scan *self)
{
  gsize length = self->parser.length;
  const char *rest = self->parser.text + self->last.end;
  gboolean is_touching = self->last.end == length && self->last.end > self->last.start;
  const char *comment = strstr (rest, "//");

  if (comment != NULL && strchr (comment, '\n') == NULL)
    return;
  self->cursor->word = length;
  if (is_touching && self->last.kind == NEBULA_TOKEN_VARIABLE) {
    self->cursor->word = self->last.start;
    self->cursor->kind = ends_operand (self, &self->before) ? NEBULA_CURSOR_NOWHERE
                                                            : NEBULA_CURSOR_VARIABLE;
  } else if (is_touching && self->last.kind == NEBULA_TOKEN_NAME) {
    self->cursor->word = self->last.start;
    /* Half a word is not yet the word. */
    if (is_choice (get_frame (self)) &&
        (is_word (self, &self->last, "if") || is_word (self, &self->last, "then")))
      pop (self);
    self->cursor->kind = get_kind (self, &self->before);
  } else if (!is_touching || self->last.kind == NEBULA_TOKEN_PUNCTUATION) {
    self->cursor->kind = get_kind (self, &self->last);
    if (is_touching && self->cursor->kind == NEBULA_CURSOR_OPERATOR)
      self->cursor->kind = NEBULA_CURSOR_NOWHERE;
  }
}

/* A dollar with nothing behind it is no token yet. */
static void
take_broken (Scan *self)
{
  gsize length = self->parser.length;

  if (length == 0 || self->parser.text[length - 1] != '$' ||
      self->parser.position != length || ends_operand (self, &self->last))
    return;
  self->cursor->kind = NEBULA_CURSOR_VARIABLE;
  self->cursor->word = length - 1;
}

static gboolean
ends_hole (const Scan *self, const NebulaToken *token)
{
  gboolean is_end = token->kind == NEBULA_TOKEN_TRIM_END ||
                    strncmp (self->parser.text + token->start, "}}", 2) == 0;

  for (gsize i = 0; is_end && i < self->frames->len; i++)
    is_end = is_choice (self->frames->str[i]);
  return self->parser.is_template && is_end;
}

/* A brace that closes a hole goes on with the text around it. FALSE: the cursor is in that text. */
static gboolean
take_brace (Scan *self, NebulaToken token)
{
  close_frame (self, '{');
  if (get_frame (self) != HOLE) {
    remember (self, &token);
    return TRUE;
  }
  pop (self);
  token.kind = NEBULA_TOKEN_TEXT;
  return take_text (self, token);
}

/* FALSE: the cursor was reached. */
static gboolean
take_token (Scan *self, NebulaToken token)
{
  if (is_punctuation (&token, "}"))
    return take_brace (self, token);
  if (token.kind == NEBULA_TOKEN_STRING || token.kind == NEBULA_TOKEN_TEXT)
    return take_text (self, token);
  if (token.kind == NEBULA_TOKEN_NAME)
    take_word (self, &token);
  else
    take_punctuation (self, &token);
  remember (self, &token);
  return TRUE;
}

/* FALSE: the cursor was reached; else a hole of the template has ended. */
static gboolean
scan_expression (Scan *self)
{
  NebulaToken token;

  self->cursor->start = self->parser.position;
  self->last = self->before =
      (NebulaToken){.kind = NEBULA_TOKEN_END, .end = (guint32) self->parser.position};
  g_string_truncate (self->frames, 0);
  do {
    if (!_nebula_lexer_advance (&self->parser)) {
      take_broken (self);
      return FALSE;
    }
    token = self->parser.token;
    if (token.kind == NEBULA_TOKEN_END) {
      take_end (self);
      return FALSE;
    }
    if (ends_hole (self, &token)) {
      self->parser.position = token.start + (token.kind == NEBULA_TOKEN_TRIM_END ? 3 : 2);
      return self->parser.position <= self->parser.length;
    }
  } while (take_token (self, token));
  return FALSE;
}

/* To the start of the next hole; FALSE: the cursor is in the text between. */
static gboolean
find_hole (NebulaParser *parser)
{
  const char *text = parser->text;

  for (gsize i = parser->position; i + 1 < parser->length; i++) {
    gsize escapes = 0;

    if (text[i] != '{' || text[i + 1] != '{')
      continue;
    while (escapes < 2 && i > parser->position + escapes && text[i - 1 - escapes] == '\\')
      escapes++;
    if (escapes == 1) {
      i++;
      continue;
    }
    parser->position = i + 2;
    if (text[i + 2] == '-' && !g_ascii_isdigit (text[i + 3]))
      parser->position++;
    return TRUE;
  }
  return FALSE;
}

static char *
make_closers (const GString *frames)
{
  GString *closers = g_string_new (NULL);

  for (gsize i = frames->len; i > 0; i--) {
    switch (frames->str[i - 1]) {
    case '(':
      g_string_append (closers, ")");
      break;
    case '[':
      g_string_append (closers, "]");
      break;
    case '{':
      g_string_append (closers, "}");
      break;
    case '?':
      g_string_append (closers, " : null");
      break;
    case NEBULA_CURSOR_IF:
      g_string_append (closers, " then null else null");
      break;
    case NEBULA_CURSOR_THEN:
      g_string_append (closers, " else null");
      break;
    default:
      g_string_append (closers, "}\"");
    }
  }
  return g_string_free (closers, FALSE);
}

void
_nebula_cursor_find (NebulaCursor *self, const char *text, gsize at, gboolean is_template)
{
  g_autofree char *before = g_strndup (text, at);
  g_auto (Scan) scan = {.cursor = self, .frames = g_string_new (NULL)};

  *self = (NebulaCursor){.kind = NEBULA_CURSOR_NOWHERE};
  _nebula_parser_init (&scan.parser, before, at);
  scan.parser.is_template = is_template;
  do {
    if (is_template && !find_hole (&scan.parser))
      break;
  } while (scan_expression (&scan));
  self->frame = get_frame (&scan);
  self->closers = make_closers (scan.frames);
}

void
_nebula_cursor_clear (NebulaCursor *self)
{
  g_clear_pointer (&self->closers, g_free);
}
