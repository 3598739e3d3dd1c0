/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fold: what each kind of fact does to the state. */

#include "nebula-results-private.h"
#include "nebula-state-private.h"

typedef void (*NebulaApply) (NebulaState *self,
                             const NebulaFact *fact,
                             NebulaLane *lane,
                             NebulaRun *run);

void
_nebula_apply_set_value (NebulaValue **place, NebulaValue *value)
{
  g_autoptr (NebulaValue) old = *place;

  *place = value ? nebula_value_ref (value) : NULL;
}

static void
apply_node_ready (NebulaState *self,
                  const NebulaFact *fact,
                  NebulaLane *lane,
                  NebulaRun *run)
{
  _nebula_work_set_status (self, run->work, NEBULA_NODE_READY);
  run->attempts = (guint16) fact->attempt;
  run->work->effect = (guint8) fact->code;
  run->work->digest = fact->number;
  run->work->due_usec = 0;
  run->work->deadline_usec = fact->due_usec;
  run->work->is_begun = 0;
  run->work->is_launched = 0;
}

static void
apply_attempt_started (NebulaState *self,
                       const NebulaFact *fact,
                       NebulaLane *lane,
                       NebulaRun *run)
{
  _nebula_work_set_status (self, run->work, NEBULA_NODE_RUNNING);
  run->attempts = (guint16) fact->attempt;
  run->work->is_begun = 1;
}

static void
apply_attempt_failed (NebulaState *self,
                      const NebulaFact *fact,
                      NebulaLane *lane,
                      NebulaRun *run)
{
  if (run->work->loop) {
    self->n_cancelled++;
    run->status = NEBULA_NODE_FIRED;
    _nebula_loop_free (self, g_steal_pointer (&run->work->loop));
  }
  _nebula_work_stop_waiting (self, run->work);
  _nebula_work_set_status (self, run->work, NEBULA_NODE_RETRYING);
  run->attempts = (guint16) fact->attempt;
  run->work->due_usec = fact->due_usec;
  run->work->is_begun = 0;
  _nebula_apply_set_value (&run->value, fact->value);
}

static gboolean
is_for_other (guint32 wait)
{
  return wait == NEBULA_WAIT_CHILD || wait == NEBULA_WAIT_EXECUTION;
}

static void
apply_node_waiting (NebulaState *self,
                    const NebulaFact *fact,
                    NebulaLane *lane,
                    NebulaRun *run)
{
  NebulaWork *work = run->work;

  _nebula_work_set_status (self, work, NEBULA_NODE_WAITING);
  _nebula_work_stop_waiting (self, work);
  g_clear_pointer (&work->signal, g_free);
  if (is_for_other (fact->code))
    work->other = g_strdup (fact->text);
  else
    work->signal = g_strdup (fact->text);
  if (fact->value)
    work->request = nebula_value_ref (fact->value);
  work->due_usec = fact->due_usec;
  if (fact->code == NEBULA_WAIT_CHILD)
    work->deadline_usec = nebula_value_get_member_integer (fact->value, "deadline", 0);
  if (fact->attempt)
    run->attempts = (guint16) fact->attempt;
  work->wait = (guint8) fact->code;
  work->is_begun = 0;
}

static void
cut_round (NebulaState *self, NebulaLane *round, gboolean is_break)
{
  if (!round || round->is_halted)
    return;
  round->is_ending = 1;
  round->is_cut = 1;
  round->is_break = is_break;
  if (is_break)
    round->loop->is_ending = TRUE;
  _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, round, 0);
}

