/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-test.h"

#include <cmath>
#include <ostream>

#include "nebula-expression.h"
#include "nebula-parameter-enums.h"
#include "nebula-parameter.h"

namespace
{

using nebula::Error;
using nebula::json;
using nebula::to_json;
using nebula::Value;
using Parameter = nebula::Owned<NebulaParameter, nebula_parameter_unref>;
using Table = nebula::Owned<NebulaParameterTable, nebula_parameter_table_unref>;

Parameter
make (NebulaParameterKind kind, const char *name = "p")
{
  return Parameter (nebula_parameter_new (name, kind));
}

/* One accepting and one rejecting case for each kind. */
struct Case
{
  NebulaParameterKind kind;
  const char *accepted;
  const char *refused;
};

void
PrintTo (const Case &test, std::ostream *out)
{
  *out << test.accepted << " and not " << test.refused;
}

class KindTest : public testing::TestWithParam<Case>
{
};

TEST_P (KindTest, AcceptsAndRefuses)
{
  const Case &test = GetParam ();
  Parameter parameter = make (test.kind);
  static const char *const options[] = { "a", "b", nullptr };
  if (test.kind == NEBULA_PARAMETER_KIND_SELECT || test.kind == NEBULA_PARAMETER_KIND_MULTI_SELECT)
    nebula_parameter_set_options (parameter.get (), options);
  Error error;
  Value accepted = json (test.accepted);
  Value refused = json (test.refused);
  EXPECT_TRUE (nebula_parameter_validate (parameter.get (), accepted.get (), error.out ())) << error.message ();
  EXPECT_FALSE (nebula_parameter_validate (parameter.get (), refused.get (), error.out ()));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_PARAMETER));
  EXPECT_THAT (error.message (), testing::HasSubstr ("“p”"));

  /* A schema has a type that fits, and the kind survives the way through the catalogue. */
  Value schema (nebula_parameter_to_json_schema (parameter.get ()));
  EXPECT_STRNE (nebula_value_get_member_string (schema.get (), "x-nebula-kind", ""), "");
  Value value (nebula_parameter_to_value (parameter.get ()));
  Parameter copy (nebula_parameter_new_from_value (value.get (), error.out ()));
  ASSERT_TRUE (copy) << error.message ();
  EXPECT_EQ (nebula_parameter_get_kind (copy.get ()), test.kind);
}

INSTANTIATE_TEST_SUITE_P (
    Kinds, KindTest,
    testing::Values (Case { NEBULA_PARAMETER_KIND_TEXT, "\"x\"", "1" }, Case { NEBULA_PARAMETER_KIND_TEXTAREA, "\"a\\nb\"", "[]" },
                     Case { NEBULA_PARAMETER_KIND_SECRET, "\"x\"", "1" }, Case { NEBULA_PARAMETER_KIND_NUMBER, "1.5", "\"1\"" },
                     Case { NEBULA_PARAMETER_KIND_INTEGER, "3", "3.5" }, Case { NEBULA_PARAMETER_KIND_BOOLEAN, "true", "\"true\"" },
                     Case { NEBULA_PARAMETER_KIND_SELECT, "\"a\"", "\"c\"" },
                     Case { NEBULA_PARAMETER_KIND_MULTI_SELECT, "[\"a\", \"b\"]", "[\"a\", \"c\"]" },
                     Case { NEBULA_PARAMETER_KIND_DATE_TIME, "\"2030-01-31T12:00:00Z\"", "\"tomorrow\"" },
                     Case { NEBULA_PARAMETER_KIND_DURATION, "\"1h30m\"", "30" },
                     Case { NEBULA_PARAMETER_KIND_SIZE, "\"64MiB\"", "\"many\"" }, Case { NEBULA_PARAMETER_KIND_CODE, "\"x = 1\"", "{}" },
                     Case { NEBULA_PARAMETER_KIND_EXPRESSION, "\"$item.a\"", "{}" },
                     Case { NEBULA_PARAMETER_KIND_EXPRESSIONS, "{\"a\": \"1 + 1\"}", "{\"a\": 2}" },
                     Case { NEBULA_PARAMETER_KIND_JSON, "{\"a\": [1, true]}", "null" },
                     Case { NEBULA_PARAMETER_KIND_FILE, "\"a/b\"", "\"\"" }, Case { NEBULA_PARAMETER_KIND_OBJECT, "{}", "[]" },
                     Case { NEBULA_PARAMETER_KIND_LIST, "[1]", "{}" }, Case { NEBULA_PARAMETER_KIND_STRINGS, "[\"a\"]", "[1]" },
                     Case { NEBULA_PARAMETER_KIND_WORKFLOW, "\"sub.yaml\"", "\"\"" },
                     Case { NEBULA_PARAMETER_KIND_HIDDEN, "1", "null" }));

