/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at one place of an expression while it is checked. */

#include <string.h>

#include "nebula-completion-private.h"

/* Where the name of a node of the tree stands. */
static guint32
get_place (const NebulaSyntax *node)
{
  return node->kind == NEBULA_SYNTAX_INDEX ? node->b->start : node->at;
}

static gboolean
is_named (const NebulaSyntax *node)
{
  switch ((guint) node->kind) {
  case NEBULA_SYNTAX_NAME:
  case NEBULA_SYNTAX_VARIABLE:
  case NEBULA_SYNTAX_MEMBER:
  case NEBULA_SYNTAX_CALL:
  case NEBULA_SYNTAX_METHOD:
  case NEBULA_SYNTAX_INDEX:
    return TRUE;
  default:
    return FALSE;
  }
}

static void
take (NebulaProbe *self,
      NebulaChecker *checker,
      const NebulaSyntax *node,
      const NebulaType *type)
{
  const NebulaSyntax *base = node->a;

  if (node->kind == NEBULA_SYNTAX_CALL || node->kind == NEBULA_SYNTAX_METHOD)
    base = node->first;
  self->node = node;
  self->type = _nebula_type_guess (*type);
  self->base = base != NULL && base->kind != NEBULA_SYNTAX_LAMBDA
                   ? _nebula_type_guess (_nebula_checker_infer (checker, base))
                   : nebula_type_any ();
  for (guint i = 0; i < checker->locals->len; i++) {
    const NebulaLocal *local = &g_array_index (checker->locals, NebulaLocal, i);
    NebulaType guess;

    g_ptr_array_add (self->locals, (gpointer) local->name);
    guess = _nebula_type_guess (local->type);
    g_array_append_val (self->local_types, guess);
  }
}

/* `$nodes.a.result` is one name for the checker, but three for who points at them. */
void
_nebula_probe_visit (NebulaProbe *self,
                     NebulaChecker *checker,
                     const NebulaSyntax *node,
                     const NebulaType *type)
{
  if (self->node == NULL && is_named (node) && get_place (node) == self->at) {
    take (self, checker, node, type);
    return;
  }
  while (self->node == NULL &&
         (node->kind == NEBULA_SYNTAX_MEMBER || node->kind == NEBULA_SYNTAX_INDEX)) {
    NebulaType inner;

    node = node->a;
    if (!is_named (node) || get_place (node) != self->at)
      continue;
    self->node = node; /* so that it is not met again */
    inner = _nebula_checker_infer (checker, node);
    take (self, checker, node, &inner);
  }
}

static gboolean
is_variable (const NebulaSyntax *node, const char *name)
{
  return node != NULL && node->kind == NEBULA_SYNTAX_VARIABLE &&
         strcmp (node->name, name) == 0;
}

NebulaBase
_nebula_probe_get_base (const NebulaSyntax *node)
{
  const NebulaSyntax *base = node->a;

  if (node->kind != NEBULA_SYNTAX_MEMBER && node->kind != NEBULA_SYNTAX_INDEX)
    return NEBULA_BASE_PLAIN;
  if (is_variable (base, "nodes"))
    return NEBULA_BASE_NODES;
  if (is_variable (base, "loop"))
    return NEBULA_BASE_LOOPS;
  if (base->kind != NEBULA_SYNTAX_MEMBER && base->kind != NEBULA_SYNTAX_INDEX)
    return NEBULA_BASE_PLAIN;
  if (is_variable (base->a, "nodes"))
    return NEBULA_BASE_NODE;
  return is_variable (base->a, "loop") ? NEBULA_BASE_LOOP : NEBULA_BASE_PLAIN;
}

static NebulaType
get_type (const NebulaTypeScope *scope,
          const char *name,
          const char *id,
          const char *field)
{
  return _nebula_expression_scope_get_type (scope->data, name, id, field);
}

static void
ignore_problem (const NebulaTypeScope *scope, const NebulaTypeProblem *problem)
{
}

gboolean
_nebula_probe_run (const char *text,
                   gsize at,
                   const NebulaExpressionScope *scope,
                   NebulaProbeUse use,
                   gpointer user_data)
{
  g_auto (NebulaParser) parser = {0};
  g_autoptr (GArray) locals = g_array_new (FALSE, FALSE, sizeof (NebulaLocal));
  g_autoptr (GArray) local_types = g_array_new (FALSE, FALSE, sizeof (NebulaType));
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GPtrArray) types = g_ptr_array_new_with_free_func (g_free);
  NebulaTypeScope type_scope = {
      .get_type = get_type, .problem = ignore_problem, .data = (gpointer) scope};
  NebulaProbe probe = {.at = (guint32) at, .locals = names, .local_types = local_types};
  NebulaChecker checker = {&type_scope, &parser, scope->functions, locals, types, &probe};
  NebulaSyntax *tree;

  _nebula_parser_init (&parser, text, strlen (text));
  parser.functions = scope->functions;
  tree = _nebula_parser_parse (&parser);
  if (tree == NULL)
    return FALSE;
  _nebula_checker_infer (&checker, tree);
  use (&probe, user_data);
  return TRUE;
}
