/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-plan-builder-private.h"

static const NebulaRetry retry_defaults
  = { .attempts = 1, .initial_usec = G_USEC_PER_SEC, .max_usec = 3600 * (gint64) G_USEC_PER_SEC };

static void
report (NebulaPlanBuilder *self, guint32 node, const char *key, NebulaProblem problem, const char *message)
{
  g_autofree char *pointer = _nebula_plan_builder_node_pointer (self, node, key);

  problem.pointer = pointer;
  problem.of_key = problem.of_key || !key;
  _nebula_problems_add (self->problems, &problem, "%s", message);
}

static void
add_join (NebulaPlanBuilder *self, guint32 index, NebulaValue *join)
{
  static const char *const needs[] = { "all", "any", "each", NULL };
  static const char *const rests[] = { "ignore", "block", "cancel", NULL };
  NebulaPlanNode *node = &self->plan->nodes[index];
  NebulaValue *need = join ? nebula_value_get_member (join, "need") : NULL;
  g_autofree char *pointer = NULL;
  NebulaExpressionSite site = { .builder = self, .scope = node->scope, .node = index };

  node->rest = (guint8) _nebula_choose_text (_nebula_member_text (join, "rest"), rests, NEBULA_JOIN_REST_IGNORE);
  node->need = (guint8) _nebula_choose_text (_nebula_member_text (join, "need"), needs, NEBULA_JOIN_ALL);
  if (!need)
    return;

  if (nebula_value_get_kind (need) == NEBULA_VALUE_KIND_INTEGER) {
    node->need = NEBULA_JOIN_COUNT;
    node->need_count = (guint32) CLAMP (nebula_value_get_integer (need), 1, G_MAXINT);
    if (node->need_count > MAX (node->n_in, 1))
      report (self,
              index,
              "join",
              (NebulaProblem) { .code = "schema", .hint = _("Lower “need”, or add connections.") },
              _("This join needs more connections than lead to the node"));
  } else if (nebula_value_get_kind (need) == NEBULA_VALUE_KIND_STRING
             && nebula_expression_is_template (nebula_value_get_string (need))) {
    pointer = _nebula_plan_builder_node_pointer (self, index, "join");
    site.pointer = pointer;
    node->need = NEBULA_JOIN_EXPRESSION;
    node->need_expression
        = _nebula_expression_site_add (&site, need, NEBULA_EXPRESSION_FORM_TEMPLATE);
  }
}

static void
add_lock (NebulaPlanBuilder *self, guint32 index, NebulaValue *value)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  const char *region = _nebula_member_text (value, "region");
  NebulaValue *lock = _nebula_member (value, "lock", NEBULA_VALUE_KIND_STRING);
  g_autofree char *pointer = NULL;
  NebulaExpressionSite site = { .builder = self, .scope = node->scope, .node = index };

  if (region)
    node->region = g_string_chunk_insert_const (self->plan->ids, region);
  if (!lock)
    return;
  site.pointer = pointer = _nebula_plan_builder_node_pointer (self, index, "lock");
  node->lock = _nebula_expression_site_add_template (&site, lock);
}

static void
add_policies (NebulaPlanBuilder *self, guint32 index, NebulaValue *value)
{
  static const char *const on_errors[] = { "fail", "finish", "continue", "collect", NULL };
  static const char *const on_unknowns[] = { "fail", "retry", "ask", NULL };
  NebulaPlan *plan = self->plan;
  NebulaPlanNode *node = &plan->nodes[index];
  NebulaValue *settings = _nebula_member (self->definition, "settings", NEBULA_VALUE_KIND_OBJECT);
  NebulaValue *priority = _nebula_member (value, "priority", NEBULA_VALUE_KIND_INTEGER);
  NebulaValue *disabled = _nebula_member (value, "disabled", NEBULA_VALUE_KIND_BOOLEAN);

  if (!priority)
    priority = _nebula_member (settings, "priority", NEBULA_VALUE_KIND_INTEGER);
  node->priority
      = priority ? (gint32) CLAMP (nebula_value_get_integer (priority), G_MININT32, G_MAXINT32) : 0;
  node->disabled = disabled && nebula_value_get_boolean (disabled);
  node->on_error = (guint8) _nebula_choose_text (_nebula_member_text (value, "on-error"), on_errors, plan->on_error);
  node->on_unknown = (guint8) _nebula_choose_text (_nebula_member_text (value, "on-unknown"),
                                      on_unknowns,
                                      NEBULA_ON_UNKNOWN_FAIL);
  node->timeout_usec = _nebula_member_duration (value, "timeout", 0);
  node->total_timeout_usec = _nebula_member_duration (value, "total-timeout", 0);
  _nebula_retry_read (&node->retry, _nebula_member (value, "retry", NEBULA_VALUE_KIND_OBJECT), &retry_defaults);
  _nebula_plan_builder_add_policy (self, index, value);
  add_lock (self, index, value);
  add_join (self, index, _nebula_member (value, "join", NEBULA_VALUE_KIND_OBJECT));
}

