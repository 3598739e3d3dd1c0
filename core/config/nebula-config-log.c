/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From settings to the log: levels, look, buffer and sinks. A change of any of them takes effect at once. */
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "nebula-config-private.h"
#include "nebula-error.h"
#include "nebula-log.h"

#define LOG_PREFIX "log-"
#define MODULE_PREFIX "modules."
#define LEVEL_SUFFIX ".log-level"
#define PASSWORD_FILE "password-file"
#define PASSWORD_BYTES_MAX 4096

static NebulaLogFormat
read_format (NebulaConfig *config, const char *key)
{
  g_autofree char *name = nebula_config_dup_string (config, key);
  NebulaLogFormat format = NEBULA_LOG_FORMAT_COMPACT;

  /* What is left is “auto”. */
  if (!nebula_log_format_from_string (name, &format) && isatty (STDERR_FILENO))
    format = NEBULA_LOG_FORMAT_PRETTY;
  return format;
}

static NebulaLogSink *
make_file (NebulaConfig *config)
{
  g_autofree char *path = nebula_config_dup_string (config, "log-file");

  if (*path == '\0') {
    g_autofree char *folder = g_build_filename (g_get_user_state_dir (), "nebula", NULL);

    /* If that fails, the sink says so when it writes. */
    g_mkdir_with_parents (folder, 0700);
    g_free (path);
    path = g_build_filename (folder, "nebula.log", NULL);
  }
  return nebula_log_sink_open_file (
      path, read_format (config, "log-file-format"),
      nebula_config_get_bytes (config, "log-file-size"),
      nebula_config_get_usec (config, "log-file-age"),
      (guint) nebula_config_get_integer (config, "log-file-count"));
}

static char *
read_password (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GBytes) secret = NULL;
  gsize length = 0;

  if (*path == '\0')
    return g_strdup ("");
  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  text[MIN (strcspn (text, "\r\n"), PASSWORD_BYTES_MAX)] = '\0';
  secret = g_bytes_new (text, strlen (text));
  nebula_redactor_add (nebula_redactor_get_default (), secret);
  return g_steal_pointer (&text);
}

/* One setting of a module as the property of that name; `password-file` gives `password`. */
static gboolean
add_property (GSettings *settings, const char *key, GPtrArray *names, GArray *values, GError **error)
{
  g_autofree char *text = g_settings_get_string (settings, key);
  gboolean is_password = strcmp (key, PASSWORD_FILE) == 0;
  GValue value = G_VALUE_INIT;

  if (is_password) {
    char *password = read_password (text, error);

    if (!password)
      return FALSE;
    g_free (text);
    text = password;
  }
  g_ptr_array_add (names, g_strdup (is_password ? "password" : key));
  g_value_init (&value, G_TYPE_STRING);
  g_value_take_string (&value, g_steal_pointer (&text));
  g_array_append_val (values, value);
  return TRUE;
}

/* A sink of a module has the module's settings as properties, those that are texts. */
static NebulaLogSink *
make_from_settings (GType type, GSettings *settings, GError **error)
{
  g_autoptr (GSettingsSchema) schema = NULL;
  g_auto (GStrv) keys = NULL;
  g_autoptr (GTypeClass) klass = g_type_class_ref (type);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (GValue));

  g_array_set_clear_func (values, (GDestroyNotify) g_value_unset);
  g_object_get (settings, "settings-schema", &schema, NULL);
  keys = g_settings_schema_list_keys (schema);
  for (guint i = 0; keys[i]; i++) {
    const char *name = strcmp (keys[i], PASSWORD_FILE) == 0 ? "password" : keys[i];
    GParamSpec *pspec = g_object_class_find_property (G_OBJECT_CLASS (klass), name);

    if (pspec && pspec->value_type == G_TYPE_STRING && !add_property (settings, keys[i], names, values, error))
      return NULL;
  }
  return NEBULA_LOG_SINK (g_object_new_with_properties (type, names->len, (const char **) names->pdata,
                                                        (const GValue *) (gpointer) values->data));
}

static NebulaLogSink *
make_foreign (NebulaConfig *config, const char *name, GError **error)
{
  GType type = nebula_log_sink_find_type (name);
  g_autofree char *owner = g_strconcat ("modules.", name, NULL);
  g_autoptr (GSettings) settings = NULL;

  if (type == G_TYPE_INVALID) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG,
                 _ ("There is no log sink “%s”; use stderr, file, journald or elasticsearch, or install the module "
                    "that brings it."),
                 name);
    return NULL;
  }
  settings = nebula_config_get_settings_of (config, owner, error);
  return settings ? make_from_settings (type, settings, error) : NULL;
}

