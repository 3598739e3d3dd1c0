/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parent's side of probing: run the host program on an open, verified module file and read what it prints. A crash,
 * an endless loop or a flood there costs this process nothing but the time limit.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "nebula-json.h"
#include "nebula-module-internal.h"

#define CATALOGUE_BYTES (16 * 1024 * 1024)
#define MODULE_FD 3

/* The folder of this library; NULL where it is part of the program. */
static char *
find_library_folder (void)
{
  Dl_info info;
  g_autofree char *name = NULL;

  if (dladdr ((gpointer) nebula_module_find_host, &info) == 0 || info.dli_fname == NULL || info.dli_fname[0] != '/')
    return NULL;
  name = g_path_get_basename (info.dli_fname);
  return g_str_has_prefix (name, "libnebula-") ? g_path_get_dirname (info.dli_fname) : NULL;
}

static char *
find_beside_program (void)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = program != NULL ? g_path_get_dirname (program) : NULL;

  return folder != NULL ? g_build_filename (folder, "nebula-host", NULL) : NULL;
}

/* In the build folder the library and the host have neighbouring places. */
static char *
find_beside_library (void)
{
  g_autofree char *folder = find_library_folder ();

  return folder != NULL ? g_build_filename (folder, "nebula-host", "nebula-host", NULL) : NULL;
}

static gboolean
is_program (const char *path)
{
  return path != NULL && g_file_test (path, G_FILE_TEST_IS_REGULAR) && access (path, X_OK) == 0;
}

char *
nebula_module_find_host (void)
{
  const char *chosen = g_getenv ("NEBULA_HOST");
  g_autofree char *beside_program = NULL;
  g_autofree char *beside_library = NULL;

  if (chosen != NULL && *chosen != '\0')
    return g_strdup (chosen);
  beside_program = find_beside_program ();
  if (is_program (beside_program))
    return g_steal_pointer (&beside_program);
  beside_library = find_beside_library ();
  if (is_program (beside_library))
    return g_steal_pointer (&beside_library);
  return g_build_filename (NEBULA_LIBEXEC_DIR, "nebula-host", NULL);
}

gboolean
nebula_module_is_shipped (const char *path)
{
  g_autofree char *library = find_library_folder ();
  g_autofree char *built = library != NULL ? g_build_filename (library, "..", "modules", NULL) : NULL;
  const char *folders[] = { NEBULA_MODULE_DIR, built };

  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *folder = folders[i] != NULL ? g_canonicalize_filename (folders[i], NULL) : NULL;

    if (folder != NULL && g_str_has_prefix (path, folder) && path[strlen (folder)] == '/')
      return TRUE;
  }
  return FALSE;
}

static GStrv
set_path (GStrv environment, const char *name, const char *path)
{
  return g_file_test (path, G_FILE_TEST_IS_DIR) ? g_environ_setenv (environment, name, path, TRUE) : environment;
}

/* Where other languages find the bindings that belong to this very library. */
static GStrv
add_languages (GStrv environment, const char *library)
{
  g_autofree char *built = g_build_filename (library, "..", "introspection", NULL);
  g_autofree char *typelibs = g_build_filename (library, "girepository-1.0", NULL);
  gboolean is_built = g_file_test (built, G_FILE_TEST_IS_DIR);

  environment = set_path (environment, "GI_TYPELIB_PATH", is_built ? built : typelibs);
  environment = set_path (environment, "PYTHONPATH", is_built ? built : NEBULA_PYTHON_DIR);
  return set_path (environment, "GJS_PATH", is_built ? built : NEBULA_GJS_DIR);
}

/* Nothing of ours that steers the linker, GLib's modules or its checks reaches the host. Only the folder of this very
 * library is put back, so that the host finds the same one where it is not installed. */
