/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starts the program of a host: in a session of its own, with nothing open but /dev/null, our standard error, the module's
 * verified file (3) and the channel (4).
 */

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-host-pool-private.h"
#include "nebula-module-internal.h"

#define MODULE_FD  3
#define CHANNEL_FD 4
#define FREE_FD    10 /* where no file action writes */

static gboolean
is_same_key (const NebulaModuleKey *a, const NebulaModuleKey *b)
{
  return a->device == b->device && a->inode == b->inode &&
         a->size_bytes == b->size_bytes && a->mtime_nsec == b->mtime_nsec;
}

/* The file that was probed, and no other. */
static int
open_module (NebulaModuleInfo *module, GError **error)
{
  const char *path = nebula_module_info_get_path (module);
  NebulaModuleKey known, key;
  int fd = nebula_module_file_open (path, &key, error);

  if (fd < 0)
    return -1;
  nebula_module_info_get_key (module, &known);
  if (is_same_key (&known, &key))
    return fd;
  close (fd);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
               _ ("“%s” changed since it was probed. Load the registry again"), path);
  return -1;
}

char *
_nebula_host_hash_file (NebulaModuleInfo *module)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 block[4096];
  gssize n_bytes;
  int fd = open_module (module, NULL);

  if (fd < 0)
    return NULL;
  while ((n_bytes = read (fd, block, sizeof block)) > 0)
    g_checksum_update (checksum, block, n_bytes);
  close (fd);
  return n_bytes == 0 ? g_strdup (g_checksum_get_string (checksum)) : NULL;
}

static void
add_sandbox (GStrvBuilder *builder, const NebulaHostLaunch *launch)
{
  g_autofree char *memory =
      g_strdup_printf ("%" G_GUINT64_FORMAT, launch->options->memory_bytes);

  g_strv_builder_add_many (builder, "--sandbox", memory, NULL);
  for (guint i = 0; launch->capabilities != NULL && launch->capabilities[i] != NULL; i++)
    g_strv_builder_add_many (builder, "--allow", launch->capabilities[i], NULL);
}

static GStrv
make_arguments (const NebulaHostLaunch *launch)
{
  const char *path = nebula_module_info_get_path (launch->module);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) command = nebula_module_make_command (launch->options->program, path);

  g_strv_builder_addv (builder, (const char **) command);
  g_strv_builder_add_many (builder, "--serve", path, "--fd", "3", "--channel", "4", NULL);
  if (launch->isolation == NEBULA_ISOLATION_SANDBOX)
    add_sandbox (builder, launch);
  return g_strv_builder_end (builder);
}

/* A sandbox has none of ours, but for where its libraries are. */
static GStrv
make_environment (const NebulaHostLaunch *launch)
{
  static const char *const kept[] = {"LD_LIBRARY_PATH", "GI_TYPELIB_PATH", "PYTHONPATH",
                                     "GJS_PATH", NULL};
  g_auto (GStrv) whole = nebula_module_make_environment ();
  GStrv environment = NULL;

  if (launch->isolation != NEBULA_ISOLATION_SANDBOX)
    return g_steal_pointer (&whole);
  environment = g_environ_setenv (environment, "LC_ALL", "C.UTF-8", TRUE);
  environment = g_environ_setenv (environment, "PATH", "/usr/bin:/bin", TRUE);
  for (guint i = 0; kept[i] != NULL; i++)
    if (g_environ_getenv (whole, kept[i]) != NULL)
      environment = g_environ_setenv (environment, kept[i],
                                      g_environ_getenv (whole, kept[i]), TRUE);
  return environment;
}

static int
add_actions (posix_spawn_file_actions_t *actions, int module_fd, int channel_fd)
{
  int result =
      posix_spawn_file_actions_addopen (actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

  if (result == 0)
    result = posix_spawn_file_actions_adddup2 (actions, STDERR_FILENO, STDOUT_FILENO);
  if (result == 0)
    result = posix_spawn_file_actions_adddup2 (actions, module_fd, MODULE_FD);
  if (result == 0)
    result = posix_spawn_file_actions_adddup2 (actions, channel_fd, CHANNEL_FD);
  if (result == 0)
    result = posix_spawn_file_actions_addclosefrom_np (actions, CHANNEL_FD + 1);
  return result;
}

static int
add_attributes (posix_spawnattr_t *attributes)
{
  sigset_t all, none;
  int result;

  sigfillset (&all);
  sigemptyset (&none);
  result = posix_spawnattr_setsigdefault (attributes, &all);
  if (result == 0)
    result = posix_spawnattr_setsigmask (attributes, &none);
  if (result == 0)
    result = posix_spawnattr_setflags (
        attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  return result;
}

static int
spawn (char **arguments, char **environment, int module_fd, int channel_fd, GPid *ret_pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int result;

  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  result = add_actions (&actions, module_fd, channel_fd);
  if (result == 0)
    result = add_attributes (&attributes);
  if (result == 0)
    result = posix_spawn (ret_pid, arguments[0], &actions, &attributes, arguments,
                          environment);
  posix_spawn_file_actions_destroy (&actions);
  posix_spawnattr_destroy (&attributes);
  return result;
}

/* Closes @fd and gives one that stands clear of the numbers a host gets. */
static int
move_away (int fd)
{
  int moved = fcntl (fd, F_DUPFD_CLOEXEC, FREE_FD);

  close (fd);
  return moved;
}

static int
fail_to_start (int number, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO,
               _ ("A module host cannot be started: %s."), g_strerror (number));
  return -1;
}

int
_nebula_host_spawn (const NebulaHostLaunch *launch, GPid *ret_pid, GError **error)
{
  g_auto (GStrv) arguments = make_arguments (launch);
  g_auto (GStrv) environment = make_environment (launch);
  int module_fd = open_module (launch->module, error);
  int ends[2];
  int result;

  if (module_fd < 0)
    return -1;
  module_fd = move_away (module_fd);
  if (module_fd < 0)
    return fail_to_start (errno, error);
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    result = errno;
    close (module_fd);
    return fail_to_start (result, error);
  }
  ends[1] = move_away (ends[1]);
  result =
      ends[1] >= 0 ? spawn (arguments, environment, module_fd, ends[1], ret_pid) : errno;
  close (module_fd);
  if (ends[1] >= 0)
    close (ends[1]);
  if (result == 0)
    return ends[0];
  close (ends[0]);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
               _ ("The module host “%s” does not start: %s"), arguments[0],
               g_strerror (result));
  return -1;
}
