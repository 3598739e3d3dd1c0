/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula workflow graph: a picture of a workflow as text for other programs. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"
#include "nebula-reading-private.h"

typedef struct {
  char *format;
} GraphOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXT (GraphOptions,
                        format,
                        "format",
                        'f',
                        N_ ("For Graphviz or for Mermaid"),
                        "dot|mermaid"),
};

static int
command_graph (gpointer data, char **arguments)
{
  const GraphOptions *opts = data;
  const char *format = opts->format ? opts->format : "dot";
  g_autoptr (GPtrArray) diagnostics = nebula_diagnostics_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaWorkflow) workflow = NULL;
  g_autofree char *graph = NULL;

  if (!g_str_equal (format, "dot") && !g_str_equal (format, "mermaid")) {
    nebula_complain (_ ("“%s” is no format. Use dot or mermaid."), format);
    return NEBULA_EXIT_USAGE;
  }
  workflow = nebula_read_workflow (arguments[0], diagnostics, &error);
  nebula_note_diagnostics (diagnostics);
  if (!workflow) {
    if (diagnostics->len == 0)
      nebula_complain_error (error);
    return NEBULA_EXIT_USAGE;
  }
  graph = g_str_equal (format, "dot") ? nebula_workflow_to_dot (workflow)
                                      : nebula_workflow_to_mermaid (workflow);
  nebula_output_text (graph);
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_workflow_graph = {
    .name = "workflow graph",
    .summary = N_ ("Draws a workflow"),
    .arguments = N_ ("FILE"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula workflow graph orders.yaml | dot -Tsvg > orders.svg\n"
                   "  nebula workflow graph orders.yaml --format mermaid"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (GraphOptions),
    .run = command_graph,
};
