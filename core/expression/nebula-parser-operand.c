/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operands: literals, names, calls, and what follows them (members, indices, methods). */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-syntax-private.h"

#define PARAMETERS 8 /* of one lambda */
#define P1(a)      NEBULA_PUNCTUATION (a, 0, 0)
#define P2(a, b)   NEBULA_PUNCTUATION (a, b, 0)
#define SPREAD     NEBULA_PUNCTUATION ('.', '.', '.')

/* Whether `x =>` or `(a, b) =>` begins here; leaves the parser where it was. */
static gboolean
is_lambda (NebulaParser *self)
{
  NebulaToken token = self->token;
  gsize position = self->position;
  gboolean is_list = _nebula_parser_is (self, P1 ('('));
  gboolean is_found = FALSE;

  if (!is_list && token.kind != NEBULA_TOKEN_NAME)
    return FALSE;
  if (is_list) {
    do
      is_found = _nebula_lexer_advance (self) && self->token.kind == NEBULA_TOKEN_NAME &&
                 _nebula_lexer_advance (self);
    while (is_found && _nebula_parser_is (self, P1 (',')));
    is_found = is_found && _nebula_parser_is (self, P1 (')'));
  }
  if ((is_list && !is_found) || !_nebula_lexer_advance (self)) {
    /* What does not parse is reported when it is read again. */
    g_clear_error (&self->error);
    is_found = FALSE;
  } else {
    is_found = _nebula_parser_is (self, P2 ('=', '>'));
  }
  self->token = token;
  self->position = position;
  return is_found;
}

static gboolean
parse_parameter (NebulaParser *self, NebulaSyntax *lambda)
{
  NebulaSyntax *parameter = _nebula_parser_node (self, NEBULA_SYNTAX_NAME,
                                                 self->token.start, self->token.start);

  parameter->name = _nebula_parser_name (self, self->token.start, self->token.end);
  if (_nebula_parser_is_reserved (parameter->name))
    return _nebula_parser_fail (
        self, NEBULA_ERROR_SYNTAX, self->token.start, NULL,
        _ ("“%s” is a word of the language and cannot name a parameter"),
        parameter->name);
  if (lambda->count == PARAMETERS)
    return _nebula_parser_fail (self, NEBULA_ERROR_ARITY, self->token.start, NULL,
                                _ ("A lambda has at most %d parameters"), PARAMETERS);
  for (NebulaSyntax *other = lambda->first; other != NULL; other = other->next)
    if (strcmp (other->name, parameter->name) == 0)
      return _nebula_parser_fail (self, NEBULA_ERROR_SYNTAX, self->token.start, NULL,
                                  _ ("Two parameters are called “%s”"), parameter->name);
  _nebula_parser_append (lambda, parameter);
  return _nebula_lexer_advance (self);
}

static NebulaSyntax *
parse_lambda (NebulaParser *self)
{
  NebulaSyntax *lambda = _nebula_parser_node (self, NEBULA_SYNTAX_LAMBDA,
                                              self->token.start, self->token.start);
  gboolean is_list = _nebula_parser_is (self, P1 ('('));

  do {
    if (is_list && !_nebula_lexer_advance (self))
      return NULL;
    if (!parse_parameter (self, lambda))
      return NULL;
  } while (is_list && _nebula_parser_is (self, P1 (',')));
  if (is_list && !_nebula_lexer_advance (self))
    return NULL;
  if (!_nebula_lexer_advance (self) || !_nebula_parser_enter (self))
    return NULL;
  lambda->a = _nebula_parser_parse_choice (self);
  self->depth--;
  return _nebula_parser_adopt (self, lambda, lambda->a) ? lambda : NULL;
}

/* From the opening parenthesis to after the closing one. */
gboolean
_nebula_parser_parse_arguments (NebulaParser *self, NebulaSyntax *call)
{
  const NebulaFunction *function = _nebula_functions_find (call->name, self->functions);

  /* Time and random numbers come from the environment. */
  if (function != NULL && (function->flags & NEBULA_FUNCTION_IMPURE) != 0)
    call->is_constant = FALSE;
  if (!_nebula_lexer_advance (self))
    return FALSE;
  while (!_nebula_parser_is (self, P1 (')'))) {
    NebulaSyntax *argument =
        is_lambda (self) ? parse_lambda (self) : _nebula_parser_parse_expression (self);

    if (!_nebula_parser_adopt (self, call, argument))
      return FALSE;
    _nebula_parser_append (call, argument);
    if (_nebula_parser_is (self, P1 (')')))
      break;
    if (!_nebula_parser_expect (
            self, P1 (','), _ ("Arguments are separated by commas and end with “)”.")))
      return FALSE;
  }
  return _nebula_lexer_advance (self);
}

