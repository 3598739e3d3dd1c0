/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-cache.h"

#include <string.h>

#include "nebula-pool.h"
#include "nebula-sync-internal.h"

#define IDLE_ENTRIES 64

typedef struct {
  char *key;
  gpointer thing;
  gsize bytes;
  gint64 end_usec; /* 0: none */
  GList link;
} Entry;

struct _NebulaCache {
  gint refs;
  NebulaCacheLimits limits;
  GBoxedCopyFunc ref;
  GBoxedFreeFunc unref;
  NebulaClock *clock;
  GMutex lock; /* guards all below */
  GHashTable *by_key;
  GQueue entries; /* used last first */
  NebulaPool *pool;
  NebulaCacheStatistics statistics;
};

G_DEFINE_BOXED_TYPE (NebulaCache, nebula_cache, nebula_cache_ref, nebula_cache_unref)

/**
 * nebula_cache_new: (skip)
 * @limits: what it keeps
 * @ref: makes a reference to a thing
 * @unref: gives one up; both are called in any thread, under the cache's lock, and must not use the cache
 * @clock: (nullable): by which things age; %NULL: the system's
 *
 * Makes an empty cache.
 *
 * Returns: (transfer full): a cache
 *
 * Since: 1.0
 */
NebulaCache *
nebula_cache_new (const NebulaCacheLimits *limits, GBoxedCopyFunc ref, GBoxedFreeFunc unref, NebulaClock *clock)
{
  NebulaCache *self = NULL;

  g_return_val_if_fail (limits != NULL && ref != NULL && unref != NULL, NULL);

  self = g_new0 (NebulaCache, 1);
  self->refs = 1;
  self->limits = *limits;
  self->ref = ref;
  self->unref = unref;
  self->clock = g_object_ref (clock ? clock : nebula_clock_get_system ());
  g_mutex_init (&self->lock);
  self->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  self->pool = nebula_pool_new (sizeof (Entry), IDLE_ENTRIES);
  return self;
}

/**
 * nebula_cache_ref: (skip)
 * @self: a cache
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaCache *
nebula_cache_ref (NebulaCache *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/* With the lock held. */
static void
drop (NebulaCache *self, Entry *entry)
{
  g_hash_table_remove (self->by_key, entry->key);
  g_queue_unlink (&self->entries, &entry->link);
  self->statistics.n_entries--;
  self->statistics.n_bytes -= entry->bytes;
  self->unref (entry->thing);
  g_free (entry->key);
  nebula_pool_give_back (self->pool, entry);
}

/* With the lock held. */
static void
shrink (NebulaCache *self, guint max_entries, gsize max_bytes)
{
  while (self->entries.length > 0
         && (self->statistics.n_entries > max_entries || self->statistics.n_bytes > max_bytes)) {
    drop (self, self->entries.tail->data);
    self->statistics.n_evicted++;
  }
}

/**
 * nebula_cache_unref: (skip)
 * @self: a cache
 *
 * Counts one holder less; with the last all things are let go.
 *
 * Since: 1.0
 */
