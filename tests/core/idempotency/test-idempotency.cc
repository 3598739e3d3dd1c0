/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys over both stores, in virtual time. */
#include "engine-test.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "nebula-error-chain.h"
#include "nebula-idempotency.h"

using namespace nebula;
using testing::HasSubstr;

namespace
{

std::string
text (char *owned)
{
  std::string result = owned;
  g_free (owned);
  return result;
}

std::string
fingerprint (const char *content)
{
  return text (nebula_idempotency_make_fingerprint (json (content).get ()));
}

/* One call and its answer. */
struct Ask
{
  bool is_over = false;
  gboolean is_replayed = FALSE;
  Value value;
  Error error;
};

void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Ask *ask = static_cast<Ask *> (data);
  ask->value = Value (nebula_idempotency_run_finish (NEBULA_IDEMPOTENCY (source), result, &ask->is_replayed, ask->error.out ()));
  ask->is_over = true;
}

/* What the work of the tests does. */
struct Work
{
  std::vector<guint> attempts; /* of the calls */
  std::vector<Ref<GTask>> held;
  bool holds = false;
  GQuark domain = 0; /* fails with this */
  int code = 0;
};

void
do_work (GTask *task, guint attempt, gpointer data)
{
  Work *work = static_cast<Work *> (data);
  work->attempts.push_back (attempt);
  if (work->holds)
    work->held.push_back (Ref<GTask> ((GTask *) g_object_ref (task)));
  else if (work->domain)
    g_task_return_new_error (task, work->domain, work->code, "it went wrong");
  else
    nebula_idempotency_return (task, json ("{\"n\": 1}").get ());
}

class Idempotency : public EngineFixture
{
protected:
  std::unique_ptr<Ask> ask (const char *options = nullptr, const char *content = "{}", const char *key = "k")
  {
    auto ask = std::make_unique<Ask> ();
    Value value = options ? json (options) : Value ();
    nebula_idempotency_run_async (nebula_engine_get_idempotency (engine.get ()), key, fingerprint (content).c_str (), value.get (), do_work,
                                  &work_, nullptr, answered, ask.get ());
    return ask;
  }
  std::unique_ptr<Ask> run (const char *options = nullptr, const char *content = "{}", const char *key = "k")
  {
    auto one = ask (options, content, key);
    EXPECT_TRUE (run_until ([&] { return one->is_over; }));
    return one;
  }
  void start_with (const char *workflow, const char *input, const char *options, Error &error)
  {
    GPtrArray *diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
    GBytes *bytes = g_bytes_new (workflow, strlen (workflow));
    Ref<NebulaWorkflow> read (nebula_workflow_read_bytes (bytes, "test.yaml", diagnostics, nullptr));
    Plan plan (nebula_engine_deploy (engine.get (), read.get (), diagnostics, nullptr));
    execution = Ref<NebulaExecution> (
        nebula_engine_start (engine.get (), plan.get (), json (input).get (), json (options).get (), error.out ()));
    g_bytes_unref (bytes);
    g_ptr_array_unref (diagnostics);
  }
  std::string id () { return nebula_execution_get_id (execution.get ()); }
  Work work_;
};

INSTANTIATE_TEST_SUITE_P (Stores, Idempotency, testing::Values ("memory", "sqlite"), [] (const auto &info) { return info.param; });

const char order[] = "{name: order, nodes: {a: {action: test.effect, with: {x: 1}}}}";

} // namespace

TEST (IdempotencyKeys, AreTextOfAscii)
{
  Error error;
  EXPECT_TRUE (nebula_idempotency_check_key ("a", error.out ()));
  EXPECT_TRUE (nebula_idempotency_check_key (std::string (255, '~').c_str (), error.out ()));
  for (std::string key : { std::string (), std::string (256, 'x'), std::string ("a\nb"), std::string ("\u00e9"), std::string ("\x7f") }) {
    EXPECT_FALSE (nebula_idempotency_check_key (key.c_str (), error.out ()));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  }
}

