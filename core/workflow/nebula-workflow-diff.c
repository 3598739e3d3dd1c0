/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What differs between two workflows, by meaning: nodes, connections, parameters, settings; not text. Both definitions are
 * brought into their canonical form and walked along the schema. A connection is one thing whether it stands among the
 * connections or as `after` of a node; what is for people only (drawing, titles, notes) is told apart from what runs.
 */

#include "nebula-schema-private.h"

typedef struct {
  const char *change; /* added, removed, changed, moved */
  const char *what;   /* node, parameter, connection, setting, workflow, order, comment */
  char *node;         /* NULL: the workflow itself */
  char *id;           /* of a node that came or went */
  char *from;         /* where a node was before it moved */
  char *path;         /* JSON pointer */
  NebulaValue *before;
  NebulaValue *after;
} Change;

/* Where the walk is. */
typedef struct {
  GPtrArray *changes;
  const char *node; /* a.b: the node at hand; NULL: the workflow */
  const char *what; /* of what is found here */
  const NebulaPath *path;
} Place;

static void
change_free (gpointer data)
{
  Change *self = data;

  g_free (self->node);
  g_free (self->id);
  g_free (self->from);
  g_free (self->path);
  g_clear_pointer (&self->before, nebula_value_unref);
  g_clear_pointer (&self->after, nebula_value_unref);
  g_free (self);
}

static gboolean
is_same (NebulaValue *before, NebulaValue *after)
{
  return before == after || (before && after && nebula_value_equal (before, after));
}

static Change *
add (const Place *place, const char *what, NebulaValue *before, NebulaValue *after)
{
  Change *change = g_new0 (Change, 1);

  change->change = !before ? "added" : !after ? "removed" : "changed";
  change->what = what;
  change->node = g_strdup (place->node);
  change->path = _nebula_path_to_pointer (place->path);
  change->before = before ? nebula_value_ref (before) : NULL;
  change->after = after ? nebula_value_ref (after) : NULL;
  g_ptr_array_add (place->changes, change);
  return change;
}

static NebulaValue *
get (NebulaValue *object, const char *key)
{
  return object && nebula_value_get_kind (object) == NEBULA_VALUE_KIND_OBJECT
             ? nebula_value_get_member (object, key)
             : NULL;
}

static gsize
count (NebulaValue *value)
{
  NebulaValueKind kind = value ? nebula_value_get_kind (value) : NEBULA_VALUE_KIND_NULL;

  return kind == NEBULA_VALUE_KIND_OBJECT || kind == NEBULA_VALUE_KIND_ARRAY
             ? nebula_value_get_length (value)
             : 0;
}

typedef void (*Compare) (const Place *place,
                         const NebulaSchemaShape *shape,
                         NebulaValue *before,
                         NebulaValue *after);

static void diff_shape (const Place *place,
                        const NebulaSchemaShape *shape,
                        NebulaValue *before,
                        NebulaValue *after);

static void
diff_value (const Place *place,
            const NebulaSchemaShape *shape,
            NebulaValue *before,
            NebulaValue *after)
{
  if (!is_same (before, after))
    add (place, place->what, before, after);
}

/* All keys of two objects, those of the first one first. */
static void
diff_members (const Place *place,
              const NebulaSchemaShape *shape,
              NebulaValue *before,
              NebulaValue *after,
              Compare compare)
{
  for (gsize i = 0; i < count (before) + count (after); i++) {
    gboolean is_old = i < count (before);
    const char *key = is_old ? nebula_value_get_key (before, i, NULL)
                             : nebula_value_get_key (after, i - count (before), NULL);
    NebulaPath path = {place->path, key, 0};
    Place inner = *place;

    if (!is_old && get (before, key))
      continue;
    inner.path = &path;
    compare (&inner, shape, get (before, key), get (after, key));
  }
}

static void
diff_entry (const Place *place,
            const NebulaSchemaShape *shape,
            NebulaValue *before,
            NebulaValue *after)
{
  if (before && after)
    diff_shape (place, shape, before, after);
  else
    diff_value (place, shape, before, after);
}

static void
diff_node (const Place *place,
           const NebulaSchemaShape *shape,
           NebulaValue *before,
           NebulaValue *after)
{
  const char *id = place->path->key;
  g_autofree char *node =
      place->node ? g_strconcat (place->node, ".", id, NULL) : g_strdup (id);
  Place inner = *place;

  inner.node = node;
  inner.what = "setting";
  if (before && after)
    diff_shape (&inner, shape, before, after);
  else
    add (&inner, "node", before, after)->id = g_strdup (id);
}

