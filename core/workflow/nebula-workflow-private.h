/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-document.h"
#include "nebula-plan-internal.h"

G_BEGIN_DECLS

/* A place in the definition, as a list on the stack from the inside out; written as a JSON pointer only when needed. */
typedef struct _NebulaPath NebulaPath;
struct _NebulaPath
{
  const NebulaPath *parent; /* NULL: the root */
  const char *key;          /* NULL: an array item */
  gsize index;
};

char *_nebula_path_to_pointer (const NebulaPath *self);
/* @pointer with @key (escaped) as one more step. */
char *_nebula_pointer_append (const char *pointer, const char *key);

/* One problem on its way to a diagnostic; everything is borrowed. */
typedef struct
{
  NebulaSeverity severity;
  const char *code;
  const char *pointer; /* NULL: no place */
  gboolean of_key;     /* the member's key is meant, not its value */
  const char *hint;    /* may be NULL */
  const char *text;    /* of the value, if a place in it is meant; may be NULL */
  guint text_line;     /* in the text, from 1 */
  guint text_column;
} NebulaProblem;

/* Where the problems of one reading or compilation are collected: the first hundred, errors before warnings. */
typedef struct
{
  GPtrArray *diagnostics;
  NebulaDocument *document; /* may be NULL; borrowed */
  const char *file;         /* may be NULL; borrowed */
  guint n_before;           /* diagnostics that the caller had already */
  guint n_errors;           /* all that were found, also those not kept */
} NebulaProblems;

void _nebula_problems_init (NebulaProblems *self, GPtrArray *diagnostics, NebulaDocument *document, const char *file);
/* No more errors are kept: what is costly only to describe them can be left out. */
gboolean _nebula_problems_is_full (const NebulaProblems *self);
void _nebula_problems_add (NebulaProblems *self, const NebulaProblem *problem, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* Orders them by place. FALSE with invalid-workflow in @error if one is an error. */
gboolean _nebula_problems_end (NebulaProblems *self, const char *name, GError **error);
/* “Did you mean …?” or NULL. */
char *_nebula_hint_nearest (const char *nearest);

/* Reads a text; a problem with its place for each repeated key, and for text that is no document (then NULL). */
NebulaDocument *_nebula_document_read (GBytes *bytes, const char *file, GPtrArray *diagnostics, NebulaValue **ret_value);

/* The schema: one table of keys says what is read, in which order it is written, and what matters. */
typedef enum
{
  NEBULA_SCHEMA_PASS_STRUCTURE, /* code `schema` only */
  NEBULA_SCHEMA_PASS_MEANING,   /* all other codes */
} NebulaSchemaPass;

void _nebula_schema_check (NebulaValue *definition, NebulaSchemaPass pass, NebulaProblems *problems);
/* The definition with its keys in the order of the schema and defaults left out; the same value if it is so already. */
NebulaValue *_nebula_schema_order (NebulaValue *definition);
/* SHA-256 in hex over what matters for a run. */
char *_nebula_schema_hash (NebulaValue *definition);
gboolean _nebula_is_node_id (const char *text, gsize length);

/* The JSON Schema that stands in `input`; NULL with its problems if it cannot be used. */
NebulaJsonSchema *_nebula_input_schema_compile (NebulaValue *schema, const NebulaPath *path, NebulaProblems *problems);

#define NEBULA_LOOP_ROUNDS_DEFAULT 10000

/* One connection as written; texts are owned. */
typedef struct
{
  char *from;
  char *port; /* NULL: any but error */
  char *to;
  NebulaValue *when; /* borrowed; NULL: none */
  gboolean loop;
  gint64 max; /* of a loop; 0: the default */
} NebulaConnection;

void _nebula_connection_clear (NebulaConnection *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaConnection, _nebula_connection_clear)
/* Reads "a.port -> b" or {from, to, when, loop}; FALSE if it has neither form. */
gboolean _nebula_connection_parse (NebulaValue *value, NebulaConnection *ret_connection);
/* Reads "a" or "a.port", the source half of a connection and the form of `after`. */
gboolean _nebula_connection_parse_source (const char *text, gsize length, char **ret_id, char **ret_port);

/* A member if @value is an object, the member is there and is of the kind; else NULL. Borrowed. */
NebulaValue *_nebula_member (NebulaValue *value, const char *key, NebulaValueKind kind);
const char *_nebula_member_text (NebulaValue *value, const char *key);
/* Microseconds of a duration that is well formed, else @fallback. */
gint64 _nebula_member_duration (NebulaValue *value, const char *key, gint64 fallback);
/* Index of a text in a list that ends with NULL, or @fallback. @text may be NULL. */
guint _nebula_choose_text (const char *text, const char *const *choices, guint fallback);

NebulaPlan *_nebula_plan_new (void);
/* Fills node_index and ids_are_unique from nodes. */
void _nebula_plan_index (NebulaPlan *self);

G_END_DECLS
