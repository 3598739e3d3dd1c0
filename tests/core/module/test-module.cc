/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Broken and hostile module files: each gives a clear reason and harms nothing. */
#include "nebula-test.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nebula-registry.h"

namespace
{

using nebula::Error;
using nebula::Ref;
using Module = nebula::Owned<NebulaModuleInfo, nebula_module_info_unref>;
using Info = nebula::Owned<NebulaActionInfo, nebula_action_info_unref>;

int
remove_entry (const char *path, const struct stat *, int, struct FTW *)
{
  return remove (path);
}

class ModuleTest : public nebula::LoopTest
{
protected:
  void
  SetUp () override
  {
    LoopTest::SetUp ();
    char *folder = g_dir_make_tmp ("nebula-module-XXXXXX", nullptr);
    root_ = folder;
    g_free (folder);
    modules_ = root_ + "/modules";
    cache_ = root_ + "/cache/modules.cache";
    g_mkdir (modules_.c_str (), 0755);
    add ("good");
  }
  void
  TearDown () override
  {
    nftw (root_.c_str (), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    LoopTest::TearDown ();
  }

  std::string
  path (const std::string &name)
  {
    return modules_ + "/" + name;
  }
  /* Copies a fixture, under its own name or another. */
  void
  add (const std::string &fixture, const std::string &name = "")
  {
    std::string source = std::string (g_getenv ("NEBULA_TEST_FIXTURES")) + "/" + fixture + ".so";
    char *data = nullptr;
    gsize size = 0;
    ASSERT_TRUE (g_file_get_contents (source.c_str (), &data, &size, nullptr)) << source;
    std::string target = path ((name.empty () ? fixture : name) + ".so");
    ASSERT_TRUE (g_file_set_contents_full (target.c_str (), data, (gssize) size, G_FILE_SET_CONTENTS_NONE, 0644, nullptr));
    g_chmod (target.c_str (), 0644);
    g_free (data);
  }
  NebulaRegistry *
  make (gint64 timeout_usec = 10 * G_USEC_PER_SEC, const char *host = nullptr)
  {
    const char *search_path[] = { modules_.c_str (), nullptr };
    auto *registry = NEBULA_REGISTRY (g_object_new (NEBULA_TYPE_REGISTRY, "search-path", search_path, "cache-file",
                                                    cache_.c_str (), "probe-timeout", timeout_usec, "host", host, nullptr));
    /* What is tested here is loading, so that nothing goes to hosts. */
    nebula::Value hosting = nebula::json ("{\"isolation\": {\"*\": \"in-process\"}}");
    EXPECT_TRUE (nebula_registry_set_hosting (registry, hosting.get (), nullptr));
    return registry;
  }
  Ref<NebulaRegistry>
  load (gint64 timeout_usec = 10 * G_USEC_PER_SEC, const char *host = nullptr)
  {
    Ref<NebulaRegistry> registry (make (timeout_usec, host));
    Error error;
    EXPECT_TRUE (nebula_registry_load (registry.get (), error.out ())) << error.message ();
    return registry;
  }
  static Module
  find (NebulaRegistry *registry, const char *id)
  {
    g_autoptr (GPtrArray) modules = nebula_registry_list_modules (registry);
    for (guint i = 0; i < modules->len; i++) {
      auto *info = static_cast<NebulaModuleInfo *> (g_ptr_array_index (modules, i));
      if (g_str_equal (nebula_module_info_get_id (info), id))
        return Module (nebula_module_info_ref (info));
    }
    return Module ();
  }
  static void
  expect_good (NebulaRegistry *registry)
  {
    Error error;
    Info info (nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (registry), "good.echo", nullptr, error.out ()));
    ASSERT_TRUE (info) << error.message ();
    NebulaActionClass *klass = nebula_action_resolver_load (NEBULA_ACTION_RESOLVER (registry), info.get (), error.out ());
    /* Another test of this process may have loaded another copy. */
    if (klass == nullptr) {
      EXPECT_THAT (error.message (), testing::HasSubstr ("Another version"));
    }
  }
  /* The module is listed with this status and a reason that holds this text; the good one works. */
  void
  expect_reason (const char *id, NebulaModuleStatus status, const char *text, gint64 timeout_usec = 10 * G_USEC_PER_SEC)
  {
    Ref<NebulaRegistry> registry = load (timeout_usec);
    Module module = find (registry.get (), id);
    ASSERT_TRUE (module) << id;
    EXPECT_EQ (nebula_module_info_get_status (module.get ()), status);
    EXPECT_THAT (nebula_module_info_get_reason (module.get ()), testing::HasSubstr (text));
    EXPECT_EQ (nebula_module_info_get_n_actions (module.get ()), 0u);
    expect_good (registry.get ());
  }

