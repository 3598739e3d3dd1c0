/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-host.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "nebula-host-private.h"
#include "nebula-sync-internal.h"

#define ANSWER_FD      10 /* the least number of the descriptor that a probe answers on */
#define NATIVE_CREDITS 16
#define FD_MOST        1024
#define SOURCE_BYTES   (16 * 1024 * 1024)

/**
 * NebulaHost:
 *
 * The module's side of a module host: a program that loads one module and runs its actions for an engine.
 *
 * It is made of the program's arguments. The program loads the module, says what it brings, and then pulls work until
 * there is no more. Started to probe, the first nebula_host_next() prints the catalogue and gives nothing.
 *
 * Thread: the one that made it; invocations are returned from any.
 */
G_DEFINE_FINAL_TYPE (NebulaHost, nebula_host, G_TYPE_OBJECT)

static void
nebula_host_finalize (GObject *object)
{
  NebulaHost *self = NEBULA_HOST (object);

  _nebula_host_stop (self);
  g_clear_pointer (&self->channel, nebula_channel_free);
  g_clear_pointer (&self->catalogue, nebula_value_unref);
  g_hash_table_unref (self->attempts);
  g_ptr_array_unref (self->finished);
  g_ptr_array_unref (self->order);
  g_ptr_array_unref (self->capabilities);
  g_hash_table_unref (self->entries);
  nebula_function_set_unref (self->functions);
  g_clear_pointer (&self->calls, g_hash_table_unref);
  g_cond_clear (&self->wake);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self->id);
  g_free (self->version);
  g_free (self->title);

  G_OBJECT_CLASS (nebula_host_parent_class)->finalize (object);
}

static void
nebula_host_class_init (NebulaHostClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_host_finalize;
}

static void
nebula_host_init (NebulaHost *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_queue_init (&self->work);
  self->module_fd = -1;
  self->answer_fd = -1;
  self->credits = 1;
  self->attempts = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->finished = g_ptr_array_new_with_free_func (g_object_unref);
  self->entries =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, _nebula_host_entry_free);
  self->order = g_ptr_array_new ();
  self->functions = nebula_function_set_new ();
  self->capabilities = g_ptr_array_new_with_free_func (g_free);
}

/* The answer gets a descriptor that the module does not know; what the module itself prints goes to stderr. */
static void
take_stdout (NebulaHost *self)
{
  self->answer_fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, ANSWER_FD);
  if (self->answer_fd >= 0)
    dup2 (STDERR_FILENO, STDOUT_FILENO);
}

static gboolean
read_fd (const char *text, int *ret_fd)
{
  guint64 number;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, FD_MOST, &number, NULL))
    return FALSE;
  *ret_fd = (int) number;
  return TRUE;
}

static gboolean
read_argument (NebulaHost *self, const char *name, const char *value, int *channel_fd)
{
  if (g_str_equal (name, "--probe") || g_str_equal (name, "--serve")) {
    self->mode =
        g_str_equal (name, "--probe") ? NEBULA_HOST_MODE_PROBE : NEBULA_HOST_MODE_SERVE;
    g_free (self->path);
    self->path = g_strdup (value);
    return value != NULL;
  }
  if (g_str_equal (name, "--allow") && value != NULL) {
    g_ptr_array_add (self->capabilities, g_strdup (value));
    return TRUE;
  }
  if (g_str_equal (name, "--sandbox")) {
    self->is_shut_in = TRUE;
    return value != NULL && g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64,
                                                        &self->memory_bytes, NULL);
  }
  if (g_str_equal (name, "--fd"))
    return read_fd (value, &self->module_fd);
  return g_str_equal (name, "--channel") && read_fd (value, channel_fd);
}

static gboolean
read_arguments (NebulaHost *self, const char *const *arguments, int *channel_fd)
{
  for (guint i = 0; arguments[i] != NULL; i += 2)
    if (!read_argument (self, arguments[i], arguments[i + 1], channel_fd))
      return FALSE;
  return self->path != NULL && (self->mode == NEBULA_HOST_MODE_PROBE ||
                                (*channel_fd >= 0 && self->module_fd >= 0));
}

