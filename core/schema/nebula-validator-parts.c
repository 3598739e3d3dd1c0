/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about the parts of a value, about presence, and rules made of rules. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-validator-private.h"

#define HOLDS(name)                                                                      \
  gboolean _nebula_rule_##name (NebulaRuleRun *run, const NebulaRule *rule,              \
                                NebulaValue *value, const NebulaSchemaPlace *place)

static gboolean
is_array (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY;
}

static gboolean
is_object (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
}

/* A member that is there and not null; NULL otherwise. */
static NebulaValue *
get_given (NebulaValue *value, NebulaValue *name)
{
  NebulaValue *member =
      is_object (value)
          ? nebula_value_get_member_length (value, nebula_value_get_string (name),
                                            nebula_value_get_string_length (name))
          : NULL;

  return member && !nebula_value_is_null (member) ? member : NULL;
}

/* Always FALSE. */
static gboolean
report_member (NebulaRuleRun *run,
               const NebulaRule *rule,
               NebulaValue *name,
               const NebulaSchemaPlace *place,
               const char *reason)
{
  NebulaSchemaPlace member = {place, nebula_value_get_string (name),
                              nebula_value_get_string_length (name), 0};
  g_autofree char *pointer = NULL;

  if (!_nebula_rule_wants_more (run))
    return FALSE;
  pointer = _nebula_schema_place_to_pointer (&member);
  g_ptr_array_add (run->violations,
                   nebula_violation_new (pointer, rule->info->name, NULL, reason));
  return FALSE;
}

HOLDS (not_null)
{
  return !nebula_value_is_null (value);
}

static gboolean
require (NebulaRuleRun *run,
         const NebulaRule *rule,
         NebulaValue *value,
         NebulaValue *name,
         const NebulaSchemaPlace *place)
{
  return get_given (value, name) ||
         report_member (run, rule, name, place, _ ("it is required; give it a value"));
}

static gboolean
require_all (NebulaRuleRun *run,
             const NebulaRule *rule,
             NebulaValue *value,
             NebulaValue *names,
             const NebulaSchemaPlace *place)
{
  gboolean is_valid = TRUE;

  for (gsize i = 0; i < nebula_value_get_length (names); i++)
    is_valid &= require (run, rule, value, nebula_value_get_item (names, i), place);
  return is_valid;
}

HOLDS (required)
{
  return is_array (rule->argument) ? require_all (run, rule, value, rule->argument, place)
                                   : require (run, rule, value, rule->argument, place);
}

HOLDS (required_if)
{
  return !_nebula_rule_try (run, _nebula_rule_get_inner (rule, 0), value) ||
         require (run, rule, value, nebula_value_get_member (rule->argument, "field"),
                  place);
}

HOLDS (forbidden_if)
{
  NebulaValue *name = nebula_value_get_member (rule->argument, "field");

  return !get_given (value, name) ||
         !_nebula_rule_try (run, _nebula_rule_get_inner (rule, 0), value) ||
         report_member (run, rule, name, place,
                        _ ("it must not be given here; remove it"));
}

HOLDS (depends_on)
{
  return !get_given (value, nebula_value_get_member (rule->argument, "field")) ||
         require_all (run, rule, value, nebula_value_get_member (rule->argument, "on"),
                      place);
}

HOLDS (when)
{
  gboolean does = _nebula_rule_try (run, _nebula_rule_get_inner (rule, 0), value);
  NebulaRule *next = _nebula_rule_get_inner (rule, does ? 1 : 2);

  return !next || _nebula_rule_run (run, next, value, place);
}

HOLDS (length)
{
  g_autoptr (NebulaValue) length = NULL;
  gint least = 0, most = 0;

  if (!is_array (value) && !is_object (value))
    return FALSE;
  length = nebula_value_new_integer ((gint64) nebula_value_get_length (value));
  nebula_value_compare (length, nebula_value_get_item (rule->argument, 0), &least, NULL);
  nebula_value_compare (length, nebula_value_get_item (rule->argument, 1), &most, NULL);
  return least >= 0 && most <= 0;
}

HOLDS (each)
{
  gboolean is_valid = TRUE;

  if (!is_array (value))
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaSchemaPlace item = {place, NULL, 0, i};

    if (_nebula_rule_run (run, _nebula_rule_get_inner (rule, 0),
                          nebula_value_get_item (value, i), &item))
      continue;
    is_valid = FALSE;
    if (!_nebula_rule_wants_more (run))
      break;
  }
  return is_valid;
}

HOLDS (field)
{
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  gboolean is_valid = TRUE;

  if (!is_object (value))
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (rule->argument); i++) {
    gsize length;
    const char *key = nebula_value_get_key (rule->argument, i, &length);
    NebulaSchemaPlace member = {place, key, length, 0};
    NebulaValue *found = nebula_value_get_member_length (value, key, length);

    if (_nebula_rule_run (run, _nebula_rule_get_inner (rule, (guint) i),
                          found ? found : null, &member))
      continue;
    is_valid = FALSE;
    if (!_nebula_rule_wants_more (run))
      break;
  }
  return is_valid;
}

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full ((GHashFunc) nebula_value_hash,
                                (GEqualFunc) nebula_value_equal,
                                (GDestroyNotify) nebula_value_unref, NULL);
}

HOLDS (unique)
{
  g_autoptr (GHashTable) seen = new_set ();

  if (!is_array (value))
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!g_hash_table_add (seen, nebula_value_ref (nebula_value_get_item (value, i))))
      return FALSE;
  return TRUE;
}

