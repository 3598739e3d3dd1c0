/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules in processes of their own: whatever they do there, the engine goes on. */
#include "nebula-test.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "nebula-engine.h"
#include "nebula-expression.h"
#include "nebula-invocation.h"
#include "nebula-registry.h"

namespace
{

using nebula::Error;
using nebula::Ref;
using Info = nebula::Owned<NebulaActionInfo, nebula_action_info_unref>;
using testing::ElementsAre;
using testing::HasSubstr;

int
remove_entry (const char *path, const struct stat *, int, struct FTW *)
{
  return remove (path);
}

/* One attempt and what became of it. */
struct Attempt {
  Ref<NebulaAction> action;
  Ref<NebulaInvocation> invocation;
  nebula::Owned<NebulaResult, nebula_result_unref> result;
  std::vector<std::string> words;

  bool is_over () const
  {
    return bool (result);
  }
  NebulaResultKind kind ()
  {
    return nebula_result_get_kind (result.get ());
  }
  std::string value ()
  {
    return result ? nebula::to_json (nebula_result_get_value (result.get ())) : "(none)";
  }
  std::string code ()
  {
    return result ? nebula_value_get_member_string (nebula_result_get_value (result.get ()), "code", "") : "(none)";
  }
};

const NebulaInvocationSink sink = {
    [] (NebulaInvocation *, NebulaResult *result, gpointer data) {
      static_cast<Attempt *> (data)->result =
          nebula::Owned<NebulaResult, nebula_result_unref> (nebula_result_ref (result));
    },
    [] (NebulaInvocation *, double fraction, const char *message, gpointer data) {
      static_cast<Attempt *> (data)->words.push_back (std::to_string (int (fraction * 100)) + "% " +
                                                      (message != nullptr ? message : ""));
    },
    [] (NebulaInvocation *, GLogLevelFlags, const char *message, gpointer data) {
      static_cast<Attempt *> (data)->words.push_back (message);
    },
};

class HostTest : public nebula::LoopTest
{
protected:
  void SetUp () override
  {
    LoopTest::SetUp ();
    char *folder = g_dir_make_tmp ("nebula-host-XXXXXX", nullptr);
    root_ = folder;
    g_free (folder);
    g_mkdir ((root_ + "/modules").c_str (), 0755);
    add_hostile ();
    open ("{}");
  }
  void TearDown () override
  {
    registry_ = Ref<NebulaRegistry> ();
    nftw (root_.c_str (), remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    LoopTest::TearDown ();
  }
  void add_hostile ()
  {
    std::string source = std::string (g_getenv ("NEBULA_TEST_HOSTILE")) + "/hostile.so";
    std::string target = root_ + "/modules/hostile.so";
    char *data = nullptr;
    gsize size = 0;

    ASSERT_TRUE (g_file_get_contents (source.c_str (), &data, &size, nullptr)) << source;
    ASSERT_TRUE (g_file_set_contents (target.c_str (), data, (gssize) size, nullptr));
    g_chmod (target.c_str (), 0644);
    g_free (data);
  }
  /* A new registry, with its own hosts. */
  void open (const char *options)
  {
    std::string modules = root_ + "/modules";
    std::string cache = root_ + "/modules.cache";
    std::string quarantine = root_ + "/quarantine.json";
    const char *search_path[] = {modules.c_str (), nullptr};
    nebula::Value given = nebula::json (options);
    NebulaValueBuilder *builder = nebula_value_builder_new_object ();
    Error error;

    nebula_value_builder_set_string (builder, "quarantine-file", quarantine.c_str ());
    nebula_value_builder_set_integer (builder, "back-off", 1000);
    for (gsize i = 0; i < nebula_value_get_length (given.get ()); i++)
      nebula_value_builder_set (builder, nebula_value_get_key (given.get (), i, nullptr),
                                nebula_value_get_member_at (given.get (), i));
    nebula::Value all (nebula_value_builder_end (builder));
    nebula_value_builder_unref (builder);
    registry_ = Ref<NebulaRegistry> (NEBULA_REGISTRY (g_object_new (
        NEBULA_TYPE_REGISTRY, "search-path", search_path, "cache-file", cache.c_str (), nullptr)));
    ASSERT_TRUE (nebula_registry_set_hosting (registry_.get (), all.get (), error.out ())) << error.message ();
    ASSERT_TRUE (nebula_registry_load (registry_.get (), error.out ())) << error.message ();
  }
  std::unique_ptr<Attempt> prepare (const char *id, const char *parameters, NebulaValue *input = nullptr)
  {
    auto attempt = std::make_unique<Attempt> ();
    NebulaActionResolver *resolver = NEBULA_ACTION_RESOLVER (registry_.get ());
    nebula::Value given = nebula::json (parameters);
    NebulaArguments arguments = {};
    NebulaInvocationInfo info = {};
    Error error;
    Info found (nebula_action_resolver_lookup (resolver, id, nullptr, error.out ()));

    EXPECT_TRUE (found) << error.message ();
    attempt->action = Ref<NebulaAction> (nebula_action_resolver_create (resolver, found.get (), error.out ()));
    EXPECT_TRUE (attempt->action) << error.message ();
    arguments.parameters = given.get ();
    arguments.table = nebula_action_info_get_parameters (found.get ());
    EXPECT_TRUE (nebula_action_set_parameters (attempt->action.get (), &arguments, error.out ())) << error.message ();
    info.action_id = id;
    info.node_id = "there";
    attempt->invocation =
        Ref<NebulaInvocation> (nebula_invocation_new (&info, given.get (), input, &sink, attempt.get (), nullptr));
    return attempt;
  }
  std::unique_ptr<Attempt> start (const char *id, const char *parameters, NebulaValue *input = nullptr)
  {
    auto attempt = prepare (id, parameters, input);

    nebula_action_invoke (attempt->action.get (), attempt->invocation.get ());
    return attempt;
  }
  std::unique_ptr<Attempt> run (const char *id, const char *parameters, NebulaValue *input = nullptr)
  {
    auto attempt = start (id, parameters, input);

    EXPECT_TRUE (run_until ([&] { return attempt->is_over (); }));
    return attempt;
  }
  std::string run_for_value (const char *id, const char *parameters)
  {
    return run (id, parameters)->value ();
  }

  std::string root_;
  Ref<NebulaRegistry> registry_;
};

TEST_F (HostTest, ActionRunsInAnotherProcess)
{
  std::string first = run_for_value ("hostile.do", "{\"how\": \"\"}");

  EXPECT_NE (first, std::to_string (getpid ()));
  EXPECT_GT (atoll (first.c_str ()), 0);
  EXPECT_EQ (run_for_value ("hostile.look", "{}"), first);
}

TEST_F (HostTest, FailureKeepsItsCodeClassAndDetails)
{
  auto attempt = run ("hostile.do", "{\"how\": \"about\"}");

  EXPECT_EQ (attempt->kind (), NEBULA_RESULT_KIND_FAILURE);
  EXPECT_EQ (attempt->value (), "{\"code\":\"told-so\",\"message\":\"there\",\"retry\":\"throttle\","
                                "\"details\":{\"how\":\"about\"}}");
}

TEST_F (HostTest, ProgressAndLogCrossTheChannel)
{
  EXPECT_THAT (run ("hostile.do", "{\"how\": \"talk\"}")->words, ElementsAre ("50% half", "a word"));
}

TEST_F (HostTest, WordsAreCutAndMadeValid)
{
  auto attempt = run ("hostile.do", "{\"how\": \"shout\"}");

  ASSERT_EQ (attempt->words.size (), 3u);
  EXPECT_GT (attempt->words[0].size (), 65000u);
  EXPECT_LE (attempt->words[0].size (), 65536u);
  EXPECT_EQ (attempt->words[1], "\uFFFD");
  EXPECT_EQ (attempt->words[2], "100% ");
}

TEST_F (HostTest, LargeValuesGoByMemoryFile)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_array ();
  for (int i = 0; i < 200000; i++)
    nebula_value_builder_add_take (builder, nebula_value_new_integer (i));
  nebula::Value large (nebula_value_builder_end (builder));
  nebula_value_builder_unref (builder);

