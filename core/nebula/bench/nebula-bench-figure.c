/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Figures: measuring them, judging them, and the memory of this process. */

#include <glib/gi18n-lib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-bench-private.h"

#define REPEATS_MAX 16

static int
compare (const void *a, const void *b)
{
  const double *first = a;
  const double *second = b;

  return (*first > *second) - (*first < *second);
}

static double
get_median (double *values, guint n_values)
{
  qsort (values, n_values, sizeof *values, compare);
  return n_values % 2 ? values[n_values / 2]
                      : (values[n_values / 2 - 1] + values[n_values / 2]) / 2;
}

gboolean
nebula_bench_repeat (NebulaBench *bench,
                     NebulaBenchSample sample,
                     gpointer data,
                     double *ret_values,
                     GError **error)
{
  double all[NEBULA_BENCH_VALUES][REPEATS_MAX];
  guint repeats = MIN (bench->repeats, REPEATS_MAX);

  for (guint i = 0; i < repeats; i++) {
    double values[NEBULA_BENCH_VALUES] = {0};

    if (!sample (bench, data, values, error))
      return FALSE;
    for (guint j = 0; j < NEBULA_BENCH_VALUES; j++)
      all[j][i] = values[j];
  }
  for (guint j = 0; j < NEBULA_BENCH_VALUES; j++)
    ret_values[j] = get_median (all[j], repeats);
  return TRUE;
}

static gboolean
is_met (NebulaBenchGoal goal, double target, double ours, double ratio)
{
  switch (goal) {
  case NEBULA_BENCH_GOAL_AT_MOST:
    return ours <= target;
  case NEBULA_BENCH_GOAL_AT_LEAST:
    return ours >= target;
  case NEBULA_BENCH_GOAL_RATIO_AT_MOST:
    return ratio <= target;
  case NEBULA_BENCH_GOAL_RATIO_AT_LEAST:
    return ratio >= target;
  case NEBULA_BENCH_GOAL_NONE:
  default:
    return TRUE;
  }
}

static char *
describe_goal (NebulaBenchGoal goal, double target)
{
  gboolean is_most =
      goal == NEBULA_BENCH_GOAL_AT_MOST || goal == NEBULA_BENCH_GOAL_RATIO_AT_MOST;
  gboolean is_ratio =
      goal == NEBULA_BENCH_GOAL_RATIO_AT_MOST || goal == NEBULA_BENCH_GOAL_RATIO_AT_LEAST;

  return g_strdup_printf ("%s %.*f%s", is_most ? "≤" : "≥", target >= 100 ? 0 : 2, target,
                          is_ratio ? " × floor" : "");
}

static void
set_number (NebulaValueBuilder *builder, const char *key, double number)
{
  nebula_value_builder_set_take (builder, key, nebula_value_new_float (number));
}

static NebulaValueBuilder *
start_figure (NebulaBench *bench, const char *what)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "suite", bench->suite);
  nebula_value_builder_set_string (builder, "what", what);
  return builder;
}

void
nebula_bench_add (NebulaBench *bench,
                  const char *what,
                  const char *unit,
                  double ours,
                  double floor,
                  NebulaBenchGoal goal,
                  double target)
{
  g_autoptr (NebulaValueBuilder) builder = start_figure (bench, what);
  g_autofree char *wanted = NULL;
  double ratio = floor > 0 ? ours / floor : 0;

  if (goal != NEBULA_BENCH_GOAL_NONE)
    wanted = describe_goal (goal, target);
  nebula_value_builder_set_string (builder, "unit", unit);
  set_number (builder, "ours", ours);
  if (floor > 0) {
    set_number (builder, "floor", floor);
    set_number (builder, "ratio", ratio);
  }
  if (wanted) {
    nebula_value_builder_set_string (builder, "target", wanted);
    nebula_value_builder_set_string (builder, "verdict",
                                     is_met (goal, target, ours, ratio) ? "ok" : "miss");
  }
  g_ptr_array_add (bench->figures, nebula_value_builder_end (builder));
}

void
nebula_bench_note (NebulaBench *bench, const char *note)
{
  g_autoptr (NebulaValue) text = nebula_value_new_string (note);
  guint last = bench->figures->len - 1;
  NebulaValue *figure = bench->figures->pdata[last];

  bench->figures->pdata[last] = nebula_value_with_member (figure, "note", text);
  nebula_value_unref (figure);
}

void
nebula_bench_add_missing (NebulaBench *bench, const char *what, const char *why)
{
  g_autoptr (NebulaValueBuilder) builder = start_figure (bench, what);

  nebula_value_builder_set_string (builder, "verdict", "not-measured");
  nebula_value_builder_set_string (builder, "note", why);
  g_ptr_array_add (bench->figures, nebula_value_builder_end (builder));
}

char *
nebula_bench_new_path (NebulaBench *bench, const char *suffix)
{
  g_autofree char *name =
      g_strdup_printf ("%s-%u%s", bench->suite, ++bench->n_files, suffix);

  return g_build_filename (bench->folder, name, NULL);
}

char *
nebula_bench_find_helper (NebulaBench *bench, const char *name)
{
  g_autofree char *path = g_build_filename (bench->helpers, name, NULL);

  return g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer (&path) : NULL;
}

double
nebula_bench_now (void)
{
  return (double) g_get_monotonic_time () / G_USEC_PER_SEC;
}

static double
read_status (const char *key)
{
  g_autofree char *text = NULL;
  const char *place;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  place = strstr (text, key);
  return place ? g_ascii_strtod (place + strlen (key), NULL) / 1024 : 0;
}

double
nebula_bench_get_resident (void)
{
  return read_status ("VmRSS:");
}

double
nebula_bench_get_peak (void)
{
  return read_status ("VmHWM:");
}

void
nebula_bench_reset_peak (void)
{
  /* A kernel without it leaves the peak as it is: then the figure is too high, never too low. */
  g_file_set_contents_full ("/proc/self/clear_refs", "5", 1, G_FILE_SET_CONTENTS_NONE,
                            0600, NULL);
}
