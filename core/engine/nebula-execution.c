/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"

/**
 * NebulaExecution:
 *
 * The handle of one execution. It keeps the execution in memory; without handles a waiting one leaves it.
 *
 * What a handle tells is committed: it never shows what a crash could take back.
 *
 * It is #NebulaIdentifiable; #NebulaHasContext with tenant and execution; and #NebulaScoped: what is bound to its scope is
 * released when the execution ends, however it ends, or leaves the memory of this process.
 *
 * Thread: owner context of its engine.
 *
 * Since: 1.0
 */
struct _NebulaExecution {
  GObject parent_instance;

  NebulaEngine *engine;
  NebulaInstance *instance; /* NULL once the engine has dropped it */
  char *id;
  char *workflow;
  NebulaExecutionStatus last_status;
  NebulaContext *context;
  NebulaScope *scope; /* NULL until somebody asks */
};

static const char *
nebula_execution_identify (NebulaIdentifiable *identifiable)
{
  return NEBULA_EXECUTION (identifiable)->id;
}

static NebulaContext *
nebula_execution_get_context (NebulaHasContext *has_context)
{
  return NEBULA_EXECUTION (has_context)->context;
}

static NebulaScope *
nebula_execution_get_scope (NebulaScoped *scoped)
{
  NebulaExecution *self = NEBULA_EXECUTION (scoped);

  if (!self->scope && self->instance)
    self->scope = g_object_ref (_nebula_instance_get_scope (self->instance));
  return self->scope ? self->scope : self->engine->scope;
}

static void
nebula_execution_identifiable_init (NebulaIdentifiableInterface *iface)
{
  iface->get_id = nebula_execution_identify;
}

static void
nebula_execution_has_context_init (NebulaHasContextInterface *iface)
{
  iface->get_context = nebula_execution_get_context;
}

static void
nebula_execution_scoped_init (NebulaScopedInterface *iface)
{
  iface->get_scope = nebula_execution_get_scope;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (
    NebulaExecution, nebula_execution, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (NEBULA_TYPE_IDENTIFIABLE, nebula_execution_identifiable_init)
    G_IMPLEMENT_INTERFACE (NEBULA_TYPE_HAS_CONTEXT, nebula_execution_has_context_init)
    G_IMPLEMENT_INTERFACE (NEBULA_TYPE_SCOPED, nebula_execution_scoped_init))

static NebulaContext *
make_context (const char *tenant, const char *id)
{
  g_autoptr (NebulaContext) empty = nebula_context_new ();
  g_autoptr (NebulaContext) of_tenant = nebula_context_with_tenant (empty, tenant);

  return nebula_context_with_execution (of_tenant, id);
}

static void
nebula_execution_dispose (GObject *object)
{
  NebulaExecution *self = NEBULA_EXECUTION (object);
  NebulaInstance *instance = g_steal_pointer (&self->instance);

  if (instance) {
    instance->handle = NULL;
    _nebula_instance_settle (instance);
  }
  g_clear_object (&self->scope);
  g_clear_object (&self->engine);
  G_OBJECT_CLASS (nebula_execution_parent_class)->dispose (object);
}

static void
nebula_execution_finalize (GObject *object)
{
  NebulaExecution *self = NEBULA_EXECUTION (object);

  g_free (self->id);
  g_free (self->workflow);
  nebula_context_unref (self->context);
  G_OBJECT_CLASS (nebula_execution_parent_class)->finalize (object);
}

static void
nebula_execution_class_init (NebulaExecutionClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = nebula_execution_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_execution_finalize;
}

static void
nebula_execution_init (NebulaExecution *self)
{
}

NebulaExecution *
_nebula_execution_get_for (NebulaInstance *instance)
{
  NebulaExecution *self = instance->handle;

  if (self)
    return g_object_ref (self);
  self = g_object_new (NEBULA_TYPE_EXECUTION, NULL);
  self->engine = g_object_ref (instance->engine);
  self->instance = instance;
  self->id = g_strdup (instance->id);
  self->workflow = g_strdup (instance->plan->name);
  self->context = make_context (instance->tenant, instance->id);
  instance->handle = self;
  return self;
}

void
_nebula_execution_detach (NebulaInstance *instance)
{
  if (!instance->handle)
    return;
  instance->handle->last_status = instance->committed_status;
  instance->handle->instance = NULL;
  instance->handle = NULL;
}

/**
 * nebula_execution_get_id:
 * @self: an execution
 *
 * Gets the id.
 *
 * Returns: (transfer none) (nullable): the id, `exe_…`
 *
 * Since: 1.0
 */
const char *
nebula_execution_get_id (NebulaExecution *self)
{
  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), NULL);
  return self->id;
}

