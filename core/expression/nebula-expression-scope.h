/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-function-set.h"

G_BEGIN_DECLS

/**
 * NebulaExpressionScope:
 *
 * What is known of the names that an expression may use, before anything runs: for completion and hover. Who makes it
 * fills it before it is used.
 *
 * Thread: any, once it is filled.
 */
typedef struct _NebulaExpressionScope NebulaExpressionScope;

#define NEBULA_TYPE_EXPRESSION_SCOPE (nebula_expression_scope_get_type ())
NEBULA_API GType nebula_expression_scope_get_type (void);
NEBULA_API NebulaExpressionScope *nebula_expression_scope_new (void);
NEBULA_API NebulaExpressionScope *
nebula_expression_scope_new_for_data (NebulaValue *data);
NEBULA_API NebulaExpressionScope *
nebula_expression_scope_ref (NebulaExpressionScope *self);
NEBULA_API void nebula_expression_scope_unref (NebulaExpressionScope *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaExpressionScope, nebula_expression_scope_unref)
NEBULA_API void nebula_expression_scope_add_variable (NebulaExpressionScope *self,
                                                      const char *name,
                                                      NebulaValue *schema,
                                                      const char *description);
NEBULA_API void nebula_expression_scope_add_node (NebulaExpressionScope *self,
                                                  const char *id,
                                                  NebulaValue *schema,
                                                  const char *description);
NEBULA_API void nebula_expression_scope_add_loop (NebulaExpressionScope *self,
                                                  const char *id,
                                                  NebulaValue *schema);
NEBULA_API void nebula_expression_scope_set_functions (NebulaExpressionScope *self,
                                                       NebulaFunctionSet *functions);

G_END_DECLS
