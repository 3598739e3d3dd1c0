/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nebula-caller.h"

#define DEFAULT_TENANT "default"

struct _NebulaCaller {
  gatomicrefcount references;
  NebulaContext *context;
  char *role;       /* NULL: none */
  char *credential; /* NULL: none */
};

G_DEFINE_BOXED_TYPE (NebulaCaller, nebula_caller, nebula_caller_ref, nebula_caller_unref)

/**
 * nebula_caller_new:
 * @context: tenant and user of the caller
 * @role: (nullable): the role there; %NULL for somebody who is not known
 * @credential: (nullable): the id of the token or account that proved it; never a secret
 *
 * Makes a caller. Without a tenant in @context it is the tenant `default`.
 *
 * Returns: (transfer full): a new caller
 *
 * Since: 1.0
 */
NebulaCaller *
nebula_caller_new (NebulaContext *context, const char *role, const char *credential)
{
  NebulaCaller *self = NULL;

  g_return_val_if_fail (context != NULL, NULL);

  self = g_new0 (NebulaCaller, 1);
  g_atomic_ref_count_init (&self->references);
  self->context = nebula_context_get_tenant (context)
                      ? nebula_context_ref (context)
                      : nebula_context_with_tenant (context, DEFAULT_TENANT);
  self->role = g_strdup (role);
  self->credential = g_strdup (credential);
  return self;
}

/**
 * nebula_caller_new_owner:
 * @tenant: (nullable): a tenant; %NULL for `default`
 *
 * Makes the caller that stands for whoever owns the store's file: it may do all there.
 *
 * Returns: (transfer full): a new caller
 *
 * Since: 1.0
 */
NebulaCaller *
nebula_caller_new_owner (const char *tenant)
{
  g_autoptr (NebulaContext) none = nebula_context_new ();
  g_autoptr (NebulaContext) context =
      nebula_context_with_tenant (none, tenant ? tenant : DEFAULT_TENANT);

  return nebula_caller_new (context, "admin", "owner");
}

/**
 * nebula_caller_ref:
 * @self: a caller
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaCaller *
nebula_caller_ref (NebulaCaller *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_caller_unref:
 * @self: (transfer full): a caller
 *
 * Gives a reference back; the last one frees it.
 *
 * Since: 1.0
 */
void
nebula_caller_unref (NebulaCaller *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  nebula_context_unref (self->context);
  g_free (self->role);
  g_free (self->credential);
  g_free (self);
}

/**
 * nebula_caller_with_request:
 * @self: a caller
 * @language: (nullable): the language of the answer
 * @trace: (nullable): a `traceparent` header
 * @deadline_usec: monotonic time after which nobody waits any more; %G_MAXINT64 for none
 *
 * The same caller, as one request of it is.
 *
 * Returns: (transfer full): a new caller
 *
 * Since: 1.0
 */
NebulaCaller *
nebula_caller_with_request (NebulaCaller *self,
                            const char *language,
                            const char *trace,
                            gint64 deadline_usec)
{
  g_autoptr (NebulaContext) spoken = NULL;
  g_autoptr (NebulaContext) traced = NULL;
  g_autoptr (NebulaContext) timed = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  spoken = nebula_context_with_language (self->context, language);
  traced = nebula_context_with_trace (spoken, trace);
  timed = nebula_context_with_deadline (traced, deadline_usec);
  return nebula_caller_new (timed, self->role, self->credential);
}

/**
 * nebula_caller_get_context:
 * @self: a caller
 *
 * What travels through all layers: tenant, user, language, trace, deadline.
 *
 * Returns: (transfer none): the context; it lives as long as @self
 *
 * Since: 1.0
 */
NebulaContext *
nebula_caller_get_context (NebulaCaller *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->context;
}

/**
 * nebula_caller_get_tenant:
 * @self: a caller
 *
 * The tenant in which it acts.
 *
 * Returns: text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_caller_get_tenant (NebulaCaller *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return nebula_context_get_tenant (self->context);
}

/**
 * nebula_caller_get_user:
 * @self: a caller
 *
 * Who it is.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_caller_get_user (NebulaCaller *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return nebula_context_get_user (self->context);
}

/**
 * nebula_caller_get_role:
 * @self: a caller
 *
 * Its role in its tenant.
 *
 * Returns: (nullable): text that lives as long as @self; %NULL if it is not known
 *
 * Since: 1.0
 */
const char *
nebula_caller_get_role (NebulaCaller *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->role;
}

/**
 * nebula_caller_get_credential:
 * @self: a caller
 *
 * The id of what proved who it is.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_caller_get_credential (NebulaCaller *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->credential;
}

/**
 * nebula_caller_may:
 * @self: a caller
 * @permission: a permission
 *
 * Whether it may do something in its tenant.
 *
 * Returns: %TRUE if its role holds @permission
 *
 * Since: 1.0
 */
gboolean
nebula_caller_may (NebulaCaller *self, NebulaPermission permission)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (nebula_role_get_permissions (self->role) & permission) == permission;
}
