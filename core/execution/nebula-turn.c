/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Turns: the order in which decisions are taken, and what is too heavy for the engine's loop.
 *
 * A decision evaluates first and records then. If the evaluation shows that it does not belong here (it ran out of the
 * inline fuel, its values are large, the host cannot answer in this thread) the decision is put off: from then on it
 * records nothing, and its item stays in front of the agenda. So the same decision, taken elsewhere, records the same.
 */

#include "nebula-error.h"
#include "nebula-kernel-private.h"
#include "nebula-limits.h"

#define LARGE_LENGTH 1000
#define TURN_BYTES   (1024 * 1024)

void
nebula_kernel_set_inline_fuel (NebulaKernel *self, guint64 fuel)
{
  self->inline_fuel = fuel;
}

gboolean
nebula_kernel_is_large (NebulaValue *value)
{
  NebulaValueKind kind;

  if (!value)
    return FALSE;
  if (nebula_value_get_size_bytes (value) > NEBULA_LIMIT_INLINE_BYTES)
    return TRUE;
  kind = nebula_value_get_kind (value);
  return (kind == NEBULA_VALUE_KIND_ARRAY || kind == NEBULA_VALUE_KIND_OBJECT) &&
         nebula_value_get_length (value) > LARGE_LENGTH;
}

gboolean
_nebula_kernel_is_too_large (NebulaKernel *self, NebulaValue *value)
{
  if (self->inline_fuel == 0 || !nebula_kernel_is_large (value))
    return FALSE;
  self->is_put_off = TRUE;
  return TRUE;
}

gboolean
_nebula_kernel_is_too_long (NebulaKernel *self, gsize length)
{
  if (self->inline_fuel == 0 || length <= LARGE_LENGTH)
    return FALSE;
  self->is_put_off = TRUE;
  return TRUE;
}

gboolean
_nebula_kernel_put_off (NebulaKernel *self, const GError *error)
{
  if (g_error_matches (error, NEBULA_KERNEL_WOULD_BLOCK) ||
      (self->inline_fuel > 0 &&
       g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED)))
    self->is_put_off = TRUE;
  return self->is_put_off;
}

gboolean
_nebula_kernel_end_decision (NebulaKernel *self)
{
  gboolean is_put_off = self->is_put_off;

  self->is_put_off = FALSE;
  return is_put_off;
}

static void
decide (NebulaKernel *self, const NebulaAgendaItem *item)
{
  NebulaLane *lane = nebula_state_get_lane (self->state, item->lane);

  switch ((NebulaAgendaKind) item->kind) {
  case NEBULA_AGENDA_NODE:
    _nebula_kernel_decide_node (self, lane, item->index);
    break;
  case NEBULA_AGENDA_GUARD:
    _nebula_kernel_decide_guard (self, lane, item->index);
    break;
  case NEBULA_AGENDA_NEED:
    _nebula_kernel_decide_need (self, lane, item->index);
    break;
  case NEBULA_AGENDA_LOOP:
    _nebula_kernel_decide_loop (self, lane, item->index);
    break;
  case NEBULA_AGENDA_LANE:
    _nebula_kernel_decide_lane (self, lane);
    break;
  default:
    g_assert_not_reached ();
  }
}

static gboolean
is_spent (NebulaKernel *self)
{
  return self->writer.n_facts >= self->turn_end ||
         nebula_kernel_get_n_bytes (self) >= self->turn_end_bytes;
}

static NebulaTurn
leave (NebulaKernel *self)
{
  return self->inline_fuel > 0 ? NEBULA_TURN_HEAVY : NEBULA_TURN_MORE;
}

NebulaTurn
nebula_kernel_turn (NebulaKernel *self, guint budget, gint64 now_usec)
{
  NebulaAgendaItem item;

  self->turn_end = self->writer.n_facts + budget;
  self->turn_end_bytes = nebula_kernel_get_n_bytes (self) + TURN_BYTES;
  self->is_put_off = FALSE;
  _nebula_kernel_set_now (self, now_usec);
  if (!self->state->is_paused)
    _nebula_kernel_decide_gate (self);
  if (_nebula_kernel_end_decision (self))
    return leave (self);
  while (!self->state->is_paused && _nebula_kernel_has_place (self) &&
         nebula_state_peek_agenda (self->state, &item)) {
    if (!self->is_left && is_spent (self))
      return NEBULA_TURN_MORE;
    self->is_partial = FALSE;
    decide (self, &item);
    self->is_left = _nebula_kernel_end_decision (self);
    if (self->is_left)
      return leave (self);
    if (!self->is_partial)
      nebula_state_pop_agenda (self->state);
  }
  _nebula_kernel_leave_gate (self);
  return NEBULA_TURN_IDLE;
}

