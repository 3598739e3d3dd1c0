/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula run: one workflow, from its file to its result. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-command-private.h"
#include "nebula-duration.h"
#include "nebula-output-private.h"
#include "nebula-progress-private.h"
#include "nebula-publishing-private.h"
#include "nebula-reading-private.h"
#include "nebula-revisions.h"
#include "nebula-retention.h"
#include "nebula-session-private.h"
#include "nebula-settings-private.h"

typedef struct {
  char *input;
  char **settings;
  char *store;
  char *durability;
  char *timeout;
  char *delay;
  char *at;
  char *key;
  char *revision;
  char **pins;
  char **mocks;
  char **breaks;
  char *tenant;
  gboolean is_json;
  gboolean is_quiet;
} RunOptions;

static const NebulaOption options[] = {
    NEBULA_OPTION_TEXT (RunOptions,
                        input,
                        "input",
                        'i',
                        N_ ("The workflow's input; @- reads stdin"),
                        N_ ("JSON|@FILE")),
    NEBULA_OPTION_TEXTS (RunOptions,
                         settings,
                         "set",
                         's',
                         N_ ("Sets one value of the input; VALUE is JSON, else text"),
                         N_ ("KEY=VALUE")),
    NEBULA_OPTION_TEXT (RunOptions,
                        store,
                        "store",
                        0,
                        N_ ("Where the run is kept, so that it survives a crash"),
                        N_ ("PATH|:memory:")),
    NEBULA_OPTION_TEXT (RunOptions,
                        durability,
                        "durability",
                        0,
                        N_ ("When facts are synced to disk"),
                        "strict|relaxed|memory"),
    NEBULA_OPTION_FLAG (RunOptions,
                        is_json,
                        "json",
                        0,
                        N_ ("Prints one object with the run and all its nodes")),
    NEBULA_OPTION_TEXT (RunOptions,
                        timeout,
                        "timeout",
                        0,
                        N_ ("Ends the run after this time, such as 30s or 5m"),
                        N_ ("DURATION")),
    NEBULA_OPTION_TEXT (RunOptions,
                        delay,
                        "delay",
                        0,
                        N_ ("Begins after this time, such as 5m; until then it waits in the store"),
                        N_ ("DURATION")),
    NEBULA_OPTION_TEXT (RunOptions,
                        at,
                        "at",
                        0,
                        N_ ("Begins at this time, such as 2030-12-01T08:00Z"),
                        N_ ("TIME")),
    NEBULA_OPTION_TEXT (RunOptions,
                        key,
                        "idempotency-key",
                        0,
                        N_ ("Runs once for each key; again it shows what became of that run"),
                        N_ ("KEY")),
    NEBULA_OPTION_TEXT (RunOptions,
                        revision,
                        "revision",
                        'r',
                        N_ ("Of a workflow in the store: a number or a label"),
                        N_ ("N|LABEL")),
    NEBULA_OPTION_TEXT (RunOptions,
                        tenant,
                        "tenant",
                        0,
                        N_ ("Whose run it is: its settings hold, and its keys and queues are its own"),
                        N_ ("NAME")),
    NEBULA_OPTION_TEXTS (RunOptions,
                         pins,
                         "pin",
                         0,
                         N_ ("The node does not run and gives this; VALUE is JSON, else text"),
                         N_ ("NODE=VALUE")),
    NEBULA_OPTION_TEXTS (RunOptions,
                         mocks,
                         "mock",
                         0,
                         N_ ("As --pin, and the run object calls it a mock"),
                         N_ ("NODE=VALUE")),
    NEBULA_OPTION_TEXTS (RunOptions,
                         breaks,
                         "break",
                         0,
                         N_ ("Pauses before this node, if the expression holds"),
                         N_ ("NODE[=EXPRESSION]")),
    NEBULA_OPTION_FLAG (RunOptions, is_quiet, "quiet", 'q', N_ ("Shows no progress")),
};

typedef struct {
  const RunOptions *options;
  const char *file;
  NebulaSettings settings;
  const char *store; /* of the options, else of the settings */
  NebulaSession session;
  GPtrArray *diagnostics;
  NebulaValue *input;
  NebulaWorkflow *workflow;
  gint64 revision; /* 0: it was read from a file */
  NebulaExecution *execution;
  GCancellable *lost; /* cancelled when the store fails for good */
  gboolean is_sealed;
} Run;

