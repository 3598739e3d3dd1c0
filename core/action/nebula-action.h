/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-error.h"
#include "nebula-expression.h"
#include "nebula-parameter.h"

G_BEGIN_DECLS

/**
 * NebulaEffect:
 * @NEBULA_EFFECT_PURE: a function of its inputs; may run ahead of the commit and be repeated
 * @NEBULA_EFFECT_READ: looks outside but changes nothing; waits for the commit, may be repeated
 * @NEBULA_EFFECT_TRANSACTIONAL: returns its writes with its result; both commit together
 * @NEBULA_EFFECT_IDEMPOTENT: may be repeated with the same idempotency key
 * @NEBULA_EFFECT_EFFECTFUL: may not be repeated blindly
 *
 * What running an action does to the world.
 */
typedef enum
{
  NEBULA_EFFECT_PURE,
  NEBULA_EFFECT_READ,
  NEBULA_EFFECT_TRANSACTIONAL,
  NEBULA_EFFECT_IDEMPOTENT,
  NEBULA_EFFECT_EFFECTFUL,
} NebulaEffect;

/**
 * NebulaConstruct:
 * @NEBULA_CONSTRUCT_NONE: an ordinary action
 * @NEBULA_CONSTRUCT_FOR_EACH: runs its body for each item
 * @NEBULA_CONSTRUCT_REPEAT: runs its body a number of times
 * @NEBULA_CONSTRUCT_WHILE: runs its body while a condition holds
 * @NEBULA_CONSTRUCT_WAIT: waits durably
 * @NEBULA_CONSTRUCT_STOP: ends the execution as completed
 * @NEBULA_CONSTRUCT_FAIL: fails
 * @NEBULA_CONSTRUCT_BREAK: ends the innermost loop
 * @NEBULA_CONSTRUCT_CONTINUE: ends this round of the innermost loop
 * @NEBULA_CONSTRUCT_TRY: runs its body, then what handles its failure, then what always runs
 * @NEBULA_CONSTRUCT_RACE: runs several bodies; the first that ends wins
 * @NEBULA_CONSTRUCT_CALL: runs another workflow
 * @NEBULA_CONSTRUCT_CANCEL: cancels a node or a region
 * @NEBULA_CONSTRUCT_ADD: adds items to the innermost for-each while it runs
 * @NEBULA_CONSTRUCT_TOKEN: issues a token that a wait waits for
 *
 * Control flow that the kernel itself knows. An action class that names one brings parameters and help only.
 */
typedef enum
{
  NEBULA_CONSTRUCT_NONE,
  NEBULA_CONSTRUCT_FOR_EACH,
  NEBULA_CONSTRUCT_REPEAT,
  NEBULA_CONSTRUCT_WHILE,
  NEBULA_CONSTRUCT_WAIT,
  NEBULA_CONSTRUCT_STOP,
  NEBULA_CONSTRUCT_FAIL,
  NEBULA_CONSTRUCT_BREAK,
  NEBULA_CONSTRUCT_CONTINUE,
  NEBULA_CONSTRUCT_TRY,
  NEBULA_CONSTRUCT_RACE,
  NEBULA_CONSTRUCT_CALL,
  NEBULA_CONSTRUCT_CANCEL,
  NEBULA_CONSTRUCT_ADD,
  NEBULA_CONSTRUCT_TOKEN,
} NebulaConstruct;

#define NEBULA_TYPE_ACTION (nebula_action_get_type ())
NEBULA_API G_DECLARE_DERIVABLE_TYPE (NebulaAction, nebula_action, NEBULA, ACTION, GObject)

typedef struct _NebulaInvocation NebulaInvocation; /* nebula-invocation.h */

/**
 * NebulaActionClass:
 * @invoke: starts the work; ends by returning the invocation once, now or later; must not block
 * @get_effect: the effect with the parameters that are set; by default the class's
 *
 * An action is a class: its parameters are its properties, its help is their nick and blurb. Each attempt gets a
 * fresh instance.
 */
