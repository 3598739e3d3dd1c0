/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known before and beside an evaluation: types, limits, policies, sets of functions, frozen environments. */

#include "expression-support.h"
#include "nebula-expression-check-internal.h"
#include "nebula-expression-limits.h"
#include "nebula-frozen-internal.h"
#include "nebula-function-callback.h"

#include <random>
#include <set>
#include <thread>

using namespace nebula;

/* Names and what is known of them; keeps what is reported. */
class Scope
{
public:
  explicit Scope (const char *schemas, bool are_values = false) : schemas_ (json (schemas)), are_values_ (are_values)
  {
    parent_.get_type = get_type;
    parent_.problem = take_problem;
    parent_.data = this;
  }
  /* "line:column code message", or the kinds of the result in words. */
  std::string
  check (const std::string &text, bool is_template = false)
  {
    Error error;
    Expression expression (nebula_expression_compile_with_functions (text.c_str (), is_template, nullptr, error.out ()));
    problem_.clear ();
    if (!expression)
      return std::string ("✗ ") + nebula_error_get_code (error.get ());
    kinds = nebula_expression_check (expression.get (), &parent_).kinds;
    char *words = nebula_type_to_words (kinds);
    std::string result = problem_.empty () ? words : problem_;
    g_free (words);
    return result;
  }
  NebulaTypeScope *get () { return &parent_; }
  guint32 kinds = 0;

private:
  static NebulaType
  get_type (const NebulaTypeScope *scope, const char *name, const char *id, const char *field)
  {
    auto *self = static_cast<Scope *> (scope->data);
    NebulaValue *member = nebula_value_get_member (self->schemas_.get (), name);
    if (member != nullptr && id != nullptr) {
      member = nebula_value_get_kind (member) == NEBULA_VALUE_KIND_OBJECT ? nebula_value_get_member (member, id) : nullptr;
      if (member != nullptr && field != nullptr)
        member = nebula_value_get_member (member, field);
    }
    if (member == nullptr)
      return nebula_type_any ();
    /* Moments come as text in JSON. */
    if (self->are_values_)
      return strcmp (name, "now") == 0 || id != nullptr ? nebula_type_any () : nebula_type_from_value (member);
    return nebula_type_from_schema (member);
  }
  static void
  take_problem (const NebulaTypeScope *scope, const NebulaTypeProblem *problem)
  {
    auto *self = static_cast<Scope *> (scope->data);
    if (self->problem_.empty ())
      self->problem_ = std::to_string (problem->line) + ":" + std::to_string (problem->column) + " " + problem->message;
  }
  NebulaTypeScope parent_ = {};
  Value schemas_;
  std::string problem_;
  bool are_values_;
};

static const char *const schemas = R"({
  "json": {"type": "object", "additionalProperties": false, "properties": {
    "name": {"type": "string"}, "total": {"type": "number"}, "count": {"type": "integer"}, "ok": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}}, "any": {},
    "maybe": {"type": ["string", "null"]}, "color": {"enum": ["red", "green"]},
    "lines": {"type": "array", "items": {"type": "object", "properties": {"price": {"type": "number"}}}}}},
  "nodes": {"fetch": {"result": {"type": "object", "properties": {"body": {"type": "string"}}}}}})";

TEST (ExpressionCheck, InfersKinds)
{
  Scope scope (schemas);
  const std::pair<const char *, const char *> rows[] = {
    { "1 + 2", "an integer" },
    { "$json.total * 2", "a number" },
    { "$json.count + 1", "an integer or a float" },
    { "7 / 2", "a float" },
    { "$json.name + 'x'", "text" },
    { "$json.tags", "an array" },
    { "$json.tags[0]", "text" },
    { "$json.tags | first ()", "null or text" },
    { "($json.tags | first ()) ?? 'x'", "text" },
    { "$json.lines.map (l => l.price)", "an array" },
    { "$json.lines.map (l => l.price)[0]", "a number" },
    { "$json.lines | filter (l => l.price > 1) | map ('price') | length ()", "an integer" },
    { "$json.ok ? 1 : 'x'", "an integer or text" },
    { "$json.any", "anything" },
    { "$json.any + 1", "a number" },
    { "$json.maybe", "null or text" },
    { "$json.color", "text" },
    { "$json?.nothing", "anything" },
    { "$nodes.fetch.result.body", "text" },
    { "$nodes['fetch'].result.body.length ()", "an integer" },
    { "$nodes.fetch.result.more", "anything" },
    { "{a: 1}", "an object" },
    { "[1, ...$json.tags]", "an array" },
    { "!$json.ok", "a boolean" },
    { "duration ('1h') * $json.count", "a duration" },
    { "timestamp ('2026-01-01') + duration ('1h')", "a timestamp" },
    { "decimal ($json.name) + 1", "a decimal" },
    { "upper ($json.any)", "text" },
    { "$json.name[1:]", "text" },
    { "\"a ${$json.total}\"", "text" },
    { "$unknown.anything[3].at.all", "anything" },
  };
  for (const auto &row : rows)
    EXPECT_EQ (scope.check (row.first), row.second) << row.first;
  EXPECT_EQ (scope.check ("{{ $json.total }}", true), "a number");
  EXPECT_EQ (scope.check ("total: {{ $json.total }}", true), "text");
}

