/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How tokens move. All of it follows mechanically from facts: nothing is evaluated here.
 *
 * A node that ends puts a live token on the connections that its port chooses and a skip on the others. A node fires
 * when its join is satisfied; a node that gets skips only is skipped itself and passes skips on (dead-path elimination),
 * so that no join waits for a branch that will not come. The propagation of skips is a loop over a work list, because
 * a path may be a million nodes long. Nodes of a cycle send no skips: see nebula-cycles.c.
 */

#include "nebula-state-private.h"

static void
join_check (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec);

static NebulaEdgeState *
get_edge (NebulaState *self, NebulaLane *lane, guint32 edge)
{
  return &lane->edges[edge - self->plan->scopes[lane->scope].first_edge];
}

static guint32
get_in_edge (NebulaState *self, guint32 node, guint32 index)
{
  return self->plan->in_edges[self->plan->nodes[node].first_in + index];
}

void
_nebula_edge_push (NebulaEdgeState *edge, NebulaValue *value)
{
  if (value)
    nebula_value_ref (value);
  if (edge->n_tokens++ == 0) {
    edge->first = value;
    return;
  }
  if (!edge->more)
    edge->more = g_queue_new ();
  g_queue_push_tail (edge->more, value ? (gpointer) value : (gpointer) edge);
}

/* Takes the oldest token: its value, or NULL for a skip. */
static NebulaValue *
edge_pop (NebulaEdgeState *edge)
{
  NebulaValue *value = g_steal_pointer (&edge->first);
  gpointer next;

  if (--edge->n_tokens > 0) {
    next = g_queue_pop_head (edge->more);
    edge->first = next == (gpointer) edge ? NULL : next;
  }
  return value;
}

static void
fire (NebulaState *self,
      NebulaLane *lane,
      guint32 node,
      NebulaValue *input,
      NebulaValue *inputs,
      gint64 time_usec)
{
  NebulaRun *run = nebula_lane_get_run (self, lane, node);
  NebulaWork *work;

  run->firing++;
  run->order = ++self->n_firings;
  run->attempts = 0;
  run->port = NULL;
  run->by_port = 0;
  run->ready_usec = time_usec;
  run->ended_usec = 0;
  run->status = NEBULA_NODE_FIRED;
  work = _nebula_work_new (self, lane, node);
  work->input = nebula_value_ref (input);
  work->inputs = inputs ? nebula_value_ref (inputs) : NULL;
  _nebula_state_push_agenda (self, NEBULA_AGENDA_NODE, lane, node);
}

void
_nebula_tokens_seed (NebulaState *self, NebulaLane *lane, gint64 time_usec)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];
  g_autoptr (NebulaValue) input = NULL;

  if (lane->number > 0)
    input = lane->item ? nebula_value_ref (lane->item) : nebula_value_new_null ();
  else
    input = nebula_value_ref (self->input);
  for (guint i = 0; i < scope->n_nodes; i++) {
    if (self->plan->nodes[scope->first_node + i].n_in == 0)
      fire (self, lane, scope->first_node + i, input, NULL, time_usec);
  }
  if (lane->active == 0)
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, lane, 0);
}

/* The join gave up on this generation: the node is skipped, and so is what only it leads to. */
static void
skip (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  run->status = NEBULA_NODE_SKIPPED;
  run->ready_usec = time_usec;
  run->ended_usec = time_usec;
  g_clear_pointer (&run->value, nebula_value_unref);
  g_array_append_val (self->worklist, node);
}

/* Fires with the live tokens that stand first on the incoming edges. */
static void
fire_with_tokens (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) inputs = NULL;
  NebulaValue *only = NULL;

  if (plan_node->n_in == 1) {
    only = get_edge (self, lane, get_in_edge (self, node, 0))->first;
    fire (self, lane, node, only, NULL, time_usec);
    return;
  }
  builder = nebula_value_builder_new_object ();
  for (guint i = 0; i < plan_node->n_in; i++) {
    guint32 index = get_in_edge (self, node, i);
    NebulaEdgeState *edge = get_edge (self, lane, index);

    if (edge->n_tokens == 0 || !edge->first)
      continue;
    only = edge->first;
    nebula_value_builder_set (builder,
                              self->plan->nodes[self->plan->edges[index].from].id, only);
  }
  inputs = nebula_value_builder_end (builder);
  fire (self, lane, node, run->live == 1 ? only : inputs, inputs, time_usec);
}

