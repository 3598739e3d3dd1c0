/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is too large for facts and state goes into blobs of the same unit, and a reference stands in its place.
 *
 *   results, outputs, signals, chunks of results     as a whole
 *   what the start captures, errors, values by port  member by member, so that the kernel finds its way in them
 *   items of a for-each                              as a list, so that a round reads its own item only
 *
 * A reference to a blob that an action has made is noted for the unit: what the history names is not collected.
 */

#include "nebula-kernel-private.h"
#include "nebula-limits.h"
#include "nebula-list-blob-internal.h"
#include "nebula-msgpack.h"
#include "nebula-results-private.h"

#define MEMBER_BYTES 4096 /* of an object that is too large: members above this go */

static gboolean
is_large (NebulaValue *value)
{
  return nebula_value_get_size_bytes (value) > NEBULA_LIMIT_INLINE_BYTES;
}

void
_nebula_kernel_init_spill (NebulaKernel *self)
{
  self->blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_blob_free);
  self->blob_uses = g_ptr_array_new_with_free_func (g_free);
  self->may_block = TRUE;
  if (self->host.cache)
    nebula_blob_cache_ref (self->host.cache);
}

static void
release_held (NebulaKernel *self)
{
  for (guint i = 0; i < self->blobs->len; i++)
    nebula_blob_cache_release (self->host.cache, self->blobs->pdata[i]);
}

void
_nebula_kernel_clear_spill (NebulaKernel *self)
{
  release_held (self);
  g_ptr_array_unref (self->blobs);
  g_ptr_array_unref (self->blob_uses);
  g_clear_pointer (&self->known_uses, g_hash_table_unref);
  g_clear_pointer (&self->host.cache, nebula_blob_cache_unref);
}

void
nebula_kernel_set_spills (NebulaKernel *self, gboolean spills)
{
  self->spills = spills && self->host.cache != NULL;
}

void
nebula_kernel_set_may_block (NebulaKernel *self, gboolean may_block)
{
  self->may_block = may_block;
}

GPtrArray *
nebula_kernel_take_blobs (NebulaKernel *self)
{
  GPtrArray *blobs = self->blobs;

  if (blobs->len == 0)
    return NULL;
  self->blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_blob_free);
  self->n_blob_bytes = 0;
  return blobs;
}

GPtrArray *
nebula_kernel_take_blob_uses (NebulaKernel *self)
{
  GPtrArray *uses = self->blob_uses;

  if (uses->len == 0)
    return NULL;
  self->blob_uses = g_ptr_array_new_with_free_func (g_free);
  return uses;
}

/* The bytes become a blob of the unit; until it is committed they are held in memory. */
static void
add_blob (NebulaKernel *self, GBytes *bytes, char *ret_digest)
{
  NebulaBlob *blob = nebula_blob_new (bytes);

  g_strlcpy (ret_digest, blob->digest, NEBULA_BLOB_DIGEST_LENGTH + 1);
  nebula_blob_cache_hold (self->host.cache, blob);
  g_ptr_array_add (self->blobs, blob);
  self->n_blob_bytes += g_bytes_get_size (bytes);
}

static guint64
get_length (NebulaValue *value)
{
  switch ((guint) nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
    return nebula_value_get_length (value);
  case NEBULA_VALUE_KIND_STRING:
    return nebula_value_get_string_length (value);
  default:
    return 0;
  }
}

static NebulaValue *
store_value (NebulaKernel *self, NebulaValue *value)
{
  g_autoptr (GBytes) bytes = nebula_value_to_msgpack (value);
  NebulaStored stored = {.form = NEBULA_STORED_VALUE};

  add_blob (self, bytes, stored.digest);
  stored.kind = nebula_value_get_kind (value);
  stored.length = get_length (value);
  stored.size = g_bytes_get_size (bytes);
  return nebula_value_new_stored (&stored);
}

static NebulaValue *
spill_whole (NebulaKernel *self, NebulaValue *value)
{
  NebulaValue *reference = nebula_blob_cache_find (self->host.cache, value);

  if (reference)
    return reference;
  reference = store_value (self, value);
  nebula_blob_cache_put (self->host.cache, reference, value, FALSE);
  return reference;
}

