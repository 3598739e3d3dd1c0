/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Token buckets by key. A bucket that is full again is forgotten; of too many keys the fullest go. */

#include "api-private.h"

#define KEYS_MOST 10000

struct _ApiRate {
  double per_second;
  double burst;
  GHashTable *buckets; /* key → Bucket */
};

typedef struct {
  double level; /* what is left */
  gint64 at_usec;
} Bucket;

ApiRate *
api_rate_new (double per_second, double burst)
{
  ApiRate *self = g_new0 (ApiRate, 1);

  self->per_second = per_second;
  self->burst = burst;
  self->buckets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
api_rate_free (ApiRate *self)
{
  g_hash_table_unref (self->buckets);
  g_free (self);
}

static void
fill (ApiRate *self, Bucket *bucket, gint64 now_usec)
{
  double seconds = (double) (now_usec - bucket->at_usec) / G_USEC_PER_SEC;

  bucket->level = MIN (self->burst, bucket->level + seconds * self->per_second);
  bucket->at_usec = now_usec;
}

typedef struct {
  ApiRate *rate;
  gint64 now_usec;
} Sweep;

static gboolean
is_full (gpointer key, gpointer value, gpointer user_data)
{
  Sweep *sweep = user_data;
  Bucket *bucket = value;

  fill (sweep->rate, bucket, sweep->now_usec);
  return bucket->level >= sweep->rate->burst;
}

gint64
api_rate_take_usec (ApiRate *self, const char *key, double cost, gint64 now_usec)
{
  Bucket *bucket = g_hash_table_lookup (self->buckets, key);
  Sweep sweep = {self, now_usec};

  if (!bucket) {
    if (g_hash_table_size (self->buckets) >= KEYS_MOST)
      g_hash_table_foreach_remove (self->buckets, is_full, &sweep);
    if (g_hash_table_size (self->buckets) >= KEYS_MOST)
      g_hash_table_remove_all (self->buckets);
    bucket = g_new (Bucket, 1);
    *bucket = (Bucket){self->burst, now_usec};
    g_hash_table_insert (self->buckets, g_strdup (key), bucket);
  }
  fill (self, bucket, now_usec);
  if (bucket->level < MAX (cost, 1))
    return (gint64) ((MAX (cost, 1) - bucket->level) / self->per_second * G_USEC_PER_SEC) + 1;
  bucket->level -= cost;
  return 0;
}
