/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Server-sent events: what is committed, as it is. Each event's id is its execution and its fact's number. All streams with
 * the same filter share a channel, which keeps the last events, also for a minute after its last stream has gone: a client
 * that comes back with Last-Event-ID gets what it missed. If that id is not there any more, the first thing that is sent is
 * an event `reset`: read anew what you show. A client that does not read loses its connection when 256 KiB wait for it.
 */

#include <string.h>

#include "api-private.h"

#define KEPT          1024
#define WAITING_BYTES (256 * 1024)
#define BEAT_SECONDS  15

#define LINGER_USEC (60 * (gint64) G_USEC_PER_SEC)

typedef struct {
  char *id; /* NULL: it has none */
  char *text;
} Kept;

/* The last events of one filter of one tenant, and who listens to them. */
struct _ApiChannel {
  ApiService *service;
  guint subscription;
  GQueue kept;        /* Kept, the oldest first */
  GPtrArray *streams; /* borrowed */
  gint64 empty_usec;  /* monotonic: since when nobody listens; 0: somebody does */
};

struct _ApiStream {
  ApiRequest *request; /* borrowed: it owns us */
  ApiChannel *channel; /* borrowed: the service owns it */
  GSource *beat;
  gsize n_waiting; /* bytes that were not written yet */
  gboolean is_over;
};

static void
drop_beat (ApiStream *self)
{
  if (self->beat)
    g_source_destroy (self->beat);
  g_clear_pointer (&self->beat, g_source_unref);
}

void
api_stream_end (ApiStream *self)
{
  ApiRequest *request = self->request;

  if (self->is_over)
    return;
  self->is_over = TRUE;
  drop_beat (self);
  g_ptr_array_remove (self->channel->streams, self);
  if (self->channel->streams->len == 0)
    self->channel->empty_usec = g_get_monotonic_time ();
  if (request->is_over)
    return;
  soup_message_body_complete (soup_server_message_get_response_body (request->message));
  soup_server_message_unpause (request->message);
}

void
api_stream_free (ApiStream *self)
{
  api_stream_end (self);
  g_free (self);
}

static void
send (ApiStream *self, char *text)
{
  gsize length = strlen (text);

  if (self->is_over || self->request->is_over) {
    g_free (text);
    return;
  }
  self->n_waiting += length;
  soup_message_body_append_take (
      soup_server_message_get_response_body (self->request->message), (guchar *) text, length);
  soup_server_message_unpause (self->request->message);
  if (self->n_waiting > WAITING_BYTES)
    api_stream_end (self);
}

static void
wrote (SoupServerMessage *message, guint size, gpointer user_data)
{
  ApiRequest *request = user_data;

  if (request->stream)
    request->stream->n_waiting -= MIN (request->stream->n_waiting, size);
}

/* Channels. */

static void
kept_free (gpointer data)
{
  Kept *self = data;

  g_free (self->id);
  g_free (self->text);
  g_free (self);
}

void
api_channel_free (gpointer data)
{
  ApiChannel *self = data;

  nebula_service_host_unsubscribe (api_service_get_host (self->service), self->subscription);
  g_queue_clear_full (&self->kept, kept_free);
  g_ptr_array_unref (self->streams);
  g_free (self);
}

gboolean
api_channel_is_stale (ApiChannel *self, gint64 now_usec)
{
  return self->empty_usec > 0 && now_usec - self->empty_usec > LINGER_USEC;
}

static Kept *
format (NebulaEvent *event)
{
  g_autoptr (NebulaValue) cloud = nebula_event_to_cloud_event (event, "nebula");
  g_autofree char *json = nebula_value_to_json (cloud, NEBULA_JSON_FLAGS_NONE);
  const char *execution = nebula_event_get_execution (event);
  guint64 sequence = nebula_event_get_sequence (event);
  const char *topic = nebula_event_get_topic (event);
  const char *node = nebula_event_get_node (event);
  Kept *kept = g_new0 (Kept, 1);

  if (sequence > 0 && execution)
    kept->id = g_strdup_printf ("%s-%" G_GUINT64_FORMAT "-%s%s%s", execution, sequence, topic,
                                node ? "-" : "", node ? node : "");
  kept->text = kept->id
                   ? g_strdup_printf ("id: %s\nevent: %s\ndata: %s\n\n", kept->id, topic, json)
                   : g_strdup_printf ("event: %s\ndata: %s\n\n", topic, json);
  return kept;
}

