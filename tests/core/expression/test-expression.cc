/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What expressions and templates mean, by tables of cases; references, constants, messages; templates in values. */

#include "expression-support.h"

#include <functional>
#include <set>
#include <thread>

using namespace nebula;

TEST (Expression, MeansWhatTheTableSays)
{
  Table table = read_table ("core/expression/cases.txt");
  Value data = json (table.data.c_str ());

  ASSERT_GT (table.rows.size (), 700u);
  for (const Row &row : table.rows)
    expect_outcome (row, evaluate (row.text.c_str (), data.get ()));
}

/* Random values are the only results that may differ. */
TEST (Expression, MeansTheSameWithoutFolding)
{
  Table table = read_table ("core/expression/cases.txt");
  Value data = json (table.data.c_str ());

  for (const Row &row : table.rows) {
    std::string plain = evaluate (row.text.c_str (), data.get (), NEBULA_COMPILE_NO_FOLDING);
    expect_outcome (row, plain);
    if (row.is_error) {
      EXPECT_EQ (plain, evaluate (row.text.c_str (), data.get ())) << row.text;
    }
  }
}

TEST (Expression, TemplatesMeanWhatTheTableSays)
{
  Table table = read_table ("core/expression/templates.txt");
  Value data = json (read_table ("core/expression/cases.txt").data.c_str ());

  for (const Row &row : table.rows) {
    Value text = json (row.text.c_str ());
    const char *string = nebula_value_get_string (text.get ());
    expect_outcome (row, evaluate (string, data.get (), NEBULA_COMPILE_TEMPLATE));
    expect_outcome (row, evaluate (string, data.get (), NEBULA_COMPILE_TEMPLATE | NEBULA_COMPILE_NO_FOLDING));
  }
}

/* Every function has a row in the table and a line of help. */
TEST (Expression, EveryFunctionHasACase)
{
  Table table = read_table ("core/expression/cases.txt");
  char **functions = nebula_expression_list_functions ();
  std::string all;

  for (const Row &row : table.rows)
    if (!row.is_error)
      all += row.text + "\n";
  ASSERT_GT (g_strv_length (functions), 150u);
  for (int i = 0; functions[i] != nullptr; i++) {
    std::string line (functions[i]);
    std::string name = line.substr (0, line.find ('('));
    EXPECT_NE (line.find (") — "), std::string::npos) << line;
    EXPECT_NE (all.find (name + "("), std::string::npos) << name << " has no case";
    if (i > 0) {
      EXPECT_LT (strcmp (functions[i - 1], functions[i]), 0) << line;
    }
  }
  g_strfreev (functions);
}

TEST (Expression, ExamplesOfTheDocumentationHold)
{
  std::ifstream file (source_path ("../docs/expressions.md"));
  std::string line;
  Value data = json (read_table ("core/expression/cases.txt").data.c_str ());
  int number = 0, found = 0;
  bool is_expression = false, is_template = false;

  ASSERT_TRUE (file.good ());
  while (std::getline (file, line)) {
    Row row;
    number++;
    if (line.rfind ("```", 0) == 0) {
      is_expression = line == "```expression";
      is_template = line == "```template";
    } else if ((is_expression || is_template) && !line.empty ()) {
      ASSERT_TRUE (parse_row (line, number, &row)) << number << ": " << line;
      if (is_template)
        row.text = nebula_value_get_string (json (row.text.c_str ()).get ());
      expect_outcome (row, evaluate (row.text.c_str (), data.get (),
                                     is_template ? NEBULA_COMPILE_TEMPLATE : NEBULA_COMPILE_NONE));
      found++;
    }
  }
  EXPECT_GT (found, 60);
}

static std::string
member (NebulaValue *object, const char *key)
{
  return nebula_value_get_member_string (object, key, "");
}

static std::string
join (NebulaValue *list, const std::string &separator, const std::function<std::string (NebulaValue *)> &write)
{
  std::string text;
  for (gsize i = 0; i < nebula_value_get_length (list); i++)
    text += (i > 0 ? separator : "") + write (nebula_value_get_item (list, i));
  return text;
}

