/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls: finding the function, its arguments, lambdas, regular expressions that are written out. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-compiler-private.h"

static gboolean
fail_unknown_function (NebulaCompiler *self, const NebulaSyntax *node)
{
  const char *nearest = _nebula_functions_suggest (node->name, self->set);
  g_autofree char *hint =
      nearest != NULL ? g_strdup_printf (_ ("Did you mean “%s”?"), nearest) : NULL;

  return _nebula_parser_fail (self->parser, NEBULA_ERROR_UNKNOWN_NAME, node->at, hint,
                              _ ("There is no function “%s”"), node->name);
}

static gboolean
check_arity (NebulaCompiler *self,
             const NebulaFunction *function,
             const NebulaSyntax *node)
{
  g_autofree char *hint = NULL;

  if (node->count >= function->min &&
      (function->max == NEBULA_ARITY_ANY || node->count <= function->max))
    return TRUE;
  hint = g_strdup_printf (_ ("It is called as %s(%s)."), function->name,
                          function->signature);
  return _nebula_parser_fail (
      self->parser, NEBULA_ERROR_ARITY, node->at, hint,
      _ ("The function “%s” is given the wrong number of arguments: %u"), function->name,
      node->count);
}

static gboolean
is_text (const NebulaSyntax *node)
{
  return node != NULL && node->kind == NEBULA_SYNTAX_LITERAL &&
         _nebula_cell_is (&node->literal, NEBULA_VALUE_KIND_STRING);
}

/* A pattern that is written out is compiled once, with the program. */
gboolean
_nebula_compiler_add_pattern (NebulaCompiler *self,
                              const NebulaSyntax *pattern,
                              const NebulaSyntax *flags)
{
  g_autoptr (GError) error = NULL;
  const char *text, *letters = "";
  NebulaPattern *compiled;
  gsize length;

  if (!is_text (pattern) || (flags != NULL && !is_text (flags)))
    return TRUE;
  text = _nebula_cell_get_string (&pattern->literal, &length);
  if (flags != NULL)
    letters = _nebula_cell_get_string (&flags->literal, NULL);
  for (guint i = 0; i < self->patterns->len; i++)
    if (_nebula_pattern_is (g_ptr_array_index (self->patterns, i), text, letters))
      return TRUE;
  compiled = _nebula_pattern_new (text, length, letters, &error);
  if (compiled == NULL)
    return _nebula_parser_fail (self->parser, NEBULA_ERROR_REGEX, pattern->at, NULL, "%s",
                                error->message);
  g_ptr_array_add (self->patterns, compiled);
  return TRUE;
}

/* A JSONPath that is written out is parsed once, with the program. */
static gboolean
add_path (NebulaCompiler *self, const NebulaSyntax *path)
{
  g_autoptr (GError) error = NULL;
  NebulaJsonpath *parsed;
  const char *text;
  gsize length;

  if (!is_text (path))
    return TRUE;
  text = _nebula_cell_get_string (&path->literal, &length);
  if (strlen (text) != length)
    return TRUE;
  parsed = nebula_jsonpath_new (text, &error);
  if (parsed == NULL)
    return _nebula_parser_fail (self->parser, (NebulaError) error->code, path->at, NULL,
                                "%s", error->message);
  g_ptr_array_add (self->paths, parsed);
  return TRUE;
}

/* So is a JMESPath query. */
static gboolean
add_query (NebulaCompiler *self, const NebulaSyntax *query)
{
  g_autoptr (GError) error = NULL;
  NebulaJmespath *parsed;
  const char *text;
  gsize length;

  if (!is_text (query))
    return TRUE;
  text = _nebula_cell_get_string (&query->literal, &length);
  if (strlen (text) != length)
    return TRUE;
  parsed = _nebula_jmespath_new (text, &error);
  if (parsed == NULL)
    return _nebula_parser_fail (self->parser, (NebulaError) error->code, query->at, NULL,
                                "%s", error->message);
  g_ptr_array_add (self->queries, parsed);
  return TRUE;
}

static gboolean
add_patterns (NebulaCompiler *self,
              const NebulaFunction *function,
              const NebulaSyntax *node)
{
  const NebulaSyntax *pattern = NULL, *flags = NULL;
  guint i = 0;

  for (NebulaSyntax *argument = node->first; argument != NULL;
       argument = argument->next) {
    char kind = _nebula_function_get_kind (function, i++);

    if ((kind == 'p' && !add_path (self, argument)) ||
        (kind == 'q' && !add_query (self, argument)))
      return FALSE;
    if (kind == 'r')
      pattern = argument;
    else if (kind == 'g')
      flags = argument;
  }
  return pattern == NULL || _nebula_compiler_add_pattern (self, pattern, flags);
}

/* The header of a lambda; the caller patches the jump when the body is there. */
static guint
begin_lambda (NebulaCompiler *self, guint parameters, const NebulaSyntax *node)
{
  guint jump = _nebula_compiler_emit (self, NEBULA_OP_LAMBDA, 0, node);

  _nebula_compiler_emit_word (self, parameters | self->n_locals << 8, node);
  return jump;
}

static gboolean
add_local (NebulaCompiler *self, const char *name, const NebulaSyntax *node)
{
  if (self->n_locals == NEBULA_COMPILER_LOCALS)
    return _nebula_parser_fail (
        self->parser, NEBULA_ERROR_TOO_DEEP, node->at, NULL,
        _ ("There are more than %d parameters of lambdas in one another"),
        NEBULA_COMPILER_LOCALS);
  self->locals[self->n_locals++] = name;
  self->max_locals = MAX (self->max_locals, self->n_locals);
  return TRUE;
}

