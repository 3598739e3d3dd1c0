/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks a JMESPath query. Each node and each item is a step of the evaluation that asked. */

#include <glib/gi18n-lib.h>

#include "nebula-jmespath-private.h"

static gboolean
is_kind (NebulaValue *value, NebulaValueKind kind)
{
  return nebula_value_get_kind (value) == kind;
}

/* False are null, false and what is empty. */
gboolean
_nebula_jmespath_is_true (NebulaValue *value)
{
  switch (nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_NULL:
    return FALSE;
  case NEBULA_VALUE_KIND_BOOLEAN:
    return nebula_value_get_boolean (value);
  case NEBULA_VALUE_KIND_STRING:
    return nebula_value_get_string_length (value) > 0;
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
    return nebula_value_get_length (value) > 0;
  case NEBULA_VALUE_KIND_INTEGER:
  case NEBULA_VALUE_KIND_FLOAT:
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_BYTES:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
  case NEBULA_VALUE_KIND_REFERENCE:
  default:
    return TRUE;
  }
}

/* Ends a container within the limits; takes the builder's content. */
static NebulaValue *
end (NebulaVm *vm, NebulaValueBuilder *builder)
{
  NebulaValue *value = nebula_value_builder_end (builder);

  if (_nebula_vm_charge (vm, 48 + 8 * nebula_value_get_length (value)) &&
      nebula_value_get_depth (value) <= NEBULA_LIMIT_DEPTH)
    return value;
  _nebula_vm_fail (vm, NEBULA_ERROR_TOO_DEEP, NULL,
                   _ ("The value nests deeper than %d levels"), NEBULA_LIMIT_DEPTH);
  nebula_value_unref (value);
  return NULL;
}

/* Adds what the right side makes of an item, unless it is null. */
static gboolean
add_projected (NebulaVm *vm,
               const NebulaJmespathNode *node,
               NebulaValue *item,
               NebulaValueBuilder *builder)
{
  g_autoptr (NebulaValue) kept = NULL;
  NebulaValue *result;

  if (!_nebula_vm_burn (vm, 1))
    return FALSE;
  if (node->third != NULL) {
    kept = _nebula_jmespath_run (vm, node->third, item);
    if (kept == NULL)
      return FALSE;
    if (!_nebula_jmespath_is_true (kept))
      return TRUE;
  }
  result = _nebula_jmespath_run (vm, node->right, item);
  if (result == NULL)
    return FALSE;
  if (nebula_value_is_null (result))
    nebula_value_unref (result);
  else
    nebula_value_builder_add_take (builder, result);
  return TRUE;
}

static NebulaValue *
run_projection (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  g_autoptr (NebulaValue) left = _nebula_jmespath_run (vm, node->left, value);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gboolean is_object = node->kind == NEBULA_JMESPATH_VALUES;

  if (left == NULL)
    return NULL;
  if (!is_kind (left, is_object ? NEBULA_VALUE_KIND_OBJECT : NEBULA_VALUE_KIND_ARRAY))
    return nebula_value_new_null ();
  for (gsize i = 0; i < nebula_value_get_length (left); i++)
    if (!add_projected (vm, node,
                        is_object ? nebula_value_get_member_at (left, i)
                                  : nebula_value_get_item (left, i),
                        builder))
      return NULL;
  return end (vm, builder);
}

static NebulaValue *
run_flatten (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  g_autoptr (NebulaValue) left = _nebula_jmespath_run (vm, node->left, value);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  if (left == NULL)
    return NULL;
  if (!is_kind (left, NEBULA_VALUE_KIND_ARRAY))
    return nebula_value_new_null ();
  for (gsize i = 0; i < nebula_value_get_length (left); i++) {
    NebulaValue *item = nebula_value_get_item (left, i);
    gboolean is_array = is_kind (item, NEBULA_VALUE_KIND_ARRAY);

    if (!_nebula_vm_burn (vm, 1 + (is_array ? nebula_value_get_length (item) : 0)))
      return NULL;
    if (!is_array)
      nebula_value_builder_add (builder, item);
    for (gsize j = 0; is_array && j < nebula_value_get_length (item); j++)
      nebula_value_builder_add (builder, nebula_value_get_item (item, j));
  }
  return end (vm, builder);
}

static gint64
clamp_bound (gint64 bound, gint64 length, gint64 step)
{
  if (bound < 0)
    bound += length;
  if (step > 0)
    return CLAMP (bound, 0, length);
  return CLAMP (bound, -1, length - 1);
}

static NebulaValue *
run_slice (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gint64 step = node->has_number[2] ? node->numbers[2] : 1;
  gint64 length, from, to;

  if (!is_kind (value, NEBULA_VALUE_KIND_ARRAY))
    return nebula_value_new_null ();
  length = (gint64) nebula_value_get_length (value);
  from = node->has_number[0] ? clamp_bound (node->numbers[0], length, step)
         : step > 0          ? 0
                             : length - 1;
  to = node->has_number[1] ? clamp_bound (node->numbers[1], length, step)
       : step > 0          ? length
                           : -1;
  for (gint64 i = from; step > 0 ? i < to : i > to; i += step) {
    if (!_nebula_vm_burn (vm, 1))
      return NULL;
    nebula_value_builder_add (builder, nebula_value_get_item (value, (gsize) i));
  }
  return end (vm, builder);
}

