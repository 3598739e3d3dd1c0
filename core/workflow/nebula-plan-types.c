/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Types: once all nodes are known, each expression is checked against what the names in it are known to be: the schema of
 * the input, the constants, the results that actions declare; and its result against the parameter that takes it.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-check-internal.h"
#include "nebula-plan-builder-private.h"

#define BIT(kind)     (1u << NEBULA_VALUE_KIND_##kind)
#define RESULTS_DEPTH 8 /* nodes that pass on what another gave */

typedef struct {
  NebulaPlanBuilder *builder;
  const NebulaTypeCheck *check;
  GPtrArray *schemas; /* made here; NebulaValue */
} TypeSite;

void
_nebula_type_check_clear (gpointer data)
{
  NebulaTypeCheck *self = data;

  g_clear_pointer (&self->expression, nebula_expression_unref);
  g_clear_pointer (&self->pointer, g_free);
}

/* Takes note of an expression; it is checked when all nodes are known. */
void
_nebula_plan_builder_queue_check (const NebulaExpressionSite *site,
                                  NebulaExpression *expression,
                                  const char *inner_pointer)
{
  NebulaTypeCheck check = {
      .expression = nebula_expression_ref (expression),
      .pointer = g_strconcat (site->pointer, inner_pointer, NULL),
      .scope = site->scope,
      .node = site->node_itself ? NEBULA_PLAN_NONE : site->node,
      .nothing_ran = site->nothing_ran,
      .of_start = site->of_start,
      .items = site->items,
      .is_condition = site->is_condition,
      .integer = site->integer,
  };

  /* A parameter's own value, not one inside it. */
  if (site->table && *inner_pointer == '/' && !strchr (inner_pointer + 1, '/'))
    check.parameter = nebula_parameter_table_lookup (site->table, inner_pointer + 1);
  g_array_append_val (site->builder->checks, check);
}

static NebulaType
get_result (TypeSite *self, guint32 node, guint depth);

static NebulaType
get_input_type (TypeSite *self)
{
  NebulaValue *settings =
      _nebula_member (self->builder->definition, "settings", NEBULA_VALUE_KIND_OBJECT);

  if (!self->check->of_start && _nebula_member (settings, "batch", NEBULA_VALUE_KIND_OBJECT))
    return nebula_type_from_kind (NEBULA_VALUE_KIND_ARRAY);
  return nebula_type_from_schema (
      _nebula_member (self->builder->definition, "input", NEBULA_VALUE_KIND_OBJECT));
}

/* What a node finds in $json. */
static NebulaType
get_input (TypeSite *self, guint32 node, guint depth)
{
  NebulaPlan *plan = self->builder->plan;
  const NebulaPlanNode *place = &plan->nodes[node];
  const NebulaPlanEdge *edge;

  if (place->n_in > 1)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_OBJECT);
  if (place->n_in == 0)
    return plan->scopes[place->scope].owner == NEBULA_PLAN_NONE
               ? get_input_type (self)
               : nebula_type_any ();
  edge = &plan->edges[plan->in_edges[place->first_in]];
  if (edge->port && strcmp (edge->port, "error") == 0)
    return nebula_type_any ();
  return get_result (self, edge->from, depth);
}

/* The members that `with` names; what a template gives is not known before. */
static NebulaType
get_members (TypeSite *self, const NebulaPlanNode *node)
{
  g_autoptr (NebulaValueBuilder) properties = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) schema = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) anything = nebula_value_new_empty_object ();
  NebulaValue *with = node->with ? nebula_template_get_value (node->with) : NULL;
  NebulaValue *made;

  if (!with || nebula_value_get_kind (with) != NEBULA_VALUE_KIND_OBJECT)
    return nebula_type_any ();
  if (nebula_template_is_constant (node->with)) {
    made = nebula_template_evaluate (node->with, NULL, NULL);
    g_ptr_array_add (self->schemas, made);
    return nebula_type_from_value (made);
  }
  for (gsize i = 0; i < nebula_value_get_length (with); i++) {
    gsize length;
    const char *key = nebula_value_get_key (with, i, &length);

    nebula_value_builder_set_length_take (properties, key, length,
                                          nebula_value_ref (anything));
  }
  nebula_value_builder_set_string (schema, "type", "object");
  nebula_value_builder_set_take (schema, "properties",
                                 nebula_value_builder_end (properties));
  nebula_value_builder_set_boolean (schema, "additionalProperties", FALSE);
  made = nebula_value_builder_end (schema);
  g_ptr_array_add (self->schemas, made);
  return nebula_type_from_schema (made);
}

static NebulaType
get_result (TypeSite *self, guint32 node, guint depth)
{
  const NebulaPlanNode *place = &self->builder->plan->nodes[node];
  NebulaValue *result = place->info ? nebula_action_info_get_result (place->info) : NULL;
  const char *word;

  if (place->disabled || !result || depth == 0)
    return nebula_type_any ();
  if (nebula_value_get_kind (result) != NEBULA_VALUE_KIND_STRING)
    return nebula_type_from_schema (result);
  word = nebula_value_get_string (result);
  if (strcmp (word, "input") == 0)
    return get_input (self, node, depth - 1);
  return strcmp (word, "parameters") == 0 ? get_members (self, place)
                                          : nebula_type_any ();
}

