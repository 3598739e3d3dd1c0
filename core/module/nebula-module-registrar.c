/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a module's descriptor says, and what its register_types () registers. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-module-internal.h"

/**
 * nebula_module_registrar_add_action: (skip)
 * @self: the registrar that register_types () was given
 * @action_type: a type derived from #NebulaAction
 *
 * Makes an action known. A type that could not be registered (0), or is no action, makes the module broken.
 *
 * Since: 1.0
 */
void
nebula_module_registrar_add_action (NebulaModuleRegistrar *self, GType action_type)
{
  g_return_if_fail (self != NULL);

  if (self->error != NULL)
    return;
  if (action_type == G_TYPE_INVALID)
    g_set_error_literal (&self->error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                         _("registers a type whose name exists already. Begin the names of its types with “Nebula” "
                           "and the name of the module"));
  else if (!g_type_is_a (action_type, NEBULA_TYPE_ACTION) || G_TYPE_IS_ABSTRACT (action_type))
    g_set_error (&self->error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("registers the type %s, which is no action that can be made"), g_type_name (action_type));
  else
    g_array_append_val (self->types, action_type);
}

/**
 * nebula_module_registrar_add_service: (skip)
 * @self: the registrar that register_types () was given
 * @service_type: a type derived from #NebulaService
 *
 * Makes a service known, which the server runs. A type that could not be registered (0), is no service or has no name makes
 * the module broken.
 *
 * Since: 1.0
 */
void
nebula_module_registrar_add_service (NebulaModuleRegistrar *self, GType service_type)
{
  g_return_if_fail (self != NULL);

  if (self->error != NULL)
    return;
  if (service_type == G_TYPE_INVALID || !g_type_is_a (service_type, NEBULA_TYPE_SERVICE) || G_TYPE_IS_ABSTRACT (service_type))
    g_set_error (&self->error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("registers the type %s, which is no service that can be made"), g_type_name (service_type));
  else
    g_array_append_val (self->services, service_type);
}

/**
 * nebula_module_registrar_add_function: (skip)
 * @self: the registrar that register_types () was given
 * @descriptor: the function and what it takes and gives; copied
 *
 * Makes a function known that expressions may call. One whose name is taken, by a built-in function or by another one of
 * the module, or whose types cannot be read, makes the module broken.
 *
 * Since: 1.0
 */
void
nebula_module_registrar_add_function (NebulaModuleRegistrar *self, const NebulaFunctionDescriptor *descriptor)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (descriptor != NULL);

  if (self->error == NULL && !nebula_function_set_add (self->functions, descriptor, &self->error))
    self->error->code = NEBULA_ERROR_MODULE_BROKEN;
  if (self->error == NULL)
    g_hash_table_insert (self->calls, g_strdup (descriptor->name), (gpointer) descriptor->call);
}

static gboolean
is_version (const char *text)
{
  return text != NULL && g_regex_match_simple ("^[0-9]{1,9}\\.[0-9]{1,9}\\.[0-9]{1,9}(-[0-9A-Za-z.-]{1,64})?$", text,
                                               G_REGEX_DOLLAR_ENDONLY, 0);
}

gboolean
nebula_module_descriptor_check (const NebulaModuleDescriptor *descriptor, const char *id, GError **error)
{
  if (descriptor->abi != NEBULA_MODULE_ABI || descriptor->size != sizeof (NebulaModuleDescriptor)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_ABI,
                 _("was built for module interface %u and this is %u. Build it with the headers of this version"),
                 descriptor->abi, (guint) NEBULA_MODULE_ABI);
    return FALSE;
  }
  if (descriptor->id == NULL || strcmp (descriptor->id, id) != 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("says that its id is “%s”. Name the file after the id"), descriptor->id != NULL ? descriptor->id : "");
    return FALSE;
  }
  if (!is_version (descriptor->version) || descriptor->title == NULL || descriptor->register_types == NULL) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                         _("has a descriptor without a version such as “1.0.0”, title or registration"));
    return FALSE;
  }
  return TRUE;
}

void
nebula_module_registered_clear (NebulaModuleRegistered *self)
{
  g_clear_pointer (&self->types, g_array_unref);
  g_clear_pointer (&self->services, g_array_unref);
  g_clear_pointer (&self->functions, nebula_function_set_unref);
  g_clear_pointer (&self->calls, g_hash_table_unref);
}

gboolean
nebula_module_descriptor_register (const NebulaModuleDescriptor *descriptor, NebulaModuleRegistered *ret, GError **error)
{
  NebulaModuleRegistrar registrar = { .module_id = descriptor->id };

  ret->types = registrar.types = g_array_new (FALSE, FALSE, sizeof (GType));
  ret->services = registrar.services = g_array_new (FALSE, FALSE, sizeof (GType));
  ret->functions = registrar.functions = nebula_function_set_new ();
  ret->calls = registrar.calls = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  descriptor->register_types (&registrar);
  if (registrar.error == NULL)
    return TRUE;

  g_propagate_error (error, registrar.error);
  return FALSE;
}
