/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run under a policy.
 *
 *   start ▶ begin ▶ (limit) ▶ (breaker) ▶ (bulkhead) ▶ call, perhaps a second one ▶ end of the attempt
 *             ▲                                                                          │
 *             └────────────────────────── after a delay ◀── retry? ◀── failure ──────────┤
 *                                                                                        ▼
 *                                                                      finish, once: value, fallback or error
 *
 * A run is counted by the calls and sources that may still come back to it; what comes after the end is dropped.
 */
#include <glib/gi18n-lib.h>

#include "nebula-error-chain.h"
#include "nebula-error.h"
#include "nebula-policy-private.h"

typedef struct _Attempt Attempt;

typedef struct {
  GTask *task; /* NULL: finished */
  NebulaPolicy *policy;
  NebulaPolicyWork work;
  gpointer work_data;
  GDestroyNotify work_destroy;
  gboolean is_idempotent;
  gint64 started_usec;
  guint n_attempts;
  GSource *total;
  GSource *pending; /* the next step, later */
  GSource *cancelled;
  Attempt *current; /* borrowed */
} Run;

struct _Attempt {
  Run *run; /* owned */
  GCancellable *cancellable;
  GSource *timeout;
  GSource *hedge;
  gint64 started_usec;
  guint n_calls;
  guint n_open; /* calls without an answer */
  gboolean has_place;
  gboolean is_launched;
  gboolean is_over;
};

static void begin (Run *run);
static void attempt_over (Attempt *self, NebulaValue *value, GError *error);

static void
destroy_source (GSource **source)
{
  if (*source)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
run_clear (gpointer data)
{
  Run *self = data;

  if (self->work_destroy)
    self->work_destroy (self->work_data);
  g_object_unref (self->policy);
}

static void
run_unref (Run *self)
{
  g_rc_box_release_full (self, run_clear);
}

static Run *
run_ref (Run *self)
{
  return g_rc_box_acquire (self);
}

static void
attempt_clear (gpointer data)
{
  Attempt *self = data;

  g_object_unref (self->cancellable);
  run_unref (self->run);
}

static void
attempt_unref (gpointer data)
{
  g_rc_box_release_full (data, attempt_clear);
}

static gint64
now (const Run *self)
{
  return nebula_clock_get_monotonic_usec (self->policy->clock);
}

static GSource *
arm (Run *self,
     gint64 delay_usec,
     GSourceFunc func,
     gpointer data,
     GDestroyNotify destroy)
{
  GSource *source =
      nebula_clock_create_source (self->policy->clock, now (self) + delay_usec);

  g_source_set_callback (source, func, data, destroy);
  g_source_attach (source, g_task_get_context (self->task));
  return source;
}

/* Ends the run, once. Takes @error. */
static void
finish (Run *self, NebulaValue *value, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  NebulaPolicy *policy = self->policy;
  gboolean is_cancel =
      error && nebula_error_get_retry_class (error) == NEBULA_RETRY_CLASS_CANCELLED;

  destroy_source (&self->total);
  destroy_source (&self->pending);
  destroy_source (&self->cancelled);
  policy->n_running--;
  if (error && policy->fallback && !is_cancel) {
    policy->n_fallbacks++;
    g_clear_error (&error);
    value = policy->fallback;
  }
  if (error)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, nebula_value_ref (value),
                           (GDestroyNotify) nebula_value_unref);
}

/* Ends the run from the outside, whatever it is doing. */
static void
give_up (Run *run, GError *error)
{
  g_autoptr (GError) given = error;
  Attempt *attempt = run->current;

  if (!run->task)
    return;
  if (attempt) {
    run->n_attempts = G_MAXUINT; /* no other attempt */
    attempt_over (attempt, NULL, g_error_copy (given));
  } else {
    finish (run, NULL, g_steal_pointer (&given));
  }
}

static gboolean
on_total (gpointer data)
{
  Run *run = data;

  run->policy->n_timed_out++;
  give_up (run, g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_TIMED_OUT,
                                     _ ("The time limit for all attempts has passed.")));
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  GError *error = NULL;

  g_cancellable_set_error_if_cancelled (cancellable, &error);
  give_up (data, error);
  return G_SOURCE_REMOVE;
}

static gboolean
on_pending (gpointer data)
{
  Run *run = data;

  destroy_source (&run->pending);
  begin (run);
  return G_SOURCE_REMOVE;
}

static void
begin_later (Run *run, gint64 delay_usec)
{
  destroy_source (&run->pending);
  run->pending =
      arm (run, delay_usec, on_pending, run_ref (run), (GDestroyNotify) run_unref);
}

