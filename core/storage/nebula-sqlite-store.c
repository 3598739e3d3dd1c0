/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "nebula-blob-file-private.h"
#include "nebula-sqlite-private.h"

/**
 * NebulaSqliteStore:
 *
 * A store in one SQLite file. One process writes it, any number may read it.
 *
 * Thread: commit and sync one at a time; reads from any, locked.
 */

/* A store above this is not read through when it is opened: its rows carry checksums that every read compares. */
#define QUICK_CHECK_PAGES 8192

static void nebula_sqlite_store_iface_init (NebulaStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaSqliteStore,
                               nebula_sqlite_store,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_STORE,
                                                      nebula_sqlite_store_iface_init))

static gboolean
set_errno_error (const char *path, int saved_errno, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE,
               _("The store “%s” cannot be opened: %s. Check its folder and permissions"), path,
               g_strerror (saved_errno));

  return FALSE;
}

/* The lock of one engine. */

static gboolean
set_busy_error (NebulaSqliteStore *self, int fd, GError **error)
{
  char text[32] = { 0 };
  gssize length = pread (fd, text, sizeof text - 1, 0);
  guint64 pid = 0;

  if (length > 0)
    g_strstrip (text);
  if (g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT32, &pid, NULL))
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY,
                 _("The store “%s” is in use by process %d. Stop it, or open the store for reading"
                   " only"),
                 self->path, (int) pid);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY,
                 _("The store “%s” is in use by another process. Stop it, or open the store for"
                   " reading only"),
                 self->path);

  return FALSE;
}

static gboolean
write_pid (int fd)
{
  g_autofree char *text = g_strdup_printf ("%d\n", (int) getpid ());
  gssize length = (gssize) strlen (text);

  return ftruncate (fd, 0) == 0 && pwrite (fd, text, (gsize) length, 0) == length;
}

/* An open file description's lock: it ends with its holder, however that ends, and also keeps out a second store of the
 * same process. The file stays; removing it would let two processes lock two files of one name. */
static gboolean
take_lock (NebulaSqliteStore *self, GError **error)
{
  g_autofree char *lock_path = g_strconcat (self->path, ".lock", NULL);
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int fd = open (lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  int saved_errno = errno;

  if (fd < 0)
    return set_errno_error (self->path, saved_errno, error);

  if (fcntl (fd, F_OFD_SETLK, &lock) != 0) {
    saved_errno = errno;
    if (saved_errno == EAGAIN || saved_errno == EACCES)
      set_busy_error (self, fd, error);
    else
      set_errno_error (self->path, saved_errno, error);
    close (fd);
    return FALSE;
  }

  self->lock_fd = fd;
  if (!write_pid (fd))
    return set_errno_error (self->path, errno, error);

  return TRUE;
}

/* Opening. */

/* Makes the file with a mode of our own. One that exists is left alone: closing a descriptor of it would drop the locks
 * that another connection of this process holds. */
static gboolean
make_file (NebulaSqliteStore *self, GError **error)
{
  g_autofree char *folder = NULL;
  int folder_fd = -1;
  int fd = open (self->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  gboolean is_synced = FALSE;

  if (fd < 0)
    return errno == EEXIST ? TRUE : set_errno_error (self->path, errno, error);
  close (fd);

  folder = g_path_get_dirname (self->path);
  folder_fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0)
    return set_errno_error (self->path, errno, error);
  is_synced = fsync (folder_fd) == 0;
  if (!is_synced)
    set_errno_error (self->path, errno, error);
  close (folder_fd);

  return is_synced;
}

static gboolean
check_quickly (NebulaSqliteConnection *writer, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean is_good = TRUE;
  int code = sqlite3_prepare_v2 (writer->db,
                                 "SELECT quick_check FROM pragma_page_count CROSS JOIN pragma_quick_check (1)"
                                 " WHERE page_count <= ?1",
                                 -1, &statement, NULL);

  if (code == SQLITE_OK) {
    sqlite3_bind_int (statement, 1, QUICK_CHECK_PAGES);
    code = sqlite3_step (statement);
  }
  if (code == SQLITE_ROW)
    is_good = g_strcmp0 ((const char *) sqlite3_column_text (statement, 0), "ok") == 0;

  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    _nebula_sqlite_set_error (writer->db, code, error);
    is_good = FALSE;
  } else if (!is_good) {
    _nebula_sqlite_set_error (NULL, SQLITE_CORRUPT, error);
  }
  sqlite3_finalize (statement);

  return is_good;
}

