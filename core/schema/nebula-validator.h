/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "nebula-clock.h"
#include "nebula-violation.h"

G_BEGIN_DECLS

/**
 * NebulaValidatorFunc:
 * @value: the value
 * @argument: the argument of the rule, null if it has none
 * @user_data: data
 *
 * A rule of somebody's own. It may run in any thread that validates.
 *
 * Returns: whether @value is fine
 */
typedef gboolean (*NebulaValidatorFunc) (NebulaValue *value, NebulaValue *argument, gpointer user_data);

/**
 * NebulaAsyncValidatorFunc:
 * @task: returns a boolean once: whether @value is fine; its cancellable says when nobody waits any more
 * @value: the value
 * @argument: the argument of the rule, null if it has none
 * @user_data: data
 *
 * A rule whose answer comes later. It is called in the context that validates.
 */
typedef void (*NebulaAsyncValidatorFunc) (GTask *task, NebulaValue *value, NebulaValue *argument, gpointer user_data);

/**
 * NebulaValidatorTable:
 *
 * Rules of somebody's own, by name. It is filled first and used then.
 *
 * Thread: any, once it is filled.
 */
typedef struct _NebulaValidatorTable NebulaValidatorTable;

#define NEBULA_TYPE_VALIDATOR_TABLE (nebula_validator_table_get_type ())
NEBULA_API GType nebula_validator_table_get_type (void);
NEBULA_API NebulaValidatorTable *nebula_validator_table_new (void);
NEBULA_API NebulaValidatorTable *nebula_validator_table_ref (NebulaValidatorTable *self);
NEBULA_API void nebula_validator_table_unref (NebulaValidatorTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaValidatorTable, nebula_validator_table_unref)
/* @reason: why a value is refused, as a clause. */
NEBULA_API void nebula_validator_table_add (NebulaValidatorTable *self, const char *name, const char *reason, NebulaValidatorFunc func, gpointer user_data, GDestroyNotify destroy);
NEBULA_API void nebula_validator_table_add_async (NebulaValidatorTable *self, const char *name, const char *reason, NebulaAsyncValidatorFunc func, gpointer user_data, GDestroyNotify destroy);

/**
 * NebulaValidator:
 *
 * Named rules that a value must keep: `"email"`, `{"min-length": 3}`, `["positive", "even"]`.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaValidator NebulaValidator;

#define NEBULA_TYPE_VALIDATOR (nebula_validator_get_type ())
NEBULA_API GType nebula_validator_get_type (void);
NEBULA_API NebulaValidator *nebula_validator_new (NebulaValue *rules, NebulaValidatorTable *table, GError **error);
NEBULA_API NebulaValidator *nebula_validator_ref (NebulaValidator *self);
NEBULA_API void nebula_validator_unref (NebulaValidator *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaValidator, nebula_validator_unref)
/* Stops at the first violation, which is the error. */
NEBULA_API gboolean nebula_validator_validate (NebulaValidator *self, NebulaValue *value, GError **error);
/* All violations. Rules that answer later need the asynchronous form. */
NEBULA_API GPtrArray *nebula_validator_check (NebulaValidator *self, NebulaValue *value, GError **error);
NEBULA_API void nebula_validator_check_async (NebulaValidator *self, NebulaValue *value, NebulaClock *clock, gint64 timeout_usec, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API GPtrArray *nebula_validator_check_finish (GAsyncResult *result, GError **error);
NEBULA_API GStrv nebula_validator_list_names (void);

G_END_DECLS
