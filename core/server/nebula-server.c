/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * NebulaServer:
 *
 * Runs services beside an engine and answers what they ask, each request on behalf of a #NebulaCaller. It knows users and
 * tokens of the engine's store.
 *
 * It lives in the engine's context and is stopped before the engine is. As a #NebulaServiceHost it can be asked from any
 * thread; only immutable values cross.
 */

#include <glib/gi18n-lib.h>

#include "nebula-engine-internal.h"
#include "nebula-error.h"
#include "nebula-server-private.h"

#define N_READERS 2

static void host_init (NebulaServiceHostInterface *iface);

enum { SIGNAL_SET_UP, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE_WITH_CODE (NebulaServer,
                               nebula_server,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (NEBULA_TYPE_SERVICE_HOST,
                                                      host_init))

static void
receive (gpointer data, gpointer user_data)
{
  g_autofree NebulaServerLetter *letter = data;

  letter->receive (user_data, letter->data);
}

static void
discard (gpointer data)
{
  g_autofree NebulaServerLetter *letter = data;

  if (letter->discard)
    letter->discard (letter->data);
}

void
_nebula_server_post (NebulaServer *self,
                     void (*receive_func) (NebulaServer *server, gpointer data),
                     void (*discard_func) (gpointer data),
                     gpointer data)
{
  NebulaServerLetter *letter = g_new (NebulaServerLetter, 1);

  letter->receive = receive_func;
  letter->discard = discard_func;
  letter->data = data;
  if (!nebula_mailbox_post (self->mailbox, letter))
    discard (letter);
}

static void
end_drain (NebulaServer *self, gboolean is_in_time)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->drain);

  if (self->patience)
    g_source_destroy (self->patience);
  g_clear_pointer (&self->patience, g_source_unref);
  if (!task)
    return;
  g_ptr_array_set_size (self->threads, 0);
  g_task_return_boolean (task, is_in_time);
}

static void
nebula_server_dispose (GObject *object)
{
  nebula_server_stop (NEBULA_SERVER (object));
  G_OBJECT_CLASS (nebula_server_parent_class)->dispose (object);
}

static void
nebula_server_finalize (GObject *object)
{
  NebulaServer *self = NEBULA_SERVER (object);

  g_clear_object (&self->engine);
  g_clear_object (&self->registry);
  g_clear_pointer (&self->options, nebula_value_unref);
  g_clear_pointer (&self->access, _nebula_access_unref);
  g_clear_pointer (&self->mailbox, nebula_mailbox_unref);
  g_ptr_array_unref (self->threads);
  g_hash_table_unref (self->listeners);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (nebula_server_parent_class)->finalize (object);
}

static void
thread_free (gpointer data)
{
  _nebula_service_thread_free (data);
}

static void
nebula_server_init (NebulaServer *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  g_mutex_init (&self->lock);
  self->threads = g_ptr_array_new_with_free_func (thread_free);
  self->listeners = g_hash_table_new_full (NULL, NULL, NULL, _nebula_listener_unref);
  self->mailbox = nebula_mailbox_new (context, G_PRIORITY_DEFAULT, receive, self);
}

