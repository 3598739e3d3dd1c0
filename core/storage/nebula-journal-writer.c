/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The writer's side of the journal: forms groups, commits them, reads back what nobody knows, and hands back. */

#include "config.h"

#include <glib/gi18n-lib.h>
#include <unistd.h>

#include "nebula-journal-private.h"

#define GROUP_UNITS 2048
#define GROUP_BYTES (8 * 1024 * 1024)
#define IDLE_USEC G_USEC_PER_SEC
#define SPIN_USEC 40
#define RETRY_MIN_USEC (100 * 1000)
#define RETRY_MAX_USEC G_USEC_PER_SEC

static gsize
entry_get_size (const NebulaJournalEntry *self)
{
  gsize size = 256;

  if (self->unit->facts)
    size += g_bytes_get_size (self->unit->facts);
  if (self->unit->checkpoint)
    size += g_bytes_get_size (self->unit->checkpoint);
  for (guint i = 0; self->unit->blobs && i < self->unit->blobs->len; i++)
    size += g_bytes_get_size (((NebulaBlob *) g_ptr_array_index (self->unit->blobs, i))->bytes);

  return size;
}

/* Answers. */

/* With the lock held. */
static void
give_to_owner (NebulaJournalEntry *entry)
{
  NebulaJournal *owner = entry->owner;
  gboolean was_empty = owner->done.head == NULL;
  guint64 one = 1;

  _nebula_journal_queue_push (&owner->done, entry);
  g_atomic_int_set (&owner->has_answers, TRUE);
  if (!was_empty)
    return;
  if (owner->is_owner_waiting)
    g_cond_signal (&owner->has_done);
  if (write (owner->event_fd, &one, sizeof one) < 0)
    g_debug ("The event counter is full");
}

static void
hand_back (NebulaJournalWriter *self, NebulaJournalQueue *answered)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);
  NebulaJournalEntry *entry = NULL;

  while ((entry = _nebula_journal_queue_pop (answered)))
    give_to_owner (entry);
}

static void
tell_event (NebulaJournalWriter *self, NebulaJournalEvent event, const GError *error)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  for (guint i = 0; i < self->owners->len; i++) {
    NebulaJournalEntry *entry = g_new0 (NebulaJournalEntry, 1);

    entry->owner = g_ptr_array_index (self->owners, i);
    entry->event = event;
    entry->error = error ? g_error_copy (error) : NULL;
    give_to_owner (entry);
  }
}

static GError *
make_error (const NebulaJournalEntry *entry, const GError *reason)
{
  const char *stream = entry->unit->stream;

  switch (entry->outcome) {
  case NEBULA_OUTCOME_COMMITTED:
    return NULL;
  case NEBULA_OUTCOME_REFUSED_STALE:
    return g_error_new (NEBULA_ERROR, NEBULA_ERROR_STALE,
                        _("“%s” has moved on, or another owner holds it. Read it again"), stream);
  case NEBULA_OUTCOME_REFUSED_REVISION:
    return g_error_new (NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                        _("A document that “%s” writes has changed in the meantime. Read it again"),
                        stream);
  case NEBULA_OUTCOME_FAILED:
  case NEBULA_OUTCOME_UNKNOWN:
  default:
    if (reason)
      return g_error_copy (reason);
    if (entry->is_answered)
      return g_error_new (NEBULA_ERROR, NEBULA_ERROR_STALE,
                          _("An earlier change of “%s” failed, and this one was built on it"),
                          stream);
    return g_error_new (NEBULA_ERROR, NEBULA_ERROR_STORE,
                        _("The store cannot hold this change of “%s”: it is malformed or too large"),
                        stream);
  }
}

/* Forming a group. */

/* An entry may follow another of its stream in one group only if the store itself would refuse it after that one. */
static gboolean
may_follow (const NebulaJournalEntry *entry, const NebulaJournalEntry *previous)
{
  return previous->unit->n_facts > 0 && _nebula_unit_has_precondition (entry->unit) &&
         entry->unit->expected_sequence == _nebula_unit_get_last (previous->unit);
}

/* With the lock held. */
static gboolean
is_broken (NebulaJournalWriter *self, const NebulaJournalEntry *entry)
{
  NebulaJournalFence *broken = NULL;

  if (g_hash_table_size (self->broken) == 0)
    return FALSE;
  broken = g_hash_table_lookup (self->broken, entry->unit->stream);
  if (!broken)
    return FALSE;
  if (entry->number < broken->fence)
    return TRUE;
  g_hash_table_remove (self->broken, entry->unit->stream);

  return FALSE;
}

