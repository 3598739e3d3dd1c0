/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-blob.h"
#include "nebula-stored-internal.h"

G_BEGIN_DECLS

/*
 * Stored values that are in memory all the same: those that were used last, up to a number of bytes, and the bytes of
 * blobs whose unit is not committed yet, which the store does not have. It also knows which reference stands for a
 * value, so that what is passed on from node to node is encoded once.
 *
 * Thread: any, locked.
 */

typedef struct _NebulaBlobCache NebulaBlobCache;

NebulaBlobCache *nebula_blob_cache_new (gsize max_bytes);
NebulaBlobCache *nebula_blob_cache_ref (NebulaBlobCache *self);
void nebula_blob_cache_unref (NebulaBlobCache *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaBlobCache, nebula_blob_cache_unref)

/* @is_piece: a part of a list, of which a loop needs one after the other. */
void nebula_blob_cache_put (NebulaBlobCache *self, NebulaValue *reference, NebulaValue *value, gboolean is_piece);
/* New references, or NULL. */
NebulaValue *nebula_blob_cache_get (NebulaBlobCache *self, NebulaValue *reference);
NebulaValue *nebula_blob_cache_find (NebulaBlobCache *self, NebulaValue *value);
gsize nebula_blob_cache_get_n_bytes (NebulaBlobCache *self);

/* Keeps the bytes until they were released as often. */
void nebula_blob_cache_hold (NebulaBlobCache *self, const NebulaBlob *blob);
void nebula_blob_cache_release (NebulaBlobCache *self, const NebulaBlob *blob);
GBytes *nebula_blob_cache_get_held (NebulaBlobCache *self, const char *digest);

G_END_DECLS
