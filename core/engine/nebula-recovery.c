/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the store into memory and out of it again. */

#include <glib/gi18n-lib.h>

#include "nebula-checkpoint-internal.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-json.h"
#include "nebula-limits.h"
#include "nebula-msgpack.h"

#define RECOVERIES_MAX 2
#define PAGE           1000

GBytes *
_nebula_recovery_pack_definition (NebulaPlan *plan)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) document = NULL;

  nebula_value_builder_set_string (builder, "file", plan->file);
  nebula_value_builder_set (builder, "definition", plan->definition);
  document = nebula_value_builder_end (builder);
  return nebula_value_to_msgpack (document);
}

static NebulaPlan *
compile_stored (NebulaEngine *engine, GBytes *bytes, GError **error)
{
  g_autoptr (GPtrArray) diagnostics =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (NebulaValue) document = nebula_value_from_msgpack (bytes, error);
  g_autoptr (NebulaWorkflow) workflow = NULL;
  NebulaValue *definition;

  if (!document)
    return NULL;
  definition = nebula_value_get_member (document, "definition");
  if (!definition) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                         _ ("A stored workflow is empty."));
    return NULL;
  }
  workflow = nebula_workflow_new_from_value (definition, diagnostics, error);
  /* What was started may be larger than what may be started now. */
  return workflow ? _nebula_engine_deploy_limited (engine, workflow, NEBULA_LIMIT_NODES_MAX,
                                                   G_MAXUINT, diagnostics, error)
                  : NULL;
}

NebulaPlan *
_nebula_recovery_load_plan (NebulaEngine *engine, const char *hash, GError **error)
{
  NebulaPlan *known = g_hash_table_lookup (engine->plans, hash);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (GError) local_error = NULL;

  if (known)
    return nebula_plan_ref (known);
  bytes =
      nebula_store_read_document (engine->store, "definition", hash, NULL, &local_error);
  if (!bytes && !local_error)
    g_set_error (&local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _ ("The store does not have the workflow with the revision “%s”."),
                 hash);
  if (bytes)
    plan = compile_stored (engine, bytes, &local_error);
  if (!plan) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  g_hash_table_add (engine->stored, g_strdup (hash));
  return g_steal_pointer (&plan);
}

/* Folds the segments that the state does not have yet. */
static gboolean
fold_segments (NebulaInstance *instance, GError **error)
{
  NebulaState *state = nebula_kernel_get_state (instance->kernel);
  g_autoptr (GPtrArray) segments = nebula_store_read_segments (
      instance->engine->store, instance->id, state->sequence, 0, error);

  if (!segments)
    return FALSE;
  for (guint i = 0; i < segments->len; i++) {
    NebulaSegment *segment = segments->pdata[i];

    if (segment->first != state->sequence + 1) {
      g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                   _ ("The history of “%s” has a gap before fact %llu."),
                   instance->id, (unsigned long long) segment->first);
      return FALSE;
    }
    if (!nebula_state_fold (state, segment->facts, error))
      return FALSE;
    instance->segment_bytes += g_bytes_get_size (segment->facts);
  }
  return TRUE;
}

static gboolean
check_sequence (NebulaInstance *instance, NebulaHeader *header, GError **error)
{
  guint64 sequence = nebula_kernel_get_state (instance->kernel)->sequence;

  if (sequence == header->sequence)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
               _ ("The history of “%s” ends at fact %llu but should end at %llu."),
               instance->id, (unsigned long long) sequence, (unsigned long long) header->sequence);
  return FALSE;
}

static gboolean
read_checkpoint (NebulaInstance *instance, GError **error)
{
  guint64 sequence = 0;
  g_autoptr (GBytes) bytes = nebula_store_read_checkpoint (
      instance->engine->store, instance->id, &sequence, error);
  g_autoptr (NebulaState) state = NULL;

  if (bytes)
    state = nebula_state_from_checkpoint (instance->plan, bytes, error);
  if (!state)
    return FALSE;
  if (state->sequence != sequence) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _ ("The checkpoint of “%s” holds another fact than the store says."),
                 instance->id);
    return FALSE;
  }
  instance->checkpoint = sequence;
  instance->checkpoint_bytes = g_bytes_get_size (bytes);
  nebula_kernel_take_state (instance->kernel, g_steal_pointer (&state));
  return TRUE;
}

/* TRUE: the checkpoint and the facts after it gave the state. If not, all facts still can. */
static gboolean
load_from_checkpoint (NebulaInstance *instance, NebulaHeader *header)
{
  g_autoptr (GError) error = NULL;

  if (header->checkpoint == 0)
    return FALSE;
  if (read_checkpoint (instance, &error) && fold_segments (instance, &error) &&
      check_sequence (instance, header, &error))
    return TRUE;
  g_warning ("The checkpoint of execution %s is of no use, all its facts are read: %s",
             instance->id, error ? error->message : "it is not there");
  instance->checkpoint = 0;
  instance->checkpoint_bytes = 0;
  instance->segment_bytes = 0;
  nebula_kernel_take_state (instance->kernel, nebula_state_new (instance->plan));
  return FALSE;
}

static NebulaInstance *
load_header (NebulaEngine *engine, NebulaHeader *header, GError **error)
{
  g_autoptr (NebulaPlan) plan =
      _nebula_recovery_load_plan (engine, header->revision, error);
  NebulaInstance *instance;

  if (!plan)
    return NULL;
  instance = _nebula_instance_new (engine, header->stream, header->tenant, plan);
  _nebula_instance_set_durability (instance, header->durability);
  instance->committed_status = header->status;
  instance->committed = header->sequence;
  instance->submitted = header->sequence;
  instance->epoch = header->epoch;
  instance->created_usec = header->created_usec;
  instance->is_from_store = TRUE;
  if (load_from_checkpoint (instance, header) ||
      (fold_segments (instance, error) && check_sequence (instance, header, error)))
    return instance;
  g_hash_table_remove (engine->instances, instance->id);
  return NULL;
}