TEST (ExpressionCheck, TellsWhatCannotWork)
{
  Scope scope (schemas);
  const std::pair<const char *, const char *> rows[] = {
    { "$json.name + 1", "1:12 This operator does not take text and an integer" },
    { "$json.nme", "1:7 There is no “nme” in “$json”" },
    { "1 +\n  $json.nme", "2:9 There is no “nme” in “$json”" },
    { "$json.name.first", "1:12 Nothing can be read from “$json.name”: it is text" },
    { "upper ($json.total)", "1:14 “upper” takes text as argument 1, not a number" },
    { "$json.total.upper ()", "1:7 “upper” takes text as argument 1, not a number" },
    { "$json.total | upper ()", "1:7 “upper” takes text as argument 1, not a number" },
    { "$json.tags.map (t => t * 2)", "1:24 This operator does not take text and an integer" },
    { "$json.tags.map (t => t.x)", "1:24 Nothing can be read from “t”: it is text" },
    { "$json.lines | map (l => upper (l.price))", "1:34 “upper” takes text as argument 1, not a number" },
    { "$json.tags | map (abs)", "1:19 “abs” takes a number as argument 1, not text" },
    { "$json.name ? 1 : 2", "1:7 A condition is a boolean, not text" },
    { "$json.ok && $json.total", "1:19 A condition is a boolean, not a number" },
    { "!$json.name", "1:8 A condition is a boolean, not text" },
    { "-$json.name", "1:1 Only a number has a negative, not text" },
    { "$json.name < $json.total", "1:12 There is no order between text and a number" },
    { "$json.total =~ 'x'", "1:13 “=~” takes text and a regular expression, not a number and text" },
    { "1 in $json.total", "1:12 Only an array, an object or text can contain something, not a number" },
    { "$json.tags['x']", "1:11 The index into an array is an integer, not text" },
    { "$json[1]", "1:6 The key into an object is text, not an integer" },
    { "$json.ok[0]", "1:9 Nothing can be read from “$json.ok”: it is a boolean" },
    { "length ($json.tags) + 'x'", "1:21 This operator does not take an integer and text" },
    { "$nodes.fetch.result.body * 2", "1:26 This operator does not take text and an integer" },
    { "$json.tags.find (t => t == 1).x", "1:31 Nothing can be read from “$json.tags.find (t => t == 1)”: it is null or text" },
    { "{a: [1, $json.name + 1]}", "1:20 This operator does not take text and an integer" },
    { "\"${upper ($json.total)}\"", "1:17 “upper” takes text as argument 1, not a number" },
  };
  for (const auto &row : rows)
    EXPECT_EQ (scope.check (row.first), row.second) << row.first;
  scope.get ()->missing_is_null = TRUE;
  EXPECT_EQ (scope.check ("$json.nme"), "anything");
  EXPECT_EQ (scope.check ("$json.name.first"), "anything");
}

