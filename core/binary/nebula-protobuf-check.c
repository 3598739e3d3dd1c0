/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What protobuf-c does not do before it reads: it calls itself for each message within a message, without end. So the
 * bytes are walked first, by the same descriptors, with a stack of our own; nothing is allocated.
 */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-protobuf-private.h"

enum {
  WIRE_VARINT = 0,
  WIRE_8_BYTES = 1,
  WIRE_LENGTH = 2,
  WIRE_4_BYTES = 5,
};

typedef struct {
  const ProtobufCMessageDescriptor *type;
  gsize end;
} Level;

typedef struct {
  const guint8 *data;
  gsize at;
  guint depth;
  Level levels[NEBULA_PROTOBUF_LEVELS];
} Walk;

static gboolean
fail (Walk *walk, NebulaError code, const char *why, GError **error)
{
  g_set_error (error, NEBULA_ERROR, code, _ ("Byte %zu of the Protocol Buffers data: %s"), walk->at, why);
  return FALSE;
}

static gboolean
fail_short (Walk *walk, GError **error)
{
  return fail (walk, NEBULA_ERROR_INVALID_DATA, _ ("It ends too early, or a length in it is wrong."), error);
}

static gboolean
take_varint (Walk *walk, guint64 *ret_number, GError **error)
{
  gsize end = walk->levels[walk->depth - 1].end;
  guint64 number = 0;

  for (guint shift = 0; shift < 64 && walk->at < end; shift += 7) {
    guint8 byte = walk->data[walk->at++];

    number |= (guint64) (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *ret_number = number;
      return TRUE;
    }
  }
  return fail_short (walk, error);
}

static gboolean
skip (Walk *walk, guint64 length, GError **error)
{
  if (length > walk->levels[walk->depth - 1].end - walk->at)
    return fail_short (walk, error);
  walk->at += (gsize) length;
  return TRUE;
}

static gboolean
enter (Walk *walk, const ProtobufCMessageDescriptor *type, guint64 length, GError **error)
{
  if (length > walk->levels[walk->depth - 1].end - walk->at)
    return fail_short (walk, error);
  if (walk->depth == NEBULA_PROTOBUF_LEVELS)
    return fail (walk, NEBULA_ERROR_TOO_DEEP, _ ("It is nested deeper than 128 levels."), error);
  walk->levels[walk->depth].type = type;
  walk->levels[walk->depth].end = walk->at + (gsize) length;
  walk->depth++;
  return TRUE;
}

/* protobuf-c takes a boolean out of anything. */
static guint
wire_of (const ProtobufCFieldDescriptor *field)
{
  switch ((int) field->type) {
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_BYTES:
  case PROTOBUF_C_TYPE_MESSAGE:
    return WIRE_LENGTH;
  case PROTOBUF_C_TYPE_DOUBLE:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
    return WIRE_8_BYTES;
  case PROTOBUF_C_TYPE_FLOAT:
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_SFIXED32:
    return WIRE_4_BYTES;
  default:
    return WIRE_VARINT;
  }
}

static gboolean
walk_contents (Walk *walk, const ProtobufCFieldDescriptor *field, guint wire, GError **error)
{
  guint64 number = 0;

  switch (wire) {
  case WIRE_VARINT:
    return take_varint (walk, &number, error);
  case WIRE_8_BYTES:
    return skip (walk, 8, error);
  case WIRE_4_BYTES:
    return skip (walk, 4, error);
  case WIRE_LENGTH:
    if (!take_varint (walk, &number, error))
      return FALSE;
    if (field && field->type == PROTOBUF_C_TYPE_MESSAGE)
      return enter (walk, field->descriptor, number, error);
    return skip (walk, number, error);
  default:
    return fail (walk, NEBULA_ERROR_INVALID_DATA, _ ("No field begins like this."), error);
  }
}

static gboolean
walk_field (Walk *walk, GError **error)
{
  const ProtobufCMessageDescriptor *type = walk->levels[walk->depth - 1].type;
  const ProtobufCFieldDescriptor *field = NULL;
  guint64 tag = 0;

  if (!take_varint (walk, &tag, error))
    return FALSE;
  if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
    return fail (walk, NEBULA_ERROR_INVALID_DATA, _ ("No field begins like this."), error);
  field = protobuf_c_message_descriptor_get_field (type, (unsigned) (tag >> 3));
  if (field && wire_of (field) != (tag & 7))
    return fail (walk, NEBULA_ERROR_INVALID_DATA, _ ("A field has another type than it should have."), error);
  return walk_contents (walk, field, tag & 7, error);
}

gboolean
_nebula_protobuf_check (const ProtobufCMessageDescriptor *type, const guint8 *data, gsize size, GError **error)
{
  Walk walk;

  walk.data = data;
  walk.at = 0;
  walk.depth = 1;
  walk.levels[0].type = type;
  walk.levels[0].end = size;
  while (walk.depth > 0) {
    if (walk.at == walk.levels[walk.depth - 1].end)
      walk.depth--;
    else if (!walk_field (&walk, error))
      return FALSE;
  }
  return TRUE;
}
