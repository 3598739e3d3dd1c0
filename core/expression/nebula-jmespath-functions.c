/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions of JMESPath. Those that expressions have too are the same ones. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-jmespath-private.h"

typedef NebulaValue *(*Call) (NebulaVm *vm, NebulaValue **arguments, guint count);
typedef NebulaValue *(*CallWith) (NebulaVm *vm,
                                  NebulaValue *items,
                                  const NebulaJmespathNode *expression);

/*
 * `kinds` has a letter for each argument, the last one repeats: v anything, s text, n number, a array, o object,
 * N array of numbers, S array of texts, B array of numbers or of texts, l text, array or object, L text or array,
 * e expression.
 */
struct _NebulaJmespathFunction {
  const char *name;
  const char *kinds;
  guint min, max;
  const char *own; /* the function of expressions that does it */
  Call call;
  CallWith call_with;
};

static gboolean
is_kind (NebulaValue *value, NebulaValueKind kind)
{
  return nebula_value_get_kind (value) == kind;
}

static gboolean
is_all (NebulaValue *array, gboolean is_text)
{
  if (!is_kind (array, NEBULA_VALUE_KIND_ARRAY))
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (array); i++) {
    NebulaValue *item = nebula_value_get_item (array, i);

    if (is_text ? !is_kind (item, NEBULA_VALUE_KIND_STRING)
                : !nebula_value_is_number (item))
      return FALSE;
  }
  return TRUE;
}

static gboolean
fits (NebulaValue *value, char letter)
{
  gboolean is_text = is_kind (value, NEBULA_VALUE_KIND_STRING);
  gboolean is_array = is_kind (value, NEBULA_VALUE_KIND_ARRAY);
  gboolean is_object = is_kind (value, NEBULA_VALUE_KIND_OBJECT);

  switch (letter) {
  case 's':
    return is_text;
  case 'n':
    return nebula_value_is_number (value);
  case 'a':
    return is_array;
  case 'o':
    return is_object;
  case 'N':
    return is_all (value, FALSE);
  case 'S':
    return is_all (value, TRUE);
  case 'B':
    return is_all (value, FALSE) || is_all (value, TRUE);
  case 'l':
    return is_text || is_array || is_object;
  case 'L':
    return is_text || is_array;
  default:
    return TRUE;
  }
}

/* Runs a function of expressions on values. */
static NebulaValue *
call_own (NebulaVm *vm, const char *name, NebulaValue **arguments, guint count)
{
  const NebulaFunction *function = _nebula_functions_find (name, NULL);
  NebulaCell cells[8];
  NebulaCell result = _nebula_cell_null ();

  for (guint i = 0; i < MIN (count, G_N_ELEMENTS (cells)); i++)
    cells[i] = _nebula_cell_borrow (arguments[i]);
  if (!_nebula_function_call (vm, function, cells, MIN (count, G_N_ELEMENTS (cells)),
                              &result))
    return NULL;
  return _nebula_cell_to_value (&result);
}

static NebulaValue *
call_merge (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  g_autoptr (NebulaValue) merged = nebula_value_new_empty_object ();

  for (guint i = 0; i < count; i++) {
    NebulaValue *pair[2] = {merged, arguments[i]};
    NebulaValue *next = call_own (vm, "merge", pair, 2);

    if (next == NULL)
      return NULL;
    nebula_value_unref (merged);
    merged = next;
  }
  return g_steal_pointer (&merged);
}

static NebulaValue *
call_not_null (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  for (guint i = 0; i < count; i++)
    if (!nebula_value_is_null (arguments[i]))
      return nebula_value_ref (arguments[i]);
  return nebula_value_new_null ();
}

static NebulaValue *
call_contains (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  if (is_kind (arguments[0], NEBULA_VALUE_KIND_STRING) &&
      !is_kind (arguments[1], NEBULA_VALUE_KIND_STRING))
    return nebula_value_new_boolean (FALSE);
  return call_own (vm, "contains", arguments, 2);
}

static NebulaValue *
call_join (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  NebulaValue *turned[2] = {arguments[1], arguments[0]};

  return call_own (vm, "join", turned, 2);
}

static NebulaValue *
call_to_number (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  NebulaValue *number;

  if (nebula_value_is_number (arguments[0]))
    return nebula_value_ref (arguments[0]);
  if (!is_kind (arguments[0], NEBULA_VALUE_KIND_STRING))
    return nebula_value_new_null ();
  /* Text that is no number is null here, not an error. */
  number = call_own (vm, "number", arguments, 1);
  if (number == NULL &&
      g_error_matches (vm->error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA)) {
    g_clear_error (&vm->error);
    number = nebula_value_new_null ();
  }
  return number;
}