struct _NebulaActionClass
{
  GObjectClass parent_class;

  void (*invoke) (NebulaAction *self, NebulaInvocation *invocation);
  NebulaEffect (*get_effect) (NebulaAction *self);

  gpointer _reserved[8];
};

/**
 * NebulaArguments: (skip)
 * @parameters: object of evaluated parameters, those of kind expression left out; defaults are not filled in
 * @input: the node's input
 * @environment: where expressions find their names
 * @table: the action's parameters
 * @frozen: (nullable): where expressions find their names when there is no environment: for actions that are invoked
 * @expressions: compiled late expressions, by name: #NebulaExpression, or for kind expressions a #GHashTable
 *   (element of `name` → ordered #GPtrArray is private); use the getters
 *
 * What a class-level evaluation gets.
 */
typedef struct _NebulaArguments NebulaArguments;
struct _NebulaArguments
{
  NebulaValue *parameters;
  NebulaValue *input;
  NebulaEnvironment *environment;
  NebulaParameterTable *table;
  const struct _NebulaLateExpressions *expressions;
  struct _NebulaFrozen *frozen;
};

/* The value of a parameter as set, else its default, else NULL; borrowed. */
NEBULA_API NebulaValue *nebula_arguments_get (const NebulaArguments *self, const char *name);
NEBULA_API NebulaExpression *nebula_arguments_get_expression (const NebulaArguments *self, const char *name);
NEBULA_API guint nebula_arguments_get_n_expressions (const NebulaArguments *self, const char *name);
NEBULA_API NebulaExpression *nebula_arguments_get_expression_at (const NebulaArguments *self, const char *name, guint index, const char **ret_key);
/* Evaluates with the given names set above the environment's own ($item, $index; values may be NULL for "not set"). */
NEBULA_API NebulaValue *nebula_arguments_evaluate_item (const NebulaArguments *self, NebulaExpression *expression, NebulaValue *item, gint64 index, GError **error);
NEBULA_API NebulaValue *nebula_arguments_evaluate_group (const NebulaArguments *self, NebulaExpression *expression, NebulaValue *items, NebulaValue *key, GError **error);

/**
 * NebulaEvaluate: (skip)
 * @arguments: what it works on
 * @ret_port: (out): the port to leave by, a static or interned string; `out` if left alone
 * @error: where the failure goes
 *
 * A pure action's whole work as one function, called without instance or loop turn.
 *
 * Thread: any. Returns: the result, full; %NULL with @error.
 */
typedef NebulaValue *(*NebulaEvaluate) (const NebulaArguments *arguments, const char **ret_port, GError **error);

/* Class set-up, called in class_init. Strings must be static. */
NEBULA_API void nebula_action_class_set_details (NebulaActionClass *klass, const char *id, const char *version, const char *title, const char *description, const char *category);
NEBULA_API void nebula_action_class_set_effect (NebulaActionClass *klass, NebulaEffect effect);
NEBULA_API void nebula_action_class_set_construct (NebulaActionClass *klass, NebulaConstruct construct);
NEBULA_API void nebula_action_class_set_evaluate (NebulaActionClass *klass, NebulaEvaluate evaluate);
NEBULA_API void nebula_action_class_add_port (NebulaActionClass *klass, const char *name, const char *title); /* beside out and error; the first call removes out */
NEBULA_API void nebula_action_class_set_dynamic_ports (NebulaActionClass *klass, const char *parameter); /* ports are the keys of this object parameter, and default */
NEBULA_API void nebula_action_class_set_example (NebulaActionClass *klass, const char *yaml);
/* What it gives: a JSON Schema as text, or the word `input` (its input) or `parameters` (an object of them). */
NEBULA_API void nebula_action_class_set_result (NebulaActionClass *klass, const char *schema);
NEBULA_API void nebula_action_class_add_capability (NebulaActionClass *klass, const char *capability);
/* The entry of an installed property, to add what a GParamSpec cannot say; borrowed. Programmer error if there is none. */
NEBULA_API NebulaParameter *nebula_action_class_describe (NebulaActionClass *klass, const char *property);
/* A parameter without a property: expressions and those of constructs. */
NEBULA_API NebulaParameter *nebula_action_class_add_parameter (NebulaActionClass *klass, const char *name, NebulaParameterKind kind, const char *title, const char *description);
NEBULA_API NebulaEvaluate nebula_action_class_get_evaluate (NebulaActionClass *klass);
/* The same for languages without class_init, as one object. */
NEBULA_API gboolean nebula_action_describe_type (GType type, NebulaValue *description, GError **error);

