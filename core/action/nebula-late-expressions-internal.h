/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-expression.h"

G_BEGIN_DECLS

/* Late expressions of one node: parallel arrays, `parameter` is the parameter, `key` the member for kind expressions. */
typedef struct _NebulaLateExpressions NebulaLateExpressions;
struct _NebulaLateExpressions
{
  guint n_items;
  struct
  {
    const char *parameter; /* interned */
    const char *key;       /* interned; NULL for kind expression */
    NebulaExpression *expression;
  } items[];
};

G_END_DECLS
