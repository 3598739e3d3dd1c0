/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What operators and people ask of an execution. Each wish is answered when its fact is committed, or told why not. */

#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-rerun-private.h"

typedef struct _Order Order;

/* FALSE with error: it is refused, and nothing has changed. */
typedef gboolean (*Carry) (NebulaKernel *kernel,
                           Order *order,
                           gint64 now_usec,
                           GError **error);

struct _Order {
  NebulaAsk *ask;
  Carry carry;
  char *text; /* path, region, token, reason; may be NULL */
  char *by;
  char *comment;
  gboolean is_approval;
  NebulaValue *value; /* may be NULL */
  GError *error;      /* why it is refused */
};

/* NULL: it has been answered already. */
static Order *
order_new (NebulaExecution *execution,
           Carry carry,
           const char *text,
           GCancellable *cancellable,
           GAsyncReadyCallback callback,
           gpointer user_data)
{
  g_autoptr (GTask) task =
      _nebula_execution_begin (execution, cancellable, callback, user_data);
  Order *self;

  if (!task)
    return NULL;
  self = g_new0 (Order, 1);
  self->ask = _nebula_ask_new (task);
  self->carry = carry;
  self->text = g_strdup (text);
  return self;
}

static void
order_free (gpointer data)
{
  Order *self = data;

  _nebula_ask_free (self->ask);
  g_clear_pointer (&self->value, nebula_value_unref);
  g_clear_error (&self->error);
  g_free (self->text);
  g_free (self->by);
  g_free (self->comment);
  g_free (self);
}

static gboolean
order_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  Order *self = data;

  if (!_nebula_ask_is_refused (self->ask, kernel))
    self->carry (kernel, self, now_usec, &self->error);
  return TRUE;
}

static void
order_answer (NebulaInstance *instance, const GError *error, gpointer data)
{
  Order *self = data;

  if (self->error && !error)
    _nebula_ask_fail (self->ask, self->error);
  else
    _nebula_ask_answer (self->ask, instance, error);
}

static const NebulaStimulusClass order_class = {order_apply, order_answer, order_free};

/* Ending a node may have to evaluate what undoes it: that is not for the loop. */
static void
submit (NebulaExecution *execution, Order *order)
{
  NebulaInstance *instance;
  gboolean is_heavy;

  if (!order)
    return;
  instance = _nebula_execution_get_instance (execution);
  is_heavy = nebula_kernel_is_large (order->value);
  for (guint32 i = 0; i < instance->plan->n_nodes && !is_heavy; i++)
    is_heavy = instance->plan->nodes[i].construct == NEBULA_CONSTRUCT_WAIT &&
               nebula_kernel_evaluates_at_end (instance->plan, i);
  _nebula_away_stimulate (instance, &order_class, order, is_heavy);
}

static gboolean
decide (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  NebulaDecision decision = {order->by, order->is_approval, order->comment};

  return nebula_kernel_decide_approval (kernel, order->text, &decision, now_usec, error);
}

static gboolean
answer (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  return nebula_kernel_answer (kernel, order->text, order->value, now_usec, error);
}

static gboolean
terminate (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  return nebula_kernel_terminate (kernel, order->text, now_usec);
}

static gboolean
cancel_node (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  return nebula_kernel_cancel_at (kernel, order->text, now_usec, error);
}

static gboolean
cancel_region (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  return nebula_kernel_cancel_region (kernel, order->text, now_usec, error);
}

static gboolean
pause_all (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  nebula_kernel_pause (kernel, order->text, now_usec);
  return TRUE;
}

/* Those that there are, and this one; or without it. */
static gboolean
set_breakpoint (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  NebulaState *state = nebula_kernel_get_state (kernel);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) breakpoints = NULL;

  if (!_nebula_rerun_check_breakpoint (state->plan, order->text, order->comment, error))
    return FALSE;
  for (gsize i = 0; state->breaks && i < nebula_value_get_length (state->breaks); i++) {
    const char *path = nebula_value_get_key (state->breaks, i, NULL);

    if (!g_str_equal (path, order->text))
      nebula_value_builder_set (builder, path,
                                nebula_value_get_member_at (state->breaks, i));
  }
  if (order->is_approval)
    nebula_value_builder_set_string (builder, order->text, order->comment);
  breakpoints = nebula_value_builder_end (builder);
  nebula_kernel_set_breakpoints (kernel, breakpoints, now_usec);
  return TRUE;
}

static gboolean
step (NebulaKernel *kernel, Order *order, gint64 now_usec, GError **error)
{
  if (nebula_kernel_get_state (kernel)->is_paused)
    return nebula_kernel_step (kernel, now_usec);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                       _ ("Only an execution that is paused can be stepped. Set a breakpoint, or pause it."));
  return FALSE;
}

/**
 * nebula_execution_break_async:
 * @self: an execution
 * @path: path of a node: `price`, `each.price` for all rounds of a loop, `each[3].price` for one
 * @condition: (nullable): an expression, as the node's parameters could hold it; %NULL to stop always
 * @is_set: %FALSE to take the breakpoint away
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Sets a breakpoint, or takes it away: the execution pauses before the node begins. nebula_execution_step_async() and
 * nebula_execution_resume_async() go on. Breakpoints are facts of the execution and survive a crash.
 *
 * A condition that cannot be evaluated stops the execution, too.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal): no such node; %NEBULA_ERROR_SYNTAX (terminal): the condition;
 * %NEBULA_ERROR_CONFLICT (terminal): it has ended already.
 *
 * Since: 1.0
 */
