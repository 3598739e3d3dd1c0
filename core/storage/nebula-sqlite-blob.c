/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Blobs of the SQLite store. What has up to 1 MiB is a row and rides on the group commit without a further sync; what
 * is larger is a file (nebula-blob-file.c) that is durable before the row that names it is written. Which of both a
 * blob is follows from its size alone.
 *
 * A blob that is damaged concerns whoever reads it, not the store: it is told and nothing is sealed.
 */

#include "config.h"

#include <errno.h>
#include <glib/gi18n-lib.h>

#include "nebula-blob-file-private.h"
#include "nebula-blob-stream-internal.h"
#include "nebula-sqlite-private.h"

#define NEBULA_TYPE_SQLITE_BLOB_WRITER (nebula_sqlite_blob_writer_get_type ())
G_DECLARE_FINAL_TYPE (
    NebulaSqliteBlobWriter, nebula_sqlite_blob_writer, NEBULA, SQLITE_BLOB_WRITER, NebulaBlobWriter)

struct _NebulaSqliteBlobWriter
{
  NebulaBlobWriter parent_instance;

  NebulaSqliteStore *store;
  GBytes *first; /* the first chunk, while it is the only one */
  NebulaBlobFile file;
  gboolean has_file;
};

G_DEFINE_FINAL_TYPE (NebulaSqliteBlobWriter, nebula_sqlite_blob_writer, NEBULA_TYPE_BLOB_WRITER)

static int
code_of_errno (int number)
{
  if (number == 0)
    return SQLITE_OK;

  return number == ENOSPC || number == EDQUOT ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static guint64
checksum_blob (const char *digest, guint64 size, GBytes *data)
{
  guint64 state = _nebula_sqlite_checksum_text (0, digest);

  state = _nebula_sqlite_checksum_integer (state, (gint64) size);
  if (!data)
    return _nebula_sqlite_checksum_integer (state, -1);

  return _nebula_sqlite_checksum (state, g_bytes_get_data (data, NULL), g_bytes_get_size (data));
}

/* Writing, on the writer's connection and with its lock held. */

/* @data: NULL if it is in a file. */
static int
put_row (NebulaSqliteConnection *writer,
         const char *digest,
         guint64 size,
         GBytes *data,
         gboolean is_used)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_PUT_BLOB, &statement);

  if (code != SQLITE_OK)
    return code;
  code |= _nebula_sqlite_bind_text (statement, 1, digest);
  sqlite3_bind_int64 (statement, 2, (gint64) size);
  sqlite3_bind_int64 (statement, 3, g_get_real_time ());
  sqlite3_bind_int (statement, 4, is_used);
  sqlite3_bind_int64 (statement, 5, (gint64) checksum_blob (digest, size, data));
  code |= _nebula_sqlite_bind_bytes (statement, 6, data);
  if (code != SQLITE_OK)
    return SQLITE_TOOBIG;

  code = _nebula_sqlite_run_statement (statement);
  sqlite3_clear_bindings (statement);

  return code;
}

static int
put_use (NebulaSqliteConnection *writer, NebulaSqliteStatement id, const char *digest, const char *stream)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, id, &statement);

  if (code != SQLITE_OK)
    return code;
  code |= _nebula_sqlite_bind_text (statement, 1, digest);
  if (stream)
    code |= _nebula_sqlite_bind_text (statement, 2, stream);

  return code == SQLITE_OK ? _nebula_sqlite_run_statement (statement) : SQLITE_TOOBIG;
}

static int
write_blob (NebulaSqliteConnection *writer, const NebulaBlob *blob, const char *stream)
{
  gsize size = g_bytes_get_size (blob->bytes);
  gboolean is_file = size > NEBULA_BLOB_CHUNK_BYTES;
  int code = SQLITE_OK;

  if (is_file && !_nebula_blob_file_exists (writer->blobs_folder, blob->digest, size))
    code = code_of_errno (_nebula_blob_file_write (writer->blobs_folder, blob));
  if (code == SQLITE_OK)
    code = put_row (writer, blob->digest, size, is_file ? NULL : blob->bytes, TRUE);

  return code == SQLITE_OK ? put_use (writer, NEBULA_SQLITE_PUT_BLOB_USE, blob->digest, stream) : code;
}

