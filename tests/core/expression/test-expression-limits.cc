/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hostile input to expressions: what is too long, too deep or too costly ends with an error, and nothing crashes. */

#include "expression-support.h"

#include <locale.h>
#include <random>
#include <unistd.h>

using namespace nebula;

static std::string
compile_outcome (const std::string &text, bool is_template = false)
{
  Error error;
  Expression expression (is_template ? nebula_expression_compile_template (text.c_str (), error.out ())
                                     : nebula_expression_compile (text.c_str (), error.out ()));

  return expression ? "compiles" : nebula_error_get_code (error.get ());
}

/* Resident pages of this process, in bytes. */
static gsize
resident ()
{
  std::ifstream file ("/proc/self/statm");
  gsize size = 0, pages = 0;
  file >> size >> pages;
  return pages * (gsize) sysconf (_SC_PAGESIZE);
}

TEST (ExpressionLimits, Depth)
{
  EXPECT_EQ (compile_outcome (repeat ("(", 64) + "1" + repeat (")", 64)), "compiles");
  EXPECT_EQ (compile_outcome (repeat ("(", 65) + "1" + repeat (")", 65)), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("[", 66) + repeat ("]", 66)), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("{a:", 65) + "1" + repeat ("}", 65)), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("-", 65) + "1"), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("not ", 65) + "true"), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("1 ** ", 65) + "1"), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("true ? 1 : ", 65) + "1"), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("if true then 1 else ", 65) + "1"), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("upper (", 65) + "'a'" + repeat (")", 65)), "too-deep");
  EXPECT_EQ (compile_outcome ("1" + repeat ("[0", 65) + repeat ("]", 65)), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("map ([1], x => ", 65) + "x" + repeat (")", 65)), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("\"${", 65) + "1" + repeat ("}\"", 65)), "too-deep");
  EXPECT_EQ (compile_outcome ("1" + repeat (" + 1", 600)), "too-deep");
  EXPECT_EQ (compile_outcome ("1" + repeat (" + 1", 400)), "compiles");
  EXPECT_EQ (compile_outcome ("$a" + repeat (".b", 600)), "too-deep");
  EXPECT_EQ (compile_outcome ("'a'" + repeat (" | upper ()", 600)), "too-deep");
}

/* RELIABILITY row 35. */
TEST (ExpressionLimits, Row35LongAndDeepTextIsRefused)
{
  EXPECT_EQ (compile_outcome (repeat ("(", 100000)), "too-large");
  EXPECT_EQ (compile_outcome (repeat ("(", 9000)), "too-deep");
  EXPECT_EQ (compile_outcome ("'" + repeat ("a", 1048576) + "'"), "too-large");
  EXPECT_EQ (compile_outcome ("'" + repeat ("é", 9998) + "'"), "compiles");
  EXPECT_EQ (compile_outcome ("'" + repeat ("é", 9999) + "'"), "too-large");
  EXPECT_EQ (compile_outcome ("{{ '" + repeat ("a", 10000) + "' }}", true), "too-large");
  EXPECT_EQ (compile_outcome ("{{ " + repeat ("(", 9000) + " }}", true), "too-deep");
  EXPECT_EQ (compile_outcome (repeat ("a", 1048577), true), "too-large");
  EXPECT_EQ (compile_outcome (repeat ("{{ $a }} text ", 20000), true), "compiles");
}

/* RELIABILITY row 36: a node's own id is among the references, where the workflow compiler sees the cycle. */
TEST (ExpressionLimits, Row36SelfReferenceIsVisible)
{
  Expression expression (nebula_expression_compile ("$nodes.a.result + 1", nullptr));
  guint count;
  const NebulaReference *reads = nebula_expression_get_references (expression.get (), &count);

  ASSERT_EQ (count, 1u);
  EXPECT_STREQ (reads[0].id, "a");
}

