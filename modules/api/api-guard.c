/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "api-guard.h"

#include <string.h>
#include <sys/socket.h>

#define HEAD_USEC   (10 * (gint64) G_USEC_PER_SEC)
#define IDLE_USEC   (60 * (gint64) G_USEC_PER_SEC)
#define WINDOW_USEC (10 * (gint64) G_USEC_PER_SEC)
#define WINDOW_BYTES (10 * 1024) /* a body, or the reader of an answer, moves 1 KiB/s at least */
#define BLOCK_BYTES 16384
#define LINGER_BYTES (1024 * 1024)
#define LINGER_SECONDS 2

/* How fast bytes move while somebody waits for them. */
typedef struct {
  gint64 since_usec; /* 0: nobody waits */
  guint64 n_bytes;
} Pace;

struct _NebulaApiGuard {
  GIOStream parent_instance;

  GSocket *socket;
  GSocketConnection *base;
  GInputStream *input;
  GOutputStream *output;
  char *address;
  ApiGuardCalls calls;
  ApiIntake *intake;
  GByteArray *ready; /* may be read */
  gsize n_read;      /* of it */
  gint64 waits_usec; /* since when a head is waited for; 0: it is not */
  gboolean has_begun; /* some of that head is there */
  Pace body;
  Pace answer;
  gboolean is_over;  /* nothing is read any more */
  gboolean is_closed;
  gboolean has_written; /* since the last head */
  gboolean is_refused;
  gboolean has_farewell;
  gboolean is_in_body; /* what was read last has no end yet */
  gboolean is_starved; /* what is buffered makes nothing until more comes */
};

G_DEFINE_FINAL_TYPE (NebulaApiGuard, nebula_api_guard, G_TYPE_IO_STREAM)

/* The two ends. They belong to the guard, which outlives them: who holds an end holds the guard. */

typedef struct {
  GInputStream parent_instance;
  ApiGuard *guard;
} NebulaApiGuardInput;
typedef struct {
  GInputStreamClass parent_class;
} NebulaApiGuardInputClass;
typedef struct {
  GOutputStream parent_instance;
  ApiGuard *guard;
} NebulaApiGuardOutput;
typedef struct {
  GOutputStreamClass parent_class;
} NebulaApiGuardOutputClass;

static void input_pollable_init (GPollableInputStreamInterface *iface);
static void output_pollable_init (GPollableOutputStreamInterface *iface);

GType nebula_api_guard_input_get_type (void);
GType nebula_api_guard_output_get_type (void);
G_DEFINE_TYPE_WITH_CODE (NebulaApiGuardInput,
                         nebula_api_guard_input,
                         G_TYPE_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                input_pollable_init))
G_DEFINE_TYPE_WITH_CODE (NebulaApiGuardOutput,
                         nebula_api_guard_output,
                         G_TYPE_OUTPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                output_pollable_init))

static GPollableInputStream *
get_base_input (ApiGuard *self)
{
  return G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (G_IO_STREAM (self->base)));
}

static GPollableOutputStream *
get_base_output (ApiGuard *self)
{
  return G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (G_IO_STREAM (self->base)));
}

/* Best effort: it goes into the socket's own buffer, which is empty when nothing was written since the last head. */
static void
write_raw (ApiGuard *self, const char *text)
{
  g_pollable_output_stream_write_nonblocking (get_base_output (self), text, strlen (text),
                                              NULL, NULL);
}

static void
refuse (ApiGuard *self, guint status)
{
  g_autofree char *body = NULL;
  g_autofree char *head = NULL;

  self->is_over = TRUE;
  if (status == 0 || self->has_written)
    return;
  self->is_refused = TRUE;
  body = self->calls.refuse (status, api_intake_get_language (self->intake),
                             self->calls.user_data);
  head = g_strdup_printf ("HTTP/1.1 %u %s\r\nContent-Type: application/problem+json\r\n"
                          "Content-Length: %" G_GSIZE_FORMAT "\r\nConnection: close\r\n"
                          "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n%s",
                          status, status == 408 ? "Request Timeout" : "Refused",
                          strlen (body), body);
  write_raw (self, head);
}

/* What was sent is still read by the other side, if it looks before it sends more. */
static void
end (ApiGuard *self)
{
  self->is_over = TRUE;
  shutdown (g_socket_get_fd (self->socket), SHUT_RDWR);
}

static void
note_request (ApiGuard *self)
{
  self->waits_usec = 0;
  self->has_begun = FALSE;
  self->has_written = FALSE;
  if (api_intake_take_continue (self->intake))
    write_raw (self, "HTTP/1.1 100 Continue\r\n\r\n");
}

