/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of data/proto/nebula.proto, for those who have more to tell than values: events and facts. */
#pragma once

#include "nebula-arena.h"
#include "nebula-protobuf.h"
#include "nebula.pb-c.h"

G_BEGIN_DECLS

/* Texts are bytes in the C code: a char pointer would lose what follows U+0000. */
ProtobufCBinaryData nebula_protobuf_text (const char *text); /* borrowed; NULL gives an empty one */
/* NULL for an empty one; FALSE with error if it is not UTF-8 or holds U+0000. */
gboolean nebula_protobuf_dup_text (const ProtobufCBinaryData *data, char **ret_text, GError **error);

/* Messages live in the arena and borrow texts and bytes of @value. NULL if @value is deeper than 128. */
Nebula__V1__Value *nebula_protobuf_new_value (NebulaArena *arena, NebulaValue *value, GError **error);
NebulaValue *nebula_protobuf_get_value (const Nebula__V1__Value *message, GError **error);
NebulaValue *nebula_protobuf_get_object (const Nebula__V1__Object *message, GError **error);

/* One message out of hostile bytes: depth and memory are bounded before protobuf-c sees them. It lives in the arena, which
 * nebula_protobuf_new_arena () makes. */
NebulaArena *nebula_protobuf_new_arena (GBytes *bytes);
gpointer nebula_protobuf_unpack (const ProtobufCMessageDescriptor *type, GBytes *bytes, NebulaArena *arena, GError **error);
GBytes *nebula_protobuf_pack (const ProtobufCMessage *message);

G_END_DECLS