static NebulaValue *
spill_members (NebulaKernel *self, NebulaValue *value)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_ref (value);
  builder = nebula_value_builder_new_object ();
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *member = nebula_value_get_member_at (value, i);
    gsize length = 0;
    const char *key = nebula_value_get_key (value, i, &length);
    gboolean goes = nebula_value_get_size_bytes (member) > MEMBER_BYTES;

    nebula_value_builder_set_length_take (builder, key, length,
                                          goes ? spill_whole (self, member)
                                               : nebula_value_ref (member));
  }
  return nebula_value_builder_end (builder);
}

/* The index of chunks becomes the blob of a list. */
static NebulaValue *
make_list (NebulaKernel *self, const GArray *chunks)
{
  g_autoptr (GBytes) bytes = nebula_list_blob_format (chunks);
  NebulaStored stored = {.form = NEBULA_STORED_LIST, .kind = NEBULA_VALUE_KIND_ARRAY};

  add_blob (self, bytes, stored.digest);
  stored.length = nebula_list_blob_get_length (bytes);
  stored.size = g_bytes_get_size (bytes);
  for (guint i = 0; i < chunks->len; i++)
    stored.size += g_array_index (chunks, NebulaListChunk, i).size;
  return nebula_value_new_stored (&stored);
}

static void
append_chunk (GArray *chunks, NebulaValue *reference)
{
  NebulaListChunk chunk = {.first = 0};
  NebulaStored stored;

  if (!nebula_value_get_stored (reference, &stored) || stored.length == 0)
    return;
  g_strlcpy (chunk.digest, stored.digest, sizeof chunk.digest);
  chunk.count = stored.length;
  chunk.size = stored.size;
  g_array_append_val (chunks, chunk);
}

static NebulaValue *
spill_items (NebulaKernel *self, NebulaValue *items)
{
  g_autoptr (GArray) chunks = g_array_new (FALSE, FALSE, sizeof (NebulaListChunk));
  NebulaValue *known = nebula_blob_cache_find (self->host.cache, items);
  gsize length = nebula_value_get_length (items);
  gsize end;

  if (known && _nebula_items_get_length (known) >= 0)
    return known;
  g_clear_pointer (&known, nebula_value_unref);
  for (gsize start = 0; start < length; start = end) {
    g_autoptr (NebulaValue) part = NULL;
    g_autoptr (NebulaValue) reference = NULL;
    gsize size = 0;

    for (end = start; end < length && end - start < NEBULA_LIST_CHUNK_ITEMS &&
                      size < NEBULA_LIST_CHUNK_BYTES;
         end++)
      size += nebula_value_get_size_bytes (nebula_value_get_item (items, end));
    part = nebula_value_slice (items, start, end);
    reference = store_value (self, part);
    append_chunk (chunks, reference);
  }
  return make_list (self, chunks);
}

static void
note_use (NebulaKernel *self, NebulaValue *value)
{
  g_autofree char *digest = nebula_value_dup_blob_digest (value);

  if (!self->known_uses)
    self->known_uses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!digest || g_hash_table_contains (self->known_uses, digest))
    return;
  g_ptr_array_add (self->blob_uses, g_strdup (digest));
  g_hash_table_add (self->known_uses, g_steal_pointer (&digest));
}

static void
note_uses (NebulaKernel *self, NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (!nebula_value_has_reference (value) || nebula_value_is_stored (value))
    return;
  if (kind == NEBULA_VALUE_KIND_REFERENCE)
    note_use (self, value);
  for (gsize i = 0; kind == NEBULA_VALUE_KIND_ARRAY && i < nebula_value_get_length (value); i++)
    note_uses (self, nebula_value_get_item (value, i));
  for (gsize i = 0; kind == NEBULA_VALUE_KIND_OBJECT && i < nebula_value_get_length (value); i++)
    note_uses (self, nebula_value_get_member_at (value, i));
}