  for (int i = 0; i < 3; i++) {
    auto attempt = run ("hostile.look", "{\"how\": \"echo\"}", large.get ());
    EXPECT_TRUE (nebula_value_equal (nebula_result_get_value (attempt->result.get ()), large.get ()));
  }
}

struct Misdeed {
  const char *how;
  const char *reason;
};

class MisdeedTest : public HostTest, public testing::WithParamInterface<Misdeed>
{
};

/* The attempt had begun, so that nobody knows what it did; the next one finds a new host. */
TEST_P (MisdeedTest, EndsOnlyItsHost)
{
  std::string before = run_for_value ("hostile.look", "{}");
  std::string parameters = std::string ("{\"how\": \"") + GetParam ().how + "\"}";
  auto attempt = run ("hostile.do", parameters.c_str ());

  EXPECT_EQ (attempt->kind (), NEBULA_RESULT_KIND_UNKNOWN);
  EXPECT_EQ (attempt->code (), "unknown-outcome");
  EXPECT_THAT (attempt->value (), HasSubstr (GetParam ().reason));
  EXPECT_NE (run_for_value ("hostile.look", "{}"), before);
}

INSTANTIATE_TEST_SUITE_P (Hosts, MisdeedTest,
                          testing::Values (Misdeed{"segfault", "crashed by signal 11"},
                                           Misdeed{"abort", "crashed by signal 6"},
                                           Misdeed{"exit", "ended with exit code 0"},
                                           Misdeed{"fork", "ended with exit code 7"},
                                           Misdeed{"close", "closed its channel"},
                                           Misdeed{"endless", "broke the protocol"},
                                           Misdeed{"text", "broke the protocol"},
                                           Misdeed{"other", "broke the protocol"},
                                           Misdeed{"port", "broke the protocol"}),
                          [] (const auto &info) {
                            std::string name = info.param.how;
                            return name;
                          });

TEST_F (HostTest, WorkThatHadNotBegunIsRepeated)
{
  run ("hostile.look", "{}");
  auto first = start ("hostile.do", "{\"how\": \"late-segfault\"}");
  auto second = start ("hostile.do", "{}");

  ASSERT_TRUE (run_until ([&] { return first->is_over () && second->is_over (); }));
  EXPECT_EQ (first->kind (), NEBULA_RESULT_KIND_UNKNOWN);
  EXPECT_EQ (second->kind (), NEBULA_RESULT_KIND_SUCCESS) << second->value ();
}

TEST_F (HostTest, CancelReachesARunningAction)
{
  auto attempt = start ("hostile.wait", "{}");

  ASSERT_TRUE (run_until ([&] { return !attempt->words.empty (); }));
  g_cancellable_cancel (nebula_invocation_get_cancellable (attempt->invocation.get ()));
  ASSERT_TRUE (run_until ([&] { return attempt->is_over (); }));
  EXPECT_EQ (attempt->code (), "cancelled");
}

TEST_F (HostTest, WhoDoesNotListenIsKilled)
{
  open ("{\"grace\": 20000}");
  std::string before = run_for_value ("hostile.look", "{}");
  auto attempt = start ("hostile.do", "{\"how\": \"loop\"}");

  run_until ([] { return false; }, 60000);
  EXPECT_FALSE (attempt->is_over ());
  g_cancellable_cancel (nebula_invocation_get_cancellable (attempt->invocation.get ()));
  ASSERT_TRUE (run_until ([&] { return attempt->is_over (); }));
  EXPECT_EQ (attempt->kind (), NEBULA_RESULT_KIND_UNKNOWN);
  EXPECT_THAT (attempt->value (), HasSubstr ("did not stop"));
  EXPECT_NE (run_for_value ("hostile.look", "{}"), before);
  /* That is no crash: the module is not punished for what somebody cancelled. */
  EXPECT_NE (access ((root_ + "/quarantine.json").c_str (), F_OK), 0);
}

TEST_F (HostTest, ThreeCrashesAreOneTooMany)
{
  for (int i = 0; i < 3; i++)
    EXPECT_EQ (run ("hostile.do", "{\"how\": \"segfault\"}")->kind (), NEBULA_RESULT_KIND_UNKNOWN);
  auto refused = run ("hostile.do", "{}");
  EXPECT_EQ (refused->code (), "module-broken");
  EXPECT_THAT (refused->value (), HasSubstr ("quarantine"));

  /* It holds for other processes and later ones, until the file is another. */
  open ("{}");
  EXPECT_EQ (run ("hostile.do", "{}")->code (), "module-broken");
  int fd = ::open ((root_ + "/modules/hostile.so").c_str (), O_WRONLY | O_APPEND);
  ASSERT_EQ (write (fd, "x", 1), 1);
  close (fd);
  open ("{}");
  EXPECT_EQ (run ("hostile.do", "{}")->kind (), NEBULA_RESULT_KIND_SUCCESS);
}

TEST_F (HostTest, HostIsReplacedAfterItsCalls)
{
  open ("{\"calls\": 2}");
  std::string first = run_for_value ("hostile.look", "{}");

  EXPECT_EQ (run_for_value ("hostile.look", "{}"), first);
  EXPECT_NE (run_for_value ("hostile.look", "{}"), first);
  EXPECT_NE (access ((root_ + "/quarantine.json").c_str (), F_OK), 0);
}

static bool
is_alive (const std::string &pid)
{
  return kill ((pid_t) atoi (pid.c_str ()), 0) == 0;
}

TEST_F (HostTest, IdleHostsEnd)
{
  open ("{\"idle\": 50000}");
  std::string pid = run_for_value ("hostile.look", "{}");

  EXPECT_TRUE (run_until ([&] { return !is_alive (pid); }));
}

TEST_F (HostTest, HostsEndWithTheRegistry)
{
  std::string pid = run_for_value ("hostile.look", "{}");
  auto attempt = start ("hostile.do", "{\"how\": \"loop\"}");
  auto late = prepare ("hostile.do", "{}");

  run_until ([] { return false; }, 60000);
  registry_ = Ref<NebulaRegistry> ();
  EXPECT_EQ (attempt->kind (), NEBULA_RESULT_KIND_UNKNOWN);
  EXPECT_THAT (attempt->value (), HasSubstr ("was stopped"));
  EXPECT_FALSE (is_alive (pid));
  nebula_action_invoke (late->action.get (), late->invocation.get ());
  EXPECT_THAT (late->value (), HasSubstr ("are stopped"));
}

TEST_F (HostTest, WorkAndCancelsComeFromAnyThread)
{
  run ("hostile.look", "{}");
  auto attempt = prepare ("hostile.wait", "{}");
  std::thread starter ([&] { nebula_action_invoke (attempt->action.get (), attempt->invocation.get ()); });

  starter.join ();
  ASSERT_TRUE (run_until ([&] { return !attempt->words.empty (); }));
  std::thread canceller ([&] { g_cancellable_cancel (nebula_invocation_get_cancellable (attempt->invocation.get ())); });
  canceller.join ();
  ASSERT_TRUE (run_until ([&] { return attempt->is_over (); }));
  EXPECT_EQ (attempt->code (), "cancelled");
}

TEST_F (HostTest, CancelOfWhatWaitsIsAnsweredAtOnce)
{
  open ("{\"processes\": 1, \"grace\": 20000}");
  auto first = start ("hostile.do", "{\"how\": \"loop\"}");
  auto second = start ("hostile.do", "{}");

  g_cancellable_cancel (nebula_invocation_get_cancellable (second->invocation.get ()));
  ASSERT_TRUE (run_until ([&] { return second->is_over (); }));
  EXPECT_EQ (second->code (), "cancelled");
  g_cancellable_cancel (nebula_invocation_get_cancellable (first->invocation.get ()));
  ASSERT_TRUE (run_until ([&] { return first->is_over (); }));
}

TEST_F (HostTest, FileThatChangedIsNotRun)
{
  int fd = ::open ((root_ + "/modules/hostile.so").c_str (), O_WRONLY | O_APPEND);

  ASSERT_EQ (write (fd, "x", 1), 1);
  close (fd);
  auto attempt = run ("hostile.do", "{}");
  EXPECT_EQ (attempt->code (), "module-broken");
  EXPECT_THAT (attempt->value (), HasSubstr ("changed since it was probed"));
}

TEST_F (HostTest, MissingProgramIsTold)
{
  open ("{\"program\": \"/nonexistent/host\"}");
  auto attempt = run ("hostile.do", "{}");

  EXPECT_EQ (attempt->code (), "unavailable");
  EXPECT_THAT (attempt->value (), HasSubstr ("/nonexistent/host"));
}

TEST_F (HostTest, ProgramThatIsNoHostIsKilled)
{
  std::string program = root_ + "/sleeper";

  ASSERT_TRUE (g_file_set_contents (program.c_str (), "#!/bin/sh\nexec sleep 1000\n", -1, nullptr));
  g_chmod (program.c_str (), 0755);
  open (("{\"start\": 50000, \"program\": \"" + program + "\"}").c_str ());
  auto attempt = run ("hostile.do", "{}");
  EXPECT_EQ (attempt->code (), "module-broken");
  EXPECT_THAT (attempt->value (), HasSubstr ("not ready in time"));
}

TEST_F (HostTest, HostThatGrewIsReplaced)
{
  open ("{\"memory\": 50000000}");
  std::string first = run_for_value ("hostile.look", "{}");

  EXPECT_EQ (run_for_value ("hostile.look", "{\"how\": \"leak\"}"), first);
  EXPECT_TRUE (run_until ([&] { return run_for_value ("hostile.look", "{}") != first; }));
}

TEST_F (HostTest, SandboxRefusesToEscape)
{
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP () << "THE SANDBOX IS NOT TESTED HERE: the address sanitizer reserves more memory than a sandbox allows";
#endif
  open ("{\"isolation\": {\"hostile\": \"sandbox\"}}");
  auto attempt = run ("hostile.look", "{\"how\": \"escape\"}");

  ASSERT_EQ (attempt->kind (), NEBULA_RESULT_KIND_SUCCESS) << attempt->value ();
  NebulaValue *tries = nebula_result_get_value (attempt->result.get ());
  ASSERT_EQ (nebula_value_get_length (tries), 10u);
  for (gsize i = 0; i < nebula_value_get_length (tries); i++) {
    gint64 number = nebula_value_get_integer (nebula_value_get_member_at (tries, i));
    EXPECT_TRUE (number == EPERM || number == EACCES) << nebula_value_get_key (tries, i, nullptr) << ": " << number;
  }
  /* And still does its work, threads and all. */
  auto waiting = start ("hostile.wait", "{}");
  ASSERT_TRUE (run_until ([&] { return !waiting->words.empty (); }));
  g_cancellable_cancel (nebula_invocation_get_cancellable (waiting->invocation.get ()));
  ASSERT_TRUE (run_until ([&] { return waiting->is_over (); }));
  EXPECT_EQ (waiting->code (), "cancelled");
}

/* Functions of expressions, which wait for hosts of their own. */
class FunctionTest : public HostTest
{
protected:
  nebula::Owned<NebulaExpression, nebula_expression_unref> compile (const char *text)
  {
    Error error;
    NebulaFunctionSet *functions = nebula_action_resolver_get_functions (NEBULA_ACTION_RESOLVER (registry_.get ()));
    nebula::Owned<NebulaExpression, nebula_expression_unref> expression (
        nebula_expression_compile_with_functions (text, FALSE, functions, error.out ()));

    EXPECT_TRUE (expression) << error.message ();
    return expression;
  }
  std::string evaluate (const std::string &text, NebulaValue *data = nullptr)
  {
    auto expression = compile (text.c_str ());
    nebula::Value nothing = nebula::json ("{}");
    Error error;
    nebula::Value value (
        nebula_expression_evaluate_data (expression.get (), data != nullptr ? data : nothing.get (), error.out ()));

    return value ? nebula::to_json (value) : std::string (nebula_error_get_code (error.get ())) + " " + error.message ();
  }
};

TEST_F (FunctionTest, RunsInAnotherProcessAndAgain)
{
  std::string first = evaluate ("hostile_call('')");

  EXPECT_GT (atoll (first.c_str ()), 0) << first;
  EXPECT_NE (first, std::to_string (getpid ()));
  EXPECT_EQ (evaluate ("hostile_call('')"), first);
  EXPECT_EQ (evaluate ("[1, 'a', null] | map(x => hostile_call('echo', x))"), "[1,\"a\",null]");
}

TEST_F (FunctionTest, FailsAsTheFunctionSays)
{
  EXPECT_THAT (evaluate ("hostile_call('error')"), testing::StartsWith ("conflict told so"));
  EXPECT_THAT (evaluate ("hostile_call('nothing')"), HasSubstr ("neither a value nor an error"));
}

TEST_F (FunctionTest, LargeValuesGoBothWays)
{
  std::string text (300000, 'x');
  nebula::Value data = nebula::json (("{\"text\": \"" + text + "\"}").c_str ());

  EXPECT_EQ (evaluate ("hostile_call('echo', $text).length()", data.get ()), "300000");
}

class FunctionMisdeedTest : public FunctionTest, public testing::WithParamInterface<Misdeed>
{
};

TEST_P (FunctionMisdeedTest, EndsOnlyItsHost)
{
  std::string before = evaluate ("hostile_call('')");
  std::string failure = evaluate (std::string ("hostile_call('") + GetParam ().how + "')");

  EXPECT_THAT (failure, testing::StartsWith ("unavailable"));
  EXPECT_THAT (failure, HasSubstr (GetParam ().reason));
  EXPECT_NE (evaluate ("hostile_call('')"), before);
}

INSTANTIATE_TEST_SUITE_P (Hosts, FunctionMisdeedTest,
                          testing::Values (Misdeed{"segfault", "crashed by signal 11"},
                                           Misdeed{"abort", "crashed by signal 6"},
                                           Misdeed{"fork", "ended with exit code 7"},
                                           Misdeed{"close", "closed its channel"},
                                           Misdeed{"endless", "broke the protocol"},
                                           Misdeed{"text", "broke the protocol"}),
                          [] (const auto &info) { return std::string (info.param.how); });

TEST_F (FunctionTest, LoopIsKilledAndIsNoCrash)
{
  open ("{\"function-timeout\": 50000}");

  for (int i = 0; i < 4; i++)
    EXPECT_THAT (evaluate ("hostile_call('loop')"), testing::StartsWith ("timed-out"));
  EXPECT_GT (atoll (evaluate ("hostile_call('')").c_str ()), 0);
}

TEST_F (FunctionTest, ThreeCrashesAreOneTooMany)
{
  for (int i = 0; i < 3; i++)
    EXPECT_THAT (evaluate ("hostile_call('abort')"), testing::StartsWith ("unavailable"));
  EXPECT_THAT (evaluate ("hostile_call('')"), testing::StartsWith ("module-broken"));
  EXPECT_EQ (run ("hostile.do", "{}")->code (), "module-broken");
}

TEST_F (FunctionTest, HostIsReplaced)
{
  open ("{\"calls\": 2}");
  std::string first = evaluate ("hostile_call('')");

  EXPECT_EQ (evaluate ("hostile_call('')"), first);
  EXPECT_NE (evaluate ("hostile_call('')"), first);
  open ("{\"memory\": 50000000}");
  first = evaluate ("hostile_call('leak')");
  EXPECT_NE (evaluate ("hostile_call('')"), first);
}

TEST_F (FunctionTest, ThreadsShareFewHosts)
{
  open ("{\"processes\": 2}");
  auto expression = compile ("hostile_call('echo', $x)");
  std::vector<std::thread> threads;
  std::atomic<int> n_right{0};

  for (int i = 0; i < 4; i++)
    threads.emplace_back ([&expression, &n_right, i] {
      nebula::Value data = nebula::json (("{\"x\": " + std::to_string (i) + "}").c_str ());
      for (int j = 0; j < 25; j++) {
        nebula::Value value (nebula_expression_evaluate_data (expression.get (), data.get (), nullptr));
        n_right += value && nebula_value_get_integer (value.get ()) == i;
      }
    });
  for (auto &thread : threads)
    thread.join ();
  EXPECT_EQ (n_right, 100);
}

TEST_F (FunctionTest, LoopDoesNotWait)
{
  auto expression = compile ("hostile_call('')");
  NebulaEnvironment environment = {};
  Error error;

  environment.must_not_wait = TRUE;
  environment.fuel = 10000;
  EXPECT_EQ (nebula_expression_evaluate (expression.get (), &environment, error.out ()), nullptr);
  EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_BUDGET_EXCEEDED));
}