static void
run_clear (Run *self)
{
  g_clear_object (&self->execution);
  nebula_session_clear (&self->session);
  g_clear_object (&self->workflow);
  g_clear_pointer (&self->input, nebula_value_unref);
  g_clear_pointer (&self->diagnostics, g_ptr_array_unref);
  g_clear_object (&self->lost);
  nebula_settings_clear (&self->settings);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* {status: "invalid", diagnostics}: neither the file nor the input can be run. */
static int
fail_invalid (Run *self, const GError *error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;
  gboolean is_workflow =
      error->domain == NEBULA_ERROR && error->code == NEBULA_ERROR_INVALID_WORKFLOW;

  nebula_note_diagnostics (self->diagnostics);
  nebula_diagnostics_add_error (self->diagnostics, self->file, error);
  if (!is_workflow || self->diagnostics->len == 0)
    nebula_complain_error (error);
  if (self->options->is_json) {
    nebula_value_builder_set_string (builder, "status", "invalid");
    nebula_value_builder_set_take (builder, "diagnostics",
                                   nebula_diagnostics_to_value (self->diagnostics));
    value = nebula_value_builder_end (builder);
    nebula_output_value (value, FALSE);
  }
  return NEBULA_EXIT_USAGE;
}

static gboolean
read_input (Run *self, GError **error)
{
  const RunOptions *opts = self->options;
  g_autoptr (NebulaValue) input = NULL;

  if (opts->input)
    input = nebula_read_argument (opts->input, "input", error);
  else
    input = nebula_value_new_empty_object ();
  if (input)
    self->input = nebula_read_settings (input, opts->settings, error);
  return self->input != NULL;
}

static gboolean
check_durability (const char *text, GError **error)
{
  if (!text || g_str_equal (text, "strict") || g_str_equal (text, "relaxed") ||
      g_str_equal (text, "memory"))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no durability level. Use strict, relaxed or memory."), text);
  return FALSE;
}

/* All mistakes at once, those that only compiling finds too. */
static void
list_mistakes (Run *self)
{
  g_autoptr (GBytes) bytes = nebula_read_file (self->file, NULL);
  g_autoptr (GPtrArray) all = nebula_diagnostics_new ();

  if (!bytes || g_str_equal (self->file, "-"))
    return;
  nebula_workflow_validate_bytes (
      bytes, self->file, NEBULA_ACTION_RESOLVER (self->session.registry), all, NULL);
  if (all->len == 0)
    return;
  g_ptr_array_unref (self->diagnostics);
  self->diagnostics = g_steal_pointer (&all);
}

/* Not a file: a workflow of the store, NAME or NAME@REVISION. */
static NebulaPlan *
find_deployed (Run *self, GError **error)
{
  g_autofree char *given = NULL;
  g_autofree char *name = nebula_publishing_split (self->file, &given);
  const char *which = self->options->revision ? self->options->revision : given;
  g_autoptr (NebulaValue) revision =
      nebula_engine_get_revision (self->session.engine, name, which, error);

  if (!revision)
    return NULL;
  self->workflow = nebula_workflow_new_from_value (
      nebula_value_get_member (revision, "definition"), self->diagnostics, error);
  return self->workflow ? nebula_engine_load_revision (self->session.engine, name, which,
                                                       &self->revision, error)
                        : NULL;
}

static gboolean
is_deployed (Run *self)
{
  gboolean is_path = strchr (self->file, '/') || g_str_equal (self->file, "-") ||
                     g_str_has_suffix (self->file, ".yaml") ||
                     g_str_has_suffix (self->file, ".yml") ||
                     g_str_has_suffix (self->file, ".json");

  return self->options->revision ||
         (!is_path && !nebula_store_is_memory (self->store) &&
          !g_file_test (self->file, G_FILE_TEST_EXISTS));
}

static NebulaPlan *
prepare (Run *self, GError **error)
{
  if (is_deployed (self))
    return find_deployed (self, error);
  self->workflow = nebula_read_workflow (self->file, self->diagnostics, error);
  if (!self->workflow) {
    if (self->diagnostics->len > 0)
      list_mistakes (self);
    return NULL;
  }
  return nebula_engine_deploy (self->session.engine, self->workflow, self->diagnostics,
                               error);
}

static void
cancelled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* Refused only if it has ended: then there is nothing left to stop. */
  nebula_execution_cancel_finish (NEBULA_EXECUTION (source), result, NULL);
}

static void
interrupt (gpointer user_data)
{
  Run *self = user_data;

  nebula_note ("%s", _ ("Cancelling… (once more to kill)"));
  nebula_execution_cancel_async (self->execution, "interrupted", NULL, cancelled, NULL);
}

static void
hear_fatal (NebulaEvent *event, gpointer user_data)
{
  Run *self = user_data;
  NebulaValue *data = nebula_event_get_data (event);

  self->is_sealed = TRUE;
  nebula_complain (
      _ ("The store failed for good: %s. Start again; the run goes on from its last safe state."),
      data ? nebula_value_get_member_string (data, "message", "?") : "?");
  g_cancellable_cancel (self->lost);
}

