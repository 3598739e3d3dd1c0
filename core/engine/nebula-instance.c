/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One execution in memory. A turn lets the kernel decide, hands what it recorded to the journal as one unit, and starts
 * the attempts that may run: pure ones at once, all others when the facts behind them are committed (output commit).
 */

#include <glib/gi18n-lib.h>

#include "nebula-checkpoint-internal.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-plant-internal.h"

NebulaInstance *
_nebula_instance_new (NebulaEngine *engine,
                      const char *id,
                      const char *tenant,
                      NebulaPlan *plan,
                      NebulaKernel *kernel)
{
  NebulaInstance *self = g_new0 (NebulaInstance, 1);
  NebulaKernelHost host;

  self->engine = engine;
  host = _nebula_spilled_make_host (self);
  self->id = g_strdup (id);
  self->tenant = g_strdup (tenant);
  self->plan = nebula_plan_ref (plan);
  self->kernel = kernel ? kernel : nebula_kernel_new (plan, id, tenant, &host);
  nebula_kernel_set_host (self->kernel, &host);
  nebula_kernel_set_inline_fuel (self->kernel, engine->inline_fuel);
  _nebula_instance_set_durability (self, plan->durability);
  self->created_usec = nebula_clock_get_real_usec (engine->clock);
  self->run_link.data = self;
  g_queue_init (&self->attempts);
  g_queue_init (&self->waiters);
  g_queue_init (&self->stimuli);
  g_hash_table_insert (engine->instances, self->id, self);
  return self;
}

/* What nobody keeps need not be spilled. */
void
_nebula_instance_set_durability (NebulaInstance *self, NebulaDurability durability)
{
  self->durability = durability;
  nebula_kernel_set_spills (self->kernel, durability != NEBULA_DURABILITY_MEMORY);
}

static void
answer (GTask *task, const GError *error)
{
  if (error)
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
answer_waiters (NebulaInstance *self, guint64 sequence, const GError *error)
{
  NebulaWaiter *waiter;

  while ((waiter = g_queue_peek_head (&self->waiters)) &&
         (error || waiter->sequence <= sequence)) {
    g_queue_pop_head (&self->waiters);
    answer (waiter->task, error);
    g_free (waiter);
  }
}

static void
answer_end_waiters (NebulaInstance *self, const GError *error)
{
  g_autoptr (GPtrArray) tasks = g_steal_pointer (&self->end_waiters);

  for (guint i = 0; tasks && i < tasks->len; i++)
    answer (tasks->pdata[i], error);
}

/* What is bound to the scope is released, once. */
static void
end_scope (NebulaInstance *self)
{
  if (self->scope)
    nebula_scope_end (self->scope);
}

NebulaScope *
_nebula_instance_get_scope (NebulaInstance *self)
{
  if (self->scope)
    return self->scope;
  self->scope = nebula_scope_new_child (self->engine->scope,
                                        NEBULA_SCOPE_KIND_EXECUTION, self->id);
  if (nebula_execution_status_is_terminal (self->committed_status))
    end_scope (self);
  return self->scope;
}

void
_nebula_instance_free (NebulaInstance *self)
{
  _nebula_once_forget (self);
  end_scope (self);
  g_clear_object (&self->scope);
  _nebula_scheduler_remove (self->engine, self);
  _nebula_runner_abandon_all (self);
  g_clear_pointer (&self->pending_events, g_array_unref);
  g_clear_pointer (&self->away_events, g_array_unref);
  g_clear_pointer (&self->consumed, g_ptr_array_unref);
  g_clear_pointer (&self->messages, g_ptr_array_unref);
  g_clear_pointer (&self->pinned, g_ptr_array_unref);
  nebula_kernel_free (self->kernel);
  nebula_plan_unref (self->plan);
  g_free (self->id);
  g_free (self->tenant);
  g_free (self);
}

void
_nebula_instance_drop (NebulaInstance *self, const GError *error)
{
  /* Held by a unit that is none: whoever is answered may let go of the last handle. */
  self->n_units++;
  _nebula_away_clear (self, error);
  answer_waiters (self, 0, error);
  answer_end_waiters (self, error);
  _nebula_execution_detach (self);
  end_scope (self);
  self->n_units--;
  if (self->is_dropped) {
    if (self->n_units == 0)
      _nebula_instance_free (self);
    return;
  }
  if (self->n_units > 0) {
    /* The journal still holds units that name it: it goes when they are answered. */
    self->is_dropped = TRUE;
    _nebula_once_forget (self);
    _nebula_scheduler_remove (self->engine, self);
    _nebula_runner_abandon_all (self);
    g_hash_table_steal (self->engine->instances, self->id);
    return;
  }
  g_hash_table_remove (self->engine->instances, self->id);
}

void
_nebula_instance_wake (NebulaInstance *self)
{
  _nebula_scheduler_push (self->engine, self);
}

gboolean
_nebula_instance_is_durable (NebulaInstance *self)
{
  return self->durability != NEBULA_DURABILITY_MEMORY;
}

void
_nebula_instance_add_waiter (NebulaInstance *self, GTask *task)
{
  NebulaWaiter *waiter = g_new0 (NebulaWaiter, 1);

  /* One that has just been started has no fact yet; it is there once its first one is. */
  waiter->sequence = MAX (nebula_kernel_get_state (self->kernel)->sequence, 1);
  waiter->task = g_object_ref (task);
  g_queue_push_tail (&self->waiters, waiter);
  if (waiter->sequence <= self->committed)
    answer_waiters (self, self->committed, NULL);
}

/* Resolving the parameters of an attempt, which is too much for the loop. */
static gboolean
resolve_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaResult) result = NULL;

  if (!nebula_kernel_wants_result (kernel, data) ||
      nebula_kernel_resolve (kernel, data, &error))
    return TRUE;
  if (g_error_matches (error, NEBULA_KERNEL_WOULD_BLOCK))
    return FALSE;
  result = nebula_result_new_error (error);
  nebula_kernel_result (kernel, data, result, now_usec);
  return TRUE;
}

