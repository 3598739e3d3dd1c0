/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an execution says to the gates of its settings, and what it does with their answers.
 *
 *   none ──asks──▶ asked ──granted──▶ none, if there is another gate; else inside, and it begins
 *                    └────batched───▶ batched: it ends as the execution ends that has its input in its list
 *   inside ──only waits──▶ left ──has something to do──▶ back ──granted──▶ inside
 *
 * Whoever is inside keeps the places that it was given until it ends. Only the place of `concurrency`, the last gate, is
 * given back while nothing in the execution runs and something in it waits (unless `while-waiting: keep` is set): the
 * fact gate-left, and in its unit the release. What ends the wait is recorded at once, whoever it comes from; but what
 * follows from it is decided when there is a place again: until then the agenda rests, and what tries again rests. What
 * is cancelled does not wait for a place, its `finally` and `undo` run without one.
 *
 * Exactness. Each stay is another holder for the gate: ID for the first one, ID#@n after the n-th time that it left.
 * The gate learns of a stay by its ask, and of its end by its release; both are messages of the units that record the
 * facts, so nothing is asked for or given back that was not decided, and nothing that was decided is forgotten. A
 * message may come twice, or late: an ask that comes again after its release would keep a place for nobody. The grant
 * that answers it names a stay that is over, and whoever gets such a grant gives it back at once.
 */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-kernel-private.h"

static gboolean
is_open (NebulaKernel *self)
{
  return self->state->root && !nebula_execution_status_is_terminal (self->state->status);
}

/* The text of a template of a gate; NULL with error. */
static char *
evaluate_text (NebulaKernel *self, NebulaExpression *template, GError **error)
{
  NebulaScopeEnvironment environment;
  g_autoptr (NebulaValue) value = NULL;

  _nebula_kernel_init_environment (self, &environment, self->state->root, NULL);
  value = nebula_expression_evaluate (template, &environment.environment, error);
  return value ? nebula_value_to_text (value) : NULL;
}

const NebulaPlanGate *
nebula_kernel_get_gate (NebulaKernel *self)
{
  guint n_passed = nebula_state_count_passed (self->state);

  return n_passed < self->plan->n_gates ? &self->plan->gates[n_passed] : NULL;
}

gboolean
nebula_kernel_has_gates (NebulaPlan *plan, NebulaValue *environment)
{
  guint last = plan->n_gates;

  if (last == 0 || !nebula_value_has_member (environment, "batch"))
    return last > 0;
  return plan->gates[last - 1].kind != NEBULA_GATE_BATCH;
}

/* The key of the gate in front of the execution; NULL with error. */
static char *
evaluate_gate_key (NebulaKernel *self, const NebulaPlanGate *gate, GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *base =
      g_str_equal (gate->name, "concurrency")
          ? g_strdup_printf ("%s/%s", self->tenant, self->plan->name)
          : g_strdup_printf ("%s:%s/%s", gate->name, self->tenant, self->plan->name);

  if (!gate->key)
    return g_steal_pointer (&base);
  text = evaluate_text (self, gate->key, error);
  return text ? g_strdup_printf ("%s/%s", base, text) : NULL;
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

static void
ask (NebulaKernel *self, const NebulaPlanGate *gate)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *key = evaluate_gate_key (self, gate, &error);
  g_autofree char *share =
      key && gate->share ? evaluate_text (self, gate->share, &error) : NULL;
  g_autoptr (NebulaValue) value = share ? nebula_value_new_string (share) : NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_GATE_ASKED,
                     .node = NEBULA_PLAN_NONE,
                     .text = key,
                     .value = value};

  if (!error)
    _nebula_kernel_record (self, &fact);
  else if (!_nebula_kernel_put_off (self, error))
    end_with_error (self, error);
}

/* The same place again. */
static void
ask_back (NebulaKernel *self)
{
  g_autofree char *key = g_strdup (self->state->gate_key);
  NebulaFact fact = {.kind = NEBULA_FACT_GATE_ASKED,
                     .node = NEBULA_PLAN_NONE,
                     .text = key,
                     .value = self->state->gate_share};

  _nebula_kernel_record (self, &fact);
}

