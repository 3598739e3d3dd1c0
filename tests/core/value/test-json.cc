/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cmath>
#include <string>
#include <vector>

#include "nebula-limits.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

Value
parse (const std::string &text, Error &error, int flags = NEBULA_JSON_FLAGS_NONE)
{
  return Value (
    nebula_value_parse_json (text.data (), (gssize) text.size (), (NebulaJsonFlags) flags, error.out ()));
}

/* All lines of a gzipped file of the public suites; empty if it is not there. */
std::vector<std::string>
read_suite (const char *name)
{
  const char *folder = g_getenv ("NEBULA_CONFORMANCE_DIR");
  std::vector<std::string> lines;
  if (!folder)
    return lines;
  char *path = g_build_filename (folder, name, nullptr);
  nebula::Ref<GFile> file (g_file_new_for_path (path));
  g_free (path);
  nebula::Ref<GFileInputStream> raw (g_file_read (file.get (), nullptr, nullptr));
  if (!raw)
    return lines;
  nebula::Ref<GZlibDecompressor> inflate (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  nebula::Ref<GInputStream> plain (
    g_converter_input_stream_new (G_INPUT_STREAM (raw.get ()), G_CONVERTER (inflate.get ())));
  nebula::Ref<GDataInputStream> data (g_data_input_stream_new (plain.get ()));
  while (char *line = g_data_input_stream_read_line (data.get (), nullptr, nullptr, nullptr)) {
    lines.emplace_back (line);
    g_free (line);
  }
  return lines;
}

} // namespace

TEST (Json, ReadsThePublicSuiteWithoutMistake)
{
  std::vector<std::string> lines = read_suite ("json-parsing.jsonl.gz");
  if (lines.empty ())
    GTEST_SKIP () << "SKIPPED: the public suites are not here; set -Dconformance_dir";
  EXPECT_EQ (lines.size (), 318u);
  for (const std::string &line : lines) {
    Value request = json (line.c_str ());
    NebulaValue *args = nebula_value_get_member (request.get (), "args");
    NebulaValue *expect = nebula_value_get_member (request.get (), "expect");
    gsize length = 0;
    guchar *bytes = g_base64_decode (nebula_value_get_member_string (args, "b64", ""), &length);
    std::string text ((const char *) bytes, length);
    g_free (bytes);
    Error error;
    Value value = parse (text, error);
    const char *id = nebula_value_get_member_string (request.get (), "id", "?");
    EXPECT_NE ((bool) value, (bool) error) << id;
    if (nebula_value_get_member_boolean (expect, "either", FALSE))
      continue;
    EXPECT_EQ ((bool) value, id[0] == 'y') << id << " " << to_json (expect) << ": " << error.message ();
  }
}

TEST (Json, KeepsNumbersExact)
{
  struct
  {
    const char *text;
    NebulaValueKind kind;
    const char *again;
  } cases[] = {
    { "0", NEBULA_VALUE_KIND_INTEGER, "0" },
    { "-128", NEBULA_VALUE_KIND_INTEGER, "-128" },
    { "1023", NEBULA_VALUE_KIND_INTEGER, "1023" },
    { "1024", NEBULA_VALUE_KIND_INTEGER, "1024" },
    { "9223372036854775807", NEBULA_VALUE_KIND_INTEGER, "9223372036854775807" },
    { "-9223372036854775808", NEBULA_VALUE_KIND_INTEGER, "-9223372036854775808" },
    { "9223372036854775808", NEBULA_VALUE_KIND_DECIMAL, "9223372036854775808" },
    { "-9223372036854775809", NEBULA_VALUE_KIND_DECIMAL, "-9223372036854775809" },
    { "12345678901234567890", NEBULA_VALUE_KIND_DECIMAL, "12345678901234567890" },
    { "100000000000000000000", NEBULA_VALUE_KIND_DECIMAL, "100000000000000000000" },
    { "9007199254740993", NEBULA_VALUE_KIND_INTEGER, "9007199254740993" },
    { "12000000000000000", NEBULA_VALUE_KIND_INTEGER, "12000000000000000" },
    { "-0", NEBULA_VALUE_KIND_FLOAT, "-0" },
    { "-0.0", NEBULA_VALUE_KIND_FLOAT, "-0" },
    { "0.1", NEBULA_VALUE_KIND_FLOAT, "0.1" },
    { "-0.5", NEBULA_VALUE_KIND_FLOAT, "-0.5" },
    { "1.50", NEBULA_VALUE_KIND_FLOAT, "1.5" },
    { "1e3", NEBULA_VALUE_KIND_FLOAT, "1000" },
    { "1.7976931348623157e308", NEBULA_VALUE_KIND_FLOAT, "1.7976931348623157e+308" },
    { "5e-324", NEBULA_VALUE_KIND_FLOAT, "4.94065645841247e-324" },
    { "1e-400", NEBULA_VALUE_KIND_FLOAT, "0" },
    { "0.30000000000000004", NEBULA_VALUE_KIND_FLOAT, "0.30000000000000004" },
    { "0.3000000000000000444", NEBULA_VALUE_KIND_DECIMAL, "0.3000000000000000444" },
    { "0.1000000000000000000000", NEBULA_VALUE_KIND_FLOAT, "0.1" },
  };
  for (auto &c : cases) {
    Value value = json (c.text);
    ASSERT_TRUE (value);
    EXPECT_EQ (nebula_value_get_kind (value.get ()), c.kind) << c.text;
    EXPECT_EQ (to_json (value), c.again) << c.text;
  }
  EXPECT_TRUE (std::signbit (nebula_value_get_float (json ("-0").get ())));
}

