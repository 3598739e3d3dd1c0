/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-function-set.h"
#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaNodeField:
 * @NEBULA_NODE_FIELD_RESULT: its result, null if it has none
 * @NEBULA_NODE_FIELD_STATUS: its status as text
 * @NEBULA_NODE_FIELD_SUCCESS: whether it completed
 * @NEBULA_NODE_FIELD_ERROR: its error object or null
 * @NEBULA_NODE_FIELD_ATTEMPTS: attempts begun
 *
 * What an expression may ask about a node.
 */
typedef enum
{
  NEBULA_NODE_FIELD_RESULT,
  NEBULA_NODE_FIELD_STATUS,
  NEBULA_NODE_FIELD_SUCCESS,
  NEBULA_NODE_FIELD_ERROR,
  NEBULA_NODE_FIELD_ATTEMPTS,
} NebulaNodeField;

/**
 * NebulaEnvironment: (skip)
 * @get_variable: value of `$name` (without the dollar; aliases are already resolved: `in` is `json`, `node` is `nodes`);
 *   full, or %NULL with @error unset when there is no such name
 * @get_node: field of node @id; full, or %NULL with @error set (unknown-name) when @id is not in scope
 * @get_loop: `$loop.<id>.item|index|last`; full, or %NULL with @error set
 * @get_random: 64 random bits, the same for the same call index
 *
 * Where an evaluation finds its names. The caller owns it and it lives on the stack of the caller; @data is the caller's.
 * Names are compared by text; they are interned (g_intern_string), so pointers may be compared first.
 *
 * Thread: the one that evaluates.
 */
typedef struct _NebulaEnvironment NebulaEnvironment;
struct _NebulaEnvironment
{
  NebulaValue *(*get_variable) (const NebulaEnvironment *self, const char *name, GError **error);
  NebulaValue *(*get_node) (const NebulaEnvironment *self, const char *id, NebulaNodeField field, GError **error);
  NebulaValue *(*get_loop) (const NebulaEnvironment *self, const char *loop_id, const char *field, GError **error);
  guint64 (*get_random) (const NebulaEnvironment *self, guint call_index);
  gpointer data;
  guint64 fuel;        /* steps left; each evaluation takes from it */
  guint random_calls;  /* calls of random functions so far */
  gboolean must_not_wait; /* for functions in hosts: an engine's loop evaluates */
  gboolean missing_is_null; /* by policy: what is not there is null, as if each `.` were `?.` */
  /* Ids of the nodes that can be asked for, when not all are named in the text; full; may be %NULL. */
  char **(*list_nodes) (const NebulaEnvironment *self);
};

/**
 * NebulaExpression:
 *
 * A compiled expression, or a compiled template (text with `{{ … }}`).
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaExpression NebulaExpression;

#define NEBULA_TYPE_EXPRESSION (nebula_expression_get_type ())
NEBULA_API GType nebula_expression_get_type (void);
/* Errors: syntax, too-deep, too-large, unknown-name (function), arity, regex; message has line, column, excerpt with caret and hint. */
NEBULA_API NebulaExpression *nebula_expression_compile (const char *text, GError **error);
NEBULA_API NebulaExpression *nebula_expression_compile_template (const char *text, GError **error);
/* A template if @is_template; @functions may be NULL. */
NEBULA_API NebulaExpression *nebula_expression_compile_with_functions (const char *text, gboolean is_template, NebulaFunctionSet *functions, GError **error);
NEBULA_API NebulaExpression *nebula_expression_ref (NebulaExpression *self);
NEBULA_API void nebula_expression_unref (NebulaExpression *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaExpression, nebula_expression_unref)
NEBULA_API const char *nebula_expression_get_text (NebulaExpression *self);
/* The value if it needs no environment (a literal, folded), else NULL; borrowed. */
NEBULA_API NebulaValue *nebula_expression_get_constant (NebulaExpression *self);
/* Whether a text holds a template at all. */
NEBULA_API gboolean nebula_expression_is_template (const char *text);
NEBULA_API NebulaValue *nebula_expression_evaluate (NebulaExpression *self, NebulaEnvironment *environment, GError **error);
/* Evaluates over data: an object whose members become `$name`; `nodes` is id → {result, status, success, error, attempts}. */
NEBULA_API NebulaValue *nebula_expression_evaluate_data (NebulaExpression *self, NebulaValue *data, GError **error);
/* The same where, by policy, what is not there is null. */
NEBULA_API NebulaValue *nebula_expression_evaluate_data_leniently (NebulaExpression *self, NebulaValue *data, GError **error);

/**
 * NebulaReference: (skip)
 * @name: variable (`nodes`, `json`, `input`, …), interned
 * @id: for nodes and loops the id if it is written out, interned; %NULL if computed at run time
 * @field: for nodes the field (`result`), for loops `item`, `index` or `last`; interned, may be %NULL
 * @line: line in the expression's text, from 1
 * @column: column in characters, from 1
 * @id_line: line of @id, or of the name if no id is written out
 * @id_column: column of it
 *
 * A name that an expression reads, for checks before it runs.
 */
typedef struct
{
  const char *name;
  const char *id;
  const char *field;
  guint line;
  guint column;
  guint id_line;
  guint id_column;
} NebulaReference;

NEBULA_API const NebulaReference *nebula_expression_get_references (NebulaExpression *self, guint *ret_count);

/* One string for each function: "name(a, b?) — description"; for help and completion. */
NEBULA_API char **nebula_expression_list_functions (void);
/* {name, signature, description, parameters, result, errors, examples, aliases}; @functions may be NULL. */
NEBULA_API NebulaValue *nebula_expression_describe_function (const char *name, NebulaFunctionSet *functions);
NEBULA_API NebulaValue *nebula_expression_describe_functions (NebulaFunctionSet *functions);

G_END_DECLS
