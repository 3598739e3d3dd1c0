/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Expressions beside Lua 5.4 and jq: the same twenty on the same data in the same run. Each of them must give the same
 * value in all three, or the suite fails. All times are those of the processor.
 */

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "nebula-bench-private.h"
#include "nebula-error.h"
#include "nebula-executor.h"
#include "nebula-expression.h"
#include "nebula-json.h"
#include "nebula-limits.h"

#define N_ITEMS 1000
#define MANY    400000 /* evaluations of what takes no loop */
#define FEW     400

typedef struct {
  const char *what;
  const char *text;
  guint rounds;
  const char *lua; /* an expression of the same meaning, or `do` and a function body */
  const char *jq;
  double target; /* nanoseconds; 0: none */
} ExpressionCase;

/* Text with a hole is a template. */
static const ExpressionCase cases[] = {
    {"literal", "42", MANY, "42", "42", 30},
    {"arithmetic on two fields", "$order.quantity * $order.price", MANY,
     "order.quantity * order.price", "$order.quantity * $order.price", 150},
    {"nested conditional",
     "$order.quantity > 100 ? \"bulk\" : $order.price > 50 ? \"large\" : \"small\"", MANY,
     "order.quantity > 100 and 'bulk' or order.price > 50 and 'large' or 'small'",
     "if $order.quantity > 100 then \"bulk\" elif $order.price > 50 then \"large\" else "
     "\"small\" end",
     300},
    {"filter and map over 1,000 items",
     "$items | filter (x => x.n > 500) | map (x => x.n * 2)", FEW,
     "do local r = {} for _, x in ipairs (items) do if x.n > 500 then r[#r + 1] = x.n * 2"
     " end end return r",
     "[$items[] | select (.n > 500) | .n * 2]", 100000},
    {"template with three holes",
     "Order {{ $order.id }} of {{ $order.customer }}: {{ $order.quantity }} pieces",
     MANY / 2,
     "'Order ' .. order.id .. ' of ' .. order.customer .. ': ' .. order.quantity .. ' "
     "pieces'",
     "\"Order \\($order.id) of \\($order.customer): \\($order.quantity) pieces\"", 500},
    {"comparison and logic", "$order.quantity > 10 && $order.price < 100", MANY,
     "order.quantity > 10 and order.price < 100",
     "$order.quantity > 10 and $order.price < 100", 0},
    {"path of four steps", "$order.ship.address.city.name", MANY,
     "order.ship.address.city.name", "$order.ship.address.city.name", 0},
    {"default for what is not there", "$order?.note ?? \"none\"", MANY,
     "order.note or 'none'", "$order.note // \"none\"", 0},
    {"large letters", "upper ($order.customer)", MANY / 2,
     "string.upper (order.customer)", "$order.customer | ascii_upcase", 0},
    {"text joined with +", "$order.id + \"-\" + $order.customer", MANY / 2,
     "order.id .. '-' .. order.customer", "$order.id + \"-\" + $order.customer", 0},
    {"split and join", "$order.tags | split (\",\") | join (\"; \")", MANY / 4,
     "do local r = {} for part in string.gmatch (order.tags, '[^,]+') do r[#r + 1] = part"
     " end return table.concat (r, '; ')",
     "$order.tags | split (\",\") | join (\"; \")", 0},
    {"a text starts with another", "starts_with ($order.id, \"A-\")", MANY / 2,
     "string.sub (order.id, 1, 2) == 'A-'", "$order.id | startswith (\"A-\")", 0},
    {"part of a text", "$order.id[2:]", MANY / 2, "string.sub (order.id, 3)",
     "$order.id[2:]", 0},
    {"round", "round ($order.price * 1.19)", MANY / 2,
     "math.floor (order.price * 1.19 + 0.5)", "$order.price * 1.19 | round", 0},
    {"new object of two members",
     "{id: $order.id, total: $order.quantity * $order.price}", MANY / 4,
     "{id = order.id, total = order.quantity * order.price}",
     "{id: $order.id, total: ($order.quantity * $order.price)}", 0},
    {"new array of three items", "[$order.id, $order.quantity, true]", MANY / 4,
     "{order.id, order.quantity, true}", "[$order.id, $order.quantity, true]", 0},
    {"sum over 1,000 items", "$items | sum (x => x.n)", FEW,
     "do local s = 0 for _, x in ipairs (items) do s = s + x.n end return s",
     "reduce $items[] as $x (0; . + $x.n)", 0},
    {"the first of 1,000 items that fits", "find ($items, x => x.n == 500).n", FEW,
     "do for _, x in ipairs (items) do if x.n == 500 then return x.n end end",
     "first ($items[] | select (.n == 500)) | .n", 0},
    {"sort 1,000 items by a key", "$items | sort_by (x => x.key) | map (x => x.key)", 100,
     "do local r = {} for i, x in ipairs (items) do r[i] = x.key end table.sort (r) return"
     " r",
     "$items | sort_by (.key) | map (.key)", 0},
    {"group 1,000 items",
     "$items | group_by (x => string (x.n % 7)) | keys () | length ()", 100,
     "do local r, c = {}, 0 for _, x in ipairs (items) do local k = tostring (x.n % 7) if"
     " not r[k] then r[k] = {} c = c + 1 end table.insert (r[k], x) end return c",
     "$items | group_by (.n % 7) | length", 0},
};

