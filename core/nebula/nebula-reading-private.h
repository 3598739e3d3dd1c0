/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-workflow.h"

G_BEGIN_DECLS

/* All of a file, or of stdin for “-”; at most 64 MiB. */
GBytes *nebula_read_file (const char *path, GError **error);
/* JSON, or @FILE (@- is stdin) that holds JSON or YAML. */
NebulaValue *nebula_read_argument (const char *text, const char *option, GError **error);
/* Puts each KEY=VALUE (VALUE: JSON, else text; KEY: a.b.c) into @input, an object. */
NebulaValue *nebula_read_settings (NebulaValue *input, char **settings, GError **error);
/* Each NODE=VALUE as a member (VALUE: JSON, else text); with @is_text VALUE is text, or may be missing: null. */
NebulaValue *nebula_read_assignments (char **texts, gboolean is_text, GError **error);
/* JSON, else the text itself. */
NebulaValue *nebula_read_loosely (const char *text);
/* Reads a workflow; what is wrong with it, or with the file, becomes a diagnostic too. */
NebulaWorkflow *
nebula_read_workflow (const char *path, GPtrArray *diagnostics, GError **error);
GPtrArray *nebula_diagnostics_new (void);
/* The error as a diagnostic, unless there is an error among them already. */
void nebula_diagnostics_add_error (GPtrArray *diagnostics,
                                   const char *file,
                                   const GError *error);

G_END_DECLS
