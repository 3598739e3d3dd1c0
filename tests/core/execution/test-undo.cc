/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sagas: what completed is undone in reverse order. */
#include "kernel-test.h"

using namespace nebula;

class UndoTest : public KernelFixture
{
protected:
  /* {node, status} of what was undone, in the order of the report. */
  std::string undone ()
  {
    Value report (nebula_kernel_report (driver->kernel));
    NebulaValue *list = nebula_value_get_member (report.get (), "undone");
    std::string text;

    for (gsize i = 0; list && i < nebula_value_get_length (list); i++) {
      NebulaValue *entry = nebula_value_get_item (list, i);

      text += std::string (i ? " " : "") +
              nebula_value_get_member_string (entry, "node", "") + ":" +
              nebula_value_get_member_string (entry, "status", "");
    }
    return text;
  }
};

static const char *const saga = R"(
name: saga
nodes:
  a: { action: test.effect, with: { id: 1 }, undo: { action: test.effect, with: { gone: "{{ $json.id }}" } } }
  b: { action: data.set, with: { id: 2 }, after: [a], undo: { action: test.idempotent, with: { gone: "{{ $nodes.b.result.id }}", was: "{{ $nodes.a.result.id }}" } } }
  c: { action: test.effect, with: { id: 3 }, after: [b] }
  d: { action: test.effect, with: { fail: "{{ $input.fail }}" }, after: [c], undo: { action: test.effect, with: { never: true } } }
)";

TEST_F (UndoTest, UndoesInReverseOrderWhenItFails)
{
  KernelDriver &d = run (saga, R"({"fail":"broken"})");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "failed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"a", "c", "d", "undo", "undo"}));
  EXPECT_EQ (undone (), "b:completed a:completed");
  EXPECT_EQ (d.answers.back (), R"({"gone":1})");
  EXPECT_EQ (d.answers[3], R"({"gone":2,"was":1})");
}

TEST_F (UndoTest, UndoesNothingWhenItCompletes)
{
  KernelDriver &d = run (saga, R"({"fail":null})");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (undone (), "");
}

TEST_F (UndoTest, UndoesRoundsOfLoopsThatAreGone)
{
  KernelDriver &d = run (R"(
name: loop
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3] }
    body:
      nodes:
        a: { action: test.effect, with: { v: "{{ $item * 10 }}" }, undo: { action: test.effect, with: { back: "{{ $item }}", of: "{{ $json.v }}" } } }
        b: { action: data.set, with: { v: 1 }, after: [a], undo: { action: data.set, with: { at: "{{ $index }}" } } }
  bad: { action: flow.fail, with: { message: broken, code: bad }, after: [each] }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (undone (), "each[2].b:completed each[2].a:completed each[1].b:completed "
                        "each[1].a:completed each[0].b:completed each[0].a:completed");
  EXPECT_EQ (d.answers.back (), R"({"back":1,"of":10})");
}

TEST_F (UndoTest, GoesOnWhenOneCannotBeUndone)
{
  KernelDriver &d = run (R"(
name: saga
nodes:
  a: { action: test.effect, with: { id: 1 }, undo: { action: test.effect, with: { gone: 1 } } }
  b: { action: data.set, with: { id: 2 }, after: [a], undo: { action: test.effect, with: { fail: never }, retry: { attempts: 3, initial: 1s } } }
  c: { action: data.set, with: { id: 3 }, after: [b], undo: { action: test.effect, with: { bad: "{{ $json.nothing }}" } } }
  d: { action: flow.fail, with: { message: broken, code: my-code }, after: [c] }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (d.error_code (), "my-code");
  EXPECT_EQ (d.started, std::vector<std::string> ({"a", "undo", "undo", "undo", "undo"}));
  EXPECT_EQ (undone (), "c:failed b:failed a:completed");
}

TEST_F (UndoTest, UndoesWhenItIsCancelledAndThenCannotBe)
{
  KernelDriver &d = begin (R"(
name: saga
settings: { timeout: 1h }
nodes:
  a: { action: test.effect, with: { id: 1 }, undo: { action: test.effect, with: { fail: later, fail-until: 2 }, retry: { attempts: 2, initial: 2h } } }
  w: { action: flow.wait, with: { signal: never }, after: [a] }
)");

  d.settle ();
  nebula_kernel_cancel (d.kernel, NEBULA_EXECUTION_STATUS_CANCELLED, "enough", d.now);
  d.settle ();
  EXPECT_EQ (d.status (), "cancelling");
  EXPECT_TRUE (
      nebula_kernel_cancel (d.kernel, NEBULA_EXECUTION_STATUS_CANCELLED, "more", d.now));
  d.run ();
  EXPECT_EQ (d.status (), "cancelled");
  EXPECT_EQ (undone (), "a:completed");
}

TEST_F (UndoTest, UndoesABodyBeforeItsErrorIsHandled)
{
  KernelDriver &d = run (R"(
name: try
nodes:
  before: { action: test.effect, with: { v: 0 }, undo: { action: test.effect, with: { undo: before } } }
  guard:
    action: flow.try
    after: [before]
    body:
      nodes:
        a: { action: test.effect, with: { v: 1 }, undo: { action: test.effect, with: { undo: a } } }
        b: { action: flow.fail, with: { message: broken }, after: [a] }
    catch: { nodes: { c: { action: test.effect, with: { caught: true } } } }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"before", "a", "undo", "c"}));
  EXPECT_EQ (undone (), "guard.body.a:completed");
}

TEST_F (UndoTest, HandsOverWhatABodyDidWhenItCompletes)
{
  KernelDriver &d = run (R"(
name: try
nodes:
  guard:
    action: flow.try
    body: { nodes: { a: { action: test.effect, with: { v: 1 }, undo: { action: test.effect, with: { undo: a } } } } }
    finally: { nodes: { f: { action: flow.no-op } } }
  bad: { action: flow.fail, with: { message: broken }, after: [guard] }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (undone (), "guard.body.a:completed");
}

TEST_F (UndoTest, UndoesTheBodyOfALoser)
{
  KernelDriver &d = run (R"(
name: race
nodes:
  race:
    action: flow.race
    bodies:
      fast: { nodes: { w: { action: flow.wait, with: { duration: 5s } } } }
      slow:
        nodes:
          guard:
            action: flow.try
            body:
              nodes:
                a: { action: test.effect, with: { v: 1 }, undo: { action: test.effect, with: { undo: a } } }
                w: { action: flow.wait, with: { duration: 1h }, after: [a] }
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (undone (), "race.slow.guard.body.a:completed");
}

TEST_F (UndoTest, RecoversAtEveryCommit)
{
  for (guint cut = 1; cut < 50; cut++) {
    KernelDriver &d = begin (R"(
name: cut
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2] }
    body: { nodes: { a: { action: test.idempotent, with: { v: "{{ $item }}" }, undo: { action: test.idempotent, with: { v: "{{ -$item }}" }, on-unknown: retry } } } }
  bad: { action: flow.fail, with: { message: broken, code: bad }, after: [each] }
)");

    d.crash_after (cut);
    EXPECT_EQ (d.status (), "failed") << cut;
    EXPECT_EQ (d.error_code (), "bad") << cut;
    EXPECT_EQ (undone (), "each[1].a:completed each[0].a:completed") << cut;
  }
}
