/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every store must do. A new store adds its name and its opening here. */

#include "nebula-memory-store.h"
#include "nebula-sqlite-store.h"
#include "nebula-store-test.h"

using namespace nebula;
using testing::ElementsAre;
using testing::IsEmpty;

namespace
{

constexpr NebulaOutcome COMMITTED = NEBULA_OUTCOME_COMMITTED;
constexpr NebulaOutcome STALE = NEBULA_OUTCOME_REFUSED_STALE;
constexpr NebulaOutcome REVISION = NEBULA_OUTCOME_REFUSED_REVISION;
constexpr NebulaOutcome FAILED = NEBULA_OUTCOME_FAILED;

class StoreConformance : public testing::TestWithParam<const char *>
{
protected:
  void SetUp () override { open (); }
  void TearDown () override { g_clear_object (&store); }
  bool is_durable () const { return !g_str_equal (GetParam (), "memory"); }
  void
  open ()
  {
    Error error;
    store = is_durable () ? nebula_sqlite_store_open (dir.file ("s.db").c_str (),
                                                      NEBULA_SQLITE_STORE_FLAGS_NONE, error.out ())
                          : nebula_memory_store_new ();
    ASSERT_TRUE (store) << error.message ();
  }
  /* Durable stores are closed and opened, so that what a test reads afterwards was on the disk. */
  void
  reopen ()
  {
    if (!is_durable ())
      return;
    g_clear_object (&store);
    open ();
  }

