/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Why an execution does not go on: what each active node waits for, and since when; from the state alone. */

#include "nebula-duration.h"
#include "nebula-kernel-private.h"

#define REASONS_MAX 1000 /* of joins; there may be very many lanes */

static const char *
get_reason (NebulaWork *work, NebulaRun *run)
{
  if (run->status == NEBULA_NODE_RETRYING)
    return "retry";
  if (run->status == NEBULA_NODE_READY || run->status == NEBULA_NODE_RUNNING)
    return "running";
  if (run->status == NEBULA_NODE_FIRED)
    return "ready";
  switch ((NebulaWait) work->wait) {
  case NEBULA_WAIT_SIGNAL:
    return "signal";
  case NEBULA_WAIT_TOKEN:
    return "token";
  case NEBULA_WAIT_CHILD:
    return "child";
  case NEBULA_WAIT_EXECUTION:
    return "execution";
  case NEBULA_WAIT_APPROVAL:
    return "approval";
  case NEBULA_WAIT_UNKNOWN:
    return "unknown-outcome";
  case NEBULA_WAIT_LOCK:
  case NEBULA_WAIT_GATE:
    return "lock";
  case NEBULA_WAIT_DURATION:
  case NEBULA_WAIT_UNTIL:
  case NEBULA_WAIT_AGAIN:
  default:
    return "timer";
  }
}

static void
set_time (NebulaValueBuilder *builder, const char *key, gint64 usec)
{
  g_autofree char *text = usec ? nebula_timestamp_to_string (usec, 0) : NULL;

  if (text)
    nebula_value_builder_set_string (builder, key, text);
}

static void
explain_lock (NebulaKernel *self, NebulaWork *work, NebulaValueBuilder *builder)
{
  NebulaWork *holder;
  g_autofree char *path = NULL;

  if (work->hold) {
    nebula_value_builder_set_string (builder, "lock", work->hold);
    return;
  }
  if (!work->lock)
    return;
  holder = g_queue_peek_head (&work->lock->works);
  path = nebula_state_dup_path (self->state, holder->lane, holder->node);
  nebula_value_builder_set_string (builder, "lock", work->lock->name);
  if (holder != work)
    nebula_value_builder_set_string (builder, "held_by", path);
}

static void
explain_request (NebulaWork *work, NebulaValueBuilder *builder)
{
  static const char *const of_approval[] = {"message", "need", "from", "escalate"};
  gsize n_answers = work->answers ? nebula_value_get_length (work->answers) : 0;

  if (!work->request)
    return;
  if (work->wait == NEBULA_WAIT_CHILD) {
    nebula_value_builder_set (builder, "workflow",
                              nebula_value_get_member (work->request, "name"));
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (of_approval); i++) {
    NebulaValue *member = nebula_value_get_member (work->request, of_approval[i]);

    if (member)
      nebula_value_builder_set (builder, of_approval[i], member);
  }
  if (n_answers > 0)
    nebula_value_builder_set (builder, "decisions", work->answers);
}

static NebulaValue *
explain_work (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *path = nebula_state_dup_path (self->state, work->lane, work->node);

  nebula_value_builder_set_string (builder, "node", path);
  nebula_value_builder_set_string (builder, "reason", get_reason (work, run));
  set_time (builder, "since", run->ready_usec);
  set_time (builder, "until", work->due_usec);
  if (work->signal)
    nebula_value_builder_set_string (builder, "signal", work->signal);
  if (work->other)
    nebula_value_builder_set_string (
        builder, work->wait == NEBULA_WAIT_CHILD ? "child" : "execution", work->other);
  if (run->status == NEBULA_NODE_WAITING && work->wait != NEBULA_WAIT_CHILD &&
      run->attempts > 1)
    nebula_value_builder_set_integer (builder, "attempts", run->attempts);
  explain_lock (self, work, builder);
  explain_request (work, builder);
  return nebula_value_builder_end (builder);
}

static void
add_timed_reason (NebulaValueBuilder *builder,
                  const char *reason,
                  const char *key,
                  gint64 since_usec,
                  gint64 until_usec)
{
  g_autoptr (NebulaValueBuilder) entry = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (entry, "node", NULL);
  nebula_value_builder_set_string (entry, "reason", reason);
  set_time (entry, "since", since_usec);
  set_time (entry, "until", until_usec);
  if (key)
    nebula_value_builder_set_string (entry, "key", key);
  nebula_value_builder_add_take (builder, nebula_value_builder_end (entry));
}

