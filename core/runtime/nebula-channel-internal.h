/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-frame-internal.h"

G_BEGIN_DECLS

/*
 * Frames over one end of a Unix stream socket; nebula-frame-internal.h says what they are. It never blocks by itself.
 *
 * Thread: one at a time.
 */
typedef struct _NebulaChannel NebulaChannel;

typedef enum {
  NEBULA_CHANNEL_IDLE, /* all is written, or nothing more is there to be read */
  NEBULA_CHANNEL_BUSY, /* the socket takes no more now, or may have more */
  NEBULA_CHANNEL_GONE, /* the other end is closed, or the socket failed */
} NebulaChannelState;

/* @side: who is at the other end. Takes the descriptor. */
NebulaChannel *nebula_channel_new (int fd, NebulaFrameSide side);
void nebula_channel_free (NebulaChannel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaChannel, nebula_channel_free)
int nebula_channel_get_fd (NebulaChannel *self);

/* Adds a frame to what is to be written. Errors: too-large; io if there is no memory file to be had. */
gboolean
nebula_channel_push (NebulaChannel *self, const NebulaFrame *frame, GError **error);
NebulaChannelState nebula_channel_flush (NebulaChannel *self);
gsize nebula_channel_get_n_queued (NebulaChannel *self); /* bytes that wait */

/* Reads at most some 64 KiB. */
NebulaChannelState nebula_channel_fill (NebulaChannel *self);
/* One frame of what was read: FALSE without error if none is complete. After an error the channel is of no use. */
gboolean nebula_channel_take (NebulaChannel *self,
                              NebulaFrame *ret_frame,
                              GBytes **ret_large,
                              GError **error);
/* The payload of a large frame: checked, and without a copy. */
NebulaValue *
nebula_channel_read_large (NebulaFrameKind kind, GBytes *large, GError **error);

G_END_DECLS
