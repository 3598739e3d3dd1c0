/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stored values are read where somebody looks at them: expressions, parameters, actions, reports, events. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-kernel-private.h"
#include "nebula-list-blob-internal.h"
#include "nebula-msgpack-internal.h"

#define NESTING_MAX 16 /* stored values within stored values */

typedef struct {
  NebulaKernel *kernel;
  GHashTable *seen; /* text → value: what stands in a value many times is read once */
  guint nesting;
} Loader;

static NebulaValue *load (Loader *self, NebulaValue *value, GError **error);

static NebulaValue *
set_damaged (const char *digest, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
               _ ("The stored value %.12s… is damaged: it does not hold what its reference says. "
                  "Restore the store from a backup."),
               digest);
  return NULL;
}

static GBytes *
read_bytes (Loader *self, const char *digest, GError **error)
{
  NebulaKernel *kernel = self->kernel;
  GBytes *bytes =
      kernel->host.cache ? nebula_blob_cache_get_held (kernel->host.cache, digest) : NULL;
  g_autoptr (GError) local_error = NULL;

  if (bytes)
    return bytes;
  if (kernel->host.read_blob)
    bytes = kernel->host.read_blob (digest, kernel->may_block, kernel->host.data,
                                    &local_error);
  if (!bytes && !local_error)
    g_set_error (&local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _ ("The stored value %.12s… is lost: the store does not have it. Restore "
                    "the store from a backup."),
                 digest);
  if (local_error)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return bytes;
}

static NebulaValue *
decode (Loader *self, const NebulaStored *stored, GBytes *bytes, GError **error)
{
  g_autoptr (NebulaValue) value = nebula_value_from_msgpack_own (bytes, NULL);
  gboolean is_container = stored->kind == NEBULA_VALUE_KIND_ARRAY ||
                          stored->kind == NEBULA_VALUE_KIND_OBJECT;

  if (!value || nebula_value_get_kind (value) != stored->kind ||
      (is_container && nebula_value_get_length (value) != stored->length))
    return set_damaged (stored->digest, error);
  return load (self, value, error);
}

static NebulaValue *
load_value (Loader *self, const NebulaStored *stored, GError **error)
{
  g_autoptr (GBytes) bytes = read_bytes (self, stored->digest, error);

  return bytes ? decode (self, stored, bytes, error) : NULL;
}

/* The index of a list: checked once, then kept like a value. */
static GBytes *
get_index (Loader *self, const NebulaStored *stored, GError **error)
{
  NebulaBlobCache *cache = self->kernel->host.cache;
  g_autofree char *name = g_strconcat ("index:", stored->digest, NULL);
  g_autoptr (NebulaValue) reference = nebula_value_new_reference (name);
  g_autoptr (NebulaValue) known = cache ? nebula_blob_cache_get (cache, reference) : NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (known)
    return nebula_value_ref_bytes (known);
  bytes = read_bytes (self, stored->digest, error);
  if (!bytes || !nebula_list_blob_check (bytes, error))
    return NULL;
  if (nebula_list_blob_get_length (bytes) != stored->length) {
    set_damaged (stored->digest, error);
    return NULL;
  }
  value = nebula_value_new_bytes (bytes);
  if (cache)
    nebula_blob_cache_put (cache, reference, value, TRUE);
  return g_steal_pointer (&bytes);
}

static NebulaValue *
load_chunk (Loader *self, const NebulaListChunk *chunk, gboolean is_kept, GError **error)
{
  NebulaBlobCache *cache = self->kernel->host.cache;
  NebulaStored stored = {.form = NEBULA_STORED_VALUE, .kind = NEBULA_VALUE_KIND_ARRAY};
  g_autoptr (NebulaValue) reference = NULL;
  NebulaValue *value = NULL;

  g_strlcpy (stored.digest, chunk->digest, sizeof stored.digest);
  stored.length = chunk->count;
  stored.size = chunk->size;
  reference = nebula_value_new_stored (&stored);
  if (cache)
    value = nebula_blob_cache_get (cache, reference);
  if (value)
    return value;
  value = load_value (self, &stored, error);
  if (value && cache && is_kept)
    nebula_blob_cache_put (cache, reference, value, TRUE);
  return value;
}

