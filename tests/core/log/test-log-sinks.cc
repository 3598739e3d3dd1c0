/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gio/gunixfdmessage.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nebula-test.h"
extern "C" {
#include "nebula-log-private.h"
}

using nebula::Error;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace
{

using Record = nebula::Owned<NebulaLogRecord, nebula_log_record_unref>;
using Sink = nebula::Ref<NebulaLogSink>;
using Bytes = nebula::Owned<GBytes, g_bytes_unref>;

const gint64 START = 1774744200123456;

Record
record (const std::string &message, gint64 after_usec = 0, GLogLevelFlags level = G_LOG_LEVEL_INFO)
{
  GLogField fields[] = { { "GLIB_DOMAIN", "test", -1 },
                         { "MESSAGE", message.c_str (), -1 },
                         { "CODE_LINE", "7", -1 },
                         { "PRIORITY", "1", -1 },
                         { "NEBULA_NODE", "fetch", -1 },
                         { "nebula-bad", "x", -1 } };
  return Record (_nebula_log_record_new (level, START + after_usec, fields, G_N_ELEMENTS (fields), nullptr));
}

bool
write_one (const Sink &sink, const std::string &message, gint64 after_usec = 0)
{
  Record one = record (message, after_usec);
  NebulaLogRecord *records[] = { one.get () };
  Error error;
  bool is_written = nebula_log_sink_write (sink.get (), records, 1, error.out ());
  EXPECT_EQ (is_written, !error) << error.message ();
  return is_written;
}

std::string
read_file (const std::string &path)
{
  char *text = nullptr;
  std::string result = g_file_get_contents (path.c_str (), &text, nullptr, nullptr) ? text : "(none)";
  g_free (text);
  return result;
}

class Folder : public testing::Test
{
protected:
  void SetUp () override
  {
    char *made = g_dir_make_tmp ("nebula-log-XXXXXX", nullptr);
    folder_ = made;
    g_free (made);
  }
  void TearDown () override
  {
    GDir *dir = g_dir_open (folder_.c_str (), 0, nullptr);
    while (const char *name = g_dir_read_name (dir))
      g_unlink (path (name).c_str ());
    g_dir_close (dir);
    g_rmdir (folder_.c_str ());
  }
  std::string path (const std::string &name)
  {
    return folder_ + "/" + name;
  }
  Sink file (guint64 max_bytes, gint64 max_age_usec, guint max_files)
  {
    return Sink (nebula_log_sink_open_file (path ("app.log").c_str (), NEBULA_LOG_FORMAT_COMPACT, max_bytes, max_age_usec,
                                           max_files));
  }
  std::string folder_;
};

using LogFile = Folder;
using LogJournal = Folder;

} // namespace

TEST_F (LogFile, IsPutAsideWhenItIsFull)
{
  Sink sink = file (100, 0, 2);
  for (int i = 0; i < 9; i++)
    write_one (sink, "entry " + std::to_string (i)); /* 59 bytes each: two do not fit */
  EXPECT_THAT (read_file (path ("app.log")), HasSubstr ("entry 8"));
  EXPECT_THAT (read_file (path ("app.log.1")), HasSubstr ("entry 7"));
  EXPECT_THAT (read_file (path ("app.log.2")), HasSubstr ("entry 6"));
  EXPECT_EQ (read_file (path ("app.log.3")), "(none)");
  struct stat status;
  ASSERT_EQ (stat (path ("app.log").c_str (), &status), 0);
  EXPECT_EQ (status.st_mode & 07777, 0600u);
}