TEST (Json, RefusesNumbersThatNoDoubleHolds)
{
  for (std::string text : { std::string ("1e400"), std::string ("-1e400"), "1" + std::string (400, '0'),
                            std::string ("[1.5, 1e999999999999]") }) {
    Error error;
    EXPECT_FALSE (parse (text, error));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_OVERFLOW)) << text;
  }
}

TEST (Json, ReadsHardDoublesLikeTheStandardLibrary)
{
  std::vector<std::string> texts
    = { "2.2250738585072011e-308", "9007199254740993.0", "1.00000005960464477", "6.02214076e23", "123456789.123456e-20",
        "4503599627370497.5", "17976931348623158e292", "0.000001", "3.14159265358979" };
  for (const std::string &text : texts) {
    Value value = json (text.c_str ());
    EXPECT_EQ (nebula_value_get_float (value.get ()), g_ascii_strtod (text.c_str (), nullptr)) << text;
  }
}

TEST (Json, DoublesSurviveTheWayOutAndIn)
{
  guint64 bits = 1;
  for (int i = 0; i < 20000; i++) {
    bits = bits * G_GUINT64_CONSTANT (6364136223846793005) + G_GUINT64_CONSTANT (1442695040888963407);
    double number;
    std::memcpy (&number, &bits, sizeof number);
    if (!std::isfinite (number))
      continue;
    Value value (nebula_value_new_float (number));
    std::string text = to_json (value);
    Value back = json (text.c_str ());
    EXPECT_EQ (nebula_value_get_float (back.get ()), number) << text;
  }
}

TEST (Json, ReadsStrings)
{
  Value value = json ("\"a\\u0000b \\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t \u00e9\U0001f600 and a long tail of plain text\"");
  std::string text (nebula_value_get_string (value.get ()), nebula_value_get_string_length (value.get ()));
  EXPECT_EQ (text, std::string ("a\0b \U0001f600 \"\\/\b\f\n\r\t \u00e9\U0001f600 and a long tail of plain text", 54));
  EXPECT_EQ (to_json (value),
             "\"a\\u0000b \U0001f600 \\\"\\\\/\\b\\f\\n\\r\\t \u00e9\U0001f600 and a long tail of plain text\"");
  EXPECT_EQ (to_json (json ("\"\\u007f\\u001f\"")), "\"\\u007f\\u001f\"");
}

TEST (Json, RefusesBrokenText)
{
  for (std::string text :
       { "\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83d\\u0041\"", "\"\\ud83dx\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"",
         "\"\\", "\"a\nb\"", "\xef\xbb\xbf{}", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"",
         "\"\xf0\x80\x80\x80\"", "\"\xe0\x80\x80\"", "\"\xf4\x90\x80\x80\"", "\"\x80\"", "\"\xc2\"", "", " ", "[1,]",
         "{\"a\":1,}", "{a:1}", "{'a':1}", "[01]", "[1 2]", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\"", "{\"a\":", "[",
         "[1", "nul", "tru", "falze", "NaN", "Infinity", "+1", ".5", "1.", "1e", "1e+", "-", "-a", "1 2", "// x\n1", "[1}",
         "{\"a\":1]", "]" }) {
    Error error;
    EXPECT_FALSE (parse (text, error)) << text;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX)) << text;
  }
}

TEST (Json, ErrorsTellThePlaceInCharacters)
{
  Error error;
  EXPECT_FALSE (parse ("{\n  \"\u00e9\u00e9\": tru\n}", error));
  EXPECT_THAT (error.message (), testing::HasSubstr ("Line 2, column 9"));
}

