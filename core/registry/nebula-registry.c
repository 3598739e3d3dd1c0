/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-nearest-internal.h"
#include "nebula-registry-private.h"

#define PROBE_TIMEOUT_USEC (10 * G_USEC_PER_SEC)

/**
 * NebulaRegistry:
 *
 * All actions there are, from modules and from code.
 *
 * Thread: owner context.
 */
struct _NebulaRegistry
{
  GObject parent_instance;

  GStrv search_path; /* NULL: the default */
  char *cache_file;  /* NULL: the default */
  char *host;        /* NULL: the default */
  gint64 probe_timeout_usec;
  GPtrArray *modules;  /* NebulaModuleInfo, by id */
  GPtrArray *added;    /* NebulaRegistryEntry from code */
  GPtrArray *entries;  /* NebulaRegistryEntry, borrowed or owned: see entries_of_modules */
  GPtrArray *entries_of_modules; /* owns */
  GHashTable *by_id;   /* const char * → GPtrArray of NebulaRegistryEntry, newest first */
  GPtrArray *monitors; /* GFileMonitor */
  NebulaFunctionSet *functions; /* of all modules; NULL: none */
  NebulaRegistryHosting hosting;
};

enum
{
  PROP_SEARCH_PATH = 1,
  PROP_CACHE_FILE,
  PROP_HOST,
  PROP_PROBE_TIMEOUT,
  N_PROPS,
};

enum
{
  SIGNAL_MODULE_FOUND,
  N_SIGNALS,
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void nebula_registry_resolver_init (NebulaActionResolverInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaRegistry, nebula_registry, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_ACTION_RESOLVER, nebula_registry_resolver_init))

static void
index_entry (NebulaRegistry *self, NebulaRegistryEntry *entry)
{
  GPtrArray *versions = g_hash_table_lookup (self->by_id, entry->id);

  if (versions == NULL) {
    versions = g_ptr_array_new ();
    g_hash_table_insert (self->by_id, (gpointer) entry->id, versions);
  }
  g_ptr_array_add (versions, entry);
  g_ptr_array_sort (versions, _nebula_registry_compare_newest);
  g_ptr_array_add (self->entries, entry);
}

static void
index_module (NebulaRegistry *self, NebulaModuleInfo *module)
{
  for (guint i = 0; i < nebula_module_info_get_n_actions (module); i++) {
    NebulaRegistryEntry *entry = g_new0 (NebulaRegistryEntry, 1);

    entry->module = nebula_module_info_ref (module);
    entry->index = i;
    nebula_module_info_get_action_name (module, i, &entry->id, &entry->version);
    _nebula_registry_parse_version (entry->version, entry->numbers, NULL);
    g_ptr_array_add (self->entries_of_modules, entry);
    index_entry (self, entry);
  }
}

/* Actions from code come first, so that they win over a module's of the same version. */
static void
index_all (NebulaRegistry *self)
{
  g_hash_table_remove_all (self->by_id);
  g_ptr_array_set_size (self->entries, 0);
  g_ptr_array_set_size (self->entries_of_modules, 0);

  for (guint i = 0; i < self->added->len; i++)
    index_entry (self, g_ptr_array_index (self->added, i));
  for (guint i = 0; i < self->modules->len; i++) {
    NebulaModuleInfo *module = g_ptr_array_index (self->modules, i);

    if (nebula_module_info_get_status (module) == NEBULA_MODULE_STATUS_OK)
      index_module (self, module);
  }
  g_ptr_array_sort (self->entries, _nebula_registry_compare_ids);
  g_clear_pointer (&self->functions, nebula_function_set_unref);
  self->functions = _nebula_registry_collect_functions (self, self->modules);
}

