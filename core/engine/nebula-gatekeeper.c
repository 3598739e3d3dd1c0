/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gates: streams of their own that let a limited number of holders in: executions, or node-runs that want a lock. An
 * execution asks by a message in its own unit, the gate grants by a message in its unit; the unit that ends an execution carries the release. Nobody acts on
 * what is not committed. After a crash the inboxes hold what was on the way, and holders that are gone are released.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-gate-internal.h"
#include "nebula-msgpack.h"

/* A checkpoint is written when the segments since the last one are larger than it, and than this. */
#define CHECKPOINT_BYTES (16 * 1024)

struct _NebulaGate {
  NebulaWake wake; /* first */
  NebulaEngine *engine;
  char *stream;
  char *key;
  char *tenant; /* of those who ask; NULL: nobody has */
  NebulaGateState *state;
  guint64 submitted;
  guint64 checkpoint; /* fact that the last one holds; 0: none */
  gsize checkpoint_bytes;
  gsize segment_bytes; /* since */
};

void
_nebula_gate_free (gpointer data)
{
  NebulaGate *gate = data;

  nebula_heap_remove (&gate->engine->wakes, &gate->wake.entry);
  nebula_gate_state_free (gate->state);
  g_free (gate->stream);
  g_free (gate->key);
  g_free (gate->tenant);
  g_free (gate);
}

/* A holder is an execution, a later stay of one, or a node-run of one: ID#@NUMBER, ID#NODE-RUN. */
char *
_nebula_gate_dup_execution (const char *holder)
{
  return g_strndup (holder, strcspn (holder, "#"));
}

char *
_nebula_gate_make_stream (const char *key)
{
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, key, -1);

  return g_strdup_printf ("gate_%.32s", digest);
}

static NebulaValueBuilder *
begin_payload (const char *kind, const char *holder, const char *key)
{
  NebulaValueBuilder *builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "kind", kind);
  nebula_value_builder_set_string (builder, "holder", holder);
  nebula_value_builder_set_string (builder, "key", key);
  return builder;
}

static gboolean
fold_gate (NebulaGate *gate, GBytes *checkpoint, GPtrArray *segments, GError **error)
{
  if (checkpoint && !nebula_gate_state_fold (gate->state, checkpoint, error))
    return FALSE;
  if (checkpoint) {
    gate->state->sequence = gate->checkpoint;
    gate->checkpoint_bytes = g_bytes_get_size (checkpoint);
  }
  for (guint i = 0; i < segments->len; i++) {
    GBytes *facts = ((NebulaSegment *) segments->pdata[i])->facts;

    if (!nebula_gate_state_fold (gate->state, facts, error))
      return FALSE;
    gate->segment_bytes += g_bytes_get_size (facts);
  }
  gate->submitted = gate->state->sequence;
  return TRUE;
}

static NebulaGate *
gate_new (NebulaEngine *engine, const char *stream, const char *key)
{
  NebulaGate *gate = g_new0 (NebulaGate, 1);

  gate->engine = engine;
  gate->wake.is_gate = TRUE;
  gate->stream = g_strdup (stream);
  gate->key = g_strdup (key);
  gate->state = nebula_gate_state_new ();
  return gate;
}

/* A gate as the store has it; NULL with error. */
static NebulaGate *
read_gate (NebulaEngine *engine, const char *stream, const char *key, GError **error)
{
  NebulaGate *gate = gate_new (engine, stream, key);
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GBytes) checkpoint = nebula_store_read_checkpoint (
      engine->store, stream, &gate->checkpoint, &local_error);
  g_autoptr (GPtrArray) segments = NULL;
  g_autoptr (NebulaHeader) header = NULL;

  if (!local_error)
    segments = nebula_store_read_segments (engine->store, stream, gate->checkpoint, 0,
                                           &local_error);
  if (segments && segments->len > 0)
    header = nebula_store_read_header (engine->store, stream, NULL);
  if (header && *header->tenant)
    gate->tenant = g_strdup (header->tenant);
  if (segments && fold_gate (gate, checkpoint, segments, &local_error))
    return gate;
  _nebula_gate_free (gate);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