static gboolean
is_told (gpointer key, gpointer value, gpointer user_data)
{
  return ((NebulaJournalFence *) value)->fence != G_MAXUINT64;
}

/* With the lock held. Takes what one transaction may hold, in order. */
static void
form_group (NebulaJournalWriter *self, NebulaJournalQueue *group)
{
  gsize size = 0;
  guint count = 0;

  g_hash_table_remove_all (self->group_streams);
  while (self->queue.head && count < GROUP_UNITS && size < GROUP_BYTES) {
    NebulaJournalEntry *entry = self->queue.head;
    NebulaJournalEntry *previous = g_hash_table_lookup (self->group_streams, entry->unit->stream);

    if (previous && !may_follow (entry, previous))
      break;
    _nebula_journal_queue_pop (&self->queue);
    g_atomic_int_add (&self->n_queued, -1);
    entry->is_answered = is_broken (self, entry);
    entry->outcome = NEBULA_OUTCOME_FAILED;
    _nebula_journal_queue_push (group, entry);
    if (!entry->is_answered)
      g_hash_table_insert (self->group_streams, entry->unit->stream, entry);
    size += entry_get_size (entry);
    count++;
  }

  if (!self->queue.head && g_hash_table_size (self->broken) > 0)
    g_hash_table_foreach_remove (self->broken, is_told, NULL);
}

/* Pausing. */

static gboolean
is_passing (const GError *error)
{
  return g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY) ||
         g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_STORE_FULL);
}

/* Sleeps; FALSE if the journal is being closed and nothing is worth waiting for. */
static gboolean
sleep_before_retry (NebulaJournalWriter *self, gint64 *delay_usec)
{
  gint64 end = g_get_monotonic_time () + *delay_usec;
  gboolean may_retry = FALSE;

  *delay_usec = MIN (*delay_usec * 2, RETRY_MAX_USEC);
  _nebula_sync_lock (&self->lock);
  while (!self->is_closing && _nebula_sync_wait_until (&self->has_work, &self->lock, end))
    ;
  may_retry = !self->is_closing;
  _nebula_sync_unlock (&self->lock);

  return may_retry;
}

/* What a failed call to the store means: TRUE to try it again. */
static gboolean
handle_failure (NebulaJournalWriter *self, const GError *error, gint64 *delay_usec)
{
  if (is_passing (error)) {
    if (!self->is_paused)
      tell_event (self, NEBULA_JOURNAL_EVENT_PAUSED, error);
    self->is_paused = TRUE;
    return sleep_before_retry (self, delay_usec);
  }

  if (!self->is_dead && (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_STORE_SEALED) ||
                         g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT))) {
    self->is_dead = TRUE;
    self->unsynced_since = 0;
    tell_event (self, NEBULA_JOURNAL_EVENT_FATAL, error);
  }

  return FALSE;
}

static void
handle_success (NebulaJournalWriter *self, gboolean is_synced)
{
  if (self->is_paused)
    tell_event (self, NEBULA_JOURNAL_EVENT_RESUMED, NULL);
  self->is_paused = FALSE;
  self->needs_idle = TRUE;

  if (is_synced || !nebula_store_get_is_durable (self->store))
    self->unsynced_since = 0;
  else if (self->unsynced_since == 0)
    self->unsynced_since = g_get_monotonic_time ();
}

gboolean
_nebula_journal_sync_now (NebulaJournalWriter *self)
{
  gint64 delay = RETRY_MIN_USEC;

  while (TRUE) {
    g_autoptr (GError) error = NULL;

    if (nebula_store_sync (self->store, &error)) {
      handle_success (self, TRUE);
      return TRUE;
    }
    if (!handle_failure (self, error, &delay))
      return FALSE;
  }
}

/* Reading back. */

static gboolean
documents_are_there (NebulaJournalWriter *self, const NebulaUnit *unit, GError **error)
{
  for (guint i = 0; i < unit->documents->len; i++) {
    const NebulaDocumentWrite *write = g_ptr_array_index (unit->documents, i);
    g_autoptr (GError) failure = NULL;
    g_autoptr (GBytes) value = nebula_store_read_document (self->store, write->collection,
                                                           write->key, NULL, &failure);

    if (failure) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    if ((value == NULL) != (write->value == NULL) || (value && !g_bytes_equal (value, write->value)))
      return FALSE;
  }

  return TRUE;
}

