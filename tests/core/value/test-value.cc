/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "nebula-duration.h"
#include "nebula-limits.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

using Builder = nebula::Owned<NebulaValueBuilder, nebula_value_builder_unref>;

Value
decimal (const char *text)
{
  Error error;
  Value value (nebula_value_new_decimal (text, error.out ()));
  EXPECT_TRUE (value) << text << error.message ();
  return value;
}

Value
bytes (const char *text)
{
  GBytes *data = g_bytes_new (text, strlen (text));
  Value value (nebula_value_new_bytes (data));
  g_bytes_unref (data);
  return value;
}

std::string
text_of (Value value)
{
  char *text = nebula_value_to_text (value.get ());
  std::string result (text);
  g_free (text);
  return result;
}

} // namespace

TEST (Value, SmallThingsAreImmortal)
{
  EXPECT_EQ (nebula_value_new_null (), nebula_value_new_null ());
  EXPECT_EQ (nebula_value_new_boolean (2), nebula_value_new_boolean (TRUE));
  EXPECT_EQ (nebula_value_new_string (""), nebula_value_new_string (""));
  EXPECT_EQ (nebula_value_new_empty_object (), json ("{}").get ());
  EXPECT_EQ (nebula_value_new_array (nullptr, 0), json ("[]").get ());
  for (gint64 i = -200; i < 1100; i++) {
    Value value (nebula_value_new_integer (i)), again (nebula_value_new_integer (i));
    EXPECT_EQ (nebula_value_get_integer (value.get ()), i);
    EXPECT_EQ (value.get () == again.get (), i >= -128 && i <= 1023) << i;
    nebula_value_unref (nebula_value_ref (value.get ()));
  }
}

TEST (Value, ScalarsGiveBackWhatTheyGot)
{
  EXPECT_TRUE (nebula_value_get_boolean (nebula_value_new_boolean (TRUE)));
  EXPECT_DOUBLE_EQ (nebula_value_get_float (Value (nebula_value_new_float (1.5)).get ()), 1.5);
  EXPECT_DOUBLE_EQ (nebula_value_get_float (Value (nebula_value_new_integer (5000)).get ()), 5000.0);
  EXPECT_DOUBLE_EQ (nebula_value_get_float (decimal ("0.25").get ()), 0.25);
  EXPECT_STREQ (nebula_value_get_string (decimal ("1.50").get ()), "1.50");

  std::string long_text (1000, 'x');
  Value taken (nebula_value_new_string_take (g_strdup (long_text.c_str ()), 1000));
  Value short_taken (nebula_value_new_string_take (g_strdup ("abc"), 3));
  EXPECT_EQ (nebula_value_get_string (taken.get ()), long_text);
  EXPECT_STREQ (nebula_value_get_string (short_taken.get ()), "abc");
  EXPECT_EQ (nebula_value_get_string_length (taken.get ()), 1000u);

  Value blob = bytes ("abc");
  GBytes *shared = nebula_value_ref_bytes (blob.get ());
  EXPECT_EQ (g_bytes_get_size (shared), 3u);
  g_bytes_unref (shared);

  int year, month, day;
  Value date (nebula_value_new_date (2024, 2, 29, nullptr));
  nebula_value_get_date (date.get (), &year, &month, &day);
  EXPECT_EQ (year * 10000 + month * 100 + day, 20240229);
  nebula_value_get_date (date.get (), nullptr, nullptr, nullptr);

  Value stamp (nebula_value_new_timestamp_full (-5, 7, 3600));
  EXPECT_EQ (nebula_value_get_usec (stamp.get ()), -5);
  EXPECT_EQ (nebula_value_get_nanoseconds (stamp.get ()), 7u);
  EXPECT_EQ (nebula_value_get_offset_seconds (stamp.get ()), 3600);
  EXPECT_STREQ (nebula_value_get_string (Value (nebula_value_new_reference ("blob:1")).get ()), "blob:1");
  EXPECT_STREQ (nebula_value_kind_to_string (NEBULA_VALUE_KIND_REFERENCE), "reference");
  EXPECT_STREQ (nebula_value_kind_to_string (NEBULA_VALUE_KIND_NULL), "null");
}

