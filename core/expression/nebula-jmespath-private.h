/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JMESPath: a tree of nodes that is walked for each query.
 *
 * A projection (`[*]`, `.*`, `[]`, `[?…]`, a slice) applies its right side to each item and drops the nulls; it reaches
 * as far to the right as what binds tighter than a pipe, `||`, `&&` or a comparison.
 */
#pragma once

#include "nebula-expression-private.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_JMESPATH_CURRENT,    /* @, and what is not written */
  NEBULA_JMESPATH_LITERAL,    /* value */
  NEBULA_JMESPATH_FIELD,      /* text */
  NEBULA_JMESPATH_SUB,        /* left, right */
  NEBULA_JMESPATH_INDEX,      /* number[0] */
  NEBULA_JMESPATH_SLICE,      /* numbers start, stop, step; has_number */
  NEBULA_JMESPATH_ITEMS,      /* projection over an array: left, right */
  NEBULA_JMESPATH_VALUES,     /* projection over an object's values: left, right */
  NEBULA_JMESPATH_FLATTEN,    /* left */
  NEBULA_JMESPATH_FILTER,     /* left, right, condition in third */
  NEBULA_JMESPATH_PIPE,       /* left, right */
  NEBULA_JMESPATH_OR,         /* left, right */
  NEBULA_JMESPATH_AND,        /* left, right */
  NEBULA_JMESPATH_NOT,        /* left */
  NEBULA_JMESPATH_COMPARE,    /* left, right, number[0] is the comparison */
  NEBULA_JMESPATH_LIST,       /* children */
  NEBULA_JMESPATH_HASH,       /* children, each with its key in text */
  NEBULA_JMESPATH_CALL,       /* function, children */
  NEBULA_JMESPATH_EXPRESSION, /* &left */
} NebulaJmespathKind;

typedef enum {
  NEBULA_JMESPATH_EQUAL,
  NEBULA_JMESPATH_NOT_EQUAL,
  NEBULA_JMESPATH_LESS,
  NEBULA_JMESPATH_LESS_EQUAL,
  NEBULA_JMESPATH_GREATER,
  NEBULA_JMESPATH_GREATER_EQUAL,
} NebulaJmespathComparison;

typedef struct _NebulaJmespathNode NebulaJmespathNode;
typedef struct _NebulaJmespathFunction NebulaJmespathFunction;

struct _NebulaJmespathNode {
  NebulaJmespathKind kind;
  guint height;
  NebulaJmespathNode *left, *right, *third;
  GPtrArray *children;
  char *text;
  gsize length;
  NebulaValue *value;
  gint64 numbers[3];
  gboolean has_number[3];
  const NebulaJmespathFunction *function;
  char *key; /* in a hash */
};

void _nebula_jmespath_node_free (NebulaJmespathNode *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJmespathNode, _nebula_jmespath_node_free)

struct _NebulaJmespath {
  gatomicrefcount references;
  char *text;
  NebulaJmespathNode *root;
};

NebulaJmespath *_nebula_jmespath_ref (NebulaJmespath *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaJmespath, _nebula_jmespath_unref)

/* nebula-jmespath-run.c; a new reference, or NULL with the error in @vm */
NebulaValue *_nebula_jmespath_run (NebulaVm *vm,
                                   const NebulaJmespathNode *node,
                                   NebulaValue *value);
gboolean _nebula_jmespath_is_true (NebulaValue *value);

/* nebula-jmespath-functions.c */
const NebulaJmespathFunction *_nebula_jmespath_find_function (const char *name);
gboolean _nebula_jmespath_takes (const NebulaJmespathFunction *self, guint count);
NebulaValue *_nebula_jmespath_call (NebulaVm *vm,
                                    const NebulaJmespathNode *node,
                                    NebulaValue *value);

G_END_DECLS
