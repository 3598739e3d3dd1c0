/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whoever comes is collected. When there are enough, or the first one has waited for the whole period, one execution goes
 * on in the place of all of them. */

#include "nebula-gate-private.h"

/* More than this is not put into one message. */
#define COLLECTED_BYTES (1024 * 1024)

static void
asked (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
}

static gint64
get_due (NebulaGateState *self)
{
  NebulaGateEntry *first = g_queue_peek_head (&self->queue);

  return first->since_usec + self->rule.period_usec;
}

/* How many are collected now; 0: it is too early. */
static guint
count_members (NebulaGateTurn *turn)
{
  NebulaGateState *self = turn->state;
  guint n_members = 0;
  gsize n_bytes = 0;

  for (GList *link = self->queue.head;
       link && n_members < self->rule.limit && n_bytes < COLLECTED_BYTES; link = link->next) {
    NebulaGateEntry *entry = link->data;

    n_bytes += entry->value ? nebula_value_get_size_bytes (entry->value) : 0;
    n_members++;
  }
  if (n_members == self->rule.limit || n_bytes >= COLLECTED_BYTES)
    return n_members;
  return n_members > 0 && get_due (self) <= turn->now_usec ? n_members : 0;
}

static void
settle (NebulaGateTurn *turn)
{
  guint n_members;

  while ((n_members = count_members (turn)) > 0)
    _nebula_gate_collect (turn, n_members);
}

const NebulaGateClass _nebula_gate_batch = {"batch", asked, settle, get_due, FALSE};
