/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CloudEvents: attributes and the HTTP binding. The suite of events runs in tests/conformance. */
#include "nebula-test.h"

#include <string>

#include "nebula-cloud-event.h"
#include "nebula-event.h"

using nebula::Error;
using nebula::json;
using nebula::to_json;
using nebula::Value;

namespace
{

std::string
read_http (const char *headers, const char *body)
{
  Error error;
  Value names = json (headers);
  GBytes *bytes = g_bytes_new (body, strlen (body));
  Value events (nebula_cloud_event_read_http (names.get (), bytes, error.out ()));

  g_bytes_unref (bytes);
  return events ? to_json (events) : std::string ("! ") + error.message ();
}

/* The scenarios of the HTTP protocol binding. */
TEST (CloudEvent, IsReadFromHttp)
{
  EXPECT_EQ (read_http (R"({"ce-specversion":"1.0","ce-type":"com.example.someevent","ce-time":"2018-04-05T03:56:24Z","ce-id":"1234-1234-1234",
                            "ce-source":"/mycontext/subcontext","Content-Type":"application/json; charset=utf-8"})",
                        R"({"message": "Hello World!"})"),
             R"([{"specversion":"1.0","type":"com.example.someevent","time":"2018-04-05T03:56:24Z","id":"1234-1234-1234","source":"/mycontext/subcontext","datacontenttype":"application/json; charset=utf-8","data":{"message":"Hello World!"}}])");
  const char *event = R"({"specversion":"1.0","type":"a","id":"1","source":"/s","data":{"message":"Hello World!"}})";
  EXPECT_EQ (read_http (R"({"content-type":"application/cloudevents+json"})", event), "[" + std::string (event) + "]");
  EXPECT_EQ (read_http (R"({"content-type":"application/cloudevents+json; charset=utf-8"})", event), "[" + std::string (event) + "]");
  std::string two = "[" + std::string (event) + "," + event + "]";
  EXPECT_EQ (read_http (R"({"content-type":"application/cloudevents-batch+json"})", two.c_str ()), two);
  EXPECT_EQ (read_http (R"({"content-type":"application/cloudevents-batch+json"})", "[]"), "[]");
}

TEST (CloudEvent, DecodesHeadersAndBodies)
{
  const char *start = R"({"CE-SpecVersion":"1.0","ce-type":"t","ce-id":"1","ce-source":"/s",)";

  EXPECT_EQ (read_http ((std::string (start) + R"("ce-subject":"Euro%20%E2%82%AC","ce-quoted":"\"x\""})").c_str (), ""),
             R"([{"specversion":"1.0","type":"t","id":"1","source":"/s","subject":"Euro €","quoted":"x"}])");
  EXPECT_EQ (read_http ((std::string (start) + R"("Content-Type":"text/plain"})").c_str (), "hi"),
             R"([{"specversion":"1.0","type":"t","id":"1","source":"/s","datacontenttype":"text/plain","data":"hi"}])");
  EXPECT_EQ (read_http ((std::string (start) + R"("Content-Type":"image/png"})").c_str (), "foobar"),
             R"([{"specversion":"1.0","type":"t","id":"1","source":"/s","datacontenttype":"image/png","data":"Zm9vYmFy"}])");
  EXPECT_THAT (read_http ((std::string (start) + R"("ce-subject":"%FF"})").c_str (), ""), testing::HasSubstr ("“subject” is not well encoded"));
  EXPECT_THAT (read_http ((std::string (start) + R"("ce-x":1})").c_str (), ""), testing::HasSubstr ("“x” is not well encoded"));
  EXPECT_THAT (read_http ((std::string (start) + R"("Content-Type":"application/x+json"})").c_str (), "{"), testing::HasSubstr ("!"));
  EXPECT_THAT (read_http ("{}", ""), testing::HasSubstr ("“specversion” is missing"));
  EXPECT_THAT (read_http (R"({"content-type":"application/cloudevents-batch+json"})", "{}"), testing::HasSubstr ("array"));
  EXPECT_THAT (read_http (R"({"content-type":"application/cloudevents-batch+json"})", "[1]"), testing::HasSubstr ("object"));
  EXPECT_THAT (read_http (R"({"content-type":"application/cloudevents+json"})", "{"), testing::HasSubstr ("!"));
}

TEST (CloudEvent, ChecksItsAttributes)
{
  const char *good = R"({"specversion":"1.0","type":"t","id":"1","source":"/s","time":null,"flag":true,"count":-7,"data_base64":"Zm9vYmFy"})";
  Value event (nebula_cloud_event_read (json (good).get (), nullptr));
  EXPECT_EQ (to_json (event), R"({"specversion":"1.0","type":"t","id":"1","source":"/s","flag":true,"count":-7,"data":"Zm9vYmFy"})");

  const char *bad[][2] = {
      {R"("data_base64":"x")", "data_base64"},     {R"("data_base64":1)", "data_base64"},
      {R"("count":3000000000)", "count"},          {R"("list":[1])", "list"},
      {R"("big_name":1)", "big_name"},             {R"("":1)", "“”"},
      {R"("dataschema":"relative")", "dataschema"}, {R"("datacontenttype":"a/")", "datacontenttype"},
      {R"("data":1,"data_base64":"")", "data"},    {R"("time":1)", "time"},
  };
  for (auto &c : bad) {
    Error error;
    std::string text = std::string (R"({"specversion":"1.0","type":"t","id":"1","source":"/s",)") + c[0] + "}";

    EXPECT_EQ (nebula_cloud_event_read (json (text.c_str ()).get (), error.out ()), nullptr) << text;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_DATA));
    EXPECT_THAT (error.message (), testing::HasSubstr (c[1]));
  }
}

TEST (CloudEvent, OursIsOne)
{
  Error error;
  Value data = json (R"({"a":1})");
  NebulaEvent *event = nebula_event_new_for_node ("node.failed", "exe_1", "n", 1700000000000000, data.get ());
  Value written (nebula_event_to_cloud_event (event, nullptr));
  Value read (nebula_cloud_event_read (written.get (), error.out ()));

  EXPECT_TRUE (read) << error.message ();
  EXPECT_EQ (to_json (nebula_value_get_member (read.get (), "data")), R"({"a":1})");
  nebula_event_unref (event);
}

} // namespace
