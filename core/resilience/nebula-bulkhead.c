/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-bulkhead.h"

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-options-private.h"

/**
 * NebulaBulkhead:
 *
 * So many calls at once, so many more that wait in a queue, first come, first served.
 *
 * Thread: owner context.
 */
struct _NebulaBulkhead {
  GObject parent_instance;

  NebulaClock *clock;
  guint permits;
  guint queue_most;
  gint64 wait_usec; /* 0: as long as it takes */
  guint n_running;
  GQueue queue; /* GTask; the head waits longest */
};

G_DEFINE_FINAL_TYPE (NebulaBulkhead, nebula_bulkhead, G_TYPE_OBJECT)

static void
nebula_bulkhead_finalize (GObject *object)
{
  NebulaBulkhead *self = NEBULA_BULKHEAD (object);

  g_clear_object (&self->clock);
  G_OBJECT_CLASS (nebula_bulkhead_parent_class)->finalize (object);
}

static void
nebula_bulkhead_class_init (NebulaBulkheadClass *class)
{
  G_OBJECT_CLASS (class)->finalize = nebula_bulkhead_finalize;
}

static void
nebula_bulkhead_init (NebulaBulkhead *self)
{
  g_queue_init (&self->queue);
}

/**
 * nebula_bulkhead_new:
 * @clock: the clock that counts the waiting
 * @options: (nullable): an object
 * @error: where to put an error
 *
 * Makes a bulkhead.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), naming the option.
 *
 * Returns: (transfer full): the bulkhead
 *
 * Since: 1.0
 */
