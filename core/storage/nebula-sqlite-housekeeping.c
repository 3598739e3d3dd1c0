/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the writer does between groups and in idle moments: it copies the log, forgets old messages, collects blobs. */

#include "nebula-sqlite-private.h"

/* After an attempt that readers held up, the log is copied only when it has grown by 4 MiB more. */
#define CHECKPOINT_RETRY_FRAMES 1024

#define CONSUMED_RETENTION_USEC (G_GINT64_CONSTANT (7) * 24 * 3600 * G_USEC_PER_SEC)
#define BLOB_GRACE_USEC         (G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC)
#define COLLECT_INTERVAL_USEC   (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

/* Readers may hold the log's end: then the rest is copied another time. */
gboolean
_nebula_sqlite_copy_log (NebulaSqliteStore *self, GError **error)
{
  int n_log = 0;
  int n_copied = 0;
  int code = sqlite3_wal_checkpoint_v2 (self->writer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &n_log,
                                        &n_copied);
  int primary = code & 0xff;

  self->next_checkpoint = self->wal_frames + CHECKPOINT_RETRY_FRAMES;
  if (code == SQLITE_OK || primary == SQLITE_BUSY || primary == SQLITE_FULL)
    return TRUE;

  _nebula_sqlite_store_fail (self, self->writer->db, code, error);

  return FALSE;
}

static gboolean
collect_in_time (NebulaSqliteStore *self, GError **error)
{
  gint64 now = g_get_monotonic_time ();

  if (now < self->next_collect_usec)
    return TRUE;
  self->next_collect_usec = now + COLLECT_INTERVAL_USEC;

  return _nebula_sqlite_collect_locked (self, g_get_real_time () - BLOB_GRACE_USEC, error) >= 0;
}

gboolean
_nebula_sqlite_keep_house (NebulaSqliteStore *self, GError **error)
{
  sqlite3_stmt *statement = NULL;
  int code = SQLITE_OK;

  if (!self->needs_housekeeping)
    return TRUE;

  code = _nebula_sqlite_prepare (self->writer, NEBULA_SQLITE_PRUNE_MESSAGES, &statement);
  if (code == SQLITE_OK) {
    sqlite3_bind_int64 (statement, 1, CONSUMED_RETENTION_USEC);
    code = _nebula_sqlite_run_statement (statement);
  }
  if (code != SQLITE_OK) {
    _nebula_sqlite_store_fail (self, self->writer->db, code, error);
    return FALSE;
  }
  if (!collect_in_time (self, error) || !_nebula_sqlite_copy_log (self, error))
    return FALSE;

  self->needs_housekeeping = FALSE;

  return TRUE;
}
