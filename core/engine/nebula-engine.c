/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-id.h"
#include "nebula-input-internal.h"
#include "nebula-limits.h"
#include "nebula-memory-store.h"

#define PRIORITY_RESULT 0

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

enum { PROP_RESOLVER = 1, PROP_STORE, PROP_CLOCK, PROP_EVENT_BUS, N_PROPS };

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
nebula_engine_constructed (GObject *object)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  G_OBJECT_CLASS (nebula_engine_parent_class)->constructed (object);
  if (!self->store)
    self->store = nebula_memory_store_new ();
  if (!self->clock)
    self->clock = g_object_ref (nebula_clock_get_system ());
  self->bus = nebula_event_bus_new ();
  self->journal = nebula_journal_new (self->store, FALSE);
  nebula_journal_set_watch (self->journal, nebula_engine_watch_journal, self);
  self->mailbox =
      nebula_mailbox_new (self->context, PRIORITY_RESULT, _nebula_runner_receive, self);
  _nebula_scheduler_start (self);
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
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_engine_dispose (GObject *object)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  nebula_engine_stop (self);
  g_clear_object (&self->bus);
  g_clear_object (&self->store);
  g_clear_object (&self->clock);
  g_clear_object (&self->resolver);
  G_OBJECT_CLASS (nebula_engine_parent_class)->dispose (object);
}

static void
nebula_engine_finalize (GObject *object)
{
  NebulaEngine *self = NEBULA_ENGINE (object);

  g_object_unref (self->scope);
  g_hash_table_unref (self->instances);
  g_hash_table_unref (self->plans);
  g_hash_table_unref (self->stored);
  _nebula_sleepers_clear (self);
  g_hash_table_unref (self->gates);
  nebula_blob_cache_unref (self->blobs);
  nebula_heap_clear (&self->wakes);
  nebula_heap_clear (&self->deadlines);
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
   * NebulaEngine:event-bus:
   *
   * Tells what is committed.
   */
  props[PROP_EVENT_BUS] =
      g_param_spec_object ("event-bus", NULL, NULL, NEBULA_TYPE_EVENT_BUS,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
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
  self->instances = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, instance_free);
  self->plans = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify) nebula_plan_unref);
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
 * nebula_engine_set_limits:
 * @self: an engine
 * @max_nodes: nodes that a workflow may have; 0 for the default of 10,000
 * @max_connections: connections that it may have; 0 for the default of 50,000
 *
 * Sets how large the workflows may be that are deployed from now on. Executions that were started with a larger one are
 * recovered all the same.
 *
 * Since: 1.0
 */
void
nebula_engine_set_limits (NebulaEngine *self, guint max_nodes, guint max_connections)
{
  g_return_if_fail (NEBULA_IS_ENGINE (self));

  self->max_nodes = MIN (max_nodes, NEBULA_LIMIT_NODES_MAX);
  self->max_connections = max_connections;
}

/**
 * nebula_engine_deploy:
 * @self: an engine
 * @workflow: what the user meant
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): takes all problems, warnings too
 * @error: where the failure goes
 *
 * Compiles a workflow into a plan that this engine can start.
 *
 * Loads the modules of those actions that the plan holds as operations.
 *
 * Errors: %NEBULA_ERROR_INVALID_WORKFLOW (terminal) with the reasons in @diagnostics; %NEBULA_ERROR_MODULE_BROKEN
 * (terminal).
 *
 * Returns: (transfer full): the plan
 *
 * Since: 1.0
 */
