/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-host-pool-private.h"
#include "nebula-module-internal.h"

#define NATIVE_CREDITS                                                                   \
  16 /* what one host of a native module is worth when it is started for what waits */
#define BACK_OFF_MOST_USEC (30 * (gint64) G_USEC_PER_SEC)
#define REPEATS_MOST       2 /* of a call that may be repeated */
#define SWEEP_USEC         (10 * (gint64) G_USEC_PER_SEC)
#define LEAVE_USEC         (G_USEC_PER_SEC / 2) /* for idle hosts, when the pool ends */

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

static void
answer_error (NebulaHostCall *self, const GError *error)
{
  g_autoptr (NebulaResult) result = nebula_result_new_error (error);

  _nebula_host_call_answer (self, result);
}

static void
answer_cancelled (NebulaHostCall *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_CANCELLED,
                           _ ("The attempt was cancelled before it began."));

  answer_error (self, error);
}

/* Whether it had effects is for the kernel to think about, which knows what the action promises. */
static void
answer_unknown (NebulaHostCall *self, const char *reason)
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
    answer_cancelled (call);
    return;
  }
  _nebula_host_process_send (call->process, NEBULA_FRAME_CANCEL, number, NULL, NULL);
  if (call->kill == NULL)
    call->kill =
        _nebula_host_pool_add_timer (self, self->options.grace_usec, kill_its_host, call);
}

/* ---- groups */

static void
group_free (gpointer data)
{
  NebulaHostGroup *self = data;

  _nebula_host_drop_source (&self->restart);
  g_ptr_array_unref (self->processes);
  g_queue_clear (&self->waiting);
  nebula_module_info_unref (self->module);
  g_free (self->hash);
  g_free (self->verdict);
  g_strfreev (self->capabilities);
  g_free (self);
}

/* A file that was replaced is another module. */
static char *
make_name (NebulaModuleInfo *module)
{
  NebulaModuleKey key;

  nebula_module_info_get_key (module, &key);
  return g_strdup_printf (
      "%s\n%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT,
      nebula_module_info_get_path (module), key.inode, key.size_bytes, key.mtime_nsec);
}

static NebulaHostGroup *
find_group (NebulaHostPool *self,
            NebulaModuleInfo *module,
            NebulaIsolation isolation,
            const char *const *capabilities)
{
  g_autofree char *name = make_name (module);
  NebulaHostGroup *group = g_hash_table_lookup (self->groups, name);

  if (group != NULL)
    return group;
  group = g_new0 (NebulaHostGroup, 1);
  group->pool = self;
  group->module = nebula_module_info_ref (module);
  group->isolation = isolation;
  group->capabilities = g_strdupv ((char **) capabilities);
  g_queue_init (&group->waiting);
  group->processes = g_ptr_array_new_with_free_func (_nebula_host_process_free);
  group->verdict =
      nebula_quarantine_look_up_module (self->options.quarantine_file, module);
  g_hash_table_insert (self->groups, g_steal_pointer (&name), group);
  return group;
}

void
_nebula_host_group_fail_waiting (NebulaHostGroup *self, GError *error)
{
  g_autoptr (GError) own = error;
  NebulaHostCall *call;
  guint n_calls = self->waiting.length; /* what comes in reply is not meant */

  while (n_calls-- > 0 && (call = g_queue_pop_head (&self->waiting)) != NULL)
    answer_error (call, own);
}

static void
fail_by_verdict (NebulaHostGroup *self)
{
  _nebula_host_group_fail_waiting (
      self, g_error_new (NEBULA_ERROR, NEBULA_ERROR_MODULE_BROKEN,
                         _ ("The module “%s” is not run. %s"),
                         nebula_module_info_get_id (self->module), self->verdict));
}

static NebulaHostProcess *
find_credit (NebulaHostGroup *self)
{
  NebulaHostProcess *best = NULL;

  for (guint i = 0; i < self->processes->len; i++) {
    NebulaHostProcess *process = g_ptr_array_index (self->processes, i);

    if (process->credit > 0 && !process->is_draining &&
        (best == NULL || process->n_calls < best->n_calls))
      best = process;
  }
  return best;
}

static void
hand_over (NebulaHostGroup *self, NebulaHostProcess *process)
{
  NebulaHostCall *call = g_queue_pop_head (&self->waiting);
  g_autoptr (NebulaValue) payload =
      _nebula_host_work_write (call->invocation, call->info, call->parameters);
  g_autoptr (GError) error = NULL;

  call->process = process;
  call->state = NEBULA_HOST_CALL_SENT;
  process->credit--;
  process->n_calls++;
  process->used_usec = g_get_monotonic_time ();
  if (_nebula_host_process_send (process, NEBULA_FRAME_WORK, call->number, payload,
                                 &error))
    return;
  process->credit++;
  process->n_calls--;
  answer_error (call, error);
}

/* Whether what waits is more than the hosts that are starting can take. */
static gboolean
needs_another (NebulaHostGroup *self)
{
  guint n_alive = 0, n_places = 0;
  guint places = nebula_module_file_is_script (nebula_module_info_get_path (self->module))
                     ? 1
                     : NATIVE_CREDITS;

  for (guint i = 0; i < self->processes->len; i++) {
    NebulaHostProcess *process = g_ptr_array_index (self->processes, i);

    if (process->is_draining)
      continue;
    n_alive++;
    if (!process->is_ready)
      n_places += places;
  }
  return n_alive < self->pool->options.n_processes && self->waiting.length > n_places &&
         self->restart == NULL;
}

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

