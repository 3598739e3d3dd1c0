/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Undoing. What a node needs to be undone is evaluated when it completes, because its lane may be gone when it is
 * undone. When the execution fails or is cancelled, or the body of a try does, what was kept is undone one after the
 * other, the last first; one that fails does not stop the others.
 */

#include "nebula-kernel-private.h"

/* {with, input}, or NULL with error. */
static NebulaValue *
evaluate_undo (NebulaKernel *self, NebulaWork *work, NebulaValue *result, GError **error)
{
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  NebulaPlanNode *undo =
      &self->plan->nodes[self->plan->scopes[node->undo].first_node];
  NebulaWork ended = {.lane = work->lane,
                      .node = work->node,
                      .firing = work->firing,
                      .input = result};
  NebulaScopeEnvironment environment;
  g_autoptr (NebulaValue) parameters = NULL;
  g_autoptr (NebulaValueBuilder) builder = NULL;

  _nebula_kernel_init_environment (self, &environment, work->lane, &ended);
  environment.result = result;
  parameters = nebula_template_evaluate (undo->with, &environment.environment, error);
  if (!parameters ||
      (!nebula_template_is_constant (undo->with) &&
       !nebula_parameter_table_validate (nebula_action_info_get_parameters (undo->info),
                                         parameters, NULL, error)))
    return NULL;
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set (builder, "with", parameters);
  nebula_value_builder_set (builder, "input", result);
  return nebula_value_builder_end (builder);
}

static void
keep_undo (NebulaKernel *self, NebulaWork *work, NebulaValue *result)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_UNDO_KEPT, .lane = work->lane->number, .node = work->node};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = evaluate_undo (self, work, result, &error);

  if (!value) {
    value = nebula_failure_new_from_error (error);
    fact.code = 1;
  }
  fact.value = value;
  _nebula_kernel_record (self, &fact);
}

void
_nebula_kernel_record_end (NebulaKernel *self, NebulaWork *work, NebulaFact *fact)
{
  NebulaPlanNode *node = &self->plan->nodes[work->node];

  if (node->undo != NEBULA_PLAN_NONE && !node->disabled)
    keep_undo (self, work, fact->value);
  _nebula_kernel_record (self, fact);
}

static void
close_undo (NebulaKernel *self, guint32 lane, guint number, NebulaValue *failure)
{
  NebulaFact fact = {.kind = NEBULA_FACT_UNDO_CLOSED,
                     .lane = lane,
                     .node = NEBULA_PLAN_NONE,
                     .number = number,
                     .code = failure ? 1 : 0};
  g_autoptr (NebulaValue) owned = failure ? nebula_value_ref (failure) : NULL;

  fact.value = owned;
  _nebula_kernel_record (self, &fact);
}

gboolean
_nebula_kernel_undo_next (NebulaKernel *self, guint32 owner)
{
  GPtrArray *undos = self->state->undos;
  NebulaFact fact = {.kind = NEBULA_FACT_UNDO_OPENED, .node = NEBULA_PLAN_NONE};

  for (guint i = undos ? undos->len : 0; i > 0; i--) {
    NebulaUndo *undo = undos->pdata[i - 1];

    if (undo->owner != owner || undo->status >= NEBULA_UNDO_DONE)
      continue;
    if (undo->status == NEBULA_UNDO_RUNNING)
      return TRUE;
    if (!undo->parameters) {
      close_undo (self, 0, i - 1, undo->failure);
      continue;
    }
    fact.number = i - 1;
    _nebula_kernel_record (self, &fact);
    return TRUE;
  }
  return FALSE;
}

void
_nebula_kernel_close_undo (NebulaKernel *self, NebulaLane *lane)
{
  NebulaRun *run = &lane->runs[0];

  close_undo (self, lane->number, lane->undo - 1,
              run->status == NEBULA_NODE_FAILED ? run->value : NULL);
}
