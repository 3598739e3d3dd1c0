/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An arena is a chain of blocks, the newest first. A piece is cut off the newest one; what does not fit gets a new block,
 * twice as large as the one before, from 1 KiB to 256 KiB. What is larger than a block gets one of its own, which goes
 * behind the newest, so that the room in that one is not lost.
 */
#include "nebula-arena.h"

#include <string.h>

#define BLOCK_LEAST    1024
#define BLOCK_GREATEST (256 * 1024)
#define ALIGNMENT      16

typedef struct _Block Block;

struct _Block {
  Block *next;
  gsize size; /* of what follows this head */
};

#define HEAD_SIZE ((sizeof (Block) + ALIGNMENT - 1) & ~(gsize) (ALIGNMENT - 1))

struct _NebulaArena {
  gint refs;
  Block *blocks;
  gsize at; /* in the newest block */
  gsize limit_bytes;
  gsize used_bytes;
  gsize reserved_bytes;
  guint64 count;
  gboolean is_full;
};

G_DEFINE_BOXED_TYPE (NebulaArena, nebula_arena, nebula_arena_ref, nebula_arena_unref)

/**
 * nebula_arena_new:
 * @limit_bytes: how much may be taken out of it; 0: any
 *
 * Makes an empty arena; it takes no memory before the first piece.
 *
 * Returns: (transfer full): an arena
 *
 * Since: 1.0
 */
NebulaArena *
nebula_arena_new (gsize limit_bytes)
{
  NebulaArena *self = g_new0 (NebulaArena, 1);

  self->refs = 1;
  self->limit_bytes = limit_bytes;
  return self;
}

static void
end_with_scope (gpointer data)
{
  NebulaArena *self = data;

  nebula_arena_reset (self);
  nebula_arena_unref (self);
}

/**
 * nebula_arena_new_for_scope:
 * @scope: a scope that has not ended
 * @limit_bytes: how much may be taken out of it; 0: any
 *
 * Makes an arena whose memory is freed when the scope ends, whoever still holds the arena itself.
 *
 * Returns: (transfer full): an arena
 *
 * Since: 1.0
 */
NebulaArena *
nebula_arena_new_for_scope (NebulaScope *scope, gsize limit_bytes)
{
  NebulaArena *self = NULL;

  g_return_val_if_fail (NEBULA_IS_SCOPE (scope), NULL);

  self = nebula_arena_new (limit_bytes);
  nebula_scope_bind (scope, nebula_arena_ref (self), end_with_scope);
  return self;
}

/**
 * nebula_arena_ref:
 * @self: an arena
 *
 * Counts one more holder.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaArena *
nebula_arena_ref (NebulaArena *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_int_inc (&self->refs);
  return self;
}

/**
 * nebula_arena_unref:
 * @self: an arena
 *
 * Counts one holder less; with the last all pieces are freed.
 *
 * Since: 1.0
 */
void
nebula_arena_unref (NebulaArena *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  nebula_arena_reset (self);
  g_free (self);
}

static Block *
add_block (NebulaArena *self, gsize size)
{
  Block *block = g_try_malloc (HEAD_SIZE + size);

  if (!block)
    return NULL;
  block->next = NULL;
  block->size = size;
  self->reserved_bytes += HEAD_SIZE + size;
  return block;
}

/* A piece that the newest block has no room for. */
static gpointer
alloc_elsewhere (NebulaArena *self, gsize size)
{
  gsize wanted = self->blocks ? MIN (self->blocks->size * 2, BLOCK_GREATEST) : BLOCK_LEAST;
  Block *block = NULL;

  if (size > wanted / 2 && self->blocks) {
    block = add_block (self, size);
    if (!block)
      return NULL;
    block->next = self->blocks->next;
    self->blocks->next = block;
    return (guint8 *) block + HEAD_SIZE;
  }
  block = add_block (self, MAX (wanted, size));
  if (!block)
    return NULL;
  block->next = self->blocks;
  self->blocks = block;
  self->at = size;
  return (guint8 *) block + HEAD_SIZE;
}