static NebulaSyntax *
parse_array (NebulaParser *self)
{
  NebulaSyntax *array = _nebula_parser_node (self, NEBULA_SYNTAX_ARRAY, self->token.start,
                                             self->token.start);

  if (!_nebula_lexer_advance (self))
    return NULL;
  while (!_nebula_parser_is (self, P1 (']'))) {
    gboolean is_spread = _nebula_parser_is (self, SPREAD);
    NebulaSyntax *wrapper = _nebula_parser_node (self, NEBULA_SYNTAX_SPREAD,
                                                 self->token.start, self->token.start);
    NebulaSyntax *item;

    if (is_spread && !_nebula_lexer_advance (self))
      return NULL;
    item = _nebula_parser_parse_expression (self);
    if (!_nebula_parser_adopt (self, wrapper, item))
      return NULL;
    wrapper->a = item;
    if (!_nebula_parser_adopt (self, array, is_spread ? wrapper : item))
      return NULL;
    _nebula_parser_append (array, is_spread ? wrapper : item);
    if (_nebula_parser_is (self, P1 (']')))
      break;
    if (!_nebula_parser_expect (self, P1 (','),
                                _ ("Items are separated by commas and end with “]”.")))
      return NULL;
  }
  return _nebula_lexer_advance (self) ? array : NULL;
}

static NebulaSyntax *parse_quoted (NebulaParser *self);

/* A key is a name, a text, or an expression in brackets. */
static NebulaSyntax *
parse_key (NebulaParser *self)
{
  NebulaSyntax *key;
  const char *name;

  if (self->token.kind == NEBULA_TOKEN_STRING || self->token.kind == NEBULA_TOKEN_TEXT)
    return parse_quoted (self);
  if (_nebula_parser_is (self, P1 ('['))) {
    if (!_nebula_lexer_advance (self))
      return NULL;
    key = _nebula_parser_parse_expression (self);
    return key != NULL && _nebula_parser_expect (self, P1 (']'), NULL) ? key : NULL;
  }
  if (self->token.kind != NEBULA_TOKEN_NAME) {
    _nebula_parser_fail_unexpected (
        self, _ ("A key is a name, a text in quotes, or [an expression]."));
    return NULL;
  }
  name = _nebula_parser_name (self, self->token.start, self->token.end);
  key = _nebula_parser_string (self, name, strlen (name), self->token.start);
  return _nebula_lexer_advance (self) ? key : NULL;
}

static NebulaSyntax *
parse_entry (NebulaParser *self)
{
  guint32 start = self->token.start;
  gboolean is_spread = _nebula_parser_is (self, SPREAD);
  gboolean is_name = self->token.kind == NEBULA_TOKEN_NAME;
  NebulaSyntax *entry = _nebula_parser_node (
      self, is_spread ? NEBULA_SYNTAX_SPREAD : NEBULA_SYNTAX_ENTRY, start, start);

  if (is_spread) {
    if (!_nebula_lexer_advance (self))
      return NULL;
    entry->a = _nebula_parser_parse_expression (self);
    return _nebula_parser_adopt (self, entry, entry->a) ? entry : NULL;
  }
  entry->a = parse_key (self);
  if (!_nebula_parser_adopt (self, entry, entry->a))
    return NULL;
  if (is_name &&
      (_nebula_parser_is (self, P1 (',')) || _nebula_parser_is (self, P1 ('}')))) {
    /* `{x}` is `{x: x}`. */
    entry->b = _nebula_parser_node (self, NEBULA_SYNTAX_NAME, start, start);
    entry->b->name = nebula_value_get_string (entry->a->literal.as.value);
    entry->b->is_constant = FALSE;
  } else {
    if (!_nebula_parser_expect (self, P1 (':'), _ ("A member is written key: value.")))
      return NULL;
    entry->b = _nebula_parser_parse_expression (self);
  }
  return _nebula_parser_adopt (self, entry, entry->b) ? entry : NULL;
}

