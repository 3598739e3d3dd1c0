/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaBackoff:
 * @NEBULA_BACKOFF_FIXED: always the first delay
 * @NEBULA_BACKOFF_LINEAR: once, twice, three times the first delay
 * @NEBULA_BACKOFF_EXPONENTIAL: each delay is a factor longer
 * @NEBULA_BACKOFF_FIBONACCI: 1, 1, 2, 3, 5 … times the first delay
 *
 * How delays grow from one attempt to the next.
 */
typedef enum
{
  NEBULA_BACKOFF_FIXED,
  NEBULA_BACKOFF_LINEAR,
  NEBULA_BACKOFF_EXPONENTIAL,
  NEBULA_BACKOFF_FIBONACCI,
} NebulaBackoff;

/* The delay before repetition @n, counted from 1; never above @max_usec. @factor counts for exponential only. */
NEBULA_API gint64 nebula_backoff_get_delay_usec (NebulaBackoff backoff, gint64 initial_usec, double factor, gint64 max_usec, guint n);

G_END_DECLS
