/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Patch, JSON Merge Patch, differences, merge modes. The public suite of patches runs in tests/conformance. */
#include "nebula-test.h"

#include <random>
#include <string>

#include "nebula-limits.h"
#include "nebula-patch.h"

using nebula::Error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

struct PatchCase {
  const char *value;
  const char *patch;
  const char *result; /* or a piece of the message */
  int code;
};

class Patch : public testing::TestWithParam<PatchCase>
{
};

const int GOOD = -1; /* no error */

TEST_P (Patch, IsAppliedOrRefused)
{
  const PatchCase &c = GetParam ();
  Error error;
  Value value = json (c.value);
  Value patch = json (c.patch);
  Value result (nebula_value_apply_patch (value.get (), patch.get (), error.out ()));

  if (c.code == GOOD) {
    EXPECT_EQ (to_json (result), c.result) << error.message ();
    return;
  }
  EXPECT_FALSE (result);
  EXPECT_TRUE (nebula::has_error (error, (NebulaError) c.code));
  EXPECT_THAT (error.message (), testing::HasSubstr (c.result));
  EXPECT_EQ (to_json (value), to_json (json (c.value))) << "nothing is changed";
}

const PatchCase patches[] = {
    {R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})", GOOD},
    {R"({"a":1,"b":2})", R"([{"op":"add","path":"/a","value":3}])", R"({"a":3,"b":2})", GOOD},
    {"[1,2]", R"([{"op":"add","path":"/1","value":9},{"op":"add","path":"/-","value":8}])", "[1,9,2,8]", GOOD},
    {"[1,2]", R"([{"op":"replace","path":"","value":{"a":1}}])", R"({"a":1})", GOOD},
    {"[1,2]", R"([{"op":"remove","path":""}])", "null", GOOD},
    {R"({"a":{"b":[1,{"c":2}]}})", R"([{"op":"replace","path":"/a/b/1/c","value":3}])", R"({"a":{"b":[1,{"c":3}]}})", GOOD},
    {R"({"a/b":1,"m~n":2,"":3})", R"([{"op":"remove","path":"/a~1b"},{"op":"remove","path":"/m~0n"},{"op":"remove","path":"/"}])", "{}", GOOD},
    {R"({"a":{"b":1},"c":{}})", R"([{"op":"move","from":"/a/b","path":"/c/d"}])", R"({"a":{},"c":{"d":1}})", GOOD},
    {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])", R"({"a":{"b":1,"c":{"b":1}}})", GOOD},
    {"[1,2,3]", R"([{"op":"move","from":"/0","path":"/2"}])", "[2,3,1]", GOOD},
    {R"({"a":1})", R"([{"op":"test","path":"/a","value":1.0}])", R"({"a":1})", GOOD},
    {R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"test","path":"/b","value":1}])", "Operation 1", NEBULA_ERROR_NOT_FOUND},
    {R"({"a":1})", R"([{"op":"test","path":"/a","value":"1"}])", "“/a”", NEBULA_ERROR_CONFLICT},
    {R"({"a":1})", R"([{"op":"replace","path":"/b","value":1}])", "“/b”", NEBULA_ERROR_NOT_FOUND},
    {R"({"a":1})", R"([{"op":"remove","path":"/b"}])", "“/b”", NEBULA_ERROR_NOT_FOUND},
    {R"({"a":1})", R"([{"op":"add","path":"/a/b","value":1}])", "“/a/b”", NEBULA_ERROR_NOT_FOUND},
    {R"({"a":1})", R"([{"op":"add","path":"/b/c/d","value":1}])", "“/b/c/d”", NEBULA_ERROR_NOT_FOUND},
    {"[1]", R"([{"op":"add","path":"/2","value":1}])", "“/2”", NEBULA_ERROR_NOT_FOUND},
    {"[1]", R"([{"op":"add","path":"/01","value":1}])", "“/01”", NEBULA_ERROR_NOT_FOUND},
    {"[1]", R"([{"op":"remove","path":"/-"}])", "“/-”", NEBULA_ERROR_NOT_FOUND},
    {"[1]", R"([{"op":"remove","path":"/99999999999999999999"}])", "no place", NEBULA_ERROR_NOT_FOUND},
    {"{}", "{}", "array", NEBULA_ERROR_INVALID_DATA},
    {"{}", "[1]", "“op”", NEBULA_ERROR_INVALID_DATA},
    {"{}", R"([{"op":1}])", "“op”", NEBULA_ERROR_INVALID_DATA},
    {"{}", R"([{"op":"spam","path":""}])", "“op”", NEBULA_ERROR_INVALID_DATA},
    {"{}", R"([{"op":"add","value":1}])", "“path”", NEBULA_ERROR_INVALID_DATA},
    {"{}", R"([{"op":"add","path":"/a"}])", "“value”", NEBULA_ERROR_INVALID_DATA},
    {"{}", R"([{"op":"move","path":"/a"}])", "“from”", NEBULA_ERROR_INVALID_DATA},
    {R"({"a":{}})", R"([{"op":"move","from":"/a","path":"/a/b"}])", "into itself", NEBULA_ERROR_INVALID_DATA},
    {"{}", R"([{"op":"add","path":"a","value":1}])", "JSON pointer", NEBULA_ERROR_SYNTAX},
    {"{}", R"([{"op":"add","path":"/~2","value":1}])", "JSON pointer", NEBULA_ERROR_SYNTAX},
    {"{}", R"([{"op":"add","path":"/~","value":1}])", "JSON pointer", NEBULA_ERROR_SYNTAX},
};