TEST (Value, ConstructorsRefuseNonsense)
{
  Error error;
  for (const char *text : { "", "-", "1.", ".5", "+1", "01", "1e", "1e+", "abc", "1 ", "0x1", "NaN", "1,5", "--1" }) {
    EXPECT_FALSE (Value (nebula_value_new_decimal (text, error.out ()))) << text;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX)) << text;
  }
  EXPECT_FALSE (Value (nebula_value_new_decimal ("1e999", error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_OVERFLOW));
  std::string huge (NEBULA_LIMIT_STRING_BYTES + 1, '1');
  EXPECT_FALSE (Value (nebula_value_new_decimal (huge.c_str (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_LARGE));
  int days[][3] = { { 2023, 2, 29 }, { 0, 1, 1 }, { 10000, 1, 1 }, { 2024, 13, 1 }, { 2024, 0, 1 }, { 2024, 4, 31 } };
  for (auto &day : days) {
    EXPECT_FALSE (Value (nebula_value_new_date (day[0], day[1], day[2], error.out ())));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  }
  for (gint64 usec : { G_GINT64_CONSTANT (-1), G_GINT64_CONSTANT (86400000000) }) {
    EXPECT_FALSE (Value (nebula_value_new_time (usec, error.out ())));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  }
}

TEST (Value, EqualNumbersAreEqualAcrossKindsWithEqualHashes)
{
  struct
  {
    const char *a, *b;
    int order;
  } cases[] = {
    { "1", "1.0", 0 },
    { "1", "d1.000", 0 },
    { "0", "-0", 0 },
    { "0", "d0.00", 0 },
    { "-0", "d-0e5", 0 },
    { "0.5", "d0.50", 0 },
    { "d100", "d1e2", 0 },
    { "9007199254740993", "9007199254740992.0", 1 },
    { "9007199254740992", "9007199254740992.0", 0 },
    { "9223372036854775807", "9223372036854775808.0", -1 },
    { "9223372036854775808", "9223372036854775808.0", 0 },
    { "-9223372036854775808", "-9223372036854775808.0", 0 },
    { "-9223372036854775809", "-9223372036854775808", -1 },
    { "9223372036854775807", "d9223372036854775807.0", 0 },
    { "9223372036854775807", "d9223372036854775807.1", -1 },
    { "0.1", "d0.1", 1 },
    { "0.1", "d0.1000000000000000055511151231257827021181583404541015625", 0 },
    { "-1", "-0.5", -1 },
    { "-1", "-1.5", 1 },
    { "2", "1e300", -1 },
    { "2", "-1e300", 1 },
    { "d12", "d120", -1 },
    { "d-12", "d-120", 1 },
    { "d0", "d1", -1 },
    { "d0", "d-1", 1 },
    { "d1.25", "d1.2", 1 },
    { "5e-324", "0", 1 },
    { "1e22", "d10000000000000000000000", 0 },
    { "18446744073709551616", "1.8446744073709552e19", 0 },
  };
  auto make = [] (const char *text) { return *text == 'd' ? decimal (text + 1) : json (text); };
  for (auto &c : cases) {
    Value a = make (c.a), b = make (c.b);
    gint order = 99, reverse = 99;
    Error error;
    EXPECT_EQ (nebula_value_equal (a.get (), b.get ()), c.order == 0) << c.a << " " << c.b;
    EXPECT_TRUE (nebula_value_compare (a.get (), b.get (), &order, error.out ()));
    EXPECT_TRUE (nebula_value_compare (b.get (), a.get (), &reverse, error.out ()));
    EXPECT_EQ (order, c.order) << c.a << " " << c.b;
    EXPECT_EQ (reverse, -c.order) << c.a << " " << c.b;
    if (c.order == 0) {
      EXPECT_EQ (nebula_value_hash (a.get ()), nebula_value_hash (b.get ())) << c.a << " " << c.b;
    }
  }
}

TEST (Value, EqualityIsDeepAndHashesFollow)
{
  const char *same[][2] = {
    { "{\"a\":1,\"b\":[2,{\"c\":null}]}", "{\"b\":[2.0,{\"c\":null}],\"a\":1}" },
    { "[[],{}]", "[[],{}]" },
    { "\"x\"", "\"\\u0078\"" },
  };
  for (auto &pair : same) {
    Value a = json (pair[0]), b = json (pair[1]);
    EXPECT_TRUE (nebula_value_equal (a.get (), b.get ())) << pair[0];
    EXPECT_EQ (nebula_value_hash (a.get ()), nebula_value_hash (b.get ())) << pair[0];
  }
  const char *differ[][2] = {
    { "[]", "{}" },           { "[1]", "[1,1]" },         { "{\"a\":1}", "{\"b\":1}" }, { "{\"a\":1}", "{\"a\":2}" },
    { "null", "false" },      { "0", "false" },           { "\"1\"", "1" },             { "[1,2]", "[2,1]" },
    { "[[1],2]", "[[2],2]" }, { "\"a\"", "\"a\\u0000\"" }, { "true", "false" },
  };
  for (auto &pair : differ)
    EXPECT_FALSE (nebula_value_equal (json (pair[0]).get (), json (pair[1]).get ())) << pair[0] << pair[1];

  Value a (nebula_value_new_timestamp (1000000, 0)), b (nebula_value_new_timestamp (1000000, 3600));
  EXPECT_TRUE (nebula_value_equal (a.get (), b.get ()));
  EXPECT_EQ (nebula_value_hash (a.get ()), nebula_value_hash (b.get ()));
  EXPECT_FALSE (nebula_value_equal (a.get (), Value (nebula_value_new_timestamp_full (1000000, 1, 0)).get ()));
  EXPECT_FALSE (nebula_value_equal (a.get (), Value (nebula_value_new_duration (1000000)).get ()));
  EXPECT_TRUE (nebula_value_equal (bytes ("ab").get (), bytes ("ab").get ()));
  EXPECT_EQ (nebula_value_hash (bytes ("ab").get ()), nebula_value_hash (bytes ("ab").get ()));
  EXPECT_FALSE (nebula_value_equal (bytes ("ab").get (), json ("\"ab\"").get ()));
  EXPECT_FALSE (nebula_value_equal (json ("\"ab\"").get (), Value (nebula_value_new_reference ("ab")).get ()));
  Value big = json ("{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":1}");
  Value shuffled = json ("{\"i\":1,\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0}");
  EXPECT_TRUE (nebula_value_equal (big.get (), shuffled.get ()));
}

TEST (Value, HashesSpread)
{
  std::set<guint> hashes;
  for (gint64 i = 0; i < 10000; i++)
    hashes.insert (nebula_value_hash (Value (nebula_value_new_integer (i * 1000000007 + (gint64 (1) << 60))).get ()));
  EXPECT_GT (hashes.size (), 9990u);
}

TEST (Value, OrderExistsWithinOneKind)
{
  const char *rising[][2] = {
    { "\"a\"", "\"b\"" }, { "\"a\"", "\"aa\"" }, { "\"\"", "\"\\u0000\"" }, { "false", "true" }, { "[1,2]", "[1,3]" },
    { "[1]", "[1,0]" },   { "[[1],0]", "[[2]]" }, { "\"z\"", "\"é\"" },
  };
  for (auto &pair : rising) {
    gint order = 0;
    EXPECT_TRUE (nebula_value_compare (json (pair[0]).get (), json (pair[1]).get (), &order, nullptr)) << pair[0];
    EXPECT_LT (order, 0) << pair[0];
    EXPECT_TRUE (nebula_value_compare (json (pair[1]).get (), json (pair[0]).get (), &order, nullptr)) << pair[0];
    EXPECT_GT (order, 0) << pair[0];
  }
  gint order = 42;
  EXPECT_TRUE (nebula_value_compare (json ("null").get (), json ("null").get (), &order, nullptr));
  EXPECT_EQ (order, 0);
  EXPECT_TRUE (nebula_value_compare (bytes ("b").get (), bytes ("a").get (), &order, nullptr));
  EXPECT_GT (order, 0);
  order = 42;
  for (auto &pair : std::vector<std::vector<const char *>>{ { "1", "\"1\"" }, { "{}", "{}" }, { "[1]", "[\"1\"]" }, { "null", "0" } }) {
    Error error;
    EXPECT_FALSE (nebula_value_compare (json (pair[0]).get (), json (pair[1]).get (), &order, error.out ()));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_TYPE));
    EXPECT_EQ (order, 42);
  }
}

