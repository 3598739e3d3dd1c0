/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names that expressions see, and what the results of attempts lead to. */
#include "kernel-test.h"

using namespace nebula;
using testing::HasSubstr;

class NamesTest : public KernelFixture
{
protected:
  /* Evaluates one expression in a node of a workflow and gives its value as JSON. */
  std::string value_of (const std::string &expression, const char *input = "{}")
  {
    KernelDriver &d = run (("name: names\nnodes:\n  a: { action: data.set, with: { v: \"{{ " +
                            expression + " }}\" } }\n")
                               .c_str (),
                           input);
    NebulaValue *output = d.state ()->output;

    return d.status () == "completed" ? to_json (nebula_value_get_member (output, "v"))
                                      : d.error_code ();
  }
  NebulaCommand first_command (const char *text)
  {
    begin (text);
    while (nebula_kernel_turn (driver->kernel, 64, driver->now))
      ;
    std::vector<NebulaCommand> commands = driver->commit ();

    EXPECT_EQ (commands.size (), 1u);
    return commands.empty () ? NebulaCommand {} : commands[0];
  }
  void answer (const NebulaCommand &command, NebulaResult *result)
  {
    EXPECT_TRUE (nebula_kernel_result (driver->kernel, &command, result, driver->now));
    nebula_result_unref (result);
  }
};

TEST_F (NamesTest, OfTheExecution)
{
  EXPECT_EQ (value_of ("$input.n", "{\"n\":4}"), "4");
  EXPECT_EQ (value_of ("$workflow.name"), "\"names\"");
  EXPECT_EQ (value_of ("$execution.id"), "\"exe_test\"");
  EXPECT_EQ (value_of ("$tenant"), "\"default\"");
  EXPECT_EQ (value_of ("$env"), "{}");
  EXPECT_EQ (value_of ("$trigger"), "null");
  EXPECT_EQ (value_of ("$user"), "null");
}

/* Time is a fact: the same whenever it is evaluated again. */
TEST_F (NamesTest, TimeIsWhenTheNodeBecameReady)
{
  EXPECT_THAT (value_of ("$now"), HasSubstr ("2023-11-14T22:13:20"));
  EXPECT_EQ (value_of ("$today"), "\"2023-11-14\"");
  EXPECT_EQ (value_of ("$now == $execution.started"), "true");
}

TEST_F (NamesTest, OfOtherNodes)
{
  KernelDriver &d = run (R"(
name: others
nodes:
  good: { action: data.set, with: { x: 1 } }
  bad: { action: test.effect, with: { fail: broken } }
  after:
    action: data.set
    with:
      status: "{{ $nodes.good.status }}"
      success: "{{ $nodes.good.success }}"
      result: "{{ $nodes.good.result.x }}"
      attempts: "{{ $nodes.bad.attempts }}"
      error: "{{ $nodes.bad.error.code }}"
      nothing: "{{ $nodes.bad.result }}"
      no-error: "{{ $nodes.good.error }}"
      inputs: "{{ keys($json) }}"
    after: [good, bad.error]
)");

  EXPECT_EQ (d.result ("after"), R"({"status":"completed","success":true,"result":1,)"
                                 R"("attempts":1,"error":"failed","nothing":null,)"
                                 R"("no-error":null,"inputs":["good","bad"]})");
}

TEST_F (NamesTest, OfLoopsInLoops)
{
  KernelDriver &d = run (R"(
name: loops
nodes:
  outer:
    action: flow.for-each
    with: { items: [a, b] }
    body:
      nodes:
        inner:
          action: flow.repeat
          with: { times: 2 }
          body:
            nodes:
              x:
                action: data.set
                with:
                  outer: "{{ $loop.outer.item }}"
                  outer-index: "{{ $loop.outer.index }}"
                  index: "{{ $index }}"
                  last: "{{ $loop.inner.last?.index }}"
                  item: "{{ $item }}"
                  only: "{{ $json }}"
            result: "{{ $nodes.x.result }}"
)");

  EXPECT_EQ (d.status (), "completed");
  EXPECT_EQ (d.result ("outer"),
             R"([{"outer":"a","outer-index":0,"index":1,"last":0,"item":"a","only":null},)"
             R"({"outer":"b","outer-index":1,"index":1,"last":0,"item":"b","only":null}])");
}

