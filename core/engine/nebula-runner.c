/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attempts: each gets a fresh action, an invocation and perhaps a deadline; its result comes back through the mailbox. */

#include <glib/gi18n-lib.h>

#include "nebula-action-internal.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-frozen-internal.h"

/* A result on its way to the engine's context. */
typedef struct {
  NebulaLetter letter; /* first */
  NebulaAttempt *attempt;
  NebulaResult *result; /* NULL: a word of progress */
  double fraction;
  char *message;
  gint level; /* 0: progress, else a log line's */
} Word;

static void receive (gpointer letter);
static void discard (gpointer letter);

static const NebulaLetterClass letter_class = {"result", receive, discard};

static Word *
letter_new (NebulaAttempt *attempt)
{
  Word *letter = g_new0 (Word, 1);

  letter->letter.klass = &letter_class;
  letter->attempt = attempt;
  return letter;
}

static void
letter_free (Word *letter)
{
  g_clear_pointer (&letter->result, nebula_result_unref);
  g_free (letter->message);
  g_free (letter);
}

/* All that an attempt holds but its places in the engine. */
static void
orphan_free (NebulaAttempt *attempt)
{
  nebula_mailbox_unref (attempt->mailbox);
  g_clear_object (&attempt->invocation);
  g_clear_object (&attempt->action);
  g_free (attempt);
}

static void
attempt_free (NebulaAttempt *attempt)
{
  _nebula_guard_release (attempt);
  nebula_heap_remove (&attempt->engine->deadlines, &attempt->deadline);
  if (attempt->instance)
    g_queue_unlink (&attempt->instance->attempts, &attempt->link);
  orphan_free (attempt);
}

static void
returned (NebulaInvocation *invocation, NebulaResult *result, gpointer data)
{
  NebulaAttempt *attempt = data;
  Word *letter = letter_new (attempt);

  letter->result = nebula_result_ref (result);
  if (nebula_mailbox_post (attempt->mailbox, letter))
    return;
  letter_free (letter);
  orphan_free (attempt);
}

static void
post_word (NebulaAttempt *attempt, double fraction, gint level, const char *message)
{
  Word *letter = letter_new (attempt);

  letter->fraction = fraction;
  letter->level = level;
  letter->message = g_strdup (message);
  if (!nebula_mailbox_post (attempt->mailbox, letter))
    letter_free (letter);
}

static void
progressed (NebulaInvocation *invocation,
            double fraction,
            const char *message,
            gpointer data)
{
  post_word (data, fraction, 0, message);
}

static void
logged (NebulaInvocation *invocation,
        GLogLevelFlags level,
        const char *message,
        gpointer data)
{
  post_word (data, 0, (gint) level, message);
}

static const NebulaInvocationSink sink = {returned, progressed, logged};

static NebulaAction *
create_action (NebulaEngine *engine,
               NebulaPlanNode *node,
               const NebulaArguments *arguments,
               GError **error)
{
  g_autoptr (NebulaAction) action =
      nebula_action_resolver_create (engine->resolver, node->info, error);

  if (!action || !nebula_action_set_parameters (action, arguments, error))
    return NULL;
  return g_steal_pointer (&action);
}

gint
_nebula_runner_get_effect (NebulaPlanNode *node,
                           const NebulaArguments *arguments,
                           gpointer data,
                           GError **error)
{
  NebulaInstance *instance = data;
  NebulaActionClass *klass;
  g_autoptr (NebulaAction) action = NULL;

  /* Resolver and actions belong to the loop. */
  if (instance->is_away) {
    g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "Ask on the loop.");
    return -1;
  }
  klass = nebula_action_resolver_load (instance->engine->resolver, node->info, error);
  if (!klass)
    return -1;
  /* Most classes have one effect whatever their parameters are: no instance is needed to tell. */
  if (!nebula_action_class_asks_for_effect (klass))
    return (gint) nebula_action_info_get_effect (node->info);
  action = create_action (instance->engine, node, arguments, error);
  return action ? (gint) nebula_action_get_effect (action) : -1;
}

static void
set_deadline (NebulaAttempt *attempt, NebulaPlanNode *node, NebulaInvocationInfo *info)
{
  NebulaEngine *engine = attempt->engine;

  if (node->timeout_usec <= 0)
    return;
  info->deadline_usec =
      nebula_clock_get_monotonic_usec (engine->clock) + node->timeout_usec;
  nebula_heap_set (&engine->deadlines, &attempt->deadline, info->deadline_usec);
  _nebula_scheduler_arm (engine);
}

static void
fill_info (NebulaAttempt *attempt, NebulaPlanNode *node, NebulaInvocationInfo *info)
{
  NebulaInstance *instance = attempt->instance;

  info->execution_id = instance->id;
  info->workflow = instance->plan->name;
  info->node_id = node->id;
  info->action_id = nebula_action_info_get_id (node->info);
  info->tenant = instance->tenant;
  info->attempt = attempt->command.attempt;
  info->store = attempt->engine->store;
}

