/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control flow that the kernel itself knows: parameters and help. */
#include "flow.h"

#include <glib/gi18n-lib.h>
#include <math.h>

#define CATEGORY N_ ("Flow")

static NebulaParameter *
add_count (NebulaActionClass *action, const char *name, const char *title, const char *description, gint64 fallback)
{
  g_autoptr (NebulaValue) value = nebula_value_new_integer (fallback);
  NebulaParameter *parameter =
      nebula_action_class_add_parameter (action, name, NEBULA_PARAMETER_KIND_INTEGER, title, description);

  nebula_parameter_set_range (parameter, 1, INFINITY);
  nebula_parameter_set_default (parameter, value);
  return parameter;
}

NEBULA_DEFINE_ACTION (NebulaFlowForEach, nebula_flow_for_each)

static void
nebula_flow_for_each_class_init (NebulaFlowForEachClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) cancel = nebula_value_new_string ("cancel");
  static const char *const rests[] = { "cancel", "ignore", NULL };
  NebulaParameter *items, *rest;

  nebula_action_class_set_details (action, "flow.for-each", "1.0.0", N_ ("For each"),
                                   N_ ("Runs its body for each item and gives the results in the order of the items."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_FOR_EACH);
  nebula_action_class_set_result (action, "{\"type\": \"array\"}");
  nebula_action_class_set_example (action, "action: flow.for-each\n"
                                           "with: { items: \"{{ $json.orders }}\", concurrency: 8 }\n"
                                           "body:\n"
                                           "  nodes:\n"
                                           "    price: { action: data.set, with: { total: \"{{ $item.qty * $item.unit }}\" } }\n");
  items = nebula_action_class_add_parameter (action, "items", NEBULA_PARAMETER_KIND_LIST, N_ ("Items"),
                                             N_ ("The array to walk over."));
  nebula_parameter_add_flags (items, NEBULA_PARAMETER_FLAGS_REQUIRED | NEBULA_PARAMETER_FLAGS_NULLABLE);
  add_count (action, "concurrency", N_ ("Concurrency"), N_ ("How many rounds run at once."), 1);
  add_count (action, "batch", N_ ("Batch"), N_ ("How many items one round gets; above 1 $item is an array."), 1);
  nebula_action_class_add_parameter (action, "done-when", NEBULA_PARAMETER_KIND_EXPRESSION, N_ ("Done when"),
                                     N_ ("Evaluated after each round; if true, the loop completes with the results "
                                         "so far, which are $items."));
  rest = nebula_action_class_add_parameter (action, "rest", NEBULA_PARAMETER_KIND_SELECT, N_ ("Rest"),
                                            N_ ("What becomes of the rounds that still run when it is done: cancel "
                                                "them, or ignore them and let them run on."));
  nebula_parameter_set_options (rest, rests);
  nebula_parameter_set_default (rest, cancel);
}

NEBULA_DEFINE_ACTION (NebulaFlowRepeat, nebula_flow_repeat)

static void
nebula_flow_repeat_class_init (NebulaFlowRepeatClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *times;

  nebula_action_class_set_details (action, "flow.repeat", "1.0.0", N_ ("Repeat"),
                                   N_ ("Runs its body a number of times and gives the last result."), CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_REPEAT);
  nebula_action_class_set_example (action, "action: flow.repeat\n"
                                           "with: { times: 3 }\n"
                                           "body:\n"
                                           "  nodes:\n"
                                           "    next: { action: data.set, with: { n: \"{{ ($last?.n ?? 0) + 1 }}\" } }\n");
  times = nebula_action_class_add_parameter (action, "times", NEBULA_PARAMETER_KIND_INTEGER, N_ ("Times"),
                                             N_ ("How many rounds."));
  nebula_parameter_add_flags (times, NEBULA_PARAMETER_FLAGS_REQUIRED);
  nebula_parameter_set_range (times, 0, INFINITY);
}

NEBULA_DEFINE_ACTION (NebulaFlowWhile, nebula_flow_while)

static void
nebula_flow_while_class_init (NebulaFlowWhileClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *condition;

  nebula_action_class_set_details (action, "flow.while", "1.0.0", N_ ("While"),
                                   N_ ("Runs its body while a condition holds and gives the last result."), CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_WHILE);
  nebula_action_class_set_example (action, "action: flow.while\n"
                                           "with: { condition: \"($last?.n ?? 0) < 10\" }\n"
                                           "body:\n"
                                           "  nodes:\n"
                                           "    next: { action: data.set, with: { n: \"{{ ($last?.n ?? 0) + 1 }}\" } }\n");
  condition = nebula_action_class_add_parameter (action, "condition", NEBULA_PARAMETER_KIND_EXPRESSION, N_ ("Condition"),
                                                 N_ ("Evaluated before each round; null counts as false."));
  nebula_parameter_add_flags (condition, NEBULA_PARAMETER_FLAGS_REQUIRED);
  add_count (action, "max", N_ ("Most rounds"), N_ ("More rounds are the error loop-limit."), 10000);
}

NEBULA_DEFINE_ACTION (NebulaFlowWait, nebula_flow_wait)

