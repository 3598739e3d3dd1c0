/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <map>
#include <string>
#include <vector>

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nebula-config.h"
#include "nebula-test.h"

using nebula::Error;
using nebula::has_error;
using nebula::Ref;
using nebula::to_json;
using nebula::Value;

namespace
{

class Config : public nebula::LoopTest
{
protected:
  void
  SetUp () override
  {
    LoopTest::SetUp ();
    g_unsetenv ("NEBULA_MODULE_PATH");
    char *folder = g_dir_make_tmp ("nebula-XXXXXX", nullptr);

    folder_ = folder;
    g_free (folder);
    system_file_ = folder_ + "/system.yaml";
    user_file_ = folder_ + "/user.yaml";
  }
  void
  TearDown () override
  {
    for (const char *name : { "/system.yaml", "/user.yaml", "/target.yaml" })
      g_unlink ((folder_ + name).c_str ());
    g_rmdir (folder_.c_str ());
    LoopTest::TearDown ();
  }
  void
  write (const std::string &path, const std::string &text)
  {
    ASSERT_TRUE (g_file_set_contents (path.c_str (), text.data (), (gssize) text.size (), nullptr));
  }
  Ref<NebulaConfig>
  open (Error &error)
  {
    const char *files[] = { system_file_.c_str (), user_file_.c_str (), nullptr };
    return Ref<NebulaConfig> (nebula_config_new (files, error.out ()));
  }
  std::string
  get (NebulaConfig *config, const char *key)
  {
    Error error;
    Value value (nebula_config_get (config, key, error.out ()));
    return value ? to_json (value) : error.message ();
  }
  std::string
  source (NebulaConfig *config, const char *key)
  {
    Value value (nebula_config_describe (config, key, nullptr));
    return nebula_value_get_member_string (value.get (), "source", "");
  }
  std::string folder_, system_file_, user_file_;
};

/* Counts what a configuration tells. */
struct Listener
{
  explicit Listener (NebulaConfig *config)
  {
    g_signal_connect (config, "changed", G_CALLBACK (on_changed), this);
    g_signal_connect (config, "rejected", G_CALLBACK (on_rejected), this);
    g_signal_connect (nebula_config_get_settings (config), "changed", G_CALLBACK (on_settings), this);
    /* GSettings tells of a key only after it was read once. */
    g_settings_get_int (nebula_config_get_settings (config), "max-nodes");
    for (const char *key : { "log-levels", "language", "durability" })
      g_free (g_settings_get_string (nebula_config_get_settings (config), key));
  }
  static void
  on_changed (NebulaConfig *, const char *key, Listener *self)
  {
    self->changed[key]++;
  }
  static void
  on_settings (GSettings *, const char *key, Listener *self)
  {
    self->settings[key]++;
  }
  static void
  on_rejected (NebulaConfig *, const char *message, Listener *self)
  {
    self->rejected.push_back (message);
  }
  std::map<std::string, int> changed, settings;
  std::vector<std::string> rejected;
};

} // namespace

TEST_F (Config, EachLayerCoversTheOneBelow)
{
  Error error;
  {
    Ref<NebulaConfig> config = open (error);
    ASSERT_TRUE (config) << error.message ();
    EXPECT_EQ (get (config.get (), "max-nodes"), "10000");
    EXPECT_EQ (source (config.get (), "max-nodes"), "default");
  }
  write (system_file_, "max-nodes: 1\nlanguage: de\n");
  {
    Ref<NebulaConfig> config = open (error);
    EXPECT_EQ (get (config.get (), "max-nodes"), "1");
    EXPECT_EQ (source (config.get (), "max-nodes"), system_file_);
  }
  write (user_file_, "max-nodes: 2\n");
  {
    Ref<NebulaConfig> config = open (error);
    EXPECT_EQ (get (config.get (), "max-nodes"), "2");
    EXPECT_EQ (get (config.get (), "language"), "\"de\"");
    EXPECT_EQ (source (config.get (), "max-nodes"), user_file_);
  }
  g_setenv ("NEBULA_MAX_NODES", "3", TRUE);
  {
    Ref<NebulaConfig> config = open (error);
    EXPECT_EQ (get (config.get (), "max-nodes"), "3");
    EXPECT_EQ (source (config.get (), "max-nodes"), "NEBULA_MAX_NODES");
    EXPECT_TRUE (nebula_config_set (config.get (), "max-nodes", "4", error.out ()));
    EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 4);
    EXPECT_EQ (source (config.get (), "max-nodes"), "command-line");
    EXPECT_TRUE (nebula_config_set (config.get (), "max-nodes", nullptr, error.out ()));
    EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 3);
  }
  g_setenv ("NEBULA_MAX_NODES", "many", TRUE);
  EXPECT_FALSE (open (error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG));
  EXPECT_THAT (error.message (), testing::HasSubstr ("NEBULA_MAX_NODES"));
  g_unsetenv ("NEBULA_MAX_NODES");
}

