/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What nodes give without running, breakpoints and steps: in the kernel, with a crash at every commit. */
#include "kernel-test.h"

#include "nebula-given-internal.h"

using namespace nebula;

namespace
{

const char *const text = R"(
nebula: 1
name: given
nodes:
  a: { action: test.idempotent, with: { v: 1 } }
  each:
    action: flow.for-each
    with: { items: [1, 2, 3], concurrency: 2 }
    after: [a]
    body:
      nodes:
        x: { action: test.idempotent, with: { v: "{{ $item }}" } }
        y: { action: data.set, with: { v: "{{ $json.v + 1 }}" }, after: [x] }
      result: "{{ $nodes.y.result.v }}"
  bad: { action: test.idempotent, with: { fail: always }, after: [each] }
  good: { action: data.set, with: { all: "{{ $nodes.each.result }}", why: "{{ $json.code ?? $json.why }}" } }
connections: [bad.error -> good]
)";

const char *const given = R"({
  "=each[0].x": {"value": {"v": 100}},
  "each.x": {"value": {"v": 7}, "as": "pin"},
  "<each[2].y": {"value": {"v": 50}},
  "=bad": {"failure": {"code": "old", "message": "it broke then", "retry": "terminal"}},
  "=nobody": {"value": 1}
})";

} // namespace

class GivenTest : public KernelFixture
{
protected:
  /* Through all pauses to the end; the places where it paused. */
  std::string run_through (KernelDriver &d, bool in_steps)
  {
    std::string places;

    for (int i = 0; i < 100 && d.state ()->is_paused; i++) {
      places += std::string (places.empty () ? "" : " ") + d.state ()->break_at;
      d.crash ();
      EXPECT_TRUE (d.state ()->is_paused);
      if (in_steps)
        EXPECT_TRUE (nebula_kernel_step (d.kernel, d.now));
      else
        EXPECT_TRUE (nebula_kernel_resume (d.kernel, d.now));
      d.run ();
    }
    return places;
  }
};

TEST_F (GivenTest, CrashesAtEveryCommitChangeNothing)
{
  for (guint cut = 0; cut < 24; cut++) {
    plan = compile (resolver.get (), text);
    KernelDriver d (plan.get ());
    Value values = json (given);

    d.start ();
    nebula_kernel_give (d.kernel, values.get (), nullptr, d.now);
    d.crash_after (cut);
    EXPECT_EQ (d.status (), "completed") << cut;
    EXPECT_EQ (d.output (), "{\"all\":[8,8,51],\"why\":\"old\"}") << cut;
    EXPECT_EQ (d.state ()->root->runs[0].attempts, 1);
    EXPECT_EQ (d.state ()->root->runs[2].attempts, 0);
  }
}

TEST_F (GivenTest, BreakpointsSurviveCrashes)
{
  plan = compile (resolver.get (), text);
  KernelDriver d (plan.get ());
  Value breaks = json (R"({"each.y": "$item > 1", "each[0].x": null, "good": null})");

  d.start ();
  nebula_kernel_give (d.kernel, nullptr, breaks.get (), d.now);
  d.run ();
  EXPECT_EQ (run_through (d, false), "each[0].x each[1].y each[2].y good");
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.output (), "{\"all\":[2,3,4],\"why\":\"failed\"}");
}

TEST_F (GivenTest, Steps)
{
  plan = compile (resolver.get (), text);
  KernelDriver d (plan.get ());

  d.start ();
  nebula_kernel_pause (d.kernel, "look", d.now);
  d.run ();
  EXPECT_EQ (d.status (), "paused");
  EXPECT_TRUE (nebula_kernel_step (d.kernel, d.now));
  d.run ();
  EXPECT_EQ (run_through (d, true), "a each each[0].x each[1].x each[0].y each[1].y each[2].x each[2].y bad good");
  EXPECT_EQ (d.output (), "{\"all\":[2,3,4],\"why\":\"failed\"}");
}

