/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One attempt inside a host: an invocation whose answer goes over the channel. */

#include <string.h>

#include "nebula-host-private.h"
#include "nebula-sync-internal.h"

static void
attempt_free (gpointer data)
{
  NebulaHostAttempt *self = data;

  g_clear_pointer (&self->parameters, nebula_value_unref);
  g_clear_object (&self->action);
  g_object_unref (self->host);
  g_free (self);
}

/* A result that does not fit through the channel becomes a failure that says so. */
static void
send_result_locked (NebulaHostAttempt *self, NebulaResult *result)
{
  g_autoptr (NebulaValue) payload = _nebula_host_result_write (result);
  g_autoptr (NebulaResult) failed = NULL;
  g_autoptr (NebulaValue) instead = NULL;
  g_autoptr (GError) error = NULL;

  if (_nebula_host_send_locked (self->host, NEBULA_FRAME_RESULT, self->number, payload,
                                &error))
    return;
  failed = nebula_result_new_error (error);
  instead = _nebula_host_result_write (failed);
  _nebula_host_send_locked (self->host, NEBULA_FRAME_RESULT, self->number, instead, NULL);
}

static void
returned (NebulaInvocation *invocation, NebulaResult *result, gpointer data)
{
  NebulaHostAttempt *self = data;
  g_autoptr (NebulaHost) host = g_object_ref (self->host);
  gboolean is_draining;

  _nebula_sync_lock (&host->lock);
  g_hash_table_remove (host->attempts, &self->number);
  if (self->action != NULL)
    g_ptr_array_add (host->finished, g_steal_pointer (&self->action));
  send_result_locked (self, result);
  is_draining = host->is_draining;
  /* The last that is touched: whoever lets go of it may end this attempt. */
  g_ptr_array_add (host->finished, g_steal_pointer (&self->invocation));
  _nebula_sync_unlock (&host->lock);
  if (is_draining)
    g_main_context_wakeup (host->context);
}

static void
send_pair (NebulaHostAttempt *self,
           NebulaFrameKind kind,
           NebulaValue *first,
           const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (NebulaValue) payload = NULL;

  if (valid != NULL && strlen (valid) > NEBULA_FRAME_TEXT_BYTES) {
    g_autofree char *whole = g_steal_pointer (&valid);
    g_autofree char *cut = g_strndup (whole, NEBULA_FRAME_TEXT_BYTES - 8);

    valid = g_utf8_make_valid (cut, -1);
  }
  nebula_value_builder_add_take (builder, first);
  nebula_value_builder_add_take (builder, valid != NULL ? nebula_value_new_string (valid)
                                                        : nebula_value_new_null ());
  payload = nebula_value_builder_end (builder);
  _nebula_sync_lock (&self->host->lock);
  _nebula_host_send_locked (self->host, kind, self->number, payload, NULL);
  _nebula_sync_unlock (&self->host->lock);
}

static void
progressed (NebulaInvocation *invocation,
            double fraction,
            const char *message,
            gpointer data)
{
  send_pair (data, NEBULA_FRAME_PROGRESS, nebula_value_new_float (fraction), message);
}

static void
logged (NebulaInvocation *invocation,
        GLogLevelFlags level,
        const char *message,
        gpointer data)
{
  gint64 number = level & 255; /* without what a caller adds */

  send_pair (data, NEBULA_FRAME_LOG,
             nebula_value_new_integer (number > 0 ? number : G_LOG_LEVEL_MESSAGE),
             message);
}

static const NebulaInvocationSink sink = {returned, progressed, logged};

NebulaInvocation *
_nebula_host_attempt_begin (NebulaHost *self, NebulaHostWork *work, guint64 number)
{
  NebulaHostAttempt *attempt = g_new0 (NebulaHostAttempt, 1);
  g_autoptr (NebulaValue) nothing = nebula_value_new_null ();

  attempt->host = g_object_ref (self);
  attempt->number = number;
  attempt->is_call = work->version == NULL;
  if (!attempt->is_call)
    attempt->entry = _nebula_host_find_entry (self, work->action, work->version);
  attempt->parameters = nebula_value_ref (work->parameters);
  attempt->invocation = nebula_invocation_new (&work->info, work->parameters, work->input,
                                               &sink, attempt, attempt_free);
  g_object_set_data (G_OBJECT (attempt->invocation), "nebula-host-attempt", attempt);
  _nebula_sync_lock (&self->lock);
  g_hash_table_insert (self->attempts, &attempt->number, attempt);
  if (work->wants_begun)
    _nebula_host_send_locked (self, NEBULA_FRAME_BEGUN, number, nothing, NULL);
  _nebula_sync_unlock (&self->lock);
  return g_object_ref (attempt->invocation);
}

NebulaHostAttempt *
_nebula_host_attempt_find (NebulaHost *self, NebulaInvocation *invocation)
{
  NebulaHostAttempt *attempt =
      g_object_get_data (G_OBJECT (invocation), "nebula-host-attempt");

  return attempt != NULL && attempt->host == self ? attempt : NULL;
}