static NebulaType
get_node_field (TypeSite *self, const char *id, const char *field)
{
  guint32 target = id ? nebula_plan_find_node (self->builder->plan, self->check->scope, id)
                      : NEBULA_PLAN_NONE;

  if (!field)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_OBJECT);
  if (strcmp (field, "status") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_STRING);
  if (strcmp (field, "success") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_BOOLEAN);
  if (strcmp (field, "attempts") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_INTEGER);
  if (strcmp (field, "result") == 0 && target != NEBULA_PLAN_NONE)
    return get_result (self, target, RESULTS_DEPTH);
  return nebula_type_any ();
}

static const struct {
  const char *name;
  NebulaValueKind kind;
} fixed_names[] = {
    {"env", NEBULA_VALUE_KIND_OBJECT},       {"execution", NEBULA_VALUE_KIND_OBJECT},
    {"inputs", NEBULA_VALUE_KIND_OBJECT},    {"now", NEBULA_VALUE_KIND_TIMESTAMP},
    {"tenant", NEBULA_VALUE_KIND_STRING},    {"today", NEBULA_VALUE_KIND_DATE},
    {"workflow", NEBULA_VALUE_KIND_OBJECT},
};

static NebulaType
get_variable (TypeSite *self, const char *name)
{
  NebulaPlan *plan = self->builder->plan;
  const NebulaTypeCheck *check = self->check;

  for (guint i = 0; i < G_N_ELEMENTS (fixed_names); i++)
    if (strcmp (name, fixed_names[i].name) == 0)
      return nebula_type_from_kind (fixed_names[i].kind);
  if (strcmp (name, "vars") == 0)
    return nebula_type_from_value (plan->variables);
  if (strcmp (name, "input") == 0)
    return get_input_type (self);
  if (strcmp (name, "index") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_INTEGER);
  if (strcmp (name, "items") == 0 && check->items)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_ARRAY);
  if (strcmp (name, "json") == 0 && check->node != NEBULA_PLAN_NONE)
    return get_input (self, check->node, RESULTS_DEPTH);
  return nebula_type_any ();
}

static NebulaType
get_type (const NebulaTypeScope *scope, const char *name, const char *id, const char *field)
{
  TypeSite *self = scope->data;

  if (strcmp (name, "nodes") == 0)
    return get_node_field (self, id, field);
  if (strcmp (name, "loop") == 0)
    return g_strcmp0 (field, "index") == 0
               ? nebula_type_from_kind (NEBULA_VALUE_KIND_INTEGER)
               : nebula_type_any ();
  return get_variable (self, name);
}

static void
report (TypeSite *self, const NebulaTypeProblem *found, const char *code)
{
  _nebula_problems_add (self->builder->problems,
                        &(NebulaProblem){
                            .code = code,
                            .pointer = self->check->pointer,
                            .hint = found->hint,
                            .text = nebula_expression_get_text (self->check->expression),
                            .text_line = found->line,
                            .text_column = found->column,
                        },
                        "%s", found->message);
}

static void
on_problem (const NebulaTypeScope *scope, const NebulaTypeProblem *problem)
{
  report (scope->data, problem,
          problem->code == NEBULA_ERROR_TYPE ? "type-mismatch" : "bad-expression");
}

static void
report_result (TypeSite *self, guint32 found, guint32 wanted, const char *name)
{
  g_autofree char *given = nebula_type_to_words (found);
  g_autofree char *takes = nebula_type_to_words (wanted);
  g_autofree char *message = NULL;
  NebulaTypeProblem problem = {.line = 1, .column = 1};

  if (name)
    message = g_strdup_printf (_ ("“%s” takes %s, but this gives %s"), name, takes, given);
  else
    message = g_strdup_printf (_ ("A condition is a boolean, not %s"), given);
  problem.message = message;
  if (!name)
    problem.hint = _ ("Compare it with something, as in x != 0 or length (x) > 0.");
  else if (found == BIT (NULL))
    problem.hint = _ ("Give a default for null with “??”.");
  report (self, &problem, "type-mismatch");
}

/* A parameter takes some kinds; a condition is a boolean, or null. */
static void
check_result (TypeSite *self, const NebulaType *type)
{
  NebulaParameter *parameter = self->check->parameter;
  guint32 wanted = NEBULA_TYPE_KINDS_ANY;

  if (self->check->is_condition)
    wanted = BIT (BOOLEAN) | BIT (NULL);
  else if (self->check->integer)
    wanted = BIT (INTEGER);
  else if (parameter)
    wanted = nebula_parameter_get_accepted_kinds (parameter);
  if (!(type->kinds & wanted))
    report_result (self, type->kinds, wanted,
                   parameter ? nebula_parameter_get_name (parameter) : self->check->integer);
}

void
_nebula_plan_builder_check_types (NebulaPlanBuilder *self)
{
  g_autoptr (GPtrArray) schemas =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);

  for (guint i = 0; i < self->checks->len; i++) {
    TypeSite site = {self, &g_array_index (self->checks, NebulaTypeCheck, i), schemas};
    NebulaTypeScope scope = {get_type, on_problem, &site, self->plan->missing_is_null};
    guint before = self->problems->n_errors;
    NebulaType type;

    if (_nebula_problems_is_full (self->problems))
      return;
    type = nebula_expression_check (site.check->expression, &scope);
    if (self->problems->n_errors == before)
      check_result (&site, &type);
    g_ptr_array_set_size (schemas, 0);
  }
}
