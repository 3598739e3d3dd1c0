/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-context.h"

G_BEGIN_DECLS

/**
 * NebulaLogFormat:
 * @NEBULA_LOG_FORMAT_PRETTY: for people at a terminal, in colour there
 * @NEBULA_LOG_FORMAT_COMPACT: for people who read files
 * @NEBULA_LOG_FORMAT_JSON: one object a line
 * @NEBULA_LOG_FORMAT_LOGFMT: `key=value` pairs
 *
 * How a log line looks.
 */
typedef enum
{
  NEBULA_LOG_FORMAT_PRETTY,
  NEBULA_LOG_FORMAT_COMPACT,
  NEBULA_LOG_FORMAT_JSON,
  NEBULA_LOG_FORMAT_LOGFMT,
} NebulaLogFormat;

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
NEBULA_API void nebula_log_set_redactor (NebulaLogRedactor redactor, gpointer data, GDestroyNotify destroy);

NEBULA_API void nebula_log (NebulaContext *context, const char *domain, GLogLevelFlags level, const char *format, ...)
  G_GNUC_PRINTF (4, 5);

#define nebula_log_debug(context, ...) nebula_log (context, G_LOG_DOMAIN, G_LOG_LEVEL_DEBUG, __VA_ARGS__)
#define nebula_log_info(context, ...) nebula_log (context, G_LOG_DOMAIN, G_LOG_LEVEL_INFO, __VA_ARGS__)
#define nebula_log_message(context, ...) nebula_log (context, G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, __VA_ARGS__)
#define nebula_log_warning(context, ...) nebula_log (context, G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, __VA_ARGS__)
#define nebula_log_critical(context, ...) nebula_log (context, G_LOG_DOMAIN, G_LOG_LEVEL_CRITICAL, __VA_ARGS__)

G_END_DECLS
