/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaParameterKind:
 * @NEBULA_PARAMETER_KIND_TEXT: one line of text
 * @NEBULA_PARAMETER_KIND_TEXTAREA: text of several lines
 * @NEBULA_PARAMETER_KIND_SECRET: a secret handle
 * @NEBULA_PARAMETER_KIND_NUMBER: a number
 * @NEBULA_PARAMETER_KIND_INTEGER: an integer
 * @NEBULA_PARAMETER_KIND_BOOLEAN: true or false
 * @NEBULA_PARAMETER_KIND_SELECT: one of the options
 * @NEBULA_PARAMETER_KIND_MULTI_SELECT: some of the options
 * @NEBULA_PARAMETER_KIND_DATE_TIME: an instant
 * @NEBULA_PARAMETER_KIND_DURATION: text such as `30s`
 * @NEBULA_PARAMETER_KIND_SIZE: text such as `64MiB`
 * @NEBULA_PARAMETER_KIND_CODE: program text
 * @NEBULA_PARAMETER_KIND_EXPRESSION: an expression without braces, evaluated by the action
 * @NEBULA_PARAMETER_KIND_EXPRESSIONS: an object of such expressions
 * @NEBULA_PARAMETER_KIND_JSON: any value
 * @NEBULA_PARAMETER_KIND_FILE: path of a file
 * @NEBULA_PARAMETER_KIND_OBJECT: an object
 * @NEBULA_PARAMETER_KIND_LIST: an array
 * @NEBULA_PARAMETER_KIND_STRINGS: an array of texts
 * @NEBULA_PARAMETER_KIND_WORKFLOW: name or path of a workflow
 * @NEBULA_PARAMETER_KIND_HIDDEN: not shown in forms
 *
 * What a parameter holds and how a form shows it. One table (nebula-parameter-kinds.c) holds all that is known of a kind.
 */
typedef enum
{
  NEBULA_PARAMETER_KIND_TEXT,
  NEBULA_PARAMETER_KIND_TEXTAREA,
  NEBULA_PARAMETER_KIND_SECRET,
  NEBULA_PARAMETER_KIND_NUMBER,
  NEBULA_PARAMETER_KIND_INTEGER,
  NEBULA_PARAMETER_KIND_BOOLEAN,
  NEBULA_PARAMETER_KIND_SELECT,
  NEBULA_PARAMETER_KIND_MULTI_SELECT,
  NEBULA_PARAMETER_KIND_DATE_TIME,
  NEBULA_PARAMETER_KIND_DURATION,
  NEBULA_PARAMETER_KIND_SIZE,
  NEBULA_PARAMETER_KIND_CODE,
  NEBULA_PARAMETER_KIND_EXPRESSION,
  NEBULA_PARAMETER_KIND_EXPRESSIONS,
  NEBULA_PARAMETER_KIND_JSON,
  NEBULA_PARAMETER_KIND_FILE,
  NEBULA_PARAMETER_KIND_OBJECT,
  NEBULA_PARAMETER_KIND_LIST,
  NEBULA_PARAMETER_KIND_STRINGS,
  NEBULA_PARAMETER_KIND_WORKFLOW,
  NEBULA_PARAMETER_KIND_HIDDEN,
} NebulaParameterKind;

/**
 * NebulaParameterFlags:
 * @NEBULA_PARAMETER_FLAGS_NONE: optional, templates allowed, null refused
 * @NEBULA_PARAMETER_FLAGS_REQUIRED: must be set
 * @NEBULA_PARAMETER_FLAGS_NULLABLE: may be null
 * @NEBULA_PARAMETER_FLAGS_SECRET: never shown, logged or exported
 * @NEBULA_PARAMETER_FLAGS_NO_TEMPLATE: `{{ … }}` is refused; the value must be written out
 * @NEBULA_PARAMETER_FLAGS_REST: takes all keys that no other parameter takes
 */
typedef enum /*< flags >*/
{
  NEBULA_PARAMETER_FLAGS_NONE = 0,
  NEBULA_PARAMETER_FLAGS_REQUIRED = 1 << 0,
  NEBULA_PARAMETER_FLAGS_NULLABLE = 1 << 1,
  NEBULA_PARAMETER_FLAGS_SECRET = 1 << 2,
  NEBULA_PARAMETER_FLAGS_NO_TEMPLATE = 1 << 3,
  NEBULA_PARAMETER_FLAGS_REST = 1 << 4,
} NebulaParameterFlags;

/**
 * NebulaParameter:
 *
 * One entry of an action's parameter table: plain data. It is changed only while its class is being set up.
 *
 * Thread: any once set up (immutable).
 */
typedef struct _NebulaParameter NebulaParameter;

#define NEBULA_TYPE_PARAMETER (nebula_parameter_get_type ())
NEBULA_API GType nebula_parameter_get_type (void);
NEBULA_API NebulaParameter *nebula_parameter_new (const char *name, NebulaParameterKind kind);
/* Kind, range, default, options, nick and blurb from the GParamSpec; NULL with error if its type is refused. */
NEBULA_API NebulaParameter *nebula_parameter_new_from_pspec (GParamSpec *pspec, GError **error);
NEBULA_API NebulaParameter *nebula_parameter_new_from_value (NebulaValue *value, GError **error);
NEBULA_API NebulaValue *nebula_parameter_to_value (NebulaParameter *self);
NEBULA_API NebulaParameter *nebula_parameter_ref (NebulaParameter *self);
NEBULA_API void nebula_parameter_unref (NebulaParameter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaParameter, nebula_parameter_unref)

