/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about nodes: what a node that fired does, and what a bad end means. */

#include <glib/gi18n-lib.h>

#include "nebula-checksum-internal.h"
#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-kernel-private.h"
#include "nebula-msgpack.h"

static NebulaPlanNode *
get_node (NebulaKernel *self, NebulaWork *work)
{
  return &self->plan->nodes[work->node];
}

/* What is stored and nobody has read yet is nobody's business. */
static NebulaValue *
get_input (NebulaWork *work)
{
  NebulaValue *input = nebula_kernel_get_input (work);

  return nebula_value_has_stored (input) ? NULL : input;
}

static void
fill_arguments (NebulaKernel *self,
                NebulaWork *work,
                NebulaScopeEnvironment *environment,
                NebulaValue *parameters,
                NebulaArguments *ret_arguments)
{
  NebulaPlanNode *node = get_node (self, work);

  *ret_arguments = (NebulaArguments){
      .parameters = parameters,
      .input = get_input (work),
      .environment = environment ? &environment->environment : NULL,
      .table = nebula_action_info_get_parameters (node->info),
      .expressions = node->late,
  };
}

NebulaValue *
_nebula_kernel_resolve (NebulaKernel *self,
                        NebulaWork *work,
                        NebulaScopeEnvironment *environment,
                        GError **error)
{
  NebulaPlanNode *node = get_node (self, work);
  g_autoptr (NebulaValue) parameters = NULL;

  _nebula_kernel_init_environment (self, environment, work->lane, work);
  if (work->lane->undo > 0)
    return _nebula_kernel_load_take (self, nebula_value_ref (work->parameters), error);
  parameters = nebula_template_evaluate (node->with, &environment->environment, error);
  if (!parameters)
    return NULL;
  if (self->is_put_off || _nebula_kernel_is_too_large (self, parameters)) {
    g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "The parameters are large.");
    return NULL;
  }
  /* What has no template was checked when the workflow was compiled. */
  if (!nebula_template_is_constant (node->with) &&
      !nebula_parameter_table_validate (nebula_action_info_get_parameters (node->info),
                                        parameters, NULL, error))
    return NULL;
  return g_steal_pointer (&parameters);
}

void
_nebula_kernel_end_node (NebulaKernel *self,
                         NebulaWork *work,
                         guint attempt,
                         const char *port,
                         NebulaValue *value)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_ENDED, .lane = work->lane->number, .node = work->node};

  fact.attempt = attempt;
  fact.text = port && !g_str_equal (port, "out") ? port : NULL;
  fact.value = value;
  _nebula_kernel_record_end (self, work, &fact);
}

static NebulaValue *
add_place (NebulaKernel *self, NebulaWork *work, NebulaValue *failure)
{
  g_autofree char *path = NULL;
  g_autoptr (NebulaValue) node = NULL;

  if (nebula_value_has_member (failure, "node"))
    return nebula_value_ref (failure);
  path = nebula_state_dup_path (self->state, work->lane, work->node);
  node = nebula_value_new_string (path);
  return nebula_value_with_member (failure, "node", node);
}

static gboolean
may_retry (NebulaPlanNode *node, guint attempt, NebulaValue *failure)
{
  const char *retry = nebula_value_get_member_string (failure, "retry", "terminal");

  return attempt < node->retry.attempts && !g_str_equal (retry, "terminal") &&
         !g_str_equal (retry, "cancelled") &&
         nebula_retry_takes (&node->retry,
                             nebula_value_get_member_string (failure, "code", ""));
}

static gint64
get_retry_delay (NebulaKernel *self,
                 NebulaWork *work,
                 guint attempt,
                 NebulaValue *failure)
{
  NebulaPlanNode *node = get_node (self, work);
  gint64 delay = nebula_retry_get_delay_usec (&node->retry, attempt + 1);
  NebulaValue *details = nebula_value_get_member (failure, "details");
  gint64 after_ms = 0;

  if (node->retry.jitter && delay > 0) {
    gint64 fixed = node->retry.jitter == NEBULA_JITTER_EQUAL ? delay / 2 : 0;

    delay = fixed + (gint64) (_nebula_kernel_random (self, work->lane, work->node,
                                                     work->firing, attempt | 1u << 31) %
                              ((guint64) (delay - fixed) + 1));
  }
  if (details && nebula_value_get_kind (details) == NEBULA_VALUE_KIND_OBJECT)
    after_ms = nebula_value_get_member_integer (details, "retry_after_ms", 0);
  return MAX (delay, CLAMP (after_ms, 0, 86400000) * 1000);
}