TEST_F (LogFile, NeverSplitsALineNorExceedsItsSize)
{
  Sink sink = file (1000, 0, 50);
  std::vector<Record> owners;
  std::vector<NebulaLogRecord *> records;
  for (int i = 0; i < 100; i++) {
    owners.push_back (record ("entry " + std::to_string (i) + std::string ((size_t) i, 'x')));
    records.push_back (owners.back ().get ());
  }
  Error error;
  ASSERT_TRUE (nebula_log_sink_write (sink.get (), records.data (), 100, error.out ())) << error.message ();
  int n_lines = 0;
  for (int i = 0; i <= 50; i++) {
    std::string text = read_file (path (i ? "app.log." + std::to_string (i) : "app.log"));
    if (text == "(none)")
      break;
    EXPECT_LE (text.size (), 1000u);
    EXPECT_EQ (text.back (), '\n');
    for (char letter : text)
      n_lines += letter == '\n';
  }
  EXPECT_EQ (n_lines, 100);
  write_one (sink, std::string (5000, 'y')); /* larger than a file may be: it has one of its own */
  EXPECT_GT (read_file (path ("app.log")).size (), 5000u);
}

TEST_F (LogFile, IsPutAsideWhenItIsOld)
{
  Sink sink = file (0, 60 * G_USEC_PER_SEC, 5);
  write_one (sink, "first");
  write_one (sink, "second", 59 * G_USEC_PER_SEC);
  write_one (sink, "third", 60 * G_USEC_PER_SEC);
  write_one (sink, "fourth", 119 * G_USEC_PER_SEC);
  write_one (sink, "fifth", 121 * G_USEC_PER_SEC);
  EXPECT_THAT (read_file (path ("app.log.2")), testing::AllOf (HasSubstr ("first"), HasSubstr ("second")));
  EXPECT_THAT (read_file (path ("app.log.1")), testing::AllOf (HasSubstr ("third"), HasSubstr ("fourth")));
  EXPECT_THAT (read_file (path ("app.log")), testing::AllOf (HasSubstr ("fifth"), Not (HasSubstr ("fourth"))));
}

TEST_F (LogFile, KeepsNoneIfNoneIsWanted)
{
  Sink sink = file (100, 0, 0);
  write_one (sink, "first");
  write_one (sink, "second");
  EXPECT_THAT (read_file (path ("app.log")), testing::AllOf (HasSubstr ("second"), Not (HasSubstr ("first"))));
  EXPECT_EQ (read_file (path ("app.log.1")), "(none)");
}

TEST_F (LogFile, GoesOnInAnExistingOne)
{
  g_file_set_contents (path ("app.log").c_str (), "torn line", -1, nullptr);
  write_one (file (10000, 0, 1), "next");
  EXPECT_THAT (read_file (path ("app.log")), testing::StartsWith ("torn line\n2026-"));
  write_one (file (20, 0, 1), "other");
  EXPECT_THAT (read_file (path ("app.log.1")), testing::StartsWith ("torn line\n"));
  EXPECT_THAT (read_file (path ("app.log")), HasSubstr ("other"));
}

TEST_F (LogFile, BeginsAgainWhenSomebodyMovedIt)
{
  Sink sink = file (0, 0, 1);
  write_one (sink, "first");
  g_rename (path ("app.log").c_str (), path ("moved").c_str ());
  write_one (sink, "second");
  g_unlink (path ("app.log").c_str ());
  write_one (sink, "third");
  EXPECT_THAT (read_file (path ("moved")), Not (HasSubstr ("second")));
  EXPECT_THAT (read_file (path ("app.log")), testing::AllOf (HasSubstr ("third"), Not (HasSubstr ("second"))));
}

TEST_F (LogFile, RefusesWhatIsNoFileOfItsOwn)
{
  Error error;
  Record one = record ("x");
  NebulaLogRecord *records[] = { one.get () };
  ASSERT_EQ (symlink ("/dev/null", path ("app.log").c_str ()), 0);
  EXPECT_FALSE (nebula_log_sink_write (file (0, 0, 1).get (), records, 1, error.out ()));
  EXPECT_THAT (error.message (), HasSubstr ("app.log"));
  g_unlink (path ("app.log").c_str ());
  ASSERT_EQ (mkfifo (path ("app.log").c_str (), 0600), 0);
  EXPECT_FALSE (nebula_log_sink_write (file (0, 0, 1).get (), records, 1, error.out ()));
}