  std::string root_, modules_, cache_;
};

TEST_F (ModuleTest, GoodModuleIsDescribed)
{
  Ref<NebulaRegistry> registry = load ();
  Module module = find (registry.get (), "good");
  ASSERT_TRUE (module);
  EXPECT_EQ (nebula_module_info_get_status (module.get ()), NEBULA_MODULE_STATUS_OK)
      << nebula_module_info_get_reason (module.get ());
  EXPECT_STREQ (nebula_module_info_get_version (module.get ()), "1.2.3");
  EXPECT_STREQ (nebula_module_info_get_title (module.get ()), "Good");
  EXPECT_EQ (nebula_module_info_get_path (module.get ()), path ("good.so"));
  EXPECT_EQ (nebula_module_info_get_reason (module.get ()), nullptr);
  EXPECT_EQ (nebula_module_info_get_n_actions (module.get ()), 1u);
  nebula::Value value (nebula_module_info_to_value (module.get ()));
  EXPECT_STREQ (nebula_value_get_member_string (value.get (), "status", ""), "ok");
}

/* A function of a module: declared in the catalogue, loaded when an expression with it is compiled. */
TEST_F (ModuleTest, FunctionsAreCalledByExpressions)
{
  Ref<NebulaRegistry> registry = load ();
  NebulaFunctionSet *functions = nebula_action_resolver_get_functions (NEBULA_ACTION_RESOLVER (registry.get ()));
  nebula::Value data = nebula::json ("{\"x\": \"b\"}");
  auto evaluate = [&] (const char *text) -> std::string {
    Error error;
    nebula::Owned<NebulaExpression, nebula_expression_unref> expression (
        nebula_expression_compile_with_functions (text, FALSE, functions, error.out ()));
    if (!expression)
      return nebula_error_get_code (error.get ());
    nebula::Value value (nebula_expression_evaluate_data (expression.get (), data.get (), error.out ()));
    return value ? nebula::to_json (value) : nebula_error_get_code (error.get ());
  };

  ASSERT_NE (functions, nullptr);
  EXPECT_EQ (evaluate ("good_join ('a', $x, 'c')"), "\"a-b-c\"");
  EXPECT_EQ (evaluate ("['a', 'b'].map (x => x.goodJoin (x))"), "[\"a-a\",\"b-b\"]");
  EXPECT_EQ (evaluate ("good_join ()"), "arity");
  EXPECT_EQ (evaluate ("good_join (1)"), "type");
  EXPECT_EQ (evaluate ("good_joint ('a')"), "unknown-name");
  nebula::Value description (nebula_expression_describe_function ("good_join", functions));
  ASSERT_TRUE (description);
  EXPECT_STREQ (nebula_value_get_member_string (description.get (), "signature", ""), "good_join(text, more…)");
  nebula::Value value (nebula_module_info_to_value (find (registry.get (), "good").get ()));
  EXPECT_EQ (nebula_value_get_length (nebula_value_get_member (value.get (), "functions")), 1u);
}

TEST_F (ModuleTest, FunctionThatHidesABuiltInOneIsRefused)
{
  add ("clash");
  expect_reason ("clash", NEBULA_MODULE_STATUS_BROKEN, "to_upper");
}

TEST_F (ModuleTest, CrashInRegisterTypes)
{
  add ("null");
#ifdef __SANITIZE_ADDRESS__
  expect_reason ("null", NEBULA_MODULE_STATUS_BROKEN, "while probing");
#else
  expect_reason ("null", NEBULA_MODULE_STATUS_BROKEN, "crashed by signal 11 while probing");
#endif
}

TEST_F (ModuleTest, AbortInConstructor)
{
  add ("abort");
  expect_reason ("abort", NEBULA_MODULE_STATUS_BROKEN, "crashed by signal 6 while probing");
}

TEST_F (ModuleTest, UndefinedSymbol)
{
  add ("undefined");
  expect_reason ("undefined", NEBULA_MODULE_STATUS_BROKEN, "nebula_nobody_defines_this");
}

TEST_F (ModuleTest, WrongAbi)
{
  add ("abi");
  expect_reason ("abi", NEBULA_MODULE_STATUS_BROKEN, "module interface 99 and this is 1");
}

TEST_F (ModuleTest, TypeNameOfAnotherModule)
{
  add ("twin");
  add ("twin-b");
  expect_reason ("twin-b", NEBULA_MODULE_STATUS_BROKEN, "NebulaTwinBEcho, which the module “twin” registers too");
}

TEST_F (ModuleTest, TypeNameOfTheLibrary)
{
  add ("simple");
  expect_reason ("simple", NEBULA_MODULE_STATUS_BROKEN, "a type whose name exists already");
}

TEST_F (ModuleTest, EndlessLoop)
{
  add ("loop");
  expect_reason ("loop", NEBULA_MODULE_STATUS_BROKEN, "did not end within", G_USEC_PER_SEC);
}

TEST_F (ModuleTest, LeavesWhileProbing)
{
  add ("leaves");
  expect_reason ("leaves", NEBULA_MODULE_STATUS_BROKEN, "gave no catalogue");
}

TEST_F (ModuleTest, NoDescriptor)
{
  add ("nothing");
  expect_reason ("nothing", NEBULA_MODULE_STATUS_BROKEN, "exports no descriptor");
}

TEST_F (ModuleTest, IdOfAnotherFile)
{
  add ("null", "other");
  expect_reason ("other", NEBULA_MODULE_STATUS_BROKEN, "says that its id is “null”");
}

TEST_F (ModuleTest, ActionOfAnotherModule)
{
  add ("stranger");
  expect_reason ("stranger", NEBULA_MODULE_STATUS_BROKEN, "does not begin with “stranger.”");
}

TEST_F (ModuleTest, NotAnElfFile)
{
  g_file_set_contents (path ("text.so").c_str (), "hello\n", -1, nullptr);
  expect_reason ("text", NEBULA_MODULE_STATUS_REFUSED, "not a shared object");
}

TEST_F (ModuleTest, ElfCutShort)
{
  add ("good", "cut");
  ASSERT_EQ (truncate (path ("cut.so").c_str (), 1000), 0);
  /* The linker may say so or die of it, according to where the file ends. */
  expect_reason ("cut", NEBULA_MODULE_STATUS_BROKEN, "");
}

TEST_F (ModuleTest, OtherMachine)
{
  add ("good", "machine");
  int fd = open (path ("machine.so").c_str (), O_WRONLY);
  guint16 machine = 8; /* MIPS */
  ASSERT_EQ (pwrite (fd, &machine, sizeof machine, 18), (ssize_t) sizeof machine);
  close (fd);
  expect_reason ("machine", NEBULA_MODULE_STATUS_REFUSED, "another kind of machine");
}

TEST_F (ModuleTest, Fifo)
{
  ASSERT_EQ (mkfifo (path ("pipe.so").c_str (), 0600), 0);
  expect_reason ("pipe", NEBULA_MODULE_STATUS_REFUSED, "not a regular file");
}

TEST_F (ModuleTest, Folder)
{
  ASSERT_EQ (g_mkdir (path ("folder.so").c_str (), 0700), 0);
  expect_reason ("folder", NEBULA_MODULE_STATUS_REFUSED, "not a regular file");
}

TEST_F (ModuleTest, SymbolicLink)
{
  ASSERT_EQ (symlink (path ("good.so").c_str (), path ("link.so").c_str ()), 0);
  expect_reason ("link", NEBULA_MODULE_STATUS_REFUSED, "symbolic link");
}

TEST_F (ModuleTest, HardLink)
{
  add ("twin");
  ASSERT_EQ (link (path ("twin.so").c_str (), path ("link.so").c_str ()), 0);
  expect_reason ("link", NEBULA_MODULE_STATUS_REFUSED, "hard link");
}

TEST_F (ModuleTest, WorldWritableFile)
{
  add ("twin");
  ASSERT_EQ (g_chmod (path ("twin.so").c_str (), 0646), 0);
  expect_reason ("twin", NEBULA_MODULE_STATUS_REFUSED, "written by everybody");
}

TEST_F (ModuleTest, WorldWritableFolder)
{
  ASSERT_EQ (g_chmod (modules_.c_str (), 0777), 0);
  Ref<NebulaRegistry> registry = load ();
  Module module = find (registry.get (), "good");
  ASSERT_TRUE (module);
  EXPECT_EQ (nebula_module_info_get_status (module.get ()), NEBULA_MODULE_STATUS_REFUSED);
  EXPECT_THAT (nebula_module_info_get_reason (module.get ()), testing::HasSubstr ("chmod o-w"));
}

TEST_F (ModuleTest, OtherOwner)
{
  if (geteuid () != 0)
    GTEST_SKIP () << "only root can give a file away";
  add ("twin");
  ASSERT_EQ (chown (path ("twin.so").c_str (), 12345, 12345), 0);
  expect_reason ("twin", NEBULA_MODULE_STATUS_REFUSED, "belongs to another user");
}

TEST_F (ModuleTest, WritableByAForeignGroup)
{
  if (geteuid () != 0)
    GTEST_SKIP () << "only root can give a file away";
  add ("twin");
  ASSERT_EQ (chown (path ("twin.so").c_str (), 0, 12345), 0);
  ASSERT_EQ (g_chmod (path ("twin.so").c_str (), 0664), 0);
  expect_reason ("twin", NEBULA_MODULE_STATUS_REFUSED, "written by a group");
}

TEST_F (ModuleTest, NameOutsideTheGrammar)
{
  add ("good", "Good");
  expect_reason ("Good", NEBULA_MODULE_STATUS_REFUSED, "not the name of a module");
}

TEST_F (ModuleTest, LibtoolFilesAreNeverRead)
{
  g_file_set_contents (path ("evil.la").c_str (), "dlname='evil.so'\n", -1, nullptr);
  Ref<NebulaRegistry> registry = load ();
  EXPECT_FALSE (find (registry.get (), "evil"));
  expect_good (registry.get ());
}

TEST_F (ModuleTest, HostThatDoesNotStart)
{
  Ref<NebulaRegistry> registry = load (G_USEC_PER_SEC, "/nonexistent/nebula-host");
  Module module = find (registry.get (), "good");
  ASSERT_TRUE (module);
  EXPECT_THAT (nebula_module_info_get_reason (module.get ()), testing::HasSubstr ("does not start"));
  /* That says nothing of the module: with a host it is fine. */
  expect_good (load ().get ());
}

TEST_F (ModuleTest, LinkerVariablesDoNotReachTheHost)
{
  char *before = g_strdup (g_getenv ("LD_PRELOAD"));
  g_setenv ("LD_PRELOAD", "/nonexistent/evil.so", TRUE);
  g_setenv ("LTDL_LIBRARY_PATH", "/nonexistent", TRUE);
  expect_good (load ().get ());
  g_unsetenv ("LTDL_LIBRARY_PATH");
  if (before)
    g_setenv ("LD_PRELOAD", before, TRUE);
  else
    g_unsetenv ("LD_PRELOAD");
  g_free (before);
}

TEST_F (ModuleTest, WarmCacheStartsNoHost)
{
  add ("null");
  load ();
  /* With a host that does not start, all must come from the cache, the broken module too. */
  Ref<NebulaRegistry> registry = load (G_USEC_PER_SEC, "/nonexistent/nebula-host");
  EXPECT_EQ (nebula_module_info_get_status (find (registry.get (), "good").get ()), NEBULA_MODULE_STATUS_OK);
  EXPECT_THAT (nebula_module_info_get_reason (find (registry.get (), "null").get ()), testing::HasSubstr ("while probing"));
}

TEST_F (ModuleTest, ChangedFileIsProbedAgain)
{
  add ("null", "twin");
  load ();
  ASSERT_EQ (remove (path ("twin.so").c_str ()), 0);
  add ("twin");
  Ref<NebulaRegistry> registry = load ();
  EXPECT_EQ (nebula_module_info_get_status (find (registry.get (), "twin").get ()), NEBULA_MODULE_STATUS_OK);
}

TEST_F (ModuleTest, DamagedCacheIsWrittenAnew)
{
  load ();
  char *whole = nullptr;
  gsize size = 0;
  ASSERT_TRUE (g_file_get_contents (cache_.c_str (), &whole, &size, nullptr));
  for (gsize cut : { (gsize) 0, (gsize) 7, (gsize) 16, size / 2, size - 1 }) {
    ASSERT_TRUE (g_file_set_contents (cache_.c_str (), whole, (gssize) cut, nullptr));
    expect_good (load ().get ());
  }
  for (gsize at = 0; at < size; at += 37) {
    std::string copy (whole, size);
    copy[at] = (char) (copy[at] ^ 0x55);
    ASSERT_TRUE (g_file_set_contents (cache_.c_str (), copy.data (), (gssize) size, nullptr));
    Ref<NebulaRegistry> damaged = load (G_USEC_PER_SEC, "/nonexistent/nebula-host");
    EXPECT_THAT (nebula_module_info_get_reason (find (damaged.get (), "good").get ()), testing::HasSubstr ("does not start"));
  }
  expect_good (load ().get ());
  Ref<NebulaRegistry> warm = load (G_USEC_PER_SEC, "/nonexistent/nebula-host");
  EXPECT_EQ (nebula_module_info_get_status (find (warm.get (), "good").get ()), NEBULA_MODULE_STATUS_OK);
  g_free (whole);
}

TEST_F (ModuleTest, FileChangedBetweenProbeAndLoad)
{
  add ("twin");
  Ref<NebulaRegistry> registry = load ();
  Error error;
  Info info (nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (registry.get ()), "twin.echo", nullptr, error.out ()));
  ASSERT_TRUE (info) << error.message ();
  ASSERT_EQ (remove (path ("twin.so").c_str ()), 0);
  add ("null", "twin");
  EXPECT_EQ (nebula_action_resolver_load (NEBULA_ACTION_RESOLVER (registry.get ()), info.get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_MODULE_BROKEN));
  EXPECT_THAT (error.message (), testing::HasSubstr ("changed since it was probed"));
}

