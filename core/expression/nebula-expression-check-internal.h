/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checking before anything runs: the kinds of values that an expression may give, from what is known of the names that
 * it reads. Only what cannot work with any value is a problem; what is not known may be anything.
 */
#pragma once

#include "nebula-error.h"
#include "nebula-expression.h"

G_BEGIN_DECLS

/**
 * NebulaType: (skip)
 * @kinds: set of 1 << NebulaValueKind
 * @schema: (nullable): a JSON Schema of it, borrowed; its types may also be decimal, bytes, date, timestamp, duration
 * @value: (nullable): the value itself, if it is known; borrowed
 * @item: (nullable): what an array holds, if no schema tells; private
 * @example: (nullable): something that it may be; proves nothing, but tells names; borrowed
 */
typedef struct _NebulaType NebulaType;
struct _NebulaType {
  guint32 kinds;
  NebulaValue *schema;
  NebulaValue *value;
  const NebulaType *item;
  NebulaValue *example;
};

#define NEBULA_TYPE_KINDS_ANY ((1u << (NEBULA_VALUE_KIND_REFERENCE + 1)) - 1)

typedef struct {
  NebulaError code;
  gsize at; /* byte of the expression's text */
  guint line, column;
  gboolean is_warning;
  const char *message;
  const char *hint; /* nullable */
} NebulaTypeProblem;

typedef struct _NebulaTypeScope NebulaTypeScope;
struct _NebulaTypeScope {
  /* What is known of a name; @id and @field as in NebulaReference. */
  NebulaType (*get_type) (const NebulaTypeScope *self, const char *name, const char *id, const char *field);
  void (*problem) (const NebulaTypeScope *self, const NebulaTypeProblem *problem);
  gpointer data;
  gboolean missing_is_null;
};

NebulaType nebula_type_any (void);
NebulaType nebula_type_from_kind (NebulaValueKind kind);
NebulaType nebula_type_from_schema (NebulaValue *schema);
NebulaType nebula_type_from_value (NebulaValue *value);
/* In words for sentences, such as “text or an array”; full. */
char *nebula_type_to_words (guint32 kinds);

/* Where a text that does not compile goes wrong; FALSE: no place in it. */
gboolean nebula_expression_find_error (const char *text, gboolean is_template, NebulaFunctionSet *functions, guint *ret_line, guint *ret_column);

/* What @self gives; its schema and value live as long as those of the scope, and @self. */
NebulaType nebula_expression_check (NebulaExpression *self, const NebulaTypeScope *scope);

G_END_DECLS
