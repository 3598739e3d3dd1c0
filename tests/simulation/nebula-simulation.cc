/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Simulates executions of random workflows in virtual time, in one thread, from a seed: crashes at every commit, lost,
 * late and doubled results, time that jumps, cancels and signals at bad moments.
 *
 *   nebula-simulation --seeds 2000            seeds 1 … 2000
 *   nebula-simulation --seed 17 --verbose     one seed, with what happens
 *   nebula-simulation --seeds 500 --plant fold|ahead|repeat|early|cancel|tokens|blob    a bug that must be caught
 *
 * Invariants: the fold of the committed facts is the state that was; nothing starts before the facts behind it are
 * committed, after a committed cancel, or again when its result is committed; no effect of unknown outcome is repeated;
 * no timer fires early; every execution ends; a checkpoint and the facts after it give the state that all facts give; an
 * execution that leaves memory as a checkpoint now and then has the same history as one that never does, and as one that
 * has so little fuel on the loop that many decisions are put off and taken away from it; all that the history stored can
 * be read.
 */

#include "simulation.h"

namespace
{

guint n_away; /* of all seeds: a check that proves nothing must be seen */

/* Once more, with little fuel on the loop. */
void
run_away (uint64_t seed, Simulation &expected)
{
  Simulation simulation (seed, Plant::None, false, seed % 2, 1 + seed % 40);

  simulation.run ();
  n_away += simulation.get_n_away ();
  CHECK (simulation.history () == expected.history (),
         "the facts differ when heavy decisions are taken away from the loop");
}

bool
run_seed (uint64_t seed, Plant plant, bool verbose)
{
  try {
    Simulation with (seed, plant, verbose, true);
    Simulation without (seed, plant, false, false);

    with.run ();
    without.run ();
    CHECK (with.history () == without.history (), "checkpoints change the history");
    if (plant == Plant::None)
      run_away (seed, without);
    return true;
  } catch (const Failure &failure) {
    if (verbose || plant == Plant::None)
      fprintf (stderr, "seed %" G_GUINT64_FORMAT ": %s\n", (guint64) seed,
               failure.text.c_str ());
    return false;
  }
}

Plant
parse_plant (const char *name)
{
  static const std::map<std::string, Plant> plants = {{"fold", Plant::Fold},
                                                      {"ahead", Plant::Ahead},
                                                      {"repeat", Plant::Repeat},
                                                      {"early", Plant::Early},
                                                      {"cancel", Plant::Cancel},
                                                      {"tokens", Plant::Tokens},
                                                      {"blob", Plant::Blob}};
  auto found = plants.find (name);

  return found == plants.end () ? Plant::None : found->second;
}

} // namespace

int
main (int argc, char **argv)
{
  gint64 n_seeds = 2000;
  gint64 one_seed = 0;
  char *plant_name = nullptr;
  gboolean verbose = FALSE;
  GOptionEntry entries[] = {
      {"seeds", 0, 0, G_OPTION_ARG_INT64, &n_seeds, "Run the seeds 1 to N", "N"},
      {"seed", 0, 0, G_OPTION_ARG_INT64, &one_seed, "Run one seed", "N"},
      {"plant", 0, 0, G_OPTION_ARG_STRING, &plant_name, "Plant a bug that must be caught",
       "NAME"},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, "Say what happens", nullptr},
      {},
  };
  GOptionContext *context = g_option_context_new (nullptr);
  GError *error = nullptr;
  guint n_failed = 0;

  testing::InitGoogleTest (&argc, argv);
  g_option_context_add_main_entries (context, entries, nullptr);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 2;
  }
  g_option_context_free (context);
  Plant plant = plant_name ? parse_plant (plant_name) : Plant::None;
  gint64 first = one_seed ? one_seed : 1;
  gint64 last = one_seed ? one_seed : n_seeds;

  for (gint64 seed = first; seed <= last; seed++)
    n_failed += !run_seed ((uint64_t) seed, plant, verbose);
  printf ("%" G_GINT64_FORMAT " seeds, %u failed, %u decisions taken away%s%s\n",
          last - first + 1, n_failed, n_away, plant_name ? ", planted " : "",
          plant_name ? plant_name : "");
  if (plant == Plant::None && !one_seed && n_away == 0)
    return 1;
  if (plant != Plant::None)
    return n_failed > 0 ? 0 : 1;
  return n_failed == 0 ? 0 : 1;
}