static NebulaValue *
call_to_string (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  return is_kind (arguments[0], NEBULA_VALUE_KIND_STRING)
             ? nebula_value_ref (arguments[0])
             : call_own (vm, "to_json", arguments, 1);
}

static NebulaValue *
call_to_array (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  return is_kind (arguments[0], NEBULA_VALUE_KIND_ARRAY)
             ? nebula_value_ref (arguments[0])
             : nebula_value_new_array (arguments, 1);
}

static NebulaValue *
call_type (NebulaVm *vm, NebulaValue **arguments, guint count)
{
  if (nebula_value_is_number (arguments[0]))
    return nebula_value_new_string ("number");
  return nebula_value_new_string (
      nebula_value_kind_to_string (nebula_value_get_kind (arguments[0])));
}

static NebulaValue *
run_map (NebulaVm *vm, NebulaValue *items, const NebulaJmespathNode *expression)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    NebulaValue *result =
        _nebula_jmespath_run (vm, expression, nebula_value_get_item (items, i));

    if (result == NULL)
      return NULL;
    nebula_value_builder_add_take (builder, result);
    if (!_nebula_vm_charge (vm, 8))
      return NULL;
  }
  return nebula_value_builder_end (builder);
}

/* The keys of all items: numbers, or texts. */
static NebulaValue *
read_keys (NebulaVm *vm, NebulaValue *items, const NebulaJmespathNode *expression)
{
  NebulaValue *keys = run_map (vm, items, expression);

  if (keys == NULL || fits (keys, 'B'))
    return keys;
  nebula_value_unref (keys);
  _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                   _ ("The keys of a JMESPath query are all numbers or all text"));
  return NULL;
}

static gint
compare_keys (NebulaValue *keys, gsize a, gsize b)
{
  gint order = 0;

  nebula_value_compare (nebula_value_get_item (keys, a), nebula_value_get_item (keys, b),
                        &order, NULL);
  return order;
}

static gint
compare_places (gconstpointer a, gconstpointer b, gpointer keys)
{
  gsize left = *(const gsize *) a, right = *(const gsize *) b;
  gint order = compare_keys (keys, left, right);

  return order != 0 ? order : (left > right) - (left < right);
}

static NebulaValue *
run_sort_by (NebulaVm *vm, NebulaValue *items, const NebulaJmespathNode *expression)
{
  g_autoptr (NebulaValue) keys = read_keys (vm, items, expression);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  gsize length = nebula_value_get_length (items);
  g_autofree gsize *order = g_new (gsize, length + 1);

  if (keys == NULL || !_nebula_vm_burn (vm, length * g_bit_storage (length)) ||
      !_nebula_vm_charge (vm, 16 * length))
    return NULL;
  for (gsize i = 0; i < length; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint) length, sizeof order[0], compare_places, keys);
  for (gsize i = 0; i < length; i++)
    nebula_value_builder_add (builder, nebula_value_get_item (items, order[i]));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
choose_by (NebulaVm *vm,
           NebulaValue *items,
           const NebulaJmespathNode *expression,
           int sign)
{
  g_autoptr (NebulaValue) keys = read_keys (vm, items, expression);
  gsize best = 0;

  if (keys == NULL)
    return NULL;
  if (nebula_value_get_length (items) == 0)
    return nebula_value_new_null ();
  for (gsize i = 1; i < nebula_value_get_length (items); i++)
    if (compare_keys (keys, i, best) * sign < 0)
      best = i;
  return nebula_value_ref (nebula_value_get_item (items, best));
}

static NebulaValue *
run_min_by (NebulaVm *vm, NebulaValue *items, const NebulaJmespathNode *expression)
{
  return choose_by (vm, items, expression, 1);
}

static NebulaValue *
run_max_by (NebulaVm *vm, NebulaValue *items, const NebulaJmespathNode *expression)
{
  return choose_by (vm, items, expression, -1);
}

