/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"

G_BEGIN_DECLS

/* Executions that ended so long ago go by themselves, in small steps; 0: they stay. @failed_age_usec: of those that did not
 * complete; 0: as the others. @keep: no more than so many stay, whatever their age; 0: any number. */
NEBULA_API void nebula_engine_set_retention (NebulaEngine *self, gint64 age_usec, gint64 failed_age_usec, guint keep);
/* Once, as @rule says. The number of those that went, or would go. */
NEBULA_API void nebula_engine_prune_async (NebulaEngine *self, const NebulaRetention *rule, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gint64 nebula_engine_prune_finish (NebulaEngine *self, GAsyncResult *result, GError **error);

G_END_DECLS
