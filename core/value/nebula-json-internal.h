/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The JSON reader with all its options; used by documents, configuration and tests. */
#pragma once

#include "nebula-json.h"

G_BEGIN_DECLS

typedef struct
{
  gsize max_bytes;
  gsize max_items;
  gsize max_string_bytes;
} NebulaJsonLimits;

/* Where a value and its key stand, as byte offsets; in the order of the text, an object or array before its parts. */
typedef struct
{
  guint32 value;
  guint32 key;
} NebulaJsonPlace;

/* ret_places: (nullable) an array of NebulaJsonPlace to fill; ret_offset: (nullable) where the error is, which then is
 * not in the message. */
NebulaValue *_nebula_json_read (const char *text,
                                gsize length,
                                NebulaJsonFlags flags,
                                const NebulaJsonLimits *limits,
                                GArray *ret_places,
                                gsize *ret_offset,
                                GError **error);

/* Counts lines and characters from 1 up to a byte offset. */
void _nebula_text_locate (const char *text, gsize length, gsize offset, guint *ret_line, guint *ret_column);

/* Writes one scalar as JSON, and any string in quotes. */
void _nebula_json_append_scalar (NebulaValue *value, GString *text);
void _nebula_json_append_string (const char *string, gsize length, GString *text);
/* The shortest text that reads back as the same double. */
void _nebula_json_append_float (double number, GString *text);

G_END_DECLS
