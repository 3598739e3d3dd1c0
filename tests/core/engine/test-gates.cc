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

  /* Starts one more of any workflow; whether that was accepted. */
  bool add_with (const char *text, const char *input, const char *options, Error &error)
  {
    g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
    Ref<NebulaWorkflow> file (
        nebula_workflow_read_bytes (bytes, nullptr, nullptr, error.out ()));
    Plan plan (nebula_engine_deploy (engine.get (), file.get (), nullptr, error.out ()));
    Value value = json (input), wishes = json (options);

    EXPECT_TRUE (plan) << error.message ();
    Ref<NebulaExecution> started (nebula_engine_start (engine.get (), plan.get (), value.get (),
                                                       wishes.get (), error.out ()));
    if (!started)
      return false;
    all_.push_back (std::move (started));
    return true;
  }

  std::string output_of (size_t index)
  {
    Value value (nebula_execution_get_output (all_[index].get ()));

    return to_json (value.get ());
  }

  guint count_in (const char *key, const char *where)
  {
    Value queue (nebula_engine_get_queue (engine.get (), key, nullptr));

    return queue ? (guint) nebula_value_get_length (nebula_value_get_member (queue.get (), where))
                 : 0;
  }

  /* Everything stops and comes again; the handles are taken anew. */
  void restart ()
  {
    std::vector<std::string> ids;
    Error error;

    for (Ref<NebulaExecution> &one : all_)
      ids.push_back (nebula_execution_get_id (one.get ()));
    all_.clear ();
    close ();
    open ();
    ASSERT_GE (recover (), 0);
    for (const std::string &id : ids) {
      all_.emplace_back (nebula_engine_get_execution (engine.get (), id.c_str (), error.out ()));
      ASSERT_TRUE (all_.back ()) << error.message ();
    }
  }

  void cancel (size_t index)
  {
    nebula_execution_cancel_async (all_[index].get (), nullptr, nullptr, nullptr, nullptr);
  }

  void send_signal (size_t index, const char *name)
  {
    nebula_execution_signal_async (all_[index].get (), name, nullptr, nullptr, nullptr, nullptr);
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
  const char *settings = "{ concurrency: { limit: 1, key: k, while-waiting: keep } }";
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
  const char *settings = "{ concurrency: { limit: 1, key: p, while-waiting: keep }, priority: 1 }";
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
  const char *newest = "{ concurrency: { limit: 1, key: n, strategy: cancel-newest, while-waiting: keep } }";
  size_t c = add (newest), d = add (newest);
  comes_to (c, "timer");
  comes_to (d, "cancelled");
  const char *running = "{ concurrency: { limit: 1, key: r, strategy: cancel-running, while-waiting: keep } }";
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

const char *const urgent = R"(
nebula: 1
name: urgent
input: { type: object, properties: { urgent: { type: boolean, default: false } } }
settings:
  concurrency: { limit: 1, key: u, while-waiting: keep }
  priority: "{{ $input.urgent ? 10 : 0 }}"
nodes: { work: { action: flow.wait, with: { duration: 10s } } }
)";

TEST_P (EngineGateTest, APriorityMayComeFromTheInput)
{
  Error error;

  for (const char *input : {"{}", "{}", "{\"urgent\":true}"}) {
    ASSERT_TRUE (add_with (urgent, input, "{}", error)) << error.message ();
    comes_to (all_.size () - 1, all_.size () == 1 ? "timer" : "concurrency-limit");
  }
  ASSERT_TRUE (run_until ([&] { return count_in ("default/urgent/u", "queue") == 2; }));
  if (is_durable ())
    restart ();
  ASSERT_TRUE (add_with (urgent, "{}", "{\"priority\":5}", error)) << error.message ();
  comes_to (3, "concurrency-limit");
  ASSERT_TRUE (run_until ([&] { return count_in ("default/urgent/u", "queue") == 3; }));
  advance (10000000);
  comes_to (0, "completed");
  comes_to (2, "timer");
  advance (10000000);
  comes_to (3, "timer");
  comes_to (1, "concurrency-limit");
}

