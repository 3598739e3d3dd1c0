/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fstream>
#include <string>
#include <vector>

#include "nebula-limits.h"
#include "nebula-msgpack.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

std::string
pack (NebulaValue *value)
{
  GBytes *bytes = nebula_value_to_msgpack (value);
  gsize size = 0;
  const char *data = (const char *) g_bytes_get_data (bytes, &size);
  std::string result (data, size);
  g_bytes_unref (bytes);
  return result;
}

Value
unpack (const std::string &bytes, Error &error)
{
  GBytes *copy = g_bytes_new (bytes.data (), bytes.size ());
  Value value (nebula_value_from_msgpack (copy, error.out ()));
  g_bytes_unref (copy);
  return value;
}

std::string
from_hex (const std::string &hex)
{
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size (); i += 2) {
    if (hex[i] == '-') {
      i--;
      continue;
    }
    bytes += (char) std::stoi (hex.substr (i, 2), nullptr, 16);
  }
  return bytes;
}

std::string
to_hex (const std::string &bytes)
{
  std::string hex;
  for (unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

Value
new_bytes (const std::string &hex)
{
  std::string raw = from_hex (hex);
  GBytes *bytes = g_bytes_new (raw.data (), raw.size ());
  Value value (nebula_value_new_bytes (bytes));
  g_bytes_unref (bytes);
  return value;
}

/* The value that a typed form of the public suite means. */
Value
from_typed (NebulaValue *typed)
{
  std::string kind = nebula_value_get_key (typed, 0, nullptr);
  NebulaValue *content = nebula_value_get_member_at (typed, 0);
  if (kind == "binary")
    return new_bytes (nebula_value_get_string (content));
  if (kind == "bignum")
    return json (nebula_value_get_string (content));
  if (kind == "timestamp") {
    gint64 seconds = nebula_value_get_integer (nebula_value_get_item (content, 0));
    gint64 nanoseconds = nebula_value_get_integer (nebula_value_get_item (content, 1));
    return Value (nebula_value_new_timestamp_full (seconds * G_USEC_PER_SEC + nanoseconds / 1000,
                                                   (guint) (nanoseconds % 1000), 0));
  }
  if (kind == "ext") {
    nebula::Owned<NebulaValueBuilder, nebula_value_builder_unref> builder (nebula_value_builder_new_object ());
    nebula_value_builder_set (builder.get (), "$ext", nebula_value_get_item (content, 0));
    nebula_value_builder_set_take (builder.get (), "data",
                                   new_bytes (nebula_value_get_string (nebula_value_get_item (content, 1))).steal ());
    return Value (nebula_value_builder_end (builder.get ()));
  }
  return Value (nebula_value_ref (content));
}

} // namespace

TEST (Msgpack, AgreesWithThePublicSuite)
{
  const char *folder = g_getenv ("NEBULA_CONFORMANCE_DIR");
  std::ifstream file (std::string (folder ? folder : "") + "/msgpack.jsonl");
  if (!file)
    GTEST_SKIP () << "SKIPPED: the public suites are not here; set -Dconformance_dir";
  int n_cases = 0;
  for (std::string line; std::getline (file, line); n_cases++) {
    Value request = json (line.c_str ());
    std::string id = nebula_value_get_member_string (request.get (), "id", "?");
    NebulaValue *args = nebula_value_get_member (request.get (), "args");
    NebulaValue *expect = nebula_value_get_member (request.get (), "expect");
    if (const char *hex = nebula_value_get_member_string (args, "hex", nullptr)) {
      Error error;
      Value value = unpack (from_hex (hex), error);
      ASSERT_TRUE (value) << id << error.message ();
      Value wanted = from_typed (nebula_value_get_member (expect, "typed"));
      EXPECT_TRUE (nebula_value_equal (value.get (), wanted.get ())) << id << to_json (value) << to_json (wanted);
      continue;
    }
    Value value = from_typed (nebula_value_get_member (args, "typed"));
    std::string hex = to_hex (pack (value.get ()));
    NebulaValue *any = nebula_value_get_member (expect, "any_of");
    bool found = false;
    for (gsize i = 0; i < nebula_value_get_length (any); i++)
      found = found || hex == nebula_value_get_string (nebula_value_get_item (any, i));
    EXPECT_TRUE (found) << id << " " << hex << to_json (expect);
  }
  EXPECT_EQ (n_cases, 318);
}

TEST (Msgpack, EveryKindSurvives)
{
  std::vector<Value> values;
  for (const char *text : { "null", "true", "false", "0", "127", "128", "255", "256", "65535", "65536", "4294967295",
                            "4294967296", "9223372036854775807", "-1", "-32", "-33", "-128", "-129", "-32768", "-32769",
                            "-2147483648", "-2147483649", "-9223372036854775808", "1.5", "-0", "\"\"", "[]", "{}",
                            "\"\\u0000\u00e9\"", "{\"a\":[1,{\"\\u0000\":[[]]}],\"b\":{}}", "12345678901234567890.5" })
    values.push_back (json (text));
  for (gsize length : { 31, 32, 255, 256, 65535, 65536 }) {
    std::string text (length, 'x');
    values.emplace_back (nebula_value_new_string (text.c_str ()));
    values.push_back (new_bytes (to_hex (text)));
  }
  for (gsize length : { 15, 16, 65535, 65536 }) {
    std::vector<NebulaValue *> items (length, nebula_value_new_null ());
    values.emplace_back (nebula_value_new_array (items.data (), length));
    nebula::Owned<NebulaValueBuilder, nebula_value_builder_unref> builder (nebula_value_builder_new_object ());
    for (gsize i = 0; i < length; i++)
      nebula_value_builder_set_integer (builder.get (), std::to_string (i).c_str (), (gint64) i);
    values.emplace_back (nebula_value_builder_end (builder.get ()));
  }
  values.emplace_back (nebula_value_new_date (9999, 12, 31, nullptr));
  values.emplace_back (nebula_value_new_time (86399999999, nullptr));
  values.emplace_back (nebula_value_new_duration (G_MININT64));
  values.emplace_back (nebula_value_new_reference ("blob:sha256/00"));
  for (gint64 usec : { G_GINT64_CONSTANT (0), G_GINT64_CONSTANT (-1), G_GINT64_CONSTANT (1700000000123456), G_MAXINT64,
                       G_MININT64 })
    for (int offset : { 0, -3600, 50400 })
      values.emplace_back (nebula_value_new_timestamp_full (usec, 999, offset));
  for (const Value &value : values) {
    Error error;
    Value back = unpack (pack (value.get ()), error);
    ASSERT_TRUE (back) << to_json (value) << error.message ();
    EXPECT_TRUE (nebula_value_equal (back.get (), value.get ())) << to_json (value);
    EXPECT_EQ (nebula_value_get_kind (back.get ()), nebula_value_get_kind (value.get ()));
    EXPECT_EQ (to_json (back), to_json (value));
  }
}

TEST (Msgpack, RefusesHostileBytes)
{
  struct
  {
    const char *hex;
    NebulaError code;
  } cases[] = {
    { "", NEBULA_ERROR_INVALID_DATA },
    { "c1", NEBULA_ERROR_INVALID_DATA },
    { "cd00", NEBULA_ERROR_INVALID_DATA },
    { "a5616263", NEBULA_ERROR_INVALID_DATA },
    { "dbffffffff00000000000000000000", NEBULA_ERROR_INVALID_DATA },
    { "c6ffffffff00000000000000000000", NEBULA_ERROR_INVALID_DATA },
    { "c9ffffffff01000000000000000000", NEBULA_ERROR_INVALID_DATA },
    { "ddffffffff00000000000000000000", NEBULA_ERROR_INVALID_DATA },
    { "dfffffffff00000000000000000000", NEBULA_ERROR_INVALID_DATA },
    { "da00", NEBULA_ERROR_INVALID_DATA },
    { "92c0", NEBULA_ERROR_INVALID_DATA },
    { "81a161", NEBULA_ERROR_INVALID_DATA },
    { "8101c0", NEBULA_ERROR_INVALID_DATA },
    { "81d9", NEBULA_ERROR_INVALID_DATA },
    { "81a2ffffc0", NEBULA_ERROR_INVALID_DATA },
    { "82a16101a16102", NEBULA_ERROR_DUPLICATE_KEY },
    { "a2c328", NEBULA_ERROR_INVALID_DATA },
    { "a300c328", NEBULA_ERROR_INVALID_DATA },
    { "cb7ff0000000000000", NEBULA_ERROR_OVERFLOW },
    { "ca7fc00000", NEBULA_ERROR_OVERFLOW },
    { "d6ff", NEBULA_ERROR_INVALID_DATA },
    { "d5ff0000", NEBULA_ERROR_INVALID_DATA },
    { "c70cffffffffff0000000000000000", NEBULA_ERROR_INVALID_DATA },
    { "c70cff000000007fffffffffffffff", NEBULA_ERROR_INVALID_DATA },
    { "d54078ff", NEBULA_ERROR_INVALID_DATA },
    { "d5407878", NEBULA_ERROR_SYNTAX },
    { "d64107e80230", NEBULA_ERROR_INVALID_ARGUMENT },
    { "d54100ff", NEBULA_ERROR_INVALID_DATA },
    { "d742ffffffffffffffff", NEBULA_ERROR_INVALID_ARGUMENT },
    { "c70e4400000000000000007fffffff0000", NEBULA_ERROR_INVALID_DATA },
    { "c0c0", NEBULA_ERROR_INVALID_DATA },
  };
  for (auto &c : cases) {
    Error error;
    EXPECT_FALSE (unpack (from_hex (c.hex), error)) << c.hex;
    EXPECT_TRUE (has_error (error, c.code)) << c.hex;
  }
}

TEST (Msgpack, NestsTo128Levels)
{
  Error error;
  EXPECT_TRUE (unpack (std::string (127, '\x91') + '\x90', error));
  EXPECT_FALSE (unpack (std::string (128, '\x91') + '\x90', error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
  EXPECT_FALSE (unpack (std::string (1000000, '\x91'), error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
}

TEST (Msgpack, EveryCutFails)
{
  std::string whole = pack (json ("{\"a\":[1,2.5,\"text\",null,{\"b\":[300,70000]}],\"c\":12345678901234567890}").get ());
  for (size_t length = 0; length < whole.size (); length++) {
    Error error;
    EXPECT_FALSE (unpack (whole.substr (0, length), error)) << length;
    EXPECT_TRUE (error) << length;
  }
}

TEST (Msgpack, ReadsSeveralValues)
{
  GByteArray *buffer = g_byte_array_new ();
  nebula_value_append_msgpack (json ("[1]").get (), buffer);
  nebula_value_append_msgpack (json ("\"x\"").get (), buffer);
  gsize offset = 0;
  Error error;
  EXPECT_EQ (to_json (Value (nebula_value_read_msgpack (buffer->data, buffer->len, &offset, error.out ()))), "[1]");
  EXPECT_EQ (offset, 2u);
  EXPECT_EQ (to_json (Value (nebula_value_read_msgpack (buffer->data, buffer->len, &offset, error.out ()))), "\"x\"");
  EXPECT_EQ (offset, 4u);
  EXPECT_FALSE (Value (nebula_value_read_msgpack (buffer->data, buffer->len, &offset, error.out ())));
  EXPECT_EQ (offset, 4u);
  g_byte_array_unref (buffer);
}
