/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fold of what stands in front of an execution: its start, its gates, pauses. */

#include "nebula-state-private.h"

/* What was collected: each of them is told the end. */
static NebulaValue *
get_members (NebulaState *self)
{
  NebulaValue *members = nebula_value_get_member (self->started, "batch");

  return members && nebula_value_get_kind (members) == NEBULA_VALUE_KIND_ARRAY ? members
                                                                                : NULL;
}

static void
take_members (NebulaState *self)
{
  NebulaValue *members = get_members (self);

  for (gsize i = 0; members && i < nebula_value_get_length (members); i++)
    if (nebula_value_get_kind (nebula_value_get_item (members, i)) !=
        NEBULA_VALUE_KIND_STRING)
      return;
  if (members && nebula_value_get_length (members) > 0)
    _nebula_apply_set_value (&self->watchers, members);
}

guint
nebula_state_count_passed (NebulaState *self)
{
  guint n_passed = self->gates ? (guint) nebula_value_get_length (self->gates) : 0;

  for (guint i = 0; get_members (self) && i < self->plan->n_gates; i++)
    if (self->plan->gates[i].kind == NEBULA_GATE_BATCH)
      return n_passed + i + 1;
  return n_passed;
}

void
_nebula_apply_started (NebulaState *self,
                       const NebulaFact *fact,
                       NebulaLane *lane,
                       NebulaRun *run)
{
  NebulaValue *input = nebula_value_get_member (fact->value, "input");

  self->started = nebula_value_ref (fact->value);
  self->input = input ? nebula_value_ref (input) : nebula_value_new_null ();
  self->started_usec = fact->time_usec;
  self->deadline_usec = fact->due_usec;
  self->seed = (guint64) fact->number;
  self->status = NEBULA_EXECUTION_STATUS_RUNNING;
  self->root = _nebula_lane_new (self, 0, 0);
  take_members (self);
  self->begins_usec = CLAMP (nebula_value_get_member_integer (fact->value, "begins", 0), 0,
                             G_MAXINT64 / 4);
  if (fact->code == 0)
    _nebula_tokens_seed (self, self->root, fact->time_usec);
}

void
_nebula_apply_begun (NebulaState *self,
                     const NebulaFact *fact,
                     NebulaLane *lane,
                     NebulaRun *run)
{
  self->begins_usec = 0;
  if (fact->code == 0)
    _nebula_tokens_seed (self, self->root, fact->time_usec);
}

void
_nebula_apply_gate_asked (NebulaState *self,
                          const NebulaFact *fact,
                          NebulaLane *lane,
                          NebulaRun *run)
{
  self->gate = self->gate == NEBULA_AT_GATE_LEFT ? NEBULA_AT_GATE_BACK : NEBULA_AT_GATE_ASKED;
  self->gate_usec = fact->time_usec;
  g_free (self->gate_key);
  self->gate_key = g_strdup (fact->text);
  _nebula_apply_set_value (&self->gate_share, fact->value);
}

void
_nebula_apply_gate_granted (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run)
{
  if (self->gate == NEBULA_AT_GATE_BACK) {
    self->gate = NEBULA_AT_GATE_INSIDE;
    return;
  }
  _nebula_array_add_text (&self->gates, self->gate_key);
  if (nebula_state_count_passed (self) < self->plan->n_gates) {
    self->gate = NEBULA_AT_GATE_NONE; /* the next one is asked */
    return;
  }
  self->gate = NEBULA_AT_GATE_INSIDE;
  _nebula_tokens_seed (self, self->root, fact->time_usec);
}

void
_nebula_apply_gate_left (NebulaState *self,
                         const NebulaFact *fact,
                         NebulaLane *lane,
                         NebulaRun *run)
{
  self->gate = NEBULA_AT_GATE_LEFT;
  self->gate_round++;
}

/* From now on the time limit is that of the whole. */
void
_nebula_apply_batched (NebulaState *self,
                       const NebulaFact *fact,
                       NebulaLane *lane,
                       NebulaRun *run)
{
  self->gate = NEBULA_AT_GATE_BATCHED;
  self->deadline_usec = 0;
  g_free (self->batch);
  self->batch = g_strdup (fact->text);
}

void
_nebula_apply_paused (NebulaState *self,
                      const NebulaFact *fact,
                      NebulaLane *lane,
                      NebulaRun *run)
{
  self->is_paused = 1;
  self->paused_usec = fact->time_usec;
  if (fact->code == 0)
    return;
  self->is_stepping = 0;
  g_free (self->break_at);
  self->break_at = g_strdup (fact->text);
}

void
_nebula_apply_resumed (NebulaState *self,
                       const NebulaFact *fact,
                       NebulaLane *lane,
                       NebulaRun *run)
{
  self->is_paused = 0;
  self->is_stepping = fact->code == 1;
  self->recoveries = (guint32) fact->number;
}