TEST_P (EngineGateTest, ABadPriorityIsAnErrorOfTheStart)
{
  const char *text = "{ name: bad, settings: { priority: '{{ $input.rank }}' }, "
                     "nodes: { a: { action: flow.no-op } } }";
  Error no_integer, missing, none;

  EXPECT_FALSE (add_with (text, R"({"rank":"high"})", "{}", no_integer));
  EXPECT_TRUE (has_error (no_integer, NEBULA_ERROR_TYPE));
  EXPECT_THAT (no_integer.message (), testing::HasSubstr ("integer"));
  EXPECT_FALSE (add_with (text, "{}", "{}", missing));
  EXPECT_THAT (missing.message (), testing::HasSubstr ("bad"));
  EXPECT_TRUE (add_with (text, R"({"rank":3})", "{}", none)) << none.message ();
  EXPECT_TRUE (add_with (text, "{}", R"({"priority":1})", none)) << none.message ();
  comes_to (0, "completed");
}

TEST_P (EngineGateTest, ACalledWorkflowFindsItsPriorityToo)
{
  const char *caller = "{ name: caller, nodes: { c: { action: flow.call, "
                       "with: { workflow: urgent, input: { urgent: true } } } } }";
  Error error;

  ASSERT_TRUE (add_with (urgent, "{}", "{}", error)) << error.message ();
  comes_to (0, "timer");
  ASSERT_TRUE (add_with (caller, "{}", "{}", error)) << error.message ();
  ASSERT_TRUE (run_until ([&] { return count_in ("default/urgent/u", "queue") == 1; }));
  Value queue (nebula_engine_get_queue (engine.get (), "default/urgent/u", error.out ()));
  EXPECT_THAT (to_json (queue.get ()), testing::HasSubstr (R"("priority":10)"));
}

const char *const simple = "{ name: simple, settings: { timeout: 20s }, nodes: "
                           "{ work: { action: flow.wait, with: { duration: 10s } } } }";

TEST_P (EngineGateTest, AStartIsPutOff)
{
  Error error;

  ASSERT_TRUE (add_with (simple, "{}", R"({"delay":"1h"})", error)) << error.message ();
  ASSERT_TRUE (add_with (simple, "{}", R"({"at":"2023-11-14T22:13:30Z"})", error))
      << error.message ();
  ASSERT_TRUE (add_with (simple, "{}", R"({"at":"2001-01-01T00:00:00Z"})", error))
      << error.message ();
  comes_to (0, "delayed-start");
  comes_to (1, "delayed-start");
  comes_to (2, "timer");
  Value reasons (nebula_execution_explain (all_[0].get ()));
  EXPECT_THAT (to_json (reasons.get ()), testing::HasSubstr (R"("until":"2023-11-14T23:13:20Z")"));
  if (is_durable ())
    restart ();
  advance (10000000);
  comes_to (1, "timer");
  comes_to (2, "completed");
  advance (10000000);
  comes_to (1, "completed");
  advance (3579999999);
  comes_to (0, "delayed-start");
  advance (1);
  comes_to (0, "timer");
  advance (10000000);
  comes_to (0, "completed");
}

TEST_P (EngineGateTest, APutOffStartCanBeCancelledOrRefused)
{
  const char *gated = "{ name: later, settings: { concurrency: { limit: 1 } }, "
                      "nodes: { work: { action: flow.no-op } } }";
  Error error, both, bare, word;

  ASSERT_TRUE (add_with (gated, "{}", R"({"delay":"1h"})", error)) << error.message ();
  comes_to (0, "delayed-start");
  cancel (0);
  comes_to (0, "cancelled");
  EXPECT_FALSE (add_with (gated, "{}", R"({"delay":"1h","at":"2030-01-01T00:00:00Z"})", both));
  EXPECT_TRUE (has_error (both, NEBULA_ERROR_INVALID_ARGUMENT));
  EXPECT_FALSE (add_with (gated, "{}", R"({"delay":5})", bare));
  EXPECT_TRUE (has_error (bare, NEBULA_ERROR_INVALID_ARGUMENT));
  EXPECT_FALSE (add_with (gated, "{}", R"({"at":5})", word));
  EXPECT_TRUE (has_error (word, NEBULA_ERROR_INVALID_ARGUMENT));
  ASSERT_TRUE (add_with (gated, "{}", R"({"delay":"1s"})", error)) << error.message ();
  comes_to (1, "delayed-start");
  EXPECT_EQ (count_in ("default/later", "holders"), 0u);
  advance (1000000);
  comes_to (1, "completed");
}