static gboolean
open_writer (NebulaSqliteStore *self, GError **error)
{
  if (!take_lock (self, error) || !make_file (self, error))
    return FALSE;

  self->writer = _nebula_sqlite_connection_new (self->path,
                                                SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, error);
  if (self->writer)
    self->writer->blobs_folder = g_strconcat (self->path, NEBULA_SQLITE_BLOBS_SUFFIX, NULL);
  if (!self->writer || !_nebula_sqlite_migrate (self->writer, error) ||
      !check_quickly (self->writer, error))
    return FALSE;

  /* The hook takes the place of SQLite's own checkpoints. Deleted content need not be overwritten, and the log's file
   * keeps its size, because overwriting it is synced faster than letting it grow. */
  if (!_nebula_sqlite_exec (self->writer,
                            "PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = OFF;"
                            " PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 67108864;",
                            error))
    return FALSE;
  sqlite3_wal_hook (self->writer->db, _nebula_sqlite_wal_hook, self);
  sqlite3_busy_timeout (self->writer->db, 250);
  sqlite3_db_config (self->writer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  self->is_full_sync = TRUE;
  self->needs_housekeeping = TRUE;
  /* Nobody else writes here, so what is temporary is left over from a crash. */
  _nebula_blob_file_sweep (self->writer->blobs_folder, G_MAXINT64, NULL, NULL);

  return TRUE;
}

static gboolean
open_readers (NebulaSqliteStore *self, GError **error)
{
  NebulaSqliteConnection *reader = _nebula_sqlite_store_take_reader (self, error);

  if (!reader)
    return FALSE;
  if (!_nebula_sqlite_check_version (reader, error)) {
    _nebula_sqlite_connection_free (reader);
    return FALSE;
  }
  _nebula_sqlite_store_give_reader (self, reader);

  return TRUE;
}

/* Sealing. */

void
_nebula_sqlite_store_seal (NebulaSqliteStore *self)
{
  g_atomic_int_set (&self->is_sealed, TRUE);
}

gboolean
_nebula_sqlite_store_check_sealed (NebulaSqliteStore *self, GError **error)
{
  if (!self->writer) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED,
                 _("The store “%s” was opened for reading only"), self->path);
    return FALSE;
  }
  if (!g_atomic_int_get (&self->is_sealed))
    return TRUE;

  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_SEALED,
               _("The store “%s” was sealed after a failure. Start the program again: it reads back"
                 " what is on the disk"),
               self->path);

  return FALSE;
}

static gboolean
must_seal (NebulaSqliteStore *self, sqlite3 *db, int code)
{
  int primary = code & 0xff;

  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
    return TRUE;

  return self->writer && db == self->writer->db &&
         (primary == SQLITE_IOERR || primary == SQLITE_READONLY);
}

void
_nebula_sqlite_store_fail (NebulaSqliteStore *self, sqlite3 *db, int code, GError **error)
{
  int primary = code & 0xff;

  if (!must_seal (self, db, code)) {
    _nebula_sqlite_set_error (db, code, error);
    return;
  }

  _nebula_sqlite_store_seal (self);
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
    _nebula_sqlite_set_error (db, code, error);
    return;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_SEALED,
               _("Writing the store “%s” failed (%s, SQLite code %d), and nobody can tell what"
                 " reached the disk. Check the disk and start the program again"),
               self->path, sqlite3_errmsg (db), code);
}

static gboolean
nebula_sqlite_store_get_is_durable (NebulaStore *store)
{
  return TRUE;
}

