/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as MessagePack; what is read must be the same after being written and read again. */
#include "fuzz.h"

#include "nebula-msgpack.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (NebulaValue) again = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gsize offset = 0;

  value = nebula_value_read_msgpack (data, size, &offset, &error);
  g_assert_true ((value == NULL) == (error != NULL));
  if (!value) {
    g_assert_cmpuint (offset, ==, 0);
    return 0;
  }
  g_assert_cmpuint (offset, <=, size);
  bytes = nebula_value_to_msgpack (value);
  again = nebula_value_from_msgpack (bytes, NULL);
  g_assert_nonnull (again);
  g_assert_true (nebula_value_equal (value, again));
  return 0;
}
