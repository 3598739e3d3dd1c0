/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaPermission:
 * @NEBULA_PERMISSION_NONE: whoever can reach the server
 * @NEBULA_PERMISSION_SELF: whoever is known: one's own account and tokens
 * @NEBULA_PERMISSION_CATALOGUE_READ: actions and modules
 * @NEBULA_PERMISSION_WORKFLOW_READ: workflows and their revisions
 * @NEBULA_PERMISSION_WORKFLOW_WRITE: new revisions and labels
 * @NEBULA_PERMISSION_EXECUTION_READ: executions and what they did
 * @NEBULA_PERMISSION_EXECUTION_START: new executions
 * @NEBULA_PERMISSION_EXECUTION_CONTROL: cancel, pause, signal, decide
 * @NEBULA_PERMISSION_EVENT_READ: events as they happen
 * @NEBULA_PERMISSION_QUEUE_READ: who is inside gates and who waits
 * @NEBULA_PERMISSION_METRICS_READ: counters of the server
 * @NEBULA_PERMISSION_USER_MANAGE: users, roles and the tokens of others
 *
 * What somebody may do.
 */
typedef enum
{
  NEBULA_PERMISSION_NONE = 0,
  NEBULA_PERMISSION_SELF = 1 << 0,
  NEBULA_PERMISSION_CATALOGUE_READ = 1 << 1,
  NEBULA_PERMISSION_WORKFLOW_READ = 1 << 2,
  NEBULA_PERMISSION_WORKFLOW_WRITE = 1 << 3,
  NEBULA_PERMISSION_EXECUTION_READ = 1 << 4,
  NEBULA_PERMISSION_EXECUTION_START = 1 << 5,
  NEBULA_PERMISSION_EXECUTION_CONTROL = 1 << 6,
  NEBULA_PERMISSION_EVENT_READ = 1 << 7,
  NEBULA_PERMISSION_QUEUE_READ = 1 << 8,
  NEBULA_PERMISSION_METRICS_READ = 1 << 9,
  NEBULA_PERMISSION_USER_MANAGE = 1 << 10,
} NebulaPermission;

NEBULA_API const char *nebula_permission_to_string (NebulaPermission permission); /* NULL: more than one, or unknown */
NEBULA_API const char *const *nebula_role_list (void);                            /* from the least to the most */
NEBULA_API gboolean nebula_role_is_known (const char *role);
NEBULA_API NebulaPermission nebula_role_get_permissions (const char *role); /* none if it is unknown */

G_END_DECLS
