/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-validator.h"

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-validator-private.h"

G_DEFINE_BOXED_TYPE (NebulaValidator,
                     nebula_validator,
                     nebula_validator_ref,
                     nebula_validator_unref)

static GPtrArray *
new_violations (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_violation_unref);
}

NebulaRule *
_nebula_rule_get_inner (const NebulaRule *rule, guint index)
{
  return g_ptr_array_index (rule->inner, index);
}

gboolean
_nebula_rule_wants_more (const NebulaRuleRun *run)
{
  return !run->is_exhausted && run->violations && run->violations->len < run->limit;
}

static void
report (NebulaRuleRun *run, const NebulaRule *rule, const char *pointer)
{
  g_autofree char *reason = _nebula_rule_get_reason (rule);

  g_ptr_array_add (
      run->violations,
      nebula_violation_new (pointer, rule->custom ? rule->custom->name : rule->info->name,
                            NULL, reason));
}

/* Puts a rule that answers later aside. */
static gboolean
put_aside (NebulaRuleRun *run,
           const NebulaRule *rule,
           NebulaValue *value,
           const NebulaSchemaPlace *place)
{
  NebulaLater *later;

  run->met_async = TRUE;
  if (!run->later)
    return TRUE;
  later = g_new0 (NebulaLater, 1);
  later->rule = rule;
  later->value = nebula_value_ref (value);
  later->pointer = _nebula_schema_place_to_pointer (place);
  g_ptr_array_add (run->later, later);
  return TRUE;
}

/* Whether a rule whose parts report for themselves has said why. */
static gboolean
speaks_for_itself (const NebulaRule *rule, guint before, const NebulaRuleRun *run)
{
  return rule->info->reason == NULL && rule->inner && rule->inner->len > 0 &&
         run->violations->len > before;
}

gboolean
_nebula_rule_run (NebulaRuleRun *run,
                  const NebulaRule *rule,
                  NebulaValue *value,
                  const NebulaSchemaPlace *place)
{
  guint before = run->violations ? run->violations->len : 0;
  g_autofree char *pointer = NULL;

  run->is_exhausted |= ++run->steps > NEBULA_LIMIT_SCHEMA_STEPS;
  if (run->is_exhausted)
    return FALSE;
  if (nebula_value_is_null (value) && !rule->info->takes_null)
    return TRUE;
  if (rule->custom && rule->custom->async_func)
    return put_aside (run, rule, value, place);
  if (rule->info->holds (run, rule, value, place))
    return TRUE;
  if (!_nebula_rule_wants_more (run) || run->violations->len > before ||
      speaks_for_itself (rule, before, run))
    return FALSE;
  pointer = _nebula_schema_place_to_pointer (place);
  report (run, rule, pointer);
  return FALSE;
}

gboolean
_nebula_rule_try (NebulaRuleRun *run, const NebulaRule *rule, NebulaValue *value)
{
  GPtrArray *violations = run->violations;
  gboolean holds;

  run->violations = NULL;
  holds = _nebula_rule_run (run, rule, value, NULL);
  run->violations = violations;
  return holds;
}

gboolean
_nebula_rule_custom (NebulaRuleRun *run,
                     const NebulaRule *rule,
                     NebulaValue *value,
                     const NebulaSchemaPlace *place)
{
  return rule->custom->func (value, rule->argument, rule->custom->user_data);
}

/**
 * nebula_validator_new:
 * @rules: a name, an object of name → argument, or an array of these
 * @table: (nullable): rules of the caller's own
 * @error: where to put an error
 *
 * Reads rules. Null passes every rule but those about presence; what is not of the kind that a rule is about fails it.
 *
 * Errors, all terminal: %NEBULA_ERROR_INVALID_DATA for a name or an argument that is not good; %NEBULA_ERROR_REGEX;
 * %NEBULA_ERROR_TOO_DEEP.
 *
 * Returns: (transfer full): the validator
 *
 * Since: 1.0
 */
