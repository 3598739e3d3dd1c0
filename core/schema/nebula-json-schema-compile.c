/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-json-schema-private.h"
#include "nebula-limits.h"

typedef struct {
  NebulaJsonSchema *self;
  NebulaValue *remotes;
  GQueue queue;          /* nodes whose keywords wait to be read */
  GPtrArray *violations; /* mistakes of the schema */
} Compiler;

static void
member_clear (NebulaSchemaMember *self)
{
  g_clear_pointer (&self->regex, g_regex_unref);
}

static void
check_clear (gpointer data)
{
  NebulaSchemaCheck *self = data;

  for (guint i = 0; i < self->n_members; i++)
    member_clear (&self->members[i]);
  g_free (self->members);
  g_clear_pointer (&self->regex, g_regex_unref);
}

static void
node_free (gpointer data)
{
  NebulaSchemaNode *self = data;

  g_array_unref (self->checks);
  g_free (self->pointer);
  g_free (self);
}

static void
report (Compiler *self,
        const NebulaSchemaNode *node,
        const char *keyword,
        const char *why)
{
  g_autoptr (GString) pointer = g_string_new (node->pointer);
  g_autofree char *source = NULL;

  if (self->violations->len >= NEBULA_LIMIT_DIAGNOSTICS)
    return;
  if (keyword)
    _nebula_schema_append_key (pointer, keyword, strlen (keyword));
  source = g_strconcat (node->resource->uri, "#", pointer->str, NULL);
  g_ptr_array_add (
      self->violations,
      nebula_violation_new (pointer->str, keyword ? keyword : "schema", source, why));
}

/* The node of a place; a new one waits in the queue. NULL above the limit. */
static NebulaSchemaNode *
get_node (Compiler *self,
          NebulaSchemaResource *resource,
          const char *pointer,
          NebulaValue *source)
{
  g_autofree char *name = g_strdup_printf ("%p#%s", (gpointer) resource, pointer);
  NebulaSchemaNode *node = g_hash_table_lookup (self->self->nodes, name);

  if (node)
    return node;
  node = g_new0 (NebulaSchemaNode, 1);
  node->resource = resource;
  node->pointer = g_strdup (pointer);
  node->source = source;
  node->checks = g_array_new (FALSE, TRUE, sizeof (NebulaSchemaCheck));
  g_array_set_clear_func (node->checks, check_clear);
  g_hash_table_insert (self->self->nodes, g_steal_pointer (&name), node);
  g_queue_push_tail (&self->queue, node);
  return node;
}

/* The node of a schema inside another, which may open a resource of its own. */
static NebulaSchemaNode *
get_inner_node (Compiler *self,
                const NebulaSchemaNode *outer,
                const char *pointer,
                NebulaValue *source)
{
  NebulaSchemaResource *part = g_hash_table_lookup (outer->resource->parts, pointer);

  return part ? get_node (self, part, "", source)
              : get_node (self, outer->resource, pointer, source);
}

static GRegex *
compile_pattern (Compiler *self,
                 const NebulaSchemaNode *node,
                 const char *keyword,
                 const char *text,
                 gsize length)
{
  g_autoptr (GError) error = NULL;
  GRegex *regex = _nebula_ecma_regex_new (text, length, &error);

  if (!regex)
    report (self, node, keyword, error->message);
  return regex;
}

typedef struct {
  Compiler *compiler;
  NebulaSchemaNode *node;
  NebulaSchemaCheck *check;
  char *pointer; /* of the keyword */
} Inner;

static void
add_member (NebulaValue *schema, const char *inner, gpointer data)
{
  Inner *self = data;
  g_autofree char *pointer = g_strconcat (self->pointer, inner, NULL);
  NebulaSchemaNode *node = get_inner_node (self->compiler, self->node, pointer, schema);
  NebulaSchemaMember *member;

  if (*inner == '\0') {
    self->check->node = node;
    return;
  }
  member = &self->check->members[self->check->n_members++];
  member->node = node;
}

