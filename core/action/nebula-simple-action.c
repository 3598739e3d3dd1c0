/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-simple-action.h"

#include <glib/gi18n-lib.h>

#include "nebula-executor.h"

/* One attempt on its way through the executor. */
typedef struct
{
  NebulaAction *action;
  NebulaInvocation *invocation;
  NebulaResult *(*run) (NebulaAction *action, NebulaInvocation *invocation, GError **error);
} Work;

static gboolean
is_contract_kept (gboolean has_value, GError **error)
{
  if (has_value == (*error == NULL))
    return TRUE;

  g_clear_error (error);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_ACTION_CONTRACT,
                       has_value ? _("The action gave a value and an error at once. Report this to its author")
                                 : _("The action gave neither a value nor an error. Look for an exception in its log "
                                     "and report this to its author"));
  return FALSE;
}

static void
work_run (gpointer data)
{
  Work *work = data;
  g_autoptr (NebulaInvocation) invocation = g_steal_pointer (&work->invocation);
  g_autoptr (NebulaResult) result = NULL;
  g_autoptr (GError) error = NULL;

  /* Cancelled while it waited for a thread: nothing has begun. */
  if (!g_cancellable_set_error_if_cancelled (nebula_invocation_get_cancellable (invocation), &error)) {
    result = work->run (work->action, invocation, &error);
    if (!is_contract_kept (result != NULL, &error))
      g_clear_pointer (&result, nebula_result_unref);
  }

  /* The action goes before the answer, so that whoever gets the answer sees it gone. */
  g_object_unref (work->action);
  g_free (work);

  if (result != NULL)
    nebula_invocation_return_result (invocation, result);
  else
    nebula_invocation_return_error (invocation, error);
}

static void
work_start (NebulaAction *action, NebulaInvocation *invocation,
            NebulaResult *(*run) (NebulaAction *action, NebulaInvocation *invocation, GError **error))
{
  Work *work = g_new0 (Work, 1);

  work->action = g_object_ref (action);
  work->invocation = g_object_ref (invocation);
  work->run = run;
  nebula_executor_push (nebula_executor_get_default (), work_run, work);
}

/**
 * NebulaSimpleAction:
 *
 * Value in, value out: the easiest base class. The work may block; it runs on the executor.
 */
G_DEFINE_ABSTRACT_TYPE (NebulaSimpleAction, nebula_simple_action, NEBULA_TYPE_ACTION)

static NebulaResult *
nebula_simple_action_work (NebulaAction *action, NebulaInvocation *invocation, GError **error)
{
  GCancellable *cancellable = nebula_invocation_get_cancellable (invocation);
  g_autoptr (NebulaValue) value = nebula_simple_action_run (NEBULA_SIMPLE_ACTION (action), invocation, cancellable, error);

  return value != NULL ? nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, NULL, value, 0) : NULL;
}

static void
nebula_simple_action_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  work_start (action, invocation, nebula_simple_action_work);
}

static NebulaValue *
nebula_simple_action_real_run (NebulaSimpleAction *self, NebulaInvocation *invocation, GCancellable *cancellable,
                               GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, _("The action %s does not implement “run”"),
               G_OBJECT_TYPE_NAME (self));
  return NULL;
}

static void
nebula_simple_action_class_init (NebulaSimpleActionClass *klass)
{
  NEBULA_ACTION_CLASS (klass)->invoke = nebula_simple_action_invoke;
  klass->run = nebula_simple_action_real_run;
}

static void
nebula_simple_action_init (NebulaSimpleAction *self)
{
}

/**
 * nebula_simple_action_run:
 * @self: an action whose parameters are set
 * @invocation: what it works on; this function does not return it
 * @cancellable: (nullable): stops the work
 *
 * Does the whole work in this thread. May block.
 *
 * Errors: whatever the action sets.
 *
 * Returns: (transfer full): the result
 *
 * Since: 1.0
 */
NebulaValue *
nebula_simple_action_run (NebulaSimpleAction *self, NebulaInvocation *invocation, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_SIMPLE_ACTION (self), NULL);
  g_return_val_if_fail (NEBULA_IS_INVOCATION (invocation), NULL);

  return NEBULA_SIMPLE_ACTION_GET_CLASS (self)->run (self, invocation, cancellable, error);
}

/**
 * NebulaProcessAction:
 *
 * Like #NebulaSimpleAction, but the result decides the flow: port, several ports, skip, wait, terminate.
 */
G_DEFINE_ABSTRACT_TYPE (NebulaProcessAction, nebula_process_action, NEBULA_TYPE_ACTION)

static NebulaResult *
nebula_process_action_work (NebulaAction *action, NebulaInvocation *invocation, GError **error)
{
  GCancellable *cancellable = nebula_invocation_get_cancellable (invocation);

  return nebula_process_action_run (NEBULA_PROCESS_ACTION (action), invocation, cancellable, error);
}

static void
nebula_process_action_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  work_start (action, invocation, nebula_process_action_work);
}

static NebulaResult *
nebula_process_action_real_run (NebulaProcessAction *self, NebulaInvocation *invocation, GCancellable *cancellable,
                                GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, _("The action %s does not implement “run”"),
               G_OBJECT_TYPE_NAME (self));
  return NULL;
}

static void
nebula_process_action_class_init (NebulaProcessActionClass *klass)
{
  NEBULA_ACTION_CLASS (klass)->invoke = nebula_process_action_invoke;
  klass->run = nebula_process_action_real_run;
}

static void
nebula_process_action_init (NebulaProcessAction *self)
{
}

/**
 * nebula_process_action_run:
 * @self: an action whose parameters are set
 * @invocation: what it works on; this function does not return it
 * @cancellable: (nullable): stops the work
 *
 * Does the whole work in this thread. May block.
 *
 * Errors: whatever the action sets.
 *
 * Returns: (transfer full): how it ended
 *
 * Since: 1.0
 */
NebulaResult *
nebula_process_action_run (NebulaProcessAction *self, NebulaInvocation *invocation, GCancellable *cancellable,
                           GError **error)
{
  g_return_val_if_fail (NEBULA_IS_PROCESS_ACTION (self), NULL);
  g_return_val_if_fail (NEBULA_IS_INVOCATION (invocation), NULL);

  return NEBULA_PROCESS_ACTION_GET_CLASS (self)->run (self, invocation, cancellable, error);
}