TEST_F (FunctionTest, RunsInTheProcessIfOneTrustsIt)
{
  open ("{\"isolation\": {\"hostile\": \"in-process\"}}");
  EXPECT_EQ (evaluate ("hostile_call('')"), std::to_string (getpid ()));
}

TEST_F (HostTest, OptionsAreChecked)
{
  for (const char *text : {"{\"isolation\": {\"x\": \"nowhere\"}}", "{\"grace\": -1}", "{\"grace\": \"1\"}",
                           "{\"nothing\": 1}", "{\"isolation\": 3}"}) {
    nebula::Value options = nebula::json (text);
    Error error;

    EXPECT_FALSE (nebula_registry_set_hosting (registry_.get (), options.get (), error.out ())) << text;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_ARGUMENT));
  }
}

/* The kernel decides: what only looks is done again, what may have done something is not. */
TEST_F (HostTest, EngineRepeatsWhatOnlyLooks)
{
  std::string marker = root_ + "/marker";
  std::string text = "nebula: 1\nname: x\nnodes:\n  a: { action: hostile.look, with: { how: once, marker: '" + marker +
                     "' } }\n  b: { action: hostile.do, with: { how: segfault }, after: [a] }\n";
  Ref<NebulaEngine> engine (nebula_engine_new (NEBULA_ACTION_RESOLVER (registry_.get ()), nullptr, nullptr));
  Error error;
  GBytes *bytes = g_bytes_new (text.c_str (), text.size ());
  Ref<NebulaWorkflow> workflow (nebula_workflow_read_bytes (bytes, "x.yaml", nullptr, error.out ()));
  nebula::Owned<NebulaPlan, nebula_plan_unref> plan (
      workflow ? nebula_engine_deploy (engine.get (), workflow.get (), nullptr, error.out ()) : nullptr);

  g_bytes_unref (bytes);
  ASSERT_TRUE (plan) << error.message ();
  Ref<NebulaExecution> execution (nebula_engine_start (engine.get (), plan.get (), nullptr, nullptr, error.out ()));
  ASSERT_TRUE (run_until ([&] {
    return nebula_execution_status_is_terminal (nebula_execution_get_status (execution.get ()));
  }));
  nebula::Value report (nebula_execution_get_report (execution.get (), error.out ()));
  NebulaValue *nodes = nebula_value_get_member (report.get (), "nodes");
  EXPECT_STREQ (nebula_value_get_member_string (nebula_value_get_member (nodes, "a"), "status", ""), "completed")
      << nebula::to_json (report);
  EXPECT_STREQ (nebula_value_get_member_string (nebula_value_get_member (nodes, "b"), "status", ""), "failed");
  EXPECT_THAT (nebula::to_json (report), HasSubstr ("unknown-outcome"));
  nebula_engine_stop (engine.get ());
}

} // namespace