static void
resolve_answer (NebulaInstance *self, const GError *error, gpointer data)
{
  self->is_resolving = FALSE;
}

static const NebulaStimulusClass resolve_class = {resolve_apply, resolve_answer, g_free};

/* FALSE: it must wait. */
static gboolean
run_command (NebulaInstance *self, const NebulaCommand *command)
{
  if (!nebula_kernel_is_current (self->kernel, command)) {
    nebula_kernel_withdraw (self->kernel, command,
                            nebula_clock_get_real_usec (self->engine->clock));
    return TRUE;
  }
  if (self->is_resolving)
    return FALSE;
  if (_nebula_runner_start (self, command))
    return TRUE;
  self->is_resolving = TRUE;
  _nebula_away_stimulate (self, &resolve_class, g_memdup2 (command, sizeof *command),
                          TRUE);
  return FALSE;
}

/* Runs the commands whose facts are committed and that still hold. */
static void
run_commands (NebulaInstance *self)
{
  GArray *commands;
  guint n_kept = 0;

  if (self->is_away)
    return; /* when it comes home */
  commands = nebula_kernel_get_commands (self->kernel);

  for (guint i = 0; i < commands->len; i++) {
    NebulaCommand command = g_array_index (commands, NebulaCommand, i);

    gboolean must_wait = !command.runs_ahead && command.sequence > self->committed &&
                         !NEBULA_PLANT ("no-recheck");

    if (must_wait || !run_command (self, &command))
      g_array_index (commands, NebulaCommand, n_kept++) = command;
  }
  g_array_set_size (commands, n_kept);
}

/* After a commit: the status that others may see, events, answers. */
static void
become_committed (NebulaInstance *self, guint64 sequence, NebulaExecutionStatus status)
{
  _nebula_meter_note (self, status);
  self->committed = sequence;
  self->committed_status = status;
  _nebula_narrator_publish (self);
  if (self->engine->followers)
    _nebula_followers_kick (self->engine);
  answer_waiters (self, sequence, NULL);
  if (nebula_execution_status_is_terminal (status) && !self->is_away &&
      sequence == nebula_kernel_get_state (self->kernel)->sequence) {
    end_scope (self);
    answer_end_waiters (self, NULL);
  }
}

