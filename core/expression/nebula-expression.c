/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public face of expressions. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

#define FIRST_SLICE 50000 /* steps that are taken before the clock is looked at */

G_DEFINE_BOXED_TYPE (NebulaExpression,
                     nebula_expression,
                     nebula_expression_ref,
                     nebula_expression_unref)

/**
 * nebula_expression_compile:
 * @text: an expression, without braces around it
 * @error: return location for an error
 *
 * Compiles an expression. docs/expressions.md describes the language.
 *
 * The message of an error has the line and column, the line with a caret below, and often a hint.
 *
 * Errors (all terminal): %NEBULA_ERROR_SYNTAX; %NEBULA_ERROR_TOO_DEEP above 64 levels; %NEBULA_ERROR_TOO_LARGE above
 * 10,000 characters; %NEBULA_ERROR_UNKNOWN_NAME for a function, a bare name or a field that nodes do not have;
 * %NEBULA_ERROR_ARITY; %NEBULA_ERROR_TYPE for a lambda where none is taken; %NEBULA_ERROR_OVERFLOW for a number that does
 * not fit; %NEBULA_ERROR_REGEX.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the expression, or %NULL with @error set
 *
 * Since: 1.0
 */
NebulaExpression *
nebula_expression_compile (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return _nebula_expression_compile_full (text, NEBULA_COMPILE_NONE, error);
}

/**
 * nebula_expression_compile_template:
 * @text: text with holes `{{ expression }}`
 * @error: return location for an error
 *
 * Compiles a template. Where @text is exactly one hole the value keeps its type, else it is text.
 *
 * Errors: as for nebula_expression_compile(), with the limit of 10,000 characters on each hole and of 1 MiB on the whole.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the template, or %NULL with @error set
 *
 * Since: 1.0
 */
NebulaExpression *
nebula_expression_compile_template (const char *text, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return _nebula_expression_compile_full (text, NEBULA_COMPILE_TEMPLATE, error);
}

/**
 * nebula_expression_compile_with_functions:
 * @text: an expression, or a template
 * @is_template: whether @text is a template
 * @functions: (nullable): functions that may be called beside the built-in ones
 * @error: return location for an error
 *
 * Compiles with functions that modules bring.
 *
 * Errors: as for nebula_expression_compile(); %NEBULA_ERROR_MODULE_BROKEN (terminal) if the code of a function cannot be
 * loaded.
 *
 * Thread: any, if the loader of @functions allows it.
 *
 * Returns: (transfer full): the expression, or %NULL with @error set
 *
 * Since: 1.0
 */
NebulaExpression *
nebula_expression_compile_with_functions (const char *text,
                                          gboolean is_template,
                                          NebulaFunctionSet *functions,
                                          GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return _nebula_expression_compile_with (
      text, is_template ? NEBULA_COMPILE_TEMPLATE : NEBULA_COMPILE_NONE, functions, error);
}

/**
 * nebula_expression_ref:
 * @self: an expression
 *
 * Takes a reference.
 *
 * Thread: any.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaExpression *
nebula_expression_ref (NebulaExpression *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_expression_unref:
 * @self: (transfer full): an expression
 *
 * Gives a reference back; the last one frees the expression.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_expression_unref (NebulaExpression *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  for (guint i = 0; i < self->n_constants; i++)
    _nebula_cell_release (&self->constants[i]);
  g_clear_pointer (&self->constant, nebula_value_unref);
  g_ptr_array_unref (self->patterns);
  g_ptr_array_unref (self->paths);
  g_ptr_array_unref (self->queries);
  g_clear_pointer (&self->set, nebula_function_set_unref);
  g_free (self->text);
  g_free (self->code);
  g_free (self->hints);
  g_free (self->positions);
  g_free (self->constants);
  g_free (self->externals);
  g_free (self->reads);
  g_free (self->functions);
  g_free (self);
}

/**
 * nebula_expression_get_text:
 * @self: an expression
 *
 * Gets the text that was compiled.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the text, as long as @self lives
 *
 * Since: 1.0
 */
const char *
nebula_expression_get_text (NebulaExpression *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->text;
}

/**
 * nebula_expression_get_constant:
 * @self: an expression
 *
 * Gets the value of an expression that is the same in every environment.
 *
 * Thread: any.
 *
 * Returns: (transfer none) (nullable): the value, as long as @self lives, or %NULL if it must be evaluated
 *
 * Since: 1.0
 */
NebulaValue *
nebula_expression_get_constant (NebulaExpression *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->constant;
}

/**
 * nebula_expression_is_template:
 * @text: (nullable): any text
 *
 * Tells whether @text has the braces of a hole, also escaped ones (`\{{`), which a template gives without the backslash.
 *
 * Thread: any.
 *
 * Returns: whether to compile it as a template
 *
 * Since: 1.0
 */
gboolean
nebula_expression_is_template (const char *text)
{
  return text != NULL && strstr (text, "{{") != NULL;
}

