/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nebula-host --probe PATH [--fd N]
 * nebula-host --serve PATH --fd N --channel N
 *
 * Opens one native module. Probing, it prints the catalogue as one JSON object, or {"error": {"code", "message"}} with exit
 * code 1. Serving, it runs the module's actions for the engine at the other end of the channel. The module may crash or
 * hang here: whoever started this program watches it.
 */
#include "nebula-host.h"

#include <unistd.h>

#define EXIT_BROKEN 1
#define EXIT_USAGE  2

static void
run (NebulaHost *host, NebulaInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaAction) action = NULL;

  if (nebula_host_get_function (host, invocation) != NULL) {
    nebula_host_call_function (host, invocation);
    return;
  }
  action = nebula_host_create_action (host, invocation, &error);
  if (action != NULL)
    nebula_action_invoke (action, invocation);
  else
    nebula_invocation_return_error (invocation, error);
}

static int
serve (NebulaHost *host)
{
  g_autoptr (GError) error = NULL;
  NebulaInvocation *invocation;

  if (!nebula_host_load (host, &error)) {
    nebula_host_fail_with_error (host, error);
    return EXIT_BROKEN;
  }
  while ((invocation = nebula_host_next (host)) != NULL) {
    run (host, invocation);
    g_object_unref (invocation);
  }
  return 0;
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
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaHost) host = nebula_host_new ((const char *const *) argv + 1, &error);

  if (host != NULL)
    return leave (serve (host));
  g_printerr ("%s\n", error->message);
  return leave (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT)
                    ? EXIT_USAGE
                    : EXIT_BROKEN);
}
