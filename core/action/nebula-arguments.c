/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a class-level evaluation gets: parameters with their defaults, and late expressions over items and groups. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-action-private.h"
#include "nebula-expression-limits.h"
#include "nebula-frozen-internal.h"

/**
 * nebula_arguments_get: (skip)
 * @self: arguments
 * @name: name of a parameter
 *
 * The value of a parameter as it was set, else its default.
 *
 * Thread: any.
 *
 * Returns: (transfer none) (nullable): a value that lives as long as @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_arguments_get (const NebulaArguments *self, const char *name)
{
  NebulaParameter *parameter = NULL;
  NebulaValue *value = NULL;

  if (self->parameters != NULL)
    value = nebula_value_get_member (self->parameters, name);
  if (value != NULL || self->table == NULL)
    return value;

  parameter = nebula_parameter_table_lookup (self->table, name);
  return parameter != NULL ? nebula_parameter_get_default (parameter) : NULL;
}

/**
 * nebula_arguments_get_n_expressions: (skip)
 * @self: arguments
 * @name: name of a parameter of the kind expression or expressions
 *
 * How many expressions were given.
 *
 * Returns: their number; 0 if the parameter is not set
 *
 * Since: 1.0
 */
guint
nebula_arguments_get_n_expressions (const NebulaArguments *self, const char *name)
{
  guint count = 0;

  for (guint i = 0; self->expressions != NULL && i < self->expressions->n_items; i++) {
    if (strcmp (self->expressions->items[i].parameter, name) == 0)
      count++;
  }
  return count;
}

/**
 * nebula_arguments_get_expression_at: (skip)
 * @self: arguments
 * @name: name of a parameter of the kind expression or expressions
 * @index: a place below nebula_arguments_get_n_expressions()
 * @ret_key: (out) (optional) (nullable): the member's key; %NULL for the kind expression
 *
 * One of the expressions of a parameter, in the order in which they were written.
 *
 * Returns: (transfer none) (nullable): an expression that lives as long as @self
 *
 * Since: 1.0
 */
NebulaExpression *
nebula_arguments_get_expression_at (const NebulaArguments *self, const char *name, guint index, const char **ret_key)
{
  for (guint i = 0; self->expressions != NULL && i < self->expressions->n_items; i++) {
    if (strcmp (self->expressions->items[i].parameter, name) != 0 || index-- > 0)
      continue;
    if (ret_key != NULL)
      *ret_key = self->expressions->items[i].key;
    return self->expressions->items[i].expression;
  }
  return NULL;
}

/**
 * nebula_arguments_get_expression: (skip)
 * @self: arguments
 * @name: name of a parameter of the kind expression
 *
 * The expression of a parameter.
 *
 * Returns: (transfer none) (nullable): an expression that lives as long as @self; %NULL if it is not set
 *
 * Since: 1.0
 */
NebulaExpression *
nebula_arguments_get_expression (const NebulaArguments *self, const char *name)
{
  return nebula_arguments_get_expression_at (self, name, 0, NULL);
}

/* Two names above an environment; all else is asked of that environment, and its fuel is charged. */
typedef struct
{
  NebulaEnvironment environment;
  NebulaEnvironment *outer; /* may be NULL */
  const char *value_name;   /* item or items */
  NebulaValue *value;       /* may be NULL: not set */
  const char *key_name;     /* index or key */
  NebulaValue *key;         /* may be NULL: not set, or made from index when asked for */
  gint64 index;
} Overlay;

static NebulaValue *
overlay_get_variable (const NebulaEnvironment *environment, const char *name, GError **error)
{
  Overlay *self = environment->data;

  if (self->value != NULL && strcmp (name, self->value_name) == 0)
    return nebula_value_ref (self->value);
  if (strcmp (name, self->key_name) == 0) {
    if (self->key != NULL)
      return nebula_value_ref (self->key);
    if (self->index >= 0)
      return nebula_value_new_integer (self->index);
  }
  if (self->outer == NULL || self->outer->get_variable == NULL)
    return NULL;
  return self->outer->get_variable (self->outer, name, error);
}

static NebulaValue *
overlay_get_node (const NebulaEnvironment *environment, const char *id, NebulaNodeField field, GError **error)
{
  Overlay *self = environment->data;

  if (self->outer != NULL && self->outer->get_node != NULL)
    return self->outer->get_node (self->outer, id, field, error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME, _("No node “%s” can be seen from here"), id);
  return NULL;
}

