/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sqlite3.h>

#include "nebula-error.h"
#include "nebula-sqlite-store.h"
#include "nebula-store-private.h"
#include "nebula-sync-internal.h"

G_BEGIN_DECLS

#define NEBULA_SQLITE_SCHEMA_VERSION 4
#define NEBULA_SQLITE_APPLICATION_ID 0x4e45424c /* “NEBL” */
#define NEBULA_SQLITE_MAX_BYTES (256 * 1024 * 1024)
#define NEBULA_SQLITE_BLOBS_SUFFIX ".blobs" /* the folder beside the store */
#define NEBULA_SQLITE_MAX_READERS 4
#define NEBULA_SQLITE_CHECKPOINT_FRAMES 4096 /* 16 MiB */

#define NEBULA_SQLITE_LAST_ID "\xf4\x8f\xbf\xbf"

/* Ours, of the kind SQLITE_CORRUPT. */
#define NEBULA_SQLITE_WRONG_CHECKSUM (SQLITE_CORRUPT | (0x4e << 8))
#define NEBULA_SQLITE_WRONG_CHAIN (SQLITE_CORRUPT | (0x4f << 8))

/* Each statement is prepared once a connection, when it is first needed. */
typedef enum
{
  NEBULA_SQLITE_BEGIN,
  NEBULA_SQLITE_BEGIN_READ,
  NEBULA_SQLITE_COMMIT,
  NEBULA_SQLITE_ROLLBACK,
  NEBULA_SQLITE_TOUCH,
  NEBULA_SQLITE_INSERT_STREAM,
  NEBULA_SQLITE_UPDATE_STREAM,
  NEBULA_SQLITE_UPDATE_STREAM_INDEXED,
  NEBULA_SQLITE_ADVANCE_STREAM,
  NEBULA_SQLITE_UPDATE_CHECKPOINT,
  NEBULA_SQLITE_INSERT_SEGMENT,
  NEBULA_SQLITE_APPEND_SEGMENT,
  NEBULA_SQLITE_PUT_CHECKPOINT,
  NEBULA_SQLITE_INSERT_MESSAGE,
  NEBULA_SQLITE_CONSUME_MESSAGE,
  NEBULA_SQLITE_PRUNE_MESSAGES,
  NEBULA_SQLITE_PUT_DOCUMENT,
  NEBULA_SQLITE_PUT_BLOB,
  NEBULA_SQLITE_PUT_BLOB_USE,
  NEBULA_SQLITE_MARK_BLOB_USED,
  NEBULA_SQLITE_DELETE_BLOB,
  NEBULA_SQLITE_LIST_UNUSED_BLOBS,
  NEBULA_SQLITE_GET_BLOB,
  NEBULA_SQLITE_GET_STREAM,
  NEBULA_SQLITE_GET_STREAM_AND_SEGMENT,
  NEBULA_SQLITE_GET_LAST_SEGMENT,
  NEBULA_SQLITE_GET_SEGMENT,
  NEBULA_SQLITE_GET_CHECKPOINT,
  NEBULA_SQLITE_GET_INBOX,
  NEBULA_SQLITE_GET_ALL_INBOXES,
  NEBULA_SQLITE_GET_DOCUMENT,
  NEBULA_SQLITE_LIST_DOCUMENTS,
  NEBULA_SQLITE_LIST_BY_STATUS,
  NEBULA_SQLITE_LIST_BY_WORKFLOW,
  NEBULA_SQLITE_LIST_BY_WAKE,
  NEBULA_SQLITE_LIST_BY_CREATED,
  NEBULA_SQLITE_LIST_BY_TEXT,
  NEBULA_SQLITE_LIST_BY_TAG,
  NEBULA_SQLITE_PUT_TAG,
  NEBULA_SQLITE_DELETE_TAGS,
  NEBULA_SQLITE_READ_LOG,
  NEBULA_SQLITE_KEEP_MARK,
  NEBULA_SQLITE_PUT_TEXT,
  NEBULA_SQLITE_COUNT_ENDED,
  NEBULA_SQLITE_LIST_ENDED,
  NEBULA_SQLITE_DELETE_TEXT,
  NEBULA_SQLITE_DELETE_SEGMENT,
  NEBULA_SQLITE_FREE_BLOBS,
  NEBULA_SQLITE_DELETE_BLOB_USES,
  NEBULA_SQLITE_DELETE_CHECKPOINT,
  NEBULA_SQLITE_DELETE_MESSAGES,
  NEBULA_SQLITE_DELETE_STREAM,
  NEBULA_SQLITE_N_STATEMENTS,
} NebulaSqliteStatement;

