/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "config.h"
#include "nebula-config-private.h"
#include "nebula-convert.h"
#include "nebula-error.h"

/* An editor may write a file in several steps; the reload waits until it has been quiet for so long. */
#define QUIET_MS 50

/**
 * NebulaConfig:
 *
 * The settings of the process: the schema's defaults, below files, below the environment (`NEBULA_LOG_LEVELS`), below
 * the command line. An edited file takes effect by itself; a bad one is refused whole and everything stays as it was.
 *
 * Thread: owner context; what nebula_config_get_settings() gives may be read there only.
 *
 * Since: 1.0
 */
enum
{
  SIGNAL_CHANGED,
  SIGNAL_REJECTED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (NebulaConfig, nebula_config, G_TYPE_OBJECT)

static void
stop_reload (NebulaConfig *self)
{
  if (self->reload_source)
    g_source_destroy (self->reload_source);
  g_clear_pointer (&self->reload_source, g_source_unref);
}

static void
nebula_config_dispose (GObject *object)
{
  NebulaConfig *self = NEBULA_CONFIG (object);

  stop_reload (self);
  for (guint i = 0; i < self->monitors->len; i++) {
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->monitors, i), self);
    g_file_monitor_cancel (g_ptr_array_index (self->monitors, i));
  }
  g_ptr_array_set_size (self->monitors, 0);
  g_clear_object (&self->settings);
  g_clear_object (&self->backend);
  G_OBJECT_CLASS (nebula_config_parent_class)->dispose (object);
}

static void
nebula_config_finalize (GObject *object)
{
  NebulaConfig *self = NEBULA_CONFIG (object);

  g_clear_pointer (&self->schemas, _nebula_config_schemas_free);
  g_ptr_array_unref (self->tables);
  g_ptr_array_unref (self->monitors);
  g_hash_table_unref (self->environment);
  g_hash_table_unref (self->overrides);
  g_main_context_unref (self->context);
  g_strfreev (self->files);
  G_OBJECT_CLASS (nebula_config_parent_class)->finalize (object);
}

static void
nebula_config_class_init (NebulaConfigClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = nebula_config_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_config_finalize;

  /**
   * NebulaConfig::changed:
   * @self: the settings
   * @key: the setting that changed
   *
   * Emitted once for each setting whose value is another one now; the detail is the key.
   *
   * Since: 1.0
   */
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  /**
   * NebulaConfig::rejected:
   * @self: the settings
   * @message: file, line, key and reason
   *
   * Emitted when an edited file was refused; all settings stay as they were.
   *
   * Since: 1.0
   */
  signals[SIGNAL_REJECTED] = g_signal_new ("rejected", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                           G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
nebula_config_init (NebulaConfig *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->backend = _nebula_config_backend_new ();
  self->tables = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  self->monitors = g_ptr_array_new_with_free_func (g_object_unref);
  self->environment = _nebula_config_table_new ();
  self->overrides = _nebula_config_table_new ();
}

static GPtrArray *
read_files (NebulaConfig *self, GError **error)
{
  g_autoptr (GPtrArray) tables = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);

  for (guint i = 0; self->files[i]; i++) {
    GHashTable *table = _nebula_config_file_read (self->schemas, self->files[i], error);

    if (!table)
      return NULL;
    g_ptr_array_add (tables, table);
  }
  return g_steal_pointer (&tables);
}

static void
lay_over (GHashTable *below, GHashTable *above)
{
  GHashTableIter iter;
  gpointer key = NULL, variant = NULL;

  g_hash_table_iter_init (&iter, above);
  while (g_hash_table_iter_next (&iter, &key, &variant))
    g_hash_table_replace (below, g_strdup (key), g_variant_ref (variant));
}

/* Puts all layers in place in one step and tells what changed. */
static void
apply (NebulaConfig *self)
{
  g_autoptr (GHashTable) all = _nebula_config_table_new ();
  g_autoptr (GPtrArray) changed = NULL;
  g_autoptr (NebulaConfig) kept = g_object_ref (self);

  for (guint i = 0; i < self->tables->len; i++)
    lay_over (all, g_ptr_array_index (self->tables, i));
  lay_over (all, self->environment);
  lay_over (all, self->overrides);
  changed = _nebula_config_backend_replace (self->backend, all);
  for (guint i = 0; i < changed->len; i++) {
    g_autofree char *key = _nebula_config_key_from_path (g_ptr_array_index (changed, i));

    g_signal_emit (self, signals[SIGNAL_CHANGED], g_quark_from_string (key), key);
  }
}

static gboolean
reload_when_quiet (gpointer data)
{
  NebulaConfig *self = data;
  g_autoptr (GError) error = NULL;

  stop_reload (self);
  if (!nebula_config_reload (self, &error))
    g_debug ("configuration refused: %s", error->message);
  return G_SOURCE_REMOVE;
}

static void
on_file_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, NebulaConfig *self)
{
  stop_reload (self);
  self->reload_source = g_timeout_source_new (QUIET_MS);
  g_source_set_static_name (self->reload_source, "nebula-config-reload");
  g_source_set_callback (self->reload_source, reload_when_quiet, self, NULL);
  g_source_attach (self->reload_source, self->context);
}

