/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "nebula-wire-private.h"

guint
_nebula_wire_put_varint (guint8 *buffer, guint64 number)
{
  guint length = 0;

  while (number >= 0x80) {
    buffer[length++] = (guint8) (number | 0x80);
    number >>= 7;
  }
  buffer[length++] = (guint8) number;
  return length;
}

void
_nebula_wire_append_varint (GByteArray *bytes, guint64 number)
{
  guint8 buffer[NEBULA_WIRE_VARINT_BYTES];

  g_byte_array_append (bytes, buffer, _nebula_wire_put_varint (buffer, number));
}

void
_nebula_wire_append_zigzag (GByteArray *bytes, gint64 number)
{
  _nebula_wire_append_varint (bytes, _nebula_wire_zigzag (number));
}

void
_nebula_wire_append_text (GByteArray *bytes, const char *text)
{
  gsize length = strlen (text);

  _nebula_wire_append_varint (bytes, length);
  g_byte_array_append (bytes, (const guint8 *) text, (guint) length);
}

gboolean
_nebula_wire_read_varint (const guint8 *data,
                          gsize size,
                          gsize *offset,
                          guint64 *ret_number)
{
  guint64 number = 0;

  for (guint shift = 0; shift < 64 && *offset < size; shift += 7) {
    guint8 byte = data[(*offset)++];

    number |= (guint64) (byte & 0x7f) << shift;
    if (byte < 0x80) {
      *ret_number = number;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
_nebula_wire_read_zigzag (const guint8 *data,
                          gsize size,
                          gsize *offset,
                          gint64 *ret_number)
{
  guint64 number;

  if (!_nebula_wire_read_varint (data, size, offset, &number))
    return FALSE;
  *ret_number = (gint64) (number >> 1) ^ -(gint64) (number & 1);
  return TRUE;
}

gboolean
_nebula_wire_read_text (const guint8 *data, gsize size, gsize *offset, char **ret_text)
{
  guint64 length;

  if (!_nebula_wire_read_varint (data, size, offset, &length) || length > size - *offset)
    return FALSE;
  *ret_text = g_strndup ((const char *) data + *offset, length);
  *offset += length;
  return TRUE;
}
