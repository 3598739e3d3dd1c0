/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-gate-internal.h"

G_BEGIN_DECLS

/* One stimulus on its way. */
typedef struct {
  NebulaGateState *state;
  gint64 now_usec;
  GByteArray *facts;
  GPtrArray *answers;
} NebulaGateTurn;

/* What a kind of gate is: three functions. */
typedef struct {
  const char *name;
  /* Somebody asked, and stands last in the queue. */
  void (*asked) (NebulaGateTurn *turn, NebulaGateEntry *entry);
  /* Lets in whoever may go in now. */
  void (*settle) (NebulaGateTurn *turn);
  /* When settle () must be called though nothing happens; 0: never. May be NULL. */
  gint64 (*get_due) (NebulaGateState *state);
  gboolean keeps_holders; /* who was let in is inside until it leaves */
} NebulaGateClass;

extern const NebulaGateClass _nebula_gate_concurrency;
extern const NebulaGateClass _nebula_gate_rate;
extern const NebulaGateClass _nebula_gate_throttle;
extern const NebulaGateClass _nebula_gate_debounce;
extern const NebulaGateClass _nebula_gate_batch;

/* Each records the fact, applies it and adds the answer. */
void _nebula_gate_grant (NebulaGateTurn *turn, NebulaGateEntry *entry);
void _nebula_gate_refuse (NebulaGateTurn *turn, NebulaGateEntry *entry);
void _nebula_gate_cancel (NebulaGateTurn *turn, NebulaGateEntry *entry);
/* Makes one execution of the first so many in the queue. */
void _nebula_gate_collect (NebulaGateTurn *turn, guint n_members);
/* Whoever goes in next: the greatest priority; then who was inside before; then the share with the fewest inside; then who
 * asked first. */
NebulaGateEntry *_nebula_gate_find_next (NebulaGateState *self);
/* How many were let in within the rule's period before now. */
guint _nebula_gate_count_passed (NebulaGateState *self, gint64 now_usec);

G_END_DECLS
