/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of the names that an expression may use. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-completion-private.h"

G_DEFINE_BOXED_TYPE (NebulaExpressionScope,
                     nebula_expression_scope,
                     nebula_expression_scope_ref,
                     nebula_expression_scope_unref)

/* Names of the language and what they mean; the same as in docs/expressions.md. */
static const NebulaScopeField variables[] = {
    {"env", N_ ("The environment variables that the configuration allows.")},
    {"error", N_ ("In “catch” and “finally”: the error, or null.")},
    {"execution", N_ ("The execution, as it was created.")},
    {"index", N_ ("The index of the innermost loop, from 0.")},
    {"input", N_ ("The input of the workflow.")},
    {"item", N_ ("The item of the innermost loop.")},
    {"json", N_ ("The input of this node.")},
    {"loop", N_ ("The loops around this, by their ids.")},
    {"nodes", N_ ("The nodes that ran before, by their ids.")},
    {"now", N_ ("The time at which the node became ready.")},
    {"tenant", N_ ("The tenant to whom the execution belongs.")},
    {"today", N_ ("The day on which the node became ready.")},
    {"trigger", N_ ("What started the execution.")},
    {"user", N_ ("The user who started the execution.")},
    {"vars", N_ ("The variables of the workflow.")},
    {"workflow", N_ ("The workflow, as it was when the execution was created.")},
};

const NebulaScopeField _nebula_node_fields[] = {
    {"result", N_ ("What the node gave, null if nothing.")},
    {"status", N_ ("The status of the node, such as “completed”.")},
    {"success", N_ ("Whether the node completed.")},
    {"error", N_ ("The error of the node, or null.")},
    {"attempts", N_ ("How often the node was tried.")},
    {NULL, NULL},
};

const NebulaScopeField _nebula_loop_fields[] = {
    {"item", N_ ("The item of this loop.")},
    {"index", N_ ("The index of this loop, from 0.")},
    {"last", N_ ("What the last round of this loop gave.")},
    {NULL, NULL},
};

const char *
_nebula_variable_describe (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    if (strcmp (variables[i].name, name) == 0)
      return _ (variables[i].description);
  return NULL;
}

static void
free_name (gpointer data)
{
  NebulaScopeName *self = data;

  g_clear_pointer (&self->schema, nebula_value_unref);
  g_clear_pointer (&self->value, nebula_value_unref);
  g_free (self->name);
  g_free (self->description);
  g_free (self);
}

const NebulaScopeName *
_nebula_scope_find (GPtrArray *names, const char *name)
{
  for (guint i = 0; i < names->len; i++) {
    const NebulaScopeName *candidate = g_ptr_array_index (names, i);

    if (strcmp (candidate->name, name) == 0)
      return candidate;
  }
  return NULL;
}

static void
add (GPtrArray *names,
     const char *name,
     NebulaValue *schema,
     NebulaValue *value,
     const char *description)
{
  NebulaScopeName *added = g_new0 (NebulaScopeName, 1);

  added->name = g_strdup (name);
  added->schema = schema != NULL ? nebula_value_ref (schema) : NULL;
  added->value = value != NULL ? nebula_value_ref (value) : NULL;
  added->description = g_strdup (description);
  g_ptr_array_add (names, added);
}

NebulaType
_nebula_scope_name_get_type (const NebulaScopeName *self)
{
  if (self->value != NULL)
    return nebula_type_from_value (self->value);
  return nebula_type_from_schema (self->schema);
}

static NebulaType
get_node_type (const NebulaExpressionScope *self, const char *id, const char *field)
{
  const NebulaScopeName *node = id != NULL ? _nebula_scope_find (self->nodes, id) : NULL;

  if (field == NULL)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_OBJECT);
  if (strcmp (field, "status") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_STRING);
  if (strcmp (field, "success") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_BOOLEAN);
  if (strcmp (field, "attempts") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_INTEGER);
  return node != NULL && strcmp (field, "result") == 0
             ? _nebula_scope_name_get_type (node)
             : nebula_type_any ();
}

static NebulaType
get_loop_type (const NebulaExpressionScope *self, const char *id, const char *field)
{
  const NebulaScopeName *loop = id != NULL ? _nebula_scope_find (self->loops, id) : NULL;

  if (g_strcmp0 (field, "index") == 0)
    return nebula_type_from_kind (NEBULA_VALUE_KIND_INTEGER);
  return loop != NULL && g_strcmp0 (field, "item") == 0
             ? _nebula_scope_name_get_type (loop)
             : nebula_type_any ();
}

NebulaType
_nebula_expression_scope_get_type (const NebulaExpressionScope *self,
                                   const char *name,
                                   const char *id,
                                   const char *field)
{
  const NebulaScopeName *variable;

  if (strcmp (name, "nodes") == 0)
    return get_node_type (self, id, field);
  if (strcmp (name, "loop") == 0)
    return get_loop_type (self, id, field);
  variable = _nebula_scope_find (self->variables, name);
  return variable != NULL ? _nebula_scope_name_get_type (variable) : nebula_type_any ();
}

/**
 * nebula_expression_scope_new:
 *
 * Makes a scope that knows no names.
 *
 * Thread: any.
 *
 * Returns: (transfer full): a scope
 *
 * Since: 1.0
 */
