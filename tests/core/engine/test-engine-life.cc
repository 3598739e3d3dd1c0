/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How executions are started, how handles behave at the end of an engine, and what another engine takes up. */
#include "engine-test.h"

using namespace nebula;
using testing::HasSubstr;
using testing::Not;

class EngineLifeTest : public EngineFixture
{
protected:
  Plan deploy (const char *text)
  {
    Error error;
    GBytes *bytes = g_bytes_new (text, strlen (text));
    Ref<NebulaWorkflow> workflow (
        nebula_workflow_read_bytes (bytes, "test.yaml", nullptr, error.out ()));
    Plan plan (nebula_engine_deploy (engine.get (), workflow.get (), nullptr, error.out ()));

    g_bytes_unref (bytes);
    EXPECT_TRUE (plan) << error.message ();
    return plan;
  }
  bool start_with (NebulaPlan *plan, const char *options, Error &error)
  {
    Value value = json (options);

    execution = Ref<NebulaExecution> (
        nebula_engine_start (engine.get (), plan, nullptr, value.get (), error.out ()));
    return (bool) execution;
  }
  void find (const std::string &id)
  {
    Error error;

    execution = Ref<NebulaExecution> (
        nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
    ASSERT_TRUE (execution) << error.message ();
  }
  /* It is through its gate and waits for its time. */
  bool has_timer ()
  {
    return run_until ([this] {
      Value reasons (nebula_execution_explain (execution.get ()));
      return to_json (reasons).find ("until") != std::string::npos;
    });
  }
  guint count_recoveries (const std::string &id)
  {
    NebulaHeader *header = nebula_store_read_header (nebula_engine_get_store (engine.get ()), id.c_str (), nullptr);
    guint count = header ? header->recoveries : 0;

    g_clear_pointer (&header, nebula_header_free);
    return count;
  }
  void reopen ()
  {
    close ();
    open ();
    Error error;
    ASSERT_GE (recover (), 0);
  }
};

INSTANTIATE_TEST_SUITE_P (Stores,
                          EngineLifeTest,
                          testing::Values ("memory", "sqlite", "memory2", "sqlite3"),
                          [] (const auto &info) { return info.param; });

static const char one_wait[] = "{name: w, nodes: {w: {action: flow.wait, with: {signal: go}}}}";
static const char gated[] = "{name: gated, settings: {concurrency: {limit: 1, while-waiting: keep}}, "
                            "nodes: {w: {action: flow.wait, with: {duration: 10s}}}}";

TEST_P (EngineLifeTest, RefusesOptionsThatMakeNoSense)
{
  Plan plan = deploy (one_wait);
  Error durability, timeout, twice;

  EXPECT_FALSE (start_with (plan.get (), R"({"durability":"eternal"})", durability));
  EXPECT_TRUE (has_error (durability, NEBULA_ERROR_INVALID_ARGUMENT));
  EXPECT_FALSE (start_with (plan.get (), R"({"timeout":"soon"})", timeout));
  EXPECT_TRUE (timeout);
  for (const std::string &tenant : { std::string (), std::string ("a/b"), std::string ("ä"), std::string (65, 'a') }) {
    Error error;
    EXPECT_FALSE (start_with (plan.get (), ("{\"tenant\":\"" + tenant + "\"}").c_str (), error)) << tenant;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  }
  EXPECT_TRUE (start_with (plan.get (), R"({"id":"exe_mine"})", twice));
  Ref<NebulaExecution> first (execution.steal ());
  EXPECT_STREQ (nebula_execution_get_id (first.get ()), "exe_mine");
  EXPECT_STREQ (nebula_execution_get_workflow (first.get ()), "w");
  EXPECT_FALSE (start_with (plan.get (), R"({"id":"exe_mine"})", twice));
  EXPECT_TRUE (has_error (twice, NEBULA_ERROR_EXISTS));
}

TEST_P (EngineLifeTest, CapturesWhatItIsStartedWith)
{
  Plan plan = deploy (
      "{name: c, nodes: {a: {action: data.set, with: {env: '{{ $env.HOME }}', "
      "user: '{{ $user }}', trigger: '{{ $trigger.kind }}'}}}}");
  Error error;

  ASSERT_TRUE (start_with (
      plan.get (),
      R"({"env":{"HOME":"/x"},"user":"ada","trigger":{"kind":"cron"},"durability":"memory"})",
      error))
      << error.message ();
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"env":"/x","user":"ada","trigger":"cron"})");
}

