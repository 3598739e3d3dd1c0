/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "nebula-store.h"
#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaIdempotencyConflict:
 * @NEBULA_IDEMPOTENCY_CONFLICT_RETURN: gets the stored outcome; while the first call runs it is refused
 * @NEBULA_IDEMPOTENCY_CONFLICT_WAIT: gets the stored outcome; waits while the first call runs
 * @NEBULA_IDEMPOTENCY_CONFLICT_REJECT: is refused, always
 *
 * What a second call with a key gets.
 */
typedef enum
{
  NEBULA_IDEMPOTENCY_CONFLICT_RETURN,
  NEBULA_IDEMPOTENCY_CONFLICT_WAIT,
  NEBULA_IDEMPOTENCY_CONFLICT_REJECT,
} NebulaIdempotencyConflict;

#define NEBULA_TYPE_IDEMPOTENCY (nebula_idempotency_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaIdempotency, nebula_idempotency, NEBULA, IDEMPOTENCY, GObject)

/**
 * NebulaIdempotencyWork:
 * @task: to be returned once with a #NebulaValue, by nebula_idempotency_return() or with an error
 * @attempt: 1; more if a process ended before it knew how the work went
 * @user_data: data of the call
 *
 * Does what shall be done once.
 */
typedef void (*NebulaIdempotencyWork) (GTask *task, guint attempt, gpointer user_data);

NEBULA_API gboolean nebula_idempotency_check_key (const char *key, GError **error);
NEBULA_API char *nebula_idempotency_make_key (const char *scope, const char *user_key, NebulaValue *content);
NEBULA_API char *nebula_idempotency_make_fingerprint (NebulaValue *content);

NEBULA_API void nebula_idempotency_run_async (NebulaIdempotency *self,
                                              const char *key,
                                              const char *fingerprint,
                                              NebulaValue *options,
                                              NebulaIdempotencyWork work,
                                              gpointer work_data,
                                              GDestroyNotify work_destroy,
                                              GAsyncReadyCallback callback,
                                              gpointer user_data);
NEBULA_API NebulaValue *nebula_idempotency_run_finish (NebulaIdempotency *self,
                                                       GAsyncResult *result,
                                                       gboolean *ret_is_replayed,
                                                       GError **error);
NEBULA_API void nebula_idempotency_return (GTask *task, NebulaValue *value);
/* Removes the records of keys that have expired. */
NEBULA_API gint64 nebula_idempotency_prune (NebulaStore *store, gint64 now_usec, GError **error);

G_END_DECLS
