/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named validators: one accepted and one refused value for each of the catalogue, what they say, custom rules, and rules
 * that answer later. */
#include "nebula-test.h"

#include <set>
#include <string>
#include <vector>

#include "nebula-validator.h"

using nebula::Error;
using nebula::json;
using nebula::Value;

namespace
{

using Validator = nebula::Owned<NebulaValidator, nebula_validator_unref>;
using Table = nebula::Owned<NebulaValidatorTable, nebula_validator_table_unref>;

Validator
make (const char *rules, NebulaValidatorTable *table = nullptr)
{
  Error error;
  Validator validator (nebula_validator_new (json (rules).get (), table, error.out ()));

  EXPECT_TRUE (validator) << rules << ": " << error.message ();
  return validator;
}

std::vector<std::string>
list (GPtrArray *violations)
{
  std::vector<std::string> lines;

  for (guint i = 0; violations && i < violations->len; i++) {
    NebulaViolation *violation = (NebulaViolation *) g_ptr_array_index (violations, i);

    lines.push_back (std::string (nebula_violation_get_pointer (violation)) + " " + nebula_violation_get_rule (violation) + ": " +
                     nebula_violation_get_reason (violation));
  }
  if (violations)
    g_ptr_array_unref (violations);
  return lines;
}

std::vector<std::string>
check (const Validator &validator, const char *value)
{
  Error error;
  GPtrArray *violations = nebula_validator_check (validator.get (), json (value).get (), error.out ());

  EXPECT_NE (violations, nullptr) << error.message ();
  return list (violations);
}

struct CatalogueCase {
  const char *name;
  const char *argument;
  const char *good;
  const char *bad;
};

const CatalogueCase catalogue[] = {
    {"not-null", "true", "1", "null"},
    {"required", "[\"a\",\"b\"]", R"({"a":1,"b":2})", R"({"a":1,"b":null})"},
    {"required-if", R"({"field":"b","if":{"required":"a"}})", R"({"c":1})", R"({"a":1})"},
    {"forbidden-if", R"({"field":"b","if":{"required":"a"}})", R"({"b":1})", R"({"a":1,"b":1})"},
    {"when", R"({"if":"integer","then":"positive","else":"email"})", "\"a@example.com\"", "-1"},
    {"min-length", "2", "\"äö\"", "\"ä\""},
    {"max-length", "2", "\"äö\"", "\"äöü\""},
    {"exact-length", "2", "\"äö\"", "\"a\""},
    {"contains", "\"b\"", "\"abc\"", "\"ac\""},
    {"starts-with", "\"ab\"", "\"abc\"", "\"bc\""},
    {"ends-with", "\"bc\"", "\"abc\"", "\"c\""},
    {"non-empty", "true", "\"a\"", "\" \\t\""},
    {"alphanumeric", "true", "\"aß9\"", "\"a-b\""},
    {"pattern", "\"^a+$\"", "\"aa\"", "\"ab\""},
    {"not-pattern", "\"^a+$\"", "\"ab\"", "\"aa\""},
    {"base64", "true", "\"Zm9v\"", "\"Zm9\""},
    {"credit-card", "true", "\"4111 1111 1111 1111\"", "\"4111 1111 1111 1112\""},
    {"cron", "true", "\"0 3 * * *\"", "\"0 3 30 2 *\""},
    {"date", "true", "\"2024-02-29\"", "\"2023-02-29\""},
    {"date-time", "true", "\"2024-02-29T00:00:00Z\"", "\"2024-02-29\""},
    {"duration", "true", "\"PT1H\"", "\"1h\""},
    {"email", "true", "\"a@example.com\"", "\"a\""},
    {"hex", "true", "\"00ff\"", "\"0\""},
    {"hostname", "true", "\"example.com\"", "\"-a\""},
    {"iban", "true", "\"DE89370400440532013000\"", "\"DE89370400440532013001\""},
    {"ip", "true", "\"::1\"", "\"1.2.3\""},
    {"ipv4", "true", "\"1.2.3.4\"", "\"::1\""},
    {"ipv6", "true", "\"::1\"", "\"1.2.3.4\""},
    {"json", "true", "\"[1]\"", "\"[1\""},
    {"json-pointer", "true", "\"/a\"", "\"a\""},
    {"mac", "true", "\"00:1b:44:11:3a:b7\"", "\"00:1b\""},
    {"phone", "true", "\"+39 06 69812345\"", "\"06 69812345\""},
    {"port", "true", "443", "70000"},
    {"regex", "true", "\"a+\"", "\"a(\""},
    {"semver", "true", "\"1.2.3\"", "\"1.2\""},
    {"slug", "true", "\"a-b\"", "\"a b\""},
    {"time", "true", "\"08:30:06Z\"", "\"08:30\""},
    {"time-zone", "true", "\"Europe/Rome\"", "\"../etc/passwd\""},
    {"uri", "true", "\"urn:a:b\"", "\"/a\""},
    {"url", "true", "\"https://example.com\"", "\"urn:a:b\""},
    {"uuid", "true", "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"", "\"f81d4fae\""},
    {"xml", "true", "\"<a/>\"", "\"<a>\""},
    {"positive", "true", "0.5", "0"},
    {"negative", "true", "-0.5", "0"},
    {"integer", "true", "3.0", "3.5"},
    {"even", "true", "-4", "3"},
    {"odd", "true", "-3", "3.5"},
    {"finite", "true", "1e300", "\"1\""},
    {"multiple-of", "0.1", "0.3", "0.35"},
    {"less-than", "3", "2.9", "3"},
    {"at-most", "3", "3", "3.1"},
    {"greater-than", "3", "3.1", "3"},
    {"at-least", "3", "3", "2.9"},
    {"between", "[1,3]", "3", "3.1"},
    {"length", "[1,2]", "[1,2]", "[]"},
    {"each", "\"positive\"", "[1,2]", "[1,-2]"},
    {"field", R"({"a":"positive"})", R"({"a":1})", R"({"a":-1})"},
    {"unique", "true", "[1,2]", "[1,1.0]"},
    {"sorted", "true", "[1,1,2]", "[2,1]"},
    {"contains-all", "[1,2]", "[3,2,1]", "[1,3]"},
    {"in", "[\"a\",1]", "1", "2"},
    {"not-in", "[\"a\",1]", "2", "\"a\""},
    {"depth", "2", "[[1]]", "[[[1]]]"},
    {"and", "[\"positive\",\"even\"]", "2", "3"},
    {"or", "[\"positive\",\"even\"]", "3", "-3"},
    {"xor", "[\"positive\",\"even\"]", "3", "2"},
    {"not", "\"even\"", "3", "2"},
    {"all", "\"even\"", "[2,4]", "[2,3]"},
    {"any", "\"even\"", "[1,2]", "[1,3]"},
    {"none", "\"even\"", "[1,3]", "[1,2]"},
    {"equals-field", "[\"a\",\"b\"]", R"({"a":1,"b":1.0})", R"({"a":1})"},
    {"greater-field", "[\"a\",\"b\"]", R"({"a":2,"b":1})", R"({"a":1,"b":1})"},
    {"less-field", "[\"a\",\"b\"]", R"({"a":1,"b":2})", R"({"a":1,"b":1})"},
    {"range", "[\"a\",\"b\"]", R"({"a":1,"b":1})", R"({"a":2,"b":1})"},
    {"sum-equals", R"({"fields":["a","b"],"total":"c"})", R"({"a":0.1,"b":0.2,"c":0.3})", R"({"a":1,"b":1,"c":3})"},
    {"unique-together", "[\"a\",\"b\"]", R"([{"a":1,"b":1},{"a":1,"b":2}])", R"([{"a":1,"b":1},{"a":1,"b":1,"c":2}])"},
    {"depends-on", R"({"field":"a","on":["b"]})", R"({"b":1})", R"({"a":1})"},
};

class Catalogue : public testing::TestWithParam<CatalogueCase>
{
};

TEST_P (Catalogue, AcceptsAndRefuses)
{
  const CatalogueCase &c = GetParam ();
  std::string rules = std::string ("{\"") + c.name + "\":" + c.argument + "}";
  Validator validator = make (rules.c_str ());

  EXPECT_TRUE (check (validator, c.good).empty ()) << c.name;
  EXPECT_FALSE (check (validator, c.bad).empty ()) << c.name;
  Error error;
  EXPECT_FALSE (nebula_validator_validate (validator.get (), json (c.bad).get (), error.out ()));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_TRUE (nebula_validator_validate (validator.get (), json (c.good).get (), error.out ()));
  EXPECT_EQ (check (validator, "null").empty (), strcmp (c.name, "not-null") != 0) << c.name;
}

INSTANTIATE_TEST_SUITE_P (All, Catalogue, testing::ValuesIn (catalogue));

TEST (Validator, TheCatalogueIsTestedWhole)
{
  GStrv names = nebula_validator_list_names ();
  std::set<std::string> tested;

  for (const CatalogueCase &c : catalogue)
    tested.insert (c.name);
  EXPECT_EQ (g_strv_length (names), tested.size ());
  for (guint i = 0; names[i]; i++)
    EXPECT_EQ (tested.count (names[i]), 1u) << names[i];
  EXPECT_GE (tested.size (), 70u);
  g_strfreev (names);
}

TEST (Validator, TellsAllWithTheirPlaces)
{
  Validator validator = make (R"({"field":{"name":["not-null","non-empty"],"lines":{"each":{"field":{"qty":["integer",{"between":[1,9]}]}}},"mail":"email"},"range":["from","to"]})");

  EXPECT_THAT (check (validator, R"({"lines":[{"qty":1},{"qty":10.5}],"mail":"x","from":2,"to":1})"),
               testing::ElementsAre ("/name not-null: it must not be null", "/lines/1/qty integer: it must be a whole number",
                                     "/lines/1/qty between: it must lie within [1,9]", "/mail email: it must have the format “email”",
                                     " range: the first must not be more than the second: [\"from\",\"to\"]"));
  EXPECT_THAT (check (make (R"({"required":["a","b"]})"), "{}"),
               testing::ElementsAre ("/a required: it is required; give it a value", "/b required: it is required; give it a value"));
  EXPECT_THAT (check (make (R"({"forbidden-if":{"field":"b","if":{"required":"a"}}})"), R"({"a":1,"b":1})"),
               testing::ElementsAre ("/b forbidden-if: it must not be given here; remove it"));
  EXPECT_THAT (check (make (R"({"each":"even"})"), "3"), testing::ElementsAre (testing::HasSubstr ("each")));
}

TEST (Validator, NeverShowsTheValue)
{
  Validator validator = make (R"([{"min-length":20},"email",{"pattern":"^x"},{"in":["a"]},{"starts-with":"b"},"uuid",{"not":"slug"}])");

  for (const std::string &line : check (validator, "\"s3cr3t\""))
    EXPECT_EQ (line.find ("s3cr3t"), std::string::npos) << line;
}

TEST (Validator, RefusesBadRules)
{
  const char *bad[][2] = {
      {"1", "name, an object"},
      {"\"no-such\"", "“no-such”"},
      {R"({"email":false})", "argument"},
      {R"({"min-length":-1})", "argument"},
      {R"({"min-length":"3"})", "argument"},
      {R"({"multiple-of":"3"})", "argument"},
      {R"({"contains":3})", "argument"},
      {R"({"pattern":"("})", "regular expression"},
      {R"({"in":3})", "argument"},
      {R"({"required":[]})", "argument"},
      {R"({"range":["a"]})", "argument"},
      {R"({"between":[3,1]})", "argument"},
      {R"({"each":1})", "name, an object"},
      {R"({"and":["no-such"]})", "no-such"},
      {R"({"field":{"a":1}})", "name, an object"},
      {R"({"when":{"if":"email"}})", "argument"},
      {R"({"required-if":{"field":"a"}})", "argument"},
      {R"({"depends-on":{"field":"a"}})", "argument"},
      {R"({"sum-equals":{"fields":["a"]}})", "argument"},
  };
  for (auto &c : bad) {
    Error error;

    EXPECT_EQ (nebula_validator_new (json (c[0]).get (), nullptr, error.out ()), nullptr) << c[0];
    EXPECT_THAT (error.message (), testing::HasSubstr (c[1]));
  }
  std::string deep;
  for (int i = 0; i < 100; i++)
    deep += R"({"not":)";
  deep += "\"email\"" + std::string (100, '}');
  Error error;
  EXPECT_EQ (nebula_validator_new (json (deep.c_str ()).get (), nullptr, error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_TOO_DEEP));
}

TEST (Validator, RunsOutOfBudget)
{
  std::string rule = "\"even\"", value = "2";
  for (int i = 0; i < 6; i++) {
    rule = R"({"each":)" + rule + "}";
    std::string row = "[";
    for (int j = 0; j < 16; j++)
      row += (j > 0 ? "," : "") + value;
    value = row + "]";
  }
  Error error;
  Validator validator = make (rule.c_str ());
  EXPECT_EQ (nebula_validator_check (validator.get (), json (value.c_str ()).get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED));
}

gboolean
is_ours (NebulaValue *value, NebulaValue *argument, gpointer data)
{
  (*(int *) data)++;
  return nebula_value_equal (value, argument);
}

struct Later {
  std::vector<GTask *> tasks;
};

void
answer_later (GTask *task, NebulaValue *value, NebulaValue *argument, gpointer data)
{
  ((Later *) data)->tasks.push_back ((GTask *) g_object_ref (task));
}

class CustomRule : public nebula::LoopTest
{
protected:
  void SetUp () override
  {
    LoopTest::SetUp ();
    table = Table (nebula_validator_table_new ());
    nebula_validator_table_add (table.get (), "ours", "it must be ours", is_ours, &calls, nullptr);
    nebula_validator_table_add_async (table.get (), "known", "nobody knows it", answer_later, &later, nullptr);
    clock = NEBULA_CLOCK (nebula_manual_clock_new (0, 1));
  }
  void TearDown () override
  {
    g_object_unref (clock);
    LoopTest::TearDown ();
  }
  static void on_done (GObject *, GAsyncResult *result, gpointer data)
  {
    CustomRule *self = (CustomRule *) data;

    self->done = true;
    self->found = list (nebula_validator_check_finish (result, self->error.out ()));
  }
  void start (const char *rules, const char *value, gint64 timeout = 0, GCancellable *cancellable = nullptr)
  {
    Validator validator = make (rules, table.get ());

    done = false;
    nebula_validator_check_async (validator.get (), json (value).get (), clock, timeout, cancellable, on_done, this);
  }
  void answer (guint index, bool holds)
  {
    g_task_return_boolean (later.tasks[index], holds);
    g_object_unref (later.tasks[index]);
    turn ();
  }
  void turn ()
  {
    while (g_main_context_iteration (context_, FALSE))
      ;
  }

  Table table;
  NebulaClock *clock = nullptr;
  Later later;
  int calls = 0;
  bool done = false;
  std::vector<std::string> found;
  Error error;
};

TEST_F (CustomRule, IsAskedByItsName)
{
  Validator validator = make (R"({"ours":7})", table.get ());

  EXPECT_TRUE (check (validator, "7").empty ());
  EXPECT_THAT (check (validator, "8"), testing::ElementsAre (" ours: it must be ours"));
  EXPECT_EQ (calls, 2);
  EXPECT_TRUE (check (make (R"({"or":["email",{"ours":1}]})", table.get ()), "1").empty ());
}

TEST_F (CustomRule, AnswersLater)
{
  start (R"({"field":{"a":"known","b":["email","known"]}})", R"({"a":1,"b":"x"})");
  turn ();
  EXPECT_FALSE (done);
  ASSERT_EQ (later.tasks.size (), 2u) << "all are asked at once";
  answer (1, true);
  EXPECT_FALSE (done);
  answer (0, false);
  EXPECT_TRUE (done);
  EXPECT_THAT (found, testing::ElementsAre ("/b email: it must have the format “email”", "/a known: nobody knows it"));
}

TEST_F (CustomRule, NeedsNoLoopIfNothingIsAsked)
{
  start ("\"email\"", "\"x\"");
  turn ();
  EXPECT_TRUE (done);
  EXPECT_EQ (found.size (), 1u);
}

TEST_F (CustomRule, IsGivenUpAfterItsTime)
{
  start ("\"known\"", "1", 5 * G_USEC_PER_SEC);
  nebula_manual_clock_advance (NEBULA_MANUAL_CLOCK (clock), 4 * G_USEC_PER_SEC);
  turn ();
  EXPECT_FALSE (done);
  nebula_manual_clock_advance (NEBULA_MANUAL_CLOCK (clock), 2 * G_USEC_PER_SEC);
  turn ();
  EXPECT_TRUE (done);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_TIMED_OUT));
  EXPECT_TRUE (g_cancellable_is_cancelled (g_task_get_cancellable (later.tasks[0])));
  answer (0, true);
}

TEST_F (CustomRule, HearsTheCancel)
{
  GCancellable *cancellable = g_cancellable_new ();

  start ("\"known\"", "1", 0, cancellable);
  g_cancellable_cancel (cancellable);
  EXPECT_TRUE (g_cancellable_is_cancelled (g_task_get_cancellable (later.tasks[0])));
  answer (0, true);
  EXPECT_TRUE (done);
  EXPECT_TRUE (g_error_matches (error.get (), G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_object_unref (cancellable);
}

TEST_F (CustomRule, CanOnlyBeAskedWhereItsAnswerCounts)
{
  Validator validator = make ("\"known\"", table.get ());

  EXPECT_EQ (nebula_validator_check (validator.get (), json ("1").get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_UNSUPPORTED));
  EXPECT_EQ (nebula_validator_new (json (R"({"not":"known"})").get (), table.get (), error.out ()), nullptr);
  EXPECT_THAT (error.message (), testing::HasSubstr ("comes later"));
  EXPECT_EQ (nebula_validator_new (json (R"({"any":{"and":["known"]}})").get (), table.get (), error.out ()), nullptr);
}

} // namespace
