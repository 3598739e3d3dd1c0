/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines into a file that is put aside when it is large or old: `app.log` becomes `app.log.1`, that one `app.log.2`, and so
 * on; the oldest beyond the count is deleted. One file is never split within a line.
 *
 * The file is opened with O_APPEND and O_NOFOLLOW, only if it is a regular one, and is its owner's alone. Before each batch
 * the name is looked up: if somebody moved or deleted the file (as logrotate does), a new one is begun.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-log-private.h"

#define NEBULA_TYPE_LOG_FILE (nebula_log_file_get_type ())
G_DECLARE_FINAL_TYPE (NebulaLogFile, nebula_log_file, NEBULA, LOG_FILE, NebulaLogSink)

struct _NebulaLogFile {
  NebulaLogSink parent_instance;

  char *path;
  NebulaLogFormat format;
  guint64 max_bytes;
  gint64 max_age_usec;
  guint max_files;

  int fd; /* -1: closed */
  dev_t device;
  ino_t inode;
  guint64 bytes;
  gint64 start_usec; /* wall clock: of its first line */
  gboolean is_torn;  /* the last line has no end, because the disk was full */
};

G_DEFINE_FINAL_TYPE (NebulaLogFile, nebula_log_file, NEBULA_TYPE_LOG_SINK)

static void
close_file (NebulaLogFile *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

static void
nebula_log_file_finalize (GObject *object)
{
  NebulaLogFile *self = (NebulaLogFile *) object;

  close_file (self);
  g_free (self->path);
  G_OBJECT_CLASS (nebula_log_file_parent_class)->finalize (object);
}

static gboolean
fail (NebulaLogFile *self, int code, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               /* TRANSLATORS: a file name, then what the system says about it */
               _ ("Log file “%s”: %s."), self->path, g_strerror (code));
  return FALSE;
}

/* When an existing file was begun, as well as the file system knows. */
static gint64
get_birth_usec (int fd, const struct stat *status)
{
  struct statx extended;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_BTIME, &extended) == 0
      && extended.stx_mask & STATX_BTIME)
    return (gint64) extended.stx_btime.tv_sec * G_USEC_PER_SEC;
  return (gint64) status->st_mtim.tv_sec * G_USEC_PER_SEC;
}

static gboolean
is_torn_at (int fd, off_t size)
{
  char last = '\n';

  return size > 0 && pread (fd, &last, 1, size - 1) == 1 && last != '\n';
}

static gboolean
open_file (NebulaLogFile *self, gint64 now_usec, GError **error)
{
  struct stat status;

  self->fd = open (self->path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (self->fd < 0)
    return fail (self, errno, error);
  if (fstat (self->fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    close_file (self);
    return fail (self, EINVAL, error);
  }
  self->device = status.st_dev;
  self->inode = status.st_ino;
  self->bytes = (guint64) status.st_size;
  self->start_usec = status.st_size > 0 ? get_birth_usec (self->fd, &status) : now_usec;
  self->is_torn = is_torn_at (self->fd, status.st_size);
  return TRUE;
}

static gboolean
was_moved (NebulaLogFile *self)
{
  struct stat status;

  return lstat (self->path, &status) != 0 || status.st_dev != self->device
         || status.st_ino != self->inode;
}

static char *
get_old_path (NebulaLogFile *self, guint number)
{
  return number == 0 ? g_strdup (self->path) : g_strdup_printf ("%s.%u", self->path, number);
}

/* A file that cannot be renamed grows on: better than to lose what comes. */
static void
rotate (NebulaLogFile *self)
{
  g_autofree char *oldest = get_old_path (self, self->max_files);

  close_file (self);
  g_unlink (oldest);
  for (guint i = self->max_files; i > 0; i--) {
    g_autofree char *from = get_old_path (self, i - 1), *to = get_old_path (self, i);

    g_rename (from, to);
  }
}

/* With @waiting bytes that shall be written into it, and @more that would come next. */
static gboolean
is_full (NebulaLogFile *self, gsize waiting, gsize more, gint64 now_usec)
{
  if (self->bytes + waiting == 0)
    return FALSE;
  return (self->max_bytes > 0 && self->bytes + waiting + more > self->max_bytes)
         || (self->max_age_usec > 0 && now_usec - self->start_usec >= self->max_age_usec);
}

static gboolean
make_ready (NebulaLogFile *self, gsize more, gint64 now_usec, GError **error)
{
  if (self->fd < 0 && !open_file (self, now_usec, error))
    return FALSE;
  if (!is_full (self, 0, more, now_usec))
    return TRUE;
  rotate (self);
  if (!open_file (self, now_usec, error))
    return FALSE;
  if (self->bytes > 0)
    self->start_usec = now_usec;
  return TRUE;
}

static gboolean
append (NebulaLogFile *self, GString *text, GError **error)
{
  if (text->len == 0)
    return TRUE;
  if (self->is_torn)
    g_string_prepend_c (text, '\n');
  if (!_nebula_log_write_all (self->fd, text->str, text->len)) {
    fail (self, errno, error);
    /* What was begun is found, and mended, at the next opening. */
    close_file (self);
    return FALSE;
  }
  self->is_torn = FALSE;
  self->bytes += text->len;
  g_string_truncate (text, 0);
  return TRUE;
}

/* Lines that go into the same file are written at once. */
static gboolean
nebula_log_file_write (NebulaLogSink *sink,
                       NebulaLogRecord *const *records,
                       guint n_records,
                       GError **error)
{
  NebulaLogFile *self = NEBULA_LOG_FILE (sink);
  g_autoptr (GString) text = g_string_new (NULL);

  if (self->fd >= 0 && was_moved (self))
    close_file (self);
  for (guint i = 0; i < n_records; i++) {
    g_autofree char *line = nebula_log_record_format (records[i], self->format, FALSE);
    gsize more = strlen (line);
    gint64 now_usec = records[i]->real_usec;

    if (text->len > 0 && is_full (self, text->len, more, now_usec)
        && !append (self, text, error))
      return FALSE;
    if (text->len == 0 && !make_ready (self, more, now_usec, error))
      return FALSE;
    g_string_append (text, line);
  }
  return append (self, text, error);
}

static void
nebula_log_file_class_init (NebulaLogFileClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_log_file_finalize;
  NEBULA_LOG_SINK_CLASS (klass)->write = nebula_log_file_write;
}

static void
nebula_log_file_init (NebulaLogFile *self)
{
  self->fd = -1;
}

/**
 * nebula_log_sink_open_file:
 * @path: (type filename): a file; its folder must exist
 * @format: how lines look
 * @max_bytes: when a file is full, 0 for never
 * @max_age_usec: when a file is old, 0 for never
 * @max_files: how many old files are kept
 *
 * Makes a sink that writes lines into a file. A full or old file is put aside as `PATH.1`, and those before it one number
 * further; there are never more than @max_files besides the current one. The file is opened when the first entry comes, and
 * again after somebody else moved it.
 *
 * Returns: (transfer full): the sink
 *
 * Since: 1.0
 */
NebulaLogSink *
nebula_log_sink_open_file (const char *path,
                          NebulaLogFormat format,
                          guint64 max_bytes,
                          gint64 max_age_usec,
                          guint max_files)
{
  NebulaLogFile *self = NULL;

  g_return_val_if_fail (path != NULL, NULL);

  self = g_object_new (NEBULA_TYPE_LOG_FILE, NULL);
  self->path = g_strdup (path);
  self->format = format;
  self->max_bytes = max_bytes;
  self->max_age_usec = max_age_usec;
  self->max_files = max_files;
  return NEBULA_LOG_SINK (self);
}
