/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * How revisions get into the store. One unit holds all documents of a publication, and each head is written only if
 * nobody has written it since it was read: either all workflows have their new revision, or none has.
 */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-msgpack.h"
#include "nebula-revisions-private.h"

typedef struct {
  NebulaEngine *engine;
  NebulaValue *options; /* never NULL */
  NebulaUnit *unit;
  NebulaValueBuilder *answer;
  GPtrArray *plans; /* NebulaPlan: what the names mean once it is committed */
  gint64 now_usec;
} Publication;

static void
publication_free (gpointer data)
{
  Publication *self = data;

  g_clear_object (&self->engine);
  g_clear_pointer (&self->options, nebula_value_unref);
  g_clear_pointer (&self->unit, nebula_unit_free);
  g_clear_pointer (&self->answer, nebula_value_builder_unref);
  g_clear_pointer (&self->plans, g_ptr_array_unref);
  g_free (self);
}

static Publication *
publication_new (NebulaEngine *engine, NebulaValue *options)
{
  Publication *self = g_new0 (Publication, 1);

  self->engine = g_object_ref (engine);
  self->options = options ? nebula_value_ref (options) : nebula_value_new_empty_object ();
  self->unit = nebula_unit_new ("workflows", 0);
  self->unit->strict = TRUE;
  self->answer = nebula_value_builder_new_array ();
  self->plans = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_plan_unref);
  self->now_usec = nebula_clock_get_real_usec (engine->clock);
  return self;
}

static gboolean
check_options (Publication *self, GError **error)
{
  const char *label = nebula_value_get_member_string (self->options, "label", NULL);

  if (self->engine->is_stopped || self->engine->is_sealed) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
        _ ("The engine takes no new workflows: it is stopping, or its store failed."));
    return FALSE;
  }
  return !label || _nebula_revisions_check_label (label, error);
}

static gboolean
check_expected (Publication *self, const char *name, gint64 number, GError **error)
{
  gint64 expected = nebula_value_get_member_integer (self->options, "if-revision", -1);

  if (expected < 0 || expected == number)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
               _ ("The workflow “%s” is at revision %lld, not at %lld. Look at what changed, then try again."),
               name, (long long) number, (long long) expected);
  return FALSE;
}

/* Takes @value. */
static void
add_document (Publication *self,
              const char *collection,
              const char *key,
              NebulaValue *value,
              gint64 expected)
{
  g_autoptr (NebulaValue) owned = value;
  g_autoptr (GBytes) bytes = nebula_value_to_msgpack (value);

  nebula_unit_add_document (self->unit, collection, key, bytes, expected);
}

static NebulaValue *
make_labels (const NebulaRevisionHead *head, const char *label, gint64 number)
{
  NebulaValue *old = head->value ? nebula_value_get_member (head->value, "labels") : NULL;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (gsize i = 0; old && i < nebula_value_get_length (old); i++) {
    const char *key = nebula_value_get_key (old, i, NULL);

    if (g_strcmp0 (key, label) != 0)
      nebula_value_builder_set (builder, key, nebula_value_get_member_at (old, i));
  }
  if (label && number > 0)
    nebula_value_builder_set_integer (builder, label, number);
  return nebula_value_builder_end (builder);
}

/* @labelled: what the label names from now on; 0: nothing. */
static void
write_head (Publication *self,
            const char *name,
            const NebulaRevisionHead *head,
            gint64 number,
            const char *hash,
            const char *label,
            gint64 labelled)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "revision", hash);
  nebula_value_builder_set_integer (builder, "number", number);
  nebula_value_builder_set_take (builder, "labels", make_labels (head, label, labelled));
  nebula_value_builder_set_integer (builder, "updated", self->now_usec);
  add_document (self, NEBULA_REVISIONS_HEADS, name, nebula_value_builder_end (builder),
                head->value ? head->document_revision : -1);
}

static void
write_definition (Publication *self, NebulaPlan *plan)
{
  g_autoptr (GBytes) bytes = NULL;

  if (g_hash_table_contains (self->engine->stored, plan->hash))
    return;
  bytes = _nebula_recovery_pack_definition (plan);
  nebula_unit_add_document (self->unit, "definition", plan->hash, bytes, 0);
}

