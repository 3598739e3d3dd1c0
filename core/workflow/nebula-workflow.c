/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-workflow.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-limits.h"
#include "nebula-plan-builder-private.h"
#include "nebula-workflow-private.h"

/**
 * NebulaWorkflow:
 *
 * What a user meant: the definition of a workflow as it was written, with the places of its parts.
 *
 * It is read from a file, from bytes or from a value, never changes afterwards, and is compiled to a #NebulaPlan.
 *
 * Thread: owner context.
 *
 * Since: 1.0
 */
struct _NebulaWorkflow
{
  GObject parent_instance;

  NebulaValue *definition;
  NebulaDocument *document; /* NULL if made from a value */
  char *file;               /* may be NULL */
};

enum
{
  PROP_NAME = 1,
  PROP_DESCRIPTION,
  PROP_FILE,
  PROP_DEFINITION,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (NebulaWorkflow, nebula_workflow, G_TYPE_OBJECT)

static void
nebula_workflow_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaWorkflow *self = NEBULA_WORKFLOW (object);

  switch (id) {
  case PROP_NAME:
    g_value_set_string (value, nebula_workflow_get_name (self));
    break;
  case PROP_DESCRIPTION:
    g_value_set_string (value, nebula_workflow_get_description (self));
    break;
  case PROP_FILE:
    g_value_set_string (value, self->file);
    break;
  case PROP_DEFINITION:
    g_value_set_boxed (value, self->definition);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_workflow_finalize (GObject *object)
{
  NebulaWorkflow *self = NEBULA_WORKFLOW (object);

  g_clear_pointer (&self->definition, nebula_value_unref);
  g_clear_pointer (&self->document, nebula_document_unref);
  g_clear_pointer (&self->file, g_free);

  G_OBJECT_CLASS (nebula_workflow_parent_class)->finalize (object);
}

static void
nebula_workflow_class_init (NebulaWorkflowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = nebula_workflow_get_property;
  object_class->finalize = nebula_workflow_finalize;

  /**
   * NebulaWorkflow:name:
   *
   * The name.
   *
   * Since: 1.0
   */
  props[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  /**
   * NebulaWorkflow:description:
   *
   * The description.
   *
   * Since: 1.0
   */
  props[PROP_DESCRIPTION] = g_param_spec_string ("description", NULL, NULL, NULL, flags);
  /**
   * NebulaWorkflow:file:
   *
   * The file that it was read from.
   *
   * Since: 1.0
   */
  props[PROP_FILE] = g_param_spec_string ("file", NULL, NULL, NULL, flags);
  /**
   * NebulaWorkflow:definition:
   *
   * The definition as it was written.
   *
   * Since: 1.0
   */
  props[PROP_DEFINITION]
      = g_param_spec_boxed ("definition", NULL, NULL, NEBULA_TYPE_VALUE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
nebula_workflow_init (NebulaWorkflow *self)
{
}

/* Text that is no document, or repeats a key. */
static gboolean
set_syntax_error (GPtrArray *diagnostics, guint first, const char *file, GError **error)
{
  NebulaDiagnostic *diagnostic = g_ptr_array_index (diagnostics, first);

  g_set_error (error,
               NEBULA_ERROR,
               NEBULA_ERROR_INVALID_WORKFLOW,
               _("Workflow “%s” cannot be read: %s"),
               file ? file : "?",
               nebula_diagnostic_get_message (diagnostic));
  return FALSE;
}

static NebulaWorkflow *
nebula_workflow_parse (GBytes *bytes, const char *file, GPtrArray *diagnostics)
{
  g_autoptr (NebulaDocument) document = NULL;
  NebulaWorkflow *self;
  NebulaValue *value = NULL;

  document = _nebula_document_read (bytes, file, diagnostics, &value);
  if (!document)
    return NULL;

  self = g_object_new (NEBULA_TYPE_WORKFLOW, NULL);
  self->definition = value;
  self->document = g_steal_pointer (&document);
  self->file = g_strdup (file);
  return self;
}

/* Lists the mistakes of structure; of meaning too if there are some, or if @resolver is there to find all of them. */
static gboolean
nebula_workflow_check (NebulaWorkflow *self,
                       NebulaActionResolver *resolver,
                       GPtrArray *diagnostics,
                       guint n_before,
                       GError **error)
{
  NebulaProblems problems;
  g_autoptr (NebulaPlan) plan = NULL;

  _nebula_problems_init (&problems, diagnostics, self->document, self->file);
  problems.n_errors = diagnostics->len - n_before;
  problems.n_before = n_before;
  _nebula_schema_check (self->definition, NEBULA_SCHEMA_PASS_STRUCTURE, &problems);
  if ((resolver || problems.n_errors > 0)
      && nebula_value_get_depth (self->definition) <= NEBULA_LIMIT_DEPTH)
    plan = _nebula_plan_build (self->definition, resolver, NULL, &problems);
  return _nebula_problems_end (&problems, nebula_workflow_get_name (self), error);
}

/**
 * nebula_workflow_read:
 * @file: a workflow file, YAML or JSON
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): problems are added here
 * @error: return location for an error
 *
 * Reads a workflow from a file. Blocks.
 *
 * Errors: invalid-workflow (terminal) if a diagnostic is an error; too-large (terminal) for a file over 10 MiB;
 * any #GIOErrorEnum.
 *
 * Returns: (transfer full): the workflow
 *
 * Since: 1.0
 */
NebulaWorkflow *
nebula_workflow_read (GFile *file, GPtrArray *diagnostics, GError **error)
{
  g_autoptr (GFileInputStream) stream = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *name = NULL;
  g_autoptr (GByteArray) buffer = NULL;
  gsize n_read = 0;

  g_return_val_if_fail (G_IS_FILE (file), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  name = g_file_is_native (file) ? g_file_get_path (file) : g_file_get_uri (file);
  stream = g_file_read (file, NULL, error);
  if (!stream)
    return NULL;

  buffer = g_byte_array_new ();
  do {
    guint start = buffer->len;

    g_byte_array_set_size (buffer, start + 65536);
    if (!g_input_stream_read_all (G_INPUT_STREAM (stream), buffer->data + start, 65536, &n_read, NULL, error))
      return NULL;
    g_byte_array_set_size (buffer, start + (guint) n_read);
  } while (n_read > 0 && buffer->len <= NEBULA_LIMIT_DOCUMENT_BYTES);

  bytes = g_byte_array_free_to_bytes (g_steal_pointer (&buffer));
  return nebula_workflow_read_bytes (bytes, name, diagnostics, error);
}

/**
 * nebula_workflow_read_bytes:
 * @bytes: a workflow, YAML or JSON
 * @file_name: (nullable): where it came from, for diagnostics and for relative paths
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): problems are added here
 * @error: return location for an error
 *
 * Reads a workflow from bytes.
 *
 * All mistakes of structure are listed together. If there is one, those mistakes that can be found without knowing
 * the actions (cycles, durations, expressions, …) are listed with them.
 *
 * Errors: invalid-workflow (terminal) if a diagnostic is an error; too-large (terminal) for more than 10 MiB.
 *
 * Returns: (transfer full): the workflow
 *
 * Since: 1.0
 */
NebulaWorkflow *
nebula_workflow_read_bytes (GBytes *bytes,
                            const char *file_name,
                            GPtrArray *diagnostics,
                            GError **error)
{
  g_autoptr (NebulaWorkflow) self = NULL;
  g_autoptr (GPtrArray) own = NULL;
  guint n_before;

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!diagnostics)
    diagnostics = own = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  if (g_bytes_get_size (bytes) > NEBULA_LIMIT_DOCUMENT_BYTES) {
    g_set_error (error,
                 NEBULA_ERROR,
                 NEBULA_ERROR_TOO_LARGE,
                 _("A workflow file must not be larger than %d bytes; split it into sub-workflows"),
                 NEBULA_LIMIT_DOCUMENT_BYTES);
    return NULL;
  }

  n_before = diagnostics->len;
  self = nebula_workflow_parse (bytes, file_name, diagnostics);
  if (!self)
    set_syntax_error (diagnostics, n_before, file_name, error);
  else if (nebula_workflow_check (self, NULL, diagnostics, n_before, error))
    return g_steal_pointer (&self);
  return NULL;
}

/**
 * nebula_workflow_new_from_value:
 * @definition: a definition, as a file would hold it
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): problems are added here, without places
 * @error: return location for an error
 *
 * Makes a workflow from a value.
 *
 * Errors: invalid-workflow (terminal) if a diagnostic is an error.
 *
 * Returns: (transfer full): the workflow
 *
 * Since: 1.0
 */
NebulaWorkflow *
nebula_workflow_new_from_value (NebulaValue *definition, GPtrArray *diagnostics, GError **error)
{
  g_autoptr (NebulaWorkflow) self = NULL;
  g_autoptr (GPtrArray) own = NULL;

  g_return_val_if_fail (definition != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!diagnostics)
    diagnostics = own = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  self = g_object_new (NEBULA_TYPE_WORKFLOW, NULL);
  self->definition = nebula_value_ref (definition);
  if (!nebula_workflow_check (self, NULL, diagnostics, diagnostics->len, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * nebula_workflow_get_name:
 * @self: a workflow
 *
 * Gives the name.
 *
 * Returns: (transfer none): the name; empty if it has none (compiling it then says so)
 *
 * Since: 1.0
 */
const char *
nebula_workflow_get_name (NebulaWorkflow *self)
{
  const char *name;

  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  name = _nebula_member_text (self->definition, "name");
  return name ? name : "";
}

/**
 * nebula_workflow_get_description:
 * @self: a workflow
 *
 * Gives the description.
 *
 * Returns: (transfer none) (nullable): the description
 *
 * Since: 1.0
 */
const char *
nebula_workflow_get_description (NebulaWorkflow *self)
{
  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  return _nebula_member_text (self->definition, "description");
}

/**
 * nebula_workflow_get_file:
 * @self: a workflow
 *
 * Gives the file that it was read from.
 *
 * Returns: (transfer none) (nullable): the file's name
 *
 * Since: 1.0
 */
const char *
nebula_workflow_get_file (NebulaWorkflow *self)
{
  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  return self->file;
}

/**
 * nebula_workflow_get_definition:
 * @self: a workflow
 *
 * Gives the definition as it was written.
 *
 * Returns: (transfer none): the definition
 *
 * Since: 1.0
 */
NebulaValue *
nebula_workflow_get_definition (NebulaWorkflow *self)
{
  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  return self->definition;
}

/**
 * nebula_workflow_compile:
 * @self: a workflow
 * @resolver: finds actions
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): problems are added here, also warnings
 * @error: return location for an error
 *
 * Compiles a workflow to a plan, or lists every mistake (the first hundred).
 *
 * Errors: invalid-workflow (terminal) if a diagnostic is an error.
 *
 * Returns: (transfer full): the plan
 *
 * Since: 1.0
 */
NebulaPlan *
nebula_workflow_compile (NebulaWorkflow *self,
                         NebulaActionResolver *resolver,
                         GPtrArray *diagnostics,
                         GError **error)
{
  return nebula_workflow_compile_limited (self, resolver, 0, 0, diagnostics, error);
}

NebulaPlan *
nebula_workflow_compile_limited (NebulaWorkflow *self,
                                 NebulaActionResolver *resolver,
                                 guint max_nodes,
                                 guint max_connections,
                                 GPtrArray *diagnostics,
                                 GError **error)
{
  NebulaPlanLimits limits = {
    max_nodes > 0 ? max_nodes : NEBULA_LIMIT_NODES,
    max_connections > 0 ? max_connections : NEBULA_LIMIT_CONNECTIONS,
    FALSE,
  };

  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);
  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (resolver), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return _nebula_workflow_compile (self, resolver, &limits, diagnostics, error);
}

NebulaPlan *
_nebula_workflow_compile (NebulaWorkflow *self,
                          NebulaActionResolver *resolver,
                          const NebulaPlanLimits *limits,
                          GPtrArray *diagnostics,
                          GError **error)
{
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (GPtrArray) own = NULL;
  NebulaProblems problems;

  if (!diagnostics)
    diagnostics = own = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  _nebula_problems_init (&problems, diagnostics, self->document, self->file);
  plan = _nebula_plan_build (self->definition, resolver, limits, &problems);
  if (!_nebula_problems_end (&problems, nebula_workflow_get_name (self), error))
    return NULL;

  plan->file = g_strdup (self->file);
  return g_steal_pointer (&plan);
}

/**
 * nebula_workflow_validate_bytes: (skip)
 * @bytes: a workflow, YAML or JSON
 * @file_name: (nullable): where it came from
 * @resolver: finds actions
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): problems are added here
 * @error: return location for an error
 *
 * Reads and compiles a workflow to list all of its mistakes at once, those of structure and those of meaning.
 *
 * Errors: as nebula_workflow_read_bytes() and nebula_workflow_compile().
 *
 * Returns: %TRUE if it can run
 *
 * Since: 1.0
 */
gboolean
nebula_workflow_validate_bytes (GBytes *bytes,
                                const char *file_name,
                                NebulaActionResolver *resolver,
                                GPtrArray *diagnostics,
                                GError **error)
{
  g_autoptr (NebulaWorkflow) self = NULL;
  g_autoptr (GPtrArray) own = NULL;
  guint n_before;

  g_return_val_if_fail (bytes != NULL, FALSE);
  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (resolver), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!diagnostics)
    diagnostics = own = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  n_before = diagnostics->len;
  self = nebula_workflow_parse (bytes, file_name, diagnostics);
  if (!self)
    return set_syntax_error (diagnostics, n_before, file_name, error);
  return nebula_workflow_check (self, resolver, diagnostics, n_before, error);
}

/**
 * nebula_workflow_diagnose_bytes:
 * @bytes: a workflow, YAML or JSON
 * @file_name: (nullable): where it came from
 * @resolver: finds actions
 *
 * Lists all mistakes of a workflow at once, those of structure and those of meaning, and warnings.
 *
 * Returns: (transfer container) (element-type NebulaDiagnostic): the problems; empty if there are none
 *
 * Since: 1.0
 */
GPtrArray *
nebula_workflow_diagnose_bytes (GBytes *bytes, const char *file_name, NebulaActionResolver *resolver)
{
  g_autoptr (GPtrArray) diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);

  g_return_val_if_fail (bytes != NULL, NULL);
  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (resolver), NULL);

  nebula_workflow_validate_bytes (bytes, file_name, resolver, diagnostics, NULL);
  return g_steal_pointer (&diagnostics);
}

/**
 * nebula_workflow_diagnose_value:
 * @definition: a definition, as a file would hold it
 * @resolver: finds actions
 *
 * Like nebula_workflow_diagnose_bytes(), for a definition that was built; the problems have no places.
 *
 * Returns: (transfer container) (element-type NebulaDiagnostic): the problems; empty if there are none
 *
 * Since: 1.0
 */
GPtrArray *
nebula_workflow_diagnose_value (NebulaValue *definition, NebulaActionResolver *resolver)
{
  g_autoptr (GPtrArray) diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (NebulaWorkflow) self = NULL;

  g_return_val_if_fail (definition != NULL, NULL);
  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (resolver), NULL);

  self = g_object_new (NEBULA_TYPE_WORKFLOW, NULL);
  self->definition = nebula_value_ref (definition);
  nebula_workflow_check (self, resolver, diagnostics, 0, NULL);
  return g_steal_pointer (&diagnostics);
}

/**
 * nebula_workflow_to_yaml:
 * @self: a workflow
 *
 * Writes the workflow as YAML: keys in the order of the schema, defaults left out. Reading it again and writing it gives
 * the same text.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_workflow_to_yaml (NebulaWorkflow *self)
{
  g_autoptr (NebulaValue) ordered = NULL;

  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  ordered = _nebula_schema_order (self->definition);
  return nebula_value_to_yaml (ordered);
}

/**
 * nebula_workflow_to_json:
 * @self: a workflow
 *
 * Writes the workflow as JSON with line ends: keys in the order of the schema, defaults left out.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_workflow_to_json (NebulaWorkflow *self)
{
  g_autoptr (NebulaValue) ordered = NULL;

  g_return_val_if_fail (NEBULA_IS_WORKFLOW (self), NULL);

  ordered = _nebula_schema_order (self->definition);
  return nebula_value_to_json (ordered, NEBULA_JSON_FLAGS_PRETTY);
}
