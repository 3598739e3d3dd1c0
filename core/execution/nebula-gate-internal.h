/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-plan-internal.h"

G_BEGIN_DECLS

/*
 * The kernel of a gate: who is inside, who waits, who goes in next. Pure, like the kernel of an execution. Each kind of
 * gate is one file, nebula-gate-KIND.c, and one line of the table in nebula-gate.c.
 *
 *   segment = format (1 byte) · fact*
 *   fact    = kind (1 byte) · holder (text) · time (varint, µs) · three numbers (zigzag) · share (text)
 *             · value (its length as a varint, MessagePack; not in format 2)
 *
 * Texts and numbers are written as in facts of executions. A holder is an execution in its first stay, a later stay of
 * one, ID#@NUMBER, or a node-run of one, ID#NODE-RUN. The checkpoint of a gate is a segment that leads to the same state.
 */

#define NEBULA_GATE_FORMAT       3
#define NEBULA_GATE_FORMAT_FIRST 2 /* that is still read */

typedef enum {
  NEBULA_GATE_RULE = 1, /* numbers: limit, period in µs, kind + 256 · strategy */
  NEBULA_GATE_ASKED,    /* numbers: priority, 1: it comes back; value: what is collected */
  NEBULA_GATE_GRANTED,
  NEBULA_GATE_RELEASED, /* it left, or no longer waits */
  NEBULA_GATE_REFUSED,
  NEBULA_GATE_CANCELLED, /* it was told to end, and holds on until it has */
  NEBULA_GATE_PASSED,    /* only in checkpoints: somebody was let in at that time */
  NEBULA_GATE_BATCHED,   /* it was collected; share: the execution that goes on in its place */
  NEBULA_GATE_LAST = NEBULA_GATE_BATCHED,
} NebulaGateFactKind;

typedef struct {
  guint8 kind;
  guint8 strategy;
  guint32 limit;
  gint64 period_usec;
} NebulaGateRule;

typedef struct {
  char *holder;
  char *share;
  gint64 priority;
  gint64 since_usec;
  gboolean is_cancelled; /* inside: told to end */
  gboolean is_back;      /* it was inside before: it is not refused, and goes before others of its priority */
  NebulaValue *value;    /* of a batch: what is collected; else NULL */
} NebulaGateEntry;

typedef struct {
  NebulaGateRule rule;
  GHashTable *holders; /* holder → NebulaGateEntry: inside */
  GQueue queue;        /* NebulaGateEntry, in order of asking */
  GQueue passed;       /* gint64 *: when somebody was let in, as long as it matters */
  guint64 sequence;
} NebulaGateState;

typedef struct {
  const char *holder;
  const char *share; /* may be NULL */
  gint64 priority;
  NebulaGateRule rule;
  gboolean is_back;
  NebulaValue *value; /* may be NULL */
} NebulaGateAsk;

/* What the gate says to somebody: NEBULA_GATE_GRANTED, _REFUSED, _CANCELLED, or _BATCHED to all members. */
typedef struct {
  NebulaGateFactKind verdict;
  char *holder;       /* of a batch: the execution that begins */
  GPtrArray *members; /* NebulaGateEntry; of a batch, else NULL */
} NebulaGateAnswer;

void nebula_gate_answer_free (gpointer answer);

NebulaGateState *nebula_gate_state_new (void);
void nebula_gate_state_free (NebulaGateState *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaGateState, nebula_gate_state_free)
gboolean nebula_gate_state_fold (NebulaGateState *self, GBytes *segment, GError **error);
gboolean nebula_gate_state_knows (NebulaGateState *self, const char *holder);
/* A segment that leads to this state, but for its sequence. */
GBytes *nebula_gate_state_to_checkpoint (NebulaGateState *self);
/* When it must be ticked; 0: never. */
gint64 nebula_gate_state_get_due (NebulaGateState *self);

/* Stimuli: facts go to @facts (a segment that grows; empty at first) and are applied; @answers takes NebulaGateAnswer. */
void nebula_gate_ask (NebulaGateState *self,
                      const NebulaGateAsk *ask,
                      gint64 now_usec,
                      GByteArray *facts,
                      GPtrArray *answers);
void nebula_gate_release (NebulaGateState *self,
                          const char *holder,
                          gint64 now_usec,
                          GByteArray *facts,
                          GPtrArray *answers);
void nebula_gate_tick (NebulaGateState *self,
                       gint64 now_usec,
                       GByteArray *facts,
                       GPtrArray *answers);
const char *nebula_gate_kind_to_string (NebulaGateKind kind);

G_END_DECLS
