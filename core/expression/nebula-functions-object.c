/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions on objects, and on whatever has a length. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression-private.h"

static gsize
get_count (const NebulaCell *container)
{
  return nebula_value_get_length (container->as.value);
}

static gboolean
fail_kind (NebulaVm *vm, const char *name, const NebulaCell *cell)
{
  return _nebula_vm_fail (
      vm, NEBULA_ERROR_TYPE,
      cell->tag == NEBULA_CELL_NULL ? _ ("Give a default for null with “??”.") : NULL,
      _ ("“%s” does not take %s as argument 1"), name, _nebula_cell_to_words (cell));
}

static gboolean
measure (const NebulaCell *cell, gint64 *ret)
{
  g_autoptr (GBytes) bytes = NULL;
  const char *text;
  gsize length;

  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_ARRAY) ||
      _nebula_cell_is (cell, NEBULA_VALUE_KIND_OBJECT)) {
    *ret = (gint64) get_count (cell);
    return TRUE;
  }
  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_BYTES)) {
    bytes = nebula_value_ref_bytes (cell->as.value);
    *ret = (gint64) g_bytes_get_size (bytes);
    return TRUE;
  }
  if (!_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING))
    return FALSE;
  text = _nebula_cell_get_string (cell, &length);
  *ret = 0;
  for (gsize i = 0; i < length; i++)
    *ret += ((guchar) text[i] & 0xc0) != 0x80;
  return TRUE;
}

static gboolean
call_length (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 length;

  if (!measure (arguments, &length))
    return fail_kind (vm, "length", arguments);
  *ret = _nebula_cell_integer (length);
  return TRUE;
}

static gboolean
call_is_empty (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 length = 0;

  if (arguments[0].tag != NEBULA_CELL_NULL && !measure (arguments, &length))
    return fail_kind (vm, "is_empty", arguments);
  *ret = _nebula_cell_boolean (length == 0);
  return TRUE;
}

static gboolean
call_is_not_empty (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  if (!call_is_empty (vm, arguments, count, ret))
    return FALSE;
  *ret = _nebula_cell_boolean (!ret->as.boolean);
  return TRUE;
}

static gboolean
add_key (NebulaCollector *collector, NebulaValue *object, gsize index)
{
  gsize length;
  const char *key = nebula_value_get_key (object, index, &length);

  return _nebula_collector_add_string (collector, key, (gssize) length);
}

typedef enum {
  KEYS,
  VALUES,
  ENTRIES,
} Part;

static gboolean
add_part (NebulaCollector *collector, NebulaValue *object, gsize index, Part part)
{
  g_auto (NebulaCollector) pair = {0};
  NebulaCell cell;

  if (part == KEYS)
    return add_key (collector, object, index);
  if (part == VALUES)
    return _nebula_collector_add_value (collector,
                                        nebula_value_get_member_at (object, index));
  _nebula_collector_init (&pair, collector->vm, FALSE);
  return add_key (&pair, object, index) &&
         _nebula_collector_add_value (&pair,
                                      nebula_value_get_member_at (object, index)) &&
         _nebula_collector_end (&pair, &cell) && _nebula_collector_add (collector, &cell);
}

static gboolean
list_parts (NebulaVm *vm, const NebulaCell *object, Part part, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, FALSE);
  for (gsize i = 0; i < get_count (object); i++)
    if (!_nebula_vm_burn (vm, 1) || !add_part (&collector, object->as.value, i, part))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_keys (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return list_parts (vm, arguments, KEYS, ret);
}

static gboolean
call_values (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return list_parts (vm, arguments, VALUES, ret);
}

static gboolean
call_entries (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return list_parts (vm, arguments, ENTRIES, ret);
}

/* A pair is [key, value] or {key, value}. */
static gboolean
set_pair (NebulaCollector *collector, NebulaValue *pair)
{
  NebulaValueKind kind = nebula_value_get_kind (pair);
  NebulaValue *key = NULL, *member = NULL;

  if (kind == NEBULA_VALUE_KIND_ARRAY && nebula_value_get_length (pair) == 2) {
    key = nebula_value_get_item (pair, 0);
    member = nebula_value_get_item (pair, 1);
  } else if (kind == NEBULA_VALUE_KIND_OBJECT) {
    key = nebula_value_get_member (pair, "key");
    member = nebula_value_get_member (pair, "value");
  }
  if (key == NULL || member == NULL ||
      nebula_value_get_kind (key) != NEBULA_VALUE_KIND_STRING)
    return _nebula_vm_fail (
        collector->vm, NEBULA_ERROR_TYPE, NULL,
        _ ("“from_entries” takes pairs: [key, value] or {key, value}, the key being text"));
  return _nebula_collector_set_value (collector, nebula_value_get_string (key),
                                      nebula_value_get_string_length (key), member);
}

