/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call goes through these steps; further calls with its key join it.
 *
 *   read    the record, off the loop
 *   begin   the record “it runs” is committed, then the work starts
 *   end     the outcome is committed, then all are answered
 *
 * A failure that may be tried again is not kept: the key is free again.
 */
#include "nebula-idempotency.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-error-chain.h"
#include "nebula-error.h"
#include "nebula-executor.h"
#include "nebula-idempotency-internal.h"

/**
 * NebulaIdempotency:
 *
 * Runs work once for each key, also if the process ends meanwhile. The outcome is stored before anybody is answered.
 *
 * Thread: owner context.
 *
 * Since: 1.0
 */
struct _NebulaIdempotency {
  GObject parent_instance;

  NebulaJournal *journal; /* NULL: it was stopped */
  NebulaClock *clock;
  GMainContext *context;
  char *run;         /* names this process */
  GHashTable *calls; /* key → Call that is not over (borrowed: it holds itself) */
};

G_DEFINE_FINAL_TYPE (NebulaIdempotency, nebula_idempotency, G_TYPE_OBJECT)

typedef struct {
  grefcount count;
  NebulaIdempotency *owner; /* held */
  char *key;
  char *fingerprint;
  gint64 ttl_usec;
  NebulaIdempotencyConflict conflict;
  NebulaIdempotencyWork work;
  gpointer work_data;
  GDestroyNotify work_destroy;
  NebulaIdempotencyRecord *record; /* as it will be, or was found */
  GPtrArray *tasks;                /* GTask: who wants the outcome; the first began the call */
  gboolean is_replayed;
  /* What the reader brings. */
  NebulaStore *store;
  NebulaIdempotencyRecord *found;
  GError *error;
} Call;

static void
call_unref (gpointer data)
{
  Call *self = data;

  if (!g_ref_count_dec (&self->count))
    return;
  if (self->work_destroy)
    self->work_destroy (self->work_data);
  g_clear_pointer (&self->record, _nebula_idempotency_record_free);
  g_clear_pointer (&self->found, _nebula_idempotency_record_free);
  g_clear_error (&self->error);
  g_clear_object (&self->store);
  g_ptr_array_unref (self->tasks);
  g_object_unref (self->owner);
  g_free (self->key);
  g_free (self->fingerprint);
  g_free (self);
}

static void
nebula_idempotency_finalize (GObject *object)
{
  NebulaIdempotency *self = NEBULA_IDEMPOTENCY (object);

  g_hash_table_unref (self->calls);
  g_clear_object (&self->clock);
  g_main_context_unref (self->context);
  g_free (self->run);
  G_OBJECT_CLASS (nebula_idempotency_parent_class)->finalize (object);
}

static void
nebula_idempotency_class_init (NebulaIdempotencyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_idempotency_finalize;
}

static void
nebula_idempotency_init (NebulaIdempotency *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->calls = g_hash_table_new (g_str_hash, g_str_equal);
}