TEST (IdempotencyKeys, AreMadeByUserByContentOrByBoth)
{
  auto key = [] (const char *scope, const char *user, const char *content) {
    return text (nebula_idempotency_make_key (scope, user, content ? json (content).get () : nullptr));
  };
  EXPECT_EQ (key ("s", "k", nullptr), key ("s", "k", nullptr));
  EXPECT_NE (key ("s", "k", nullptr), key ("t", "k", nullptr));
  EXPECT_NE (key ("s", "k", nullptr), key ("sk", "", nullptr));
  EXPECT_NE (key ("s", "k", nullptr), key ("s", nullptr, "\"k\""));
  EXPECT_EQ (key ("s", nullptr, "{\"a\":1,\"b\":[{\"c\":2,\"d\":3}]}"), key ("s", nullptr, "{\"b\":[{\"d\":3,\"c\":2}],\"a\":1}"));
  EXPECT_NE (key ("s", nullptr, "[1,2]"), key ("s", nullptr, "[2,1]"));
  EXPECT_NE (key ("s", nullptr, "[[1],2]"), key ("s", nullptr, "[1,[2]]"));
  EXPECT_NE (key ("s", "k", "{}"), key ("s", "l", "{}"));
  EXPECT_NE (key ("s", "k", "{}"), key ("s", "k", "[]"));
  EXPECT_EQ (key ("s", "k", "{}").size (), 64u);
}

TEST_P (Idempotency, AHundredCallsRunOnce)
{
  std::vector<std::unique_ptr<Ask>> all;
  for (int i = 0; i < 100; i++)
    all.push_back (ask ());
  ASSERT_TRUE (run_until ([&] { return std::all_of (all.begin (), all.end (), [] (auto &one) { return one->is_over; }); }));
  int n_replayed = 0;
  for (auto &one : all) {
    EXPECT_EQ (to_json (one->value), "{\"n\":1}");
    n_replayed += one->is_replayed;
  }
  EXPECT_EQ (n_replayed, 99);
  EXPECT_EQ (work_.attempts, (std::vector<guint>{ 1 }));
  EXPECT_TRUE (run ()->is_replayed); /* later, from the store */
  EXPECT_EQ (work_.attempts.size (), 1u);
}

TEST_P (Idempotency, OtherContentIsAConflict)
{
  work_.holds = true;
  auto first = ask (nullptr, "{\"a\":1}");
  ASSERT_TRUE (run_until ([&] { return work_.held.size () == 1; }));
  auto second = run (nullptr, "{\"a\":2}");
  EXPECT_TRUE (has_error (second->error, NEBULA_ERROR_CONFLICT));
  nebula_idempotency_return (work_.held[0].get (), json ("7").get ());
  ASSERT_TRUE (run_until ([&] { return first->is_over; }));
  EXPECT_TRUE (has_error (run (nullptr, "{\"a\":2}")->error, NEBULA_ERROR_CONFLICT));
  EXPECT_EQ (to_json (run (nullptr, "{\"a\":1}")->value), "7");
  EXPECT_EQ (work_.attempts.size (), 1u);
}

TEST_P (Idempotency, ConflictsAreAnsweredAsWasAsked)
{
  work_.holds = true;
  auto first = ask ();
  ASSERT_TRUE (run_until ([&] { return work_.held.size () == 1; }));
  auto returned = run (R"({"conflict": "return"})");
  EXPECT_TRUE (has_error (returned->error, NEBULA_ERROR_UNAVAILABLE));
  EXPECT_EQ (nebula_error_get_retry_after_ms (returned->error.get ()), 1000);
  EXPECT_TRUE (has_error (run (R"({"conflict": "reject"})")->error, NEBULA_ERROR_EXISTS));
  auto waiting = ask (R"({"conflict": "wait"})");
  EXPECT_FALSE (waiting->is_over);
  nebula_idempotency_return (work_.held[0].get (), json ("7").get ());
  ASSERT_TRUE (run_until ([&] { return first->is_over && waiting->is_over; }));
  EXPECT_EQ (to_json (waiting->value), "7");
  EXPECT_EQ (to_json (run (R"({"conflict": "return"})")->value), "7");
  EXPECT_TRUE (has_error (run (R"({"conflict": "reject"})")->error, NEBULA_ERROR_EXISTS));
  EXPECT_TRUE (has_error (run (R"({"conflict": "shout"})")->error, NEBULA_ERROR_INVALID_ARGUMENT));
  EXPECT_TRUE (run (R"({"ttl": "soon"})")->error);
}

