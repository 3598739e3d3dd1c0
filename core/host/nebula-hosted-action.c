/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's stand-in for an action whose class lives in a host. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-host-pool-private.h"

typedef struct {
  NebulaAction parent_instance;

  NebulaHostPool *pool;
  NebulaHostGroup *group; /* lives as long as the pool */
  NebulaActionInfo *info;
} NebulaHostedAction;

typedef struct {
  NebulaActionClass parent_class;
} NebulaHostedActionClass;

G_DEFINE_TYPE (NebulaHostedAction, nebula_hosted_action, NEBULA_TYPE_ACTION)

/* Late expressions would need the engine while the host evaluates them. */
static gboolean
check_arguments (NebulaHostedAction *self,
                 const NebulaArguments *arguments,
                 GError **error)
{
  if (arguments->expressions == NULL)
    return TRUE;
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
      _ ("The action “%s” takes expressions, which cannot be handed to a module that runs in a process of its "
         "own. Set its isolation to “in-process”."),
      nebula_action_info_get_id (self->info));
  return FALSE;
}

static void
nebula_hosted_action_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  NebulaHostedAction *self = (NebulaHostedAction *) action;
  const NebulaArguments *arguments = nebula_action_get_arguments (action);
  g_autoptr (GError) error = NULL;

  if (!check_arguments (self, arguments, &error)) {
    nebula_invocation_return_error (invocation, error);
    return;
  }
  _nebula_host_pool_post (self->pool, self->group, invocation, self->info,
                          arguments->parameters);
}

static void
nebula_hosted_action_finalize (GObject *object)
{
  NebulaHostedAction *self = (NebulaHostedAction *) object;

  g_clear_pointer (&self->pool, _nebula_host_pool_unref);
  g_clear_pointer (&self->info, nebula_action_info_unref);

  G_OBJECT_CLASS (nebula_hosted_action_parent_class)->finalize (object);
}

static void
nebula_hosted_action_class_init (NebulaHostedActionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_hosted_action_finalize;
  NEBULA_ACTION_CLASS (klass)->invoke = nebula_hosted_action_invoke;
}

static void
nebula_hosted_action_init (NebulaHostedAction *self)
{
}

NebulaAction *
_nebula_hosted_action_new (NebulaHostPool *pool,
                           NebulaHostGroup *group,
                           NebulaActionInfo *info)
{
  NebulaHostedAction *self = g_object_new (nebula_hosted_action_get_type (), NULL);

  self->pool = _nebula_host_pool_ref (pool);
  self->group = group;
  self->info = nebula_action_info_ref (info);
  return NEBULA_ACTION (self);
}
