/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Histories in pages, and events out of the journal. */
#include "engine-test.h"

#include "nebula-event-reader.h"
#include "nebula-history-page.h"
#include "nebula-registry.h"
#include "nebula-retention.h"

using namespace nebula;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace
{

const char *const loop = R"(
nebula: 1
name: loop
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3] }
    body:
      nodes:
        x: { action: test.effect, with: { v: "{{ $item }}" } }
      result: "{{ $nodes.x.result.v }}"
  end: { action: data.set, with: { sum: "{{ sum ($nodes.each.result) }}" }, after: [each] }
output: "{{ $nodes.end.result.sum }}"
)";

const char *const failing = R"(
nebula: 1
name: failing
nodes:
  bad: { action: flow.fail, with: { message: "no luck" } }
)";

const char *const waiting = R"(
nebula: 1
name: waiting
nodes:
  w: { action: flow.wait, with: { signal: go } }
)";

std::string
long_loop (guint n)
{
  return "nebula: 1\nname: long\nnodes:\n"
         "  each: { action: flow.for-each, with: { items: \"{{ range (0, " +
         std::to_string (n) +
         ") }}\" }, body: { nodes: { x: { action: data.set, with: { v: \"{{ $item }}\" } } }, result: \"{{ 1 }}\" } }\n"
         "output: 1\n";
}

} // namespace

class HistoryTest : public EngineFixture
{
protected:
  struct Answer
  {
    GAsyncResult *result = nullptr;
  };

  static void answered (GObject *, GAsyncResult *result, gpointer data)
  {
    ((Answer *) data)->result = (GAsyncResult *) g_object_ref (result);
  }

  std::string run (const char *text)
  {
    start (text);
    EXPECT_TRUE (wait ());
    return nebula_execution_get_id (execution.get ());
  }

  Value page (const std::string &id, const char *after, guint limit, GError **error = nullptr)
  {
    Answer answer;

    nebula_engine_read_history_async (engine.get (), id.c_str (), after, limit, nullptr, answered,
                                      &answer);
    run_until ([&] { return answer.result != nullptr; });
    Value value (nebula_engine_read_history_finish (engine.get (), answer.result, error));
    g_object_unref (answer.result);
    return value;
  }

  /* Each fact as “kind path”. */
  std::vector<std::string> history (const std::string &id, guint limit, guint *n_pages = nullptr)
  {
    std::vector<std::string> facts;
    std::string after;
    gint64 last = 0;

    for (;;) {
      Error error;
      Value value = page (id, after.empty () ? nullptr : after.c_str (), limit, error.out ());
      if (!value) {
        ADD_FAILURE () << error.message ();
        return facts;
      }
      NebulaValue *items = nebula_value_get_member (value.get (), "items");
      const char *next = nebula_value_get_member_string (value.get (), "next", nullptr);

      EXPECT_LE (nebula_value_get_length (items), limit);
      for (gsize i = 0; i < nebula_value_get_length (items); i++) {
        NebulaValue *item = nebula_value_get_item (items, i);
        std::string path = nebula_value_get_member_string (item, "path", "");

        EXPECT_EQ (nebula_value_get_member_integer (item, "sequence", 0), ++last);
        facts.push_back (nebula_value_get_member_string (item, "fact", "?") +
                         (path.empty () ? "" : " " + path));
      }
      if (n_pages)
        (*n_pages)++;
      if (!next)
        return facts;
      after = next;
    }
  }

  using Events = std::vector<std::string>;

  static std::string show (NebulaEvent *event)
  {
    g_autoptr (NebulaValue) cloud = nebula_event_to_cloud_event (event, nullptr);
    g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

    for (gsize i = 0; i < nebula_value_get_length (cloud); i++)
      if (!g_str_equal (nebula_value_get_key (cloud, i, nullptr), "position"))
        nebula_value_builder_set (builder, nebula_value_get_key (cloud, i, nullptr),
                                  nebula_value_get_member_at (cloud, i));
    g_autoptr (NebulaValue) rest = nebula_value_builder_end (builder);
    return to_json (rest);
  }

  static void heard (NebulaEvent *event, gpointer data)
  {
    ((Events *) data)->push_back (show (event));
  }

  Ref<NebulaEventReader>
  reader (const char *after = nullptr, const char *pattern = nullptr, const char *id = nullptr)
  {
    Error error;
    Ref<NebulaEventReader> made (
        nebula_event_reader_new (engine.get (), pattern, id, after, error.out ()));

    EXPECT_TRUE (made) << error.message ();
    return made;
  }

