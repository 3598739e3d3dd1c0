/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Owner and writer share three things under one lock: the queue of submitted entries, the queue of answered ones, and
 * the table of broken streams. The writer takes what has queued, commits it as one group, and hands the group back; the
 * owner hears of it through an eventfd that its loop polls, or through a condition when it waits in a flush. After a
 * group the writer looks at the queue for some microseconds more before it sleeps: a chain of units, each submitted when
 * the one before is answered, then pays no second wake-up. An owner that works on many streams in a row holds its units
 * back until it is through, or the first of them would be a group of its own and the others would wait for its sync.
 *
 * A stream is broken from the moment one of its units fails until the owner has been told: what it had submitted up to
 * then was built on the failed unit.
 */

#include <sys/eventfd.h>
#include <unistd.h>

#include "nebula-journal-private.h"

typedef struct
{
  GSource parent_instance;
  NebulaJournal *journal;
} JournalSource;

static void
entry_free (NebulaJournalEntry *self)
{
  g_clear_pointer (&self->unit, nebula_unit_free);
  g_clear_error (&self->error);
  g_free (self);
}

/* The owner's side. */

static void
unref (NebulaJournal *self)
{
  if (--self->n_refs > 0)
    return;

  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_main_context_unref (self->context);
  close (self->event_fd);
  g_object_unref (self->store);
  g_hash_table_unref (self->broken);
  g_hash_table_unref (self->group_streams);
  g_ptr_array_unref (self->units);
  g_array_unref (self->outcomes);
  g_cond_clear (&self->has_work);
  g_cond_clear (&self->has_done);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
lift_fence (NebulaJournal *self, const NebulaJournalEntry *entry)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);
  NebulaJournalFence *broken = g_hash_table_lookup (self->broken, entry->unit->stream);

  if (broken && broken->failed == entry->number)
    broken->fence = self->n_submitted;
}

static void
deliver_entry (NebulaJournal *self, NebulaJournalEntry *entry)
{
  if (!entry->unit) {
    if (self->watch)
      self->watch (entry->event, entry->error, self->watch_data);
    entry_free (entry);
    return;
  }

  self->n_pending--;
  if (entry->outcome != NEBULA_OUTCOME_COMMITTED)
    lift_fence (self, entry);
  if (entry->callback)
    entry->callback (entry->unit, entry->outcome, entry->error, entry->user_data);
  entry_free (entry);
}

/* A callback may flush: the inner call then goes on where the outer one stopped, so order holds. */
static void
deliver (NebulaJournal *self)
{
  NebulaJournalEntry *entry = NULL;

  self->n_refs++;
  _nebula_sync_lock (&self->lock);
  _nebula_journal_queue_append (&self->delivering, &self->done);
  g_atomic_int_set (&self->has_answers, FALSE);
  _nebula_sync_unlock (&self->lock);

  while ((entry = _nebula_journal_queue_pop (&self->delivering)))
    deliver_entry (self, entry);
  unref (self);
}

static gboolean
prepare_source (GSource *source, gint *timeout)
{
  NebulaJournal *self = ((JournalSource *) source)->journal;

  *timeout = -1;

  return g_atomic_int_get (&self->has_answers) ||
         (!self->thread && g_atomic_int_get (&self->n_queued) > 0);
}

static gboolean
dispatch_source (GSource *source, GSourceFunc callback, gpointer user_data)
{
  NebulaJournal *self = ((JournalSource *) source)->journal;
  guint64 count = 0;

  self->n_refs++;
  if (read (self->event_fd, &count, sizeof count) < 0)
    count = 0;
  if (!self->thread) {
    g_source_set_ready_time (source, -1);
    _nebula_journal_write_inline (self);
    if (_nebula_journal_is_sync_due (self))
      _nebula_journal_sync_now (self);
  }
  deliver (self);
  if (!self->thread && self->unsynced_since != 0)
    g_source_set_ready_time (source, self->unsynced_since + NEBULA_JOURNAL_SYNC_INTERVAL_USEC);
  unref (self);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .prepare = prepare_source, .dispatch = dispatch_source };

/*
 * nebula_journal_new:
 * @store: where it writes; nobody else may
 * @is_inline: commit in the owner's context instead of in a thread
 *
 * Makes a journal whose owner is the current thread-default context.
 */
