/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A template is a tree that follows the value only where something has to be evaluated: all that is constant is one leaf
 * with its value, shared by every evaluation.
 */

#include "nebula-template.h"

#include <glib/gi18n-lib.h>

#include "nebula-expression-private.h"

typedef struct _TemplateNode TemplateNode;
struct _TemplateNode {
  NebulaValue *value;           /* a constant, or the container as written */
  NebulaExpression *expression; /* of a string with holes */
  GPtrArray *children;          /* of a container with something to evaluate */
};

struct _NebulaTemplate {
  gatomicrefcount references;
  NebulaValue *value;
  TemplateNode *root;
};

G_DEFINE_BOXED_TYPE (NebulaTemplate,
                     nebula_template,
                     nebula_template_ref,
                     nebula_template_unref)

typedef struct {
  GString *pointer;
  NebulaTemplateProblem problem;
  NebulaTemplateVisitor visitor;
  gpointer user_data;
  NebulaFunctionSet *functions;
} Walk;

static void
template_node_free (gpointer data)
{
  TemplateNode *node = data;

  g_clear_pointer (&node->value, nebula_value_unref);
  g_clear_pointer (&node->expression, nebula_expression_unref);
  g_clear_pointer (&node->children, g_ptr_array_unref);
  g_free (node);
}

static TemplateNode *
new_constant (NebulaValue *value)
{
  TemplateNode *node = g_new0 (TemplateNode, 1);

  node->value = nebula_value_ref (value);
  return node;
}

static gboolean
is_constant (const TemplateNode *node)
{
  return node->expression == NULL && node->children == NULL;
}

static gboolean
is_object (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
}

/* Puts the step to member @index behind the pointer; gives the length to go back to. */
static gsize
enter (Walk *walk, NebulaValue *container, gsize index)
{
  gsize length = walk->pointer->len;
  gsize key_length;
  const char *key;

  if (!is_object (container)) {
    g_string_append_printf (walk->pointer, "/%" G_GSIZE_FORMAT, index);
    return length;
  }
  key = nebula_value_get_key (container, index, &key_length);
  g_string_append_c (walk->pointer, '/');
  for (gsize i = 0; i < key_length; i++) {
    if (key[i] == '~')
      g_string_append (walk->pointer, "~0");
    else if (key[i] == '/')
      g_string_append (walk->pointer, "~1");
    else
      g_string_append_c (walk->pointer, key[i]);
  }
  return length;
}

static NebulaValue *
get_child (NebulaValue *container, gsize index)
{
  return is_object (container) ? nebula_value_get_member_at (container, index)
                               : nebula_value_get_item (container, index);
}

static TemplateNode *
build_string (Walk *walk, NebulaValue *value)
{
  g_autoptr (GError) error = NULL;
  TemplateNode *node = g_new0 (TemplateNode, 1);
  NebulaExpression *expression;

  expression =
      nebula_expression_compile_with_functions (nebula_value_get_string (value), TRUE,
                                                walk->functions, &error);
  if (expression == NULL) {
    if (walk->problem != NULL)
      walk->problem (walk->pointer->str, error, walk->user_data);
    node->value = nebula_value_ref (value);
    return node;
  }
  if (nebula_expression_get_constant (expression) == NULL) {
    node->expression = expression;
    return node;
  }
  node->value = nebula_value_ref (nebula_expression_get_constant (expression));
  nebula_expression_unref (expression);
  return node;
}

/* The value of a container, given those of its children. */
static NebulaValue *
assemble (NebulaValue *container, GPtrArray *values)
{
  g_autoptr (NebulaValueBuilder) builder = is_object (container)
                                               ? nebula_value_builder_new_object ()
                                               : nebula_value_builder_new_array ();

  for (guint i = 0; i < values->len; i++) {
    gsize length;
    const char *key;

    if (!is_object (container)) {
      nebula_value_builder_add (builder, g_ptr_array_index (values, i));
      continue;
    }
    key = nebula_value_get_key (container, i, &length);
    nebula_value_builder_set_length_take (
        builder, key, length, nebula_value_ref (g_ptr_array_index (values, i)));
  }
  return nebula_value_builder_end (builder);
}