int
_nebula_sqlite_write_blobs (NebulaSqliteConnection *writer, const NebulaUnit *unit)
{
  int code = SQLITE_OK;

  for (guint i = 0; code == SQLITE_OK && unit->blobs && i < unit->blobs->len; i++)
    code = write_blob (writer, g_ptr_array_index (unit->blobs, i), unit->stream);
  for (guint i = 0; code == SQLITE_OK && unit->blob_uses && i < unit->blob_uses->len; i++) {
    const char *digest = g_ptr_array_index (unit->blob_uses, i);

    code = put_use (writer, NEBULA_SQLITE_MARK_BLOB_USED, digest, NULL);
    if (code == SQLITE_OK)
      code = put_use (writer, NEBULA_SQLITE_PUT_BLOB_USE, digest, unit->stream);
  }

  return code;
}

/* The writer of one blob. */

static void
set_file_error (int number, GError **error)
{
  if (number == ENOSPC || number == EDQUOT)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_FULL,
                 _("There is no room for the store (%s). Nothing is lost; free some space on its disk"),
                 g_strerror (number));
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE,
                 _("A blob cannot be written: %s. Check the disk and folder of the store"),
                 g_strerror (number));
}

static gboolean
nebula_sqlite_blob_writer_append (NebulaBlobWriter *writer,
                                  const guint8 *data,
                                  gsize length,
                                  GError **error)
{
  NebulaSqliteBlobWriter *self = NEBULA_SQLITE_BLOB_WRITER (writer);
  g_autoptr (GBytes) first = NULL;
  gsize first_size = 0;
  const guint8 *first_data = NULL;
  int number = 0;

  if (!self->has_file && !self->first) {
    self->first = g_bytes_new (data, length);
    return TRUE;
  }
  if (!self->has_file) {
    number = _nebula_blob_file_begin (&self->file, self->store->writer->blobs_folder);
    self->has_file = TRUE;
    first = g_steal_pointer (&self->first);
    first_data = g_bytes_get_data (first, &first_size);
    if (number == 0)
      number = _nebula_blob_file_append (&self->file, first_data, first_size);
  }
  if (number == 0)
    number = _nebula_blob_file_append (&self->file, data, length);
  if (number != 0)
    set_file_error (number, error);

  return number == 0;
}

static gboolean
nebula_sqlite_blob_writer_finish (NebulaBlobWriter *writer,
                                  const char *digest,
                                  guint64 size,
                                  GError **error)
{
  NebulaSqliteBlobWriter *self = NEBULA_SQLITE_BLOB_WRITER (writer);
  NebulaSqliteStore *store = self->store;
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  int number = self->has_file ? _nebula_blob_file_sync (&self->file) : 0;
  int code = SQLITE_OK;
  NEBULA_SYNC_AUTO (guard, &store->writer_lock);

  if (!_nebula_sqlite_store_check_sealed (store, error) || !_nebula_sqlite_set_sync (store, FALSE, error))
    return FALSE;
  if (number == 0 && self->has_file)
    number = _nebula_blob_file_take_name (&self->file, digest);
  if (number != 0) {
    set_file_error (number, error);
    return FALSE;
  }

  code = put_row (store->writer, digest, size,
                  self->has_file ? NULL : self->first ? self->first : empty, FALSE);
  if (code != SQLITE_OK)
    _nebula_sqlite_store_fail (store, store->writer->db, code, error);

  return code == SQLITE_OK;
}

static void
nebula_sqlite_blob_writer_finalize (GObject *object)
{
  NebulaSqliteBlobWriter *self = NEBULA_SQLITE_BLOB_WRITER (object);

  _nebula_blob_file_clear (&self->file);
  g_clear_pointer (&self->first, g_bytes_unref);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (nebula_sqlite_blob_writer_parent_class)->finalize (object);
}

