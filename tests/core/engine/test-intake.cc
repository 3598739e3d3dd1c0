/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While a budget is short, new executions are throttled and running ones go on. */
#include "engine-test.h"

#include "nebula-budget.h"
#include "nebula-error-chain.h"

using namespace nebula;

class IntakeTest : public EngineFixture
{
protected:
  bool try_start (Error &error)
  {
    const char *text = "nebula: 1\nname: quick\nnodes:\n  a: { action: flow.no-op }\noutput: 7\n";
    GBytes *bytes = g_bytes_new (text, strlen (text));
    Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, "test.yaml", nullptr, error.out ()));
    Plan plan (nebula_engine_deploy (engine.get (), workflow.get (), nullptr, error.out ()));

    g_bytes_unref (bytes);
    EXPECT_TRUE (plan) << error.message ();
    execution = Ref<NebulaExecution> (nebula_engine_start (engine.get (), plan.get (), nullptr, nullptr, error.out ()));
    return (bool) execution;
  }
};

INSTANTIATE_TEST_SUITE_P (Stores, IntakeTest, testing::Values ("memory"), [] (const auto &info) { return info.param; });

TEST_P (IntakeTest, SlowsUnderHighAndStopsUnderCriticalPressure)
{
  Ref<NebulaBudget> budget (nebula_budget_new (1000));
  Error error;

  nebula_engine_set_budget (engine.get (), budget.get ());
  for (int i = 0; i < 3; i++)
    EXPECT_TRUE (try_start (error)) << error.message ();

  nebula_budget_observe (budget.get (), 920);
  EXPECT_TRUE (try_start (error)) << "the first of a trickle: " << error.message ();
  Ref<NebulaExecution> running (execution.steal ());
  EXPECT_FALSE (try_start (error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_THROTTLED));
  EXPECT_EQ (nebula_error_get_retry_class (error.get ()), NEBULA_RETRY_CLASS_THROTTLE);
  EXPECT_EQ (nebula_error_get_retry_after_ms (error.get ()), 100);
  nebula_manual_clock_advance (clock.get (), 100000);
  EXPECT_TRUE (try_start (error)) << error.message ();

  nebula_budget_observe (budget.get (), 1000);
  nebula_manual_clock_advance (clock.get (), 10 * G_USEC_PER_SEC);
  EXPECT_FALSE (try_start (error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_THROTTLED));
  EXPECT_EQ (nebula_error_get_retry_after_ms (error.get ()), 1000);

  /* What has begun goes on. */
  execution = Ref<NebulaExecution> (running.steal ());
  EXPECT_TRUE (wait ());
  EXPECT_EQ (output (), "7");

  nebula_budget_observe (budget.get (), 100);
  EXPECT_TRUE (try_start (error)) << error.message ();
  EXPECT_TRUE (wait ());
  nebula_engine_set_budget (engine.get (), nullptr);
  nebula_budget_observe (budget.get (), 1000);
  EXPECT_TRUE (try_start (error)) << error.message ();
}
