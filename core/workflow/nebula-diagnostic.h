/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaSeverity:
 * @NEBULA_SEVERITY_ERROR: the workflow cannot run
 * @NEBULA_SEVERITY_WARNING: it runs, but probably not as meant
 */
typedef enum
{
  NEBULA_SEVERITY_ERROR,
  NEBULA_SEVERITY_WARNING,
} NebulaSeverity;

/**
 * NebulaDiagnostic:
 *
 * One problem of a workflow, with its place.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaDiagnostic NebulaDiagnostic;

#define NEBULA_TYPE_DIAGNOSTIC (nebula_diagnostic_get_type ())
NEBULA_API GType nebula_diagnostic_get_type (void);
/* @code: a kebab-case code of the list in docs/file-format.md; static. @hint: may be NULL. @line 0: no place known. */
NEBULA_API NebulaDiagnostic *nebula_diagnostic_new (NebulaSeverity severity, const char *code, const char *file, guint line, guint column, const char *message, const char *hint);
NEBULA_API NebulaDiagnostic *nebula_diagnostic_ref (NebulaDiagnostic *self);
NEBULA_API void nebula_diagnostic_unref (NebulaDiagnostic *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaDiagnostic, nebula_diagnostic_unref)
NEBULA_API NebulaSeverity nebula_diagnostic_get_severity (NebulaDiagnostic *self);
NEBULA_API const char *nebula_diagnostic_get_code (NebulaDiagnostic *self);
NEBULA_API const char *nebula_diagnostic_get_file (NebulaDiagnostic *self);
NEBULA_API guint nebula_diagnostic_get_line (NebulaDiagnostic *self);
NEBULA_API guint nebula_diagnostic_get_column (NebulaDiagnostic *self);
NEBULA_API const char *nebula_diagnostic_get_message (NebulaDiagnostic *self);
NEBULA_API const char *nebula_diagnostic_get_hint (NebulaDiagnostic *self);
NEBULA_API NebulaValue *nebula_diagnostic_to_value (NebulaDiagnostic *self);
NEBULA_API char *nebula_diagnostic_to_string (NebulaDiagnostic *self); /* file:line:column: severity: message [code] */

G_END_DECLS
