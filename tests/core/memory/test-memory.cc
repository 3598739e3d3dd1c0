/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-test.h"

#include <thread>
#include <vector>

#include "nebula-arena.h"
#include "nebula-budget.h"
#include "nebula-cache.h"
#include "nebula-pool.h"

using nebula::LoopTest;
using nebula::Owned;
using nebula::Ref;

namespace
{

using Arena = Owned<NebulaArena, nebula_arena_unref>;
using Cache = Owned<NebulaCache, nebula_cache_unref>;
using Pool = Owned<NebulaPool, nebula_pool_unref>;
using Interner = Owned<NebulaInterner, nebula_interner_unref>;

TEST (Arena, GivesAlignedPiecesThatDoNotOverlap)
{
  Arena arena (nebula_arena_new (0));
  std::vector<std::pair<guint8 *, gsize>> pieces;

  for (gsize i = 0; i < 3000; i++) {
    gsize size = i % 97 == 0 ? 5000 : i % 500 == 3 ? 400000 : i % 40;
    guint8 *piece = (guint8 *) nebula_arena_alloc (arena.get (), size);

    ASSERT_NE (piece, nullptr);
    EXPECT_EQ ((gsize) piece % 16, 0u);
    memset (piece, (int) (i & 0xff), size);
    pieces.push_back ({piece, size});
  }
  for (gsize i = 0; i < pieces.size (); i++)
    for (gsize j = 0; j < pieces[i].second; j++)
      ASSERT_EQ (pieces[i].first[j], i & 0xff);
  EXPECT_EQ (nebula_arena_get_count (arena.get ()), 3000u);
  EXPECT_GE (nebula_arena_get_reserved_bytes (arena.get ()), nebula_arena_get_used_bytes (arena.get ()));
  EXPECT_LT (nebula_arena_get_reserved_bytes (arena.get ()), 2 * nebula_arena_get_used_bytes (arena.get ()));
  nebula_arena_reset (arena.get ());
  EXPECT_EQ (nebula_arena_get_reserved_bytes (arena.get ()), 0u);
  EXPECT_EQ (nebula_arena_get_count (arena.get ()), 0u);
}

TEST (Arena, KeepsItsLimit)
{
  Arena arena (nebula_arena_new (1000));

  EXPECT_NE (nebula_arena_alloc (arena.get (), 500), nullptr);
  EXPECT_FALSE (nebula_arena_is_full (arena.get ()));
  EXPECT_EQ (nebula_arena_alloc (arena.get (), 500), nullptr) << "512 of them are gone";
  EXPECT_TRUE (nebula_arena_is_full (arena.get ()));
  EXPECT_NE (nebula_arena_alloc (arena.get (), 480), nullptr);
  EXPECT_EQ (nebula_arena_alloc (arena.get (), G_MAXSIZE), nullptr);
  nebula_arena_reset (arena.get ());
  EXPECT_FALSE (nebula_arena_is_full (arena.get ()));
  EXPECT_NE (nebula_arena_alloc (arena.get (), 900), nullptr);
}

TEST (Arena, CopiesTextsAndZeros)
{
  Arena arena (nebula_arena_new (0));
  const char *text = (const char *) nebula_arena_copy (arena.get (), "hello", 5);
  const guint8 *zeros = (const guint8 *) nebula_arena_alloc0 (arena.get (), 100);

  EXPECT_STREQ (text, "hello");
  for (int i = 0; i < 100; i++)
    EXPECT_EQ (zeros[i], 0);
}

TEST (Arena, IsFreedWithItsScope)
{
  Ref<NebulaScope> global (nebula_scope_new_global ());
  Ref<NebulaScope> scope (nebula_scope_new_child (global.get (), NEBULA_SCOPE_KIND_EXECUTION, "exe_1"));
  Arena arena (nebula_arena_new_for_scope (scope.get (), 0));

  nebula_arena_alloc (arena.get (), 100000);
  EXPECT_GT (nebula_arena_get_reserved_bytes (arena.get ()), 0u);
  nebula_scope_end (scope.get ());
  EXPECT_EQ (nebula_arena_get_reserved_bytes (arena.get ()), 0u);
  nebula_scope_end (global.get ());
}

TEST (Pool, UsesPiecesAgain)
{
  Pool pool (nebula_pool_new (48, 1));
  NebulaPoolStatistics statistics;
  guint8 *first = (guint8 *) nebula_pool_take (pool.get ());
  gpointer second = nebula_pool_take (pool.get ());

  memset (first, 7, 48);
  nebula_pool_give_back (pool.get (), first);
  nebula_pool_give_back (pool.get (), second); /* one too many to be kept */
  guint8 *again = (guint8 *) nebula_pool_take (pool.get ());
  for (int i = 0; i < 48; i++)
    EXPECT_EQ (again[i], 0);
  nebula_pool_get_statistics (pool.get (), &statistics);
  EXPECT_EQ (statistics.n_used, 1u);
  EXPECT_EQ (statistics.n_idle, 0u);
  EXPECT_EQ (statistics.n_made, 2u);
  EXPECT_EQ (statistics.n_reused, 1u);
  nebula_pool_give_back (pool.get (), again);
}

class CacheTest : public testing::Test
{
protected:
  Cache make (guint entries, gsize bytes, gint64 ttl)
  {
    NebulaCacheLimits limits = {entries, bytes, ttl};

    return Cache (nebula_cache_new (
        &limits, [] (gpointer text) -> gpointer { return g_ref_string_acquire ((char *) text); },
        [] (gpointer text) { g_ref_string_release ((char *) text); }, NEBULA_CLOCK (clock_.get ())));
  }
  void put (Cache &cache, const char *key, const char *text, gsize bytes = 1)
  {
    char *thing = g_ref_string_new (text);

    nebula_cache_put (cache.get (), key, thing, bytes);
    g_ref_string_release (thing);
  }
  std::string get (Cache &cache, const char *key)
  {
    char *thing = (char *) nebula_cache_get (cache.get (), key);
    std::string text = thing ? thing : "(none)";

    g_clear_pointer (&thing, g_ref_string_release);
    return text;
  }
  NebulaCacheStatistics statistics (Cache &cache)
  {
    NebulaCacheStatistics statistics;

    nebula_cache_get_statistics (cache.get (), &statistics);
    return statistics;
  }
  Ref<NebulaManualClock> clock_{nebula_manual_clock_new (0, 1)};
};

TEST_F (CacheTest, LetsGoWhatWasNotUsedForLongest)
{
  Cache cache = make (2, 0, 0);

  put (cache, "a", "1");
  put (cache, "b", "2");
  EXPECT_EQ (get (cache, "a"), "1");
  put (cache, "c", "3");
  EXPECT_EQ (get (cache, "b"), "(none)");
  EXPECT_EQ (get (cache, "a"), "1");
  EXPECT_EQ (get (cache, "c"), "3");
  put (cache, "a", "other");
  EXPECT_EQ (get (cache, "a"), "other");
  NebulaCacheStatistics s = statistics (cache);
  EXPECT_EQ (s.n_hits, 4u);
  EXPECT_EQ (s.n_misses, 1u);
  EXPECT_EQ (s.n_evicted, 1u);
  EXPECT_EQ (s.n_entries, 2u);
  EXPECT_TRUE (nebula_cache_remove (cache.get (), "a"));
  EXPECT_FALSE (nebula_cache_remove (cache.get (), "a"));
  nebula_cache_shrink (cache.get (), 0);
  EXPECT_EQ (statistics (cache).n_entries, 0u);
}

TEST_F (CacheTest, KeepsItsWeight)
{
  Cache cache = make (0, 100, 0);

  put (cache, "a", "1", 60);
  put (cache, "b", "2", 60);
  EXPECT_EQ (get (cache, "a"), "(none)");
  put (cache, "huge", "3", 101);
  EXPECT_EQ (get (cache, "huge"), "(none)");
  EXPECT_EQ (get (cache, "b"), "2");
  EXPECT_EQ (statistics (cache).n_bytes, 60u);
}

TEST_F (CacheTest, LetsGoWhatIsTooOld)
{
  Cache cache = make (0, 0, 1000);

  put (cache, "a", "1");
  nebula_manual_clock_advance (clock_.get (), 999);
  EXPECT_EQ (get (cache, "a"), "1");
  nebula_manual_clock_advance (clock_.get (), 1);
  EXPECT_EQ (get (cache, "a"), "(none)");
  EXPECT_EQ (statistics (cache).n_expired, 1u);
  EXPECT_FALSE (nebula_cache_remove (cache.get (), "a"));
}

TEST_F (CacheTest, IsSharedByThreads)
{
  Cache cache = make (50, 0, 0);
  std::vector<std::thread> threads;

  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 2000; i++) {
        std::string key = std::to_string (i % 100);
        put (cache, key.c_str (), key.c_str ());
        std::string text = get (cache, key.c_str ());
        EXPECT_TRUE (text == key || text == "(none)");
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (statistics (cache).n_entries, 50u);
}

TEST (Interner, GivesOneCopyOfEachText)
{
  Interner interner (nebula_interner_new (2));
  NebulaCacheStatistics statistics;
  char *a = nebula_interner_intern (interner.get (), "alpha");
  char *again = nebula_interner_intern (interner.get (), "alpha");
  char *b = nebula_interner_intern (interner.get (), "beta");
  char *c = nebula_interner_intern (interner.get (), "gamma");

  EXPECT_EQ (a, again);
  EXPECT_STREQ (b, "beta");
  /* It is bounded; who holds a text keeps it. */
  char *new_a = nebula_interner_intern (interner.get (), "alpha");
  EXPECT_NE (a, new_a);
  EXPECT_STREQ (a, "alpha");
  nebula_interner_get_statistics (interner.get (), &statistics);
  EXPECT_EQ (statistics.n_entries, 2u);
  EXPECT_EQ (statistics.n_hits, 1u);
  EXPECT_EQ (statistics.n_evicted, 2u);
  for (char *text : {a, again, b, c, new_a})
    g_ref_string_release (text);
}

class BudgetTest : public LoopTest
{
};

TEST_F (BudgetTest, RefusesAboveTheLimitAndTellsThePressure)
{
  Ref<NebulaBudget> budget (nebula_budget_new (1000));
  std::vector<int> told;

  g_signal_connect (budget.get (), "pressure-changed",
                    G_CALLBACK (+[] (NebulaBudget *, NebulaPressure pressure, std::vector<int> *list) { list->push_back (pressure); }),
                    &told);
  EXPECT_TRUE (nebula_budget_reserve (budget.get (), 700));
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_NONE);
  EXPECT_TRUE (nebula_budget_reserve (budget.get (), 50));
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_MODERATE);
  EXPECT_FALSE (nebula_budget_reserve (budget.get (), 251));
  EXPECT_EQ (nebula_budget_get_used_bytes (budget.get ()), 750u);
  EXPECT_EQ (nebula_budget_get_n_refused (budget.get ()), 1u);
  nebula_budget_observe (budget.get (), 200);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_HIGH);
  nebula_budget_observe (budget.get (), 250);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_CRITICAL);
  EXPECT_FALSE (nebula_budget_reserve (budget.get (), 1));
  while (g_main_context_iteration (context_, FALSE))
    ;
  EXPECT_EQ (told, std::vector<int>{NEBULA_PRESSURE_CRITICAL}) << "what comes fast is told as one";

  /* A level ends a little below where it began. */
  nebula_budget_observe (budget.get (), 160);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_HIGH);
  nebula_budget_observe (budget.get (), 110);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_HIGH) << "86 %";
  nebula_budget_observe (budget.get (), 90);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_MODERATE) << "84 %";
  nebula_budget_release (budget.get (), 750);
  EXPECT_EQ (nebula_budget_get_pressure (budget.get ()), NEBULA_PRESSURE_NONE);
  while (g_main_context_iteration (context_, FALSE))
    ;
  EXPECT_EQ (told, (std::vector<int>{NEBULA_PRESSURE_CRITICAL, NEBULA_PRESSURE_NONE}));
  EXPECT_EQ (nebula_budget_get_peak_bytes (budget.get ()), 1000u);
  EXPECT_EQ (nebula_budget_get_limit_bytes (budget.get ()), 1000u);
}

TEST_F (BudgetTest, IsSharedByThreads)
{
  Ref<NebulaBudget> budget (nebula_budget_new (1 << 20));
  std::vector<std::thread> threads;

  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 5000; i++)
        if (nebula_budget_reserve (budget.get (), (guint64) i))
          nebula_budget_release (budget.get (), (guint64) i);
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (nebula_budget_get_used_bytes (budget.get ()), 0u);
  while (g_main_context_iteration (context_, FALSE))
    ;
}

} // namespace
