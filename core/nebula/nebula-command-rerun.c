/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution rerun|fork: a new execution of what another one has done. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-progress-private.h"
#include "nebula-reading-private.h"

typedef struct {
  char *store;
  char *from;
  char *item;
  gboolean is_failed;
  char *revision;
  char *input;
  char **pins;
  char **mocks;
  char **breaks;
  gboolean is_json;
} RerunOptions;

#define OPTION_STORE                                                                     \
  NEBULA_OPTION_TEXT (RerunOptions, store, "store", 0, N_ ("The store"), N_ ("PATH"))
#define OPTION_FROM                                                                      \
  NEBULA_OPTION_TEXT (RerunOptions, from, "from", 0,                                      \
                      N_ ("Begins at this node; what does not follow it gives what it gave"), \
                      N_ ("NODE"))
#define OPTION_ITEM                                                                      \
  NEBULA_OPTION_TEXT (RerunOptions, item, "item", 0,                                      \
                      N_ ("The round, from 0, if --from names a node of a loop: each.price"), \
                      N_ ("N"))
#define OPTION_REVISION                                                                  \
  NEBULA_OPTION_TEXT (RerunOptions, revision, "revision", 'r',                            \
                      N_ ("The one it had, the current one, a number or a label"),       \
                      N_ ("old|new|N|LABEL"))
#define OPTION_PIN                                                                       \
  NEBULA_OPTION_TEXTS (RerunOptions, pins, "pin", 0,                                      \
                       N_ ("The node does not run and gives this; VALUE is JSON, else text"), \
                       N_ ("NODE=VALUE"))
#define OPTION_MOCK                                                                      \
  NEBULA_OPTION_TEXTS (RerunOptions, mocks, "mock", 0,                                    \
                       N_ ("As --pin, and the run object calls it a mock"),              \
                       N_ ("NODE=VALUE"))
#define OPTION_BREAK                                                                     \
  NEBULA_OPTION_TEXTS (RerunOptions, breaks, "break", 0,                                  \
                       N_ ("Pauses before this node, if the expression holds"),          \
                       N_ ("NODE[=EXPRESSION]"))
#define OPTION_JSON                                                                      \
  NEBULA_OPTION_FLAG (RerunOptions, is_json, "json", 0, N_ ("Prints the run object"))

static const NebulaOption rerun_options[] = {
    OPTION_STORE,
    OPTION_FROM,
    OPTION_ITEM,
    NEBULA_OPTION_FLAG (RerunOptions,
                        is_failed,
                        "failed",
                        0,
                        N_ ("Begins at the node in which it failed")),
    OPTION_REVISION,
    NEBULA_OPTION_TEXT (RerunOptions,
                        input,
                        "input",
                        'i',
                        N_ ("Another input of the workflow, or with --from of that node"),
                        N_ ("JSON|@FILE")),
    OPTION_PIN,
    OPTION_MOCK,
    OPTION_BREAK,
    OPTION_JSON,
};

static char *
make_from (const RerunOptions *opts, GError **error)
{
  const char *dot = opts->from ? strchr (opts->from, '.') : NULL;

  if (!opts->item)
    return g_strdup (opts->from);
  if (g_ascii_string_to_unsigned (opts->item, 10, 0, G_MAXUINT32, NULL, NULL) && dot &&
      !memchr (opts->from, '[', (gsize) (dot - opts->from)))
    return g_strdup_printf ("%.*s[%s]%s", (int) (dot - opts->from), opts->from,
                            opts->item, dot);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                       _ ("--item wants a number and a node of a loop: --from each.price --item 734."));
  return NULL;
}

static gboolean
set_assignments (NebulaValueBuilder *builder,
                 const char *key,
                 char **texts,
                 gboolean is_break,
                 GError **error)
{
  NebulaValue *value;

  if (!texts)
    return TRUE;
  value = nebula_read_assignments (texts, is_break, error);
  if (value)
    nebula_value_builder_set_take (builder, key, value);
  return value != NULL;
}

static gboolean
set_input (NebulaValueBuilder *builder, const char *text, GError **error)
{
  NebulaValue *value = text ? nebula_read_argument (text, "input", error) : NULL;

  if (value)
    nebula_value_builder_set_take (builder, "input", value);
  return !text || value;
}

