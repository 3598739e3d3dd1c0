/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-plan-builder-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-nearest-internal.h"

#define HINT_CANDIDATES 10000

static void
free_action_entry (NebulaActionEntry *entry)
{
  g_clear_pointer (&entry->info, nebula_action_info_unref);
  g_free (entry->message);
  g_free (entry);
}

static void
clear_query (gpointer data)
{
  g_clear_pointer (&((NebulaUpstreamQuery *) data)->pointer, g_free);
}

static void
nebula_plan_builder_init (NebulaPlanBuilder *self, NebulaValue *definition, NebulaProblems *problems)
{
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();

  memset (self, 0, sizeof *self);
  self->definition = definition;
  self->problems = problems;
  self->plan = _nebula_plan_new ();
  self->node_values = g_ptr_array_new ();
  self->scope_values = g_ptr_array_new ();
  self->made_values = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  self->links = g_array_new (FALSE, TRUE, sizeof (NebulaPlanLink));
  self->queries = g_array_new (FALSE, TRUE, sizeof (NebulaUpstreamQuery));
  g_array_set_clear_func (self->queries, clear_query);
  self->checks = g_array_new (FALSE, TRUE, sizeof (NebulaTypeCheck));
  g_array_set_clear_func (self->checks, _nebula_type_check_clear);
  self->actions = g_hash_table_new_full (g_str_hash,
                                         g_str_equal,
                                         g_free,
                                         (GDestroyNotify) free_action_entry);
  self->nothing = nebula_template_new (empty, NULL, NULL);
}

static void
nebula_plan_builder_clear (NebulaPlanBuilder *self)
{
  g_clear_pointer (&self->plan, nebula_plan_unref);
  g_clear_pointer (&self->node_values, g_ptr_array_unref);
  g_clear_pointer (&self->scope_values, g_ptr_array_unref);
  g_clear_pointer (&self->made_values, g_ptr_array_unref);
  g_clear_pointer (&self->links, g_array_unref);
  g_clear_pointer (&self->queries, g_array_unref);
  g_clear_pointer (&self->checks, g_array_unref);
  g_clear_pointer (&self->actions, g_hash_table_unref);
  g_clear_pointer (&self->nothing, nebula_template_unref);
  g_clear_pointer (&self->component, g_free);
  g_clear_pointer (&self->enter, g_free);
  g_clear_pointer (&self->leave, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaPlanBuilder, nebula_plan_builder_clear)

char *
_nebula_plan_builder_scope_pointer (NebulaPlanBuilder *self, guint32 scope)
{
  static const char *const keys[] = { "body", "catch", "finally", "bodies", "undo" };
  const NebulaPlanScope *place = &self->plan->scopes[scope];
  g_autofree char *pointer = NULL;

  if (place->owner == NEBULA_PLAN_NONE)
    return g_strdup ("");
  pointer = _nebula_plan_builder_node_pointer (self, place->owner, keys[place->part]);
  return place->name ? _nebula_pointer_append (pointer, place->name) : g_steal_pointer (&pointer);
}

char *
_nebula_plan_builder_node_pointer (NebulaPlanBuilder *self, guint32 node, const char *key)
{
  const NebulaPlanScope *place = &self->plan->scopes[self->plan->nodes[node].scope];
  g_autofree char *scope = NULL;
  g_autofree char *nodes = NULL;
  g_autofree char *pointer = NULL;

  if (place->owner != NEBULA_PLAN_NONE && place->part == NEBULA_PART_UNDO) {
    pointer = _nebula_plan_builder_node_pointer (self, place->owner, "undo");
    return key ? _nebula_pointer_append (pointer, key) : g_steal_pointer (&pointer);
  }
  scope = _nebula_plan_builder_scope_pointer (self, self->plan->nodes[node].scope);
  nodes = _nebula_pointer_append (scope, "nodes");
  pointer = _nebula_pointer_append (nodes, self->plan->nodes[node].id);
  return key ? _nebula_pointer_append (pointer, key) : g_steal_pointer (&pointer);
}

char *
_nebula_plan_builder_link_pointer (NebulaPlanBuilder *self, const NebulaPlanLink *link)
{
  g_autofree char *list = NULL;

  if (link->is_after) {
    list = _nebula_plan_builder_node_pointer (self, link->to, "after");
  } else {
    g_autofree char *scope = _nebula_plan_builder_scope_pointer (self, link->scope);

    list = _nebula_pointer_append (scope, "connections");
  }
  return g_strdup_printf ("%s/%u", list, link->item);
}

guint32
_nebula_plan_builder_find_in_scope (NebulaPlanBuilder *self, guint32 scope, const char *text)
{
  guint32 node = nebula_plan_find_node (self->plan, scope, text);

  if (node == NEBULA_PLAN_NONE || self->plan->nodes[node].scope != scope)
    return NEBULA_PLAN_NONE;
  return node;
}

char *
_nebula_plan_builder_hint_node (NebulaPlanBuilder *self, guint32 scope, const char *text, gboolean outer_too)
{
  NebulaPlan *plan = self->plan;
  NebulaNearest nearest;

  if (_nebula_problems_is_full (self->problems))
    return NULL;
  nebula_nearest_init (&nearest, text);
  do {
    NebulaPlanScope *place = &plan->scopes[scope];

    for (guint32 i = 0; i < MIN (place->n_nodes, HINT_CANDIDATES); i++)
      nebula_nearest_offer (&nearest, plan->nodes[place->first_node + i].id);
    scope = place->parent;
  } while (outer_too && scope != NEBULA_PLAN_NONE);
  return _nebula_hint_nearest (nearest.best);
}

static void
report_too_many_nodes (NebulaPlanBuilder *self)
{
  _nebula_problems_add (self->problems,
                        &(NebulaProblem) {
                            .code = "too-many-nodes",
                            .pointer = "/nodes",
                            .of_key = TRUE,
                            .hint = _("Split the workflow into sub-workflows, or raise the limit in the configuration."),
                        },
                        _("A workflow must not have more than %u nodes"),
                        self->limits.max_nodes);
}

typedef struct
{
  NebulaPlanBuilder *builder;
  GArray *nodes;  /* NebulaPlanNode */
  GArray *scopes; /* NebulaPlanScope */
} NebulaCollection;

static void
collect_scope (NebulaCollection *self, NebulaPlanScope scope, NebulaValue *value)
{
  g_array_append_val (self->scopes, scope);
  g_ptr_array_add (self->builder->scope_values, value);
}

/* The bodies of a node, one after the other. */
static void
collect_bodies (NebulaCollection *self, guint32 scope, NebulaValue *value)
{
  static const char *const keys[] = { "body", "catch", "finally" };
  NebulaValue *bodies = _nebula_member (value, "bodies", NEBULA_VALUE_KIND_OBJECT);
  NebulaPlanScope part = { .owner = self->nodes->len, .parent = scope };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    NebulaValue *body = _nebula_member (value, keys[i], NEBULA_VALUE_KIND_OBJECT);

    part.part = (guint8) (NEBULA_PART_BODY + i);
    if (body)
      collect_scope (self, part, body);
  }
  part.part = NEBULA_PART_BRANCH;
  for (gsize i = 0; bodies && i < nebula_value_get_length (bodies); i++) {
    const char *name = nebula_value_get_key (bodies, i, NULL);

    part.name = g_string_chunk_insert (self->builder->plan->ids, name);
    collect_scope (self, part, nebula_value_get_member_at (bodies, i));
  }
}