  /* Events, and their positions, which must grow. */
  Events read (NebulaEventReader *from,
               guint limit,
               std::string *position = nullptr,
               bool waits = false)
  {
    Answer answer;
    Error error;
    Events events;

    nebula_event_reader_read_async (from, limit, waits, nullptr, answered, &answer);
    run_until ([&] { return answer.result != nullptr; });
    g_autoptr (GPtrArray) found =
        nebula_event_reader_read_finish (from, answer.result, error.out ());
    g_object_unref (answer.result);
    EXPECT_TRUE (found) << error.message ();

    for (guint i = 0; found && i < found->len; i++) {
      NebulaEvent *event = (NebulaEvent *) found->pdata[i];

      if (position && !position->empty ()) {
        EXPECT_LT (*position, nebula_event_get_position (event));
      }
      if (position)
        *position = nebula_event_get_position (event);
      events.push_back (show (event));
    }
    return events;
  }

  Events read_all (NebulaEventReader *from, guint limit = 7)
  {
    Events all;
    for (Events some = read (from, limit); !some.empty (); some = read (from, limit))
      all.insert (all.end (), some.begin (), some.end ());
    return all;
  }
};

TEST_P (HistoryTest, PagesOfAnySizeShowTheSame)
{
  std::string id = run (loop);
  std::vector<std::string> whole = history (id, 1000);

  ASSERT_GT (whole.size (), 10u);
  EXPECT_EQ (whole.front (), "started");
  EXPECT_EQ (whole.back (), "ended");
  EXPECT_THAT (whole, testing::Contains ("node-ended each[1].x"));
  for (guint limit : {1u, 2u, 5u, (guint) whole.size ()})
    EXPECT_EQ (history (id, limit), whole) << limit;

  /* From any fact on, also without the page before. */
  for (guint after = 0; after <= whole.size (); after++) {
    Value value = page (id, std::to_string (after).c_str (), 1000);
    NebulaValue *items = nebula_value_get_member (value.get (), "items");

    ASSERT_EQ (nebula_value_get_length (items), whole.size () - after);
    if (after < whole.size ()) {
      EXPECT_EQ (nebula_value_get_member_integer (nebula_value_get_item (items, 0), "sequence", 0),
                 after + 1);
    }
  }
}

TEST_P (HistoryTest, SaysWhatThereIsToSay)
{
  Value value = page (run (failing), nullptr, 100);
  std::string text = to_json (value.get ());

  EXPECT_THAT (text, HasSubstr (R"("fact":"node-failed","node":"bad","path":"bad")"));
  EXPECT_THAT (text, HasSubstr (R"("message":"no luck")"));
  EXPECT_THAT (text, HasSubstr (R"("status":"failed")"));
  EXPECT_THAT (text, HasSubstr (R"("input":{})"));

  start (waiting);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  std::string id = nebula_execution_get_id (execution.get ());
  value = page (id, nullptr, 100);
  text = to_json (value.get ());
  EXPECT_THAT (text, HasSubstr (R"("path":"w")"));
  EXPECT_THAT (text, HasSubstr (R"("for":"signal","name":"go")"));
  NebulaValue *items = nebula_value_get_member (value.get (), "items");
  std::string last = std::to_string (nebula_value_get_length (items));

  /* What comes later follows. */
  EXPECT_EQ (nebula_value_get_member_string (value.get (), "next", nullptr), nullptr);
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  value = page (id, last.c_str (), 100);
  EXPECT_THAT (to_json (value.get ()), HasSubstr (R"("fact":"signalled","name":"go")"));
}

TEST_P (HistoryTest, RefusesWhatThereIsNot)
{
  Error error;

  EXPECT_FALSE (page ("exe_none", nullptr, 1, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_NOT_FOUND));
  Error other;
  EXPECT_FALSE (page ("exe_none", "x", 1, other.out ()));
  EXPECT_TRUE (has_error (other, NEBULA_ERROR_INVALID_ARGUMENT));
}

/* Each page is a page: what is read of the store for it does not grow with what lies before. */
TEST_P (HistoryTest, LongHistoriesAreReadOnce)
{
  std::string id = run (long_loop (3000).c_str ());
  guint n_pages = 0;
  std::vector<std::string> whole = history (id, 500, &n_pages);

  EXPECT_GT (whole.size (), 9000u);
  EXPECT_GE (n_pages, whole.size () / 500);
  EXPECT_THAT (whole, testing::Contains ("node-ended each[2999].x"));
}

