/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nebula-memory-blobs-private.h"

#include "nebula-sync-internal.h"

struct _NebulaMemoryBlobs
{
  GMutex lock;       /* guards all below */
  GHashTable *blobs; /* digest → Blob */
};

typedef struct
{
  GBytes *bytes;
  gint64 created_usec;
  gboolean is_used; /* by some stream; streams are never removed */
} Blob;

#define NEBULA_TYPE_MEMORY_BLOB_WRITER (nebula_memory_blob_writer_get_type ())
G_DECLARE_FINAL_TYPE (
    NebulaMemoryBlobWriter, nebula_memory_blob_writer, NEBULA, MEMORY_BLOB_WRITER, NebulaBlobWriter)

struct _NebulaMemoryBlobWriter
{
  NebulaBlobWriter parent_instance;

  NebulaMemoryBlobs *blobs;
  GByteArray *content;
};

G_DEFINE_FINAL_TYPE (NebulaMemoryBlobWriter, nebula_memory_blob_writer, NEBULA_TYPE_BLOB_WRITER)

static void
blob_free (gpointer data)
{
  Blob *self = data;

  g_bytes_unref (self->bytes);
  g_free (self);
}

NebulaMemoryBlobs *
_nebula_memory_blobs_new (void)
{
  NebulaMemoryBlobs *self = g_atomic_rc_box_new0 (NebulaMemoryBlobs);

  g_mutex_init (&self->lock);
  self->blobs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, blob_free);

  return self;
}

static void
blobs_clear (gpointer data)
{
  NebulaMemoryBlobs *self = data;

  g_hash_table_unref (self->blobs);
  g_mutex_clear (&self->lock);
}

void
_nebula_memory_blobs_unref (NebulaMemoryBlobs *self)
{
  g_atomic_rc_box_release_full (self, blobs_clear);
}

/* With the lock held. */
static void
put (NebulaMemoryBlobs *self, const char *digest, GBytes *bytes, gboolean is_used)
{
  Blob *blob = g_hash_table_lookup (self->blobs, digest);

  if (!blob) {
    blob = g_new0 (Blob, 1);
    blob->bytes = g_bytes_ref (bytes);
    g_hash_table_insert (self->blobs, g_strdup (digest), blob);
  }
  blob->created_usec = g_get_real_time ();
  blob->is_used |= is_used;
}

void
_nebula_memory_blobs_apply (NebulaMemoryBlobs *self, const NebulaUnit *unit)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  for (guint i = 0; unit->blobs && i < unit->blobs->len; i++) {
    NebulaBlob *blob = g_ptr_array_index (unit->blobs, i);

    put (self, blob->digest, blob->bytes, TRUE);
  }
  for (guint i = 0; unit->blob_uses && i < unit->blob_uses->len; i++) {
    Blob *blob = g_hash_table_lookup (self->blobs, g_ptr_array_index (unit->blob_uses, i));

    if (blob)
      blob->is_used = TRUE;
  }
}

GBytes *
_nebula_memory_blobs_read (NebulaMemoryBlobs *self, const char *digest)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Blob *blob = g_hash_table_lookup (self->blobs, digest);

  return blob ? g_bytes_ref (blob->bytes) : NULL;
}

static gboolean
is_collectable (gpointer key, gpointer value, gpointer user_data)
{
  const Blob *blob = value;

  return !blob->is_used && blob->created_usec < *(gint64 *) user_data;
}

gint64
_nebula_memory_blobs_collect (NebulaMemoryBlobs *self, gint64 before_usec)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  return g_hash_table_foreach_remove (self->blobs, is_collectable, &before_usec);
}

/* Writing. */

static gboolean
nebula_memory_blob_writer_append (NebulaBlobWriter *writer,
                                  const guint8 *data,
                                  gsize length,
                                  GError **error)
{
  NebulaMemoryBlobWriter *self = NEBULA_MEMORY_BLOB_WRITER (writer);

  g_byte_array_append (self->content, data, (guint) length);

  return TRUE;
}

static gboolean
nebula_memory_blob_writer_finish (NebulaBlobWriter *writer,
                                  const char *digest,
                                  guint64 size,
                                  GError **error)
{
  NebulaMemoryBlobWriter *self = NEBULA_MEMORY_BLOB_WRITER (writer);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (g_steal_pointer (&self->content));
  NEBULA_SYNC_AUTO (guard, &self->blobs->lock);

  put (self->blobs, digest, bytes, FALSE);

  return TRUE;
}

static void
nebula_memory_blob_writer_finalize (GObject *object)
{
  NebulaMemoryBlobWriter *self = NEBULA_MEMORY_BLOB_WRITER (object);

  g_clear_pointer (&self->content, g_byte_array_unref);
  g_clear_pointer (&self->blobs, _nebula_memory_blobs_unref);

  G_OBJECT_CLASS (nebula_memory_blob_writer_parent_class)->finalize (object);
}

static void
nebula_memory_blob_writer_class_init (NebulaMemoryBlobWriterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_memory_blob_writer_finalize;
  NEBULA_BLOB_WRITER_CLASS (klass)->take_chunk = nebula_memory_blob_writer_append;
  NEBULA_BLOB_WRITER_CLASS (klass)->seal = nebula_memory_blob_writer_finish;
}

static void
nebula_memory_blob_writer_init (NebulaMemoryBlobWriter *self)
{
  self->content = g_byte_array_new ();
}

NebulaBlobWriter *
_nebula_memory_blobs_create (NebulaMemoryBlobs *self)
{
  NebulaMemoryBlobWriter *writer = g_object_new (NEBULA_TYPE_MEMORY_BLOB_WRITER, NULL);

  writer->blobs = g_atomic_rc_box_acquire (self);

  return NEBULA_BLOB_WRITER (writer);
}
