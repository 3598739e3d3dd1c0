/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines of a file: all at once, or a few from an offset in memory that does not grow with the file. */
#include "file-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  NebulaValueBuilder *lines;
  GByteArray *block;    /* what was read */
  gsize used;           /* bytes of it that went into lines */
  gsize scanned;        /* bytes after those that hold no line end */
  gint64 start;         /* where the unused bytes begin in the file */
  gint64 n_left;        /* lines still wanted */
  gint64 n_bytes;       /* bytes of the lines so far */
  gint64 max_size;
  gboolean is_full;     /* the next line would be more than max_size */
  const char *path;
} LineReader;

static gboolean
add_line (NebulaValueBuilder *lines, const char *data, gsize size, gboolean at_start, const char *path, GError **error)
{
  NebulaValue *line;

  if (size > 0 && data[size - 1] == '\n')
    size--;
  if (size > 0 && data[size - 1] == '\r')
    size--;

  line = _nebula_file_new_text (data, size, at_start, path, error);
  if (line == NULL)
    return FALSE;
  nebula_value_builder_add_take (lines, line);
  return TRUE;
}

static gboolean
set_too_long (const LineReader *self, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
               _("A line of “%s” is longer than %lld bytes. Raise “max-size” to read it"), self->path,
               (long long) self->max_size);
  return FALSE;
}

static gsize
get_unused (const LineReader *self)
{
  return self->block->len - self->used;
}

/* Takes the first line off the unused bytes. */
static gboolean
take_line (LineReader *self, gsize size, GError **error)
{
  if (self->n_bytes + (gint64) size > self->max_size) {
    if (nebula_value_builder_get_length (self->lines) == 0)
      return set_too_long (self, error);
    self->is_full = TRUE;
    return TRUE;
  }
  if (!add_line (self->lines, (const char *) self->block->data + self->used, size, self->start == 0, self->path, error))
    return FALSE;

  self->used += size;
  self->scanned = 0;
  self->start += (gint64) size;
  self->n_bytes += (gint64) size;
  self->n_left--;
  return TRUE;
}

static gboolean
take_lines (LineReader *self, gboolean at_end, GError **error)
{
  while (self->n_left > 0 && !self->is_full && get_unused (self) > 0) {
    const guint8 *from = self->block->data + self->used;
    const guint8 *end = memchr (from + self->scanned, '\n', get_unused (self) - self->scanned);
    gsize size = end != NULL ? (gsize) (end - from) + 1 : get_unused (self);

    if (end == NULL && !at_end) {
      self->scanned = get_unused (self);
      return TRUE;
    }
    if (!take_line (self, size, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_on (LineReader *self, int fd, gboolean *ret_at_end, GError **error)
{
  guint length;
  gssize n_read;

  if (self->used > 0)
    g_byte_array_remove_range (self->block, 0, (guint) self->used);
  self->used = 0;
  length = self->block->len;

  g_byte_array_set_size (self->block, length + NEBULA_FILE_BLOCK_BYTES);
  n_read = _nebula_file_read_block (fd, (char *) self->block->data + length, NEBULA_FILE_BLOCK_BYTES, self->path, error);
  g_byte_array_set_size (self->block, length + (guint) MAX (n_read, 0));
  if (n_read < 0)
    return FALSE;

  *ret_at_end = n_read < NEBULA_FILE_BLOCK_BYTES;
  if ((gint64) self->scanned <= self->max_size)
    return TRUE;
  if (nebula_value_builder_get_length (self->lines) == 0)
    return set_too_long (self, error);
  self->is_full = TRUE;
  return TRUE;
}

static NebulaValue *
finish (LineReader *self, gboolean at_end)
{
  g_autoptr (NebulaValueBuilder) result = nebula_value_builder_new_object ();

  nebula_value_builder_set_take (result, "lines", nebula_value_builder_end (self->lines));
  if (at_end && get_unused (self) == 0)
    nebula_value_builder_set_take (result, "next", nebula_value_new_null ());
  else
    nebula_value_builder_set_integer (result, "next", self->start);
  return nebula_value_builder_end (result);
}

NebulaValue *
_nebula_file_read_lines (int fd, gint64 offset, gint64 n_lines, gint64 max_size, GCancellable *cancellable,
                         const char *path, GError **error)
{
  g_autoptr (NebulaValueBuilder) lines = nebula_value_builder_new_array ();
  g_autoptr (GByteArray) block = g_byte_array_new ();
  LineReader self = { lines, block, 0, 0, offset, n_lines, 0, max_size, FALSE, path };
  gboolean at_end = FALSE;

  if (lseek (fd, offset, SEEK_SET) < 0) {
    _nebula_file_set_error (error, errno, path);
    return NULL;
  }
  /* One byte more than the lines must have been looked for, to know whether there is a next. */
  while (!at_end && !self.is_full && (self.n_left > 0 || get_unused (&self) == 0)) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error) || !read_on (&self, fd, &at_end, error) ||
        !take_lines (&self, at_end, error))
      return NULL;
  }
  return finish (&self, at_end);
}

NebulaValue *
_nebula_file_split_lines (const char *data, gsize size, const char *path, GError **error)
{
  g_autoptr (NebulaValueBuilder) lines = nebula_value_builder_new_array ();
  gboolean at_start = TRUE;

  while (size > 0) {
    const char *end = memchr (data, '\n', size);
    gsize length = end != NULL ? (gsize) (end - data) + 1 : size;

    if (!add_line (lines, data, length, at_start, path, error))
      return NULL;
    data += length;
    size -= length;
    at_start = FALSE;
  }
  return nebula_value_builder_end (lines);
}
