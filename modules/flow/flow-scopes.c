/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Constructs with bodies that are no loops, and those that act on other nodes: parameters and help. */
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

NEBULA_DEFINE_ACTION (NebulaFlowCancel, nebula_flow_cancel)

static void
nebula_flow_cancel_class_init (NebulaFlowCancelClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) no = nebula_value_new_boolean (FALSE);
  NebulaParameter *keep;

  nebula_action_class_set_details (action, "flow.cancel", "1.0.0", N_ ("Cancel"),
                                   N_ ("Cancels a node, or all nodes of a region, that are active now, and gives its "
                                       "input."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_CANCEL);
  nebula_action_class_set_example (action, "action: flow.cancel\n"
                                           "with: { region: offers }\n");
  nebula_action_class_add_parameter (action, "node", NEBULA_PARAMETER_KIND_TEXT, N_ ("Node"),
                                     N_ ("Id of the node, here or around this body."));
  nebula_action_class_add_parameter (action, "region", NEBULA_PARAMETER_KIND_TEXT, N_ ("Region"),
                                     N_ ("Name that stands as “region” beside the nodes to cancel."));
  keep = nebula_action_class_add_parameter (action, "keep", NEBULA_PARAMETER_KIND_BOOLEAN, N_ ("Keep"),
                                            N_ ("A loop completes with the rounds that are done, instead of being "
                                                "cancelled."));
  nebula_parameter_set_default (keep, no);
}

NEBULA_DEFINE_ACTION (NebulaFlowAdd, nebula_flow_add)

static void
nebula_flow_add_class_init (NebulaFlowAddClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *items;

  nebula_action_class_set_details (action, "flow.add", "1.0.0", N_ ("Add items"),
                                   N_ ("Adds items to the for-each around it while it runs, and gives its input."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_ADD);
  nebula_action_class_set_example (action, "action: flow.add\n"
                                           "with: { items: \"{{ $json.links }}\" }\n");
  items = nebula_action_class_add_parameter (action, "items", NEBULA_PARAMETER_KIND_LIST, N_ ("Items"),
                                             N_ ("The array of items to add."));
  nebula_parameter_add_flags (items, NEBULA_PARAMETER_FLAGS_REQUIRED);
}
