/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <signal.h>
#include <sys/types.h>

#define MAX_OUTPUT_BYTES 1048576
#define LINGER_MS 1000 /* for outputs that outlive the program */

typedef struct
{
  NebulaAction parent_instance;

  char **command;
  NebulaValue *input;
  NebulaValue *env;
  char *directory;
  NebulaValue *accept_exit_codes;
  gint64 max_output;
  gboolean truncate;
  gint64 kill_after; /* microseconds */
} NebulaProcessRun;

typedef struct
{
  NebulaActionClass parent_class;
} NebulaProcessRunClass;

enum
{
  PROP_COMMAND = 1,
  PROP_STDIN,
  PROP_ENV,
  PROP_DIRECTORY,
  PROP_ACCEPT_EXIT_CODES,
  PROP_MAX_OUTPUT,
  PROP_TRUNCATE,
  PROP_KILL_AFTER,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_TYPE (NebulaProcessRun, nebula_process_run, NEBULA_TYPE_ACTION)

/* One program from its start to the answer. Lives until the program is gone and both captures are done. */
typedef struct
{
  NebulaProcessRun *action;
  NebulaInvocation *invocation;
  GMainContext *context;
  GSubprocess *process;
  pid_t group;                /* 0 if the program was gone before it could be asked for */
  GSource *cancel_source;
  GSource *timer;             /* to kill the group, or to give up the outputs */
  GCancellable *give_up;      /* of the outputs */
  NebulaProcessCapture out;
  NebulaProcessCapture err;
  gboolean has_exited;
  gboolean is_cancelled;
  gboolean is_stopping;       /* SIGTERM was sent */
} Run;

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
run_free (Run *run)
{
  drop_source (&run->cancel_source);
  drop_source (&run->timer);
  _nebula_process_capture_clear (&run->out);
  _nebula_process_capture_clear (&run->err);
  g_clear_object (&run->give_up);
  g_clear_object (&run->process);
  g_clear_pointer (&run->context, g_main_context_unref);
  g_object_unref (run->action);
  g_object_unref (run->invocation);
  g_free (run);
}

static void
start_timer (Run *run, guint ms, GSourceFunc function)
{
  drop_source (&run->timer);
  run->timer = g_timeout_source_new (ms);
  g_source_set_callback (run->timer, function, run, NULL);
  g_source_attach (run->timer, run->context);
}

/* The number 0 would mean our own group. */
static void
signal_group (Run *run, int number)
{
  if (run->group > 0)
    kill (-run->group, number);
}

static gboolean
kill_group (gpointer data)
{
  signal_group (data, SIGKILL);
  return G_SOURCE_REMOVE;
}

static void
stop (Run *run)
{
  if (run->is_stopping || run->has_exited)
    return;
  run->is_stopping = TRUE;
  signal_group (run, SIGTERM);
  start_timer (run, (guint) MIN (run->action->kill_after / 1000, G_MAXINT), kill_group);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  Run *run = data;

  run->is_cancelled = TRUE;
  stop (run);
  return G_SOURCE_REMOVE;
}

static gboolean
give_up_outputs (gpointer data)
{
  g_cancellable_cancel (((Run *) data)->give_up);
  return G_SOURCE_REMOVE;
}

/* As shells count: 128 and the signal. */
static gint64
get_exit_code (GSubprocess *process)
{
  if (g_subprocess_get_if_exited (process))
    return g_subprocess_get_exit_status (process);
  return 128 + g_subprocess_get_term_sig (process);
}

static gboolean
is_accepted (NebulaProcessRun *self, gint64 code)
{
  if (code == 0)
    return TRUE;
  for (gsize i = 0; self->accept_exit_codes != NULL && i < nebula_value_get_length (self->accept_exit_codes); i++) {
    NebulaValue *item = nebula_value_get_item (self->accept_exit_codes, i);

    if (nebula_value_get_kind (item) == NEBULA_VALUE_KIND_INTEGER && nebula_value_get_integer (item) == code)
      return TRUE;
  }
  return FALSE;
}

static NebulaValue *
make_result (Run *run, gint64 code)
{
  g_autoptr (NebulaValueBuilder) result = nebula_value_builder_new_object ();

  nebula_value_builder_set_integer (result, "exit-code", code);
  nebula_value_builder_set_take (result, "stdout", _nebula_process_capture_to_value (&run->out));
  nebula_value_builder_set_take (result, "stderr", _nebula_process_capture_to_value (&run->err));
  return nebula_value_builder_end (result);
}

static void
answer_failed (Run *run, gint64 code, NebulaValue *details)
{
  const char *program = run->action->command[0];
  g_autofree char *message = NULL;

  if (g_subprocess_get_if_exited (run->process))
    message = g_strdup_printf (_("“%s” ended with exit code %d. Read its output in the details"), program, (int) code);
  else
    message = g_strdup_printf (_("“%s” was ended by signal %d. Read its output in the details"), program,
                               (int) code - 128);
  nebula_invocation_return_failure (run->invocation, nebula_error_code_to_string (NEBULA_ERROR_PROCESS_FAILED), message,
                                    NEBULA_RETRY_CLASS_RETRY, details);
}

static void
answer_error (Run *run, NebulaError code, const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (NEBULA_ERROR, (gint) code, message);

  nebula_invocation_return_error (run->invocation, error);
}

static void
answer_too_large (Run *run)
{
  g_autofree char *message = NULL;

  message = g_strdup_printf (_("“%s” wrote more than %lld bytes. Raise “max-output” or set “truncate”"),
                             run->action->command[0], (long long) run->action->max_output);
  answer_error (run, NEBULA_ERROR_TOO_LARGE, message);
}

static void
answer (Run *run)
{
  gint64 code = get_exit_code (run->process);
  g_autoptr (NebulaValue) result = NULL;

  if (run->is_cancelled) {
    answer_error (run, NEBULA_ERROR_CANCELLED, _("The program was stopped because the node was cancelled"));
    return;
  }
  if ((run->out.has_more || run->err.has_more) && !run->action->truncate) {
    answer_too_large (run);
    return;
  }
  result = make_result (run, code);
  if (is_accepted (run->action, code))
    nebula_invocation_return_value (run->invocation, result);
  else
    answer_failed (run, code, result);
}

static void
end_if_done (Run *run)
{
  if (!run->has_exited || !run->out.is_done || !run->err.is_done)
    return;
  answer (run);
  run_free (run);
}

static void
on_output_changed (gpointer data)
{
  Run *run = data;

  if ((run->out.has_more || run->err.has_more) && !run->action->truncate)
    stop (run);
  end_if_done (run);
}

static void
on_exited (GObject *source, GAsyncResult *result, gpointer data)
{
  Run *run = data;

  g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL);
  run->has_exited = TRUE;
  drop_source (&run->timer);

