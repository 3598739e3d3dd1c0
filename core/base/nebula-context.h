/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-clock.h"

G_BEGIN_DECLS

/**
 * NebulaContext:
 *
 * For whom something is done, in which language and until when; it goes with a request through every layer.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaContext NebulaContext;

#define NEBULA_TYPE_CONTEXT (nebula_context_get_type ())
NEBULA_API GType nebula_context_get_type (void);

NEBULA_API NebulaContext *nebula_context_new (void);
NEBULA_API NebulaContext *nebula_context_ref (NebulaContext *self);
NEBULA_API void nebula_context_unref (NebulaContext *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaContext, nebula_context_unref)

/* Changed copies; NULL takes the part away. */
NEBULA_API NebulaContext *nebula_context_with_tenant (NebulaContext *self, const char *tenant);
NEBULA_API NebulaContext *nebula_context_with_user (NebulaContext *self, const char *user);
NEBULA_API NebulaContext *nebula_context_with_language (NebulaContext *self, const char *language);
NEBULA_API NebulaContext *nebula_context_with_trace (NebulaContext *self, const char *trace);
NEBULA_API NebulaContext *nebula_context_with_execution (NebulaContext *self, const char *execution);
NEBULA_API NebulaContext *nebula_context_with_node (NebulaContext *self, const char *node);
NEBULA_API NebulaContext *nebula_context_with_deadline (NebulaContext *self, gint64 monotonic_usec);

/* Borrowed texts live as long as the context; NULL if the part is not there. */
NEBULA_API const char *nebula_context_get_tenant (NebulaContext *self);
NEBULA_API const char *nebula_context_get_user (NebulaContext *self);
NEBULA_API const char *nebula_context_get_language (NebulaContext *self);
NEBULA_API const char *nebula_context_get_trace (NebulaContext *self);
NEBULA_API const char *nebula_context_get_execution (NebulaContext *self);
NEBULA_API const char *nebula_context_get_node (NebulaContext *self);
NEBULA_API gint64 nebula_context_get_deadline (NebulaContext *self); /* monotonic; G_MAXINT64: none */
NEBULA_API gint64 nebula_context_get_remaining_usec (NebulaContext *self, NebulaClock *clock);

G_END_DECLS
