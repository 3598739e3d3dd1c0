/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A state becomes a checkpoint: one function a structure, in the order of nebula-checkpoint-internal.h. */

#include "nebula-checkpoint-private.h"
#include "nebula-msgpack.h"
#include "nebula-results-private.h"
#include "nebula-plant-internal.h"
#include "nebula-wire-private.h"

typedef struct {
  NebulaState *state;
  GByteArray *bytes;
  GHashTable *values; /* NebulaValue, by address → number */
  GHashTable *texts;  /* text → number */
  guint n_values;
  gint64 last_usec;
} Writer;

static void write_lane (Writer *self, NebulaLane *lane);

static void
write_number (Writer *self, guint64 number)
{
  _nebula_wire_append_varint (self->bytes, number);
}

static void
write_bits (Writer *self, guint64 bits)
{
  guint64 little = GUINT64_TO_LE (bits);

  g_byte_array_append (self->bytes, (const guint8 *) &little, sizeof little);
}

/* Differences wrap; the reader's do as well. */
static void
write_time (Writer *self, gint64 usec)
{
  _nebula_wire_append_zigzag (self->bytes,
                              (gint64) ((guint64) usec - (guint64) self->last_usec));
  self->last_usec = usec;
}

static void
write_text (Writer *self, const char *text)
{
  gpointer number;

  if (g_hash_table_lookup_extended (self->texts, text, NULL, &number)) {
    write_number (self, NEBULA_TEXT_KNOWN + GPOINTER_TO_UINT (number));
    return;
  }
  g_hash_table_insert (self->texts, (gpointer) text,
                       GUINT_TO_POINTER (g_hash_table_size (self->texts)));
  write_number (self, NEBULA_TEXT_NEW);
  _nebula_wire_append_text (self->bytes, text);
}

/* Gives a value the next number. A part of a value that was written before may have one already. */
static void
number_value (Writer *self, NebulaValue *value)
{
  guint number;

  if (!value || !_nebula_checkpoint_shares (value))
    return;
  number = self->n_values++;
  if (!g_hash_table_contains (self->values, value))
    g_hash_table_insert (self->values, value, GUINT_TO_POINTER (number));
}

/* FALSE: it was not written before. */
static gboolean
write_known (Writer *self, NebulaValue *value)
{
  gpointer number;

  if (!value)
    write_number (self, NEBULA_VALUE_NONE);
  else if (g_hash_table_lookup_extended (self->values, value, NULL, &number))
    write_number (self, NEBULA_VALUE_KNOWN + GPOINTER_TO_UINT (number));
  else
    return FALSE;
  return TRUE;
}

static void
write_value (Writer *self, NebulaValue *value)
{
  if (write_known (self, value))
    return;
  write_number (self, NEBULA_VALUE_PACKED);
  nebula_value_append_msgpack (value, self->bytes);
  number_value (self, value);
}

/* The members are values of other nodes. */
static void
write_inputs (Writer *self, NebulaValue *inputs)
{
  gsize length;

  if (write_known (self, inputs))
    return;
  write_number (self, NEBULA_VALUE_MEMBERS);
  length = nebula_value_get_length (inputs);
  write_number (self, length);
  for (gsize i = 0; i < length; i++) {
    write_text (self, nebula_value_get_key (inputs, i, NULL));
    write_value (self, nebula_value_get_member_at (inputs, i));
  }
  number_value (self, inputs);
}

static void
write_field (Writer *self,
             const NebulaStruct *structure,
             const NebulaField *field,
             gconstpointer data)
{
  switch ((NebulaFieldType) field->type) {
  case NEBULA_FIELD_UINT8:
    write_number (self, G_STRUCT_MEMBER (guint8, data, field->offset));
    break;
  case NEBULA_FIELD_UINT16:
    write_number (self, G_STRUCT_MEMBER (guint16, data, field->offset));
    break;
  case NEBULA_FIELD_UINT32:
    write_number (self, G_STRUCT_MEMBER (guint32, data, field->offset));
    break;
  case NEBULA_FIELD_UINT64:
    write_number (self, G_STRUCT_MEMBER (guint64, data, field->offset));
    break;
  case NEBULA_FIELD_INT64:
    _nebula_wire_append_zigzag (self->bytes,
                                G_STRUCT_MEMBER (gint64, data, field->offset));
    break;
  case NEBULA_FIELD_BITS:
    write_bits (self, G_STRUCT_MEMBER (guint64, data, field->offset));
    break;
  case NEBULA_FIELD_TIME:
    write_time (self, G_STRUCT_MEMBER (gint64, data, field->offset));
    break;
  case NEBULA_FIELD_TEXT:
  case NEBULA_FIELD_NAME:
    write_text (self, G_STRUCT_MEMBER (const char *, data, field->offset));
    break;
  case NEBULA_FIELD_VALUE:
    write_value (self, G_STRUCT_MEMBER (NebulaValue *, data, field->offset));
    break;
  case NEBULA_FIELD_INPUTS:
    write_inputs (self, G_STRUCT_MEMBER (NebulaValue *, data, field->offset));
    break;
  case NEBULA_FIELD_FLAGS:
    write_number (self, structure->get_flags (data));
    break;
  default:
    g_return_if_reached ();
  }
}

