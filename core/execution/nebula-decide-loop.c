/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about loops: which round opens, and what the loop gives. */

#include <glib/gi18n-lib.h>

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
  if (_nebula_kernel_is_too_large (self, items))
    return;
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

/* NULL: it is put off. */
static NebulaValue *
get_loop_result (NebulaKernel *self, NebulaLoop *loop)
{
  if (!loop->results)
    return loop->last ? nebula_value_ref (loop->last) : nebula_value_new_null ();
  if (_nebula_kernel_is_too_long (self, loop->next_index) ||
      _nebula_kernel_collects_elsewhere (self, loop))
    return NULL;
  return _nebula_kernel_collect_results (self, loop);
}

static void
end_loop (NebulaKernel *self, NebulaWork *work)
{
  g_autoptr (NebulaValue) result = get_loop_result (self, work->loop);

  if (result && !_nebula_kernel_is_too_large (self, result))
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

/* As many as there may be at once, but not more than the turn may record. */
static void
open_rounds (NebulaKernel *self, NebulaWork *work)
{
  NebulaLoop *loop = work->loop;

  while (loop->next_index < loop->count && loop->n_open < loop->concurrency) {
    self->is_partial = self->writer.n_facts >= self->turn_end;
    if (self->is_partial)
      return;
    open_round (self, work);
  }
}

void
_nebula_kernel_clear_loop (NebulaKernel *self, NebulaWork *work)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_LOOP_CLEARED, .lane = work->lane->number, .node = work->node};

  if (work->loop->n_open == 0)
    _nebula_kernel_record (self, &fact);
}

/* The node goes on although rounds are open; they go on too. */
static void
let_go (NebulaKernel *self, NebulaWork *work)
{
  g_autoptr (NebulaValue) result = get_loop_result (self, work->loop);
  NebulaFact fact = {.kind = NEBULA_FACT_NODE_ENDED,
                     .lane = work->lane->number,
                     .node = work->node,
                     .code = 2,
                     .value = result};

  if (result && !_nebula_kernel_is_too_large (self, result))
    _nebula_kernel_record_end (self, work, &fact);
}

/* Whether what is done is enough; FALSE with error if it cannot be told. */
static gboolean
is_enough (NebulaKernel *self, NebulaWork *work, GError **error)
{
  NebulaScopeEnvironment environment;
  NebulaArguments arguments;
  NebulaExpression *expression;
  gboolean truth = FALSE;
  g_autoptr (NebulaValue) items = NULL;
  g_autoptr (NebulaValue) condition = NULL;

  nebula_kernel_fill_arguments (self, work, &arguments);
  expression = nebula_arguments_get_expression (&arguments, "done-when");
  if (!expression)
    return FALSE;
  items = get_loop_result (self, work->loop);
  if (!items)
    return FALSE;
  _nebula_kernel_init_environment (self, &environment, work->lane, work);
  environment.items = items;
  environment.index = work->loop->n_done;
  environment.last = work->loop->last;
  condition = nebula_expression_evaluate (expression, &environment.environment, error);
  return condition && _nebula_kernel_is_true (condition, &truth, error) && truth;
}

/* TRUE: it is enough, and the loop is ending now; or it cannot be told, and the node has failed, or it is put off. */
static gboolean
end_when_enough (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  NebulaValue *written =
      nebula_template_get_value (self->plan->nodes[work->node].with);
  NebulaFact fact = {
      .kind = NEBULA_FACT_LOOP_ENDING, .lane = work->lane->number, .node = work->node};
  g_autoptr (GError) error = NULL;

  if (!_nebula_loop_wants_judgement (self->state, work->loop))
    return FALSE;
  if (!is_enough (self, work, &error))
    fact.code = 2;
  else if (g_str_equal (nebula_value_get_member_string (written, "rest", ""), "ignore"))
    fact.code = 1;
  if (error)
    _nebula_kernel_fail_error (self, work, run->attempts, error);
  else
    _nebula_kernel_record (self, &fact);
  return self->is_put_off || error != NULL || fact.code != 2;
}

void
_nebula_kernel_decide_loop (NebulaKernel *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);
  NebulaWork *work = run->work;
  NebulaLoop *loop = work->loop;

  if (nebula_lane_is_doomed (self->state, lane) || lane->is_ending)
    return; /* the lane's own decision cancels it */
  if (!nebula_construct_is_loop (self->plan->nodes[node].construct) ||
      loop->is_cancelled) {
    _nebula_kernel_decide_bodies (self, work);
    return;
  }
  if (loop->is_trailing) {
    _nebula_kernel_clear_loop (self, work);
    return;
  }
  if (loop->lets_go && !loop->failure && loop->n_open > 0) {
    let_go (self, work);
    return;
  }
  if (loop->is_ending && !_nebula_kernel_end_rest (self, work))
    return;
  if (loop->failure) {
    g_autoptr (NebulaValue) failure = nebula_value_ref (loop->failure);

    if (!_nebula_kernel_is_too_large (self, failure))
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
  if (end_when_enough (self, work))
    return;
  open_rounds (self, work);
  if (!self->is_partial && loop->n_open == 0)
    end_loop (self, work);
}
