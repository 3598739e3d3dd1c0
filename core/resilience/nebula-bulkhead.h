/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "nebula-clock.h"
#include "nebula-value.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_BULKHEAD (nebula_bulkhead_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaBulkhead, nebula_bulkhead, NEBULA, BULKHEAD, GObject)

/* Options: permits (10 at once), queue (100 may wait), wait (0s: as long as it takes). */
NEBULA_API NebulaBulkhead *nebula_bulkhead_new (NebulaClock *clock, NebulaValue *options, GError **error);
NEBULA_API gboolean nebula_bulkhead_try_enter (NebulaBulkhead *self);
NEBULA_API void nebula_bulkhead_enter_async (NebulaBulkhead *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API gboolean nebula_bulkhead_enter_finish (NebulaBulkhead *self, GAsyncResult *result, GError **error);
NEBULA_API void nebula_bulkhead_leave (NebulaBulkhead *self);
NEBULA_API guint nebula_bulkhead_get_running (NebulaBulkhead *self);
NEBULA_API guint nebula_bulkhead_get_waiting (NebulaBulkhead *self);

G_END_DECLS
