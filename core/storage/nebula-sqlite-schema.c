/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The file format, version 4.
 *
 * A store is one SQLite database in WAL mode with application id “NEBL”; `user_version` is the version of the schema.
 * Times are microseconds since 1970 in UTC. Texts are UTF-8, compared by their bytes.
 *
 *   stream      one row a stream: the header, see NebulaHeader
 *     segment   number of its last segment; 0: none
 *     digest    exclusive or of the checksums of all segments of the stream
 *     tags      by which it is found, one a line; as they were when it began, and in no checksum
 *     checksum  of the other columns, without segment and digest
 *   segment     facts of one stream that were committed together: first … last, without gaps. Segments are numbered in
 *               the order of commits whatever their stream, and each names the one before it of its stream: so a group
 *               of many streams fills the last pages of the table and touches no index. The price is that history is
 *               read from its end.
 *   checkpoint  state of a stream after the fact with number sequence
 *   inbox       messages in the order of their commit; consumed ones stay for a while without their payload, so that a
 *               repetition is known
 *   document    everything else that has a key; a removed one stays with its revision and without its value
 *   blob        bytes by the digest of themselves; above 1 MiB `data` is NULL and they are the file PATH.blobs/digest
 *     is_used   whether some stream uses it, as blob_use says: the others go after a while
 *   blob_use    which stream uses which blob
 *   stream_tag  the same tags, by tag
 *   stream_text words by which executions are found; the row of a unit has the number of its segment
 *   counter     `sync`: a commit changes it when only the sync of older commits is wanted; `segment`: no segment up to this
 *               number will ever be written, though it may be gone
 *
 * Each row with content carries a 64-bit checksum of itself, its key included, that every read compares: SQLite alone
 * would hand out flipped bits. The checksum finds accidents; it is no defence against somebody who writes the file.
 */

#include "config.h"

#include <glib/gi18n-lib.h>

#include "nebula-sqlite-private.h"

#define SEGMENTS_SKIPPED 65536 /* more than are written in the 50 ms that a power cut may take */

static const char *const migrations[NEBULA_SQLITE_SCHEMA_VERSION] = {
  "CREATE TABLE stream (id TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, tenant TEXT,"
  " shard INTEGER NOT NULL, sequence INTEGER NOT NULL, epoch INTEGER NOT NULL,"
  " format INTEGER NOT NULL, status INTEGER NOT NULL, workflow TEXT, revision TEXT,"
  " durability INTEGER NOT NULL, priority INTEGER NOT NULL, wake_usec INTEGER NOT NULL,"
  " flags INTEGER NOT NULL, checkpoint INTEGER NOT NULL, created_usec INTEGER NOT NULL,"
  " updated_usec INTEGER NOT NULL, recoveries INTEGER NOT NULL, business_key TEXT,"
  " segment INTEGER NOT NULL, digest INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
  "CREATE INDEX stream_by_status ON stream (kind, status, id);"
  "CREATE INDEX stream_by_workflow ON stream (workflow, status, id);"
  "CREATE INDEX stream_by_wake ON stream (wake_usec, id) WHERE wake_usec > 0;"
  "CREATE TABLE segment (number INTEGER PRIMARY KEY, previous INTEGER NOT NULL,"
  " first INTEGER NOT NULL, last INTEGER NOT NULL, stream TEXT NOT NULL,"
  " checksum INTEGER NOT NULL, facts BLOB NOT NULL) STRICT;"
  "CREATE TABLE checkpoint (stream TEXT NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL,"
  " state BLOB NOT NULL, checksum INTEGER NOT NULL) STRICT;"
  "CREATE TABLE inbox (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
  " stream TEXT NOT NULL, payload BLOB, created_usec INTEGER NOT NULL,"
  " consumed INTEGER NOT NULL DEFAULT 0, checksum INTEGER NOT NULL) STRICT;"
  "CREATE INDEX inbox_waiting ON inbox (stream, number) WHERE consumed = 0;"
  "CREATE INDEX inbox_consumed ON inbox (created_usec) WHERE consumed = 1;"
  "CREATE TABLE document (collection TEXT NOT NULL, key TEXT NOT NULL,"
  " revision INTEGER NOT NULL, value BLOB, checksum INTEGER NOT NULL,"
  " PRIMARY KEY (collection, key)) STRICT, WITHOUT ROWID;"
  "CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)"
  " STRICT, WITHOUT ROWID;"
  "INSERT INTO counter VALUES ('sync', 0);",

  "CREATE TABLE blob (digest TEXT NOT NULL UNIQUE, size INTEGER NOT NULL,"
  " created_usec INTEGER NOT NULL, is_used INTEGER NOT NULL, checksum INTEGER NOT NULL,"
  " data BLOB) STRICT;"
  "CREATE INDEX blob_unused ON blob (created_usec) WHERE is_used = 0;"
  "CREATE TABLE blob_use (digest TEXT NOT NULL, stream TEXT NOT NULL,"
  " PRIMARY KEY (digest, stream)) STRICT, WITHOUT ROWID;",

  "CREATE INDEX stream_by_created ON stream (kind, created_usec, id);"
  "CREATE INDEX blob_use_by_stream ON blob_use (stream);"
  "CREATE VIRTUAL TABLE stream_text USING fts5 (text, tokenize = \"unicode61 remove_diacritics 2\");",

  "ALTER TABLE stream ADD COLUMN tags TEXT;"
  "CREATE TABLE stream_tag (tag TEXT NOT NULL, stream TEXT NOT NULL, PRIMARY KEY (tag, stream)) STRICT, WITHOUT ROWID;"
  "CREATE INDEX stream_tag_by_stream ON stream_tag (stream);",
};

