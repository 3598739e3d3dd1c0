/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "nebula-api.h"

G_BEGIN_DECLS

/* Values within values 128 deep are this many messages within messages (Value, Object, Member), and an event around them. */
#define NEBULA_PROTOBUF_LEVELS (3 * 128 + 4)

/* Whether bytes have the outer form of a message of @type, nowhere nested deeper than NEBULA_PROTOBUF_LEVELS. */
gboolean _nebula_protobuf_check (const ProtobufCMessageDescriptor *type, const guint8 *data, gsize size, GError **error);

G_END_DECLS
