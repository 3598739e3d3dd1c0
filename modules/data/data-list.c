/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays in, arrays out: filter, map, sort, limit, dedupe. */
#include "data.h"

#include <glib/gi18n-lib.h>

#define CATEGORY N_ ("Data")

NebulaParameter *
nebula_data_add_items (NebulaActionClass *action)
{
  NebulaParameter *items = nebula_action_class_add_parameter (action, "items", NEBULA_PARAMETER_KIND_LIST, N_ ("Items"),
                                                              N_ ("The array to work on."));

  nebula_parameter_add_flags (items, NEBULA_PARAMETER_FLAGS_REQUIRED);
  return items;
}

static void
add_expression (NebulaActionClass *action, const char *name, const char *title, const char *description, gboolean required)
{
  NebulaParameter *parameter =
      nebula_action_class_add_parameter (action, name, NEBULA_PARAMETER_KIND_EXPRESSION, title, description);

  if (required)
    nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
}

static void
set_missing (GError **error, const char *name)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PARAMETER, _("The parameter “%s” is required. Set it"), name);
}

NebulaValue *
nebula_data_get_items (const NebulaArguments *arguments, GError **error)
{
  NebulaValue *items = nebula_arguments_get (arguments, "items");

  if (items == NULL) {
    set_missing (error, "items");
    return NULL;
  }
  if (nebula_value_get_kind (items) == NEBULA_VALUE_KIND_ARRAY)
    return items;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE, _("The parameter “items” must be an array"));
  return NULL;
}

NebulaExpression *
nebula_data_get_expression (const NebulaArguments *arguments, const char *name, GError **error)
{
  NebulaExpression *expression = nebula_arguments_get_expression (arguments, name);

  if (expression == NULL)
    set_missing (error, name);
  return expression;
}

/* data.filter */

NEBULA_DEFINE_ACTION (NebulaDataFilter, nebula_data_filter)

/* A condition is a boolean; null counts as false. */
static gboolean
is_wanted (NebulaValue *verdict, gsize index, gboolean *ret_wanted, GError **error)
{
  *ret_wanted = FALSE;
  if (nebula_value_is_null (verdict))
    return TRUE;
  if (nebula_value_get_kind (verdict) == NEBULA_VALUE_KIND_BOOLEAN) {
    *ret_wanted = nebula_value_get_boolean (verdict);
    return TRUE;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
               _("The condition “where” gave a value of the kind %s for item %zu. "
                 "Compare it with something, so that it is true or false"),
               nebula_value_kind_to_string (nebula_value_get_kind (verdict)), index);
  return FALSE;
}

static NebulaValue *
nebula_data_filter_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *items = nebula_data_get_items (arguments, error);
  NebulaExpression *where = items != NULL ? nebula_data_get_expression (arguments, "where", error) : NULL;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  if (where == NULL)
    return NULL;
  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    NebulaValue *item = nebula_value_get_item (items, i);
    g_autoptr (NebulaValue) verdict = nebula_arguments_evaluate_item (arguments, where, item, (gint64) i, error);
    gboolean wanted = FALSE;

    if (verdict == NULL || !is_wanted (verdict, i, &wanted, error))
      return NULL;
    if (wanted)
      nebula_value_builder_add (builder, item);
  }
  return nebula_value_builder_end (builder);
}

static void
nebula_data_filter_class_init (NebulaDataFilterClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "data.filter", "1.0.0", N_ ("Filter"),
                                   N_ ("Keeps the items for which a condition holds."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_data_filter_evaluate);
  nebula_action_class_set_result (action, "{\"type\": \"array\"}");
  nebula_action_class_set_example (action, "action: data.filter\n"
                                           "with: { items: \"{{ $json }}\", where: $item.total > 100 }\n");
  nebula_data_add_items (action);
  add_expression (action, "where", N_ ("Where"), N_ ("A condition over $item and $index, without braces."), TRUE);
}

/* data.map */

