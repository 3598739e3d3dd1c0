/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine-test.h"

#include <functional>

using namespace nebula;

class EngineTest : public EngineFixture
{
};

INSTANTIATE_TEST_SUITE_P (Stores,
                          EngineTest,
                          testing::Values ("memory", "sqlite", "memory2", "sqlite3"),
                          [] (const auto &info) { return info.param; });

static const char chain[] = R"(
name: chain
nodes:
  a: { action: data.set, with: { x: 1 } }
  b: { action: test.effect, with: { y: 2 }, after: [a] }
  c: { action: test.read, with: { z: 3 }, after: [b] }
)";

TEST_P (EngineTest, RunsAWorkflow)
{
  start (chain);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (output (), R"({"z":3})");
}

static void on_end (GObject *, GAsyncResult *, gpointer data)
{
  (*(std::function<void ()> *) data) ();
}

TEST_P (EngineTest, LastHandleGoesInsideTheAnswer)
{
  bool has_ended = false;
  std::function<void ()> end = [&] { has_ended = true; };

  start (chain);
  nebula_execution_wait_async (execution.get (), nullptr, on_end, &end);
  execution = Ref<NebulaExecution> (); /* the task holds the last one */
  ASSERT_TRUE (run_until ([&] { return has_ended; }));
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 0u);
}

TEST_P (EngineTest, IsStoppedInsideTheAnswer)
{
  int n_ended = 0;
  std::function<void ()> count = [&] { n_ended++; };
  std::function<void ()> stop = [&] {
    n_ended++;
    nebula_engine_stop (engine.get ());
  };

  start ("{name: w, nodes: {w: {action: flow.wait, with: {signal: go}}}}");
  nebula_execution_wait_async (execution.get (), nullptr, on_end, &count);
  start (chain);
  nebula_execution_wait_async (execution.get (), nullptr, on_end, &stop);
  execution = Ref<NebulaExecution> ();
  ASSERT_TRUE (run_until ([&] { return n_ended == 2; }));
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 0u);
}

TEST_P (EngineTest, ReportsTheRunObject)
{
  Error error;

  start (chain);
  ASSERT_TRUE (wait ());
  Value report (nebula_execution_get_report (execution.get (), error.out ()));
  ASSERT_TRUE (report) << error.message ();
  NebulaValue *nodes = nebula_value_get_member (report.get (), "nodes");
  EXPECT_STREQ (nebula_value_get_member_string (report.get (), "workflow", ""), "chain");
  EXPECT_EQ (nebula_value_get_length (nodes), 3u);
  EXPECT_EQ (nebula_value_get_member_integer (nebula_value_get_member (nodes, "b"),
                                              "attempts", 0),
             1);
}

static void
count (gpointer data)
{
  ++*(int *) data;
}

TEST_P (EngineTest, IsWhatItsInterfacesSay)
{
  int n_released = 0, n_engine = 0;

  start ("nebula: 1\nname: w\nnodes:\n  p: { action: flow.wait, with: { duration: 1h } }\n");
  NebulaExecution *self = execution.get ();
  NebulaScope *scope = nebula_scoped_get_scope (NEBULA_SCOPED (self));
  NebulaScope *outer = nebula_scoped_get_scope (NEBULA_SCOPED (engine.get ()));
  EXPECT_STREQ (nebula_identifiable_get_id (NEBULA_IDENTIFIABLE (self)), nebula_execution_get_id (self));
  NebulaContext *context = nebula_has_context_get_context (NEBULA_HAS_CONTEXT (self));
  EXPECT_STREQ (nebula_context_get_execution (context), nebula_execution_get_id (self));
  EXPECT_EQ (nebula_scope_get_kind (scope), NEBULA_SCOPE_KIND_EXECUTION);
  EXPECT_STREQ (nebula_scope_get_id (scope), nebula_execution_get_id (self));
  EXPECT_TRUE (nebula_scope_contains (outer, scope));
  nebula_scope_bind (scope, &n_released, count);
  nebula_scope_bind (outer, &n_engine, count);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  EXPECT_EQ (n_released, 0);
  nebula_execution_cancel_async (self, "enough", nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (n_released, 1);
  EXPECT_TRUE (nebula_scope_is_ended (nebula_scoped_get_scope (NEBULA_SCOPED (self))));
  EXPECT_EQ (n_engine, 0);
  nebula_engine_stop (engine.get ());
  EXPECT_EQ (n_released, 1);
  EXPECT_EQ (n_engine, 1);
}

TEST_P (EngineTest, ReleasesWhatIsBoundWhenItStops)
{
  int n_released = 0;

  start ("nebula: 1\nname: w\nnodes:\n  p: { action: flow.wait, with: { duration: 1h } }\n");
  nebula_scope_bind (nebula_scoped_get_scope (NEBULA_SCOPED (execution.get ())), &n_released, count);
  nebula_engine_stop (engine.get ());
  EXPECT_EQ (n_released, 1);
}

TEST_P (EngineTest, WaitsInVirtualTime)
{
  start ("{name: w, nodes: {w: {action: flow.wait, with: {duration: 1h}}}}");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_HOUR - 1000);
  EXPECT_FALSE (run_until ([this] { return status () == "completed"; }, 50000));
  nebula_manual_clock_advance (clock.get (), 1000);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
}

