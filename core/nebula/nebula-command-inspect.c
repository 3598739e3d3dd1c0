/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula inspect: what modules and actions there are, from the catalogue; no module is loaded. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-output-private.h"
#include "nebula-parameter.h"
#include "nebula-session-private.h"

typedef struct {
  gboolean is_json;
} InspectOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_FLAG (InspectOptions, is_json, "json", 0, N_ ("Prints JSON")),
};

static const char *
translate (const char *text)
{
  return text && text[0] ? g_dgettext (GETTEXT_PACKAGE, text) : "";
}

static void
append_heading (GString *text, const char *heading)
{
  if (text->len > 0)
    g_string_append_c (text, '\n');
  nebula_paint (text, nebula_has_colour (1), NEBULA_STYLE_BOLD, heading);
  g_string_append_c (text, '\n');
}

static void
append_module (GString *text, NebulaModuleInfo *module)
{
  const char *reason = nebula_module_info_get_reason (module);
  const char *version = nebula_module_info_get_version (module);
  g_autofree char *name = g_strdup_printf ("%s %s", nebula_module_info_get_id (module),
                                           version ? version : "");

  g_string_append_printf (text, "  %-24s ", name);
  switch (nebula_module_info_get_status (module)) {
  case NEBULA_MODULE_STATUS_OK:
    g_string_append (text, translate (nebula_module_info_get_title (module)));
    break;
  case NEBULA_MODULE_STATUS_BROKEN:
    nebula_paint (text, nebula_has_colour (1), NEBULA_STYLE_BAD, _ ("broken"));
    break;
  case NEBULA_MODULE_STATUS_REFUSED:
  default:
    nebula_paint (text, nebula_has_colour (1), NEBULA_STYLE_BAD, _ ("refused"));
    break;
  }
  if (reason)
    g_string_append_printf (text, ": %s", reason);
  g_string_append_c (text, '\n');
}

static void
append_actions (GString *text, GPtrArray *actions, const char *module_id)
{
  const char *last = NULL;

  for (guint i = 0; i < actions->len; i++) {
    NebulaActionInfo *action = actions->pdata[i];
    const char *id = nebula_action_info_get_id (action);

    if (g_strcmp0 (last, id) == 0 ||
        (module_id &&
         g_strcmp0 (nebula_action_info_get_module_id (action), module_id) != 0))
      continue;
    g_string_append_printf (text, "  %-24s %s\n", id,
                            translate (nebula_action_info_get_title (action)));
    last = id;
  }
}

static NebulaValue *
list_to_value (GPtrArray *modules, GPtrArray *actions)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) module_list = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) action_list = nebula_value_builder_new_array ();

  for (guint i = 0; i < modules->len; i++)
    nebula_value_builder_add_take (module_list,
                                   nebula_module_info_to_value (modules->pdata[i]));
  for (guint i = 0; i < actions->len; i++)
    nebula_value_builder_add_take (action_list,
                                   nebula_action_info_to_value (actions->pdata[i]));
  nebula_value_builder_set_take (builder, "modules",
                                 nebula_value_builder_end (module_list));
  nebula_value_builder_set_take (builder, "actions",
                                 nebula_value_builder_end (action_list));
  return nebula_value_builder_end (builder);
}