void
nebula_execution_break_async (NebulaExecution *self,
                              const char *path,
                              const char *condition,
                              gboolean is_set,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  Order *order = order_new (self, set_breakpoint, path, cancellable, callback, user_data);

  if (!order)
    return;
  order->comment = g_strdup (condition);
  order->is_approval = is_set;
  submit (self, order);
}

/**
 * nebula_execution_step_async:
 * @self: an execution
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Lets an execution that is paused go on until the next node is about to begin.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it is not paused.
 *
 * Since: 1.0
 */
void
nebula_execution_step_async (NebulaExecution *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  Order *order = order_new (self, step, NULL, cancellable, callback, user_data);
  NebulaInstance *instance;

  if (!order)
    return;
  instance = _nebula_execution_get_instance (self);
  if (instance->is_from_store) {
    instance->is_from_store = FALSE;
    _nebula_children_take_up (instance);
  }
  submit (self, order);
}

/**
 * nebula_execution_decide_async:
 * @self: an execution
 * @path: (nullable): path of the node that waits; %NULL for the only one
 * @by: who decides
 * @is_approval: %TRUE for yes
 * @comment: (nullable): why, for those who look at it later
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Says yes or no to an approval that a node waits for.
 *
 * The decision is recorded with the name of who took it. Nobody decides twice.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): nothing waits for it, or the same person decided already;
 * %NEBULA_ERROR_PERMISSION_DENIED (terminal): others are asked.
 *
 * Since: 1.0
 */
void
nebula_execution_decide_async (NebulaExecution *self,
                               const char *path,
                               const char *by,
                               gboolean is_approval,
                               const char *comment,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  Order *order = order_new (self, decide, path, cancellable, callback, user_data);

  if (!order)
    return;
  order->by = g_strdup (by);
  order->comment = g_strdup (comment);
  order->is_approval = is_approval;
  submit (self, order);
}

/**
 * nebula_execution_answer_async:
 * @self: an execution
 * @token: a token of this execution
 * @value: (nullable): the answer; %NULL for null
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Answers a token that the execution has issued. A wait for it ends now, or when it begins.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): the token was used already or never issued, or the execution has ended.
 *
 * Since: 1.0
 */
void
nebula_execution_answer_async (NebulaExecution *self,
                               const char *token,
                               NebulaValue *value,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  Order *order = order_new (self, answer, token, cancellable, callback, user_data);

  if (!order)
    return;
  order->value = value ? nebula_value_ref (value) : nebula_value_new_null ();
  submit (self, order);
}

/**
 * nebula_execution_terminate_async:
 * @self: an execution
 * @reason: (nullable): why, for people
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Ends the execution at once, as cancelled: unlike a cancel it runs no `finally` and undoes nothing.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it has ended already.
 *
 * Since: 1.0
 */
void
nebula_execution_terminate_async (NebulaExecution *self,
                                  const char *reason,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  submit (self, order_new (self, terminate, reason, cancellable, callback, user_data));
}

/**
 * nebula_execution_cancel_node_async:
 * @self: an execution
 * @path: path of a node, `price` or `each[3].price`, or of a round, `each[3]`
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Cancels one node that is active, or one round of a loop with all that is active in it. The rest goes on.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it is not active, or the execution has ended.
 *
 * Since: 1.0
 */
void
nebula_execution_cancel_node_async (NebulaExecution *self,
                                    const char *path,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  submit (self, order_new (self, cancel_node, path, cancellable, callback, user_data));
}

/**
 * nebula_execution_cancel_region_async:
 * @self: an execution
 * @region: name that stands as `region` beside nodes
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Cancels all nodes of a region that are active. The rest goes on.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): none is active, or the execution has ended.
 *
 * Since: 1.0
 */
void
nebula_execution_cancel_region_async (NebulaExecution *self,
                                      const char *region,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  submit (self, order_new (self, cancel_region, region, cancellable, callback, user_data));
}

/**
 * nebula_execution_pause_async:
 * @self: an execution
 * @reason: (nullable): why, for people
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Pauses the execution: what runs comes to its end, and nothing new begins until it is resumed.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it has ended already.
 *
 * Since: 1.0
 */
void
nebula_execution_pause_async (NebulaExecution *self,
                              const char *reason,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  submit (self, order_new (self, pause_all, reason, cancellable, callback, user_data));
}

/**
 * nebula_execution_steer_finish:
 * @self: an execution
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_execution_decide_async(), nebula_execution_answer_async(), nebula_execution_terminate_async(),
 * nebula_execution_cancel_node_async(), nebula_execution_cancel_region_async() and nebula_execution_pause_async().
 *
 * Returns: %TRUE if the wish is committed
 *
 * Since: 1.0
 */
gboolean
nebula_execution_steer_finish (NebulaExecution *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
