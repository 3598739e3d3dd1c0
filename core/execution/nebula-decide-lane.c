/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about lanes: what a quiet one gives, and when it all ends. */

#include "nebula-kernel-private.h"

/* The result of a scope without `result`: that of the one last node that completed, or an object of theirs. */
static NebulaValue *
collect_last_nodes (NebulaKernel *self, NebulaLane *lane)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaValue *only = NULL;

  for (guint i = 0; i < scope->n_nodes; i++) {
    NebulaPlanNode *node = &self->plan->nodes[scope->first_node + i];

    if (!node->is_last || lane->runs[i].status != NEBULA_NODE_COMPLETED)
      continue;
    only = lane->runs[i].value;
    nebula_value_builder_set (builder, node->id, only);
  }
  if (nebula_value_builder_get_length (builder) == 1)
    return nebula_value_ref (only);
  return only ? nebula_value_builder_end (builder) : nebula_value_new_null ();
}

static NebulaValue *
get_lane_result (NebulaKernel *self, NebulaLane *lane, GError **error)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];
  NebulaScopeEnvironment environment;

  if (!scope->result)
    return collect_last_nodes (self, lane);
  _nebula_kernel_init_environment (self, &environment, lane, NULL);
  return nebula_template_evaluate (scope->result, &environment.environment, error);
}

static void
end_execution (NebulaKernel *self, NebulaExecutionStatus status, NebulaValue *value)
{
  NebulaFact fact = {.kind = NEBULA_FACT_ENDED, .node = NEBULA_PLAN_NONE, .code = status};
  g_autoptr (NebulaValue) owned =
      value ? nebula_value_ref (value) : nebula_value_new_null ();

  fact.value = owned;
  _nebula_kernel_record (self, &fact);
}

typedef enum {
  LANE_COMPLETED = 0,
  LANE_FAILED = 1,
  LANE_BROKEN = 2,
  LANE_CANCELLED = 3,
} LaneEnd;

static void
close_lane (NebulaKernel *self, NebulaLane *lane, NebulaValue *value, LaneEnd end)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LANE_CLOSED, .lane = lane->number, .node = NEBULA_PLAN_NONE};
  NebulaWork *work = lane->loop ? lane->loop->work : NULL;
  guint32 index = lane->index;

  if (!work && end == LANE_FAILED && _nebula_kernel_undo_next (self, 0))
    return;
  if (!work) {
    end_execution (self,
                   end == LANE_FAILED ? NEBULA_EXECUTION_STATUS_FAILED
                                      : NEBULA_EXECUTION_STATUS_COMPLETED,
                   value);
    return;
  }
  fact.value = value;
  fact.code = end;
  _nebula_kernel_record (self, &fact);
  _nebula_kernel_store_results (self, work, index);
}

static void
close_quiet_lane (NebulaKernel *self, NebulaLane *lane)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = NULL;
  LaneEnd end = LANE_COMPLETED;

  if (lane->is_cancelled) {
    value = nebula_value_new_null ();
    end = LANE_CANCELLED;
  } else if (lane->failure) {
    value = nebula_value_ref (lane->failure);
    end = LANE_FAILED;
  } else if (lane->is_cut) {
    value = nebula_value_new_null ();
    end = lane->is_break ? LANE_BROKEN : LANE_COMPLETED;
  } else
    value = get_lane_result (self, lane, &error);
  if (!value) {
    value = nebula_failure_new_from_error (error);
    end = LANE_FAILED;
  }
  close_lane (self, lane, value, end);
}

static void
cancel_lane (NebulaKernel *self, NebulaLane *lane)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LANE_CANCELLED, .lane = lane->number, .node = NEBULA_PLAN_NONE};

  _nebula_kernel_record (self, &fact);
}

/* The whole execution ends: what is active is cancelled, and when what has to run has run, that is it. */
static void
decide_stop (NebulaKernel *self, NebulaLane *root)
{
  NebulaState *state = self->state;
  gboolean has_completed = state->end_status == NEBULA_EXECUTION_STATUS_COMPLETED;

  if (root->active > 0 && !root->is_halted)
    cancel_lane (self, root);
  if (root->active > 0 || (!has_completed && _nebula_kernel_undo_next (self, 0)))
    return;
  end_execution (self, state->end_status,
                 has_completed ? state->output : state->error);
}

void
_nebula_kernel_decide_lane (NebulaKernel *self, NebulaLane *lane)
{
  NebulaState *state = self->state;

  if (nebula_lane_is_doomed (state, lane) && lane != state->root)
    return; /* the root's decision ends it all */
  if (state->is_stopping && lane == state->root) {
    decide_stop (self, lane);
    return;
  }
  if (lane->is_ending && lane->active > 0)
    cancel_lane (self, lane);
  if (lane->active == 0 && lane->undo > 0)
    _nebula_kernel_close_undo (self, lane);
  else if (lane->active == 0)
    close_quiet_lane (self, lane);
}
