/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where schemas are found. A document is scanned once for `$id`, `$anchor` and `$dynamicAnchor` in the places where
 * schemas stand; a reference is a URI, resolved against that of its resource, and behind `#` a JSON pointer or the name
 * of an anchor. Other documents come from the caller's registry and from the meta-schemas that the library brings.
 */
#include <gio/gio.h>
#include <string.h>

#include "nebula-json-schema-private.h"
#include "nebula-json.h"

#define META_PATH "/org/nebula/schema/"

static const struct {
  const char *uri;
  const char *file;
} metas[] = {
    {"https://json-schema.org/draft/2020-12/schema", "2020-12-schema.json"},
    {"https://json-schema.org/draft/2020-12/meta/core", "2020-12-core.json"},
    {"https://json-schema.org/draft/2020-12/meta/applicator", "2020-12-applicator.json"},
    {"https://json-schema.org/draft/2020-12/meta/unevaluated",
     "2020-12-unevaluated.json"},
    {"https://json-schema.org/draft/2020-12/meta/validation", "2020-12-validation.json"},
    {"https://json-schema.org/draft/2020-12/meta/meta-data", "2020-12-meta-data.json"},
    {"https://json-schema.org/draft/2020-12/meta/format-annotation",
     "2020-12-format-annotation.json"},
    {"https://json-schema.org/draft/2020-12/meta/content", "2020-12-content.json"},
    {"http://json-schema.org/draft-07/schema", "draft-07-schema.json"},
};

void
_nebula_schema_resource_free (NebulaSchemaResource *self)
{
  g_free (self->uri);
  nebula_value_unref (self->root);
  g_hash_table_unref (self->anchors);
  g_hash_table_unref (self->dynamic);
  g_hash_table_unref (self->parts);
  g_clear_pointer (&self->targets, g_hash_table_unref);
  g_free (self);
}

static char *
without_fragment (const char *uri)
{
  return g_strndup (uri, strcspn (uri, "#"));
}

/* @reference without fragment, made absolute. */
static char *
resolve_uri (const char *base, const char *reference)
{
  g_autofree char *plain = without_fragment (reference);
  char *resolved = NULL;

  if (*plain == '\0')
    return g_strdup (base);
  if (*base != '\0')
    resolved = g_uri_resolve_relative (base, plain, G_URI_FLAGS_ENCODED, NULL);
  return resolved ? resolved : g_steal_pointer (&plain);
}

static NebulaValue *
load_meta (const char *uri)
{
  for (gsize i = 0; i < G_N_ELEMENTS (metas); i++) {
    g_autofree char *path = NULL;
    g_autoptr (GBytes) bytes = NULL;

    if (strcmp (metas[i].uri, uri) != 0)
      continue;
    path = g_strconcat (META_PATH, metas[i].file, NULL);
    bytes = g_resources_lookup_data (path, 0, NULL);
    g_return_val_if_fail (bytes != NULL, NULL);
    return nebula_value_parse_json (g_bytes_get_data (bytes, NULL),
                                    (gssize) g_bytes_get_size (bytes),
                                    NEBULA_JSON_FLAGS_NONE, NULL);
  }
  return NULL;
}

/* The document of @uri, without asking anybody outside. */
static NebulaValue *
load_document (const char *uri, NebulaValue *remotes)
{
  g_autofree char *with_hash = g_strconcat (uri, "#", NULL);
  NebulaValue *found = remotes ? nebula_value_get_member (remotes, uri) : NULL;

  if (!found && remotes)
    found = nebula_value_get_member (remotes, with_hash);
  return found ? nebula_value_ref (found) : load_meta (uri);
}

static NebulaSchemaResource *
add_resource (NebulaJsonSchema *self,
              const char *uri,
              NebulaValue *root,
              const NebulaSchemaResource *parent)
{
  NebulaSchemaResource *resource = g_new0 (NebulaSchemaResource, 1);

  resource->uri = g_strdup (uri);
  resource->root = nebula_value_ref (root);
  resource->anchors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  resource->dynamic = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  resource->parts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (parent) {
    resource->draft = parent->draft;
    resource->lacks_validation = parent->lacks_validation;
    resource->asserts_formats = parent->asserts_formats;
  }
  g_ptr_array_add (self->resources, resource);
  if (!g_hash_table_contains (self->uris, uri))
    g_hash_table_insert (self->uris, g_strdup (uri), resource);
  return resource;
}