/* From the connection into what may be read. FALSE: nothing is there yet. */
static gboolean
fill (ApiGuard *self)
{
  guint64 n_requests = api_intake_get_n_requests (self->intake);

  g_byte_array_set_size (self->ready, 0);
  self->n_read = 0;
  api_intake_pull (self->intake, self->ready);
  if (api_intake_get_state (self->intake) != API_INTAKE_BAD)
    self->is_in_body = api_intake_get_state (self->intake) == API_INTAKE_BODY;
  if (api_intake_get_n_requests (self->intake) != n_requests)
    note_request (self);
  if (api_intake_get_state (self->intake) == API_INTAKE_BAD && !self->is_over)
    refuse (self, api_intake_get_status (self->intake));
  return self->ready->len > 0 || self->is_over;
}

static void
note_wait (ApiGuard *self)
{
  gboolean is_body = api_intake_get_state (self->intake) == API_INTAKE_BODY;

  if (is_body && self->body.since_usec == 0)
    self->body = (Pace){g_get_monotonic_time (), 0};
  if (!is_body && self->waits_usec == 0)
    self->waits_usec = g_get_monotonic_time ();
}

static void
note_bytes (ApiGuard *self, gsize n_bytes)
{
  self->body.n_bytes += n_bytes;
  /* A head may take so long from its first byte on, however the rest comes. */
  if (api_intake_get_state (self->intake) == API_INTAKE_HEAD && !self->has_begun) {
    self->has_begun = TRUE;
    self->waits_usec = g_get_monotonic_time ();
  }
}

static gssize
read_more (ApiGuard *self, GCancellable *cancellable, GError **error)
{
  guint8 block[BLOCK_BYTES / 4];
  g_autoptr (GError) local_error = NULL;
  gssize n_bytes = g_pollable_input_stream_read_nonblocking (
      get_base_input (self), block, sizeof block, cancellable, &local_error);

  /* A reset is an end like any other. */
  if (n_bytes < 0 && !g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) &&
      !g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    n_bytes = 0;

  if (n_bytes > 0) {
    note_bytes (self, (gsize) n_bytes);
    self->is_starved = FALSE;
    api_intake_push (self->intake, block, (gsize) n_bytes);
  } else if (n_bytes == 0) {
    self->is_over = TRUE;
  } else {
    self->is_starved = TRUE;
    note_wait (self);
    g_propagate_error (error, g_steal_pointer (&local_error));
  }
  return n_bytes;
}

static gssize
give (ApiGuard *self, void *buffer, gsize count)
{
  gsize n_bytes = MIN (count, self->ready->len - self->n_read);

  if (n_bytes > 0)
    memcpy (buffer, self->ready->data + self->n_read, n_bytes);
  self->n_read += n_bytes;
  if (n_bytes > 0)
    self->is_starved = FALSE;
  return (gssize) n_bytes;
}

/*
 * When a connection ends between two requests the library (3.2.3) drops the next message but never the connection. So it is
 * given a last request that nobody made and that asks it to close; the answer goes nowhere.
 */
#define FAREWELL "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"

static gboolean
wants_farewell (ApiGuard *self)
{
  return self->is_over && !self->has_farewell && self->n_read == self->ready->len &&
         !self->is_in_body && api_intake_get_n_requests (self->intake) > 0;
}

static void
say_farewell (ApiGuard *self)
{
  self->has_farewell = TRUE;
  g_byte_array_set_size (self->ready, 0);
  g_byte_array_append (self->ready, (const guint8 *) FAREWELL, sizeof FAREWELL - 1);
  self->n_read = 0;
}

static gssize
guard_read (ApiGuard *self, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  if (!self)
    return 0;
  while (self->n_read == self->ready->len && !self->is_over) {
    if (fill (self))
      break;
    if (read_more (self, cancellable, error) < 0)
      return -1;
  }
  if (api_intake_get_state (self->intake) != API_INTAKE_BODY)
    self->body.since_usec = 0;
  if (wants_farewell (self))
    say_farewell (self);
  /* Never an end of file: inside a body it would look like the end of that body. */
  if (self->n_read == self->ready->len && self->is_over) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                         "The request has no end");
    return -1;
  }
  return give (self, buffer, count);
}

static gssize
input_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  return guard_read (((NebulaApiGuardInput *) stream)->guard, buffer, count, cancellable, error);
}

static gssize
input_read_nonblocking (GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
  return guard_read (((NebulaApiGuardInput *) stream)->guard, buffer, count, NULL, error);
}

/* Whether a read gives something without any more from the connection. */
static gboolean
has_something (ApiGuard *self)
{
  return !self || self->is_over || self->n_read < self->ready->len ||
         (!self->is_starved && api_intake_get_n_buffered (self->intake) > 0);
}