  TempDir dir;
  NebulaStore *store = nullptr;
};

TEST_P (StoreConformance, TellsWhetherItIsDurable)
{
  EXPECT_EQ (nebula_store_get_is_durable (store), is_durable ());
}

TEST_P (StoreConformance, IsEmptyAtFirst)
{
  Error error;
  guint64 sequence = 7;
  gint64 revision = 7;

  EXPECT_EQ (nebula_store_read_header (store, "a", error.out ()), nullptr);
  EXPECT_FALSE (error);
  EXPECT_EQ (read_facts (store, "a"), "");
  EXPECT_EQ (nebula_store_read_checkpoint (store, "a", &sequence, error.out ()), nullptr);
  EXPECT_FALSE (error);
  EXPECT_EQ (sequence, 7u);
  EXPECT_EQ (nebula_store_read_document (store, "c", "k", &revision, error.out ()), nullptr);
  EXPECT_FALSE (error);
  EXPECT_EQ (revision, 7);
  EXPECT_THAT (list_inbox (store, nullptr), IsEmpty ());
  EXPECT_TRUE (nebula_store_sync (store, error.out ())) << error.message ();
  EXPECT_TRUE (nebula_store_commit (store, nullptr, 0, FALSE, nullptr, error.out ()));
}

TEST_P (StoreConformance, KeepsEveryMemberOfAHeader)
{
  NebulaUnit *unit = facts_unit ("g", 0, 2, "ab");
  Header wanted;
  Error error;

  unit->header->kind = NEBULA_STREAM_KIND_GATE;
  unit->header->shard = 255;
  unit->header->epoch = 1ull << 40;
  unit->header->format = 3;
  unit->header->status = NEBULA_EXECUTION_STATUS_SUSPENDED;
  unit->header->durability = 1;
  unit->header->priority = -5;
  unit->header->wake_usec = 1234567890123456;
  unit->header->flags = 0x80000001;
  unit->header->created_usec = -1;
  unit->header->updated_usec = G_MAXINT64;
  unit->header->recoveries = 2;
  unit->header->key = g_strdup ("Größe ‘7’");
  wanted.reset (nebula_header_copy (unit->header));
  ASSERT_EQ (commit_one (store, unit), COMMITTED);
  reopen ();

  Header found (nebula_store_read_header (store, "g", error.out ()));
  ASSERT_TRUE (found) << error.message ();
  const NebulaHeader *a = wanted.get (), *b = found.get ();
  EXPECT_STREQ (a->stream, b->stream);
  EXPECT_EQ (a->kind, b->kind);
  EXPECT_STREQ (a->tenant, b->tenant);
  EXPECT_EQ (a->shard, b->shard);
  EXPECT_EQ (a->sequence, b->sequence);
  EXPECT_EQ (a->epoch, b->epoch);
  EXPECT_EQ (a->format, b->format);
  EXPECT_EQ (a->status, b->status);
  EXPECT_STREQ (a->workflow, b->workflow);
  EXPECT_STREQ (a->revision, b->revision);
  EXPECT_EQ (a->durability, b->durability);
  EXPECT_EQ (a->priority, b->priority);
  EXPECT_EQ (a->wake_usec, b->wake_usec);
  EXPECT_EQ (a->flags, b->flags);
  EXPECT_EQ (a->checkpoint, b->checkpoint);
  EXPECT_EQ (a->created_usec, b->created_usec);
  EXPECT_EQ (a->updated_usec, b->updated_usec);
  EXPECT_EQ (a->recoveries, b->recoveries);
  EXPECT_STREQ (a->key, b->key);
}

TEST_P (StoreConformance, HeaderMayLackTexts)
{
  NebulaUnit *unit = facts_unit ("a", 0, 1, "a");
  Error error;

  g_clear_pointer (&unit->header->tenant, g_free);
  g_clear_pointer (&unit->header->workflow, g_free);
  g_clear_pointer (&unit->header->revision, g_free);
  ASSERT_EQ (commit_one (store, unit), COMMITTED);
  unit = facts_unit ("a", 1, 1, "b");
  g_clear_pointer (&unit->header->workflow, g_free);
  ASSERT_EQ (commit_one (store, unit), COMMITTED);

  Header found (nebula_store_read_header (store, "a", error.out ()));
  ASSERT_TRUE (found);
  EXPECT_EQ (found.get ()->workflow, nullptr);
  EXPECT_EQ (found.get ()->key, nullptr);
  EXPECT_STREQ (found.get ()->tenant, "default");
}

TEST_P (StoreConformance, AppendsFactsInOrder)
{
  EXPECT_THAT (commit (store, { facts_unit ("a", 0, 2, "one"), facts_unit ("b", 0, 1, "other"),
                                facts_unit ("a", 2, 3, "two") }),
               ElementsAre (COMMITTED, COMMITTED, COMMITTED));
  EXPECT_EQ (commit_one (store, facts_unit ("a", 5, 1, ""), false), COMMITTED);
  reopen ();

  EXPECT_EQ (read_sequence (store, "a"), 6u);
  EXPECT_EQ (read_sequence (store, "b"), 1u);
  EXPECT_EQ (read_facts (store, "a"), "one|two|");
  EXPECT_EQ (read_facts (store, "a", 1), "two|");
  EXPECT_EQ (read_facts (store, "a", 3), "");
  EXPECT_EQ (read_facts (store, "a", 0, 1), "one");
  EXPECT_EQ (read_facts (store, "a", G_MAXUINT64), "");

  Error error;
  Rows rows (nebula_store_read_segments (store, "a", 1, 1, error.out ()));
  ASSERT_EQ (rows.get ()->len, 1u);
  NebulaSegment *segment = (NebulaSegment *) g_ptr_array_index (rows.get (), 0);
  EXPECT_EQ (segment->first, 3u);
  EXPECT_EQ (segment->last, 5u);
}

TEST_P (StoreConformance, RefusesAnotherSequenceAndWritesNothing)
{
  NebulaUnit *unit = facts_unit ("a", 5, 1, "gap");
  GBytes *value = bytes ("v");

  nebula_unit_add_message (unit, "m", "b", value, 1);
  nebula_unit_add_document (unit, "c", "k", value, 0);
  unit->checkpoint = g_bytes_ref (value);
  EXPECT_EQ (commit_one (store, unit), STALE);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 2, "one")), COMMITTED);
  EXPECT_THAT (commit (store, { facts_unit ("a", 0, 2, "again, otherwise"),
                                facts_unit ("a", 1, 1, "inside"), facts_unit ("a", 3, 1, "gap"),
                                facts_unit ("b", 0, 1, "fine"), facts_unit ("a", 2, 1, "two") }),
               ElementsAre (STALE, STALE, STALE, COMMITTED, COMMITTED));
  reopen ();

  EXPECT_EQ (read_facts (store, "a"), "one|two");
  EXPECT_EQ (read_facts (store, "b"), "fine");
  EXPECT_THAT (list_inbox (store, nullptr), IsEmpty ());
  EXPECT_EQ (take_text (nebula_store_read_document (store, "c", "k", nullptr, nullptr)), "(none)");
  g_bytes_unref (value);
}

