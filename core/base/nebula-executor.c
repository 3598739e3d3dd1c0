/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-executor.h"

#include "nebula-sync-internal.h"

#define EXECUTOR_THREADS 16

/**
 * NebulaExecutor:
 *
 * Where blocking work runs; a test puts an inline one in its place.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (NebulaExecutor, nebula_executor, G_TYPE_OBJECT)

static void
nebula_executor_default_init (NebulaExecutorInterface *iface)
{
}

typedef struct
{
  NebulaExecutorFunction function;
  gpointer data;
} PoolWork;

typedef struct
{
  GObject parent_instance;

  GThreadPool *pool;
} NebulaPoolExecutor;

typedef struct
{
  GObjectClass parent_class;
} NebulaPoolExecutorClass;

static GType nebula_pool_executor_get_type (void);
static void nebula_pool_executor_executor_init (NebulaExecutorInterface *iface);
G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaPoolExecutor,
                               nebula_pool_executor,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_EXECUTOR, nebula_pool_executor_executor_init))

static void
nebula_pool_executor_run (gpointer data, gpointer user_data)
{
  PoolWork work;

  NEBULA_SYNC_ACQUIRE (data);
  work = *(PoolWork *) data;
  g_free (data);
  work.function (work.data);
}

static void
nebula_pool_executor_push (NebulaExecutor *executor, NebulaExecutorFunction function, gpointer data)
{
  NebulaPoolExecutor *self = (NebulaPoolExecutor *) executor;
  g_autoptr (GError) error = NULL;
  PoolWork *work = g_new (PoolWork, 1);

  work->function = function;
  work->data = data;
  NEBULA_SYNC_RELEASE (work);
  /* An error means that no further thread could be made; the work is queued all the same. */
  if (!g_thread_pool_push (self->pool, work, &error))
    g_debug ("executor: %s", error->message);
}

static void
nebula_pool_executor_executor_init (NebulaExecutorInterface *iface)
{
  iface->push = nebula_pool_executor_push;
}

static void
nebula_pool_executor_finalize (GObject *object)
{
  NebulaPoolExecutor *self = (NebulaPoolExecutor *) object;

  g_thread_pool_free (self->pool, FALSE, TRUE);
  G_OBJECT_CLASS (nebula_pool_executor_parent_class)->finalize (object);
}

static void
nebula_pool_executor_class_init (NebulaPoolExecutorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_pool_executor_finalize;
}

static void
nebula_pool_executor_init (NebulaPoolExecutor *self)
{
}

/**
 * nebula_executor_new:
 * @n_threads: how many threads there may be at most
 *
 * Makes a pool of threads of its own, for work that must not wait behind the work of others. Its threads end by
 * themselves when they are idle. What was pushed is done before the last reference is gone, which blocks for it.
 *
 * Returns: (transfer full): a pool
 *
 * Since: 1.0
 */
NebulaExecutor *
nebula_executor_new (guint n_threads)
{
  NebulaPoolExecutor *self = NULL;

  g_return_val_if_fail (n_threads > 0, NULL);

  self = g_object_new (nebula_pool_executor_get_type (), NULL);
  self->pool = g_thread_pool_new (nebula_pool_executor_run, NULL, (gint) n_threads, FALSE, NULL);
  return NEBULA_EXECUTOR (self);
}

/**
 * nebula_executor_push:
 * @self: an executor
 * @function: (scope async) (closure data): what to run
 * @data: data for @function
 *
 * Runs a function once, in some thread, soon. Never blocks.
 *
 * Since: 1.0
 */
void
nebula_executor_push (NebulaExecutor *self, NebulaExecutorFunction function, gpointer data)
{
  g_return_if_fail (NEBULA_IS_EXECUTOR (self));
  g_return_if_fail (function != NULL);

  NEBULA_EXECUTOR_GET_IFACE (self)->push (self, function, data);
}

/**
 * nebula_executor_get_default:
 *
 * Gives the pool of threads that the process shares.
 *
 * Returns: (transfer none): the pool, which lives as long as the process
 *
 * Since: 1.0
 */
NebulaExecutor *
nebula_executor_get_default (void)
{
  static gsize once;
  static NebulaExecutor *executor;

  if (g_once_init_enter (&once)) {
    executor = nebula_executor_new (EXECUTOR_THREADS);
    g_once_init_leave (&once, 1);
  }
  return executor;
}