/* RELIABILITY row 37. */
TEST (ExpressionLimits, Row37GrowthEndsWithinTheBudget)
{
  const char *texts[] = {
    "repeat ('x', 1000000000)",
    "repeat (repeat ('x', 100000), 100000)",
    "repeat ('ab', 9223372036854775807)",
    "pad_start ('x', 1000000000)",
    "pad_end ('x', 9223372036854775807)",
    "range (0, 1000000000)",
    "range (1000000000)",
    "join (range (100000), repeat ('x', 10000))",
    "reduce (range (100), (s, x) => s + s, 'xxxxxxxx')",
    "reduce (range (100), (s, x) => [...s, ...s], [1])",
    "reduce (range (100), (s, x) => {a: s, b: s, c: repeat ('x', 1000000)}, null)",
    "reduce (range (1000), (s, x) => [...s, repeat ('x', 100000)], [])",
    "map (range (1000), x => repeat ('x', 100000))",
    "sort_by (range (1000), x => repeat ('x', 100000))",
    "unique (range (1000), x => repeat ('x', 100000) + string (x))",
    "group_by (range (1000), x => repeat ('x', 100000) + string (x))",
    "replace (repeat ('a', 1000000), 'a', repeat ('b', 1000))",
    "to_json (map (range (1000), x => repeat ('\\u0001', 10000)))",
    "\"${repeat ('x', 4000000)}${repeat ('x', 4000000)}${repeat ('x', 4000000)}\"",
    "replace_regex (repeat ('a', 60000), 'a', repeat ('b', 10000))",
    "repeat ('x', 1048577)",
    "split (repeat ('x', 1000000), '')",
    "map (range (3000), x => map (range (3000), y => y))",
    "any (range (100000), x => any (range (100000), y => false))",
  };

  for (const char *text : texts) {
    [[maybe_unused]] gsize before = resident ();
    EXPECT_EQ (outcome (evaluate (text)), "✗ budget-exceeded") << text;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they keep what was freed, or shadows of it */
    EXPECT_LT (resident (), before + 64 * 1024 * 1024) << text;
#endif
  }
  EXPECT_EQ (outcome (evaluate ("reduce (range (200), (s, x) => [s], 1)")), "✗ too-deep");
  EXPECT_EQ (outcome (evaluate ("reduce (range (200), (s, x) => {a: s}, 1)")), "✗ too-deep");
}

TEST (ExpressionLimits, WhatFitsIsNotRefused)
{
  EXPECT_EQ (evaluate ("length (repeat ('x', 1000000))"), "1000000");
  EXPECT_EQ (evaluate ("sum (range (100000))"), "4999950000");
  EXPECT_EQ (evaluate ("length (range (100000))"), "100000");
  /* Steps that let go of each other's values may make more than 8 MiB in all. */
  EXPECT_EQ (evaluate ("sum (map (range (100), x => length (repeat ('x', 500000))))"), "50000000");
  EXPECT_EQ (evaluate ("length (reduce (range (3000), (s, x) => s + 'xxxxx', ''))"), "15000");
}

/* What is passed through is not output. */
TEST (ExpressionLimits, LargeInputPasses)
{
  std::string data = "{\"json\": {\"list\": [\"" + repeat ("x", 900000) + "\", \"" + repeat ("y", 900000) + "\"]}}";

  EXPECT_EQ (evaluate ("$json.list", data.c_str ()).size (), 1800007u);
  EXPECT_EQ (evaluate ("$json.list | filter (x => true)", data.c_str ()).size (), 1800007u);
  EXPECT_EQ (outcome (evaluate ("map ($json.list, x => x + 'z')", data.c_str ())), "✗ budget-exceeded");
}

/* RELIABILITY row 38. */
TEST (ExpressionLimits, Row38CatastrophicPatternsEnd)
{
  std::string data = "{\"json\": \"" + repeat ("a", 1000000) + "b\"}";
  std::string shorter = "{\"json\": \"" + repeat ("a", 60000) + "b\"}";

  EXPECT_EQ (outcome (evaluate ("$json =~ '(a+)+$'", data.c_str ())), "✗ budget-exceeded");
  EXPECT_EQ (outcome (evaluate ("$json =~ '(a+)+$'", shorter.c_str ())), "✗ budget-exceeded");
  EXPECT_EQ (outcome (evaluate ("$json =~ '(a|a)*$'", shorter.c_str ())), "✗ budget-exceeded");
  EXPECT_EQ (outcome (evaluate ("repeat ('a', 40) + 'b' =~ '^(a*)*$'")), "✗ budget-exceeded");
  EXPECT_EQ (outcome (evaluate ("match_all (repeat ('a', 40) + 'b', '(a+)+$')")), "✗ budget-exceeded");

  for (const char *pattern : { "(*LIMIT_MATCH=100)a", "(?R)", "(?C)a", "a(?1)()", "(?&n)(?<n>a)", "(?P>n)(?<n>a)" })
    EXPECT_EQ (compile_outcome (std::string ("'a' =~ '") + pattern + "'"), "regex") << pattern;
  EXPECT_EQ (compile_outcome ("'a' =~ '" + repeat ("(a)", 101) + "'"), "regex");
  EXPECT_EQ (compile_outcome ("'a' =~ '" + repeat ("(a)", 100) + "'"), "compiles");
  EXPECT_EQ (compile_outcome ("'a' =~ '" + repeat ("a", 1001) + "'"), "regex");
  EXPECT_EQ (outcome (evaluate ("'a' =~ repeat ('()', 10000)")), "✗ regex");
  EXPECT_EQ (compile_outcome ("'a' =~ 'a\\u0000b'"), "regex");
}

