/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first byte says how; the rest is a stream of values. What is read in place is what is read otherwise. */
#include "fuzz.h"

#include <gio/gio.h>

#include "nebula-bincode.h"
#include "nebula-msgpack.h"
#include "nebula-value-stream.h"
#include "nebula-zstd.h"

static void
read_values (GInputStream *stream, guint8 how)
{
  g_autoptr (NebulaValueReader) reader = nebula_value_reader_new (stream, how & 3, 1 << 20);
  g_autoptr (GError) error = NULL;
  guint8 block[4096];

  for (guint i = 0; i < 1000 && !error; i++) {
    g_autoptr (NebulaValue) value = NULL;
    g_autoptr (GInputStream) bytes = NULL;

    if (how & 4)
      bytes = nebula_value_reader_open_bytes (reader, NULL, NULL);
    if (bytes && g_input_stream_read (bytes, block, sizeof block, NULL, NULL) < 0)
      return;
    value = nebula_value_reader_read (reader, NULL, &error);
    if (!value)
      return;
  }
}

static void
read_in_place (GBytes *bytes, guint8 how)
{
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (NebulaValue) other = NULL;

  if ((how & 3) == NEBULA_VALUE_FORMAT_MSGPACK) {
    value = nebula_value_from_msgpack (bytes, NULL);
    other = nebula_value_from_msgpack_in_place (bytes, NULL);
  } else {
    NebulaBincodeVersion version = (how & 3) == 1 ? NEBULA_BINCODE_VERSION_1 : NEBULA_BINCODE_VERSION_2;

    value = nebula_value_from_bincode (bytes, version, NULL);
    other = nebula_value_from_bincode_in_place (bytes, version, NULL);
  }
  g_assert_true ((value == NULL) == (other == NULL));
  g_assert_true (!value || nebula_value_equal (value, other));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 how = size > 0 ? data[0] : 0;
  g_autoptr (GBytes) bytes = g_bytes_new (data + (size > 0), size - (size > 0));
  g_autoptr (GInputStream) memory = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (NebulaZstdDecompressor) decompressor = nebula_zstd_decompressor_new (1 << 20);
  g_autoptr (GInputStream) stream = how & 8 ? g_converter_input_stream_new (memory, G_CONVERTER (decompressor)) : g_object_ref (memory);

  read_values (stream, how);
  read_in_place (bytes, how);
  return 0;
}