/* Whatever works has no problem, and gives one of the kinds that were inferred. */
TEST (ExpressionCheck, NeverRefusesWhatWorks)
{
  Table table = read_table ("core/expression/cases.txt");
  Value data = json (table.data.c_str ());
  Scope scope (table.data.c_str (), true);
  int checked = 0;

  for (const Row &row : table.rows) {
    Error error;
    Expression expression (nebula_expression_compile (row.text.c_str (), error.out ()));
    if (!expression)
      continue;
    Value value (nebula_expression_evaluate_data (expression.get (), data.get (), error.out ()));
    if (!value)
      continue;
    std::string result = scope.check (row.text);
    EXPECT_FALSE (g_ascii_isdigit (result[0])) << row.text << "\n" << result;
    EXPECT_TRUE (scope.kinds & 1u << nebula_value_get_kind (value.get ()))
        << row.text << " gives " << nebula_value_kind_to_string (nebula_value_get_kind (value.get ())) << ", not " << result;
    checked++;
  }
  EXPECT_GT (checked, 700);
}

/* Random programs of a wanted type, right by construction. */
class Typed
{
public:
  explicit Typed (guint seed) : random_ (seed) {}
  std::string
  number (int depth)
  {
    switch (depth <= 0 ? pick (4) : pick (13)) {
    case 0: return std::to_string (pick (9));
    case 1: return "$json.n";
    case 2: return std::to_string (pick (9)) + ".5";
    case 3: return numbers_.empty () ? "2" : numbers_[(gsize) pick ((int) numbers_.size ())];
    case 4: return "(" + number (depth - 1) + " + " + number (depth - 1) + ")";
    case 5: return "(" + number (depth - 1) + " - " + number (depth - 1) + ")";
    case 6: return "(" + number (depth - 1) + " * " + number (0) + ")";
    case 7: return "length (" + text (depth - 1) + ")";
    case 8: return "sum (" + list (depth - 1) + ")";
    case 9: return "(" + condition (depth - 1) + " ? " + number (depth - 1) + " : " + number (depth - 1) + ")";
    case 10: return "abs (" + number (depth - 1) + ")";
    case 11: return "(" + list (depth - 1) + " | reduce ((a, x) => a + x, 0))";
    default: return "(first (" + list (depth - 1) + ") ?? " + number (depth - 1) + ")";
    }
  }
  std::string
  text (int depth)
  {
    switch (depth <= 0 ? pick (2) : pick (8)) {
    case 0: return "'ab'";
    case 1: return "$json.s";
    case 2: return "(" + text (depth - 1) + " + " + text (depth - 1) + ")";
    case 3: return "upper (" + text (depth - 1) + ")";
    case 4: return "\"x${" + number (depth - 1) + "}\"";
    case 5: return "string (" + number (depth - 1) + ")";
    case 6: return "(" + condition (depth - 1) + " ? " + text (depth - 1) + " : " + text (depth - 1) + ")";
    default: return "join (" + list (depth - 1) + ", '-')";
    }
  }
  std::string
  condition (int depth)
  {
    switch (depth <= 0 ? pick (2) : pick (7)) {
    case 0: return "true";
    case 1: return "$json.ok";
    case 2: return "(" + number (depth - 1) + " < " + number (depth - 1) + ")";
    case 3: return "(" + text (depth - 1) + " == " + text (depth - 1) + ")";
    case 4: return "!" + condition (depth - 1);
    case 5: return "(" + condition (depth - 1) + " && " + condition (depth - 1) + ")";
    default: return "(" + number (depth - 1) + " in " + list (depth - 1) + ")";
    }
  }
  std::string
  list (int depth)
  {
    switch (depth <= 0 ? pick (2) : pick (7)) {
    case 0: return "[1, 2]";
    case 1: return "$json.list";
    case 2: return "[" + number (depth - 1) + ", ..." + list (depth - 1) + "]";
    case 3: return "map (" + list (depth - 1) + ", " + lambda (depth, true) + ")";
    case 4: return "filter (" + list (depth - 1) + ", " + lambda (depth, false) + ")";
    case 5: return "(" + list (depth - 1) + " | sort () | take (3))";
    default: return "(" + list (depth - 1) + " + " + list (depth - 1) + ")";
    }
  }
  int pick (int count) { return (int) (random_ () % (unsigned) count); }

private:
  std::string
  lambda (int depth, bool is_number)
  {
    std::string name = "x" + std::to_string (numbers_.size ());
    numbers_.push_back (name);
    std::string body = is_number ? number (depth - 1) : condition (depth - 1);
    numbers_.pop_back ();
    return name + " => " + body;
  }
  std::mt19937 random_;
  std::vector<std::string> numbers_;
};