static void
nebula_sqlite_store_finalize (GObject *object)
{
  NebulaSqliteStore *self = NEBULA_SQLITE_STORE (object);

  g_ptr_array_unref (self->readers);
  g_clear_pointer (&self->trails, g_ptr_array_unref);

  /* What is behind a failed sync must not be copied into the database. */
  if (self->writer && g_atomic_int_get (&self->is_sealed))
    sqlite3_db_config (self->writer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  g_clear_pointer (&self->writer, _nebula_sqlite_connection_free);
  if (self->lock_fd >= 0)
    close (self->lock_fd);

  g_mutex_clear (&self->writer_lock);
  g_mutex_clear (&self->readers_lock);
  g_free (self->path);

  G_OBJECT_CLASS (nebula_sqlite_store_parent_class)->finalize (object);
}

static void
nebula_sqlite_store_class_init (NebulaSqliteStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_sqlite_store_finalize;
}

static void
nebula_sqlite_store_iface_init (NebulaStoreInterface *iface)
{
  iface->commit = _nebula_sqlite_store_commit;
  iface->sync = _nebula_sqlite_store_sync;
  iface->get_is_durable = nebula_sqlite_store_get_is_durable;
  _nebula_sqlite_store_iface_init_reads (iface);
  _nebula_sqlite_store_iface_init_segments (iface);
  _nebula_sqlite_store_iface_init_blobs (iface);
}

static void
nebula_sqlite_store_init (NebulaSqliteStore *self)
{
  self->lock_fd = -1;
  self->next_checkpoint = NEBULA_SQLITE_CHECKPOINT_FRAMES;
  self->readers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_sqlite_connection_free);
  g_mutex_init (&self->writer_lock);
  g_mutex_init (&self->readers_lock);
}

/**
 * nebula_sqlite_store_open:
 * @path: the file
 * @flags: how to open it
 * @error: why it failed
 *
 * Opens a store, and makes it if there is none. While it is open for writing no other process can open it so.
 *
 * A store that an older version of Nebula wrote is brought up to date; one of a newer version is refused unchanged.
 *
 * Errors: %NEBULA_ERROR_STORE_BUSY (retry) if another process holds it, which the message names;
 * %NEBULA_ERROR_STORE_VERSION (terminal); %NEBULA_ERROR_STORE_CORRUPT (terminal); %NEBULA_ERROR_STORE_FULL (retry);
 * %NEBULA_ERROR_STORE.
 *
 * Returns: (transfer full): a store
 *
 * Since: 1.0
 */
NebulaStore *
nebula_sqlite_store_open (const char *path, NebulaSqliteStoreFlags flags, GError **error)
{
  g_autoptr (NebulaSqliteStore) self = NULL;
  gboolean is_open = FALSE;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (NEBULA_TYPE_SQLITE_STORE, NULL);
  self->path = g_canonicalize_filename (path, NULL);
  is_open = (flags & NEBULA_SQLITE_STORE_FLAGS_READ_ONLY) ? open_readers (self, error)
                                                          : open_writer (self, error);

  return is_open ? NEBULA_STORE (g_steal_pointer (&self)) : NULL;
}

/**
 * nebula_sqlite_store_get_path:
 * @self: a store
 *
 * The absolute name of the store's file.
 *
 * Returns: (transfer none): lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_sqlite_store_get_path (NebulaSqliteStore *self)
{
  g_return_val_if_fail (NEBULA_IS_SQLITE_STORE (self), NULL);

  return self->path;
}

/**
 * nebula_sqlite_store_is_sealed:
 * @self: a store
 *
 * Whether a failure has ended all writing to @self. Reading goes on.
 *
 * Thread: any.
 *
 * Returns: whether it is sealed
 *
 * Since: 1.0
 */
gboolean
nebula_sqlite_store_is_sealed (NebulaSqliteStore *self)
{
  g_return_val_if_fail (NEBULA_IS_SQLITE_STORE (self), FALSE);

  return g_atomic_int_get (&self->is_sealed);
}

/**
 * nebula_sqlite_store_verify:
 * @self: a store
 * @error: why the check could not be made
 *
 * Reads the whole store and checks it: SQLite's own structure, every checksum, that the facts of every stream are
 * numbered without gaps up to what its header says, and that each blob is what its digest says.
 *
 * Errors: %NEBULA_ERROR_STORE_BUSY (retry), %NEBULA_ERROR_STORE.
 *
 * Thread: any; blocks, for long with a large store.
 *
 * Returns: (transfer full): one sentence for each problem, at most some hundred; empty if there is none
 *
 * Since: 1.0
 */
GStrv
nebula_sqlite_store_verify (NebulaSqliteStore *self, GError **error)
{
  g_autofree char *blobs_folder = NULL;
  NebulaSqliteConnection *reader = NULL;
  GStrv problems = NULL;

  g_return_val_if_fail (NEBULA_IS_SQLITE_STORE (self), NULL);

  reader = _nebula_sqlite_store_take_reader (self, error);
  if (!reader)
    return NULL;
  blobs_folder = g_strconcat (self->path, NEBULA_SQLITE_BLOBS_SUFFIX, NULL);
  problems = _nebula_sqlite_verify (reader, blobs_folder, error);
  _nebula_sqlite_connection_free (reader);

  return problems;
}
