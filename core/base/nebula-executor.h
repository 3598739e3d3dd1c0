/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-api.h"

G_BEGIN_DECLS

#define NEBULA_TYPE_EXECUTOR (nebula_executor_get_type ())
NEBULA_API G_DECLARE_INTERFACE (NebulaExecutor, nebula_executor, NEBULA, EXECUTOR, GObject)

/**
 * NebulaExecutorInterface:
 * @push: runs @function (@data) once, in some thread; never blocks
 *
 * Where blocking work runs. Actions reach the process's executor through their context: see nebula_executor_get_default().
 */
struct _NebulaExecutorInterface
{
  GTypeInterface parent_iface;

  void (*push) (NebulaExecutor *self, void (*function) (gpointer data), gpointer data);

  gpointer _reserved[8];
};

/**
 * NebulaExecutorFunction:
 * @data: what was pushed with it
 */
typedef void (*NebulaExecutorFunction) (gpointer data);

NEBULA_API void nebula_executor_push (NebulaExecutor *self, NebulaExecutorFunction function, gpointer data);
NEBULA_API NebulaExecutor *nebula_executor_new (guint n_threads);
/* A pool of threads shared by the process (at most 16, idle ones end by themselves); ground layer. */
NEBULA_API NebulaExecutor *nebula_executor_get_default (void);

G_END_DECLS
