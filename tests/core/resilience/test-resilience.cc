/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Retry, limiters, breaker, bulkhead and the policies that compose them, in virtual time. */
#include "nebula-test.h"

#include <string>
#include <vector>

#include "nebula-error-chain.h"
#include "nebula-limiter.h"
#include "nebula-policy.h"
#include "nebula-retry-policy.h"

using nebula::Error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

using Retry = nebula::Owned<NebulaRetryPolicy, nebula_retry_policy_unref>;
using Limiter = nebula::Owned<NebulaLimiter, nebula_limiter_unref>;

const gint64 MS = 1000, SECOND = G_USEC_PER_SEC;

GError *
fail (NebulaError code = NEBULA_ERROR_NETWORK)
{
  return g_error_new_literal (NEBULA_ERROR, code, "it failed");
}

/* The delays in milliseconds, up to the end of trying. */
std::vector<gint64>
series (const char *options, const GError *failure = nullptr, guint most = 20)
{
  Error error;
  Retry retry (nebula_retry_policy_new (json (options).get (), error.out ()));
  std::vector<gint64> delays;
  gint64 elapsed = 0;

  EXPECT_TRUE (retry) << error.message ();
  for (guint attempt = 1; attempt <= most; attempt++) {
    gint64 delay = nebula_retry_policy_get_delay_usec (retry.get (), attempt, elapsed, failure, 12345);

    if (delay < 0)
      break;
    elapsed += delay;
    delays.push_back (delay / MS);
  }
  return delays;
}

TEST (RetryPolicy, HasExactSeries)
{
  EXPECT_THAT (series (R"({"attempts":4,"backoff":"fixed","initial":"100ms"})"), testing::ElementsAre (100, 100, 100));
  EXPECT_THAT (series (R"({"attempts":5,"backoff":"linear","initial":"100ms","max":"350ms"})"), testing::ElementsAre (100, 200, 300, 350));
  EXPECT_THAT (series (R"({"attempts":6,"backoff":"exponential","initial":"100ms","factor":3,"max":"5s"})"), testing::ElementsAre (100, 300, 900, 2700, 5000));
  EXPECT_THAT (series (R"({"attempts":8,"backoff":"fibonacci","initial":"10ms"})"), testing::ElementsAre (10, 10, 20, 30, 50, 80, 130));
  EXPECT_THAT (series (R"({"attempts":5,"delays":["1s","5s","2s"]})"), testing::ElementsAre (1000, 5000, 2000, 2000));
  EXPECT_THAT (series (R"({"attempts":1})"), testing::ElementsAre ());
  EXPECT_THAT (series ("{}"), testing::ElementsAre (200, 400));
  EXPECT_THAT (series (R"({"attempts":100,"backoff":"fixed","initial":"1s","budget":"3500ms"})"), testing::ElementsAre (1000, 1000, 1000));
}

TEST (RetryPolicy, AsksTheFailure)
{
  GError *terminal = fail (NEBULA_ERROR_INVALID_DATA), *network = fail (), *throttled = fail (NEBULA_ERROR_THROTTLED);
  GError *cancelled = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "stop");

  nebula_error_set_retry_after_ms (throttled, 700);
  EXPECT_THAT (series (R"({"attempts":3})", terminal), testing::ElementsAre ());
  EXPECT_THAT (series (R"({"attempts":3})", cancelled), testing::ElementsAre ());
  EXPECT_THAT (series (R"({"attempts":3})", network), testing::ElementsAre (200, 400));
  EXPECT_THAT (series (R"({"attempts":4})", throttled), testing::ElementsAre (700, 700, 800));
  EXPECT_THAT (series (R"({"attempts":3,"codes":["throttled"]})", network), testing::ElementsAre ());
  EXPECT_THAT (series (R"({"attempts":3,"codes":["network"]})", network), testing::ElementsAre (200, 400));
  g_error_free (terminal);
  g_error_free (network);
  g_error_free (throttled);
  g_error_free (cancelled);
}