INSTANTIATE_TEST_SUITE_P (All, Patch, testing::ValuesIn (patches));

TEST (Patch, IsBounded)
{
  Error error;
  std::string value = "[0", patch = "[";
  for (int i = 0; i < 20000; i++)
    value += ",0";
  for (int i = 0; i < 2000; i++)
    patch += std::string (i > 0 ? "," : "") + R"({"op":"add","path":"/0","value":1})";
  Value long_array = json ((value + "]").c_str ());
  Value many = json ((patch + "]").c_str ());
  EXPECT_EQ (nebula_value_apply_patch (long_array.get (), many.get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED));

  /* A value that is copied into itself grows deeper and deeper. */
  std::string deep = "[", deeper;
  for (int i = 0; i < 20; i++)
    deep += std::string (i > 0 ? "," : "") + R"({"op":"copy","from":"","path":")" + (deeper += "/a") + "\"}";
  Value object = json ("{}");
  Value doubling = json ((deep + "]").c_str ());
  EXPECT_EQ (nebula_value_apply_patch (object.get (), doubling.get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_TOO_DEEP));

  /* And twice as large each time. */
  std::string doubles = "[";
  for (int i = 0; i < 100; i++)
    doubles += std::string (i > 0 ? "," : "") + R"({"op":"copy","from":"","path":"/k)" + std::to_string (i) + "\"}";
  Value growing = json ((doubles + "]").c_str ());
  EXPECT_EQ (nebula_value_apply_patch (object.get (), growing.get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_TOO_LARGE));

  std::string steps;
  for (int i = 0; i < 200; i++)
    steps += "/a";
  Value far = json (("[{\"op\":\"remove\",\"path\":\"" + steps + "\"}]").c_str ());
  EXPECT_EQ (nebula_value_apply_patch (object.get (), far.get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_SYNTAX));
}

struct DiffCase {
  const char *from;
  const char *to;
  const char *patch;
};

TEST (Diff, IsShort)
{
  const DiffCase cases[] = {
      {"1", "1", "[]"},
      {"1", "1.0", "[]"},
      {"1", "\"a\"", R"([{"op":"replace","path":"","value":"a"}])"},
      {R"({"a":1,"b":2})", R"({"b":3,"c":4})",
       R"([{"op":"remove","path":"/a"},{"op":"replace","path":"/b","value":3},{"op":"add","path":"/c","value":4}])"},
      {R"({"a/b":{"m~n":1}})", R"({"a/b":{"m~n":2}})", R"([{"op":"replace","path":"/a~1b/m~0n","value":2}])"},
      {"[1,2,3,4]", "[1,9,3,4]", R"([{"op":"replace","path":"/1","value":9}])"},
      {"[1,2,3,4]", "[1,4]", R"([{"op":"remove","path":"/2"},{"op":"remove","path":"/1"}])"},
      {"[1,4]", "[1,2,3,4]", R"([{"op":"add","path":"/1","value":2},{"op":"add","path":"/2","value":3}])"},
      {"[1,1]", "[1]", R"([{"op":"remove","path":"/1"}])"},
      {"[{\"a\":1}]", "[{\"a\":2}]", R"([{"op":"replace","path":"/0/a","value":2}])"},
      {"[]", "{}", R"([{"op":"replace","path":"","value":{}}])"},
  };
  for (const DiffCase &c : cases) {
    Value from = json (c.from);
    Value to = json (c.to);
    EXPECT_EQ (to_json (Value (nebula_value_diff (from.get (), to.get ()))), c.patch);
  }
}

