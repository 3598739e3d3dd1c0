/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions that call a lambda for each item: it gets the item and its index. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

static gsize
get_count (const NebulaCell *array)
{
  return nebula_value_get_length (array->as.value);
}

static void
load (const NebulaCell *array, gsize index, NebulaCell pair[2])
{
  pair[0] = _nebula_cell_borrow (nebula_value_get_item (array->as.value, index));
  pair[1] = _nebula_cell_integer ((gint64) index);
}

/* Calls @function for item @index; the result is owned. */
static gboolean
call_item (NebulaVm *vm,
           const NebulaCell *array,
           gsize index,
           const NebulaCell *function,
           NebulaCell *ret)
{
  NebulaCell pair[2];

  load (array, index, pair);
  return _nebula_vm_burn (vm, 1) && _nebula_vm_call (vm, function, pair, 2, ret);
}

static gboolean
test_item (NebulaVm *vm,
           const NebulaCell *array,
           gsize index,
           const NebulaCell *function,
           gboolean *ret)
{
  NebulaCell pair[2];

  load (array, index, pair);
  return _nebula_vm_burn (vm, 1) &&
         _nebula_vm_call_condition (vm, function, pair, 2, ret);
}

static gboolean
call_map (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length = get_count (arguments);

  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < length; i++) {
    NebulaCell result;

    if (!call_item (vm, arguments, i, &arguments[1], &result) ||
        !_nebula_collector_add (&collector, &result))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_flat_map (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length = get_count (arguments);

  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < length; i++) {
    g_autoptr (NebulaValue) part = NULL;
    NebulaCell result;

    if (!call_item (vm, arguments, i, &arguments[1], &result))
      return FALSE;
    if (!_nebula_cell_is (&result, NEBULA_VALUE_KIND_ARRAY)) {
      if (!_nebula_collector_add (&collector, &result))
        return FALSE;
      continue;
    }
    part = _nebula_cell_to_value (&result);
    for (gsize j = 0; j < nebula_value_get_length (part); j++)
      if (!_nebula_vm_burn (vm, 1) ||
          !_nebula_collector_add_value (&collector, nebula_value_get_item (part, j)))
        return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
filter (NebulaVm *vm, const NebulaCell *arguments, gboolean wanted, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length = get_count (arguments);

  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < length; i++) {
    gboolean is_true;

    if (!test_item (vm, arguments, i, &arguments[1], &is_true))
      return FALSE;
    if (is_true == wanted &&
        !_nebula_collector_add_value (&collector,
                                      nebula_value_get_item (arguments[0].as.value, i)))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

/* An object is filtered by (value, key). */
static gboolean
filter_object (NebulaVm *vm,
               const NebulaCell *arguments,
               gboolean wanted,
               NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  NebulaValue *object = arguments[0].as.value;

  _nebula_collector_init (&collector, vm, TRUE);
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    g_autoptr (NebulaValue) key = NULL;
    NebulaValue *member = nebula_value_get_member_at (object, i);
    NebulaCell pair[2];
    gsize length;
    const char *text = nebula_value_get_key (object, i, &length);
    gboolean is_true;

    key = nebula_value_new_string_length (text, length);
    pair[0] = _nebula_cell_borrow (member);
    pair[1] = _nebula_cell_borrow (key);
    if (!_nebula_vm_burn (vm, 1) ||
        !_nebula_vm_call_condition (vm, &arguments[1], pair, 2, &is_true))
      return FALSE;
    if (is_true == wanted &&
        !_nebula_collector_set_value (&collector, text, length, member))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
filter_any (NebulaVm *vm,
            const NebulaCell *arguments,
            const char *name,
            gboolean wanted,
            NebulaCell *ret)
{
  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_OBJECT))
    return filter_object (vm, arguments, wanted, ret);
  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_ARRAY))
    return filter (vm, arguments, wanted, ret);
  return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE,
                          arguments[0].tag == NEBULA_CELL_NULL
                              ? _ ("Give a default for null with “??”.")
                              : NULL,
                          _ ("“%s” takes an array or an object as argument 1, not %s"),
                          name, _nebula_cell_to_words (arguments));
}

