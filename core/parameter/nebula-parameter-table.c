/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-nearest-internal.h"
#include "nebula-parameter-private.h"

/* Below this a walk over interned names is quicker than a hash. */
#define SMALL 6

struct _NebulaParameterTable
{
  gatomicrefcount ref_count;
  GPtrArray *items;    /* NebulaParameter, in order of addition */
  GHashTable *by_name; /* const char * → NebulaParameter, borrowed from items */
  NebulaParameter *rest;
  GPtrArray *required; /* borrowed from items; late ones are the compiler's to check */
};

G_DEFINE_BOXED_TYPE (NebulaParameterTable, nebula_parameter_table, nebula_parameter_table_ref, nebula_parameter_table_unref)

/**
 * nebula_parameter_table_new:
 *
 * Makes an empty table.
 *
 * Returns: (transfer full): a new table
 *
 * Since: 1.0
 */
NebulaParameterTable *
nebula_parameter_table_new (void)
{
  NebulaParameterTable *self = g_new0 (NebulaParameterTable, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->items = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_parameter_unref);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

/**
 * nebula_parameter_table_ref:
 * @self: a table
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaParameterTable *
nebula_parameter_table_ref (NebulaParameterTable *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * nebula_parameter_table_unref:
 * @self: (transfer full): a table
 *
 * Gives a reference back; the last one frees it.
 *
 * Since: 1.0
 */
void
nebula_parameter_table_unref (NebulaParameterTable *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_hash_table_unref (self->by_name);
  g_clear_pointer (&self->required, g_ptr_array_unref);
  g_ptr_array_unref (self->items);
  g_free (self);
}

static gboolean
has_flag (NebulaParameter *parameter, NebulaParameterFlags flag)
{
  return (parameter->flags & flag) != 0;
}

/**
 * nebula_parameter_table_add:
 * @self: a table
 * @parameter: a parameter whose set-up is finished; its name is new
 *
 * Adds a parameter at the end.
 *
 * Since: 1.0
 */
void
nebula_parameter_table_add (NebulaParameterTable *self, NebulaParameter *parameter)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (parameter != NULL);
  g_return_if_fail (!g_hash_table_contains (self->by_name, parameter->name));

  g_ptr_array_add (self->items, nebula_parameter_ref (parameter));
  g_hash_table_insert (self->by_name, (gpointer) parameter->name, parameter);
  if (has_flag (parameter, NEBULA_PARAMETER_FLAGS_REST))
    self->rest = parameter;

  if (has_flag (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED) && !has_flag (parameter, NEBULA_PARAMETER_FLAGS_REST) &&
      !_nebula_parameter_is_late (parameter)) {
    if (self->required == NULL)
      self->required = g_ptr_array_new ();
    g_ptr_array_add (self->required, parameter);
  }
}

/**
 * nebula_parameter_table_get_length:
 * @self: a table
 *
 * How many parameters it has.
 *
 * Returns: their number
 *
 * Since: 1.0
 */
guint
nebula_parameter_table_get_length (NebulaParameterTable *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->items->len;
}

/**
 * nebula_parameter_table_get_item:
 * @self: a table
 * @index: a place below the length
 *
 * The parameter at a place.
 *
 * Returns: (transfer none): a parameter that lives as long as @self
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_parameter_table_get_item (NebulaParameterTable *self, guint index)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (index < self->items->len, NULL);

  return g_ptr_array_index (self->items, index);
}

/**
 * nebula_parameter_table_lookup:
 * @self: a table
 * @name: a name
 *
 * Finds a parameter, in constant time.
 *
 * Returns: (transfer none) (nullable): a parameter that lives as long as @self
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_parameter_table_lookup (NebulaParameterTable *self, const char *name)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  if (self->items->len > SMALL)
    return g_hash_table_lookup (self->by_name, name);

  for (guint i = 0; i < self->items->len; i++) {
    NebulaParameter *parameter = g_ptr_array_index (self->items, i);

    if (parameter->name == name || strcmp (parameter->name, name) == 0)
      return parameter;
  }
  return NULL;
}

/**
 * nebula_parameter_table_get_rest:
 * @self: a table
 *
 * The parameter that takes all keys that no other takes.
 *
 * Returns: (transfer none) (nullable): a parameter that lives as long as @self
 *
 * Since: 1.0
 */
NebulaParameter *
nebula_parameter_table_get_rest (NebulaParameterTable *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->rest;
}

