/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "nebula-json-schema-private.h"

static gboolean
is_text (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING;
}

gboolean
_nebula_schema_is_schema (NebulaValue *value)
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  return kind == NEBULA_VALUE_KIND_OBJECT || kind == NEBULA_VALUE_KIND_BOOLEAN;
}

static gboolean
is_type_name (NebulaValue *value)
{
  static const char *const names[] = {"null",   "boolean", "integer", "number",
                                      "string", "array",   "object",  NULL};

  return is_text (value) && g_strv_contains (names, nebula_value_get_string (value));
}

static gboolean
are_all (NebulaValue *value, gboolean (*is_one) (NebulaValue *))
{
  NebulaValueKind kind = nebula_value_get_kind (value);

  if (kind == NEBULA_VALUE_KIND_ARRAY) {
    for (gsize i = 0; i < nebula_value_get_length (value); i++)
      if (!is_one (nebula_value_get_item (value, i)))
        return FALSE;
    return TRUE;
  }
  if (kind != NEBULA_VALUE_KIND_OBJECT)
    return FALSE;
  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!is_one (nebula_value_get_member_at (value, i)))
      return FALSE;
  return TRUE;
}

static gboolean
are_texts (NebulaValue *value)
{
  return nebula_value_get_kind (value) == NEBULA_VALUE_KIND_ARRAY &&
         are_all (value, is_text);
}

static gboolean
is_dependency (NebulaValue *value)
{
  return are_texts (value) || _nebula_schema_is_schema (value);
}

static gboolean
is_kind (NebulaValue *value, NebulaValueKind kind)
{
  return nebula_value_get_kind (value) == kind;
}

static gboolean
is_filled_list (NebulaValue *value, gboolean (*is_one) (NebulaValue *))
{
  return is_kind (value, NEBULA_VALUE_KIND_ARRAY) &&
         nebula_value_get_length (value) > 0 && are_all (value, is_one);
}

static gboolean
is_count (NebulaValue *value)
{
  return nebula_value_is_number (value) && _nebula_number_is_whole (value) &&
         nebula_value_get_float (value) >= 0;
}

static gboolean
has_shape_of_schemas (NebulaSchemaShape shape, NebulaValue *value)
{
  gboolean is_object = is_kind (value, NEBULA_VALUE_KIND_OBJECT);

  switch ((guint) shape) {
  case NEBULA_SCHEMA_SHAPE_SCHEMA:
    return _nebula_schema_is_schema (value);
  case NEBULA_SCHEMA_SHAPE_SCHEMAS:
    return is_filled_list (value, _nebula_schema_is_schema);
  case NEBULA_SCHEMA_SHAPE_ITEMS:
    return _nebula_schema_is_schema (value) ||
           (is_kind (value, NEBULA_VALUE_KIND_ARRAY) &&
            are_all (value, _nebula_schema_is_schema));
  case NEBULA_SCHEMA_SHAPE_DEPENDENCIES:
    return is_object && are_all (value, is_dependency);
  default: /* SCHEMA_MAP, PATTERN_MAP */
    return is_object && are_all (value, _nebula_schema_is_schema);
  }
}

gboolean
_nebula_schema_has_shape (NebulaSchemaShape shape, NebulaValue *value)
{
  switch ((guint) shape) {
  case NEBULA_SCHEMA_SHAPE_ANY:
    return TRUE;
  case NEBULA_SCHEMA_SHAPE_BOOLEAN:
    return is_kind (value, NEBULA_VALUE_KIND_BOOLEAN);
  case NEBULA_SCHEMA_SHAPE_TEXT:
  case NEBULA_SCHEMA_SHAPE_PATTERN:
    return is_text (value);
  case NEBULA_SCHEMA_SHAPE_OBJECT:
    return is_kind (value, NEBULA_VALUE_KIND_OBJECT);
  case NEBULA_SCHEMA_SHAPE_ARRAY:
    return is_kind (value, NEBULA_VALUE_KIND_ARRAY);
  case NEBULA_SCHEMA_SHAPE_TYPES:
    return is_type_name (value) || is_filled_list (value, is_type_name);
  case NEBULA_SCHEMA_SHAPE_TEXTS:
    return are_texts (value);
  case NEBULA_SCHEMA_SHAPE_COUNT:
    return is_count (value);
  case NEBULA_SCHEMA_SHAPE_NUMBER:
    return nebula_value_is_number (value);
  case NEBULA_SCHEMA_SHAPE_POSITIVE:
    return nebula_value_is_number (value) && nebula_value_get_float (value) > 0;
  case NEBULA_SCHEMA_SHAPE_TEXTS_MAP:
    return is_kind (value, NEBULA_VALUE_KIND_OBJECT) && are_all (value, are_texts);
  default:
    return has_shape_of_schemas (shape, value);
  }
}

void
_nebula_schema_append_key (GString *pointer, const char *key, gsize length)
{
  g_string_append_c (pointer, '/');
  for (gsize i = 0; i < length; i++) {
    if (key[i] == '~' || key[i] == '/')
      g_string_append (pointer, key[i] == '~' ? "~0" : "~1");
    else
      g_string_append_c (pointer, key[i]);
  }
}

static void
visit_items (NebulaValue *value, NebulaSchemaVisit visit, gpointer data)
{
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    g_autofree char *inner = g_strdup_printf ("/%" G_GSIZE_FORMAT, i);

    visit (nebula_value_get_item (value, i), inner, data);
  }
}

static void
visit_members (NebulaValue *value, NebulaSchemaVisit visit, gpointer data)
{
  g_autoptr (GString) inner = g_string_new (NULL);

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    NebulaValue *member = nebula_value_get_member_at (value, i);
    gsize length;
    const char *key = nebula_value_get_key (value, i, &length);

    if (!_nebula_schema_is_schema (member))
      continue; /* the names of a dependency */
    g_string_truncate (inner, 0);
    _nebula_schema_append_key (inner, key, length);
    visit (member, inner->str, data);
  }
}

void
_nebula_schema_visit (NebulaSchemaShape shape,
                      NebulaValue *value,
                      NebulaSchemaVisit visit,
                      gpointer data)
{
  if (shape < NEBULA_SCHEMA_SHAPE_SCHEMA)
    return;
  if (shape == NEBULA_SCHEMA_SHAPE_SCHEMA_MAP ||
      shape == NEBULA_SCHEMA_SHAPE_PATTERN_MAP ||
      shape == NEBULA_SCHEMA_SHAPE_DEPENDENCIES)
    visit_members (value, visit, data);
  else if (is_kind (value, NEBULA_VALUE_KIND_ARRAY))
    visit_items (value, visit, data);
  else
    visit (value, "", data);
}