/* Ends a generation: takes one token from each edge and counts those that stand behind them. */
static void
take_generation (NebulaState *self, NebulaLane *lane, guint32 node)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  run->arrived = 0;
  run->live = 0;
  run->need = 0;
  run->has_fired = 0;
  for (guint i = 0; i < plan_node->n_in; i++) {
    NebulaEdgeState *edge = get_edge (self, lane, get_in_edge (self, node, i));
    NebulaValue *value = edge_pop (edge);

    g_clear_pointer (&value, nebula_value_unref);
    run->arrived += edge->n_tokens > 0;
    run->live += edge->n_tokens > 0 && edge->first;
  }
}

/* rest: cancel. All that is active and leads to the join, and only in this lane, is cancelled. */
static void
cancel_upstream (NebulaState *self, NebulaLane *lane, guint32 join, gint64 time_usec)
{
  NebulaPlan *plan = self->plan;
  guint32 first = plan->scopes[lane->scope].first_node;
  g_autofree guint8 *seen = g_malloc0 (plan->scopes[lane->scope].n_nodes);
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_array_append_val (stack, join);
  seen[join - first] = 1;
  while (stack->len > 0) {
    guint32 node = g_array_index (stack, guint32, stack->len - 1);
    NebulaRun *run = nebula_lane_get_run (self, lane, node);

    g_array_set_size (stack, stack->len - 1);
    for (guint i = 0; i < plan->nodes[node].n_in; i++) {
      guint32 from = plan->edges[get_in_edge (self, node, i)].from;

      if (!seen[from - first])
        g_array_append_val (stack, from);
      seen[from - first] = 1;
    }
    if (node == join || !run->work)
      continue;
    _nebula_scope_cancel_run (self, lane, run, time_usec);
    if (!run->work)
      g_array_append_val (self->worklist, node);
  }
}

static guint32
get_need (NebulaPlanNode *node, NebulaRun *run)
{
  if (node->need == NEBULA_JOIN_COUNT)
    return node->need_count;
  if (node->need == NEBULA_JOIN_EXPRESSION)
    return run->need;
  return 1;
}

/* Joins that fire before all have come. */
static void
check_partial (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);
  guint32 need = get_need (plan_node, run);

  if (need == 0 && run->live > 0) {
    _nebula_state_push_agenda (self, NEBULA_AGENDA_NEED, lane, node);
    return;
  }
  if (!run->has_fired && run->live > 0 && run->live >= need && !run->work) {
    run->has_fired = 1;
    fire_with_tokens (self, lane, node, time_usec);
    if (plan_node->rest == NEBULA_JOIN_REST_CANCEL)
      cancel_upstream (self, lane, node, time_usec);
  }
  if (run->arrived < plan_node->n_in)
    return;
  if (!run->has_fired && run->work)
    return;
  if (!run->has_fired)
    skip (self, lane, node, time_usec);
  take_generation (self, lane, node);
  if (run->arrived > 0)
    join_check (self, lane, node, time_usec);
}

/* Fires once for each live token, one after the other. */
static void
check_each (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);
  guint32 n_seen = 0;

  for (guint i = 0; i < plan_node->n_in; i++) {
    guint32 index = get_in_edge (self, node, i);
    NebulaEdgeState *edge = get_edge (self, lane, index);

    n_seen += edge->n_seen > 0;
    while (edge->n_tokens > 0 && !run->work) {
      g_autoptr (NebulaValue) value = edge_pop (edge);
      g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
      g_autoptr (NebulaValue) inputs = NULL;

      if (!value)
        continue;
      run->has_fired = 1;
      nebula_value_builder_set (
          builder, self->plan->nodes[self->plan->edges[index].from].id, value);
      inputs = nebula_value_builder_end (builder);
      fire (self, lane, node, value, inputs, time_usec);
    }
  }
  if (n_seen == plan_node->n_in && !run->has_fired && !run->work) {
    run->has_fired = 1;
    skip (self, lane, node, time_usec);
  }
}

