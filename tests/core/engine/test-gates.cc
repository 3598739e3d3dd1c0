/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gates end to end: what stands in the settings decides who runs. */
#include "engine-test.h"

using namespace nebula;

namespace
{

std::string
workflow (const char *settings)
{
  return std::string ("nebula: 1\nname: gated\ninput: { type: object }\nsettings: ") + settings +
         "\nnodes: { work: { action: flow.wait, with: { duration: 10s } } }\n";
}

} // namespace

class EngineGateTest : public EngineFixture
{
protected:
  /* Starts one more; its place in the list. */
  size_t add (const char *settings, const char *input = "{}")
  {
    start (workflow (settings).c_str (), input);
    if (count_engines () > 1) {
      EXPECT_TRUE (run_until ([this] { return is_heard (); }));
    }
    all_.push_back (std::move (execution));
    return all_.size () - 1;
  }

  /* Whether the gate knows of it: those who ask from several engines are heard in any order. */
  bool is_heard ()
  {
    NebulaStore *store = nebula_engine_get_store (engine.get ());
    const char *id = nebula_execution_get_id (execution.get ());
    g_autoptr (NebulaHeader) header = nebula_store_read_header (store, id, nullptr);
    g_autoptr (GPtrArray) inbox = nebula_store_read_inbox (store, nullptr, 0, nullptr);

    return header && inbox->len == 0;
  }

  std::string state (size_t index)
  {
    NebulaExecutionStatus status = nebula_execution_get_status (all_[index].get ());
    Value reasons (nebula_execution_explain (all_[index].get ()));

    if (status != NEBULA_EXECUTION_STATUS_SUSPENDED ||
        nebula_value_get_length (reasons.get ()) == 0)
      return nebula_execution_status_to_string (status);
    return nebula_value_get_member_string (nebula_value_get_item (reasons.get (), 0), "reason",
                                           "");
  }

  bool comes_to (size_t index, const char *wanted)
  {
    bool is_there = run_until ([&] { return state (index) == wanted; });

    EXPECT_EQ (state (index), wanted) << index;
    return is_there;
  }

  void advance (gint64 usec)
  {
    nebula_manual_clock_advance (clock.get (), usec);
  }

  void TearDown () override
  {
    all_.clear ();
    EngineFixture::TearDown ();
  }

  std::vector<Ref<NebulaExecution>> all_;
};

TEST_P (EngineGateTest, QueuesAndShowsTheQueue)
{
  const char *settings = "{ concurrency: { limit: 1, key: k } }";
  size_t a = add (settings), b = add (settings);
  Error error;

  comes_to (a, "timer");
  comes_to (b, "concurrency-limit");
  Value list (nebula_engine_list_queues (engine.get (), error.out ()));
  EXPECT_EQ (to_json (list.get ()),
             R"([{"key":"default/gated/k","kind":"concurrency","limit":1,"inside":1,"waiting":1}])");
  Value reasons (nebula_execution_explain (all_[b].get ()));
  NebulaValue *reason = nebula_value_get_item (reasons.get (), 0);
  EXPECT_EQ (to_json (nebula_value_get_member (reason, "held_by")),
             std::string ("[\"") + nebula_execution_get_id (all_[a].get ()) + "\"]");
  Value queue (nebula_engine_get_queue (engine.get (), "default/gated/k", error.out ()));
  EXPECT_EQ (nebula_value_get_length (nebula_value_get_member (queue.get (), "queue")), 1u);
  EXPECT_FALSE (Value (nebula_engine_get_queue (engine.get (), "none", error.out ())));
  advance (10000000);
  comes_to (a, "completed");
  comes_to (b, "timer");
}