/* What the documentation says of a function, out of what the help says. */
static std::string
document (NebulaValue *function)
{
  auto code = [] (NebulaValue *word) { return std::string ("`") + nebula_value_get_string (word) + "`"; };
  NebulaValue *parameters = nebula_value_get_member (function, "parameters");
  NebulaValue *errors = nebula_value_get_member (function, "errors");
  NebulaValue *aliases = nebula_value_get_member (function, "aliases");
  std::string text = "### " + member (function, "name") + "\n\n`" + member (function, "signature") + "`: " +
                     member (function, "description") + ".\n\n";

  if (nebula_value_get_length (parameters) > 0)
    text += "Takes " + join (parameters, "; ", [] (NebulaValue *p) { return member (p, "name") + ": " + member (p, "type"); }) + ". ";
  text += "Gives " + member (function, "result") + ".";
  if (nebula_value_get_length (errors) > 0)
    text += " Errors: " + join (errors, ", ", code) + ".";
  if (nebula_value_get_length (aliases) > 0)
    text += " Also called " + join (aliases, ", ", code) + ".";
  return text + "\n\n```expression\n" +
         join (nebula_value_get_member (function, "examples"), "\n",
               [] (NebulaValue *e) { return member (e, "expression") + " → " + member (e, "value"); }) +
         "\n```\n";
}

/* The documentation and the help say the same, and ExamplesOfTheDocumentationHold runs it. */
TEST (Expression, DocumentationListsEveryFunction)
{
  std::ifstream file (source_path ("../docs/expressions.md"));
  std::string all ((std::istreambuf_iterator<char> (file)), std::istreambuf_iterator<char> ());
  Value functions (nebula_expression_describe_functions (nullptr));

  ASSERT_GT (nebula_value_get_length (functions.get ()), 220u);
  for (gsize i = 0; i < nebula_value_get_length (functions.get ()); i++) {
    NebulaValue *function = nebula_value_get_item (functions.get (), i);
    EXPECT_EQ (nebula_value_get_length (nebula_value_get_member (function, "examples")), 2u);
    EXPECT_NE (all.find (document (function)), std::string::npos) << document (function);
  }
}

/* The errors that the help lists are codes; where it says type, something of another kind gives that. */
TEST (Expression, ListedErrorsAreTrue)
{
  Value functions (nebula_expression_describe_functions (nullptr));

  for (gsize i = 0; i < nebula_value_get_length (functions.get ()); i++) {
    NebulaValue *function = nebula_value_get_item (functions.get (), i);
    NebulaValue *errors = nebula_value_get_member (function, "errors");
    NebulaValue *parameters = nebula_value_get_member (function, "parameters");
    std::string first = nebula_value_get_length (errors) > 0 ? nebula_value_get_string (nebula_value_get_item (errors, 0)) : "";
    int types = 0;

    for (gsize j = 0; j < nebula_value_get_length (errors); j++) {
      NebulaError code;
      EXPECT_TRUE (nebula_error_code_from_string (nebula_value_get_string (nebula_value_get_item (errors, j)), &code));
    }
    if (nebula_value_get_length (parameters) == 0)
      continue;
    /* Some bad argument must give the error, and without it in the list none may. */
    for (const char *bad : { "5", "'x'", "true", "[[true]]", "{b: [true]}", "null", "duration ('1h')", "bytes ('a')" }) {
      std::string call = member (function, "name") + " (";
      for (gsize j = 0; j < nebula_value_get_length (parameters); j++) {
        NebulaValue *parameter = nebula_value_get_item (parameters, j);
        if (nebula_value_get_member_boolean (parameter, "optional", FALSE))
          types += outcome (evaluate (call + ")")) == "✗ type";
        call += std::string (j > 0 ? ", " : "") + bad;
      }
      types += outcome (evaluate (call + ")")) == "✗ type";
    }
    EXPECT_EQ (types > 0, first == "type") << member (function, "name");
  }
}

TEST (Expression, EmptyTextIsASyntaxError)
{
  for (const char *text : { "", "  ", "// nothing" })
    EXPECT_EQ (outcome (evaluate (text)), "✗ syntax");
}

TEST (Expression, InvalidUtf8IsASyntaxError)
{
  EXPECT_EQ (outcome (evaluate ("'\xff'")), "✗ syntax");
  Error error;
  Expression expression (nebula_expression_compile_template ("{{ '\xc3' }}", error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX));
}