/**
 * nebula_execution_get_workflow:
 * @self: an execution
 *
 * Gets the name of its workflow.
 *
 * Returns: (transfer none): the name
 *
 * Since: 1.0
 */
const char *
nebula_execution_get_workflow (NebulaExecution *self)
{
  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), NULL);
  return self->workflow;
}

/**
 * nebula_execution_get_status:
 * @self: an execution
 *
 * Gets the status as far as it is committed.
 *
 * Returns: the status
 *
 * Since: 1.0
 */
NebulaExecutionStatus
nebula_execution_get_status (NebulaExecution *self)
{
  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), NEBULA_EXECUTION_STATUS_CREATED);
  return self->instance ? self->instance->committed_status : self->last_status;
}

static gboolean
check_instance (NebulaExecution *self, GError **error)
{
  if (self->instance)
    return TRUE;
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
      _ ("The engine no longer holds “%s”: it was stopped, or another one took it over."),
      self->id);
  return FALSE;
}

/* The state that others may see: memory's own if all of it is committed and at home, else folded from the store. What
 * was never to be written has only memory: then a turn that is away is waited for. */
static NebulaKernel *
get_committed_kernel (NebulaExecution *self, NebulaKernel **ret_owned, GError **error)
{
  NebulaInstance *instance = self->instance;
  NebulaKernelHost host = _nebula_spilled_make_host (instance);
  g_autoptr (NebulaKernel) kernel = NULL;
  g_autoptr (GPtrArray) segments = NULL;

  if (instance->is_away && !_nebula_instance_is_durable (instance))
    _nebula_away_wait (instance);
  if (!_nebula_instance_is_durable (instance) ||
      (!instance->is_away &&
       nebula_kernel_get_state (instance->kernel)->sequence == instance->committed))
    return instance->kernel;
  kernel = nebula_kernel_new (instance->plan, instance->id, instance->tenant, &host);
  segments =
      nebula_store_read_segments (instance->engine->store, instance->id, 0, 0, error);
  if (!segments)
    return NULL;
  for (guint i = 0; i < segments->len; i++) {
    if (!nebula_state_fold (nebula_kernel_get_state (kernel),
                            ((NebulaSegment *) segments->pdata[i])->facts, error))
      return NULL;
  }
  *ret_owned = g_steal_pointer (&kernel);
  return *ret_owned;
}

/**
 * nebula_execution_get_report:
 * @self: an execution
 * @error: where the failure goes
 *
 * Gets the run object {execution, workflow, status, output, error, started, duration_us, nodes}, of committed facts.
 * Blocks for the store while not all that it has done is committed.
 *
 * Errors: %NEBULA_ERROR_UNAVAILABLE (retry): the engine has dropped it; those of the store.
 *
 * Returns: (transfer full): the object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_execution_get_report (NebulaExecution *self, GError **error)
{
  g_autoptr (NebulaKernel) owned = NULL;
  g_autoptr (NebulaValue) report = NULL;
  NebulaKernel *kernel;

  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), NULL);
  if (!check_instance (self, error))
    return NULL;
  kernel = get_committed_kernel (self, &owned, error);
  if (!kernel)
    return NULL;
  report = nebula_kernel_report (kernel);
  return nebula_kernel_load (kernel, report, error);
}

/* Looks for one node-run while a history is folded, so that finished rounds can be looked into. */
typedef struct {
  const char *path;
  NebulaValue *report;
} NodeSearch;

static void
search_fact (NebulaState *state, const NebulaFact *fact, gpointer data)
{
  NodeSearch *search = data;
  NebulaLane *lane = nebula_state_get_lane (state, fact->lane);
  NebulaRun *run;
  NebulaRun after;
  g_autofree char *path = NULL;

  if (!lane || fact->node == NEBULA_PLAN_NONE || fact->kind == NEBULA_FACT_GUARD)
    return;
  path = nebula_state_dup_path (state, lane, fact->node);
  if (!g_str_equal (path, search->path))
    return;
  run = nebula_lane_get_run (state, lane, fact->node);
  after = *run;
  if (fact->kind == NEBULA_FACT_NODE_ENDED || fact->kind == NEBULA_FACT_NODE_FAILED) {
    after.status =
        fact->kind == NEBULA_FACT_NODE_ENDED ? NEBULA_NODE_COMPLETED : NEBULA_NODE_FAILED;
    after.value = fact->value;
    after.ended_usec = fact->time_usec;
    after.attempts = MAX (after.attempts, (guint16) fact->attempt);
  }
  g_clear_pointer (&search->report, nebula_value_unref);
  search->report = nebula_run_report (&after);
}

