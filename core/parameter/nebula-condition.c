/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-condition.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"

#define MAX_DEPTH 16

typedef gboolean (*Test) (NebulaValue *actual, NebulaValue *expected);
typedef gboolean (*Check) (NebulaValue *expected);

static gboolean
is_empty (NebulaValue *value)
{
  if (value == NULL)
    return TRUE;

  switch (nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_NULL:
    return TRUE;
  case NEBULA_VALUE_KIND_STRING:
    return nebula_value_get_string_length (value) == 0;
  case NEBULA_VALUE_KIND_ARRAY:
  case NEBULA_VALUE_KIND_OBJECT:
    return nebula_value_get_length (value) == 0;
  case NEBULA_VALUE_KIND_BOOLEAN:
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
    return FALSE;
  }
}

static gboolean
has_kind (NebulaValue *value, NebulaValueKind kind)
{
  return value != NULL && nebula_value_get_kind (value) == kind;
}

/* Tests on one parameter by name alone. */

static gboolean
test_set (NebulaValue *actual, NebulaValue *expected)
{
  return actual != NULL && !nebula_value_is_null (actual);
}

static gboolean
test_empty (NebulaValue *actual, NebulaValue *expected)
{
  return is_empty (actual);
}

static gboolean
test_true (NebulaValue *actual, NebulaValue *expected)
{
  return has_kind (actual, NEBULA_VALUE_KIND_BOOLEAN) && nebula_value_get_boolean (actual);
}

static gboolean
test_false (NebulaValue *actual, NebulaValue *expected)
{
  return has_kind (actual, NEBULA_VALUE_KIND_BOOLEAN) && !nebula_value_get_boolean (actual);
}

/* Tests that compare with something. */

static gboolean
test_equals (NebulaValue *actual, NebulaValue *expected)
{
  return actual != NULL && nebula_value_equal (actual, expected);
}

static gboolean
test_not_equals (NebulaValue *actual, NebulaValue *expected)
{
  return !test_equals (actual, expected);
}

static gboolean
compare (NebulaValue *actual, NebulaValue *expected, gint *ret_order)
{
  return actual != NULL && nebula_value_compare (actual, expected, ret_order, NULL);
}

static gboolean
test_greater (NebulaValue *actual, NebulaValue *expected)
{
  gint order = 0;

  return compare (actual, expected, &order) && order > 0;
}

static gboolean
test_less (NebulaValue *actual, NebulaValue *expected)
{
  gint order = 0;

  return compare (actual, expected, &order) && order < 0;
}

static gboolean
is_pair (NebulaValue *expected)
{
  return has_kind (expected, NEBULA_VALUE_KIND_ARRAY) && nebula_value_get_length (expected) == 2;
}

static gboolean
test_in_range (NebulaValue *actual, NebulaValue *expected)
{
  gint low = 0, high = 0;

  if (!is_pair (expected))
    return FALSE;
  return compare (actual, nebula_value_get_item (expected, 0), &low) && low >= 0 &&
         compare (actual, nebula_value_get_item (expected, 1), &high) && high <= 0;
}

static gboolean
is_array (NebulaValue *expected)
{
  return has_kind (expected, NEBULA_VALUE_KIND_ARRAY);
}

static gboolean
array_has (NebulaValue *array, NebulaValue *item)
{
  gsize n_items = nebula_value_get_length (array);

  for (gsize i = 0; i < n_items; i++) {
    if (nebula_value_equal (nebula_value_get_item (array, i), item))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_text (NebulaValue *expected)
{
  return has_kind (expected, NEBULA_VALUE_KIND_STRING);
}

static gboolean
test_contains (NebulaValue *actual, NebulaValue *expected)
{
  if (has_kind (actual, NEBULA_VALUE_KIND_ARRAY))
    return array_has (actual, expected);
  if (!is_text (expected))
    return FALSE;
  if (has_kind (actual, NEBULA_VALUE_KIND_OBJECT))
    return nebula_value_has_member (actual, nebula_value_get_string (expected));
  return has_kind (actual, NEBULA_VALUE_KIND_STRING) &&
         strstr (nebula_value_get_string (actual), nebula_value_get_string (expected)) != NULL;
}

static gboolean
test_starts_with (NebulaValue *actual, NebulaValue *expected)
{
  return is_text (actual) && is_text (expected) &&
         g_str_has_prefix (nebula_value_get_string (actual), nebula_value_get_string (expected));
}

static gboolean
test_ends_with (NebulaValue *actual, NebulaValue *expected)
{
  return is_text (actual) && is_text (expected) &&
         g_str_has_suffix (nebula_value_get_string (actual), nebula_value_get_string (expected));
}

static gboolean
test_one_of (NebulaValue *actual, NebulaValue *expected)
{
  return actual != NULL && is_array (expected) && array_has (expected, actual);
}

typedef struct
{
  const char *name;
  gboolean compares; /* an object parameter → expected value; else a name or names */
  Test test;
  Check check; /* of the expected value; NULL: any */
} Operator;

static const Operator operators[] = {
  { "equals", TRUE, test_equals, NULL },
  { "not-equals", TRUE, test_not_equals, NULL },
  { "set", FALSE, test_set, NULL },
  { "empty", FALSE, test_empty, NULL },
  { "true", FALSE, test_true, NULL },
  { "false", FALSE, test_false, NULL },
  { "greater", TRUE, test_greater, NULL },
  { "less", TRUE, test_less, NULL },
  { "in-range", TRUE, test_in_range, is_pair },
  { "contains", TRUE, test_contains, NULL },
  { "starts-with", TRUE, test_starts_with, is_text },
  { "ends-with", TRUE, test_ends_with, is_text },
  { "one-of", TRUE, test_one_of, is_array },
};

static const Operator *
find_operator (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (operators); i++) {
    if (strcmp (operators[i].name, name) == 0)
      return &operators[i];
  }
  return NULL;
}

static gboolean condition_check (NebulaValue *condition, guint depth, GError **error);
static gboolean condition_holds (NebulaValue *condition, NebulaValue *values, guint depth);

static gboolean
refuse (GError **error, const char *name)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _("The condition “%s” does not have the form that it needs. Compare it with the list of conditions "
                 "in the documentation of parameters"),
               name);
  return FALSE;
}

