/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string>

#include "nebula-jsonpath.h"
#include "nebula-limits.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

using Path = nebula::Owned<NebulaJsonpath, nebula_jsonpath_unref>;

/* What a path finds as JSON, or its error's code. */
std::string
find (const std::string &path, const char *value)
{
  Error error;
  Path parsed (nebula_jsonpath_new (path.c_str (), error.out ()));
  if (!parsed)
    return std::string ("✗ ") + nebula_error_get_code (error.get ());
  Value found (nebula_jsonpath_query (parsed.get (), json (value).get (), error.out ()));
  return found ? to_json (found) : std::string ("✗ ") + nebula_error_get_code (error.get ());
}

std::string
times (const char *text, int count)
{
  std::string all;
  for (int i = 0; i < count; i++)
    all += text;
  return all;
}

} // namespace

/* The public suite has 703 cases more (tests/conformance); these are what it lacks. */
TEST (Jsonpath, FindsParts)
{
  const char *value = R"({"a": [1, {"b": "x"}, [2, 3]], "o": {"k": null, "l": 5}, "": 7})";
  struct
  {
    const char *path, *found;
  } cases[] = {
    { "$.a[1].b", R"(["x"])" },
    { "$['']", "[7]" },
    { "$.a[-1][::-1]", "[3,2]" },
    { "$.a[9007199254740991]", "[]" },
    { "$.a[0:9007199254740991:9007199254740991]", "[1]" },
    { "$.a[::0]", "[]" },
    { "$..b", R"(["x"])" },
    { "$.o[?@ == null]", "[null]" },
    { "$.o[?@ >= 5 && !(@ > 5)]", "[5]" },
    { "$[?length(@) == 2 && count(@.*) == 2]", R"([{"k":null,"l":5}])" },
    { "$.a[?@.b == value($..b)]", R"([{"b":"x"}])" },
    { "$.a[?@.none == @.none]", R"([1,{"b":"x"},[2,3]])" },
    { "$[?@.k < null]", "[]" },
    { "$[?@.k <= null]", R"([{"k":null,"l":5}])" },
  };
  for (auto &c : cases)
    EXPECT_EQ (find (c.path, value), c.found) << c.path;
}

TEST (Jsonpath, KeepsItsTextAndIsShared)
{
  Path path (nebula_jsonpath_new ("$.a", nullptr));
  Path other (nebula_jsonpath_ref (path.get ()));
  path.reset (nullptr);
  EXPECT_STREQ (nebula_jsonpath_get_text (other.get ()), "$.a");
  Value found (nebula_jsonpath_query (other.get (), json ("{\"a\": 1}").get (), nullptr));
  EXPECT_EQ (to_json (found), "[1]");
}

TEST (Jsonpath, ComparesWhatJsonDoesNotHave)
{
  Value early (nebula_value_new_date (2026, 1, 31, nullptr)), late (nebula_value_new_date (2026, 2, 1, nullptr));
  NebulaValue *items[] = { late.get (), early.get (), late.get () };
  Value dates (nebula_value_new_array (items, 3));
  Path path (nebula_jsonpath_new ("$[?@ < $[0]]", nullptr));
  Value found (nebula_jsonpath_query (path.get (), dates.get (), nullptr));
  ASSERT_EQ (nebula_value_get_length (found.get ()), 1u);
  EXPECT_TRUE (nebula_value_equal (nebula_value_get_item (found.get (), 0), early.get ()));
}

TEST (Jsonpath, SaysWhereTheMistakeIs)
{
  struct
  {
    const char *path, *part;
  } cases[] = {
    { "a", "character 1: A JSONPath begins" },
    { "$.é.1", "character 5: A name" },
    { "$ ", "character 2: This is no part" },
    { "$[0", "character 4: “,” or “]”" },
    { "$[01]", "An index" },
    { "$[9007199254740992]", "greater" },
    { "$['a]", "closing quote" },
    { "$['\n']", "Control characters" },
    { "$['\\x']", "no such escape" },
    { "$['\\u12']", "four hexadecimal" },
    { "$['\\udc00']", "surrogate" },
    { "$['\\ud800\\u0041']", "surrogate" },
    { "$[x]", "In brackets" },
    { "$[?1]", "A literal alone" },
    { "$[?length(@)]", "alone is no test" },
    { "$[?@.* == 1]", "more than one node" },
    { "$[?match(@, 'a') == true]", "are tests" },
    { "$[?count(1) == 1]", "take a query" },
    { "$[?match(@)]", "one more argument" },
    { "$[?length(@, 1) == 1]", "last argument" },
    { "$[?lenght(@) == 1]", "There are the functions" },
    { "$[?@ == nul]", "no such word" },
    { "$[?@ == 1.]", "no number" },
    { "$[?(@]", "“)” is needed" },
    { "$[?@ == ]", "is needed here" },
  };
  for (auto &c : cases) {
    Error error;
    EXPECT_FALSE (Path (nebula_jsonpath_new (c.path, error.out ()))) << c.path;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX)) << c.path;
    EXPECT_THAT (error.message (), testing::HasSubstr (c.part)) << c.path;
  }
  EXPECT_EQ (find ("$.\xff", "1"), "✗ syntax");
}

