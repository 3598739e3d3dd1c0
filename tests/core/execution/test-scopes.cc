/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies that are no rounds: try, catch, finally, race. */
#include "kernel-test.h"

using namespace nebula;

class ScopeTest : public KernelFixture
{
};

TEST_F (ScopeTest, GivesTheResultOfTheBody)
{
  KernelDriver &d = run (R"(
name: try
nodes:
  a: { action: data.set, with: { v: 1 } }
  guard:
    action: flow.try
    after: [a]
    body: { nodes: { b: { action: flow.no-op } } }
    catch: { nodes: { c: { action: test.effect, with: { v: never } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"v":1})");
  EXPECT_TRUE (d.started.empty ());
}

TEST_F (ScopeTest, HandsTheErrorToCatch)
{
  KernelDriver &d = run (R"(
name: try
nodes:
  guard:
    action: flow.try
    body:
      nodes:
        slow: { action: test.effect, with: { hang: true } }
        bad: { action: flow.fail, with: { message: broken, code: my-code } }
    catch:
      nodes:
        handle: { action: data.set, with: { code: "{{ $error.code }}", same: "{{ $json.message }}", at: "{{ $error.node }}" } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"code":"my-code","same":"broken","at":"guard.body.bad"})");
}

TEST_F (ScopeTest, FailsWithTheErrorOfCatch)
{
  KernelDriver &d = run (R"(
name: try
nodes:
  guard:
    action: flow.try
    body: { nodes: { bad: { action: flow.fail, with: { message: one, code: one } } } }
    catch: { nodes: { worse: { action: flow.fail, with: { message: two, code: two } } } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "two");
}

TEST_F (ScopeTest, RunsFinallyWhateverHappened)
{
  const char *text = R"(
name: finally
nodes:
  guard:
    action: flow.try
    body: { nodes: { b: { action: test.effect, with: { fail: "{{ $input.fail }}" } } } }
    finally: { nodes: { f: { action: test.effect, with: { code: "{{ $error?.code }}" } } } }
)";

  KernelDriver &good = run (text, R"({"fail":null})");
  EXPECT_EQ (good.status (), "completed");
  EXPECT_EQ (good.started, std::vector<std::string> ({"b", "f"}));
  EXPECT_EQ (good.output (), R"({"fail":null})");
  KernelDriver &bad = run (text, R"({"fail":"no"})");
  EXPECT_EQ (bad.status (), "failed");
  EXPECT_EQ (bad.started, std::vector<std::string> ({"b", "f"}));
}

TEST_F (ScopeTest, LetsAnErrorInFinallyWin)
{
  KernelDriver &d = run (R"(
name: finally
nodes:
  guard:
    action: flow.try
    body: { nodes: { b: { action: data.set, with: { v: 1 } } } }
    finally: { nodes: { f: { action: flow.fail, with: { message: late, code: late } } } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "late");
}

static const char *const cancelled = R"(
name: finally
nodes:
  guard:
    action: flow.try
    body:
      nodes:
        inner:
          action: flow.try
          body: { nodes: { b: { action: test.effect, with: { hang: true } } } }
          finally: { nodes: { inner-end: { action: test.effect, with: { v: 1 } } } }
        never: { action: test.effect, with: { v: 0 }, after: [inner] }
    finally:
      nodes:
        w: { action: flow.wait, with: { duration: 5s } }
        outer-end: { action: test.effect, with: { v: 2 }, after: [w] }
  after: { action: test.effect, with: { v: 3 }, after: [guard] }
)";

TEST_F (ScopeTest, RunsFinallyWhenItIsCancelled)
{
  KernelDriver &d = begin (cancelled);

  d.settle ();
  ASSERT_EQ (d.started.size (), 1u);
  nebula_kernel_cancel (d.kernel, NEBULA_EXECUTION_STATUS_CANCELLED, "enough", d.now);
  d.settle ();
  EXPECT_EQ (d.status (), "cancelling");
  d.run ();
  EXPECT_EQ (d.status (), "cancelled");
  EXPECT_EQ (d.node ("guard"), "cancelled");
  EXPECT_EQ (d.started, std::vector<std::string> ({"b", "inner-end", "outer-end"}));
}

TEST_F (ScopeTest, RunsFinallyWhenASiblingFails)
{
  KernelDriver &d = run (R"(
name: finally
nodes:
  guard:
    action: flow.try
    body: { nodes: { b: { action: flow.wait, with: { duration: 1h } } } }
    finally: { nodes: { f: { action: test.effect, with: { v: 1 } } } }
  w: { action: flow.wait, with: { duration: 1s } }
  bad: { action: flow.fail, with: { message: broken, code: bad }, after: [w] }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "bad");
  EXPECT_EQ (d.started, std::vector<std::string> ({"f"}));
}

TEST_F (ScopeTest, RunsFinallyWhenItStops)
{
  KernelDriver &d = run (R"(
name: finally
nodes:
  guard:
    action: flow.try
    body: { nodes: { s: { action: flow.stop, with: { output: done } } } }
    finally: { nodes: { f: { action: test.effect, with: { v: 1 } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"("done")");
  EXPECT_EQ (d.started, std::vector<std::string> ({"f"}));
}

TEST_F (ScopeTest, BreaksOutOfATry)
{
  KernelDriver &d = run (R"(
name: loop
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3] }
    body:
      nodes:
        guard:
          action: flow.try
          body:
            nodes:
              big: { action: flow.if, with: { condition: "{{ $item > 1 }}" } }
              stop: { action: flow.break }
              small: { action: test.effect, with: { v: "{{ $item }}", i: "{{ $index }}" } }
            connections: [big.true -> stop, big.false -> small]
          finally: { nodes: { f: { action: test.effect, with: { item: "{{ $item }}" } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"([{"v":1,"i":0}])");
  EXPECT_EQ (d.started, std::vector<std::string> ({"small", "f", "f"}));
}

TEST_F (ScopeTest, TriesAgainAsAWhole)
{
  KernelDriver &d = run (R"(
name: retry
nodes:
  guard:
    action: flow.try
    retry: { attempts: 2, initial: 1s }
    body: { nodes: { b: { action: test.effect, with: { fail: no } } } }
    finally: { nodes: { f: { action: test.effect, with: { v: 1 } } } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"b", "f", "b", "f"}));
}

TEST_F (ScopeTest, EndsOtherRoundsWithTheirFinally)
{
  KernelDriver &d = run (R"(
name: loop
nodes:
  each:
    action: flow.for-each
    with: { items: [0, 10], concurrency: 2 }
    body:
      nodes:
        guard:
          action: flow.try
          body:
            nodes:
              w: { action: flow.wait, with: { duration: "{{ 1 + $item }}s" } }
              bad: { action: flow.fail, with: { message: broken, code: "round-{{ $index }}" }, after: [w] }
          finally: { nodes: { f: { action: test.effect, with: { i: "{{ $index }}" } } } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "round-0");
  EXPECT_EQ (d.started, std::vector<std::string> ({"f", "f"}));
}

TEST_F (ScopeTest, FailsALoopAtOnceAndCancelsItsOtherRounds)
{
  KernelDriver &d = run (R"(
name: loop
nodes:
  each:
    action: flow.for-each
    with: { items: [bad, good], concurrency: 2 }
    body:
      nodes:
        a: { action: flow.if, with: { condition: "{{ $item == \"bad\" }}" } }
        bad: { action: flow.fail, with: { message: broken } }
        slow: { action: test.effect, with: { hang: true } }
      connections: [a.true -> bad, a.false -> slow]
)");

  EXPECT_EQ (d.status (), "failed");
}

TEST_F (ScopeTest, LetsTheFirstBodyWin)
{
  KernelDriver &d = run (R"(
name: race
nodes:
  race:
    action: flow.race
    bodies:
      slow: { nodes: { w: { action: flow.wait, with: { duration: 5s } }, e: { action: test.effect, with: { v: 1 }, after: [w] } } }
      fast: { nodes: { w: { action: flow.wait, with: { duration: 1s } }, r: { action: data.set, with: { who: fast }, after: [w] } } }
      hung: { nodes: { h: { action: test.effect, with: { hang: true } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), R"({"who":"fast"})");
  EXPECT_EQ (d.started, std::vector<std::string> ({"h"}));
}

TEST_F (ScopeTest, LetsAFailureWinUnlessOnlySuccessCounts)
{
  std::string text = R"(
name: race
nodes:
  race:
    action: flow.race
    with: { success: "{{ $input.success }}" }
    bodies:
      bad: { nodes: { w: { action: flow.wait, with: { duration: 1s } }, f: { action: flow.fail, with: { message: no, code: lost }, after: [w] } } }
      good: { nodes: { w: { action: flow.wait, with: { duration: 2s } } } }
)";

  EXPECT_EQ (run (text.c_str (), R"({"success":false})").error_code (), "lost");
  EXPECT_EQ (run (text.c_str (), R"({"success":true})").output (),
             R"({"reason":"duration","value":null})");
}

TEST_F (ScopeTest, FailsWhenAllBodiesOfARaceHave)
{
  KernelDriver &d = run (R"(
name: race
nodes:
  race:
    action: flow.race
    with: { success: true }
    bodies:
      a: { nodes: { w: { action: flow.wait, with: { duration: 1s } }, f: { action: flow.fail, with: { message: no, code: first }, after: [w] } } }
      b: { nodes: { w: { action: flow.wait, with: { duration: 2s } }, f: { action: flow.fail, with: { message: no, code: second }, after: [w] } } }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "first");
}

TEST_F (ScopeTest, WaitsForTheFinallyOfALoser)
{
  KernelDriver &d = run (R"(
name: race
nodes:
  race:
    action: flow.race
    bodies:
      fast: { nodes: { w: { action: flow.wait, with: { duration: 1s } } } }
      slow:
        nodes:
          guard:
            action: flow.try
            body: { nodes: { w: { action: flow.wait, with: { duration: 1h } } } }
            finally: { nodes: { f: { action: test.effect, with: { v: 1 } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"f"}));
}

TEST_F (ScopeTest, CancelsOneNodeWithItsFinally)
{
  KernelDriver &d = begin (R"(
name: one
nodes:
  guard:
    action: flow.try
    body: { nodes: { w: { action: flow.wait, with: { duration: 1h } } } }
    finally: { nodes: { f: { action: test.effect, with: { v: 1 } } } }
  next: { action: test.effect, with: { v: 2 }, after: [guard] }
)");

  d.settle ();
  EXPECT_TRUE (nebula_kernel_cancel_node (d.kernel, 0, 0, d.now));
  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.node ("guard"), "cancelled");
  EXPECT_EQ (d.node ("next"), "skipped");
  EXPECT_EQ (d.started, std::vector<std::string> ({"f"}));
}

/* Whatever was committed when the engine went away, the end is the same. */
TEST_F (ScopeTest, RecoversAtEveryCommit)
{
  for (guint cut = 1; cut < 40; cut++) {
    KernelDriver &d = begin (R"(
name: cut
nodes:
  guard:
    action: flow.try
    body:
      nodes:
        a: { action: test.idempotent, with: { v: 1 } }
        race:
          action: flow.race
          after: [a]
          bodies:
            x: { nodes: { w: { action: flow.wait, with: { duration: 1s } }, f: { action: flow.fail, with: { message: m, code: c }, after: [w] } } }
            y: { nodes: { w: { action: flow.wait, with: { duration: 2s } } } }
    catch: { nodes: { c: { action: test.idempotent, with: { code: "{{ $error.code }}" } } } }
    finally: { nodes: { f: { action: test.idempotent, with: { v: 2 } } } }
)");

    d.crash_after (cut);
    EXPECT_EQ (d.status (), "completed") << cut;
    EXPECT_EQ (d.output (), R"({"code":"c"})") << cut;
  }
}