static NebulaValue *
overlay_get_loop (const NebulaEnvironment *environment, const char *loop_id, const char *field, GError **error)
{
  Overlay *self = environment->data;

  if (self->outer != NULL && self->outer->get_loop != NULL)
    return self->outer->get_loop (self->outer, loop_id, field, error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME, _("No loop “%s” can be seen from here"), loop_id);
  return NULL;
}

static guint64
overlay_get_random (const NebulaEnvironment *environment, guint call_index)
{
  Overlay *self = environment->data;

  if (self->outer != NULL && self->outer->get_random != NULL)
    return self->outer->get_random (self->outer, call_index);
  return 0;
}

static NebulaValue *
overlay_evaluate (Overlay *self, const NebulaArguments *arguments, NebulaExpression *expression, GError **error)
{
  NebulaEnvironment *outer = arguments->environment;
  NebulaEnvironment thawed;
  NebulaValue *result;

  if (outer == NULL && arguments->frozen != NULL) {
    nebula_frozen_init_environment (arguments->frozen, &thawed);
    outer = &thawed;
  }

  self->outer = outer;
  self->environment.get_variable = overlay_get_variable;
  self->environment.get_node = overlay_get_node;
  self->environment.get_loop = overlay_get_loop;
  self->environment.get_random = overlay_get_random;
  self->environment.data = self;
  self->environment.must_not_wait = outer != NULL && outer->must_not_wait;
  self->environment.missing_is_null = outer != NULL && outer->missing_is_null;
  self->environment.fuel = outer != NULL ? outer->fuel : nebula_expression_limits_get ()->fuel;
  self->environment.random_calls = outer != NULL ? outer->random_calls : 0;

  result = nebula_expression_evaluate (expression, &self->environment, error);
  if (outer != NULL) {
    outer->fuel = self->environment.fuel;
    outer->random_calls = self->environment.random_calls;
  }
  if (outer == &thawed)
    nebula_frozen_settle (arguments->frozen, &thawed);
  return result;
}

/**
 * nebula_arguments_evaluate_item: (skip)
 * @self: arguments
 * @expression: one of its expressions
 * @item: (nullable): what `$item` is; %NULL leaves the outer one
 * @index: what `$index` is; negative leaves the outer one
 *
 * Evaluates over one item. The steps are taken from the fuel of the node-run.
 *
 * Errors: those of nebula_expression_evaluate().
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_arguments_evaluate_item (const NebulaArguments *self, NebulaExpression *expression, NebulaValue *item,
                                gint64 index, GError **error)
{
  Overlay overlay = { .value_name = "item", .value = item, .key_name = "index", .index = index };

  return overlay_evaluate (&overlay, self, expression, error);
}

/**
 * nebula_arguments_evaluate_group: (skip)
 * @self: arguments
 * @expression: one of its expressions
 * @items: (nullable): what `$items` is: the group
 * @key: (nullable): what `$key` is
 *
 * Evaluates over a group of items. The steps are taken from the fuel of the node-run.
 *
 * Errors: those of nebula_expression_evaluate().
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_arguments_evaluate_group (const NebulaArguments *self, NebulaExpression *expression, NebulaValue *items,
                                 NebulaValue *key, GError **error)
{
  Overlay overlay = { .value_name = "items", .value = items, .key_name = "key", .key = key, .index = -1 };

  return overlay_evaluate (&overlay, self, expression, error);
}

NebulaLateExpressions *
_nebula_late_expressions_copy (const NebulaLateExpressions *expressions)
{
  NebulaLateExpressions *copy;

  if (expressions == NULL)
    return NULL;

  copy = g_malloc0 (sizeof *copy + expressions->n_items * sizeof copy->items[0]);
  copy->n_items = expressions->n_items;
  for (guint i = 0; i < copy->n_items; i++) {
    copy->items[i].parameter = expressions->items[i].parameter;
    copy->items[i].key = expressions->items[i].key;
    copy->items[i].expression = nebula_expression_ref (expressions->items[i].expression);
  }
  return copy;
}

void
_nebula_late_expressions_free (NebulaLateExpressions *expressions)
{
  for (guint i = 0; i < expressions->n_items; i++)
    nebula_expression_unref (expressions->items[i].expression);
  g_free (expressions);
}
