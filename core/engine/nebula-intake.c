/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* New work waits while a budget is short; what has begun goes on. */

#include <glib/gi18n-lib.h>

#include "nebula-budget.h"
#include "nebula-engine-private.h"
#include "nebula-error-chain.h"
#include "nebula-error.h"

#define TRICKLE_USEC (100 * 1000) /* between two starts under high pressure */
#define RETRY_USEC   (1000 * 1000)

/**
 * nebula_engine_set_budget:
 * @self: an engine
 * @budget: (nullable): a budget, which somebody keeps informed, such as a #NebulaSystemMonitor; %NULL for none
 *
 * Ties the start of executions to a budget. Under high pressure one execution starts every 100 ms, under critical pressure
 * none; the others fail with %NEBULA_ERROR_THROTTLED and a hint when to try again. Executions that run, wait or are
 * recovered go on.
 *
 * Since: 1.0
 */
void
nebula_engine_set_budget (NebulaEngine *self, NebulaBudget *budget)
{
  g_return_if_fail (NEBULA_IS_ENGINE (self));
  g_return_if_fail (budget == NULL || NEBULA_IS_BUDGET (budget));

  g_set_object (&self->budget, budget);
}

static gboolean
throttle (gint64 retry_usec, GError **error)
{
  g_autoptr (GError) problem = g_error_new_literal (
      NEBULA_ERROR, NEBULA_ERROR_THROTTLED,
      _ ("Memory is short: the engine starts no new execution now. Try again later, or raise its budget."));

  nebula_error_set_retry_after_ms (problem, (retry_usec + 999) / 1000);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

gboolean
_nebula_engine_check_intake (NebulaEngine *self, GError **error)
{
  NebulaPressure pressure = self->budget ? nebula_budget_get_pressure (self->budget) : NEBULA_PRESSURE_NONE;
  gint64 now_usec;

  if (pressure < NEBULA_PRESSURE_HIGH)
    return TRUE;
  if (pressure == NEBULA_PRESSURE_CRITICAL)
    return throttle (RETRY_USEC, error);
  now_usec = nebula_clock_get_monotonic_usec (self->clock);
  if (now_usec < self->intake_usec)
    return throttle (self->intake_usec - now_usec, error);
  self->intake_usec = now_usec + TRICKLE_USEC;
  return TRUE;
}
