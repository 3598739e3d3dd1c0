/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-store.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_MEMORY_STORE (nebula_memory_store_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaMemoryStore, nebula_memory_store, NEBULA, MEMORY_STORE, GObject)

NEBULA_API NebulaStore *nebula_memory_store_new (void);

G_END_DECLS
