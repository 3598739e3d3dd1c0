/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workflows of the store and their revisions. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-diagnostic.h"
#include "nebula-error.h"
#include "nebula-revisions.h"
#include "nebula-server-private.h"

static NebulaEngine *
get_engine (NebulaOperation *self)
{
  return self->server->engine;
}

static const char *
get_name (NebulaOperation *self)
{
  const char *name = _nebula_operation_get (self, "workflow");

  return name ? name : "";
}

static guint
get_limit (NebulaOperation *self)
{
  return (guint) CLAMP (nebula_value_get_member_integer (self->request, "limit", 100), 1,
                        1000);
}

/* Reading blocks for the store and touches nothing else of the engine, so it is done in readers' threads. */

static NebulaValue *
list (NebulaOperation *self, GError **error)
{
  if (!_nebula_operation_check_tenant (self, error))
    return NULL;
  return nebula_engine_list_workflows (
      get_engine (self), _nebula_operation_get (self, "after"), get_limit (self), error);
}

static NebulaValue *
get (NebulaOperation *self, GError **error)
{
  if (!_nebula_operation_check_tenant (self, error))
    return NULL;
  return nebula_engine_get_revision (get_engine (self), get_name (self),
                                     _nebula_operation_get (self, "revision"), error);
}

static NebulaValue *
list_revisions (NebulaOperation *self, GError **error)
{
  const char *after = _nebula_operation_get (self, "after");

  if (!_nebula_operation_check_tenant (self, error))
    return NULL;
  return nebula_engine_list_revisions (get_engine (self), get_name (self),
                                       after ? g_ascii_strtoll (after, NULL, 10) : 0,
                                       get_limit (self), error);
}

static NebulaWorkflow *
read_revision (NebulaOperation *self, const char *which, GError **error)
{
  g_autoptr (NebulaValue) revision =
      nebula_engine_get_revision (get_engine (self), get_name (self), which, error);

  if (!revision)
    return NULL;
  return nebula_workflow_new_from_value (nebula_value_get_member (revision, "definition"),
                                         NULL, error);
}

static NebulaValue *
diff (NebulaOperation *self, GError **error)
{
  g_autoptr (NebulaWorkflow) before = NULL;
  g_autoptr (NebulaWorkflow) after = NULL;

  if (!_nebula_operation_check_tenant (self, error))
    return NULL;
  before = read_revision (self, _nebula_operation_get (self, "from"), error);
  after = before ? read_revision (self, _nebula_operation_get (self, "to"), error) : NULL;
  return after ? nebula_workflow_diff (before, after) : NULL;
}

/* What is wrong with a definition is an answer, too. */
static NebulaValue *
make_verdict (GPtrArray *diagnostics, gboolean is_valid)
{
  g_autoptr (NebulaValueBuilder) items = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < diagnostics->len; i++)
    nebula_value_builder_add_take (items,
                                   nebula_diagnostic_to_value (diagnostics->pdata[i]));
  nebula_value_builder_set_boolean (builder, "valid", is_valid);
  nebula_value_builder_set_take (builder, "diagnostics",
                                 nebula_value_builder_end (items));
  return nebula_value_builder_end (builder);
}

static GPtrArray *
diagnostics_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
}

static void
add_error (GPtrArray *diagnostics, const GError *error)
{
  if (diagnostics->len == 0)
    g_ptr_array_add (diagnostics,
                     nebula_diagnostic_new (NEBULA_SEVERITY_ERROR,
                                            nebula_error_get_code (error), NULL, 0, 0,
                                            error->message, NULL));
}

/* `text` (YAML or JSON), else `definition`. */
static NebulaWorkflow *
read_workflow (NebulaOperation *self, GPtrArray *diagnostics, GError **error)
{
  const char *text = _nebula_operation_get (self, "text");
  NebulaValue *definition = nebula_value_get_member (self->request, "definition");
  g_autoptr (GBytes) bytes = text ? g_bytes_new (text, strlen (text)) : NULL;

  if (bytes)
    return nebula_workflow_read_bytes (bytes, NULL, diagnostics, error);
  if (definition)
    return nebula_workflow_new_from_value (definition, diagnostics, error);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                       _ ("Send the workflow's definition."));
  return NULL;
}

static NebulaValue *
validate (NebulaOperation *self, GError **error)
{
  g_autoptr (GPtrArray) diagnostics = diagnostics_new ();
  g_autoptr (GError) local_error = NULL;
  g_autoptr (NebulaWorkflow) workflow = read_workflow (self, diagnostics, &local_error);
  g_autoptr (NebulaPlan) plan =
      workflow ? nebula_workflow_compile (workflow,
                                          NEBULA_ACTION_RESOLVER (self->server->registry),
                                          diagnostics, &local_error)
               : NULL;

  if (local_error)
    add_error (diagnostics, local_error);
  return make_verdict (diagnostics, plan != NULL);
}

/* Changes. */

typedef struct {
  NebulaOperation *operation;
  GPtrArray *diagnostics; /* NULL: none */
} Change;

