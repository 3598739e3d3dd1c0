/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-results-private.h"

static void
chunk_clear_results (NebulaResultChunk *self)
{
  for (guint i = 0; self->results && i < NEBULA_LIST_CHUNK_ITEMS; i++)
    g_clear_pointer (&self->results[i], nebula_value_unref);
  g_clear_pointer (&self->results, g_free);
}

static void
chunk_free (gpointer data)
{
  NebulaResultChunk *self = data;

  if (!self)
    return;
  chunk_clear_results (self);
  g_clear_pointer (&self->stored, nebula_value_unref);
  g_free (self);
}

GPtrArray *
_nebula_results_new (void)
{
  return g_ptr_array_new_with_free_func (chunk_free);
}

NebulaResultChunk *
_nebula_results_ensure (GPtrArray *self, guint32 number)
{
  while (self->len <= number)
    g_ptr_array_add (self, NULL);
  if (!self->pdata[number])
    self->pdata[number] = g_new0 (NebulaResultChunk, 1);
  return self->pdata[number];
}

void
_nebula_results_put (NebulaResultChunk *chunk, guint32 place, NebulaValue *value)
{
  if (!chunk->results)
    chunk->results = g_new0 (NebulaValue *, NEBULA_LIST_CHUNK_ITEMS);
  g_clear_pointer (&chunk->results[place], nebula_value_unref);
  chunk->results[place] = value;
}

gboolean
_nebula_results_accepts (NebulaValue *stored)
{
  NebulaStored about;

  return nebula_value_get_stored (stored, &about) && about.form == NEBULA_STORED_VALUE &&
         about.kind == NEBULA_VALUE_KIND_ARRAY;
}

void
_nebula_results_end (GPtrArray *self, guint32 index, NebulaValue *value)
{
  NebulaResultChunk *chunk = _nebula_results_ensure (self, index / NEBULA_LIST_CHUNK_ITEMS);

  chunk->n_ended++;
  if (value && !chunk->stored)
    _nebula_results_put (chunk, index % NEBULA_LIST_CHUNK_ITEMS, nebula_value_ref (value));
}

gboolean
_nebula_results_is_whole (GPtrArray *self, guint32 index)
{
  guint32 number = index / NEBULA_LIST_CHUNK_ITEMS;
  NebulaResultChunk *chunk = number < self->len ? self->pdata[number] : NULL;

  return chunk && !chunk->stored && chunk->results &&
         chunk->n_ended >= NEBULA_LIST_CHUNK_ITEMS;
}

static void
add_results (NebulaResultChunk *chunk, NebulaValueBuilder *builder)
{
  for (guint i = 0; chunk && chunk->results && i < NEBULA_LIST_CHUNK_ITEMS; i++) {
    if (chunk->results[i])
      nebula_value_builder_add (builder, chunk->results[i]);
  }
}

NebulaValue *
_nebula_results_collect (GPtrArray *self, guint32 number)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  add_results (self->pdata[number], builder);
  return nebula_value_builder_end (builder);
}

NebulaValue *
_nebula_results_to_array (GPtrArray *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; i < self->len; i++)
    add_results (self->pdata[i], builder);
  return nebula_value_builder_end (builder);
}

void
_nebula_results_store (GPtrArray *self, guint32 index, NebulaValue *stored)
{
  NebulaResultChunk *chunk = _nebula_results_ensure (self, index / NEBULA_LIST_CHUNK_ITEMS);

  chunk_clear_results (chunk);
  g_clear_pointer (&chunk->stored, nebula_value_unref);
  chunk->stored = nebula_value_ref (stored);
}

gboolean
_nebula_results_has_stored (GPtrArray *self)
{
  for (guint i = 0; i < self->len; i++) {
    NebulaResultChunk *chunk = self->pdata[i];

    if (chunk && chunk->stored)
      return TRUE;
  }
  return FALSE;
}

void
_nebula_results_digest (GPtrArray *self, GChecksum *checksum)
{
  for (guint i = 0; i < self->len; i++) {
    NebulaResultChunk *chunk = self->pdata[i];
    const char *text =
        chunk && chunk->stored ? nebula_value_get_string (chunk->stored) : "-";
    guint32 n_ended = GUINT32_TO_LE (chunk ? chunk->n_ended : 0);

    g_checksum_update (checksum, (const guchar *) &n_ended, sizeof n_ended);
    g_checksum_update (checksum, (const guchar *) text, -1);
  }
}

gint64
_nebula_items_get_length (NebulaValue *items)
{
  NebulaStored stored;

  if (nebula_value_get_kind (items) == NEBULA_VALUE_KIND_ARRAY)
    return (gint64) nebula_value_get_length (items);
  if (nebula_value_get_stored (items, &stored) && stored.form == NEBULA_STORED_LIST)
    return (gint64) stored.length;
  return -1;
}

NebulaValue *
_nebula_items_get_round (NebulaValue *items, guint32 index, guint32 batch)
{
  NebulaStored stored;
  guint64 at = (guint64) index * batch;

  if (!nebula_value_get_stored (items, &stored))
    return batch == 1
               ? nebula_value_ref (nebula_value_get_item (items, index))
               : nebula_value_slice (items, at,
                                     MIN (at + batch, nebula_value_get_length (items)));
  stored.form = batch == 1 ? NEBULA_STORED_ITEM : NEBULA_STORED_PART;
  stored.at = at;
  stored.count = batch == 1 ? 0 : MIN (batch, stored.length - at);
  return nebula_value_new_stored (&stored);
}
