/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked for from outside: to cancel a node, a round or a region, to end it all at once; and gates that refuse. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-kernel-private.h"

static gboolean
is_open (NebulaKernel *self, GError **error)
{
  NebulaState *state = self->state;

  if (state->root && !state->is_stopping &&
      !nebula_execution_status_is_terminal (state->status))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                       _ ("The execution is ending already."));
  return FALSE;
}

static NebulaWork *
find_work (NebulaState *state, const char *path)
{
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;
    g_autofree char *own = nebula_state_dup_path (state, work->lane, work->node);

    if (g_str_equal (own, path))
      return work;
  }
  return NULL;
}

/* A round by its path, `each[3]`. */
static NebulaLane *
find_round (NebulaState *state, const char *path)
{
  GHashTableIter iter;
  gpointer value;

  if (!state->lanes)
    return NULL;
  g_hash_table_iter_init (&iter, state->lanes);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    NebulaLane *lane = value;
    g_autofree char *outer = NULL;
    g_autofree char *own = NULL;

    if (!lane->loop || !nebula_construct_is_loop (
                           state->plan->nodes[lane->loop->work->node].construct))
      continue;
    outer = nebula_state_dup_path (state, lane->parent, lane->loop->work->node);
    own = g_strdup_printf ("%s[%u]", outer, lane->index);
    if (g_str_equal (own, path))
      return lane;
  }
  return NULL;
}

static gboolean
is_ending (NebulaWork *work)
{
  return work->lane->undo > 0 ||
         (work->loop && (work->loop->is_cancelled || work->loop->is_trailing));
}

gboolean
nebula_kernel_cancel_at (NebulaKernel *self,
                         const char *path,
                         gint64 now_usec,
                         GError **error)
{
  NebulaWork *work;
  NebulaLane *round;
  NebulaFact fact = {.kind = NEBULA_FACT_NODE_CANCELLED, .node = NEBULA_PLAN_NONE};

  if (!is_open (self, error))
    return FALSE;
  work = find_work (self->state, path);
  round = work ? NULL : find_round (self->state, path);
  if ((!work && !round) || (work && is_ending (work)) || (round && round->is_halted)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                 _ ("“%s” is not active now. “nebula execution why” shows what is."), path);
    return FALSE;
  }
  fact.lane = work ? work->lane->number : round->number;
  if (work)
    fact.node = work->node;
  else
    fact.kind = NEBULA_FACT_LANE_CANCELLED;
  _nebula_kernel_set_now (self, now_usec);
  _nebula_kernel_record (self, &fact);
  return TRUE;
}

static NebulaWork *
find_in_region (NebulaKernel *self, const char *region)
{
  for (GList *link = self->state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    if (g_strcmp0 (self->plan->nodes[work->node].region, region) == 0 &&
        !is_ending (work))
      return work;
  }
  return NULL;
}

gboolean
nebula_kernel_cancel_region (NebulaKernel *self,
                             const char *region,
                             gint64 now_usec,
                             GError **error)
{
  NebulaWork *work;
  guint n_cancelled = 0;

  if (!is_open (self, error))
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  /* Anew each time: cancelling one may end others. */
  while ((work = find_in_region (self, region))) {
    NebulaFact fact = {.kind = NEBULA_FACT_NODE_CANCELLED,
                       .lane = work->lane->number,
                       .node = work->node};

    _nebula_kernel_record (self, &fact);
    n_cancelled++;
  }
  if (n_cancelled > 0)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
               _ ("Nothing in the region “%s” is active now."), region);
  return FALSE;
}

gboolean
nebula_kernel_terminate (NebulaKernel *self, const char *reason, gint64 now_usec)
{
  g_autoptr (NebulaValue) failure = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_ENDED,
                     .node = NEBULA_PLAN_NONE,
                     .code = NEBULA_EXECUTION_STATUS_CANCELLED};

  if (!self->state->root || nebula_execution_status_is_terminal (self->state->status))
    return FALSE;
  _nebula_kernel_set_now (self, now_usec);
  failure = nebula_failure_new ("terminated",
                                reason ? reason : _ ("The execution was terminated."),
                                NEBULA_RETRY_CLASS_CANCELLED, NULL);
  fact.value = failure;
  _nebula_kernel_record (self, &fact);
  return TRUE;
}