static void
join_check (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  if (plan_node->need == NEBULA_JOIN_EACH) {
    check_each (self, lane, node, time_usec);
    return;
  }
  if (plan_node->need != NEBULA_JOIN_ALL) {
    check_partial (self, lane, node, time_usec);
    return;
  }
  if (run->arrived < plan_node->n_in || run->work)
    return;
  if (run->live > 0)
    fire_with_tokens (self, lane, node, time_usec);
  else
    skip (self, lane, node, time_usec);
  take_generation (self, lane, node);
}

/* Each token of a loop edge is a round of its own, whatever else the node waits for. */
static void
fire_by_loop (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  for (guint i = 0; i < plan_node->n_loop_in && !run->work; i++) {
    guint32 index = get_in_edge (self, node, plan_node->n_in + i);
    NebulaEdgeState *edge = get_edge (self, lane, index);
    g_autoptr (NebulaValueBuilder) builder = NULL;
    g_autoptr (NebulaValue) value = NULL;
    g_autoptr (NebulaValue) inputs = NULL;

    if (edge->n_tokens == 0)
      continue;
    value = edge_pop (edge);
    builder = nebula_value_builder_new_object ();
    nebula_value_builder_set (
        builder, self->plan->nodes[self->plan->edges[index].from].id, value);
    inputs = nebula_value_builder_end (builder);
    fire (self, lane, node, value, inputs, time_usec);
  }
}

static void
deliver (NebulaState *self,
         NebulaLane *lane,
         guint32 edge_index,
         NebulaValue *value,
         gint64 time_usec)
{
  NebulaEdgeState *edge = get_edge (self, lane, edge_index);
  guint32 node = self->plan->edges[edge_index].to;
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  edge->n_seen++;
  _nebula_edge_push (edge, value);
  if (self->plan->edges[edge_index].loop) {
    fire_by_loop (self, lane, node, time_usec);
    return;
  }
  if (edge->n_tokens > 1 && self->plan->nodes[node].need != NEBULA_JOIN_EACH)
    return; /* it belongs to the next generation */
  run->arrived++;
  run->live += value != NULL;
  join_check (self, lane, node, time_usec);
}

/* A connection that carries no value. From inside of a cycle nobody knows yet whether one still comes. */
static void
send_skip (NebulaState *self, NebulaLane *lane, guint32 edge, gint64 time_usec)
{
  if (self->plan->nodes[self->plan->edges[edge].from].cycle == NEBULA_PLAN_NONE)
    deliver (self, lane, edge, NULL, time_usec);
}

/* The value that a run which ended sends along an edge: borrowed; NULL: a skip. */
static NebulaValue *
get_token (NebulaRun *run, NebulaPlanEdge *edge)
{
  static const char *out = NULL;
  static const char *error = NULL;

  if (!out) {
    error = g_intern_static_string ("error");
    out = g_intern_static_string ("out");
  }
  if (run->status == NEBULA_NODE_FAILED)
    return edge->port == error ? run->value : NULL;
  if (run->status != NEBULA_NODE_COMPLETED)
    return NULL;
  if (!edge->port)
    return run->value;
  if (run->by_port)
    return nebula_value_get_member (run->value, edge->port);
  return edge->port == (run->port ? run->port : out) ? run->value : NULL;
}

