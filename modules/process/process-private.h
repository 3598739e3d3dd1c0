/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nebula/nebula-sdk.h>

G_BEGIN_DECLS

GType nebula_process_run_get_type (void);

/* Starts a program as the leader of a process group of its own. */
GSubprocess *_nebula_process_spawn (const char *const *command, const char *directory, NebulaValue *env, NebulaValue *input, GError **error);

/* What a program writes to one of its outputs, up to a limit. */
typedef struct
{
  GInputStream *stream;
  GByteArray *content;
  gsize limit;
  gboolean has_more;   /* there was more than the limit */
  gboolean is_done;
  GCancellable *cancellable;
  void (*changed) (gpointer data); /* called when it is done, and once when the limit is passed */
  gpointer data;
} NebulaProcessCapture;

void _nebula_process_capture_start (NebulaProcessCapture *self, GInputStream *stream, gsize limit, GCancellable *cancellable, void (*changed) (gpointer data), gpointer data);
void _nebula_process_capture_clear (NebulaProcessCapture *self);
NebulaValue *_nebula_process_capture_to_value (NebulaProcessCapture *self);

G_END_DECLS
