/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What nodes give without running, and where an execution stops so that somebody may look at it. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-given-internal.h"
#include "nebula-kernel-private.h"

/* The fold. */

void
_nebula_apply_given (NebulaState *self, const NebulaFact *fact, NebulaLane *lane, NebulaRun *run)
{
  self->given = nebula_value_ref (fact->value);
}

void
_nebula_apply_input_given (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run)
{
  NebulaWork *work = run->work;
  gboolean has_parts = work->inputs && nebula_value_get_kind (fact->value) ==
                                           NEBULA_VALUE_KIND_OBJECT;

  _nebula_apply_set_value (&work->input, fact->value);
  _nebula_apply_set_value (&work->inputs, has_parts ? fact->value : NULL);
  g_clear_pointer (&work->loaded, nebula_value_unref);
}

void
_nebula_apply_breakpoints (NebulaState *self,
                           const NebulaFact *fact,
                           NebulaLane *lane,
                           NebulaRun *run)
{
  gboolean has_any = nebula_value_get_length (fact->value) > 0;

  _nebula_apply_set_value (&self->breaks, has_any ? fact->value : NULL);
}

/* Decisions. */

static char *
make_key (NebulaKernel *self, NebulaWork *work, const char *mark)
{
  NebulaRun *run = nebula_lane_get_run (self->state, work->lane, work->node);
  g_autofree char *path = nebula_state_dup_path (self->state, work->lane, work->node);

  return run->firing > 1 ? g_strdup_printf ("%s%s#%u", mark, path, run->firing)
                         : g_strconcat (mark, path, NULL);
}

/* each[3].price → each.price; NULL: there is no round in it. */
static char *
strip_rounds (const char *path)
{
  GString *text = g_string_new (NULL);
  gboolean is_inside = FALSE;
  gboolean has_any = FALSE;

  for (; *path && *path != '#'; path++) {
    is_inside |= *path == '[';
    has_any |= is_inside;
    if (!is_inside)
      g_string_append_c (text, *path);
    is_inside &= *path != ']';
  }
  return g_string_free (text, !has_any);
}

/* What an object says of a node-run: of itself, or of its node in all rounds. */
static NebulaValue *
find_by_path (NebulaKernel *self, NebulaWork *work, NebulaValue *object)
{
  g_autofree char *path = nebula_state_dup_path (self->state, work->lane, work->node);
  g_autofree char *general = NULL;
  NebulaValue *found = nebula_value_get_member (object, path);

  if (!found)
    general = strip_rounds (path);
  return general ? nebula_value_get_member (object, general) : found;
}

static void
end_as_given (NebulaKernel *self, NebulaWork *work, NebulaValue *entry)
{
  NebulaValue *value = nebula_value_get_member (entry, "value");
  NebulaValue *failure = nebula_value_get_member (entry, "failure");
  const char *port = nebula_value_get_member_string (entry, "port", NULL);
  NebulaFact fact = {
      .kind = NEBULA_FACT_NODE_ENDED, .lane = work->lane->number, .node = work->node};

  if (_nebula_kernel_is_too_large (self, value))
    return;
  if (failure)
    fact.kind = NEBULA_FACT_NODE_FAILED;
  else if (!value)
    fact.kind = NEBULA_FACT_NODE_SKIPPED;
  fact.value = failure ? failure : value;
  fact.text = port;
  fact.code = value && nebula_value_has_member (entry, "by") ? 1 : 0;
  _nebula_kernel_record (self, &fact);
}

/* Another input, once: the decision may be taken again. */
static void
change_input (NebulaKernel *self, NebulaWork *work)
{
  g_autofree char *key = make_key (self, work, "<");
  NebulaValue *entry = nebula_value_get_member (self->state->given, key);
  g_autoptr (NebulaValue) loaded = NULL;
  g_autoptr (GError) error = NULL;
  NebulaValue *value;
  NebulaFact fact = {
      .kind = NEBULA_FACT_INPUT_GIVEN, .lane = work->lane->number, .node = work->node};

  if (!entry)
    return;
  loaded = _nebula_kernel_load_take (self, nebula_value_ref (entry), &error);
  if (!loaded) {
    _nebula_kernel_fail_error (self, work, 1, error);
    return;
  }
  value = nebula_value_get_member (loaded, "value");
  if (_nebula_kernel_is_too_large (self, value) ||
      (work->input && nebula_value_equal (work->input, value)))
    return;
  fact.value = value;
  _nebula_kernel_record (self, &fact);
}

