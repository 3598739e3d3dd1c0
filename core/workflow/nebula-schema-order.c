/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The canonical form of a definition and its hash.
 *
 * Canonical: keys in the order of the schema's tables, what equals its default left out, plain connections as text.
 * Nodes and the user's own keys stay in the order in which they were written.
 *
 * Hashed are the bytes of the canonical form as compact JSON, without comments (description, layout, notes, …), and with
 * the user's own keys in byte order, so that neither moving a node in a drawing nor sorting a `with` changes the hash.
 */
#include <string.h>

#include "nebula-json.h"
#include "nebula-schema-private.h"

#define CHUNK_BYTES 65536

static NebulaValue *order_shape (const NebulaSchemaShape *shape, NebulaValue *value);

static NebulaValue *
order_connection (const NebulaSchemaShape *shape, NebulaValue *value)
{
  g_auto (NebulaConnection) connection = { 0 };
  g_autoptr (NebulaValue) as_text = NULL;
  g_autofree char *text = NULL;

  if (!_nebula_connection_parse (value, &connection) || connection.when || connection.loop
      || (connection.port && strstr (connection.port, "->")))
    return order_shape (shape, value);

  text = g_strdup_printf ("%s%s%s -> %s",
                          connection.from,
                          connection.port ? "." : "",
                          connection.port ? connection.port : "",
                          connection.to);
  as_text = nebula_value_new_string (text);
  return nebula_value_equal (as_text, value) ? nebula_value_ref (value)
                                             : g_steal_pointer (&as_text);
}

static NebulaValue *
order_connections (const NebulaSchemaShape *shape, NebulaValue *value)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return nebula_value_ref (value);
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *item = nebula_value_get_item (value, i);
    g_autoptr (NebulaValue) ordered = order_connection (shape, item);

    if (!builder && ordered != item) {
      builder = nebula_value_builder_new_array ();
      for (gsize k = 0; k < i; k++)
        nebula_value_builder_add (builder, nebula_value_get_item (value, k));
    }
    if (builder)
      nebula_value_builder_add (builder, ordered);
  }
  return builder ? nebula_value_builder_end (builder) : nebula_value_ref (value);
}

static void
copy_member (NebulaValueBuilder *builder, NebulaValue *object, gsize index, NebulaValue *member)
{
  gsize length;
  const char *key = nebula_value_get_key (object, index, &length);

  nebula_value_builder_set_length_take (builder, key, length, nebula_value_ref (member));
}

static NebulaValue *
order_map (const NebulaSchemaShape *shape, NebulaValue *value)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_ref (value);
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *member = nebula_value_get_member_at (value, i);
    g_autoptr (NebulaValue) ordered = order_shape (shape, member);

    if (!builder && ordered != member) {
      builder = nebula_value_builder_new_object ();
      for (gsize k = 0; k < i; k++)
        copy_member (builder, value, k, nebula_value_get_member_at (value, k));
    }
    if (builder)
      copy_member (builder, value, i, ordered);
  }
  return builder ? nebula_value_builder_end (builder) : nebula_value_ref (value);
}

static NebulaValue *
order_field (const NebulaField *field, NebulaValue *value)
{
  switch (field->kind) {
  case NEBULA_FIELD_SHAPE:
  case NEBULA_FIELD_CHOICE_OR_SHAPE:
    return order_shape (field->shape, value);
  case NEBULA_FIELD_MAP:
  case NEBULA_FIELD_NODES:
    return order_map (field->shape, value);
  case NEBULA_FIELD_CONNECTIONS:
    return order_connections (field->shape, value);
  case NEBULA_FIELD_ANY:
  case NEBULA_FIELD_TEXT:
  case NEBULA_FIELD_TEXTS:
  case NEBULA_FIELD_BOOLEAN:
  case NEBULA_FIELD_INTEGER:
  case NEBULA_FIELD_INTEGER_OR_TEMPLATE:
  case NEBULA_FIELD_NUMBER:
  case NEBULA_FIELD_OBJECT:
  case NEBULA_FIELD_CHOICE:
  case NEBULA_FIELD_DURATION:
  default:
    return nebula_value_ref (value);
  }
}

