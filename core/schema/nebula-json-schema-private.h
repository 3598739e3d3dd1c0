/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-json-schema.h"

G_BEGIN_DECLS

/*
 * How a schema lies in memory.
 *
 *   resources   a document, or the part of one that has an `$id`; the remote ones only if something refers to them
 *   nodes       one for each schema that can be reached, named by resource and pointer; they point at one another in
 *               circles where the schema does
 *   checks      one for each keyword that a node has, in the order in which they must run
 *
 *   node ── checks ──▶ { keyword, value as written, node | members[] | regex | count }
 *
 * Compiling: scan the resources for ids and anchors, then make nodes from a queue until no new one is named. Running:
 * recursion over nodes and values, with fuel and a limit on depth. Nothing is changed by running.
 */

typedef struct _NebulaSchemaResource NebulaSchemaResource;
typedef struct _NebulaSchemaNode NebulaSchemaNode;
typedef struct _NebulaSchemaCheck NebulaSchemaCheck;
typedef struct _NebulaSchemaRun NebulaSchemaRun;
typedef struct _NebulaSchemaFrame NebulaSchemaFrame;

/* What the value of a keyword must look like; it tells where schemas stand. */
typedef enum {
  NEBULA_SCHEMA_SHAPE_ANY,
  NEBULA_SCHEMA_SHAPE_BOOLEAN,
  NEBULA_SCHEMA_SHAPE_TEXT,
  NEBULA_SCHEMA_SHAPE_OBJECT,
  NEBULA_SCHEMA_SHAPE_ARRAY,
  NEBULA_SCHEMA_SHAPE_TYPES,
  NEBULA_SCHEMA_SHAPE_TEXTS,
  NEBULA_SCHEMA_SHAPE_COUNT,
  NEBULA_SCHEMA_SHAPE_NUMBER,
  NEBULA_SCHEMA_SHAPE_POSITIVE,
  NEBULA_SCHEMA_SHAPE_PATTERN,
  NEBULA_SCHEMA_SHAPE_TEXTS_MAP,
  NEBULA_SCHEMA_SHAPE_SCHEMA,
  NEBULA_SCHEMA_SHAPE_SCHEMAS,      /* array, not empty */
  NEBULA_SCHEMA_SHAPE_SCHEMA_MAP,   /* name → schema */
  NEBULA_SCHEMA_SHAPE_PATTERN_MAP,  /* pattern → schema */
  NEBULA_SCHEMA_SHAPE_ITEMS,        /* draft 7: schema, or array of schemas */
  NEBULA_SCHEMA_SHAPE_DEPENDENCIES, /* draft 7: name → names or schema */
} NebulaSchemaShape;

/* The order in which keywords run: later ones look at what earlier ones did. */
typedef enum {
  NEBULA_SCHEMA_STAGE_FIRST,
  NEBULA_SCHEMA_STAGE_REST, /* additionalProperties, items: what their neighbours left */
  NEBULA_SCHEMA_STAGE_UNEVALUATED, /* what nobody looked at */
} NebulaSchemaStage;

#define NEBULA_SCHEMA_IN_7          (1 << NEBULA_JSON_SCHEMA_DRAFT_7)
#define NEBULA_SCHEMA_IN_2020       (1 << NEBULA_JSON_SCHEMA_DRAFT_2020_12)
#define NEBULA_SCHEMA_IN_BOTH       (NEBULA_SCHEMA_IN_7 | NEBULA_SCHEMA_IN_2020)
#define NEBULA_SCHEMA_IS_VALIDATION (1 << 4) /* of the vocabulary “validation” */

typedef gboolean (*NebulaSchemaRule) (NebulaSchemaRun *run,
                                      const NebulaSchemaFrame *frame,
                                      const NebulaSchemaCheck *check);

typedef struct {
  const char *name;
  guint flags;
  NebulaSchemaShape shape;
  NebulaSchemaStage stage;
  NebulaSchemaRule rule; /* NULL: says nothing by itself */
} NebulaSchemaKeyword;

struct _NebulaSchemaResource {
  char *uri; /* absolute, without fragment; empty for a document without name */
  NebulaValue *root;
  NebulaJsonSchemaDraft draft;
  gboolean lacks_validation; /* its meta-schema leaves that vocabulary out */
  gboolean asserts_formats;
  GHashTable *anchors; /* name → pointer */
  GHashTable *dynamic; /* name → pointer */
  GHashTable *parts;   /* pointer → resource that stands there, borrowed */
  GHashTable *
      targets; /* name of a dynamic anchor → node, borrowed; made when somebody refers dynamically */
};

