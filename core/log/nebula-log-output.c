/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a record to the sinks: at once in the thread that logs, or by the buffer and its thread. All of it is one per
 * process, because GLib's log is.
 */
#include <string.h>
#include <unistd.h>

#include "nebula-log-private.h"
#include "nebula-sync-internal.h"

#define COMPLAINT_USEC (60 * G_USEC_PER_SEC)

static GMutex lock;          /* guards what follows; never held while a sink writes */
static GPtrArray *sinks;     /* NebulaLogSink; NULL: standard error. The array itself never changes. */
static NebulaLogSink *standard;
static NebulaLogFormat standard_format;
static NebulaLogQueue *queue; /* NULL: without buffer, or not begun yet */
static gsize buffer_bytes;
static NebulaLogOverflow buffer_overflow;
static guint64 n_dropped; /* by buffers of before */
static gint64 complained_usec;

static GMutex delivery; /* held while sinks write */
static guint64 n_written, n_failed; /* under @delivery */

static GPrivate inside;

gboolean
_nebula_log_output_is_inside (void)
{
  return g_private_get (&inside) != NULL;
}

static GPtrArray *
ref_sinks (void)
{
  GPtrArray *result = NULL;

  NEBULA_SYNC_AUTO (guard, &lock);
  if (sinks)
    return g_ptr_array_ref (sinks);
  if (!standard)
    standard = nebula_log_sink_open_stream (STDERR_FILENO, standard_format);
  result = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (result, g_object_ref (standard));
  return result;
}

/* The log is the one thing that cannot tell its troubles to the log. */
static void
complain (NebulaLogSink *sink, const GError *error)
{
  g_autofree char *text = g_strdup_printf ("nebula: log entries could not be written (%s): %s\n",
                                           G_OBJECT_TYPE_NAME (sink), error->message);
  gint64 now_usec = g_get_monotonic_time ();

  if (complained_usec != 0 && now_usec - complained_usec < COMPLAINT_USEC)
    return;
  complained_usec = now_usec;
  _nebula_log_write_all (STDERR_FILENO, text, strlen (text));
}

/* Takes the records, but not the array. */
static void
deliver (NebulaLogRecord **records, guint n_records)
{
  g_autoptr (GPtrArray) current = ref_sinks ();
  g_autoptr (NebulaSyncGuard) guard = NULL;

  g_private_set (&inside, &inside);
  for (guint i = 0; i < n_records; i++)
    records[i] = _nebula_log_record_clean (records[i]);
  guard = _nebula_sync_guard (&delivery);
  for (guint i = 0; i < current->len; i++) {
    g_autoptr (GError) error = NULL;

    if (nebula_log_sink_write (g_ptr_array_index (current, i), records, n_records, &error)) {
      n_written += n_records;
      continue;
    }
    n_failed += n_records;
    if (error)
      complain (g_ptr_array_index (current, i), error);
  }
  g_private_set (&inside, NULL);
  for (guint i = 0; i < n_records; i++)
    nebula_log_record_unref (records[i]);
}

void
_nebula_log_output_now (NebulaLogRecord *record)
{
  nebula_log_flush (G_USEC_PER_SEC);
  deliver (&record, 1);
}

/* The thread begins with the first entry: most programs never log. The push happens under the lock, so that nobody ends
 * the buffer meanwhile. */
void
_nebula_log_output (NebulaLogRecord *record)
{
  _nebula_sync_lock (&lock);
  if (buffer_bytes > 0) {
    if (!queue)
      queue = _nebula_log_queue_new (buffer_bytes, buffer_overflow, deliver);
    _nebula_log_queue_push (queue, record);
    record = NULL;
  }
  _nebula_sync_unlock (&lock);
  if (record)
    deliver (&record, 1);
}

/**
 * nebula_log_set_format:
 * @format: how lines look
 *
 * Changes how lines on standard error look where no sinks are set, from the next one on.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_set_format (NebulaLogFormat format)
{
  NEBULA_SYNC_AUTO (guard, &lock);
  standard_format = format;
  g_clear_object (&standard);
}

/**
 * nebula_log_set_sinks:
 * @new_sinks: (nullable) (element-type NebulaLogSink): where entries go, %NULL for standard error
 *
 * Replaces all sinks. Entries that wait go to the old ones, if they can be written within a second.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_set_sinks (GPtrArray *new_sinks)
{
  g_autoptr (GPtrArray) copy = NULL;
  g_autoptr (GPtrArray) old = NULL;

  if (new_sinks) {
    copy = g_ptr_array_new_with_free_func (g_object_unref);
    for (guint i = 0; i < new_sinks->len; i++)
      g_ptr_array_add (copy, g_object_ref (g_ptr_array_index (new_sinks, i)));
  }
  nebula_log_flush (G_USEC_PER_SEC);
  NEBULA_SYNC_AUTO (guard, &lock);
  old = g_steal_pointer (&sinks);
  sinks = g_steal_pointer (&copy);
}

/**
 * nebula_log_set_buffer:
 * @max_bytes: memory for entries that wait, 0 to write each in the thread that logs
 * @overflow: what is dropped when the buffer is full
 *
 * Lets one thread write the log, so that nobody waits for a disk or a network. An entry that does not fit is dropped and
 * counted, and the writer tells how many were. The last eighth is kept for warnings and worse. Entries that end the process
 * are written at once.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_set_buffer (gsize max_bytes, NebulaLogOverflow overflow)
{
  g_autoptr (NebulaLogQueue) old = NULL;

  _nebula_sync_lock (&lock);
  if (buffer_bytes != max_bytes || buffer_overflow != overflow)
    old = g_steal_pointer (&queue);
  buffer_bytes = max_bytes;
  buffer_overflow = overflow;
  _nebula_sync_unlock (&lock);
  if (!old)
    return;
  _nebula_log_queue_stop (old);
  _nebula_sync_lock (&lock);
  n_dropped += _nebula_log_queue_get_dropped (old);
  _nebula_sync_unlock (&lock);
}

/**
 * nebula_log_flush:
 * @patience_usec: how long to wait
 *
 * Waits until all entries so far have been handed to the sinks. A program does this at its end.
 *
 * Thread: any, but no sink's.
 *
 * Returns: whether all were; %FALSE if the time was up
 *
 * Since: 1.0
 */
gboolean
nebula_log_flush (gint64 patience_usec)
{
  g_autoptr (NebulaLogQueue) current = NULL;

  if (_nebula_log_output_is_inside ())
    return FALSE;
  _nebula_sync_lock (&lock);
  current = queue ? _nebula_log_queue_ref (queue) : NULL;
  _nebula_sync_unlock (&lock);
  return !current || _nebula_log_queue_flush (current, patience_usec);
}

/**
 * nebula_log_get_count:
 * @count: what is counted
 *
 * Counts entries since the program began.
 *
 * Thread: any.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint64
nebula_log_get_count (NebulaLogCount count)
{
  g_autoptr (NebulaSyncGuard) guard = NULL;

  if (count == NEBULA_LOG_COUNT_DROPPED) {
    guard = _nebula_sync_guard (&lock);
    return n_dropped + (queue ? _nebula_log_queue_get_dropped (queue) : 0);
  }
  guard = _nebula_sync_guard (&delivery);
  return count == NEBULA_LOG_COUNT_WRITTEN ? n_written : n_failed;
}
