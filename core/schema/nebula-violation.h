/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaViolation:
 *
 * One thing that is wrong with a value, its place and the rule that says so. It never shows the value itself, which may
 * be a secret.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaViolation NebulaViolation;

#define NEBULA_TYPE_VIOLATION (nebula_violation_get_type ())
NEBULA_API GType nebula_violation_get_type (void);
/* @pointer: JSON pointer of the part; @rule: the keyword or validator; @source: where the rule stands, may be NULL. */
NEBULA_API NebulaViolation *nebula_violation_new (const char *pointer, const char *rule, const char *source, const char *reason);
NEBULA_API NebulaViolation *nebula_violation_ref (NebulaViolation *self);
NEBULA_API void nebula_violation_unref (NebulaViolation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaViolation, nebula_violation_unref)
NEBULA_API const char *nebula_violation_get_pointer (NebulaViolation *self);
NEBULA_API const char *nebula_violation_get_rule (NebulaViolation *self);
NEBULA_API const char *nebula_violation_get_source (NebulaViolation *self);
NEBULA_API const char *nebula_violation_get_reason (NebulaViolation *self);
NEBULA_API char *nebula_violation_to_text (NebulaViolation *self);
NEBULA_API NebulaValue *nebula_violation_to_value (NebulaViolation *self);

G_END_DECLS
