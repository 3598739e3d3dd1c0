/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control flow with the world outside the execution: other workflows, tokens. */
#include "flow.h"

#include <glib/gi18n-lib.h>

#define CATEGORY N_ ("Flow")

NEBULA_DEFINE_ACTION (NebulaFlowCall, nebula_flow_call)

static void
nebula_flow_call_class_init (NebulaFlowCallClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  static const char *const modes[] = { "await", "detach", NULL };
  g_autoptr (NebulaValue) await = nebula_value_new_string ("await");
  NebulaParameter *workflow, *input, *mode;

  nebula_action_class_set_details (action, "flow.call", "1.0.0", N_ ("Call a workflow"),
                                   N_ ("Runs another workflow as an execution of its own and gives its output, or "
                                       "only starts it and gives its id."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_CALL);
  nebula_action_class_set_example (action, "action: flow.call\n"
                                           "with: { workflow: ./price.yaml, input: { order: \"{{ $json }}\" } }\n");
  workflow = nebula_action_class_add_parameter (action, "workflow", NEBULA_PARAMETER_KIND_TEXT, N_ ("Workflow"),
                                                N_ ("Name of a deployed workflow, or a path relative to this file."));
  nebula_parameter_add_flags (workflow, NEBULA_PARAMETER_FLAGS_REQUIRED);
  input = nebula_action_class_add_parameter (action, "input", NEBULA_PARAMETER_KIND_JSON, N_ ("Input"),
                                             N_ ("The input of the workflow; without it, the input of this node."));
  nebula_parameter_add_flags (input, NEBULA_PARAMETER_FLAGS_NULLABLE);
  mode = nebula_action_class_add_parameter (action, "mode", NEBULA_PARAMETER_KIND_SELECT, N_ ("Mode"),
                                            N_ ("await: waits for its end, and cancels it if this node is cancelled; "
                                                "detach: goes on at once, and leaves it alone."));
  nebula_parameter_set_options (mode, modes);
  nebula_parameter_set_default (mode, await);
}

NEBULA_DEFINE_ACTION (NebulaFlowToken, nebula_flow_token)

static void
nebula_flow_token_class_init (NebulaFlowTokenClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "flow.token", "1.0.0", N_ ("Issue a token"),
                                   N_ ("Gives a secret text, to be sent to whoever is to answer; flow.wait waits for "
                                       "the answer."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_TOKEN);
  nebula_action_class_set_result (action, "{\"type\": \"object\", \"properties\": {\"token\": {\"type\": "
                                          "\"string\"}}}");
  nebula_action_class_set_example (action, "action: flow.token\n");
}
