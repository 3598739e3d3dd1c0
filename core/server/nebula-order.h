/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"

G_BEGIN_DECLS

/**
 * NebulaOrderDone: (skip)
 * @execution: the execution
 * @error: why it is not done; %NULL if it is
 * @user_data: data for the callback
 *
 * Told once what was asked for is committed, or with the error why it is not.
 */
typedef void (*NebulaOrderDone) (NebulaExecution *execution, const GError *error, gpointer user_data);

NEBULA_API gboolean nebula_order_carry_out (NebulaExecution *execution, NebulaValue *request, NebulaOrderDone callback, gpointer user_data);
/* Executions as {items, next}; @request: {status?, workflow?, tenant?, search?, since?, before?, after?, limit?}. Blocks. */
NEBULA_API NebulaValue *nebula_order_list (NebulaStore *store, NebulaValue *request, GError **error);

G_END_DECLS