static NebulaGate *
load_gate (NebulaEngine *engine, const char *stream, const char *key, GError **error)
{
  NebulaGate *gate = g_hash_table_lookup (engine->gates, stream);

  if (gate)
    return gate;
  gate = read_gate (engine, stream, key, error);
  if (gate)
    g_hash_table_insert (engine->gates, gate->stream, gate);
  return gate;
}

static void
gate_committed (const NebulaUnit *unit,
                NebulaOutcome outcome,
                const GError *error,
                gpointer user_data)
{
  NebulaEngine *engine = user_data;

  if (outcome != NEBULA_OUTCOME_COMMITTED) {
    if (!engine->is_stopped)
      g_warning ("Gate %s: %s", unit->stream, error->message);
    g_hash_table_remove (engine->gates, unit->stream);
    return;
  }
  _nebula_post_deliver (engine, unit->messages);
}

static const char *
get_answer_kind (const NebulaGateAnswer *answer)
{
  if (answer->verdict == NEBULA_GATE_GRANTED)
    return "grant";
  return answer->verdict == NEBULA_GATE_REFUSED ? "refuse" : "cancel";
}

static void
add_verdict (NebulaGate *gate, const NebulaGateAnswer *answer, NebulaUnit *unit, gint64 now)
{
  const char *kind = get_answer_kind (answer);
  g_autofree char *id = g_strdup_printf ("%s:%s:%s", gate->stream, kind, answer->holder);
  g_autofree char *execution = _nebula_gate_dup_execution (answer->holder);
  g_autoptr (NebulaValueBuilder) payload = begin_payload (kind, answer->holder, gate->key);
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (answer->verdict == NEBULA_GATE_CANCELLED)
    nebula_value_builder_set_string (payload, "reason",
                                     _ ("A newer execution takes its place."));
  if (gate->tenant)
    nebula_value_builder_set_string (payload, "tenant", gate->tenant);
  value = nebula_value_builder_end (payload);
  bytes = nebula_value_to_msgpack (value);
  nebula_unit_add_message (unit, id, execution, bytes, now);
}

static void
add_answer (NebulaGate *gate, const NebulaGateAnswer *answer, NebulaUnit *unit, gint64 now)
{
  if (answer->verdict == NEBULA_GATE_BATCHED)
    _nebula_batch_add (gate->stream, gate->key, gate->tenant, answer, unit, now);
  else
    add_verdict (gate, answer, unit, now);
}

static void
add_checkpoint (NebulaGate *gate, NebulaUnit *unit)
{
  gate->segment_bytes += g_bytes_get_size (unit->facts);
  if (gate->segment_bytes <= MAX (CHECKPOINT_BYTES, gate->checkpoint_bytes) ||
      !nebula_store_get_is_durable (gate->engine->store))
    return;
  unit->checkpoint = nebula_gate_state_to_checkpoint (gate->state);
  gate->checkpoint = gate->state->sequence;
  gate->checkpoint_bytes = g_bytes_get_size (unit->checkpoint);
  gate->segment_bytes = 0;
}

static void
add_facts (NebulaGate *gate, NebulaUnit *unit, GByteArray *facts, gint64 now)
{
  unit->facts = g_bytes_new (facts->data, facts->len);
  add_checkpoint (gate, unit);
  unit->header = nebula_header_new (gate->stream);
  unit->header->kind = NEBULA_STREAM_KIND_GATE;
  unit->header->tenant = g_strdup (gate->tenant ? gate->tenant : "");
  unit->header->shard = _nebula_shard_of_gate (gate->stream);
  unit->header->format = NEBULA_GATE_FORMAT;
  unit->header->sequence = gate->state->sequence;
  unit->header->checkpoint = gate->checkpoint;
  unit->header->key = g_strdup (gate->key);
  unit->header->updated_usec = now;
}

/* One stimulus of a gate: what it says goes out with its facts. */
static void
submit (NebulaGate *gate, GByteArray *facts, GPtrArray *answers, const char *message_id)
{
  NebulaEngine *engine = gate->engine;
  NebulaUnit *unit = nebula_unit_new (gate->stream, gate->submitted);
  gint64 now = nebula_clock_get_real_usec (engine->clock);

  unit->n_facts = gate->state->sequence - gate->submitted;
  unit->strict = TRUE;
  if (unit->n_facts > 0)
    add_facts (gate, unit, facts, now);
  if (message_id)
    nebula_unit_add_consumed (unit, message_id);
  for (guint i = 0; i < answers->len; i++)
    add_answer (gate, answers->pdata[i], unit, now);
  gate->submitted = gate->state->sequence;
  _nebula_scheduler_set_wake (engine, &gate->wake,
                              nebula_gate_state_get_due (gate->state));
  nebula_journal_submit (engine->journal, unit, gate_committed, engine);
}