Value
random_value (std::mt19937 &random, int depth)
{
  int kind = (int) (random () % (depth > 0 ? 6 : 4));

  if (kind < 2)
    return Value (nebula_value_new_integer ((gint64) (random () % 4)));
  if (kind == 2)
    return Value (nebula_value_new_null ());
  if (kind == 3)
    return Value (nebula_value_new_string (random () % 2 ? "x" : "y"));
  NebulaValueBuilder *builder = kind == 4 ? nebula_value_builder_new_array () : nebula_value_builder_new_object ();
  static const char *const keys[] = {"a", "b/c", "~", "", "d"};
  for (unsigned i = random () % 5; i > 0; i--) {
    if (kind == 4)
      nebula_value_builder_add_take (builder, random_value (random, depth - 1).steal ());
    else
      nebula_value_builder_set_take (builder, keys[random () % 5], random_value (random, depth - 1).steal ());
  }
  Value value (nebula_value_builder_end (builder));
  nebula_value_builder_unref (builder);
  return value;
}

TEST (Diff, LeadsToTheOther)
{
  std::mt19937 random (7);

  for (int i = 0; i < 3000; i++) {
    Error error;
    Value from = random_value (random, 4);
    Value to = random_value (random, 4);
    Value patch (nebula_value_diff (from.get (), to.get ()));
    Value result (nebula_value_apply_patch (from.get (), patch.get (), error.out ()));

    ASSERT_TRUE (result) << error.message () << " " << to_json (patch);
    ASSERT_TRUE (nebula_value_equal (result.get (), to.get ())) << to_json (from) << " " << to_json (to) << " " << to_json (patch);
  }
}

/* RFC 7386, appendix A */
TEST (MergePatch, DoesWhatTheRfcSays)
{
  const DiffCase cases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", "null", "null"},
      {R"({"a":"foo"})", "\"bar\"", "\"bar\""},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {"[1,2]", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const DiffCase &c : cases) {
    Value value = json (c.from);
    Value patch = json (c.to);
    EXPECT_EQ (to_json (Value (nebula_value_apply_merge_patch (value.get (), patch.get ()))), c.patch) << c.from << " " << c.to;
  }
}

TEST (MergePatch, IsFound)
{
  Value from = json (R"({"a":{"b":1,"c":2},"d":[1],"e":1})");
  Value to = json (R"({"a":{"b":1,"c":3},"d":[2],"f":{"g":1}})");
  Value patch (nebula_value_diff_merge (from.get (), to.get ()));

  EXPECT_EQ (to_json (patch), R"({"e":null,"a":{"c":3},"d":[2],"f":{"g":1}})");
  Value result (nebula_value_apply_merge_patch (from.get (), patch.get ()));
  EXPECT_TRUE (nebula_value_equal (result.get (), to.get ()));
  Value whole (nebula_value_diff_merge (from.get (), json ("[1]").get ()));
  EXPECT_EQ (to_json (whole), "[1]");
}

struct MergeCase {
  int flags;
  const char *first;
  const char *second;
  const char *merged;
};

TEST (Merge, HasModes)
{
  const int NONE = 0, DEEP = NEBULA_MERGE_FLAGS_DEEP, APPEND = NEBULA_MERGE_FLAGS_APPEND, UNION = NEBULA_MERGE_FLAGS_UNION,
            BY_INDEX = NEBULA_MERGE_FLAGS_BY_INDEX, KEEP = NEBULA_MERGE_FLAGS_KEEP;
  const char *a = R"({"x":{"p":1,"q":[1,2]},"y":1})";
  const char *b = R"({"x":{"q":[2,3]},"y":null,"z":3})";
  const MergeCase cases[] = {
      {NONE, a, b, R"({"x":{"q":[2,3]},"y":null,"z":3})"},
      {KEEP, a, b, R"({"x":{"p":1,"q":[1,2]},"y":1,"z":3})"},
      {DEEP, a, b, R"({"x":{"p":1,"q":[2,3]},"y":null,"z":3})"},
      {DEEP | KEEP, a, b, R"({"x":{"p":1,"q":[1,2]},"y":1,"z":3})"},
      {DEEP | APPEND, a, b, R"({"x":{"p":1,"q":[1,2,2,3]},"y":null,"z":3})"},
      {DEEP | UNION, a, b, R"({"x":{"p":1,"q":[1,2,3]},"y":null,"z":3})"},
      {DEEP | BY_INDEX, R"([{"a":1},2])", R"([{"b":2},3,4])", R"([{"a":1,"b":2},3,4])"},
      {BY_INDEX | KEEP, "[1,2,3]", "[4]", "[1,2,3]"},
      {UNION, "[1,1]", "[1,2,2]", "[1,1,2]"},
      {NONE, "[1]", "[2]", "[2]"},
      {NONE, "1", "{}", "{}"},
      {KEEP, "1", "{}", "1"},
  };
  for (const MergeCase &c : cases) {
    Value first = json (c.first);
    Value second = json (c.second);
    EXPECT_EQ (to_json (Value (nebula_value_merge (first.get (), second.get (), NebulaMergeFlags (c.flags)))), c.merged) << c.flags;
  }
}

} // namespace
