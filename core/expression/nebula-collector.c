/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays and objects in the making, within the limits of the evaluation. */

#include <glib/gi18n-lib.h>

#include "nebula-expression-private.h"

#define SLOT_BYTES      8
#define SCALAR_BYTES    24
#define CONTAINER_BYTES 48

void
_nebula_collector_init (NebulaCollector *self, NebulaVm *vm, gboolean is_object)
{
  *self = (NebulaCollector){.vm = vm};
  self->builder =
      is_object ? nebula_value_builder_new_object () : nebula_value_builder_new_array ();
}

/* Counts bytes that live as long as the collector does. */
void
_nebula_collector_hold (NebulaCollector *self, const NebulaCell *cell)
{
  gsize bytes =
      cell->tag == NEBULA_CELL_VALUE ? nebula_value_get_size_bytes (cell->as.value) : 0;

  self->held += bytes;
  self->vm->held += bytes;
}

static gboolean
hold (NebulaCollector *self, gsize made, gsize kept)
{
  self->held += kept;
  self->vm->held += kept;
  return _nebula_vm_charge (self->vm, made);
}

static gsize
get_bytes (const NebulaCell *cell)
{
  return cell->tag == NEBULA_CELL_VALUE ? nebula_value_get_size_bytes (cell->as.value)
                                        : SCALAR_BYTES;
}

static gboolean
check_depth (NebulaCollector *self, guint depth)
{
  if (depth < NEBULA_LIMIT_DEPTH)
    return TRUE;
  return _nebula_vm_fail (self->vm, NEBULA_ERROR_TOO_DEEP, NULL,
                          _ ("The value nests deeper than %d levels"),
                          NEBULA_LIMIT_DEPTH);
}

static gboolean
check_cell (NebulaCollector *self, const NebulaCell *cell)
{
  return cell->tag != NEBULA_CELL_VALUE ||
         check_depth (self, nebula_value_get_depth (cell->as.value));
}

gboolean
_nebula_collector_add (NebulaCollector *self, NebulaCell *item)
{
  gsize bytes = get_bytes (item);
  gboolean is_shared = item->tag == NEBULA_CELL_VALUE;

  if (!check_cell (self, item)) {
    _nebula_cell_release (item);
    return FALSE;
  }
  nebula_value_builder_add_take (self->builder, _nebula_cell_to_value (item));
  return hold (self, SLOT_BYTES + (is_shared ? 0 : SCALAR_BYTES), SLOT_BYTES + bytes);
}

gboolean
_nebula_collector_add_value (NebulaCollector *self, NebulaValue *item)
{
  if (!check_depth (self, nebula_value_get_depth (item)))
    return FALSE;
  nebula_value_builder_add (self->builder, item);
  return hold (self, SLOT_BYTES, SLOT_BYTES + nebula_value_get_size_bytes (item));
}

gboolean
_nebula_collector_add_string (NebulaCollector *self, const char *text, gssize length)
{
  NebulaCell cell;

  return _nebula_vm_give_string (self->vm, text, length, &cell) &&
         _nebula_collector_add (self, &cell);
}

gboolean
_nebula_collector_set (NebulaCollector *self,
                       const char *key,
                       gsize length,
                       NebulaCell *member)
{
  gsize bytes = get_bytes (member);
  gboolean is_shared = member->tag == NEBULA_CELL_VALUE;

  if (!check_cell (self, member)) {
    _nebula_cell_release (member);
    return FALSE;
  }
  nebula_value_builder_set_length_take (self->builder, key, length,
                                        _nebula_cell_to_value (member));
  return hold (self, 3 * SLOT_BYTES + length + (is_shared ? 0 : SCALAR_BYTES),
               3 * SLOT_BYTES + length + bytes);
}

gboolean
_nebula_collector_set_value (NebulaCollector *self,
                             const char *key,
                             gsize length,
                             NebulaValue *member)
{
  NebulaCell cell = _nebula_cell_borrow (member);

  return _nebula_collector_set (self, key, length, &cell);
}

gboolean
_nebula_collector_end (NebulaCollector *self, NebulaCell *ret)
{
  NebulaVm *vm = self->vm;
  NebulaValue *value = nebula_value_builder_end (self->builder);

  vm->held -= self->held;
  self->held = 0;
  if (!_nebula_vm_charge (vm, CONTAINER_BYTES)) {
    nebula_value_unref (value);
    return FALSE;
  }
  return _nebula_vm_give (vm, value, ret);
}

void
_nebula_collector_clear (NebulaCollector *self)
{
  if (self->vm != NULL)
    self->vm->held -= self->held;
  self->held = 0;
  g_clear_pointer (&self->builder, nebula_value_builder_unref);
}

static gboolean
spread_items (NebulaCollector *collector, const NebulaCell *cell)
{
  NebulaVm *vm = collector->vm;
  gsize length;

  if (!_nebula_cell_is (cell, NEBULA_VALUE_KIND_ARRAY))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("Only an array can be spread here, not %s"),
                            _nebula_cell_to_words (cell));
  length = nebula_value_get_length (cell->as.value);
  for (gsize i = 0; i < length; i++)
    if (!_nebula_vm_burn (vm, 1) ||
        !_nebula_collector_add_value (collector,
                                      nebula_value_get_item (cell->as.value, i)))
      return FALSE;
  return TRUE;
}

/* The array of @count items, some of them spread; takes the cells. */
gboolean
_nebula_vm_build_array (NebulaVm *vm, NebulaCell *items, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  for (guint i = 0; i < count; i++)
    if (!(items[i].is_spread ? spread_items (&collector, &items[i])
                             : _nebula_collector_add (&collector, &items[i])))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
spread_members (NebulaCollector *collector, const NebulaCell *cell)
{
  NebulaVm *vm = collector->vm;
  gsize length;

  if (!_nebula_cell_is (cell, NEBULA_VALUE_KIND_OBJECT))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("Only an object can be spread here, not %s"),
                            _nebula_cell_to_words (cell));
  length = nebula_value_get_length (cell->as.value);
  for (gsize i = 0; i < length; i++) {
    gsize key_length;
    const char *key = nebula_value_get_key (cell->as.value, i, &key_length);

    if (!_nebula_vm_burn (vm, 1) ||
        !_nebula_collector_set_value (collector, key, key_length,
                                      nebula_value_get_member_at (cell->as.value, i)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
set_entry (NebulaCollector *collector, NebulaCell *key, NebulaCell *member)
{
  const char *text;
  gsize length;

  if (key->tag == NEBULA_CELL_SPREAD)
    return spread_members (collector, member);
  if (!_nebula_cell_is (key, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (
        collector->vm, NEBULA_ERROR_TYPE, _ ("Turn it into text with string ()."),
        _ ("The key of a member is text, not %s"), _nebula_cell_to_words (key));
  text = _nebula_cell_get_string (key, &length);
  return _nebula_collector_set (collector, text, length, member);
}

/* The object of @count pairs of key and member; takes the members. */
gboolean
_nebula_vm_build_object (NebulaVm *vm, NebulaCell *pairs, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, TRUE);
  for (guint i = 0; i < count; i++)
    if (!set_entry (&collector, &pairs[2 * i], &pairs[2 * i + 1]))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}