NEBULA_API const char *nebula_parameter_get_name (NebulaParameter *self);
NEBULA_API NebulaParameterKind nebula_parameter_get_kind (NebulaParameter *self);
NEBULA_API NebulaParameterFlags nebula_parameter_get_flags (NebulaParameter *self);
NEBULA_API const char *nebula_parameter_get_title (NebulaParameter *self);
NEBULA_API const char *nebula_parameter_get_description (NebulaParameter *self);
NEBULA_API NebulaValue *nebula_parameter_get_default (NebulaParameter *self); /* borrowed, may be NULL */
NEBULA_API const char *const *nebula_parameter_get_options (NebulaParameter *self);
NEBULA_API const char *nebula_parameter_get_group (NebulaParameter *self);
NEBULA_API const char *nebula_parameter_get_placeholder (NebulaParameter *self);
NEBULA_API gint nebula_parameter_get_order (NebulaParameter *self);

NEBULA_API void nebula_parameter_set_title (NebulaParameter *self, const char *title);
NEBULA_API void nebula_parameter_set_description (NebulaParameter *self, const char *description);
NEBULA_API void nebula_parameter_set_kind (NebulaParameter *self, NebulaParameterKind kind);
NEBULA_API void nebula_parameter_add_flags (NebulaParameter *self, NebulaParameterFlags flags);
NEBULA_API void nebula_parameter_set_range (NebulaParameter *self, double minimum, double maximum);
NEBULA_API void nebula_parameter_set_pattern (NebulaParameter *self, const char *pattern);
NEBULA_API void nebula_parameter_set_length (NebulaParameter *self, gint64 minimum, gint64 maximum);
NEBULA_API void nebula_parameter_set_options (NebulaParameter *self, const char *const *options);
NEBULA_API void nebula_parameter_set_default (NebulaParameter *self, NebulaValue *value);
NEBULA_API void nebula_parameter_set_group (NebulaParameter *self, const char *group);
NEBULA_API void nebula_parameter_set_order (NebulaParameter *self, gint order);
NEBULA_API void nebula_parameter_set_placeholder (NebulaParameter *self, const char *placeholder);
/* Named validators, as nebula_validator_new () takes them. */
NEBULA_API void nebula_parameter_set_rules (NebulaParameter *self, NebulaValue *rules);
NEBULA_API NebulaValue *nebula_parameter_get_rules (NebulaParameter *self); /* borrowed, may be NULL */
/* Shown only if the condition over the other parameters holds; see nebula-condition.h for the form. */
NEBULA_API void nebula_parameter_set_show_if (NebulaParameter *self, NebulaValue *condition);
NEBULA_API void nebula_parameter_set_hide_if (NebulaParameter *self, NebulaValue *condition);
NEBULA_API gboolean nebula_parameter_is_visible (NebulaParameter *self, NebulaValue *values);

NEBULA_API guint32 nebula_parameter_get_accepted_kinds (NebulaParameter *self); /* set of 1 << NebulaValueKind */
NEBULA_API gboolean nebula_parameter_validate (NebulaParameter *self, NebulaValue *value, GError **error);
NEBULA_API NebulaValue *nebula_parameter_to_json_schema (NebulaParameter *self);

/**
 * NebulaParameterTable:
 *
 * All parameters of one action. Validates, makes JSON Schema, and is what a host receives.
 *
 * Thread: any once set up (immutable).
 */
typedef struct _NebulaParameterTable NebulaParameterTable;

#define NEBULA_TYPE_PARAMETER_TABLE (nebula_parameter_table_get_type ())
NEBULA_API GType nebula_parameter_table_get_type (void);
NEBULA_API NebulaParameterTable *nebula_parameter_table_new (void);
NEBULA_API NebulaParameterTable *nebula_parameter_table_new_from_value (NebulaValue *value, GError **error);
NEBULA_API NebulaValue *nebula_parameter_table_to_value (NebulaParameterTable *self);
NEBULA_API NebulaParameterTable *nebula_parameter_table_ref (NebulaParameterTable *self);
NEBULA_API void nebula_parameter_table_unref (NebulaParameterTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaParameterTable, nebula_parameter_table_unref)
NEBULA_API void nebula_parameter_table_add (NebulaParameterTable *self, NebulaParameter *parameter);
NEBULA_API guint nebula_parameter_table_get_length (NebulaParameterTable *self);
NEBULA_API NebulaParameter *nebula_parameter_table_get_item (NebulaParameterTable *self, guint index);
NEBULA_API NebulaParameter *nebula_parameter_table_lookup (NebulaParameterTable *self, const char *name);
NEBULA_API NebulaParameter *nebula_parameter_table_get_rest (NebulaParameterTable *self); /* may be NULL */
/* Checks an object of evaluated parameters: unknown and missing names, null, kinds, ranges. First problem in @error,
 * its parameter's name in *ret_name (borrowed from the table or value; may be NULL). Constant time when the table was
 * checked for the same object before does not matter: it costs one look-up per member. */
NEBULA_API gboolean nebula_parameter_table_validate (NebulaParameterTable *self, NebulaValue *values, const char **ret_name, GError **error);
/* A copy to be shown: each set secret becomes dots. */
NEBULA_API NebulaValue *nebula_parameter_table_mask (NebulaParameterTable *self, NebulaValue *values);
NEBULA_API NebulaValue *nebula_parameter_table_to_json_schema (NebulaParameterTable *self);

G_END_DECLS