typedef struct
{
  sqlite3 *db;
  sqlite3_stmt *statements[NEBULA_SQLITE_N_STATEMENTS];
  gint64 next_segment; /* the writer's; a number that a rolled-back group took is not used again */
  char *blobs_folder;  /* the writer's */
  GHashTable *heads;   /* the writer's: see nebula-sqlite-head.c */
} NebulaSqliteConnection;

typedef struct _NebulaSqliteTrail NebulaSqliteTrail;

struct _NebulaSqliteStore
{
  GObject parent_instance;

  char *path;
  int lock_fd; /* holds the OFD lock; -1 when only reading */
  gint is_sealed; /* atomic */

  GMutex writer_lock; /* guards the writer and all of this group */
  NebulaSqliteConnection *writer;
  gboolean is_full_sync;
  gint wal_frames;      /* frames of the log after the last commit */
  gint next_checkpoint; /* frames at which the log is next copied into the database */
  gboolean needs_housekeeping;
  gint64 next_collect_usec; /* monotonic: when unused blobs are next looked for */

  GMutex readers_lock; /* guards readers: those that nobody uses now, and trails */
  GPtrArray *readers;
  GPtrArray *trails; /* NebulaSqliteTrail; NULL: none */
};

/* nebula-sqlite-schema.c */
NebulaSqliteConnection *_nebula_sqlite_connection_new (const char *path, int flags, GError **error);
void _nebula_sqlite_connection_free (NebulaSqliteConnection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaSqliteConnection, _nebula_sqlite_connection_free)
int _nebula_sqlite_prepare (NebulaSqliteConnection *self,
                            NebulaSqliteStatement statement,
                            sqlite3_stmt **ret_statement);
int _nebula_sqlite_run_statement (sqlite3_stmt *statement);
int _nebula_sqlite_run (NebulaSqliteConnection *self, NebulaSqliteStatement statement);
gboolean _nebula_sqlite_exec (NebulaSqliteConnection *self, const char *sql, GError **error);
gboolean _nebula_sqlite_migrate (NebulaSqliteConnection *self, GError **error);
gboolean _nebula_sqlite_check_version (NebulaSqliteConnection *self, GError **error);
void _nebula_sqlite_set_error (sqlite3 *db, int code, GError **error);

/* nebula-sqlite-verify.c */
GStrv _nebula_sqlite_verify (NebulaSqliteConnection *self, const char *blobs_folder, GError **error);

guint64 _nebula_sqlite_checksum (guint64 seed, const void *data, gsize length);
guint64 _nebula_sqlite_checksum_text (guint64 seed, const char *text);
guint64 _nebula_sqlite_checksum_integer (guint64 seed, gint64 integer);
guint64 _nebula_sqlite_checksum_header (const NebulaHeader *header);
guint64 _nebula_sqlite_checksum_segment (const char *stream,
                                         guint64 first,
                                         guint64 last,
                                         const void *facts,
                                         gsize length);
guint64 _nebula_sqlite_checksum_message (const char *id,
                                         const char *stream,
                                         gint64 created_usec,
                                         const void *payload,
                                         gsize length);
/* A removed document has the length -1. */
guint64 _nebula_sqlite_checksum_document (const char *collection,
                                          const char *key,
                                          gint64 revision,
                                          const void *value,
                                          gssize length);

/* nebula-sqlite-commit.c */
gboolean _nebula_sqlite_store_commit (NebulaStore *store,
                                      NebulaUnit **units,
                                      guint n_units,
                                      gboolean sync,
                                      NebulaOutcome *ret_outcomes,
                                      GError **error);
gboolean _nebula_sqlite_store_sync (NebulaStore *store, GError **error);
gboolean _nebula_sqlite_set_sync (NebulaSqliteStore *self, gboolean sync, GError **error);
int _nebula_sqlite_wal_hook (gpointer user_data, sqlite3 *db, const char *name, int n_frames);

/* nebula-sqlite-head.c */
void _nebula_sqlite_remember_head (NebulaSqliteConnection *writer,
                                   const NebulaHeader *header,
                                   gint64 segment);
void _nebula_sqlite_forget_head (NebulaSqliteConnection *writer, const char *stream);
void _nebula_sqlite_forget_heads (NebulaSqliteConnection *writer);
int _nebula_sqlite_write_light (NebulaSqliteConnection *writer,
                                const NebulaUnit *unit,
                                const NebulaHeader *header,
                                guint64 checksum,
                                gint64 segment,
                                gboolean *ret_is_written);

