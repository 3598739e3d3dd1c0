/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as Bincode of both versions; what was read is written and read to the same again. */
#include "fuzz.h"

#include "nebula-bincode.h"

static void
check (GBytes *bytes, NebulaBincodeVersion version)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = nebula_value_from_bincode (bytes, version, &error);
  g_autoptr (NebulaValue) again = NULL;
  g_autoptr (GBytes) written = NULL;

  g_assert_true ((value != NULL) == (error == NULL));
  if (!value)
    return;
  written = nebula_value_to_bincode (value, version);
  again = nebula_value_from_bincode (written, version, &error);
  g_assert_no_error (error);
  g_assert_true (nebula_value_equal (value, again));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  check (bytes, NEBULA_BINCODE_VERSION_1);
  check (bytes, NEBULA_BINCODE_VERSION_2);
  return 0;
}