TEST (Expression, ErrorsPointAtThePlace)
{
  const char *data = "{\"json\": {\"user\": {\"name\": \"Ann\"}}}";

  EXPECT_EQ (evaluate ("1 +\n  $json.usr.name", data),
             "✗ missing-property: There is no “usr” in “$json” (line 2, column 9)\n"
             "    $json.usr.name\n"
             "          ^\n"
             "Did you mean “user”?");
  EXPECT_NE (evaluate ("$json.user.nam", data).find ("“$json.user” (line 1, column 12)"), std::string::npos);
  EXPECT_NE (evaluate ("$jsn", data).find ("Did you mean “$json”?"), std::string::npos);
  EXPECT_NE (evaluate ("uper ('a')").find ("Did you mean “upper”?"), std::string::npos);
  EXPECT_NE (evaluate ("'é' + 1").find ("(line 1, column 5)\n  'é' + 1\n      ^\n"), std::string::npos);
  EXPECT_NE (evaluate ("1 | upper").find ("add parentheses"), std::string::npos);
  EXPECT_NE (evaluate ("map ([1], x => 1 / 0)").find ("(line 1, column 18)"), std::string::npos);
  EXPECT_NE (evaluate ("map ([1], value => valu)").find ("Did you mean “value”?"), std::string::npos);
  EXPECT_NE (evaluate ("'a' + 1").find ("string (x)"), std::string::npos);
}

TEST (Expression, LongLinesAreCutAroundThePlace)
{
  std::string message = evaluate (repeat ("1 + ", 100) + "'a'" + repeat (" + 1", 100));

  EXPECT_NE (message.find ("column 399"), std::string::npos) << message;
  EXPECT_LT (message.size (), 400u) << message;
}

TEST (Expression, ConstantsAreFolded)
{
  for (const char *text : { "1 + 2 * 3", "upper ('a') + \"${1}\"", "[1, {a: 2}].length ()", "null ?? 5" }) {
    Expression expression (nebula_expression_compile (text, nullptr));
    ASSERT_TRUE (expression);
    EXPECT_NE (nebula_expression_get_constant (expression.get ()), nullptr) << text;
    EXPECT_STREQ (nebula_expression_get_text (expression.get ()), text);
  }
  for (const char *text : { "$json", "1 / 0", "uuid ()", "now ()", "random ()", "[1] + shuffle ([1])" }) {
    Expression expression (nebula_expression_compile (text, nullptr));
    ASSERT_TRUE (expression);
    EXPECT_EQ (nebula_expression_get_constant (expression.get ()), nullptr) << text;
  }
}

TEST (Expression, EvaluatesWithoutEnvironment)
{
  Error error;
  Expression constant (nebula_expression_compile ("map ([1, 2], x => x * 2)", nullptr));
  Value value (nebula_expression_evaluate (constant.get (), nullptr, error.out ()));
  EXPECT_EQ (to_json (value), "[2,4]");

  Expression variable (nebula_expression_compile ("$json", nullptr));
  Value none (nebula_expression_evaluate (variable.get (), nullptr, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_UNKNOWN_NAME));

  Expression node (nebula_expression_compile ("$nodes.a.result", nullptr));
  none = Value (nebula_expression_evaluate (node.get (), nullptr, error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_UNKNOWN_NAME));
}

TEST (Expression, DataMustBeAnObject)
{
  Error error;
  Expression expression (nebula_expression_compile ("$json", nullptr));
  Value data = json ("[1]");
  Value none (nebula_expression_evaluate_data (expression.get (), data.get (), error.out ()));

  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TYPE));
}

TEST (Expression, AsksForEachNameOnce)
{
  Environment environment ("{\"json\": {\"a\": 2}}");
  Expression expression (nebula_expression_compile ("$json.a * $json.a + map ([1, 2, 3], x => x * $json.a)[0]", nullptr));
  Value value (nebula_expression_evaluate (expression.get (), environment.get (), nullptr));

  EXPECT_EQ (to_json (value), "6");
  EXPECT_EQ (environment.asked, 1);
}

TEST (Expression, RandomIsAFunctionOfTheCallIndex)
{
  Expression expression (nebula_expression_compile ("[uuid (), uuid (), random (), shuffle (range (9))]", nullptr));
  Environment first ("{}"), second ("{}");
  Value a (nebula_expression_evaluate (expression.get (), first.get (), nullptr));
  Value b (nebula_expression_evaluate (expression.get (), second.get (), nullptr));
  Value c (nebula_expression_evaluate (expression.get (), second.get (), nullptr));

  EXPECT_EQ (to_json (a), to_json (b));
  EXPECT_NE (to_json (a), to_json (c));
  EXPECT_EQ (first.get ()->random_calls, 2u + 2u + 1u + 9u);
}