TEST (RetryPolicy, JitterStaysWithinItsRange)
{
  Retry full (nebula_retry_policy_new (json (R"({"backoff":"fixed","initial":"100ms","jitter":"full"})").get (), nullptr));
  Retry equal (nebula_retry_policy_new (json (R"({"backoff":"fixed","initial":"100ms","jitter":"equal"})").get (), nullptr));
  gint64 least = G_MAXINT64, most = 0;

  for (guint64 i = 0; i < 1000; i++) {
    guint64 random = i * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
    gint64 delay = nebula_retry_policy_get_delay_usec (full.get (), 1, 0, nullptr, random);

    least = MIN (least, delay);
    most = MAX (most, delay);
    EXPECT_GE (nebula_retry_policy_get_delay_usec (equal.get (), 1, 0, nullptr, random), 50 * MS);
  }
  EXPECT_LT (least, 10 * MS);
  EXPECT_GT (most, 90 * MS);
  EXPECT_LE (most, 100 * MS);
}

TEST (Options, AreChecked)
{
  for (const char *text : {"3", R"({"attempt":3})", R"({"attempts":0})", R"({"attempts":"3"})", R"({"initial":3})", R"({"backoff":"none"})", R"({"factor":0.5})",
                           R"({"delays":[]})", R"({"delays":[1]})", R"({"codes":["x"]})", R"({"codes":"network"})", R"({"jitter":1})"}) {
    Error error;
    EXPECT_EQ (nebula_retry_policy_new (json (text).get (), error.out ()), nullptr) << text;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA)) << text;
  }
  for (const char *text : {R"({"rate":0})", R"({"kind":"x"})", R"({"per":"1us"})", R"({"per":"1000000d"})"}) {
    Error error;
    EXPECT_EQ (nebula_limiter_new (json (text).get (), error.out ()), nullptr) << text;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA)) << text;
  }
}

Limiter
limiter (const char *options)
{
  Error error;
  Limiter made (nebula_limiter_new (json (options).get (), error.out ()));

  EXPECT_TRUE (made) << error.message ();
  return made;
}

TEST (Limiter, TokensComeBackEvenly)
{
  Limiter bucket = limiter (R"({"rate":10,"per":"1s","burst":3})");

  for (int i = 0; i < 3; i++)
    EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 0), 0);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 0), 100 * MS);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 60 * MS), 40 * MS);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 100 * MS), 0);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 100 * MS), 100 * MS);
  for (int i = 0; i < 3; i++)
    EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 3600 * SECOND), 0) << "a long rest fills it, no more";
  EXPECT_GT (nebula_limiter_take_usec (bucket.get (), 3600 * SECOND), 0);
}

TEST (Limiter, DropsLeaveEvenly)
{
  Limiter bucket = limiter (R"({"kind":"leaky-bucket","rate":10,"per":"1s"})");

  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 0), 0);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 30 * MS), 70 * MS);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 100 * MS), 0);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 10 * SECOND), 0);
  EXPECT_EQ (nebula_limiter_take_usec (bucket.get (), 10 * SECOND), 100 * MS);
}

TEST (Limiter, NoWindowHoldsMore)
{
  Limiter window = limiter (R"({"kind":"sliding-window","rate":5,"per":"1s"})");
  std::vector<gint64> taken;

  for (gint64 now = 0; now < 20 * SECOND; now += 37 * MS)
    if (nebula_limiter_take_usec (window.get (), now) == 0)
      taken.push_back (now);
  for (size_t i = 5; i < taken.size (); i++)
    EXPECT_GE (taken[i] - taken[i - 5], SECOND);
  EXPECT_GE (taken.size (), 95u);
  NebulaLimiter *other = nebula_limiter_ref (window.get ());
  nebula_limiter_unref (other);
}

nebula::Ref<NebulaBreaker>
breaker (const char *options)
{
  Error error;
  nebula::Ref<NebulaBreaker> made (nebula_breaker_new (json (options).get (), error.out ()));

  EXPECT_TRUE (made) << error.message ();
  return made;
}