static gboolean
start_another (NebulaHostGroup *self)
{
  NebulaHostPool *pool = self->pool;
  GError *error = NULL;
  NebulaHostProcess *process = _nebula_host_process_start (self, &error);

  if (process == NULL) {
    _nebula_host_group_fail_waiting (self, error);
    return FALSE;
  }
  g_ptr_array_add (self->processes, process);
  if (pool->sweep == NULL)
    pool->sweep = _nebula_host_pool_add_timer (
        pool,
        pool->options.idle_usec > 0 ? MIN (pool->options.idle_usec, SWEEP_USEC)
                                    : SWEEP_USEC,
        sweep, pool);
  return TRUE;
}

void
_nebula_host_group_dispatch (NebulaHostGroup *self)
{
  NebulaHostProcess *process;

  if (self->verdict != NULL)
    fail_by_verdict (self);
  while (self->waiting.length > 0 && (process = find_credit (self)) != NULL)
    hand_over (self, process);
  while (needs_another (self) && start_another (self))
    continue;
}

/* ---- hosts that died */

static gboolean
restart (gpointer user_data)
{
  NebulaHostGroup *self = user_data;

  g_clear_pointer (&self->restart, g_source_unref);
  _nebula_host_group_dispatch (self);
  return G_SOURCE_REMOVE;
}

/* The first time it is started again at once, then after pauses that grow. */
static void
back_off (NebulaHostGroup *self)
{
  gint64 pause_usec;

  if (self->n_failures++ == 0)
    return;
  pause_usec = self->pool->options.back_off_usec << MIN (self->n_failures - 2, 20);
  _nebula_host_drop_source (&self->restart);
  self->restart = _nebula_host_pool_add_timer (
      self->pool, MIN (pause_usec, BACK_OFF_MOST_USEC), restart, self);
}

static void
note_crash (NebulaHostGroup *self, const char *reason)
{
  const char *file = self->pool->options.quarantine_file;
  const char *id = nebula_module_info_get_id (self->module);

  g_debug ("The host of the module “%s” %s", id, reason);
  if (self->hash == NULL)
    self->hash = _nebula_host_hash_file (self->module);
  if (self->hash == NULL ||
      !_nebula_quarantine_add_crash (file, self->hash, id, reason, g_get_real_time ()))
    return;
  self->verdict = nebula_quarantine_look_up (file, self->hash);
  if (self->verdict == NULL) /* the file cannot be written: it holds for this process */
    self->verdict = g_strdup (reason);
}

/* What has surely not begun waits again, and what may be repeated, but not for ever. */
static gboolean
waits_again (NebulaHostCall *call)
{
  if (call->kill != NULL)
    return FALSE;
  if (_nebula_host_work_is_free (call->invocation, call->info))
    return call->n_repeats++ < REPEATS_MOST;
  return call->state != NEBULA_HOST_CALL_BEGUN;
}

static void
give_back_call (NebulaHostGroup *self, NebulaHostCall *call, const char *reason)
{
  if (waits_again (call)) {
    call->process = NULL;
    call->state = NEBULA_HOST_CALL_WAITING;
    g_queue_push_head (&self->waiting, call);
  } else if (call->kill != NULL && call->state == NEBULA_HOST_CALL_SENT &&
             !_nebula_host_work_is_free (call->invocation, call->info)) {
    answer_cancelled (call);
  } else {
    answer_unknown (call, reason);
  }
}

static void
give_back_calls (NebulaHostGroup *self, NebulaHostProcess *process, const char *reason)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->pool->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((NebulaHostCall *) value)->process == process)
      g_ptr_array_add (calls, value);

  for (guint i = 0; i < calls->len; i++)
    give_back_call (self, calls->pdata[i], reason);
}

void
_nebula_host_group_lost (NebulaHostGroup *self,
                         NebulaHostProcess *process,
                         const char *reason)
{
  gboolean is_crash = process->fault != NULL
                          ? process->is_guilty
                          : !process->is_expected || process->n_calls > 0;

  if (is_crash)
    note_crash (self, reason);
  if (is_crash || process->fault != NULL)
    back_off (self);
  give_back_calls (self, process, reason);
  g_ptr_array_remove (self->processes, process);
  _nebula_host_group_dispatch (self);
}

/* ---- the pool */

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
  self->options = *options;
  self->options.program =
      options->program != NULL ? g_strdup (options->program) : nebula_module_find_host ();
  self->options.quarantine_file = options->quarantine_file != NULL
                                      ? g_strdup (options->quarantine_file)
                                      : nebula_quarantine_get_default_file ();
  self->context = g_main_context_ref_thread_default ();
  self->mailbox = nebula_mailbox_new (self->context, G_PRIORITY_DEFAULT, receive, self);
  self->groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, group_free);
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
      answer_cancelled (each);
    else
      answer_unknown (each, _ ("was stopped"));
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
      self, find_group (self, module, isolation, capabilities), info);
}
