/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-log-record.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_LOG_SINK (nebula_log_sink_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaLogSink, nebula_log_sink, NEBULA, LOG_SINK, GObject)

/**
 * NebulaLogSinkClass:
 * @write: takes some entries, oldest first; never two calls at once, in any thread. It may block. What it logs itself is
 *   not written.
 */
struct _NebulaLogSinkClass
{
  GObjectClass parent_class;

  gboolean (*write) (NebulaLogSink *self, NebulaLogRecord *const *records, guint n_records, GError **error);

  gpointer _reserved[8];
};

NEBULA_API gboolean nebula_log_sink_write (NebulaLogSink *self,
                                           NebulaLogRecord *const *records,
                                           guint n_records,
                                           GError **error);

NEBULA_API NebulaLogSink *nebula_log_sink_open_stream (int fd, NebulaLogFormat format);
NEBULA_API NebulaLogSink *nebula_log_sink_open_file (const char *path,
                                                    NebulaLogFormat format,
                                                    guint64 max_bytes,
                                                    gint64 max_age_usec,
                                                    guint max_files);
NEBULA_API NebulaLogSink *nebula_log_sink_open_journal (const char *socket_path, const char *identifier);

/* Kinds of sinks that modules bring. */
NEBULA_API void nebula_log_sink_add_type (const char *name, GType type);
NEBULA_API GType nebula_log_sink_find_type (const char *name);

G_END_DECLS
