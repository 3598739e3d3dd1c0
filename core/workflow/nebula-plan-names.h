/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-expression-scope.h"
#include "nebula-workflow.h"

G_BEGIN_DECLS

NEBULA_API NebulaExpressionScope *nebula_plan_describe_names (NebulaPlan *self,
                                                              const char *node_id);

G_END_DECLS