TEST (ParameterTest, ErrorsOfParsedKinds)
{
  Error error;
  Parameter size = make (NEBULA_PARAMETER_KIND_SIZE);
  EXPECT_FALSE (nebula_parameter_validate (size.get (), json ("-1").get (), error.out ()));
  EXPECT_TRUE (nebula_parameter_validate (size.get (), json ("4096").get (), error.out ()));
  Parameter duration = make (NEBULA_PARAMETER_KIND_DURATION);
  EXPECT_FALSE (nebula_parameter_validate (duration.get (), json ("\"30\"").get (), error.out ()));
  Value span (nebula_value_new_duration (5));
  EXPECT_TRUE (nebula_parameter_validate (duration.get (), span.get (), error.out ()));
  Parameter path = make (NEBULA_PARAMETER_KIND_FILE);
  EXPECT_FALSE (nebula_parameter_validate (path.get (), json ("\"a\\u0000b\"").get (), error.out ()));
  Parameter integer = make (NEBULA_PARAMETER_KIND_INTEGER);
  EXPECT_FALSE (nebula_parameter_validate (integer.get (), json ("2.0").get (), error.out ()));
  EXPECT_THAT (error.message (), testing::HasSubstr ("div (a, b)"));
}

TEST (ParameterTest, NullNeedsTheFlag)
{
  Error error;
  Parameter parameter = make (NEBULA_PARAMETER_KIND_TEXT);
  EXPECT_FALSE (nebula_parameter_validate (parameter.get (), json ("null").get (), error.out ()));
  nebula_parameter_add_flags (parameter.get (), NEBULA_PARAMETER_FLAGS_NULLABLE);
  EXPECT_TRUE (nebula_parameter_validate (parameter.get (), json ("null").get (), error.out ()));
}

TEST (ParameterTest, RangeLengthAndPattern)
{
  Error error;
  Parameter number = make (NEBULA_PARAMETER_KIND_NUMBER);
  nebula_parameter_set_range (number.get (), 1, 2);
  for (const char *good : { "1", "1.5", "2" })
    EXPECT_TRUE (nebula_parameter_validate (number.get (), json (good).get (), error.out ())) << good;
  for (const char *bad : { "0", "2.001", "-1e300" })
    EXPECT_FALSE (nebula_parameter_validate (number.get (), json (bad).get (), error.out ())) << bad;

  Parameter text = make (NEBULA_PARAMETER_KIND_TEXT);
  nebula_parameter_set_length (text.get (), 2, 3);
  nebula_parameter_set_pattern (text.get (), "^[ä-ü]+$");
  EXPECT_TRUE (nebula_parameter_validate (text.get (), json ("\"äöü\"").get (), error.out ())) << error.message ();
  EXPECT_FALSE (nebula_parameter_validate (text.get (), json ("\"ä\"").get (), error.out ()));
  EXPECT_FALSE (nebula_parameter_validate (text.get (), json ("\"äöüä\"").get (), error.out ()));
  EXPECT_FALSE (nebula_parameter_validate (text.get (), json ("\"abc\"").get (), error.out ()));

  Parameter list = make (NEBULA_PARAMETER_KIND_LIST);
  nebula_parameter_set_length (list.get (), 1, -1);
  EXPECT_FALSE (nebula_parameter_validate (list.get (), json ("[]").get (), error.out ()));
}

TEST (ParameterTest, SlowPatternGivesUp)
{
  Error error;
  Parameter text = make (NEBULA_PARAMETER_KIND_TEXT);
  nebula_parameter_set_pattern (text.get (), "^(a+)+$");
  std::string hostile (100, 'a');
  Value value (nebula_value_new_string ((hostile + "!").c_str ()));
  EXPECT_FALSE (nebula_parameter_validate (text.get (), value.get (), error.out ()));
}

