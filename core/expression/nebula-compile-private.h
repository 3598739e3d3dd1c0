/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiling with switches; the tests turn folding off to see that it changes nothing. */
#pragma once

#include "nebula-expression.h"
#include "nebula-function-set.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_COMPILE_NONE = 0,
  NEBULA_COMPILE_TEMPLATE = 1 << 0,
  NEBULA_COMPILE_NO_FOLDING = 1 << 1,
} NebulaCompileFlags;

NebulaExpression *_nebula_expression_compile_full (const char *text,
                                                   NebulaCompileFlags flags,
                                                   GError **error);
NebulaExpression *_nebula_expression_compile_with (const char *text,
                                                   NebulaCompileFlags flags,
                                                   NebulaFunctionSet *functions,
                                                   GError **error);

G_END_DECLS