TEST_P (EngineTest, RetriesInVirtualTime)
{
  start (R"({name: r, nodes: {a: {action: test.effect, with: {fail: no, fail-until: 2},
             retry: {attempts: 3, initial: 10s}}}})");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
}

TEST_P (EngineTest, TimesOutAnAttempt)
{
  start ("{name: t, nodes: {a: {action: test.read, with: {hang: true}, timeout: 5s}}}");
  ASSERT_TRUE (run_until (
      [this] { return nebula_manual_clock_get_next_usec (clock.get ()) < G_MAXINT64; }));
  nebula_manual_clock_advance (clock.get (), 5 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "failed");
}

TEST_P (EngineTest, CancelsAndAnswersAfterTheCommit)
{
  bool answered = false;

  start ("{name: c, nodes: {a: {action: test.effect, with: {hang: true}}}}");
  run_until ([this] { return status () == "running"; }, 200000);
  nebula_execution_cancel_async (
      execution.get (), "enough", nullptr,
      [] (GObject *object, GAsyncResult *result, gpointer data) {
        EXPECT_TRUE (
            nebula_execution_cancel_finish ((NebulaExecution *) object, result, nullptr));
        *(bool *) data = true;
      },
      &answered);
  ASSERT_TRUE (wait ());
  EXPECT_TRUE (run_until ([&] { return answered; }));
  EXPECT_EQ (status (), "cancelled");
}

TEST_P (EngineTest, RefusesToCancelWhatHasEnded)
{
  int code = -1;

  start (chain);
  ASSERT_TRUE (wait ());
  nebula_execution_cancel_async (
      execution.get (), nullptr, nullptr,
      [] (GObject *object, GAsyncResult *result, gpointer data) {
        GError *error = nullptr;

        EXPECT_FALSE (
            nebula_execution_cancel_finish ((NebulaExecution *) object, result, &error));
        *(int *) data = error->code;
        g_error_free (error);
      },
      &code);
  EXPECT_TRUE (run_until ([&] { return code >= 0; }));
  EXPECT_EQ (code, NEBULA_ERROR_CONFLICT);
}

TEST_P (EngineTest, TellsEventsOfCommittedFacts)
{
  std::vector<std::string> topics;
  gulong id = g_signal_connect (
      nebula_engine_get_event_bus (engine.get ()), "event",
      G_CALLBACK (+[] (NebulaEventBus *, NebulaEvent *event, gpointer data) {
        ((std::vector<std::string> *) data)->push_back (nebula_event_get_topic (event));
      }),
      &topics);

  start (chain);
  ASSERT_TRUE (wait ());
  while (g_main_context_iteration (context_, FALSE))
    ;
  g_signal_handler_disconnect (nebula_engine_get_event_bus (engine.get ()), id);
  ASSERT_FALSE (topics.empty ());
  EXPECT_EQ (topics.front (), "execution.started");
  EXPECT_EQ (topics.back (), "execution.completed");
  EXPECT_EQ (std::count (topics.begin (), topics.end (), "node.completed"), 3);
}

