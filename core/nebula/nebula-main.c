/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <glib/gi18n-lib.h>
#include <locale.h>

#include "nebula-command-private.h"
#include "nebula-log.h"
#include "nebula-output-private.h"

#define LOG_PATIENCE_USEC (5 * G_USEC_PER_SEC)

static void
set_up_language (void)
{
  const char *folder = g_getenv ("NEBULA_LOCALEDIR");

  /* Only what is used: each category is a file to open. */
  setlocale (LC_CTYPE, "");
  setlocale (LC_MESSAGES, "");
  bindtextdomain (GETTEXT_PACKAGE, folder ? folder : NEBULA_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
}

int
main (int argc, char **argv)
{
  int status;

  set_up_language ();
  nebula_log_install ();
  status = nebula_commands_main (argc, argv);
  nebula_log_flush (LOG_PATIENCE_USEC);
  if (nebula_output_has_failed () && status == NEBULA_EXIT_OK)
    return NEBULA_EXIT_ENVIRONMENT;
  return status;
}
