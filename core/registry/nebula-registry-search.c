/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranked search: each word must be found; where it is found decides the place. Folded texts are made once. */
#include <string.h>

#include "nebula-registry-private.h"

typedef struct
{
  NebulaRegistryEntry *entry;
  guint score;
} Hit;

static const guint weights[NEBULA_REGISTRY_N_FIELDS] = { 40, 30, 15, 5 };

static gboolean
fold_entry (NebulaRegistryEntry *entry)
{
  NebulaActionInfo *info;

  if (entry->folded[0] != NULL)
    return TRUE;
  info = _nebula_registry_entry_get_info (entry, NULL);
  if (info == NULL)
    return FALSE;

  entry->folded[NEBULA_REGISTRY_FIELD_ID] = g_utf8_casefold (nebula_action_info_get_id (info), -1);
  entry->folded[NEBULA_REGISTRY_FIELD_TITLE] = g_utf8_casefold (nebula_action_info_get_title (info), -1);
  entry->folded[NEBULA_REGISTRY_FIELD_CATEGORY] = g_utf8_casefold (nebula_action_info_get_category (info), -1);
  entry->folded[NEBULA_REGISTRY_FIELD_DESCRIPTION] = g_utf8_casefold (nebula_action_info_get_description (info), -1);
  return TRUE;
}

/* The whole text counts four times, its beginning twice. */
static guint
score_field (const char *text, const char *word, guint weight)
{
  const char *found = strstr (text, word);

  if (found == NULL)
    return 0;
  if (found != text)
    return weight;
  return strcmp (text, word) == 0 ? weight * 4 : weight * 2;
}

static guint
score_entry (NebulaRegistryEntry *entry, GStrv words)
{
  guint total = 0;

  for (guint i = 0; words[i] != NULL; i++) {
    guint best = 0;

    for (guint field = 0; field < NEBULA_REGISTRY_N_FIELDS; field++)
      best = MAX (best, score_field (entry->folded[field], words[i], weights[field]));
    if (best == 0 && *words[i] != '\0')
      return 0;
    total += best;
  }
  return total;
}

static gint
compare_hits (gconstpointer first, gconstpointer second)
{
  const Hit *a = first;
  const Hit *b = second;

  if (a->score != b->score)
    return a->score > b->score ? -1 : 1;
  return strcmp (a->entry->id, b->entry->id);
}

GPtrArray *
_nebula_registry_rank (GPtrArray *entries, const char *text, guint limit)
{
  g_autofree char *folded = g_utf8_casefold (text, -1);
  g_auto (GStrv) words = g_strsplit_set (folded, " \t\n", -1);
  g_autoptr (GArray) hits = g_array_new (FALSE, FALSE, sizeof (Hit));
  GPtrArray *infos = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_action_info_unref);

  for (guint i = 0; i < entries->len; i++) {
    Hit hit = { g_ptr_array_index (entries, i), 0 };

    if (fold_entry (hit.entry))
      hit.score = score_entry (hit.entry, words);
    if (hit.score > 0)
      g_array_append_val (hits, hit);
  }

  g_array_sort (hits, compare_hits);
  for (guint i = 0; i < hits->len && i < limit; i++) {
    NebulaRegistryEntry *entry = g_array_index (hits, Hit, i).entry;

    g_ptr_array_add (infos, nebula_action_info_ref (entry->info));
  }
  return infos;
}