static gboolean
call_filter (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return filter_any (vm, arguments, "filter", TRUE, ret);
}

static gboolean
call_reject (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return filter_any (vm, arguments, "reject", FALSE, ret);
}

/* The index of the first (or last) item that fits, -1 if none does. */
static gboolean
search (NebulaVm *vm, const NebulaCell *arguments, gboolean is_last, gint64 *ret)
{
  gsize length = get_count (arguments);

  *ret = -1;
  for (gsize i = 0; i < length; i++) {
    gsize index = is_last ? length - 1 - i : i;
    gboolean is_true;

    if (!test_item (vm, arguments, index, &arguments[1], &is_true))
      return FALSE;
    if (is_true) {
      *ret = (gint64) index;
      return TRUE;
    }
  }
  return TRUE;
}

static gboolean
find (NebulaVm *vm, const NebulaCell *arguments, gboolean is_last, NebulaCell *ret)
{
  gint64 index;

  if (!search (vm, arguments, is_last, &index))
    return FALSE;
  *ret = index < 0 ? _nebula_cell_null ()
                   : _nebula_cell_borrow (
                         nebula_value_get_item (arguments[0].as.value, (gsize) index));
  return TRUE;
}

static gboolean
call_find (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return find (vm, arguments, FALSE, ret);
}

static gboolean
call_find_last (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return find (vm, arguments, TRUE, ret);
}

static gboolean
call_find_index (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 index;

  if (!search (vm, arguments, FALSE, &index))
    return FALSE;
  *ret = _nebula_cell_integer (index);
  return TRUE;
}

/* Without a lambda the items themselves are conditions. */
static gboolean
scan (NebulaVm *vm,
      const NebulaCell *arguments,
      guint count,
      gboolean wanted,
      gboolean *ret)
{
  gsize length = get_count (arguments);

  *ret = FALSE;
  for (gsize i = 0; i < length && !*ret; i++) {
    NebulaCell pair[2];
    gboolean is_true;

    load (arguments, i, pair);
    if (!_nebula_vm_burn (vm, 1) ||
        !(count > 1 ? _nebula_vm_call_condition (vm, &arguments[1], pair, 2, &is_true)
                    : _nebula_operate_condition (vm, pair, &is_true)))
      return FALSE;
    *ret = is_true == wanted;
  }
  return TRUE;
}

static gboolean
call_any (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gboolean is_found;

  if (!scan (vm, arguments, count, TRUE, &is_found))
    return FALSE;
  *ret = _nebula_cell_boolean (is_found);
  return TRUE;
}

static gboolean
call_all (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gboolean is_found;

  if (!scan (vm, arguments, count, FALSE, &is_found))
    return FALSE;
  *ret = _nebula_cell_boolean (!is_found);
  return TRUE;
}

static gboolean
call_none (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gboolean is_found;

  if (!scan (vm, arguments, count, TRUE, &is_found))
    return FALSE;
  *ret = _nebula_cell_boolean (!is_found);
  return TRUE;
}

static gboolean
call_count (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 found = 0;

  for (gsize i = 0; count > 1 && i < get_count (arguments); i++) {
    gboolean is_true;

    if (!test_item (vm, arguments, i, &arguments[1], &is_true))
      return FALSE;
    found += is_true ? 1 : 0;
  }
  *ret = _nebula_cell_integer (count > 1 ? found : (gint64) get_count (arguments));
  return TRUE;
}

/* One step: the old sum goes, the new one comes, and its bytes are held meanwhile. */
static gboolean
reduce_step (NebulaVm *vm, const NebulaCell *arguments, gsize index, NebulaCell *sum)
{
  NebulaCell triple[3], result;
  gsize held = sum->tag == NEBULA_CELL_VALUE && sum->is_owned
                   ? nebula_value_get_size_bytes (sum->as.value)
                   : 0;
  gboolean is_done;

  triple[0] = *sum;
  load (arguments, index, &triple[1]);
  vm->held += held;
  is_done =
      _nebula_vm_burn (vm, 1) && _nebula_vm_call (vm, &arguments[1], triple, 3, &result);
  vm->held -= held;
  if (!is_done)
    return FALSE;
  _nebula_cell_release (sum);
  *sum = result;
  return TRUE;
}