/* Parameters ?1 … ?20 of all statements that write a header are bound by one function. */
#define STREAM_COLUMNS                                                                             \
  "id, kind, tenant, shard, sequence, epoch, format, status, workflow, revision, durability,"     \
  " priority, wake_usec, flags, checkpoint, created_usec, updated_usec, recoveries,"               \
  " business_key, checksum"

#define STREAM_READ STREAM_COLUMNS ", tags"

#define STREAM_PLAIN_UPDATES                                                                       \
  "UPDATE stream SET tenant = ?3, shard = ?4, sequence = ?5, epoch = ?6, format = ?7,"             \
  " revision = ?10, durability = ?11, priority = ?12, flags = ?14, checkpoint = ?15,"              \
  " created_usec = ?16, updated_usec = ?17, recoveries = ?18, business_key = ?19,"                 \
  " checksum = ?20, digest = (digest | ?21) - (digest & ?21), segment = coalesce (?23, segment)"

#define STREAM_IS_CURRENT " WHERE id = ?1 AND sequence = ?22 AND epoch <= ?6"

#define LIST_FILTER                                                                                \
  " AND (?4 IS NULL OR tenant = ?4) AND (?5 = 0 OR (wake_usec > 0 AND wake_usec < ?5))"            \
  " ORDER BY id DESC LIMIT ?6"

#define SEARCH_FILTER                                                                              \
  " AND kind = ?3 AND (?4 = 0 OR (?4 >> status) & 1) AND (?5 IS NULL OR workflow = ?5)"            \
  " AND (?6 IS NULL OR tenant = ?6) AND created_usec >= ?7 AND created_usec < ?8"                  \
  " AND (?9 = 0 OR (wake_usec > 0 AND wake_usec < ?9))"

/* An execution does not end before it begins. */
#define ENDED                                                                                      \
  "kind = 0 AND created_usec < ?1 AND updated_usec < ?1 AND (?2 >> status) & 1"                    \
  " AND (?3 IS NULL OR workflow = ?3) AND (?4 IS NULL OR tenant = ?4)"

