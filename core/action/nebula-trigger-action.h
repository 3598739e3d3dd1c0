/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"

G_BEGIN_DECLS

/**
 * NebulaTriggerState:
 * @NEBULA_TRIGGER_STATE_STOPPED: it watches nothing
 * @NEBULA_TRIGGER_STATE_STARTING: it begins to watch
 * @NEBULA_TRIGGER_STATE_ACTIVE: it watches
 * @NEBULA_TRIGGER_STATE_PAUSED: it watches, but what it sees is dropped
 * @NEBULA_TRIGGER_STATE_FAILED: it could not start, or broke
 * @NEBULA_TRIGGER_STATE_STOPPING: it ends its watch
 *
 * The life of a trigger.
 */
typedef enum
{
  NEBULA_TRIGGER_STATE_STOPPED,
  NEBULA_TRIGGER_STATE_STARTING,
  NEBULA_TRIGGER_STATE_ACTIVE,
  NEBULA_TRIGGER_STATE_PAUSED,
  NEBULA_TRIGGER_STATE_FAILED,
  NEBULA_TRIGGER_STATE_STOPPING,
} NebulaTriggerState;

#define NEBULA_TYPE_TRIGGER_ACTION (nebula_trigger_action_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaTriggerAction, nebula_trigger_action, NEBULA, TRIGGER_ACTION, NebulaAction)

/**
 * NebulaTriggerActionClass:
 * @start: begins to watch; must not block
 * @stop: ends the watch; nothing fires afterwards
 *
 * Starts executions: calls nebula_trigger_action_fire() for each event that it sees.
 */
struct _NebulaTriggerActionClass
{
  NebulaActionClass parent_class;

  gboolean (*start) (NebulaTriggerAction *self, GError **error);
  void (*stop) (NebulaTriggerAction *self);

  gpointer _reserved[8];
};

NEBULA_API gboolean nebula_trigger_action_start (NebulaTriggerAction *self, GError **error);
NEBULA_API void nebula_trigger_action_stop (NebulaTriggerAction *self);
NEBULA_API void nebula_trigger_action_pause (NebulaTriggerAction *self);
NEBULA_API void nebula_trigger_action_resume (NebulaTriggerAction *self);
NEBULA_API void nebula_trigger_action_fail (NebulaTriggerAction *self, const GError *error);
NEBULA_API NebulaTriggerState nebula_trigger_action_get_state (NebulaTriggerAction *self);
/* Emits ::fired; @key: equal keys are the same event, NULL if each is its own. FALSE if it is not active. */
NEBULA_API gboolean nebula_trigger_action_fire (NebulaTriggerAction *self, const char *key, NebulaValue *payload);

G_END_DECLS