HOLDS (sorted)
{
  if (!is_array (value))
    return FALSE;
  for (gsize i = 1; i < nebula_value_get_length (value); i++) {
    gint order = 0;

    if (!nebula_value_compare (nebula_value_get_item (value, i - 1),
                               nebula_value_get_item (value, i), &order, NULL) ||
        order > 0)
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_item (NebulaValue *array, NebulaValue *wanted)
{
  for (gsize i = 0; i < nebula_value_get_length (array); i++)
    if (nebula_value_equal (nebula_value_get_item (array, i), wanted))
      return TRUE;
  return FALSE;
}

HOLDS (contains_all)
{
  if (!is_array (value))
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (rule->argument); i++)
    if (!has_item (value, nebula_value_get_item (rule->argument, i)))
      return FALSE;
  return TRUE;
}

HOLDS (in)
{
  return has_item (rule->argument, value);
}

HOLDS (not_in)
{
  return !has_item (rule->argument, value);
}

HOLDS (depth)
{
  return (gint64) nebula_value_get_depth (value) <=
         nebula_value_get_integer (rule->argument);
}

HOLDS (and)
{
  gboolean is_valid = TRUE;

  for (guint i = 0; i < rule->inner->len; i++) {
    if (_nebula_rule_run (run, _nebula_rule_get_inner (rule, i), value, place))
      continue;
    is_valid = FALSE;
    if (!_nebula_rule_wants_more (run))
      break;
  }
  return is_valid;
}

static guint
count_kept (NebulaRuleRun *run, const NebulaRule *rule, NebulaValue *value, guint enough)
{
  guint count = 0;

  for (guint i = 0; i < rule->inner->len && count < enough; i++)
    count += _nebula_rule_try (run, _nebula_rule_get_inner (rule, i), value);
  return count;
}

HOLDS (or)
{
  return count_kept (run, rule, value, 1) == 1;
}

HOLDS (xor)
{
  return count_kept (run, rule, value, 2) == 1;
}

HOLDS (not )
{
  return !_nebula_rule_try (run, _nebula_rule_get_inner (rule, 0), value);
}

/* Whether an item keeps the rule. */
static gboolean
has_kept (NebulaRuleRun *run, const NebulaRule *rule, NebulaValue *value)
{
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (_nebula_rule_try (run, _nebula_rule_get_inner (rule, 0),
                          nebula_value_get_item (value, i)))
      return TRUE;
  return FALSE;
}

HOLDS (any)
{
  return is_array (value) && has_kept (run, rule, value);
}

HOLDS (none)
{
  return is_array (value) && !has_kept (run, rule, value);
}

/* How two fields compare; *ret_order is 0 if one of them is not given. FALSE: they cannot be compared. */
static gboolean
compare_fields (const NebulaRule *rule,
                NebulaValue *value,
                gint fallback,
                gint *ret_order)
{
  NebulaValue *first = get_given (value, nebula_value_get_item (rule->argument, 0));
  NebulaValue *second = get_given (value, nebula_value_get_item (rule->argument, 1));

  *ret_order = fallback;
  if (!is_object (value))
    return FALSE;
  return !first || !second || nebula_value_compare (first, second, ret_order, NULL);
}

HOLDS (equals_field)
{
  NebulaValue *first = get_given (value, nebula_value_get_item (rule->argument, 0));
  NebulaValue *second = get_given (value, nebula_value_get_item (rule->argument, 1));

  return is_object (value) &&
         (first && second ? nebula_value_equal (first, second) : first == second);
}

HOLDS (greater_field)
{
  gint order;

  return compare_fields (rule, value, 1, &order) && order > 0;
}

HOLDS (less_field)
{
  gint order;

  return compare_fields (rule, value, -1, &order) && order < 0;
}

HOLDS (range)
{
  gint order;

  return compare_fields (rule, value, 0, &order) && order <= 0;
}

/* Whole cents and the like add up exactly up to 2^53; a relative difference of 1e-9 is rounding. */
HOLDS (sum_equals)
{
  NebulaValue *names = nebula_value_get_member (rule->argument, "fields");
  NebulaValue *total = nebula_value_get_member (rule->argument, "total");
  double sum = 0, wanted;

  if (nebula_value_get_kind (total) == NEBULA_VALUE_KIND_STRING)
    total = get_given (value, total);
  if (!total || !nebula_value_is_number (total))
    return FALSE;
  wanted = nebula_value_get_float (total);
  for (gsize i = 0; i < nebula_value_get_length (names); i++) {
    NebulaValue *part = get_given (value, nebula_value_get_item (names, i));

    if (part && !nebula_value_is_number (part))
      return FALSE;
    sum += part ? nebula_value_get_float (part) : 0;
  }
  return ABS (sum - wanted) <= 1e-9 * MAX (1.0, ABS (wanted));
}

/* The fields of one item, as an array that can be compared. */
static NebulaValue *
pick (NebulaValue *item, NebulaValue *names)
{
  g_autoptr (NebulaValueBuilder) picked = nebula_value_builder_new_array ();
  gsize n = is_array (names) ? nebula_value_get_length (names) : 1;

  for (gsize i = 0; i < n; i++) {
    NebulaValue *member =
        get_given (item, is_array (names) ? nebula_value_get_item (names, i) : names);

    if (member)
      nebula_value_builder_add (picked, member);
    else
      nebula_value_builder_add_take (picked, nebula_value_new_null ());
  }
  return nebula_value_builder_end (picked);
}

HOLDS (unique_together)
{
  g_autoptr (GHashTable) seen = new_set ();

  if (!is_array (value))
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!g_hash_table_add (seen, pick (nebula_value_get_item (value, i), rule->argument)))
      return FALSE;
  return TRUE;
}
