/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What operators take and give, by kinds: the same rules as in nebula-operators.c. */

#include <glib/gi18n-lib.h>

#include "nebula-type-private.h"

#define BIT(kind)  (1u << NEBULA_VALUE_KIND_##kind)
#define NUMBER     (BIT (INTEGER) | BIT (FLOAT) | BIT (DECIMAL))
#define CONDITION  (BIT (BOOLEAN) | BIT (NULL))
#define CONTAINERS (BIT (ARRAY) | BIT (OBJECT) | BIT (STRING))

typedef struct {
  NebulaOp op;
  guint32 left;
  guint32 right;
  guint32 result; /* 0: of numbers */
} Rule;

static const Rule rules[] = {
    {NEBULA_OP_ADD, NUMBER, NUMBER, 0},
    {NEBULA_OP_ADD, BIT (STRING), BIT (STRING), BIT (STRING)},
    {NEBULA_OP_ADD, BIT (ARRAY), BIT (ARRAY), BIT (ARRAY)},
    {NEBULA_OP_ADD, BIT (TIMESTAMP), BIT (DURATION), BIT (TIMESTAMP)},
    {NEBULA_OP_ADD, BIT (DURATION), BIT (TIMESTAMP), BIT (TIMESTAMP)},
    {NEBULA_OP_ADD, BIT (DURATION), BIT (DURATION), BIT (DURATION)},
    {NEBULA_OP_SUBTRACT, NUMBER, NUMBER, 0},
    {NEBULA_OP_SUBTRACT, BIT (TIMESTAMP), BIT (DURATION), BIT (TIMESTAMP)},
    {NEBULA_OP_SUBTRACT, BIT (TIMESTAMP), BIT (TIMESTAMP), BIT (DURATION)},
    {NEBULA_OP_SUBTRACT, BIT (DURATION), BIT (DURATION), BIT (DURATION)},
    {NEBULA_OP_MULTIPLY, NUMBER, NUMBER, 0},
    {NEBULA_OP_MULTIPLY, BIT (DURATION), NUMBER, BIT (DURATION)},
    {NEBULA_OP_MULTIPLY, NUMBER, BIT (DURATION), BIT (DURATION)},
    {NEBULA_OP_DIVIDE, NUMBER, NUMBER, BIT (FLOAT) | BIT (DECIMAL)},
    {NEBULA_OP_DIVIDE, BIT (DURATION), NUMBER, BIT (DURATION)},
    {NEBULA_OP_DIVIDE, BIT (DURATION), BIT (DURATION), BIT (FLOAT)},
    {NEBULA_OP_MODULO, NUMBER, NUMBER, 0},
    {NEBULA_OP_POWER, NUMBER, NUMBER, NUMBER},
};

/* Integers give integers, a decimal a decimal, and all else floats. */
static guint32
add_numbers (guint32 left, guint32 right)
{
  guint32 kinds = 0;

  if ((left & BIT (INTEGER)) && (right & BIT (INTEGER)))
    kinds |= BIT (INTEGER);
  if ((left | right) & BIT (DECIMAL))
    kinds |= BIT (DECIMAL);
  if (((left & BIT (FLOAT)) && (right & (BIT (FLOAT) | BIT (INTEGER)))) ||
      ((right & BIT (FLOAT)) && (left & (BIT (FLOAT) | BIT (INTEGER)))))
    kinds |= BIT (FLOAT);
  return kinds;
}

static guint32
divide_numbers (guint32 left, guint32 right)
{
  guint32 kinds = (left | right) & BIT (DECIMAL);

  if ((left & ~BIT (DECIMAL)) && (right & ~BIT (DECIMAL)))
    kinds |= BIT (FLOAT);
  return kinds;
}

static guint32
apply_rule (const Rule *rule, guint32 left, guint32 right)
{
  if (!(left & rule->left) || !(right & rule->right))
    return 0;
  if (rule->result == 0)
    return add_numbers (left & NUMBER, right & NUMBER);
  if (rule->op == NEBULA_OP_DIVIDE && rule->left == NUMBER)
    return divide_numbers (left & NUMBER, right & NUMBER);
  return rule->result;
}

static const char *
get_hint (guint32 left, guint32 right)
{
  if (left == BIT (NULL) || right == BIT (NULL))
    return _ ("Give a default for null: a ?? 0.");
  if ((left == BIT (STRING) && !(right & ~NUMBER)) ||
      (right == BIT (STRING) && !(left & ~NUMBER)))
    return _ (
        "Turn one into the other: string (x) or number (x), or write \"${a}${b}\".");
  if (left == BIT (STRING) || right == BIT (STRING))
    return _ ("Turn it into text with string (x), or write \"${a}${b}\".");
  return NULL;
}