void
_nebula_gatekeeper_tick (NebulaGate *gate)
{
  g_autoptr (GByteArray) facts = g_byte_array_new ();
  g_autoptr (GPtrArray) answers =
      g_ptr_array_new_with_free_func (nebula_gate_answer_free);

  nebula_gate_tick (gate->state, nebula_clock_get_real_usec (gate->engine->clock), facts,
                    answers);
  if (facts->len > 0)
    submit (gate, facts, answers, NULL);
  else
    _nebula_scheduler_set_wake (gate->engine, &gate->wake,
                                nebula_gate_state_get_due (gate->state));
}

void
_nebula_gatekeeper_take_up (NebulaEngine *engine, const char *key)
{
  g_autofree char *stream = _nebula_gate_make_stream (key);
  g_autoptr (GError) error = NULL;
  NebulaGate *gate;

  if (!_nebula_peers_owns (engine, _nebula_shard_of_gate (stream)))
    return;
  gate = load_gate (engine, stream, key, &error);
  if (gate)
    _nebula_gatekeeper_tick (gate);
  else
    g_warning ("Gate %s: %s", key, error->message);
}

gint64
_nebula_gatekeeper_get_due (NebulaEngine *engine, const char *key)
{
  g_autofree char *stream = _nebula_gate_make_stream (key);
  NebulaGate *gate = g_hash_table_lookup (engine->gates, stream);

  return gate && gate->wake.entry.place ? gate->wake.entry.time : 0;
}

static NebulaGateRule
read_rule (NebulaValue *payload)
{
  gint64 kind = nebula_value_get_member_integer (payload, "gate", 0);
  gint64 strategy = nebula_value_get_member_integer (payload, "strategy", 0);
  gint64 limit = nebula_value_get_member_integer (payload, "limit", 1);

  return (NebulaGateRule){
      .kind = (guint8) CLAMP (kind, 0, NEBULA_GATE_N_KINDS - 1),
      .strategy = (guint8) CLAMP (strategy, 0, NEBULA_GATE_CANCEL_NEWEST),
      .limit = (guint32) CLAMP (limit, 1, G_MAXUINT32),
      .period_usec = MAX (nebula_value_get_member_integer (payload, "period", 0), 0),
  };
}

void
_nebula_gatekeeper_handle (NebulaEngine *engine,
                           const NebulaMessage *message,
                           NebulaValue *payload)
{
  const char *kind = nebula_value_get_member_string (payload, "kind", "");
  const char *key = nebula_value_get_member_string (payload, "key", "");
  NebulaGateAsk ask = {
      .holder = nebula_value_get_member_string (payload, "holder", ""),
      .share = nebula_value_get_member_string (payload, "share", NULL),
      .priority = nebula_value_get_member_integer (payload, "priority", 0),
      .rule = read_rule (payload),
      .is_back = nebula_value_get_member_boolean (payload, "back", FALSE),
      .value = nebula_value_get_member (payload, "value"),
  };
  gint64 now = nebula_clock_get_real_usec (engine->clock);
  g_autoptr (GByteArray) facts = g_byte_array_new ();
  g_autoptr (GPtrArray) answers =
      g_ptr_array_new_with_free_func (nebula_gate_answer_free);
  g_autoptr (GError) error = NULL;
  NebulaGate *gate = load_gate (engine, message->stream, key, &error);

  if (!gate) {
    g_warning ("Gate %s: %s", key, error->message);
    return;
  }
  if (!gate->tenant)
    gate->tenant = g_strdup (nebula_value_get_member_string (payload, "tenant", NULL));
  if (g_str_equal (kind, "ask"))
    nebula_gate_ask (gate->state, &ask, now, facts, answers);
  else
    nebula_gate_release (gate->state, ask.holder, now, facts, answers);
  submit (gate, facts, answers, message->id);
}

