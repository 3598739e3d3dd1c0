/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Events: made of facts when they are recorded, with the time of the fact, told when they are committed, and only while
 * somebody listens. Those that are replayed out of the store (nebula-event-reader.c) are made of the same. */

#include "nebula-engine-private.h"

static const char *
get_end_topic (guint32 status)
{
  switch (status) {
  case NEBULA_EXECUTION_STATUS_COMPLETED:
    return "execution.completed";
  case NEBULA_EXECUTION_STATUS_CANCELLED:
    return "execution.cancelled";
  case NEBULA_EXECUTION_STATUS_TIMED_OUT:
    return "execution.timed-out";
  default:
    return "execution.failed";
  }
}

const char *
_nebula_narrator_get_topic (const NebulaFact *fact)
{
  static const char *const topics[NEBULA_FACT_LAST + 1] = {
      [NEBULA_FACT_STARTED] = "execution.started",
      [NEBULA_FACT_NODE_READY] = "node.ready",
      [NEBULA_FACT_ATTEMPT_FAILED] = "node.retrying",
      [NEBULA_FACT_NODE_WAITING] = "node.waiting",
      [NEBULA_FACT_NODE_ENDED] = "node.completed",
      [NEBULA_FACT_NODE_FAILED] = "node.failed",
      [NEBULA_FACT_NODE_SKIPPED] = "node.skipped",
      [NEBULA_FACT_NODE_CANCELLED] = "node.cancelled",
      [NEBULA_FACT_LOOP_OPENED] = "node.ready",
      [NEBULA_FACT_PAUSED] = "execution.paused",
      [NEBULA_FACT_RESUMED] = "execution.resumed",
  };

  return fact->kind == NEBULA_FACT_ENDED ? get_end_topic (fact->code)
                                         : topics[fact->kind];
}

/* The bit of a fact among the ones that somebody wants to hear of. */
static guint64
get_topic_bit (guint kind, guint32 status)
{
  return G_GUINT64_CONSTANT (1) << (kind == NEBULA_FACT_ENDED ? 32 + status : kind);
}

void
_nebula_narrator_capture (NebulaInstance *instance)
{
  NebulaEventBus *bus = instance->engine->bus;
  NebulaFact fact = {0};

  instance->away_topics = 0;
  if (!nebula_event_bus_has_any_subscriber (bus))
    return;
  for (guint kind = NEBULA_FACT_STARTED; kind < NEBULA_FACT_ENDED; kind++) {
    fact.kind = kind;
    if (_nebula_narrator_get_topic (&fact) &&
        nebula_event_bus_has_subscriber (bus, _nebula_narrator_get_topic (&fact)))
      instance->away_topics |= get_topic_bit (kind, 0);
  }
  fact.kind = NEBULA_FACT_ENDED;
  for (guint status = 0; status <= NEBULA_EXECUTION_STATUS_TIMED_OUT; status++) {
    fact.code = status;
    if (nebula_event_bus_has_subscriber (bus, _nebula_narrator_get_topic (&fact)))
      instance->away_topics |= get_topic_bit (fact.kind, status);
  }
}

/* Away from the loop the bus may not be asked. */
static gboolean
is_wanted (NebulaInstance *instance, const NebulaFact *fact, const char *topic)
{
  if (instance->is_away)
    return (instance->away_topics & get_topic_bit (fact->kind, fact->code)) != 0;
  return instance->engine->has_listener &&
         nebula_event_bus_has_subscriber (instance->engine->bus, topic);
}

#define RESULT_BYTES (1024 * 1024) /* what an event carries of stored values */

/* Events are for looking on: what is stored and large, or would have to be read on the loop, is named by its size, and
 * read from the execution. */
static void
set_result (const NebulaNarration *narration,
            NebulaValueBuilder *builder,
            const char *key,
            NebulaValue *value)
{
  guint64 size = nebula_kernel_get_stored_bytes (value);
  g_autoptr (NebulaValue) loaded = NULL;

  if (size == 0) {
    nebula_value_builder_set (builder, key, value);
    return;
  }
  if (narration->kernel && size <= RESULT_BYTES) {
    nebula_kernel_set_may_block (narration->kernel, narration->may_block);
    loaded = nebula_kernel_load (narration->kernel, value, NULL);
    nebula_kernel_set_may_block (narration->kernel, TRUE);
  }
  if (loaded)
    nebula_value_builder_set (builder, key, loaded);
  else
    nebula_value_builder_set_integer (builder, "bytes", (gint64) size);
}