void
nebula_cache_unref (NebulaCache *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  shrink (self, 0, 0);
  g_hash_table_unref (self->by_key);
  nebula_pool_unref (self->pool);
  g_object_unref (self->clock);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* With the lock held; NULL if it is not there, or too old. */
static Entry *
find (NebulaCache *self, const char *key)
{
  Entry *entry = g_hash_table_lookup (self->by_key, key);

  if (!entry || entry->end_usec == 0 || nebula_clock_get_monotonic_usec (self->clock) < entry->end_usec)
    return entry;
  drop (self, entry);
  self->statistics.n_expired++;
  return NULL;
}

/**
 * nebula_cache_get: (skip)
 * @self: a cache
 * @key: a text
 *
 * Looks a thing up, which counts as a use.
 *
 * Returns: (transfer full) (nullable): a reference to it; %NULL if there is none
 *
 * Since: 1.0
 */
gpointer
nebula_cache_get (NebulaCache *self, const char *key)
{
  Entry *entry = NULL;

  g_return_val_if_fail (self != NULL && key != NULL, NULL);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  entry = find (self, key);
  if (!entry) {
    self->statistics.n_misses++;
    return NULL;
  }
  self->statistics.n_hits++;
  g_queue_unlink (&self->entries, &entry->link);
  g_queue_push_head_link (&self->entries, &entry->link);
  return self->ref (entry->thing);
}

/**
 * nebula_cache_put: (skip)
 * @self: a cache
 * @key: a text
 * @thing: what to keep under it, in the place of what may be there
 * @bytes: what it weighs
 *
 * Keeps a thing; others go if there is no room. One that is heavier than the whole cache is not kept.
 *
 * Since: 1.0
 */
void
nebula_cache_put (NebulaCache *self, const char *key, gpointer thing, gsize bytes)
{
  Entry *entry = NULL;

  g_return_if_fail (self != NULL && key != NULL && thing != NULL);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  entry = g_hash_table_lookup (self->by_key, key);
  if (entry)
    drop (self, entry);
  if (self->limits.max_bytes > 0 && bytes > self->limits.max_bytes)
    return;
  entry = nebula_pool_take (self->pool);
  entry->key = g_strdup (key);
  entry->thing = self->ref (thing);
  entry->bytes = bytes;
  entry->link.data = entry;
  if (self->limits.ttl_usec > 0)
    entry->end_usec = nebula_clock_get_monotonic_usec (self->clock) + self->limits.ttl_usec;
  g_queue_push_head_link (&self->entries, &entry->link);
  g_hash_table_insert (self->by_key, entry->key, entry);
  self->statistics.n_entries++;
  self->statistics.n_bytes += bytes;
  shrink (self, self->limits.max_entries > 0 ? self->limits.max_entries : G_MAXUINT,
          self->limits.max_bytes > 0 ? self->limits.max_bytes : G_MAXSIZE);
}

/**
 * nebula_cache_remove: (skip)
 * @self: a cache
 * @key: a text
 *
 * Lets a thing go.
 *
 * Returns: whether there was one
 *
 * Since: 1.0
 */
gboolean
nebula_cache_remove (NebulaCache *self, const char *key)
{
  Entry *entry = NULL;

  g_return_val_if_fail (self != NULL && key != NULL, FALSE);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  entry = find (self, key);
  if (!entry)
    return FALSE;
  drop (self, entry);
  return TRUE;
}

/**
 * nebula_cache_shrink: (skip)
 * @self: a cache
 * @max_entries: how many things may stay, this once
 *
 * Lets the things go that were not used for longest, as when memory is short.
 *
 * Since: 1.0
 */
void
nebula_cache_shrink (NebulaCache *self, guint max_entries)
{
  g_return_if_fail (self != NULL);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  shrink (self, max_entries, G_MAXSIZE);
}

/**
 * nebula_cache_get_statistics: (skip)
 * @self: a cache
 * @ret_statistics: (out caller-allocates): what it has done
 *
 * Tells what a cache holds and has done.
 *
 * Since: 1.0
 */
void
nebula_cache_get_statistics (NebulaCache *self, NebulaCacheStatistics *ret_statistics)
{
  g_return_if_fail (self != NULL && ret_statistics != NULL);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  *ret_statistics = self->statistics;
}

/* Texts. */

struct _NebulaInterner {
  gint refs;
  NebulaCache *cache;
};

G_DEFINE_BOXED_TYPE (NebulaInterner, nebula_interner, nebula_interner_ref, nebula_interner_unref)

static gpointer
acquire_text (gpointer text)
{
  return g_ref_string_acquire (text);
}

static void
release_text (gpointer text)
{
  g_ref_string_release (text);
}

/**
 * nebula_interner_new:
 * @max_entries: how many texts it keeps
 *
 * Makes an interner.
 *
 * Returns: (transfer full): an interner
 *
 * Since: 1.0
 */
NebulaInterner *
nebula_interner_new (guint max_entries)
{
  NebulaCacheLimits limits = { .max_entries = max_entries };
  NebulaInterner *self = NULL;

  g_return_val_if_fail (max_entries > 0, NULL);

  self = g_new0 (NebulaInterner, 1);
  self->refs = 1;
  self->cache = nebula_cache_new (&limits, acquire_text, release_text, NULL);
  return self;
}

/**
 * nebula_interner_ref:
 * @self: an interner
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaInterner *
nebula_interner_ref (NebulaInterner *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_interner_unref:
 * @self: an interner
 *
 * Counts one holder less; with the last the texts are let go, which live on where somebody holds them.
 *
 * Since: 1.0
 */
void
nebula_interner_unref (NebulaInterner *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  nebula_cache_unref (self->cache);
  g_free (self);
}

/**
 * nebula_interner_intern: (skip)
 * @self: an interner
 * @text: a text
 *
 * Gives the one copy of a text. Two texts that are equal are the same pointer as long as the interner keeps them.
 *
 * Returns: (transfer full): a counted text, for g_ref_string_release()
 *
 * Since: 1.0
 */
char *
nebula_interner_intern (NebulaInterner *self, const char *text)
{
  char *one = NULL;

  g_return_val_if_fail (self != NULL && text != NULL, NULL);

  one = nebula_cache_get (self->cache, text);
  if (one)
    return one;
  one = g_ref_string_new (text);
  nebula_cache_put (self->cache, text, one, strlen (text) + 1);
  return one;
}

/**
 * nebula_interner_get_statistics: (skip)
 * @self: an interner
 * @ret_statistics: (out caller-allocates): what it has done
 *
 * Tells what an interner holds and has done.
 *
 * Since: 1.0
 */
void
nebula_interner_get_statistics (NebulaInterner *self, NebulaCacheStatistics *ret_statistics)
{
  g_return_if_fail (self != NULL && ret_statistics != NULL);

  nebula_cache_get_statistics (self->cache, ret_statistics);
}