/* Of two limits the tighter one holds. */
TEST_P (EngineLifeTest, TimesOut)
{
  Plan plan = deploy ("{name: t, settings: {timeout: 1h}, nodes: {w: {action: flow.wait, "
                      "with: {signal: go}}}}");
  Error error;

  ASSERT_TRUE (start_with (plan.get (), R"({"timeout":"5s"})", error));
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  nebula_manual_clock_advance (clock.get (), 5 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "timed-out");
}

TEST_P (EngineLifeTest, HasProperties)
{
  NebulaActionResolver *a_resolver = nullptr;
  NebulaStore *store = nullptr;
  NebulaClock *a_clock = nullptr;
  NebulaEventBus *bus = nullptr;

  g_object_get (engine.get (), "resolver", &a_resolver, "store", &store, "clock", &a_clock,
                "event-bus", &bus, nullptr);
  EXPECT_EQ (a_resolver, resolver.get ());
  EXPECT_EQ (store, nebula_engine_get_store (engine.get ()));
  EXPECT_EQ (a_clock, nebula_engine_get_clock (engine.get ()));
  EXPECT_EQ (a_clock, (NebulaClock *) clock.get ());
  EXPECT_EQ (bus, nebula_engine_get_event_bus (engine.get ()));
  g_object_unref (a_resolver);
  g_object_unref (store);
  g_object_unref (a_clock);
  g_object_unref (bus);

  Ref<NebulaEngine> bare (nebula_engine_new (resolver.get (), nullptr, nullptr));
  EXPECT_FALSE (nebula_store_get_is_durable (nebula_engine_get_store (bare.get ())));
  EXPECT_EQ (nebula_engine_get_clock (bare.get ()), nebula_clock_get_system ());
  nebula_engine_stop (bare.get ());
  nebula_engine_stop (bare.get ()); /* once is enough, twice is no harm */
}

TEST_P (EngineLifeTest, CountsWhatItCommits)
{
  start ("{name: c, nodes: {a: {action: test.effect, with: {v: 1}}}}");
  ASSERT_TRUE (wait ());
  Value counters (nebula_engine_get_counters (engine.get ()));
  EXPECT_EQ (nebula_value_get_member_integer (counters.get (), "units", 0), 2);
  EXPECT_GE (nebula_value_get_member_integer (counters.get (), "groups", 0), 1);
}

TEST_P (EngineLifeTest, RefusesWorkflowsThatAreTooLarge)
{
  const char *text = "{name: l, nodes: {a: {action: flow.no-op}, b: {action: flow.no-op}}}";
  GBytes *bytes = g_bytes_new (text, strlen (text));
  Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, "x", nullptr, nullptr));
  Error error;

  g_bytes_unref (bytes);
  nebula_engine_set_limits (engine.get (), 1, 0);
  EXPECT_FALSE (Plan (nebula_engine_deploy (engine.get (), workflow.get (), nullptr, error.out ())));
  EXPECT_TRUE (error);
  nebula_engine_set_limits (engine.get (), 0, 0);
  EXPECT_TRUE (Plan (nebula_engine_deploy (engine.get (), workflow.get (), nullptr, nullptr)));
}

