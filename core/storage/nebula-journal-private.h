/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-error.h"
#include "nebula-journal-internal.h"
#include "nebula-store-private.h"
#include "nebula-sync-internal.h"

G_BEGIN_DECLS

#define NEBULA_JOURNAL_SYNC_INTERVAL_USEC (50 * 1000)

/* A unit on its way, or (without one) an event for the watch. */
typedef struct _NebulaJournalEntry NebulaJournalEntry;
struct _NebulaJournalEntry
{
  NebulaJournalEntry *next;
  NebulaJournal *owner; /* who is told */
  guint64 number;       /* in the order of submission, whoever submits */
  NebulaUnit *unit;
  NebulaJournalCallback callback;
  gpointer user_data;
  gboolean is_answered; /* without the store: its stream is broken */
  NebulaOutcome outcome;
  GError *error;
  NebulaJournalEvent event;
};

typedef struct
{
  NebulaJournalEntry *head;
  NebulaJournalEntry *tail;
} NebulaJournalQueue;

/* Why later entries of a stream fail. */
typedef struct
{
  guint64 failed; /* number of the entry that broke the stream */
  guint64 fence;  /* entries from this number on were submitted after the owner had heard of it */
} NebulaJournalFence;

/* The writer of a store, which all journals of the store share. It lives as long as one of them. */
typedef struct
{
  NebulaStore *store;
  GThread *thread;     /* NULL: inline */
  gsize n_submitted;   /* atomic: by all owners */
  gint n_queued;       /* atomic: a hint for the writer before it sleeps */

  GMutex lock;         /* guards all to the next empty line, and what NebulaJournal says */
  GCond has_work;
  NebulaJournalQueue queue;
  GPtrArray *owners;   /* NebulaJournal, not owned */
  GHashTable *broken;  /* stream → NebulaJournalFence */
  NebulaJournalCounters counters;
  gboolean is_writer_waiting;
  gboolean is_closing;

  /* The writer's. */
  GPtrArray *units;
  GArray *outcomes;
  GHashTable *group_streams; /* stream → last NebulaJournalEntry of the group */
  gint64 unsynced_since; /* 0: all is synced */
  gboolean is_paused;
  gboolean is_dead;
  gboolean needs_idle;
} NebulaJournalWriter;

struct _NebulaJournal
{
  NebulaJournalWriter *writer;
  GMainContext *context;
  GSource *source;
  int event_fd;

  /* The owner's. */
  guint n_refs;
  NebulaJournalWatch watch;
  gpointer watch_data;
  guint n_pending;
  NebulaJournalQueue delivering;
  NebulaJournalQueue held; /* submitted, not yet handed over */
  guint n_held;
  guint n_holds;
  gint has_answers; /* atomic: a hint for the owner before it polls */

  /* Guarded by the writer's lock. */
  GCond has_done;
  NebulaJournalQueue done;
  gboolean is_owner_waiting;
};

/* nebula-journal-writer.c */
gpointer _nebula_journal_run_writer (gpointer data);
void _nebula_journal_write_inline (NebulaJournalWriter *self);
gboolean _nebula_journal_sync_now (NebulaJournalWriter *self);
gboolean _nebula_journal_is_sync_due (NebulaJournalWriter *self);

static inline void
_nebula_journal_queue_push (NebulaJournalQueue *self, NebulaJournalEntry *entry)
{
  entry->next = NULL;
  if (self->tail)
    self->tail->next = entry;
  else
    self->head = entry;
  self->tail = entry;
}

static inline NebulaJournalEntry *
_nebula_journal_queue_pop (NebulaJournalQueue *self)
{
  NebulaJournalEntry *entry = self->head;

  if (!entry)
    return NULL;
  self->head = entry->next;
  if (!self->head)
    self->tail = NULL;

  return entry;
}

static inline void
_nebula_journal_queue_append (NebulaJournalQueue *self, NebulaJournalQueue *others)
{
  if (!others->head)
    return;
  if (self->tail)
    self->tail->next = others->head;
  else
    self->head = others->head;
  self->tail = others->tail;
  others->head = others->tail = NULL;
}

G_END_DECLS
