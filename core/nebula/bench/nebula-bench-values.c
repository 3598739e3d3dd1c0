/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Expressions and JSON: no disk, no engine. */

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "nebula-bench-private.h"
#include "nebula-error.h"
#include "nebula-executor.h"
#include "nebula-expression.h"
#include "nebula-json.h"
#include "nebula-limits.h"

typedef struct {
  const char *what;
  const char *text;
  gboolean is_template;
  guint rounds;
  const char
      *lua; /* a function body of the same meaning; `order` and `items` are there */
  double target; /* nanoseconds */
} ExpressionCase;

static const ExpressionCase expression_cases[] = {
    {"literal", "42", FALSE, 400000, "return 42", 30},
    {"arithmetic on two fields", "$order.quantity * $order.price", FALSE, 400000,
     "return order.quantity * order.price", 150},
    {"nested conditional",
     "$order.quantity > 100 ? \"bulk\" : $order.price > 50 ? \"large\" : \"small\"",
     FALSE, 400000,
     "if order.quantity > 100 then return 'bulk' elseif order.price > 50 then"
     " return 'large' else return 'small' end", 300},
    {"filter and map over 1,000 items",
     "$items | filter (x => x.n > 500) | map (x => x.n * 2)", FALSE, 400,
     "local r = {} for _, x in ipairs (items) do if x.n > 500 then r[#r + 1] = x.n * 2 end end"
     " return r", 150000},
    {"template with three holes",
     "Order {{ $order.id }} of {{ $order.customer }}: {{ $order.quantity }} pieces", TRUE,
     200000,
     "return 'Order ' .. order.id .. ' of ' .. order.customer .. ': ' .. order.quantity"
     " .. ' pieces'", 500},
};

static const char order_json[] =
    "{\"id\": \"A-1001\", \"customer\": \"Ada\", \"quantity\": 12, \"price\": 80}";

static NebulaValue *
get_variable (const NebulaEnvironment *self, const char *name, GError **error)
{
  NebulaValue *value = nebula_value_get_member (self->data, name);

  if (value)
    return nebula_value_ref (value);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME,
               _ ("The benchmark has no “%s”."), name);
  return NULL;
}

static NebulaValue *
build_data (GError **error)
{
  g_autoptr (NebulaValueBuilder) items = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) data = nebula_value_builder_new_object ();
  NebulaValue *order =
      nebula_value_parse_json (order_json, -1, NEBULA_JSON_FLAGS_NONE, error);

  if (!order)
    return NULL;
  for (gint64 i = 0; i < 1000; i++) {
    g_autoptr (NebulaValueBuilder) item = nebula_value_builder_new_object ();

    nebula_value_builder_set_integer (item, "n", i);
    nebula_value_builder_add_take (items, nebula_value_builder_end (item));
  }
  nebula_value_builder_set_take (data, "order", order);
  nebula_value_builder_set_take (data, "items", nebula_value_builder_end (items));
  return nebula_value_builder_end (data);
}

typedef struct {
  NebulaExpression *expression;
  NebulaEnvironment environment;
  guint rounds;
} Evaluation;

static gboolean
evaluate (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  Evaluation *self = data;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++) {
    NebulaValue *value;

    self->environment.fuel = NEBULA_LIMIT_FUEL;
    value = nebula_expression_evaluate (self->expression, &self->environment, error);
    if (!value)
      return FALSE;
    nebula_value_unref (value);
  }
  ret_values[0] = (nebula_bench_now () - start) * 1e9 / self->rounds;
  return TRUE;
}

/* Nanoseconds in Lua, or 0 if there is no Lua. */
static double
ask_lua (const ExpressionCase *expression_case, guint rounds)
{
  g_autofree char *lua = g_find_program_in_path ("lua5.4");
  g_autofree char *script = g_strdup_printf (
      "local order = {id = 'A-1001', customer = 'Ada', quantity = 12, price = 80}"
      " local items = {} for i = 0, 999 do items[i + 1] = {n = i} end"
      " local function work () %s end"
      " local start = os.clock () for i = 1, %u do work () end"
      " io.write ((os.clock () - start) * 1e9 / %u)",
      expression_case->lua, rounds, rounds);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *answer = NULL;

  if (!lua)
    return 0;
  process =
      g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, lua, "-e", script, NULL);
  if (!process ||
      !g_subprocess_communicate_utf8 (process, NULL, NULL, &answer, NULL, NULL))
    return 0;
  return answer ? g_ascii_strtod (answer, NULL) : 0;
}

/* One program on several threads, each with data of its own. */
typedef struct {
  NebulaExpression *expression;
  guint rounds;
  gint failed; /* atomic */
  gint left;   /* atomic: members at work */
} Crowd;

static void
run_member (gpointer data)
{
  Crowd *crowd = data;
  g_autoptr (NebulaValue) values = build_data (NULL);
  NebulaEnvironment environment = {.get_variable = get_variable, .data = values};

  for (guint i = 0; i < crowd->rounds; i++) {
    NebulaValue *value;

    environment.fuel = NEBULA_LIMIT_FUEL;
    value = nebula_expression_evaluate (crowd->expression, &environment, NULL);
    if (!value)
      g_atomic_int_inc (&crowd->failed);
    g_clear_pointer (&value, nebula_value_unref);
  }
  g_atomic_int_add (&crowd->left, -1);
}