/* The same execution draws the same numbers, another firing others. */
TEST_F (NamesTest, RandomNumbersAreSeeded)
{
  std::string text = "random_int(1, 1000000000)";
  std::string first = value_of (text);

  EXPECT_EQ (value_of (text), first);
  EXPECT_NE (value_of (text + " + 0 * " + text), value_of (text + " - " + text))
      << "each call has its own";
}

TEST_F (NamesTest, SeveralValuesBySeveralPorts)
{
  NebulaCommand command = first_command (R"(
name: multi
nodes:
  m: { action: test.effect, with: { v: 1 } }
  a: { action: flow.no-op, after: [m.out] }
  b: { action: flow.no-op, after: [m.error] }
  c: { action: flow.no-op, after: [m] }
)");
  Value values = json (R"({"out":1})");

  answer (command, nebula_result_new (NEBULA_RESULT_KIND_MULTI, nullptr, values.get (), 0));
  driver->run ();
  EXPECT_EQ (driver->result ("a"), "1");
  EXPECT_EQ (driver->node ("b"), "skipped");
  EXPECT_EQ (driver->result ("c"), R"({"out":1})");
}

static const char one[] = "{name: one, nodes: {a: {action: test.effect, with: {v: 1}}, "
                          "b: {action: flow.no-op, after: [a]}}}";

TEST_F (NamesTest, SkippedByItsAction)
{
  NebulaCommand command = first_command (one);

  answer (command, nebula_result_new (NEBULA_RESULT_KIND_SKIP, nullptr, nullptr, 0));
  driver->run ();
  EXPECT_EQ (driver->node ("a"), "skipped");
  EXPECT_EQ (driver->node ("b"), "skipped");
}

TEST_F (NamesTest, EndsTheWholeExecution)
{
  NebulaCommand command = first_command (one);
  Value output = json ("\"enough\"");

  answer (command,
          nebula_result_new (NEBULA_RESULT_KIND_TERMINATE, nullptr, output.get (), 0));
  driver->run ();
  EXPECT_EQ (driver->status (), "completed");
  EXPECT_EQ (driver->output (), "\"enough\"");
  EXPECT_NE (driver->node ("b"), "completed");
}

/* The action is invoked again later; it is the same node-run and no failure. */
TEST_F (NamesTest, AsksToBeInvokedAgain)
{
  NebulaCommand command = first_command (one);

  answer (command,
          nebula_result_new (NEBULA_RESULT_KIND_WAIT, nullptr, nullptr, G_USEC_PER_SEC));
  driver->settle ();
  EXPECT_EQ (driver->node ("a"), "waiting");
  EXPECT_EQ (nebula_kernel_get_next_due (driver->kernel), driver->now + G_USEC_PER_SEC);
  driver->run ();
  EXPECT_EQ (driver->status (), "completed");
  EXPECT_EQ (driver->started, std::vector<std::string> ({"a"}));
}

static NebulaResult *
new_unknown ()
{
  Value failure (nebula_failure_new ("lost", "nobody knows", NEBULA_RETRY_CLASS_RETRY, nullptr));

  return nebula_result_new (NEBULA_RESULT_KIND_UNKNOWN, nullptr, failure.get (), 0);
}

