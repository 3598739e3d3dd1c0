/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies of nodes, in virtual time. */
#include "engine-test.h"

#include <vector>

using namespace nebula;
using testing::HasSubstr;

namespace
{

class Guard : public EngineFixture
{
protected:
  /* Several executions at once. */
  void start_more (const char *text, int n)
  {
    for (int i = 0; i < n; i++) {
      start (text);
      all.push_back (std::move (execution));
      execution = Ref<NebulaExecution> ();
    }
  }
  int count (NebulaExecutionStatus status)
  {
    int n = 0;
    for (auto &one : all)
      n += nebula_execution_get_status (one.get ()) == status;
    return n;
  }
  /* A member of the one policy that there is. */
  std::string state (const char *key)
  {
    Value list (nebula_engine_list_policies (engine.get ()));
    EXPECT_LE (nebula_value_get_length (list.get ()), 1u);
    if (nebula_value_get_length (list.get ()) == 0)
      return "(none)";
    return to_json (nebula_value_get_member (nebula_value_get_item (list.get (), 0), key));
  }
  void advance (gint64 usec)
  {
    nebula_manual_clock_advance (clock.get (), usec);
  }
  std::string error_code ()
  {
    Error error;
    Value report (nebula_execution_get_report (execution.get (), error.out ()));
    return nebula_value_get_member_string (nebula_value_get_member (report.get (), "error"), "code", "");
  }
  int attempts_of (const char *node)
  {
    Error error;
    Value report (nebula_execution_get_node_report (execution.get (), node, error.out ()));
    return (int) nebula_value_get_member_integer (report.get (), "attempts", -1);
  }
  void TearDown () override
  {
    all.clear ();
    EngineFixture::TearDown ();
  }
  std::vector<Ref<NebulaExecution>> all;
};

INSTANTIATE_TEST_SUITE_P (Stores, Guard, testing::Values ("memory", "sqlite"),
                          [] (const auto &info) { return info.param; });

void
note_event (NebulaEventBus *, NebulaEvent *event, gpointer data)
{
  if (g_str_equal (nebula_event_get_topic (event), "resource.breaker"))
    static_cast<std::vector<std::string> *> (data)->push_back (
        nebula_value_get_member_string (nebula_event_get_data (event), "state", ""));
}

} // namespace

TEST_P (Guard, RetriesByThePresetDurably)
{
  /* file: three attempts, 100 ms between them, no jitter. */
  start ("{name: r, nodes: {a: {action: test.read, with: {fail: no, fail-until: 3}, policy: file}}}");
  for (int i = 0; i < 2; i++) {
    ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
    advance (99999);
    EXPECT_FALSE (run_until ([this] { return status () == "completed"; }, 30000));
    advance (1);
    ASSERT_TRUE (run_until ([this, i] { return attempts_of ("a") == i + 2; }));
  }
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (attempts_of ("a"), 3);
}

TEST_P (Guard, TheNodesOwnWordWins)
{
  start ("{name: r, nodes: {a: {action: test.read, with: {fail: no}, policy: critical, retry: {attempts: 1}}}}");
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "failed");
  EXPECT_EQ (attempts_of ("a"), 1);
}

TEST_P (Guard, TimesOutByThePolicy)
{
  start ("{name: t, nodes: {a: {action: test.read, with: {hang: true}, policy: {timeout: 5s}}}}");
  ASSERT_TRUE (run_until ([this] { return nebula_manual_clock_get_next_usec (clock.get ()) < G_MAXINT64; }));
  advance (5 * G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (error_code (), "timed-out");
}

TEST_P (Guard, FallsBackWhenNoAttemptIsLeft)
{
  start (R"({name: f, nodes: {a: {action: test.effect, with: {fail: no}, policy: {retry: {attempts: 2, initial: 1s}, fallback: {price: null}}},
                              b: {action: test.read, with: {got: "{{ $nodes.a.result }}", status: "{{ $nodes.a.status }}"}, after: [a]}}})");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  advance (G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (output (), R"({"got":{"price":null},"status":"completed"})");
  EXPECT_EQ (attempts_of ("a"), 2);
}