NebulaInstance *
_nebula_recovery_load (NebulaEngine *engine, const char *id, GError **error)
{
  NebulaInstance *instance = g_hash_table_lookup (engine->instances, id);
  NebulaSleeper *sleeper = g_hash_table_lookup (engine->sleepers, id);
  g_autoptr (NebulaHeader) header = NULL;
  g_autoptr (GError) local_error = NULL;

  if (instance)
    return instance;
  header = nebula_store_read_header (engine->store, id, &local_error);
  if (!header && !local_error)
    g_set_error (&local_error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no execution “%s”."), id);
  if (header)
    instance = load_header (engine, header, &local_error);
  if (!instance) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return NULL;
  }
  if (sleeper) {
    _nebula_sleepers_remove (engine, sleeper);
    _nebula_scheduler_set_wake (engine, &instance->wake,
                                nebula_kernel_get_next_due (instance->kernel));
  }
  return instance;
}

void
_nebula_recovery_put_to_sleep (NebulaInstance *instance)
{
  NebulaEngine *engine = instance->engine;
  gint64 due = nebula_kernel_get_next_due (instance->kernel);
  g_autofree char *id = g_strdup (instance->id);

  g_hash_table_remove (engine->instances, id);
  _nebula_sleepers_add (engine, id, due);
}

void
_nebula_recovery_wake_sleeper (NebulaEngine *engine, NebulaSleeper *sleeper)
{
  g_autofree char *id = g_strdup (_nebula_sleeper_get_id (sleeper));
  g_autoptr (GError) error = NULL;
  NebulaInstance *instance = _nebula_recovery_load (engine, id, &error);

  if (!instance) {
    g_warning ("Execution %s cannot be woken: %s", id, error->message);
    _nebula_sleepers_remove (engine, sleeper);
    return;
  }
  nebula_kernel_tick (instance->kernel, nebula_clock_get_real_usec (engine->clock));
  _nebula_instance_wake (instance);
}

/* An execution that was running when the engine stopped. Two recoveries without progress park it: one bad execution
 * must not take the engine down again and again. */
static void
resume_instance (NebulaInstance *instance)
{
  gint64 now = nebula_clock_get_real_usec (instance->engine->clock);

  instance->is_from_store = FALSE;
  if (nebula_kernel_get_state (instance->kernel)->recoveries >= RECOVERIES_MAX)
    nebula_kernel_pause (instance->kernel, "no-progress-after-recoveries", now);
  else
    nebula_kernel_recover (instance->kernel, now);
  _nebula_instance_wake (instance);
}

void
_nebula_recovery_take_up (NebulaInstance *instance)
{
  gint64 now = nebula_clock_get_real_usec (instance->engine->clock);

  if (nebula_kernel_get_state (instance->kernel)->is_paused)
    nebula_kernel_resume (instance->kernel, now);
  else if (instance->is_from_store && instance->committed_status != NEBULA_EXECUTION_STATUS_SUSPENDED)
    nebula_kernel_recover (instance->kernel, now);
  instance->is_from_store = FALSE;
}

static void
park_broken (NebulaEngine *engine, NebulaHeader *header, const GError *error)
{
  g_warning ("Execution %s cannot be recovered and stays as it is: %s", header->stream,
             error->message);
}

static void
recover_header (NebulaEngine *engine, NebulaHeader *header)
{
  g_autoptr (GError) error = NULL;
  NebulaInstance *instance;

  if (g_hash_table_contains (engine->instances, header->stream) ||
      g_hash_table_contains (engine->sleepers, header->stream))
    return;
  if (header->status == NEBULA_EXECUTION_STATUS_PAUSED)
    return;
  if (header->status == NEBULA_EXECUTION_STATUS_SUSPENDED) {
    _nebula_sleepers_add (engine, header->stream, header->wake_usec);
    return;
  }
  instance = load_header (engine, header, &error);
  if (instance)
    resume_instance (instance);
  else
    park_broken (engine, header, error);
}

/**
 * nebula_engine_recover:
 * @self: an engine
 * @error: where the failure goes
 *
 * Takes up all executions of the store that have not ended: what was running goes on, what waits is woken in time,
 * what cannot be read stays as it is with a warning.
 *
 * Errors: those of the store.
 *
 * Returns: how many there are; -1 with @error
 *
 * Since: 1.0
 */
gint
nebula_engine_recover (NebulaEngine *self, GError **error)
{
  g_autofree char *after = NULL;
  gint n_open = 0;
  guint n_page;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), -1);
  do {
    NebulaHeaderQuery query = {
        .kind = NEBULA_STREAM_KIND_EXECUTION, .after = after, .limit = PAGE};
    g_autoptr (GPtrArray) headers = NULL;

    for (guint status = NEBULA_EXECUTION_STATUS_CREATED;
         status < NEBULA_EXECUTION_STATUS_COMPLETED; status++)
      query.status_mask |= 1u << status;
    headers = nebula_store_list_headers (self->store, &query, error);
    if (!headers)
      return -1;
    n_page = headers->len;
    for (guint i = 0; i < n_page; i++)
      recover_header (self, headers->pdata[i]);
    n_open += (gint) n_page;
    if (n_page > 0) {
      g_free (after);
      after = g_strdup (((NebulaHeader *) headers->pdata[n_page - 1])->stream);
    }
  } while (n_page == PAGE);
  return _nebula_gatekeeper_recover (self, error) ? n_open : -1;
}
