/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-store.h"

G_BEGIN_DECLS

/*
 * The one writer of a store. Units queue up; the writer thread commits all that has queued in one group while the next
 * group forms (group commit without artificial delay), and reports the outcomes, in order, in one dispatch of the
 * owner's context. FIFO: if a unit fails, the later units of its stream that are already queued fail with it.
 * After an outcome “unknown” the writer reads the stream's sequence back before anything else happens, and reports
 * committed or failed. Relaxed groups are synced at least every 50 ms. Busy or full stores are tried again until they
 * work (`paused` and `resumed` callbacks); a sealed store reports `fatal` once.
 *
 * A store has one writer; several owners may have a journal each in front of it.
 *
 * Thread: owner context; the writer is the journal's own thread, or none with inline.
 */

typedef struct _NebulaJournal NebulaJournal;

/* @error is set when @outcome is not committed; @unit is freed after the call. */
typedef void (*NebulaJournalCallback) (const NebulaUnit *unit, NebulaOutcome outcome, const GError *error, gpointer user_data);

typedef enum
{
  NEBULA_JOURNAL_EVENT_PAUSED,
  NEBULA_JOURNAL_EVENT_RESUMED,
  NEBULA_JOURNAL_EVENT_FATAL,
} NebulaJournalEvent;

typedef void (*NebulaJournalWatch) (NebulaJournalEvent event, const GError *error, gpointer user_data);

typedef struct
{
  guint64 units;   /* committed */
  guint64 groups;  /* transactions */
  guint64 syncs;   /* groups that were synced before they were answered */
} NebulaJournalCounters;

/* @is_inline: commit in nebula_journal_flush () or an idle dispatch of the owner's context, without a thread (tests). */
NebulaJournal *nebula_journal_new (NebulaStore *store, gboolean is_inline);
/* Another one for the same writer, in the context of the caller; units of both share groups. */
NebulaJournal *nebula_journal_new_beside (NebulaJournal *other);
void nebula_journal_set_watch (NebulaJournal *self, NebulaJournalWatch watch, gpointer user_data);
void nebula_journal_submit (NebulaJournal *self, NebulaUnit *unit, NebulaJournalCallback callback, gpointer user_data); /* takes unit */
/* Between these two, units are kept back and then handed over together: one group, one wake-up of the writer. The
 * owner holds while it works on many executions in a row, at most for one turn of its loop. They nest. */
void nebula_journal_hold (NebulaJournal *self);
void nebula_journal_let_go (NebulaJournal *self);
guint nebula_journal_get_n_pending (NebulaJournal *self);
NebulaStore *nebula_journal_get_store (NebulaJournal *self);
void nebula_journal_get_counters (NebulaJournal *self, NebulaJournalCounters *ret_counters);
/* Blocks until all that was submitted is answered; callbacks run inside. */
void nebula_journal_flush (NebulaJournal *self);
/* Flushes, ends the thread if it is the last one of it, and frees. */
void nebula_journal_free (NebulaJournal *self);
/* Inline ones only, for tests: gone as if its owner had died. What is not written never is, and all is told to have failed. */
void nebula_journal_abandon (NebulaJournal *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJournal, nebula_journal_free)

G_END_DECLS