static void
copy_option (Publication *self, NebulaValueBuilder *builder, const char *key)
{
  NebulaValue *value = nebula_value_get_member (self->options, key);

  if (value)
    nebula_value_builder_set (builder, key, value);
}

/* What is published: the plan may be that of an earlier revision which runs alike, so what was written stands beside it. */
typedef struct {
  NebulaPlan *plan;
  NebulaValue *definition;
  const char *file; /* may be NULL */
  gint64 restores;  /* 0: nothing */
} Content;

static void
write_revision (Publication *self, const Content *content, gint64 number)
{
  NebulaPlan *plan = content->plan;
  g_autofree char *key = _nebula_revisions_make_key (plan->name, number);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "workflow", plan->name);
  nebula_value_builder_set_integer (builder, "revision", number);
  nebula_value_builder_set_string (builder, "hash", plan->hash);
  nebula_value_builder_set_integer (builder, "created", self->now_usec);
  if (content->file)
    nebula_value_builder_set_string (builder, "file", content->file);
  nebula_value_builder_set (builder, "definition", content->definition);
  if (plan->links)
    nebula_value_builder_set (builder, "links", plan->links);
  copy_option (self, builder, "message");
  copy_option (self, builder, "by");
  if (content->restores > 0)
    nebula_value_builder_set_integer (builder, "restores", content->restores);
  add_document (self, NEBULA_REVISIONS, key, nebula_value_builder_end (builder), -1);
  write_definition (self, plan);
  for (guint i = 0; plan->called && i < plan->called->len; i++)
    write_definition (self, plan->called->pdata[i]);
}

static void
answer (Publication *self, const char *name, gint64 number, const char *hash, gboolean changed)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "workflow", name);
  nebula_value_builder_set_integer (builder, "revision", number);
  nebula_value_builder_set_string (builder, "hash", hash);
  nebula_value_builder_set_boolean (builder, "changed", changed);
  nebula_value_builder_add_take (self->answer, nebula_value_builder_end (builder));
}

static gboolean
is_same_value (NebulaValue *first, NebulaValue *second)
{
  return first == second || (first && second && nebula_value_equal (first, second));
}

/* Whether the current revision is this very definition, drawing and notes included. */
static gboolean
is_current (const Content *content, NebulaValue *current)
{
  const char *hash = nebula_value_get_member_string (current, "hash", "");
  NebulaValue *definition = nebula_value_get_member (current, "definition");
  NebulaValue *links = nebula_value_get_member (current, "links");

  return g_str_equal (hash, content->plan->hash) &&
         is_same_value (definition, content->definition) &&
         is_same_value (links, content->plan->links);
}

static gboolean
add (Publication *self, const Content *content, GError **error)
{
  NebulaPlan *plan = content->plan;
  const char *label = nebula_value_get_member_string (self->options, "label", NULL);
  g_auto (NebulaRevisionHead) head = {0};
  g_autoptr (NebulaValue) current = NULL;
  gboolean is_new = TRUE;
  gint64 number;

  if (!_nebula_revisions_read_head (self->engine, plan->name, &head, error) ||
      !check_expected (self, plan->name, head.number, error))
    return FALSE;
  if (head.number > 0) {
    current = _nebula_revisions_read (self->engine, plan->name, head.number, error);
    if (!current)
      return FALSE;
    is_new = !is_current (content, current);
  }
  number = head.number + (is_new ? 1 : 0);
  if (is_new)
    write_revision (self, content, number);
  if (is_new || label)
    write_head (self, plan->name, &head, number, plan->hash, label, label ? number : 0);
  answer (self, plan->name, number, plan->hash, is_new);
  g_ptr_array_add (self->plans, nebula_plan_ref (plan));
  return TRUE;
}

static void
keep_names (Publication *self)
{
  for (guint i = 0; i < self->plans->len; i++) {
    NebulaPlan *plan = self->plans->pdata[i];

    _nebula_engine_remember_name (self->engine, plan);
    g_hash_table_add (self->engine->stored, g_strdup (plan->hash));
  }
}

static void
finish (GTask *task)
{
  Publication *self = g_task_get_task_data (task);

  keep_names (self);
  g_task_return_pointer (task, nebula_value_builder_end (self->answer),
                         (GDestroyNotify) nebula_value_unref);
}