static void
leave_one (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  for (guint i = 0; i < plan_node->n_out; i++) {
    guint32 index = plan_node->first_out + i;
    NebulaPlanEdge *edge = &self->plan->edges[index];
    NebulaValue *value = get_token (run, edge);
    NebulaEdgeState *edge_state = get_edge (self, lane, index);

    if (!value) {
      send_skip (self, lane, index, time_usec);
      continue;
    }
    if (!edge->when) {
      deliver (self, lane, index, value, time_usec);
      continue;
    }
    if (!edge_state->guarded)
      edge_state->guarded = g_queue_new ();
    g_queue_push_tail (edge_state->guarded, nebula_value_ref (value));
    lane->active++;
    _nebula_state_push_agenda (self, NEBULA_AGENDA_GUARD, lane, index);
  }
}

static void
drain_worklist (NebulaState *self, NebulaLane *lane, gint64 time_usec)
{
  for (guint i = 0; i < self->worklist->len; i++)
    leave_one (self, lane, g_array_index (self->worklist, guint32, i), time_usec);
  g_array_set_size (self->worklist, 0);
}

void
_nebula_tokens_leave (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  leave_one (self, lane, node, time_usec);
  drain_worklist (self, lane, time_usec);
}

/* Tokens that came while the node was active may let it fire again. */
static void
_nebula_tokens_recheck (NebulaState *self,
                        NebulaLane *lane,
                        guint32 node,
                        gint64 time_usec)
{
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  if (run->arrived > 0 && !run->work)
    join_check (self, lane, node, time_usec);
  if (!run->work)
    fire_by_loop (self, lane, node, time_usec);
  drain_worklist (self, lane, time_usec);
}

void
_nebula_tokens_skip_edge (NebulaState *self,
                          NebulaLane *lane,
                          guint32 edge,
                          gint64 time_usec)
{
  deliver (self, lane, edge, NULL, time_usec);
  drain_worklist (self, lane, time_usec);
}

static void
end_activity (NebulaState *self,
              NebulaLane *lane,
              guint32 node,
              gboolean leaves,
              gint64 time_usec)
{
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  lane->active++; /* so that the lane does not look quiet between two firings */
  if (run->work)
    _nebula_work_free (self, run->work);
  if (!lane->is_halted && leaves)
    _nebula_tokens_leave (self, lane, node, time_usec);
  if (!lane->is_halted) {
    _nebula_tokens_recheck (self, lane, node, time_usec);
    _nebula_cycles_settle (self, lane, time_usec);
  }
  if (--lane->active == 0)
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, lane, 0);
}

void
_nebula_tokens_end_work (NebulaState *self,
                         NebulaLane *lane,
                         guint32 node,
                         gint64 time_usec)
{
  end_activity (self, lane, node, TRUE, time_usec);
}

void
_nebula_tokens_end_trailing (NebulaState *self,
                             NebulaLane *lane,
                             guint32 node,
                             gint64 time_usec)
{
  end_activity (self, lane, node, FALSE, time_usec);
}

void
_nebula_tokens_pass (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  _nebula_tokens_leave (self, lane, node, time_usec);
  _nebula_cycles_settle (self, lane, time_usec);
}

void
_nebula_tokens_guard (NebulaState *self,
                      NebulaLane *lane,
                      guint32 edge,
                      gboolean holds,
                      gint64 time_usec)
{
  NebulaEdgeState *edge_state = get_edge (self, lane, edge);
  g_autoptr (NebulaValue) value = g_queue_pop_head (edge_state->guarded);

  if (g_queue_is_empty (edge_state->guarded))
    g_clear_pointer (&edge_state->guarded, g_queue_free);
  if (holds)
    deliver (self, lane, edge, value, time_usec);
  else
    send_skip (self, lane, edge, time_usec);
  drain_worklist (self, lane, time_usec);
  _nebula_cycles_settle (self, lane, time_usec);
  if (--lane->active == 0)
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, lane, 0);
}

void
_nebula_tokens_need (NebulaState *self,
                     NebulaLane *lane,
                     guint32 node,
                     gint64 need,
                     gint64 time_usec)
{
  nebula_lane_get_run (self, lane, node)->need = (guint32) need;
  join_check (self, lane, node, time_usec);
  drain_worklist (self, lane, time_usec);
  _nebula_cycles_settle (self, lane, time_usec);
}