static const char order_json[] =
    "{\"id\": \"A-1001\", \"customer\": \"Ada\", \"quantity\": 12, \"price\": 80, \"tags\": "
    "\"new,paid,gift\", \"ship\": {\"address\": {\"city\": {\"name\": \"Rome\"}}}}";

/* What all three see; `key` is in no order. */
static const char lua_prelude[] =
    "local order = {id = 'A-1001', customer = 'Ada', quantity = 12, price = 80, tags ="
    " 'new,paid,gift', ship = {address = {city = {name = 'Rome'}}}}"
    " local items = {} for i = 0, 999 do items[i + 1] = {n = i, key = i * 7919 % 1009} end"
    " local function json (v) if type (v) == 'string' then return '\"' .. v .. '\"' end"
    " if type (v) ~= 'table' then return tostring (v) end local r = {}"
    " if #v > 0 then for i, x in ipairs (v) do r[i] = json (x) end"
    " return '[' .. table.concat (r, ',') .. ']' end"
    " for k, x in pairs (v) do r[#r + 1] = '\"' .. k .. '\":' .. json (x) end"
    " return '{' .. table.concat (r, ',') .. '}' end ";

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
  for (gint64 i = 0; i < N_ITEMS; i++) {
    g_autoptr (NebulaValueBuilder) item = nebula_value_builder_new_object ();

    nebula_value_builder_set_integer (item, "n", i);
    nebula_value_builder_set_integer (item, "key", i * 7919 % 1009);
    nebula_value_builder_add_take (items, nebula_value_builder_end (item));
  }
  nebula_value_builder_set_take (data, "order", order);
  nebula_value_builder_set_take (data, "items", nebula_value_builder_end (items));
  return nebula_value_builder_end (data);
}

/* Of the processor, for this thread: what other work on the machine takes does not count. */
static double
get_thread_seconds (void)
{
  struct timespec span;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &span);
  return (double) span.tv_sec + (double) span.tv_nsec / 1e9;
}

/* The same for the programs that were started and have ended. */
static double
get_children_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_CHILDREN, &usage);
  return (double) usage.ru_utime.tv_sec + (double) usage.ru_utime.tv_usec / 1e6;
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
  double start = get_thread_seconds ();

  for (guint i = 0; i < self->rounds; i++) {
    NebulaValue *value;

    self->environment.fuel = NEBULA_LIMIT_FUEL;
    value = nebula_expression_evaluate (self->expression, &self->environment, error);
    if (!value)
      return FALSE;
    nebula_value_unref (value);
  }
  ret_values[0] = (get_thread_seconds () - start) * 1e9 / self->rounds;
  return TRUE;
}

/* What a peer writes; NULL: it is not there. */
static char *
ask (const char *const *arguments)
{
  g_autofree char *program = g_find_program_in_path (arguments[0]);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *answer = NULL;

  if (!program)
    return NULL;
  process = g_subprocess_newv (arguments, G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL);
  if (!process ||
      !g_subprocess_communicate_utf8 (process, NULL, NULL, &answer, NULL, NULL))
    return NULL;
  return g_steal_pointer (&answer);
}

