/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions of the module flow that only compute. */
#include "flow.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define CATEGORY N_ ("Flow")

static NebulaValue *
ref_input (const NebulaArguments *arguments)
{
  return arguments->input != NULL ? nebula_value_ref (arguments->input) : nebula_value_new_null ();
}

/* flow.if */

NEBULA_DEFINE_ACTION (NebulaFlowIf, nebula_flow_if)

static NebulaValue *
nebula_flow_if_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *condition = nebula_arguments_get (arguments, "condition");
  gboolean holds = condition != NULL && !nebula_value_is_null (condition) && nebula_value_get_boolean (condition);

  *ret_port = holds ? "true" : "false";
  return ref_input (arguments);
}

static void
nebula_flow_if_class_init (NebulaFlowIfClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *condition;

  nebula_action_class_set_details (action, "flow.if", "1.0.0", N_ ("If"),
                                   N_ ("Leaves by “true” or “false” and passes its input on."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_flow_if_evaluate);
  nebula_action_class_add_port (action, "true", N_ ("True"));
  nebula_action_class_add_port (action, "false", N_ ("False"));
  nebula_action_class_set_result (action, "input");
  nebula_action_class_set_example (action, "action: flow.if\n"
                                           "with: { condition: \"{{ $json.total > 100 }}\" }\n");
  condition = nebula_action_class_add_parameter (action, "condition", NEBULA_PARAMETER_KIND_BOOLEAN, N_ ("Condition"),
                                                 N_ ("What decides; null counts as false."));
  nebula_parameter_add_flags (condition, NEBULA_PARAMETER_FLAGS_REQUIRED | NEBULA_PARAMETER_FLAGS_NULLABLE);
}

/* flow.switch */

NEBULA_DEFINE_ACTION (NebulaFlowSwitch, nebula_flow_switch)

static NebulaValue *
nebula_flow_switch_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *value = nebula_arguments_get (arguments, "value");
  NebulaValue *cases = nebula_arguments_get (arguments, "cases");

  *ret_port = "default";
  for (gsize i = 0; value != NULL && cases != NULL && i < nebula_value_get_length (cases); i++) {
    if (!nebula_value_equal (value, nebula_value_get_member_at (cases, i)))
      continue;
    *ret_port = g_intern_string (nebula_value_get_key (cases, i, NULL));
    break;
  }
  return ref_input (arguments);
}

static void
nebula_flow_switch_class_init (NebulaFlowSwitchClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *parameter;

  nebula_action_class_set_details (action, "flow.switch", "1.0.0", N_ ("Switch"),
                                   N_ ("Leaves by the first case that equals the value, else by “default”, and "
                                       "passes its input on."),
                                   CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_flow_switch_evaluate);
  nebula_action_class_add_port (action, "default", N_ ("Default"));
  nebula_action_class_set_dynamic_ports (action, "cases");
  nebula_action_class_set_result (action, "input");
  nebula_action_class_set_example (action, "action: flow.switch\n"
                                           "with: { value: \"{{ $json.country }}\", cases: { home: DE, near: FR } }\n");
  parameter = nebula_action_class_add_parameter (action, "value", NEBULA_PARAMETER_KIND_JSON, N_ ("Value"),
                                                 N_ ("What is compared with the cases."));
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED | NEBULA_PARAMETER_FLAGS_NULLABLE);
  parameter = nebula_action_class_add_parameter (action, "cases", NEBULA_PARAMETER_KIND_OBJECT, N_ ("Cases"),
                                                 N_ ("Names of ports, each with the value that leads there."));
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
}

/* flow.merge */

NEBULA_DEFINE_ACTION (NebulaFlowMerge, nebula_flow_merge)

static NebulaValue *
list_values (NebulaValue *object)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < nebula_value_get_length (object); i++)
    nebula_value_builder_add (builder, nebula_value_get_member_at (object, i));
  return nebula_value_builder_end (builder);
}

/* The live inputs by predecessor, also when there is only one of them. */
static NebulaValue *
get_inputs (const NebulaArguments *arguments)
{
  NebulaEnvironment *environment = arguments->environment;
  NebulaValue *inputs = environment ? environment->get_variable (environment, "inputs", NULL) : NULL;

  return inputs ? inputs : ref_input (arguments);
}

