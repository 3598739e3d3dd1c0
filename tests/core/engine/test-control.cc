/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control flow end to end: engine, store, and a stop in the middle. */
#include "engine-test.h"

using namespace nebula;

class ControlTest : public EngineFixture
{
protected:
  /* Stops the engine where it stands and takes up what it left in another one over the same store. */
  void restart ()
  {
    std::string id = nebula_execution_get_id (execution.get ());
    Error error;

    while (g_main_context_iteration (context_, FALSE))
      ; /* answers that are on the way hold the engine */
    close ();
    open ();
    ASSERT_GE (recover (), 0);
    execution = Ref<NebulaExecution> (
        nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
    ASSERT_TRUE (execution) << error.message ();
  }

  void advance (gint64 usec)
  {
    nebula_manual_clock_advance (clock.get (), usec);
  }

  std::string why ()
  {
    Value reasons (nebula_execution_explain (execution.get ()));

    return to_json (reasons.get ());
  }

  std::string error_code ()
  {
    Error error;
    Value report (nebula_execution_get_report (execution.get (), error.out ()));
    NebulaValue *failure = nebula_value_get_member (report.get (), "error");

    return failure && !nebula_value_is_null (failure)
               ? nebula_value_get_member_string (failure, "code", "")
               : "";
  }

  std::string node_status (const char *path)
  {
    Error error;
    Value report (nebula_execution_get_node_report (execution.get (), path, error.out ()));

    return report ? nebula_value_get_member_string (report.get (), "status", "") : "none";
  }
};

INSTANTIATE_TEST_SUITE_P (Stores,
                          ControlTest,
                          testing::Values ("memory", "sqlite", "memory2", "sqlite3"),
                          [] (const auto &info) { return info.param; });

TEST_P (ControlTest, RunsFinallyInAnotherEngine)
{
  start (R"(
name: guard
nodes:
  guard:
    action: flow.try
    body: { nodes: { b: { action: flow.fail, with: { message: broken } } } }
    catch: { nodes: { w: { action: flow.wait, with: { duration: 1h } }, c: { action: test.effect, with: { code: "{{ $error.code }}" }, after: [w] } } }
    finally: { nodes: { f: { action: test.effect, with: { v: 1 } } } }
)");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  if (is_durable ())
    restart ();
  advance (G_TIME_SPAN_HOUR);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (output (), R"({"code":"failed"})");
  if (is_durable ()) {
    EXPECT_EQ (node_status ("guard.finally.f"), "completed");
  }
}

TEST_P (ControlTest, CancelsWithFinallyAcrossARestart)
{
  start (R"(
name: guard
nodes:
  guard:
    action: flow.try
    body: { nodes: { b: { action: flow.wait, with: { signal: never } } } }
    finally: { nodes: { w: { action: flow.wait, with: { duration: 1h } }, f: { action: test.effect, with: { v: 1 }, after: [w] } } }
)");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  nebula_execution_cancel_async (execution.get (), "enough", nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_CANCELLING));
  if (is_durable ())
    restart ();
  EXPECT_EQ (status (), "cancelling");
  EXPECT_TRUE (run_until (
      [this] { return nebula_manual_clock_get_next_usec (clock.get ()) < G_MAXINT64; }));
  advance (G_TIME_SPAN_HOUR);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "cancelled");
}

TEST_P (ControlTest, RacesInVirtualTime)
{
  start (R"(
name: race
nodes:
  race:
    action: flow.race
    bodies:
      signal: { nodes: { s: { action: flow.wait, with: { signal: go } } } }
      time: { nodes: { t: { action: flow.wait, with: { duration: 1h } } } }
)");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  if (is_durable ())
    restart ();
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr,
                                 nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"reason":"signal","value":null})");
}

TEST_P (ControlTest, TurnsACycleAcrossARestart)
{
  start (R"(
name: cycle
nodes:
  a: { action: test.effect, with: { n: "{{ ($nodes.a2.result?.n ?? 0) + 1 }}" } }
  w: { action: flow.wait, with: { duration: 1h }, after: [a] }
  a2: { action: data.set, with: { n: "{{ $nodes.a.result.n }}" }, after: [w] }
  end: { action: flow.no-op }
connections:
  - { from: a2, to: a, when: $json.n < 3, loop: true }
  - { from: a2, to: end, when: $json.n >= 3 }
)");
  for (int i = 0; i < 3; i++) {
    ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
    if (is_durable ())
      restart ();
    std::string before = why ();
    advance (G_TIME_SPAN_HOUR);
    /* The next wait, not the one that is over: a restart in between would cut an effect short. */
    ASSERT_TRUE (run_until ([&] { return status () == "completed" || (status () == "suspended" && why () != before); }));
  }
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"n":3})");
}

TEST_P (ControlTest, UndoesAcrossARestart)
{
  Error error;

  start (R"(
name: saga
nodes:
  a: { action: test.effect, with: { id: 1 }, undo: { action: test.effect, with: { gone: "{{ $json.id }}" } } }
  b: { action: test.effect, with: { id: 2 }, after: [a], undo: { action: test.effect, with: { fail: later, fail-until: 2 }, retry: { attempts: 2, initial: 1h } } }
  bad: { action: flow.fail, with: { message: broken, code: bad }, after: [b] }
)");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  if (is_durable ())
    restart ();
  advance (G_TIME_SPAN_HOUR);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "failed");
  EXPECT_EQ (error_code (), "bad");
  Value report (nebula_execution_get_report (execution.get (), error.out ()));
  EXPECT_EQ (to_json (nebula_value_get_member (report.get (), "undone")),
             R"([{"node":"b","status":"completed"},{"node":"a","status":"completed"}])");
}