/* What ending means beyond its tokens: stop ends the execution, break and continue end the round. */
static void
apply_end_construct (NebulaState *self,
                     NebulaLane *lane,
                     guint32 node,
                     NebulaValue *value)
{
  switch ((NebulaConstruct) self->plan->nodes[node].construct) {
  case NEBULA_CONSTRUCT_STOP:
    self->is_stopping = 1;
    self->end_status = NEBULA_EXECUTION_STATUS_COMPLETED;
    _nebula_apply_set_value (&self->output, value);
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, self->root, 0);
    break;
  case NEBULA_CONSTRUCT_BREAK:
  case NEBULA_CONSTRUCT_CONTINUE:
    cut_round (self, nebula_lane_get_round (self, lane),
               self->plan->nodes[node].construct == NEBULA_CONSTRUCT_BREAK);
    break;
  case NEBULA_CONSTRUCT_TOKEN:
    _nebula_array_add_text (&self->tokens,
                            nebula_value_get_member_string (value, "token", ""));
    break;
  case NEBULA_CONSTRUCT_NONE:
  case NEBULA_CONSTRUCT_FOR_EACH:
  case NEBULA_CONSTRUCT_REPEAT:
  case NEBULA_CONSTRUCT_WHILE:
  case NEBULA_CONSTRUCT_WAIT:
  case NEBULA_CONSTRUCT_FAIL:
  case NEBULA_CONSTRUCT_TRY:
  case NEBULA_CONSTRUCT_RACE:
  case NEBULA_CONSTRUCT_CALL:
  case NEBULA_CONSTRUCT_CANCEL:
  case NEBULA_CONSTRUCT_ADD:
  default:
    break;
  }
}

static void
take_signal (NebulaState *self, const char *name)
{
  for (GList *link = self->signals.head; link; link = link->next) {
    NebulaSignal *signal = link->data;

    if (!g_str_equal (signal->name, name))
      continue;
    g_queue_delete_link (&self->signals, link);
    _nebula_signal_free (signal);
    return;
  }
}

static void
end_run (NebulaState *self,
         const NebulaFact *fact,
         NebulaLane *lane,
         NebulaRun *run,
         NebulaNodeStatus status)
{
  if (run->work->loop && run->work->loop->n_open > 0)
    self->n_cancelled++;
  _nebula_work_set_status (self, run->work, status);
  run->ended_usec = fact->time_usec;
  if (fact->attempt)
    run->attempts = (guint16) fact->attempt;
  _nebula_apply_set_value (&run->value, fact->value);
  self->recoveries = 0;
}

/* The port's name as the plan has it; a port that nothing is connected to is only told. */
static const char *
find_port (NebulaState *self, const NebulaFact *fact)
{
  NebulaPlanNode *node = &self->plan->nodes[fact->node];

  if (!fact->text)
    return NULL;
  for (guint i = 0; i < node->n_out; i++) {
    const char *port = self->plan->edges[node->first_out + i].port;

    if (port && g_str_equal (port, fact->text))
      return port;
  }
  return g_intern_string (fact->text);
}

static void
apply_node_ended (NebulaState *self,
                  const NebulaFact *fact,
                  NebulaLane *lane,
                  NebulaRun *run)
{
  g_autofree char *signal = g_steal_pointer (&run->work->signal);
  gboolean is_token = run->work->wait == NEBULA_WAIT_TOKEN;

  end_run (self, fact, lane, run, NEBULA_NODE_COMPLETED);
  run->port = find_port (self, fact);
  run->by_port = fact->code == 1;
  if (fact->code == 2) {
    run->work->loop->is_trailing = 1;
    run->is_trailing = 1;
    _nebula_tokens_pass (self, lane, fact->node, fact->time_usec);
    return;
  }
  if (signal && fact->number == 1)
    take_signal (self, signal);
  if (signal && is_token)
    _nebula_array_remove_text (&self->tokens, signal);
  apply_end_construct (self, lane, fact->node, fact->value);
  _nebula_tokens_end_work (self, lane, fact->node, fact->time_usec);
}

