/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kernel-test.h"

using namespace nebula;

class KernelTest : public KernelFixture
{
};

TEST_F (KernelTest, RunsAChain)
{
  KernelDriver &d = run (R"(
name: chain
nodes:
  a: { action: data.set, with: { x: 1 } }
  b: { action: data.set, with: { y: 2 }, after: [a] }
  c: { action: test.effect, with: { z: 3 }, after: [b] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"z":3})");
  EXPECT_EQ (d.node ("a"), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"c"}));
}

TEST_F (KernelTest, GivesAnObjectOfSeveralLastNodes)
{
  KernelDriver &d = run (R"(
name: fan
nodes:
  a: { action: data.set, with: { x: 1 } }
  b: { action: data.set, with: { y: 2 }, after: [a] }
  c: { action: data.set, with: { y: 3 }, after: [a] }
)");

  EXPECT_EQ (d.output (), R"({"b":{"y":2},"c":{"y":3}})");
}

TEST_F (KernelTest, JoinsSeveralInputsByPredecessor)
{
  KernelDriver &d = run (R"(
name: join
nodes:
  a: { action: data.set, with: { x: 1 } }
  b: { action: data.set, with: { y: 2 } }
  c: { action: flow.no-op, after: [a, b] }
)");

  EXPECT_EQ (d.output (), R"({"a":{"x":1},"b":{"y":2}})");
}

TEST_F (KernelTest, SkipsDeadPathsSoThatJoinsNeverWait)
{
  KernelDriver &d = run (R"(
name: dead
nodes:
  choose: { action: flow.if, with: { condition: false } }
  yes: { action: data.set, with: { v: yes } }
  further: { action: data.set, with: { v: further }, after: [yes] }
  no: { action: data.set, with: { v: "no" } }
  join: { action: flow.no-op, after: [further, no] }
connections:
  - choose.true -> yes
  - choose.false -> no
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("yes"), "skipped");
  EXPECT_EQ (d.node ("further"), "skipped");
  EXPECT_EQ (d.output (), R"({"v":"no"})");
}

