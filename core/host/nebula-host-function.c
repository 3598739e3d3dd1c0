/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions that a host's module brings to expressions. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-function-callback.h"
#include "nebula-host-private.h"

/* The set only holds declarations: nothing is evaluated in a host. */
static NebulaValue *
refuse_call (NebulaValue *arguments, gpointer user_data, GError **error)
{
  return NULL;
}

/**
 * nebula_host_describe_function:
 * @self: a host
 * @description: `{name, parameters, result, description, examples?}`, as nebula_function_set_describe() gives it
 * @error: where to put an error
 *
 * Says that the module brings a pure function that expressions may call. It is written in the language itself, which gets
 * its calls from nebula_host_next(); see nebula_host_get_function().
 *
 * Errors: those of nebula_function_set_add_callback().
 *
 * Returns: whether it is one that can be used
 *
 * Since: 1.0
 */
gboolean
nebula_host_describe_function (NebulaHost *self, NebulaValue *description, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_HOST (self), FALSE);
  g_return_val_if_fail (description != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return nebula_function_set_add_callback (self->functions, description, refuse_call,
                                           NULL, NULL, error);
}

/**
 * nebula_host_get_function:
 * @self: a host
 * @invocation: what nebula_host_next() gave
 *
 * Tells whether an invocation is the call of a function. Then its input is an array of the arguments, checked against the
 * declaration, and what the function gives is returned as its value.
 *
 * Returns: (transfer none) (nullable): the function's name; %NULL if an action is meant
 *
 * Since: 1.0
 */
const char *
nebula_host_get_function (NebulaHost *self, NebulaInvocation *invocation)
{
  NebulaHostAttempt *attempt;

  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);
  g_return_val_if_fail (NEBULA_IS_INVOCATION (invocation), NULL);

  attempt = _nebula_host_attempt_find (self, invocation);
  return attempt != NULL && attempt->is_call
             ? nebula_invocation_get_action_id (invocation)
             : NULL;
}

static NebulaForeignCall
find_call (NebulaHost *self, NebulaInvocation *invocation, GError **error)
{
  const char *name = nebula_host_get_function (self, invocation);
  gpointer call = self->calls != NULL && name != NULL
                      ? g_hash_table_lookup (self->calls, name)
                      : NULL;

  if (call == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("The module “%s” has no function “%s”."), self->id,
                 nebula_invocation_get_action_id (invocation));
  return (NebulaForeignCall) call;
}

static NebulaValue *
call_it (NebulaForeignCall call, NebulaValue *list, GError **error)
{
  gsize n_arguments = nebula_value_get_length (list);
  g_autofree NebulaValue **arguments = g_new0 (NebulaValue *, n_arguments + 1);

  for (gsize i = 0; i < n_arguments; i++)
    arguments[i] = nebula_value_get_item (list, i);
  return call (arguments, (guint) n_arguments, error);
}

/**
 * nebula_host_call_function:
 * @self: a host that loaded a native module
 * @invocation: what nebula_host_next() gave, where nebula_host_get_function() tells a name
 *
 * Calls a function of the module and returns the invocation.
 *
 * Since: 1.0
 */
void
nebula_host_call_function (NebulaHost *self, NebulaInvocation *invocation)
{
  NebulaForeignCall call;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (NEBULA_IS_HOST (self));
  g_return_if_fail (NEBULA_IS_INVOCATION (invocation));

  call = find_call (self, invocation, &error);
  if (call != NULL)
    value = call_it (call, nebula_invocation_get_input (invocation), &error);
  if (value != NULL)
    nebula_invocation_return_value (invocation, value);
  else if (error != NULL)
    nebula_invocation_return_error (invocation, error);
  else
    nebula_invocation_return_failure (
        invocation, "action-contract",
        _ ("The function gave neither a value nor an error."),
        NEBULA_RETRY_CLASS_TERMINAL, NULL);
}
