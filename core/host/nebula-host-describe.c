/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions of languages that have no classes for them: one value says all, in the form of nebula_action_describe_type ().
 * Here it becomes an entry of the catalogue.
 */

#include <glib/gi18n-lib.h>

#include "nebula-host-private.h"

static const char *const members[] = {
    "id",     "version", "title", "description",  "category",   "example",
    "result", "effect",  "ports", "capabilities", "parameters", NULL};

static gboolean
refuse (const char *key, GError **error)
{
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
      _ ("The description of the action has the member “%s”, which is unknown or of the wrong kind"),
      key);
  return FALSE;
}

/* Objects by name become the table's array, in their order. */
static NebulaValue *
list_parameters (NebulaValue *parameters, GError **error)
{
  g_autoptr (NebulaValueBuilder) list = nebula_value_builder_new_array ();

  for (gsize i = 0; parameters != NULL && i < nebula_value_get_length (parameters); i++) {
    NebulaValue *parameter = nebula_value_get_member_at (parameters, i);
    const char *name = nebula_value_get_key (parameters, i, NULL);
    g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

    if (nebula_value_get_kind (parameter) != NEBULA_VALUE_KIND_OBJECT) {
      refuse (name, error);
      return NULL;
    }
    for (gsize j = 0; j < nebula_value_get_length (parameter); j++)
      nebula_value_builder_set (builder, nebula_value_get_key (parameter, j, NULL),
                                nebula_value_get_member_at (parameter, j));
    nebula_value_builder_set_string (builder, "name", name);
    nebula_value_builder_add_take (list, nebula_value_builder_end (builder));
  }
  return nebula_value_builder_end (list);
}

static NebulaValue *
make_ports (void)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "out", "out");
  return nebula_value_builder_end (builder);
}

static gboolean
check_members (NebulaValue *description, GError **error)
{
  NebulaValue *parameters;

  if (nebula_value_get_kind (description) != NEBULA_VALUE_KIND_OBJECT)
    return refuse ("id", error);
  for (gsize i = 0; i < nebula_value_get_length (description); i++)
    if (!g_strv_contains (members, nebula_value_get_key (description, i, NULL)))
      return refuse (nebula_value_get_key (description, i, NULL), error);
  parameters = nebula_value_get_member (description, "parameters");
  return parameters == NULL ||
         nebula_value_get_kind (parameters) == NEBULA_VALUE_KIND_OBJECT ||
         refuse ("parameters", error);
}

static NebulaValue *
make_entry (NebulaHost *self, NebulaValue *description, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) parameters = NULL;

  if (!check_members (description, error))
    return NULL;
  parameters =
      list_parameters (nebula_value_get_member (description, "parameters"), error);
  if (parameters == NULL)
    return NULL;
  nebula_value_builder_set_string (builder, "version", "1.0.0");
  nebula_value_builder_set_string (builder, "effect", "effectful");
  nebula_value_builder_set_take (builder, "ports", make_ports ());
  for (gsize i = 0; i < nebula_value_get_length (description); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (description, i, NULL),
                              nebula_value_get_member_at (description, i));
  nebula_value_builder_set_string (builder, "module", self->id);
  nebula_value_builder_set_string (builder, "type", "");
  nebula_value_builder_set_string (builder, "construct", "none");
  nebula_value_builder_set (builder, "parameters", parameters);
  return nebula_value_builder_end (builder);
}

/**
 * nebula_host_describe_action:
 * @self: a host
 * @description: an object in the form that nebula_action_describe_type() takes
 * @error: where to put an error
 *
 * Says that the module brings an action which the language itself runs: it has no class.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT, %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_MODULE_BROKEN (terminal).
 *
 * Returns: whether it is one that can be used
 *
 * Since: 1.0
 */
gboolean
nebula_host_describe_action (NebulaHost *self, NebulaValue *description, GError **error)
{
  g_autoptr (NebulaValue) entry = NULL;
  g_autoptr (NebulaActionInfo) info = NULL;

  g_return_val_if_fail (NEBULA_IS_HOST (self), FALSE);
  g_return_val_if_fail (description != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  entry = make_entry (self, description, error);
  info = entry != NULL ? nebula_action_info_new_from_value (entry, error) : NULL;
  return info != NULL && _nebula_host_add_entry (self, info, G_TYPE_INVALID, error);
}
