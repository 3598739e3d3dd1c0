/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The names that an invocation knows of itself. */

#include "nebula-invocation-private.h"

void
_nebula_invocation_copy_texts (NebulaInvocation *self, const NebulaInvocationInfo *info)
{
  const char *const texts[] = { info->execution_id, info->workflow, info->node_id, info->action_id,
                                info->tenant,       info->identity, info->directory };
  const char **copies[] = { &self->execution_id, &self->workflow, &self->node_id, &self->action_id,
                            &self->tenant,       &self->identity, &self->directory };
  gsize size = 0;
  char *end;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    size += texts[i] != NULL ? strlen (texts[i]) + 1 : 0;
  end = self->texts = g_malloc (size);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (texts[i] == NULL)
      continue;
    *copies[i] = end;
    end = g_stpcpy (end, texts[i]) + 1;
  }
}

/**
 * nebula_invocation_get_execution_id:
 * @self: an invocation
 *
 * The execution that the attempt belongs to.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_invocation_get_execution_id (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->execution_id;
}

/**
 * nebula_invocation_get_workflow:
 * @self: an invocation
 *
 * The name of the workflow.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_invocation_get_workflow (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->workflow;
}

/**
 * nebula_invocation_get_node_id:
 * @self: an invocation
 *
 * The node of the workflow.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_invocation_get_node_id (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->node_id;
}

/**
 * nebula_invocation_get_action_id:
 * @self: an invocation
 *
 * The id of the action.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_invocation_get_action_id (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->action_id;
}

/**
 * nebula_invocation_get_tenant:
 * @self: an invocation
 *
 * The tenant that the execution belongs to.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_invocation_get_tenant (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->tenant;
}

/**
 * nebula_invocation_get_idempotency_key:
 * @self: an invocation
 *
 * A key that all attempts of the same work share, to be handed to the other side.
 *
 * Returns: (nullable): text that lives as long as @self
 *
 * Since: 1.0
 */
const char *
nebula_invocation_get_idempotency_key (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  if (!g_atomic_pointer_get (&self->idempotency_key) && self->identity) {
    char *key = g_compute_checksum_for_string (G_CHECKSUM_SHA256, self->identity, -1);

    if (!g_atomic_pointer_compare_and_exchange (&self->idempotency_key, NULL, key))
      g_free (key);
  }
  return g_atomic_pointer_get (&self->idempotency_key);
}

/**
 * nebula_invocation_get_directory:
 * @self: an invocation
 *
 * The folder that relative paths start at.
 *
 * Returns: (nullable): a path that lives as long as @self; %NULL for the current folder
 *
 * Since: 1.0
 */
const char *
nebula_invocation_get_directory (NebulaInvocation *self)
{
  g_return_val_if_fail (NEBULA_IS_INVOCATION (self), NULL);

  return self->directory;
}
