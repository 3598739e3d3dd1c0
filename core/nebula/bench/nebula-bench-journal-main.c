/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula-bench-journal FOLDER quick|full: units through the journal beside rows in SQLite; prints figures as JSON. The
 * journal is private to the library, so this program is linked with its parts. */

#include <string.h>

#include "nebula-bench-floor-private.h"
#include "nebula-bench-private.h"
#include "nebula-journal-internal.h"
#include "nebula-json.h"
#include "nebula-sqlite-store.h"

#define UNITS 4000

typedef struct {
  NebulaJournal *journal;
  GBytes *facts;
  guint64 *sequences; /* of each stream */
  guint at_once;
  guint n_submitted;
  guint n_answered;
  guint total;
  GError *error;
} Load;

static void submit (Load *load, guint stream);

static void
answered (const NebulaUnit *unit,
          NebulaOutcome outcome,
          const GError *error,
          gpointer user_data)
{
  Load *load = user_data;
  guint stream = (guint) g_ascii_strtoull (unit->stream + strlen ("bench-"), NULL, 10);

  load->n_answered++;
  if (outcome != NEBULA_OUTCOME_COMMITTED && !load->error)
    load->error = g_error_copy (error);
  if (load->n_submitted < load->total && !load->error)
    submit (load, stream);
}

static void
submit (Load *load, guint stream)
{
  g_autofree char *name = g_strdup_printf ("bench-%u", stream);
  guint64 sequence = load->sequences[stream]++;
  NebulaUnit *unit = nebula_unit_new (name, sequence);

  unit->n_facts = 1;
  unit->facts = g_bytes_ref (load->facts);
  unit->strict = TRUE;
  unit->header = nebula_header_new (name);
  unit->header->sequence = sequence + 1;
  unit->header->format = 1;
  unit->header->status = NEBULA_EXECUTION_STATUS_RUNNING;
  unit->header->workflow = g_strdup ("bench");
  unit->header->created_usec = 1;
  load->n_submitted++;
  nebula_journal_submit (load->journal, unit, answered, load);
}

/* Values: units in a second, syncs of all. */
static gboolean
run_journal (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  static const char content[NEBULA_BENCH_ROW_BYTES] = {1};
  guint at_once = *(const guint *) data;
  g_autofree char *path = nebula_bench_new_path (bench, ".db");
  g_autoptr (NebulaStore) store =
      nebula_sqlite_store_open (path, NEBULA_SQLITE_STORE_FLAGS_NONE, error);
  g_autoptr (GBytes) facts = g_bytes_new_static (content, sizeof content);
  g_autoptr (NebulaJournal) journal = NULL;
  g_autofree guint64 *sequences = g_new0 (guint64, at_once);
  NebulaJournalCounters counters;
  Load load = {.facts = facts,
               .sequences = sequences,
               .at_once = at_once,
               .total = bench->is_quick ? at_once * 2 : MAX (UNITS, at_once * 250)};
  double start;

  if (!store)
    return FALSE;
  journal = nebula_journal_new (store, FALSE);
  load.journal = journal;
  start = nebula_bench_now ();
  for (guint i = 0; i < at_once; i++)
    submit (&load, i);
  while (load.n_answered < load.n_submitted)
    g_main_context_iteration (NULL, TRUE);
  ret_values[0] = load.total / (nebula_bench_now () - start);
  nebula_journal_get_counters (journal, &counters);
  ret_values[1] = (double) counters.syncs / load.total;
  if (!load.error)
    return TRUE;
  g_propagate_error (error, load.error);
  return FALSE;
}

/* Values: rows in a second. */
static gboolean
run_floor (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  guint at_once = *(const guint *) data;
  g_autofree char *path = nebula_bench_new_path (bench, ".floor");
  g_autoptr (NebulaBenchFloor) floor = nebula_bench_floor_open (path, FALSE, error);
  guint n_commits = bench->is_quick ? 2 : MAX (UNITS / at_once, 250);
  double seconds;

  if (!floor || !nebula_bench_floor_run (floor, 3, 1, &seconds, error) ||
      !nebula_bench_floor_run (floor, n_commits, at_once, &seconds, error))
    return FALSE;
  ret_values[0] = n_commits * at_once / seconds;
  return TRUE;
}

static gboolean
measure (NebulaBench *bench, guint at_once, GError **error)
{
  g_autofree char *what =
      g_strdup_printf ("units through the journal, %u at once", at_once);
  g_autofree char *what_syncs = g_strdup_printf ("syncs, %u at once", at_once);
  double ours[NEBULA_BENCH_VALUES];
  double floor[NEBULA_BENCH_VALUES];

  if (!nebula_bench_repeat (bench, run_floor, &at_once, floor, error) ||
      !nebula_bench_repeat (bench, run_journal, &at_once, ours, error))
    return FALSE;
  nebula_bench_add (bench, what, "units/s", ours[0], floor[0], NEBULA_BENCH_GOAL_NONE, 0);
  nebula_bench_add (bench, what_syncs, "per unit", ours[1], 1.0 / at_once,
                    NEBULA_BENCH_GOAL_NONE, 0);
  return TRUE;
}

static void
print_figures (GPtrArray *figures)
{
  g_autoptr (NebulaValue) all =
      nebula_value_new_array ((NebulaValue **) figures->pdata, figures->len);
  g_autofree char *text = nebula_value_to_json (all, NEBULA_JSON_FLAGS_NONE);

  g_print ("%s\n", text);
}

int
main (int argc, char **argv)
{
  static const guint crowds[] = {1, 16, 64};
  g_autoptr (GPtrArray) figures =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  NebulaBench bench = {.suite = "journal", .figures = figures, .repeats = 3};
  g_autoptr (GError) error = NULL;

  if (argc != 3)
    return 2;
  bench.folder = argv[1];
  bench.is_quick = g_str_equal (argv[2], "quick");
  if (bench.is_quick)
    bench.repeats = 1;
  for (guint i = 0; i < G_N_ELEMENTS (crowds); i++) {
    if (!measure (&bench, crowds[i], &error)) {
      g_printerr ("nebula-bench-journal: %s\n", error->message);
      return 4;
    }
  }
  print_figures (figures);
  return 0;
}
