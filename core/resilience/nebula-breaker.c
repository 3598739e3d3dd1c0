/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   closed ── too many failures ──▶ open ── its time is over ──▶ half-open ── all permits succeed ──▶ closed
 *                                     ▲──────────── one of them fails ────────────┘
 *
 * The window is ten buckets of counts, so that a decision takes the same time at any rate.
 */
#include "nebula-breaker.h"

#include "nebula-options-private.h"
#include "nebula-resilience-enums.h"

#define BUCKETS 10
#define SECOND  G_USEC_PER_SEC

typedef struct {
  gint64 period; /* which stretch of the time it counts */
  guint calls;
  guint failures;
} Bucket;

struct _NebulaBreaker {
  GObject parent_instance;

  guint failures_most; /* in a row; 0: not counted */
  double rate;
  gint64 bucket_usec;
  guint calls_least;
  gint64 slow_usec; /* 0: never */
  gint64 open_usec;
  guint permits;

  NebulaBreakerState state;
  gint64 opened_usec;
  guint failures_in_row;
  guint n_entered;   /* half-open: permits given */
  guint n_succeeded; /* half-open */
  Bucket buckets[BUCKETS];
};

G_DEFINE_FINAL_TYPE (NebulaBreaker, nebula_breaker, G_TYPE_OBJECT)

enum { PROP_STATE = 1, N_PROPS };

static GParamSpec *props[N_PROPS];

static void
nebula_breaker_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaBreaker *self = NEBULA_BREAKER (object);

  if (id == PROP_STATE)
    g_value_set_enum (value, self->state);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