static gboolean
call_reduce (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length = get_count (arguments);
  NebulaCell sum = _nebula_cell_null ();
  gsize start = 0;

  if (count > 2)
    sum = arguments[2];
  else if (length > 0)
    sum = _nebula_cell_borrow (nebula_value_get_item (arguments[0].as.value, start++));
  sum.is_owned = FALSE;
  for (gsize i = start; i < length; i++)
    if (!reduce_step (vm, arguments, i, &sum)) {
      _nebula_cell_release (&sum);
      return FALSE;
    }
  *ret = sum;
  return TRUE;
}

/* Takes @item; durations are summed among themselves. */
static gboolean
add_to_sum (NebulaVm *vm, NebulaCell *sum, NebulaCell *item, gboolean is_first)
{
  gboolean is_duration = _nebula_cell_is (item, NEBULA_VALUE_KIND_DURATION);
  gboolean is_done = _nebula_cell_is_number (item) || is_duration;
  NebulaCell result;

  if (is_duration && is_first) {
    _nebula_cell_own (item);
    *sum = *item;
    return TRUE;
  }
  if (!is_done)
    _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                     _ ("Only numbers can be summed, not %s"),
                     _nebula_cell_to_words (item));
  else
    is_done = _nebula_operate (vm, NEBULA_OP_ADD, sum, item, &result);
  _nebula_cell_release (item);
  _nebula_cell_release (sum);
  if (is_done)
    *sum = result;
  return is_done;
}

static gboolean
sum_items (NebulaVm *vm, const NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length = get_count (arguments);
  NebulaCell sum = _nebula_cell_integer (0);

  for (gsize i = 0; i < length; i++) {
    NebulaCell item;

    if (count > 1) {
      if (!call_item (vm, arguments, i, &arguments[1], &item)) {
        _nebula_cell_release (&sum);
        return FALSE;
      }
    } else {
      if (!_nebula_vm_burn (vm, 1)) {
        _nebula_cell_release (&sum);
        return FALSE;
      }
      item = _nebula_cell_borrow (nebula_value_get_item (arguments[0].as.value, i));
    }
    if (!add_to_sum (vm, &sum, &item, i == 0))
      return FALSE;
  }
  *ret = sum;
  return TRUE;
}

static gboolean
call_sum (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return sum_items (vm, arguments, count, ret);
}

static gboolean
call_avg (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gsize length = get_count (arguments);
  NebulaCell divisor = _nebula_cell_integer ((gint64) length);
  NebulaCell sum;
  gboolean is_done;

  if (!sum_items (vm, arguments, count, ret))
    return FALSE;
  if (ret->tag == NEBULA_CELL_VALUE) {
    sum = *ret;
    is_done = _nebula_operate (vm, NEBULA_OP_DIVIDE, &sum, &divisor, ret);
    _nebula_cell_release (&sum);
    return is_done;
  }
  if (length == 0) {
    *ret = _nebula_cell_null ();
    return TRUE;
  }
  return _nebula_vm_give_float (vm, _nebula_cell_to_double (ret) / (double) length, ret);
}

/* The item whose key is least or greatest; null if there is none. */
static gboolean
choose_by (NebulaVm *vm, const NebulaCell *arguments, int sign, NebulaCell *ret)
{
  gsize length = get_count (arguments);
  NebulaCell best = _nebula_cell_null ();
  gsize chosen = 0;

  for (gsize i = 0; i < length; i++) {
    NebulaCell key = _nebula_cell_null ();
    int order = -sign;

    if (!call_item (vm, arguments, i, &arguments[1], &key) ||
        (i > 0 && !_nebula_operate_compare (vm, &key, &best, &order))) {
      _nebula_cell_release (&key);
      _nebula_cell_release (&best);
      return FALSE;
    }
    if (order * sign < 0) {
      _nebula_cell_release (&best);
      best = key;
      chosen = i;
    } else {
      _nebula_cell_release (&key);
    }
  }
  _nebula_cell_release (&best);
  *ret =
      length == 0
          ? _nebula_cell_null ()
          : _nebula_cell_borrow (nebula_value_get_item (arguments[0].as.value, chosen));
  return TRUE;
}