/* A node that no fact names by itself was skipped or has not run: its report is in the state. */
static NebulaValue *
report_unnamed (NebulaState *state, const char *path)
{
  guint32 node = nebula_plan_find_node (state->plan, 0, path);

  return node == NEBULA_PLAN_NONE || !state->root
             ? NULL
             : nebula_run_report (nebula_lane_get_run (state, state->root, node));
}

/**
 * nebula_execution_get_node_report:
 * @self: an execution
 * @path: path of a node: `price`, or inside loops `each[3].price`
 * @error: where the failure goes
 *
 * Gets what a node did, {status, attempts, duration_us, result | error}, also inside rounds that have ended. Blocks for
 * the store.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal): no such node-run; those of the store.
 *
 * Returns: (transfer full): the object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_execution_get_node_report (NebulaExecution *self, const char *path, GError **error)
{
  g_autoptr (NebulaState) state = NULL;
  g_autoptr (GPtrArray) segments = NULL;
  g_autoptr (NebulaValue) found = NULL;
  NodeSearch search = {path, NULL};

  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), NULL);
  g_return_val_if_fail (path != NULL, NULL);
  if (!check_instance (self, error))
    return NULL;
  state = nebula_state_new (self->instance->plan);
  state->watch = search_fact;
  state->watch_data = &search;
  segments = nebula_store_read_segments (self->engine->store, self->id, 0, 0, error);
  for (guint i = 0; segments && i < segments->len; i++) {
    if (nebula_state_fold (state, ((NebulaSegment *) segments->pdata[i])->facts, error))
      continue;
    g_clear_pointer (&search.report, nebula_value_unref);
    return NULL;
  }
  if (!search.report)
    search.report = report_unnamed (state, path);
  if (!search.report && segments)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("No node “%s” has run in “%s”."), path, self->id);
  found = search.report;
  return found ? nebula_kernel_load (self->instance->kernel, found, error) : NULL;
}

/**
 * nebula_execution_explain:
 * @self: an execution
 *
 * Says why it is not running: an array of {node, reason, since, …}, from its committed state, that of the gates that it
 * waits for (held_by, waiting) and of the executions that it has called (why). Blocks for the store.
 *
 * Returns: (transfer full): the array; empty when it has ended
 *
 * Since: 1.0
 */
NebulaValue *
nebula_execution_explain (NebulaExecution *self)
{
  g_autoptr (NebulaKernel) owned = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) reasons = NULL;
  NebulaKernel *kernel = NULL;

  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), NULL);
  if (self->instance)
    kernel = get_committed_kernel (self, &owned, &error);
  if (!kernel)
    return nebula_value_new_array (NULL, 0);
  reasons = nebula_kernel_explain (kernel);
  return _nebula_why_complete (self->instance, reasons);
}

/**
 * nebula_execution_get_output:
 * @self: an execution
 *
 * Gets the output.
 *
 * Returns: (transfer full) (nullable): the output; %NULL unless it has completed, or if the store has lost it, as
 * nebula_execution_get_report() would say
 *
 * Since: 1.0
 */
NebulaValue *
nebula_execution_get_output (NebulaExecution *self)
{
  NebulaState *state;
  g_autoptr (GError) error = NULL;
  NebulaValue *output;

  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), NULL);
  if (!self->instance ||
      self->instance->committed_status != NEBULA_EXECUTION_STATUS_COMPLETED)
    return NULL;
  state = nebula_kernel_get_state (self->instance->kernel);
  output = nebula_kernel_load (self->instance->kernel, state->output, &error);
  if (!output)
    g_warning ("The output of %s cannot be read: %s", self->id, error->message);
  return output;
}

NebulaInstance *
_nebula_execution_get_instance (NebulaExecution *self)
{
  return self->instance;
}

GTask *
_nebula_execution_begin (NebulaExecution *self,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  if (check_instance (self, &error))
    return task;
  g_task_return_error (task, error);
  g_object_unref (task);
  return NULL;
}

/**
 * nebula_execution_cancel_async:
 * @self: an execution
 * @reason: (nullable): why, for people
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Asks the execution to end. Once this is answered no further node of it starts.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it has ended already.
 *
 * Since: 1.0
 */
void
nebula_execution_cancel_async (NebulaExecution *self,
                               const char *reason,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task =
      _nebula_execution_begin (self, cancellable, callback, user_data);

  if (!task)
    return;
  g_task_set_source_tag (task, nebula_execution_cancel_async);
  _nebula_ask_cancel (self->instance, _nebula_ask_new (task), reason);
}

