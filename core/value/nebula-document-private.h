/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document is a value and its places: one entry for each value of the text, an object or array before its parts, each
 * with the number of the entry behind its last part. An alias is one entry, whatever it stands for.
 */
#pragma once

#include "nebula-document.h"

#define NEBULA_DOCUMENT_BYTES (64 << 20)
#define NEBULA_DOCUMENT_ITEMS 10000000

typedef struct
{
  guint32 line;
  guint32 column;
  guint32 key_line;
  guint32 key_column;
  guint32 end;
} NebulaPlace;

/* places: an array of NebulaPlace to fill. On failure ret_place tells where. */
NebulaValue *_nebula_yaml_read (const char *text, gsize length, GArray *places, NebulaPlace *ret_place, GError **error);
