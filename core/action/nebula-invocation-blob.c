/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an action does with data that is larger than memory. */

#include <glib/gi18n-lib.h>

#include "nebula-action-private.h"
#include "nebula-error.h"

static NebulaStore *
dup_store (NebulaInvocation *self, GError **error)
{
  NebulaStore *store = _nebula_invocation_dup_store (self);

  if (store == NULL)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                         _("There is no store for blobs here. Run the workflow in an engine, or use smaller values"));
  return store;
}

/**
 * nebula_invocation_create_blob:
 * @self: an invocation
 * @error: where to put an error
 *
 * Begins a blob: what is too large for a value. Write to it, finish it, and return the reference.
 *
 * Errors: %NEBULA_ERROR_UNSUPPORTED (terminal): there is no store, or one without blobs; those of the store.
 *
 * Thread: any; writing blocks.
 *
 * Returns: (transfer full): a writer
 *
 * Since: 1.0
 */
NebulaBlobWriter *
nebula_invocation_create_blob (NebulaInvocation *self, GError **error)
{
  g_autoptr (NebulaStore) store = NULL;

  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  store = dup_store (self, error);
  return store != NULL ? nebula_store_create_blob (store, error) : NULL;
}

/**
 * nebula_invocation_open_blob:
 * @self: an invocation
 * @reference: a reference to a blob; see nebula_value_is_blob()
 * @error: where to put an error
 *
 * Opens a blob for reading. Only the end of the stream proves that it was whole: what was read before it may be damaged.
 *
 * Errors: %NEBULA_ERROR_TYPE (terminal): @reference is none; %NEBULA_ERROR_NOT_FOUND (terminal): the store does not have
 * it; %NEBULA_ERROR_STORE_CORRUPT (terminal), also from the stream; %NEBULA_ERROR_UNSUPPORTED (terminal): there is no store.
 *
 * Thread: any; reading blocks.
 *
 * Returns: (transfer full): a stream
 *
 * Since: 1.0
 */
GInputStream *
nebula_invocation_open_blob (NebulaInvocation *self, NebulaValue *reference, GError **error)
{
  g_autoptr (NebulaStore) store = NULL;
  g_autofree char *digest = NULL;
  g_autoptr (GError) local_error = NULL;
  GInputStream *stream;

  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);
  g_return_val_if_fail (reference != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  store = dup_store (self, error);
  if (store == NULL)
    return NULL;
  digest = nebula_value_dup_blob_digest (reference);
  if (digest == NULL) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                         _("This is no reference to a blob. Pass on the one that an action gave, unchanged"));
    return NULL;
  }
  stream = nebula_store_open_blob (store, digest, NULL, &local_error);
  if (stream == NULL && local_error == NULL)
    g_set_error (&local_error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _("The store does not have the blob %.12s…. It was collected, or it is of another store"), digest);
  if (local_error != NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return stream;
}