static TemplateNode *build (Walk *walk, NebulaValue *value);

static TemplateNode *
build_container (Walk *walk, NebulaValue *value)
{
  TemplateNode *node = g_new0 (TemplateNode, 1);
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  gsize count = nebula_value_get_length (value);
  gboolean is_same = TRUE, is_fixed = TRUE;

  node->value = nebula_value_ref (value);
  node->children = g_ptr_array_new_full ((guint) count, template_node_free);
  for (gsize i = 0; i < count; i++) {
    gsize length = enter (walk, value, i);
    TemplateNode *child = build (walk, get_child (value, i));

    g_string_truncate (walk->pointer, length);
    g_ptr_array_add (node->children, child);
    g_ptr_array_add (values, child->value);
    is_fixed = is_fixed && is_constant (child);
    is_same = is_same && child->value == get_child (value, i);
  }
  if (!is_fixed)
    return node;
  if (!is_same) {
    nebula_value_unref (node->value);
    node->value = assemble (value, values);
  }
  g_clear_pointer (&node->children, g_ptr_array_unref);
  return node;
}

static TemplateNode *
build (Walk *walk, NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_STRING &&
      nebula_expression_is_template (nebula_value_get_string (value)))
    return build_string (walk, value);
  if (kind == NEBULA_VALUE_KIND_ARRAY || kind == NEBULA_VALUE_KIND_OBJECT)
    return build_container (walk, value);
  return new_constant (value);
}

static NebulaTemplate *
make_template (NebulaValue *value, TemplateNode *root)
{
  NebulaTemplate *self = g_new0 (NebulaTemplate, 1);

  g_atomic_ref_count_init (&self->references);
  self->value = nebula_value_ref (value);
  self->root = root;
  return self;
}

/**
 * nebula_template_new: (skip)
 * @value: any value
 * @problem: (nullable) (scope call) (closure user_data): called for each string that does not compile
 * @user_data: data for @problem
 *
 * Makes a template out of @value. A string that does not compile is told to @problem and kept as it is written.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the template
 *
 * Since: 1.0
 */
NebulaTemplate *
nebula_template_new (NebulaValue *value,
                     NebulaTemplateProblem problem,
                     gpointer user_data)
{
  return nebula_template_new_with_functions (value, NULL, problem, user_data);
}

/**
 * nebula_template_new_with_functions: (skip)
 * @value: any value
 * @functions: (nullable): functions of modules
 * @problem: (nullable) (scope call) (closure user_data): called for each string that does not compile
 * @user_data: data for @problem
 *
 * Makes a template as nebula_template_new() does, whose expressions may call @functions too.
 *
 * Thread: any, if the loader of @functions allows it.
 *
 * Returns: (transfer full): the template
 *
 * Since: 1.0
 */
NebulaTemplate *
nebula_template_new_with_functions (NebulaValue *value,
                                    NebulaFunctionSet *functions,
                                    NebulaTemplateProblem problem,
                                    gpointer user_data)
{
  g_autoptr (GString) pointer = g_string_new (NULL);
  Walk walk = {.pointer = pointer, .problem = problem, .user_data = user_data};

  g_return_val_if_fail (value != NULL, NULL);

  walk.functions = functions;
  return make_template (value, build (&walk, value));
}

/**
 * nebula_template_new_constant:
 * @value: any value
 *
 * Makes a template that gives @value as it is: braces in its strings mean nothing.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the template
 *
 * Since: 1.0
 */
NebulaTemplate *
nebula_template_new_constant (NebulaValue *value)
{
  g_return_val_if_fail (value != NULL, NULL);

  return make_template (value, new_constant (value));
}

