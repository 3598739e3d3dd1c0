/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waits for commits, and who else writes beside the engine. */

#include "nebula-engine-internal.h"
#include "nebula-engine-private.h"

NebulaJournal *
_nebula_engine_get_journal (NebulaEngine *engine)
{
  return engine->journal;
}

/**
 * nebula_execution_settle_async:
 * @self: an execution
 * @cancellable: (nullable): stops waiting
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Waits until all that has happened so far is committed; for one that was just started, until it is in the store. Ended by
 * nebula_execution_steer_finish().
 *
 * Errors: %NEBULA_ERROR_CANCELLED: the engine was stopped; errors of the store.
 *
 * Since: 1.0
 */
void
nebula_execution_settle_async (NebulaExecution *self,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (NEBULA_IS_EXECUTION (self));

  task = _nebula_execution_begin (self, cancellable, callback, user_data);
  if (!task)
    return;
  g_task_set_source_tag (task, nebula_execution_settle_async);
  _nebula_instance_add_waiter (_nebula_execution_get_instance (self), task);
}
