/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaExpressionLimits: (skip)
 * @fuel: steps of one evaluation
 * @memory_bytes: memory that one evaluation makes and keeps
 * @output_bytes: data that one evaluation makes and gives, as JSON
 * @depth: nesting of an expression; at most %NEBULA_EXPRESSION_DEPTH_MAX
 * @characters: length of an expression
 * @time_usec: the last line: when an evaluation is stopped whatever its steps say; 0 is never
 *
 * What one expression may use. Where fuel is given by an environment, that holds instead of @fuel.
 */
typedef struct {
  guint64 fuel;
  gsize memory_bytes;
  gsize output_bytes;
  guint depth;
  guint characters;
  gint64 time_usec;
} NebulaExpressionLimits;

/* Deeper ones could exhaust the stack of a small thread. */
#define NEBULA_EXPRESSION_DEPTH_MAX 128

/* As configured, or the defaults; lives for ever. */
NEBULA_API const NebulaExpressionLimits *nebula_expression_limits_get (void);
NEBULA_API const NebulaExpressionLimits *nebula_expression_limits_get_default (void);
/* For programs that start, and tests. NULL: the defaults again. */
NEBULA_API void nebula_expression_limits_set (const NebulaExpressionLimits *limits);

G_END_DECLS