NebulaPlan *
nebula_engine_deploy (NebulaEngine *self,
                      NebulaWorkflow *workflow,
                      GPtrArray *diagnostics,
                      GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (NEBULA_IS_WORKFLOW (workflow), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return _nebula_engine_deploy_limited (self, workflow, self->max_nodes,
                                        self->max_connections, diagnostics, error);
}

NebulaPlan *
_nebula_engine_deploy_limited (NebulaEngine *self,
                               NebulaWorkflow *workflow,
                               guint max_nodes,
                               guint max_connections,
                               GPtrArray *diagnostics,
                               GError **error)
{
  g_autoptr (NebulaPlan) plan = nebula_workflow_compile_limited (
      workflow, self->resolver, max_nodes, max_connections, diagnostics, error);
  NebulaPlan *known;

  if (!plan)
    return NULL;
  known = g_hash_table_lookup (self->plans, plan->hash);
  if (known)
    return nebula_plan_ref (known);
  if (!nebula_plan_link (plan, self->resolver, error))
    return NULL;
  g_hash_table_insert (self->plans, plan->hash, nebula_plan_ref (plan));
  return g_steal_pointer (&plan);
}

static char *
make_id (NebulaEngine *self)
{
  g_autoptr (NebulaId) id = nebula_id_new (NEBULA_ID_KIND_EXECUTION, self->clock);

  return nebula_id_to_string (id);
}

/* What is captured when an execution is created: `env`, `trigger`, `user`. */
static NebulaValue *
capture (NebulaValue *options)
{
  static const char *const names[] = {"env", "trigger", "user"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    NebulaValue *value = nebula_value_get_member (options, names[i]);

    if (value)
      nebula_value_builder_set (builder, names[i], value);
  }
  return nebula_value_builder_end (builder);
}

/* Of the workflow's own time limit and the one that is asked for the tighter one holds. */
static gboolean
tighten (const char *timeout, gint64 *timeout_usec, GError **error)
{
  gint64 usec;

  if (!nebula_duration_parse (timeout, &usec, error))
    return FALSE;
  if (*timeout_usec == 0 || usec < *timeout_usec)
    *timeout_usec = usec;
  return TRUE;
}

static gboolean
check_start (NebulaEngine *self,
             NebulaValue *options,
             NebulaDurability *ret_durability,
             gint64 *ret_timeout_usec,
             GError **error)
{
  const char *timeout = nebula_value_get_member_string (options, "timeout", NULL);
  const char *durability = nebula_value_get_member_string (options, "durability", NULL);
  const char *id = nebula_value_get_member_string (options, "id", NULL);

  if (self->is_stopped || self->is_sealed) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
        _ ("The engine takes no new executions: it is stopping, or its store failed."));
    return FALSE;
  }
  if (id && g_hash_table_contains (self->instances, id)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS,
                 _ ("There is an execution “%s” already."), id);
    return FALSE;
  }
  if (timeout && !tighten (timeout, ret_timeout_usec, error))
    return FALSE;
  if (!durability || nebula_durability_from_string (durability, ret_durability))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no durability level. Use strict, relaxed or memory."),
               durability);
  return FALSE;
}

/**
 * nebula_engine_start:
 * @self: an engine
 * @plan: a plan of this engine
 * @input: (nullable): the input; %NULL for an empty object
 * @options: (nullable): an object {id, durability, timeout, env, trigger, user, tenant}
 * @error: where the failure goes
 *
 * Starts an execution.
 *
 * Nothing has run and nothing is committed when this returns; wait for the handle. The input is checked against the
 * workflow's schema and its defaults are filled in.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal): the input does not fit; %NEBULA_ERROR_EXISTS (terminal): the id is
 * taken; %NEBULA_ERROR_UNAVAILABLE (retry): the engine is stopping.
 *
 * Returns: (transfer full): the handle
 *
 * Since: 1.0
 */
NebulaExecution *
nebula_engine_start (NebulaEngine *self,
                     NebulaPlan *plan,
                     NebulaValue *input,
                     NebulaValue *options,
                     GError **error)
{
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();
  g_autoptr (NebulaValue) filled = NULL;
  g_autoptr (NebulaValue) captured = NULL;
  g_autofree char *id = NULL;
  NebulaDurability durability = plan->durability;
  gint64 timeout_usec = plan->timeout_usec;
  NebulaInstance *instance;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (plan != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!options)
    options = empty;
  if (!input)
    input = empty;
  if (!check_start (self, options, &durability, &timeout_usec, error) ||
      (plan->input_schema &&
       !nebula_input_check (plan->input_schema, input, &filled, error)))
    return NULL;
  id = g_strdup (nebula_value_get_member_string (options, "id", NULL));
  if (!id)
    id = make_id (self);
  instance = _nebula_instance_new (
      self, id, nebula_value_get_member_string (options, "tenant", "default"), plan);
  _nebula_instance_set_durability (instance, durability);
  captured = capture (options);
  self->has_listener = nebula_event_bus_has_any_subscriber (self->bus);
  nebula_kernel_set_timeout (instance->kernel, timeout_usec);
  nebula_kernel_start (instance->kernel, filled ? filled : input, captured,
                       nebula_clock_get_random (self->clock),
                       nebula_clock_get_real_usec (self->clock));
  _nebula_instance_wake (instance);
  return _nebula_execution_get_for (instance);
}

/**
 * nebula_engine_get_execution:
 * @self: an engine
 * @id: id of an execution
 * @error: where the failure goes
 *
 * Gets the handle of an execution, loading it from the store if it is not in memory.
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

/**
 * nebula_engine_get_n_active:
 * @self: an engine
 *
 * Counts the executions that are in memory.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
nebula_engine_get_n_active (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), 0);
  return g_hash_table_size (self->instances);
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
  drop_all (self);
  nebula_scope_end (self->scope);
  _nebula_scheduler_stop (self);
  g_clear_pointer (&self->journal, nebula_journal_free);
  nebula_mailbox_close (self->mailbox, _nebula_runner_discard);
  g_clear_pointer (&self->mailbox, nebula_mailbox_unref);
}