static gboolean
is_default (const NebulaField *field, NebulaValue *value)
{
  g_autoptr (NebulaValue) fallback = NULL;

  if (!field->fallback)
    return FALSE;
  fallback = nebula_value_parse_json (field->fallback, -1, NEBULA_JSON_FLAGS_NONE, NULL);
  return fallback && nebula_value_equal (fallback, value);
}

/* Builds what is written: the ordered members, then keys that the schema does not know; those are there only while
 * mistakes are being listed. */
static NebulaValue *
build_shape (const NebulaSchemaShape *shape, NebulaValue *value, NebulaValue *const *ordered)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (gsize i = 0; i < shape->n_fields; i++)
    if (ordered[i])
      nebula_value_builder_set (builder, shape->fields[i].name, ordered[i]);
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);

    if (!_nebula_schema_shape_find (shape, key, length))
      copy_member (builder, value, i, nebula_value_get_member_at (value, i));
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
order_shape (const NebulaSchemaShape *shape, NebulaValue *value)
{
  NebulaValue *ordered[NEBULA_SCHEMA_MAX_FIELDS] = { NULL };
  NebulaValue *whole;
  gboolean changed = FALSE;
  gsize n_kept = 0;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_ref (value);

  for (gsize i = 0; i < shape->n_fields; i++) {
    const NebulaField *field = &shape->fields[i];
    NebulaValue *member = nebula_value_get_member (value, field->name);

    if (!member)
      continue;
    ordered[i] = order_field (field, member);
    if (is_default (field, ordered[i])) {
      g_clear_pointer (&ordered[i], nebula_value_unref);
      changed = TRUE;
      continue;
    }
    changed = changed || ordered[i] != member
              || strcmp (nebula_value_get_key (value, n_kept, NULL), field->name) != 0;
    n_kept++;
  }
  whole = changed ? build_shape (shape, value, ordered) : nebula_value_ref (value);
  for (gsize i = 0; i < shape->n_fields; i++)
    g_clear_pointer (&ordered[i], nebula_value_unref);
  return whole;
}

NebulaValue *
_nebula_schema_order (NebulaValue *definition)
{
  g_autoptr (NebulaValue) format = NULL;
  g_autoptr (NebulaValue) whole = NULL;

  if (nebula_value_get_kind (definition) != NEBULA_VALUE_KIND_OBJECT
      || nebula_value_has_member (definition, "nebula"))
    return order_shape (&_nebula_schema_shape_workflow, definition);

  format = nebula_value_new_integer (1);
  whole = nebula_value_with_member (definition, "nebula", format);
  return order_shape (&_nebula_schema_shape_workflow, whole);
}

typedef struct
{
  GChecksum *checksum;
  GString *text;
} NebulaHasher;

static void hash_shape (NebulaHasher *hasher, const NebulaSchemaShape *shape, NebulaValue *value);

static void
flush (NebulaHasher *hasher, gsize above)
{
  if (hasher->text->len <= above)
    return;
  g_checksum_update (hasher->checksum,
                     (const guchar *) hasher->text->str,
                     (gssize) hasher->text->len);
  g_string_truncate (hasher->text, 0);
}

static void
hash_key (NebulaHasher *hasher, const char *key, gsize length)
{
  g_autoptr (NebulaValue) name = nebula_value_new_string_length (key, length);

  nebula_value_append_json (name, NEBULA_JSON_FLAGS_NONE, hasher->text);
  g_string_append_c (hasher->text, ':');
}

static gint
compare_keys (gconstpointer first, gconstpointer second, gpointer user_data)
{
  NebulaValue *object = user_data;
  gsize length_a;
  gsize length_b;
  const char *a = nebula_value_get_key (object, *(const gsize *) first, &length_a);
  const char *b = nebula_value_get_key (object, *(const gsize *) second, &length_b);
  int order = memcmp (a, b, MIN (length_a, length_b));

  if (order != 0)
    return order;
  return length_a < length_b ? -1 : length_a > length_b;
}

