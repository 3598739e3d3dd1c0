/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decisions about waits: for a time, for a signal. */

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

void
_nebula_kernel_begin_wait (NebulaKernel *self, NebulaWork *work, guint attempt)
{
  NebulaScopeEnvironment environment;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) parameters =
      _nebula_kernel_resolve (self, work, &environment, &error);
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_WAITING, .lane = work->lane->number, .node = work->node};
  const char *name;
  NebulaSignal *signal = NULL;

  if (parameters)
    fact.due_usec = get_wait_end (self, parameters, &error);
  if (!parameters || fact.due_usec < 0) {
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  name = nebula_value_get_member_string (parameters, "signal", NULL);
  if (!name && fact.due_usec == 0) {
    g_set_error_literal (&error, NEBULA_ERROR, NEBULA_ERROR_MISSING_PARAMETER,
                         _ ("A wait needs “duration”, “until” or “signal”."));
    _nebula_kernel_fail_error (self, work, attempt, error);
    return;
  }
  fact.text = name;
  fact.attempt = attempt;
  fact.code = nebula_value_has_member (parameters, "until") ? NEBULA_WAIT_UNTIL
                                                            : NEBULA_WAIT_DURATION;
  if (name) {
    fact.code = NEBULA_WAIT_SIGNAL;
    if (!nebula_value_get_member_boolean (parameters, "transient", FALSE))
      signal = find_signal (self->state, fact.text);
  }
  _nebula_kernel_record (self, &fact);
  if (signal)
    _nebula_kernel_end_by_signal (self, work, signal->value);
}