TEST (Value, SizeAndDepthAreKnown)
{
  EXPECT_EQ (nebula_value_get_size_bytes (json ("1").get ()), 8u);
  EXPECT_EQ (nebula_value_get_size_bytes (json ("\"abc\"").get ()), 11u);
  EXPECT_EQ (nebula_value_get_size_bytes (json ("[1,\"abc\"]").get ()), 8u + 16 + 8 + 11);
  EXPECT_EQ (nebula_value_get_size_bytes (json ("{\"key\":1}").get ()), 8u + 8 + 3 + 8);
  EXPECT_EQ (nebula_value_get_depth (json ("1").get ()), 0u);
  EXPECT_EQ (nebula_value_get_depth (json ("[]").get ()), 1u);
  EXPECT_EQ (nebula_value_get_depth (json ("[{\"a\":[]},1]").get ()), 3u);
}

TEST (Value, NestingBeyondAllMeasureCostsNoStack)
{
  auto nest = [] (int levels) {
    Value value (nebula_value_new_integer (5000));
    for (int i = 0; i < levels; i++) {
      NebulaValue *item = value.get ();
      value.reset (nebula_value_new_array (&item, 1));
    }
    return value;
  };
  Value deep = nest (200000), other = nest (200000);
  EXPECT_EQ (nebula_value_get_depth (deep.get ()), 65535u);
  EXPECT_TRUE (nebula_value_equal (deep.get (), other.get ()));
  EXPECT_EQ (nebula_value_hash (deep.get ()), nebula_value_hash (other.get ()));
  gint order = 1;
  EXPECT_TRUE (nebula_value_compare (deep.get (), other.get (), &order, nullptr));
  EXPECT_EQ (order, 0);
  EXPECT_EQ (to_json (deep).size (), 400004u);
}

