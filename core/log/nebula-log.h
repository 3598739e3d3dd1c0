/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-context.h"
#include "nebula-log-sink.h"
#include "nebula-redactor.h"

G_BEGIN_DECLS

/**
 * NebulaLogOverflow:
 * @NEBULA_LOG_OVERFLOW_DROP_NEWEST: the entry that does not fit
 * @NEBULA_LOG_OVERFLOW_DROP_OLDEST: the entries that wait for the longest time
 *
 * What is dropped when the buffer is full.
 */
typedef enum
{
  NEBULA_LOG_OVERFLOW_DROP_NEWEST,
  NEBULA_LOG_OVERFLOW_DROP_OLDEST,
} NebulaLogOverflow;

/**
 * NebulaLogCount:
 * @NEBULA_LOG_COUNT_WRITTEN: entries that a sink took, once for each sink
 * @NEBULA_LOG_COUNT_DROPPED: entries that did not fit into the buffer
 * @NEBULA_LOG_COUNT_FAILED: entries that a sink could not write
 *
 * What the log counts.
 */
typedef enum
{
  NEBULA_LOG_COUNT_WRITTEN,
  NEBULA_LOG_COUNT_DROPPED,
  NEBULA_LOG_COUNT_FAILED,
} NebulaLogCount;

/**
 * NebulaLogRedactor:
 * @text: a message or field
 * @data: what was set with it
 *
 * Takes secrets out of a text, in any thread. It must not log.
 *
 * Returns: (transfer full) (nullable): the text to write, %NULL if nothing had to be taken out
 */
typedef char *(*NebulaLogRedactor) (const char *text, gpointer data);

NEBULA_API void nebula_log_install (void);
NEBULA_API void nebula_log_set_format (NebulaLogFormat format);
NEBULA_API gboolean nebula_log_format_from_string (const char *text, NebulaLogFormat *ret_format);
NEBULA_API void nebula_log_set_level (const char *domain, GLogLevelFlags level);
NEBULA_API gboolean nebula_log_check_levels (const char *text, GError **error);
NEBULA_API gboolean nebula_log_set_levels (const char *text, GError **error);
NEBULA_API gboolean nebula_log_is_enabled (const char *domain, GLogLevelFlags level);
NEBULA_API void nebula_log_set_sinks (GPtrArray *new_sinks);
NEBULA_API void nebula_log_set_buffer (gsize max_bytes, NebulaLogOverflow overflow);
NEBULA_API gboolean nebula_log_flush (gint64 patience_usec);
NEBULA_API guint64 nebula_log_get_count (NebulaLogCount count);
NEBULA_API void nebula_log_set_redactor (NebulaLogRedactor redactor, gpointer data, GDestroyNotify destroy);

NEBULA_API void nebula_log (NebulaContext *context, const char *domain, GLogLevelFlags level, const char *format, ...)
  G_GNUC_PRINTF (4, 5);

NEBULA_API gboolean nebula_log_check_site (guint *site, const char *domain, GLogLevelFlags level);

/* Where nothing is shown, it costs a look at two numbers; the arguments are not even evaluated. */
#define nebula_log_at(level, context, ...)                                                                             \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    static guint nebula_log_site_;                                                                                     \
    if (nebula_log_check_site (&nebula_log_site_, G_LOG_DOMAIN, (level)))                                              \
      nebula_log ((context), G_LOG_DOMAIN, (level), __VA_ARGS__);                                                      \
  }                                                                                                                    \
  G_STMT_END

#define nebula_log_debug(context, ...) nebula_log_at (G_LOG_LEVEL_DEBUG, context, __VA_ARGS__)
#define nebula_log_info(context, ...) nebula_log_at (G_LOG_LEVEL_INFO, context, __VA_ARGS__)
#define nebula_log_message(context, ...) nebula_log_at (G_LOG_LEVEL_MESSAGE, context, __VA_ARGS__)
#define nebula_log_warning(context, ...) nebula_log_at (G_LOG_LEVEL_WARNING, context, __VA_ARGS__)
#define nebula_log_critical(context, ...) nebula_log_at (G_LOG_LEVEL_CRITICAL, context, __VA_ARGS__)

G_END_DECLS