static const char *const sources[NEBULA_SQLITE_N_STATEMENTS] = {
  [NEBULA_SQLITE_BEGIN] = "BEGIN IMMEDIATE",
  [NEBULA_SQLITE_BEGIN_READ] = "BEGIN",
  [NEBULA_SQLITE_COMMIT] = "COMMIT",
  [NEBULA_SQLITE_ROLLBACK] = "ROLLBACK",
  [NEBULA_SQLITE_TOUCH] = "UPDATE counter SET value = (value + 1) & 65535 WHERE name = 'sync'",
  [NEBULA_SQLITE_INSERT_STREAM] =
      "INSERT INTO stream (" STREAM_COLUMNS ", digest, segment, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
      " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, coalesce (?23, 0), ?24)"
      " ON CONFLICT DO NOTHING",
  /* An index is written again if a statement sets one of its columns, changed or not: most units change none. */
  [NEBULA_SQLITE_UPDATE_STREAM] = STREAM_PLAIN_UPDATES STREAM_IS_CURRENT
      " AND kind = ?2 AND status = ?8 AND wake_usec = ?13 AND workflow IS ?9",
  [NEBULA_SQLITE_UPDATE_STREAM_INDEXED] = STREAM_PLAIN_UPDATES
      ", kind = ?2, status = ?8, workflow = ?9, wake_usec = ?13" STREAM_IS_CURRENT,
  [NEBULA_SQLITE_ADVANCE_STREAM] =
      "UPDATE stream SET sequence = ?2, updated_usec = ?3, checksum = ?4,"
      " digest = (digest | ?5) - (digest & ?5), segment = ?6"
      " WHERE id = ?1 AND sequence = ?7 AND segment = ?8",
  [NEBULA_SQLITE_UPDATE_CHECKPOINT] = "UPDATE stream SET checkpoint = ?2, checksum = ?3"
                                      " WHERE id = ?1",
  [NEBULA_SQLITE_INSERT_SEGMENT] =
      "INSERT INTO segment (number, previous, first, last, stream, checksum, facts)"
      " VALUES (?1, ?7, ?2, ?3, ?4, ?5, ?6)",
  /* This is where a unit is refused: it inserts nothing if the stream is not where the unit expects it. */
  [NEBULA_SQLITE_APPEND_SEGMENT] =
      "INSERT INTO segment (number, previous, first, last, stream, checksum, facts)"
      " SELECT ?1, segment, ?2, ?3, ?4, ?5, ?6 FROM stream"
      " WHERE id = ?4 AND sequence = ?2 - 1 AND epoch <= ?7",
  [NEBULA_SQLITE_PUT_CHECKPOINT] =
      "INSERT OR REPLACE INTO checkpoint (stream, sequence, state, checksum)"
      " VALUES (?1, ?2, ?3, ?4)",
  [NEBULA_SQLITE_INSERT_MESSAGE] =
      "INSERT INTO inbox (id, stream, payload, created_usec, checksum)"
      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
  [NEBULA_SQLITE_CONSUME_MESSAGE] = "UPDATE inbox SET consumed = 1, payload = NULL"
                                    " WHERE id = ?1 AND stream = ?2 AND consumed = 0",
  [NEBULA_SQLITE_PRUNE_MESSAGES] =
      "DELETE FROM inbox WHERE number IN (SELECT number FROM inbox WHERE consumed = 1"
      " AND created_usec < (SELECT max (created_usec) FROM inbox WHERE consumed = 1) - ?1"
      " ORDER BY created_usec LIMIT 1000)",
  [NEBULA_SQLITE_PUT_DOCUMENT] =
      "INSERT INTO document (collection, key, revision, value, checksum)"
      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET revision = ?3, value = ?4,"
      " checksum = ?5",
  [NEBULA_SQLITE_PUT_BLOB] =
      "INSERT INTO blob (digest, size, created_usec, is_used, checksum, data)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (digest) DO UPDATE SET is_used = excluded.is_used,"
      " created_usec = max (created_usec, excluded.created_usec) WHERE is_used = 0",
  [NEBULA_SQLITE_PUT_BLOB_USE] =
      "INSERT INTO blob_use (digest, stream) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
  [NEBULA_SQLITE_MARK_BLOB_USED] = "UPDATE blob SET is_used = 1 WHERE digest = ?1 AND is_used = 0",
  [NEBULA_SQLITE_DELETE_BLOB] = "DELETE FROM blob WHERE digest = ?1",
  [NEBULA_SQLITE_LIST_UNUSED_BLOBS] =
      "SELECT digest FROM blob AS b WHERE is_used = 0 AND created_usec < ?1"
      " AND NOT EXISTS (SELECT 1 FROM blob_use AS u WHERE u.digest = b.digest)",
  [NEBULA_SQLITE_GET_BLOB] = "SELECT size, checksum, data FROM blob WHERE digest = ?1",
  [NEBULA_SQLITE_GET_STREAM] = "SELECT " STREAM_READ " FROM stream WHERE id = ?1",
  [NEBULA_SQLITE_GET_STREAM_AND_SEGMENT] =
      "SELECT " STREAM_READ ", segment FROM stream WHERE id = ?1",
  [NEBULA_SQLITE_GET_LAST_SEGMENT] = "SELECT segment, sequence FROM stream WHERE id = ?1",
  [NEBULA_SQLITE_GET_SEGMENT] =
      "SELECT previous, first, last, checksum, facts FROM segment WHERE number = ?1",
  [NEBULA_SQLITE_GET_CHECKPOINT] =
      "SELECT sequence, state, checksum FROM checkpoint WHERE stream = ?1",
  [NEBULA_SQLITE_GET_INBOX] = "SELECT id, stream, payload, created_usec, checksum FROM inbox"
                              " WHERE consumed = 0 AND stream = ?1 ORDER BY number LIMIT ?2",
  [NEBULA_SQLITE_GET_ALL_INBOXES] =
      "SELECT id, stream, payload, created_usec, checksum FROM inbox WHERE consumed = 0"
      " ORDER BY number LIMIT ?2",
  [NEBULA_SQLITE_GET_DOCUMENT] =
      "SELECT revision, value, checksum FROM document WHERE collection = ?1 AND key = ?2",
  [NEBULA_SQLITE_LIST_DOCUMENTS] =
      "SELECT key FROM document WHERE collection = ?1 AND key > ?2 AND value IS NOT NULL"
      " ORDER BY key LIMIT ?3",
  [NEBULA_SQLITE_LIST_BY_STATUS] =
      "SELECT " STREAM_READ " FROM stream INDEXED BY stream_by_status WHERE kind = ?1"
      " AND status = ?2 AND id < ?3" LIST_FILTER,
  [NEBULA_SQLITE_LIST_BY_WORKFLOW] =
      "SELECT " STREAM_READ " FROM stream INDEXED BY stream_by_workflow WHERE workflow = ?7"
      " AND status = ?2 AND id < ?3 AND kind = ?1" LIST_FILTER,
  [NEBULA_SQLITE_LIST_BY_WAKE] =
      "SELECT " STREAM_READ " FROM stream INDEXED BY stream_by_wake WHERE wake_usec > 0"
      " AND wake_usec < ?1 AND (wake_usec, id) > (?2, ?3) AND kind = ?4"
      " AND (?5 = 0 OR (?5 >> status) & 1) AND (?6 IS NULL OR tenant = ?6)"
      " AND (?7 IS NULL OR workflow = ?7) ORDER BY wake_usec, id LIMIT ?8",
  [NEBULA_SQLITE_LIST_BY_CREATED] =
      "SELECT " STREAM_READ " FROM stream INDEXED BY stream_by_created"
      " WHERE (created_usec, id) < (?1, ?2)" SEARCH_FILTER " ORDER BY created_usec DESC, id DESC LIMIT ?10",
  [NEBULA_SQLITE_LIST_BY_TEXT] =
      "SELECT " STREAM_READ " FROM stream WHERE id IN (SELECT g.stream FROM stream_text AS t"
      " CROSS JOIN segment AS g ON g.number = t.rowid WHERE stream_text MATCH ?1 AND g.stream < ?2)"
      SEARCH_FILTER " AND (?11 IS NULL OR EXISTS (SELECT 1 FROM stream_tag AS w WHERE w.tag = ?11"
      " AND w.stream = id)) ORDER BY id DESC LIMIT ?10",
  [NEBULA_SQLITE_LIST_BY_TAG] =
      "SELECT " STREAM_READ " FROM stream_tag AS t CROSS JOIN stream ON id = t.stream"
      " WHERE t.tag = ?1 AND t.stream < ?2" SEARCH_FILTER " ORDER BY t.stream DESC LIMIT ?10",
  [NEBULA_SQLITE_PUT_TAG] =
      "INSERT INTO stream_tag (tag, stream) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
  [NEBULA_SQLITE_DELETE_TAGS] = "DELETE FROM stream_tag WHERE stream = ?1",
  [NEBULA_SQLITE_READ_LOG] =
      "SELECT number, first, last, stream, checksum, facts FROM segment WHERE number > ?1"
      " AND (?2 IS NULL OR stream = ?2) ORDER BY number LIMIT ?3",
  [NEBULA_SQLITE_KEEP_MARK] =
      "INSERT INTO counter VALUES ('segment', (SELECT coalesce (max (number), 0) FROM segment))"
      " ON CONFLICT DO UPDATE SET value = max (value, excluded.value)",
  [NEBULA_SQLITE_PUT_TEXT] = "INSERT INTO stream_text (rowid, text) VALUES (?1, ?2)",
  [NEBULA_SQLITE_COUNT_ENDED] =
      "SELECT count (*) FROM stream INDEXED BY stream_by_created WHERE " ENDED,
  [NEBULA_SQLITE_LIST_ENDED] = "SELECT id FROM stream INDEXED BY stream_by_created WHERE " ENDED
                               " ORDER BY created_usec, id LIMIT ?5",
  [NEBULA_SQLITE_DELETE_TEXT] = "DELETE FROM stream_text WHERE rowid = ?1",
  [NEBULA_SQLITE_DELETE_SEGMENT] = "DELETE FROM segment WHERE number = ?1",
  [NEBULA_SQLITE_FREE_BLOBS] =
      "UPDATE blob SET is_used = 0, created_usec = unixepoch () * 1000000 WHERE digest IN (SELECT digest FROM blob_use WHERE stream = ?1)"
      " AND NOT EXISTS (SELECT 1 FROM blob_use AS u WHERE u.digest = blob.digest AND u.stream != ?1)",
  [NEBULA_SQLITE_DELETE_BLOB_USES] = "DELETE FROM blob_use WHERE stream = ?1",
  [NEBULA_SQLITE_DELETE_CHECKPOINT] = "DELETE FROM checkpoint WHERE stream = ?1",
  [NEBULA_SQLITE_DELETE_MESSAGES] = "DELETE FROM inbox WHERE stream = ?1 AND consumed = 0",
  [NEBULA_SQLITE_DELETE_STREAM] = "DELETE FROM stream WHERE id = ?1",
};

