/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Chains, fan-out and sequences. */

#include <glib/gi18n-lib.h>

#include "nebula-bench-floor-private.h"
#include "nebula-bench-world-private.h"

#define CHAIN_LENGTH    100
#define SEQUENCE_LENGTH 40
#define FAN_OUT         1000

typedef struct {
  NebulaBenchStore store;
  const char *action;
  char *workflow;
  gint64 output;   /* the number that must come out: itself, or as its member n */
  guint n_effects; /* of one execution */
  guint total;
  guint at_once;
  guint floor_commits; /* 0: no floor */
  guint floor_rows;    /* in each commit */
} FlowCase;

/* Places in the values of a sample. */
enum {
  SECONDS,
  SYNCS,
  FLOOR_SECONDS,
};

static gboolean
check_output (const FlowCase *flow, NebulaValue *output, GError **error)
{
  gboolean is_object =
      output && nebula_value_get_kind (output) == NEBULA_VALUE_KIND_OBJECT;
  NebulaValue *number = is_object ? nebula_value_get_member (output, "n") : output;

  if (number && nebula_value_get_kind (number) == NEBULA_VALUE_KIND_INTEGER &&
      nebula_value_get_integer (number) == flow->output)
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
                       _ ("An execution of the benchmark gave a wrong result."));
  return FALSE;
}

static gboolean
run_executions (NebulaBench *bench,
                const FlowCase *flow,
                double *ret_values,
                GError **error)
{
  g_auto (NebulaBenchWorld) world = {NULL};
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (NebulaValue) output = NULL;
  NebulaBenchCost cost;
  guint64 n_effects;

  if (!nebula_bench_world_open (&world, bench, flow->store, error))
    return FALSE;
  plan = nebula_bench_world_deploy (&world, flow->workflow, error);
  if (!plan)
    return FALSE;
  /* The first one loads the module. */
  if (!nebula_bench_world_run (&world, plan, 1, 1, &cost, error))
    return FALSE;
  nebula_value_unref (cost.output);
  n_effects = nebula_bench_effect_get_count ();
  if (!nebula_bench_world_run (&world, plan, flow->total, flow->at_once, &cost, error))
    return FALSE;
  output = cost.output;
  n_effects = nebula_bench_effect_get_count () - n_effects;
  if (n_effects != (guint64) flow->n_effects * flow->total) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
                         _ ("The benchmark's actions did not run once each."));
    return FALSE;
  }
  ret_values[SECONDS] = cost.seconds;
  ret_values[SYNCS] = cost.syncs;
  return check_output (flow, output, error);
}

static gboolean
run_floor (NebulaBench *bench, const FlowCase *flow, double *ret_values, GError **error)
{
  g_autofree char *path = nebula_bench_new_path (bench, ".floor");
  g_autoptr (NebulaBenchFloor) floor = nebula_bench_floor_open (path, FALSE, error);

  /* The first commits make the files grow. */
  return floor &&
         nebula_bench_floor_run (floor, 3, 1, &ret_values[FLOOR_SECONDS], error) &&
         nebula_bench_floor_run (floor, flow->floor_commits, flow->floor_rows,
                                 &ret_values[FLOOR_SECONDS], error);
}

/* One after the other, so that both meet the same weather. */
static gboolean
run_pair (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const FlowCase *flow = data;

  return (flow->floor_commits == 0 || run_floor (bench, flow, ret_values, error)) &&
         run_executions (bench, flow, ret_values, error);
}

static const char *
describe (const FlowCase *flow, char **ret_text)
{
  const char *kind = flow->n_effects > 0 ? "effectful" : "pure";
  const char *level = flow->store == NEBULA_BENCH_STORE_MEMORY ? ", memory" : "";

  *ret_text = g_strdup_printf ("%s, %u at once%s", kind, flow->at_once, level);
  return *ret_text;
}

static gboolean
chain_effectful (NebulaBench *bench, guint at_once, GError **error)
{
  g_autofree char *workflow = nebula_bench_build_chain ("bench.effect", CHAIN_LENGTH);
  g_autofree char *what = NULL;
  g_autofree char *what_syncs = NULL;
  FlowCase flow = {.store = NEBULA_BENCH_STORE_SQLITE,
                   .workflow = workflow,
                   .output = CHAIN_LENGTH,
                   .n_effects = CHAIN_LENGTH,
                   .total = bench->is_quick ? at_once : MAX (at_once, 4),
                   .at_once = at_once,
                   .floor_rows = at_once};
  double values[NEBULA_BENCH_VALUES];
  double steps = (double) flow.total * CHAIN_LENGTH;

  flow.floor_commits = (guint) steps / at_once;
  if (!nebula_bench_repeat (bench, run_pair, &flow, values, error))
    return FALSE;
  nebula_bench_add (bench, describe (&flow, &what), "steps/s", steps / values[SECONDS],
                    steps / values[FLOOR_SECONDS], NEBULA_BENCH_GOAL_RATIO_AT_LEAST,
                    at_once == 1 ? 0.8 : 0.6);
  what_syncs = g_strconcat (what, ", syncs", NULL);
  nebula_bench_add (bench, what_syncs, "per step", values[SYNCS] / steps, 1.0 / at_once,
                    at_once == 16 ? NEBULA_BENCH_GOAL_NONE : NEBULA_BENCH_GOAL_AT_MOST,
                    at_once == 1 ? 1.0 : 0.05);
  return TRUE;
}

