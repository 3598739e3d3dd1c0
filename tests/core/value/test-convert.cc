/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string>
#include <vector>

#include "nebula-convert.h"
#include "nebula-limits.h"
#include "nebula-path.h"
#include "nebula-test.h"
#include "nebula-value-enums.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

std::vector<Value>
all_kinds ()
{
  std::vector<Value> values;
  for (const char *text : { "null", "true", "5000", "-0.5", "\"é\"", "[]", "{}", "[1,[2,{\"a\":null}]]", "{\"z\":1,\"a\":[2]}",
                            "12345678901234567890" })
    values.push_back (json (text));
  GBytes *bytes = g_bytes_new ("\0a", 2);
  values.emplace_back (nebula_value_new_bytes (bytes));
  g_bytes_unref (bytes);
  values.emplace_back (nebula_value_new_date (2024, 2, 29, nullptr));
  values.emplace_back (nebula_value_new_time (1, nullptr));
  values.emplace_back (nebula_value_new_timestamp_full (1, 2, 3600));
  values.emplace_back (nebula_value_new_duration (-7));
  values.emplace_back (nebula_value_new_reference ("blob:x"));
  return values;
}

std::string
from_variant (const char *text)
{
  Error error;
  GVariant *variant = g_variant_parse (nullptr, text, nullptr, nullptr, error.out ());
  EXPECT_TRUE (variant) << text << error.message ();
  Value value (nebula_value_from_variant (variant, error.out ()));
  g_variant_unref (variant);
  return value ? to_json (value) : nebula_error_get_code (error.get ());
}

/* Sets a GValue of a type and reads it back. */
std::string
through (GType type, const Value &value)
{
  GValue gvalue = G_VALUE_INIT;
  g_value_init (&gvalue, type);
  Error error;
  if (!nebula_value_to_gvalue (value.get (), &gvalue, error.out ())) {
    g_value_unset (&gvalue);
    return nebula_error_get_code (error.get ());
  }
  Value back (nebula_value_from_gvalue (&gvalue, error.out ()));
  g_value_unset (&gvalue);
  return back ? to_json (back) : nebula_error_get_code (error.get ());
}

} // namespace

TEST (Path, GetsParts)
{
  Value value = json (R"({"a":{"b":[10,{"c/d":1,"~":2,"x.y":3,"":4}]},"0":5})");
  auto get = [&] (const char *path) {
    NebulaValue *part = nebula_value_get_path (value.get (), path);
    return part ? to_json (part) : "-";
  };
  EXPECT_EQ (get ("/a/b/0"), "10");
  EXPECT_EQ (get ("/a/b/1/c~1d"), "1");
  EXPECT_EQ (get ("/a/b/1/~0"), "2");
  EXPECT_EQ (get ("/a/b/1/"), "4");
  EXPECT_EQ (get ("/0"), "5");
  EXPECT_EQ (get ("a.b[0]"), "10");
  EXPECT_EQ (get ("a.b[1][\"x.y\"]"), "3");
  EXPECT_EQ (get ("a.b[1]['c/d']"), "1");
  EXPECT_EQ (get ("a[\"b\"][0]"), "10");
  EXPECT_EQ (get ("a.b.0"), "10");
  EXPECT_EQ (get (""), to_json (value));
  for (const char *path : { "/b", "/a/b/2", "/a/b/00", "/a/b/-1", "/a/b/-", "/a/b/0/x", "a.", ".a", "a..b", "a[", "a[]", "a[x]",
                            "a[0", "a[\"b]", "a[0]b" })
    EXPECT_FALSE (nebula_value_has_path (value.get (), path)) << path;
}

TEST (Path, SetsParts)
{
  auto set = [] (const char *text, const char *path) {
    Error error;
    Value value (nebula_value_set_path (json (text).get (), path, nebula_value_new_boolean (TRUE), error.out ()));
    return value ? to_json (value) : nebula_error_get_code (error.get ());
  };
  EXPECT_EQ (set ("{\"a\":1,\"b\":2}", "a"), "{\"a\":true,\"b\":2}");
  EXPECT_EQ (set ("{}", "a.b[0].c"), "{\"a\":{\"b\":[{\"c\":true}]}}");
  EXPECT_EQ (set ("{}", "/a/b"), "{\"a\":{\"b\":true}}");
  EXPECT_EQ (set ("[1,2]", "[1]"), "[1,true]");
  EXPECT_EQ (set ("[1,2]", "/2"), "[1,2,true]");
  EXPECT_EQ (set ("[1,2]", "/-"), "[1,2,true]");
  EXPECT_EQ (set ("[1]", ""), "true");
  EXPECT_EQ (set ("[1,2]", "/3"), "missing-property");
  EXPECT_EQ (set ("[1,2]", "/x"), "missing-property");
  EXPECT_EQ (set ("{\"a\":1}", "a.b"), "type");
  EXPECT_EQ (set ("{}", "a["), "syntax");
  std::string deep;
  for (int i = 0; i < 129; i++)
    deep += "/a";
  EXPECT_EQ (set ("{}", deep.c_str ()), "too-deep");
}