static void
hear (NebulaEvent *event, gpointer user_data)
{
  ApiChannel *self = user_data;
  Kept *kept = format (event);

  g_queue_push_tail (&self->kept, kept);
  if (self->kept.length > KEPT)
    kept_free (g_queue_pop_head (&self->kept));
  /* From the end: a stream that is cut off leaves the list. */
  for (guint i = self->streams->len; i > 0; i--)
    send (self->streams->pdata[i - 1], g_strdup (kept->text));
}

static ApiChannel *
find_channel (ApiRequest *request, NebulaValue *filter)
{
  GHashTable *channels = api_service_get_channels (request->service);
  g_autofree char *json = nebula_value_to_json (filter, NEBULA_JSON_FLAGS_NONE);
  g_autofree char *key =
      g_strconcat (nebula_caller_get_tenant (request->caller), " ", json, NULL);
  ApiChannel *self = g_hash_table_lookup (channels, key);

  if (self)
    return self;
  self = g_new0 (ApiChannel, 1);
  self->service = request->service;
  self->streams = g_ptr_array_new ();
  g_hash_table_insert (channels, g_steal_pointer (&key), self);
  self->subscription = nebula_service_host_subscribe (
      api_service_get_host (request->service), request->caller, filter, hear, self, NULL);
  return self;
}

static gboolean
beat (gpointer user_data)
{
  send (user_data, g_strdup (": \n\n"));
  return G_SOURCE_CONTINUE;
}

static void
begin_beat (ApiStream *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  self->beat = g_timeout_source_new_seconds (BEAT_SECONDS);
  g_source_set_callback (self->beat, beat, self, NULL);
  g_source_attach (self->beat, context);
}

static gint
compare_id (gconstpointer kept, gconstpointer id)
{
  return g_strcmp0 (((const Kept *) kept)->id, id);
}

/* What came since the event that the client saw last. */
static void
replay (ApiStream *self)
{
  const char *last = api_request_get_header (self->request, "Last-Event-ID");
  GList *link = last ? g_queue_find_custom (&self->channel->kept, last, compare_id) : NULL;

  if (last && !link)
    send (self, g_strdup ("event: reset\ndata: {}\n\n"));
  for (link = link ? link->next : NULL; link; link = link->next)
    send (self, g_strdup (((Kept *) link->data)->text));
}

static void
begin_answer (ApiRequest *self)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (self->message);
  SoupMessageBody *body = soup_server_message_get_response_body (self->message);

  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_headers_replace (headers, "Content-Type", "text/event-stream");
  soup_message_body_set_accumulate (body, FALSE);
  g_signal_connect (self->message, "wrote-body-data", G_CALLBACK (wrote), self);
  soup_server_message_set_status (self->message, 200, NULL);
}

void
api_handle_events (ApiRequest *self)
{
  g_autoptr (NebulaValue) filter = api_request_make_question (self, NULL);
  const char *topic = nebula_value_get_member_string (filter, "topic", "*");
  ApiStream *stream;

  if (!nebula_event_is_pattern (topic)) {
    api_answer_problem (self, 400, NEBULA_ERROR_INVALID_ARGUMENT,
                        "No event has a topic of this pattern.", NULL);
    return;
  }
  stream = g_new0 (ApiStream, 1);
  stream->request = self;
  self->stream = stream;
  begin_answer (self);
  stream->channel = find_channel (self, filter);
  stream->channel->empty_usec = 0;
  g_ptr_array_add (stream->channel->streams, stream);
  begin_beat (stream);
  send (stream, g_strdup (": \n\n"));
  replay (stream);
}