static gboolean
compile_lambda (NebulaCompiler *self,
                const NebulaFunction *function,
                const NebulaSyntax *call,
                NebulaSyntax *node)
{
  guint n_locals = self->n_locals;
  guint depth = self->depth;
  gboolean can_fold = self->can_fold;
  guint jump;

  if (node->count > function->lambda_arguments)
    return _nebula_parser_fail (self->parser, NEBULA_ERROR_ARITY, node->at, NULL,
                                _ ("“%s” gives its lambda at most %u arguments"),
                                function->name, function->lambda_arguments);
  jump = begin_lambda (self, node->count, node);
  for (NebulaSyntax *parameter = node->first; parameter != NULL;
       parameter = parameter->next)
    if (!add_local (self, parameter->name, parameter))
      return FALSE;
  /* The body runs while all arguments of the call are on the stack. */
  self->depth += call->count;
  if (!_nebula_compiler_compile (self, node->a))
    return FALSE;
  _nebula_compiler_emit (self, NEBULA_OP_RETURN, 0, node->a);
  _nebula_compiler_patch (self, jump);
  self->n_locals = n_locals;
  self->depth = depth;
  self->can_fold = can_fold;
  _nebula_compiler_push (self, 1);
  return TRUE;
}

static guint
add_function (NebulaCompiler *self, const NebulaFunction *function)
{
  guint index;

  if (g_ptr_array_find (self->functions, function, &index))
    return index;
  g_ptr_array_add (self->functions, (gpointer) function);
  return self->functions->len - 1;
}

/* `map (items, upper)`: the name of a function of one argument stands for a lambda. */
static gboolean
compile_function_name (NebulaCompiler *self,
                       const NebulaSyntax *call,
                       const NebulaSyntax *node,
                       const NebulaFunction *function)
{
  guint depth = self->depth;
  guint n_locals = self->n_locals;
  guint jump = begin_lambda (self, 1, node);

  if (!add_local (self, node->name, node))
    return FALSE;
  self->depth += call->count;
  _nebula_compiler_emit (self, NEBULA_OP_LOCAL, n_locals, node);
  _nebula_compiler_push (self, 1);
  _nebula_compiler_emit (self, NEBULA_OP_CALL, add_function (self, function), node);
  _nebula_compiler_emit_word (self, 1, node);
  _nebula_compiler_emit (self, NEBULA_OP_RETURN, 0, node);
  _nebula_compiler_patch (self, jump);
  self->n_locals = n_locals;
  self->depth = depth;
  _nebula_compiler_push (self, 1);
  return TRUE;
}

static gboolean
compile_argument (NebulaCompiler *self,
                  const NebulaFunction *function,
                  const NebulaSyntax *call,
                  NebulaSyntax *node,
                  guint argument)
{
  char kind = _nebula_function_get_kind (function, argument);
  const NebulaFunction *named;

  if (node->kind == NEBULA_SYNTAX_LAMBDA && kind != 'f')
    return _nebula_parser_fail (self->parser, NEBULA_ERROR_TYPE, node->at, NULL,
                                _ ("“%s” takes no lambda as argument %u"), function->name,
                                argument + 1);
  if (node->kind == NEBULA_SYNTAX_LAMBDA)
    return compile_lambda (self, function, call, node);
  if (kind == 'f' && node->kind == NEBULA_SYNTAX_NAME &&
      _nebula_compiler_find_local (self, node->name) < 0) {
    named = _nebula_functions_find (node->name, self->set);
    if (named != NULL && named->min <= 1 && named->max >= 1 &&
        function->lambda_arguments > 0)
      return compile_function_name (self, call, node, named);
  }
  return _nebula_compiler_compile (self, node);
}

/* The code of a module's function is loaded now, so that a broken module is told when a workflow is saved. */
static gboolean
load_function (NebulaCompiler *self,
               const NebulaFunction *function,
               const NebulaSyntax *node)
{
  g_autoptr (GError) error = NULL;

  if (function->foreign == NULL || _nebula_foreign_load (function->foreign, &error))
    return TRUE;
  return _nebula_parser_fail (self->parser, NEBULA_ERROR_MODULE_BROKEN, node->at, NULL,
                              _ ("The function “%s” cannot be used: %s"), function->name,
                              error != NULL ? error->message : "");
}

gboolean
_nebula_compiler_compile_call (NebulaCompiler *self, NebulaSyntax *node)
{
  const NebulaFunction *function = _nebula_functions_find (node->name, self->set);
  guint skip = 0, argument = 0;

  if (function == NULL)
    return fail_unknown_function (self, node);
  if (!check_arity (self, function, node) || !add_patterns (self, function, node) ||
      !load_function (self, function, node))
    return FALSE;
  for (NebulaSyntax *child = node->first; child != NULL;
       child = child->next, argument++) {
    if (!compile_argument (self, function, node, child, argument))
      return FALSE;
    if (argument > 0 || node->kind != NEBULA_SYNTAX_METHOD)
      continue;
    if (node->is_optional)
      skip = _nebula_compiler_emit (self, NEBULA_OP_SKIP_NULL, 0, node);
    _nebula_compiler_emit (self, NEBULA_OP_METHOD_GUARD,
                           _nebula_compiler_add_string (self, node->name), node);
  }
  _nebula_compiler_emit (self, NEBULA_OP_CALL, add_function (self, function), node);
  _nebula_compiler_emit_word (self, node->count, node);
  self->depth -= node->count;
  _nebula_compiler_push (self, 1);
  if (node->is_optional)
    _nebula_compiler_patch (self, skip);
  return TRUE;
}
