/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-patch.h"

/* Two values that stand in the same place. */
static NebulaValue *
choose (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags)
{
  return nebula_value_ref (flags & NEBULA_MERGE_FLAGS_KEEP ? self : other);
}

static NebulaValue *
merge_parts (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags);

static NebulaValue *
merge_objects (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gsize length;

  for (gsize i = 0; i < nebula_value_get_length (self); i++) {
    const char *key = nebula_value_get_key (self, i, &length);
    NebulaValue *mine = nebula_value_get_member_at (self, i);
    NebulaValue *theirs = nebula_value_get_member_length (other, key, length);

    nebula_value_builder_set_length_take (builder, key, length,
                                          theirs ? merge_parts (mine, theirs, flags)
                                                 : nebula_value_ref (mine));
  }
  for (gsize i = 0; i < nebula_value_get_length (other); i++) {
    const char *key = nebula_value_get_key (other, i, &length);

    if (!nebula_value_builder_has (builder, key, length))
      nebula_value_builder_set_length_take (
          builder, key, length, nebula_value_ref (nebula_value_get_member_at (other, i)));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
append_arrays (NebulaValue *self, NebulaValue *other, gboolean is_union)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (GHashTable) seen =
      g_hash_table_new ((GHashFunc) nebula_value_hash, (GEqualFunc) nebula_value_equal);

  for (guint a = 0; a < 2; a++) {
    NebulaValue *array = a == 0 ? self : other;

    for (gsize i = 0; i < nebula_value_get_length (array); i++) {
      NebulaValue *item = nebula_value_get_item (array, i);

      /* The first array keeps even what it holds twice. */
      if (!is_union || g_hash_table_add (seen, item) || a == 0)
        nebula_value_builder_add (builder, item);
    }
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
merge_by_index (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gsize n_mine = nebula_value_get_length (self),
        n_theirs = nebula_value_get_length (other);

  for (gsize i = 0; i < MAX (n_mine, n_theirs); i++) {
    if (i >= n_theirs)
      nebula_value_builder_add (builder, nebula_value_get_item (self, i));
    else if (i >= n_mine)
      nebula_value_builder_add (builder, nebula_value_get_item (other, i));
    else
      nebula_value_builder_add_take (
          builder, merge_parts (nebula_value_get_item (self, i),
                                nebula_value_get_item (other, i), flags));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
merge_arrays (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags)
{
  if (flags & NEBULA_MERGE_FLAGS_BY_INDEX)
    return merge_by_index (self, other, flags);
  if (flags & (NEBULA_MERGE_FLAGS_APPEND | NEBULA_MERGE_FLAGS_UNION))
    return append_arrays (self, other, (flags & NEBULA_MERGE_FLAGS_UNION) != 0);
  return choose (self, other, flags);
}

static gboolean
are (NebulaValue *self, NebulaValue *other, NebulaValueKind kind)
{
  return nebula_value_get_kind (self) == kind && nebula_value_get_kind (other) == kind;
}

/* Below the top: objects are merged only if that was asked for. */
static NebulaValue *
merge_parts (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags)
{
  if (are (self, other, NEBULA_VALUE_KIND_OBJECT) && (flags & NEBULA_MERGE_FLAGS_DEEP))
    return merge_objects (self, other, flags);
  if (are (self, other, NEBULA_VALUE_KIND_ARRAY))
    return merge_arrays (self, other, flags);
  return choose (self, other, flags);
}

/**
 * nebula_value_merge:
 * @self: a value
 * @other: a value that is laid over it
 * @flags: how
 *
 * Merges two values. Objects get the members of both, in the order of @self and then of @other; what else stands in the
 * same place in both is decided by @flags. Of values that are neither two objects nor two arrays the other one is taken.
 *
 * Returns: (transfer full): the merged value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_merge (NebulaValue *self, NebulaValue *other, NebulaMergeFlags flags)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (other != NULL, NULL);

  if (are (self, other, NEBULA_VALUE_KIND_OBJECT))
    return merge_objects (self, other, flags);
  return merge_parts (self, other, flags);
}

/* What a merge patch makes of nothing: itself without its nulls. */
static NebulaValue *
apply_to_nothing (NebulaValue *patch)
{
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();

  return nebula_value_apply_merge_patch (empty, patch);
}

/**
 * nebula_value_apply_merge_patch:
 * @self: a value
 * @patch: what it becomes; in objects null removes a member
 *
 * Applies a JSON Merge Patch (RFC 7386).
 *
 * Returns: (transfer full): the changed value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_apply_merge_patch (NebulaValue *self, NebulaValue *patch)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  gsize length;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (patch != NULL, NULL);

  if (nebula_value_get_kind (patch) != NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_ref (patch);
  if (nebula_value_get_kind (self) != NEBULA_VALUE_KIND_OBJECT)
    return apply_to_nothing (patch);
  builder = nebula_value_builder_new_object ();
  for (gsize i = 0; i < nebula_value_get_length (self); i++) {
    const char *key = nebula_value_get_key (self, i, &length);

    if (!nebula_value_get_member_length (patch, key, length))
      nebula_value_builder_set_length_take (
          builder, key, length, nebula_value_ref (nebula_value_get_member_at (self, i)));
    else if (!nebula_value_is_null (nebula_value_get_member_length (patch, key, length)))
      nebula_value_builder_set_length_take (
          builder, key, length,
          nebula_value_apply_merge_patch (
              nebula_value_get_member_at (self, i),
              nebula_value_get_member_length (patch, key, length)));
  }
  for (gsize i = 0; i < nebula_value_get_length (patch); i++) {
    const char *key = nebula_value_get_key (patch, i, &length);
    NebulaValue *part = nebula_value_get_member_at (patch, i);

    if (!nebula_value_is_null (part) && !nebula_value_builder_has (builder, key, length))
      nebula_value_builder_set_length_take (builder, key, length,
                                            apply_to_nothing (part));
  }
  return nebula_value_builder_end (builder);
}