static char *
make_lua_function (const ExpressionCase *self)
{
  const char *body = g_str_has_prefix (self->lua, "do ") ? self->lua + 3 : NULL;

  return g_strdup_printf ("%s local function work () %s%s end ", lua_prelude,
                          body ? "" : "return ", body ? body : self->lua);
}

/* Nanoseconds of one call of a Lua function, by the processor's time; 0: there is no Lua. */
static double
time_lua (const ExpressionCase *self, guint rounds)
{
  g_autofree char *function = make_lua_function (self);
  g_autofree char *script =
      g_strdup_printf ("%s local start = os.clock () for i = 1, %u do work () end"
                       " io.write ((os.clock () - start) * 1e9 / %u)",
                       function, rounds, rounds);
  const char *arguments[] = {"lua5.4", "-e", script, NULL};
  g_autofree char *answer = ask (arguments);

  return answer ? g_ascii_strtod (answer, NULL) : 0;
}

static char *
ask_jq (NebulaValue *data, const char *program)
{
  g_autofree char *order = nebula_value_to_json (nebula_value_get_member (data, "order"),
                                                 NEBULA_JSON_FLAGS_NONE);
  g_autofree char *items = nebula_value_to_json (nebula_value_get_member (data, "items"),
                                                 NEBULA_JSON_FLAGS_NONE);
  const char *arguments[] = {"jq",        "-nc",   "--argjson", "order", order,
                             "--argjson", "items", items,       program, NULL};

  return ask (arguments);
}

/* The same for jq: what many rounds take beyond what one takes. */
static double
time_jq (const ExpressionCase *self, NebulaValue *data, guint rounds)
{
  double spans[2];

  for (guint i = 0; i < 2; i++) {
    g_autofree char *program = g_strdup_printf ("reduce range (0; %u) as $i (null; %s)",
                                                i == 0 ? 1 : rounds, self->jq);
    double start = get_children_seconds ();
    g_autofree char *answer = ask_jq (data, program);

    if (!answer || !*answer)
      return 0;
    spans[i] = get_children_seconds () - start;
  }
  return MAX ((spans[1] - spans[0]) * 1e9 / rounds, 1);
}

static gboolean
check_answer (const ExpressionCase *self,
              const char *peer,
              const char *answer,
              NebulaValue *ours,
              GError **error)
{
  g_autoptr (NebulaValue) theirs = NULL;

  if (!answer)
    return TRUE;
  theirs = nebula_value_parse_json (answer, -1, NEBULA_JSON_FLAGS_NONE, NULL);
  if (theirs && nebula_value_equal (ours, theirs))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
               "%s gives something else for “%s”: %.200s", peer, self->what, answer);
  return FALSE;
}

/* All of them mean the same. */
static gboolean
check_peers (const ExpressionCase *self,
             Evaluation *evaluation,
             NebulaValue *data,
             GError **error)
{
  g_autofree char *function = make_lua_function (self);
  g_autofree char *script = g_strconcat (function, "io.write (json (work ()))", NULL);
  const char *arguments[] = {"lua5.4", "-e", script, NULL};
  g_autofree char *lua = ask (arguments);
  g_autofree char *jq = ask_jq (data, self->jq);
  g_autoptr (NebulaValue) ours = NULL;

  evaluation->environment.fuel = NEBULA_LIMIT_FUEL;
  ours = nebula_expression_evaluate (evaluation->expression, &evaluation->environment,
                                     error);
  return ours && check_answer (self, "Lua", lua, ours, error) &&
         check_answer (self, "jq", jq, ours, error);
}

