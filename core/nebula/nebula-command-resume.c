/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution resume: runs what can run to its end, and prints one run object per line. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-retention.h"
#include "nebula-settings-private.h"
#include "nebula-sqlite-store.h"

#define AT_ONCE    256
#define PAGE       1000
#define POLL_USEC  (100 * 1000)
#define TRIES      5
#define QUIET_USEC (50 * 1000)

typedef struct {
  char *store;
  gboolean is_all;
  gboolean is_json;
  int at_once;
} ResumeOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXT (ResumeOptions, store, "store", 0, N_ ("The store"), N_ ("PATH")),
    NEBULA_OPTION_FLAG (ResumeOptions,
                        is_all,
                        "all",
                        'a',
                        N_ ("All that have not ended")),
    NEBULA_OPTION_FLAG (ResumeOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints run objects (it always does)")),
    NEBULA_OPTION_NUMBER (ResumeOptions,
                          at_once,
                          "at-once",
                          0,
                          N_ ("How many to watch at the same time (256)"),
                          N_ ("N")),
};

typedef struct {
  const ResumeOptions *options;
  const NebulaSettings *settings;
  GPtrArray *ids; /* to do; those that cannot go on just now come again */
  NebulaSession session;
  GPtrArray *jobs; /* NebulaFollower: those of the batch that are not told yet */
  gboolean is_interrupted;
  gboolean has_failed;
  gboolean has_stopped; /* one was cancelled or timed out */
  NebulaExit fault;     /* OK: none */
} Resume;

static void
resume_clear (Resume *self)
{
  g_clear_pointer (&self->jobs, g_ptr_array_unref);
  nebula_session_clear (&self->session);
  nebula_drain_context ();
  g_clear_pointer (&self->ids, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Resume, resume_clear)

static void
follower_free (gpointer data)
{
  nebula_follower_unref (data);
}

static void
tell_error (Resume *self, const char *id, const GError *error)
{
  g_autofree char *message = g_utf8_make_valid (error->message, -1);

  nebula_complain ("%s: %s", id, message);
  self->fault = MAX (self->fault, nebula_exit_from_error (error));
}

static void
tell_report (Resume *self, NebulaValue *report)
{
  NebulaExecutionStatus status = NEBULA_EXECUTION_STATUS_RUNNING;

  nebula_execution_status_from_string (
      nebula_value_get_member_string (report, "status", ""), &status);
  self->has_failed |= status == NEBULA_EXECUTION_STATUS_FAILED;
  self->has_stopped |= status == NEBULA_EXECUTION_STATUS_CANCELLED ||
                       status == NEBULA_EXECUTION_STATUS_TIMED_OUT;
  nebula_output_value (report, FALSE);
}

static void
tell_job (Resume *self, NebulaFollower *job)
{
  g_autoptr (GError) error = NULL;
  NebulaExecution *execution = nebula_follower_get_execution (job);
  g_autoptr (NebulaValue) report = nebula_execution_get_report (execution, &error);

  if (report)
    tell_report (self, report);
  else
    tell_error (self, nebula_execution_get_id (execution), error);
}

static void
resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  nebula_execution_resume_finish (NEBULA_EXECUTION (source), result,
                                  NULL); /* it may have ended already */
}

static void
add_job (Resume *self, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaExecution) execution =
      nebula_engine_get_execution (self->session.engine, id, &error);

  if (!execution) {
    tell_error (self, id, error);
    return;
  }
  nebula_execution_resume_async (execution, NULL, resumed, NULL);
  g_ptr_array_add (self->jobs, nebula_follower_new (execution));
}

/* Whether none can go on. What waits for a place goes on when another one has ended and the store has heard of it. */
static gboolean
is_standstill (Resume *self)
{
  for (guint i = 0; i < self->jobs->len; i++) {
    NebulaFollower *job = self->jobs->pdata[i];

    if (nebula_follower_is_over (job, NULL) || !nebula_follower_is_stuck (job))
      return FALSE;
  }
  if (g_main_context_pending (NULL))
    return FALSE;
  g_usleep (QUIET_USEC);
  return !g_main_context_pending (NULL);
}

/* Tells those that have ended. If nothing else is to be done, those that cannot go on are told or, since one of
 * another batch may have what they wait for, come again. */