/* RELIABILITY row 39. */
TEST (ExpressionLimits, Row39NothingOutsideIsReachable)
{
  for (const char *text : { "constructor", "process", "__class__", "this", "globalThis", "self", "window" })
    EXPECT_EQ (outcome (evaluate (text)), "✗ unknown-name") << text;
  for (const char *text : { "file ('/etc/passwd')", "read ('x')", "system ('x')", "eval ('1')", "require ('fs')",
                            "'a'.constructor ('x')", "[].__proto__ ()" })
    EXPECT_EQ (outcome (evaluate (text)), "✗ unknown-name") << text;
  g_setenv ("NEBULA_TEST_SECRET", "hidden", TRUE);
  EXPECT_EQ (outcome (evaluate ("$env")), "✗ unknown-name");
  EXPECT_EQ (outcome (evaluate ("$env.NEBULA_TEST_SECRET")), "✗ unknown-name");
  EXPECT_EQ (outcome (evaluate ("$env.NEBULA_TEST_SECRET", "{\"env\": {}}")), "✗ missing-property");
  EXPECT_EQ (outcome (evaluate ("$json.constructor", "{\"json\": {}}")), "✗ missing-property");
}

/* RELIABILITY row 40. */
TEST (ExpressionLimits, Row40DataIsNeverAnExpression)
{
  const char *data = "{\"json\": {\"field\": \"{{ 1 + 1 }} ${1} $nodes.a.result\"}}";
  Error error;
  Value value = json ("[\"{{ $json.field }}\", \"x {{ $json.field }}\"]");
  Template self (nebula_template_new (value.get (), nullptr, nullptr));
  Environment environment (data);
  Value result (nebula_template_evaluate (self.get (), environment.get (), error.out ()));

  EXPECT_EQ (to_json (result), "[\"{{ 1 + 1 }} ${1} $nodes.a.result\",\"x {{ 1 + 1 }} ${1} $nodes.a.result\"]");
}

/* RELIABILITY row 41. */
TEST (ExpressionLimits, Row41ArithmeticIsChecked)
{
  EXPECT_EQ (outcome (evaluate ("1 / 0")), "✗ division-by-zero");
  EXPECT_EQ (outcome (evaluate ("div (-9223372036854775808, -1)")), "✗ overflow");
  EXPECT_EQ (outcome (evaluate ("shift_left (1, 64)")), "✗ overflow");
  EXPECT_EQ (outcome (evaluate ("9223372036854775807 + 1")), "✗ overflow");
  EXPECT_EQ (outcome (evaluate ("from_unix (10 ** 18)")), "✗ overflow");
  EXPECT_EQ (outcome (evaluate ("timestamp ('1000000000000000000-01-01T00:00:00Z')")), "✗ invalid-data");
  EXPECT_EQ (outcome (evaluate ("$n + duration (9223372036854775807, 'milliseconds')",
                                "{\"n\": 1}")), "✗ overflow");
  EXPECT_EQ (outcome (evaluate ("date_add ('2026-01-01', 9223372036854775807, 'weeks')")), "✗ overflow");
}

/* RELIABILITY row 42. */
TEST (ExpressionLimits, Row42NumbersIgnoreTheLocale)
{
  char *old = g_strdup (setlocale (LC_ALL, nullptr));
  const char *set = setlocale (LC_ALL, "de_DE.UTF-8");

  if (set == nullptr)
    set = setlocale (LC_ALL, "tr_TR.UTF-8");
  EXPECT_EQ (evaluate ("\"${1.5}\""), "\"1.5\"");
  EXPECT_EQ (evaluate ("to_fixed (1234.5, 2)"), "\"1234.50\"");
  EXPECT_EQ (evaluate ("number ('1.5') + 1.25"), "2.75");
  EXPECT_EQ (evaluate ("upper ('i')"), "\"I\"");
  EXPECT_EQ (evaluate ("format_date ('2026-03-01', 'MMMM')"), "\"March\"");
  setlocale (LC_ALL, old);
  g_free (old);
  if (set == nullptr)
    GTEST_SKIP () << "no locale with a decimal comma is installed; only C was tried";
}

