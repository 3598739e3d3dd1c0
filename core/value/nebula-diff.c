/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What leads from one value to another, as a JSON Patch. Objects are compared member by member. Of arrays the equal
 * beginning and end are passed over, items in between are compared pair by pair, and what is too many is removed from the
 * end or added there: linear in time, and short where little was changed at one place.
 */
#include <string.h>

#include "nebula-patch.h"

typedef struct {
  NebulaValueBuilder *patch;
  GString *pointer;
} Differ;

static void
add_operation (Differ *self, const char *op, NebulaValue *value)
{
  g_autoptr (NebulaValueBuilder) operation = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (operation, "op", op);
  nebula_value_builder_set_take (
      operation, "path",
      nebula_value_new_string_length (self->pointer->str, self->pointer->len));
  if (value)
    nebula_value_builder_set (operation, "value", value);
  nebula_value_builder_add_take (self->patch, nebula_value_builder_end (operation));
}

static void
append_key (GString *pointer, const char *key, gsize length)
{
  g_string_append_c (pointer, '/');
  for (gsize i = 0; i < length; i++) {
    if (key[i] == '~' || key[i] == '/')
      g_string_append (pointer, key[i] == '~' ? "~0" : "~1");
    else
      g_string_append_c (pointer, key[i]);
  }
}

static void diff (Differ *self, NebulaValue *from, NebulaValue *to);

static void
diff_member (Differ *self,
             const char *key,
             gsize length,
             NebulaValue *from,
             NebulaValue *to)
{
  gsize before = self->pointer->len;

  append_key (self->pointer, key, length);
  if (!to)
    add_operation (self, "remove", NULL);
  else if (!from)
    add_operation (self, "add", to);
  else
    diff (self, from, to);
  g_string_truncate (self->pointer, before);
}

static void
diff_objects (Differ *self, NebulaValue *from, NebulaValue *to)
{
  gsize length;
  const char *key;

  for (gsize i = 0; i < nebula_value_get_length (from); i++) {
    key = nebula_value_get_key (from, i, &length);
    diff_member (self, key, length, nebula_value_get_member_at (from, i),
                 nebula_value_get_member_length (to, key, length));
  }
  for (gsize i = 0; i < nebula_value_get_length (to); i++) {
    key = nebula_value_get_key (to, i, &length);
    if (!nebula_value_get_member_length (from, key, length))
      diff_member (self, key, length, NULL, nebula_value_get_member_at (to, i));
  }
}

static void
diff_item (Differ *self, gsize index, NebulaValue *from, NebulaValue *to)
{
  gsize before = self->pointer->len;

  g_string_append_printf (self->pointer, "/%" G_GSIZE_FORMAT, index);
  if (!to)
    add_operation (self, "remove", NULL);
  else if (!from)
    add_operation (self, "add", to);
  else
    diff (self, from, to);
  g_string_truncate (self->pointer, before);
}

static void
diff_arrays (Differ *self, NebulaValue *from, NebulaValue *to)
{
  gsize n_from = nebula_value_get_length (from), n_to = nebula_value_get_length (to);
  gsize first = 0, common;

  while (first < MIN (n_from, n_to) &&
         nebula_value_equal (nebula_value_get_item (from, first),
                             nebula_value_get_item (to, first)))
    first++;
  while (MIN (n_from, n_to) > first &&
         nebula_value_equal (nebula_value_get_item (from, n_from - 1),
                             nebula_value_get_item (to, n_to - 1))) {
    n_from--;
    n_to--;
  }
  common = MIN (n_from, n_to);
  for (gsize i = first; i < common; i++)
    diff_item (self, i, nebula_value_get_item (from, i), nebula_value_get_item (to, i));
  for (gsize i = n_from; i > common; i--)
    diff_item (self, i - 1, nebula_value_get_item (from, i - 1), NULL);
  for (gsize i = common; i < n_to; i++)
    diff_item (self, i, NULL, nebula_value_get_item (to, i));
}

static void
diff (Differ *self, NebulaValue *from, NebulaValue *to)
{
  NebulaValueKind kind = nebula_value_get_kind (from);

  if (nebula_value_equal (from, to))
    return;
  if (kind != nebula_value_get_kind (to) ||
      (kind != NEBULA_VALUE_KIND_OBJECT && kind != NEBULA_VALUE_KIND_ARRAY))
    add_operation (self, "replace", to);
  else if (kind == NEBULA_VALUE_KIND_OBJECT)
    diff_objects (self, from, to);
  else
    diff_arrays (self, from, to);
}

/**
 * nebula_value_diff:
 * @self: a value
 * @other: what it became
 *
 * Makes the JSON Patch (RFC 6902) that leads from @self to @other: nebula_value_apply_patch () with it gives a value
 * equal to @other. It holds add, remove and replace.
 *
 * Returns: (transfer full): an array of operations; empty if the values are equal
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_diff (NebulaValue *self, NebulaValue *other)
{
  g_autoptr (NebulaValueBuilder) patch = nebula_value_builder_new_array ();
  g_autoptr (GString) pointer = g_string_new (NULL);

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (other != NULL, NULL);

  diff (&(Differ){patch, pointer}, self, other);
  return nebula_value_builder_end (patch);
}

/**
 * nebula_value_diff_merge:
 * @self: a value
 * @other: what it became
 *
 * Makes the JSON Merge Patch (RFC 7386) that leads from @self to @other. Where @other holds null as a member there is no
 * such patch, because null removes; then the member is removed.
 *
 * Returns: (transfer full): the patch; an empty object if the values are equal objects
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_diff_merge (NebulaValue *self, NebulaValue *other)
{
  g_autoptr (NebulaValueBuilder) patch = NULL;
  gsize length;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (other != NULL, NULL);

  if (nebula_value_get_kind (self) != NEBULA_VALUE_KIND_OBJECT ||
      nebula_value_get_kind (other) != NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_ref (other);
  patch = nebula_value_builder_new_object ();
  for (gsize i = 0; i < nebula_value_get_length (self); i++) {
    const char *key = nebula_value_get_key (self, i, &length);

    if (!nebula_value_get_member_length (other, key, length))
      nebula_value_builder_set_length_take (patch, key, length, nebula_value_new_null ());
  }
  for (gsize i = 0; i < nebula_value_get_length (other); i++) {
    const char *key = nebula_value_get_key (other, i, &length);
    NebulaValue *before = nebula_value_get_member_length (self, key, length);
    NebulaValue *after = nebula_value_get_member_at (other, i);

    if (!before)
      nebula_value_builder_set_length_take (patch, key, length, nebula_value_ref (after));
    else if (!nebula_value_equal (before, after))
      nebula_value_builder_set_length_take (patch, key, length,
                                            nebula_value_diff_merge (before, after));
  }
  return nebula_value_builder_end (patch);
}
