/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts the text of an expression into tokens, one at a time, as the parser asks. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-syntax-private.h"

/* Longest first. */
static const char *const punctuations[] = {
    "...", "**", "==", "!=", "<=", ">=", "=~", "=>", "&&", "||", "??",
    "?.",  "?[", "+",  "-",  "*",  "/",  "%",  "<",  ">",  "!",  "|",
    "?",   ":",  ",",  ".",  "(",  ")",  "[",  "]",  "{",  "}",
};

static gboolean
is_name_start (gunichar character)
{
  return character == '_' || g_unichar_isalpha (character);
}

static gboolean
is_name_part (gunichar character)
{
  return character == '_' || g_unichar_isalnum (character);
}

static char
peek (NebulaParser *parser, gsize offset)
{
  return parser->position + offset < parser->length
             ? parser->text[parser->position + offset]
             : '\0';
}

static gboolean
skip_comment (NebulaParser *parser)
{
  const char *from = parser->text + parser->position;
  const char *end;

  if (from[1] == '/') {
    end = memchr (from, '\n', parser->length - parser->position);
    parser->position = end != NULL ? (gsize) (end - parser->text) : parser->length;
    return TRUE;
  }
  end = g_strstr_len (from + 2, (gssize) (parser->length - parser->position - 2), "*/");
  if (end == NULL)
    return _nebula_parser_fail (parser, NEBULA_ERROR_SYNTAX, parser->position,
                                _ ("Close it with “*/”."), _ ("This comment has no end"));
  parser->position = (gsize) (end - parser->text) + 2;
  return TRUE;
}

static gboolean
skip_blank (NebulaParser *parser)
{
  while (parser->position < parser->length) {
    char next = peek (parser, 0);

    if (next == ' ' || next == '\t' || next == '\n' || next == '\r') {
      parser->position++;
      continue;
    }
    if (next != '/' || (peek (parser, 1) != '/' && peek (parser, 1) != '*'))
      break;
    if (!skip_comment (parser))
      return FALSE;
  }
  return TRUE;
}

static gboolean
lex_hexadecimal (NebulaParser *parser, NebulaToken *token)
{
  guint64 number = 0;
  gsize digits = 0;

  parser->position += 2;
  for (; g_ascii_isxdigit (peek (parser, 0)) || (digits > 0 && peek (parser, 0) == '_');
       parser->position++) {
    if (peek (parser, 0) == '_')
      continue;
    if (number >> 60 != 0)
      return _nebula_parser_fail (parser, NEBULA_ERROR_OVERFLOW, token->start, NULL,
                                  _ ("This number needs more than 64 bits"));
    number = number << 4 | (guint64) g_ascii_xdigit_value (peek (parser, 0));
    digits++;
  }
  if (digits == 0)
    return _nebula_parser_fail (parser, NEBULA_ERROR_SYNTAX, token->start, NULL,
                                _ ("There are no digits after “0x”"));
  token->kind = NEBULA_TOKEN_INTEGER;
  token->integer = number;
  return TRUE;
}

static void
take_digits (NebulaParser *parser, GString *digits)
{
  while (g_ascii_isdigit (peek (parser, 0)) ||
         (peek (parser, 0) == '_' && g_ascii_isdigit (peek (parser, 1)))) {
    if (peek (parser, 0) != '_')
      g_string_append_c (digits, peek (parser, 0));
    parser->position++;
  }
}

static gboolean
take_exponent (NebulaParser *parser, GString *digits)
{
  gsize sign = peek (parser, 1) == '+' || peek (parser, 1) == '-' ? 1 : 0;

  if ((peek (parser, 0) != 'e' && peek (parser, 0) != 'E') ||
      !g_ascii_isdigit (peek (parser, 1 + sign)))
    return FALSE;
  g_string_append_len (digits, parser->text + parser->position, (gssize) (1 + sign));
  parser->position += 1 + sign;
  take_digits (parser, digits);
  return TRUE;
}

