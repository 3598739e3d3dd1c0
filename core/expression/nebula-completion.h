/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-expression-scope.h"

G_BEGIN_DECLS

/**
 * NebulaCompletionKind:
 * @NEBULA_COMPLETION_KIND_VARIABLE: a name with a dollar
 * @NEBULA_COMPLETION_KIND_LOCAL: the parameter of a lambda
 * @NEBULA_COMPLETION_KIND_NODE: the id of a node
 * @NEBULA_COMPLETION_KIND_LOOP: the id of a loop
 * @NEBULA_COMPLETION_KIND_FIELD: what may be asked about a node or a loop
 * @NEBULA_COMPLETION_KIND_MEMBER: the key of an object
 * @NEBULA_COMPLETION_KIND_FUNCTION: a function
 * @NEBULA_COMPLETION_KIND_KEYWORD: a word of the language
 *
 * What stands for a place in an expression.
 */
typedef enum
{
  NEBULA_COMPLETION_KIND_VARIABLE,
  NEBULA_COMPLETION_KIND_LOCAL,
  NEBULA_COMPLETION_KIND_NODE,
  NEBULA_COMPLETION_KIND_LOOP,
  NEBULA_COMPLETION_KIND_FIELD,
  NEBULA_COMPLETION_KIND_MEMBER,
  NEBULA_COMPLETION_KIND_FUNCTION,
  NEBULA_COMPLETION_KIND_KEYWORD,
} NebulaCompletionKind;

/**
 * NebulaCompletion:
 *
 * Something that may stand at a place of an expression, or that does stand there: its name, what it is, the help on it,
 * and the text that puts it there.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaCompletion NebulaCompletion;

#define NEBULA_TYPE_COMPLETION (nebula_completion_get_type ())
NEBULA_API GType nebula_completion_get_type (void);
NEBULA_API NebulaCompletion *nebula_completion_ref (NebulaCompletion *self);
NEBULA_API void nebula_completion_unref (NebulaCompletion *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaCompletion, nebula_completion_unref)
NEBULA_API NebulaCompletionKind nebula_completion_get_kind (NebulaCompletion *self);
NEBULA_API const char *nebula_completion_get_label (NebulaCompletion *self);
NEBULA_API const char *nebula_completion_get_detail (NebulaCompletion *self);
NEBULA_API const char *nebula_completion_get_documentation (NebulaCompletion *self);
NEBULA_API const char *nebula_completion_get_insert_text (NebulaCompletion *self);
NEBULA_API guint nebula_completion_get_start (NebulaCompletion *self);
NEBULA_API guint nebula_completion_get_end (NebulaCompletion *self);

NEBULA_API GPtrArray *nebula_expression_complete (const char *text,
                                                  gboolean is_template,
                                                  guint position,
                                                  NebulaExpressionScope *scope);
NEBULA_API NebulaCompletion *nebula_expression_hover (const char *text,
                                                      gboolean is_template,
                                                      guint position,
                                                      NebulaExpressionScope *scope);

G_END_DECLS
