/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cycles that `loop: true` connections close. */
#include "kernel-test.h"

using namespace nebula;

class CycleTest : public KernelFixture
{
};

TEST_F (CycleTest, TurnsWhileItsConditionHolds)
{
  KernelDriver &d = run (R"(
name: cycle
nodes:
  start: { action: data.set, with: { n: 0 } }
  step: { action: data.set, with: { n: "{{ $json.n + 1 }}" }, after: [start] }
  end: { action: flow.no-op }
connections:
  - { from: step, to: step, when: $json.n < 5, loop: true }
  - { from: step, to: end, when: $json.n >= 5 }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"n":5})");
}

TEST_F (CycleTest, GivesTheResultOfItsLastRound)
{
  KernelDriver &d = run (R"(
name: cycle
nodes:
  step: { action: data.set, with: { n: "{{ ($nodes.check.result?.n ?? 0) + 1 }}" } }
  check: { action: flow.no-op, after: [step] }
connections:
  - { from: check, to: step, when: $json.n < 3, loop: true }
)");

  EXPECT_EQ (d.output (), R"({"n":3})");
}

TEST_F (CycleTest, LeavesOnceWhenItIsQuiet)
{
  /* Each round but the last goes back; the join behind must wait for the one token, not for the first skip. */
  KernelDriver &d = run (R"(
name: cycle
nodes:
  start: { action: data.set, with: { n: 0 } }
  side: { action: data.set, with: { side: 1 } }
  step: { action: test.effect, with: { n: "{{ $json.n + 1 }}" }, after: [start] }
  check: { action: flow.if, with: { condition: "{{ $json.n >= 3 }}" }, after: [step] }
  never: { action: test.effect, with: { v: 1 } }
  join: { action: flow.merge, after: [side, check.true, never] }
connections:
  - { from: check.false, to: step, loop: true }
  - { from: check, to: never, when: "false" }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"step", "step", "step"}));
  EXPECT_EQ (d.node ("never"), "skipped");
  EXPECT_EQ (d.output (), R"({"side":{"side":1},"check":{"n":3}})");
}

TEST_F (CycleTest, IsSkippedWhenNothingEntersIt)
{
  KernelDriver &d = run (R"(
name: cycle
nodes:
  choose: { action: flow.if, with: { condition: false } }
  a: { action: test.effect, with: { v: 1 } }
  b: { action: test.effect, with: { v: 2 }, after: [a] }
  end: { action: data.set, with: { v: end }, after: [choose, b] }
connections:
  - choose.true -> a
  - { from: b, to: a, loop: true }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("a"), "skipped");
  EXPECT_EQ (d.node ("b"), "skipped");
  EXPECT_EQ (d.output (), R"({"v":"end"})");
}

TEST_F (CycleTest, MayBeEnteredAtTwoPlaces)
{
  /* x → a → b → c → a, entered at a and, later, at c; left from b and from c. */
  KernelDriver &d = run (R"(
name: arbitrary
nodes:
  x: { action: data.set, with: { n: 0 } }
  w: { action: flow.wait, with: { duration: 1s } }
  y: { action: data.set, with: { n: 10 }, after: [w] }
  a: { action: test.effect, with: { n: "{{ $json.n + 1 }}" }, after: [x] }
  b: { action: test.effect, with: { n: "{{ $json.n + 1 }}" }, after: [a] }
  c: { action: test.effect, with: { n: "{{ $json.n + 1 }}" }, after: [y], join: { need: each } }
  left: { action: data.set, with: { n: "{{ $json.n }}" }, join: { need: each } }
connections:
  - { from: b, to: c, when: $json.n < 5 }
  - { from: b, to: left, when: $json.n >= 5 }
  - { from: c, to: a, when: $json.n < 12, loop: true }
  - { from: c, to: left, when: $json.n >= 12 }
)");

  EXPECT_EQ (d.status (), "completed");
  /* x: a1 b2 c3 a4 b5 → left; y: c11 a12 b13 → left */
  EXPECT_EQ (d.started, std::vector<std::string> ({"a", "b", "c", "a", "b", "c", "a", "b"}));
  EXPECT_EQ (d.output (), R"({"n":13})");
}

TEST_F (CycleTest, JoinsWhatCanStillComeInEachRound)
{
  /* A multi-choice and its synchronizing merge inside a cycle of three rounds: 1, 2, 3 branches. */
  KernelDriver &d = run (R"(
name: general
nodes:
  start: { action: data.set, with: { n: 1 } }
  split: { action: flow.no-op, after: [start] }
  a: { action: test.effect, with: { n: "{{ $json.n }}" }, after: [split] }
  b: { action: test.effect, with: { n: "{{ $json.n }}" } }
  c: { action: flow.wait, with: { duration: 1s } }
  join: { action: test.effect, with: { n: "{{ ($nodes.split.result.n) + 1 }}", from: "{{ keys($json) }}" }, after: [a, b, c] }
  end: { action: flow.no-op }
connections:
  - { from: split, to: b, when: $json.n >= 2 }
  - { from: split, to: c, when: $json.n >= 3 }
  - { from: join, to: split, when: $json.n <= 3, loop: true }
  - { from: join, to: end, when: $json.n > 3 }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> (
                            {"a", "join", "a", "b", "join", "a", "b", "join"}));
  EXPECT_EQ (d.output (), R"({"n":4,"from":["a","b","c"]})");
}

