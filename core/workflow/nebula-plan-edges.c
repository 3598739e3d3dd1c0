/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-nearest-internal.h"
#include "nebula-plan-builder-private.h"

static void
report (NebulaPlanBuilder *self, const NebulaPlanLink *link, const char *code, const char *hint, const char *message)
{
  g_autofree char *pointer = _nebula_plan_builder_link_pointer (self, link);

  _nebula_problems_add (self->problems,
                        &(NebulaProblem) { .code = code, .pointer = pointer, .hint = hint },
                        "%s",
                        message);
}

/* An end of a connection; NEBULA_PLAN_NONE and a problem if there is no such node in the scope. */
static guint32
resolve (NebulaPlanBuilder *self, const char *id, const NebulaPlanLink *link)
{
  guint32 scope = link->scope;
  guint32 node = _nebula_plan_builder_find_in_scope (self, scope, id);
  g_autofree char *hint = NULL;
  g_autofree char *message = NULL;

  if (node != NEBULA_PLAN_NONE)
    return node;

  if (nebula_plan_find_node (self->plan, scope, id) != NEBULA_PLAN_NONE)
    hint = g_strdup (_("Connections stay within one body; nodes outside of it cannot be connected."));
  else
    hint = _nebula_plan_builder_hint_node (self, scope, id, FALSE);
  message = g_strdup_printf (_("There is no node “%s” here to connect"), id);
  report (self, link, "unknown-node", hint, message);
  return NEBULA_PLAN_NONE;
}

static void
add_connection (NebulaPlanBuilder *self, const NebulaConnection *connection, NebulaPlanLink link)
{
  link.from = resolve (self, connection->from, &link);
  if (!link.is_after)
    link.to = resolve (self, connection->to, &link);
  if (link.from == NEBULA_PLAN_NONE || link.to == NEBULA_PLAN_NONE)
    return;

  if (link.from == link.to && !connection->loop) {
    g_autofree char *message = NULL;

    message = g_strdup_printf (_("Node “%s” is connected to itself"), connection->from);
    report (self,
            &link,
            "self-loop",
            _("Write “loop: true” beside it, or use flow.while or flow.repeat to repeat something."),
            message);
    return;
  }

  link.port = connection->port ? g_string_chunk_insert_const (self->plan->ids, connection->port) : NULL;
  link.when = connection->when;
  link.loop = connection->loop;
  link.max = connection->max > 0 ? (guint32) MIN (connection->max, G_MAXINT32) : NEBULA_LOOP_ROUNDS_DEFAULT;
  g_array_append_val (self->links, link);
}

/* Whether there is room for one more link; a problem if not. */
static gboolean
has_room (NebulaPlanBuilder *self)
{
  if (self->links->len < self->limits.max_connections)
    return TRUE;
  _nebula_problems_add (self->problems,
                        &(NebulaProblem) {
                            .code = "too-many-connections",
                            .pointer = "/connections",
                            .of_key = TRUE,
                            .hint = _("Split the workflow into sub-workflows, or raise the limit in the configuration."),
                        },
                        _("A workflow must not have more than %u connections"),
                        self->limits.max_connections);
  return FALSE;
}

static gboolean
add_connections (NebulaPlanBuilder *self, guint32 scope)
{
  NebulaValue *list = _nebula_member (g_ptr_array_index (self->scope_values, scope),
                                      "connections",
                                      NEBULA_VALUE_KIND_ARRAY);

  for (gsize i = 0; list && i < nebula_value_get_length (list); i++) {
    g_auto (NebulaConnection) connection = { 0 };
    NebulaPlanLink link = { .scope = scope, .item = (guint32) i };

    if (!has_room (self))
      return FALSE;
    if (_nebula_connection_parse (nebula_value_get_item (list, i), &connection))
      add_connection (self, &connection, link);
  }
  return TRUE;
}

/* Reports what the schema cannot: an entry of `after` that is no source. */
static void
report_after (NebulaPlanBuilder *self, guint32 node, gsize index, const char *text)
{
  g_autofree char *list = _nebula_plan_builder_node_pointer (self, node, "after");
  g_autofree char *pointer = g_strdup_printf ("%s/%" G_GSIZE_FORMAT, list, index);

  _nebula_problems_add (self->problems,
                        &(NebulaProblem) {
                            .code = "schema",
                            .pointer = pointer,
                            .hint = _("Write the id of a node, or “id.port”."),
                        },
                        _("“%s” in “after” is not a node"),
                        text);
}

