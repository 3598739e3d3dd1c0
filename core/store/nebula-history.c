/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-store.h"

/**
 * nebula_history_new: (skip)
 *
 * Makes the history of a stream that there is not.
 *
 * Returns: (transfer full): a history
 *
 * Since: 1.0
 */
NebulaHistory *
nebula_history_new (void)
{
  NebulaHistory *self = g_new0 (NebulaHistory, 1);

  self->segments = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_segment_free);
  return self;
}

/**
 * nebula_history_free: (skip)
 * @self: (nullable): a history
 *
 * Frees a history.
 *
 * Since: 1.0
 */
void
nebula_history_free (NebulaHistory *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->header, nebula_header_free);
  g_clear_pointer (&self->checkpoint, g_bytes_unref);
  g_ptr_array_unref (self->segments);
  g_clear_error (&self->error);
  g_free (self);
}

static NebulaHistory *
read_one (NebulaStore *self, const char *stream)
{
  NebulaHistory *history = nebula_history_new ();
  GPtrArray *segments = NULL;

  history->header = nebula_store_read_header (self, stream, &history->error);
  if (!history->header)
    return history;
  if (history->header->checkpoint > 0)
    history->checkpoint =
        nebula_store_read_checkpoint (self, stream, &history->checkpoint_sequence, NULL);
  segments = nebula_store_read_segments (
      self, stream, history->checkpoint ? history->checkpoint_sequence : 0, 0,
      &history->error);
  if (segments) {
    g_ptr_array_unref (history->segments);
    history->segments = segments;
  } else
    g_clear_pointer (&history->header, nebula_header_free);
  return history;
}

/**
 * nebula_store_read_histories: (skip)
 * @self: a store
 * @streams: (array length=n_streams): ids of streams
 * @n_streams: how many there are
 * @error: where the failure goes
 *
 * Reads headers and facts of many streams together. Blocks, so it is not for the loop.
 *
 * Thread: any.
 *
 * Errors: those of the store as a whole; what is wrong with one stream is in its history.
 *
 * Returns: (transfer full) (element-type NebulaHistory): one for each stream, in their order
 *
 * Since: 1.0
 */
GPtrArray *
nebula_store_read_histories (NebulaStore *self,
                             const char *const *streams,
                             guint n_streams,
                             GError **error)
{
  g_autoptr (GPtrArray) histories = NULL;

  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (NEBULA_STORE_GET_IFACE (self)->read_histories)
    return NEBULA_STORE_GET_IFACE (self)->read_histories (self, streams, n_streams, error);
  histories = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_history_free);
  for (guint i = 0; i < n_streams; i++)
    g_ptr_array_add (histories, read_one (self, streams[i]));
  return g_steal_pointer (&histories);
}
