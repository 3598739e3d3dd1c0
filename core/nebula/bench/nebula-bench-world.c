/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Engines, and crowds of executions that run on them. */

#include <glib/gi18n-lib.h>
#include <string.h>
#include <time.h>

#include "nebula-bench-world-private.h"
#include "nebula-sqlite-store.h"

#define PATIENCE_SECONDS 10
#define TICK_MS          50

gboolean
nebula_bench_world_open (NebulaBenchWorld *self,
                         NebulaBench *bench,
                         NebulaBenchStore store,
                         GError **error)
{
  self->registry = nebula_registry_new ();
  if (!nebula_registry_load (self->registry, error) ||
      !nebula_registry_add_action (self->registry, nebula_bench_effect_get_type (),
                                   error))
    return FALSE;
  if (store == NEBULA_BENCH_STORE_MEMORY) {
    g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

    nebula_value_builder_set_string (builder, "durability", "memory");
    self->options = nebula_value_builder_end (builder);
  } else {
    self->path = nebula_bench_new_path (bench, ".db");
    if (!nebula_bench_world_reopen_store (self, error))
      return FALSE;
  }
  nebula_bench_world_start_engine (self);
  return TRUE;
}

gboolean
nebula_bench_world_reopen_store (NebulaBenchWorld *self, GError **error)
{
  nebula_bench_world_stop_engine (self);
  self->store =
      nebula_sqlite_store_open (self->path, NEBULA_SQLITE_STORE_FLAGS_NONE, error);
  return self->store != NULL;
}

void
nebula_bench_world_start_engine (NebulaBenchWorld *self)
{
  self->engine =
      nebula_engine_new (NEBULA_ACTION_RESOLVER (self->registry), self->store, NULL);
}

void
nebula_bench_world_stop_engine (NebulaBenchWorld *self)
{
  if (self->engine)
    nebula_engine_stop (self->engine);
  g_clear_object (&self->engine);
  g_clear_object (&self->store);
}

void
nebula_bench_world_clear (NebulaBenchWorld *self)
{
  nebula_bench_world_stop_engine (self);
  g_clear_object (&self->registry);
  g_clear_pointer (&self->options, nebula_value_unref);
  g_clear_pointer (&self->path, g_free);
}

NebulaWorkflow *
nebula_bench_read_workflow (const char *json, GError **error)
{
  g_autoptr (GPtrArray) diagnostics =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (GBytes) bytes = g_bytes_new (json, strlen (json));

  return nebula_workflow_read_bytes (bytes, "bench.json", diagnostics, error);
}

NebulaPlan *
nebula_bench_world_deploy (NebulaBenchWorld *self, const char *json, GError **error)
{
  g_autoptr (GPtrArray) diagnostics =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (NebulaWorkflow) workflow = nebula_bench_read_workflow (json, error);

  return workflow ? nebula_engine_deploy (self->engine, workflow, diagnostics, error)
                  : NULL;
}

/* Notices that what is waited for does not come: the process has done nothing for a while. */
typedef struct {
  GSource *ticks; /* or the loop would sleep for ever */
  clock_t used;
  double since;
} Watch;

static gboolean
tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

static void
watch_start (Watch *self)
{
  self->ticks = g_timeout_source_new (TICK_MS);
  g_source_set_callback (self->ticks, tick, NULL, NULL);
  g_source_attach (self->ticks, NULL);
  self->used = clock ();
  self->since = nebula_bench_now ();
}

static void
watch_clear (Watch *self)
{
  g_source_destroy (self->ticks);
  g_clear_pointer (&self->ticks, g_source_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Watch, watch_clear)

static gboolean
watch_check (Watch *self, GError **error)
{
  clock_t used = clock ();

  if (used - self->used > CLOCKS_PER_SEC / 10) {
    self->used = used;
    self->since = nebula_bench_now ();
  }
  if (nebula_bench_now () - self->since < PATIENCE_SECONDS)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TIMED_OUT,
               _ ("The engine stands still: nothing happened for %d seconds."),
               PATIENCE_SECONDS);
  return FALSE;
}

typedef struct {
  guint n_started;
  guint n_running;
  guint n_ended;
  GPtrArray *done; /* handles of those that ended, let go outside of their callbacks */
  NebulaValue *output;
  GError *error;
} Crowd;

static void
ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  NebulaExecution *execution = NEBULA_EXECUTION (source);
  NebulaExecutionStatus status = nebula_execution_get_status (execution);
  Crowd *crowd = user_data;
  g_autoptr (GError) error = NULL;

  crowd->n_running--;
  crowd->n_ended++;
  g_ptr_array_add (crowd->done, g_object_ref (execution));
  if (nebula_execution_wait_finish (execution, result, &error) &&
      status != NEBULA_EXECUTION_STATUS_COMPLETED)
    g_set_error (&error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
                 _ ("An execution of the benchmark ended as “%s”, not completed."),
                 nebula_execution_status_to_string (status));
  if (error && !crowd->error)
    crowd->error = g_steal_pointer (&error);
  if (crowd->n_running > 0 || crowd->error)
    return;
  g_clear_pointer (&crowd->output, nebula_value_unref);
  crowd->output = nebula_execution_get_output (execution);
}

