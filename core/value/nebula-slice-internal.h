/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/*
 * Slices: strings and bytes that lie inside of a buffer that was read, which they keep. What is shorter than this is copied:
 * the copy is smaller than a slice.
 */
#define NEBULA_SLICE_LEAST_BYTES 64

/* A part of @owner, which must be UTF-8. */
NebulaValue *nebula_value_new_string_slice (GBytes *owner, const char *text, gsize length);
NebulaValue *nebula_value_new_bytes_slice (GBytes *owner, const void *data, gsize length);

G_END_DECLS