NEBULA_DEFINE_ACTION (NebulaDataMap, nebula_data_map)

static NebulaValue *
nebula_data_map_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *items = nebula_data_get_items (arguments, error);
  NebulaExpression *to = items != NULL ? nebula_data_get_expression (arguments, "to", error) : NULL;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  if (to == NULL)
    return NULL;
  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    NebulaValue *item = nebula_value_get_item (items, i);
    NebulaValue *mapped = nebula_arguments_evaluate_item (arguments, to, item, (gint64) i, error);

    if (mapped == NULL)
      return NULL;
    nebula_value_builder_add_take (builder, mapped);
  }
  return nebula_value_builder_end (builder);
}

static void
nebula_data_map_class_init (NebulaDataMapClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "data.map", "1.0.0", N_ ("Map"),
                                   N_ ("Makes a new item of each item."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_data_map_evaluate);
  nebula_action_class_set_result (action, "{\"type\": \"array\"}");
  nebula_action_class_set_example (action, "action: data.map\n"
                                           "with: { items: \"{{ $json }}\", to: \"{ id: $item.id, row: $index }\" }\n");
  nebula_data_add_items (action);
  add_expression (action, "to", N_ ("To"), N_ ("The new item, over $item and $index, without braces."), TRUE);
}

/* data.sort */

NEBULA_DEFINE_ACTION (NebulaDataSort, nebula_data_sort)

typedef struct
{
  NebulaValue *item; /* borrowed */
  NebulaValue *key;
} Keyed;

typedef struct
{
  gint direction;
  GError *error; /* the first pair that has no order */
} Sorting;

static void
keyed_clear (gpointer data)
{
  nebula_value_unref (((Keyed *) data)->key);
}

static gint
compare_keyed (gconstpointer first, gconstpointer second, gpointer data)
{
  const Keyed *a = first;
  const Keyed *b = second;
  Sorting *sorting = data;
  gint order = 0;

  if (sorting->error != NULL || !nebula_value_compare (a->key, b->key, &order, &sorting->error))
    return 0;
  return order * sorting->direction;
}

static NebulaValue *
make_key (const NebulaArguments *arguments, NebulaExpression *by, NebulaValue *item, gsize index, GError **error)
{
  return by != NULL ? nebula_arguments_evaluate_item (arguments, by, item, (gint64) index, error) : nebula_value_ref (item);
}

static GArray *
make_keys (const NebulaArguments *arguments, NebulaValue *items, GError **error)
{
  NebulaExpression *by = nebula_arguments_get_expression (arguments, "by");
  g_autoptr (GArray) keyed = g_array_sized_new (FALSE, FALSE, sizeof (Keyed), (guint) nebula_value_get_length (items));

  g_array_set_clear_func (keyed, keyed_clear);
  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    Keyed entry = { nebula_value_get_item (items, i), NULL };

    entry.key = make_key (arguments, by, entry.item, i, error);
    if (entry.key == NULL)
      return NULL;
    g_array_append_val (keyed, entry);
  }
  return g_steal_pointer (&keyed);
}

static NebulaValue *
nebula_data_sort_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *items = nebula_data_get_items (arguments, error);
  NebulaValue *descending = nebula_arguments_get (arguments, "descending");
  g_autoptr (GArray) keyed = items != NULL ? make_keys (arguments, items, error) : NULL;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  Sorting sorting = { 1, NULL };

  if (keyed == NULL)
    return NULL;
  if (descending != NULL && nebula_value_get_boolean (descending))
    sorting.direction = -1;

  g_array_sort_with_data (keyed, compare_keyed, &sorting); /* stable */
  if (sorting.error != NULL) {
    g_propagate_error (error, sorting.error);
    return NULL;
  }
  for (guint i = 0; i < keyed->len; i++)
    nebula_value_builder_add (builder, g_array_index (keyed, Keyed, i).item);
  return nebula_value_builder_end (builder);
}