/* Instance. */
NEBULA_API gboolean nebula_action_is_set (NebulaAction *self, const char *name);
/* Sets all parameters from an object; values are checked by the table first. */
NEBULA_API gboolean nebula_action_set_parameters (NebulaAction *self, const NebulaArguments *arguments, GError **error);
NEBULA_API NebulaEffect nebula_action_get_effect (NebulaAction *self);
NEBULA_API NebulaValue *nebula_action_get_parameter (NebulaAction *self, const char *name); /* as set or default; borrowed; NULL unset */
NEBULA_API const NebulaArguments *nebula_action_get_arguments (NebulaAction *self);
NEBULA_API void nebula_action_invoke (NebulaAction *self, NebulaInvocation *invocation);

/**
 * NebulaActionInfo:
 *
 * What is known of an action without loading its module: the catalogue's entry.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaActionInfo NebulaActionInfo;

#define NEBULA_TYPE_ACTION_INFO (nebula_action_info_get_type ())
NEBULA_API GType nebula_action_info_get_type (void);
NEBULA_API NebulaActionInfo *nebula_action_info_new_from_class (NebulaActionClass *klass, const char *module_id, GError **error);
NEBULA_API NebulaActionInfo *nebula_action_info_new_from_value (NebulaValue *value, GError **error);
NEBULA_API NebulaValue *nebula_action_info_to_value (NebulaActionInfo *self);
NEBULA_API NebulaActionInfo *nebula_action_info_ref (NebulaActionInfo *self);
NEBULA_API void nebula_action_info_unref (NebulaActionInfo *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaActionInfo, nebula_action_info_unref)
NEBULA_API const char *nebula_action_info_get_id (NebulaActionInfo *self);
NEBULA_API const char *nebula_action_info_get_version (NebulaActionInfo *self);
NEBULA_API const char *nebula_action_info_get_title (NebulaActionInfo *self);
NEBULA_API const char *nebula_action_info_get_description (NebulaActionInfo *self);
NEBULA_API const char *nebula_action_info_get_category (NebulaActionInfo *self);
NEBULA_API const char *nebula_action_info_get_module_id (NebulaActionInfo *self);
NEBULA_API const char *nebula_action_info_get_type_name (NebulaActionInfo *self); /* the GType's name */
NEBULA_API const char *nebula_action_info_get_example (NebulaActionInfo *self);
NEBULA_API NebulaValue *nebula_action_info_get_result (NebulaActionInfo *self); /* schema or word; may be NULL */
NEBULA_API NebulaEffect nebula_action_info_get_effect (NebulaActionInfo *self);
NEBULA_API NebulaConstruct nebula_action_info_get_construct (NebulaActionInfo *self);
NEBULA_API gboolean nebula_action_info_is_evaluated (NebulaActionInfo *self); /* brings a class-level evaluation */
NEBULA_API const char *const *nebula_action_info_get_ports (NebulaActionInfo *self); /* without error */
NEBULA_API const char *nebula_action_info_get_dynamic_ports (NebulaActionInfo *self); /* may be NULL */
NEBULA_API const char *const *nebula_action_info_get_capabilities (NebulaActionInfo *self);
NEBULA_API NebulaParameterTable *nebula_action_info_get_parameters (NebulaActionInfo *self);

G_END_DECLS
