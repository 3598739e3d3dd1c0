/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parser: pipes, choices, operators. Operands are in nebula-parser-operand.c. docs/expressions.md has the grammar. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-syntax-private.h"

#define ARENA_BLOCK_BYTES 4096
#define TREE_HEIGHT                                                                      \
  512 /* of chains such as a + b + c …, which nest without parentheses */

struct _NebulaArena {
  GPtrArray *blocks;
  gsize used;
};

static gpointer
allocate (NebulaArena *arena, gsize bytes)
{
  gsize size = (bytes + 15) & ~(gsize) 15;
  char *block;

  if (size > ARENA_BLOCK_BYTES / 4) {
    block = g_malloc0 (size);
    g_ptr_array_insert (arena->blocks, 0, block);
    return block;
  }
  if (arena->blocks->len == 0 || arena->used + size > ARENA_BLOCK_BYTES) {
    g_ptr_array_add (arena->blocks, g_malloc0 (ARENA_BLOCK_BYTES));
    arena->used = 0;
  }
  block = g_ptr_array_index (arena->blocks, arena->blocks->len - 1);
  block += arena->used;
  arena->used += size;
  return block;
}

void
_nebula_parser_init (NebulaParser *self, const char *text, gsize length)
{
  *self = (NebulaParser){.text = text, .length = length};
  self->limits = nebula_expression_limits_get ();
  self->arena = g_new0 (NebulaArena, 1);
  self->arena->blocks = g_ptr_array_new_with_free_func (g_free);
  self->arena->used = ARENA_BLOCK_BYTES;
  self->values = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
}

void
_nebula_parser_clear (NebulaParser *self)
{
  g_clear_error (&self->error);
  g_clear_pointer (&self->values, g_ptr_array_unref);
  if (self->arena != NULL)
    g_ptr_array_unref (self->arena->blocks);
  g_clear_pointer (&self->arena, g_free);
}

gboolean
_nebula_parser_fail (NebulaParser *self,
                     NebulaError code,
                     gsize at,
                     const char *hint,
                     const char *format,
                     ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  if (self->error != NULL)
    return FALSE;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->error = _nebula_problem_new (code, self->text, at, message, hint);
  self->error_at = at;
  return FALSE;
}

gboolean
_nebula_parser_fail_unexpected (NebulaParser *self, const char *hint)
{
  g_autofree char *found =
      _nebula_parser_slice (self, self->token.start, self->token.end);

  if (self->token.kind == NEBULA_TOKEN_END)
    return _nebula_parser_fail (self, NEBULA_ERROR_SYNTAX, self->token.start, hint,
                                _ ("The expression ends too early"));
  if (hint == NULL && strcmp (found, "=>") == 0)
    hint = _ (
        "A lambda stands only among the arguments of a function, as in map ($json, x => x + 1).");
  return _nebula_parser_fail (self, NEBULA_ERROR_SYNTAX, self->token.start, hint,
                              _ ("“%s” is not expected here"), found);
}

NebulaSyntax *
_nebula_parser_node (NebulaParser *self, NebulaSyntaxKind kind, guint32 start, guint32 at)
{
  NebulaSyntax *node = allocate (self->arena, sizeof (NebulaSyntax));

  node->kind = (guint8) kind;
  node->start = start;
  node->at = at;
  node->height = 1;
  node->is_constant = TRUE;
  return node;
}

NebulaSyntax *
_nebula_parser_literal (NebulaParser *self, NebulaCell cell, guint32 start)
{
  NebulaSyntax *node = _nebula_parser_node (self, NEBULA_SYNTAX_LITERAL, start, start);

  node->literal = cell;
  return node;
}

NebulaSyntax *
_nebula_parser_string (NebulaParser *self, const char *text, gsize length, guint32 start)
{
  NebulaValue *value = nebula_value_new_string_length (text, length);

  g_ptr_array_add (self->values, value);
  return _nebula_parser_literal (
      self, (NebulaCell){.tag = NEBULA_CELL_VALUE, .as.value = value}, start);
}

/* What a child tells its parent: how high it is and whether it is constant. */
gboolean
_nebula_parser_adopt (NebulaParser *self, NebulaSyntax *parent, NebulaSyntax *child)
{
  if (child == NULL)
    return FALSE;
  parent->is_constant = parent->is_constant && child->is_constant;
  parent->height = MAX (parent->height, child->height + 1);
  if (parent->height > TREE_HEIGHT)
    return _nebula_parser_fail (self, NEBULA_ERROR_TOO_DEEP, parent->at,
                                _ ("Compute parts of it in nodes of their own."),
                                _ ("This chain has more than %d links"), TREE_HEIGHT);
  return TRUE;
}

