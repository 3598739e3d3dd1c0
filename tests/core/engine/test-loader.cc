/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executions out of the store: many at once, off the loop, and never an old one. */
#include "engine-test.h"

#include "nebula-engine-private.h"

using namespace nebula;

class LoaderTest : public EngineFixture
{
protected:
  /* Starts executions that wait for an hour and for a signal, and lets go of them. */
  std::vector<std::string> put_to_sleep (guint n)
  {
    std::vector<std::string> ids;

    for (guint i = 0; i < n; i++) {
      start ("{name: w, nodes: {w: {action: flow.wait, with: {duration: 1h, signal: go}},"
             " a: {action: test.effect, with: {v: 1}, after: [w]}}}");
      ids.push_back (nebula_execution_get_id (execution.get ()));
      execution = Ref<NebulaExecution> ();
    }
    EXPECT_TRUE (run_until (
        [&] { return nebula_engine_get_n_waiting (engine.get ()) == n; }));
    return ids;
  }

  bool all_have_ended ()
  {
    return run_until ([this] {
      return nebula_engine_get_n_waiting (engine.get ()) == 0 &&
             nebula_engine_get_n_active (engine.get ()) == 0;
    });
  }

  guint count (NebulaExecutionStatus status)
  {
    NebulaHeaderQuery query = {};
    Error error;

    query.status_mask = 1u << status;
    query.limit = 10000;
    GPtrArray *headers = nebula_store_list_headers (
        nebula_engine_get_store (engine.get ()), &query, error.out ());
    guint n = headers ? headers->len : 0;

    g_clear_pointer (&headers, g_ptr_array_unref);
    return n;
  }

  Ref<NebulaExecution> get (const std::string &id)
  {
    struct Answer {
      bool is_there = false;
      NebulaExecution *execution = nullptr;
      GError *error = nullptr;
    } answer;

    nebula_engine_get_execution_async (
        engine.get (), id.c_str (), nullptr,
        [] (GObject *object, GAsyncResult *result, gpointer data) {
          auto answer = (Answer *) data;

          answer->execution = nebula_engine_get_execution_finish ((NebulaEngine *) object,
                                                                  result, &answer->error);
          answer->is_there = true;
        },
        &answer);
    EXPECT_TRUE (run_until ([&] { return answer.is_there; }));
    error_code_ = answer.error ? answer.error->code : -1;
    g_clear_error (&answer.error);
    return Ref<NebulaExecution> (answer.execution);
  }

  int error_code_ = -1;
};

INSTANTIATE_TEST_SUITE_P (Stores,
                          LoaderTest,
                          testing::Values ("sqlite"),
                          [] (const auto &info) { return info.param; });

TEST_P (LoaderTest, WakesManyInBatches)
{
  put_to_sleep (200);
  guint64 before = engine.get ()->statistics.n_load_jobs;
  nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_HOUR);
  ASSERT_TRUE (all_have_ended ());
  EXPECT_EQ (count (NEBULA_EXECUTION_STATUS_COMPLETED), 200u);
  EXPECT_EQ (engine.get ()->statistics.n_loads, 200u);
  EXPECT_LE (engine.get ()->statistics.n_load_jobs - before, 20u);
}

TEST_P (LoaderTest, RecoversManyInBatches)
{
  for (int i = 0; i < 100; i++)
    start ("{name: w, nodes: {a: {action: test.read, with: {hang: true}}}}");
  run_until ([this] { return status () == "running"; });
  nebula_engine_stop (engine.get ());
  close ();
  open ();
  Error error;
  EXPECT_EQ (nebula_engine_recover (engine.get (), error.out ()), 100) << error.message ();
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 100u);
  EXPECT_TRUE (run_until ([this] { return engine.get ()->statistics.n_loads >= 100; }));
  EXPECT_TRUE (run_until ([this] { return g_hash_table_size (engine.get ()->loads) == 0; }));
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 100u);
}

