/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of expressions, set once when a program starts. */

#include "nebula-expression-limits.h"

#include "nebula-limits.h"

static const NebulaExpressionLimits defaults = {
    .fuel = NEBULA_LIMIT_FUEL,
    .memory_bytes = NEBULA_LIMIT_EVALUATION_BYTES,
    .output_bytes = NEBULA_LIMIT_OUTPUT_BYTES,
    .depth = NEBULA_LIMIT_EXPRESSION_DEPTH,
    .characters = NEBULA_LIMIT_EXPRESSION_BYTES,
    .time_usec = NEBULA_LIMIT_EVALUATION_USEC,
};

/* Limits that were set live for ever, since evaluations on other threads may still read them. */
typedef struct _Node Node;
struct _Node {
  NebulaExpressionLimits limits;
  Node *before;
};

static Node *newest;

/**
 * nebula_expression_limits_get: (skip)
 *
 * Gets the limits that hold now. An evaluation keeps those with which it began.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the limits; they are never freed
 *
 * Since: 1.0
 */
const NebulaExpressionLimits *
nebula_expression_limits_get (void)
{
  const Node *node = g_atomic_pointer_get (&newest);

  return node != NULL ? &node->limits : &defaults;
}

/**
 * nebula_expression_limits_get_default: (skip)
 *
 * Gets the limits that hold where nothing is configured.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the limits
 *
 * Since: 1.0
 */
const NebulaExpressionLimits *
nebula_expression_limits_get_default (void)
{
  return &defaults;
}

/**
 * nebula_expression_limits_set: (skip)
 * @limits: (nullable): the limits, copied; %NULL for the defaults
 *
 * Sets the limits of all expressions in this process. For programs, when they start: an execution that is taken up with
 * tighter limits may fail where it did not before.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_expression_limits_set (const NebulaExpressionLimits *limits)
{
  Node *node = g_new0 (Node, 1);

  node->limits = limits != NULL ? *limits : defaults;
  node->limits.depth = CLAMP (node->limits.depth, 1, NEBULA_EXPRESSION_DEPTH_MAX);
  do
    node->before = g_atomic_pointer_get (&newest);
  while (!g_atomic_pointer_compare_and_exchange (&newest, node->before, node));
}
