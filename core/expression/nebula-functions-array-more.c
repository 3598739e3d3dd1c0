/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions on whole arrays: order, sets, parts. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

static gsize
get_count (const NebulaCell *array)
{
  return nebula_value_get_length (array->as.value);
}

static NebulaValue *
get_item (const NebulaCell *array, gsize index)
{
  return nebula_value_get_item (array->as.value, index);
}

typedef struct {
  NebulaCell key;
  NebulaValue *item; /* borrowed */
} SortEntry;

typedef struct {
  NebulaVm *vm;
  const NebulaCell *compare; /* nullable: a lambda of two parameters */
  gboolean is_descending;
} Sorter;

static gboolean
compare_entries (Sorter *self, const SortEntry *a, const SortEntry *b, int *ret_order)
{
  NebulaCell pair[2] = {a->key, b->key};
  NebulaCell result;
  gboolean is_number;

  if (!_nebula_vm_burn (self->vm, 1))
    return FALSE;
  if (self->compare == NULL) {
    if (!_nebula_operate_compare (self->vm, &a->key, &b->key, ret_order))
      return FALSE;
    if (self->is_descending)
      *ret_order = -*ret_order;
    return TRUE;
  }
  if (!_nebula_vm_call (self->vm, self->compare, pair, 2, &result))
    return FALSE;
  is_number = _nebula_cell_is_number (&result);
  if (is_number) {
    double number = _nebula_cell_to_double (&result);

    *ret_order = (number > 0) - (number < 0);
  }
  _nebula_cell_release (&result);
  return is_number ||
         _nebula_vm_fail (self->vm, NEBULA_ERROR_TYPE, NULL,
                          _ ("A comparison gives a number: below, at or above 0"));
}

/* Merges two sorted halves of @entries by way of @spare; equal entries keep their order. */
static gboolean
merge (Sorter *self, SortEntry *entries, SortEntry *spare, gsize middle, gsize length)
{
  gsize left = 0, right = middle;

  for (gsize i = 0; i < length; i++) {
    int order = left < middle ? -1 : 1;

    if (left < middle && right < length &&
        !compare_entries (self, &entries[left], &entries[right], &order))
      return FALSE;
    spare[i] = order <= 0 ? entries[left++] : entries[right++];
  }
  for (gsize i = 0; i < length; i++)
    entries[i] = spare[i];
  return TRUE;
}

static gboolean
sort_entries (Sorter *self, SortEntry *entries, SortEntry *spare, gsize length)
{
  gsize middle = length / 2;

  if (length < 2)
    return TRUE;
  return sort_entries (self, entries, spare, middle) &&
         sort_entries (self, entries + middle, spare, length - middle) &&
         merge (self, entries, spare, middle, length);
}

static gboolean
fill_entries (NebulaCollector *collector,
              const NebulaCell *array,
              const NebulaCell *key,
              SortEntry *entries,
              gsize *filled)
{
  NebulaVm *vm = collector->vm;

  for (; *filled < get_count (array); (*filled)++) {
    SortEntry *entry = &entries[*filled];

    entry->item = get_item (array, *filled);
    entry->key = _nebula_cell_borrow (entry->item);
    if (key != NULL && (!_nebula_vm_burn (vm, 1) ||
                        !_nebula_vm_call (vm, key, &entry->key, 1, &entry->key)))
      return FALSE;
    if (key != NULL)
      _nebula_collector_hold (collector, &entry->key);
  }
  return TRUE;
}

static gboolean
sort (Sorter *self, const NebulaCell *array, const NebulaCell *key, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length = get_count (array);
  gsize filled = 0;
  g_autofree SortEntry *entries = NULL;
  gboolean is_done;

  if (!_nebula_vm_charge (self->vm, 2 * length * sizeof (SortEntry)))
    return FALSE;
  entries = g_new (SortEntry, 2 * length);
  _nebula_collector_init (&collector, self->vm, FALSE);
  is_done = fill_entries (&collector, array, key, entries, &filled) &&
            sort_entries (self, entries, entries + length, length);
  for (gsize i = 0; is_done && i < length; i++)
    is_done = _nebula_collector_add_value (&collector, entries[i].item);
  for (gsize i = 0; i < filled; i++)
    _nebula_cell_release (&entries[i].key);
  return is_done && _nebula_collector_end (&collector, ret);
}

