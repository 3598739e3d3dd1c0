/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution cancel|terminate|pause|signal|answer|approve|reject */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-output-private.h"
#include "nebula-reading-private.h"
#include "nebula-steer-private.h"

#define OPTION_STORE                                                                     \
  NEBULA_OPTION_TEXT (NebulaSteerOptions, store, "store", 0, N_ ("The store"), N_ ("PATH"))
#define OPTION_JSON                                                                      \
  NEBULA_OPTION_FLAG (NebulaSteerOptions, is_json, "json", 0, N_ ("Prints the run object"))
#define OPTION_REASON                                                                    \
  NEBULA_OPTION_TEXT (NebulaSteerOptions, reason, "reason", 0,                            \
                      N_ ("Why, for those who look at it later"), N_ ("TEXT"))

static const NebulaOption cancel_options[] = {
    OPTION_STORE,
    OPTION_REASON,
    NEBULA_OPTION_TEXT (NebulaSteerOptions,
                        node,
                        "node",
                        0,
                        N_ ("Only this node, or this round of a loop: each[734]"),
                        N_ ("NODE")),
    NEBULA_OPTION_TEXT (NebulaSteerOptions,
                        region,
                        "region",
                        0,
                        N_ ("Only what is active in this region"),
                        N_ ("NAME")),
    OPTION_JSON,
};

static const NebulaOption reason_options[] = {OPTION_STORE, OPTION_REASON, OPTION_JSON};
static const NebulaOption plain_options[] = {OPTION_STORE, OPTION_JSON};

static const NebulaOption decide_options[] = {
    OPTION_STORE,
    NEBULA_OPTION_TEXT (NebulaSteerOptions,
                        node,
                        "node",
                        0,
                        N_ ("The node that waits, if there are several"),
                        N_ ("NODE")),
    NEBULA_OPTION_TEXT (NebulaSteerOptions,
                        by,
                        "by",
                        0,
                        N_ ("Who decides; else the name of the user"),
                        N_ ("NAME")),
    NEBULA_OPTION_TEXT (NebulaSteerOptions,
                        comment,
                        "comment",
                        0,
                        N_ ("Why, for those who look at it later"),
                        N_ ("TEXT")),
    OPTION_JSON,
};

static int
command_cancel (gpointer data, char **arguments)
{
  const NebulaSteerOptions *opts = data;
  NebulaWish wish = {.op = "cancel",
                     .execution = arguments[0],
                     .reason = opts->reason,
                     .node = opts->node,
                     .region = opts->region};

  if (opts->node)
    wish.op = "cancel-node";
  else if (opts->region)
    wish.op = "cancel-region";
  return nebula_steer (opts, &wish);
}

static int
command_terminate (gpointer data, char **arguments)
{
  const NebulaSteerOptions *opts = data;
  NebulaWish wish = {
      .op = "terminate", .execution = arguments[0], .reason = opts->reason};

  return nebula_steer (opts, &wish);
}

static int
command_pause (gpointer data, char **arguments)
{
  const NebulaSteerOptions *opts = data;
  NebulaWish wish = {.op = "pause", .execution = arguments[0], .reason = opts->reason};

  return nebula_steer (opts, &wish);
}

static NebulaValue *
read_value (const char *text)
{
  return text ? nebula_read_loosely (text) : nebula_value_new_null ();
}

static int
command_signal (gpointer data, char **arguments)
{
  const NebulaSteerOptions *opts = data;
  g_autoptr (NebulaValue) value = read_value (arguments[2]);
  NebulaWish wish = {
      .op = "signal", .execution = arguments[0], .name = arguments[1], .value = value};

  return nebula_steer (opts, &wish);
}

/* A token begins with the id of the execution that has issued it. */
static int
command_answer (gpointer data, char **arguments)
{
  const NebulaSteerOptions *opts = data;
  g_autofree char *execution = g_strndup (arguments[0], strcspn (arguments[0], "."));
  g_autoptr (NebulaValue) value = read_value (arguments[1]);
  NebulaWish wish = {
      .op = "answer", .execution = execution, .token = arguments[0], .value = value};

  return nebula_steer (opts, &wish);
}

static int
decide (const NebulaSteerOptions *opts, const char *op, const char *execution)
{
  NebulaWish wish = {.op = op,
                     .execution = execution,
                     .node = opts->node,
                     .by = opts->by ? opts->by : g_get_user_name (),
                     .comment = opts->comment};

  return nebula_steer (opts, &wish);
}

static int
command_approve (gpointer data, char **arguments)
{
  return decide (data, "approve", arguments[0]);
}

static int
command_reject (gpointer data, char **arguments)
{
  return decide (data, "reject", arguments[0]);
}

const NebulaCommand nebula_command_execution_cancel = {
    .name = "execution cancel",
    .summary = N_ ("Cancels an execution, or a part of it"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details =
        N_ ("Asks the process that runs it; if none does, it is cancelled in the store.\n"
            "What stands in a “finally” runs, and what was done is undone.\n"
            "\n"
            "Examples:\n"
            "  nebula execution cancel exe_… --store orders.db --reason 'wrong file'\n"
            "  nebula execution cancel exe_… --store orders.db --node 'each[734]'"),
    .options = cancel_options,
    .n_options = G_N_ELEMENTS (cancel_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_cancel,
};

const NebulaCommand nebula_command_execution_terminate = {
    .name = "execution terminate",
    .summary = N_ ("Ends an execution at once: no “finally” runs, nothing is undone"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula execution terminate exe_… --store orders.db --reason 'stuck'"),
    .options = reason_options,
    .n_options = G_N_ELEMENTS (reason_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_terminate,
};

const NebulaCommand nebula_command_execution_pause = {
    .name = "execution pause",
    .summary = N_ ("Pauses an execution: nothing new begins until it is resumed"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula execution pause exe_… --store orders.db\n"
                   "  nebula execution resume exe_… --store orders.db"),
    .options = reason_options,
    .n_options = G_N_ELEMENTS (reason_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_pause,
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
    .options = plain_options,
    .n_options = G_N_ELEMENTS (plain_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_signal,
};

const NebulaCommand nebula_command_execution_answer = {
    .name = "execution answer",
    .summary = N_ ("Answers a token that an execution has issued"),
    .arguments = N_ ("TOKEN [VALUE]"),
    .min_arguments = 1,
    .max_arguments = 2,
    .details = N_ (
        "VALUE is JSON, else text. A token is answered once; whoever has it may do so.\n"
        "\n"
        "Examples:\n"
        "  nebula execution answer exe_….3f… '{\"paid\": true}' --store orders.db"),
    .options = plain_options,
    .n_options = G_N_ELEMENTS (plain_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_answer,
};

const NebulaCommand nebula_command_execution_approve = {
    .name = "execution approve",
    .summary = N_ ("Says yes to what an execution asks for"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ (
        "The decision is recorded with the name of who took it.\n"
        "\n"
        "Examples:\n"
        "  nebula execution approve exe_… --store orders.db --by ada --comment 'looks good'"),
    .options = decide_options,
    .n_options = G_N_ELEMENTS (decide_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_approve,
};

const NebulaCommand nebula_command_execution_reject = {
    .name = "execution reject",
    .summary = N_ ("Says no to what an execution asks for"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula execution reject exe_… --store orders.db --node ship --by ada"),
    .options = decide_options,
    .n_options = G_N_ELEMENTS (decide_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_reject,
};
