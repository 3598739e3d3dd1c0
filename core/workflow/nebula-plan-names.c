/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names that the parameters of a node may use, for completion and hover. */

#include "nebula-plan-names.h"

#include <string.h>

#include "nebula-plan-internal.h"

#define RESULTS_DEPTH 8 /* nodes that pass on what another gave */

static const char *const names[] = {"env",   "execution", "now",  "tenant",
                                    "today", "trigger",   "user", "workflow"};

static NebulaValue *get_result_schema (NebulaPlan *self, guint32 node, guint depth);

static NebulaValue *
get_input_schema (NebulaPlan *self)
{
  return nebula_value_get_member (self->definition, "input");
}

/* What a node finds in $json: borrowed; NULL: not known. */
static NebulaValue *
get_json_schema (NebulaPlan *self, guint32 node, guint depth)
{
  const NebulaPlanNode *place = &self->nodes[node];
  const NebulaPlanEdge *edge;

  if (place->n_in > 1)
    return NULL;
  if (place->n_in == 0)
    return self->scopes[place->scope].owner == NEBULA_PLAN_NONE ? get_input_schema (self)
                                                                : NULL;
  edge = &self->edges[self->in_edges[place->first_in]];
  return g_strcmp0 (edge->port, "error") == 0
             ? NULL
             : get_result_schema (self, edge->from, depth);
}

static NebulaValue *
get_result_schema (NebulaPlan *self, guint32 node, guint depth)
{
  const NebulaPlanNode *place = &self->nodes[node];
  NebulaValue *result =
      place->info != NULL ? nebula_action_info_get_result (place->info) : NULL;

  if (place->disabled || result == NULL || depth == 0)
    return NULL;
  if (nebula_value_get_kind (result) != NEBULA_VALUE_KIND_STRING)
    return result;
  return strcmp (nebula_value_get_string (result), "input") == 0
             ? get_json_schema (self, node, depth - 1)
             : NULL;
}

static void
add_node (NebulaPlan *self, guint32 node, NebulaExpressionScope *scope)
{
  const NebulaPlanNode *place = &self->nodes[node];

  nebula_expression_scope_add_node (
      scope, place->id, get_result_schema (self, node, RESULTS_DEPTH),
      place->info != NULL ? nebula_action_info_get_title (place->info) : NULL);
}

/* Who ended before @node began: along the connections, backwards. */
static void
add_predecessors (NebulaPlan *self, guint32 node, NebulaExpressionScope *scope)
{
  g_autofree guint8 *seen = g_new0 (guint8, self->n_nodes);
  g_autoptr (GArray) queue = g_array_new (FALSE, FALSE, sizeof (guint32));

  seen[node] = TRUE;
  g_array_append_val (queue, node);
  for (guint i = 0; i < queue->len; i++) {
    guint32 at = g_array_index (queue, guint32, i);
    const NebulaPlanNode *place = &self->nodes[at];

    if (i > 0)
      add_node (self, at, scope);
    for (guint32 j = 0; j < place->n_in; j++) {
      guint32 from = self->edges[self->in_edges[place->first_in + j]].from;

      if (!seen[from])
        g_array_append_val (queue, from);
      seen[from] = TRUE;
    }
  }
}

/* The loops and the handlers around a node, from the inside. */
static void
add_surroundings (NebulaPlan *self, guint32 node, NebulaExpressionScope *scope)
{
  gboolean is_in_loop = FALSE, is_handler = FALSE;
  guint32 at = self->nodes[node].scope;

  for (; self->scopes[at].owner != NEBULA_PLAN_NONE; at = self->scopes[at].parent) {
    const NebulaPlanNode *owner = &self->nodes[self->scopes[at].owner];

    add_predecessors (self, self->scopes[at].owner, scope);
    is_handler |= self->scopes[at].part == NEBULA_PART_CATCH ||
                  self->scopes[at].part == NEBULA_PART_FINALLY;
    if (!nebula_construct_is_loop (owner->construct))
      continue;
    is_in_loop = TRUE;
    nebula_expression_scope_add_loop (scope, owner->id, NULL);
  }
  if (is_in_loop) {
    nebula_expression_scope_add_variable (scope, "item", NULL, NULL);
    nebula_expression_scope_add_variable (scope, "index", NULL, NULL);
  }
  if (is_handler)
    nebula_expression_scope_add_variable (scope, "error", NULL, NULL);
}

/**
 * nebula_plan_describe_names:
 * @self: a plan
 * @node_id: the id of a node; of several with one id in different bodies it is one of them
 *
 * Tells what the parameters of a node may name: the names of the language, the input of the workflow with its schema, the
 * variables, the nodes that come before with the results that their actions declare, and the loops around.
 *
 * Thread: any.
 *
 * Returns: (transfer full) (nullable): what nebula_expression_complete() and nebula_expression_hover() want to know, or
 *   %NULL if there is no such node
 *
 * Since: 1.0
 */
NebulaExpressionScope *
nebula_plan_describe_names (NebulaPlan *self, const char *node_id)
{
  g_autoptr (NebulaExpressionScope) scope = NULL;
  g_autoptr (NebulaValue) examples = NULL;
  g_autoptr (NebulaValue) variables = NULL;
  guint32 node;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (node_id != NULL, NULL);

  node = GPOINTER_TO_UINT (g_hash_table_lookup (self->node_index, node_id));
  if (node-- == 0)
    return NULL;
  scope = nebula_expression_scope_new ();
  nebula_expression_scope_add_variable (
      scope, "json", get_json_schema (self, node, RESULTS_DEPTH), NULL);
  nebula_expression_scope_add_variable (scope, "input", get_input_schema (self), NULL);
  examples = nebula_value_new_array (&self->variables, 1);
  variables = nebula_json_schema_infer (examples);
  nebula_expression_scope_add_variable (scope, "vars", variables, NULL);
  add_predecessors (self, node, scope);
  add_surroundings (self, node, scope);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    nebula_expression_scope_add_variable (scope, names[i], NULL, NULL);
  return g_steal_pointer (&scope);
}
