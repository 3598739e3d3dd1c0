/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers on the control socket, in the engine's context. Everything from outside is limited: clients, bytes, time. */

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-publishing-private.h"
#include "nebula-retention.h"

#define CLIENTS_MOST  32
#define BACKLOG       128
#define REQUESTS_MOST 64 /* of one client, not answered yet */
#define OUTPUT_MOST   (4 * NEBULA_CONTROL_FRAME_BYTES)
#define IDLE_USEC     (60 * G_USEC_PER_SEC)
#define SWEEP_SECONDS 5

typedef struct {
  gint refs;
  NebulaControlServer *server; /* NULL: closed */
  int fd;
  GSource *source;
  GIOCondition condition;
  GByteArray *input;
  GByteArray *output;
  guint n_requests;
  gint64 last_usec;
  gboolean is_closing; /* once the output is written */
} Client;

struct _NebulaControlServer {
  NebulaEngine *engine;
  NebulaServiceHost *host; /* borrowed; NULL: there is none */
  char *path;
  int fd;
  GSource *source;
  GSource *sweep;
  GPtrArray *clients;
};

/* A request that is being worked on. */
typedef struct {
  Client *client;
  NebulaExecution *execution;
  NebulaServiceHost *host; /* that was asked; borrowed */
} Request;

static void
client_unref (Client *self)
{
  if (--self->refs > 0)
    return;
  g_byte_array_unref (self->input);
  g_byte_array_unref (self->output);
  g_free (self);
}

static void
drop_source (GSource **source)
{
  if (!*source)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static gboolean server_accept (gint fd, GIOCondition condition, gpointer user_data);

/* Takes new clients while there is room; others wait in the kernel's queue. */
static void
server_watch (NebulaControlServer *self)
{
  gboolean has_room = self->clients->len < CLIENTS_MOST && self->fd >= 0;

  if (!has_room)
    drop_source (&self->source);
  if (!has_room || self->source)
    return;
  self->source = g_unix_fd_source_new (self->fd, G_IO_IN);
  g_source_set_callback (self->source, G_SOURCE_FUNC (server_accept), self, NULL);
  g_source_attach (self->source, NULL);
}

static void
client_close (Client *self)
{
  NebulaControlServer *server = g_steal_pointer (&self->server);

  if (!server)
    return;
  drop_source (&self->source);
  close (self->fd);
  g_ptr_array_remove (server->clients, self);
  server_watch (server);
}

static gboolean client_ready (gint fd, GIOCondition condition, gpointer user_data);

static void
client_watch (Client *self, GIOCondition condition)
{
  if (self->condition == condition && self->source)
    return;
  drop_source (&self->source);
  self->condition = condition;
  self->source = g_unix_fd_source_new (self->fd, condition);
  g_source_set_callback (self->source, G_SOURCE_FUNC (client_ready), self, NULL);
  g_source_attach (self->source, NULL);
}

static void
client_flush (Client *self)
{
  while (self->output->len > 0) {
    gssize n_bytes = send (self->fd, self->output->data, self->output->len,
                           MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n_bytes < 0 && errno == EINTR)
      continue;
    if (n_bytes < 0 && errno == EAGAIN) {
      client_watch (self, G_IO_OUT);
      return;
    }
    if (n_bytes <= 0) {
      client_close (self);
      return;
    }
    g_byte_array_remove_range (self->output, 0, (guint) n_bytes);
  }
  if (self->is_closing)
    client_close (self);
  else
    client_watch (self, G_IO_IN);
}

static void
client_send (Client *self, NebulaValue *answer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) frame = nebula_control_pack (answer, &error);
  gsize length;
  const guint8 *data;

  if (!self->server)
    return;
  if (!frame || self->output->len > OUTPUT_MOST) {
    client_close (self);
    return;
  }
  data = g_bytes_get_data (frame, &length);
  g_byte_array_append (self->output, data, (guint) length);
  self->last_usec = g_get_monotonic_time ();
  client_flush (self);
}

static void
answer_error (Client *client, const GError *error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) answer = NULL;

  nebula_value_builder_set_boolean (builder, "ok", FALSE);
  nebula_value_builder_set_take (builder, "error", nebula_error_to_value (error));
  answer = nebula_value_builder_end (builder);
  client_send (client, answer);
}