static gboolean
check_names (const char *name, NebulaValue *names, GError **error)
{
  if (is_text (names))
    return TRUE;
  if (!is_array (names))
    return refuse (error, name);

  for (gsize i = 0; i < nebula_value_get_length (names); i++) {
    if (!is_text (nebula_value_get_item (names, i)))
      return refuse (error, name);
  }
  return TRUE;
}

static gboolean
check_operands (const Operator *operator, NebulaValue *operands, GError **error)
{
  if (!operator->compares)
    return check_names (operator->name, operands, error);
  if (!has_kind (operands, NEBULA_VALUE_KIND_OBJECT))
    return refuse (error, operator->name);

  for (gsize i = 0; operator->check != NULL && i < nebula_value_get_length (operands); i++) {
    if (!operator->check (nebula_value_get_member_at (operands, i)))
      return refuse (error, operator->name);
  }
  return TRUE;
}

static gboolean
check_list (const char *name, NebulaValue *list, guint depth, GError **error)
{
  if (!is_array (list))
    return refuse (error, name);

  for (gsize i = 0; i < nebula_value_get_length (list); i++) {
    if (!condition_check (nebula_value_get_item (list, i), depth + 1, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_member (const char *name, NebulaValue *operands, guint depth, GError **error)
{
  const Operator *operator = find_operator (name);

  if (operator != NULL)
    return check_operands (operator, operands, error);
  if (g_str_equal (name, "not"))
    return condition_check (operands, depth + 1, error);
  if (g_str_equal (name, "all") || g_str_equal (name, "any"))
    return check_list (name, operands, depth, error);

  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _("There is no condition named “%s”. Write one of equals, not-equals, set, empty, true, false, "
                 "greater, less, in-range, contains, starts-with, ends-with, one-of, all, any, not"),
               name);
  return FALSE;
}

static gboolean
condition_check (NebulaValue *condition, guint depth, GError **error)
{
  if (depth > MAX_DEPTH) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP,
                 _("A condition is nested deeper than %d. Write it with fewer levels"), MAX_DEPTH);
    return FALSE;
  }
  if (!has_kind (condition, NEBULA_VALUE_KIND_OBJECT)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _("A condition must be an object such as {\"set\": \"name\"}"));
    return FALSE;
  }

  for (gsize i = 0; i < nebula_value_get_length (condition); i++) {
    if (!check_member (nebula_value_get_key (condition, i, NULL), nebula_value_get_member_at (condition, i), depth, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
names_hold (const Operator *operator, NebulaValue *names, NebulaValue *values)
{
  if (is_text (names))
    return operator->test (nebula_value_get_member (values, nebula_value_get_string (names)), NULL);

  for (gsize i = 0; i < nebula_value_get_length (names); i++) {
    const char *name = nebula_value_get_string (nebula_value_get_item (names, i));

    if (!operator->test (nebula_value_get_member (values, name), NULL))
      return FALSE;
  }
  return TRUE;
}

static gboolean
operands_hold (const Operator *operator, NebulaValue *operands, NebulaValue *values)
{
  if (!operator->compares)
    return check_names (operator->name, operands, NULL) && names_hold (operator, operands, values);
  if (!has_kind (operands, NEBULA_VALUE_KIND_OBJECT))
    return FALSE;

  for (gsize i = 0; i < nebula_value_get_length (operands); i++) {
    gsize length = 0;
    const char *name = nebula_value_get_key (operands, i, &length);

    if (!operator->test (nebula_value_get_member_length (values, name, length), nebula_value_get_member_at (operands, i)))
      return FALSE;
  }
  return TRUE;
}

static gboolean
list_holds (NebulaValue *list, NebulaValue *values, gboolean all, guint depth)
{
  if (!is_array (list))
    return FALSE;

  for (gsize i = 0; i < nebula_value_get_length (list); i++) {
    if (condition_holds (nebula_value_get_item (list, i), values, depth + 1) != all)
      return !all;
  }
  return all;
}

static gboolean
member_holds (const char *name, NebulaValue *operands, NebulaValue *values, guint depth)
{
  const Operator *operator = find_operator (name);

  if (operator != NULL)
    return operands_hold (operator, operands, values);
  if (g_str_equal (name, "not"))
    return !condition_holds (operands, values, depth + 1);
  if (g_str_equal (name, "all"))
    return list_holds (operands, values, TRUE, depth);
  if (g_str_equal (name, "any"))
    return list_holds (operands, values, FALSE, depth);
  return FALSE;
}

static gboolean
condition_holds (NebulaValue *condition, NebulaValue *values, guint depth)
{
  if (depth > MAX_DEPTH || !has_kind (condition, NEBULA_VALUE_KIND_OBJECT))
    return FALSE;

  for (gsize i = 0; i < nebula_value_get_length (condition); i++) {
    const char *name = nebula_value_get_key (condition, i, NULL);

    if (!member_holds (name, nebula_value_get_member_at (condition, i), values, depth))
      return FALSE;
  }
  return TRUE;
}

gboolean
_nebula_condition_check (NebulaValue *condition, GError **error)
{
  return condition_check (condition, 0, error);
}

gboolean
_nebula_condition_holds (NebulaValue *condition, NebulaValue *values)
{
  return condition_holds (condition, values, 0);
}
