/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-json.h"
#include "nebula-nearest-internal.h"
#include "nebula-plan-builder-private.h"

/* The `with` of one node on its way. */
typedef struct
{
  NebulaPlanBuilder *builder;
  guint32 node;
  NebulaParameterTable *table; /* NULL: the action is not known */
  NebulaValue *with;
  const char *pointer; /* of `with` */
  GArray *late;        /* NebulaLateItem; NULL: none yet */
} NebulaWith;

typedef struct
{
  const char *parameter;
  const char *key;
  NebulaExpression *expression;
} NebulaLateItem;

static void
clear_late_item (gpointer data)
{
  g_clear_pointer (&((NebulaLateItem *) data)->expression, nebula_expression_unref);
}

/* Where expressions of a node stand: what undoes a node sees what the node sees, and its result. */
static NebulaExpressionSite
make_site (NebulaPlanBuilder *builder, guint32 node, const char *pointer)
{
  guint32 scope = builder->plan->nodes[node].scope;
  const NebulaPlanScope *place = &builder->plan->scopes[scope];
  NebulaExpressionSite site = { .builder = builder, .scope = scope, .node = node, .pointer = pointer };

  if (place->owner != NEBULA_PLAN_NONE && place->part == NEBULA_PART_UNDO) {
    site.scope = place->parent;
    site.node = place->owner;
    site.node_itself = TRUE;
  }
  return site;
}

static void
report (NebulaWith *self, const char *key, NebulaProblem problem, const char *message)
{
  g_autofree char *pointer = _nebula_pointer_append (self->pointer, key);

  problem.pointer = pointer;
  _nebula_problems_add (self->builder->problems, &problem, "%s", message);
}

static void
report_mismatch (NebulaWith *self, const char *key, const char *hint, const char *message)
{
  report (self, key, (NebulaProblem) { .code = "type-mismatch", .hint = hint }, message);
}

static void
report_unknown (NebulaWith *self, const char *key)
{
  NebulaActionInfo *info = self->builder->plan->nodes[self->node].info;
  g_autofree char *message = NULL;
  g_autofree char *hint = NULL;
  NebulaNearest nearest;

  nebula_nearest_init (&nearest, key);
  for (guint i = 0; i < nebula_parameter_table_get_length (self->table); i++)
    nebula_nearest_offer (&nearest,
                          nebula_parameter_get_name (nebula_parameter_table_get_item (self->table, i)));
  hint = _nebula_hint_nearest (nearest.best);
  message = g_strdup_printf (_("%s has no parameter “%s”"), nebula_action_info_get_id (info), key);
  report (self, key, (NebulaProblem) { .code = "unknown-parameter", .of_key = TRUE, .hint = hint }, message);
}

/* The parameter that takes a key; NULL: none. */
static NebulaParameter *
find_parameter (NebulaWith *self, const char *key, gsize length)
{
  NebulaParameter *parameter = NULL;

  if (strlen (key) == length)
    parameter = nebula_parameter_table_lookup (self->table, key);
  return parameter ? parameter : nebula_parameter_table_get_rest (self->table);
}

static gboolean
is_late (NebulaParameter *parameter)
{
  NebulaParameterKind kind = nebula_parameter_get_kind (parameter);

  return kind == NEBULA_PARAMETER_KIND_EXPRESSION || kind == NEBULA_PARAMETER_KIND_EXPRESSIONS;
}

/* One late expression; numbers and booleans stand for themselves. */
static void
add_late (NebulaWith *self, const char *parameter, const char *key, NebulaValue *value, const char *pointer)
{
  NebulaExpressionSite site = make_site (self->builder, self->node, pointer);
  g_autoptr (NebulaValue) text = NULL;
  NebulaLateItem item = { g_intern_string (parameter), key ? g_intern_string (key) : NULL, NULL };

  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING) {
    text = nebula_value_ref (value);
  } else if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_BOOLEAN
             || nebula_value_is_number (value)) {
    char *json = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);

    text = nebula_value_new_string_take (json, strlen (json));
  } else {
    _nebula_problems_add (self->builder->problems,
                          &(NebulaProblem) {
                              .code = "type-mismatch",
                              .pointer = pointer,
                              .hint = _("Write an expression as text, such as $item.price > 10."),
                          },
                          _("“%s” must be an expression, not %s"),
                          parameter,
                          nebula_value_kind_to_string (nebula_value_get_kind (value)));
    return;
  }

  site.items = TRUE;
  item.expression = _nebula_expression_site_add (&site, text, NEBULA_EXPRESSION_FORM_BARE);
  if (!item.expression)
    return;
  if (!self->late) {
    self->late = g_array_new (FALSE, FALSE, sizeof (NebulaLateItem));
    g_array_set_clear_func (self->late, clear_late_item);
  }
  g_array_append_val (self->late, item);
}

