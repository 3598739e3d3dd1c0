/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaDocument:
 *
 * A YAML or JSON text as a value that remembers where each part stands. Duplicate keys, tags, several documents and
 * more than 100 aliases are errors; YAML follows the 1.2 core schema (`no`, dates and `0777` are text).
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaDocument NebulaDocument;

/**
 * NebulaDocumentFormat:
 * @NEBULA_DOCUMENT_FORMAT_AUTO: JSON if the first character that is not space is `{` or `[` and it parses as JSON, else YAML
 * @NEBULA_DOCUMENT_FORMAT_JSON: JSON
 * @NEBULA_DOCUMENT_FORMAT_YAML: YAML 1.2 core schema
 */
typedef enum
{
  NEBULA_DOCUMENT_FORMAT_AUTO,
  NEBULA_DOCUMENT_FORMAT_JSON,
  NEBULA_DOCUMENT_FORMAT_YAML,
} NebulaDocumentFormat;

#define NEBULA_TYPE_DOCUMENT (nebula_document_get_type ())
NEBULA_API GType nebula_document_get_type (void);
/* On failure *ret_line and *ret_column (may be NULL) hold the place, counted from 1 in characters. */
NEBULA_API NebulaDocument *nebula_document_parse (GBytes *bytes,
                                                  NebulaDocumentFormat format,
                                                  guint *ret_line,
                                                  guint *ret_column,
                                                  GError **error);
NEBULA_API NebulaDocument *nebula_document_ref (NebulaDocument *self);
NEBULA_API void nebula_document_unref (NebulaDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaDocument, nebula_document_unref)
NEBULA_API NebulaValue *nebula_document_get_value (NebulaDocument *self);
/* Where the part named by a JSON pointer (RFC 6901) stands; of_key: the member's key instead of its value.
 * A pointer that names nothing gives the place of its nearest ancestor. */
NEBULA_API void nebula_document_locate (NebulaDocument *self, const char *pointer, gboolean of_key, guint *ret_line, guint *ret_column);
/* From the place of a text value to a place in it (from 1), where the document shows it as it is; else that place stays. */
NEBULA_API void nebula_document_locate_inside (NebulaDocument *self, const char *text, guint text_line, guint text_column, guint *line, guint *column);
NEBULA_API char *nebula_value_to_yaml (NebulaValue *self);

G_END_DECLS