/**
 * nebula_arena_alloc: (skip)
 * @self: an arena
 * @size: bytes
 *
 * Cuts off a piece, aligned for anything, with undefined contents.
 *
 * Returns: (nullable): the piece, which lives as long as the arena; %NULL if the arena's limit or the machine's memory
 *   does not allow it
 *
 * Since: 1.0
 */
gpointer
nebula_arena_alloc (NebulaArena *self, gsize size)
{
  gsize rounded = 0;
  gpointer piece = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  rounded = (MAX (size, 1) + ALIGNMENT - 1) & ~(gsize) (ALIGNMENT - 1);
  if (rounded < size || (self->limit_bytes > 0 && rounded > self->limit_bytes - self->used_bytes)) {
    self->is_full = TRUE;
    return NULL;
  }
  if (self->blocks && self->blocks->size - self->at >= rounded) {
    piece = (guint8 *) self->blocks + HEAD_SIZE + self->at;
    self->at += rounded;
  } else {
    piece = alloc_elsewhere (self, rounded);
  }
  if (!piece) {
    self->is_full = TRUE;
    return NULL;
  }
  self->used_bytes += rounded;
  self->count++;
  return piece;
}

/**
 * nebula_arena_alloc0: (skip)
 * @self: an arena
 * @size: bytes
 *
 * Cuts off a piece full of zeros; else as nebula_arena_alloc().
 *
 * Returns: (nullable): the piece
 *
 * Since: 1.0
 */
gpointer
nebula_arena_alloc0 (NebulaArena *self, gsize size)
{
  gpointer piece = nebula_arena_alloc (self, size);

  return piece ? memset (piece, 0, size) : NULL;
}

/**
 * nebula_arena_copy: (skip)
 * @self: an arena
 * @data: (nullable): what to copy
 * @size: bytes of it
 *
 * Copies bytes into the arena, with a 0 behind them, so that a text becomes one of C.
 *
 * Returns: (nullable): the copy; %NULL as with nebula_arena_alloc()
 *
 * Since: 1.0
 */
gpointer
nebula_arena_copy (NebulaArena *self, gconstpointer data, gsize size)
{
  guint8 *piece = NULL;

  g_return_val_if_fail (data != NULL || size == 0, NULL);

  piece = nebula_arena_alloc (self, size < G_MAXSIZE ? size + 1 : size);
  if (!piece)
    return NULL;
  for (gsize i = 0; i < size; i++)
    piece[i] = ((const guint8 *) data)[i];
  piece[size] = 0;
  return piece;
}

/**
 * nebula_arena_reset:
 * @self: an arena
 *
 * Frees all pieces; the arena can be used again.
 *
 * Since: 1.0
 */
void
nebula_arena_reset (NebulaArena *self)
{
  g_return_if_fail (self != NULL);

  while (self->blocks) {
    Block *block = self->blocks;

    self->blocks = block->next;
    g_free (block);
  }
  self->at = self->used_bytes = self->reserved_bytes = 0;
  self->count = 0;
  self->is_full = FALSE;
}

/**
 * nebula_arena_get_used_bytes:
 * @self: an arena
 *
 * Tells how much all pieces take together.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
gsize
nebula_arena_get_used_bytes (NebulaArena *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->used_bytes;
}

/**
 * nebula_arena_get_reserved_bytes:
 * @self: an arena
 *
 * Tells how much memory the arena holds for its pieces.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
gsize
nebula_arena_get_reserved_bytes (NebulaArena *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->reserved_bytes;
}

/**
 * nebula_arena_get_count:
 * @self: an arena
 *
 * Tells how many pieces there are.
 *
 * Returns: pieces since the last reset
 *
 * Since: 1.0
 */
guint64
nebula_arena_get_count (NebulaArena *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->count;
}

/**
 * nebula_arena_is_full:
 * @self: an arena
 *
 * Tells whether a piece was refused since the last reset.
 *
 * Returns: %TRUE if one was
 *
 * Since: 1.0
 */
gboolean
nebula_arena_is_full (NebulaArena *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->is_full;
}
