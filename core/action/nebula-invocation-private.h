/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-context.h"
#include "nebula-invocation.h"

G_BEGIN_DECLS

struct _NebulaInvocation
{
  GObject parent_instance;

  char *texts; /* one block for all that follow but the key */
  const char *execution_id;
  const char *workflow;
  const char *node_id;
  const char *action_id;
  const char *tenant;
  const char *identity;
  const char *directory;
  char *idempotency_key; /* made of identity when it is first asked for */
  guint attempt;
  gint64 deadline_usec;
  NebulaValue *parameters;
  NebulaValue *input;
  GCancellable *cancellable; /* atomic; NULL until somebody asks */
  GMutex store_lock;  /* guards store */
  NebulaStore *store; /* NULL: there is none, or nobody waits for the result any more */
  NebulaInvocationSink sink;
  gpointer data;
  GDestroyNotify destroy;
  NebulaContext *context; /* atomic; NULL until somebody asks */
  gint is_returned; /* atomic */
};

void _nebula_invocation_copy_texts (NebulaInvocation *self, const NebulaInvocationInfo *info);

G_END_DECLS