TEST (Value, SharedPartsThatMultiplyStayCounted)
{
  Value value = json ("[0]");
  for (int i = 0; i < 100; i++) {
    NebulaValue *items[] = { value.get (), value.get () };
    value.reset (nebula_value_new_array (items, 2));
  }
  EXPECT_EQ (nebula_value_get_size_bytes (value.get ()), G_MAXSIZE);
}

TEST (Value, ChangedCopiesLeaveTheOriginal)
{
  Value object = json ("{\"a\":1,\"b\":2}");
  EXPECT_EQ (to_json (Value (nebula_value_with_member (object.get (), "a", nebula_value_new_null ()))),
             "{\"a\":null,\"b\":2}");
  EXPECT_EQ (to_json (Value (nebula_value_with_member (object.get (), "c", nebula_value_new_null ()))),
             "{\"a\":1,\"b\":2,\"c\":null}");
  EXPECT_EQ (to_json (Value (nebula_value_without_member (object.get (), "a"))), "{\"b\":2}");
  EXPECT_EQ (Value (nebula_value_without_member (object.get (), "x")).get (), object.get ());
  EXPECT_EQ (to_json (Value (nebula_value_without_member (json ("{\"a\":1}").get (), "a"))), "{}");
  EXPECT_EQ (to_json (object), "{\"a\":1,\"b\":2}");

  Value array = json ("[1,2,3]");
  EXPECT_EQ (to_json (Value (nebula_value_append (array.get (), array.get ()))), "[1,2,3,[1,2,3]]");
  EXPECT_EQ (to_json (Value (nebula_value_slice (array.get (), 1, 2))), "[2]");
  EXPECT_EQ (to_json (Value (nebula_value_slice (array.get (), 1, 99))), "[2,3]");
  EXPECT_EQ (to_json (Value (nebula_value_slice (array.get (), 2, 1))), "[]");
  EXPECT_EQ (Value (nebula_value_slice (array.get (), 0, 3)).get (), array.get ());
  Value text = json ("\"aé😀z\"");
  EXPECT_EQ (to_json (Value (nebula_value_slice (text.get (), 1, 3))), "\"é😀\"");
  EXPECT_EQ (to_json (Value (nebula_value_slice (text.get (), 3, 99))), "\"z\"");
  EXPECT_EQ (to_json (Value (nebula_value_slice (text.get (), 9, 99))), "\"\"");
  EXPECT_EQ (to_json (Value (nebula_value_slice (text.get (), 3, 1))), "\"\"");

  const char *strings[] = { "a", "b", nullptr };
  EXPECT_EQ (to_json (Value (nebula_value_new_strv (strings))), "[\"a\",\"b\"]");
  EXPECT_EQ (to_json (Value (nebula_value_new_strv (nullptr))), "[]");
}

