/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checks and decisions that stand in front of every call: schemas, retry, limits, breakers. No disk, no engine. */

#include "nebula-bench-private.h"
#include "nebula-breaker.h"
#include "nebula-json-schema.h"
#include "nebula-json.h"
#include "nebula-limiter.h"
#include "nebula-retry-policy.h"

#define DECISION_NS 100 /* a decision may take so long */

static const char schema_json[] =
    "{\"type\": \"object\", \"required\": [\"id\", \"quantity\"], \"additionalProperties\": false, "
    "\"properties\": {\"id\": {\"type\": \"string\", \"minLength\": 1}, \"customer\": {\"type\": \"string\"}, "
    "\"quantity\": {\"type\": \"integer\", \"minimum\": 1}, \"price\": {\"type\": \"number\"}}}";
static const char order_json[] =
    "{\"id\": \"A-1001\", \"customer\": \"Ada\", \"quantity\": 12, \"price\": 80}";

typedef struct {
  NebulaJsonSchema *schema;
  NebulaValue *order;
  NebulaRetryPolicy *retry;
  NebulaLimiter *limiter;
  NebulaBreaker *breaker;
  guint rounds;
} Ground;

static gboolean
validate (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  Ground *self = data;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++)
    if (!nebula_json_schema_validate (self->schema, self->order, error))
      return FALSE;
  ret_values[0] = (nebula_bench_now () - start) * 1e9 / self->rounds;
  return TRUE;
}

static gboolean
decide (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  Ground *self = data;
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
clear (Ground *self)
{
  g_clear_pointer (&self->schema, nebula_json_schema_unref);
  g_clear_pointer (&self->order, nebula_value_unref);
  g_clear_pointer (&self->retry, nebula_retry_policy_unref);
  g_clear_pointer (&self->limiter, nebula_limiter_unref);
  g_clear_object (&self->breaker);
}

static gboolean
prepare (Ground *self, GError **error)
{
  g_autoptr (NebulaValue) document =
      nebula_value_parse_json (schema_json, -1, NEBULA_JSON_FLAGS_NONE, error);
  g_autoptr (NebulaValue) calm = nebula_value_parse_json (
      "{\"failures\": 100, \"rate\": 1}", -1, NEBULA_JSON_FLAGS_NONE, error);

  if (!document || !calm)
    return FALSE;
  self->order = nebula_value_parse_json (order_json, -1, NEBULA_JSON_FLAGS_NONE, error);
  self->schema = nebula_json_schema_new (document, NEBULA_JSON_SCHEMA_DRAFT_2020_12,
                                         NEBULA_JSON_SCHEMA_FLAGS_NONE, NULL, error);
  self->retry = nebula_retry_policy_new (NULL, error);
  self->limiter = nebula_limiter_new (NULL, error);
  self->breaker = nebula_breaker_new (calm, error);
  return self->order && self->schema && self->retry && self->limiter && self->breaker;
}

gboolean
nebula_bench_ground (NebulaBench *bench, GError **error)
{
  Ground ground = {.rounds = bench->is_quick ? 100 : 400000};
  double check[NEBULA_BENCH_VALUES], decision[NEBULA_BENCH_VALUES];
  gboolean is_good = prepare (&ground, error) &&
                     nebula_bench_repeat (bench, validate, &ground, check, error) &&
                     nebula_bench_repeat (bench, decide, &ground, decision, error);

  clear (&ground);
  if (!is_good)
    return FALSE;
  nebula_bench_add (bench, "schema of four members, one check", "ns", check[0], 0,
                    NEBULA_BENCH_GOAL_NONE, 0);
  nebula_bench_add (bench, "retry: one decision", "ns", decision[0], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, DECISION_NS);
  nebula_bench_add (bench, "limiter: one decision", "ns", decision[1], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, DECISION_NS);
  nebula_bench_add (bench, "breaker: one call in and out", "ns", decision[2], 0,
                    NEBULA_BENCH_GOAL_AT_MOST, DECISION_NS);
  return TRUE;
}
