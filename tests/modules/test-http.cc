/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* http.request against a server in the same loop. */
#include "http-server.h"
#include "module-test.h"

using nebula::json;
using nebula::RawServer;
using nebula::Seen;
using nebula::Server;
using nebula::to_json;
using nebula::Value;
using testing::HasSubstr;

#ifdef __SANITIZE_ADDRESS__
/* The leak check at exit walks the threads of the TLS library and dies in it. */
extern "C" int __lsan_is_turned_off (void);
extern "C" int
__lsan_is_turned_off (void)
{
  return 1;
}
#endif

class HttpTest : public nebula::ModuleTest
{
protected:
  void
  SetUp () override
  {
    ModuleTest::SetUp ();
    server_ = std::make_unique<Server> ();
    server_->answer ("/ok", 200, "application/json", R"({"ok": true})");
  }
  void
  TearDown () override
  {
    server_.reset ();
    ModuleTest::TearDown ();
  }
  /* The parameters with the URL of a path of the server. */
  Value
  with_url (const std::string &url, const char *parameters = "{}")
  {
    Value object = json (parameters);
    Value text (nebula_value_new_string (url.c_str ()));
    return Value (nebula_value_with_member (object.get (), "url", text.get ()));
  }
  NebulaResult *
  ask (const std::string &path, const char *parameters = "{}", const char *key = nullptr)
  {
    return run ("http.request", with_url (server_->url (path), parameters), key);
  }
  /* The body of the result as JSON, or the code of the error with an exclamation mark. */
  std::string
  body (const std::string &path, const char *parameters = "{}")
  {
    NebulaResult *result = ask (path, parameters);
    if (!result)
      return "(refused)";
    NebulaValue *value = nebula_result_get_value (result);
    if (nebula_result_get_kind (result) == NEBULA_RESULT_KIND_FAILURE)
      return std::string ("!") + nebula_value_get_member_string (value, "code", "");
    return to_json (nebula_value_get_member (value, "body"));
  }
  NebulaValue *value_of () { return nebula_result_get_value (last_->result ()); }
  NebulaValue *details () { return nebula_value_get_member (value_of (), "details"); }
  const char *header (const char *name) { return nebula_value_get_member_string (nebula_value_get_member (value_of (), "headers"), name, "(none)"); }
  Seen &last () { return server_->seen.back (); }
  std::string
  effect_of (const char *method)
  {
    Value parameters = json ((std::string (R"({"url": "http://h/", "method": ")") + method + "\"}").c_str ());
    nebula::Attempt attempt ("http.request", parameters);
    return std::to_string (attempt.effect ());
  }

  std::unique_ptr<Server> server_;
};

/* Asking */

TEST_F (HttpTest, GetsJson)
{
  NebulaResult *result = ask ("/ok");

  ASSERT_NE (result, nullptr);
  EXPECT_EQ (nebula_value_get_member_integer (value_of (), "status", 0), 200) << to_json (value_of ());
  EXPECT_EQ (to_json (nebula_value_get_member (value_of (), "body")), R"({"ok":true})");
  EXPECT_STREQ (header ("content-type"), "application/json");
  EXPECT_EQ (last ().method, "GET");
  EXPECT_EQ (last ().body, "");
  EXPECT_EQ (last ().headers.count ("idempotency-key"), 0u);
}

TEST_F (HttpTest, QueryIsAddedAndEscaped)
{
  body ("/ok?a=1#part", R"({"query": {"b": "x y&z", "c": [1, 2.5, true], "d": null, "é": "ü"}})");
  EXPECT_EQ (last ().query, "a=1&b=x%20y%26z&c=1&c=2.5&c=true&%C3%A9=%C3%BC");
  body ("/ok", R"({"query": {}})");
  EXPECT_EQ (last ().query, "");
}

TEST_F (HttpTest, UrlsMayHoldSpacesAndLettersOfAnyScript)
{
  server_->answer ("/gr\u00fc\u00df e", 200, "text/plain", "hello");

  EXPECT_EQ (body ("/gr\u00fc\u00df e"), "\"hello\"");
}

TEST_F (HttpTest, HeadersAreSentAndRepeated)
{
  body ("/ok", R"({"headers": {"X-One": "1", "X-Two": ["a", "b"], "X-None": null, "User-Agent": "tester"}})");

  EXPECT_EQ (last ().headers["x-one"], "1");
  EXPECT_EQ (last ().headers["x-two"], "a, b");
  EXPECT_EQ (last ().headers.count ("x-none"), 0u);
  EXPECT_EQ (last ().headers["user-agent"], "tester");
}

TEST_F (HttpTest, BodiesAreWrittenByTheirKind)
{
  const char *post = R"({"method": "POST", "body": {"a": [1, "é"]}})";
  body ("/ok", post);
  EXPECT_EQ (last ().method, "POST");
  EXPECT_EQ (last ().body, "{\"a\":[1,\"\u00e9\"]}");
  EXPECT_EQ (last ().headers["content-type"], "application/json");

  body ("/ok", R"({"method": "PUT", "body": "plain"})");
  EXPECT_EQ (last ().body, "plain");
  EXPECT_EQ (last ().headers["content-type"], "text/plain; charset=utf-8");

  body ("/ok", R"({"method": "POST", "body": "plain", "body-kind": "json"})");
  EXPECT_EQ (last ().body, "\"plain\"");

  body ("/ok", R"({"method": "POST", "body": {"a": "x y", "b": [1, 2]}, "body-kind": "form"})");
  EXPECT_EQ (last ().body, "a=x%20y&b=1&b=2");
  EXPECT_EQ (last ().headers["content-type"], "application/x-www-form-urlencoded");

  body ("/ok", R"({"method": "POST", "body": "<a/>", "headers": {"Content-Type": "application/xml"}})");
  EXPECT_EQ (last ().body, "<a/>");
  EXPECT_EQ (last ().headers["content-type"], "application/xml");

  body ("/ok", R"({"method": "POST", "body": "raw", "body-kind": "bytes"})");
  EXPECT_EQ (last ().headers["content-type"], "application/octet-stream");

  body ("/ok", R"({"method": "POST", "body": 12, "body-kind": "text"})");
  EXPECT_EQ (last ().body, "12");
  body ("/ok", R"({"method": "POST", "body": null, "body-kind": "json"})");
  EXPECT_EQ (last ().body, "null");
  body ("/ok", R"({"method": "POST", "body": null})");
  EXPECT_EQ (last ().body, "");
}

TEST_F (HttpTest, MultipartHoldsFieldsAndFiles)
{
  body ("/ok", R"({"method": "POST", "body-kind": "multipart",
                   "body": {"name": "Ada", "tag": ["a", "b"], "file": {"filename": "a.txt", "type": "text/plain", "content": "inside"}}})");

  EXPECT_THAT (last ().headers["content-type"], HasSubstr ("multipart/form-data; boundary="));
  EXPECT_THAT (last ().body, HasSubstr ("name=\"name\"\r\n\r\nAda\r\n"));
  EXPECT_THAT (last ().body, HasSubstr ("name=\"tag\"\r\n\r\nb\r\n"));
  EXPECT_THAT (last ().body, HasSubstr ("filename=\"a.txt\""));
  EXPECT_THAT (last ().body, HasSubstr ("\r\n\r\ninside\r\n"));
  EXPECT_EQ (body ("/ok", R"({"method": "POST", "body-kind": "multipart", "body": {"a\"\r\nX: y": "1"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"method": "POST", "body-kind": "multipart", "body": {"a": {"filename": "x\ny", "content": ""}}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"method": "POST", "body-kind": "multipart", "body": {"a": {"filename": "x"}}})"), "!invalid-parameter");
}

TEST_F (HttpTest, ABodyThatDoesNotFitItsKindIsRefused)
{
  EXPECT_EQ (body ("/ok", R"({"method": "POST", "body": "text", "body-kind": "form"})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"method": "POST", "body": [1], "body-kind": "bytes"})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"method": "POST", "body": [1], "body-kind": "multipart"})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"method": "POST", "body": {"a": {}}, "body-kind": "form"})"), "!invalid-parameter");
  EXPECT_EQ (refusal ("http.request", with_url ("http://h/", R"({"body": 1, "body-kind": "pdf"})")), "invalid-parameter");
  EXPECT_EQ (server_->seen.size (), 0u);
}

TEST_F (HttpTest, LargeBodiesGoThroughTheExecutorAndArriveWhole)
{
  std::string text (300000, 'x');
  server_->answer ("/large", 200, "application/json", "{\"text\": \"" + text + "\"}");
  Value parameters = with_url (server_->url ("/large"), R"({"method": "POST"})");
  Value content (nebula_value_new_string (text.c_str ()));
  Value object (nebula_value_new_empty_object ());
  object.reset (nebula_value_with_member (object.get (), "text", content.get ()));
  parameters.reset (nebula_value_with_member (parameters.get (), "body", object.get ()));

  run ("http.request", parameters);
  EXPECT_EQ (last ().body.size (), text.size () + strlen (R"({"text":""})"));
  NebulaValue *answer = nebula_value_get_member (value_of (), "body");
  ASSERT_NE (answer, nullptr) << to_json (value_of ());
  EXPECT_EQ (nebula_value_get_string_length (nebula_value_get_member (answer, "text")), text.size ());
}

TEST_F (HttpTest, CredentialsAreSentAsHeaders)
{
  body ("/ok", R"({"auth": {"type": "basic", "username": "Aladdin", "password": "open sesame"}})");
  EXPECT_EQ (last ().headers["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  body ("/ok", R"({"auth": {"type": "bearer", "token": "abc"}})");
  EXPECT_EQ (last ().headers["authorization"], "Bearer abc");
  gsize n_seen = server_->seen.size ();
  EXPECT_EQ (body ("/ok", R"({"auth": {"type": "bearer", "token": "a\r\nX: y"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"auth": {"type": "bearer"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"auth": {"type": "basic", "username": "a:b", "password": ""}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"auth": {"type": "digest"}})"), "!invalid-parameter");
  EXPECT_EQ (server_->seen.size (), n_seen);
}

TEST_F (HttpTest, TheIdempotencyKeyGoesWithWhatChanges)
{
  ask ("/ok", R"({"method": "POST"})", "key-1");
  EXPECT_EQ (last ().headers["idempotency-key"], "key-1");
  ask ("/ok", R"({"method": "DELETE"})", "key-2");
  EXPECT_EQ (last ().headers["idempotency-key"], "key-2");
  ask ("/ok", R"({"method": "POST", "headers": {"Idempotency-Key": "mine"}})", "key-3");
  EXPECT_EQ (last ().headers["idempotency-key"], "mine");
  for (const char *method : { "GET", "HEAD", "OPTIONS" }) {
    ask ("/ok", (std::string (R"({"method": ")") + method + "\"}").c_str (), "key-4");
    EXPECT_EQ (last ().headers.count ("idempotency-key"), 0u) << method;
  }
}

TEST_F (HttpTest, TheEffectFollowsTheMethod)
{
  EXPECT_EQ (effect_of ("GET"), std::to_string (NEBULA_EFFECT_READ));
  EXPECT_EQ (effect_of ("HEAD"), std::to_string (NEBULA_EFFECT_READ));
  EXPECT_EQ (effect_of ("OPTIONS"), std::to_string (NEBULA_EFFECT_READ));
  EXPECT_EQ (effect_of ("PUT"), std::to_string (NEBULA_EFFECT_IDEMPOTENT));
  EXPECT_EQ (effect_of ("DELETE"), std::to_string (NEBULA_EFFECT_IDEMPOTENT));
  EXPECT_EQ (effect_of ("POST"), std::to_string (NEBULA_EFFECT_EFFECTFUL));
  EXPECT_EQ (effect_of ("PATCH"), std::to_string (NEBULA_EFFECT_EFFECTFUL));
}

TEST_F (HttpTest, NothingWithALineBreakIsSent)
{
  EXPECT_EQ (body ("/ok", R"({"headers": {"X": "a\r\nY: b"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"headers": {"X": "a\nb"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"headers": {"X\r\nY": "a"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"headers": {"X": "a\u0000b"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"headers": {"X Y": "a"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"headers": {"": "a"}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok", R"({"headers": {"X": {"a": 1}}})"), "!invalid-parameter");
  EXPECT_EQ (body ("/ok HTTP/1.1\r\nX: y"), "!invalid-parameter");
  for (const char *name : { "Host", "content-length", "Transfer-Encoding", "Connection" })
    EXPECT_EQ (body ("/ok", (std::string (R"({"headers": {")") + name + R"(": "1"}})").c_str ()), "!invalid-parameter") << name;
  EXPECT_EQ (server_->seen.size (), 0u);
}

TEST_F (HttpTest, OnlyHttpUrlsWithoutCredentialsAreTaken)
{
  for (const char *url : { "file:///etc/passwd", "gopher://h/", "/path", "http://", "http:///x", "http://user:pass@h/", "http://h:99999/", "http://h/%zz", "" })
    EXPECT_EQ (value ("http.request", with_url (url)), "!invalid-parameter") << url;
  EXPECT_EQ (refusal ("http.request", R"({"url": "http://h/\u0000"})"), "invalid-parameter");
  EXPECT_EQ (refusal ("http.request", R"({"url": "http://h/", "method": "CONNECT"})"), "invalid-parameter");
  EXPECT_EQ (refusal ("http.request", R"({"url": "http://h/", "timeout": 5})"), "invalid-parameter");
}

/* Answers */

TEST_F (HttpTest, HeadersComeInLowerCaseAndJoined)
{
  server_->on ("/headers", [] (SoupServerMessage *message, const Seen &) {
    SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
    soup_server_message_set_status (message, 204, nullptr);
    soup_message_headers_append (headers, "X-Many", "a");
    soup_message_headers_append (headers, "x-many", "b");
    soup_message_headers_append (headers, "X-Old", "caf\xe9");
  });

  ask ("/headers");
  EXPECT_STREQ (header ("x-many"), "a, b");
  EXPECT_THAT (header ("x-old"), testing::StartsWith ("caf"));
  EXPECT_TRUE (g_utf8_validate (header ("x-old"), -1, nullptr));
  EXPECT_TRUE (nebula_value_is_null (nebula_value_get_member (value_of (), "body")));
}

TEST_F (HttpTest, BodiesAreReadByTheirType)
{
  server_->answer ("/text", 200, "text/plain; charset=utf-8", "h\u00e9");
  server_->answer ("/latin", 200, "text/plain; charset=ISO-8859-1", "caf\xe9");
  server_->answer ("/broken", 200, "text/plain", "caf\xe9");
  server_->answer ("/png", 200, "image/png", "\x89PNG");
  server_->answer ("/problem", 200, "application/problem+json; charset=utf-8", R"({"a": 12345678901234567890})");
  server_->answer ("/none", 200, "", "plain");
  server_->answer ("/empty", 200, "application/json", "");

  EXPECT_EQ (body ("/text"), "\"h\u00e9\"");
  EXPECT_EQ (body ("/latin"), "\"caf\u00e9\"");
  EXPECT_EQ (body ("/none"), "\"plain\"");
  EXPECT_EQ (body ("/problem"), R"({"a":12345678901234567890})");
  EXPECT_EQ (body ("/empty"), "null");
  ask ("/png");
  EXPECT_EQ (nebula_value_get_kind (nebula_value_get_member (value_of (), "body")), NEBULA_VALUE_KIND_BYTES);
  ask ("/broken");
  EXPECT_EQ (nebula_value_get_kind (nebula_value_get_member (value_of (), "body")), NEBULA_VALUE_KIND_BYTES);
}

TEST_F (HttpTest, BadJsonIsAnErrorThatNamesTheAddress)
{
  server_->answer ("/bad", 200, "application/json", "{'a': 1}");
  server_->answer ("/twice", 200, "application/json", R"({"a": 1, "a": 2})");
  server_->answer ("/deep", 200, "application/json", std::string (100000, '['));
  server_->answer ("/sorry", 500, "application/json", "<html>");

  EXPECT_EQ (body ("/bad?token=secret"), "!syntax");
  EXPECT_THAT (message (), HasSubstr ("/bad"));
  EXPECT_THAT (message (), testing::Not (HasSubstr ("secret")));
  EXPECT_EQ (retry (), "terminal");
  EXPECT_EQ (body ("/twice"), "!duplicate-key");
  EXPECT_EQ (body ("/deep"), "!too-deep");
  EXPECT_EQ (body ("/sorry"), "!http-status");
  EXPECT_STREQ (nebula_value_get_member_string (details (), "body", ""), "<html>");
}

TEST_F (HttpTest, CompressedAnswersAreUnpackedAndCounted)
{
  auto gzip = [] (const std::string &plain) {
    GZlibCompressor *compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
    GOutputStream *memory = g_memory_output_stream_new_resizable ();
    GOutputStream *stream = g_converter_output_stream_new (memory, G_CONVERTER (compressor));
    g_output_stream_write_all (stream, plain.data (), plain.size (), nullptr, nullptr, nullptr);
    g_output_stream_close (stream, nullptr, nullptr);
    GMemoryOutputStream *content = G_MEMORY_OUTPUT_STREAM (memory);
    std::string packed (static_cast<char *> (g_memory_output_stream_get_data (content)), g_memory_output_stream_get_data_size (content));
    g_object_unref (stream);
    g_object_unref (memory);
    g_object_unref (compressor);
    return packed;
  };
  auto serve = [this] (const char *path, const std::string &packed) {
    server_->on (path, [packed] (SoupServerMessage *message, const Seen &) {
      soup_message_headers_replace (soup_server_message_get_response_headers (message), "Content-Encoding", "gzip");
      soup_server_message_set_status (message, 200, nullptr);
      soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, packed.data (), packed.size ());
    });
  };
  serve ("/gzip", gzip ("unpacked"));
  serve ("/bomb", gzip (std::string (20 * 1024 * 1024, 'x')));

  EXPECT_EQ (body ("/gzip"), "\"unpacked\"");
  EXPECT_THAT (last ().headers["accept-encoding"], HasSubstr ("gzip"));
  EXPECT_EQ (body ("/bomb"), "!too-large");
}

TEST_F (HttpTest, LargeAnswersAreRefusedByLengthAndByCount)
{
  server_->answer ("/ten", 200, "text/plain", "0123456789");
  server_->on ("/chunks", [] (SoupServerMessage *message, const Seen &) {
    soup_message_headers_set_encoding (soup_server_message_get_response_headers (message), SOUP_ENCODING_CHUNKED);
    soup_server_message_set_status (message, 200, nullptr);
    soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_STATIC, "0123456789", 10);
    soup_message_body_complete (soup_server_message_get_response_body (message));
  });

  EXPECT_EQ (body ("/ten", R"({"max-size": 10})"), "\"0123456789\"");
  EXPECT_EQ (body ("/ten", R"({"max-size": 9})"), "!too-large");
  EXPECT_EQ (body ("/ten", R"({"max-size": 9, "method": "HEAD"})"), "null");
  EXPECT_EQ (body ("/chunks", R"({"max-size": "1kB"})"), "\"0123456789\"");
  EXPECT_EQ (body ("/chunks", R"({"max-size": 9})"), "!too-large");
}

/* Errors */

TEST_F (HttpTest, ErrorStatusesFailWithDetailsAndClass)
{
  server_->answer ("/gone", 410, "application/json", R"({"why": "moved out"})");

  EXPECT_EQ (body ("/gone?q=secret"), "!http-status");
  EXPECT_EQ (retry (), "terminal");
  EXPECT_THAT (message (), HasSubstr ("410"));
  EXPECT_THAT (message (), testing::Not (HasSubstr ("secret")));
  EXPECT_EQ (nebula_value_get_member_integer (details (), "status", 0), 410);
  EXPECT_EQ (to_json (nebula_value_get_member (details (), "body")), R"({"why":"moved out"})");
  EXPECT_TRUE (nebula_value_has_member (details (), "headers"));
  EXPECT_FALSE (nebula_value_has_member (details (), "retry_after_ms"));

  const std::pair<guint, const char *> classes[] = { { 400, "terminal" }, { 401, "terminal" }, { 404, "terminal" }, { 408, "retry" },
                                                     { 425, "retry" },    { 429, "throttle" }, { 500, "retry" },    { 503, "retry" } };
  for (auto [status, name] : classes) {
    server_->answer ("/status", status, "text/plain", "x");
    EXPECT_EQ (body ("/status"), "!http-status");
    EXPECT_EQ (retry (), name) << status;
  }
}

TEST_F (HttpTest, ErrorsCanBeTakenAsResults)
{
  server_->answer ("/teapot", 418, "text/plain", "short and stout");

  EXPECT_EQ (body ("/teapot", R"({"accept-errors": true})"), "\"short and stout\"");
  EXPECT_EQ (nebula_value_get_member_integer (value_of (), "status", 0), 418);
}

TEST_F (HttpTest, RetryAfterIsReadAsSecondsAndAsDate)
{
  std::string after = "7";
  server_->on ("/busy", [&after] (SoupServerMessage *message, const Seen &) {
    soup_server_message_set_status (message, 429, nullptr);
    soup_message_headers_replace (soup_server_message_get_response_headers (message), "Retry-After", after.c_str ());
  });

  body ("/busy");
  EXPECT_EQ (retry (), "throttle");
  EXPECT_EQ (nebula_value_get_member_integer (details (), "retry_after_ms", -1), 7000);
  after = "Fri, 31 Dec 1999 23:59:59 GMT";
  body ("/busy");
  EXPECT_EQ (nebula_value_get_member_integer (details (), "retry_after_ms", -1), 0);
  after = "Fri, 31 Dec 2399 23:59:59 GMT";
  body ("/busy");
  EXPECT_GT (nebula_value_get_member_integer (details (), "retry_after_ms", -1), G_GINT64_CONSTANT (1000000000));
  after = "soon";
  body ("/busy");
  EXPECT_FALSE (nebula_value_has_member (details (), "retry_after_ms"));
}

TEST_F (HttpTest, AClosedPortIsANetworkError)
{
  std::string url;
  {
    Server other;
    url = other.url ("/");
  }
  EXPECT_EQ (value ("http.request", with_url (url)), "!network");
  EXPECT_EQ (retry (), "retry");
  EXPECT_THAT (message (), HasSubstr ("127.0.0.1"));
}

TEST_F (HttpTest, AnswersThatBreakOffAreNetworkErrors)
{
  RawServer half ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nonly this");
  RawServer nonsense ("I am no HTTP server\r\n\r\n");

  EXPECT_EQ (value ("http.request", with_url (half.url ())), "!network");
  EXPECT_EQ (value ("http.request", with_url (nonsense.url ())), "!network");
  EXPECT_EQ (retry (), "retry");
}

/* Redirections */

TEST_F (HttpTest, RedirectionsAreFollowedUpToTheLimit)
{
  server_->redirect ("/1", 302, "/2");
  server_->redirect ("/2", 301, "/3");
  server_->redirect ("/3", 307, server_->url ("/ok"));
  server_->redirect ("/loop", 302, "/loop");

  EXPECT_EQ (body ("/1"), R"({"ok":true})");
  EXPECT_EQ (body ("/1", R"({"redirects": 3})"), R"({"ok":true})");
  EXPECT_EQ (body ("/1", R"({"redirects": 2})"), "!limit-exceeded");
  server_->seen.clear ();
  EXPECT_EQ (body ("/loop"), "!limit-exceeded");
  EXPECT_EQ (server_->seen.size (), 6u);
  ask ("/1", R"({"redirects": 0})");
  EXPECT_EQ (nebula_value_get_member_integer (value_of (), "status", 0), 302);
  EXPECT_STREQ (header ("location"), "/2");
}

TEST_F (HttpTest, RedirectionsKeepOrChangeTheMethod)
{
  const char *post = R"({"method": "POST", "body": {"a": 1}})";
  server_->redirect ("/302", 302, "/ok");
  server_->redirect ("/303", 303, "/ok");
  server_->redirect ("/307", 307, "/ok");

  ask ("/302", post, "key");
  EXPECT_EQ (last ().method, "GET");
  EXPECT_EQ (last ().body, "");
  EXPECT_EQ (last ().headers.count ("content-type"), 0u);
  EXPECT_EQ (last ().headers.count ("idempotency-key"), 0u);
  ask ("/303", R"({"method": "DELETE"})");
  EXPECT_EQ (last ().method, "GET");
  ask ("/307", post, "key");
  EXPECT_EQ (last ().method, "POST");
  EXPECT_EQ (last ().body, R"({"a":1})");
  EXPECT_EQ (last ().headers["idempotency-key"], "key");
  ask ("/302", R"({"method": "PUT", "body": "x"})");
  EXPECT_EQ (last ().method, "PUT");
}

TEST_F (HttpTest, CredentialsStayWithTheirOrigin)
{
  Server other;
  other.answer ("/there", 200, "text/plain", "x");
  server_->redirect ("/here", 302, "/ok");
  server_->redirect ("/away", 302, other.url ("/there"));
  const char *secret = R"({"auth": {"type": "bearer", "token": "t"}, "headers": {"Cookie": "c=1", "X-Plain": "p"}})";

  ask ("/here", secret);
  EXPECT_EQ (last ().headers["authorization"], "Bearer t");
  EXPECT_EQ (last ().headers["cookie"], "c=1");
  ask ("/away", secret);
  ASSERT_EQ (other.seen.size (), 1u);
  EXPECT_EQ (other.seen[0].headers.count ("authorization"), 0u);
  EXPECT_EQ (other.seen[0].headers.count ("cookie"), 0u);
  EXPECT_EQ (other.seen[0].headers["x-plain"], "p");
}

TEST_F (HttpTest, OtherSchemesAreNotFollowed)
{
  server_->redirect ("/file", 302, "file:///etc/passwd");
  server_->redirect ("/gopher", 302, "gopher://127.0.0.1/");
  server_->redirect ("/nothing", 302, "http://");

  EXPECT_EQ (body ("/file"), "!invalid-data");
  EXPECT_EQ (body ("/gopher"), "!invalid-data");
  EXPECT_EQ (body ("/nothing"), "!invalid-data");
}

/* Time */

TEST_F (HttpTest, ACancelEndsASlowRequest)
{
  bool asked = false;
  server_->on ("/slow", [&asked] (SoupServerMessage *message, const Seen &) {
    asked = true;
    soup_server_message_pause (message);
  });
  last_ = std::make_unique<nebula::Attempt> ("http.request", with_url (server_->url ("/slow")), folder_);
  last_->start ();
  ASSERT_TRUE (run_until ([&] { return asked; }));
  EXPECT_FALSE (last_->is_done ());
  last_->cancel ();
  ASSERT_TRUE (run_until ([this] { return last_->is_done (); }));
  EXPECT_STREQ (nebula_value_get_member_string (value_of (), "code", ""), "cancelled");
  EXPECT_EQ (retry (), "cancelled");
}

TEST_F (HttpTest, NothingIsSentAfterACancel)
{
  last_ = std::make_unique<nebula::Attempt> ("http.request", with_url (server_->url ("/ok")), folder_);
  last_->cancel ();
  last_->start ();
  ASSERT_TRUE (run_until ([this] { return last_->is_done (); }));
  EXPECT_STREQ (nebula_value_get_member_string (value_of (), "code", ""), "cancelled");
  EXPECT_EQ (server_->seen.size (), 0u);
}

TEST_F (HttpTest, ARequestWithoutAnswerTimesOut)
{
  server_->on ("/slow", [] (SoupServerMessage *message, const Seen &) { soup_server_message_pause (message); });

  EXPECT_EQ (body ("/slow", R"({"timeout": "50ms"})"), "!timed-out");
  EXPECT_EQ (retry (), "retry");
}

TEST_F (HttpTest, ManyRequestsRunAtOnce)
{
  std::vector<std::unique_ptr<nebula::Attempt>> attempts;
  std::vector<SoupServerMessage *> waiting;
  server_->on ("/together", [&waiting] (SoupServerMessage *message, const Seen &) {
    soup_server_message_set_status (message, 204, nullptr);
    soup_server_message_pause (message);
    waiting.push_back (message);
  });
  for (int i = 0; i < 20; i++) {
    attempts.push_back (std::make_unique<nebula::Attempt> ("http.request", with_url (server_->url ("/together")), folder_));
    attempts.back ()->start ();
  }
  ASSERT_TRUE (run_until ([&] { return waiting.size () == 20; })) << waiting.size ();
  for (SoupServerMessage *message : waiting)
    soup_server_message_unpause (message);
  EXPECT_TRUE (run_until ([&] {
    for (auto &attempt : attempts)
      if (!attempt->is_done ())
        return false;
    return true;
  }));
}

/* Certificates */

TEST_F (HttpTest, CertificatesAreCheckedUnlessToldOtherwise)
{
  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    GTEST_SKIP () << "no TLS on this machine";
  nebula::Error error;
  GTlsCertificate *certificate = g_tls_certificate_new_from_pem (nebula::test_certificate, -1, error.out ());
  ASSERT_NE (certificate, nullptr) << error.message ();
  Server secure (certificate);
  g_object_unref (certificate);
  secure.answer ("/ok", 200, "text/plain", "safe");

  EXPECT_EQ (value ("http.request", with_url (secure.https ("/ok"))), "!network");
  EXPECT_EQ (retry (), "terminal");
  NebulaResult *result = run ("http.request", with_url (secure.https ("/ok"), R"({"verify-tls": false})"));
  ASSERT_NE (result, nullptr);
  EXPECT_STREQ (nebula_value_get_member_string (nebula_result_get_value (result), "body", ""), "safe") << to_json (value_of ());
}

TEST_F (HttpTest, PropertiesHoldWhatWasSet)
{
  ask ("/ok", R"({"timeout": "2s", "redirects": 1})");
  char *method = nullptr;
  gint64 timeout = 0;
  gint64 max_size = 0;
  int redirects = 0;
  gboolean verify = FALSE;
  g_object_get (last_->action (), "method", &method, "timeout", &timeout, "max-size", &max_size, "redirects", &redirects, "verify-tls", &verify, nullptr);
  EXPECT_STREQ (method, "GET");
  EXPECT_EQ (timeout, 2 * G_USEC_PER_SEC);
  EXPECT_EQ (max_size, 10485760);
  EXPECT_EQ (redirects, 1);
  EXPECT_TRUE (verify);
  g_free (method);
}
