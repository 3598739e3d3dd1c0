/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks the search path: each file comes from the cache if it did not change, else it is probed. */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-registry-private.h"

typedef struct
{
  NebulaModuleCache *cache;
  const char *host;
  char *found_host; /* when host is NULL and one was needed */
  gint64 timeout_usec;
  GPtrArray *modules;   /* NebulaModuleInfo: the result */
  GPtrArray *cacheable; /* NebulaModuleInfo: what the cache should hold */
  GHashTable *folders;  /* seen */
  GHashTable *paths;    /* seen */
  GHashTable *versions; /* `id@version`: the first of equal ones wins */
  gboolean is_changed;  /* something was probed */
} Scan;

static const char *
get_host (Scan *scan)
{
  if (scan->host != NULL)
    return scan->host;
  if (scan->found_host == NULL)
    scan->found_host = nebula_module_find_host ();
  return scan->found_host;
}

static NebulaModuleInfo *
probe (Scan *scan, const char *path, const NebulaModuleKey *key, int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) catalogue = nebula_module_probe (get_host (scan), path, fd, scan->timeout_usec, &error);
  NebulaModuleInfo *info = NULL;

  if (catalogue != NULL)
    info = nebula_module_info_new_ok (path, key, catalogue, &error);
  if (info == NULL)
    info = nebula_module_info_new_failed (path, key, error);

  /* A host that did not start says nothing of the module. */
  if (error == NULL || error->domain == NEBULA_ERROR) {
    g_ptr_array_add (scan->cacheable, nebula_module_info_ref (info));
    scan->is_changed = TRUE;
  }
  return info;
}

static NebulaModuleInfo *
examine (Scan *scan, const char *path)
{
  g_autoptr (GError) error = NULL;
  NebulaModuleInfo *info;
  NebulaModuleKey key;
  int fd = nebula_module_file_open (path, &key, &error);

  if (fd < 0)
    return nebula_module_info_new_failed (path, NULL, error);

  info = nebula_module_cache_lookup (scan->cache, path, &key);
  if (info != NULL)
    g_ptr_array_add (scan->cacheable, nebula_module_info_ref (info));
  else
    info = probe (scan, path, &key, fd);
  close (fd);
  return info;
}

static void
scan_file (Scan *scan, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *version = NULL;
  g_autoptr (NebulaModuleInfo) info = NULL;

  if (!g_utf8_validate (path, -1, NULL))
    return;
  info = examine (scan, path);
  g_hash_table_add (scan->paths, g_strdup (path));

  if (nebula_module_info_get_status (info) == NEBULA_MODULE_STATUS_OK) {
    version = g_strdup_printf ("%s@%s", nebula_module_info_get_id (info), nebula_module_info_get_version (info));
    if (!g_hash_table_add (scan->versions, g_steal_pointer (&version)))
      return;
  }
  g_ptr_array_add (scan->modules, g_steal_pointer (&info));
}

static gint
compare_texts (gconstpointer first, gconstpointer second)
{
  return strcmp (*(const char *const *) first, *(const char *const *) second);
}

static void
scan_folder (Scan *scan, const char *folder)
{
  g_autoptr (GDir) dir = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (!g_path_is_absolute (folder) || !g_hash_table_add (scan->folders, g_strdup (folder)))
    return;
  dir = g_dir_open (folder, 0, NULL);
  if (dir == NULL)
    return;

  while ((name = g_dir_read_name (dir)) != NULL) {
    if (nebula_module_file_has_suffix (name))
      g_ptr_array_add (names, g_strdup (name));
  }
  g_ptr_array_sort (names, compare_texts);
  for (guint i = 0; i < names->len; i++)
    scan_file (scan, folder, g_ptr_array_index (names, i));
}

/* Other processes have other search paths: what they probed is kept as long as the files exist. */
static void
write_cache (Scan *scan, const char *cache_file)
{
  g_autoptr (GPtrArray) known = nebula_module_cache_list (scan->cache);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < known->len; i++) {
    NebulaModuleInfo *info = g_ptr_array_index (known, i);
    const char *path = nebula_module_info_get_path (info);

    if (!g_hash_table_contains (scan->paths, path) && g_file_test (path, G_FILE_TEST_EXISTS))
      g_ptr_array_add (scan->cacheable, nebula_module_info_ref (info));
  }
  if (!nebula_module_cache_write (cache_file, scan->cacheable, &error))
    g_debug ("The catalogue's cache is not written: %s", error->message);
}

