/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines that a user types: with editing, history and completion on a terminal, else as they come. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What may stand at @position, in characters, of what is typed: of NebulaCompletion; the container is the caller's. */
typedef GPtrArray *(*NebulaLineComplete) (const char *text,
                                          guint position,
                                          gpointer user_data);

typedef struct _NebulaLine NebulaLine;

/* @prompt and @complete live as long as the reader. */
NebulaLine *
nebula_line_new (const char *prompt, NebulaLineComplete complete, gpointer user_data);
void nebula_line_free (NebulaLine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaLine, nebula_line_free)
/* Whether somebody sits there. */
gboolean nebula_line_is_terminal (NebulaLine *self);
/* The next line without its end, to be freed; NULL: there are no more. */
char *nebula_line_read (NebulaLine *self);

G_END_DECLS