TEST (ParameterTest, SecretsAreNeverTold)
{
  Error error;
  Parameter secret = make (NEBULA_PARAMETER_KIND_SELECT, "token");
  static const char *const options[] = { "a", nullptr };
  Value hidden (nebula_value_new_string ("hunter2"));
  nebula_parameter_set_options (secret.get (), options);
  nebula_parameter_add_flags (secret.get (), NEBULA_PARAMETER_FLAGS_SECRET);
  nebula_parameter_set_default (secret.get (), hidden.get ());
  EXPECT_FALSE (nebula_parameter_validate (secret.get (), hidden.get (), error.out ()));
  EXPECT_THAT (error.message (), testing::Not (testing::HasSubstr ("hunter2")));
  EXPECT_THAT (to_json (Value (nebula_parameter_to_value (secret.get ()))), testing::Not (testing::HasSubstr ("hunter2")));
  EXPECT_THAT (to_json (Value (nebula_parameter_to_json_schema (secret.get ()))), testing::Not (testing::HasSubstr ("hunter2")));

  Parameter duration = make (NEBULA_PARAMETER_KIND_DURATION, "time");
  nebula_parameter_add_flags (duration.get (), NEBULA_PARAMETER_FLAGS_SECRET);
  EXPECT_FALSE (nebula_parameter_validate (duration.get (), hidden.get (), error.out ()));
  EXPECT_THAT (error.message (), testing::Not (testing::HasSubstr ("hunter2")));

  Table table (nebula_parameter_table_new ());
  nebula_parameter_table_add (table.get (), secret.get ());
  nebula_parameter_table_add (table.get (), make (NEBULA_PARAMETER_KIND_TEXT, "url").get ());
  Value values = json ("{\"token\": \"hunter2\", \"url\": \"x\"}");
  EXPECT_EQ (to_json (Value (nebula_parameter_table_mask (table.get (), values.get ()))), "{\"token\":\"••••••\",\"url\":\"x\"}");
  Value without = json ("{\"url\": \"x\"}");
  EXPECT_EQ (to_json (Value (nebula_parameter_table_mask (table.get (), without.get ()))), "{\"url\":\"x\"}");
}

/* Conditions */

struct ConditionCase
{
  const char *condition;
  bool holds;
};

void
PrintTo (const ConditionCase &test, std::ostream *out)
{
  *out << test.condition;
}

class ConditionTest : public testing::TestWithParam<ConditionCase>
{
};

const char *const condition_values = R"({"s": "hello", "n": 5, "yes": true, "no": false, "nil": null, "e": "", "l": ["a", 1], "o": {"k": 1}, "el": [], "eo": {}})";

TEST_P (ConditionTest, Holds)
{
  Parameter parameter = make (NEBULA_PARAMETER_KIND_TEXT);
  Value condition = json (GetParam ().condition);
  Value values = json (condition_values);
  nebula_parameter_set_show_if (parameter.get (), condition.get ());
  EXPECT_EQ (nebula_parameter_is_visible (parameter.get (), values.get ()), GetParam ().holds) << GetParam ().condition;
}