TEST_F (CycleTest, LoopsInsideALoop)
{
  KernelDriver &d = run (R"(
name: nested
nodes:
  start: { action: data.set, with: { outer: 0, inner: 0 } }
  a: { action: data.set, with: { outer: "{{ ($json?.outer ?? $json.b.outer) + 1 }}", inner: 0 }, after: [start] }
  side: { action: data.set, with: { v: side }, after: [a] }
  b: { action: test.effect, with: { outer: "{{ $json.outer }}", inner: "{{ $json.inner + 1 }}" }, after: [a] }
  join: { action: flow.no-op, after: [side] }
  end: { action: flow.no-op }
connections:
  - { from: b, to: b, when: $json.inner < 2, loop: true }
  - { from: b, to: join, when: $json.inner >= 2 }
  - { from: join, to: a, when: $json.b.outer < 2, loop: true }
  - { from: join, to: end, when: $json.b.outer >= 2 }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"b", "b", "b", "b"}));
  EXPECT_EQ (d.output (), R"({"b":{"outer":2,"inner":2},"side":{"v":"side"}})");
}

TEST_F (CycleTest, FiresADiscriminatorInEveryRound)
{
  KernelDriver &d = run (R"(
name: discriminator
nodes:
  start: { action: data.set, with: { n: 1 } }
  split: { action: data.set, with: { n: "{{ ($nodes.first.result?.n ?? 0) + 1 }}" }, after: [start] }
  a: { action: test.effect, with: { who: a }, after: [split] }
  b: { action: flow.wait, with: { duration: 1s }, after: [split] }
  first: { action: data.set, with: { n: "{{ $nodes.split.result.n }}" }, after: [a, b], join: { need: any } }
connections:
  - { from: first, to: split, when: $json.n < 3, loop: true }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"a", "a", "a"}));
}

TEST_F (CycleTest, StopsAtItsLimit)
{
  KernelDriver &d = run (R"(
name: endless
nodes:
  a: { action: flow.no-op }
connections:
  - { from: a, to: a, loop: true, max: 20 }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "loop-limit");
  EXPECT_EQ (d.state ()->root->runs[0].firing, 22u); /* the first, twenty rounds, the one that fails */
}

TEST_F (CycleTest, StopsAtItsLimitThoughTheErrorComesRound)
{
  KernelDriver &d = run (R"(
name: endless
settings: { on-error: finish }
nodes:
  guard:
    action: flow.try
    body:
      nodes:
        a: { action: flow.no-op }
        b: { action: flow.no-op, after: [a.error] }
      connections:
        - { from: a, to: a, loop: true, max: 5 }
        - { from: b, to: a, loop: true, max: 5 }
    catch: { nodes: { c: { action: data.set, with: { code: "{{ $error.code }}" } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"code":"loop-limit"})");
}

TEST_F (CycleTest, GivesEachRoundAKeyOfItsOwn)
{
  KernelDriver &d = begin (R"(
name: keys
nodes:
  a: { action: test.effect, with: { n: "{{ ($json?.n ?? 0) + 1 }}" } }
connections:
  - { from: a, to: a, when: $json.n < 3, loop: true }
)");
  std::vector<std::string> keys;

  for (int i = 0; i < 3; i++) {
    while (nebula_kernel_turn (d.kernel, 64, d.now))
      ;
    for (const NebulaCommand &command : d.commit ()) {
      char *key = nebula_kernel_dup_identity (
          d.kernel, nebula_kernel_prepare (d.kernel, &command, nullptr));
      keys.push_back (key);
      g_free (key);
      d.answer_command (command);
    }
  }
  d.run ();
  EXPECT_EQ (d.output (), R"({"n":3})");
  ASSERT_EQ (keys.size (), 3u);
  EXPECT_NE (keys[0], keys[1]);
  EXPECT_NE (keys[1], keys[2]);
}

TEST_F (CycleTest, RecoversAtEveryCommit)
{
  for (guint cut = 1; cut < 40; cut++) {
    KernelDriver &d = begin (R"(
name: cut
nodes:
  a: { action: test.idempotent, with: { n: "{{ ($json?.n ?? 0) + 1 }}" } }
  w: { action: flow.wait, with: { duration: 1s }, after: [a] }
  b: { action: test.idempotent, with: { n: "{{ $nodes.a.result.n }}" }, after: [w, a] }
  end: { action: flow.no-op }
connections:
  - { from: b, to: a, when: $json.n < 3, loop: true }
  - { from: b, to: end, when: $json.n >= 3 }
)");

    d.crash_after (cut);
    EXPECT_EQ (d.status (), "completed") << cut;
    EXPECT_EQ (d.output (), R"({"n":3})") << cut;
  }
}