gboolean
_nebula_work_tries_again (NebulaState *state, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (state, work->lane, work->node);

  return run->status == NEBULA_NODE_RETRYING ||
         (run->status == NEBULA_NODE_WAITING && work->wait == NEBULA_WAIT_AGAIN);
}

/* Whether nothing is to be decided or tried, so that others or the time have to come first. */
static gboolean
only_waits (NebulaState *state)
{
  NebulaAgendaItem item;

  if (state->n_ready > 0 || nebula_state_peek_agenda (state, &item))
    return FALSE;
  for (GList *link = state->works.head; link; link = link->next)
    if (!((NebulaWork *) link->data)->loop && _nebula_work_tries_again (state, link->data))
      return FALSE;
  return TRUE;
}

gboolean
_nebula_kernel_has_place (NebulaKernel *self)
{
  guint8 gate = self->state->gate;

  return (gate != NEBULA_AT_GATE_LEFT && gate != NEBULA_AT_GATE_BACK) ||
         self->state->is_stopping;
}

static gboolean
wants_back (NebulaKernel *self)
{
  return self->state->gate == NEBULA_AT_GATE_LEFT && !self->state->is_stopping &&
         !only_waits (self->state);
}

gboolean
_nebula_kernel_gate_is_due (NebulaKernel *self)
{
  NebulaState *state = self->state;

  if (!is_open (self) || state->is_stopping || state->begins_usec > 0)
    return FALSE;
  return wants_back (self) ||
         (state->gate == NEBULA_AT_GATE_NONE && nebula_kernel_get_gate (self) != NULL);
}

void
_nebula_kernel_decide_gate (NebulaKernel *self)
{
  if (!_nebula_kernel_gate_is_due (self))
    return;
  if (self->state->gate == NEBULA_AT_GATE_LEFT)
    ask_back (self);
  else
    ask (self, nebula_kernel_get_gate (self));
}

void
_nebula_kernel_leave_gate (NebulaKernel *self)
{
  NebulaState *state = self->state;
  NebulaFact fact = {.kind = NEBULA_FACT_GATE_LEFT, .node = NEBULA_PLAN_NONE};
  guint n_gates = self->plan->n_gates;

  if (state->gate != NEBULA_AT_GATE_INSIDE || n_gates == 0 || !is_open (self) ||
      !self->plan->gates[n_gates - 1].is_left_while_waiting || state->is_paused ||
      state->is_stopping || state->works.length == 0 || !only_waits (state))
    return;
  _nebula_kernel_record (self, &fact);
}

void
_nebula_kernel_begin_late (NebulaKernel *self)
{
  NebulaState *state = self->state;
  NebulaFact fact = {.kind = NEBULA_FACT_BEGUN, .node = NEBULA_PLAN_NONE};

  if (state->begins_usec == 0 || state->begins_usec > self->now_usec || state->is_stopping)
    return;
  fact.code = nebula_kernel_has_gates (self->plan, state->started);
  _nebula_kernel_record (self, &fact);
}

/* Messages. */

static char *
make_holder (NebulaKernel *self, guint round)
{
  return round == 0 ? g_strdup (self->execution)
                    : g_strdup_printf ("%s#@%u", self->execution, round);
}

/* What the gate collects: all that the execution is made of that begins with it. */
static NebulaValue *
make_batch_entry (NebulaKernel *self)
{
  static const char *const kept[] = {"input", "env", "user", "links"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "workflow", self->plan->hash);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++) {
    NebulaValue *value = nebula_value_get_member (self->state->started, kept[i]);

    if (value)
      nebula_value_builder_set (builder, kept[i], value);
  }
  return nebula_value_builder_end (builder);
}