static gboolean
measure_case (NebulaBench *bench,
              const ExpressionCase *self,
              NebulaValue *data,
              GError **error)
{
  guint rounds = bench->is_quick ? 10 : self->rounds;
  g_autoptr (NebulaExpression) expression = nebula_expression_compile_with_functions (
      self->text, nebula_expression_is_template (self->text), NULL, error);
  Evaluation evaluation = {
      expression, {.get_variable = get_variable, .data = data}, rounds};
  double values[NEBULA_BENCH_VALUES];
  double lua, jq;
  g_autofree char *note = NULL;

  if (!expression || !check_peers (self, &evaluation, data, error) ||
      !nebula_bench_repeat (bench, evaluate, &evaluation, values, error))
    return FALSE;
  lua = time_lua (self, rounds);
  jq = time_jq (self, data, bench->is_quick ? 2 : MAX (rounds / 4, 100));
  nebula_bench_add (bench, self->what, "ns", values[0], lua,
                    self->target > 0 ? NEBULA_BENCH_GOAL_AT_MOST : NEBULA_BENCH_GOAL_NONE,
                    self->target);
  if (lua > 0 && jq > 0)
    note = g_strdup_printf ("floor: Lua 5.4; jq takes %.0f ns", jq);
  else if (lua > 0 || jq > 0)
    note = lua > 0 ? g_strdup ("floor: Lua 5.4; there is no jq here")
                   : g_strdup_printf ("there is no Lua 5.4 here; jq takes %.0f ns", jq);
  if (note)
    nebula_bench_note (bench, note);
  return TRUE;
}

/* One program on several threads, each with data of its own. */
typedef struct {
  NebulaExpression *expression;
  guint rounds;
  gint failed; /* atomic */
  gint left;   /* atomic: members at work */
  gint
      picoseconds; /* atomic: the processor's, for one evaluation, summed over the members */
} Crowd;

static void
run_member (gpointer data)
{
  Crowd *crowd = data;
  g_autoptr (NebulaValue) values = build_data (NULL);
  NebulaEnvironment environment = {.get_variable = get_variable, .data = values};
  double start = get_thread_seconds ();

  for (guint i = 0; i < crowd->rounds; i++) {
    NebulaValue *value;

    environment.fuel = NEBULA_LIMIT_FUEL;
    value = nebula_expression_evaluate (crowd->expression, &environment, NULL);
    if (!value)
      g_atomic_int_inc (&crowd->failed);
    g_clear_pointer (&value, nebula_value_unref);
  }
  g_atomic_int_add (&crowd->picoseconds,
                    (gint) ((get_thread_seconds () - start) * 1e12 / crowd->rounds));
  g_atomic_int_add (&crowd->left, -1);
}

/* Evaluations a second, and picoseconds of the processor for each. */
static double
run_crowd (Crowd *crowd, guint n_threads, double *ret_cpu)
{
  NebulaExecutor *executor = nebula_executor_get_default ();
  double start = nebula_bench_now ();

  crowd->left = (gint) n_threads;
  crowd->picoseconds = 0;
  for (guint i = 0; i < n_threads; i++)
    nebula_executor_push (executor, run_member, crowd);
  while (g_atomic_int_get (&crowd->left) > 0)
    g_usleep (20);
  *ret_cpu = (double) g_atomic_int_get (&crowd->picoseconds) / n_threads;
  return n_threads * crowd->rounds / (nebula_bench_now () - start);
}

/* Values: M/s of one thread and of two, then what two would do if each had a processor to itself. */
static gboolean
measure_crowd (NebulaBench *bench, gpointer data, double *ret_values, GError **error)
{
  double one, two;

  ret_values[0] = run_crowd (data, 1, &one) / 1e6;
  ret_values[1] = run_crowd (data, 2, &two) / 1e6;
  ret_values[2] = two > 0 ? 2 * one / two : 0;
  return TRUE;
}

static gboolean
measure_threads (NebulaBench *bench, GError **error)
{
  g_autoptr (NebulaExpression) expression = nebula_expression_compile (
      "$order.quantity > 10 ? $order.price * 2 : $order.price", error);
  Crowd crowd = {expression, bench->is_quick ? 100 : 1000000, 0, 0, 0};
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
  nebula_bench_add (bench, "the same, by the processor's time", "times", values[2], 0,
                    NEBULA_BENCH_GOAL_AT_LEAST, 1.8);
  nebula_bench_note (bench, "what other work on the machine takes does not count");
  return TRUE;
}

gboolean
nebula_bench_expressions (NebulaBench *bench, GError **error)
{
  g_autoptr (NebulaValue) data = build_data (error);

  for (guint i = 0; data && i < G_N_ELEMENTS (cases); i++)
    if (!measure_case (bench, &cases[i], data, error))
      return FALSE;
  return data && measure_threads (bench, error);
}