const char *const polite = R"(
nebula: 1
name: polite
settings: { concurrency: { limit: 1 } }
nodes:
  rest: { action: flow.wait, with: { signal: go } }
  work: { action: test.effect, with: { v: 1 }, after: [rest] }
)";

TEST_P (EngineGateTest, WhoOnlyWaitsGivesItsPlaceBack)
{
  Error error;

  for (guint i = 0; i < 3; i++) {
    ASSERT_TRUE (add_with (polite, "{}", "{}", error)) << error.message ();
    comes_to (i, "signal");
    ASSERT_TRUE (run_until ([&] { return count_in ("default/polite", "holders") == 0; }));
  }
  if (is_durable ())
    restart ();
  /* Somebody who does not wait takes the place. */
  std::string busy = polite;
  busy.replace (busy.find ("limit: 1"), 8, "limit: 1, while-waiting: keep");
  ASSERT_TRUE (add_with (busy.c_str (), "{}", "{}", error)) << error.message ();
  ASSERT_TRUE (run_until ([&] { return count_in ("default/polite", "holders") == 1; }));
  send_signal (0, "go");
  comes_to (0, "concurrency-limit");
  ASSERT_TRUE (run_until ([&] { return count_in ("default/polite", "queue") == 1; }));
  Value reasons (nebula_execution_explain (all_[0].get ()));
  EXPECT_THAT (to_json (reasons.get ()), testing::HasSubstr (nebula_execution_get_id (all_[3].get ())));
  Value queue (nebula_engine_get_queue (engine.get (), "default/polite", error.out ()));
  EXPECT_THAT (to_json (queue.get ()),
               testing::HasSubstr (std::string ("\"holder\":\"") +
                                   nebula_execution_get_id (all_[0].get ()) + "\""));
  if (is_durable ())
    restart ();
  comes_to (0, "concurrency-limit");
  send_signal (1, "go");
  comes_to (1, "concurrency-limit");
  cancel (1);
  comes_to (1, "cancelled");
  send_signal (3, "go");
  comes_to (3, "completed");
  comes_to (0, "completed");
  send_signal (2, "go");
  comes_to (2, "completed");
  EXPECT_TRUE (run_until ([&] { return count_in ("default/polite", "holders") == 0; }));
  EXPECT_EQ (count_in ("default/polite", "queue"), 0u);
}

TEST_P (EngineGateTest, WhoWaitsForItsOwnKindDoesNotBlockIt)
{
  const char *text = R"(
nebula: 1
name: tree
input: { type: object }
settings: { concurrency: { limit: 1 } }
nodes:
  more: { action: flow.if, with: { condition: "{{ $input.n > 0 }}" } }
  call: { action: flow.call, with: { workflow: tree, input: { n: "{{ $input.n - 1 }}" } } }
  leaf: { action: data.set, with: { depth: 0 } }
connections: [more.true -> call, more.false -> leaf]
)";
  Error error;

  ASSERT_TRUE (add_with (text, R"({"n":3})", "{}", error)) << error.message ();
  comes_to (0, "completed");
  EXPECT_EQ (output_of (0), R"({"depth":0})");
}

const char *const collecting = R"(
nebula: 1
name: collecting
input: { type: object, properties: { n: { type: integer } }, required: [n] }
settings:
  batch: { size: 3, timeout: 10s, key: "{{ $input?.k ?? 'all' }}" }
  concurrency: { limit: 1 }
nodes:
  sum: { action: data.set, with: { total: "{{ $input | sum (x => x.n) }}", count: "{{ length ($input) }}" } }
  bad: { action: flow.if, with: { condition: "{{ $nodes.sum.result.total < 0 }}" }, after: [sum] }
  fail: { action: flow.fail, with: { message: negative } }
connections: [bad.true -> fail]
output: "{{ $nodes.sum.result }}"
)";