static gboolean
input_is_readable (GPollableInputStream *stream)
{
  ApiGuard *self = ((NebulaApiGuardInput *) stream)->guard;

  return has_something (self) ||
         g_pollable_input_stream_is_readable (get_base_input (self));
}

static GSource *
input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  ApiGuard *self = ((NebulaApiGuardInput *) stream)->guard;
  g_autoptr (GSource) child =
      has_something (self)
          ? g_timeout_source_new (0)
          : g_pollable_input_stream_create_source (get_base_input (self), NULL);

  return g_pollable_source_new_full (stream, child, cancellable);
}

static void
input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = input_is_readable;
  iface->create_source = input_create_source;
  iface->read_nonblocking = input_read_nonblocking;
}

static void
nebula_api_guard_input_init (NebulaApiGuardInput *self)
{
}

static void
nebula_api_guard_input_class_init (NebulaApiGuardInputClass *klass)
{
  G_INPUT_STREAM_CLASS (klass)->read_fn = input_read;
}

static gssize
guard_write (ApiGuard *self, const void *buffer, gsize count, GError **error)
{
  gssize n_bytes;

  if (self && self->has_farewell)
    return (gssize) count;
  if (!self || self->is_refused) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CLOSED, "The connection is closed");
    return -1;
  }
  n_bytes = g_pollable_output_stream_write_nonblocking (get_base_output (self), buffer, count,
                                                        NULL, error);
  if (n_bytes > 0) {
    self->has_written = TRUE;
    self->answer.n_bytes += (gsize) n_bytes;
    if ((gsize) n_bytes == count)
      self->answer.since_usec = 0;
  } else if (self->answer.since_usec == 0) {
    self->answer = (Pace){g_get_monotonic_time (), 0};
  }
  return n_bytes;
}

static gssize
output_write (GOutputStream *stream, const void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  return guard_write (((NebulaApiGuardOutput *) stream)->guard, buffer, count, error);
}

static gssize
output_write_nonblocking (GPollableOutputStream *stream, const void *buffer, gsize count, GError **error)
{
  return guard_write (((NebulaApiGuardOutput *) stream)->guard, buffer, count, error);
}

static gboolean
output_is_writable (GPollableOutputStream *stream)
{
  ApiGuard *self = ((NebulaApiGuardOutput *) stream)->guard;

  return !self || g_pollable_output_stream_is_writable (get_base_output (self));
}

static GSource *
output_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  ApiGuard *self = ((NebulaApiGuardOutput *) stream)->guard;
  g_autoptr (GSource) child =
      self ? g_pollable_output_stream_create_source (get_base_output (self), NULL)
           : g_timeout_source_new (0);

  return g_pollable_source_new_full (stream, child, cancellable);
}

static void
output_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = output_is_writable;
  iface->create_source = output_create_source;
  iface->write_nonblocking = output_write_nonblocking;
}

static void
nebula_api_guard_output_init (NebulaApiGuardOutput *self)
{
}

static void
nebula_api_guard_output_class_init (NebulaApiGuardOutputClass *klass)
{
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = output_write;
}

static GInputStream *
get_input_stream (GIOStream *stream)
{
  return NEBULA_API_GUARD (stream)->input;
}

static GOutputStream *
get_output_stream (GIOStream *stream)
{
  return NEBULA_API_GUARD (stream)->output;
}

/* Whoever was refused may still be sending. Were the socket closed with bytes in it, the answer would be lost with them; so
 * some are thrown away first. */

typedef struct {
  GSocketConnection *base;
  GSource *input;
  GSource *patience;
  gsize n_left;
} Linger;

static void
linger_end (Linger *self)
{
  g_source_destroy (self->input);
  g_source_unref (self->input);
  g_source_destroy (self->patience);
  g_source_unref (self->patience);
  g_object_unref (self->base);
  g_free (self);
}

static gboolean
linger_read (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Linger *self = user_data;
  char block[BLOCK_BYTES / 4];
  gssize n_bytes = g_socket_receive_with_blocking (socket, block, sizeof block, FALSE, NULL, NULL);

  if (n_bytes > 0 && self->n_left > (gsize) n_bytes) {
    self->n_left -= (gsize) n_bytes;
    return G_SOURCE_CONTINUE;
  }
  linger_end (self);
  return G_SOURCE_REMOVE;
}

static gboolean
linger_over (gpointer user_data)
{
  linger_end (user_data);
  return G_SOURCE_REMOVE;
}

static void
linger (ApiGuard *guard)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  Linger *self = g_new0 (Linger, 1);

  self->base = g_object_ref (guard->base);
  self->n_left = LINGER_BYTES;
  self->input = g_socket_create_source (guard->socket, G_IO_IN, NULL);
  g_source_set_callback (self->input, G_SOURCE_FUNC (linger_read), self, NULL);
  g_source_attach (self->input, context);
  self->patience = g_timeout_source_new_seconds (LINGER_SECONDS);
  g_source_set_callback (self->patience, linger_over, self, NULL);
  g_source_attach (self->patience, context);
}

