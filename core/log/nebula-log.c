/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-log-private.h"

/* All of the log is one per process, because GLib's is. */
static GRWLock lock; /* guards what follows */
static GLogLevelFlags default_level = G_LOG_LEVEL_MESSAGE;
static GHashTable *domain_levels; /* domain → GLogLevelFlags */
static NebulaLogRedactor current_redactor;
static gpointer redactor_data;
static GDestroyNotify redactor_destroy;

static gint has_redactor;   /* atomic */
static gint is_installed;   /* atomic */
static guint generation = 2; /* atomic, even: of the levels; call sites remember for which one they know the answer */

static const char *const priorities[] = { "0", "1", "2", "3", "4", "5", "6", "7" };
static const char *const level_names[] = { "error", "critical", "warning", "message", "info", "debug", NULL };

static GLogLevelFlags
level_from_string (const char *text)
{
  for (guint i = 0; level_names[i]; i++)
    if (g_ascii_strcasecmp (level_names[i], text) == 0)
      return (GLogLevelFlags) (G_LOG_LEVEL_ERROR << i);
  return (GLogLevelFlags) 0;
}

/* The function that the program has set; what it gives goes into the record, so it may go away afterwards. */
static void
call_redactor (GLogField *fields, gsize n_fields, char **owned)
{
  g_rw_lock_reader_lock (&lock);
  for (gsize i = 0; i < n_fields && current_redactor; i++) {
    g_autofree char *text = fields[i].length < 0 ? NULL : g_strndup (fields[i].value, (gsize) fields[i].length);

    owned[i] = current_redactor (text ? text : fields[i].value, redactor_data);
    if (owned[i])
      fields[i] = (GLogField){ fields[i].key, owned[i], -1 };
  }
  g_rw_lock_reader_unlock (&lock);
}

static gboolean
is_shown (const char *key)
{
  return strcmp (key, "MESSAGE") == 0 || strcmp (key, "GLIB_DOMAIN") == 0
         || g_str_has_prefix (key, NEBULA_LOG_FIELD_PREFIX);
}

static NebulaLogRecord *
make_redacted (GLogLevelFlags level, const GLogField *fields, gsize n_fields, NebulaRedaction *redaction)
{
  GLogField some[NEBULA_LOG_FIELDS_MAX + 2];
  char *owned[NEBULA_LOG_FIELDS_MAX + 2] = { NULL };
  gsize n_some = 0;
  NebulaLogRecord *record = NULL;

  for (gsize i = 0; i < n_fields && n_some < G_N_ELEMENTS (some); i++)
    if (is_shown (fields[i].key))
      some[n_some++] = fields[i];
  call_redactor (some, n_some, owned);
  record = _nebula_log_record_new (level, g_get_real_time (), some, n_some, redaction);
  for (gsize i = 0; i < n_some; i++)
    g_free (owned[i]);
  return record;
}

/* Nobody asks again whether the entry is shown. */
static void
output (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  g_autoptr (NebulaRedaction) redaction = NULL;
  NebulaLogRecord *record = NULL;

  if (_nebula_log_output_is_inside ())
    return;
  redaction = _nebula_redactor_ref_current (nebula_redactor_get_default ());
  record = g_atomic_int_get (&has_redactor)
             ? make_redacted (level, fields, n_fields, redaction)
             : _nebula_log_record_new (level, g_get_real_time (), fields, n_fields, redaction);
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL))
    _nebula_log_output_now (record);
  else
    _nebula_log_output (record);
}

static GLogWriterOutput
write_entry (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const char *domain = NULL;

  for (gsize i = 0; i < n_fields && !domain; i++)
    if (strcmp (fields[i].key, "GLIB_DOMAIN") == 0)
      domain = fields[i].value;
  if (nebula_log_is_enabled (domain, level))
    output (level, fields, n_fields);
  return G_LOG_WRITER_HANDLED;
}

/**
 * nebula_log_install:
 *
 * Makes Nebula write the log of the process: to its standard error, until nebula_log_set_sinks() says otherwise. For
 * programs only, once, before the first thread; again does nothing. At its end a program calls nebula_log_flush().
 *
 * Since: 1.0
 */
void
nebula_log_install (void)
{
  static gsize once;

  if (g_once_init_enter (&once)) {
    g_log_set_writer_func (write_entry, NULL, NULL);
    g_atomic_int_set (&is_installed, TRUE);
    g_once_init_leave (&once, 1);
  }
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

/* With the lock held for writing; a generation after all others is 2 again, which no site has for 2³¹ changes. */
static void
end_generation (void)
{
  g_atomic_int_add ((gint *) &generation, 2);
  if (g_atomic_int_get ((gint *) &generation) == 0)
    g_atomic_int_set ((gint *) &generation, 2);
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
  end_generation ();
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
  end_generation ();
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
 * nebula_log_check_site: (skip)
 * @site: a number of the caller's, static and zero at first
 * @domain: the log domain, always the same for this site
 * @level: the level, always the same
 *
 * As nebula_log_is_enabled(), remembered at the place of the call until the levels change: a few nanoseconds.
 *
 * Thread: any.
 *
 * Returns: whether an entry would be shown
 *
 * Since: 1.0
 */
gboolean
nebula_log_check_site (guint *site, const char *domain, GLogLevelFlags level)
{
  guint known = (guint) g_atomic_int_get ((gint *) site);
  guint now = (guint) g_atomic_int_get ((gint *) &generation);
  gboolean is_enabled = FALSE;

  if (G_LIKELY ((known & ~1u) == now))
    return known & 1;
  is_enabled = nebula_log_is_enabled (domain, level);
  g_atomic_int_set ((gint *) site, (gint) (now | (is_enabled ? 1u : 0u)));
  return is_enabled;
}

/**
 * nebula_log_set_redactor:
 * @redactor: (nullable) (scope notified) (closure data) (destroy destroy): takes secrets out of texts
 * @data: data for @redactor
 * @destroy: (nullable): frees @data
 *
 * Lets every message and field pass through a function of the program that takes things out, in the thread that logs.
 * Secrets belong into nebula_redactor_get_default(), which is asked besides.
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
  g_atomic_int_set (&has_redactor, redactor != NULL);
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
  char small[512];
  g_autofree char *large = NULL;
  va_list arguments;
  int length = 0;

  if (!nebula_log_is_enabled (domain, level))
    return;
  va_start (arguments, format);
  length = g_vsnprintf (small, sizeof small, format, arguments);
  va_end (arguments);
  if (length < 0 || (gsize) length >= sizeof small) {
    va_start (arguments, format);
    large = g_strdup_vprintf (format, arguments);
    va_end (arguments);
  }
  add_field (fields, &n_fields, "GLIB_DOMAIN", domain);
  add_field (fields, &n_fields, "MESSAGE", large ? large : small);
  add_field (fields, &n_fields, "PRIORITY", priorities[_nebula_log_level_to_priority (level)]);
  if (context) {
    add_field (fields, &n_fields, "NEBULA_TENANT", nebula_context_get_tenant (context));
    add_field (fields, &n_fields, "NEBULA_EXECUTION", nebula_context_get_execution (context));
    add_field (fields, &n_fields, "NEBULA_NODE", nebula_context_get_node (context));
    add_field (fields, &n_fields, "NEBULA_TRACE", nebula_context_get_trace (context));
  }
  if (g_atomic_int_get (&is_installed) && (level & (G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL)) == 0)
    output (level, fields, n_fields);
  else
    g_log_structured_array (level, fields, n_fields);
}