static gint
compare_modules (gconstpointer first, gconstpointer second)
{
  return strcmp (nebula_module_info_get_id (*(NebulaModuleInfo *const *) first),
                 nebula_module_info_get_id (*(NebulaModuleInfo *const *) second));
}

static NebulaModuleInfo *
find_conflict (GHashTable *owners, NebulaModuleInfo *info, const char *const *types, const char **ret_owner)
{
  g_autoptr (GError) error = NULL;
  NebulaModuleKey key;

  for (guint i = 0; types[i] != NULL; i++) {
    const char *owner = g_hash_table_lookup (owners, types[i]);

    if (owner == NULL || g_str_equal (owner, nebula_module_info_get_id (info)))
      continue;
    nebula_module_info_get_key (info, &key);
    g_set_error (&error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("registers the type %s, which the module “%s” registers too. Remove one of the two"), types[i], owner);
    *ret_owner = owner;
    return nebula_module_info_new_failed (nebula_module_info_get_path (info), &key, error);
  }
  return NULL;
}

/* Of two modules with a type of the same name only the first can ever be loaded. */
static void
mark_conflicts (GPtrArray *modules)
{
  g_autoptr (GHashTable) owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (guint i = 0; i < modules->len; i++) {
    NebulaModuleInfo *info = g_ptr_array_index (modules, i);
    g_auto (GStrv) types = nebula_module_info_dup_types (info);
    const char *owner = NULL;
    NebulaModuleInfo *conflict = find_conflict (owners, info, (const char *const *) types, &owner);

    if (conflict != NULL) {
      g_ptr_array_index (modules, i) = conflict;
      nebula_module_info_unref (info);
      continue;
    }
    for (guint j = 0; types[j] != NULL; j++)
      g_hash_table_insert (owners, g_strdup (types[j]), g_strdup (nebula_module_info_get_id (info)));
  }
}

GPtrArray *
_nebula_registry_scan (const char *const *search_path, const char *cache_file, const char *host, gint64 timeout_usec)
{
  g_autoptr (NebulaModuleCache) cache = nebula_module_cache_open (cache_file);
  g_autoptr (GPtrArray) cacheable = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_module_info_unref);
  g_autoptr (GHashTable) folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) versions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Scan scan = { .cache = cache, .host = host, .timeout_usec = timeout_usec };

  scan.modules = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_module_info_unref);
  scan.cacheable = cacheable;
  scan.folders = folders;
  scan.paths = paths;
  scan.versions = versions;
  for (guint i = 0; search_path[i] != NULL; i++)
    scan_folder (&scan, search_path[i]);

  if (scan.is_changed)
    write_cache (&scan, cache_file);
  g_free (scan.found_host);
  g_ptr_array_sort (scan.modules, compare_modules);
  mark_conflicts (scan.modules);
  return scan.modules;
}

static void
add_folders (GStrvBuilder *builder, const char *const *folders)
{
  for (guint i = 0; folders != NULL && folders[i] != NULL; i++) {
    g_autofree char *folder = g_canonicalize_filename (folders[i], NULL);

    if (*folders[i] != '\0')
      g_strv_builder_add (builder, folder);
  }
}

/**
 * nebula_registry_make_search_path:
 * @folders: (nullable) (array zero-terminated=1): folders that come first, such as those of the setting `module-path`
 *
 * The folders of modules: those of `NEBULA_MODULE_PATH` or, if that is not set, @folders; then the user's own and the
 * installed one.
 *
 * Returns: (transfer full) (array zero-terminated=1): paths, the first first
 *
 * Since: 1.0
 */
char **
nebula_registry_make_search_path (const char *const *folders)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) given = NULL;
  g_autofree char *own = g_build_filename (g_get_user_data_dir (), "nebula", "modules", NULL);
  const char *path = g_getenv ("NEBULA_MODULE_PATH");

  if (path != NULL)
    given = g_strsplit (path, G_SEARCHPATH_SEPARATOR_S, -1);
  add_folders (builder, path != NULL ? (const char *const *) given : folders);
  g_strv_builder_add (builder, own);
  g_strv_builder_add (builder, NEBULA_MODULE_DIR);
  return g_strv_builder_end (builder);
}

/**
 * nebula_registry_get_default_search_path:
 *
 * The folders of modules: those of `NEBULA_MODULE_PATH`, the user's own, the installed one.
 *
 * Returns: (transfer full) (array zero-terminated=1): paths, the first first
 *
 * Since: 1.0
 */
char **
nebula_registry_get_default_search_path (void)
{
  return nebula_registry_make_search_path (NULL);
}
