/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What facts about undoing do to the state. */

#include "nebula-state-private.h"

void
_nebula_undo_free (gpointer data)
{
  NebulaUndo *undo = data;

  g_free (undo->path);
  g_clear_pointer (&undo->parameters, nebula_value_unref);
  g_clear_pointer (&undo->input, nebula_value_unref);
  g_clear_pointer (&undo->failure, nebula_value_unref);
  g_free (undo);
}

NebulaUndo *
_nebula_state_get_undo (NebulaState *self, gint64 number)
{
  return self->undos && number >= 0 && number < self->undos->len
             ? self->undos->pdata[number]
             : NULL;
}

/* The innermost body of a try around a lane, or the lane itself; 0: the whole execution. */
static guint32
find_owner (NebulaState *self, NebulaLane *lane)
{
  for (; lane && lane->loop; lane = lane->parent) {
    NebulaPlanNode *node = &self->plan->nodes[lane->loop->work->node];

    if (node->construct == NEBULA_CONSTRUCT_TRY &&
        self->plan->scopes[lane->scope].part == NEBULA_PART_BODY)
      return lane->number;
  }
  return 0;
}

void
_nebula_undo_hand_over (NebulaState *self, NebulaLane *body)
{
  guint32 owner;

  if (!self->undos)
    return;
  owner = find_owner (self, body->parent);
  for (guint i = 0; i < self->undos->len; i++) {
    NebulaUndo *undo = self->undos->pdata[i];

    if (undo->owner == body->number)
      undo->owner = owner;
  }
}

static NebulaValue *
dup_member (NebulaValue *value, const char *name)
{
  NebulaValue *member = nebula_value_get_member (value, name);

  return member ? nebula_value_ref (member) : nebula_value_new_null ();
}

void
_nebula_apply_undo_kept (NebulaState *self,
                         const NebulaFact *fact,
                         NebulaLane *lane,
                         NebulaRun *run)
{
  NebulaUndo *undo = g_new0 (NebulaUndo, 1);

  undo->node = fact->node;
  undo->owner = find_owner (self, lane);
  undo->path = nebula_state_dup_path (self, lane, fact->node);
  if (fact->code == 1)
    undo->failure = nebula_value_ref (fact->value);
  else {
    undo->parameters = dup_member (fact->value, "with");
    undo->input = dup_member (fact->value, "input");
  }
  if (!self->undos)
    self->undos = g_ptr_array_new_with_free_func (_nebula_undo_free);
  g_ptr_array_add (self->undos, undo);
}

static NebulaWork *
find_try (NebulaState *self, guint32 body_lane)
{
  for (GList *link = self->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    if (work->loop && work->loop->body_lane == body_lane)
      return work;
  }
  return NULL;
}

/* Whoever waits for it is told: the try whose body is undone, or the whole execution. */
static void
set_undoing (NebulaState *self, guint32 owner, gboolean is_undoing)
{
  NebulaWork *work = owner > 0 ? find_try (self, owner) : NULL;

  if (work) {
    work->loop->is_undoing = is_undoing;
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LOOP, work->lane, work->node);
  } else if (owner == 0) {
    self->is_undoing = is_undoing;
    self->has_undone = 1;
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, self->root, 0);
  }
}

/* A lane of its own, because the lane of the node may be gone. */
void
_nebula_apply_undo_opened (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *parent,
                           NebulaRun *run)
{
  NebulaUndo *undo = _nebula_state_get_undo (self, fact->number);
  NebulaLane *lane =
      _nebula_lane_new (self, self->next_lane++, self->plan->nodes[undo->node].undo);

  set_undoing (self, undo->owner, TRUE);
  undo->status = NEBULA_UNDO_RUNNING;
  undo->lane = lane;
  lane->parent = self->root;
  lane->undo = (guint32) fact->number + 1;
  lane->item = nebula_value_ref (undo->input);
  _nebula_tokens_seed (self, lane, fact->time_usec);
  lane->runs[0].work->parameters = nebula_value_ref (undo->parameters);
}

void
_nebula_apply_undo_closed (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run)
{
  NebulaUndo *undo = _nebula_state_get_undo (self, fact->number);

  undo->status = fact->code == 1 ? NEBULA_UNDO_FAILED : NEBULA_UNDO_DONE;
  if (fact->code == 1)
    _nebula_apply_set_value (&undo->failure, fact->value);
  g_clear_pointer (&undo->parameters, nebula_value_unref);
  g_clear_pointer (&undo->input, nebula_value_unref);
  self->recoveries = 0;
  set_undoing (self, undo->owner, FALSE);
  if (undo->lane)
    _nebula_lane_free (self, g_steal_pointer (&undo->lane));
}