TEST (Path, RemovesParts)
{
  auto remove = [] (const char *text, const char *path) {
    Error error;
    Value value (nebula_value_remove_path (json (text).get (), path, error.out ()));
    return value ? to_json (value) : nebula_error_get_code (error.get ());
  };
  EXPECT_EQ (remove ("{\"a\":{\"b\":1,\"c\":2},\"d\":3}", "a.b"), "{\"a\":{\"c\":2},\"d\":3}");
  EXPECT_EQ (remove ("[1,2,3]", "[1]"), "[1,3]");
  EXPECT_EQ (remove ("[[1]]", "/0/0"), "[[]]");
  EXPECT_EQ (remove ("{\"a\":1}", "/a"), "{}");
  EXPECT_EQ (remove ("{\"a\":1}", "/b"), "missing-property");
  EXPECT_EQ (remove ("{\"a\":1}", "a.b"), "missing-property");
  EXPECT_EQ (remove ("{}", ""), "missing-property");
  EXPECT_EQ (remove ("{}", "a["), "syntax");
}

TEST (ConvertJson, KeepsWhatJsonHas)
{
  Error error;
  const char *text = "{\"z\":[1,2.5,null,true,\"é\",{}],\"a\":{\"b\":[]}}";
  JsonNode *node = nebula_value_to_json_node (json (text).get (), error.out ());
  ASSERT_TRUE (node);
  char *written = json_to_string (node, FALSE);
  EXPECT_STREQ (written, text);
  g_free (written);
  EXPECT_EQ (to_json (Value (nebula_value_from_json_node (node, error.out ()))), text);
  json_node_unref (node);
  for (Value &value : all_kinds ()) {
    node = nebula_value_to_json_node (value.get (), error.out ());
    ASSERT_TRUE (node);
    json_node_unref (node);
  }
  EXPECT_FALSE (nebula_value_to_json_node (json ("[\"a\\u0000\"]").get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_FALSE (nebula_value_to_json_node (json ("{\"a\\u0000\":1}").get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
}

TEST (ConvertJson, RefusesDepthAndInfinity)
{
  Error error;
  JsonNode *node = json_node_init_double (json_node_alloc (), G_MAXDOUBLE * 10);
  EXPECT_FALSE (Value (nebula_value_from_json_node (node, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_OVERFLOW));
  for (int i = 0; i < 200; i++) {
    JsonArray *array = json_array_new ();
    json_array_add_element (array, node);
    node = json_node_new (JSON_NODE_ARRAY);
    json_node_take_array (node, array);
  }
  EXPECT_FALSE (Value (nebula_value_from_json_node (node, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
  json_node_unref (node);
  Value deep (nebula_value_new_null ());
  for (int i = 0; i < 129; i++) {
    NebulaValue *item = deep.get ();
    deep.reset (nebula_value_new_array (&item, 1));
  }
  EXPECT_FALSE (nebula_value_to_json_node (deep.get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
  EXPECT_FALSE (nebula_value_to_variant (deep.get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
}

TEST (ConvertVariant, EveryKindComesBack)
{
  std::vector<Value> values = all_kinds ();
  values.push_back (json ((std::string (128, '[') + std::string (128, ']')).c_str ()));
  for (Value &value : values) {
    Error error;
    GVariant *variant = nebula_value_to_variant (value.get (), error.out ());
    ASSERT_TRUE (variant) << to_json (value) << error.message ();
    EXPECT_FALSE (g_variant_is_floating (variant));
    Value back (nebula_value_from_variant (variant, error.out ()));
    g_variant_unref (variant);
    ASSERT_TRUE (back) << to_json (value) << error.message ();
    EXPECT_TRUE (nebula_value_equal (back.get (), value.get ())) << to_json (value);
    EXPECT_EQ (nebula_value_get_kind (back.get ()), nebula_value_get_kind (value.get ()));
    EXPECT_EQ (to_json (back), to_json (value));
  }
}

TEST (ConvertVariant, TakesAnyVariant)
{
  EXPECT_EQ (from_variant ("(byte 1, int16 -2, uint16 3, -4, uint32 5, uint64 6, handle 7, 1.5, 'x')"),
             "[1,-2,3,-4,5,6,7,1.5,\"x\"]");
  EXPECT_EQ (from_variant ("uint64 18446744073709551615"), "18446744073709551615");
  EXPECT_EQ (from_variant ("{'b': <1>, 'a': <['x']>}"), "{\"b\":1,\"a\":[\"x\"]}");
  EXPECT_EQ (from_variant ("{1: 'x'}"), "{\"1\":\"x\"}");
  EXPECT_EQ (from_variant ("objectpath '/a'"), "\"/a\"");
  EXPECT_EQ (from_variant ("@ms nothing"), "null");
  EXPECT_EQ (from_variant ("just 'x'"), "\"x\"");
  EXPECT_EQ (from_variant ("('decimal', <1>)"), "[\"decimal\",1]");
  EXPECT_EQ (from_variant ("('else', <'x'>)"), "[\"else\",\"x\"]");
  EXPECT_EQ (from_variant ("('decimal', <'x'>)"), "syntax");
  EXPECT_EQ (from_variant ("('date', <(1,13,1)>)"), "invalid-argument");
  EXPECT_EQ (from_variant ("('timestamp', <(int64 0, 0, uint32 1000)>)"), "[\"timestamp\",[0,0,1000]]");
  EXPECT_EQ (from_variant ("inf"), "overflow");
  EXPECT_EQ (from_variant ("[inf]"), "overflow");
  EXPECT_EQ (from_variant ("{'a': inf}"), "overflow");
}

TEST (ConvertVariant, ConsumesFloatingOnes)
{
  Error error;
  EXPECT_EQ (to_json (Value (nebula_value_from_variant (g_variant_new_int64 (5), error.out ()))), "5");
  EXPECT_FALSE (nebula_value_to_variant (json ("[\"a\\u0000\"]").get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_FALSE (nebula_value_to_variant (json ("{\"a\\u0000\":1}").get (), error.out ()));
  EXPECT_FALSE (nebula_value_to_variant (json ("{\"a\":\"\\u0000\"}").get (), error.out ()));
}

TEST (ConvertGValue, FitsTheTypesOfProperties)
{
  EXPECT_EQ (through (G_TYPE_BOOLEAN, json ("true")), "true");
  EXPECT_EQ (through (G_TYPE_BOOLEAN, json ("1")), "type");
  EXPECT_EQ (through (G_TYPE_INT64, json ("9223372036854775807")), "9223372036854775807");
  EXPECT_EQ (through (G_TYPE_INT64, json ("2.0")), "2");
  EXPECT_EQ (through (G_TYPE_INT64, json ("0.0")), "0");
  EXPECT_EQ (through (G_TYPE_INT64, json ("2.5")), "type");
  EXPECT_EQ (through (G_TYPE_INT64, json ("\"2\"")), "type");
  EXPECT_EQ (through (G_TYPE_INT, json ("2147483648")), "overflow");
  EXPECT_EQ (through (G_TYPE_INT, json ("-5")), "-5");
  EXPECT_EQ (through (G_TYPE_UINT, json ("-5")), "overflow");
  EXPECT_EQ (through (G_TYPE_UINT, json ("4294967295")), "4294967295");
  EXPECT_EQ (through (G_TYPE_UINT64, json ("7")), "7");
  EXPECT_EQ (through (G_TYPE_DOUBLE, json ("7")), "7");
  EXPECT_EQ (through (G_TYPE_FLOAT, json ("0.5")), "0.5");
  EXPECT_EQ (through (G_TYPE_DOUBLE, json ("\"x\"")), "type");
  EXPECT_EQ (through (G_TYPE_STRING, json ("\"x\"")), "\"x\"");
  EXPECT_EQ (through (G_TYPE_STRING, json ("null")), "null");
  EXPECT_EQ (through (G_TYPE_STRING, json ("1")), "type");
  EXPECT_EQ (through (G_TYPE_STRING, json ("\"a\\u0000\"")), "invalid-data");
  EXPECT_EQ (through (G_TYPE_STRV, json ("[\"a\",\"b\"]")), "[\"a\",\"b\"]");
  EXPECT_EQ (through (G_TYPE_STRV, json ("[\"a\",1]")), "type");
  EXPECT_EQ (through (G_TYPE_STRV, json ("\"a\"")), "type");
  EXPECT_EQ (through (G_TYPE_STRV, json ("null")), "null");
  EXPECT_EQ (through (NEBULA_TYPE_VALUE_KIND, json ("\"boolean\"")), "\"boolean\"");
  EXPECT_EQ (through (NEBULA_TYPE_VALUE_KIND, json ("\"none\"")), "invalid-parameter");
  EXPECT_EQ (through (NEBULA_TYPE_VALUE_KIND, json ("1")), "type");
  EXPECT_EQ (through (NEBULA_TYPE_JSON_FLAGS, json ("[\"pretty\",\"limited\"]")), "[\"pretty\",\"limited\"]");
  EXPECT_EQ (through (NEBULA_TYPE_JSON_FLAGS, json ("[\"x\"]")), "invalid-parameter");
  EXPECT_EQ (through (NEBULA_TYPE_JSON_FLAGS, json ("[1]")), "type");
  EXPECT_EQ (through (NEBULA_TYPE_JSON_FLAGS, json ("1")), "type");
  EXPECT_EQ (through (G_TYPE_DATE_TIME, json ("\"2026-03-29T01:30:00.25+01:00\"")), "\"2026-03-29T01:30:00.25+01:00\"");
  EXPECT_EQ (through (G_TYPE_DATE_TIME, Value (nebula_value_new_timestamp (-1, 0))), "\"1969-12-31T23:59:59.999999Z\"");
  EXPECT_EQ (through (G_TYPE_DATE_TIME, Value (nebula_value_new_timestamp (G_MAXINT64, 0))), "overflow");
  EXPECT_EQ (through (G_TYPE_DATE_TIME, json ("\"x\"")), "syntax");
  EXPECT_EQ (through (G_TYPE_DATE_TIME, json ("1")), "type");
  EXPECT_EQ (through (G_TYPE_BYTES, json ("\"AP8h\"")), "\"AP8h\"");
  EXPECT_EQ (through (G_TYPE_BYTES, json ("\"A!\"")), "invalid-data");
  EXPECT_EQ (through (G_TYPE_BYTES, json ("1")), "type");
  EXPECT_EQ (through (G_TYPE_VARIANT, json ("{\"a\":[1]}")), "{\"a\":[1]}");
  EXPECT_EQ (through (G_TYPE_VARIANT, json ("\"\\u0000\"")), "invalid-data");
  EXPECT_EQ (through (NEBULA_TYPE_VALUE, json ("{\"a\":[1]}")), "{\"a\":[1]}");
  EXPECT_EQ (through (G_TYPE_OBJECT, json ("null")), "unsupported");
}

TEST (ConvertGValue, ReadsWhatOnlyGObjectHas)
{
  Error error;
  GValue gvalue = G_VALUE_INIT;
  g_value_init (&gvalue, G_TYPE_UINT64);
  g_value_set_uint64 (&gvalue, G_MAXUINT64);
  EXPECT_EQ (to_json (Value (nebula_value_from_gvalue (&gvalue, error.out ()))), "18446744073709551615");
  g_value_unset (&gvalue);
  g_value_init (&gvalue, G_TYPE_DOUBLE);
  g_value_set_double (&gvalue, G_MAXDOUBLE * 10);
  EXPECT_FALSE (Value (nebula_value_from_gvalue (&gvalue, error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_OVERFLOW));
  g_value_unset (&gvalue);
  for (GType type : { G_TYPE_OBJECT, G_TYPE_BYTE_ARRAY }) {
    g_value_init (&gvalue, type);
    GByteArray *array = g_byte_array_new ();
    if (type == G_TYPE_BYTE_ARRAY)
      g_value_set_boxed (&gvalue, array);
    EXPECT_FALSE (Value (nebula_value_from_gvalue (&gvalue, error.out ())));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_UNSUPPORTED));
    g_value_unset (&gvalue);
    g_byte_array_unref (array);
  }
  g_value_init (&gvalue, G_TYPE_VARIANT);
  EXPECT_EQ (to_json (Value (nebula_value_from_gvalue (&gvalue, error.out ()))), "null");
  g_value_unset (&gvalue);
}