static gboolean
refuse_unknown (NebulaParameterTable *self, const char *name, GError **error)
{
  NebulaNearest nearest;

  nebula_nearest_init (&nearest, name);
  for (guint i = 0; i < self->items->len; i++)
    nebula_nearest_offer (&nearest, ((NebulaParameter *) g_ptr_array_index (self->items, i))->name);

  if (nearest.best != NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_PARAMETER,
                 _("The action has no parameter “%s”. Did you mean “%s”?"), name, nearest.best);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_PARAMETER,
                 _("The action has no parameter “%s”. Remove it"), name);
  return FALSE;
}

/* The values with the defaults of what is not set, which is what conditions look at. */
static NebulaValue *
fill_defaults (NebulaParameterTable *self, NebulaValue *values)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (guint i = 0; i < self->items->len; i++) {
    NebulaParameter *parameter = g_ptr_array_index (self->items, i);

    if (parameter->default_value != NULL)
      nebula_value_builder_set (builder, parameter->name, parameter->default_value);
  }
  for (gsize i = 0; i < nebula_value_get_length (values); i++) {
    gsize length = 0;
    const char *key = nebula_value_get_key (values, i, &length);

    nebula_value_builder_set_length_take (builder, key, length, nebula_value_ref (nebula_value_get_member_at (values, i)));
  }
  return nebula_value_builder_end (builder);
}

static gboolean
is_needed (NebulaParameterTable *self, NebulaParameter *parameter, NebulaValue *values)
{
  g_autoptr (NebulaValue) filled = NULL;

  if (parameter->default_value != NULL || nebula_value_has_member (values, parameter->name))
    return FALSE;
  if (parameter->show_if == NULL && parameter->hide_if == NULL)
    return TRUE;

  filled = fill_defaults (self, values);
  return nebula_parameter_is_visible (parameter, filled);
}

static gboolean
validate_required (NebulaParameterTable *self, NebulaValue *values, const char **ret_name, GError **error)
{
  for (guint i = 0; self->required != NULL && i < self->required->len; i++) {
    NebulaParameter *parameter = g_ptr_array_index (self->required, i);

    if (!is_needed (self, parameter, values))
      continue;
    if (ret_name != NULL)
      *ret_name = parameter->name;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PARAMETER, _("The parameter “%s” is required. Set it"),
                 parameter->name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
validate_member (NebulaParameterTable *self, const char *name, NebulaValue *value, GError **error)
{
  NebulaParameter *parameter = nebula_parameter_table_lookup (self, name);

  if (parameter != NULL && parameter != self->rest)
    return nebula_parameter_validate (parameter, value, error);
  if (self->rest != NULL)
    return TRUE;
  return refuse_unknown (self, name, error);
}

/**
 * nebula_parameter_table_validate:
 * @self: a table
 * @values: an object of evaluated parameters, without those of the kinds expression and expressions
 * @ret_name: (out) (optional) (nullable) (transfer none): the name of the refused parameter; it lives as long as @self
 *   and @values; left alone on success
 *
 * Checks all values: unknown and missing names, null, kinds, ranges. Members that go to a rest parameter may be
 * anything. A required parameter that its conditions hide may be left out. Costs one look-up a member.
 *
 * Errors: %NEBULA_ERROR_TYPE, %NEBULA_ERROR_UNKNOWN_PARAMETER, %NEBULA_ERROR_MISSING_PARAMETER,
 * %NEBULA_ERROR_INVALID_PARAMETER (all terminal); the first problem is told.
 *
 * Thread: any.
 *
 * Returns: %TRUE if all are accepted
 *
 * Since: 1.0
 */
gboolean
nebula_parameter_table_validate (NebulaParameterTable *self, NebulaValue *values, const char **ret_name, GError **error)
{
  gsize n_members;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (values != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (nebula_value_get_kind (values) != NEBULA_VALUE_KIND_OBJECT) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                         _("The parameters of an action must be an object. Write them as “name: value”"));
    return FALSE;
  }

  /* Nothing can be wrong where everything is the rest. */
  if (self->rest != NULL && self->items->len == 1)
    return TRUE;

  n_members = nebula_value_get_length (values);
  for (gsize i = 0; i < n_members; i++) {
    const char *name = nebula_value_get_key (values, i, NULL);

    if (validate_member (self, name, nebula_value_get_member_at (values, i), error))
      continue;
    if (ret_name != NULL)
      *ret_name = name;
    return FALSE;
  }
  return validate_required (self, values, ret_name, error);
}

/**
 * nebula_parameter_table_mask:
 * @self: a table
 * @values: an object of parameters
 *
 * Makes a copy to be shown, logged or exported: each set secret becomes the text `••••••`.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_parameter_table_mask (NebulaParameterTable *self, NebulaValue *values)
{
  g_autoptr (NebulaValue) masked = NULL;
  g_autoptr (NebulaValue) dots = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (values != NULL && nebula_value_get_kind (values) == NEBULA_VALUE_KIND_OBJECT, NULL);

  dots = nebula_value_new_string ("••••••");
  masked = nebula_value_ref (values);
  for (guint i = 0; i < self->items->len; i++) {
    NebulaParameter *parameter = g_ptr_array_index (self->items, i);
    NebulaValue *next;

    if (!has_flag (parameter, NEBULA_PARAMETER_FLAGS_SECRET) && parameter->kind != NEBULA_PARAMETER_KIND_SECRET)
      continue;
    if (!nebula_value_has_member (masked, parameter->name))
      continue;
    next = nebula_value_with_member (masked, parameter->name, dots);
    nebula_value_unref (masked);
    masked = next;
  }
  return g_steal_pointer (&masked);
}

/**
 * nebula_parameter_table_to_value:
 * @self: a table
 *
 * Writes it as an array of parameters, the form of the catalogue.
 *
 * Returns: (transfer full): an array
 *
 * Since: 1.0
 */
NebulaValue *
nebula_parameter_table_to_value (NebulaParameterTable *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  builder = nebula_value_builder_new_array ();
  for (guint i = 0; i < self->items->len; i++)
    nebula_value_builder_add_take (builder, nebula_parameter_to_value (g_ptr_array_index (self->items, i)));
  return nebula_value_builder_end (builder);
}

static gboolean
read_item (NebulaParameterTable *self, NebulaValue *item, GError **error)
{
  g_autoptr (NebulaParameter) parameter = nebula_parameter_new_from_value (item, error);

  if (parameter == NULL)
    return FALSE;
  if (g_hash_table_contains (self->by_name, parameter->name)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_DUPLICATE_KEY,
                 _("The parameter “%s” is described twice. Write the catalogue anew"), parameter->name);
    return FALSE;
  }
  nebula_parameter_table_add (self, parameter);
  return TRUE;
}

