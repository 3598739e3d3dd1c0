/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Class set-up for other languages: what class_init says in C by nebula_action_class_…, given as one value.
 *
 *   {"id": "demo.shout", "version": "1.0.0", "title": …, "description": …, "category": …, "example": …, "result": …,
 *    "effect": "pure", "ports": {"loud": title, …}, "capabilities": [ … ],
 *    "parameters": {name: {"kind": …, "flags": [ … ], …}, …}}
 *
 * The members of a parameter are those of nebula_parameter_to_value (); for a property they stand above what its
 * GParamSpec says.
 */
#include <glib/gi18n-lib.h>

#include "nebula-action-enums.h"
#include "nebula-action-private.h"

static gboolean
refuse (const char *key, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _("The description of the action has the member “%s”, which is unknown or of the wrong kind"), key);
  return FALSE;
}

static gboolean
read_text (NebulaValue *value, const char *key, const char **ret_text, GError **error)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING)
    return refuse (key, error);
  *ret_text = g_intern_string (nebula_value_get_string (value));
  return TRUE;
}

static gboolean
read_effect (NebulaActionDetails *details, NebulaValue *value, GError **error)
{
  g_autoptr (GEnumClass) effects = g_type_class_ref (NEBULA_TYPE_EFFECT);
  const char *name = NULL;
  GEnumValue *effect;

  if (!read_text (value, "effect", &name, error))
    return FALSE;
  effect = g_enum_get_value_by_nick (effects, name);
  if (effect == NULL)
    return refuse ("effect", error);
  details->effect = (NebulaEffect) effect->value;
  details->effect_given = TRUE;
  return TRUE;
}

static gboolean
read_ports (NebulaActionDetails *details, NebulaValue *value, GError **error)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return refuse ("ports", error);

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    const char *title = NULL;

    if (!read_text (nebula_value_get_member_at (value, i), "ports", &title, error))
      return FALSE;
    g_ptr_array_add (details->ports, (gpointer) g_intern_string (nebula_value_get_key (value, i, NULL)));
    g_ptr_array_add (details->port_titles, (gpointer) title);
  }
  return TRUE;
}

static gboolean
read_capabilities (NebulaActionDetails *details, NebulaValue *value, GError **error)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_ARRAY)
    return refuse ("capabilities", error);

  for (gsize i = 0; i < nebula_value_get_length (value); i++) {
    const char *capability = NULL;

    if (!read_text (nebula_value_get_item (value, i), "capabilities", &capability, error))
      return FALSE;
    g_ptr_array_add (details->capabilities, (gpointer) capability);
  }
  return TRUE;
}

/* The members of @above over those of @below, and the name over all. */
static NebulaValue *
merge (NebulaValue *below, NebulaValue *above, const char *name)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  for (gsize i = 0; below != NULL && i < nebula_value_get_length (below); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (below, i, NULL), nebula_value_get_member_at (below, i));
  for (gsize i = 0; i < nebula_value_get_length (above); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (above, i, NULL), nebula_value_get_member_at (above, i));
  nebula_value_builder_set_string (builder, "name", name);
  return nebula_value_builder_end (builder);
}

static gboolean
read_parameter (NebulaActionClass *klass, NebulaActionDetails *details, const char *name, NebulaValue *value,
                GError **error)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_CLASS (klass), name);
  g_autoptr (NebulaParameter) base = NULL;
  g_autoptr (NebulaValue) below = NULL;
  g_autoptr (NebulaValue) merged = NULL;
  NebulaParameter *parameter;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return refuse (name, error);
  if (pspec != NULL) {
    base = nebula_parameter_new_from_pspec (pspec, error);
    if (base == NULL)
      return FALSE;
    below = nebula_parameter_to_value (base);
  }

  merged = merge (below, value, pspec != NULL ? pspec->name : name);
  parameter = nebula_parameter_new_from_value (merged, error);
  if (parameter == NULL)
    return FALSE;
  g_ptr_array_add (pspec != NULL ? details->described : details->added, parameter);
  return TRUE;
}

static gboolean
read_parameters (NebulaActionClass *klass, NebulaActionDetails *details, NebulaValue *value, GError **error)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return refuse ("parameters", error);

  for (gsize i = 0; i < nebula_value_get_length (value); i++)
    if (!read_parameter (klass, details, nebula_value_get_key (value, i, NULL), nebula_value_get_member_at (value, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
read_member (NebulaActionClass *klass, NebulaActionDetails *details, const char *key, NebulaValue *value, GError **error)
{
  const struct
  {
    const char *key;
    const char **text;
  } texts[] = {
    { "id", &details->id },
    { "version", &details->version },
    { "title", &details->title },
    { "description", &details->description },
    { "category", &details->category },
    { "example", &details->example },
    { "result", &details->result },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (key, texts[i].key))
      return read_text (value, key, texts[i].text, error);

  if (g_str_equal (key, "effect"))
    return read_effect (details, value, error);
  if (g_str_equal (key, "ports"))
    return read_ports (details, value, error);
  if (g_str_equal (key, "capabilities"))
    return read_capabilities (details, value, error);
  if (g_str_equal (key, "parameters"))
    return read_parameters (klass, details, value, error);
  return refuse (key, error);
}

/**
 * nebula_action_describe_type:
 * @type: a type derived from #NebulaAction, in use nowhere yet
 * @description: an object with `id`, and if wanted `version`, `title`, `description`, `category`, `example`, `effect`,
 *   `ports` (name → title), `capabilities` and `parameters` (name → object as of nebula_parameter_to_value())
 *
 * Says what an action of another language is; a C class calls nebula_action_class_set_details() and its like instead.
 *
 * Parameters are the properties of the type. A member of `parameters` adds to what its property says, or makes a
 * parameter that has no property. A type is described once; one whose description was refused is of no further use.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal) if a member is unknown or of the wrong kind, or `id` is missing;
 * %NEBULA_ERROR_EXISTS (terminal) if the type has been described; those of nebula_parameter_new_from_pspec() and
 * nebula_parameter_new_from_value().
 *
 * Returns: %TRUE if it is described
 *
 * Since: 1.0
 */
gboolean
nebula_action_describe_type (GType type, NebulaValue *description, GError **error)
{
  NebulaActionClass *klass;
  NebulaActionDetails *details;

  g_return_val_if_fail (g_type_is_a (type, NEBULA_TYPE_ACTION), FALSE);
  g_return_val_if_fail (description != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (nebula_value_get_kind (description) != NEBULA_VALUE_KIND_OBJECT)
    return refuse ("id", error);

  klass = g_type_class_ref (type); /* kept: a described type is used until the process ends */
  details = _nebula_action_class_get_details (klass);
  if (details->id != NULL || details->table != NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS, _("The class %s has been described already"), g_type_name (type));
    return FALSE;
  }

  details->version = "1.0.0";
  for (gsize i = 0; i < nebula_value_get_length (description); i++)
    if (!read_member (klass, details, nebula_value_get_key (description, i, NULL),
                      nebula_value_get_member_at (description, i), error))
      return FALSE;
  if (details->id == NULL)
    return refuse ("id", error);
  if (details->title == NULL)
    details->title = details->id;
  return TRUE;
}