TEST_P (EngineLifeTest, WaitsSynchronously)
{
  GCancellable *cancellable = g_cancellable_new ();
  Error error, cancelled;

  start ("{name: c, nodes: {a: {action: test.effect, with: {v: 1}}}}");
  EXPECT_TRUE (nebula_execution_wait_sync (execution.get (), nullptr, error.out ()));
  EXPECT_EQ (status (), "completed");
  start (one_wait);
  g_cancellable_cancel (cancellable);
  EXPECT_FALSE (
      nebula_execution_wait_sync (execution.get (), cancellable, cancelled.out ()));
  EXPECT_TRUE (
      g_error_matches (cancelled.get (), G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_object_unref (cancellable);
}

/* A report tells what is committed: while nothing is, there is nothing to tell. */
TEST_P (EngineLifeTest, ReportsOnlyWhatIsCommitted)
{
  Error error;

  start (one_wait);
  Value before (nebula_execution_get_report (execution.get (), error.out ()));
  ASSERT_TRUE (before) << error.message ();
  EXPECT_STREQ (nebula_value_get_member_string (before.get (), "status", ""), "created");
  EXPECT_EQ (nebula_value_get_length (nebula_value_get_member (before.get (), "nodes")), 0u);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  Value after (nebula_execution_get_report (execution.get (), error.out ()));
  EXPECT_STREQ (nebula_value_get_member_string (after.get (), "status", ""), "suspended");
}

static void
store_code (GObject *object, GAsyncResult *result, gpointer data)
{
  GError *error = nullptr;

  g_task_propagate_boolean (G_TASK (result), &error);
  *(int *) data = error ? error->code : 0;
  g_clear_error (&error);
}

/* The handle outlives the engine's hold: it says so whatever it is asked. */
TEST_P (EngineLifeTest, HandlesOfAStoppedEngineSaySo)
{
  int codes[4] = {-1, -1, -1, -1};
  Error report, sync, start_error;
  Plan plan = deploy (one_wait);

  start (one_wait);
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  nebula_engine_stop (engine.get ());
  nebula_execution_cancel_async (execution.get (), "x", nullptr, store_code, &codes[0]);
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, store_code, &codes[1]);
  nebula_execution_resume_async (execution.get (), nullptr, store_code, &codes[2]);
  nebula_execution_wait_async (execution.get (), nullptr, store_code, &codes[3]);
  ASSERT_TRUE (run_until ([&] { return codes[3] >= 0; }));
  for (int code : codes)
    EXPECT_EQ (code, NEBULA_ERROR_UNAVAILABLE);
  EXPECT_EQ (status (), "suspended") << "as it was last";
  EXPECT_FALSE (Value (nebula_execution_get_report (execution.get (), report.out ())));
  EXPECT_TRUE (has_error (report, NEBULA_ERROR_UNAVAILABLE));
  EXPECT_FALSE (nebula_execution_wait_sync (execution.get (), nullptr, sync.out ()));
  EXPECT_TRUE (has_error (sync, NEBULA_ERROR_UNAVAILABLE));
  execution = Ref<NebulaExecution> ();
  EXPECT_FALSE (start_with (plan.get (), "{}", start_error));
  EXPECT_TRUE (has_error (start_error, NEBULA_ERROR_UNAVAILABLE));
}

TEST_P (EngineLifeTest, WhatHasEndedCannotBeSignalled)
{
  int codes[3] = {-1, -1, -1};

  start ("{name: c, nodes: {a: {action: data.set, with: {v: 1}}}}");
  ASSERT_TRUE (wait ());
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, store_code, &codes[0]);
  nebula_execution_resume_async (execution.get (), nullptr, store_code, &codes[1]);
  nebula_execution_wait_async (execution.get (), nullptr, store_code, &codes[2]);
  ASSERT_TRUE (run_until ([&] { return codes[2] >= 0; }));
  EXPECT_EQ (codes[0], NEBULA_ERROR_CONFLICT);
  EXPECT_EQ (codes[1], NEBULA_ERROR_CONFLICT);
  EXPECT_EQ (codes[2], 0) << "it need not wait any more";
  EXPECT_EQ (status (), "completed");
}

TEST_P (EngineLifeTest, DoesNotKnowWhatIsNotThere)
{
  Error error;

  EXPECT_EQ (nebula_engine_get_execution (engine.get (), "exe_none", error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_NOT_FOUND));
}