static void
fail (NebulaHost *self, const GError *error)
{
  g_autoptr (NebulaResult) result = NULL;
  g_autoptr (NebulaValue) payload = NULL;

  if (self->is_failed)
    return;
  self->is_failed = TRUE;
  if (self->mode == NEBULA_HOST_MODE_PROBE) {
    _nebula_host_print_error (self, nebula_error_get_code (error), error->message);
    return;
  }
  result = nebula_result_new_error (error);
  payload = _nebula_host_result_write (result);
  _nebula_sync_lock (&self->lock);
  _nebula_host_send_locked (self, NEBULA_FRAME_RESULT, 0, payload, NULL);
  _nebula_sync_unlock (&self->lock);
}

/* One that cannot be shut in must not run: the engine is told why, and the program gets no host. */
static gboolean
shut_in (NebulaHost *self, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (!self->is_shut_in)
    return TRUE;
  g_ptr_array_add (self->capabilities, NULL);
  if (_nebula_host_shut_in (self, (const char *const *) self->capabilities->pdata,
                            self->memory_bytes, &local_error))
    return TRUE;
  if (self->mode == NEBULA_HOST_MODE_SERVE)
    fail (self, local_error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/**
 * nebula_host_new:
 * @arguments: (array zero-terminated=1): the program's arguments, without its name
 * @error: where to put an error
 *
 * Makes the host that the program was started as. Whoever starts it gives it `--probe PATH` or `--serve PATH`, with the
 * numbers of open descriptors.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT, %NEBULA_ERROR_MODULE_REFUSED (terminal).
 *
 * Returns: (transfer full): a new host
 *
 * Since: 1.0
 */
NebulaHost *
nebula_host_new (const char *const *arguments, GError **error)
{
  g_autoptr (NebulaHost) self = NULL;
  struct rlimit no_core = {0, 0};
  NebulaModuleKey key;
  int channel_fd = -1;

  g_return_val_if_fail (arguments != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (NEBULA_TYPE_HOST, NULL);
  if (!read_arguments (self, arguments, &channel_fd)) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
        _ ("A module host is started by Nebula itself: with --probe PATH [--fd N], or with --serve "
           "PATH --fd N --channel N."));
    return NULL;
  }
  self->id = nebula_module_file_get_id (self->path);
  self->title = g_strdup (self->id);
  self->version = g_strdup ("1.0.0");
  setrlimit (RLIMIT_CORE, &no_core);
  if (self->mode == NEBULA_HOST_MODE_PROBE)
    take_stdout (self);
  else
    self->channel = nebula_channel_new (channel_fd, NEBULA_FRAME_FROM_ENGINE);
  if (self->module_fd < 0)
    self->module_fd = nebula_module_file_open (self->path, &key, error);
  if (self->module_fd >= 0 && shut_in (self, error))
    return g_steal_pointer (&self);
  if (self->answer_fd >= 0 && error != NULL && *error != NULL)
    _nebula_host_print_error (self, nebula_error_get_code (*error), (*error)->message);
  return NULL;
}

/**
 * nebula_host_get_path:
 * @self: a host
 *
 * The module's file, for messages: read it with nebula_host_read_module(), because the name may mean another file by now.
 *
 * Returns: (transfer none): a path
 *
 * Since: 1.0
 */
const char *
nebula_host_get_path (NebulaHost *self)
{
  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);

  return self->path;
}

/**
 * nebula_host_get_module_id:
 * @self: a host
 *
 * The module's id, which its file is named after.
 *
 * Returns: (transfer none): an id
 *
 * Since: 1.0
 */
const char *
nebula_host_get_module_id (NebulaHost *self)
{
  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);

  return self->id;
}

/**
 * nebula_host_get_location:
 * @self: a host
 *
 * A path that leads to the verified file itself, for a language that can only load by name.
 *
 * Returns: (transfer full): a path in this process
 *
 * Since: 1.0
 */
char *
nebula_host_get_location (NebulaHost *self)
{
  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);

  return g_strdup_printf ("/proc/self/fd/%d", self->module_fd);
}

/**
 * nebula_host_read_module:
 * @self: a host
 * @error: where to put an error
 *
 * Reads the module's file: what a language compiles.
 *
 * Errors: %NEBULA_ERROR_IO, %NEBULA_ERROR_TOO_LARGE above 16 MiB (terminal).
 *
 * Returns: (transfer full): its content
 *
 * Since: 1.0
 */
