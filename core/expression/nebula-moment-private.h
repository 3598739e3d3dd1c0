/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments: what the functions on time share. */
#pragma once

#include "nebula-expression-private.h"

G_BEGIN_DECLS

/* A moment in the zone that is meant: of the value, or the one that was named. */
GDateTime *
_nebula_moment_take (NebulaVm *vm, const NebulaCell *cell, const NebulaCell *zone);
GTimeZone *_nebula_moment_take_zone (NebulaVm *vm, const NebulaCell *zone);
gint64 _nebula_moment_get_usec (GDateTime *moment);
gboolean _nebula_moment_give (NebulaVm *vm,
                              GDateTime *moment,
                              NebulaCell *ret); /* takes it; NULL is out of range */

/* nebula-moment-format.c */
char *_nebula_moment_format (GDateTime *moment, const char *format);
GDateTime *_nebula_moment_parse (NebulaVm *vm,
                                 const char *text,
                                 const char *format,
                                 GTimeZone *zone);

G_END_DECLS
