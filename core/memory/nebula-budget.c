/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-budget.h"

#include "nebula-memory-enums.h"
#include "nebula-sync-internal.h"

#define MODERATE_PERCENT 75
#define HIGH_PERCENT     90
#define CALM_PERCENT     5 /* a level ends this much below where it began, so that it does not flutter */

/**
 * NebulaBudget:
 *
 * A number of bytes that several share. It tells how short it is, and emits a signal when that changes, so that caches shrink
 * and new work waits before anything fails.
 *
 * Thread: any, locked; the signal is emitted in the owner's context.
 */
struct _NebulaBudget
{
  GObject parent_instance;

  GMainContext *owner;
  guint64 limit_bytes;
  GMutex lock; /* guards all below */
  guint64 reserved_bytes;
  guint64 observed_bytes;
  guint64 peak_bytes;
  guint64 n_refused;
  NebulaPressure pressure;
  gboolean is_telling;
};

enum
{
  SIGNAL_PRESSURE_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (NebulaBudget, nebula_budget, G_TYPE_OBJECT)

static void
nebula_budget_finalize (GObject *object)
{
  NebulaBudget *self = NEBULA_BUDGET (object);

  g_main_context_unref (self->owner);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (nebula_budget_parent_class)->finalize (object);
}

static void
nebula_budget_class_init (NebulaBudgetClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_budget_finalize;

  /**
   * NebulaBudget::pressure-changed:
   * @self: the budget
   * @pressure: how short it is now
   *
   * Emitted in the context where the budget was made, soon after the pressure changed; changes that come fast are told as
   * one.
   *
   * Since: 1.0
   */
  signals[SIGNAL_PRESSURE_CHANGED] = g_signal_new ("pressure-changed", NEBULA_TYPE_BUDGET, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                   G_TYPE_NONE, 1, NEBULA_TYPE_PRESSURE);
}

static void
nebula_budget_init (NebulaBudget *self)
{
  self->owner = g_main_context_ref_thread_default ();
  g_mutex_init (&self->lock);
}

static gboolean
tell (gpointer data)
{
  NebulaBudget *self = data;
  NebulaPressure pressure = NEBULA_PRESSURE_NONE;

  _nebula_sync_lock (&self->lock);
  self->is_telling = FALSE;
  pressure = self->pressure;
  _nebula_sync_unlock (&self->lock);
  g_signal_emit (self, signals[SIGNAL_PRESSURE_CHANGED], 0, pressure);
  return G_SOURCE_REMOVE;
}

/* With the lock held. */
static void
tell_soon (NebulaBudget *self)
{
  g_autoptr (GSource) source = NULL;

  if (self->is_telling)
    return;
  self->is_telling = TRUE;
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "nebula-budget");
  g_source_set_callback (source, tell, g_object_ref (self), g_object_unref);
  g_source_attach (source, self->owner);
}

static guint64
get_used (NebulaBudget *self)
{
  return self->reserved_bytes > G_MAXUINT64 - self->observed_bytes ? G_MAXUINT64 : self->reserved_bytes + self->observed_bytes;
}

static NebulaPressure
find_pressure (NebulaBudget *self, guint64 calm_percent)
{
  double share = 100.0 * (double) get_used (self) / (double) self->limit_bytes + (double) calm_percent;

  if (share >= 100.0)
    return NEBULA_PRESSURE_CRITICAL;
  if (share >= HIGH_PERCENT)
    return NEBULA_PRESSURE_HIGH;
  return share >= MODERATE_PERCENT ? NEBULA_PRESSURE_MODERATE : NEBULA_PRESSURE_NONE;
}

/* With the lock held. */
static void
update (NebulaBudget *self)
{
  NebulaPressure pressure = find_pressure (self, 0);

  self->peak_bytes = MAX (self->peak_bytes, get_used (self));
  if (pressure < self->pressure)
    pressure = MIN (self->pressure, find_pressure (self, CALM_PERCENT));
  if (pressure == self->pressure)
    return;
  self->pressure = pressure;
  tell_soon (self);
}