/* A meta-schema of somebody's own says which vocabularies hold. */
static void
apply_vocabularies (NebulaSchemaResource *resource,
                    const char *meta_uri,
                    NebulaValue *remotes)
{
  g_autofree char *uri = without_fragment (meta_uri);
  g_autoptr (NebulaValue) meta = load_document (uri, remotes);
  NebulaValue *vocabularies = NULL;

  if (meta && nebula_value_get_kind (meta) == NEBULA_VALUE_KIND_OBJECT)
    vocabularies = nebula_value_get_member (meta, "$vocabulary");
  if (!vocabularies || nebula_value_get_kind (vocabularies) != NEBULA_VALUE_KIND_OBJECT)
    return;
  resource->lacks_validation = !nebula_value_has_member (
      vocabularies, "https://json-schema.org/draft/2020-12/vocab/validation");
  resource->asserts_formats = nebula_value_has_member (
      vocabularies, "https://json-schema.org/draft/2020-12/vocab/format-assertion");
}

static void
apply_dialect (NebulaSchemaResource *resource, NebulaValue *schema, NebulaValue *remotes)
{
  const char *meta = NULL;

  if (nebula_value_get_kind (schema) == NEBULA_VALUE_KIND_OBJECT)
    meta = nebula_value_get_member_string (schema, "$schema", NULL);
  if (!meta)
    return;
  if (g_str_has_prefix (meta, "http://json-schema.org/draft-07/schema"))
    resource->draft = NEBULA_JSON_SCHEMA_DRAFT_7;
  else if (g_str_has_prefix (meta, "https://json-schema.org/draft/2020-12/schema"))
    resource->draft = NEBULA_JSON_SCHEMA_DRAFT_2020_12;
  else
    apply_vocabularies (resource, meta, remotes);
}

typedef struct {
  NebulaJsonSchema *self;
  NebulaSchemaResource *resource;
  const char *pointer; /* of the keyword in its resource */
  NebulaValue *remotes;
} Scan;

static void scan (Scan *outer,
                  NebulaSchemaResource *resource,
                  const char *pointer,
                  NebulaValue *schema);

static void
scan_inner (NebulaValue *schema, const char *inner, gpointer data)
{
  Scan *outer = data;
  g_autofree char *pointer = g_strconcat (outer->pointer, inner, NULL);

  scan (outer, outer->resource, pointer, schema);
}

static void
add_anchor (GHashTable *anchors, const char *name, const char *pointer)
{
  if (name && !g_hash_table_contains (anchors, name))
    g_hash_table_insert (anchors, g_strdup (name), g_strdup (pointer));
}

static void
scan_anchors (NebulaSchemaResource *resource, const char *pointer, NebulaValue *schema)
{
  const char *id = nebula_value_get_member_string (schema, "$id", NULL);
  const char *dynamic = NULL;

  if (resource->draft == NEBULA_JSON_SCHEMA_DRAFT_7) {
    const char *name = id ? strchr (id, '#') : NULL;

    if (name && name[1] != '\0')
      add_anchor (resource->anchors, name + 1, pointer);
    return;
  }
  dynamic = nebula_value_get_member_string (schema, "$dynamicAnchor", NULL);
  add_anchor (resource->anchors, nebula_value_get_member_string (schema, "$anchor", NULL),
              pointer);
  add_anchor (resource->anchors, dynamic, pointer);
  add_anchor (resource->dynamic, dynamic, pointer);
}

/* The id that opens a resource at this place; NULL if none does. */
static const char *
get_id (const NebulaSchemaResource *resource, NebulaValue *schema)
{
  const char *id = nebula_value_get_member_string (schema, "$id", NULL);

  if (!id || *id == '#' || *id == '\0')
    return NULL;
  if (resource->draft == NEBULA_JSON_SCHEMA_DRAFT_7 &&
      nebula_value_has_member (schema, "$ref"))
    return NULL;
  return id;
}

static void
scan_keywords (Scan *outer,
               NebulaSchemaResource *resource,
               const char *pointer,
               NebulaValue *schema)
{
  for (gsize i = 0; i < nebula_value_get_length (schema); i++) {
    gsize length;
    const char *key = nebula_value_get_key (schema, i, &length);
    NebulaValue *value = nebula_value_get_member_at (schema, i);
    const NebulaSchemaKeyword *keyword =
        _nebula_schema_find_keyword (key, resource->draft);
    g_autofree char *place = NULL;

    if (!keyword || keyword->shape < NEBULA_SCHEMA_SHAPE_SCHEMA ||
        !_nebula_schema_has_shape (keyword->shape, value))
      continue;
    place = g_strconcat (pointer, "/", key, NULL);
    _nebula_schema_visit (keyword->shape, value, scan_inner,
                          &(Scan){outer->self, resource, place, outer->remotes});
  }
}

