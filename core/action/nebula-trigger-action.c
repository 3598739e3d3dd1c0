/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-trigger-action.h"

#include <glib/gi18n-lib.h>

#include "nebula-action-enums.h"

typedef struct
{
  NebulaTriggerState state;
} NebulaTriggerActionPrivate;

/**
 * NebulaTriggerAction:
 *
 * An action that starts executions.
 *
 * Thread: owner context.
 */
G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (NebulaTriggerAction, nebula_trigger_action, NEBULA_TYPE_ACTION)

#define GET_PRIVATE(self) ((NebulaTriggerActionPrivate *) nebula_trigger_action_get_instance_private (self))

enum
{
  PROP_STATE = 1,
  N_PROPS,
};

enum
{
  SIGNAL_FIRED,
  SIGNAL_FAILED,
  N_SIGNALS,
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void
nebula_trigger_action_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_STATE)
    g_value_set_enum (value, nebula_trigger_action_get_state (NEBULA_TRIGGER_ACTION (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static gboolean
nebula_trigger_action_real_start (NebulaTriggerAction *self, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, _("The trigger %s does not implement “start”"),
               G_OBJECT_TYPE_NAME (self));
  return FALSE;
}

static void
nebula_trigger_action_real_stop (NebulaTriggerAction *self)
{
}

static void
nebula_trigger_action_class_init (NebulaTriggerActionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = nebula_trigger_action_get_property;
  klass->start = nebula_trigger_action_real_start;
  klass->stop = nebula_trigger_action_real_stop;

  /**
   * NebulaTriggerAction:state:
   *
   * Where it is in its life.
   */
  props[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, NEBULA_TYPE_TRIGGER_STATE, NEBULA_TRIGGER_STATE_STOPPED,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * NebulaTriggerAction::fired:
   * @self: the trigger
   * @key: (nullable): equal keys are the same event
   * @payload: the input of the execution to start
   *
   * Emitted for each event while it is active.
   */
  signals[SIGNAL_FIRED] = g_signal_new ("fired", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 2, G_TYPE_STRING, NEBULA_TYPE_VALUE);

  /**
   * NebulaTriggerAction::failed:
   * @self: the trigger
   * @error: why
   *
   * Emitted when it breaks while it watches.
   */
  signals[SIGNAL_FAILED] = g_signal_new ("failed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
nebula_trigger_action_init (NebulaTriggerAction *self)
{
}

static void
set_state (NebulaTriggerAction *self, NebulaTriggerState state)
{
  NebulaTriggerActionPrivate *priv = GET_PRIVATE (self);

  if (priv->state == state)
    return;
  priv->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

/**
 * nebula_trigger_action_start:
 * @self: a trigger that is stopped or failed, with its parameters set
 *
 * Begins to watch.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal) if it watches already, or what the trigger sets.
 *
 * Returns: %TRUE if it is active
 *
 * Since: 1.0
 */
gboolean
nebula_trigger_action_start (NebulaTriggerAction *self, GError **error)
{
  NebulaTriggerState state;
  gboolean started;

  g_return_val_if_fail (NEBULA_IS_TRIGGER_ACTION (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  state = GET_PRIVATE (self)->state;
  if (state != NEBULA_TRIGGER_STATE_STOPPED && state != NEBULA_TRIGGER_STATE_FAILED) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT, _("The trigger runs already. Stop it first"));
    return FALSE;
  }

  set_state (self, NEBULA_TRIGGER_STATE_STARTING);
  started = NEBULA_TRIGGER_ACTION_GET_CLASS (self)->start (self, error);
  set_state (self, started ? NEBULA_TRIGGER_STATE_ACTIVE : NEBULA_TRIGGER_STATE_FAILED);
  return started;
}

/**
 * nebula_trigger_action_stop:
 * @self: a trigger
 *
 * Ends the watch. Does nothing if it is stopped already.
 *
 * Since: 1.0
 */
void
nebula_trigger_action_stop (NebulaTriggerAction *self)
{
  NebulaTriggerState state;

  g_return_if_fail (NEBULA_IS_TRIGGER_ACTION (self));

  state = GET_PRIVATE (self)->state;
  if (state == NEBULA_TRIGGER_STATE_STOPPED)
    return;

  set_state (self, NEBULA_TRIGGER_STATE_STOPPING);
  if (state != NEBULA_TRIGGER_STATE_FAILED)
    NEBULA_TRIGGER_ACTION_GET_CLASS (self)->stop (self);
  set_state (self, NEBULA_TRIGGER_STATE_STOPPED);
}

/**
 * nebula_trigger_action_pause:
 * @self: a trigger
 *
 * Drops what it sees from now on. Does nothing unless it is active.
 *
 * Since: 1.0
 */
void
nebula_trigger_action_pause (NebulaTriggerAction *self)
{
  g_return_if_fail (NEBULA_IS_TRIGGER_ACTION (self));

  if (GET_PRIVATE (self)->state == NEBULA_TRIGGER_STATE_ACTIVE)
    set_state (self, NEBULA_TRIGGER_STATE_PAUSED);
}

/**
 * nebula_trigger_action_resume:
 * @self: a trigger
 *
 * Fires again after a pause. Does nothing unless it is paused.
 *
 * Since: 1.0
 */
void
nebula_trigger_action_resume (NebulaTriggerAction *self)
{
  g_return_if_fail (NEBULA_IS_TRIGGER_ACTION (self));

  if (GET_PRIVATE (self)->state == NEBULA_TRIGGER_STATE_PAUSED)
    set_state (self, NEBULA_TRIGGER_STATE_ACTIVE);
}

/**
 * nebula_trigger_action_fail:
 * @self: a trigger that watches
 * @error: why
 *
 * For triggers: tells that the watch broke. Its own resources are the trigger's to free.
 *
 * Since: 1.0
 */
void
nebula_trigger_action_fail (NebulaTriggerAction *self, const GError *error)
{
  NebulaTriggerState state;

  g_return_if_fail (NEBULA_IS_TRIGGER_ACTION (self));
  g_return_if_fail (error != NULL);

  state = GET_PRIVATE (self)->state;
  if (state != NEBULA_TRIGGER_STATE_ACTIVE && state != NEBULA_TRIGGER_STATE_PAUSED)
    return;
  set_state (self, NEBULA_TRIGGER_STATE_FAILED);
  g_signal_emit (self, signals[SIGNAL_FAILED], 0, error);
}

/**
 * nebula_trigger_action_get_state:
 * @self: a trigger
 *
 * Where it is in its life.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
NebulaTriggerState
nebula_trigger_action_get_state (NebulaTriggerAction *self)
{
  g_return_val_if_fail (NEBULA_IS_TRIGGER_ACTION (self), NEBULA_TRIGGER_STATE_FAILED);

  return GET_PRIVATE (self)->state;
}

/**
 * nebula_trigger_action_fire:
 * @self: a trigger
 * @key: (nullable): equal keys are the same event, so that it starts one execution; %NULL if each is its own
 * @payload: the input of the execution to start
 *
 * For triggers: tells that an event was seen, by the signal ::fired.
 *
 * Returns: %FALSE if it is not active and the event was dropped
 *
 * Since: 1.0
 */
gboolean
nebula_trigger_action_fire (NebulaTriggerAction *self, const char *key, NebulaValue *payload)
{
  g_return_val_if_fail (NEBULA_IS_TRIGGER_ACTION (self), FALSE);
  g_return_val_if_fail (payload != NULL, FALSE);

  if (GET_PRIVATE (self)->state != NEBULA_TRIGGER_STATE_ACTIVE)
    return FALSE;
  g_signal_emit (self, signals[SIGNAL_FIRED], 0, key, payload);
  return TRUE;
}