static gboolean
lex_number (NebulaParser *parser, NebulaToken *token)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  gboolean is_float = FALSE;

  if (peek (parser, 0) == '0' && (peek (parser, 1) == 'x' || peek (parser, 1) == 'X'))
    return lex_hexadecimal (parser, token);

  take_digits (parser, digits);
  if (peek (parser, 0) == '.' && g_ascii_isdigit (peek (parser, 1))) {
    is_float = TRUE;
    g_string_append_c (digits, '.');
    parser->position++;
    take_digits (parser, digits);
  }
  if (take_exponent (parser, digits))
    is_float = TRUE;

  token->kind = is_float ? NEBULA_TOKEN_FLOAT : NEBULA_TOKEN_INTEGER;
  if (is_float)
    token->number = g_ascii_strtod (digits->str, NULL);
  else if (!g_ascii_string_to_unsigned (digits->str, 10, 0, (guint64) G_MAXINT64 + 1,
                                        &token->integer, NULL))
    return _nebula_parser_fail (parser, NEBULA_ERROR_OVERFLOW, token->start,
                                _ ("Write it with a decimal point to have a float."),
                                _ ("This integer does not fit into 64 bits"));
  if (is_float && (token->number > G_MAXDOUBLE))
    return _nebula_parser_fail (parser, NEBULA_ERROR_OVERFLOW, token->start, NULL,
                                _ ("This number is too large for a float"));
  if (is_name_start (g_utf8_get_char (parser->text + parser->position)))
    return _nebula_parser_fail (parser, NEBULA_ERROR_SYNTAX, parser->position, NULL,
                                _ ("A number cannot run into a name"));
  return TRUE;
}

static void
take_name (NebulaParser *parser)
{
  while (parser->position < parser->length) {
    const char *at = parser->text + parser->position;

    if (!is_name_part (g_utf8_get_char (at)))
      break;
    parser->position = (gsize) (g_utf8_next_char (at) - parser->text);
  }
}

static gboolean
lex_variable (NebulaParser *parser, NebulaToken *token)
{
  parser->position++;
  if (!is_name_start (g_utf8_get_char (parser->text + parser->position)))
    return _nebula_parser_fail (parser, NEBULA_ERROR_SYNTAX, token->start,
                                _ ("Variables look like $json or $nodes."),
                                _ ("There is no name after “$”"));
  take_name (parser);
  token->kind = NEBULA_TOKEN_VARIABLE;
  return TRUE;
}

static gboolean
lex_punctuation (NebulaParser *parser, NebulaToken *token)
{
  const char *at = parser->text + parser->position;
  gsize rest = parser->length - parser->position;

  if (parser->is_template && rest >= 3 && strncmp (at, "-}}", 3) == 0) {
    token->kind = NEBULA_TOKEN_TRIM_END;
    parser->position++;
    return TRUE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (punctuations); i++) {
    const char *candidate = punctuations[i];
    gsize length = strlen (candidate);

    if (length > rest || strncmp (at, candidate, length) != 0)
      continue;
    /* In `a ?.5` and the like a digit follows: that is a choice, not an access. */
    if (strcmp (candidate, "?.") == 0 && rest > 2 && g_ascii_isdigit (at[2]))
      continue;
    token->kind = NEBULA_TOKEN_PUNCTUATION;
    token->punctuation = NEBULA_PUNCTUATION (candidate[0], length > 1 ? candidate[1] : 0,
                                             length > 2 ? candidate[2] : 0);
    parser->position += length;
    return TRUE;
  }
  return _nebula_parser_fail (
      parser, NEBULA_ERROR_SYNTAX, parser->position,
      *at == '=' ? _ ("Compare with “==”; expressions cannot assign.") : NULL,
      _ ("There is a character that means nothing here"));
}

