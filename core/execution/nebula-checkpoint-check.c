/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel relies on in a state, and must not believe a checkpoint without looking. */

#include "nebula-checkpoint-private.h"
#include "nebula-results-private.h"

gboolean
_nebula_checkpoint_is_object (NebulaValue *value)
{
  return value && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
}

static gboolean
is_list (NebulaValue *value, NebulaValueKind kind)
{
  if (!value)
    return TRUE;
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (nebula_value_get_kind (nebula_value_get_item (value, i)) != kind)
      return FALSE;
  return TRUE;
}

/* What it waits for must be there. */
gboolean
_nebula_checkpoint_accepts_work (const NebulaWork *work, NebulaNodeStatus status)
{
  if (work->wait > NEBULA_WAIT_LAST || !is_list (work->answers, NEBULA_VALUE_KIND_OBJECT) ||
      (work->is_held && !work->hold) || (work->hold && work->lock))
    return FALSE;
  if (status != NEBULA_NODE_WAITING)
    return TRUE;
  switch ((NebulaWait) work->wait) {
  case NEBULA_WAIT_CHILD:
    return work->other && _nebula_checkpoint_is_object (work->request);
  case NEBULA_WAIT_EXECUTION:
    return work->other != NULL;
  case NEBULA_WAIT_APPROVAL:
    return _nebula_checkpoint_is_object (work->request);
  case NEBULA_WAIT_GATE:
    return work->hold != NULL;
  case NEBULA_WAIT_DURATION:
  case NEBULA_WAIT_UNTIL:
  case NEBULA_WAIT_SIGNAL:
  case NEBULA_WAIT_TOKEN:
  case NEBULA_WAIT_AGAIN:
  case NEBULA_WAIT_UNKNOWN:
  case NEBULA_WAIT_LOCK:
  default:
    return TRUE;
  }
}

gboolean
_nebula_checkpoint_accepts_state (const NebulaState *state)
{
  if (!is_list (state->watchers, NEBULA_VALUE_KIND_STRING) ||
      !is_list (state->tokens, NEBULA_VALUE_KIND_STRING) ||
      !is_list (state->gates, NEBULA_VALUE_KIND_STRING))
    return FALSE;
  if (state->status > NEBULA_EXECUTION_STATUS_TIMED_OUT ||
      state->end_status > NEBULA_EXECUTION_STATUS_TIMED_OUT || state->next_lane == 0 ||
      state->next_lane > G_MAXINT32)
    return FALSE;
  if (state->gate > NEBULA_AT_GATE_LAST || (state->gate > 0 && !state->gate_key) ||
      (state->gate == NEBULA_AT_GATE_BATCHED && !state->batch) ||
      (state->started && !_nebula_checkpoint_is_object (state->started)))
    return FALSE;
  if ((state->given && !_nebula_checkpoint_is_object (state->given)) ||
      (state->breaks && !_nebula_checkpoint_is_object (state->breaks)))
    return FALSE;
  if (state->is_stopping && !nebula_execution_status_is_terminal (state->end_status))
    return FALSE;
  return (state->sequence > 0) == (state->started != NULL);
}

/* What a node may be doing: bodies run in a loop, and what the kernel itself does is no attempt. */
static gboolean
accepts_activity (const NebulaPlanNode *node, NebulaNodeStatus status)
{
  if (node->body != NEBULA_PLAN_NONE)
    return status != NEBULA_NODE_READY;
  if (status != NEBULA_NODE_READY && status != NEBULA_NODE_RUNNING)
    return TRUE;
  return node->construct == NEBULA_CONSTRUCT_NONE;
}

gboolean
_nebula_checkpoint_accepts_run (const NebulaPlanNode *node, const NebulaRun *run)
{
  switch ((NebulaNodeStatus) run->status) {
  case NEBULA_NODE_COMPLETED:
    if (run->is_trailing && !nebula_construct_is_loop (node->construct))
      return FALSE;
    return run->value && (!run->by_port || _nebula_checkpoint_is_object (run->value));
  case NEBULA_NODE_FAILED:
  case NEBULA_NODE_RETRYING:
    return _nebula_checkpoint_is_object (run->value) && !run->is_trailing;
  case NEBULA_NODE_PENDING:
  case NEBULA_NODE_FIRED:
  case NEBULA_NODE_READY:
  case NEBULA_NODE_RUNNING:
  case NEBULA_NODE_WAITING:
  case NEBULA_NODE_SKIPPED:
  case NEBULA_NODE_CANCELLED:
    return accepts_activity (node, run->status) && !run->is_trailing;
  default:
    return FALSE;
  }
}

/* What is counted must be there: joins take what they count. */
gboolean
_nebula_checkpoint_accepts_tokens (NebulaPlan *plan, NebulaLane *lane, guint32 node)
{
  NebulaPlanNode *plan_node = &plan->nodes[node];
  NebulaRun *run = &lane->runs[node - plan->scopes[lane->scope].first_node];
  guint32 first_edge = plan->scopes[lane->scope].first_edge;
  guint32 n_arrived = 0;
  guint32 n_live = 0;

  if (plan_node->need == NEBULA_JOIN_EACH)
    return TRUE; /* it takes one by one, and counts what ever came */
  for (guint i = 0; i < plan_node->n_in; i++) {
    NebulaEdgeState *edge =
        &lane->edges[plan->in_edges[plan_node->first_in + i] - first_edge];

    n_arrived += edge->n_tokens > 0;
    n_live += edge->n_tokens > 0 && edge->first;
  }
  return run->arrived == n_arrived && run->live == n_live;
}

gboolean
_nebula_checkpoint_accepts_items (const NebulaLoop *loop)
{
  gint64 length = _nebula_items_get_length (loop->items);
  gint64 n_rounds;

  if (loop->batch == 0)
    return FALSE;
  if (length < 0 || loop->count < 0)
    return FALSE;
  n_rounds = length / loop->batch + (length % loop->batch > 0 ? 1 : 0);
  for (guint i = 0; loop->added && i < loop->added->len; i++)
    n_rounds += _nebula_items_get_length (loop->added->pdata[i]);
  return loop->count <= n_rounds;
}

gboolean
_nebula_checkpoint_accepts_loop (const NebulaPlanNode *node, const NebulaLoop *loop)
{
  gboolean is_for_each = node->construct == NEBULA_CONSTRUCT_FOR_EACH;

  if (loop->concurrency == 0 || loop->batch == 0 || loop->n_done < 0 ||
      loop->n_done > loop->next_index || loop->next_index > MAX (loop->count, 0))
    return FALSE;
  if ((loop->failure && !_nebula_checkpoint_is_object (loop->failure)) || loop->phase > NEBULA_PART_BRANCH ||
      is_for_each != (loop->items != NULL))
    return FALSE;
  if (!nebula_construct_is_loop (node->construct) &&
      loop->count != (gint64) node->n_bodies)
    return FALSE;
  return TRUE;
}

gboolean
_nebula_checkpoint_accepts_undo (const NebulaUndo *undo)
{
  if (!undo->path || (undo->failure && !_nebula_checkpoint_is_object (undo->failure)))
    return FALSE;
  if (undo->status == NEBULA_UNDO_KEPT && !undo->parameters && !undo->failure)
    return FALSE;
  return !undo->parameters || undo->input;
}
