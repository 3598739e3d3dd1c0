/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

/**
 * NebulaTraceContext:
 *
 * Where a request stands in a trace: the headers `traceparent` and `tracestate` of W3C Trace Context.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaTraceContext NebulaTraceContext;

#define NEBULA_TYPE_TRACE_CONTEXT (nebula_trace_context_get_type ())
NEBULA_API GType nebula_trace_context_get_type (void);

/* @state: the values of all `tracestate` headers, joined by commas; dropped if it is not valid. */
NEBULA_API NebulaTraceContext *nebula_trace_context_new (const char *parent, const char *state, GError **error);
/* The context of a call that is made from here; @random is the id of its span and must not be 0. */
NEBULA_API NebulaTraceContext *nebula_trace_context_new_child (NebulaTraceContext *self, guint64 random);
NEBULA_API NebulaTraceContext *nebula_trace_context_ref (NebulaTraceContext *self);
NEBULA_API void nebula_trace_context_unref (NebulaTraceContext *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaTraceContext, nebula_trace_context_unref)
NEBULA_API const char *nebula_trace_context_get_trace_id (NebulaTraceContext *self);
NEBULA_API const char *nebula_trace_context_get_span_id (NebulaTraceContext *self);
NEBULA_API gboolean nebula_trace_context_is_sampled (NebulaTraceContext *self);
NEBULA_API const char *nebula_trace_context_get_state (NebulaTraceContext *self);
NEBULA_API char *nebula_trace_context_to_header (NebulaTraceContext *self);

G_END_DECLS
