/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What facts about scopes do to the state: rounds of loops, bodies of try and race, and their end.
 *
 * Cancelling is immediate where nothing has to run whatever happens. Where something has (a `finally`), the node stays
 * active, its other bodies are cancelled, and the decision about it lets run what has to; in halted lanes no token moves.
 */

#include "nebula-results-private.h"
#include "nebula-state-private.h"

static NebulaPlanNode *
get_owner (NebulaState *self, NebulaLoop *loop)
{
  return &self->plan->nodes[loop->work->node];
}

static NebulaPart
get_part (NebulaState *self, NebulaLane *lane)
{
  return self->plan->scopes[lane->scope].part;
}

static void
cancel_lane (NebulaState *self, NebulaLane *lane, gint64 time_usec)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];

  lane->active++;
  for (guint i = 0; i < scope->n_nodes; i++) {
    if (lane->runs[i].work)
      _nebula_scope_cancel_run (self, lane, &lane->runs[i], time_usec);
    lane->runs[i].arrived = 0;
    lane->runs[i].live = 0;
  }
  for (guint i = 0; i < scope->n_edges; i++) {
    if (lane->edges[i].guarded)
      lane->active -= lane->edges[i].guarded->length;
    _nebula_edge_clear (&lane->edges[i]);
  }
  lane->is_ending = 0;
  lane->is_halted = 1;
  if (--lane->active == 0)
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, lane, 0);
}

/* An end that comes from the lane itself (its failure, break, continue) stands; any other leaves it without result. */
void
_nebula_tokens_cancel_lane (NebulaState *self, NebulaLane *lane, gint64 time_usec)
{
  if (!lane->is_ending)
    lane->is_cancelled = 1;
  cancel_lane (self, lane, time_usec);
}

gboolean
_nebula_scope_ends_gently (NebulaState *self, NebulaLoop *loop)
{
  NebulaPlanNode *node = get_owner (self, loop);

  if (node->construct == NEBULA_CONSTRUCT_RACE)
    return TRUE;
  for (guint32 i = 0; i < node->n_bodies; i++) {
    NebulaPlanScope *scope = &self->plan->scopes[node->body + i];

    if (scope->unwinds || scope->part == NEBULA_PART_FINALLY)
      return TRUE;
  }
  return FALSE;
}

NebulaLane *
_nebula_scope_find_going (NebulaState *self, NebulaLoop *loop)
{
  for (NebulaLane *lane = loop->lanes; lane; lane = lane->next) {
    if (!lane->is_halted && !lane->is_ending &&
        get_part (self, lane) != NEBULA_PART_FINALLY)
      return lane;
  }
  return NULL;
}

/* Depth is bounded by that of the workflow file. */
void
_nebula_scope_cancel_run (NebulaState *self,
                          NebulaLane *lane,
                          NebulaRun *run,
                          gint64 time_usec)
{
  NebulaLoop *loop = run->work->loop;

  self->n_cancelled++;
  if (loop && loop->is_trailing && !_nebula_scope_ends_gently (self, loop)) {
    _nebula_work_free (self, run->work); /* it has completed and stays so */
    return;
  }
  if (!loop || !_nebula_scope_ends_gently (self, loop)) {
    _nebula_work_set_status (self, run->work, NEBULA_NODE_CANCELLED);
    run->ended_usec = time_usec;
    _nebula_work_free (self, run->work);
    return;
  }
  loop->is_cancelled = 1;
  loop->is_ending = TRUE;
  for (NebulaLane *body = loop->lanes; body; body = body->next) {
    if (get_part (self, body) == NEBULA_PART_FINALLY)
      continue;
    body->is_cancelled = 1;
    cancel_lane (self, body, time_usec);
  }
  _nebula_state_push_agenda (self, NEBULA_AGENDA_LOOP, lane, loop->work->node);
}

void
_nebula_apply_loop_opened (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run)
{
  NebulaConstruct construct = self->plan->nodes[fact->node].construct;
  NebulaLoop *loop;

  _nebula_work_set_status (self, run->work, NEBULA_NODE_FIRED); /* it may have waited for its retry */
  loop = _nebula_loop_new (run->work);
  loop->count = fact->number;
  loop->concurrency = MAX (fact->code, 1);
  loop->batch = MAX (fact->attempt, 1);
  loop->wants_success = construct == NEBULA_CONSTRUCT_RACE && fact->code == 1;
  loop->items = fact->value ? nebula_value_ref (fact->value) : NULL;
  if (construct == NEBULA_CONSTRUCT_FOR_EACH)
    _nebula_loop_begin_results (loop);
  run->status = NEBULA_NODE_RUNNING;
  run->attempts++;
  _nebula_state_push_agenda (self, NEBULA_AGENDA_LOOP, lane, fact->node);
}

NebulaValue *
_nebula_loop_dup_item (NebulaLoop *loop, guint32 index)
{
  gint64 at = index;

  if (!loop->items)
    return NULL;
  for (guint i = 0; loop->added && i <= loop->added->len; i++) {
    NebulaValue *items = i == 0 ? loop->items : loop->added->pdata[i - 1];
    gint64 length = _nebula_items_get_length (items);

    if (at < length)
      return _nebula_items_get_round (items, (guint32) at, 1);
    at -= length;
  }
  return _nebula_items_get_round (loop->items, index, loop->batch);
}

void
_nebula_loop_add_items (NebulaLoop *loop, NebulaValue *items)
{
  if (!loop->added)
    loop->added = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  g_ptr_array_add (loop->added, nebula_value_ref (items));
}