/* What the engine cannot do yet and must not ignore. */
static void
check_unsupported (NebulaPlanBuilder *self, guint32 index, NebulaValue *value)
{
  static const struct
  {
    const char *key;
    const char *hint;
  } keys[] = {
    { "credentials", N_("Give the secret to the action by a parameter.") },
  };

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    NebulaValue *member = nebula_value_get_member (value, keys[i].key);
    g_autofree char *message = NULL;

    if (!member || nebula_value_is_null (member))
      continue;
    message = g_strdup_printf (_("“%s” cannot run in this version"), keys[i].key);
    report (self,
            index,
            keys[i].key,
            (NebulaProblem) { .code = "unsupported", .of_key = TRUE, .hint = _(keys[i].hint) },
            message);
  }
}

/* ID or ID@MAJOR.MINOR. */
static gboolean
split_action (const char *text, char **ret_id, char **ret_version)
{
  const char *at = strchr (text, '@');
  const char *version = at ? at + 1 : NULL;
  gsize major = version ? strspn (version, "0123456789") : 0;

  if (!*text || at == text)
    return FALSE;
  if (at
      && (major == 0 || version[major] != '.' || !version[major + 1]
          || version[major + 1 + strspn (version + major + 1, "0123456789")] != '\0'))
    return FALSE;

  *ret_id = at ? g_strndup (text, (gsize) (at - text)) : g_strdup (text);
  *ret_version = g_strdup (version);
  return TRUE;
}

static NebulaActionEntry *
find_action (NebulaPlanBuilder *self, const char *text)
{
  NebulaActionEntry *entry = g_hash_table_lookup (self->actions, text);
  g_autofree char *id = NULL;
  g_autofree char *version = NULL;
  g_autoptr (GError) error = NULL;

  if (entry)
    return entry;

  entry = g_new0 (NebulaActionEntry, 1);
  if (!split_action (text, &id, &version)) {
    entry->message = g_strdup_printf (_("“%s” is not an action; write its id, or “id@major.minor”"), text);
  } else {
    entry->info = nebula_action_resolver_lookup (self->resolver, id, version, &error);
    if (!entry->info)
      entry->message = g_strdup (error ? error->message : _("No module brings this action"));
  }
  g_hash_table_insert (self->actions, g_strdup (text), entry);
  return entry;
}

static void
add_action (NebulaPlanBuilder *self, guint32 index, NebulaValue *value)
{
  static const char *const effects[] = { "pure", "read", "transactional", "idempotent", "effectful", NULL };
  NebulaPlanNode *node = &self->plan->nodes[index];
  const char *text = _nebula_member_text (value, "action");
  const char *effect = _nebula_member_text (value, "effect");
  NebulaActionEntry *entry;

  if (!self->resolver || !text)
    return;
  entry = find_action (self, text);
  if (!entry->info) {
    report (self,
            index,
            "action",
            (NebulaProblem) { .code = "unknown-action", .hint = _("“nebula inspect” lists all actions.") },
            entry->message);
    return;
  }

  node->info = nebula_action_info_ref (entry->info);
  node->construct = (guint8) nebula_action_info_get_construct (entry->info);
  node->effect = (guint8) _nebula_choose_text (effect, effects, nebula_action_info_get_effect (entry->info));
  node->effect_given = effect != NULL;
}