static void
nebula_registry_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaRegistry *self = NEBULA_REGISTRY (object);

  switch (id) {
  case PROP_SEARCH_PATH:
    self->search_path = g_value_dup_boxed (value);
    break;
  case PROP_CACHE_FILE:
    self->cache_file = g_value_dup_string (value);
    break;
  case PROP_HOST:
    self->host = g_value_dup_string (value);
    break;
  case PROP_PROBE_TIMEOUT:
    self->probe_timeout_usec = g_value_get_int64 (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_registry_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaRegistry *self = NEBULA_REGISTRY (object);

  switch (id) {
  case PROP_SEARCH_PATH:
    g_value_set_boxed (value, self->search_path);
    break;
  case PROP_CACHE_FILE:
    g_value_set_string (value, self->cache_file);
    break;
  case PROP_HOST:
    g_value_set_string (value, self->host);
    break;
  case PROP_PROBE_TIMEOUT:
    g_value_set_int64 (value, self->probe_timeout_usec);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_registry_dispose (GObject *object)
{
  NebulaRegistry *self = NEBULA_REGISTRY (object);

  for (guint i = 0; i < self->monitors->len; i++) {
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (self->monitors, i), self);
    g_file_monitor_cancel (g_ptr_array_index (self->monitors, i));
  }
  g_ptr_array_set_size (self->monitors, 0);
  g_hash_table_remove_all (self->hosting.pools);

  G_OBJECT_CLASS (nebula_registry_parent_class)->dispose (object);
}

static void
nebula_registry_finalize (GObject *object)
{
  NebulaRegistry *self = NEBULA_REGISTRY (object);

  g_clear_pointer (&self->functions, nebula_function_set_unref);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->entries);
  g_ptr_array_unref (self->entries_of_modules);
  g_ptr_array_unref (self->added);
  g_ptr_array_unref (self->modules);
  g_ptr_array_unref (self->monitors);
  g_strfreev (self->search_path);
  g_free (self->cache_file);
  g_free (self->host);
  _nebula_registry_hosting_clear (&self->hosting);

  G_OBJECT_CLASS (nebula_registry_parent_class)->finalize (object);
}

static void
nebula_registry_class_init (NebulaRegistryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->set_property = nebula_registry_set_property;
  object_class->get_property = nebula_registry_get_property;
  object_class->dispose = nebula_registry_dispose;
  object_class->finalize = nebula_registry_finalize;

  /**
   * NebulaRegistry:search-path:
   *
   * Folders of modules, the first first; %NULL for nebula_registry_get_default_search_path().
   */
  props[PROP_SEARCH_PATH] = g_param_spec_boxed ("search-path", NULL, NULL, G_TYPE_STRV, flags);
  /**
   * NebulaRegistry:cache-file:
   *
   * File of the catalogue's cache; %NULL for one in the user's cache directory.
   */
  props[PROP_CACHE_FILE] = g_param_spec_string ("cache-file", NULL, NULL, NULL, flags);
  /**
   * NebulaRegistry:host:
   *
   * Path of the module host; %NULL for `NEBULA_HOST` or the installed one.
   */
  props[PROP_HOST] = g_param_spec_string ("host", NULL, NULL, NULL, flags);
  /**
   * NebulaRegistry:probe-timeout:
   *
   * How long a module may take to be probed, in microseconds.
   */
  props[PROP_PROBE_TIMEOUT] =
      g_param_spec_int64 ("probe-timeout", NULL, NULL, 1, G_MAXINT32 * (gint64) 1000, PROBE_TIMEOUT_USEC, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);

  /**
   * NebulaRegistry::module-found:
   * @self: the registry
   * @path: path of the file
   *
   * Emitted after nebula_registry_watch() when a module file appeared or changed. Load the registry to use it.
   */
  signals[SIGNAL_MODULE_FOUND] = g_signal_new ("module-found", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                               NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
nebula_registry_init (NebulaRegistry *self)
{
  _nebula_registry_hosting_init (&self->hosting);
  self->modules = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_module_info_unref);
  self->added = g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_registry_entry_free);
  self->entries = g_ptr_array_new ();
  self->entries_of_modules = g_ptr_array_new_with_free_func ((GDestroyNotify) _nebula_registry_entry_free);
  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  self->monitors = g_ptr_array_new_with_free_func (g_object_unref);
}

static void
set_unknown (NebulaRegistry *self, const char *id, GError **error)
{
  NebulaNearest nearest;

  nebula_nearest_init (&nearest, id);
  for (guint i = 0; i < self->entries->len; i++)
    nebula_nearest_offer (&nearest, ((NebulaRegistryEntry *) g_ptr_array_index (self->entries, i))->id);

  if (nearest.best != NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_ACTION, _("There is no action “%s”. Did you mean “%s”?"), id,
                 nearest.best);
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_ACTION,
                 _("There is no action “%s”. Install the module that brings it, or run “nebula inspect” to see what "
                   "there is"),
                 id);
}

