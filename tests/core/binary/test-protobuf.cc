/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Protocol Buffers: protoc reads what we write and writes what we read; hostile input. */
#include "nebula-test.h"

#include <string>
#include <vector>

#include "nebula-event.h"
#include "nebula-limits.h"
#include "nebula-protobuf.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::Owned;
using nebula::to_json;
using nebula::Value;

namespace
{

using Bytes = Owned<GBytes, g_bytes_unref>;
using Event = Owned<NebulaEvent, nebula_event_unref>;

Bytes
bytes_of (const std::string &data)
{
  return Bytes (g_bytes_new (data.data (), data.size ()));
}

std::string
string_of (GBytes *bytes)
{
  gsize size;
  const char *data = (const char *) g_bytes_get_data (bytes, &size);

  return std::string (data ? data : "", size);
}

bool
has_protoc ()
{
  char *path = g_find_program_in_path ("protoc");
  bool found = path != nullptr;

  g_free (path);
  return found;
}

/* The other implementation, by the published file. */
std::string
protoc (const char *what, const char *message, const std::string &input)
{
  const char *top = g_getenv ("G_TEST_SRCDIR");
  std::string folder = std::string (top ? top : "tests") + "/../data/proto";
  std::string task = std::string (what) + "=nebula.v1." + message;
  std::string path = "--proto_path=" + folder;
  const char *argv[] = {"protoc", path.c_str (), task.c_str (), "nebula.proto", nullptr};
  Error error;
  GSubprocess *process = g_subprocess_newv (
      argv, (GSubprocessFlags) (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE), error.out ());
  GBytes *output = nullptr;

  EXPECT_NE (process, nullptr) << error.message ();
  if (!process)
    return "";
  EXPECT_TRUE (g_subprocess_communicate (process, bytes_of (input).get (), nullptr, &output, nullptr, error.out ()))
      << error.message ();
  EXPECT_TRUE (g_subprocess_get_successful (process)) << what << " " << input;
  std::string text = output ? string_of (output) : "";
  if (output)
    g_bytes_unref (output);
  g_object_unref (process);
  return text;
}

struct Case {
  const char *text; /* as protoc prints it */
  NebulaValue *(*make) ();
};

NebulaValue *
from_json (const char *text)
{
  return json (text).steal ();
}

const Case cases[] = {
    {"null_value: NULL\n", nebula_value_new_null},
    {"boolean: true\n", [] { return nebula_value_new_boolean (TRUE); }},
    {"boolean: false\n", [] { return nebula_value_new_boolean (FALSE); }},
    {"integer: 0\n", [] { return nebula_value_new_integer (0); }},
    {"integer: -9223372036854775808\n", [] { return nebula_value_new_integer (G_MININT64); }},
    {"integer: 9223372036854775807\n", [] { return nebula_value_new_integer (G_MAXINT64); }},
    {"number: -2.5e-300\n", [] { return nebula_value_new_float (-2.5e-300); }},
    {"decimal: \"123456789012345678901234567890.5\"\n",
     [] { return nebula_value_new_decimal ("123456789012345678901234567890.5", nullptr); }},
    {"text: \"\"\n", [] { return nebula_value_new_string (""); }},
    {"text: \"a\\000b \\303\\244\"\n", [] { return nebula_value_new_string_length ("a\0b \xc3\xa4", 6); }},
    {"data: \"\\000\\377\"\n",
     [] {
       Bytes bytes (g_bytes_new ("\0\xff", 2));
       return nebula_value_new_bytes (bytes.get ());
     }},
    {"array {\n}\n", [] { return from_json ("[]"); }},
    {"array {\n  items {\n    integer: 1\n  }\n  items {\n    array {\n      items {\n        null_value: NULL\n      }\n"
     "    }\n  }\n}\n",
     [] { return from_json ("[1, [null]]"); }},
    {"object {\n}\n", nebula_value_new_empty_object},
    {"object {\n  members {\n    key: \"z\"\n    value {\n      integer: 1\n    }\n  }\n  members {\n    value {\n"
     "      object {\n      }\n    }\n  }\n}\n",
     [] { return from_json ("{\"z\": 1, \"\": {}}"); }},
    {"date {\n  year: 2024\n  month: 2\n  day: 29\n}\n",
     [] { return nebula_value_new_date (2024, 2, 29, nullptr); }},
    {"time_usec: 86399999999\n",
     [] { return nebula_value_new_time (G_GINT64_CONSTANT (86399999999), nullptr); }},
    {"timestamp {\n  unix_usec: -1\n  nanoseconds: 999\n  offset_seconds: -19800\n}\n",
     [] { return nebula_value_new_timestamp_full (-1, 999, -19800); }},
    {"duration_usec: -90000000\n", [] { return nebula_value_new_duration (-90000000); }},
    {"reference: \"blob:abc\"\n", [] { return nebula_value_new_reference ("blob:abc"); }},
};

class Protobuf : public testing::TestWithParam<Case>
{
};

TEST_P (Protobuf, AgreesWithProtoc)
{
  Value value (GetParam ().make ());
  Error error;
  Bytes bytes (nebula_value_to_protobuf (value.get (), error.out ()));

  ASSERT_TRUE (bytes) << error.message ();
  Value again (nebula_value_from_protobuf (bytes.get (), error.out ()));
  ASSERT_TRUE (again) << error.message ();
  EXPECT_EQ (nebula_value_get_kind (again.get ()), nebula_value_get_kind (value.get ()));
  EXPECT_TRUE (nebula_value_equal (again.get (), value.get ()));
  if (!has_protoc ())
    GTEST_SKIP () << "protoc is not here";
  EXPECT_EQ (protoc ("--decode", "Value", string_of (bytes.get ())), GetParam ().text);
  EXPECT_EQ (protoc ("--encode", "Value", GetParam ().text), string_of (bytes.get ()));
}

INSTANTIATE_TEST_SUITE_P (Kinds, Protobuf, testing::ValuesIn (cases));

TEST (ProtobufEvent, AgreesWithProtoc)
{
  const char *text = "topic: \"node.failed\"\ntenant: \"acme\"\nexecution: \"exe_1\"\nnode: \"a\"\nsequence: 7\n"
                     "time_usec: 1700000000000000\ndata {\n  members {\n    key: \"n\"\n    value {\n      integer: 1\n"
                     "    }\n  }\n}\n";
  NebulaEventInfo info = {"node.failed", "acme", nullptr, "exe_1", "a", 7, G_GINT64_CONSTANT (1700000000000000)};
  Value data = json ("{\"n\": 1}");
  Event event (nebula_event_new (&info, data.get ()));
  Error error;
  Bytes bytes (nebula_event_to_protobuf (event.get (), error.out ()));

  ASSERT_TRUE (bytes) << error.message ();
  Event again (nebula_event_from_protobuf (bytes.get (), error.out ()));
  ASSERT_TRUE (again) << error.message ();
  EXPECT_STREQ (nebula_event_get_topic (again.get ()), "node.failed");
  EXPECT_STREQ (nebula_event_get_tenant (again.get ()), "acme");
  EXPECT_EQ (nebula_event_get_workflow (again.get ()), nullptr);
  EXPECT_STREQ (nebula_event_get_node (again.get ()), "a");
  EXPECT_EQ (nebula_event_get_sequence (again.get ()), 7u);
  EXPECT_EQ (nebula_event_get_time_usec (again.get ()), info.time_usec);
  EXPECT_EQ (to_json (nebula_event_get_data (again.get ())), "{\"n\":1}");
  if (!has_protoc ())
    GTEST_SKIP () << "protoc is not here";
  EXPECT_EQ (protoc ("--decode", "Event", string_of (bytes.get ())), text);
  EXPECT_EQ (protoc ("--encode", "Event", text), string_of (bytes.get ()));
}

TEST (ProtobufEvent, RefusesWhatItDoesNotKnow)
{
  Error error;

  EXPECT_FALSE (Event (nebula_event_from_protobuf (bytes_of ("").get (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_FALSE (Event (nebula_event_from_protobuf (bytes_of ("\x0a\x01x").get (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_FALSE (Event (nebula_event_from_protobuf (bytes_of ("\x0a\x0bnode.failed\x12\x01\xff").get (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA));
  EXPECT_FALSE (Event (nebula_event_from_protobuf (
      bytes_of (std::string ("\x0a\x0bnode.failed\x42\x05\x0a\x03\x0a\x01k", 20)).get (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA)) << "a member without value";
}

struct Bad {
  const char *what;
  std::string data;
  NebulaError code;
};

/* Arrays in one another: each is a Value around an Array around an item. */
std::string
nested (int levels)
{
  std::string inside ("\x08\x00", 2);
  auto wrap = [] (char tag, const std::string &body) {
    std::string head (1, tag);
    for (gsize size = body.size ();; size >>= 7) {
      head += (char) (size < 128 ? size : (size & 127) | 128);
      if (size < 128)
        break;
    }
    return head + body;
  };

  for (int i = 0; i < levels; i++)
    inside = wrap (0x42, wrap (0x0a, inside));
  return inside;
}

TEST (ProtobufHostile, IsRefused)
{
  const Bad bad[] = {
      {"nothing", "", NEBULA_ERROR_INVALID_DATA},
      {"no kind that we know", "\xf8\x01\x01", NEBULA_ERROR_INVALID_DATA},
      {"a tag that ends early", "\xff", NEBULA_ERROR_INVALID_DATA},
      {"a varint of eleven bytes", "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", NEBULA_ERROR_INVALID_DATA},
      {"field 0", std::string ("\x00\x00", 2), NEBULA_ERROR_INVALID_DATA},
      {"a group", "\x0b", NEBULA_ERROR_INVALID_DATA},
      {"a length bomb", "\x32\xff\xff\xff\xff\x0f", NEBULA_ERROR_INVALID_DATA},
      {"a length bomb inside", "\x42\x07\x0a\xff\xff\xff\xff\xff\x0f", NEBULA_ERROR_INVALID_DATA},
      {"half a float", "\x21\x01\x02", NEBULA_ERROR_INVALID_DATA},
      {"infinity", std::string ("\x21\x00\x00\x00\x00\x00\x00\xf0\x7f", 9), NEBULA_ERROR_INVALID_DATA},
      {"text that is not UTF-8", "\x32\x01\xff", NEBULA_ERROR_INVALID_DATA},
      {"a decimal that is no number", "\x2a\x01x", NEBULA_ERROR_SYNTAX},
      {"an empty decimal", std::string ("\x2a\x00", 2), NEBULA_ERROR_SYNTAX},
      {"a reference with U+0000", std::string ("\x72\x01\x00", 3), NEBULA_ERROR_INVALID_DATA},
      {"the 31st of February", "\x52\x07\x08\xe8\x0f\x10\x02\x18\x1f", NEBULA_ERROR_INVALID_ARGUMENT},
      {"month 4294967295", "\x52\x06\x10\xff\xff\xff\xff\x0f", NEBULA_ERROR_INVALID_DATA},
      {"a time after the day", "\x58\xff\xff\xff\xff\xff\x7f", NEBULA_ERROR_INVALID_ARGUMENT},
      {"1000 nanoseconds", "\x62\x03\x10\xe8\x07", NEBULA_ERROR_INVALID_DATA},
      {"a key that comes twice", std::string ("\x4a\x0e\x0a\x05\x0a\x01k\x12\x00\x0a\x05\x0a\x01k\x12\x00", 16),
       NEBULA_ERROR_INVALID_DATA},
      {"a key that comes twice, with values",
       std::string ("\x4a\x12\x0a\x07\x0a\x01k\x12\x02\x08\x00\x0a\x07\x0a\x01k\x12\x02\x08\x00", 20),
       NEBULA_ERROR_DUPLICATE_KEY},
      {"a member without value", "\x4a\x05\x0a\x03\x0a\x01k", NEBULA_ERROR_INVALID_DATA},
      {"a text where a number should be", "\x12\x01x", NEBULA_ERROR_INVALID_DATA},
      {"129 levels", nested (NEBULA_LIMIT_DEPTH + 1), NEBULA_ERROR_TOO_DEEP},
      {"200 levels", nested (200), NEBULA_ERROR_TOO_DEEP},
      {"a million levels", std::string (1000000, '\x42'), NEBULA_ERROR_INVALID_DATA},
  };

  for (const Bad &one : bad) {
    Error error;
    Value value (nebula_value_from_protobuf (bytes_of (one.data).get (), error.out ()));

    EXPECT_FALSE (value) << one.what;
    EXPECT_TRUE (has_error (error, one.code)) << one.what;
  }
}

TEST (ProtobufHostile, EveryCutIsRefusedOrRead)
{
  Value value = json ("{\"a\": [1, 2.5, \"text\", null, {\"b\": true}], \"c\": 12345678901234567890}");
  Error error;
  Bytes bytes (nebula_value_to_protobuf (value.get (), error.out ()));
  std::string whole = string_of (bytes.get ());

  for (gsize i = 0; i < whole.size (); i++) {
    Value part (nebula_value_from_protobuf (bytes_of (whole.substr (0, i)).get (), error.out ()));

    EXPECT_EQ ((bool) part, !error) << i;
  }
}

TEST (ProtobufLimits, AreThoseOfValues)
{
  Error error;
  Value deep (nebula_value_from_protobuf (bytes_of (nested (NEBULA_LIMIT_DEPTH - 1)).get (), error.out ()));
  Value deeper;

  ASSERT_TRUE (deep) << error.message ();
  EXPECT_TRUE (Bytes (nebula_value_to_protobuf (deep.get (), error.out ())));
  deeper.reset (deep.steal ());
  for (int i = 0; i < 3; i++) {
    NebulaValue *item = deeper.steal ();

    deeper.reset (nebula_value_new_array (&item, 1));
    nebula_value_unref (item);
  }
  EXPECT_FALSE (Bytes (nebula_value_to_protobuf (deeper.get (), error.out ())));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_TOO_DEEP));
}

/* The input that takes the most memory for its size: it must pass. */
TEST (ProtobufLimits, AllowAMillionNulls)
{
  std::string items;
  Error error;

  for (int i = 0; i < 1000000; i++)
    items.append ("\x0a\x02\x08\x00", 4);
  std::string data ("\x42");
  for (gsize size = items.size (); ; size >>= 7) {
    data += (char) (size < 128 ? size : (size & 127) | 128);
    if (size < 128)
      break;
  }
  Value value (nebula_value_from_protobuf (bytes_of (data + items).get (), error.out ()));
  ASSERT_TRUE (value) << error.message ();
  EXPECT_EQ (nebula_value_get_length (value.get ()), 1000000u);
}

/* Fields of later versions are passed over. */
TEST (ProtobufLimits, PassesOverUnknownFields)
{
  Error error;
  Value value (nebula_value_from_protobuf (
      bytes_of (std::string ("\x18\x02\xa2\x06\x03" "abc" "\xa8\x06\x01", 11)).get (), error.out ()));

  ASSERT_TRUE (value) << error.message ();
  EXPECT_EQ (to_json (value), "1");
}

} // namespace
