/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  int number;
  NebulaError code;
  const char *message; /* with one %s, the path */
} FileProblem;

/* clang-format off */
static const FileProblem problems[] = {
  { ENOENT, NEBULA_ERROR_NOT_FOUND, N_("There is no “%s”. Check the path and the folder that it starts at") },
  { ENOTDIR, NEBULA_ERROR_NOT_FOUND, N_("A part of the path “%s” is a file, not a folder. Check the path") },
  { EACCES, NEBULA_ERROR_PERMISSION_DENIED, N_("Access to “%s” is not allowed. Check its owner and mode") },
  { EPERM, NEBULA_ERROR_PERMISSION_DENIED, N_("The system does not permit this with “%s”. Check its owner and attributes") },
  { EROFS, NEBULA_ERROR_PERMISSION_DENIED, N_("“%s” is on a file system that is read-only. Choose another place") },
  { EEXIST, NEBULA_ERROR_EXISTS, N_("“%s” exists already. Choose another name or allow to overwrite it") },
  { EISDIR, NEBULA_ERROR_INVALID_ARGUMENT, N_("“%s” is a folder. Give the path of a file") },
  { ENOTEMPTY, NEBULA_ERROR_CONFLICT, N_("The folder “%s” is not empty. Remove what it holds first") },
  { ELOOP, NEBULA_ERROR_INVALID_ARGUMENT, N_("The links of “%s” lead in a circle. Repair them") },
  { ENAMETOOLONG, NEBULA_ERROR_INVALID_ARGUMENT, N_("The name “%s” is too long. Shorten it") },
  { ENOSPC, NEBULA_ERROR_IO, N_("There is no room on the disk of “%s”. Make some and try again") },
  { EDQUOT, NEBULA_ERROR_IO, N_("The quota of the disk of “%s” is used up. Make room and try again") },
  { EMFILE, NEBULA_ERROR_UNAVAILABLE, N_("Too many files are open to use “%s”. Try again later") },
  { ENFILE, NEBULA_ERROR_UNAVAILABLE, N_("Too many files are open to use “%s”. Try again later") },
};
/* clang-format on */

char *
_nebula_file_resolve (NebulaInvocation *invocation, const char *path)
{
  const char *directory = nebula_invocation_get_directory (invocation);

  if (g_path_is_absolute (path) || directory == NULL)
    return g_strdup (path);
  return g_build_filename (directory, path, NULL);
}

static gboolean
set_problem (GError **error, const FileProblem *problem, const char *path)
{
  const char *message = _ (problem->message);
  const char *place = strstr (message, "%s");

  /* A translation that lost its place would leave the path out, nothing worse. */
  if (place == NULL)
    g_set_error_literal (error, NEBULA_ERROR, problem->code, message);
  else
    g_set_error (error, NEBULA_ERROR, problem->code, "%.*s%s%s", (int) (place - message), message, path, place + 2);
  return FALSE;
}

gboolean
_nebula_file_set_error (GError **error, int number, const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (problems); i++)
    if (problems[i].number == number)
      return set_problem (error, &problems[i], path);

  /* TRANSLATORS: the second %s is the reason that the system gives */
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO, _("Working with “%s” failed: %s. Check the disk and try again"), path,
               g_strerror (number));
  return FALSE;
}

int
_nebula_file_open (const char *full, const char *path, struct stat *ret_info, GError **error)
{
  /* Without O_NONBLOCK the opening of a pipe waits for a writer. */
  int fd = open (full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0) {
    _nebula_file_set_error (error, errno, path);
    return -1;
  }
  if (fstat (fd, ret_info) == 0 && S_ISREG (ret_info->st_mode))
    return fd;

  if (S_ISDIR (ret_info->st_mode))
    _nebula_file_set_error (error, EISDIR, path);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _("“%s” is a device, pipe or socket. Give the path of a regular file"), path);
  close (fd);
  return -1;
}

gssize
_nebula_file_read_block (int fd, char *buffer, gsize size, const char *path, GError **error)
{
  gsize done = 0;

  while (done < size) {
    gssize n_read = read (fd, buffer + done, size - done);

    if (n_read == 0)
      break;
    if (n_read > 0) {
      done += (gsize) n_read;
    } else if (errno != EINTR) {
      _nebula_file_set_error (error, errno, path);
      return -1;
    }
  }
  return (gssize) done;
}

gboolean
_nebula_file_write_all (int fd, const char *data, gsize size, GCancellable *cancellable, const char *path, GError **error)
{
  while (size > 0) {
    gssize written;

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    written = write (fd, data, MIN (size, 16 * NEBULA_FILE_BLOCK_BYTES));
    if (written < 0 && errno != EINTR)
      return _nebula_file_set_error (error, errno, path);
    if (written < 0)
      continue;
    data += written;
    size -= (gsize) written;
  }
  return TRUE;
}

gboolean
_nebula_file_sync_folder (const char *full, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (full);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int number;

  if (fd < 0)
    return _nebula_file_set_error (error, errno, path);
  number = fsync (fd) == 0 ? 0 : errno;
  close (fd);

  /* Some file systems cannot sync folders and say so. */
  if (number == 0 || number == EINVAL)
    return TRUE;
  return _nebula_file_set_error (error, number, path);
}

NebulaValue *
_nebula_file_new_text (const char *data, gsize size, gboolean at_start, const char *path, GError **error)
{
  static const char mark[] = "\xef\xbb\xbf";
  gsize skip = at_start && size >= 3 && strncmp (data, mark, 3) == 0 ? 3 : 0;
  const char *end = NULL;

  data += skip;
  size -= skip;
  /* A value may hold U+0000, which g_utf8_validate_len () refuses; look at what lies between. */
  for (const char *at = data;;) {
    if (g_utf8_validate_len (at, size - (gsize) (at - data), &end))
      return nebula_value_new_string_length (data, size);
    if (*end != '\0')
      break;
    at = end + 1;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _("“%s” is no UTF-8 text: byte %zu does not fit. Read it with “as: bytes”"), path,
               (gsize) (end - data) + skip);
  return NULL;
}
