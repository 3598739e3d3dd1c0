/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula validate: all mistakes of workflow files. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"
#include "nebula-reading-private.h"
#include "nebula-session-private.h"

typedef struct {
  gboolean is_json;
  gboolean is_quiet;
} ValidateOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_FLAG (ValidateOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints {valid, diagnostics}")),
    NEBULA_OPTION_FLAG (ValidateOptions,
                        is_quiet,
                        "quiet",
                        'q',
                        N_ ("Says nothing about files that are valid")),
};

static gboolean
check_file (NebulaRegistry *registry, const char *path, GPtrArray *diagnostics)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) own = nebula_diagnostics_new ();
  g_autoptr (GBytes) bytes = nebula_read_file (path, &error);
  gboolean is_valid = FALSE;

  if (bytes)
    is_valid = nebula_workflow_validate_bytes (
        bytes, path, NEBULA_ACTION_RESOLVER (registry), own, &error);
  if (!is_valid)
    nebula_diagnostics_add_error (own, path, error);
  g_ptr_array_extend_and_steal (diagnostics, g_steal_pointer (&own));
  return is_valid;
}

static int
command_validate (gpointer data, char **arguments)
{
  const ValidateOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaRegistry) registry = nebula_registry_open (&error);
  g_autoptr (GPtrArray) diagnostics = nebula_diagnostics_new ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;
  gboolean are_valid = TRUE;

  if (!registry)
    return nebula_fail (error, opts->is_json);
  for (guint i = 0; arguments[i]; i++) {
    gboolean is_valid = check_file (registry, arguments[i], diagnostics);

    are_valid = are_valid && is_valid;
    if (is_valid && !opts->is_json && !opts->is_quiet) {
      g_autofree char *line = g_strdup_printf (_ ("%s: valid\n"), arguments[i]);

      nebula_output_text (line);
    }
  }
  if (opts->is_json) {
    nebula_value_builder_set_boolean (builder, "valid", are_valid);
    nebula_value_builder_set_take (builder, "diagnostics",
                                   nebula_diagnostics_to_value (diagnostics));
    value = nebula_value_builder_end (builder);
    nebula_output_value (value, FALSE);
  } else {
    nebula_note_diagnostics (diagnostics);
  }
  return are_valid ? NEBULA_EXIT_OK : NEBULA_EXIT_USAGE;
}

const NebulaCommand nebula_command_validate = {
    .name = "validate",
    .summary = N_ ("Lists the mistakes of workflow files"),
    .arguments = N_ ("FILE…"),
    .min_arguments = 1,
    .max_arguments = G_MAXUINT,
    .details = N_ ("Exit: 0 all are valid, 2 some are not.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula validate hello.yaml\n"
                   "  nebula validate --json *.yaml"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ValidateOptions),
    .run = command_validate,
};