void
_nebula_runner_launch (NebulaAttempt *attempt, const NebulaCall *call)
{
  NebulaPlanNode *node = &attempt->instance->plan->nodes[attempt->command.node];
  NebulaInvocationInfo info = {0};

  fill_info (attempt, node, &info);
  info.identity = call->identity;
  set_deadline (attempt, node, &info);
  attempt->invocation =
      nebula_invocation_new (&info, call->parameters, call->input, &sink, attempt, NULL);
  nebula_action_invoke (attempt->action, attempt->invocation);
}

static NebulaAttempt *
attempt_new (NebulaInstance *instance, const NebulaCommand *command, NebulaAction *action)
{
  NebulaAttempt *attempt = g_new0 (NebulaAttempt, 1);

  attempt->engine = instance->engine;
  attempt->instance = instance;
  attempt->mailbox = nebula_mailbox_ref (instance->engine->mailbox);
  attempt->command = *command;
  attempt->action = action;
  attempt->link.data = attempt;
  g_queue_push_tail_link (&instance->attempts, &attempt->link);
  return attempt;
}

NebulaAttempt *
_nebula_runner_double (NebulaAttempt *attempt, NebulaAction *action)
{
  return attempt_new (attempt->instance, &attempt->command, action);
}

static void
fail_to_start (NebulaInstance *instance,
               const NebulaCommand *command,
               const GError *error)
{
  g_autoptr (NebulaResult) result = nebula_result_new_error (error);

  nebula_kernel_result (instance->kernel, command, result,
                        nebula_clock_get_real_usec (instance->engine->clock));
  _nebula_instance_wake (instance);
}

/* Actions for the calls that a policy may make besides the first; NULL with error. */
static GPtrArray *
make_spares (NebulaEngine *engine,
             NebulaPlanNode *node,
             NebulaWork *work,
             const NebulaArguments *arguments,
             GError **error)
{
  g_autoptr (GPtrArray) spares = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint n = _nebula_guard_count_spares (node, work->effect); n > 0; n--) {
    NebulaAction *spare = create_action (engine, node, arguments, error);

    if (!spare)
      return NULL;
    g_ptr_array_add (spares, spare);
  }
  return g_steal_pointer (&spares);
}

static void
invoke (NebulaAttempt *attempt, NebulaWork *work, GPtrArray *spares)
{
  NebulaPlanNode *node = &attempt->instance->plan->nodes[work->node];
  gboolean is_free =
      work->effect == NEBULA_EFFECT_PURE || work->effect == NEBULA_EFFECT_READ;
  g_autofree char *identity =
      is_free ? NULL : nebula_kernel_dup_identity (attempt->instance->kernel, work);
  NebulaCall call = {work->parameters, nebula_kernel_get_input (work), identity};

  if (spares) {
    _nebula_guard_begin (attempt, &call, spares);
    return;
  }
  _nebula_narrator_tell (attempt->instance, "node.started", node->id, NULL);
  _nebula_runner_launch (attempt, &call);
}

gboolean
_nebula_runner_start (NebulaInstance *instance, const NebulaCommand *command)
{
  NebulaEngine *engine = instance->engine;
  NebulaPlanNode *node = &instance->plan->nodes[command->node];
  NebulaArguments arguments;
  g_autoptr (NebulaAction) action = NULL;
  g_autoptr (GPtrArray) spares = NULL; /* NULL: the node has no policy */
  g_autoptr (GError) error = NULL;
  NebulaWork *work = nebula_kernel_prepare (instance->kernel, command, &error);

  if (g_error_matches (error, NEBULA_KERNEL_WOULD_BLOCK))
    return FALSE;
  if (work) {
    nebula_kernel_fill_arguments (instance->kernel, work, &arguments);
    arguments.frozen = nebula_kernel_freeze (instance->kernel, work);
    action = create_action (engine, node, &arguments, &error);
    if (action && node->policy &&
        !(spares = make_spares (engine, node, work, &arguments, &error)))
      g_clear_object (&action);
    g_clear_pointer (&arguments.frozen, nebula_frozen_unref);
  }
  if (!action) {
    fail_to_start (instance, command, error);
    return TRUE;
  }
  invoke (attempt_new (instance, command, g_steal_pointer (&action)), work,
          g_steal_pointer (&spares));
  return TRUE;
}

static void
tell_word (Word *letter)
{
  NebulaAttempt *attempt = letter->attempt;
  NebulaPlanNode *node;
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) data = NULL;

  if (!attempt->instance)
    return;
  node = &attempt->instance->plan->nodes[attempt->command.node];
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "message", letter->message);
  if (letter->level == 0)
    nebula_value_builder_set_take (builder, "fraction",
                                   nebula_value_new_float (letter->fraction));
  else
    nebula_value_builder_set_integer (builder, "level", letter->level);
  data = nebula_value_builder_end (builder);
  _nebula_narrator_tell (attempt->instance, letter->level ? "node.log" : "node.progress",
                         node->id, data);
}