static void
add_rule (NebulaKernel *self, const NebulaPlanGate *gate, NebulaValueBuilder *payload)
{
  NebulaState *state = self->state;

  nebula_value_builder_set_integer (payload, "gate", gate->kind);
  nebula_value_builder_set_integer (payload, "strategy", gate->strategy);
  nebula_value_builder_set_integer (payload, "limit", gate->limit);
  nebula_value_builder_set_integer (payload, "period", gate->period_usec);
  nebula_value_builder_set_integer (
      payload, "priority",
      nebula_value_get_member_integer (state->started, "priority", self->plan->priority));
  if (state->gate_share)
    nebula_value_builder_set (payload, "share", state->gate_share);
  if (state->gate == NEBULA_AT_GATE_BACK)
    nebula_value_builder_set_boolean (payload, "back", TRUE);
  if (gate->kind == NEBULA_GATE_BATCH)
    nebula_value_builder_set_take (payload, "value", make_batch_entry (self));
}

/* @gate: whose rule is told; NULL: nobody's. @index: among the gates that it asked; with @round it tells messages apart. */
static void
post_to_gate (NebulaKernel *self,
              const char *kind,
              const NebulaPlanGate *gate,
              const char *key,
              guint index,
              guint round)
{
  g_autoptr (NebulaValueBuilder) payload = nebula_value_builder_new_object ();
  g_autofree char *holder = make_holder (self, round);

  nebula_value_builder_set_string (payload, "kind", kind);
  nebula_value_builder_set_string (payload, "holder", holder);
  nebula_value_builder_set_string (payload, "key", key);
  if (gate)
    add_rule (self, gate, payload);
  _nebula_kernel_post (self, TRUE,
                       g_strdup_printf ("%s:%s:gate%u.%u", self->execution, kind, index, round),
                       key, nebula_value_builder_end (payload));
}

/* The gate that it asks now, or has left. */
static const NebulaPlanGate *
get_asked (NebulaKernel *self)
{
  return self->state->gate == NEBULA_AT_GATE_ASKED
             ? nebula_kernel_get_gate (self)
             : &self->plan->gates[self->plan->n_gates - 1];
}

static void
post_ask (NebulaKernel *self)
{
  NebulaState *state = self->state;
  const NebulaPlanGate *gate = get_asked (self);

  post_to_gate (self, "ask", gate, state->gate_key, (guint) (gate - self->plan->gates),
                state->gate_round);
}

/* All that it holds and waits for. */
static void
post_end (NebulaKernel *self)
{
  NebulaState *state = self->state;
  guint n_held = state->gates ? (guint) nebula_value_get_length (state->gates) : 0;
  guint first = nebula_state_count_passed (state) - n_held;
  gboolean has_last = state->gate == NEBULA_AT_GATE_INSIDE || state->gate == NEBULA_AT_GATE_BACK;

  for (guint i = 0; i < n_held; i++) {
    const char *key = nebula_value_get_string (nebula_value_get_item (state->gates, i));
    gboolean is_last = first + i + 1 == self->plan->n_gates;

    if (!is_last || has_last)
      post_to_gate (self, "release", NULL, key, first + i, is_last ? state->gate_round : 0);
  }
  if (state->gate == NEBULA_AT_GATE_ASKED)
    post_to_gate (self, "release", NULL, state->gate_key, first + n_held, 0);
}

void
_nebula_kernel_post_gates (NebulaKernel *self, const NebulaFact *fact)
{
  NebulaState *state = self->state;

  if (fact->kind == NEBULA_FACT_GATE_ASKED)
    post_ask (self);
  else if (fact->kind == NEBULA_FACT_GATE_LEFT)
    post_to_gate (self, "release", NULL, state->gate_key, self->plan->n_gates - 1,
                  state->gate_round - 1);
  else if (fact->kind == NEBULA_FACT_ENDED)
    post_end (self);
}

void
_nebula_kernel_post_void (NebulaKernel *self, const char *key, const char *holder)
{
  g_autoptr (NebulaValueBuilder) payload = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (payload, "kind", "release");
  nebula_value_builder_set_string (payload, "holder", holder);
  nebula_value_builder_set_string (payload, "key", key);
  _nebula_kernel_post (self, TRUE, g_strdup_printf ("%s:void:%s", holder, key), key,
                       nebula_value_builder_end (payload));
}

