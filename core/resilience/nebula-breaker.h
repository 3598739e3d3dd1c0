/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaBreakerState:
 * @NEBULA_BREAKER_STATE_CLOSED: calls go through
 * @NEBULA_BREAKER_STATE_OPEN: calls are refused at once
 * @NEBULA_BREAKER_STATE_HALF_OPEN: a few calls go through, to see whether it is better
 *
 * The states of a circuit breaker.
 */
typedef enum
{
  NEBULA_BREAKER_STATE_CLOSED,
  NEBULA_BREAKER_STATE_OPEN,
  NEBULA_BREAKER_STATE_HALF_OPEN,
} NebulaBreakerState;

#define NEBULA_TYPE_BREAKER (nebula_breaker_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaBreaker, nebula_breaker, NEBULA, BREAKER, GObject)

/* Options: failures (5 in a row; 0: do not count), rate (0.5 of the calls in the window), window (60s), calls (20 at least
 * before the rate counts), slow (0s: never) counts a longer call as a failure, open (30s), permits (1 in half-open). */
NEBULA_API NebulaBreaker *nebula_breaker_new (NebulaValue *options, GError **error);
NEBULA_API NebulaBreakerState nebula_breaker_get_state (NebulaBreaker *self);
/* Whether a call may begin now; each that may must be recorded. */
NEBULA_API gboolean nebula_breaker_enter (NebulaBreaker *self, gint64 monotonic_usec);
NEBULA_API void nebula_breaker_record (NebulaBreaker *self, gint64 monotonic_usec, gboolean success, gint64 duration_usec);
/* Instead of recording: it did not begin, or was cancelled. */
NEBULA_API void nebula_breaker_withdraw (NebulaBreaker *self);
/* How long it stays open; 0 unless it is. */
NEBULA_API gint64 nebula_breaker_get_remaining_usec (NebulaBreaker *self, gint64 monotonic_usec);

G_END_DECLS
