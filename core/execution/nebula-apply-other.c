/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fold of what an execution has to do with others: whom it waits for, who waits for it, what a gate gave it. */

#include "nebula-state-private.h"

void
_nebula_parting_free (gpointer data)
{
  NebulaParting *self = data;

  g_free (self->name);
  g_free (self->holder);
  g_free (self);
}

char *
_nebula_work_dup_holder (NebulaState *self, NebulaWork *work)
{
  return g_strdup_printf ("%u:%u:%s", work->lane->number, work->firing,
                          self->plan->nodes[work->node].id);
}

static void
part (NebulaState *self, gboolean is_lock, char *name, char *holder)
{
  NebulaParting *parting = g_new0 (NebulaParting, 1);

  parting->is_lock = is_lock;
  parting->name = name;
  parting->holder = holder;
  if (!self->partings)
    self->partings = g_ptr_array_new_with_free_func (_nebula_parting_free);
  g_ptr_array_add (self->partings, parting);
}

void
_nebula_work_stop_waiting (NebulaState *self, NebulaWork *work)
{
  if (work->other && work->wait == NEBULA_WAIT_CHILD)
    part (self, FALSE, g_steal_pointer (&work->other), NULL);
  g_clear_pointer (&work->other, g_free);
  g_clear_pointer (&work->request, nebula_value_unref);
  g_clear_pointer (&work->answers, nebula_value_unref);
}

void
_nebula_work_let_go (NebulaState *self, NebulaWork *work)
{
  if (!work->hold)
    return;
  part (self, TRUE, g_steal_pointer (&work->hold), _nebula_work_dup_holder (self, work));
  work->is_held = 0;
}

NebulaValue *
_nebula_array_with (NebulaValue *array, NebulaValue *item)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; array && i < nebula_value_get_length (array); i++)
    nebula_value_builder_add (builder, nebula_value_get_item (array, i));
  nebula_value_builder_add (builder, item);
  return nebula_value_builder_end (builder);
}

gboolean
_nebula_array_has_text (NebulaValue *array, const char *text)
{
  for (gsize i = 0; array && i < nebula_value_get_length (array); i++) {
    NebulaValue *item = nebula_value_get_item (array, i);

    if (nebula_value_get_kind (item) == NEBULA_VALUE_KIND_STRING &&
        g_str_equal (nebula_value_get_string (item), text))
      return TRUE;
  }
  return FALSE;
}

void
_nebula_array_add_text (NebulaValue **array, const char *text)
{
  g_autoptr (NebulaValue) item = nebula_value_new_string (text);
  NebulaValue *longer = _nebula_array_with (*array, item);

  g_clear_pointer (array, nebula_value_unref);
  *array = longer;
}

void
_nebula_array_remove_text (NebulaValue **array, const char *text)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; *array && i < nebula_value_get_length (*array); i++) {
    NebulaValue *item = nebula_value_get_item (*array, i);

    if (!g_str_equal (nebula_value_get_string (item), text))
      nebula_value_builder_add (builder, item);
  }
  g_clear_pointer (array, nebula_value_unref);
  if (nebula_value_builder_get_length (builder) > 0)
    *array = nebula_value_builder_end (builder);
}

void
_nebula_apply_watched (NebulaState *self,
                       const NebulaFact *fact,
                       NebulaLane *lane,
                       NebulaRun *run)
{
  _nebula_array_add_text (&self->watchers, fact->text);
}

void
_nebula_apply_decided (NebulaState *self,
                       const NebulaFact *fact,
                       NebulaLane *lane,
                       NebulaRun *run)
{
  NebulaWork *work = run->work;
  NebulaValue *longer = _nebula_array_with (work->answers, fact->value);

  g_clear_pointer (&work->answers, nebula_value_unref);
  work->answers = longer;
  if (fact->code == 1)
    work->due_usec = fact->due_usec;
}

void
_nebula_apply_lock_granted (NebulaState *self,
                            const NebulaFact *fact,
                            NebulaLane *lane,
                            NebulaRun *run)
{
  run->work->is_held = 1;
  _nebula_work_set_status (self, run->work, NEBULA_NODE_FIRED);
  _nebula_state_push_agenda (self, NEBULA_AGENDA_NODE, lane, fact->node);
}
