/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON, expressions, encodings. */

#include "nebula-conform.h"
#include "nebula-error.h"
#include "nebula-expression.h"
#include "nebula-json.h"
#include "nebula-jsonpath.h"
#include "nebula-msgpack.h"

NebulaValue *
conform_json_parse (NebulaValue *request, GError **error)
{
  const char *text = conform_get_text (request, "b64", error);
  g_autofree guchar *bytes = NULL;
  g_autoptr (NebulaValue) value = NULL;
  gsize length = 0;

  if (!text)
    return NULL;
  bytes = g_base64_decode (text, &length);
  value = nebula_value_parse_json ((const char *) bytes, (gssize) length,
                                   NEBULA_JSON_FLAGS_NONE, error);
  return value ? nebula_value_new_null () : NULL;
}

NebulaValue *
conform_jsonpath_query (NebulaValue *request, GError **error)
{
  const char *text = conform_get_text (request, "path", error);
  g_autoptr (NebulaJsonpath) path = text ? nebula_jsonpath_new (text, error) : NULL;
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  NebulaValue *input = nebula_value_get_member (request, "input");

  return path ? nebula_jsonpath_query (path, input ? input : null, error) : NULL;
}

static NebulaValue *
evaluate (NebulaValue *request, NebulaExpression *expression, GError **error)
{
  g_autoptr (NebulaValue) empty = nebula_value_new_empty_object ();
  NebulaValue *data = nebula_value_get_member (request, "data");

  return nebula_expression_evaluate_data (expression, data ? data : empty, error);
}

NebulaValue *
conform_expr_eval (NebulaValue *request, GError **error)
{
  const char *text = conform_get_text (request, "expression", error);
  g_autoptr (NebulaExpression) expression =
      text ? nebula_expression_compile (text, error) : NULL;

  return expression ? evaluate (request, expression, error) : NULL;
}

NebulaValue *
conform_expr_template (NebulaValue *request, GError **error)
{
  const char *text = conform_get_text (request, "template", error);
  g_autoptr (NebulaExpression) expression =
      text ? nebula_expression_compile_template (text, error) : NULL;

  return expression ? evaluate (request, expression, error) : NULL;
}

NebulaValue *
conform_msgpack_roundtrip (NebulaValue *request, GError **error)
{
  NebulaValue *value = nebula_value_get_member (request, "value");
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  g_autoptr (GBytes) bytes = nebula_value_to_msgpack (value ? value : null);

  return nebula_value_from_msgpack (bytes, error);
}
