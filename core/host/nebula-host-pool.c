/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-host-pool-private.h"
#include "nebula-module-internal.h"

#define SWEEP_USEC (10 * (gint64) G_USEC_PER_SEC)
#define LEAVE_USEC (G_USEC_PER_SEC / 2) /* for idle hosts, when the pool ends */

/* From any thread to the pool's: work, or a cancel of it. */
typedef struct {
  NebulaHostGroup *group; /* NULL: a cancel */
  NebulaInvocation *invocation;
  NebulaActionInfo *info;
  NebulaValue *parameters;
  guint64 number;
} Letter;

/* What a cancellable's handler needs, even if the pool is no more. */
typedef struct {
  NebulaMailbox *mailbox;
  guint64 number;
} CancelData;

void
nebula_host_options_init (NebulaHostOptions *self)
{
  *self = (NebulaHostOptions){
      .grace_usec = 5 * G_USEC_PER_SEC,
      .function_usec = 5 * G_USEC_PER_SEC,
      .start_usec = 10 * G_USEC_PER_SEC,
      .back_off_usec = G_USEC_PER_SEC / 10,
      .age_usec = 3600 * (gint64) G_USEC_PER_SEC,
      .idle_usec = 60 * G_USEC_PER_SEC,
      .memory_bytes = 512 * 1024 * 1024,
      .n_calls = 100000,
      .n_processes = CLAMP (g_get_num_processors (), 1, 4),
  };
}

void
nebula_host_options_copy (const NebulaHostOptions *self, NebulaHostOptions *ret_copy)
{
  *ret_copy = *self;
  ret_copy->program =
      self->program != NULL ? g_strdup (self->program) : nebula_module_find_host ();
  ret_copy->quarantine_file = self->quarantine_file != NULL
                                  ? g_strdup (self->quarantine_file)
                                  : nebula_quarantine_get_default_file ();
}

void
nebula_host_options_clear (NebulaHostOptions *self)
{
  g_clear_pointer (&self->program, g_free);
  g_clear_pointer (&self->quarantine_file, g_free);
}

void
_nebula_host_drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

GSource *
_nebula_host_pool_add_timer (NebulaHostPool *self,
                             gint64 usec,
                             GSourceFunc function,
                             gpointer data)
{
  GSource *source = g_timeout_source_new ((guint) (MAX (usec, 0) / 1000));

  g_source_set_callback (source, function, data, NULL);
  g_source_attach (source, self->context);
  return source;
}

/* ---- calls */

static void
cancel_data_free (gpointer data, GClosure *closure)
{
  CancelData *self = data;

  nebula_mailbox_unref (self->mailbox);
  g_free (self);
}

/* In whatever thread cancels. */
static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  CancelData *self = data;
  Letter *letter = g_new0 (Letter, 1);

  letter->number = self->number;
  if (!nebula_mailbox_post (self->mailbox, letter))
    g_free (letter);
}

static void
watch_cancel (NebulaHostCall *self)
{
  NebulaHostPool *pool = self->group->pool;
  GCancellable *cancellable = nebula_invocation_get_cancellable (self->invocation);
  CancelData *data = g_new0 (CancelData, 1);

  data->mailbox = nebula_mailbox_ref (pool->mailbox);
  data->number = self->number;
  self->cancel_handler = g_signal_connect_data (
      cancellable, "cancelled", G_CALLBACK (on_cancelled), data, cancel_data_free, 0);
  if (g_cancellable_is_cancelled (cancellable))
    on_cancelled (cancellable, data);
}

static void
call_free (gpointer data)
{
  NebulaHostCall *self = data;

  g_signal_handler_disconnect (nebula_invocation_get_cancellable (self->invocation),
                               self->cancel_handler);
  _nebula_host_drop_source (&self->kill);
  g_clear_pointer (&self->parameters, nebula_value_unref);
  nebula_action_info_unref (self->info);
  g_object_unref (self->invocation);
  g_free (self);
}

NebulaHostCall *
_nebula_host_pool_find_call (NebulaHostPool *self,
                             NebulaHostProcess *process,
                             guint64 number)
{
  NebulaHostCall *call = g_hash_table_lookup (self->calls, &number);

  return call != NULL && call->process == process ? call : NULL;
}

void
_nebula_host_call_answer (NebulaHostCall *self, NebulaResult *result)
{
  g_autoptr (NebulaInvocation) invocation = g_object_ref (self->invocation);

  g_hash_table_remove (self->group->pool->calls, &self->number);
  nebula_invocation_return_result (invocation, result);
}

