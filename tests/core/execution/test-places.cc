/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Places in `concurrency`: when they are given back, and that nothing goes on without one. Late beginnings, batches. */
#include "kernel-test.h"

using namespace nebula;
using testing::HasSubstr;

class PlacesTest : public KernelFixture
{
protected:
  const char *key = "default/p";

  guint8 gate ()
  {
    return driver->state ()->gate;
  }
  /* Somebody else takes the place that is free. */
  void crowd ()
  {
    driver->gates.take_place (key, "other");
  }
  void make_room ()
  {
    driver->gates.take_place (key, "other", true);
    driver->settle ();
  }
};

static const char *const waiting = R"(
name: p
settings: { concurrency: { limit: 1 } }
nodes:
  a: { action: test.effect, with: { v: 1 } }
  w: { action: flow.wait, with: { signal: go }, after: [a] }
  b: { action: test.effect, with: { v: 2 }, after: [w] }
)";

TEST_F (PlacesTest, IsGivenBackAndTakenAgain)
{
  KernelDriver &d = begin (waiting);
  Value null = json ("null");

  d.run ();
  EXPECT_EQ (d.started, std::vector<std::string> ({"a"}));
  EXPECT_EQ (gate (), NEBULA_AT_GATE_LEFT);
  EXPECT_EQ (d.status (), "suspended");
  EXPECT_TRUE (d.gates.is_empty ());
  crowd ();
  nebula_kernel_signal (d.kernel, "go", null.get (), d.now);
  EXPECT_EQ (d.status (), "running") << "it has to ask";
  d.settle ();
  EXPECT_EQ (d.node ("w"), "completed") << "what came is recorded at once";
  EXPECT_EQ (gate (), NEBULA_AT_GATE_BACK);
  EXPECT_EQ (d.status (), "suspended");
  Value reasons (nebula_kernel_explain (d.kernel));
  EXPECT_THAT (to_json (reasons), HasSubstr ("concurrency-limit"));
  EXPECT_EQ (d.started, std::vector<std::string> ({"a"}));
  d.crash ();
  nebula_kernel_recover (d.kernel, d.now);
  d.settle ();
  EXPECT_EQ (d.started, std::vector<std::string> ({"a"}));
  make_room ();
  d.run ();
  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.started, std::vector<std::string> ({"a", "b"}));
  EXPECT_TRUE (d.gates.is_empty ());
}

TEST_F (PlacesTest, IsKeptIfTheSettingsSaySo)
{
  KernelDriver &d = run ("{ name: p, settings: { concurrency: { limit: 1, while-waiting: keep } }, "
                         "nodes: { w: { action: flow.wait, with: { signal: go } } } }");

  EXPECT_EQ (gate (), NEBULA_AT_GATE_INSIDE);
  EXPECT_FALSE (d.gates.is_empty ());
}

TEST_F (PlacesTest, IsKeptWhileSomethingRunsOrTriesAgain)
{
  KernelDriver &d = begin (R"(
name: p
settings: { concurrency: { limit: 1 } }
nodes:
  w: { action: flow.wait, with: { signal: go } }
  hang: { action: test.effect, with: { hang: true } }
  again: { action: test.effect, with: { fail: x, fail-until: 2 }, retry: { attempts: 2, backoff: fixed, initial: 1h } }
)");

  d.settle ();
  EXPECT_EQ (gate (), NEBULA_AT_GATE_INSIDE) << "one runs, one tries again";
  Value done = json ("{}");
  NebulaResult *result = nebula_result_new (NEBULA_RESULT_KIND_SUCCESS, "out", done.get (), 0);
  EXPECT_TRUE (nebula_kernel_result (d.kernel, &d.hanging[0], result, d.now));
  nebula_result_unref (result);
  d.settle ();
  EXPECT_EQ (gate (), NEBULA_AT_GATE_INSIDE) << "one tries again";
  d.run ();
  EXPECT_EQ (d.node ("again"), "completed");
  EXPECT_EQ (gate (), NEBULA_AT_GATE_LEFT);
}

/* A call fails while the place is given back: what comes next is another try, which needs the place. */
TEST_F (PlacesTest, WhatTriesAgainWaitsForThePlace)
{
  KernelDriver &d = begin (R"(
name: p
settings: { concurrency: { limit: 1 } }
nodes:
  c: { action: flow.call, with: { workflow: p }, retry: { attempts: 2, backoff: fixed, initial: 1s } }
)");

  d.settle ();
  ASSERT_EQ (gate (), NEBULA_AT_GATE_LEFT);
  crowd ();
  std::string child = ((NebulaWork *) d.state ()->works.head->data)->other;
  Value end = json (("{\"execution\":\"" + child + "\",\"status\":\"failed\",\"error\":{\"code\":\"failed\","
                     "\"message\":\"m\",\"retry\":\"retry\"}}").c_str ());
  EXPECT_TRUE (nebula_kernel_tell_end (d.kernel, end.get (), d.now));
  d.settle ();
  EXPECT_EQ (gate (), NEBULA_AT_GATE_BACK);
  EXPECT_EQ (nebula_kernel_get_next_due (d.kernel), 0) << "nothing to wake for";
  size_t n_sent = d.sent.size ();
  d.now += 5 * G_USEC_PER_SEC;
  d.tick ();
  d.settle ();
  EXPECT_EQ (d.sent.size (), n_sent);
  make_room ();
  EXPECT_EQ (gate (), NEBULA_AT_GATE_INSIDE);
  EXPECT_LE (nebula_kernel_get_next_due (d.kernel), d.now);
  d.tick ();
  d.settle ();
  EXPECT_EQ (d.sent.size (), n_sent + 1) << "it is called again";
  EXPECT_EQ (gate (), NEBULA_AT_GATE_LEFT);
}

