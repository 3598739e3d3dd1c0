/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The engine's part of the main loop: turns of executions that want one, and timers. */

#include "nebula-engine-private.h"

#define PRIORITY_TURN  100
#define TIMER_MAX_USEC (60 * G_USEC_PER_SEC)

/* A piece of work on the loop may take so long. */
#define WATCHDOG_USEC 200

typedef struct {
  GSource source;
  NebulaEngine *engine;
} TurnSource;

gint64
_nebula_watchdog_note (NebulaEngine *engine, const char *what, gint64 start_usec)
{
  NebulaEngineStatistics *statistics = &engine->statistics;
  gint64 now = g_get_monotonic_time ();
  gint64 usec = now - start_usec;

  statistics->n_pieces++;
  if (usec > WATCHDOG_USEC)
    statistics->n_long++;
  if (usec <= statistics->longest_usec)
    return now;
  statistics->longest_usec = usec;
  statistics->longest_what = what;
  if (usec > WATCHDOG_USEC)
    g_debug ("The loop was held for %" G_GINT64_FORMAT " µs by one %s", usec, what);
  return now;
}

static gboolean
turn_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  /* Held: whoever is told the end may let go of the last handle of the engine. */
  g_autoptr (NebulaEngine) engine = g_object_ref (((TurnSource *) source)->engine);
  gint64 start = g_get_monotonic_time ();
  gint64 now = start;
  GList *link;

  engine->has_listener = nebula_event_bus_has_any_subscriber (engine->bus);
  nebula_journal_hold (engine->journal);
  while ((link = g_queue_pop_head_link (&engine->run_queue))) {
    NebulaInstance *instance = link->data;

    instance->wants_turn = FALSE;
    _nebula_instance_turn (instance);
    now = _nebula_watchdog_note (engine, "turn", now);
    if (now >= start + NEBULA_TURN_USEC && !engine->is_unhurried)
      break;
  }
  /* Somebody who was told may have stopped the engine. */
  if (engine->journal)
    nebula_journal_let_go (engine->journal);
  _nebula_loader_pump (engine);
  _nebula_watchdog_note (engine, "turn", now);
  if (g_queue_is_empty (&engine->run_queue) && !g_source_is_destroyed (source))
    g_source_set_ready_time (source, -1);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs turn_funcs = {.dispatch = turn_dispatch};

void
_nebula_scheduler_start (NebulaEngine *engine)
{
  engine->turn_source = g_source_new (&turn_funcs, sizeof (TurnSource));
  ((TurnSource *) engine->turn_source)->engine = engine;
  g_source_set_static_name (engine->turn_source, "NebulaEngine turn");
  g_source_set_priority (engine->turn_source, PRIORITY_TURN);
  g_source_attach (engine->turn_source, engine->context);
  nebula_heap_init (&engine->wakes);
  nebula_heap_init (&engine->deadlines);
}

static void
clear_source (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

void
_nebula_scheduler_stop (NebulaEngine *engine)
{
  clear_source (&engine->turn_source);
  clear_source (&engine->timer_source);
}

void
_nebula_scheduler_push (NebulaEngine *engine, NebulaInstance *instance)
{
  if (instance->wants_turn || instance->is_away || engine->is_stopped ||
      engine->is_sealed)
    return;
  instance->wants_turn = TRUE;
  g_queue_push_tail_link (&engine->run_queue, &instance->run_link);
  if (engine->run_queue.length == 1)
    g_source_set_ready_time (engine->turn_source, 0);
}

void
_nebula_scheduler_poke (NebulaEngine *engine)
{
  if (!engine->is_stopped)
    g_source_set_ready_time (engine->turn_source, 0);
}

void
_nebula_scheduler_remove (NebulaEngine *engine, NebulaInstance *instance)
{
  if (instance->wants_turn)
    g_queue_unlink (&engine->run_queue, &instance->run_link);
  instance->wants_turn = FALSE;
  nebula_heap_remove (&engine->wakes, &instance->wake.entry);
}

static void
wake_entry (NebulaEngine *engine, NebulaWake *wake)
{
  NebulaInstance *instance;

  nebula_heap_remove (&engine->wakes, &wake->entry);
  if (wake->is_gate) {
    _nebula_gatekeeper_tick ((NebulaGate *) (gpointer) wake);
    return;
  }
  if (wake->is_sleeper) {
    _nebula_recovery_wake_sleeper (engine, (NebulaSleeper *) wake);
    return;
  }
  instance = (NebulaInstance *) (gpointer) ((char *) wake -
                                            G_STRUCT_OFFSET (NebulaInstance, wake));
  _nebula_instance_tick (instance);
}

static gboolean
timer_dispatch (gpointer data)
{
  g_autoptr (NebulaEngine) engine = g_object_ref (data);
  gint64 start = g_get_monotonic_time ();
  gint64 end = engine->is_unhurried ? G_MAXINT64 : start + NEBULA_TURN_USEC;
  gint64 real = nebula_clock_get_real_usec (engine->clock);
  gint64 monotonic = nebula_clock_get_monotonic_usec (engine->clock);
  NebulaHeapEntry *entry;

  clear_source (&engine->timer_source);
  while ((entry = nebula_heap_peek (&engine->deadlines)) && entry->time <= monotonic) {
    nebula_heap_remove (&engine->deadlines, entry);
    _nebula_runner_time_out (
        (NebulaAttempt *) (gpointer) ((char *) entry -
                                      G_STRUCT_OFFSET (NebulaAttempt, deadline)));
  }
  while ((entry = nebula_heap_peek (&engine->wakes)) && entry->time <= real &&
         g_get_monotonic_time () < end)
    wake_entry (engine, (NebulaWake *) entry);
  _nebula_scheduler_arm (engine);
  _nebula_watchdog_note (engine, "timer", start);
  return G_SOURCE_REMOVE;
}

void
_nebula_scheduler_arm (NebulaEngine *engine)
{
  NebulaHeapEntry *wake = nebula_heap_peek (&engine->wakes);
  NebulaHeapEntry *deadline = nebula_heap_peek (&engine->deadlines);
  gint64 monotonic;
  gint64 due = G_MAXINT64;

  if ((!wake && !deadline) || engine->is_stopped) {
    clear_source (&engine->timer_source);
    return;
  }
  monotonic = nebula_clock_get_monotonic_usec (engine->clock);
  /* The wall clock may step: look again after a minute at most. */
  if (wake)
    due = monotonic + CLAMP (wake->time - nebula_clock_get_real_usec (engine->clock), 0,
                             TIMER_MAX_USEC);
  if (deadline)
    due = MIN (due, MAX (deadline->time, monotonic));
  if (engine->timer_source && engine->timer_usec <= due &&
      engine->timer_usec >= monotonic)
    return;
  clear_source (&engine->timer_source);
  engine->timer_usec = due;
  engine->timer_source = nebula_clock_create_source (engine->clock, due);
  g_source_set_priority (engine->timer_source, PRIORITY_TURN);
  g_source_set_static_name (engine->timer_source, "NebulaEngine timer");
  g_source_set_callback (engine->timer_source, timer_dispatch, engine, NULL);
  g_source_attach (engine->timer_source, engine->context);
}

void
_nebula_scheduler_set_wake (NebulaEngine *engine, NebulaWake *wake, gint64 real_usec)
{
  NebulaHeapEntry *entry = &wake->entry;

  if (real_usec == 0) {
    nebula_heap_remove (&engine->wakes, entry);
    return;
  }
  if (entry->place && entry->time == real_usec)
    return;
  nebula_heap_set (&engine->wakes, entry, real_usec);
  _nebula_scheduler_arm (engine);
}
