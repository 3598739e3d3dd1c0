/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The settings of module hosts, for a registry. GSettings is left alone unless a file or a variable says something. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-settings-private.h"

static const struct {
  const char *key; /* of a setting; its variable is NEBULA_ and the key in capitals */
  const char *option;
  enum { USEC, BYTES, COUNT } kind;
} numbers[] = {
    {"host-age", "age", USEC},
    {"host-calls", "calls", COUNT},
    {"host-grace", "grace", USEC},
    {"host-function-timeout", "function-timeout", USEC},
    {"host-memory", "memory", BYTES},
    {"host-processes", "processes", COUNT},
};

static gboolean
is_given (void)
{
  for (char **variable = environ; *variable; variable++)
    if (g_str_has_prefix (*variable, "NEBULA_HOST_") ||
        g_str_has_prefix (*variable, "NEBULA_MODULE_CAPABILITIES=") ||
        g_str_has_prefix (*variable, "NEBULA_MODULE_ISOLATION="))
      return TRUE;
  return nebula_settings_has_file ();
}

static gint64
read_number (NebulaConfig *config, guint index)
{
  switch (numbers[index].kind) {
  case USEC:
    return nebula_config_get_usec (config, numbers[index].key);
  case BYTES:
    return (gint64) nebula_config_get_bytes (config, numbers[index].key);
  case COUNT:
  default:
    return nebula_config_get_integer (config, numbers[index].key);
  }
}

/* `greet=sandbox`, `*=process` */
static NebulaValue *
read_levels (NebulaConfig *config, GError **error)
{
  g_auto (GStrv) entries = nebula_config_dup_strv (config, "module-isolation");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (char **entry = entries; *entry; entry++) {
    char *sign = strchr (*entry, '=');

    if (!sign) {
      g_set_error (
          error, NEBULA_ERROR, NEBULA_ERROR_CONFIG,
          _ ("module-isolation: “%s” is not like “greet=sandbox” or “*=process”"),
          *entry);
      return NULL;
    }
    *sign = '\0';
    nebula_value_builder_set_string (builder, *entry, sign + 1);
  }
  return nebula_value_builder_end (builder);
}

/* `greet=net`, `greet=read=/srv` */
static NebulaValue *
read_granted (NebulaConfig *config)
{
  g_auto (GStrv) entries = nebula_config_dup_strv (config, "module-capabilities");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (char **entry = entries; *entry; entry++) {
    g_auto (GStrv) parts = g_strsplit (*entry, "=", 2);
    g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();

    for (char **other = entries; parts[0] && *other; other++)
      if (g_str_has_prefix (*other, parts[0]) && (*other)[strlen (parts[0])] == '=')
        nebula_value_builder_add_take (
            list, nebula_value_new_string (*other + strlen (parts[0]) + 1));
    if (parts[0])
      nebula_value_builder_set_take (builder, parts[0], nebula_value_builder_end (list));
  }
  return nebula_value_builder_end (builder);
}

gboolean
nebula_settings_apply_hosting (NebulaRegistry *registry, GError **error)
{
  g_autoptr (NebulaConfig) config = NULL;
  g_autoptr (NebulaValue) levels = NULL;
  g_autoptr (NebulaValue) options = NULL;
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (GError) local_error = NULL;

  if (!is_given ())
    return TRUE;
  config = nebula_config_new_default (error);
  levels = config ? read_levels (config, error) : NULL;
  if (!levels)
    return FALSE;
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set (builder, "isolation", levels);
  nebula_value_builder_set_take (builder, "capabilities", read_granted (config));
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    nebula_value_builder_set_integer (builder, numbers[i].option,
                                      read_number (config, i));
  options = nebula_value_builder_end (builder);
  if (nebula_registry_set_hosting (registry, options, &local_error))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, local_error->message);
  return FALSE;
}
