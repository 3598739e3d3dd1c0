/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What acts on other nodes: regions, locks, items added while running, loops that are done early. */
#include "kernel-test.h"

using namespace nebula;

class OthersTest : public KernelFixture
{
};

TEST_F (OthersTest, CancelsARegionAndNothingElse)
{
  KernelDriver &d = run (R"(
name: region
nodes:
  a: { action: flow.wait, with: { duration: 1h }, region: offers }
  b: { action: test.effect, with: { hang: true }, region: offers }
  c: { action: flow.wait, with: { duration: 2s } }
  w: { action: flow.wait, with: { duration: 1s } }
  end: { action: flow.cancel, with: { region: offers }, after: [w] }
  after-a: { action: test.effect, with: { v: 1 }, after: [a] }
  after-c: { action: test.effect, with: { v: 2 }, after: [c] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("a"), "cancelled");
  EXPECT_EQ (d.node ("b"), "cancelled");
  EXPECT_EQ (d.node ("after-a"), "skipped");
  EXPECT_EQ (d.started, std::vector<std::string> ({"b", "after-c"}));
}

TEST_F (OthersTest, CancelsALoopFromWithin)
{
  KernelDriver &d = run (R"(
name: instances
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3, 4, 5] }
    body:
      nodes:
        a: { action: test.effect, with: { v: "{{ $item }}" } }
        last: { action: flow.if, with: { condition: "{{ $item == 3 }}" }, after: [a] }
        cancel: { action: flow.cancel, with: { node: each } }
      connections: [last.true -> cancel]
  next: { action: test.effect, with: { v: never }, after: [each] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("each"), "cancelled");
  EXPECT_EQ (d.node ("next"), "skipped");
  EXPECT_EQ (d.started.size (), 3u);
}

TEST_F (OthersTest, CompletesALoopWithWhatIsDone)
{
  KernelDriver &d = run (R"(
name: instances
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3, 60], concurrency: 4 }
    body: { nodes: { a: { action: flow.wait, with: { duration: "{{ $item }}s" } }, b: { action: data.set, with: { v: "{{ $item }}" }, after: [a] } } }
  w: { action: flow.wait, with: { duration: 10s } }
  enough: { action: flow.cancel, with: { node: each, keep: true }, after: [w] }
  next: { action: flow.no-op, after: [each] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.result ("next"), R"([{"v":1},{"v":2},{"v":3}])");
}

TEST_F (OthersTest, IsDoneWhenItsConditionHolds)
{
  KernelDriver &d = run (R"(
name: partial
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3, 4, 60], concurrency: 5, done-when: "($items | sum (x => x.v)) >= 6" }
    body: { nodes: { a: { action: flow.wait, with: { duration: "{{ $item }}s" } }, b: { action: data.set, with: { v: "{{ $item }}" }, after: [a] } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"([{"v":1},{"v":2},{"v":3}])");
}

TEST_F (OthersTest, LetsTheRestRunOn)
{
  KernelDriver &d = begin (R"(
name: partial
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 30], concurrency: 3, done-when: "$index >= 2", rest: ignore }
    body: { nodes: { a: { action: flow.wait, with: { duration: "{{ $item }}s" } }, b: { action: test.effect, with: { v: "{{ $item }}" }, after: [a] } } }
  next: { action: test.effect, with: { of: "{{ length($json) }}" }, after: [each] }
)");
  gint64 start = d.now;

  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"b", "b", "next", "b"}));
  EXPECT_EQ (d.output (), R"({"of":2})");
  EXPECT_EQ (d.now - start, 30 * G_USEC_PER_SEC) << "the execution ends with the last round";
}

TEST_F (OthersTest, AddsItemsWhileItRuns)
{
  KernelDriver &d = run (R"(
name: add
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3] }
    body:
      nodes:
        small: { action: flow.if, with: { condition: "{{ $item < 10 }}" } }
        add: { action: flow.add, with: { items: "{{ [$item * 10] }}" } }
        v: { action: data.set, with: { v: "{{ $item }}" }, after: [small] }
      connections: [small.true -> add]
      result: "{{ $nodes.v.result.v }}"
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), "[1,2,3,10,20,30]");
}

