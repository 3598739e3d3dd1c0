/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-json-schema.h"

G_BEGIN_DECLS

/* How the `input` of a workflow is read: every keyword of draft 2020-12, formats are checked, nothing else is let in. */
#define NEBULA_INPUT_DRAFT NEBULA_JSON_SCHEMA_DRAFT_2020_12
#define NEBULA_INPUT_FLAGS                                                               \
  ((NebulaJsonSchemaFlags) (NEBULA_JSON_SCHEMA_FLAGS_STRICT |                            \
                            NEBULA_JSON_SCHEMA_FLAGS_FORMATS))

/*
 * Checks the input of a workflow against its schema; defaults are filled in first.
 *
 * The input with defaults filled in is *ret_filled (full). Error: invalid-data, naming the member; budget-exceeded.
 * Thread: any.
 */
gboolean nebula_input_check (NebulaJsonSchema *schema,
                             NebulaValue *input,
                             NebulaValue **ret_filled,
                             GError **error);

G_END_DECLS
