/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames over a socket pair: good ones arrive as they were sent, bad ones are refused. */
#include "nebula-channel-internal.h"
#include "nebula-msgpack.h"
#include "nebula-test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

using namespace nebula;

namespace
{

using Channel = Owned<NebulaChannel, nebula_channel_free>;

struct Received {
  NebulaFrame frame = {};
  GBytes *large = nullptr;
  Error error;

  Received () = default;
  ~Received ()
  {
    nebula_frame_clear (&frame);
    g_clear_pointer (&large, g_bytes_unref);
  }
};

class ChannelTest : public testing::Test
{
protected:
  void SetUp () override
  {
    int ends[2];
    ASSERT_EQ (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    raw_ = ends[0];
    host_ = Channel (nebula_channel_new (ends[1], NEBULA_FRAME_FROM_ENGINE));
    ASSERT_EQ (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    engine_ = Channel (nebula_channel_new (ends[0], NEBULA_FRAME_FROM_HOST));
    far_ = Channel (nebula_channel_new (ends[1], NEBULA_FRAME_FROM_ENGINE));
    ASSERT_EQ (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    stranger_ = ends[0];
    listener_ = Channel (nebula_channel_new (ends[1], NEBULA_FRAME_FROM_HOST));
  }
  void TearDown () override
  {
    close (raw_);
    close (stranger_);
  }
  static void push (NebulaChannel *channel, NebulaFrameKind kind, guint64 attempt, const Value &payload)
  {
    NebulaFrame frame = {};
    Error error;

    frame.kind = kind;
    frame.attempt = attempt;
    frame.epoch = 7;
    frame.payload = payload.get ();
    ASSERT_TRUE (nebula_channel_push (channel, &frame, error.out ())) << error.message ();
  }
  /* Carries all that is written until a frame is complete at the other end. */
  static bool carry (NebulaChannel *from, NebulaChannel *to, Received &received)
  {
    for (int i = 0; i < 100000; i++) {
      if (nebula_channel_take (to, &received.frame, &received.large, received.error.out ()) || received.error)
        return !received.error;
      nebula_channel_flush (from);
      nebula_channel_fill (to);
    }
    return false;
  }
  /* What a stranger writes, as the engine reads it. */
  std::string listen (const std::vector<guint8> &bytes)
  {
    Received received;

    EXPECT_EQ (write (stranger_, bytes.data (), bytes.size ()), (gssize) bytes.size ());
    nebula_channel_fill (listener_.get ());
    if (nebula_channel_take (listener_.get (), &received.frame, &received.large, received.error.out ()))
      return nebula_frame_kind_to_string (received.frame.kind);
    return received.error ? received.error.message () : "(nothing)";
  }
  std::string listen_to (const char *array)
  {
    Value value = json (array);
    GByteArray *buffer = g_byte_array_new ();
    nebula_value_append_msgpack (value.get (), buffer);
    std::vector<guint8> bytes = {(guint8) buffer->len, (guint8) (buffer->len >> 8), 0, 0};
    bytes.insert (bytes.end (), buffer->data, buffer->data + buffer->len);
    g_byte_array_unref (buffer);
    return listen (bytes);
  }

  int raw_, stranger_;
  Channel host_, engine_, far_, listener_;
};

Value
make_large (gsize n_items)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < n_items; i++)
    nebula_value_builder_add_take (builder, nebula_value_new_integer (1000000 + (gint64) i));
  Value value (nebula_value_builder_end (builder));
  nebula_value_builder_unref (builder);
  return value;
}

TEST_F (ChannelTest, FramesArriveInOrder)
{
  for (int i = 0; i < 1000; i++)
    push (engine_.get (), NEBULA_FRAME_WORK, i, json ("[\"x\"]"));
  push (engine_.get (), NEBULA_FRAME_CANCEL, 5, json ("null"));
  for (int i = 0; i < 1000; i++) {
    Received received;
    ASSERT_TRUE (carry (engine_.get (), far_.get (), received)) << received.error.message ();
    EXPECT_EQ (received.frame.attempt, (guint64) i);
    EXPECT_EQ (received.frame.epoch, 7u);
    EXPECT_EQ (to_json (received.frame.payload), "[\"x\"]");
  }
  Received last;
  ASSERT_TRUE (carry (engine_.get (), far_.get (), last));
  EXPECT_EQ (last.frame.kind, NEBULA_FRAME_CANCEL);
}

/* Small frames before, between and after large ones: each memory file finds its own frame. */
TEST_F (ChannelTest, LargePayloadsComeByMemoryFile)
{
  std::vector<Value> values;

  for (gsize i = 0; i < 4; i++) {
    values.push_back (make_large (20000 + i));
    push (engine_.get (), NEBULA_FRAME_CANCEL, i, json ("null"));
    push (engine_.get (), NEBULA_FRAME_WORK, i, values.back ());
  }
  for (gsize i = 0; i < 4; i++) {
    Received small, large;
    Error error;
    ASSERT_TRUE (carry (engine_.get (), far_.get (), small)) << small.error.message ();
    EXPECT_EQ (small.large, nullptr);
    ASSERT_TRUE (carry (engine_.get (), far_.get (), large)) << large.error.message ();
    ASSERT_NE (large.large, nullptr);
    Value value (nebula_channel_read_large (large.frame.kind, large.large, error.out ()));
    ASSERT_TRUE (value) << error.message ();
    EXPECT_TRUE (nebula_value_equal (value.get (), values[i].get ()));
  }
}

TEST_F (ChannelTest, FullSocketIsBusyUntilItIsRead)
{
  NebulaChannelState state = NEBULA_CHANNEL_IDLE;
  std::string text (40000, 'x');
  Value payload = json (("[\"" + text + "\"]").c_str ());

  for (int i = 0; i < 1000 && state == NEBULA_CHANNEL_IDLE; i++) {
    push (engine_.get (), NEBULA_FRAME_WORK, 1, payload);
    state = nebula_channel_flush (engine_.get ());
  }
  EXPECT_EQ (state, NEBULA_CHANNEL_BUSY);
  EXPECT_GT (nebula_channel_get_n_queued (engine_.get ()), 0u);
  far_.reset (nullptr);
  EXPECT_EQ (nebula_channel_flush (engine_.get ()), NEBULA_CHANNEL_GONE);
  EXPECT_EQ (nebula_channel_fill (engine_.get ()), NEBULA_CHANNEL_GONE);
}

struct Bad {
  const char *array;
  const char *answer;
};

class BadFrameTest : public ChannelTest, public testing::WithParamInterface<Bad>
{
};

TEST_P (BadFrameTest, IsRefused)
{
  EXPECT_THAT (listen_to (GetParam ().array), testing::HasSubstr (GetParam ().answer)) << GetParam ().array;
}

INSTANTIATE_TEST_SUITE_P (
    Frames, BadFrameTest,
    testing::Values (Bad{"[0, 0, 0, 16]", "ready"}, Bad{"[0, 0, 0, 0]", "bad ready"}, Bad{"[0, 0, 0, 99999]", "bad ready"},
                     Bad{"[0, 0, 0, \"16\"]", "bad ready"}, Bad{"[2, 1, 1, null]", "begun"}, Bad{"[2, 1, 1, 1]", "bad begun"},
                     Bad{"[1, 1, 1, []]", "bad kind"}, Bad{"[7, 1, 1, null]", "bad kind"}, Bad{"[9, 1, 1, null]", "bad kind"},
                     Bad{"[10, 1, 1, null]", "bad shape"}, Bad{"[-1, 1, 1, null]", "bad shape"}, Bad{"[4, 1, 1]", "bad shape"},
                     Bad{"{}", "bad shape"}, Bad{"3", "bad shape"}, Bad{"[4, -1, 1, null]", "bad number"},
                     Bad{"[4, 1, 1.5, null]", "bad number"}, Bad{"[4, 1, 1, [0, null, 1, 0]]", "result"},
                     Bad{"[4, 1, 1, [6, null, 1, 0]]", "bad result"}, Bad{"[4, 1, 1, [0, 1, 1, 0]]", "bad result"},
                     Bad{"[4, 1, 1, [0, null, 1, -1]]", "bad result"}, Bad{"[4, 1, 1, [0, null, 1]]", "bad result"},
                     Bad{"[4, 1, 1, [0, \"a\\u0000b\", 1, 0]]", "bad result"}, Bad{"[5, 1, 1, [0.5, null]]", "progress"},
                     Bad{"[5, 1, 1, [\"x\", null]]", "bad progress"}, Bad{"[6, 1, 1, [16, \"x\"]]", "log"},
                     Bad{"[6, 1, 1, [16, null]]", "bad log"}, Bad{"[6, 1, 1, [4096, \"x\"]]", "bad log"},
                     Bad{"[4, 1, 1, null, 5]", "bad memory file"}, Bad{"[4, 1, 1, 1, 5]", "bad size"},
                     Bad{"[4, 1, 1, null, 0]", "bad size"}, Bad{"[4, 1, 1, null, 999999999999]", "bad size"},
                     Bad{"[6, 1, 1, null, 5]", "bad size"}, Bad{"[8, 0, 0, null]", "ping"}));

TEST_F (ChannelTest, BytesThatAreNoFrameAreRefused)
{
  EXPECT_EQ (listen ({1, 0, 0}), "(nothing)");
  EXPECT_EQ (listen ({0}), "(nothing)");
  EXPECT_THAT (listen ({0}), testing::HasSubstr ("bad shape"));
}

TEST_F (ChannelTest, LengthsBeyondTheLimitAreRefused)
{
  EXPECT_THAT (listen ({0, 0, 0, 0}), testing::HasSubstr ("bad length"));
  listener_ = Channel (nebula_channel_new (dup (nebula_channel_get_fd (listener_.get ())), NEBULA_FRAME_FROM_HOST));
  EXPECT_THAT (listen ({255, 255, 255, 255}), testing::HasSubstr ("bad length"));
}

/* A memory file that its sender could still change, one of another size, and far too many of them. */
class MemoryFileTest : public ChannelTest
{
protected:
  void send (int fd, const std::vector<guint8> &bytes)
  {
    char control[CMSG_SPACE (sizeof (int))] = {};
    struct iovec part = {(void *) bytes.data (), bytes.size ()};
    struct msghdr message = {};

    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR (&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN (sizeof (int));
    memcpy (CMSG_DATA (header), &fd, sizeof fd);
    ASSERT_EQ (sendmsg (stranger_, &message, 0), (gssize) bytes.size ());
  }
  std::string send_result (int fd)
  {
    /* [4, 1, 1, null, 5] */
    send (fd, {6, 0, 0, 0, 0x95, 4, 1, 1, 0xc0, 5});
    return listen ({});
  }
};

TEST_F (MemoryFileTest, UnsealedOneIsRefused)
{
  int fd = memfd_create ("x", MFD_ALLOW_SEALING | MFD_CLOEXEC);

  ASSERT_EQ (write (fd, "\x94\0\xc0\1\0", 5), 5);
  EXPECT_THAT (send_result (fd), testing::HasSubstr ("bad memory file"));
  close (fd);
}

TEST_F (MemoryFileTest, SealedOneIsTakenAndOneOfAnotherSizeIsNot)
{
  for (gsize size : {5, 4}) {
    int fd = memfd_create ("x", MFD_ALLOW_SEALING | MFD_CLOEXEC);

    ASSERT_EQ (write (fd, "\x94\0\xc0\1\0", size), (gssize) size);
    ASSERT_EQ (fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
    EXPECT_THAT (send_result (fd), testing::HasSubstr (size == 5 ? "result" : "bad memory file"));
    close (fd);
  }
}

TEST_F (MemoryFileTest, TooManyAreRefused)
{
  int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  std::string answer;

  /* Each with one byte of a frame that never ends. */
  send (fd, {200});
  for (int i = 0; i < 20; i++)
    send (fd, {0});
  for (int i = 0; i < 30; i++)
    answer = listen ({});
  EXPECT_THAT (answer, testing::HasSubstr ("descriptors"));
  close (fd);
}

} // namespace