static NebulaSyntax *
parse_object (NebulaParser *self)
{
  NebulaSyntax *object = _nebula_parser_node (self, NEBULA_SYNTAX_OBJECT,
                                              self->token.start, self->token.start);

  if (!_nebula_lexer_advance (self))
    return NULL;
  while (!_nebula_parser_is (self, P1 ('}'))) {
    NebulaSyntax *entry = parse_entry (self);

    if (!_nebula_parser_adopt (self, object, entry))
      return NULL;
    _nebula_parser_append (object, entry);
    if (_nebula_parser_is (self, P1 ('}')))
      break;
    if (!_nebula_parser_expect (self, P1 (','),
                                _ ("Members are separated by commas and end with “}”.")))
      return NULL;
  }
  return _nebula_lexer_advance (self) ? object : NULL;
}

/* The expression in `${ … }`; afterwards the position is after its brace. */
static NebulaSyntax *
parse_hole (NebulaParser *self)
{
  NebulaSyntax *hole;

  if (!_nebula_lexer_advance (self))
    return NULL;
  hole = _nebula_parser_parse_expression (self);
  if (hole != NULL && !_nebula_parser_is (self, P1 ('}'))) {
    _nebula_parser_fail_unexpected (self, _ ("The hole of a text ends with “}”."));
    return NULL;
  }
  return hole;
}

static NebulaSyntax *
parse_quoted (NebulaParser *self)
{
  guint32 start = self->token.start;
  NebulaSyntax *text = _nebula_parser_node (self, NEBULA_SYNTAX_TEXT, start, start);
  char quote = self->token.kind == NEBULA_TOKEN_TEXT ? '"' : '\'';
  gboolean is_hole = TRUE;

  while (is_hole) {
    g_autoptr (GString) piece = g_string_new (NULL);
    NebulaSyntax *part;

    if (!_nebula_lexer_read_string (self, quote, piece, &is_hole))
      return NULL;
    if (piece->len > 0 || (!is_hole && text->count == 0))
      _nebula_parser_append (text,
                             _nebula_parser_string (self, piece->str, piece->len, start));
    if (!is_hole)
      break;
    part = parse_hole (self);
    if (!_nebula_parser_adopt (self, text, part))
      return NULL;
    _nebula_parser_append (text, part);
  }
  if (!_nebula_lexer_advance (self))
    return NULL;
  if (text->count == 1 && text->first->kind == NEBULA_SYNTAX_LITERAL &&
      text->first->start == start)
    return text->first;
  return text;
}

static NebulaSyntax *
parse_name (NebulaParser *self)
{
  guint32 start = self->token.start;
  const char *name = _nebula_parser_name (self, self->token.start, self->token.end);
  NebulaSyntax *node;

  if (_nebula_parser_is_reserved (name)) {
    NebulaCell cell = _nebula_cell_null ();

    if (strcmp (name, "true") == 0 || strcmp (name, "false") == 0)
      cell = _nebula_cell_boolean (name[0] == 't');
    else if (strcmp (name, "null") != 0) {
      _nebula_parser_fail_unexpected (self, strcmp (name, "if") == 0
                                                ? _ ("Put parentheses around the choice.")
                                                : NULL);
      return NULL;
    }
    return _nebula_lexer_advance (self) ? _nebula_parser_literal (self, cell, start)
                                        : NULL;
  }
  if (!_nebula_lexer_advance (self))
    return NULL;
  node = _nebula_parser_node (
      self, _nebula_parser_is (self, P1 ('(')) ? NEBULA_SYNTAX_CALL : NEBULA_SYNTAX_NAME,
      start, start);
  node->name = name;
  if (node->kind == NEBULA_SYNTAX_CALL)
    return _nebula_parser_parse_arguments (self, node) ? node : NULL;
  node->is_constant = FALSE;
  return node;
}

static NebulaSyntax *
parse_variable (NebulaParser *self)
{
  NebulaSyntax *node = _nebula_parser_node (self, NEBULA_SYNTAX_VARIABLE,
                                            self->token.start, self->token.start);

  node->name = _nebula_parser_name (self, self->token.start + 1, self->token.end);
  if (strcmp (node->name, "in") == 0)
    node->name = "json";
  else if (strcmp (node->name, "node") == 0)
    node->name = "nodes";
  node->is_constant = FALSE;
  return _nebula_lexer_advance (self) ? node : NULL;
}

static NebulaSyntax *
parse_number (NebulaParser *self)
{
  guint32 start = self->token.start;
  NebulaCell cell;

  if (self->token.kind == NEBULA_TOKEN_FLOAT) {
    cell = _nebula_cell_float (self->token.number);
  } else if (self->token.integer > G_MAXINT64) {
    _nebula_parser_fail (self, NEBULA_ERROR_OVERFLOW, start,
                         _ ("Write it with a decimal point to have a float."),
                         _ ("This integer does not fit into 64 bits"));
    return NULL;
  } else {
    cell = _nebula_cell_integer ((gint64) self->token.integer);
  }
  return _nebula_lexer_advance (self) ? _nebula_parser_literal (self, cell, start) : NULL;
}