TEST_P (EngineGateTest, CollectsStartsUntilThereAreEnough)
{
  Error error;

  for (guint i = 0; i < 2; i++) {
    std::string input = "{\"n\":" + std::to_string (i + 1) + "}";
    ASSERT_TRUE (add_with (collecting, input.c_str (), "{}", error)) << error.message ();
    comes_to (i, "batch");
  }
  ASSERT_TRUE (run_until ([&] { return count_in ("batch:default/collecting/all", "queue") == 2; }));
  if (is_durable ())
    restart ();
  ASSERT_TRUE (add_with (collecting, "{\"n\":10}", "{}", error)) << error.message ();
  for (guint i = 0; i < 3; i++) {
    comes_to (i, "completed");
    EXPECT_EQ (output_of (i), R"({"total":13,"count":3})");
  }
}

TEST_P (EngineGateTest, CollectsStartsUntilTheFirstHasWaitedLongEnough)
{
  Error error, bad;

  EXPECT_FALSE (add_with (collecting, "{}", "{}", bad)) << "each input is checked";
  ASSERT_TRUE (add_with (collecting, R"({"n":1,"k":"a"})", "{}", error)) << error.message ();
  ASSERT_TRUE (add_with (collecting, R"({"n":-9,"k":"b"})", "{}", error)) << error.message ();
  comes_to (0, "batch");
  comes_to (1, "batch");
  ASSERT_TRUE (run_until ([&] { return count_in ("batch:default/collecting/a", "queue") == 1; }));
  advance (9000000);
  ASSERT_TRUE (add_with (collecting, R"({"n":2,"k":"a"})", "{}", error)) << error.message ();
  comes_to (2, "batch");
  ASSERT_TRUE (run_until ([&] { return count_in ("batch:default/collecting/a", "queue") == 2; }));
  cancel (0);
  comes_to (0, "cancelled");
  ASSERT_TRUE (run_until ([&] { return count_in ("batch:default/collecting/a", "queue") == 1; }));
  advance (1000000);
  comes_to (1, "failed");
  Value report (nebula_execution_get_report (all_[1].get (), error.out ()));
  EXPECT_THAT (to_json (nebula_value_get_member (report.get (), "error")),
               testing::HasSubstr ("negative"));
  comes_to (2, "batch");
  advance (9000000);
  comes_to (2, "completed");
  EXPECT_EQ (output_of (2), R"({"total":2,"count":1})");
}

TEST_P (EngineGateTest, WhoWasCollectedSaysWhereItGoesOn)
{
  std::string text = "{ name: held, settings: { batch: { size: 3, timeout: 1h } }, "
                     "nodes: { work: { action: flow.wait, with: { signal: go } } } }";
  Error error;

  for (guint i = 0; i < 3; i++) {
    std::string input = "{\"n\":" + std::to_string (i + 1) + "}";
    ASSERT_TRUE (add_with (text.c_str (), input.c_str (), "{}", error)) << error.message ();
    comes_to (i, "batch");
  }
  auto find_whole = [&] {
    Value reasons (nebula_execution_explain (all_[0].get ()));
    NebulaValue *reason = nebula_value_get_item (reasons.get (), 0);
    return std::string (reason ? nebula_value_get_member_string (reason, "execution", "") : "");
  };
  ASSERT_TRUE (run_until ([&] { return !find_whole ().empty (); }));
  std::string whole = find_whole ();
  if (is_durable ())
    restart ();
  EXPECT_EQ (find_whole (), whole);
  cancel (1);
  comes_to (1, "cancelled");
  ASSERT_TRUE (run_until ([&] {
    all_.emplace_back (nebula_engine_get_execution (engine.get (), whole.c_str (), nullptr));
    return all_.back () || (all_.pop_back (), false);
  }));
  comes_to (3, "signal");
  cancel (3);
  comes_to (0, "cancelled");
  comes_to (2, "cancelled");
}

INSTANTIATE_TEST_SUITE_P (Stores,
                          EngineGateTest,
                          testing::Values ("memory", "sqlite", "memory2", "sqlite3"),
                          [] (const auto &info) { return std::string (info.param); });
