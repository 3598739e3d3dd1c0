/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* So many are let in within any period; the others wait their turn. */

#include "nebula-gate-private.h"

static void
asked (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
}

static void
settle (NebulaGateTurn *turn)
{
  NebulaGateState *self = turn->state;
  NebulaGateEntry *next;

  while (_nebula_gate_count_passed (self, turn->now_usec) < self->rule.limit &&
         (next = _nebula_gate_find_next (self)))
    _nebula_gate_grant (turn, next);
}

/* When the oldest of the last `limit` that were let in no longer counts. */
static gint64
get_due (NebulaGateState *self)
{
  guint length = self->passed.length;
  gint64 *time;

  if (length < self->rule.limit)
    return 1;
  time = g_queue_peek_nth (&self->passed, length - self->rule.limit);
  return *time + self->rule.period_usec;
}

const NebulaGateClass _nebula_gate_rate = {"rate", asked, settle, get_due, FALSE};
