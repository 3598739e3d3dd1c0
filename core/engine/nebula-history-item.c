/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A fact as people and programs read it: what it is about by name, not by number. */

#include "nebula-duration.h"
#include "nebula-history-private.h"

/* How the members of a fact are called; NULL: they say nothing. */
static const struct {
  const char *text;
  const char *number;
  const char *value;
} shapes[NEBULA_FACT_LAST + 1] = {
    [NEBULA_FACT_STARTED] = {"revision", NULL, NULL},
    [NEBULA_FACT_ATTEMPT_FAILED] = {NULL, NULL, "error"},
    [NEBULA_FACT_NODE_WAITING] = {"name", NULL, NULL},
    [NEBULA_FACT_NODE_ENDED] = {"port", NULL, "result"},
    [NEBULA_FACT_NODE_FAILED] = {NULL, NULL, "error"},
    [NEBULA_FACT_GUARD] = {NULL, "connection", NULL},
    [NEBULA_FACT_NEED] = {NULL, "need", NULL},
    [NEBULA_FACT_LOOP_OPENED] = {NULL, "rounds", NULL},
    [NEBULA_FACT_LANE_OPENED] = {NULL, "round", NULL},
    [NEBULA_FACT_LANE_CLOSED] = {NULL, NULL, "result"},
    [NEBULA_FACT_SIGNALLED] = {"name", NULL, "value"},
    [NEBULA_FACT_CANCEL_ASKED] = {"reason", NULL, NULL},
    [NEBULA_FACT_GATE_ASKED] = {"gate", NULL, NULL},
    [NEBULA_FACT_GATE_GRANTED] = {"gate", NULL, NULL},
    [NEBULA_FACT_PAUSED] = {"reason", NULL, NULL},
    [NEBULA_FACT_RESUMED] = {NULL, "recoveries", NULL},
    [NEBULA_FACT_ENDED] = {NULL, NULL, "output"},
    [NEBULA_FACT_UNDO_CLOSED] = {NULL, NULL, "result"},
    [NEBULA_FACT_LOCK_ASKED] = {"name", NULL, NULL},
    [NEBULA_FACT_LOCK_GRANTED] = {"name", NULL, NULL},
    [NEBULA_FACT_WATCHED] = {"execution", NULL, NULL},
    [NEBULA_FACT_DECIDED] = {NULL, NULL, "decision"},
    [NEBULA_FACT_BREAKPOINTS] = {NULL, NULL, "breakpoints"},
    [NEBULA_FACT_BATCHED] = {"execution", NULL, NULL},
};

static const char *const waits[NEBULA_WAIT_LAST + 1] = {
    "duration", "until",     "signal",   "again", "unknown-outcome", "lock",
    "child",    "execution", "approval", "token", "lock",
};

static gboolean
is_error (const NebulaFact *fact)
{
  if (fact->kind == NEBULA_FACT_ENDED)
    return fact->code != NEBULA_EXECUTION_STATUS_COMPLETED;
  return (fact->kind == NEBULA_FACT_LANE_CLOSED || fact->kind == NEBULA_FACT_UNDO_CLOSED) &&
         fact->code == 1;
}

static void
add_value (NebulaValueBuilder *builder, const char *name, NebulaValue *value)
{
  guint64 size = nebula_kernel_get_stored_bytes (value);

  /* What is stored beside the facts may be of any size: the execution's report has it. */
  if (size > 0)
    nebula_value_builder_set_integer (builder, "bytes", (gint64) size);
  else
    nebula_value_builder_set (builder, name, value);
}

static void
add_time (NebulaValueBuilder *builder, const char *name, gint64 usec)
{
  g_autofree char *text = usec ? nebula_timestamp_to_string (usec, 0) : NULL;

  if (text)
    nebula_value_builder_set_string (builder, name, text);
}

static void
add_path (NebulaValueBuilder *builder, NebulaTeller *teller, const NebulaFact *fact, const char *node)
{
  NebulaKernel *kernel = _nebula_teller_get_kernel (teller);
  NebulaState *state = kernel ? nebula_kernel_get_state (kernel) : NULL;
  NebulaLane *lane = state ? nebula_state_get_lane (state, fact->lane) : NULL;
  g_autofree char *path = NULL;

  if (lane && fact->node != NEBULA_PLAN_NONE)
    path = nebula_state_dup_path (state, lane, fact->node);
  if (path || fact->lane == 0)
    nebula_value_builder_set_string (builder, "path", path ? path : node);
  else
    nebula_value_builder_set_integer (builder, "lane", fact->lane);
}

static void
add_code (NebulaValueBuilder *builder, const NebulaFact *fact)
{
  if (fact->kind == NEBULA_FACT_NODE_WAITING && fact->code <= NEBULA_WAIT_LAST)
    nebula_value_builder_set_string (builder, "for", waits[fact->code]);
  if (fact->kind == NEBULA_FACT_GUARD)
    nebula_value_builder_set_boolean (builder, "holds", fact->code != 0);
  if (fact->kind == NEBULA_FACT_ENDED || fact->kind == NEBULA_FACT_CANCEL_ASKED)
    nebula_value_builder_set_string (
        builder, "status",
        nebula_execution_status_to_string ((NebulaExecutionStatus) fact->code));
}

/* Of the first fact only the input: it has the environment, too. */
static void
add_contents (NebulaValueBuilder *builder, const NebulaFact *fact)
{
  gboolean is_secret =
      fact->kind == NEBULA_FACT_NODE_WAITING && fact->code == NEBULA_WAIT_TOKEN;
  NebulaValue *value = fact->value;
  const char *name = is_error (fact) ? "error" : shapes[fact->kind].value;

  if (fact->kind == NEBULA_FACT_STARTED) {
    value = value ? nebula_value_get_member (value, "input") : NULL;
    name = "input";
  }
  if (shapes[fact->kind].text && fact->text && !is_secret)
    nebula_value_builder_set_string (builder, shapes[fact->kind].text, fact->text);
  if (shapes[fact->kind].number)
    nebula_value_builder_set_integer (builder, shapes[fact->kind].number, fact->number);
  if (name && value)
    add_value (builder, name, value);
}

NebulaValue *
_nebula_history_make_item (NebulaTeller *teller,
                           const NebulaFact *fact,
                           const char *node,
                           guint64 sequence)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_integer (builder, "sequence", (gint64) sequence);
  add_time (builder, "time", fact->time_usec);
  nebula_value_builder_set_string (builder, "fact", nebula_fact_kind_to_string (fact->kind));
  if (node) {
    nebula_value_builder_set_string (builder, "node", node);
    add_path (builder, teller, fact, node);
  }
  if (fact->attempt > 0 && fact->kind != NEBULA_FACT_LOOP_OPENED)
    nebula_value_builder_set_integer (builder, "attempt", fact->attempt);
  add_code (builder, fact);
  add_contents (builder, fact);
  add_time (builder, "until", fact->due_usec);
  return nebula_value_builder_end (builder);
}