static void
scan (Scan *outer,
      NebulaSchemaResource *resource,
      const char *pointer,
      NebulaValue *schema)
{
  const char *id;

  if (nebula_value_get_kind (schema) != NEBULA_VALUE_KIND_OBJECT)
    return;
  id = *pointer != '\0' ? get_id (resource, schema) : NULL;
  if (id) {
    g_autofree char *uri = resolve_uri (resource->uri, id);
    NebulaSchemaResource *part = add_resource (outer->self, uri, schema, resource);

    apply_dialect (part, schema, outer->remotes);
    g_hash_table_insert (resource->parts, g_strdup (pointer), part);
    resource = part;
    pointer = "";
  }
  scan_anchors (resource, pointer, schema);
  scan_keywords (outer, resource, pointer, schema);
}

NebulaSchemaResource *
_nebula_schema_add_document (NebulaJsonSchema *self,
                             const char *uri,
                             NebulaValue *root,
                             NebulaJsonSchemaDraft draft,
                             NebulaValue *remotes)
{
  NebulaSchemaResource *resource = add_resource (self, uri, root, NULL);
  const char *id = NULL;

  resource->draft = draft;
  apply_dialect (resource, root, remotes);
  if (nebula_value_get_kind (root) == NEBULA_VALUE_KIND_OBJECT)
    id = get_id (resource, root);
  if (id) {
    char *own = resolve_uri (uri, id);

    g_free (resource->uri);
    resource->uri = own;
    if (!g_hash_table_contains (self->uris, own))
      g_hash_table_insert (self->uris, g_strdup (own), resource);
  }
  scan (&(Scan){self, resource, "", remotes}, resource, "", root);
  return resource;
}

static NebulaSchemaResource *
find_resource (NebulaJsonSchema *self,
               NebulaSchemaResource *base,
               const char *reference,
               NebulaValue *remotes)
{
  g_autofree char *uri = NULL;
  g_autoptr (NebulaValue) document = NULL;
  NebulaSchemaResource *known;

  if (*reference == '#' || *reference == '\0')
    return base;
  uri = resolve_uri (base->uri, reference);
  known = g_hash_table_lookup (self->uris, uri);
  if (known)
    return known;
  document = load_document (uri, remotes);
  if (!document || !_nebula_schema_is_schema (document))
    return NULL;
  return _nebula_schema_add_document (self, uri, document, base->draft, remotes);
}

static NebulaValue *
step (NebulaValue *value, const char *token)
{
  NebulaValueKind kind = nebula_value_get_kind (value);
  guint64 index;

  if (kind == NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_get_member (value, token);
  if (kind != NEBULA_VALUE_KIND_ARRAY ||
      !g_ascii_string_to_unsigned (token, 10, 0, G_MAXUINT32, &index, NULL))
    return NULL;
  return index < nebula_value_get_length (value) ? nebula_value_get_item (value, index)
                                                 : NULL;
}

/* Follows @pointer, through the resources that it crosses. */
static gboolean
walk (NebulaSchemaResource *resource,
      const char *pointer,
      NebulaSchemaLocation *ret_location)
{
  g_auto (GStrv) tokens = g_strsplit (pointer, "/", -1);
  g_autoptr (GString) place = g_string_new (NULL);
  NebulaValue *value = resource->root;

  for (guint i = 1; tokens[0] && tokens[i]; i++) {
    g_autoptr (GString) token = g_string_new (tokens[i]);
    NebulaSchemaResource *part;

    g_string_replace (token, "~1", "/", 0);
    g_string_replace (token, "~0", "~", 0);
    value = step (value, token->str);
    if (!value)
      return FALSE;
    _nebula_schema_append_key (place, token->str, token->len);
    part = g_hash_table_lookup (resource->parts, place->str);
    if (part) {
      resource = part;
      g_string_truncate (place, 0);
    }
  }
  *ret_location = (NebulaSchemaLocation){
      resource, g_string_free (g_steal_pointer (&place), FALSE), value};
  return TRUE;
}

gboolean
_nebula_schema_locate (NebulaJsonSchema *self,
                       NebulaSchemaResource *base,
                       const char *reference,
                       NebulaValue *remotes,
                       NebulaSchemaLocation *ret_location,
                       char **ret_name)
{
  NebulaSchemaResource *resource = find_resource (self, base, reference, remotes);
  const char *hash = strchr (reference, '#');
  g_autofree char *fragment = g_uri_unescape_string (hash ? hash + 1 : "", NULL);
  const char *pointer = fragment;

  *ret_name = NULL;
  if (!resource || !fragment)
    return FALSE;
  if (*fragment != '\0' && *fragment != '/') {
    pointer = g_hash_table_lookup (resource->anchors, fragment);
    if (!pointer)
      return FALSE;
  }
  if (!walk (resource, pointer, ret_location))
    return FALSE;
  if (pointer != fragment)
    *ret_name = g_steal_pointer (&fragment);
  return TRUE;
}
