/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-invocation.h"

#include <glib/gi18n-lib.h>

#include "nebula-action-internal.h"
#include "nebula-action-private.h"
#include "nebula-invocation-private.h"
#include "nebula-scope.h"
#include "nebula-sync-internal.h"

/**
 * NebulaInvocation:
 *
 * One attempt as the action sees it: what it works on, and where its answer goes. It is #NebulaHasContext with tenant,
 * execution, node and deadline.
 *
 * Thread: any; it is returned once, from whatever thread. Whoever holds a reference may read it.
 */

static NebulaContext *
make_context (NebulaInvocation *self)
{
  g_autoptr (NebulaContext) empty = nebula_context_new ();
  g_autoptr (NebulaContext) of_tenant = nebula_context_with_tenant (empty, self->tenant);
  g_autoptr (NebulaContext) of_execution = nebula_context_with_execution (of_tenant, self->execution_id);
  g_autoptr (NebulaContext) of_node = nebula_context_with_node (of_execution, self->node_id);

  return nebula_context_with_deadline (of_node, self->deadline_usec > 0 ? self->deadline_usec : G_MAXINT64);
}

/* Made when first asked for, in whatever thread that is. */
static NebulaContext *
nebula_invocation_get_context (NebulaHasContext *has_context)
{
  NebulaInvocation *self = NEBULA_INVOCATION (has_context);
  NebulaContext *context = g_atomic_pointer_get (&self->context);

  if (context != NULL)
    return context;
  context = make_context (self);
  if (g_atomic_pointer_compare_and_exchange (&self->context, NULL, context))
    return context;
  nebula_context_unref (context);
  return g_atomic_pointer_get (&self->context);
}

static GCancellable *
ask_cancellable (NebulaInvocation *self)
{
  GCancellable *cancellable = g_atomic_pointer_get (&self->cancellable);

  if (cancellable != NULL)
    return cancellable;
  cancellable = g_cancellable_new ();
  if (g_atomic_pointer_compare_and_exchange (&self->cancellable, NULL, cancellable))
    return cancellable;
  g_object_unref (cancellable);
  return g_atomic_pointer_get (&self->cancellable);
}

static void
nebula_invocation_has_context_init (NebulaHasContextInterface *iface)
{
  iface->get_context = nebula_invocation_get_context;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaInvocation, nebula_invocation, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_HAS_CONTEXT, nebula_invocation_has_context_init))

static void
nebula_invocation_finalize (GObject *object)
{
  NebulaInvocation *self = NEBULA_INVOCATION (object);

  if (self->destroy != NULL)
    self->destroy (self->data);
  g_free (self->texts);
  g_free (self->idempotency_key);
  g_clear_pointer (&self->parameters, nebula_value_unref);
  g_clear_pointer (&self->input, nebula_value_unref);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->store);
  g_mutex_clear (&self->store_lock);
  g_clear_pointer (&self->context, nebula_context_unref);

  G_OBJECT_CLASS (nebula_invocation_parent_class)->finalize (object);
}

static void
nebula_invocation_class_init (NebulaInvocationClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_invocation_finalize;
}

static void
nebula_invocation_init (NebulaInvocation *self)
{
  g_mutex_init (&self->store_lock);
}

/**
 * nebula_invocation_new: (skip)
 * @info: (nullable): what the attempt belongs to; all strings are copied
 * @parameters: (nullable): object of evaluated parameters
 * @input: (nullable): the node's input
 * @sink: where it reports to; copied
 * @data: data for @sink
 * @destroy: (nullable): frees @data
 *
 * Makes the invocation of one attempt; for engines, hosts and tests.
 *
 * Returns: (transfer full): a new invocation
 *
 * Since: 1.0
 */
NebulaInvocation *
nebula_invocation_new (const NebulaInvocationInfo *info, NebulaValue *parameters, NebulaValue *input,
                       const NebulaInvocationSink *sink, gpointer data, GDestroyNotify destroy)
{
  NebulaInvocation *self;

  g_return_val_if_fail (sink != NULL && sink->returned != NULL, NULL);

  self = g_object_new (NEBULA_TYPE_INVOCATION, NULL);
  if (info != NULL) {
    _nebula_invocation_copy_texts (self, info);
    self->idempotency_key = g_strdup (info->idempotency_key);
    g_set_object (&self->store, info->store);
    self->attempt = info->attempt;
    self->deadline_usec = info->deadline_usec;
  }
  self->parameters = parameters != NULL ? nebula_value_ref (parameters) : nebula_value_new_empty_object ();
  self->input = input != NULL ? nebula_value_ref (input) : nebula_value_new_null ();
  self->sink = *sink;
  self->data = data;
  self->destroy = destroy;
  return self;
}

