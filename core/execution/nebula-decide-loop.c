/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about loops, waits and lanes: which round opens, what a quiet lane gives, when it all ends. */

#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-kernel-private.h"

#define CONCURRENCY_MAX 10000
#define ROUNDS_DEFAULT  10000

static void
fail_text (NebulaKernel *self,
           NebulaWork *work,
           guint attempt,
           NebulaError code,
           const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (NEBULA_ERROR, (gint) code, message);

  _nebula_kernel_fail_error (self, work, attempt, error);
}

static void
record_loop (NebulaKernel *self,
             NebulaWork *work,
             gint64 count,
             NebulaValue *items,
             gint64 concurrency,
             gint64 batch)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LOOP_OPENED, .lane = work->lane->number, .node = work->node};

  fact.number = count;
  fact.value = items;
  fact.code = (guint32) CLAMP (concurrency, 1, CONCURRENCY_MAX);
  fact.attempt = (guint32) CLAMP (batch, 1, G_MAXINT32);
  _nebula_kernel_record (self, &fact);
}

static void
open_for_each (NebulaKernel *self,
               NebulaWork *work,
               guint attempt,
               NebulaValue *parameters)
{
  NebulaValue *items = nebula_value_get_member (parameters, "items");
  gint64 batch = MAX (nebula_value_get_member_integer (parameters, "batch", 1), 1);
  gint64 length;

  if (!items || nebula_value_get_kind (items) != NEBULA_VALUE_KIND_ARRAY) {
    fail_text (
        self, work, attempt, NEBULA_ERROR_TYPE,
        _ ("The items of a for-each must be an array. Use “?? []” where they may be null."));
    return;
  }
  length = (gint64) nebula_value_get_length (items);
  record_loop (self, work, (length + batch - 1) / batch, items,
               nebula_value_get_member_integer (parameters, "concurrency", 1), batch);
}

/* A loop whose condition is evaluated before each round resolves only `max` up front. */
static void
open_while (NebulaKernel *self, NebulaWork *work)
{
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  NebulaValue *written = nebula_template_get_value (node->with);

  record_loop (self, work,
               nebula_value_get_member_integer (written, "max", ROUNDS_DEFAULT), NULL, 1,
               1);
}

void
_nebula_kernel_open_loop (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters = NULL;

  if (node->construct == NEBULA_CONSTRUCT_WHILE) {
    open_while (self, work);
    return;
  }
  parameters = _nebula_kernel_resolve (self, work, &environment, &error);
  if (!parameters)
    _nebula_kernel_fail_error (self, work, attempt, error);
  else if (node->construct == NEBULA_CONSTRUCT_FOR_EACH)
    open_for_each (self, work, attempt, parameters);
  else
    record_loop (self, work,
                 MAX (nebula_value_get_member_integer (parameters, "times", 0), 0), NULL,
                 1, 1);
}

static NebulaValue *
get_loop_result (NebulaKernel *self, NebulaLoop *loop)
{
  if (loop->results)
    return _nebula_kernel_collect_results (self, loop);
  return loop->last ? nebula_value_ref (loop->last) : nebula_value_new_null ();
}

static void
end_loop (NebulaKernel *self, NebulaWork *work)
{
  g_autoptr (NebulaValue) result = get_loop_result (self, work->loop);

  _nebula_kernel_end_node (self, work, 0, NULL, result);
}

/* Whether a while loop goes on; FALSE as well when the node has failed. */
static gboolean
condition_holds (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  NebulaArguments arguments;
  NebulaExpression *expression;
  gboolean truth = FALSE;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) condition = NULL;

  _nebula_kernel_init_environment (self, &environment, work->lane, work);
  environment.index = work->loop->next_index;
  environment.last = work->loop->last;
  nebula_kernel_fill_arguments (self, work, &arguments);
  expression = nebula_arguments_get_expression (&arguments, "condition");
  if (expression)
    condition = nebula_expression_evaluate (expression, &environment.environment, &error);
  if (condition && _nebula_kernel_is_true (condition, &truth, &error)) {
    if (!truth)
      end_loop (self, work);
    return truth;
  }
  if (!error)
    g_set_error_literal (&error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PARAMETER,
                         _ ("The loop has no condition."));
  _nebula_kernel_fail_error (self, work, attempt, error);
  return FALSE;
}