static void
apply_node_failed (NebulaState *self,
                   const NebulaFact *fact,
                   NebulaLane *lane,
                   NebulaRun *run)
{
  NebulaPlanNode *node = &self->plan->nodes[fact->node];

  gboolean is_final = fact->code == 1;

  end_run (self, fact, lane, run, NEBULA_NODE_FAILED);
  if (is_final || (!node->has_error_edge && node->on_error != NEBULA_ON_ERROR_CONTINUE)) {
    if (!lane->failure)
      lane->failure = nebula_value_ref (fact->value);
    if (is_final || node->on_error != NEBULA_ON_ERROR_FINISH) {
      lane->is_ending = 1;
      _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, lane, 0);
    }
  }
  _nebula_tokens_end_work (self, lane, fact->node, fact->time_usec);
}

static void
apply_node_skipped (NebulaState *self,
                    const NebulaFact *fact,
                    NebulaLane *lane,
                    NebulaRun *run)
{
  end_run (self, fact, lane, run, NEBULA_NODE_SKIPPED);
  _nebula_tokens_end_work (self, lane, fact->node, fact->time_usec);
}

/* What has to run whatever happens runs first; then the same fact comes again. */
static void
apply_node_cancelled (NebulaState *self,
                      const NebulaFact *fact,
                      NebulaLane *lane,
                      NebulaRun *run)
{
  NebulaLoop *loop = run->work->loop;

  if (loop && !loop->is_cancelled && _nebula_scope_ends_gently (self, loop)) {
    _nebula_scope_cancel_run (self, lane, run, fact->time_usec);
    return;
  }
  end_run (self, fact, lane, run, NEBULA_NODE_CANCELLED);
  self->n_cancelled++;
  _nebula_tokens_end_work (self, lane, fact->node, fact->time_usec);
}

static guint32
get_guard_edge (NebulaState *self, const NebulaFact *fact)
{
  return self->plan
      ->in_edges[self->plan->nodes[fact->node].first_in + (guint32) fact->number];
}

static void
apply_guard (NebulaState *self, const NebulaFact *fact, NebulaLane *lane, NebulaRun *run)
{
  _nebula_tokens_guard (self, lane, get_guard_edge (self, fact), fact->code == 1,
                        fact->time_usec);
}

static void
apply_need (NebulaState *self, const NebulaFact *fact, NebulaLane *lane, NebulaRun *run)
{
  _nebula_tokens_need (self, lane, fact->node, fact->number, fact->time_usec);
}

static void
apply_results_stored (NebulaState *self,
                      const NebulaFact *fact,
                      NebulaLane *lane,
                      NebulaRun *run)
{
  _nebula_results_store (run->work->loop->results, (guint32) fact->number, fact->value);
}

static void
apply_signalled (NebulaState *self,
                 const NebulaFact *fact,
                 NebulaLane *lane,
                 NebulaRun *run)
{
  NebulaSignal *signal = g_new0 (NebulaSignal, 1);

  signal->name = g_strdup (fact->text);
  signal->value = fact->value ? nebula_value_ref (fact->value) : nebula_value_new_null ();
  g_queue_push_tail (&self->signals, signal);
}

static void
apply_cancel_asked (NebulaState *self,
                    const NebulaFact *fact,
                    NebulaLane *lane,
                    NebulaRun *run)
{
  self->is_stopping = 1;
  self->is_paused = 0;
  self->end_status = (guint8) fact->code;
  if (fact->code == NEBULA_EXECUTION_STATUS_COMPLETED)
    _nebula_apply_set_value (&self->output, fact->value);
  else {
    self->status = NEBULA_EXECUTION_STATUS_CANCELLING;
    _nebula_apply_set_value (&self->error, fact->value);
  }
  _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, self->root, 0);
}

/* A withdrawn command surely did not begin: the run wants its attempt again. */
static void
apply_withdrawn (NebulaState *self,
                 const NebulaFact *fact,
                 NebulaLane *lane,
                 NebulaRun *run)
{
  _nebula_work_set_status (self, run->work, NEBULA_NODE_READY);
  run->work->is_begun = 0;
}