/* Consumes both; one of them is NULL. A value that does not fit into a frame becomes an error. */
static void
answer_take (Client *client, NebulaValue *value, GError *error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) answer = NULL;
  g_autoptr (GBytes) frame = NULL;
  g_autoptr (GError) own = error;

  if (value) {
    nebula_value_builder_set_boolean (builder, "ok", TRUE);
    nebula_value_builder_set_take (builder, "value", value);
    answer = nebula_value_builder_end (builder);
    frame = nebula_control_pack (answer, &own);
  }
  if (frame)
    client_send (client, answer);
  else
    answer_error (client, own);
}

static Request *
request_new (Client *client, NebulaExecution *execution)
{
  Request *self = g_new0 (Request, 1);

  client->refs++;
  client->n_requests++;
  self->client = client;
  self->execution = execution ? g_object_ref (execution) : NULL;
  return self;
}

static void
request_drop (Request *self)
{
  self->client->n_requests--;
  client_unref (self->client);
  g_clear_object (&self->execution);
  g_free (self);
}

static void
request_end (Request *self, NebulaValue *value, GError *error)
{
  answer_take (self->client, value, error);
  request_drop (self);
}

static void
carried_out (NebulaExecution *execution, const GError *error, gpointer user_data)
{
  request_end (user_data, error ? NULL : nebula_value_new_null (),
               error ? g_error_copy (error) : NULL);
}

static void
resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean is_good =
      nebula_execution_resume_finish (NEBULA_EXECUTION (source), result, &error);

  request_end (user_data, is_good ? nebula_value_new_null () : NULL, error);
}

static void
waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  NebulaExecution *execution = NEBULA_EXECUTION (source);
  GError *error = NULL;
  NebulaValue *report = NULL;

  if (nebula_execution_wait_finish (execution, result, &error))
    report = nebula_execution_get_report (execution, &error);
  request_end (user_data, report, error);
}

static void
show (Client *client, NebulaExecution *execution, const char *node)
{
  GError *error = NULL;
  NebulaValue *report = node ? nebula_execution_get_node_report (execution, node, &error)
                             : nebula_execution_get_report (execution, &error);

  answer_take (client, report, error);
}

/* FALSE: it is no order. */
static gboolean
carry_out (Client *client, NebulaExecution *execution, NebulaValue *frame)
{
  Request *request = request_new (client, execution);

  if (nebula_order_carry_out (execution, frame, carried_out, request))
    return TRUE;
  request_drop (request);
  return FALSE;
}

static void
published (NebulaValue *answer, const GError *error, gpointer user_data)
{
  request_end (user_data, answer ? nebula_value_ref (answer) : NULL,
               error ? g_error_copy (error) : NULL);
}

static void
rerun_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  NebulaExecution *execution = NEBULA_EXECUTION (source);

  nebula_execution_wait_finish (execution, result, NULL);
  request_end (user_data,
               nebula_value_new_string (nebula_execution_get_id (execution)), NULL);
}

/* If it could not be resumed it is about to end, and its end is waited for. */
static void
rerun_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  NebulaExecution *execution = NEBULA_EXECUTION (source);

  if (nebula_execution_resume_finish (execution, result, NULL))
    request_end (user_data,
                 nebula_value_new_string (nebula_execution_get_id (execution)), NULL);
  else
    nebula_execution_wait_async (execution, NULL, rerun_ended, user_data);
}

/* Answered when its start is committed. */
static void
rerun (Client *client, NebulaExecution *former, NebulaValue *frame)
{
  GError *error = NULL;
  g_autoptr (NebulaExecution) execution = nebula_engine_rerun (
      client->server->engine, nebula_execution_get_id (former),
      nebula_value_get_member (frame, "options"), &error);

  if (execution)
    nebula_execution_resume_async (execution, NULL, rerun_started,
                                   request_new (client, execution));
  else
    answer_take (client, NULL, error);
}

static void
served (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Request *request = user_data;
  GError *error = NULL;
  NebulaValue *answer = NULL;

  answer = nebula_service_host_ask_finish (request->host, result, NULL, &error);
  request_end (request, answer, error);
}

