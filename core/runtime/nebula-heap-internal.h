/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * A binary heap of things with a time, smallest first. A thing knows its place, so that it can be moved or removed in
 * logarithmic time.
 *
 * Thread: one at a time.
 */

typedef struct {
  gint64 time;
  guint place; /* 1 … n; 0: not in the heap */
} NebulaHeapEntry;

typedef struct {
  GPtrArray *entries; /* NebulaHeapEntry *, borrowed */
} NebulaHeap;

void nebula_heap_init (NebulaHeap *self);
void nebula_heap_clear (NebulaHeap *self);
/* Puts an entry at a time, whether it is in the heap or not. */
void nebula_heap_set (NebulaHeap *self, NebulaHeapEntry *entry, gint64 time);
void nebula_heap_remove (NebulaHeap *self, NebulaHeapEntry *entry);
NebulaHeapEntry *nebula_heap_peek (NebulaHeap *self);
guint nebula_heap_get_length (NebulaHeap *self);

G_END_DECLS
