/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gates: streams of their own that let a limited number of holders in: executions, or node-runs that want a lock. An
 * execution asks by a message in its own unit, the gate grants by a message in its unit; the unit that ends an execution carries the release. Nobody acts on
 * what is not committed. After a crash the inboxes hold what was on the way, and holders that are gone are released.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-gate-internal.h"
#include "nebula-msgpack.h"

typedef struct {
  NebulaEngine *engine;
  char *stream;
  char *key;
  NebulaGateState *state;
  guint64 submitted;
} NebulaGate;

void
_nebula_gate_free (gpointer data)
{
  NebulaGate *gate = data;

  nebula_gate_state_free (gate->state);
  g_free (gate->stream);
  g_free (gate->key);
  g_free (gate);
}

/* A holder is an execution, or a node-run of one: ID#NODE-RUN. */
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

static NebulaValue *
make_payload (const char *kind, const char *holder, const char *key, guint limit)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "kind", kind);
  nebula_value_builder_set_string (builder, "holder", holder);
  nebula_value_builder_set_string (builder, "key", key);
  nebula_value_builder_set_integer (builder, "limit", limit);
  return nebula_value_builder_end (builder);
}

static void
attach (NebulaInstance *instance, const char *kind)
{
  const char *key = nebula_kernel_get_state (instance->kernel)->gate_key;
  g_autofree char *id = g_strdup_printf ("%s:%s", instance->id, kind);
  g_autofree char *stream = _nebula_gate_make_stream (key);
  g_autoptr (NebulaValue) payload =
      make_payload (kind, instance->id, key, instance->plan->concurrency_limit);

  _nebula_post_add (instance, id, stream, payload);
}

void
_nebula_gatekeeper_attach (NebulaInstance *instance)
{
  NebulaState *state = nebula_kernel_get_state (instance->kernel);

  if (!state->gate_key)
    return;
  if (nebula_execution_status_is_terminal (state->status))
    attach (instance, "release");
  else if (state->gate == 1 && !instance->is_asking_gate) {
    instance->is_asking_gate = TRUE;
    attach (instance, "ask");
  }
}

static NebulaGate *
load_gate (NebulaEngine *engine, const char *stream, const char *key, GError **error)
{
  NebulaGate *gate = g_hash_table_lookup (engine->gates, stream);
  g_autoptr (GPtrArray) segments = NULL;

  if (gate)
    return gate;
  segments = nebula_store_read_segments (engine->store, stream, 0, 0, error);
  if (!segments)
    return NULL;
  gate = g_new0 (NebulaGate, 1);
  gate->engine = engine;
  gate->stream = g_strdup (stream);
  gate->key = g_strdup (key);
  gate->state = nebula_gate_state_new ();
  g_hash_table_insert (engine->gates, gate->stream, gate);
  for (guint i = 0; i < segments->len; i++) {
    if (nebula_gate_state_fold (gate->state,
                                ((NebulaSegment *) segments->pdata[i])->facts, error))
      continue;
    g_hash_table_remove (engine->gates, stream);
    return NULL;
  }
  gate->submitted = gate->state->sequence;
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
    g_warning ("Gate %s: %s", unit->stream, error->message);
    g_hash_table_remove (engine->gates, unit->stream);
    return;
  }
  _nebula_post_deliver (engine, unit->messages);
}

static void
submit (NebulaGate *gate, GByteArray *facts, GPtrArray *granted, const char *message_id)
{
  NebulaEngine *engine = gate->engine;
  NebulaUnit *unit = nebula_unit_new (gate->stream, gate->submitted);
  gint64 now = nebula_clock_get_real_usec (engine->clock);

  unit->n_facts = gate->state->sequence - gate->submitted;
  unit->strict = TRUE;
  if (unit->n_facts > 0) {
    unit->facts = g_bytes_new (facts->data, facts->len);
    unit->header = nebula_header_new (gate->stream);
    unit->header->kind = NEBULA_STREAM_KIND_GATE;
    unit->header->tenant = g_strdup ("");
    unit->header->format = NEBULA_GATE_FORMAT;
    unit->header->sequence = gate->state->sequence;
    unit->header->key = g_strdup (gate->key);
    unit->header->updated_usec = now;
  }
  if (message_id)
    nebula_unit_add_consumed (unit, message_id);
  for (guint i = 0; i < granted->len; i++) {
    const char *holder = granted->pdata[i];
    g_autofree char *id = g_strdup_printf ("%s:%s", gate->stream, holder);
    g_autofree char *execution = _nebula_gate_dup_execution (holder);
    g_autoptr (NebulaValue) payload = make_payload ("grant", holder, gate->key, 0);
    g_autoptr (GBytes) bytes = nebula_value_to_msgpack (payload);

    nebula_unit_add_message (unit, id, execution, bytes, now);
  }
  gate->submitted = gate->state->sequence;
  nebula_journal_submit (engine->journal, unit, gate_committed, engine);
}

void
_nebula_gatekeeper_handle (NebulaEngine *engine,
                           const NebulaMessage *message,
                           NebulaValue *payload)
{
  const char *kind = nebula_value_get_member_string (payload, "kind", "");
  const char *holder = nebula_value_get_member_string (payload, "holder", "");
  const char *key = nebula_value_get_member_string (payload, "key", "");
  gint64 limit = nebula_value_get_member_integer (payload, "limit", 1);
  g_autoptr (GByteArray) facts = g_byte_array_new ();
  g_autoptr (GPtrArray) granted = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  NebulaGate *gate = load_gate (engine, message->stream, key, &error);

  if (!gate) {
    g_warning ("Gate %s: %s", key, error->message);
    return;
  }
  if (g_str_equal (kind, "ask"))
    nebula_gate_ask (gate->state, holder, (guint32) CLAMP (limit, 1, G_MAXUINT32),
                     facts, granted);
  else
    nebula_gate_release (gate->state, holder, facts, granted);
  submit (gate, facts, granted, message->id);
}

static gboolean
is_gone (NebulaEngine *engine, const char *holder)
{
  g_autofree char *execution = _nebula_gate_dup_execution (holder);
  g_autoptr (NebulaHeader) header =
      nebula_store_read_header (engine->store, execution, NULL);

  return !header || nebula_execution_status_is_terminal (header->status);
}

/* Releases holders and waiters that ended without a word: those of durability `memory`. */
static void
reconcile (NebulaGate *gate)
{
  g_autoptr (GByteArray) facts = g_byte_array_new ();
  g_autoptr (GPtrArray) granted = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) known = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, gate->state->holders);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_ptr_array_add (known, g_strdup (id));
  for (GList *link = gate->state->queue.head; link; link = link->next)
    g_ptr_array_add (known, g_strdup (link->data));
  for (guint i = 0; i < known->len; i++) {
    if (is_gone (gate->engine, known->pdata[i]))
      nebula_gate_release (gate->state, known->pdata[i], facts, granted);
  }
  if (facts->len > 0)
    submit (gate, facts, granted, NULL);
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
    NebulaGate *gate = load_gate (engine, header->stream, header->key, error);

    if (!gate)
      return FALSE;
    reconcile (gate);
  }
  return TRUE;
}
