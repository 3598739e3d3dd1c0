/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-invocation.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_SIMPLE_ACTION (nebula_simple_action_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaSimpleAction, nebula_simple_action, NEBULA, SIMPLE_ACTION, NebulaAction)

/**
 * NebulaSimpleActionClass:
 * @run: does the whole work and gives its result; may block; runs on an executor thread
 *
 * Value in, value out.
 */
struct _NebulaSimpleActionClass
{
  NebulaActionClass parent_class;

  NebulaValue *(*run) (NebulaSimpleAction *self, NebulaInvocation *invocation, GCancellable *cancellable, GError **error);

  gpointer _reserved[8];
};

NEBULA_API NebulaValue *nebula_simple_action_run (NebulaSimpleAction *self, NebulaInvocation *invocation, GCancellable *cancellable, GError **error);

#define NEBULA_TYPE_PROCESS_ACTION (nebula_process_action_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaProcessAction, nebula_process_action, NEBULA, PROCESS_ACTION, NebulaAction)

/**
 * NebulaProcessActionClass:
 * @run: like #NebulaSimpleActionClass.run, but the result decides the flow: port, skip, wait, terminate
 *
 * Result decides the flow.
 */
struct _NebulaProcessActionClass
{
  NebulaActionClass parent_class;

  NebulaResult *(*run) (NebulaProcessAction *self, NebulaInvocation *invocation, GCancellable *cancellable, GError **error);

  gpointer _reserved[8];
};

NEBULA_API NebulaResult *nebula_process_action_run (NebulaProcessAction *self, NebulaInvocation *invocation, GCancellable *cancellable, GError **error);

G_END_DECLS
