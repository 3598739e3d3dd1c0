/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A writer may have several owners, each with a journal of its own in a context of its own; their units queue up together
 * and share groups.
 *
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

/* For so long units are answered in one dispatch; then other sources have their turn. */
#define DISPATCH_USEC 200

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
writer_free (NebulaJournalWriter *self)
{
  g_object_unref (self->store);
  g_hash_table_unref (self->broken);
  g_hash_table_unref (self->group_streams);
  g_ptr_array_unref (self->owners);
  g_ptr_array_unref (self->units);
  g_array_unref (self->outcomes);
  g_cond_clear (&self->has_work);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static NebulaJournalWriter *
writer_new (NebulaStore *store)
{
  NebulaJournalWriter *self = g_new0 (NebulaJournalWriter, 1);

  self->store = g_object_ref (store);
  g_mutex_init (&self->lock);
  g_cond_init (&self->has_work);
  self->owners = g_ptr_array_new ();
  self->broken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->group_streams = g_hash_table_new (g_str_hash, g_str_equal);
  self->units = g_ptr_array_new ();
  self->outcomes = g_array_new (FALSE, FALSE, sizeof (NebulaOutcome));
  return self;
}

static void
unref (NebulaJournal *self)
{
  if (--self->n_refs > 0)
    return;

  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_main_context_unref (self->context);
  close (self->event_fd);
  g_cond_clear (&self->has_done);
  if (self->writer)
    writer_free (self->writer);
  g_free (self);
}

static void
lift_fence (NebulaJournalWriter *writer, const NebulaJournalEntry *entry)
{
  NEBULA_SYNC_AUTO (guard, &writer->lock);
  NebulaJournalFence *broken = g_hash_table_lookup (writer->broken, entry->unit->stream);

  if (broken && broken->failed == entry->number)
    broken->fence = (guint64) (gsize) g_atomic_pointer_get (&writer->n_submitted);
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
    lift_fence (self->writer, entry);
  if (entry->callback)
    entry->callback (entry->unit, entry->outcome, entry->error, entry->user_data);
  entry_free (entry);
}

/* A callback may flush: the inner call then goes on where the outer one stopped, so order holds. What is left at the
 * monotonic time @end_usec waits for the next call. */
static void
deliver (NebulaJournal *self, gint64 end_usec)
{
  NebulaJournalEntry *entry = NULL;

  self->n_refs++;
  _nebula_sync_lock (&self->writer->lock);
  _nebula_journal_queue_append (&self->delivering, &self->done);
  g_atomic_int_set (&self->has_answers, FALSE);
  _nebula_sync_unlock (&self->writer->lock);

  while ((entry = _nebula_journal_queue_pop (&self->delivering))) {
    deliver_entry (self, entry);
    if (end_usec != G_MAXINT64 && g_get_monotonic_time () >= end_usec)
      break;
  }
  unref (self);
}

static gboolean
prepare_source (GSource *source, gint *timeout)
{
  NebulaJournal *self = ((JournalSource *) source)->journal;

  *timeout = -1;

  return self->delivering.head || g_atomic_int_get (&self->has_answers) ||
         (!self->writer->thread && g_atomic_int_get (&self->writer->n_queued) > 0);
}

static gboolean
dispatch_source (GSource *source, GSourceFunc callback, gpointer user_data)
{
  NebulaJournal *self = ((JournalSource *) source)->journal;
  NebulaJournalWriter *writer = self->writer;
  gboolean is_inline = !writer->thread;
  guint64 count = 0;

  self->n_refs++;
  if (read (self->event_fd, &count, sizeof count) < 0)
    count = 0;
  if (is_inline) {
    g_source_set_ready_time (source, -1);
    _nebula_journal_write_inline (writer);
    if (_nebula_journal_is_sync_due (writer))
      _nebula_journal_sync_now (writer);
  }
  /* Inline is for tests: what happens must not depend on how fast the machine is. */
  deliver (self, is_inline ? G_MAXINT64 : g_get_monotonic_time () + DISPATCH_USEC);
  if (is_inline && !g_source_is_destroyed (source) && writer->unsynced_since != 0)
    g_source_set_ready_time (source, writer->unsynced_since + NEBULA_JOURNAL_SYNC_INTERVAL_USEC);
  unref (self);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .prepare = prepare_source, .dispatch = dispatch_source };

static NebulaJournal *
journal_new (NebulaJournalWriter *writer)
{
  NebulaJournal *self = g_new0 (NebulaJournal, 1);

  self->n_refs = 1;
  self->writer = writer;
  self->context = g_main_context_ref_thread_default ();
  self->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  g_cond_init (&self->has_done);
  self->source = g_source_new (&source_funcs, sizeof (JournalSource));
  ((JournalSource *) self->source)->journal = self;
  g_source_set_static_name (self->source, "NebulaJournal");
  g_source_add_unix_fd (self->source, self->event_fd, G_IO_IN);
  g_source_attach (self->source, self->context);
  _nebula_sync_lock (&writer->lock);
  g_ptr_array_add (writer->owners, self);
  _nebula_sync_unlock (&writer->lock);

  return self;
}

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

  self = journal_new (writer_new (store));
  if (!is_inline)
    self->writer->thread = g_thread_new ("nebula-journal", _nebula_journal_run_writer, self->writer);

  return self;
}

/*
 * nebula_journal_new_beside:
 * @other: a journal; its owner must not free it meanwhile
 *
 * Makes another journal with the same writer, whose owner is the current thread-default context. A stream must have one
 * owner at any time.
 */
