/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding executions by text and time, and letting old ones go. */

#include <sqlite3.h>

#include "nebula-memory-store.h"
#include "nebula-sqlite-store.h"
#include "nebula-store-test.h"

using namespace nebula;
using testing::ElementsAre;
using testing::IsEmpty;

namespace
{

class StoreSearch : public testing::Test
{
protected:
  void SetUp () override
  {
    reopen ();
  }
  void reopen ()
  {
    Error error;
    g_clear_object (&store);
    store = nebula_sqlite_store_open (dir.file ("s.db").c_str (),
                                      NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ());
    ASSERT_TRUE (store) << error.message ();
  }
  void TearDown () override
  {
    g_clear_object (&store);
  }

  NebulaUnit *make (const std::string &id, const char *text, gint64 time, NebulaExecutionStatus status)
  {
    NebulaUnit *unit = facts_unit (id.c_str (), 0, 1, "x");

    unit->text = g_strdup (text);
    unit->header->created_usec = time;
    unit->header->updated_usec = time;
    unit->header->status = status;
    return unit;
  }

  void add (const std::string &id,
            const char *text,
            gint64 time = 1,
            NebulaExecutionStatus status = NEBULA_EXECUTION_STATUS_COMPLETED)
  {
    ASSERT_EQ (commit_one (store, make (id, text, time, status)), NEBULA_OUTCOME_COMMITTED);
  }

  std::vector<std::string> list (const NebulaHeaderQuery &query)
  {
    Error error;
    std::vector<std::string> ids;
    GPtrArray *headers = nebula_store_list_headers (store, &query, error.out ());

    EXPECT_TRUE (headers) << error.message ();
    for (guint i = 0; headers && i < headers->len; i++)
      ids.push_back (((NebulaHeader *) headers->pdata[i])->stream);
    g_clear_pointer (&headers, g_ptr_array_unref);
    return ids;
  }

  std::vector<std::string> find (const char *text)
  {
    NebulaHeaderQuery query = {};

    query.text = text;
    return list (query);
  }

  gint64 prune (const NebulaRetention &rule, guint limit = 100)
  {
    Error error;
    gint64 n = nebula_store_prune (store, &rule, limit, error.out ());

    EXPECT_GE (n, 0) << error.message ();
    return n;
  }

  gint64 count (const char *sql)
  {
    sqlite3 *db = nullptr;
    sqlite3_stmt *statement = nullptr;

    sqlite3_open (dir.file ("s.db").c_str (), &db);
    sqlite3_prepare_v2 (db, sql, -1, &statement, nullptr);
    EXPECT_EQ (sqlite3_step (statement), SQLITE_ROW) << sql;
    gint64 n = sqlite3_column_int64 (statement, 0);
    sqlite3_finalize (statement);
    sqlite3_close (db);
    return n;
  }

  TempDir dir;
  NebulaStore *store = nullptr;
};

} // namespace

TEST_F (StoreSearch, FindsWordsAndNothingElse)
{
  add ("a", "order 4711 for Größe & Co");
  add ("b", "order 4712");
  add ("c", nullptr);
  EXPECT_TRUE (nebula_store_has_full_text (store));
  EXPECT_THAT (find ("order"), ElementsAre ("b", "a"));
  EXPECT_THAT (find ("ORDER 4711"), ElementsAre ("a"));
  EXPECT_THAT (find ("grosse"), IsEmpty ());
  EXPECT_THAT (find ("größe"), ElementsAre ("a"));
  EXPECT_THAT (find ("große"), ElementsAre ("a")); /* whoever cannot type an accent finds it too */
  EXPECT_THAT (find ("471*"), ElementsAre ("b", "a"));
  EXPECT_THAT (find ("  "), IsEmpty ());
  EXPECT_THAT (find ("*"), IsEmpty ());
  /* The query language of SQLite is not the user's. */
  for (const char *text : {"order OR 1", "text:order", "\"", "NEAR(order", "(", "a\"b\" AND", "^order^ -"})
    find (text);
  EXPECT_THAT (find ("nothing OR order"), IsEmpty ());
}