static void
tell_jobs (Resume *self, gboolean is_last)
{
  gboolean is_idle = is_standstill (self);

  for (guint i = 0; i < self->jobs->len;) {
    NebulaFollower *job = self->jobs->pdata[i];

    if (!nebula_follower_is_over (job, NULL) &&
        !(is_idle && nebula_follower_is_stuck (job))) {
      i++;
      continue;
    }
    if (is_last || nebula_follower_is_over (job, NULL))
      tell_job (self, job);
    else
      g_ptr_array_add (self->ids, g_strdup (nebula_execution_get_id (
                                      nebula_follower_get_execution (job))));
    g_ptr_array_remove_index (self->jobs, i);
  }
}

static guint
get_at_once (Resume *self)
{
  return self->options->at_once > 0 ? (guint) self->options->at_once : AT_ONCE;
}

static void
run_batch (Resume *self, GPtrArray *ids, guint first, gboolean is_last)
{
  for (guint i = first; i < MIN (first + get_at_once (self), ids->len); i++)
    add_job (self, ids->pdata[i]);
  while (self->jobs->len > 0 && !self->is_interrupted) {
    tell_jobs (self, is_last);
    if (self->jobs->len > 0)
      g_main_context_iteration (NULL, TRUE);
  }
  g_ptr_array_set_size (self->jobs, 0);
}

/* The last pass is the one after a pass in which none ended. */
static void
run_passes (Resume *self)
{
  gboolean is_last = self->ids->len <= get_at_once (self);

  while (self->ids->len > 0 && !self->is_interrupted) {
    g_autoptr (GPtrArray) ids = g_steal_pointer (&self->ids);

    self->ids = g_ptr_array_new_with_free_func (g_free);
    for (guint i = 0; i < ids->len && !self->is_interrupted; i += get_at_once (self))
      run_batch (self, ids, i, is_last);
    is_last = self->ids->len == ids->len;
  }
}

static void
interrupt (gpointer user_data)
{
  Resume *self = user_data;

  self->is_interrupted = TRUE;
  nebula_note (
      "%s", _ ("Stopping; what is not done can be resumed again. (once more to kill)"));
}

/* Pages through what has not ended. */
static gboolean
find_open (Resume *self, NebulaStore *store, GError **error)
{
  g_autofree char *after = NULL;
  NebulaHeaderQuery query = {.kind = NEBULA_STREAM_KIND_EXECUTION, .limit = PAGE};
  guint n_page;

  query.status_mask = (1u << NEBULA_EXECUTION_STATUS_COMPLETED) - 1;
  do {
    g_autoptr (GPtrArray) headers = NULL;

    query.after = after;
    headers = nebula_store_list_headers (store, &query, error);
    if (!headers)
      return FALSE;
    n_page = headers->len;
    for (guint i = 0; i < n_page; i++)
      g_ptr_array_add (self->ids,
                       g_strdup (((NebulaHeader *) headers->pdata[i])->stream));
    if (n_page > 0) {
      g_free (after);
      after = g_strdup (self->ids->pdata[self->ids->len - 1]);
    }
  } while (n_page == PAGE);
  return TRUE;
}

static gboolean
run_here (Resume *self, GError **error)
{
  if (self->options->is_all && self->ids->len == 0 &&
      (!find_open (self, self->session.store, error) ||
       nebula_engine_recover (self->session.engine, error) < 0))
    return FALSE;
  nebula_interrupts_watch (interrupt, self);
  run_passes (self);
  nebula_interrupts_unwatch ();
  return TRUE;
}

static NebulaValue *
ask (Resume *self, const char *op, const char *id, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) request = NULL;

  nebula_value_builder_set_string (builder, "op", op);
  nebula_value_builder_set_string (builder, "execution", id);
  request = nebula_value_builder_end (builder);
  return nebula_control_ask (self->options->store, request, error);
}

static gboolean
is_at_rest (NebulaValue *report)
{
  NebulaExecutionStatus status = NEBULA_EXECUTION_STATUS_RUNNING;

  nebula_execution_status_from_string (
      nebula_value_get_member_string (report, "status", ""), &status);
  return nebula_execution_status_is_terminal (status) ||
         status == NEBULA_EXECUTION_STATUS_SUSPENDED ||
         status == NEBULA_EXECUTION_STATUS_PAUSED;
}

