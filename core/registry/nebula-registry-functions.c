/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions that modules bring to expressions, as their catalogues say. A module of this process is loaded when one is
 * compiled; the others are called in hosts of their own.
 */
#include "nebula-function-remote-internal.h"
#include "nebula-host-caller-internal.h"
#include "nebula-registry-private.h"

typedef struct {
  NebulaHostCaller *caller;
  char *name;
} Remote;

static void
remote_free (gpointer data)
{
  Remote *self = data;

  nebula_host_caller_unref (self->caller);
  g_free (self->name);
  g_free (self);
}

static NebulaValue *
call_remote (NebulaValue *arguments, gpointer user_data, GError **error)
{
  Remote *self = user_data;

  return nebula_host_caller_call (self->caller, self->name, arguments, error);
}

static gboolean
add_remote (NebulaFunctionSet *set, NebulaHostCaller *caller, NebulaValue *entry, GError **error)
{
  Remote *remote = g_new0 (Remote, 1);

  remote->caller = nebula_host_caller_ref (caller);
  remote->name = g_strdup (nebula_value_get_member_string (entry, "name", ""));
  return nebula_function_set_add_remote (set, entry, call_remote, remote, remote_free, error);
}

static NebulaForeignCall
load_function (const char *name, gpointer user_data, GError **error)
{
  return nebula_module_load_function (user_data, name, error);
}

static gboolean
add_late (NebulaFunctionSet *set, NebulaModuleInfo *module, NebulaValue *entry, GError **error)
{
  return nebula_function_set_add_late (set, entry, load_function, nebula_module_info_ref (module),
                                       (GDestroyNotify) nebula_module_info_unref, error);
}

static NebulaHostCaller *
make_caller (NebulaRegistry *registry, NebulaModuleInfo *module)
{
  NebulaIsolation isolation = _nebula_registry_get_isolation (registry, module);
  g_auto (GStrv) capabilities = NULL;

  if (isolation == NEBULA_ISOLATION_IN_PROCESS)
    return NULL;
  capabilities = _nebula_registry_dup_capabilities (registry, module);
  return nebula_host_caller_new (&_nebula_registry_get_hosting (registry)->options, module, isolation,
                                 (const char *const *) capabilities);
}

static guint
add_module (NebulaRegistry *registry, NebulaFunctionSet *set, NebulaModuleInfo *module)
{
  g_autoptr (NebulaValue) functions = nebula_module_info_dup_functions (module);
  gsize n_functions = nebula_value_get_length (functions);
  g_autoptr (NebulaHostCaller) caller = n_functions > 0 ? make_caller (registry, module) : NULL;
  guint n_added = 0;

  for (gsize i = 0; i < n_functions; i++) {
    NebulaValue *entry = nebula_value_get_item (functions, i);
    g_autoptr (GError) error = NULL;

    if (caller != NULL ? add_remote (set, caller, entry, &error) : add_late (set, module, entry, &error))
      n_added++;
    else
      g_debug ("A function of the module “%s” is left out: %s", nebula_module_info_get_id (module), error->message);
  }
  return n_added;
}

NebulaFunctionSet *
_nebula_registry_collect_functions (NebulaRegistry *registry, GPtrArray *modules)
{
  g_autoptr (NebulaFunctionSet) set = nebula_function_set_new ();
  guint n_added = 0;

  for (guint i = 0; i < modules->len; i++) {
    NebulaModuleInfo *module = g_ptr_array_index (modules, i);

    if (nebula_module_info_get_status (module) == NEBULA_MODULE_STATUS_OK)
      n_added += add_module (registry, set, module);
  }
  return n_added > 0 ? g_steal_pointer (&set) : NULL;
}
