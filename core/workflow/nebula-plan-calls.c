/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What flow.call names by a path: the files are read and compiled with the caller, and theirs in turn, so that the whole
 * tree of workflows is checked before it runs and keeps the revisions that it had then. Names of deployed workflows are
 * looked up when they are called.
 *
 *   links  = {revision of a caller: {path as written: revision}}
 *   called = the plans of these revisions
 */

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-input-internal.h"
#include "nebula-plan-builder-private.h"

#define FILES_MAX 1000

/* One plan of the tree. */
typedef struct {
  NebulaPlan *plan;
  char *path;     /* where it was read from, absolute */
  guint32 origin; /* node of the root by which it was reached first */
} Callee;

typedef struct {
  NebulaPlanBuilder *builder;
  GPtrArray *callees;  /* Callee; the root is the first */
  GHashTable *by_path; /* path → Callee */
  NebulaValueBuilder *links;
} Walk;

static void
callee_free (gpointer data)
{
  Callee *self = data;

  nebula_plan_unref (self->plan);
  g_free (self->path);
  g_free (self);
}

static Callee *
add_callee (Walk *self, NebulaPlan *plan, char *path, guint32 origin)
{
  Callee *callee = g_new0 (Callee, 1);

  callee->plan = nebula_plan_ref (plan);
  callee->path = path;
  callee->origin = origin;
  g_ptr_array_add (self->callees, callee);
  g_hash_table_insert (self->by_path, callee->path, callee);
  return callee;
}

static void
report (Walk *self, guint32 node, const char *code, const char *hint, const char *message)
{
  g_autofree char *outer = _nebula_plan_builder_node_pointer (self->builder, node, "with");
  NebulaProblem problem = {.code = code, .pointer = outer, .hint = hint};

  _nebula_problems_add (self->builder->problems, &problem, "%s", message);
}

const char *
nebula_plan_node_get_callee (const NebulaPlanNode *self)
{
  NebulaValue *with = self->with ? nebula_template_get_value (self->with) : NULL;
  const char *text;

  if (self->construct != NEBULA_CONSTRUCT_CALL)
    return NULL;
  text = _nebula_member_text (with, "workflow");
  return text && !nebula_expression_is_template (text) ? text : NULL;
}

/* A path is what looks like one; all else is a name. */
static gboolean
is_path (const char *text)
{
  return strchr (text, '/') || g_str_has_suffix (text, ".yaml") ||
         g_str_has_suffix (text, ".yml") || g_str_has_suffix (text, ".json");
}

static char *
resolve_path (const char *caller, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (caller);

  return g_canonicalize_filename (path, folder);
}

/* The first thing that is wrong with a file, with its place. */
static char *
describe (GPtrArray *diagnostics, const GError *error)
{
  for (guint i = 0; i < diagnostics->len; i++) {
    NebulaDiagnostic *diagnostic = diagnostics->pdata[i];

    if (nebula_diagnostic_get_severity (diagnostic) == NEBULA_SEVERITY_ERROR)
      return g_strdup_printf ("%s:%u: %s", nebula_diagnostic_get_file (diagnostic),
                              nebula_diagnostic_get_line (diagnostic),
                              nebula_diagnostic_get_message (diagnostic));
  }
  return g_strdup (error->message);
}

static NebulaPlan *
compile_file (Walk *self, const char *path, char **ret_message)
{
  NebulaPlanBuilder *builder = self->builder;
  NebulaPlanLimits limits = builder->limits;
  g_autoptr (GPtrArray) diagnostics =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaWorkflow) workflow = nebula_workflow_read (file, diagnostics, &error);
  NebulaPlan *plan = NULL;

  limits.is_callee = TRUE;
  if (workflow)
    plan = _nebula_workflow_compile (workflow, builder->resolver, &limits, diagnostics,
                                     &error);
  if (!plan)
    *ret_message = describe (diagnostics, error);
  return plan;
}

/* The plan that a path means; NULL, and a problem at the root's node, if it cannot be run. */
static Callee *
find_callee (Walk *self, const Callee *caller, const char *text, guint32 origin)
{
  g_autofree char *path = resolve_path (caller->path, text);
  Callee *known = g_hash_table_lookup (self->by_path, path);
  g_autoptr (NebulaPlan) plan = NULL;
  g_autofree char *why = NULL;
  g_autofree char *message = NULL;

  if (known)
    return known;
  if (self->callees->len >= FILES_MAX) {
    report (self, origin, "too-many-nodes", NULL,
            _ ("More than a thousand files are called"));
    return NULL;
  }
  plan = compile_file (self, path, &why);
  if (plan)
    return add_callee (self, plan, g_steal_pointer (&path), origin);
  message = g_strdup_printf (_ ("The workflow “%s” cannot be called: %s"), text, why);
  report (self, origin, "bad-call",
          _ ("A path is relative to the file that it is written in."), message);
  return NULL;
}