static NebulaValue *
list_common (NebulaValue *nodes, NebulaValue *others)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (gsize i = 0; i < count (nodes); i++) {
    const char *id = nebula_value_get_key (nodes, i, NULL);

    if (get (others, id))
      nebula_value_builder_add_take (builder, nebula_value_new_string (id));
  }
  return nebula_value_builder_end (builder);
}

/* The order of nodes decides what begins first when several may, so it counts. */
static void
diff_nodes (const Place *place,
            const NebulaSchemaShape *shape,
            NebulaValue *before,
            NebulaValue *after)
{
  g_autoptr (NebulaValue) old = list_common (before, after);
  g_autoptr (NebulaValue) now = list_common (after, before);

  diff_members (place, shape, before, after, diff_node);
  if (!nebula_value_equal (old, now))
    add (place, "order", old, now);
}

static void
take_connection (GHashTable *found, NebulaConnection *connection, NebulaValue *value)
{
  char *key = g_strdup_printf ("%s%s%s -> %s", connection->from,
                               connection->port ? "." : "",
                               connection->port ? connection->port : "", connection->to);
  gboolean is_plain = !connection->when && !connection->loop;

  g_hash_table_insert (found, key,
                       is_plain ? nebula_value_new_string (key)
                                : nebula_value_ref (value));
}

static void
take_after (GHashTable *found, const char *id, NebulaValue *node)
{
  NebulaValue *after = get (node, "after");

  for (gsize i = 0; i < count (after); i++) {
    NebulaValue *item = nebula_value_get_item (after, i);
    const char *text = nebula_value_get_kind (item) == NEBULA_VALUE_KIND_STRING
                           ? nebula_value_get_string (item)
                           : "";
    char *key = g_strdup_printf ("%s -> %s", text, id);

    g_hash_table_insert (found, key, nebula_value_new_string (key));
  }
}

/* Text → connection, of a workflow or a body. */
static GHashTable *
collect_connections (NebulaValue *body)
{
  GHashTable *found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                             (GDestroyNotify) nebula_value_unref);
  NebulaValue *connections = get (body, "connections");
  NebulaValue *nodes = get (body, "nodes");

  for (gsize i = 0; i < count (connections); i++) {
    NebulaValue *value = nebula_value_get_item (connections, i);
    g_auto (NebulaConnection) connection = {0};

    if (_nebula_connection_parse (value, &connection))
      take_connection (found, &connection, value);
  }
  for (gsize i = 0; i < count (nodes); i++)
    take_after (found, nebula_value_get_key (nodes, i, NULL),
                nebula_value_get_member_at (nodes, i));
  return found;
}

static void
add_keys (GPtrArray *keys, GHashTable *table, GHashTable *known)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!known || !g_hash_table_contains (known, key))
      g_ptr_array_add (keys, key);
}

static gint
compare_texts (gconstpointer first, gconstpointer second)
{
  return g_strcmp0 (*(const char *const *) first, *(const char *const *) second);
}

static void
diff_connections (const Place *place, NebulaValue *before, NebulaValue *after)
{
  g_autoptr (GHashTable) old = collect_connections (before);
  g_autoptr (GHashTable) now = collect_connections (after);
  g_autoptr (GPtrArray) keys = g_ptr_array_new ();
  NebulaPath path = {place->path, "connections", 0};
  Place inner = *place;

  inner.path = &path;
  add_keys (keys, old, NULL);
  add_keys (keys, now, old);
  g_ptr_array_sort (keys, compare_texts);
  for (guint i = 0; i < keys->len; i++) {
    NebulaValue *first = g_hash_table_lookup (old, keys->pdata[i]);
    NebulaValue *second = g_hash_table_lookup (now, keys->pdata[i]);

    if (!is_same (first, second))
      add (&inner, "connection", first, second);
  }
}

static const char *
tell_what (const Place *place, const NebulaField *field)
{
  if (field->flags & NEBULA_FIELD_FLAGS_COMMENT)
    return "comment";
  if (g_str_equal (field->name, "with"))
    return "parameter";
  return g_str_equal (field->name, "settings") ? "setting" : place->what;
}

static void
diff_field (const Place *outer,
            const NebulaField *field,
            NebulaValue *before,
            NebulaValue *after)
{
  NebulaPath path = {outer->path, field->name, 0};
  Place place = *outer;

  place.path = &path;
  place.what = tell_what (outer, field);
  if (field->flags & NEBULA_FIELD_FLAGS_COMMENT)
    diff_value (&place, NULL, before, after);
  else if (field->kind == NEBULA_FIELD_NODES)
    diff_nodes (&place, field->shape, before, after);
  else if (field->kind == NEBULA_FIELD_MAP)
    diff_members (&place, field->shape, before, after, diff_entry);
  else if (field->kind == NEBULA_FIELD_SHAPE)
    diff_shape (&place, field->shape, before, after);
  else if (field->kind == NEBULA_FIELD_OBJECT && !g_str_equal (field->name, "input"))
    diff_members (&place, NULL, before, after, diff_value);
  else
    diff_value (&place, NULL, before, after);
}