static void
add_late_parameter (NebulaWith *self, NebulaParameter *parameter, NebulaValue *value)
{
  const char *name = nebula_parameter_get_name (parameter);
  g_autofree char *pointer = _nebula_pointer_append (self->pointer, name);

  if (nebula_parameter_get_kind (parameter) == NEBULA_PARAMETER_KIND_EXPRESSION) {
    add_late (self, name, NULL, value, pointer);
    return;
  }
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT) {
    report_mismatch (self,
                     name,
                     _("Write an object: a name and an expression on each line."),
                     _("This must be an object of expressions"));
    return;
  }
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    const char *key = nebula_value_get_key (value, i, NULL);
    g_autofree char *inner = _nebula_pointer_append (pointer, key);

    add_late (self, name, key, nebula_value_get_member_at (value, i), inner);
  }
}

/* Splits `with`: late expressions are compiled; the rest is returned, also unknown keys, whose templates are checked. */
static NebulaValue *
split (NebulaWith *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gboolean is_whole = TRUE;

  for (gsize i = 0; self->table && i < nebula_value_get_length (self->with); i++) {
    NebulaValue *member = nebula_value_get_member_at (self->with, i);
    gsize length;
    const char *key = nebula_value_get_key (self->with, i, &length);
    NebulaParameter *parameter = find_parameter (self, key, length);

    if (parameter && is_late (parameter)) {
      is_whole = FALSE;
      add_late_parameter (self, parameter, member);
      continue;
    }
    if (!parameter)
      report_unknown (self, key);
    nebula_value_builder_set_length_take (builder, key, length, nebula_value_ref (member));
  }
  return is_whole ? nebula_value_ref (self->with) : nebula_value_builder_end (builder);
}

static void
validate (NebulaWith *self, NebulaParameter *parameter, NebulaValue *value)
{
  const char *name = nebula_parameter_get_name (parameter);
  g_autoptr (GError) error = NULL;

  if (nebula_parameter_validate (parameter, value, &error))
    return;
  if (nebula_parameter_get_kind (parameter) == NEBULA_PARAMETER_KIND_DURATION)
    report (self, name, (NebulaProblem) { .code = "bad-duration" }, error->message);
  else
    report_mismatch (self, name, NULL, error->message);
}

/* Notes the member of `with` that holds an expression. */
static void
note_template (const char *pointer, NebulaExpression *expression, gpointer user_data)
{
  const char *end = strchr (pointer + 1, '/');

  g_hash_table_add (user_data, end ? g_strndup (pointer + 1, (gsize) (end - pointer - 1)) : g_strdup (pointer + 1));
}

/* A template: its value is known only if it needs nothing from outside. */
static void
check_templated (NebulaWith *self, NebulaParameter *parameter, NebulaValue *constant)
{
  const char *name = nebula_parameter_get_name (parameter);

  if (nebula_parameter_get_flags (parameter) & NEBULA_PARAMETER_FLAGS_NO_TEMPLATE)
    report_mismatch (self, name, _("Write the value itself."), _("This value must not come from a template"));
  else if (constant)
    validate (self, parameter, constant);
}

static gboolean
is_template (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING
         && nebula_expression_is_template (nebula_value_get_string (value));
}

static void
check_value (NebulaWith *self, NebulaParameter *parameter, NebulaValue *value, gboolean is_open)
{
  g_autoptr (NebulaExpression) expression = NULL;

  if (is_open) {
    check_templated (self, parameter, NULL);
  } else if (is_template (value)) {
    /* It was folded when it was compiled; one that does not compile is reported already. */
    expression = nebula_expression_compile_template (nebula_value_get_string (value), NULL);
    if (expression)
      check_templated (self, parameter, nebula_expression_get_constant (expression));
  } else {
    validate (self, parameter, value);
  }
}