INSTANTIATE_TEST_SUITE_P (
    Operators, ConditionTest,
    testing::Values (
        ConditionCase { R"({"equals": {"n": 5}})", true }, ConditionCase { R"({"equals": {"n": 5.0, "s": "hello"}})", true },
        ConditionCase { R"({"equals": {"n": 5, "s": "x"}})", false }, ConditionCase { R"({"equals": {"missing": 1}})", false },
        ConditionCase { R"({"not-equals": {"n": 6}})", true }, ConditionCase { R"({"not-equals": {"n": 5}})", false },
        ConditionCase { R"({"not-equals": {"missing": 5}})", true }, ConditionCase { R"({"set": "s"})", true },
        ConditionCase { R"({"set": ["s", "nil"]})", false }, ConditionCase { R"({"set": "missing"})", false },
        ConditionCase { R"({"empty": ["e", "nil", "missing", "el", "eo"]})", true }, ConditionCase { R"({"empty": "s"})", false },
        ConditionCase { R"({"empty": "no"})", false }, ConditionCase { R"({"true": "yes"})", true },
        ConditionCase { R"({"true": "n"})", false }, ConditionCase { R"({"false": "no"})", true },
        ConditionCase { R"({"false": "missing"})", false }, ConditionCase { R"({"greater": {"n": 4}})", true },
        ConditionCase { R"({"greater": {"n": 5}})", false }, ConditionCase { R"({"greater": {"s": 5}})", false },
        ConditionCase { R"({"less": {"n": 5.5}})", true }, ConditionCase { R"({"less": {"n": 5}})", false },
        ConditionCase { R"({"in-range": {"n": [5, 7]}})", true }, ConditionCase { R"({"in-range": {"n": [6, 7]}})", false },
        ConditionCase { R"({"contains": {"l": "a"}})", true }, ConditionCase { R"({"contains": {"l": 2}})", false },
        ConditionCase { R"({"contains": {"s": "ell"}})", true }, ConditionCase { R"({"contains": {"o": "k"}})", true },
        ConditionCase { R"({"contains": {"n": "5"}})", false }, ConditionCase { R"({"starts-with": {"s": "he"}})", true },
        ConditionCase { R"({"starts-with": {"s": "lo"}})", false }, ConditionCase { R"({"ends-with": {"s": "lo"}})", true },
        ConditionCase { R"({"ends-with": {"n": "5"}})", false }, ConditionCase { R"({"one-of": {"n": [1, 5]}})", true },
        ConditionCase { R"({"one-of": {"n": [1]}})", false }, ConditionCase { R"({"all": [{"set": "s"}, {"set": "n"}]})", true },
        ConditionCase { R"({"all": [{"set": "s"}, {"set": "x"}]})", false }, ConditionCase { R"({"all": []})", true },
        ConditionCase { R"({"any": [{"set": "x"}, {"set": "n"}]})", true }, ConditionCase { R"({"any": []})", false },
        ConditionCase { R"({"not": {"set": "x"}})", true }, ConditionCase { R"({"set": "s", "true": "no"})", false },
        ConditionCase { "{}", true }));

TEST (ParameterTest, HideWins)
{
  Parameter parameter = make (NEBULA_PARAMETER_KIND_TEXT);
  Value condition = json (R"({"set": "a"})");
  Value values = json (R"({"a": 1})");
  Value nothing = json ("{}");
  nebula_parameter_set_show_if (parameter.get (), condition.get ());
  nebula_parameter_set_hide_if (parameter.get (), condition.get ());
  EXPECT_FALSE (nebula_parameter_is_visible (parameter.get (), values.get ()));
  EXPECT_FALSE (nebula_parameter_is_visible (parameter.get (), nothing.get ()));
}

