/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stimuli and turns: what comes from outside, and the order in which decisions are taken. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-kernel-private.h"
#include "nebula-plant-internal.h"

NebulaKernel *
nebula_kernel_new (NebulaPlan *plan,
                   const char *execution,
                   const char *tenant,
                   const NebulaKernelHost *host)
{
  NebulaKernel *self = g_new0 (NebulaKernel, 1);

  self->plan = nebula_plan_ref (plan);
  self->state = nebula_state_new (plan);
  self->commands = g_array_new (FALSE, FALSE, sizeof (NebulaCommand));
  self->execution = g_strdup (execution);
  self->tenant = g_strdup (tenant);
  self->host = *host;
  self->timeout_usec = plan->timeout_usec;
  nebula_fact_writer_init (&self->writer);
  _nebula_kernel_init_spill (self);
  return self;
}

void
nebula_kernel_free (NebulaKernel *self)
{
  if (!self)
    return;
  nebula_state_free (self->state);
  _nebula_kernel_clear_spill (self);
  nebula_fact_writer_clear (&self->writer);
  g_array_unref (self->commands);
  g_free (self->execution);
  g_free (self->tenant);
  nebula_plan_unref (self->plan);
  g_free (self);
}

NebulaState *
nebula_kernel_get_state (NebulaKernel *self)
{
  return self->state;
}

void
nebula_kernel_take_state (NebulaKernel *self, NebulaState *state)
{
  g_return_if_fail (state->plan == self->plan);
  g_return_if_fail (self->writer.n_facts == 0);

  nebula_state_free (self->state);
  self->state = state;
}

NebulaExecutionStatus
nebula_kernel_get_status (NebulaKernel *self)
{
  NebulaState *state = self->state;
  NebulaAgendaItem item;

  if (state->status != NEBULA_EXECUTION_STATUS_RUNNING)
    return state->status;
  if (state->is_paused)
    return NEBULA_EXECUTION_STATUS_PAUSED;
  if (state->n_ready > 0 || nebula_state_peek_agenda (state, &item))
    return NEBULA_EXECUTION_STATUS_RUNNING;
  return NEBULA_EXECUTION_STATUS_SUSPENDED;
}

void
_nebula_kernel_record (NebulaKernel *self, NebulaFact *fact)
{
  NebulaValue *value = fact->value;
  g_autoptr (NebulaValue) spilled =
      value && self->spills ? _nebula_kernel_spill (self, fact) : NULL;

  fact->time_usec = self->now_usec;
  fact->value = spilled ? spilled : value;
  nebula_fact_writer_add (&self->writer, self->plan, fact);
  nebula_state_apply (self->state, fact);
  fact->value = value;
  if (self->host.recorded)
    self->host.recorded (fact, self->host.data);
}

/* Time never steps back inside an execution. */
static void
set_now (NebulaKernel *self, gint64 now_usec)
{
  self->now_usec = MAX (now_usec, self->state->last_usec);
}

static void
record_simple (NebulaKernel *self, NebulaFactKind kind, const char *text)
{
  NebulaFact fact = {.kind = kind, .node = NEBULA_PLAN_NONE, .text = text};

  _nebula_kernel_record (self, &fact);
}

/* The key of the gate in front of the execution; NULL with error. */
static char *
evaluate_gate_key (NebulaKernel *self, GError **error)
{
  NebulaScopeEnvironment environment;
  g_autoptr (NebulaValue) key = NULL;
  g_autofree char *text = NULL;

  if (!self->plan->concurrency_key)
    return g_strdup_printf ("%s/%s", self->tenant, self->plan->name);
  _nebula_kernel_init_environment (self, &environment, self->state->root, NULL);
  key = nebula_expression_evaluate (self->plan->concurrency_key, &environment.environment,
                                    error);
  if (!key)
    return NULL;
  text = nebula_value_to_text (key);
  return g_strdup_printf ("%s/%s/%s", self->tenant, self->plan->name, text);
}

static void
end_with_error (NebulaKernel *self, const GError *error)
{
  g_autoptr (NebulaValue) failure = nebula_failure_new_from_error (error);
  NebulaFact fact = {
      .kind = NEBULA_FACT_ENDED, .node = NEBULA_PLAN_NONE, .value = failure};

  fact.code = NEBULA_EXECUTION_STATUS_FAILED;
  _nebula_kernel_record (self, &fact);
}

void
nebula_kernel_set_timeout (NebulaKernel *self, gint64 timeout_usec)
{
  self->timeout_usec = timeout_usec;
}