/**
 * nebula_template_ref:
 * @self: a template
 *
 * Takes a reference.
 *
 * Thread: any.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaTemplate *
nebula_template_ref (NebulaTemplate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_template_unref:
 * @self: (transfer full): a template
 *
 * Gives a reference back; the last one frees the template.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_template_unref (NebulaTemplate *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  nebula_value_unref (self->value);
  template_node_free (self->root);
  g_free (self);
}

/**
 * nebula_template_is_constant:
 * @self: a template
 *
 * Tells whether nothing has to be evaluated: every environment gives the same value.
 *
 * Thread: any.
 *
 * Returns: whether it is constant
 *
 * Since: 1.0
 */
gboolean
nebula_template_is_constant (NebulaTemplate *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return is_constant (self->root);
}

/**
 * nebula_template_get_value:
 * @self: a template
 *
 * Gets the value that the template was made of, with its holes.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the value, as long as @self lives
 *
 * Since: 1.0
 */
NebulaValue *
nebula_template_get_value (NebulaTemplate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->value;
}

static void
visit (Walk *walk, TemplateNode *node)
{
  if (node->expression != NULL)
    walk->visitor (walk->pointer->str, node->expression, walk->user_data);
  for (guint i = 0; node->children != NULL && i < node->children->len; i++) {
    gsize length = enter (walk, node->value, i);

    visit (walk, g_ptr_array_index (node->children, i));
    g_string_truncate (walk->pointer, length);
  }
}

/**
 * nebula_template_foreach: (skip)
 * @self: a template
 * @visitor: (scope call) (closure user_data): called for each expression
 * @user_data: data for @visitor
 *
 * Visits the expressions that have to be evaluated, in the order of the value.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_template_foreach (NebulaTemplate *self,
                         NebulaTemplateVisitor visitor,
                         gpointer user_data)
{
  g_autoptr (GString) pointer = g_string_new (NULL);
  Walk walk = {.pointer = pointer, .visitor = visitor, .user_data = user_data};

  g_return_if_fail (self != NULL);
  g_return_if_fail (visitor != NULL);

  visit (&walk, self->root);
}

static NebulaValue *
evaluate (TemplateNode *node, NebulaEnvironment *environment, GError **error)
{
  g_autoptr (GPtrArray) values = NULL;

  if (node->expression != NULL)
    return nebula_expression_evaluate (node->expression, environment, error);
  if (node->children == NULL)
    return nebula_value_ref (node->value);
  values =
      g_ptr_array_new_full (node->children->len, (GDestroyNotify) nebula_value_unref);
  for (guint i = 0; i < node->children->len; i++) {
    NebulaValue *value =
        evaluate (g_ptr_array_index (node->children, i), environment, error);

    if (value == NULL)
      return NULL;
    g_ptr_array_add (values, value);
  }
  return assemble (node->value, values);
}

/**
 * nebula_template_evaluate: (skip)
 * @self: a template
 * @environment: (nullable): where names are found
 * @error: return location for an error
 *
 * Evaluates all expressions of the template, in order, and puts their values in place.
 *
 * Errors: those of nebula_expression_evaluate(); the first one ends it. %NEBULA_ERROR_TOO_DEEP (terminal) if the value
 * nests deeper than 128 levels.
 *
 * Thread: any; @environment belongs to the caller's.
 *
 * Returns: (transfer full): the value, or %NULL with @error set
 *
 * Since: 1.0
 */
NebulaValue *
nebula_template_evaluate (NebulaTemplate *self,
                          NebulaEnvironment *environment,
                          GError **error)
{
  g_autoptr (NebulaValue) value = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  value = evaluate (self->root, environment, error);
  if (value != NULL && nebula_value_get_depth (value) > NEBULA_LIMIT_DEPTH) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP,
                 _ ("The value nests deeper than %d levels. Flatten it."),
                 NEBULA_LIMIT_DEPTH);
    return NULL;
  }
  return g_steal_pointer (&value);
}