static NebulaSyntax *
parse_primary (NebulaParser *self)
{
  NebulaSyntax *inner;

  if (self->token.kind == NEBULA_TOKEN_INTEGER || self->token.kind == NEBULA_TOKEN_FLOAT)
    return parse_number (self);
  if (self->token.kind == NEBULA_TOKEN_STRING || self->token.kind == NEBULA_TOKEN_TEXT)
    return parse_quoted (self);
  if (self->token.kind == NEBULA_TOKEN_NAME)
    return parse_name (self);
  if (self->token.kind == NEBULA_TOKEN_VARIABLE)
    return parse_variable (self);
  if (_nebula_parser_is (self, P1 ('[')))
    return parse_array (self);
  if (_nebula_parser_is (self, P1 ('{')))
    return parse_object (self);
  if (!_nebula_parser_is (self, P1 ('('))) {
    _nebula_parser_fail_unexpected (self, NULL);
    return NULL;
  }
  if (!_nebula_lexer_advance (self))
    return NULL;
  inner = _nebula_parser_parse_expression (self);
  return inner != NULL && _nebula_parser_expect (self, P1 (')'),
                                                 _ ("The parenthesis is not closed."))
             ? inner
             : NULL;
}

static NebulaSyntax *
parse_member (NebulaParser *self, NebulaSyntax *object, gboolean is_optional)
{
  NebulaSyntax *node;

  if (!_nebula_lexer_advance (self))
    return NULL;
  if (self->token.kind != NEBULA_TOKEN_NAME) {
    _nebula_parser_fail_unexpected (
        self,
        _ ("Names with other characters go in brackets: [\"my-key\"], items too: [0]."));
    return NULL;
  }
  node =
      _nebula_parser_node (self, NEBULA_SYNTAX_MEMBER, object->start, self->token.start);
  node->name = _nebula_parser_name (self, self->token.start, self->token.end);
  node->is_optional = (guint8) is_optional;
  node->a = object;
  if (!_nebula_parser_adopt (self, node, object) || !_nebula_lexer_advance (self))
    return NULL;
  if (!_nebula_parser_is (self, P1 ('(')))
    return node;
  node->kind = NEBULA_SYNTAX_METHOD;
  _nebula_parser_append (node, object);
  return _nebula_parser_parse_arguments (self, node) ? node : NULL;
}

/* Between the brackets: an index, or `from:to` with either left out. */
static NebulaSyntax *
parse_bracket (NebulaParser *self, NebulaSyntax *object, gboolean is_optional)
{
  NebulaSyntax *node =
      _nebula_parser_node (self, NEBULA_SYNTAX_INDEX, object->start, self->token.start);

  node->is_optional = (guint8) is_optional;
  node->a = object;
  if (!_nebula_parser_adopt (self, node, object) || !_nebula_lexer_advance (self))
    return NULL;
  if (!_nebula_parser_is (self, P1 (':'))) {
    node->b = _nebula_parser_parse_expression (self);
    if (!_nebula_parser_adopt (self, node, node->b))
      return NULL;
  }
  if (_nebula_parser_is (self, P1 (':'))) {
    node->kind = NEBULA_SYNTAX_SLICE;
    if (!_nebula_lexer_advance (self))
      return NULL;
    if (!_nebula_parser_is (self, P1 (']'))) {
      node->c = _nebula_parser_parse_expression (self);
      if (!_nebula_parser_adopt (self, node, node->c))
        return NULL;
    }
  }
  return _nebula_parser_expect (self, P1 (']'), _ ("The bracket is not closed.")) ? node
                                                                                  : NULL;
}

NebulaSyntax *
_nebula_parser_parse_operand (NebulaParser *self)
{
  NebulaSyntax *node = parse_primary (self);

  while (node != NULL) {
    if (_nebula_parser_is (self, P1 ('.')) || _nebula_parser_is (self, P2 ('?', '.')))
      node = parse_member (self, node, self->token.punctuation != P1 ('.'));
    else if (_nebula_parser_is (self, P1 ('[')) ||
             _nebula_parser_is (self, P2 ('?', '[')))
      node = parse_bracket (self, node, self->token.punctuation != P1 ('['));
    else
      break;
  }
  return node;
}
