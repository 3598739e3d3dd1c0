/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

#include <gio/gio.h>

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
 * NebulaLogRecord:
 *
 * One log entry. What a sink gets holds no secrets any more.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaLogRecord NebulaLogRecord;

#define NEBULA_TYPE_LOG_RECORD (nebula_log_record_get_type ())
NEBULA_API GType nebula_log_record_get_type (void);

NEBULA_API NebulaLogRecord *nebula_log_record_ref (NebulaLogRecord *self);
NEBULA_API void nebula_log_record_unref (NebulaLogRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaLogRecord, nebula_log_record_unref)

NEBULA_API GLogLevelFlags nebula_log_record_get_level (NebulaLogRecord *self);
NEBULA_API gint64 nebula_log_record_get_real_usec (NebulaLogRecord *self);
NEBULA_API const char *nebula_log_record_get_domain (NebulaLogRecord *self);
NEBULA_API const char *nebula_log_record_get_message (NebulaLogRecord *self);
NEBULA_API guint nebula_log_record_get_n_fields (NebulaLogRecord *self);
NEBULA_API const char *nebula_log_record_get_key (NebulaLogRecord *self, guint index);
NEBULA_API const char *nebula_log_record_get_value (NebulaLogRecord *self, guint index);
NEBULA_API char *nebula_log_record_format (NebulaLogRecord *self, NebulaLogFormat format, gboolean has_colour);

G_END_DECLS
