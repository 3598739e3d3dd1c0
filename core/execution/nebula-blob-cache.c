/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-blob-cache-internal.h"

#include "nebula-sync-internal.h"

typedef struct {
  NebulaValue *reference;
  NebulaValue *value;
  gsize size;
  gboolean is_piece;
  GList link;
} Entry;

/* Used last first. Pieces of lists have a queue of their own, so that a long loop does not drive all else out. */
typedef struct {
  GQueue entries;
  gsize n_bytes;
  gsize max_bytes;
} Shelf;

typedef struct {
  GBytes *bytes;
  guint n_holds;
} Held;

struct _NebulaBlobCache {
  GMutex lock;           /* guards all below */
  GHashTable *by_text;   /* text of the reference → Entry (owned) */
  GHashTable *by_value;  /* value → Entry */
  Shelf shelves[2];      /* of whole values, of pieces */
  GHashTable *held; /* digest → Held */
};

static void
entry_free (gpointer data)
{
  Entry *self = data;

  nebula_value_unref (self->reference);
  nebula_value_unref (self->value);
  g_free (self);
}

static void
held_free (gpointer data)
{
  Held *self = data;

  g_bytes_unref (self->bytes);
  g_free (self);
}

NebulaBlobCache *
nebula_blob_cache_new (gsize max_bytes)
{
  NebulaBlobCache *self = g_atomic_rc_box_new0 (NebulaBlobCache);

  g_mutex_init (&self->lock);
  self->by_text = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, entry_free);
  self->by_value = g_hash_table_new (NULL, NULL);
  self->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, held_free);
  self->shelves[0].max_bytes = max_bytes - max_bytes / 8;
  self->shelves[1].max_bytes = max_bytes / 8;
  return self;
}

NebulaBlobCache *
nebula_blob_cache_ref (NebulaBlobCache *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
cache_clear (gpointer data)
{
  NebulaBlobCache *self = data;

  g_hash_table_unref (self->by_value);
  g_hash_table_unref (self->by_text);
  g_hash_table_unref (self->held);
  g_mutex_clear (&self->lock);
}

void
nebula_blob_cache_unref (NebulaBlobCache *self)
{
  g_atomic_rc_box_release_full (self, cache_clear);
}

/* What a value takes in memory is up to three times what it counts. */
static gsize
get_weight (NebulaValue *value)
{
  gsize size = nebula_value_get_size_bytes (value);

  return size > G_MAXSIZE / 8 ? G_MAXSIZE / 2 : 3 * size + 256;
}

/* With the lock held. */
static void
drop (NebulaBlobCache *self, Entry *entry)
{
  Shelf *shelf = &self->shelves[entry->is_piece];

  g_queue_unlink (&shelf->entries, &entry->link);
  shelf->n_bytes -= entry->size;
  if (g_hash_table_lookup (self->by_value, entry->value) == entry)
    g_hash_table_remove (self->by_value, entry->value);
  g_hash_table_remove (self->by_text, nebula_value_get_string (entry->reference));
}

void
nebula_blob_cache_put (NebulaBlobCache *self,
                       NebulaValue *reference,
                       NebulaValue *value,
                       gboolean is_piece)
{
  Shelf *shelf = &self->shelves[is_piece];
  gsize size = get_weight (value);
  Entry *entry;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  entry = g_hash_table_lookup (self->by_text, nebula_value_get_string (reference));
  if (size > shelf->max_bytes || entry)
    return;
  while (shelf->n_bytes > shelf->max_bytes - size)
    drop (self, g_queue_peek_tail (&shelf->entries));
  entry = g_new0 (Entry, 1);
  entry->reference = nebula_value_ref (reference);
  entry->value = nebula_value_ref (value);
  entry->size = size;
  entry->is_piece = is_piece;
  entry->link.data = entry;
  g_queue_push_head_link (&shelf->entries, &entry->link);
  g_hash_table_insert (self->by_text, (char *) nebula_value_get_string (entry->reference),
                       entry);
  g_hash_table_insert (self->by_value, value, entry);
  shelf->n_bytes += size;
}

/* With the lock held. */
static void
touch (NebulaBlobCache *self, Entry *entry)
{
  GQueue *entries = &self->shelves[entry->is_piece].entries;

  g_queue_unlink (entries, &entry->link);
  g_queue_push_head_link (entries, &entry->link);
}

NebulaValue *
nebula_blob_cache_get (NebulaBlobCache *self, NebulaValue *reference)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Entry *entry =
      g_hash_table_lookup (self->by_text, nebula_value_get_string (reference));

  if (!entry)
    return NULL;
  touch (self, entry);
  return nebula_value_ref (entry->value);
}

NebulaValue *
nebula_blob_cache_find (NebulaBlobCache *self, NebulaValue *value)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Entry *entry = g_hash_table_lookup (self->by_value, value);

  return entry ? nebula_value_ref (entry->reference) : NULL;
}

gsize
nebula_blob_cache_get_n_bytes (NebulaBlobCache *self)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);

  return self->shelves[0].n_bytes + self->shelves[1].n_bytes;
}

void
nebula_blob_cache_hold (NebulaBlobCache *self, const NebulaBlob *blob)
{
  Held *held;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  held = g_hash_table_lookup (self->held, blob->digest);
  if (!held) {
    held = g_new0 (Held, 1);
    held->bytes = g_bytes_ref (blob->bytes);
    g_hash_table_insert (self->held, g_strdup (blob->digest), held);
  }
  held->n_holds++;
}

void
nebula_blob_cache_release (NebulaBlobCache *self, const NebulaBlob *blob)
{
  Held *held;
  NEBULA_SYNC_AUTO (guard, &self->lock);

  held = g_hash_table_lookup (self->held, blob->digest);
  if (held && --held->n_holds == 0)
    g_hash_table_remove (self->held, blob->digest);
}

GBytes *
nebula_blob_cache_get_held (NebulaBlobCache *self, const char *digest)
{
  NEBULA_SYNC_AUTO (guard, &self->lock);
  Held *held = g_hash_table_lookup (self->held, digest);

  return held ? g_bytes_ref (held->bytes) : NULL;
}
