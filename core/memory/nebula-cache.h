/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-clock.h"

G_BEGIN_DECLS

/**
 * NebulaCache:
 *
 * Things under texts, of which the ones that were used last are kept: up to a number, up to a weight, and up to an age.
 *
 * Thread: any, locked.
 */
typedef struct _NebulaCache NebulaCache;

/**
 * NebulaCacheLimits: (skip)
 * @max_entries: how many things; 0: any number
 * @max_bytes: what they may weigh together; 0: any weight
 * @ttl_usec: how old a thing may become; 0: any age
 *
 * What a cache keeps.
 */
typedef struct
{
  guint max_entries;
  gsize max_bytes;
  gint64 ttl_usec;
} NebulaCacheLimits;

/**
 * NebulaCacheStatistics: (skip)
 * @n_hits: look-ups that found something
 * @n_misses: look-ups that found nothing
 * @n_evicted: things that had to go for others
 * @n_expired: things that became too old
 * @n_entries: things that are there
 * @n_bytes: what they weigh
 *
 * What a cache has done.
 */
typedef struct
{
  guint64 n_hits;
  guint64 n_misses;
  guint64 n_evicted;
  guint64 n_expired;
  guint n_entries;
  gsize n_bytes;
} NebulaCacheStatistics;

#define NEBULA_TYPE_CACHE (nebula_cache_get_type ())
NEBULA_API GType nebula_cache_get_type (void);

/* @clock NULL: the system's. */
NEBULA_API NebulaCache *nebula_cache_new (const NebulaCacheLimits *limits, GBoxedCopyFunc ref, GBoxedFreeFunc unref, NebulaClock *clock);
NEBULA_API NebulaCache *nebula_cache_ref (NebulaCache *self);
NEBULA_API void nebula_cache_unref (NebulaCache *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaCache, nebula_cache_unref)

NEBULA_API gpointer nebula_cache_get (NebulaCache *self, const char *key); /* a new reference, or NULL */
NEBULA_API void nebula_cache_put (NebulaCache *self, const char *key, gpointer thing, gsize bytes);
NEBULA_API gboolean nebula_cache_remove (NebulaCache *self, const char *key);
NEBULA_API void nebula_cache_shrink (NebulaCache *self, guint max_entries);
NEBULA_API void nebula_cache_get_statistics (NebulaCache *self, NebulaCacheStatistics *ret_statistics);

/**
 * NebulaInterner:
 *
 * One copy of each text that comes again and again, counted by those who hold it. It keeps the texts that were used last, up
 * to a number, so that hostile input cannot make it grow.
 *
 * Thread: any, locked.
 */
typedef struct _NebulaInterner NebulaInterner;

#define NEBULA_TYPE_INTERNER (nebula_interner_get_type ())
NEBULA_API GType nebula_interner_get_type (void);

NEBULA_API NebulaInterner *nebula_interner_new (guint max_entries);
NEBULA_API NebulaInterner *nebula_interner_ref (NebulaInterner *self);
NEBULA_API void nebula_interner_unref (NebulaInterner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaInterner, nebula_interner_unref)

/* A GRefString, to be released with g_ref_string_release (). */
NEBULA_API char *nebula_interner_intern (NebulaInterner *self, const char *text);
NEBULA_API void nebula_interner_get_statistics (NebulaInterner *self, NebulaCacheStatistics *ret_statistics);

G_END_DECLS