/* Follows one that the owner runs. FALSE: the owner went away. */
static gboolean
follow (Resume *self, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) answer = ask (self, "resume", id, &error);

  if (!answer && !g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT)) {
    if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE))
      return FALSE;
    tell_error (self, id, error);
    return TRUE;
  }
  for (;;) {
    g_autoptr (NebulaValue) report = ask (self, "show", id, NULL);

    if (!report)
      return FALSE;
    if (is_at_rest (report)) {
      tell_report (self, report);
      return TRUE;
    }
    g_usleep (POLL_USEC);
  }
}

static gboolean
find_open_of_owner (Resume *self, GError **error)
{
  g_autoptr (NebulaStore) store = nebula_sqlite_store_open (
      self->options->store, NEBULA_SQLITE_STORE_FLAGS_READ_ONLY, error);

  return store && find_open (self, store, error);
}

/* Asks the owner for one after the other; what is done leaves the list. FALSE: the owner went away. */
static gboolean
run_there (Resume *self, GError **error)
{
  if (self->options->is_all && self->ids->len == 0 && !find_open_of_owner (self, error))
    return FALSE;
  while (self->ids->len > 0) {
    if (!follow (self, self->ids->pdata[0]))
      return FALSE;
    g_ptr_array_remove_index (self->ids, 0);
  }
  return TRUE;
}

static gboolean
resume (Resume *self, GError **error)
{
  for (guint i = 0;; i++) {
    g_autoptr (GError) local_error = NULL;

    nebula_session_clear (&self->session);
    if (nebula_session_open (&self->session, self->options->store, NEBULA_SESSION_OWN,
                             &local_error)) {
      nebula_engine_set_retention (self->session.engine, self->settings->retention_usec,
                                   self->settings->retention_failed_usec,
                                   self->settings->retention_keep);
      return run_here (self, error);
    }
    if (g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY) &&
        i < TRIES) {
      if (run_there (self, error))
        return TRUE;
      if (error && *error)
        return FALSE;
      g_usleep (POLL_USEC);
      continue;
    }
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
}

static gboolean
check_arguments (const ResumeOptions *opts, char **arguments, GError **error)
{
  if (opts->is_all == (arguments[0] != NULL)) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("Say which executions to resume: an id, or --all."));
    return FALSE;
  }
  return nebula_store_check (opts->store, error);
}

static int
command_resume (gpointer data, char **arguments)
{
  g_auto (Resume) self = {.options = data};
  g_auto (NebulaSettings) settings = {0};
  ResumeOptions *opts = data;
  g_autoptr (GError) error = NULL;

  self.settings = &settings;
  self.ids = g_ptr_array_new_with_free_func (g_free);
  self.jobs = g_ptr_array_new_with_free_func (follower_free);
  for (guint i = 0; arguments[i]; i++)
    g_ptr_array_add (self.ids, g_strdup (arguments[i]));
  if (!nebula_settings_load (&settings, NULL, &error))
    return nebula_fail (error, FALSE);
  if (!opts->store)
    opts->store = g_steal_pointer (&settings.store);
  if (!check_arguments (self.options, arguments, &error) || !resume (&self, &error))
    return nebula_fail (error, FALSE);
  if (self.fault != NEBULA_EXIT_OK)
    return (int) self.fault;
  if (self.has_failed)
    return NEBULA_EXIT_FAILED;
  return self.has_stopped || self.is_interrupted ? NEBULA_EXIT_CANCELLED : NEBULA_EXIT_OK;
}

const NebulaCommand nebula_command_execution_resume = {
    .name = "execution resume",
    .summary = N_ ("Goes on with executions after a crash or a pause"),
    .arguments = N_ ("[ID…]"),
    .max_arguments = G_MAXUINT,
    .details = N_ (
        "Runs each to its end, or until it waits for a signal, and prints one run object per line. The store\n"
        "has all that is needed, the workflow too. Ctrl-C stops without cancelling.\n"
        "\n"
        "Exit: 0 done, 1 some failed, 3 some were cancelled, timed out or are not done, 4 store.\n"
        "\n"
        "Examples:\n"
        "  nebula execution resume exe_… --store orders.db\n"
        "  nebula execution resume --all --store orders.db"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (ResumeOptions),
    .run = command_resume,
};