TEST (ParameterTest, DamagedDescriptionsAreRefused)
{
  std::string deep = R"({"set": "a"})";
  for (int i = 0; i < 20; i++)
    deep = R"({"not": )" + deep + "}";
  const std::string prefix = R"({"name": "p", "kind": "text", )";
  for (const std::string &text :
       { std::string ("1"), std::string ("{}"), std::string (R"({"name": "p", "kind": "unknown"})"), std::string (R"({"kind": "text"})"),
         prefix + R"("flags": 1})", prefix + R"("flags": [1]})", prefix + R"("options": 1})", prefix + R"("options": [1]})",
         prefix + R"("minimum": 2, "maximum": 1})", prefix + R"("pattern": "("})", prefix + R"("show-if": 1})",
         prefix + R"("show-if": {"odd": 1}})", prefix + R"("hide-if": {"equals": 1}})", prefix + R"("hide-if": {"set": 1}})",
         prefix + R"("hide-if": {"set": [1]}})", prefix + R"("hide-if": {"in-range": {"a": [1]}}})",
         prefix + R"("hide-if": {"one-of": {"a": 1}}})", prefix + R"("hide-if": {"all": 1}})",
         prefix + R"("hide-if": {"any": [{"odd": 1}]}})", prefix + "\"hide-if\": " + deep + "}" }) {
    Error error;
    Value value = json (text.c_str ());
    Parameter parameter (nebula_parameter_new_from_value (value.get (), error.out ()));
    EXPECT_FALSE (parameter) << text;
    EXPECT_TRUE (error) << text;
  }
  Error error;
  EXPECT_EQ (nebula_parameter_table_new_from_value (json ("{}").get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_EQ (nebula_parameter_table_new_from_value (json (R"([{"name": "a", "kind": "text"}, {"name": "a", "kind": "text"}])").get (),
                                                    error.out ()),
             nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_DUPLICATE_KEY));
}

TEST (ParameterTest, AllSurvivesTheCatalogue)
{
  Parameter parameter = make (NEBULA_PARAMETER_KIND_SELECT, "mode");
  static const char *const options[] = { "a", "b", nullptr };
  Value fallback = json ("\"b\"");
  Value condition = json (R"({"set": "x"})");
  nebula_parameter_set_options (parameter.get (), options);
  nebula_parameter_set_default (parameter.get (), fallback.get ());
  nebula_parameter_set_title (parameter.get (), "Mode");
  nebula_parameter_set_description (parameter.get (), "How.");
  nebula_parameter_set_group (parameter.get (), "more");
  nebula_parameter_set_placeholder (parameter.get (), "choose");
  nebula_parameter_set_order (parameter.get (), 7);
  nebula_parameter_set_range (parameter.get (), 0.5, INFINITY);
  nebula_parameter_set_length (parameter.get (), 1, 9);
  nebula_parameter_set_pattern (parameter.get (), "^[ab]$");
  nebula_parameter_set_show_if (parameter.get (), condition.get ());
  nebula_parameter_set_hide_if (parameter.get (), condition.get ());
  nebula_parameter_add_flags (parameter.get (), (NebulaParameterFlags) (NEBULA_PARAMETER_FLAGS_REQUIRED | NEBULA_PARAMETER_FLAGS_NULLABLE |
                                                                        NEBULA_PARAMETER_FLAGS_NO_TEMPLATE));
  Table table (nebula_parameter_table_new ());
  nebula_parameter_table_add (table.get (), parameter.get ());
  Value value (nebula_parameter_table_to_value (table.get ()));
  Error error;
  Table copy (nebula_parameter_table_new_from_value (value.get (), error.out ()));
  ASSERT_TRUE (copy) << error.message ();
  EXPECT_EQ (to_json (Value (nebula_parameter_table_to_value (copy.get ()))), to_json (value));
  NebulaParameter *read = nebula_parameter_table_get_item (copy.get (), 0);
  EXPECT_STREQ (nebula_parameter_get_group (read), "more");
  EXPECT_STREQ (nebula_parameter_get_placeholder (read), "choose");
  EXPECT_STREQ (nebula_parameter_get_title (read), "Mode");
  EXPECT_STREQ (nebula_parameter_get_description (read), "How.");
  EXPECT_EQ (nebula_parameter_get_order (read), 7);
  EXPECT_STREQ (nebula_parameter_get_options (read)[1], "b");
  EXPECT_EQ (to_json (nebula_parameter_get_default (read)), "\"b\"");
  EXPECT_EQ (nebula_parameter_get_flags (read), nebula_parameter_get_flags (parameter.get ()));
}

/* From properties */

Parameter
from (GParamSpec *pspec, Error &error)
{
  g_param_spec_ref_sink (pspec);
  Parameter parameter (nebula_parameter_new_from_pspec (pspec, error.out ()));
  g_param_spec_unref (pspec);
  return parameter;
}

TEST (ParameterTest, FromProperties)
{
  Error error;
  const GParamFlags rw = G_PARAM_READWRITE;
  Parameter p = from (g_param_spec_boolean ("a", "Nick", "Blurb", TRUE, rw), error);
  EXPECT_EQ (nebula_parameter_get_kind (p.get ()), NEBULA_PARAMETER_KIND_BOOLEAN);
  EXPECT_EQ (to_json (nebula_parameter_get_default (p.get ())), "true");
  EXPECT_STREQ (nebula_parameter_get_title (p.get ()), "Nick");
  EXPECT_STREQ (nebula_parameter_get_description (p.get ()), "Blurb");

  p = from (g_param_spec_int ("a", nullptr, nullptr, 1, 9, 3, rw), error);
  EXPECT_EQ (to_json (nebula_parameter_get_default (p.get ())), "3");
  EXPECT_FALSE (nebula_parameter_validate (p.get (), json ("10").get (), error.out ()));
  p = from (g_param_spec_int64 ("a", nullptr, nullptr, G_MININT64, G_MAXINT64, 3, rw), error);
  EXPECT_TRUE (nebula_parameter_validate (p.get (), json ("9223372036854775807").get (), error.out ()));
  p = from (g_param_spec_int64 ("a", nullptr, nullptr, 0, 5, 3, rw), error);
  EXPECT_FALSE (nebula_parameter_validate (p.get (), json ("6").get (), error.out ()));
  p = from (g_param_spec_double ("a", nullptr, nullptr, 0, 1, 0.5, rw), error);
  EXPECT_EQ (nebula_parameter_get_kind (p.get ()), NEBULA_PARAMETER_KIND_NUMBER);
  EXPECT_FALSE (nebula_parameter_validate (p.get (), json ("1.5").get (), error.out ()));
  p = from (g_param_spec_string ("a", nullptr, nullptr, "x", rw), error);
  EXPECT_EQ (to_json (nebula_parameter_get_default (p.get ())), "\"x\"");
  p = from (g_param_spec_string ("a", nullptr, nullptr, nullptr, rw), error);
  EXPECT_EQ (nebula_parameter_get_default (p.get ()), nullptr);
  p = from (g_param_spec_boxed ("a", nullptr, nullptr, G_TYPE_STRV, rw), error);
  EXPECT_EQ (nebula_parameter_get_kind (p.get ()), NEBULA_PARAMETER_KIND_STRINGS);
  p = from (g_param_spec_enum ("a", nullptr, nullptr, NEBULA_TYPE_PARAMETER_KIND, NEBULA_PARAMETER_KIND_NUMBER, rw), error);
  EXPECT_EQ (to_json (nebula_parameter_get_default (p.get ())), "\"number\"");
  EXPECT_FALSE (nebula_parameter_validate (p.get (), json ("\"odd\"").get (), error.out ()));
  p = from (g_param_spec_flags ("a", nullptr, nullptr, NEBULA_TYPE_PARAMETER_FLAGS,
                                NEBULA_PARAMETER_FLAGS_SECRET | NEBULA_PARAMETER_FLAGS_REST, rw),
            error);
  EXPECT_EQ (to_json (nebula_parameter_get_default (p.get ())), "[\"secret\",\"rest\"]");
  p = from (g_param_spec_boxed ("a", nullptr, nullptr, G_TYPE_DATE_TIME, rw), error);
  EXPECT_EQ (nebula_parameter_get_kind (p.get ()), NEBULA_PARAMETER_KIND_DATE_TIME);
  p = from (g_param_spec_boxed ("a", nullptr, nullptr, G_TYPE_BYTES, rw), error);
  EXPECT_EQ (nebula_parameter_get_kind (p.get ()), NEBULA_PARAMETER_KIND_JSON);
  p = from (g_param_spec_boxed ("a", nullptr, nullptr, NEBULA_TYPE_VALUE, rw), error);
  EXPECT_EQ (nebula_parameter_get_kind (p.get ()), NEBULA_PARAMETER_KIND_JSON);
  p = from (g_param_spec_boxed ("a", nullptr, nullptr, NEBULA_TYPE_EXPRESSION, rw), error);
  EXPECT_EQ (nebula_parameter_get_kind (p.get ()), NEBULA_PARAMETER_KIND_EXPRESSION);
}

TEST (ParameterTest, RefusedProperties)
{
  Error error;
  EXPECT_FALSE (from (g_param_spec_object ("a", nullptr, nullptr, G_TYPE_OBJECT, G_PARAM_READWRITE), error));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_UNSUPPORTED));
  EXPECT_FALSE (from (g_param_spec_pointer ("a", nullptr, nullptr, G_PARAM_READWRITE), error));
  EXPECT_FALSE (from (g_param_spec_boxed ("a", nullptr, nullptr, G_TYPE_HASH_TABLE, G_PARAM_READWRITE), error));
  EXPECT_FALSE (from (g_param_spec_uint ("a", nullptr, nullptr, 0, 1, 0, G_PARAM_READWRITE), error));
  EXPECT_FALSE (from (g_param_spec_boolean ("a", nullptr, nullptr, TRUE, G_PARAM_READABLE), error));
  EXPECT_FALSE (from (g_param_spec_boolean ("a", nullptr, nullptr, TRUE, (GParamFlags) (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY)), error));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_UNSUPPORTED));
}