TEST_F (Config, ReadsEveryType)
{
  write (user_file_, "drain-timeout: 1m30s\nmax-body-size: 64MiB\nwatch-modules: false\nmodule-path: [/a, /b]\nlog-format: json\n");
  Error error;
  Ref<NebulaConfig> config = open (error);
  ASSERT_TRUE (config) << error.message ();
  EXPECT_EQ (nebula_config_get_usec (config.get (), "drain-timeout"), 90000000);
  EXPECT_EQ (nebula_config_get_bytes (config.get (), "max-body-size"), 67108864u);
  EXPECT_FALSE (nebula_config_get_boolean (config.get (), "watch-modules"));
  EXPECT_EQ (get (config.get (), "module-path"), "[\"/a\",\"/b\"]");
  char *format = nebula_config_dup_string (config.get (), "log-format");
  EXPECT_STREQ (format, "json");
  g_free (format);
  EXPECT_TRUE (nebula_config_set (config.get (), "module-path", "/c:/d", error.out ()));
  EXPECT_EQ (get (config.get (), "module-path"), "[\"/c\",\"/d\"]");
  EXPECT_TRUE (nebula_config_set (config.get (), "module-path", "", error.out ()));
  EXPECT_EQ (get (config.get (), "module-path"), "[]");
  EXPECT_TRUE (nebula_config_set (config.get (), "watch-modules", "true", error.out ()));
  EXPECT_TRUE (nebula_config_get_boolean (config.get (), "watch-modules"));
}

TEST_F (Config, RefusesABadFileWholeWithPlaceAndReason)
{
  struct
  {
    const char *text, *line, *part;
  } cases[] = {
    { "max-nodes: 5\nmax-nodez: 6\n", ":2: max-nodez: ", "There is no setting" },
    { "max-nodes: 0\n", ":1: max-nodes: ", "allowed" },
    { "max-nodes: 1000001\n", ":1: max-nodes: ", "allowed" },
    { "max-nodes: ten\n", ":1: max-nodes: ", "whole number" },
    { "max-nodes: 1.5\n", ":1: max-nodes: ", "whole number" },
    { "# a comment\n\ndurability: sometimes\n", ":3: durability: ", "strict" },
    { "watch-modules: yes\n", ":1: watch-modules: ", "true or false" },
    { "drain-timeout: 30\n", ":1: drain-timeout: ", "text" },
    { "drain-timeout: soon\n", ":1: drain-timeout: ", "duration" },
    { "max-body-size: 5 apples\n", ":1: max-body-size: ", "size" },
    { "module-path: /a\n", ":1: module-path: ", "list" },
    { "module-path: [1]\n", ":1: module-path: ", "list" },
    { "language:\n", ":1: language: ", "text" },
    { "log-levels: loud\n", ":1: log-levels: ", "log level" },
    { "run-timeout: -5s\n", ":1: run-timeout: ", "duration" },
    { "language: de\nlanguage: fr\n", ":2: ", "second time" },
    { "language: [\n", ":2: ", "YAML" },
    { "- language\n", ":1: ", "log-levels: debug" },
    { "language: \xff\n", ":1: ", "UTF-8" },
  };
  Error error;
  Ref<NebulaConfig> config = open (error);
  ASSERT_TRUE (config) << error.message ();
  Listener listener (config.get ());
  for (auto &c : cases) {
    write (user_file_, std::string (c.text));
    EXPECT_FALSE (nebula_config_check_file (config.get (), user_file_.c_str (), error.out ())) << c.text;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG));
    EXPECT_THAT (error.message (), testing::HasSubstr (user_file_ + c.line)) << c.text;
    EXPECT_THAT (error.message (), testing::HasSubstr (c.part)) << c.text;
    EXPECT_FALSE (nebula_config_reload (config.get (), error.out ())) << c.text;
    EXPECT_EQ (listener.rejected.back (), error.message ());
    EXPECT_EQ (get (config.get (), "max-nodes"), "10000");
    EXPECT_FALSE (open (error));
  }
  EXPECT_TRUE (listener.changed.empty ());
}

