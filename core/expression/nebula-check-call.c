/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What functions are given and give; lambdas are checked with what their function hands them. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-type-private.h"

#define BIT(kind) (1u << NEBULA_VALUE_KIND_##kind)

/* Functions whose result is an item of the first argument, or null. */
static const char *const choosers[] = {"find",   "find_last", "first", "last",
                                       "max_by", "min_by",    NULL};
/* Functions whose result is an array of items of the first argument. */
static const char *const selectors[] = {"append",     "compact",    "difference", "filter",
                                        "reject",     "reverse",    "shuffle",    "skip",
                                        "skip_while", "slice",      "sort",       "sort_by",
                                        "take",       "take_while", "unique",     NULL};

static void
check_kinds (NebulaChecker *self,
             const NebulaFunction *function,
             const NebulaSyntax *node,
             guint argument,
             guint32 kinds)
{
  guint32 wanted = _nebula_function_get_argument_kinds (function, argument);
  g_autofree char *takes = NULL;
  g_autofree char *given = NULL;

  if (kinds & wanted)
    return;
  takes = _nebula_kinds_to_words (wanted);
  given = _nebula_kinds_to_words (kinds);
  _nebula_checker_report (
      self, node, NEBULA_ERROR_TYPE,
      kinds == BIT (NULL) ? _ ("Give a default for null with “??”.") : NULL,
      _ ("“%s” takes %s as argument %u, not %s"), function->name, takes, argument + 1,
      given);
}

/* What a lambda gets as its argument number @index. */
static NebulaType
get_lambda_argument (const NebulaFunction *function, const NebulaType *first, guint index)
{
  gboolean is_array = first->kinds == BIT (ARRAY);

  if (strcmp (function->name, "reduce") == 0)
    return index == 1 && is_array ? _nebula_type_get_item (first) : nebula_type_any ();
  if (!is_array)
    return index == 0 ? _nebula_type_get_item (first) : nebula_type_any ();
  if (index == 0 || strcmp (function->name, "sort") == 0)
    return _nebula_type_get_item (first);
  return nebula_type_from_kind (NEBULA_VALUE_KIND_INTEGER);
}

static NebulaType
infer_lambda (NebulaChecker *self,
              const NebulaFunction *function,
              const NebulaSyntax *lambda,
              const NebulaType *first)
{
  NebulaType body;
  guint index = 0;

  for (const NebulaSyntax *parameter = lambda->first; parameter != NULL;
       parameter = parameter->next)
    _nebula_checker_push (self, parameter->name,
                          get_lambda_argument (function, first, index++));
  body = _nebula_checker_infer (self, lambda->a);
  _nebula_checker_pop (self, index);
  return body;
}

/* `map (items, "key")` or `map (items, upper)`. */
static NebulaType
infer_short_lambda (NebulaChecker *self,
                    const NebulaFunction *function,
                    const NebulaSyntax *node,
                    guint argument,
                    const NebulaType *first)
{
  const NebulaFunction *named = node->kind == NEBULA_SYNTAX_NAME
                                    ? _nebula_functions_find (node->name, self->functions)
                                    : NULL;
  NebulaType type;

  if (named != NULL) {
    type = _nebula_type_get_item (first);
    check_kinds (self, named, node, 0, type.kinds);
    return (NebulaType){.kinds = _nebula_function_get_result_kinds (named)};
  }
  type = _nebula_checker_infer (self, node);
  check_kinds (self, function, node, argument, type.kinds);
  return nebula_type_any ();
}

static NebulaType
get_result (NebulaChecker *self,
            const NebulaFunction *function,
            const NebulaType *first,
            const NebulaType *body)
{
  NebulaType result = {.kinds = _nebula_function_get_result_kinds (function)};

  if (function->foreign != NULL)
    return result;
  if (g_strv_contains (choosers, function->name) && first->kinds == BIT (ARRAY)) {
    result = _nebula_type_get_item (first);
    result.kinds |= BIT (NULL);
    result.value = NULL;
    return result;
  }
  if (strcmp (function->name, "map") == 0)
    result.item = _nebula_checker_keep (self, *body);
  if (strcmp (function->result, "1") == 0)
    result.kinds = first->kinds;
  if (g_strv_contains (selectors, function->name) && first->kinds == BIT (ARRAY))
    result.item = _nebula_checker_keep (self, _nebula_type_get_item (first));
  return result;
}

NebulaType
_nebula_checker_infer_call (NebulaChecker *self, const NebulaSyntax *node)
{
  const NebulaFunction *function = _nebula_functions_find (node->name, self->functions);
  NebulaType first = nebula_type_any (), body = nebula_type_any (), result;
  guint argument = 0;

  if (function == NULL)
    return nebula_type_any ();
  for (const NebulaSyntax *child = node->first; child != NULL;
       child = child->next, argument++) {
    gboolean is_lambda = child->kind == NEBULA_SYNTAX_LAMBDA;
    NebulaType type;

    if (is_lambda || _nebula_function_get_kind (function, argument) == 'f') {
      body = is_lambda ? infer_lambda (self, function, child, &first)
                       : infer_short_lambda (self, function, child, argument, &first);
      continue;
    }
    type = _nebula_checker_infer (self, child);
    /* `a?.f ()` is null where a is. */
    if (argument == 0 && node->is_optional)
      type.kinds = type.kinds == BIT (NULL) ? NEBULA_TYPE_KINDS_ANY
                                            : type.kinds & ~BIT (NULL);
    check_kinds (self, function, child, argument, type.kinds);
    if (argument == 0)
      first = type;
  }
  result = get_result (self, function, &first, &body);
  if (node->is_optional)
    result.kinds |= BIT (NULL);
  return result;
}