void
_nebula_host_call_fail (NebulaHostCall *self, const GError *error)
{
  g_autoptr (NebulaResult) result = nebula_result_new_error (error);

  _nebula_host_call_answer (self, result);
}

void
_nebula_host_call_answer_cancelled (NebulaHostCall *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                           _ ("The attempt was cancelled before it began."));

  _nebula_host_call_fail (self, error);
}

/* Whether it had effects is for the kernel to think about, which knows what the action promises. */
void
_nebula_host_call_answer_unknown (NebulaHostCall *self,
                                                    const char *reason)
{
  g_autofree char *message =
      g_strdup_printf (_ ("The host of the module “%s” %s while the attempt ran."),
                       nebula_module_info_get_id (self->group->module), reason);
  g_autoptr (NebulaValue) failure =
      nebula_failure_new ("unknown-outcome", message, NEBULA_RETRY_CLASS_RETRY, NULL);
  g_autoptr (NebulaResult) result =
      nebula_result_new (NEBULA_RESULT_KIND_UNKNOWN, NULL, failure, 0);

  _nebula_host_call_answer (self, result);
}

static gboolean
kill_its_host (gpointer user_data)
{
  NebulaHostCall *self = user_data;

  _nebula_host_process_kill (self->process, _ ("did not stop when it was cancelled"),
                             FALSE);
  return G_SOURCE_REMOVE;
}

static void
cancel_call (NebulaHostPool *self, guint64 number)
{
  NebulaHostCall *call = g_hash_table_lookup (self->calls, &number);

  if (call == NULL)
    return;
  if (call->process == NULL) {
    g_queue_remove (&call->group->waiting, call);
    _nebula_host_call_answer_cancelled (call);
    return;
  }
  _nebula_host_process_send (call->process, NEBULA_FRAME_CANCEL, number, NULL, NULL);
  if (call->kill == NULL)
    call->kill =
        _nebula_host_pool_add_timer (self, self->options.grace_usec, kill_its_host, call);
}

/* ---- the pool */

static gboolean
sweep (gpointer user_data)
{
  NebulaHostPool *self = user_data;
  GHashTableIter iter;
  gpointer group;

  g_hash_table_iter_init (&iter, self->groups);
  while (g_hash_table_iter_next (&iter, NULL, &group)) {
    GPtrArray *processes = ((NebulaHostGroup *) group)->processes;

    for (guint i = 0; i < processes->len; i++)
      if (_nebula_host_process_is_worn (processes->pdata[i]))
        _nebula_host_process_drain (processes->pdata[i]);
  }
  if (nebula_host_pool_get_n_processes (self) > 0)
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&self->sweep, g_source_unref);
  return G_SOURCE_REMOVE;
}

void
_nebula_host_pool_sweep_later (NebulaHostPool *self)
{
  gint64 idle_usec = self->options.idle_usec;

  if (self->sweep == NULL)
    self->sweep = _nebula_host_pool_add_timer (
        self, idle_usec > 0 ? MIN (idle_usec, SWEEP_USEC) : SWEEP_USEC, sweep, self);
}

static void
letter_free (gpointer data)
{
  Letter *self = data;

  g_clear_pointer (&self->parameters, nebula_value_unref);
  g_clear_pointer (&self->info, nebula_action_info_unref);
  g_clear_object (&self->invocation);
  g_free (self);
}

static void
add_call (NebulaHostPool *self, Letter *letter)
{
  NebulaHostCall *call = g_new0 (NebulaHostCall, 1);

  call->number = ++self->last_number;
  call->group = letter->group;
  call->invocation = g_steal_pointer (&letter->invocation);
  call->info = g_steal_pointer (&letter->info);
  call->parameters = g_steal_pointer (&letter->parameters);
  g_hash_table_insert (self->calls, &call->number, call);
  g_queue_push_tail (&call->group->waiting, call);
  watch_cancel (call);
  _nebula_host_group_dispatch (call->group);
}

static void
receive (gpointer data, gpointer user_data)
{
  NebulaHostPool *self = _nebula_host_pool_ref (user_data);
  Letter *letter = data;

  if (letter->group != NULL)
    add_call (self, letter);
  else
    cancel_call (self, letter->number);
  letter_free (letter);
  _nebula_host_pool_unref (self);
}

static void
answer_stopped (NebulaInvocation *invocation)
{
  g_autoptr (GError) error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                                                  _ ("The module hosts are stopped."));

  nebula_invocation_return_error (invocation, error);
}

