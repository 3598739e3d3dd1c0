/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose file is this? A module runs with all our rights, so that nobody but root, us, or a group that is its owner's
 * alone may have been able to write it. All checks are made on open descriptors, not on names.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "nebula-module-internal.h"

#define MAX_ID 64

static const char *const suffixes[] = { ".so", ".py", ".js", NULL };

gboolean
nebula_module_file_has_suffix (const char *name)
{
  const char *dot = strrchr (name, '.');

  return dot != NULL && g_strv_contains (suffixes, dot);
}

gboolean
nebula_module_file_is_script (const char *path)
{
  return nebula_module_file_has_suffix (path) && !g_str_has_suffix (path, suffixes[0]);
}

gboolean
nebula_module_file_is_name (const char *name)
{
  gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-");

  return length >= 1 && length <= MAX_ID && g_strv_contains (suffixes, name + length);
}

char *
nebula_module_file_get_id (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  if (nebula_module_file_has_suffix (name))
    *strrchr (name, '.') = '\0';
  return g_steal_pointer (&name);
}

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (NEBULA_ERROR, NEBULA_ERROR_MODULE_REFUSED, format, arguments);
  va_end (arguments);
  return FALSE;
}

/* A group of the same name as its owner, which nobody else belongs to. */
static gboolean
is_own_group (uid_t owner, gid_t group)
{
  struct passwd user_entry, *user = NULL;
  struct group group_entry, *group_found = NULL;
  char user_buffer[4096];
  g_autofree char *group_buffer = g_malloc (65536);

  if (getpwuid_r (owner, &user_entry, user_buffer, sizeof user_buffer, &user) != 0 || user == NULL)
    return FALSE;
  if (getgrgid_r (group, &group_entry, group_buffer, 65536, &group_found) != 0 || group_found == NULL)
    return FALSE;
  if (user->pw_gid != group || strcmp (user->pw_name, group_found->gr_name) != 0)
    return FALSE;

  for (char **member = group_found->gr_mem; *member != NULL; member++) {
    if (strcmp (*member, user->pw_name) != 0)
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_rights (const struct stat *status, const char *path, GError **error)
{
  if (status->st_uid != 0 && status->st_uid != geteuid ())
    return refuse (error, _("“%s” belongs to another user. Make it yours or root's"), path);
  if (status->st_mode & S_IWOTH)
    return refuse (error, _("“%s” can be written by everybody. Run “chmod o-w” on it"), path);
  if ((status->st_mode & S_IWGRP) && !is_own_group (status->st_uid, status->st_gid))
    return refuse (error, _("“%s” can be written by a group. Run “chmod g-w” on it"), path);
  return TRUE;
}

static gboolean
read_header (int fd, Elf64_Ehdr *header)
{
  return pread (fd, header, sizeof *header, 0) == (ssize_t) sizeof *header &&
         memcmp (header->e_ident, ELFMAG, SELFMAG) == 0;
}

/* Our own program tells which machine and byte order fit; it is looked at once. */
static const Elf64_Ehdr *
get_own_header (void)
{
  static gsize once;
  static Elf64_Ehdr own;

  if (g_once_init_enter (&once)) {
    int fd = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    gboolean known = fd >= 0 && read_header (fd, &own);

    if (fd >= 0)
      close (fd);
    g_once_init_leave (&once, known ? 1 : 2);
  }
  return once == 1 ? &own : NULL;
}

static gboolean
fits_machine (const Elf64_Ehdr *header)
{
  const Elf64_Ehdr *own = get_own_header ();

  return own == NULL || (own->e_machine == header->e_machine && own->e_ident[EI_DATA] == header->e_ident[EI_DATA]);
}

static gboolean
check_elf (int fd, const char *path, GError **error)
{
  Elf64_Ehdr header;

  if (!read_header (fd, &header) || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN)
    return refuse (error, _("“%s” is not a shared object of 64 bits. Build it as a shared module"), path);
  if (!fits_machine (&header))
    return refuse (error, _("“%s” was built for another kind of machine. Build it for this one"), path);
  return TRUE;
}

static gboolean
check_file (int fd, const char *path, NebulaModuleKey *ret_key, GError **error)
{
  gboolean is_script = nebula_module_file_is_script (path);
  struct stat status;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    return refuse (error, _("“%s” is not a regular file. Put the module itself there"), path);
  if (status.st_nlink > 1)
    return refuse (error, _("“%s” has a second name (a hard link), by which others may change it. Copy it instead"), path);
  if (!check_rights (&status, path, error) || (!is_script && !check_elf (fd, path, error)))
    return FALSE;

  ret_key->device = status.st_dev;
  ret_key->inode = status.st_ino;
  ret_key->size_bytes = (guint64) status.st_size;
  ret_key->mtime_nsec = (gint64) status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
  return TRUE;
}

static int
open_folder (const char *folder, GError **error)
{
  struct stat status;
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0) {
    refuse (error, _("The folder “%s” cannot be opened: %s"), folder, g_strerror (errno));
    return -1;
  }
  if (fstat (fd, &status) == 0 && check_rights (&status, folder, error))
    return fd;
  close (fd);
  return -1;
}

/* O_NONBLOCK, so that a FIFO without a writer does not stop us. */
static int
open_file (int folder, const char *name, const char *path, GError **error)
{
  int fd = openat (folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

  if (fd >= 0)
    return fd;
  if (errno == ELOOP)
    refuse (error, _("“%s” is a symbolic link. Put the module itself there"), path);
  else if (errno == ENXIO)
    refuse (error, _("“%s” is not a regular file. Put the module itself there"), path);
  else
    refuse (error, _("“%s” cannot be opened: %s"), path, g_strerror (errno));
  return -1;
}

int
nebula_module_file_open (const char *path, NebulaModuleKey *ret_key, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  int folder_fd, fd;

  if (!nebula_module_file_is_name (name)) {
    refuse (error, _("“%s” is not the name of a module. Use small letters, digits and hyphens, and end with “.so”, “.py” or “.js”"), name);
    return -1;
  }

  folder_fd = open_folder (folder, error);
  if (folder_fd < 0)
    return -1;
  fd = open_file (folder_fd, name, path, error);
  close (folder_fd);
  if (fd < 0)
    return -1;

  if (check_file (fd, path, ret_key, error))
    return fd;
  close (fd);
  return -1;
}