/* Reads the next token. */
gboolean
_nebula_lexer_advance (NebulaParser *parser)
{
  NebulaToken *token = &parser->token;
  char first;

  if (!skip_blank (parser))
    return FALSE;
  *token = (NebulaToken){.kind = NEBULA_TOKEN_END, .start = (guint32) parser->position};
  first = peek (parser, 0);
  if (parser->position >= parser->length) {
    token->end = token->start;
    return TRUE;
  }
  if (first == '\'' || first == '"') {
    token->kind = first == '"' ? NEBULA_TOKEN_TEXT : NEBULA_TOKEN_STRING;
    parser->position++;
  } else if (g_ascii_isdigit (first)) {
    if (!lex_number (parser, token))
      return FALSE;
  } else if (first == '$') {
    if (!lex_variable (parser, token))
      return FALSE;
  } else if (is_name_start (g_utf8_get_char (parser->text + parser->position))) {
    token->kind = NEBULA_TOKEN_NAME;
    take_name (parser);
  } else if (!lex_punctuation (parser, token)) {
    return FALSE;
  }
  token->end = (guint32) parser->position;
  return TRUE;
}

static gboolean
take_hexadecimal (NebulaParser *parser, guint digits, gunichar *ret)
{
  gunichar character = 0;

  for (guint i = 0; i < digits; i++) {
    if (!g_ascii_isxdigit (peek (parser, 0)))
      return FALSE;
    character = character << 4 | (gunichar) g_ascii_xdigit_value (peek (parser, 0));
    parser->position++;
  }
  *ret = character;
  return TRUE;
}

/* After `\u`: four digits (two such escapes for a surrogate pair) or up to six in braces. */
static gboolean
take_unicode (NebulaParser *parser, GString *text)
{
  gunichar character = 0, low;

  if (peek (parser, 0) == '{') {
    guint digits = 0;

    parser->position++;
    while (digits < 6 && g_ascii_isxdigit (peek (parser, digits)))
      digits++;
    if (digits == 0 || !take_hexadecimal (parser, digits, &character) ||
        peek (parser, 0) != '}')
      return FALSE;
    parser->position++;
  } else if (!take_hexadecimal (parser, 4, &character)) {
    return FALSE;
  }
  if (character >= 0xd800 && character < 0xdc00) {
    if (peek (parser, 0) != '\\' || peek (parser, 1) != 'u')
      return FALSE;
    parser->position += 2;
    if (!take_hexadecimal (parser, 4, &low) || low < 0xdc00 || low > 0xdfff)
      return FALSE;
    character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
  }
  if (!g_unichar_validate (character))
    return FALSE;
  if (character == 0)
    g_string_append_len (text, "\0", 1);
  else
    g_string_append_unichar (text, character);
  return TRUE;
}

static gboolean
take_escape (NebulaParser *parser, GString *text)
{
  static const char letters[] = "ntrbf\\\"'/$`";
  static const char meanings[] = "\n\t\r\b\f\\\"'/$`";
  gsize start = parser->position;
  char letter = peek (parser, 1);
  const char *found = letter != '\0' ? strchr (letters, letter) : NULL;

  parser->position += 2;
  if (found != NULL) {
    g_string_append_c (text, meanings[found - letters]);
    return TRUE;
  }
  if (letter == 'u' && take_unicode (parser, text))
    return TRUE;
  return _nebula_parser_fail (parser, NEBULA_ERROR_SYNTAX, start,
                              _ ("Write “\\\\” for a backslash itself."),
                              _ ("This escape is not known"));
}

/*
 * Reads from inside a string up to its closing quote, or up to the `${` of a hole, which only double quotes have. The
 * position is after what ended it.
 */
gboolean
_nebula_lexer_read_string (NebulaParser *parser,
                           char quote,
                           GString *text,
                           gboolean *ret_is_hole)
{
  gsize start = parser->position;

  while (parser->position < parser->length) {
    char next = peek (parser, 0);

    if (next == quote || (quote == '"' && next == '$' && peek (parser, 1) == '{')) {
      *ret_is_hole = next != quote;
      parser->position += next == quote ? 1 : 2;
      return TRUE;
    }
    if (next == '\\') {
      if (!take_escape (parser, text))
        return FALSE;
      continue;
    }
    g_string_append_c (text, next);
    parser->position++;
  }
  return _nebula_parser_fail (parser, NEBULA_ERROR_SYNTAX, start > 0 ? start - 1 : 0,
                              NULL, _ ("This text has no closing quote"));
}
