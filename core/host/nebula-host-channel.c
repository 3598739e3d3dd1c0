/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's end of the channel. Its own thread reads while it waits for work. While a module runs in that thread for
 * more than a moment, the watcher reads instead, so that a cancel arrives and the end of the engine is noticed; a module
 * that is quick never wakes it more than once a millisecond.
 */

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

#include "nebula-host-private.h"
#include "nebula-sync-internal.h"

#define MOMENT_USEC 1000

/* A numbered piece of work in the queue. */
typedef struct {
  NebulaHostWork work; /* first */
  guint64 number;
} Received;

gboolean
_nebula_host_send_locked (NebulaHost *self,
                          NebulaFrameKind kind,
                          guint64 number,
                          NebulaValue *payload,
                          GError **error)
{
  NebulaFrame frame = {
      .kind = kind, .attempt = number, .epoch = self->epoch, .payload = payload};
  NebulaChannelState state;

  if (self->is_gone)
    return TRUE;
  if (!nebula_channel_push (self->channel, &frame, error))
    return FALSE;
  while ((state = nebula_channel_flush (self->channel)) == NEBULA_CHANNEL_BUSY) {
    struct pollfd poll_fd = {.fd = nebula_channel_get_fd (self->channel),
                             .events = POLLOUT};

    poll (&poll_fd, 1, -1);
  }
  if (state == NEBULA_CHANNEL_GONE)
    self->is_gone = TRUE;
  return TRUE;
}

static void
receive_work (NebulaHost *self, NebulaFrame *frame, GBytes *large)
{
  Received *received = g_new0 (Received, 1);
  g_autoptr (NebulaValue) payload =
      large != NULL ? nebula_channel_read_large (frame->kind, large, NULL)
                    : nebula_value_ref (frame->payload);

  if (payload != NULL && _nebula_host_work_read (&received->work, payload)) {
    received->number = frame->attempt;
    if (self->epoch == 0)
      self->epoch = frame->epoch;
    g_queue_push_tail (&self->work, received);
    return;
  }
  g_free (received);
  self->is_gone = TRUE;
}

/* An attempt that waits here is answered when its turn comes; its cancellable is then cancelled already. */
static void
receive_cancel (NebulaHost *self, guint64 number, GPtrArray *cancelled)
{
  NebulaHostAttempt *attempt = g_hash_table_lookup (self->attempts, &number);

  if (attempt != NULL)
    g_ptr_array_add (cancelled, g_object_ref (nebula_invocation_get_cancellable (
                                    attempt->invocation)));
}

static void
receive (NebulaHost *self, NebulaFrame *frame, GBytes *large, GPtrArray *cancelled)
{
  g_autoptr (NebulaValue) nothing = NULL;

  switch ((gint) frame->kind) {
  case NEBULA_FRAME_WORK:
    receive_work (self, frame, large);
    break;
  case NEBULA_FRAME_CANCEL:
    receive_cancel (self, frame->attempt, cancelled);
    break;
  case NEBULA_FRAME_PING:
    nothing = nebula_value_new_null ();
    _nebula_host_send_locked (self, NEBULA_FRAME_PING, frame->attempt, nothing, NULL);
    break;
  default:
    self->is_draining = TRUE;
  }
}

/* Reads what is there. What is cancelled is told by the caller, without the lock. */
static void
pump_locked (NebulaHost *self, GPtrArray *cancelled)
{
  NebulaChannelState state = NEBULA_CHANNEL_BUSY;

  while (state == NEBULA_CHANNEL_BUSY && !self->is_gone) {
    state = nebula_channel_fill (self->channel);
    for (;;) {
      g_auto (NebulaFrame) frame = {0};
      g_autoptr (GBytes) large = NULL;
      g_autoptr (GError) error = NULL;

      if (!nebula_channel_take (self->channel, &frame, &large, &error)) {
        self->is_gone |= error != NULL;
        break;
      }
      receive (self, &frame, large, cancelled);
    }
  }
  self->is_gone |= state == NEBULA_CHANNEL_GONE;
}