/* Tables */

class TableTest : public testing::Test
{
protected:
  NebulaParameter *
  add (const char *name, NebulaParameterKind kind, int flags = 0)
  {
    Parameter parameter = make (kind, name);
    nebula_parameter_add_flags (parameter.get (), (NebulaParameterFlags) flags);
    nebula_parameter_table_add (table_.get (), parameter.get ());
    return nebula_parameter_table_lookup (table_.get (), name);
  }
  bool
  validate (const char *values)
  {
    name_ = nullptr;
    values_ = json (values);
    return nebula_parameter_table_validate (table_.get (), values_.get (), &name_, error_.out ());
  }
  Table table_ { nebula_parameter_table_new () };
  Value values_;
  const char *name_ = nullptr;
  Error error_;
};

TEST_F (TableTest, UnknownNamesGetAHint)
{
  add ("method", NEBULA_PARAMETER_KIND_TEXT);
  EXPECT_FALSE (validate (R"({"metod": "GET"})"));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_UNKNOWN_PARAMETER));
  EXPECT_STREQ (name_, "metod");
  EXPECT_THAT (error_.message (), testing::HasSubstr ("“method”?"));
  EXPECT_FALSE (validate (R"({"something-else": "GET"})"));
  EXPECT_THAT (error_.message (), testing::HasSubstr ("Remove it"));
}

