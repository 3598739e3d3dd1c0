/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalogue of validators (core/schema) as functions. */

#include <glib/gi18n-lib.h>

#include "nebula-expression-private.h"
#include "nebula-validator.h"
#include "nebula-violation.h"

#define RULE_FUEL 100 /* what reading one rule costs at most */

static void
fail (NebulaVm *vm, const GError *error)
{
  NebulaError code = error->domain == NEBULA_ERROR ? (NebulaError) error->code : NEBULA_ERROR_FAILED;

  if (code == NEBULA_ERROR_INVALID_DATA)
    code = NEBULA_ERROR_INVALID_ARGUMENT;
  _nebula_vm_fail (vm, code, NULL, "%s", error->message);
}

/* What is wrong with a value by some rules; NULL with the machine's error if the rules are none. */
static GPtrArray *
check (NebulaVm *vm, const NebulaCell *arguments)
{
  g_autoptr (NebulaValue) value = _nebula_cell_ref_value (&arguments[0]);
  g_autoptr (NebulaValue) rules = _nebula_cell_ref_value (&arguments[1]);
  g_autoptr (NebulaValidator) validator = NULL;
  g_autoptr (GError) error = NULL;
  GPtrArray *violations = NULL;
  gsize size = nebula_value_get_size_bytes (rules);

  if (!_nebula_vm_burn (vm, RULE_FUEL + size + nebula_value_get_size_bytes (value) / 8))
    return NULL;
  validator = nebula_validator_new (rules, NULL, &error);
  if (validator != NULL)
    violations = nebula_validator_check (validator, value, &error);
  if (violations == NULL)
    fail (vm, error);
  return violations;
}

static gboolean
call_is_valid (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GPtrArray) violations = check (vm, arguments);

  if (violations == NULL)
    return FALSE;
  *ret = _nebula_cell_boolean (violations->len == 0);
  return TRUE;
}

static gboolean
call_violations (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GPtrArray) violations = check (vm, arguments);
  g_autoptr (NebulaValueBuilder) list = NULL;

  if (violations == NULL)
    return FALSE;
  list = nebula_value_builder_new_array ();
  for (guint i = 0; i < violations->len; i++) {
    g_autofree char *text = nebula_violation_to_text (violations->pdata[i]);

    nebula_value_builder_add_take (list, nebula_value_new_string (text));
  }
  return _nebula_vm_give (vm, nebula_value_builder_end (list), ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_rules[] = {
  { "is_valid", NULL, "vv", "b", "value, rules", N_("whether the named validators hold: a name, an object of names and arguments, or an array of them"), call_is_valid, 2, 2 },
  { "violations", NULL, "vv", "a", "value, rules", N_("an array of sentences: what is wrong with it by some rules"), call_violations, 2, 2 },
  { NULL },
};
/* clang-format on */
