/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-action-resolver.h"

G_DEFINE_INTERFACE (NebulaActionResolver, nebula_action_resolver, G_TYPE_OBJECT)

static void
nebula_action_resolver_default_init (NebulaActionResolverInterface *iface)
{
}

/**
 * nebula_action_resolver_lookup:
 * @self: a resolver
 * @id: id of an action
 * @version: (nullable): the `major.minor` wanted; %NULL for the newest
 *
 * Finds the catalogue's entry of an action. Loads nothing. An action fits if it has the same major version and at
 * least the minor one; the newest that fits is given.
 *
 * Errors: %NEBULA_ERROR_UNKNOWN_ACTION (terminal), with the nearest id as a hint; %NEBULA_ERROR_INVALID_ARGUMENT
 * (terminal) if @version is no version.
 *
 * Returns: (transfer full): the entry
 *
 * Since: 1.0
 */
NebulaActionInfo *
nebula_action_resolver_lookup (NebulaActionResolver *self, const char *id, const char *version, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return NEBULA_ACTION_RESOLVER_GET_IFACE (self)->lookup (self, id, version, error);
}

/**
 * nebula_action_resolver_load: (skip)
 * @self: a resolver
 * @info: an entry that it gave
 *
 * The class of an action; loads its module if need be.
 *
 * Errors: %NEBULA_ERROR_MODULE_MISSING, %NEBULA_ERROR_MODULE_BROKEN, %NEBULA_ERROR_MODULE_ABI,
 * %NEBULA_ERROR_MODULE_REFUSED (all terminal).
 *
 * Returns: (transfer none): a class that lives as long as the process
 *
 * Since: 1.0
 */
NebulaActionClass *
nebula_action_resolver_load (NebulaActionResolver *self, NebulaActionInfo *info, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (self), NULL);
  g_return_val_if_fail (info != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return NEBULA_ACTION_RESOLVER_GET_IFACE (self)->load (self, info, error);
}

/**
 * nebula_action_resolver_create: (skip)
 * @self: a resolver
 * @info: an entry that it gave
 * @error: where to put an error
 *
 * Makes an action for one attempt. Its code may run in another process: what is given then stands for it.
 *
 * Errors: those of nebula_action_resolver_load().
 *
 * Returns: (transfer full): a new action without parameters
 *
 * Since: 1.0
 */
NebulaAction *
nebula_action_resolver_create (NebulaActionResolver *self, NebulaActionInfo *info, GError **error)
{
  NebulaActionResolverInterface *iface;
  NebulaActionClass *klass;

  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (self), NULL);
  g_return_val_if_fail (info != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  iface = NEBULA_ACTION_RESOLVER_GET_IFACE (self);
  if (iface->create != NULL)
    return iface->create (self, info, error);
  klass = iface->load (self, info, error);
  return klass != NULL ? g_object_new (G_TYPE_FROM_CLASS (klass), NULL) : NULL;
}

/**
 * nebula_action_resolver_get_functions:
 * @self: a resolver
 *
 * Gets the functions that modules bring to expressions.
 *
 * Returns: (transfer none) (nullable): a set that lives until the catalogue changes; %NULL if there are none
 *
 * Since: 1.0
 */
NebulaFunctionSet *
nebula_action_resolver_get_functions (NebulaActionResolver *self)
{
  NebulaActionResolverInterface *iface;

  g_return_val_if_fail (NEBULA_IS_ACTION_RESOLVER (self), NULL);

  iface = NEBULA_ACTION_RESOLVER_GET_IFACE (self);
  return iface->get_functions != NULL ? iface->get_functions (self) : NULL;
}