/* A scope of one node, made of what is written beside the node that it undoes. */
static guint32
collect_undo (NebulaCollection *self, guint32 scope, NebulaValue *value)
{
  NebulaValue *undo = _nebula_member (value, "undo", NEBULA_VALUE_KIND_OBJECT);
  NebulaPlanScope part = { .owner = self->nodes->len, .parent = scope, .part = NEBULA_PART_UNDO };
  g_autoptr (NebulaValueBuilder) nodes = NULL;
  g_autoptr (NebulaValueBuilder) body = NULL;
  NebulaValue *made;

  if (!undo)
    return NEBULA_PLAN_NONE;
  nodes = nebula_value_builder_new_object ();
  body = nebula_value_builder_new_object ();
  nebula_value_builder_set (nodes, "undo", undo);
  nebula_value_builder_set_take (body, "nodes", nebula_value_builder_end (nodes));
  made = nebula_value_builder_end (body);
  g_ptr_array_add (self->builder->made_values, made);
  collect_scope (self, part, made);
  return self->scopes->len - 1;
}

static void
collect_node (NebulaCollection *self, guint32 scope, const char *id, NebulaValue *value)
{
  guint32 first = self->scopes->len;
  NebulaPlanNode node = {
    .id = g_string_chunk_insert (self->builder->plan->ids, id),
    .scope = scope,
  };

  collect_bodies (self, scope, value);
  node.n_bodies = self->scopes->len - first;
  node.body = node.n_bodies > 0 ? first : NEBULA_PLAN_NONE;
  node.undo = collect_undo (self, scope, value);
  g_array_append_val (self->nodes, node);
  g_ptr_array_add (self->builder->node_values, value);
}

