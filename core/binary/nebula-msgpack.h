/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/* MessagePack of a value. Kinds that MessagePack lacks are extension types (listed in nebula-msgpack.c). */
NEBULA_API GBytes *nebula_value_to_msgpack (NebulaValue *self);
NEBULA_API void nebula_value_append_msgpack (NebulaValue *self, GByteArray *buffer);
NEBULA_API NebulaValue *nebula_value_from_msgpack (GBytes *bytes, GError **error);
/* Without copying: longer strings and bytes point into @bytes. */
NEBULA_API NebulaValue *nebula_value_from_msgpack_in_place (GBytes *bytes, GError **error);
/* Reads one value at *offset and moves it on; for formats that hold several values. */
NEBULA_API NebulaValue *nebula_value_read_msgpack (const guint8 *data, gsize size, gsize *offset, GError **error);

G_END_DECLS
