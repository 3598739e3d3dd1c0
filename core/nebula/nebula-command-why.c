/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution why: what keeps an execution from going on, and since when. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"

typedef struct {
  char *store;
  gboolean is_json;
} WhyOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXT (WhyOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_FLAG (WhyOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints {execution, status, reasons}")),
};

static NebulaValue *
make_report (NebulaExecution *execution)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "execution",
                                   nebula_execution_get_id (execution));
  nebula_value_builder_set_string (
      builder, "status",
      nebula_execution_status_to_string (nebula_execution_get_status (execution)));
  nebula_value_builder_set_take (builder, "reasons", nebula_execution_explain (execution));
  return nebula_value_builder_end (builder);
}

/* The members that say what exactly it is, after reason and node. */
static void
append_details (GString *text, NebulaValue *reason)
{
  for (gsize i = 0; i < nebula_value_get_length (reason); i++) {
    const char *key = nebula_value_get_key (reason, i, NULL);
    NebulaValue *value = nebula_value_get_member_at (reason, i);
    g_autofree char *shown = NULL;

    if (g_str_equal (key, "node") || g_str_equal (key, "reason") ||
        g_str_equal (key, "why"))
      continue;
    shown = nebula_value_to_text (value);
    g_string_append_printf (text, "  %s %s", key, shown);
  }
  g_string_append_c (text, '\n');
}

static void
append_reasons (GString *text, NebulaValue *reasons, guint depth)
{
  for (gsize i = 0; i < nebula_value_get_length (reasons); i++) {
    NebulaValue *reason = nebula_value_get_item (reasons, i);
    const char *node = nebula_value_get_member_string (reason, "node", NULL);
    NebulaValue *inner = nebula_value_get_member (reason, "why");

    g_string_append_printf (text, "%*s%s", (int) (2 * depth), "",
                            nebula_value_get_member_string (reason, "reason", ""));
    if (node)
      g_string_append_printf (text, "  %s", node);
    append_details (text, reason);
    if (inner && nebula_value_get_kind (inner) == NEBULA_VALUE_KIND_ARRAY)
      append_reasons (text, inner, depth + 1);
  }
}

static void
print (NebulaValue *report)
{
  NebulaValue *reasons = nebula_value_get_member (report, "reasons");
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s  %s\n",
                          nebula_value_get_member_string (report, "execution", ""),
                          nebula_value_get_member_string (report, "status", ""));
  append_reasons (text, reasons, 1);
  nebula_output_text (text->str);
}

static int
command_why (gpointer data, char **arguments)
{
  const WhyOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaExecution) execution = NULL;
  g_autoptr (NebulaValue) report = NULL;

  if (nebula_store_check (opts->store, &error) &&
      nebula_session_open (&session, opts->store, NEBULA_SESSION_LOOK, &error))
    execution = nebula_engine_get_execution (session.engine, arguments[0], &error);
  if (!execution)
    return nebula_fail (error, opts->is_json);
  report = make_report (execution);
  if (opts->is_json)
    nebula_output_value (report, FALSE);
  else
    print (report);
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_execution_why = {
    .name = "execution why",
    .summary = N_ ("Says why an execution does not go on, and since when"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details =
        N_ ("Each line is one reason: timer, signal, token, approval, execution, child, lock,\n"
            "join, concurrency-limit (a place in it), rate, debounce, batch, delayed-start, retry,\n"
            "paused, unknown-outcome, or running.\n"
            "\n"
            "Examples:\n"
            "  nebula execution why exe_… --store orders.db\n"
            "  nebula execution why exe_… --store orders.db --json"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (WhyOptions),
    .run = command_why,
};
