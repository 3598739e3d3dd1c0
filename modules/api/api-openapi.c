/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The OpenAPI 3.1 document, made of the routes. */

#include <string.h>

#include "api-private.h"

static void
set (NebulaValueBuilder *builder, const char *key, const char *text)
{
  nebula_value_builder_set_string (builder, key, text);
}

static NebulaValue *
make_reference (const char *kind, const char *name)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *reference = g_strdup_printf ("#/components/%s/%s", kind, name);

  set (builder, "$ref", reference);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
make_typed (const char *type)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  set (builder, "type", type);
  return nebula_value_builder_end (builder);
}

/* {schema} under a content type. */
static void
add_content (NebulaValueBuilder *content, const char *type, NebulaValue *schema)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_take (builder, "schema", schema);
  nebula_value_builder_set_take (content, type, nebula_value_builder_end (builder));
}

static NebulaValue *
make_parameter (const char *name, const char *where, const char *type, const char *description)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  set (builder, "name", name);
  set (builder, "in", where);
  if (description)
    set (builder, "description", description);
  if (g_str_equal (where, "path"))
    nebula_value_builder_set_boolean (builder, "required", TRUE);
  nebula_value_builder_set_take (builder, "schema", make_typed (type));
  return nebula_value_builder_end (builder);
}

static void
add_path_parameters (NebulaValueBuilder *parameters, const char *path)
{
  g_auto (GStrv) segments = g_strsplit (path, "/", -1);

  for (guint i = 0; segments[i]; i++) {
    gsize length = strlen (segments[i]);

    if (segments[i][0] != '{')
      continue;
    segments[i][length - 1] = '\0';
    nebula_value_builder_add_take (parameters,
                                   make_parameter (segments[i] + 1, "path", "string", NULL));
  }
}

static NebulaValue *
make_parameters (const ApiRoute *route)
{
  g_autoptr (NebulaValueBuilder) parameters = nebula_value_builder_new_array ();
  gboolean is_write = !g_str_equal (route->method, "GET");

  add_path_parameters (parameters, route->path);
  for (const ApiQuery *query = route->query; query && query->name; query++)
    nebula_value_builder_add_take (
        parameters, make_parameter (query->name, "query", query->type, query->description));
  if (route->flags & API_FLAG_ONCE)
    nebula_value_builder_add_take (
        parameters,
        make_parameter ("Idempotency-Key", "header", "string", "Does it once, however often it is sent"));
  if ((route->flags & API_FLAG_REVISION) && is_write)
    nebula_value_builder_add_take (
        parameters,
        make_parameter ("If-Match", "header", "string", "The ETag of the revision that must be current"));
  if (route->flags & API_FLAG_STREAM)
    nebula_value_builder_add_take (
        parameters,
        make_parameter ("Last-Event-ID", "header", "string", "The last event that was seen"));
  return nebula_value_builder_end (parameters);
}

static NebulaValue *
make_body (const ApiRoute *route)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) content = nebula_value_builder_new_object ();
  g_auto (GStrv) types = g_strsplit (route->content_types, " ", -1);

  for (guint i = 0; types[i]; i++) {
    const char *name = route->request                            ? route->request
                       : g_str_equal (types[i], "application/json") ? "Definition"
                                                                    : NULL;

    add_content (content, types[i],
                 name ? make_reference ("schemas", name) : make_typed ("string"));
  }
  nebula_value_builder_set_boolean (builder, "required", TRUE);
  nebula_value_builder_set_take (builder, "content", nebula_value_builder_end (content));
  return nebula_value_builder_end (builder);
}

static const char *
get_response_type (const ApiRoute *route)
{
  if (route->response)
    return "application/json";
  if (route->flags & API_FLAG_STREAM)
    return "text/event-stream";
  return g_str_equal (route->path, "/setup") ? "text/html" : "text/plain";
}

static NebulaValue *
make_response (const ApiRoute *route)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) content = nebula_value_builder_new_object ();

  set (builder, "description", route->status == 204 ? "Done" : "The answer");
  if (route->status == 204)
    return nebula_value_builder_end (builder);
  add_content (content, get_response_type (route),
               route->response ? make_reference ("schemas", route->response)
                               : make_typed ("string"));
  nebula_value_builder_set_take (builder, "content", nebula_value_builder_end (content));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