static void
report_bodies (NebulaPlanBuilder *self, guint32 index, const char *key, const char *hint, const char *format)
{
  const char *id = nebula_action_info_get_id (self->plan->nodes[index].info);
  g_autoptr (GString) message = g_string_new (format);
  NebulaProblem problem = {
    .code = key ? "unknown-parameter" : "missing-parameter",
    .of_key = TRUE,
    .hint = hint,
  };

  g_string_replace (message, "%s", id, 1);
  report (self, index, key, problem, message->str);
}

/* Which bodies a node has is said by its construct. */
static void
check_bodies (NebulaPlanBuilder *self, guint32 index)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  NebulaConstruct construct = node->construct;
  gboolean is_try = construct == NEBULA_CONSTRUCT_TRY;
  gboolean is_race = construct == NEBULA_CONSTRUCT_RACE;
  gboolean has_body = nebula_construct_is_loop (construct) || is_try;

  if (has_body && nebula_plan_find_part (self->plan, index, NEBULA_PART_BODY) == NEBULA_PLAN_NONE)
    report_bodies (self, index, NULL, _("Add “body” with its nodes."), _("%s needs a body"));
  if (!has_body && nebula_plan_find_part (self->plan, index, NEBULA_PART_BODY) != NEBULA_PLAN_NONE)
    report_bodies (self,
                   index,
                   "body",
                   _("flow.for-each, flow.repeat, flow.while and flow.try have bodies."),
                   _("%s takes no body"));
  if (is_race && nebula_plan_find_part (self->plan, index, NEBULA_PART_BRANCH) == NEBULA_PLAN_NONE)
    report_bodies (self, index, NULL, _("Add “bodies”: a name and a body on each line."), _("%s needs bodies"));
  if (!is_race && nebula_plan_find_part (self->plan, index, NEBULA_PART_BRANCH) != NEBULA_PLAN_NONE)
    report_bodies (self, index, "bodies", _("Only flow.race has several bodies."), _("%s takes no “bodies”"));
  if (!is_try && nebula_plan_find_part (self->plan, index, NEBULA_PART_CATCH) != NEBULA_PLAN_NONE)
    report_bodies (self, index, "catch", _("Put the node into the body of flow.try."), _("%s takes no “catch”"));
  if (!is_try && nebula_plan_find_part (self->plan, index, NEBULA_PART_FINALLY) != NEBULA_PLAN_NONE)
    report_bodies (self, index, "finally", _("Put the node into the body of flow.try."), _("%s takes no “finally”"));
}

/* Whether a loop stands around the scope; what a `finally` does cannot end the round outside of it. */
static gboolean
stands_in_loop (NebulaPlan *plan, guint32 scope)
{
  for (; plan->scopes[scope].owner != NEBULA_PLAN_NONE; scope = plan->scopes[scope].parent) {
    NebulaPlanNode *owner = &plan->nodes[plan->scopes[scope].owner];

    if (!owner->info || nebula_construct_is_loop (owner->construct))
      return TRUE;
    if (plan->scopes[scope].part == NEBULA_PART_FINALLY)
      return FALSE;
  }
  return FALSE;
}

/* Whether a node of this region can be seen from a scope. */
static gboolean
sees_region (NebulaPlanBuilder *self, guint32 scope, const char *region)
{
  NebulaPlan *plan = self->plan;

  for (; scope != NEBULA_PLAN_NONE; scope = plan->scopes[scope].parent) {
    for (guint32 i = 0; i < plan->scopes[scope].n_nodes; i++) {
      NebulaValue *value = g_ptr_array_index (self->node_values, plan->scopes[scope].first_node + i);

      if (g_strcmp0 (_nebula_member_text (value, "region"), region) == 0)
        return TRUE;
    }
  }
  return FALSE;
}