static gboolean
call_min_by (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return choose_by (vm, arguments, 1, ret);
}

static gboolean
call_max_by (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return choose_by (vm, arguments, -1, ret);
}

static gboolean
cut_while (NebulaVm *vm, const NebulaCell *arguments, gboolean is_taking, NebulaCell *ret)
{
  gsize length = get_count (arguments);
  gsize edge = 0;
  gboolean is_true = TRUE;

  while (edge < length) {
    if (!test_item (vm, arguments, edge, &arguments[1], &is_true))
      return FALSE;
    if (!is_true)
      break;
    edge++;
  }
  return _nebula_vm_charge (vm, 8 * length) &&
         _nebula_vm_give (vm,
                          nebula_value_slice (arguments[0].as.value, is_taking ? 0 : edge,
                                              is_taking ? edge : length),
                          ret);
}

static gboolean
call_take_while (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return cut_while (vm, arguments, TRUE, ret);
}

static gboolean
call_skip_while (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return cut_while (vm, arguments, FALSE, ret);
}

static gboolean
call_partition (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) both = {0};
  NebulaCell side;

  _nebula_collector_init (&both, vm, FALSE);
  if (!filter (vm, arguments, TRUE, &side) || !_nebula_collector_add (&both, &side) ||
      !filter (vm, arguments, FALSE, &side) || !_nebula_collector_add (&both, &side))
    return FALSE;
  return _nebula_collector_end (&both, ret);
}

/* The text under which an item is put: texts as they are, null as `null`. */
static gboolean
make_key (NebulaVm *vm, const NebulaCell *arguments, gsize index, GString *key)
{
  NebulaCell result;

  if (!call_item (vm, arguments, index, &arguments[1], &result))
    return FALSE;
  g_string_truncate (key, 0);
  if (result.tag == NEBULA_CELL_NULL)
    g_string_append (key, "null");
  else
    _nebula_cell_append_text (&result, key);
  _nebula_cell_release (&result);
  return _nebula_vm_charge (vm, key->len);
}