/* They give their type, never more than their fuel is used, and folding changes nothing. */
TEST (ExpressionProperty, WellTypedProgramsWork)
{
  const char *values = "{\"json\": {\"n\": 7, \"s\": \"text\", \"ok\": false, \"list\": [3, 1, 2]}}";
  Value data = json (values);
  Scope scope (values, true);
  int worked = 0;

  for (guint seed = 0; seed < 4000; seed++) {
    Typed generator (seed);
    int depth = 1 + (int) (seed % 4);
    bool is_number = seed % 2 == 0;
    std::string text = is_number ? generator.number (depth) : generator.list (depth);
    std::string folded = evaluate (text.c_str (), data.get ());
    ASSERT_EQ (folded, evaluate (text.c_str (), data.get (), NEBULA_COMPILE_NO_FOLDING)) << text;
    ASSERT_NE (outcome (folded), "✗ type") << text << "\n" << folded;
    ASSERT_NE (outcome (folded), "✗ syntax") << text << "\n" << folded;
    std::string type = scope.check (text);
    ASSERT_FALSE (g_ascii_isdigit (type[0])) << text << "\n" << type;
    guint64 fuel = (guint64) generator.pick (400);
    Environment environment (values, fuel);
    Expression expression (nebula_expression_compile (text.c_str (), nullptr));
    Error error;
    Value value (nebula_expression_evaluate (expression.get (), environment.get (), error.out ()));
    ASSERT_LE (environment.get ()->fuel, fuel) << text;
    if (value) {
      ASSERT_EQ (to_json (value), folded) << text;
      ASSERT_TRUE (scope.kinds & 1u << nebula_value_get_kind (value.get ())) << text;
      worked++;
    } else {
      /* With less fuel it may end earlier, but in no third way. */
      ASSERT_TRUE (has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED) ||
                   outcome (folded) == std::string ("✗ ") + nebula_error_get_code (error.get ()))
          << text << "\n" << folded;
    }
  }
  EXPECT_GT (worked, 2000);
}

/* Sets limits for one test. */
class Limits
{
public:
  Limits () : limits (*nebula_expression_limits_get_default ()) {}
  ~Limits () { nebula_expression_limits_set (nullptr); }
  void set () { nebula_expression_limits_set (&limits); }
  NebulaExpressionLimits limits;
};

TEST (ExpressionLimitsSetting, EachOneHolds)
{
  Limits limits;

  EXPECT_EQ (nebula_expression_limits_get ()->fuel, 10000000u);
  EXPECT_EQ (nebula_expression_limits_get ()->time_usec, 5 * G_USEC_PER_SEC);
  limits.limits.fuel = 500;
  limits.limits.memory_bytes = 100000;
  limits.limits.output_bytes = 1000;
  limits.limits.depth = 4;
  limits.limits.characters = 80;
  limits.set ();
  EXPECT_EQ (evaluate ("1 + 1"), "2");
  EXPECT_EQ (outcome (evaluate ("length (range ($n))", "{\"n\": 600}")), "✗ budget-exceeded");
  EXPECT_EQ (outcome (evaluate ("length (repeat ('x', 200000))")), "✗ budget-exceeded");
  EXPECT_EQ (outcome (evaluate ("repeat ('x', 5000)")), "✗ budget-exceeded");
  EXPECT_EQ (evaluate ("length (repeat ('x', 5000))"), "5000");
  EXPECT_EQ (outcome (evaluate ("((((((1))))))")), "✗ too-deep");
  EXPECT_EQ (outcome (evaluate (repeat ("1 + ", 25) + "1")), "✗ too-large");
  nebula_expression_limits_set (nullptr);
  EXPECT_EQ (evaluate ("length (range ($n))", "{\"n\": 600}"), "600");
  EXPECT_EQ (evaluate ("((((((1))))))"), "1");
}

/* The clock is the last line: with no time at all a long evaluation ends, a short one never looks. */
TEST (ExpressionLimitsSetting, TimeIsTheLastLine)
{
  Limits limits;

  limits.limits.time_usec = 1;
  limits.set ();
  EXPECT_EQ (evaluate ("sum (range (1000))"), "499500");
  EXPECT_EQ (outcome (evaluate ("sum (map (range (90000), x => sum (map (range (30), y => x * y))))")), "✗ budget-exceeded");
  limits.limits.time_usec = 0;
  limits.set ();
  EXPECT_EQ (evaluate ("sum (map (range (20000), x => sum (map (range (5), y => 1))))"), "100000");
}