NebulaValidator *
nebula_validator_new (NebulaValue *rules, NebulaValidatorTable *table, GError **error)
{
  NebulaValidator *self;
  NebulaRule *rule;

  g_return_val_if_fail (rules != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  rule = _nebula_rule_read (rules, table, error);
  if (!rule)
    return NULL;
  self = g_new0 (NebulaValidator, 1);
  g_atomic_ref_count_init (&self->references);
  self->rule = rule;
  self->table = table ? nebula_validator_table_ref (table) : NULL;
  return self;
}

/**
 * nebula_validator_ref:
 * @self: a validator
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaValidator *
nebula_validator_ref (NebulaValidator *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_validator_unref:
 * @self: (transfer full): a validator
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_validator_unref (NebulaValidator *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  _nebula_rule_free (self->rule);
  g_clear_pointer (&self->table, nebula_validator_table_unref);
  g_free (self);
}

static gboolean
check_end (const NebulaRuleRun *run, GError **error)
{
  if (run->is_exhausted) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_BUDGET_EXCEEDED,
        _ ("The validators take more steps on this value than they may."));
    return FALSE;
  }
  if (run->met_async && !run->later) {
    g_set_error_literal (
        error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
        _ ("One of the validators answers later; use the asynchronous form."));
    return FALSE;
  }
  return TRUE;
}

/**
 * nebula_validator_validate:
 * @self: a validator
 * @value: a value
 * @error: where to put an error
 *
 * Stops at the first rule that @value does not keep. Messages never show the value.
 *
 * Errors, all terminal: %NEBULA_ERROR_INVALID_DATA with the place and the reason; %NEBULA_ERROR_BUDGET_EXCEEDED;
 * %NEBULA_ERROR_UNSUPPORTED if a rule answers later.
 *
 * Returns: whether it keeps all of them
 *
 * Since: 1.0
 */
gboolean
nebula_validator_validate (NebulaValidator *self, NebulaValue *value, GError **error)
{
  g_autoptr (GPtrArray) violations = NULL;
  NebulaRuleRun run = {.limit = 1};
  g_autofree char *text = NULL;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  violations = run.violations = new_violations ();
  _nebula_rule_run (&run, self->rule, value, NULL);
  if (!check_end (&run, error))
    return FALSE;
  if (violations->len == 0)
    return TRUE;
  text = nebula_violation_to_text (g_ptr_array_index (violations, 0));
  g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA, text);
  return FALSE;
}

/**
 * nebula_validator_check:
 * @self: a validator
 * @value: a value
 * @error: where to put an error
 *
 * Lists all rules that @value does not keep, at most 100.
 *
 * Errors, all terminal: %NEBULA_ERROR_BUDGET_EXCEEDED; %NEBULA_ERROR_UNSUPPORTED if a rule answers later.
 *
 * Returns: (transfer container) (element-type NebulaViolation): the violations; empty if there are none
 *
 * Since: 1.0
 */
GPtrArray *
nebula_validator_check (NebulaValidator *self, NebulaValue *value, GError **error)
{
  g_autoptr (GPtrArray) violations = NULL;
  NebulaRuleRun run = {.limit = NEBULA_LIMIT_DIAGNOSTICS};

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (value != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  violations = run.violations = new_violations ();
  _nebula_rule_run (&run, self->rule, value, NULL);
  return check_end (&run, error) ? g_steal_pointer (&violations) : NULL;
}

/* One asynchronous check: what was found so far, and how many answers are still to come. */
typedef struct {
  NebulaValidator *validator;
  GPtrArray *violations;
  GPtrArray *later;    /* NebulaLater */
  GCancellable *stop;  /* of the rules */
  GCancellable *outer; /* of the caller; may be NULL */
  gulong outer_id;
  GSource *timeout;
  guint n_waiting;
  gboolean is_over; /* the task has been returned */
} Check;

static void
later_free (gpointer data)
{
  NebulaLater *self = data;

  nebula_value_unref (self->value);
  g_free (self->pointer);
  g_free (self);
}

static void
check_free (gpointer data)
{
  Check *self = data;

  if (self->timeout)
    g_source_destroy (self->timeout);
  g_clear_pointer (&self->timeout, g_source_unref);
  g_clear_pointer (&self->violations, g_ptr_array_unref);
  g_ptr_array_unref (self->later);
  g_object_unref (self->stop);
  g_clear_object (&self->outer);
  nebula_validator_unref (self->validator);
  g_free (self);
}

static void
check_over (GTask *task, GError *error)
{
  Check *self = g_task_get_task_data (task);

  if (self->is_over) {
    g_clear_error (&error);
    return;
  }
  self->is_over = TRUE;
  if (self->timeout)
    g_source_destroy (self->timeout);
  if (self->outer_id != 0)
    g_cancellable_disconnect (self->outer, self->outer_id);
  if (error) {
    g_cancellable_cancel (self->stop);
    g_task_return_error (task, error);
  } else {
    g_task_return_pointer (task, g_steal_pointer (&self->violations),
                           (GDestroyNotify) g_ptr_array_unref);
  }
}

typedef struct {
  GTask *task; /* of the whole */
  const NebulaLater *later;
} Answer;

static void
on_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Answer *answer = data;
  g_autoptr (GTask) task = answer->task;
  Check *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  gboolean holds = g_task_propagate_boolean (G_TASK (result), &error);

  self->n_waiting--;
  if (error) {
    check_over (task, g_steal_pointer (&error));
    return;
  }
  if (!holds && !self->is_over) {
    NebulaRuleRun run = {.violations = self->violations};

    report (&run, answer->later->rule, answer->later->pointer);
  }
  if (self->n_waiting == 0)
    check_over (task, NULL);
}