namespace
{

/* A file that would change every setting, one of them in a way that is not allowed. */
std::string
make_broken (GRand *random)
{
  std::vector<std::string> lines = {
    "max-nodes: 77", "max-connections: 78", "durability: relaxed", "language: fr", "log-levels: debug", "log-format: json",
    "drain-timeout: 7s", "run-timeout: 8s", "max-body-size: 9MiB", "watch-modules: false", "store-path: x.db", "listen: '[::1]:1'",
    "module-path: [/a, /b]", "data-directory: /d",
  };
  static const char *const mistakes[] = {
    "max-nodez: 5", "max-nodes: 0", "max-nodes: 1000001", "max-nodes: 9223372036854775808", "max-nodes: 1e3", "max-nodes: '7'",
    "max-nodes: true", "max-nodes: [1]", "max-connections: -1", "durability: sometimes", "durability: Strict", "durability: 1",
    "watch-modules: yes", "watch-modules: 1", "drain-timeout: 30", "drain-timeout: soon", "drain-timeout: -1s",
    "run-timeout: 5 parsecs", "max-body-size: -1MiB", "max-body-size: many", "log-format: xml", "log-levels: loud",
    "log-levels: 'info,a=b'", "module-path: /a", "module-path: [1, 2]", "module-path: {a: b}", "language: {a: b}", "store-path:",
    "nodes: {max: 5}", "'': 1", "1: 2", "- 1", "[1, 2]", "a: &x b", "b: *none", "? x", "language: \"de", "language: 'de",
    "language: [de", "language: {de", "\tlanguage: de", " language: de", "language de", "language: de: fr", "%YAML 9.9", "@",
    "`", "language: \"\\q\"", "language: \xc3\x28", "--- \nlanguage: de\n---\nlanguage: fr", "!!int language: x",
  };
  for (size_t i = lines.size () - 1; i > 0; i--)
    std::swap (lines[i], lines[(size_t) g_rand_int_range (random, 0, (gint32) i + 1)]);
  lines.resize ((size_t) g_rand_int_range (random, 3, (gint32) lines.size () + 1));
  std::string mistake = mistakes[g_rand_int_range (random, 0, G_N_ELEMENTS (mistakes))];
  lines.insert (lines.begin () + g_rand_int_range (random, 0, (gint32) lines.size () + 1), mistake);
  std::string text;
  for (auto &line : lines)
    text += line + "\n";
  /* Now and then a byte besides, or an end too early. */
  if (g_rand_int_range (random, 0, 4) == 0)
    text[(size_t) g_rand_int_range (random, 0, (gint32) text.size ())] = (char) g_rand_int_range (random, 0, 256);
  if (g_rand_int_range (random, 0, 8) == 0)
    text.resize ((size_t) g_rand_int_range (random, 1, (gint32) text.size ()));
  return text;
}

std::string
dump (NebulaConfig *config)
{
  std::string all;
  char **keys = nebula_config_list (config);
  for (char **key = keys; *key; key++) {
    Value value (nebula_config_describe (config, *key, nullptr));
    all += std::string (*key) + to_json (nebula_value_get_member (value.get (), "value")) +
           nebula_value_get_member_string (value.get (), "source", "") + "\n";
    GVariant *variant = g_settings_get_value (nebula_config_get_settings (config), *key);
    char *text = g_variant_print (variant, FALSE);
    all += text;
    g_free (text);
    g_variant_unref (variant);
  }
  g_strfreev (keys);
  return all;
}

} // namespace

