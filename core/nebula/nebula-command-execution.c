/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution list|show: looks into a store, whoever owns it. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-progress-private.h"
#include "nebula-sqlite-store.h"

typedef struct {
  char *store;
  char *status;
  char *workflow;
  char *search;
  char *since;
  char *before;
  char *tenant;
  char *tag;
  char *after;
  int limit;
  gboolean is_json;
} ListOptions;

static const NebulaOption list_options[] = {
    NEBULA_OPTION_TEXT (ListOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_TEXT (
        ListOptions,
        status,
        "status",
        0,
        N_ ("Only those with this status; open: all that have not ended"),
        "open|running|suspended|paused|completed|failed|cancelled|timed-out"),
    NEBULA_OPTION_TEXT (ListOptions,
                        workflow,
                        "workflow",
                        0,
                        N_ ("Only those of this workflow"),
                        N_ ("NAME")),
    NEBULA_OPTION_TEXT (ListOptions,
                        search,
                        "search",
                        0,
                        N_ ("Only those with all these words in input, output, error or id; invoi* finds invoices"),
                        N_ ("TEXT")),
    NEBULA_OPTION_TEXT (ListOptions,
                        since,
                        "since",
                        0,
                        N_ ("Only those that began then or later: 2h (ago), or 2026-11-24T08:00:00Z"),
                        N_ ("TIME")),
    NEBULA_OPTION_TEXT (ListOptions,
                        before,
                        "before",
                        0,
                        N_ ("Only those that began before then"),
                        N_ ("TIME")),
    NEBULA_OPTION_TEXT (ListOptions,
                        tenant,
                        "tenant",
                        0,
                        N_ ("Only those of this tenant"),
                        N_ ("NAME")),
    NEBULA_OPTION_TEXT (ListOptions,
                        tag,
                        "tag",
                        0,
                        N_ ("Only those whose workflow had this tag when they began"),
                        N_ ("TAG")),
    NEBULA_OPTION_NUMBER (ListOptions,
                          limit,
                          "limit",
                          0,
                          N_ ("How many at most (100)"),
                          N_ ("N")),
    NEBULA_OPTION_TEXT (ListOptions,
                        after,
                        "after",
                        0,
                        N_ ("The next page: “next” of the one before"),
                        N_ ("ID")),
    NEBULA_OPTION_FLAG (ListOptions, is_json, "json", 0, N_ ("Prints {items, next}")),
};

typedef struct {
  char *store;
  char *node;
  gboolean is_json;
} ShowOptions;

static const NebulaOption show_options[] = {
    NEBULA_OPTION_TEXT (ShowOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_TEXT (ShowOptions,
                        node,
                        "node",
                        0,
                        N_ ("One node, also inside loops: each[734].price"),
                        N_ ("NODE")),
    NEBULA_OPTION_FLAG (ShowOptions, is_json, "json", 0, N_ ("Prints the run object")),
};

static NebulaValue *
make_request (const ListOptions *opts)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  if (opts->status)
    nebula_value_builder_set_string (builder, "status", opts->status);
  if (opts->workflow)
    nebula_value_builder_set_string (builder, "workflow", opts->workflow);
  if (opts->search)
    nebula_value_builder_set_string (builder, "search", opts->search);
  if (opts->since)
    nebula_value_builder_set_string (builder, "since", opts->since);
  if (opts->before)
    nebula_value_builder_set_string (builder, "before", opts->before);
  if (opts->tenant)
    nebula_value_builder_set_string (builder, "tenant", opts->tenant);
  if (opts->tag)
    nebula_value_builder_set_string (builder, "tag", opts->tag);
  if (opts->after)
    nebula_value_builder_set_string (builder, "after", opts->after);
  if (opts->limit > 0)
    nebula_value_builder_set_integer (builder, "limit", opts->limit);
  return nebula_value_builder_end (builder);
}

static void
print_list (NebulaValue *list)
{
  NebulaValue *items = nebula_value_get_member (list, "items");
  const char *next = nebula_value_get_member_string (list, "next", NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    NebulaValue *item = nebula_value_get_item (items, i);

    g_string_append_printf (text, "%s  %-10s  %s  %s",
                            nebula_value_get_member_string (item, "execution", ""),
                            nebula_value_get_member_string (item, "status", ""),
                            nebula_value_get_member_string (item, "created", ""),
                            nebula_value_get_member_string (item, "workflow", ""));
    nebula_append_tags (text, item);
    g_string_append_c (text, '\n');
  }
  nebula_output_text (text->str);
  if (next)
    nebula_note (_ ("There are more: add --after %s"), next);
}

static int
command_list (gpointer data, char **arguments)
{
  const ListOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaStore) store = NULL;
  g_autoptr (NebulaValue) request = make_request (opts);
  g_autoptr (NebulaValue) list = NULL;

  if (nebula_store_check (opts->store, &error))
    store = nebula_sqlite_store_open (opts->store, NEBULA_SQLITE_STORE_FLAGS_READ_ONLY,
                                      &error);
  if (store)
    list = nebula_order_list (store, request, &error);
  if (!list)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json)
    nebula_output_value (list, FALSE);
  else
    print_list (list);
  return NEBULA_EXIT_OK;
}

static NebulaValue *
show (NebulaExecution *execution, const char *node, GError **error)
{
  return node ? nebula_execution_get_node_report (execution, node, error)
              : nebula_execution_get_report (execution, error);
}

static int
command_show (gpointer data, char **arguments)
{
  const ShowOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaExecution) execution = NULL;
  g_autoptr (NebulaValue) report = NULL;

  if (nebula_store_check (opts->store, &error) &&
      nebula_session_open (&session, opts->store, NEBULA_SESSION_LOOK, &error))
    execution = nebula_engine_get_execution (session.engine, arguments[0], &error);
  if (execution)
    report = show (execution, opts->node, &error);
  if (!report)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json)
    nebula_output_value (report, FALSE);
  else if (opts->node)
    nebula_output_value (report, TRUE);
  else
    nebula_progress_print_report (report);
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_execution_list = {
    .name = "execution list",
    .summary = N_ ("Lists executions, newest first"),
    .arguments = "",
    .details = N_ ("Examples:\n"
                   "  nebula execution list --store orders.db\n"
                   "  nebula execution list --store orders.db --status open --json\n"
                   "  nebula execution list --store orders.db --tag billing\n"
                   "  nebula execution list --store orders.db --search 'order 4711' --since 7d"),
    .options = list_options,
    .n_options = G_N_ELEMENTS (list_options),
    .options_size = sizeof (ListOptions),
    .run = command_list,
};

const NebulaCommand nebula_command_execution_show = {
    .name = "execution show",
    .summary = N_ ("Shows one execution and its nodes"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details =
        N_ ("Examples:\n"
            "  nebula execution show exe_… --store orders.db\n"
            "  nebula execution show exe_… --store orders.db --node 'each[734].price'"),
    .options = show_options,
    .n_options = G_N_ELEMENTS (show_options),
    .options_size = sizeof (ShowOptions),
    .run = command_show,
};
