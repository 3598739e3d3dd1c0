/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attempts: each gets a fresh action, an invocation and perhaps a deadline; its result comes back through the mailbox. */

#include <glib/gi18n-lib.h>

#include "nebula-action-internal.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-frozen-internal.h"

/* A result on its way to the engine's context. */
typedef struct {
  NebulaAttempt *attempt;
  NebulaResult *result; /* NULL: a word of progress */
  double fraction;
  char *message;
  gint level; /* 0: progress, else a log line's */
} NebulaLetter;

static void
letter_free (NebulaLetter *letter)
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
  nebula_heap_remove (&attempt->engine->deadlines, &attempt->deadline);
  if (attempt->instance)
    g_queue_unlink (&attempt->instance->attempts, &attempt->link);
  orphan_free (attempt);
}

static void
returned (NebulaInvocation *invocation, NebulaResult *result, gpointer data)
{
  NebulaAttempt *attempt = data;
  NebulaLetter *letter = g_new0 (NebulaLetter, 1);

  letter->attempt = attempt;
  letter->result = nebula_result_ref (result);
  if (nebula_mailbox_post (attempt->mailbox, letter))
    return;
  letter_free (letter);
  orphan_free (attempt);
}

static void
post_word (NebulaAttempt *attempt, double fraction, gint level, const char *message)
{
  NebulaLetter *letter = g_new0 (NebulaLetter, 1);

  letter->attempt = attempt;
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
  g_autoptr (NebulaAction) action = NULL;
  NebulaActionClass *klass =
      nebula_action_resolver_load (engine->resolver, node->info, error);

  if (!klass)
    return NULL;
  action = g_object_new (G_TYPE_FROM_CLASS (klass), NULL);
  if (!nebula_action_set_parameters (action, arguments, error))
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
  NebulaActionClass *klass =
      nebula_action_resolver_load (instance->engine->resolver, node->info, error);
  g_autoptr (NebulaAction) action = NULL;

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

static void
invoke (NebulaAttempt *attempt, NebulaWork *work)
{
  NebulaInstance *instance = attempt->instance;
  NebulaPlanNode *node = &instance->plan->nodes[work->node];
  NebulaInvocationInfo info = {0};
  g_autofree char *identity = NULL;

  identity = work->effect == NEBULA_EFFECT_PURE || work->effect == NEBULA_EFFECT_READ
            ? NULL
            : nebula_kernel_dup_identity (instance->kernel, work);
  fill_info (attempt, node, &info);
  info.identity = identity;
  set_deadline (attempt, node, &info);
  attempt->invocation =
      nebula_invocation_new (&info, work->parameters, nebula_kernel_get_input (work), &sink, attempt, NULL);
  nebula_action_invoke (attempt->action, attempt->invocation);
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

void
_nebula_runner_start (NebulaInstance *instance, const NebulaCommand *command)
{
  NebulaEngine *engine = instance->engine;
  NebulaPlanNode *node = &instance->plan->nodes[command->node];
  NebulaArguments arguments;
  NebulaAttempt *attempt;
  g_autoptr (NebulaAction) action = NULL;
  g_autoptr (GError) error = NULL;
  NebulaWork *work = nebula_kernel_prepare (instance->kernel, command, &error);

  if (work) {
    nebula_kernel_fill_arguments (instance->kernel, work, &arguments);
    arguments.frozen = nebula_kernel_freeze (instance->kernel, work);
    action = create_action (engine, node, &arguments, &error);
    g_clear_pointer (&arguments.frozen, nebula_frozen_unref);
  }
  if (!action) {
    fail_to_start (instance, command, error);
    return;
  }
  attempt = g_new0 (NebulaAttempt, 1);
  attempt->engine = engine;
  attempt->instance = instance;
  attempt->mailbox = nebula_mailbox_ref (engine->mailbox);
  attempt->command = *command;
  attempt->action = g_steal_pointer (&action);
  attempt->link.data = attempt;
  g_queue_push_tail_link (&instance->attempts, &attempt->link);
  _nebula_narrator_tell (instance, "node.started", node->id, NULL);
  invoke (attempt, work);
}

static void
tell_word (NebulaLetter *letter)
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

void
_nebula_runner_receive (gpointer data, gpointer user_data)
{
  NebulaLetter *letter = data;
  NebulaAttempt *attempt = letter->attempt;
  NebulaInstance *instance = attempt->instance;

  if (!letter->result) {
    tell_word (letter);
    letter_free (letter);
    return;
  }
  if (instance && !attempt->is_abandoned)
    nebula_kernel_result (instance->kernel, &attempt->command, letter->result,
                          nebula_clock_get_real_usec (attempt->engine->clock));
  attempt_free (attempt);
  if (instance)
    _nebula_instance_wake (instance);
  letter_free (letter);
}

void
_nebula_runner_discard (gpointer data)
{
  NebulaLetter *letter = data;

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
  nebula_kernel_result (instance->kernel, &attempt->command, result,
                        nebula_clock_get_real_usec (instance->engine->clock));
  nebula_invocation_abandon (attempt->invocation);
  _nebula_instance_wake (instance);
}

static void
abandon (NebulaAttempt *attempt)
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
  for (GList *link = instance->attempts.head; link; link = link->next) {
    NebulaAttempt *attempt = link->data;

    if (!nebula_kernel_wants_result (instance->kernel, &attempt->command))
      abandon (attempt);
  }
}

void
_nebula_runner_abandon_all (NebulaInstance *instance)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&instance->attempts))) {
    NebulaAttempt *attempt = link->data;

    attempt->instance = NULL;
    abandon (attempt);
  }
}
