/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The settings of the program: files below the environment below the command line (which each command lays over itself).
 * GSettings is slow to start, so it is left alone unless a file or a variable says something.
 */

#include <unistd.h>

#include "nebula-config.h"
#include "nebula-duration.h"
#include "nebula-expression-limits.h"
#include "nebula-log.h"
#include "nebula-module-info.h"
#include "nebula-registry.h"
#include "nebula-session-private.h"
#include "nebula-settings-private.h"

/* One for each setting that is used here. */
static const char *const variables[] = {
    "NEBULA_DURABILITY",        "NEBULA_EXPRESSION_DEPTH",  "NEBULA_EXPRESSION_LENGTH",
    "NEBULA_EXPRESSION_MEMORY", "NEBULA_EXPRESSION_OUTPUT", "NEBULA_EXPRESSION_STEPS",
    "NEBULA_EXPRESSION_TIME",   "NEBULA_MAX_CONNECTIONS",   "NEBULA_MAX_NODES",
    "NEBULA_MEMORY_LIMIT",      "NEBULA_RETENTION_AGE",     "NEBULA_RETENTION_FAILED_AGE",
    "NEBULA_RETENTION_KEEP",    "NEBULA_RUN_TIMEOUT",       "NEBULA_STORE_PATH",
};

#define LOG_VARIABLES "NEBULA_LOG_"
#define MODULE_VARIABLES "NEBULA_MODULES__"
#define TENANT_VARIABLES "NEBULA_TENANTS__"
#define LOG_BUFFER_BYTES (1 << 20) /* as the schema has it */

static gboolean
has_file (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "nebula", "config.yaml", NULL);

  /* What cannot be read is there too: reading it tells why. */
  return access (path, F_OK) == 0 || g_file_test (path, G_FILE_TEST_IS_SYMLINK);
}

gboolean
nebula_settings_has_file (void)
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
  for (char **variable = environ; *variable; variable++)
    if (g_str_has_prefix (*variable, LOG_VARIABLES)
        || g_str_has_prefix (*variable, MODULE_VARIABLES)
        || g_str_has_prefix (*variable, TENANT_VARIABLES))
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    if (g_getenv (variables[i]))
      return TRUE;
  return nebula_settings_has_file ();
}

char **
nebula_settings_dup_module_path (GError **error)
{
  g_autoptr (NebulaConfig) config = NULL;
  g_auto (GStrv) folders = NULL;

  if (nebula_settings_has_file ()) {
    config = nebula_config_new_default (error);
    if (!config)
      return NULL;
    folders = g_settings_get_strv (nebula_config_get_settings (config), "module-path");
  }
  return nebula_registry_make_search_path ((const char *const *) folders);
}

static gboolean
load_module (const char *id, GError **error)
{
  g_autoptr (NebulaRegistry) registry = nebula_registry_open (error);
  g_autoptr (GPtrArray) modules = registry ? nebula_registry_list_modules (registry) : NULL;

  for (guint i = 0; modules && i < modules->len; i++) {
    NebulaModuleInfo *info = g_ptr_array_index (modules, i);

    if (g_str_equal (nebula_module_info_get_id (info), id))
      return nebula_module_info_load (info, error);
  }
  /* If there is none, the log says what it lacks. */
  return modules != NULL;
}

static gboolean
set_up_log (NebulaConfig *config, GError **error)
{
  static const char *const own[] = {"stderr", "file", "journald", NULL};
  g_auto (GStrv) names = nebula_config_dup_strv (config, "log-sinks");

  for (guint i = 0; names[i]; i++)
    if (!g_strv_contains (own, names[i]) && !load_module (names[i], error))
      return FALSE;
  return nebula_config_apply_log (config, error);
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

/* What a tenant may have its own way; what it does not say holds as for all. */
static gboolean
read_tenant (NebulaSettings *self, NebulaConfig *config, const char *tenant, GError **error)
{
  g_autofree char *owner = tenant ? g_strconcat ("tenants.", tenant, NULL) : NULL;
  g_autoptr (GSettings) settings =
      owner ? nebula_config_get_settings_of (config, owner, error)
            : g_object_ref (nebula_config_get_settings (config));
  g_autofree char *timeout = NULL;
  gint64 timeout_usec = 0;

  if (!settings)
    return FALSE;
  timeout = g_settings_get_string (settings, "run-timeout");
  if (nebula_duration_parse (timeout, &timeout_usec, NULL) && timeout_usec > 0)
    self->timeout = g_steal_pointer (&timeout);
  self->durability = g_settings_get_string (settings, "durability");
  self->max_nodes = (guint) g_settings_get_int (settings, "max-nodes");
  self->max_connections = (guint) g_settings_get_int (settings, "max-connections");
  return TRUE;
}

gboolean
nebula_settings_load (NebulaSettings *self, const char *tenant, GError **error)
{
  g_autoptr (NebulaConfig) config = NULL;

  nebula_log_set_format (isatty (STDERR_FILENO) ? NEBULA_LOG_FORMAT_PRETTY
                                                : NEBULA_LOG_FORMAT_COMPACT);
  nebula_log_set_buffer (LOG_BUFFER_BYTES, NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  if (!has_any ())
    return TRUE;
  config = nebula_config_new_default (error);
  if (!config || !set_up_log (config, error))
    return FALSE;
  set_up_expressions (config);
  if (!read_tenant (self, config, tenant, error))
    return FALSE;
  self->store = nebula_config_dup_string (config, "store-path");
  self->memory_limit = nebula_config_get_bytes (config, "memory-limit");
  self->retention_usec = nebula_config_get_usec (config, "retention-age");
  self->retention_failed_usec = nebula_config_get_usec (config, "retention-failed-age");
  self->retention_keep = (guint) nebula_config_get_integer (config, "retention-keep");
  self->config = g_steal_pointer (&config);
  return TRUE;
}

void
nebula_settings_clear (NebulaSettings *self)
{
  g_clear_object (&self->config);
  g_clear_pointer (&self->store, g_free);
  g_clear_pointer (&self->durability, g_free);
  g_clear_pointer (&self->timeout, g_free);
}