/**
 * nebula_parameter_table_new_from_value:
 * @value: what nebula_parameter_table_to_value() gave
 *
 * Reads a table back. @value may come from another process: everything in it is checked.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_DUPLICATE_KEY, %NEBULA_ERROR_TOO_DEEP (terminal).
 *
 * Returns: (transfer full): a new table
 *
 * Since: 1.0
 */
NebulaParameterTable *
nebula_parameter_table_new_from_value (NebulaValue *value, GError **error)
{
  g_autoptr (NebulaParameterTable) self = NULL;

  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _("A table of parameters must be an array. Write the catalogue anew"));
    return NULL;
  }

  self = nebula_parameter_table_new ();
  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    if (!read_item (self, nebula_value_get_item (value, i), error))
      return NULL;
  }
  return g_steal_pointer (&self);
}

/**
 * nebula_parameter_table_to_json_schema:
 * @self: a table
 *
 * The whole `with` of an action as a schema of JSON Schema 2020-12. A parameter that is shown only under a condition
 * is not listed as required.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_parameter_table_to_json_schema (NebulaParameterTable *self)
{
  g_autoptr (NebulaValueBuilder) schema = NULL;
  g_autoptr (NebulaValueBuilder) properties = NULL;
  g_autoptr (NebulaValueBuilder) required = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  schema = nebula_value_builder_new_object ();
  properties = nebula_value_builder_new_object ();
  required = nebula_value_builder_new_array ();
  for (guint i = 0; i < self->items->len; i++) {
    NebulaParameter *parameter = g_ptr_array_index (self->items, i);

    if (parameter == self->rest)
      continue;
    nebula_value_builder_set_take (properties, parameter->name, nebula_parameter_to_json_schema (parameter));
    if (has_flag (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED) && parameter->default_value == NULL &&
        parameter->show_if == NULL && parameter->hide_if == NULL)
      nebula_value_builder_add_take (required, nebula_value_new_string (parameter->name));
  }

  nebula_value_builder_set_string (schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
  nebula_value_builder_set_string (schema, "type", "object");
  nebula_value_builder_set_take (schema, "properties", nebula_value_builder_end (properties));
  if (nebula_value_builder_get_length (required) > 0)
    nebula_value_builder_set_take (schema, "required", nebula_value_builder_end (required));
  nebula_value_builder_set_boolean (schema, "additionalProperties", self->rest != NULL);
  return nebula_value_builder_end (schema);
}
