/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-limiter.h"
#include "nebula-policy.h"
#include "nebula-retry-policy.h"

G_BEGIN_DECLS

struct _NebulaPolicy {
  GObject parent_instance;

  NebulaClock *clock;
  NebulaValue *fallback;     /* NULL: none */
  guint shed;                /* 0: none */
  gint64 total_timeout_usec; /* 0: none */
  NebulaRetryPolicy *retry;  /* these four may be NULL */
  NebulaLimiter *limiter;
  NebulaBreaker *breaker;
  NebulaBulkhead *bulkhead;
  gint64 timeout_usec; /* 0: none */
  gint64 hedge_usec;   /* 0: none */
  guint hedge_calls;   /* in one attempt, the first included */

  guint n_running;
  guint64 n_attempts;
  guint64 n_retries;
  guint64 n_refused;
  guint64 n_timed_out;
  guint64 n_hedged;
  guint64 n_fallbacks;
};

gboolean _nebula_policy_read (NebulaPolicy *self, NebulaValue *options, GError **error);

G_END_DECLS
