/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What callers ask of an execution. They are answered when it is committed, or told why it is not done. */

#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"

struct _NebulaAsk {
  GTask *task;
  NebulaExecutionStatus refused; /* the terminal status why it is; else CREATED */
};

NebulaAsk *
_nebula_ask_new (GTask *task)
{
  NebulaAsk *self = g_new0 (NebulaAsk, 1);

  self->task = g_object_ref (task);
  return self;
}

void
_nebula_ask_free (NebulaAsk *self)
{
  g_object_unref (self->task);
  g_free (self);
}

void
_nebula_ask_fail (NebulaAsk *self, const GError *error)
{
  g_task_return_error (self->task, g_error_copy (error));
}

gboolean
_nebula_ask_is_refused (NebulaAsk *self, NebulaKernel *kernel)
{
  NebulaExecutionStatus status = nebula_kernel_get_state (kernel)->status;

  if (nebula_execution_status_is_terminal (status))
    self->refused = status;
  return self->refused != NEBULA_EXECUTION_STATUS_CREATED;
}

void
_nebula_ask_answer (NebulaAsk *self, NebulaInstance *instance, const GError *error)
{
  if (error)
    g_task_return_error (self->task, g_error_copy (error));
  else if (self->refused != NEBULA_EXECUTION_STATUS_CREATED)
    g_task_return_new_error (self->task, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                             _ ("The execution has ended already: %s."),
                             nebula_execution_status_to_string (self->refused));
  else
    _nebula_instance_add_waiter (instance, self->task);
}

typedef struct {
  NebulaAsk *ask;
  char *text;         /* a cancel's reason, a signal's name */
  NebulaValue *value; /* of a signal */
} Wish;

static Wish *
wish_new (NebulaAsk *ask, const char *text, NebulaValue *value)
{
  Wish *self = g_new0 (Wish, 1);

  self->ask = ask;
  self->text = g_strdup (text);
  self->value = value ? nebula_value_ref (value) : NULL;
  return self;
}

static void
wish_free (gpointer data)
{
  Wish *self = data;

  _nebula_ask_free (self->ask);
  g_clear_pointer (&self->value, nebula_value_unref);
  g_free (self->text);
  g_free (self);
}

static void
wish_answer (NebulaInstance *instance, const GError *error, gpointer data)
{
  _nebula_ask_answer (((Wish *) data)->ask, instance, error);
}

static gboolean
cancel_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  Wish *self = data;

  if (!_nebula_ask_is_refused (self->ask, kernel))
    nebula_kernel_cancel (kernel, NEBULA_EXECUTION_STATUS_CANCELLED, self->text, now_usec);
  return TRUE;
}

static gboolean
signal_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  Wish *self = data;

  if (!_nebula_ask_is_refused (self->ask, kernel))
    nebula_kernel_signal (kernel, self->text, self->value, now_usec);
  return TRUE;
}

static const NebulaStimulusClass cancel_class = {cancel_apply, wish_answer, wish_free};
static const NebulaStimulusClass signal_class = {signal_apply, wish_answer, wish_free};

void
_nebula_ask_cancel (NebulaInstance *instance, NebulaAsk *ask, const char *reason)
{
  _nebula_away_stimulate (instance, &cancel_class, wish_new (ask, reason, NULL), FALSE);
}

/* Whether a wait in the plan may have to evaluate something when the signal ends it. */
static gboolean
may_evaluate (NebulaPlan *plan)
{
  for (guint32 i = 0; i < plan->n_nodes; i++) {
    if (plan->nodes[i].construct == NEBULA_CONSTRUCT_WAIT &&
        nebula_kernel_evaluates_at_end (plan, i))
      return TRUE;
  }
  return FALSE;
}

void
_nebula_ask_signal (NebulaInstance *instance,
                    NebulaAsk *ask,
                    const char *name,
                    NebulaValue *value)
{
  _nebula_away_stimulate (instance, &signal_class, wish_new (ask, name, value),
                          nebula_kernel_is_large (value) || may_evaluate (instance->plan));
}
