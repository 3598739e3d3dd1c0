/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an engine and the host of a module say to each other.
 *
 *   frame     length (4 bytes, little endian, 1 … 1 MiB) · MessagePack of an array
 *   array     [kind, attempt, epoch, payload], or [kind, attempt, epoch, null, bytes]: the payload is MessagePack in a
 *             sealed memfd of so many bytes, which comes with the frame's first byte
 *
 *   kind      from     payload
 *   ready     host     how many pieces of work it takes besides those that it has
 *   work      engine   what to do, see nebula-host-work-private.h
 *   begun     host     null: the attempt may have had effects from here on
 *   cancel    engine   null: the attempt should stop
 *   result    host     [result kind, port or null, value, delay]; gives back the place that the work took
 *   progress  host     [fraction, text or null]
 *   log       host     [level, text]
 *   write     host     for writes that commit with a result; refused for now
 *   ping      both     null; a host answers each with one
 *   drain     engine   null: end after what you have
 *
 * Attempts are numbered by the engine from 1; 0 is the host itself. An epoch is one life of one host. Nothing that a host
 * says is believed: a frame that breaks any rule here ends its life.
 */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

#define NEBULA_FRAME_BYTES        (1024 * 1024)
#define NEBULA_FRAME_INLINE_BYTES (64 * 1024)
#define NEBULA_FRAME_LARGE_BYTES  (256 * 1024 * 1024)
#define NEBULA_FRAME_TEXT_BYTES   (64 * 1024) /* of a message */
#define NEBULA_FRAME_CREDITS      1024

typedef enum {
  NEBULA_FRAME_READY,
  NEBULA_FRAME_WORK,
  NEBULA_FRAME_BEGUN,
  NEBULA_FRAME_CANCEL,
  NEBULA_FRAME_RESULT,
  NEBULA_FRAME_PROGRESS,
  NEBULA_FRAME_LOG,
  NEBULA_FRAME_WRITE,
  NEBULA_FRAME_PING,
  NEBULA_FRAME_DRAIN,
  NEBULA_FRAME_N_KINDS,
} NebulaFrameKind;

typedef enum {
  NEBULA_FRAME_FROM_ENGINE = 1,
  NEBULA_FRAME_FROM_HOST = 2,
} NebulaFrameSide;

typedef struct {
  NebulaFrameKind kind;
  guint64 attempt;
  guint64 epoch;
  NebulaValue *payload; /* NULL: it is large */
  gsize large_bytes;    /* of a large one; 0: it is none */
} NebulaFrame;

void nebula_frame_clear (NebulaFrame *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaFrame, nebula_frame_clear)

/* Reads one array and checks all that does not depend on who sent it before. */
gboolean nebula_frame_read (NebulaFrame *self,
                            const guint8 *data,
                            gsize size,
                            NebulaFrameSide side,
                            GError **error);
/* Whether a payload is one of its kind; for large ones, once they are read. */
gboolean
nebula_frame_check_payload (NebulaFrameKind kind, NebulaValue *payload, GError **error);
const char *nebula_frame_kind_to_string (NebulaFrameKind kind);

G_END_DECLS
