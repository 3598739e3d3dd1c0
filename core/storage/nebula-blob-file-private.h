/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-blob.h"

G_BEGIN_DECLS

/* One blob on its way into a file. All calls give 0 or an errno. */
typedef struct
{
  int fd;
  char *path; /* of the temporary file; NULL once it has its name */
  char *folder;
} NebulaBlobFile;

#define NEBULA_BLOB_FILE_INIT { .fd = -1 }

int _nebula_blob_file_begin (NebulaBlobFile *self, const char *folder);
int _nebula_blob_file_append (NebulaBlobFile *self, const guint8 *data, gsize length);
int _nebula_blob_file_sync (NebulaBlobFile *self);
int _nebula_blob_file_take_name (NebulaBlobFile *self, const char *digest);
/* Removes the file if it has no name yet. */
void _nebula_blob_file_clear (NebulaBlobFile *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaBlobFile, _nebula_blob_file_clear)

/* All of it at once. */
int _nebula_blob_file_write (const char *folder, const NebulaBlob *blob);
gboolean _nebula_blob_file_exists (const char *folder, const char *digest, guint64 size);
void _nebula_blob_file_remove (const char *folder, const char *digest);

/* Removes temporary files, and with @is_known those blobs that it does not know, if they are older than @before_usec. */
typedef gboolean (*NebulaBlobFileIsKnown) (const char *digest, gpointer user_data);
void _nebula_blob_file_sweep (const char *folder, gint64 before_usec, NebulaBlobFileIsKnown is_known, gpointer user_data);

G_END_DECLS
