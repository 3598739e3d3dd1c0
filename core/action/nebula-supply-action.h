/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_SUPPLY_ACTION (nebula_supply_action_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaSupplyAction, nebula_supply_action, NEBULA, SUPPLY_ACTION, NebulaAction)

/**
 * NebulaSupplyActionClass:
 * @create: makes one resource; may block
 * @check: whether a resource can still be used; it can by default
 * @destroy: ends a resource that is not used any more; drops the reference by default
 *
 * Provides a resource, such as a connection, to other actions.
 */
struct _NebulaSupplyActionClass
{
  NebulaActionClass parent_class;

  GObject *(*create) (NebulaSupplyAction *self, GCancellable *cancellable, GError **error);
  gboolean (*check) (NebulaSupplyAction *self, GObject *resource, GError **error);
  void (*destroy) (NebulaSupplyAction *self, GObject *resource);

  gpointer _reserved[8];
};

NEBULA_API GObject *nebula_supply_action_acquire (NebulaSupplyAction *self, GCancellable *cancellable, GError **error);
NEBULA_API void nebula_supply_action_release (NebulaSupplyAction *self, GObject *resource);
NEBULA_API guint nebula_supply_action_get_n_idle (NebulaSupplyAction *self);

G_END_DECLS