NebulaBulkhead *
nebula_bulkhead_new (NebulaClock *clock, NebulaValue *options, GError **error)
{
  static const char *const names[] = {"permits", "queue", "wait", NULL};
  g_autoptr (NebulaBulkhead) self = g_object_new (NEBULA_TYPE_BULKHEAD, NULL);
  NebulaOptions reader;

  g_return_val_if_fail (NEBULA_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  _nebula_options_init (&reader, options, "bulkhead", names, error);
  self->clock = g_object_ref (clock);
  self->permits = (guint) _nebula_options_count (&reader, "permits", 10, 1, 1000000);
  self->queue_most = (guint) _nebula_options_count (&reader, "queue", 100, 0, 1000000);
  self->wait_usec = _nebula_options_duration (&reader, "wait", 0, 0);
  return reader.failed ? NULL : g_steal_pointer (&self);
}

/**
 * nebula_bulkhead_try_enter:
 * @self: a bulkhead
 *
 * Begins a call if there is a permit and nobody waits for one.
 *
 * Returns: whether it may begin; then it must leave
 *
 * Since: 1.0
 */
gboolean
nebula_bulkhead_try_enter (NebulaBulkhead *self)
{
  g_return_val_if_fail (NEBULA_IS_BULKHEAD (self), FALSE);

  if (self->n_running >= self->permits || !g_queue_is_empty (&self->queue))
    return FALSE;
  self->n_running++;
  return TRUE;
}

/* The sources of a task that waits. */
typedef struct {
  GSource *timeout;
  GSource *cancelled;
} Waiter;

static void
destroy_source (GSource **source)
{
  if (*source)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
waiter_free (gpointer data)
{
  Waiter *self = data;

  destroy_source (&self->timeout);
  destroy_source (&self->cancelled);
  g_free (self);
}

/* Takes a task out of the queue; the reference of the queue goes to the caller. */
static gboolean
leave_queue (GTask *task)
{
  NebulaBulkhead *self = g_task_get_source_object (task);
  Waiter *waiter = g_task_get_task_data (task);

  if (!g_queue_remove (&self->queue, task))
    return FALSE;
  destroy_source (&waiter->timeout);
  destroy_source (&waiter->cancelled);
  return TRUE;
}

static gboolean
on_timeout (gpointer data)
{
  GTask *task = data;

  if (leave_queue (task)) {
    g_task_return_new_error (task, NEBULA_ERROR, NEBULA_ERROR_THROTTLED,
                             _ ("No place became free in time; try again later."));
    g_object_unref (task);
  }
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  GTask *task = data;

  if (leave_queue (task)) {
    g_task_return_error_if_cancelled (task);
    g_object_unref (task);
  }
  return G_SOURCE_REMOVE;
}

static void
wait_in_queue (NebulaBulkhead *self, GTask *task, GCancellable *cancellable)
{
  Waiter *waiter = g_new0 (Waiter, 1);

  g_task_set_task_data (task, waiter, waiter_free);
  if (self->wait_usec > 0) {
    waiter->timeout = nebula_clock_create_source (
        self->clock, nebula_clock_get_monotonic_usec (self->clock) + self->wait_usec);
    g_source_set_callback (waiter->timeout, on_timeout, task, NULL);
    g_source_attach (waiter->timeout, g_task_get_context (task));
  }
  if (cancellable) {
    waiter->cancelled = g_cancellable_source_new (cancellable);
    g_source_set_callback (waiter->cancelled, G_SOURCE_FUNC (on_cancelled), task, NULL);
    g_source_attach (waiter->cancelled, g_task_get_context (task));
  }
  g_queue_push_tail (&self->queue, g_object_ref (task));
}

/**
 * nebula_bulkhead_enter_async:
 * @self: a bulkhead
 * @cancellable: (nullable): stops waiting
 * @callback: (scope async) (closure user_data): called once, in the context this was called from
 * @user_data: data for @callback
 *
 * Begins a call as soon as there is a permit.
 *
 * Since: 1.0
 */
void
nebula_bulkhead_enter_async (NebulaBulkhead *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (NEBULA_IS_BULKHEAD (self));

  g_task_set_source_tag (task, nebula_bulkhead_enter_async);
  g_task_set_check_cancellable (task, FALSE);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (nebula_bulkhead_try_enter (self))
    g_task_return_boolean (task, TRUE);
  else if (self->queue.length >= self->queue_most)
    g_task_return_new_error (task, NEBULA_ERROR, NEBULA_ERROR_THROTTLED,
                             _ ("Too many calls run and wait already; try again later."));
  else
    wait_in_queue (self, task, cancellable);
}

/**
 * nebula_bulkhead_enter_finish:
 * @self: a bulkhead
 * @result: what the callback got
 * @error: where to put an error
 *
 * Ends nebula_bulkhead_enter_async ().
 *
 * Errors: %NEBULA_ERROR_THROTTLED (throttle) if the queue is full or no place became free in time; %G_IO_ERROR_CANCELLED.
 *
 * Returns: whether the call may begin; then it must leave
 *
 * Since: 1.0
 */
gboolean
nebula_bulkhead_enter_finish (NebulaBulkhead *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * nebula_bulkhead_leave:
 * @self: a bulkhead
 *
 * Ends a call; the one that has waited longest begins.
 *
 * Since: 1.0
 */
void
nebula_bulkhead_leave (NebulaBulkhead *self)
{
  GTask *task;

  g_return_if_fail (NEBULA_IS_BULKHEAD (self));
  g_return_if_fail (self->n_running > 0);

  task = g_queue_peek_head (&self->queue);
  if (!task) {
    self->n_running--;
    return;
  }
  leave_queue (task);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/**
 * nebula_bulkhead_get_running:
 * @self: a bulkhead
 *
 * Tells how many calls run.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
nebula_bulkhead_get_running (NebulaBulkhead *self)
{
  g_return_val_if_fail (NEBULA_IS_BULKHEAD (self), 0);

  return self->n_running;
}

/**
 * nebula_bulkhead_get_waiting:
 * @self: a bulkhead
 *
 * Tells how many calls wait.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
nebula_bulkhead_get_waiting (NebulaBulkhead *self)
{
  g_return_val_if_fail (NEBULA_IS_BULKHEAD (self), 0);

  return self->queue.length;
}
