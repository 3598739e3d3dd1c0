/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups of items: group, aggregate. */
#include "data.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define CATEGORY N_ ("Data")

typedef struct
{
  NebulaValue *key;
  NebulaValueBuilder *items;
} Group;

static void
group_free (Group *group)
{
  nebula_value_unref (group->key);
  nebula_value_builder_unref (group->items);
  g_free (group);
}

/* @groups owns, in order of first sight; @index finds by key. */
static Group *
find_group (GPtrArray *groups, GHashTable *index, NebulaValue *key)
{
  Group *group = g_hash_table_lookup (index, key);

  if (group != NULL)
    return group;
  group = g_new0 (Group, 1);
  group->key = nebula_value_ref (key);
  group->items = nebula_value_builder_new_array ();
  g_ptr_array_add (groups, group);
  g_hash_table_insert (index, group->key, group);
  return group;
}

static GPtrArray *
make_groups (const NebulaArguments *arguments, NebulaValue *items, NebulaExpression *by, GError **error)
{
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func ((GDestroyNotify) group_free);
  g_autoptr (GHashTable) index = g_hash_table_new ((GHashFunc) nebula_value_hash, (GEqualFunc) nebula_value_equal);

  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    NebulaValue *item = nebula_value_get_item (items, i);
    g_autoptr (NebulaValue) key = nebula_arguments_evaluate_item (arguments, by, item, (gint64) i, error);

    if (key == NULL)
      return NULL;
    nebula_value_builder_add (find_group (groups, index, key)->items, item);
  }
  return g_steal_pointer (&groups);
}

/* data.group */

NEBULA_DEFINE_ACTION (NebulaDataGroup, nebula_data_group)

static char *
key_to_text (NebulaValue *key, GError **error)
{
  NebulaValueKind kind = nebula_value_get_kind (key);

  if (nebula_value_is_null (key))
    return g_strdup ("null");
  if (kind != NEBULA_VALUE_KIND_ARRAY && kind != NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_to_text (key);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
               _("The key “by” of a group is of the kind %s. Make it a text or number"), nebula_value_kind_to_string (kind));
  return NULL;
}

static gboolean
add_group (NebulaValueBuilder *builder, Group *group, GError **error)
{
  g_autofree char *key = key_to_text (group->key, error);

  if (key == NULL)
    return FALSE;
  if (nebula_value_builder_has (builder, key, strlen (key))) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY,
                 _("Two different keys “by” have the same text “%s”. Make all keys texts or all keys numbers"), key);
    return FALSE;
  }
  nebula_value_builder_set_take (builder, key, nebula_value_builder_end (group->items));
  return TRUE;
}

static NebulaValue *
nebula_data_group_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *items = nebula_data_get_items (arguments, error);
  NebulaExpression *by = items != NULL ? nebula_data_get_expression (arguments, "by", error) : NULL;
  g_autoptr (GPtrArray) groups = by != NULL ? make_groups (arguments, items, by, error) : NULL;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  if (groups == NULL)
    return NULL;
  for (guint i = 0; i < groups->len; i++) {
    if (!add_group (builder, g_ptr_array_index (groups, i), error))
      return NULL;
  }
  return nebula_value_builder_end (builder);
}

static void
nebula_data_group_class_init (NebulaDataGroupClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *by;

  nebula_action_class_set_details (action, "data.group", "1.0.0", N_ ("Group"),
                                   N_ ("Makes an object: key → items, in order of first sight."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_data_group_evaluate);
  nebula_action_class_set_result (action, "{\"type\": \"object\"}");
  nebula_action_class_set_example (action, "action: data.group\n"
                                           "with: { items: \"{{ $json }}\", by: $item.country }\n");
  nebula_data_add_items (action);
  by = nebula_action_class_add_parameter (action, "by", NEBULA_PARAMETER_KIND_EXPRESSION, N_ ("By"),
                                          N_ ("The key of an item, over $item, without braces."));
  nebula_parameter_add_flags (by, NEBULA_PARAMETER_FLAGS_REQUIRED);
}

/* data.aggregate */

NEBULA_DEFINE_ACTION (NebulaDataAggregate, nebula_data_aggregate)

static gboolean
compute (const NebulaArguments *arguments, NebulaValueBuilder *builder, NebulaValue *items, NebulaValue *key, GError **error)
{
  guint n_expressions = nebula_arguments_get_n_expressions (arguments, "compute");

  for (guint i = 0; i < n_expressions; i++) {
    const char *name = NULL;
    NebulaExpression *expression = nebula_arguments_get_expression_at (arguments, "compute", i, &name);
    NebulaValue *value = nebula_arguments_evaluate_group (arguments, expression, items, key, error);

    if (value == NULL)
      return FALSE;
    nebula_value_builder_set_take (builder, name, value);
  }
  return TRUE;
}

static NebulaValue *
aggregate_all (const NebulaArguments *arguments, NebulaValue *items, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  return compute (arguments, builder, items, NULL, error) ? nebula_value_builder_end (builder) : NULL;
}

static gboolean
aggregate_group (const NebulaArguments *arguments, NebulaValueBuilder *rows, Group *group, GError **error)
{
  g_autoptr (NebulaValueBuilder) row = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) items = nebula_value_builder_end (group->items);

  nebula_value_builder_set (row, "key", group->key);
  if (!compute (arguments, row, items, group->key, error))
    return FALSE;
  nebula_value_builder_add_take (rows, nebula_value_builder_end (row));
  return TRUE;
}

static NebulaValue *
nebula_data_aggregate_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *items = nebula_data_get_items (arguments, error);
  NebulaExpression *by = nebula_arguments_get_expression (arguments, "by");
  g_autoptr (GPtrArray) groups = NULL;
  g_autoptr (NebulaValueBuilder) rows = nebula_value_builder_new_array ();

  if (items == NULL)
    return NULL;
  if (by == NULL)
    return aggregate_all (arguments, items, error);

  groups = make_groups (arguments, items, by, error);
  for (guint i = 0; groups != NULL && i < groups->len; i++) {
    if (!aggregate_group (arguments, rows, g_ptr_array_index (groups, i), error))
      return NULL;
  }
  return groups != NULL ? nebula_value_builder_end (rows) : NULL;
}

static void
nebula_data_aggregate_class_init (NebulaDataAggregateClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *parameter;

  nebula_action_class_set_details (action, "data.aggregate", "1.0.0", N_ ("Aggregate"),
                                   N_ ("Computes values over all items, or over each group of them."), CATEGORY);
  nebula_action_class_set_evaluate (action, nebula_data_aggregate_evaluate);
  nebula_action_class_set_example (action, "action: data.aggregate\n"
                                           "with:\n"
                                           "  items: \"{{ $json }}\"\n"
                                           "  by: $item.country\n"
                                           "  compute: { orders: length($items), total: \"sum($items, x => x.total)\" }\n");
  nebula_data_add_items (action);
  nebula_action_class_add_parameter (action, "by", NEBULA_PARAMETER_KIND_EXPRESSION, N_ ("By"),
                                     N_ ("The key of an item, over $item, without braces; without it all items are "
                                         "one group."));
  parameter = nebula_action_class_add_parameter (action, "compute", NEBULA_PARAMETER_KIND_EXPRESSIONS, N_ ("Compute"),
                                                 N_ ("Names, each with an expression over $items and $key."));
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
}
