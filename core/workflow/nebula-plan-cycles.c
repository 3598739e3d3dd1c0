/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cycles that connections with `loop: true` close: strongly connected components of the graph with these. */
#include <glib/gi18n-lib.h>

#include "nebula-plan-builder-private.h"

static gboolean
has_loops (NebulaPlan *plan)
{
  for (guint i = 0; i < plan->n_edges; i++)
    if (plan->edges[i].loop)
      return TRUE;
  return FALSE;
}

static void
report_open_loop (NebulaPlanBuilder *self, guint32 edge)
{
  g_autofree char *pointer
      = _nebula_plan_builder_link_pointer (self, &g_array_index (self->links, NebulaPlanLink, edge));

  _nebula_problems_add (self->problems,
                        &(NebulaProblem) {
                            .code = "schema",
                            .pointer = pointer,
                            .hint = _("Leave out “loop: true”, or let it lead back to a node that comes before."),
                        },
                        _("This connection closes no cycle"));
}

/* Counts the nodes of each component that a loop edge closes; others count 0. */
static guint32 *
count_nodes (NebulaPlanBuilder *self, const NebulaComponents *components)
{
  NebulaPlan *plan = self->plan;
  guint32 *n_nodes = g_new0 (guint32, components->n_components + 1);

  for (guint i = 0; i < plan->n_edges; i++) {
    NebulaPlanEdge *edge = &plan->edges[i];

    if (!edge->loop)
      continue;
    if (components->component[edge->from] == components->component[edge->to])
      n_nodes[components->component[edge->from]] = 1;
    else
      report_open_loop (self, i);
  }
  for (guint i = 0; i < plan->n_nodes; i++)
    if (n_nodes[components->component[i]] > 0)
      n_nodes[components->component[i]]++;
  for (guint i = 0; i < components->n_components; i++)
    if (n_nodes[i] > 0)
      n_nodes[i]--;
  return n_nodes;
}

static gint
compare_nodes (gconstpointer first, gconstpointer second, gpointer user_data)
{
  NebulaPlanBuilder *self = user_data;
  guint32 a = *(const guint32 *) first;
  guint32 b = *(const guint32 *) second;
  NebulaPlanNode *nodes = self->plan->nodes;

  if (nodes[a].cycle != nodes[b].cycle)
    return nodes[a].cycle < nodes[b].cycle ? -1 : 1;
  /* Without loop edges an edge never leads to a higher component. */
  if (self->component[a] != self->component[b])
    return self->component[a] > self->component[b] ? -1 : 1;
  return a < b ? -1 : a > b;
}

/* Numbers the cycles in the order of their first nodes, which keeps those of a scope together. */
static void
number_cycles (NebulaPlanBuilder *self, const NebulaComponents *components, const guint32 *n_nodes)
{
  NebulaPlan *plan = self->plan;
  g_autofree guint32 *numbers = g_new0 (guint32, components->n_components + 1);
  g_autoptr (GArray) cycles = g_array_new (FALSE, TRUE, sizeof (NebulaPlanCycle));
  g_autoptr (GArray) nodes = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 n = 0;

  for (guint32 i = 0; i < plan->n_nodes; i++) {
    guint32 component = components->component[i];
    NebulaPlanScope *scope = &plan->scopes[plan->nodes[i].scope];
    NebulaPlanCycle cycle = { .n_nodes = n_nodes[component], .first_node = n };

    if (n_nodes[component] == 0)
      continue;
    if (numbers[component] == 0) {
      if (scope->n_cycles++ == 0)
        scope->first_cycle = cycles->len;
      g_array_append_val (cycles, cycle);
      numbers[component] = cycles->len;
      n += cycle.n_nodes;
    }
    plan->nodes[i].cycle = numbers[component] - 1;
    g_array_append_val (nodes, i);
  }
  g_array_sort_with_data (nodes, compare_nodes, self);
  plan->n_cycles = cycles->len;
  plan->cycles = (NebulaPlanCycle *) g_array_free (g_steal_pointer (&cycles), FALSE);
  plan->cycle_nodes = (guint32 *) g_array_free (g_steal_pointer (&nodes), FALSE);
}

void
_nebula_plan_builder_add_cycles (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;
  gsize n = plan->n_nodes + 1;
  NebulaComponents components = { .plan = plan, .with_loops = TRUE };
  g_autofree guint32 *memory = NULL;
  g_autofree guint32 *n_nodes = NULL;

  for (guint i = 0; i < plan->n_nodes; i++)
    plan->nodes[i].cycle = NEBULA_PLAN_NONE;
  if (!has_loops (plan))
    return;
  memory = g_new (guint32, n * 3);
  components.enter = memory;
  components.leave = memory + n;
  components.component = memory + n * 2;
  _nebula_plan_find_components (&components);
  n_nodes = count_nodes (self, &components);
  number_cycles (self, &components, n_nodes);
}