static void
nebula_server_class_init (NebulaServerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = nebula_server_dispose;
  G_OBJECT_CLASS (klass)->finalize = nebula_server_finalize;

  /**
   * NebulaServer::set-up:
   * @self: the server
   *
   * The first user was made; emitted in the engine's context.
   */
  signals[SIGNAL_SET_UP] = g_signal_new ("set-up", NEBULA_TYPE_SERVER, G_SIGNAL_RUN_LAST,
                                         0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

/* What services ask. */

static NebulaValue *
get_options (NebulaServiceHost *host)
{
  return NEBULA_SERVER (host)->options;
}

static NebulaCaller *
authenticate (NebulaServiceHost *host, const char *token, GError **error)
{
  return _nebula_access_authenticate (NEBULA_SERVER (host)->access, token, error);
}

static gboolean
is_set_up (NebulaServiceHost *host)
{
  return _nebula_access_has_users (NEBULA_SERVER (host)->access);
}

typedef struct {
  NebulaCaller *caller;
  NebulaValue *request;
  GTask *task;
} Question;

static void
question_free (Question *self)
{
  nebula_caller_unref (self->caller);
  nebula_value_unref (self->request);
  g_object_unref (self->task);
  g_free (self);
}

static void
question_receive (NebulaServer *server, gpointer data)
{
  Question *self = data;

  _nebula_operation_ask (server, self->caller, self->request, self->task);
  question_free (self);
}

static void
question_discard (gpointer data)
{
  Question *self = data;

  g_task_return_new_error (self->task, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE, "%s",
                           _ ("The server is stopping."));
  question_free (self);
}

static void
ask (NebulaServiceHost *host,
     NebulaCaller *caller,
     NebulaValue *request,
     GCancellable *cancellable,
     GAsyncReadyCallback callback,
     gpointer user_data)
{
  Question *question = g_new (Question, 1);

  question->caller = nebula_caller_ref (caller);
  question->request = nebula_value_ref (request);
  question->task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (question->task, nebula_service_host_ask_async);
  _nebula_server_post (NEBULA_SERVER (host), question_receive, question_discard,
                       question);
}

static NebulaValue *
ask_finish (NebulaServiceHost *host,
            GAsyncResult *result,
            gboolean *ret_is_replayed,
            GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, nebula_service_host_ask_async),
                        NULL);

  *ret_is_replayed = g_task_get_task_data (G_TASK (result)) != NULL;
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
host_init (NebulaServiceHostInterface *iface)
{
  iface->get_options = get_options;
  iface->authenticate = authenticate;
  iface->is_set_up = is_set_up;
  iface->ask = ask;
  iface->ask_finish = ask_finish;
  iface->subscribe = _nebula_server_subscribe;
  iface->unsubscribe = _nebula_server_unsubscribe;
}

/**
 * nebula_server_new:
 * @engine: an engine; it lives in this thread's context
 * @registry: the actions and modules there are
 * @options: (nullable): what services are told: an object
 * @error: where the failure goes
 *
 * Makes a server. Reads users and tokens; blocks for the store.
 *
 * Errors: those of the store.
 *
 * Returns: (transfer full): a new server without services
 *
 * Since: 1.0
 */
NebulaServer *
nebula_server_new (NebulaEngine *engine,
                   NebulaRegistry *registry,
                   NebulaValue *options,
                   GError **error)
{
  g_autoptr (NebulaServer) self = NULL;

  g_return_val_if_fail (NEBULA_IS_ENGINE (engine), NULL);
  g_return_val_if_fail (NEBULA_IS_REGISTRY (registry), NULL);

  self = g_object_new (NEBULA_TYPE_SERVER, NULL);
  self->engine = g_object_ref (engine);
  self->registry = g_object_ref (registry);
  self->options = options ? nebula_value_ref (options) : nebula_value_new_empty_object ();
  self->journal = nebula_journal_new_beside (_nebula_engine_get_journal (engine));
  self->access =
      _nebula_access_open (self->journal, nebula_engine_get_clock (engine), error);
  self->readers = nebula_executor_new (N_READERS);
  return self->access ? g_steal_pointer (&self) : NULL;
}

/**
 * nebula_server_add_service:
 * @self: a server that was not started
 * @service: a service
 * @error: where the failure goes
 *
 * Adds a service; it is started with the server.
 *
 * Errors: %NEBULA_ERROR_EXISTS (terminal): there is one of its name.
 *
 * Returns: whether it was added
 *
 * Since: 1.0
 */
gboolean
nebula_server_add_service (NebulaServer *self, NebulaService *service, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_SERVER (self), FALSE);
  g_return_val_if_fail (NEBULA_IS_SERVICE (service), FALSE);

  for (guint i = 0; i < self->threads->len; i++) {
    NebulaService *other = _nebula_service_thread_get_service (self->threads->pdata[i]);

    if (g_strcmp0 (nebula_service_get_name (other), nebula_service_get_name (service)) !=
        0)
      continue;
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS,
                 _ ("There are two services “%s”. Remove one of their modules."),
                 nebula_service_get_name (service));
    return FALSE;
  }
  g_ptr_array_add (self->threads, _nebula_service_thread_new (self, service));
  return TRUE;
}

static gboolean
load_service (NebulaServer *self,
              NebulaModuleInfo *module,
              NebulaValue *service,
              GError **error)
{
  g_autoptr (NebulaService) object = NULL;
  GType type;

  if (!nebula_module_info_load (module, error))
    return FALSE;
  type = g_type_from_name (nebula_value_get_member_string (service, "type", ""));
  if (type == G_TYPE_INVALID || !g_type_is_a (type, NEBULA_TYPE_SERVICE)) {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
        _ ("The module “%s” did not register the service “%s” that its catalogue names."),
        nebula_module_info_get_id (module),
        nebula_value_get_member_string (service, "name", ""));
    return FALSE;
  }
  object = g_object_new (type, NULL);
  return nebula_server_add_service (self, object, error);
}

/**
 * nebula_server_load_services:
 * @self: a server that was not started
 * @names: (nullable) (array zero-terminated=1): which services; %NULL for all that modules bring
 * @error: where the failure goes
 *
 * Loads the modules that bring services, and adds these.
 *
 * Errors: those of nebula_module_info_load(); %NEBULA_ERROR_EXISTS (terminal).
 *
 * Returns: whether all are there
 *
 * Since: 1.0
 */