TEST (Value, MembersAreFoundWithFallbacks)
{
  Value value = json ("{\"s\":\"x\",\"i\":7,\"b\":true}");
  NebulaValue *object = value.get ();
  EXPECT_STREQ (nebula_value_get_member_string (object, "s", "y"), "x");
  EXPECT_STREQ (nebula_value_get_member_string (object, "i", "y"), "y");
  EXPECT_EQ (nebula_value_get_member_integer (object, "i", 0), 7);
  EXPECT_EQ (nebula_value_get_member_integer (object, "none", 3), 3);
  EXPECT_TRUE (nebula_value_get_member_boolean (object, "b", FALSE));
  EXPECT_TRUE (nebula_value_get_member_boolean (object, "s", TRUE));
  gsize length = 0;
  EXPECT_STREQ (nebula_value_get_key (object, 1, &length), "i");
  EXPECT_EQ (length, 1u);
  EXPECT_EQ (nebula_value_get_key (object, 3, nullptr), nullptr);
  EXPECT_EQ (nebula_value_get_member_at (object, 3), nullptr);
  EXPECT_EQ (nebula_value_get_item (json ("[1]").get (), 1), nullptr);
}

TEST (Value, TextForPeople)
{
  EXPECT_EQ (text_of (json ("null")), "");
  EXPECT_EQ (text_of (json ("\"a\\nb\"")), "a\nb");
  EXPECT_EQ (text_of (json ("true")), "true");
  EXPECT_EQ (text_of (json ("2.50")), "2.5");
  EXPECT_EQ (text_of (json ("{\"a\":[1]}")), "{\"a\":[1]}");
  EXPECT_EQ (text_of (decimal ("1.50")), "1.50");
  EXPECT_EQ (text_of (Value (nebula_value_new_duration (20000))), "PT0.02S");
  EXPECT_EQ (text_of (Value (nebula_value_new_timestamp_full (1500000, 5, 0))), "1970-01-01T00:00:01.500000005Z");
  EXPECT_EQ (text_of (Value (nebula_value_new_timestamp_full (0, 5, -3600))), "1969-12-31T23:00:00.000000005-01:00");
  EXPECT_EQ (text_of (Value (nebula_value_new_reference ("blob:1"))), "blob:1");
}

TEST (Builder, IsReusedAndKeepsPlaces)
{
  Builder builder (nebula_value_builder_new_object ());
  for (int round = 0; round < 6; round++) {
    int count = round == 3 ? 30 : 3 + round;
    for (int i = 0; i < count; i++)
      nebula_value_builder_set_integer (builder.get (), ("k" + std::to_string (i)).c_str (), i);
    EXPECT_TRUE (nebula_value_builder_has (builder.get (), "k2", 2));
    EXPECT_FALSE (nebula_value_builder_has (builder.get (), "k99", 3));
    nebula_value_builder_set_string (builder.get (), "k0", "first");
    nebula_value_builder_set_string (builder.get (), "k1", nullptr);
    nebula_value_builder_set_boolean (builder.get (), "k2", TRUE);
    EXPECT_EQ (nebula_value_builder_get_length (builder.get ()), (gsize) count);
    Value value (nebula_value_builder_end (builder.get ()));
    EXPECT_EQ (nebula_value_get_length (value.get ()), (gsize) count);
    EXPECT_THAT (to_json (value), testing::StartsWith ("{\"k0\":\"first\",\"k1\":null,\"k2\":true"));
    EXPECT_EQ (nebula_value_builder_get_length (builder.get ()), 0u);
  }
  EXPECT_EQ (to_json (Value (nebula_value_builder_end (builder.get ()))), "{}");
}

