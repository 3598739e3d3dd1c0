/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   token bucket     fills with `rate` tokens per time up to `burst`; a call takes one
 *   leaky bucket     calls leave evenly, one each per/rate; none sooner than that after the one before
 *   sliding window   at most `rate` calls in any stretch of that length, by their times
 *
 * Buckets count time in microseconds of credit, so nothing is lost to rounding: one call costs per/rate.
 */
#include "nebula-limiter.h"

#include "nebula-options-private.h"

#define CALLS 100000

typedef enum {
  KIND_TOKEN_BUCKET,
  KIND_LEAKY_BUCKET,
  KIND_SLIDING_WINDOW,
} Kind;

struct _NebulaLimiter {
  gatomicrefcount references;
  Kind kind;
  gint64 rate;
  gint64 per_usec;
  gint64 burst;
  gboolean has_begun;
  gint64 last_usec;
  gint64 credit; /* microseconds × rate */
  gint64 *times; /* ring of the last `rate` calls; window only */
  gint64 next;
  gint64 n_times;
};

G_DEFINE_BOXED_TYPE (NebulaLimiter,
                     nebula_limiter,
                     nebula_limiter_ref,
                     nebula_limiter_unref)

/**
 * nebula_limiter_new:
 * @options: (nullable): an object
 * @error: where to put an error
 *
 * Makes a limiter: `rate` calls `per` time; `burst` is how many may come at once after a rest.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), naming the option.
 *
 * Returns: (transfer full): the limiter
 *
 * Since: 1.0
 */
NebulaLimiter *
nebula_limiter_new (NebulaValue *options, GError **error)
{
  static const char *const names[] = {"kind", "rate", "per", "burst", NULL};
  static const char *const kinds[] = {"token-bucket", "leaky-bucket", "sliding-window",
                                      NULL};
  g_autoptr (NebulaLimiter) self = g_new0 (NebulaLimiter, 1);
  NebulaOptions reader;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  g_atomic_ref_count_init (&self->references);
  _nebula_options_init (&reader, options, "limit", names, error);
  self->kind = (Kind) _nebula_options_choice (&reader, "kind", KIND_TOKEN_BUCKET, kinds);
  self->rate = _nebula_options_count (&reader, "rate", 10, 1, CALLS);
  self->per_usec = _nebula_options_duration (&reader, "per", G_USEC_PER_SEC, 1000);
  self->burst = _nebula_options_count (&reader, "burst", self->rate, 1, CALLS);
  if (self->per_usec > G_MAXINT64 / CALLS / 4)
    _nebula_options_refuse (&reader, "per");
  if (reader.failed)
    return NULL;
  if (self->kind == KIND_SLIDING_WINDOW)
    self->times = g_new0 (gint64, self->rate);
  self->credit = self->burst * self->per_usec;
  return g_steal_pointer (&self);
}

/**
 * nebula_limiter_ref:
 * @self: a limiter
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaLimiter *
nebula_limiter_ref (NebulaLimiter *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_limiter_unref:
 * @self: (transfer full): a limiter
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_limiter_unref (NebulaLimiter *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_free (self->times);
  g_free (self);
}

static gint64
take_token (NebulaLimiter *self, gint64 now)
{
  gint64 full = self->burst * self->per_usec;
  gint64 passed =
      self->has_begun ? CLAMP (now - self->last_usec, 0, full / self->rate + 1) : 0;

  self->credit = MIN (full, self->credit + passed * self->rate);
  self->last_usec = now;
  self->has_begun = TRUE;
  if (self->credit >= self->per_usec) {
    self->credit -= self->per_usec;
    return 0;
  }
  return (self->per_usec - self->credit + self->rate - 1) / self->rate;
}

static gint64
take_drop (NebulaLimiter *self, gint64 now)
{
  gint64 gap = (self->per_usec + self->rate - 1) / self->rate;

  if (self->has_begun && now - self->last_usec < gap)
    return gap - (now - self->last_usec);
  self->has_begun = TRUE;
  self->last_usec = now;
  return 0;
}

static gint64
take_place (NebulaLimiter *self, gint64 now)
{
  gint64 oldest = self->times[self->next];

  if (self->n_times == self->rate && now - oldest < self->per_usec)
    return self->per_usec - (now - oldest);
  self->times[self->next] = now;
  self->next = (self->next + 1) % self->rate;
  self->n_times = MIN (self->n_times + 1, self->rate);
  return 0;
}

/**
 * nebula_limiter_take_usec:
 * @self: a limiter
 * @monotonic_usec: now
 *
 * Asks whether a call may begin.
 *
 * Returns: 0 if it may, and then it is counted; else how long to wait before asking again, microseconds
 *
 * Since: 1.0
 */
gint64
nebula_limiter_take_usec (NebulaLimiter *self, gint64 monotonic_usec)
{
  g_return_val_if_fail (self != NULL, 0);

  if (self->kind == KIND_TOKEN_BUCKET)
    return take_token (self, monotonic_usec);
  return self->kind == KIND_LEAKY_BUCKET ? take_drop (self, monotonic_usec)
                                         : take_place (self, monotonic_usec);
}