gboolean
nebula_server_load_services (NebulaServer *self, const char *const *names, GError **error)
{
  g_autoptr (GPtrArray) modules = NULL;

  g_return_val_if_fail (NEBULA_IS_SERVER (self), FALSE);

  modules = nebula_registry_list_modules (self->registry);
  for (guint i = 0; i < modules->len; i++) {
    NebulaModuleInfo *module = modules->pdata[i];
    g_autoptr (NebulaValue) services = nebula_module_info_list_services (module);

    for (gsize j = 0; j < nebula_value_get_length (services); j++) {
      NebulaValue *service = nebula_value_get_item (services, j);
      const char *name = nebula_value_get_member_string (service, "name", "");

      if ((!names || g_strv_contains (names, name)) &&
          !load_service (self, module, service, error))
        return FALSE;
    }
  }
  return TRUE;
}

/**
 * nebula_server_start:
 * @self: a server
 * @error: where the failure goes
 *
 * Starts all services, one after the other; blocks until they are ready. If one fails, all end.
 *
 * Errors: those of the service.
 *
 * Returns: whether all run
 *
 * Since: 1.0
 */
gboolean
nebula_server_start (NebulaServer *self, GError **error)
{
  g_return_val_if_fail (NEBULA_IS_SERVER (self), FALSE);

  for (guint i = 0; i < self->threads->len; i++) {
    if (_nebula_service_thread_start (self->threads->pdata[i], error))
      continue;
    g_ptr_array_set_size (self->threads, 0);
    return FALSE;
  }
  return TRUE;
}

/**
 * nebula_server_list_addresses:
 * @self: a server
 *
 * Where its services listen.
 *
 * Returns: (transfer full) (array zero-terminated=1): addresses
 *
 * Since: 1.0
 */
char **
nebula_server_list_addresses (NebulaServer *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_return_val_if_fail (NEBULA_IS_SERVER (self), NULL);

  for (guint i = 0; i < self->threads->len; i++) {
    NebulaService *service = _nebula_service_thread_get_service (self->threads->pdata[i]);
    g_auto (GStrv) addresses = nebula_service_list_addresses (service);

    g_strv_builder_addv (builder, (const char **) addresses);
  }
  return g_strv_builder_end (builder);
}

/**
 * nebula_server_begin_set_up:
 * @self: a server
 *
 * Makes the secret with which the first user can be made, once; an earlier one is void.
 *
 * Returns: (transfer full) (nullable): the secret; %NULL if there are users
 *
 * Since: 1.0
 */
char *
nebula_server_begin_set_up (NebulaServer *self)
{
  g_return_val_if_fail (NEBULA_IS_SERVER (self), NULL);

  return _nebula_access_begin_set_up (self->access);
}

void
_nebula_server_drained (NebulaServer *self)
{
  if (!self->drain)
    return;
  for (guint i = 0; i < self->threads->len; i++)
    if (!_nebula_service_thread_is_drained (self->threads->pdata[i]))
      return;
  end_drain (self, TRUE);
}

static gboolean
patience_over (gpointer user_data)
{
  end_drain (user_data, FALSE);
  return G_SOURCE_REMOVE;
}

/**
 * nebula_server_drain_async:
 * @self: a server
 * @patience_usec: how long to wait at most
 * @callback: (scope async) (closure user_data): called once, in the engine's context
 * @user_data: data for @callback
 *
 * Lets all services take nothing new and end what they have begun. When the callback is called all have ended.
 *
 * Since: 1.0
 */
void
nebula_server_drain_async (NebulaServer *self,
                           gint64 patience_usec,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  NebulaClock *clock = NULL;

  g_return_if_fail (NEBULA_IS_SERVER (self));
  g_return_if_fail (!self->drain);

  self->drain = g_task_new (self, NULL, callback, user_data);
  clock = nebula_engine_get_clock (self->engine);
  self->patience = nebula_clock_create_source (
      clock, nebula_clock_get_monotonic_usec (clock) + patience_usec);
  g_source_set_callback (self->patience, patience_over, self, NULL);
  g_source_attach (self->patience, g_task_get_context (self->drain));
  for (guint i = 0; i < self->threads->len; i++)
    _nebula_service_thread_drain (self->threads->pdata[i]);
  _nebula_server_drained (self);
}

/**
 * nebula_server_drain_finish:
 * @self: a server
 * @result: what the callback got
 * @error: where the failure goes
 *
 * Ends nebula_server_drain_async().
 *
 * Returns: %TRUE if all ended in time; %FALSE, without error, if some were cut off
 *
 * Since: 1.0
 */
gboolean
nebula_server_drain_finish (NebulaServer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * nebula_server_stop:
 * @self: a server
 *
 * Ends all services at once. What they have asked for and is not answered yet is told that the server is stopping. To be
 * called before the engine is stopped.
 *
 * Since: 1.0
 */
void
nebula_server_stop (NebulaServer *self)
{
  g_return_if_fail (NEBULA_IS_SERVER (self));

  if (self->is_stopped)
    return;
  self->is_stopped = TRUE;
  nebula_mailbox_close (self->mailbox, discard);
  g_ptr_array_set_size (self->threads, 0);
  end_drain (self, FALSE);
  g_clear_object (&self->readers);
  if (self->access)
    _nebula_access_close (self->access);
  g_clear_pointer (&self->journal, nebula_journal_free);
}
