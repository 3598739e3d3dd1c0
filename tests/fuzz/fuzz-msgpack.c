/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as MessagePack; what parses must be written and read again as the same value. */
#include "fuzz.h"

#include "nebula-error.h"
#include "nebula-msgpack.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = nebula_value_from_msgpack (bytes, &error);
  g_autoptr (GBytes) written = NULL;
  g_autoptr (NebulaValue) again = NULL;

  if (value == NULL) {
    g_assert_true (error != NULL && error->domain == NEBULA_ERROR);
    return 0;
  }
  written = nebula_value_to_msgpack (value);
  again = nebula_value_from_msgpack (written, &error);
  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (value, again));
  return 0;
}