TEST (Builder, KeysThatLeaveAKnownShape)
{
  Builder builder (nebula_value_builder_new_object ());
  auto build = [&] (std::vector<const char *> keys) {
    for (const char *key : keys)
      nebula_value_builder_set_integer (builder.get (), key, 1);
    return to_json (Value (nebula_value_builder_end (builder.get ())));
  };
  EXPECT_EQ (build ({ "a", "b", "c" }), "{\"a\":1,\"b\":1,\"c\":1}");
  EXPECT_EQ (build ({ "a", "b" }), "{\"a\":1,\"b\":1}");
  EXPECT_EQ (build ({ "a", "b", "c", "d" }), "{\"a\":1,\"b\":1,\"c\":1,\"d\":1}");
  EXPECT_EQ (build ({ "a", "c", "b" }), "{\"a\":1,\"c\":1,\"b\":1}");
  EXPECT_EQ (build ({ "a", "b", "a" }), "{\"a\":1,\"b\":1}");
  EXPECT_EQ (build ({ "x" }), "{\"x\":1}");
  std::vector<const char *> many = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k" };
  std::string first = build (many);
  EXPECT_EQ (build (many), first);
  many[10] = "a";
  EXPECT_EQ (build (many), "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1}");
  many[10] = "z";
  EXPECT_THAT (build (many), testing::EndsWith ("\"j\":1,\"z\":1}"));
}

TEST (Builder, UnfinishedWorkIsFreed)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_array ();
  nebula_value_builder_add (builder, json ("[5000]").get ());
  nebula_value_builder_ref (builder);
  nebula_value_builder_unref (builder);
  nebula_value_builder_add_take (builder, json ("[6000]").steal ());
  nebula_value_builder_unref (builder);
}

