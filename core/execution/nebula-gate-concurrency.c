/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* So many inside at a time. Whoever finds no place waits, is refused, or takes the place of another one. */

#include "nebula-gate-private.h"

static gboolean
is_full (NebulaGateState *self)
{
  return g_hash_table_size (self->holders) >= self->rule.limit;
}

/* The one inside for the longest time that was not told to end yet. */
static NebulaGateEntry *
find_oldest (NebulaGateState *self)
{
  NebulaGateEntry *oldest = NULL;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->holders);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    NebulaGateEntry *entry = value;

    if (!entry->is_cancelled && (!oldest || entry->since_usec < oldest->since_usec ||
                                 (entry->since_usec == oldest->since_usec &&
                                  g_strcmp0 (entry->holder, oldest->holder) < 0)))
      oldest = entry;
  }
  return oldest;
}

static void
asked (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
  NebulaGateState *self = turn->state;
  NebulaGateEntry *oldest;

  if (entry->is_back || (!is_full (self) && self->queue.length == 1))
    return;
  switch ((NebulaGateStrategy) self->rule.strategy) {
  case NEBULA_GATE_REJECT:
  case NEBULA_GATE_CANCEL_NEWEST:
    _nebula_gate_refuse (turn, entry);
    break;
  case NEBULA_GATE_CANCEL_RUNNING:
    oldest = find_oldest (self);
    if (oldest)
      _nebula_gate_cancel (turn, oldest);
    break;
  case NEBULA_GATE_QUEUE:
  default:
    break;
  }
}

static void
settle (NebulaGateTurn *turn)
{
  NebulaGateEntry *next;

  while (!is_full (turn->state) && (next = _nebula_gate_find_next (turn->state)))
    _nebula_gate_grant (turn, next);
}

const NebulaGateClass _nebula_gate_concurrency = {"concurrency", asked, settle, NULL, TRUE};