static void
committed (const NebulaUnit *unit, NebulaOutcome outcome, const GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;

  if (outcome == NEBULA_OUTCOME_COMMITTED)
    finish (task);
  else if (outcome == NEBULA_OUTCOME_REFUSED_REVISION)
    g_task_return_new_error (task, NEBULA_ERROR, NEBULA_ERROR_CONFLICT, "%s",
                             _ ("The workflow got another revision in the meantime. Try again."));
  else
    g_task_return_error (task, g_error_copy (error));
}

static void
submit (GTask *task)
{
  Publication *self = g_task_get_task_data (task);

  if (self->unit->documents && self->unit->documents->len > 0)
    nebula_journal_submit (self->engine->journal, g_steal_pointer (&self->unit), committed,
                           g_object_ref (task));
  else
    finish (task);
}

/* Takes @error. */
static void
go_on (GTask *task, gboolean is_ready, GError *error)
{
  if (is_ready)
    submit (task);
  else
    g_task_return_error (task, error);
}

static GTask *
begin (NebulaEngine *engine,
       NebulaValue *options,
       GCancellable *cancellable,
       GAsyncReadyCallback callback,
       gpointer user_data)
{
  GTask *task = g_task_new (engine, cancellable, callback, user_data);

  g_task_set_source_tag (task, nebula_engine_publish_finish);
  g_task_set_task_data (task, publication_new (engine, options), publication_free);
  return task;
}

static gboolean
check_names (GPtrArray *workflows, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < workflows->len; i++) {
    const char *name = nebula_workflow_get_name (workflows->pdata[i]);

    if (g_hash_table_add (names, (gpointer) name))
      continue;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("Two of these files hold the workflow “%s”. Give one of them another name."),
                 name);
    return FALSE;
  }
  return TRUE;
}

/* All are compiled, so that all mistakes are told at once. */
static GPtrArray *
compile_all (NebulaEngine *engine, GPtrArray *workflows, GPtrArray *diagnostics, GError **error)
{
  g_autoptr (GPtrArray) plans =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_plan_unref);
  g_autoptr (GError) first = NULL;

  for (guint i = 0; i < workflows->len; i++) {
    NebulaPlan *plan = _nebula_engine_deploy_limited (
        engine, workflows->pdata[i], engine->max_nodes, engine->max_connections,
        diagnostics, first ? NULL : &first);

    if (plan)
      g_ptr_array_add (plans, plan);
  }
  if (!first)
    return g_steal_pointer (&plans);
  g_propagate_error (error, g_steal_pointer (&first));
  return NULL;
}

static gboolean
add_workflow (Publication *self, NebulaWorkflow *workflow, NebulaPlan *plan, GError **error)
{
  g_autoptr (NebulaValue) definition = nebula_workflow_make_canonical (workflow);
  Content content = {plan, definition, nebula_workflow_get_file (workflow), 0};

  return add (self, &content, error);
}

static gboolean
publish (Publication *self, GPtrArray *workflows, GPtrArray *diagnostics, GError **error)
{
  g_autoptr (GPtrArray) plans = NULL;

  if (!check_options (self, error) || !check_names (workflows, error))
    return FALSE;
  plans = compile_all (self->engine, workflows, diagnostics, error);
  for (guint i = 0; plans && i < plans->len; i++)
    if (!add_workflow (self, workflows->pdata[i], plans->pdata[i], error))
      return FALSE;
  return plans != NULL;
}

/**
 * nebula_engine_publish_async:
 * @self: an engine
 * @workflows: (element-type NebulaWorkflow): what the users meant; borrowed until this returns
 * @options: (nullable): an object {label, if-revision, message, by}
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): takes all problems, warnings too
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Puts workflows into the engine's store: all of them, or none if one is wrong.
 *
 * One that differs from its current revision, be it only in its drawing, becomes a new revision with the next number; one
 * that does not stays as it is. With `label` the label names what is published. With `if-revision` nothing is done unless
 * that revision is the current one; 0 means that there must be none. From the commit on `flow.call` and
 * nebula_engine_start_revision() find the new revisions by name; executions that run keep theirs.
 *
 * Blocks for the store where it reads.
 *
 * Errors: %NEBULA_ERROR_INVALID_WORKFLOW (terminal) with the reasons in @diagnostics; %NEBULA_ERROR_CONFLICT (terminal):
 * another revision is current; %NEBULA_ERROR_INVALID_ARGUMENT (terminal): a name comes twice, or a label is none; errors of
 * the store.
 *
 * Since: 1.0
 */