TEST_P (EngineTest, LetsOnlySoManyThroughAGate)
{
  const char *text = R"(
name: gated
settings: { concurrency: { limit: 1, while-waiting: keep } }
nodes:
  w: { action: flow.wait, with: { duration: 10s } }
)";
  start (text);
  ASSERT_TRUE (run_until (
      [this] { return nebula_manual_clock_get_next_usec (clock.get ()) < G_MAXINT64; }));
  Ref<NebulaExecution> first (execution.steal ());
  start (text);
  Ref<NebulaExecution> second (execution.steal ());
  run_until ([] { return false; }, 100000);
  Value reasons (nebula_execution_explain (second.get ()));
  EXPECT_THAT (to_json (reasons), testing::HasSubstr ("concurrency-limit"));
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  EXPECT_TRUE (run_until ([&] {
    return nebula_execution_get_status (first.get ()) ==
           NEBULA_EXECUTION_STATUS_COMPLETED;
  }));
  EXPECT_TRUE (run_until (
      [this] { return nebula_manual_clock_get_next_usec (clock.get ()) < G_MAXINT64; }));
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  EXPECT_TRUE (run_until ([&] {
    return nebula_execution_get_status (second.get ()) ==
           NEBULA_EXECUTION_STATUS_COMPLETED;
  }));
}

TEST_P (EngineTest, RunsManyAtOnce)
{
  std::vector<NebulaExecution *> all;

  for (int i = 0; i < 200; i++) {
    start (chain);
    all.push_back (execution.steal ());
  }
  for (NebulaExecution *one : all) {
    EXPECT_TRUE (run_until ([one] {
      return nebula_execution_get_status (one) == NEBULA_EXECUTION_STATUS_COMPLETED;
    }));
    g_object_unref (one);
  }
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 0u);
}

TEST_P (EngineTest, LooksIntoFinishedRounds)
{
  Error error;

  start (R"(
name: each
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3] }
    body: { nodes: { a: { action: test.effect, with: { v: 5 } } } }
)");
  ASSERT_TRUE (wait ());
  if (!is_durable ())
    return; /* a memory store forgets nothing either, but is read the same way */
  Value report (
      nebula_execution_get_node_report (execution.get (), "each[2].a", error.out ()));
  ASSERT_TRUE (report) << error.message ();
  EXPECT_STREQ (nebula_value_get_member_string (report.get (), "status", ""),
                "completed");
  Value missing (
      nebula_execution_get_node_report (execution.get (), "each[9].a", error.out ()));
  EXPECT_FALSE (missing);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_NOT_FOUND));
}

TEST_P (EngineTest, TakesUpWhatAStoppedEngineLeft)
{
  if (!is_durable ())
    return;
  start (
      "{name: w, nodes: {a: {action: test.effect, with: {v: 1}}, w: {action: flow.wait, with: {duration: 1h}, after: [a]}}}");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  std::string id = nebula_execution_get_id (execution.get ());
  close ();
  open ();
  Error error;
  EXPECT_EQ (recover (), 1);
  EXPECT_EQ (nebula_engine_get_n_waiting (engine.get ()), 1u);
  nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_HOUR);
  ASSERT_TRUE (
      run_until ([this] { return nebula_engine_get_n_waiting (engine.get ()) == 0; }));
  run_until ([this] { return nebula_engine_get_n_active (engine.get ()) == 0; });
  execution = Ref<NebulaExecution> (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
  ASSERT_TRUE (execution) << error.message ();
  EXPECT_EQ (status (), "completed");
}

TEST_P (EngineTest, LeavesMemoryWhileItWaits)
{
  if (!is_durable ())
    return;
  start ("{name: w, nodes: {w: {action: flow.wait, with: {signal: go}}}}");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  std::string id = nebula_execution_get_id (execution.get ());
  execution = Ref<NebulaExecution> ();
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 0u);
  EXPECT_EQ (nebula_engine_get_n_waiting (engine.get ()), 1u);
  Error error;
  execution = Ref<NebulaExecution> (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
  ASSERT_TRUE (execution) << error.message ();
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr,
                                 nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"reason":"signal","value":null})");
}