static void
pump (NebulaHost *self)
{
  g_autoptr (GPtrArray) cancelled = g_ptr_array_new_with_free_func (g_object_unref);

  _nebula_sync_lock (&self->lock);
  pump_locked (self, cancelled);
  _nebula_sync_unlock (&self->lock);
  for (guint i = 0; i < cancelled->len; i++)
    g_cancellable_cancel (cancelled->pdata[i]);
}

static gboolean
on_readable (gint fd, GIOCondition condition, gpointer host)
{
  pump (host);
  return NEBULA_HOST (host)->is_gone ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

/* Whether the module still runs in the turn that was seen. */
static gboolean
is_in_turn (NebulaHost *self, guint64 turn)
{
  gboolean is_so;

  _nebula_sync_lock (&self->lock);
  is_so = self->is_busy && self->turn == turn;
  _nebula_sync_unlock (&self->lock);
  return is_so;
}

static guint64
wait_for_turn (NebulaHost *self)
{
  guint64 turn;

  _nebula_sync_lock (&self->lock);
  self->is_watcher_idle = TRUE;
  while (!self->is_busy)
    _nebula_sync_wait (&self->wake, &self->lock);
  self->is_watcher_idle = FALSE;
  turn = self->turn;
  _nebula_sync_unlock (&self->lock);
  return turn;
}

/* The engine is no more: nobody wants what the module does. */
static void
leave_if_gone (NebulaHost *self)
{
  gboolean is_gone;

  _nebula_sync_lock (&self->lock);
  is_gone = self->is_gone;
  _nebula_sync_unlock (&self->lock);
  if (is_gone)
    _exit (0);
}

static gpointer
watch (gpointer data)
{
  NebulaHost *self = data;

  for (;;) {
    guint64 turn = wait_for_turn (self);

    g_usleep (MOMENT_USEC);
    while (is_in_turn (self, turn)) {
      struct pollfd poll_fd = {.fd = nebula_channel_get_fd (self->channel),
                               .events = POLLIN};

      poll (&poll_fd, 1, -1);
      if (!is_in_turn (self, turn))
        break;
      pump (self);
      leave_if_gone (self);
    }
  }
  return NULL;
}

void
_nebula_host_set_busy (NebulaHost *self, gboolean is_busy)
{
  _nebula_sync_lock (&self->lock);
  self->is_busy = is_busy;
  if (is_busy)
    self->turn++;
  if (is_busy && self->is_watcher_idle)
    g_cond_signal (&self->wake);
  _nebula_sync_unlock (&self->lock);
}

gboolean
_nebula_host_start (NebulaHost *self)
{
  g_autoptr (NebulaValue) credits = nebula_value_new_integer (self->credits);

  self->is_started = TRUE;
  self->context = g_main_context_ref_thread_default ();
  self->source = g_unix_fd_source_new (nebula_channel_get_fd (self->channel), G_IO_IN);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->source, self->context);
  self->watcher = g_thread_new ("nebula-watch", watch, self);
  _nebula_sync_lock (&self->lock);
  _nebula_host_send_locked (self, NEBULA_FRAME_READY, 0, credits, NULL);
  _nebula_sync_unlock (&self->lock);
  return TRUE;
}

void
_nebula_host_stop (NebulaHost *self)
{
  if (self->source != NULL)
    g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
}

/* What was finished in other threads goes here, in the one that made it. */
static void
let_go (NebulaHost *self)
{
  g_autoptr (GPtrArray) finished = NULL;

  _nebula_sync_lock (&self->lock);
  if (self->finished->len > 0) {
    finished = self->finished;
    self->finished = g_ptr_array_new_with_free_func (g_object_unref);
  }
  _nebula_sync_unlock (&self->lock);
}

NebulaHostWork *
_nebula_host_wait (NebulaHost *self, guint64 *ret_number)
{
  for (;;) {
    Received *received;
    gboolean is_over;

    let_go (self);
    _nebula_sync_lock (&self->lock);
    received = g_queue_pop_head (&self->work);
    is_over =
        self->is_gone || (self->is_draining && g_hash_table_size (self->attempts) == 0);
    _nebula_sync_unlock (&self->lock);
    if (received != NULL) {
      *ret_number = received->number;
      return &received->work;
    }
    if (is_over)
      return NULL;
    g_main_context_iteration (self->context, TRUE);
  }
}