static void
write_fields (Writer *self, const NebulaStruct *structure, gconstpointer data)
{
  guint32 present = _nebula_struct_get_present (structure, data);

  write_number (self, present);
  for (guint i = 0; i < structure->n_fields; i++) {
    if (present & (1u << i))
      write_field (self, structure, &structure->fields[i], data);
  }
}

static NebulaEdgeState *
get_in_edge (Writer *self, NebulaLane *lane, guint32 node, guint32 index)
{
  NebulaPlan *plan = self->state->plan;

  return &lane->edges[plan->in_edges[plan->nodes[node].first_in + index] -
                      plan->scopes[lane->scope].first_edge];
}

static void
write_tokens (Writer *self, NebulaEdgeState *edge)
{
  write_number (self, edge->n_tokens);
  write_value (self, edge->first);
  if (edge->n_tokens == 1)
    return;
  for (GList *link = edge->more->head; link; link = link->next)
    write_value (self, link->data == edge ? NULL : link->data);
}

static void
write_connection (Writer *self, NebulaEdgeState *edge)
{
  gboolean has_tokens = edge->n_tokens > 0 && !NEBULA_PLANT ("checkpoint-forgets-tokens");

  write_number (self, (guint64) edge->n_seen << NEBULA_CONNECTION_SEEN_SHIFT |
                          (has_tokens ? NEBULA_CONNECTION_TOKENS : 0u) |
                          (edge->guarded ? NEBULA_CONNECTION_GUARDED : 0u));
  if (has_tokens)
    write_tokens (self, edge);
  if (!edge->guarded)
    return;
  write_number (self, edge->guarded->length);
  for (GList *link = edge->guarded->head; link; link = link->next)
    write_value (self, link->data);
}

static void
write_results (Writer *self, GPtrArray *results)
{
  write_number (self, results->len);
  for (guint i = 0; i < results->len; i++) {
    NebulaResultChunk *chunk = results->pdata[i];
    guint n_results = chunk && chunk->results ? NEBULA_LIST_CHUNK_ITEMS : 0;

    write_number (self, chunk ? chunk->n_ended : 0);
    if (!chunk)
      continue;
    write_value (self, chunk->stored);
    if (chunk->stored)
      continue;
    while (n_results > 0 && !chunk->results[n_results - 1])
      n_results--;
    write_number (self, n_results);
    for (guint j = 0; j < n_results; j++)
      write_value (self, chunk->results[j]);
  }
}

static void
write_added (Writer *self, NebulaLoop *loop)
{
  guint n_added = loop->added ? loop->added->len : 0;

  write_number (self, n_added);
  for (guint i = 0; i < n_added; i++)
    write_value (self, loop->added->pdata[i]);
}

static void
write_loop (Writer *self, NebulaLoop *loop)
{
  NebulaPlanNode *node = &self->state->plan->nodes[loop->work->node];

  write_fields (self, &_nebula_struct_loop, loop);
  if (loop->results)
    write_results (self, loop->results);
  if (loop->items)
    write_added (self, loop);
  write_number (self, loop->n_open);
  for (NebulaLane *lane = loop->lanes; lane; lane = lane->next) {
    write_number (self, lane->number);
    write_number (self, lane->index);
    if (nebula_construct_is_loop (node->construct))
      number_value (self, lane->item);
    else
      write_value (self, lane->item);
    write_lane (self, lane);
  }
}

static void
write_work (Writer *self, NebulaWork *work)
{
  write_fields (self, &_nebula_struct_work, work);
  if (work->loop)
    write_loop (self, work->loop);
}

static gboolean
is_untouched (Writer *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);

  if (_nebula_struct_get_present (&_nebula_struct_run, run) != 0)
    return FALSE;
  for (guint i = 0; i < nebula_plan_node_count_in (&self->state->plan->nodes[node]); i++) {
    NebulaEdgeState *edge = get_in_edge (self, lane, node, i);

    if (edge->n_seen > 0 || edge->n_tokens > 0 || edge->guarded)
      return FALSE;
  }
  return TRUE;
}

static void
write_entry (Writer *self, NebulaLane *lane, guint32 node)
{
  NebulaPlanNode *plan_node = &self->state->plan->nodes[node];
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);

  write_text (self, plan_node->id);
  write_fields (self, &_nebula_struct_run, run);
  for (guint i = 0; i < nebula_plan_node_count_in (plan_node); i++)
    write_connection (self, get_in_edge (self, lane, node, i));
  if (run->work)
    write_work (self, run->work);
}

