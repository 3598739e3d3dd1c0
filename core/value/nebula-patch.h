/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaMergeFlags:
 * @NEBULA_MERGE_FLAGS_NONE: members of the other object take the place of equal ones; arrays are replaced whole
 * @NEBULA_MERGE_FLAGS_DEEP: objects in both are merged, at any depth
 * @NEBULA_MERGE_FLAGS_APPEND: the items of an array in both follow one another
 * @NEBULA_MERGE_FLAGS_UNION: as append, but items that are there already are left out
 * @NEBULA_MERGE_FLAGS_BY_INDEX: arrays in both are merged item by item
 * @NEBULA_MERGE_FLAGS_KEEP: where both have a value, the first one's stays
 *
 * How two values are merged.
 */
typedef enum /*< flags >*/
{
  NEBULA_MERGE_FLAGS_NONE = 0,
  NEBULA_MERGE_FLAGS_DEEP = 1 << 0,
  NEBULA_MERGE_FLAGS_APPEND = 1 << 1,
  NEBULA_MERGE_FLAGS_UNION = 1 << 2,
  NEBULA_MERGE_FLAGS_BY_INDEX = 1 << 3,
  NEBULA_MERGE_FLAGS_KEEP = 1 << 4,
} NebulaMergeFlags;

NEBULA_API NebulaValue *nebula_value_merge (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags);

/* JSON Patch (RFC 6902): all operations or none. */
NEBULA_API NebulaValue *nebula_value_apply_patch (NebulaValue *self, NebulaValue *patch, GError **error);
NEBULA_API NebulaValue *nebula_value_diff (NebulaValue *self, NebulaValue *other);

/* JSON Merge Patch (RFC 7386): null removes. */
NEBULA_API NebulaValue *nebula_value_apply_merge_patch (NebulaValue *self, NebulaValue *patch);
NEBULA_API NebulaValue *nebula_value_diff_merge (NebulaValue *self, NebulaValue *other);

G_END_DECLS