/* The result of an attempt, for a kernel that is away or a value that is too large for the loop. */
typedef struct {
  NebulaCommand command;
  NebulaResult *result;
} LateResult;

static gboolean
late_result_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  LateResult *late = data;

  nebula_kernel_result (kernel, &late->command, late->result, now_usec);
  return TRUE;
}

static void
late_result_free (gpointer data)
{
  nebula_result_unref (((LateResult *) data)->result);
  g_free (data);
}

static const NebulaStimulusClass late_result_class = {late_result_apply, NULL,
                                                      late_result_free};

static void
take_result (NebulaInstance *instance, NebulaAttempt *attempt, NebulaResult *result)
{
  gboolean is_heavy =
      nebula_kernel_is_large (nebula_result_get_value (result)) ||
      nebula_kernel_evaluates_at_end (instance->plan, attempt->command.node);
  LateResult *late;

  if (!is_heavy && _nebula_away_is_free (instance)) {
    nebula_kernel_result (instance->kernel, &attempt->command, result,
                          nebula_clock_get_real_usec (attempt->engine->clock));
    _nebula_instance_wake (instance);
    return;
  }
  late = g_new (LateResult, 1);
  late->command = attempt->command;
  late->result = nebula_result_ref (result);
  _nebula_away_stimulate (instance, &late_result_class, late, is_heavy);
}

static void
receive (gpointer data)
{
  Word *letter = data;
  NebulaAttempt *attempt = letter->attempt;
  NebulaInstance *instance = attempt->instance;

  if (!letter->result) {
    tell_word (letter);
    letter_free (letter);
    return;
  }
  if (instance)
    instance->n_units++; /* held: see _nebula_instance_release () */
  if (instance && !attempt->is_abandoned && _nebula_guard_end (attempt, letter->result))
    take_result (instance, attempt, letter->result);
  else if (instance)
    _nebula_instance_wake (instance);
  attempt_free (attempt);
  letter_free (letter);
  if (instance)
    _nebula_instance_release (instance);
}

static void
discard (gpointer data)
{
  Word *letter = data;

  if (letter->result)
    attempt_free (letter->attempt);
  letter_free (letter);
}

/* Past its deadline an attempt is cancelled and nobody knows how far it came. */
void
_nebula_runner_time_out (NebulaAttempt *attempt)
{
  NebulaInstance *instance = attempt->instance;
  g_autoptr (NebulaValue) failure = NULL;
  g_autoptr (NebulaResult) result = NULL;

  if (!instance || attempt->is_abandoned)
    return;
  failure = nebula_failure_new ("timed-out", _ ("The attempt ran out of its time."),
                                NEBULA_RETRY_CLASS_RETRY, NULL);
  result = nebula_result_new (NEBULA_RESULT_KIND_UNKNOWN, NULL, failure, 0);
  attempt->is_abandoned = TRUE;
  if (_nebula_guard_end (attempt, result))
    take_result (instance, attempt, result);
  nebula_invocation_abandon (attempt->invocation);
}

void
_nebula_runner_refuse (NebulaAttempt *attempt, const GError *error, gboolean is_starting)
{
  NebulaInstance *instance = attempt->instance;
  g_autoptr (NebulaResult) result = NULL;

  if (is_starting) {
    fail_to_start (instance, &attempt->command, error);
    attempt_free (attempt);
    return;
  }
  result = nebula_result_new_error (error);
  instance->n_units++; /* held, as in receive () */
  take_result (instance, attempt, result);
  attempt_free (attempt);
  _nebula_instance_release (instance);
}

void
_nebula_runner_abandon (NebulaAttempt *attempt)
{
  if (attempt->is_abandoned)
    return;
  attempt->is_abandoned = TRUE;
  nebula_heap_remove (&attempt->engine->deadlines, &attempt->deadline);
  if (attempt->invocation)
    nebula_invocation_abandon (attempt->invocation);
}

void
_nebula_runner_sweep (NebulaInstance *instance)
{
  for (GList *link = instance->attempts.head, *next; link; link = next) {
    NebulaAttempt *attempt = link->data;

    next = link->next;
    if (nebula_kernel_wants_result (instance->kernel, &attempt->command))
      continue;
    _nebula_runner_abandon (attempt);
    if (!attempt->invocation)
      attempt_free (attempt); /* it waited for its policy: no result will come */
  }
}

void
_nebula_runner_abandon_all (NebulaInstance *instance)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&instance->attempts))) {
    NebulaAttempt *attempt = link->data;

    _nebula_runner_abandon (attempt);
    _nebula_guard_release (attempt);
    attempt->instance = NULL;
    if (!attempt->invocation)
      attempt_free (attempt);
  }
}