static void
check_values (NebulaWith *self, NebulaTemplate *template_, NebulaValue *values)
{
  g_autoptr (GHashTable) open = NULL; /* members with expressions that wait for the run */

  if (!nebula_template_is_constant (template_)) {
    open = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    nebula_template_foreach (template_, note_template, open);
  }
  for (gsize i = 0; i < nebula_value_get_length (values); i++) {
    const char *key = nebula_value_get_key (values, i, NULL);
    NebulaParameter *parameter = nebula_parameter_table_lookup (self->table, key);
    g_autofree char *step = NULL;

    if (!parameter || parameter == nebula_parameter_table_get_rest (self->table))
      continue;
    step = open ? _nebula_pointer_append ("", key) : NULL;
    check_value (self,
                 parameter,
                 nebula_value_get_member_at (values, i),
                 step && g_hash_table_contains (open, step + 1));
  }
}

static void
check_missing (NebulaWith *self, NebulaValue *with)
{
  NebulaActionInfo *info = self->builder->plan->nodes[self->node].info;

  for (guint i = 0; i < nebula_parameter_table_get_length (self->table); i++) {
    NebulaParameter *parameter = nebula_parameter_table_get_item (self->table, i);
    const char *name = nebula_parameter_get_name (parameter);
    const char *description = nebula_parameter_get_description (parameter);
    g_autofree char *pointer = NULL;

    if (!(nebula_parameter_get_flags (parameter) & NEBULA_PARAMETER_FLAGS_REQUIRED)
        || parameter == nebula_parameter_table_get_rest (self->table)
        || nebula_value_has_member (with, name) || !nebula_parameter_is_visible (parameter, with))
      continue;
    pointer = _nebula_plan_builder_node_pointer (self->builder, self->node, NULL);
    _nebula_problems_add (self->builder->problems,
                          &(NebulaProblem) {
                              .code = "missing-parameter",
                              .pointer = pointer,
                              .of_key = TRUE,
                              .hint = description && *description ? description : NULL,
                          },
                          _("%s needs the parameter “%s”"),
                          nebula_action_info_get_id (info),
                          name);
  }
}

static NebulaLateExpressions *
pack_late (GArray *late)
{
  NebulaLateExpressions *packed;

  if (!late)
    return NULL;
  packed = g_malloc0 (sizeof *packed + late->len * sizeof packed->items[0]);
  packed->n_items = late->len;
  for (guint i = 0; i < late->len; i++) {
    NebulaLateItem *item = &g_array_index (late, NebulaLateItem, i);

    packed->items[i].parameter = item->parameter;
    packed->items[i].key = item->key;
    packed->items[i].expression = nebula_expression_ref (item->expression);
  }
  return packed;
}

void
_nebula_plan_builder_add_parameters (NebulaPlanBuilder *self, guint32 index, NebulaValue *value)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  NebulaValue *with = _nebula_member (value, "with", NEBULA_VALUE_KIND_OBJECT);
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();
  g_autofree char *pointer = NULL;
  g_autoptr (NebulaValue) rest = NULL;
  NebulaWith state = { self, index, NULL, with ? with : empty, NULL, NULL };

  if (node->info)
    state.table = nebula_action_info_get_parameters (node->info);
  if (!with || nebula_value_get_length (with) == 0) {
    node->with = nebula_template_ref (self->nothing);
  } else {
    NebulaExpressionSite site = make_site (self, index, NULL);

    site.items = node->construct == NEBULA_CONSTRUCT_WHILE;
    site.table = state.table;
    state.pointer = site.pointer = pointer = _nebula_plan_builder_node_pointer (self, index, "with");
    rest = split (&state);
    node->with = _nebula_expression_site_add_template (&site, rest);
    node->late = pack_late (state.late);
    g_clear_pointer (&state.late, g_array_unref);
    if (state.table && node->with)
      check_values (&state, node->with, rest);
  }
  if (state.table)
    check_missing (&state, state.with);
}
