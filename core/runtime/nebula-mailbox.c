/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-mailbox-internal.h"
#include "nebula-sync-internal.h"

/* For so long letters are delivered in one dispatch; then other sources have their turn. */
#define DISPATCH_USEC 200

struct _NebulaMailbox {
  gatomicrefcount ref_count;
  GMutex lock; /* guards letters, is_closed */
  GPtrArray *letters;
  gboolean is_closed;
  gboolean is_unhurried;
  GPtrArray *taken; /* the owner's: letters that are being delivered */
  guint n_delivered;
  GSource *source;
  GMainContext *context;
  NebulaMailboxReceive receive;
  gpointer user_data;
};

static void
take (NebulaMailbox *self)
{
  GPtrArray *taken = self->taken;

  g_ptr_array_set_size (taken, 0);
  self->n_delivered = 0;
  _nebula_sync_lock (&self->lock);
  self->taken = self->letters;
  self->letters = taken;
  _nebula_sync_unlock (&self->lock);
}

static void
sleep_if_empty (NebulaMailbox *self)
{
  if (self->n_delivered < self->taken->len)
    return;
  _nebula_sync_lock (&self->lock);
  if (self->letters->len == 0)
    g_source_set_ready_time (self->source, -1);
  _nebula_sync_unlock (&self->lock);
}

static gboolean
nebula_mailbox_dispatch (gpointer data)
{
  NebulaMailbox *self = nebula_mailbox_ref (data);
  gint64 end = g_get_monotonic_time () + DISPATCH_USEC;

  if (self->n_delivered == self->taken->len)
    take (self);
  while (self->n_delivered < self->taken->len) {
    self->receive (self->taken->pdata[self->n_delivered++], self->user_data);
    if (!self->is_unhurried && g_get_monotonic_time () >= end)
      break;
  }
  sleep_if_empty (self);
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
  self->taken = g_ptr_array_new ();
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
  g_ptr_array_unref (self->taken);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
nebula_mailbox_set_unhurried (NebulaMailbox *self)
{
  self->is_unhurried = TRUE;
}

gboolean
nebula_mailbox_post (NebulaMailbox *self, gpointer letter)
{
  gboolean is_open;

  _nebula_sync_lock (&self->lock);
  is_open = !self->is_closed;
  if (is_open)
    g_ptr_array_add (self->letters, letter);
  /* Setting the ready time wakes the context; once is enough until the letters are taken. */
  if (is_open && self->letters->len == 1)
    g_source_set_ready_time (self->source, 0);
  _nebula_sync_unlock (&self->lock);
  return is_open;
}

void
nebula_mailbox_close (NebulaMailbox *self, GDestroyNotify discard)
{
  _nebula_sync_lock (&self->lock);
  self->is_closed = TRUE;
  _nebula_sync_unlock (&self->lock);
  g_source_destroy (self->source);
  /* Closed by a letter: those behind it are not told any more. */
  while (self->n_delivered < self->taken->len)
    discard (self->taken->pdata[self->n_delivered++]);
  for (guint i = 0; i < self->letters->len; i++)
    discard (self->letters->pdata[i]);
  g_ptr_array_set_size (self->letters, 0);
}