/* What flow.cancel names must be there, unless it comes from a template. */
static void
check_cancel (NebulaPlanBuilder *self, guint32 index)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  NebulaValue *with = _nebula_member (g_ptr_array_index (self->node_values, index), "with", NEBULA_VALUE_KIND_OBJECT);
  const char *id = _nebula_member_text (with, "node");
  const char *region = _nebula_member_text (with, "region");
  g_autofree char *message = NULL;
  g_autofree char *hint = NULL;

  if (id && !nebula_expression_is_template (id)
      && nebula_plan_find_node (self->plan, node->scope, id) == NEBULA_PLAN_NONE) {
    message = g_strdup_printf (_("There is no node “%s” that could be named here"), id);
    hint = _nebula_plan_builder_hint_node (self, node->scope, id, TRUE);
  } else if (region && !nebula_expression_is_template (region) && !sees_region (self, node->scope, region)) {
    message = g_strdup_printf (_("No node that can be seen from here stands in the region “%s”"), region);
    hint = g_strdup (_("Write “region” beside the nodes to cancel."));
  }
  if (message)
    report (self, index, "with", (NebulaProblem) { .code = "unknown-node", .hint = hint }, message);
}

/* Whether a for-each stands around; an action that is not known may be one. */
static gboolean
stands_in_for_each (NebulaPlan *plan, guint32 scope)
{
  for (; plan->scopes[scope].owner != NEBULA_PLAN_NONE; scope = plan->scopes[scope].parent) {
    NebulaPlanNode *owner = &plan->nodes[plan->scopes[scope].owner];

    if (!owner->info || owner->construct == NEBULA_CONSTRUCT_FOR_EACH)
      return TRUE;
  }
  return FALSE;
}

static void
check_construct (NebulaPlanBuilder *self, guint32 index)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  const char *id = nebula_action_info_get_id (node->info);
  g_autofree char *message = NULL;
  NebulaProblem problem = { .code = "schema" };

  check_bodies (self, index);
  if (node->on_error == NEBULA_ON_ERROR_COLLECT && node->construct != NEBULA_CONSTRUCT_FOR_EACH) {
    problem.hint = _("It is one of: fail, finish, continue.");
    report (self, index, "on-error", problem, _("Only flow.for-each can collect errors"));
  } else if ((node->construct == NEBULA_CONSTRUCT_BREAK || node->construct == NEBULA_CONSTRUCT_CONTINUE)
             && !stands_in_loop (self->plan, node->scope)) {
    problem.hint = _("Use it in the body of a loop.");
    message = g_strdup_printf (_("%s does not stand in a loop"), id);
    report (self, index, "action", problem, message);
  } else if (node->construct == NEBULA_CONSTRUCT_ADD && !stands_in_for_each (self->plan, node->scope)) {
    problem.hint = _("Use it in the body of flow.for-each.");
    message = g_strdup_printf (_("%s does not stand in a loop"), id);
    report (self, index, "action", problem, message);
  } else if (node->construct == NEBULA_CONSTRUCT_CANCEL)
    check_cancel (self, index);
}

static gboolean
is_undo (NebulaPlan *plan, guint32 index)
{
  const NebulaPlanScope *scope = &plan->scopes[plan->nodes[index].scope];

  return scope->owner != NEBULA_PLAN_NONE && scope->part == NEBULA_PART_UNDO;
}

static void
check_undo (NebulaPlanBuilder *self, guint32 index)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  g_autofree char *message = NULL;

  if (node->construct == NEBULA_CONSTRUCT_NONE)
    return;
  message = g_strdup_printf (_("%s cannot undo anything"), nebula_action_info_get_id (node->info));
  report (self,
          index,
          "action",
          (NebulaProblem) { .code = "schema", .hint = _("Use an action that is no control flow.") },
          message);
}

void
_nebula_plan_builder_add_node_details (NebulaPlanBuilder *self, guint32 index)
{
  NebulaValue *value = g_ptr_array_index (self->node_values, index);

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return;
  add_action (self, index, value);
  add_policies (self, index, value);
  check_unsupported (self, index, value);
  if (self->plan->nodes[index].info && is_undo (self->plan, index))
    check_undo (self, index);
  else if (self->plan->nodes[index].info)
    check_construct (self, index);
  _nebula_plan_builder_add_parameters (self, index, value);
}
