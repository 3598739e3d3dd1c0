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

#define SCHEMA_ID "org.nebula"
#define ENVIRONMENT_PREFIX "NEBULA_"

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
struct _NebulaConfig
{
  GObject parent_instance;

  GSettingsSchema *schema;
  GSettings *settings;
  NebulaConfigBackend *backend;
  GMainContext *context;
  char **files;
  GPtrArray *tables;       /* one GHashTable a file, lowest first */
  GHashTable *environment; /* above the files */
  GHashTable *overrides;   /* the command line's, above all */
  GPtrArray *monitors;
  GSource *reload_source;
};

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

  g_clear_pointer (&self->schema, g_settings_schema_unref);
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

/* g_settings_new () ends the process if it does not know the schema, so it is looked up first. */
static GSettingsSchema *
find_schema (GError **error)
{
  GSettingsSchemaSource *parent = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchemaSource) own = NULL;
  GSettingsSchema *schema = parent ? g_settings_schema_source_lookup (parent, SCHEMA_ID, TRUE) : NULL;

  if (schema)
    return schema;
  own = g_settings_schema_source_new_from_directory (NEBULA_SCHEMA_DIR, parent, TRUE, NULL);
  schema = own ? g_settings_schema_source_lookup (own, SCHEMA_ID, FALSE) : NULL;
  if (!schema)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG,
                 _ ("The schema of the settings is missing; install Nebula again, or set GSETTINGS_SCHEMA_DIR. It was "
                    "looked for in “%s”."),
                 NEBULA_SCHEMA_DIR);
  return schema;
}

static char *
get_variable_name (const char *key)
{
  g_autofree char *upper = g_ascii_strup (key, -1);

  return g_strconcat (ENVIRONMENT_PREFIX, g_strdelimit (upper, "-", '_'), NULL);
}

static gboolean
read_environment (NebulaConfig *self, GError **error)
{
  g_auto (GStrv) keys = g_settings_schema_list_keys (self->schema);

  for (guint i = 0; keys[i]; i++) {
    g_autofree char *name = get_variable_name (keys[i]);
    const char *text = g_getenv (name);
    GVariant *variant = NULL;

    if (!text)
      continue;
    variant = _nebula_config_parse_text (self->schema, keys[i], text, error);
    if (!variant) {
      g_prefix_error (error, _ ("Environment variable %s: "), name);
      return FALSE;
    }
    g_hash_table_replace (self->environment, g_strdup (keys[i]), variant);
  }
  return TRUE;
}

static GPtrArray *
read_files (NebulaConfig *self, GError **error)
{
  g_autoptr (GPtrArray) tables = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);

  for (guint i = 0; self->files[i]; i++) {
    GHashTable *table = _nebula_config_file_read (self->schema, self->files[i], error);

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
    const char *key = g_ptr_array_index (changed, i);

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
  self->schema = find_schema (error);
  if (!self->schema || !read_environment (self, error))
    return NULL;
  tables = read_files (self, error);
  if (!tables)
    return NULL;
  g_ptr_array_unref (self->tables);
  self->tables = tables;
  self->settings = g_settings_new_full (self->schema, G_SETTINGS_BACKEND (self->backend), NULL);
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

  table = _nebula_config_file_read (self->schema, path, error);
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

static gint
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

gboolean
_nebula_config_has_key (NebulaConfig *self, const char *key)
{
  return g_settings_schema_has_key (self->schema, key);
}

/**
 * nebula_config_list:
 * @self: the settings
 *
 * Lists all settings.
 *
 * Returns: (transfer full) (array zero-terminated=1): keys in order
 *
 * Since: 1.0
 */
char **
nebula_config_list (NebulaConfig *self)
{
  char **keys = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self), NULL);

  keys = g_settings_schema_list_keys (self->schema);
  qsort (keys, g_strv_length (keys), sizeof (char *), compare_keys);
  return keys;
}

