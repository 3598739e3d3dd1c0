/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about waits: for a time, a signal, a token, the end of another execution; and the signals that end them.
 * Approvals stand in nebula-decide-approval.c. */

#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-kernel-private.h"

/* The end of a wait that has a time; 0: it has none; -1 with error. */
static gint64
get_wait_end (NebulaKernel *self, NebulaValue *parameters, GError **error)
{
  const char *duration = nebula_value_get_member_string (parameters, "duration", NULL);
  NebulaValue *member = nebula_value_get_member (parameters, "duration");
  NebulaValue *until = nebula_value_get_member (parameters, "until");
  gint64 usec = 0;
  int offset;

  if (duration && !nebula_duration_parse (duration, &usec, error))
    return -1;
  if (duration)
    return self->now_usec + MAX (usec, 1);
  if (member && nebula_value_get_kind (member) == NEBULA_VALUE_KIND_DURATION)
    return self->now_usec + MAX (nebula_value_get_usec (member), 1);
  if (!until || nebula_value_is_null (until))
    return 0;
  if (nebula_value_get_kind (until) == NEBULA_VALUE_KIND_TIMESTAMP)
    return nebula_value_get_usec (until);
  if (nebula_value_get_kind (until) == NEBULA_VALUE_KIND_STRING)
    return nebula_timestamp_parse (nebula_value_get_string (until), &usec, &offset, error)
               ? usec
               : -1;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
                       _ ("“until” must be a time such as 2030-01-31T12:00:00Z."));
  return -1;
}

static NebulaSignal *
find_signal (NebulaState *state, const char *name)
{
  for (GList *link = state->signals.head; link; link = link->next) {
    NebulaSignal *signal = link->data;

    if (g_str_equal (signal->name, name))
      return signal;
  }
  return NULL;
}

static gboolean
set_missing (GError **error, const char *message)
{
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PARAMETER, message);
  return FALSE;
}

static gboolean
check_token (NebulaKernel *self, const char *token, GError **error)
{
  if (_nebula_array_has_text (self->state->tokens, token))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                       _ ("This execution has not issued the token, or it was used "
                          "already. flow.token issues one."));
  return FALSE;
}

static gboolean
check_other (NebulaKernel *self, const char *execution, GError **error)
{
  if (!g_str_equal (execution, self->execution))
    return TRUE;
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                       _ ("An execution cannot wait for its own end."));
  return FALSE;
}

/* What it waits for besides the time; that is told by @fact. */
static gboolean
choose_wait (NebulaKernel *self,
             NebulaValue *parameters,
             NebulaFact *fact,
             GError **error)
{
  const char *signal = nebula_value_get_member_string (parameters, "signal", NULL);
  const char *token = nebula_value_get_member_string (parameters, "token", NULL);
  const char *execution = nebula_value_get_member_string (parameters, "execution", NULL);

  if ((signal != NULL) + (token != NULL) + (execution != NULL) > 1)
    return set_missing (
        error, _ ("A wait is for one of “signal”, “token”, “execution” and “approval”."));
  fact->code = nebula_value_has_member (parameters, "until") ? NEBULA_WAIT_UNTIL
                                                             : NEBULA_WAIT_DURATION;
  fact->text = signal ? signal : token ? token : execution;
  if (signal)
    fact->code = NEBULA_WAIT_SIGNAL;
  else if (token)
    fact->code = NEBULA_WAIT_TOKEN;
  else if (execution)
    fact->code = NEBULA_WAIT_EXECUTION;
  if (!fact->text && fact->due_usec == 0)
    return set_missing (error, _ ("A wait needs “duration”, “until”, “signal”, “token”, "
                                  "“execution” or “approval”."));
  return (!token || check_token (self, token, error)) &&
         (!execution || check_other (self, execution, error));
}

/* A signal that came before the wait, if it counts. */
static NebulaSignal *
find_kept (NebulaKernel *self, NebulaValue *parameters, const NebulaFact *fact)
{
  if ((fact->code != NEBULA_WAIT_SIGNAL && fact->code != NEBULA_WAIT_TOKEN) ||
      nebula_value_get_member_boolean (parameters, "transient", FALSE))
    return NULL;
  return find_signal (self->state, fact->text);
}

