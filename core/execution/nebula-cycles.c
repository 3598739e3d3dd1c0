/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Cycles: nodes that `loop: true` connections tie together.
 *
 * A round is a token that crosses a loop edge: it fires the edge's target by itself. Whether a node of a cycle still
 * gets something is not known when one of its sources goes another way, because the source may run again. So nodes of a
 * cycle send no skips. Instead, each time tokens have moved, what cannot come any more is found by looking:
 *
 *   - a join in a cycle that has tokens on some connections, and that nothing active can reach along connections that
 *     are no loop edges, takes the others as skips;
 *   - a cycle is quiet when nothing in it is active and nothing active can reach it: then the connections out of it over
 *     which nothing has come carry one skip, and its nodes that never ran are skipped.
 */

#include "nebula-state-private.h"

typedef struct {
  NebulaState *state;
  NebulaLane *lane;
  guint32 first_node;
  guint8 *seen;
  GArray *stack; /* nodes whose sources are to be looked at */
} NebulaSearch;

static NebulaEdgeState *
get_edge (NebulaState *self, NebulaLane *lane, guint32 edge)
{
  return &lane->edges[edge - self->plan->scopes[lane->scope].first_edge];
}

/* Active, or about to be decided. */
static gboolean
is_busy (NebulaState *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self, lane, node);

  return run->work || (self->plan->nodes[node].need == NEBULA_JOIN_EXPRESSION &&
                       run->live > 0 && run->need == 0);
}

static void
search_init (NebulaSearch *search, NebulaState *state, NebulaLane *lane)
{
  NebulaPlanScope *scope = &state->plan->scopes[lane->scope];

  search->state = state;
  search->lane = lane;
  search->first_node = scope->first_node;
  search->seen = g_malloc0 (scope->n_nodes);
  search->stack = g_array_new (FALSE, FALSE, sizeof (guint32));
}

static void
search_clear (NebulaSearch *search)
{
  g_free (search->seen);
  g_clear_pointer (&search->stack, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaSearch, search_clear)

static void
search_add (NebulaSearch *search, guint32 node)
{
  if (search->seen[node - search->first_node])
    return;
  search->seen[node - search->first_node] = 1;
  g_array_append_val (search->stack, node);
}

/* Whether anything active can still send a token to one of the nodes that were added. */
static gboolean
search_run (NebulaSearch *search)
{
  NebulaPlan *plan = search->state->plan;

  while (search->stack->len > 0) {
    guint32 last = search->stack->len - 1;
    NebulaPlanNode *node =
        &plan->nodes[g_array_index (search->stack, guint32, last)];

    g_array_set_size (search->stack, last);
    for (guint i = 0; i < node->n_in; i++) {
      guint32 edge = plan->in_edges[node->first_in + i];
      guint32 from = plan->edges[edge].from;

      if (is_busy (search->state, search->lane, from) ||
          get_edge (search->state, search->lane, edge)->guarded)
        return TRUE;
      search_add (search, from);
    }
  }
  return FALSE;
}

/* Whether a join waits for connections although others have brought something. */
static gboolean
waits_for_more (NebulaState *self, NebulaLane *lane, guint32 node)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);
  guint32 n_seen = 0;

  if (plan_node->n_in < 2 || run->work)
    return FALSE;
  if (plan_node->need != NEBULA_JOIN_EACH)
    return run->arrived > 0 && run->arrived < plan_node->n_in;
  for (guint i = 0; i < plan_node->n_in; i++)
    n_seen +=
        get_edge (self, lane, self->plan->in_edges[plan_node->first_in + i])->n_seen > 0;
  return !run->has_fired && n_seen > 0 && n_seen < plan_node->n_in;
}

static void
skip_missing (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  gboolean is_each = plan_node->need == NEBULA_JOIN_EACH;
  g_autoptr (GArray) missing = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint i = 0; i < plan_node->n_in; i++) {
    guint32 edge = self->plan->in_edges[plan_node->first_in + i];
    NebulaEdgeState *edge_state = get_edge (self, lane, edge);

    if (is_each ? edge_state->n_seen == 0 : edge_state->n_tokens == 0)
      g_array_append_val (missing, edge);
  }
  for (guint i = 0; i < missing->len; i++)
    _nebula_tokens_skip_edge (self, lane, g_array_index (missing, guint32, i), time_usec);
}

static gboolean
settle_join (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  g_auto (NebulaSearch) search = {0};

  if (!waits_for_more (self, lane, node))
    return FALSE;
  search_init (&search, self, lane);
  search_add (&search, node);
  if (search_run (&search))
    return FALSE;
  skip_missing (self, lane, node, time_usec);
  return TRUE;
}

/* A condition that is not decided yet may send a token anywhere in the cycle. */
static gboolean
has_open_condition (NebulaState *self, NebulaLane *lane, guint32 node)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];

  for (guint i = 0; i < plan_node->n_out; i++) {
    if (get_edge (self, lane, plan_node->first_out + i)->guarded)
      return TRUE;
  }
  return FALSE;
}

/* Leaves the cycle once: TRUE if a skip was sent. */
static gboolean
leave (NebulaState *self, NebulaLane *lane, guint32 node, gint64 time_usec)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self, lane, node);
  gboolean has_left = FALSE;

  if (run->status == NEBULA_NODE_PENDING) {
    run->status = NEBULA_NODE_SKIPPED;
    run->ready_usec = time_usec;
    run->ended_usec = time_usec;
  }
  for (guint i = 0; i < plan_node->n_out; i++) {
    guint32 edge = plan_node->first_out + i;

    if (self->plan->nodes[self->plan->edges[edge].to].cycle == plan_node->cycle ||
        get_edge (self, lane, edge)->n_seen > 0)
      continue;
    _nebula_tokens_skip_edge (self, lane, edge, time_usec);
    has_left = TRUE;
  }
  return has_left;
}

static gboolean
settle_cycle (NebulaState *self, NebulaLane *lane, guint32 index, gint64 time_usec)
{
  NebulaPlanCycle *cycle = &self->plan->cycles[index];
  const guint32 *nodes = self->plan->cycle_nodes + cycle->first_node;
  g_auto (NebulaSearch) search = {0};
  gboolean is_active = FALSE;
  gboolean has_left = FALSE;

  for (guint i = 0; i < cycle->n_nodes; i++) {
    if (has_open_condition (self, lane, nodes[i]))
      return FALSE;
    is_active = is_active || is_busy (self, lane, nodes[i]);
  }
  for (guint i = 0; i < cycle->n_nodes; i++) {
    if (settle_join (self, lane, nodes[i], time_usec))
      return TRUE;
  }
  if (is_active)
    return FALSE;
  search_init (&search, self, lane);
  for (guint i = 0; i < cycle->n_nodes; i++)
    search_add (&search, nodes[i]);
  if (search_run (&search))
    return FALSE;
  for (guint i = 0; i < cycle->n_nodes; i++)
    has_left = leave (self, lane, nodes[i], time_usec) || has_left;
  return has_left;
}

void
_nebula_cycles_settle (NebulaState *self, NebulaLane *lane, gint64 time_usec)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];
  gboolean has_moved = scope->n_cycles > 0;

  while (has_moved) {
    has_moved = FALSE;
    for (guint32 i = 0; i < scope->n_cycles; i++)
      has_moved = settle_cycle (self, lane, scope->first_cycle + i, time_usec) || has_moved;
  }
}