/* Whether a place is one that it has, waits for, or has given back with what it recorded last. */
static gboolean
is_own (NebulaKernel *self, const char *key, guint round)
{
  NebulaState *state = self->state;

  if (!is_open (self))
    return FALSE;
  if (g_strcmp0 (key, state->gate_key) == 0)
    return round == state->gate_round && state->gate != NEBULA_AT_GATE_LEFT;
  return round == 0 && _nebula_array_has_text (state->gates, key);
}

gboolean
nebula_kernel_grant (NebulaKernel *self, const char *key, guint round, gint64 now_usec)
{
  NebulaState *state = self->state;
  NebulaFact fact = {.kind = NEBULA_FACT_GATE_GRANTED, .node = NEBULA_PLAN_NONE};
  g_autofree char *holder = NULL;

  if (!is_own (self, key, round)) {
    holder = make_holder (self, round);
    _nebula_kernel_post_void (self, key, holder);
    return FALSE;
  }
  if (state->is_stopping || g_strcmp0 (key, state->gate_key) != 0 ||
      (state->gate != NEBULA_AT_GATE_ASKED && state->gate != NEBULA_AT_GATE_BACK))
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
  return TRUE;
}

gboolean
nebula_kernel_tell_batch (NebulaKernel *self, const char *execution, gint64 now_usec)
{
  const NebulaPlanGate *gate = nebula_kernel_get_gate (self);
  NebulaFact fact = {
      .kind = NEBULA_FACT_BATCHED, .node = NEBULA_PLAN_NONE, .text = execution};

  if (!is_open (self) || self->state->is_stopping || !gate ||
      gate->kind != NEBULA_GATE_BATCH || self->state->gate != NEBULA_AT_GATE_ASKED)
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
  return TRUE;
}

gboolean
_nebula_kernel_end_batched (NebulaKernel *self, NebulaValue *end, gint64 now_usec)
{
  NebulaState *state = self->state;
  NebulaExecutionStatus status = NEBULA_EXECUTION_STATUS_FAILED;
  g_autoptr (NebulaValue) failure = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_ENDED, .node = NEBULA_PLAN_NONE};

  if (!is_open (self) || !state->batch ||
      !g_str_equal (state->batch, nebula_value_get_member_string (end, "execution", "")))
    return FALSE;
  nebula_execution_status_from_string (nebula_value_get_member_string (end, "status", ""),
                                       &status);
  fact.value = nebula_value_get_member (end, "output");
  if (!fact.value) {
    fact.value = failure = _nebula_failure_of_other (end);
    status = status == NEBULA_EXECUTION_STATUS_COMPLETED ? NEBULA_EXECUTION_STATUS_FAILED : status;
  }
  fact.code = status;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
  return TRUE;
}

gboolean
nebula_kernel_refuse_gate (NebulaKernel *self, gint64 now_usec)
{
  const NebulaPlanGate *gate = nebula_kernel_get_gate (self);
  gboolean is_cancel;
  g_autofree char *message = NULL;
  g_autoptr (NebulaValue) failure = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_CANCEL_ASKED, .node = NEBULA_PLAN_NONE};

  if (self->state->gate != NEBULA_AT_GATE_ASKED || !gate || !is_open (self))
    return FALSE;
  is_cancel = gate->kind == NEBULA_GATE_DEBOUNCE ||
              gate->strategy == NEBULA_GATE_CANCEL_NEWEST;
  message = g_strdup_printf (_ ("“%s” of the workflow does not let it in: others are there, "
                                "or came later."),
                             gate->name);
  failure = nebula_failure_new (is_cancel ? "cancelled" : "throttled", message,
                                is_cancel ? NEBULA_RETRY_CLASS_CANCELLED
                                          : NEBULA_RETRY_CLASS_THROTTLE,
                                NULL);
  fact.code = is_cancel ? NEBULA_EXECUTION_STATUS_CANCELLED : NEBULA_EXECUTION_STATUS_FAILED;
  fact.value = failure;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
  return TRUE;
}