TEST_F (TableTest, MissingNames)
{
  add ("url", NEBULA_PARAMETER_KIND_TEXT, NEBULA_PARAMETER_FLAGS_REQUIRED);
  EXPECT_FALSE (validate ("{}"));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_MISSING_PARAMETER));
  EXPECT_STREQ (name_, "url");
  EXPECT_TRUE (validate (R"({"url": "x"})"));
  EXPECT_FALSE (validate (R"({"url": 1})"));
  EXPECT_STREQ (name_, "url");
  EXPECT_FALSE (validate ("[]"));
  EXPECT_TRUE (nebula::has_error (error_, NEBULA_ERROR_TYPE));
}

TEST_F (TableTest, HiddenAndDefaultedAreNotMissing)
{
  Value fallback = json ("\"GET\"");
  Value condition = json (R"({"equals": {"method": "POST"}})");
  nebula_parameter_set_default (add ("method", NEBULA_PARAMETER_KIND_TEXT, NEBULA_PARAMETER_FLAGS_REQUIRED), fallback.get ());
  nebula_parameter_set_show_if (add ("body", NEBULA_PARAMETER_KIND_JSON, NEBULA_PARAMETER_FLAGS_REQUIRED), condition.get ());
  EXPECT_TRUE (validate ("{}")) << error_.message ();
  EXPECT_FALSE (validate (R"({"method": "POST"})"));
  EXPECT_STREQ (name_, "body");
}

TEST_F (TableTest, LateExpressionsAreNotMissing)
{
  add ("where", NEBULA_PARAMETER_KIND_EXPRESSION, NEBULA_PARAMETER_FLAGS_REQUIRED);
  EXPECT_TRUE (validate ("{}"));
}

TEST_F (TableTest, RestTakesAll)
{
  add ("values", NEBULA_PARAMETER_KIND_OBJECT, NEBULA_PARAMETER_FLAGS_REST);
  EXPECT_TRUE (validate (R"({"a": null, "values": 1})"));
  add ("count", NEBULA_PARAMETER_KIND_INTEGER);
  EXPECT_TRUE (validate (R"({"a": null})"));
  EXPECT_FALSE (validate (R"({"a": null, "count": "x"})"));
  EXPECT_EQ (nebula_parameter_table_get_rest (table_.get ()), nebula_parameter_table_get_item (table_.get (), 0));
}

TEST_F (TableTest, LookupInALargeTable)
{
  for (int i = 0; i < 100; i++)
    add (("p" + std::to_string (i)).c_str (), NEBULA_PARAMETER_KIND_INTEGER);
  EXPECT_EQ (nebula_parameter_table_get_length (table_.get ()), 100u);
  EXPECT_STREQ (nebula_parameter_get_name (nebula_parameter_table_lookup (table_.get (), "p77")), "p77");
  EXPECT_EQ (nebula_parameter_table_lookup (table_.get (), "p100"), nullptr);
  EXPECT_TRUE (validate (R"({"p99": 1})"));
}

