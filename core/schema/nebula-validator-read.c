/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules as data become rules that run; and the table of custom ones. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-regex-internal.h"
#include "nebula-validator-private.h"

struct _NebulaValidatorTable {
  gatomicrefcount references;
  GHashTable *rules; /* name → NebulaCustomRule */
};

G_DEFINE_BOXED_TYPE (NebulaValidatorTable,
                     nebula_validator_table,
                     nebula_validator_table_ref,
                     nebula_validator_table_unref)

void
_nebula_rule_free (NebulaRule *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->argument, nebula_value_unref);
  g_clear_pointer (&self->regex, g_regex_unref);
  g_clear_pointer (&self->inner, g_ptr_array_unref);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaRule, _nebula_rule_free)

typedef struct {
  NebulaValidatorTable *table;
  gboolean
      is_conditional; /* inside a rule that only asks whether: nothing may answer later */
  GError **error;
} Reader;

static gboolean
refuse (Reader *self, const char *name, const char *why)
{
  g_set_error (self->error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               /* TRANSLATORS: the name of a validator, and a clause */
               _ ("The validator “%s” is refused: %s."), name, why);
  return FALSE;
}

static gboolean
is_kind (NebulaValue *value, NebulaValueKind kind)
{
  return value && nebula_value_get_kind (value) == kind;
}

static gboolean
is_text (NebulaValue *value)
{
  return is_kind (value, NEBULA_VALUE_KIND_STRING);
}

static gboolean
are_texts (NebulaValue *value, gsize least, gsize most)
{
  if (!is_kind (value, NEBULA_VALUE_KIND_ARRAY) ||
      nebula_value_get_length (value) < least || nebula_value_get_length (value) > most)
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!is_text (nebula_value_get_item (value, i)))
      return FALSE;
  return TRUE;
}

static gboolean
are_limits (NebulaValue *value)
{
  gint order = 0;

  return is_kind (value, NEBULA_VALUE_KIND_ARRAY) &&
         nebula_value_get_length (value) == 2 &&
         nebula_value_is_number (nebula_value_get_item (value, 0)) &&
         nebula_value_is_number (nebula_value_get_item (value, 1)) &&
         nebula_value_compare (nebula_value_get_item (value, 0),
                               nebula_value_get_item (value, 1), &order, NULL) &&
         order <= 0;
}

static gboolean
is_sum (NebulaValue *value)
{
  NebulaValue *total = nebula_value_get_member (value, "total");

  return total && (is_text (total) || nebula_value_is_number (total)) &&
         are_texts (nebula_value_get_member (value, "fields"), 1, G_MAXSIZE);
}

static gboolean
has_shape (NebulaRuleShape shape, NebulaValue *value)
{
  gboolean is_object = is_kind (value, NEBULA_VALUE_KIND_OBJECT);

  switch (shape) {
  case NEBULA_RULE_SHAPE_NONE:
    return is_kind (value, NEBULA_VALUE_KIND_BOOLEAN) && nebula_value_get_boolean (value);
  case NEBULA_RULE_SHAPE_COUNT:
    return is_kind (value, NEBULA_VALUE_KIND_INTEGER) &&
           nebula_value_get_integer (value) >= 0;
  case NEBULA_RULE_SHAPE_NUMBER:
    return nebula_value_is_number (value);
  case NEBULA_RULE_SHAPE_TEXT:
  case NEBULA_RULE_SHAPE_PATTERN:
    return is_text (value);
  case NEBULA_RULE_SHAPE_ARRAY:
  case NEBULA_RULE_SHAPE_RULES:
    return is_kind (value, NEBULA_VALUE_KIND_ARRAY);
  case NEBULA_RULE_SHAPE_NAMES:
    return is_text (value) || are_texts (value, 1, G_MAXSIZE);
  case NEBULA_RULE_SHAPE_PAIR:
    return are_texts (value, 2, 2);
  case NEBULA_RULE_SHAPE_LIMITS:
    return are_limits (value);
  case NEBULA_RULE_SHAPE_MEMBERS:
    return is_object;
  case NEBULA_RULE_SHAPE_WHEN:
    return is_object && nebula_value_has_member (value, "if") &&
           (nebula_value_has_member (value, "then") ||
            nebula_value_has_member (value, "else"));
  case NEBULA_RULE_SHAPE_FIELD_IF:
    return is_object && nebula_value_has_member (value, "if") &&
           is_text (nebula_value_get_member (value, "field"));
  case NEBULA_RULE_SHAPE_DEPENDS:
    return is_object && is_text (nebula_value_get_member (value, "field")) &&
           are_texts (nebula_value_get_member (value, "on"), 1, G_MAXSIZE);
  case NEBULA_RULE_SHAPE_SUM:
    return is_object && is_sum (value);
  case NEBULA_RULE_SHAPE_RULE:
  case NEBULA_RULE_SHAPE_ANY:
  default:
    return TRUE;
  }
}