static void
add_whole_reason (NebulaValueBuilder *builder,
                  const char *reason,
                  const char *key,
                  gint64 since_usec)
{
  add_timed_reason (builder, reason, key, since_usec, 0);
}

static void
add_batch (NebulaState *state, NebulaValueBuilder *builder)
{
  g_autoptr (NebulaValueBuilder) entry = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (entry, "node", NULL);
  nebula_value_builder_set_string (entry, "reason", "batch");
  set_time (entry, "since", state->gate_usec);
  nebula_value_builder_set_string (entry, "execution", state->batch);
  nebula_value_builder_add_take (builder, nebula_value_builder_end (entry));
}

/* The connections that brought nothing yet; the time at which the first of the others brought something. */
static NebulaValue *
find_missing (NebulaKernel *self, NebulaLane *lane, guint32 node, gint64 *ret_since_usec)
{
  NebulaPlan *plan = self->plan;
  NebulaPlanNode *plan_node = &plan->nodes[node];
  guint32 first_edge = plan->scopes[lane->scope].first_edge;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  *ret_since_usec = 0;
  for (guint i = 0; i < plan_node->n_in; i++) {
    guint32 edge = plan->in_edges[plan_node->first_in + i];
    NebulaRun *from = nebula_lane_get_run (self->state, lane, plan->edges[edge].from);

    if (lane->edges[edge - first_edge].n_tokens == 0)
      nebula_value_builder_add_take (
          builder, nebula_value_new_string (plan->nodes[plan->edges[edge].from].id));
    else if (from->ended_usec > 0 &&
             (*ret_since_usec == 0 || from->ended_usec < *ret_since_usec))
      *ret_since_usec = from->ended_usec;
  }
  return nebula_value_builder_end (builder);
}

/* A join that some connections have reached, and not enough of them. */
static void
explain_joins (NebulaKernel *self, NebulaLane *lane, NebulaValueBuilder *builder)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];

  for (guint i = 0; i < scope->n_nodes; i++) {
    NebulaRun *run = &lane->runs[i];
    guint32 node = scope->first_node + i;
    g_autofree char *path = NULL;
    g_autoptr (NebulaValueBuilder) entry = NULL;
    gint64 since_usec;

    if (run->status != NEBULA_NODE_PENDING || run->arrived == 0 || run->work ||
        nebula_value_builder_get_length (builder) >= REASONS_MAX)
      continue;
    path = nebula_state_dup_path (self->state, lane, node);
    entry = nebula_value_builder_new_object ();
    nebula_value_builder_set_string (entry, "node", path);
    nebula_value_builder_set_string (entry, "reason", "join");
    nebula_value_builder_set_take (entry, "waits_for",
                                   find_missing (self, lane, node, &since_usec));
    set_time (entry, "since", since_usec);
    nebula_value_builder_add_take (builder, nebula_value_builder_end (entry));
  }
}

static void
explain_lanes (NebulaKernel *self, NebulaValueBuilder *builder)
{
  GHashTableIter iter;
  gpointer lane;

  if (self->state->root)
    explain_joins (self, self->state->root, builder);
  if (!self->state->lanes)
    return;
  g_hash_table_iter_init (&iter, self->state->lanes);
  while (g_hash_table_iter_next (&iter, NULL, &lane) &&
         nebula_value_builder_get_length (builder) < REASONS_MAX)
    explain_joins (self, lane, builder);
}

static const char *
get_gate_reason (NebulaKernel *self)
{
  const NebulaPlanGate *gate = nebula_kernel_get_gate (self);

  return gate && gate->kind != NEBULA_GATE_CONCURRENCY ? gate->name : "concurrency-limit";
}

NebulaValue *
nebula_kernel_explain (NebulaKernel *self)
{
  NebulaState *state = self->state;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  if (nebula_execution_status_is_terminal (state->status))
    return nebula_value_builder_end (builder);
  if (state->is_paused)
    add_whole_reason (builder, "paused", NULL, state->paused_usec);
  if (state->begins_usec > 0)
    add_timed_reason (builder, "delayed-start", NULL, state->started_usec, state->begins_usec);
  if (state->gate == NEBULA_AT_GATE_ASKED || state->gate == NEBULA_AT_GATE_BACK)
    add_whole_reason (builder, get_gate_reason (self), state->gate_key, state->gate_usec);
  if (state->gate == NEBULA_AT_GATE_BATCHED)
    add_batch (state, builder);
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    if (!work->loop)
      nebula_value_builder_add_take (builder, explain_work (self, work));
  }
  explain_lanes (self, builder);
  return nebula_value_builder_end (builder);
}
