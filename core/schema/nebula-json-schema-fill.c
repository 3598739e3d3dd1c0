/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defaults: members that are left out and whose schema has a `default` are added, at any depth. */
#include <string.h>

#include "nebula-json-schema-private.h"
#include "nebula-limits.h"

/* Schemas that apply to the same value for certain: references and allOf. So many in one another. */
#define CHAIN 32

static NebulaValue *
fill (const NebulaSchemaNode *node, NebulaValue *value, guint depth, guint chain);

static const NebulaSchemaCheck *
find_plain_reference (const NebulaSchemaNode *node)
{
  const NebulaSchemaCheck *check = _nebula_schema_find_check (node, "$ref");

  return check;
}

static NebulaValue *
find_fallback (const NebulaSchemaNode *node, guint chain)
{
  const NebulaSchemaCheck *reference;

  if (node->fallback || chain == CHAIN)
    return node->fallback;
  reference = find_plain_reference (node);
  return reference ? find_fallback (reference->node, chain + 1) : NULL;
}

static NebulaValue *
fill_member (const NebulaSchemaCheck *properties,
             const char *key,
             gsize length,
             NebulaValue *value,
             guint depth)
{
  for (guint i = 0; i < properties->n_members; i++) {
    const NebulaSchemaMember *member = &properties->members[i];

    if (member->length == length && memcmp (member->key, key, length) == 0)
      return fill (member->node, value, depth + 1, 0);
  }
  return nebula_value_ref (value);
}

static NebulaValue *
fill_object (const NebulaSchemaCheck *properties, NebulaValue *value, guint depth)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);
    NebulaValue *member = nebula_value_get_member_at (value, i);

    nebula_value_builder_set_length_take (
        builder, key, length, fill_member (properties, key, length, member, depth));
  }
  for (guint i = 0; i < properties->n_members; i++) {
    const NebulaSchemaMember *member = &properties->members[i];
    NebulaValue *fallback = find_fallback (member->node, 0);

    if (fallback && !nebula_value_builder_has (builder, member->key, member->length))
      nebula_value_builder_set_length_take (builder, member->key, member->length,
                                            fill (member->node, fallback, depth + 1, 0));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
fill_items (const NebulaSchemaNode *items, NebulaValue *value, gsize first, guint depth)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);

    nebula_value_builder_add_take (builder, i < first ? nebula_value_ref (item)
                                                      : fill (items, item, depth + 1, 0));
  }
  return nebula_value_builder_end (builder);
}

/* By the keywords of @node itself. */
static NebulaValue *
fill_here (const NebulaSchemaNode *node, NebulaValue *value, guint depth)
{
  const NebulaSchemaCheck *properties = _nebula_schema_find_check (node, "properties");
  const NebulaSchemaCheck *items = _nebula_schema_find_check (node, "items");
  const NebulaSchemaCheck *prefix = _nebula_schema_find_check (node, "prefixItems");
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_OBJECT && properties)
    return fill_object (properties, value, depth);
  if (kind == NEBULA_VALUE_KIND_ARRAY && items && items->node)
    return fill_items (items->node, value, prefix ? prefix->n_members : 0, depth);
  return nebula_value_ref (value);
}

static NebulaValue *
fill (const NebulaSchemaNode *node, NebulaValue *value, guint depth, guint chain)
{
  const NebulaSchemaCheck *reference = find_plain_reference (node);
  const NebulaSchemaCheck *all = _nebula_schema_find_check (node, "allOf");
  g_autoptr (NebulaValue) filled = NULL;

  if (depth > NEBULA_LIMIT_DEPTH || chain == CHAIN)
    return nebula_value_ref (value);
  filled = fill_here (node, value, depth);
  if (reference) {
    g_autoptr (NebulaValue) before = g_steal_pointer (&filled);

    filled = fill (reference->node, before, depth, chain + 1);
  }
  for (guint i = 0; all && i < all->n_members; i++) {
    g_autoptr (NebulaValue) before = g_steal_pointer (&filled);

    filled = fill (all->members[i].node, before, depth, chain + 1);
  }
  return g_steal_pointer (&filled);
}

/**
 * nebula_json_schema_fill:
 * @self: a schema
 * @value: a value
 *
 * Adds the members that are left out and for which `properties` has a schema with a `default`: in the value, in its
 * members and items and in the defaults themselves, also through `$ref` and `allOf`. Alternatives and conditions add
 * nothing, because which of them holds depends on what was added. The result may still be invalid.
 *
 * Returns: (transfer full): the filled value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_json_schema_fill (NebulaJsonSchema *self, NebulaValue *value)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (value != NULL, NULL);

  return fill (self->root, value, 0, 0);
}
