/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* So many are let in within any period; the others are refused. */

#include "nebula-gate-private.h"

static void
asked (NebulaGateTurn *turn, NebulaGateEntry *entry)
{
  NebulaGateState *self = turn->state;

  if (_nebula_gate_count_passed (self, turn->now_usec) < self->rule.limit)
    _nebula_gate_grant (turn, entry);
  else
    _nebula_gate_refuse (turn, entry);
}

static void
settle (NebulaGateTurn *turn)
{
}

const NebulaGateClass _nebula_gate_throttle = {"throttle", asked, settle, NULL, FALSE};