/* 200 broken files: each is refused whole, by all who are asked, and tells the place; nothing changes. */
TEST_F (Config, NoBrokenFileChangesAnything)
{
  const char *good = "max-nodes: 5\nlanguage: de\nmodule-path: [/m]\ndurability: memory\n";
  GRand *random = g_rand_new_with_seed (20260318);
  Error error;
  write (user_file_, good);
  Ref<NebulaConfig> config = open (error);
  ASSERT_TRUE (config) << error.message ();
  Listener listener (config.get ());
  const std::string before = dump (config.get ());
  int n_broken = 0, n_tried = 0;
  for (; n_broken < 200 && n_tried < 1000; n_tried++) {
    std::string text = make_broken (random);
    write (user_file_, text);
    if (nebula_config_check_file (config.get (), user_file_.c_str (), error.out ()))
      continue; /* the odd byte fell into a mistake and mended it, or the end came before it */
    n_broken++;
    std::string verdict = error.message ();
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG)) << text;
    EXPECT_THAT (verdict, testing::HasSubstr (user_file_)) << text;
    EXPECT_FALSE (nebula_config_reload (config.get (), error.out ())) << text;
    EXPECT_EQ (error.message (), verdict) << text;
    ASSERT_EQ (listener.rejected.size (), (size_t) n_broken) << text;
    EXPECT_EQ (listener.rejected.back (), verdict);
    ASSERT_EQ (dump (config.get ()), before) << text;
    EXPECT_FALSE (open (error)) << text;
  }
  g_rand_free (random);
  EXPECT_EQ (n_broken, 200);
  EXPECT_LT (n_tried, 300);
  EXPECT_TRUE (listener.changed.empty ());
  EXPECT_TRUE (listener.settings.empty ());
}

/* The same while the file is watched and everybody reads: an edit that is cut short is never seen. */
TEST_F (Config, BrokenEditsUnderReloadChangeNothing)
{
  GRand *random = g_rand_new_with_seed (7);
  Error error;
  write (user_file_, "max-nodes: 5\n");
  Ref<NebulaConfig> config = open (error);
  ASSERT_TRUE (config) << error.message ();
  Listener listener (config.get ());
  const std::string before = dump (config.get ());
  for (int i = 0; i < 200;) {
    write (user_file_, make_broken (random));
    if (nebula_config_check_file (config.get (), user_file_.c_str (), nullptr))
      continue;
    i++;
    for (int n = 0; n < 5; n++)
      g_main_context_iteration (nullptr, FALSE);
    if (i % 50 == 0) {
      size_t n_rejected = listener.rejected.size ();
      EXPECT_TRUE (run_until ([&] { return listener.rejected.size () > n_rejected; }));
    }
    ASSERT_EQ (dump (config.get ()), before);
  }
  g_rand_free (random);
  EXPECT_TRUE (listener.changed.empty ());
  write (user_file_, "max-nodes: 6\n");
  EXPECT_TRUE (run_until ([&] { return nebula_config_get_integer (config.get (), "max-nodes") == 6; }));
}

TEST_F (Config, RefusesFilesThatAreNoPlainFiles)
{
  Error error;
  write (folder_ + "/target.yaml", "language: de\n");
  ASSERT_EQ (symlink ((folder_ + "/target.yaml").c_str (), user_file_.c_str ()), 0);
  EXPECT_FALSE (open (error));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG));
  g_unlink (user_file_.c_str ());
  ASSERT_EQ (mkfifo (user_file_.c_str (), 0600), 0);
  EXPECT_FALSE (open (error));
  g_unlink (user_file_.c_str ());
  write (user_file_, std::string ((1 << 20) + 1, '\n'));
  EXPECT_FALSE (open (error));
  write (user_file_, "language: de\n");
  g_chmod (user_file_.c_str (), 0666);
  EXPECT_FALSE (open (error));
  g_chmod (user_file_.c_str (), 0600);
  EXPECT_TRUE (open (error));
}