/* Members that are required and that the call does not even name. */
static void
check_members (Walk *self, guint32 node, NebulaValue *input, NebulaPlan *callee)
{
  NebulaValue *schema =
      _nebula_member (callee->definition, "input", NEBULA_VALUE_KIND_OBJECT);
  NebulaValue *required = _nebula_member (schema, "required", NEBULA_VALUE_KIND_ARRAY);

  for (gsize i = 0; required && i < nebula_value_get_length (required); i++) {
    const char *name = nebula_value_get_string (nebula_value_get_item (required, i));
    g_autofree char *message = NULL;

    if (nebula_value_has_member (input, name))
      continue;
    message = g_strdup_printf (_ ("The workflow “%s” needs the input “%s”"), callee->name,
                               name);
    report (self, node, "missing-parameter", _ ("Add it to “input”."), message);
  }
}

/* What is known of the input of a call must fit the workflow that is called. */
static void
check_input (Walk *self, guint32 index, NebulaPlan *callee)
{
  NebulaPlanNode *node = &self->builder->plan->nodes[index];
  NebulaValue *input =
      nebula_value_get_member (nebula_template_get_value (node->with), "input");
  g_autoptr (NebulaValue) filled = NULL;
  g_autoptr (NebulaValue) constant = NULL;
  g_autoptr (GError) error = NULL;

  if (!input || !callee->input_schema)
    return;
  if (nebula_template_is_constant (node->with)) {
    constant = nebula_template_evaluate (node->with, NULL, NULL);
    input = nebula_value_get_member (constant, "input");
    if (!nebula_input_check (callee->input_schema, input, &filled, &error))
      report (self, index, "type-mismatch", NULL, error->message);
  } else if (nebula_value_get_kind (input) == NEBULA_VALUE_KIND_OBJECT)
    check_members (self, index, input, callee);
}

static void
link_node (Walk *self, const Callee *caller, guint32 index, NebulaValueBuilder *links)
{
  gboolean is_root = caller == self->callees->pdata[0];
  const char *text = nebula_plan_node_get_callee (&caller->plan->nodes[index]);
  guint32 origin = is_root ? index : caller->origin;
  Callee *callee;

  if (!text || !is_path (text))
    return;
  callee = find_callee (self, caller, text, origin);
  if (!callee)
    return;
  nebula_value_builder_set_string (links, text, callee->plan->hash);
  if (is_root)
    check_input (self, index, callee->plan);
}

/* All calls of one plan; new callees are added behind. */
static void
link_plan (Walk *self, const Callee *caller)
{
  NebulaPlan *plan = caller->plan;
  g_autoptr (NebulaValueBuilder) links = nebula_value_builder_new_object ();

  for (guint32 i = 0; i < plan->n_nodes; i++)
    link_node (self, caller, i, links);
  if (nebula_value_builder_get_length (links) > 0)
    nebula_value_builder_set_take (self->links, plan->hash,
                                   nebula_value_builder_end (links));
}

static gboolean
calls_anything (NebulaPlan *plan)
{
  for (guint32 i = 0; i < plan->n_nodes; i++)
    if (plan->nodes[i].construct == NEBULA_CONSTRUCT_CALL)
      return TRUE;
  return FALSE;
}

static void
keep (Walk *self, NebulaPlan *plan)
{
  if (nebula_value_builder_get_length (self->links) == 0)
    return;
  plan->links = nebula_value_builder_end (self->links);
  plan->called = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_plan_unref);
  for (guint i = 1; i < self->callees->len; i++) {
    NebulaPlan *callee = ((Callee *) self->callees->pdata[i])->plan;

    if (!g_str_equal (callee->hash, plan->hash))
      g_ptr_array_add (plan->called, nebula_plan_ref (callee));
  }
}

/* What has no file, such as a workflow out of a store, keeps the links that it was started with. */
void
_nebula_plan_builder_add_calls (NebulaPlanBuilder *builder)
{
  const char *file = builder->problems->file;
  NebulaPlan *plan = builder->plan;
  Walk self = {.builder = builder};

  plan->has_calls = calls_anything (plan);
  if (builder->limits.is_callee || !file || !plan->has_calls)
    return;
  self.callees = g_ptr_array_new_with_free_func (callee_free);
  self.by_path = g_hash_table_new (g_str_hash, g_str_equal);
  self.links = nebula_value_builder_new_object ();
  add_callee (&self, plan, g_canonicalize_filename (file, NULL), 0);
  for (guint i = 0; i < self.callees->len; i++)
    link_plan (&self, self.callees->pdata[i]);
  keep (&self, plan);
  nebula_value_builder_unref (self.links);
  g_hash_table_unref (self.by_path);
  g_ptr_array_unref (self.callees);
}