/* Whoever ends it at once leaves nothing active. The oldest work first: loops before what is in them. */
static void
drop_works (NebulaState *self, gint64 time_usec)
{
  GList *link;

  while ((link = self->works.head)) {
    NebulaWork *work = link->data;
    NebulaRun *run = nebula_lane_get_run (self, work->lane, work->node);

    self->n_cancelled++;
    if (!run->is_trailing) {
      _nebula_work_set_status (self, work, NEBULA_NODE_CANCELLED);
      run->ended_usec = time_usec;
    }
    _nebula_work_free (self, work);
  }
}

static void
apply_ended (NebulaState *self, const NebulaFact *fact, NebulaLane *lane, NebulaRun *run)
{
  if (self->works.length > 0)
    drop_works (self, fact->time_usec);
  self->is_paused = 0;
  self->status = (guint8) fact->code;
  self->ended_usec = fact->time_usec;
  _nebula_apply_set_value (fact->code == NEBULA_EXECUTION_STATUS_COMPLETED ? &self->output
                                                             : &self->error,
             fact->value);
  if (fact->code == NEBULA_EXECUTION_STATUS_COMPLETED)
    g_clear_pointer (&self->error, nebula_value_unref);
}

/* What a kind needs to be there, for damaged journals. */
enum {
  NEEDS_NOTHING = 0,
  NEEDS_LANE = 1 << 0,
  NEEDS_NODE = 1 << 1,
  NEEDS_WORK = 1 << 2,
  NEEDS_VALUE = 1 << 3,
  NEEDS_LOOP = 1 << 4,
  NEEDS_ROUND = 1 << 5,
  NEEDS_FRESH = 1 << 6,
  NEEDS_GUARD = 1 << 7,
  NEEDS_OPEN = 1 << 8,
};

#define NEEDS_RUN (NEEDS_LANE | NEEDS_NODE | NEEDS_WORK)

