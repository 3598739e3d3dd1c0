/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaPressure:
 * @NEBULA_PRESSURE_NONE: there is room
 * @NEBULA_PRESSURE_MODERATE: above 75 %: caches should shrink
 * @NEBULA_PRESSURE_HIGH: above 90 %: new work should wait
 * @NEBULA_PRESSURE_CRITICAL: all of it: nothing new
 *
 * How short a budget is.
 */
typedef enum
{
  NEBULA_PRESSURE_NONE,
  NEBULA_PRESSURE_MODERATE,
  NEBULA_PRESSURE_HIGH,
  NEBULA_PRESSURE_CRITICAL,
} NebulaPressure;

#define NEBULA_TYPE_BUDGET (nebula_budget_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaBudget, nebula_budget, NEBULA, BUDGET, GObject)

NEBULA_API NebulaBudget *nebula_budget_new (guint64 limit_bytes);
NEBULA_API guint64 nebula_budget_get_limit_bytes (NebulaBudget *self);
NEBULA_API guint64 nebula_budget_get_used_bytes (NebulaBudget *self);
NEBULA_API guint64 nebula_budget_get_peak_bytes (NebulaBudget *self);
NEBULA_API guint64 nebula_budget_get_n_refused (NebulaBudget *self);
NEBULA_API NebulaPressure nebula_budget_get_pressure (NebulaBudget *self);
/* What is counted piece by piece: FALSE, and nothing taken, above the limit. */
NEBULA_API gboolean nebula_budget_reserve (NebulaBudget *self, guint64 bytes);
NEBULA_API void nebula_budget_release (NebulaBudget *self, guint64 bytes);
/* What is measured as a whole, such as the memory of the process; beside what is reserved. */
NEBULA_API void nebula_budget_observe (NebulaBudget *self, guint64 bytes);

G_END_DECLS