/* Errors. */

static NebulaError
classify (int code)
{
  switch (code & 0xff) {
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return NEBULA_ERROR_STORE_BUSY;
  case SQLITE_FULL:
    return NEBULA_ERROR_STORE_FULL;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return NEBULA_ERROR_STORE_CORRUPT;
  default:
    return NEBULA_ERROR_STORE;
  }
}

void
_nebula_sqlite_set_error (sqlite3 *db, int code, GError **error)
{
  const char *reason = code == NEBULA_SQLITE_WRONG_CHECKSUM ? _("a checksum is wrong")
                       : code == NEBULA_SQLITE_WRONG_CHAIN  ? _("facts are missing")
                       : db && (sqlite3_errcode (db) & 0xff) == (code & 0xff) ? sqlite3_errmsg (db)
                                                            : sqlite3_errstr (code);

  switch ((int) classify (code)) {
  case NEBULA_ERROR_STORE_BUSY:
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY,
                 _("Another program has locked the store (%s). Close it, or wait: it is tried again"),
                 reason);
    return;
  case NEBULA_ERROR_STORE_FULL:
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_FULL,
                 _("There is no room for the store (%s). Nothing is lost; free some space on its disk"),
                 reason);
    return;
  case NEBULA_ERROR_STORE_CORRUPT:
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _("The store's data does not hold together (%s). Restore it from a backup"), reason);
    return;
  default:
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE,
                 _("The store failed: %s (SQLite code %d). Check its disk and folder"), reason, code);
    return;
  }
}

