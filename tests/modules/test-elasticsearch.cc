/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log's way to Elasticsearch, against a stand-in on loopback that checks the protocol. */
#include <algorithm>
#include <thread>

#include "http-server.h"
#include "module-test.h"
#include "nebula-log.h"

using nebula::Error;
using nebula::json;
using nebula::Seen;
using nebula::Server;
using testing::ElementsAre;
using testing::HasSubstr;

namespace
{

/* Takes bulk requests as the server does: checks each line, and answers by item. */
class Bulk
{
public:
  explicit Bulk (Server &server)
  {
    server.on ("/es/_bulk", [this] (SoupServerMessage *message, const Seen &seen) { handle (message, seen); });
  }
  std::vector<std::string> documents; /* that were taken: their messages */
  std::vector<nebula::Value> whole;
  std::vector<guint> statuses; /* of the next requests; then 200 */
  std::map<std::string, std::vector<int>> items; /* message → status of its next attempts; then 201 */
  guint n_requests = 0;

private:
  void handle (SoupServerMessage *message, const Seen &seen)
  {
    n_requests++;
    EXPECT_EQ (seen.method, "POST");
    EXPECT_EQ (seen.headers.at ("content-type"), "application/x-ndjson");
    EXPECT_EQ (seen.headers.at ("authorization"), "Basic YWRhOmh1bnRlcjI="); /* ada:hunter2 */
    EXPECT_EQ (seen.body.back (), '\n');
    guint status = 200;
    if (!statuses.empty ()) {
      status = statuses.front ();
      statuses.erase (statuses.begin ());
    }
    soup_server_message_set_status (message, status, nullptr);
    std::string answer = status == 200 ? answer_of (seen.body) : "{}";
    soup_message_body_append (soup_server_message_get_response_body (message), SOUP_MEMORY_COPY, answer.data (), answer.size ());
  }
  std::string answer_of (const std::string &body)
  {
    std::string result;
    bool has_errors = false;
    size_t at = 0;
    while (at < body.size ()) {
      size_t middle = body.find ('\n', at), end = body.find ('\n', middle + 1);
      EXPECT_NE (end, std::string::npos);
      EXPECT_EQ (body.substr (at, middle - at), "{\"create\":{\"_index\":\"logs-test\"}}");
      nebula::Value document = json (body.substr (middle + 1, end - middle - 1).c_str ());
      at = end + 1;
      int status = answer_one (document);
      has_errors |= status > 299;
      result += result.empty () ? "" : ",";
      result += "{\"create\":{\"_index\":\"logs-test\",\"status\":" + std::to_string (status)
                + (status > 299 ? ",\"error\":{\"type\":\"x\",\"reason\":\"field is wrong\"}" : "") + "}}";
    }
    return "{\"took\":1,\"errors\":" + std::string (has_errors ? "true" : "false") + ",\"items\":[" + result + "]}";
  }
  int answer_one (nebula::Value &document)
  {
    std::string text = nebula_value_get_member_string (document.get (), "message", "(none)");
    std::vector<int> &plan = items[text];
    EXPECT_STRNE (nebula_value_get_member_string (document.get (), "@timestamp", ""), "");
    if (!plan.empty ()) {
      int status = plan.front ();
      plan.erase (plan.begin ());
      if (status > 299)
        return status;
    }
    documents.push_back (text);
    whole.push_back (std::move (document));
    return 201;
  }
};

class Elasticsearch : public nebula::ModuleTest
{
protected:
  void SetUp () override
  {
    ModuleTest::SetUp ();
    GPtrArray *modules = nebula_registry_list_modules (nebula::registry ());
    bool is_loaded = false;
    for (guint i = 0; i < modules->len; i++) {
      NebulaModuleInfo *info = (NebulaModuleInfo *) g_ptr_array_index (modules, i);
      Error error;
      if (strcmp (nebula_module_info_get_id (info), "elasticsearch") == 0) {
        is_loaded = nebula_module_info_load (info, error.out ());
        EXPECT_TRUE (is_loaded) << error.message ();
      }
    }
    g_ptr_array_unref (modules);
    ASSERT_TRUE (is_loaded);
    server_ = std::make_unique<Server> ();
    bulk_ = std::make_unique<Bulk> (*server_);
    make (server_->url ("/es").c_str ());
    nebula_log_install ();
    nebula_log_set_levels ("info", nullptr);
  }
  void TearDown () override
  {
    nebula_log_set_sinks (nullptr);
    /* The server's side of a connection goes when it sees the other end of it. */
    run_until ([this] { return !g_main_context_pending (context_); });
    server_.reset ();
    ModuleTest::TearDown ();
  }
  void make (const char *url)
  {
    GType type = nebula_log_sink_find_type ("elasticsearch");
    ASSERT_NE (type, G_TYPE_INVALID);
    GPtrArray *sinks = g_ptr_array_new_with_free_func (g_object_unref);
    g_ptr_array_add (sinks, g_object_new (type, "url", url, "index", "logs-test", "user", "ada", "password", "hunter2", "pause", 1,
                                          nullptr));
    nebula_log_set_sinks (sinks);
    g_ptr_array_unref (sinks);
  }
  /* Logs in one go, so that one request carries all; true if none failed. */
  bool log (std::vector<std::string> messages)
  {
    guint64 failed = nebula_log_get_count (NEBULA_LOG_COUNT_FAILED);
    std::thread thread ([&] {
      nebula_log_set_buffer (1 << 20, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
      for (const std::string &message : messages)
        nebula_log (context_of_call (), "test", G_LOG_LEVEL_INFO, "%s", message.c_str ());
      nebula_log_set_buffer (0, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
      g_atomic_int_set (&is_done_, 1);
      g_main_context_wakeup (context_);
    });
    EXPECT_TRUE (run_until ([this] { return g_atomic_int_get (&is_done_) == 1; }));
    g_atomic_int_set (&is_done_, 0);
    thread.join ();
    return nebula_log_get_count (NEBULA_LOG_COUNT_FAILED) == failed;
  }
  static NebulaContext *context_of_call ()
  {
    static NebulaContext *context = [] {
      nebula::Owned<NebulaContext, nebula_context_unref> empty (nebula_context_new ());
      return nebula_context_with_execution (empty.get (), "exe_1");
    }();
    return context;
  }
  std::unique_ptr<Server> server_;
  std::unique_ptr<Bulk> bulk_;
  gint is_done_ = 0;
};

} // namespace

TEST_F (Elasticsearch, TakesEntriesWithTheirFields)
{
  EXPECT_TRUE (log ({ "one", "two\nlines \"quoted\"", "three" }));
  EXPECT_THAT (bulk_->documents, ElementsAre ("one", "two\nlines \"quoted\"", "three"));
  EXPECT_STREQ (nebula_value_get_member_string (bulk_->whole[0].get (), "execution", ""), "exe_1");
  EXPECT_STREQ (nebula_value_get_member_string (bulk_->whole[0].get (), "level", ""), "info");
  EXPECT_STREQ (nebula_value_get_member_string (bulk_->whole[0].get (), "domain", ""), "test");
  EXPECT_EQ (nebula_value_get_member (bulk_->whole[0].get (), "time"), nullptr);
}

TEST_F (Elasticsearch, SendsAgainWhatHadNoRoom)
{
  bulk_->items["two"] = { 429, 429 };
  EXPECT_TRUE (log ({ "one", "two", "three" }));
  std::vector<std::string> all = bulk_->documents;
  std::sort (all.begin (), all.end ());
  EXPECT_THAT (all, ElementsAre ("one", "three", "two")); /* each once */
}

TEST_F (Elasticsearch, TriesAgainWhenTheServerIsAway)
{
  bulk_->statuses = { 503, 429 };
  EXPECT_TRUE (log ({ "one" }));
  EXPECT_THAT (bulk_->documents, ElementsAre ("one"));
  EXPECT_EQ (bulk_->n_requests, 3u);
}

TEST_F (Elasticsearch, GivesUpInTheEnd)
{
  bulk_->statuses = { 503, 503, 503, 503 };
  EXPECT_FALSE (log ({ "one" }));
  EXPECT_EQ (bulk_->n_requests, 4u);
  EXPECT_TRUE (log ({ "two" }));
  EXPECT_THAT (bulk_->documents, ElementsAre ("two"));
}

TEST_F (Elasticsearch, DoesNotRepeatWhatIsRefused)
{
  bulk_->items["bad"] = { 400 };
  EXPECT_FALSE (log ({ "good", "bad" }));
  EXPECT_THAT (bulk_->documents, ElementsAre ("good"));
  bulk_->n_requests = 0;
  bulk_->statuses = { 401 };
  EXPECT_FALSE (log ({ "not allowed" }));
  EXPECT_EQ (bulk_->n_requests, 1u);
}

TEST_F (Elasticsearch, RefusesAnswersOfAnother)
{
  for (const char *answer : { "", "[]", "{\"items\":{}}", "{\"items\":[]}", "{\"items\":[1]}", "{\"items\":[{\"create\":{}}]}", "<html>" }) {
    server_->answer ("/other/_bulk", 200, "application/json", answer);
    make (server_->url ("/other").c_str ());
    EXPECT_FALSE (log ({ "x" })) << answer;
  }
  make ("no address");
  EXPECT_FALSE (log ({ "x" }));
}