static std::string
evaluate_leniently (const char *text, const char *data)
{
  Error error;
  Value values = json (data);
  Expression expression (nebula_expression_compile (text, error.out ()));
  Value value (nebula_expression_evaluate_data_leniently (expression.get (), values.get (), error.out ()));
  return value ? to_json (value) : std::string ("✗ ") + nebula_error_get_code (error.get ());
}

TEST (ExpressionPolicy, MissingMayBeNull)
{
  const char *data = "{\"json\": {\"a\": {\"b\": 1}, \"list\": [1], \"n\": 5}, \"nodes\": {\"x\": {\"result\": {}}}}";

  EXPECT_EQ (outcome (evaluate ("$json.nope", data)), "✗ missing-property");
  EXPECT_EQ (evaluate_leniently ("$json.a.b", data), "1");
  EXPECT_EQ (evaluate_leniently ("$json.nope", data), "null");
  EXPECT_EQ (evaluate_leniently ("$json.nope.deeper.still", data), "null");
  EXPECT_EQ (evaluate_leniently ("$json['no' + 'pe']", data), "null");
  EXPECT_EQ (evaluate_leniently ("$json.list[7]", data), "null");
  EXPECT_EQ (evaluate_leniently ("$json.nope[0][1:]", data), "null");
  EXPECT_EQ (evaluate_leniently ("$nodes.x.result.nope ?? 'none'", data), "\"none\"");
  EXPECT_EQ (evaluate_leniently ("map ([{}, {k: 2}], x => x.k)", data), "[null,2]");
  EXPECT_EQ (evaluate_leniently ("$json.n.x", data), "✗ type");
  EXPECT_EQ (evaluate_leniently ("$nothing", data), "✗ unknown-name");
  EXPECT_EQ (evaluate_leniently ("$nodes.y.result", data), "✗ unknown-name");
}

static NebulaValue *
call_tax (NebulaValue *const *arguments, guint n_arguments, GError **error)
{
  double rate = n_arguments > 1 ? nebula_value_get_float (arguments[1]) : 0.2;

  if (nebula_value_get_float (arguments[0]) < 0) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT, "No tax on less than nothing");
    return nullptr;
  }
  if (nebula_value_get_float (arguments[0]) > 1000)
    return nebula_value_new_string ("too much");
  return nebula_value_new_float (nebula_value_get_float (arguments[0]) * rate);
}

static NebulaForeignCall
load_tax (const char *name, gpointer user_data, GError **error)
{
  ++*static_cast<int *> (user_data);
  if (strcmp (name, "lost") != 0)
    return call_tax;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_MISSING, "It is gone");
  return nullptr;
}

static std::string
call_with (NebulaFunctionSet *set, const char *text)
{
  Error error;
  Value data = json ("{\"n\": 10}");
  Expression expression (nebula_expression_compile_with_functions (text, FALSE, set, error.out ()));
  Value value;
  if (expression)
    value = Value (nebula_expression_evaluate_data (expression.get (), data.get (), error.out ()));
  return value ? to_json (value) : std::string ("✗ ") + nebula_error_get_code (error.get ());
}

using Functions = Owned<NebulaFunctionSet, nebula_function_set_unref>;

TEST (FunctionSet, DeclaresTypesAndArity)
{
  Functions set (nebula_function_set_new ());
  NebulaFunctionDescriptor tax = { "tax_of", "amount: number, rate?: number", "float", "Tax", "tax_of(10) → 2", call_tax };
  Error error;

  ASSERT_TRUE (nebula_function_set_add (set.get (), &tax, error.out ())) << error.message ();
  EXPECT_EQ (call_with (set.get (), "tax_of ($n)"), "2");
  EXPECT_EQ (call_with (set.get (), "taxOf ($n, 0.5)"), "5");
  EXPECT_EQ (call_with (set.get (), "$n | tax_of ()"), "2");
  EXPECT_EQ (call_with (set.get (), "map ([10, 20], tax_of)"), "[2,4]");
  EXPECT_EQ (call_with (set.get (), "tax_of ()"), "✗ arity");
  EXPECT_EQ (call_with (set.get (), "tax_of (1, 2, 3)"), "✗ arity");
  EXPECT_EQ (call_with (set.get (), "tax_of ('10')"), "✗ type");
  EXPECT_EQ (call_with (set.get (), "tax_of (-1)"), "✗ invalid-argument");
  EXPECT_EQ (call_with (set.get (), "tax_of (2000)"), "✗ action-contract");
  EXPECT_EQ (call_with (set.get (), "tax (1)"), "✗ unknown-name");
  EXPECT_EQ (call_with (nullptr, "tax_of (1)"), "✗ unknown-name");
  Value description (nebula_function_set_describe (set.get ()));
  EXPECT_EQ (to_json (description), "[{\"name\":\"tax_of\",\"parameters\":\"amount: number, rate?: number\",\"result\":\"float\","
                                    "\"description\":\"Tax\",\"examples\":\"tax_of(10) → 2\"}]");
}