TEST_P (EngineGateTest, WhoeverIsStartedWithAPriorityGoesFirst)
{
  const char *settings = "{ concurrency: { limit: 1, key: p }, priority: 1 }";
  size_t a = add (settings), b = add (settings);
  Error error;
  std::string text = workflow (settings);
  g_autoptr (GBytes) bytes = g_bytes_new (text.c_str (), text.size ());
  Ref<NebulaWorkflow> file (
      nebula_workflow_read_bytes (bytes, nullptr, nullptr, error.out ()));
  Plan plan (nebula_engine_deploy (engine.get (), file.get (), nullptr, error.out ()));
  Value options = json (R"({"priority":7})"), bad = json (R"({"priority":"high"})");

  comes_to (a, "timer");
  comes_to (b, "concurrency-limit");
  EXPECT_FALSE (Ref<NebulaExecution> (nebula_engine_start (
      engine.get (), plan.get (), nullptr, bad.get (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  all_.emplace_back (nebula_engine_start (engine.get (), plan.get (), nullptr,
                                          options.get (), error.out ()));
  ASSERT_TRUE (all_.back ()) << error.message ();
  comes_to (2, "concurrency-limit");
  ASSERT_TRUE (run_until ([&] {
    Value queue (nebula_engine_get_queue (engine.get (), "default/gated/p", nullptr));
    return queue && nebula_value_get_length (nebula_value_get_member (queue.get (), "queue")) == 2;
  }));
  advance (10000000);
  comes_to (a, "completed");
  comes_to (2, "timer");
  comes_to (b, "concurrency-limit");
}

TEST_P (EngineGateTest, RejectsOrCancels)
{
  size_t a = add ("{ singleton: {} }");
  size_t b = add ("{ singleton: {} }");

  comes_to (a, "timer");
  comes_to (b, "failed");
  const char *newest = "{ concurrency: { limit: 1, key: n, strategy: cancel-newest } }";
  size_t c = add (newest), d = add (newest);
  comes_to (c, "timer");
  comes_to (d, "cancelled");
  const char *running = "{ concurrency: { limit: 1, key: r, strategy: cancel-running } }";
  size_t e = add (running);
  comes_to (e, "timer");
  size_t f = add (running);
  comes_to (e, "cancelled");
  comes_to (f, "timer");
}

TEST_P (EngineGateTest, HoldsARate)
{
  const char *settings = "{ rate: { limit: 2, per: 1m } }";
  size_t a = add (settings), b = add (settings), c = add (settings);

  comes_to (a, "timer");
  comes_to (b, "timer");
  comes_to (c, "rate");
  advance (59000000);
  comes_to (a, "completed");
  comes_to (c, "rate");
  advance (1000000);
  comes_to (c, "timer");
}

TEST_P (EngineGateTest, DebouncesAndThrottles)
{
  const char *settings = "{ debounce: { wait: 5s }, throttle: { limit: 2, per: 1h } }";
  size_t a = add (settings);
  comes_to (a, "debounce");
  advance (4000000);
  size_t b = add (settings);
  comes_to (a, "cancelled");
  comes_to (b, "debounce");
  size_t c = add (settings);
  comes_to (c, "failed");
  advance (5000000);
  comes_to (b, "timer");
}

TEST_P (EngineGateTest, GoesOnInAnotherEngine)
{
  if (!is_durable ())
    return;
  const char *settings = "{ rate: { limit: 1, per: 1m }, concurrency: { limit: 5 } }";
  Error error;
  size_t a = add (settings), b = add (settings);
  std::string id = nebula_execution_get_id (all_[b].get ());

  comes_to (a, "timer");
  comes_to (b, "rate");
  all_.clear ();
  close ();
  open ();
  ASSERT_GE (recover (), 0);
  execution = Ref<NebulaExecution> (
      nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
  ASSERT_TRUE (execution) << error.message ();
  all_.push_back (std::move (execution));
  comes_to (0, "rate");
  advance (60000000);
  comes_to (0, "timer");
  advance (10000000);
  comes_to (0, "completed");
}

INSTANTIATE_TEST_SUITE_P (Stores,
                          EngineGateTest,
                          testing::Values ("memory", "sqlite", "memory2", "sqlite3"),
                          [] (const auto &info) { return std::string (info.param); });