GStrv
nebula_module_make_environment (void)
{
  static const char *const dropped[] = { "G_DEBUG",         "G_SLICE",    "GIO_EXTRA_MODULES", "GIO_MODULE_DIR",
                                         "GI_TYPELIB_PATH", "GCONV_PATH", "G_MESSAGES_DEBUG",  "GJS_PATH" };
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *folder = find_library_folder ();
  GStrv result;

  for (gsize i = 0; i < G_N_ELEMENTS (dropped); i++)
    environment = g_environ_unsetenv (environment, dropped[i]);
  for (char **variable = environment; *variable != NULL; variable++) {
    if (!g_str_has_prefix (*variable, "LD_") && !g_str_has_prefix (*variable, "LTDL_") &&
        !g_str_has_prefix (*variable, "PYTHON"))
      g_strv_builder_add (builder, *variable);
  }

  result = g_strv_builder_end (builder);
  if (folder == NULL)
    return result;
  result = g_environ_setenv (result, "LD_LIBRARY_PATH", folder, TRUE);
  return add_languages (result, folder);
}

GStrv
nebula_module_make_command (const char *host, const char *path)
{
  static const struct
  {
    const char *suffix;
    const char *interpreter;
    const char *program;
  } languages[] = {
    { ".py", NEBULA_PYTHON, "nebula-host.py" },
    { ".js", NEBULA_GJS, "nebula-host.js" },
  };
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *folder = g_path_get_dirname (host);

  for (gsize i = 0; i < G_N_ELEMENTS (languages); i++) {
    g_autofree char *program = g_build_filename (folder, languages[i].program, NULL);

    if (!g_str_has_suffix (path, languages[i].suffix))
      continue;
    g_strv_builder_add (builder, languages[i].interpreter);
    if (i > 0)
      g_strv_builder_add (builder, "-m");
    g_strv_builder_add (builder, program);
    return g_strv_builder_end (builder);
  }
  g_strv_builder_add (builder, host);
  return g_strv_builder_end (builder);
}

static GSubprocess *
start_host (const char *host, const char *path, int fd, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_auto (GStrv) environment = nebula_module_make_environment ();
  g_auto (GStrv) command = nebula_module_make_command (host, path);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;
  int copy = fcntl (fd, F_DUPFD_CLOEXEC, MODULE_FD + 1);

  if (copy < 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO, _("“%s” cannot be handed to the module host: %s"), path,
                 g_strerror (errno));
    return NULL;
  }
  g_subprocess_launcher_take_fd (launcher, copy, MODULE_FD);
  g_subprocess_launcher_set_environ (launcher, environment);
  g_strv_builder_addv (builder, (const char **) command);
  g_strv_builder_add_many (builder, "--probe", path, "--fd", "3", NULL);
  arguments = g_strv_builder_end (builder);
  return g_subprocess_launcher_spawnv (launcher, (const char *const *) arguments, error);
}

typedef enum
{
  READ_END,
  READ_LATE,
  READ_FLOOD,
  READ_FAILED,
} ReadState;

static ReadState
read_some (int fd, GByteArray *output, gint64 deadline_usec)
{
  guint8 buffer[4096];
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  gint64 left_usec = deadline_usec - g_get_monotonic_time ();
  ssize_t n_bytes;

  if (left_usec <= 0 || poll (&poll_fd, 1, (int) (left_usec / 1000 + 1)) == 0)
    return READ_LATE;
  n_bytes = read (fd, buffer, sizeof buffer);
  if (n_bytes < 0)
    return errno == EINTR || errno == EAGAIN ? READ_END : READ_FAILED;
  if (n_bytes == 0)
    return READ_FAILED;
  g_byte_array_append (output, buffer, (guint) n_bytes);
  return output->len > CATALOGUE_BYTES ? READ_FLOOD : READ_END;
}

/* Reads to the end of the pipe; READ_END is success. */
static ReadState
read_all (GSubprocess *process, GByteArray *output, gint64 deadline_usec)
{
  int fd = g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (g_subprocess_get_stdout_pipe (process)));
  ReadState state;

  do {
    state = read_some (fd, output, deadline_usec);
  } while (state == READ_END);
  return state == READ_FAILED ? READ_END : state;
}