TEST_F (PlacesTest, ACancelDoesNotWaitForAPlace)
{
  KernelDriver &d = begin (R"(
name: p
settings: { concurrency: { limit: 1 } }
nodes:
  t:
    action: flow.try
    body: { nodes: { w: { action: flow.wait, with: { signal: go } } } }
    finally: { nodes: { f: { action: test.effect, with: { v: 1 } } } }
)");

  d.settle ();
  ASSERT_EQ (gate (), NEBULA_AT_GATE_LEFT);
  crowd ();
  EXPECT_TRUE (nebula_kernel_cancel (d.kernel, NEBULA_EXECUTION_STATUS_CANCELLED, nullptr, d.now));
  d.run ();
  EXPECT_EQ (d.status (), "cancelled");
  EXPECT_EQ (d.started, std::vector<std::string> ({"f"}));
  make_room ();
  EXPECT_TRUE (d.gates.is_empty ());
}

TEST_F (PlacesTest, WhatNobodyWantsIsGivenBack)
{
  KernelDriver &d = begin (waiting);

  d.run ();
  /* An ask of a stay that is over comes again, and is granted. */
  d.gates.take_place (key, "exe_test");
  EXPECT_FALSE (nebula_kernel_grant (d.kernel, key, 0, d.now));
  d.take_posts ();
  EXPECT_TRUE (d.gates.is_empty ());
  d.gates.take_place (key, "exe_test#@9");
  EXPECT_FALSE (nebula_kernel_grant (d.kernel, key, 9, d.now));
  EXPECT_FALSE (nebula_kernel_grant_lock (d.kernel, "lock:default/l", "0:1:a", d.now));
  d.take_posts ();
  EXPECT_TRUE (d.gates.is_empty ());
  EXPECT_EQ (gate (), NEBULA_AT_GATE_LEFT);
}

TEST_F (PlacesTest, SurvivesACrashAfterAnyCommit)
{
  const char *text = R"(
name: p
settings: { concurrency: { limit: 1 } }
nodes:
  each:
    action: flow.for-each
    with: { items: [1, 2, 3], concurrency: 2 }
    body:
      nodes:
        w: { action: flow.wait, with: { duration: "{{ $item }}s" } }
        e: { action: test.idempotent, with: { v: "{{ $item }}" }, after: [w], retry: { attempts: 3, initial: 500ms } }
)";

  for (guint n = 1; n < 40; n++) {
    KernelDriver &d = begin (text);

    d.crash_after (n);
    EXPECT_EQ (d.status (), "completed") << n;
    EXPECT_EQ (d.output (), R"([{"v":1},{"v":2},{"v":3}])") << n;
    EXPECT_TRUE (d.gates.is_empty ()) << n;
  }
}

TEST_F (PlacesTest, APausedOneKeepsItsTimersForLater)
{
  KernelDriver &d = begin ("{ name: p, nodes: { w: { action: flow.wait, with: { duration: 5s } } } }");

  d.settle ();
  EXPECT_GT (nebula_kernel_get_next_due (d.kernel), 0);
  nebula_kernel_pause (d.kernel, nullptr, d.now);
  d.settle ();
  EXPECT_EQ (nebula_kernel_get_next_due (d.kernel), 0);
  d.now += 60 * G_USEC_PER_SEC;
  EXPECT_TRUE (nebula_kernel_resume (d.kernel, d.now));
  EXPECT_LT (nebula_kernel_get_next_due (d.kernel), d.now);
  d.run ();
  EXPECT_EQ (d.status (), "completed");
}

TEST_F (PlacesTest, WhoIsCollectedEndsAsTheWholeDoes)
{
  const char *text = "{ name: p, settings: { batch: { size: 2, timeout: 1h } }, "
                     "nodes: { a: { action: flow.no-op } } }";
  Value completed = json (R"({"execution":"exe_whole","status":"completed","output":[1,2]})");
  Value failed = json (R"({"execution":"exe_whole","status":"timed-out","error":{"code":"timed-out","message":"m"}})");
  Value other = json (R"({"execution":"exe_other","status":"completed","output":3})");

  for (NebulaValue *end : {completed.get (), failed.get ()}) {
    KernelDriver &d = begin (text);

    d.settle ();
    EXPECT_EQ (gate (), NEBULA_AT_GATE_ASKED);
    EXPECT_TRUE (nebula_kernel_tell_batch (d.kernel, "exe_whole", d.now));
    EXPECT_FALSE (nebula_kernel_tell_batch (d.kernel, "exe_whole", d.now));
    d.settle ();
    d.crash ();
    EXPECT_FALSE (nebula_kernel_tell_end (d.kernel, other.get (), d.now));
    EXPECT_TRUE (nebula_kernel_tell_end (d.kernel, end, d.now));
    d.run ();
    EXPECT_TRUE (d.started.empty ());
    EXPECT_EQ (d.status (), nebula_value_get_member_string (end, "status", ""));
    EXPECT_FALSE (nebula_kernel_tell_end (d.kernel, end, d.now));
  }
  EXPECT_EQ (driver->error_code (), "timed-out");
}