/* Keys, patterns and lists of names; the nodes are there already, in the order of the members that are schemas. */
static void
name_members (Inner *self)
{
  NebulaSchemaCheck *check = self->check;
  gsize n = nebula_value_get_length (check->value);
  guint next = 0;
  NebulaSchemaMember *members = g_new0 (NebulaSchemaMember, n);

  for (gsize i = 0; i < n; i++) {
    NebulaValue *value = nebula_value_get_member_at (check->value, i);

    if (_nebula_schema_is_schema (value))
      members[i] = check->members[next++];
    else
      members[i].names = value;
    members[i].key = nebula_value_get_key (check->value, i, &members[i].length);
    if (check->keyword->shape == NEBULA_SCHEMA_SHAPE_PATTERN_MAP)
      members[i].regex =
          compile_pattern (self->compiler, self->node, check->keyword->name,
                           members[i].key, members[i].length);
  }
  g_free (check->members);
  check->members = members;
  check->n_members = (guint) n;
}

static void
compile_inner (Compiler *self, NebulaSchemaNode *node, NebulaSchemaCheck *check)
{
  g_autofree char *pointer = g_strconcat (node->pointer, "/", check->keyword->name, NULL);
  Inner inner = {self, node, check, pointer};
  gboolean is_map = check->keyword->shape == NEBULA_SCHEMA_SHAPE_SCHEMA_MAP ||
                    check->keyword->shape == NEBULA_SCHEMA_SHAPE_PATTERN_MAP ||
                    check->keyword->shape == NEBULA_SCHEMA_SHAPE_DEPENDENCIES;

  if (is_map || nebula_value_get_kind (check->value) == NEBULA_VALUE_KIND_ARRAY)
    check->members = g_new0 (NebulaSchemaMember, nebula_value_get_length (check->value));
  _nebula_schema_visit (check->keyword->shape, check->value, add_member, &inner);
  if (is_map)
    name_members (&inner);
}

static void
compile_reference (Compiler *self, NebulaSchemaNode *node, NebulaSchemaCheck *check)
{
  const char *reference = nebula_value_get_string (check->value);
  NebulaSchemaLocation found = {0};
  g_autofree char *name = NULL;
  g_autofree char *why = NULL;
  const char *dynamic;

  if (!_nebula_schema_locate (self->self, node->resource, reference, self->remotes,
                              &found, &name) ||
      !_nebula_schema_is_schema (found.value)) {
    why = g_strdup_printf (_ ("there is no schema “%s”; add it to the registry or "
                              "correct the reference"),
                           reference);
    report (self, node, check->keyword->name, why);
    g_free (found.pointer);
    return;
  }
  check->node = get_node (self, found.resource, found.pointer, found.value);
  if (check->keyword->name[1] == 'd' && name) {
    dynamic = g_hash_table_lookup (found.resource->dynamic, name);
    if (dynamic && strcmp (dynamic, found.pointer) == 0) {
      check->dynamic = g_intern_string (name);
      g_hash_table_add (self->self->dynamics, (gpointer) check->dynamic);
    }
  }
  g_free (found.pointer);
}

static void
compile_texts_map (NebulaSchemaCheck *check)
{
  gsize n = nebula_value_get_length (check->value);

  check->members = g_new0 (NebulaSchemaMember, n);
  check->n_members = (guint) n;
  for (gsize i = 0; i < n; i++) {
    check->members[i].key =
        nebula_value_get_key (check->value, i, &check->members[i].length);
    check->members[i].names = nebula_value_get_member_at (check->value, i);
  }
}

static gint64
count_types (NebulaValue *value)
{
  static const char *const names[] = {"null",   "boolean", "integer", "number",
                                      "string", "array",   "object"};
  gboolean is_list = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY;
  gsize n = is_list ? nebula_value_get_length (value) : 1;
  gint64 mask = 0;

  for (gsize i = 0; i < n; i++) {
    const char *name =
        nebula_value_get_string (is_list ? nebula_value_get_item (value, i) : value);

    for (guint t = 0; t < G_N_ELEMENTS (names); t++)
      if (strcmp (names[t], name) == 0)
        mask |= 1 << t;
  }
  return mask;
}

