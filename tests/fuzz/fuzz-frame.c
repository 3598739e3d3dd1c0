/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as what a module's host writes to the engine: nothing but frames that keep the rules comes out. */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "nebula-channel-internal.h"

static void
check (NebulaFrame *frame, GBytes *large)
{
  g_assert_cmpint (frame->kind, <, NEBULA_FRAME_N_KINDS);
  g_assert_cmpint (frame->kind, !=, NEBULA_FRAME_WORK);
  g_assert_true ((frame->payload != NULL) != (large != NULL));
  if (frame->payload != NULL)
    g_assert_true (nebula_frame_check_payload (frame->kind, frame->payload, NULL));
}

static gboolean
take (NebulaChannel *channel)
{
  g_auto (NebulaFrame) frame = {0};
  g_autoptr (GBytes) large = NULL;
  g_autoptr (GError) error = NULL;
  gboolean is_taken = nebula_channel_take (channel, &frame, &large, &error);

  g_assert_false (is_taken && error != NULL);
  if (is_taken)
    check (&frame, large);
  return is_taken;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (NebulaChannel) channel = NULL;
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return 0;
  channel = nebula_channel_new (ends[0], NEBULA_FRAME_FROM_HOST);
  /* What does not fit into the socket at once is left out. */
  if (size > 0 && send (ends[1], data, size, MSG_DONTWAIT) > 0)
    while (nebula_channel_fill (channel) == NEBULA_CHANNEL_BUSY)
      continue;
  while (take (channel))
    continue;
  close (ends[1]);
  return 0;
}