static NebulaValue *
refuse_node (const NebulaEnvironment *, const char *id, NebulaNodeField, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED, "The node “%s” is not yours", id);
  return nullptr;
}

static NebulaValue *
fail_strangely (const NebulaEnvironment *, const char *, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The disk is gone");
  return nullptr;
}

/* RELIABILITY row 43: the environment decides what exists, and its refusals come through with their code. */
TEST (ExpressionLimits, Row43RefusalsOfTheEnvironmentComeThrough)
{
  NebulaEnvironment environment = {};
  Error error;
  Expression node (nebula_expression_compile ("$nodes.secret.result ?? 1", nullptr));
  Expression computed (nebula_expression_compile ("$nodes?['sec' + 'ret']?.result", nullptr));
  Expression variable (nebula_expression_compile ("$secrets", nullptr));

  environment.get_node = refuse_node;
  environment.fuel = 1000;
  EXPECT_EQ (nebula_expression_evaluate (node.get (), &environment, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_PERMISSION_DENIED));
  EXPECT_EQ (nebula_expression_evaluate (computed.get (), &environment, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_PERMISSION_DENIED));
  EXPECT_EQ (nebula_expression_evaluate (variable.get (), &environment, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_UNKNOWN_NAME));
  environment.get_variable = fail_strangely;
  EXPECT_EQ (nebula_expression_evaluate (variable.get (), &environment, error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_FAILED));
}

TEST (ExpressionLimits, FuelIsTakenFromTheEnvironment)
{
  Error error;
  Expression expression (nebula_expression_compile ("map ($items, x => x + 1)", nullptr));
  Environment enough ("{\"items\": [1, 2, 3]}", 1000), little ("{\"items\": [1, 2, 3]}", 8), none ("{}", 0);
  Value value (nebula_expression_evaluate (expression.get (), enough.get (), error.out ()));

  ASSERT_TRUE (value) << error.message ();
  EXPECT_LT (enough.get ()->fuel, 1000u);
  EXPECT_GT (enough.get ()->fuel, 900u);
  EXPECT_EQ (nebula_expression_evaluate (expression.get (), little.get (), error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED));
  EXPECT_EQ (little.get ()->fuel, 0u);
  EXPECT_EQ (nebula_expression_evaluate (expression.get (), none.get (), error.out ()), nullptr);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED));
}

/* A template's holes share the fuel of the environment. */
TEST (ExpressionLimits, TemplatesShareFuel)
{
  Error error;
  Value value = json ("[\"{{ sum ($items) }}\", \"{{ sum ($items) }}\", \"{{ sum ($items) }}\"]");
  Template self (nebula_template_new (value.get (), nullptr, nullptr));
  Environment environment ("{\"items\": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}", 30);
  Value none (nebula_template_evaluate (self.get (), environment.get (), error.out ()));

  EXPECT_FALSE (none);
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED));
}