TEST_F (KernelTest, FailsTheExecutionAndCancelsTheRest)
{
  KernelDriver &d = run (R"(
name: fails
nodes:
  slow: { action: test.effect, with: { hang: true } }
  bad: { action: flow.fail, with: { message: broken, code: my-code } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "my-code");
  EXPECT_EQ (d.node ("slow"), "cancelled");
  EXPECT_EQ (d.node ("bad"), "failed");
}

TEST_F (KernelTest, FinishesTheRestBeforeItFails)
{
  KernelDriver &d = run (R"(
name: finish
settings: { on-error: finish }
nodes:
  bad: { action: flow.fail, with: { message: broken } }
  after-bad: { action: data.set, with: { v: 1 }, after: [bad] }
  other: { action: test.effect, with: { v: 2 } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.node ("after-bad"), "skipped");
  EXPECT_EQ (d.node ("other"), "completed");
}

TEST_F (KernelTest, ContinuesAfterAnError)
{
  KernelDriver &d = run (R"(
name: continue
nodes:
  bad: { action: flow.fail, with: { message: broken }, on-error: continue }
  good: { action: data.set, with: { v: 2 } }
  join: { action: flow.no-op, after: [bad, good] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("bad"), "failed");
  EXPECT_EQ (d.output (), R"({"v":2})");
}

TEST_F (KernelTest, HandsTheErrorToItsPort)
{
  KernelDriver &d = run (R"(
name: error-port
nodes:
  bad: { action: test.effect, with: { fail: broken } }
  good: { action: data.set, with: { v: 1 }, after: [bad] }
  handler: { action: flow.no-op, after: [bad.error] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("bad"), "failed");
  EXPECT_EQ (d.node ("good"), "skipped");
  EXPECT_THAT (d.output (), testing::HasSubstr (R"("message":"broken")"));
  EXPECT_THAT (d.output (), testing::HasSubstr (R"("node":"bad")"));
}

TEST_F (KernelTest, RetriesByItsPolicy)
{
  gint64 start =
      KernelDriver (
          compile (resolver.get (), "{name: x, nodes: {a: {action: flow.no-op}}}").get ())
          .now;
  KernelDriver &d = run (R"(
name: retry
nodes:
  a:
    action: test.effect
    with: { fail: not yet, fail-until: 3 }
    retry: { attempts: 5, backoff: exponential, initial: 1s, max: 30s }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started.size (), 3u);
  EXPECT_EQ (d.now - start, 3 * G_USEC_PER_SEC); /* 1 s, then 2 s */
}

TEST_F (KernelTest, GivesUpAfterTheLastAttempt)
{
  KernelDriver &d = run (R"(
name: retry
nodes:
  a: { action: test.effect, with: { fail: never }, retry: { attempts: 3, backoff: fixed, initial: 1s } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.started.size (), 3u);
}

TEST_F (KernelTest, RetriesAfterListedDelaysWithinTheirBudget)
{
  gint64 start =
      KernelDriver (
          compile (resolver.get (), "{name: x, nodes: {a: {action: flow.no-op}}}").get ())
          .now;
  KernelDriver &d = run (R"(
name: retry
nodes:
  a: { action: test.effect, with: { fail: never }, retry: { attempts: 9, delays: [1s, 3s], budget: 8s } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.started.size (), 4u); /* at 0, 1, 4 and 7 s; the next would be at 10 s */
  EXPECT_EQ (d.now - start, 7 * G_USEC_PER_SEC);
}

TEST_F (KernelTest, RetriesOnlyErrorsThatAreNamed)
{
  const char *text = R"(
name: retry
nodes:
  a: { action: test.effect, with: { fail: never }, retry: { attempts: 3, initial: 1s, codes: [CODE] } }
)";
  auto count = [&] (const char *code) {
    std::string full = text;
    full.replace (full.find ("CODE"), 4, code);
    return run (full.c_str ()).started.size ();
  };

  EXPECT_EQ (count ("unavailable, failed"), 3u);
  EXPECT_EQ (count ("unavailable"), 1u);
}

TEST_F (KernelTest, RunsForEachInOrderWithConcurrency)
{
  KernelDriver &d = run (R"(
name: each
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3, 4, 5], concurrency: 2 }
    body:
      nodes:
        a: { action: test.effect, with: { v: 1 } }
        b: { action: flow.no-op, after: [a] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"([{"v":1},{"v":1},{"v":1},{"v":1},{"v":1}])");
  EXPECT_EQ (d.started.size (), 5u);
}

TEST_F (KernelTest, GivesItemsToTheBody)
{
  KernelDriver &d = run (R"(
name: each
nodes:
  each: { action: flow.for-each, with: { items: [1, 2, 3] }, body: { nodes: { a: { action: flow.no-op } } } }
  batches: { action: flow.for-each, with: { items: [1, 2, 3], batch: 2 }, body: { nodes: { a: { action: flow.no-op } } } }
)");

  EXPECT_EQ (d.output (), R"({"each":[1,2,3],"batches":[[1,2],[3]]})");
}

TEST_F (KernelTest, EndsAnEmptyLoopAtOnce)
{
  KernelDriver &d = run (R"(
name: each
nodes:
  each: { action: flow.for-each, with: { items: [] }, body: { nodes: { a: { action: flow.no-op } } } }
)");

  EXPECT_EQ (d.output (), "[]");
}

TEST_F (KernelTest, FailsTheLoopWithItsFirstFailedItem)
{
  KernelDriver &d = run (R"(
name: each
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3], concurrency: 3 }
    body: { nodes: { a: { action: test.effect, with: { fail: bad } } } }
  handler: { action: flow.no-op, after: [each.error] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("each"), "failed");
  EXPECT_THAT (d.output (), testing::HasSubstr (R"("node":"each[0].a")"));
}

TEST_F (KernelTest, CollectsErrorsOfItems)
{
  KernelDriver &d = run (R"(
name: each
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2] }
    on-error: collect
    body: { nodes: { a: { action: flow.fail, with: { message: bad } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_THAT (d.output (), testing::StartsWith (R"([{"error":{"code":"failed")"));
}

TEST_F (KernelTest, RepeatsAndBreaks)
{
  KernelDriver &d = run (R"(
name: loops
nodes:
  three: { action: flow.repeat, with: { times: 3 }, body: { nodes: { a: { action: test.effect, with: { v: 1 } } } } }
  cut:
    action: flow.for-each
    with: { items: [1, 2, 3] }
    body:
      nodes:
        a: { action: flow.no-op }
        stop: { action: flow.break, after: [a] }
        never: { action: test.effect, with: { v: 2 }, after: [stop] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"three":{"v":1},"cut":[]})");
  EXPECT_EQ (d.started.size (), 3u);
}

TEST_F (KernelTest, ContinueEndsItsRoundOnly)
{
  KernelDriver &d = run (R"(
name: loops
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2] }
    body:
      nodes:
        a: { action: flow.continue }
        never: { action: test.effect, with: { v: 2 }, after: [a] }
)");

  EXPECT_EQ (d.output (), "[null,null]");
  EXPECT_TRUE (d.started.empty ());
}

TEST_F (KernelTest, StopsTheWholeExecutionAtAnyDepth)
{
  KernelDriver &d = run (R"(
name: stop
nodes:
  slow: { action: test.effect, with: { hang: true } }
  each:
    action: flow.for-each
    with: { items: [1] }
    body: { nodes: { s: { action: flow.stop, with: { output: done } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"("done")");
  EXPECT_EQ (d.node ("slow"), "cancelled");
}

TEST_F (KernelTest, WaitsForItsTimeAndNotLess)
{
  KernelDriver &d = begin (R"(
name: wait
nodes:
  w: { action: flow.wait, with: { duration: 1h } }
)");
  gint64 start = d.now;

  d.settle ();
  EXPECT_EQ (d.status (), "suspended");
  EXPECT_EQ (nebula_kernel_get_next_due (d.kernel), start + G_TIME_SPAN_HOUR);
  nebula_kernel_tick (d.kernel, start + G_TIME_SPAN_HOUR - 1);
  d.settle ();
  EXPECT_EQ (d.status (), "suspended");
  d.run ();
  EXPECT_EQ (d.output (), R"({"reason":"duration","value":null})");
}

TEST_F (KernelTest, KeepsASignalUntilAWaitTakesIt)
{
  KernelDriver &d = begin (R"(
name: signal
nodes:
  first: { action: flow.wait, with: { duration: 1s } }
  w: { action: flow.wait, with: { signal: go }, after: [first] }
)");
  Value payload = json (R"({"n":7})");

  d.settle ();
  nebula_kernel_signal (d.kernel, "go", payload.get (), d.now);
  d.settle ();
  d.crash ();
  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"reason":"signal","value":{"n":7}})");
}

TEST_F (KernelTest, TakesASignalThatComesLater)
{
  KernelDriver &d =
      begin ("{name: s, nodes: {w: {action: flow.wait, with: {signal: go}}}}");
  Value payload = json ("1");

  d.settle ();
  EXPECT_EQ (d.status (), "suspended");
  nebula_kernel_signal (d.kernel, "other", payload.get (), d.now);
  d.settle ();
  EXPECT_EQ (d.status (), "suspended");
  nebula_kernel_signal (d.kernel, "go", payload.get (), d.now);
  d.run ();
  EXPECT_EQ (d.status (), "completed");
}

TEST_F (KernelTest, CancelsAndStartsNothingMore)
{
  KernelDriver &d = begin (R"(
name: cancel
nodes:
  a: { action: test.effect, with: { hang: true } }
  b: { action: test.effect, with: { v: 1 }, after: [a] }
)");

  d.settle ();
  ASSERT_EQ (d.hanging.size (), 1u);
  EXPECT_TRUE (nebula_kernel_cancel (d.kernel, NEBULA_EXECUTION_STATUS_CANCELLED,
                                     "enough", d.now));
  d.run ();
  EXPECT_EQ (d.status (), "cancelled");
  EXPECT_EQ (d.started.size (), 1u);
  Value late = json ("1");
  NebulaResult *result =
      nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, "out", late.get (), 0);
  EXPECT_FALSE (nebula_kernel_result (d.kernel, &d.hanging[0], result, d.now));
  EXPECT_FALSE (
      nebula_kernel_cancel (d.kernel, NEBULA_EXECUTION_STATUS_CANCELLED, "again", d.now));
  nebula_result_unref (result);
}

TEST_F (KernelTest, TimesOutAsAWhole)
{
  KernelDriver &d = run (R"(
name: timeout
settings: { timeout: 5s }
nodes:
  w: { action: flow.wait, with: { duration: 1h } }
)");

  EXPECT_EQ (d.status (), "timed-out");
  EXPECT_EQ (d.error_code (), "timed-out");
}

TEST_F (KernelTest, RunsAheadOnlyWithPureWork)
{
  KernelDriver &d = begin (R"(
name: ahead
nodes:
  p: { action: test.pure, with: { v: 1 } }
  e: { action: test.effect, with: { v: 1 } }
)");
  GArray *commands;

  while (nebula_kernel_turn (d.kernel, 64, d.now) != NEBULA_TURN_IDLE)
    ;
  commands = nebula_kernel_get_commands (d.kernel);
  ASSERT_EQ (commands->len, 2u);
  EXPECT_TRUE (g_array_index (commands, NebulaCommand, 0).runs_ahead);
  EXPECT_FALSE (g_array_index (commands, NebulaCommand, 1).runs_ahead);
  d.run ();
}

TEST_F (KernelTest, DoesNotRepeatAnEffectOfUnknownOutcome)
{
  KernelDriver &d = begin (R"(
name: unknown
nodes:
  e: { action: test.effect, with: { hang: true } }
)");

  d.settle ();
  d.crash ();
  nebula_kernel_recover (d.kernel, d.now);
  d.run ();
  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "unknown-outcome");
  EXPECT_EQ (d.started.size (), 1u);
}

TEST_F (KernelTest, RepeatsWhatMayBeRepeated)
{
  for (const char *action : {"test.pure", "test.read", "test.idempotent"}) {
    std::string text = std::string ("{name: u, nodes: {e: {action: ") + action +
                       ", with: {hang: true}}}}";
    KernelDriver &d = begin (text.c_str ());

    d.settle ();
    d.crash ();
    nebula_kernel_recover (d.kernel, d.now);
    d.settle ();
    EXPECT_EQ (d.started.size (), 2u) << action;
    EXPECT_EQ (d.status (), "running");
  }
}

TEST_F (KernelTest, AsksOrRetriesWhenTheNodeSaysSo)
{
  KernelDriver &ask = begin (
      "{name: u, nodes: {e: {action: test.effect, with: {hang: true}, on-unknown: ask}}}");

  ask.settle ();
  ask.crash ();
  nebula_kernel_recover (ask.kernel, ask.now);
  ask.settle ();
  EXPECT_EQ (ask.node ("e"), "waiting");
  Value reasons (nebula_kernel_explain (ask.kernel));
  EXPECT_THAT (to_json (reasons), testing::HasSubstr ("unknown-outcome"));

  KernelDriver &retry = begin (
      "{name: u, nodes: {e: {action: test.effect, with: {hang: true}, on-unknown: retry}}}");

  retry.settle ();
  retry.crash ();
  nebula_kernel_recover (retry.kernel, retry.now);
  retry.settle ();
  EXPECT_EQ (retry.started.size (), 2u);
}

TEST_F (KernelTest, FiresPartialJoinsEarlyAndCancelsTheRest)
{
  KernelDriver &d = run (R"(
name: race
nodes:
  fast: { action: test.effect, with: { v: 1 } }
  slow: { action: test.effect, with: { hang: true } }
  first: { action: flow.no-op, after: [fast, slow], join: { need: any, rest: cancel } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"v":1})");
  EXPECT_EQ (d.node ("slow"), "cancelled");
}

TEST_F (KernelTest, CountsTheTokensThatAJoinNeeds)
{
  KernelDriver &d = run (R"(
name: two-of-three
nodes:
  a: { action: data.set, with: { v: 1 } }
  b: { action: data.set, with: { v: 2 } }
  c: { action: test.effect, with: { v: 3 } }
  join: { action: flow.no-op, after: [a, b, c], join: { need: 2 } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"a":{"v":1},"b":{"v":2}})");
}

TEST_F (KernelTest, FiresOnceForEachTokenOfAMultiMerge)
{
  KernelDriver &d = run (R"(
name: merge
nodes:
  a: { action: data.set, with: { v: 1 } }
  b: { action: data.set, with: { v: 2 } }
  m: { action: test.effect, with: { x: 1 }, after: [a, b], join: { need: each } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"m", "m"}));
}

TEST_F (KernelTest, PassesTheInputThroughDisabledNodes)
{
  KernelDriver &d = run (R"(
name: disabled
nodes:
  a: { action: data.set, with: { v: 1 } }
  b: { action: test.effect, with: { v: 2 }, after: [a], disabled: true }
)");

  EXPECT_EQ (d.output (), R"({"v":1})");
  EXPECT_TRUE (d.started.empty ());
}

TEST_F (KernelTest, PausesAndResumes)
{
  KernelDriver &d = begin ("{name: p, nodes: {a: {action: test.effect, with: {v: 1}}}}");

  nebula_kernel_pause (d.kernel, "test", d.now);
  d.settle ();
  EXPECT_EQ (d.status (), "paused");
  EXPECT_TRUE (d.started.empty ());
  d.crash ();
  EXPECT_EQ (d.status (), "paused");
  nebula_kernel_resume (d.kernel, d.now);
  d.run ();
  EXPECT_EQ (d.status (), "completed");
}

TEST_F (KernelTest, RefusesDamagedFacts)
{
  KernelDriver &d = run ("{name: d, nodes: {a: {action: test.effect, with: {v: 1}}}}");
  gsize size;
  const guint8 *data = (const guint8 *) g_bytes_get_data (d.segments[0], &size);

  for (gsize length = 0; length < size; length++) {
    NebulaState *state = nebula_state_new (plan.get ());
    GBytes *cut = g_bytes_new (data, length);
    Error error;

    gboolean folded = nebula_state_fold (state, cut, error.out ());
    EXPECT_NE ((bool) folded, (bool) error) << length;
    g_bytes_unref (cut);
    nebula_state_free (state);
  }
  for (gsize i = 0; i < size; i++) {
    std::vector<guint8> copy (data, data + size);
    NebulaState *state = nebula_state_new (plan.get ());
    Error error;

    copy[i] ^= 0x15;
    GBytes *flipped = g_bytes_new (copy.data (), copy.size ());
    nebula_state_fold (state, flipped,
                       error.out ()); /* must not crash, whatever it says */
    g_bytes_unref (flipped);
    nebula_state_free (state);
  }
}
