/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula config: the settings, and where each comes from. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-config.h"
#include "nebula-output-private.h"

typedef struct {
  gboolean is_json;
} ConfigOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_FLAG (ConfigOptions, is_json, "json", 0, N_ ("Prints JSON")),
};

static void
append_described (GString *text, NebulaValue *description, const char *key)
{
  NebulaValue *value = nebula_value_get_member (description, "value");
  const char *source = nebula_value_get_member_string (description, "source", "default");
  g_autofree char *shown = value ? nebula_value_to_text (value) : g_strdup ("");

  g_string_append_printf (text, "%-36s %s", key, shown);
  if (!g_str_equal (source, "default"))
    g_string_append_printf (text, "  (%s)", source);
  g_string_append_c (text, '\n');
}

static int
list (NebulaConfig *config, gboolean is_json)
{
  g_auto (GStrv) keys = nebula_config_list (config);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (NebulaValue) all = NULL;

  for (guint i = 0; keys[i]; i++) {
    g_autoptr (NebulaValue) description = nebula_config_describe (config, keys[i], NULL);

    append_described (text, description, keys[i]);
    nebula_value_builder_set (builder, keys[i],
                              nebula_value_get_member (description, "value"));
  }
  all = nebula_value_builder_end (builder);
  if (is_json)
    nebula_output_value (all, FALSE);
  else
    nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

static int
command_list (gpointer data, char **arguments)
{
  const ConfigOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaConfig) config = nebula_config_new_default (&error);

  return config ? list (config, opts->is_json) : nebula_fail (error, opts->is_json);
}

static int
command_get (gpointer data, char **arguments)
{
  const ConfigOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaConfig) config = nebula_config_new_default (&error);
  g_autoptr (NebulaValue) value = NULL;

  if (config)
    value = nebula_config_get (config, arguments[0], &error);
  if (!value)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json)
    nebula_output_value (value, FALSE);
  else
    nebula_output_result (value);
  return NEBULA_EXIT_OK;
}

static int
command_set (gpointer data, char **arguments)
{
  const ConfigOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaConfig) config = nebula_config_new_default (&error);

  if (config && nebula_config_store (config, arguments[0], arguments[1], &error))
    return NEBULA_EXIT_OK;
  return nebula_fail (error, opts->is_json);
}

static int
command_describe (gpointer data, char **arguments)
{
  const ConfigOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaConfig) config = nebula_config_new_default (&error);
  g_autoptr (NebulaValue) description = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (config)
    description = nebula_config_describe (config, arguments[0], &error);
  if (!description)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json) {
    nebula_output_value (description, FALSE);
    return NEBULA_EXIT_OK;
  }
  for (gsize i = 0; i < nebula_value_get_length (description); i++) {
    g_autofree char *shown =
        nebula_value_to_text (nebula_value_get_member_at (description, i));

    g_string_append_printf (text, "%-12s %s\n",
                            nebula_value_get_key (description, i, NULL), shown);
  }
  nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_config_list = {
    .name = "config list",
    .summary = N_ ("Lists all settings, their values and where these come from"),
    .arguments = "",
    .details = N_ ("Examples:\n"
                   "  nebula config list\n"
                   "  nebula config list --json"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ConfigOptions),
    .run = command_list,
};

const NebulaCommand nebula_command_config_get = {
    .name = "config get",
    .summary = N_ ("Prints the value of a setting"),
    .arguments = N_ ("KEY"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula config get durability"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ConfigOptions),
    .run = command_get,
};

const NebulaCommand nebula_command_config_set = {
    .name = "config set",
    .summary = N_ ("Writes a setting into the user's file"),
    .arguments = N_ ("KEY VALUE"),
    .min_arguments = 2,
    .max_arguments = 2,
    .details = N_ ("Comments in the file are lost.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula config set durability relaxed"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ConfigOptions),
    .run = command_set,
};

const NebulaCommand nebula_command_config_describe = {
    .name = "config describe",
    .summary = N_ ("Tells all about a setting"),
    .arguments = N_ ("KEY"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ ("Examples:\n"
                   "  nebula config describe durability"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ConfigOptions),
    .run = command_describe,
};