static void
compile_check (Compiler *self, NebulaSchemaNode *node, NebulaSchemaCheck *check)
{
  const NebulaSchemaKeyword *keyword = check->keyword;

  if (keyword->shape == NEBULA_SCHEMA_SHAPE_TYPES)
    check->count = count_types (check->value);
  else if (keyword->shape == NEBULA_SCHEMA_SHAPE_COUNT)
    check->count =
        (gint64) MIN (nebula_value_get_float (check->value), (double) G_MAXINT32 * 2);
  else if (keyword->shape == NEBULA_SCHEMA_SHAPE_PATTERN)
    check->regex = compile_pattern (self, node, keyword->name,
                                    nebula_value_get_string (check->value),
                                    nebula_value_get_string_length (check->value));
  else if (keyword->shape == NEBULA_SCHEMA_SHAPE_TEXTS_MAP)
    compile_texts_map (check);
  else if (keyword->shape >= NEBULA_SCHEMA_SHAPE_SCHEMA)
    compile_inner (self, node, check);
  else if (keyword->rule == _nebula_schema_rule_ref)
    compile_reference (self, node, check);
  if (keyword->stage == NEBULA_SCHEMA_STAGE_UNEVALUATED)
    node->tracks = TRUE;
}

static void
report_unknown (Compiler *self, NebulaSchemaNode *node, const char *key)
{
  g_autofree char *why = NULL;

  if (!(self->self->flags & NEBULA_JSON_SCHEMA_FLAGS_STRICT))
    return;
  why = g_strdup_printf (_ ("there is no keyword “%s”; correct it or remove it"), key);
  report (self, node, key, why);
}

/* Formats that are to be checked and unknown ones that are not allowed: then it must be a known one. */
static void
check_format (Compiler *self, NebulaSchemaNode *node, NebulaValue *value)
{
  const NebulaJsonSchemaFlags both =
      NEBULA_JSON_SCHEMA_FLAGS_STRICT | NEBULA_JSON_SCHEMA_FLAGS_FORMATS;
  g_autofree char *why = NULL;

  if ((self->self->flags & both) != both ||
      _nebula_schema_has_format (nebula_value_get_string (value)))
    return;
  why = g_strdup_printf (_ ("there is no format “%s”; correct it or remove it"),
                         nebula_value_get_string (value));
  report (self, node, "format", why);
}

/* Whether the vocabularies in force know the keyword. */
static gboolean
is_in_force (const NebulaSchemaNode *node, const NebulaSchemaKeyword *keyword)
{
  return !node->resource->lacks_validation ||
         !(keyword->flags & NEBULA_SCHEMA_IS_VALIDATION);
}

static void
read_keyword (Compiler *self, NebulaSchemaNode *node, const char *key, NebulaValue *value)
{
  const NebulaSchemaKeyword *keyword =
      _nebula_schema_find_keyword (key, node->resource->draft);
  NebulaSchemaCheck check = {.keyword = keyword, .value = value};
  g_autofree char *why = NULL;

  if (!keyword) {
    report_unknown (self, node, key);
    return;
  }
  if (!_nebula_schema_has_shape (keyword->shape, value)) {
    why =
        g_strdup_printf (_ ("“%s” of this schema has a value that it cannot have"), key);
    report (self, node, key, why);
    return;
  }
  if (strcmp (key, "format") == 0)
    check_format (self, node, value);
  if (strcmp (key, "default") == 0)
    node->fallback = value;
  if (is_in_force (node, keyword)) {
    compile_check (self, node, &check);
    g_array_append_val (node->checks, check);
  }
}

static gint
compare_stages (gconstpointer a, gconstpointer b)
{
  const NebulaSchemaCheck *first = a, *second = b;

  return (gint) first->keyword->stage - (gint) second->keyword->stage;
}

static void
read_node (Compiler *self, NebulaSchemaNode *node)
{
  NebulaValue *reference = NULL;

  if (nebula_value_get_kind (node->source) == NEBULA_VALUE_KIND_BOOLEAN) {
    node->refuses = !nebula_value_get_boolean (node->source);
    return;
  }
  /* Beside a reference draft 7 reads nothing. */
  if (node->resource->draft == NEBULA_JSON_SCHEMA_DRAFT_7)
    reference = nebula_value_get_member (node->source, "$ref");
  if (reference && nebula_value_get_kind (reference) == NEBULA_VALUE_KIND_STRING) {
    read_keyword (self, node, "$ref", reference);
    return;
  }
  for (gsize i = 0; i < nebula_value_get_length (node->source); i++)
    read_keyword (self, node, nebula_value_get_key (node->source, i, NULL),
                  nebula_value_get_member_at (node->source, i));
  g_array_sort (node->checks, compare_stages);
}

