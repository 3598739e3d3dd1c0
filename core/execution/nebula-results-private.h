/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-list-blob-internal.h"
#include "nebula-stored-internal.h"

G_BEGIN_DECLS

/*
 * The results of the rounds of a for-each: chunks of NEBULA_LIST_CHUNK_ITEMS rounds, in order. A chunk whose rounds have
 * all ended may be replaced by a reference to what is in the store: so a long loop keeps little in memory.
 */

typedef struct {
  NebulaValue *stored;   /* an array in the store; NULL: the results are here */
  NebulaValue **results; /* by round; NULL: it gave none, or has not ended */
  guint32 n_ended;
} NebulaResultChunk;

/* NebulaResultChunk by number; NULL: none of its rounds has ended. */
GPtrArray *_nebula_results_new (void);
/* The round @index has ended; @value NULL: without a result. */
void _nebula_results_end (GPtrArray *self, guint32 index, NebulaValue *value);
/* Whether all rounds of the chunk that has @index have ended, and it is not stored. The last rounds of a loop may be no
 * whole chunk: they stay, since items may still be added. */
gboolean _nebula_results_is_whole (GPtrArray *self, guint32 index);
/* The results of a chunk that is here; may be empty. */
NebulaValue *_nebula_results_collect (GPtrArray *self, guint32 number);
void _nebula_results_store (GPtrArray *self, guint32 index, NebulaValue *stored);
gboolean _nebula_results_has_stored (GPtrArray *self);
/* All of them, when none is stored. */
NebulaValue *_nebula_results_to_array (GPtrArray *self);
/* For checkpoints: the chunk @number, made if need be; a result in it, taken over; whether @stored may stand for one. */
NebulaResultChunk *_nebula_results_ensure (GPtrArray *self, guint32 number);
void _nebula_results_put (NebulaResultChunk *chunk, guint32 place, NebulaValue *value);
gboolean _nebula_results_accepts (NebulaValue *stored);
void _nebula_results_digest (GPtrArray *self, GChecksum *checksum);

/* Length of items that are an array or a stored list; -1: they are neither. */
gint64 _nebula_items_get_length (NebulaValue *items);
/* The item, or with @batch above 1 the items, of one round. */
NebulaValue *_nebula_items_get_round (NebulaValue *items, guint32 index, guint32 batch);

G_END_DECLS
