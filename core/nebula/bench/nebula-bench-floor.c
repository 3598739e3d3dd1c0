/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the same durable work costs without an engine. Knows GLib and SQLite only. */

#include <gio/gio.h>
#include <sqlite3.h>

#include "nebula-bench-floor-private.h"

struct _NebulaBenchFloor {
  sqlite3 *db;
  sqlite3_stmt *begin;
  sqlite3_stmt *commit;
  sqlite3_stmt *insert;
  gint64 last_id;
};

static gboolean
check (NebulaBenchFloor *self, int code, GError **error)
{
  if (code == SQLITE_OK || code == SQLITE_DONE)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "SQLite: %s",
               self->db ? sqlite3_errmsg (self->db) : sqlite3_errstr (code));
  return FALSE;
}

static gboolean
run (NebulaBenchFloor *self, sqlite3_stmt *statement, GError **error)
{
  int code = sqlite3_step (statement);

  sqlite3_reset (statement);
  return check (self, code, error);
}

static gboolean
prepare (NebulaBenchFloor *self,
         const char *sql,
         sqlite3_stmt **ret_statement,
         GError **error)
{
  return check (self,
                sqlite3_prepare_v3 (self->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                    ret_statement, NULL),
                error);
}

static gboolean
set_up (NebulaBenchFloor *self, const char *path, gboolean has_index, GError **error)
{
  const char *schema =
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
      "CREATE TABLE step (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL,"
      " wake INTEGER NOT NULL, facts BLOB NOT NULL);";

  return check (self, sqlite3_open (path, &self->db), error) &&
         check (self, sqlite3_exec (self->db, schema, NULL, NULL, NULL), error) &&
         (!has_index ||
          check (self,
                 sqlite3_exec (self->db,
                               "CREATE INDEX step_by_wake ON step (wake) WHERE wake > 0",
                               NULL, NULL, NULL),
                 error)) &&
         prepare (self, "BEGIN IMMEDIATE", &self->begin, error) &&
         prepare (self, "COMMIT", &self->commit, error) &&
         prepare (self, "INSERT INTO step VALUES (?1, ?2, ?3, ?4)", &self->insert, error);
}

NebulaBenchFloor *
nebula_bench_floor_open (const char *path, gboolean has_index, GError **error)
{
  g_autoptr (NebulaBenchFloor) self = g_new0 (NebulaBenchFloor, 1);

  return set_up (self, path, has_index, error) ? g_steal_pointer (&self) : NULL;
}

static gboolean
insert (NebulaBenchFloor *self, GError **error)
{
  static const char facts[NEBULA_BENCH_ROW_BYTES] = {1};

  self->last_id++;
  sqlite3_bind_int64 (self->insert, 1, self->last_id);
  sqlite3_bind_int64 (self->insert, 2, self->last_id * 7919);
  sqlite3_bind_int64 (self->insert, 3, 1 + self->last_id % 1000);
  sqlite3_bind_blob (self->insert, 4, facts, sizeof facts, SQLITE_STATIC);
  return run (self, self->insert, error);
}

gboolean
nebula_bench_floor_commit (NebulaBenchFloor *self, guint n_rows, GError **error)
{
  if (!run (self, self->begin, error))
    return FALSE;
  for (guint i = 0; i < n_rows; i++) {
    if (!insert (self, error))
      return FALSE;
  }
  return run (self, self->commit, error);
}

gboolean
nebula_bench_floor_run (NebulaBenchFloor *self,
                        guint n_commits,
                        guint n_rows,
                        double *ret_seconds,
                        GError **error)
{
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < n_commits; i++) {
    if (!nebula_bench_floor_commit (self, n_rows, error))
      return FALSE;
  }
  *ret_seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  return TRUE;
}

gboolean
nebula_bench_floor_wake_all (NebulaBenchFloor *self, GError **error)
{
  return check (
      self, sqlite3_exec (self->db, "UPDATE step SET wake = 0", NULL, NULL, NULL), error);
}

gboolean
nebula_bench_floor_read_all (NebulaBenchFloor *self, guint *ret_rows, GError **error)
{
  sqlite3_stmt *read = NULL;
  guint n_rows = 0;
  gint64 sum = 0;
  int code;

  if (!prepare (self, "SELECT id, stream, wake, facts FROM step", &read, error))
    return FALSE;
  while ((code = sqlite3_step (read)) == SQLITE_ROW) {
    sum += sqlite3_column_int64 (read, 0) + sqlite3_column_int64 (read, 1) +
           sqlite3_column_int64 (read, 2) + *(const char *) sqlite3_column_blob (read, 3);
    n_rows++;
  }
  sqlite3_finalize (read);
  *ret_rows = sum != 0 ? n_rows : 0;
  return check (self, code, error);
}

void
nebula_bench_floor_close (NebulaBenchFloor *self)
{
  sqlite3_finalize (self->begin);
  sqlite3_finalize (self->commit);
  sqlite3_finalize (self->insert);
  sqlite3_close (self->db);
  g_free (self);
}
