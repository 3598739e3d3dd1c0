/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"

G_BEGIN_DECLS

/* A page of the facts of an execution: {items, next}. @after: `next` of the page before, or the number of a fact; NULL: from
 * the beginning. @limit 0: 100. The whole history is never in memory. Error: not-found. */
NEBULA_API void nebula_engine_read_history_async (NebulaEngine *self, const char *id, const char *after, guint limit, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API NebulaValue *nebula_engine_read_history_finish (NebulaEngine *self, GAsyncResult *result, GError **error);

G_END_DECLS
