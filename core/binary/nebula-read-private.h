/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the first of several values out of bytes that may not be all: for streams. */
#pragma once

#include "nebula-bincode.h"
#include "nebula-msgpack.h"

G_BEGIN_DECLS

/* *ret_short tells of a failure whether more bytes could help. */
NebulaValue *_nebula_msgpack_read (const guint8 *data, gsize size, gsize *offset, gboolean *ret_short, GError **error);
NebulaValue *_nebula_bincode_read (const guint8 *data, gsize size, gsize *offset, NebulaBincodeVersion version, gboolean *ret_short, GError **error);

G_END_DECLS
