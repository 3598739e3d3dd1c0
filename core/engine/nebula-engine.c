/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-idempotency-internal.h"
#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-memory-store.h"
#include "nebula-sync-internal.h"

#define PRIORITY_RESULT 0
#define N_READERS       2

/**
 * NebulaEngine:
 *
 * Runs workflows durably.
 *
 * An engine turns in the thread-default context in which it was made; all its objects belong to that context. It owns
 * the write side of its store through a journal, and tells what is committed on its event bus. It is #NebulaScoped: the
 * global scope, which ends when it stops.
 *
 * Thread: owner context.
 *
 * Since: 1.0
 */

enum {
  PROP_RESOLVER = 1,
  PROP_STORE,
  PROP_CLOCK,
  PROP_EXECUTOR,
  PROP_EVENT_BUS,
  PROP_PEER,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static NebulaScope *
nebula_engine_get_scope (NebulaScoped *scoped)
{
  return NEBULA_ENGINE (scoped)->scope;
}

static void
nebula_engine_scoped_init (NebulaScopedInterface *iface)
{
  iface->get_scope = nebula_engine_get_scope;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaEngine, nebula_engine, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_SCOPED, nebula_engine_scoped_init))

static void
nebula_engine_watch_journal (NebulaJournalEvent event,
                             const GError *error,
                             gpointer user_data)
{
  NebulaEngine *self = user_data;
  static const char *const topics[] = {"system.store-paused", "system.store-resumed",
                                       "system.fatal"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) data = NULL;
  g_autoptr (NebulaEvent) told = NULL;
  NebulaEventInfo info = {.topic = topics[event],
                          .time_usec = nebula_clock_get_real_usec (self->clock)};

  self->is_sealed = self->is_sealed || event == NEBULA_JOURNAL_EVENT_FATAL;
  nebula_value_builder_set_string (builder, "message", error ? error->message : NULL);
  data = nebula_value_builder_end (builder);
  told = nebula_event_new (&info, data);
  nebula_event_bus_publish (self->bus, told);
}

static void
nebula_engine_receive (gpointer letter, gpointer user_data)
{
  g_autoptr (NebulaEngine) self = g_object_ref (user_data);
  const NebulaLetterClass *klass = ((NebulaLetter *) letter)->klass;
  gint64 start = g_get_monotonic_time ();

  klass->receive (letter);
  _nebula_watchdog_note (self, klass->name, start);
}

static void
nebula_engine_discard (gpointer letter)
{
  ((NebulaLetter *) letter)->klass->discard (letter);
}

void
_nebula_engine_watch_journal (NebulaEngine *self)
{
  nebula_journal_set_watch (self->journal, nebula_engine_watch_journal, self);
}

/* What engines over one store have in common. */
static void
take_from_peer (NebulaEngine *self)
{
  NebulaEngine *peer = self->peer;

  self->peers = peer ? _nebula_peers_ref (peer->peers) : _nebula_peers_new ();
  if (!peer)
    return;
  g_set_object (&self->store, peer->store);
  g_set_object (&self->clock, peer->clock);
  g_set_object (&self->resolver, peer->resolver);
  g_set_object (&self->executor, peer->executor);
  if (peer->context == self->context)
    g_set_object (&self->bus, peer->bus);
}

static void
nebula_engine_constructed (GObject *object)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  G_OBJECT_CLASS (nebula_engine_parent_class)->constructed (object);
  take_from_peer (self);
  if (!self->store)
    self->store = nebula_memory_store_new ();
  if (!self->clock)
    self->clock = g_object_ref (nebula_clock_get_system ());
  if (!self->executor)
    self->executor = g_object_ref (nebula_executor_get_default ());
  self->has_full_text = nebula_store_has_full_text (self->store);
  self->readers = nebula_executor_new (N_READERS);
  if (!self->bus)
    self->bus = nebula_event_bus_new ();
  self->journal = self->peer ? nebula_journal_new_beside (self->peer->journal)
                             : nebula_journal_new (self->store, FALSE);
  _nebula_engine_watch_journal (self);
  self->mailbox =
      nebula_mailbox_new (self->context, PRIORITY_RESULT, nebula_engine_receive, self);
  _nebula_scheduler_start (self);
  _nebula_peers_join (self, self->peer == NULL);
  g_clear_object (&self->peer);
}

