/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string>
#include <vector>

#include <unistd.h>

#include "nebula-test.h"
extern "C" {
#include "nebula-log-private.h"
}

using nebula::Error;
using nebula::has_error;
using nebula::json;

namespace
{

using Context = nebula::Owned<NebulaContext, nebula_context_unref>;

std::string
line (NebulaLogFormat format,
      const char *message,
      std::vector<GLogField> more = {},
      GLogLevelFlags level = G_LOG_LEVEL_WARNING,
      gboolean has_colour = FALSE)
{
  std::vector<GLogField> fields = { { "GLIB_DOMAIN", "nebula-test", -1 }, { "MESSAGE", message, -1 } };
  fields.insert (fields.end (), more.begin (), more.end ());
  nebula::Owned<NebulaLogRecord, nebula_log_record_unref> record (
    _nebula_log_record_new (level, 1774744200123456, fields.data (), fields.size (), nullptr));
  char *text = nebula_log_record_format (record.get (), format, has_colour);
  std::string result (text);
  g_free (text);
  return result;
}

/* What a program that logs would print. */
std::string
captured (void (*work) ())
{
  int pipe_ends[2];
  EXPECT_EQ (pipe (pipe_ends), 0);
  int saved = dup (STDERR_FILENO);
  dup2 (pipe_ends[1], STDERR_FILENO);
  work ();
  dup2 (saved, STDERR_FILENO);
  close (saved);
  close (pipe_ends[1]);
  std::string result;
  char buffer[4096];
  for (ssize_t n; (n = read (pipe_ends[0], buffer, sizeof buffer)) > 0;)
    result.append (buffer, (size_t) n);
  close (pipe_ends[0]);
  return result;
}

} // namespace

TEST (LogLine, HasFourFormats)
{
  std::vector<GLogField> more = { { "NEBULA_EXECUTION", "exe_1", -1 }, { "NEBULA_NODE", "my node", -1 }, { "CODE_LINE", "7", -1 } };
  EXPECT_EQ (line (NEBULA_LOG_FORMAT_PRETTY, "it \"broke\"", more),
             "00:30:00.123 warning  nebula-test: it \"broke\" execution=exe_1 node=\"my node\"\n");
  EXPECT_EQ (line (NEBULA_LOG_FORMAT_COMPACT, "it broke", more),
             "2026-03-29T00:30:00.123Z warning nebula-test: it broke execution=exe_1 node=\"my node\"\n");
  EXPECT_EQ (line (NEBULA_LOG_FORMAT_LOGFMT, "it \"broke\"", more),
             "time=2026-03-29T00:30:00.123Z level=warning domain=\"nebula-test\" message=\"it \\\"broke\\\"\" execution=exe_1 "
             "node=\"my node\"\n");
  EXPECT_EQ (line (NEBULA_LOG_FORMAT_JSON, "it \"broke\"", more),
             "{\"time\":\"2026-03-29T00:30:00.123Z\",\"level\":\"warning\",\"domain\":\"nebula-test\",\"message\":\"it "
             "\\\"broke\\\"\",\"execution\":\"exe_1\",\"node\":\"my node\"}\n");
  for (GLogLevelFlags level : { G_LOG_LEVEL_ERROR, G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_MESSAGE,
                                G_LOG_LEVEL_INFO, G_LOG_LEVEL_DEBUG })
    EXPECT_THAT (line (NEBULA_LOG_FORMAT_PRETTY, "x", {}, level, TRUE), testing::HasSubstr ("\033[0m"));
}

TEST (LogLine, StaysOneLineWhateverIsInIt)
{
  std::string hostile = "a\nb\r\033[2Jc\x7f\u0085\u202e%s%n \xff\\\"";
  for (NebulaLogFormat format :
       { NEBULA_LOG_FORMAT_PRETTY, NEBULA_LOG_FORMAT_COMPACT, NEBULA_LOG_FORMAT_JSON, NEBULA_LOG_FORMAT_LOGFMT }) {
    std::string text = line (format, hostile.c_str (), { { "NEBULA_NODE", hostile.c_str (), -1 }, { "NEBULA_X", "ab\ncd", 4 } });
    EXPECT_EQ (text.find ('\n'), text.size () - 1);
    for (size_t i = 0; i + 1 < text.size (); i++)
      EXPECT_GE ((unsigned char) text[i], 0x20);
    EXPECT_TRUE (g_utf8_validate (text.c_str (), -1, nullptr));
    EXPECT_EQ (text.find ("\u202e"), std::string::npos);
    if (format == NEBULA_LOG_FORMAT_JSON) {
      nebula::Value value = json (text.c_str ());
      EXPECT_THAT (nebula_value_get_member_string (value.get (), "message", ""), testing::StartsWith ("a\nb\r\033[2Jc"));
      EXPECT_STREQ (nebula_value_get_member_string (value.get (), "x", ""), "ab\nc");
    }
  }
}