TEST (FunctionSet, RefusesClashesAndBadDeclarations)
{
  Functions set (nebula_function_set_new ());
  const NebulaFunctionDescriptor bad[] = {
    { "upper", "a: string", "string", "", nullptr, call_tax },
    { "lowercase", "a: string", "string", "", nullptr, call_tax },
    { "Bad", "a: string", "string", "", nullptr, call_tax },
    { "one", "a: text", "string", "", nullptr, call_tax },
    { "one", "a", "string", "", nullptr, call_tax },
    { "one", "a?: string, b: string", "string", "", nullptr, call_tax },
    { "one", "a…: string, b: string", "string", "", nullptr, call_tax },
    { "one", "a: string", "nothing", "", nullptr, call_tax },
  };
  NebulaFunctionDescriptor good = { "one", "a: string or null, b…: any", "any", "", nullptr, call_tax };

  for (const auto &descriptor : bad)
    EXPECT_FALSE (nebula_function_set_add (set.get (), &descriptor, nullptr)) << descriptor.name << descriptor.parameters;
  EXPECT_TRUE (nebula_function_set_add (set.get (), &good, nullptr));
  Error error;
  EXPECT_FALSE (nebula_function_set_add (set.get (), &good, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_EXISTS));
}

TEST (FunctionSet, LoadsLateAndOnce)
{
  Functions set (nebula_function_set_new ());
  int loads = 0;
  Value entry = json ("{\"name\": \"tax_of\", \"parameters\": \"amount: number\", \"result\": \"float\"}");
  Value lost = json ("{\"name\": \"lost\", \"parameters\": \"\", \"result\": \"any\"}");
  Value broken = json ("5");

  ASSERT_TRUE (nebula_function_set_add_late (set.get (), entry.get (), load_tax, &loads, nullptr, nullptr));
  ASSERT_TRUE (nebula_function_set_add_late (set.get (), lost.get (), load_tax, &loads, nullptr, nullptr));
  EXPECT_FALSE (nebula_function_set_add_late (set.get (), broken.get (), load_tax, &loads, nullptr, nullptr));
  EXPECT_EQ (loads, 0);
  EXPECT_EQ (call_with (set.get (), "tax_of (10) + tax_of ($n)"), "4");
  EXPECT_EQ (call_with (set.get (), "tax_of (10)"), "2");
  EXPECT_EQ (loads, 1);
  EXPECT_EQ (call_with (set.get (), "lost ()"), "✗ module-broken");
}

static NebulaValue *
add_all (NebulaValue *arguments, gpointer user_data, GError **error)
{
  gint64 sum = *static_cast<gint64 *> (user_data);
  for (gsize i = 0; i < nebula_value_get_length (arguments); i++)
    sum += nebula_value_get_integer (nebula_value_get_item (arguments, i));
  if (sum < 0)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT, "Too little");
  return sum < 0 ? nullptr : nebula_value_new_integer (sum);
}

static void
mark (gpointer data)
{
  *static_cast<gint64 *> (data) = -1;
}

