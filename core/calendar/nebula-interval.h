/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaInterval:
 *
 * A stretch of time, perhaps repeated, as ISO 8601 writes it: `2024-01-31T00:00:00Z/P1M`, `R3/…/PT1H`.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaInterval NebulaInterval;

#define NEBULA_TYPE_INTERVAL (nebula_interval_get_type ())
NEBULA_API GType nebula_interval_get_type (void);

NEBULA_API NebulaInterval *nebula_interval_new (const char *text, GError **error);
NEBULA_API NebulaInterval *nebula_interval_ref (NebulaInterval *self);
NEBULA_API void nebula_interval_unref (NebulaInterval *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaInterval, nebula_interval_unref)
NEBULA_API gint64 nebula_interval_get_start_usec (NebulaInterval *self);
NEBULA_API gint64 nebula_interval_get_end_usec (NebulaInterval *self);
/* How often it is repeated beyond the first time; -1: without end. */
NEBULA_API gint64 nebula_interval_get_repeats (NebulaInterval *self);
/* The start of repetition @index, 0 being the first time; G_MAXINT64: there is none. */
NEBULA_API gint64 nebula_interval_get_repeat_usec (NebulaInterval *self, gint64 index);

G_END_DECLS