static void
close_now (ApiGuard *self)
{
  if (self->is_closed)
    return;
  self->is_closed = TRUE;
  self->is_over = TRUE;
  /* The other side reads the answer to the end before it learns that there is no more. */
  shutdown (g_socket_get_fd (self->socket), SHUT_WR);
  if (self->is_refused)
    linger (self);
  self->calls.closed (self, self->calls.user_data);
}

static gboolean
close_fn (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  close_now (NEBULA_API_GUARD (stream));
  return TRUE;
}

/* The default would close in another thread. */
static void
close_async (GIOStream *stream, int priority, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (stream, cancellable, callback, user_data);

  close_now (NEBULA_API_GUARD (stream));
  g_task_return_boolean (task, TRUE);
}

static gboolean
close_finish (GIOStream *stream, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
nebula_api_guard_dispose (GObject *object)
{
  close_now (NEBULA_API_GUARD (object));
  G_OBJECT_CLASS (nebula_api_guard_parent_class)->dispose (object);
}

static void
nebula_api_guard_finalize (GObject *object)
{
  ApiGuard *self = NEBULA_API_GUARD (object);

  ((NebulaApiGuardInput *) self->input)->guard = NULL;
  ((NebulaApiGuardOutput *) self->output)->guard = NULL;
  g_clear_object (&self->input);
  g_clear_object (&self->output);
  g_clear_object (&self->base);
  g_clear_object (&self->socket);
  g_clear_pointer (&self->intake, api_intake_free);
  g_byte_array_unref (self->ready);
  g_free (self->address);
  G_OBJECT_CLASS (nebula_api_guard_parent_class)->finalize (object);
}

static void
nebula_api_guard_init (NebulaApiGuard *self)
{
  self->ready = g_byte_array_new ();
}

static void
nebula_api_guard_class_init (NebulaApiGuardClass *klass)
{
  GIOStreamClass *stream_class = G_IO_STREAM_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = nebula_api_guard_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_api_guard_finalize;
  stream_class->get_input_stream = get_input_stream;
  stream_class->get_output_stream = get_output_stream;
  stream_class->close_fn = close_fn;
  stream_class->close_async = close_async;
  stream_class->close_finish = close_finish;
}

static guint
admit (const ApiHead *head, gint64 *ret_limit, gpointer user_data)
{
  ApiGuard *self = user_data;

  return self->calls.admit (head, ret_limit, self->calls.user_data);
}

ApiGuard *
api_guard_new (GSocket *socket, const char *address, const ApiGuardCalls *calls)
{
  ApiGuard *self = g_object_new (API_TYPE_GUARD, NULL);
  NebulaApiGuardInput *input = g_object_new (nebula_api_guard_input_get_type (), NULL);
  NebulaApiGuardOutput *output = g_object_new (nebula_api_guard_output_get_type (), NULL);

  self->socket = g_object_ref (socket);
  self->base = g_socket_connection_factory_create_connection (socket);
  self->address = g_strdup (address);
  self->calls = *calls;
  self->intake = api_intake_new (admit, self);
  input->guard = self;
  output->guard = self;
  self->input = G_INPUT_STREAM (input);
  self->output = G_OUTPUT_STREAM (output);
  self->waits_usec = g_get_monotonic_time ();
  self->has_begun = TRUE; /* a new connection says something at once */
  return self;
}

const char *
api_guard_get_address (ApiGuard *self)
{
  return self->address;
}

static gboolean
is_slow (Pace *pace, gint64 now_usec)
{
  if (pace->since_usec == 0 || now_usec - pace->since_usec < WINDOW_USEC)
    return FALSE;
  if (pace->n_bytes < WINDOW_BYTES)
    return TRUE;
  *pace = (Pace){now_usec, 0};
  return FALSE;
}

void
api_guard_sweep (ApiGuard *self, gint64 now_usec, gboolean is_draining)
{
  gint64 waited = self->waits_usec > 0 ? now_usec - self->waits_usec : 0;
  gboolean has_begun = self->has_begun || api_intake_get_n_buffered (self->intake) > 0;

  if (self->is_closed || self->is_over)
    return;
  if (waited > (has_begun ? HEAD_USEC : IDLE_USEC) || is_slow (&self->body, now_usec)) {
    if (has_begun || self->body.since_usec > 0)
      refuse (self, 408);
    end (self);
  } else if (is_slow (&self->answer, now_usec) ||
             (is_draining && self->waits_usec > 0 && !has_begun)) {
    end (self);
  }
}
