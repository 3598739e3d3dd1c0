/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions that modules bring to expressions, as their catalogues say; a module is loaded when one is compiled. */
#include "nebula-registry-private.h"

static NebulaForeignCall
load_function (const char *name, gpointer user_data, GError **error)
{
  return nebula_module_load_function (user_data, name, error);
}

static guint
add_module (NebulaFunctionSet *set, NebulaModuleInfo *module)
{
  g_autoptr (NebulaValue) functions = nebula_module_info_dup_functions (module);
  guint n_added = 0;

  for (gsize i = 0; i < nebula_value_get_length (functions); i++) {
    g_autoptr (GError) error = NULL;

    if (nebula_function_set_add_late (set, nebula_value_get_item (functions, i), load_function,
                                      nebula_module_info_ref (module),
                                      (GDestroyNotify) nebula_module_info_unref, &error))
      n_added++;
    else
      g_debug ("A function of the module “%s” is left out: %s", nebula_module_info_get_id (module), error->message);
  }
  return n_added;
}

NebulaFunctionSet *
_nebula_registry_collect_functions (GPtrArray *modules)
{
  g_autoptr (NebulaFunctionSet) set = nebula_function_set_new ();
  guint n_added = 0;

  for (guint i = 0; i < modules->len; i++) {
    NebulaModuleInfo *module = g_ptr_array_index (modules, i);

    if (nebula_module_info_get_status (module) == NEBULA_MODULE_STATUS_OK)
      n_added += add_module (set, module);
  }
  return n_added > 0 ? g_steal_pointer (&set) : NULL;
}
