/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An engine for simulations: no threads, no hurry. What it does depends on nothing but what it is asked. */

#include "nebula-engine-private.h"

typedef struct {
  GObject parent_instance;
} NebulaInlineExecutor;

typedef struct {
  GObjectClass parent_class;
} NebulaInlineExecutorClass;

static GType nebula_inline_executor_get_type (void);
static void nebula_inline_executor_executor_init (NebulaExecutorInterface *iface);
G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaInlineExecutor,
                               nebula_inline_executor,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_EXECUTOR,
                                                      nebula_inline_executor_executor_init))

static void
push (NebulaExecutor *executor, NebulaExecutorFunction function, gpointer data)
{
  function (data);
}

static void
nebula_inline_executor_executor_init (NebulaExecutorInterface *iface)
{
  iface->push = push;
}

static void
nebula_inline_executor_class_init (NebulaInlineExecutorClass *klass)
{
}

static void
nebula_inline_executor_init (NebulaInlineExecutor *self)
{
}

void
_nebula_engine_make_inline (NebulaEngine *self, NebulaEngine *peer)
{
  g_autoptr (NebulaExecutor) executor =
      g_object_new (nebula_inline_executor_get_type (), NULL);

  g_set_object (&self->executor, executor);
  g_set_object (&self->readers, executor);
  nebula_mailbox_set_unhurried (self->mailbox);
  self->is_unhurried = TRUE;
  if (peer)
    return; /* it shares that one's journal */
  nebula_journal_free (self->journal);
  self->journal = nebula_journal_new (self->store, TRUE);
  _nebula_engine_watch_journal (self);
}
