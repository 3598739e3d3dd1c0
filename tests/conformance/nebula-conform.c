/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nebula-conform: JSON lines in and out, for the judges of the public suites.
 *
 *   request  {"id", "op", …arguments}
 *   answer   {"id", "ok": true, "value"} | {"id", "ok": false, "error": {"code", "message"}} | {"id", "unsupported": true}
 */
#include "nebula-conform.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-error.h"
#include "nebula-json.h"

static const struct {
  const char *name;
  ConformOperation run;
} operations[] = {
    {"bincode.roundtrip", conform_bincode_roundtrip},
    {"cloudevents.parse_json", conform_cloudevents_parse_json},
    {"cron.next", conform_cron_next},
    {"expr.eval", conform_expr_eval},
    {"expr.template", conform_expr_template},
    {"json.parse", conform_json_parse},
    {"jsonpatch.apply", conform_jsonpatch_apply},
    {"jsonpath.query", conform_jsonpath_query},
    {"jsonschema.validate", conform_jsonschema_validate},
    {"msgpack.decode", conform_msgpack_decode},
    {"msgpack.encode", conform_msgpack_encode},
    {"msgpack.roundtrip", conform_msgpack_roundtrip},
    {"protobuf.roundtrip", conform_protobuf_roundtrip},
    {"tracecontext.parse", conform_tracecontext_parse},
    {"wf.run", conform_wf_run},
    {"workflow.run", conform_workflow_run},
    {"workflow.validate", conform_workflow_validate},
};

NebulaRegistry *
conform_get_registry (GError **error)
{
  static NebulaRegistry *registry;

  if (registry)
    return registry;
  registry = nebula_registry_new ();
  if (!nebula_registry_load (registry, error))
    g_clear_object (&registry);
  return registry;
}

const char *
conform_get_text (NebulaValue *request, const char *name, GError **error)
{
  const char *text = nebula_value_get_member_string (request, name, NULL);

  if (!text)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 "The request has no text “%s”.", name);
  return text;
}

NebulaValue *
conform_plain (NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (kind == NEBULA_VALUE_KIND_DECIMAL)
    return nebula_value_new_string (nebula_value_get_string (value));
  if (kind == NEBULA_VALUE_KIND_ARRAY) {
    builder = nebula_value_builder_new_array ();
    for (gsize i = 0; i < nebula_value_get_length (value); i++)
      nebula_value_builder_add_take (builder,
                                     conform_plain (nebula_value_get_item (value, i)));
    return nebula_value_builder_end (builder);
  }
  if (kind != NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_ref (value);
  builder = nebula_value_builder_new_object ();
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);

    nebula_value_builder_set_length_take (
        builder, key, length, conform_plain (nebula_value_get_member_at (value, i)));
  }
  return nebula_value_builder_end (builder);
}

static void
set_error (NebulaValueBuilder *answer, const GError *error)
{
  g_autoptr (NebulaValueBuilder) failure = nebula_value_builder_new_object ();
  g_autofree char *message = g_utf8_make_valid (error->message, -1);

  nebula_value_builder_set_string (failure, "code", nebula_error_get_code (error));
  nebula_value_builder_set_string (failure, "message", message);
  nebula_value_builder_set_boolean (answer, "ok", FALSE);
  nebula_value_builder_set_take (answer, "error", nebula_value_builder_end (failure));
}

static void
run_operation (NebulaValueBuilder *answer, ConformOperation run, NebulaValue *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = run (request, &error);

  if (!value) {
    set_error (answer, error);
    return;
  }
  nebula_value_builder_set_boolean (answer, "ok", TRUE);
  nebula_value_builder_set_take (answer, "value", conform_plain (value));
}

static NebulaValue *
answer_request (NebulaValue *request)
{
  g_autoptr (NebulaValueBuilder) answer = nebula_value_builder_new_object ();
  NebulaValue *id = nebula_value_get_member (request, "id");
  const char *op = nebula_value_get_member_string (request, "op", "");

  if (id)
    nebula_value_builder_set (answer, "id", id);
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++) {
    if (g_str_equal (op, operations[i].name)) {
      run_operation (answer, operations[i].run, request);
      return nebula_value_builder_end (answer);
    }
  }
  nebula_value_builder_set_boolean (answer, "unsupported", TRUE);
  return nebula_value_builder_end (answer);
}

static gboolean
answer_line (const char *line, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) request =
      nebula_value_parse_json (line, (gssize) length, NEBULA_JSON_FLAGS_NONE, &error);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) answer = NULL;
  g_autofree char *text = NULL;

  if (request && nebula_value_get_kind (request) == NEBULA_VALUE_KIND_OBJECT) {
    answer = answer_request (request);
  } else {
    if (!error)
      error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                                   "A request is one object.");
    set_error (builder, error);
    answer = nebula_value_builder_end (builder);
  }
  text = nebula_value_to_json (answer, NEBULA_JSON_FLAGS_NONE);
  return fputs (text, stdout) >= 0 && fputc ('\n', stdout) != EOF && fflush (stdout) == 0;
}

/* Started by hand it finds the modules that were built with it, as a test does. */
static void
start_again_with_modules (char **argv)
{
  g_auto (GStrv) environment = g_get_environ ();

  if (g_environ_getenv (environment, "NEBULA_MODULE_PATH"))
    return;
  environment = g_environ_setenv (environment, "NEBULA_MODULE_PATH", BUILT_MODULES, TRUE);
  environment = g_environ_setenv (environment, "NEBULA_HOST", BUILT_HOST, FALSE);
  execve ("/proc/self/exe", argv, environment);
}

int
main (int argc, char **argv)
{
  char *line = NULL;
  size_t capacity = 0;
  ssize_t length;

  start_again_with_modules (argv);
  setlocale (LC_ALL, "C.UTF-8");
  while ((length = getline (&line, &capacity, stdin)) > 0) {
    if (!answer_line (line, (gsize) length))
      return 1;
  }
  free (line);
  return 0;
}