static gboolean
is_error (const NebulaFact *fact)
{
  switch ((guint) fact->kind) {
  case NEBULA_FACT_ATTEMPT_FAILED:
  case NEBULA_FACT_NODE_FAILED:
    return TRUE;
  case NEBULA_FACT_LANE_CLOSED:
    return fact->code == 1;
  case NEBULA_FACT_CANCEL_ASKED:
  case NEBULA_FACT_ENDED:
    return fact->code != NEBULA_EXECUTION_STATUS_COMPLETED;
  default:
    return FALSE;
  }
}

NebulaValue *
_nebula_kernel_spill (NebulaKernel *self, const NebulaFact *fact)
{
  NebulaValue *value = fact->value;
  gboolean is_items = (fact->kind == NEBULA_FACT_LOOP_OPENED ||
                       fact->kind == NEBULA_FACT_ITEMS_ADDED) &&
                      nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY;

  if (nebula_value_has_reference (value))
    note_uses (self, value);
  if (is_items && (is_large (value) ||
                   nebula_value_get_length (value) > NEBULA_LOOP_LIST_ROUNDS))
    return spill_items (self, value);
  if (!is_large (value))
    return nebula_value_ref (value);
  if (fact->kind == NEBULA_FACT_STARTED || fact->kind == NEBULA_FACT_UNDO_KEPT ||
      fact->kind == NEBULA_FACT_GIVEN ||
      fact->kind == NEBULA_FACT_NODE_WAITING ||
      is_error (fact) ||
      (fact->kind == NEBULA_FACT_NODE_ENDED && fact->code == 1))
    return spill_members (self, value);
  return spill_whole (self, value);
}

/* Puts off the end of a round that completes a chunk: its results are encoded. */
gboolean
_nebula_kernel_stores_elsewhere (NebulaKernel *self, NebulaWork *work, guint32 index)
{
  NebulaLoop *loop = work->loop;

  if (self->inline_fuel == 0 || !self->spills || !loop->results ||
      loop->count <= NEBULA_LOOP_LIST_ROUNDS ||
      !_nebula_results_is_almost_whole (loop->results, index))
    return FALSE;
  self->is_put_off = TRUE;
  return TRUE;
}

/* Puts off what has to encode the last results of a long loop. */
gboolean
_nebula_kernel_collects_elsewhere (NebulaKernel *self, NebulaLoop *loop)
{
  if (self->inline_fuel == 0 || !self->spills || !_nebula_results_has_stored (loop->results))
    return FALSE;
  self->is_put_off = TRUE;
  return TRUE;
}

/* The rounds of a long loop: as soon as a chunk of them has ended, what it gave leaves memory. */
void
_nebula_kernel_store_results (NebulaKernel *self, NebulaWork *work, guint32 index)
{
  NebulaLoop *loop = work->loop;
  g_autoptr (NebulaValue) results = NULL;
  g_autoptr (NebulaValue) stored = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_RESULTS_STORED, .lane = work->lane->number, .node = work->node};

  if (!self->spills || !loop->results || loop->count <= NEBULA_LOOP_LIST_ROUNDS ||
      !_nebula_results_is_whole (loop->results, index))
    return;
  results = _nebula_results_collect (loop->results, index / NEBULA_LIST_CHUNK_ITEMS);
  stored = store_value (self, results);
  fact.number = index;
  fact.value = stored;
  _nebula_kernel_record (self, &fact);
}

NebulaValue *
_nebula_kernel_collect_results (NebulaKernel *self, NebulaLoop *loop)
{
  g_autoptr (GArray) chunks = NULL;

  if (!self->spills || !_nebula_results_has_stored (loop->results))
    return _nebula_results_to_array (loop->results);
  chunks = g_array_new (FALSE, FALSE, sizeof (NebulaListChunk));
  for (guint i = 0; i < loop->results->len; i++) {
    NebulaResultChunk *chunk = loop->results->pdata[i];
    g_autoptr (NebulaValue) results = NULL;
    g_autoptr (NebulaValue) reference = NULL;

    if (!chunk)
      continue;
    if (chunk->stored)
      reference = nebula_value_ref (chunk->stored);
    else if (chunk->results) {
      results = _nebula_results_collect (loop->results, i);
      reference = store_value (self, results);
    }
    if (reference)
      append_chunk (chunks, reference);
  }
  return make_list (self, chunks);
}
