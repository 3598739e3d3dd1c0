/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of who may do what. A role holds all that stands in its row. */

#include "nebula-permission.h"

static const struct {
  NebulaPermission permission;
  const char *name;
} names[] = {
    {NEBULA_PERMISSION_NONE, "none"},
    {NEBULA_PERMISSION_SELF, "self"},
    {NEBULA_PERMISSION_CATALOGUE_READ, "catalogue.read"},
    {NEBULA_PERMISSION_WORKFLOW_READ, "workflow.read"},
    {NEBULA_PERMISSION_WORKFLOW_WRITE, "workflow.write"},
    {NEBULA_PERMISSION_EXECUTION_READ, "execution.read"},
    {NEBULA_PERMISSION_EXECUTION_START, "execution.start"},
    {NEBULA_PERMISSION_EXECUTION_CONTROL, "execution.control"},
    {NEBULA_PERMISSION_EVENT_READ, "event.read"},
    {NEBULA_PERMISSION_QUEUE_READ, "queue.read"},
    {NEBULA_PERMISSION_METRICS_READ, "metrics.read"},
    {NEBULA_PERMISSION_USER_MANAGE, "user.manage"},
};

#define VIEWER                                                                           \
  (NEBULA_PERMISSION_SELF | NEBULA_PERMISSION_CATALOGUE_READ |                           \
   NEBULA_PERMISSION_WORKFLOW_READ | NEBULA_PERMISSION_EXECUTION_READ |                  \
   NEBULA_PERMISSION_EVENT_READ | NEBULA_PERMISSION_QUEUE_READ)
#define OPERATOR                                                                         \
  (VIEWER | NEBULA_PERMISSION_EXECUTION_START | NEBULA_PERMISSION_EXECUTION_CONTROL |    \
   NEBULA_PERMISSION_METRICS_READ)
#define EDITOR (OPERATOR | NEBULA_PERMISSION_WORKFLOW_WRITE)
#define ADMIN  (EDITOR | NEBULA_PERMISSION_USER_MANAGE)

static const char *const roles[] = {"viewer", "operator", "editor", "admin", NULL};
static const NebulaPermission held[] = {
    (NebulaPermission) VIEWER, (NebulaPermission) OPERATOR, (NebulaPermission) EDITOR,
    (NebulaPermission) ADMIN};

/**
 * nebula_permission_to_string:
 * @permission: one permission
 *
 * The name of a permission, such as `workflow.read`.
 *
 * Thread: any.
 *
 * Returns: (nullable): static text; %NULL if it is not one permission
 *
 * Since: 1.0
 */
const char *
nebula_permission_to_string (NebulaPermission permission)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].permission == permission)
      return names[i].name;
  return NULL;
}

/**
 * nebula_role_list:
 *
 * The names of all roles, from the one that may do least to the one that may do most.
 *
 * Thread: any.
 *
 * Returns: (transfer none) (array zero-terminated=1): static texts
 *
 * Since: 1.0
 */
const char *const *
nebula_role_list (void)
{
  return roles;
}

/**
 * nebula_role_is_known:
 * @role: (nullable): a name
 *
 * Whether there is such a role.
 *
 * Thread: any.
 *
 * Returns: %TRUE if there is
 *
 * Since: 1.0
 */
gboolean
nebula_role_is_known (const char *role)
{
  return role != NULL && g_strv_contains (roles, role);
}

/**
 * nebula_role_get_permissions:
 * @role: (nullable): a name
 *
 * What a role may do.
 *
 * Thread: any.
 *
 * Returns: its permissions; none for a role that is unknown
 *
 * Since: 1.0
 */
NebulaPermission
nebula_role_get_permissions (const char *role)
{
  for (guint i = 0; role != NULL && roles[i] != NULL; i++)
    if (g_str_equal (roles[i], role))
      return held[i];
  return NEBULA_PERMISSION_NONE;
}
