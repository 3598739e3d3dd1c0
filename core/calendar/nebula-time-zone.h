/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/* A zone by its IANA name, `UTC`, or an offset such as `+02:00`. Names that lead out of the zone files are refused. */
NEBULA_API GTimeZone *nebula_time_zone_new (const char *name, GError **error);
/* Seconds east of UTC at an instant. */
NEBULA_API gint32 nebula_time_zone_get_offset_seconds (GTimeZone *zone, gint64 unix_usec);

G_END_DECLS
