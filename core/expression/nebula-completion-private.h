/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Completion and hover. What is typed is rarely whole, so the text up to the cursor is cut into tokens, which tells what
 * may stand there; then it is repaired (a name at the cursor, and whatever closes what is open) and checked as any
 * expression, which tells the type of what stands before a dot and the parameters of the lambdas around.
 */
#pragma once

#include "nebula-completion.h"
#include "nebula-type-private.h"

G_BEGIN_DECLS

/* A name of a scope; of a node the schema and the value are those of its result. */
typedef struct {
  char *name;
  NebulaValue *schema; /* nullable */
  NebulaValue *value;  /* nullable */
  char *description;   /* nullable */
} NebulaScopeName;

struct _NebulaExpressionScope {
  gatomicrefcount references;
  GPtrArray *variables; /* NebulaScopeName */
  GPtrArray *nodes;
  GPtrArray *loops;             /* the value is that of the item */
  NebulaFunctionSet *functions; /* nullable */
};

/* nebula-expression-scope.c */
const NebulaScopeName *_nebula_scope_find (GPtrArray *names, const char *name);
NebulaType _nebula_scope_name_get_type (const NebulaScopeName *self);
NebulaType _nebula_expression_scope_get_type (const NebulaExpressionScope *self,
                                              const char *name,
                                              const char *id,
                                              const char *field);
/* What a name of the language means; NULL: it is not of the language. */
const char *_nebula_variable_describe (const char *name);

/* What one may ask about a node or a loop. */
typedef struct {
  const char *name;
  const char *description; /* to be translated */
} NebulaScopeField;

extern const NebulaScopeField _nebula_node_fields[];
extern const NebulaScopeField _nebula_loop_fields[];

typedef enum {
  NEBULA_CURSOR_NOWHERE,
  NEBULA_CURSOR_OPERAND,
  NEBULA_CURSOR_ENTRY,    /* the key of an object literal */
  NEBULA_CURSOR_OPERATOR, /* behind an operand */
  NEBULA_CURSOR_MEMBER,   /* behind a dot */
  NEBULA_CURSOR_KEY,      /* in a text in brackets */
  NEBULA_CURSOR_VARIABLE, /* the dollar is part of the word */
  NEBULA_CURSOR_PIPE,
} NebulaCursorKind;

/* All places are bytes of the text. */
typedef struct {
  NebulaCursorKind kind;
  gsize start;          /* of the expression */
  gsize word;           /* of what is typed */
  gsize dot;            /* of the dot or bracket before it */
  gboolean is_optional; /* that has a question mark */
  char quote;           /* of a key */
  char frame;           /* what is open around it: `(`, `[`, `{`, `?`, if, then; or 0 */
  char *closers;        /* what closes all that is open */
} NebulaCursor;

/* nebula-cursor.c */
/* What stands in @text before byte @at. */
void _nebula_cursor_find (NebulaCursor *self,
                          const char *text,
                          gsize at,
                          gboolean is_template);
void _nebula_cursor_clear (NebulaCursor *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaCursor, _nebula_cursor_clear)

#define NEBULA_CURSOR_IF   'i'
#define NEBULA_CURSOR_THEN 't'

/* What the checker found at a place of the tree. */
struct _NebulaProbe {
  guint32 at;
  const NebulaSyntax *node; /* NULL: nothing stands there */
  NebulaType type;          /* of the node itself */
  NebulaType base;          /* of what it reads from, or is called on */
  GPtrArray *locals;        /* names, the innermost last; borrowed from the parser */
  GArray *local_types;      /* NebulaType */
};

/* nebula-probe.c */
/* @use is called while what the probe found lives. */
typedef void (*NebulaProbeUse) (const NebulaProbe *probe, gpointer user_data);
/* @at is a byte of @text, an expression; FALSE: the text does not parse, and @use is not called. */
gboolean _nebula_probe_run (const char *text,
                            gsize at,
                            const NebulaExpressionScope *scope,
                            NebulaProbeUse use,
                            gpointer user_data);

typedef enum {
  NEBULA_BASE_PLAIN,
  NEBULA_BASE_NODES,
  NEBULA_BASE_NODE,
  NEBULA_BASE_LOOPS,
  NEBULA_BASE_LOOP,
} NebulaBase;

/* What @node, a step of a path, is read from. */
NebulaBase _nebula_probe_get_base (const NebulaSyntax *node);

/* nebula-completion.c */
typedef struct {
  NebulaCompletionKind kind;
  const char *label;
  const char *detail;
  const char *documentation;
  const char *insert_text; /* NULL: the label */
  guint start, end;        /* characters */
} NebulaCompletionParts;

NebulaCompletion *_nebula_completion_new (const NebulaCompletionParts *parts);
/* "upper(text) → text", and all that the help says; full. */
char *_nebula_function_get_detail (const NebulaFunction *function);
char *_nebula_function_get_documentation (const NebulaFunction *function);
/* What a member is said to be: the `description` of its schema, or the start of its value; full, nullable. */
char *_nebula_type_get_documentation (const NebulaType *type);

G_END_DECLS
