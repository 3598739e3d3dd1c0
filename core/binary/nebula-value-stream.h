/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaValueFormat:
 * @NEBULA_VALUE_FORMAT_MSGPACK: MessagePack, one value behind the other
 * @NEBULA_VALUE_FORMAT_BINCODE_1: Bincode 1.x
 * @NEBULA_VALUE_FORMAT_BINCODE_2: Bincode 2
 * @NEBULA_VALUE_FORMAT_PROTOBUF: messages nebula.v1.Value, each behind its length as a varint
 *
 * How values follow each other in a stream.
 */
typedef enum
{
  NEBULA_VALUE_FORMAT_MSGPACK,
  NEBULA_VALUE_FORMAT_BINCODE_1,
  NEBULA_VALUE_FORMAT_BINCODE_2,
  NEBULA_VALUE_FORMAT_PROTOBUF,
} NebulaValueFormat;

#define NEBULA_TYPE_VALUE_READER (nebula_value_reader_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaValueReader, nebula_value_reader, NEBULA, VALUE_READER, GObject)

NEBULA_API NebulaValueReader *nebula_value_reader_new (GInputStream *stream, NebulaValueFormat format, gsize max_bytes);
/* NULL without error at the end of the stream. */
NEBULA_API NebulaValue *nebula_value_reader_read (NebulaValueReader *self, GCancellable *cancellable, GError **error);
/* The next value, which must be bytes of any length, as a stream. */
NEBULA_API GInputStream *nebula_value_reader_open_bytes (NebulaValueReader *self, GCancellable *cancellable, GError **error);

#define NEBULA_TYPE_VALUE_WRITER (nebula_value_writer_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaValueWriter, nebula_value_writer, NEBULA, VALUE_WRITER, GObject)

NEBULA_API NebulaValueWriter *nebula_value_writer_new (GOutputStream *stream, NebulaValueFormat format);
NEBULA_API gboolean nebula_value_writer_write (NebulaValueWriter *self, NebulaValue *value, GCancellable *cancellable, GError **error);
/* Bytes whose length is known and which come from a stream. */
NEBULA_API gboolean nebula_value_writer_write_bytes (NebulaValueWriter *self, GInputStream *content, guint64 length, GCancellable *cancellable, GError **error);

G_END_DECLS