static void
ask (GTask *task, const NebulaLater *later)
{
  Check *self = g_task_get_task_data (task);
  const NebulaCustomRule *custom = later->rule->custom;
  Answer *answer = g_new0 (Answer, 1);
  g_autoptr (GTask) inner = NULL;

  answer->task = g_object_ref (task);
  answer->later = later;
  inner = g_task_new (NULL, self->stop, on_answer, answer);
  g_task_set_source_tag (inner, ask);
  custom->async_func (inner, later->value, later->rule->argument, custom->user_data);
}

static gboolean
on_timeout (gpointer data)
{
  check_over (data, g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_TIMED_OUT,
                                         _ ("A validator did not answer in time.")));
  return G_SOURCE_REMOVE;
}

static void
arm_timeout (GTask *task, NebulaClock *clock, gint64 timeout_usec)
{
  Check *self = g_task_get_task_data (task);

  if (timeout_usec <= 0)
    return;
  self->timeout = nebula_clock_create_source (
      clock, nebula_clock_get_monotonic_usec (clock) + timeout_usec);
  g_source_set_callback (self->timeout, on_timeout, task, NULL);
  g_source_attach (self->timeout, g_task_get_context (task));
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_cancellable_cancel (data);
}

/**
 * nebula_validator_check_async:
 * @self: a validator
 * @value: a value
 * @clock: (nullable): the clock that counts; %NULL for the system's
 * @timeout_usec: how long all answers together may take, in microseconds; 0 for no limit
 * @cancellable: (nullable): stops waiting; the rules hear it, too
 * @callback: (scope async) (closure user_data): called once, in the context this was called from
 * @user_data: data for @callback
 *
 * Lists all rules that @value does not keep, also those that answer later. These are asked all at once, after the others
 * have been looked at.
 *
 * Since: 1.0
 */
void
nebula_validator_check_async (NebulaValidator *self,
                              NebulaValue *value,
                              NebulaClock *clock,
                              gint64 timeout_usec,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  NebulaRuleRun run = {.limit = NEBULA_LIMIT_DIAGNOSTICS};
  GError *error = NULL;
  Check *check;

  g_return_if_fail (self != NULL);
  g_return_if_fail (value != NULL);

  g_task_set_source_tag (task, nebula_validator_check_async);
  check = g_new0 (Check, 1);
  check->validator = nebula_validator_ref (self);
  check->stop = g_cancellable_new ();
  check->outer = cancellable ? g_object_ref (cancellable) : NULL;
  check->violations = run.violations = new_violations ();
  check->later = run.later = g_ptr_array_new_with_free_func (later_free);
  g_task_set_task_data (task, check, check_free);
  _nebula_rule_run (&run, self->rule, value, NULL);
  if (!check_end (&run, &error) || check->later->len == 0) {
    check_over (task, error);
    return;
  }
  check->n_waiting = check->later->len;
  arm_timeout (task, clock ? clock : nebula_clock_get_system (), timeout_usec);
  if (cancellable)
    check->outer_id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                             g_object_ref (check->stop), g_object_unref);
  for (guint i = 0; i < check->later->len; i++)
    ask (task, g_ptr_array_index (check->later, i));
}

/**
 * nebula_validator_check_finish:
 * @result: what the callback got
 * @error: where to put an error
 *
 * Ends nebula_validator_check_async ().
 *
 * Errors: %NEBULA_ERROR_TIMED_OUT (retry) if an answer did not come in time; %NEBULA_ERROR_BUDGET_EXCEEDED (terminal);
 * %G_IO_ERROR_CANCELLED; what a rule returns as its error.
 *
 * Returns: (transfer container) (element-type NebulaViolation): the violations; empty if there are none
 *
 * Since: 1.0
 */
GPtrArray *
nebula_validator_check_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