TEST_P (StoreConformance, CommittingAgainAnswersCommitted)
{
  GBytes *value = bytes ("v");
  auto unit = [value] {
    NebulaUnit *unit = facts_unit ("a", 1, 2, "two");
    nebula_unit_add_document (unit, "c", "k", value, -1);
    nebula_unit_add_message (unit, "m", "b", value, 1);
    return unit;
  };

  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 1, "one")), COMMITTED);
  EXPECT_EQ (commit_one (store, unit (), false), COMMITTED);
  EXPECT_EQ (commit_one (store, unit ()), COMMITTED);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 3, 1, "three")), COMMITTED);
  EXPECT_EQ (commit_one (store, unit ()), COMMITTED);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 1, "one")), COMMITTED);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 1, 2, "TWO")), STALE);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 1, 1, "two")), STALE);

  gint64 revision = 0;
  EXPECT_EQ (take_text (nebula_store_read_document (store, "c", "k", &revision, nullptr)), "v");
  EXPECT_EQ (revision, 1);
  EXPECT_THAT (list_inbox (store, "b"), ElementsAre ("m"));
  EXPECT_EQ (read_facts (store, "a"), "one|two|three");
  g_bytes_unref (value);
}

TEST_P (StoreConformance, RefusesALowerEpoch)
{
  NebulaUnit *unit = facts_unit ("a", 0, 1, "one");
  unit->header->epoch = 5;
  EXPECT_EQ (commit_one (store, unit), COMMITTED);

  unit = facts_unit ("a", 1, 1, "zombie");
  unit->header->epoch = 4;
  EXPECT_EQ (commit_one (store, unit), STALE);

  /* A new owner claims the stream without a fact; from then on the old one is refused. */
  unit = facts_unit ("a", 1, 0, "");
  unit->header->epoch = 6;
  unit->header->recoveries = 1;
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  unit = facts_unit ("a", 1, 1, "zombie");
  unit->header->epoch = 5;
  EXPECT_EQ (commit_one (store, unit), STALE);
  reopen ();

  Header header (nebula_store_read_header (store, "a", nullptr));
  EXPECT_EQ (header.get ()->epoch, 6u);
  EXPECT_EQ (header.get ()->recoveries, 1u);
  EXPECT_EQ (header.get ()->sequence, 1u);
  EXPECT_EQ (read_facts (store, "a"), "one");
}

TEST_P (StoreConformance, HeaderWithoutFactsChecksTheSequence)
{
  EXPECT_EQ (commit_one (store, facts_unit ("a", 3, 0, "")), STALE);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 0, "")), COMMITTED);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 0, "")), COMMITTED);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 1, "one")), COMMITTED);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 0, "")), STALE);
  EXPECT_EQ (read_sequence (store, "a"), 1u);
}

TEST_P (StoreConformance, KeepsTheLastCheckpoint)
{
  guint64 sequence = 0;
  NebulaUnit *unit = facts_unit ("a", 0, 2, "one");
  unit->checkpoint = bytes ("state 2");
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  EXPECT_EQ (commit_one (store, facts_unit ("a", 2, 1, "two")), COMMITTED);
  EXPECT_EQ (take_text (nebula_store_read_checkpoint (store, "a", &sequence, nullptr)), "state 2");
  EXPECT_EQ (sequence, 2u);

  /* One that comes later, alone, with the sequence it was made at. */
  unit = nebula_unit_new ("a", 2);
  unit->checkpoint = bytes ("too late");
  EXPECT_EQ (commit_one (store, unit), STALE);
  unit = nebula_unit_new ("b", 0);
  unit->checkpoint = bytes ("of nothing");
  EXPECT_EQ (commit_one (store, unit), STALE);
  unit = nebula_unit_new ("a", 3);
  unit->checkpoint = bytes ("state 3");
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  reopen ();

  EXPECT_EQ (take_text (nebula_store_read_checkpoint (store, "a", &sequence, nullptr)), "state 3");
  EXPECT_EQ (sequence, 3u);
  Header header (nebula_store_read_header (store, "a", nullptr));
  EXPECT_EQ (header.get ()->checkpoint, 3u);
  EXPECT_EQ (header.get ()->sequence, 3u);
}

