/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parses any bytes as a JSONPath and runs it. What is found must be an array, and the same
 * when asked again.
 */
#include "fuzz.h"

#include "nebula-json.h"
#include "nebula-jsonpath.h"

static const char values[] =
    "{\"a\": 1, \"b\": [2.5, \"text\", null, {\"k\": true, \"a\": \"ab\"}], \"c\": {\"d\": [[1, 2], [3]], "
    "\"e\": {}}, \"\": \"x\\u0000y\", \"p\": \"a.*\", \"n\": -7}";

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaJsonpath) path = nebula_jsonpath_new (text, &error);
  g_autoptr (NebulaValue) value =
      nebula_value_parse_json (values, -1, NEBULA_JSON_FLAGS_NONE, NULL);
  g_autoptr (NebulaValue) found = NULL;
  g_autoptr (NebulaValue) again = NULL;

  g_assert_true ((path != NULL) == (error == NULL));
  if (path == NULL)
    return 0;
  g_assert_cmpstr (nebula_jsonpath_get_text (path), ==, text);
  found = nebula_jsonpath_query (path, value, &error);
  g_assert_true ((found != NULL) == (error == NULL));
  if (found == NULL)
    return 0;
  g_assert_cmpint (nebula_value_get_kind (found), ==, NEBULA_VALUE_KIND_ARRAY);
  again = nebula_jsonpath_query (path, value, NULL);
  g_assert_true (nebula_value_equal (found, again));
  return 0;
}