NebulaIdempotency *
_nebula_idempotency_new (NebulaJournal *journal, NebulaClock *clock)
{
  NebulaIdempotency *self = g_object_new (NEBULA_TYPE_IDEMPOTENCY, NULL);

  self->journal = journal;
  self->clock = g_object_ref (clock);
  self->run = g_strdup_printf ("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                               nebula_clock_get_random (clock), (guint64) g_get_monotonic_time ());
  return self;
}

/* A stored failure: {code, message}. What is stored is final, so its class is that of its code. */
static NebulaValue *
make_failure (const GError *error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *message = g_utf8_make_valid (error->message, -1);

  nebula_value_builder_set_string (builder, "code", nebula_error_get_code (error));
  nebula_value_builder_set_string (builder, "message", message);
  return nebula_value_builder_end (builder);
}

static GError *
make_error (NebulaValue *failure)
{
  NebulaError code = NEBULA_ERROR_FAILED;

  nebula_error_code_from_string (nebula_value_get_member_string (failure, "code", "failed"), &code);
  return g_error_new_literal (NEBULA_ERROR, (gint) code,
                              nebula_value_get_member_string (failure, "message", ""));
}

static void
return_outcome (GTask *task, const NebulaIdempotencyRecord *record)
{
  if (record->failure)
    g_task_return_error (task, make_error (record->failure));
  else
    g_task_return_pointer (task, nebula_value_ref (record->value), (GDestroyNotify) nebula_value_unref);
}

/* Answers all, once. @error: instead of the record's outcome; taken. */
static void
finish (Call *call, GError *error)
{
  g_autoptr (GPtrArray) tasks = g_steal_pointer (&call->tasks);
  g_autoptr (GError) given = error;

  call->tasks = g_ptr_array_new_with_free_func (g_object_unref);
  g_hash_table_remove (call->owner->calls, call->key);
  for (guint i = 0; i < tasks->len; i++) {
    GTask *task = g_ptr_array_index (tasks, i);

    /* Only the first one of a call that ran itself has new news. */
    g_task_set_task_data (task, GUINT_TO_POINTER (call->is_replayed || i > 0), NULL);
    if (given)
      g_task_return_error (task, g_error_copy (given));
    else
      return_outcome (task, call->record);
  }
}

typedef void (*Committed) (Call *call);

typedef struct {
  Call *call; /* held */
  Committed next;
} Commit;

static void
on_committed (const NebulaUnit *unit, NebulaOutcome outcome, const GError *error, gpointer data)
{
  g_autofree Commit *commit = data;
  Call *call = commit->call;

  if (outcome == NEBULA_OUTCOME_COMMITTED)
    commit->next (call);
  else
    finish (call, error ? g_error_copy (error)
                        : g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_STORE,
                                               _ ("The store refused the record of an idempotency key.")));
  call_unref (call);
}

/* @is_removal: the key is free again. */
static void
commit_record (Call *call, gboolean is_removal, Committed next)
{
  g_autofree char *stream = g_strconcat ("idempotency/", call->key, NULL);
  NebulaUnit *unit = NULL;
  Commit *commit = NULL;

  if (!call->owner->journal) {
    finish (call, g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                                       _ ("The engine has been stopped.")));
    return;
  }
  unit = nebula_unit_new (stream, 0);
  if (is_removal)
    nebula_unit_add_document (unit, NEBULA_IDEMPOTENCY_COLLECTION, call->key, NULL, 0);
  else
    _nebula_idempotency_record_add (call->record, call->key, unit);
  unit->strict = TRUE;
  commit = g_new (Commit, 1);
  commit->call = call;
  commit->next = next;
  g_ref_count_inc (&call->count);
  nebula_journal_submit (call->owner->journal, unit, on_committed, commit);
}

static void
outcome_committed (Call *call)
{
  finish (call, NULL);
}

static void
removal_committed (Call *call)
{
  finish (call, g_steal_pointer (&call->error));
}

/* The record was written once by this call: whoever owns the store is the only one who writes it. */
static void
on_worked (GObject *source, GAsyncResult *result, gpointer data)
{
  Call *call = data;
  NebulaIdempotencyRecord *record = call->record;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) value = g_task_propagate_pointer (G_TASK (result), &error);
  gboolean may_repeat = FALSE;

  if (!value && !error)
    error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_ACTION_CONTRACT,
                                 _ ("The work returned neither a value nor an error."));
  g_clear_pointer (&record->run, g_free);
  record->value = g_steal_pointer (&value);
  if (error) {
    record->failure = make_failure (error);
    may_repeat = nebula_error_get_retry_class (error) != NEBULA_RETRY_CLASS_TERMINAL;
    call->error = g_error_copy (error);
  }
  record->expires_usec = nebula_clock_get_real_usec (call->owner->clock) + call->ttl_usec;
  commit_record (call, may_repeat, may_repeat ? removal_committed : outcome_committed);
  call_unref (call);
}

