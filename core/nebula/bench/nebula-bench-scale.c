/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Does the cost stay in proportion? Long loops and large graphs. */

#include "nebula-bench-world-private.h"
#include "nebula-json.h"

#define SIZES 3
#define MOST_NODES 1000000

/* What each item may cost above what it costs at the smallest size, and still be called linear. */
#define LINEAR 1.5
#define FLAT   2.0

static const guint sizes[SIZES] = {1000, 10000, 100000};

static guint
get_size (NebulaBench *bench, guint index)
{
  return bench->is_quick ? sizes[index] / 100 : sizes[index];
}

static void
add_scaled (NebulaBench *bench,
            const char *format_what,
            guint size,
            const char *unit,
            double ours,
            double smallest)
{
  g_autofree char *what = g_strdup_printf ("%u %s", size, format_what);
  gboolean is_memory = g_str_equal (unit, "MiB");

  nebula_bench_add (bench, what, unit, ours, smallest,
                    smallest > 0 ? NEBULA_BENCH_GOAL_RATIO_AT_MOST
                                 : NEBULA_BENCH_GOAL_NONE,
                    is_memory ? FLAT : LINEAR);
  if (smallest > 0)
    nebula_bench_note (bench, "floor: the same at the smallest size");
}

/* Values: seconds, MiB of growth at the peak. */
static gboolean
loop (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  guint n_items = *(const guint *) data;
  g_auto (NebulaBenchWorld) world = {NULL};
  /* Whoever asks for all results at once has them in memory; the loop itself must not. */
  g_autofree char *workflow =
      nebula_bench_build_loop ("data.set", n_items, 8, "$nodes.each.status");
  g_autoptr (NebulaPlan) plan = NULL;
  NebulaBenchCost cost;
  double resident;

  if (!nebula_bench_world_open (&world, bench, NEBULA_BENCH_STORE_SQLITE, error))
    return FALSE;
  plan = nebula_bench_world_deploy (&world, workflow, error);
  resident = nebula_bench_get_resident ();
  nebula_bench_reset_peak ();
  if (!plan || !nebula_bench_world_run (&world, plan, 1, 1, &cost, error))
    return FALSE;
  nebula_value_unref (cost.output);
  ret_values[0] = cost.seconds;
  ret_values[1] = nebula_bench_get_peak () - resident;
  return TRUE;
}

gboolean
nebula_bench_for_each (NebulaBench *bench, GError **error)
{
  double smallest[NEBULA_BENCH_VALUES] = {0};

  bench->repeats = 1;
  for (guint i = 0; i < SIZES; i++) {
    g_autoptr (GError) local_error = NULL;
    double values[NEBULA_BENCH_VALUES];
    guint n_items = get_size (bench, i);

    if (!nebula_bench_repeat (bench, loop, &n_items, values, &local_error)) {
      g_autofree char *what = g_strdup_printf ("%u items", n_items);

      nebula_bench_add_missing (bench, what, local_error->message);
      continue;
    }
    add_scaled (bench, "items", n_items, "µs/item", values[0] * 1e6 / n_items,
                smallest[0]);
    add_scaled (bench, "items, memory grows by", n_items, "MiB", values[1], smallest[1]);
    if (i == 0) {
      smallest[0] = values[0] * 1e6 / n_items;
      smallest[1] = values[1];
    }
  }
  return TRUE;
}

/* The same chain as a value: a file may not be so large. */
static NebulaValue *
build_node (guint i)
{
  g_autofree char *text =
      i == 0 ? g_strdup ("{\"action\": \"data.set\", \"with\": {\"n\": 1}}")
             : g_strdup_printf ("{\"action\": \"data.set\", \"with\":"
                                " {\"n\": \"{{ $json.n + 1 }}\"}, \"after\": [\"s%u\"]}",
                                i - 1);

  return nebula_value_parse_json (text, -1, NEBULA_JSON_FLAGS_NONE, NULL);
}