static gboolean
call_key_by (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  g_autoptr (GString) key = g_string_new (NULL);

  _nebula_collector_init (&collector, vm, TRUE);
  for (gsize i = 0; i < get_count (arguments); i++)
    if (!make_key (vm, arguments, i, key) ||
        !_nebula_collector_set_value (&collector, key->str, key->len,
                                      nebula_value_get_item (arguments[0].as.value, i)))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

typedef struct {
  NebulaCollector items;
  GString *key;
  gint64 count;
} Group;

static void
group_free (gpointer data)
{
  Group *group = data;

  _nebula_collector_clear (&group->items);
  g_string_free (group->key, TRUE);
  g_free (group);
}

static Group *
find_group (NebulaVm *vm, GHashTable *index, GPtrArray *groups, const GString *key)
{
  Group *group = g_hash_table_lookup (index, key);

  if (group != NULL)
    return group;
  group = g_new0 (Group, 1);
  group->key = g_string_new_len (key->str, (gssize) key->len);
  _nebula_collector_init (&group->items, vm, FALSE);
  group->items.held += key->len;
  vm->held += key->len;
  g_ptr_array_add (groups, group);
  g_hash_table_insert (index, group->key, group);
  return group;
}

static gboolean
group_items (NebulaVm *vm, const NebulaCell *arguments, GPtrArray *groups)
{
  g_autoptr (GHashTable) index =
      g_hash_table_new ((GHashFunc) g_string_hash, (GEqualFunc) g_string_equal);
  g_autoptr (GString) key = g_string_new (NULL);

  for (gsize i = 0; i < get_count (arguments); i++) {
    Group *group;

    if (!make_key (vm, arguments, i, key))
      return FALSE;
    group = find_group (vm, index, groups, key);
    group->count++;
    if (!_nebula_collector_add_value (&group->items,
                                      nebula_value_get_item (arguments[0].as.value, i)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
make_groups (NebulaVm *vm,
             const NebulaCell *arguments,
             gboolean is_counted,
             NebulaCell *ret)
{
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func (group_free);
  g_auto (NebulaCollector) collector = {0};

  if (!group_items (vm, arguments, groups))
    return FALSE;
  _nebula_collector_init (&collector, vm, TRUE);
  for (guint i = 0; i < groups->len; i++) {
    Group *group = g_ptr_array_index (groups, i);
    NebulaCell member = _nebula_cell_integer (group->count);

    if ((!is_counted && !_nebula_collector_end (&group->items, &member)) ||
        !_nebula_collector_set (&collector, group->key->str, group->key->len, &member))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_group_by (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return make_groups (vm, arguments, FALSE, ret);
}

static gboolean
call_count_by (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return make_groups (vm, arguments, TRUE, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_array[] = {
  { "all", "every", "af", "b", "items, x => condition?", N_("whether it holds for every item"), call_all, 1, 2, 2 },
  { "any", "some", "af", "b", "items, x => condition?", N_("whether it holds for an item"), call_any, 1, 2, 2 },
  { "avg", "average mean", "af", "ndz", "items, x => number?", N_("the average, null if there are no items"), call_avg, 1, 2, 2 },
  { "count", NULL, "af", "i", "items, x => condition?", N_("how many items fit"), call_count, 1, 2, 2 },
  { "count_by", NULL, "af", "o", "items, x => key", N_("an object key → how many items have it"), call_count_by, 2, 2, 2 },
  { "filter", "where select", "wf", "1", "items, x => condition", N_("the items (or members, by value and key) that fit"), call_filter, 2, 2, 2 },
  { "find", "find_first", "af", "v", "items, x => condition", N_("the first item that fits, else null"), call_find, 2, 2, 2 },
  { "find_index", NULL, "af", "i", "items, x => condition", N_("the index of the first item that fits, else -1"), call_find_index, 2, 2, 2 },
  { "find_last", NULL, "af", "v", "items, x => condition", N_("the last item that fits, else null"), call_find_last, 2, 2, 2 },
  { "flat_map", NULL, "af", "a", "items, x => array", N_("the results, arrays among them taken apart"), call_flat_map, 2, 2, 2 },
  { "group_by", NULL, "af", "o", "items, x => key", N_("an object key → items, in order of first sight"), call_group_by, 2, 2, 2 },
  { "key_by", "index_by", "af", "o", "items, x => key", N_("an object key → the last item that has it"), call_key_by, 2, 2, 2 },
  { "map", "pluck", "af", "a", "items, x => value", N_("what the lambda makes of each item"), call_map, 2, 2, 2 },
  { "max_by", NULL, "af", "v", "items, x => key", N_("the item with the greatest key, the first of several"), call_max_by, 2, 2, 2 },
  { "min_by", NULL, "af", "v", "items, x => key", N_("the item with the least key, the first of several"), call_min_by, 2, 2, 2 },
  { "none", NULL, "af", "b", "items, x => condition?", N_("whether it holds for no item"), call_none, 1, 2, 2 },
  { "partition", NULL, "af", "a", "items, x => condition", N_("two arrays: the items that fit, and the others"), call_partition, 2, 2, 2 },
  { "reduce", "fold", "afv", "v", "items, (sum, x) => sum, start?", N_("one value out of all items"), call_reduce, 2, 3, 3 },
  { "reject", "filter_out", "wf", "1", "items, x => condition", N_("the items that do not fit"), call_reject, 2, 2, 2 },
  { "skip_while", "drop_while", "af", "a", "items, x => condition", N_("from the first item that does not fit"), call_skip_while, 2, 2, 2 },
  { "sum", NULL, "af", "nd", "items, x => number?", N_("the sum, 0 if there are no items"), call_sum, 1, 2, 2 },
  { "take_while", NULL, "af", "a", "items, x => condition", N_("up to the first item that does not fit"), call_take_while, 2, 2, 2 },
  { NULL },
};
/* clang-format on */
