/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-stateful-action.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  NebulaValue *state;
} NebulaStatefulActionPrivate;

/**
 * NebulaStatefulAction:
 *
 * An action whose state is kept and versioned between calls.
 */
G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (NebulaStatefulAction, nebula_stateful_action, NEBULA_TYPE_PROCESS_ACTION)

#define GET_PRIVATE(self) ((NebulaStatefulActionPrivate *) nebula_stateful_action_get_instance_private (self))

static G_DEFINE_QUARK (nebula-state-version, nebula_state_version);

static void
nebula_stateful_action_finalize (GObject *object)
{
  g_clear_pointer (&GET_PRIVATE (NEBULA_STATEFUL_ACTION (object))->state, nebula_value_unref);

  G_OBJECT_CLASS (nebula_stateful_action_parent_class)->finalize (object);
}

static NebulaValue *
nebula_stateful_action_real_create_state (NebulaStatefulAction *self)
{
  return nebula_value_new_empty_object ();
}

static NebulaValue *
nebula_stateful_action_real_migrate_state (NebulaStatefulAction *self, NebulaValue *state, guint version, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
               _("The action %s cannot use the state that its version %u kept. Start it anew"),
               G_OBJECT_TYPE_NAME (self), version);
  return NULL;
}

static void
nebula_stateful_action_class_init (NebulaStatefulActionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_stateful_action_finalize;
  klass->create_state = nebula_stateful_action_real_create_state;
  klass->migrate_state = nebula_stateful_action_real_migrate_state;
}

static void
nebula_stateful_action_init (NebulaStatefulAction *self)
{
}

/**
 * nebula_stateful_action_class_set_state_version: (skip)
 * @klass: a class in its set-up
 * @version: version of the form of its state; 1 if it is never set
 *
 * Says which form of state this class keeps. Raise it whenever the form changes, and migrate.
 *
 * Since: 1.0
 */
void
nebula_stateful_action_class_set_state_version (NebulaStatefulActionClass *klass, guint version)
{
  g_return_if_fail (NEBULA_IS_STATEFUL_ACTION_CLASS (klass));
  g_return_if_fail (version > 0);

  g_type_set_qdata (G_TYPE_FROM_CLASS (klass), nebula_state_version_quark (), GUINT_TO_POINTER (version));
}

/**
 * nebula_stateful_action_get_state_version:
 * @self: an action
 *
 * The version of the form of state that its class keeps.
 *
 * Returns: a version, from 1
 *
 * Since: 1.0
 */
guint
nebula_stateful_action_get_state_version (NebulaStatefulAction *self)
{
  guint version;

  g_return_val_if_fail (NEBULA_IS_STATEFUL_ACTION (self), 0);

  version = GPOINTER_TO_UINT (g_type_get_qdata (G_OBJECT_TYPE (self), nebula_state_version_quark ()));
  return MAX (version, 1);
}

static NebulaValue *
make_state (NebulaStatefulAction *self, NebulaValue *state, guint version, GError **error)
{
  NebulaStatefulActionClass *klass = NEBULA_STATEFUL_ACTION_GET_CLASS (self);
  guint wanted = nebula_stateful_action_get_state_version (self);

  if (state == NULL)
    return klass->create_state (self);
  if (version == wanted)
    return nebula_value_ref (state);
  if (version < wanted)
    return klass->migrate_state (self, state, version, error);

  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
               _("The state of the action %s was kept by its newer version %u. Install that version"),
               G_OBJECT_TYPE_NAME (self), version);
  return NULL;
}

/**
 * nebula_stateful_action_restore_state:
 * @self: an action that was not invoked yet
 * @state: (nullable): what the last call kept; %NULL before the first call
 * @version: the version of the form of @state
 *
 * Gives it the state of the last call, migrated if need be. For engines, hosts and tests.
 *
 * Errors: %NEBULA_ERROR_UNSUPPORTED (terminal) if the state cannot be migrated, or what the action sets.
 *
 * Returns: %TRUE if it has its state
 *
 * Since: 1.0
 */
gboolean
nebula_stateful_action_restore_state (NebulaStatefulAction *self, NebulaValue *state, guint version, GError **error)
{
  g_autoptr (NebulaValue) restored = NULL;
  g_autoptr (GError) local_error = NULL;

  g_return_val_if_fail (NEBULA_IS_STATEFUL_ACTION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  restored = make_state (self, state, version, &local_error);
  if (restored == NULL && local_error == NULL)
    g_set_error_literal (&local_error, NEBULA_ERROR, NEBULA_ERROR_ACTION_CONTRACT,
                         _("The action gave neither a state nor an error. Report this to its author"));
  if (restored == NULL) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  nebula_stateful_action_keep_state (self, restored);
  return TRUE;
}

/**
 * nebula_stateful_action_get_state:
 * @self: an action
 *
 * The state: what the last call kept, or what this call has kept since.
 *
 * Returns: (transfer none): a value that lives until the state is changed
 *
 * Since: 1.0
 */
NebulaValue *
nebula_stateful_action_get_state (NebulaStatefulAction *self)
{
  NebulaStatefulActionPrivate *priv;

  g_return_val_if_fail (NEBULA_IS_STATEFUL_ACTION (self), NULL);

  priv = GET_PRIVATE (self);
  if (priv->state == NULL)
    priv->state = NEBULA_STATEFUL_ACTION_GET_CLASS (self)->create_state (self);
  return priv->state;
}

/**
 * nebula_stateful_action_keep_state:
 * @self: an action
 * @state: the new state
 *
 * Keeps a state for the next call. Called within `run`; it becomes durable together with the result.
 *
 * Since: 1.0
 */
void
nebula_stateful_action_keep_state (NebulaStatefulAction *self, NebulaValue *state)
{
  NebulaStatefulActionPrivate *priv;
  NebulaValue *old;

  g_return_if_fail (NEBULA_IS_STATEFUL_ACTION (self));
  g_return_if_fail (state != NULL);

  priv = GET_PRIVATE (self);
  old = priv->state;
  priv->state = nebula_value_ref (state);
  if (old != NULL)
    nebula_value_unref (old);
}