TEST_F (TableTest, JsonSchema)
{
  nebula_parameter_set_range (add ("count", NEBULA_PARAMETER_KIND_INTEGER, NEBULA_PARAMETER_FLAGS_REQUIRED), 1, 9);
  add ("note", NEBULA_PARAMETER_KIND_TEXT, NEBULA_PARAMETER_FLAGS_NULLABLE);
  add ("size", NEBULA_PARAMETER_KIND_SIZE);
  add ("where", NEBULA_PARAMETER_KIND_EXPRESSION);
  static const char *const options[] = { "a", "b", nullptr };
  nebula_parameter_set_options (add ("tags", NEBULA_PARAMETER_KIND_MULTI_SELECT), options);
  nebula_parameter_set_options (add ("mode", NEBULA_PARAMETER_KIND_SELECT, NEBULA_PARAMETER_FLAGS_NULLABLE), options);
  nebula_parameter_set_length (add ("list", NEBULA_PARAMETER_KIND_LIST), 1, 2);
  EXPECT_EQ (to_json (Value (nebula_parameter_table_to_json_schema (table_.get ()))),
             R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{)"
             R"("count":{"title":"count","type":"integer","minimum":1,"maximum":9,"x-nebula-kind":"integer"},)"
             R"("note":{"title":"note","type":["string","null"],"x-nebula-kind":"text"},)"
             R"("size":{"title":"size","type":["string","integer"],"x-nebula-kind":"size"},)"
             R"("where":{"title":"where","type":["string","number","boolean"],"x-nebula-kind":"expression"},)"
             R"("tags":{"title":"tags","type":"array","items":{"type":"string","enum":["a","b"]},"x-nebula-kind":"multi-select"},)"
             R"("mode":{"title":"mode","type":["string","null"],"enum":["a","b",null],"x-nebula-kind":"select"},)"
             R"("list":{"title":"list","type":"array","minItems":1,"maxItems":2,"x-nebula-kind":"list"}},)"
             R"("required":["count"],"additionalProperties":false})");
}


/* Named validators of the catalogue. */
TEST (ParameterRules, AreCheckedAfterTheKind)
{
  NebulaParameter *parameter = nebula_parameter_new ("to", NEBULA_PARAMETER_KIND_TEXT);
  nebula::Value rules = nebula::json ("[\"email\", {\"max-length\": 20}]");
  nebula::Error error;

  EXPECT_EQ (nebula_parameter_get_rules (parameter), nullptr);
  nebula_parameter_set_rules (parameter, rules.get ());
  EXPECT_TRUE (nebula_parameter_validate (parameter, nebula::json ("\"ann@example.com\"").get (), error.out ())) << error.message ();
  EXPECT_FALSE (nebula_parameter_validate (parameter, nebula::json ("\"ann\"").get (), error.out ()));
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_PARAMETER));
  EXPECT_NE (std::string (error.message ()).find ("it must have the format “email”"), std::string::npos) << error.message ();
  EXPECT_EQ (std::string (error.message ()).find ("ann"), std::string::npos) << "the value is never shown";
  EXPECT_FALSE (nebula_parameter_validate (parameter, nebula::json ("\"a-very-long-name@example.com\"").get (), error.out ()));
  EXPECT_FALSE (nebula_parameter_validate (parameter, nebula::json ("7").get (), error.out ()));

  /* They go to catalogue and hosts, and come back. */
  nebula::Value written (nebula_parameter_to_value (parameter));
  NebulaParameter *again = nebula_parameter_new_from_value (written.get (), error.out ());
  ASSERT_NE (again, nullptr) << error.message ();
  EXPECT_FALSE (nebula_parameter_validate (again, nebula::json ("\"ann\"").get (), error.out ()));
  nebula_parameter_unref (again);
  nebula_parameter_unref (parameter);

  EXPECT_EQ (nebula_parameter_new_from_value (nebula::json ("{\"name\": \"x\", \"kind\": \"text\", \"rules\": \"nosuch\"}").get (), error.out ()), nullptr);
  EXPECT_NE (std::string (error.message ()).find ("nosuch"), std::string::npos) << error.message ();
}

} // namespace