void
_nebula_parser_append (NebulaSyntax *parent, NebulaSyntax *child)
{
  NebulaSyntax **last = &parent->first;

  /* The tail is kept in `c`, which no node with a list needs. */
  if (parent->c != NULL)
    last = &parent->c->next;
  *last = child;
  parent->c = child;
  parent->count++;
}

/* Goes one level deeper; the caller takes it back from `depth`. */
gboolean
_nebula_parser_enter (NebulaParser *self)
{
  /* The whole expression is level 0. */
  if (++self->depth <= self->limits->depth + 1)
    return TRUE;
  return _nebula_parser_fail (self, NEBULA_ERROR_TOO_DEEP, self->token.start,
                              _ ("Compute parts of it in nodes of their own."),
                              _ ("The expression nests deeper than %d levels"),
                              (int) self->limits->depth);
}

char *
_nebula_parser_slice (NebulaParser *self, gsize start, gsize end)
{
  return g_strndup (self->text + start, end - start);
}

/* The same, but it lives as long as the parser. */
const char *
_nebula_parser_name (NebulaParser *self, gsize start, gsize end)
{
  char *name = allocate (self->arena, end - start + 1);

  for (gsize i = start; i < end; i++)
    name[i - start] = self->text[i];
  return name;
}

gboolean
_nebula_parser_expect (NebulaParser *self, guint32 punctuation, const char *hint)
{
  if (!_nebula_parser_is (self, punctuation))
    return _nebula_parser_fail_unexpected (self, hint);
  return _nebula_lexer_advance (self);
}

gboolean
_nebula_parser_is_word (NebulaParser *self, const char *word)
{
  gsize length = strlen (word);

  return self->token.kind == NEBULA_TOKEN_NAME &&
         self->token.end - self->token.start == length &&
         strncmp (self->text + self->token.start, word, length) == 0;
}

gboolean
_nebula_parser_is_reserved (const char *name)
{
  static const char *const words[] = {"and",  "else", "false", "if",   "in", "not",
                                      "null", "or",   "then",  "true", NULL};

  return g_strv_contains (words, name);
}

typedef struct {
  guint32 punctuation;
  const char *word;
  guint8 level; /* binds tighter when greater */
  guint8 kind;
  guint8 op;
} BinaryOperator;

#define P1(a)    NEBULA_PUNCTUATION (a, 0, 0)
#define P2(a, b) NEBULA_PUNCTUATION (a, b, 0)

static const BinaryOperator binary_operators[] = {
    {P2 ('?', '?'), NULL, 1, NEBULA_SYNTAX_COALESCE, 0},
    {P2 ('|', '|'), "or", 2, NEBULA_SYNTAX_OR, 0},
    {P2 ('&', '&'), "and", 3, NEBULA_SYNTAX_AND, 0},
    {P2 ('=', '='), NULL, 4, NEBULA_SYNTAX_BINARY, NEBULA_OP_EQUAL},
    {P2 ('!', '='), NULL, 4, NEBULA_SYNTAX_BINARY, NEBULA_OP_NOT_EQUAL},
    {P1 ('<'), NULL, 5, NEBULA_SYNTAX_BINARY, NEBULA_OP_LESS},
    {P1 ('>'), NULL, 5, NEBULA_SYNTAX_BINARY, NEBULA_OP_GREATER},
    {P2 ('<', '='), NULL, 5, NEBULA_SYNTAX_BINARY, NEBULA_OP_LESS_EQUAL},
    {P2 ('>', '='), NULL, 5, NEBULA_SYNTAX_BINARY, NEBULA_OP_GREATER_EQUAL},
    {P2 ('=', '~'), NULL, 5, NEBULA_SYNTAX_BINARY, NEBULA_OP_MATCH},
    {0, "in", 5, NEBULA_SYNTAX_BINARY, NEBULA_OP_IN},
    {P1 ('+'), NULL, 6, NEBULA_SYNTAX_BINARY, NEBULA_OP_ADD},
    {P1 ('-'), NULL, 6, NEBULA_SYNTAX_BINARY, NEBULA_OP_SUBTRACT},
    {P1 ('*'), NULL, 7, NEBULA_SYNTAX_BINARY, NEBULA_OP_MULTIPLY},
    {P1 ('/'), NULL, 7, NEBULA_SYNTAX_BINARY, NEBULA_OP_DIVIDE},
    {P1 ('%'), NULL, 7, NEBULA_SYNTAX_BINARY, NEBULA_OP_MODULO},
};

