/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nebula/nebula-sdk.h>

G_BEGIN_DECLS

GType nebula_time_now_get_type (void);
GType nebula_time_format_get_type (void);

/* A zone by name or offset; NULL with invalid-parameter. */
GTimeZone *_nebula_time_zone_new (const char *name, GError **error);
/* The instant in a zone; NULL with invalid-parameter if no calendar reaches so far. */
GDateTime *_nebula_time_in_zone (gint64 unix_usec, GTimeZone *zone, GError **error);

G_END_DECLS
