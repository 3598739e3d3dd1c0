/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The only file that calls libltdl, which is not thread safe: one lock around all of it. Modules are opened local and
 * resident, by a descriptor that stays open for ever, because the linker knows a file by its name and
 * `/proc/self/fd/N` must never name another one. One version of a module is loaded per process.
 */
#include <dlfcn.h>
#include <glib/gi18n-lib.h>
#include <ltdl.h>
#include <string.h>
#include <unistd.h>

#include "nebula-module-internal.h"

static GMutex lock;       /* guards loaded and libltdl */
static GHashTable *loaded; /* id → NebulaModuleInfo that was loaded */
static GHashTable *calls;  /* id → names → NebulaForeignCall */

static gboolean
is_same_file (NebulaModuleInfo *first, NebulaModuleInfo *second)
{
  NebulaModuleKey a, b;

  nebula_module_info_get_key (first, &a);
  nebula_module_info_get_key (second, &b);
  return a.device == b.device && a.inode == b.inode && a.size_bytes == b.size_bytes && a.mtime_nsec == b.mtime_nsec;
}

static gboolean
check_unchanged (NebulaModuleInfo *info, const NebulaModuleKey *key, GError **error)
{
  NebulaModuleKey known;

  nebula_module_info_get_key (info, &known);
  if (known.device == key->device && known.inode == key->inode && known.size_bytes == key->size_bytes &&
      known.mtime_nsec == key->mtime_nsec)
    return TRUE;

  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
               _("“%s” changed since it was probed. Load the registry again"), nebula_module_info_get_path (info));
  return FALSE;
}

/* A second type of the same name cannot be registered, and its module would run on with the type 0. */
static gboolean
check_types (NebulaModuleInfo *info, GError **error)
{
  g_auto (GStrv) types = nebula_module_info_dup_types (info);

  for (char **type = types; *type != NULL; type++) {
    if (g_type_from_name (*type) == G_TYPE_INVALID)
      continue;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("The module “%s” cannot be loaded: another module has registered its type %s. Remove one of the two"),
                 nebula_module_info_get_id (info), *type);
    return FALSE;
  }
  return TRUE;
}

/* libltdl hides why a file does not load, so the linker is asked first; libltdl then finds the file open already. */
static lt_dlhandle
open_handle (const char *path, GError **error)
{
  lt_dladvise advise = NULL;
  lt_dlhandle handle = NULL;

  if (dlopen (path, RTLD_NOW | RTLD_LOCAL) == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, _("The module does not load: %s"), dlerror ());
    return NULL;
  }
  if (lt_dlinit () == 0 && lt_dladvise_init (&advise) == 0) {
    lt_dladvise_local (&advise);
    lt_dladvise_resident (&advise);
    handle = lt_dlopenadvise (path, advise);
    lt_dladvise_destroy (&advise);
  }
  if (handle == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, _("The module does not load: %s"), lt_dlerror ());
  return handle;
}

static gboolean
check_registered (NebulaModuleInfo *info, GError **error)
{
  for (guint i = 0; i < nebula_module_info_get_n_actions (info); i++) {
    g_autoptr (NebulaActionInfo) action = nebula_module_info_read_action (info, i, error);
    GType type;

    if (action == NULL)
      return FALSE;
    type = g_type_from_name (nebula_action_info_get_type_name (action));
    if (type != G_TYPE_INVALID && g_type_is_a (type, NEBULA_TYPE_ACTION))
      continue;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("The module “%s” did not register the action “%s” that its catalogue names"),
                 nebula_module_info_get_id (info), nebula_action_info_get_id (action));
    return FALSE;
  }
  return TRUE;
}

