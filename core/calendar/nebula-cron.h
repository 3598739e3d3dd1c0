/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaCron:
 *
 * A schedule in the manner of cron: `30 2 * * MON-FRI`, with a field for seconds in front if there are six, or `@daily`.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaCron NebulaCron;

#define NEBULA_TYPE_CRON (nebula_cron_get_type ())
NEBULA_API GType nebula_cron_get_type (void);

NEBULA_API NebulaCron *nebula_cron_new (const char *text, GError **error);
NEBULA_API NebulaCron *nebula_cron_ref (NebulaCron *self);
NEBULA_API void nebula_cron_unref (NebulaCron *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaCron, nebula_cron_unref)
NEBULA_API const char *nebula_cron_get_text (NebulaCron *self);
/* The first time after @after_usec; G_MAXINT64: none within 40 years. */
NEBULA_API gint64 nebula_cron_get_next_usec (NebulaCron *self, GTimeZone *zone, gint64 after_usec);

G_END_DECLS