static std::string
list_references (const char *text, bool is_template = false)
{
  Error error;
  Expression expression (is_template ? nebula_expression_compile_template (text, error.out ())
                                     : nebula_expression_compile (text, error.out ()));
  std::string result;
  guint count;

  EXPECT_TRUE (expression) << error.message ();
  const NebulaReference *reads = nebula_expression_get_references (expression.get (), &count);
  for (guint i = 0; i < count; i++) {
    result += std::string (reads[i].name) + "/" + (reads[i].id ? reads[i].id : "") + "/" +
              (reads[i].field ? reads[i].field : "") + "@" + std::to_string (reads[i].line) + ":" +
              std::to_string (reads[i].column) + " ";
    EXPECT_EQ (reads[i].name, g_intern_string (reads[i].name));
  }
  return result;
}

TEST (Expression, ListsItsReferences)
{
  EXPECT_EQ (list_references ("1 + 2"), "");
  EXPECT_EQ (list_references ("$json.a + $in.b"), "json//@1:1 json//@1:11 ");
  EXPECT_EQ (list_references ("$node.a.result.x + $nodes[\"b-c\"].status"), "nodes/a/result@1:1 nodes/b-c/status@1:20 ");
  EXPECT_EQ (list_references ("$nodes[$json.id].error"), "json//@1:8 nodes//error@1:1 ");
  EXPECT_EQ (list_references ("$nodes.a"), "nodes/a/@1:1 ");
  EXPECT_EQ (list_references ("$nodes"), "nodes//@1:1 ");
  EXPECT_EQ (list_references ("'é' +\n $loop.each.item.x"), "loop/each/item@2:2 ");
  EXPECT_EQ (list_references ("é {{ $a }}\n{{ $b }} {{ $a }}", true), "a//@1:6 b//@2:4 a//@2:13 ");
  EXPECT_EQ (list_references ("map ($list, x => x + $y) ? \"${$z}\" : 1"), "list//@1:6 y//@1:22 z//@1:31 ");
}

TEST (Expression, IsTemplate)
{
  EXPECT_TRUE (nebula_expression_is_template ("a {{ b }}"));
  EXPECT_TRUE (nebula_expression_is_template ("\\{{"));
  EXPECT_FALSE (nebula_expression_is_template ("{ a } ${b}"));
  EXPECT_FALSE (nebula_expression_is_template (""));
  EXPECT_FALSE (nebula_expression_is_template (nullptr));
}

TEST (Expression, TodayFollowsNowInData)
{
  EXPECT_EQ (evaluate ("string ($today)", "{\"now\": \"2026-03-01T23:30:00-05:00\"}"), "\"2026-03-01\"");
  EXPECT_EQ (outcome (evaluate ("$today", "{\"now\": 5}")), "✗ unknown-name");
  EXPECT_EQ (outcome (evaluate ("now ()")), "✗ unknown-name");
  EXPECT_EQ (evaluate ("$json", "{\"in\": 3}"), "3");
}

/* One program, many threads: the same answers. */
TEST (Expression, IsSharedByThreads)
{
  Expression expression (
      nebula_expression_compile ("$json.items | filter (x => x % 2 == 0 && \"n${x}\" =~ '^n\\\\d+$') | sum ()", nullptr));
  Value data = json ("{\"json\": {\"items\": [1, 2, 3, 4, 5, 6]}}");
  std::vector<std::thread> threads;
  std::atomic<int> right{ 0 };

  for (int i = 0; i < 4; i++)
    threads.emplace_back ([&] {
      for (int j = 0; j < 500; j++) {
        Value value (nebula_expression_evaluate_data (expression.get (), data.get (), nullptr));
        right += to_json (value) == "12";
      }
    });
  for (auto &thread : threads)
    thread.join ();
  EXPECT_EQ (right, 2000);
}

TEST (Expression, IsABoxedType)
{
  Expression expression (nebula_expression_compile ("1", nullptr));
  gpointer copy = g_boxed_copy (NEBULA_TYPE_EXPRESSION, expression.get ());

  EXPECT_EQ (copy, expression.get ());
  g_boxed_free (NEBULA_TYPE_EXPRESSION, copy);
}

