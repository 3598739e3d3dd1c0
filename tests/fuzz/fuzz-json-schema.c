/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compiles any JSON as a schema and checks values with it: {"schema": …, "value": …}. Stopping at the first violation and
 * listing all of them must agree, and a filled value can be checked like any other.
 */
#include "fuzz.h"

#include "nebula-error.h"
#include "nebula-json-schema.h"
#include "nebula-json.h"

static void
check_value (NebulaJsonSchema *schema, NebulaValue *value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) violations = nebula_json_schema_check (schema, value, NULL);
  gboolean is_valid = nebula_json_schema_validate (schema, value, &error);

  g_assert_true (is_valid == (error == NULL));
  if (violations && !g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED))
    g_assert_true (is_valid == (violations->len == 0));
  for (guint i = 0; violations && i < violations->len; i++) {
    g_autofree char *text = nebula_violation_to_text (g_ptr_array_index (violations, i));

    g_assert_true (g_utf8_validate (text, -1, NULL));
  }
}

static void
check_schema (NebulaValue *document, NebulaValue *value, NebulaJsonSchemaDraft draft)
{
  g_autoptr (GPtrArray) mistakes =
      nebula_json_schema_review (document, draft, NEBULA_JSON_SCHEMA_FLAGS_FORMATS, NULL);
  g_autoptr (NebulaJsonSchema) schema = nebula_json_schema_new (
      document, draft, NEBULA_JSON_SCHEMA_FLAGS_FORMATS, NULL, NULL);
  g_autoptr (NebulaValue) filled = NULL;

  g_assert_true ((schema != NULL) == (mistakes->len == 0));
  if (!schema)
    return;
  check_value (schema, value);
  check_value (schema, document);
  filled = nebula_json_schema_fill (schema, value);
  check_value (schema, filled);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (NebulaValue) whole = nebula_value_parse_json (
      (const char *) data, (gssize) size, NEBULA_JSON_FLAGS_LIMITED, NULL);
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  NebulaValue *document, *value;

  if (!whole || nebula_value_get_kind (whole) != NEBULA_VALUE_KIND_OBJECT)
    return 0;
  document = nebula_value_get_member (whole, "schema");
  value = nebula_value_get_member (whole, "value");
  if (!document)
    return 0;
  check_schema (document, value ? value : null, NEBULA_JSON_SCHEMA_DRAFT_2020_12);
  check_schema (document, value ? value : null, NEBULA_JSON_SCHEMA_DRAFT_7);
  return 0;
}