static gboolean
call_sort (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gboolean is_comparison = count > 1 && _nebula_vm_get_parameters (vm, &arguments[1]) > 1;
  Sorter sorter = {.vm = vm, .compare = is_comparison ? &arguments[1] : NULL};

  return sort (&sorter, arguments, count > 1 && !is_comparison ? &arguments[1] : NULL,
               ret);
}

static gboolean
call_sort_by (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  Sorter sorter = {.vm = vm, .is_descending = count > 2 && arguments[2].as.boolean};

  if (_nebula_vm_get_parameters (vm, &arguments[1]) > 1)
    return _nebula_vm_fail (vm, NEBULA_ERROR_ARITY,
                            _ ("Use sort (items, (a, b) => …) to compare."),
                            _ ("“sort_by” takes a lambda of one parameter"));
  return sort (&sorter, arguments, &arguments[1], ret);
}

static gboolean
call_reverse (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  GString *text;
  const char *start, *p;
  gsize length;

  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_STRING)) {
    start = _nebula_cell_get_string (arguments, &length);
    text = g_string_sized_new (length);
    for (p = start + length; p > start;) {
      const char *end = p;

      p = g_utf8_prev_char (p);
      g_string_append_len (text, p, end - p);
    }
    return _nebula_vm_give_text (vm, text, ret);
  }
  if (!_nebula_cell_is (arguments, NEBULA_VALUE_KIND_ARRAY))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("“reverse” takes an array or text, not %s"),
                            _nebula_cell_to_words (arguments));
  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = get_count (arguments); i > 0; i--)
    if (!_nebula_vm_burn (vm, 1) ||
        !_nebula_collector_add_value (&collector, get_item (arguments, i - 1)))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

/* Adds the items of @array that were not seen before. */
static gboolean
add_new (NebulaCollector *collector, const NebulaCell *array, GHashTable *seen)
{
  for (gsize i = 0; i < get_count (array); i++) {
    NebulaValue *item = get_item (array, i);

    if (!_nebula_vm_burn (collector->vm, 1))
      return FALSE;
    if (g_hash_table_add (seen, item) && !_nebula_collector_add_value (collector, item))
      return FALSE;
  }
  return TRUE;
}

static GHashTable *
new_set (void)
{
  return g_hash_table_new ((GHashFunc) nebula_value_hash,
                           (GEqualFunc) nebula_value_equal);
}

static gboolean
call_union (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GHashTable) seen = new_set ();
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  for (guint i = 0; i < count; i++)
    if (!add_new (&collector, &arguments[i], seen))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
