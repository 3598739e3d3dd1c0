/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-expression.h"
#include "nebula-limits.h"
#include "nebula-plan-internal.h"
#include "nebula-retry-policy.h"
#include "nebula-schema-private.h"

#define MAX_ATTEMPTS 1000000
#define MAX_ATTEMPTS_WITHOUT_DELAY 100

static void
report_member (NebulaSchemaWalk *walk,
               const NebulaPath *path,
               const char *key,
               NebulaProblem problem,
               const char *message)
{
  _nebula_schema_report (walk, problem, &(NebulaPath) { path, key, 0 }, message);
}

static void
check_name (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  NebulaValue *name = nebula_value_get_member (value, "name");
  g_autofree char *message = NULL;

  if (!name || nebula_value_is_null (name)
      || (nebula_value_get_kind (name) == NEBULA_VALUE_KIND_STRING
          && nebula_value_get_string_length (name) == 0)) {
    report_member (walk,
                   path,
                   "name",
                   (NebulaProblem) { .code = "empty-name", .hint = _("Add a line such as “name: my-workflow”.") },
                   _("The workflow has no name"));
    return;
  }

  if (nebula_value_get_kind (name) != NEBULA_VALUE_KIND_STRING)
    message = g_strdup_printf (_("The name of a workflow must be a text, not %s"),
                               nebula_value_kind_to_string (nebula_value_get_kind (name)));
  else if (nebula_value_get_string_length (name) > NEBULA_LIMIT_NAME_BYTES)
    message = g_strdup_printf (_("The name of a workflow must not be longer than %d bytes"),
                               NEBULA_LIMIT_NAME_BYTES);
  else if (strlen (nebula_value_get_string (name)) != nebula_value_get_string_length (name))
    message = g_strdup (_("The name of a workflow must not hold U+0000"));
  else
    return;
  report_member (walk, path, "name", (NebulaProblem) { .code = "schema" }, message);
}

static void
check_nodes (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  NebulaValue *nodes = nebula_value_get_member (value, "nodes");

  if (nodes && !nebula_value_is_null (nodes)
      && (nebula_value_get_kind (nodes) != NEBULA_VALUE_KIND_OBJECT
          || nebula_value_get_length (nodes) > 0))
    return;
  report_member (walk,
                 path,
                 "nodes",
                 (NebulaProblem) { .code = "no-nodes", .hint = _("Add at least one node under “nodes”.") },
                 path ? _("This body has no nodes") : _("The workflow has no nodes"));
}

static void
check_format (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  NebulaValue *format = _nebula_member (value, "nebula", NEBULA_VALUE_KIND_INTEGER);

  if (!format || nebula_value_get_integer (format) == 1)
    return;
  report_member (walk,
                 path,
                 "nebula",
                 (NebulaProblem) {
                     .code = "schema",
                     .hint = _("This program reads version 1. Write “nebula: 1”, or use a newer program."),
                 },
                 _("This version of the file format is not known"));
}

static void
check_gate (NebulaSchemaWalk *walk, NebulaValue *settings, const char *name, const char *key, gint64 most)
{
  NebulaValue *gate = _nebula_member (settings, name, NEBULA_VALUE_KIND_OBJECT);
  NebulaValue *limit = _nebula_member (gate, key, NEBULA_VALUE_KIND_INTEGER);
  NebulaPath settings_path = { NULL, "settings", 0 };
  NebulaPath path = { &settings_path, name, 0 };
  g_autofree char *message = NULL;

  if (!limit
      || (nebula_value_get_integer (limit) >= 1 && nebula_value_get_integer (limit) <= most))
    return;
  if (most == G_MAXINT)
    message = g_strdup_printf (_("The limit of “%s” must be at least 1"), name);
  else
    message = g_strdup_printf (_("“%s” of “%s” must be from 1 to %d"), key, name, (int) most);
  report_member (walk, &path, key, (NebulaProblem) { .code = "schema" }, message);
}