TEST_F (Config, AnEditedFileTakesEffectAndTellsOnce)
{
  write (user_file_, "max-nodes: 5\n");
  Error error;
  Ref<NebulaConfig> config = open (error);
  ASSERT_TRUE (config) << error.message ();
  Listener listener (config.get ());
  write (user_file_, "max-nodes: 6\nlanguage: fr\n");
  EXPECT_TRUE (run_until ([&] { return nebula_config_get_integer (config.get (), "max-nodes") == 6; }));
  EXPECT_EQ (get (config.get (), "language"), "\"fr\"");

  write (user_file_, "max-nodes: 7\nlanguage: fr\nnonsense: 1\n");
  EXPECT_TRUE (run_until ([&] { return !listener.rejected.empty (); }));
  EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 6);
  EXPECT_THAT (listener.rejected.front (), testing::HasSubstr (":3: nonsense:"));

  g_unlink (user_file_.c_str ());
  EXPECT_TRUE (run_until ([&] { return nebula_config_get_integer (config.get (), "max-nodes") == 10000; }));
  EXPECT_EQ (listener.changed, (std::map<std::string, int>{ { "max-nodes", 2 }, { "language", 2 } }));
  EXPECT_EQ (listener.settings, (std::map<std::string, int>{ { "max-nodes", 2 }, { "language", 2 } }));
}

TEST_F (Config, StoresIntoTheUsersFile)
{
  write (user_file_, "language: fr\n");
  Error error;
  Ref<NebulaConfig> config = open (error);
  EXPECT_TRUE (nebula_config_store (config.get (), "max-nodes", "77", error.out ())) << error.message ();
  EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 77);
  char *text = nullptr;
  ASSERT_TRUE (g_file_get_contents (user_file_.c_str (), &text, nullptr, nullptr));
  EXPECT_STREQ (text, "language: fr\nmax-nodes: 77\n");
  g_free (text);
  EXPECT_FALSE (nebula_config_store (config.get (), "max-nodes", "0", error.out ()));
  EXPECT_FALSE (nebula_config_store (config.get (), "none", "0", error.out ()));
  EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 77);
  Ref<NebulaConfig> without (nebula_config_new (nullptr, error.out ()));
  ASSERT_TRUE (without);
  EXPECT_FALSE (nebula_config_store (without.get (), "max-nodes", "5", error.out ()));
  EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG));
}

TEST_F (Config, DescribesEverySetting)
{
  Error error;
  Ref<NebulaConfig> config = open (error);
  char **keys = nebula_config_list (config.get ());
  EXPECT_GE (g_strv_length (keys), 12u);
  for (char **key = keys; *key; key++) {
    Value value (nebula_config_describe (config.get (), *key, error.out ()));
    ASSERT_TRUE (value) << *key;
    EXPECT_STRNE (nebula_value_get_member_string (value.get (), "summary", ""), "") << *key;
    EXPECT_STRNE (nebula_value_get_member_string (value.get (), "description", ""), "") << *key;
    EXPECT_TRUE (nebula_value_equal (nebula_value_get_member (value.get (), "value"), nebula_value_get_member (value.get (), "default"))) << *key;
    EXPECT_TRUE (!key[1] || strcmp (key[0], key[1]) < 0);
  }
  g_strfreev (keys);
  auto member = [&] (const char *key, const char *name) {
    Value value (nebula_config_describe (config.get (), key, nullptr));
    return to_json (nebula_value_get_member (value.get (), name));
  };
  EXPECT_EQ (member ("durability", "choices"), "[\"strict\",\"relaxed\",\"memory\"]");
  EXPECT_EQ (member ("max-nodes", "range"), "[1,1000000]");
  EXPECT_EQ (member ("max-nodes", "type"), "\"integer\"");
  EXPECT_EQ (member ("run-timeout", "type"), "\"duration\"");
  EXPECT_EQ (member ("watch-modules", "type"), "\"boolean\"");
  EXPECT_EQ (member ("module-path", "type"), "\"list\"");
  EXPECT_EQ (member ("language", "type"), "\"string\"");
  for (auto call : { nebula_config_get, nebula_config_describe }) {
    EXPECT_FALSE (Value (call (config.get (), "none", error.out ())));
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG));
  }
  EXPECT_FALSE (nebula_config_set (config.get (), "none", "1", error.out ()));
  EXPECT_FALSE (nebula_config_set (config.get (), "max-nodes", "x", error.out ()));
}