unique_by (NebulaVm *vm, const NebulaCell *arguments, NebulaCell *ret)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (
      (GHashFunc) nebula_value_hash, (GEqualFunc) nebula_value_equal,
      (GDestroyNotify) nebula_value_unref, NULL);
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < get_count (arguments); i++) {
    NebulaCell item = _nebula_cell_borrow (get_item (arguments, i));
    NebulaCell key;

    if (!_nebula_vm_burn (vm, 1) || !_nebula_vm_call (vm, &arguments[1], &item, 1, &key))
      return FALSE;
    _nebula_collector_hold (&collector, &key);
    if (g_hash_table_add (seen, _nebula_cell_to_value (&key)) &&
        !_nebula_collector_add_value (&collector, get_item (arguments, i)))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_unique (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return count > 1 ? unique_by (vm, arguments, ret) : call_union (vm, arguments, 1, ret);
}

/* The items of the first array that the second has, or has not. */
static gboolean
sift (NebulaVm *vm, const NebulaCell *arguments, gboolean wanted, NebulaCell *ret)
{
  g_autoptr (GHashTable) others = new_set ();
  g_autoptr (GHashTable) seen = new_set ();
  g_auto (NebulaCollector) collector = {0};

  if (!_nebula_vm_burn (vm, get_count (&arguments[1])))
    return FALSE;
  for (gsize i = 0; i < get_count (&arguments[1]); i++)
    g_hash_table_add (others, get_item (&arguments[1], i));
  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < get_count (arguments); i++) {
    NebulaValue *item = get_item (arguments, i);

    if (!_nebula_vm_burn (vm, 1))
      return FALSE;
    if (g_hash_table_contains (others, item) == wanted && g_hash_table_add (seen, item) &&
        !_nebula_collector_add_value (&collector, item))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_intersection (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return sift (vm, arguments, TRUE, ret);
}

static gboolean
call_difference (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return sift (vm, arguments, FALSE, ret);
}

static gboolean
flatten_into (NebulaCollector *collector, NebulaValue *array, gint64 depth)
{
  for (gsize i = 0; i < nebula_value_get_length (array); i++) {
    NebulaValue *item = nebula_value_get_item (array, i);
    gboolean is_array = nebula_value_get_kind (item) == NEBULA_VALUE_KIND_ARRAY;

    if (!_nebula_vm_burn (collector->vm, 1))
      return FALSE;
    if (is_array && depth > 0 ? !flatten_into (collector, item, depth - 1)
                              : !_nebula_collector_add_value (collector, item))
      return FALSE;
  }
  return TRUE;
}

static gboolean
call_flatten (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  return flatten_into (&collector, arguments[0].as.value,
                       count > 1 ? arguments[1].as.integer : 1) &&
         _nebula_collector_end (&collector, ret);
}

static gboolean
call_zip (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) rows = {0};
  gsize length = get_count (arguments);

  for (guint i = 1; i < count; i++)
    length = MIN (length, get_count (&arguments[i]));
  _nebula_collector_init (&rows, vm, FALSE);
  for (gsize i = 0; i < length; i++) {
    g_auto (NebulaCollector) row = {0};
    NebulaCell cell;

    _nebula_collector_init (&row, vm, FALSE);
    for (guint j = 0; j < count; j++)
      if (!_nebula_vm_burn (vm, 1) ||
          !_nebula_collector_add_value (&row, get_item (&arguments[j], i)))
        return FALSE;
    if (!_nebula_collector_end (&row, &cell) || !_nebula_collector_add (&rows, &cell))
      return FALSE;
  }
  return _nebula_collector_end (&rows, ret);
}

static gboolean
add_slice (NebulaCollector *collector, const NebulaCell *array, gsize start, gsize end)
{
  NebulaCell cell;

  return _nebula_vm_burn (collector->vm, 1 + (end - start) / 8) &&
         _nebula_vm_charge (collector->vm, 48 + 8 * (end - start)) &&
         _nebula_vm_give (collector->vm, nebula_value_slice (array->as.value, start, end),
                          &cell) &&
         _nebula_collector_add (collector, &cell);
}

static gboolean
cut (NebulaVm *vm,
     const NebulaCell *arguments,
     gsize step,
     gboolean is_last_short,
     NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length = get_count (arguments);
  gsize size = (gsize) MIN (arguments[1].as.integer, G_MAXINT32);

  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < length && (is_last_short || i + size <= length); i += step)
    if (!add_slice (&collector, arguments, i, MIN (i + size, length)))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
check_size (NebulaVm *vm, const NebulaCell *size)
{
  return size->as.integer > 0 || _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                                                  _ ("The size is at least 1"));
}

static gboolean
call_chunk (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return check_size (vm, &arguments[1]) &&
         cut (vm, arguments, (gsize) MIN (arguments[1].as.integer, G_MAXINT32), TRUE,
              ret);
}

static gboolean
call_window (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return check_size (vm, &arguments[1]) && cut (vm, arguments, 1, FALSE, ret);
}

/* Arrays and text alike; @bound is null where nothing bounds. */
static gboolean
slice (NebulaVm *vm,
       const NebulaCell *list,
       const NebulaCell *start,
       const NebulaCell *end,
       NebulaCell *ret)
{
  NebulaCell part = *list;

  part.is_owned = FALSE;
  if (!_nebula_vm_slice (vm, &part, start, end, FALSE))
    return FALSE;
  *ret = part;
  return TRUE;
}

static gboolean
call_take (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 size = arguments[1].as.integer;
  NebulaCell zero = _nebula_cell_integer (0);

  /* take (x, -2) takes from the end. */
  return size < 0 ? slice (vm, arguments, &arguments[1], NULL, ret)
                  : slice (vm, arguments, &zero, &arguments[1], ret);
}

static gboolean
call_skip (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return arguments[1].as.integer < 0 ? slice (vm, arguments, NULL, &arguments[1], ret)
                                     : slice (vm, arguments, &arguments[1], NULL, ret);
}

static gboolean
call_slice (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return slice (vm, arguments, &arguments[1], count > 2 ? &arguments[2] : NULL, ret);
}