static const BinaryOperator *
get_binary_operator (NebulaParser *self)
{
  gboolean is_name = self->token.kind == NEBULA_TOKEN_NAME;

  if (!is_name && self->token.kind != NEBULA_TOKEN_PUNCTUATION)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (binary_operators); i++) {
    const BinaryOperator *candidate = &binary_operators[i];

    if (is_name
            ? candidate->word != NULL && _nebula_parser_is_word (self, candidate->word)
            : candidate->punctuation == self->token.punctuation)
      return candidate;
  }
  return NULL;
}

static NebulaSyntax *parse_prefix (NebulaParser *self);

static NebulaSyntax *
parse_power (NebulaParser *self)
{
  NebulaSyntax *left = _nebula_parser_parse_operand (self);
  NebulaSyntax *node;

  if (left == NULL || !_nebula_parser_is (self, P2 ('*', '*')))
    return left;
  node = _nebula_parser_node (self, NEBULA_SYNTAX_BINARY, left->start, self->token.start);
  node->op = NEBULA_OP_POWER;
  node->a = left;
  if (!_nebula_parser_enter (self) || !_nebula_lexer_advance (self))
    return NULL;
  node->b = parse_prefix (self);
  self->depth--;
  if (!_nebula_parser_adopt (self, node, node->a) ||
      !_nebula_parser_adopt (self, node, node->b))
    return NULL;
  return node;
}

static NebulaSyntax *
parse_prefix (NebulaParser *self)
{
  guint32 start = self->token.start;
  gboolean is_negation = _nebula_parser_is (self, P1 ('-'));
  NebulaSyntax *node;

  if (!is_negation && !_nebula_parser_is (self, P1 ('!')) &&
      !_nebula_parser_is_word (self, "not"))
    return parse_power (self);
  if (!_nebula_parser_enter (self) || !_nebula_lexer_advance (self))
    return NULL;
  if (is_negation && self->token.kind == NEBULA_TOKEN_INTEGER &&
      self->token.integer > G_MAXINT64) {
    self->depth--;
    if (self->token.integer > (guint64) G_MAXINT64 + 1) {
      _nebula_parser_fail (self, NEBULA_ERROR_OVERFLOW, start, NULL,
                           _ ("This integer does not fit into 64 bits"));
      return NULL;
    }
    return _nebula_lexer_advance (self)
               ? _nebula_parser_literal (self, _nebula_cell_integer (G_MININT64), start)
               : NULL;
  }
  node = _nebula_parser_node (self, NEBULA_SYNTAX_UNARY, start, start);
  node->op = is_negation ? NEBULA_OP_NEGATE : NEBULA_OP_NOT;
  node->a = parse_prefix (self);
  self->depth--;
  return _nebula_parser_adopt (self, node, node->a) ? node : NULL;
}

static NebulaSyntax *
parse_binary (NebulaParser *self, guint level)
{
  NebulaSyntax *left = parse_prefix (self);
  const BinaryOperator *found;

  while (left != NULL && (found = get_binary_operator (self)) != NULL &&
         found->level >= level) {
    NebulaSyntax *node =
        _nebula_parser_node (self, found->kind, left->start, self->token.start);

    node->op = found->op;
    node->a = left;
    if (!_nebula_lexer_advance (self))
      return NULL;
    node->b = parse_binary (self, found->level + 1u);
    if (!_nebula_parser_adopt (self, node, node->a) ||
        !_nebula_parser_adopt (self, node, node->b))
      return NULL;
    left = node;
  }
  return left;
}

static gboolean
expect_word (NebulaParser *self, const char *word)
{
  if (!_nebula_parser_is_word (self, word))
    return _nebula_parser_fail_unexpected (self,
                                           _ ("A choice is written: if … then … else …"));
  return _nebula_lexer_advance (self);
}

static gboolean
adopt_choice (NebulaParser *self, NebulaSyntax *node)
{
  return _nebula_parser_adopt (self, node, node->a) &&
         _nebula_parser_adopt (self, node, node->b) &&
         _nebula_parser_adopt (self, node, node->c);
}