static gboolean
finish (NebulaExecution *self, GAsyncResult *result, gpointer tag, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, tag), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * nebula_execution_cancel_finish:
 * @self: an execution
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_execution_cancel_async().
 *
 * Returns: %TRUE if the wish is committed
 *
 * Since: 1.0
 */
gboolean
nebula_execution_cancel_finish (NebulaExecution *self,
                                GAsyncResult *result,
                                GError **error)
{
  return finish (self, result, nebula_execution_cancel_async, error);
}

/**
 * nebula_execution_signal_async:
 * @self: an execution
 * @name: name of the signal
 * @value: (nullable): what it carries; %NULL for null
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Sends a signal. It is kept until a wait takes it.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it has ended already.
 *
 * Since: 1.0
 */
void
nebula_execution_signal_async (NebulaExecution *self,
                               const char *name,
                               NebulaValue *value,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task =
      _nebula_execution_begin (self, cancellable, callback, user_data);
  g_autoptr (NebulaValue) null = nebula_value_new_null ();

  if (!task)
    return;
  g_task_set_source_tag (task, nebula_execution_signal_async);
  _nebula_ask_signal (self->instance, _nebula_ask_new (task), name, value ? value : null);
}

/**
 * nebula_execution_signal_finish:
 * @self: an execution
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_execution_signal_async().
 *
 * Returns: %TRUE if the signal is committed
 *
 * Since: 1.0
 */
gboolean
nebula_execution_signal_finish (NebulaExecution *self,
                                GAsyncResult *result,
                                GError **error)
{
  return finish (self, result, nebula_execution_signal_async, error);
}

/**
 * nebula_execution_resume_async:
 * @self: an execution
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Lets an execution go on that is paused or parked, or whose engine went away while it ran.
 *
 * One that runs in this engine is left alone; the answer then comes when all that it has done so far is committed.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it has ended already.
 *
 * Since: 1.0
 */
void
nebula_execution_resume_async (NebulaExecution *self,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task =
      _nebula_execution_begin (self, cancellable, callback, user_data);

  if (!task)
    return;
  g_task_set_source_tag (task, nebula_execution_resume_async);
  _nebula_recovery_take_up (self->instance, _nebula_ask_new (task));
}

/**
 * nebula_execution_resume_finish:
 * @self: an execution
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_execution_resume_async().
 *
 * Returns: %TRUE if it goes on
 *
 * Since: 1.0
 */
gboolean
nebula_execution_resume_finish (NebulaExecution *self,
                                GAsyncResult *result,
                                GError **error)
{
  return finish (self, result, nebula_execution_resume_async, error);
}

/**
 * nebula_execution_wait_async:
 * @self: an execution
 * @cancellable: (nullable): stops waiting; the execution goes on
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Waits until the execution has ended and that is committed.
 *
 * Errors: %NEBULA_ERROR_CANCELLED: the engine was stopped; %NEBULA_ERROR_STALE (terminal): another engine took it over.
 *
 * Since: 1.0
 */
void
nebula_execution_wait_async (NebulaExecution *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task =
      _nebula_execution_begin (self, cancellable, callback, user_data);
  NebulaInstance *instance = self->instance;

  if (!task)
    return;
  g_task_set_source_tag (task, nebula_execution_wait_async);
  if (nebula_execution_status_is_terminal (instance->committed_status)) {
    g_task_return_boolean (task, TRUE);
    return;
  }
  if (!instance->end_waiters)
    instance->end_waiters = g_ptr_array_new ();
  g_ptr_array_add (instance->end_waiters, g_object_ref (task));
}

/**
 * nebula_execution_wait_finish:
 * @self: an execution
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_execution_wait_async().
 *
 * Returns: %TRUE if it has ended, however it did
 *
 * Since: 1.0
 */
gboolean
nebula_execution_wait_finish (NebulaExecution *self, GAsyncResult *result, GError **error)
{
  return finish (self, result, nebula_execution_wait_async, error);
}

/**
 * nebula_execution_wait_sync:
 * @self: an execution
 * @cancellable: (nullable): stops waiting; the execution goes on
 * @error: where the failure goes
 *
 * Turns the engine's context until the execution has ended. Not for use inside a callback of that context.
 *
 * Errors: as nebula_execution_wait_async(); %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it has ended, however it did
 *
 * Since: 1.0
 */
gboolean
nebula_execution_wait_sync (NebulaExecution *self,
                            GCancellable *cancellable,
                            GError **error)
{
  g_return_val_if_fail (NEBULA_IS_EXECUTION (self), FALSE);
  if (!check_instance (self, error))
    return FALSE;
  while (self->instance &&
         !nebula_execution_status_is_terminal (self->instance->committed_status)) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    g_main_context_iteration (self->engine->context, TRUE);
  }
  return check_instance (self, error);
}