/* Tenants and modules have settings of their own; a tenant has what holds for all where it says nothing. */
TEST_F (Config, TenantsAndModulesHaveTheSameLayers)
{
  Error error;
  const char *key = "tenants.acme.max-nodes";
  write (system_file_, "max-nodes: 1\n");
  {
    Ref<NebulaConfig> config = open (error);
    ASSERT_TRUE (config) << error.message ();
    EXPECT_EQ (get (config.get (), key), "1");
    EXPECT_EQ (source (config.get (), key), system_file_);
    EXPECT_EQ (source (config.get (), "tenants.acme.max-connections"), "default");
    EXPECT_EQ (get (config.get (), "tenants.acme.max-connections"), "50000");
  }
  write (system_file_, "max-nodes: 1\ntenants:\n  acme: {max-nodes: 2}\n  other: {language: de}\n");
  write (user_file_, "tenants:\n  acme:\n    max-nodes: 3\nmodules.http.log-level: debug\n");
  {
    Ref<NebulaConfig> config = open (error);
    ASSERT_TRUE (config) << error.message ();
    EXPECT_EQ (get (config.get (), key), "3");
    EXPECT_EQ (source (config.get (), key), user_file_);
    EXPECT_EQ (get (config.get (), "tenants.other.max-nodes"), "1");
    EXPECT_EQ (get (config.get (), "tenants.other.language"), "\"de\"");
    EXPECT_EQ (get (config.get (), "max-nodes"), "1");
    EXPECT_EQ (get (config.get (), "modules.http.log-level"), "\"debug\"");
    char **keys = nebula_config_list (config.get ());
    for (const char *wanted : { key, "tenants.other.language", "modules.http.log-level", "max-nodes" })
      EXPECT_TRUE (g_strv_contains (keys, wanted)) << wanted;
    EXPECT_FALSE (g_strv_contains (keys, "tenants.other.max-nodes"));
    g_strfreev (keys);
  }
  g_setenv ("NEBULA_TENANTS__ACME__MAX_NODES", "4", TRUE);
  {
    Ref<NebulaConfig> config = open (error);
    EXPECT_EQ (nebula_config_get_integer (config.get (), key), 4);
    EXPECT_EQ (source (config.get (), key), "NEBULA_TENANTS__ACME__MAX_NODES");
    EXPECT_TRUE (nebula_config_set (config.get (), key, "5", error.out ()));
    EXPECT_EQ (nebula_config_get_integer (config.get (), key), 5);
    EXPECT_EQ (source (config.get (), key), "command-line");
    EXPECT_TRUE (nebula_config_set (config.get (), key, nullptr, error.out ()));
    EXPECT_EQ (nebula_config_get_integer (config.get (), key), 4);
  }
  g_setenv ("NEBULA_TENANTS__ACME__MAX_NODES", "none", TRUE);
  EXPECT_FALSE (open (error));
  EXPECT_THAT (error.message (), testing::HasSubstr ("NEBULA_TENANTS__ACME__MAX_NODES"));
  g_setenv ("NEBULA_TENANTS__ACME__NONSENSE", "1", TRUE);
  g_unsetenv ("NEBULA_TENANTS__ACME__MAX_NODES");
  EXPECT_FALSE (open (error));
  g_unsetenv ("NEBULA_TENANTS__ACME__NONSENSE");
}

