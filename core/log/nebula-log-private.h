/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-log.h"

#define NEBULA_LOG_LINE_BYTES 65536

typedef struct
{
  NebulaLogFormat format;
  gboolean has_colour;
  gint64 real_usec;
  NebulaLogRedactor redactor;
  gpointer redactor_data;
} NebulaLogStyle;

/* One entry as one line with its line end, at most NEBULA_LOG_LINE_BYTES. */
GString *_nebula_log_line (const NebulaLogStyle *style,
                           GLogLevelFlags level,
                           const GLogField *fields,
                           gsize n_fields);
const char *_nebula_log_level_to_string (GLogLevelFlags level);
