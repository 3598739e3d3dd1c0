/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaPool:
 *
 * Pieces of one size that are used again: what is given back is kept, up to a number, for the next who asks.
 *
 * Thread: one at a time.
 */
typedef struct _NebulaPool NebulaPool;

/**
 * NebulaPoolStatistics: (skip)
 * @n_used: pieces that are out
 * @n_idle: pieces that wait for use
 * @n_made: pieces that were allocated, ever
 * @n_reused: times that an idle piece was given out
 *
 * What a pool has done.
 */
typedef struct
{
  guint64 n_used;
  guint64 n_idle;
  guint64 n_made;
  guint64 n_reused;
} NebulaPoolStatistics;

#define NEBULA_TYPE_POOL (nebula_pool_get_type ())
NEBULA_API GType nebula_pool_get_type (void);

NEBULA_API NebulaPool *nebula_pool_new (gsize size, guint max_idle);
NEBULA_API NebulaPool *nebula_pool_ref (NebulaPool *self);
NEBULA_API void nebula_pool_unref (NebulaPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaPool, nebula_pool_unref)

NEBULA_API gpointer nebula_pool_take (NebulaPool *self); /* full of zeros */
NEBULA_API void nebula_pool_give_back (NebulaPool *self, gpointer piece);
NEBULA_API void nebula_pool_get_statistics (NebulaPool *self, NebulaPoolStatistics *ret_statistics);

G_END_DECLS
