/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bounded buffer between those who log and one thread that writes. To push is to link a record into a list under a lock;
 * the thread takes the whole list at once. It is woken only when it sleeps.
 *
 * When the buffer is full, entries are dropped and counted: the new one or the oldest, as was chosen. The last eighth is
 * kept for warnings and worse. The writer tells of drops by an entry of its own.
 */
#include "nebula-log-private.h"
#include "nebula-sync-internal.h"

#define BATCH 256
#define DOMAIN_NAME "nebula-log"

struct _NebulaLogQueue {
  gatomicrefcount count;
  GMutex lock; /* guards all that follows */
  GCond filled;
  GCond drained;
  NebulaLogRecord *head, *tail;
  gsize bytes, limit;
  NebulaLogOverflow overflow;
  guint64 n_pushed; /* numbers the records */
  guint64 n_dropped, n_told;
  guint64 writing; /* number of the oldest record that is being written, 0: none is */
  gboolean is_asleep, is_ending;

  NebulaLogDeliver deliver;
  GThread *thread;
};

/* With the lock held. */
static NebulaLogRecord *
take_head (NebulaLogQueue *self)
{
  NebulaLogRecord *record = self->head;

  self->head = record->next;
  if (!self->head)
    self->tail = NULL;
  self->bytes -= record->size;
  record->next = NULL;
  return record;
}

static NebulaLogRecord *
make_note (guint64 n_dropped)
{
  g_autofree char *count = g_strdup_printf ("%" G_GUINT64_FORMAT, n_dropped);
  g_autofree char *message
      = g_strconcat ("the buffer was full; entries dropped: ", count, NULL);
  GLogField fields[] = {
      {"GLIB_DOMAIN", DOMAIN_NAME, -1},
      {"MESSAGE", message, -1},
      {"NEBULA_DROPPED", count, -1},
  };

  return _nebula_log_record_new (G_LOG_LEVEL_WARNING, g_get_real_time (), fields,
                                 G_N_ELEMENTS (fields), NULL);
}

static void
deliver (NebulaLogQueue *self, NebulaLogRecord *list, guint64 n_dropped)
{
  NebulaLogRecord *batch[BATCH];
  guint n = 0;

  while (list || n_dropped > 0) {
    NebulaLogRecord *record = list;

    if (record) {
      list = record->next;
      record->next = NULL;
      batch[n++] = record;
    } else {
      batch[n++] = make_note (n_dropped);
      n_dropped = 0;
    }
    if (n < BATCH && (list || n_dropped > 0))
      continue;
    self->deliver (batch, n);
    n = 0;
  }
}

static gpointer
run (gpointer data)
{
  NebulaLogQueue *self = data;

  _nebula_sync_lock (&self->lock);
  while (TRUE) {
    NebulaLogRecord *list = self->head;
    guint64 n_dropped = self->n_dropped - self->n_told;

    if (!list && n_dropped == 0 && self->is_ending)
      break;
    if (!list && n_dropped == 0) {
      self->is_asleep = TRUE;
      _nebula_sync_wait (&self->filled, &self->lock);
      self->is_asleep = FALSE;
      continue;
    }
    self->writing = list ? list->number : MAX (self->n_pushed, 1);
    self->head = self->tail = NULL;
    self->bytes = 0;
    self->n_told = self->n_dropped;
    _nebula_sync_unlock (&self->lock);
    deliver (self, list, n_dropped);
    _nebula_sync_lock (&self->lock);
    self->writing = 0;
    g_cond_broadcast (&self->drained);
  }
  _nebula_sync_unlock (&self->lock);
  return NULL;
}

NebulaLogQueue *
_nebula_log_queue_new (gsize limit_bytes, NebulaLogOverflow overflow, NebulaLogDeliver deliver_func)
{
  NebulaLogQueue *self = g_new0 (NebulaLogQueue, 1);

  g_atomic_ref_count_init (&self->count);
  g_mutex_init (&self->lock);
  g_cond_init (&self->filled);
  g_cond_init (&self->drained);
  self->limit = limit_bytes;
  self->overflow = overflow;
  self->deliver = deliver_func;
  self->thread = g_thread_new ("nebula-log", run, self);
  return self;
}

NebulaLogQueue *
_nebula_log_queue_ref (NebulaLogQueue *self)
{
  g_atomic_ref_count_inc (&self->count);
  return self;
}

void
_nebula_log_queue_stop (NebulaLogQueue *self)
{
  _nebula_sync_lock (&self->lock);
  self->is_ending = TRUE;
  g_cond_signal (&self->filled);
  _nebula_sync_unlock (&self->lock);
  g_thread_join (self->thread);
}

void
_nebula_log_queue_unref (NebulaLogQueue *self)
{
  if (!g_atomic_ref_count_dec (&self->count))
    return;
  g_cond_clear (&self->drained);
  g_cond_clear (&self->filled);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gsize
get_limit (NebulaLogQueue *self, NebulaLogRecord *record)
{
  gboolean is_grave
      = record->level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);

  return is_grave ? self->limit : self->limit - self->limit / 8;
}

/* With the lock held; what must go is linked into the list that is given, to be freed without the lock. */
static NebulaLogRecord *
push (NebulaLogQueue *self, NebulaLogRecord *record)
{
  gsize limit = get_limit (self, record);
  NebulaLogRecord *gone = NULL;

  while (self->overflow == NEBULA_LOG_OVERFLOW_DROP_OLDEST && self->head
         && self->bytes + record->size > limit) {
    NebulaLogRecord *oldest = take_head (self);

    oldest->next = gone;
    gone = oldest;
    self->n_dropped++;
  }
  if (self->bytes + record->size > limit) {
    record->next = gone;
    self->n_dropped++;
    return record;
  }
  record->number = ++self->n_pushed;
  if (self->tail)
    self->tail->next = record;
  else
    self->head = record;
  self->tail = record;
  self->bytes += record->size;
  return gone;
}

void
_nebula_log_queue_push (NebulaLogQueue *self, NebulaLogRecord *record)
{
  NebulaLogRecord *gone = NULL;

  _nebula_sync_lock (&self->lock);
  gone = push (self, record);
  if (self->is_asleep) {
    /* The next one need not wake it again. */
    self->is_asleep = FALSE;
    g_cond_signal (&self->filled);
  }
  _nebula_sync_unlock (&self->lock);
  while (gone) {
    g_autoptr (NebulaLogRecord) dropped = gone;

    gone = gone->next;
  }
}

static gboolean
is_drained (NebulaLogQueue *self, guint64 number)
{
  return (!self->head || self->head->number > number)
         && (self->writing == 0 || self->writing > number) && self->n_told == self->n_dropped;
}

gboolean
_nebula_log_queue_flush (NebulaLogQueue *self, gint64 patience_usec)
{
  gint64 end_usec = g_get_monotonic_time () + patience_usec;
  guint64 number = 0;

  NEBULA_SYNC_AUTO (guard, &self->lock);
  number = self->n_pushed;
  while (!is_drained (self, number))
    if (!_nebula_sync_wait_until (&self->drained, &self->lock, end_usec))
      return is_drained (self, number);
  return TRUE;
}

guint64
_nebula_log_queue_get_dropped (NebulaLogQueue *self)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);
  return self->n_dropped;
}
