/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-expression.h"

G_BEGIN_DECLS

/**
 * NebulaTemplate:
 *
 * A value whose strings may be templates, at any depth (keys are never templates). A string that is exactly one
 * `{{ … }}` keeps the type of its value. What has no hole is kept as it is and costs nothing to evaluate.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaTemplate NebulaTemplate;

/**
 * NebulaTemplateProblem: (skip)
 * Called for each string that does not compile; @pointer is its JSON pointer inside the value.
 */
typedef void (*NebulaTemplateProblem) (const char *pointer, const GError *error, gpointer user_data);
/**
 * NebulaTemplateVisitor: (skip)
 * Called for each compiled expression; @pointer is the JSON pointer of its string.
 */
typedef void (*NebulaTemplateVisitor) (const char *pointer, NebulaExpression *expression, gpointer user_data);

#define NEBULA_TYPE_TEMPLATE (nebula_template_get_type ())
NEBULA_API GType nebula_template_get_type (void);
NEBULA_API NebulaTemplate *nebula_template_new (NebulaValue *value, NebulaTemplateProblem problem, gpointer user_data);
/* @functions: those of modules; may be NULL. */
NEBULA_API NebulaTemplate *nebula_template_new_with_functions (NebulaValue *value, NebulaFunctionSet *functions, NebulaTemplateProblem problem, gpointer user_data);
/* A template that gives the value as it is: braces in its strings mean nothing. */
NEBULA_API NebulaTemplate *nebula_template_new_constant (NebulaValue *value);
NEBULA_API NebulaTemplate *nebula_template_ref (NebulaTemplate *self);
NEBULA_API void nebula_template_unref (NebulaTemplate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaTemplate, nebula_template_unref)
NEBULA_API gboolean nebula_template_is_constant (NebulaTemplate *self);
NEBULA_API NebulaValue *nebula_template_get_value (NebulaTemplate *self); /* as written */
NEBULA_API void nebula_template_foreach (NebulaTemplate *self, NebulaTemplateVisitor visitor, gpointer user_data);
NEBULA_API NebulaValue *nebula_template_evaluate (NebulaTemplate *self, NebulaEnvironment *environment, GError **error);

G_END_DECLS
