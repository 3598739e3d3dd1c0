/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executions that begin where an earlier one has been; pins, mocks, breakpoints, steps. */
#include "engine-test.h"

#include "nebula-revisions.h"

using namespace nebula;

namespace
{

const char *const chain = R"(
nebula: 1
name: chain
input: { type: object, properties: { n: { type: integer, default: 1 } } }
nodes:
  a: { action: test.pure, with: { v: "{{ $input.n }}" } }
  b: { action: test.effect, with: { v: "{{ $nodes.a.result.v + 1 }}" }, after: [a] }
  c: { action: data.set, with: { v: "{{ $nodes.b.result.v * 10 }}" }, after: [b] }
  side: { action: test.pure, with: { v: 5 }, after: [a] }
output: "{{ [$nodes.c.result.v, $nodes.side.result.v] }}"
)";

const char *const loop = R"(
nebula: 1
name: loop
nodes:
  items: { action: test.pure, with: { v: [1, 2, 3, 4] } }
  each:
    action: flow.for-each
    with: { items: "{{ $nodes.items.result.v }}" }
    after: [items]
    body:
      nodes:
        x: { action: test.effect, with: { v: "{{ $item }}" } }
        y: { action: test.effect, with: { v: "{{ $nodes.x.result.v * 2 }}" }, after: [x] }
      result: "{{ $nodes.y.result.v }}"
  end: { action: data.set, with: { sum: "{{ sum ($nodes.each.result) }}" }, after: [each] }
output: "{{ $nodes.end.result.sum }}"
)";

} // namespace

class RerunTest : public EngineFixture
{
protected:
  std::string run (const char *text, const char *input = nullptr)
  {
    start (text, input);
    EXPECT_TRUE (wait ());
    id = nebula_execution_get_id (execution.get ());
    return output ();
  }

  /* The output of the re-run, or the code of the error. */
  std::string rerun (const char *options)
  {
    Error error;
    Value choices = json (options);

    execution = Ref<NebulaExecution> (
        nebula_engine_rerun (engine.get (), id.c_str (), choices.get (), error.out ()));
    if (!execution)
      return nebula_error_get_code (error.get ());
    EXPECT_TRUE (wait ());
    return status () == "completed" ? output () : status ();
  }

  gint64 attempts (const char *path)
  {
    Error error;
    Value report (nebula_execution_get_node_report (execution.get (), path, error.out ()));

    EXPECT_TRUE (report) << error.message ();
    return report ? nebula_value_get_member_integer (report.get (), "attempts", -1) : -1;
  }

  std::string report (const char *key)
  {
    Value whole (nebula_execution_get_report (execution.get (), nullptr));

    return to_json (nebula_value_get_member (whole.get (), key));
  }

  static void answered (GObject *source, GAsyncResult *result, gpointer data)
  {
    Error error;
    std::string *code = static_cast<std::string *> (data);

    *code = nebula_execution_steer_finish (NEBULA_EXECUTION (source), result, error.out ())
                ? "done"
                : nebula_error_get_code (error.get ());
  }

  std::string set_break (const char *path, const char *condition = nullptr, bool is_set = true)
  {
    std::string code;

    nebula_execution_break_async (execution.get (), path, condition, is_set, nullptr, answered, &code);
    run_until ([&code] { return !code.empty (); });
    return code;
  }

  std::string step ()
  {
    std::string code;

    nebula_execution_step_async (execution.get (), nullptr, answered, &code);
    run_until ([&code] { return !code.empty (); });
    if (code != "done")
      return code;
    run_until ([this] {
      NebulaExecutionStatus now = nebula_execution_get_status (execution.get ());
      return now == NEBULA_EXECUTION_STATUS_PAUSED || nebula_execution_status_is_terminal (now);
    });
    return status () == "paused" ? report ("at") : status ();
  }