TEST (LogLine, IsCutAt64KiB)
{
  std::string huge (1 << 20, '\n');
  std::vector<GLogField> more;
  for (int i = 0; i < 100; i++)
    more.push_back ({ "NEBULA_FIELD", huge.c_str (), -1 });
  for (NebulaLogFormat format : { NEBULA_LOG_FORMAT_PRETTY, NEBULA_LOG_FORMAT_JSON, NEBULA_LOG_FORMAT_LOGFMT }) {
    std::string text = line (format, huge.c_str (), more);
    EXPECT_LE (text.size (), (size_t) NEBULA_LOG_LINE_BYTES);
    EXPECT_GT (text.size (), 40000u);
    EXPECT_NE (text.find ("…"), std::string::npos);
  }
  Error error;
  std::string text = line (NEBULA_LOG_FORMAT_JSON, huge.c_str ());
  EXPECT_TRUE (nebula::Value (nebula_value_parse_json (text.c_str (), -1, NEBULA_JSON_FLAGS_NONE, error.out ())));
}

TEST (Log, LevelsChangeAtRunTime)
{
  Error error;
  EXPECT_TRUE (nebula_log_set_levels ("warning,nebula-a=debug, nebula-b=critical", error.out ()));
  EXPECT_TRUE (nebula_log_is_enabled ("nebula-a", G_LOG_LEVEL_DEBUG));
  EXPECT_FALSE (nebula_log_is_enabled ("nebula-b", G_LOG_LEVEL_WARNING));
  EXPECT_TRUE (nebula_log_is_enabled ("nebula-b", G_LOG_LEVEL_CRITICAL));
  EXPECT_TRUE (nebula_log_is_enabled (nullptr, G_LOG_LEVEL_WARNING));
  EXPECT_FALSE (nebula_log_is_enabled ("other", G_LOG_LEVEL_INFO));
  EXPECT_FALSE (nebula_log_set_levels ("info,nebula-a=loud", error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  EXPECT_FALSE (nebula_log_is_enabled ("other", G_LOG_LEVEL_INFO));
  nebula_log_set_level ("other", G_LOG_LEVEL_DEBUG);
  EXPECT_TRUE (nebula_log_is_enabled ("other", G_LOG_LEVEL_DEBUG));
  EXPECT_TRUE (nebula_log_set_levels ("", error.out ()));
  nebula_log_set_level (nullptr, G_LOG_LEVEL_INFO);
  EXPECT_FALSE (nebula_log_is_enabled ("other", G_LOG_LEVEL_DEBUG));
  NebulaLogFormat format = NEBULA_LOG_FORMAT_PRETTY;
  EXPECT_TRUE (nebula_log_format_from_string ("logfmt", &format));
  EXPECT_EQ (format, NEBULA_LOG_FORMAT_LOGFMT);
  EXPECT_FALSE (nebula_log_format_from_string ("xml", &format));
}

TEST (Log, WritesEntriesWithTheirContext)
{
  nebula_log_install ();
  nebula_log_install ();
  nebula_log_set_format (NEBULA_LOG_FORMAT_JSON);
  nebula_log_set_level (nullptr, G_LOG_LEVEL_INFO);
  static int n_freed;
  nebula_log_set_redactor (
    [] (const char *text, gpointer) -> char * {
      return strcmp (text, "t0p") == 0 ? g_strdup ("***") : nullptr;
    },
    nullptr, [] (gpointer) { n_freed++; });
  std::string text = captured ([] {
    Context context (nebula_context_new ());
    context.reset (nebula_context_with_tenant (context.get (), "acme"));
    context.reset (nebula_context_with_execution (context.get (), "exe_1"));
    context.reset (nebula_context_with_node (context.get (), "fetch"));
    context.reset (nebula_context_with_trace (context.get (), "t0p"));
    nebula_log (context.get (), "nebula-test", G_LOG_LEVEL_INFO, "price is %d", 5);
    nebula_log (context.get (), "nebula-test", G_LOG_LEVEL_DEBUG, "not shown");
    nebula_log (nullptr, "nebula-test", G_LOG_LEVEL_WARNING, "bare");
  });
  nebula_log_set_redactor (nullptr, nullptr, nullptr);
  nebula_log_flush (G_USEC_PER_SEC);
  EXPECT_EQ (n_freed, 1);
  size_t end = text.find ('\n');
  ASSERT_NE (end, std::string::npos) << text;
  nebula::Value first = json (text.substr (0, end).c_str ());
  EXPECT_STREQ (nebula_value_get_member_string (first.get (), "message", ""), "price is 5");
  EXPECT_STREQ (nebula_value_get_member_string (first.get (), "tenant", ""), "acme");
  EXPECT_STREQ (nebula_value_get_member_string (first.get (), "execution", ""), "exe_1");
  EXPECT_STREQ (nebula_value_get_member_string (first.get (), "node", ""), "fetch");
  EXPECT_STREQ (nebula_value_get_member_string (first.get (), "trace", ""), "***");
  nebula::Value second = json (text.substr (end + 1).c_str ());
  EXPECT_STREQ (nebula_value_get_member_string (second.get (), "message", ""), "bare");
}