static void
changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Change *self = user_data;
  g_autoptr (NebulaOperation) operation = self->operation;
  g_autoptr (GPtrArray) diagnostics = self->diagnostics;
  GError *error = NULL;
  g_autoptr (NebulaValue) answer =
      nebula_engine_publish_finish (NEBULA_ENGINE (source), result, &error);

  if (error && diagnostics &&
      g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_WORKFLOW)) {
    add_error (diagnostics, error);
    g_clear_error (&error);
    _nebula_operation_return (operation, make_verdict (diagnostics, FALSE), NULL);
    return;
  }
  /* One workflow was asked for. */
  _nebula_operation_return (
      operation, error ? NULL : nebula_value_ref (nebula_value_get_item (answer, 0)),
      error);
}

static Change *
change_new (NebulaOperation *operation, GPtrArray *diagnostics)
{
  Change *self = g_new0 (Change, 1);

  self->operation = _nebula_operation_ref (operation);
  self->diagnostics = diagnostics ? g_ptr_array_ref (diagnostics) : NULL;
  return self;
}

static NebulaValue *
make_options (NebulaOperation *self)
{
  static const char *const texts[] = {"label", "message"};
  const char *user = nebula_caller_get_user (self->caller);
  NebulaValue *expected = nebula_value_get_member (self->request, "if-revision");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (_nebula_operation_get (self, texts[i]))
      nebula_value_builder_set_string (builder, texts[i],
                                       _nebula_operation_get (self, texts[i]));
  if (expected)
    nebula_value_builder_set (builder, "if-revision", expected);
  nebula_value_builder_set_string (
      builder, "by", user ? user : nebula_caller_get_credential (self->caller));
  return nebula_value_builder_end (builder);
}

static gboolean
check_name (NebulaOperation *self, NebulaWorkflow *workflow, GError **error)
{
  const char *name = _nebula_operation_get (self, "workflow");

  if (!name || g_strcmp0 (name, nebula_workflow_get_name (workflow)) == 0)
    return TRUE;
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
      _ ("The definition says that its name is “%.200s”, the address says “%.200s”."),
      nebula_workflow_get_name (workflow), name);
  return FALSE;
}

static void
publish (NebulaOperation *self)
{
  g_autoptr (GPtrArray) diagnostics = diagnostics_new ();
  g_autoptr (GPtrArray) workflows = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (NebulaValue) options = make_options (self);
  GError *error = NULL;
  NebulaWorkflow *workflow = _nebula_operation_check_tenant (self, &error)
                                 ? read_workflow (self, diagnostics, &error)
                                 : NULL;

  if (workflow)
    g_ptr_array_add (workflows, workflow);
  if (workflow && check_name (self, workflow, &error)) {
    nebula_engine_publish_async (get_engine (self), workflows, options, diagnostics, NULL,
                                 changed, change_new (self, diagnostics));
    return;
  }
  if (!workflow &&
      (diagnostics->len > 0 ||
       g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_WORKFLOW))) {
    add_error (diagnostics, error);
    g_clear_error (&error);
    _nebula_operation_return (self, make_verdict (diagnostics, FALSE), NULL);
    return;
  }
  _nebula_operation_return (self, NULL, error);
}

static void
roll_back (NebulaOperation *self)
{
  const char *which = _nebula_operation_get (self, "revision");
  g_autoptr (NebulaValue) options = make_options (self);
  GError *error = NULL;

  if (_nebula_operation_check_tenant (self, &error))
    nebula_engine_roll_back_async (get_engine (self), get_name (self), which ? which : "",
                                   options, NULL, changed, change_new (self, NULL));
  else
    _nebula_operation_return (self, NULL, error);
}

/* Without `revision` the label names the current one; an empty one takes it away. */
static void
put_label (NebulaOperation *self)
{
  const char *label = _nebula_operation_get (self, "label");
  GError *error = NULL;

  if (_nebula_operation_check_tenant (self, &error))
    nebula_engine_label_async (get_engine (self), get_name (self), label ? label : "",
                               _nebula_operation_get (self, "revision"), NULL, changed,
                               change_new (self, NULL));
  else
    _nebula_operation_return (self, NULL, error);
}

const NebulaOperationClass _nebula_operations_workflow[] = {
    {"workflow-list", NEBULA_PERMISSION_WORKFLOW_READ, .read = list},
    {"workflow-get", NEBULA_PERMISSION_WORKFLOW_READ, .read = get},
    {"workflow-revisions", NEBULA_PERMISSION_WORKFLOW_READ, .read = list_revisions},
    {"workflow-diff", NEBULA_PERMISSION_WORKFLOW_READ, .read = diff},
    {"workflow-validate", NEBULA_PERMISSION_WORKFLOW_READ, .now = validate},
    {"workflow-publish", NEBULA_PERMISSION_WORKFLOW_WRITE, .begin = publish},
    {"workflow-roll-back", NEBULA_PERMISSION_WORKFLOW_WRITE, .begin = roll_back},
    {"workflow-label", NEBULA_PERMISSION_WORKFLOW_WRITE, .begin = put_label},
    {NULL, NEBULA_PERMISSION_NONE, NULL, NULL, NULL},
};