static gboolean
add_after (NebulaPlanBuilder *self, guint32 node)
{
  guint32 scope = self->plan->nodes[node].scope;
  NebulaValue *list = _nebula_member (g_ptr_array_index (self->node_values, node),
                                      "after",
                                      NEBULA_VALUE_KIND_ARRAY);

  for (gsize i = 0; list && i < nebula_value_get_length (list); i++) {
    NebulaValue *item = nebula_value_get_item (list, i);
    g_auto (NebulaConnection) connection = { 0 };
    NebulaPlanLink link = { .scope = scope, .to = node, .item = (guint32) i, .is_after = TRUE };

    if (!has_room (self))
      return FALSE;
    if (nebula_value_get_kind (item) != NEBULA_VALUE_KIND_STRING)
      continue;
    if (_nebula_connection_parse_source (nebula_value_get_string (item),
                                         nebula_value_get_string_length (item),
                                         &connection.from,
                                         &connection.port))
      add_connection (self, &connection, link);
    else
      report_after (self, node, i, nebula_value_get_string (item));
  }
  return TRUE;
}

static guint
hash_link (gconstpointer key)
{
  const NebulaPlanLink *link = key;

  return (link->from * 2654435761u) ^ (link->to * 40503u) ^ g_direct_hash (link->port);
}

static gboolean
equal_links (gconstpointer first, gconstpointer second)
{
  const NebulaPlanLink *a = first;
  const NebulaPlanLink *b = second;

  return a->from == b->from && a->to == b->to && a->port == b->port
         && (a->when == b->when || (a->when && b->when && nebula_value_equal (a->when, b->when)));
}

static void
check_duplicates (NebulaPlanBuilder *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (hash_link, equal_links);

  for (guint i = 0; i < self->links->len; i++) {
    NebulaPlanLink *link = &g_array_index (self->links, NebulaPlanLink, i);
    g_autofree char *message = NULL;

    if (g_hash_table_add (seen, link))
      continue;
    message = g_strdup_printf (_("“%s%s%s -> %s” is written twice"),
                               self->plan->nodes[link->from].id,
                               link->port ? "." : "",
                               link->port ? link->port : "",
                               self->plan->nodes[link->to].id);
    report (self, link, "duplicate-connection", _("Remove one of the two."), message);
  }
}

/* Gives each node its ranges among the edges; @next_in has a place for those that close no cycle and one for loop edges. */
static void
set_ranges (NebulaPlan *plan, guint32 *next_out, guint32 *next_in)
{
  guint32 out = 0;
  guint32 in = 0;

  for (guint i = 0; i < plan->n_nodes; i++) {
    NebulaPlanNode *node = &plan->nodes[i];

    node->first_out = next_out[i] = out;
    node->first_in = next_in[2 * i] = in;
    next_in[2 * i + 1] = in + node->n_in;
    node->single_input = node->n_in <= 1;
    out += node->n_out;
    in += node->n_in + node->n_loop_in;
  }
}

static void
count_links (NebulaPlan *plan, const NebulaPlanLink *links, guint n)
{
  for (guint i = 0; i < plan->n_nodes; i++)
    plan->nodes[i].is_last = TRUE;
  for (guint i = 0; i < n; i++) {
    plan->nodes[links[i].from].n_out++;
    if (links[i].loop) {
      plan->nodes[links[i].to].n_loop_in++;
      continue;
    }
    plan->nodes[links[i].to].n_in++;
    plan->nodes[links[i].from].is_last = FALSE;
  }
}

/* Sorts the links by source, keeping the written order, and fills the plan's edges and each node's ranges. */
static void
sort_links (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;
  guint n = self->links->len;
  NebulaPlanLink *written = (NebulaPlanLink *) self->links->data;
  g_autoptr (GArray) sorted = g_array_sized_new (FALSE, TRUE, sizeof (NebulaPlanLink), n);
  g_autofree guint32 *next_out = g_new0 (guint32, plan->n_nodes + 1);
  g_autofree guint32 *next_in = g_new0 (guint32, 2 * (gsize) plan->n_nodes + 1);

  g_array_set_size (sorted, n);
  count_links (plan, written, n);
  set_ranges (plan, next_out, next_in);

  plan->edges = g_new0 (NebulaPlanEdge, MAX (n, 1));
  plan->n_edges = n;
  plan->in_edges = g_new0 (guint32, MAX (n, 1));
  for (guint i = 0; i < n; i++) {
    guint32 place = next_out[written[i].from]++;
    guint32 in_place = next_in[2 * (gsize) written[i].to + written[i].loop]++;
    NebulaPlanEdge *edge = &plan->edges[place];

    edge->from = written[i].from;
    edge->to = written[i].to;
    edge->loop = written[i].loop;
    edge->max = written[i].max;
    edge->in_index = in_place - plan->nodes[written[i].to].first_in;
    plan->in_edges[in_place] = place;
    g_array_index (sorted, NebulaPlanLink, place) = written[i];
  }
  g_array_unref (self->links);
  self->links = g_steal_pointer (&sorted);
}

