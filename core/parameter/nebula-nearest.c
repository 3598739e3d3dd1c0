/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-nearest-internal.h"

#include <string.h>

#define MAX_LENGTH 64

/* Edit distance with two rows, over bytes; words longer than the limit count as far away. */
static guint
distance (const char *first, const char *second)
{
  guint rows[2][MAX_LENGTH + 1];
  gsize n_first = strlen (first);
  gsize n_second = strlen (second);
  guint *above = rows[0];
  guint *row = rows[1];

  if (n_first > MAX_LENGTH || n_second > MAX_LENGTH)
    return G_MAXUINT;

  for (guint j = 0; j <= n_second; j++)
    above[j] = j;

  for (guint i = 1; i <= n_first; i++) {
    guint *swap;

    row[0] = i;
    for (guint j = 1; j <= n_second; j++) {
      guint cost = g_ascii_tolower (first[i - 1]) == g_ascii_tolower (second[j - 1]) ? 0 : 1;

      row[j] = MIN (MIN (above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
    }
    swap = above;
    above = row;
    row = swap;
  }
  return above[n_second];
}

void
nebula_nearest_init (NebulaNearest *self, const char *word)
{
  gsize length = strlen (word);

  self->word = word;
  self->best = NULL;
  self->distance = (guint) MIN (length, MAX_LENGTH) / 3 + 2;
}

void
nebula_nearest_offer (NebulaNearest *self, const char *candidate)
{
  guint here = distance (self->word, candidate);

  if (here < self->distance) {
    self->distance = here;
    self->best = candidate;
  }
}
