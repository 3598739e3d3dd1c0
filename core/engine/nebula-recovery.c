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
#define WAKE_AGAIN_USEC G_USEC_PER_SEC

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
  NebulaPlan *known = _nebula_engine_find_plan (engine, hash);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (NebulaPlan) plan = NULL;
  g_autoptr (GError) local_error = NULL;

  if (known)
    return known;
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

static gboolean
fold_segments (NebulaState *state,
               const NebulaHeader *header,
               GPtrArray *segments,
               NebulaFolded *ret_folded,
               GError **error)
{
  for (guint i = 0; i < segments->len; i++) {
    NebulaSegment *segment = segments->pdata[i];

    if (segment->first != state->sequence + 1) {
      g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                   _ ("The history of “%s” has a gap before fact %llu."), header->stream,
                   (unsigned long long) segment->first);
      return FALSE;
    }
    if (!nebula_state_fold (state, segment->facts, error))
      return FALSE;
    ret_folded->segment_bytes += g_bytes_get_size (segment->facts);
  }
  if (state->sequence == header->sequence)
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
               _ ("The history of “%s” ends at fact %llu but should end at %llu."),
               header->stream, (unsigned long long) state->sequence,
               (unsigned long long) header->sequence);
  return FALSE;
}

static gboolean
take_checkpoint (NebulaKernel *kernel,
                 NebulaPlan *plan,
                 const NebulaHistory *history,
                 NebulaFolded *ret_folded,
                 GError **error)
{
  g_autoptr (NebulaState) state =
      nebula_state_from_checkpoint (plan, history->checkpoint, error);

  if (!state)
    return FALSE;
  if (state->sequence != history->checkpoint_sequence) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
                 _ ("The checkpoint of “%s” holds another fact than the store says."),
                 history->header->stream);
    return FALSE;
  }
  ret_folded->checkpoint = history->checkpoint_sequence;
  ret_folded->checkpoint_bytes = g_bytes_get_size (history->checkpoint);
  nebula_kernel_take_state (kernel, g_steal_pointer (&state));
  return TRUE;
}

/* TRUE: the checkpoint and the facts after it gave the state. If not, all facts still can. */
static gboolean
fold_from_checkpoint (NebulaKernel *kernel,
                      NebulaPlan *plan,
                      const NebulaHistory *history,
                      NebulaFolded *ret_folded)
{
  g_autoptr (GError) error = NULL;

  if (history->header->checkpoint == 0)
    return FALSE;
  if (history->checkpoint && take_checkpoint (kernel, plan, history, ret_folded, &error) &&
      fold_segments (nebula_kernel_get_state (kernel), history->header, history->segments,
                     ret_folded, &error))
    return TRUE;
  g_warning ("The checkpoint of execution %s is of no use, all its facts are read: %s",
             history->header->stream, error ? error->message : "it is not there");
  *ret_folded = (NebulaFolded){0};
  nebula_kernel_take_state (kernel, nebula_state_new (plan));
  return FALSE;
}

gboolean
_nebula_recovery_fold (NebulaStore *store,
                       NebulaKernel *kernel,
                       NebulaPlan *plan,
                       const NebulaHistory *history,
                       NebulaFolded *ret_folded,
                       GError **error)
{
  g_autoptr (GPtrArray) segments = NULL;

  *ret_folded = (NebulaFolded){0};
  if (fold_from_checkpoint (kernel, plan, history, ret_folded))
    return TRUE;
  segments = history->checkpoint ? nebula_store_read_segments (
                                       store, history->header->stream, 0, 0, error)
                                 : g_ptr_array_ref (history->segments);
  return segments && fold_segments (nebula_kernel_get_state (kernel), history->header,
                                    segments, ret_folded, error);
}

NebulaInstance *
_nebula_recovery_take_in (NebulaEngine *engine,
                          NebulaHeader *header,
                          NebulaPlan *plan,
                          NebulaKernel *kernel,
                          const NebulaFolded *folded)
{
  NebulaSleeper *sleeper = g_hash_table_lookup (engine->sleepers, header->stream);
  NebulaInstance *instance =
      _nebula_instance_new (engine, header->stream, header->tenant, plan, kernel);

  _nebula_instance_set_durability (instance, header->durability);
  instance->committed_status = header->status;
  instance->committed = header->sequence;
  instance->submitted = header->sequence;
  instance->epoch = header->epoch;
  instance->created_usec = header->created_usec;
  instance->checkpoint = folded->checkpoint;
  instance->checkpoint_bytes = folded->checkpoint_bytes;
  instance->segment_bytes = folded->segment_bytes;
  instance->is_from_store = TRUE;
  if (sleeper) {
    _nebula_sleepers_remove (engine, sleeper);
    _nebula_scheduler_set_wake (engine, &instance->wake,
                                nebula_kernel_get_next_due (instance->kernel));
  }
  return instance;
}