static void
set_scope_edges (NebulaPlan *plan)
{
  for (guint i = 0; i < plan->n_scopes; i++) {
    NebulaPlanScope *scope = &plan->scopes[i];
    guint32 last = scope->first_node + scope->n_nodes;

    scope->first_edge = scope->n_nodes > 0 ? plan->nodes[scope->first_node].first_out : 0;
    scope->n_edges = last > scope->first_node
                         ? plan->nodes[last - 1].first_out + plan->nodes[last - 1].n_out
                               - scope->first_edge
                         : 0;
  }
}

gboolean
_nebula_plan_builder_add_edges (NebulaPlanBuilder *self)
{
  for (guint32 scope = 0; scope < self->plan->n_scopes; scope++)
    if (!add_connections (self, scope))
      return FALSE;
  for (guint32 node = 0; node < self->plan->n_nodes; node++)
    if (!add_after (self, node))
      return FALSE;

  sort_links (self);
  set_scope_edges (self->plan);
  check_duplicates (self);
  return TRUE;
}

/* The object parameter whose keys are ports, if it is written out. */
static NebulaValue *
dynamic_ports (NebulaPlanBuilder *self, guint32 node, NebulaActionInfo *info)
{
  const char *parameter = nebula_action_info_get_dynamic_ports (info);
  NebulaValue *with = _nebula_member (g_ptr_array_index (self->node_values, node),
                                      "with",
                                      NEBULA_VALUE_KIND_OBJECT);

  return parameter ? _nebula_member (with, parameter, NEBULA_VALUE_KIND_OBJECT) : NULL;
}

static gboolean
has_port (NebulaPlanBuilder *self, guint32 node, NebulaActionInfo *info, const char *port)
{
  const char *const *ports = nebula_action_info_get_ports (info);
  const char *parameter = nebula_action_info_get_dynamic_ports (info);
  NebulaValue *dynamic = dynamic_ports (self, node, info);

  if (strcmp (port, "error") == 0 || (ports && g_strv_contains (ports, port)))
    return TRUE;
  if (!parameter)
    return FALSE;
  /* Ports from a template are known only when it runs. */
  return !dynamic || strcmp (port, "default") == 0 || nebula_value_has_member (dynamic, port);
}

static void
report_port (NebulaPlanBuilder *self, const NebulaPlanLink *link, NebulaActionInfo *info)
{
  const char *const *ports = nebula_action_info_get_ports (info);
  NebulaValue *dynamic = dynamic_ports (self, link->from, info);
  g_autofree char *message = NULL;
  g_autoptr (GString) hint = g_string_new (NULL);
  g_autofree char *did_you_mean = NULL;
  NebulaNearest nearest;

  nebula_nearest_init (&nearest, link->port);
  g_string_append_printf (hint, _("Ports of %s: "), nebula_action_info_get_id (info));
  for (guint i = 0; ports && ports[i]; i++) {
    g_string_append_printf (hint, "%s, ", ports[i]);
    nebula_nearest_offer (&nearest, ports[i]);
  }
  for (gsize i = 0; dynamic && i < nebula_value_get_length (dynamic) && i < 100; i++) {
    g_string_append_printf (hint, "%s, ", nebula_value_get_key (dynamic, i, NULL));
    nebula_nearest_offer (&nearest, nebula_value_get_key (dynamic, i, NULL));
  }
  g_string_append (hint, dynamic ? "default, error." : "error.");
  did_you_mean = _nebula_hint_nearest (nearest.best);
  if (did_you_mean) {
    g_string_prepend_c (hint, ' ');
    g_string_prepend (hint, did_you_mean);
  }

  message = g_strdup_printf (_("Node “%s” has no port “%s”"),
                             self->plan->nodes[link->from].id,
                             link->port);
  report (self, link, "unknown-port", hint->str, message);
}

void
_nebula_plan_builder_check_ports (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;

  for (guint i = 0; i < self->links->len; i++) {
    const NebulaPlanLink *link = &g_array_index (self->links, NebulaPlanLink, i);
    NebulaPlanNode *node = &plan->nodes[link->from];

    if (!link->port)
      continue;
    if (strcmp (link->port, "error") == 0)
      node->has_error_edge = TRUE;
    if (!node->info)
      continue;
    /* Only ports that exist are interned: what is interned is never freed. */
    if (has_port (self, link->from, node->info, link->port))
      plan->edges[i].port = g_intern_string (link->port);
    else
      report_port (self, link, node->info);
  }
}