static void
add_place (const NebulaNarration *narration, NebulaValueBuilder *builder, const NebulaFact *fact)
{
  NebulaState *state =
      narration->kernel ? nebula_kernel_get_state (narration->kernel) : NULL;
  NebulaLane *lane = state ? nebula_state_get_lane (state, fact->lane) : NULL;
  g_autofree char *path = NULL;

  if (lane && fact->node != NEBULA_PLAN_NONE) {
    path = nebula_state_dup_path (state, lane, fact->node);
    nebula_value_builder_set_string (builder, "path", path);
    nebula_value_builder_set_integer (
        builder, "attempts", nebula_lane_get_run (state, lane, fact->node)->attempts);
  } else if (!state && narration->node) {
    if (fact->lane == 0)
      nebula_value_builder_set_string (builder, "path", narration->node);
    nebula_value_builder_set_integer (builder, "attempts", fact->attempt);
  }
}

static NebulaValue *
make_data (const NebulaNarration *narration, const NebulaFact *fact)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gboolean is_error = fact->kind == NEBULA_FACT_NODE_FAILED ||
                      fact->kind == NEBULA_FACT_ATTEMPT_FAILED ||
                      (fact->kind == NEBULA_FACT_ENDED &&
                       fact->code != NEBULA_EXECUTION_STATUS_COMPLETED);

  add_place (narration, builder, fact);
  if (fact->value && fact->kind != NEBULA_FACT_STARTED &&
      fact->kind != NEBULA_FACT_NODE_WAITING &&
      fact->kind != NEBULA_FACT_LOOP_OPENED)
    set_result (narration, builder, is_error ? "error" : "result", fact->value);
  return nebula_value_builder_end (builder);
}

NebulaEvent *
_nebula_narrator_make_event (const NebulaNarration *narration, const NebulaFact *fact)
{
  g_autoptr (NebulaValue) data = make_data (narration, fact);
  NebulaEventInfo info = {
      .topic = _nebula_narrator_get_topic (fact),
      .tenant = narration->tenant,
      .workflow = narration->workflow,
      .execution = narration->execution,
      .node = narration->node,
      .sequence = narration->sequence,
      .time_usec = fact->time_usec,
      .position = narration->position,
  };

  return nebula_event_new (&info, data);
}

static void
pending_clear (gpointer data)
{
  nebula_event_unref (((NebulaPendingEvent *) data)->event);
}

void
_nebula_narrator_recorded (const NebulaFact *fact, gpointer data)
{
  NebulaInstance *instance = data;
  const char *topic = _nebula_narrator_get_topic (fact);
  GArray **events =
      instance->is_away ? &instance->away_events : &instance->pending_events;
  NebulaPendingEvent pending;
  NebulaNarration narration = {
      .kernel = instance->kernel,
      .may_block = instance->is_away,
      .tenant = instance->tenant,
      .workflow = instance->plan->name,
      .execution = instance->id,
      .sequence = nebula_kernel_get_state (instance->kernel)->sequence,
  };

  if (!topic || !is_wanted (instance, fact, topic))
    return;
  if (!*events) {
    *events = g_array_new (FALSE, FALSE, sizeof (NebulaPendingEvent));
    g_array_set_clear_func (*events, pending_clear);
  }
  if (fact->node != NEBULA_PLAN_NONE)
    narration.node = instance->plan->nodes[fact->node].id;
  pending.sequence = narration.sequence;
  pending.event = _nebula_narrator_make_event (&narration, fact);
  g_array_append_val (*events, pending);
}

void
_nebula_narrator_publish (NebulaInstance *instance)
{
  GArray *events = instance->pending_events;
  guint n_told = 0;

  if (!events)
    return;
  while (n_told < events->len &&
         g_array_index (events, NebulaPendingEvent, n_told).sequence <=
             instance->committed) {
    nebula_event_bus_publish (instance->engine->bus,
                              g_array_index (events, NebulaPendingEvent, n_told).event);
    n_told++;
  }
  if (n_told > 0)
    g_array_remove_range (events, 0, n_told);
}

void
_nebula_narrator_tell (NebulaInstance *instance,
                       const char *topic,
                       const char *node,
                       NebulaValue *data)
{
  g_autoptr (NebulaEvent) event = NULL;
  NebulaEventInfo info = {
      .topic = topic,
      .tenant = instance->tenant,
      .workflow = instance->plan->name,
      .execution = instance->id,
      .node = node,
  };

  if (!nebula_event_bus_has_subscriber (instance->engine->bus, topic))
    return;
  info.time_usec = nebula_clock_get_real_usec (instance->engine->clock);
  event = nebula_event_new (&info, data);
  nebula_event_bus_publish (instance->engine->bus, event);
}