static NebulaValue *
nebula_flow_merge_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  const char *mode = nebula_value_get_string (nebula_arguments_get (arguments, "mode"));
  g_autoptr (NebulaValue) input = get_inputs (arguments);

  if (nebula_value_get_kind (input) != NEBULA_VALUE_KIND_OBJECT) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                         _("Merging needs an object of predecessors and their values as input. Connect the nodes "
                           "whose results are to be merged"));
    return NULL;
  }
  if (strcmp (mode, "array") == 0)
    return list_values (input);
  if (strcmp (mode, "first") != 0)
    return g_steal_pointer (&input);
  if (nebula_value_get_length (input) == 0)
    return nebula_value_new_null ();
  return nebula_value_ref (nebula_value_get_member_at (input, 0));
}

static void
nebula_flow_merge_class_init (NebulaFlowMergeClass *klass)
{
  static const char *const modes[] = { "object", "array", "first", NULL };
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) fallback = nebula_value_new_string ("object");
  NebulaParameter *mode;

  nebula_action_class_set_details (action, "flow.merge", "1.0.0", N_ ("Merge"),
                                   N_ ("Joins the results of its predecessors; skipped ones are left out."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_flow_merge_evaluate);
  nebula_action_class_set_example (action, "action: flow.merge\n"
                                           "with: { mode: array }\n"
                                           "after: [left, right]\n");
  mode = nebula_action_class_add_parameter (action, "mode", NEBULA_PARAMETER_KIND_SELECT, N_ ("Mode"),
                                            N_ ("An object by predecessor, an array of the values, or the first value."));
  nebula_parameter_set_options (mode, modes);
  nebula_parameter_set_default (mode, fallback);
}

/* flow.no-op */

NEBULA_DEFINE_ACTION (NebulaFlowNoOp, nebula_flow_no_op)

static NebulaValue *
nebula_flow_no_op_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  return ref_input (arguments);
}

static void
nebula_flow_no_op_class_init (NebulaFlowNoOpClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "flow.no-op", "1.0.0", N_ ("No operation"),
                                   N_ ("Passes its input on."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_flow_no_op_evaluate);
  nebula_action_class_set_result (action, "input");
  nebula_action_class_set_example (action, "action: flow.no-op\n");
}

/* flow.log */

NEBULA_DEFINE_ACTION (NebulaFlowLog, nebula_flow_log)

static GLogLevelFlags
level_from_text (const char *text)
{
  if (strcmp (text, "debug") == 0)
    return G_LOG_LEVEL_DEBUG;
  if (strcmp (text, "message") == 0)
    return G_LOG_LEVEL_MESSAGE;
  if (strcmp (text, "warning") == 0)
    return G_LOG_LEVEL_WARNING;
  return G_LOG_LEVEL_INFO;
}

static NebulaValue *
nebula_flow_log_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *message = nebula_arguments_get (arguments, "message");
  NebulaValue *level = nebula_arguments_get (arguments, "level");
  g_autofree char *text = message != NULL ? nebula_value_to_text (message) : g_strdup ("");

  g_log (G_LOG_DOMAIN, level_from_text (nebula_value_get_string (level)), "%s", text);
  return ref_input (arguments);
}

static void
nebula_flow_log_class_init (NebulaFlowLogClass *klass)
{
  static const char *const levels[] = { "debug", "info", "message", "warning", NULL };
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) fallback = nebula_value_new_string ("info");
  NebulaParameter *parameter;

  nebula_action_class_set_details (action, "flow.log", "1.0.0", N_ ("Log"),
                                   N_ ("Writes a message to the log and passes its input on."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_flow_log_evaluate);
  nebula_action_class_set_result (action, "input");
  nebula_action_class_set_example (action, "action: flow.log\n"
                                           "with: { message: \"got {{ length ($json) }} orders\", level: info }\n");
  parameter = nebula_action_class_add_parameter (action, "message", NEBULA_PARAMETER_KIND_JSON, N_ ("Message"),
                                                 N_ ("Text, or any value, which is written as JSON."));
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED | NEBULA_PARAMETER_FLAGS_NULLABLE);
  parameter = nebula_action_class_add_parameter (action, "level", NEBULA_PARAMETER_KIND_SELECT, N_ ("Level"),
                                                 N_ ("How important it is."));
  nebula_parameter_set_options (parameter, levels);
  nebula_parameter_set_default (parameter, fallback);
}