static void
add_problem (const char *pointer, const GError *error, gpointer user_data)
{
  static_cast<std::vector<std::string> *> (user_data)->push_back (std::string (pointer) + " " +
                                                                 nebula_error_get_code (error));
}

static void
add_visit (const char *pointer, NebulaExpression *expression, gpointer user_data)
{
  static_cast<std::vector<std::string> *> (user_data)->push_back (std::string (pointer) + " " +
                                                                 nebula_expression_get_text (expression));
}

TEST (Template, EvaluatesStringsAtAnyDepth)
{
  Value value = json ("{\"a\": \"{{ $json.n }}\", \"b\": [1, \"x {{ $json.n + 1 }}\", {\"{{ key }}\": \"plain\"}], "
                      "\"c\": \"{{ 1 + 1 }}\"}");
  Template self (nebula_template_new (value.get (), nullptr, nullptr));
  Environment environment ("{\"json\": {\"n\": 5}}");
  Value result (nebula_template_evaluate (self.get (), environment.get (), nullptr));

  EXPECT_EQ (to_json (result), "{\"a\":5,\"b\":[1,\"x 6\",{\"{{ key }}\":\"plain\"}],\"c\":2}");
  EXPECT_FALSE (nebula_template_is_constant (self.get ()));
  EXPECT_EQ (nebula_template_get_value (self.get ()), value.get ());
}

TEST (Template, WithoutHolesIsTheValueItself)
{
  Value value = json ("{\"a\": [1, \"x\", {}], \"b\": null}");
  Template self (nebula_template_new (value.get (), nullptr, nullptr));
  Value result (nebula_template_evaluate (self.get (), nullptr, nullptr));

  EXPECT_TRUE (nebula_template_is_constant (self.get ()));
  EXPECT_EQ (result.get (), value.get ());
}

TEST (Template, FoldsConstantHoles)
{
  Value value = json ("{\"a\": [\"{{ 1 + 1 }}\", \"\\\\{{ x }}\"]}");
  Template self (nebula_template_new (value.get (), nullptr, nullptr));
  Value result (nebula_template_evaluate (self.get (), nullptr, nullptr));

  EXPECT_TRUE (nebula_template_is_constant (self.get ()));
  EXPECT_EQ (to_json (result), "{\"a\":[2,\"{{ x }}\"]}");
}

TEST (Template, ConstantKeepsBraces)
{
  Value value = json ("[\"{{ 1 + 1 }}\"]");
  Template self (nebula_template_new_constant (value.get ()));
  Value result (nebula_template_evaluate (self.get (), nullptr, nullptr));

  EXPECT_TRUE (nebula_template_is_constant (self.get ()));
  EXPECT_EQ (to_json (result), "[\"{{ 1 + 1 }}\"]");
}

TEST (Template, TellsEveryProblemWithItsPlace)
{
  Value value = json ("{\"a/b\": [\"{{ 1 + }}\", \"{{ ok ( }}\"], \"c~\": \"{{ $x }}\", \"d\": \"{{ upper () }}\"}");
  std::vector<std::string> problems, visits;
  Template self (nebula_template_new (value.get (), add_problem, &problems));

  EXPECT_EQ (problems, (std::vector<std::string>{ "/a~1b/0 syntax", "/a~1b/1 syntax", "/d arity" }));
  nebula_template_foreach (self.get (), add_visit, &visits);
  EXPECT_EQ (visits, (std::vector<std::string>{ "/c~0 {{ $x }}" }));
}

TEST (Template, FirstErrorEndsTheEvaluation)
{
  Error error;
  Value value = json ("[\"{{ $json.a }}\", \"{{ $json.nope }}\", \"{{ $json.neither }}\"]");
  Template self (nebula_template_new (value.get (), nullptr, nullptr));
  Environment environment ("{\"json\": {\"a\": 1}}");
  Value none (nebula_template_evaluate (self.get (), environment.get (), error.out ()));

  EXPECT_TRUE (has_error (error, NEBULA_ERROR_MISSING_PROPERTY));
  EXPECT_NE (std::string (error.message ()).find ("nope"), std::string::npos);
}

TEST (Template, IsABoxedType)
{
  Value value = json ("1");
  Template self (nebula_template_new (value.get (), nullptr, nullptr));
  gpointer copy = g_boxed_copy (NEBULA_TYPE_TEMPLATE, self.get ());

  EXPECT_EQ (copy, self.get ());
  g_boxed_free (NEBULA_TYPE_TEMPLATE, copy);
}