static NebulaSyntax *
parse_if (NebulaParser *self)
{
  NebulaSyntax *node;

  if (!_nebula_parser_is_word (self, "if"))
    return parse_binary (self, 1);
  node = _nebula_parser_node (self, NEBULA_SYNTAX_CHOICE, self->token.start,
                              self->token.start);
  if (!_nebula_parser_enter (self) || !_nebula_lexer_advance (self))
    return NULL;
  node->a = _nebula_parser_parse_expression (self);
  if (node->a == NULL || !expect_word (self, "then"))
    return NULL;
  node->b = _nebula_parser_parse_expression (self);
  if (node->b == NULL || !expect_word (self, "else"))
    return NULL;
  node->c = parse_if (self);
  self->depth--;
  return adopt_choice (self, node) ? node : NULL;
}

NebulaSyntax *
_nebula_parser_parse_choice (NebulaParser *self)
{
  NebulaSyntax *left = parse_if (self);
  NebulaSyntax *node;

  if (left == NULL || !_nebula_parser_is (self, P1 ('?')))
    return left;
  node = _nebula_parser_node (self, NEBULA_SYNTAX_CHOICE, left->start, self->token.start);
  node->a = left;
  if (!_nebula_parser_enter (self) || !_nebula_lexer_advance (self))
    return NULL;
  node->b = _nebula_parser_parse_expression (self);
  if (node->b == NULL ||
      !_nebula_parser_expect (self, P1 (':'),
                              _ ("A choice is written: condition ? a : b")))
    return NULL;
  node->c = _nebula_parser_parse_choice (self);
  self->depth--;
  return adopt_choice (self, node) ? node : NULL;
}

/* What stands right of `|`: a call that gets the left side as its first argument. */
static NebulaSyntax *
parse_pipe (NebulaParser *self, NebulaSyntax *left)
{
  NebulaSyntax *node;
  g_autofree char *name = NULL;
  const char *hint =
      _ ("The right side of “|” is a call: add parentheses, as in $json | keys ().");

  if (!_nebula_lexer_advance (self))
    return NULL;
  name = _nebula_parser_slice (self, self->token.start, self->token.end);
  if (self->token.kind != NEBULA_TOKEN_NAME || _nebula_parser_is_reserved (name)) {
    _nebula_parser_fail_unexpected (self, hint);
    return NULL;
  }
  node = _nebula_parser_node (self, NEBULA_SYNTAX_CALL, left->start, self->token.start);
  node->name = _nebula_parser_name (self, self->token.start, self->token.end);
  _nebula_parser_append (node, left);
  if (!_nebula_parser_adopt (self, node, left) || !_nebula_lexer_advance (self))
    return NULL;
  if (!_nebula_parser_is (self, P1 ('('))) {
    _nebula_parser_fail_unexpected (self, hint);
    return NULL;
  }
  if (!_nebula_parser_parse_arguments (self, node))
    return NULL;
  return node;
}

NebulaSyntax *
_nebula_parser_parse_expression (NebulaParser *self)
{
  NebulaSyntax *left;
  gboolean is_piped = FALSE;

  if (!_nebula_parser_enter (self))
    return NULL;
  left = _nebula_parser_parse_choice (self);
  while (left != NULL && _nebula_parser_is (self, P1 ('|'))) {
    left = parse_pipe (self, left);
    is_piped = TRUE;
  }
  self->depth--;
  if (left != NULL && is_piped &&
      (get_binary_operator (self) != NULL || _nebula_parser_is (self, P1 ('?')) ||
       _nebula_parser_is (self, P1 ('.')) || _nebula_parser_is (self, P1 ('[')))) {
    _nebula_parser_fail_unexpected (
        self, _ ("Put parentheses around the pipe: (a | f ()) + 1."));
    return NULL;
  }
  return left;
}

NebulaSyntax *
_nebula_parser_parse (NebulaParser *self)
{
  NebulaSyntax *node;

  if (!_nebula_lexer_advance (self))
    return NULL;
  if (self->token.kind == NEBULA_TOKEN_END) {
    _nebula_parser_fail (self, NEBULA_ERROR_SYNTAX, 0, NULL,
                         _ ("The expression is empty"));
    return NULL;
  }
  node = _nebula_parser_parse_expression (self);
  if (node != NULL && self->token.kind != NEBULA_TOKEN_END) {
    _nebula_parser_fail_unexpected (self, NULL);
    return NULL;
  }
  return node;
}