static NebulaRule *read_rules (Reader *self, NebulaValue *rules, guint depth);

/* Adds the inner rules of @rules; a missing one of WHEN is NULL. */
static gboolean
add_inner (Reader *self, NebulaRule *rule, NebulaValue *rules, guint depth)
{
  NebulaRule *inner = rules ? read_rules (self, rules, depth + 1) : NULL;

  if (rules && !inner)
    return FALSE;
  g_ptr_array_add (rule->inner, inner);
  return TRUE;
}

static gboolean
read_items (Reader *self, NebulaRule *rule, guint depth)
{
  for (gsize i = 0; i < nebula_value_get_length (rule->argument); i++)
    if (!add_inner (self, rule,
                    nebula_value_get_kind (rule->argument) == NEBULA_VALUE_KIND_OBJECT
                        ? nebula_value_get_member_at (rule->argument, i)
                        : nebula_value_get_item (rule->argument, i),
                    depth))
      return FALSE;
  return TRUE;
}

static gboolean
read_inner (Reader *self, NebulaRule *rule, guint depth)
{
  NebulaValue *argument = rule->argument;

  rule->inner = g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_rule_free);
  switch ((guint) rule->info->shape) {
  case NEBULA_RULE_SHAPE_RULE:
    return add_inner (self, rule, argument, depth);
  case NEBULA_RULE_SHAPE_RULES:
  case NEBULA_RULE_SHAPE_MEMBERS:
    return read_items (self, rule, depth);
  case NEBULA_RULE_SHAPE_WHEN:
    return add_inner (self, rule, nebula_value_get_member (argument, "if"), depth) &&
           add_inner (self, rule, nebula_value_get_member (argument, "then"), depth) &&
           add_inner (self, rule, nebula_value_get_member (argument, "else"), depth);
  case NEBULA_RULE_SHAPE_FIELD_IF:
    return add_inner (self, rule, nebula_value_get_member (argument, "if"), depth);
  default:
    return TRUE;
  }
}

/* Rules whose inner ones report for themselves; in all others they are only asked. */
static gboolean
passes_on (const NebulaRuleInfo *info)
{
  return info->holds == _nebula_rule_and || info->holds == _nebula_rule_each ||
         info->holds == _nebula_rule_field;
}

static gboolean
read_argument (Reader *self, NebulaRule *rule, guint depth)
{
  Reader inner = *self;

  if (!has_shape (rule->info->shape, rule->argument))
    return refuse (self, rule->info->name, _ ("it has an argument that it cannot have"));
  if (rule->info->shape == NEBULA_RULE_SHAPE_PATTERN) {
    rule->regex = nebula_regex_new (
        nebula_value_get_string (rule->argument),
        (gssize) nebula_value_get_string_length (rule->argument), 0, self->error);
    return rule->regex != NULL;
  }
  rule->form = nebula_text_form_find (rule->info->name);
  inner.is_conditional |= !passes_on (rule->info);
  return read_inner (&inner, rule, depth);
}

static NebulaRule *
read_named (Reader *self, const char *name, NebulaValue *argument, guint depth)
{
  g_autoptr (NebulaRule) rule = g_new0 (NebulaRule, 1);

  rule->argument = nebula_value_ref (argument);
  rule->custom = self->table ? _nebula_validator_table_find (self->table, name) : NULL;
  rule->info = rule->custom ? &_nebula_rule_info_custom : _nebula_rule_find (name);
  if (!rule->info) {
    refuse (self, name, _ ("there is no such validator"));
    return NULL;
  }
  if (rule->custom && rule->custom->async_func && self->is_conditional) {
    refuse (self, name, _ ("its answer comes later, so no other rule can ask it"));
    return NULL;
  }
  return read_argument (self, rule, depth) ? g_steal_pointer (&rule) : NULL;
}

/* Several rules that must all hold. */
static NebulaRule *
read_all (Reader *self, NebulaValue *rules, guint depth)
{
  g_autoptr (NebulaRule) all = g_new0 (NebulaRule, 1);

  all->info = &_nebula_rule_info_and;
  all->argument = nebula_value_new_null ();
  all->inner = g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_rule_free);
  for (gsize i = 0; i < nebula_value_get_length (rules); i++) {
    NebulaRule *rule =
        nebula_value_get_kind (rules) == NEBULA_VALUE_KIND_ARRAY
            ? read_rules (self, nebula_value_get_item (rules, i), depth + 1)
            : read_named (self, nebula_value_get_key (rules, i, NULL),
                          nebula_value_get_member_at (rules, i), depth);

    if (!rule)
      return NULL;
    g_ptr_array_add (all->inner, rule);
  }
  return g_steal_pointer (&all);
}

