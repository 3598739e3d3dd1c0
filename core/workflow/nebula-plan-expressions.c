/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-check-internal.h"
#include "nebula-nearest-internal.h"
#include "nebula-plan-builder-private.h"

static const char *const names[] = {
  "env",    "execution", "input",   "json",   "loop", "nodes",     "now",
  "tenant", "today",     "trigger", "user",   "vars", "workflow",
};
/* Set by a loop around the node, or item by item by the action. */
static const char *const loop_names[] = { "acc", "index", "item", "items", "key", "last" };

static gboolean
is_one_of (const char *name, const char *const *list, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (name, list[i]) == 0)
      return TRUE;
  return FALSE;
}

/* One name that an expression reads, and where it stands. */
typedef struct
{
  const NebulaReference *reference;
  const char *pointer; /* of the text */
  const char *text;
} NebulaNamePlace;

static void
report (const NebulaExpressionSite *self,
        const NebulaNamePlace *place,
        const char *code,
        const char *hint,
        const char *message)
{
  _nebula_problems_add (self->builder->problems,
                        &(NebulaProblem) {
                            .code = code,
                            .pointer = place->pointer,
                            .hint = hint,
                            .text = place->text,
                            .text_line = place->reference->id_line,
                            .text_column = place->reference->id_column,
                        },
                        "%s",
                        message);
}

/* Those that modules bring. */
static NebulaFunctionSet *
get_functions (const NebulaExpressionSite *self)
{
  NebulaActionResolver *resolver = self->builder->resolver;

  return resolver ? nebula_action_resolver_get_functions (resolver) : NULL;
}

/* The text at a JSON pointer of the definition; NULL: it is something else. */
static const char *
find_text (NebulaValue *value, const char *pointer)
{
  g_auto (GStrv) steps = g_strsplit (pointer, "/", -1);

  for (guint i = 1; value && steps[0] && steps[i]; i++) {
    NebulaValueKind kind = nebula_value_get_kind (value);
    g_autoptr (GString) key = g_string_new (steps[i]);

    g_string_replace (key, "~1", "/", 0);
    g_string_replace (key, "~0", "~", 0);
    if (kind == NEBULA_VALUE_KIND_OBJECT)
      value = nebula_value_get_member (value, key->str);
    else if (kind == NEBULA_VALUE_KIND_ARRAY)
      value = nebula_value_get_item (value, (gsize) g_ascii_strtoull (key->str, NULL, 10));
    else
      value = NULL;
  }
  return value && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING ? nebula_value_get_string (value) : NULL;
}

/* The error of an expression is a sentence, two lines that show the place, and perhaps a hint. */
static void
report_error (const NebulaExpressionSite *self, const char *pointer, gboolean is_template, const GError *error)
{
  NebulaProblem problem = { .code = "bad-expression", .pointer = pointer };
  const char *hint = error->message;
  const char *text = find_text (self->builder->definition, pointer);
  g_autofree char *message = NULL;

  for (guint i = 0; hint && i < 3; i++) {
    hint = strchr (hint, '\n');
    hint = hint ? hint + 1 : NULL;
  }
  message = hint ? g_strndup (error->message, (gsize) (hint - error->message - 1)) : g_strdup (error->message);
  problem.hint = hint;
  if (text
      && nebula_expression_find_error (
          text, is_template, get_functions (self), &problem.text_line, &problem.text_column))
    problem.text = text;
  _nebula_problems_add (self->builder->problems, &problem, "%s", message);
}

static void
report_unknown_node (const NebulaExpressionSite *self, const NebulaNamePlace *place)
{
  NebulaPlan *plan = self->builder->plan;
  const char *id = place->reference->id;
  gpointer found = g_hash_table_lookup (plan->node_index, id);
  g_autofree char *hint = NULL;
  g_autofree char *message = g_strdup_printf (_("There is no node “%s” that could be named here"), id);

  if (found) {
    guint32 scope = plan->nodes[GPOINTER_TO_UINT (found) - 1].scope;
    guint32 owner = plan->scopes[scope].owner;

    if (owner != NEBULA_PLAN_NONE)
      hint = g_strdup_printf (
          _("It is inside the body of “%s”; outside only $nodes[\"%s\"].result is seen."),
          plan->nodes[owner].id,
          plan->nodes[owner].id);
  }
  if (!hint)
    hint = _nebula_plan_builder_hint_node (self->builder, self->scope, id, TRUE);
  report (self, place, "unknown-node", hint, message);
}