TEST_F (StoreSearch, AnExecutionIsFoundOnceByAnyOfItsUnits)
{
  NebulaUnit *unit;

  add ("a", "began with apples", 1, NEBULA_EXECUTION_STATUS_RUNNING);
  unit = facts_unit ("a", 1, 1, "y");
  unit->text = g_strdup ("ended with apples and pears");
  unit->header->status = NEBULA_EXECUTION_STATUS_FAILED;
  ASSERT_EQ (commit_one (store, unit), NEBULA_OUTCOME_COMMITTED);
  EXPECT_THAT (find ("apples"), ElementsAre ("a"));
  EXPECT_THAT (find ("pears"), ElementsAre ("a"));
  NebulaHeaderQuery query = {};
  query.text = "pears";
  query.status_mask = 1u << NEBULA_EXECUTION_STATUS_COMPLETED;
  EXPECT_THAT (list (query), IsEmpty ());
  query.status_mask = 1u << NEBULA_EXECUTION_STATUS_FAILED;
  query.workflow = "orders";
  query.tenant = "default";
  EXPECT_THAT (list (query), ElementsAre ("a"));
  query.workflow = "others";
  EXPECT_THAT (list (query), IsEmpty ());
}

TEST_F (StoreSearch, PagesByTimeAndText)
{
  NebulaHeaderQuery query = {};

  for (guint i = 0; i < 9; i++)
    add (std::string (1, (char) ('i' - (char) i)), "same", 100 + (i / 2) * 10);
  query.created_from_usec = 110;
  query.created_before_usec = 140;
  query.limit = 4;
  EXPECT_THAT (list (query), ElementsAre ("c", "b", "e", "d"));
  query.after = "d";
  EXPECT_THAT (list (query), ElementsAre ("g", "f"));
  query.text = "same";
  query.after = nullptr;
  EXPECT_THAT (list (query), ElementsAre ("g", "f", "e", "d"));
  query.after = "d";
  EXPECT_THAT (list (query), ElementsAre ("c", "b"));
}

TEST_F (StoreSearch, LetsOldOnesGoInSteps)
{
  NebulaRetention rule = {};

  for (guint i = 0; i < 10; i++)
    add ("e" + std::to_string (i), "word", 10 * (i + 1));
  add ("open", "word", 1, NEBULA_EXECUTION_STATUS_SUSPENDED);
  add ("bad", "word", 5, NEBULA_EXECUTION_STATUS_FAILED);
  rule.ended_before_usec = 51;
  rule.status_mask = 1u << NEBULA_EXECUTION_STATUS_COMPLETED | 1u << NEBULA_EXECUTION_STATUS_SUSPENDED;
  rule.is_trial = TRUE;
  EXPECT_EQ (prune (rule), 5);
  rule.is_trial = FALSE;
  EXPECT_EQ (prune (rule, 3), 3);
  EXPECT_EQ (prune (rule, 3), 2);
  EXPECT_EQ (prune (rule, 3), 0);
  EXPECT_THAT (find ("word"), ElementsAre ("open", "e9", "e8", "e7", "e6", "e5", "bad"));
  rule = {};
  rule.keep = 4;
  EXPECT_EQ (prune (rule), 2);
  EXPECT_THAT (find ("word"), ElementsAre ("open", "e9", "e8", "e7", "e6"));
  EXPECT_EQ (count ("SELECT count (*) FROM segment"), 5);
  EXPECT_EQ (count ("SELECT count (*) FROM stream_text"), 5);
  rule = {};
  rule.workflow = "others";
  EXPECT_EQ (prune (rule), 0);
  EXPECT_EQ (read_facts (store, "e0"), "");
  /* Its id may be taken again. */
  add ("e0", "again", 1);
  EXPECT_THAT (find ("again"), ElementsAre ("e0"));
}

