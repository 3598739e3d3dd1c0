/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine-private.h"
#include "nebula-given-internal.h"

G_BEGIN_DECLS

/* What the options of a start give (pins, mocks, given) and where it is to stop (breakpoints); NULL: nothing. FALSE with
 * error: a path names no node. */
gboolean _nebula_rerun_read_options (NebulaPlan *plan,
                                     NebulaValue *options,
                                     NebulaValue **ret_given,
                                     NebulaValue **ret_breakpoints,
                                     GError **error);
/* Whether a breakpoint can be set there, under this condition (or NULL). */
gboolean _nebula_rerun_check_breakpoint (NebulaPlan *plan,
                                         const char *path,
                                         const char *condition,
                                         GError **error);

G_END_DECLS
