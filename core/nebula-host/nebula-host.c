/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nebula-host --probe PATH [--fd N]
 *
 * Opens one module, registers its types and prints its catalogue as one JSON object. What goes wrong is printed as
 * {"error": {"code", "message"}} and the exit code is 1. The module may crash or hang here: whoever started this
 * program keeps a time limit.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "nebula-json.h"
#include "nebula-module.h"

#define EXIT_USAGE 2

static gboolean
write_all (int fd, const char *text, gsize length)
{
  while (length > 0) {
    ssize_t n_bytes = write (fd, text, length);

    if (n_bytes <= 0)
      return FALSE;
    text += n_bytes;
    length -= (gsize) n_bytes;
  }
  return TRUE;
}

static gboolean
print_value (int fd, NebulaValue *value)
{
  g_autofree char *json = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);

  return write_all (fd, json, strlen (json));
}

static void
print_error (int fd, const GError *error)
{
  g_autoptr (NebulaValueBuilder) failure = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) answer = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;
  g_autofree char *message = g_utf8_make_valid (error->message, -1);

  nebula_value_builder_set_string (failure, "code", nebula_error_get_code (error));
  nebula_value_builder_set_string (failure, "message", message);
  nebula_value_builder_set_take (answer, "error", nebula_value_builder_end (failure));
  value = nebula_value_builder_end (answer);
  print_value (fd, value);
}

/* The answer gets a descriptor that the module does not know; what the module itself prints goes to stderr. */
static int
take_stdout (void)
{
  int fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);

  if (fd >= 0)
    dup2 (STDERR_FILENO, STDOUT_FILENO);
  return fd;
}

static int
probe (const char *path, int module_fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) catalogue = NULL;
  struct rlimit no_core = { 0, 0 };
  int fd = take_stdout ();

  setrlimit (RLIMIT_CORE, &no_core);
  catalogue = nebula_module_describe (path, module_fd, &error);
  if (catalogue == NULL) {
    print_error (fd, error);
    return 1;
  }
  return print_value (fd, catalogue) ? 0 : 1;
}

/* Destructors of the module have nothing to do here, and could hang; but the counts of lines are written by one. */
static int
leave (int exit_code)
{
#ifndef NEBULA_COVERAGE
  _exit (exit_code);
#endif
  return exit_code;
}

int
main (int argc, char **argv)
{
  guint64 module_fd = 0;

  if (argc == 3 && g_str_equal (argv[1], "--probe"))
    return leave (probe (argv[2], -1));
  if (argc == 5 && g_str_equal (argv[1], "--probe") && g_str_equal (argv[3], "--fd") &&
      g_ascii_string_to_unsigned (argv[4], 10, 0, 1024, &module_fd, NULL))
    return leave (probe (argv[2], (int) module_fd));

  g_printerr ("nebula-host is started by Nebula itself.\nUsage: nebula-host --probe PATH [--fd N]\n");
  return EXIT_USAGE;
}