static gboolean
is_gone (NebulaEngine *engine, const char *holder)
{
  g_autofree char *execution = _nebula_gate_dup_execution (holder);
  g_autoptr (NebulaHeader) header =
      nebula_store_read_header (engine->store, execution, NULL);

  if (!header)
    return !g_hash_table_contains (engine->instances, execution);
  return nebula_execution_status_is_terminal (header->status);
}

/* What is in the memory of another engine only is known there: that one is asked. */
static gboolean
ask_owner (NebulaGate *gate, const char *holder)
{
  g_autofree char *execution = _nebula_gate_dup_execution (holder);
  g_autofree char *id = g_strdup_printf ("%s:check:%s", gate->stream, holder);
  g_autoptr (NebulaValueBuilder) payload = NULL;
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (NebulaMessage) message = NULL;
  guint shard = _nebula_shard_of_execution (gate->tenant ? gate->tenant : "", execution);

  if (!gate->tenant || !_nebula_peers_has_other_owner (gate->engine, shard))
    return FALSE;
  payload = begin_payload ("check", holder, gate->key);
  nebula_value_builder_set_string (payload, "tenant", gate->tenant);
  value = nebula_value_builder_end (payload);
  bytes = nebula_value_to_msgpack (value);
  message = nebula_message_new (id, execution, bytes, 0);
  _nebula_peers_forward (gate->engine, shard, message);
  return TRUE;
}

void
_nebula_gatekeeper_check (NebulaEngine *engine, NebulaValue *payload)
{
  const char *holder = nebula_value_get_member_string (payload, "holder", "");
  const char *key = nebula_value_get_member_string (payload, "key", "");
  g_autofree char *stream = _nebula_gate_make_stream (key);
  g_autofree char *id = g_strdup_printf ("%s:gone:%s", holder, stream);
  g_autoptr (NebulaValueBuilder) builder = begin_payload ("release", holder, key);
  g_autoptr (NebulaValue) value = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (NebulaMessage) message = NULL;

  if (!is_gone (engine, holder))
    return;
  value = nebula_value_builder_end (builder);
  bytes = nebula_value_to_msgpack (value);
  message = nebula_message_new (id, stream, bytes, 0);
  _nebula_post_deliver_one (engine, message);
}

static GPtrArray *
list_known (NebulaGate *gate)
{
  GPtrArray *known = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, gate->state->holders);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_ptr_array_add (known, g_strdup (id));
  for (GList *link = gate->state->queue.head; link; link = link->next)
    g_ptr_array_add (known, g_strdup (((NebulaGateEntry *) link->data)->holder));
  return known;
}

/* Releases holders and waiters that ended without a word: those of durability `memory`. */
static void
reconcile (NebulaGate *gate)
{
  g_autoptr (GByteArray) facts = g_byte_array_new ();
  g_autoptr (GPtrArray) answers =
      g_ptr_array_new_with_free_func (nebula_gate_answer_free);
  g_autoptr (GPtrArray) known = list_known (gate);
  gint64 now = nebula_clock_get_real_usec (gate->engine->clock);

  for (guint i = 0; i < known->len; i++) {
    if (is_gone (gate->engine, known->pdata[i]) && !ask_owner (gate, known->pdata[i]))
      nebula_gate_release (gate->state, known->pdata[i], now, facts, answers);
  }
  nebula_gate_tick (gate->state, now, facts, answers);
  if (facts->len > 0)
    submit (gate, facts, answers, NULL);
  else
    _nebula_scheduler_set_wake (gate->engine, &gate->wake,
                                nebula_gate_state_get_due (gate->state));
}

gboolean
_nebula_gatekeeper_recover (NebulaEngine *engine, GError **error)
{
  NebulaHeaderQuery query = {.kind = NEBULA_STREAM_KIND_GATE, .limit = G_MAXINT};
  g_autoptr (GPtrArray) headers =
      nebula_store_list_headers (engine->store, &query, error);

  if (!headers)
    return FALSE;
  for (guint i = 0; i < headers->len; i++) {
    NebulaHeader *header = headers->pdata[i];
    NebulaGate *gate;

    if (!_nebula_peers_owns (engine, _nebula_shard_of_gate (header->stream)))
      continue;
    gate = load_gate (engine, header->stream, header->key, error);
    if (!gate)
      return FALSE;
    reconcile (gate);
  }
  return TRUE;
}