static void
nebula_data_sort_class_init (NebulaDataSortClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  g_autoptr (NebulaValue) fallback = nebula_value_new_boolean (FALSE);
  NebulaParameter *descending;

  nebula_action_class_set_details (action, "data.sort", "1.0.0", N_ ("Sort"),
                                   N_ ("Puts items in order; equal ones keep theirs."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_data_sort_evaluate);
  nebula_action_class_set_result (action, "{\"type\": \"array\"}");
  nebula_action_class_set_example (action, "action: data.sort\n"
                                           "with: { items: \"{{ $json }}\", by: $item.date, descending: true }\n");
  nebula_data_add_items (action);
  add_expression (action, "by", N_ ("By"), N_ ("What is compared, over $item, without braces; else the items."), FALSE);
  descending = nebula_action_class_add_parameter (action, "descending", NEBULA_PARAMETER_KIND_BOOLEAN, N_ ("Descending"),
                                                  N_ ("The greatest first."));
  nebula_parameter_set_default (descending, fallback);
}

/* data.limit */

NEBULA_DEFINE_ACTION (NebulaDataLimit, nebula_data_limit)

static NebulaValue *
nebula_data_limit_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *items = nebula_data_get_items (arguments, error);
  NebulaValue *count = nebula_arguments_get (arguments, "count");
  gsize length;

  if (items == NULL)
    return NULL;
  if (count == NULL) {
    set_missing (error, "count");
    return NULL;
  }
  length = nebula_value_get_length (items);
  return nebula_value_slice (items, 0, MIN (length, (gsize) MAX (nebula_value_get_integer (count), 0)));
}

static void
nebula_data_limit_class_init (NebulaDataLimitClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *count;

  nebula_action_class_set_details (action, "data.limit", "1.0.0", N_ ("Limit"),
                                   N_ ("Keeps the first items."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_data_limit_evaluate);
  nebula_action_class_set_result (action, "{\"type\": \"array\"}");
  nebula_action_class_set_example (action, "action: data.limit\n"
                                           "with: { items: \"{{ $json }}\", count: 10 }\n");
  nebula_data_add_items (action);
  count = nebula_action_class_add_parameter (action, "count", NEBULA_PARAMETER_KIND_INTEGER, N_ ("Count"),
                                             N_ ("How many items to keep."));
  nebula_parameter_add_flags (count, NEBULA_PARAMETER_FLAGS_REQUIRED);
  nebula_parameter_set_range (count, 0, (double) G_MAXINT64);
}

/* data.dedupe */

NEBULA_DEFINE_ACTION (NebulaDataDedupe, nebula_data_dedupe)

static NebulaValue *
nebula_data_dedupe_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *items = nebula_data_get_items (arguments, error);
  NebulaExpression *by = nebula_arguments_get_expression (arguments, "by");
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full ((GHashFunc) nebula_value_hash, (GEqualFunc) nebula_value_equal,
                                                       (GDestroyNotify) nebula_value_unref, NULL);

  if (items == NULL)
    return NULL;
  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    NebulaValue *item = nebula_value_get_item (items, i);
    NebulaValue *key = make_key (arguments, by, item, i, error);

    if (key == NULL)
      return NULL;
    if (g_hash_table_add (seen, key))
      nebula_value_builder_add (builder, item);
  }
  return nebula_value_builder_end (builder);
}

static void
nebula_data_dedupe_class_init (NebulaDataDedupeClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  nebula_action_class_set_details (action, "data.dedupe", "1.0.0", N_ ("Remove duplicates"),
                                   N_ ("Keeps the first of equal items."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_data_dedupe_evaluate);
  nebula_action_class_set_result (action, "{\"type\": \"array\"}");
  nebula_action_class_set_example (action, "action: data.dedupe\n"
                                           "with: { items: \"{{ $json }}\", by: $item.email }\n");
  nebula_data_add_items (action);
  add_expression (action, "by", N_ ("By"), N_ ("What is compared, over $item, without braces; else the items."), FALSE);
}
