/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-action.h"
#include "nebula-store.h"

G_BEGIN_DECLS

/**
 * NebulaResultKind:
 * @NEBULA_RESULT_KIND_SUCCESS: a value on one port
 * @NEBULA_RESULT_KIND_MULTI: values on several ports at once
 * @NEBULA_RESULT_KIND_SKIP: counts as skipped
 * @NEBULA_RESULT_KIND_WAIT: invoke again after a while, durably
 * @NEBULA_RESULT_KIND_TERMINATE: ends the whole execution with a value
 * @NEBULA_RESULT_KIND_FAILURE: failed, with an error object
 * @NEBULA_RESULT_KIND_UNKNOWN: nobody knows how it ended (set by the engine, never by an action)
 */
typedef enum
{
  NEBULA_RESULT_KIND_SUCCESS,
  NEBULA_RESULT_KIND_MULTI,
  NEBULA_RESULT_KIND_SKIP,
  NEBULA_RESULT_KIND_WAIT,
  NEBULA_RESULT_KIND_TERMINATE,
  NEBULA_RESULT_KIND_FAILURE,
  NEBULA_RESULT_KIND_UNKNOWN,
} NebulaResultKind;

/**
 * NebulaResult:
 *
 * How an attempt ended.
 *
 * Thread: any (immutable).
 */
typedef struct _NebulaResult NebulaResult;

#define NEBULA_TYPE_RESULT (nebula_result_get_type ())
NEBULA_API GType nebula_result_get_type (void);
NEBULA_API NebulaResult *nebula_result_new (NebulaResultKind kind, const char *port, NebulaValue *value, gint64 delay_usec);
NEBULA_API NebulaResult *nebula_result_new_error (const GError *error);
NEBULA_API NebulaResult *nebula_result_ref (NebulaResult *self);
NEBULA_API void nebula_result_unref (NebulaResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaResult, nebula_result_unref)
NEBULA_API NebulaResultKind nebula_result_get_kind (NebulaResult *self);
NEBULA_API const char *nebula_result_get_port (NebulaResult *self); /* `out` by default; borrowed */
NEBULA_API NebulaValue *nebula_result_get_value (NebulaResult *self); /* result, object port → value, or error object; borrowed, never NULL */
NEBULA_API gint64 nebula_result_get_delay_usec (NebulaResult *self);

/* The error object {code, message, retry, …} of a GError; details may be NULL. */
NEBULA_API NebulaValue *nebula_failure_new (const char *code, const char *message, NebulaRetryClass retry_class, NebulaValue *details);
NEBULA_API NebulaValue *nebula_failure_new_from_error (const GError *error);

#define NEBULA_TYPE_INVOCATION (nebula_invocation_get_type ())
NEBULA_API G_DECLARE_FINAL_TYPE (NebulaInvocation, nebula_invocation, NEBULA, INVOCATION, GObject)

/**
 * NebulaInvocationSink: (skip)
 * @returned: called once, in whatever thread the action returned
 * @progress: called any number of times before that; ephemeral
 * @log: a line for people; ephemeral
 *
 * Where an invocation reports to; the engine or a host.
 */
typedef struct
{
  void (*returned) (NebulaInvocation *invocation, NebulaResult *result, gpointer data);
  void (*progress) (NebulaInvocation *invocation, double fraction, const char *message, gpointer data);
  void (*log) (NebulaInvocation *invocation, GLogLevelFlags level, const char *message, gpointer data);
} NebulaInvocationSink;

/**
 * NebulaInvocationInfo: (skip)
 * All strings are copied. @deadline_usec: monotonic, 0 for none.
 */
typedef struct
{
  const char *execution_id;
  const char *workflow;
  const char *node_id;
  const char *action_id;
  const char *tenant;
  const char *idempotency_key;
  guint attempt;
  gint64 deadline_usec;
  const char *directory; /* folder that relative paths are resolved against; NULL: the current folder */
  const char *identity; /* without a key: what it is the SHA-256 of, made when somebody asks for it */
  NebulaStore *store; /* where its blobs are kept; NULL: it can have none */
} NebulaInvocationInfo;

NEBULA_API NebulaInvocation *nebula_invocation_new (const NebulaInvocationInfo *info, NebulaValue *parameters, NebulaValue *input, const NebulaInvocationSink *sink, gpointer data, GDestroyNotify destroy);

NEBULA_API const char *nebula_invocation_get_execution_id (NebulaInvocation *self);
NEBULA_API const char *nebula_invocation_get_workflow (NebulaInvocation *self);
NEBULA_API const char *nebula_invocation_get_node_id (NebulaInvocation *self);
NEBULA_API const char *nebula_invocation_get_action_id (NebulaInvocation *self);
NEBULA_API const char *nebula_invocation_get_tenant (NebulaInvocation *self);
NEBULA_API const char *nebula_invocation_get_idempotency_key (NebulaInvocation *self);
NEBULA_API const char *nebula_invocation_get_directory (NebulaInvocation *self);
NEBULA_API guint nebula_invocation_get_attempt (NebulaInvocation *self);
NEBULA_API gint64 nebula_invocation_get_deadline_usec (NebulaInvocation *self);
NEBULA_API NebulaValue *nebula_invocation_get_input (NebulaInvocation *self);
NEBULA_API NebulaValue *nebula_invocation_get_parameters (NebulaInvocation *self);
NEBULA_API GCancellable *nebula_invocation_get_cancellable (NebulaInvocation *self);

/* Data that is larger than memory: an action writes it into a blob and returns the reference, or reads the blob of a
 * reference that it was given. Both block. */
NEBULA_API NebulaBlobWriter *nebula_invocation_create_blob (NebulaInvocation *self, GError **error);
NEBULA_API GInputStream *nebula_invocation_open_blob (NebulaInvocation *self, NebulaValue *reference, GError **error);

/* Each invocation is returned exactly once, from any thread; a second return is a programmer error and is ignored. */
NEBULA_API void nebula_invocation_return_value (NebulaInvocation *self, NebulaValue *value);
NEBULA_API void nebula_invocation_return_port (NebulaInvocation *self, const char *port, NebulaValue *value);
NEBULA_API void nebula_invocation_return_ports (NebulaInvocation *self, NebulaValue *values);
NEBULA_API void nebula_invocation_return_skip (NebulaInvocation *self);
NEBULA_API void nebula_invocation_return_wait (NebulaInvocation *self, gint64 delay_usec);
NEBULA_API void nebula_invocation_return_terminate (NebulaInvocation *self, NebulaValue *output);
NEBULA_API void nebula_invocation_return_error (NebulaInvocation *self, const GError *error);
NEBULA_API void nebula_invocation_return_failure (NebulaInvocation *self, const char *code, const char *message, NebulaRetryClass retry_class, NebulaValue *details);
NEBULA_API void nebula_invocation_return_result (NebulaInvocation *self, NebulaResult *result);
NEBULA_API gboolean nebula_invocation_is_returned (NebulaInvocation *self);
NEBULA_API void nebula_invocation_report_progress (NebulaInvocation *self, double fraction, const char *message);
NEBULA_API void nebula_invocation_report_log (NebulaInvocation *self, GLogLevelFlags level, const char *message);

G_END_DECLS
