/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-clock.h"

/**
 * NebulaManualClock:
 *
 * A clock that stands still until it is told to advance, for tests and simulations.
 *
 * Thread: any, locked.
 *
 * Since: 1.0
 */
struct _NebulaManualClock
{
  NebulaClock parent_instance;

  GMutex lock; /* guards all below */
  gint64 real_usec;
  gint64 monotonic_usec;
  guint64 random_state;
  GPtrArray *sources; /* ManualSource, borrowed: each takes itself out when it is disposed of */
};

typedef struct
{
  GSource source;
  NebulaManualClock *clock;
  gint64 due_usec;
} ManualSource;

G_DEFINE_FINAL_TYPE (NebulaManualClock, nebula_manual_clock, NEBULA_TYPE_CLOCK)

static gint64
nebula_manual_clock_get_real_usec (NebulaClock *clock)
{
  NebulaManualClock *self = NEBULA_MANUAL_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->real_usec;
}

static gint64
nebula_manual_clock_get_monotonic_usec (NebulaClock *clock)
{
  NebulaManualClock *self = NEBULA_MANUAL_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->monotonic_usec;
}

/* A 64-bit mixer over a counter: short, and good enough for virtual time. */
static guint64
nebula_manual_clock_get_random (NebulaClock *clock)
{
  NebulaManualClock *self = NEBULA_MANUAL_CLOCK (clock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint64 bits = self->random_state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  bits = (bits ^ (bits >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  bits = (bits ^ (bits >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return bits ^ (bits >> 31);
}

static gboolean
manual_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  ManualSource *self = (ManualSource *) source;

  g_source_set_ready_time (source, -1);
  g_mutex_lock (&self->clock->lock);
  g_ptr_array_remove_fast (self->clock->sources, self);
  g_mutex_unlock (&self->clock->lock);
  return callback ? callback (user_data) : G_SOURCE_REMOVE;
}

static GSourceFuncs manual_source_funcs = { .dispatch = manual_source_dispatch };

/* Disposal runs while the source is still whole, so the clock never sees one that is being freed. */
static void
manual_source_dispose (GSource *source)
{
  ManualSource *self = (ManualSource *) source;
  g_autoptr (NebulaManualClock) clock = g_steal_pointer (&self->clock);

  if (!clock)
    return;
  g_mutex_lock (&clock->lock);
  g_ptr_array_remove_fast (clock->sources, self);
  g_mutex_unlock (&clock->lock);
}

static GSource *
nebula_manual_clock_create_source (NebulaClock *clock, gint64 monotonic_usec)
{
  NebulaManualClock *self = NEBULA_MANUAL_CLOCK (clock);
  GSource *source = g_source_new (&manual_source_funcs, sizeof (ManualSource));
  ManualSource *manual = (ManualSource *) source;

  g_source_set_static_name (source, "nebula-manual-clock");
  g_source_set_dispose_function (source, manual_source_dispose);
  manual->clock = g_object_ref (self);
  manual->due_usec = monotonic_usec;

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->sources, manual);
  if (monotonic_usec <= self->monotonic_usec)
    g_source_set_ready_time (source, 0);
  g_mutex_unlock (&self->lock);
  return source;
}

static void
nebula_manual_clock_finalize (GObject *object)
{
  NebulaManualClock *self = NEBULA_MANUAL_CLOCK (object);

  g_ptr_array_unref (self->sources);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (nebula_manual_clock_parent_class)->finalize (object);
}

static void
nebula_manual_clock_class_init (NebulaManualClockClass *klass)
{
  NebulaClockClass *clock_class = NEBULA_CLOCK_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = nebula_manual_clock_finalize;
  clock_class->get_real_usec = nebula_manual_clock_get_real_usec;
  clock_class->get_monotonic_usec = nebula_manual_clock_get_monotonic_usec;
  clock_class->get_random = nebula_manual_clock_get_random;
  clock_class->create_source = nebula_manual_clock_create_source;
}

static void
nebula_manual_clock_init (NebulaManualClock *self)
{
  g_mutex_init (&self->lock);
  self->sources = g_ptr_array_new ();
}

/**
 * nebula_manual_clock_new:
 * @real_usec: where the wall clock starts, microseconds since 1970 in UTC
 * @seed: what the random numbers follow from
 *
 * Makes a clock whose monotonic time starts at 0.
 *
 * Returns: (transfer full): a new clock
 *
 * Since: 1.0
 */
NebulaManualClock *
nebula_manual_clock_new (gint64 real_usec, guint64 seed)
{
  NebulaManualClock *self = g_object_new (NEBULA_TYPE_MANUAL_CLOCK, NULL);

  self->real_usec = real_usec;
  self->random_state = seed;
  return self;
}

/**
 * nebula_manual_clock_advance:
 * @self: a clock
 * @usec: how far, not negative
 *
 * Moves both clocks on and makes the sources ready that are due; they run when their context turns.
 *
 * Since: 1.0
 */
void
nebula_manual_clock_advance (NebulaManualClock *self, gint64 usec)
{
  g_autoptr (GMutexLocker) locker = NULL;

  g_return_if_fail (NEBULA_IS_MANUAL_CLOCK (self));
  g_return_if_fail (usec >= 0);

  locker = g_mutex_locker_new (&self->lock);
  self->real_usec += usec;
  self->monotonic_usec += usec;
  for (guint i = 0; i < self->sources->len; i++) {
    ManualSource *source = g_ptr_array_index (self->sources, i);

    if (source->due_usec <= self->monotonic_usec)
      g_source_set_ready_time (&source->source, 0);
  }
}

/**
 * nebula_manual_clock_step_real:
 * @self: a clock
 * @usec: how far; negative steps back
 *
 * Steps the wall clock alone, as an administrator or a time server would.
 *
 * Since: 1.0
 */
void
nebula_manual_clock_step_real (NebulaManualClock *self, gint64 usec)
{
  g_autoptr (GMutexLocker) locker = NULL;

  g_return_if_fail (NEBULA_IS_MANUAL_CLOCK (self));

  locker = g_mutex_locker_new (&self->lock);
  self->real_usec += usec;
}

/**
 * nebula_manual_clock_get_next_usec:
 * @self: a clock
 *
 * Finds when the next source that lives becomes due.
 *
 * Returns: monotonic microseconds, %G_MAXINT64 if nothing waits
 *
 * Since: 1.0
 */
gint64
nebula_manual_clock_get_next_usec (NebulaManualClock *self)
{
  g_autoptr (GMutexLocker) locker = NULL;
  gint64 next_usec = G_MAXINT64;

  g_return_val_if_fail (NEBULA_IS_MANUAL_CLOCK (self), G_MAXINT64);

  locker = g_mutex_locker_new (&self->lock);
  for (guint i = 0; i < self->sources->len; i++) {
    ManualSource *source = g_ptr_array_index (self->sources, i);

    if (!g_source_is_destroyed (&source->source))
      next_usec = MIN (next_usec, source->due_usec);
  }
  return next_usec;
}
