/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replacing a file as one step: the content goes to a new file in the same folder, is synced, takes the name by a
 * rename, and the folder is synced. Whoever reads sees the old content or the new, also after a power cut; a crash in
 * between leaves a file `.nebula-….tmp` behind.
 */
#include "file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINKS 40

/* Follows links by hand, because the last one may lead to a file that is to be made. */
static char *
follow_links (const char *full, const char *path, GError **error)
{
  g_autofree char *current = g_strdup (full);

  for (guint i = 0; i < MAX_LINKS; i++) {
    g_autofree char *folder = NULL;
    g_autofree char *target = g_file_read_link (current, NULL);
    char *next;

    if (target == NULL)
      return g_steal_pointer (&current);
    folder = g_path_get_dirname (current);
    next = g_path_is_absolute (target) ? g_strdup (target) : g_build_filename (folder, target, NULL);
    g_free (current);
    current = next;
  }
  _nebula_file_set_error (error, ELOOP, path);
  return NULL;
}

static gboolean
check_old (const char *target, struct stat *ret_old, gboolean *ret_exists, const char *path, GError **error)
{
  *ret_exists = stat (target, ret_old) == 0;
  if (!*ret_exists)
    return errno == ENOENT || _nebula_file_set_error (error, errno, path);
  if (S_ISDIR (ret_old->st_mode))
    return _nebula_file_set_error (error, EISDIR, path);
  if (!S_ISREG (ret_old->st_mode)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _("“%s” is a device, pipe or socket. Give the path of a regular file"), path);
    return FALSE;
  }
  /* A rename would not ask. */
  return faccessat (AT_FDCWD, target, W_OK, AT_EACCESS) == 0 || _nebula_file_set_error (error, errno, path);
}

/* The old file's mode is kept, and its owner where the system lets us. */
static gboolean
take_over (int fd, const struct stat *old, const char *path, GError **error)
{
  struct stat fresh;

  if (fstat (fd, &fresh) != 0)
    return _nebula_file_set_error (error, errno, path);
  if ((fresh.st_uid != old->st_uid || fresh.st_gid != old->st_gid) && fchown (fd, old->st_uid, old->st_gid) != 0)
    g_debug ("The owner of “%s” could not be kept: %s", path, g_strerror (errno));
  return fchmod (fd, old->st_mode & 07777) == 0 || _nebula_file_set_error (error, errno, path);
}

static gboolean
fill (int fd, NebulaFileContent *content, const struct stat *old, GCancellable *cancellable, const char *path, GError **error)
{
  if (old != NULL && !take_over (fd, old, path, error))
    return FALSE;
  if (!_nebula_file_write_content (fd, content, cancellable, path, error))
    return FALSE;
  return fsync (fd) == 0 || _nebula_file_set_error (error, errno, path);
}

static gboolean
replace (const char *target, NebulaFileContent *content, const struct stat *old, GCancellable *cancellable, const char *path,
         GError **error)
{
  g_autofree char *folder = g_path_get_dirname (target);
  g_autofree char *id = g_uuid_string_random ();
  g_autofree char *name = g_strconcat (".nebula-", id, ".tmp", NULL);
  g_autofree char *temporary = g_build_filename (folder, name, NULL);
  int fd = open (temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  gboolean filled;

  if (fd < 0)
    return _nebula_file_set_error (error, errno, path);
  filled = fill (fd, content, old, cancellable, path, error);
  if (close (fd) != 0 && filled)
    filled = _nebula_file_set_error (error, errno, path);
  if (filled && !g_cancellable_set_error_if_cancelled (cancellable, error)) {
    if (rename (temporary, target) == 0)
      return _nebula_file_sync_folder (target, path, error);
    _nebula_file_set_error (error, errno, path);
  }
  unlink (temporary);
  return FALSE;
}

gboolean
_nebula_file_save (const char *full, NebulaFileContent *content, GCancellable *cancellable, const char *path, GError **error)
{
  g_autofree char *target = follow_links (full, path, error);
  gboolean exists = FALSE;
  struct stat old;

  if (target == NULL || !check_old (target, &old, &exists, path, error))
    return FALSE;
  return replace (target, content, exists ? &old : NULL, cancellable, path, error);
}
