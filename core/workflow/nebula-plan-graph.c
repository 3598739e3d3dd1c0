/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Questions about the graph, in time linear in nodes and edges.
 *
 * One depth-first walk (Tarjan's, with a stack of our own) gives the strongly connected components in reverse topological
 * order and a spanning forest. From these, “is a upstream of b?” is mostly settled at once: yes if a is above b in the
 * forest, no if a's component does not come before b's. What is left is answered for 256 targets at a time by one sweep
 * over the components between them, each with a set of 256 bits.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-plan-builder-private.h"

#define SHOWN_CYCLE_NODES 12
#define BATCH_WORDS 4
#define BATCH_TARGETS (BATCH_WORDS * 64)

typedef struct
{
  NebulaComponents *result;
  guint32 *low;
  guint32 *open;    /* Tarjan's stack */
  guint32 n_open;
  guint32 *calls;   /* nodes being walked */
  guint32 *cursors; /* next edge of each of them */
  guint32 n_calls;
  guint32 n_entered;
} NebulaWalk;

static void
walk_enter (NebulaWalk *walk, guint32 node)
{
  walk->result->enter[node] = walk->low[node] = walk->n_entered++;
  walk->open[walk->n_open++] = node;
  walk->calls[walk->n_calls] = node;
  walk->cursors[walk->n_calls] = 0;
  walk->n_calls++;
}

static void
walk_close_component (NebulaWalk *walk, guint32 root)
{
  NebulaComponents *result = walk->result;
  guint32 node;

  do {
    node = walk->open[--walk->n_open];
    result->component[node] = result->n_components;
  } while (node != root);
  result->n_components++;
}

/* All out-edges are done: hand the result to the caller. */
static void
walk_leave (NebulaWalk *walk, guint32 node)
{
  walk->result->leave[node] = walk->n_entered - 1;
  if (walk->low[node] == walk->result->enter[node])
    walk_close_component (walk, node);
  walk->n_calls--;
  if (walk->n_calls > 0) {
    guint32 caller = walk->calls[walk->n_calls - 1];

    walk->low[caller] = MIN (walk->low[caller], walk->low[node]);
  }
}

static void
walk_edge (NebulaWalk *walk, guint32 node, const NebulaPlanEdge *edge)
{
  NebulaComponents *result = walk->result;

  if (edge->loop && !result->with_loops)
    return;
  if (result->enter[edge->to] == NEBULA_PLAN_NONE)
    walk_enter (walk, edge->to);
  else if (result->component[edge->to] == NEBULA_PLAN_NONE)
    walk->low[node] = MIN (walk->low[node], result->enter[edge->to]);
}

static void
walk_from (NebulaWalk *walk, guint32 start)
{
  NebulaPlan *plan = walk->result->plan;

  if (walk->result->enter[start] != NEBULA_PLAN_NONE)
    return;
  walk_enter (walk, start);
  while (walk->n_calls > 0) {
    guint32 node = walk->calls[walk->n_calls - 1];
    guint32 cursor = walk->cursors[walk->n_calls - 1];

    if (cursor == plan->nodes[node].n_out) {
      walk_leave (walk, node);
      continue;
    }
    walk->cursors[walk->n_calls - 1]++;
    walk_edge (walk, node, &plan->edges[plan->nodes[node].first_out + cursor]);
  }
}

void
_nebula_plan_find_components (NebulaComponents *self)
{
  gsize n = self->plan->n_nodes;
  g_autofree guint32 *memory = g_new (guint32, n * 4 + 1);
  NebulaWalk walk = { self, memory, memory + n, 0, memory + n * 2, memory + n * 3, 0, 0 };

  memset (self->enter, 0xff, (n + 1) * sizeof (guint32));
  memset (self->component, 0xff, (n + 1) * sizeof (guint32));

  /* Entries first, so that the trees of the forest are as large as they can be. */
  for (guint32 i = 0; i < n; i++)
    if (self->plan->nodes[i].n_in == 0)
      walk_from (&walk, i);
  for (guint32 i = 0; i < n; i++)
    walk_from (&walk, i);
}

static void
find_components (NebulaPlanBuilder *self)
{
  NebulaComponents result = { .plan = self->plan };
  gsize n = self->plan->n_nodes + 1;

  result.enter = self->enter = g_new (guint32, n);
  result.leave = self->leave = g_new (guint32, n);
  result.component = self->component = g_new (guint32, n);
  _nebula_plan_find_components (&result);
  self->n_components = result.n_components;
}

/* The edges of a shortest way from @start back to itself, last edge first; @via must be all NONE and is left so. */
static GArray *
find_cycle (NebulaPlanBuilder *self, guint32 start, guint32 *via)
{
  NebulaPlan *plan = self->plan;
  g_autoptr (GArray) queue = g_array_new (FALSE, FALSE, sizeof (guint32));
  GArray *cycle = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_array_append_val (queue, start);
  for (guint i = 0; i < queue->len && via[start] == NEBULA_PLAN_NONE; i++) {
    guint32 node = g_array_index (queue, guint32, i);

    for (guint32 k = 0; k < plan->nodes[node].n_out; k++) {
      guint32 edge = plan->nodes[node].first_out + k;
      guint32 next = plan->edges[edge].to;

      if (plan->edges[edge].loop || self->component[next] != self->component[start]
          || via[next] != NEBULA_PLAN_NONE)
        continue;
      via[next] = edge;
      g_array_append_val (queue, next);
    }
  }

  for (guint32 node = start; cycle->len == 0 || node != start;) {
    g_array_append_val (cycle, via[node]);
    node = plan->edges[via[node]].from;
  }
  via[start] = NEBULA_PLAN_NONE;
  for (guint i = 0; i < queue->len; i++)
    via[g_array_index (queue, guint32, i)] = NEBULA_PLAN_NONE;
  return cycle;
}

static void
report_cycle (NebulaPlanBuilder *self, guint32 start, guint32 *via)
{
  NebulaPlan *plan = self->plan;
  g_autoptr (GArray) cycle = find_cycle (self, start, via);
  g_autoptr (GString) names = g_string_new (plan->nodes[start].id);
  g_autofree char *pointer = NULL;

  for (guint i = cycle->len; i > 0; i--) {
    guint32 edge = g_array_index (cycle, guint32, i - 1);

    if (cycle->len - i < SHOWN_CYCLE_NODES || i == 1)
      g_string_append_printf (names, " → %s", plan->nodes[plan->edges[edge].to].id);
    else if (cycle->len - i == SHOWN_CYCLE_NODES)
      g_string_append (names, " → …");
  }
  pointer = _nebula_plan_builder_link_pointer (
      self,
      &g_array_index (self->links, NebulaPlanLink, g_array_index (cycle, guint32, 0)));
  _nebula_problems_add (self->problems,
                        &(NebulaProblem) {
                            .code = "cycle",
                            .pointer = pointer,
                            .hint = _("Write “loop: true” beside the connection that leads back, or repeat with flow.while or flow.repeat."),
                        },
                        _("The connections form a cycle: %s"),
                        names->str);
}

static void
check_cycles (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;
  g_autofree guint32 *size = NULL;
  g_autofree guint32 *via = NULL;

  if (self->n_components == plan->n_nodes)
    return;
  size = g_new0 (guint32, self->n_components);
  via = g_new (guint32, plan->n_nodes);
  memset (via, 0xff, plan->n_nodes * sizeof (guint32));
  for (guint32 i = 0; i < plan->n_nodes; i++)
    size[self->component[i]]++;

  for (guint32 i = 0; i < plan->n_nodes; i++)
    if (size[self->component[i]] > 1) {
      report_cycle (self, i, via);
      size[self->component[i]] = 0;
    }
}

/* flow.stop and flow.fail never leave by an ordinary port. */
static gboolean
never_leaves_by (NebulaPlan *plan, const NebulaPlanEdge *edge)
{
  NebulaPlanNode *node = &plan->nodes[edge->from];
  NebulaConstruct construct;

  if (!node->info || g_strcmp0 (edge->port, "error") == 0)
    return FALSE;
  construct = nebula_action_info_get_construct (node->info);
  return construct == NEBULA_CONSTRUCT_STOP || construct == NEBULA_CONSTRUCT_FAIL;
}

/* Marks what can be reached from nodes without predecessor. */
static guint8 *
find_reached (NebulaPlanBuilder *self, gboolean mind_ends)
{
  NebulaPlan *plan = self->plan;
  guint8 *reached = g_new0 (guint8, plan->n_nodes + 1);
  g_autofree guint32 *queue = g_new (guint32, plan->n_nodes + 1);
  guint32 n = 0;

  for (guint32 i = 0; i < plan->n_nodes; i++)
    if (plan->nodes[i].n_in == 0) {
      reached[i] = TRUE;
      queue[n++] = i;
    }
  for (guint32 i = 0; i < n; i++) {
    NebulaPlanNode *node = &plan->nodes[queue[i]];

    for (guint32 k = 0; k < node->n_out; k++) {
      NebulaPlanEdge *edge = &plan->edges[node->first_out + k];

      if (reached[edge->to] || (mind_ends && never_leaves_by (plan, edge)))
        continue;
      reached[edge->to] = TRUE;
      queue[n++] = edge->to;
    }
  }
  return reached;
}

static gboolean
scope_has_entry (NebulaPlan *plan, const NebulaPlanScope *scope)
{
  for (guint32 i = 0; i < scope->n_nodes; i++)
    if (plan->nodes[scope->first_node + i].n_in == 0)
      return TRUE;
  return FALSE;
}

static void
report_no_entry (NebulaPlanBuilder *self, guint32 scope)
{
  g_autofree char *outer = _nebula_plan_builder_scope_pointer (self, scope);
  g_autofree char *pointer = _nebula_pointer_append (outer, "nodes");

  _nebula_problems_add (self->problems,
                        &(NebulaProblem) {
                            .code = "no-entry",
                            .pointer = pointer,
                            .of_key = TRUE,
                            .hint = _("Leave at least one node without incoming connections."),
                        },
                        _("No node can start, because each waits for another"));
}

static void
report_unreachable (NebulaPlanBuilder *self, guint32 node, NebulaSeverity severity)
{
  g_autofree char *pointer = _nebula_plan_builder_node_pointer (self, node, NULL);

  _nebula_problems_add (self->problems,
                        &(NebulaProblem) {
                            .severity = severity,
                            .code = "unreachable",
                            .pointer = pointer,
                            .of_key = TRUE,
                            .hint = severity == NEBULA_SEVERITY_ERROR
                                        ? _("Connect it to a node that can start.")
                                        : _("flow.stop and flow.fail go on by their port “error” only."),
                        },
                        _("Node “%s” can never run"),
                        self->plan->nodes[node].id);
}

static void
check_reached (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;
  g_autofree guint8 *reached = NULL;

  if (self->n_components == plan->n_nodes)
    return; /* without cycles every node has an entry above it */
  reached = find_reached (self, FALSE);
  for (guint32 s = 0; s < plan->n_scopes; s++) {
    NebulaPlanScope *scope = &plan->scopes[s];

    if (scope->n_nodes == 0)
      continue;
    if (!scope_has_entry (plan, scope)) {
      report_no_entry (self, s);
      continue;
    }
    for (guint32 i = scope->first_node; i < scope->first_node + scope->n_nodes; i++)
      if (!reached[i])
        report_unreachable (self, i, NEBULA_SEVERITY_ERROR);
  }
}

void
_nebula_plan_builder_analyse (NebulaPlanBuilder *self)
{
  find_components (self);
  check_cycles (self);
  _nebula_plan_builder_add_cycles (self);
  check_reached (self);
}

void
_nebula_plan_builder_check_ends (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;
  g_autofree guint8 *reached = NULL;
  g_autofree guint8 *going_on = NULL;
  gboolean any = FALSE;

  for (guint i = 0; i < plan->n_edges && !any; i++)
    any = never_leaves_by (plan, &plan->edges[i]);
  if (!any)
    return;

  reached = find_reached (self, FALSE);
  going_on = find_reached (self, TRUE);
  for (guint32 i = 0; i < plan->n_nodes; i++)
    if (reached[i] && !going_on[i])
      report_unreachable (self, i, NEBULA_SEVERITY_WARNING);
}

static void
report_not_upstream (NebulaPlanBuilder *self, const NebulaUpstreamQuery *query)
{
  const char *target = self->plan->nodes[query->target].id;
  const char *site = self->plan->nodes[query->site].id;
  NebulaProblem problem = {
    .code = "not-upstream",
    .pointer = query->pointer,
    .text = query->text,
    .text_line = query->text_line,
    .text_column = query->text_column,
  };

  if (query->site == query->target) {
    problem.hint = _("$json is the input of this node.");
    _nebula_problems_add (self->problems,
                          &problem,
                          _("Node “%s” uses its own result, a dependency cycle: %s → %s"),
                          target,
                          target,
                          target);
  } else if (query->node == query->target) {
    problem.hint = _("Inside its body use $item, $index, $last or the nodes of the body.");
    _nebula_problems_add (self->problems,
                          &problem,
                          _("“%s” is a loop around “%s” and has no result while it runs"),
                          target,
                          site);
  } else {
    g_autofree char *hint = NULL;

    hint = g_strdup_printf (_("Add a connection that leads from “%s” to “%s”."),
                            target,
                            self->plan->nodes[query->node].id);
    problem.hint = hint;
    _nebula_problems_add (self->problems,
                          &problem,
                          _("“%s” uses the result of “%s”, which does not come before it"),
                          site,
                          target);
  }
}

static gboolean
is_predecessor (NebulaPlan *plan, guint32 node, guint32 target)
{
  /* A look at a few is enough to spare the common case; the rest is answered in batches. */
  for (guint32 i = 0; i < MIN (plan->nodes[node].n_in, 8); i++)
    if (plan->edges[plan->in_edges[plan->nodes[node].first_in + i]].from == target)
      return TRUE;
  return FALSE;
}

void
_nebula_plan_builder_require_upstream (NebulaPlanBuilder *self, const NebulaUpstreamQuery *query)
{
  guint32 node = query->node;
  guint32 target = query->target;
  NebulaUpstreamQuery kept = *query;

  /* In a cycle every node may have run before: its result is that of the round before, or null. */
  if (node != target && self->plan->nodes[node].cycle != NEBULA_PLAN_NONE
      && self->plan->nodes[node].cycle == self->plan->nodes[target].cycle)
    return;
  if (node == target || self->component[target] < self->component[node]) {
    report_not_upstream (self, query);
    return;
  }
  if (self->component[target] == self->component[node])
    return; /* within a cycle, which is reported */
  if (self->enter[target] <= self->enter[node] && self->enter[node] <= self->leave[target])
    return;
  if (is_predecessor (self->plan, node, target))
    return;

  kept.pointer = g_strdup (query->pointer);
  g_array_append_val (self->queries, kept);
}

static gint
compare_queries (gconstpointer first, gconstpointer second, gpointer user_data)
{
  NebulaPlanBuilder *self = user_data;
  const NebulaUpstreamQuery *a = first;
  const NebulaUpstreamQuery *b = second;
  guint32 component_a = self->component[a->target];
  guint32 component_b = self->component[b->target];

  if (component_a != component_b)
    return component_a > component_b ? -1 : 1;
  return a->target < b->target ? -1 : a->target > b->target;
}

/* Nodes by component: those of component c are order[starts[c]] … order[starts[c + 1] - 1]. */
static void
order_nodes (NebulaPlanBuilder *self, guint32 *starts, guint32 *order)
{
  guint32 n = self->plan->n_nodes;
  g_autofree guint32 *next = g_new0 (guint32, self->n_components + 1);

  for (guint32 i = 0; i < n; i++)
    next[self->component[i] + 1]++;
  for (guint32 c = 0; c < self->n_components; c++)
    next[c + 1] += next[c];
  memcpy (starts, next, (self->n_components + 1) * sizeof (guint32));
  for (guint32 i = 0; i < n; i++)
    order[next[self->component[i]]++] = i;
}

typedef struct
{
  guint32 *starts;
  guint32 *order;
  guint64 *sets; /* BATCH_WORDS of each component: which targets are above it, or in it */
} NebulaSweep;

/* What is above @node is above all that comes after it, down to component @low. */
static void
pass_on (NebulaPlanBuilder *self, NebulaSweep *state, const NebulaPlanNode *node, const guint64 *set, guint32 low)
{
  for (guint32 k = 0; k < node->n_out; k++) {
    const NebulaPlanEdge *edge = &self->plan->edges[node->first_out + k];
    guint32 to = self->component[edge->to];

    if (edge->loop)
      continue;
    for (guint w = 0; to >= low && w < BATCH_WORDS; w++)
      state->sets[(gsize) to * BATCH_WORDS + w] |= set[w];
  }
}

static void
sweep (NebulaPlanBuilder *self, NebulaSweep *state, guint32 high, guint32 low)
{
  for (guint32 c = high + 1; c > low; c--) {
    const guint64 *set = state->sets + (gsize) (c - 1) * BATCH_WORDS;

    for (guint32 i = state->starts[c - 1]; i < state->starts[c]; i++)
      pass_on (self, state, &self->plan->nodes[state->order[i]], set, low);
  }
}

/* Answers queries from @first on until their targets fill a batch; returns the first that is left. */
static guint
answer_batch (NebulaPlanBuilder *self, NebulaSweep *state, guint first)
{
  NebulaUpstreamQuery *queries = (NebulaUpstreamQuery *) self->queries->data;
  guint32 high = self->component[queries[first].target];
  guint32 low = high;
  guint n_targets = 0;
  guint end;

  for (end = first; end < self->queries->len; end++) {
    if (end == first || queries[end].target != queries[end - 1].target)
      n_targets++;
    if (n_targets > BATCH_TARGETS)
      break;
    low = MIN (low, self->component[queries[end].node]);
  }

  memset (state->sets + (gsize) low * BATCH_WORDS,
          0,
          (gsize) (high - low + 1) * BATCH_WORDS * sizeof (guint64));
  n_targets = 0;
  for (guint i = first; i < end; i++) {
    gsize component = self->component[queries[i].target];

    if (i > first && queries[i].target != queries[i - 1].target)
      n_targets++;
    state->sets[component * BATCH_WORDS + n_targets / 64] |= G_GUINT64_CONSTANT (1) << n_targets % 64;
  }
  sweep (self, state, high, low);

  n_targets = 0;
  for (guint i = first; i < end; i++) {
    gsize component = self->component[queries[i].node];

    if (i > first && queries[i].target != queries[i - 1].target)
      n_targets++;
    if (!(state->sets[component * BATCH_WORDS + n_targets / 64] >> n_targets % 64 & 1))
      report_not_upstream (self, &queries[i]);
  }
  return end;
}

void
_nebula_plan_builder_answer (NebulaPlanBuilder *self)
{
  g_autofree guint32 *starts = NULL;
  g_autofree guint32 *order = NULL;
  g_autofree guint64 *sets = NULL;
  NebulaSweep state;

  if (self->queries->len == 0)
    return;
  g_qsort_with_data (self->queries->data,
                     (gint) self->queries->len,
                     sizeof (NebulaUpstreamQuery),
                     compare_queries,
                     self);

  starts = g_new (guint32, self->n_components + 1);
  order = g_new (guint32, self->plan->n_nodes);
  sets = g_new (guint64, (gsize) self->n_components * BATCH_WORDS);
  order_nodes (self, starts, order);
  state = (NebulaSweep) { starts, order, sets };
  for (guint i = 0; i < self->queries->len;)
    i = answer_batch (self, &state, i);
}