/**
 * nebula_expression_evaluate: (skip)
 * @self: an expression
 * @environment: (nullable): where names are found; its fuel goes down by the steps taken
 * @error: return location for an error
 *
 * Evaluates @self. The result depends on nothing but @self and what @environment answers.
 *
 * Errors (all terminal): %NEBULA_ERROR_TYPE, %NEBULA_ERROR_MISSING_PROPERTY, %NEBULA_ERROR_UNKNOWN_NAME,
 * %NEBULA_ERROR_OVERFLOW, %NEBULA_ERROR_DIVISION_BY_ZERO, %NEBULA_ERROR_REGEX, %NEBULA_ERROR_INVALID_ARGUMENT,
 * %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_TOO_DEEP; %NEBULA_ERROR_BUDGET_EXCEEDED when fuel, 8 MiB of memory or 1 MiB
 * of output are used up; and those of @environment.
 *
 * Thread: any; @environment belongs to the caller's.
 *
 * Returns: (transfer full): the value, or %NULL with @error set
 *
 * Since: 1.0
 */
NebulaValue *
nebula_expression_evaluate (NebulaExpression *self,
                            NebulaEnvironment *environment,
                            GError **error)
{
  NebulaCell frame[NEBULA_INLINE_CELLS];
  NebulaVm vm;
  NebulaCell result;
  gboolean is_done;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (self->constant != NULL)
    return nebula_value_ref (self->constant);
  vm = (NebulaVm){.program = self, .environment = environment};
  vm.limits = nebula_expression_limits_get ();
  vm.reserve =
      (gint64) MIN (environment != NULL ? environment->fuel : vm.limits->fuel, G_MAXINT64);
  vm.fuel = MIN (vm.reserve, FIRST_SLICE);
  vm.reserve -= vm.fuel;
  is_done = _nebula_vm_start (&vm, frame, &result);
  if (environment != NULL)
    environment->fuel = _nebula_vm_get_fuel (&vm);
  if (!is_done) {
    g_propagate_error (error, vm.error);
    return NULL;
  }
  return _nebula_cell_to_value (&result);
}

static NebulaValue *
evaluate_data (NebulaExpression *self,
               NebulaValue *data,
               gboolean is_lenient,
               GError **error)
{
  NebulaDataEnvironment environment;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (data != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (nebula_value_get_kind (data) != NEBULA_VALUE_KIND_OBJECT) {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
        _ ("The data of an expression is an object, not %s. Its members become variables."),
        _nebula_kind_to_words (nebula_value_get_kind (data)));
    return NULL;
  }
  _nebula_data_environment_init (&environment, data);
  environment.parent.missing_is_null = is_lenient;
  return nebula_expression_evaluate (self, &environment.parent, error);
}

/**
 * nebula_expression_evaluate_data:
 * @self: an expression
 * @data: an object whose members become variables
 * @error: return location for an error
 *
 * Evaluates @self with the members of @data as `$name`. `nodes` is an object id → `{result, status, success, error,
 * attempts}`, `loop` an object id → `{item, index, last}`; `now` may be text in RFC 3339 and gives `$today` too. What
 * @data does not have does not exist. Random functions differ from call to call.
 *
 * Errors: as for nebula_expression_evaluate(); %NEBULA_ERROR_TYPE (terminal) if @data is not an object.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the value, or %NULL with @error set
 *
 * Since: 1.0
 */
NebulaValue *
nebula_expression_evaluate_data (NebulaExpression *self,
                                 NebulaValue *data,
                                 GError **error)
{
  return evaluate_data (self, data, FALSE, error);
}

/**
 * nebula_expression_evaluate_data_leniently:
 * @self: an expression
 * @data: an object whose members become variables
 * @error: return location for an error
 *
 * Evaluates @self as nebula_expression_evaluate_data() does, but what an object, an array, text or null does not have is
 * null, as if `?.` and `?[…]` were written everywhere. Unknown variables and nodes are errors still.
 *
 * Errors: as for nebula_expression_evaluate_data(), without %NEBULA_ERROR_MISSING_PROPERTY.
 *
 * Thread: any.
 *
 * Returns: (transfer full): the value, or %NULL with @error set
 *
 * Since: 1.0
 */
NebulaValue *
nebula_expression_evaluate_data_leniently (NebulaExpression *self,
                                           NebulaValue *data,
                                           GError **error)
{
  return evaluate_data (self, data, TRUE, error);
}

/**
 * nebula_expression_get_references: (skip)
 * @self: an expression
 * @ret_count: (out): how many there are
 *
 * Gets the names that @self reads, one entry for each place in its text.
 *
 * Thread: any.
 *
 * Returns: (transfer none) (array length=ret_count): the references, as long as @self lives
 *
 * Since: 1.0
 */
const NebulaReference *
nebula_expression_get_references (NebulaExpression *self, guint *ret_count)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (ret_count != NULL, NULL);

  *ret_count = self->n_reads;
  return self->reads;
}