TEST_P (StoreConformance, InboxKeepsOrderAndDropsRepetitions)
{
  GBytes *payload = bytes ("hello");
  NebulaUnit *unit = facts_unit ("a", 0, 1, "one");
  nebula_unit_add_message (unit, "z", "b", payload, 30);
  nebula_unit_add_message (unit, "y", "c", payload, 20);
  nebula_unit_add_message (unit, "x", "b", payload, 10);
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  unit = nebula_unit_new ("api", 0);
  nebula_unit_add_message (unit, "x", "b", nullptr, 99);
  nebula_unit_add_message (unit, "w", "b", nullptr, 40);
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  reopen ();

  EXPECT_THAT (list_inbox (store, "b"), ElementsAre ("z", "x", "w"));
  EXPECT_THAT (list_inbox (store, "b", 2), ElementsAre ("z", "x"));
  EXPECT_THAT (list_inbox (store, nullptr), ElementsAre ("z", "y", "x", "w"));
  EXPECT_THAT (list_inbox (store, nullptr, 1), ElementsAre ("z"));
  EXPECT_THAT (list_inbox (store, "nobody"), IsEmpty ());

  Rows rows (nebula_store_read_inbox (store, "b", 0, nullptr));
  NebulaMessage *message = (NebulaMessage *) g_ptr_array_index (rows.get (), 1);
  EXPECT_STREQ (message->stream, "b");
  EXPECT_EQ (message->created_usec, 10);
  EXPECT_EQ (take_text (g_bytes_ref (message->payload)), "hello");
  g_bytes_unref (payload);
}

TEST_P (StoreConformance, ConsumesAMessageOnce)
{
  GBytes *payload = bytes ("hello");
  NebulaUnit *unit = nebula_unit_new ("api", 0);
  nebula_unit_add_message (unit, "m1", "a", payload, 1);
  nebula_unit_add_message (unit, "m2", "a", payload, 2);
  nebula_unit_add_message (unit, "m3", "b", payload, 3);
  EXPECT_EQ (commit_one (store, unit), COMMITTED);

  unit = facts_unit ("a", 0, 1, "took m1");
  nebula_unit_add_consumed (unit, "m1");
  nebula_unit_add_consumed (unit, "m3"); /* of another's inbox */
  nebula_unit_add_consumed (unit, "m9"); /* of nobody's */
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  reopen ();
  EXPECT_THAT (list_inbox (store, nullptr), ElementsAre ("m2", "m3"));

  /* The sender did not hear and says it again. */
  unit = nebula_unit_new ("api", 0);
  nebula_unit_add_message (unit, "m1", "a", payload, 1);
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  EXPECT_THAT (list_inbox (store, "a"), ElementsAre ("m2"));
  EXPECT_TRUE (nebula_store_commit (store, nullptr, 0, FALSE, nullptr, nullptr));
  reopen ();
  EXPECT_THAT (list_inbox (store, "a"), ElementsAre ("m2"));
  g_bytes_unref (payload);
}

TEST_P (StoreConformance, DocumentsHaveRevisions)
{
  auto write = [this] (const char *key, const char *value, gint64 expected) {
    NebulaUnit *unit = nebula_unit_new ("docs", 0);
    GBytes *content = value ? bytes (value) : nullptr;
    nebula_unit_add_document (unit, "c", key, content, expected);
    g_clear_pointer (&content, g_bytes_unref);
    return commit_one (store, unit);
  };
  gint64 revision = 0;

  EXPECT_EQ (write ("k", "v1", 1), REVISION);
  EXPECT_EQ (write ("k", "v1", -1), COMMITTED);
  EXPECT_EQ (write ("k", "v2", -1), REVISION);
  EXPECT_EQ (write ("k", "v2", 1), COMMITTED);
  EXPECT_EQ (write ("k", "v3", 1), REVISION);
  EXPECT_EQ (write ("k", "", 0), COMMITTED);
  reopen ();
  EXPECT_EQ (take_text (nebula_store_read_document (store, "c", "k", &revision, nullptr)), "");
  EXPECT_EQ (revision, 3);

  /* A removed document comes back under a new revision, so that nobody takes it for the old one. */
  EXPECT_EQ (write ("k", nullptr, 2), REVISION);
  EXPECT_EQ (write ("k", nullptr, 3), COMMITTED);
  EXPECT_EQ (take_text (nebula_store_read_document (store, "c", "k", &revision, nullptr)), "(none)");
  EXPECT_EQ (write ("k", nullptr, 4), REVISION);
  EXPECT_EQ (write ("k", nullptr, 0), COMMITTED);
  EXPECT_EQ (write ("nothing", nullptr, 0), COMMITTED);
  EXPECT_EQ (write ("k", "v5", -1), COMMITTED);
  EXPECT_EQ (take_text (nebula_store_read_document (store, "c", "k", &revision, nullptr)), "v5");
  EXPECT_EQ (revision, 5);
}