static gboolean
facts_are_there (NebulaJournalWriter *self, const NebulaUnit *unit, GError **error)
{
  g_autoptr (GPtrArray) segments =
      nebula_store_read_segments (self->store, unit->stream, unit->expected_sequence, 1, error);
  NebulaSegment *segment = NULL;

  if (!segments || segments->len == 0)
    return FALSE;
  segment = g_ptr_array_index (segments, 0);

  return segment->first == unit->expected_sequence + 1 &&
         segment->last == _nebula_unit_get_last (unit) &&
         g_bytes_equal (segment->facts, unit->facts);
}

/* A unit that has neither facts nor documents may simply be written once more. */
static NebulaOutcome
look_up (NebulaJournalWriter *self, NebulaUnit *unit, GError **error)
{
  NebulaOutcome outcome = NEBULA_OUTCOME_UNKNOWN;
  gboolean is_there = FALSE;
  g_autoptr (GError) failure = NULL;

  if (unit->n_facts == 0 && !unit->documents) {
    nebula_store_commit (self->store, &unit, 1, unit->strict, &outcome, error);
    return outcome;
  }

  is_there = unit->n_facts > 0 ? facts_are_there (self, unit, &failure)
                               : documents_are_there (self, unit, &failure);
  if (failure) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NEBULA_OUTCOME_UNKNOWN;
  }

  return is_there ? NEBULA_OUTCOME_COMMITTED : NEBULA_OUTCOME_FAILED;
}

static void
read_back (NebulaJournalWriter *self, NebulaJournalEntry *entry)
{
  gint64 delay = RETRY_MIN_USEC;
  gboolean must_retry = TRUE;

  while (must_retry) {
    g_autoptr (GError) error = NULL;

    entry->outcome = look_up (self, entry->unit, &error);
    must_retry = entry->outcome == NEBULA_OUTCOME_UNKNOWN && error &&
                 handle_failure (self, error, &delay);
  }

  /* It may have been written and not synced. */
  if (entry->outcome == NEBULA_OUTCOME_COMMITTED && entry->unit->strict && !_nebula_journal_sync_now (self))
    entry->outcome = NEBULA_OUTCOME_UNKNOWN;
}

/* Writing a group. */

static gboolean
collect_units (NebulaJournalWriter *self, NebulaJournalQueue *group)
{
  gboolean sync = FALSE;

  g_ptr_array_set_size (self->units, 0);
  for (NebulaJournalEntry *entry = group->head; entry; entry = entry->next) {
    if (entry->is_answered)
      continue;
    g_ptr_array_add (self->units, entry->unit);
    sync |= entry->unit->strict;
  }
  g_array_set_size (self->outcomes, self->units->len);

  return sync;
}

gboolean
_nebula_journal_is_sync_due (NebulaJournalWriter *self)
{
  return self->unsynced_since != 0 &&
         g_get_monotonic_time () >= self->unsynced_since + NEBULA_JOURNAL_SYNC_INTERVAL_USEC;
}

static gboolean
commit_units (NebulaJournalWriter *self, gboolean sync, GError **ret_reason)
{
  NebulaUnit **units = (NebulaUnit **) self->units->pdata;
  NebulaOutcome *outcomes = (NebulaOutcome *) (gpointer) self->outcomes->data;
  gint64 delay = RETRY_MIN_USEC;

  while (TRUE) {
    g_autoptr (GError) error = NULL;

    if (nebula_store_commit (self->store, units, self->units->len, sync, outcomes, &error)) {
      handle_success (self, sync);
      return TRUE;
    }
    if (!handle_failure (self, error, &delay)) {
      *ret_reason = g_steal_pointer (&error);
      return FALSE;
    }
  }
}

static void
set_outcomes (NebulaJournalWriter *self, NebulaJournalQueue *group, const GError *reason)
{
  guint i = 0;

  for (NebulaJournalEntry *entry = group->head; entry; entry = entry->next) {
    if (!entry->is_answered)
      entry->outcome = g_array_index (self->outcomes, NebulaOutcome, i++);
    if (entry->outcome == NEBULA_OUTCOME_UNKNOWN && !self->is_dead)
      read_back (self, entry);
    entry->error = make_error (entry, entry->is_answered ? NULL : reason);
  }
}