/* Scope after scope, so that the nodes of one are neighbours. */
static gboolean
collect (NebulaCollection *self)
{
  NebulaPlanBuilder *builder = self->builder;

  collect_scope (self,
                 (NebulaPlanScope) { .owner = NEBULA_PLAN_NONE, .parent = NEBULA_PLAN_NONE },
                 builder->definition);
  for (guint32 s = 0; s < self->scopes->len; s++) {
    NebulaValue *nodes = _nebula_member (g_ptr_array_index (builder->scope_values, s),
                                         "nodes",
                                         NEBULA_VALUE_KIND_OBJECT);
    gsize n = nodes ? nebula_value_get_length (nodes) : 0;

    g_array_index (self->scopes, NebulaPlanScope, s).first_node = self->nodes->len;
    if (self->nodes->len + n > builder->limits.max_nodes)
      return FALSE;
    for (gsize i = 0; i < n; i++)
      collect_node (self,
                    s,
                    nebula_value_get_key (nodes, i, NULL),
                    nebula_value_get_member_at (nodes, i));
    g_array_index (self->scopes, NebulaPlanScope, s).n_nodes = (guint32) n;
  }
  return TRUE;
}

static gboolean
add_nodes (NebulaPlanBuilder *self)
{
  g_autoptr (GArray) nodes = g_array_new (FALSE, TRUE, sizeof (NebulaPlanNode));
  g_autoptr (GArray) scopes = g_array_new (FALSE, TRUE, sizeof (NebulaPlanScope));
  NebulaCollection collection = { self, nodes, scopes };
  gboolean fits = collect (&collection);

  if (!fits) {
    report_too_many_nodes (self);
    return FALSE;
  }
  self->plan->n_nodes = nodes->len;
  self->plan->n_scopes = scopes->len;
  self->plan->nodes = (NebulaPlanNode *) g_array_free (g_steal_pointer (&nodes), FALSE);
  self->plan->scopes = (NebulaPlanScope *) g_array_free (g_steal_pointer (&scopes), FALSE);
  _nebula_plan_index (self->plan);
  return TRUE;
}

/* An inner id that hides an outer one is allowed, but seldom meant. */
static void
check_hidden (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;

  if (plan->ids_are_unique)
    return;
  for (guint32 i = 0; i < plan->n_nodes; i++) {
    guint32 parent = plan->scopes[plan->nodes[i].scope].parent;
    g_autofree char *pointer = NULL;

    if (parent == NEBULA_PLAN_NONE || plan->scopes[plan->nodes[i].scope].part == NEBULA_PART_UNDO
        || nebula_plan_find_node (plan, parent, plan->nodes[i].id) == NEBULA_PLAN_NONE)
      continue;
    pointer = _nebula_plan_builder_node_pointer (self, i, NULL);
    _nebula_problems_add (self->problems,
                          &(NebulaProblem) {
                              .severity = NEBULA_SEVERITY_WARNING,
                              .code = "duplicate-id",
                              .pointer = pointer,
                              .of_key = TRUE,
                              .hint = _("Give one of the two another id."),
                          },
                          _("Node “%s” hides a node of the same id outside of this body"),
                          plan->nodes[i].id);
  }
}

static gint64
duration_of (NebulaValue *value, const char *key)
{
  const char *text = _nebula_member_text (value, key);
  gint64 usec = 0;

  return text && nebula_duration_parse (text, &usec, NULL) ? usec : 0;
}

static void
add_settings (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;
  NebulaValue *settings = _nebula_member (self->definition, "settings", NEBULA_VALUE_KIND_OBJECT);
  const char *on_error = _nebula_member_text (settings, "on-error");

  plan->missing_is_null = settings && nebula_value_get_member_boolean (settings, "missing-is-null", FALSE);
  nebula_durability_from_string (_nebula_member_text (settings, "durability"), &plan->durability);
  if (g_strcmp0 (on_error, "finish") == 0)
    plan->on_error = NEBULA_ON_ERROR_FINISH;
  else if (g_strcmp0 (on_error, "continue") == 0)
    plan->on_error = NEBULA_ON_ERROR_CONTINUE;
  plan->timeout_usec = duration_of (settings, "timeout");
  _nebula_plan_builder_add_priority (self, settings);
  _nebula_plan_builder_add_gates (self, settings);
}

