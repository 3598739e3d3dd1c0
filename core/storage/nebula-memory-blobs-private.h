/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-store.h"

G_BEGIN_DECLS

/*
 * The blobs of a store in memory. Counted, because a writer may outlive its store.
 *
 * Thread: any, locked.
 */

typedef struct _NebulaMemoryBlobs NebulaMemoryBlobs;

NebulaMemoryBlobs *_nebula_memory_blobs_new (void);
void _nebula_memory_blobs_unref (NebulaMemoryBlobs *self);
/* What a unit that is being written says of blobs. */
void _nebula_memory_blobs_apply (NebulaMemoryBlobs *self, const NebulaUnit *unit);
GBytes *_nebula_memory_blobs_read (NebulaMemoryBlobs *self, const char *digest);
NebulaBlobWriter *_nebula_memory_blobs_create (NebulaMemoryBlobs *self);
gint64 _nebula_memory_blobs_collect (NebulaMemoryBlobs *self, gint64 before_usec);

G_END_DECLS