TEST_F (NamesTest, AsksWhatToDoAboutAnUnknownOutcome)
{
  NebulaCommand command =
      first_command ("{name: u, nodes: {a: {action: test.effect, with: {v: 1}, "
                     "on-unknown: ask}}}");

  answer (command, new_unknown ());
  driver->settle ();
  EXPECT_EQ (driver->node ("a"), "waiting");
  EXPECT_EQ (driver->status (), "suspended");
  Value reasons (nebula_kernel_explain (driver->kernel));
  EXPECT_THAT (to_json (reasons), HasSubstr ("unknown-outcome"));
}

TEST_F (NamesTest, UnknownOutcomeOfAnEffectFailsByDefault)
{
  NebulaCommand command =
      first_command ("{name: u, nodes: {a: {action: test.effect, with: {v: 1}, "
                     "retry: {attempts: 5}}}}");

  answer (command, new_unknown ());
  driver->run ();
  EXPECT_EQ (driver->status (), "failed");
  EXPECT_TRUE (driver->started.empty ()) << "an effect in doubt is repeated";
}

TEST_F (NamesTest, UnknownOutcomeOfAReadIsTriedAgain)
{
  NebulaCommand command =
      first_command ("{name: u, nodes: {a: {action: test.read, with: {v: 1}, "
                     "retry: {attempts: 2, initial: 1s}}}}");

  answer (command, new_unknown ());
  driver->settle ();
  Value reasons (nebula_kernel_explain (driver->kernel));
  EXPECT_THAT (to_json (reasons), HasSubstr ("retry"));
  driver->run ();
  EXPECT_EQ (driver->status (), "completed");
}

TEST_F (NamesTest, TotalTimeHoldsOverAllAttempts)
{
  KernelDriver &d = run ("{name: t, nodes: {a: {action: test.read, with: {fail: no}, "
                         "total-timeout: 5s, retry: {attempts: 100, initial: 2s}}}}");

  EXPECT_EQ (d.status (), "failed");
  EXPECT_LE (d.started.size (), 4u);
  EXPECT_EQ (d.error_code (), "timed-out");
}

/* Waits end by what they name; what names nothing sensible fails. */
TEST_F (NamesTest, WaitsHaveAnEnd)
{
  KernelDriver &d = run (R"(
name: waits
settings: { on-error: continue }
nodes:
  until: { action: flow.wait, with: { until: "2023-11-14T22:13:25Z" } }
  computed: { action: flow.wait, with: { until: "{{ $now + duration('3s') }}" } }
  past: { action: flow.wait, with: { until: "2001-01-01T00:00:00Z" } }
  span: { action: flow.wait, with: { duration: "{{ duration('2s') }}" } }
  nothing: { action: flow.wait }
  nonsense: { action: flow.wait, with: { until: "{{ 'soon' }}" } }
  number: { action: flow.wait, with: { until: "{{ $input?.x ?? 12 }}" } }
)");

  EXPECT_EQ (d.result ("until"), R"({"reason":"until","value":null})");
  EXPECT_EQ (d.result ("computed"), R"({"reason":"until","value":null})");
  EXPECT_EQ (d.result ("past"), R"({"reason":"until","value":null})");
  EXPECT_EQ (d.result ("span"), R"({"reason":"duration","value":null})");
  for (const char *id : {"nothing", "nonsense", "number"})
    EXPECT_EQ (d.node (id), "failed") << id;
}

/* A signal that came before the wait is taken by the first wait for it. */
TEST_F (NamesTest, SignalsWaitForTheirWait)
{
  Value payload = json ("5");

  begin ("{name: s, nodes: {t: {action: flow.wait, with: {duration: 1s}}, "
         "a: {action: flow.wait, with: {signal: go}, after: [t]}, "
         "b: {action: flow.wait, with: {signal: go, duration: 1s}, after: [a]}}}");
  driver->settle ();
  nebula_kernel_signal (driver->kernel, "go", payload.get (), driver->now);
  driver->run ();
  EXPECT_EQ (driver->result ("a"), R"({"reason":"signal","value":5})");
  EXPECT_EQ (driver->result ("b"), R"({"reason":"timeout","value":null})");
}

