/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Validators of the catalogue (core/schema) as rules of a parameter. */

#include <glib/gi18n-lib.h>

#include "nebula-parameter-private.h"
#include "nebula-violation.h"

gboolean
_nebula_parameter_read_rules (NebulaParameter *self, NebulaValue *rules, GError **error)
{
  g_autoptr (NebulaValidator) validator = NULL;

  if (rules == NULL)
    return TRUE;
  validator = nebula_validator_new (rules, NULL, error);
  if (validator == NULL) {
    g_prefix_error (error, _("The rules of the parameter “%s”: "), self->name);
    return FALSE;
  }
  g_clear_pointer (&self->rules, nebula_value_unref);
  g_clear_pointer (&self->validator, nebula_validator_unref);
  self->rules = nebula_value_ref (rules);
  self->validator = g_steal_pointer (&validator);
  return TRUE;
}

gboolean
_nebula_parameter_check_rules (NebulaParameter *self, NebulaValue *value, GError **error)
{
  g_autoptr (GPtrArray) violations = NULL;

  /* Expressions are not what they will give. */
  if (self->validator == NULL || _nebula_parameter_is_late (self))
    return TRUE;
  violations = nebula_validator_check (self->validator, value, error);
  if (violations == NULL)
    return FALSE;
  if (violations->len == 0)
    return TRUE;
  return _nebula_parameter_refuse (self, error, nebula_violation_get_reason (violations->pdata[0]));
}

/**
 * nebula_parameter_set_rules:
 * @self: a parameter
 * @rules: rules of the catalogue of validators: `"email"`, `{"min-length": 3}`, `["positive", "even"]`
 *
 * Limits what it takes by named rules. Rules that do not exist are a programmer error. They are checked after kind, range,
 * length, pattern and options; a parameter that holds expressions is not checked.
 *
 * Since: 1.0
 */
void
nebula_parameter_set_rules (NebulaParameter *self, NebulaValue *rules)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (self != NULL && rules != NULL);

  if (!_nebula_parameter_read_rules (self, rules, &error))
    g_critical ("%s", error->message);
}

/**
 * nebula_parameter_get_rules:
 * @self: a parameter
 *
 * Tells its named rules.
 *
 * Returns: (transfer none) (nullable): the rules; %NULL: none
 *
 * Since: 1.0
 */
NebulaValue *
nebula_parameter_get_rules (NebulaParameter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->rules;
}