TEST_P (HistoryTest, ReplayedEventsAreTheLiveOnes)
{
  Events live;
  NebulaSubscription *subscription = nebula_event_bus_subscribe (
      nebula_engine_get_event_bus (engine.get ()), "*", nullptr, heard, &live, nullptr);
  run (loop);
  std::string id = run (failing);
  nebula_event_bus_deliver (nebula_engine_get_event_bus (engine.get ()));
  nebula_subscription_cancel (subscription);
  g_object_unref (subscription);
  live.erase (std::remove_if (live.begin (), live.end (),
                              [] (const std::string &event) {
                                return event.find ("\"sequence\"") == std::string::npos;
                              }),
              live.end ());

  ASSERT_GT (live.size (), 10u);
  EXPECT_EQ (read_all (reader ().get ()), live);
  EXPECT_EQ (read_all (reader ().get (), 1), live);
  EXPECT_EQ (read_all (reader (nullptr, "execution.failed").get ()).size (), 1u);
  EXPECT_EQ (read_all (reader (nullptr, "execution.*").get ()).size (), 4u);
  Events of_one = read_all (reader (nullptr, nullptr, id.c_str ()).get ());
  EXPECT_EQ (of_one, Events (live.end () - (long) of_one.size (), live.end ()));
  EXPECT_THAT (of_one.front (), HasSubstr ("org.nebula.execution.started"));
}

/* Wherever a subscriber was interrupted: what it has and what it then gets is all, once. */
TEST_P (HistoryTest, ReadingGoesOnAnywhere)
{
  run (loop);
  run (failing);
  Events all = read_all (reader ().get ());

  for (guint n = 1; n < all.size (); n++) {
    std::string position;
    Events some = read (reader ().get (), n, &position);
    ASSERT_EQ (some.size (), n);
    Events rest = read_all (reader (position.c_str ()).get ());
    some.insert (some.end (), rest.begin (), rest.end ());
    EXPECT_EQ (some, all) << n;
  }

  /* The position of the reader skips what it has passed over. */
  Ref<NebulaEventReader> failures = reader (nullptr, "node.retrying");
  EXPECT_THAT (read (failures.get (), 10), IsEmpty ());
  g_autofree char *end = nebula_event_reader_dup_position (failures.get ());
  EXPECT_THAT (read_all (reader (end).get ()), IsEmpty ());
  std::string id = run (failing);
  Events since = read_all (reader (end).get ());
  EXPECT_EQ (since, read_all (reader (nullptr, nullptr, id.c_str ()).get ()));
  EXPECT_EQ (read_all (failures.get ()).size (), 0u);
}