/* An instance that nobody needs in memory leaves it. */
static void
settle (NebulaInstance *self)
{
  NebulaState *state = nebula_kernel_get_state (self->kernel);

  if (self->n_units > 0 || self->wants_turn || self->attempts.length > 0 ||
      self->stimuli.length > 0 || self->handle || nebula_kernel_get_commands (self->kernel)->len > 0 ||
      state->sequence != self->committed)
    return;
  /* Somebody waits for a reader to bring it: he gets this one, or else whoever looks again and again keeps him waiting. */
  if (g_hash_table_contains (self->engine->loads, self->id))
    return;
  if (nebula_execution_status_is_terminal (self->committed_status))
    g_hash_table_remove (self->engine->instances, self->id);
  else if (_nebula_instance_is_durable (self) &&
           nebula_store_get_is_durable (self->engine->store) &&
           (self->committed_status == NEBULA_EXECUTION_STATUS_SUSPENDED ||
            self->committed_status == NEBULA_EXECUTION_STATUS_PAUSED))
    _nebula_recovery_put_to_sleep (self);
}

void
_nebula_instance_settle (NebulaInstance *self)
{
  settle (self);
}

/* Whoever was answered may have let go of the last handle, or have stopped the engine. */
void
_nebula_instance_release (NebulaInstance *self)
{
  self->n_units--;
  if (!self->is_dropped)
    settle (self);
  else if (self->n_units == 0)
    _nebula_instance_free (self);
}

static void
accept (NebulaInstance *self, const NebulaUnit *unit)
{
  self->ahead_bytes -= _nebula_spilled_get_size (unit);
  _nebula_once_forget (self);
  become_committed (self, unit->expected_sequence + unit->n_facts, unit->header->status);
  if (self->is_dropped)
    return;
  run_commands (self);
  _nebula_post_deliver (self->engine, unit->messages);
  if (self->is_away)
    return;
  if (self->is_held_back || nebula_kernel_get_n_facts (self->kernel) > 0)
    _nebula_instance_wake (self);
}

static void
committed (const NebulaUnit *unit,
           NebulaOutcome outcome,
           const GError *error,
           gpointer user_data)
{
  NebulaInstance *self = user_data;
  g_autoptr (NebulaEngine) engine = g_object_ref (self->engine);
  gint64 start = g_get_monotonic_time ();

  _nebula_spilled_release (engine, unit);
  /* Another owner moved the stream on, or the store refuses: what is in memory is worth nothing. Messages that it had taken
   * are in the inbox still, and the one that moved it on may not know of them. */
  if (outcome == NEBULA_OUTCOME_REFUSED_STALE)
    _nebula_peers_look_again (engine, self->id);
  if (!self->is_dropped && outcome != NEBULA_OUTCOME_COMMITTED)
    _nebula_instance_drop (self, error);
  else if (!self->is_dropped)
    accept (self, unit);

  _nebula_instance_release (self);
  _nebula_watchdog_note (engine, "commit", start);
}

/* Those of the workflow when it began. NULL: none. */
static GStrv
dup_tags (NebulaInstance *self)
{
  NebulaValue *tags = nebula_value_get_member (self->plan->definition, "tags");
  g_autoptr (GStrvBuilder) builder = NULL;

  if (self->submitted > 0 || !tags || nebula_value_get_kind (tags) != NEBULA_VALUE_KIND_ARRAY)
    return NULL;
  builder = g_strv_builder_new ();
  for (gsize i = 0; i < nebula_value_get_length (tags); i++) {
    NebulaValue *tag = nebula_value_get_item (tags, i);

    if (nebula_value_get_kind (tag) == NEBULA_VALUE_KIND_STRING && !strchr (nebula_value_get_string (tag), '\n'))
      g_strv_builder_add (builder, nebula_value_get_string (tag));
  }
  return g_strv_builder_end (builder);
}