static NebulaRule *
read_rules (Reader *self, NebulaValue *rules, guint depth)
{
  NebulaValueKind kind = nebula_value_get_kind (rules);
  g_autoptr (NebulaValue) yes = nebula_value_new_boolean (TRUE);

  if (depth > NEBULA_LIMIT_EXPRESSION_DEPTH) {
    g_set_error_literal (self->error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP,
                         _ ("The validators are nested too deep."));
    return NULL;
  }
  if (kind == NEBULA_VALUE_KIND_STRING)
    return read_named (self, nebula_value_get_string (rules), yes, depth);
  if (kind == NEBULA_VALUE_KIND_OBJECT || kind == NEBULA_VALUE_KIND_ARRAY)
    return read_all (self, rules, depth);
  g_set_error_literal (
      self->error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
      _ ("Validators are written as a name, an object of name and argument, "
         "or an array of these."));
  return NULL;
}

NebulaRule *
_nebula_rule_read (NebulaValue *rules, NebulaValidatorTable *table, GError **error)
{
  return read_rules (&(Reader){table, FALSE, error}, rules, 0);
}

static void
custom_rule_free (NebulaCustomRule *self)
{
  if (self->destroy)
    self->destroy (self->user_data);
  g_free (self->name);
  g_free (self->reason);
  g_free (self);
}

/**
 * nebula_validator_table_new:
 *
 * Makes an empty table.
 *
 * Returns: (transfer full): the table
 *
 * Since: 1.0
 */
NebulaValidatorTable *
nebula_validator_table_new (void)
{
  NebulaValidatorTable *self = g_new0 (NebulaValidatorTable, 1);

  g_atomic_ref_count_init (&self->references);
  self->rules = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify) custom_rule_free);
  return self;
}

/**
 * nebula_validator_table_ref:
 * @self: a table
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaValidatorTable *
nebula_validator_table_ref (NebulaValidatorTable *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_validator_table_unref:
 * @self: (transfer full): a table
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_validator_table_unref (NebulaValidatorTable *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->rules);
  g_free (self);
}

static NebulaCustomRule *
add_rule (NebulaValidatorTable *self,
          const char *name,
          const char *reason,
          gpointer user_data,
          GDestroyNotify destroy)
{
  NebulaCustomRule *rule = g_new0 (NebulaCustomRule, 1);

  rule->name = g_strdup (name);
  rule->reason = g_strdup (reason);
  rule->user_data = user_data;
  rule->destroy = destroy;
  g_hash_table_replace (self->rules, rule->name, rule);
  return rule;
}

/**
 * nebula_validator_table_add:
 * @self: a table that no validator was made with yet
 * @name: its name; it hides a validator of the catalogue
 * @reason: why a value is refused, as a clause: “it must be a name of ours”
 * @func: (scope notified) (closure user_data) (destroy destroy): the rule
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data
 *
 * Adds a rule.
 *
 * Since: 1.0
 */
void
nebula_validator_table_add (NebulaValidatorTable *self,
                            const char *name,
                            const char *reason,
                            NebulaValidatorFunc func,
                            gpointer user_data,
                            GDestroyNotify destroy)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (name != NULL);
  g_return_if_fail (reason != NULL);
  g_return_if_fail (func != NULL);

  add_rule (self, name, reason, user_data, destroy)->func = func;
}

/**
 * nebula_validator_table_add_async:
 * @self: a table that no validator was made with yet
 * @name: its name; it hides a validator of the catalogue
 * @reason: why a value is refused, as a clause
 * @func: (scope notified) (closure user_data) (destroy destroy): the rule
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data
 *
 * Adds a rule whose answer comes later. It may stand at the top of rules and in `and`, `each` and `field`; rules that
 * only ask whether others hold cannot have it.
 *
 * Since: 1.0
 */
void
nebula_validator_table_add_async (NebulaValidatorTable *self,
                                  const char *name,
                                  const char *reason,
                                  NebulaAsyncValidatorFunc func,
                                  gpointer user_data,
                                  GDestroyNotify destroy)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (name != NULL);
  g_return_if_fail (reason != NULL);
  g_return_if_fail (func != NULL);

  add_rule (self, name, reason, user_data, destroy)->async_func = func;
}

const NebulaCustomRule *
_nebula_validator_table_find (NebulaValidatorTable *self, const char *name)
{
  return g_hash_table_lookup (self->rules, name);
}