  /* Whoever of the group did not hear the first signal. */
  if (run->is_stopping)
    signal_group (run, SIGKILL);
  if (!run->out.is_done || !run->err.is_done)
    start_timer (run, LINGER_MS, give_up_outputs);
  end_if_done (run);
}

static void
watch (Run *run)
{
  GCancellable *cancellable = nebula_invocation_get_cancellable (run->invocation);
  const char *identifier = g_subprocess_get_identifier (run->process);
  gsize limit = (gsize) run->action->max_output;

  run->context = g_main_context_ref_thread_default ();
  run->group = identifier != NULL ? (pid_t) g_ascii_strtoll (identifier, NULL, 10) : 0;
  run->give_up = g_cancellable_new ();
  run->cancel_source = g_cancellable_source_new (cancellable);
  g_source_set_callback (run->cancel_source, G_SOURCE_FUNC (on_cancelled), run, NULL);
  g_source_attach (run->cancel_source, run->context);

  _nebula_process_capture_start (&run->out, g_subprocess_get_stdout_pipe (run->process), limit, run->give_up,
                                 on_output_changed, run);
  _nebula_process_capture_start (&run->err, g_subprocess_get_stderr_pipe (run->process), limit, run->give_up,
                                 on_output_changed, run);
  g_subprocess_wait_async (run->process, NULL, on_exited, run);
}