static int
inspect_all (NebulaRegistry *registry, gboolean is_json)
{
  g_autoptr (GPtrArray) modules = nebula_registry_list_modules (registry);
  g_autoptr (GPtrArray) actions = nebula_registry_list_actions (registry);
  g_autoptr (GString) text = g_string_new (NULL);

  if (is_json) {
    g_autoptr (NebulaValue) value = list_to_value (modules, actions);

    nebula_output_value (value, FALSE);
    return NEBULA_EXIT_OK;
  }
  append_heading (text, _ ("Modules"));
  for (guint i = 0; i < modules->len; i++)
    append_module (text, modules->pdata[i]);
  append_heading (text, _ ("Actions"));
  append_actions (text, actions, NULL);
  if (modules->len == 0)
    g_string_append (
        text, _ ("There are none. NEBULA_MODULE_PATH names folders to look in.\n"));
  nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

static void
append_functions (GString *text, NebulaModuleInfo *module)
{
  g_autoptr (NebulaValue) value = nebula_module_info_to_value (module);
  NebulaValue *functions = nebula_value_get_member (value, "functions");

  if (nebula_value_get_length (functions) == 0)
    return;
  append_heading (text, _ ("Functions"));
  for (gsize i = 0; i < nebula_value_get_length (functions); i++) {
    NebulaValue *function = nebula_value_get_item (functions, i);

    g_string_append_printf (
        text, "  %s(%s): %s\n", nebula_value_get_member_string (function, "name", ""),
        nebula_value_get_member_string (function, "parameters", ""),
        nebula_value_get_member_string (function, "result", ""));
    g_string_append_printf (
        text, "  %-20s %s\n", "",
        translate (nebula_value_get_member_string (function, "description", "")));
  }
}

/* Where it runs, and whether it is run at all. */
static void
append_hosting (GString *text, NebulaRegistry *registry, NebulaModuleInfo *module)
{
  g_autofree char *reason = NULL;
  g_autofree char *line = NULL;

  if (nebula_module_info_get_status (module) != NEBULA_MODULE_STATUS_OK)
    return;
  reason = nebula_registry_get_quarantine_reason (registry, module);
  line = g_strdup_printf (_ ("isolation: %s"), nebula_registry_get_isolation (registry, module));
  g_string_append_printf (text, "  %s\n", line);
  if (reason)
    g_string_append_printf (text, "  %s\n", reason);
}

/* The module as JSON, with where it runs. */
static NebulaValue *
module_to_value (NebulaRegistry *registry, NebulaModuleInfo *module)
{
  g_autoptr (NebulaValue) value = nebula_module_info_to_value (module);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *reason = NULL;

  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (value, i, NULL),
                              nebula_value_get_member_at (value, i));
  if (nebula_module_info_get_status (module) == NEBULA_MODULE_STATUS_OK) {
    reason = nebula_registry_get_quarantine_reason (registry, module);
    nebula_value_builder_set_string (builder, "isolation", nebula_registry_get_isolation (registry, module));
    nebula_value_builder_set_string (builder, "quarantine", reason);
  }
  return nebula_value_builder_end (builder);
}