TEST_F (NamesTest, OneNodeIsCancelled)
{
  NebulaCommand command = first_command (one);

  EXPECT_TRUE (
      nebula_kernel_cancel_node (driver->kernel, 0, command.node, driver->now));
  EXPECT_FALSE (
      nebula_kernel_cancel_node (driver->kernel, 0, command.node, driver->now));
  driver->run ();
  EXPECT_EQ (driver->node ("a"), "cancelled");
  EXPECT_EQ (driver->node ("b"), "skipped");
}

/* An attempt that was withdrawn surely did not begin: it is started again, whatever its effect. */
TEST_F (NamesTest, WithdrawnAttemptsComeAgain)
{
  NebulaCommand command = first_command (one);

  nebula_kernel_withdraw (driver->kernel, &command, driver->now);
  driver->commit ();
  driver->crash ();
  nebula_kernel_recover (driver->kernel, driver->now);
  driver->run ();
  EXPECT_EQ (driver->status (), "completed");
  EXPECT_EQ (driver->started, std::vector<std::string> ({"a"}));
}

TEST_F (NamesTest, GatesHaveKeys)
{
  begin ("{name: g, settings: {concurrency: {limit: 1, key: '{{ $input.who }}'}}, "
         "nodes: {a: {action: flow.no-op}}}",
         "{\"who\":\"ada\"}");
  driver->turn ();
  EXPECT_STREQ (driver->state ()->gate_key, "default/g/ada");
  Value reasons (nebula_kernel_explain (driver->kernel));
  EXPECT_THAT (to_json (reasons), HasSubstr ("concurrency-limit"));
  driver->commit ();
  nebula_kernel_grant (driver->kernel, driver->state ()->gate_key, 0, driver->now);
  nebula_kernel_grant (driver->kernel, driver->state ()->gate_key, 0, driver->now);
  driver->run ();
  EXPECT_EQ (driver->status (), "completed");

  begin ("{name: g, settings: {concurrency: {limit: 1, key: '{{ $input.who }}'}}, "
         "nodes: {a: {action: flow.no-op}}}");
  driver->turn ();
  EXPECT_EQ (driver->status (), "failed") << "a key that cannot be evaluated";
}

/* A guard or need that is no condition belongs to no node: the execution fails. */
TEST_F (NamesTest, ConditionsMustBeConditions)
{
  EXPECT_EQ (run ("{name: w, nodes: {a: {action: flow.no-op}, b: {action: flow.no-op}}, "
                  "connections: [{from: a, to: b, when: '{{ $input?.x ?? 12 }}'}]}")
                 .error_code (),
             "type");
  EXPECT_EQ (run ("{name: w, nodes: {a: {action: flow.no-op}, b: {action: flow.no-op}}, "
                  "connections: [{from: a, to: b, when: '{{ null }}'}]}")
                 .node ("b"),
             "skipped");
  EXPECT_EQ (run ("{name: n, nodes: {a: {action: flow.no-op}, b: {action: flow.no-op}, "
                  "c: {action: flow.no-op, after: [a, b], join: {need: \"{{ 'two' }}\"}}}}")
                 .error_code (),
             "type");
}

TEST_F (NamesTest, FailuresSayWhatTheyWereTold)
{
  KernelDriver &d = run ("{name: f, nodes: {a: {action: flow.fail, with: {message: 'no way', "
                         "code: too-late}}}}");

  EXPECT_EQ (d.error_code (), "too-late");
  EXPECT_EQ (d.status (), "failed");
  EXPECT_EQ (run ("{name: s, nodes: {a: {action: flow.stop, with: {output: {x: 1}}}}}").output (),
             R"({"x":1})");
  EXPECT_EQ (run ("{name: s, nodes: {a: {action: flow.stop, with: {output: '{{ 1 + $input?.x }}'}}}}")
                 .status (),
             "failed");
}
