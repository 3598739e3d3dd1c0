/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The metrics of an engine: counted where they happen, or read when somebody looks. */

#include "nebula-engine-private.h"
#include "nebula-log.h"
#include "nebula-metrics.h"

static const char *const no_labels[] = { NULL };
static const char *const by_status[] = { "status", NULL };
static const char *const by_policy[] = { "policy", "tenant", NULL };
static const char *const by_outcome[] = { "outcome", NULL };

static const char *
get_status_name (NebulaExecutionStatus status)
{
  return nebula_execution_status_to_string (status);
}

static NebulaMetric *
declare_durations (NebulaMetrics *metrics)
{
  return nebula_metrics_declare_histogram (metrics, "nebula_execution_duration_seconds",
                                           "How long executions took, from start to end, waits included", by_status, NULL, 0);
}

/* After a commit, before the instance takes the status on. */
void
_nebula_meter_note (NebulaInstance *instance, NebulaExecutionStatus status)
{
  NebulaEngine *engine = instance->engine;
  NebulaState *state = nebula_kernel_get_state (instance->kernel);
  const char *const labels[] = { get_status_name (status), NULL };

  if (instance->committed == 0)
    engine->statistics.n_started++;
  if (!nebula_execution_status_is_terminal (status) || nebula_execution_status_is_terminal (instance->committed_status))
    return;
  engine->statistics.n_ended[status]++;
  if (engine->metrics && !instance->is_away)
    nebula_metric_observe (declare_durations (engine->metrics), labels,
                           (double) (state->ended_usec - state->started_usec) / G_USEC_PER_SEC);
}

static void
set (NebulaMetrics *metrics, NebulaMetricKind kind, const char *name, const char *help, double number)
{
  nebula_metric_set (nebula_metrics_declare (metrics, kind, name, help, no_labels), NULL, number);
}

static void
collect_executions (NebulaEngine *self, NebulaMetrics *metrics)
{
  NebulaMetric *ended = nebula_metrics_declare (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_executions_ended_total",
                                                "Executions that ended in this process", by_status);

  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_executions_started_total", "Executions that this process started",
       (double) self->statistics.n_started);
  set (metrics, NEBULA_METRIC_KIND_GAUGE, "nebula_executions_in_memory", "Executions that are in memory",
       nebula_engine_get_n_active (self));
  set (metrics, NEBULA_METRIC_KIND_GAUGE, "nebula_executions_waiting", "Executions that wait outside memory",
       nebula_engine_get_n_waiting (self));
  for (guint status = 0; status < G_N_ELEMENTS (self->statistics.n_ended); status++) {
    const char *const labels[] = { get_status_name (status), NULL };

    if (nebula_execution_status_is_terminal (status))
      nebula_metric_set (ended, labels, (double) self->statistics.n_ended[status]);
  }
}

static void
collect_loop (NebulaEngine *self, NebulaMetrics *metrics)
{
  const NebulaEngineStatistics *statistics = &self->statistics;

  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_loop_pieces_total", "Pieces of work that the loop has done",
       (double) statistics->n_pieces);
  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_loop_long_pieces_total", "Pieces of more than 200 µs",
       (double) statistics->n_long);
  set (metrics, NEBULA_METRIC_KIND_GAUGE, "nebula_loop_longest_seconds", "The longest piece of work",
       (double) statistics->longest_usec / G_USEC_PER_SEC);
  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_turns_away_total", "Turns of executions that left the loop",
       (double) statistics->n_away);
  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_executions_loaded_total", "Executions read from the store",
       (double) statistics->n_loads);
}

static void
collect_journal (NebulaEngine *self, NebulaMetrics *metrics)
{
  NebulaJournalCounters counters = { 0 };

  nebula_journal_get_counters (self->journal, &counters);
  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_journal_units_total", "Units that were committed", (double) counters.units);
  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_journal_groups_total", "Commits of the store; each holds units",
       (double) counters.groups);
  set (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_journal_syncs_total", "Times that the disk was waited for",
       (double) counters.syncs);
}

static void
collect_memory (NebulaEngine *self, NebulaMetrics *metrics)
{
  if (!self->budget)
    return;
  set (metrics, NEBULA_METRIC_KIND_GAUGE, "nebula_memory_budget_bytes", "What the engine's budget allows",
       (double) nebula_budget_get_limit_bytes (self->budget));
  set (metrics, NEBULA_METRIC_KIND_GAUGE, "nebula_memory_used_bytes", "What is used of it",
       (double) nebula_budget_get_used_bytes (self->budget));
  set (metrics, NEBULA_METRIC_KIND_GAUGE, "nebula_memory_pressure", "0 none, 1 moderate, 2 high, 3 critical: nothing new starts",
       nebula_budget_get_pressure (self->budget));
}