/* The node of @target's scope that stands for this site: the node itself, or the loop around it. */
static guint32
stand_in (const NebulaExpressionSite *self, guint32 target)
{
  NebulaPlan *plan = self->builder->plan;
  guint32 wanted = plan->nodes[target].scope;
  guint32 scope = self->scope;

  if (scope == wanted)
    return self->node;
  while (plan->scopes[scope].parent != wanted)
    scope = plan->scopes[scope].parent;
  return plan->scopes[scope].owner;
}

static void
check_node (const NebulaExpressionSite *self, const NebulaNamePlace *place)
{
  const NebulaReference *reference = place->reference;
  NebulaPlan *plan = self->builder->plan;
  guint32 target;
  guint32 node;

  if (!reference->id)
    return; /* computed: the name is checked when it runs */
  target = nebula_plan_find_node (plan, self->scope, reference->id);
  if (target == NEBULA_PLAN_NONE) {
    report_unknown_node (self, place);
    return;
  }
  if (self->nothing_ran) {
    report (self, place, "not-upstream", _("Use $input or $vars."), _("No node has run yet when this is evaluated"));
    return;
  }

  node = stand_in (self, target);
  if (node == NEBULA_PLAN_NONE || (node == target && self->node_itself && node == self->node))
    return;
  _nebula_plan_builder_require_upstream (
      self->builder,
      &(NebulaUpstreamQuery) {
          .node = node,
          .target = target,
          .site = self->node != NEBULA_PLAN_NONE ? self->node : node,
          .pointer = (char *) place->pointer,
          .text = place->text,
          .text_line = reference->id_line,
          .text_column = reference->id_column,
      });
}

static void
check_loop (const NebulaExpressionSite *self, const NebulaNamePlace *place)
{
  const NebulaReference *reference = place->reference;
  NebulaPlan *plan = self->builder->plan;
  g_autofree char *message = NULL;

  if (!reference->id)
    return;
  for (guint32 s = self->scope; plan->scopes[s].owner != NEBULA_PLAN_NONE; s = plan->scopes[s].parent)
    if (strcmp (plan->nodes[plan->scopes[s].owner].id, reference->id) == 0)
      return;
  if (self->items && self->node != NEBULA_PLAN_NONE && strcmp (plan->nodes[self->node].id, reference->id) == 0)
    return;
  message = g_strdup_printf (_("No loop “%s” stands around this"), reference->id);
  report (self, place, "unknown-node", _("$loop names the loops whose bodies hold this node."), message);
}

/* Whether a loop stands around; an action that is not known may be one. */
static gboolean
is_in_loop (const NebulaExpressionSite *self)
{
  NebulaPlan *plan = self->builder->plan;

  for (guint32 s = self->scope; plan->scopes[s].owner != NEBULA_PLAN_NONE; s = plan->scopes[s].parent) {
    NebulaPlanNode *owner = &plan->nodes[plan->scopes[s].owner];

    if (!owner->info || nebula_construct_is_loop (owner->construct))
      return TRUE;
  }
  return FALSE;
}

/* $error has a value where a failure is handled. */
static gboolean
has_error (const NebulaExpressionSite *self)
{
  NebulaPlan *plan = self->builder->plan;

  for (guint32 s = self->scope; plan->scopes[s].owner != NEBULA_PLAN_NONE; s = plan->scopes[s].parent)
    if (plan->scopes[s].part == NEBULA_PART_CATCH || plan->scopes[s].part == NEBULA_PART_FINALLY)
      return TRUE;
  return FALSE;
}

