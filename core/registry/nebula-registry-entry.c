/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Entries of the registry: what is read of them, and in which order they stand. */
#include <string.h>

#include "nebula-registry-private.h"

void
_nebula_registry_entry_free (NebulaRegistryEntry *entry)
{
  for (guint i = 0; i < NEBULA_REGISTRY_N_FIELDS; i++)
    g_free (entry->folded[i]);
  g_clear_pointer (&entry->info, nebula_action_info_unref);
  g_clear_pointer (&entry->module, nebula_module_info_unref);
  g_free (entry);
}

NebulaActionInfo *
_nebula_registry_entry_get_info (NebulaRegistryEntry *self, GError **error)
{
  if (self->info == NULL)
    self->info = nebula_module_info_read_action (self->module, self->index, error);
  return self->info;
}

/* `1`, `1.2` or `1.2.3`; what is not there is 0. */
gboolean
_nebula_registry_parse_version (const char *text, guint numbers[3], guint *ret_count)
{
  g_auto (GStrv) parts = g_strsplit (text, ".", -1);
  guint count = g_strv_length (parts);

  numbers[0] = numbers[1] = numbers[2] = 0;
  if (count < 1 || count > 3)
    return FALSE;
  for (guint i = 0; i < count; i++) {
    guint64 number = 0;

    if (!g_ascii_string_to_unsigned (parts[i], 10, 0, 999999999, &number, NULL))
      return FALSE;
    numbers[i] = (guint) number;
  }
  if (ret_count != NULL)
    *ret_count = count;
  return TRUE;
}

gint
_nebula_registry_compare_numbers (const guint first[3], const guint second[3])
{
  for (guint i = 0; i < 3; i++) {
    if (first[i] != second[i])
      return first[i] < second[i] ? -1 : 1;
  }
  return 0;
}

gint
_nebula_registry_compare_newest (gconstpointer first, gconstpointer second)
{
  const NebulaRegistryEntry *a = *(NebulaRegistryEntry *const *) first;
  const NebulaRegistryEntry *b = *(NebulaRegistryEntry *const *) second;

  return _nebula_registry_compare_numbers (b->numbers, a->numbers);
}

gint
_nebula_registry_compare_ids (gconstpointer first, gconstpointer second)
{
  const NebulaRegistryEntry *a = *(NebulaRegistryEntry *const *) first;
  const NebulaRegistryEntry *b = *(NebulaRegistryEntry *const *) second;
  gint order = strcmp (a->id, b->id);

  return order != 0 ? order : _nebula_registry_compare_newest (first, second);
}
