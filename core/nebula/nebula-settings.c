/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The settings of the program: files below the environment below the command line (which each command lays over itself).
 * GSettings is slow to start, so it is left alone unless a file or a variable says something.
 */

#include <unistd.h>

#include "nebula-config.h"
#include "nebula-expression-limits.h"
#include "nebula-log.h"
#include "nebula-registry.h"
#include "nebula-settings-private.h"

/* One for each setting that is used here. */
static const char *const variables[] = {
    "NEBULA_DURABILITY",        "NEBULA_EXPRESSION_DEPTH",  "NEBULA_EXPRESSION_LENGTH",
    "NEBULA_EXPRESSION_MEMORY", "NEBULA_EXPRESSION_OUTPUT", "NEBULA_EXPRESSION_STEPS",
    "NEBULA_EXPRESSION_TIME",   "NEBULA_LOG_FORMAT",        "NEBULA_LOG_LEVELS",
    "NEBULA_MAX_CONNECTIONS",   "NEBULA_MAX_NODES",         "NEBULA_RUN_TIMEOUT",
    "NEBULA_STORE_PATH",
};

static gboolean
has_file (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "nebula", "config.yaml", NULL);

  /* What cannot be read is there too: reading it tells why. */
  return access (path, F_OK) == 0 || g_file_test (path, G_FILE_TEST_IS_SYMLINK);
}

static gboolean
has_any_file (void)
{
  const char *const *folders = g_get_system_config_dirs ();

  for (guint i = 0; folders[i]; i++)
    if (has_file (folders[i]))
      return TRUE;
  return has_file (g_get_user_config_dir ());
}

static gboolean
has_any (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    if (g_getenv (variables[i]))
      return TRUE;
  return has_any_file ();
}

char **
nebula_settings_dup_module_path (GError **error)
{
  g_autoptr (NebulaConfig) config = NULL;
  g_auto (GStrv) folders = NULL;

  if (has_any_file ()) {
    config = nebula_config_new_default (error);
    if (!config)
      return NULL;
    folders = g_settings_get_strv (nebula_config_get_settings (config), "module-path");
  }
  return nebula_registry_make_search_path ((const char *const *) folders);
}

/* The configuration has checked the levels. */
static void
set_up_log (NebulaConfig *config)
{
  g_autofree char *levels = nebula_config_dup_string (config, "log-levels");
  g_autofree char *name = nebula_config_dup_string (config, "log-format");
  NebulaLogFormat format;

  nebula_log_set_levels (levels, NULL);
  if (nebula_log_format_from_string (name, &format))
    nebula_log_set_format (format);
}

static void
set_up_expressions (NebulaConfig *config)
{
  NebulaExpressionLimits limits = {
      .fuel = (guint64) nebula_config_get_integer (config, "expression-steps"),
      .memory_bytes = (gsize) nebula_config_get_bytes (config, "expression-memory"),
      .output_bytes = (gsize) nebula_config_get_bytes (config, "expression-output"),
      .depth = (guint) nebula_config_get_integer (config, "expression-depth"),
      .characters = (guint) nebula_config_get_integer (config, "expression-length"),
      .time_usec = nebula_config_get_usec (config, "expression-time"),
  };

  nebula_expression_limits_set (&limits);
}

gboolean
nebula_settings_load (NebulaSettings *self, GError **error)
{
  g_autoptr (NebulaConfig) config = NULL;

  nebula_log_set_format (isatty (STDERR_FILENO) ? NEBULA_LOG_FORMAT_PRETTY
                                                : NEBULA_LOG_FORMAT_COMPACT);
  if (!has_any ())
    return TRUE;
  config = nebula_config_new_default (error);
  if (!config)
    return FALSE;
  set_up_log (config);
  set_up_expressions (config);
  self->store = nebula_config_dup_string (config, "store-path");
  self->durability = nebula_config_dup_string (config, "durability");
  if (nebula_config_get_usec (config, "run-timeout") > 0)
    self->timeout = nebula_config_dup_string (config, "run-timeout");
  self->max_nodes = (guint) nebula_config_get_integer (config, "max-nodes");
  self->max_connections = (guint) nebula_config_get_integer (config, "max-connections");
  return TRUE;
}

void
nebula_settings_clear (NebulaSettings *self)
{
  g_clear_pointer (&self->store, g_free);
  g_clear_pointer (&self->durability, g_free);
  g_clear_pointer (&self->timeout, g_free);
}
