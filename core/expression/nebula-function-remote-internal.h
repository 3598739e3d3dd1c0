/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-function-callback.h"

G_BEGIN_DECLS

/*
 * A function whose callback waits for another process, as nebula_function_set_add_callback (). Where the environment says
 * that one must not wait, a call fails with budget-exceeded.
 */
gboolean nebula_function_set_add_remote (NebulaFunctionSet *self,
                                         NebulaValue *entry,
                                         NebulaFunctionCallback callback,
                                         gpointer user_data,
                                         GDestroyNotify destroy,
                                         GError **error);

G_END_DECLS
