/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Executions that need not stay go: when somebody asks, or by themselves, once a minute. The store removes them in steps of
 * one transaction each, on one of its readers' threads; between two steps the loop has its turn and whoever writes commits.
 */

#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-retention.h"

#define STEP         100
#define PAUSE_SECONDS 60
#define RULES_MOST   3

#define UNSUCCESSFUL                                                                     \
  (1u << NEBULA_EXECUTION_STATUS_FAILED | 1u << NEBULA_EXECUTION_STATUS_CANCELLED |      \
   1u << NEBULA_EXECUTION_STATUS_TIMED_OUT)

/* What an engine keeps to. */
struct _NebulaJanitor {
  NebulaEngine *engine;
  gint64 age_usec;
  gint64 failed_age_usec;
  guint keep;
  GSource *timer;
  gboolean is_working;
};

typedef struct {
  NebulaLetter letter; /* first */
  NebulaEngine *engine;
  NebulaRetention rules[RULES_MOST];
  guint n_rules;
  guint rule; /* that is followed now */
  char *workflow;
  char *tenant;
  GTask *task; /* NULL: the janitor's own */
  gint64 now_usec;
  gint64 n_pruned;
  gint64 n_step;
  GError *error;
} Job;

static void
job_free (Job *self)
{
  g_free (self->workflow);
  g_free (self->tenant);
  g_clear_object (&self->task);
  g_clear_error (&self->error);
  g_free (self);
}

/* A thread's part: one step. */
static void
work (gpointer data)
{
  Job *self = data;
  const NebulaRetention *rule = &self->rules[self->rule];
  NebulaStore *store = self->engine->store;

  self->n_step = nebula_store_prune (store, rule, rule->is_trial ? G_MAXINT : STEP, &self->error);
  if (self->n_step >= 0 && self->n_step < STEP && self->rule + 1 == self->n_rules &&
      !rule->is_trial && nebula_idempotency_prune (store, self->now_usec, &self->error) < 0)
    self->n_step = -1;
  _nebula_away_finish (self->engine, NULL, self);
}

static void
send (Job *self)
{
  _nebula_away_begin (self->engine);
  nebula_executor_push (self->engine->readers, work, self);
}

/* The loop's part. */

static void
end (Job *self)
{
  NebulaJanitor *janitor = self->engine->janitor;

  if (self->task && self->error)
    g_task_return_error (self->task, g_steal_pointer (&self->error));
  else if (self->task)
    g_task_return_int (self->task, self->n_pruned);
  else if (self->error)
    g_warning ("What need not stay cannot be removed: %s", self->error->message);
  if (!self->task && janitor)
    janitor->is_working = FALSE;
  job_free (self);
}

static gboolean
has_more (Job *self)
{
  if (self->error || self->engine->is_stopped)
    return FALSE;
  self->n_pruned += self->n_step;
  if (self->rules[self->rule].is_trial || self->n_step < STEP)
    self->rule++;
  return self->rule < self->n_rules;
}

static void
receive (gpointer letter)
{
  Job *self = letter;

  if (has_more (self))
    send (self);
  else
    end (self);
}

static void
discard (gpointer letter)
{
  Job *self = letter;

  if (!self->error)
    g_set_error_literal (&self->error, NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                         _ ("The engine has been stopped."));
  if (self->task)
    g_task_return_error (self->task, g_steal_pointer (&self->error));
  job_free (self);
}

static const NebulaLetterClass letter_class = {"retention", receive, discard};

static Job *
job_new (NebulaEngine *engine)
{
  Job *self = g_new0 (Job, 1);

  self->letter.klass = &letter_class;
  self->engine = engine;
  self->now_usec = nebula_clock_get_real_usec (engine->clock);
  return self;
}

static void
add_age (Job *self, guint status_mask, gint64 age_usec)
{
  if (age_usec <= 0)
    return;
  self->rules[self->n_rules++] = (NebulaRetention){
      .status_mask = status_mask, .ended_before_usec = MAX (self->now_usec - age_usec, 1)};
}

