/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiles any bytes as an expression and as a template, and asks what might stand at each of their ends: tokens, the
 * tree, the compiler, references, completion. Nothing is evaluated; fuzz-evaluate does that.
 */
#include <string.h>

#include "fuzz.h"
#include "nebula-completion.h"
#include "nebula-expression.h"

static NebulaExpressionScope *
get_scope (void)
{
  static NebulaExpressionScope *scope;

  if (scope == NULL) {
    scope = nebula_expression_scope_new ();
    nebula_expression_scope_add_variable (scope, "json", NULL, NULL);
    nebula_expression_scope_add_node (scope, "my-node", NULL, NULL);
    nebula_expression_scope_add_loop (scope, "each", NULL);
  }
  return scope;
}

/* A text that compiles compiles again to the same; the places of its names are in it. */
static void
compile (const char *text, gboolean is_template)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaExpression) expression =
      nebula_expression_compile_with_functions (text, is_template, NULL, &error);
  const NebulaReference *references;
  guint count;

  g_assert_true ((expression != NULL) == (error == NULL));
  if (expression == NULL)
    return;
  references = nebula_expression_get_references (expression, &count);
  for (guint i = 0; i < count; i++) {
    g_assert_cmpuint (references[i].line, >=, 1);
    g_assert_cmpuint (references[i].id_column, >=, 1);
  }
  g_assert_cmpstr (nebula_expression_get_text (expression), ==, text);
}

static void
complete (const char *text, gboolean is_template, guint position)
{
  g_autoptr (GPtrArray) found =
      nebula_expression_complete (text, is_template, position, get_scope ());
  g_autoptr (NebulaCompletion) hovered =
      nebula_expression_hover (text, is_template, position, get_scope ());

  for (guint i = 0; i < MIN (found->len, 4); i++) {
    NebulaCompletion *one = g_ptr_array_index (found, i);

    g_assert_cmpuint (nebula_completion_get_start (one), <=, nebula_completion_get_end (one));
    g_assert_cmpuint (nebula_completion_get_end (one), <=, position);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  gsize length = strlen (text);

  compile (text, FALSE);
  compile (text, TRUE);
  if (length > 300 || !g_utf8_validate (text, -1, NULL))
    return 0;
  complete (text, FALSE, (guint) g_utf8_strlen (text, -1));
  complete (text, TRUE, (guint) g_utf8_strlen (text, -1) / 2);
  return 0;
}
