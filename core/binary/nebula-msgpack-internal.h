/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-msgpack.h"

G_BEGIN_DECLS

/* nebula_value_read_msgpack () for what the engine itself has written: stored values (extension 70) are read as such;
 * the public functions refuse them. */
NebulaValue *nebula_value_read_msgpack_own (const guint8 *data, gsize size, gsize *offset, GError **error);
NebulaValue *nebula_value_from_msgpack_own (GBytes *bytes, GError **error);

G_END_DECLS