TEST_F (StoreSearch, BlobsGoWithTheLastThatUsesThem)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("blob", 4);
  NebulaBlob *blob = nebula_blob_new (bytes);
  NebulaUnit *unit = make ("a", nullptr, 1, NEBULA_EXECUTION_STATUS_COMPLETED);
  std::string digest = blob->digest;

  nebula_unit_add_blob (unit, blob);
  ASSERT_EQ (commit_one (store, unit), NEBULA_OUTCOME_COMMITTED);
  unit = make ("b", nullptr, 2, NEBULA_EXECUTION_STATUS_RUNNING);
  nebula_unit_add_blob_use (unit, digest.c_str ());
  ASSERT_EQ (commit_one (store, unit), NEBULA_OUTCOME_COMMITTED);
  EXPECT_EQ (prune ({}), 1);
  EXPECT_EQ (nebula_store_collect_blobs (store, G_MAXINT64, nullptr), 0);
  unit = facts_unit ("b", 1, 1, "y");
  unit->header->status = NEBULA_EXECUTION_STATUS_FAILED;
  ASSERT_EQ (commit_one (store, unit), NEBULA_OUTCOME_COMMITTED);
  EXPECT_EQ (prune ({}), 1);
  EXPECT_EQ (nebula_store_collect_blobs (store, 1, nullptr), 0); /* not at once */
  EXPECT_EQ (nebula_store_collect_blobs (store, G_MAXINT64, nullptr), 1);
}

TEST_F (StoreSearch, LongHistoriesAreListedFast)
{
  NebulaHeaderQuery query = {};
  gint64 start;

  for (guint i = 0; i < 100; i++) {
    std::vector<NebulaUnit *> units;

    for (guint k = 0; k < 1000; k++) {
      guint n = i * 1000 + k;
      char id[16];

      g_snprintf (id, sizeof id, "exe_%07u", n);
      units.push_back (make (id, n % 1000 == 7 ? "rare needle" : "plain hay", n + 1,
                             n % 100 == 0 ? NEBULA_EXECUTION_STATUS_FAILED
                                          : NEBULA_EXECUTION_STATUS_COMPLETED));
    }
    commit (store, units, false);
  }
  query.limit = 100;
  start = g_get_monotonic_time ();
  EXPECT_EQ (list (query).size (), 100u);
  query.status_mask = 1u << NEBULA_EXECUTION_STATUS_FAILED;
  query.after = "exe_0050000";
  EXPECT_EQ (list (query).front (), "exe_0049900");
  query = {};
  query.created_before_usec = 50000;
  query.created_from_usec = 40000;
  EXPECT_EQ (list (query).front (), "exe_0049998");
  query = {};
  query.text = "needle";
  EXPECT_EQ (list (query).size (), 100u);
  RecordProperty ("four_lists_us", (int) (g_get_monotonic_time () - start));
  g_print ("four lists of 100,000: %" G_GINT64_FORMAT " µs\n", g_get_monotonic_time () - start);
}

TEST_F (StoreSearch, PositionsAreNotGivenTwice)
{
  auto last_position = [&] {
    Rows rows (nebula_store_read_log (store, 0, nullptr, 100, nullptr));
    GPtrArray *array = rows.get ();
    return array->len ? ((NebulaLogEntry *) array->pdata[array->len - 1])->position : 0;
  };
  ASSERT_EQ (commit_one (store, make ("a", nullptr, 1, NEBULA_EXECUTION_STATUS_RUNNING)), NEBULA_OUTCOME_COMMITTED);
  ASSERT_EQ (commit_one (store, make ("b", nullptr, 2, NEBULA_EXECUTION_STATUS_COMPLETED)), NEBULA_OUTCOME_COMMITTED);
  guint64 before = last_position ();

  EXPECT_EQ (prune ({}), 1);
  EXPECT_LT (last_position (), before);
  reopen ();
  ASSERT_EQ (commit_one (store, make ("c", nullptr, 3, NEBULA_EXECUTION_STATUS_COMPLETED)), NEBULA_OUTCOME_COMMITTED);
  EXPECT_GT (last_position (), before);

  /* Also if all are gone. */
  before = last_position ();
  ASSERT_EQ (commit_one (store, [&] {
               NebulaUnit *unit = facts_unit ("a", 1, 1, "y");
               unit->header->status = NEBULA_EXECUTION_STATUS_COMPLETED;
               return unit;
             } ()), NEBULA_OUTCOME_COMMITTED);
  before = last_position ();
  EXPECT_EQ (prune ({}), 2);
  EXPECT_EQ (last_position (), 0u);
  reopen ();
  ASSERT_EQ (commit_one (store, make ("d", nullptr, 4, NEBULA_EXECUTION_STATUS_RUNNING)), NEBULA_OUTCOME_COMMITTED);
  EXPECT_GT (last_position (), before);
}