make_responses (const ApiRoute *route)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *status = g_strdup_printf ("%u", route->status);

  nebula_value_builder_set_take (builder, status, make_response (route));
  nebula_value_builder_set_take (builder, "4XX", make_reference ("responses", "Problem"));
  nebula_value_builder_set_take (builder, "5XX", make_reference ("responses", "Problem"));
  return nebula_value_builder_end (builder);
}

/* Either of the two ways; open ones take none. */
static NebulaValue *
make_security (const ApiRoute *route)
{
  static const char *const ways[] = {"token", "password"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; !(route->flags & API_FLAG_OPEN) && i < G_N_ELEMENTS (ways); i++) {
    g_autoptr (NebulaValueBuilder) each = nebula_value_builder_new_object ();

    nebula_value_builder_set_take (each, ways[i], nebula_value_new_array (NULL, 0));
    nebula_value_builder_add_take (builder, nebula_value_builder_end (each));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
make_operation (const ApiRoute *route)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) tags = nebula_value_builder_new_array ();

  nebula_value_builder_add_take (tags, nebula_value_new_string (route->tag));
  set (builder, "operationId", route->operation_id);
  set (builder, "summary", route->summary);
  nebula_value_builder_set_take (builder, "tags", nebula_value_builder_end (tags));
  set (builder, "x-permission", nebula_permission_to_string (route->permission));
  nebula_value_builder_set_take (builder, "parameters", make_parameters (route));
  if (route->body_bytes > 0)
    nebula_value_builder_set_take (builder, "requestBody", make_body (route));
  nebula_value_builder_set_take (builder, "responses", make_responses (route));
  nebula_value_builder_set_take (builder, "security", make_security (route));
  return nebula_value_builder_end (builder);
}

/* All methods of one path stand together. */
static NebulaValue *
make_paths (const ApiRoute *routes, guint n_routes)
{
  g_autoptr (NebulaValueBuilder) paths = nebula_value_builder_new_object ();

  for (guint i = 0; i < n_routes; i++) {
    g_autoptr (NebulaValueBuilder) methods = NULL;

    if (nebula_value_builder_has (paths, routes[i].path, strlen (routes[i].path)))
      continue;
    methods = nebula_value_builder_new_object ();
    for (guint j = i; j < n_routes; j++) {
      g_autofree char *method = g_ascii_strdown (routes[j].method, -1);

      if (g_str_equal (routes[j].path, routes[i].path))
        nebula_value_builder_set_take (methods, method, make_operation (&routes[j]));
    }
    nebula_value_builder_set_take (paths, routes[i].path, nebula_value_builder_end (methods));
  }
  return nebula_value_builder_end (paths);
}

static NebulaValue *
parse (const char *json)
{
  return nebula_value_parse_json (json, -1, NEBULA_JSON_FLAGS_NONE, NULL);
}

static NebulaValue *
make_components (void)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_take (builder, "schemas", api_schemas_get ());
  nebula_value_builder_set_take (
      builder, "responses",
      parse ("{\"Problem\":{\"description\":\"What is wrong (RFC 9457)\",\"content\":{"
             "\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}}"));
  nebula_value_builder_set_take (
      builder, "securitySchemes",
      parse ("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
             "\"password\":{\"type\":\"http\",\"scheme\":\"basic\"}}"));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
make_tags (const ApiRoute *routes, guint n_routes)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < n_routes; i++) {
    g_autoptr (NebulaValueBuilder) tag = NULL;

    if (!g_hash_table_add (seen, (gpointer) routes[i].tag))
      continue;
    tag = nebula_value_builder_new_object ();
    set (tag, "name", routes[i].tag);
    nebula_value_builder_add_take (builder, nebula_value_builder_end (tag));
  }
  return nebula_value_builder_end (builder);
}

NebulaValue *
api_openapi_make (const ApiRoute *routes, guint n_routes)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  set (builder, "openapi", "3.1.0");
  nebula_value_builder_set_take (
      builder, "info",
      parse ("{\"title\":\"Nebula\",\"version\":\"1\",\"description\":\"Durable workflows over REST.\","
             "\"license\":{\"name\":\"LGPL-2.1-or-later\",\"identifier\":\"LGPL-2.1-or-later\"}}"));
  nebula_value_builder_set_take (builder, "servers", parse ("[{\"url\":\"/\"}]"));
  nebula_value_builder_set_take (builder, "tags", make_tags (routes, n_routes));
  nebula_value_builder_set_take (builder, "paths", make_paths (routes, n_routes));
  nebula_value_builder_set_take (builder, "components", make_components ());
  return nebula_value_builder_end (builder);
}
