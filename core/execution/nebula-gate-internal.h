/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * The kernel of a gate: who is inside, who waits, in order of asking. Pure, like the kernel of an execution.
 *
 *   segment = format (1 byte) · fact*
 *   fact    = kind (1 byte) · limit (4 bytes, little endian) · length (2 bytes, little endian) · execution id
 */

#define NEBULA_GATE_FORMAT 1

typedef enum {
  NEBULA_GATE_ASKED = 1,
  NEBULA_GATE_GRANTED,
  NEBULA_GATE_RELEASED,
} NebulaGateFactKind;

typedef struct {
  guint32 limit;
  GHashTable *holders; /* set of execution ids */
  GQueue queue;        /* char *: waiting execution ids */
  guint64 sequence;
} NebulaGateState;

NebulaGateState *nebula_gate_state_new (void);
void nebula_gate_state_free (NebulaGateState *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaGateState, nebula_gate_state_free)
gboolean nebula_gate_state_fold (NebulaGateState *self, GBytes *segment, GError **error);
gboolean nebula_gate_state_knows (NebulaGateState *self, const char *execution);

/* Stimuli: facts go to @facts (a segment that grows; empty at first) and are applied; executions that were let in are
 * added to @granted (char *, owned by it). */
void nebula_gate_ask (NebulaGateState *self,
                      const char *execution,
                      guint32 limit,
                      GByteArray *facts,
                      GPtrArray *granted);
void nebula_gate_release (NebulaGateState *self,
                          const char *execution,
                          GByteArray *facts,
                          GPtrArray *granted);

G_END_DECLS