static void
open_round (NebulaKernel *self, NebulaWork *work)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LANE_OPENED, .lane = work->lane->number, .node = work->node};

  fact.number = work->loop->next_index;
  _nebula_kernel_record (self, &fact);
}

static void
step_while (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  if (!condition_holds (self, work, attempt))
    return;
  if (work->loop->next_index >= work->loop->count)
    fail_text (
        self, work, attempt, NEBULA_ERROR_LOOP_LIMIT,
        _ ("The loop ran its greatest number of rounds. Raise “max” if it needs more."));
  else
    open_round (self, work);
}

void
_nebula_kernel_decide_loop (NebulaKernel *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);
  NebulaWork *work = run->work;
  NebulaLoop *loop = work->loop;

  if (self->state->is_stopping || lane->is_ending)
    return; /* the lane's own decision cancels it */
  if (loop->failure) {
    g_autoptr (NebulaValue) failure = nebula_value_ref (loop->failure);

    _nebula_kernel_fail (self, work, run->attempts, failure);
    return;
  }
  if (loop->is_ending) {
    end_loop (self, work);
    return;
  }
  if (self->plan->nodes[node].construct == NEBULA_CONSTRUCT_WHILE) {
    step_while (self, work, run->attempts);
    return;
  }
  while (loop->next_index < loop->count && loop->n_open < loop->concurrency)
    open_round (self, work);
  if (loop->n_open == 0)
    end_loop (self, work);
}

/* The end of a wait that has a time; 0: it has none; -1 with error. */
static gint64
get_wait_end (NebulaKernel *self, NebulaValue *parameters, GError **error)
{
  const char *duration = nebula_value_get_member_string (parameters, "duration", NULL);
  NebulaValue *member = nebula_value_get_member (parameters, "duration");
  NebulaValue *until = nebula_value_get_member (parameters, "until");
  gint64 usec = 0;
  int offset;

  if (duration && !nebula_duration_parse (duration, &usec, error))
    return -1;
  if (duration)
    return self->now_usec + MAX (usec, 1);
  if (member && nebula_value_get_kind (member) == NEBULA_VALUE_KIND_DURATION)
    return self->now_usec + MAX (nebula_value_get_usec (member), 1);
  if (!until || nebula_value_is_null (until))
    return 0;
  if (nebula_value_get_kind (until) == NEBULA_VALUE_KIND_TIMESTAMP)
    return nebula_value_get_usec (until);
  if (nebula_value_get_kind (until) == NEBULA_VALUE_KIND_STRING)
    return nebula_timestamp_parse (nebula_value_get_string (until), &usec, &offset, error)
               ? usec
               : -1;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                       _ ("“until” must be a time such as 2030-01-31T12:00:00Z."));
  return -1;
}

static NebulaSignal *
find_signal (NebulaState *state, const char *name)
{
  for (GList *link = state->signals.head; link; link = link->next) {
    NebulaSignal *signal = link->data;

    if (g_str_equal (signal->name, name))
      return signal;
  }
  return NULL;
}

void
_nebula_kernel_begin_wait (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_WAITING, .lane = work->lane->number, .node = work->node};
  const char *name;
  NebulaSignal *signal = NULL;

  if (parameters)
    fact.due_usec = get_wait_end (self, parameters, &error);
  if (!parameters || fact.due_usec < 0) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  name = nebula_value_get_member_string (parameters, "signal", NULL);
  if (!name && fact.due_usec == 0) {
    fail_text (self, work, attempt, NEBULA_ERROR_MISSING_PARAMETER,
               _ ("A wait needs “duration”, “until” or “signal”."));
    return;
  }
  fact.text = name;
  fact.attempt = attempt;
  fact.code = nebula_value_has_member (parameters, "until") ? NEBULA_WAIT_UNTIL
                                                            : NEBULA_WAIT_DURATION;
  if (name) {
    fact.code = NEBULA_WAIT_SIGNAL;
    signal = find_signal (self->state, fact.text);
  }
  _nebula_kernel_record (self, &fact);
  if (signal)
    _nebula_kernel_end_by_signal (self, work, signal->value);
}