static void
check_gates (NebulaSchemaWalk *walk, NebulaValue *value)
{
  NebulaValue *settings = _nebula_member (value, "settings", NEBULA_VALUE_KIND_OBJECT);
  static const char *const names[] = { "concurrency", "rate", "throttle" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    check_gate (walk, settings, names[i], "limit", G_MAXINT);
  check_gate (walk, settings, "batch", "size", NEBULA_PLAN_BATCH_MAX);
}

/* What only the library of policies understands. */
static void
check_retry_rest (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  static const char *const names[] = { "delays", "codes" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    NebulaValue *member = nebula_value_get_member (value, names[i]);
    g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();
    g_autoptr (NebulaValue) alone = member ? nebula_value_with_member (empty, names[i], member) : NULL;
    g_autoptr (NebulaRetryPolicy) policy = NULL;
    g_autoptr (GError) error = NULL;
    NebulaProblem problem = { .code = "bad-retry" };

    if (!alone)
      continue;
    policy = nebula_retry_policy_new (alone, &error);
    problem.hint = _("Delays are durations such as 200ms, codes are those of errors such as unavailable.");
    if (!policy)
      report_member (walk, path, names[i], problem, error->message);
  }
}

static void
check_retry (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  NebulaValue *attempts = _nebula_member (value, "attempts", NEBULA_VALUE_KIND_INTEGER);
  gint64 n_attempts = attempts ? nebula_value_get_integer (attempts) : 1;
  NebulaValue *factor = nebula_value_get_member (value, "factor");
  gint64 initial_usec = _nebula_member_duration (value, "initial", G_USEC_PER_SEC);
  gint64 max_usec = _nebula_member_duration (value, "max", MAX (initial_usec, 1));
  NebulaProblem problem = { .code = "bad-retry" };

  if (n_attempts < 1 || n_attempts > MAX_ATTEMPTS) {
    problem.hint = _("It counts the first try: 1 is no retry, and 1,000,000 is the most.");
    report_member (walk, path, "attempts", problem, _("“attempts” of “retry” must be at least 1"));
  }
  if (factor && nebula_value_is_number (factor)
      && !(nebula_value_get_float (factor) >= 1.0 && nebula_value_get_float (factor) <= 1000.0)) {
    problem.hint = _("2 doubles the delay each time.");
    report_member (walk, path, "factor", problem, _("“factor” of “retry” must be from 1 to 1,000"));
  }
  if (max_usec < initial_usec) {
    problem.hint = _("Make “max” the longest delay and “initial” the first.");
    report_member (walk, path, "max", problem, _("“max” of “retry” is shorter than the first delay"));
  }
  check_retry_rest (walk, value, path);
  if (initial_usec == 0 && n_attempts > MAX_ATTEMPTS_WITHOUT_DELAY) {
    problem.hint = _("Give “initial” a delay, or at most 100 attempts.");
    report_member (walk, path, "initial", problem, _("So many retries without a delay are refused"));
  }
}

static void
check_join (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  static const char *const words[] = { "all", "any", "each", NULL };
  NebulaValue *need = nebula_value_get_member (value, "need");

  if (!need)
    return;
  if (nebula_value_get_kind (need) == NEBULA_VALUE_KIND_INTEGER
      && nebula_value_get_integer (need) >= 1 && nebula_value_get_integer (need) <= G_MAXINT)
    return;
  if (nebula_value_get_kind (need) == NEBULA_VALUE_KIND_STRING
      && (g_strv_contains (words, nebula_value_get_string (need))
          || nebula_expression_is_template (nebula_value_get_string (need))))
    return;
  report_member (walk,
                 path,
                 "need",
                 (NebulaProblem) {
                     .code = "schema",
                     .hint = _("Write all, any, each, a number from 1, or “{{ an expression }}”."),
                 },
                 _("“need” of “join” does not say how many connections are needed"));
}

static void
check_connection (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  NebulaValue *max = _nebula_member (value, "max", NEBULA_VALUE_KIND_INTEGER);

  if (!max)
    return;
  if (nebula_value_get_integer (max) < 1 || nebula_value_get_integer (max) > G_MAXINT)
    report_member (walk,
                   path,
                   "max",
                   (NebulaProblem) { .code = "schema", .hint = _("It is how often the loop may turn.") },
                   _("“max” of a connection must be at least 1"));
  else if (!nebula_value_get_member_boolean (value, "loop", FALSE))
    report_member (walk,
                   path,
                   "max",
                   (NebulaProblem) { .code = "schema", .of_key = TRUE, .hint = _("Add “loop: true”, or leave it out.") },
                   _("Only a connection with “loop: true” has a “max”"));
}

void
_nebula_schema_check_rules (NebulaSchemaWalk *walk,
                            const NebulaSchemaShape *shape,
                            NebulaValue *value,
                            const NebulaPath *path)
{
  if (shape == &_nebula_schema_shape_workflow) {
    check_format (walk, value, path);
    check_name (walk, value, path);
    check_nodes (walk, value, path);
    check_gates (walk, value);
  } else if (shape == &_nebula_schema_shape_body) {
    check_nodes (walk, value, path);
  } else if (shape == &_nebula_schema_shape_retry) {
    check_retry (walk, value, path);
  } else if (shape == &_nebula_schema_shape_policy) {
    _nebula_schema_check_policy (walk, value, path);
  } else if (shape == &_nebula_schema_shape_connection) {
    check_connection (walk, value, path);
  } else if (shape == &_nebula_schema_shape_join) {
    check_join (walk, value, path);
  } else if (shape == &_nebula_schema_shape_trigger) {
    _nebula_schema_check_trigger (walk, value, path);
  }
}
