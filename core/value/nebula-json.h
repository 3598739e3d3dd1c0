/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaJsonFlags:
 * @NEBULA_JSON_FLAGS_NONE: plain reading (the last of equal keys wins), compact writing
 * @NEBULA_JSON_FLAGS_UNIQUE_KEYS: a repeated key is the error duplicate-key
 * @NEBULA_JSON_FLAGS_PRETTY: write with indentation of two spaces and a line end after the whole
 * @NEBULA_JSON_FLAGS_LIMITED: for texts from outside: at most 10 MiB, 1,000,000 values, 1 MiB a string, unique keys
 *
 * How JSON is read and written.
 */
typedef enum /*< flags >*/
{
  NEBULA_JSON_FLAGS_NONE = 0,
  NEBULA_JSON_FLAGS_UNIQUE_KEYS = 1 << 0,
  NEBULA_JSON_FLAGS_PRETTY = 1 << 1,
  NEBULA_JSON_FLAGS_LIMITED = 1 << 2,
} NebulaJsonFlags;

/* Strict RFC 8259. Errors carry line and column (characters, from 1) in the message. Limits: nebula-limits.h. */
NEBULA_API NebulaValue *nebula_value_parse_json (const char *text, gssize length, NebulaJsonFlags flags, GError **error);
NEBULA_API char *nebula_value_to_json (NebulaValue *self, NebulaJsonFlags flags);
NEBULA_API void nebula_value_append_json (NebulaValue *self, NebulaJsonFlags flags, GString *text);

G_END_DECLS
