/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-log.h"
#include "nebula-redaction-private.h"

#define NEBULA_LOG_FIELD_PREFIX "NEBULA_"
#define NEBULA_LOG_FIELDS_MAX 15
#define NEBULA_LOG_LINE_BYTES 65536
#define NEBULA_LOG_MESSAGE_BYTES 65536 /* in memory; a line shows less */

typedef struct
{
  const char *key;
  const char *value;
} NebulaLogRecordField;

struct _NebulaLogRecord
{
  gatomicrefcount count;
  GLogLevelFlags level;
  gint64 real_usec;
  gsize size; /* of the whole block */
  const char *domain;
  const char *message;
  NebulaRedaction *redaction; /* NULL: it is clean */

  /* While it waits. */
  NebulaLogRecord *next;
  guint64 number;

  guint n_fields;
  NebulaLogRecordField fields[];
};

NebulaLogRecord *_nebula_log_record_new (GLogLevelFlags level,
                                         gint64 real_usec,
                                         const GLogField *fields,
                                         gsize n_fields,
                                         NebulaRedaction *redaction);
NebulaLogRecord *_nebula_log_record_clean (NebulaLogRecord *record);

/* One entry as one line with its line end, at most NEBULA_LOG_LINE_BYTES. */
GString *_nebula_log_line (NebulaLogRecord *record, NebulaLogFormat format, gboolean has_colour);
const char *_nebula_log_level_to_string (GLogLevelFlags level);
/* As syslog counts: 3 for errors … 7 for what only developers want. */
int _nebula_log_level_to_priority (GLogLevelFlags level);

/* Writes all, whatever signals come; FALSE with errno. */
gboolean _nebula_log_write_all (int fd, const char *text, gsize length);

/* nebula-log-queue.c: entries that wait for their writer, in a bounded buffer. */
typedef struct _NebulaLogQueue NebulaLogQueue;
typedef void (*NebulaLogDeliver) (NebulaLogRecord **records, guint n_records);

NebulaLogQueue *_nebula_log_queue_new (gsize limit_bytes, NebulaLogOverflow overflow, NebulaLogDeliver deliver);
NebulaLogQueue *_nebula_log_queue_ref (NebulaLogQueue *self);
void _nebula_log_queue_stop (NebulaLogQueue *self); /* writes what waits; once, and nothing may be pushed after it */
void _nebula_log_queue_unref (NebulaLogQueue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaLogQueue, _nebula_log_queue_unref)
void _nebula_log_queue_push (NebulaLogQueue *self, NebulaLogRecord *record); /* takes it */
gboolean _nebula_log_queue_flush (NebulaLogQueue *self, gint64 patience_usec);
guint64 _nebula_log_queue_get_dropped (NebulaLogQueue *self);

/* nebula-log-output.c: the sinks, and the way to them. */
void _nebula_log_output (NebulaLogRecord *record); /* takes it */
void _nebula_log_output_now (NebulaLogRecord *record);
/* Whether this thread is about to write: what it logs itself goes nowhere. */
gboolean _nebula_log_output_is_inside (void);