static void
check_name (const NebulaExpressionSite *self, const NebulaNamePlace *place)
{
  const char *name = place->reference->name;
  g_autofree char *message = NULL;
  g_autofree char *hint = NULL;
  NebulaNearest nearest;

  if (is_one_of (name, names, G_N_ELEMENTS (names)))
    return;
  if (is_one_of (name, loop_names, G_N_ELEMENTS (loop_names))) {
    if (is_in_loop (self) || self->items)
      return;
    message = g_strdup_printf (_("$%s has a value only inside a loop"), name);
    report (self, place, "bad-expression", _("$json is the input of the node."), message);
    return;
  }

  if (strcmp (name, "error") == 0) {
    if (has_error (self))
      return;
    report (self,
            place,
            "bad-expression",
            _("Behind the port “error” of a node $json is its error."),
            _("$error has a value only in “catch” and “finally”"));
    return;
  }

  nebula_nearest_init (&nearest, name);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    nebula_nearest_offer (&nearest, names[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (loop_names); i++)
    nebula_nearest_offer (&nearest, loop_names[i]);
  hint = _nebula_hint_nearest (nearest.best);
  message = g_strdup_printf (_("There is no $%s"), name);
  report (self, place, "bad-expression", hint, message);
}

void
_nebula_expression_site_check (const NebulaExpressionSite *self,
                               NebulaExpression *expression,
                               const char *inner_pointer)
{
  guint n = 0;
  const NebulaReference *references = nebula_expression_get_references (expression, &n);
  g_autofree char *pointer = NULL;

  _nebula_plan_builder_queue_check (self, expression, inner_pointer);
  if (n == 0)
    return;
  pointer = g_strconcat (self->pointer, inner_pointer, NULL);
  for (guint i = 0; i < n; i++) {
    NebulaNamePlace place = { &references[i], pointer, nebula_expression_get_text (expression) };

    if (strcmp (references[i].name, "nodes") == 0)
      check_node (self, &place);
    else if (strcmp (references[i].name, "loop") == 0)
      check_loop (self, &place);
    else
      check_name (self, &place);
  }
}

static void
on_template_problem (const char *pointer, const GError *error, gpointer user_data)
{
  const NebulaExpressionSite *self = user_data;
  g_autofree char *whole = g_strconcat (self->pointer, pointer, NULL);

  report_error (self, whole, TRUE, error);
}

static void
on_template_expression (const char *pointer, NebulaExpression *expression, gpointer user_data)
{
  _nebula_expression_site_check (user_data, expression, pointer);
}

NebulaTemplate *
_nebula_expression_site_add_template (const NebulaExpressionSite *self, NebulaValue *value)
{
  NebulaTemplate *template_ = nebula_template_new_with_functions (
      value, get_functions (self), on_template_problem, (gpointer) self);

  if (template_)
    nebula_template_foreach (template_, on_template_expression, (gpointer) self);
  return template_;
}

NebulaExpression *
_nebula_expression_site_add (const NebulaExpressionSite *self, NebulaValue *text, NebulaExpressionForm form)
{
  const char *source = nebula_value_get_string (text);
  gboolean has_braces = nebula_expression_is_template (source);
  g_autoptr (GError) error = NULL;
  NebulaExpression *expression;

  if (strlen (source) != nebula_value_get_string_length (text)) {
    _nebula_problems_add (self->builder->problems,
                          &(NebulaProblem) { .code = "bad-expression", .pointer = self->pointer },
                          "%s",
                          _("An expression must not hold U+0000"));
    return NULL;
  }
  /* Braces around the whole are superfluous where an expression is wanted, and do no harm. */
  expression = nebula_expression_compile_with_functions (
      source, has_braces || form == NEBULA_EXPRESSION_FORM_TEMPLATE, get_functions (self), &error);
  if (!expression) {
    report_error (self, self->pointer, has_braces || form == NEBULA_EXPRESSION_FORM_TEMPLATE, error);
    return NULL;
  }
  _nebula_expression_site_check (self, expression, "");
  return expression;
}