static gboolean
tidy (gpointer user_data)
{
  NebulaJanitor *self = user_data;
  Job *job;

  g_source_set_ready_time (self->timer,
                           g_source_get_time (self->timer) + PAUSE_SECONDS * G_USEC_PER_SEC);
  if (self->is_working || self->engine->is_stopped || self->engine->is_sealed)
    return G_SOURCE_CONTINUE;
  job = job_new (self->engine);
  add_age (job, 1u << NEBULA_EXECUTION_STATUS_COMPLETED, self->age_usec);
  add_age (job, UNSUCCESSFUL,
           self->failed_age_usec > 0 ? self->failed_age_usec : self->age_usec);
  if (self->keep > 0)
    job->rules[job->n_rules++] = (NebulaRetention){.keep = self->keep};
  self->is_working = TRUE;
  send (job);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = {.dispatch = dispatch};

void
_nebula_janitor_stop (NebulaEngine *engine)
{
  NebulaJanitor *self = g_steal_pointer (&engine->janitor);

  if (!self)
    return;
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_free (self);
}

/**
 * nebula_engine_set_retention:
 * @self: an engine
 * @age_usec: how long executions stay after they ended; 0: for ever
 * @failed_age_usec: the same of those that did not complete; 0: like the others
 * @keep: how many that have ended stay at most, the newest ones; 0: any number
 *
 * Lets executions go by themselves that need not stay: at once, then every minute, in small steps between which others
 * commit. Records of idempotency keys that have expired go with them. All 0, as at first: everything stays.
 *
 * What goes is gone for good: facts, results, words and tags. A store that cannot remove anything keeps all, and the log
 * says so.
 *
 * Since: 1.0
 */
void
nebula_engine_set_retention (NebulaEngine *self, gint64 age_usec, gint64 failed_age_usec, guint keep)
{
  NebulaJanitor *janitor;

  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (age_usec >= 0 && failed_age_usec >= 0);

  _nebula_janitor_stop (self);
  if (self->is_stopped || (age_usec == 0 && failed_age_usec == 0 && keep == 0))
    return;
  janitor = g_new0 (NebulaJanitor, 1);
  janitor->engine = self;
  janitor->age_usec = age_usec;
  janitor->failed_age_usec = failed_age_usec;
  janitor->keep = keep;
  janitor->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_priority (janitor->timer, G_PRIORITY_LOW);
  g_source_set_callback (janitor->timer, tidy, janitor, NULL);
  g_source_set_ready_time (janitor->timer, 0);
  g_source_attach (janitor->timer, self->context);
  self->janitor = janitor;
}

/**
 * nebula_engine_prune_async: (skip)
 * @self: an engine that owns its store
 * @rule: which executions may go
 * @cancellable: (nullable): not used once it has begun
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Removes executions that have ended, in small steps, while others go on; and records of idempotency keys that have expired.
 *
 * Errors: %NEBULA_ERROR_UNSUPPORTED (terminal): the store keeps all; %NEBULA_ERROR_CANCELLED: the engine was stopped; those of
 * the store.
 *
 * Since: 1.0
 */
void
nebula_engine_prune_async (NebulaEngine *self,
                           const NebulaRetention *rule,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Job *job;

  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (rule != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, nebula_engine_prune_async);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (self->is_stopped) {
    g_task_return_new_error (task, NEBULA_ERROR, NEBULA_ERROR_CANCELLED, "%s",
                             _ ("The engine has been stopped."));
    return;
  }
  job = job_new (self);
  job->workflow = g_strdup (rule->workflow);
  job->tenant = g_strdup (rule->tenant);
  job->rules[job->n_rules] = *rule;
  job->rules[job->n_rules].workflow = job->workflow;
  job->rules[job->n_rules++].tenant = job->tenant;
  job->task = g_steal_pointer (&task);
  send (job);
}

/**
 * nebula_engine_prune_finish: (skip)
 * @self: an engine
 * @result: what the callback was given
 * @error: why it failed
 *
 * Ends nebula_engine_prune_async().
 *
 * Returns: how many went, or would go for a trial; -1 with @error
 *
 * Since: 1.0
 */
gint64
nebula_engine_prune_finish (NebulaEngine *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), -1);
  g_return_val_if_fail (g_task_is_valid (result, self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return g_task_propagate_int (G_TASK (result), error);
}
