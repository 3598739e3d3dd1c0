/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The catalogue of all module files that were ever probed, as one memory-mapped file:
 *
 *    0  8 bytes  "NEBCAT03"
 *    8  8 bytes  checksum of all that follows (FNV-1a over words of 8 bytes, byte order of the machine)
 *   16           GVariant "(sa(stttxyussssasa(sss)sa(sss)))": version of Nebula, and one entry for each file
 *
 * Broken modules are entries too, so that they are not tried again until their file changes. A file that is cut,
 * damaged or of another version counts as empty and is written anew. Writing is a temporary file and a rename.
 */
#include "config.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "nebula-module-internal.h"

#define MAGIC "NEBCAT03"
#define HEADER_BYTES 16
#define CACHE_TYPE "(sa" NEBULA_MODULE_ENTRY_TYPE ")"

struct _NebulaModuleCache
{
  GVariant *root; /* NULL: empty */
  GHashTable *by_path; /* char * → GVariant entry */
};

static guint64
checksum (const guint8 *data, gsize size)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  while (size > 0) {
    guint64 word = 0;
    gsize n_bytes = MIN (size, sizeof word);

    memcpy (&word, data, n_bytes);
    hash = (hash ^ word) * G_GUINT64_CONSTANT (0x100000001b3);
    hash ^= hash >> 29;
    data += n_bytes;
    size -= n_bytes;
  }
  return hash;
}

static GVariant *
read_root (const char *file)
{
  g_autoptr (GMappedFile) map = g_mapped_file_new (file, FALSE, NULL);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GVariant) root = NULL;
  const guint8 *data;
  const char *version = NULL;
  guint64 expected;
  gsize size = 0;

  if (map == NULL)
    return NULL;
  bytes = g_mapped_file_get_bytes (map);
  data = g_bytes_get_data (bytes, &size);
  if (size <= HEADER_BYTES || memcmp (data, MAGIC, 8) != 0)
    return NULL;
  memcpy (&expected, data + 8, sizeof expected);
  if (checksum (data + HEADER_BYTES, size - HEADER_BYTES) != expected)
    return NULL;

  body = g_bytes_new_from_bytes (bytes, HEADER_BYTES, size - HEADER_BYTES);
  root = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (CACHE_TYPE), body, FALSE));
  g_variant_get_child (root, 0, "&s", &version);
  return g_str_equal (version, NEBULA_VERSION) ? g_steal_pointer (&root) : NULL;
}

NebulaModuleCache *
nebula_module_cache_open (const char *file)
{
  NebulaModuleCache *self = g_new0 (NebulaModuleCache, 1);
  g_autoptr (GVariant) entries = NULL;

  self->by_path = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
  self->root = read_root (file);
  if (self->root == NULL)
    return self;

  entries = g_variant_get_child_value (self->root, 1);
  for (gsize i = 0; i < g_variant_n_children (entries); i++) {
    GVariant *entry = g_variant_get_child_value (entries, i);
    char *path = NULL;

    g_variant_get_child (entry, 0, "s", &path);
    g_hash_table_replace (self->by_path, path, entry);
  }
  return self;
}

void
nebula_module_cache_free (NebulaModuleCache *self)
{
  g_hash_table_unref (self->by_path);
  g_clear_pointer (&self->root, g_variant_unref);
  g_free (self);
}

NebulaModuleInfo *
nebula_module_cache_lookup (NebulaModuleCache *self, const char *path, const NebulaModuleKey *key)
{
  GVariant *entry = g_hash_table_lookup (self->by_path, path);
  g_autoptr (NebulaModuleInfo) info = NULL;
  NebulaModuleKey known;

  if (entry == NULL)
    return NULL;

  info = nebula_module_info_new_from_entry (entry);
  nebula_module_info_get_key (info, &known);
  if (known.device != key->device || known.inode != key->inode || known.size_bytes != key->size_bytes ||
      known.mtime_nsec != key->mtime_nsec)
    return NULL;
  return g_steal_pointer (&info);
}

GPtrArray *
nebula_module_cache_list (NebulaModuleCache *self)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_module_info_unref);
  GHashTableIter iter;
  gpointer entry;

  g_hash_table_iter_init (&iter, self->by_path);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    g_ptr_array_add (infos, nebula_module_info_new_from_entry (entry));
  return infos;
}

static GBytes *
serialise (GPtrArray *infos)
{
  g_auto (GVariantBuilder) entries = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a" NEBULA_MODULE_ENTRY_TYPE));
  g_autoptr (GVariant) root = NULL;
  guint8 *data;
  guint64 sum;
  gsize size;

  for (guint i = 0; i < infos->len; i++)
    g_variant_builder_add_value (&entries, nebula_module_info_get_entry (g_ptr_array_index (infos, i)));
  root = g_variant_ref_sink (g_variant_new (CACHE_TYPE, NEBULA_VERSION, &entries));

  size = g_variant_get_size (root);
  data = g_malloc (HEADER_BYTES + size);
  memcpy (data, MAGIC, 8);
  g_variant_store (root, data + HEADER_BYTES);
  sum = checksum (data + HEADER_BYTES, size);
  memcpy (data + 8, &sum, sizeof sum);
  return g_bytes_new_take (data, HEADER_BYTES + size);
}

gboolean
nebula_module_cache_write (const char *file, GPtrArray *infos, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (file);
  g_autoptr (GBytes) bytes = serialise (infos);
  gsize size = 0;
  const char *data = g_bytes_get_data (bytes, &size);

  if (g_mkdir_with_parents (folder, 0700) != 0) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO, _("The folder “%s” cannot be made"), folder);
    return FALSE;
  }
  /* A temporary file and a rename. It is a cache: no need to wait for the disk. */
  return g_file_set_contents_full (file, data, (gssize) size, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}