TEST_F (LogFile, MendsALineThatTheDiskCut)
{
  Sink sink = file (0, 0, 1);
  write_one (sink, "first");
  gsize size = read_file (path ("app.log")).size ();
  struct rlimit before, small;
  ASSERT_EQ (getrlimit (RLIMIT_FSIZE, &before), 0);
  signal (SIGXFSZ, SIG_IGN);
  small = { size + 20, before.rlim_max };
  ASSERT_EQ (setrlimit (RLIMIT_FSIZE, &small), 0);
  Error error;
  Record one = record ("does not fit");
  NebulaLogRecord *records[] = { one.get () };
  EXPECT_FALSE (nebula_log_sink_write (sink.get (), records, 1, error.out ()));
  ASSERT_EQ (setrlimit (RLIMIT_FSIZE, &before), 0);
  write_one (sink, "third");
  std::string text = read_file (path ("app.log"));
  EXPECT_EQ (text.substr (size + 20, 1), "\n");
  EXPECT_THAT (text, HasSubstr ("third"));
}

TEST_F (LogJournal, SpeaksTheNativeProtocol)
{
  nebula::Ref<GSocket> server (
    g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, nullptr));
  nebula::Ref<GSocketAddress> address (g_unix_socket_address_new (path ("socket").c_str ()));
  Error error;
  ASSERT_TRUE (g_socket_bind (server.get (), address.get (), TRUE, error.out ())) << error.message ();
  g_socket_set_blocking (server.get (), FALSE);
  Sink sink (nebula_log_sink_open_journal (path ("socket").c_str (), "nebula"));

  ASSERT_TRUE (write_one (sink, "one line"));
  char buffer[4096];
  gssize length = g_socket_receive (server.get (), buffer, sizeof buffer, nullptr, error.out ());
  ASSERT_GT (length, 0);
  EXPECT_EQ (std::string (buffer, (size_t) length),
             "MESSAGE=one line\nPRIORITY=6\nSYSLOG_IDENTIFIER=nebula\nGLIB_DOMAIN=test\nCODE_LINE=7\nNEBULA_NODE=fetch\n");

  ASSERT_TRUE (write_one (sink, "two\nlines"));
  length = g_socket_receive (server.get (), buffer, sizeof buffer, nullptr, error.out ());
  ASSERT_GT (length, 0);
  EXPECT_EQ (std::string (buffer, (size_t) length).substr (0, 28), std::string ("MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nPR", 28));
}

