/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bincode: vectors by the rules of its specification (docs/spec.md of bincode-org/bincode, “Enum and data encoding”,
 * “Variable length encoding” and “Collections”), and hostile input.
 */
#include "nebula-test.h"

#include <string>
#include <vector>

#include "nebula-bincode.h"
#include "nebula-limits.h"

using nebula::Error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

std::string
to_hex (GBytes *bytes)
{
  gsize size;
  const guint8 *data = (const guint8 *) g_bytes_get_data (bytes, &size);
  std::string text;
  char digits[3];

  for (gsize i = 0; i < size; i++) {
    g_snprintf (digits, sizeof digits, "%02x", data[i]);
    text += digits;
  }
  return text;
}

GBytes *
from_hex (const std::string &text)
{
  std::vector<guint8> data;

  for (size_t i = 0; i + 1 < text.size (); i += 2)
    data.push_back ((guint8) (g_ascii_xdigit_value (text[i]) * 16 + g_ascii_xdigit_value (text[i + 1])));
  return g_bytes_new (data.data (), data.size ());
}

struct Vector {
  const char *json;
  const char *fixed;    /* 1.x: variant u32, lengths u64, little-endian */
  const char *variable; /* 2: standard configuration */
};

const Vector vectors[] = {
    {"null", "00000000", "00"},
    {"true", "0100000001", "0101"},
    {"false", "0100000000", "0100"},
    {"0", "020000000000000000000000", "0200"},
    {"1", "020000000100000000000000", "0202"},
    {"-1", "02000000ffffffffffffffff", "0201"},
    {"125", "020000007d00000000000000", "02fa"},       /* zigzag 250: the last single byte */
    {"-126", "0200000082ffffffffffffff", "02fbfb00"},  /* zigzag 251: 251 and 2 bytes */
    {"150", "020000009600000000000000", "02fb2c01"},   /* zigzag 300 */
    {"32768", "020000000080000000000000", "02fc00000100"},
    {"2147483648", "020000000000008000000000", "02fd0000000001000000"},
    {"9223372036854775807", "02000000ffffffffffffff7f", "02fdfeffffffffffffff"},
    {"-9223372036854775808", "020000000000000000000080", "02fdffffffffffffffff"},
    {"0.5", "03000000000000000000e03f", "03000000000000e03f"},
    {"\"\"", "050000000000000000000000", "0500"},
    {"\"abc\"", "050000000300000000000000616263", "0503616263"},
    {"\"ä\"", "050000000200000000000000c3a4", "0502c3a4"},
    {"[]", "070000000000000000000000", "0700"},
    {"[null,true]", "070000000200000000000000000000000100000001", "0702000101"},
    {"{}", "080000000000000000000000", "0800"},
    {"{\"a\":null}", "0800000001000000000000000100000000000000" "61" "00000000", "0801016100"},
};

class Bincode : public testing::TestWithParam<Vector>
{
};

TEST_P (Bincode, IsWrittenAndRead)
{
  const Vector &v = GetParam ();
  Value value = json (v.json);

  for (NebulaBincodeVersion version : {NEBULA_BINCODE_VERSION_1, NEBULA_BINCODE_VERSION_2}) {
    Error error;
    GBytes *bytes = nebula_value_to_bincode (value.get (), version);

    EXPECT_EQ (to_hex (bytes), version == NEBULA_BINCODE_VERSION_1 ? v.fixed : v.variable) << v.json;
    Value read (nebula_value_from_bincode (bytes, version, error.out ()));
    EXPECT_TRUE (read) << error.message ();
    EXPECT_EQ (to_json (read), v.json);
    g_bytes_unref (bytes);
  }
}

INSTANTIATE_TEST_SUITE_P (All, Bincode, testing::ValuesIn (vectors));

