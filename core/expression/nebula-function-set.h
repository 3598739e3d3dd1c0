/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaForeignCall: (skip)
 * @arguments: the arguments, checked against the declaration; borrowed
 * @n_arguments: how many there are
 * @error: where the failure goes
 *
 * A function that a module brings to expressions. It must be pure: the same arguments give the same value, nothing is
 * changed, nothing outside is looked at. It runs while an expression is evaluated, so it must be short.
 *
 * Thread: any, several at once.
 *
 * Returns: (transfer full): a value of the declared type, or %NULL with @error set
 */
typedef NebulaValue *(*NebulaForeignCall) (NebulaValue *const *arguments, guint n_arguments, GError **error);

/**
 * NebulaFunctionDescriptor: (skip)
 * @name: in lower case with underscores, such as `tax_of`
 * @parameters: names and types, such as `amount: number, rate?: number` or `first: string, more…: string`; a question
 *   mark makes it and those after it optional, `…` lets the last one repeat, or be left out
 * @result: its type
 * @description: one line for people, marked for translation
 * @examples: (nullable): lines `tax_of(10) → 1.9`
 * @call: the function
 *
 * What a module says of one function. Types are `any null boolean integer float decimal number string bytes array object
 * timestamp date duration`, or several of them with `or` between.
 */
typedef struct {
  const char *name;
  const char *parameters;
  const char *result;
  const char *description;
  const char *examples;
  NebulaForeignCall call;
} NebulaFunctionDescriptor;

/**
 * NebulaFunctionSet:
 *
 * Functions that expressions may call beside the built-in ones. Who makes it fills it before anyone compiles with it.
 *
 * Thread: any, once it is filled.
 */
typedef struct _NebulaFunctionSet NebulaFunctionSet;

/**
 * NebulaFunctionLoader: (skip)
 * @name: name of a function
 * @user_data: data of the loader
 * @error: where the failure goes
 *
 * Finds the code of a function that was declared by a catalogue, when it is compiled for the first time.
 *
 * Returns: the function, which lives as long as the process, or %NULL with @error set
 */
typedef NebulaForeignCall (*NebulaFunctionLoader) (const char *name, gpointer user_data, GError **error);

#define NEBULA_TYPE_FUNCTION_SET (nebula_function_set_get_type ())
NEBULA_API GType nebula_function_set_get_type (void);
NEBULA_API NebulaFunctionSet *nebula_function_set_new (void);
NEBULA_API NebulaFunctionSet *nebula_function_set_ref (NebulaFunctionSet *self);
NEBULA_API void nebula_function_set_unref (NebulaFunctionSet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaFunctionSet, nebula_function_set_unref)
NEBULA_API gboolean nebula_function_set_add (NebulaFunctionSet *self, const NebulaFunctionDescriptor *descriptor, GError **error);
/* @entry: what nebula_function_set_describe () gives, perhaps of another process. */
NEBULA_API gboolean nebula_function_set_add_late (NebulaFunctionSet *self, NebulaValue *entry, NebulaFunctionLoader loader, gpointer user_data, GDestroyNotify destroy, GError **error);
/* An array of {name, parameters, result, description, examples?}. */
NEBULA_API NebulaValue *nebula_function_set_describe (NebulaFunctionSet *self);

G_END_DECLS