NebulaJournal *
nebula_journal_new_beside (NebulaJournal *other)
{
  g_return_val_if_fail (other != NULL, NULL);

  return journal_new (other->writer);
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
  NebulaJournalWriter *writer = self->writer;

  if (!self->held.head)
    return;

  _nebula_sync_lock (&writer->lock);
  _nebula_journal_queue_append (&writer->queue, &self->held);
  g_atomic_int_add (&writer->n_queued, (gint) self->n_held);
  if (writer->is_writer_waiting)
    g_cond_signal (&writer->has_work);
  _nebula_sync_unlock (&writer->lock);
  self->n_held = 0;

  if (!writer->thread)
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
  entry->owner = self;
  entry->number = (guint64) g_atomic_pointer_add (&self->writer->n_submitted, 1);
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
  return self->writer->store;
}

void
nebula_journal_get_counters (NebulaJournal *self, NebulaJournalCounters *ret_counters)
{
  NEBULA_SYNC_AUTO (guard, &self->writer->lock);

  *ret_counters = self->writer->counters;
}

static void
wait_for_answers (NebulaJournal *self)
{
  NEBULA_SYNC_AUTO (guard, &self->writer->lock);

  self->is_owner_waiting = TRUE;
  while (!self->done.head)
    _nebula_sync_wait (&self->has_done, &self->writer->lock);
  self->is_owner_waiting = FALSE;
}

void
nebula_journal_flush (NebulaJournal *self)
{
  self->n_refs++;
  while (self->n_pending > 0) {
    hand_over (self);
    if (!self->writer->thread)
      _nebula_journal_write_inline (self->writer);
    else if (!self->delivering.head)
      wait_for_answers (self);
    deliver (self, G_MAXINT64);
  }
  unref (self);
}

static gboolean
is_alien (NebulaJournal *self, NebulaJournalEntry *entry)
{
  if (entry->owner != self)
    return TRUE;
  entry_free (entry);
  return FALSE;
}

/* Forgets what @self has in @queue; with the lock held. */
static void
purge (NebulaJournal *self, NebulaJournalQueue *queue)
{
  NebulaJournalQueue others = { NULL, NULL };
  NebulaJournalEntry *entry = NULL;

  while ((entry = _nebula_journal_queue_pop (queue)))
    if (is_alien (self, entry))
      _nebula_journal_queue_push (&others, entry);
  *queue = others;
}

/* Whether it was the last owner, who ends the writer. */
static gboolean
leave (NebulaJournal *self)
{
  NebulaJournalWriter *writer = self->writer;
  NEBULA_SYNC_AUTO (guard, &writer->lock);

  if (writer->owners->len > 1) {
    g_ptr_array_remove (writer->owners, self);
    purge (self, &self->done); /* events that nobody hears any more */
    return FALSE;
  }
  writer->is_closing = TRUE;
  g_cond_signal (&writer->has_work);
  return TRUE;
}

static void
end_writer (NebulaJournal *self)
{
  NebulaJournalWriter *writer = self->writer;
  GThread *thread = writer->thread;

  if (thread)
    g_thread_join (thread);
  writer->thread = NULL;

  /* What callbacks submit now is written here. */
  nebula_journal_flush (self);
  deliver (self, G_MAXINT64);
  if (writer->unsynced_since != 0)
    _nebula_journal_sync_now (writer);
  deliver (self, G_MAXINT64);
}

static void
close_journal (NebulaJournal *self, gboolean is_last)
{
  purge (self, &self->delivering);
  self->watch = NULL;
  if (!is_last)
    self->writer = NULL;
  g_source_destroy (self->source);
  unref (self);
}

void
nebula_journal_free (NebulaJournal *self)
{
  gboolean is_last;

  hand_over (self);
  _nebula_sync_lock (&self->writer->lock);
  is_last = self->writer->owners->len == 1;
  _nebula_sync_unlock (&self->writer->lock);
  if (!is_last)
    nebula_journal_flush (self);
  is_last = leave (self);
  if (is_last)
    end_writer (self);
  close_journal (self, is_last);
}

/* What is taken out of @queue fails. */
static void
fail_own (NebulaJournal *self, NebulaJournalQueue *queue, NebulaJournalQueue *failed)
{
  NebulaJournalQueue others = { NULL, NULL };
  NebulaJournalEntry *entry = NULL;

  while ((entry = _nebula_journal_queue_pop (queue)))
    _nebula_journal_queue_push (entry->owner == self ? failed : &others, entry);
  *queue = others;
  for (entry = failed->head; entry; entry = entry->next) {
    entry->outcome = NEBULA_OUTCOME_FAILED;
    if (!entry->error)
      entry->error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_CANCELLED, "Its owner has died.");
  }
}

/* Only inline: it is gone as if its owner had died. What is not written yet never is, and all is told to have failed, so
 * that what waits for it can be freed. Others may stay. */
void
nebula_journal_abandon (NebulaJournal *self)
{
  NebulaJournalWriter *writer = self->writer;
  NebulaJournalQueue failed = { NULL, NULL };
  guint n_queued = 0;

  g_return_if_fail (!writer->thread);

  fail_own (self, &self->delivering, &failed);
  fail_own (self, &self->done, &failed);
  fail_own (self, &writer->queue, &failed);
  fail_own (self, &self->held, &failed);
  for (NebulaJournalEntry *entry = writer->queue.head; entry; entry = entry->next)
    n_queued++;
  g_atomic_int_set (&writer->n_queued, (gint) n_queued);
  _nebula_journal_queue_append (&self->done, &failed);
  deliver (self, G_MAXINT64);
  close_journal (self, leave (self));
}
