/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/* A duration is text such as `20ms`, `1h30m`, `2d` or ISO 8601 (`PT1H30M`); a bare number is an error.
 * Units: us ms s m h d w. Results are microseconds and never negative. */
NEBULA_API gboolean nebula_duration_parse (const char *text, gint64 *ret_usec, GError **error);
NEBULA_API char *nebula_duration_to_string (gint64 usec); /* ISO 8601 */
/* Sizes: `64MiB`, `10kB`, `4096`. */
NEBULA_API gboolean nebula_size_parse (const char *text, guint64 *ret_bytes, GError **error);
/* RFC 3339 with an offset or Z. */
NEBULA_API gboolean nebula_timestamp_parse (const char *text, gint64 *ret_unix_usec, int *ret_offset_seconds, GError **error);
NEBULA_API char *nebula_timestamp_to_string (gint64 unix_usec, int offset_seconds);

G_END_DECLS