TEST (Breaker, OpensAfterFailuresInARow)
{
  nebula::Ref<NebulaBreaker> self = breaker (R"({"failures":3,"open":"10s","permits":2})");
  NebulaBreaker *b = self.get ();
  std::vector<int> states;

  g_signal_connect (b, "notify::state", G_CALLBACK (+[] (NebulaBreaker *breaker, GParamSpec *, std::vector<int> *list) {
                      list->push_back (nebula_breaker_get_state (breaker));
                    }),
                    &states);
  for (int i = 0; i < 2; i++)
    nebula_breaker_record (b, 0, FALSE, 0);
  nebula_breaker_record (b, 0, TRUE, 0);
  for (int i = 0; i < 3; i++) {
    EXPECT_TRUE (nebula_breaker_enter (b, 0));
    nebula_breaker_record (b, 0, FALSE, 0);
  }
  EXPECT_EQ (nebula_breaker_get_state (b), NEBULA_BREAKER_STATE_OPEN);
  EXPECT_FALSE (nebula_breaker_enter (b, 10 * SECOND - 1));
  EXPECT_EQ (nebula_breaker_get_remaining_usec (b, 4 * SECOND), 6 * SECOND);
  nebula_breaker_record (b, 5 * SECOND, TRUE, 0); /* began before it opened */
  EXPECT_TRUE (nebula_breaker_enter (b, 10 * SECOND));
  EXPECT_TRUE (nebula_breaker_enter (b, 10 * SECOND));
  EXPECT_FALSE (nebula_breaker_enter (b, 10 * SECOND)) << "two permits";
  nebula_breaker_withdraw (b);
  EXPECT_TRUE (nebula_breaker_enter (b, 10 * SECOND)) << "one was given back";
  nebula_breaker_record (b, 11 * SECOND, FALSE, 0);
  EXPECT_EQ (nebula_breaker_get_state (b), NEBULA_BREAKER_STATE_OPEN);
  EXPECT_TRUE (nebula_breaker_enter (b, 21 * SECOND));
  nebula_breaker_record (b, 21 * SECOND, TRUE, 0);
  EXPECT_TRUE (nebula_breaker_enter (b, 21 * SECOND));
  nebula_breaker_record (b, 21 * SECOND, TRUE, 0);
  EXPECT_EQ (nebula_breaker_get_state (b), NEBULA_BREAKER_STATE_CLOSED);
  EXPECT_EQ (nebula_breaker_get_remaining_usec (b, 21 * SECOND), 0);
  EXPECT_THAT (states, testing::ElementsAre (1, 2, 1, 2, 0));
}

TEST (Breaker, OpensAtARateWithinTheWindow)
{
  nebula::Ref<NebulaBreaker> self = breaker (R"({"failures":0,"rate":0.5,"window":"10s","calls":10})");
  NebulaBreaker *b = self.get ();

  for (int i = 0; i < 9; i++)
    nebula_breaker_record (b, i * 100 * MS, FALSE, 0);
  EXPECT_EQ (nebula_breaker_get_state (b), NEBULA_BREAKER_STATE_CLOSED) << "too few calls";
  for (int i = 0; i < 11; i++)
    nebula_breaker_record (b, 20 * SECOND + i, i % 3 != 0, 0);
  EXPECT_EQ (nebula_breaker_get_state (b), NEBULA_BREAKER_STATE_CLOSED) << "old failures are forgotten";
  for (int i = 0; i < 3; i++)
    nebula_breaker_record (b, 22 * SECOND, FALSE, 0);
  EXPECT_EQ (nebula_breaker_get_state (b), NEBULA_BREAKER_STATE_OPEN);
}

TEST (Breaker, SlowCallsCount)
{
  nebula::Ref<NebulaBreaker> self = breaker (R"({"failures":2,"slow":"1s"})");

  nebula_breaker_record (self.get (), 0, TRUE, SECOND);
  nebula_breaker_record (self.get (), 0, TRUE, SECOND + 1);
  nebula_breaker_record (self.get (), 0, TRUE, SECOND + 1);
  gint state;
  g_object_get (self.get (), "state", &state, nullptr);
  EXPECT_EQ (state, NEBULA_BREAKER_STATE_OPEN);
}

/* Calls that wait for the test to answer them. */
class PolicyTest : public nebula::LoopTest
{
protected:
  struct Run {
    bool done = false;
    std::string value; /* JSON, or “! code” */
  };

