/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All hosts of one module: which one gets what waits, when another one is started, and what follows when one dies. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-host-pool-private.h"
#include "nebula-module-internal.h"

#define NATIVE_CREDITS                                                                   \
  16 /* what one host of a native module is worth when it is started for what waits */
#define BACK_OFF_MOST_USEC (30 * (gint64) G_USEC_PER_SEC)
#define REPEATS_MOST       2 /* of a call that may be repeated */

void
_nebula_host_group_free (gpointer data)
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

NebulaHostGroup *
_nebula_host_group_find (NebulaHostPool *self,
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
    _nebula_host_call_fail (call, own);
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
  _nebula_host_call_fail (call, error);
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
  _nebula_host_pool_sweep_later (pool);
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
    _nebula_host_call_answer_cancelled (call);
  } else {
    _nebula_host_call_answer_unknown (call, reason);
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