/* Same major version and at least the minor one; the newest that fits is the first that fits. */
static NebulaRegistryEntry *
find_version (GPtrArray *versions, const char *version, GError **error)
{
  NebulaRegistryEntry *newest = g_ptr_array_index (versions, 0);
  guint wanted[3];

  if (version == NULL)
    return newest;
  if (!_nebula_registry_parse_version (version, wanted, NULL)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT, _("“%s” is no version. Write it as “1.0”"), version);
    return NULL;
  }
  for (guint i = 0; i < versions->len; i++) {
    NebulaRegistryEntry *entry = g_ptr_array_index (versions, i);

    if (entry->numbers[0] == wanted[0] && _nebula_registry_compare_numbers (entry->numbers, wanted) >= 0)
      return entry;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_ACTION,
               _("There is no version of the action “%s” that can stand for %s; the newest is %s. Install the version "
                 "or ask for another"),
               newest->id, version, newest->version);
  return NULL;
}

static NebulaActionInfo *
nebula_registry_lookup (NebulaActionResolver *resolver, const char *id, const char *version, GError **error)
{
  NebulaRegistry *self = NEBULA_REGISTRY (resolver);
  GPtrArray *versions = g_hash_table_lookup (self->by_id, id);
  NebulaRegistryEntry *entry;
  NebulaActionInfo *info;

  if (versions == NULL) {
    set_unknown (self, id, error);
    return NULL;
  }
  entry = find_version (versions, version, error);
  info = entry != NULL ? _nebula_registry_entry_get_info (entry, error) : NULL;
  return info != NULL ? nebula_action_info_ref (info) : NULL;
}

static NebulaRegistryEntry *
find_exactly (NebulaRegistry *self, NebulaActionInfo *info)
{
  GPtrArray *versions = g_hash_table_lookup (self->by_id, nebula_action_info_get_id (info));

  for (guint i = 0; versions != NULL && i < versions->len; i++) {
    NebulaRegistryEntry *entry = g_ptr_array_index (versions, i);

    if (g_str_equal (entry->version, nebula_action_info_get_version (info)))
      return entry;
  }
  return NULL;
}

static NebulaActionClass *
nebula_registry_load_class (NebulaActionResolver *resolver, NebulaActionInfo *info, GError **error)
{
  NebulaRegistry *self = NEBULA_REGISTRY (resolver);
  NebulaRegistryEntry *entry = find_exactly (self, info);
  GType type;

  if (entry == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_MISSING,
                 _("The action “%s” in version %s is not installed any more. Install its module again"),
                 nebula_action_info_get_id (info), nebula_action_info_get_version (info));
    return NULL;
  }
  if (entry->module == NULL)
    return g_type_class_ref (entry->type);

  if (_nebula_registry_get_isolation (self, entry->module) != NEBULA_ISOLATION_IN_PROCESS)
    return g_type_class_ref (nebula_hosted_action_get_type ());
  if (!nebula_module_load (entry->module, error))
    return NULL;
  type = g_type_from_name (nebula_action_info_get_type_name (info));
  /* Never given back: modules are resident. */
  return g_type_class_ref (type);
}

static NebulaAction *
nebula_registry_create (NebulaActionResolver *resolver, NebulaActionInfo *info, GError **error)
{
  NebulaRegistry *self = NEBULA_REGISTRY (resolver);
  NebulaRegistryEntry *entry = find_exactly (self, info);
  NebulaIsolation isolation = NEBULA_ISOLATION_IN_PROCESS;
  g_auto (GStrv) capabilities = NULL;
  NebulaActionClass *klass;

  if (entry != NULL && entry->module != NULL)
    isolation = _nebula_registry_get_isolation (self, entry->module);
  if (isolation == NEBULA_ISOLATION_SANDBOX)
    capabilities = _nebula_registry_dup_capabilities (self, entry->module);
  if (isolation != NEBULA_ISOLATION_IN_PROCESS)
    return nebula_host_pool_create_action (_nebula_registry_get_pool (self, self->host), entry->module, info, isolation,
                                           (const char *const *) capabilities);
  klass = nebula_registry_load_class (resolver, info, error);
  return klass != NULL ? g_object_new (G_TYPE_FROM_CLASS (klass), NULL) : NULL;
}

