/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-breaker.h"
#include "nebula-bulkhead.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_POLICY (nebula_policy_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaPolicy, nebula_policy, NEBULA, POLICY, GObject)

/**
 * NebulaPolicyWork:
 * @task: returns a #NebulaValue once (nebula_policy_return ()), or an error; its cancellable says when nobody waits any more
 * @attempt: which attempt, counted from 1
 * @user_data: data
 *
 * What is done under a policy; it must not block.
 */
typedef void (*NebulaPolicyWork) (GTask *task, guint attempt, gpointer user_data);

/*
 * The parts apply in this order, from the outside in; each is left out unless it is asked for:
 *
 *   fallback        a value instead of an error
 *   shed            refuses at once when so many are on their way
 *   total-timeout   ends everything
 *   retry           begins what follows again
 *   limit           waits for its turn
 *   breaker         refuses while the other side is down, before a place is taken
 *   bulkhead        waits for a place
 *   timeout         ends one attempt
 *   hedge           starts a second call when the first is slow; idempotent work only
 *
 * @options: a preset's name, or an object with these members and perhaps `preset`, whose parts it replaces.
 */
NEBULA_API NebulaPolicy *nebula_policy_new (NebulaClock *clock, NebulaValue *options, GError **error);
NEBULA_API GStrv nebula_policy_list_presets (void);
/* The options with those of their preset underneath; an object. */
NEBULA_API NebulaValue *nebula_policy_resolve_options (NebulaValue *options, GError **error);
NEBULA_API void nebula_policy_run_async (NebulaPolicy *self, NebulaPolicyWork work, gpointer work_data, GDestroyNotify work_destroy, gboolean is_idempotent, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
NEBULA_API NebulaValue *nebula_policy_run_finish (NebulaPolicy *self, GAsyncResult *result, GError **error);
NEBULA_API void nebula_policy_return (GTask *task, NebulaValue *value);
/* Counters and states: running, attempts, retries, refused, timed-out, hedged, fallbacks, breaker. */
NEBULA_API NebulaValue *nebula_policy_dup_state (NebulaPolicy *self);
NEBULA_API NebulaBreaker *nebula_policy_get_breaker (NebulaPolicy *self);

G_END_DECLS
