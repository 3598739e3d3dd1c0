/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-supply-action.h"

#include <glib/gi18n-lib.h>

typedef struct
{
  GMutex lock;   /* guards idle */
  GQueue idle;   /* GObject: resources that nobody uses, the one used last first */
} NebulaSupplyActionPrivate;

/**
 * NebulaSupplyAction:
 *
 * An action that provides a resource to others and keeps released ones for the next who asks.
 *
 * Thread: any, locked, for acquiring and releasing.
 */
G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (NebulaSupplyAction, nebula_supply_action, NEBULA_TYPE_ACTION)

#define GET_PRIVATE(self) ((NebulaSupplyActionPrivate *) nebula_supply_action_get_instance_private (self))

static GObject *
take_idle (NebulaSupplyAction *self)
{
  NebulaSupplyActionPrivate *priv = GET_PRIVATE (self);
  GObject *resource;

  g_mutex_lock (&priv->lock);
  resource = g_queue_pop_head (&priv->idle);
  g_mutex_unlock (&priv->lock);
  return resource;
}

static void
nebula_supply_action_dispose (GObject *object)
{
  NebulaSupplyAction *self = NEBULA_SUPPLY_ACTION (object);
  GObject *resource;

  while ((resource = take_idle (self)) != NULL)
    NEBULA_SUPPLY_ACTION_GET_CLASS (self)->destroy (self, resource);

  G_OBJECT_CLASS (nebula_supply_action_parent_class)->dispose (object);
}

static void
nebula_supply_action_finalize (GObject *object)
{
  g_mutex_clear (&GET_PRIVATE (NEBULA_SUPPLY_ACTION (object))->lock);

  G_OBJECT_CLASS (nebula_supply_action_parent_class)->finalize (object);
}

static GObject *
nebula_supply_action_real_create (NebulaSupplyAction *self, GCancellable *cancellable, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED, _("The supplier %s does not implement “create”"),
               G_OBJECT_TYPE_NAME (self));
  return NULL;
}

static gboolean
nebula_supply_action_real_check (NebulaSupplyAction *self, GObject *resource, GError **error)
{
  return TRUE;
}

static void
nebula_supply_action_real_destroy (NebulaSupplyAction *self, GObject *resource)
{
  g_object_unref (resource);
}

static void
nebula_supply_action_class_init (NebulaSupplyActionClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = nebula_supply_action_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_supply_action_finalize;
  klass->create = nebula_supply_action_real_create;
  klass->check = nebula_supply_action_real_check;
  klass->destroy = nebula_supply_action_real_destroy;
}

static void
nebula_supply_action_init (NebulaSupplyAction *self)
{
  NebulaSupplyActionPrivate *priv = GET_PRIVATE (self);

  g_mutex_init (&priv->lock);
  g_queue_init (&priv->idle);
}

/**
 * nebula_supply_action_acquire:
 * @self: a supplier whose parameters are set
 * @cancellable: (nullable): stops the making of a new resource
 *
 * Gives an idle resource that can still be used, else makes a new one. May block.
 *
 * Errors: what the supplier sets; %NEBULA_ERROR_ACTION_CONTRACT (terminal) if it gives nothing.
 *
 * Thread: any.
 *
 * Returns: (transfer full): a resource, to be given back by nebula_supply_action_release()
 *
 * Since: 1.0
 */
GObject *
nebula_supply_action_acquire (NebulaSupplyAction *self, GCancellable *cancellable, GError **error)
{
  NebulaSupplyActionClass *klass;
  g_autoptr (GError) local_error = NULL;
  GObject *resource;

  g_return_val_if_fail (NEBULA_IS_SUPPLY_ACTION (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  klass = NEBULA_SUPPLY_ACTION_GET_CLASS (self);
  while ((resource = take_idle (self)) != NULL) {
    if (klass->check (self, resource, NULL))
      return resource;
    klass->destroy (self, resource);
  }

  resource = klass->create (self, cancellable, &local_error);
  if (resource == NULL && local_error == NULL)
    g_set_error_literal (&local_error, NEBULA_ERROR, NEBULA_ERROR_ACTION_CONTRACT,
                         _("The supplier gave neither a resource nor an error. Report this to its author"));
  if (resource == NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return resource;
}

/**
 * nebula_supply_action_release:
 * @self: a supplier
 * @resource: (transfer full): a resource that it gave
 *
 * Gives a resource back, to be kept for the next who asks.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_supply_action_release (NebulaSupplyAction *self, GObject *resource)
{
  NebulaSupplyActionPrivate *priv;

  g_return_if_fail (NEBULA_IS_SUPPLY_ACTION (self));
  g_return_if_fail (G_IS_OBJECT (resource));

  priv = GET_PRIVATE (self);
  g_mutex_lock (&priv->lock);
  g_queue_push_head (&priv->idle, resource);
  g_mutex_unlock (&priv->lock);
}

/**
 * nebula_supply_action_get_n_idle:
 * @self: a supplier
 *
 * How many resources nobody uses.
 *
 * Thread: any.
 *
 * Returns: their number
 *
 * Since: 1.0
 */
guint
nebula_supply_action_get_n_idle (NebulaSupplyAction *self)
{
  NebulaSupplyActionPrivate *priv;
  guint n_idle;

  g_return_val_if_fail (NEBULA_IS_SUPPLY_ACTION (self), 0);

  priv = GET_PRIVATE (self);
  g_mutex_lock (&priv->lock);
  n_idle = priv->idle.length;
  g_mutex_unlock (&priv->lock);
  return n_idle;
}