static gboolean
start_one (NebulaBenchWorld *self, NebulaPlan *plan, Crowd *crowd, GError **error)
{
  g_autoptr (NebulaExecution) execution =
      nebula_engine_start (self->engine, plan, NULL, self->options, error);

  if (!execution)
    return FALSE;
  crowd->n_started++;
  crowd->n_running++;
  nebula_execution_wait_async (execution, NULL, ended, crowd);
  return TRUE;
}

static gboolean
turn_crowd (NebulaBenchWorld *self,
            NebulaPlan *plan,
            guint total,
            guint at_once,
            Crowd *crowd)
{
  g_auto (Watch) watch = {NULL};

  watch_start (&watch);
  while (crowd->n_ended < total && !crowd->error) {
    while (crowd->n_running < at_once && crowd->n_started < total) {
      if (!start_one (self, plan, crowd, &crowd->error))
        return FALSE;
    }
    g_main_context_iteration (NULL, TRUE);
    g_ptr_array_set_size (crowd->done, 0);
    if (!crowd->error && !watch_check (&watch, &crowd->error))
      return FALSE;
  }
  return !crowd->error;
}

static void
count_cost (NebulaBenchWorld *self, NebulaBenchCost *cost, int sign)
{
  g_autoptr (NebulaValue) counters = nebula_engine_get_counters (self->engine);

  cost->syncs += sign * (double) nebula_value_get_member_integer (counters, "syncs", 0);
}

gboolean
nebula_bench_world_run (NebulaBenchWorld *self,
                        NebulaPlan *plan,
                        guint total,
                        guint at_once,
                        NebulaBenchCost *ret_cost,
                        GError **error)
{
  g_autoptr (GPtrArray) done = g_ptr_array_new_with_free_func (g_object_unref);
  Crowd crowd = {.done = done};
  NebulaBenchCost cost = {0};
  double start = nebula_bench_now ();
  gboolean is_done;

  count_cost (self, &cost, -1);
  is_done = turn_crowd (self, plan, total, at_once, &crowd);
  cost.seconds = nebula_bench_now () - start;
  count_cost (self, &cost, 1);
  cost.output = crowd.output;
  if (!is_done) {
    /* The others still point to the crowd: they are told before it goes away. */
    nebula_engine_stop (self->engine);
    while (crowd.n_running > 0)
      g_main_context_iteration (NULL, TRUE);
    g_clear_pointer (&crowd.output, nebula_value_unref);
    g_propagate_error (error, crowd.error);
    return FALSE;
  }
  *ret_cost = cost;
  return TRUE;
}

gboolean
nebula_bench_world_turn_until (NebulaBenchWorld *self,
                               gboolean (*is_over) (NebulaBenchWorld *self,
                                                    gpointer data),
                               gpointer data,
                               GError **error)
{
  g_auto (Watch) watch = {NULL};

  watch_start (&watch);
  while (!is_over (self, data)) {
    g_main_context_iteration (NULL, TRUE);
    if (!watch_check (&watch, error))
      return FALSE;
  }
  return TRUE;
}

char *
nebula_bench_build_chain (const char *action, guint length)
{
  GString *text =
      g_string_new ("{\"nebula\": 1, \"name\": \"bench-chain\", \"nodes\": {");

  for (guint i = 0; i < length; i++) {
    g_string_append_printf (text, "%s\"s%u\": {\"action\": \"%s\", \"with\": {\"n\": ",
                            i > 0 ? ", " : "", i, action);
    if (i == 0)
      g_string_append (text, "1}}");
    else
      g_string_append_printf (text, "\"{{ $json.n + 1 }}\"}, \"after\": [\"s%u\"]}",
                              i - 1);
  }
  g_string_append (text, "}}");
  return g_string_free (text, FALSE);
}

char *
nebula_bench_build_loop (const char *action,
                         guint n_items,
                         guint concurrency,
                         const char *output)
{
  return g_strdup_printf (
      "{\"nebula\": 1, \"name\": \"bench-loop\", \"nodes\": {"
      "\"each\": {\"action\": \"flow.for-each\","
      " \"with\": {\"items\": \"{{ range (0, %u) }}\", \"concurrency\": %u},"
      " \"body\": {\"nodes\": {\"one\": {\"action\": \"%s\", \"with\":"
      " {\"n\": \"{{ $item + 1 }}\"}}}}}},"
      " \"output\": \"{{ %s }}\"}",
      n_items, concurrency, action, output);
}
