/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-log-private.h"

/* All of the log is one per process, because GLib's is. */
static GRWLock lock; /* guards what follows */
static NebulaLogFormat current_format;
static GLogLevelFlags default_level = G_LOG_LEVEL_MESSAGE;
static GHashTable *domain_levels; /* domain → GLogLevelFlags */
static NebulaLogRedactor current_redactor;
static gpointer redactor_data;
static GDestroyNotify redactor_destroy;

static const char *const level_names[] = { "error", "critical", "warning", "message", "info", "debug", NULL };

static GLogLevelFlags
level_from_string (const char *text)
{
  for (guint i = 0; level_names[i]; i++)
    if (g_ascii_strcasecmp (level_names[i], text) == 0)
      return (GLogLevelFlags) (G_LOG_LEVEL_ERROR << i);
  return (GLogLevelFlags) 0;
}

static void
write_line (const GString *line)
{
  gsize done = 0;

  while (done < line->len) {
    gssize written = write (STDERR_FILENO, line->str + done, line->len - done);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    done += (gsize) written;
  }
}

static GLogWriterOutput
write_entry (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  NebulaLogStyle style = { .real_usec = g_get_real_time () };
  GString *line = NULL;
  const char *domain = NULL;

  for (gsize i = 0; i < n_fields && !domain; i++)
    if (strcmp (fields[i].key, "GLIB_DOMAIN") == 0)
      domain = fields[i].value;
  if (!nebula_log_is_enabled (domain, level))
    return G_LOG_WRITER_HANDLED;

  g_rw_lock_reader_lock (&lock);
  style.format = current_format;
  style.redactor = current_redactor;
  style.redactor_data = redactor_data;
  style.has_colour = current_format == NEBULA_LOG_FORMAT_PRETTY && g_log_writer_supports_color (STDERR_FILENO);
  line = _nebula_log_line (&style, level, fields, n_fields);
  g_rw_lock_reader_unlock (&lock);
  write_line (line);
  g_string_free (line, TRUE);
  return G_LOG_WRITER_HANDLED;
}

/**
 * nebula_log_install:
 *
 * Makes Nebula write the log of the process to its standard error. For programs only, once, before the first thread;
 * again does nothing.
 *
 * Since: 1.0
 */
void
nebula_log_install (void)
{
  static gsize once;

  if (g_once_init_enter (&once)) {
    g_log_set_writer_func (write_entry, NULL, NULL);
    g_once_init_leave (&once, 1);
  }
}

/**
 * nebula_log_set_format:
 * @format: how lines look
 *
 * Changes how lines look, from the next one on.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_set_format (NebulaLogFormat format)
{
  g_rw_lock_writer_lock (&lock);
  current_format = format;
  g_rw_lock_writer_unlock (&lock);
}

/**
 * nebula_log_format_from_string:
 * @text: `pretty`, `compact`, `json` or `logfmt`
 * @ret_format: (out): the format, untouched if there is none
 *
 * Finds the format that a text names.
 *
 * Returns: whether there is one
 *
 * Since: 1.0
 */
gboolean
nebula_log_format_from_string (const char *text, NebulaLogFormat *ret_format)
{
  static const char *const names[] = { "pretty", "compact", "json", "logfmt" };

  g_return_val_if_fail (text != NULL && ret_format != NULL, FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (strcmp (names[i], text) != 0)
      continue;
    *ret_format = (NebulaLogFormat) i;
    return TRUE;
  }
  return FALSE;
}

/* With the lock held for writing. */
static void
set_level (const char *domain, GLogLevelFlags level)
{
  if (!domain) {
    default_level = level;
    return;
  }
  if (!domain_levels)
    domain_levels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (domain_levels, g_strdup (domain), GUINT_TO_POINTER (level));
}

/**
 * nebula_log_set_level:
 * @domain: (nullable): a log domain, %NULL for all that have no level of their own
 * @level: the least urgent level that is shown
 *
 * Changes what is shown, from the next entry on.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_set_level (const char *domain, GLogLevelFlags level)
{
  g_rw_lock_writer_lock (&lock);
  set_level (domain, level);
  g_rw_lock_writer_unlock (&lock);
}

static GStrv
split_levels (const char *text)
{
  GStrv parts = g_strsplit (text, ",", -1);

  for (guint i = 0; parts[i]; i++)
    g_strstrip (parts[i]);
  return parts;
}

/**
 * nebula_log_check_levels:
 * @text: levels with commas between them, such as `info,nebula-storage=debug`
 * @error: where to put an error
 *
 * Tells whether nebula_log_set_levels() would accept a text; nothing changes.
 *
 * Thread: any.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal) for an unknown level.
 *
 * Returns: whether it would
 *
 * Since: 1.0
 */
