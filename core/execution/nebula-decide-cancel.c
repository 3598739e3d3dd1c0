/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about what acts on other nodes: flow.cancel, flow.add, locks. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-kernel-private.h"

static void
cancel_one (NebulaKernel *self, NebulaWork *work, gboolean keeps)
{
  gboolean is_loop =
      nebula_construct_is_loop (self->plan->nodes[work->node].construct);
  NebulaFact fact = {.kind = NEBULA_FACT_NODE_CANCELLED,
                     .lane = work->lane->number,
                     .node = work->node};

  if (work->loop && (work->loop->is_cancelled || work->loop->is_trailing))
    return; /* it is ending already */
  if (keeps && work->loop && is_loop)
    fact.kind = NEBULA_FACT_LOOP_ENDING;
  _nebula_kernel_record (self, &fact);
}

/* Cancels the active nodes of one scope that are meant; TRUE: the one that was named is of this scope. */
static gboolean
cancel_in_lane (NebulaKernel *self,
                NebulaLane *lane,
                const char *id,
                const char *region,
                gboolean keeps)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];
  gboolean is_found = FALSE;

  for (guint i = 0; i < scope->n_nodes; i++) {
    NebulaPlanNode *node = &self->plan->nodes[scope->first_node + i];
    gboolean is_meant = id && g_str_equal (node->id, id);

    is_found = is_found || is_meant;
    if ((is_meant || (region && g_strcmp0 (node->region, region) == 0)) &&
        lane->runs[i].work)
      cancel_one (self, lane->runs[i].work, keeps);
  }
  return is_found;
}

/* The node itself ends first, because it may stand inside of what it cancels. */
void
_nebula_kernel_decide_cancel (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  NebulaLane *lane = work->lane;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  const char *id, *region;
  gboolean keeps;

  if (!parameters) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  id = nebula_value_get_member_string (parameters, "node", NULL);
  region = nebula_value_get_member_string (parameters, "region", NULL);
  keeps = nebula_value_get_member_boolean (parameters, "keep", FALSE);
  if (_nebula_kernel_is_too_large (self, work->input))
    return;
  _nebula_kernel_end_node (self, work, attempt, NULL, work->input);
  if (self->is_put_off)
    return;
  while (lane) {
    NebulaLane *outer = lane->parent;

    if (cancel_in_lane (self, lane, id, region, keeps) && !region)
      return;
    lane = outer;
  }
}

/* The for-each around a work that takes more items; NULL with error. */
static NebulaLoop *
find_for_each (NebulaKernel *self, NebulaWork *work, GError **error)
{
  NebulaLane *lane = nebula_lane_get_round (self->state, work->lane);

  while (lane && !lane->loop->items)
    lane = nebula_lane_get_round (self->state, lane->parent);
  if (lane && lane->loop->batch == 1)
    return lane->loop;
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
      _ ("Items can be added only to a for-each whose rounds get one item each."));
  return NULL;
}

void
_nebula_kernel_decide_add (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  NebulaLoop *loop = parameters ? find_for_each (self, work, &error) : NULL;
  NebulaValue *items = parameters ? nebula_value_get_member (parameters, "items") : NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_ITEMS_ADDED, .value = items};

  if (loop && (!items || nebula_value_get_kind (items) != NEBULA_VALUE_KIND_ARRAY))
    g_set_error_literal (&error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                         _ ("The items to add must be an array."));
  if (error) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  if (_nebula_kernel_is_too_large (self, items) ||
      _nebula_kernel_is_too_large (self, work->input) ||
      _nebula_kernel_ends_elsewhere (self, work))
    return;
  fact.lane = loop->work->lane->number;
  fact.node = loop->work->node;
  _nebula_kernel_record (self, &fact);
  _nebula_kernel_end_node (self, work, attempt, NULL, work->input);
}

/* A node inside of one that holds the lock holds it too. */
static gboolean
is_held_around (NebulaLane *lane, const char *name)
{
  for (; lane->loop; lane = lane->parent) {
    NebulaWork *work = lane->loop->work;

    if (g_strcmp0 (work->lock ? work->lock->name : work->hold, name) == 0)
      return TRUE;
  }
  return FALSE;
}

gboolean
_nebula_kernel_takes_lock (NebulaKernel *self, NebulaWork *work)
{
  NebulaPlanNode *node = &self->plan->nodes[work->node];
  NebulaFact fact = {
      .kind = NEBULA_FACT_LOCK_ASKED, .lane = work->lane->number, .node = work->node};
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) name = NULL;
  g_autofree char *text = NULL;

  if (!node->lock || work->lock || work->is_held)
    return TRUE;
  _nebula_kernel_init_environment (self, &environment, work->lane, work);
  name = nebula_template_evaluate (node->lock, &environment.environment, &error);
  if (!name) {
    _nebula_kernel_fail_error (self, work, 1, error);
    return FALSE;
  }
  if (self->is_put_off || _nebula_kernel_is_too_large (self, name))
    return FALSE;
  text = nebula_value_to_text (name);
  if (is_held_around (work->lane, text))
    return TRUE;
  fact.text = text;
  fact.code = 1;
  _nebula_kernel_record (self, &fact);
  _nebula_kernel_post_lock (self, work);
  return FALSE;
}
