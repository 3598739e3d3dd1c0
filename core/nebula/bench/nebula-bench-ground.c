/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Checks that stand in front of every call: schemas. No disk, no engine. */

#include "nebula-bench-private.h"
#include "nebula-json-schema.h"
#include "nebula-json.h"

static const char schema_json[] =
    "{\"type\": \"object\", \"required\": [\"id\", \"quantity\"], \"additionalProperties\": false, "
    "\"properties\": {\"id\": {\"type\": \"string\", \"minLength\": 1}, \"customer\": {\"type\": \"string\"}, "
    "\"quantity\": {\"type\": \"integer\", \"minimum\": 1}, \"price\": {\"type\": \"number\"}}}";
static const char order_json[] =
    "{\"id\": \"A-1001\", \"customer\": \"Ada\", \"quantity\": 12, \"price\": 80}";

typedef struct {
  NebulaJsonSchema *schema;
  NebulaValue *order;
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

static void
clear (Ground *self)
{
  g_clear_pointer (&self->schema, nebula_json_schema_unref);
  g_clear_pointer (&self->order, nebula_value_unref);
}

static gboolean
prepare (Ground *self, GError **error)
{
  g_autoptr (NebulaValue) document =
      nebula_value_parse_json (schema_json, -1, NEBULA_JSON_FLAGS_NONE, error);

  if (!document)
    return FALSE;
  self->order = nebula_value_parse_json (order_json, -1, NEBULA_JSON_FLAGS_NONE, error);
  self->schema = nebula_json_schema_new (document, NEBULA_JSON_SCHEMA_DRAFT_2020_12,
                                         NEBULA_JSON_SCHEMA_FLAGS_NONE, NULL, error);
  return self->order && self->schema;
}

gboolean
nebula_bench_ground (NebulaBench *bench, GError **error)
{
  Ground ground = {.rounds = bench->is_quick ? 100 : 400000};
  double check[NEBULA_BENCH_VALUES];
  gboolean is_good = prepare (&ground, error) &&
                     nebula_bench_repeat (bench, validate, &ground, check, error);

  clear (&ground);
  if (!is_good)
    return FALSE;
  nebula_bench_add (bench, "schema of four members, one check", "ns", check[0], 0,
                    NEBULA_BENCH_GOAL_NONE, 0);
  return TRUE;
}
