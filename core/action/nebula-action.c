/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-action-internal.h"
#include "nebula-action-private.h"
#include "nebula-frozen-internal.h"
#include "nebula-invocation.h"

typedef struct
{
  NebulaArguments arguments; /* owns what it names; environment is NULL */
  NebulaLateExpressions *expressions;
} NebulaActionPrivate;

/**
 * NebulaAction:
 *
 * One attempt of an action. Its parameters are its properties; a fresh instance serves each attempt.
 *
 * Thread: owner context; the work of a simple or process action runs on one executor thread.
 */
G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (NebulaAction, nebula_action, G_TYPE_OBJECT)

#define GET_PRIVATE(self) ((NebulaActionPrivate *) nebula_action_get_instance_private (self))

static void
nebula_action_finalize (GObject *object)
{
  NebulaActionPrivate *priv = GET_PRIVATE (NEBULA_ACTION (object));

  g_clear_pointer (&priv->arguments.parameters, nebula_value_unref);
  g_clear_pointer (&priv->arguments.input, nebula_value_unref);
  g_clear_pointer (&priv->arguments.table, nebula_parameter_table_unref);
  g_clear_pointer (&priv->arguments.frozen, nebula_frozen_unref);
  g_clear_pointer (&priv->expressions, _nebula_late_expressions_free);

  G_OBJECT_CLASS (nebula_action_parent_class)->finalize (object);
}

/* An evaluated action can be invoked like any other. */
static void
nebula_action_real_invoke (NebulaAction *self, NebulaInvocation *invocation)
{
  NebulaActionPrivate *priv = GET_PRIVATE (self);
  NebulaEvaluate evaluate = nebula_action_class_get_evaluate (NEBULA_ACTION_GET_CLASS (self));
  NebulaArguments arguments = priv->arguments;
  g_autoptr (NebulaValue) input = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GError) error = NULL;
  const char *port = "out";

  if (evaluate == NULL) {
    g_set_error (&error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                 _("The action %s cannot be invoked by itself; use it as a node of a workflow"), G_OBJECT_TYPE_NAME (self));
    nebula_invocation_return_error (invocation, error);
    return;
  }

  input = nebula_value_ref (nebula_invocation_get_input (invocation));
  arguments.input = input;
  value = evaluate (&arguments, &port, &error);
  if (value != NULL)
    nebula_invocation_return_port (invocation, port, value);
  else
    nebula_invocation_return_error (invocation, error);
}

static NebulaEffect
nebula_action_real_get_effect (NebulaAction *self)
{
  return _nebula_action_details_get_effect (_nebula_action_class_get_details (NEBULA_ACTION_GET_CLASS (self)));
}

static void
nebula_action_class_init (NebulaActionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_action_finalize;
  klass->invoke = nebula_action_real_invoke;
  klass->get_effect = nebula_action_real_get_effect;
}

static void
nebula_action_init (NebulaAction *self)
{
}

/**
 * nebula_action_is_set:
 * @self: an action
 * @name: name of a parameter
 *
 * Whether a parameter was set, be it to null; an unset one has its default.
 *
 * Returns: %TRUE if it was set
 *
 * Since: 1.0
 */
