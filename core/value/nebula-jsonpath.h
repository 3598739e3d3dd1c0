/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaJsonpath:
 *
 * A JSONPath query (RFC 9535), parsed and checked.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaJsonpath NebulaJsonpath;

#define NEBULA_TYPE_JSONPATH (nebula_jsonpath_get_type ())
NEBULA_API GType nebula_jsonpath_get_type (void);

NEBULA_API NebulaJsonpath *nebula_jsonpath_new (const char *text, GError **error);
NEBULA_API NebulaJsonpath *nebula_jsonpath_ref (NebulaJsonpath *self);
NEBULA_API void nebula_jsonpath_unref (NebulaJsonpath *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJsonpath, nebula_jsonpath_unref)
NEBULA_API const char *nebula_jsonpath_get_text (NebulaJsonpath *self);
/* An array of the parts that were found; at most NEBULA_LIMIT_JSONPATH_STEPS steps. */
NEBULA_API NebulaValue *nebula_jsonpath_query (NebulaJsonpath *self, NebulaValue *value, GError **error);

G_END_DECLS
