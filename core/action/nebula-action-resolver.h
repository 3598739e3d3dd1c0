/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_ACTION_RESOLVER (nebula_action_resolver_get_type ())
NEBULA_API G_DECLARE_INTERFACE (NebulaActionResolver, nebula_action_resolver, NEBULA, ACTION_RESOLVER, GObject)

/**
 * NebulaActionResolver:
 *
 * Where actions are found: by id and version, and then their class.
 *
 * Thread: owner context.
 */

/**
 * NebulaActionResolverInterface:
 * @lookup: the catalogue's entry of an action; loads nothing
 * @load: the class of an action; loads its module if need be
 * @get_functions: functions that modules bring to expressions; may be %NULL, and may give %NULL
 * @create: a fresh action without parameters; may be %NULL: one of the class that @load gives
 *
 * How workflows and the engine find actions; the registry implements it.
 */
struct _NebulaActionResolverInterface
{
  GTypeInterface parent_iface;

  NebulaActionInfo *(*lookup) (NebulaActionResolver *self, const char *id, const char *version, GError **error);
  NebulaActionClass *(*load) (NebulaActionResolver *self, NebulaActionInfo *info, GError **error);

  NebulaFunctionSet *(*get_functions) (NebulaActionResolver *self);

  NebulaAction *(*create) (NebulaActionResolver *self, NebulaActionInfo *info, GError **error);

  gpointer _reserved[8];
};

/* @version: `major.minor` wanted, or NULL for the newest. Error: unknown-action with a hint to the nearest id. */
NEBULA_API NebulaActionInfo *nebula_action_resolver_lookup (NebulaActionResolver *self, const char *id, const char *version, GError **error);
/* The class lives as long as the process (modules are resident). */
NEBULA_API NebulaActionClass *nebula_action_resolver_load (NebulaActionResolver *self, NebulaActionInfo *info, GError **error);
/* A fresh action for one attempt, wherever its code runs. */
NEBULA_API NebulaAction *nebula_action_resolver_create (NebulaActionResolver *self, NebulaActionInfo *info, GError **error);
/* Borrowed, as long as the resolver does not change; NULL: none. */
NEBULA_API NebulaFunctionSet *nebula_action_resolver_get_functions (NebulaActionResolver *self);

G_END_DECLS