/* What the server can be asked, on behalf of the machine's owner. FALSE: there is no server here. */
static gboolean
serve (Client *client, NebulaValue *frame)
{
  NebulaValue *question = nebula_value_get_member (frame, "request");
  g_autoptr (NebulaCaller) owner = nebula_caller_new_owner (
      nebula_value_get_member_string (frame, "tenant", NULL));
  Request *request;

  if (!client->server->host || !question ||
      nebula_value_get_kind (question) != NEBULA_VALUE_KIND_OBJECT ||
      client->n_requests >= REQUESTS_MOST)
    return FALSE;
  request = request_new (client, NULL);
  request->host = client->server->host;
  nebula_service_host_ask_async (request->host, owner, question, NULL, served, request);
  return TRUE;
}

/* FALSE: it has nothing to do with workflows. */
static gboolean
publish (Client *client, NebulaValue *frame)
{
  Request *request = request_new (client, NULL);

  if (client->n_requests <= REQUESTS_MOST &&
      nebula_publishing_carry_out (client->server->engine, frame, published, request))
    return TRUE;
  request_drop (request);
  return FALSE;
}

static void
pruned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gint64 n_pruned = nebula_engine_prune_finish (NEBULA_ENGINE (source), result, &error);

  request_end (user_data, error ? NULL : nebula_value_new_integer (n_pruned), error);
}

static void
prune (Client *client, NebulaValue *frame)
{
  NebulaRetention rule;

  nebula_control_read_rule (frame, &rule);
  nebula_engine_prune_async (client->server->engine, &rule, NULL, pruned,
                             request_new (client, NULL));
}

/* FALSE: there is no such operation on executions. */
static gboolean
begin (Client *client, const char *op, NebulaExecution *execution, NebulaValue *frame)
{
  if (g_str_equal (op, "show"))
    show (client, execution, nebula_value_get_member_string (frame, "node", NULL));
  else if (g_str_equal (op, "why"))
    answer_take (client, nebula_execution_explain (execution), NULL);
  else if (g_str_equal (op, "rerun"))
    rerun (client, execution, frame);
  else if (g_str_equal (op, "resume"))
    nebula_execution_resume_async (execution, NULL, resumed,
                                   request_new (client, execution));
  else if (g_str_equal (op, "wait"))
    nebula_execution_wait_async (execution, NULL, waited,
                                 request_new (client, execution));
  else
    return carry_out (client, execution, frame);
  return TRUE;
}

static void
handle (Client *client, NebulaValue *frame)
{
  NebulaControlServer *server = client->server;
  const char *op = nebula_value_get_member_string (frame, "op", "");
  const char *id = nebula_value_get_member_string (frame, "execution", NULL);
  g_autoptr (NebulaExecution) execution = NULL;
  g_autoptr (GError) error = NULL;

  if (g_str_equal (op, "ping")) {
    answer_take (client, nebula_value_new_integer (getpid ()), NULL);
    return;
  }
  if (g_str_equal (op, "metrics")) {
    g_autofree char *text = nebula_metrics_to_text (nebula_engine_get_metrics (server->engine));

    answer_take (client, nebula_value_new_string (text), NULL);
    return;
  }
  if (g_str_equal (op, "list")) {
    NebulaValue *list =
        nebula_order_list (nebula_engine_get_store (server->engine), frame, &error);

    answer_take (client, list, g_steal_pointer (&error));
    return;
  }
  if (g_str_equal (op, "prune") && client->n_requests < REQUESTS_MOST) {
    prune (client, frame);
    return;
  }
  if (!id && (g_str_equal (op, "serve") ? serve (client, frame) : publish (client, frame)))
    return;
  if (id && client->n_requests < REQUESTS_MOST) {
    execution = nebula_engine_get_execution (server->engine, id, &error);
    if (execution && begin (client, op, execution, frame))
      return;
  }
  if (!error)
    error = g_error_new (NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                         _ ("The control socket does not know “%s”."), op);
  answer_error (client, error);
}

static void
client_handle_input (Client *self)
{
  for (;;) {
    g_autoptr (GError) error = NULL;
    g_autoptr (NebulaValue) frame = nebula_control_unpack (self->input, &error);

    if (error) {
      self->is_closing = TRUE;
      answer_error (self, error);
      return;
    }
    if (!frame)
      return;
    handle (self, frame);
    if (!self->server)
      return;
  }
}