TEST_P (StoreConformance, RefusedRevisionWritesNothingOfItsUnit)
{
  GBytes *value = bytes ("v");
  NebulaUnit *unit = facts_unit ("a", 0, 1, "one");
  nebula_unit_add_message (unit, "m", "b", value, 1);
  nebula_unit_add_document (unit, "c", "fine", value, 0);
  nebula_unit_add_document (unit, "c", "missing", value, 4);
  EXPECT_THAT (commit (store, { unit, facts_unit ("b", 0, 1, "next") }),
               ElementsAre (REVISION, COMMITTED));
  reopen ();

  EXPECT_EQ (read_sequence (store, "a"), 0u);
  EXPECT_EQ (read_sequence (store, "b"), 1u);
  EXPECT_THAT (list_inbox (store, nullptr), IsEmpty ());
  EXPECT_EQ (take_text (nebula_store_read_document (store, "c", "fine", nullptr, nullptr)), "(none)");
  g_bytes_unref (value);
}

TEST_P (StoreConformance, ListsDocuments)
{
  NebulaUnit *unit = nebula_unit_new ("docs", 0);
  GBytes *value = bytes ("v");
  for (const char *key : { "b", "a", "ä", "c", "B", "gone" })
    nebula_unit_add_document (unit, "c", key, value, 0);
  nebula_unit_add_document (unit, "c", "gone", nullptr, 0);
  nebula_unit_add_document (unit, "d", "other", value, 0);
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  reopen ();

  auto list = [this] (const char *collection, const char *after, guint limit) {
    g_auto (GStrv) keys = nebula_store_list_documents (store, collection, after, limit, nullptr);
    std::string joined;
    for (char **key = keys; *key; key++)
      joined += std::string (*key) + " ";
    return joined;
  };
  EXPECT_EQ (list ("c", nullptr, 0), "B a b c ä ");
  EXPECT_EQ (list ("c", nullptr, 2), "B a ");
  EXPECT_EQ (list ("c", "a", 2), "b c ");
  EXPECT_EQ (list ("c", "aa", 1), "b ");
  EXPECT_EQ (list ("c", "ä", 0), "");
  EXPECT_EQ (list ("none", nullptr, 0), "");
  g_bytes_unref (value);
}