TEST_P (Guard, BreaksAndHealsAndTells)
{
  std::vector<std::string> told;
  g_signal_connect (nebula_engine_get_event_bus (engine.get ()), "event", G_CALLBACK (note_event), &told);
  const char *bad = "{name: b, nodes: {a: {action: test.read, with: {fail: no}, policy: {name: shop, breaker: {failures: 2, open: 10s}}}}}";
  const char *good = "{name: g, nodes: {a: {action: test.read, with: {x: 1}, policy: {name: shop, breaker: {failures: 2, open: 10s}}}}}";
  for (int i = 0; i < 2; i++) {
    start (bad);
    ASSERT_TRUE (wait ());
    EXPECT_EQ (error_code (), "failed");
  }
  EXPECT_EQ (state ("breaker"), "\"open\"");
  start (good);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (error_code (), "unavailable"); /* not called at all */
  EXPECT_EQ (state ("refused"), "1");
  EXPECT_EQ (state ("attempts"), "2");
  advance (10 * G_USEC_PER_SEC);
  start (good);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (state ("breaker"), "\"closed\"");
  EXPECT_EQ (state ("name"), "\"shop\"");
  EXPECT_EQ (told, (std::vector<std::string>{ "open", "half-open", "closed" }));
}

TEST_P (Guard, ARefusedAttemptComesAgainWhenTheBreakerMayHaveHealed)
{
  start ("{name: b, nodes: {a: {action: test.read, with: {fail: no}, policy: {name: s, breaker: {failures: 1, open: 10s}}}}}");
  ASSERT_TRUE (wait ());
  start ("{name: g, nodes: {a: {action: test.read, with: {x: 1}, policy: {name: s, breaker: {failures: 1, open: 10s}, retry: {attempts: 2, initial: 1s}}}}}");
  ASSERT_TRUE (wait_for (NEBULA_EXECUTION_STATUS_SUSPENDED));
  advance (9 * G_USEC_PER_SEC);
  EXPECT_FALSE (run_until ([this] { return status () == "completed"; }, 30000));
  advance (G_USEC_PER_SEC);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (attempts_of ("a"), 2);
}

TEST_P (Guard, LimitsHowManyBeginInATime)
{
  start_more ("{name: l, nodes: {a: {action: test.effect, with: {x: 1}, policy: {limit: {rate: 2, per: 1s}}}}}", 5);
  ASSERT_TRUE (run_until ([this] { return count (NEBULA_EXECUTION_STATUS_COMPLETED) == 2 && state ("waiting") == "3"; }));
  EXPECT_FALSE (run_until ([this] { return count (NEBULA_EXECUTION_STATUS_COMPLETED) > 2; }, 30000));
  for (int i = 3; i <= 5; i++) {
    advance (G_USEC_PER_SEC / 2);
    ASSERT_TRUE (run_until ([this, i] { return count (NEBULA_EXECUTION_STATUS_COMPLETED) >= i; }));
  }
  EXPECT_EQ (state ("waiting"), "0");
  EXPECT_EQ (state ("running"), "0");
  EXPECT_EQ (state ("attempts"), "5");
}

TEST_P (Guard, HoldsBackAndQueues)
{
  start_more ("{name: h, nodes: {a: {action: test.read, with: {hang: true}, timeout: 10s, policy: {name: p, bulkhead: {permits: 2, queue: 2, wait: 5s}}}}}", 5);
  ASSERT_TRUE (run_until ([this] { return count (NEBULA_EXECUTION_STATUS_FAILED) == 1; })); /* the queue is full */
  EXPECT_EQ (state ("running"), "2");
  EXPECT_EQ (state ("waiting"), "2");
  advance (5 * G_USEC_PER_SEC);
  ASSERT_TRUE (run_until ([this] { return count (NEBULA_EXECUTION_STATUS_FAILED) == 3; })); /* waited long enough */
  EXPECT_EQ (state ("waiting"), "0");
  EXPECT_EQ (state ("refused"), "3");
}

TEST_P (Guard, TurnsAwayWhatIsTooMuch)
{
  start_more ("{name: s, nodes: {a: {action: test.read, with: {hang: true}, policy: {shed: 3}}}}", 5);
  ASSERT_TRUE (run_until ([this] { return count (NEBULA_EXECUTION_STATUS_FAILED) == 2; }));
  EXPECT_EQ (state ("running"), "3");
  EXPECT_EQ (state ("refused"), "2");
}

