/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a frame of kind `work` carries, and how a result travels:
 *
 *   work     [action or function, version or null, parameters, input, wants begun, about]
 *   about    [execution, workflow, node, tenant, key, directory, attempt, deadline]: texts or null, then two numbers
 *   result   [kind, port or null, value, delay]
 */
#pragma once

#include "nebula-invocation.h"

G_BEGIN_DECLS

typedef struct {
  NebulaValue *payload; /* owns all that follows */
  const char *action;
  const char *version; /* NULL: the call of a function */
  NebulaValue *parameters;
  NebulaValue *input;
  gboolean wants_begun;
  NebulaInvocationInfo info;
} NebulaHostWork;

void _nebula_host_work_clear (NebulaHostWork *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaHostWork, _nebula_host_work_clear)

/* Whether it may be repeated without a word; all else has to say that it begins. */
gboolean _nebula_host_work_is_free (NebulaInvocation *invocation, NebulaActionInfo *info);
NebulaValue *_nebula_host_work_write (NebulaInvocation *invocation,
                                      NebulaActionInfo *info,
                                      NebulaValue *parameters);
/* A call of a function: its name stands for the action, its arguments for the input, and there is no version. */
NebulaValue *_nebula_host_work_write_call (const char *name, NebulaValue *arguments);
/* Borrows nothing: keeps @payload. FALSE: it is not one. */
gboolean _nebula_host_work_read (NebulaHostWork *self, NebulaValue *payload);

NebulaValue *_nebula_host_result_write (NebulaResult *result);
/* @payload is one that the frame's reader accepted. NULL with error: its value is no failure. */
NebulaResult *_nebula_host_result_read (NebulaValue *payload, GError **error);

G_END_DECLS