static const struct {
  NebulaApply apply;
  guint needs;
} kinds[] = {
    [NEBULA_FACT_STARTED] = {_nebula_apply_started, NEEDS_VALUE | NEEDS_FRESH},
    [NEBULA_FACT_NODE_READY] = {apply_node_ready, NEEDS_RUN},
    [NEBULA_FACT_ATTEMPT_STARTED] = {apply_attempt_started, NEEDS_RUN},
    [NEBULA_FACT_ATTEMPT_FAILED] = {apply_attempt_failed, NEEDS_RUN | NEEDS_VALUE},
    [NEBULA_FACT_NODE_WAITING] = {apply_node_waiting, NEEDS_RUN},
    [NEBULA_FACT_NODE_ENDED] = {apply_node_ended, NEEDS_RUN | NEEDS_VALUE},
    [NEBULA_FACT_NODE_FAILED] = {apply_node_failed, NEEDS_RUN | NEEDS_VALUE},
    [NEBULA_FACT_NODE_SKIPPED] = {apply_node_skipped, NEEDS_RUN},
    [NEBULA_FACT_NODE_CANCELLED] = {apply_node_cancelled, NEEDS_RUN},
    [NEBULA_FACT_GUARD] = {apply_guard, NEEDS_LANE | NEEDS_NODE | NEEDS_GUARD},
    [NEBULA_FACT_NEED] = {apply_need, NEEDS_LANE | NEEDS_NODE},
    [NEBULA_FACT_LOOP_OPENED] = {_nebula_apply_loop_opened, NEEDS_RUN},
    [NEBULA_FACT_LANE_OPENED] = {_nebula_apply_lane_opened, NEEDS_RUN | NEEDS_LOOP},
    [NEBULA_FACT_LANE_CLOSED] = {_nebula_apply_lane_closed,
                                 NEEDS_LANE | NEEDS_ROUND | NEEDS_VALUE},
    [NEBULA_FACT_LANE_CANCELLED] = {_nebula_apply_lane_cancelled, NEEDS_LANE},
    [NEBULA_FACT_SIGNALLED] = {apply_signalled, NEEDS_LANE},
    [NEBULA_FACT_CANCEL_ASKED] = {apply_cancel_asked, NEEDS_LANE},
    [NEBULA_FACT_GATE_ASKED] = {_nebula_apply_gate_asked, NEEDS_LANE},
    [NEBULA_FACT_GATE_GRANTED] = {_nebula_apply_gate_granted, NEEDS_LANE},
    [NEBULA_FACT_PAUSED] = {_nebula_apply_paused, NEEDS_LANE},
    [NEBULA_FACT_RESUMED] = {_nebula_apply_resumed, NEEDS_LANE},
    [NEBULA_FACT_WITHDRAWN] = {apply_withdrawn, NEEDS_RUN},
    [NEBULA_FACT_ENDED] = {apply_ended, NEEDS_LANE | NEEDS_VALUE},
    [NEBULA_FACT_RESULTS_STORED] = {apply_results_stored,
                                    NEEDS_RUN | NEEDS_VALUE | NEEDS_LOOP},
    [NEBULA_FACT_UNDO_KEPT] = {_nebula_apply_undo_kept, NEEDS_RUN | NEEDS_VALUE},
    [NEBULA_FACT_UNDO_OPENED] = {_nebula_apply_undo_opened, NEEDS_LANE},
    [NEBULA_FACT_UNDO_CLOSED] = {_nebula_apply_undo_closed, NEEDS_LANE},
    [NEBULA_FACT_LOOP_ENDING] = {_nebula_apply_loop_ending, NEEDS_RUN | NEEDS_OPEN},
    [NEBULA_FACT_LOOP_CLEARED] = {_nebula_apply_loop_cleared, NEEDS_RUN | NEEDS_OPEN},
    [NEBULA_FACT_ITEMS_ADDED] = {_nebula_apply_items_added,
                                 NEEDS_RUN | NEEDS_OPEN | NEEDS_VALUE},
    [NEBULA_FACT_LOCK_ASKED] = {_nebula_apply_lock_asked, NEEDS_RUN},
    [NEBULA_FACT_LOCK_GRANTED] = {_nebula_apply_lock_granted, NEEDS_RUN},
    [NEBULA_FACT_WATCHED] = {_nebula_apply_watched, NEEDS_LANE},
    [NEBULA_FACT_DECIDED] = {_nebula_apply_decided, NEEDS_RUN | NEEDS_VALUE},
    [NEBULA_FACT_GIVEN] = {_nebula_apply_given, NEEDS_LANE | NEEDS_VALUE},
    [NEBULA_FACT_INPUT_GIVEN] = {_nebula_apply_input_given, NEEDS_RUN | NEEDS_VALUE},
    [NEBULA_FACT_BREAKPOINTS] = {_nebula_apply_breakpoints, NEEDS_LANE | NEEDS_VALUE},
    [NEBULA_FACT_BEGUN] = {_nebula_apply_begun, NEEDS_LANE},
    [NEBULA_FACT_GATE_LEFT] = {_nebula_apply_gate_left, NEEDS_LANE},
    [NEBULA_FACT_BATCHED] = {_nebula_apply_batched, NEEDS_LANE},
};

static gboolean
is_kind (NebulaValue *value, NebulaValueKind kind)
{
  return value && nebula_value_get_kind (value) == kind;
}

static gboolean
accepts_loop (NebulaState *self, const NebulaFact *fact)
{
  NebulaPlanNode *node;

  if (fact->node == NEBULA_PLAN_NONE ||
      self->plan->nodes[fact->node].body == NEBULA_PLAN_NONE)
    return FALSE;
  node = &self->plan->nodes[fact->node];
  if (node->construct == NEBULA_CONSTRUCT_FOR_EACH)
    return fact->value && _nebula_items_get_length (fact->value) >= 0;
  return nebula_construct_is_loop (node->construct) || fact->number == node->n_bodies;
}