static void
work_begins (Call *call)
{
  g_autoptr (GTask) task = NULL;

  g_ref_count_inc (&call->count);
  task = g_task_new (NULL, NULL, on_worked, call);
  g_task_set_source_tag (task, work_begins);
  call->record->revision = -1;
  call->work (task, call->record->attempt, call->work_data);
}

static GError *
make_conflict (void)
{
  return g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                              _ ("This idempotency key was used with another content. Take a new key."));
}

static GError *
make_running (void)
{
  GError *error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                                       _ ("The call with this idempotency key still runs. Ask again later."));

  nebula_error_set_retry_after_ms (error, 1000);
  return error;
}

static GError *
make_exists (void)
{
  return g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_EXISTS,
                              _ ("A call with this idempotency key was made before."));
}

/* What was read decides: an outcome, a mistake, or the work. */
static void
decide (Call *call)
{
  NebulaIdempotencyRecord *found = call->found;
  gint64 now_usec = nebula_clock_get_real_usec (call->owner->clock);
  gboolean is_alive = found && found->expires_usec > now_usec;

  g_clear_object (&call->store); /* work may outlive the engine, and must not hold its store */
  if (call->error) {
    finish (call, g_steal_pointer (&call->error));
    return;
  }
  if (is_alive && !g_str_equal (found->fingerprint, call->fingerprint)) {
    finish (call, make_conflict ());
    return;
  }
  if (is_alive && (found->value || found->failure)) {
    call->is_replayed = TRUE;
    call->record = g_steal_pointer (&call->found);
    finish (call, call->conflict == NEBULA_IDEMPOTENCY_CONFLICT_REJECT ? make_exists () : NULL);
    return;
  }
  call->record = _nebula_idempotency_record_new (call->fingerprint, now_usec + call->ttl_usec);
  call->record->run = g_strdup (call->owner->run);
  call->record->revision = found ? found->revision : 0;
  call->record->attempt = is_alive ? found->attempt + 1 : 1;
  commit_record (call, FALSE, work_begins);
}

static gboolean
on_read (gpointer data)
{
  decide (data);
  return G_SOURCE_REMOVE;
}

/* In a thread of the executor. */
static void
read_record (gpointer data)
{
  Call *call = data;
  g_autoptr (GSource) source = g_idle_source_new ();

  _nebula_idempotency_record_read (call->store, call->key, &call->found, &call->error);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_read, call, call_unref);
  g_source_attach (source, call->owner->context);
}