static void
tell_how_to_resume (Run *self)
{
  g_autofree char *path = NULL;

  if (nebula_store_is_memory (self->store))
    return;
  path = g_shell_quote (self->store);
  if (strspn (self->store,
              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+") ==
      strlen (self->store)) {
    g_free (path);
    path = g_strdup (self->store);
  }
  nebula_note (_ ("Resume with: nebula execution resume %s --store %s"),
               nebula_execution_get_id (self->execution), path);
}

/* The option; else what the workflow says (NULL here); else the setting. */
static const char *
get_durability (Run *self)
{
  NebulaValue *definition = nebula_workflow_get_definition (self->workflow);
  NebulaValue *settings = nebula_value_get_member (definition, "settings");
  gboolean is_named = settings &&
                      nebula_value_get_kind (settings) == NEBULA_VALUE_KIND_OBJECT &&
                      nebula_value_has_member (settings, "durability");

  if (self->options->durability)
    return self->options->durability;
  return is_named ? NULL : self->settings.durability;
}

static gboolean
set_assignments (NebulaValueBuilder *builder,
                 const char *key,
                 char **texts,
                 gboolean is_text,
                 GError **error)
{
  NebulaValue *value =
      texts ? nebula_read_assignments (texts, is_text, error) : NULL;

  if (value)
    nebula_value_builder_set_take (builder, key, value);
  return !texts || value;
}

static gboolean
start (Run *self, NebulaPlan *plan, GError **error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) choices = NULL;
  const char *durability = get_durability (self);
  const char *timeout =
      self->options->timeout ? self->options->timeout : self->settings.timeout;

  if (durability)
    nebula_value_builder_set_string (builder, "durability", durability);
  if (timeout)
    nebula_value_builder_set_string (builder, "timeout", timeout);
  if (self->options->delay)
    nebula_value_builder_set_string (builder, "delay", self->options->delay);
  if (self->options->at)
    nebula_value_builder_set_string (builder, "at", self->options->at);
  if (self->options->key)
    nebula_value_builder_set_string (builder, "idempotency-key", self->options->key);
  if (self->revision > 0)
    nebula_value_builder_set_integer (builder, "revision", self->revision);
  if (self->options->tenant)
    nebula_value_builder_set_string (builder, "tenant", self->options->tenant);
  if (!set_assignments (builder, "pins", self->options->pins, FALSE, error) ||
      !set_assignments (builder, "mocks", self->options->mocks, FALSE, error) ||
      !set_assignments (builder, "breakpoints", self->options->breaks, TRUE, error))
    return FALSE;
  choices = nebula_value_builder_end (builder);
  self->execution =
      nebula_engine_start (self->session.engine, plan, self->input, choices, error);
  return self->execution != NULL;
}

/* Who reads the id may rely on the run being there after a crash: it is told when its start is committed. */
static void
started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *self = user_data;

  if (nebula_execution_resume_finish (NEBULA_EXECUTION (source), result, NULL))
    tell_how_to_resume (self);
}

static gboolean
follow (Run *self, GError **error)
{
  NebulaEventBus *bus = nebula_engine_get_event_bus (self->session.engine);
  g_autoptr (NebulaProgress) progress = NULL;
  g_autoptr (NebulaSubscription) fatal =
      nebula_event_bus_subscribe (bus, "system.fatal", NULL, hear_fatal, self, NULL);
  gboolean is_over;

  nebula_execution_resume_async (self->execution, NULL, started, self);
  if (!self->options->is_quiet)
    progress = nebula_progress_new (self->session.engine, self->execution,
                                    nebula_workflow_get_definition (self->workflow));
  nebula_interrupts_watch (interrupt, self);
  /* Nobody can send a signal to a run in memory. */
  is_over = nebula_execution_run (self->execution, nebula_store_is_memory (self->store),
                                  self->lost, error);
  nebula_drain_context ();
  nebula_interrupts_unwatch ();
  nebula_subscription_cancel (fatal);
  if (progress)
    nebula_progress_finish (progress);
  return is_over;
}

