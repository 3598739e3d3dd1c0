/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-pool.h"

#include <string.h>

/* An idle piece begins with a pointer to the next one. */
typedef struct _Idle Idle;

struct _Idle {
  Idle *next;
};

struct _NebulaPool {
  gint refs;
  gsize size;
  guint max_idle;
  Idle *idle;
  NebulaPoolStatistics statistics;
};

G_DEFINE_BOXED_TYPE (NebulaPool, nebula_pool, nebula_pool_ref, nebula_pool_unref)

/**
 * nebula_pool_new:
 * @size: bytes of a piece
 * @max_idle: how many idle pieces are kept
 *
 * Makes an empty pool.
 *
 * Returns: (transfer full): a pool
 *
 * Since: 1.0
 */
NebulaPool *
nebula_pool_new (gsize size, guint max_idle)
{
  NebulaPool *self = g_new0 (NebulaPool, 1);

  self->refs = 1;
  self->size = MAX (size, sizeof (Idle));
  self->max_idle = max_idle;
  return self;
}

/**
 * nebula_pool_ref:
 * @self: a pool
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaPool *
nebula_pool_ref (NebulaPool *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_pool_unref:
 * @self: a pool
 *
 * Counts one holder less; with the last the idle pieces are freed. Pieces that are out must have come back by then.
 *
 * Since: 1.0
 */
void
nebula_pool_unref (NebulaPool *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_warn_if_fail (self->statistics.n_used == 0);
  while (self->idle) {
    Idle *piece = self->idle;

    self->idle = piece->next;
    g_free (piece);
  }
  g_free (self);
}

/**
 * nebula_pool_take: (skip)
 * @self: a pool
 *
 * Takes a piece out, an idle one if there is one.
 *
 * Returns: the piece, full of zeros; to be given back
 *
 * Since: 1.0
 */
gpointer
nebula_pool_take (NebulaPool *self)
{
  Idle *piece = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  self->statistics.n_used++;
  if (!self->idle) {
    self->statistics.n_made++;
    return g_malloc0 (self->size);
  }
  piece = self->idle;
  self->idle = piece->next;
  self->statistics.n_idle--;
  self->statistics.n_reused++;
  return memset (piece, 0, self->size);
}

/**
 * nebula_pool_give_back: (skip)
 * @self: a pool
 * @piece: (transfer full): a piece of this pool
 *
 * Gives a piece back; whoever kept a pointer to it must not use it.
 *
 * Since: 1.0
 */
void
nebula_pool_give_back (NebulaPool *self, gpointer piece)
{
  Idle *idle = piece;

  g_return_if_fail (self != NULL && piece != NULL);
  g_return_if_fail (self->statistics.n_used > 0);

  self->statistics.n_used--;
  if (self->statistics.n_idle >= self->max_idle) {
    g_free (piece);
    return;
  }
  idle->next = self->idle;
  self->idle = idle;
  self->statistics.n_idle++;
}

/**
 * nebula_pool_get_statistics: (skip)
 * @self: a pool
 * @ret_statistics: (out caller-allocates): what it has done
 *
 * Tells what a pool holds and has done.
 *
 * Since: 1.0
 */
void
nebula_pool_get_statistics (NebulaPool *self, NebulaPoolStatistics *ret_statistics)
{
  g_return_if_fail (self != NULL && ret_statistics != NULL);

  *ret_statistics = self->statistics;
}