typedef struct {
  const char *key; /* of the resource's root */
  gsize length;
  NebulaSchemaNode *node;
  GRegex *regex;      /* PATTERN_MAP */
  NebulaValue *names; /* lists of names; borrowed from the root */
} NebulaSchemaMember;

struct _NebulaSchemaCheck {
  const NebulaSchemaKeyword *keyword;
  NebulaValue *value; /* as written, borrowed from the root */
  NebulaSchemaNode *node;
  NebulaSchemaMember *members;
  guint n_members;
  gint64 count;
  GRegex *regex;
  const char *dynamic; /* name of the anchor that a dynamic reference looks for */
};

struct _NebulaSchemaNode {
  NebulaSchemaResource *resource;
  char *pointer;
  NebulaValue *source;
  GArray *checks;        /* NebulaSchemaCheck */
  gboolean refuses;      /* the schema `false` */
  gboolean tracks;       /* has unevaluatedItems or unevaluatedProperties */
  NebulaValue *fallback; /* its `default`, borrowed; may be NULL */
};

struct _NebulaJsonSchema {
  gatomicrefcount references;
  NebulaJsonSchemaFlags flags;
  GPtrArray *resources; /* owned */
  GHashTable *uris;     /* URI → resource */
  GHashTable *nodes;    /* “resource#pointer” → node, owned */
  GHashTable *dynamics; /* names that dynamic references look for */
  NebulaSchemaNode *root;
};

/* A place in the value, from the inside out. */
typedef struct _NebulaSchemaPlace NebulaSchemaPlace;
struct _NebulaSchemaPlace {
  const NebulaSchemaPlace *parent;
  const char *key; /* NULL: an item */
  gsize length;
  gsize index;
};

/* Which members or items somebody looked at. */
typedef struct {
  guint64 small[2];
  guint64 *bits;
  gsize n;
} NebulaSchemaMarks;

struct _NebulaSchemaFrame {
  const NebulaSchemaNode *node;
  NebulaValue *value;
  const NebulaSchemaPlace *place;
  NebulaSchemaMarks *marks; /* NULL: nobody asks */
};

typedef struct _NebulaSchemaScope NebulaSchemaScope;
struct _NebulaSchemaScope {
  const NebulaSchemaScope *parent;
  const NebulaSchemaResource *resource;
};

struct _NebulaSchemaRun {
  const NebulaJsonSchema *schema;
  GPtrArray *violations; /* NULL: only whether */
  guint limit;           /* so many violations are enough */
  guint64 steps;
  guint depth;
  gboolean is_exhausted;
  const NebulaSchemaScope *scope;
};

/* nebula-json-schema-keywords.c */
const NebulaSchemaKeyword *_nebula_schema_find_keyword (const char *name,
                                                        NebulaJsonSchemaDraft draft);

/* nebula-json-schema-shapes.c */
gboolean _nebula_schema_has_shape (NebulaSchemaShape shape, NebulaValue *value);
gboolean _nebula_schema_is_schema (NebulaValue *value);
/* The schemas directly inside the value of a keyword; @inner is a pointer relative to it, such as `/name` or empty. */
typedef void (*NebulaSchemaVisit) (NebulaValue *schema, const char *inner, gpointer data);
void _nebula_schema_visit (NebulaSchemaShape shape,
                           NebulaValue *value,
                           NebulaSchemaVisit visit,
                           gpointer data);
void _nebula_schema_append_key (GString *pointer, const char *key, gsize length);

/* nebula-json-schema-resources.c */
typedef struct {
  NebulaSchemaResource *resource;
  char *pointer;
  NebulaValue *value;
} NebulaSchemaLocation;

NebulaSchemaResource *_nebula_schema_add_document (NebulaJsonSchema *self,
                                                   const char *uri,
                                                   NebulaValue *root,
                                                   NebulaJsonSchemaDraft draft,
                                                   NebulaValue *remotes);