static NebulaValue *
make_choices (const RerunOptions *opts, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *from = make_from (opts, error);

  if ((opts->item && !from) || !set_input (builder, opts->input, error) ||
      !set_assignments (builder, "pins", opts->pins, FALSE, error) ||
      !set_assignments (builder, "mocks", opts->mocks, FALSE, error) ||
      !set_assignments (builder, "breakpoints", opts->breaks, TRUE, error))
    return NULL;
  if (from)
    nebula_value_builder_set_string (builder, "from", from);
  if (opts->is_failed)
    nebula_value_builder_set_boolean (builder, "failed", TRUE);
  if (opts->revision)
    nebula_value_builder_set_string (builder, "revision", opts->revision);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
ask (const char *store, const char *op, const char *id, NebulaValue *choices, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) request = NULL;

  nebula_value_builder_set_string (builder, "op", op);
  nebula_value_builder_set_string (builder, "execution", id);
  if (choices)
    nebula_value_builder_set (builder, "options", choices);
  request = nebula_value_builder_end (builder);
  return nebula_control_ask (store, request, error);
}

/* The owner runs it; we tell how it stands. */
static NebulaValue *
rerun_there (const char *store, const char *id, NebulaValue *choices, GError **error)
{
  g_autoptr (NebulaValue) answer = ask (store, "rerun", id, choices, error);

  return answer ? ask (store, "show", nebula_value_get_string (answer), NULL, error) : NULL;
}

static NebulaValue *
rerun_here (NebulaEngine *engine, const char *id, NebulaValue *choices, GError **error)
{
  g_autoptr (NebulaExecution) execution =
      nebula_engine_rerun (engine, id, choices, error);

  if (!execution || !nebula_execution_run (execution, TRUE, NULL, error))
    return NULL;
  return nebula_execution_get_report (execution, error);
}

static NebulaValue *
rerun (const char *store, const char *id, NebulaValue *choices, GError **error)
{
  g_auto (NebulaSession) session = {0};
  g_autoptr (GError) local_error = NULL;

  if (nebula_session_open (&session, store, NEBULA_SESSION_OWN, &local_error))
    return rerun_here (session.engine, id, choices, error);
  if (g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY))
    return rerun_there (store, id, choices, error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

static int
command_rerun (gpointer data, char **arguments)
{
  const RerunOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) choices = make_choices (opts, &error);
  g_autoptr (NebulaValue) report = NULL;

  if (choices && nebula_store_check (opts->store, &error))
    report = rerun (opts->store, arguments[0], choices, &error);
  if (!report)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json)
    nebula_output_value (report, FALSE);
  else
    nebula_progress_print_report (report);
  return NEBULA_EXIT_OK;
}

static int
command_fork (gpointer data, char **arguments)
{
  const RerunOptions *opts = data;

  if (opts->input)
    return command_rerun (data, arguments);
  nebula_complain ("%s", _ ("Say what the other input is: --input JSON."));
  return NEBULA_EXIT_USAGE;
}

const NebulaCommand nebula_command_execution_rerun = {
    .name = "execution rerun",
    .summary = N_ ("Does again what an execution did, from the start or from a node"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ (
        "A new execution does it; the old one stays as it is. With --from the node and all that follows it\n"
        "run, all else gives what it gave. If another process runs the store, it is asked to do it.\n"
        "\n"
        "Examples:\n"
        "  nebula execution rerun exe_… --store orders.db\n"
        "  nebula execution rerun exe_… --failed --revision new --store orders.db\n"
        "  nebula execution rerun exe_… --from 'each[734].price' --store orders.db --json\n"
        "  nebula execution rerun exe_… --from ship --pin 'price={\"total\": 7}' --store orders.db"),
    .options = rerun_options,
    .n_options = G_N_ELEMENTS (rerun_options),
    .options_size = sizeof (RerunOptions),
    .run = command_rerun,
};

const NebulaCommand nebula_command_execution_fork = {
    .name = "execution fork",
    .summary = N_ ("Goes another way from a node of an execution, with another input"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("As “nebula execution rerun”, with an input that must be given.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula execution fork exe_… --from ship --input '{\"to\": \"Rome\"}' --store orders.db"),
    .options = rerun_options,
    .n_options = G_N_ELEMENTS (rerun_options),
    .options_size = sizeof (RerunOptions),
    .run = command_fork,
};