static int
get_breaker_number (const char *state)
{
  return g_str_equal (state, "open") ? 2 : g_str_equal (state, "half-open") ? 1 : 0;
}

/* Policies that nobody uses go: each reading begins anew. */
static void
collect_policies (NebulaEngine *self, NebulaMetrics *metrics)
{
  static const struct {
    const char *member;
    const char *name;
    NebulaMetricKind kind;
    const char *help;
  } numbers[] = {
    { "running", "nebula_policy_running", NEBULA_METRIC_KIND_GAUGE, "Attempts that run behind the guard of a policy" },
    { "waiting", "nebula_policy_waiting", NEBULA_METRIC_KIND_GAUGE, "Attempts that wait for a place or a turn" },
    { "attempts", "nebula_policy_attempts_total", NEBULA_METRIC_KIND_COUNTER, "Attempts that came to the guard" },
    { "refused", "nebula_policy_refused_total", NEBULA_METRIC_KIND_COUNTER, "Attempts that it refused" },
    { "hedged", "nebula_policy_hedged_total", NEBULA_METRIC_KIND_COUNTER, "Second calls beside a slow one" },
  };
  g_autoptr (NebulaValue) policies = nebula_engine_list_policies (self);
  NebulaMetric *breaker = nebula_metrics_declare (metrics, NEBULA_METRIC_KIND_GAUGE, "nebula_policy_breaker_state",
                                                  "0 closed, 1 half-open, 2 open", by_policy);

  nebula_metric_clear (breaker);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    nebula_metric_clear (nebula_metrics_declare (metrics, numbers[i].kind, numbers[i].name, numbers[i].help, by_policy));
  for (gsize p = 0; p < nebula_value_get_length (policies); p++) {
    NebulaValue *policy = nebula_value_get_item (policies, p);
    const char *const labels[] = { nebula_value_get_member_string (policy, "name", ""),
                                   nebula_value_get_member_string (policy, "tenant", ""), NULL };
    const char *state = nebula_value_get_member_string (policy, "breaker", NULL);

    for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
      nebula_metric_set (nebula_metrics_declare (metrics, numbers[i].kind, numbers[i].name, numbers[i].help, by_policy), labels,
                         (double) nebula_value_get_member_integer (policy, numbers[i].member, 0));
    if (state)
      nebula_metric_set (breaker, labels, get_breaker_number (state));
  }
}

static void
collect_log (NebulaMetrics *metrics)
{
  static const struct {
    NebulaLogCount count;
    const char *outcome;
  } outcomes[] = {
    { NEBULA_LOG_COUNT_WRITTEN, "written" },
    { NEBULA_LOG_COUNT_DROPPED, "dropped" },
    { NEBULA_LOG_COUNT_FAILED, "failed" },
  };
  NebulaMetric *entries
      = nebula_metrics_declare (metrics, NEBULA_METRIC_KIND_COUNTER, "nebula_log_entries_total", "Entries of the log", by_outcome);

  for (guint i = 0; i < G_N_ELEMENTS (outcomes); i++) {
    const char *const labels[] = { outcomes[i].outcome, NULL };

    nebula_metric_set (entries, labels, (double) nebula_log_get_count (outcomes[i].count));
  }
}

static void
collect (NebulaMetrics *metrics, gpointer user_data)
{
  NebulaEngine *self = user_data;

  if (self->is_stopped)
    return;
  collect_executions (self, metrics);
  collect_loop (self, metrics);
  collect_journal (self, metrics);
  collect_memory (self, metrics);
  collect_policies (self, metrics);
  collect_log (metrics);
}

/**
 * nebula_engine_get_metrics:
 * @self: an engine
 *
 * Gets the engine's metrics; others may add theirs. From the first call on it also measures how long executions take. They
 * may be read in the engine's thread only, for that is where they are brought up to date; of an engine that has stopped they
 * tell what was read last.
 *
 * Returns: (transfer none): the metrics
 *
 * Since: 1.0
 */
NebulaMetrics *
nebula_engine_get_metrics (NebulaEngine *self)
{
  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);

  if (!self->metrics) {
    self->metrics = nebula_metrics_new ();
    self->collector = nebula_metrics_add_collector (self->metrics, collect, self, NULL);
  }
  return self->metrics;
}

void
_nebula_meter_stop (NebulaEngine *self)
{
  if (self->metrics)
    nebula_metrics_remove_collector (self->metrics, self->collector);
  g_clear_object (&self->metrics);
}