static gboolean
client_ready (gint fd, GIOCondition condition, gpointer user_data)
{
  Client *self = user_data;
  guint8 block[4096];
  gssize n_bytes;

  self->refs++;
  if (condition & G_IO_OUT) {
    client_flush (self);
  } else {
    n_bytes = recv (fd, block, sizeof block, MSG_DONTWAIT);
    if (n_bytes > 0) {
      self->last_usec = g_get_monotonic_time ();
      g_byte_array_append (self->input, block, (guint) n_bytes);
      client_handle_input (self);
    } else if (n_bytes == 0 || (errno != EAGAIN && errno != EINTR)) {
      client_close (self);
    }
  }
  client_unref (self);
  return G_SOURCE_CONTINUE;
}

/* Closes connections that said nothing for a while and wait for nothing. */
static gboolean
sweep (gpointer user_data)
{
  NebulaControlServer *self = user_data;
  gint64 limit = g_get_monotonic_time () - IDLE_USEC;

  for (guint i = self->clients->len; i > 0; i--) {
    Client *client = self->clients->pdata[i - 1];

    if (client->last_usec < limit && (client->n_requests == 0 || client->output->len > 0))
      client_close (client);
  }
  if (self->clients->len > 0)
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&self->sweep, g_source_unref);
  return G_SOURCE_REMOVE;
}

static gboolean
is_same_user (int fd)
{
  struct ucred peer;
  socklen_t length = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
         peer.uid == geteuid ();
}

static gboolean
server_accept (gint fd, GIOCondition condition, gpointer user_data)
{
  NebulaControlServer *self = user_data;
  int client_fd = accept4 (fd, NULL, NULL, SOCK_CLOEXEC);
  Client *client;

  if (client_fd < 0)
    return G_SOURCE_CONTINUE;
  if (!is_same_user (client_fd)) {
    close (client_fd);
    return G_SOURCE_CONTINUE;
  }
  client = g_new0 (Client, 1);
  client->refs = 1;
  client->server = self;
  client->fd = client_fd;
  client->input = g_byte_array_new ();
  client->output = g_byte_array_new ();
  client->last_usec = g_get_monotonic_time ();
  g_ptr_array_add (self->clients, client);
  client_watch (client, G_IO_IN);
  if (!self->sweep) {
    self->sweep = g_timeout_source_new_seconds (SWEEP_SECONDS);
    g_source_set_callback (self->sweep, sweep, self, NULL);
    g_source_attach (self->sweep, NULL);
  }
  server_watch (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
server_listen (NebulaControlServer *self, const char *store, GError **error)
{
  struct sockaddr_un address;
  struct stat status;
  mode_t mask;
  guint length;
  gboolean is_good;

  self->fd = nebula_control_socket (store, &address, &length, error);
  if (self->fd < 0)
    return FALSE;
  /* Only the owner of the store comes here, so a socket that is there is a dead process's. */
  if (lstat (self->path, &status) == 0 && S_ISSOCK (status.st_mode))
    g_unlink (self->path);
  mask = umask (0177);
  is_good = bind (self->fd, (struct sockaddr *) &address, length) == 0;
  umask (mask);
  if (is_good && listen (self->fd, BACKLOG) == 0)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_IO,
               _ ("The control socket “%s” cannot be made: %s."), self->path,
               g_strerror (errno));
  return FALSE;
}

static void
client_free (gpointer data)
{
  client_unref (data);
}

NebulaControlServer *
nebula_control_server_new (NebulaEngine *engine, const char *store, GError **error)
{
  NebulaControlServer *self = g_new0 (NebulaControlServer, 1);

  self->engine = g_object_ref (engine);
  self->path = g_strconcat (store, ".sock", NULL);
  self->clients = g_ptr_array_new_with_free_func (client_free);
  if (!server_listen (self, store, error)) {
    g_clear_pointer (&self->path, g_free); /* not ours */
    nebula_control_server_free (self);
    return NULL;
  }
  g_unix_set_fd_nonblocking (self->fd, TRUE, NULL);
  server_watch (self);
  return self;
}

void
nebula_control_server_set_host (NebulaControlServer *self, NebulaServiceHost *host)
{
  self->host = host;
}

void
nebula_control_server_free (NebulaControlServer *self)
{
  drop_source (&self->source);
  drop_source (&self->sweep);
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  while (self->clients->len > 0)
    client_close (self->clients->pdata[self->clients->len - 1]);
  g_ptr_array_unref (self->clients);
  if (self->path)
    g_unlink (self->path);
  g_free (self->path);
  g_object_unref (self->engine);
  g_free (self);
}