static void
nebula_sqlite_blob_writer_class_init (NebulaSqliteBlobWriterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_sqlite_blob_writer_finalize;
  NEBULA_BLOB_WRITER_CLASS (klass)->take_chunk = nebula_sqlite_blob_writer_append;
  NEBULA_BLOB_WRITER_CLASS (klass)->seal = nebula_sqlite_blob_writer_finish;
}

static void
nebula_sqlite_blob_writer_init (NebulaSqliteBlobWriter *self)
{
  self->file = (NebulaBlobFile) NEBULA_BLOB_FILE_INIT;
}

static NebulaBlobWriter *
create_blob (NebulaStore *store, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NebulaSqliteBlobWriter *writer = NULL;

  if (!_nebula_sqlite_store_check_sealed (self, error))
    return NULL;

  writer = g_object_new (NEBULA_TYPE_SQLITE_BLOB_WRITER, NULL);
  writer->store = g_object_ref (self);

  return NEBULA_BLOB_WRITER (writer);
}

/* Reading. */

typedef struct
{
  gboolean is_there;
  gboolean is_damaged;
  guint64 size;
  GBytes *data; /* NULL: in a file */
} BlobRow;

static void
column_row (sqlite3_stmt *statement, const char *digest, BlobRow *row)
{
  gconstpointer data = sqlite3_column_blob (statement, 2);

  row->is_there = TRUE;
  row->size = (guint64) sqlite3_column_int64 (statement, 0);
  if (sqlite3_column_type (statement, 2) != SQLITE_NULL)
    row->data = g_bytes_new (data, (gsize) sqlite3_column_bytes (statement, 2));
  row->is_damaged =
      (guint64) sqlite3_column_int64 (statement, 1) != checksum_blob (digest, row->size, row->data);
}

static gboolean
read_row (NebulaSqliteStore *self, const char *digest, BlobRow *row, GError **error)
{
  NebulaSqliteConnection *reader = _nebula_sqlite_store_take_reader (self, error);
  sqlite3_stmt *statement = NULL;
  int code = SQLITE_OK;

  if (!reader)
    return FALSE;

  code = _nebula_sqlite_prepare (reader, NEBULA_SQLITE_GET_BLOB, &statement);
  if (code == SQLITE_OK) {
    _nebula_sqlite_bind_text (statement, 1, digest);
    code = sqlite3_step (statement);
    if (code == SQLITE_ROW)
      column_row (statement, digest, row);
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    _nebula_sqlite_store_fail (self, reader->db, code, error);
  sqlite3_reset (statement);
  _nebula_sqlite_store_give_reader (self, reader);
  if (row->is_damaged) {
    g_clear_pointer (&row->data, g_bytes_unref);
    nebula_blob_set_damaged (digest, error);
    return FALSE;
  }

  return code == SQLITE_ROW || code == SQLITE_DONE;
}

static char *
dup_file_path (NebulaSqliteStore *self, const char *digest)
{
  return g_strconcat (self->path, NEBULA_SQLITE_BLOBS_SUFFIX "/", digest, NULL);
}

static GBytes *
read_file (NebulaSqliteStore *self, const char *digest, guint64 size, GError **error)
{
  g_autofree char *path = dup_file_path (self, digest);
  g_autofree char *found = NULL;
  char *content = NULL;
  gsize length = 0;
  g_autoptr (GBytes) bytes = NULL;

  if (g_file_get_contents (path, &content, &length, NULL)) {
    bytes = g_bytes_new_take (content, length);
    found = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  }
  if (bytes && length == size && g_str_equal (found, digest))
    return g_steal_pointer (&bytes);

  nebula_blob_set_damaged (digest, error);

  return NULL;
}

static GBytes *
read_blob (NebulaStore *store, const char *digest, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  BlobRow row = { FALSE, FALSE, 0, NULL };

  if (!read_row (self, digest, &row, error) || !row.is_there)
    return NULL;

  return row.data ? row.data : read_file (self, digest, row.size, error);
}

static GInputStream *
open_blob (NebulaStore *store, const char *digest, guint64 *ret_size, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  BlobRow row = { FALSE, FALSE, 0, NULL };
  g_autoptr (GBytes) data = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GFile) file = NULL;
  GFileInputStream *stream = NULL;

  if (!read_row (self, digest, &row, error) || !row.is_there)
    return NULL;

  *ret_size = row.size;
  data = row.data;
  if (data)
    return g_memory_input_stream_new_from_bytes (data);

  path = dup_file_path (self, digest);
  file = g_file_new_for_path (path);
  stream = g_file_read (file, NULL, NULL);
  if (stream)
    return nebula_blob_stream_new (G_INPUT_STREAM (stream), digest, row.size);

  nebula_blob_set_damaged (digest, error);

  return NULL;
}

