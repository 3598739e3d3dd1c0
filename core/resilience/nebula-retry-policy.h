/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-backoff.h"
#include "nebula-value.h"

G_BEGIN_DECLS

/**
 * NebulaRetryPolicy:
 *
 * Whether and when to try again.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaRetryPolicy NebulaRetryPolicy;

#define NEBULA_TYPE_RETRY_POLICY (nebula_retry_policy_get_type ())
NEBULA_API GType nebula_retry_policy_get_type (void);
/* Options: attempts (3, counts the first), backoff, initial (200ms), factor (2), max (30s), delays (a list instead of a
 * backoff), jitter (none, full, equal), budget (0s: none), codes (only these errors). */
NEBULA_API NebulaRetryPolicy *nebula_retry_policy_new (NebulaValue *options, GError **error);
NEBULA_API NebulaRetryPolicy *nebula_retry_policy_ref (NebulaRetryPolicy *self);
NEBULA_API void nebula_retry_policy_unref (NebulaRetryPolicy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaRetryPolicy, nebula_retry_policy_unref)
/* The delay after attempt @attempt (from 1) failed, @elapsed_usec after the first began; -1: no more attempts. */
NEBULA_API gint64 nebula_retry_policy_get_delay_usec (NebulaRetryPolicy *self, guint attempt, gint64 elapsed_usec, const GError *failure, guint64 random);

G_END_DECLS
