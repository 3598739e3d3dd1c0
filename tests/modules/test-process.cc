/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-test.h"

#include <signal.h>

using nebula::json;
using nebula::to_json;
using nebula::Value;
using testing::HasSubstr;

class ProcessTest : public nebula::ModuleTest
{
protected:
  static std::string
  code_of (NebulaResult *result)
  {
    return nebula_value_get_member_string (nebula_result_get_value (result), "code", "");
  }
  NebulaValue *details () { return nebula_value_get_member (nebula_result_get_value (last_->result ()), "details"); }
  /* Starts a program and waits until it has written its file `ready`. */
  void
  start (const char *parameters)
  {
    last_ = std::make_unique<nebula::Attempt> ("process.run", json (parameters), folder_);
    ASSERT_TRUE (last_->is_accepted ()) << last_->refusal ().message ();
    last_->start ();
    ASSERT_TRUE (run_until ([this] { return g_file_test (path ("ready").c_str (), G_FILE_TEST_EXISTS) || last_->is_done (); }));
    ASSERT_FALSE (last_->is_done ()) << to_json (nebula_result_get_value (last_->result ()));
  }
};

TEST_F (ProcessTest, GivesExitCodeAndOutputs)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["sh", "-c", "echo out; echo err >&2"]})"),
             R"({"exit-code":0,"stdout":"out\n","stderr":"err\n"})");
  EXPECT_EQ (last_->effect (), NEBULA_EFFECT_EFFECTFUL);
}

TEST_F (ProcessTest, ArgumentsReachNoShell)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["printf", "%s", "$HOME; `id` && *"]})"),
             R"({"exit-code":0,"stdout":"$HOME; `id` && *","stderr":""})");
}

TEST_F (ProcessTest, ReadsTextBytesAndValuesFromStandardInput)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["cat"], "stdin": "h\u00e9"})"), "{\"exit-code\":0,\"stdout\":\"h\u00e9\",\"stderr\":\"\"}");
  EXPECT_EQ (value ("process.run", R"({"command": ["cat"], "stdin": {"a": 1}})"), R"({"exit-code":0,"stdout":"{\"a\":1}","stderr":""})");
  EXPECT_EQ (value ("process.run", R"({"command": ["cat"]})"), R"({"exit-code":0,"stdout":"","stderr":""})");
  EXPECT_EQ (value ("process.run", R"({"command": ["cat"], "stdin": null})"), R"({"exit-code":0,"stdout":"","stderr":""})");
}

TEST_F (ProcessTest, AProgramMayLeaveItsInputUnread)
{
  Value parameters = json (R"({"command": ["true"]})");
  Value text (nebula_value_new_string (std::string (500000, 'x').c_str ()));
  parameters.reset (nebula_value_with_member (parameters.get (), "stdin", text.get ()));

  EXPECT_EQ (value ("process.run", parameters), R"({"exit-code":0,"stdout":"","stderr":""})");
}

TEST_F (ProcessTest, OutputThatIsNoTextComesAsBytes)
{
  NebulaResult *result = run ("process.run", R"({"command": ["printf", "\\377\\000x"]})");

  ASSERT_NE (result, nullptr);
  NebulaValue *out = nebula_value_get_member (nebula_result_get_value (result), "stdout");
  ASSERT_EQ (nebula_value_get_kind (out), NEBULA_VALUE_KIND_BYTES);
  GBytes *bytes = nebula_value_ref_bytes (out);
  EXPECT_EQ (g_bytes_get_size (bytes), 3u);
  g_bytes_unref (bytes);
}