void
nebula_kernel_start (NebulaKernel *self,
                     NebulaValue *input,
                     NebulaValue *environment,
                     guint64 seed,
                     gint64 now_usec)
{
  g_autoptr (NebulaValue) started =
      nebula_value_with_member (environment, "input", input);
  g_autoptr (GError) error = NULL;
  g_autofree char *key = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_STARTED, .node = NEBULA_PLAN_NONE, .value = started};

  set_now (self, now_usec);
  fact.text = self->plan->hash;
  fact.number = (gint64) seed;
  fact.code = self->plan->concurrency_limit > 0;
  if (self->timeout_usec > 0)
    fact.due_usec = self->now_usec + self->timeout_usec;
  _nebula_kernel_record (self, &fact);
  if (self->plan->concurrency_limit == 0)
    return;
  key = evaluate_gate_key (self, &error);
  if (key)
    record_simple (self, NEBULA_FACT_GATE_ASKED, key);
  else
    end_with_error (self, error);
}

void
nebula_kernel_grant (NebulaKernel *self, gint64 now_usec)
{
  if (self->state->gate != 1 || self->state->is_stopping)
    return;
  set_now (self, now_usec);
  record_simple (self, NEBULA_FACT_GATE_GRANTED, NULL);
}

static NebulaWork *
find_attempt (NebulaKernel *self, const NebulaCommand *attempt)
{
  NebulaLane *lane = nebula_state_get_lane (self->state, attempt->lane);
  NebulaRun *run;

  if (!lane || lane->scope != self->plan->nodes[attempt->node].scope ||
      nebula_execution_status_is_terminal (self->state->status))
    return NULL;
  run = nebula_lane_get_run (self->state, lane, attempt->node);
  if (!run->work || run->firing != attempt->firing || run->attempts != attempt->attempt ||
      (run->status != NEBULA_NODE_READY && run->status != NEBULA_NODE_RUNNING) ||
      run->work->loop)
    return NULL;
  return run->work;
}

gboolean
nebula_kernel_is_current (NebulaKernel *self, const NebulaCommand *attempt)
{
  NebulaWork *work = find_attempt (self, attempt);

  return work && !self->state->is_paused &&
         !nebula_lane_is_doomed (self->state, work->lane);
}

gboolean
nebula_kernel_wants_result (NebulaKernel *self, const NebulaCommand *attempt)
{
  return find_attempt (self, attempt) != NULL;
}

static void
record_of_work (NebulaKernel *self, NebulaFactKind kind, NebulaWork *work, guint attempt)
{
  NebulaFact fact = {
      .kind = kind, .lane = work->lane->number, .node = work->node, .attempt = attempt};

  _nebula_kernel_record (self, &fact);
}

void
nebula_kernel_withdraw (NebulaKernel *self, const NebulaCommand *attempt, gint64 now_usec)
{
  NebulaWork *work = find_attempt (self, attempt);

  if (!work || nebula_lane_is_doomed (self->state, work->lane))
    return;
  set_now (self, now_usec);
  record_of_work (self, NEBULA_FACT_WITHDRAWN, work, attempt->attempt);
}

static void
wait_again (NebulaKernel *self, NebulaWork *work, gint64 delay_usec)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_WAITING, .lane = work->lane->number, .node = work->node};

  fact.code = NEBULA_WAIT_AGAIN;
  fact.due_usec = self->now_usec + MAX (delay_usec, 1);
  _nebula_kernel_record (self, &fact);
}

static void
terminate (NebulaKernel *self, NebulaWork *work, guint attempt, NebulaValue *output)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_CANCEL_ASKED, .node = NEBULA_PLAN_NONE, .value = output};

  /* First the end of all, so that what follows the node is cancelled and not begun. */
  fact.code = NEBULA_EXECUTION_STATUS_COMPLETED;
  _nebula_kernel_record (self, &fact);
  _nebula_kernel_end_node (self, work, attempt, NULL, output);
}

/* Nobody knows whether the attempt did its work. What may be repeated is; else the node's rule decides. */
static void
handle_unknown (NebulaKernel *self, NebulaWork *work, guint attempt, NebulaValue *failure)
{
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_WAITING, .lane = work->lane->number, .node = work->node};

  if (work->effect != NEBULA_EFFECT_EFFECTFUL ||
      node->on_unknown == NEBULA_ON_UNKNOWN_RETRY) {
    _nebula_kernel_fail (self, work, attempt, failure);
    return;
  }
  if (node->on_unknown != NEBULA_ON_UNKNOWN_ASK) {
    _nebula_kernel_fail_for_good (self, work, attempt, failure);
    return;
  }
  fact.code = NEBULA_WAIT_UNKNOWN;
  _nebula_kernel_record (self, &fact);
}