/**
 * nebula_config_get:
 * @self: the settings
 * @key: a setting
 * @error: where to put an error
 *
 * Gets the value that holds.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal) if there is no such setting.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_config_get (NebulaConfig *self, const char *key, GError **error)
{
  g_autoptr (GVariant) variant = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self) && key != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!_nebula_config_check_key (self->schema, key, error))
    return NULL;
  variant = g_settings_get_value (self->settings, key);
  return nebula_value_from_variant (variant, error);
}

static char *
dup_source (NebulaConfig *self, const char *key)
{
  if (g_hash_table_contains (self->overrides, key))
    return g_strdup ("command-line");
  if (g_hash_table_contains (self->environment, key))
    return get_variable_name (key);
  for (guint i = self->tables->len; i > 0; i--)
    if (g_hash_table_contains (g_ptr_array_index (self->tables, i - 1), key))
      return g_strdup (self->files[i - 1]);
  return g_strdup ("default");
}

static const char *
get_type_name (GSettingsSchemaKey *key)
{
  const GVariantType *type = g_settings_schema_key_get_value_type (key);
  const char *kind = _nebula_config_get_text_kind (g_settings_schema_key_get_name (key));

  if (kind)
    return kind;
  if (g_variant_type_equal (type, G_VARIANT_TYPE_BOOLEAN))
    return "boolean";
  if (g_variant_type_equal (type, G_VARIANT_TYPE_INT32))
    return "integer";
  return g_variant_type_equal (type, G_VARIANT_TYPE_STRING) ? "string" : "list";
}

/* The schema gives ('type', …), ('enum', [choices]) or ('range', (least, greatest)). */
static void
describe_range (GSettingsSchemaKey *key, NebulaValueBuilder *builder)
{
  g_autoptr (GVariant) range = g_settings_schema_key_get_range (key);
  g_autoptr (GVariant) content = NULL;
  const char *kind = NULL;

  g_variant_get (range, "(&sv)", &kind, &content);
  if (strcmp (kind, "enum") == 0)
    nebula_value_builder_set_take (builder, "choices", nebula_value_from_variant (content, NULL));
  else if (strcmp (kind, "range") == 0)
    nebula_value_builder_set_take (builder, "range", nebula_value_from_variant (content, NULL));
}

/**
 * nebula_config_describe:
 * @self: the settings
 * @key: a setting
 * @error: where to put an error
 *
 * Tells all about a setting: `key`, `type`, `value`, `default`, `source` (`default`, a file, a variable or
 * `command-line`), `summary`, `description`, and `choices` or `range`.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal) if there is no such setting.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_config_describe (NebulaConfig *self, const char *key, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (GSettingsSchemaKey) schema_key = NULL;
  g_autoptr (GVariant) default_value = NULL;
  g_autofree char *source = NULL;

  g_return_val_if_fail (NEBULA_IS_CONFIG (self) && key != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!_nebula_config_check_key (self->schema, key, error))
    return NULL;
  builder = nebula_value_builder_new_object ();
  schema_key = g_settings_schema_get_key (self->schema, key);
  default_value = g_settings_schema_key_get_default_value (schema_key);
  source = dup_source (self, key);
  nebula_value_builder_set_string (builder, "key", key);
  nebula_value_builder_set_string (builder, "type", get_type_name (schema_key));
  nebula_value_builder_set_take (builder, "value", nebula_config_get (self, key, NULL));
  nebula_value_builder_set_take (builder, "default", nebula_value_from_variant (default_value, NULL));
  nebula_value_builder_set_string (builder, "source", source);
  nebula_value_builder_set_string (builder, "summary", g_settings_schema_key_get_summary (schema_key));
  nebula_value_builder_set_string (builder, "description", g_settings_schema_key_get_description (schema_key));
  describe_range (schema_key, builder);
  return nebula_value_builder_end (builder);
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

  if (!_nebula_config_check_key (self->schema, key, error))
    return FALSE;
  if (text) {
    variant = _nebula_config_parse_text (self->schema, key, text, error);
    if (!variant)
      return FALSE;
    g_hash_table_replace (self->overrides, g_strdup (key), variant);
  } else {
    g_hash_table_remove (self->overrides, key);
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
  variant = _nebula_config_parse_text (self->schema, key, text, error);
  if (!variant || !_nebula_config_file_write (self->schema, self->files[n_files - 1], key, variant, error))
    return FALSE;
  return nebula_config_reload (self, error);
}