TEST_F (ProcessTest, TheEnvironmentIsClean)
{
  g_setenv ("NEBULA_TEST_SECRET", "leak", TRUE);
  NebulaResult *result = run ("process.run", R"({"command": ["env"], "env": {"COUNT": 3, "NAME": "a=b", "HOME": null}})");
  g_unsetenv ("NEBULA_TEST_SECRET");

  ASSERT_NE (result, nullptr);
  std::string out = nebula_value_get_member_string (nebula_result_get_value (result), "stdout", "");
  EXPECT_THAT (out, HasSubstr ("COUNT=3\n"));
  EXPECT_THAT (out, HasSubstr ("NAME=a=b\n"));
  EXPECT_THAT (out, HasSubstr ("PATH="));
  EXPECT_THAT (out, HasSubstr ("TZ=UTC\n"));
  EXPECT_THAT (out, testing::Not (HasSubstr ("NEBULA")));
  EXPECT_THAT (out, testing::Not (HasSubstr ("HOME=")));
}

TEST_F (ProcessTest, BadVariablesAreRefused)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["env"], "env": {"A=B": "x"}})"), "!invalid-parameter");
  EXPECT_EQ (value ("process.run", R"({"command": ["env"], "env": {"": "x"}})"), "!invalid-parameter");
  EXPECT_EQ (value ("process.run", R"({"command": ["env"], "env": {"A": ["x"]}})"), "!invalid-parameter");
  EXPECT_EQ (value ("process.run", R"({"command": ["env"], "env": {"A": "x\u0000y"}})"), "!invalid-parameter");
  EXPECT_EQ (refusal ("process.run", R"({"command": ["a\u0000b"]})"), "invalid-parameter");
  EXPECT_EQ (refusal ("process.run", R"({"command": []})"), "invalid-parameter");
  EXPECT_EQ (refusal ("process.run", R"({"command": "ls -l"})"), "invalid-parameter");
}

TEST_F (ProcessTest, RunsInTheFolderAskedFor)
{
  ASSERT_EQ (g_mkdir (path ("sub").c_str (), 0700), 0);
  char *real = realpath (folder_.c_str (), nullptr);
  std::string base = real;
  free (real);

  EXPECT_EQ (value ("process.run", R"({"command": ["pwd", "-P"]})"), R"({"exit-code":0,"stdout":")" + base + R"(\n","stderr":""})");
  EXPECT_EQ (value ("process.run", R"({"command": ["pwd", "-P"], "directory": "sub"})"),
             R"({"exit-code":0,"stdout":")" + base + R"(/sub\n","stderr":""})");
  EXPECT_EQ (value ("process.run", R"({"command": ["pwd"], "directory": "missing"})"), "!not-found");
}

TEST_F (ProcessTest, AProgramThatIsNotThereIsNotFound)
{
  put ("plain", "text");

  EXPECT_EQ (value ("process.run", R"({"command": ["nebula-no-such-program"]})"), "!not-found");
  EXPECT_THAT (message (), HasSubstr ("nebula-no-such-program"));
  EXPECT_EQ (value ("process.run", json (("{\"command\": [\"" + path ("plain") + "\"]}").c_str ())), "!permission-denied");
}

TEST_F (ProcessTest, OtherExitCodesFailWithDetails)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["sh", "-c", "echo why >&2; exit 3"]})"), "!process-failed");
  EXPECT_EQ (retry (), "retry");
  EXPECT_EQ (to_json (details ()), R"({"exit-code":3,"stdout":"","stderr":"why\n"})");
  EXPECT_EQ (value ("process.run", R"({"command": ["sh", "-c", "exit 3"], "accept-exit-codes": [2, 3]})"),
             R"({"exit-code":3,"stdout":"","stderr":""})");
  EXPECT_EQ (value ("process.run", R"({"command": ["sh", "-c", "exit 4"], "accept-exit-codes": [2, 3]})"), "!process-failed");
}

TEST_F (ProcessTest, ASignalCountsAsShellsDo)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["sh", "-c", "kill -KILL $$"]})"), "!process-failed");
  EXPECT_EQ (nebula_value_get_member_integer (details (), "exit-code", 0), 128 + SIGKILL);
  EXPECT_THAT (message (), HasSubstr ("signal 9"));
}