/**
 * nebula_budget_new:
 * @limit_bytes: how much there is; at least 1
 *
 * Makes a budget of which nothing is used.
 *
 * Returns: (transfer full): a budget
 *
 * Since: 1.0
 */
NebulaBudget *
nebula_budget_new (guint64 limit_bytes)
{
  NebulaBudget *self = NULL;

  g_return_val_if_fail (limit_bytes > 0, NULL);

  self = g_object_new (NEBULA_TYPE_BUDGET, NULL);
  self->limit_bytes = limit_bytes;
  return self;
}

/**
 * nebula_budget_get_limit_bytes:
 * @self: a budget
 *
 * Tells how much there is.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
guint64
nebula_budget_get_limit_bytes (NebulaBudget *self)
{
  g_return_val_if_fail (NEBULA_IS_BUDGET (self), 0);

  return self->limit_bytes;
}

/**
 * nebula_budget_get_used_bytes:
 * @self: a budget
 *
 * Tells how much is used: what is reserved and what was measured last.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
guint64
nebula_budget_get_used_bytes (NebulaBudget *self)
{
  g_return_val_if_fail (NEBULA_IS_BUDGET (self), 0);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  return get_used (self);
}

/**
 * nebula_budget_get_peak_bytes:
 * @self: a budget
 *
 * Tells the most that was ever used.
 *
 * Returns: bytes
 *
 * Since: 1.0
 */
guint64
nebula_budget_get_peak_bytes (NebulaBudget *self)
{
  g_return_val_if_fail (NEBULA_IS_BUDGET (self), 0);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  return self->peak_bytes;
}

/**
 * nebula_budget_get_n_refused:
 * @self: a budget
 *
 * Counts the reservations that were refused.
 *
 * Returns: how many
 *
 * Since: 1.0
 */
guint64
nebula_budget_get_n_refused (NebulaBudget *self)
{
  g_return_val_if_fail (NEBULA_IS_BUDGET (self), 0);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  return self->n_refused;
}

/**
 * nebula_budget_get_pressure:
 * @self: a budget
 *
 * Tells how short it is. A level begins at 75, 90 and 100 % and ends 5 % below.
 *
 * Returns: the pressure
 *
 * Since: 1.0
 */
NebulaPressure
nebula_budget_get_pressure (NebulaBudget *self)
{
  g_return_val_if_fail (NEBULA_IS_BUDGET (self), NEBULA_PRESSURE_NONE);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  return self->pressure;
}

/**
 * nebula_budget_reserve:
 * @self: a budget
 * @bytes: how much
 *
 * Takes a piece of the budget, to be released.
 *
 * Returns: whether there was room; if not, nothing is taken
 *
 * Since: 1.0
 */
gboolean
nebula_budget_reserve (NebulaBudget *self, guint64 bytes)
{
  guint64 used = 0;

  g_return_val_if_fail (NEBULA_IS_BUDGET (self), FALSE);
  NEBULA_SYNC_AUTO (guard, &self->lock);

  used = get_used (self);
  if (used > self->limit_bytes || bytes > self->limit_bytes - used) {
    self->n_refused++;
    return FALSE;
  }
  self->reserved_bytes += bytes;
  update (self);
  return TRUE;
}

/**
 * nebula_budget_release:
 * @self: a budget
 * @bytes: how much of what was reserved
 *
 * Gives a piece back.
 *
 * Since: 1.0
 */
void
nebula_budget_release (NebulaBudget *self, guint64 bytes)
{
  g_return_if_fail (NEBULA_IS_BUDGET (self));
  NEBULA_SYNC_AUTO (guard, &self->lock);

  g_warn_if_fail (bytes <= self->reserved_bytes);
  self->reserved_bytes -= MIN (bytes, self->reserved_bytes);
  update (self);
}

/**
 * nebula_budget_observe:
 * @self: a budget
 * @bytes: what is used now
 *
 * Tells the budget what was measured, in the place of what was measured before.
 *
 * Since: 1.0
 */
void
nebula_budget_observe (NebulaBudget *self, guint64 bytes)
{
  g_return_if_fail (NEBULA_IS_BUDGET (self));
  NEBULA_SYNC_AUTO (guard, &self->lock);

  self->observed_bytes = bytes;
  update (self);
}
