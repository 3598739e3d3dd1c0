/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts as Protocol Buffers: a segment and its messages are one and the same, and protoc reads them. */
#include "nebula-test.h"

#include <string>

#include "nebula-fact-internal.h"
#include "nebula-protobuf-internal.h"
#include "nebula-stored-internal.h"

using nebula::Error;
using nebula::has_error;
using nebula::json;
using nebula::Owned;
using nebula::Value;

namespace
{

using Bytes = Owned<GBytes, g_bytes_unref>;

Bytes
make_segment ()
{
  NebulaFactWriter writer;
  Value value = json ("{\"input\": {\"n\": 1}}");
  NebulaFact started = {};
  NebulaFact ready = {};
  NebulaFact failed = {};

  nebula_fact_writer_init (&writer);
  started.kind = NEBULA_FACT_STARTED;
  started.node = NEBULA_PLAN_NONE;
  started.time_usec = 1700000000000000;
  started.text = "hash";
  started.number = -5;
  started.value = value.get ();
  nebula_fact_writer_add_named (&writer, nullptr, &started);
  ready.kind = NEBULA_FACT_NODE_READY;
  ready.lane = 3;
  ready.node = NEBULA_PLAN_NONE;
  ready.time_usec = 1700000000000250;
  ready.code = 2;
  ready.due_usec = 1700000001000250;
  ready.text = "";
  nebula_fact_writer_add_named (&writer, "fetch", &ready);
  failed.kind = NEBULA_FACT_ATTEMPT_FAILED;
  failed.node = NEBULA_PLAN_NONE;
  failed.time_usec = 1700000000000250;
  failed.attempt = 2;
  nebula_fact_writer_add_named (&writer, "fetch", &failed);
  return Bytes (nebula_fact_writer_end (&writer));
}

TEST (Facts, GoThereAndBack)
{
  Bytes segment = make_segment ();
  Error error;
  Bytes messages (nebula_facts_to_protobuf (segment.get (), error.out ()));

  ASSERT_TRUE (messages) << error.message ();
  Bytes again (nebula_facts_from_protobuf (messages.get (), error.out ()));
  ASSERT_TRUE (again) << error.message ();
  EXPECT_TRUE (g_bytes_equal (segment.get (), again.get ()));
}

TEST (Facts, AreReadByProtoc)
{
  const char *top = g_getenv ("G_TEST_SRCDIR");
  std::string path = std::string ("--proto_path=") + (top ? top : "tests") + "/../data/proto";
  const char *argv[] = {"protoc", path.c_str (), "--decode=nebula.v1.Facts", "nebula.proto", nullptr};
  Bytes segment = make_segment ();
  Error error;
  Bytes messages (nebula_facts_to_protobuf (segment.get (), error.out ()));
  GBytes *output = nullptr;
  char *found = g_find_program_in_path ("protoc");

  if (!found)
    GTEST_SKIP () << "protoc is not here";
  g_free (found);
  GSubprocess *process = g_subprocess_newv (
      argv, (GSubprocessFlags) (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE), error.out ());
  ASSERT_NE (process, nullptr) << error.message ();
  ASSERT_TRUE (g_subprocess_communicate (process, messages.get (), nullptr, &output, nullptr, error.out ()));
  std::string text ((const char *) g_bytes_get_data (output, nullptr), g_bytes_get_size (output));
  EXPECT_NE (text.find ("kind: STARTED\n  number: -5\n  time_usec: 1700000000000000\n  text: \"hash\"\n  has_text: true\n"),
             std::string::npos)
      << text;
  EXPECT_NE (text.find ("kind: NODE_READY\n  lane: 3\n  node: \"fetch\"\n"), std::string::npos) << text;
  EXPECT_NE (text.find ("kind: ATTEMPT_FAILED\n  node: \"fetch\"\n  attempt: 2\n"), std::string::npos) << text;
  g_bytes_unref (output);
  g_object_unref (process);
}

/* The published names are those of the house. */
TEST (Facts, HaveTheSameKinds)
{
  for (int kind = NEBULA_FACT_STARTED; kind <= NEBULA_FACT_LAST; kind++) {
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value (&nebula__v1__fact_kind__descriptor, kind);
    std::string name;

    ASSERT_NE (value, nullptr) << kind;
    for (const char *at = value->name; *at; at++)
      name += *at == '_' ? '-' : g_ascii_tolower (*at);
    EXPECT_EQ (name, nebula_fact_kind_to_string ((NebulaFactKind) kind));
  }
  EXPECT_EQ (nebula__v1__fact_kind__descriptor.n_values, NEBULA_FACT_LAST + 1u);
}

TEST (Facts, FromOutsideAreChecked)
{
  const std::string bad[] = {
      "",                                                  /* no facts at all */
      std::string ("\x0a\x02\x08\x63", 4),                 /* a kind that does not exist */
      std::string ("\x0a\x00", 2),                         /* none */
      std::string ("\x0a\x05\x08\x01\x1a\x01\xff", 7),     /* a node that is not UTF-8 */
      std::string ("\x0a\x04\x08\x01\x4a\x00", 6),         /* a value without kind */
  };

  for (const std::string &data : bad) {
    Error error;
    Bytes bytes (g_bytes_new (data.data (), data.size ()));

    EXPECT_FALSE (Bytes (nebula_facts_from_protobuf (bytes.get (), error.out ())));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_DATA)) << data.size ();
  }
}

} // namespace