TEST_P (HistoryTest, FollowersAreToldAtOnce)
{
  Ref<NebulaEventReader> follower = reader (nullptr, "execution.completed");
  Answer answer;

  nebula_event_reader_read_async (follower.get (), 1, TRUE, nullptr, answered, &answer);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (nullptr, FALSE);
  EXPECT_EQ (answer.result, nullptr);

  /* One at a time. */
  Answer second;
  Error error;
  nebula_event_reader_read_async (follower.get (), 1, TRUE, nullptr, answered, &second);
  run_until ([&] { return second.result != nullptr; });
  EXPECT_EQ (nebula_event_reader_read_finish (follower.get (), second.result, error.out ()), nullptr);
  EXPECT_TRUE (g_error_matches (error.get (), G_IO_ERROR, G_IO_ERROR_PENDING));
  g_object_unref (second.result);

  std::string id = run (loop);
  run_until ([&] { return answer.result != nullptr; });
  g_autoptr (GPtrArray) events =
      nebula_event_reader_read_finish (follower.get (), answer.result, nullptr);
  g_object_unref (answer.result);
  ASSERT_TRUE (events);
  ASSERT_EQ (events->len, 1u);
  EXPECT_EQ (nebula_event_get_execution ((NebulaEvent *) events->pdata[0]), id);

  /* Waiting ends when it is cancelled, or the engine stops. */
  Ref<GCancellable> cancellable (g_cancellable_new ());
  Answer third;
  Error cancelled;
  nebula_event_reader_read_async (follower.get (), 1, TRUE, cancellable.get (), answered, &third);
  g_cancellable_cancel (cancellable.get ());
  run_until ([&] { return third.result != nullptr; });
  EXPECT_EQ (nebula_event_reader_read_finish (follower.get (), third.result, cancelled.out ()), nullptr);
  EXPECT_TRUE (g_error_matches (cancelled.get (), G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_object_unref (third.result);

  Answer fourth;
  Error stopped;
  nebula_event_reader_read_async (follower.get (), 1, TRUE, nullptr, answered, &fourth);
  nebula_engine_stop (engine.get ());
  run_until ([&] { return fourth.result != nullptr; });
  EXPECT_EQ (nebula_event_reader_read_finish (follower.get (), fourth.result, stopped.out ()), nullptr);
  EXPECT_TRUE (has_error (stopped, NEBULA_ERROR_CANCELLED));
  g_object_unref (fourth.result);
}

TEST_P (HistoryTest, RefusesWhatIsNoPosition)
{
  for (const char *position : {"", "x", "0000000000000001", "0000000000000001-0000g", "0000000000000001-000011"}) {
    Error error;
    EXPECT_EQ (nebula_event_reader_new (engine.get (), nullptr, nullptr, position, error.out ()), nullptr);
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT)) << position;
  }
  Error error;
  EXPECT_EQ (nebula_event_reader_new (engine.get (), "node.danced", nullptr, nullptr, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
}

/* In another process later, without the module that it needs. */
TEST_P (HistoryTest, AWorkflowThatIsGoneIsToldWithoutPlaces)
{
  if (!is_durable ())
    GTEST_SKIP () << "a store in memory does not outlive its engine";
  std::string id = run (loop);
  Events all = read_all (reader ().get ());
  std::vector<std::string> facts = history (id, 100);

  close ();
  resolver = Ref<NebulaActionResolver> (
      (NebulaActionResolver *) g_object_new (NEBULA_TYPE_REGISTRY, nullptr));
  open ();
  Events later = read_all (reader ().get ());
  std::vector<std::string> blind = history (id, 100);
  ASSERT_EQ (later.size (), all.size ());
  EXPECT_EQ (later.front (), all.front ());
  EXPECT_EQ (later.back (), all.back ());
  ASSERT_EQ (blind.size (), facts.size ());
  EXPECT_EQ (blind.back (), "ended");
}

/* Removes by itself: at once, what is old enough. */
TEST_P (HistoryTest, WhatNeedNotStayGoesByItself)
{
  auto count = [&] {
    NebulaHeaderQuery query = {};
    g_autoptr (GPtrArray) headers =
        nebula_store_list_headers (nebula_engine_get_store (engine.get ()), &query, nullptr);
    return headers->len;
  };
  auto turn_until = [&] (guint n) { return run_until ([&] { return count () == n; }); };
  const gint64 hour = G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC;

  if (!is_durable ())
    GTEST_SKIP () << "the store in memory keeps all";
  run (loop);
  run (failing);
  nebula_manual_clock_advance (clock.get (), 2 * hour);
  run (loop);
  run (failing);
  start (waiting);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  ASSERT_EQ (count (), 5u);

  nebula_engine_set_retention (engine.get (), 0, 3 * hour, 0);
  for (guint i = 0; i < 20; i++)
    g_main_context_iteration (nullptr, FALSE);
  nebula_engine_set_retention (engine.get (), hour, 3 * hour, 0);
  ASSERT_TRUE (turn_until (4)); /* the loop of long ago */
  nebula_engine_set_retention (engine.get (), hour, 0, 0);
  ASSERT_TRUE (turn_until (3)); /* the failure as well */
  nebula_engine_set_retention (engine.get (), 0, 0, 1);
  ASSERT_TRUE (turn_until (2)); /* the last one that ended, and the one that waits */
  nebula_engine_set_retention (engine.get (), 0, 0, 0);
  ASSERT_EQ (count (), 2u);
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (count (), 2u);
}

TEST_P (HistoryTest, PruningIsAnswered)
{
  NebulaRetention rule = {};
  Answer answer;
  Error error;

  for (guint i = 0; i < 120; i++)
    run (failing);
  rule.is_trial = TRUE;
  for (gint64 expected : {120, 120, 0}) {
    answer.result = nullptr;
    nebula_engine_prune_async (engine.get (), &rule, nullptr, answered, &answer);
    run_until ([&] { return answer.result != nullptr; });
    gint64 n = nebula_engine_prune_finish (engine.get (), answer.result, error.out ());
    g_object_unref (answer.result);
    if (!is_durable ()) {
      EXPECT_EQ (n, -1);
      EXPECT_TRUE (has_error (error, NEBULA_ERROR_UNSUPPORTED));
      return;
    }
    EXPECT_EQ (n, expected);
    rule.is_trial = FALSE;
  }
}

INSTANTIATE_TEST_SUITE_P (Stores, HistoryTest, testing::Values ("memory", "sqlite", "sqlite3"));
