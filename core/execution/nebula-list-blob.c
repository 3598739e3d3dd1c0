/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-list-blob-internal.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"

#define MAGIC        "NLB1"
#define HEAD_BYTES   16
#define CHUNK_BYTES  48
#define DIGEST_BYTES 32

static void
put_number (GByteArray *bytes, guint64 number, guint n_bytes)
{
  for (guint i = 0; i < n_bytes; i++) {
    guint8 byte = (guint8) (number >> (8 * i));

    g_byte_array_append (bytes, &byte, 1);
  }
}

static guint64
get_number (const guint8 *data, guint n_bytes)
{
  guint64 number = 0;

  for (guint i = n_bytes; i > 0; i--)
    number = number << 8 | data[i - 1];
  return number;
}

static void
put_digest (GByteArray *bytes, const char *digest)
{
  for (guint i = 0; i < DIGEST_BYTES; i++) {
    guint8 byte = (guint8) (g_ascii_xdigit_value (digest[2 * i]) << 4 |
                            g_ascii_xdigit_value (digest[2 * i + 1]));

    g_byte_array_append (bytes, &byte, 1);
  }
}

GBytes *
nebula_list_blob_format (const GArray *chunks)
{
  GByteArray *bytes = g_byte_array_sized_new (HEAD_BYTES + chunks->len * CHUNK_BYTES);
  guint64 first = 0;

  g_byte_array_append (bytes, (const guint8 *) MAGIC, strlen (MAGIC));
  put_number (bytes, chunks->len, 4);
  put_number (bytes, 0, 8);
  for (guint i = 0; i < chunks->len; i++) {
    const NebulaListChunk *chunk = &g_array_index (chunks, NebulaListChunk, i);

    put_digest (bytes, chunk->digest);
    put_number (bytes, first, 8);
    put_number (bytes, chunk->size, 8);
    first += chunk->count;
  }
  for (guint i = 0; i < 8; i++)
    bytes->data[8 + i] = (guint8) (first >> (8 * i));
  return g_byte_array_free_to_bytes (bytes);
}

static const guint8 *
get_entry (GBytes *bytes, guint32 number)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  return data + HEAD_BYTES + (gsize) number * CHUNK_BYTES;
}

static guint64
get_first (GBytes *bytes, guint32 number)
{
  return get_number (get_entry (bytes, number) + DIGEST_BYTES, 8);
}

guint32
nebula_list_blob_get_n_chunks (GBytes *bytes)
{
  return (guint32) get_number ((const guint8 *) g_bytes_get_data (bytes, NULL) + 4, 4);
}

guint64
nebula_list_blob_get_length (GBytes *bytes)
{
  return get_number ((const guint8 *) g_bytes_get_data (bytes, NULL) + 8, 8);
}

static gboolean
is_ordered (GBytes *bytes)
{
  guint32 n_chunks = nebula_list_blob_get_n_chunks (bytes);
  guint64 length = nebula_list_blob_get_length (bytes);

  if (n_chunks == 0 || get_first (bytes, 0) != 0 || length > G_MAXINT64)
    return n_chunks == 0 && length == 0;
  for (guint32 i = 1; i < n_chunks; i++) {
    if (get_first (bytes, i) <= get_first (bytes, i - 1))
      return FALSE;
  }
  return length > get_first (bytes, n_chunks - 1);
}

gboolean
nebula_list_blob_check (GBytes *bytes, GError **error)
{
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  if (size >= HEAD_BYTES && memcmp (data, MAGIC, strlen (MAGIC)) == 0 &&
      (size - HEAD_BYTES) % CHUNK_BYTES == 0 &&
      (size - HEAD_BYTES) / CHUNK_BYTES == nebula_list_blob_get_n_chunks (bytes) &&
      is_ordered (bytes))
    return TRUE;
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
      _ ("A stored list is damaged: its index makes no sense. Restore the store from a backup."));
  return FALSE;
}

void
nebula_list_blob_get_chunk (GBytes *bytes, guint32 number, NebulaListChunk *ret_chunk)
{
  const guint8 *entry = get_entry (bytes, number);
  gboolean is_last = number + 1 == nebula_list_blob_get_n_chunks (bytes);

  for (guint i = 0; i < DIGEST_BYTES; i++) {
    ret_chunk->digest[2 * i] = "0123456789abcdef"[entry[i] >> 4];
    ret_chunk->digest[2 * i + 1] = "0123456789abcdef"[entry[i] & 15];
  }
  ret_chunk->digest[2 * DIGEST_BYTES] = '\0';
  ret_chunk->first = get_first (bytes, number);
  ret_chunk->count =
      (is_last ? nebula_list_blob_get_length (bytes) : get_first (bytes, number + 1)) -
      ret_chunk->first;
  ret_chunk->size = get_number (entry + DIGEST_BYTES + 8, 8);
}

guint32
nebula_list_blob_find (GBytes *bytes, guint64 item)
{
  guint32 low = 0;
  guint32 high = nebula_list_blob_get_n_chunks (bytes);

  while (high - low > 1) {
    guint32 middle = low + (high - low) / 2;

    if (get_first (bytes, middle) <= item)
      low = middle;
    else
      high = middle;
  }
  return low;
}