static gboolean
load_file (NebulaModuleInfo *info, int fd, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  const NebulaModuleDescriptor *descriptor;
  g_auto (NebulaModuleRegistered) registered = { 0 };
  lt_dlhandle handle = open_handle (path, error);

  if (handle == NULL)
    return FALSE;
  descriptor = lt_dlsym (handle, NEBULA_MODULE_SYMBOL);
  if (descriptor == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, _("The module “%s” exports no descriptor"),
                 nebula_module_info_get_id (info));
    return FALSE;
  }
  if (!nebula_module_descriptor_check (descriptor, nebula_module_info_get_id (info), error)) {
    g_prefix_error (error, _("The module “%s” "), nebula_module_info_get_id (info));
    return FALSE;
  }
  if (!nebula_module_descriptor_register (descriptor, &registered, error) || !check_registered (info, error))
    return FALSE;
  if (calls == NULL)
    calls = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
  g_hash_table_insert (calls, g_strdup (nebula_module_info_get_id (info)), g_steal_pointer (&registered.calls));
  return TRUE;
}

static gboolean
load_locked (NebulaModuleInfo *info, GError **error)
{
  NebulaModuleInfo *same_id;
  NebulaModuleKey key;
  int fd;

  if (loaded == NULL)
    loaded = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) nebula_module_info_unref);
  same_id = g_hash_table_lookup (loaded, nebula_module_info_get_id (info));
  if (same_id != NULL) {
    if (is_same_file (same_id, info))
      return TRUE;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("Another version of the module “%s” is loaded already. Restart to use this one"),
                 nebula_module_info_get_id (info));
    return FALSE;
  }

  fd = nebula_module_file_open (nebula_module_info_get_path (info), &key, error);
  if (fd < 0)
    return FALSE;
  if (!check_unchanged (info, &key, error) || !check_types (info, error)) {
    close (fd); /* nothing was opened under its number yet */
    return FALSE;
  }

  /* From here on the descriptor stays open, whatever happens. */
  if (!load_file (info, fd, error))
    return FALSE;
  g_hash_table_insert (loaded, (gpointer) nebula_module_info_get_id (info), nebula_module_info_ref (info));
  return TRUE;
}

gboolean
nebula_module_load (NebulaModuleInfo *info, GError **error)
{
  gboolean done;

  if (nebula_module_info_get_status (info) != NEBULA_MODULE_STATUS_OK)
    return nebula_module_info_set_error (info, error);

  g_mutex_lock (&lock);
  done = load_locked (info, error);
  g_mutex_unlock (&lock);
  return done;
}

/**
 * nebula_module_info_load:
 * @self: a module
 * @error: where to put an error
 *
 * Loads a module into this process, if it is not there yet. Actions are loaded by themselves when they first run; this is
 * for a module that brings something else, such as a sink for the log.
 *
 * Thread: any, locked.
 *
 * Errors: %NEBULA_ERROR_MODULE_BROKEN, %NEBULA_ERROR_MODULE_ABI, %NEBULA_ERROR_MODULE_REFUSED (terminal).
 *
 * Returns: whether it is loaded
 *
 * Since: 1.0
 */
gboolean
nebula_module_info_load (NebulaModuleInfo *self, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return nebula_module_load (self, error);
}

NebulaForeignCall
nebula_module_load_function (NebulaModuleInfo *info, const char *name, GError **error)
{
  GHashTable *names;
  NebulaForeignCall call = NULL;

  if (!nebula_module_load (info, error))
    return NULL;
  g_mutex_lock (&lock);
  names = g_hash_table_lookup (calls, nebula_module_info_get_id (info));
  if (names != NULL)
    call = (NebulaForeignCall) g_hash_table_lookup (names, name);
  g_mutex_unlock (&lock);
  if (call == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                 _("The module “%s” did not register the function “%s” that its catalogue names"),
                 nebula_module_info_get_id (info), name);
  return call;
}

NebulaModuleInfo *
nebula_module_ref_loaded (const char *id)
{
  NebulaModuleInfo *info;

  g_mutex_lock (&lock);
  info = loaded != NULL ? g_hash_table_lookup (loaded, id) : NULL;
  if (info != NULL)
    nebula_module_info_ref (info);
  g_mutex_unlock (&lock);
  return info;
}