TEST_P (EngineTest, GoesOnAfterItWasHeldBack)
{
  std::string items = "[0";

  for (int i = 1; i < 6000; i++)
    items += "," + std::to_string (i);
  start (("{name: big, nodes: {each: {action: flow.for-each, with: {items: " + items +
          "]}, body: {nodes: {a: {action: flow.no-op}}}}}}")
             .c_str ());
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
}

TEST_P (EngineTest, MayLoseItsLastHandleInTheAnswer)
{
  bool answered = false;

  start (chain);
  nebula_execution_wait_async (
      execution.get (), nullptr,
      [] (GObject *object, GAsyncResult *result, gpointer data) {
        EXPECT_TRUE (nebula_execution_wait_finish ((NebulaExecution *) object, result, nullptr));
        *(bool *) data = true;
      },
      &answered);
  execution = Ref<NebulaExecution> ();
  EXPECT_TRUE (run_until ([&] { return answered; }));
  EXPECT_TRUE (run_until ([this] { return nebula_engine_get_n_active (engine.get ()) == 0; }));
}

static const char large_values[] = R"(
name: large
nodes:
  a: { action: data.set, with: { t: "{{ repeat ('x', 900000) }}", u: "{{ repeat ('y', 300000) }}" } }
  b: { action: test.effect, with: { n: "{{ length ($json.t) }}", t: "{{ $json.t }}" }, after: [a] }
  w: { action: flow.wait, with: { duration: 10s }, after: [b] }
  each:
    action: flow.for-each
    after: [w]
    with: { items: "{{ range (0, 1500) }}", concurrency: 4 }
    body: { nodes: { price: { action: data.set, with: { v: "{{ $item * 2 }}", n: "{{ $nodes.b.result.n }}" } } } }
output: { n: "{{ length ($nodes.a.result.t) }}", t: "{{ $nodes.b.result.t }}", v: "{{ $nodes.each.result[734].v }}" }
)";

TEST_P (EngineTest, LargeValuesAreSeenWholeEverywhere)
{
  start (large_values);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  std::string id = nebula_execution_get_id (execution.get ());
  if (is_durable ()) {
    close ();
    open ();
    ASSERT_EQ (recover (), 1);
    execution = Ref<NebulaExecution> (nebula_engine_get_execution (engine.get (), id.c_str (), nullptr));
    ASSERT_TRUE (execution);
  }
  nebula_manual_clock_advance (clock.get (), 11 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (output (), "{\"n\":900000,\"t\":\"" + std::string (900000, 'x') + "\",\"v\":1468}");

  Error error;
  Value report (nebula_execution_get_report (execution.get (), error.out ()));
  ASSERT_TRUE (report) << error.message ();
  NebulaValue *nodes = nebula_value_get_member (report.get (), "nodes");
  NebulaValue *each = nebula_value_get_member (nebula_value_get_member (nodes, "each"), "result");
  EXPECT_EQ (nebula_value_get_length (each), 1500u);
  EXPECT_EQ (to_json (nebula_value_get_item (each, 1499)), R"({"v":2998,"n":900000})");
  Value node (nebula_execution_get_node_report (execution.get (), "each[734].price", error.out ()));
  ASSERT_TRUE (node) << error.message ();
  EXPECT_EQ (to_json (nebula_value_get_member (node.get (), "result")), R"({"v":1468,"n":900000})");
}

TEST_P (EngineTest, ALostBlobIsAnErrorThatIsTold)
{
  if (!is_durable ())
    GTEST_SKIP () << "a store in memory loses nothing";
  start (large_values);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  std::string id = nebula_execution_get_id (execution.get ());
  close ();
  remove_blobs ();
  open ();
  ASSERT_EQ (recover (), 1);
  execution = Ref<NebulaExecution> (nebula_engine_get_execution (engine.get (), id.c_str (), nullptr));
  nebula_manual_clock_advance (clock.get (), 11 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "failed");
  Error error;
  EXPECT_FALSE (Value (nebula_execution_get_report (execution.get (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_STORE_CORRUPT));
}