  void begin (const char *text, const char *options)
  {
    Error error;
    GBytes *bytes = g_bytes_new (text, strlen (text));
    Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, "t.yaml", nullptr, error.out ()));
    Plan plan (nebula_engine_deploy (engine.get (), workflow.get (), nullptr, error.out ()));
    Value choices = json (options);

    g_bytes_unref (bytes);
    ASSERT_TRUE (plan) << error.message ();
    execution = Ref<NebulaExecution> (
        nebula_engine_start (engine.get (), plan.get (), nullptr, choices.get (), error.out ()));
    code = execution ? "" : nebula_error_get_code (error.get ());
  }

  /* What is in memory goes; the store stays. */
  void reopen ()
  {
    std::string kept = nebula_execution_get_id (execution.get ());
    Ref<NebulaStore> store ((NebulaStore *) g_object_ref (nebula_engine_get_store (engine.get ())));
    Error error;

    close ();
    engine = Ref<NebulaEngine> ((NebulaEngine *) g_object_new (
        NEBULA_TYPE_ENGINE, "resolver", resolver.get (), "store", store.get (), "clock",
        clock.get (), "executor", executor.get (), nullptr));
    execution = Ref<NebulaExecution> (
        nebula_engine_get_execution (engine.get (), kept.c_str (), error.out ()));
    ASSERT_TRUE (execution) << error.message ();
  }

  std::string id;
  std::string code;
};

TEST_P (RerunTest, FromTheStart)
{
  EXPECT_EQ (run (chain, "{\"n\": 3}"), "[40,5]");
  EXPECT_EQ (rerun ("{}"), "[40,5]");
  EXPECT_EQ (attempts ("a"), 1);
  EXPECT_NE (id, nebula_execution_get_id (execution.get ()));
  EXPECT_EQ (report ("origin"), "{\"execution\":\"" + id + "\"}");
  EXPECT_EQ (rerun ("{\"input\": {\"n\": 4}}"), "[50,5]");
}

TEST_P (RerunTest, FromANode)
{
  run (chain, "{\"n\": 3}");
  EXPECT_EQ (rerun ("{\"from\": \"b\"}"), "[40,5]");
  EXPECT_EQ (attempts ("a"), 0);
  EXPECT_EQ (attempts ("b"), 1);
  EXPECT_EQ (attempts ("side"), 0);
  EXPECT_EQ (attempts ("c"), 1);
  EXPECT_NE (report ("nodes").find ("\"given\":\"rerun\""), std::string::npos);
  EXPECT_EQ (rerun ("{\"from\": \"nobody\"}"), "invalid-argument");
  EXPECT_EQ (rerun ("{\"from\": \"a\"}"), "[40,5]");
  EXPECT_EQ (attempts ("side"), 1);
  id = "exe_nobody";
  EXPECT_EQ (rerun ("{}"), "not-found");
}

TEST_P (RerunTest, InsideALoop)
{
  EXPECT_EQ (run (loop), "20");
  EXPECT_EQ (rerun ("{\"from\": \"each[2].y\"}"), "20");
  EXPECT_EQ (attempts ("items"), 0);
  EXPECT_EQ (attempts ("each[1].y"), 0);
  EXPECT_EQ (attempts ("each[2].x"), 0);
  EXPECT_EQ (attempts ("each[2].y"), 1);
  EXPECT_EQ (attempts ("each[3].x"), 0);
  EXPECT_EQ (attempts ("end"), 1);
  EXPECT_EQ (rerun ("{\"from\": \"end\"}"), "20");
  EXPECT_EQ (attempts ("each"), 0);
  EXPECT_EQ (rerun ("{\"from\": \"each.y\"}"), "invalid-argument");
}

TEST_P (RerunTest, ForkWithAnotherInput)
{
  const char *const passing = "nebula: 1\nname: p\nnodes:\n"
                              "  a: { action: data.set, with: { v: 1 } }\n"
                              "  b: { action: data.set, with: { w: \"{{ $json.v + 1 }}\" }, after: [a] }\n";

  EXPECT_EQ (run (passing), "{\"w\":2}");
  EXPECT_EQ (rerun ("{\"from\": \"b\", \"input\": {\"v\": 41}}"), "{\"w\":42}");
  EXPECT_EQ (attempts ("a"), 0);
}

TEST_P (RerunTest, WhatFailedRunsAgain)
{
  const char *const failing
      = "nebula: 1\nname: f\nnodes:\n"
        "  a: { action: test.effect, with: { v: 1 } }\n"
        "  b: { action: test.effect, with: { fail: broken }, after: [a] }\n"
        "  c: { action: data.set, with: { v: \"{{ $nodes.a.result.v }}\" }, after: [b] }\n";

  start (failing);
  ASSERT_TRUE (wait ());
  id = nebula_execution_get_id (execution.get ());
  EXPECT_EQ (rerun ("{\"failed\": true}"), "failed");
  EXPECT_EQ (attempts ("a"), 0);
  EXPECT_EQ (rerun ("{\"failed\": true, \"mocks\": {\"b\": null}}"), "{\"v\":1}");
  EXPECT_NE (report ("nodes").find ("\"given\":\"mock\""), std::string::npos);
  run (chain);
  EXPECT_EQ (rerun ("{\"failed\": true}"), "conflict");
}

