/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stimuli: what comes from outside. */

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
  g_clear_pointer (&self->posts, g_ptr_array_unref);
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
nebula_kernel_set_host (NebulaKernel *self, const NebulaKernelHost *host)
{
  NebulaBlobCache *cache = self->host.cache;

  self->host = *host;
  if (host->cache)
    nebula_blob_cache_ref (host->cache);
  g_clear_pointer (&cache, nebula_blob_cache_unref);
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
  if (state->n_ready > 0 || _nebula_kernel_gate_is_due (self) ||
      (_nebula_kernel_has_place (self) && nebula_state_peek_agenda (state, &item)))
    return NEBULA_EXECUTION_STATUS_RUNNING;
  return NEBULA_EXECUTION_STATUS_SUSPENDED;
}

void
_nebula_kernel_record (NebulaKernel *self, NebulaFact *fact)
{
  NebulaValue *value = fact->value;
  g_autoptr (NebulaValue) spilled = NULL;

  if (self->is_put_off)
    return;
  spilled = value && self->spills ? _nebula_kernel_spill (self, fact) : NULL;
  fact->time_usec = self->now_usec;
  fact->value = spilled ? spilled : value;
  nebula_fact_writer_add (&self->writer, self->plan, fact);
  nebula_state_apply (self->state, fact);
  fact->value = value;
  if (self->state->partings)
    _nebula_kernel_post_partings (self);
  _nebula_kernel_post_gates (self, fact);
  if (fact->kind == NEBULA_FACT_ENDED)
    _nebula_kernel_post_end (self);
  if (self->host.recorded)
    self->host.recorded (fact, self->host.data);
}

/* Time never steps back inside an execution. */
void
_nebula_kernel_set_now (NebulaKernel *self, gint64 now_usec)
{
  self->now_usec = MAX (now_usec, self->state->last_usec);
}

static void
record_simple (NebulaKernel *self, NebulaFactKind kind, const char *text)
{
  NebulaFact fact = {.kind = kind, .node = NEBULA_PLAN_NONE, .text = text};

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
  NebulaFact fact = {
      .kind = NEBULA_FACT_STARTED, .node = NEBULA_PLAN_NONE, .value = started};
  gint64 begins_usec;

  _nebula_kernel_set_now (self, now_usec);
  fact.text = self->plan->hash;
  fact.number = (gint64) seed;
  begins_usec = nebula_value_get_member_integer (environment, "begins", 0);
  fact.code = begins_usec > 0 || nebula_kernel_has_gates (self->plan, environment);
  if (self->timeout_usec > 0)
    fact.due_usec = MAX (self->now_usec, begins_usec) + self->timeout_usec;
  _nebula_kernel_record (self, &fact);
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
  _nebula_kernel_set_now (self, now_usec);
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
void
_nebula_kernel_handle_unknown (NebulaKernel *self,
                               NebulaWork *work,
                               guint attempt,
                               NebulaValue *failure)
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

static void
take_result (NebulaKernel *self, NebulaWork *work, guint number, NebulaResult *result)
{
  NebulaValue *value = nebula_result_get_value (result);

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
    _nebula_kernel_handle_unknown (self, work, number, value);
    break;
  case NEBULA_RESULT_KIND_FAILURE:
  default:
    _nebula_kernel_fail (self, work, number, value);
    break;
  }
}

/* Its owner has looked whether it is too heavy. */
gboolean
nebula_kernel_result (NebulaKernel *self,
                      const NebulaCommand *attempt,
                      NebulaResult *result,
                      gint64 now_usec)
{
  NebulaWork *work = find_attempt (self, attempt);
  guint64 inline_fuel = self->inline_fuel;

  if (!work)
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  self->inline_fuel = 0;
  take_result (self, work, attempt->attempt, result);
  self->inline_fuel = inline_fuel;
  return TRUE;
}

static void
fail_timed_out (NebulaKernel *self, NebulaWork *work, gboolean is_total)
{
  g_autoptr (NebulaValue) failure = nebula_failure_new (
      "timed-out",
      is_total ? _ ("The node ran out of its total time.")
               : _ ("The node ran out of its time."),
      is_total ? NEBULA_RETRY_CLASS_TERMINAL : NEBULA_RETRY_CLASS_RETRY, NULL);

  _nebula_kernel_fail (
      self, work, nebula_lane_get_run (self->state, work->lane, work->node)->attempts,
      failure);
}

/* What tries again does so when it has a place. */
static gint64
get_due (NebulaKernel *self, NebulaWork *work)
{
  return _nebula_kernel_has_place (self) || !_nebula_work_tries_again (self->state, work)
             ? work->due_usec
             : 0;
}

static void
tick_work (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);

  if (work->deadline_usec && work->deadline_usec <= self->now_usec) {
    fail_timed_out (self, work, TRUE);
    return;
  }
  if (!get_due (self, work) || work->due_usec > self->now_usec)
    return;
  if (_nebula_work_tries_again (self->state, work))
    _nebula_kernel_begin (self, work, run->attempts + 1u);
  else if (work->wait == NEBULA_WAIT_CHILD)
    fail_timed_out (self, work, FALSE);
  else
    _nebula_kernel_end_wait (self, work);
}

/* What is ending already has all the time that it needs. */
static gboolean
has_deadline (NebulaState *state)
{
  return state->deadline_usec && !state->is_stopping && !state->has_undone;
}

gboolean
nebula_kernel_tick (NebulaKernel *self, gint64 now_usec)
{
  NebulaState *state = self->state;
  g_autoptr (GPtrArray) due = g_ptr_array_new ();

  if (!state->root || nebula_execution_status_is_terminal (state->status))
    return TRUE;
  _nebula_kernel_set_now (self, now_usec);
  if (has_deadline (state) && state->deadline_usec <= self->now_usec) {
    nebula_kernel_cancel (self, NEBULA_EXECUTION_STATUS_TIMED_OUT, NULL, now_usec);
    return TRUE;
  }
  if (state->is_paused)
    return TRUE;
  self->is_put_off = FALSE;
  _nebula_kernel_begin_late (self);
  /* Only waiting and retrying works have a due time, and ending one changes no other waiting one's place in time. */
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    if ((get_due (self, work) && get_due (self, work) <= self->now_usec) ||
        (work->deadline_usec && work->deadline_usec <= self->now_usec))
      g_ptr_array_add (due, work);
  }
  for (guint i = 0; i < due->len && !self->is_put_off; i++) {
    if (g_queue_find (&state->works, due->pdata[i]) &&
        !nebula_lane_is_doomed (state, ((NebulaWork *) due->pdata[i])->lane))
      tick_work (self, due->pdata[i]);
  }
  return !_nebula_kernel_end_decision (self);
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
  _nebula_kernel_set_now (self, now_usec);
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
  _nebula_kernel_set_now (self, now_usec);
  record_of_work (self, NEBULA_FACT_NODE_CANCELLED, run->work, 0);
  return TRUE;
}

void
nebula_kernel_pause (NebulaKernel *self, const char *reason, gint64 now_usec)
{
  if (!self->state->root || self->state->is_paused || self->state->is_stopping ||
      nebula_execution_status_is_terminal (self->state->status))
    return;
  _nebula_kernel_set_now (self, now_usec);
  record_simple (self, NEBULA_FACT_PAUSED, reason);
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
  if (self->state->is_paused)
    return due;
  due = earlier (due, self->state->begins_usec);
  for (GList *link = self->state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    due = earlier (due, earlier (get_due (self, work), work->deadline_usec));
  }
  return due;
}
