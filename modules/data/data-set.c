/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "data.h"

#include <glib/gi18n-lib.h>

/* data.set: the parameters are the result, so that it costs one count. */

NEBULA_DEFINE_ACTION (NebulaDataSet, nebula_data_set)

static NebulaValue *
nebula_data_set_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  return nebula_value_ref (arguments->parameters);
}

static void
nebula_data_set_class_init (NebulaDataSetClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *rest;

  nebula_action_class_set_details (action, "data.set", "1.0.0", N_ ("Set"),
                                   N_ ("Makes an object of the keys that it is given."), N_ ("Data"));
  nebula_action_class_set_evaluate (action, nebula_data_set_evaluate);
  nebula_action_class_set_result (action, "parameters");
  nebula_action_class_set_example (action, "action: data.set\n"
                                           "with: { total: \"{{ $json.qty * $json.unit }}\", currency: EUR }\n");
  rest = nebula_action_class_add_parameter (action, "values", NEBULA_PARAMETER_KIND_OBJECT, N_ ("Values"),
                                            N_ ("Any keys; each becomes a member of the result."));
  nebula_parameter_add_flags (rest, NEBULA_PARAMETER_FLAGS_REST);
}

/* data.template */

NEBULA_DEFINE_ACTION (NebulaDataTemplate, nebula_data_template)

static NebulaValue *
nebula_data_template_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *text = nebula_arguments_get (arguments, "text");
  g_autofree char *plain = text != NULL ? nebula_value_to_text (text) : g_strdup ("");

  if (text != NULL && nebula_value_get_kind (text) == NEBULA_VALUE_KIND_STRING)
    return nebula_value_ref (text);
  return nebula_value_new_string (plain);
}

static void
nebula_data_template_class_init (NebulaDataTemplateClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *text;

  nebula_action_class_set_details (action, "data.template", "1.0.0", N_ ("Template"),
                                   N_ ("Makes a text with values filled in."), N_ ("Data"));
  nebula_action_class_set_evaluate (action, nebula_data_template_evaluate);
  nebula_action_class_set_example (action, "action: data.template\n"
                                           "with: { text: \"Dear {{ $json.name }}, your order has arrived.\" }\n");
  text = nebula_action_class_add_parameter (action, "text", NEBULA_PARAMETER_KIND_JSON, N_ ("Text"),
                                            N_ ("The text, with values in double braces."));
  nebula_parameter_add_flags (text, NEBULA_PARAMETER_FLAGS_REQUIRED | NEBULA_PARAMETER_FLAGS_NULLABLE);
}
