/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-violation.h"

G_BEGIN_DECLS

/**
 * NebulaJsonSchemaDraft:
 * @NEBULA_JSON_SCHEMA_DRAFT_2020_12: draft 2020-12
 * @NEBULA_JSON_SCHEMA_DRAFT_7: draft 7
 *
 * The drafts of JSON Schema.
 */
typedef enum
{
  NEBULA_JSON_SCHEMA_DRAFT_2020_12,
  NEBULA_JSON_SCHEMA_DRAFT_7,
} NebulaJsonSchemaDraft;

/**
 * NebulaJsonSchemaFlags:
 * @NEBULA_JSON_SCHEMA_FLAGS_NONE: unknown keywords say nothing, `format` only describes
 * @NEBULA_JSON_SCHEMA_FLAGS_FORMATS: `format` is checked
 * @NEBULA_JSON_SCHEMA_FLAGS_STRICT: unknown keywords are mistakes, so that nobody relies on a check that is not made
 *
 * How a schema is read.
 */
typedef enum /*< flags >*/
{
  NEBULA_JSON_SCHEMA_FLAGS_NONE = 0,
  NEBULA_JSON_SCHEMA_FLAGS_FORMATS = 1 << 0,
  NEBULA_JSON_SCHEMA_FLAGS_STRICT = 1 << 1,
} NebulaJsonSchemaFlags;

/**
 * NebulaJsonSchema:
 *
 * A JSON Schema, compiled: all references are found, all patterns ready.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaJsonSchema NebulaJsonSchema;

#define NEBULA_TYPE_JSON_SCHEMA (nebula_json_schema_get_type ())
NEBULA_API GType nebula_json_schema_get_type (void);

/* @draft holds where `$schema` does not say; @remotes: object of URI → schema, the only ones besides the meta-schemas. */
NEBULA_API NebulaJsonSchema *nebula_json_schema_new (NebulaValue *document, NebulaJsonSchemaDraft draft, NebulaJsonSchemaFlags flags, NebulaValue *remotes, GError **error);
/* All that is wrong with a schema; empty if nothing is. */
NEBULA_API GPtrArray *nebula_json_schema_review (NebulaValue *document, NebulaJsonSchemaDraft draft, NebulaJsonSchemaFlags flags, NebulaValue *remotes);
NEBULA_API NebulaJsonSchema *nebula_json_schema_ref (NebulaJsonSchema *self);
NEBULA_API void nebula_json_schema_unref (NebulaJsonSchema *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJsonSchema, nebula_json_schema_unref)
/* Stops at the first violation, which is the error. */
NEBULA_API gboolean nebula_json_schema_validate (NebulaJsonSchema *self, NebulaValue *value, GError **error);
/* All violations; empty if the value is valid. */
NEBULA_API GPtrArray *nebula_json_schema_check (NebulaJsonSchema *self, NebulaValue *value, GError **error);
/* A schema that accepts all of the values in an array. */
NEBULA_API NebulaValue *nebula_json_schema_infer (NebulaValue *examples);
/* @value with the members that have a `default` and were left out. */
NEBULA_API NebulaValue *nebula_json_schema_fill (NebulaJsonSchema *self, NebulaValue *value);

G_END_DECLS
