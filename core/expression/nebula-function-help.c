/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Help on functions: for the shell, the documentation, completion and the designer. */

#include "nebula-function-help-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

#define ARROW " → "

static const NebulaFunctionExamples *
find_examples (const char *name)
{
  static const NebulaFunctionExamples *const tables[] = {_nebula_function_examples,
                                                         _nebula_function_examples_more};

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const NebulaFunctionExamples *entry = tables[i]; entry->name != NULL; entry++)
      if (strcmp (entry->name, name) == 0)
        return entry;
  return NULL;
}

static void
add_example (NebulaValueBuilder *list, const char *line)
{
  g_autoptr (NebulaValueBuilder) example = nebula_value_builder_new_object ();
  const char *arrow = g_strrstr (line, ARROW);
  g_autofree char *expression =
      arrow != NULL ? g_strndup (line, (gsize) (arrow - line)) : g_strdup (line);

  nebula_value_builder_set_string (example, "expression", expression);
  if (arrow != NULL)
    nebula_value_builder_set_string (example, "value", arrow + strlen (ARROW));
  nebula_value_builder_add_take (list, nebula_value_builder_end (example));
}

static NebulaValue *
list_examples (const NebulaFunction *function, const NebulaFunctionExamples *own)
{
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();
  const char *text =
      function->foreign != NULL ? _nebula_foreign_get_examples (function->foreign) : NULL;
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;

  if (own != NULL) {
    add_example (list, own->first);
    add_example (list, own->second);
  }
  for (guint i = 0; lines != NULL && lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      add_example (list, lines[i]);
  return nebula_value_builder_end (list);
}

static NebulaValue *
list_words (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", " ", -1);

  return text != NULL && *text != '\0' ? nebula_value_new_strv ((const char *const *) words)
                                       : nebula_value_new_array (NULL, 0);
}

/* From @at to the comma that ends the parameter; commas in parentheses belong to it. */
static gsize
measure_parameter (const char *at)
{
  guint depth = 0;
  gsize length = 0;

  for (; at[length] != '\0' && (depth > 0 || at[length] != ','); length++) {
    depth += at[length] == '(' ? 1 : 0;
    depth -= at[length] == ')' ? 1 : 0;
  }
  return length;
}

static NebulaValue *
list_parameters (const NebulaFunction *function)
{
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();
  const char *at = function->signature;

  for (guint i = 0; *at != '\0'; i++) {
    g_autoptr (NebulaValueBuilder) entry = nebula_value_builder_new_object ();
    gsize length = measure_parameter (at);
    g_autofree char *name = g_strndup (at, length);
    g_autofree char *words =
        _nebula_kinds_to_words (_nebula_function_get_argument_kinds (function, i));

    g_strstrip (name);
    nebula_value_builder_set_string (entry, "name", name);
    nebula_value_builder_set_string (entry, "type", words);
    nebula_value_builder_set_boolean (entry, "optional", i >= function->min);
    nebula_value_builder_add_take (list, nebula_value_builder_end (entry));
    at += length + (at[length] == ',' ? 1 : 0);
  }
  return nebula_value_builder_end (list);
}

static char *
get_result_words (const NebulaFunction *function)
{
  if (function->foreign == NULL && strcmp (function->result, "1") == 0)
    return g_strdup (_ ("what its first argument is"));
  return _nebula_kinds_to_words (_nebula_function_get_result_kinds (function));
}

NebulaValue *
_nebula_function_describe (const NebulaFunction *function)
{
  const NebulaFunctionExamples *own =
      function->foreign == NULL ? find_examples (function->name) : NULL;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *signature =
      g_strdup_printf ("%s(%s)", function->name, function->signature);
  g_autofree char *result = get_result_words (function);

  nebula_value_builder_set_string (builder, "name", function->name);
  nebula_value_builder_set_string (builder, "signature", signature);
  nebula_value_builder_set_string (builder, "description",
                                   *function->description != '\0'
                                       ? _ (function->description)
                                       : function->description);
  nebula_value_builder_set_take (builder, "parameters", list_parameters (function));
  nebula_value_builder_set_string (builder, "result", result);
  nebula_value_builder_set_take (builder, "errors",
                                 list_words (own != NULL ? own->errors : NULL));
  nebula_value_builder_set_take (builder, "examples", list_examples (function, own));
  nebula_value_builder_set_take (builder, "aliases", list_words (function->aliases));
  return nebula_value_builder_end (builder);
}

/**
 * nebula_expression_describe_function:
 * @name: name or alias of a function
 * @functions: (nullable): functions of modules
 *
 * Describes a function: `{name, signature, description, parameters: [{name, type, optional}], result, errors,
 * examples: [{expression, value}], aliases}`. Types are words in the language of the process, errors are codes beside
 * `arity` and `budget-exceeded`, and the value of an example is JSON.
 *
 * Thread: any.
 *
 * Returns: (transfer full) (nullable): an object, %NULL if there is no such function
 *
 * Since: 1.0
 */
NebulaValue *
nebula_expression_describe_function (const char *name, NebulaFunctionSet *functions)
{
  const NebulaFunction *function;

  g_return_val_if_fail (name != NULL, NULL);

  function = _nebula_functions_find (name, functions);
  return function != NULL ? _nebula_function_describe (function) : NULL;
}

/**
 * nebula_expression_describe_functions:
 * @functions: (nullable): functions of modules
 *
 * Describes all functions, the built-in ones sorted by name first, each as nebula_expression_describe_function() does.
 *
 * Thread: any.
 *
 * Returns: (transfer full): an array
 *
 * Since: 1.0
 */
NebulaValue *
nebula_expression_describe_functions (NebulaFunctionSet *functions)
{
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();
  const NebulaFunction *function;

  for (guint i = 0; i < _nebula_functions_count (); i++)
    nebula_value_builder_add_take (list,
                                   _nebula_function_describe (_nebula_functions_get (i)));
  for (guint i = 0; (function = _nebula_function_set_get (functions, i)) != NULL; i++)
    nebula_value_builder_add_take (list, _nebula_function_describe (function));
  return nebula_value_builder_end (list);
}
