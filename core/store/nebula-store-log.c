/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The order of commits: what was written after a position, whatever its stream. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-store.h"

/**
 * nebula_log_entry_new: (skip)
 * @position: its place in the order of commits
 * @stream: whose facts they are
 * @segment: (transfer full): the facts
 *
 * Makes an entry of a log.
 *
 * Returns: (transfer full): an entry
 *
 * Since: 1.0
 */
NebulaLogEntry *
nebula_log_entry_new (guint64 position, const char *stream, NebulaSegment *segment)
{
  NebulaLogEntry *self = g_new0 (NebulaLogEntry, 1);

  self->position = position;
  self->stream = g_strdup (stream);
  self->segment = segment;
  return self;
}

/**
 * nebula_log_entry_free: (skip)
 * @self: (nullable): an entry
 *
 * Frees an entry.
 *
 * Since: 1.0
 */
void
nebula_log_entry_free (NebulaLogEntry *self)
{
  if (!self)
    return;
  g_free (self->stream);
  g_clear_pointer (&self->segment, nebula_segment_free);
  g_free (self);
}

/**
 * nebula_store_has_log:
 * @self: a store
 *
 * Whether it can tell in which order all streams were written: see nebula_store_read_log().
 *
 * Returns: %TRUE if it can
 *
 * Since: 1.0
 */
gboolean
nebula_store_has_log (NebulaStore *self)
{
  g_return_val_if_fail (NEBULA_IS_STORE (self), FALSE);

  return NEBULA_STORE_GET_IFACE (self)->read_log != NULL;
}

/**
 * nebula_store_read_log: (skip)
 * @self: a store
 * @after: the position that was read last; 0: from the beginning
 * @stream: (nullable): only this stream's
 * @limit: how many at most
 * @error: why it failed
 *
 * Reads what was committed after a position, in the order of the commits.
 *
 * A position that was given once is never given to anything else, and nothing that is committed later gets a lower one.
 * What was pruned is left out.
 *
 * Errors: %NEBULA_ERROR_UNSUPPORTED (terminal): this store does not know the order; else as nebula_store_read_segments().
 *
 * Thread: any; blocks.
 *
 * Returns: (transfer container) (element-type NebulaLogEntry): entries; less than @limit: these are the last for now
 *
 * Since: 1.0
 */
GPtrArray *
nebula_store_read_log (NebulaStore *self,
                       guint64 after,
                       const char *stream,
                       guint limit,
                       GError **error)
{
  NebulaStoreInterface *iface;

  g_return_val_if_fail (NEBULA_IS_STORE (self), NULL);
  g_return_val_if_fail (limit > 0, NULL);

  iface = NEBULA_STORE_GET_IFACE (self);
  if (iface->read_log)
    return iface->read_log (self, after, stream, limit, error);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                       _ ("This kind of store cannot tell what was written after a position."));
  return NULL;
}
