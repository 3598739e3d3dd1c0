/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"

G_BEGIN_DECLS

/* Workflows in the store: each publication of a changed definition is a revision with a number; the last one is current.
 * @which: NULL for the current one, else a number or a label. Reads block for the store. */

/* All or none. @workflows (element-type NebulaWorkflow); @options: NULL or {label, if-revision, message, by}. */
NEBULA_API void nebula_engine_publish_async (NebulaEngine *self, GPtrArray *workflows, NebulaValue *options, GPtrArray *diagnostics, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* The current revision becomes what @which was, as a new revision. @options as above. */
NEBULA_API void nebula_engine_roll_back_async (NebulaEngine *self, const char *workflow, const char *which, NebulaValue *options, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* @which "" : takes the label away. */
NEBULA_API void nebula_engine_label_async (NebulaEngine *self, const char *workflow, const char *label, const char *which, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* Ends all three: an array of {workflow, revision, hash, changed}. */
NEBULA_API NebulaValue *nebula_engine_publish_finish (NebulaEngine *self, GAsyncResult *result, GError **error);

/* {items: [{workflow, revision, hash, tags, labels, updated}], next}, by name. */
NEBULA_API NebulaValue *nebula_engine_list_workflows (NebulaEngine *self, const char *after, guint limit, GError **error);
/* The same of those whose current revision has @tag. */
NEBULA_API NebulaValue *nebula_engine_list_workflows_with_tag (NebulaEngine *self, const char *tag, const char *after, guint limit, GError **error);
/* {items: [{workflow, revision, hash, labels, created, message?, by?, restores?}], next}, newest first. */
NEBULA_API NebulaValue *nebula_engine_list_revisions (NebulaEngine *self, const char *workflow, gint64 before, guint limit, GError **error);
/* The same of one, with its definition. */
NEBULA_API NebulaValue *nebula_engine_get_revision (NebulaEngine *self, const char *workflow, const char *which, GError **error);
NEBULA_API NebulaPlan *nebula_engine_load_revision (NebulaEngine *self, const char *workflow, const char *which, gint64 *ret_revision, GError **error);
NEBULA_API NebulaExecution *nebula_engine_start_revision (NebulaEngine *self, const char *workflow, const char *which, NebulaValue *input, NebulaValue *options, GError **error);

G_END_DECLS
