/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pausing, going on, and taking up what another engine left behind. */

#include <glib/gi18n-lib.h>

#include "nebula-kernel-private.h"
#include "nebula-plant-internal.h"

static void
push_start (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  NebulaCommand command = {
      .sequence = self->state->sequence,
      .lane = work->lane->number,
      .node = work->node,
      .firing = run->firing,
      .attempt = run->attempts,
      .runs_ahead = work->effect == NEBULA_EFFECT_PURE,
  };

  g_array_append_val (self->commands, command);
}

/* An attempt that was to be started when the engine stopped. */
static void
recover_work (NebulaKernel *self, NebulaWork *work)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  g_autoptr (NebulaValue) failure = NULL;

  if (work->is_launched)
    return;
  if (run->status == NEBULA_NODE_READY && !work->is_begun) {
    push_start (self, work);
    return;
  }
  if (run->status != NEBULA_NODE_RUNNING || work->loop)
    return;
  if (node->on_unknown == NEBULA_ON_UNKNOWN_RETRY || NEBULA_PLANT ("repeat-unknown")) {
    _nebula_kernel_ready (self, work, run->attempts);
    return;
  }
  failure = nebula_failure_new (
      "unknown-outcome",
      _ ("The engine stopped while this ran; nobody knows whether it did its work."),
      NEBULA_RETRY_CLASS_TERMINAL, NULL);
  _nebula_kernel_handle_unknown (self, work, run->attempts, failure);
}

/* Whether its command waits already: the restart was put off after it. */
static gboolean
has_command (NebulaKernel *self, NebulaWork *work)
{
  for (guint i = 0; i < self->commands->len; i++) {
    NebulaCommand *command = &g_array_index (self->commands, NebulaCommand, i);

    if (command->lane == work->lane->number && command->node == work->node)
      return TRUE;
  }
  return FALSE;
}

gboolean
nebula_kernel_restart (NebulaKernel *self, gint64 now_usec)
{
  g_autoptr (GPtrArray) works = g_ptr_array_new ();

  if (self->state->is_paused)
    return TRUE;
  _nebula_kernel_set_now (self, now_usec);
  self->is_put_off = FALSE;
  for (GList *link = self->state->works.head; link; link = link->next) {
    if (!has_command (self, link->data))
      g_ptr_array_add (works, link->data);
  }
  for (guint i = 0; i < works->len && !self->is_put_off; i++) {
    if (g_queue_find (&self->state->works, works->pdata[i]) &&
        !nebula_lane_is_doomed (self->state, ((NebulaWork *) works->pdata[i])->lane))
      recover_work (self, works->pdata[i]);
  }
  return !_nebula_kernel_end_decision (self);
}

gboolean
nebula_kernel_resume (NebulaKernel *self, gint64 now_usec)
{
  NebulaFact fact = {.kind = NEBULA_FACT_RESUMED, .node = NEBULA_PLAN_NONE};

  if (!self->state->is_paused)
    return TRUE;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
  return nebula_kernel_restart (self, now_usec);
}

gboolean
nebula_kernel_recover (NebulaKernel *self, gint64 now_usec)
{
  NebulaFact fact = {.kind = NEBULA_FACT_RESUMED, .node = NEBULA_PLAN_NONE};

  if (!self->state->root || nebula_execution_status_is_terminal (self->state->status))
    return TRUE;
  _nebula_kernel_set_now (self, now_usec);
  fact.number = (gint64) self->state->recoveries + 1;
  _nebula_kernel_record (self, &fact);
  return nebula_kernel_restart (self, now_usec);
}