static gboolean
pick_end (NebulaVm *vm, NebulaCell *list, gint64 index, NebulaCell *ret)
{
  NebulaCell part = *list;
  NebulaCell at = _nebula_cell_integer (index);

  if (!_nebula_cell_is (list, NEBULA_VALUE_KIND_ARRAY) &&
      !_nebula_cell_is (list, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("This takes an array or text, not %s"),
                            _nebula_cell_to_words (list));
  part.is_owned = FALSE;
  if (!_nebula_vm_index (vm, &part, &at, TRUE))
    return FALSE;
  *ret = part;
  return TRUE;
}

static gboolean
call_first (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return pick_end (vm, arguments, 0, ret);
}

static gboolean
call_last (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return pick_end (vm, arguments, -1, ret);
}

static gboolean
call_range (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gint64 start = count > 1 ? arguments[0].as.integer : 0;
  gint64 end = arguments[count > 1 ? 1 : 0].as.integer;
  gint64 step = count > 2 ? arguments[2].as.integer : 1;

  if (step == 0)
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
                            _ ("A range cannot have steps of 0"));
  _nebula_collector_init (&collector, vm, FALSE);
  while (step > 0 ? start < end : start > end) {
    NebulaCell item = _nebula_cell_integer (start);

    if (!_nebula_vm_burn (vm, 1) || !_nebula_collector_add (&collector, &item))
      return FALSE;
    if (__builtin_add_overflow (start, step, &start))
      break;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_concat (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  for (guint i = 0; i < count; i++)
    if (!flatten_into (&collector, arguments[i].as.value, 0))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_append (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  if (!flatten_into (&collector, arguments[0].as.value, 0))
    return FALSE;
  for (guint i = 1; i < count; i++)
    if (!_nebula_collector_add (&collector, &arguments[i]))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_prepend (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  for (guint i = 1; i < count; i++)
    if (!_nebula_collector_add (&collector, &arguments[i]))
      return FALSE;
  return flatten_into (&collector, arguments[0].as.value, 0) &&
         _nebula_collector_end (&collector, ret);
}

static gboolean
call_compact (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < get_count (arguments); i++) {
    NebulaValue *item = get_item (arguments, i);

    if (!_nebula_vm_burn (vm, 1) ||
        (!nebula_value_is_null (item) && !_nebula_collector_add_value (&collector, item)))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static glong
count_characters (const char *text, gsize bytes)
{
  return g_utf8_strlen (text, (gssize) bytes);
}

static gboolean
call_index_of (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  const char *text, *part, *found;
  gsize length, part_length;
  gboolean is_text = _nebula_cell_is (arguments, NEBULA_VALUE_KIND_STRING);

  if (is_text != _nebula_cell_is (&arguments[1], NEBULA_VALUE_KIND_STRING) && is_text)
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("In text only text can be found, not %s"),
                            _nebula_cell_to_words (&arguments[1]));
  *ret = _nebula_cell_integer (-1);
  if (is_text) {
    text = _nebula_cell_get_string (&arguments[0], &length);
    part = _nebula_cell_get_string (&arguments[1], &part_length);
    found = memmem (text, length, part, part_length);
    if (found != NULL)
      *ret = _nebula_cell_integer (count_characters (text, (gsize) (found - text)));
    return _nebula_vm_burn (vm, length / 64);
  }
  if (!_nebula_cell_is (arguments, NEBULA_VALUE_KIND_ARRAY))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                            _ ("“index_of” takes an array or text, not %s"),
                            _nebula_cell_to_words (arguments));
  for (gsize i = 0; i < get_count (arguments) && ret->as.integer < 0; i++) {
    NebulaCell item = _nebula_cell_borrow (get_item (arguments, i));

    if (!_nebula_vm_burn (vm, 1))
      return FALSE;
    if (_nebula_cell_equal (&item, &arguments[1]))
      *ret = _nebula_cell_integer ((gint64) i);
  }
  return TRUE;
}

static gboolean
call_median (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  Sorter sorter = {.vm = vm};
  NebulaCell sorted, sum;
  gsize length = get_count (arguments);
  gboolean is_done;

  for (gsize i = 0; i < length; i++)
    if (!nebula_value_is_number (get_item (arguments, i)))
      return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                              _ ("“median” takes an array of numbers"));
  *ret = _nebula_cell_null ();
  if (length == 0)
    return TRUE;
  if (!sort (&sorter, arguments, NULL, &sorted))
    return FALSE;
  sum = _nebula_cell_borrow (get_item (&sorted, length / 2));
  if (length % 2 != 0) {
    _nebula_cell_own (&sum);
    *ret = sum;
    is_done = TRUE;
  } else {
    NebulaCell low = _nebula_cell_borrow (get_item (&sorted, length / 2 - 1));
    NebulaCell half = _nebula_cell_float (0.5);
    NebulaCell both;

    if (low.tag != NEBULA_CELL_VALUE && sum.tag != NEBULA_CELL_VALUE)
      is_done = _nebula_vm_give_float (
          vm, _nebula_cell_to_double (&low) / 2 + _nebula_cell_to_double (&sum) / 2, ret);
    else
      is_done = _nebula_operate (vm, NEBULA_OP_ADD, &low, &sum, &both) &&
                _nebula_operate (vm, NEBULA_OP_MULTIPLY, &both, &half, ret);
    if (is_done && (low.tag == NEBULA_CELL_VALUE || sum.tag == NEBULA_CELL_VALUE))
      _nebula_cell_release (&both);
  }
  _nebula_cell_release (&sorted);
  return is_done;
}

/* Fisher and Yates, with the random numbers of the node-run. */
static gboolean
call_shuffle (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length = get_count (arguments);
  g_autofree gsize *order = g_new (gsize, length + 1);

  for (gsize i = 0; i < length; i++)
    order[i] = i;
  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < length; i++) {
    gsize chosen = i + (gsize) (_nebula_vm_random (vm) % (length - i));
    gsize index = order[chosen];

    order[chosen] = order[i];
    if (!_nebula_vm_burn (vm, 2) ||
        !_nebula_collector_add_value (&collector, get_item (arguments, index)))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_array_more[] = {
  { "append", "push", "av", "a", "items, item…", N_("the items with these behind"), call_append, 2, NEBULA_ARITY_ANY },
  { "chunk", "batch", "ai", "a", "items, size", N_("arrays of so many items each, the last may be shorter"), call_chunk, 2, 2 },
  { "compact", "without_nulls", "a", "a", "items", N_("without the nulls"), call_compact, 1, 1 },
  { "concat", NULL, "a", "a", "items…", N_("the items of all arrays in one"), call_concat, 1, NEBULA_ARITY_ANY },
  { "difference", "except", "a", "a", "items, others", N_("the items that are not among the others, each once"), call_difference, 2, 2 },
  { "first", NULL, "l", "v", "list", N_("the first item or character, null if there is none"), call_first, 1, 1 },
  { "flatten", "flat", "ai", "a", "items, depth?", N_("with the arrays among the items taken apart"), call_flatten, 1, 2 },
  { "index_of", NULL, "lv", "i", "list, item", N_("where the item or text is first, else -1"), call_index_of, 2, 2 },
  { "intersection", "intersect", "a", "a", "items, others", N_("the items that are among the others too, each once"), call_intersection, 2, 2 },
  { "last", NULL, "l", "v", "list", N_("the last item or character, null if there is none"), call_last, 1, 1 },
  { "median", NULL, "a", "nz", "items", N_("the number in the middle, null if there is none"), call_median, 1, 1 },
  { "prepend", "unshift", "av", "a", "items, item…", N_("the items with these in front"), call_prepend, 2, NEBULA_ARITY_ANY },
  { "range", NULL, "i", "a", "start?, end, step?", N_("integers from start (0) to before end"), call_range, 1, 3 },
  { "reverse", NULL, "l", "1", "list", N_("items or characters from last to first"), call_reverse, 1, 1 },
  { "shuffle", NULL, "a", "a", "items", N_("in a random order, the same when it is computed again"), call_shuffle, 1, 1, 0, NEBULA_FUNCTION_IMPURE },
  { "skip", "drop", "li", "1", "list, count", N_("without the first items, or the last if negative"), call_skip, 2, 2 },
  { "slice", NULL, "lii", "1", "list, start, end?", N_("items or characters from start to before end"), call_slice, 2, 3 },
  { "sort", NULL, "af", "a", "items, (a, b) => number?", N_("in ascending order, stable; a lambda of one parameter gives the key"), call_sort, 1, 2, 2 },
  { "sort_by", "order_by", "afb", "a", "items, x => key, descending?", N_("in the order of the keys, stable"), call_sort_by, 2, 3, 2 },
  { "take", "limit head", "li", "1", "list, count", N_("the first items, or the last if negative"), call_take, 2, 2 },
  { "union", NULL, "a", "a", "items…", N_("the items of all arrays, each once"), call_union, 1, NEBULA_ARITY_ANY },
  { "unique", "distinct uniq unique_by dedupe", "af", "a", "items, x => key?", N_("each item (or key) once, the first is kept"), call_unique, 1, 2, 1 },
  { "window", "sliding_window", "ai", "a", "items, size", N_("all runs of so many items"), call_window, 2, 2 },
  { "zip", NULL, "a", "a", "items…", N_("arrays of the first items, the second items, and so on"), call_zip, 1, NEBULA_ARITY_ANY },
  { NULL },
};
/* clang-format on */
