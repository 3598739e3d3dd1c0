/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scalar work takes no memory: what an evaluation asks of malloc is counted. */

#include "counted-malloc.h"
#include "expression-support.h"

using namespace nebula;

static NebulaValue *
get_variable (const NebulaEnvironment *self, const char *name, GError **)
{
  NebulaValue *value = nebula_value_get_member ((NebulaValue *) self->data, name);
  return value ? nebula_value_ref (value) : nullptr;
}

/* What one evaluation allocates, the first ones aside, which may fill caches. */
static int
count (const char *text)
{
  Value data = json ("{\"a\": 12, \"b\": 80, \"x\": 2.5, \"yes\": true, \"none\": null, \"name\": \"Ada\","
                     " \"list\": [3, 1, 2], \"order\": {\"deep\": {\"total\": 99}}}");
  Error error;
  Expression expression (nebula_expression_compile (text, error.out ()));
  NebulaEnvironment environment = {};
  int counted = -1;

  EXPECT_TRUE (expression) << text << error.message ();
  environment.get_variable = get_variable;
  environment.data = data.get ();
  for (int i = 0; i < 3; i++) {
    environment.fuel = NEBULA_LIMIT_FUEL;
    n_mallocs = 0;
    NebulaValue *value = nebula_expression_evaluate (expression.get (), &environment, nullptr);
    counted = (int) n_mallocs;
    EXPECT_NE (value, nullptr) << text;
    g_clear_pointer (&value, nebula_value_unref);
  }
  return counted;
}

class Allocation : public ::testing::Test
{
protected:
  void
  SetUp () override
  {
#ifndef COUNTS
    GTEST_SKIP () << "calls of malloc cannot be counted here (sanitizers have their own)";
#endif
  }
};

/* Results up to 127 and truth values exist already. */
TEST_F (Allocation, ScalarWorkTakesNone)
{
  for (const char *text : {
           "42",
           "$a + 1",
           "$a * 2 - $b % 7",
           "-$a",
           "$a > 10",
           "$a == 12 && $b != 3 || !$yes",
           "$x * 2 > 4.5",
           "$a / 5 < 2.5",
           "$yes ? $a : $b",
           "$a > 100 ? 1 : $b > 50 ? 2 : 3",
           "if $a > 10 then 1 else 2",
           "$none ?? 5",
           "$order.deep.total",
           "$order?.deep?.total + $a",
           "$order.deep?.nothing ?? 0",
           "$list[0] + $list[-1]",
           "$name == 'Ada'",
           "$name",
           "2 in $list",
           "length ($list) + length ($name)",
           "abs (-$a) + round ($x) + max ($a, 3)",
           "$list | sum ()",
           "$list | sum (n => n * 2)",
           "any ($list, n => n > 2)",
           "all ($list, n => n * $a > 3)",
           "find ($list, n => n > 1)",
           "reduce ($list, (sum, n) => sum + n * n, 0)",
       })
    EXPECT_EQ (count (text), 0) << text;
}

/* The value that is handed out is all there is. */
TEST_F (Allocation, ResultsTakeOne)
{
  for (const char *text : { "$a * 1000000", "$x + 1", "$a / 7", "$yes ? 'short' : 'text'", "$x ** 2" })
    EXPECT_EQ (count (text), 1) << text;
}

TEST_F (Allocation, TheCountIsTrue)
{
  EXPECT_GT (count ("[$a, $b]"), 0);
  EXPECT_GT (count ("$name + 'x'"), 0);
}
