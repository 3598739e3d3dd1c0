/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static const char *const kept_variables[] = { "HOME", "LANG", "TZ" };

static gboolean
refuse_variable (const char *name, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
               _("The variable “%s” of “env” is refused. Use a name without “=” and a text, number or boolean without "
                 "a zero character"),
               name);
  return FALSE;
}

static gboolean
set_variable (char ***environment, const char *name, gsize length, NebulaValue *value, GError **error)
{
  g_autofree char *text = NULL;

  if (*name == '\0' || strchr (name, '=') != NULL || strlen (name) != length)
    return refuse_variable (name, error);
  if (nebula_value_is_null (value)) {
    *environment = g_environ_unsetenv (*environment, name);
    return TRUE;
  }
  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY || nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT ||
      nebula_value_get_kind (value) == NEBULA_VALUE_KIND_BYTES)
    return refuse_variable (name, error);
  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING &&
      strlen (nebula_value_get_string (value)) != nebula_value_get_string_length (value))
    return refuse_variable (name, error);

  text = nebula_value_to_text (value);
  *environment = g_environ_setenv (*environment, name, text, TRUE);
  return TRUE;
}

static char **
make_environment (NebulaValue *env, GError **error)
{
  const char *path = g_getenv ("PATH");
  g_auto (GStrv) environment = g_environ_setenv (NULL, "PATH", path != NULL ? path : DEFAULT_PATH, TRUE);

  for (gsize i = 0; i < G_N_ELEMENTS (kept_variables); i++) {
    const char *value = g_getenv (kept_variables[i]);

    if (value != NULL)
      environment = g_environ_setenv (environment, kept_variables[i], value, TRUE);
  }
  for (gsize i = 0; env != NULL && i < nebula_value_get_length (env); i++) {
    gsize length = 0;
    const char *name = nebula_value_get_key (env, i, &length);

    if (!set_variable (&environment, name, length, nebula_value_get_member_at (env, i), error))
      return NULL;
  }
  return g_steal_pointer (&environment);
}

static GBytes *
input_to_bytes (NebulaValue *input)
{
  char *text;

  if (nebula_value_get_kind (input) == NEBULA_VALUE_KIND_BYTES)
    return nebula_value_ref_bytes (input);
  if (nebula_value_get_kind (input) == NEBULA_VALUE_KIND_STRING)
    return g_bytes_new (nebula_value_get_string (input), nebula_value_get_string_length (input));
  text = nebula_value_to_json (input, NEBULA_JSON_FLAGS_NONE);
  return g_bytes_new_take (text, strlen (text));
}

static gboolean
fill_file (int fd, NebulaValue *input)
{
  g_autoptr (GBytes) bytes = input_to_bytes (input);
  gsize size = 0;
  const char *data = g_bytes_get_data (bytes, &size);

  while (size > 0) {
    gssize written = write (fd, data, size);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return FALSE;
    data += written;
    size -= (gsize) written;
  }
  return lseek (fd, 0, SEEK_SET) == 0;
}

/* A file in memory: -1 with error. */
static int
open_input (NebulaValue *input, GError **error)
{
  int fd = memfd_create ("nebula-stdin", MFD_CLOEXEC);
  int number;

  if (fd >= 0 && fill_file (fd, input))
    return fd;
  number = errno;
  if (fd >= 0)
    close (fd);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO, _("The program's input could not be prepared: %s. Try again later"),
               g_strerror (number));
  return -1;
}

/* Between fork and exec: only what may be called after a fork. */
static void
lead_group (gpointer data)
{
  setpgid (0, 0);
}

static NebulaError
get_spawn_code (const GError *reason)
{
  if (g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT) ||
      g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_CHDIR))
    return NEBULA_ERROR_NOT_FOUND;
  if (g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_ACCES) ||
      g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_PERM))
    return NEBULA_ERROR_PERMISSION_DENIED;
  if (g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_TOO_BIG))
    return NEBULA_ERROR_TOO_LARGE;
  if (g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK) ||
      g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_NOMEM) ||
      g_error_matches (reason, G_SPAWN_ERROR, G_SPAWN_ERROR_MFILE))
    return NEBULA_ERROR_UNAVAILABLE;
  return NEBULA_ERROR_INVALID_ARGUMENT;
}

GSubprocess *
_nebula_process_spawn (const char *const *command, const char *directory, NebulaValue *env, NebulaValue *input,
                       GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) reason = NULL;
  g_auto (GStrv) environment = make_environment (env, error);

  if (environment == NULL)
    return NULL;
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_environ (launcher, environment);
  g_subprocess_launcher_set_child_setup (launcher, lead_group, NULL, NULL);
  if (directory != NULL)
    g_subprocess_launcher_set_cwd (launcher, directory);
  if (input != NULL && !nebula_value_is_null (input)) {
    int fd = open_input (input, error);

    if (fd < 0)
      return NULL;
    g_subprocess_launcher_take_stdin_fd (launcher, fd);
  }

  process = g_subprocess_launcher_spawnv (launcher, command, &reason);
  if (process == NULL)
    g_set_error (error, NEBULA_ERROR, get_spawn_code (reason),
                 /* TRANSLATORS: the second %s is the reason that the system gives */
                 _("The program “%s” could not be started: %s. Check its name, its mode and the folder"), command[0],
                 reason->message);
  return g_steal_pointer (&process);
}