TEST_F (StoreSearch, APrunedStreamLeavesNoTrail)
{
  auto fill = [&] (const char *text) {
    for (guint i = 0; i < 300; i++) {
      NebulaUnit *unit = facts_unit ("long", i, 1, text);
      unit->header->status =
          i == 299 ? NEBULA_EXECUTION_STATUS_COMPLETED : NEBULA_EXECUTION_STATUS_RUNNING;
      ASSERT_EQ (commit_one (store, unit, false), NEBULA_OUTCOME_COMMITTED);
    }
  };
  fill ("old");
  EXPECT_EQ (read_facts (store, "long", 0, 2), "old|old");
  EXPECT_EQ (read_facts (store, "long", 100, 1), "old");
  EXPECT_EQ (prune ({}), 1);
  EXPECT_EQ (read_facts (store, "long", 100, 1), "");
  fill ("new");
  EXPECT_EQ (read_facts (store, "long", 0, 2), "new|new");
  EXPECT_EQ (read_facts (store, "long", 100, 1), "new");
}

TEST_F (StoreSearch, TagsAndWordsTogether)
{
  const char *const tags[] = { "red", nullptr };
  for (const char *id : { "a", "b", "c" }) {
    NebulaUnit *unit = make (id, *id == 'b' ? "hay" : "needle", 1, NEBULA_EXECUTION_STATUS_COMPLETED);
    unit->header->tags = *id == 'c' ? nullptr : g_strdupv ((char **) tags);
    ASSERT_EQ (commit_one (store, unit), NEBULA_OUTCOME_COMMITTED);
  }
  NebulaHeaderQuery query = {};
  query.tag = "red";
  EXPECT_EQ (list (query), std::vector<std::string> ({ "b", "a" }));
  query.text = "needle";
  EXPECT_EQ (list (query), std::vector<std::string> ({ "a" }));
  query.text = nullptr;
  query.after = "b";
  EXPECT_EQ (list (query), std::vector<std::string> ({ "a" }));
  EXPECT_EQ (prune ({}), 3);
  query = {};
  query.tag = "red";
  EXPECT_EQ (list (query), std::vector<std::string> ());
}

TEST (StoreSearchInMemory, SaysWhatItCannot)
{
  Ref<NebulaStore> store (nebula_memory_store_new ());
  NebulaHeaderQuery query = {};
  NebulaRetention rule = {};
  Error error;

  EXPECT_FALSE (nebula_store_has_full_text (store.get ()));
  query.text = "x";
  EXPECT_FALSE (nebula_store_list_headers (store.get (), &query, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_UNSUPPORTED));
  EXPECT_EQ (nebula_store_prune (store.get (), &rule, 1, error.out ()), -1);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_UNSUPPORTED));
  NebulaUnit *unit = facts_unit ("a", 0, 1, "x");
  unit->header->created_usec = 10;
  ASSERT_EQ (commit_one (store.get (), unit), NEBULA_OUTCOME_COMMITTED);
  query = {};
  for (auto [from, before, n] : {std::tuple{10, 11, 1u}, {11, 0, 0u}, {0, 10, 0u}}) {
    query.created_from_usec = from;
    query.created_before_usec = before;
    g_autoptr (GPtrArray) headers =
        nebula_store_list_headers (store.get (), &query, error.out ());
    EXPECT_EQ (headers->len, n);
  }
}