static NebulaInstance *
load_history (NebulaEngine *engine, NebulaHistory *history, GError **error)
{
  NebulaHeader *header = history->header;
  g_autoptr (NebulaPlan) plan =
      _nebula_recovery_load_plan (engine, header->revision, error);
  g_autoptr (NebulaKernel) kernel = NULL;
  NebulaKernelHost host = {0};
  NebulaFolded folded;

  if (!plan)
    return NULL;
  kernel = nebula_kernel_new (plan, header->stream, header->tenant, &host);
  if (!_nebula_recovery_fold (engine->store, kernel, plan, history, &folded, error))
    return NULL;
  return _nebula_recovery_take_in (engine, header, plan, g_steal_pointer (&kernel),
                                   &folded);
}

NebulaInstance *
_nebula_recovery_load (NebulaEngine *engine, const char *id, GError **error)
{
  NebulaInstance *instance = g_hash_table_lookup (engine->instances, id);
  g_autoptr (GPtrArray) histories = NULL;
  NebulaHistory *history;
  NebulaEngine *holder;

  if (instance)
    return instance;
  holder = _nebula_peers_find_holder (engine, id);
  if (holder)
    return g_hash_table_lookup (holder->instances, id);
  histories = nebula_store_read_histories (engine->store, &id, 1, error);
  if (!histories)
    return NULL;
  history = histories->pdata[0];
  if (history->header && !_nebula_peers_owns (engine, history->header->shard))
    engine = _nebula_peers_get_neighbour (engine, history->header->shard, id, error);
  if (history->header && !engine)
    return NULL;
  if (history->header) {
    /* What a reader of the owner brings is from before what this one may do. */
    _nebula_loader_mark_stale (engine, id);
    return load_history (engine, history, error);
  }
  if (history->error)
    g_propagate_error (error, g_steal_pointer (&history->error));
  else
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no execution “%s”."), id);
  return NULL;
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

static void
woken (NebulaEngine *engine,
       const char *id,
       NebulaInstance *instance,
       const GError *error,
       gpointer data)
{
  NebulaSleeper *sleeper = g_hash_table_lookup (engine->sleepers, id);

  if (instance) {
    _nebula_instance_tick (instance);
    return;
  }
  if (!sleeper || g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_CANCELLED))
    return;
  g_warning ("Execution %s cannot be woken: %s", id, error->message);
  if (nebula_error_get_retry_class (error) == NEBULA_RETRY_CLASS_RETRY)
    _nebula_scheduler_set_wake (engine, &sleeper->wake,
                                nebula_clock_get_real_usec (engine->clock) +
                                    WAKE_AGAIN_USEC);
  else
    _nebula_sleepers_remove (engine, sleeper);
}

void
_nebula_recovery_wake_sleeper (NebulaEngine *engine, NebulaSleeper *sleeper)
{
  _nebula_loader_ask (engine, _nebula_sleeper_get_id (sleeper), woken, NULL);
}

/* Taking up what waits or was left behind. */
typedef struct {
  gboolean is_recovery; /* nobody asked: two without progress park it */
  gboolean was_running; /* when its engine went away */
  gboolean is_begun;    /* only the rest is left to do */
} TakeUp;

/* Two recoveries without progress park an execution: one bad one must not take the engine down again and again. */
static gboolean
take_up (NebulaKernel *kernel, gint64 now_usec, TakeUp *wish)
{
  NebulaState *state = nebula_kernel_get_state (kernel);

  if (wish->is_begun)
    return nebula_kernel_restart (kernel, now_usec);
  wish->is_begun = TRUE;
  if (wish->is_recovery && state->recoveries >= RECOVERIES_MAX) {
    nebula_kernel_pause (kernel, "no-progress-after-recoveries", now_usec);
    return TRUE;
  }
  if (state->is_paused && !wish->is_recovery)
    return nebula_kernel_resume (kernel, now_usec);
  return !wish->was_running || nebula_kernel_recover (kernel, now_usec);
}

static gboolean
recover_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  return take_up (kernel, now_usec, data);
}

static const NebulaStimulusClass recover_class = {recover_apply, NULL, g_free};

/* An execution that was running when the engine stopped. */
static void
resume_instance (NebulaInstance *instance)
{
  TakeUp *wish = g_new0 (TakeUp, 1);

  instance->is_from_store = FALSE;
  wish->is_recovery = TRUE;
  wish->was_running = TRUE;
  _nebula_away_stimulate (instance, &recover_class, wish, FALSE);
}

/* Somebody asked, and is answered. */
typedef struct {
  TakeUp wish; /* first */
  NebulaAsk *ask;
} AskedTakeUp;

