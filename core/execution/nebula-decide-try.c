/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about bodies that are no rounds: flow.try and flow.race. */

#include "nebula-kernel-private.h"

static NebulaPlanNode *
get_node (NebulaKernel *self, NebulaWork *work)
{
  return &self->plan->nodes[work->node];
}

static void
open_scopes (NebulaKernel *self, NebulaWork *work, guint32 code)
{
  NebulaFact fact = {.kind = NEBULA_FACT_LOOP_OPENED,
                     .lane = work->lane->number,
                     .node = work->node,
                     .code = code};

  fact.number = get_node (self, work)->n_bodies;
  _nebula_kernel_record (self, &fact);
}

static void
open_scope (NebulaKernel *self, NebulaWork *work, guint32 scope)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LANE_OPENED, .lane = work->lane->number, .node = work->node};

  fact.number = scope - get_node (self, work)->body;
  _nebula_kernel_record (self, &fact);
}

/* A try opens its body, a race all of them. */
void
_nebula_kernel_open_bodies (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaPlanNode *node = get_node (self, work);
  gboolean is_race = node->construct == NEBULA_CONSTRUCT_RACE;
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);

  if (!parameters) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  open_scopes (self, work,
               nebula_value_get_member_boolean (parameters, "success", FALSE) ? 1 : 0);
  for (guint32 i = 0; i < (is_race ? node->n_bodies : 1); i++)
    open_scope (self, work, node->body + i);
}

static void
end_cancelled (NebulaKernel *self, NebulaWork *work)
{
  g_autoptr (NebulaValue) failure =
      work->loop->failure ? nebula_value_ref (work->loop->failure) : NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_NODE_CANCELLED,
                     .lane = work->lane->number,
                     .node = work->node,
                     .value = failure};

  _nebula_kernel_record (self, &fact);
}

static void
end_bodies (NebulaKernel *self, NebulaWork *work)
{
  NebulaLoop *loop = work->loop;
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  g_autoptr (NebulaValue) value = NULL;

  if (_nebula_kernel_is_too_large (self, loop->failure))
    return;
  if (loop->is_trailing) {
    _nebula_kernel_clear_loop (self, work);
    return;
  }
  if (loop->is_cancelled) {
    end_cancelled (self, work);
    return;
  }
  if (loop->failure) {
    value = nebula_value_ref (loop->failure);
    _nebula_kernel_fail (self, work, run->attempts, value);
    return;
  }
  value = loop->last ? nebula_value_ref (loop->last) : nebula_value_new_null ();
  if (!_nebula_kernel_is_too_large (self, value))
    _nebula_kernel_end_node (self, work, 0, NULL, value);
}

static void
decide_try (NebulaKernel *self, NebulaWork *work)
{
  NebulaLoop *loop = work->loop;
  guint32 handler = nebula_plan_find_part (self->plan, work->node, NEBULA_PART_CATCH);
  guint32 last = nebula_plan_find_part (self->plan, work->node, NEBULA_PART_FINALLY);

  if (loop->n_open > 0)
    return;
  if ((loop->is_cancelled || loop->failure) && loop->phase == NEBULA_PART_BODY &&
      _nebula_kernel_undo_next (self, loop->body_lane))
    return;
  if (!loop->is_cancelled && loop->failure && loop->phase == NEBULA_PART_BODY &&
      handler != NEBULA_PLAN_NONE)
    open_scope (self, work, handler);
  else if (loop->phase != NEBULA_PART_FINALLY && last != NEBULA_PLAN_NONE)
    open_scope (self, work, last);
  else
    end_bodies (self, work);
}

void
_nebula_kernel_decide_bodies (NebulaKernel *self, NebulaWork *work)
{
  if (get_node (self, work)->construct == NEBULA_CONSTRUCT_TRY)
    decide_try (self, work);
  else if (_nebula_kernel_end_rest (self, work))
    end_bodies (self, work);
}

gboolean
_nebula_kernel_end_rest (NebulaKernel *self, NebulaWork *work)
{
  NebulaLoop *loop = work->loop;
  NebulaLane *lane;

  if (!loop->is_ending)
    return loop->n_open == 0;
  if (!_nebula_scope_ends_gently (self->state, loop))
    return TRUE;
  while ((lane = _nebula_scope_find_going (self->state, loop))) {
    NebulaFact fact = {.kind = NEBULA_FACT_LANE_CANCELLED,
                       .lane = lane->number,
                       .node = NEBULA_PLAN_NONE};

    _nebula_kernel_record (self, &fact);
  }
  return loop->n_open == 0;
}