void
_nebula_kernel_begin_wait (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  NebulaValue *approval =
      parameters ? nebula_value_get_member (parameters, "approval") : NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_NODE_WAITING,
                     .lane = work->lane->number,
                     .node = work->node,
                     .attempt = attempt};
  NebulaSignal *signal = NULL;

  if (parameters)
    fact.due_usec = get_wait_end (self, parameters, &error);
  if (approval && fact.due_usec >= 0 && !nebula_value_is_null (approval)) {
    _nebula_kernel_begin_approval (self, work, &fact, approval);
    return;
  }
  if (!parameters || fact.due_usec < 0 || !choose_wait (self, parameters, &fact, &error)) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  signal = find_kept (self, parameters, &fact);
  if (signal && (_nebula_kernel_is_too_large (self, signal->value) ||
                 _nebula_kernel_ends_elsewhere (self, work)))
    return;
  _nebula_kernel_record (self, &fact);
  if (signal)
    _nebula_kernel_end_by_signal (self, work, signal->value);
  else if (fact.code == NEBULA_WAIT_EXECUTION)
    _nebula_kernel_post_watch (self, work);
}

/* The time that a wait has is over. */
void
_nebula_kernel_end_wait (NebulaKernel *self, NebulaWork *work)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) value = NULL;
  const char *reason = "timeout";

  if (work->wait == NEBULA_WAIT_APPROVAL) {
    _nebula_kernel_end_approval_time (self, work);
    return;
  }
  if (work->wait == NEBULA_WAIT_UNTIL)
    reason = "until";
  else if (work->wait == NEBULA_WAIT_DURATION)
    reason = "duration";
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "reason", reason);
  nebula_value_builder_set_string (builder, "value", NULL);
  value = nebula_value_builder_end (builder);
  _nebula_kernel_end_node (self, work, 0, NULL, value);
}

static NebulaWork *
find_waiting_for (NebulaState *state, const char *name)
{
  for (GList *link = state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;
    NebulaRun *run = nebula_lane_get_run (state, work->lane, work->node);

    if (run->status == NEBULA_NODE_WAITING && work->signal && g_str_equal (work->signal, name))
      return work;
  }
  return NULL;
}

void
_nebula_kernel_end_by_signal (NebulaKernel *self, NebulaWork *work, NebulaValue *payload)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) value = NULL;
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_ENDED, .lane = work->lane->number, .node = work->node};

  nebula_value_builder_set_string (builder, "reason",
                                   work->wait == NEBULA_WAIT_TOKEN ? "token" : "signal");
  nebula_value_builder_set (builder, "value", payload);
  value = nebula_value_builder_end (builder);
  fact.value = value;
  fact.number = 1;
  _nebula_kernel_record_end (self, work, &fact);
}

void
nebula_kernel_signal (NebulaKernel *self,
                      const char *name,
                      NebulaValue *value,
                      gint64 now_usec)
{
  NebulaFact fact = {
      .kind = NEBULA_FACT_SIGNALLED, .node = NEBULA_PLAN_NONE, .value = value};
  guint64 inline_fuel = self->inline_fuel;
  NebulaWork *work;

  if (!self->state->root || nebula_execution_status_is_terminal (self->state->status))
    return;
  _nebula_kernel_set_now (self, now_usec);
  fact.text = name;
  _nebula_kernel_record (self, &fact);
  work = find_waiting_for (self->state, fact.text);
  if (work) {
    NebulaSignal *signal = g_queue_peek_tail (&self->state->signals);
    g_autoptr (NebulaValue) kept = nebula_value_ref (signal->value);

    self->inline_fuel = 0;
    _nebula_kernel_end_by_signal (self, work, kept);
    self->inline_fuel = inline_fuel;
  }
}

gboolean
nebula_kernel_answer (NebulaKernel *self,
                      const char *token,
                      NebulaValue *value,
                      gint64 now_usec,
                      GError **error)
{
  if (_nebula_array_has_text (self->state->tokens, token) &&
      !find_signal (self->state, token)) {
    nebula_kernel_signal (self, token, value, now_usec);
    return TRUE;
  }
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT,
                       _ ("Nobody waits for this token: it was used already, or was "
                          "never issued."));
  return FALSE;
}

void
_nebula_kernel_decide_token (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  g_autofree char *identity = nebula_kernel_dup_identity (self, work);
  g_autofree char *seeded = g_strdup_printf ("%s\n%llu", identity,
                                             (unsigned long long) self->state->seed);
  g_autofree char *secret =
      self->host.make_secret ? self->host.make_secret (self->host.data)
                             : g_compute_checksum_for_string (G_CHECKSUM_SHA256, seeded, -1);
  g_autofree char *token = g_strdup_printf ("%s.%.32s", self->execution, secret);
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) value = NULL;

  if (_nebula_kernel_ends_elsewhere (self, work))
    return;
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "token", token);
  value = nebula_value_builder_end (builder);
  _nebula_kernel_end_node (self, work, attempt, NULL, value);
}