static void
add_input (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;
  NebulaValue *input = _nebula_member (self->definition, "input", NEBULA_VALUE_KIND_OBJECT);
  NebulaValue *variables = _nebula_member (self->definition, "variables", NEBULA_VALUE_KIND_OBJECT);

  if (input)
    plan->input_schema = _nebula_input_schema_compile (input, &(NebulaPath) { NULL, "input", 0 }, self->problems);
  plan->variables = variables ? nebula_value_ref (variables) : nebula_value_new_empty_object ();
}

static void
add_results (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;

  for (guint32 s = 0; s < plan->n_scopes; s++) {
    NebulaValue *scope = g_ptr_array_index (self->scope_values, s);
    const char *key = s == 0 ? "output" : "result";
    g_autofree char *outer = NULL;
    g_autofree char *pointer = NULL;
    NebulaExpressionSite site = { .builder = self, .scope = s, .node = NEBULA_PLAN_NONE };

    if (nebula_value_get_kind (scope) != NEBULA_VALUE_KIND_OBJECT
        || !nebula_value_has_member (scope, key))
      continue;
    outer = _nebula_plan_builder_scope_pointer (self, s);
    pointer = _nebula_pointer_append (outer, key);
    site.pointer = pointer;
    plan->scopes[s].result
        = _nebula_expression_site_add_template (&site, nebula_value_get_member (scope, key));
  }
}

static void
add_conditions (NebulaPlanBuilder *self)
{
  for (guint i = 0; i < self->links->len; i++) {
    NebulaPlanLink *link = &g_array_index (self->links, NebulaPlanLink, i);
    g_autofree char *outer = NULL;
    g_autofree char *pointer = NULL;
    NebulaExpressionSite site = {
      .builder = self,
      .scope = link->scope,
      .node = link->from,
      .node_itself = TRUE,
      .is_condition = TRUE,
    };

    if (!link->when || nebula_value_get_kind (link->when) != NEBULA_VALUE_KIND_STRING)
      continue;
    outer = _nebula_plan_builder_link_pointer (self, link);
    pointer = _nebula_pointer_append (outer, "when");
    site.pointer = pointer;
    self->plan->edges[i].when
        = _nebula_expression_site_add (&site, link->when, NEBULA_EXPRESSION_FORM_EITHER);
  }
}

/* Inner scopes come after outer ones, so one walk backwards tells all. */
static void
mark_unwinding (NebulaPlan *plan)
{
  for (guint32 s = plan->n_scopes; s-- > 1;) {
    NebulaPlanScope *scope = &plan->scopes[s];

    if (scope->unwinds || scope->part == NEBULA_PART_FINALLY || scope->part == NEBULA_PART_UNDO)
      plan->scopes[scope->parent].unwinds = TRUE;
  }
}

static void
finish (NebulaPlanBuilder *self)
{
  NebulaPlan *plan = self->plan;

  mark_unwinding (plan);
  plan->name = g_strdup (_nebula_member_text (self->definition, "name"));
  plan->definition = _nebula_schema_order (self->definition);
  plan->hash = _nebula_schema_hash (plan->definition);
}

NebulaPlan *
_nebula_plan_build (NebulaValue *definition,
                    NebulaActionResolver *resolver,
                    const NebulaPlanLimits *limits,
                    NebulaProblems *problems)
{
  static const NebulaPlanLimits defaults = { NEBULA_LIMIT_NODES, NEBULA_LIMIT_CONNECTIONS, FALSE };
  g_auto (NebulaPlanBuilder) self;

  nebula_plan_builder_init (&self, definition, problems);
  self.resolver = resolver;
  self.limits = limits ? *limits : defaults;

  if (!add_nodes (&self))
    return NULL;
  _nebula_schema_check (definition, NEBULA_SCHEMA_PASS_MEANING, problems);
  if (!_nebula_plan_builder_add_edges (&self))
    return NULL;
  check_hidden (&self);
  _nebula_plan_builder_analyse (&self);

  add_settings (&self);
  add_input (&self);
  for (guint32 i = 0; i < self.plan->n_nodes; i++)
    _nebula_plan_builder_add_node_details (&self, i);
  _nebula_plan_builder_check_ports (&self);
  _nebula_plan_builder_check_ends (&self);
  add_conditions (&self);
  add_results (&self);
  _nebula_plan_builder_answer (&self);
  _nebula_plan_builder_check_types (&self);

  if (problems->n_errors > 0 || !resolver)
    return NULL;
  finish (&self);
  _nebula_plan_builder_add_calls (&self);
  if (problems->n_errors > 0)
    return NULL;
  return g_steal_pointer (&self.plan);
}