static const NebulaJmespathFunction functions[] = {
    {"abs", "n", 1, 1, "abs", NULL, NULL},
    {"avg", "N", 1, 1, "avg", NULL, NULL},
    {"ceil", "n", 1, 1, "ceil", NULL, NULL},
    {"contains", "Lv", 2, 2, NULL, call_contains, NULL},
    {"ends_with", "s", 2, 2, "ends_with", NULL, NULL},
    {"floor", "n", 1, 1, "floor", NULL, NULL},
    {"join", "sS", 2, 2, NULL, call_join, NULL},
    {"keys", "o", 1, 1, "keys", NULL, NULL},
    {"length", "l", 1, 1, "length", NULL, NULL},
    {"map", "ea", 2, 2, NULL, NULL, run_map},
    {"max", "B", 1, 1, "max", NULL, NULL},
    {"max_by", "ae", 2, 2, NULL, NULL, run_max_by},
    {"merge", "o", 1, G_MAXUINT, NULL, call_merge, NULL},
    {"min", "B", 1, 1, "min", NULL, NULL},
    {"min_by", "ae", 2, 2, NULL, NULL, run_min_by},
    {"not_null", "v", 1, G_MAXUINT, NULL, call_not_null, NULL},
    {"reverse", "L", 1, 1, "reverse", NULL, NULL},
    {"sort", "B", 1, 1, "sort", NULL, NULL},
    {"sort_by", "ae", 2, 2, NULL, NULL, run_sort_by},
    {"starts_with", "s", 2, 2, "starts_with", NULL, NULL},
    {"sum", "N", 1, 1, "sum", NULL, NULL},
    {"to_array", "v", 1, 1, NULL, call_to_array, NULL},
    {"to_number", "v", 1, 1, NULL, call_to_number, NULL},
    {"to_string", "v", 1, 1, NULL, call_to_string, NULL},
    {"type", "v", 1, 1, NULL, call_type, NULL},
    {"values", "o", 1, 1, "values", NULL, NULL},
};

const NebulaJmespathFunction *
_nebula_jmespath_find_function (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    if (strcmp (functions[i].name, name) == 0)
      return &functions[i];
  return NULL;
}

gboolean
_nebula_jmespath_takes (const NebulaJmespathFunction *self, guint count)
{
  return count >= self->min && count <= self->max;
}

static gboolean
fail_argument (NebulaVm *vm, const NebulaJmespathFunction *self, guint argument)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                          _ ("“%s” of JMESPath does not take what is argument %u"),
                          self->name, argument + 1);
}

static char
get_letter (const NebulaJmespathFunction *self, guint argument)
{
  return self->kinds[MIN (argument, strlen (self->kinds) - 1)];
}

static gboolean
read_arguments (NebulaVm *vm,
                const NebulaJmespathNode *node,
                NebulaValue *value,
                GPtrArray *arguments)
{
  for (guint i = 0; i < node->children->len; i++) {
    const NebulaJmespathNode *child = g_ptr_array_index (node->children, i);
    gboolean is_expression = child->kind == NEBULA_JMESPATH_EXPRESSION;
    char letter = get_letter (node->function, i);
    NebulaValue *argument;

    if (is_expression != (letter == 'e'))
      return fail_argument (vm, node->function, i);
    if (is_expression)
      continue;
    argument = _nebula_jmespath_run (vm, child, value);
    if (argument == NULL)
      return FALSE;
    g_ptr_array_add (arguments, argument);
    if (!fits (argument, letter))
      return fail_argument (vm, node->function, i);
    if (g_ascii_isupper (letter) &&
        !_nebula_vm_burn (vm, nebula_value_get_size_bytes (argument) / 64))
      return FALSE;
  }
  return TRUE;
}

static const NebulaJmespathNode *
find_expression (const NebulaJmespathNode *node)
{
  for (guint i = 0; i < node->children->len; i++) {
    const NebulaJmespathNode *child = g_ptr_array_index (node->children, i);

    if (child->kind == NEBULA_JMESPATH_EXPRESSION)
      return child->left;
  }
  return NULL;
}

NebulaValue *
_nebula_jmespath_call (NebulaVm *vm, const NebulaJmespathNode *node, NebulaValue *value)
{
  const NebulaJmespathFunction *function = node->function;
  g_autoptr (GPtrArray) arguments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);

  if (!read_arguments (vm, node, value, arguments))
    return NULL;
  if (function->call_with != NULL)
    return function->call_with (vm, g_ptr_array_index (arguments, 0),
                                find_expression (node));
  if (function->own != NULL)
    return call_own (vm, function->own, (NebulaValue **) arguments->pdata,
                     arguments->len);
  return function->call (vm, (NebulaValue **) arguments->pdata, arguments->len);
}
