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
#define ELASTICSEARCH_PREFIX "log-elasticsearch-"
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
  return nebula_log_sink_new_file (
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

/* A sink of a module has its settings as properties. */
static NebulaLogSink *
make_foreign (NebulaConfig *config, const char *name, GError **error)
{
  GType type = nebula_log_sink_find_type (name);
  g_autofree char *url = nebula_config_dup_string (config, ELASTICSEARCH_PREFIX "url");
  g_autofree char *index = nebula_config_dup_string (config, ELASTICSEARCH_PREFIX "index");
  g_autofree char *user = nebula_config_dup_string (config, ELASTICSEARCH_PREFIX "user");
  g_autofree char *path = nebula_config_dup_string (config, ELASTICSEARCH_PREFIX "password-file");
  g_autofree char *password = NULL;

  if (type == G_TYPE_INVALID) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG,
                 _ ("There is no log sink “%s”; use stderr, file, journald or elasticsearch, or install the module "
                    "that brings it."),
                 name);
    return NULL;
  }
  if (strcmp (name, "elasticsearch") != 0)
    return g_object_new (type, NULL);
  password = read_password (path, error);
  if (!password)
    return NULL;
  return g_object_new (type, "url", url, "index", index, "user", user, "password", password, NULL);
}

static NebulaLogSink *
make_sink (NebulaConfig *config, const char *name, GError **error)
{
  g_autofree char *socket = NULL;
  const char *program = g_get_prgname ();

  if (strcmp (name, "stderr") == 0)
    return nebula_log_sink_new_stream (STDERR_FILENO, read_format (config, "log-format"));
  if (strcmp (name, "file") == 0)
    return make_file (config);
  if (strcmp (name, "journald") != 0)
    return make_foreign (config, name, error);
  socket = nebula_config_dup_string (config, "log-journal-socket");
  return nebula_log_sink_new_journal (socket, program ? program : "nebula");
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

static gboolean
apply (NebulaConfig *config, GError **error)
{
  g_autofree char *levels = nebula_config_dup_string (config, "log-levels");
  g_autofree char *overflow = nebula_config_dup_string (config, "log-overflow");
  g_autoptr (GPtrArray) sinks = make_sinks (config, error);

  /* Only a sink can fail here: all else was checked when it was read. */
  if (!sinks)
    return FALSE;
  nebula_log_set_levels (levels, NULL);
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

  if (!g_str_has_prefix (key, LOG_PREFIX))
    return;
  if (g_str_equal (key, "log-levels")) {
    g_autofree char *levels = nebula_config_dup_string (config, key);

    nebula_log_set_levels (levels, NULL);
  } else if (!apply (config, &error)) {
    g_debug ("the log stays as it was: %s", error->message);
  }
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
