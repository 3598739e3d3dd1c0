/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A parsed JSONPath.
 *
 *   query     $ or @, then segments
 *   segment   children, or all descendants; selectors
 *   selector  name · wildcard · index · slice · filter ─▶ term
 *   term      or · and · not · comparison · literal · query · function ─▶ terms
 *
 * The parser goes down at most NEBULA_LIMIT_EXPRESSION_DEPTH levels of brackets, so whoever follows the tree may
 * recurse. Chains of `||` and `&&` are one term with many parts.
 */
#pragma once

#include "nebula-jsonpath-internal.h"

G_BEGIN_DECLS

typedef struct _NebulaJsonpathTerm NebulaJsonpathTerm;

typedef enum {
  NEBULA_JSONPATH_NAME,
  NEBULA_JSONPATH_WILDCARD,
  NEBULA_JSONPATH_INDEX, /* start */
  NEBULA_JSONPATH_SLICE,
  NEBULA_JSONPATH_FILTER,
} NebulaJsonpathSelectorKind;

typedef struct {
  NebulaJsonpathSelectorKind kind;
  char *name;
  gsize length;
  gint64 start, end, step;
  gboolean has_start, has_end;
  NebulaJsonpathTerm *filter;
} NebulaJsonpathSelector;

typedef struct {
  gboolean is_descendant;
  GPtrArray *selectors; /* of NebulaJsonpathSelector */
} NebulaJsonpathSegment;

typedef struct {
  gboolean is_relative; /* begins with @ */
  gboolean is_singular; /* finds one node at most */
  GPtrArray *segments;  /* of NebulaJsonpathSegment */
} NebulaJsonpathQuery;

typedef enum {
  NEBULA_JSONPATH_OR,
  NEBULA_JSONPATH_AND,
  NEBULA_JSONPATH_NOT,
  NEBULA_JSONPATH_EQUAL,
  NEBULA_JSONPATH_NOT_EQUAL,
  NEBULA_JSONPATH_LESS_EQUAL,
  NEBULA_JSONPATH_GREATER_EQUAL,
  NEBULA_JSONPATH_LESS,
  NEBULA_JSONPATH_GREATER,
  NEBULA_JSONPATH_LITERAL,
  NEBULA_JSONPATH_QUERY,
  NEBULA_JSONPATH_FUNCTION,
} NebulaJsonpathTermKind;

typedef enum {
  NEBULA_JSONPATH_LENGTH,
  NEBULA_JSONPATH_COUNT,
  NEBULA_JSONPATH_MATCH,
  NEBULA_JSONPATH_SEARCH,
  NEBULA_JSONPATH_VALUE,
} NebulaJsonpathFunction;

struct _NebulaJsonpathTerm {
  NebulaJsonpathTermKind kind;
  GPtrArray *terms; /* parts, operands or arguments */
  NebulaValue *literal;
  NebulaJsonpathQuery *query;
  NebulaJsonpathFunction function;
  GRegex
      *regex; /* of a pattern that is written out; NULL: it is not, or it is no pattern */
};

struct _NebulaJsonpath {
  gatomicrefcount references;
  char *text;
  NebulaJsonpathQuery *query;
};

/* nebula-jsonpath.c */
void _nebula_jsonpath_query_free (NebulaJsonpathQuery *self);
void _nebula_jsonpath_term_free (NebulaJsonpathTerm *self);
void _nebula_jsonpath_selector_free (NebulaJsonpathSelector *self);
void _nebula_jsonpath_segment_free (NebulaJsonpathSegment *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJsonpathQuery, _nebula_jsonpath_query_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJsonpathTerm, _nebula_jsonpath_term_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJsonpathSelector, _nebula_jsonpath_selector_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJsonpathSegment, _nebula_jsonpath_segment_free)

/* nebula-jsonpath-read.c: what it returns is owned; NULL or FALSE with the reader's error */
typedef struct {
  const char *text;
  const char *at;
  guint depth;
  GError *error;
} NebulaJsonpathReader;

NebulaJsonpathQuery *_nebula_jsonpath_read_query (NebulaJsonpathReader *self);
GString *_nebula_jsonpath_read_string (NebulaJsonpathReader *self);
gboolean _nebula_jsonpath_read_space (NebulaJsonpathReader *self); /* always TRUE */
gboolean _nebula_jsonpath_fail (NebulaJsonpathReader *self, const char *reason);

/* nebula-jsonpath-filter.c: the expression behind a question mark */
NebulaJsonpathTerm *_nebula_jsonpath_read_filter (NebulaJsonpathReader *self);

/* nebula-iregexp.c: a pattern as RFC 9485 has it; NULL if it is none */
#define NEBULA_IREGEXP_SUBJECT_BYTES 65536
GRegex *_nebula_iregexp_new (const char *text, gsize length, gboolean is_whole);

G_END_DECLS
