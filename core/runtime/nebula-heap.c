/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-heap-internal.h"

void
nebula_heap_init (NebulaHeap *self)
{
  self->entries = g_ptr_array_new ();
}

void
nebula_heap_clear (NebulaHeap *self)
{
  g_clear_pointer (&self->entries, g_ptr_array_unref);
}

static NebulaHeapEntry *
get_at (NebulaHeap *self, guint place)
{
  return self->entries->pdata[place - 1];
}

static void
put_at (NebulaHeap *self, guint place, NebulaHeapEntry *entry)
{
  self->entries->pdata[place - 1] = entry;
  entry->place = place;
}

static void
sift_up (NebulaHeap *self, NebulaHeapEntry *entry)
{
  guint place = entry->place;

  while (place > 1 && get_at (self, place / 2)->time > entry->time) {
    put_at (self, place, get_at (self, place / 2));
    place /= 2;
  }
  put_at (self, place, entry);
}

static void
sift_down (NebulaHeap *self, NebulaHeapEntry *entry)
{
  guint place = entry->place;
  guint length = self->entries->len;
  guint child;

  for (child = place * 2; child <= length; child = place * 2) {
    if (child < length && get_at (self, child + 1)->time < get_at (self, child)->time)
      child++;
    if (get_at (self, child)->time >= entry->time)
      break;
    put_at (self, place, get_at (self, child));
    place = child;
  }
  put_at (self, place, entry);
}

void
nebula_heap_set (NebulaHeap *self, NebulaHeapEntry *entry, gint64 time)
{
  if (entry->place == 0) {
    g_ptr_array_add (self->entries, entry);
    entry->place = self->entries->len;
  }
  entry->time = time;
  sift_up (self, entry);
  sift_down (self, entry);
}

void
nebula_heap_remove (NebulaHeap *self, NebulaHeapEntry *entry)
{
  NebulaHeapEntry *last;
  guint place = entry->place;

  if (place == 0)
    return;
  last = get_at (self, self->entries->len);
  g_ptr_array_set_size (self->entries, (gint) self->entries->len - 1);
  entry->place = 0;
  if (last == entry)
    return;
  put_at (self, place, last);
  sift_up (self, last);
  sift_down (self, last);
}

NebulaHeapEntry *
nebula_heap_peek (NebulaHeap *self)
{
  return self->entries->len > 0 ? get_at (self, 1) : NULL;
}

guint
nebula_heap_get_length (NebulaHeap *self)
{
  return self->entries->len;
}
