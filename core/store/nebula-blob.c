/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Blobs and the references that name them.
 *
 *   blob:sha256-<64 hexadecimal digits>?size=<bytes>
 *
 * A reference names content, not a place: whoever has the same bytes has the same reference.
 */

#include "nebula-blob.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"

#define PREFIX "blob:sha256-"
#define SIZE   "?size="

/**
 * nebula_blob_new: (skip)
 * @bytes: content
 *
 * Names @bytes by their digest.
 *
 * Returns: (transfer full): free with nebula_blob_free()
 *
 * Since: 1.0
 */
NebulaBlob *
nebula_blob_new (GBytes *bytes)
{
  NebulaBlob *self = NULL;
  g_autofree char *digest = NULL;

  g_return_val_if_fail (bytes != NULL, NULL);

  digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  self = g_new0 (NebulaBlob, 1);
  g_strlcpy (self->digest, digest, sizeof self->digest);
  self->bytes = g_bytes_ref (bytes);

  return self;
}

/**
 * nebula_blob_copy: (skip)
 * @self: a blob
 *
 * Copies the name and shares the bytes.
 *
 * Returns: (transfer full): free with nebula_blob_free()
 *
 * Since: 1.0
 */
NebulaBlob *
nebula_blob_copy (const NebulaBlob *self)
{
  NebulaBlob *copy = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_new (NebulaBlob, 1);
  *copy = *self;
  g_bytes_ref (copy->bytes);

  return copy;
}

/**
 * nebula_blob_free: (skip)
 * @self: (transfer full): a blob
 *
 * Frees @self.
 *
 * Since: 1.0
 */
void
nebula_blob_free (NebulaBlob *self)
{
  g_bytes_unref (self->bytes);
  g_free (self);
}

/**
 * nebula_blob_digest_is_valid: (skip)
 * @digest: a text
 *
 * Whether @digest has the form of a digest: 64 hexadecimal digits in lower case.
 *
 * Returns: whether it has
 *
 * Since: 1.0
 */
gboolean
nebula_blob_digest_is_valid (const char *digest)
{
  g_return_val_if_fail (digest != NULL, FALSE);

  return strspn (digest, "0123456789abcdef") == NEBULA_BLOB_DIGEST_LENGTH &&
         digest[NEBULA_BLOB_DIGEST_LENGTH] == '\0';
}

/**
 * nebula_value_new_blob: (skip)
 * @digest: digest of the bytes
 * @size: how many they are
 *
 * Makes the reference to a blob.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
NebulaValue *
nebula_value_new_blob (const char *digest, guint64 size)
{
  g_autofree char *uri = NULL;

  g_return_val_if_fail (nebula_blob_digest_is_valid (digest), NULL);

  uri = g_strdup_printf (PREFIX "%s" SIZE "%" G_GUINT64_FORMAT, digest, size);

  return nebula_value_new_reference (uri);
}

static gboolean
parse (NebulaValue *value, char *ret_digest, guint64 *ret_size)
{
  const char *uri = NULL;
  const char *rest = NULL;

  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_REFERENCE)
    return FALSE;
  uri = nebula_value_get_string (value);
  if (!g_str_has_prefix (uri, PREFIX) ||
      strlen (uri) < strlen (PREFIX SIZE) + NEBULA_BLOB_DIGEST_LENGTH)
    return FALSE;

  g_strlcpy (ret_digest, uri + strlen (PREFIX), NEBULA_BLOB_DIGEST_LENGTH + 1);
  rest = uri + strlen (PREFIX) + NEBULA_BLOB_DIGEST_LENGTH;

  return nebula_blob_digest_is_valid (ret_digest) && g_str_has_prefix (rest, SIZE) &&
         g_ascii_string_to_unsigned (rest + strlen (SIZE), 10, 0, G_MAXINT64, ret_size, NULL);
}

/**
 * nebula_value_is_blob:
 * @self: a value
 *
 * Whether @self is a reference to a blob. A text that looks like one is none.
 *
 * Returns: whether it is
 *
 * Since: 1.0
 */
gboolean
nebula_value_is_blob (NebulaValue *self)
{
  char digest[NEBULA_BLOB_DIGEST_LENGTH + 1];
  guint64 size = 0;

  g_return_val_if_fail (self != NULL, FALSE);

  return parse (self, digest, &size);
}

/**
 * nebula_value_dup_blob_digest:
 * @self: a value
 *
 * Gets the digest of the blob that @self refers to.
 *
 * Returns: (transfer full) (nullable): SHA-256 in hexadecimal; %NULL if it refers to none
 *
 * Since: 1.0
 */
char *
nebula_value_dup_blob_digest (NebulaValue *self)
{
  char digest[NEBULA_BLOB_DIGEST_LENGTH + 1];
  guint64 size = 0;

  g_return_val_if_fail (self != NULL, NULL);

  return parse (self, digest, &size) ? g_strdup (digest) : NULL;
}

/**
 * nebula_value_get_blob_size:
 * @self: a value
 *
 * Gets the size of the blob that @self refers to.
 *
 * Returns: bytes; 0 if it refers to none
 *
 * Since: 1.0
 */