TEST_F (ProcessTest, TooMuchOutputStopsTheProgramOrIsCut)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["yes"]})"), "!too-large");
  EXPECT_EQ (value ("process.run", R"({"command": ["sh", "-c", "yes >&2"], "max-output": "64KiB"})"), "!too-large");
  EXPECT_EQ (value ("process.run", R"({"command": ["sh", "-c", "seq 100000; echo end >&2"], "max-output": 3, "truncate": true})"),
             R"({"exit-code":0,"stdout":"1\n2","stderr":"end"})");
}

TEST_F (ProcessTest, CuttingHalvesNoCharacter)
{
  EXPECT_EQ (value ("process.run", R"({"command": ["printf", "aaé"], "max-output": 3, "truncate": true})"),
             R"({"exit-code":0,"stdout":"aa","stderr":""})");
}

TEST_F (ProcessTest, ACancelEndsTheWholeGroup)
{
  start (R"({"command": ["sh", "-c", "sleep 1000 & echo $! > child; echo > ready; wait"]})");
  int child = std::stoi (get ("child"));
  last_->cancel ();

  ASSERT_TRUE (run_until ([this] { return last_->is_done (); }));
  EXPECT_EQ (code_of (last_->result ()), "cancelled");
  EXPECT_EQ (retry (), "cancelled");
  /* Orphans are reaped by another process, so that the child may stay a zombie for a moment. */
  auto is_gone = [child] {
    char *text = nullptr;
    std::string file = "/proc/" + std::to_string (child) + "/stat";
    bool gone = !g_file_get_contents (file.c_str (), &text, nullptr, nullptr) || strstr (text, ") Z") != nullptr;
    g_free (text);
    return gone;
  };
  EXPECT_TRUE (run_until (is_gone));
}

TEST_F (ProcessTest, WhoIgnoresTheFirstSignalIsKilled)
{
  start (R"({"command": ["sh", "-c", "trap '' TERM; echo > ready; while :; do sleep 0.05; done"], "kill-after": "50ms"})");
  last_->cancel ();

  ASSERT_TRUE (run_until ([this] { return last_->is_done (); }));
  EXPECT_EQ (code_of (last_->result ()), "cancelled");
}

TEST_F (ProcessTest, NothingStartsAfterACancel)
{
  last_ = std::make_unique<nebula::Attempt> ("process.run", json (R"({"command": ["touch", "made"]})"), folder_);
  last_->cancel ();
  last_->start ();

  ASSERT_TRUE (run_until ([this] { return last_->is_done (); }));
  EXPECT_EQ (code_of (last_->result ()), "cancelled");
  EXPECT_EQ (get ("made"), "(no file)");
}

TEST_F (ProcessTest, AChildThatKeepsTheOutputsDoesNotHoldTheAnswer)
{
  NebulaResult *result = run ("process.run", R"({"command": ["sh", "-c", "echo $$; sleep 1000 & echo $!"]})");

  ASSERT_NE (result, nullptr);
  ASSERT_EQ (nebula_result_get_kind (result), NEBULA_RESULT_KIND_SUCCESS);
  std::string out = nebula_value_get_member_string (nebula_result_get_value (result), "stdout", "");
  int leader = 0;
  int child = 0;
  ASSERT_EQ (sscanf (out.c_str (), "%d\n%d\n", &leader, &child), 2) << out;
  EXPECT_EQ (kill (child, SIGKILL), 0) << "a child of the program was killed though nothing was cancelled";
}

TEST_F (ProcessTest, TheKillTimeHasItsDefault)
{
  run ("process.run", R"({"command": ["true"]})");
  gint64 kill_after = 0;
  gint64 max_output = 0;
  char **command = nullptr;
  g_object_get (last_->action (), "kill-after", &kill_after, "max-output", &max_output, "command", &command, nullptr);
  EXPECT_EQ (kill_after, 5 * G_USEC_PER_SEC);
  EXPECT_EQ (max_output, 1048576);
  EXPECT_STREQ (command[0], "true");
  g_strfreev (command);
}
