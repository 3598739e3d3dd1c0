/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-backoff.h"

/* @value × @factor, at most @max. */
static gint64
multiply_capped (gint64 value, guint64 factor, gint64 max)
{
  gint64 product;

  if (factor > (guint64) G_MAXINT64 ||
      __builtin_mul_overflow (value, (gint64) factor, &product))
    return max;
  return MIN (product, max);
}

static gint64
exponential_usec (gint64 initial_usec, double factor, gint64 max_usec, guint n)
{
  double delay = (double) initial_usec;

  /* Doubles do not overflow to a wrong number, and the loop ends at the cap; attempts are at most a million. */
  for (guint i = 1; i < n && delay < (double) max_usec; i++) {
    if (factor <= 1.0)
      break;
    delay *= factor;
    if (delay <= 0.0)
      return 0;
  }
  return delay >= (double) max_usec ? max_usec : (gint64) delay;
}

static gint64
fibonacci_usec (gint64 initial_usec, gint64 max_usec, guint n)
{
  guint64 previous = 0;
  guint64 current = 1;

  /* The 92nd Fibonacci number is the last that fits; more rounds change nothing under a cap. */
  for (guint i = 1; i < MIN (n, 91); i++) {
    guint64 next = previous + current;

    previous = current;
    current = next;
  }
  return multiply_capped (initial_usec, current, max_usec);
}

/**
 * nebula_backoff_get_delay_usec:
 * @backoff: how delays grow
 * @initial_usec: the first delay, microseconds
 * @factor: how much longer each is, for exponential; 1 or less means that they do not grow
 * @max_usec: the longest delay, microseconds
 * @n: which repetition, counted from 1
 *
 * Gives the delay before a repetition.
 *
 * Returns: microseconds
 *
 * Since: 1.0
 */
gint64
nebula_backoff_get_delay_usec (NebulaBackoff backoff,
                               gint64 initial_usec,
                               double factor,
                               gint64 max_usec,
                               guint n)
{
  switch (backoff) {
  case NEBULA_BACKOFF_LINEAR:
    return multiply_capped (initial_usec, n, max_usec);
  case NEBULA_BACKOFF_EXPONENTIAL:
    return exponential_usec (initial_usec, factor, max_usec, n);
  case NEBULA_BACKOFF_FIBONACCI:
    return fibonacci_usec (initial_usec, max_usec, n);
  case NEBULA_BACKOFF_FIXED:
  default:
    return MIN (initial_usec, max_usec);
  }
}