  void SetUp () override
  {
    LoopTest::SetUp ();
    manual = nebula_manual_clock_new (0, 7);
    clock = NEBULA_CLOCK (manual);
  }
  void TearDown () override
  {
    for (GTask *call : calls)
      g_object_unref (call);
    g_clear_object (&policy);
    LoopTest::TearDown ();
    g_object_unref (manual);
  }
  void make (const char *options)
  {
    Error error;
    policy = nebula_policy_new (clock, json (options).get (), error.out ());
    ASSERT_NE (policy, nullptr) << error.message ();
  }
  static void work (GTask *task, guint attempt, gpointer data)
  {
    PolicyTest *self = (PolicyTest *) data;

    self->calls.push_back ((GTask *) g_object_ref (task));
    self->times.push_back (nebula_clock_get_monotonic_usec (self->clock) / MS);
  }
  static void on_done (GObject *source, GAsyncResult *result, gpointer data)
  {
    Run *run = (Run *) data;
    Error error;
    Value value (nebula_policy_run_finish (NEBULA_POLICY (source), result, error.out ()));

    run->done = true;
    run->value = value ? to_json (value) : std::string ("! ") + nebula_error_get_code (error.get ());
  }
  void start (Run *run, bool is_idempotent = false, GCancellable *cancellable = nullptr)
  {
    nebula_policy_run_async (policy, work, this, nullptr, is_idempotent, cancellable, on_done, run);
    turn ();
  }
  void turn ()
  {
    while (g_main_context_iteration (context_, FALSE))
      ;
  }
  void advance (gint64 usec)
  {
    nebula_manual_clock_advance (manual, usec);
    turn ();
  }
  void succeed (size_t index, const char *value = "1")
  {
    nebula_policy_return (calls[index], json (value).get ());
    turn ();
  }
  void break_down (size_t index, NebulaError code = NEBULA_ERROR_NETWORK)
  {
    g_task_return_error (calls[index], fail (code));
    turn ();
  }
  bool is_cancelled (size_t index)
  {
    return g_cancellable_is_cancelled (g_task_get_cancellable (calls[index]));
  }
  gint64 count (const char *name)
  {
    Value state (nebula_policy_dup_state (policy));
    return nebula_value_get_member_integer (state.get (), name, -1);
  }
  /* Goes from timer to timer. */
  void run_timers (int most = 100)
  {
    for (int i = 0; i < most; i++) {
      gint64 next = nebula_manual_clock_get_next_usec (manual);
      if (next == G_MAXINT64 || next <= 0)
        return;
      advance (MAX (0, next - nebula_clock_get_monotonic_usec (clock)));
    }
  }

  NebulaManualClock *manual = nullptr;
  NebulaClock *clock = nullptr;
  NebulaPolicy *policy = nullptr;
  std::vector<GTask *> calls;
  std::vector<gint64> times; /* of calls, ms */
};

TEST_F (PolicyTest, WithoutPartsCallsOnce)
{
  Run run;

  make ("{}");
  start (&run);
  ASSERT_EQ (calls.size (), 1u);
  EXPECT_EQ (count ("running"), 1);
  succeed (0, "{\"a\":1}");
  EXPECT_TRUE (run.done);
  EXPECT_EQ (run.value, "{\"a\":1}");
  EXPECT_EQ (count ("running"), 0);
}

TEST_F (PolicyTest, RetriesAtExactTimes)
{
  Run run;

  make (R"({"retry":{"attempts":4,"initial":"100ms"}})");
  start (&run);
  for (size_t i = 0; i < 3; i++) {
    break_down (i);
    EXPECT_FALSE (run.done);
    advance (100 * MS * (1 << i));
    ASSERT_EQ (calls.size (), i + 2);
  }
  EXPECT_THAT (times, testing::ElementsAre (0, 100, 300, 700));
  break_down (3);
  EXPECT_EQ (run.value, "! network");
  EXPECT_EQ (count ("attempts"), 4);
  EXPECT_EQ (count ("retries"), 3);
}

TEST_F (PolicyTest, DoesNotRetryWhatIsTerminal)
{
  Run run;

  make (R"({"retry":{"attempts":4}})");
  start (&run);
  break_down (0, NEBULA_ERROR_INVALID_DATA);
  EXPECT_EQ (run.value, "! invalid-data");
  EXPECT_EQ (calls.size (), 1u);
}

TEST_F (PolicyTest, TimeLimitCancelsTheAttempt)
{
  Run run;

  make (R"({"retry":{"attempts":2,"backoff":"fixed","initial":"1s"},"timeout":"2s"})");
  start (&run);
  advance (2 * SECOND);
  EXPECT_TRUE (is_cancelled (0));
  advance (1 * SECOND);
  ASSERT_EQ (calls.size (), 2u);
  succeed (0); /* too late, dropped */
  EXPECT_FALSE (run.done);
  advance (2 * SECOND);
  EXPECT_EQ (run.value, "! timed-out");
  EXPECT_EQ (count ("timed-out"), 2);
  break_down (1);
}

