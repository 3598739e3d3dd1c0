/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GSettings reads from: a table that is replaced as a whole. Written keys go into the table until then. */
#include "nebula-config-private.h"

#include <string.h>

struct _NebulaConfigBackend
{
  GSettingsBackend parent_instance;

  GMutex lock; /* guards the table; GSettings may read in any thread */
  GHashTable *table;
  GHashTable *watched; /* path of a tenant, with its end → GSettingsSchema */
};

G_DEFINE_FINAL_TYPE (NebulaConfigBackend, _nebula_config_backend, G_TYPE_SETTINGS_BACKEND)

static const char *
strip_path (const char *key)
{
  return g_str_has_prefix (key, NEBULA_CONFIG_PATH) ? key + strlen (NEBULA_CONFIG_PATH) : key;
}

static GVariant *
nebula_config_backend_read (GSettingsBackend *backend,
                            const char *key,
                            const GVariantType *expected_type,
                            gboolean default_value)
{
  NebulaConfigBackend *self = NEBULA_CONFIG_BACKEND (backend);
  g_autoptr (GVariant) variant = default_value ? NULL : _nebula_config_backend_lookup (self, strip_path (key));

  return variant && g_variant_is_of_type (variant, expected_type) ? g_steal_pointer (&variant) : NULL;
}

static void
put (NebulaConfigBackend *self, const char *key, GVariant *variant)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (variant)
    g_hash_table_replace (self->table, g_strdup (strip_path (key)), g_variant_ref_sink (variant));
  else
    g_hash_table_remove (self->table, strip_path (key));
}

static gboolean
nebula_config_backend_write (GSettingsBackend *backend, const char *key, GVariant *variant, gpointer origin_tag)
{
  put (NEBULA_CONFIG_BACKEND (backend), key, variant);
  g_settings_backend_changed (backend, key, origin_tag);
  return TRUE;
}

static gboolean
write_one (gpointer key, gpointer variant, gpointer data)
{
  put (data, key, variant);
  return FALSE;
}

static gboolean
nebula_config_backend_write_tree (GSettingsBackend *backend, GTree *tree, gpointer origin_tag)
{
  g_tree_foreach (tree, write_one, backend);
  g_settings_backend_changed_tree (backend, tree, origin_tag);
  return TRUE;
}

static void
nebula_config_backend_reset (GSettingsBackend *backend, const char *key, gpointer origin_tag)
{
  put (NEBULA_CONFIG_BACKEND (backend), key, NULL);
  g_settings_backend_changed (backend, key, origin_tag);
}

static gboolean
nebula_config_backend_get_writable (GSettingsBackend *backend, const char *key)
{
  return TRUE;
}

static void
nebula_config_backend_finalize (GObject *object)
{
  NebulaConfigBackend *self = NEBULA_CONFIG_BACKEND (object);

  g_hash_table_unref (self->watched);
  g_hash_table_unref (self->table);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (_nebula_config_backend_parent_class)->finalize (object);
}

static void
_nebula_config_backend_class_init (NebulaConfigBackendClass *klass)
{
  GSettingsBackendClass *backend_class = G_SETTINGS_BACKEND_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = nebula_config_backend_finalize;
  backend_class->read = nebula_config_backend_read;
  backend_class->write = nebula_config_backend_write;
  backend_class->write_tree = nebula_config_backend_write_tree;
  backend_class->reset = nebula_config_backend_reset;
  backend_class->get_writable = nebula_config_backend_get_writable;
}

static void
_nebula_config_backend_init (NebulaConfigBackend *self)
{
  g_mutex_init (&self->lock);
  self->table = _nebula_config_table_new ();
  self->watched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_settings_schema_unref);
}

GHashTable *
_nebula_config_table_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
}

NebulaConfigBackend *
_nebula_config_backend_new (void)
{
  return g_object_new (NEBULA_TYPE_CONFIG_BACKEND, NULL);
}

static void
collect_changed (GHashTable *from, GHashTable *to, gboolean only_missing, GPtrArray *changed)
{
  GHashTableIter iter;
  gpointer key = NULL, variant = NULL;

  g_hash_table_iter_init (&iter, from);
  while (g_hash_table_iter_next (&iter, &key, &variant)) {
    GVariant *other = g_hash_table_lookup (to, key);

    if (other ? !only_missing && !g_variant_equal (variant, other) : TRUE)
      g_ptr_array_add (changed, g_strdup (key));
  }
}

GVariant *
_nebula_config_backend_lookup (NebulaConfigBackend *self, const char *path)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GVariant *variant = g_hash_table_lookup (self->table, path);
  const char *general = _nebula_config_path_get_general (path);

  if (!variant && general)
    variant = g_hash_table_lookup (self->table, general);
  return variant ? g_variant_ref (variant) : NULL;
}

void
_nebula_config_backend_watch (NebulaConfigBackend *self, const char *path, GSettingsSchema *schema)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (_nebula_config_path_get_general (strip_path (path)))
    g_hash_table_replace (self->watched, g_strdup (strip_path (path)), g_settings_schema_ref (schema));
}

GPtrArray *
_nebula_config_backend_list (NebulaConfigBackend *self)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GHashTableIter iter;
  gpointer path = NULL;

  g_hash_table_iter_init (&iter, self->table);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    g_ptr_array_add (paths, g_strdup (path));
  return paths;
}

/* With the lock held: tenants that say nothing themselves have what changed for all. */
static void
add_inherited (NebulaConfigBackend *self, const char *key, GPtrArray *paths)
{
  GHashTableIter iter;
  gpointer owner = NULL, schema = NULL;

  g_hash_table_iter_init (&iter, self->watched);
  while (g_hash_table_iter_next (&iter, &owner, &schema)) {
    g_autofree char *path = g_strconcat (owner, key, NULL);

    if (g_settings_schema_has_key (schema, key) && !g_hash_table_contains (self->table, path))
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }
}

static void
tell (NebulaConfigBackend *self, GPtrArray *paths)
{
  for (guint i = 0; i < paths->len; i++) {
    g_autofree char *path = g_strconcat (NEBULA_CONFIG_PATH, g_ptr_array_index (paths, i), NULL);

    g_settings_backend_changed (G_SETTINGS_BACKEND (self), path, NULL);
  }
}

GPtrArray *
_nebula_config_backend_replace (NebulaConfigBackend *self, GHashTable *table)
{
  GPtrArray *changed = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) inherited = g_ptr_array_new_with_free_func (g_free);

  g_mutex_lock (&self->lock);
  collect_changed (self->table, table, FALSE, changed);
  collect_changed (table, self->table, TRUE, changed);
  g_hash_table_unref (self->table);
  self->table = g_hash_table_ref (table);
  for (guint i = 0; i < changed->len; i++)
    add_inherited (self, g_ptr_array_index (changed, i), inherited);
  g_mutex_unlock (&self->lock);
  tell (self, changed);
  tell (self, inherited);
  return changed;
}
