/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads any bytes as what the engine keeps in blobs: the index of a list, and MessagePack with stored values. */
#include "fuzz.h"

#include "nebula-list-blob-internal.h"
#include "nebula-msgpack-internal.h"
#include "nebula-stored-internal.h"

static void
try_list (GBytes *bytes)
{
  NebulaListChunk chunk;
  guint64 length = 0;

  if (!nebula_list_blob_check (bytes, NULL))
    return;
  for (guint32 i = 0; i < nebula_list_blob_get_n_chunks (bytes); i++) {
    nebula_list_blob_get_chunk (bytes, i, &chunk);
    g_assert_cmpuint (chunk.first, ==, length);
    g_assert_cmpuint (chunk.count, >, 0);
    g_assert_cmpuint (nebula_list_blob_find (bytes, chunk.first + chunk.count - 1), ==, i);
    length += chunk.count;
  }
  g_assert_cmpuint (length, ==, nebula_list_blob_get_length (bytes));
}

static void
try_value (GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = nebula_value_from_msgpack_own (bytes, &error);
  g_autoptr (NebulaValue) again = NULL;
  g_autoptr (NebulaValue) outside = NULL;
  g_autoptr (GBytes) written = NULL;

  g_assert_true ((value == NULL) == (error != NULL));
  if (!value)
    return;
  written = nebula_value_to_msgpack (value);
  again = nebula_value_from_msgpack_own (written, NULL);
  g_assert_nonnull (again);
  g_assert_true (nebula_value_equal (value, again));
  g_assert_true (nebula_value_has_stored (value) == nebula_value_has_stored (again));
  outside = nebula_value_from_msgpack (written, NULL);
  g_assert_true ((outside == NULL) == nebula_value_has_stored (value));
}

static void
try_text (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (NebulaValue) value = nebula_value_new_stored_from_text (text);
  g_autoptr (NebulaValue) again = NULL;
  NebulaStored stored;

  if (!value)
    return;
  g_assert_true (nebula_value_get_stored (value, &stored));
  again = nebula_value_new_stored (&stored);
  g_assert_cmpstr (nebula_value_get_string (again), ==, text);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  try_list (bytes);
  try_value (bytes);
  try_text (data, size);
  return 0;
}
