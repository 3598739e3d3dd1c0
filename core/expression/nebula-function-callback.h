/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-function-set.h"

G_BEGIN_DECLS

/**
 * NebulaFunctionCallback:
 * @arguments: an array of the arguments, checked against the declaration
 * @user_data: data of the function
 * @error: where the failure goes
 *
 * A function of a program, or of a script in the same process. It must be pure and short, as those of modules.
 *
 * Thread: any that evaluates an expression which calls it.
 *
 * Returns: (transfer full): a value of the declared type, or %NULL with @error set
 */
typedef NebulaValue *(*NebulaFunctionCallback) (NebulaValue *arguments,
                                                gpointer user_data,
                                                GError **error);

NEBULA_API gboolean nebula_function_set_add_callback (NebulaFunctionSet *self,
                                                      NebulaValue *entry,
                                                      NebulaFunctionCallback callback,
                                                      gpointer user_data,
                                                      GDestroyNotify destroy,
                                                      GError **error);

G_END_DECLS