TEST_P (StoreConformance, ListsHeaders)
{
  auto add = [this] (const char *stream, NebulaExecutionStatus status, const char *workflow,
                     const char *tenant, gint64 wake, NebulaStreamKind kind) {
    NebulaUnit *unit = facts_unit (stream, 0, 1, "x");
    unit->header->status = status;
    unit->header->kind = kind;
    unit->header->wake_usec = wake;
    g_free (unit->header->workflow);
    unit->header->workflow = g_strdup (workflow);
    g_free (unit->header->tenant);
    unit->header->tenant = g_strdup (tenant);
    EXPECT_EQ (commit_one (store, unit, false), COMMITTED);
  };
  const NebulaStreamKind E = NEBULA_STREAM_KIND_EXECUTION, G = NEBULA_STREAM_KIND_GATE;
  add ("e1", NEBULA_EXECUTION_STATUS_RUNNING, "orders", "t1", 0, E);
  add ("e2", NEBULA_EXECUTION_STATUS_SUSPENDED, "orders", "t2", 300, E);
  add ("e3", NEBULA_EXECUTION_STATUS_COMPLETED, "mail", "t1", 0, E);
  add ("e4", NEBULA_EXECUTION_STATUS_SUSPENDED, "mail", "t1", 100, E);
  add ("e5", NEBULA_EXECUTION_STATUS_SUSPENDED, "orders", "t1", 300, E);
  add ("g1", NEBULA_EXECUTION_STATUS_RUNNING, "orders", "t1", 200, G);
  reopen ();

  NebulaHeaderQuery query = {};
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e5", "e4", "e3", "e2", "e1"));
  query.limit = 2;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e5", "e4"));
  query.after = "e4";
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e3", "e2"));
  query = {};
  query.status_mask =
      1 << NEBULA_EXECUTION_STATUS_RUNNING | 1 << NEBULA_EXECUTION_STATUS_COMPLETED;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e3", "e1"));
  query = {};
  query.workflow = "orders";
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e5", "e2", "e1"));
  query.tenant = "t1";
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e5", "e1"));
  query.after = "e5";
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e1"));
  query = {};
  query.kind = G;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("g1"));
  query = {};
  query.wake_before_usec = 300;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e4"));
  query.by_wake = TRUE;
  query.wake_before_usec = 301;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e4", "e2", "e5"));
  query.limit = 2;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e4", "e2"));
  query.after = "e2";
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e5"));
  query.after = nullptr;
  query.limit = 0;
  query.workflow = "orders";
  query.tenant = "t2";
  query.status_mask = 1 << NEBULA_EXECUTION_STATUS_SUSPENDED;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("e2"));
  query.status_mask = 1 << NEBULA_EXECUTION_STATUS_RUNNING;
  EXPECT_THAT (list_streams (store, query), IsEmpty ());
}

static std::vector<NebulaLogEntry *>
entries_of (GPtrArray *rows)
{
  std::vector<NebulaLogEntry *> entries;
  for (guint i = 0; rows && i < rows->len; i++)
    entries.push_back ((NebulaLogEntry *) g_ptr_array_index (rows, i));
  return entries;
}

/* Entries as “stream:first-last” and the position of the last one. */
static std::string
read_log (NebulaStore *store, guint64 *position, guint limit = 100, const char *stream = nullptr)
{
  Error error;
  Rows rows (nebula_store_read_log (store, *position, stream, limit, error.out ()));
  std::string text;
  EXPECT_TRUE (rows) << error.message ();
  for (NebulaLogEntry *entry : entries_of (rows.get ())) {
    EXPECT_GT (entry->position, *position);
    *position = entry->position;
    text += (text.empty () ? "" : " ") + std::string (entry->stream) + ":" +
            std::to_string (entry->segment->first) + "-" + std::to_string (entry->segment->last);
  }
  return text;
}

TEST_P (StoreConformance, TheLogHasTheOrderOfCommits)
{
  guint64 position = 0;
  ASSERT_TRUE (nebula_store_has_log (store));
  EXPECT_EQ (read_log (store, &position), "");
  ASSERT_EQ (commit (store, {facts_unit ("b", 0, 2, "b12"), facts_unit ("a", 0, 1, "a1")}),
             std::vector<NebulaOutcome> (2, NEBULA_OUTCOME_COMMITTED));
  EXPECT_EQ (read_log (store, &position, 1), "b:1-2");
  EXPECT_EQ (read_log (store, &position), "a:1-1");
  EXPECT_EQ (read_log (store, &position), "");

  /* What is refused or brings no facts is not in it. */
  EXPECT_EQ (commit_one (store, facts_unit ("a", 7, 1, "x")), NEBULA_OUTCOME_REFUSED_STALE);
  ASSERT_EQ (commit_one (store, facts_unit ("a", 1, 0, "")), NEBULA_OUTCOME_COMMITTED);
  ASSERT_EQ (commit_one (store, facts_unit ("b", 2, 1, "b3")), NEBULA_OUTCOME_COMMITTED);
  ASSERT_EQ (commit_one (store, facts_unit ("a", 1, 3, "a234")), NEBULA_OUTCOME_COMMITTED);
  EXPECT_EQ (read_log (store, &position), "b:3-3 a:2-4");

  position = 0;
  EXPECT_EQ (read_log (store, &position, 100, "a"), "a:1-1 a:2-4");
  position = 0;
  EXPECT_EQ (read_log (store, &position, 100, "none"), "");
}