static gsize *
sort_keys (NebulaValue *object)
{
  gsize n = nebula_value_get_length (object);
  gsize *indices = g_new (gsize, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    indices[i] = i;
  g_qsort_with_data (indices, (gint) n, sizeof *indices, compare_keys, object);
  return indices;
}

static void hash_free_value (NebulaHasher *hasher, NebulaValue *value);

/* Members in byte order of their keys; @shape is what they hold, or NULL for anything. */
static void
hash_sorted (NebulaHasher *hasher, const NebulaSchemaShape *shape, NebulaValue *value)
{
  g_autofree gsize *order = sort_keys (value);

  g_string_append_c (hasher->text, '{');
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *member = nebula_value_get_member_at (value, order[i]);
    gsize length;
    const char *key = nebula_value_get_key (value, order[i], &length);

    hash_key (hasher, key, length);
    if (shape)
      hash_shape (hasher, shape, member);
    else
      hash_free_value (hasher, member);
    g_string_append_c (hasher->text, ',');
  }
  g_string_append_c (hasher->text, '}');
}

static void
hash_free_value (NebulaHasher *hasher, NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_OBJECT) {
    hash_sorted (hasher, NULL, value);
  } else if (kind == NEBULA_VALUE_KIND_ARRAY) {
    g_string_append_c (hasher->text, '[');
    for (gsize i = 0; i < nebula_value_get_length (value); i++) {
      hash_free_value (hasher, nebula_value_get_item (value, i));
      g_string_append_c (hasher->text, ',');
    }
    g_string_append_c (hasher->text, ']');
  } else {
    if (kind > NEBULA_VALUE_KIND_STRING)
      g_string_append (hasher->text, nebula_value_kind_to_string (kind));
    nebula_value_append_json (value, NEBULA_JSON_FLAGS_NONE, hasher->text);
  }
  flush (hasher, CHUNK_BYTES);
}

static void
hash_nodes (NebulaHasher *hasher, const NebulaSchemaShape *shape, NebulaValue *value)
{
  g_string_append_c (hasher->text, '{');
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);

    hash_key (hasher, key, length);
    hash_shape (hasher, shape, nebula_value_get_member_at (value, i));
    g_string_append_c (hasher->text, ',');
  }
  g_string_append_c (hasher->text, '}');
}

static void
hash_shape (NebulaHasher *hasher, const NebulaSchemaShape *shape, NebulaValue *value)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT) {
    hash_free_value (hasher, value);
    return;
  }

  g_string_append_c (hasher->text, '{');
  for (gsize i = 0; i < shape->n_fields; i++) {
    const NebulaField *field = &shape->fields[i];
    NebulaValue *member = nebula_value_get_member (value, field->name);
    gboolean is_object;

    if (!member || (field->flags & NEBULA_FIELD_FLAGS_COMMENT))
      continue;
    is_object = nebula_value_get_kind (member) == NEBULA_VALUE_KIND_OBJECT;
    hash_key (hasher, field->name, strlen (field->name));
    if (field->kind == NEBULA_FIELD_SHAPE)
      hash_shape (hasher, field->shape, member);
    else if (field->kind == NEBULA_FIELD_NODES && is_object)
      hash_nodes (hasher, field->shape, member);
    else if (field->kind == NEBULA_FIELD_MAP && is_object)
      hash_sorted (hasher, field->shape, member);
    else
      hash_free_value (hasher, member);
    g_string_append_c (hasher->text, ',');
  }
  g_string_append_c (hasher->text, '}');
  flush (hasher, CHUNK_BYTES);
}

char *
_nebula_schema_hash (NebulaValue *definition)
{
  g_autoptr (NebulaValue) ordered = _nebula_schema_order (definition);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GString) text = g_string_sized_new (CHUNK_BYTES + 4096);
  NebulaHasher hasher = { checksum, text };

  hash_shape (&hasher, &_nebula_schema_shape_workflow, ordered);
  flush (&hasher, 0);
  return g_strdup (g_checksum_get_string (checksum));
}