static void
on_waited (GObject *process, GAsyncResult *result, gpointer done)
{
  g_subprocess_wait_finish (G_SUBPROCESS (process), result, NULL);
  *(gboolean *) done = TRUE;
}

static gboolean
on_late (gpointer late)
{
  *(gboolean *) late = TRUE;
  return G_SOURCE_REMOVE;
}

/* Waits for the end of the process in a context of our own; kills it when its time is over. */
static gboolean
wait_for_end (GSubprocess *process, gint64 deadline_usec)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  gint64 left_usec = MAX (deadline_usec - g_get_monotonic_time (), 0);
  g_autoptr (GSource) timer = g_timeout_source_new ((guint) (left_usec / 1000));
  gboolean done = FALSE, late = FALSE;

  g_main_context_push_thread_default (context);
  g_source_set_callback (timer, on_late, &late, NULL);
  g_source_attach (timer, context);
  g_subprocess_wait_async (process, NULL, on_waited, &done);
  while (!done && !late)
    g_main_context_iteration (context, TRUE);

  if (!done)
    g_subprocess_force_exit (process);
  while (!done)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (timer);
  g_main_context_pop_thread_default (context);
  return !late;
}

G_GNUC_PRINTF (2, 3)
static NebulaValue *
fail (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error != NULL)
    *error = g_error_new_valist (NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, format, arguments);
  va_end (arguments);
  return NULL;
}

/* The host prints one object: the catalogue, or {"error": {"code", "message"}}. */
static NebulaValue *
read_answer (GByteArray *output, GError **error)
{
  g_autoptr (NebulaValue) answer = NULL;
  NebulaValue *failure;
  NebulaError code = NEBULA_ERROR_MODULE_BROKEN;

  answer = nebula_value_parse_json ((const char *) output->data, (gssize) output->len, NEBULA_JSON_FLAGS_UNIQUE_KEYS, NULL);
  if (answer == NULL || nebula_value_get_kind (answer) != NEBULA_VALUE_KIND_OBJECT)
    return fail (error, _("gave no catalogue while probing"));

  failure = nebula_value_get_member (answer, "error");
  if (failure == NULL)
    return g_steal_pointer (&answer);
  if (nebula_value_get_kind (failure) != NEBULA_VALUE_KIND_OBJECT)
    return fail (error, _("gave no catalogue while probing"));

  nebula_error_code_from_string (nebula_value_get_member_string (failure, "code", ""), &code);
  g_set_error_literal (error, NEBULA_ERROR, (gint) code, nebula_value_get_member_string (failure, "message", ""));
  return NULL;
}

NebulaValue *
nebula_module_probe (const char *host, const char *path, int fd, gint64 timeout_usec, GError **error)
{
  gint64 deadline_usec = g_get_monotonic_time () + timeout_usec;
  g_autoptr (GByteArray) output = g_byte_array_new ();
  g_autoptr (GSubprocess) process = start_host (host, path, fd, error);
  ReadState state;

  if (process == NULL) {
    g_prefix_error (error, _("The module host “%s” does not start: "), host);
    return NULL;
  }

  state = read_all (process, output, deadline_usec);
  if (state == READ_FLOOD)
    g_subprocess_force_exit (process);
  if (!wait_for_end (process, deadline_usec) || state == READ_LATE)
    return fail (error, _("did not end within %.1f s while probing"), (double) timeout_usec / G_USEC_PER_SEC);
  if (state == READ_FLOOD)
    return fail (error, _("wrote more than 16 MiB while probing"));
  if (g_subprocess_get_if_signaled (process))
    return fail (error, _("crashed by signal %d while probing"), g_subprocess_get_term_sig (process));
  if (output->len == 0)
    return fail (error, _("ended with exit code %d while probing and gave no catalogue"), g_subprocess_get_exit_status (process));
  return read_answer (output, error);
}