TEST_P (Idempotency, OutcomesExpire)
{
  run (R"({"ttl": "1h"})");
  nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_HOUR - 1);
  EXPECT_TRUE (run (R"({"ttl": "1h"})")->is_replayed);
  nebula_manual_clock_advance (clock.get (), 1);
  auto again = run (R"({"ttl": "1h"})", "{\"other\": 1}"); /* another content may have it now */
  EXPECT_FALSE (again->is_replayed);
  EXPECT_EQ (work_.attempts, (std::vector<guint>{ 1, 1 }));
}

TEST_P (Idempotency, WhatExpiredIsCollected)
{
  NebulaStore *store = nebula_engine_get_store (engine.get ());
  Error error;
  auto prune = [&] {
    gint64 count = nebula_idempotency_prune (store, nebula_clock_get_real_usec (NEBULA_CLOCK (clock.get ())), error.out ());
    EXPECT_FALSE (error.get ()) << error.message ();
    return count;
  };
  auto count = [&] {
    char **keys = nebula_store_list_documents (store, "idempotency", nullptr, 1000, nullptr);
    guint length = g_strv_length (keys);
    g_strfreev (keys);
    return length;
  };

  EXPECT_EQ (prune (), 0);
  for (int i = 0; i < 300; i++) { /* more than a page of them */
    auto done = ask (R"({"ttl": "1m"})", "{}", ("k" + std::to_string (i)).c_str ());
    ASSERT_TRUE (run_until ([&] { return done->is_over; }));
  }
  auto lasts = ask (R"({"ttl": "1h"})", "{}", "lasts");
  ASSERT_TRUE (run_until ([&] { return lasts->is_over; }));
  work_.holds = true;
  auto runs = ask (R"({"ttl": "1m"})", "{}", "runs");
  ASSERT_TRUE (run_until ([&] { return !work_.held.empty (); }));
  EXPECT_EQ (prune (), 0);
  nebula_manual_clock_advance (clock.get (), 2 * G_TIME_SPAN_MINUTE);
  EXPECT_EQ (count (), 302u);
  EXPECT_EQ (prune (), 300);
  EXPECT_EQ (count (), 2u);
  nebula_idempotency_return (work_.held[0].get (), json ("1").get ());
  ASSERT_TRUE (run_until ([&] { return runs->is_over; }));
}