static gboolean
call_from_entries (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, TRUE);
  for (gsize i = 0; i < get_count (arguments); i++)
    if (!_nebula_vm_burn (vm, 1) ||
        !set_pair (&collector, nebula_value_get_item (arguments[0].as.value, i)))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_has (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  const char *key;
  gsize length;

  if (!_nebula_cell_is (arguments, NEBULA_VALUE_KIND_OBJECT)) {
    if (arguments[0].tag != NEBULA_CELL_NULL)
      return fail_kind (vm, "has", arguments);
    *ret = _nebula_cell_boolean (FALSE);
    return TRUE;
  }
  key = _nebula_cell_get_string (&arguments[1], &length);
  *ret = _nebula_cell_boolean (
      nebula_value_get_member_length (arguments[0].as.value, key, length) != NULL);
  return TRUE;
}

/* One step of a path: a key, or a number in brackets or between dots. */
static NebulaValue *
follow (NebulaValue *value, const char *step)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  gint64 index;

  if (kind == NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_get_member (value, step);
  if (kind != NEBULA_VALUE_KIND_ARRAY ||
      !g_ascii_string_to_signed (step, 10, G_MININT32, G_MAXINT32, &index, NULL))
    return NULL;
  if (index < 0)
    index += (gint64) nebula_value_get_length (value);
  if (index < 0 || index >= (gint64) nebula_value_get_length (value))
    return NULL;
  return nebula_value_get_item (value, (gsize) index);
}

static gboolean
call_get (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  const char *path = _nebula_cell_get_string (&arguments[1], NULL);
  g_auto (GStrv) steps = NULL;
  NebulaValue *value =
      arguments[0].tag == NEBULA_CELL_VALUE ? arguments[0].as.value : NULL;

  if (!_nebula_vm_burn (vm, strlen (path)))
    return FALSE;
  if (value != NULL && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT &&
      nebula_value_has_member (value, path)) {
    *ret = _nebula_cell_borrow (nebula_value_get_member (value, path));
    return TRUE;
  }
  steps = g_strsplit_set (path, ".[", -1);
  for (guint i = 0; steps[i] != NULL && value != NULL; i++) {
    gsize length = strlen (steps[i]);

    if (length > 1 && steps[i][length - 1] == ']')
      steps[i][length - 1] = '\0';
    if (length > 0)
      value = follow (value, steps[i]);
  }
  *ret = _nebula_cell_null ();
  if (value != NULL && !nebula_value_is_null (value))
    *ret = _nebula_cell_borrow (value);
  else if (count > 2)
    *ret = arguments[2];
  ret->is_owned = FALSE;
  return TRUE;
}

