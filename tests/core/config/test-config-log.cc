/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings of the log. */
#include <map>
#include <memory>
#include <string>

#include <glib/gstdio.h>

#include "nebula-config.h"
#include "nebula-log.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::Ref;
using testing::HasSubstr;
using testing::Not;

namespace
{

/* Takes what a module's sink would take from its settings. */
typedef NebulaLogSink ToldSink;
typedef NebulaLogSinkClass ToldSinkClass;
G_DEFINE_TYPE (ToldSink, told_sink, NEBULA_TYPE_LOG_SINK)

std::map<std::string, std::string> told;

void
told_sink_set_property (GObject *, guint, const GValue *value, GParamSpec *pspec)
{
  told[pspec->name] = g_value_get_string (value);
}

gboolean
told_sink_write (NebulaLogSink *, NebulaLogRecord *const *, guint, GError **)
{
  return TRUE;
}

void
told_sink_class_init (ToldSinkClass *klass)
{
  guint id = 1;
  G_OBJECT_CLASS (klass)->set_property = told_sink_set_property;
  klass->write = told_sink_write;
  for (const char *name : { "url", "index", "password", "unrelated" })
    g_object_class_install_property (G_OBJECT_CLASS (klass), id++,
                                     g_param_spec_string (name, nullptr, nullptr, nullptr, G_PARAM_WRITABLE));
}

void
told_sink_init (ToldSink *)
{
}

class ConfigLog : public nebula::LoopTest
{
protected:
  void SetUp () override
  {
    LoopTest::SetUp ();
    char *folder = g_dir_make_tmp ("nebula-XXXXXX", nullptr);
    folder_ = folder;
    g_free (folder);
    file_ = folder_ + "/config.yaml";
    log_ = folder_ + "/app.log";
    nebula_log_install ();
  }
  void TearDown () override
  {
    nebula_log_set_buffer (0, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
    nebula_log_set_sinks (nullptr);
    nebula_log_set_levels ("message", nullptr);
    for (const char *name : { "/config.yaml", "/app.log", "/app.log.1", "/other.log", "/password" })
      g_unlink ((folder_ + name).c_str ());
    g_rmdir (folder_.c_str ());
    LoopTest::TearDown ();
  }
  void write (const std::string &text)
  {
    ASSERT_TRUE (g_file_set_contents (file_.c_str (), text.data (), (gssize) text.size (), nullptr));
  }
  Ref<NebulaConfig> open (const std::string &text)
  {
    const char *files[] = { file_.c_str (), nullptr };
    Error error;
    write (text);
    Ref<NebulaConfig> config (nebula_config_new (files, error.out ()));
    EXPECT_TRUE (config) << error.message ();
    return config;
  }
  std::string read (const std::string &path)
  {
    char *text = nullptr;
    EXPECT_TRUE (nebula_log_flush (10 * G_USEC_PER_SEC));
    std::string result = g_file_get_contents (path.c_str (), &text, nullptr, nullptr) ? text : "(none)";
    g_free (text);
    return result;
  }
  std::string base () { return "log-sinks: [file]\nlog-file: " + log_ + "\n"; }
  std::string folder_, file_, log_;
};

void
say (const char *text, GLogLevelFlags level = G_LOG_LEVEL_INFO)
{
  nebula_log (nullptr, "test", level, "%s", text);
}

} // namespace

TEST_F (ConfigLog, SetsSinksLevelsAndLook)
{
  Ref<NebulaConfig> config = open (base () + "log-levels: info\nlog-file-format: logfmt\n");
  Error error;
  ASSERT_TRUE (nebula_config_apply_log (config.get (), error.out ())) << error.message ();
  say ("one");
  say ("two", G_LOG_LEVEL_DEBUG);
  EXPECT_THAT (read (log_), testing::AllOf (HasSubstr ("level=info domain=\"test\" message=\"one\"\n"), Not (HasSubstr ("two"))));
}

TEST_F (ConfigLog, PutsFilesAside)
{
  Ref<NebulaConfig> config = open (base () + "log-levels: info\nlog-file-size: 100B\nlog-file-count: 1\nlog-buffer: 0B\n");
  ASSERT_TRUE (nebula_config_apply_log (config.get (), nullptr));
  for (const char *text : { "one", "two", "three" })
    say (text);
  EXPECT_THAT (read (log_), HasSubstr ("three"));
  EXPECT_THAT (read (log_ + ".1"), HasSubstr ("two"));
  EXPECT_EQ (read (log_ + ".2"), "(none)");
}

TEST_F (ConfigLog, FollowsAnEditedFile)
{
  Ref<NebulaConfig> config = open (base ());
  ASSERT_TRUE (nebula_config_apply_log (config.get (), nullptr));
  ASSERT_TRUE (nebula_config_apply_log (config.get (), nullptr));
  EXPECT_FALSE (nebula_log_is_enabled ("test", G_LOG_LEVEL_INFO));
  write (base () + "log-levels: message,test=info\n");
  EXPECT_TRUE (run_until ([] { return nebula_log_is_enabled ("test", G_LOG_LEVEL_INFO); }));
  EXPECT_FALSE (nebula_log_is_enabled ("other", G_LOG_LEVEL_INFO));
  say ("one");
  std::string other = folder_ + "/other.log";
  write ("log-sinks: [file]\nlog-levels: message,test=info\nlog-file: " + other + "\n");
  EXPECT_TRUE (run_until ([&] {
    say ("two");
    return read (other) != "(none)";
  }));
  EXPECT_THAT (read (log_), HasSubstr ("one"));
  write ("log-sinks: [nowhere]\nlog-levels: message,test=info\nlog-file: " + other + "\n");
  EXPECT_TRUE (run_until ([&] { return g_strv_contains (std::unique_ptr<char *, void (*) (char **)> (nebula_config_dup_strv (config.get (), "log-sinks"), g_strfreev).get (), "nowhere"); }));
  say ("three"); /* the sinks stay as they were */
  EXPECT_THAT (read (other), HasSubstr ("three"));
}

TEST_F (ConfigLog, RefusesAnUnknownSinkAndAPasswordThatIsNotThere)
{
  Error error;
  Ref<NebulaConfig> config = open ("log-sinks: [stderr, nowhere]\n");
  EXPECT_FALSE (nebula_config_apply_log (config.get (), error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG));
  EXPECT_THAT (error.message (), HasSubstr ("nowhere"));
  /* A sink of the test stands for the module's. */
  config = open ("log-sinks: [elasticsearch]\nmodules:\n  elasticsearch:\n    password-file: " + folder_ + "/password\n");
  nebula_log_sink_add_type ("elasticsearch", told_sink_get_type ());
  EXPECT_FALSE (nebula_config_apply_log (config.get (), error.out ()));
  EXPECT_THAT (error.message (), HasSubstr ("password"));
}

TEST_F (ConfigLog, KnowsTheJournal)
{
  Ref<NebulaConfig> config = open ("log-sinks: [journald]\nlog-journal-socket: " + folder_ + "/absent\nlog-buffer: 0B\n");
  guint64 failed = nebula_log_get_count (NEBULA_LOG_COUNT_FAILED);
  ASSERT_TRUE (nebula_config_apply_log (config.get (), nullptr));
  say ("x", G_LOG_LEVEL_WARNING);
  EXPECT_EQ (nebula_log_get_count (NEBULA_LOG_COUNT_FAILED), failed + 1);
}

TEST_F (ConfigLog, GivesASinkOfAModuleTheModulesSettings)
{
  nebula_log_sink_add_type ("elasticsearch", told_sink_get_type ());
  g_file_set_contents ((folder_ + "/password").c_str (), "hunter2hunter2\nignored\n", -1, nullptr);
  Ref<NebulaConfig> config = open ("log-sinks: [elasticsearch]\nmodules:\n  elasticsearch: {url: 'http://es:9200', password-file: "
                                   + folder_ + "/password}\n");
  Error error;
  ASSERT_TRUE (nebula_config_apply_log (config.get (), error.out ())) << error.message ();
  EXPECT_EQ (told, (std::map<std::string, std::string>{
                     { "url", "http://es:9200" }, { "index", "logs-nebula" }, { "password", "hunter2hunter2" } }));
  char *redacted = nebula_redactor_redact (nebula_redactor_get_default (), "it is hunter2hunter2");
  EXPECT_STREQ (redacted, "it is " NEBULA_REDACTED);
  g_free (redacted);
}

TEST_F (ConfigLog, HasALevelForEachModule)
{
  Ref<NebulaConfig> config = open ("log-levels: warning\nmodules:\n  http: {log-level: debug}\n  file: {log-level: inherit}\n");
  ASSERT_TRUE (nebula_config_apply_log (config.get (), nullptr));
  EXPECT_TRUE (nebula_log_is_enabled ("nebula-http", G_LOG_LEVEL_DEBUG));
  EXPECT_FALSE (nebula_log_is_enabled ("nebula-file", G_LOG_LEVEL_INFO));
  write ("log-levels: warning\nmodules:\n  http: {log-level: critical}\n");
  EXPECT_TRUE (run_until ([] { return !nebula_log_is_enabled ("nebula-http", G_LOG_LEVEL_WARNING); }));
  EXPECT_TRUE (nebula_log_is_enabled ("nebula-file", G_LOG_LEVEL_WARNING));
}