/* Takes @error. */
static void
failed (Run *run, GError *error)
{
  NebulaPolicy *policy = run->policy;
  gint64 delay = -1;

  if (policy->retry && run->n_attempts != G_MAXUINT)
    delay = nebula_retry_policy_get_delay_usec (policy->retry, run->n_attempts,
                                                now (run) - run->started_usec, error,
                                                nebula_clock_get_random (policy->clock));
  if (delay < 0) {
    finish (run, NULL, error);
    return;
  }
  g_clear_error (&error);
  policy->n_retries++;
  begin_later (run, delay);
}

/* Whether the failure is the other side's: what the caller did wrong opens no breaker. */
static gboolean
is_theirs (const GError *error)
{
  NebulaRetryClass class = nebula_error_get_retry_class (error);

  return class == NEBULA_RETRY_CLASS_RETRY || class == NEBULA_RETRY_CLASS_THROTTLE;
}

static void
tell_breaker (Attempt *self, const GError *error)
{
  NebulaBreaker *breaker = self->run->policy->breaker;
  gint64 usec = now (self->run);

  if (!self->is_launched ||
      (error && nebula_error_get_retry_class (error) == NEBULA_RETRY_CLASS_CANCELLED))
    nebula_breaker_withdraw (breaker);
  else
    nebula_breaker_record (breaker, usec, !error || !is_theirs (error),
                           usec - self->started_usec);
}

/* Ends the attempt, once. Takes @error. */
static void
attempt_over (Attempt *self, NebulaValue *value, GError *error)
{
  Run *run = self->run;
  NebulaPolicy *policy = run->policy;
  g_autoptr (NebulaValue) kept = value ? nebula_value_ref (value) : NULL;

  self->is_over = TRUE;
  run->current = NULL;
  destroy_source (&self->timeout);
  destroy_source (&self->hedge);
  g_cancellable_cancel (self->cancellable);
  if (self->has_place && policy->bulkhead)
    nebula_bulkhead_leave (policy->bulkhead);
  if (policy->breaker)
    tell_breaker (self, error);
  if (error)
    failed (run, error);
  else
    finish (run, kept, NULL);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Attempt *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = g_task_propagate_pointer (G_TASK (result), &error);

  self->n_open--;
  if (!value && !error)
    error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_ACTION_CONTRACT,
                                 _ ("The work returned neither a value nor an error."));
  /* A failure waits for the other call, if there is one. */
  if (!self->is_over && (value || self->n_open == 0))
    attempt_over (self, value, g_steal_pointer (&error));
  attempt_unref (self);
}

static void
call (Attempt *self)
{
  Run *run = self->run;
  g_autoptr (GTask) task =
      g_task_new (NULL, self->cancellable, on_answer, g_rc_box_acquire (self));

  g_task_set_source_tag (task, call);
  g_task_set_check_cancellable (task, FALSE);
  self->n_calls++;
  self->n_open++;
  run->work (task, run->n_attempts, run->work_data);
}

static gboolean
on_timeout (gpointer data)
{
  Attempt *self = data;

  self->run->policy->n_timed_out++;
  attempt_over (self, NULL,
                g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_TIMED_OUT,
                                     _ ("The time limit for one attempt has passed.")));
  return G_SOURCE_REMOVE;
}

static gboolean on_hedge (gpointer data);

static void
arm_hedge (Attempt *self)
{
  Run *run = self->run;

  destroy_source (&self->hedge);
  if (run->policy->hedge_usec > 0 && run->is_idempotent &&
      self->n_calls < run->policy->hedge_calls)
    self->hedge = arm (run, run->policy->hedge_usec, on_hedge, g_rc_box_acquire (self),
                       attempt_unref);
}

static gboolean
on_hedge (gpointer data)
{
  Attempt *self = data;

  self->run->policy->n_hedged++;
  call (self);
  if (!self->is_over)
    arm_hedge (self);
  return G_SOURCE_REMOVE;
}

/* There is a place. */
static void
launch (Attempt *self)
{
  Run *run = self->run;
  NebulaPolicy *policy = run->policy;

  self->started_usec = now (run);
  self->is_launched = TRUE;
  policy->n_attempts++;
  if (policy->timeout_usec > 0)
    self->timeout = arm (run, policy->timeout_usec, on_timeout, g_rc_box_acquire (self),
                         attempt_unref);
  arm_hedge (self);
  call (self);
}

static void
on_place (GObject *source, GAsyncResult *result, gpointer data)
{
  Attempt *self = data;
  GError *error = NULL;
  gboolean has_place =
      nebula_bulkhead_enter_finish (NEBULA_BULKHEAD (source), result, &error);

  if (self->is_over) {
    /* It was given up while it waited; the place is not needed. */
    if (has_place)
      nebula_bulkhead_leave (NEBULA_BULKHEAD (source));
    g_clear_error (&error);
  } else if (has_place) {
    self->has_place = TRUE;
    launch (self);
  } else {
    self->run->policy->n_refused++;
    attempt_over (self, NULL, error);
  }
  attempt_unref (self);
}