/* Items @at to @at + @count of a list. */
static NebulaValue *
load_items (Loader *self,
            const NebulaStored *stored,
            guint64 at,
            guint64 count,
            gboolean is_kept,
            GError **error)
{
  g_autoptr (GBytes) index = get_index (self, stored, error);
  g_autoptr (NebulaValueBuilder) builder = NULL;
  NebulaListChunk chunk;

  if (!index)
    return NULL;
  builder = nebula_value_builder_new_array ();
  for (guint64 end = at + count; at < end; at = chunk.first + chunk.count) {
    g_autoptr (NebulaValue) items = NULL;
    guint64 last;

    nebula_list_blob_get_chunk (index, nebula_list_blob_find (index, at), &chunk);
    items = load_chunk (self, &chunk, is_kept, error);
    if (!items)
      return NULL;
    last = MIN (end, chunk.first + chunk.count);
    for (guint64 i = at; i < last; i++)
      nebula_value_builder_add (builder, nebula_value_get_item (items, i - chunk.first));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
load_item (Loader *self, const NebulaStored *stored, GError **error)
{
  g_autoptr (GBytes) index = get_index (self, stored, error);
  g_autoptr (NebulaValue) items = NULL;
  NebulaListChunk chunk;

  if (!index)
    return NULL;
  nebula_list_blob_get_chunk (index, nebula_list_blob_find (index, stored->at), &chunk);
  items = load_chunk (self, &chunk, TRUE, error);
  return items ? nebula_value_ref (
                     nebula_value_get_item (items, stored->at - chunk.first))
               : NULL;
}

static NebulaValue *
load_form (Loader *self, const NebulaStored *stored, GError **error)
{
  switch (stored->form) {
  case NEBULA_STORED_LIST:
    return load_items (self, stored, 0, stored->length, FALSE, error);
  case NEBULA_STORED_PART:
    return load_items (self, stored, stored->at, stored->count, TRUE, error);
  case NEBULA_STORED_ITEM:
    return load_item (self, stored, error);
  case NEBULA_STORED_VALUE:
  default:
    return load_value (self, stored, error);
  }
}

static NebulaValue *
load_stored (Loader *self, NebulaValue *reference, GError **error)
{
  NebulaBlobCache *cache = self->kernel->host.cache;
  const char *text = nebula_value_get_string (reference);
  NebulaValue *value = g_hash_table_lookup (self->seen, text);
  NebulaStored stored = {.digest = ""};

  if (value)
    return nebula_value_ref (value);
  if (!nebula_value_get_stored (reference, &stored) || self->nesting >= NESTING_MAX)
    return set_damaged (stored.digest, error);
  value = cache ? nebula_blob_cache_get (cache, reference) : NULL;
  if (!value) {
    self->nesting++;
    value = load_form (self, &stored, error);
    self->nesting--;
    /* Items and parts are found in their chunks, which are kept. */
    if (value && cache && stored.form <= NEBULA_STORED_LIST)
      nebula_blob_cache_put (cache, reference, value, FALSE);
  }
  if (value)
    g_hash_table_insert (self->seen, g_strdup (text), nebula_value_ref (value));
  return value;
}

static NebulaValue *
load_container (Loader *self, NebulaValue *value, GError **error)
{
  gboolean is_object = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
  gsize length = nebula_value_get_length (value);
  g_autoptr (NebulaValueBuilder) builder =
      is_object ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();

  for (gsize i = 0; i < length; i++) {
    NebulaValue *part = is_object ? nebula_value_get_member_at (value, i)
                                  : nebula_value_get_item (value, i);
    NebulaValue *loaded = load (self, part, error);
    gsize key_length = 0;
    const char *key = is_object ? nebula_value_get_key (value, i, &key_length) : NULL;

    if (!loaded)
      return NULL;
    if (is_object)
      nebula_value_builder_set_length_take (builder, key, key_length, loaded);
    else
      nebula_value_builder_add_take (builder, loaded);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
load (Loader *self, NebulaValue *value, GError **error)
{
  if (!nebula_value_has_stored (value))
    return nebula_value_ref (value);
  if (nebula_value_is_stored (value))
    return load_stored (self, value, error);
  return load_container (self, value, error);
}

NebulaValue *
nebula_kernel_load (NebulaKernel *self, NebulaValue *value, GError **error)
{
  g_autoptr (GHashTable) seen = NULL;
  Loader loader = {.kernel = self};

  if (G_LIKELY (!nebula_value_has_stored (value)))
    return nebula_value_ref (value);
  seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                (GDestroyNotify) nebula_value_unref);
  loader.seen = seen;
  return load (&loader, value, error);
}

NebulaValue *
_nebula_kernel_load_take (NebulaKernel *self, NebulaValue *value, GError **error)
{
  g_autoptr (NebulaValue) owned = value;

  if (!value || G_LIKELY (!nebula_value_has_stored (value)))
    return g_steal_pointer (&owned);
  return nebula_kernel_load (self, value, error);
}

guint64
nebula_kernel_get_stored_bytes (NebulaValue *value)
{
  NebulaStored stored;
  guint64 size = 0;
  gboolean is_object;

  if (!nebula_value_has_stored (value))
    return 0;
  if (nebula_value_is_stored (value))
    return nebula_value_get_stored (value, &stored) ? stored.size : 0;
  is_object = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    size += nebula_kernel_get_stored_bytes (is_object
                                                ? nebula_value_get_member_at (value, i)
                                                : nebula_value_get_item (value, i));
  return size;
}

gboolean
_nebula_kernel_load_input (NebulaKernel *self, NebulaWork *work, GError **error)
{
  if (work->loaded || !nebula_value_has_stored (work->input))
    return TRUE;
  work->loaded = nebula_kernel_load (self, work->input, error);
  return work->loaded != NULL;
}

NebulaValue *
nebula_kernel_get_input (NebulaWork *work)
{
  return work->loaded ? work->loaded : work->input;
}
