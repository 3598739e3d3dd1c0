/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action-resolver.h"
#include "nebula-diagnostic.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_WORKFLOW (nebula_workflow_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaWorkflow, nebula_workflow, NEBULA, WORKFLOW, GObject)

/**
 * NebulaPlan:
 *
 * A compiled workflow.
 *
 * Thread: any (immutable once linked).
 */
typedef struct _NebulaPlan NebulaPlan;

#define NEBULA_TYPE_PLAN (nebula_plan_get_type ())
NEBULA_API GType nebula_plan_get_type (void);
NEBULA_API NebulaPlan *nebula_plan_ref (NebulaPlan *self);
NEBULA_API void nebula_plan_unref (NebulaPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaPlan, nebula_plan_unref)
NEBULA_API const char *nebula_plan_get_name (NebulaPlan *self);
NEBULA_API const char *nebula_plan_get_hash (NebulaPlan *self); /* SHA-256 of the structure, hex */
NEBULA_API guint nebula_plan_get_n_nodes (NebulaPlan *self);

/* Reading: problems go to @diagnostics (element-type NebulaDiagnostic); NULL with NEBULA_ERROR_INVALID_WORKFLOW if any is an error. */
NEBULA_API NebulaWorkflow *nebula_workflow_read (GFile *file, GPtrArray *diagnostics, GError **error);
NEBULA_API NebulaWorkflow *nebula_workflow_read_bytes (GBytes *bytes, const char *file_name, GPtrArray *diagnostics, GError **error);
NEBULA_API NebulaWorkflow *nebula_workflow_new_from_value (NebulaValue *definition, GPtrArray *diagnostics, GError **error);
NEBULA_API const char *nebula_workflow_get_name (NebulaWorkflow *self);
NEBULA_API const char *nebula_workflow_get_description (NebulaWorkflow *self);
NEBULA_API const char *nebula_workflow_get_file (NebulaWorkflow *self); /* may be NULL */
NEBULA_API NebulaValue *nebula_workflow_get_definition (NebulaWorkflow *self);
NEBULA_API NebulaPlan *nebula_workflow_compile (NebulaWorkflow *self, NebulaActionResolver *resolver, GPtrArray *diagnostics, GError **error);
/* Reads and compiles only to list all mistakes at once, those of structure and those of meaning. */
NEBULA_API gboolean nebula_workflow_validate_bytes (GBytes *bytes, const char *file_name, NebulaActionResolver *resolver, GPtrArray *diagnostics, GError **error);
/* The same for bindings, whose arrays are copies: all problems, as a new array; empty if there are none. */
NEBULA_API GPtrArray *nebula_workflow_diagnose_bytes (GBytes *bytes, const char *file_name, NebulaActionResolver *resolver);
NEBULA_API GPtrArray *nebula_workflow_diagnose_value (NebulaValue *definition, NebulaActionResolver *resolver);
/* Stable writers: the keys in the order of the schema, defaults left out. */
NEBULA_API char *nebula_workflow_to_yaml (NebulaWorkflow *self);
NEBULA_API char *nebula_workflow_to_json (NebulaWorkflow *self);
NEBULA_API char *nebula_workflow_to_dot (NebulaWorkflow *self);
NEBULA_API char *nebula_workflow_to_mermaid (NebulaWorkflow *self);
/* By meaning, not by text: {same, before, after, changes: [{change, what, node, path, before, after}]}. */
NEBULA_API NebulaValue *nebula_workflow_diff (NebulaWorkflow *before, NebulaWorkflow *after);

G_END_DECLS