/* Collecting. */

static gboolean
is_known (const char *digest, gpointer user_data)
{
  NebulaSqliteConnection *writer = user_data;
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_GET_BLOB, &statement);

  if (code != SQLITE_OK)
    return TRUE;
  _nebula_sqlite_bind_text (statement, 1, digest);
  code = sqlite3_step (statement);
  sqlite3_reset (statement);

  return code != SQLITE_DONE; /* in doubt it stays */
}

static int
list_unused (NebulaSqliteConnection *writer, gint64 before_usec, GPtrArray *digests)
{
  sqlite3_stmt *statement = NULL;
  int code = _nebula_sqlite_prepare (writer, NEBULA_SQLITE_LIST_UNUSED_BLOBS, &statement);

  if (code != SQLITE_OK)
    return code;
  sqlite3_bind_int64 (statement, 1, before_usec);
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (digests, g_strdup ((const char *) sqlite3_column_text (statement, 0)));
  sqlite3_reset (statement);

  return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The rows go durably before the files do: a row must never name a file that is not there. */
static int
remove_rows (NebulaSqliteStore *self, gint64 before_usec, GPtrArray *digests)
{
  NebulaSqliteConnection *writer = self->writer;
  int code = list_unused (writer, before_usec, digests);

  if (code != SQLITE_OK || digests->len == 0)
    return code;

  code = _nebula_sqlite_run (writer, NEBULA_SQLITE_BEGIN);
  for (guint i = 0; code == SQLITE_OK && i < digests->len; i++)
    code = put_use (writer, NEBULA_SQLITE_DELETE_BLOB, g_ptr_array_index (digests, i), NULL);
  if (code == SQLITE_OK)
    code = _nebula_sqlite_run (writer, NEBULA_SQLITE_COMMIT);
  if (code != SQLITE_OK && !sqlite3_get_autocommit (writer->db))
    _nebula_sqlite_run (writer, NEBULA_SQLITE_ROLLBACK);

  return code;
}

gint64
_nebula_sqlite_collect_locked (NebulaSqliteStore *self, gint64 before_usec, GError **error)
{
  g_autoptr (GPtrArray) digests = g_ptr_array_new_with_free_func (g_free);
  int code = SQLITE_OK;

  if (!_nebula_sqlite_store_check_sealed (self, error) || !_nebula_sqlite_set_sync (self, TRUE, error))
    return -1;

  code = remove_rows (self, before_usec, digests);
  if (code != SQLITE_OK) {
    _nebula_sqlite_store_fail (self, self->writer->db, code, error);
    return -1;
  }
  for (guint i = 0; i < digests->len; i++)
    _nebula_blob_file_remove (self->writer->blobs_folder, g_ptr_array_index (digests, i));
  _nebula_blob_file_sweep (self->writer->blobs_folder, before_usec, is_known, self->writer);

  return digests->len;
}

static gint64
collect_blobs (NebulaStore *store, gint64 before_usec, GError **error)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (store);
  NEBULA_SYNC_AUTO (guard, &self->writer_lock);

  return _nebula_sqlite_collect_locked (self, before_usec, error);
}

void
_nebula_sqlite_store_iface_init_blobs (NebulaStoreInterface *iface)
{
  iface->read_blob = read_blob;
  iface->open_blob = open_blob;
  iface->create_blob = create_blob;
  iface->collect_blobs = collect_blobs;
}