NebulaExpressionScope *
nebula_expression_scope_new (void)
{
  NebulaExpressionScope *self = g_new0 (NebulaExpressionScope, 1);

  g_atomic_ref_count_init (&self->references);
  self->variables = g_ptr_array_new_with_free_func (free_name);
  self->nodes = g_ptr_array_new_with_free_func (free_name);
  self->loops = g_ptr_array_new_with_free_func (free_name);
  return self;
}

/* Of an object id → something the member @key of each. */
static void
add_parts (GPtrArray *names, NebulaValue *parts, const char *key)
{
  if (nebula_value_get_kind (parts) != NEBULA_VALUE_KIND_OBJECT)
    return;
  for (gsize i = 0; i < nebula_value_get_length (parts); i++) {
    NebulaValue *part = nebula_value_get_member_at (parts, i);
    gboolean is_object = nebula_value_get_kind (part) == NEBULA_VALUE_KIND_OBJECT;

    add (names, nebula_value_get_key (parts, i, NULL), NULL,
         is_object ? nebula_value_get_member (part, key) : NULL, NULL);
  }
}

/**
 * nebula_expression_scope_new_for_data:
 * @data: an object whose members become variables
 *
 * Makes a scope that knows what nebula_expression_evaluate_data() would find in @data, values included.
 *
 * Thread: any.
 *
 * Returns: (transfer full): a scope
 *
 * Since: 1.0
 */
NebulaExpressionScope *
nebula_expression_scope_new_for_data (NebulaValue *data)
{
  NebulaExpressionScope *self;

  g_return_val_if_fail (data != NULL, NULL);
  g_return_val_if_fail (nebula_value_get_kind (data) == NEBULA_VALUE_KIND_OBJECT, NULL);

  self = nebula_expression_scope_new ();
  for (gsize i = 0; i < nebula_value_get_length (data); i++) {
    const char *key = nebula_value_get_key (data, i, NULL);
    NebulaValue *value = nebula_value_get_member_at (data, i);

    if (strcmp (key, "nodes") == 0)
      add_parts (self->nodes, value, "result");
    else if (strcmp (key, "loop") == 0)
      add_parts (self->loops, value, "item");
    else
      add (self->variables, key, NULL, value, NULL);
  }
  return self;
}

/**
 * nebula_expression_scope_ref:
 * @self: a scope
 *
 * Takes a reference.
 *
 * Thread: any.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaExpressionScope *
nebula_expression_scope_ref (NebulaExpressionScope *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_expression_scope_unref:
 * @self: (transfer full): a scope
 *
 * Gives a reference back; the last one frees the scope.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_expression_scope_unref (NebulaExpressionScope *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_ptr_array_unref (self->variables);
  g_ptr_array_unref (self->nodes);
  g_ptr_array_unref (self->loops);
  g_clear_pointer (&self->functions, nebula_function_set_unref);
  g_free (self);
}

/**
 * nebula_expression_scope_add_variable:
 * @self: a scope
 * @name: a name without its dollar; not `nodes` or `loop`
 * @schema: (nullable): a JSON Schema of its value
 * @description: (nullable): a sentence for people; %NULL for names of the language, which have one
 *
 * Tells of a variable.
 *
 * Thread: any, one at a time.
 *
 * Since: 1.0
 */
void
nebula_expression_scope_add_variable (NebulaExpressionScope *self,
                                      const char *name,
                                      NebulaValue *schema,
                                      const char *description)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (name != NULL);

  add (self->variables, name, schema, NULL, description);
}

/**
 * nebula_expression_scope_add_node:
 * @self: a scope
 * @id: the id of a node that may be named
 * @schema: (nullable): a JSON Schema of its result
 * @description: (nullable): a few words for people, such as its title
 *
 * Tells of a node.
 *
 * Thread: any, one at a time.
 *
 * Since: 1.0
 */
void
nebula_expression_scope_add_node (NebulaExpressionScope *self,
                                  const char *id,
                                  NebulaValue *schema,
                                  const char *description)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (id != NULL);

  add (self->nodes, id, schema, NULL, description);
}

/**
 * nebula_expression_scope_add_loop:
 * @self: a scope
 * @id: the id of a loop around the expression
 * @schema: (nullable): a JSON Schema of its items
 *
 * Tells of a loop.
 *
 * Thread: any, one at a time.
 *
 * Since: 1.0
 */
void
nebula_expression_scope_add_loop (NebulaExpressionScope *self,
                                  const char *id,
                                  NebulaValue *schema)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (id != NULL);

  add (self->loops, id, schema, NULL, NULL);
}

/**
 * nebula_expression_scope_set_functions:
 * @self: a scope
 * @functions: (nullable): functions that modules bring
 *
 * Tells of functions beside the built-in ones.
 *
 * Thread: any, one at a time.
 *
 * Since: 1.0
 */
void
nebula_expression_scope_set_functions (NebulaExpressionScope *self,
                                       NebulaFunctionSet *functions)
{
  g_return_if_fail (self != NULL);

  if (functions != NULL)
    nebula_function_set_ref (functions);
  g_clear_pointer (&self->functions, nebula_function_set_unref);
  self->functions = functions;
}
