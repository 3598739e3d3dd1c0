/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Keeps the nearest of many words, for hints such as “did you mean …?”. Start with { .word = …, .limit = 0 } by
 * nebula_nearest_init (), offer each candidate, read `best` (borrowed from the candidates, NULL if none is near).
 */
typedef struct
{
  const char *word;
  const char *best;
  guint distance; /* of best, or the first that is too far */
} NebulaNearest;

void nebula_nearest_init (NebulaNearest *self, const char *word);
void nebula_nearest_offer (NebulaNearest *self, const char *candidate);

G_END_DECLS