static NebulaLogSink *
make_sink (NebulaConfig *config, const char *name, GError **error)
{
  g_autofree char *socket = NULL;
  const char *program = g_get_prgname ();

  if (strcmp (name, "stderr") == 0)
    return nebula_log_sink_open_stream (STDERR_FILENO, read_format (config, "log-format"));
  if (strcmp (name, "file") == 0)
    return make_file (config);
  if (strcmp (name, "journald") != 0)
    return make_foreign (config, name, error);
  socket = nebula_config_dup_string (config, "log-journal-socket");
  return nebula_log_sink_open_journal (socket, program ? program : "nebula");
}

static GPtrArray *
make_sinks (NebulaConfig *config, GError **error)
{
  g_auto (GStrv) names = nebula_config_dup_strv (config, "log-sinks");
  g_autoptr (GPtrArray) sinks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; names[i]; i++) {
    NebulaLogSink *sink = make_sink (config, names[i], error);

    if (!sink)
      return NULL;
    g_ptr_array_add (sinks, sink);
  }
  return g_steal_pointer (&sinks);
}

/* `modules.http.log-level` is the level of the log domain `nebula-http`. */
static void
apply_levels (NebulaConfig *config)
{
  g_autofree char *levels = nebula_config_dup_string (config, "log-levels");
  g_auto (GStrv) keys = nebula_config_list (config);
  g_autoptr (GString) all = g_string_new (levels);

  for (guint i = 0; keys[i]; i++) {
    g_autofree char *level = NULL, *module = NULL;

    if (!g_str_has_prefix (keys[i], MODULE_PREFIX) || !g_str_has_suffix (keys[i], LEVEL_SUFFIX))
      continue;
    level = nebula_config_dup_string (config, keys[i]);
    module = g_strndup (keys[i] + strlen (MODULE_PREFIX),
                        strlen (keys[i]) - strlen (MODULE_PREFIX) - strlen (LEVEL_SUFFIX));
    if (strcmp (level, "inherit") != 0)
      g_string_append_printf (all, ",nebula-%s=%s", module, level);
  }
  nebula_log_set_levels (all->str, NULL);
}

static gboolean
apply (NebulaConfig *config, GError **error)
{
  g_autofree char *overflow = nebula_config_dup_string (config, "log-overflow");
  g_autoptr (GPtrArray) sinks = make_sinks (config, error);

  /* Only a sink can fail here: all else was checked when it was read. */
  if (!sinks)
    return FALSE;
  apply_levels (config);
  nebula_log_set_sinks (sinks);
  nebula_log_set_buffer (nebula_config_get_bytes (config, "log-buffer"),
                         g_str_equal (overflow, "drop-oldest") ? NEBULA_LOG_OVERFLOW_DROP_OLDEST
                                                               : NEBULA_LOG_OVERFLOW_DROP_NEWEST);
  return TRUE;
}

static void
on_changed (NebulaConfig *config, const char *key, gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (g_str_equal (key, "log-levels") || g_str_has_suffix (key, LEVEL_SUFFIX))
    apply_levels (config);
  else if ((g_str_has_prefix (key, LOG_PREFIX) || g_str_has_prefix (key, MODULE_PREFIX)) && !apply (config, &error))
    g_debug ("the log stays as it was: %s", error->message);
}

/**
 * nebula_config_apply_log:
 * @self: the settings
 * @error: where to put an error
 *
 * Sets up the log as the settings `log-…` say, and again whenever one of them changes, for as long as @self lives. A kind
 * of sink that a module brings must have been loaded before.
 *
 * Errors: %NEBULA_ERROR_CONFIG (terminal) for an unknown sink; any #GFileError for the file with the password. Then the
 * log stays as it was.
 *
 * Returns: whether it was done
 *
 * Since: 1.0
 */
gboolean
nebula_config_apply_log (NebulaConfig *self, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!apply (self, error))
    return FALSE;
  g_signal_handlers_disconnect_by_func (self, on_changed, NULL);
  g_signal_connect (self, "changed", G_CALLBACK (on_changed), NULL);
  return TRUE;
}
