/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiles any bytes as an expression and as a template and evaluates them with little
 * fuel. What comes out must be a value that can be written.
 */
#include "fuzz.h"

#include "nebula-expression.h"
#include "nebula-json.h"

#define FUEL 5000

static const char values[] =
    "{\"json\": {\"a\": 1, \"b\": 2.5, \"s\": \"text\", \"l\": [1, null, \"x\", {\"k\": true}]}, "
    "\"nodes\": {\"n\": {\"result\": [1], \"status\": \"completed\"}}, \"now\": \"2026-03-01T10:20:30Z\"}";

static NebulaValue *
get_variable (const NebulaEnvironment *environment, const char *name, GError **error)
{
  NebulaValue *value = nebula_value_get_member (environment->data, name);

  return value != NULL ? nebula_value_ref (value) : NULL;
}

static guint64
get_random (const NebulaEnvironment *environment, guint call_index)
{
  return call_index * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
}

static void
evaluate (NebulaExpression *expression, NebulaValue *data)
{
  NebulaEnvironment environment = { .get_variable = get_variable,
                                    .get_random = get_random,
                                    .data = data,
                                    .fuel = FUEL };
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value =
      nebula_expression_evaluate (expression, &environment, &error);
  g_autofree char *json = NULL;
  guint count;

  g_assert_true ((value != NULL) == (error == NULL));
  g_assert_cmpuint (environment.fuel, <=, FUEL);
  nebula_expression_get_references (expression, &count);
  if (value != NULL)
    json = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (NebulaValue) object =
      nebula_value_parse_json (values, -1, NEBULA_JSON_FLAGS_NONE, NULL);
  g_autoptr (NebulaExpression) expression = nebula_expression_compile (text, NULL);
  g_autoptr (NebulaExpression) template = nebula_expression_compile_template (text, NULL);

  if (expression != NULL)
    evaluate (expression, object);
  if (template != NULL)
    evaluate (template, object);
  return 0;
}