gboolean
nebula_log_check_levels (const char *text, GError **error)
{
  g_auto (GStrv) parts = NULL;

  g_return_val_if_fail (text != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  parts = split_levels (text);
  for (guint i = 0; parts[i]; i++) {
    const char *equals = strchr (parts[i], '=');
    const char *name = equals ? equals + 1 : parts[i];

    if (*parts[i] == '\0' || level_from_string (name) != 0)
      continue;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” is not a log level; use critical, warning, message, info or debug."), name);
    return FALSE;
  }
  return TRUE;
}

/**
 * nebula_log_set_levels:
 * @text: levels with commas between them, such as `info,nebula-storage=debug`
 * @error: where to put an error
 *
 * Sets all levels at once; domains that are not named lose theirs. A text that is refused changes nothing.
 *
 * Thread: any.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal) for an unknown level.
 *
 * Returns: whether the text was accepted
 *
 * Since: 1.0
 */
gboolean
nebula_log_set_levels (const char *text, GError **error)
{
  g_auto (GStrv) parts = NULL;

  g_return_val_if_fail (text != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!nebula_log_check_levels (text, error))
    return FALSE;
  parts = split_levels (text);
  g_rw_lock_writer_lock (&lock);
  g_clear_pointer (&domain_levels, g_hash_table_unref);
  for (guint i = 0; parts[i]; i++) {
    g_auto (GStrv) pair = g_strsplit (parts[i], "=", 2);

    if (pair[0] && pair[1])
      set_level (pair[0], level_from_string (pair[1]));
    else if (pair[0])
      set_level (NULL, level_from_string (pair[0]));
  }
  g_rw_lock_writer_unlock (&lock);
  return TRUE;
}

/**
 * nebula_log_is_enabled:
 * @domain: (nullable): a log domain
 * @level: a level
 *
 * Tells whether an entry would be shown, so that costly ones need not be made.
 *
 * Thread: any.
 *
 * Returns: whether it would
 *
 * Since: 1.0
 */
gboolean
nebula_log_is_enabled (const char *domain, GLogLevelFlags level)
{
  gpointer found = NULL;
  guint threshold = 0;

  g_rw_lock_reader_lock (&lock);
  threshold = default_level;
  if (domain && domain_levels && g_hash_table_lookup_extended (domain_levels, domain, NULL, &found))
    threshold = GPOINTER_TO_UINT (found);
  g_rw_lock_reader_unlock (&lock);
  return (guint) (level & G_LOG_LEVEL_MASK) <= threshold;
}

/**
 * nebula_log_set_redactor:
 * @redactor: (nullable) (scope notified) (closure data) (destroy destroy): takes secrets out of texts
 * @data: data for @redactor
 * @destroy: (nullable): frees @data
 *
 * Lets every message and field pass through a function that takes secrets out.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log_set_redactor (NebulaLogRedactor redactor, gpointer data, GDestroyNotify destroy)
{
  gpointer old_data = NULL;
  GDestroyNotify old_destroy = NULL;

  g_rw_lock_writer_lock (&lock);
  old_data = redactor_data;
  old_destroy = redactor_destroy;
  current_redactor = redactor;
  redactor_data = data;
  redactor_destroy = destroy;
  g_rw_lock_writer_unlock (&lock);
  if (old_destroy)
    old_destroy (old_data);
}

static void
add_field (GLogField *fields, gsize *n_fields, const char *key, const char *value)
{
  if (value)
    fields[(*n_fields)++] = (GLogField){ .key = key, .value = value, .length = -1 };
}

/**
 * nebula_log: (skip)
 * @context: (nullable): for whom something is done
 * @domain: the log domain
 * @level: the level
 * @format: a printf format
 * @...: its arguments
 *
 * Logs a message with the fields of a context: `NEBULA_EXECUTION`, `NEBULA_NODE`, `NEBULA_TENANT`, `NEBULA_TRACE`.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_log (NebulaContext *context, const char *domain, GLogLevelFlags level, const char *format, ...)
{
  GLogField fields[8];
  gsize n_fields = 0;
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  add_field (fields, &n_fields, "GLIB_DOMAIN", domain);
  add_field (fields, &n_fields, "MESSAGE", message);
  add_field (fields, &n_fields, "PRIORITY",
             level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? "3"
             : level & G_LOG_LEVEL_WARNING                      ? "4"
             : level & G_LOG_LEVEL_MESSAGE                      ? "5"
             : level & G_LOG_LEVEL_INFO                         ? "6"
                                                                : "7");
  if (context) {
    add_field (fields, &n_fields, "NEBULA_TENANT", nebula_context_get_tenant (context));
    add_field (fields, &n_fields, "NEBULA_EXECUTION", nebula_context_get_execution (context));
    add_field (fields, &n_fields, "NEBULA_NODE", nebula_context_get_node (context));
    add_field (fields, &n_fields, "NEBULA_TRACE", nebula_context_get_trace (context));
  }
  g_log_structured_array (level, fields, n_fields);
}