/* Whether the next attempt would begin when no more time is left for trying. */
static gboolean
is_over_budget (NebulaKernel *self, NebulaWork *work, gint64 delay_usec)
{
  gint64 budget_usec = get_node (self, work)->retry.budget_usec;
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);

  return budget_usec > 0 && self->now_usec + delay_usec - run->ready_usec >= budget_usec;
}

void
_nebula_kernel_fail_for_good (NebulaKernel *self,
                              NebulaWork *work,
                              guint attempt,
                              NebulaValue *failure)
{
  NebulaValue *fallback = get_node (self, work)->fallback;
  g_autoptr (NebulaValue) placed = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_FAILED, .lane = work->lane->number, .node = work->node};

  if (fallback &&
      !g_str_equal (nebula_value_get_member_string (failure, "retry", ""), "cancelled")) {
    _nebula_kernel_end_node (self, work, attempt, NULL, fallback);
    return;
  }
  placed = add_place (self, work, failure);
  fact.attempt = attempt;
  fact.value = placed;
  _nebula_kernel_record (self, &fact);
}

void
_nebula_kernel_fail (NebulaKernel *self,
                     NebulaWork *work,
                     guint attempt,
                     NebulaValue *failure)
{
  NebulaPlanNode *node = get_node (self, work);
  g_autoptr (NebulaValue) placed = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_ATTEMPT_FAILED, .lane = work->lane->number, .node = work->node};
  gint64 delay_usec = 0;

  if (may_retry (node, attempt, failure))
    delay_usec = MAX (get_retry_delay (self, work, attempt, failure), 1);
  if (delay_usec == 0 || is_over_budget (self, work, delay_usec)) {
    _nebula_kernel_fail_for_good (self, work, attempt, failure);
    return;
  }
  placed = add_place (self, work, failure);
  fact.attempt = attempt;
  fact.value = placed;
  fact.due_usec = self->now_usec + delay_usec;
  _nebula_kernel_record (self, &fact);
}

void
_nebula_kernel_fail_error (NebulaKernel *self,
                           NebulaWork *work,
                           guint attempt,
                           const GError *error)
{
  g_autoptr (NebulaValue) failure = NULL;

  if (_nebula_kernel_put_off (self, error))
    return;
  failure = nebula_failure_new_from_error (error);
  _nebula_kernel_fail (self, work, attempt, failure);
}

/* Parameters are resolved once per node-run; the digest proves that a repeat resolves to the same. It finds accidents:
 * nobody gains from two parameters with the same one. */
static gint64
compute_digest (NebulaValue *parameters)
{
  g_autoptr (GByteArray) bytes = g_byte_array_sized_new (256);

  nebula_value_append_msgpack (parameters, bytes);
  return (gint64) _nebula_checksum (0, bytes->data, bytes->len);
}

/* Of large parameters it was computed where they were resolved. */
static gint64
get_digest (NebulaWork *work)
{
  return work->has_own_digest ? work->own_digest : compute_digest (work->parameters);
}

static void
push_start (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaCommand command = {
      .sequence = self->state->sequence,
      .lane = work->lane->number,
      .node = work->node,
      .firing = work->firing,
      .attempt = attempt,
      .runs_ahead = work->effect == NEBULA_EFFECT_PURE,
  };

  g_array_append_val (self->commands, command);
}

/* Only the loop may ask for it: what that evaluates is not put off, since nobody else could do it. */
static gint
get_effect (NebulaKernel *self,
            NebulaWork *work,
            NebulaScopeEnvironment *environment,
            GError **error)
{
  NebulaPlanNode *node = get_node (self, work);
  NebulaArguments arguments;
  guint64 inline_fuel = self->inline_fuel;
  gint effect;

  if (node->effect_given)
    return node->effect;
  fill_arguments (self, work, environment, work->parameters, &arguments);
  self->inline_fuel = 0;
  effect = self->host.get_effect (node, &arguments, self->host.data, error);
  self->inline_fuel = inline_fuel;
  return effect;
}