static void
watch_files (NebulaConfig *self)
{
  for (guint i = 0; self->files[i]; i++) {
    g_autoptr (GFile) file = g_file_new_for_path (self->files[i]);
    GFileMonitor *monitor = g_file_monitor_file (file, G_FILE_MONITOR_NONE, NULL, NULL);

    if (!monitor)
      continue;
    g_file_monitor_set_rate_limit (monitor, QUIET_MS);
    g_signal_connect (monitor, "changed", G_CALLBACK (on_file_changed), self);
    g_ptr_array_add (self->monitors, monitor);
  }
}

/**
 * nebula_config_new:
 * @files: (array zero-terminated=1) (nullable) (element-type filename): files, the most general first; they need not
 *   exist
 * @error: where to put an error
 *
 * Reads the settings and watches the files.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal) for a bad file or variable, with file, line, key and reason, or if the schema
 * is missing.
 *
 * Returns: (transfer full): the settings
 *
 * Since: 1.0
 */
NebulaConfig *
nebula_config_new (const char *const *files, GError **error)
{
  g_autoptr (NebulaConfig) self = NULL;
  GPtrArray *tables = NULL;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (NEBULA_TYPE_CONFIG, NULL);
  self->files = files ? g_strdupv ((char **) files) : g_new0 (char *, 1);
  self->schemas = _nebula_config_schemas_new (error);
  if (!self->schemas || !_nebula_config_environment_read (self->schemas, self->environment, error))
    return NULL;
  tables = read_files (self, error);
  if (!tables)
    return NULL;
  g_ptr_array_unref (self->tables);
  self->tables = tables;
  self->settings = g_settings_new_full (self->schemas->main, G_SETTINGS_BACKEND (self->backend), NULL);
  apply (self);
  watch_files (self);
  return g_steal_pointer (&self);
}

/**
 * nebula_config_new_default:
 * @error: where to put an error
 *
 * Reads the settings from the usual places: `nebula/config.yaml` in the system's configuration folders, then in the
 * user's.
 *
 * Errors: as nebula_config_new().
 *
 * Returns: (transfer full): the settings
 *
 * Since: 1.0
 */
NebulaConfig *
nebula_config_new_default (GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *const *folders = g_get_system_config_dirs ();
  g_autofree char *user_file = g_build_filename (g_get_user_config_dir (), "nebula", "config.yaml", NULL);
  g_auto (GStrv) files = NULL;

  for (guint i = g_strv_length ((char **) folders); i > 0; i--) {
    g_autofree char *file = g_build_filename (folders[i - 1], "nebula", "config.yaml", NULL);

    g_strv_builder_add (builder, file);
  }
  g_strv_builder_add (builder, user_file);
  files = g_strv_builder_end (builder);
  return nebula_config_new ((const char *const *) files, error);
}

/**
 * nebula_config_get_settings:
 * @self: the settings
 *
 * Gives the settings as GSettings, for bindings and `changed::key`.
 *
 * Returns: (transfer none): the object, which lives as long as @self
 *
 * Since: 1.0
 */
GSettings *
nebula_config_get_settings (NebulaConfig *self)
{
  g_return_val_if_fail (NEBULA_IS_CONFIG (self), NULL);

  return self->settings;
}