static gboolean
copy_members (NebulaCollector *collector, NebulaValue *object)
{
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    gsize length;
    const char *key = nebula_value_get_key (object, i, &length);

    if (!_nebula_vm_burn (collector->vm, 1) ||
        !_nebula_collector_set_value (collector, key, length,
                                      nebula_value_get_member_at (object, i)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
call_set (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  gsize length;
  const char *key = _nebula_cell_get_string (&arguments[1], &length);

  _nebula_collector_init (&collector, vm, TRUE);
  return copy_members (&collector, arguments[0].as.value) &&
         _nebula_collector_set (&collector, key, length, &arguments[2]) &&
         _nebula_collector_end (&collector, ret);
}

/* Whether @key is among the arguments after the first: texts, or one array of texts. */
static gboolean
is_listed (const NebulaCell *arguments, guint count, const char *key, gsize length)
{
  g_autoptr (NebulaValue) text = nebula_value_new_string_length (key, length);

  for (guint i = 1; i < count; i++) {
    if (_nebula_cell_is (&arguments[i], NEBULA_VALUE_KIND_STRING) &&
        nebula_value_equal (text, arguments[i].as.value))
      return TRUE;
    if (!_nebula_cell_is (&arguments[i], NEBULA_VALUE_KIND_ARRAY))
      continue;
    for (gsize j = 0; j < get_count (&arguments[i]); j++)
      if (nebula_value_equal (text, nebula_value_get_item (arguments[i].as.value, j)))
        return TRUE;
  }
  return FALSE;
}

static gboolean
select_members (NebulaVm *vm,
                const NebulaCell *arguments,
                guint count,
                gboolean wanted,
                NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  NebulaValue *object = arguments[0].as.value;
  gsize cost = count;

  for (guint i = 1; i < count; i++)
    if (_nebula_cell_is (&arguments[i], NEBULA_VALUE_KIND_ARRAY))
      cost += get_count (&arguments[i]);
  _nebula_collector_init (&collector, vm, TRUE);
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    gsize length;
    const char *key = nebula_value_get_key (object, i, &length);

    if (!_nebula_vm_burn (vm, cost))
      return FALSE;
    if (is_listed (arguments, count, key, length) == wanted &&
        !_nebula_collector_set_value (&collector, key, length,
                                      nebula_value_get_member_at (object, i)))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_pick (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return select_members (vm, arguments, count, TRUE, ret);
}

static gboolean
call_omit (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return select_members (vm, arguments, count, FALSE, ret);
}

static gboolean
call_merge (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, TRUE);
  for (guint i = 0; i < count; i++)
    if (!copy_members (&collector, arguments[i].as.value))
      return FALSE;
  return _nebula_collector_end (&collector, ret);
}

static gboolean
is_object (NebulaValue *value)
{
  return value != NULL && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
}

/* Objects in both are merged in turn; all else of the second replaces. Depth is that of the values, at most 128. */
static gboolean
merge_deep (NebulaVm *vm, NebulaValue *left, NebulaValue *right, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};

  _nebula_collector_init (&collector, vm, TRUE);
  if (!copy_members (&collector, left))
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (right); i++) {
    gsize length;
    const char *key = nebula_value_get_key (right, i, &length);
    NebulaValue *member = nebula_value_get_member_at (right, i);
    NebulaValue *old = nebula_value_get_member_length (left, key, length);
    NebulaCell cell = _nebula_cell_borrow (member);

    if (!_nebula_vm_burn (vm, 1) ||
        (is_object (old) && is_object (member) && !merge_deep (vm, old, member, &cell)) ||
        !_nebula_collector_set (&collector, key, length, &cell))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_deep_merge (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  NebulaCell sum = arguments[0];

  sum.is_owned = FALSE;
  for (guint i = 1; i < count; i++) {
    NebulaCell next;
    gboolean is_done = merge_deep (vm, sum.as.value, arguments[i].as.value, &next);

    _nebula_cell_release (&sum);
    if (!is_done)
      return FALSE;
    sum = next;
  }
  *ret = sum;
  return TRUE;
}

/* Calls the lambda with (value, key). */
static gboolean
call_member (NebulaVm *vm,
             NebulaValue *object,
             gsize index,
             const NebulaCell *function,
             NebulaCell *ret)
{
  g_autoptr (NebulaValue) key = NULL;
  NebulaCell pair[2];
  gsize length;
  const char *text = nebula_value_get_key (object, index, &length);

  key = nebula_value_new_string_length (text, length);
  pair[0] = _nebula_cell_borrow (nebula_value_get_member_at (object, index));
  pair[1] = _nebula_cell_borrow (key);
  return _nebula_vm_burn (vm, 1) && _nebula_vm_call (vm, function, pair, 2, ret);
}

static gboolean
call_map_values (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  NebulaValue *object = arguments[0].as.value;

  _nebula_collector_init (&collector, vm, TRUE);
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    gsize length;
    const char *key = nebula_value_get_key (object, i, &length);
    NebulaCell member;

    if (!call_member (vm, object, i, &arguments[1], &member) ||
        !_nebula_collector_set (&collector, key, length, &member))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

/* The lambda gets (key, value) and gives the new key as text. */
static gboolean
call_map_keys (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  NebulaValue *object = arguments[0].as.value;

  _nebula_collector_init (&collector, vm, TRUE);
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    g_autoptr (NebulaValue) key = NULL;
    NebulaCell pair[2], name;
    gsize length;
    const char *text = nebula_value_get_key (object, i, &length);
    gboolean is_done;

    key = nebula_value_new_string_length (text, length);
    pair[0] = _nebula_cell_borrow (key);
    pair[1] = _nebula_cell_borrow (nebula_value_get_member_at (object, i));
    if (!_nebula_vm_burn (vm, 1) || !_nebula_vm_call (vm, &arguments[1], pair, 2, &name))
      return FALSE;
    is_done = _nebula_cell_is (&name, NEBULA_VALUE_KIND_STRING);
    if (!is_done)
      _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                       _ ("The key of a member is text, not %s"),
                       _nebula_cell_to_words (&name));
    else
      is_done = _nebula_collector_set_value (
          &collector, nebula_value_get_string (name.as.value),
          nebula_value_get_string_length (name.as.value),
          nebula_value_get_member_at (object, i));
    _nebula_cell_release (&name);
    if (!is_done)
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

static gboolean
call_invert (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_auto (NebulaCollector) collector = {0};
  g_autoptr (GString) name = g_string_new (NULL);
  NebulaValue *object = arguments[0].as.value;

  _nebula_collector_init (&collector, vm, TRUE);
  for (gsize i = 0; i < nebula_value_get_length (object); i++) {
    NebulaCell value = _nebula_cell_borrow (nebula_value_get_member_at (object, i));
    NebulaCell cell;
    gsize length;
    const char *key = nebula_value_get_key (object, i, &length);

    g_string_truncate (name, 0);
    _nebula_cell_append_text (&value, name);
    if (!_nebula_vm_burn (vm, 1) ||
        !_nebula_vm_give_string (vm, key, (gssize) length, &cell) ||
        !_nebula_collector_set (&collector, name->str, name->len, &cell))
      return FALSE;
  }
  return _nebula_collector_end (&collector, ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_object[] = {
  { "deep_merge", "merge_deep", "o", "o", "object…", N_("the members of all, objects in the same place merged in turn"), call_deep_merge, 1, NEBULA_ARITY_ANY },
  { "entries", "to_entries to_pairs", "o", "a", "object", N_("an array of [key, value]"), call_entries, 1, 1 },
  { "from_entries", "from_pairs", "a", "o", "pairs", N_("an object out of [key, value] or {key, value}"), call_from_entries, 1, 1 },
  { "get", NULL, "vsv", "v", "value, path, fallback?", N_("what is at a path such as a.b[0], else the fallback or null"), call_get, 2, 3 },
  { "has", "has_key has_field", "vs", "b", "object, key", N_("whether the object has the key"), call_has, 2, 2 },
  { "invert", NULL, "o", "o", "object", N_("an object value → key"), call_invert, 1, 1 },
  { "is_empty", NULL, "v", "b", "value", N_("whether it is null or has no characters, items or members"), call_is_empty, 1, 1 },
  { "is_not_empty", NULL, "v", "b", "value", N_("whether it has characters, items or members"), call_is_not_empty, 1, 1 },
  { "keys", NULL, "o", "a", "object", N_("the keys of an object"), call_keys, 1, 1 },
  { "length", "len size", "v", "i", "value", N_("characters of text, items of an array, members of an object, bytes"), call_length, 1, 1 },
  { "map_keys", NULL, "of", "o", "object, (key, value) => key", N_("an object with other keys"), call_map_keys, 2, 2, 2 },
  { "map_values", NULL, "of", "o", "object, (value, key) => value", N_("an object with other values"), call_map_values, 2, 2, 2 },
  { "merge", "assign", "o", "o", "object…", N_("the members of all, later ones replace"), call_merge, 1, NEBULA_ARITY_ANY },
  { "omit", "without remove remove_field", "ov", "o", "object, key…", N_("without these keys"), call_omit, 2, NEBULA_ARITY_ANY },
  { "pick", "keep", "ov", "o", "object, key…", N_("only these keys"), call_pick, 2, NEBULA_ARITY_ANY },
  { "set", "set_field with", "osv", "o", "object, key, value", N_("with this member changed or added"), call_set, 3, 3 },
  { "values", NULL, "o", "a", "object", N_("the values of an object"), call_values, 1, 1 },
  { NULL },
};
/* clang-format on */
