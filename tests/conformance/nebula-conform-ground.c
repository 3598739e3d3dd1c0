/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schemas, patches, schedules, headers. */

#include "nebula-conform.h"
#include "nebula-error.h"
#include "nebula-json-schema.h"
#include "nebula-json.h"
#include "nebula-patch.h"

/* The remote schemas of the suite, by URL; without the suite there are none. */
static NebulaValue *
get_remotes (void)
{
  static NebulaValue *remotes;
  const char *folder = g_getenv ("NEBULA_CONFORMANCE_DIR");
  g_autofree char *path = g_build_filename (
      folder ? folder : CONFORMANCE_DIR, "json-schema-remotes.json", NULL);
  g_autofree char *text = NULL;
  gsize length;

  if (!remotes && g_file_get_contents (path, &text, &length, NULL))
    remotes = nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_NONE, NULL);
  return remotes;
}

NebulaValue *
conform_jsonschema_validate (NebulaValue *request, GError **error)
{
  const char *draft = conform_get_text (request, "draft", error);
  NebulaValue *document = nebula_value_get_member (request, "schema");
  NebulaValue *instance = nebula_value_get_member (request, "instance");
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  g_autoptr (NebulaJsonSchema) schema = NULL;
  g_autoptr (GPtrArray) violations = NULL;

  if (!draft)
    return NULL;
  schema = nebula_json_schema_new (document ? document : null,
                                   g_str_equal (draft, "draft7")
                                       ? NEBULA_JSON_SCHEMA_DRAFT_7
                                       : NEBULA_JSON_SCHEMA_DRAFT_2020_12,
                                   NEBULA_JSON_SCHEMA_FLAGS_NONE, get_remotes (), error);
  violations =
      schema ? nebula_json_schema_check (schema, instance ? instance : null, error) : NULL;
  return violations ? nebula_value_new_boolean (violations->len == 0) : NULL;
}

NebulaValue *
conform_jsonpatch_apply (NebulaValue *request, GError **error)
{
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  NebulaValue *document = nebula_value_get_member (request, "doc");
  NebulaValue *patch = nebula_value_get_member (request, "patch");

  return nebula_value_apply_patch (document ? document : null, patch ? patch : null, error);
}
