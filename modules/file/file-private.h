/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nebula/nebula-sdk.h>
#include <sys/stat.h>

G_BEGIN_DECLS

#define NEBULA_FILE_BLOCK_BYTES 65536

GType nebula_file_read_get_type (void);
GType nebula_file_write_get_type (void);
GType nebula_file_list_get_type (void);
GType nebula_file_move_get_type (void);
GType nebula_file_delete_get_type (void);
GType nebula_file_convert_get_type (void); /* what the next two are made of */
GType nebula_file_compress_get_type (void);
GType nebula_file_decompress_get_type (void);

/* The path that the system is asked for: relative ones start at the invocation's folder. */
char *_nebula_file_resolve (NebulaInvocation *invocation, const char *path);
/* Sets the error that an errno means for a path; always gives FALSE. */
gboolean _nebula_file_set_error (GError **error, int number, const char *path);
/* Opens a regular file for reading; -1 with error. */
int _nebula_file_open (const char *full, const char *path, struct stat *ret_info, GError **error);
/* Reads up to @size bytes, fewer only at the end; -1 with error. */
gssize _nebula_file_read_block (int fd, char *buffer, gsize size, const char *path, GError **error);
gboolean _nebula_file_write_all (int fd, const char *data, gsize size, GCancellable *cancellable, const char *path, GError **error);
/* Makes a rename or removal in the folder of @full durable. */
gboolean _nebula_file_sync_folder (const char *full, const char *path, GError **error);

/* Bytes and text as they are, other values as JSON. */
GBytes *_nebula_file_to_bytes (NebulaValue *content);
/* Text without a byte order mark; NULL with invalid-data if it is no UTF-8. */
NebulaValue *_nebula_file_new_text (const char *data, gsize size, gboolean at_start, const char *path, GError **error);
/* file.read with `lines`: `{lines, next}`. */
NebulaValue *_nebula_file_read_lines (int fd, gint64 offset, gint64 n_lines, gint64 max_size, GCancellable *cancellable, const char *path, GError **error);
/* All lines of a text. */
NebulaValue *_nebula_file_split_lines (const char *data, gsize size, const char *path, GError **error);

/* What is to be written: bytes, or a stream of any length. */
typedef struct
{
  GBytes *bytes;        /* NULL: the stream */
  GInputStream *stream; /* read to its end, which proves it */
  gint64 written;
} NebulaFileContent;

gboolean _nebula_file_write_content (int fd, NebulaFileContent *content, GCancellable *cancellable, const char *path, GError **error);
/* Replaces or makes a file as one step. */
gboolean _nebula_file_save (const char *full, NebulaFileContent *content, GCancellable *cancellable, const char *path, GError **error);
/* file.read with `as: blob`: from the file's offset to its end. */
NebulaValue *_nebula_file_read_blob (int fd, NebulaInvocation *invocation, gint64 max_size, GCancellable *cancellable, const char *path, GError **error);

G_END_DECLS
