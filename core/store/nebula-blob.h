/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

#define NEBULA_BLOB_CHUNK_BYTES 1048576 /* what a writer collects before it passes it on */
#define NEBULA_BLOB_DIGEST_LENGTH 64    /* characters of a digest: SHA-256 in lower-case hexadecimal */

/**
 * NebulaBlob: (skip)
 *
 * Bytes that are kept under the digest of themselves.
 *
 * Thread: any (immutable).
 */
typedef struct
{
  char digest[NEBULA_BLOB_DIGEST_LENGTH + 1];
  GBytes *bytes;
} NebulaBlob;

NEBULA_API NebulaBlob *nebula_blob_new (GBytes *bytes);
NEBULA_API NebulaBlob *nebula_blob_copy (const NebulaBlob *self);
NEBULA_API void nebula_blob_free (NebulaBlob *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaBlob, nebula_blob_free)

NEBULA_API gboolean nebula_blob_digest_is_valid (const char *digest);

/* The value that stands for a blob in a workflow: a reference `blob:sha256-…?size=N`. */
NEBULA_API NebulaValue *nebula_value_new_blob (const char *digest, guint64 size);
NEBULA_API gboolean nebula_value_is_blob (NebulaValue *self);
NEBULA_API char *nebula_value_dup_blob_digest (NebulaValue *self);
NEBULA_API guint64 nebula_value_get_blob_size (NebulaValue *self);

#define NEBULA_TYPE_BLOB_WRITER (nebula_blob_writer_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaBlobWriter, nebula_blob_writer, NEBULA, BLOB_WRITER, GObject)

/**
 * NebulaBlobWriterClass:
 * @take_chunk: takes bytes, each time but the last %NEBULA_BLOB_CHUNK_BYTES of them
 * @seal: makes all that was taken the blob @digest; called at most once, and after it nothing else
 *
 * A store's own part of writing a blob. Freed without a finish it leaves nothing behind.
 */
struct _NebulaBlobWriterClass
{
  GObjectClass parent_class;

  gboolean (*take_chunk) (NebulaBlobWriter *self, const guint8 *data, gsize length, GError **error);
  gboolean (*seal) (NebulaBlobWriter *self, const char *digest, guint64 size, GError **error);

  gpointer _reserved[8];
};

NEBULA_API gboolean nebula_blob_writer_write (NebulaBlobWriter *self, const guint8 *data, gsize length, GError **error);
NEBULA_API NebulaValue *nebula_blob_writer_finish (NebulaBlobWriter *self, GError **error);

G_END_DECLS