TEST (Bincode, KeepsEveryKind)
{
  GBytes *raw = g_bytes_new ("\0\xff", 2);
  Error error;
  NebulaValue *values[] = {
      nebula_value_new_bytes (raw),
      nebula_value_new_decimal ("12345678901234567890.5", error.out ()),
      nebula_value_new_date (2024, 2, 29, error.out ()),
      nebula_value_new_time (G_GINT64_CONSTANT (86399999999), error.out ()),
      nebula_value_new_timestamp_full (-1, 999, -19800),
      nebula_value_new_duration (90000000),
      nebula_value_new_reference ("blob:abc"),
      nebula_value_new_string_length ("a\0b", 3),
  };
  for (NebulaValue *value : values) {
    ASSERT_NE (value, nullptr) << error.message ();
    for (NebulaBincodeVersion version : {NEBULA_BINCODE_VERSION_1, NEBULA_BINCODE_VERSION_2}) {
      GBytes *bytes = nebula_value_to_bincode (value, version);
      Value read (nebula_value_from_bincode (bytes, version, error.out ()));

      ASSERT_TRUE (read) << error.message ();
      EXPECT_EQ (nebula_value_get_kind (read.get ()), nebula_value_get_kind (value));
      EXPECT_TRUE (nebula_value_equal (read.get (), value));
      g_bytes_unref (bytes);
    }
    nebula_value_unref (value);
  }
  g_bytes_unref (raw);
}

TEST (Bincode, RefusesHostileBytes)
{
  const char *bad[][2] = {
      {"", "early"},
      {"05", "early"},
      {"0505616263", "claims more"},
      {"05fdffffffffffffffff", "claims more"},
      {"07fdffffffffffffffff", "claims more"},
      {"08fc00000040", "claims more"},
      {"05feffffffffffffffffffffffffffffffff", "too large"},
      {"05ff", "too large"},
      {"fd0000000001000000", "too large"},
      {"0502ffff", "UTF-8"},
      {"0102", "neither 0 nor 1"},
      {"0e", "does not exist"},
      {"fbffff", "does not exist"},
      {"0000", "follows"},
      {"03000000000000f87f", "not finite"},
      {"0802016100016100", "twice"},
      {"09fb224e0101", "date"},
      {"09c80d0d01", ""},
      {"0401" "78", ""},
      {"0403310032", "not text"},
      {"0bfdfeffffffffffffff0000", "timestamp"},
  };
  for (auto &c : bad) {
    Error error;
    GBytes *bytes = from_hex (c[0]);

    EXPECT_EQ (nebula_value_from_bincode (bytes, NEBULA_BINCODE_VERSION_2, error.out ()), nullptr) << c[0];
    EXPECT_TRUE (error) << c[0];
    EXPECT_THAT (error.message (), testing::HasSubstr (c[1])) << c[0];
    g_bytes_unref (bytes);
  }
  std::string deep;
  for (int i = 0; i < 1000; i++)
    deep += "0701";
  GBytes *bytes = from_hex (deep + "00");
  Error error;
  EXPECT_EQ (nebula_value_from_bincode (bytes, NEBULA_BINCODE_VERSION_2, error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_TOO_DEEP));
  g_bytes_unref (bytes);
}

TEST (Bincode, EveryCutIsRefused)
{
  Value value = json (R"({"a":[1,2.5,"text",null,true,{"b":[]}],"c":-300})");

  for (NebulaBincodeVersion version : {NEBULA_BINCODE_VERSION_1, NEBULA_BINCODE_VERSION_2}) {
    GBytes *whole = nebula_value_to_bincode (value.get (), version);

    for (gsize length = 0; length < g_bytes_get_size (whole); length++) {
      GBytes *cut = g_bytes_new_from_bytes (whole, 0, length);
      EXPECT_EQ (nebula_value_from_bincode (cut, version, nullptr), nullptr) << length;
      g_bytes_unref (cut);
    }
    g_bytes_unref (whole);
  }
}

} // namespace