void
_nebula_host_pool_post (NebulaHostPool *self,
                        NebulaHostGroup *group,
                        NebulaInvocation *invocation,
                        NebulaActionInfo *info,
                        NebulaValue *parameters)
{
  Letter *letter = g_new0 (Letter, 1);

  letter->group = group;
  letter->invocation = g_object_ref (invocation);
  letter->info = nebula_action_info_ref (info);
  letter->parameters = nebula_value_ref (parameters);
  if (!self->is_stopped && g_main_context_is_owner (self->context)) {
    receive (letter, self);
    return;
  }
  if (nebula_mailbox_post (self->mailbox, letter))
    return;
  answer_stopped (invocation);
  letter_free (letter);
}

NebulaHostPool *
nebula_host_pool_new (const NebulaHostOptions *options)
{
  NebulaHostPool *self = g_new0 (NebulaHostPool, 1);

  g_atomic_ref_count_init (&self->ref_count);
  nebula_host_options_copy (options, &self->options);
  self->context = g_main_context_ref_thread_default ();
  self->mailbox = nebula_mailbox_new (self->context, G_PRIORITY_DEFAULT, receive, self);
  self->groups =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, _nebula_host_group_free);
  self->calls = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, call_free);
  return self;
}

NebulaHostPool *
_nebula_host_pool_ref (NebulaHostPool *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
_nebula_host_pool_unref (NebulaHostPool *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->groups);
  g_hash_table_unref (self->calls);
  nebula_mailbox_unref (self->mailbox);
  nebula_host_options_clear (&self->options);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
end_calls (NebulaHostPool *self)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer call, group;

  g_hash_table_iter_init (&iter, self->groups);
  while (g_hash_table_iter_next (&iter, NULL, &group))
    g_queue_clear (&((NebulaHostGroup *) group)->waiting);
  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call))
    g_ptr_array_add (calls, call);
  for (guint i = 0; i < calls->len; i++) {
    NebulaHostCall *each = g_ptr_array_index (calls, i);

    if (each->state == NEBULA_HOST_CALL_WAITING)
      _nebula_host_call_answer_cancelled (each);
    else
      _nebula_host_call_answer_unknown (each, _ ("was stopped"));
  }
}

static gboolean
have_ended (GPtrArray *processes)
{
  gboolean have = TRUE;

  for (guint i = 0; i < processes->len; i++)
    have = _nebula_host_process_has_ended (processes->pdata[i]) && have;
  return have;
}

/* Idle hosts leave by themselves, so that their modules can tidy up; others are killed. */
static void
end_processes (NebulaHostPool *self)
{
  gint64 end_usec = g_get_monotonic_time () + LEAVE_USEC;
  g_autoptr (GPtrArray) processes =
      g_ptr_array_new_with_free_func (_nebula_host_process_free);
  GHashTableIter iter;
  gpointer group;

  g_hash_table_iter_init (&iter, self->groups);
  while (g_hash_table_iter_next (&iter, NULL, &group)) {
    _nebula_host_drop_source (&((NebulaHostGroup *) group)->restart);
    g_ptr_array_extend_and_steal (
        processes, g_steal_pointer (&((NebulaHostGroup *) group)->processes));
    ((NebulaHostGroup *) group)->processes =
        g_ptr_array_new_with_free_func (_nebula_host_process_free);
  }
  g_ptr_array_foreach (processes, _nebula_host_process_let_go, NULL);
  while (!have_ended (processes) && g_get_monotonic_time () < end_usec)
    g_usleep (G_USEC_PER_SEC / 1000);
}

void
nebula_host_pool_free (NebulaHostPool *self)
{
  self->is_stopped = TRUE;
  nebula_mailbox_close (self->mailbox, letter_free);
  _nebula_host_drop_source (&self->sweep);
  end_processes (self);
  end_calls (self);
  _nebula_host_pool_unref (self);
}

guint
nebula_host_pool_get_n_processes (NebulaHostPool *self)
{
  guint n_processes = 0;
  GHashTableIter iter;
  gpointer group;

  g_hash_table_iter_init (&iter, self->groups);
  while (g_hash_table_iter_next (&iter, NULL, &group))
    n_processes += ((NebulaHostGroup *) group)->processes->len;
  return n_processes;
}

NebulaAction *
nebula_host_pool_create_action (NebulaHostPool *self,
                                NebulaModuleInfo *module,
                                NebulaActionInfo *info,
                                NebulaIsolation isolation,
                                const char *const *capabilities)
{
  return _nebula_hosted_action_new (
      self, _nebula_host_group_find (self, module, isolation, capabilities), info);
}