/**
 * nebula_config_get_settings_of:
 * @self: the settings
 * @owner: a tenant or module, such as `tenants.acme` or `modules.http`
 * @error: where to put an error
 *
 * Gives the settings of one tenant or of one module. What a tenant does not say holds as for all.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal) if @owner is none.
 *
 * Returns: (transfer full): the object, which must not outlive @self
 *
 * Since: 1.0
 */
GSettings *
nebula_config_get_settings_of (NebulaConfig *self, const char *owner, GError **error)
{
  g_autofree char *path = NULL;
  GSettingsSchema *schema = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self) && owner != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  schema = _nebula_config_schemas_find_owner (self->schemas, owner, &path, error);
  if (!schema)
    return NULL;
  _nebula_config_backend_watch (self->backend, path, schema);
  return g_settings_new_full (schema, G_SETTINGS_BACKEND (self->backend), path);
}

/**
 * nebula_config_check_file:
 * @self: the settings
 * @path: (type filename): a file
 * @error: where to put an error
 *
 * Tells whether a file would be accepted, without using it.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal), with file, line, key and reason.
 *
 * Returns: whether it would
 *
 * Since: 1.0
 */
gboolean
nebula_config_check_file (NebulaConfig *self, const char *path, GError **error)
{
  g_autoptr (GHashTable) table = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self) && path != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  table = _nebula_config_file_read (self->schemas, path, error);
  return table != NULL;
}

/**
 * nebula_config_reload:
 * @self: the settings
 * @error: where to put an error
 *
 * Reads all files again: either all of them take effect, or nothing changes and #NebulaConfig::rejected is emitted.
 * Happens by itself when a file is edited.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal), with file, line, key and reason.
 *
 * Returns: whether the files were accepted
 *
 * Since: 1.0
 */
gboolean
nebula_config_reload (NebulaConfig *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  GPtrArray *tables = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  tables = read_files (self, &local_error);
  if (!tables) {
    g_signal_emit (self, signals[SIGNAL_REJECTED], 0, local_error->message);
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  g_ptr_array_unref (self->tables);
  self->tables = tables;
  apply (self);
  return TRUE;
}

/**
 * nebula_config_set:
 * @self: the settings
 * @key: a setting
 * @text: (nullable): its value as on the command line, %NULL to take the command line's away again
 * @error: where to put an error
 *
 * Sets a value for this process, above all files.
 *
 * Errors: %NEBULA_ERROR_CONFIG or %NEBULA_ERROR_SYNTAX (terminal) if there is no such setting or the value is refused.
 *
 * Returns: whether it was accepted
 *
 * Since: 1.0
 */
gboolean
nebula_config_set (NebulaConfig *self, const char *key, const char *text, GError **error)
{
  GVariant *variant = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self) && key != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!_nebula_config_schemas_find (self->schemas, key, NULL, error))
    return FALSE;
  if (text) {
    variant = _nebula_config_parse_text (self->schemas, key, text, error);
    if (!variant)
      return FALSE;
    g_hash_table_replace (self->overrides, _nebula_config_key_to_path (key), variant);
  } else {
    g_autofree char *path = _nebula_config_key_to_path (key);

    g_hash_table_remove (self->overrides, path);
  }
  apply (self);
  return TRUE;
}

/**
 * nebula_config_store:
 * @self: the settings
 * @key: a setting
 * @text: its value as on the command line
 * @error: where to put an error
 *
 * Writes a value into the last file, which is the user's, and takes it into use. Comments in the file are lost.
 *
 * Errors: as nebula_config_set(); any #GFileError.
 *
 * Returns: whether it was written
 *
 * Since: 1.0
 */
gboolean
nebula_config_store (NebulaConfig *self, const char *key, const char *text, GError **error)
{
  g_autoptr (GVariant) variant = NULL;
  guint n_files = 0;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (key != NULL && text != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  n_files = g_strv_length (self->files);
  if (n_files == 0) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG, _ ("There is no file to write the setting to."));
    return FALSE;
  }
  variant = _nebula_config_parse_text (self->schemas, key, text, error);
  if (!variant || !_nebula_config_file_write (self->schemas, self->files[n_files - 1], key, variant, error))
    return FALSE;
  return nebula_config_reload (self, error);
}