static GError *
new_refusal (Run *run)
{
  gint64 remaining = nebula_breaker_get_remaining_usec (run->policy->breaker, now (run));
  GError *error = g_error_new_literal (
      NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
      _ ("The other side failed too often; calls are refused for a while."));

  if (remaining > 0)
    nebula_error_set_retry_after_ms (error, remaining / 1000 + 1);
  return error;
}

static void
begin (Run *run)
{
  NebulaPolicy *policy = run->policy;
  gint64 wait =
      policy->limiter ? nebula_limiter_take_usec (policy->limiter, now (run)) : 0;
  Attempt *attempt;

  if (wait > 0) {
    begin_later (run, wait);
    return;
  }
  run->n_attempts++;
  if (policy->breaker && !nebula_breaker_enter (policy->breaker, now (run))) {
    policy->n_refused++;
    failed (run, new_refusal (run));
    return;
  }
  attempt = g_rc_box_new0 (Attempt);
  attempt->run = run_ref (run);
  attempt->cancellable = g_cancellable_new ();
  run->current = attempt;
  if (policy->bulkhead)
    nebula_bulkhead_enter_async (policy->bulkhead, attempt->cancellable, on_place,
                                 g_rc_box_acquire (attempt));
  else
    launch (attempt);
  attempt_unref (attempt);
}

static Run *
run_new (NebulaPolicy *policy, GTask *task)
{
  Run *run = g_rc_box_new0 (Run);
  GCancellable *cancellable = g_task_get_cancellable (task);

  run->policy = g_object_ref (policy);
  run->task = g_object_ref (task);
  run->started_usec = now (run);
  policy->n_running++;
  if (policy->total_timeout_usec > 0)
    run->total = arm (run, policy->total_timeout_usec, on_total, run_ref (run),
                      (GDestroyNotify) run_unref);
  if (cancellable) {
    run->cancelled = g_cancellable_source_new (cancellable);
    g_source_set_callback (run->cancelled, G_SOURCE_FUNC (on_cancelled), run_ref (run),
                           (GDestroyNotify) run_unref);
    g_source_attach (run->cancelled, g_task_get_context (task));
  }
  return run;
}

/**
 * nebula_policy_run_async:
 * @self: a policy
 * @work: (scope notified) (closure work_data) (destroy work_destroy): what to do; called for each attempt
 * @work_data: data for @work
 * @work_destroy: (nullable): frees @work_data
 * @is_idempotent: whether a second call beside the first does no harm
 * @cancellable: (nullable): ends the run
 * @callback: (scope async) (closure user_data): called once, in the context this was called from
 * @user_data: data for @callback
 *
 * Does work under a policy.
 *
 * Since: 1.0
 */
void
nebula_policy_run_async (NebulaPolicy *self,
                         NebulaPolicyWork work,
                         gpointer work_data,
                         GDestroyNotify work_destroy,
                         gboolean is_idempotent,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Run *run;

  g_return_if_fail (NEBULA_IS_POLICY (self));
  g_return_if_fail (work != NULL);

  g_task_set_source_tag (task, nebula_policy_run_async);
  g_task_set_check_cancellable (task, FALSE);
  run = run_new (self, task);
  run->work = work;
  run->work_data = work_data;
  run->work_destroy = work_destroy;
  run->is_idempotent = is_idempotent;
  if (g_cancellable_is_cancelled (cancellable)) {
    on_cancelled (cancellable, run);
  } else if (self->shed > 0 && self->n_running > self->shed) {
    self->n_refused++;
    finish (run, NULL,
            g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_THROTTLED,
                                 _ ("Too much is on its way; try again later.")));
  } else {
    begin (run);
  }
  run_unref (run);
}

/**
 * nebula_policy_run_finish:
 * @self: a policy
 * @result: what the callback got
 * @error: where to put an error
 *
 * Ends nebula_policy_run_async ().
 *
 * Errors: that of the last attempt; %NEBULA_ERROR_TIMED_OUT (retry) when a time limit passed; %NEBULA_ERROR_UNAVAILABLE
 * (retry) while the breaker is open, with the time to wait; %NEBULA_ERROR_THROTTLED (throttle) without a place;
 * %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the value of the work, or the fallback
 *
 * Since: 1.0
 */
NebulaValue *
nebula_policy_run_finish (NebulaPolicy *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * nebula_policy_return:
 * @task: the task of a #NebulaPolicyWork
 * @value: its value
 *
 * Ends one call with a value.
 *
 * Since: 1.0
 */
void
nebula_policy_return (GTask *task, NebulaValue *value)
{
  g_return_if_fail (G_IS_TASK (task));
  g_return_if_fail (value != NULL);

  g_task_return_pointer (task, nebula_value_ref (value),
                         (GDestroyNotify) nebula_value_unref);
}
