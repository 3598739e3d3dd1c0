/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a store may be able to do with many executions at once. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-store.h"

/**
 * nebula_store_has_full_text:
 * @self: a store
 *
 * Whether executions can be found by words of their inputs, outputs and errors: see the text of #NebulaHeaderQuery.
 *
 * Returns: %TRUE if they can
 *
 * Since: 1.0
 */
gboolean
nebula_store_has_full_text (NebulaStore *self)
{
  NebulaStoreInterface *iface;

  g_return_val_if_fail (NEBULA_IS_STORE (self), FALSE);

  iface = NEBULA_STORE_GET_IFACE (self);
  return iface->has_full_text && iface->has_full_text (self);
}

/**
 * nebula_store_prune: (skip)
 * @self: a store
 * @rule: which executions may go
 * @limit: how many at most, so that others may write in between
 * @error: why it failed
 *
 * Removes executions that have ended, the oldest first, with all that belongs to them. They are gone for good.
 *
 * Errors: %NEBULA_ERROR_UNSUPPORTED (terminal): this store keeps all; else as nebula_store_commit().
 *
 * Thread: any; blocks.
 *
 * Returns: how many went, or would go for a trial; less than @limit: these were the last. -1 with @error
 *
 * Since: 1.0
 */
gint64
nebula_store_prune (NebulaStore *self, const NebulaRetention *rule, guint limit, GError **error)
{
  NebulaStoreInterface *iface;

  g_return_val_if_fail (NEBULA_IS_STORE (self), -1);
  g_return_val_if_fail (rule != NULL, -1);

  iface = NEBULA_STORE_GET_IFACE (self);
  if (iface->prune)
    return iface->prune (self, rule, limit, error);
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                       _ ("This kind of store keeps all executions."));
  return -1;
}