static gboolean
accepts_undo (NebulaState *self, const NebulaFact *fact)
{
  NebulaUndo *undo = _nebula_state_get_undo (self, fact->number);
  NebulaLane *lane = nebula_state_get_lane (self, fact->lane);

  if (fact->kind == NEBULA_FACT_UNDO_KEPT)
    return fact->node != NEBULA_PLAN_NONE &&
           self->plan->nodes[fact->node].undo != NEBULA_PLAN_NONE &&
           is_kind (fact->value, NEBULA_VALUE_KIND_OBJECT);
  if (!undo || !lane || (fact->code == 1 && !fact->value))
    return FALSE;
  if (fact->kind == NEBULA_FACT_UNDO_OPENED)
    return undo->status == NEBULA_UNDO_KEPT && undo->parameters != NULL;
  return undo->status < NEBULA_UNDO_DONE && (undo->lane == lane || !undo->lane);
}

/* What a fact says must make sense by itself. */
static gboolean
accepts_content (NebulaState *self, const NebulaFact *fact)
{
  switch ((guint) fact->kind) {
  case NEBULA_FACT_STARTED:
    return is_kind (fact->value, NEBULA_VALUE_KIND_OBJECT) &&
           (fact->code == 1 || !nebula_value_has_member (fact->value, "begins"));
  case NEBULA_FACT_NODE_ENDED:
    return fact->code != 1 || is_kind (fact->value, NEBULA_VALUE_KIND_OBJECT);
  case NEBULA_FACT_LOOP_OPENED:
    return accepts_loop (self, fact);
  case NEBULA_FACT_CANCEL_ASKED:
  case NEBULA_FACT_ENDED:
    return fact->code <= NEBULA_EXECUTION_STATUS_TIMED_OUT &&
           nebula_execution_status_is_terminal (fact->code);
  case NEBULA_FACT_UNDO_KEPT:
  case NEBULA_FACT_UNDO_OPENED:
  case NEBULA_FACT_UNDO_CLOSED:
    return accepts_undo (self, fact);
  case NEBULA_FACT_ITEMS_ADDED:
    return is_kind (fact->value, NEBULA_VALUE_KIND_ARRAY);
  case NEBULA_FACT_DECIDED:
  case NEBULA_FACT_BREAKPOINTS:
    return is_kind (fact->value, NEBULA_VALUE_KIND_OBJECT);
  case NEBULA_FACT_GIVEN:
    return !self->given && is_kind (fact->value, NEBULA_VALUE_KIND_OBJECT);
  case NEBULA_FACT_PAUSED:
    return fact->code == 0 || fact->text;
  case NEBULA_FACT_NODE_WAITING:
    return fact->code <= NEBULA_WAIT_LAST && (!is_for_other (fact->code) || fact->text) &&
           ((fact->code != NEBULA_WAIT_CHILD && fact->code != NEBULA_WAIT_APPROVAL) ||
            is_kind (fact->value, NEBULA_VALUE_KIND_OBJECT));
  case NEBULA_FACT_GATE_GRANTED:
    return self->gate == NEBULA_AT_GATE_ASKED || self->gate == NEBULA_AT_GATE_BACK;
  case NEBULA_FACT_GATE_LEFT:
    return self->gate == NEBULA_AT_GATE_INSIDE;
  case NEBULA_FACT_BATCHED:
    return self->gate == NEBULA_AT_GATE_ASKED && fact->text;
  case NEBULA_FACT_BEGUN:
    return self->begins_usec > 0;
  case NEBULA_FACT_LOCK_ASKED:
  case NEBULA_FACT_WATCHED:
  case NEBULA_FACT_GATE_ASKED:
  case NEBULA_FACT_SIGNALLED:
    return fact->text != NULL;
  default:
    return TRUE;
  }
}