static void
complain_end (NebulaValue *report)
{
  NebulaValue *failure = nebula_value_get_member (report, "error");
  const char *status = nebula_value_get_member_string (report, "status", "");
  gboolean is_object =
      failure && nebula_value_get_kind (failure) == NEBULA_VALUE_KIND_OBJECT;
  const char *message =
      is_object ? nebula_value_get_member_string (failure, "message", "") : "";
  const char *node =
      is_object ? nebula_value_get_member_string (failure, "node", NULL) : NULL;

  if (g_str_equal (status, "cancelled"))
    nebula_complain ("%s", _ ("The run was cancelled."));
  else if (g_str_equal (status, "timed-out"))
    nebula_complain ("%s", _ ("The run took too long and was stopped."));
  else if (g_str_equal (status, "suspended") || g_str_equal (status, "paused"))
    nebula_complain (
        "%s",
        _ ("The run waits for a signal, and nobody can send one to a run in memory. Use --store."));
  else if (node)
    nebula_complain (_ ("The run failed in “%s”: %s"), node, message);
  else
    nebula_complain (_ ("The run failed: %s"), message);
}

static int
tell_result (Run *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) report = nebula_execution_get_report (self->execution, &error);
  NebulaExecutionStatus status = nebula_execution_get_status (self->execution);

  if (!report)
    return nebula_fail (error, self->options->is_json);
  if (status != NEBULA_EXECUTION_STATUS_COMPLETED)
    complain_end (report);
  if (self->options->is_json)
    nebula_output_value (report, FALSE);
  else if (status == NEBULA_EXECUTION_STATUS_COMPLETED)
    nebula_output_result (nebula_value_get_member (report, "output"));
  return nebula_exit_from_status (status);
}

static gboolean
is_fault_of_environment (const GError *error)
{
  return nebula_exit_from_error (error) == NEBULA_EXIT_ENVIRONMENT ||
         nebula_exit_from_error (error) == NEBULA_EXIT_RESTART;
}

static int
command_run (gpointer data, char **arguments)
{
  g_auto (Run) self = {.options = data, .file = arguments[0]};
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaPlan) plan = NULL;

  self.diagnostics = nebula_diagnostics_new ();
  self.lost = g_cancellable_new ();
  if (!check_durability (self.options->durability, &error) || !read_input (&self, &error))
    return fail_invalid (&self, error);
  if (!nebula_settings_load (&self.settings, self.options->tenant, &error))
    return nebula_fail (error, self.options->is_json);
  self.store = self.options->store ? self.options->store : self.settings.store;
  if (!nebula_session_open (&self.session, self.store, NEBULA_SESSION_OWN, &error))
    return nebula_fail (error, self.options->is_json);
  nebula_engine_set_limits (self.session.engine, self.settings.max_nodes,
                            self.settings.max_connections);
  nebula_session_watch_memory (&self.session, self.settings.memory_limit);
  nebula_engine_set_retention (self.session.engine, self.settings.retention_usec,
                               self.settings.retention_failed_usec,
                               self.settings.retention_keep);
  plan = prepare (&self, &error);
  if (!plan)
    return is_fault_of_environment (error) && self.diagnostics->len == 0
               ? nebula_fail (error, self.options->is_json)
               : fail_invalid (&self, error);
  nebula_note_diagnostics (self.diagnostics);
  if (!start (&self, plan, &error))
    return is_fault_of_environment (error) ? nebula_fail (error, self.options->is_json)
                                           : fail_invalid (&self, error);
  if (follow (&self, &error))
    return tell_result (&self);
  if (self.is_sealed)
    return NEBULA_EXIT_RESTART;
  nebula_fail (error, self.options->is_json);
  return NEBULA_EXIT_ENVIRONMENT;
}

const NebulaCommand nebula_command_run = {
    .name = "run",
    .summary = N_ ("Runs a workflow and prints its result"),
    .arguments = N_ ("FILE|NAME"),
    .min_arguments = 1,
    .max_arguments = 1,
    .details = N_ (
        "Progress goes to stderr, the result to stdout. Ctrl-C cancels the run; a second one kills.\n"
        "NAME or NAME@REVISION is a workflow that was deployed into the store.\n"
        "\n"
        "What an option does not say is taken from the workflow, then from NEBULA_STORE_PATH,\n"
        "NEBULA_DURABILITY, NEBULA_RUN_TIMEOUT and the like, then from files (“nebula config list”).\n"
        "\n"
        "Exit: 0 completed, 1 failed, 2 usage or invalid workflow, 3 cancelled or timed out,\n"
        "4 store or environment, 75 start again (the store failed for good).\n"
        "\n"
        "Examples:\n"
        "  nebula run hello.yaml --input '{\"name\": \"Ada\"}'\n"
        "  nebula run hello.yaml --set name=Ada --set address.city=London\n"
        "  nebula run orders.yaml --input @orders.json --store orders.db --json\n"
        "  nebula run orders@live --store orders.db"),
    .options = options,
    .n_options = G_N_ELEMENTS (options),
    .options_size = sizeof (RunOptions),
    .run = command_run,
};
