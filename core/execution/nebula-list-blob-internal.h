/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-blob.h"

G_BEGIN_DECLS

/*
 * A list blob: an array in pieces, so that one item is read without the others. It is the index of its chunks:
 *
 *   list   = "NLB1" · number of chunks (4 bytes) · number of items (8 bytes) · chunk*
 *   chunk  = SHA-256 of its blob (32 bytes) · number of its first item (8 bytes) · bytes of its blob (8 bytes)
 *
 * All numbers are little endian; chunks are in order, none is empty. The blob of a chunk is the MessagePack of an array.
 */

#define NEBULA_LIST_CHUNK_ITEMS 256             /* items of a chunk at most */
#define NEBULA_LIST_CHUNK_BYTES (256 * 1024)    /* about; a single item may be larger */

typedef struct {
  char digest[NEBULA_BLOB_DIGEST_LENGTH + 1];
  guint64 first;
  guint64 count;
  guint64 size;
} NebulaListChunk;

/* @chunks: NebulaListChunk with digest, count and size. */
GBytes *nebula_list_blob_format (const GArray *chunks);
gboolean nebula_list_blob_check (GBytes *bytes, GError **error);

/* Of bytes that were checked. */
guint32 nebula_list_blob_get_n_chunks (GBytes *bytes);
guint64 nebula_list_blob_get_length (GBytes *bytes);
void nebula_list_blob_get_chunk (GBytes *bytes, guint32 number, NebulaListChunk *ret_chunk);
/* Number of the chunk that has an item; it must be one of the list's. */
guint32 nebula_list_blob_find (GBytes *bytes, guint64 item);

G_END_DECLS
