/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_CLOCK (nebula_clock_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaClock, nebula_clock, NEBULA, CLOCK, GObject)

/**
 * NebulaClockClass:
 * @get_real_usec: wall clock, microseconds since 1970 in UTC; any thread
 * @get_monotonic_usec: a clock that never steps back, microseconds; any thread
 * @get_random: 64 random bits; any thread
 * @create_source: a source that becomes ready when the monotonic clock reaches a time
 */
struct _NebulaClockClass
{
  GObjectClass parent_class;

  gint64 (*get_real_usec) (NebulaClock *self);
  gint64 (*get_monotonic_usec) (NebulaClock *self);
  guint64 (*get_random) (NebulaClock *self);
  GSource *(*create_source) (NebulaClock *self, gint64 monotonic_usec);

  gpointer _reserved[8];
};

NEBULA_API NebulaClock *nebula_clock_get_system (void);
NEBULA_API gint64 nebula_clock_get_real_usec (NebulaClock *self);
NEBULA_API gint64 nebula_clock_get_monotonic_usec (NebulaClock *self);
NEBULA_API guint64 nebula_clock_get_random (NebulaClock *self);
NEBULA_API GSource *nebula_clock_create_source (NebulaClock *self, gint64 monotonic_usec);

#define NEBULA_TYPE_MANUAL_CLOCK (nebula_manual_clock_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaManualClock, nebula_manual_clock, NEBULA, MANUAL_CLOCK, NebulaClock)

NEBULA_API NebulaManualClock *nebula_manual_clock_new (gint64 real_usec, guint64 seed);
NEBULA_API void nebula_manual_clock_advance (NebulaManualClock *self, gint64 usec);
NEBULA_API void nebula_manual_clock_step_real (NebulaManualClock *self, gint64 usec);
NEBULA_API gint64 nebula_manual_clock_get_next_usec (NebulaManualClock *self);

G_END_DECLS