TEST_F (PolicyTest, TotalTimeLimitEndsEverything)
{
  Run attempt, pause;

  make (R"({"retry":{"attempts":100,"backoff":"fixed","initial":"10s"},"total-timeout":"5s"})");
  start (&attempt);
  start (&pause);
  break_down (1);
  advance (5 * SECOND);
  EXPECT_EQ (attempt.value, "! timed-out") << "while it ran";
  EXPECT_EQ (pause.value, "! timed-out") << "while it waited for the next attempt";
  EXPECT_TRUE (is_cancelled (0));
  advance (100 * SECOND);
  EXPECT_EQ (calls.size (), 2u);
  succeed (0);
}

TEST_F (PolicyTest, CancelEndsEverything)
{
  Run attempt, pause, early;
  GCancellable *cancellable = g_cancellable_new ();

  make (R"({"retry":{"attempts":100,"backoff":"fixed","initial":"10s"},"fallback":0})");
  start (&attempt, false, cancellable);
  start (&pause, false, cancellable);
  break_down (1);
  g_cancellable_cancel (cancellable);
  turn ();
  start (&early, false, cancellable);
  EXPECT_EQ (attempt.value, "! cancelled") << "no fallback for who does not wait any more";
  EXPECT_EQ (pause.value, "! cancelled");
  EXPECT_EQ (early.value, "! cancelled");
  EXPECT_EQ (calls.size (), 2u);
  succeed (0);
  g_object_unref (cancellable);
}

TEST_F (PolicyTest, FallbackStandsInForAnError)
{
  Run run;

  make (R"({"fallback":{"none":true}})");
  start (&run);
  break_down (0, NEBULA_ERROR_INVALID_DATA);
  EXPECT_EQ (run.value, "{\"none\":true}");
  EXPECT_EQ (count ("fallbacks"), 1);
}

TEST_F (PolicyTest, BreakerRefusesBeforeAPlaceIsTaken)
{
  Run runs[4];

  make (R"({"breaker":{"failures":2,"open":"10s"},"bulkhead":{"permits":1}})");
  for (int i = 0; i < 2; i++) {
    start (&runs[i]);
    break_down (i);
  }
  start (&runs[2]);
  EXPECT_EQ (runs[2].value, "! unavailable");
  EXPECT_EQ (calls.size (), 2u);
  EXPECT_EQ (nebula_breaker_get_state (nebula_policy_get_breaker (policy)), NEBULA_BREAKER_STATE_OPEN);
  advance (10 * SECOND);
  start (&runs[3]);
  succeed (2);
  EXPECT_EQ (runs[3].value, "1");
  Value state (nebula_policy_dup_state (policy));
  EXPECT_STREQ (nebula_value_get_member_string (state.get (), "breaker", ""), "closed");
}

TEST_F (PolicyTest, RetryWaitsForTheBreaker)
{
  Run run;

  make (R"({"retry":{"attempts":3,"backoff":"fixed","initial":"1ms"},"breaker":{"failures":1,"open":"10s"}})");
  start (&run);
  break_down (0);
  advance (1 * MS);
  EXPECT_EQ (calls.size (), 1u) << "it is open";
  EXPECT_FALSE (run.done);
  advance (10 * SECOND + 2 * MS);
  ASSERT_EQ (calls.size (), 2u);
  succeed (1);
  EXPECT_EQ (run.value, "1");
}

TEST_F (PolicyTest, CallersMistakesOpenNoBreaker)
{
  Run runs[5];

  make (R"({"breaker":{"failures":2}})");
  for (int i = 0; i < 5; i++) {
    start (&runs[i]);
    break_down (i, NEBULA_ERROR_INVALID_DATA);
  }
  EXPECT_EQ (nebula_breaker_get_state (nebula_policy_get_breaker (policy)), NEBULA_BREAKER_STATE_CLOSED);
}

TEST_F (PolicyTest, BulkheadHoldsSoManyAtOnce)
{
  Run runs[5];

  make (R"({"bulkhead":{"permits":2,"queue":2,"wait":"3s"}})");
  for (Run &run : runs)
    start (&run);
  EXPECT_EQ (calls.size (), 2u);
  EXPECT_EQ (runs[4].value, "! throttled") << "the queue is full";
  EXPECT_EQ (count ("waiting"), 2);
  succeed (1);
  ASSERT_EQ (calls.size (), 3u) << "the next in the queue begins";
  advance (3 * SECOND);
  EXPECT_EQ (runs[3].value, "! throttled") << "it waited too long";
  succeed (0);
  succeed (2);
  EXPECT_TRUE (runs[0].done && runs[1].done && runs[2].done);
  Run last;
  start (&last);
  ASSERT_EQ (calls.size (), 4u) << "places are given back";
  succeed (3);
}

