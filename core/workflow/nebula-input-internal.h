/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/*
 * Checks the input of a workflow against its `input`, a part of JSON Schema (see docs/file-format.md): type, properties,
 * required, additionalProperties, items, enum, minimum, maximum, minLength, maxLength, pattern, default.
 *
 * The input with defaults filled in is *ret_filled (full). Error: invalid-data, naming the member.
 * Thread: any.
 */
gboolean nebula_input_check (NebulaValue *schema, NebulaValue *input, NebulaValue **ret_filled, GError **error);

G_END_DECLS