TEST_P (Idempotency, FailuresAreKeptIfTheyAreFinal)
{
  work_.domain = NEBULA_ERROR;
  work_.code = NEBULA_ERROR_INVALID_DATA;
  EXPECT_TRUE (has_error (run ()->error, NEBULA_ERROR_INVALID_DATA));
  auto again = run ();
  EXPECT_TRUE (has_error (again->error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_STREQ (again->error.message (), "it went wrong");
  EXPECT_TRUE (again->is_replayed);
  EXPECT_EQ (work_.attempts.size (), 1u);
  work_.code = NEBULA_ERROR_UNAVAILABLE;
  EXPECT_TRUE (has_error (run (nullptr, "{}", "other")->error, NEBULA_ERROR_UNAVAILABLE));
  work_.domain = 0;
  EXPECT_EQ (to_json (run (nullptr, "{}", "other")->value), "{\"n\":1}"); /* the key was free again */
}

TEST_P (Idempotency, AProcessThatEndedIsFollowedByTheNextAttempt)
{
  if (!is_durable ())
    GTEST_SKIP () << "a store in memory ends with its process";
  work_.holds = true;
  auto first = ask ();
  ASSERT_TRUE (run_until ([&] { return work_.held.size () == 1; }));
  close (); /* it never learns how the work went */
  open ();
  work_.holds = false;
  auto second = run ();
  EXPECT_EQ (to_json (second->value), "{\"n\":1}");
  EXPECT_EQ (work_.attempts, (std::vector<guint>{ 1, 2 }));
  close ();
  open ();
  EXPECT_TRUE (run ()->is_replayed);
  EXPECT_EQ (work_.attempts.size (), 2u);
  /* The task of before ends late: its engine is gone, and nothing changes. */
  nebula_idempotency_return (work_.held[0].get (), json ("7").get ());
  ASSERT_TRUE (run_until ([&] { return first->is_over; }));
  EXPECT_TRUE (first->error);
  EXPECT_EQ (to_json (run ()->value), "{\"n\":1}");
}

TEST_P (Idempotency, AHundredStartsAreOneExecution)
{
  Error error;
  std::vector<Ref<NebulaExecution>> all;
  std::string first;
  for (int i = 0; i < 100; i++) {
    start_with (order, "{\"a\":1}", "{\"idempotency-key\": \"o-1\"}", error);
    ASSERT_TRUE (execution) << error.message ();
    first = first.empty () ? id () : first;
    EXPECT_EQ (id (), first);
    all.push_back (std::move (execution));
    execution = Ref<NebulaExecution> ();
  }
  EXPECT_EQ (nebula_engine_get_n_active (engine.get ()), 1u);
  execution = std::move (all[0]);
  all.clear ();
  ASSERT_TRUE (wait ());
  execution = Ref<NebulaExecution> ();
  run_until ([] { return false; }, 50000); /* it leaves memory */
  start_with (order, "{\"a\":1}", "{\"idempotency-key\": \"o-1\"}", error);
  ASSERT_TRUE (execution) << error.message ();
  EXPECT_EQ (id (), first);
  EXPECT_EQ (status (), "completed");
}

TEST_P (Idempotency, StartsWithAnotherInputAreRefusedAndOtherKeysStart)
{
  Error error;
  start_with (order, "{\"a\":1,\"b\":2}", "{\"idempotency-key\": \"o-1\"}", error);
  std::string first = id ();
  start_with (order, "{\"b\":2,\"a\":1}", "{\"idempotency-key\": \"o-1\"}", error);
  EXPECT_EQ (id (), first);
  start_with (order, "{\"a\":2}", "{\"idempotency-key\": \"o-1\"}", error);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFLICT));
  start_with (order, "{\"a\":2}", "{\"idempotency-key\": \"o-2\"}", error);
  EXPECT_NE (id (), first);
  start_with (order, "{\"a\":2}", "{\"idempotency-key\": \"o-1\", \"tenant\": \"other\"}", error);
  EXPECT_NE (id (), first);
  start_with ("{name: other, nodes: {a: {action: test.read, with: {x: 1}}}}", "{\"a\":2}", "{\"idempotency-key\": \"o-1\"}", error);
  EXPECT_NE (id (), first);
  start_with (order, "{}", "{\"idempotency-key\": \"\"}", error);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  ASSERT_FALSE (execution);
}

TEST_P (Idempotency, StartsExpire)
{
  Error error;
  start_with (order, "{}", "{\"idempotency-key\": \"o-1\", \"idempotency-ttl\": \"1h\"}", error);
  std::string first = id ();
  ASSERT_TRUE (wait ());
  nebula_manual_clock_advance (clock.get (), G_TIME_SPAN_HOUR);
  start_with (order, "{\"a\": 2}", "{\"idempotency-key\": \"o-1\", \"idempotency-ttl\": \"1h\"}", error);
  ASSERT_TRUE (execution) << error.message ();
  EXPECT_NE (id (), first);
  ASSERT_TRUE (wait ());
  std::string second = id ();
  start_with (order, "{\"a\": 2}", "{\"idempotency-key\": \"o-1\"}", error);
  EXPECT_EQ (id (), second);
}

TEST_P (Idempotency, AStartIsFoundByTheNextProcess)
{
  if (!is_durable ())
    GTEST_SKIP () << "a store in memory ends with its process";
  Error error;
  start_with ("{name: w, nodes: {w: {action: flow.wait, with: {signal: go}}}}", "{}", "{\"idempotency-key\": \"o-1\"}", error);
  std::string first = id ();
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  close ();
  open ();
  start_with ("{name: w, nodes: {w: {action: flow.wait, with: {signal: go}}}}", "{}", "{\"idempotency-key\": \"o-1\"}", error);
  ASSERT_TRUE (execution) << error.message ();
  EXPECT_EQ (id (), first);
}

TEST_P (Idempotency, AnExecutionOfMemoryHasItsKeyWhileItLives)
{
  Error error;
  start_with (order, "{}", "{\"idempotency-key\": \"o-1\", \"durability\": \"memory\"}", error);
  std::string first = id ();
  Ref<NebulaExecution> kept = std::move (execution);
  start_with (order, "{}", "{\"idempotency-key\": \"o-1\", \"durability\": \"memory\"}", error);
  EXPECT_EQ (id (), first);
  ASSERT_TRUE (wait ());
}