/* nebula-sqlite-housekeeping.c */
gboolean _nebula_sqlite_copy_log (NebulaSqliteStore *self, GError **error);
gboolean _nebula_sqlite_keep_house (NebulaSqliteStore *self, GError **error);

/* nebula-sqlite-blob.c */
void _nebula_sqlite_store_iface_init_blobs (NebulaStoreInterface *iface);
int _nebula_sqlite_write_blobs (NebulaSqliteConnection *writer, const NebulaUnit *unit);
/* With the writer's lock held. */
gint64 _nebula_sqlite_collect_locked (NebulaSqliteStore *self, gint64 before_usec, GError **error);

/* nebula-sqlite-search.c */
GPtrArray *_nebula_sqlite_search_headers (NebulaSqliteStore *self,
                                          const NebulaHeaderQuery *query,
                                          GError **error);
/* After its facts, in the same transaction; a SQLite code. */
int _nebula_sqlite_write_text (NebulaSqliteConnection *writer, const NebulaUnit *unit);
/* Of a unit that begins its stream; the same. */
int _nebula_sqlite_write_tags (NebulaSqliteConnection *writer, const NebulaUnit *unit);

/* nebula-sqlite-prune.c */
gint64 _nebula_sqlite_store_prune (NebulaStore *store,
                                   const NebulaRetention *rule,
                                   guint limit,
                                   GError **error);

/* nebula-sqlite-read.c */
gboolean _nebula_sqlite_end_read (NebulaSqliteStore *self,
                                  NebulaSqliteConnection *reader,
                                  sqlite3_stmt *statement,
                                  int code,
                                  GError **error);
int _nebula_sqlite_collect_headers (sqlite3_stmt *statement, GPtrArray *headers);
void _nebula_sqlite_store_iface_init_reads (NebulaStoreInterface *iface);
void _nebula_sqlite_store_iface_init_segments (NebulaStoreInterface *iface); /* nebula-sqlite-segment.c */
NebulaSqliteConnection *_nebula_sqlite_store_take_reader (NebulaSqliteStore *self, GError **error);
int _nebula_sqlite_read_header (NebulaSqliteConnection *connection,
                                const char *stream,
                                NebulaHeader **ret_header);
/* Numbers of the segments of a stream with a first fact above @after, the newest first; a SQLite code. */
int _nebula_sqlite_walk (NebulaSqliteConnection *connection,
                         const char *stream,
                         guint64 after,
                         GArray *numbers);
NebulaHeader *_nebula_sqlite_column_header (sqlite3_stmt *statement);
GBytes *_nebula_sqlite_column_checkpoint (sqlite3_stmt *statement,
                                          const char *stream,
                                          guint64 *ret_sequence);
int _nebula_sqlite_read_segment (NebulaSqliteConnection *connection,
                                 const char *stream,
                                 gint64 number,
                                 GPtrArray *segments,
                                 gint64 *ret_previous);
sqlite3_stmt *_nebula_sqlite_begin_read (NebulaSqliteStore *self,
                                         NebulaSqliteStatement id,
                                         NebulaSqliteConnection **ret_reader,
                                         GError **error);

/* nebula-sqlite-history.c */
GPtrArray *_nebula_sqlite_read_histories (NebulaStore *store,
                                          const char *const *streams,
                                          guint n_streams,
                                          GError **error);

void _nebula_sqlite_store_give_reader (NebulaSqliteStore *self, NebulaSqliteConnection *reader);

/* nebula-sqlite-store.c */
void _nebula_sqlite_store_seal (NebulaSqliteStore *self);
gboolean _nebula_sqlite_store_check_sealed (NebulaSqliteStore *self, GError **error);
/* Seals the store if @code means that its data cannot be relied on, and sets @error. */
void _nebula_sqlite_store_fail (NebulaSqliteStore *self, sqlite3 *db, int code, GError **error);

/* Binding, with NULL as SQL NULL. They fail for what is longer than the limit, and then bind NULL. */
static inline int
_nebula_sqlite_bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  return sqlite3_bind_text (statement, index, text, -1, SQLITE_STATIC);
}

static inline int
_nebula_sqlite_bind_bytes (sqlite3_stmt *statement, int index, GBytes *bytes)
{
  gsize length = 0;
  gconstpointer data = bytes ? g_bytes_get_data (bytes, &length) : NULL;

  if (!bytes)
    return sqlite3_bind_null (statement, index);
  if (length == 0)
    return sqlite3_bind_zeroblob (statement, index, 0);

  return sqlite3_bind_blob64 (statement, index, data, length, SQLITE_STATIC);
}

G_END_DECLS
