/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-workflow.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_STYLE_PLAIN,
  NEBULA_STYLE_BOLD,
  NEBULA_STYLE_DIM,
  NEBULA_STYLE_GOOD,
  NEBULA_STYLE_BAD,
  NEBULA_STYLE_BUSY,
} NebulaStyle;

/* Results go to stdout, all else to stderr. Texts are UTF-8 and written as they are, whatever the locale. */
void nebula_output_text (const char *text);
void nebula_output_value (NebulaValue *value, gboolean is_pretty);
/* Text as it is, all else as indented JSON. */
void nebula_output_result (NebulaValue *value);
/* A write to stdout failed. */
gboolean nebula_output_has_failed (void);

void nebula_note_text (const char *text);
/* One line on stderr. */
void nebula_note (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* “nebula: …” on stderr. */
void nebula_complain (const char *format, ...) G_GNUC_PRINTF (1, 2);
void nebula_complain_error (const GError *error);
/* The error on stderr; with @as_json also {"error": {code, message}} on stdout. Returns the exit code. */
int nebula_fail (const GError *error, gboolean as_json);

void nebula_note_diagnostics (GPtrArray *diagnostics);
NebulaValue *nebula_diagnostics_to_value (GPtrArray *diagnostics);
NebulaValue *nebula_error_to_value (const GError *error);

/* Whether @fd is a terminal that may be painted. */
gboolean nebula_has_colour (int fd);
void
nebula_paint (GString *text, gboolean has_colour, NebulaStyle style, const char *part);
/* “12 ms”, “1.5 s”, “2 min 5 s”. */
char *nebula_format_span (gint64 usec);

/* The tags of an item of a list, each behind a #. */
void nebula_append_tags (GString *text, NebulaValue *item);

G_END_DECLS