static double
run_crowd (Crowd *crowd, guint n_threads)
{
  NebulaExecutor *executor = nebula_executor_get_default ();
  double start = nebula_bench_now ();

  crowd->left = (gint) n_threads;
  for (guint i = 0; i < n_threads; i++)
    nebula_executor_push (executor, run_member, crowd);
  while (g_atomic_int_get (&crowd->left) > 0)
    g_usleep (20);
  return n_threads * crowd->rounds / (nebula_bench_now () - start);
}

static gboolean
measure_crowd (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  ret_values[0] = run_crowd (data, 1) / 1e6;
  ret_values[1] = run_crowd (data, 2) / 1e6;
  ret_values[2] = ret_values[1] / ret_values[0];
  return TRUE;
}

static gboolean
measure_threads (NebulaBench *bench, GError **error)
{
  g_autoptr (NebulaExpression) expression = nebula_expression_compile (
      "$order.quantity > 10 ? $order.price * 2 : $order.price", error);
  Crowd crowd = {expression, bench->is_quick ? 100 : 1000000, 0};
  double values[NEBULA_BENCH_VALUES];

  if (!expression || !nebula_bench_repeat (bench, measure_crowd, &crowd, values, error))
    return FALSE;
  if (crowd.failed > 0) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
                         "An expression failed on a thread.");
    return FALSE;
  }
  nebula_bench_add (bench, "one program on two threads, beside one", "M/s", values[1],
                    values[0], NEBULA_BENCH_GOAL_RATIO_AT_LEAST, 1.8);
  return TRUE;
}

gboolean
nebula_bench_expressions (NebulaBench *bench, GError **error)
{
  g_autoptr (NebulaValue) data = build_data (error);

  if (!data)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (expression_cases); i++) {
    const ExpressionCase *this_case = &expression_cases[i];
    guint rounds = bench->is_quick ? 10 : this_case->rounds;
    g_autoptr (NebulaExpression) expression =
        this_case->is_template
            ? nebula_expression_compile_template (this_case->text, error)
            : nebula_expression_compile (this_case->text, error);
    Evaluation evaluation = {
        expression, {.get_variable = get_variable, .data = data}, rounds};
    double values[NEBULA_BENCH_VALUES];
    double lua;

    if (!expression || !nebula_bench_repeat (bench, evaluate, &evaluation, values, error))
      return FALSE;
    lua = ask_lua (this_case, rounds);
    nebula_bench_add (bench, this_case->what, "ns", values[0], lua,
                      NEBULA_BENCH_GOAL_AT_MOST, this_case->target);
    if (lua > 0)
      nebula_bench_note (bench, "floor: a function of Lua 5.4 that does the same");
  }
  return measure_threads (bench, error);
}

typedef struct {
  char *text;
  gsize length;
  guint rounds;
} JsonCase;

static gboolean
read_ours (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const JsonCase *self = data;
  double start = nebula_bench_now ();

  for (guint i = 0; i < self->rounds; i++) {
    NebulaValue *value = nebula_value_parse_json (self->text, (gssize) self->length,
                                                  NEBULA_JSON_FLAGS_UNIQUE_KEYS, error);

    if (!value)
      return FALSE;
    nebula_value_unref (value);
  }
  ret_values[0] =
      (double) self->length * self->rounds / 1e6 / (nebula_bench_now () - start);
  return TRUE;
}

static gboolean
read_json_glib (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  const JsonCase *self = data;
  guint rounds = MAX (self->rounds / 8, 1);
  double start = nebula_bench_now ();

  for (guint i = 0; i < rounds; i++) {
    g_autoptr (JsonParser) parser = json_parser_new_immutable ();

    if (!json_parser_load_from_data (parser, self->text, (gssize) self->length, error))
      return FALSE;
  }
  ret_values[0] = (double) self->length * rounds / 1e6 / (nebula_bench_now () - start);
  return TRUE;
}

/* Orders, such as an API would give. */
static char *
build_json (guint n_orders)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < n_orders; i++)
    g_string_append_printf (
        text,
        "%s{\"id\": \"order-%06u\", \"customer\": {\"name\": \"Ada Lovelace\", \"city\": "
        "\"London\", \"vip\": %s}, \"total\": %u.%02u, \"items\": [{\"sku\": \"X-%u\", "
        "\"quantity\": %u, \"note\": null}, {\"sku\": \"Y-%u\", \"quantity\": 2, \"note\": "
        "\"fragile, \\\"this side up\\\"\"}], \"created\": \"2026-01-31T12:00:00Z\"}",
        i > 0 ? ", " : "", i, i % 3 ? "false" : "true", i * 7, i % 100, i, i % 9, i * 3);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

gboolean
nebula_bench_json (NebulaBench *bench, GError **error)
{
  static const struct {
    const char *what;
    guint n_orders;
    guint rounds;
  } documents[] = {{"read 1 KB documents", 4, 20000}, {"read a 1 MB document", 3800, 40}};

  for (guint i = 0; i < G_N_ELEMENTS (documents); i++) {
    g_autofree char *text = build_json (documents[i].n_orders);
    JsonCase json_case = {text, strlen (text), bench->is_quick ? 1 : documents[i].rounds};
    double ours[NEBULA_BENCH_VALUES];
    double peer[NEBULA_BENCH_VALUES];

    if (!nebula_bench_repeat (bench, read_ours, &json_case, ours, error) ||
        !nebula_bench_repeat (bench, read_json_glib, &json_case, peer, error))
      return FALSE;
    nebula_bench_add (bench, documents[i].what, "MB/s", ours[0], peer[0],
                      NEBULA_BENCH_GOAL_AT_LEAST, 250);
    nebula_bench_note (bench, "floor: json-glib");
  }
  return TRUE;
}