TEST_F (ModuleTest, LoadedModuleStaysWhenItsFileIsReplaced)
{
  add ("again");
  Ref<NebulaRegistry> registry = load ();
  Error error;
  NebulaActionResolver *resolver = NEBULA_ACTION_RESOLVER (registry.get ());
  Info info (nebula_action_resolver_lookup (resolver, "again.echo", nullptr, error.out ()));
  ASSERT_TRUE (info) << error.message ();
  NebulaActionClass *klass = nebula_action_resolver_load (resolver, info.get (), error.out ());
  ASSERT_NE (klass, nullptr) << error.message ();

  /* Even by something that crashes. */
  ASSERT_EQ (remove (path ("again.so").c_str ()), 0);
  add ("null", "again");
  ASSERT_TRUE (nebula_registry_load (registry.get (), error.out ()));
  EXPECT_EQ (nebula_module_info_get_status (find (registry.get (), "again").get ()), NEBULA_MODULE_STATUS_OK);
  EXPECT_EQ (nebula_action_resolver_load (resolver, info.get (), error.out ()), klass) << error.message ();
}

TEST_F (ModuleTest, TypeThatIsRegisteredAlreadyIsRefusedBeforeLoading)
{
  add ("twin");
  Ref<NebulaRegistry> first = load ();
  Error error;
  Info info (nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (first.get ()), "twin.echo", nullptr, error.out ()));
  ASSERT_TRUE (info) << error.message ();
  ASSERT_NE (nebula_action_resolver_load (NEBULA_ACTION_RESOLVER (first.get ()), info.get (), error.out ()), nullptr)
      << error.message ();

  /* Alone in its folder the other one looks well, but its type is taken in this process. */
  ASSERT_EQ (remove (path ("twin.so").c_str ()), 0);
  add ("twin-b");
  Ref<NebulaRegistry> second = load ();
  Info other (nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (second.get ()), "twin-b.echo", nullptr, error.out ()));
  ASSERT_TRUE (other) << error.message ();
  EXPECT_EQ (nebula_action_resolver_load (NEBULA_ACTION_RESOLVER (second.get ()), other.get (), error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_MODULE_BROKEN));
  EXPECT_THAT (error.message (), testing::HasSubstr ("NebulaTwinBEcho"));
}

TEST_F (ModuleTest, NewFileIsAnnounced)
{
  Ref<NebulaRegistry> registry = load ();
  Error error;
  std::string found;
  ASSERT_TRUE (nebula_registry_watch (registry.get (), error.out ())) << error.message ();
  g_signal_connect (registry.get (), "module-found",
                    G_CALLBACK (+[] (NebulaRegistry *, const char *path, std::string *data) { *data = path; }), &found);
  add ("twin");
  EXPECT_TRUE (run_until ([&] { return !found.empty (); }));
  EXPECT_EQ (found, path ("twin.so"));
  ASSERT_TRUE (nebula_registry_load (registry.get (), error.out ()));
  EXPECT_TRUE (find (registry.get (), "twin"));
}

} // namespace