/* What stands in `connections` and `after` is compared together. */
static gboolean
is_connection (const NebulaSchemaShape *shape, const NebulaField *field)
{
  return field->kind == NEBULA_FIELD_CONNECTIONS || g_str_equal (field->name, "after");
}

static void
diff_shape (const Place *place,
            const NebulaSchemaShape *shape,
            NebulaValue *before,
            NebulaValue *after)
{
  for (gsize i = 0; i < shape->n_fields; i++) {
    const NebulaField *field = &shape->fields[i];

    if (field->kind == NEBULA_FIELD_CONNECTIONS)
      diff_connections (place, before, after);
    if (!is_connection (shape, field))
      diff_field (place, field, get (before, field->name), get (after, field->name));
  }
}

/* A node that went at one place and came at another one has moved. */
static void
join_moves (GPtrArray *changes)
{
  g_autoptr (GHashTable) gone = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < changes->len; i++) {
    Change *change = changes->pdata[i];

    if (change->id && !change->after)
      g_hash_table_insert (gone, change->id, change);
  }
  for (guint i = 0; i < changes->len; i++) {
    Change *change = changes->pdata[i];
    Change *former = change->id && !change->before
                         ? g_hash_table_lookup (gone, change->id)
                         : NULL;

    if (!former || former->from)
      continue;
    change->change = "moved";
    change->from = g_strdup (former->node);
    change->before = nebula_value_ref (former->before);
    former->from = g_strdup (change->node); /* told already */
  }
}

static NebulaValue *
describe (const Change *change)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gboolean is_move = g_str_equal (change->change, "moved");

  nebula_value_builder_set_string (builder, "change", change->change);
  nebula_value_builder_set_string (builder, "what", change->what);
  if (change->node)
    nebula_value_builder_set_string (builder, "node", change->node);
  if (is_move)
    nebula_value_builder_set_string (builder, "from", change->from);
  nebula_value_builder_set_string (builder, "path", change->path);
  if (change->before && !(is_move && nebula_value_equal (change->before, change->after)))
    nebula_value_builder_set (builder, "before", change->before);
  if (change->after && !(is_move && nebula_value_equal (change->before, change->after)))
    nebula_value_builder_set (builder, "after", change->after);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
describe_all (GPtrArray *changes)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; i < changes->len; i++) {
    const Change *change = changes->pdata[i];

    if (change->after || !change->from)
      nebula_value_builder_add_take (builder, describe (change));
  }
  return nebula_value_builder_end (builder);
}

NebulaValue *
nebula_workflow_make_canonical (NebulaWorkflow *self)
{
  return _nebula_schema_order (nebula_workflow_get_definition (self));
}

/**
 * nebula_workflow_diff:
 * @before: a workflow
 * @after: another one
 *
 * Tells what differs between two workflows by meaning, not by text.
 *
 * Each change is an object {change, what, node?, from?, path, before?, after?}. `change` is `added`, `removed`, `changed` or
 * `moved` (a node that stands in another body; `from` tells where it stood); `what` is `node`, `parameter`, `connection`,
 * `setting`, `order` (of nodes), `workflow` (what is left of it), or `comment`: drawing, titles, notes and the like, which
 * change nothing. `node` is written as `each.price`, `path` is a JSON pointer.
 *
 * Returns: (transfer full): `{same, before, after, changes}`: whether both run alike, the hashes of their structure, and the
 *   changes
 *
 * Since: 1.0
 */
NebulaValue *
nebula_workflow_diff (NebulaWorkflow *before, NebulaWorkflow *after)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) old = NULL;
  g_autoptr (NebulaValue) now = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func (change_free);
  Place place = {changes, NULL, "workflow", NULL};

  g_return_val_if_fail (NEBULA_IS_WORKFLOW (before), NULL);
  g_return_val_if_fail (NEBULA_IS_WORKFLOW (after), NULL);

  old = _nebula_schema_order (nebula_workflow_get_definition (before));
  now = _nebula_schema_order (nebula_workflow_get_definition (after));
  first = _nebula_schema_hash (old);
  second = _nebula_schema_hash (now);
  diff_shape (&place, &_nebula_schema_shape_workflow, old, now);
  join_moves (changes);
  nebula_value_builder_set_boolean (builder, "same", g_str_equal (first, second));
  nebula_value_builder_set_string (builder, "before", first);
  nebula_value_builder_set_string (builder, "after", second);
  nebula_value_builder_set_take (builder, "changes", describe_all (changes));
  return nebula_value_builder_end (builder);
}