/* Connections. */

static gboolean
configure (NebulaSqliteConnection *self)
{
  sqlite3 *db = self->db;
  int code = SQLITE_OK;

  sqlite3_extended_result_codes (db, 1);
  sqlite3_busy_timeout (db, 5000);
  code |= sqlite3_db_config (db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  code |= sqlite3_db_config (db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  code |= sqlite3_db_config (db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  code |= sqlite3_db_config (db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  /* Only a writer that has accepted the file lets its close touch it. */
  code |= sqlite3_db_config (db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  sqlite3_limit (db, SQLITE_LIMIT_LENGTH, NEBULA_SQLITE_MAX_BYTES);
  sqlite3_limit (db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit (db, SQLITE_LIMIT_TRIGGER_DEPTH, 0);

  return code == SQLITE_OK;
}

NebulaSqliteConnection *
_nebula_sqlite_connection_new (const char *path, int flags, GError **error)
{
  g_autoptr (NebulaSqliteConnection) self = g_new0 (NebulaSqliteConnection, 1);
  int code = sqlite3_open_v2 (
      path, &self->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);

  if (code == SQLITE_OK && !configure (self))
    code = SQLITE_ERROR;
  if (code != SQLITE_OK) {
    _nebula_sqlite_set_error (self->db, code, error);
    return NULL;
  }

  if (!_nebula_sqlite_exec (self, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;", error))
    return NULL;

  return g_steal_pointer (&self);
}

void
_nebula_sqlite_connection_free (NebulaSqliteConnection *self)
{
  for (guint i = 0; i < NEBULA_SQLITE_N_STATEMENTS; i++)
    sqlite3_finalize (self->statements[i]);
  sqlite3_close (self->db);
  g_clear_pointer (&self->heads, g_hash_table_unref);
  g_free (self->blobs_folder);
  g_free (self);
}

int
_nebula_sqlite_prepare (NebulaSqliteConnection *self,
                        NebulaSqliteStatement statement,
                        sqlite3_stmt **ret_statement)
{
  int code = SQLITE_OK;

  if (!self->statements[statement])
    code = sqlite3_prepare_v3 (self->db, sources[statement], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[statement], NULL);
  *ret_statement = self->statements[statement];

  return code;
}

int
_nebula_sqlite_run_statement (sqlite3_stmt *statement)
{
  int code = sqlite3_step (statement);

  sqlite3_reset (statement);

  return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

int
_nebula_sqlite_run (NebulaSqliteConnection *self, NebulaSqliteStatement id)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (self, id, &statement);

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : code;
}

gboolean
_nebula_sqlite_exec (NebulaSqliteConnection *self, const char *sql, GError **error)
{
  int code = sqlite3_exec (self->db, sql, NULL, NULL, NULL);

  if (code != SQLITE_OK)
    _nebula_sqlite_set_error (self->db, code, error);

  return code == SQLITE_OK;
}

/* The first column of the first row of @sql; @fallback if there is no row. */
static gboolean
read_integer (NebulaSqliteConnection *self, const char *sql, gint64 *ret_integer, GError **error)
{
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_step (statement);
  if (code == SQLITE_ROW)
    *ret_integer = sqlite3_column_int64 (statement, 0);
  else if (code != SQLITE_DONE)
    _nebula_sqlite_set_error (self->db, code, error);
  sqlite3_finalize (statement);

  return code == SQLITE_ROW || code == SQLITE_DONE;
}

static gboolean
read_version (NebulaSqliteConnection *self, gint64 *ret_version, GError **error)
{
  gint64 version = 0;
  gint64 id = 0;
  gint64 n_objects = 0;

  if (!read_integer (self, "PRAGMA user_version", &version, error) ||
      !read_integer (self, "PRAGMA application_id", &id, error) ||
      !read_integer (self, "SELECT count (*) FROM sqlite_schema", &n_objects, error))
    return FALSE;

  if (id != NEBULA_SQLITE_APPLICATION_ID && (id != 0 || version != 0 || n_objects != 0)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                         _("This database is no Nebula store. Name another file"));
    return FALSE;
  }
  if (version > NEBULA_SQLITE_SCHEMA_VERSION) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_VERSION,
                 _("The store has format %d and this version of Nebula knows only up to %d."
                   " Install the newer version; the store was not changed"),
                 (int) version, NEBULA_SQLITE_SCHEMA_VERSION);
    return FALSE;
  }

  *ret_version = version;

  return TRUE;
}

/* For readers: the file must have this version's schema already. */
gboolean
_nebula_sqlite_check_version (NebulaSqliteConnection *self, GError **error)
{
  gint64 version = 0;

  if (!read_version (self, &version, error))
    return FALSE;
  if (version == NEBULA_SQLITE_SCHEMA_VERSION)
    return TRUE;

  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_VERSION,
               _("The store has format %d, which must first be brought up to %d."
                 " Open it once for writing"),
               (int) version, NEBULA_SQLITE_SCHEMA_VERSION);

  return FALSE;
}

static gboolean
migrate_step (NebulaSqliteConnection *self, gint64 version, GError **error)
{
  g_autofree char *mark =
      g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;",
                       NEBULA_SQLITE_APPLICATION_ID, (int) version + 1);

  if (_nebula_sqlite_exec (self, "BEGIN IMMEDIATE", error) &&
      _nebula_sqlite_exec (self, migrations[version], error) &&
      _nebula_sqlite_exec (self, mark, error))
    return TRUE;

  sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);

  return FALSE;
}

/* Whoever reads the log may have seen numbers that a power cut took back (relaxed commits are told before they are synced)
 * or that were pruned: they are not given to anything else. */
static gboolean
read_next_segment (NebulaSqliteConnection *self, GError **error)
{
  gint64 last = 0;

  if (!read_integer (self,
                     "SELECT max ((SELECT coalesce (max (number), 0) FROM segment),"
                     " coalesce ((SELECT value FROM counter WHERE name = 'segment'), 0))",
                     &last, error))
    return FALSE;
  self->next_segment = last > 0 ? last + SEGMENTS_SKIPPED : 1;

  return TRUE;
}

/* Each step is one transaction that also writes the version: a crash leaves the old or the new schema. */
gboolean
_nebula_sqlite_migrate (NebulaSqliteConnection *self, GError **error)
{
  gint64 version = 0;

  if (!read_version (self, &version, error))
    return FALSE;
  if (!_nebula_sqlite_exec (self, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", error))
    return FALSE;

  for (; version < NEBULA_SQLITE_SCHEMA_VERSION; version++)
    if (!migrate_step (self, version, error))
      return FALSE;

  return read_next_segment (self, error);
}