TEST_P (StoreConformance, LongStreamsAreReadInPages)
{
  const guint n_segments = 1000;
  for (guint i = 0; i < n_segments; i++)
    ASSERT_EQ (commit_one (store, facts_unit ("long", 2 * i, 2, std::to_string (i)), false),
               NEBULA_OUTCOME_COMMITTED);
  for (guint limit : { 1u, 7u, 64u, 333u }) {
    guint64 after = 0;
    guint n_read = 0;
    for (;;) {
      Error error;
      Rows rows (nebula_store_read_segments (store, "long", after, limit, error.out ()));
      ASSERT_TRUE (rows) << error.message ();
      if (rows.get ()->len == 0)
        break;
      ASSERT_EQ (rows.get ()->len, MIN (limit, n_segments - n_read));
      for (guint i = 0; i < rows.get ()->len; i++) {
        NebulaSegment *segment = (NebulaSegment *) g_ptr_array_index (rows.get (), i);
        ASSERT_EQ (segment->first, after + 1);
        ASSERT_EQ (take_text (g_bytes_ref (segment->facts)), std::to_string (n_read++));
        after = segment->last;
      }
    }
    EXPECT_EQ (n_read, n_segments);
  }
  /* What came since is found, too; and so is what lies before a page that was read. */
  ASSERT_EQ (commit_one (store, facts_unit ("long", 2 * n_segments, 1, "end")), NEBULA_OUTCOME_COMMITTED);
  EXPECT_EQ (read_facts (store, "long", 2 * n_segments - 2, 5), "999|end");
  EXPECT_EQ (read_facts (store, "long", 2, 2), "1|2");
  EXPECT_EQ (read_facts (store, "long", 3, 1), "2");
}

TEST_P (StoreConformance, StreamsAreFoundByTheirFirstTags)
{
  const char *const tags[] = { "red", "blue sky", nullptr };
  const char *const others[] = { "green", nullptr };
  NebulaHeaderQuery query = {};
  for (const char *name : { "a", "b", "c" }) {
    NebulaUnit *unit = facts_unit (name, 0, 1, "x");
    unit->header->tags = *name == 'c' ? nullptr : g_strdupv ((char **) (*name == 'a' ? tags : others));
    ASSERT_EQ (commit_one (store, unit), NEBULA_OUTCOME_COMMITTED);
  }
  query.tag = "red";
  EXPECT_EQ (list_streams (store, query), std::vector<std::string> ({ "a" }));
  query.tag = "sky";
  EXPECT_EQ (list_streams (store, query), std::vector<std::string> ());

  /* Later units do not touch them. */
  NebulaUnit *unit = facts_unit ("a", 1, 1, "y");
  unit->header->tags = g_strdupv ((char **) others);
  ASSERT_EQ (commit_one (store, unit), NEBULA_OUTCOME_COMMITTED);
  query.tag = "green";
  EXPECT_EQ (list_streams (store, query), std::vector<std::string> ({ "b" }));
  query.tag = "blue sky";
  query.status_mask = 1u << NEBULA_EXECUTION_STATUS_RUNNING;
  query.workflow = "orders";
  EXPECT_EQ (list_streams (store, query), std::vector<std::string> ({ "a" }));
  query.status_mask = 1u << NEBULA_EXECUTION_STATUS_FAILED;
  EXPECT_EQ (list_streams (store, query), std::vector<std::string> ());

  Error error;
  Header header (nebula_store_read_header (store, "a", error.out ()));
  ASSERT_TRUE (header);
  EXPECT_TRUE (g_strv_equal ((const char *const *) header.get ()->tags, tags));
  Header untagged (nebula_store_read_header (store, "c", error.out ()));
  EXPECT_EQ (untagged.get ()->tags, nullptr);
}

