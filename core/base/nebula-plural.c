/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plural rules of gettext: C expressions over n. They have no side effects, so both sides of `?:`, `&&` and `||`
 * are evaluated and the result is chosen; division by zero gives 0.
 */
#include <string.h>

#include "nebula-mo-private.h"

#define NESTING_MAX 24

typedef enum
{
  OP_N,
  OP_NUMBER,
  OP_NOT,
  OP_CHOOSE,
  OP_OR,
  OP_AND,
  OP_EQUAL,
  OP_DIFFERENT,
  OP_LESS_EQUAL,
  OP_GREATER_EQUAL,
  OP_LESS,
  OP_GREATER,
  OP_ADD,
  OP_SUBTRACT,
  OP_MULTIPLY,
  OP_DIVIDE,
  OP_REMAINDER,
} Op;

typedef struct
{
  const char *text;
  guint8 op;
  guint8 level; /* binds tighter the higher */
} Operator;

/* Longer texts before those that they begin with. */
static const Operator operators[] = {
  { "||", OP_OR, 1 },        { "&&", OP_AND, 2 },          { "==", OP_EQUAL, 3 },   { "!=", OP_DIFFERENT, 3 },
  { "<=", OP_LESS_EQUAL, 4 }, { ">=", OP_GREATER_EQUAL, 4 }, { "<", OP_LESS, 4 },     { ">", OP_GREATER, 4 },
  { "+", OP_ADD, 5 },        { "-", OP_SUBTRACT, 5 },      { "*", OP_MULTIPLY, 6 }, { "/", OP_DIVIDE, 6 },
  { "%", OP_REMAINDER, 6 },
};

typedef struct
{
  const char *at;
  NebulaPlural *plural;
  guint nesting;
  guint height; /* of the stack when the steps so far have run */
} Parser;

static gboolean parse_choice (Parser *parser);

static void
skip_space (Parser *parser)
{
  while (g_ascii_isspace (*parser->at))
    parser->at++;
}

static gboolean
add_step (Parser *parser, Op op, guint32 number)
{
  if (parser->plural->n_steps == NEBULA_PLURAL_STEPS)
    return FALSE;
  if (op <= OP_NUMBER)
    parser->height++;
  else if (op >= OP_OR)
    parser->height--;
  else if (op == OP_CHOOSE)
    parser->height -= 2;
  parser->plural->steps[parser->plural->n_steps++] = (NebulaPluralStep){ .op = (guint8) op, .number = number };
  return parser->height <= NEBULA_PLURAL_STACK;
}

static gboolean
parse_number (Parser *parser)
{
  guint64 number = 0;

  for (; g_ascii_isdigit (*parser->at); parser->at++) {
    number = number * 10 + (guint64) (*parser->at - '0');
    if (number > G_MAXUINT32)
      return FALSE;
  }
  return add_step (parser, OP_NUMBER, (guint32) number);
}

static gboolean
parse_primary (Parser *parser)
{
  skip_space (parser);
  if (*parser->at == 'n') {
    parser->at++;
    return add_step (parser, OP_N, 0);
  }
  if (g_ascii_isdigit (*parser->at))
    return parse_number (parser);
  if (parser->nesting >= NESTING_MAX)
    return FALSE;
  parser->nesting++;
  if (*parser->at == '!') {
    parser->at++;
    if (!parse_primary (parser) || !add_step (parser, OP_NOT, 0))
      return FALSE;
  } else {
    if (*parser->at++ != '(' || !parse_choice (parser))
      return FALSE;
    skip_space (parser);
    if (*parser->at++ != ')')
      return FALSE;
  }
  parser->nesting--;
  return TRUE;
}

static const Operator *
peek_operator (Parser *parser)
{
  skip_space (parser);
  for (gsize i = 0; i < G_N_ELEMENTS (operators); i++)
    if (g_str_has_prefix (parser->at, operators[i].text))
      return &operators[i];
  return NULL;
}

static gboolean
parse_binary (Parser *parser, guint level)
{
  const Operator *found = NULL;

  if (!parse_primary (parser))
    return FALSE;
  while ((found = peek_operator (parser)) != NULL && found->level >= level) {
    parser->at += strlen (found->text);
    if (!parse_binary (parser, found->level + 1U) || !add_step (parser, (Op) found->op, 0))
      return FALSE;
  }
  return TRUE;
}

static gboolean
parse_choice (Parser *parser)
{
  if (!parse_binary (parser, 1))
    return FALSE;
  skip_space (parser);
  if (*parser->at != '?')
    return TRUE;
  if (++parser->nesting > NESTING_MAX)
    return FALSE;
  parser->at++;
  if (!parse_choice (parser))
    return FALSE;
  skip_space (parser);
  if (*parser->at++ != ':' || !parse_choice (parser))
    return FALSE;
  parser->nesting--;
  return add_step (parser, OP_CHOOSE, 0);
}

gboolean
_nebula_plural_compile (NebulaPlural *self, const char *rule)
{
  const char *count = strstr (rule, "nplurals="), *expression = strstr (rule, "plural=");
  Parser parser = { .plural = self };

  self->n_steps = 0;
  if (!count || !expression || !g_ascii_isdigit (count[9]))
    return FALSE;
  self->n_forms = (guint) g_ascii_strtoull (count + 9, NULL, 10);
  if (self->n_forms < 1 || self->n_forms > 16)
    return FALSE;
  parser.at = expression + strlen ("plural=");
  if (!parse_choice (&parser))
    return FALSE;
  skip_space (&parser);
  return *parser.at == ';' || *parser.at == '\0' || *parser.at == '\n';
}

static guint64
apply (Op op, guint64 a, guint64 b)
{
  switch (op) {
  case OP_OR:
    return a || b;
  case OP_AND:
    return a && b;
  case OP_EQUAL:
    return a == b;
  case OP_DIFFERENT:
    return a != b;
  case OP_LESS_EQUAL:
    return a <= b;
  case OP_GREATER_EQUAL:
    return a >= b;
  case OP_LESS:
    return a < b;
  case OP_GREATER:
    return a > b;
  case OP_ADD:
    return a + b;
  case OP_SUBTRACT:
    return a - b;
  case OP_MULTIPLY:
    return a * b;
  case OP_DIVIDE:
    return b ? a / b : 0;
  case OP_REMAINDER:
    return b ? a % b : 0;
  case OP_N:
  case OP_NUMBER:
  case OP_NOT:
  case OP_CHOOSE:
  default:
    g_assert_not_reached ();
  }
}

guint
_nebula_plural_choose (const NebulaPlural *self, gulong number)
{
  guint64 stack[NEBULA_PLURAL_STACK + 1] = { 0 };
  guint height = 0;

  for (guint i = 0; i < self->n_steps; i++) {
    const NebulaPluralStep *step = &self->steps[i];

    if (step->op <= OP_NUMBER) {
      stack[height++] = step->op == OP_N ? number : step->number;
    } else if (step->op == OP_NOT) {
      stack[height - 1] = !stack[height - 1];
    } else if (step->op == OP_CHOOSE) {
      height -= 2;
      stack[height - 1] = stack[height - 1] ? stack[height] : stack[height + 1];
    } else {
      height--;
      stack[height - 1] = apply ((Op) step->op, stack[height - 1], stack[height]);
    }
  }
  return stack[0] < self->n_forms ? (guint) stack[0] : 0;
}