static gboolean
accepts_guard (NebulaState *self, const NebulaFact *fact, NebulaLane *lane)
{
  guint32 edge;

  if (fact->number < 0 || fact->number >= (gint64) nebula_plan_node_count_in (
                                              &self->plan->nodes[fact->node]))
    return FALSE;
  edge = get_guard_edge (self, fact) - self->plan->scopes[lane->scope].first_edge;
  return lane->edges[edge].guarded != NULL;
}

static gboolean
accepts_round (NebulaLoop *loop, const NebulaFact *fact)
{
  if (!loop || fact->number < 0 || fact->number >= loop->count ||
      fact->number > G_MAXUINT32)
    return FALSE;
  if (fact->kind == NEBULA_FACT_RESULTS_STORED)
    return loop->results && _nebula_results_accepts (fact->value);
  return !loop->items || loop->added ||
         fact->number * loop->batch < _nebula_items_get_length (loop->items);
}

/* What a fact says about a work must fit it. */
static gboolean
accepts_work (NebulaWork *work, const NebulaFact *fact, guint needs)
{
  NebulaLoop *loop = work->loop;

  if ((needs & NEEDS_OPEN) && !loop)
    return FALSE;
  switch ((guint) fact->kind) {
  case NEBULA_FACT_NODE_ENDED:
    return fact->code != 2 || (loop && !loop->is_trailing);
  case NEBULA_FACT_LOOP_CLEARED:
    return loop->is_trailing && loop->n_open == 0;
  case NEBULA_FACT_ITEMS_ADDED:
    return loop->items && loop->batch == 1 && _nebula_items_get_length (fact->value) >= 0;
  case NEBULA_FACT_LOCK_ASKED:
    return !work->lock && !work->hold;
  case NEBULA_FACT_LOCK_GRANTED:
    return work->hold && !work->is_held;
  case NEBULA_FACT_DECIDED:
    return work->wait == NEBULA_WAIT_APPROVAL;
  default:
    return TRUE;
  }
}

gboolean
nebula_state_accepts (NebulaState *self, const NebulaFact *fact)
{
  guint needs = kinds[fact->kind].needs;
  NebulaLane *lane = nebula_state_get_lane (self, fact->lane);
  NebulaRun *run = NULL;

  if (nebula_execution_status_is_terminal (self->status) || !accepts_content (self, fact))
    return FALSE;
  if (((needs & NEEDS_LANE) && !lane) || ((needs & NEEDS_FRESH) && self->root) ||
      ((needs & NEEDS_VALUE) && !fact->value) || ((needs & NEEDS_ROUND) && !lane->loop))
    return FALSE;
  if (!(needs & NEEDS_NODE))
    return TRUE;
  if (fact->node == NEBULA_PLAN_NONE ||
      self->plan->nodes[fact->node].scope != lane->scope)
    return FALSE;
  run = nebula_lane_get_run (self, lane, fact->node);
  if ((needs & NEEDS_WORK) && !run->work)
    return FALSE;
  if (needs & NEEDS_WORK && !accepts_work (run->work, fact, needs))
    return FALSE;
  if ((needs & NEEDS_LOOP) && !accepts_round (run->work->loop, fact))
    return FALSE;
  return !(needs & NEEDS_GUARD) || accepts_guard (self, fact, lane);
}

void
nebula_state_apply (NebulaState *self, const NebulaFact *fact)
{
  NebulaLane *lane = nebula_state_get_lane (self, fact->lane);
  NebulaRun *run = NULL;

  if (lane && fact->node != NEBULA_PLAN_NONE &&
      self->plan->nodes[fact->node].scope == lane->scope)
    run = nebula_lane_get_run (self, lane, fact->node);
  self->sequence++;
  self->last_usec = fact->time_usec;
  kinds[fact->kind].apply (self, fact, lane, run);
}