static int
inspect_module (NebulaRegistry *registry, NebulaModuleInfo *module, gboolean is_json)
{
  g_autoptr (GPtrArray) actions = nebula_registry_list_actions (registry);
  g_autoptr (GString) text = g_string_new (NULL);

  if (is_json) {
    g_autoptr (NebulaValue) value = module_to_value (registry, module);

    nebula_output_value (value, FALSE);
    return NEBULA_EXIT_OK;
  }
  append_module (text, module);
  g_string_append_printf (text, "  %s\n", nebula_module_info_get_path (module));
  append_hosting (text, registry, module);
  if (nebula_module_info_get_status (module) == NEBULA_MODULE_STATUS_OK) {
    append_heading (text, _ ("Actions"));
    append_actions (text, actions, nebula_module_info_get_id (module));
    append_functions (text, module);
  }
  nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

static const char *
get_kind_name (NebulaParameter *parameter)
{
  g_autoptr (NebulaValue) value = nebula_parameter_to_value (parameter);

  return g_intern_string (nebula_value_get_member_string (value, "kind", ""));
}

static void
append_parameter (GString *text, NebulaParameter *parameter)
{
  NebulaParameterFlags flags = nebula_parameter_get_flags (parameter);
  NebulaValue *fallback = nebula_parameter_get_default (parameter);
  const char *const *choices = nebula_parameter_get_options (parameter);
  const char *description = nebula_parameter_get_description (parameter);
  const char *title = nebula_parameter_get_title (parameter);

  g_string_append_printf (text, "  %-20s %s", nebula_parameter_get_name (parameter),
                          get_kind_name (parameter));
  if (flags & NEBULA_PARAMETER_FLAGS_REQUIRED)
    g_string_append_printf (text, ", %s", _ ("required"));
  if (flags & NEBULA_PARAMETER_FLAGS_NULLABLE)
    g_string_append_printf (text, ", %s", _ ("may be null"));
  if (flags & NEBULA_PARAMETER_FLAGS_REST)
    g_string_append_printf (text, ", %s", _ ("takes all other keys"));
  if (fallback && !(flags & NEBULA_PARAMETER_FLAGS_SECRET)) {
    g_autofree char *shown = nebula_value_to_text (fallback);

    g_string_append_printf (text, _ (", default %s"), shown);
  }
  if (choices && choices[0]) {
    g_autofree char *shown = g_strjoinv (" | ", (char **) choices);

    g_string_append_printf (text, ": %s", shown);
  }
  g_string_append_c (text, '\n');
  if (description && description[0])
    g_string_append_printf (text, "  %-20s %s\n", "", translate (description));
  else if (title && title[0])
    g_string_append_printf (text, "  %-20s %s\n", "", translate (title));
}

static const char *
effect_to_text (NebulaEffect effect)
{
  switch (effect) {
  case NEBULA_EFFECT_PURE:
    return _ ("pure: a function of its inputs");
  case NEBULA_EFFECT_READ:
    return _ ("read: looks outside, changes nothing");
  case NEBULA_EFFECT_TRANSACTIONAL:
    return _ ("transactional: its writes commit with its result");
  case NEBULA_EFFECT_IDEMPOTENT:
    return _ ("idempotent: may be repeated with the same key");
  case NEBULA_EFFECT_EFFECTFUL:
  default:
    return _ ("effectful: is not repeated blindly");
  }
}

static void
append_example (GString *text, const char *example)
{
  g_auto (GStrv) lines = NULL;

  if (!example || !example[0])
    return;
  append_heading (text, _ ("Example"));
  lines = g_strsplit (example, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    if (lines[i][0] || lines[i + 1])
      g_string_append_printf (text, "  %s\n", lines[i]);
  }
}

static int
inspect_action (NebulaActionInfo *action, gboolean is_json)
{
  NebulaParameterTable *table = nebula_action_info_get_parameters (action);
  const char *const *ports = nebula_action_info_get_ports (action);
  const char *dynamic = nebula_action_info_get_dynamic_ports (action);
  g_autoptr (GString) text = g_string_new (NULL);

  if (is_json) {
    g_autoptr (NebulaValue) value = nebula_action_info_to_value (action);

    nebula_output_value (value, FALSE);
    return NEBULA_EXIT_OK;
  }
  nebula_paint (text, nebula_has_colour (1), NEBULA_STYLE_BOLD,
                nebula_action_info_get_id (action));
  g_string_append_printf (text, " %s  %s\n", nebula_action_info_get_version (action),
                          translate (nebula_action_info_get_title (action)));
  g_string_append_printf (text, "%s\n",
                          translate (nebula_action_info_get_description (action)));
  append_heading (text, _ ("Parameters"));
  for (guint i = 0; i < nebula_parameter_table_get_length (table); i++)
    append_parameter (text, nebula_parameter_table_get_item (table, i));
  append_heading (text, _ ("Ports"));
  for (guint i = 0; ports && ports[i]; i++)
    g_string_append_printf (text, "  %s\n", ports[i]);
  if (dynamic)
    g_string_append_printf (text, _ ("  the keys of “%s”, default\n"), dynamic);
  g_string_append (text, "  error\n");
  append_heading (text, _ ("Effect"));
  g_string_append_printf (text, "  %s\n",
                          effect_to_text (nebula_action_info_get_effect (action)));
  append_example (text, nebula_action_info_get_example (action));
  nebula_output_text (text->str);
  return NEBULA_EXIT_OK;
}

static NebulaModuleInfo *
find_module (GPtrArray *modules, const char *id)
{
  for (guint i = 0; i < modules->len; i++) {
    if (g_strcmp0 (nebula_module_info_get_id (modules->pdata[i]), id) == 0)
      return modules->pdata[i];
  }
  return NULL;
}

static int
inspect_name (NebulaRegistry *registry, const char *name, gboolean is_json)
{
  g_autoptr (GPtrArray) modules = nebula_registry_list_modules (registry);
  g_auto (GStrv) parts = g_strsplit (name, "@", 2);
  NebulaModuleInfo *module = find_module (modules, name);
  g_autoptr (NebulaActionInfo) action = NULL;
  g_autoptr (GError) error = NULL;

  if (module)
    return inspect_module (registry, module, is_json);
  action = nebula_action_resolver_lookup (NEBULA_ACTION_RESOLVER (registry),
                                          parts[0] ? parts[0] : "",
                                          parts[0] ? parts[1] : NULL, &error);
  return action ? inspect_action (action, is_json) : nebula_fail (error, is_json);
}

static int
command_inspect (gpointer data, char **arguments)
{
  const InspectOptions *opts = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaRegistry) registry = nebula_registry_open (&error);

  if (!registry)
    return nebula_fail (error, opts->is_json);
  if (arguments[0])
    return inspect_name (registry, arguments[0], opts->is_json);
  return inspect_all (registry, opts->is_json);
}

const NebulaCommand nebula_command_inspect = {
    .name = "inspect",
    .summary = N_ ("Lists modules and actions, or tells all about one"),
    .arguments = N_ ("[ACTION|MODULE]"),
    .max_arguments = 1,
    .details = N_ ("Modules that cannot be used are listed with the reason.\n"
                   "\n"
                   "Examples:\n"
                   "  nebula inspect\n"
                   "  nebula inspect http.request\n"
                   "  nebula inspect data --json"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (InspectOptions),
    .run = command_inspect,
};