static void
end_by_ports (NebulaKernel *self, NebulaWork *work, guint attempt, NebulaValue *values)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_ENDED, .lane = work->lane->number, .node = work->node};

  fact.attempt = attempt;
  fact.code = 1;
  fact.value = values;
  _nebula_kernel_record_end (self, work, &fact);
}

gboolean
nebula_kernel_result (NebulaKernel *self,
                      const NebulaCommand *attempt,
                      NebulaResult *result,
                      gint64 now_usec)
{
  NebulaWork *work = find_attempt (self, attempt);
  NebulaValue *value = nebula_result_get_value (result);
  guint number = attempt->attempt;

  if (!work)
    return FALSE;
  set_now (self, now_usec);
  switch (nebula_result_get_kind (result)) {
  case NEBULA_RESULT_KIND_SUCCESS:
    _nebula_kernel_end_node (self, work, number, nebula_result_get_port (result), value);
    break;
  case NEBULA_RESULT_KIND_MULTI:
    end_by_ports (self, work, number, value);
    break;
  case NEBULA_RESULT_KIND_SKIP:
    record_of_work (self, NEBULA_FACT_NODE_SKIPPED, work, number);
    break;
  case NEBULA_RESULT_KIND_WAIT:
    wait_again (self, work, nebula_result_get_delay_usec (result));
    break;
  case NEBULA_RESULT_KIND_TERMINATE:
    terminate (self, work, number, value);
    break;
  case NEBULA_RESULT_KIND_UNKNOWN:
    handle_unknown (self, work, number, value);
    break;
  case NEBULA_RESULT_KIND_FAILURE:
  default:
    _nebula_kernel_fail (self, work, number, value);
    break;
  }
  return TRUE;
}

static void
end_wait (NebulaKernel *self, NebulaWork *work, const char *reason)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;

  nebula_value_builder_set_string (builder, "reason", reason);
  nebula_value_builder_set_string (builder, "value", NULL);
  value = nebula_value_builder_end (builder);
  _nebula_kernel_end_node (self, work, 0, NULL, value);
}

static void
fail_timed_out (NebulaKernel *self, NebulaWork *work)
{
  g_autoptr (NebulaValue) failure =
      nebula_failure_new ("timed-out", _ ("The node ran out of its total time."),
                          NEBULA_RETRY_CLASS_TERMINAL, NULL);

  _nebula_kernel_fail (
      self, work, nebula_lane_get_run (self->state, work->lane, work->node)->attempts,
      failure);
}

static void
tick_work (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);

  if (work->deadline_usec && work->deadline_usec <= self->now_usec) {
    fail_timed_out (self, work);
    return;
  }
  if (!work->due_usec || work->due_usec > self->now_usec)
    return;
  if (run->status == NEBULA_NODE_RETRYING || work->wait == NEBULA_WAIT_AGAIN)
    _nebula_kernel_begin (self, work, run->attempts + 1u);
  else if (work->wait == NEBULA_WAIT_SIGNAL)
    end_wait (self, work, "timeout");
  else
    end_wait (self, work, work->wait == NEBULA_WAIT_UNTIL ? "until" : "duration");
}

/* What is ending already has all the time that it needs. */
static gboolean
has_deadline (NebulaState *state)
{
  return state->deadline_usec && !state->is_stopping && !state->has_undone;
}

void
nebula_kernel_tick (NebulaKernel *self, gint64 now_usec)
{
  NebulaState *state = self->state;
  g_autoptr (GPtrArray) due = g_ptr_array_new ();

  if (!state->root || nebula_execution_status_is_terminal (state->status))
    return;
  set_now (self, now_usec);
  if (has_deadline (state) && state->deadline_usec <= self->now_usec) {
    nebula_kernel_cancel (self, NEBULA_EXECUTION_STATUS_TIMED_OUT, NULL, now_usec);
    return;
  }
  if (state->is_paused)
    return;
  /* Only waiting and retrying works have a due time, and ending one changes no other waiting one's place in time. */
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    if ((work->due_usec && work->due_usec <= self->now_usec) ||
        (work->deadline_usec && work->deadline_usec <= self->now_usec))
      g_ptr_array_add (due, work);
  }
  for (guint i = 0; i < due->len; i++) {
    if (g_queue_find (&state->works, due->pdata[i]) &&
        !nebula_lane_is_doomed (state, ((NebulaWork *) due->pdata[i])->lane))
      tick_work (self, due->pdata[i]);
  }
}