static gboolean
asked_apply (NebulaKernel *kernel, gint64 now_usec, gpointer data)
{
  AskedTakeUp *self = data;

  return _nebula_ask_is_refused (self->ask, kernel) ||
         take_up (kernel, now_usec, &self->wish);
}

static void
asked_answer (NebulaInstance *instance, const GError *error, gpointer data)
{
  _nebula_ask_answer (((AskedTakeUp *) data)->ask, instance, error);
}

static void
asked_free (gpointer data)
{
  _nebula_ask_free (((AskedTakeUp *) data)->ask);
  g_free (data);
}

static const NebulaStimulusClass asked_class = {asked_apply, asked_answer, asked_free};

static void
take_up_gate (NebulaInstance *instance)
{
  NebulaState *state = nebula_kernel_get_state (instance->kernel);

  if (state->gate == NEBULA_AT_GATE_ASKED || state->gate == NEBULA_AT_GATE_BACK)
    _nebula_gatekeeper_take_up (instance->engine, state->gate_key);
}

void
_nebula_recovery_take_up (NebulaInstance *instance, NebulaAsk *ask)
{
  AskedTakeUp *data = g_new0 (AskedTakeUp, 1);
  g_autoptr (GError) error = NULL;

  if (instance->is_from_store) {
    if (!_nebula_post_pick_up (instance->engine, &error))
      g_warning ("The inboxes cannot be read: %s", error->message);
    _nebula_children_take_up (instance);
    take_up_gate (instance);
  }
  data->ask = ask;
  data->wish.was_running =
      instance->is_from_store &&
      instance->committed_status != NEBULA_EXECUTION_STATUS_SUSPENDED;
  instance->is_from_store = FALSE;
  _nebula_away_stimulate (instance, &asked_class, data, FALSE);
}

/* Whoever waits for it has been taken up: it goes on if it ran, and so do those that it waits for. */
static void
taken_up (NebulaEngine *engine,
          const char *id,
          NebulaInstance *instance,
          const GError *error,
          gpointer data)
{
  if (!instance) {
    g_debug ("Execution %s, which another one waits for, is not there yet: %s", id,
             error->message);
    return;
  }
  if (!instance->is_from_store ||
      nebula_execution_status_is_terminal (instance->committed_status))
    return;
  if (instance->committed_status == NEBULA_EXECUTION_STATUS_SUSPENDED) {
    instance->is_from_store = FALSE;
    _nebula_instance_tick (instance);
  } else if (instance->committed_status != NEBULA_EXECUTION_STATUS_PAUSED)
    resume_instance (instance);
  _nebula_children_take_up (instance);
}

static void
recovered (NebulaEngine *engine,
           const char *id,
           NebulaInstance *instance,
           const GError *error,
           gpointer data)
{
  if (instance && instance->is_from_store)
    resume_instance (instance);
  else if (!instance && !g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_CANCELLED))
    g_warning ("Execution %s cannot be recovered and stays as it is: %s", id,
               error->message);
}

void
_nebula_recovery_take_up_other (NebulaEngine *engine, const char *id)
{
  NebulaInstance *instance = g_hash_table_lookup (engine->instances, id);

  if (!instance)
    _nebula_loader_ask (engine, id, taken_up, NULL);
}

/* Whether it is this engine's. */
static gboolean
recover_header (NebulaEngine *engine, NebulaHeader *header)
{
  if (!_nebula_peers_owns (engine, header->shard))
    return FALSE;
  if (g_hash_table_contains (engine->instances, header->stream) ||
      g_hash_table_contains (engine->sleepers, header->stream))
    return TRUE;
  if (header->status == NEBULA_EXECUTION_STATUS_PAUSED)
    return TRUE;
  if (header->status == NEBULA_EXECUTION_STATUS_SUSPENDED)
    _nebula_sleepers_add (engine, header->stream, header->wake_usec);
  else
    _nebula_loader_ask (engine, header->stream, recovered, NULL);
  return TRUE;
}

/**
 * nebula_engine_recover:
 * @self: an engine
 * @error: where the failure goes
 *
 * Takes up all executions of the store that have not ended: what was running goes on, what waits is woken in time,
 * what cannot be read stays as it is with a warning. Of several engines each takes up what lies in its shards.
 *
 * Blocks while the store lists them; the ones that go on are read afterwards, off the loop, and count as active from
 * now on.
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
      n_open += recover_header (self, headers->pdata[i]);
    if (n_page > 0) {
      g_free (after);
      after = g_strdup (((NebulaHeader *) headers->pdata[n_page - 1])->stream);
    }
  } while (n_page == PAGE);
  return _nebula_post_pick_up (self, error) && _nebula_gatekeeper_recover (self, error)
             ? n_open
             : -1;
}
