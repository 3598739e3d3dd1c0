/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host program as its engine sees it, frame by frame. */
#include "nebula-channel-internal.h"
#include "nebula-test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

using namespace nebula;

namespace
{

using Channel = Owned<NebulaChannel, nebula_channel_free>;
using testing::HasSubstr;

std::string
get_module ()
{
  return std::string (g_getenv ("NEBULA_TEST_HOSTILE")) + "/hostile.so";
}

class ProtocolTest : public testing::Test
{
protected:
  void TearDown () override
  {
    if (process_) {
      channel_ = Channel ();
      g_subprocess_force_exit (process_.get ());
      g_subprocess_wait (process_.get (), nullptr, nullptr);
    }
  }
  void run (std::vector<std::string> arguments, int channel_fd = -1, int module_fd = -1)
  {
    Ref<GSubprocessLauncher> launcher (g_subprocess_launcher_new (
        (GSubprocessFlags) (G_SUBPROCESS_FLAGS_STDERR_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE)));
    std::vector<const char *> argv = {g_getenv ("NEBULA_HOST")};
    Error error;

    for (const auto &argument : arguments)
      argv.push_back (argument.c_str ());
    argv.push_back (nullptr);
    if (channel_fd >= 0)
      g_subprocess_launcher_take_fd (launcher.get (), channel_fd, 4);
    if (module_fd >= 0)
      g_subprocess_launcher_take_fd (launcher.get (), module_fd, 3);
    process_ = Ref<GSubprocess> (g_subprocess_launcher_spawnv (launcher.get (), argv.data (), error.out ()));
    ASSERT_TRUE (process_) << error.message ();
  }
  void serve (const std::string &path)
  {
    int ends[2];

    ASSERT_EQ (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    channel_ = Channel (nebula_channel_new (ends[0], NEBULA_FRAME_FROM_HOST));
    run ({"--serve", path, "--fd", "3", "--channel", "4"}, ends[1], ::open (path.c_str (), O_RDONLY | O_CLOEXEC));
  }
  int wait_for_exit ()
  {
    g_subprocess_wait (process_.get (), nullptr, nullptr);
    return g_subprocess_get_if_exited (process_.get ()) ? g_subprocess_get_exit_status (process_.get ()) : -1;
  }
  std::string get_errors ()
  {
    char *raw = nullptr;

    g_subprocess_communicate_utf8 (process_.get (), nullptr, nullptr, nullptr, &raw, nullptr);
    std::string result = raw != nullptr ? raw : "";
    g_free (raw);
    return result;
  }
  void send (NebulaFrameKind kind, guint64 attempt, const char *payload = "null")
  {
    Value value = json (payload);
    NebulaFrame frame = {};
    Error error;

    frame.kind = kind;
    frame.attempt = attempt;
    frame.epoch = 7;
    frame.payload = value.get ();
    ASSERT_TRUE (nebula_channel_push (channel_.get (), &frame, error.out ())) << error.message ();
    nebula_channel_flush (channel_.get ());
  }
  /* The next frame as `kind attempt payload`; `gone` when there is none. */
  std::string receive ()
  {
    for (;;) {
      NebulaFrame frame = {};
      GBytes *large = nullptr;
      Error error;

      if (nebula_channel_take (channel_.get (), &frame, &large, error.out ())) {
        std::string text = std::string (nebula_frame_kind_to_string (frame.kind)) + " " +
                           std::to_string (frame.attempt) + " " + to_json (frame.payload);
        nebula_frame_clear (&frame);
        return text;
      }
      if (error)
        return error.message ();
      pollfd poll_fd = {nebula_channel_get_fd (channel_.get ()), POLLIN, 0};
      poll (&poll_fd, 1, 5000);
      if (nebula_channel_fill (channel_.get ()) == NEBULA_CHANNEL_GONE)
        return "gone";
    }
  }

  Channel channel_;
  Ref<GSubprocess> process_;
};

#define ABOUT "[null, null, null, null, null, null, 1, 0]"

TEST_F (ProtocolTest, SaysThatItIsReadyAnswersAndEndsWhenDrained)
{
  serve (get_module ());
  EXPECT_EQ (receive (), "ready 0 16");
  send (NEBULA_FRAME_PING, 0);
  EXPECT_EQ (receive (), "ping 0 null");
  send (NEBULA_FRAME_WORK, 1, "[\"hostile.look\", \"1.0.0\", {\"how\": \"echo\"}, [1], true, " ABOUT "]");
  EXPECT_EQ (receive (), "begun 1 null");
  EXPECT_EQ (receive (), "result 1 [0,\"out\",[1],0]");
  send (NEBULA_FRAME_DRAIN, 0);
  EXPECT_EQ (receive (), "gone");
  EXPECT_EQ (wait_for_exit (), 0);
}

TEST_F (ProtocolTest, WorkThatItDoesNotHaveFails)
{
  serve (get_module ());
  EXPECT_EQ (receive (), "ready 0 16");
  send (NEBULA_FRAME_WORK, 1, "[\"hostile.nothing\", \"1.0.0\", {}, null, false, " ABOUT "]");
  EXPECT_THAT (receive (), HasSubstr ("unknown-action"));
  send (NEBULA_FRAME_WORK, 2, "[\"nothing\", null, {}, [], false, " ABOUT "]");
  EXPECT_THAT (receive (), HasSubstr ("has no function"));
  send (NEBULA_FRAME_WORK, 3, "[\"hostile.look\", \"1.0.0\", {\"how\": 3}, null, false, " ABOUT "]");
  EXPECT_THAT (receive (), HasSubstr ("result 3"));
}

TEST_F (ProtocolTest, WorkThatIsNoneEndsIt)
{
  for (const char *work : {"[]", "[1, \"1.0.0\", {}, null, false, " ABOUT "]", "[\"a\", \"1\", [], null, false, " ABOUT "]",
                           "[\"a\", \"1\", {}, null, false, []]"}) {
    serve (get_module ());
    EXPECT_EQ (receive (), "ready 0 16");
    send (NEBULA_FRAME_WORK, 1, work);
    EXPECT_EQ (receive (), "gone") << work;
    EXPECT_EQ (wait_for_exit (), 0);
  }
}

TEST_F (ProtocolTest, NobodyAtTheOtherEndEndsIt)
{
  serve (get_module ());
  EXPECT_EQ (receive (), "ready 0 16");
  send (NEBULA_FRAME_WORK, 1, "[\"hostile.do\", \"1.0.0\", {\"how\": \"loop\"}, null, true, " ABOUT "]");
  EXPECT_EQ (receive (), "begun 1 null");
  channel_ = Channel ();
  EXPECT_EQ (wait_for_exit (), 0);
}

TEST_F (ProtocolTest, ModuleThatDoesNotLoadIsTold)
{
  serve (std::string (g_getenv ("NEBULA_TEST_FIXTURES")) + "/undefined.so");
  std::string answer = receive ();
  EXPECT_THAT (answer, testing::StartsWith ("result 0"));
  EXPECT_THAT (answer, HasSubstr ("module-"));
  EXPECT_EQ (receive (), "gone");
  EXPECT_EQ (wait_for_exit (), 1);
}

TEST_F (ProtocolTest, ArgumentsAreChecked)
{
  for (const auto &arguments : std::vector<std::vector<std::string>>{
           {}, {"--serve"}, {"--serve", "x"}, {"--serve", "x", "--fd", "y", "--channel", "4"}, {"--what", "x"},
           {"--probe", "x", "--sandbox", "much"}}) {
    run (arguments);
    EXPECT_THAT (get_errors (), HasSubstr ("--probe PATH"));
    EXPECT_EQ (wait_for_exit (), 2);
  }
}

TEST_F (ProtocolTest, FileThatIsNotThereIsTold)
{
  run ({"--probe", "/nonexistent/x.so"});
  EXPECT_THAT (get_errors (), HasSubstr ("/nonexistent"));
  EXPECT_EQ (wait_for_exit (), 1);
}

} // namespace