/**
 * nebula_invocation_get_attempt:
 * @self: an invocation
 *
 * The number of the attempt; the first is 1.
 *
 * Returns: a number
 *
 * Since: 1.0
 */
guint
nebula_invocation_get_attempt (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), 0);

  return self->attempt;
}

/**
 * nebula_invocation_get_deadline_usec:
 * @self: an invocation
 *
 * When the attempt must have ended, on the monotonic clock.
 *
 * Returns: microseconds; 0 for no deadline
 *
 * Since: 1.0
 */
gint64
nebula_invocation_get_deadline_usec (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), 0);

  return self->deadline_usec;
}

/**
 * nebula_invocation_get_input:
 * @self: an invocation
 *
 * The node's input.
 *
 * Returns: (transfer none): a value that lives as long as @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_invocation_get_input (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->input;
}

/**
 * nebula_invocation_get_parameters:
 * @self: an invocation
 *
 * The evaluated parameters, without defaults.
 *
 * Returns: (transfer none): an object that lives as long as @self
 *
 * Since: 1.0
 */
NebulaValue *
nebula_invocation_get_parameters (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->parameters;
}

/**
 * nebula_invocation_get_cancellable:
 * @self: an invocation
 *
 * Cancelled when the attempt should stop: it was cancelled or its time is over.
 *
 * Returns: (transfer none): a cancellable that lives as long as @self
 *
 * Since: 1.0
 */
GCancellable *
nebula_invocation_get_cancellable (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return ask_cancellable (self);
}

/* Takes the right to answer; a second answer is a programmer error and has no effect. */
static gboolean
take_turn (NebulaInvocation *self)
{
  if (g_atomic_int_compare_and_exchange (&self->is_returned, FALSE, TRUE))
    return TRUE;
  g_critical ("The action %s returned its invocation twice; the second answer is ignored",
              self->action_id != NULL ? self->action_id : "(unnamed)");
  return FALSE;
}

static void
answer (NebulaInvocation *self, NebulaResultKind kind, const char *port, NebulaValue *value, gint64 delay_usec)
{
  g_autoptr (NebulaResult) result = nebula_result_new (kind, port, value, delay_usec);

  nebula_invocation_return_result (self, result);
}

/* What a language binding does when its method forgets to return or throws: neither value nor error. */
static void
answer_broken_contract (NebulaInvocation *self)
{
  g_autoptr (GError) error = NULL;

  g_set_error_literal (&error, NEBULA_ERROR, NEBULA_ERROR_ACTION_CONTRACT,
                       _("The action gave neither a value nor an error. Look for an exception in its log and report "
                         "this to its author"));
  nebula_invocation_return_error (self, error);
}

NebulaStore *
_nebula_invocation_dup_store (NebulaInvocation *self)
{
  NebulaStore *store = NULL;

  _nebula_sync_lock (&self->store_lock);
  g_set_object (&store, self->store);
  _nebula_sync_unlock (&self->store_lock);
  return store;
}

void
nebula_invocation_abandon (NebulaInvocation *self)
{
  g_autoptr (NebulaStore) store = NULL;

  _nebula_sync_lock (&self->store_lock);
  store = g_steal_pointer (&self->store);
  _nebula_sync_unlock (&self->store_lock);
  g_cancellable_cancel (ask_cancellable (self));
}