static NebulaHeader *
make_header (NebulaInstance *self, NebulaExecutionStatus status)
{
  NebulaEngine *engine = self->engine;
  NebulaState *state = nebula_kernel_get_state (self->kernel);
  NebulaHeader *header = nebula_header_new (self->id);

  header->kind = NEBULA_STREAM_KIND_EXECUTION;
  g_free (header->tenant);
  header->tenant = g_strdup (self->tenant);
  header->shard = _nebula_shard_of_execution (self->tenant, self->id);
  header->sequence = state->sequence;
  header->epoch = self->epoch;
  header->format = NEBULA_FACT_FORMAT;
  header->status = (gint) status;
  header->workflow = g_strdup (self->plan->name);
  header->revision = g_strdup (self->plan->hash);
  header->durability = (gint) self->durability;
  if (status == NEBULA_EXECUTION_STATUS_SUSPENDED ||
      status == NEBULA_EXECUTION_STATUS_RUNNING)
    header->wake_usec = nebula_kernel_get_next_due (self->kernel);
  header->checkpoint = self->checkpoint;
  header->created_usec = self->created_usec;
  header->updated_usec = nebula_clock_get_real_usec (engine->clock);
  header->recoveries = state->recoveries;
  header->key = g_strdup (state->gate_key);
  header->tags = dup_tags (self);
  return header;
}

static void
add_definition_of (NebulaInstance *self, NebulaPlan *plan, NebulaUnit *unit)
{
  g_autoptr (GBytes) definition = NULL;

  if (g_hash_table_contains (self->engine->stored, plan->hash))
    return;
  definition = _nebula_recovery_pack_definition (plan);
  nebula_unit_add_document (unit, "definition", plan->hash, definition, 0);
  g_hash_table_add (self->engine->stored, g_strdup (plan->hash));
}

/* The definition travels in the first unit that needs it, with those that it calls. */
static void
add_definition (NebulaInstance *self, NebulaUnit *unit)
{
  if (self->submitted > 0)
    return;
  add_definition_of (self, self->plan, unit);
  for (guint i = 0; self->pinned && i < self->pinned->len; i++)
    add_definition_of (self, self->pinned->pdata[i], unit);
  g_clear_pointer (&self->pinned, g_ptr_array_unref);
}

static gboolean
wants_checkpoint (NebulaInstance *self, NebulaExecutionStatus status)
{
  gboolean rests = status == NEBULA_EXECUTION_STATUS_SUSPENDED ||
                   status == NEBULA_EXECUTION_STATUS_PAUSED;
  gsize minimum = rests ? NEBULA_CHECKPOINT_REST_BYTES : NEBULA_CHECKPOINT_BYTES;

  return self->segment_bytes > MAX (minimum, self->checkpoint_bytes / 2) &&
         !nebula_execution_status_is_terminal (status) &&
         nebula_store_get_is_durable (self->engine->store);
}

/* The state is the one after the unit's facts. */
static void
add_checkpoint (NebulaInstance *self, NebulaUnit *unit, NebulaExecutionStatus status)
{
  NebulaState *state = nebula_kernel_get_state (self->kernel);

  self->segment_bytes += g_bytes_get_size (unit->facts);
  if (!wants_checkpoint (self, status))
    return;
  unit->checkpoint = nebula_state_to_checkpoint (state);
  self->checkpoint = state->sequence;
  self->checkpoint_bytes = g_bytes_get_size (unit->checkpoint);
  self->segment_bytes = 0;
}

static void
submit_to_memory (NebulaInstance *self, guint64 n_facts, NebulaExecutionStatus status)
{
  g_autoptr (GPtrArray) messages = g_steal_pointer (&self->messages);

  g_clear_pointer (&self->consumed, g_ptr_array_unref);
  self->submitted += n_facts;
  become_committed (self, self->submitted, status);
  if (self->is_dropped)
    return;
  run_commands (self);
  _nebula_post_deliver (self->engine, messages);
}

