/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the code of each module runs: in this process, or in hosts. */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-registry-private.h"
#include "nebula-sync-internal.h"

static const char *const level_names[] = { "in-process", "process", "sandbox", NULL };

void
_nebula_registry_hosting_init (NebulaRegistryHosting *self)
{
  nebula_host_options_init (&self->options);
  self->levels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->granted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  g_mutex_init (&self->lock);
  self->pools = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, (GDestroyNotify) nebula_host_pool_free);
}

void
_nebula_registry_hosting_clear (NebulaRegistryHosting *self)
{
  g_clear_pointer (&self->pools, g_hash_table_unref);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->levels, g_hash_table_unref);
  g_clear_pointer (&self->granted, g_hash_table_unref);
  nebula_host_options_clear (&self->options);
}

NebulaHostPool *
_nebula_registry_get_pool (NebulaRegistry *self, const char *host)
{
  NebulaRegistryHosting *hosting = _nebula_registry_get_hosting (self);
  gpointer context = g_main_context_get_thread_default ();
  NebulaHostPool *pool;
  NEBULA_SYNC_AUTO (guard, &hosting->lock);

  pool = g_hash_table_lookup (hosting->pools, context);
  if (pool != NULL)
    return pool;
  if (hosting->options.program == NULL)
    hosting->options.program = g_strdup (host);
  pool = nebula_host_pool_new (&hosting->options);
  g_hash_table_insert (hosting->pools, context, pool);
  return pool;
}

/* A script is never ours to run here; what ships with the library is, and nothing else. */
NebulaIsolation
_nebula_registry_hosting_get_isolation (NebulaRegistryHosting *self, const char *path)
{
  g_autofree char *id = nebula_module_file_get_id (path);
  gboolean is_script = nebula_module_file_is_script (path);
  gpointer level = NULL;

  if (g_hash_table_lookup_extended (self->levels, id, NULL, &level) ||
      g_hash_table_lookup_extended (self->levels, "*", NULL, &level))
    return is_script ? MAX ((NebulaIsolation) GPOINTER_TO_INT (level), NEBULA_ISOLATION_PROCESS)
                     : (NebulaIsolation) GPOINTER_TO_INT (level);
  return !is_script && nebula_module_is_shipped (path) ? NEBULA_ISOLATION_IN_PROCESS : NEBULA_ISOLATION_PROCESS;
}

NebulaIsolation
_nebula_registry_get_isolation (NebulaRegistry *self, NebulaModuleInfo *module)
{
  return _nebula_registry_hosting_get_isolation (_nebula_registry_get_hosting (self),
                                                 nebula_module_info_get_path (module));
}

static void
add_granted (GPtrArray *found, NebulaActionInfo *info, GPtrArray *granted)
{
  const char *const *declared = nebula_action_info_get_capabilities (info);

  for (guint i = 0; declared[i] != NULL; i++)
    if (g_ptr_array_find_with_equal_func (granted, declared[i], g_str_equal, NULL) &&
        !g_ptr_array_find_with_equal_func (found, declared[i], g_str_equal, NULL))
      g_ptr_array_add (found, g_strdup (declared[i]));
}

GStrv
_nebula_registry_dup_capabilities (NebulaRegistry *self, NebulaModuleInfo *module)
{
  GHashTable *all = _nebula_registry_get_hosting (self)->granted;
  GPtrArray *granted = g_hash_table_lookup (all, nebula_module_info_get_id (module));
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; granted != NULL && i < nebula_module_info_get_n_actions (module); i++) {
    g_autoptr (NebulaActionInfo) info = nebula_module_info_read_action (module, i, NULL);

    if (info != NULL)
      add_granted (found, info, granted);
  }
  g_ptr_array_add (found, NULL);
  return (GStrv) g_ptr_array_free (found, FALSE);
}

static gboolean
refuse (const char *key, GError **error)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _("The option “%s” of module hosts is unknown or has a value that does not fit"), key);
  return FALSE;
}

static gboolean
read_levels (NebulaRegistryHosting *self, NebulaValue *levels, GError **error)
{
  if (nebula_value_get_kind (levels) != NEBULA_VALUE_KIND_OBJECT)
    return refuse ("isolation", error);
  for (gsize i = 0; i < nebula_value_get_length (levels); i++) {
    const char *id = nebula_value_get_key (levels, i, NULL);
    const char *name = nebula_value_get_member_string (levels, id, "");
    gint level = 0;

    while (level_names[level] != NULL && !g_str_equal (level_names[level], name))
      level++;
    if (level_names[level] == NULL)
      return refuse (id, error);
    g_hash_table_insert (self->levels, g_strdup (id), GINT_TO_POINTER (level));
  }
  return TRUE;
}

/* {"greet": ["net", "read=/srv"]} */
static gboolean
read_granted (NebulaRegistryHosting *self, NebulaValue *granted, GError **error)
{
  if (nebula_value_get_kind (granted) != NEBULA_VALUE_KIND_OBJECT)
    return refuse ("capabilities", error);
  for (gsize i = 0; i < nebula_value_get_length (granted); i++) {
    NebulaValue *list = nebula_value_get_member_at (granted, i);
    GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

    g_hash_table_insert (self->granted, g_strdup (nebula_value_get_key (granted, i, NULL)), texts);
    if (nebula_value_get_kind (list) != NEBULA_VALUE_KIND_ARRAY)
      return refuse ("capabilities", error);
    for (gsize j = 0; j < nebula_value_get_length (list); j++)
      g_ptr_array_add (texts, nebula_value_to_text (nebula_value_get_item (list, j)));
  }
  return TRUE;
}

