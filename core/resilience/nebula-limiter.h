/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaLimiter:
 *
 * How many calls may begin in a time: a token bucket, a leaky bucket or a sliding window.
 *
 * Thread: one at a time.
 */
typedef struct _NebulaLimiter NebulaLimiter;

#define NEBULA_TYPE_LIMITER (nebula_limiter_get_type ())
NEBULA_API GType nebula_limiter_get_type (void);
/* Options: kind (token-bucket, leaky-bucket, sliding-window), rate (calls, 10) per (1s), burst (the rate). */
NEBULA_API NebulaLimiter *nebula_limiter_new (NebulaValue *options, GError **error);
NEBULA_API NebulaLimiter *nebula_limiter_ref (NebulaLimiter *self);
NEBULA_API void nebula_limiter_unref (NebulaLimiter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaLimiter, nebula_limiter_unref)
/* 0: a call may begin now and is counted. Else how long to wait before asking again. */
NEBULA_API gint64 nebula_limiter_take_usec (NebulaLimiter *self, gint64 monotonic_usec);

G_END_DECLS