void _nebula_schema_resource_free (NebulaSchemaResource *self);
/* @ret_name: the anchor by which it was named, or NULL; free it. FALSE: there is no such schema. */
gboolean _nebula_schema_locate (NebulaJsonSchema *self,
                                NebulaSchemaResource *base,
                                const char *reference,
                                NebulaValue *remotes,
                                NebulaSchemaLocation *ret_location,
                                char **ret_name);

/* nebula-json-schema-compile.c */
NebulaJsonSchema *_nebula_schema_compile (NebulaValue *document,
                                          NebulaJsonSchemaDraft draft,
                                          NebulaJsonSchemaFlags flags,
                                          NebulaValue *remotes,
                                          GPtrArray *violations);
const NebulaSchemaCheck *_nebula_schema_find_check (const NebulaSchemaNode *node,
                                                    const char *keyword);

/* nebula-json-schema-run.c */
gboolean _nebula_schema_run (NebulaSchemaRun *run,
                             const NebulaSchemaNode *node,
                             NebulaValue *value,
                             const NebulaSchemaPlace *place,
                             NebulaSchemaMarks *marks);
/* As above with what the branch says kept apart; *ret_violations is NULL unless somebody listens. */
gboolean _nebula_schema_try (NebulaSchemaRun *run,
                             const NebulaSchemaFrame *frame,
                             const NebulaSchemaNode *node,
                             GPtrArray **ret_violations);
/* What the schema “false” says. */
const char *_nebula_schema_get_refusal (void);
gboolean _nebula_schema_wants_more (const NebulaSchemaRun *run);
/* Reports; always FALSE. */
gboolean _nebula_schema_refuse (NebulaSchemaRun *run,
                                const NebulaSchemaFrame *frame,
                                const NebulaSchemaCheck *check,
                                const char *reason);
gboolean _nebula_schema_refuse_printf (NebulaSchemaRun *run,
                                       const NebulaSchemaFrame *frame,
                                       const NebulaSchemaCheck *check,
                                       const char *format,
                                       ...) G_GNUC_PRINTF (4, 5);
char *_nebula_schema_place_to_pointer (const NebulaSchemaPlace *place);
gboolean _nebula_schema_burn (NebulaSchemaRun *run, guint64 steps);

/* nebula-json-schema-unevaluated.c */
void _nebula_schema_marks_init (NebulaSchemaMarks *self, NebulaValue *value);
void _nebula_schema_marks_clear (NebulaSchemaMarks *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaSchemaMarks, _nebula_schema_marks_clear)
void _nebula_schema_marks_add (NebulaSchemaMarks *self, gsize index); /* NULL is fine */
void _nebula_schema_marks_merge (NebulaSchemaMarks *self, const NebulaSchemaMarks *other);
gboolean _nebula_schema_marks_has (const NebulaSchemaMarks *self, gsize index);

/* nebula-multiple.c: exact, by the digits that people write. */
gboolean _nebula_number_is_multiple (NebulaValue *number, NebulaValue *of);
gboolean _nebula_number_is_whole (NebulaValue *number);

/* nebula-translate-regex.c: a pattern of ECMA-262, as JSON Schema has them. */
GRegex *_nebula_ecma_regex_new (const char *text, gsize length, GError **error);

/* nebula-json-schema-format.c: TRUE for formats that are not known. */
gboolean _nebula_schema_has_format (const char *format);
gboolean
_nebula_schema_format_matches (const char *format, const char *text, gsize length);

/* The rules. */
#define RULE(name)                                                                       \
  gboolean _nebula_schema_rule_##name (NebulaSchemaRun *run,                             \
                                       const NebulaSchemaFrame *frame,                   \
                                       const NebulaSchemaCheck *check)
RULE (type);
RULE (enum);
RULE (const);
RULE (multiple_of);
RULE (bound);
RULE (length);
RULE (pattern);
RULE (format);
RULE (item_count);
RULE (unique_items);
RULE (member_count);
RULE (required);
RULE (dependent_required);
RULE (ref);
RULE (all_of);
RULE (any_of);
RULE (one_of);
RULE (not );
RULE (if);
RULE (properties);
RULE (pattern_properties);
RULE (additional_properties);
RULE (property_names);
RULE (dependent_schemas);
RULE (prefix_items);
RULE (items);
RULE (contains);
RULE (unevaluated_items);
RULE (unevaluated_properties);
#undef RULE

G_END_DECLS
