/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/* Protocol Buffers of a value: the message nebula.v1.Value of data/proto/nebula.proto. */
NEBULA_API GBytes *nebula_value_to_protobuf (NebulaValue *self, GError **error);
NEBULA_API NebulaValue *nebula_value_from_protobuf (GBytes *bytes, GError **error);

G_END_DECLS
