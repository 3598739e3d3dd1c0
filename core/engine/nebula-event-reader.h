/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-engine.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_EVENT_READER (nebula_event_reader_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaEventReader, nebula_event_reader, NEBULA, EVENT_READER, GObject)

/* Events of what was committed after a position, in the order of the commits. @pattern NULL: all; @execution NULL: of all;
 * @after NULL: from the beginning. */
NEBULA_API NebulaEventReader *nebula_event_reader_new (NebulaEngine *engine, const char *pattern, const char *execution, const char *after, GError **error);
/* At most @limit (0: 100) events. None: there are no more for now; with @waits it is answered when there are some. */
NEBULA_API void nebula_event_reader_read_async (NebulaEventReader *self, guint limit, gboolean waits, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API GPtrArray *nebula_event_reader_read_finish (NebulaEventReader *self, GAsyncResult *result, GError **error);
/* Behind the last event that was read, and what was passed over since. */
NEBULA_API char *nebula_event_reader_dup_position (NebulaEventReader *self);

G_END_DECLS