/* Resolves the parameters, if that was not done before the decision was put off. */
static gboolean
resolve_once (NebulaKernel *self,
              NebulaWork *work,
              NebulaScopeEnvironment *environment,
              GError **error)
{
  NebulaValue *parameters;

  if (work->parameters && !nebula_value_has_stored (work->parameters)) {
    _nebula_kernel_init_environment (self, environment, work->lane, work);
    return TRUE;
  }
  parameters = _nebula_kernel_resolve (self, work, environment, error);
  if (!parameters)
    return FALSE;
  g_clear_pointer (&work->parameters, nebula_value_unref);
  work->parameters = parameters;
  work->has_own_digest = self->inline_fuel == 0;
  if (work->has_own_digest)
    work->own_digest = compute_digest (work->parameters);
  return TRUE;
}

void
_nebula_kernel_ready (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaPlanNode *node = get_node (self, work);
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_READY, .lane = work->lane->number, .node = work->node};
  gint effect = work->effect;

  if (!work->parameters || !work->has_effect) {
    effect = -1;
    if (resolve_once (self, work, &environment, &error))
      effect = get_effect (self, work, &environment, &error);
    work->has_effect = effect >= 0;
  }
  if (!work->parameters || effect < 0) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  fact.attempt = attempt;
  fact.code = (guint32) effect;
  fact.number = effect == NEBULA_EFFECT_PURE ? 0 : get_digest (work);
  fact.due_usec = work->deadline_usec;
  if (attempt == 1 && node->total_timeout_usec > 0)
    fact.due_usec = self->now_usec + node->total_timeout_usec;
  _nebula_kernel_record (self, &fact);
  if (effect == NEBULA_EFFECT_EFFECTFUL) {
    fact = (NebulaFact){.kind = NEBULA_FACT_ATTEMPT_STARTED, .lane = work->lane->number};
    fact.node = work->node;
    fact.attempt = attempt;
    _nebula_kernel_record (self, &fact);
  }
  push_start (self, work, attempt);
}

static NebulaWork *
get_work (NebulaKernel *self, const NebulaCommand *attempt)
{
  NebulaLane *lane = nebula_state_get_lane (self->state, attempt->lane);

  return nebula_lane_get_run (self->state, lane, attempt->node)->work;
}

/* All that an attempt needs, and what its late expressions name. */
static gboolean
prepare_once (NebulaKernel *self, NebulaWork *work, GError **error)
{
  NebulaScopeEnvironment environment;
  gboolean is_new = !work->parameters;

  if (!_nebula_kernel_load_input (self, work, error) ||
      !resolve_once (self, work, &environment, error))
    return FALSE;
  if (!is_new || work->effect == NEBULA_EFFECT_PURE || get_digest (work) == work->digest)
    return _nebula_kernel_freeze (self, work, error);
  g_clear_pointer (&work->parameters, nebula_value_unref);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
               _ ("The parameters of “%s” are not the ones of its first attempt."),
               get_node (self, work)->id);
  return FALSE;
}

gboolean
nebula_kernel_resolve (NebulaKernel *self, const NebulaCommand *attempt, GError **error)
{
  NebulaWork *work = get_work (self, attempt);
  g_autoptr (GError) local_error = NULL;

  self->is_put_off = FALSE;
  if (!prepare_once (self, work, &local_error))
    _nebula_kernel_put_off (self, local_error);
  if (_nebula_kernel_end_decision (self)) {
    g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "Not in this thread.");
    return FALSE;
  }
  if (!local_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

NebulaWork *
nebula_kernel_prepare (NebulaKernel *self, const NebulaCommand *attempt, GError **error)
{
  if (!nebula_kernel_resolve (self, attempt, error))
    return NULL;
  get_work (self, attempt)->is_launched = 1;
  return get_work (self, attempt);
}

/* The lane as part of a node-run's identity: a loop that fires again, or is tried again, is another scope instance. */
static void
append_number (GString *text, guint number)
{
  char digits[12];
  char *start = digits + sizeof digits;

  *--start = '\0';
  for (; number >= 10; number /= 10)
    *--start = (char) ('0' + number % 10);
  *--start = (char) ('0' + number);
  g_string_append_c (text, ' ');
  g_string_append (text, start);
}

static void
append_lane (NebulaKernel *self, NebulaLane *lane, GString *text)
{
  NebulaWork *loop;
  NebulaRun *run;

  if (lane->undo > 0)
    g_string_append_printf (text, "\nundo %u", lane->undo);
  for (; lane->loop; lane = lane->parent) {
    loop = lane->loop->work;
    run = nebula_lane_get_run (self->state, lane->parent, loop->node);
    g_string_append_c (text, '\n');
    g_string_append (text, get_node (self, loop)->id);
    append_number (text, run->firing);
    append_number (text, run->attempts);
    append_number (text, lane->index);
  }
}

char *
nebula_kernel_dup_identity (NebulaKernel *self, NebulaWork *work)
{
  GString *text = g_string_sized_new (128);

  g_string_append (text, self->tenant ? self->tenant : "");
  g_string_append_c (text, '\n');
  g_string_append (text, self->execution);
  g_string_append_c (text, '\n');
  g_string_append (text, get_node (self, work)->id);
  append_number (text, work->firing);
  /* The generation: an operator's re-run of a completed node-run raises it. */
  append_number (text, 0);
  append_lane (self, work->lane, text);
  return g_string_free (text, FALSE);
}

static void
evaluate_node (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaPlanNode *node = get_node (self, work);
  NebulaScopeEnvironment environment;
  NebulaArguments arguments;
  const char *port = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);

  if (parameters && _nebula_kernel_is_too_large (self, work->input))
    return;
  if (parameters && _nebula_kernel_load_input (self, work, &error)) {
    fill_arguments (self, work, &environment, parameters, &arguments);
    value = node->evaluate (&arguments, &port, &error);
  }
  if (value && !_nebula_kernel_is_too_large (self, value))
    _nebula_kernel_end_node (self, work, attempt, port, value);
  else if (!value)
    _nebula_kernel_fail_error (self, work, attempt, error);
}