/**
 * nebula_invocation_return_value:
 * @self: an invocation
 * @value: (nullable): the result; %NULL is the error action-contract
 *
 * Ends the attempt with a result on the normal port.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_value (NebulaInvocation *self, NebulaValue *value)
{
  nebula_invocation_return_port (self, NULL, value);
}

/**
 * nebula_invocation_return_port:
 * @self: an invocation
 * @port: (nullable): the port to leave by; %NULL for `out`
 * @value: (nullable): the result; %NULL is the error action-contract
 *
 * Ends the attempt with a result on one port.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_port (NebulaInvocation *self, const char *port, NebulaValue *value)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  if (value == NULL)
    answer_broken_contract (self);
  else
    answer (self, NEBULA_RESULT_KIND_SUCCESS, port, value, 0);
}

/**
 * nebula_invocation_return_ports:
 * @self: an invocation
 * @values: an object: port → value
 *
 * Ends the attempt with results on several ports at once.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_ports (NebulaInvocation *self, NebulaValue *values)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  if (values == NULL || nebula_value_get_kind (values) != NEBULA_VALUE_KIND_OBJECT)
    answer_broken_contract (self);
  else
    answer (self, NEBULA_RESULT_KIND_MULTI, NULL, values, 0);
}

/**
 * nebula_invocation_return_skip:
 * @self: an invocation
 *
 * Ends the attempt as if the node had been skipped.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_skip (NebulaInvocation *self)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  answer (self, NEBULA_RESULT_KIND_SKIP, NULL, NULL, 0);
}

/**
 * nebula_invocation_return_wait:
 * @self: an invocation
 * @delay_usec: microseconds
 *
 * Ends the attempt; the action is invoked again after a while, even if the engine was restarted in between.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_wait (NebulaInvocation *self, gint64 delay_usec)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  answer (self, NEBULA_RESULT_KIND_WAIT, NULL, NULL, delay_usec);
}

/**
 * nebula_invocation_return_terminate:
 * @self: an invocation
 * @output: (nullable): the output of the execution; %NULL for null
 *
 * Ends the whole execution as completed.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_terminate (NebulaInvocation *self, NebulaValue *output)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  answer (self, NEBULA_RESULT_KIND_TERMINATE, NULL, output, 0);
}

/**
 * nebula_invocation_return_error:
 * @self: an invocation
 * @error: (nullable): what went wrong; %NULL is the error action-contract
 *
 * Ends the attempt as failed.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_error (NebulaInvocation *self, const GError *error)
{
  g_autoptr (NebulaResult) result = NULL;

  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  if (error == NULL) {
    answer_broken_contract (self);
    return;
  }
  result = nebula_result_new_error (error);
  nebula_invocation_return_result (self, result);
}

/**
 * nebula_invocation_return_failure:
 * @self: an invocation
 * @code: kebab-case code
 * @message: a sentence for people
 * @retry_class: what to do about it
 * @details: (nullable): facts for programs
 *
 * Ends the attempt as failed, with details.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_failure (NebulaInvocation *self, const char *code, const char *message,
                                  NebulaRetryClass retry_class, NebulaValue *details)
{
  g_autoptr (NebulaValue) failure = NULL;

  g_return_if_fail (NEBULA_IS_INVOCATION (self));
  g_return_if_fail (code != NULL && message != NULL);

  failure = nebula_failure_new (code, message, retry_class, details);
  answer (self, NEBULA_RESULT_KIND_FAILURE, "error", failure, 0);
}

/**
 * nebula_invocation_return_result:
 * @self: an invocation
 * @result: (nullable): how the attempt ended; %NULL is the error action-contract
 *
 * Ends the attempt. A second call is a programmer error and is ignored.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_return_result (NebulaInvocation *self, NebulaResult *result)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  if (result == NULL)
    answer_broken_contract (self);
  else if (take_turn (self))
    self->sink.returned (self, result, self->data);
}

/**
 * nebula_invocation_is_returned:
 * @self: an invocation
 *
 * Whether the attempt has ended.
 *
 * Thread: any.
 *
 * Returns: %TRUE if it was returned
 *
 * Since: 1.0
 */
gboolean
nebula_invocation_is_returned (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), FALSE);

  return g_atomic_int_get (&self->is_returned);
}

/**
 * nebula_invocation_report_progress:
 * @self: an invocation
 * @fraction: from 0 to 1; negative if it is not known
 * @message: (nullable): a few words for people
 *
 * Tells how far the work is. Ephemeral: nothing of it is kept. Ignored after the return.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_report_progress (NebulaInvocation *self, double fraction, const char *message)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));

  if (self->sink.progress != NULL && !nebula_invocation_is_returned (self))
    self->sink.progress (self, MIN (fraction, 1.0), message, self->data);
}

/**
 * nebula_invocation_report_log:
 * @self: an invocation
 * @level: how important it is
 * @message: a line for people
 *
 * Logs a line for the execution. Ephemeral: nothing of it is kept. Ignored after the return.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_invocation_report_log (NebulaInvocation *self, GLogLevelFlags level, const char *message)
{
  g_return_if_fail (NEBULA_IS_INVOCATION (self));
  g_return_if_fail (message != NULL);

  if (self->sink.log != NULL && !nebula_invocation_is_returned (self))
    self->sink.log (self, level, message, self->data);
}
