/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nebula-blob-stream-internal.h"

#include <glib/gi18n-lib.h>

#include "nebula-blob.h"
#include "nebula-error.h"

#define NEBULA_TYPE_BLOB_STREAM (nebula_blob_stream_get_type ())
G_DECLARE_FINAL_TYPE (NebulaBlobStream, nebula_blob_stream, NEBULA, BLOB_STREAM, GFilterInputStream)

struct _NebulaBlobStream
{
  GFilterInputStream parent_instance;

  GChecksum *checksum;
  char *digest;
  guint64 size;
  guint64 n_read;
};

G_DEFINE_FINAL_TYPE (NebulaBlobStream, nebula_blob_stream, G_TYPE_FILTER_INPUT_STREAM)

void
nebula_blob_set_damaged (const char *digest, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
               _("The stored value %.12s… is damaged: it is not what its digest says. Restore the"
                 " store from a backup"),
               digest);
}

static gboolean
check_end (NebulaBlobStream *self, GError **error)
{
  if (self->n_read == self->size &&
      g_str_equal (g_checksum_get_string (self->checksum), self->digest))
    return TRUE;

  nebula_blob_set_damaged (self->digest, error);

  return FALSE;
}

static gssize
nebula_blob_stream_read (
    GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  NebulaBlobStream *self = NEBULA_BLOB_STREAM (stream);
  GInputStream *base = g_filter_input_stream_get_base_stream (G_FILTER_INPUT_STREAM (stream));
  gssize n_read = g_input_stream_read (base, buffer, count, cancellable, error);

  if (n_read == 0 && count > 0)
    return check_end (self, error) ? 0 : -1;
  if (n_read > 0) {
    g_checksum_update (self->checksum, buffer, n_read);
    self->n_read += (guint64) n_read;
  }

  return n_read;
}

/* What is skipped counts as read: the digest is of all bytes. */
static gssize
nebula_blob_stream_skip (GInputStream *stream, gsize count, GCancellable *cancellable, GError **error)
{
  guint8 buffer[4096];

  return nebula_blob_stream_read (stream, buffer, MIN (count, sizeof buffer), cancellable, error);
}

static void
nebula_blob_stream_finalize (GObject *object)
{
  NebulaBlobStream *self = NEBULA_BLOB_STREAM (object);

  g_checksum_free (self->checksum);
  g_free (self->digest);

  G_OBJECT_CLASS (nebula_blob_stream_parent_class)->finalize (object);
}

static void
nebula_blob_stream_class_init (NebulaBlobStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_blob_stream_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = nebula_blob_stream_read;
  G_INPUT_STREAM_CLASS (klass)->skip = nebula_blob_stream_skip;
}

static void
nebula_blob_stream_init (NebulaBlobStream *self)
{
  self->checksum = g_checksum_new (G_CHECKSUM_SHA256);
}

GInputStream *
nebula_blob_stream_new (GInputStream *base, const char *digest, guint64 size)
{
  NebulaBlobStream *self = g_object_new (NEBULA_TYPE_BLOB_STREAM, "base-stream", base, NULL);

  self->digest = g_strdup (digest);
  self->size = size;
  g_object_unref (base);

  return G_INPUT_STREAM (self);
}