GBytes *
nebula_host_read_module (NebulaHost *self, GError **error)
{
  g_autofree char *location = NULL;
  char *data = NULL;
  gsize length = 0;

  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  location = nebula_host_get_location (self);
  if (!g_file_get_contents (location, &data, &length, error))
    return NULL;
  if (length <= SOURCE_BYTES)
    return g_bytes_new_take (data, length);
  g_free (data);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
               _ ("“%s” is larger than 16 MiB, which no module is."), self->path);
  return NULL;
}

static gboolean
add_native (NebulaHost *self, const NebulaModuleDescriptor *descriptor, GError **error)
{
  g_auto (NebulaModuleRegistered) registered = {0};

  if (!nebula_module_descriptor_register (descriptor, &registered, error))
    return FALSE;
  for (guint i = 0; i < registered.types->len; i++)
    if (!nebula_host_add_action (self, g_array_index (registered.types, GType, i), error))
      return FALSE;
  self->calls = g_hash_table_ref (registered.calls);
  return TRUE;
}

/**
 * nebula_host_load:
 * @self: a host
 * @error: where to put an error
 *
 * Loads a native module: a shared object.
 *
 * Errors: %NEBULA_ERROR_MODULE_BROKEN, %NEBULA_ERROR_MODULE_ABI (terminal).
 *
 * Returns: whether it is loaded
 *
 * Since: 1.0
 */
gboolean
nebula_host_load (NebulaHost *self, GError **error)
{
  const NebulaModuleDescriptor *descriptor;

  g_return_val_if_fail (NEBULA_IS_HOST (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  self->credits = NATIVE_CREDITS;
  if (self->mode == NEBULA_HOST_MODE_PROBE) {
    self->catalogue = nebula_module_describe (self->path, self->module_fd, error);
    return self->catalogue != NULL;
  }
  descriptor = nebula_module_open_here (self->path, self->module_fd, error);
  return descriptor != NULL && add_native (self, descriptor, error);
}

/**
 * nebula_host_describe_module:
 * @self: a host
 * @version: (nullable): its version; %NULL leaves `1.0.0`
 * @title: (nullable): its name for people; %NULL leaves the id
 *
 * Says what the catalogue tells of the module itself.
 *
 * Since: 1.0
 */
void
nebula_host_describe_module (NebulaHost *self, const char *version, const char *title)
{
  g_return_if_fail (NEBULA_IS_HOST (self));

  if (version != NULL) {
    g_free (self->version);
    self->version = g_strdup (version);
  }
  if (title != NULL) {
    g_free (self->title);
    self->title = g_strdup (title);
  }
}

/**
 * nebula_host_add_action:
 * @self: a host
 * @action_type: a type derived from #NebulaAction
 * @error: where to put an error
 *
 * Says that the module brings an action, which is described by its class.
 *
 * Errors: %NEBULA_ERROR_MODULE_BROKEN (terminal); those of nebula_action_info_new_from_class().
 *
 * Returns: whether it is one that can be used
 *
 * Since: 1.0
 */
gboolean
nebula_host_add_action (NebulaHost *self, GType action_type, GError **error)
{
  g_autoptr (NebulaActionInfo) info = NULL;

  g_return_val_if_fail (NEBULA_IS_HOST (self), FALSE);
  g_return_val_if_fail (g_type_is_a (action_type, NEBULA_TYPE_ACTION), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  /* The class is never given back: it is used until the process ends. */
  info =
      nebula_action_info_new_from_class (g_type_class_ref (action_type), self->id, error);
  return info != NULL && _nebula_host_add_entry (self, info, action_type, error);
}

/**
 * nebula_host_fail:
 * @self: a host
 * @message: what went wrong, after “The module …”
 *
 * Says that the module cannot be loaded. nebula_host_next() then gives nothing.
 *
 * Since: 1.0
 */
void
nebula_host_fail (NebulaHost *self, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (NEBULA_IS_HOST (self));
  g_return_if_fail (message != NULL);

  error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN, message);
  fail (self, error);
}

/**
 * nebula_host_fail_with_error:
 * @self: a host
 * @error: why
 *
 * Says that the module cannot be loaded, as nebula_host_fail().
 *
 * Since: 1.0
 */
void
nebula_host_fail_with_error (NebulaHost *self, const GError *error)
{
  g_return_if_fail (NEBULA_IS_HOST (self));
  g_return_if_fail (error != NULL);

  fail (self, error);
}

/**
 * nebula_host_next:
 * @self: a host
 *
 * Waits for work. The main context of this thread turns meanwhile, so that actions which answer later go on.
 *
 * The invocation says which action is meant and is returned once, now or later, from any thread. It is given to
 * nebula_host_create_action() for an action that is a class, or run with nebula_host_get_parameters().
 *
 * Returns: (transfer full) (nullable): the next attempt; %NULL if there will be no more, and the program should end
 *
 * Since: 1.0
 */
NebulaInvocation *
nebula_host_next (NebulaHost *self)
{
  NebulaHostWork *work;
  NebulaInvocation *invocation;
  guint64 number = 0;

  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);

  if (self->is_failed)
    return NULL;
  if (self->mode == NEBULA_HOST_MODE_PROBE) {
    _nebula_host_print_catalogue (self);
    return NULL;
  }
  if (self->is_started)
    _nebula_host_set_busy (self, FALSE);
  else
    _nebula_host_start (self);
  work = _nebula_host_wait (self, &number);
  if (work == NULL)
    return NULL;
  _nebula_host_set_busy (self, TRUE);
  invocation = _nebula_host_attempt_begin (self, work, number);
  _nebula_host_work_clear (work);
  g_free (work);
  return invocation;
}

/**
 * nebula_host_create_action:
 * @self: a host
 * @invocation: what nebula_host_next() gave
 * @error: where to put an error
 *
 * Makes the action of an attempt, with its parameters set. It is kept until the invocation is returned.
 *
 * Errors: %NEBULA_ERROR_UNKNOWN_ACTION, %NEBULA_ERROR_INVALID_PARAMETER (terminal).
 *
 * Returns: (transfer full): an action
 *
 * Since: 1.0
 */
NebulaAction *
nebula_host_create_action (NebulaHost *self, NebulaInvocation *invocation, GError **error)
{
  NebulaHostAttempt *attempt;
  g_autoptr (NebulaAction) action = NULL;
  NebulaArguments arguments = {0};

  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);
  g_return_val_if_fail (NEBULA_IS_INVOCATION (invocation), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  attempt = _nebula_host_attempt_find (self, invocation);
  if (attempt == NULL || attempt->entry == NULL ||
      attempt->entry->type == G_TYPE_INVALID) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_ACTION,
                 _ ("The module “%s” has no class for the action “%s”."), self->id,
                 nebula_invocation_get_action_id (invocation));
    return NULL;
  }
  action = g_object_new (attempt->entry->type, NULL);
  arguments.parameters = attempt->parameters;
  arguments.input = nebula_invocation_get_input (invocation);
  arguments.table = nebula_action_info_get_parameters (attempt->entry->info);
  if (!nebula_action_set_parameters (action, &arguments, error))
    return NULL;
  _nebula_sync_lock (&self->lock);
  g_set_object (&attempt->action, action);
  _nebula_sync_unlock (&self->lock);
  return g_steal_pointer (&action);
}

