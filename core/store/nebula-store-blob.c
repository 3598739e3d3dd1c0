/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What stores promise of blobs. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-store.h"

/**
 * nebula_unit_add_blob: (skip)
 * @self: a unit
 * @blob: (transfer full): a blob
 *
 * Lets @self keep a blob for its stream. One that the store has already is not written again.
 *
 * Since: 1.0
 */
void
nebula_unit_add_blob (NebulaUnit *self, NebulaBlob *blob)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (blob != NULL);

  if (!self->blobs)
    self->blobs = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_blob_free);
  g_ptr_array_add (self->blobs, blob);
}

/**
 * nebula_unit_add_blob_use: (skip)
 * @self: a unit
 * @digest: of a blob that somebody has written
 *
 * Lets @self keep a blob that is there already for its stream. If it is not, the unit is written all the same, and
 * whoever reads the blob is told.
 *
 * Since: 1.0
 */
void
nebula_unit_add_blob_use (NebulaUnit *self, const char *digest)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (nebula_blob_digest_is_valid (digest));

  if (!self->blob_uses)
    self->blob_uses = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->blob_uses, g_strdup (digest));
}

static gboolean
check_supported (gpointer vfunc, GError **error)
{
  if (vfunc)
    return TRUE;

  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                       _("This store keeps no blobs. Use another, or keep values below 64 KiB"));

  return FALSE;
}

/**
 * nebula_store_read_blob: (skip)
 * @self: a store
 * @digest: digest of a blob
 * @error: why it failed
 *
 * Reads a blob as a whole.
 *
 * Errors: %NEBULA_ERROR_STORE_CORRUPT (terminal): it is damaged; %NEBULA_ERROR_UNSUPPORTED (terminal); those of
 * nebula_store_read_header().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer full) (nullable): its bytes; %NULL without @error if there is none
 *
 * Since: 1.0
 */
GBytes *
nebula_store_read_blob (NebulaStore *self, const char *digest, GError **error)
{
  NebulaStoreInterface *iface = NULL;

  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (nebula_blob_digest_is_valid (digest), NULL);

  iface = NEBULA_STORE_GET_IFACE (self);
  if (!check_supported ((gpointer) iface->read_blob, error))
    return NULL;

  return iface->read_blob (self, digest, error);
}

/**
 * nebula_store_open_blob: (skip)
 * @self: a store
 * @digest: digest of a blob
 * @ret_size: (out) (optional): its size
 * @error: why it failed
 *
 * Opens a blob for reading in little memory. Instead of its end the stream gives %NEBULA_ERROR_STORE_CORRUPT if what it
 * gave was not the blob.
 *
 * Errors: as nebula_store_read_blob().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer full) (nullable): a stream; %NULL without @error if there is none
 *
 * Since: 1.0
 */
GInputStream *
nebula_store_open_blob (NebulaStore *self, const char *digest, guint64 *ret_size, GError **error)
{
  NebulaStoreInterface *iface = NULL;
  GInputStream *stream = NULL;
  guint64 size = 0;

  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (nebula_blob_digest_is_valid (digest), NULL);

  iface = NEBULA_STORE_GET_IFACE (self);
  if (!check_supported ((gpointer) iface->open_blob, error))
    return NULL;

  stream = iface->open_blob (self, digest, &size, error);
  if (stream && ret_size)
    *ret_size = size;

  return stream;
}

/**
 * nebula_store_create_blob: (skip)
 * @self: a store
 * @error: why it failed
 *
 * Begins a new blob.
 *
 * Errors: %NEBULA_ERROR_STORE_SEALED (terminal), %NEBULA_ERROR_UNSUPPORTED (terminal), %NEBULA_ERROR_STORE.
 *
 * Thread: any.
 *
 * Returns: (transfer full): a writer, for one thread at a time
 *
 * Since: 1.0
 */
NebulaBlobWriter *
nebula_store_create_blob (NebulaStore *self, GError **error)
{
  NebulaStoreInterface *iface = NULL;

  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);

  iface = NEBULA_STORE_GET_IFACE (self);
  if (!check_supported ((gpointer) iface->create_blob, error))
    return NULL;

  return iface->create_blob (self, error);
}

/**
 * nebula_store_collect_blobs: (skip)
 * @self: a store
 * @before_usec: real time; only what is older goes
 * @error: why it failed
 *
 * Removes the blobs that no stream uses, and what crashed writers left behind. The time must lie so far back that
 * whoever wrote a blob before it has committed its use, or never will.
 *
 * Errors: as nebula_store_commit().
 *
 * Thread: any, also while others commit; blocks.
 *
 * Returns: how many blobs it removed; -1 with @error
 *
 * Since: 1.0
 */
gint64
nebula_store_collect_blobs (NebulaStore *self, gint64 before_usec, GError **error)
{
  NebulaStoreInterface *iface = NULL;

  g_return_val_if_fail (NEBULA_IS_STORE (self), -1);

  iface = NEBULA_STORE_GET_IFACE (self);
  if (!check_supported ((gpointer) iface->collect_blobs, error))
    return -1;

  return iface->collect_blobs (self, before_usec, error);
}