TEST (FunctionSet, CallsBack)
{
  Value entry = json ("{\"name\": \"add_all\", \"parameters\": \"first: integer, more…: integer\", \"result\": \"integer\"}");
  Value clash = json ("{\"name\": \"upper\", \"parameters\": \"\", \"result\": \"any\"}");
  gint64 start = 100, other = 0;
  Error error;
  {
    Functions set (nebula_function_set_new ());
    ASSERT_TRUE (nebula_function_set_add_callback (set.get (), entry.get (), add_all, &start, mark, error.out ())) << error.message ();
    EXPECT_EQ (call_with (set.get (), "add_all (1, 2) + add_all ($n)"), "213");
    EXPECT_EQ (call_with (set.get (), "map ([1, 2], addAll)"), "[101,102]");
    EXPECT_EQ (call_with (set.get (), "add_all (-200)"), "✗ invalid-argument");
    EXPECT_EQ (call_with (set.get (), "add_all ('x')"), "✗ type");
    EXPECT_EQ (call_with (set.get (), "add_all ()"), "✗ arity");
    EXPECT_FALSE (nebula_function_set_add_callback (set.get (), clash.get (), add_all, &other, mark, nullptr));
    EXPECT_EQ (other, -1);
    EXPECT_EQ (start, 100);
  }
  EXPECT_EQ (start, -1);
}

static NebulaValue *
get_field (const NebulaEnvironment *, const char *id, NebulaNodeField field, GError **error)
{
  if (strcmp (id, "a") == 0 || strcmp (id, "b") == 0)
    return field == NEBULA_NODE_FIELD_RESULT ? nebula_value_new_string (id) : nebula_value_new_null ();
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME, "no %s", id);
  return nullptr;
}

static NebulaValue *
get_loop (const NebulaEnvironment *, const char *, const char *, GError **)
{
  return nebula_value_new_integer (4);
}

static char **
list_nodes (const NebulaEnvironment *)
{
  static const char *const ids[] = { "a", "b", nullptr };
  return g_strdupv ((char **) ids);
}

TEST (Frozen, SeesTheUsedNamesOnAnyThread)
{
  Expression first (nebula_expression_compile ("$json.n + $loop.l.index + random_int (1, 1)", nullptr));
  Expression second (nebula_expression_compile ("$nodes.a.result + $nodes['b'].result + $nodes[$vars.id].result", nullptr));
  Expression other (nebula_expression_compile ("$tenant", nullptr));
  Expression unknown (nebula_expression_compile ("$nodes.c.result", nullptr));
  NebulaExpression *expressions[] = { first.get (), second.get (), unknown.get () };
  auto *live = new Environment ("{\"json\": {\"n\": 5}, \"vars\": {\"id\": \"b\"}, \"tenant\": \"t\"}", 100000);
  live->get ()->get_node = get_field;
  live->get ()->get_loop = get_loop;
  live->get ()->list_nodes = list_nodes;
  Owned<NebulaFrozen, nebula_frozen_unref> frozen (nebula_frozen_new (live->get (), expressions, 3));
  delete live;

  auto run = [&] (NebulaExpression *expression) -> std::string {
    NebulaEnvironment environment;
    Error error;
    nebula_frozen_init_environment (frozen.get (), &environment);
    Value value (nebula_expression_evaluate (expression, &environment, error.out ()));
    nebula_frozen_settle (frozen.get (), &environment);
    return value ? to_json (value) : std::string ("✗ ") + nebula_error_get_code (error.get ());
  };
  std::vector<std::thread> threads;
  std::atomic<int> right{ 0 };
  for (int i = 0; i < 3; i++)
    threads.emplace_back ([&] {
      for (int j = 0; j < 50; j++)
        right += run (first.get ()) == "10" && run (second.get ()) == "\"abb\"";
    });
  for (auto &thread : threads)
    thread.join ();
  EXPECT_EQ (right, 150);
  /* What is not used is not there; what was refused stays so. */
  EXPECT_EQ (run (other.get ()), "✗ unknown-name");
  EXPECT_EQ (run (unknown.get ()), "✗ unknown-name");
  /* The fuel is that of the node-run. */
  Expression hungry (nebula_expression_compile ("sum (range (90000) | map (x => $json.n))", nullptr));
  EXPECT_EQ (run (hungry.get ()), "✗ budget-exceeded");
  EXPECT_EQ (run (first.get ()), "✗ budget-exceeded");
}