static NebulaFunctionSet *
nebula_registry_get_functions (NebulaActionResolver *resolver)
{
  return NEBULA_REGISTRY (resolver)->functions;
}

static void
nebula_registry_resolver_init (NebulaActionResolverInterface *iface)
{
  iface->get_functions = nebula_registry_get_functions;
  iface->lookup = nebula_registry_lookup;
  iface->load = nebula_registry_load_class;
  iface->create = nebula_registry_create;
}

NebulaRegistryHosting *
_nebula_registry_get_hosting (NebulaRegistry *self)
{
  return &self->hosting;
}

/**
 * nebula_registry_new:
 *
 * Makes a registry with the default search path, cache and host. It is empty until it is loaded.
 *
 * Returns: (transfer full): a new registry
 *
 * Since: 1.0
 */
NebulaRegistry *
nebula_registry_new (void)
{
  return g_object_new (NEBULA_TYPE_REGISTRY, NULL);
}

static gint64
get_timeout (NebulaRegistry *self)
{
  const char *text = g_getenv ("NEBULA_PROBE_TIMEOUT");
  gint64 usec = 0;

  if (text != NULL && nebula_duration_parse (text, &usec, NULL) && usec > 0)
    return usec;
  return self->probe_timeout_usec;
}

/* A file that was replaced after its module was loaded: the process goes on with what it has until it is restarted. */
static void
keep_loaded (GPtrArray *modules)
{
  for (guint i = 0; i < modules->len; i++) {
    NebulaModuleInfo *info = g_ptr_array_index (modules, i);
    g_autoptr (NebulaModuleInfo) loaded = nebula_module_ref_loaded (nebula_module_info_get_id (info));

    if (loaded == NULL || !g_str_equal (nebula_module_info_get_path (loaded), nebula_module_info_get_path (info)))
      continue;
    g_ptr_array_index (modules, i) = g_steal_pointer (&loaded);
    nebula_module_info_unref (info);
  }
}

/**
 * nebula_registry_load:
 * @self: a registry
 *
 * Searches the folders of the search path, reads the cache and probes what is new or changed. May be called again; a
 * module that is loaded into the process already stays as it is until the next start.
 *
 * A module that is broken or refused is no error: nebula_registry_list_modules() tells the reason.
 *
 * Errors: none today.
 *
 * Returns: %TRUE
 *
 * Since: 1.0
 */
gboolean
nebula_registry_load (NebulaRegistry *self, GError **error)
{
  g_auto (GStrv) search_path = NULL;
  g_autofree char *cache_file = NULL;
  GPtrArray *modules;

  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  search_path = self->search_path != NULL ? g_strdupv (self->search_path) : nebula_registry_get_default_search_path ();
  cache_file = self->cache_file != NULL ? g_strdup (self->cache_file)
                                        : g_build_filename (g_get_user_cache_dir (), "nebula", "modules-1.cache", NULL);

  modules = _nebula_registry_scan ((const char *const *) search_path, cache_file, self->host, get_timeout (self),
                                    &self->hosting);
  keep_loaded (modules);
  g_ptr_array_unref (self->modules);
  self->modules = modules;
  index_all (self);
  return TRUE;
}

/**
 * nebula_registry_add_action:
 * @self: a registry
 * @action_type: a type derived from #NebulaAction
 *
 * Makes an action from code known, without a module.
 *
 * Errors: %NEBULA_ERROR_EXISTS (terminal) if this version of it is known already;
 * those of nebula_action_info_new_from_class().
 *
 * Returns: %TRUE if it is known now
 *
 * Since: 1.0
 */
gboolean
nebula_registry_add_action (NebulaRegistry *self, GType action_type, GError **error)
{
  g_autoptr (NebulaActionInfo) info = NULL;
  NebulaRegistryEntry *entry;

  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), FALSE);
  g_return_val_if_fail (g_type_is_a (action_type, NEBULA_TYPE_ACTION), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  info = nebula_action_info_new_from_class (g_type_class_ref (action_type), NULL, error);
  if (info == NULL)
    return FALSE;
  if (find_exactly (self, info) != NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS, _("The action “%s” is known already in version %s"),
                 nebula_action_info_get_id (info), nebula_action_info_get_version (info));
    return FALSE;
  }

  entry = g_new0 (NebulaRegistryEntry, 1);
  entry->id = nebula_action_info_get_id (info);
  entry->version = nebula_action_info_get_version (info);
  _nebula_registry_parse_version (entry->version, entry->numbers, NULL);
  entry->type = action_type;
  entry->info = g_steal_pointer (&info);
  g_ptr_array_add (self->added, entry);
  index_entry (self, entry);
  g_ptr_array_sort (self->entries, _nebula_registry_compare_ids);
  return TRUE;
}

