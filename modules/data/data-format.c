/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "data.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Parameters that data.parse and data.format share. */

static NebulaParameter *
add_text (NebulaActionClass *action, const char *name, const char *title, const char *description)
{
  NebulaParameter *parameter =
      nebula_action_class_add_parameter (action, name, NEBULA_PARAMETER_KIND_TEXT, title, description);
  g_autoptr (NebulaValue) condition =
      nebula_value_parse_json ("{\"one-of\": {\"format\": [\"csv\", \"tsv\"]}}", -1, NEBULA_JSON_FLAGS_NONE, NULL);

  nebula_parameter_set_show_if (parameter, condition);
  return parameter;
}

void
nebula_data_add_table_parameters (NebulaActionClass *action)
{
  static const char *const formats[] = { "json", "csv", "tsv", "yaml", "xml", NULL };
  g_autoptr (NebulaValue) json = nebula_value_new_string ("json");
  g_autoptr (NebulaValue) yes = nebula_value_new_boolean (TRUE);
  NebulaParameter *parameter;

  parameter = nebula_action_class_add_parameter (action, "format", NEBULA_PARAMETER_KIND_SELECT, N_ ("Format"),
                                                 N_ ("How the text is written."));
  nebula_parameter_set_options (parameter, formats);
  nebula_parameter_set_default (parameter, json);

  parameter = add_text (action, "header", N_ ("Header"), N_ ("The first row names the columns."));
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_BOOLEAN);
  nebula_parameter_set_default (parameter, yes);
  parameter = add_text (action, "columns", N_ ("Columns"), N_ ("Names of the columns, instead of those of a header."));
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_STRINGS);
  parameter = add_text (action, "comment", N_ ("Comment"), N_ ("Lines that begin with this are left out."));
  nebula_parameter_set_length (parameter, 1, 16);
  parameter = add_text (action, "delimiter", N_ ("Delimiter"), N_ ("The one character between two fields."));
  nebula_parameter_set_length (parameter, 1, 1);
}

gboolean
nebula_data_read_table (const NebulaArguments *arguments, const char *format, NebulaDataTable *ret_table, GError **error)
{
  NebulaValue *header = nebula_arguments_get (arguments, "header");
  NebulaValue *comment = nebula_arguments_get (arguments, "comment");
  NebulaValue *delimiter = nebula_arguments_get (arguments, "delimiter");
  const char *text = delimiter != NULL ? nebula_value_get_string (delimiter) : strcmp (format, "tsv") == 0 ? "\t" : ",";

  if (strlen (text) != 1 || strchr ("\"\r\n", *text) != NULL) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                         _("The parameter “delimiter” must be one ASCII character that is no quote and no line end"));
    return FALSE;
  }
  ret_table->delimiter = *text;
  ret_table->header = header == NULL || nebula_value_get_boolean (header);
  ret_table->columns = nebula_arguments_get (arguments, "columns");
  ret_table->comment = comment != NULL ? nebula_value_get_string (comment) : NULL;
  return TRUE;
}

/* data.format */

NEBULA_DEFINE_ACTION (NebulaDataFormat, nebula_data_format)

static char *
format_value (const NebulaArguments *arguments, NebulaValue *value, GError **error)
{
  const char *format = nebula_value_get_string (nebula_arguments_get (arguments, "format"));
  NebulaValue *pretty = nebula_arguments_get (arguments, "pretty");
  NebulaDataTable table;

  if (strcmp (format, "yaml") == 0)
    return nebula_value_to_yaml (value);
  if (strcmp (format, "xml") == 0)
    return nebula_data_xml_write (value, nebula_value_get_boolean (pretty), error);
  if (strcmp (format, "json") == 0)
    return nebula_value_to_json (value, nebula_value_get_boolean (pretty) ? NEBULA_JSON_FLAGS_PRETTY : NEBULA_JSON_FLAGS_NONE);
  if (!nebula_data_read_table (arguments, format, &table, error))
    return NULL;
  return nebula_data_csv_write (value, &table, error);
}

static NebulaValue *
nebula_data_format_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *value = nebula_arguments_get (arguments, "value");
  g_autoptr (NebulaValue) owned = NULL;
  char *text;

  if (value == NULL)
    value = arguments->input;
  owned = value != NULL ? nebula_value_ref (value) : nebula_value_new_null ();
  text = format_value (arguments, owned, error);
  return text != NULL ? nebula_value_new_string_take (text, strlen (text)) : NULL;
}

static void
nebula_data_format_class_init (NebulaDataFormatClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) no = nebula_value_new_boolean (FALSE);
  NebulaParameter *parameter;

  nebula_action_class_set_details (action, "data.format", "1.0.0", N_ ("Format"),
                                   N_ ("Writes a value as text."), N_ ("Data"));
  nebula_action_class_set_evaluate (action, nebula_data_format_evaluate);
  nebula_action_class_set_result (action, "{\"type\": \"string\"}");
  nebula_action_class_set_example (action, "action: data.format\n"
                                           "with: { value: \"{{ $json.rows }}\", format: csv }\n");
  parameter = nebula_action_class_add_parameter (action, "value", NEBULA_PARAMETER_KIND_JSON, N_ ("Value"),
                                                 N_ ("What is written; the input if it is not set."));
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_NULLABLE);
  nebula_data_add_table_parameters (action);
  parameter = nebula_action_class_add_parameter (action, "pretty", NEBULA_PARAMETER_KIND_BOOLEAN, N_ ("Pretty"),
                                                 N_ ("Write JSON or XML with line ends and indentation."));
  nebula_parameter_set_default (parameter, no);
}