/* Random programs out of a grammar that is mostly right. */
class Generator
{
public:
  explicit Generator (guint seed) : random_ (seed) {}
  std::string
  expression (int depth)
  {
    switch (depth <= 0 ? pick (6) : pick (22)) {
    case 0:
      return std::to_string (pick (5) - 2);
    case 1:
      return pick (2) ? "1.5" : "9223372036854775807";
    case 2:
      return pick (2) ? "'a b'" : "\"x${" + expression (depth - 2) + "}\"";
    case 3:
      return pick (3) == 0 ? "null" : pick (2) ? "true" : "false";
    case 4:
      return names_.empty () ? "$json" : names_[(gsize) pick ((int) names_.size ())];
    case 5:
      return pick (2) ? "$json.list" : "$json.object";
    case 6:
    case 7:
    case 8:
      return expression (depth - 1) + binary () + expression (depth - 1);
    case 9:
      return (pick (2) ? "-" : "!") + expression (depth - 1);
    case 10:
      return "(" + expression (depth - 1) + ")";
    case 11:
      return "[" + expression (depth - 1) + ", ..." + expression (depth - 1) + "]";
    case 12:
      return "{a: " + expression (depth - 1) + ", ['k']: " + expression (depth - 1) + "}";
    case 13:
      return "(" + expression (depth - 1) + " ? " + expression (depth - 1) + " : " + expression (depth - 1) + ")";
    case 14:
      return "(if " + expression (depth - 1) + " then " + expression (depth - 1) + " else " + expression (depth - 1) + ")";
    case 15:
      return expression (depth - 1) + (pick (2) ? "?.a" : ".a");
    case 16:
      return expression (depth - 1) + (pick (2) ? "?[" : "[") + expression (depth - 1) + "]";
    case 17:
      return expression (depth - 1) + "[" + expression (depth - 1) + ":]";
    case 18:
      return lambda (depth);
    case 19:
      return std::string (unary ()) + "(" + expression (depth - 1) + ")";
    case 20:
      return "(" + expression (depth - 1) + " | " + unary () + "())";
    default:
      return expression (depth - 1) + "." + unary () + "()";
    }
  }
  /* Now and then a character is lost, doubled or changed. */
  std::string
  mutate (std::string text)
  {
    static const char letters[] = "(){}[]\"'$.,|?:=+-*/%<>!&~ \\x0é";
    size_t at = text.empty () ? 0 : (size_t) pick ((int) text.size ());
    if (pick (3) == 0)
      text.erase (at, 1);
    else
      text.insert (at, 1, letters[pick ((int) sizeof letters - 1)]);
    return text;
  }
  int pick (int count) { return (int) (random_ () % (unsigned) count); }

private:
  const char *
  binary ()
  {
    static const char *const operators[] = { " + ", " - ", " * ", " / ", " % ", " ** ", " == ", " != ", " < ", " >= ",
                                             " && ", " || ", " ?? ", " in ", " =~ " };
    return operators[pick (15)];
  }
  const char *
  unary ()
  {
    static const char *const functions[] = { "upper", "length", "sort", "keys", "string", "sum", "reverse", "type_of",
                                             "unique", "first", "to_json", "is_empty", "flatten", "values", "abs" };
    return functions[pick (15)];
  }
  std::string
  lambda (int depth)
  {
    static const char *const functions[] = { "map", "filter", "any", "sort_by", "group_by", "flat_map", "find" };
    std::string name = "x" + std::to_string (names_.size ());
    std::string items = expression (depth - 1);
    names_.push_back (name);
    std::string body = expression (depth - 1);
    names_.pop_back ();
    return std::string (functions[pick (7)]) + "(" + items + ", " + name + " => " + body + ")";
  }
  std::mt19937 random_;
  std::vector<std::string> names_;
};

static const char *const random_data =
    "{\"json\": {\"list\": [1, 2.5, \"x\", null, true], \"object\": {\"a\": [3], \"k\": \"v\"}, \"a\": 5}}";

/* Folding changes neither value nor error, and every program ends. */
TEST (ExpressionProperty, FoldingAgrees)
{
  Value data = json (random_data);
  int values = 0;

  for (guint seed = 0; seed < 6000; seed++) {
    Generator generator (seed);
    std::string text = generator.expression (2 + (int) (seed % 4));
    std::string folded = evaluate (text.c_str (), data.get ());
    std::string plain = evaluate (text.c_str (), data.get (), NEBULA_COMPILE_NO_FOLDING);
    ASSERT_EQ (folded, plain) << "seed " << seed << ": " << text;
    values += folded.rfind ("✗ ", 0) != 0;
  }
  EXPECT_GT (values, 600);
}

TEST (ExpressionProperty, BrokenProgramsOnlyFail)
{
  Value data = json (random_data);

  for (guint seed = 0; seed < 6000; seed++) {
    Generator generator (seed + 100000);
    std::string text = generator.expression (3);
    for (int i = 0; i < 3; i++)
      text = generator.mutate (text);
    evaluate (text.c_str (), data.get ());
    evaluate (("{{ " + text + " }}").c_str (), data.get (), NEBULA_COMPILE_TEMPLATE);
  }
}

/* With any amount of fuel the answer is the right one or budget-exceeded. */
TEST (ExpressionProperty, FuelOnlyStops)
{
  Expression expression (nebula_expression_compile (
      "$json.list | filter (x => type_of (x) == 'integer') | map (x => \"${x}-${sum ([x, 1])}\") | join (',')", nullptr));
  ASSERT_TRUE (expression);

  for (guint64 fuel = 0; fuel < 150; fuel++) {
    Environment environment (random_data, fuel);
    Error error;
    Value value (nebula_expression_evaluate (expression.get (), environment.get (), error.out ()));
    if (value) {
      EXPECT_EQ (to_json (value), "\"1-2\"");
    } else {
      EXPECT_TRUE (has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED));
    }
  }
}