TEST (Json, NestsTo128Levels)
{
  Error error;
  std::string deep = std::string (128, '[') + std::string (128, ']');
  Value value = parse (deep, error);
  ASSERT_TRUE (value);
  EXPECT_EQ (nebula_value_get_depth (value.get ()), 128u);
  EXPECT_EQ (to_json (value), deep);
  EXPECT_FALSE (parse ("[" + deep + "]", error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
  EXPECT_FALSE (parse (std::string (1000000, '['), error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
  std::string objects;
  for (int i = 0; i < 100000; i++)
    objects += "{\"a\":";
  EXPECT_FALSE (parse (objects, error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
}

TEST (Json, LaterKeysWinAndKeepTheirPlace)
{
  EXPECT_EQ (to_json (json ("{\"a\":1,\"b\":2,\"a\":{\"c\":3}}")), "{\"a\":{\"c\":3},\"b\":2}");
  Error error;
  EXPECT_FALSE (parse ("{\"a\":1,\n\"b\":2, \"\\u0061\":3}", error, NEBULA_JSON_FLAGS_UNIQUE_KEYS));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_DUPLICATE_KEY));
  EXPECT_THAT (error.message (), testing::HasSubstr ("Line 2, column 8"));
  EXPECT_TRUE (parse ("[{\"a\":1},{\"a\":2}]", error, NEBULA_JSON_FLAGS_UNIQUE_KEYS));
}

TEST (Json, ManyKeysStayOrderedAndFound)
{
  std::string text = "{";
  for (int i = 0; i < 20000; i++)
    text += (i ? ",\"key" : "\"key") + std::to_string (i) + "\":" + std::to_string (i);
  text += "}";
  Value value = json (text.c_str ());
  EXPECT_EQ (to_json (value), text);
  EXPECT_EQ (nebula_value_get_member_integer (value.get (), "key19999", -1), 19999);
  EXPECT_EQ (nebula_value_get_member_integer (value.get (), "key0", -1), 0);
  EXPECT_FALSE (nebula_value_has_member (value.get (), "key20000"));
}

TEST (Json, ObjectsOfOneShapeAndOfManyReadBack)
{
  std::string text = "[";
  for (int i = 0; i < 200; i++) {
    text += i ? ",{" : "{";
    for (int k = 0; k <= i % 13; k++)
      text += (k ? ",\"k" : "\"k") + std::to_string (k * (i % 3 + 1)) + "\":" + std::to_string (i);
    text += "}";
  }
  text += "]";
  EXPECT_EQ (to_json (json (text.c_str ())), text);
}

TEST (Json, LimitsHoldAtTheBorder)
{
  Error error;
  std::string long_string = "\"" + std::string (NEBULA_LIMIT_STRING_BYTES + 1, 'x') + "\"";
  EXPECT_TRUE (parse (long_string, error));
  EXPECT_FALSE (parse (long_string, error, NEBULA_JSON_FLAGS_LIMITED));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_LARGE));

  std::string escapes = "\"";
  for (int i = 0; i < 1000000; i++)
    escapes += "\\n";
  escapes += "\"";
  EXPECT_TRUE (parse (escapes, error, NEBULA_JSON_FLAGS_LIMITED));

  std::string items = "[0";
  for (int i = 1; i < NEBULA_LIMIT_DOCUMENT_ITEMS; i++)
    items += ",0";
  items += "]";
  EXPECT_FALSE (parse (items, error, NEBULA_JSON_FLAGS_LIMITED));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_LARGE));
  EXPECT_TRUE (parse (items, error));

  std::string big (NEBULA_LIMIT_DOCUMENT_BYTES + 1, ' ');
  EXPECT_FALSE (parse (big, error, NEBULA_JSON_FLAGS_LIMITED));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_LARGE));
  EXPECT_FALSE (parse ("{\"a\":1,\"a\":2}", error, NEBULA_JSON_FLAGS_LIMITED));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_DUPLICATE_KEY));
}

TEST (Json, WritesPretty)
{
  Value value = json ("{\"a\":[1,{}],\"b\":[]}");
  char *text = nebula_value_to_json (value.get (), NEBULA_JSON_FLAGS_PRETTY);
  EXPECT_STREQ (text, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}\n");
  g_free (text);
}

TEST (Json, WritesTheKindsThatJsonLacks)
{
  GBytes *bytes = g_bytes_new ("\0\xff!", 3);
  EXPECT_EQ (to_json (Value (nebula_value_new_bytes (bytes))), "\"AP8h\"");
  g_bytes_unref (bytes);
  EXPECT_EQ (to_json (Value (nebula_value_new_date (2024, 2, 29, nullptr))), "\"2024-02-29\"");
  EXPECT_EQ (to_json (Value (nebula_value_new_time (3723000000, nullptr))), "\"01:02:03\"");
  EXPECT_EQ (to_json (Value (nebula_value_new_time (3723000001, nullptr))), "\"01:02:03.000001\"");
  EXPECT_EQ (to_json (Value (nebula_value_new_timestamp (0, 7200))), "\"1970-01-01T02:00:00+02:00\"");
  EXPECT_EQ (to_json (Value (nebula_value_new_duration (5400000000))), "\"PT1H30M\"");
  EXPECT_EQ (to_json (Value (nebula_value_new_reference ("blob:x\"y"))), "{\"$ref\":\"blob:x\\\"y\"}");
}