static char *
choose_directory (NebulaProcessRun *self, NebulaInvocation *invocation)
{
  const char *base = nebula_invocation_get_directory (invocation);

  if (self->directory == NULL)
    return g_strdup (base);
  if (base == NULL || g_path_is_absolute (self->directory))
    return g_strdup (self->directory);
  return g_build_filename (base, self->directory, NULL);
}

static void
nebula_process_run_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  NebulaProcessRun *self = (NebulaProcessRun *) action;
  GCancellable *cancellable = nebula_invocation_get_cancellable (invocation);
  g_autofree char *directory = choose_directory (self, invocation);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  Run *run;

  if (!g_cancellable_set_error_if_cancelled (cancellable, &error))
    process = _nebula_process_spawn ((const char *const *) self->command, directory, self->env, self->input, &error);
  if (process == NULL) {
    nebula_invocation_return_error (invocation, error);
    return;
  }

  run = g_new0 (Run, 1);
  run->action = g_object_ref (self);
  run->invocation = g_object_ref (invocation);
  run->process = g_steal_pointer (&process);
  watch (run);
}

static void
nebula_process_run_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  NebulaProcessRun *self = (NebulaProcessRun *) object;

  switch (id) {
  case PROP_COMMAND:
    g_strfreev (self->command);
    self->command = g_value_dup_boxed (value);
    break;
  case PROP_STDIN:
    g_clear_pointer (&self->input, nebula_value_unref);
    self->input = g_value_dup_boxed (value);
    break;
  case PROP_ENV:
    g_clear_pointer (&self->env, nebula_value_unref);
    self->env = g_value_dup_boxed (value);
    break;
  case PROP_DIRECTORY:
    g_free (self->directory);
    self->directory = g_value_dup_string (value);
    break;
  case PROP_ACCEPT_EXIT_CODES:
    g_clear_pointer (&self->accept_exit_codes, nebula_value_unref);
    self->accept_exit_codes = g_value_dup_boxed (value);
    break;
  case PROP_MAX_OUTPUT:
    self->max_output = g_value_get_int64 (value);
    break;
  case PROP_TRUNCATE:
    self->truncate = g_value_get_boolean (value);
    break;
  case PROP_KILL_AFTER:
    self->kill_after = g_value_get_int64 (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_process_run_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  NebulaProcessRun *self = (NebulaProcessRun *) object;

  switch (id) {
  case PROP_COMMAND:
    g_value_set_boxed (value, self->command);
    break;
  case PROP_STDIN:
    g_value_set_boxed (value, self->input);
    break;
  case PROP_ENV:
    g_value_set_boxed (value, self->env);
    break;
  case PROP_DIRECTORY:
    g_value_set_string (value, self->directory);
    break;
  case PROP_ACCEPT_EXIT_CODES:
    g_value_set_boxed (value, self->accept_exit_codes);
    break;
  case PROP_MAX_OUTPUT:
    g_value_set_int64 (value, self->max_output);
    break;
  case PROP_TRUNCATE:
    g_value_set_boolean (value, self->truncate);
    break;
  case PROP_KILL_AFTER:
    g_value_set_int64 (value, self->kill_after);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
nebula_process_run_finalize (GObject *object)
{
  NebulaProcessRun *self = (NebulaProcessRun *) object;

  g_strfreev (self->command);
  g_clear_pointer (&self->input, nebula_value_unref);
  g_clear_pointer (&self->env, nebula_value_unref);
  g_free (self->directory);
  g_clear_pointer (&self->accept_exit_codes, nebula_value_unref);

  G_OBJECT_CLASS (nebula_process_run_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object)
{
  const GParamFlags plain = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags flags = plain | G_PARAM_CONSTRUCT;

  props[PROP_COMMAND] = g_param_spec_boxed ("command", N_ ("Command"), N_ ("The program and its arguments, each an item; no shell reads them."), G_TYPE_STRV, plain);
  props[PROP_STDIN] = g_param_spec_boxed ("stdin", N_ ("Standard input"), N_ ("Text or bytes that the program reads; other values are given as JSON."), NEBULA_TYPE_VALUE, plain);
  props[PROP_ENV] = g_param_spec_boxed ("env", N_ ("Environment"), N_ ("Variables beside PATH, HOME, LANG and TZ; null takes one away."), NEBULA_TYPE_VALUE, plain);
  props[PROP_DIRECTORY] = g_param_spec_string ("directory", N_ ("Folder"), N_ ("Where the program runs; the workflow's folder by default."), NULL, flags);
  props[PROP_ACCEPT_EXIT_CODES] = g_param_spec_boxed ("accept-exit-codes", N_ ("Accepted exit codes"), N_ ("Exit codes beside 0 that are no failure."), NEBULA_TYPE_VALUE, plain);
  props[PROP_MAX_OUTPUT] = g_param_spec_int64 ("max-output", N_ ("Largest output"), N_ ("Standard output or error with more bytes is a failure, or is cut."), 0, G_MAXINT32, MAX_OUTPUT_BYTES, flags);
  props[PROP_TRUNCATE] = g_param_spec_boolean ("truncate", N_ ("Cut long output"), N_ ("Keeps the beginning of an output that is too large and lets the program go on."), FALSE, flags);
  props[PROP_KILL_AFTER] = g_param_spec_int64 ("kill-after", N_ ("Kill after"), N_ ("How long a program that is stopped may take to end before it is killed."), 0, G_MAXINT64, 5 * G_USEC_PER_SEC, flags);
  g_object_class_install_properties (object, N_PROPS, props);
}

static void
describe_parameters (NebulaActionClass *action)
{
  g_autoptr (NebulaValue) kill_after = nebula_value_new_string ("5s");
  NebulaParameter *parameter;

  parameter = nebula_action_class_describe (action, "command");
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
  nebula_parameter_set_length (parameter, 1, G_MAXINT32);
  nebula_parameter_add_flags (nebula_action_class_describe (action, "stdin"), NEBULA_PARAMETER_FLAGS_NULLABLE);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "env"), NEBULA_PARAMETER_KIND_OBJECT);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "directory"), NEBULA_PARAMETER_KIND_FILE);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "accept-exit-codes"), NEBULA_PARAMETER_KIND_LIST);
  nebula_parameter_set_kind (nebula_action_class_describe (action, "max-output"), NEBULA_PARAMETER_KIND_SIZE);
  parameter = nebula_action_class_describe (action, "kill-after");
  nebula_parameter_set_kind (parameter, NEBULA_PARAMETER_KIND_DURATION);
  nebula_parameter_set_default (parameter, kill_after);
}

static void
nebula_process_run_class_init (NebulaProcessRunClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);

  object->set_property = nebula_process_run_set_property;
  object->get_property = nebula_process_run_get_property;
  object->finalize = nebula_process_run_finalize;
  action->invoke = nebula_process_run_invoke;

  install_properties (object);
  describe_parameters (action);
  nebula_action_class_set_details (action, "process.run", "1.0.0", N_ ("Run a program"),
                                   N_ ("Runs a program without a shell and gives its exit code and outputs."), N_ ("System"));
  nebula_action_class_set_effect (action, NEBULA_EFFECT_EFFECTFUL);
  nebula_action_class_add_capability (action, "processes");
  nebula_action_class_set_result (action, "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
                                          "\"exit-code\": {\"type\": \"integer\"}, \"stdout\": {}, \"stderr\": {}}}");
  nebula_action_class_set_example (action, "action: process.run\n"
                                           "with: { command: [git, status, --short], directory: /srv/site }\n");
}

static void
nebula_process_run_init (NebulaProcessRun *self)
{
}
