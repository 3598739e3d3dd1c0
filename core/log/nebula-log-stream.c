/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines into a descriptor, in colour if it is a terminal. */
#include <errno.h>

#include "nebula-log-private.h"

#define NEBULA_TYPE_LOG_STREAM (nebula_log_stream_get_type ())
G_DECLARE_FINAL_TYPE (NebulaLogStream, nebula_log_stream, NEBULA, LOG_STREAM, NebulaLogSink)

struct _NebulaLogStream {
  NebulaLogSink parent_instance;

  int fd;
  NebulaLogFormat format;
};

G_DEFINE_FINAL_TYPE (NebulaLogStream, nebula_log_stream, NEBULA_TYPE_LOG_SINK)

static gboolean
nebula_log_stream_write (NebulaLogSink *sink,
                         NebulaLogRecord *const *records,
                         guint n_records,
                         GError **error)
{
  NebulaLogStream *self = NEBULA_LOG_STREAM (sink);
  gboolean has_colour
      = self->format == NEBULA_LOG_FORMAT_PRETTY && g_log_writer_supports_color (self->fd);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n_records; i++) {
    g_autofree char *line = nebula_log_record_format (records[i], self->format, has_colour);

    g_string_append (text, line);
  }
  if (_nebula_log_write_all (self->fd, text->str, text->len))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno), g_strerror (errno));
  return FALSE;
}

static void
nebula_log_stream_class_init (NebulaLogStreamClass *klass)
{
  NEBULA_LOG_SINK_CLASS (klass)->write = nebula_log_stream_write;
}

static void
nebula_log_stream_init (NebulaLogStream *self)
{
}

/**
 * nebula_log_sink_open_stream:
 * @fd: a descriptor, which stays the caller's; 2 is standard error
 * @format: how lines look
 *
 * Makes a sink that writes lines into a descriptor.
 *
 * Returns: (transfer full): the sink
 *
 * Since: 1.0
 */
NebulaLogSink *
nebula_log_sink_open_stream (int fd, NebulaLogFormat format)
{
  NebulaLogStream *self = g_object_new (NEBULA_TYPE_LOG_STREAM, NULL);

  self->fd = fd;
  self->format = format;
  return NEBULA_LOG_SINK (self);
}
