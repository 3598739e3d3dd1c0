/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Late expressions of actions that are invoked: what they name is frozen when the attempt begins. */

#include "engine-test.h"

using namespace nebula;

class Late : public EngineFixture
{
protected:
  /* The output of a workflow whose node `work` computes @each for 1 and 2; `first` ran before. */
  std::string
  run (const std::string &each, const std::string &items = "[1, 2]")
  {
    start (("name: late\nvariables: { add: 10 }\nnodes:\n"
            "  first: { action: data.set, with: { factor: 3, name: first } }\n"
            "  work: { action: test.late, after: [first], with: { items: " + items + ", each: " + each + " } }\n"
            "output: '{{ $nodes.work.result }}'\n").c_str (),
           "{\"base\": 100}");
    EXPECT_TRUE (wait ());
    if (status () == "completed")
      return output ();
    Value report (nebula_execution_get_node_report (execution.get (), "work", nullptr));
    NebulaValue *error = nebula_value_get_member (report.get (), "error");
    return status () + " " + nebula_value_get_member_string (error, "code", "");
  }
};

TEST_P (Late, SeesItemsNodesAndVariables)
{
  EXPECT_EQ (run ("'$item * $nodes.first.result.factor + $vars.add + $index'"), "[13,17]");
  EXPECT_EQ (run ("'$input.base + $json.factor + $item'"), "[104,105]");
  EXPECT_EQ (run ("'$nodes[$nodes.first.result.name].status'"), "[\"completed\",\"completed\"]");
  EXPECT_EQ (run ("'[$item] | map (x => x * $vars.add) | first ()'"), "[10,20]");
}

TEST_P (Late, FailsAsAnEvaluationOfTheLoopWould)
{
  EXPECT_EQ (run ("'$json.nothing'"), "failed missing-property");
  EXPECT_EQ (run ("'$nodes[\"no\" + \"body\"].result'"), "failed unknown-name");
  EXPECT_EQ (run ("'$item / 0'"), "failed division-by-zero");
}

/* The fuel is that of the node-run, whichever thread burns it. */
TEST_P (Late, SharesTheFuelOfItsNodeRun)
{
  EXPECT_EQ (run ("'sum (map (range (9000), x => x)) + $item'", "[1, 2, 3]"), "[40495501,40495502,40495503]");
  EXPECT_EQ (run ("'sum (map (range (90000), x => x * 2 + $item)) * 0'",
                  "\"{{ range (0, 60) }}\""),
             "failed budget-exceeded");
}

/* In a loop each round has its own item, also when rounds run side by side. */
TEST_P (Late, EachRoundHasItsOwnNames)
{
  start ("name: late\nnodes:\n"
         "  each:\n"
         "    action: flow.for-each\n"
         "    with: { items: [1, 2, 3], concurrency: 3 }\n"
         "    body:\n"
         "      nodes:\n"
         "        work: { action: test.late, with: { items: [10, 20], each: '$item * $loop.each.item' } }\n"
         "output: '{{ $nodes.each.result }}'\n");
  ASSERT_TRUE (wait ());
  ASSERT_EQ (status (), "completed");
  EXPECT_EQ (output (), "[[10,20],[20,40],[30,60]]");
}

INSTANTIATE_TEST_SUITE_P (Stores, Late, testing::Values ("memory", "sqlite"));
