/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records of keys that expired: a key that comes again replaces its own; those that never do are collected here. */

#include "nebula-idempotency-internal.h"

#define PAGE 256

/* What runs is left alone, however old: nobody knows yet how it ends. */
static gboolean
is_over (NebulaIdempotencyRecord *record, gint64 now_usec)
{
  return record->expires_usec <= now_usec && (record->execution || record->value || record->failure);
}

/* How many of these go; -1 with error. Each only as it was read. */
static gint64
prune_page (NebulaStore *store, char **keys, gint64 now_usec, GError **error)
{
  g_autoptr (NebulaUnit) unit = nebula_unit_new ("idempotency", 0);
  NebulaOutcome outcome = NEBULA_OUTCOME_UNKNOWN;
  gint64 n_pruned = 0;

  for (guint i = 0; keys[i]; i++) {
    g_autoptr (NebulaIdempotencyRecord) record = NULL;

    if (!_nebula_idempotency_record_read (store, keys[i], &record, error))
      return -1;
    if (!record || !is_over (record, now_usec))
      continue;
    nebula_unit_add_document (unit, NEBULA_IDEMPOTENCY_COLLECTION, keys[i], NULL, record->revision);
    n_pruned++;
  }
  if (n_pruned > 0 && !nebula_store_commit (store, &unit, 1, TRUE, &outcome, error))
    return -1;
  /* Refused: one of them changed in between, and all wait for the next time. */
  return n_pruned > 0 && outcome != NEBULA_OUTCOME_COMMITTED ? 0 : n_pruned;
}

/**
 * nebula_idempotency_prune:
 * @store: a store
 * @now_usec: the time by which keys have expired, microseconds since 1970
 * @error: why it failed
 *
 * Removes the records of keys that have expired and whose call has an outcome. Reads all keys, a page at a time; others may
 * write meanwhile.
 *
 * Errors: those of the store.
 *
 * Thread: any; blocks.
 *
 * Returns: how many went; -1 with @error
 *
 * Since: 1.0
 */
gint64
nebula_idempotency_prune (NebulaStore *store, gint64 now_usec, GError **error)
{
  g_autofree char *after = NULL;
  gint64 n_all = 0;
  guint n_keys = 0;

  g_return_val_if_fail (NEBULA_IS_STORE (store), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  do {
    g_auto (GStrv) keys = nebula_store_list_documents (store, NEBULA_IDEMPOTENCY_COLLECTION, after, PAGE, error);
    gint64 n_page = keys ? prune_page (store, keys, now_usec, error) : -1;

    if (n_page < 0)
      return -1;
    n_all += n_page;
    n_keys = g_strv_length (keys);
    if (n_keys > 0) {
      g_free (after);
      after = g_strdup (keys[n_keys - 1]);
    }
  } while (n_keys == PAGE);
  return n_all;
}