static gboolean
read_options (Call *call, NebulaValue *options, GError **error)
{
  static const char *const conflicts[] = {"return", "wait", "reject"};
  const char *ttl = options ? nebula_value_get_member_string (options, "ttl", NULL) : NULL;
  const char *conflict
      = options ? nebula_value_get_member_string (options, "conflict", "wait") : "wait";

  call->ttl_usec = NEBULA_IDEMPOTENCY_TTL_USEC;
  if (ttl && !nebula_duration_parse (ttl, &call->ttl_usec, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (conflicts); i++) {
    if (strcmp (conflict, conflicts[i]) != 0)
      continue;
    call->conflict = (NebulaIdempotencyConflict) i;
    return TRUE;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no answer to a conflict. Use return, wait or reject."), conflict);
  return FALSE;
}

/* A call with this key is under way already. */
static void
join (Call *running, Call *call, GTask *task)
{
  if (!g_str_equal (running->fingerprint, call->fingerprint))
    g_task_return_error (task, make_conflict ());
  else if (call->conflict == NEBULA_IDEMPOTENCY_CONFLICT_REJECT)
    g_task_return_error (task, make_exists ());
  else if (call->conflict == NEBULA_IDEMPOTENCY_CONFLICT_RETURN)
    g_task_return_error (task, make_running ());
  else
    g_ptr_array_add (running->tasks, g_object_ref (task));
}

/**
 * nebula_idempotency_run_async:
 * @self: the table of keys
 * @key: a key, as nebula_idempotency_make_key() makes it
 * @fingerprint: what tells another content under the same key
 * @options: (nullable): {ttl, conflict}: how long an outcome is kept (`24h`), and what a second call gets: `return`, `wait`
 *   (the default) or `reject`
 * @work: (scope notified) (closure work_data) (destroy work_destroy): does what shall be done once
 * @work_data: data for @work
 * @work_destroy: (nullable): frees @work_data
 * @callback: (scope async) (closure user_data): called once, in the context this was called from
 * @user_data: data for @callback
 *
 * Does something once. Further calls with the key get the outcome of the first one, also later and in another process. If a
 * process ends while the work runs, the next call does it again, with the next number of attempt.
 *
 * Errors: that of the work; %NEBULA_ERROR_CONFLICT (terminal): another content; %NEBULA_ERROR_EXISTS (terminal): rejected;
 * %NEBULA_ERROR_UNAVAILABLE (retry): the first call runs; errors of the store.
 *
 * Since: 1.0
 */
void
nebula_idempotency_run_async (NebulaIdempotency *self,
                              const char *key,
                              const char *fingerprint,
                              NebulaValue *options,
                              NebulaIdempotencyWork work,
                              gpointer work_data,
                              GDestroyNotify work_destroy,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  Call *call = NULL, *running = NULL;

  g_return_if_fail (NEBULA_IS_IDEMPOTENCY (self));
  g_return_if_fail (key != NULL && fingerprint != NULL && work != NULL);

  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, nebula_idempotency_run_async);
  call = g_new0 (Call, 1);
  g_ref_count_init (&call->count);
  call->owner = g_object_ref (self);
  call->key = g_strdup (key);
  call->fingerprint = g_strdup (fingerprint);
  call->work = work;
  call->work_data = work_data;
  call->work_destroy = work_destroy;
  call->tasks = g_ptr_array_new_with_free_func (g_object_unref);
  running = g_hash_table_lookup (self->calls, key);
  if (!read_options (call, options, &error)) {
    g_task_return_error (task, g_steal_pointer (&error));
    call_unref (call);
  } else if (!self->journal) {
    g_task_return_new_error (task, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE, "%s",
                             _ ("The engine has been stopped."));
    call_unref (call);
  } else if (running) {
    join (running, call, task);
    call_unref (call);
  } else {
    g_ptr_array_add (call->tasks, g_object_ref (task));
    g_hash_table_insert (self->calls, call->key, call);
    call->store = g_object_ref (nebula_journal_get_store (self->journal));
    nebula_executor_push (nebula_executor_get_default (), read_record, call);
  }
}

/**
 * nebula_idempotency_run_finish:
 * @self: the table of keys
 * @result: what the callback got
 * @ret_is_replayed: (out) (optional): whether the outcome is that of another call
 * @error: where to put an error
 *
 * Ends nebula_idempotency_run_async().
 *
 * Returns: (transfer full): the value that the work returned
 *
 * Since: 1.0
 */
NebulaValue *
nebula_idempotency_run_finish (NebulaIdempotency *self,
                               GAsyncResult *result,
                               gboolean *ret_is_replayed,
                               GError **error)
{
  g_return_val_if_fail (NEBULA_IS_IDEMPOTENCY (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  if (ret_is_replayed)
    *ret_is_replayed = GPOINTER_TO_UINT (g_task_get_task_data (G_TASK (result))) != 0;
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * nebula_idempotency_return:
 * @task: what the work was given
 * @value: its result
 *
 * Ends the work with a value.
 *
 * Since: 1.0
 */
void
nebula_idempotency_return (GTask *task, NebulaValue *value)
{
  g_return_if_fail (G_IS_TASK (task));
  g_return_if_fail (value != NULL);

  g_task_return_pointer (task, nebula_value_ref (value), (GDestroyNotify) nebula_value_unref);
}

void
_nebula_idempotency_stop (NebulaIdempotency *self)
{
  self->journal = NULL;
}