TEST_F (GivenTest, PathsAreChecked)
{
  Error error;

  plan = compile (resolver.get (), text);
  for (const char *path : {"a", "each", "each.x", "each[2].x"})
    EXPECT_TRUE (nebula_plan_check_path (plan.get (), path, FALSE, error.out ())) << path;
  for (const char *path : {"a", "each", "each[2].x"})
    EXPECT_TRUE (nebula_plan_check_path (plan.get (), path, TRUE, error.out ())) << path;
  EXPECT_FALSE (nebula_plan_check_path (plan.get (), "each.x", TRUE, error.out ()));
  for (const char *path : {"", "x", "a.b", "each[2]", "each[].x", "each[x].x", "each[1.x", "each.x.y", "a#2", "each.", ".a"})
    EXPECT_FALSE (nebula_plan_check_path (plan.get (), path, FALSE, error.out ())) << path;
}

/* What would be taken by an execution that begins at a node, as keys in the order of the alphabet. */
static std::string
recall (NebulaPlan *plan, KernelDriver &d, const char *from)
{
  Error error;
  NebulaRecall *recall = nebula_recall_new (plan, from, error.out ());
  NebulaState *state = nebula_state_new (plan);
  std::vector<std::string> keys;
  std::string all;

  EXPECT_NE (recall, nullptr) << error.message ();
  nebula_recall_watch (recall, state);
  for (GBytes *segment : d.segments)
    EXPECT_TRUE (nebula_state_fold (state, segment, error.out ())) << error.message ();
  Value found (nebula_recall_end (recall, state));
  for (gsize i = 0; i < nebula_value_get_length (found.get ()); i++)
    keys.push_back (nebula_value_get_key (found.get (), i, nullptr));
  std::sort (keys.begin (), keys.end ());
  for (const std::string &key : keys)
    all += key;
  nebula_recall_free (recall);
  nebula_state_free (state);
  return all;
}

TEST_F (GivenTest, WhatIsTaken)
{
  KernelDriver &d = run (text);

  EXPECT_EQ (recall (plan.get (), d, "a"), "");
  EXPECT_EQ (recall (plan.get (), d, "each"), "=a");
  EXPECT_EQ (recall (plan.get (), d, "each[1].x"), "=a=each[0].x=each[0].y=each[2].x=each[2].y");
  EXPECT_EQ (recall (plan.get (), d, "each[1].y"), "=a=each[0].x=each[0].y=each[1].x=each[2].x=each[2].y");
  EXPECT_EQ (recall (plan.get (), d, "good"), "=a=bad=each");
}

TEST_F (GivenTest, RoundsInOrderAndBodiesOfTry)
{
  KernelDriver &d = run (R"(
name: t
nodes:
  r:
    action: flow.repeat
    with: { times: 3 }
    body: { nodes: { n: { action: test.pure, with: { v: 1 } } } }
  g:
    action: flow.try
    after: [r]
    body: { nodes: { p: { action: test.pure, with: { v: 1 } }, q: { action: test.effect, with: { fail: no }, after: [p] } } }
    catch: { nodes: { c: { action: test.pure, with: { v: 2 } } } }
    finally: { nodes: { f: { action: test.pure, with: { v: 3 } } } }
)");

  EXPECT_EQ (recall (plan.get (), d, "r[1].n"), "=r[0].n");
  EXPECT_EQ (recall (plan.get (), d, "g.catch.c"), "=g.body.p=g.body.q=r");
  EXPECT_EQ (recall (plan.get (), d, "g.finally.f"), "=g.body.p=g.body.q=g.catch.c=r");
  EXPECT_EQ (recall (plan.get (), d, "g.body.q"), "=g.body.p=r");
}

TEST_F (GivenTest, WhatWasUndoneIsDoneAgain)
{
  KernelDriver &d = run (R"(
name: u
nodes:
  a: { action: test.effect, with: { v: 1 }, undo: { action: test.effect, with: { v: 2 } } }
  b: { action: test.effect, with: { fail: no }, after: [a] }
)");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (recall (plan.get (), d, "b"), "");
}