TEST_P (RerunTest, OnAnotherRevision)
{
  run (chain);
  start ("nebula: 1\nname: chain\nnodes:\n"
         "  a: { action: test.pure, with: { v: 7 } }\n"
         "  d: { action: data.set, with: { w: \"{{ $nodes.a.result.v + 100 }}\" }, after: [a] }\n");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (rerun ("{\"from\": \"d\"}"), "invalid-argument");
  EXPECT_EQ (rerun ("{\"from\": \"d\", \"revision\": \"new\"}"), "{\"w\":101}");
  EXPECT_EQ (rerun ("{\"revision\": \"old\"}"), "[20,5]");
  EXPECT_EQ (rerun ("{\"revision\": \"3\"}"), "not-found");
}

TEST_P (RerunTest, TheOldOneMayGoAndLargeResultsStay)
{
  const char *const large
      = "nebula: 1\nname: l\nnodes:\n"
        "  a: { action: data.set, with: { v: \"{{ repeat ('x', 200000) }}\" } }\n"
        "  w: { action: flow.wait, with: { signal: go }, after: [a] }\n"
        "  b: { action: data.set, with: { v: \"{{ length ($nodes.a.result.v) }}\" }, after: [w] }\n";
  Error error;

  start (large);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  id = nebula_execution_get_id (execution.get ());
  Value choices = json ("{\"from\": \"w\"}");
  execution = Ref<NebulaExecution> (
      nebula_engine_rerun (engine.get (), id.c_str (), choices.get (), error.out ()));
  ASSERT_TRUE (execution) << error.message ();
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  reopen ();
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), "{\"v\":200000}");
  EXPECT_EQ (attempts ("a"), 0);
}

TEST_P (RerunTest, PinsAreResults)
{
  begin (chain, "{\"pins\": {\"b\": {\"v\": 9}}}");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), "[90,5]");
  EXPECT_EQ (attempts ("b"), 0);
  EXPECT_NE (report ("nodes").find ("\"given\":\"pin\""), std::string::npos);
  begin (loop, "{\"pins\": {\"each.x\": {\"v\": 1}, \"each[1].x\": {\"v\": 10}}}");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), "26");
  begin (chain, "{\"pins\": {\"nobody\": 1}}");
  EXPECT_EQ (code, "invalid-argument");
}

TEST_P (RerunTest, Breakpoints)
{
  begin (chain, "{\"breakpoints\": {\"b\": null}}");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_PAUSED));
  EXPECT_EQ (report ("at"), "\"b\"");
  EXPECT_EQ (report ("breakpoints"), "{\"b\":null}");
  reopen ();
  EXPECT_EQ (status (), "paused");
  EXPECT_EQ (set_break ("c"), "done");
  EXPECT_EQ (set_break ("nobody"), "invalid-argument");
  EXPECT_EQ (set_break ("c", "1 +"), "syntax");
  nebula_execution_resume_async (execution.get (), nullptr, nullptr, nullptr);
  ASSERT_TRUE (run_until ([this] { return report ("at") == "\"c\""; }));
  EXPECT_EQ (set_break ("c", nullptr, false), "done");
  nebula_execution_resume_async (execution.get (), nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), "[20,5]");
  EXPECT_EQ (set_break ("c"), "conflict");
}

TEST_P (RerunTest, ConditionsAndSteps)
{
  begin (loop, "{\"breakpoints\": {\"each.y\": \"$item == 3\"}}");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_PAUSED));
  EXPECT_EQ (report ("at"), "\"each[2].y\"");
  EXPECT_EQ (step (), "\"each[3].x\"");
  reopen ();
  EXPECT_EQ (step (), "\"each[3].y\"");
  EXPECT_EQ (step (), "\"end\"");
  EXPECT_EQ (step (), "completed");
  EXPECT_EQ (output (), "20");
  EXPECT_EQ (step (), "conflict");
  begin (chain, "{\"breakpoints\": {\"b\": \"1 +\"}}");
  EXPECT_EQ (code, "syntax");
  begin (loop, "{\"breakpoints\": {\"each.y\": \"$item > 9\"}}");
  ASSERT_TRUE (wait ());
}

INSTANTIATE_TEST_SUITE_P (Stores, RerunTest, testing::Values ("memory", "sqlite"));