gboolean
nebula_action_is_set (NebulaAction *self, const char *name)
{
  NebulaActionPrivate *priv;

  g_return_val_if_fail (NEBULA_IS_ACTION (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  priv = GET_PRIVATE (self);
  if (priv->arguments.parameters != NULL && nebula_value_has_member (priv->arguments.parameters, name))
    return TRUE;
  return nebula_arguments_get_n_expressions (&priv->arguments, name) > 0;
}

static void
keep_arguments (NebulaAction *self, const NebulaArguments *arguments, NebulaParameterTable *table)
{
  NebulaActionPrivate *priv = GET_PRIVATE (self);
  NebulaActionPrivate old = *priv;

  priv->arguments.parameters = nebula_value_ref (arguments->parameters);
  priv->arguments.input = arguments->input != NULL ? nebula_value_ref (arguments->input) : NULL;
  priv->arguments.table = nebula_parameter_table_ref (table);
  priv->arguments.environment = NULL;
  priv->arguments.frozen = arguments->frozen != NULL ? nebula_frozen_ref (arguments->frozen) : NULL;
  priv->expressions = _nebula_late_expressions_copy (arguments->expressions);
  priv->arguments.expressions = priv->expressions;

  g_clear_pointer (&old.arguments.parameters, nebula_value_unref);
  g_clear_pointer (&old.arguments.input, nebula_value_unref);
  g_clear_pointer (&old.arguments.table, nebula_parameter_table_unref);
  g_clear_pointer (&old.arguments.frozen, nebula_frozen_unref);
  g_clear_pointer (&old.expressions, _nebula_late_expressions_free);
}

static gboolean
set_properties (NebulaAction *self, NebulaArguments *arguments, GError **error)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (self);
  gsize n_members = nebula_value_get_length (arguments->parameters);

  for (gsize i = 0; i < n_members; i++) {
    const char *name = nebula_value_get_key (arguments->parameters, i, NULL);
    NebulaParameter *parameter = nebula_parameter_table_lookup (arguments->table, name);
    GParamSpec *pspec = parameter != NULL ? _nebula_property_find (klass, name) : NULL;

    if (pspec == NULL)
      continue;
    if (!_nebula_property_set (G_OBJECT (self), pspec, parameter,
                               nebula_value_get_member_at (arguments->parameters, i), error))
      return FALSE;
  }
  return TRUE;
}

static void
set_expressions (NebulaAction *self, const NebulaLateExpressions *expressions)
{
  for (guint i = 0; expressions != NULL && i < expressions->n_items; i++) {
    GParamSpec *pspec = _nebula_property_find (G_OBJECT_GET_CLASS (self), expressions->items[i].parameter);

    if (pspec != NULL && G_PARAM_SPEC_VALUE_TYPE (pspec) == NEBULA_TYPE_EXPRESSION)
      g_object_set (self, pspec->name, expressions->items[i].expression, NULL);
  }
}

/**
 * nebula_action_set_parameters: (skip)
 * @self: an action
 * @arguments: parameters, input and late expressions; all is copied or referenced but the environment, which is the
 *   caller's alone
 *
 * Sets all parameters: checks them by the table, keeps them as they are, and sets the properties that exist.
 *
 * Errors: those of nebula_parameter_table_validate(); %NEBULA_ERROR_INVALID_PARAMETER (terminal) if a value does not
 * fit its property.
 *
 * Returns: %TRUE if all are set
 *
 * Since: 1.0
 */
gboolean
nebula_action_set_parameters (NebulaAction *self, const NebulaArguments *arguments, GError **error)
{
  NebulaActionPrivate *priv;
  NebulaParameterTable *table;

  g_return_val_if_fail (NEBULA_IS_ACTION (self), FALSE);
  g_return_val_if_fail (arguments != NULL && arguments->parameters != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  table = arguments->table;
  if (table == NULL)
    table = _nebula_action_class_get_table (NEBULA_ACTION_GET_CLASS (self), error);
  if (table == NULL)
    return FALSE;
  if (!nebula_parameter_table_validate (table, arguments->parameters, NULL, error))
    return FALSE;

  keep_arguments (self, arguments, table);
  priv = GET_PRIVATE (self);
  if (!set_properties (self, &priv->arguments, error))
    return FALSE;
  set_expressions (self, priv->expressions);
  return TRUE;
}

gboolean
nebula_action_class_asks_for_effect (NebulaActionClass *klass)
{
  return klass->get_effect != nebula_action_real_get_effect;
}

/**
 * nebula_action_get_effect:
 * @self: an action whose parameters are set
 *
 * What running it will do to the world, with these parameters.
 *
 * Returns: the effect
 *
 * Since: 1.0
 */
NebulaEffect
nebula_action_get_effect (NebulaAction *self)
{
  g_return_val_if_fail (NEBULA_IS_ACTION (self), NEBULA_EFFECT_EFFECTFUL);

  return NEBULA_ACTION_GET_CLASS (self)->get_effect (self);
}

/**
 * nebula_action_get_parameter:
 * @self: an action
 * @name: name of a parameter
 *
 * The value of a parameter as it was set, else its default.
 *
 * Returns: (transfer none) (nullable): a value that lives as long as @self; %NULL if it is unset and has no default
 *
 * Since: 1.0
 */
NebulaValue *
nebula_action_get_parameter (NebulaAction *self, const char *name)
{
  g_return_val_if_fail (NEBULA_IS_ACTION (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return nebula_arguments_get (nebula_action_get_arguments (self), name);
}

/**
 * nebula_action_get_arguments: (skip)
 * @self: an action
 *
 * All that was set, without an environment: late expressions see `$item`, `$index`, `$items` and `$key` only.
 *
 * Returns: (transfer none): arguments that live as long as @self
 *
 * Since: 1.0
 */
const NebulaArguments *
nebula_action_get_arguments (NebulaAction *self)
{
  g_return_val_if_fail (NEBULA_IS_ACTION (self), NULL);

  return &GET_PRIVATE (self)->arguments;
}

/**
 * nebula_action_invoke:
 * @self: an action whose parameters are set
 * @invocation: where it reports to
 *
 * Starts the work. It ends when the invocation is returned, in whatever thread.
 *
 * Since: 1.0
 */
void
nebula_action_invoke (NebulaAction *self, NebulaInvocation *invocation)
{
  g_return_if_fail (NEBULA_IS_ACTION (self));
  g_return_if_fail (NEBULA_IS_INVOCATION (invocation));

  NEBULA_ACTION_GET_CLASS (self)->invoke (self, invocation);
}