/**
 * nebula_registry_list_actions:
 * @self: a registry
 *
 * All actions, sorted by id; of several versions the newest comes first.
 *
 * Returns: (transfer container) (element-type NebulaActionInfo): a new array
 *
 * Since: 1.0
 */
GPtrArray *
nebula_registry_list_actions (NebulaRegistry *self)
{
  GPtrArray *infos;

  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), NULL);

  infos = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_action_info_unref);
  for (guint i = 0; i < self->entries->len; i++) {
    NebulaActionInfo *info = _nebula_registry_entry_get_info (g_ptr_array_index (self->entries, i), NULL);

    if (info != NULL)
      g_ptr_array_add (infos, nebula_action_info_ref (info));
  }
  return infos;
}

/**
 * nebula_registry_list_modules:
 * @self: a registry
 *
 * All modules of the search path, sorted by id, with those that are broken or refused.
 *
 * Returns: (transfer container) (element-type NebulaModuleInfo): a new array
 *
 * Since: 1.0
 */
GPtrArray *
nebula_registry_list_modules (NebulaRegistry *self)
{
  GPtrArray *infos;

  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), NULL);

  infos = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_module_info_unref);
  for (guint i = 0; i < self->modules->len; i++)
    g_ptr_array_add (infos, nebula_module_info_ref (g_ptr_array_index (self->modules, i)));
  return infos;
}

/**
 * nebula_registry_search:
 * @self: a registry
 * @text: words, all of which must be found
 * @limit: how many at most
 *
 * Searches id, title, category and description without regard to case. The id weighs most, then the title.
 *
 * Returns: (transfer container) (element-type NebulaActionInfo): a new array, best first
 *
 * Since: 1.0
 */
GPtrArray *
nebula_registry_search (NebulaRegistry *self, const char *text, guint limit)
{
  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), NULL);
  g_return_val_if_fail (text != NULL, NULL);

  return _nebula_registry_rank (self->entries, text, limit);
}

static void
on_folder_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, NebulaRegistry *self)
{
  GFile *changed = event == G_FILE_MONITOR_EVENT_RENAMED ? other : file;
  g_autofree char *name = NULL;
  g_autofree char *path = NULL;

  if (event != G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT && event != G_FILE_MONITOR_EVENT_MOVED_IN &&
      event != G_FILE_MONITOR_EVENT_RENAMED)
    return;

  name = g_file_get_basename (changed);
  path = g_file_get_path (changed);
  if (name != NULL && path != NULL && nebula_module_file_is_name (name))
    g_signal_emit (self, signals[SIGNAL_MODULE_FOUND], 0, path);
}

static gboolean
watch_folder (NebulaRegistry *self, const char *folder, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (folder);
  GFileMonitor *monitor = g_file_monitor_directory (file, G_FILE_MONITOR_WATCH_MOVES, NULL, error);

  if (monitor == NULL)
    return FALSE;
  g_signal_connect (monitor, "changed", G_CALLBACK (on_folder_changed), self);
  g_ptr_array_add (self->monitors, monitor);
  return TRUE;
}

/**
 * nebula_registry_watch:
 * @self: a registry
 *
 * Watches the folders of the search path that exist: ::module-found is emitted in the context of this call. Nothing
 * is loaded by itself.
 *
 * Errors: any %G_IO_ERROR if a folder cannot be watched.
 *
 * Returns: %TRUE if all are watched
 *
 * Since: 1.0
 */
gboolean
nebula_registry_watch (NebulaRegistry *self, GError **error)
{
  g_auto (GStrv) search_path = NULL;

  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (self->monitors->len > 0)
    return TRUE;
  search_path = self->search_path != NULL ? g_strdupv (self->search_path) : nebula_registry_get_default_search_path ();
  for (guint i = 0; search_path[i] != NULL; i++) {
    if (g_file_test (search_path[i], G_FILE_TEST_IS_DIR) && !watch_folder (self, search_path[i], error))
      return FALSE;
  }
  return TRUE;
}