/* Makes the nodes that @resource offers to dynamic references. */
static void
add_targets (Compiler *self, NebulaSchemaResource *resource)
{
  GHashTableIter iter;
  gpointer name;

  if (!resource->targets)
    resource->targets = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_iter_init (&iter, self->self->dynamics);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autofree char *reference = g_strconcat ("#", name, NULL);
    g_autofree char *found_name = NULL;
    NebulaSchemaLocation found;

    if (g_hash_table_contains (resource->targets, name) ||
        !g_hash_table_contains (resource->dynamic, name) ||
        !_nebula_schema_locate (self->self, resource, reference, NULL, &found,
                                &found_name))
      continue;
    g_hash_table_insert (resource->targets, name,
                         get_node (self, found.resource, found.pointer, found.value));
    g_free (found.pointer);
  }
}

static gboolean
drain (Compiler *self)
{
  NebulaSchemaNode *node;

  while ((node = g_queue_pop_head (&self->queue)) != NULL) {
    read_node (self, node);
    if (g_hash_table_size (self->self->nodes) <= NEBULA_LIMIT_SCHEMA_NODES)
      continue;
    report (self, node, NULL, _ ("the schema has too many parts"));
    return FALSE;
  }
  return TRUE;
}

static void
compile (Compiler *self, NebulaSchemaResource *root)
{
  self->self->root = get_node (self, root, "", root->root);
  while (drain (self)) {
    for (guint i = 0; i < self->self->resources->len; i++)
      add_targets (self, g_ptr_array_index (self->self->resources, i));
    if (g_queue_is_empty (&self->queue))
      return;
  }
}

static gboolean
check_document (NebulaValue *document, GPtrArray *violations)
{
  const char *why = NULL;

  if (!_nebula_schema_is_schema (document))
    why = _ ("a schema is an object, true or false");
  else if (nebula_value_get_depth (document) > NEBULA_LIMIT_DEPTH)
    why = _ ("the schema is nested too deep");
  if (why)
    g_ptr_array_add (violations, nebula_violation_new ("", "schema", NULL, why));
  return why == NULL;
}

/* The schema, or NULL with what is wrong in @violations. */
NebulaJsonSchema *
_nebula_schema_compile (NebulaValue *document,
                        NebulaJsonSchemaDraft draft,
                        NebulaJsonSchemaFlags flags,
                        NebulaValue *remotes,
                        GPtrArray *violations)
{
  g_autoptr (NebulaJsonSchema) self = NULL;
  Compiler compiler = {.remotes = remotes, .violations = violations};

  if (!check_document (document, violations) ||
      (remotes && nebula_value_get_depth (remotes) > NEBULA_LIMIT_DEPTH + 1))
    return NULL;
  self = g_new0 (NebulaJsonSchema, 1);
  g_atomic_ref_count_init (&self->references);
  self->flags = flags;
  self->resources =
      g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_schema_resource_free);
  self->uris = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->nodes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, node_free);
  self->dynamics = g_hash_table_new (g_str_hash, g_str_equal);
  compiler.self = self;
  g_queue_init (&compiler.queue);
  compile (&compiler, _nebula_schema_add_document (self, "", document, draft, remotes));
  g_queue_clear (&compiler.queue);
  return violations->len == 0 ? g_steal_pointer (&self) : NULL;
}

const NebulaSchemaCheck *
_nebula_schema_find_check (const NebulaSchemaNode *node, const char *keyword)
{
  for (guint i = 0; i < node->checks->len; i++) {
    const NebulaSchemaCheck *check = &g_array_index (node->checks, NebulaSchemaCheck, i);

    if (strcmp (check->keyword->name, keyword) == 0)
      return check;
  }
  return NULL;
}