TEST_P (StoreConformance, ListsFollowChangedHeaders)
{
  NebulaHeaderQuery query = {};
  query.status_mask = 1 << NEBULA_EXECUTION_STATUS_SUSPENDED;
  EXPECT_EQ (commit_one (store, facts_unit ("a", 0, 1, "x")), COMMITTED);
  EXPECT_THAT (list_streams (store, query), IsEmpty ());

  NebulaUnit *unit = facts_unit ("a", 1, 1, "y");
  unit->header->status = NEBULA_EXECUTION_STATUS_SUSPENDED;
  unit->header->wake_usec = 50;
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  EXPECT_THAT (list_streams (store, query), ElementsAre ("a"));
  query = {};
  query.by_wake = TRUE;
  query.wake_before_usec = 51;
  EXPECT_THAT (list_streams (store, query), ElementsAre ("a"));

  unit = facts_unit ("a", 2, 1, "z");
  unit->header->status = NEBULA_EXECUTION_STATUS_COMPLETED;
  EXPECT_EQ (commit_one (store, unit), COMMITTED);
  EXPECT_THAT (list_streams (store, query), IsEmpty ());
}

TEST_P (StoreConformance, MalformedUnitsFailAlone)
{
  NebulaUnit *headless = facts_unit ("a", 0, 1, "x");
  g_clear_pointer (&headless->header, nebula_header_free);
  NebulaUnit *factless = facts_unit ("b", 0, 1, "x");
  g_clear_pointer (&factless->facts, g_bytes_unref);
  NebulaUnit *uncounted = facts_unit ("c", 0, 1, "x");
  uncounted->n_facts = 0;

  EXPECT_THAT (commit (store, { headless, factless, uncounted, facts_unit ("d", 0, 1, "x"),
                                facts_unit ("e", G_MAXINT64, 1, "x") }),
               ElementsAre (FAILED, FAILED, FAILED, COMMITTED, FAILED));
  EXPECT_EQ (read_sequence (store, "d"), 1u);
}

TEST_P (StoreConformance, ReadsFromManyThreadsWhileItWrites)
{
  static const char *const names[] = { "a", "b", "c" };
  for (const char *name : names)
    ASSERT_EQ (commit_one (store, facts_unit (name, 0, 1, "1")), COMMITTED);

  auto read = [] (gpointer data) -> gpointer {
    NebulaStore *store = (NebulaStore *) data;
    int n_wrong = 0;
    for (int i = 0; i < 300; i++) {
      const char *name = names[i % 3];
      guint64 before = read_sequence (store, name);
      Rows rows (nebula_store_read_segments (store, name, 0, 0, nullptr));
      guint64 last = 0;
      for (guint k = 0; k < rows.get ()->len; k++) {
        NebulaSegment *segment = (NebulaSegment *) g_ptr_array_index (rows.get (), k);
        n_wrong += segment->first != last + 1;
        last = segment->last;
      }
      n_wrong += last < before;
    }
    return GINT_TO_POINTER (n_wrong);
  };
  GThread *threads[6];
  for (GThread *&thread : threads)
    thread = g_thread_new ("reader", read, store);
  for (guint64 i = 1; i < 100; i++)
    for (const char *name : names)
      ASSERT_EQ (commit_one (store, facts_unit (name, i, 1, "n"), false), COMMITTED);
  for (GThread *thread : threads)
    EXPECT_EQ (GPOINTER_TO_INT (g_thread_join (thread)), 0);
}

INSTANTIATE_TEST_SUITE_P (Backends,
                          StoreConformance,
                          testing::Values ("memory", "sqlite"),
                          [] (const testing::TestParamInfo<const char *> &info) {
                            return std::string (info.param);
                          });

TEST (StoreTest, StatusesHaveNames)
{
  NebulaExecutionStatus status = NEBULA_EXECUTION_STATUS_CREATED;

  for (int i = 0; i <= NEBULA_EXECUTION_STATUS_TIMED_OUT; i++) {
    const char *text = nebula_execution_status_to_string ((NebulaExecutionStatus) i);
    EXPECT_TRUE (nebula_execution_status_from_string (text, &status));
    EXPECT_EQ (status, i);
    EXPECT_EQ (nebula_execution_status_is_terminal (status),
               i >= NEBULA_EXECUTION_STATUS_COMPLETED);
  }
  EXPECT_STREQ (nebula_execution_status_to_string (NEBULA_EXECUTION_STATUS_TIMED_OUT), "timed-out");
  EXPECT_FALSE (nebula_execution_status_from_string ("sleeping", &status));
}

} // namespace
