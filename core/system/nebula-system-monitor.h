/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-budget.h"
#include "nebula-clock.h"
#include "nebula-system.h"

G_BEGIN_DECLS

/**
 * NebulaHealth:
 * @NEBULA_HEALTH_HEALTHY: all is well
 * @NEBULA_HEALTH_DEGRADED: it works, and somebody should look
 * @NEBULA_HEALTH_UNHEALTHY: it does not work
 *
 * How something is.
 */
typedef enum
{
  NEBULA_HEALTH_HEALTHY,
  NEBULA_HEALTH_DEGRADED,
  NEBULA_HEALTH_UNHEALTHY,
} NebulaHealth;

/**
 * NebulaHealthFunc:
 * @system: what nebula_system_read() gave
 * @ret_reason: (out) (transfer full): why it is not healthy, a sentence
 * @user_data: data
 *
 * Checks one thing.
 *
 * Returns: how it is
 */
typedef NebulaHealth (*NebulaHealthFunc) (NebulaValue *system, char **ret_reason, gpointer user_data);

#define NEBULA_TYPE_SYSTEM_MONITOR (nebula_system_monitor_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaSystemMonitor, nebula_system_monitor, NEBULA, SYSTEM_MONITOR, GObject)

NEBULA_API NebulaSystemMonitor *nebula_system_monitor_new (NebulaSystem *system, NebulaClock *clock);
/* Beside those that are there: memory, disk, temperature, pressure. */
NEBULA_API void nebula_system_monitor_add_check (NebulaSystemMonitor *self, const char *name, NebulaHealthFunc func, gpointer user_data, GDestroyNotify destroy);
/* {status, checks: {name: {status, reason?}}}; status is healthy, degraded or unhealthy. */
NEBULA_API NebulaValue *nebula_system_monitor_check (NebulaSystemMonitor *self);
/* Told at each reading how much memory is in use. */
NEBULA_API void nebula_system_monitor_set_budget (NebulaSystemMonitor *self, NebulaBudget *budget);
NEBULA_API void nebula_system_monitor_start (NebulaSystemMonitor *self, gint64 interval_usec);
NEBULA_API void nebula_system_monitor_stop (NebulaSystemMonitor *self);

G_END_DECLS