/* What handles a failure gets it; all other bodies get what their node got. */
static NebulaValue *
get_body_input (NebulaState *self, NebulaLoop *loop, guint32 scope)
{
  if (self->plan->scopes[scope].part == NEBULA_PART_CATCH && loop->failure)
    return nebula_value_ref (loop->failure);
  return nebula_value_ref (loop->work->input);
}

void
_nebula_apply_lane_opened (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *parent,
                           NebulaRun *run)
{
  NebulaLoop *loop = run->work->loop;
  NebulaPlanNode *node = &self->plan->nodes[fact->node];
  gboolean is_round = nebula_construct_is_loop (node->construct);
  guint32 scope = node->body + (is_round ? 0 : (guint32) fact->number);
  NebulaLane *lane = _nebula_lane_new (self, self->next_lane++, scope);

  lane->parent = parent;
  lane->loop = loop;
  lane->index = (guint32) fact->number;
  lane->item = is_round ? _nebula_loop_dup_item (loop, lane->index)
                        : get_body_input (self, loop, scope);
  lane->last = loop->last ? nebula_value_ref (loop->last) : NULL;
  lane->next = loop->lanes;
  if (loop->lanes)
    loop->lanes->previous = lane;
  loop->lanes = lane;
  loop->n_open++;
  loop->next_index = fact->number + 1;
  loop->phase = self->plan->scopes[scope].part;
  if (node->construct == NEBULA_CONSTRUCT_TRY && loop->phase == NEBULA_PART_BODY)
    loop->body_lane = lane->number;
  _nebula_tokens_seed (self, lane, fact->time_usec);
}

static void
store_result (NebulaLoop *loop, guint32 index, NebulaValue *value)
{
  _nebula_apply_set_value (&loop->last, value);
  if (loop->results)
    _nebula_results_end (loop->results, index, value);
}

/* code of a lane's end */
enum { LANE_COMPLETED, LANE_FAILED, LANE_BROKEN, LANE_CANCELLED };

static void
end_round (NebulaState *self, NebulaLane *lane, const NebulaFact *fact)
{
  NebulaLoop *loop = lane->loop;
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) collected = NULL;

  if (fact->code == LANE_COMPLETED)
    store_result (loop, lane->index, fact->value);
  else if (fact->code == LANE_FAILED &&
           get_owner (self, loop)->on_error == NEBULA_ON_ERROR_COLLECT) {
    builder = nebula_value_builder_new_object ();
    nebula_value_builder_set (builder, "error", fact->value);
    collected = nebula_value_builder_end (builder);
    store_result (loop, lane->index, collected);
  } else if (fact->code == LANE_FAILED) {
    loop->is_ending = TRUE;
    if (!loop->failure)
      loop->failure = nebula_value_ref (fact->value);
  } else if (loop->results)
    _nebula_results_end (loop->results, lane->index, NULL);
}

/* The error of a later part takes the place of the one before it. */
static void
end_part (NebulaState *self, NebulaLane *lane, const NebulaFact *fact)
{
  NebulaLoop *loop = lane->loop;
  NebulaPart part = get_part (self, lane);

  if (fact->code == LANE_FAILED)
    _nebula_apply_set_value (&loop->failure, fact->value);
  if (fact->code != LANE_COMPLETED || part == NEBULA_PART_FINALLY)
    return;
  if (part == NEBULA_PART_BODY)
    _nebula_undo_hand_over (self, lane);
  g_clear_pointer (&loop->failure, nebula_value_unref);
  _nebula_apply_set_value (&loop->last, fact->value);
}

static void
end_branch (NebulaState *self, NebulaLane *lane, const NebulaFact *fact)
{
  NebulaLoop *loop = lane->loop;

  if (loop->is_ending)
    return;
  if (fact->code == LANE_COMPLETED) {
    g_clear_pointer (&loop->failure, nebula_value_unref);
    _nebula_apply_set_value (&loop->last, fact->value);
    loop->is_ending = TRUE;
  } else if (fact->code == LANE_FAILED) {
    if (!loop->failure)
      loop->failure = nebula_value_ref (fact->value);
    loop->is_ending = !loop->wants_success;
  }
}

void
_nebula_apply_lane_closed (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run)
{
  NebulaLoop *loop = lane->loop;
  NebulaConstruct construct = get_owner (self, loop)->construct;

  loop->n_done++;
  self->recoveries = 0;
  if (nebula_construct_is_loop (construct))
    end_round (self, lane, fact);
  else if (construct == NEBULA_CONSTRUCT_RACE)
    end_branch (self, lane, fact);
  else
    end_part (self, lane, fact);
  _nebula_state_push_agenda (self, NEBULA_AGENDA_LOOP, loop->work->lane,
                             loop->work->node);
  _nebula_lane_free (self, lane);
}

void
_nebula_apply_lane_cancelled (NebulaState *self,
                              const NebulaFact *fact,
                              NebulaLane *lane,
                              NebulaRun *run)
{
  _nebula_tokens_cancel_lane (self, lane, fact->time_usec);
}

void
_nebula_apply_loop_ending (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run)
{
  NebulaLoop *loop = run->work->loop;

  loop->n_judged = loop->n_done;
  loop->is_ending = loop->is_ending || fact->code != 2;
  loop->lets_go = fact->code == 1;
  _nebula_state_push_agenda (self, NEBULA_AGENDA_LOOP, lane, fact->node);
}

void
_nebula_apply_loop_cleared (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run)
{
  _nebula_tokens_end_trailing (self, lane, fact->node, fact->time_usec);
}

void
_nebula_apply_items_added (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run)
{
  NebulaLoop *loop = run->work->loop;

  _nebula_loop_add_items (loop, fact->value);
  loop->count += _nebula_items_get_length (fact->value);
  _nebula_state_push_agenda (self, NEBULA_AGENDA_LOOP, lane, fact->node);
}