static gboolean
read_text (NebulaHostOptions *options, const char *key, const char *text)
{
  char **member = NULL;

  if (g_str_equal (key, "program"))
    member = &options->program;
  else if (g_str_equal (key, "quarantine-file"))
    member = &options->quarantine_file;
  if (member == NULL)
    return FALSE;
  g_free (*member);
  *member = g_strdup (text);
  return TRUE;
}

static gboolean
read_number (NebulaHostOptions *options, const char *key, gint64 number)
{
  const struct
  {
    const char *key;
    gint64 *usec;
    guint *count;
  } members[] = {
    { "grace", &options->grace_usec, NULL },   { "function-timeout", &options->function_usec, NULL },
    { "start", &options->start_usec, NULL },
    { "back-off", &options->back_off_usec, NULL }, { "age", &options->age_usec, NULL },
    { "idle", &options->idle_usec, NULL },     { "calls", NULL, &options->n_calls },
    { "processes", NULL, &options->n_processes },
  };

  if (number < 0)
    return FALSE;
  if (g_str_equal (key, "memory")) {
    options->memory_bytes = (guint64) number;
    return TRUE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++) {
    if (!g_str_equal (key, members[i].key))
      continue;
    if (members[i].usec != NULL)
      *members[i].usec = number;
    else
      *members[i].count = (guint) MIN (number, G_MAXINT);
    return TRUE;
  }
  return FALSE;
}

static gboolean
read_option (NebulaRegistryHosting *self, const char *key, NebulaValue *value, GError **error)
{
  gboolean is_good = FALSE;

  if (g_str_equal (key, "isolation"))
    return read_levels (self, value, error);
  if (g_str_equal (key, "capabilities"))
    return read_granted (self, value, error);
  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING)
    is_good = read_text (&self->options, key, nebula_value_get_string (value));
  else if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_INTEGER)
    is_good = read_number (&self->options, key, nebula_value_get_integer (value));
  return is_good || refuse (key, error);
}

/**
 * nebula_registry_set_hosting:
 * @self: a registry
 * @options: an object
 * @error: where to put an error
 *
 * Says where modules run and how their hosts are kept. To be called before an action is used; members that are left out
 * stay as they are:
 *
 * - `isolation`: an object of module ids, or `*` for all that are not named, and `in-process`, `process` or `sandbox`.
 *   By default modules that ship with the library run in the process, all others in hosts. Scripts never run in the process.
 * - `capabilities`: an object of module ids and arrays: what a sandbox allows of that which the module declares, such as
 *   `net`, `read=/srv` or `write=/srv/out`
 * - `grace`, `start`, `back-off`: microseconds from a cancel to the kill, until a host must be ready, and before its second
 *   restart
 * - `function-timeout`: microseconds that the call of a function in an expression may take
 * - `calls`, `age`, `idle`, `memory`: after how many calls, microseconds, microseconds without work and above how many bytes
 *   a host is replaced; 0 is never
 * - `processes`: hosts of one module at once
 * - `program`, `quarantine-file`: paths
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal).
 *
 * Returns: whether all is set
 *
 * Since: 1.0
 */
gboolean
nebula_registry_set_hosting (NebulaRegistry *self, NebulaValue *options, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), FALSE);
  g_return_val_if_fail (options != NULL && nebula_value_get_kind (options) == NEBULA_VALUE_KIND_OBJECT, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  for (gsize i = 0; i < nebula_value_get_length (options); i++)
    if (!read_option (_nebula_registry_get_hosting (self), nebula_value_get_key (options, i, NULL),
                      nebula_value_get_member_at (options, i), error))
      return FALSE;
  return TRUE;
}

/**
 * nebula_registry_get_isolation:
 * @self: a registry
 * @module: one of its modules
 *
 * Where the code of a module runs.
 *
 * Returns: `in-process`, `process` or `sandbox`
 *
 * Since: 1.0
 */
const char *
nebula_registry_get_isolation (NebulaRegistry *self, NebulaModuleInfo *module)
{
  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), NULL);
  g_return_val_if_fail (module != NULL, NULL);

  return level_names[_nebula_registry_get_isolation (self, module)];
}

/**
 * nebula_registry_get_quarantine_reason:
 * @self: a registry
 * @module: one of its modules
 *
 * Why a module that can be used is not run: it killed its host again and again.
 *
 * Returns: (transfer full) (nullable): a sentence; %NULL if it is run
 *
 * Since: 1.0
 */
char *
nebula_registry_get_quarantine_reason (NebulaRegistry *self, NebulaModuleInfo *module)
{
  const char *chosen;
  g_autofree char *file = NULL;

  g_return_val_if_fail (NEBULA_IS_REGISTRY (self), NULL);
  g_return_val_if_fail (module != NULL, NULL);

  if (_nebula_registry_get_isolation (self, module) == NEBULA_ISOLATION_IN_PROCESS)
    return NULL;
  chosen = _nebula_registry_get_hosting (self)->options.quarantine_file;
  file = chosen != NULL ? g_strdup (chosen) : nebula_quarantine_get_default_file ();
  return nebula_quarantine_look_up_module (file, module);
}
