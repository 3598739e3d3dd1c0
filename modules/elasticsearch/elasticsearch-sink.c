/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sends entries and waits for the answer. A server that has no room or is away for a moment gets them again, with growing
 * pauses; then they count as failed. Meanwhile new entries wait in the log's buffer.
 */
#include <glib/gi18n-lib.h>
#include <libsoup/soup.h>

#include "elasticsearch-private.h"

#define ATTEMPTS 4
#define ANSWER_BYTES_MAX (16 << 20)
#define TIMEOUT_SECONDS 10
#define TOO_MANY 429

struct _NebulaElasticsearchSink {
  NebulaLogSink parent_instance;

  char *url;
  char *index;
  char *user;
  char *password;
  guint pause_ms;
  SoupSession *session;
};

enum {
  PROP_URL = 1,
  PROP_INDEX,
  PROP_USER,
  PROP_PASSWORD,
  PROP_PAUSE,
  N_PROPS,
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (NebulaElasticsearchSink, nebula_elasticsearch_sink, NEBULA_TYPE_LOG_SINK)

static char **
get_text (NebulaElasticsearchSink *self, guint id)
{
  return id == PROP_URL     ? &self->url
         : id == PROP_INDEX ? &self->index
         : id == PROP_USER  ? &self->user
                            : &self->password;
}

static void
nebula_elasticsearch_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaElasticsearchSink *self = NEBULA_ELASTICSEARCH_SINK (object);

  if (id == PROP_PAUSE)
    self->pause_ms = g_value_get_uint (value);
  else
    *get_text (self, id) = g_value_dup_string (value);
}

static void
nebula_elasticsearch_sink_finalize (GObject *object)
{
  NebulaElasticsearchSink *self = NEBULA_ELASTICSEARCH_SINK (object);

  g_clear_object (&self->session);
  for (guint id = PROP_URL; id <= PROP_PASSWORD; id++)
    g_free (*get_text (self, id));
  G_OBJECT_CLASS (nebula_elasticsearch_sink_parent_class)->finalize (object);
}

static SoupMessage *
make_message (NebulaElasticsearchSink *self, GPtrArray *records, GError **error)
{
  g_autofree char *address = g_strconcat (self->url ? self->url : "", "/_bulk", NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", address);
  g_autoptr (GBytes) body = NULL;

  if (!message) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_CONFIG,
                 _ ("“%s” is no address of Elasticsearch; set “log-elasticsearch-url”."),
                 self->url ? self->url : "");
    return NULL;
  }
  body = nebula_elasticsearch_make_body (self->index ? self->index : "logs-nebula", records);
  soup_message_set_request_body_from_bytes (message, "application/x-ndjson", body);
  soup_message_set_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  if (self->user && *self->user) {
    g_autofree char *pair = g_strconcat (self->user, ":", self->password ? self->password : "", NULL);
    g_autofree char *encoded = g_base64_encode ((const guchar *) pair, strlen (pair));
    g_autofree char *header = g_strconcat ("Basic ", encoded, NULL);

    soup_message_headers_replace (soup_message_get_request_headers (message), "Authorization", header);
  }
  return g_steal_pointer (&message);
}

static GBytes *
receive (SoupSession *session, SoupMessage *message, GError **error)
{
  g_autoptr (GInputStream) stream = soup_session_send (session, message, NULL, error);
  g_autoptr (GByteArray) all = g_byte_array_new ();
  guint8 part[4096];
  gsize count = 0;

  if (!stream)
    return NULL;
  do {
    if (!g_input_stream_read_all (stream, part, sizeof part, &count, NULL, error))
      return NULL;
    g_byte_array_append (all, part, (guint) count);
  } while (count == sizeof part && all->len <= ANSWER_BYTES_MAX);
  return g_byte_array_free_to_bytes (g_steal_pointer (&all));
}

static void
replace_error (GError **error, GError *by)
{
  g_clear_error (error);
  *error = by;
}

/* Sends once. @records are afterwards those to send again, and @ret_again tells why; @ret_lost tells of those that will
 * never be taken. */
static void
send_once (NebulaElasticsearchSink *self, GPtrArray *records, GError **ret_again, GError **ret_lost)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupMessage) message = make_message (self, records, &error);
  g_autoptr (GBytes) answer = NULL;
  guint status = 0;

  if (!message) {
    g_ptr_array_set_size (records, 0);
    replace_error (ret_lost, g_steal_pointer (&error));
    return;
  }
  answer = receive (self->session, message, &error);
  if (!answer) {
    replace_error (ret_again, g_steal_pointer (&error));
    return;
  }
  status = soup_message_get_status (message);
  if (status == SOUP_STATUS_OK) {
    if (!nebula_elasticsearch_read_answer (answer, records, &error))
      replace_error (ret_lost, g_steal_pointer (&error));
    return;
  }
  g_set_error (&error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
               _ ("Elasticsearch answered with status %u."), status);
  if (status == TOO_MANY || status >= 500) {
    replace_error (ret_again, g_steal_pointer (&error));
    return;
  }
  g_ptr_array_set_size (records, 0);
  replace_error (ret_lost, g_steal_pointer (&error));
}

static gboolean
nebula_elasticsearch_sink_write (NebulaLogSink *sink,
                                 NebulaLogRecord *const *records,
                                 guint n_records,
                                 GError **error)
{
  NebulaElasticsearchSink *self = NEBULA_ELASTICSEARCH_SINK (sink);
  g_autoptr (GPtrArray) waiting
      = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_log_record_unref);
  g_autoptr (GError) again = NULL;
  g_autoptr (GError) lost = NULL;

  for (guint i = 0; i < n_records; i++)
    g_ptr_array_add (waiting, nebula_log_record_ref (records[i]));
  for (guint attempt = 0; attempt < ATTEMPTS && waiting->len > 0; attempt++) {
    if (attempt > 0)
      g_usleep ((gulong) self->pause_ms * 1000 << (attempt - 1));
    send_once (self, waiting, &again, &lost);
  }
  if (waiting->len > 0 && !lost)
    lost = again ? g_steal_pointer (&again)
                 : g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                                        _ ("Elasticsearch had no room for log entries."));
  if (!lost)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&lost));
  return FALSE;
}

static void
add_text (guint id, const char *name)
{
  props[id] = g_param_spec_string (name, NULL, NULL, NULL,
                                   G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
}

static void
nebula_elasticsearch_sink_class_init (NebulaElasticsearchSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = nebula_elasticsearch_sink_set_property;
  object_class->finalize = nebula_elasticsearch_sink_finalize;
  NEBULA_LOG_SINK_CLASS (klass)->write = nebula_elasticsearch_sink_write;
  add_text (PROP_URL, "url");
  add_text (PROP_INDEX, "index");
  add_text (PROP_USER, "user");
  add_text (PROP_PASSWORD, "password");
  props[PROP_PAUSE] = g_param_spec_uint (
      "pause", NULL, NULL, 0, 60000, 200,
      G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
nebula_elasticsearch_sink_init (NebulaElasticsearchSink *self)
{
  self->session = soup_session_new_with_options ("timeout", TIMEOUT_SECONDS, "proxy-resolver", NULL, NULL);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_AUTH_MANAGER);
}
