/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-host-pool-internal.h"
#include "nebula-module-internal.h"
#include "nebula-registry.h"

G_BEGIN_DECLS

enum
{
  NEBULA_REGISTRY_FIELD_ID,
  NEBULA_REGISTRY_FIELD_TITLE,
  NEBULA_REGISTRY_FIELD_CATEGORY,
  NEBULA_REGISTRY_FIELD_DESCRIPTION,
  NEBULA_REGISTRY_N_FIELDS,
};

/* One version of one action. */
typedef struct
{
  const char *id;      /* of module or info */
  const char *version; /* of module or info */
  guint numbers[3];    /* of version */
  NebulaModuleInfo *module; /* NULL: from code */
  guint index;              /* in module */
  NebulaActionInfo *info;   /* NULL until it is asked for, if it comes from a module */
  GType type;               /* from code only */
  char *folded[NEBULA_REGISTRY_N_FIELDS]; /* for searches; NULL until the first */
} NebulaRegistryEntry;

NebulaActionInfo *_nebula_registry_entry_get_info (NebulaRegistryEntry *self, GError **error); /* borrowed */
void _nebula_registry_entry_free (NebulaRegistryEntry *entry);
gint _nebula_registry_compare_numbers (const guint first[3], const guint second[3]);
/* For arrays of NebulaRegistryEntry. */
gint _nebula_registry_compare_newest (gconstpointer first, gconstpointer second);
gint _nebula_registry_compare_ids (gconstpointer first, gconstpointer second);
gboolean _nebula_registry_parse_version (const char *text, guint numbers[3], guint *ret_count);

/* The functions of all modules that can be used; of two with one name the first is taken. NULL: there are none. */
NebulaFunctionSet *_nebula_registry_collect_functions (NebulaRegistry *registry, GPtrArray *modules);

/* Where modules run. */
typedef struct
{
  NebulaHostOptions options;
  GHashTable *granted; /* id → GPtrArray of capabilities */
  GHashTable *levels; /* id → NebulaIsolation, as a pointer */
  GMutex lock;       /* guards pools */
  GHashTable *pools; /* GMainContext (NULL: the default) → NebulaHostPool: engines of several threads share a registry */
} NebulaRegistryHosting;

void _nebula_registry_hosting_init (NebulaRegistryHosting *self);
void _nebula_registry_hosting_clear (NebulaRegistryHosting *self);
NebulaRegistryHosting *_nebula_registry_get_hosting (NebulaRegistry *self);
NebulaIsolation _nebula_registry_get_isolation (NebulaRegistry *self, NebulaModuleInfo *module);
/* What a module declares and is granted; full. */
GStrv _nebula_registry_dup_capabilities (NebulaRegistry *self, NebulaModuleInfo *module);
/* Of a file that was not probed yet. */
NebulaIsolation _nebula_registry_hosting_get_isolation (NebulaRegistryHosting *self, const char *path);
NebulaHostPool *_nebula_registry_get_pool (NebulaRegistry *self, const char *host);

/* All modules of the search path, sorted by id; refused and broken ones too. */
GPtrArray *_nebula_registry_scan (const char *const *search_path, const char *cache_file, const char *host, gint64 timeout_usec, NebulaRegistryHosting *hosting);

/* @entries: NebulaRegistryEntry; at most @limit infos, best first. */
GPtrArray *_nebula_registry_rank (GPtrArray *entries, const char *text, guint limit);

G_END_DECLS
