/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * NebulaService:
 *
 * A part of the server: it listens somewhere and asks the engine, through its #NebulaServiceHost, on behalf of callers.
 *
 * A service lives in a thread of its own with a main context of its own, which is the thread-default one while it is
 * called. It touches neither engine nor registry: only immutable values go to and fro. A module brings it with
 * nebula_module_registrar_add_service().
 */

#include "nebula-service.h"

typedef struct {
  NebulaServiceHost *host; /* borrowed; NULL: does not run */
  GMutex lock;             /* guards addresses */
  GPtrArray *addresses;
  gboolean is_drained;
} NebulaServicePrivate;

enum { SIGNAL_DRAINED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (NebulaService, nebula_service, G_TYPE_OBJECT)

static NebulaServicePrivate *
get_private (NebulaService *self)
{
  return nebula_service_get_instance_private (self);
}

static void
nebula_service_finalize (GObject *object)
{
  NebulaServicePrivate *priv = get_private (NEBULA_SERVICE (object));

  g_mutex_clear (&priv->lock);
  g_ptr_array_unref (priv->addresses);
  G_OBJECT_CLASS (nebula_service_parent_class)->finalize (object);
}

static void
nebula_service_init (NebulaService *self)
{
  NebulaServicePrivate *priv = get_private (self);

  g_mutex_init (&priv->lock);
  priv->addresses = g_ptr_array_new_with_free_func (g_free);
}

static void
nebula_service_class_init (NebulaServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_service_finalize;

  /**
   * NebulaService::drained:
   * @self: the service
   *
   * Nothing runs any more after nebula_service_drain(); emitted in the service's thread.
   */
  signals[SIGNAL_DRAINED] =
      g_signal_new ("drained", NEBULA_TYPE_SERVICE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 0);
}

/**
 * nebula_service_class_set_details: (skip)
 * @klass: the class
 * @name: static text: lower-case letters, digits and hyphens
 * @title: static text for people, marked for translation
 *
 * Says what the service is called; for class_init.
 *
 * Since: 1.0
 */
void
nebula_service_class_set_details (NebulaServiceClass *klass,
                                  const char *name,
                                  const char *title)
{
  g_return_if_fail (NEBULA_IS_SERVICE_CLASS (klass));

  klass->name = name;
  klass->title = title;
}

/**
 * nebula_service_get_name:
 * @self: a service
 *
 * What it is called in options and logs.
 *
 * Returns: (nullable): static text
 *
 * Since: 1.0
 */
const char *
nebula_service_get_name (NebulaService *self)
{
  g_return_val_if_fail (NEBULA_IS_SERVICE (self), NULL);

  return NEBULA_SERVICE_GET_CLASS (self)->name;
}

/**
 * nebula_service_get_host:
 * @self: a service
 *
 * What runs it, and answers what it asks.
 *
 * Returns: (transfer none) (nullable): the host; %NULL before it is started and after it is stopped
 *
 * Since: 1.0
 */
NebulaServiceHost *
nebula_service_get_host (NebulaService *self)
{
  g_return_val_if_fail (NEBULA_IS_SERVICE (self), NULL);

  return get_private (self)->host;
}

/**
 * nebula_service_add_address:
 * @self: a service
 * @address: where it can be reached, such as `http://127.0.0.1:8080`
 *
 * Says where the service listens; for the service itself, while it starts.
 *
 * Thread: any, locked.
 *
 * Since: 1.0
 */
void
nebula_service_add_address (NebulaService *self, const char *address)
{
  NebulaServicePrivate *priv = NULL;

  g_return_if_fail (NEBULA_IS_SERVICE (self));
  g_return_if_fail (address != NULL);

  priv = get_private (self);
  g_mutex_lock (&priv->lock);
  g_ptr_array_add (priv->addresses, g_strdup (address));
  g_mutex_unlock (&priv->lock);
}

/**
 * nebula_service_list_addresses:
 * @self: a service
 *
 * Where the service listens.
 *
 * Thread: any, locked.
 *
 * Returns: (transfer full) (array zero-terminated=1): addresses
 *
 * Since: 1.0
 */
char **
nebula_service_list_addresses (NebulaService *self)
{
  NebulaServicePrivate *priv = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_return_val_if_fail (NEBULA_IS_SERVICE (self), NULL);

  priv = get_private (self);
  g_mutex_lock (&priv->lock);
  for (guint i = 0; i < priv->addresses->len; i++)
    g_strv_builder_add (builder, priv->addresses->pdata[i]);
  g_mutex_unlock (&priv->lock);
  return g_strv_builder_end (builder);
}

/**
 * nebula_service_set_drained:
 * @self: a service
 *
 * Says that nothing runs any more; for the service itself, once, after it was told to drain.
 *
 * Since: 1.0
 */
void
nebula_service_set_drained (NebulaService *self)
{
  NebulaServicePrivate *priv = NULL;

  g_return_if_fail (NEBULA_IS_SERVICE (self));

  priv = get_private (self);
  if (priv->is_drained)
    return;
  priv->is_drained = TRUE;
  g_signal_emit (self, signals[SIGNAL_DRAINED], 0);
}

/**
 * nebula_service_attach:
 * @self: a service
 * @host: what runs it; it outlives the service's run
 * @error: where the failure goes
 *
 * Begins; blocks until the service is ready.
 *
 * Errors: those of the service.
 *
 * Returns: whether it runs
 *
 * Since: 1.0
 */
gboolean
nebula_service_attach (NebulaService *self, NebulaServiceHost *host, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_SERVICE (self), FALSE);
  g_return_val_if_fail (NEBULA_IS_SERVICE_HOST (host), FALSE);

  get_private (self)->host = host;
  if (NEBULA_SERVICE_GET_CLASS (self)->start (self, error))
    return TRUE;
  get_private (self)->host = NULL;
  return FALSE;
}

/**
 * nebula_service_drain:
 * @self: a service
 *
 * Lets the service take nothing new and end what it has begun; #NebulaService::drained tells when.
 *
 * Since: 1.0
 */
void
nebula_service_drain (NebulaService *self)
{
  g_return_if_fail (NEBULA_IS_SERVICE (self));

  if (NEBULA_SERVICE_GET_CLASS (self)->drain)
    NEBULA_SERVICE_GET_CLASS (self)->drain (self);
  else
    nebula_service_set_drained (self);
}

/**
 * nebula_service_stop:
 * @self: a service
 *
 * Ends the service, with all that it still does.
 *
 * Since: 1.0
 */
void
nebula_service_stop (NebulaService *self)
{
  g_return_if_fail (NEBULA_IS_SERVICE (self));

  if (get_private (self)->host)
    NEBULA_SERVICE_GET_CLASS (self)->stop (self);
  get_private (self)->host = NULL;
}