nebula_breaker_class_init (NebulaBreakerClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = nebula_breaker_get_property;
  /**
   * NebulaBreaker:state:
   *
   * The state, for metrics and events: it is notified when it changes.
   *
   * Since: 1.0
   */
  props[PROP_STATE] = g_param_spec_enum (
      "state", NULL, NULL, NEBULA_TYPE_BREAKER_STATE, NEBULA_BREAKER_STATE_CLOSED,
      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
nebula_breaker_init (NebulaBreaker *self)
{
}

static void
set_state (NebulaBreaker *self, NebulaBreakerState state)
{
  self->state = state;
  self->n_entered = self->n_succeeded = 0;
  if (state == NEBULA_BREAKER_STATE_CLOSED) {
    self->failures_in_row = 0;
    for (guint i = 0; i < BUCKETS; i++)
      self->buckets[i] = (Bucket){0, 0, 0};
  }
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

/**
 * nebula_breaker_new:
 * @options: (nullable): an object
 * @error: where to put an error
 *
 * Makes a breaker that is closed.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), naming the option.
 *
 * Returns: (transfer full): the breaker
 *
 * Since: 1.0
 */
NebulaBreaker *
nebula_breaker_new (NebulaValue *options, GError **error)
{
  static const char *const names[] = {"failures", "rate", "window",  "calls",
                                      "slow",     "open", "permits", NULL};
  g_autoptr (NebulaBreaker) self = g_object_new (NEBULA_TYPE_BREAKER, NULL);
  NebulaOptions reader;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  _nebula_options_init (&reader, options, "breaker", names, error);
  self->failures_most =
      (guint) _nebula_options_count (&reader, "failures", 5, 0, G_MAXINT32);
  self->rate = _nebula_options_number (&reader, "rate", 0.5, 0.01, 1);
  self->bucket_usec =
      _nebula_options_duration (&reader, "window", 60 * SECOND, 1000) / BUCKETS;
  self->calls_least = (guint) _nebula_options_count (&reader, "calls", 20, 1, G_MAXINT32);
  self->slow_usec = _nebula_options_duration (&reader, "slow", 0, 0);
  self->open_usec = _nebula_options_duration (&reader, "open", 30 * SECOND, 1);
  self->permits = (guint) _nebula_options_count (&reader, "permits", 1, 1, 1000);
  return reader.failed ? NULL : g_steal_pointer (&self);
}

/**
 * nebula_breaker_get_state:
 * @self: a breaker
 *
 * Gives its state. Time alone does not change it: an open breaker becomes half-open with the first call after its time.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
NebulaBreakerState
nebula_breaker_get_state (NebulaBreaker *self)
{
  g_return_val_if_fail (NEBULA_IS_BREAKER (self), NEBULA_BREAKER_STATE_CLOSED);

  return self->state;
}

/**
 * nebula_breaker_enter:
 * @self: a breaker
 * @monotonic_usec: now
 *
 * Asks whether a call may begin. Each that may must be recorded when it has ended.
 *
 * Returns: whether it may
 *
 * Since: 1.0
 */
gboolean
nebula_breaker_enter (NebulaBreaker *self, gint64 monotonic_usec)
{
  g_return_val_if_fail (NEBULA_IS_BREAKER (self), FALSE);

  if (self->state == NEBULA_BREAKER_STATE_CLOSED)
    return TRUE;
  if (self->state == NEBULA_BREAKER_STATE_OPEN) {
    if (monotonic_usec - self->opened_usec < self->open_usec)
      return FALSE;
    set_state (self, NEBULA_BREAKER_STATE_HALF_OPEN);
  }
  if (self->n_entered >= self->permits)
    return FALSE;
  self->n_entered++;
  return TRUE;
}

static void
open_up (NebulaBreaker *self, gint64 now)
{
  self->opened_usec = now;
  set_state (self, NEBULA_BREAKER_STATE_OPEN);
}

static void
count (NebulaBreaker *self, gint64 now, gboolean success)
{
  gint64 period = now / self->bucket_usec;
  Bucket *bucket = &self->buckets[period % BUCKETS];

  if (bucket->period != period)
    *bucket = (Bucket){period, 0, 0};
  bucket->calls++;
  bucket->failures += !success;
}

static gboolean
is_too_much (const NebulaBreaker *self, gint64 now)
{
  gint64 period = now / self->bucket_usec;
  guint calls = 0, failures = 0;

  if (self->failures_most > 0 && self->failures_in_row >= self->failures_most)
    return TRUE;
  for (guint i = 0; i < BUCKETS; i++) {
    const Bucket *bucket = &self->buckets[i];

    if (bucket->period <= period - BUCKETS)
      continue;
    calls += bucket->calls;
    failures += bucket->failures;
  }
  return calls >= self->calls_least && (double) failures >= self->rate * (double) calls;
}

/**
 * nebula_breaker_record:
 * @self: a breaker
 * @monotonic_usec: now
 * @success: whether the call succeeded
 * @duration_usec: how long it took, microseconds
 *
 * Counts a call that has ended. One that was slower than allowed counts as a failure. What began before the breaker opened
 * changes nothing.
 *
 * Since: 1.0
 */
void
nebula_breaker_record (NebulaBreaker *self,
                       gint64 monotonic_usec,
                       gboolean success,
                       gint64 duration_usec)
{
  g_return_if_fail (NEBULA_IS_BREAKER (self));

  success = success && (self->slow_usec == 0 || duration_usec <= self->slow_usec);
  if (self->state == NEBULA_BREAKER_STATE_OPEN)
    return;
  if (self->state == NEBULA_BREAKER_STATE_HALF_OPEN) {
    if (!success)
      open_up (self, monotonic_usec);
    else if (++self->n_succeeded >= self->permits)
      set_state (self, NEBULA_BREAKER_STATE_CLOSED);
    return;
  }
  self->failures_in_row = success ? 0 : self->failures_in_row + 1;
  count (self, MAX (monotonic_usec, 0), success);
  if (!success && is_too_much (self, MAX (monotonic_usec, 0)))
    open_up (self, monotonic_usec);
}

/**
 * nebula_breaker_withdraw:
 * @self: a breaker
 *
 * Takes back a call that entered and then did not begin, or was cancelled: it says nothing about the other side.
 *
 * Since: 1.0
 */
void
nebula_breaker_withdraw (NebulaBreaker *self)
{
  g_return_if_fail (NEBULA_IS_BREAKER (self));

  if (self->state == NEBULA_BREAKER_STATE_HALF_OPEN &&
      self->n_entered > self->n_succeeded)
    self->n_entered--;
}

/**
 * nebula_breaker_get_remaining_usec:
 * @self: a breaker
 * @monotonic_usec: now
 *
 * Tells how long it still refuses every call.
 *
 * Returns: microseconds; 0 unless it is open
 *
 * Since: 1.0
 */
gint64
nebula_breaker_get_remaining_usec (NebulaBreaker *self, gint64 monotonic_usec)
{
  g_return_val_if_fail (NEBULA_IS_BREAKER (self), 0);

  if (self->state != NEBULA_BREAKER_STATE_OPEN)
    return 0;
  return MAX (0, self->opened_usec + self->open_usec - monotonic_usec);
}