static void
nebula_engine_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  switch (id) {
  case PROP_RESOLVER:
    g_value_set_object (value, self->resolver);
    break;
  case PROP_STORE:
    g_value_set_object (value, self->store);
    break;
  case PROP_CLOCK:
    g_value_set_object (value, self->clock);
    break;
  case PROP_EXECUTOR:
    g_value_set_object (value, self->executor);
    break;
  case PROP_EVENT_BUS:
    g_value_set_object (value, self->bus);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_engine_set_property (GObject *object,
                            guint id,
                            const GValue *value,
                            GParamSpec *pspec)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  switch (id) {
  case PROP_RESOLVER:
    self->resolver = g_value_dup_object (value);
    break;
  case PROP_STORE:
    self->store = g_value_dup_object (value);
    break;
  case PROP_CLOCK:
    self->clock = g_value_dup_object (value);
    break;
  case PROP_EXECUTOR:
    self->executor = g_value_dup_object (value);
    break;
  case PROP_PEER:
    self->peer = g_value_dup_object (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_engine_dispose (GObject *object)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  nebula_engine_stop (self);
  _nebula_meter_stop (self);
  g_clear_object (&self->bus);
  g_clear_object (&self->budget);
  g_clear_object (&self->store);
  g_clear_object (&self->clock);
  g_clear_object (&self->executor);
  g_clear_object (&self->readers);
  g_clear_object (&self->idempotency);
  g_clear_object (&self->resolver);
  G_OBJECT_CLASS (nebula_engine_parent_class)->dispose (object);
}

static void
nebula_engine_finalize (GObject *object)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  g_object_unref (self->scope);
  g_hash_table_unref (self->instances);
  _nebula_peers_unref (self->peers);
  g_hash_table_unref (self->stored);
  g_hash_table_unref (self->gates); /* they leave the heap of wakes, in which sleepers still are */
  _nebula_sleepers_clear (self);
  g_clear_pointer (&self->guards, g_hash_table_unref);
  g_clear_pointer (&self->onces, g_hash_table_unref);
  nebula_blob_cache_unref (self->blobs);
  nebula_heap_clear (&self->wakes);
  nebula_heap_clear (&self->deadlines);
  g_hash_table_unref (self->loads);
  g_mutex_clear (&self->away_lock);
  g_cond_clear (&self->away_done);
  g_main_context_unref (self->context);
  G_OBJECT_CLASS (nebula_engine_parent_class)->finalize (object);
}

static void
nebula_engine_class_init (NebulaEngineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->constructed = nebula_engine_constructed;
  object_class->get_property = nebula_engine_get_property;
  object_class->set_property = nebula_engine_set_property;
  object_class->dispose = nebula_engine_dispose;
  object_class->finalize = nebula_engine_finalize;

  /**
   * NebulaEngine:resolver:
   *
   * Where actions are found.
   */
  props[PROP_RESOLVER] =
      g_param_spec_object ("resolver", NULL, NULL, NEBULA_TYPE_ACTION_RESOLVER, flags);
  /**
   * NebulaEngine:store:
   *
   * What keeps the facts; a store in memory if none is given.
   */
  props[PROP_STORE] = g_param_spec_object ("store", NULL, NULL, NEBULA_TYPE_STORE, flags);
  /**
   * NebulaEngine:clock:
   *
   * The time; the system's clock if none is given.
   */
  props[PROP_CLOCK] = g_param_spec_object ("clock", NULL, NULL, NEBULA_TYPE_CLOCK, flags);
  /**
   * NebulaEngine:executor:
   *
   * Where decisions are taken that are too heavy for the engine's loop; the process's pool of threads if none is given.
   */
  props[PROP_EXECUTOR] =
      g_param_spec_object ("executor", NULL, NULL, NEBULA_TYPE_EXECUTOR, flags);
  /**
   * NebulaEngine:event-bus:
   *
   * Tells what is committed.
   */
  props[PROP_EVENT_BUS] =
      g_param_spec_object ("event-bus", NULL, NULL, NEBULA_TYPE_EVENT_BUS,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * NebulaEngine:peer:
   *
   * Another engine, whose store this one works on as well; only to make it. See nebula_engine_new_peer().
   */
  props[PROP_PEER] =
      g_param_spec_object ("peer", NULL, NULL, NEBULA_TYPE_ENGINE,
                           G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
instance_free (gpointer data)
{
  _nebula_instance_free (data);
}

static void
nebula_engine_init (NebulaEngine *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->scope = nebula_scope_new_global ();
  self->inline_fuel = NEBULA_LIMIT_FUEL_INLINE;
  g_mutex_init (&self->away_lock);
  g_queue_init (&self->load_queue);
  self->loads =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, _nebula_load_free);
  g_cond_init (&self->away_done);
  self->instances = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, instance_free);
  self->stored = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->blobs = nebula_blob_cache_new (NEBULA_CACHED_BYTES);
  _nebula_sleepers_init (self);
  self->gates = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, _nebula_gate_free);
  g_queue_init (&self->run_queue);
}

/**
 * nebula_engine_new:
 * @resolver: where actions are found, such as a registry
 * @store: (nullable): what keeps the facts; %NULL for a store in memory
 * @clock: (nullable): the time; %NULL for the system's clock
 *
 * Creates an engine that turns in the thread-default context of the caller.
 *
 * Returns: (transfer full): a new engine
 *
 * Since: 1.0
 */
NebulaEngine *
nebula_engine_new (NebulaActionResolver *resolver, NebulaStore *store, NebulaClock *clock)
{
  return g_object_new (NEBULA_TYPE_ENGINE, "resolver", resolver, "store", store, "clock",
                       clock, NULL);
}

/**
 * nebula_engine_get_event_bus:
 * @self: an engine
 *
 * Gets the bus that tells what is committed.
 *
 * Returns: (transfer none): the bus; lives as long as the engine
 *
 * Since: 1.0
 */
NebulaEventBus *
nebula_engine_get_event_bus (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  return self->bus;
}

/**
 * nebula_engine_get_store:
 * @self: an engine
 *
 * Gets the store.
 *
 * Returns: (transfer none): the store; lives as long as the engine
 *
 * Since: 1.0
 */
NebulaStore *
nebula_engine_get_store (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  return self->store;
}

/**
 * nebula_engine_get_clock:
 * @self: an engine
 *
 * Gets the clock.
 *
 * Returns: (transfer none): the clock; lives as long as the engine
 *
 * Since: 1.0
 */
NebulaClock *
nebula_engine_get_clock (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  return self->clock;
}

/**
 * nebula_engine_get_execution:
 * @self: an engine
 * @id: id of an execution
 * @error: where the failure goes
 *
 * Gets the handle of an execution, loading it from the store if it is not in memory. Blocks for the store then; on a
 * loop that must not wait use nebula_engine_get_execution_async().
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal); %NEBULA_ERROR_STORE_CORRUPT (terminal); %NEBULA_ERROR_MODULE_MISSING
 * (terminal).
 *
 * Returns: (transfer full): the handle
 *
 * Since: 1.0
 */
NebulaExecution *
nebula_engine_get_execution (NebulaEngine *self, const char *id, GError **error)
{
  NebulaInstance *instance;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  instance = _nebula_recovery_load (self, id, error);
  return instance ? _nebula_execution_get_for (instance) : NULL;
}

/* It belongs to another engine, which may turn in this context. */
static void
ask_neighbour (NebulaEngine *self, const char *id, GTask *task)
{
  GError *error = NULL;
  NebulaExecution *execution = nebula_engine_get_execution (self, id, &error);

  if (execution)
    g_task_return_pointer (task, execution, g_object_unref);
  else
    g_task_return_error (task, error);
}

static void
get_execution_loaded (NebulaEngine *self,
                      const char *id,
                      NebulaInstance *instance,
                      const GError *error,
                      gpointer data)
{
  g_autoptr (GTask) task = data;

  if (instance)
    g_task_return_pointer (task, _nebula_execution_get_for (instance), g_object_unref);
  else if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE))
    ask_neighbour (self, id, task);
  else
    g_task_return_error (task, g_error_copy (error));
}