static NebulaWork *
find_waiting_for (NebulaState *state, const char *name)
{
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;
    NebulaRun *run = nebula_lane_get_run (state, work->lane, work->node);

    if (run->status == NEBULA_NODE_WAITING && work->signal && g_str_equal (work->signal, name))
      return work;
  }
  return NULL;
}

void
_nebula_kernel_end_by_signal (NebulaKernel *self, NebulaWork *work, NebulaValue *payload)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_ENDED, .lane = work->lane->number, .node = work->node};

  nebula_value_builder_set_string (builder, "reason", "signal");
  nebula_value_builder_set (builder, "value", payload);
  value = nebula_value_builder_end (builder);
  fact.value = value;
  fact.number = 1;
  _nebula_kernel_record_end (self, work, &fact);
}

void
nebula_kernel_signal (NebulaKernel *self,
                      const char *name,
                      NebulaValue *value,
                      gint64 now_usec)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_SIGNALLED, .node = NEBULA_PLAN_NONE, .value = value};
  NebulaWork *work;

  if (!self->state->root || nebula_execution_status_is_terminal (self->state->status))
    return;
  set_now (self, now_usec);
  fact.text = name;
  _nebula_kernel_record (self, &fact);
  work = find_waiting_for (self->state, fact.text);
  if (work) {
    NebulaSignal *signal = g_queue_peek_tail (&self->state->signals);
    g_autoptr (NebulaValue) kept = nebula_value_ref (signal->value);

    _nebula_kernel_end_by_signal (self, work, kept);
  }
}

static NebulaValue *
get_cancel_failure (NebulaExecutionStatus status, const char *reason)
{
  if (status == NEBULA_EXECUTION_STATUS_TIMED_OUT)
    return nebula_failure_new ("timed-out", _ ("The execution ran out of its time."),
                               NEBULA_RETRY_CLASS_TERMINAL, NULL);
  return nebula_failure_new ("cancelled",
                             reason ? reason : _ ("The execution was cancelled."),
                             NEBULA_RETRY_CLASS_CANCELLED, NULL);
}

gboolean
nebula_kernel_cancel (NebulaKernel *self,
                      NebulaExecutionStatus status,
                      const char *reason,
                      gint64 now_usec)
{
  g_autoptr (NebulaValue) failure = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_CANCEL_ASKED, .node = NEBULA_PLAN_NONE, .code = status};

  if (!self->state->root || nebula_execution_status_is_terminal (self->state->status))
    return FALSE;
  if (self->state->is_stopping)
    return TRUE;
  set_now (self, now_usec);
  failure = get_cancel_failure (status, reason);
  fact.value = failure;
  _nebula_kernel_record (self, &fact);
  return TRUE;
}

gboolean
nebula_kernel_cancel_node (NebulaKernel *self,
                           guint32 lane_number,
                           guint32 node,
                           gint64 now_usec)
{
  NebulaLane *lane = nebula_state_get_lane (self->state, lane_number);
  NebulaRun *run = lane ? nebula_lane_get_run (self->state, lane, node) : NULL;

  if (!run || !run->work || lane->undo > 0 || nebula_execution_status_is_terminal (self->state->status))
    return FALSE;
  set_now (self, now_usec);
  record_of_work (self, NEBULA_FACT_NODE_CANCELLED, run->work, 0);
  return TRUE;
}

void
nebula_kernel_pause (NebulaKernel *self, const char *reason, gint64 now_usec)
{
  if (!self->state->root || self->state->is_paused || self->state->is_stopping ||
      nebula_execution_status_is_terminal (self->state->status))
    return;
  set_now (self, now_usec);
  record_simple (self, NEBULA_FACT_PAUSED, reason);
}

static void
push_start (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  NebulaCommand command = {
      .sequence = self->state->sequence,
      .lane = work->lane->number,
      .node = work->node,
      .firing = run->firing,
      .attempt = run->attempts,
      .runs_ahead = work->effect == NEBULA_EFFECT_PURE,
  };

  g_array_append_val (self->commands, command);
}