NebulaJournal *
nebula_journal_new (NebulaStore *store, gboolean is_inline)
{
  NebulaJournal *self = NULL;

  g_return_val_if_fail (NEBULA_IS_STORE (store), NULL);

  self = g_new0 (NebulaJournal, 1);
  self->n_refs = 1;
  self->store = g_object_ref (store);
  self->context = g_main_context_ref_thread_default ();
  self->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_mutex_init (&self->lock);
  g_cond_init (&self->has_work);
  g_cond_init (&self->has_done);
  self->broken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->group_streams = g_hash_table_new (g_str_hash, g_str_equal);
  self->units = g_ptr_array_new ();
  self->outcomes = g_array_new (FALSE, FALSE, sizeof (NebulaOutcome));

  self->source = g_source_new (&source_funcs, sizeof (JournalSource));
  ((JournalSource *) self->source)->journal = self;
  g_source_set_static_name (self->source, "NebulaJournal");
  g_source_add_unix_fd (self->source, self->event_fd, G_IO_IN);
  g_source_attach (self->source, self->context);

  if (!is_inline)
    self->thread = g_thread_new ("nebula-journal", _nebula_journal_run_writer, self);

  return self;
}

/* Who is told of pauses and of the end; before the first unit. */
void
nebula_journal_set_watch (NebulaJournal *self, NebulaJournalWatch watch, gpointer user_data)
{
  self->watch = watch;
  self->watch_data = user_data;
}

static void
hand_over (NebulaJournal *self)
{
  if (!self->held.head)
    return;

  _nebula_sync_lock (&self->lock);
  _nebula_journal_queue_append (&self->queue, &self->held);
  g_atomic_int_add (&self->n_queued, (gint) self->n_held);
  if (self->is_writer_waiting)
    g_cond_signal (&self->has_work);
  _nebula_sync_unlock (&self->lock);
  self->n_held = 0;

  if (!self->thread)
    g_source_set_ready_time (self->source, 0);
}

void
nebula_journal_hold (NebulaJournal *self)
{
  self->n_holds++;
}

void
nebula_journal_let_go (NebulaJournal *self)
{
  g_return_if_fail (self->n_holds > 0);

  if (--self->n_holds == 0)
    hand_over (self);
}

/* Takes @unit. The callback runs in the owner's context, later; never inside this call. */
void
nebula_journal_submit (NebulaJournal *self,
                       NebulaUnit *unit,
                       NebulaJournalCallback callback,
                       gpointer user_data)
{
  NebulaJournalEntry *entry = NULL;

  g_return_if_fail (unit != NULL);

  entry = g_new0 (NebulaJournalEntry, 1);
  entry->unit = unit;
  entry->callback = callback;
  entry->user_data = user_data;
  entry->number = self->n_submitted++;
  self->n_pending++;
  self->n_held++;
  _nebula_journal_queue_push (&self->held, entry);
  if (self->n_holds == 0)
    hand_over (self);
}

guint
nebula_journal_get_n_pending (NebulaJournal *self)
{
  return self->n_pending;
}

NebulaStore *
nebula_journal_get_store (NebulaJournal *self)
{
  return self->store;
}

void
nebula_journal_get_counters (NebulaJournal *self, NebulaJournalCounters *ret_counters)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  *ret_counters = self->counters;
}

static void
wait_for_answers (NebulaJournal *self)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  self->is_owner_waiting = TRUE;
  while (!self->done.head)
    _nebula_sync_wait (&self->has_done, &self->lock);
  self->is_owner_waiting = FALSE;
}

void
nebula_journal_flush (NebulaJournal *self)
{
  self->n_refs++;
  while (self->n_pending > 0) {
    hand_over (self);
    if (!self->thread)
      _nebula_journal_write_inline (self);
    else if (!self->delivering.head)
      wait_for_answers (self);
    deliver (self);
  }
  unref (self);
}

void
nebula_journal_free (NebulaJournal *self)
{
  GThread *thread = self->thread;

  hand_over (self);
  _nebula_sync_lock (&self->lock);
  self->is_closing = TRUE;
  g_cond_signal (&self->has_work);
  _nebula_sync_unlock (&self->lock);

  if (thread)
    g_thread_join (thread);
  self->thread = NULL;

  /* What callbacks submit now is written here. */
  nebula_journal_flush (self);
  deliver (self);
  if (self->unsynced_since != 0)
    _nebula_journal_sync_now (self);
  deliver (self);
  self->watch = NULL;
  g_source_destroy (self->source);
  unref (self);
}