static void
submit (NebulaInstance *self)
{
  NebulaUnit *unit;
  guint64 n_facts;
  GBytes *facts = nebula_kernel_take_facts (self->kernel, &n_facts);
  NebulaExecutionStatus status = nebula_kernel_get_status (self->kernel);

  _nebula_post_attach (self);
  if (!_nebula_instance_is_durable (self)) {
    g_bytes_unref (facts);
    submit_to_memory (self, n_facts, status);
    return;
  }
  unit = nebula_unit_new (self->id, self->submitted);
  unit->facts = facts;
  unit->n_facts = n_facts;
  add_checkpoint (self, unit, status);
  unit->header = make_header (self, status);
  unit->strict =
      self->durability == NEBULA_DURABILITY_STRICT || self->messages || self->consumed;
  unit->messages = g_steal_pointer (&self->messages);
  unit->consumed = g_steal_pointer (&self->consumed);
  add_definition (self, unit);
  _nebula_spilled_attach (self, unit);
  _nebula_text_attach (self, unit, status);
  _nebula_once_attach (self, unit);
  self->submitted += n_facts;
  self->ahead_bytes += _nebula_spilled_get_size (unit);
  self->n_units++;
  nebula_journal_submit (self->engine->journal, unit, committed, self);
  if (NEBULA_PLANT ("ack-before-commit"))
    become_committed (self, self->submitted, status);
}

static gboolean
is_too_far_ahead (NebulaInstance *self)
{
  guint64 sequence = nebula_kernel_get_state (self->kernel)->sequence;

  return sequence - self->committed >= NEBULA_RUN_AHEAD_FACTS ||
         self->ahead_bytes + nebula_kernel_get_n_bytes (self->kernel) >=
             NEBULA_RUN_AHEAD_BYTES;
}

static void
plan_next (NebulaInstance *self, NebulaTurn turn)
{
  _nebula_scheduler_set_wake (self->engine, &self->wake,
                              nebula_kernel_get_next_due (self->kernel));
  if (turn == NEBULA_TURN_HEAVY && !self->engine->is_stopped && !self->engine->is_sealed)
    _nebula_away_send (self);
  else if (turn == NEBULA_TURN_MORE || (self->stimuli.length > 0 && !self->is_held_back) ||
           (!_nebula_instance_is_durable (self) &&
            nebula_kernel_get_n_facts (self->kernel) > 0))
    _nebula_instance_wake (self);
}

void
_nebula_instance_turn (NebulaInstance *self)
{
  g_autoptr (NebulaEngine) engine = g_object_ref (self->engine);
  gboolean has_units = self->n_units > 0;
  gboolean must_leave;
  NebulaTurn turn = NEBULA_TURN_HEAVY;

  self->n_units++; /* held: see _nebula_instance_release () */
  must_leave = _nebula_away_drain (self);
  if (!self->is_dropped) {
    self->is_held_back = has_units && is_too_far_ahead (self);
    if (self->is_held_back)
      turn = NEBULA_TURN_IDLE; /* its commit brings it back */
    else if (!must_leave)
      turn = nebula_kernel_turn (self->kernel, NEBULA_TURN_FACTS,
                                 nebula_clock_get_real_usec (engine->clock));
    _nebula_instance_end_turn (self, turn);
  }
  _nebula_instance_release (self);
}

static gboolean
tick_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  return nebula_kernel_tick (kernel, now_usec);
}

static void
tick_answer (NebulaInstance *self, const GError *error, gpointer data)
{
  self->is_tick_queued = FALSE;
}

static const NebulaStimulusClass tick_class = {tick_apply, tick_answer, NULL};

void
_nebula_instance_tick (NebulaInstance *self)
{
  if (self->is_tick_queued)
    return;
  self->is_tick_queued = TRUE;
  _nebula_away_stimulate (self, &tick_class, NULL, FALSE);
}

void
_nebula_instance_end_turn (NebulaInstance *self, NebulaTurn turn)
{
  NebulaState *state = nebula_kernel_get_state (self->kernel);

  if (state->n_cancelled != self->n_cancelled_seen) {
    self->n_cancelled_seen = state->n_cancelled;
    _nebula_runner_sweep (self);
  }

  self->n_units++;
  run_commands (self);
  if (nebula_kernel_get_n_facts (self->kernel) > 0)
    submit (self);
  if (!self->is_dropped)
    plan_next (self, turn);
  _nebula_instance_release (self);
}
