/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-workflow-private.h"

G_BEGIN_DECLS

typedef enum
{
  NEBULA_FIELD_ANY,
  NEBULA_FIELD_TEXT,
  NEBULA_FIELD_TEXTS,    /* array of texts */
  NEBULA_FIELD_BOOLEAN,
  NEBULA_FIELD_INTEGER,
  NEBULA_FIELD_INTEGER_OR_TEMPLATE, /* an integer, or a text with an expression in it */
  NEBULA_FIELD_NUMBER,
  NEBULA_FIELD_OBJECT,   /* any object; its keys are the user's */
  NEBULA_FIELD_CHOICE,   /* one of the shape's texts */
  NEBULA_FIELD_CHOICE_OR_SHAPE, /* one of the texts, or an object with known keys */
  NEBULA_FIELD_DURATION, /* text; a number is told apart from other kinds */
  NEBULA_FIELD_SHAPE,    /* object with known keys */
  NEBULA_FIELD_MAP,      /* object: user's key → shape */
  NEBULA_FIELD_NODES,    /* the same, keyed by node ids */
  NEBULA_FIELD_CONNECTIONS,
} NebulaFieldKind;

typedef enum
{
  NEBULA_FIELD_FLAGS_NONE = 0,
  NEBULA_FIELD_FLAGS_REQUIRED = 1 << 0,
  NEBULA_FIELD_FLAGS_COMMENT = 1 << 1, /* for people; no part of the hash */
} NebulaFieldFlags;

#define NEBULA_SCHEMA_MAX_FIELDS 32

typedef struct _NebulaSchemaShape NebulaSchemaShape;

typedef struct
{
  const char *name;
  NebulaFieldKind kind;
  NebulaFieldFlags flags;
  const NebulaSchemaShape *shape;   /* of SHAPE, MAP, NODES, CONNECTIONS */
  const char *const *choices; /* of CHOICE */
  const char *fallback;       /* the default as JSON, left out when written; NULL: none */
} NebulaField;

/* An object with known keys, in the order in which they are written. */
struct _NebulaSchemaShape
{
  const char *what; /* “a node”, for messages */
  const char *code; /* of mistakes other than unknown keys */
  const NebulaField *fields;
  gsize n_fields;
};

extern const NebulaSchemaShape _nebula_schema_shape_workflow;
extern const NebulaSchemaShape _nebula_schema_shape_body;
extern const NebulaSchemaShape _nebula_schema_shape_connection;
extern const NebulaSchemaShape _nebula_schema_shape_join;
extern const NebulaSchemaShape _nebula_schema_shape_policy;
extern const NebulaSchemaShape _nebula_schema_shape_retry;
extern const NebulaSchemaShape _nebula_schema_shape_trigger;

const NebulaField *_nebula_schema_shape_find (const NebulaSchemaShape *self, const char *key, gsize length);

typedef struct
{
  NebulaProblems *problems;
  NebulaSchemaPass pass;
} NebulaSchemaWalk;

/* Reports in the pass that @problem's code belongs to. @path replaces the problem's pointer. */
void _nebula_schema_report (NebulaSchemaWalk *walk, NebulaProblem problem, const NebulaPath *path, const char *message);
/* What a table of keys cannot say: rules about the members of @shape. */
void _nebula_schema_check_rules (NebulaSchemaWalk *walk, const NebulaSchemaShape *shape, NebulaValue *value, const NebulaPath *path);
/* nebula-schema-trigger.c: whether a trigger says when it fires. */
void _nebula_schema_check_trigger (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path);
/* nebula-schema-policy.c: what the parts of a policy hold. */
void _nebula_schema_check_policy (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path);

G_END_DECLS
