/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the store into memory. */

#include <glib/gi18n-lib.h>

#include "nebula-access-private.h"
#include "nebula-error.h"
#include "nebula-json.h"

#define PAGE 500

static NebulaValue *
read_one (NebulaStore *store, const char *collection, const char *key, GError **error)
{
  gint64 revision;
  g_autoptr (GBytes) bytes =
      nebula_store_read_document (store, collection, key, &revision, error);
  const char *text;
  gsize length;

  if (!bytes)
    return NULL;
  text = g_bytes_get_data (bytes, &length);
  return nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_NONE, error);
}

/* One that cannot be read shuts its owner out, and nobody else. */
static void
read_into (NebulaStore *store, const char *collection, const char *key, GHashTable *table)
{
  g_autoptr (GError) error = NULL;
  NebulaValue *document = read_one (store, collection, key, &error);

  if (document && nebula_value_get_kind (document) == NEBULA_VALUE_KIND_OBJECT) {
    g_hash_table_insert (table, g_strdup (key), document);
    return;
  }
  g_clear_pointer (&document, nebula_value_unref);
  g_debug ("The document %s/%s cannot be read: %s", collection, key,
           error ? error->message : "it is no object");
}

static gboolean
read_collection (NebulaStore *store,
                 const char *collection,
                 GHashTable *table,
                 GError **error)
{
  g_autofree char *after = NULL;

  for (;;) {
    g_auto (GStrv) keys =
        nebula_store_list_documents (store, collection, after, PAGE, error);
    guint n_keys;

    if (!keys)
      return FALSE;
    n_keys = g_strv_length (keys);
    for (guint i = 0; i < n_keys; i++)
      read_into (store, collection, keys[i], table);
    if (n_keys < PAGE)
      return TRUE;
    g_free (after);
    after = g_strdup (keys[n_keys - 1]);
  }
}

gboolean
_nebula_access_read (NebulaAccess *self, GError **error)
{
  NebulaStore *store = nebula_journal_get_store (self->journal);

  return read_collection (store, NEBULA_ACCESS_USERS, self->users, error) &&
         read_collection (store, NEBULA_ACCESS_TOKENS, self->tokens, error);
}