/* One bad execution must not take the engine down again and again: the third time it is left alone until somebody asks. */
TEST_P (EngineLifeTest, ParksWhatMakesNoProgress)
{
  if (!is_durable ())
    return;
  start ("{name: p, nodes: {a: {action: test.idempotent, with: {hang: true}}}}");
  std::string id = nebula_execution_get_id (execution.get ());
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_RUNNING));
  for (guint i = 1; i <= 3; i++) {
    reopen ();
    find (id);
    /* It has been told so before the next stop, or is parked. */
    ASSERT_TRUE (run_until ([&] { return count_recoveries (id) >= i || status () == "paused"; }));
  }
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_PAUSED));
  Value reasons (nebula_execution_explain (execution.get ()));
  EXPECT_THAT (to_json (reasons), HasSubstr ("paused"));
  reopen ();
  find (id);
  EXPECT_EQ (status (), "paused") << "a start of the program does not wake it";
  int code = -1;
  nebula_execution_resume_async (execution.get (), nullptr, store_code, &code);
  ASSERT_TRUE (run_until ([&] { return code >= 0; }));
  EXPECT_EQ (code, 0);
  EXPECT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_RUNNING));
}

/* Who holds a place and who waits for it is in the store as well. */
TEST_P (EngineLifeTest, GatesAreTakenUp)
{
  if (!is_durable ())
    return;
  start (gated);
  std::string first = nebula_execution_get_id (execution.get ());
  ASSERT_TRUE (has_timer ());
  start (gated);
  std::string second = nebula_execution_get_id (execution.get ());
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  reopen ();
  find (second);
  Value reasons (nebula_execution_explain (execution.get ()));
  EXPECT_THAT (to_json (reasons), HasSubstr ("concurrency-limit"));
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  ASSERT_TRUE (has_timer ()) << "the holder ended and nobody was let in";
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  find (first);
  EXPECT_EQ (status (), "completed");
}

/* An execution that lives in memory only cannot give its place back when the program is gone. */
TEST_P (EngineLifeTest, PlacesOfTheLostAreGivenBack)
{
  Plan plan = deploy (gated);
  Error error;

  if (!is_durable ())
    return;
  ASSERT_TRUE (start_with (plan.get (), R"({"durability":"memory"})", error));
  ASSERT_TRUE (has_timer ());
  Ref<NebulaExecution> lost (execution.steal ());
  start (gated);
  std::string second = nebula_execution_get_id (execution.get ());
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  lost = Ref<NebulaExecution> ();
  reopen ();
  find (second);
  ASSERT_TRUE (has_timer ()) << "nobody was let in";
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
}

TEST_P (EngineLifeTest, MetricsTellWhatItHasDone)
{
  if (count_engines () > 1)
    GTEST_SKIP () << "each engine counts what is its own";
  EXPECT_THAT (metrics_text (), HasSubstr ("\nnebula_executions_started_total 0\n"));
  start ("{name: good, nodes: {a: {action: data.set, with: {x: 1}}}}");
  ASSERT_TRUE (wait ());
  start ("{name: bad, nodes: {a: {action: flow.fail, with: {message: no}}}}");
  ASSERT_TRUE (wait ());
  start ("{name: late, nodes: {a: {action: flow.wait, with: {duration: 1h}}}}");
  ASSERT_TRUE (has_timer ());
  ASSERT_TRUE (run_until ([this] { return metrics_text ().find ("\nnebula_executions_started_total 3\n") != std::string::npos; }));
  std::string text = metrics_text ();
  EXPECT_THAT (text, HasSubstr ("\nnebula_executions_ended_total{status=\"completed\"} 1\n"));
  EXPECT_THAT (text, HasSubstr ("\nnebula_executions_ended_total{status=\"failed\"} 1\n"));
  EXPECT_THAT (text, HasSubstr ("\nnebula_executions_ended_total{status=\"cancelled\"} 0\n"));
  EXPECT_THAT (text, HasSubstr ("\nnebula_execution_duration_seconds_count{status=\"completed\"} 1\n"));
  EXPECT_THAT (text, HasSubstr ("\nnebula_journal_units_total "));
  EXPECT_THAT (text, Not (HasSubstr ("nebula_memory_pressure")));
  Ref<NebulaBudget> budget (nebula_budget_new (100));
  nebula_budget_observe (budget.get (), 95);
  nebula_engine_set_budget (engine.get (), budget.get ());
  EXPECT_THAT (metrics_text (), HasSubstr ("\nnebula_memory_pressure 2\n"));
}
