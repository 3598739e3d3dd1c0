/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-simple-action.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_STATEFUL_ACTION (nebula_stateful_action_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaStatefulAction, nebula_stateful_action, NEBULA, STATEFUL_ACTION, NebulaProcessAction)

/**
 * NebulaStatefulActionClass:
 * @create_state: the state before the first call; an empty object by default
 * @migrate_state: turns a state of an older version into one of this version; refused by default
 *
 * State kept and versioned between calls. The work is #NebulaProcessActionClass.run, which reads the state with
 * nebula_stateful_action_get_state() and keeps a new one with nebula_stateful_action_keep_state().
 */
struct _NebulaStatefulActionClass
{
  NebulaProcessActionClass parent_class;

  NebulaValue *(*create_state) (NebulaStatefulAction *self);
  NebulaValue *(*migrate_state) (NebulaStatefulAction *self, NebulaValue *state, guint version, GError **error);

  gpointer _reserved[8];
};

NEBULA_API void nebula_stateful_action_class_set_state_version (NebulaStatefulActionClass *klass, guint version);
NEBULA_API guint nebula_stateful_action_get_state_version (NebulaStatefulAction *self);
/* For the engine, before the call: what the last call kept; NULL before the first. */
NEBULA_API gboolean nebula_stateful_action_restore_state (NebulaStatefulAction *self, NebulaValue *state, guint version, GError **error);
NEBULA_API NebulaValue *nebula_stateful_action_get_state (NebulaStatefulAction *self);
NEBULA_API void nebula_stateful_action_keep_state (NebulaStatefulAction *self, NebulaValue *state);

G_END_DECLS