TEST_F (OthersTest, RefusesToAddToBatches)
{
  KernelDriver &d = run (R"(
name: add
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3], batch: 2 }
    body: { nodes: { add: { action: flow.add, with: { items: [4] } } } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "unsupported");
}

/* Five tasks under one lock, in any order, never two at once. */
TEST_F (OthersTest, HoldsALockFromBeginToEnd)
{
  KernelDriver &d = begin (R"(
name: lock
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3, 4, 5], concurrency: 5 }
    body:
      nodes:
        guarded:
          action: flow.try
          lock: "room-{{ 1 + 1 }}"
          body: { nodes: { a: { action: flow.wait, with: { duration: 1s } }, b: { action: test.effect, with: { v: 1 }, after: [a] } } }
)");
  gint64 start = d.now;

  d.settle ();
  Value reasons (nebula_kernel_explain (d.kernel));
  EXPECT_THAT (to_json (reasons), testing::HasSubstr (R"("lock":"room-2")"));
  d.crash ();
  nebula_kernel_recover (d.kernel, d.now);
  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started.size (), 5u);
  EXPECT_EQ (d.now - start, 5 * G_USEC_PER_SEC);
}

TEST_F (OthersTest, LetsGoOfALockHoweverItEnds)
{
  KernelDriver &d = run (R"(
name: lock
settings: { on-error: finish }
nodes:
  a: { action: flow.wait, with: { duration: 1s }, lock: l }
  bad: { action: flow.fail, with: { message: broken }, lock: l, on-error: continue }
  waits: { action: test.effect, with: { v: 1 }, lock: l, region: r }
  c: { action: flow.wait, with: { duration: 1s }, lock: l }
  gone: { action: test.effect, with: { v: 2 }, lock: l, region: r }
  last: { action: test.effect, with: { v: 3 }, lock: l }
  cancel: { action: flow.cancel, with: { region: r } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("waits"), "cancelled");
  EXPECT_EQ (d.node ("gone"), "cancelled");
  EXPECT_EQ (d.started, std::vector<std::string> ({"last"}));
}

TEST_F (OthersTest, MayAskForALockThatIsHeldAroundIt)
{
  KernelDriver &d = run (R"(
name: lock
nodes:
  guard:
    action: flow.try
    lock: l
    body: { nodes: { a: { action: test.effect, with: { v: 1 }, lock: l } } }
)");

  EXPECT_EQ (d.status (), "completed");
}

TEST_F (OthersTest, LosesASignalThatNobodyWaitsFor)
{
  KernelDriver &d = begin (R"(
name: transient
nodes:
  first: { action: flow.wait, with: { duration: 1s } }
  w: { action: flow.wait, with: { signal: go, transient: true }, after: [first] }
)");
  Value payload = json ("1");

  d.settle ();
  nebula_kernel_signal (d.kernel, "go", payload.get (), d.now);
  d.run ();
  EXPECT_EQ (d.status (), "suspended");
  Value again = json ("2");
  nebula_kernel_signal (d.kernel, "go", again.get (), d.now);
  d.run ();
  EXPECT_EQ (d.output (), R"({"reason":"signal","value":2})");
}

TEST_F (OthersTest, RecoversAtEveryCommit)
{
  for (guint cut = 1; cut < 60; cut++) {
    KernelDriver &d = begin (R"(
name: cut
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 30], concurrency: 3, done-when: "$index >= 3", rest: ignore }
    body:
      nodes:
        a: { action: flow.wait, with: { duration: "{{ $item }}s" }, lock: l }
        b: { action: test.idempotent, with: { v: "{{ $item }}" }, after: [a] }
        small: { action: flow.if, with: { condition: "{{ $item == 2 }}" }, after: [b] }
        add: { action: flow.add, with: { items: [5] } }
      connections: [small.true -> add]
      result: "{{ $nodes.b.result.v }}"
  w: { action: flow.wait, with: { duration: 100s }, region: r }
  next: { action: flow.cancel, with: { region: r }, after: [each] }
)");

    d.crash_after (cut);
    EXPECT_EQ (d.status (), "completed") << cut;
    EXPECT_EQ (d.result ("each"), "[1,2,30]") << cut;
    EXPECT_EQ (d.node ("w"), "cancelled") << cut;
  }
}
