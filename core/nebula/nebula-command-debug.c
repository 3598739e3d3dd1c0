/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution break|step: stops an execution before a node, and lets it do one at a time. */

#include <glib/gi18n-lib.h>

#include "nebula-output-private.h"
#include "nebula-steer-private.h"

#define OPTION_STORE                                                                     \
  NEBULA_OPTION_TEXT (NebulaSteerOptions, store, "store", 0, N_ ("The store"), N_ ("PATH"))
#define OPTION_JSON                                                                      \
  NEBULA_OPTION_FLAG (NebulaSteerOptions, is_json, "json", 0, N_ ("Prints the run object"))

static const NebulaOption break_options[] = {
    OPTION_STORE,
    NEBULA_OPTION_TEXT (NebulaSteerOptions,
                        condition,
                        "when",
                        0,
                        N_ ("Only if this expression holds"),
                        N_ ("EXPRESSION")),
    NEBULA_OPTION_FLAG (NebulaSteerOptions,
                        is_removal,
                        "remove",
                        0,
                        N_ ("Takes the breakpoint away")),
    OPTION_JSON,
};
static const NebulaOption step_options[] = {OPTION_STORE, OPTION_JSON};

static int
command_break (gpointer data, char **arguments)
{
  const NebulaSteerOptions *opts = data;
  NebulaWish wish = {.op = opts->is_removal ? "unbreak" : "break",
                     .execution = arguments[0],
                     .node = arguments[1],
                     .comment = opts->condition};

  return nebula_steer (opts, &wish);
}

static int
command_step (gpointer data, char **arguments)
{
  NebulaWish wish = {.op = "step", .execution = arguments[0]};

  return nebula_steer (data, &wish);
}

const NebulaCommand nebula_command_execution_break = {
    .name = "execution break",
    .summary = N_ ("Sets a breakpoint: the execution pauses before a node"),
    .arguments = N_ ("ID NODE"),
    .min_arguments = 2,
    .max_arguments = 2,
    .details = N_ ("It goes on with “nebula execution step” or “nebula execution resume”.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula execution break exe_… ship --store orders.db\n"
                   "  nebula execution break exe_… each.price --when '$item.qty > 9' --store orders.db\n"
                   "  nebula execution break exe_… ship --remove --store orders.db"),
    .options = break_options,
    .n_options = G_N_ELEMENTS (break_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_break,
};

const NebulaCommand nebula_command_execution_step = {
    .name = "execution step",
    .summary = N_ ("Lets an execution that is paused do one node"),
    .arguments = N_ ("ID"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula execution step exe_… --store orders.db"),
    .options = step_options,
    .n_options = G_N_ELEMENTS (step_options),
    .options_size = sizeof (NebulaSteerOptions),
    .run = command_step,
};