/* The result of a scope without `result`: that of the one last node that completed, or an object of theirs. */
static NebulaValue *
collect_last_nodes (NebulaKernel *self, NebulaLane *lane)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaValue *only = NULL;

  for (guint i = 0; i < scope->n_nodes; i++) {
    NebulaPlanNode *node = &self->plan->nodes[scope->first_node + i];

    if (node->n_out > 0 || lane->runs[i].status != NEBULA_NODE_COMPLETED)
      continue;
    only = lane->runs[i].value;
    nebula_value_builder_set (builder, node->id, only);
  }
  if (nebula_value_builder_get_length (builder) == 1)
    return nebula_value_ref (only);
  return only ? nebula_value_builder_end (builder) : nebula_value_new_null ();
}

static NebulaValue *
get_lane_result (NebulaKernel *self, NebulaLane *lane, GError **error)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];
  NebulaScopeEnvironment environment;

  if (!scope->result)
    return collect_last_nodes (self, lane);
  _nebula_kernel_init_environment (self, &environment, lane, NULL);
  return nebula_template_evaluate (scope->result, &environment.environment, error);
}

static void
end_execution (NebulaKernel *self, NebulaExecutionStatus status, NebulaValue *value)
{
  NebulaFact fact = {.kind = NEBULA_FACT_ENDED, .node = NEBULA_PLAN_NONE, .code = status};
  g_autoptr (NebulaValue) owned =
      value ? nebula_value_ref (value) : nebula_value_new_null ();

  fact.value = owned;
  _nebula_kernel_record (self, &fact);
}

typedef enum {
  LANE_COMPLETED = 0,
  LANE_FAILED = 1,
  LANE_BROKEN = 2,
} LaneEnd;

static void
close_lane (NebulaKernel *self, NebulaLane *lane, NebulaValue *value, LaneEnd end)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LANE_CLOSED, .lane = lane->number, .node = NEBULA_PLAN_NONE};
  NebulaWork *work = lane->loop ? lane->loop->work : NULL;
  guint32 index = lane->index;

  if (!work) {
    end_execution (self,
                   end == LANE_FAILED ? NEBULA_EXECUTION_STATUS_FAILED
                                      : NEBULA_EXECUTION_STATUS_COMPLETED,
                   value);
    return;
  }
  fact.value = value;
  fact.code = end;
  _nebula_kernel_record (self, &fact);
  _nebula_kernel_store_results (self, work, index);
}

static void
close_quiet_lane (NebulaKernel *self, NebulaLane *lane)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = NULL;
  LaneEnd end = LANE_COMPLETED;

  if (lane->failure) {
    value = nebula_value_ref (lane->failure);
    end = LANE_FAILED;
  } else if (lane->is_cut) {
    value = nebula_value_new_null ();
    end = lane->is_break ? LANE_BROKEN : LANE_COMPLETED;
  } else
    value = get_lane_result (self, lane, &error);
  if (!value) {
    value = nebula_failure_new_from_error (error);
    end = LANE_FAILED;
  }
  close_lane (self, lane, value, end);
}

static void
cancel_lane (NebulaKernel *self, NebulaLane *lane)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LANE_CANCELLED, .lane = lane->number, .node = NEBULA_PLAN_NONE};

  _nebula_kernel_record (self, &fact);
}

void
_nebula_kernel_decide_lane (NebulaKernel *self, NebulaLane *lane)
{
  NebulaState *state = self->state;

  if (state->is_stopping && lane->loop)
    return; /* the root's decision ends it all */
  if (state->is_stopping || lane->is_ending) {
    if (lane->active > 0)
      cancel_lane (self, lane);
  }
  if (state->is_stopping)
    end_execution (self, state->end_status,
                   state->end_status == NEBULA_EXECUTION_STATUS_COMPLETED ? state->output
                                                                          : state->error);
  else if (lane->active == 0)
    close_quiet_lane (self, lane);
}