/* An attempt that was to be started when the engine stopped. */
static void
recover_work (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  g_autoptr (NebulaValue) failure = NULL;

  if (work->is_launched)
    return;
  if (run->status == NEBULA_NODE_READY && !work->is_begun) {
    push_start (self, work);
    return;
  }
  if (run->status != NEBULA_NODE_RUNNING || work->loop)
    return;
  if (node->on_unknown == NEBULA_ON_UNKNOWN_RETRY || NEBULA_PLANT ("repeat-unknown")) {
    _nebula_kernel_ready (self, work, run->attempts);
    return;
  }
  failure = nebula_failure_new (
      "unknown-outcome",
      _ ("The engine stopped while this ran; nobody knows whether it did its work."),
      NEBULA_RETRY_CLASS_TERMINAL, NULL);
  handle_unknown (self, work, run->attempts, failure);
}

static void
restart_works (NebulaKernel *self)
{
  g_autoptr (GPtrArray) works = g_ptr_array_new ();

  for (GList *link = self->state->works.head; link; link = link->next)
    g_ptr_array_add (works, link->data);
  for (guint i = 0; i < works->len; i++) {
    if (g_queue_find (&self->state->works, works->pdata[i]) &&
        !nebula_lane_is_doomed (self->state, ((NebulaWork *) works->pdata[i])->lane))
      recover_work (self, works->pdata[i]);
  }
}

void
nebula_kernel_resume (NebulaKernel *self, gint64 now_usec)
{
  if (!self->state->is_paused)
    return;
  set_now (self, now_usec);
  record_simple (self, NEBULA_FACT_RESUMED, NULL);
  restart_works (self);
}

void
nebula_kernel_recover (NebulaKernel *self, gint64 now_usec)
{
  NebulaFact fact = {.kind = NEBULA_FACT_RESUMED, .node = NEBULA_PLAN_NONE};

  if (!self->state->root || nebula_execution_status_is_terminal (self->state->status))
    return;
  set_now (self, now_usec);
  fact.number = (gint64) self->state->recoveries + 1;
  _nebula_kernel_record (self, &fact);
  restart_works (self);
}

static void
decide (NebulaKernel *self, const NebulaAgendaItem *item)
{
  NebulaLane *lane = nebula_state_get_lane (self->state, item->lane);

  switch ((NebulaAgendaKind) item->kind) {
  case NEBULA_AGENDA_NODE:
    _nebula_kernel_decide_node (self, lane, item->index);
    break;
  case NEBULA_AGENDA_GUARD:
    _nebula_kernel_decide_guard (self, lane, item->index);
    break;
  case NEBULA_AGENDA_NEED:
    _nebula_kernel_decide_need (self, lane, item->index);
    break;
  case NEBULA_AGENDA_LOOP:
    _nebula_kernel_decide_loop (self, lane, item->index);
    break;
  case NEBULA_AGENDA_LANE:
    _nebula_kernel_decide_lane (self, lane);
    break;
  default:
    g_assert_not_reached ();
  }
}

gboolean
nebula_kernel_turn (NebulaKernel *self, guint budget, gint64 now_usec)
{
  guint64 end = self->writer.n_facts + budget;
  NebulaAgendaItem item;

  set_now (self, now_usec);
  while (!self->state->is_paused && nebula_state_peek_agenda (self->state, &item)) {
    if (self->writer.n_facts >= end)
      return TRUE;
    nebula_state_pop_agenda (self->state);
    decide (self, &item);
  }
  return FALSE;
}

GBytes *
nebula_kernel_take_facts (NebulaKernel *self, guint64 *ret_n_facts)
{
  *ret_n_facts = self->writer.n_facts;
  return self->writer.n_facts > 0 ? nebula_fact_writer_end (&self->writer) : NULL;
}

guint
nebula_kernel_get_n_facts (NebulaKernel *self)
{
  return (guint) self->writer.n_facts;
}

gsize
nebula_kernel_get_n_bytes (NebulaKernel *self)
{
  return (self->writer.bytes ? self->writer.bytes->len : 0) + self->n_blob_bytes;
}

GArray *
nebula_kernel_get_commands (NebulaKernel *self)
{
  return self->commands;
}

static gint64
earlier (gint64 a, gint64 b)
{
  if (a == 0 || b == 0)
    return MAX (a, b);
  return MIN (a, b);
}

gint64
nebula_kernel_get_next_due (NebulaKernel *self)
{
  gint64 due = has_deadline (self->state) ? self->state->deadline_usec : 0;

  if (nebula_execution_status_is_terminal (self->state->status))
    return 0;
  for (GList *link = self->state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    due = earlier (due, earlier (work->due_usec, work->deadline_usec));
  }
  return due;
}