gboolean
_nebula_kernel_is_given (NebulaKernel *self, NebulaWork *work)
{
  g_autofree char *key = NULL;
  g_autoptr (NebulaValue) entry = NULL;
  g_autoptr (GError) error = NULL;
  NebulaValue *found;

  if (G_LIKELY (!self->state->given) || work->lane->undo > 0)
    return FALSE;
  key = make_key (self, work, "=");
  found = find_by_path (self, work, self->state->given);
  if (!found)
    found = nebula_value_get_member (self->state->given, key);
  if (!found) {
    change_input (self, work);
    return self->is_put_off;
  }
  entry = _nebula_kernel_load_take (self, nebula_value_ref (found), &error);
  if (entry)
    end_as_given (self, work, entry);
  else
    _nebula_kernel_fail_error (self, work, 1, error);
  return TRUE;
}

/* A condition that cannot be evaluated holds: whoever looks sees why. */
static gboolean
holds (NebulaKernel *self, NebulaWork *work, NebulaValue *condition)
{
  NebulaScopeEnvironment environment;
  g_autoptr (NebulaExpression) expression = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GError) error = NULL;
  gboolean truth = FALSE;

  if (nebula_value_get_kind (condition) != NEBULA_VALUE_KIND_STRING)
    return TRUE;
  expression = nebula_expression_compile (nebula_value_get_string (condition), &error);
  if (!expression)
    return TRUE;
  _nebula_kernel_init_environment (self, &environment, work->lane, work);
  value = nebula_expression_evaluate (expression, &environment.environment, &error);
  if (value && _nebula_kernel_is_true (value, &truth, &error))
    return truth;
  return !_nebula_kernel_put_off (self, error);
}

static gboolean
has_breakpoint (NebulaKernel *self, NebulaWork *work)
{
  NebulaValue *found =
      self->state->breaks ? find_by_path (self, work, self->state->breaks) : NULL;

  return found && holds (self, work, found);
}

gboolean
_nebula_kernel_stops_before (NebulaKernel *self, NebulaWork *work)
{
  NebulaState *state = self->state;
  g_autofree char *key = NULL;
  NebulaFact fact = {.kind = NEBULA_FACT_PAUSED, .node = NEBULA_PLAN_NONE};

  if (G_LIKELY (!state->is_stepping && !state->breaks))
    return FALSE;
  if (work->lane->undo > 0 || state->is_stopping)
    return FALSE;
  key = make_key (self, work, "");
  if (g_strcmp0 (key, state->break_at) == 0)
    return FALSE;
  if (!has_breakpoint (self, work))
    fact.code = state->is_stepping ? 2 : 0;
  else
    fact.code = 1;
  if (fact.code > 0) {
    fact.text = key;
    _nebula_kernel_record (self, &fact);
    self->is_partial = TRUE; /* it comes again when the execution goes on */
  }
  return fact.code > 0 || self->is_put_off;
}

/* Stimuli. */

static void
record_value (NebulaKernel *self, NebulaFactKind kind, NebulaValue *value)
{
  NebulaFact fact = {.kind = kind, .node = NEBULA_PLAN_NONE, .value = value};

  _nebula_kernel_record (self, &fact);
}

void
nebula_kernel_give (NebulaKernel *self,
                    NebulaValue *given,
                    NebulaValue *breakpoints,
                    gint64 now_usec)
{
  _nebula_kernel_set_now (self, now_usec);
  if (given && nebula_value_get_length (given) > 0)
    record_value (self, NEBULA_FACT_GIVEN, given);
  if (breakpoints && nebula_value_get_length (breakpoints) > 0)
    record_value (self, NEBULA_FACT_BREAKPOINTS, breakpoints);
}

void
nebula_kernel_set_breakpoints (NebulaKernel *self, NebulaValue *breakpoints, gint64 now_usec)
{
  if (!self->state->root || nebula_execution_status_is_terminal (self->state->status))
    return;
  _nebula_kernel_set_now (self, now_usec);
  record_value (self, NEBULA_FACT_BREAKPOINTS, breakpoints);
}

gboolean
nebula_kernel_step (NebulaKernel *self, gint64 now_usec)
{
  NebulaFact fact = {.kind = NEBULA_FACT_RESUMED, .node = NEBULA_PLAN_NONE, .code = 1};

  if (!self->state->is_paused)
    return TRUE;
  _nebula_kernel_set_now (self, now_usec);
  fact.number = (gint64) self->state->recoveries;
  _nebula_kernel_record (self, &fact);
  return nebula_kernel_restart (self, now_usec);
}