/**
 * nebula_host_get_parameters:
 * @self: a host
 * @invocation: what nebula_host_next() gave
 *
 * The parameters of an attempt, with the defaults of those that are not set.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_host_get_parameters (NebulaHost *self, NebulaInvocation *invocation)
{
  NebulaHostAttempt *attempt;
  NebulaParameterTable *table;
  NebulaValue *given;
  g_autoptr (NebulaValueBuilder) builder = NULL;

  g_return_val_if_fail (NEBULA_IS_HOST (self), NULL);
  g_return_val_if_fail (NEBULA_IS_INVOCATION (invocation), NULL);

  attempt = _nebula_host_attempt_find (self, invocation);
  given = nebula_invocation_get_parameters (invocation);
  if (attempt == NULL || attempt->entry == NULL)
    return nebula_value_ref (given);
  table = nebula_action_info_get_parameters (attempt->entry->info);
  builder = nebula_value_builder_new_object ();
  for (guint i = 0; i < nebula_parameter_table_get_length (table); i++) {
    NebulaParameter *parameter = nebula_parameter_table_get_item (table, i);
    NebulaValue *fallback = nebula_parameter_get_default (parameter);

    if (fallback != NULL)
      nebula_value_builder_set (builder, nebula_parameter_get_name (parameter), fallback);
  }
  for (gsize i = 0; i < nebula_value_get_length (given); i++)
    nebula_value_builder_set (builder, nebula_value_get_key (given, i, NULL),
                              nebula_value_get_member_at (given, i));
  return nebula_value_builder_end (builder);
}
