/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whoever comes is let in when nobody else has come for the whole period; who came before is refused. */

#include "nebula-gate-private.h"

static void
asked (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
  NebulaGateState *self = turn->state;

  while (g_queue_peek_head (&self->queue) != entry)
    _nebula_gate_refuse (turn, g_queue_peek_head (&self->queue));
}

static gint64
get_due (NebulaGateState *self)
{
  NebulaGateEntry *last = g_queue_peek_tail (&self->queue);

  return last->since_usec + self->rule.period_usec;
}

static void
settle (NebulaGateTurn *turn)
{
  NebulaGateState *self = turn->state;

  if (!g_queue_is_empty (&self->queue) && get_due (self) <= turn->now_usec)
    _nebula_gate_grant (turn, g_queue_peek_tail (&self->queue));
}

const NebulaGateClass _nebula_gate_debounce = {"debounce", asked, settle, get_due, FALSE};
