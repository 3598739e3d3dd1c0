/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions that stand in front of every call: retry, limits, breakers. No disk, no engine. */

#include "nebula-bench-private.h"
#include "nebula-breaker.h"
#include "nebula-json.h"
#include "nebula-limiter.h"
#include "nebula-retry-policy.h"

#define DECISION_NS 100 /* a decision may take so long */

typedef struct {
  NebulaRetryPolicy *retry;
  NebulaLimiter *limiter;
  NebulaBreaker *breaker;
  guint rounds;
} Resilience;

static gboolean
decide (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  Resilience *self = data;
  gint64 sum = 0;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++)
    sum += nebula_retry_policy_get_delay_usec (self->retry, 1 + i % 3, i, NULL, i);
  ret_values[0] = (nebula_bench_now () - start) * 1e9 / self->rounds;

  start = nebula_bench_now ();
  for (guint i = 0; i < self->rounds; i++)
    sum += nebula_limiter_take_usec (self->limiter, i);
  ret_values[1] = (nebula_bench_now () - start) * 1e9 / self->rounds;

  start = nebula_bench_now ();
  for (guint i = 0; i < self->rounds; i++) {
    sum += nebula_breaker_enter (self->breaker, i);
    nebula_breaker_record (self->breaker, i, i % 4 != 0, 10);
  }
  ret_values[2] = (nebula_bench_now () - start) * 1e9 / self->rounds;
  return sum != G_MAXINT64;
}

static void
clear (Resilience *self)
{
  g_clear_pointer (&self->retry, nebula_retry_policy_unref);
  g_clear_pointer (&self->limiter, nebula_limiter_unref);
  g_clear_object (&self->breaker);
}

static gboolean
prepare (Resilience *self, GError **error)
{
  g_autoptr (NebulaValue) calm = nebula_value_parse_json (
      "{\"failures\": 100, \"rate\": 1}", -1, NEBULA_JSON_FLAGS_NONE, error);

  if (!calm)
    return FALSE;
  self->retry = nebula_retry_policy_new (NULL, error);
  self->limiter = nebula_limiter_new (NULL, error);
  self->breaker = nebula_breaker_new (calm, error);
  return self->retry && self->limiter && self->breaker;
}

gboolean
nebula_bench_resilience (NebulaBench *bench, GError **error)
{
  Resilience resilience = {.rounds = bench->is_quick ? 100 : 400000};
  double decision[NEBULA_BENCH_VALUES];
  gboolean is_good = prepare (&resilience, error)
                     && nebula_bench_repeat (bench, decide, &resilience, decision, error);

  clear (&resilience);
  if (!is_good)
    return FALSE;
  nebula_bench_add (bench, "retry: one decision", "ns", decision[0], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, DECISION_NS);
  nebula_bench_add (bench, "limiter: one decision", "ns", decision[1], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, DECISION_NS);
  nebula_bench_add (bench, "breaker: one call in and out", "ns", decision[2], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, DECISION_NS);
  return TRUE;
}
