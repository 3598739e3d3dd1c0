/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-store.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_SQLITE_STORE (nebula_sqlite_store_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaSqliteStore, nebula_sqlite_store, NEBULA, SQLITE_STORE, GObject)

/**
 * NebulaSqliteStoreFlags:
 * @NEBULA_SQLITE_STORE_FLAGS_NONE: opens for reading and writing, makes the file if there is none
 * @NEBULA_SQLITE_STORE_FLAGS_READ_ONLY: readers only; works while another process owns the store
 *
 * How a store file is opened.
 */
typedef enum /*< flags >*/
{
  NEBULA_SQLITE_STORE_FLAGS_NONE = 0,
  NEBULA_SQLITE_STORE_FLAGS_READ_ONLY = 1 << 0,
} NebulaSqliteStoreFlags;

/* Errors: store-busy (another engine holds it: its process id is in the message), store-version, store-corrupt, store. */
NEBULA_API NebulaStore *nebula_sqlite_store_open (const char *path, NebulaSqliteStoreFlags flags, GError **error);
NEBULA_API const char *nebula_sqlite_store_get_path (NebulaSqliteStore *self);
NEBULA_API gboolean nebula_sqlite_store_is_sealed (NebulaSqliteStore *self);
/* Full integrity check: SQLite's own and gap-free sequences; lists each problem (element-type utf8). */
NEBULA_API GStrv nebula_sqlite_store_verify (NebulaSqliteStore *self, GError **error);

G_END_DECLS