/* Views. */

static NebulaValue *
view_entry (NebulaGateEntry *entry)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *since = nebula_timestamp_to_string (entry->since_usec, 0);
  const char *stay = strstr (entry->holder, "#@");
  g_autofree char *execution = stay ? _nebula_gate_dup_execution (entry->holder) : NULL;

  nebula_value_builder_set_string (builder, "holder", stay ? execution : entry->holder);
  nebula_value_builder_set_string (builder, "since", since);
  if (entry->priority != 0)
    nebula_value_builder_set_integer (builder, "priority", entry->priority);
  if (entry->share)
    nebula_value_builder_set_string (builder, "share", entry->share);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
view (NebulaGate *gate, gboolean is_whole)
{
  NebulaGateState *state = gate->state;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) inside = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) waiting = nebula_value_builder_new_array ();
  GHashTableIter iter;
  gpointer entry;

  nebula_value_builder_set_string (builder, "key", gate->key);
  nebula_value_builder_set_string (builder, "kind",
                                   nebula_gate_kind_to_string (state->rule.kind));
  nebula_value_builder_set_integer (builder, "limit", state->rule.limit);
  nebula_value_builder_set_integer (builder, "inside",
                                    g_hash_table_size (state->holders));
  nebula_value_builder_set_integer (builder, "waiting", state->queue.length);
  if (!is_whole)
    return nebula_value_builder_end (builder);
  g_hash_table_iter_init (&iter, state->holders);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    nebula_value_builder_add_take (inside, view_entry (entry));
  for (GList *link = state->queue.head; link; link = link->next)
    nebula_value_builder_add_take (waiting, view_entry (link->data));
  nebula_value_builder_set_take (builder, "holders", nebula_value_builder_end (inside));
  nebula_value_builder_set_take (builder, "queue", nebula_value_builder_end (waiting));
  return nebula_value_builder_end (builder);
}

/**
 * nebula_engine_list_queues:
 * @self: an engine
 * @error: where the failure goes
 *
 * Lists the gates of the store: concurrency keys, rates, locks and the like, as far as they are committed. Blocks for the
 * store.
 *
 * Errors: those of the store.
 *
 * Returns: (transfer full): an array of {key, kind, limit, inside, waiting}
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_list_queues (NebulaEngine *self, GError **error)
{
  NebulaHeaderQuery query = {.kind = NEBULA_STREAM_KIND_GATE, .limit = G_MAXINT};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (GPtrArray) headers = NULL;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  headers = nebula_store_list_headers (self->store, &query, error);
  if (!headers)
    return NULL;
  for (guint i = 0; i < headers->len; i++) {
    NebulaHeader *header = headers->pdata[i];
    NebulaGate *gate = read_gate (self, header->stream, header->key, error);

    if (!gate)
      return NULL;
    nebula_value_builder_add_take (builder, view (gate, FALSE));
    _nebula_gate_free (gate);
  }
  return nebula_value_builder_end (builder);
}

/**
 * nebula_engine_get_queue:
 * @self: an engine
 * @key: the key of a gate
 * @error: where the failure goes
 *
 * Looks at one gate of the store, as far as it is committed. Blocks for the store.
 *
 * Errors: %NEBULA_ERROR_NOT_FOUND (terminal); those of the store.
 *
 * Returns: (transfer full): an object {key, kind, limit, inside, waiting, holders, queue}; the last two are arrays of
 *   {holder, since, priority?, share?}
 *
 * Since: 1.0
 */
NebulaValue *
nebula_engine_get_queue (NebulaEngine *self, const char *key, GError **error)
{
  g_autofree char *stream = NULL;
  NebulaGate *gate;
  NebulaValue *value;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);
  stream = _nebula_gate_make_stream (key);
  gate = read_gate (self, stream, key, error);
  if (!gate)
    return NULL;
  value = view (gate, TRUE);
  if (gate->state->sequence == 0) {
    g_clear_pointer (&value, nebula_value_unref);
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
                 _ ("There is no queue “%s”. List the queues to see their keys."), key);
  }
  _nebula_gate_free (gate);
  return value;
}