TEST_F (Config, RelocatedSettingsTellOfChanges)
{
  Error error;
  write (user_file_, "max-nodes: 1\ntenants:\n  acme: {language: de}\n");
  Ref<NebulaConfig> config = open (error);
  Listener listener (config.get ());
  Ref<GSettings> acme (nebula_config_get_settings_of (config.get (), "tenants.acme", error.out ()));
  ASSERT_TRUE (acme) << error.message ();
  std::map<std::string, int> told;
  g_signal_connect (acme.get (), "changed",
                    G_CALLBACK (+[] (GSettings *, const char *key, std::map<std::string, int> *counts) { (*counts)[key]++; }),
                    &told);
  EXPECT_EQ (g_settings_get_int (acme.get (), "max-nodes"), 1);
  char *language = g_settings_get_string (acme.get (), "language");
  EXPECT_STREQ (language, "de");
  g_free (language);
  write (user_file_, "max-nodes: 2\ntenants:\n  acme: {language: fr}\n");
  ASSERT_TRUE (nebula_config_reload (config.get (), error.out ())) << error.message ();
  EXPECT_EQ (g_settings_get_int (acme.get (), "max-nodes"), 2);
  EXPECT_EQ (told, (std::map<std::string, int>{ { "max-nodes", 1 }, { "language", 1 } }));
  EXPECT_EQ (listener.changed, (std::map<std::string, int>{ { "max-nodes", 1 }, { "tenants.acme.language", 1 } }));
  /* Written for this tenant alone. */
  EXPECT_TRUE (g_settings_set_int (acme.get (), "max-nodes", 9));
  EXPECT_EQ (nebula_config_get_integer (config.get (), "tenants.acme.max-nodes"), 9);
  EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 2);
  Ref<GSettings> module (nebula_config_get_settings_of (config.get (), "modules.elasticsearch", error.out ()));
  ASSERT_TRUE (module) << error.message ();
  for (const char *key : { "url", "log-level" })
    g_free (g_settings_get_string (module.get (), key));
  for (const char *owner : { "", "tenants", "tenants.", "tenants.a.b", "tenants.a/b", "modules.a b", "other.a" }) {
    EXPECT_FALSE (Ref<GSettings> (nebula_config_get_settings_of (config.get (), owner, error.out ()))) << owner;
    EXPECT_TRUE (has_error (error, NEBULA_ERROR_CONFIG));
  }
}

TEST_F (Config, RefusesBadSettingsOfTenantsWithTheirPlace)
{
  struct
  {
    const char *text, *place;
  } cases[] = {
    { "tenants:\n  acme:\n    max-nodes: 0\n", ":3: tenants.acme.max-nodes: " },
    { "tenants:\n  acme:\n    listen: x\n", ":3: tenants.acme.listen: " },
    { "tenants:\n  a/b: {language: de}\n", ":2: tenants.a/b.language: " },
    { "tenants: 5\n", ":1: tenants: " },
    { "tenants:\n  acme: 5\n", ":2: tenants.acme: " },
    { "modules:\n  http:\n    log-level: {a: b}\n", ":3: modules.http.log-level: " },
    { "modules:\n  elasticsearch: {url: [1]}\n", ":2: modules.elasticsearch.url: " },
    { "modules:\n  http: {url: x}\n", ":2: modules.http.url: " },
  };
  Error error;
  for (auto &c : cases) {
    write (user_file_, c.text);
    EXPECT_FALSE (open (error)) << c.text;
    EXPECT_THAT (error.message (), testing::HasSubstr (user_file_ + c.place)) << c.text;
  }
}

TEST_F (Config, StoresSettingsOfTenants)
{
  Error error;
  write (user_file_, "language: fr\nmodules: {http: {log-level: info}}\n");
  Ref<NebulaConfig> config = open (error);
  ASSERT_TRUE (nebula_config_store (config.get (), "tenants.acme.max-nodes", "7", error.out ())) << error.message ();
  ASSERT_TRUE (nebula_config_store (config.get (), "tenants.acme.language", "de", error.out ()));
  EXPECT_EQ (nebula_config_get_integer (config.get (), "tenants.acme.max-nodes"), 7);
  char *text = nullptr;
  ASSERT_TRUE (g_file_get_contents (user_file_.c_str (), &text, nullptr, nullptr));
  EXPECT_STREQ (text, "language: fr\nmodules:\n  http:\n    log-level: info\ntenants:\n  acme:\n    language: de\n    max-nodes: 7\n");
  g_free (text);
}

TEST_F (Config, WritesThroughGSettings)
{
  Error error;
  Ref<NebulaConfig> config = open (error);
  GSettings *settings = nebula_config_get_settings (config.get ());
  EXPECT_TRUE (g_settings_set_int (settings, "max-nodes", 12));
  EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 12);
  g_settings_reset (settings, "max-nodes");
  EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 10000);
  g_settings_delay (settings);
  g_settings_set_int (settings, "max-nodes", 13);
  g_settings_apply (settings);
  EXPECT_EQ (nebula_config_get_integer (config.get (), "max-nodes"), 13);
}

TEST_F (Config, HasUsualPlaces)
{
  Error error;
  Ref<NebulaConfig> config (nebula_config_new_default (error.out ()));
  EXPECT_TRUE (config) << error.message ();
}
