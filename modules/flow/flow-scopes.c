/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constructs with bodies that are no loops: parameters and help. */
#include "flow.h"

#include <glib/gi18n-lib.h>

#define CATEGORY N_ ("Flow")

NEBULA_DEFINE_ACTION (NebulaFlowTry, nebula_flow_try)

static void
nebula_flow_try_class_init (NebulaFlowTryClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "flow.try", "1.0.0", N_ ("Try"),
                                   N_ ("Runs its body; if that fails, “catch” gets the error; “finally” runs in "
                                       "any case."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_TRY);
  nebula_action_class_set_example (action, "action: flow.try\n"
                                           "body:\n"
                                           "  nodes:\n"
                                           "    risky: { action: flow.fail, with: { message: no luck } }\n"
                                           "catch:\n"
                                           "  nodes:\n"
                                           "    answer: { action: data.set, with: { why: \"{{ $error.message }}\" } }\n"
                                           "finally:\n"
                                           "  nodes:\n"
                                           "    tidy: { action: flow.log, with: { message: done } }\n");
}

NEBULA_DEFINE_ACTION (NebulaFlowRace, nebula_flow_race)

static void
nebula_flow_race_class_init (NebulaFlowRaceClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) no = nebula_value_new_boolean (FALSE);
  NebulaParameter *success;

  nebula_action_class_set_details (action, "flow.race", "1.0.0", N_ ("Race"),
                                   N_ ("Runs several bodies at once; the first that ends wins, the others are "
                                       "cancelled."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_RACE);
  nebula_action_class_set_example (action, "action: flow.race\n"
                                           "bodies:\n"
                                           "  answer:\n"
                                           "    nodes:\n"
                                           "      wait: { action: flow.wait, with: { signal: answer } }\n"
                                           "  late:\n"
                                           "    nodes:\n"
                                           "      wait: { action: flow.wait, with: { duration: 1h } }\n");
  success = nebula_action_class_add_parameter (action, "success", NEBULA_PARAMETER_KIND_BOOLEAN, N_ ("Success only"),
                                               N_ ("A body that fails does not win; the race fails when all have."));
  nebula_parameter_set_default (success, no);
}
