/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Numbers and texts as facts and checkpoints write them: LEB128, zigzag for signed ones, texts after their length.
 * Readers give FALSE at the end of the data and leave the offset anywhere. */

#define NEBULA_WIRE_VARINT_BYTES 10

static inline guint64
_nebula_wire_zigzag (gint64 number)
{
  return ((guint64) number << 1) ^ (guint64) (number >> 63);
}

/* Gives how many bytes of @buffer were used: at most NEBULA_WIRE_VARINT_BYTES. */
guint _nebula_wire_put_varint (guint8 *buffer, guint64 number);
void _nebula_wire_append_varint (GByteArray *bytes, guint64 number);
void _nebula_wire_append_zigzag (GByteArray *bytes, gint64 number);
void _nebula_wire_append_text (GByteArray *bytes, const char *text);
gboolean _nebula_wire_read_varint (const guint8 *data,
                                   gsize size,
                                   gsize *offset,
                                   guint64 *ret_number);
gboolean _nebula_wire_read_zigzag (const guint8 *data,
                                   gsize size,
                                   gsize *offset,
                                   gint64 *ret_number);
gboolean
_nebula_wire_read_text (const guint8 *data, gsize size, gsize *offset, char **ret_text);

G_END_DECLS