TEST_P (Guard, WhoWaitsCanBeCancelled)
{
  const char *text = "{name: c, nodes: {a: {action: test.read, with: {hang: true}, policy: {name: p, bulkhead: {permits: 1}}}}}";
  start_more (text, 1);
  ASSERT_TRUE (run_until ([this] { return state ("running") == "1"; }));
  start (text);
  ASSERT_TRUE (run_until ([this] { return state ("waiting") == "1"; }));
  nebula_execution_cancel_async (execution.get (), nullptr, nullptr, nullptr, nullptr);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "cancelled");
  EXPECT_EQ (state ("waiting"), "0");
  EXPECT_EQ (state ("running"), "1");
}

TEST_P (Guard, AStopWhileAttemptsWaitLeavesNothing)
{
  start_more ("{name: c, nodes: {a: {action: test.read, with: {hang: true}, policy: {name: p, bulkhead: {permits: 1}}}}}", 3);
  start_more ("{name: d, nodes: {a: {action: test.read, with: {x: 1}, policy: {name: q, limit: {rate: 1, per: 1h}}}}}", 3);
  ASSERT_TRUE (run_until ([this] { return count (NEBULA_EXECUTION_STATUS_COMPLETED) == 1; }));
  all.clear ();
  close ();
  while (g_main_context_iteration (context_, FALSE))
    ;
}

TEST_P (Guard, HedgesWhatMayBeRepeated)
{
  /* The second call answers; the first hangs for ever. */
  start ("{name: h, nodes: {a: {action: test.idempotent, with: {hang-first: true}, policy: {hedge: {after: 300ms}}}}}");
  ASSERT_TRUE (run_until ([this] { return state ("running") == "1"; }));
  advance (299999);
  EXPECT_FALSE (run_until ([this] { return status () == "completed"; }, 30000));
  EXPECT_EQ (state ("hedged"), "0");
  advance (1);
  ASSERT_TRUE (wait ());
  EXPECT_EQ (status (), "completed");
  EXPECT_EQ (state ("hedged"), "1");
  EXPECT_EQ (attempts_of ("a"), 1);
}

TEST_P (Guard, NeverHedgesEffects)
{
  start ("{name: h, nodes: {a: {action: test.effect, with: {hang: true}, policy: {hedge: {after: 300ms}, timeout: 10s}}}}");
  ASSERT_TRUE (run_until ([this] { return state ("running") == "1"; }));
  advance (G_USEC_PER_SEC);
  run_until ([] { return false; }, 30000);
  EXPECT_EQ (state ("hedged"), "0");
  EXPECT_EQ (state ("attempts"), "1");
}

TEST_P (Guard, ServersHaveStatesOfTheirOwn)
{
  for (const char *url : { "https://a.example/x", "https://a.example/y?z=1", "https://b.example/x" }) {
    std::string text = std::string ("{name: u, nodes: {a: {action: test.read, with: {url: '") + url + "'}, policy: http-api}}}";
    start (text.c_str ());
    ASSERT_TRUE (wait ());
  }
  Value list (nebula_engine_list_policies (engine.get ()));
  ASSERT_EQ (nebula_value_get_length (list.get ()), 2u);
  EXPECT_STREQ (nebula_value_get_member_string (nebula_value_get_item (list.get (), 0), "name", ""), "test.read https://a.example");
  EXPECT_EQ (nebula_value_get_member_integer (nebula_value_get_item (list.get (), 0), "attempts", 0), 2);
  std::string metrics = metrics_text ();
  EXPECT_THAT (metrics, HasSubstr ("\nnebula_policy_attempts_total{policy=\"test.read https://a.example\",tenant=\"default\"} 2\n"));
  EXPECT_THAT (metrics, HasSubstr ("\nnebula_policy_breaker_state{policy=\"test.read https://b.example\",tenant=\"default\"} 0\n"));
}

TEST_P (Guard, WhatNoPolicyHoldsIsNotListed)
{
  start ("{name: n, nodes: {a: {action: test.read, with: {x: 1}}}}");
  ASSERT_TRUE (wait ());
  Value list (nebula_engine_list_policies (engine.get ()));
  EXPECT_EQ (nebula_value_get_length (list.get ()), 0u);
}