TEST_F (PolicyTest, CancelledWaitersLeaveTheQueue)
{
  Run first, second, third;
  GCancellable *cancellable = g_cancellable_new ();

  make (R"({"bulkhead":{"permits":1}})");
  start (&first);
  start (&second, false, cancellable);
  start (&third);
  g_cancellable_cancel (cancellable);
  turn ();
  EXPECT_EQ (second.value, "! cancelled");
  EXPECT_EQ (count ("waiting"), 1);
  succeed (0);
  ASSERT_EQ (calls.size (), 2u);
  succeed (1);
  EXPECT_EQ (third.value, "1");
  g_object_unref (cancellable);
}

TEST_F (PolicyTest, LimitLetsThemBeginInTheirTime)
{
  Run runs[4];

  make (R"({"limit":{"rate":10,"per":"1s","burst":1}})");
  for (Run &run : runs)
    start (&run);
  EXPECT_EQ (calls.size (), 1u);
  run_timers ();
  ASSERT_EQ (calls.size (), 4u);
  EXPECT_THAT (times, testing::ElementsAre (0, 100, 200, 300));
  for (size_t i = 0; i < 4; i++)
    succeed (i);
}

TEST_F (PolicyTest, HedgeTakesTheFirstAnswer)
{
  Run run;

  make (R"({"hedge":{"after":"100ms","calls":3}})");
  start (&run, true);
  advance (100 * MS);
  advance (100 * MS);
  advance (1 * SECOND);
  ASSERT_EQ (calls.size (), 3u);
  EXPECT_THAT (times, testing::ElementsAre (0, 100, 200));
  break_down (0);
  EXPECT_FALSE (run.done) << "the others may still succeed";
  succeed (2, "2");
  EXPECT_EQ (run.value, "2");
  EXPECT_TRUE (is_cancelled (1));
  break_down (1);
  EXPECT_EQ (count ("hedged"), 2);
}

TEST_F (PolicyTest, HedgeIsForIdempotentWorkOnly)
{
  Run run;

  make (R"({"hedge":{"after":"100ms"}})");
  start (&run, false);
  advance (10 * SECOND);
  EXPECT_EQ (calls.size (), 1u);
  succeed (0);
}

TEST_F (PolicyTest, ShedsWhatIsTooMuch)
{
  Run runs[3];

  make (R"({"shed":2})");
  for (Run &run : runs)
    start (&run);
  EXPECT_EQ (runs[2].value, "! throttled");
  EXPECT_EQ (count ("refused"), 1);
  succeed (0);
  succeed (1);
}

TEST_F (PolicyTest, WorkMustReturnSomething)
{
  Run run;

  make ("{}");
  start (&run);
  g_task_return_pointer (calls[0], nullptr, nullptr);
  turn ();
  EXPECT_EQ (run.value, "! action-contract");
}

TEST_F (PolicyTest, HasPresets)
{
  GStrv names = nebula_policy_list_presets ();

  EXPECT_EQ (g_strv_length (names), 5u);
  for (guint i = 0; names[i]; i++) {
    Error error;
    Value name (nebula_value_new_string (names[i]));
    NebulaPolicy *preset = nebula_policy_new (clock, name.get (), error.out ());
    EXPECT_NE (preset, nullptr) << names[i] << ": " << error.message ();
    g_clear_object (&preset);
  }
  g_strfreev (names);

  Run run;
  make (R"({"preset":"http-api","retry":{"attempts":1}})");
  EXPECT_NE (nebula_policy_get_breaker (policy), nullptr) << "of the preset";
  start (&run);
  break_down (0);
  EXPECT_EQ (run.value, "! network") << "of one's own";
}

TEST_F (PolicyTest, RefusesBadOptions)
{
  for (const char *text : {"1", "\"ftp\"", R"({"preset":1})", R"({"retries":3})", R"({"retry":{"attempts":0}})", R"({"timeout":"0s"})", R"({"shed":0})",
                           R"({"hedge":{"after":"0s"}})", R"({"hedge":1})", R"({"breaker":{"rate":2}})", R"({"bulkhead":{"permits":0}})", R"({"limit":{"rate":0}})"}) {
    Error error;
    EXPECT_EQ (nebula_policy_new (clock, json (text).get (), error.out ()), nullptr) << text;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA)) << text;
  }
}

} // namespace