static void
decide_stop (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  NebulaValue *output =
      parameters ? nebula_value_get_member (parameters, "output") : NULL;

  if (!parameters)
    _nebula_kernel_fail_error (self, work, attempt, error);
  else if (output || !_nebula_kernel_is_too_large (self, work->input))
    _nebula_kernel_end_node (self, work, attempt, NULL, output ? output : work->input);
}

static void
decide_fail (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  g_autoptr (NebulaValue) failure = NULL;

  if (!parameters) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  failure = nebula_failure_new (
      nebula_value_get_member_string (parameters, "code", "failed"),
      nebula_value_get_member_string (parameters, "message", _ ("The workflow failed.")),
      NEBULA_RETRY_CLASS_RETRY, nebula_value_get_member (parameters, "details"));
  _nebula_kernel_fail (self, work, attempt, failure);
}

static void
pass_input (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  if (!_nebula_kernel_is_too_large (self, work->input))
    _nebula_kernel_end_node (self, work, attempt, NULL, work->input);
}

void
_nebula_kernel_begin (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaPlanNode *node = get_node (self, work);

  switch ((NebulaConstruct) node->construct) {
  case NEBULA_CONSTRUCT_FOR_EACH:
  case NEBULA_CONSTRUCT_REPEAT:
  case NEBULA_CONSTRUCT_WHILE:
    _nebula_kernel_open_loop (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_TRY:
  case NEBULA_CONSTRUCT_RACE:
    _nebula_kernel_open_bodies (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_CANCEL:
    _nebula_kernel_decide_cancel (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_ADD:
    _nebula_kernel_decide_add (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_WAIT:
    _nebula_kernel_begin_wait (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_STOP:
    decide_stop (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_FAIL:
    decide_fail (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_BREAK:
  case NEBULA_CONSTRUCT_CONTINUE:
    pass_input (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_CALL:
    _nebula_kernel_decide_call (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_TOKEN:
    _nebula_kernel_decide_token (self, work, attempt);
    break;
  case NEBULA_CONSTRUCT_NONE:
  default:
    if (node->evaluate)
      evaluate_node (self, work, attempt);
    else
      _nebula_kernel_ready (self, work, attempt);
    break;
  }
}

/* An error that no port and no rule of the node handles: it might come round again for ever. */
static void
fail_lane (NebulaKernel *self, NebulaWork *work, const GError *error)
{
  g_autoptr (NebulaValue) failure = nebula_failure_new_from_error (error);
  g_autoptr (NebulaValue) placed = add_place (self, work, failure);
  NebulaFact fact = {.kind = NEBULA_FACT_NODE_FAILED,
                     .lane = work->lane->number,
                     .node = work->node,
                     .value = placed,
                     .code = 1};

  _nebula_kernel_record (self, &fact);
}

/* The loop edge over which more rounds came than it allows; FALSE: none. */
static gboolean
find_endless_loop (NebulaKernel *self, NebulaLane *lane, guint32 node, guint32 *ret_max)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  guint32 first_edge = self->plan->scopes[lane->scope].first_edge;

  for (guint i = 0; i < plan_node->n_loop_in; i++) {
    guint32 edge = self->plan->in_edges[plan_node->first_in + plan_node->n_in + i];

    *ret_max = self->plan->edges[edge].max;
    if (lane->edges[edge - first_edge].n_seen > *ret_max)
      return TRUE;
  }
  return FALSE;
}

void
_nebula_kernel_decide_node (NebulaKernel *self, NebulaLane *lane, guint32 node)
{
  NebulaWork *work = nebula_lane_get_run (self->state, lane, node)->work;
  g_autoptr (GError) error = NULL;
  guint32 max;

  if (find_endless_loop (self, lane, node, &max)) {
    g_set_error (&error, NEBULA_ERROR, NEBULA_ERROR_LOOP_LIMIT,
                 _ ("The loop turned %u times. Raise “max” of its connection if it needs more."),
                 max);
    fail_lane (self, work, error);
    return;
  }
  if (_nebula_kernel_stops_before (self, work) || _nebula_kernel_is_given (self, work))
    return;
  if (self->plan->nodes[node].disabled)
    pass_input (self, work, 0);
  else if (_nebula_kernel_takes_lock (self, work))
    _nebula_kernel_begin (self, work, 1);
}

/* A condition is a boolean; null counts as false. */
gboolean
_nebula_kernel_is_true (NebulaValue *value, gboolean *ret_truth, GError **error)
{
  if (nebula_value_is_null (value))
    *ret_truth = FALSE;
  else if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_BOOLEAN)
    *ret_truth = nebula_value_get_boolean (value);
  else {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                 _ ("A condition must be true or false, not %s."),
                 nebula_value_kind_to_string (nebula_value_get_kind (value)));
    return FALSE;
  }
  return TRUE;
}

/* A connection's condition or a join's need that cannot be evaluated belongs to no node: the execution fails. */
static void
fail_execution (NebulaKernel *self, const GError *error)
{
  g_autoptr (NebulaValue) failure = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_CANCEL_ASKED, .node = NEBULA_PLAN_NONE};

  if (_nebula_kernel_put_off (self, error))
    return;
  failure = nebula_failure_new_from_error (error);
  fact.value = failure;
  fact.code = NEBULA_EXECUTION_STATUS_FAILED;
  _nebula_kernel_record (self, &fact);
}

void
_nebula_kernel_decide_guard (NebulaKernel *self, NebulaLane *lane, guint32 edge)
{
  NebulaPlanEdge *plan_edge = &self->plan->edges[edge];
  NebulaRun *from = nebula_lane_get_run (self->state, lane, plan_edge->from);
  NebulaScopeEnvironment environment;
  NebulaWork source = {.lane = lane,
                       .node = plan_edge->from,
                       .firing = from->firing,
                       .input = from->value};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = NULL;
  gboolean holds = FALSE;
  NebulaFact fact = {
      .kind = NEBULA_FACT_GUARD, .lane = lane->number, .node = plan_edge->to};

  _nebula_kernel_init_environment (self, &environment, lane, &source);
  value = nebula_expression_evaluate (plan_edge->when, &environment.environment, &error);
  if (!value || !_nebula_kernel_is_true (value, &holds, &error)) {
    fail_execution (self, error);
    return;
  }
  fact.number = plan_edge->in_index;
  fact.code = holds ? 1 : 0;
  _nebula_kernel_record (self, &fact);
}

void
_nebula_kernel_decide_need (NebulaKernel *self, NebulaLane *lane, guint32 node)
{
  NebulaPlanNode *plan_node = &self->plan->nodes[node];
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_NEED, .lane = lane->number, .node = node};

  _nebula_kernel_init_environment (self, &environment, lane, NULL);
  value = nebula_expression_evaluate (plan_node->need_expression,
                                      &environment.environment, &error);
  if (value && nebula_value_get_kind (value) != NEBULA_VALUE_KIND_INTEGER)
    g_set_error (&error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                 _ ("The need of the join of “%s” must be an integer."), plan_node->id);
  if (error) {
    fail_execution (self, error);
    return;
  }
  fact.number = CLAMP (nebula_value_get_integer (value), 1, (gint64) plan_node->n_in);
  _nebula_kernel_record (self, &fact);
}

void
nebula_kernel_fill_arguments (NebulaKernel *self,
                              NebulaWork *work,
                              NebulaArguments *ret_arguments)
{
  fill_arguments (self, work, NULL, work->parameters, ret_arguments);
}