static NebulaWorkflow *
build_graph (guint n_nodes, GError **error)
{
  g_autoptr (NebulaValueBuilder) nodes = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) definition = NULL;

  for (guint i = 0; i < n_nodes; i++) {
    g_autofree char *id = g_strdup_printf ("s%u", i);

    nebula_value_builder_set_take (nodes, id, build_node (i));
  }
  nebula_value_builder_set_integer (builder, "nebula", 1);
  nebula_value_builder_set_string (builder, "name", "bench-chain");
  nebula_value_builder_set_take (builder, "nodes", nebula_value_builder_end (nodes));
  definition = nebula_value_builder_end (builder);
  return nebula_workflow_new_from_value (definition, NULL, error);
}

static NebulaWorkflow *
read_graph (guint n_nodes, GError **error)
{
  g_autofree char *text =
      n_nodes < MOST_NODES ? nebula_bench_build_chain ("data.set", n_nodes) : NULL;

  return text ? nebula_bench_read_workflow (text, error) : build_graph (n_nodes, error);
}

/* Values: seconds to read, to compile, to run; MiB that reading and compiling take at most. */
static gboolean
graph (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  guint n_nodes = *(const guint *) data;
  g_auto (NebulaBenchWorld) world = {NULL};
  g_autoptr (GPtrArray) diagnostics =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (NebulaWorkflow) workflow = NULL;
  g_autoptr (NebulaPlan) plan = NULL;
  NebulaBenchCost cost;
  double resident;
  double start;

  if (!nebula_bench_world_open (&world, bench, NEBULA_BENCH_STORE_SQLITE, error))
    return FALSE;
  nebula_engine_set_limits (world.engine, MOST_NODES, 2 * MOST_NODES);
  resident = nebula_bench_get_resident ();
  nebula_bench_reset_peak ();
  start = nebula_bench_now ();
  workflow = read_graph (n_nodes, error);
  ret_values[0] = nebula_bench_now () - start;
  if (!workflow)
    return FALSE;
  start = nebula_bench_now ();
  plan = nebula_engine_deploy (world.engine, workflow, diagnostics, error);
  ret_values[1] = nebula_bench_now () - start;
  ret_values[3] = nebula_bench_get_peak () - resident;
  if (!plan || !nebula_bench_world_run (&world, plan, 1, 1, &cost, error))
    return FALSE;
  nebula_value_unref (cost.output);
  ret_values[2] = cost.seconds;
  return TRUE;
}

static void
add_graph (NebulaBench *bench, guint n_nodes, const double *values, double *smallest)
{
  static const char *const parts[] = {"nodes, read", "nodes, compile", "nodes, run"};
  double bytes = values[3] * 1024 * 1024 / n_nodes;

  for (guint j = 0; j < G_N_ELEMENTS (parts); j++) {
    double each = values[j] * 1e6 / n_nodes;

    add_scaled (bench, parts[j], n_nodes, "µs/node", each, smallest[j]);
    if (smallest[j] <= 0)
      smallest[j] = each;
  }
  add_scaled (bench, "nodes, memory to read and compile", n_nodes, "B/node", bytes, smallest[3]);
  if (smallest[3] <= 0)
    smallest[3] = bytes;
}

static void
measure_graph (NebulaBench *bench, guint n_nodes, double *smallest)
{
  double values[NEBULA_BENCH_VALUES];
  g_autofree char *what = g_strdup_printf ("%u nodes", n_nodes);
  g_autoptr (GError) local_error = NULL;

  if (nebula_bench_repeat (bench, graph, &n_nodes, values, &local_error))
    add_graph (bench, n_nodes, values, smallest);
  else
    nebula_bench_add_missing (bench, what, local_error->message);
}

gboolean
nebula_bench_graph (NebulaBench *bench, GError **error)
{
  double smallest[NEBULA_BENCH_VALUES] = {0};

  bench->repeats = 1;
  for (guint i = 0; i < SIZES; i++)
    measure_graph (bench, get_size (bench, i), smallest);
  if (bench->is_long)
    measure_graph (bench, MOST_NODES, smallest);
  return TRUE;
}