TEST (Value, CrossesThreads)
{
  Value value = json ("{\"a\":[1,2,{\"b\":5000}],\"c\":\"text\"}");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back ([&] {
      for (int k = 0; k < 20000; k++) {
        Value held (nebula_value_ref (nebula_value_get_member (value.get (), "a")));
        Value copy (nebula_value_with_member (value.get (), "d", held.get ()));
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (to_json (value), "{\"a\":[1,2,{\"b\":5000}],\"c\":\"text\"}");
}

TEST (Duration, ReadsAndWrites)
{
  struct
  {
    const char *text;
    gint64 usec;
    const char *iso;
  } cases[] = {
    { "20ms", 20000, "PT0.02S" },
    { "1h30m", 5400000000, "PT1H30M" },
    { "2d", 172800000000, "P2D" },
    { "1w", 604800000000, "P7D" },
    { "7us", 7, "PT0.000007S" },
    { "1.5s", 1500000, "PT1.5S" },
    { "0s", 0, "PT0S" },
    { "90s", 90000000, "PT1M30S" },
    { "PT1H30M", 5400000000, "PT1H30M" },
    { "P1DT2H3M4.5S", 93784500000, "P1DT2H3M4.5S" },
    { "P2W", 1209600000000, "P14D" },
    { "PT0.25S", 250000, "PT0.25S" },
    { "100000000d", G_GINT64_CONSTANT (8640000000000000000), "P100000000D" },
    { "1.000001d", 86400086400, "P1DT0.0864S" },
  };
  for (auto &c : cases) {
    gint64 usec = -1;
    Error error;
    EXPECT_TRUE (nebula_duration_parse (c.text, &usec, error.out ())) << c.text << error.message ();
    EXPECT_EQ (usec, c.usec) << c.text;
    char *iso = nebula_duration_to_string (usec);
    EXPECT_STREQ (iso, c.iso);
    EXPECT_TRUE (nebula_duration_parse (iso, &usec, nullptr));
    EXPECT_EQ (usec, c.usec) << iso;
    g_free (iso);
  }
  char *least = nebula_duration_to_string (G_MININT64);
  EXPECT_STREQ (least, "-P106751991DT4H54.775808S");
  g_free (least);
  for (const char *text : { "", "5", "5 s", "-5s", "s", "5x", "1.s", "1h30", "P", "PT", "P1", "P1H", "PT1H1H", "PT1M1H", "P1Y",
                            "P1M", "1e3s", "999999999999w", "99999999999999999999s", "PT1D", "P1DT", "h" }) {
    gint64 usec = 42;
    Error error;
    EXPECT_FALSE (nebula_duration_parse (text, &usec, error.out ())) << text;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX)) << text;
    EXPECT_EQ (usec, 42);
  }
}

TEST (Size, Reads)
{
  std::vector<std::pair<const char *, guint64>> cases
    = { { "4096", 4096 }, { "64MiB", 67108864 }, { "10kB", 10000 }, { "1.5KiB", 1536 }, { "0", 0 }, { "7B", 7 }, { "2GB", 2000000000 } };
  for (auto &c : cases) {
    guint64 bytes = 1;
    EXPECT_TRUE (nebula_size_parse (c.first, &bytes, nullptr)) << c.first;
    EXPECT_EQ (bytes, c.second) << c.first;
  }
  for (const char *text : { "", "MiB", "-1", "64M", "64 MiB", "64MiBx", "1.", "99999999999TiB" }) {
    guint64 bytes = 42;
    Error error;
    EXPECT_FALSE (nebula_size_parse (text, &bytes, error.out ())) << text;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX)) << text;
    EXPECT_EQ (bytes, 42u);
  }
}

TEST (Timestamp, ReadsAndWrites)
{
  struct
  {
    const char *text;
    gint64 usec;
    int offset;
    const char *again;
  } cases[] = {
    { "1970-01-01T00:00:00Z", 0, 0, "1970-01-01T00:00:00Z" },
    { "2026-03-29T01:30:00+01:00", 1774744200000000, 3600, "2026-03-29T01:30:00+01:00" },
    { "2000-02-29t12:00:00.5z", 951825600500000, 0, "2000-02-29T12:00:00.5Z" },
    { "1969-12-31 23:59:59.999999-00:30", 1799999999, -1800, "1969-12-31T23:59:59.999999-00:30" },
    { "0001-01-01T00:00:00Z", -62135596800000000, 0, "0001-01-01T00:00:00Z" },
    { "9999-12-31T23:59:59.123456789Z", 253402300799123456, 0, "9999-12-31T23:59:59.123456Z" },
    { "2016-12-31T23:59:60Z", 1483228800000000, 0, "2017-01-01T00:00:00Z" },
  };
  for (auto &c : cases) {
    gint64 usec = 0;
    int offset = 0;
    Error error;
    EXPECT_TRUE (nebula_timestamp_parse (c.text, &usec, &offset, error.out ())) << c.text;
    EXPECT_EQ (usec, c.usec) << c.text;
    EXPECT_EQ (offset, c.offset) << c.text;
    char *again = nebula_timestamp_to_string (usec, offset);
    EXPECT_STREQ (again, c.again);
    g_free (again);
  }
  for (const char *text : { "", "2026-03-29", "2026-03-29T01:30:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
                            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
                            "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Zx",
                            "26-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "2026-01-01T00:00Z", "2026/01/01T00:00:00Z" }) {
    gint64 usec = 42;
    Error error;
    EXPECT_FALSE (nebula_timestamp_parse (text, &usec, nullptr, error.out ())) << text;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_SYNTAX)) << text;
    EXPECT_EQ (usec, 42);
  }
}
