/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Locks: whoever holds one keeps it as long as it is active. A gate has them, and grants them in the order of asking,
 * also to nodes of other executions; first releases of the format had them within one execution (code 0).
 */

#include "nebula-state-private.h"

void
_nebula_lock_free (gpointer data)
{
  NebulaLock *lock = data;

  g_queue_clear (&lock->works);
  g_free (lock->name);
  g_free (lock);
}

static NebulaLock *
get_lock (NebulaState *self, const char *name)
{
  NebulaLock *lock;

  if (!self->locks)
    self->locks = g_ptr_array_new_with_free_func (_nebula_lock_free);
  for (guint i = 0; i < self->locks->len; i++) {
    lock = self->locks->pdata[i];
    if (g_str_equal (lock->name, name))
      return lock;
  }
  lock = g_new0 (NebulaLock, 1);
  lock->name = g_strdup (name);
  g_queue_init (&lock->works);
  g_ptr_array_add (self->locks, lock);
  return lock;
}

void
_nebula_apply_lock_asked (NebulaState *self,
                          const NebulaFact *fact,
                          NebulaLane *lane,
                          NebulaRun *run)
{
  NebulaLock *lock;

  if (fact->code == 1) {
    run->work->hold = g_strdup (fact->text);
    run->work->wait = NEBULA_WAIT_GATE;
    _nebula_work_set_status (self, run->work, NEBULA_NODE_WAITING);
    return;
  }
  lock = get_lock (self, fact->text);
  run->work->lock = lock;
  g_queue_push_tail (&lock->works, run->work);
  if (lock->works.length == 1)
    return;
  run->work->wait = NEBULA_WAIT_LOCK;
  _nebula_work_set_status (self, run->work, NEBULA_NODE_WAITING);
}

static void
wake_first (NebulaState *self, NebulaLock *lock)
{
  NebulaWork *work = g_queue_peek_head (&lock->works);

  _nebula_work_set_status (self, work, NEBULA_NODE_FIRED);
  _nebula_state_push_agenda (self, NEBULA_AGENDA_NODE, work->lane, work->node);
}

void
_nebula_lock_release (NebulaState *self, NebulaWork *work)
{
  NebulaLock *lock = g_steal_pointer (&work->lock);
  gboolean has_held;

  if (!lock)
    return;
  has_held = g_queue_peek_head (&lock->works) == work;
  g_queue_remove (&lock->works, work);
  if (g_queue_is_empty (&lock->works))
    g_ptr_array_remove (self->locks, lock);
  else if (has_held)
    wake_first (self, lock);
}