static NebulaValue *
run_index (const NebulaJmespathNode *node, NebulaValue *value)
{
  gint64 index = node->numbers[0];

  if (!is_kind (value, NEBULA_VALUE_KIND_ARRAY))
    return nebula_value_new_null ();
  if (index < 0)
    index += (gint64) nebula_value_get_length (value);
  if (index < 0 || index >= (gint64) nebula_value_get_length (value))
    return nebula_value_new_null ();
  return nebula_value_ref (nebula_value_get_item (value, (gsize) index));
}

static NebulaValue *
run_field (const NebulaJmespathNode *node, NebulaValue *value)
{
  NebulaValue *member = NULL;

  if (is_kind (value, NEBULA_VALUE_KIND_OBJECT))
    member = nebula_value_get_member_length (value, node->text, node->length);
  return member != NULL ? nebula_value_ref (member) : nebula_value_new_null ();
}

/* A list or an object made of parts of the value; null of null. */
static NebulaValue *
run_parts (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  gboolean is_hash = node->kind == NEBULA_JMESPATH_HASH;
  g_autoptr (NebulaValueBuilder) builder =
      is_hash ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();

  if (nebula_value_is_null (value))
    return nebula_value_new_null ();
  for (guint i = 0; i < node->children->len; i++) {
    const NebulaJmespathNode *child = g_ptr_array_index (node->children, i);
    NebulaValue *part = _nebula_jmespath_run (vm, child, value);

    if (part == NULL)
      return NULL;
    if (is_hash)
      nebula_value_builder_set_take (builder, child->key, part);
    else
      nebula_value_builder_add_take (builder, part);
  }
  return end (vm, builder);
}

static gboolean
holds (NebulaJmespathComparison comparison, gint order)
{
  if (comparison == NEBULA_JMESPATH_LESS)
    return order < 0;
  if (comparison == NEBULA_JMESPATH_LESS_EQUAL)
    return order <= 0;
  return comparison == NEBULA_JMESPATH_GREATER ? order > 0 : order >= 0;
}

static NebulaValue *
run_compare (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  g_autoptr (NebulaValue) left = _nebula_jmespath_run (vm, node->left, value);
  g_autoptr (NebulaValue) right =
      left != NULL ? _nebula_jmespath_run (vm, node->right, value) : NULL;
  NebulaJmespathComparison comparison = (NebulaJmespathComparison) node->numbers[0];
  gint order = 0;

  if (right == NULL || !_nebula_vm_burn (vm, nebula_value_get_size_bytes (left) / 256))
    return NULL;
  if (comparison <= NEBULA_JMESPATH_NOT_EQUAL)
    return nebula_value_new_boolean (nebula_value_equal (left, right) ==
                                     (comparison == NEBULA_JMESPATH_EQUAL));
  /* Only numbers have an order. */
  if (!nebula_value_is_number (left) || !nebula_value_is_number (right) ||
      !nebula_value_compare (left, right, &order, NULL))
    return nebula_value_new_null ();
  return nebula_value_new_boolean (holds (comparison, order));
}

static NebulaValue *
run_logic (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  g_autoptr (NebulaValue) left = _nebula_jmespath_run (vm, node->left, value);

  if (left == NULL)
    return NULL;
  if (node->kind == NEBULA_JMESPATH_NOT)
    return nebula_value_new_boolean (!_nebula_jmespath_is_true (left));
  if (_nebula_jmespath_is_true (left) == (node->kind == NEBULA_JMESPATH_OR))
    return g_steal_pointer (&left);
  return _nebula_jmespath_run (vm, node->right, value);
}

/* What is right of `.` or `|` applies to what is left of it. */
static NebulaValue *
run_chain (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  g_autoptr (NebulaValue) left = _nebula_jmespath_run (vm, node->left, value);

  if (left == NULL)
    return NULL;
  return _nebula_jmespath_run (vm, node->right, left);
}

NebulaValue *
_nebula_jmespath_run (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  if (!_nebula_vm_burn (vm, 1))
    return NULL;
  switch (node->kind) {
  case NEBULA_JMESPATH_CURRENT:
    return nebula_value_ref (value);
  case NEBULA_JMESPATH_LITERAL:
    return nebula_value_ref (node->value);
  case NEBULA_JMESPATH_FIELD:
    return run_field (node, value);
  case NEBULA_JMESPATH_INDEX:
    return run_index (node, value);
  case NEBULA_JMESPATH_SLICE:
    return run_slice (vm, node, value);
  case NEBULA_JMESPATH_SUB:
  case NEBULA_JMESPATH_PIPE:
    return run_chain (vm, node, value);
  case NEBULA_JMESPATH_ITEMS:
  case NEBULA_JMESPATH_VALUES:
  case NEBULA_JMESPATH_FILTER:
    return run_projection (vm, node, value);
  case NEBULA_JMESPATH_FLATTEN:
    return run_flatten (vm, node, value);
  case NEBULA_JMESPATH_OR:
  case NEBULA_JMESPATH_AND:
  case NEBULA_JMESPATH_NOT:
    return run_logic (vm, node, value);
  case NEBULA_JMESPATH_COMPARE:
    return run_compare (vm, node, value);
  case NEBULA_JMESPATH_LIST:
  case NEBULA_JMESPATH_HASH:
    return run_parts (vm, node, value);
  case NEBULA_JMESPATH_CALL:
    return _nebula_jmespath_call (vm, node, value);
  case NEBULA_JMESPATH_EXPRESSION:
  default:
    g_return_val_if_reached (NULL);
  }
}