/* A secret is a handle: whatever becomes text shows dots. */
TEST (Secrets, AreNotValues)
{
  Value secret (nebula_value_new_reference ("secret:token"));
  Value empty = json ("{\"plain\": 1}");
  Value data (nebula_value_with_member (empty.get (), "s", secret.get ()));
  Value whole (nebula_value_with_member (empty.get (), "json", data.get ()));
  Value nested (nebula_value_with_member (whole.get (), "s", secret.get ()));

  EXPECT_EQ (evaluate ("\"x ${$s}\"", nested.get ()), "\"x •••\"");
  EXPECT_EQ (evaluate ("Bearer {{ $s }}", nested.get (), NEBULA_COMPILE_TEMPLATE), "\"Bearer •••\"");
  EXPECT_EQ (evaluate ("{{ $json }}!", nested.get (), NEBULA_COMPILE_TEMPLATE), "\"{\\\"plain\\\":1,\\\"s\\\":\\\"•••\\\"}!\"");
  EXPECT_EQ (evaluate ("string ($s)", nested.get ()), "\"•••\"");
  EXPECT_EQ (evaluate ("to_json ([$json])", nested.get ()), "\"[{\\\"plain\\\":1,\\\"s\\\":\\\"•••\\\"}]\"");
  EXPECT_EQ (evaluate ("join ([$s, 'a'], ' ')", nested.get ()), "\"••• a\"");
  EXPECT_EQ (evaluate ("to_csv ([$json])", nested.get ()), "\"plain,s\\n1,•••\\n\"");
  for (const char *text : { "$s + 'x'", "upper ($s)", "length ($s)", "$s[0]", "sha256 ($s)", "base64_encode ($s)", "$s =~ 't'",
                            "'token' in $s", "split ($s, '')", "from_json ($s)", "$s.name" })
    EXPECT_EQ (outcome (evaluate (text, nested.get ())), "✗ type") << text;
}

static NebulaValue *
count_node (const NebulaEnvironment *self, const char *, NebulaNodeField field, GError **)
{
  ++*static_cast<int *> (self->data);
  return field == NEBULA_NODE_FIELD_RESULT ? nebula_value_parse_json ("{\"x\": {\"y\": 2}, \"z\": 3}", -1, NEBULA_JSON_FLAGS_NONE, nullptr)
                                           : nebula_value_new_integer (7);
}

/* However often a node stands in an expression, its result is fetched once for each evaluation. */
TEST (Sharing, NodesAreAskedOnce)
{
  Expression expression (nebula_expression_compile (
      "$nodes.a.result.x.y + $nodes['a'].result.z + sum (map ([1, 2, 3], n => n * $node.a.result.x.y)) + "
      "($nodes.a.result.x.y > 1 ? $nodes.a.result.z : 0)", nullptr));
  NebulaEnvironment environment = {};
  Error error;
  int asked = 0;

  ASSERT_TRUE (expression);
  environment.get_node = count_node;
  environment.data = &asked;
  for (int i = 1; i <= 3; i++) {
    environment.fuel = 100000;
    Value value (nebula_expression_evaluate (expression.get (), &environment, error.out ()));
    EXPECT_EQ (to_json (value), "20") << error.message ();
    EXPECT_EQ (asked, i);
  }
  /* Each field is one, and each node is another. */
  Expression fields (nebula_expression_compile ("[$nodes.a.result.z, $nodes.a.attempts, $nodes.b.result.z, $nodes.a.attempts]", nullptr));
  asked = 0;
  Value value (nebula_expression_evaluate (fields.get (), &environment, error.out ()));
  EXPECT_EQ (to_json (value), "[3,7,3,7]");
  EXPECT_EQ (asked, 3);
}

/* A path that stands more than once is read once, also where an earlier place was not reached. */
TEST (Sharing, PathsAreReadOnce)
{
  const char *data = "{\"json\": {\"a\": {\"b\": [1, 2]}, \"ok\": false}}";

  EXPECT_EQ (evaluate ("$json.a.b[0] + $json.a.b[1] + sum ($json.a.b)", data), "6");
  EXPECT_EQ (evaluate ("$json.ok ? $json.a.b[0] : $json.a.b[1]", data), "2");
  EXPECT_EQ (evaluate ("map ([1, 2], x => $json.a.b[0] + x) + $json.a.b", data), "[2,3,1,2]");
  EXPECT_EQ (evaluate ("($json.a?.c ?? 1) + ($json.a?.c ?? 2)", data), "3");
  EXPECT_EQ (evaluate ("[$json.a.b, $json?.a.b, $json.a?.b]", data), "[[1,2],[1,2],[1,2]]");
  EXPECT_EQ (outcome (evaluate ("$json.ok || $json.x.y == $json.x.y", data)), "✗ missing-property");
}