/* Marks the streams of what failed and counts what did not. */
static void
account (NebulaJournalWriter *self, NebulaJournalQueue *group, gboolean is_committed, gboolean sync)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  if (is_committed) {
    self->counters.groups++;
    self->counters.syncs += sync ? 1 : 0;
  }
  for (NebulaJournalEntry *entry = group->head; entry; entry = entry->next) {
    NebulaJournalFence *broken = NULL;

    if (entry->outcome == NEBULA_OUTCOME_COMMITTED) {
      self->counters.units++;
      continue;
    }
    if (g_hash_table_contains (self->broken, entry->unit->stream))
      continue;
    broken = g_new (NebulaJournalFence, 1);
    broken->failed = entry->number;
    broken->fence = G_MAXUINT64;
    g_hash_table_insert (self->broken, g_strdup (entry->unit->stream), broken);
  }
}

static void
write_group (NebulaJournalWriter *self, NebulaJournalQueue *group)
{
  gboolean sync = collect_units (self, group) || _nebula_journal_is_sync_due (self);
  gboolean is_committed = FALSE;
  g_autoptr (GError) reason = NULL;

  if (self->is_dead) {
    reason = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_STORE_SEALED,
                                  _("The store was sealed after a failure. Start the program again"));
    for (guint i = 0; i < self->outcomes->len; i++)
      g_array_index (self->outcomes, NebulaOutcome, i) = NEBULA_OUTCOME_FAILED;
  } else if (self->units->len > 0) {
    is_committed = commit_units (self, sync, &reason);
  }

  set_outcomes (self, group, reason);
  account (self, group, is_committed, sync);
  hand_back (self, group);
}

/* The writer's thread. */

static void
spin (NebulaJournalWriter *self)
{
  gint64 end = g_get_monotonic_time () + SPIN_USEC;

  while (g_atomic_int_get (&self->n_queued) == 0 && g_get_monotonic_time () < end)
    ;
}

/* With the lock held: sleeps until there is work; FALSE when a time came first. */
static gboolean
wait_for_work (NebulaJournalWriter *self)
{
  gboolean is_signalled = TRUE;

  self->is_writer_waiting = TRUE;
  if (self->unsynced_since != 0)
    is_signalled = _nebula_sync_wait_until (&self->has_work, &self->lock,
                                            self->unsynced_since + NEBULA_JOURNAL_SYNC_INTERVAL_USEC);
  else if (self->needs_idle)
    is_signalled = _nebula_sync_wait_until (&self->has_work, &self->lock,
                                            g_get_monotonic_time () + IDLE_USEC);
  else
    _nebula_sync_wait (&self->has_work, &self->lock);
  self->is_writer_waiting = FALSE;

  return is_signalled;
}

static void
work_idly (NebulaJournalWriter *self)
{
  g_autoptr (GError) error = NULL;
  gint64 delay = 0;

  if (self->unsynced_since != 0) {
    _nebula_journal_sync_now (self);
    return;
  }

  self->needs_idle = FALSE;
  if (!self->is_dead && !nebula_store_commit (self->store, NULL, 0, FALSE, NULL, &error) &&
      !is_passing (error))
    handle_failure (self, error, &delay);
}

/* FALSE at the end. */
static gboolean
take_group (NebulaJournalWriter *self, NebulaJournalQueue *group)
{
  gboolean is_signalled = TRUE;

  spin (self);
  _nebula_sync_lock (&self->lock);
  while (!self->queue.head && !self->is_closing && is_signalled)
    is_signalled = wait_for_work (self);
  form_group (self, group);
  is_signalled |= self->is_closing;
  _nebula_sync_unlock (&self->lock);

  if (group->head)
    return TRUE;
  if (!is_signalled) {
    work_idly (self);
    return TRUE;
  }

  return FALSE;
}

gpointer
_nebula_journal_run_writer (gpointer data)
{
  NebulaJournalWriter *self = data;
  NebulaJournalQueue group = { NULL, NULL };

  while (take_group (self, &group))
    if (group.head)
      write_group (self, &group);

  if (self->unsynced_since != 0)
    _nebula_journal_sync_now (self);

  return NULL;
}

/* Without a thread: the owner writes what has queued. */
void
_nebula_journal_write_inline (NebulaJournalWriter *self)
{
  NebulaJournalQueue group = { NULL, NULL };

  _nebula_sync_lock (&self->lock);
  form_group (self, &group);
  _nebula_sync_unlock (&self->lock);
  if (group.head)
    write_group (self, &group);
}