TEST_F (LogJournal, SendsWhatIsTooLongAsASealedFile)
{
  nebula::Ref<GSocket> server (
    g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, nullptr));
  nebula::Ref<GSocketAddress> address (g_unix_socket_address_new (path ("socket").c_str ()));
  ASSERT_TRUE (g_socket_bind (server.get (), address.get (), TRUE, nullptr));
  g_socket_set_blocking (server.get (), FALSE);
  Sink sink (nebula_log_sink_open_journal (path ("socket").c_str (), "nebula"));

  /* A socket takes 200 KiB or so; a record is smaller, so the sender's limit is lowered. */
  ASSERT_TRUE (write_one (sink, "opens the socket"));
  char ignored[4096];
  ASSERT_GT (g_socket_receive (server.get (), ignored, sizeof ignored, nullptr, nullptr), 0);
  for (int fd = 3; fd < 100; fd++) {
    int type = 0, size = 4096;
    socklen_t length = sizeof type;
    if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM)
      setsockopt (fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  ASSERT_TRUE (write_one (sink, std::string (60000, 'x')));
  char byte;
  GInputVector vector = { &byte, 1 };
  GSocketControlMessage **messages = nullptr;
  int n_messages = 0;
  Error error;
  gssize got = g_socket_receive_message (server.get (), nullptr, &vector, 1, &messages, &n_messages, nullptr, nullptr, error.out ());
  ASSERT_GE (got, 0) << error.message ();
  ASSERT_EQ (n_messages, 1);
  GUnixFDMessage *message = G_UNIX_FD_MESSAGE (messages[0]);
  int n_fds = 0;
  int *fds = g_unix_fd_message_steal_fds (message, &n_fds);
  ASSERT_EQ (n_fds, 1);
  EXPECT_EQ (fcntl (fds[0], F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  std::string text (70000, ' ');
  text.resize ((size_t) pread (fds[0], &text[0], text.size (), 0));
  EXPECT_EQ (text.substr (0, 60009), "MESSAGE=" + std::string (60000, 'x') + "\n");
  close (fds[0]);
  g_free (fds);
  g_object_unref (messages[0]);
  g_free (messages);
}

TEST_F (LogJournal, TellsThatNobodyListensAndTriesAgain)
{
  Sink sink (nebula_log_sink_open_journal (path ("socket").c_str (), "nebula"));
  Error error;
  Record one = record ("x");
  NebulaLogRecord *records[] = { one.get () };
  EXPECT_FALSE (nebula_log_sink_write (sink.get (), records, 1, error.out ()));
  EXPECT_THAT (error.message (), HasSubstr (path ("socket")));
  nebula::Ref<GSocket> server (
    g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, nullptr));
  nebula::Ref<GSocketAddress> address (g_unix_socket_address_new (path ("socket").c_str ()));
  ASSERT_TRUE (g_socket_bind (server.get (), address.get (), TRUE, nullptr));
  EXPECT_TRUE (write_one (sink, "y"));
}

/* A sink of the test: keeps messages, and stands still when it is told to. */

namespace
{

struct Kept
{
  std::mutex lock;
  std::condition_variable moved;
  std::vector<std::string> messages;
  bool is_stopped = false;
  bool is_broken = false;
  int n_inside = 0;
  std::thread::id thread;
};

Kept kept;

typedef NebulaLogSink KeepSink;
typedef NebulaLogSinkClass KeepSinkClass;
G_DEFINE_TYPE (KeepSink, keep_sink, NEBULA_TYPE_LOG_SINK)

gboolean
keep_sink_write (NebulaLogSink *, NebulaLogRecord *const *records, guint n_records, GError **error)
{
  std::unique_lock<std::mutex> guard (kept.lock);
  EXPECT_EQ (kept.n_inside, 0);
  kept.n_inside++;
  kept.moved.notify_all ();
  kept.moved.wait (guard, [] { return !kept.is_stopped; });
  kept.n_inside--;
  kept.thread = std::this_thread::get_id ();
  for (guint i = 0; i < n_records; i++)
    kept.messages.push_back (nebula_log_record_get_message (records[i]));
  nebula_log (nullptr, "keep", G_LOG_LEVEL_WARNING, "a sink that logs");
  if (kept.is_broken)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "broken");
  return !kept.is_broken;
}

void
keep_sink_class_init (KeepSinkClass *klass)
{
  klass->write = keep_sink_write;
}

void
keep_sink_init (KeepSink *)
{
}

class LogOutput : public testing::Test
{
protected:
  void SetUp () override
  {
    nebula_log_install ();
    nebula_log_set_levels ("debug", nullptr);
    GPtrArray *sinks = g_ptr_array_new_with_free_func (g_object_unref);
    g_ptr_array_add (sinks, g_object_new (keep_sink_get_type (), nullptr));
    nebula_log_set_sinks (sinks);
    g_ptr_array_unref (sinks);
  }
  void TearDown () override
  {
    stop (false);
    nebula_log_set_buffer (0, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
    nebula_log_set_sinks (nullptr);
    kept.messages.clear ();
    kept.is_broken = false;
  }
  void stop (bool is_stopped)
  {
    std::lock_guard<std::mutex> guard (kept.lock);
    kept.is_stopped = is_stopped;
    kept.moved.notify_all ();
  }
  /* Until the writer stands in the sink. */
  void wait_inside ()
  {
    std::unique_lock<std::mutex> guard (kept.lock);
    kept.moved.wait (guard, [] { return kept.n_inside > 0; });
  }
  std::vector<std::string> messages ()
  {
    EXPECT_TRUE (nebula_log_flush (10 * G_USEC_PER_SEC));
    std::lock_guard<std::mutex> guard (kept.lock);
    return kept.messages;
  }
};

void
say (const std::string &text, GLogLevelFlags level = G_LOG_LEVEL_INFO)
{
  nebula_log (nullptr, "test", level, "%s", text.c_str ());
}

} // namespace

TEST_F (LogOutput, IsWrittenByTheCallerWithoutBuffer)
{
  say ("one");
  g_log_structured ("test", G_LOG_LEVEL_INFO, "MESSAGE", "%s", "two");
  EXPECT_THAT (messages (), ElementsAre ("one", "two"));
  EXPECT_EQ (kept.thread, std::this_thread::get_id ());
}

TEST_F (LogOutput, IsWrittenByOneThreadInOrder)
{
  nebula_log_set_buffer (1 << 20, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; i++) {
    say (std::to_string (i));
    expected.push_back (std::to_string (i));
  }
  EXPECT_EQ (messages (), expected);
  EXPECT_NE (kept.thread, std::this_thread::get_id ());
  std::vector<std::thread> threads;
  guint64 written = nebula_log_get_count (NEBULA_LOG_COUNT_WRITTEN);
  for (int n = 0; n < 4; n++)
    threads.emplace_back ([] {
      for (int i = 0; i < 200; i++)
        say ("x");
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (messages ().size (), 1800u);
  EXPECT_EQ (nebula_log_get_count (NEBULA_LOG_COUNT_WRITTEN), written + 800);
}

TEST_F (LogOutput, DropsTheNewestAndSaysHowMany)
{
  guint64 before = nebula_log_get_count (NEBULA_LOG_COUNT_DROPPED);
  nebula_log_set_buffer (16384, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  stop (true);
  say ("in the sink");
  wait_inside ();
  std::string thousand (1000, 'x');
  for (int i = 0; i < 100; i++)
    say (std::to_string (i) + thousand);
  say ("grave", G_LOG_LEVEL_WARNING);
  EXPECT_FALSE (nebula_log_flush (1000));
  guint64 dropped = nebula_log_get_count (NEBULA_LOG_COUNT_DROPPED) - before;
  EXPECT_GT (dropped, 80u);
  EXPECT_LT (dropped, 95u);
  stop (false);
  std::vector<std::string> all = messages ();
  ASSERT_EQ (all.size (), 1 + (100 - dropped) + 1 + 1);
  EXPECT_EQ (all[1], "0" + thousand);
  EXPECT_EQ (all[all.size () - 2], "grave"); /* the last eighth is for such */
  EXPECT_EQ (all.back (), "the buffer was full; entries dropped: " + std::to_string (dropped));
  say ("after");
  EXPECT_EQ (messages ().back (), "after");
}

TEST_F (LogOutput, DropsTheOldest)
{
  nebula_log_set_buffer (16384, NEBULA_LOG_OVERFLOW_DROP_OLDEST);
  stop (true);
  say ("in the sink");
  wait_inside ();
  std::string thousand (1000, 'x');
  for (int i = 0; i < 100; i++)
    say (std::to_string (i) + thousand);
  say (std::string (60000, 'y')); /* never fits, and takes all others with it */
  say ("last");
  stop (false);
  EXPECT_THAT (messages (), ElementsAre ("in the sink", "last", "the buffer was full; entries dropped: 101"));
}

TEST_F (LogOutput, WritesWhatWaitsWhenTheBufferEnds)
{
  nebula_log_set_buffer (1 << 20, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  for (int i = 0; i < 500; i++)
    say ("x");
  nebula_log_set_buffer (0, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  EXPECT_EQ (kept.messages.size (), 500u);
}

TEST_F (LogOutput, CountsWhatASinkCannotWrite)
{
  guint64 before = nebula_log_get_count (NEBULA_LOG_COUNT_FAILED);
  kept.is_broken = true;
  say ("one");
  say ("two");
  EXPECT_EQ (nebula_log_get_count (NEBULA_LOG_COUNT_FAILED), before + 2);
}

TEST_F (LogOutput, TakesLivingSecretsOut)
{
  Bytes secret (g_bytes_new_static ("hunter2hunter2", 14));
  NebulaRedactor *redactor = nebula_redactor_get_default ();
  nebula_redactor_add (redactor, secret.get ());
  say ("password is hunter2hunter2");
  nebula_log_set_buffer (1 << 20, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  stop (true);
  say ("still hunter2hunter2");
  say (std::string (NEBULA_LOG_MESSAGE_BYTES - 6, 'x') + "hunter2hunter2"); /* the cut goes through it */
  nebula_redactor_remove (redactor, secret.get ()); /* they wait to be written */
  stop (false);
  say ("not secret any more: hunter2hunter2");
  std::vector<std::string> all = messages ();
  ASSERT_EQ (all.size (), 4u);
  EXPECT_EQ (all[0], "password is " NEBULA_REDACTED);
  EXPECT_EQ (all[1], "still " NEBULA_REDACTED);
  EXPECT_THAT (all[2], Not (HasSubstr ("hunt")));
  EXPECT_EQ (all[3], "not secret any more: hunter2hunter2");
}

TEST_F (LogOutput, RemembersAtThePlaceOfTheCall)
{
  int n_evaluated = 0;
  auto call = [&n_evaluated] { nebula_log_debug (nullptr, "n %d", ++n_evaluated); };
  call ();
  nebula_log_set_levels ("info", nullptr);
  call ();
  call ();
  EXPECT_EQ (n_evaluated, 1);
  nebula_log_set_level (G_LOG_DOMAIN, G_LOG_LEVEL_DEBUG);
  call ();
  EXPECT_EQ (n_evaluated, 2);
  nebula_log_info (nullptr, "%s", "i");
  nebula_log_message (nullptr, "%s", "m");
  nebula_log_warning (nullptr, "%s", std::string (600, 'w').c_str ());
  EXPECT_THAT (messages (), ElementsAre ("n 1", "n 2", "i", "m", std::string (600, 'w')));
}

TEST (LogSinkTypes, AreFoundByName)
{
  EXPECT_EQ (nebula_log_sink_find_type ("keep"), G_TYPE_INVALID);
  nebula_log_sink_add_type ("keep", keep_sink_get_type ());
  EXPECT_EQ (nebula_log_sink_find_type ("keep"), keep_sink_get_type ());
}

TEST (LogStream, WritesLines)
{
  int ends[2];
  ASSERT_EQ (pipe (ends), 0);
  Sink sink (nebula_log_sink_open_stream (ends[1], NEBULA_LOG_FORMAT_LOGFMT));
  write_one (sink, "hello there");
  char buffer[256] = "";
  ASSERT_GT (read (ends[0], buffer, sizeof buffer - 1), 0);
  EXPECT_STREQ (buffer, "time=2026-03-29T00:30:00.123Z level=info domain=\"test\" message=\"hello there\" node=fetch\n");
  close (ends[0]);
  close (ends[1]);
  Error error;
  Record one = record ("x");
  NebulaLogRecord *records[] = { one.get () };
  Sink broken (nebula_log_sink_open_stream (-1, NEBULA_LOG_FORMAT_COMPACT));
  EXPECT_FALSE (nebula_log_sink_write (broken.get (), records, 1, error.out ()));
  EXPECT_TRUE (error);
}