/* One execution alone may take one and a half commits and 1 µs for each step. */
static gboolean
chain_pure_alone (NebulaBench *bench, FlowCase *flow, GError **error)
{
  double values[NEBULA_BENCH_VALUES];
  double commit_ms;

  flow->floor_commits = bench->is_quick ? 2 : 200;
  flow->floor_rows = 1;
  if (!nebula_bench_repeat (bench, run_pair, flow, values, error))
    return FALSE;
  commit_ms = values[FLOOR_SECONDS] * 1e3 / flow->floor_commits;
  nebula_bench_add (bench, "pure, 1 at once, one execution", "ms",
                    values[SECONDS] * 1e3 / flow->total, commit_ms,
                    NEBULA_BENCH_GOAL_AT_MOST, 1.5 * commit_ms + CHAIN_LENGTH * 1e-3);
  nebula_bench_note (bench,
                     "floor: one commit; target: 1.5 commits + 1 µs for each step");
  return TRUE;
}

static gboolean
chain_pure (NebulaBench *bench, guint at_once, NebulaBenchStore store, GError **error)
{
  g_autofree char *workflow = nebula_bench_build_chain ("data.set", CHAIN_LENGTH);
  g_autofree char *what = NULL;
  FlowCase flow = {.store = store,
                   .workflow = workflow,
                   .output = CHAIN_LENGTH,
                   .total = bench->is_quick ? at_once
                            : at_once == 1  ? 50
                                            : 640,
                   .at_once = at_once};
  gboolean is_durable = store == NEBULA_BENCH_STORE_SQLITE;
  double values[NEBULA_BENCH_VALUES];
  double steps = (double) flow.total * CHAIN_LENGTH;

  if (at_once == 1)
    return chain_pure_alone (bench, &flow, error);
  /* The same facts as rows: a hundred for each execution, committed with those of the others. */
  flow.floor_commits = is_durable ? flow.total / at_once : 0;
  flow.floor_rows = at_once * CHAIN_LENGTH;
  if (!nebula_bench_repeat (bench, run_pair, &flow, values, error))
    return FALSE;
  nebula_bench_add (bench, describe (&flow, &what), "steps/s", steps / values[SECONDS],
                    is_durable ? steps / values[FLOOR_SECONDS] : 0,
                    is_durable && at_once == 64 ? NEBULA_BENCH_GOAL_NONE
                                                : NEBULA_BENCH_GOAL_AT_LEAST,
                    is_durable ? 500e3 : 1e6);
  return TRUE;
}

gboolean
nebula_bench_chain (NebulaBench *bench, GError **error)
{
  static const guint crowds[] = {1, 16, 64};

  for (guint i = 0; i < G_N_ELEMENTS (crowds); i++) {
    if (!chain_effectful (bench, crowds[i], error))
      return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (crowds); i++) {
    if (!chain_pure (bench, crowds[i], NEBULA_BENCH_STORE_SQLITE, error))
      return FALSE;
  }
  return chain_pure (bench, 16, NEBULA_BENCH_STORE_MEMORY, error);
}

static gboolean
fan_out (NebulaBench *bench, const char *action, double target, GError **error)
{
  g_autofree char *workflow = nebula_bench_build_loop (action, FAN_OUT, FAN_OUT,
                                                      "length ($nodes.each.result)");
  gboolean is_pure = g_str_equal (action, "data.set");
  FlowCase flow = {.store = NEBULA_BENCH_STORE_SQLITE,
                   .workflow = workflow,
                   .output = FAN_OUT,
                   .n_effects = is_pure ? 0 : FAN_OUT,
                   .total = bench->is_quick ? 1 : 5,
                   .at_once = 1,
                   .floor_rows = FAN_OUT};
  double values[NEBULA_BENCH_VALUES];

  flow.floor_commits = flow.total;
  if (!nebula_bench_repeat (bench, run_pair, &flow, values, error))
    return FALSE;
  nebula_bench_add (
      bench, is_pure ? "1 → 1,000 → join, pure" : "1 → 1,000 → join, effectful", "ms",
      values[SECONDS] * 1e3 / flow.total, values[FLOOR_SECONDS] * 1e3 / flow.total,
      NEBULA_BENCH_GOAL_RATIO_AT_MOST, target);
  return TRUE;
}

gboolean
nebula_bench_fan_out (NebulaBench *bench, GError **error)
{
  return fan_out (bench, "data.set", 2, error) &&
         fan_out (bench, "bench.effect", 8, error);
}

gboolean
nebula_bench_sequence (NebulaBench *bench, GError **error)
{
  g_autofree char *workflow = nebula_bench_build_chain ("bench.effect", SEQUENCE_LENGTH);
  FlowCase flow = {.store = NEBULA_BENCH_STORE_SQLITE,
                   .workflow = workflow,
                   .output = SEQUENCE_LENGTH,
                   .n_effects = SEQUENCE_LENGTH,
                   .total = bench->is_quick ? 1 : 10,
                   .at_once = 1,
                   .floor_rows = 1};
  double values[NEBULA_BENCH_VALUES];

  flow.floor_commits = flow.total * SEQUENCE_LENGTH;
  if (!nebula_bench_repeat (bench, run_pair, &flow, values, error))
    return FALSE;
  nebula_bench_add (bench, "40 effectful steps, one after another", "ms",
                    values[SECONDS] * 1e3 / flow.total,
                    values[FLOOR_SECONDS] * 1e3 / flow.total,
                    NEBULA_BENCH_GOAL_RATIO_AT_MOST, 1.5);
  return TRUE;
}