TEST_P (LoaderTest, GetsAnExecutionOffTheLoop)
{
  std::vector<std::string> ids = put_to_sleep (1);

  execution = get (ids[0]);
  ASSERT_TRUE (execution);
  EXPECT_EQ (status (), "suspended");
  EXPECT_EQ (nebula_engine_get_n_waiting (engine.get ()), 0u);
  nebula_execution_signal_async (execution.get (), "go", nullptr, nullptr, nullptr,
                                 nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  Ref<NebulaExecution> again = get (ids[0]);
  EXPECT_EQ (again.get (), execution.get ());
  EXPECT_FALSE (get ("exe_unknown"));
  EXPECT_EQ (error_code_, NEBULA_ERROR_NOT_FOUND);
}

TEST_P (LoaderTest, ReturnsToSleepWhatNobodyKeeps)
{
  std::vector<std::string> ids = put_to_sleep (1);

  execution = get (ids[0]);
  execution = Ref<NebulaExecution> ();
  EXPECT_EQ (nebula_engine_get_n_waiting (engine.get ()), 1u);
  nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_HOUR);
  ASSERT_TRUE (all_have_ended ());
  EXPECT_EQ (count (NEBULA_EXECUTION_STATUS_COMPLETED), 1u);
}

/* While a reader has it, it comes into memory by the blocking way, goes on and leaves it again. */
/* Or whoever looks again and again keeps the others waiting. */
TEST_P (LoaderTest, GivesTheOneThatAnotherWayHasBrought)
{
  start ("{name: w, nodes: {a: {action: flow.wait, with: {signal: go}}, b: {action: flow.wait, with:"
         " {signal: go}, after: [a]}}}");
  std::string id = nebula_execution_get_id (execution.get ());
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  execution = Ref<NebulaExecution> ();
  static NebulaInstance *seen;
  Error error;

  seen = nullptr;
  _nebula_loader_ask (
      engine.get (), id.c_str (),
      [] (NebulaEngine *, const char *, NebulaInstance *instance, const GError *, gpointer) {
        seen = instance;
        EXPECT_EQ (nebula_kernel_get_state (instance->kernel)->sequence,
                   instance->committed);
      },
      nullptr);
  _nebula_loader_pump (engine.get ());
  _nebula_away_wait_for_all (engine.get ()); /* read, and not yet delivered */
  execution = Ref<NebulaExecution> (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
  auto instance = (NebulaInstance *) g_hash_table_lookup (engine.get ()->instances, id.c_str ());
  Value null = json ("null");
  guint64 before = instance->committed;
  /* Only the journal may turn: the letter of the reader waits. */
  nebula_kernel_signal (instance->kernel, "go", null.get (),
                        nebula_clock_get_real_usec ((NebulaClock *) clock.get ()));
  _nebula_instance_turn (instance);
  nebula_journal_flush (engine.get ()->journal);
  EXPECT_GT (instance->committed, before);
  before = ((NebulaInstance *) g_hash_table_lookup (engine.get ()->instances,
                                                     id.c_str ()))
               ->committed;
  execution = Ref<NebulaExecution> ();
  EXPECT_EQ (nebula_engine_get_n_waiting (engine.get ()), 0u) << "somebody waits for it";
  ASSERT_TRUE (run_until ([] { return seen != nullptr; }));
  EXPECT_EQ (seen, instance);
  EXPECT_EQ (engine.get ()->statistics.n_loads, 1u);
  EXPECT_TRUE (run_until ([&] { return nebula_engine_get_n_waiting (engine.get ()) == 1; }));
  execution = get (id);
  EXPECT_EQ (((NebulaInstance *) g_hash_table_lookup (engine.get ()->instances,
                                                       id.c_str ()))
                 ->committed,
             before);
}

TEST_P (LoaderTest, StopsWhileReadersRead)
{
  std::vector<std::string> ids = put_to_sleep (100);
  int n_answers = 0;

  for (const std::string &id : ids)
    nebula_engine_get_execution_async (
        engine.get (), id.c_str (), nullptr,
        [] (GObject *object, GAsyncResult *result, gpointer data) {
          EXPECT_FALSE (nebula_engine_get_execution_finish ((NebulaEngine *) object, result,
                                                            nullptr));
          ++*(int *) data;
        },
        &n_answers);
  _nebula_loader_pump (engine.get ());
  nebula_engine_stop (engine.get ());
  EXPECT_TRUE (run_until ([&] { return n_answers == 100; }));
}

TEST_P (LoaderTest, TellsWhatTheLoopHasDone)
{
  put_to_sleep (3);
  Value statistics (nebula_engine_get_statistics (engine.get ()));
  EXPECT_GT (nebula_value_get_member_integer (statistics.get (), "pieces", 0), 3);
  EXPECT_GE (nebula_value_get_member_integer (statistics.get (), "longest_us", -1), 0);
  EXPECT_TRUE (nebula_value_has_member (statistics.get (), "long_pieces"));
  EXPECT_TRUE (nebula_value_has_member (statistics.get (), "away_turns"));
}
