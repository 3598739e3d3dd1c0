/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-mailbox-internal.h"

struct _NebulaMailbox {
  gatomicrefcount ref_count;
  GMutex lock; /* guards letters, is_closed */
  GPtrArray *letters;
  gboolean is_closed;
  GPtrArray *delivering; /* the owner's; NULL: no dispatch is going on */
  guint n_delivered;     /* of them */
  GSource *source; /* NULL once closed */
  GMainContext *context;
  NebulaMailboxReceive receive;
  gpointer user_data;
};

static gboolean
nebula_mailbox_dispatch (gpointer data)
{
  NebulaMailbox *self = nebula_mailbox_ref (data);

  g_mutex_lock (&self->lock);
  self->delivering = g_steal_pointer (&self->letters);
  self->letters = g_ptr_array_new ();
  g_source_set_ready_time (self->source, -1);
  g_mutex_unlock (&self->lock);
  for (self->n_delivered = 0; self->n_delivered < self->delivering->len;)
    self->receive (self->delivering->pdata[self->n_delivered++], self->user_data);
  g_clear_pointer (&self->delivering, g_ptr_array_unref);
  nebula_mailbox_unref (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs source_funcs = {.dispatch = source_dispatch};

NebulaMailbox *
nebula_mailbox_new (GMainContext *context,
                    gint priority,
                    NebulaMailboxReceive receive,
                    gpointer user_data)
{
  NebulaMailbox *self = g_new0 (NebulaMailbox, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->letters = g_ptr_array_new ();
  self->context = g_main_context_ref (context);
  self->receive = receive;
  self->user_data = user_data;
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, "NebulaMailbox");
  g_source_set_priority (self->source, priority);
  g_source_set_callback (self->source, nebula_mailbox_dispatch, self, NULL);
  g_source_attach (self->source, context);
  return self;
}

NebulaMailbox *
nebula_mailbox_ref (NebulaMailbox *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
nebula_mailbox_unref (NebulaMailbox *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_pointer (&self->source, g_source_unref);
  g_ptr_array_unref (self->letters);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
nebula_mailbox_post (NebulaMailbox *self, gpointer letter)
{
  gboolean is_open;

  g_mutex_lock (&self->lock);
  is_open = !self->is_closed;
  if (is_open)
    g_ptr_array_add (self->letters, letter);
  /* Setting the ready time wakes the context; once is enough until the letters are taken. */
  if (is_open && self->letters->len == 1)
    g_source_set_ready_time (self->source, 0);
  g_mutex_unlock (&self->lock);
  return is_open;
}

void
nebula_mailbox_close (NebulaMailbox *self, GDestroyNotify discard)
{
  g_mutex_lock (&self->lock);
  self->is_closed = TRUE;
  g_mutex_unlock (&self->lock);
  g_source_destroy (self->source);
  /* Closed by a letter: those behind it are not told any more. */
  while (self->delivering && self->n_delivered < self->delivering->len)
    discard (self->delivering->pdata[self->n_delivered++]);
  for (guint i = 0; i < self->letters->len; i++)
    discard (self->letters->pdata[i]);
  g_ptr_array_set_size (self->letters, 0);
}
