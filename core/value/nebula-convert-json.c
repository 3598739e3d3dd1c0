/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "nebula-convert.h"
#include "nebula-error.h"
#include "nebula-value-private.h"

static NebulaValue *from_node (JsonNode *node, guint depth, GError **error);

static NebulaValue *
from_array (JsonArray *array, guint depth, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; i < json_array_get_length (array); i++) {
    NebulaValue *item = from_node (json_array_get_element (array, i), depth + 1, error);

    if (!item)
      return NULL;
    nebula_value_builder_add_take (builder, item);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
from_object (JsonObject *object, guint depth, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  JsonObjectIter iter;
  const char *key = NULL;
  JsonNode *node = NULL;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &key, &node)) {
    NebulaValue *member = from_node (node, depth + 1, error);

    if (!member)
      return NULL;
    nebula_value_builder_set_take (builder, key, member);
  }
  return nebula_value_builder_end (builder);
}

static NebulaValue *
from_scalar (JsonNode *node, GError **error)
{
  GType type = json_node_get_value_type (node);

  if (type == G_TYPE_BOOLEAN)
    return nebula_value_new_boolean (json_node_get_boolean (node));
  if (type == G_TYPE_INT64)
    return nebula_value_new_integer (json_node_get_int (node));
  if (type == G_TYPE_STRING)
    return nebula_value_new_string (json_node_get_string (node));
  if (isfinite (json_node_get_double (node)))
    return nebula_value_new_float (json_node_get_double (node));
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_OVERFLOW, _ ("Infinity and “not a number” are no values."));
  return NULL;
}

static NebulaValue *
from_node (JsonNode *node, guint depth, GError **error)
{
  if (depth > NEBULA_LIMIT_DEPTH) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP, _ ("The value is nested deeper than 128 levels."));
    return NULL;
  }
  switch (json_node_get_node_type (node)) {
  case JSON_NODE_ARRAY:
    return from_array (json_node_get_array (node), depth, error);
  case JSON_NODE_OBJECT:
    return from_object (json_node_get_object (node), depth, error);
  case JSON_NODE_VALUE:
    return from_scalar (node, error);
  case JSON_NODE_NULL:
  default:
    return nebula_value_new_null ();
  }
}

/**
 * nebula_value_from_json_node:
 * @node: a node
 * @error: where to put an error
 *
 * Converts what json-glib read. Nothing of it is shared.
 *
 * Errors, all terminal: %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_OVERFLOW for what is not finite.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_from_json_node (JsonNode *node, GError **error)
{
  g_return_val_if_fail (node != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return from_node (node, 0, error);
}

/* Strings of json-glib end with their first 0. */
static const char *
get_chars (const char *text, gsize length, GError **error)
{
  if (strlen (text) == length)
    return text;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                       _ ("A text with the character U+0000 cannot be handed over; remove that character."));
  return NULL;
}

static JsonNode *to_node (NebulaValue *value, GError **error);

static JsonNode *
to_array (NebulaValue *value, GError **error)
{
  g_autoptr (JsonArray) array = json_array_new ();

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    JsonNode *item = to_node (nebula_value_get_item (value, i), error);

    if (!item)
      return NULL;
    json_array_add_element (array, item);
  }
  return json_node_init_array (json_node_alloc (), array);
}

static JsonNode *
to_object (NebulaValue *value, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  gsize length = 0;

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    const char *key = nebula_value_get_key (value, i, &length);
    JsonNode *member = get_chars (key, length, error) ? to_node (nebula_value_get_member_at (value, i), error) : NULL;

    if (!member)
      return NULL;
    json_object_set_member (object, key, member);
  }
  return json_node_init_object (json_node_alloc (), object);
}

static JsonNode *
to_reference (NebulaValue *value)
{
  g_autoptr (JsonObject) object = json_object_new ();

  json_object_set_string_member (object, "$ref", nebula_value_get_string (value));
  return json_node_init_object (json_node_alloc (), object);
}

static JsonNode *
to_node (NebulaValue *value, GError **error)
{
  g_autofree char *text = NULL;

  switch (nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_NULL:
    return json_node_init_null (json_node_alloc ());
  case NEBULA_VALUE_KIND_BOOLEAN:
    return json_node_init_boolean (json_node_alloc (), nebula_value_get_boolean (value));
  case NEBULA_VALUE_KIND_INTEGER:
    return json_node_init_int (json_node_alloc (), nebula_value_get_integer (value));
  case NEBULA_VALUE_KIND_FLOAT:
    return json_node_init_double (json_node_alloc (), nebula_value_get_float (value));
  case NEBULA_VALUE_KIND_STRING:
    if (!get_chars (nebula_value_get_string (value), nebula_value_get_string_length (value), error))
      return NULL;
    return json_node_init_string (json_node_alloc (), nebula_value_get_string (value));
  case NEBULA_VALUE_KIND_ARRAY:
    return to_array (value, error);
  case NEBULA_VALUE_KIND_OBJECT:
    return to_object (value, error);
  case NEBULA_VALUE_KIND_REFERENCE:
    return to_reference (value);
  case NEBULA_VALUE_KIND_DECIMAL:
  case NEBULA_VALUE_KIND_BYTES:
  case NEBULA_VALUE_KIND_DATE:
  case NEBULA_VALUE_KIND_TIME:
  case NEBULA_VALUE_KIND_TIMESTAMP:
  case NEBULA_VALUE_KIND_DURATION:
  default:
    text = nebula_value_to_text (value);
    return json_node_init_string (json_node_alloc (), text);
  }
}

/**
 * nebula_value_to_json_node:
 * @self: a value
 * @error: where to put an error
 *
 * Converts a value for json-glib. Decimals become strings, because a node has no number that could hold them; the
 * other kinds that JSON lacks become texts as in nebula_value_to_json().
 *
 * Errors, all terminal: %NEBULA_ERROR_TOO_DEEP, %NEBULA_ERROR_INVALID_DATA for a text with U+0000.
 *
 * Returns: (transfer full): a new node, not sealed
 *
 * Since: 1.0
 */
JsonNode *
nebula_value_to_json_node (NebulaValue *self, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (nebula_value_get_depth (self) > NEBULA_LIMIT_DEPTH) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TOO_DEEP, _ ("The value is nested deeper than 128 levels."));
    return NULL;
  }
  return to_node (self, error);
}