TEST (Jsonpath, HasLimits)
{
  int depth = NEBULA_LIMIT_EXPRESSION_DEPTH;
  EXPECT_EQ (find ("$[?" + times ("(", depth - 1) + "@" + times (")", depth - 1) + "]", "[1]"), "[1]");
  EXPECT_EQ (find ("$[?" + times ("(", depth) + "@" + times (")", depth) + "]", "[1]"), "✗ too-deep");
  EXPECT_EQ (find ("$" + times ("[?@", depth) + times ("]", depth), "1"), "[]");
  EXPECT_EQ (find ("$" + times ("[?@", depth + 1) + times ("]", depth + 1), "1"), "✗ too-deep");
  EXPECT_EQ (find ("$." + std::string (NEBULA_LIMIT_EXPRESSION_BYTES - 2, 'a'), "1"), "[]");
  EXPECT_EQ (find ("$." + std::string (NEBULA_LIMIT_EXPRESSION_BYTES - 1, 'a'), "1"), "✗ too-large");
  EXPECT_EQ (find ("$" + times ("[0,0]", 30), "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), "✗ budget-exceeded");
  EXPECT_EQ (find ("$[?@ == $]" + times ("[0,0]", 2), "[1]"), "[]");
}

TEST (Jsonpath, WalksNestingOfAnyDepth)
{
  Value value (nebula_value_new_integer (1));
  for (int i = 0; i < 100000; i++) {
    NebulaValue *item = value.get ();
    value = Value (nebula_value_new_array (&item, 1));
  }
  Path path (nebula_jsonpath_new ("$..[?@ == 1]", nullptr));
  Error error;
  Value found (nebula_jsonpath_query (path.get (), value.get (), error.out ()));
  EXPECT_EQ (to_json (found), "[1]") << error.message ();
}

TEST (Jsonpath, Patterns)
{
  struct
  {
    const char *pattern, *text;
    bool whole, part;
  } cases[] = {
    { "a|bc", "bc", true, true },
    { "a(b|c)*d", "abcbd", true, true },
    { "a{2}", "aaa", false, true },
    { "a{2,}", "aaa", true, true },
    { "a{1,2}b?", "aab", true, true },
    { "[^a-c]", "d", true, true },
    { "[-a]", "-", true, true },
    { "[a-]", "-", true, true },
    { "[a\\]]+", "a]", true, true },
    { "[\\p{Lu}0-9]+", "Ä1", true, true },
    { "[[:alpha:]]", "a", false, false },
    { "é+", "éé", true, true },
    { ".", "\\n", false, false },
    { "#.~", "#x~", true, true },
    { "", "a", false, true },
    { "\\p{L}\\P{N}", "ab", true, true },
    { "\\p{Lx}", "a", false, false },
    { "\\p{}", "a", false, false },
    { "\\d", "1", false, false },
    { "(?i)A", "a", false, false },
    { "(*UTF)a", "a", false, false },
    { "a**", "a", false, false },
    { "*", "*", false, false },
    { "(a", "a", false, false },
    { "a)", "a", false, false },
    { "a{,2}", "a", false, false },
    { "a{2", "aa", false, false },
    { "a{x}", "a", false, false },
    { "[b-a]", "a", false, false },
    { "[a-\\p{L}]", "a", false, false },
    { "[a", "a", false, false },
    { "[]", "a", false, false },
    { "a\\", "a", false, false },
    { "\\p{L", "a", false, false },
  };
  for (auto &c : cases) {
    std::string escaped;
    for (const char *p = c.pattern; *p; p++)
      escaped += *p == '\\' ? "\\\\" : std::string (1, *p);
    std::string value = std::string ("[\"") + c.text + "\"]", hit = "[\"" + std::string (c.text) + "\"]";
    EXPECT_EQ (find ("$[?match(@, '" + escaped + "')]", value.c_str ()), c.whole ? hit : "[]") << c.pattern;
    EXPECT_EQ (find ("$[?search(@, '" + escaped + "')]", value.c_str ()), c.part ? hit : "[]") << c.pattern;
  }
  EXPECT_EQ (find ("$[?match('" + std::string (60, 'a') + "', '(a*)*[bc]')]", "[1]"), "✗ budget-exceeded");
  EXPECT_EQ (find ("$[?match(@, '" + times ("(a)", 101) + "')]", "[\"a\"]"), "[]");
  EXPECT_EQ (find ("$[?search(@, 'a')]", ("[\"" + std::string (65537, 'a') + "\"]").c_str ()), "✗ budget-exceeded");
  EXPECT_EQ (find ("$[?search(@, $[0])]", "[\"x\", \"yxy\", \"z\"]"), R"(["x","yxy"])");
}