static void
report_operands (NebulaChecker *self,
                 const NebulaSyntax *node,
                 guint32 left,
                 guint32 right,
                 gboolean is_order)
{
  g_autofree char *a = _nebula_kinds_to_words (left);
  g_autofree char *b = _nebula_kinds_to_words (right);

  if (is_order)
    _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, get_hint (left, right),
                            _ ("There is no order between %s and %s"), a, b);
  else
    _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, get_hint (left, right),
                            _ ("This operator does not take %s and %s"), a, b);
}

static NebulaType
infer_arithmetic (NebulaChecker *self,
                  const NebulaSyntax *node,
                  const NebulaType *left,
                  const NebulaType *right)
{
  NebulaType type = {0};

  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (rules[i].op == (NebulaOp) node->op)
      type.kinds |= apply_rule (&rules[i], left->kinds, right->kinds);
  if (type.kinds != 0)
    return type;
  report_operands (self, node, left->kinds, right->kinds, FALSE);
  return nebula_type_any ();
}

/* Order exists within one kind; numbers are one. */
static gboolean
have_order (guint32 left, guint32 right)
{
  guint32 ordered = BIT (BOOLEAN) | BIT (STRING) | BIT (BYTES) | BIT (DATE) | BIT (TIME) |
                    BIT (TIMESTAMP) | BIT (DURATION) | BIT (ARRAY) | BIT (OBJECT) |
                    BIT (NULL) | BIT (REFERENCE);

  return (left & right & ordered) != 0 || ((left & NUMBER) && (right & NUMBER));
}

static void
check_match (NebulaChecker *self,
             const NebulaSyntax *node,
             const NebulaType *left,
             const NebulaType *right)
{
  g_autofree char *a = _nebula_kinds_to_words (left->kinds);
  g_autofree char *b = _nebula_kinds_to_words (right->kinds);

  if (!(left->kinds & BIT (STRING)) || !(right->kinds & BIT (STRING)))
    _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, NULL,
                            _ ("“=~” takes text and a regular expression, not %s and %s"),
                            a, b);
}

static void
check_in (NebulaChecker *self, const NebulaSyntax *node, const NebulaType *right)
{
  g_autofree char *words = _nebula_kinds_to_words (right->kinds);

  if (!(right->kinds & CONTAINERS))
    _nebula_checker_report (
        self, node->b, NEBULA_ERROR_TYPE,
        right->kinds == BIT (NULL) ? _ ("Give a default for null: x in (a ?? []).") : NULL,
        _ ("Only an array, an object or text can contain something, not %s"), words);
}

NebulaType
_nebula_checker_infer_binary (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType left = _nebula_checker_infer (self, node->a);
  NebulaType right = _nebula_checker_infer (self, node->b);

  if (node->op <= NEBULA_OP_POWER)
    return infer_arithmetic (self, node, &left, &right);
  if (node->op >= NEBULA_OP_LESS && node->op <= NEBULA_OP_GREATER_EQUAL &&
      !have_order (left.kinds, right.kinds))
    report_operands (self, node, left.kinds, right.kinds, TRUE);
  else if (node->op == NEBULA_OP_MATCH)
    check_match (self, node, &left, &right);
  else if (node->op == NEBULA_OP_IN)
    check_in (self, node, &right);
  return nebula_type_from_kind (NEBULA_VALUE_KIND_BOOLEAN);
}

void
_nebula_checker_check_condition (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType type = _nebula_checker_infer (self, node);
  g_autofree char *words = NULL;

  if (type.kinds & CONDITION)
    return;
  words = _nebula_kinds_to_words (type.kinds);
  _nebula_checker_report (self, node, NEBULA_ERROR_TYPE,
                          _ ("Compare it with something, as in x != 0 or length (x) > 0."),
                          _ ("A condition is a boolean, not %s"), words);
}

NebulaType
_nebula_checker_infer_unary (NebulaChecker *self, const NebulaSyntax *node)
{
  NebulaType type;
  g_autofree char *words = NULL;

  if (node->op == NEBULA_OP_NOT) {
    _nebula_checker_check_condition (self, node->a);
    return nebula_type_from_kind (NEBULA_VALUE_KIND_BOOLEAN);
  }
  type = _nebula_checker_infer (self, node->a);
  if (type.kinds & (NUMBER | BIT (DURATION)))
    return (NebulaType){.kinds = type.kinds & (NUMBER | BIT (DURATION))};
  words = _nebula_kinds_to_words (type.kinds);
  _nebula_checker_report (self, node, NEBULA_ERROR_TYPE, NULL,
                          _ ("Only a number has a negative, not %s"), words);
  return nebula_type_any ();
}
