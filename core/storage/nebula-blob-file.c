/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Blobs in files: the folder PATH.blobs beside the store, one file a blob, named by its digest. A file is written under
 * a name of its own, synced, renamed, and the folder is synced, before the row that names it is committed: a row never
 * names what a power cut could take. What ends before the rename is called `….tmp` and counts for nothing.
 */

#include "nebula-blob-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nebula-blob.h"

#define TEMPORARY ".tmp"

static int
sync_folder (const char *folder)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int number = 0;

  if (fd < 0)
    return errno;
  number = fsync (fd) == 0 ? 0 : errno;
  close (fd);

  return number;
}

static int
make_folder (const char *folder)
{
  g_autofree char *parent = NULL;

  if (mkdir (folder, 0700) != 0)
    return errno == EEXIST ? 0 : errno;

  parent = g_path_get_dirname (folder);

  return sync_folder (parent);
}

int
_nebula_blob_file_begin (NebulaBlobFile *self, const char *folder)
{
  g_autofree char *id = g_uuid_string_random ();
  int number = make_folder (folder);

  if (number != 0)
    return number;

  self->folder = g_strdup (folder);
  self->path = g_strconcat (folder, "/", id, TEMPORARY, NULL);
  self->fd = open (self->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (self->fd >= 0)
    return 0;

  number = errno;
  g_clear_pointer (&self->path, g_free);

  return number;
}

int
_nebula_blob_file_append (NebulaBlobFile *self, const guint8 *data, gsize length)
{
  while (length > 0) {
    gssize n_written = write (self->fd, data, length);

    if (n_written < 0 && errno != EINTR)
      return errno;
    if (n_written < 0)
      continue;
    data += n_written;
    length -= (gsize) n_written;
  }

  return 0;
}

int
_nebula_blob_file_sync (NebulaBlobFile *self)
{
  int number = fsync (self->fd) == 0 ? 0 : errno;

  if (close (self->fd) != 0 && number == 0)
    number = errno;
  self->fd = -1;

  return number;
}

int
_nebula_blob_file_take_name (NebulaBlobFile *self, const char *digest)
{
  g_autofree char *target = g_build_filename (self->folder, digest, NULL);

  if (rename (self->path, target) != 0)
    return errno;
  g_clear_pointer (&self->path, g_free);

  return sync_folder (self->folder);
}

void
_nebula_blob_file_clear (NebulaBlobFile *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->path)
    unlink (self->path);
  self->fd = -1;
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->folder, g_free);
}

int
_nebula_blob_file_write (const char *folder, const NebulaBlob *blob)
{
  g_auto (NebulaBlobFile) file = NEBULA_BLOB_FILE_INIT;
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (blob->bytes, &size);
  int number = _nebula_blob_file_begin (&file, folder);

  if (number == 0)
    number = _nebula_blob_file_append (&file, data, size);
  if (number == 0)
    number = _nebula_blob_file_sync (&file);

  return number == 0 ? _nebula_blob_file_take_name (&file, blob->digest) : number;
}

gboolean
_nebula_blob_file_exists (const char *folder, const char *digest, guint64 size)
{
  g_autofree char *path = g_build_filename (folder, digest, NULL);
  struct stat info;

  return stat (path, &info) == 0 && S_ISREG (info.st_mode) && (guint64) info.st_size == size;
}

void
_nebula_blob_file_remove (const char *folder, const char *digest)
{
  g_autofree char *path = g_build_filename (folder, digest, NULL);

  unlink (path);
}

static gboolean
is_older (const char *path, gint64 before_usec)
{
  struct stat info;

  return lstat (path, &info) == 0 && (gint64) info.st_mtime * G_USEC_PER_SEC < before_usec;
}

void
_nebula_blob_file_sweep (const char *folder,
                         gint64 before_usec,
                         NebulaBlobFileIsKnown is_known,
                         gpointer user_data)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    gboolean is_temporary = g_str_has_suffix (name, TEMPORARY);

    if ((!is_temporary && !nebula_blob_digest_is_valid (name)) || !is_older (path, before_usec))
      continue;
    if (is_temporary || (is_known && !is_known (name, user_data)))
      unlink (path);
  }
}