static void
write_lane (Writer *self, NebulaLane *lane)
{
  NebulaPlanScope *scope = &self->state->plan->scopes[lane->scope];
  guint32 end = scope->first_node + scope->n_nodes;

  write_fields (self, &_nebula_struct_lane, lane);
  for (guint32 node = scope->first_node; node < end; node++) {
    if (!is_untouched (self, lane, node))
      write_entry (self, lane, node);
  }
  write_number (self, NEBULA_TEXT_NONE);
}

static void
write_signals (Writer *self)
{
  write_number (self, self->state->signals.length);
  for (GList *link = self->state->signals.head; link; link = link->next) {
    NebulaSignal *signal = link->data;

    write_text (self, signal->name);
    write_value (self, signal->value);
  }
}

static void
write_undo (Writer *self, NebulaUndo *undo)
{
  write_number (self, undo->node);
  write_text (self, self->state->plan->nodes[undo->node].id);
  write_number (self, undo->owner);
  write_number (self, undo->status);
  write_text (self, undo->path);
  write_value (self, undo->parameters);
  write_value (self, undo->input);
  write_value (self, undo->failure);
  if (undo->status != NEBULA_UNDO_RUNNING)
    return;
  write_number (self, undo->lane->number);
  write_lane (self, undo->lane);
}

static void
write_undos (Writer *self)
{
  GPtrArray *undos = self->state->undos;

  write_number (self, undos->len);
  for (guint i = 0; i < undos->len; i++)
    write_undo (self, undos->pdata[i]);
}

static void
write_locks (Writer *self)
{
  GPtrArray *locks = self->state->locks;

  write_number (self, locks->len);
  for (guint i = 0; i < locks->len; i++) {
    NebulaLock *lock = locks->pdata[i];

    write_text (self, lock->name);
    write_number (self, lock->works.length);
    for (GList *link = lock->works.head; link; link = link->next) {
      NebulaWork *work = link->data;

      write_number (self, work->lane->number);
      write_text (self, self->state->plan->nodes[work->node].id);
    }
  }
}

static void
write_works (Writer *self)
{
  write_number (self, self->state->works.length);
  for (GList *link = self->state->works.head; link; link = link->next) {
    NebulaWork *work = link->data;

    write_number (self, work->lane->number);
    write_text (self, self->state->plan->nodes[work->node].id);
  }
}

static void
write_agenda_item (Writer *self, const NebulaAgendaItem *item)
{
  NebulaPlan *plan = self->state->plan;
  NebulaPlanEdge *edge;

  write_number (self, item->kind);
  write_number (self, item->lane);
  switch ((NebulaAgendaKind) item->kind) {
  case NEBULA_AGENDA_GUARD:
    edge = &plan->edges[item->index];
    write_text (self, plan->nodes[edge->to].id);
    write_number (self, edge->in_index);
    break;
  case NEBULA_AGENDA_NODE:
  case NEBULA_AGENDA_NEED:
  case NEBULA_AGENDA_LOOP:
    write_text (self, plan->nodes[item->index].id);
    break;
  case NEBULA_AGENDA_LANE:
  default:
    break;
  }
}

/* What is due later may be due now: all items are kept, but those of lanes that are gone. */
static void
write_agenda (Writer *self)
{
  NebulaState *state = self->state;
  guint n_items = 0;

  for (guint i = state->agenda_head; i < state->agenda->len; i++)
    n_items +=
        nebula_state_get_lane (
            state, g_array_index (state->agenda, NebulaAgendaItem, i).lane) != NULL;
  write_number (self, n_items);
  for (guint i = state->agenda_head; i < state->agenda->len; i++) {
    NebulaAgendaItem *item = &g_array_index (state->agenda, NebulaAgendaItem, i);

    if (nebula_state_get_lane (state, item->lane))
      write_agenda_item (self, item);
  }
}

static void
write_state (Writer *self)
{
  write_fields (self, &_nebula_struct_state, self->state);
  if (self->state->root) {
    number_value (self, self->state->input);
    write_lane (self, self->state->root);
  }
  if (self->state->undos)
    write_undos (self);
  write_signals (self);
  write_works (self);
  if (self->state->locks && self->state->locks->len > 0)
    write_locks (self);
  write_agenda (self);
}

GBytes *
nebula_state_to_checkpoint (NebulaState *self)
{
  g_autoptr (GHashTable) values = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) texts = g_hash_table_new (g_str_hash, g_str_equal);
  Writer writer = {.state = self,
                   .bytes = g_byte_array_sized_new (1024),
                   .values = values,
                   .texts = texts};

  write_number (&writer, NEBULA_CHECKPOINT_FORMAT);
  write_state (&writer);
  write_bits (&writer, _nebula_checkpoint_sum (writer.bytes->data, writer.bytes->len));
  return g_byte_array_free_to_bytes (writer.bytes);
}