static void
nebula_flow_wait_class_init (NebulaFlowWaitClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) no = nebula_value_new_boolean (FALSE);
  NebulaParameter *approval, *transient;

  nebula_action_class_set_details (action, "flow.wait", "1.0.0", N_ ("Wait"),
                                   N_ ("Waits for a time, a signal, a token, an approval or the end of an execution, "
                                       "also across restarts, and gives the reason and value."),
                                   CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_WAIT);
  nebula_action_class_set_example (action, "action: flow.wait\n"
                                           "with: { duration: 2h }\n");
  nebula_action_class_add_parameter (action, "duration", NEBULA_PARAMETER_KIND_DURATION, N_ ("Duration"),
                                     N_ ("How long to wait."));
  nebula_action_class_add_parameter (action, "until", NEBULA_PARAMETER_KIND_DATE_TIME, N_ ("Until"),
                                     N_ ("When to go on."));
  nebula_action_class_add_parameter (action, "signal", NEBULA_PARAMETER_KIND_TEXT, N_ ("Signal"),
                                     N_ ("Name of the signal to wait for."));
  transient = nebula_action_class_add_parameter (action, "transient", NEBULA_PARAMETER_KIND_BOOLEAN, N_ ("Transient"),
                                                 N_ ("Signals that came before the wait do not count."));
  nebula_parameter_set_default (transient, no);
  nebula_action_class_add_parameter (action, "token", NEBULA_PARAMETER_KIND_TEXT, N_ ("Token"),
                                     N_ ("A token of flow.token: whoever has it can end the wait, once."));
  nebula_action_class_add_parameter (action, "execution", NEBULA_PARAMETER_KIND_TEXT, N_ ("Execution"),
                                     N_ ("Id of the execution whose end to wait for."));
  approval = nebula_action_class_add_parameter (action, "approval", NEBULA_PARAMETER_KIND_JSON, N_ ("Approval"),
                                                N_ ("What somebody is asked to approve: a message, or {message, need, "
                                                    "from, reject, escalate: {after, to, need}}."));
  nebula_parameter_add_flags (approval, NEBULA_PARAMETER_FLAGS_NULLABLE);
  nebula_action_class_add_port (action, "approved", N_ ("Approved"));
  nebula_action_class_add_port (action, "rejected", N_ ("Rejected"));
  nebula_action_class_add_port (action, "timeout", N_ ("Nobody decided in time"));
}

NEBULA_DEFINE_ACTION (NebulaFlowStop, nebula_flow_stop)

static void
nebula_flow_stop_class_init (NebulaFlowStopClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *output;

  nebula_action_class_set_details (action, "flow.stop", "1.0.0", N_ ("Stop"),
                                   N_ ("Ends the whole execution as completed; all else is cancelled."), CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_STOP);
  nebula_action_class_set_example (action, "action: flow.stop\n"
                                           "with: { output: { reason: nothing to do } }\n");
  output = nebula_action_class_add_parameter (action, "output", NEBULA_PARAMETER_KIND_JSON, N_ ("Output"),
                                              N_ ("The output of the execution."));
  nebula_parameter_add_flags (output, NEBULA_PARAMETER_FLAGS_NULLABLE);
}

NEBULA_DEFINE_ACTION (NebulaFlowFail, nebula_flow_fail)

static void
nebula_flow_fail_class_init (NebulaFlowFailClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) fallback = nebula_value_new_string ("failed");
  NebulaParameter *parameter;

  nebula_action_class_set_details (action, "flow.fail", "1.0.0", N_ ("Fail"),
                                   N_ ("Fails; its error port, retry and on-error apply."), CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_FAIL);
  nebula_action_class_set_example (action, "action: flow.fail\n"
                                           "with: { message: \"The order has no lines\", code: empty-order }\n");
  parameter = nebula_action_class_add_parameter (action, "message", NEBULA_PARAMETER_KIND_TEXT, N_ ("Message"),
                                                 N_ ("A sentence for people."));
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
  parameter = nebula_action_class_add_parameter (action, "code", NEBULA_PARAMETER_KIND_TEXT, N_ ("Code"),
                                                 N_ ("A short code for programs."));
  nebula_parameter_set_default (parameter, fallback);
  nebula_parameter_set_pattern (parameter, "^[a-z][a-z0-9-]{0,63}$");
}

NEBULA_DEFINE_ACTION (NebulaFlowBreak, nebula_flow_break)

static void
nebula_flow_break_class_init (NebulaFlowBreakClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "flow.break", "1.0.0", N_ ("Break"), N_ ("Ends the innermost loop."), CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_BREAK);
  nebula_action_class_set_example (action, "action: flow.break\n");
}

NEBULA_DEFINE_ACTION (NebulaFlowContinue, nebula_flow_continue)

static void
nebula_flow_continue_class_init (NebulaFlowContinueClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "flow.continue", "1.0.0", N_ ("Continue"),
                                   N_ ("Ends this round of the innermost loop."), CATEGORY);
  nebula_action_class_set_construct (action, NEBULA_CONSTRUCT_CONTINUE);
  nebula_action_class_set_example (action, "action: flow.continue\n");
}
