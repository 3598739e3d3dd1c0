/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's side of probing: opens the module in this process and describes what it registers. */
#include <dlfcn.h>
#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-module-internal.h"

/* `http` → `NebulaHttp`, `store-postgresql` → `NebulaStorePostgresql`. */
static char *
make_prefix (const char *id)
{
  GString *prefix = g_string_new ("Nebula");
  gboolean upper = TRUE;

  for (const char *letter = id; *letter != '\0'; letter++) {
    if (*letter != '-')
      g_string_append_c (prefix, upper ? g_ascii_toupper (*letter) : *letter);
    upper = *letter == '-';
  }
  return g_string_free (prefix, FALSE);
}

/* Names of all types below a fundamental one that carry the prefix. */
static void
collect_types (GType type, const char *prefix, NebulaValueBuilder *names)
{
  g_autofree GType *children = g_type_children (type, NULL);

  for (gsize i = 0; children[i] != G_TYPE_INVALID; i++) {
    if (g_str_has_prefix (g_type_name (children[i]), prefix))
      nebula_value_builder_add_take (names, nebula_value_new_string (g_type_name (children[i])));
    collect_types (children[i], prefix, names);
  }
}

static NebulaValue *
list_types (const char *prefix)
{
  g_autoptr (NebulaValueBuilder) names = nebula_value_builder_new_array ();
  const GType roots[] = { G_TYPE_OBJECT, G_TYPE_ENUM, G_TYPE_FLAGS, G_TYPE_BOXED, G_TYPE_INTERFACE };

  for (gsize i = 0; i < G_N_ELEMENTS (roots); i++)
    collect_types (roots[i], prefix, names);
  return nebula_value_builder_end (names);
}

static gboolean
check_action (GType type, const char *prefix, NebulaActionInfo *info, GHashTable *ids, const char *module_id, GError **error)
{
  const char *id = nebula_action_info_get_id (info);

  if (!g_str_has_prefix (g_type_name (type), prefix)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("registers the type %s, whose name does not begin with %s. Rename it"), g_type_name (type), prefix);
    return FALSE;
  }
  if (!g_str_has_prefix (id, module_id) || id[strlen (module_id)] != '.') {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("brings the action “%s”, whose id does not begin with “%s.”. Rename it"), id, module_id);
    return FALSE;
  }
  if (!g_hash_table_add (ids, g_strdup_printf ("%s@%s", id, nebula_action_info_get_version (info)))) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, _("brings the action “%s” twice"), id);
    return FALSE;
  }
  return TRUE;
}

static NebulaValue *
describe_actions (GArray *types, const char *prefix, const char *module_id, GError **error)
{
  g_autoptr (NebulaValueBuilder) actions = nebula_value_builder_new_array ();
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < types->len; i++) {
    GType type = g_array_index (types, GType, i);
    g_autoptr (NebulaActionInfo) info = NULL;

    /* The class is never given back: its type cannot be unloaded anyway. */
    info = nebula_action_info_new_from_class (g_type_class_ref (type), module_id, error);
    if (info == NULL || !check_action (type, prefix, info, ids, module_id, error))
      return NULL;
    nebula_value_builder_add_take (actions, nebula_action_info_to_value (info));
  }
  return nebula_value_builder_end (actions);
}

static gboolean
check_service (GType type, const char *prefix, const char *name, GError **error)
{
  if (!g_str_has_prefix (g_type_name (type), prefix))
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("registers the type %s, whose name does not begin with %s. Rename it"), g_type_name (type), prefix);
  else if (name == NULL || !g_regex_match_simple ("^[a-z][a-z0-9-]{0,63}$", name, G_REGEX_DOLLAR_ENDONLY, 0))
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("brings the service “%s”, whose name is none. Use lower-case letters, digits and hyphens"),
                 name != NULL ? name : "");
  else
    return TRUE;
  return FALSE;
}

static NebulaValue *
describe_services (GArray *types, const char *prefix, GError **error)
{
  g_autoptr (NebulaValueBuilder) services = nebula_value_builder_new_array ();

  for (guint i = 0; i < types->len; i++) {
    GType type = g_array_index (types, GType, i);
    NebulaServiceClass *klass = g_type_class_ref (type); /* never given back, as those of actions */
    g_autoptr (NebulaValueBuilder) service = nebula_value_builder_new_object ();

    if (!check_service (type, prefix, klass->name, error))
      return NULL;
    nebula_value_builder_set_string (service, "name", klass->name);
    nebula_value_builder_set_string (service, "title", klass->title != NULL ? klass->title : klass->name);
    nebula_value_builder_set_string (service, "type", g_type_name (type));
    nebula_value_builder_add_take (services, nebula_value_builder_end (service));
  }
  return nebula_value_builder_end (services);
}

static NebulaValue *
describe_module (const NebulaModuleDescriptor *descriptor, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) actions = NULL;
  g_autoptr (NebulaValue) services = NULL;
  g_auto (NebulaModuleRegistered) registered = { 0 };
  g_autofree char *prefix = make_prefix (descriptor->id);

  if (!nebula_module_descriptor_register (descriptor, &registered, error))
    return NULL;
  actions = describe_actions (registered.types, prefix, descriptor->id, error);
  services = actions != NULL ? describe_services (registered.services, prefix, error) : NULL;
  if (services == NULL)
    return NULL;

  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "id", descriptor->id);
  nebula_value_builder_set_string (builder, "version", descriptor->version);
  nebula_value_builder_set_string (builder, "title", descriptor->title);
  nebula_value_builder_set_integer (builder, "abi", descriptor->abi);
  nebula_value_builder_set_take (builder, "types", list_types (prefix));
  nebula_value_builder_set (builder, "actions", actions);
  nebula_value_builder_set_take (builder, "functions", nebula_function_set_describe (registered.functions));
  nebula_value_builder_set (builder, "services", services);
  return nebula_value_builder_end (builder);
}

const NebulaModuleDescriptor *
nebula_module_open_here (const char *path, int fd, GError **error)
{
  g_autofree char *id = nebula_module_file_get_id (path);
  g_autofree char *by_number = g_strdup_printf ("/proc/self/fd/%d", fd);
  void *handle = dlopen (by_number, RTLD_NOW | RTLD_LOCAL);
  const NebulaModuleDescriptor *descriptor;

  if (handle == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, _("does not load: %s"), dlerror ());
    return NULL;
  }
  descriptor = dlsym (handle, NEBULA_MODULE_SYMBOL);
  if (descriptor == NULL) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                         _("exports no descriptor. Add NEBULA_DEFINE_MODULE to it"));
    return NULL;
  }
  return nebula_module_descriptor_check (descriptor, id, error) ? descriptor : NULL;
}

/**
 * nebula_module_describe: (skip)
 * @path: path of a module
 * @fd: an open descriptor of that file; negative to open and verify it here
 *
 * Opens a module in this process, registers its types and writes its catalogue. For the module host, which does
 * nothing else: the module may crash or hang.
 *
 * Errors: %NEBULA_ERROR_MODULE_REFUSED, %NEBULA_ERROR_MODULE_BROKEN, %NEBULA_ERROR_MODULE_ABI (terminal).
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_module_describe (const char *path, int fd, GError **error)
{
  const NebulaModuleDescriptor *descriptor;
  NebulaModuleKey key;

  if (fd < 0)
    fd = nebula_module_file_open (path, &key, error);
  if (fd < 0)
    return NULL;

  descriptor = nebula_module_open_here (path, fd, error);
  return descriptor != NULL ? describe_module (descriptor, error) : NULL;
}
