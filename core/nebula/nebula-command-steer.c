/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution cancel|signal: asks the owner of the store, or becomes it for a moment. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-reading-private.h"

typedef struct {
  char *store;
  char *reason;
  gboolean is_json;
} SteerOptions;

static const NebulaOption cancel_options[] = {
    NEBULA_OPTION_TEXT (SteerOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_TEXT (SteerOptions,
                        reason,
                        "reason",
                        0,
                        N_ ("Why, for those who look at it later"),
                        N_ ("TEXT")),
    NEBULA_OPTION_FLAG (SteerOptions, is_json, "json", 0, N_ ("Prints the run object")),
};

static const NebulaOption signal_options[] = {
    NEBULA_OPTION_TEXT (SteerOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_FLAG (SteerOptions, is_json, "json", 0, N_ ("Prints the run object")),
};

/* What is asked, in the words of the control socket. */
typedef struct {
  const char *op;
  const char *execution;
  const char *reason;
  const char *name;
  NebulaValue *value;
} Wish;

static NebulaValue *
make_request (const Wish *wish, const char *op)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "op", op);
  nebula_value_builder_set_string (builder, "execution", wish->execution);
  if (wish->reason)
    nebula_value_builder_set_string (builder, "reason", wish->reason);
  if (wish->name)
    nebula_value_builder_set_string (builder, "name", wish->name);
  if (wish->value)
    nebula_value_builder_set (builder, "value", wish->value);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
ask (const char *store, const Wish *wish, const char *op, GError **error)
{
  g_autoptr (NebulaValue) request = make_request (wish, op);

  return nebula_control_ask (store, request, error);
}

static NebulaValue *
look (const char *store, const char *id, GError **error)
{
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaExecution) execution = NULL;

  if (nebula_session_open (&session, store, NEBULA_SESSION_LOOK, error))
    execution = nebula_engine_get_execution (session.engine, id, error);
  return execution ? nebula_execution_get_report (execution, error) : NULL;
}

/* A cancelled execution ends soon, so its end is waited for; one that got a signal goes on without us. The owner may end
 * as soon as it has done what was asked: then the store tells. */
static NebulaValue *
steer_owner (const char *store, const Wish *wish, GError **error)
{
  g_autoptr (NebulaValue) answer = ask (store, wish, wish->op, error);
  NebulaValue *report;

  if (!answer)
    return NULL;
  report = ask (store, wish, g_str_equal (wish->op, "cancel") ? "wait" : "show", NULL);
  return report ? report : look (store, wish->execution, error);
}

typedef struct {
  gboolean is_over;
  GError *error;
} Answer;

static void
cancelled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answer *answer = user_data;

  nebula_execution_cancel_finish (NEBULA_EXECUTION (source), result, &answer->error);
  answer->is_over = TRUE;
}

static void
signalled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answer *answer = user_data;

  nebula_execution_signal_finish (NEBULA_EXECUTION (source), result, &answer->error);
  answer->is_over = TRUE;
}

static void
resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  nebula_execution_resume_finish (NEBULA_EXECUTION (source), result,
                                  NULL); /* it may have ended already */
}

static gboolean
steer_execution (NebulaExecution *execution, const Wish *wish, GError **error)
{
  Answer answer = {FALSE, NULL};

  if (g_str_equal (wish->op, "cancel"))
    nebula_execution_cancel_async (execution, wish->reason, NULL, cancelled, &answer);
  else
    nebula_execution_signal_async (execution, wish->name, wish->value, NULL, signalled,
                                   &answer);
  while (!answer.is_over)
    g_main_context_iteration (NULL, TRUE);
  if (answer.error) {
    g_propagate_error (error, answer.error);
    return FALSE;
  }
  if (g_str_equal (wish->op, "signal"))
    nebula_execution_resume_async (execution, NULL, resumed, NULL);
  return nebula_execution_run (execution, TRUE, NULL, error);
}

static NebulaValue *
steer (const char *store, const Wish *wish, GError **error)
{
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaExecution) execution = NULL;
  g_autoptr (GError) local_error = NULL;
  NebulaValue *report = NULL;

  if (nebula_session_open (&session, store, NEBULA_SESSION_OWN, &local_error)) {
    execution = nebula_engine_get_execution (session.engine, wish->execution, error);
    if (execution && steer_execution (execution, wish, error))
      report = nebula_execution_get_report (execution, error);
    return report;
  }
  if (g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY))
    return steer_owner (store, wish, error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

static int
tell (const SteerOptions *opts, const Wish *wish)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) report = NULL;
  g_autofree char *line = NULL;

  if (nebula_store_check (opts->store, &error))
    report = steer (opts->store, wish, &error);
  if (!report)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json) {
    nebula_output_value (report, FALSE);
    return NEBULA_EXIT_OK;
  }
  line = g_strdup_printf ("%s  %s\n", wish->execution,
                          nebula_value_get_member_string (report, "status", ""));
  nebula_output_text (line);
  return NEBULA_EXIT_OK;
}

static int
command_cancel (gpointer data, char **arguments)
{
  const SteerOptions *opts = data;
  Wish wish = {.op = "cancel", .execution = arguments[0], .reason = opts->reason};

  return tell (opts, &wish);
}

static int
command_signal (gpointer data, char **arguments)
{
  const SteerOptions *opts = data;
  g_autoptr (NebulaValue) value =
      arguments[2] ? nebula_read_loosely (arguments[2]) : nebula_value_new_null ();
  Wish wish = {
      .op = "signal", .execution = arguments[0], .name = arguments[1], .value = value};

  return tell (opts, &wish);
}

const NebulaCommand nebula_command_execution_cancel = {
    .name = "execution cancel",
    .summary = N_ ("Cancels an execution"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details =
        N_ ("Asks the process that runs it; if none does, it is cancelled in the store.\n"
            "\n"
            "Examples:\n"
            "  nebula execution cancel exe_… --store orders.db --reason 'wrong file'"),
    .options = cancel_options,
    .n_options = G_N_ELEMENTS (cancel_options),
    .options_size = sizeof (SteerOptions),
    .run = command_cancel,
};

const NebulaCommand nebula_command_execution_signal = {
    .name = "execution signal",
    .summary = N_ ("Sends a signal to an execution that waits for it"),
    .arguments = N_ ("ID NAME [VALUE]"),
    .min_arguments = 2,
    .max_arguments = 3,
    .details = N_ (
        "VALUE is JSON, else text. Without a process that runs the execution it goes on here.\n"
        "\n"
        "Examples:\n"
        "  nebula execution signal exe_… approved --store orders.db\n"
        "  nebula execution signal exe_… answer '{\"by\": \"Ada\"}' --store orders.db"),
    .options = signal_options,
    .n_options = G_N_ELEMENTS (signal_options),
    .options_size = sizeof (SteerOptions),
    .run = command_signal,
};
