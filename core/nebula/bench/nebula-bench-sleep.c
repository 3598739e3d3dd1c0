/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Executions that wait: how fast they go to sleep, what they cost asleep, how late they wake, how fast a new engine
 * takes them up. */

#include <glib/gi18n-lib.h>
#include <malloc.h>

#include "nebula-bench-floor-private.h"
#include "nebula-bench-world-private.h"

#define WORKFLOW                                                                           \
  "{\"nebula\": 1, \"name\": \"bench-sleeper\", \"nodes\": {"                              \
  "\"pause\": {\"action\": \"flow.wait\", \"with\": {\"until\": \"{{ $input.until }}\"}}," \
  " \"after\": {\"action\": \"data.set\", \"with\": {\"n\": 1}, \"after\": [\"pause\"]}}}"

#define SLEEPERS 10000
#define MILLION  1000000

static gboolean
all_sleep (NebulaBenchWorld *world, gpointer data)
{
  return nebula_engine_get_n_waiting (world->engine) == *(const guint *) data;
}

static gboolean
start_all (NebulaBenchWorld *world, guint n_sleepers, gint64 until_usec, GError **error)
{
  g_autoptr (NebulaPlan) plan = nebula_bench_world_deploy (world, WORKFLOW, error);
  g_autoptr (GDateTime) second =
      g_date_time_new_from_unix_utc (until_usec / G_USEC_PER_SEC);
  g_autoptr (GDateTime) until =
      g_date_time_add (second, (GTimeSpan) (until_usec % G_USEC_PER_SEC));
  g_autofree char *text = g_date_time_format (until, "%Y-%m-%dT%H:%M:%S.%fZ");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) input = NULL;

  nebula_value_builder_set_string (builder, "until", text);
  input = nebula_value_builder_end (builder);
  if (!plan)
    return FALSE;
  for (guint i = 0; i < n_sleepers; i++) {
    g_autoptr (NebulaExecution) execution =
        nebula_engine_start (world->engine, plan, input, NULL, error);

    guint n_started = i + 1;

    if (!execution)
      return FALSE;
    g_clear_object (&execution);
    /* A million do not start in one turn of the loop. */
    if (n_started % SLEEPERS == 0 &&
        !nebula_bench_world_turn_until (world, all_sleep, &n_started, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
all_ended (NebulaBenchWorld *world, gpointer data)
{
  return nebula_engine_get_n_waiting (world->engine) == 0 &&
         nebula_engine_get_n_active (world->engine) == 0;
}

static gboolean
check_completed (NebulaBenchWorld *world, guint n_sleepers, GError **error)
{
  NebulaHeaderQuery query = {.status_mask = 1u << NEBULA_EXECUTION_STATUS_COMPLETED,
                             .limit = n_sleepers + 1};
  g_autoptr (GPtrArray) headers = nebula_store_list_headers (world->store, &query, error);

  if (!headers)
    return FALSE;
  if (headers->len == n_sleepers)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
               _ ("%u of %u sleeping executions of the benchmark completed."),
               headers->len, n_sleepers);
  return FALSE;
}

/* Seconds in which all of them fall asleep. */
static gint64
get_pause (NebulaBench *bench, guint n_sleepers)
{
  return bench->is_quick ? 1 : 4 + n_sleepers / 2500;
}

/* Values: seconds to start, MiB of growth, seconds that the last wakes late, MiB of growth without free memory. */
static gboolean
sleep_and_wake (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  guint n_sleepers = *(const guint *) data;
  g_auto (NebulaBenchWorld) world = {NULL};
  gint64 until_usec;
  double resident;
  double start;

  if (!nebula_bench_world_open (&world, bench, NEBULA_BENCH_STORE_SQLITE, error))
    return FALSE;
  /* Long enough for all of them to fall asleep, on a slow disk too. */
  until_usec = g_get_real_time () + get_pause (bench, n_sleepers) * G_USEC_PER_SEC;
  resident = nebula_bench_get_resident ();
  start = nebula_bench_now ();
  if (!start_all (&world, n_sleepers, until_usec, error) ||
      !nebula_bench_world_turn_until (&world, all_sleep, data, error))
    return FALSE;
  ret_values[0] = nebula_bench_now () - start;
  ret_values[1] = nebula_bench_get_resident () - resident;
  malloc_trim (0);
  ret_values[3] = nebula_bench_get_resident () - resident;
  if (!nebula_bench_world_turn_until (&world, all_ended, NULL, error))
    return FALSE;
  ret_values[2] = (double) (g_get_real_time () - until_usec) / G_USEC_PER_SEC;
  return check_completed (&world, n_sleepers, error);
}

/* Values: seconds to write the rows, to wake them, to read them. */
static gboolean
run_floor (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  g_autofree char *path = nebula_bench_new_path (bench, ".floor");
  g_autoptr (NebulaBenchFloor) floor = nebula_bench_floor_open (path, TRUE, error);
  guint n_rows = *(const guint *) data;
  guint n_read;
  double start;

  if (!floor || !nebula_bench_floor_run (floor, 1, n_rows, &ret_values[0], error))
    return FALSE;
  start = nebula_bench_now ();
  if (!nebula_bench_floor_read_all (floor, &n_read, error))
    return FALSE;
  ret_values[2] = nebula_bench_now () - start;
  start = nebula_bench_now ();
  if (!nebula_bench_floor_wake_all (floor, error))
    return FALSE;
  ret_values[1] = nebula_bench_now () - start;
  return n_read == n_rows;
}

static gboolean
sleep_by_the_million (NebulaBench *bench, GError **error)
{
  guint n_sleepers = MILLION;
  double ours[NEBULA_BENCH_VALUES];
  double rate;

  if (!nebula_bench_repeat (bench, sleep_and_wake, &n_sleepers, ours, error))
    return FALSE;
  rate = n_sleepers / ours[0] / 1e3;
  nebula_bench_add (bench, "start 1,000,000 waiting executions", "k/s", rate, 0,
                    NEBULA_BENCH_GOAL_NONE, 0);
  nebula_bench_add (bench, "resident memory grows by", "MiB", ours[1], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, 200);
  nebula_bench_add (bench, "the same, free memory given back", "MiB", ours[3], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, 200);
  nebula_bench_add (bench, "all have woken and ended after", "s", ours[2], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, 60);
  return TRUE;
}

gboolean
nebula_bench_sleepers (NebulaBench *bench, GError **error)
{
  guint n_sleepers = bench->is_quick ? 100 : SLEEPERS;
  g_autofree char *what = g_strdup_printf ("start %u waiting executions", n_sleepers);
  double ours[NEBULA_BENCH_VALUES];
  double floor[NEBULA_BENCH_VALUES];

  /* Memory that was used once is used again: the first time counts. */
  bench->repeats = 1;
  if (!nebula_bench_repeat (bench, run_floor, &n_sleepers, floor, error) ||
      !nebula_bench_repeat (bench, sleep_and_wake, &n_sleepers, ours, error))
    return FALSE;
  nebula_bench_add (bench, what, "ms", ours[0] * 1e3, floor[0] * 1e3,
                    NEBULA_BENCH_GOAL_RATIO_AT_MOST, 4);
  nebula_bench_add (bench, "resident memory grows by", "MiB", ours[1], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, 10);
  nebula_bench_add (bench, "the same, free memory given back", "MiB", ours[3], 0,
                    NEBULA_BENCH_GOAL_NONE, 0);
  nebula_bench_add (bench, "the last one ends late by", "ms", ours[2] * 1e3,
                    floor[1] * 1e3, NEBULA_BENCH_GOAL_AT_MOST, 100);
  nebula_bench_note (bench, "all are due at once; the end of the last one is committed");
  return !bench->is_long || sleep_by_the_million (bench, error);
}

/* Values: seconds until a new engine is ready, MiB of growth. */
static gboolean
recover (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  guint n_open = *(const guint *) data;
  g_auto (NebulaBenchWorld) world = {NULL};
  gint64 until_usec = g_get_real_time () + 3600 * (gint64) G_USEC_PER_SEC;
  double resident;
  double start;
  gint n_recovered;

  if (!nebula_bench_world_open (&world, bench, NEBULA_BENCH_STORE_SQLITE, error) ||
      !start_all (&world, n_open, until_usec, error) ||
      !nebula_bench_world_turn_until (&world, all_sleep, data, error))
    return FALSE;
  nebula_bench_world_stop_engine (&world);
  resident = nebula_bench_get_resident ();
  start = nebula_bench_now ();
  if (!nebula_bench_world_reopen_store (&world, error))
    return FALSE;
  nebula_bench_world_start_engine (&world);
  n_recovered = nebula_engine_recover (world.engine, error);
  ret_values[0] = nebula_bench_now () - start;
  ret_values[1] = nebula_bench_get_resident () - resident;
  if (n_recovered == (gint) n_open)
    return TRUE;
  if (n_recovered >= 0)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
                 _ ("%d of %u open executions of the benchmark were recovered."),
                 n_recovered, n_open);
  return FALSE;
}

static gboolean
recover_many (NebulaBench *bench, guint n_open, GError **error)
{
  g_autofree char *what = g_strdup_printf ("ready with %u open executions", n_open);
  double ours[NEBULA_BENCH_VALUES];
  double floor[NEBULA_BENCH_VALUES];

  bench->repeats = 1;
  if (!nebula_bench_repeat (bench, run_floor, &n_open, floor, error) ||
      !nebula_bench_repeat (bench, recover, &n_open, ours, error))
    return FALSE;
  nebula_bench_add (bench, what, "ms", ours[0] * 1e3, floor[2] * 1e3,
                    NEBULA_BENCH_GOAL_AT_MOST, 3000.0 * n_open / 100000);
  nebula_bench_note (
      bench, "target: 3 s for 100,000, in proportion; all of them wait for a time");
  return TRUE;
}

gboolean
nebula_bench_recovery (NebulaBench *bench, GError **error)
{
  return recover_many (bench, bench->is_quick ? 100 : SLEEPERS, error) &&
         (!bench->is_long || recover_many (bench, 10 * SLEEPERS, error));
}