void
nebula_engine_publish_async (NebulaEngine *self,
                             GPtrArray *workflows,
                             NebulaValue *options,
                             GPtrArray *diagnostics,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_ready;

  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (workflows != NULL);

  task = begin (self, options, cancellable, callback, user_data);
  is_ready = publish (g_task_get_task_data (task), workflows, diagnostics, &error);
  go_on (task, is_ready, g_steal_pointer (&error));
}

static gboolean
roll_back (Publication *self, const char *workflow, const char *which, GError **error)
{
  Content content = {NULL, NULL, NULL, 0};
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (NebulaValue) former = NULL;

  if (!check_options (self, error))
    return FALSE;
  content.plan = plan = nebula_engine_load_revision (self->engine, workflow, which,
                                                     &content.restores, error);
  if (plan)
    former = _nebula_revisions_read (self->engine, workflow, content.restores, error);
  if (!former)
    return FALSE;
  content.definition = nebula_value_get_member (former, "definition");
  content.file = nebula_value_get_member_string (former, "file", NULL);
  return add (self, &content, error);
}

/**
 * nebula_engine_roll_back_async:
 * @self: an engine
 * @workflow: a workflow's name
 * @which: a number or a label
 * @options: (nullable): an object {label, if-revision, message, by}, as for nebula_engine_publish_async()
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Makes an earlier revision the current one. History only grows: what @which holds becomes a new revision that says which
 * one it restores.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal); those of nebula_engine_publish_async().
 *
 * Since: 1.0
 */
void
nebula_engine_roll_back_async (NebulaEngine *self,
                               const char *workflow,
                               const char *which,
                               NebulaValue *options,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_ready;

  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (workflow != NULL && which != NULL);

  task = begin (self, options, cancellable, callback, user_data);
  is_ready = roll_back (g_task_get_task_data (task), workflow, which, &error);
  go_on (task, is_ready, g_steal_pointer (&error));
}

static gboolean
put_label (Publication *self,
           const char *workflow,
           const char *label,
           const char *which,
           GError **error)
{
  g_auto (NebulaRevisionHead) head = {0};
  gboolean is_removal = which && which[0] == '\0';
  const char *hash;
  gint64 number;

  if (!check_options (self, error) || !_nebula_revisions_check_label (label, error) ||
      !_nebula_revisions_read_head (self->engine, workflow, &head, error))
    return FALSE;
  number = _nebula_revisions_resolve (&head, workflow, which, error);
  if (number == 0)
    return FALSE;
  hash = nebula_value_get_member_string (head.value, "revision", "");
  write_head (self, workflow, &head, head.number, hash, label, is_removal ? 0 : number);
  answer (self, workflow, number, hash, FALSE);
  return TRUE;
}

/**
 * nebula_engine_label_async:
 * @self: an engine
 * @workflow: a workflow's name
 * @label: the label: letters, digits, `_`, `.` and `-`, a letter first
 * @which: (nullable): the number or another label of what it shall name; %NULL for the current revision, an empty text to
 *   take the label away
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Lets a label name a revision; it leaves the one that it named before.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal); those of nebula_engine_publish_async().
 *
 * Since: 1.0
 */
void
nebula_engine_label_async (NebulaEngine *self,
                           const char *workflow,
                           const char *label,
                           const char *which,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_ready;

  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (workflow != NULL && label != NULL);

  task = begin (self, NULL, cancellable, callback, user_data);
  is_ready = put_label (g_task_get_task_data (task), workflow, label, which, &error);
  go_on (task, is_ready, g_steal_pointer (&error));
}

/**
 * nebula_engine_publish_finish:
 * @self: an engine
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_engine_publish_async(), nebula_engine_roll_back_async() and nebula_engine_label_async(), when what they did
 * is committed.
 *
 * Returns: (transfer full): for each workflow `{workflow, revision, hash, changed}`; changed tells whether the revision is
 *   new
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_publish_finish (NebulaEngine *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