/**
 * nebula_engine_get_execution_async:
 * @self: an engine
 * @id: id of an execution
 * @cancellable: (nullable): stops waiting for the answer
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Gets the handle of an execution, loading it from the store off the loop if it is not in memory.
 *
 * Errors: as nebula_engine_get_execution(); %NEBULA_ERROR_CANCELLED: the engine was stopped.
 *
 * Since: 1.0
 */
void
nebula_engine_get_execution_async (NebulaEngine *self,
                                   const char *id,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  NebulaInstance *instance;

  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (id != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, nebula_engine_get_execution_async);
  instance = g_hash_table_lookup (self->instances, id);
  if (instance)
    g_task_return_pointer (task, _nebula_execution_get_for (instance), g_object_unref);
  else if (self->is_stopped)
    g_task_return_new_error (task, NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                             _ ("The engine has been stopped."));
  else
    _nebula_loader_ask (self, id, get_execution_loaded, g_steal_pointer (&task));
}

/**
 * nebula_engine_get_execution_finish:
 * @self: an engine
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_engine_get_execution_async().
 *
 * Returns: (transfer full): the handle
 *
 * Since: 1.0
 */
NebulaExecution *
nebula_engine_get_execution_finish (NebulaEngine *self,
                                    GAsyncResult *result,
                                    GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (
      g_async_result_is_tagged (result, nebula_engine_get_execution_async), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/* A sleeper counts as waiting until it is there. */
static guint
count_loads (NebulaEngine *self)
{
  GHashTableIter iter;
  gpointer id;
  guint n_loads = 0;

  g_hash_table_iter_init (&iter, self->loads);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    n_loads += !g_hash_table_contains (self->sleepers, id);
  return n_loads;
}

/**
 * nebula_engine_get_n_active:
 * @self: an engine
 *
 * Counts the executions that are in memory, and those that are on their way into it.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
nebula_engine_get_n_active (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), 0);
  return g_hash_table_size (self->instances) + count_loads (self);
}

/**
 * nebula_engine_get_n_waiting:
 * @self: an engine
 *
 * Counts the executions that wait outside memory.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
nebula_engine_get_n_waiting (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), 0);
  return g_hash_table_size (self->sleepers);
}

/**
 * nebula_engine_get_statistics:
 * @self: an engine
 *
 * Gets what the engine's loop has done so far, and how long it was held. A piece is one turn of an execution, one
 * dispatch of the timers, one letter from another thread or one answer of the journal.
 *
 * Returns: (transfer full): an object {pieces, long_pieces, longest_us, longest, away_turns, loads, load_batches};
 *   a long piece took more than 200 µs, `longest` names the kind of the longest one
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_get_statistics (NebulaEngine *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaEngineStatistics *statistics;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  statistics = &self->statistics;
  nebula_value_builder_set_integer (builder, "pieces", (gint64) statistics->n_pieces);
  nebula_value_builder_set_integer (builder, "long_pieces", (gint64) statistics->n_long);
  nebula_value_builder_set_integer (builder, "longest_us", statistics->longest_usec);
  nebula_value_builder_set_string (builder, "longest", statistics->longest_what);
  nebula_value_builder_set_integer (builder, "away_turns", (gint64) statistics->n_away);
  nebula_value_builder_set_integer (builder, "loads", (gint64) statistics->n_loads);
  nebula_value_builder_set_integer (builder, "load_batches",
                                    (gint64) statistics->n_load_jobs);
  return nebula_value_builder_end (builder);
}

/**
 * nebula_engine_get_counters:
 * @self: an engine
 *
 * Gets what the journal has done so far.
 *
 * Returns: (transfer full): an object {units, groups, syncs}
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_get_counters (NebulaEngine *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaJournalCounters counters = {0};

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  nebula_journal_get_counters (self->journal, &counters);
  nebula_value_builder_set_integer (builder, "units", (gint64) counters.units);
  nebula_value_builder_set_integer (builder, "groups", (gint64) counters.groups);
  nebula_value_builder_set_integer (builder, "syncs", (gint64) counters.syncs);
  return nebula_value_builder_end (builder);
}

static void
drop_all (NebulaEngine *self)
{
  g_autoptr (GError) error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                                                  _ ("The engine has been stopped."));
  GHashTableIter iter;
  gpointer instance = NULL;

  /* Anew each time: whoever is answered may let go of others. */
  for (;;) {
    g_hash_table_iter_init (&iter, self->instances);
    if (!g_hash_table_iter_next (&iter, NULL, &instance))
      return;
    _nebula_instance_drop (instance, error);
  }
}

static void
end (NebulaEngine *self)
{
  _nebula_janitor_stop (self);
  _nebula_away_wait_for_all (self);
  drop_all (self);
  _nebula_loader_stop (self);
  _nebula_history_forget_all (self);
  nebula_scope_end (self->scope);
  _nebula_scheduler_stop (self);
  if (self->idempotency)
    _nebula_idempotency_stop (self->idempotency);
  g_clear_pointer (&self->journal, nebula_journal_free);
  _nebula_peers_leave (self);
  nebula_mailbox_close (self->mailbox, nebula_engine_discard);
  g_clear_pointer (&self->mailbox, nebula_mailbox_unref);
}

/**
 * nebula_engine_stop:
 * @self: an engine
 *
 * Stops the engine: what is pending is committed, what runs is cancelled, and nothing is told to the journal about it,
 * so that another engine takes it up where it was. Blocks for the last commit. Does nothing the second time.
 *
 * Since: 1.0
 */
void
nebula_engine_stop (NebulaEngine *self)
{
  g_return_if_fail (NEBULA_IS_ENGINE (self));
  if (self->is_stopped)
    return;
  self->is_stopped = TRUE;
  nebula_journal_flush (self->journal);
  end (self);
}

void
_nebula_engine_crash (NebulaEngine *self)
{
  if (self->is_stopped)
    return;
  self->is_stopped = TRUE;
  g_clear_pointer (&self->journal, nebula_journal_abandon);
  end (self);
}