guint64
nebula_value_get_blob_size (NebulaValue *self)
{
  char digest[NEBULA_BLOB_DIGEST_LENGTH + 1];
  guint64 size = 0;

  g_return_val_if_fail (self != NULL, 0);

  return parse (self, digest, &size) ? size : 0;
}

/**
 * NebulaBlobWriter:
 *
 * Writes one blob of any size in little memory. What is written is temporary until it is finished; a writer that is
 * freed before leaves nothing behind.
 *
 * Abstract, so that stores of modules can bring their own.
 *
 * Thread: one at a time, any.
 *
 * Since: 1.0
 */

typedef struct
{
  GByteArray *chunk;
  GChecksum *checksum;
  guint64 size;
  gboolean is_over; /* finished or failed */
} NebulaBlobWriterPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (NebulaBlobWriter, nebula_blob_writer, G_TYPE_OBJECT)

static void
nebula_blob_writer_finalize (GObject *object)
{
  NebulaBlobWriterPrivate *priv =
      nebula_blob_writer_get_instance_private (NEBULA_BLOB_WRITER (object));

  g_byte_array_unref (priv->chunk);
  g_checksum_free (priv->checksum);

  G_OBJECT_CLASS (nebula_blob_writer_parent_class)->finalize (object);
}

static void
nebula_blob_writer_class_init (NebulaBlobWriterClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_blob_writer_finalize;
}

static void
nebula_blob_writer_init (NebulaBlobWriter *self)
{
  NebulaBlobWriterPrivate *priv = nebula_blob_writer_get_instance_private (self);

  priv->chunk = g_byte_array_new ();
  priv->checksum = g_checksum_new (G_CHECKSUM_SHA256);
}

static gboolean
check_open (NebulaBlobWriterPrivate *priv, GError **error)
{
  if (!priv->is_over)
    return TRUE;

  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                       _("The blob is finished or has failed already. Begin a new one"));

  return FALSE;
}

static gboolean
pass_on (NebulaBlobWriter *self, GError **error)
{
  NebulaBlobWriterPrivate *priv = nebula_blob_writer_get_instance_private (self);

  if (priv->chunk->len == 0)
    return TRUE;
  if (!NEBULA_BLOB_WRITER_GET_CLASS (self)->take_chunk (self, priv->chunk->data, priv->chunk->len, error)) {
    priv->is_over = TRUE;
    return FALSE;
  }
  g_byte_array_set_size (priv->chunk, 0);

  return TRUE;
}

/**
 * nebula_blob_writer_write:
 * @self: a writer
 * @data: (array length=length) (element-type guint8): bytes
 * @length: how many
 * @error: why it failed
 *
 * Adds bytes to the end.
 *
 * Errors: %NEBULA_ERROR_CONFLICT (terminal): it is over; those of the store, such as %NEBULA_ERROR_STORE_FULL (retry).
 *
 * Thread: one at a time; blocks.
 *
 * Returns: whether it did; after a failure the writer is of no more use
 *
 * Since: 1.0
 */
gboolean
nebula_blob_writer_write (NebulaBlobWriter *self, const guint8 *data, gsize length, GError **error)
{
  NebulaBlobWriterPrivate *priv = nebula_blob_writer_get_instance_private (self);

  g_return_val_if_fail (NEBULA_IS_BLOB_WRITER (self), FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);

  if (!check_open (priv, error))
    return FALSE;

  while (length > 0) {
    gsize part = MIN (length, NEBULA_BLOB_CHUNK_BYTES - priv->chunk->len);

    g_checksum_update (priv->checksum, data, (gssize) part);
    g_byte_array_append (priv->chunk, data, (guint) part);
    priv->size += part;
    data += part;
    length -= part;
    if (priv->chunk->len == NEBULA_BLOB_CHUNK_BYTES && !pass_on (self, error))
      return FALSE;
  }

  return TRUE;
}

/**
 * nebula_blob_writer_finish:
 * @self: a writer
 * @error: why it failed
 *
 * Makes what was written a blob. It is kept for a day, and for good once an execution's result refers to it; what makes
 * that result survive a power cut makes the blob survive it too.
 *
 * Errors: as nebula_blob_writer_write().
 *
 * Thread: one at a time; blocks.
 *
 * Returns: (transfer full): the reference that stands for it
 *
 * Since: 1.0
 */
NebulaValue *
nebula_blob_writer_finish (NebulaBlobWriter *self, GError **error)
{
  NebulaBlobWriterPrivate *priv = nebula_blob_writer_get_instance_private (self);
  const char *digest = NULL;

  g_return_val_if_fail (NEBULA_IS_BLOB_WRITER (self), NULL);

  if (!check_open (priv, error) || !pass_on (self, error))
    return NULL;

  priv->is_over = TRUE;
  digest = g_checksum_get_string (priv->checksum);
  if (!NEBULA_BLOB_WRITER_GET_CLASS (self)->seal (self, digest, priv->size, error))
    return NULL;

  return nebula_value_new_blob (digest, priv->size);
}
