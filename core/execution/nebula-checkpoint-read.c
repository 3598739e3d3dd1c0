/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A checkpoint becomes a state. Nothing that is read is trusted: after a mistake all further reads give zeros, and the
 * state is thrown away. What the kernel relies on is checked where it is read; see also nebula_state_accepts ().
 */

#include <glib/gi18n-lib.h>

#include "nebula-checkpoint-private.h"
#include "nebula-error.h"
#include "nebula-msgpack-internal.h"
#include "nebula-results-private.h"
#include "nebula-wire-private.h"

typedef struct {
  NebulaState *state;
  const guint8 *data;
  gsize size;
  gsize offset;
  GPtrArray *values; /* NebulaValue, by number */
  GPtrArray *texts;  /* char *, by number */
  gint64 last_usec;
  gboolean is_broken;
} Reader;

static void read_lane (Reader *self, NebulaLane *lane);

static gboolean
require (Reader *self, gboolean holds)
{
  self->is_broken |= !holds;
  return !self->is_broken;
}

static guint64
read_number (Reader *self)
{
  guint64 number = 0;

  if (self->is_broken)
    return 0;
  require (self,
           _nebula_wire_read_varint (self->data, self->size, &self->offset, &number));
  return self->is_broken ? 0 : number;
}

static guint32
read_limited (Reader *self, guint32 maximum)
{
  guint64 number = read_number (self);

  return require (self, number <= maximum) ? (guint32) number : 0;
}

static gint64
read_signed (Reader *self)
{
  gint64 number = 0;

  if (self->is_broken)
    return 0;
  require (self,
           _nebula_wire_read_zigzag (self->data, self->size, &self->offset, &number));
  return self->is_broken ? 0 : number;
}

static guint64
read_bits (Reader *self)
{
  guint64 bits = 0;

  if (!require (self, self->size - self->offset >= sizeof bits))
    return 0;
  for (guint i = 0; i < sizeof bits; i++)
    bits |= (guint64) self->data[self->offset++] << (8 * i);
  return bits;
}

static gint64
read_time (Reader *self)
{
  gint64 usec = (gint64) ((guint64) self->last_usec + (guint64) read_signed (self));

  if (!require (self, usec >= 0 && usec <= NEBULA_CHECKPOINT_TIME_MAX))
    return 0;
  self->last_usec = usec;
  return usec;
}

/* NULL: none, or broken. */
static const char *
read_text (Reader *self)
{
  guint64 number = read_number (self);
  char *text = NULL;

  if (number == NEBULA_TEXT_NONE || self->is_broken)
    return NULL;
  if (number >= NEBULA_TEXT_KNOWN) {
    number -= NEBULA_TEXT_KNOWN;
    return require (self, number < self->texts->len) ? self->texts->pdata[number] : NULL;
  }
  if (!require (self,
                _nebula_wire_read_text (self->data, self->size, &self->offset, &text)))
    return NULL;
  g_ptr_array_add (self->texts, text);
  return require (self, g_utf8_validate (text, -1, NULL)) ? text : NULL;
}

static void
number_value (Reader *self, NebulaValue *value)
{
  if (value && _nebula_checkpoint_shares (value))
    g_ptr_array_add (self->values, nebula_value_ref (value));
}

static NebulaValue *
read_packed (Reader *self)
{
  NebulaValue *value =
      nebula_value_read_msgpack_own (self->data, self->size, &self->offset, NULL);

  if (require (self, value != NULL))
    number_value (self, value);
  return value;
}

/* NULL: none, or broken. */
static NebulaValue *
read_value (Reader *self)
{
  guint64 number = read_number (self);

  if (number == NEBULA_VALUE_NONE || self->is_broken)
    return NULL;
  if (number == NEBULA_VALUE_PACKED)
    return read_packed (self);
  if (!require (self, number != NEBULA_VALUE_MEMBERS &&
                          number - NEBULA_VALUE_KNOWN < self->values->len))
    return NULL;
  return nebula_value_ref (self->values->pdata[number - NEBULA_VALUE_KNOWN]);
}

static NebulaValue *
read_members (Reader *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  guint64 length = read_number (self);
  NebulaValue *inputs;

  for (guint64 i = 0; i < length && !self->is_broken; i++) {
    const char *key = read_text (self);
    g_autoptr (NebulaValue) member = read_value (self);

    if (require (self, key && member))
      nebula_value_builder_set (builder, key, member);
  }
  if (self->is_broken)
    return NULL;
  inputs = nebula_value_builder_end (builder);
  number_value (self, inputs);
  return inputs;
}

static NebulaValue *
read_inputs (Reader *self)
{
  gsize start = self->offset;

  if (read_number (self) == NEBULA_VALUE_MEMBERS && !self->is_broken)
    return read_members (self);
  self->offset = start;
  return read_value (self);
}

/* The field is zero before. */
static void
read_field (Reader *self,
            const NebulaStruct *structure,
            const NebulaField *field,
            gpointer data)
{
  switch ((NebulaFieldType) field->type) {
  case NEBULA_FIELD_UINT8:
    G_STRUCT_MEMBER (guint8, data, field->offset) =
        (guint8) read_limited (self, G_MAXUINT8);
    break;
  case NEBULA_FIELD_UINT16:
    G_STRUCT_MEMBER (guint16, data, field->offset) =
        (guint16) read_limited (self, G_MAXUINT16);
    break;
  case NEBULA_FIELD_UINT32:
    G_STRUCT_MEMBER (guint32, data, field->offset) = read_limited (self, G_MAXUINT32);
    break;
  case NEBULA_FIELD_UINT64:
    G_STRUCT_MEMBER (guint64, data, field->offset) = read_number (self);
    break;
  case NEBULA_FIELD_INT64:
    G_STRUCT_MEMBER (gint64, data, field->offset) = read_signed (self);
    break;
  case NEBULA_FIELD_BITS:
    G_STRUCT_MEMBER (guint64, data, field->offset) = read_bits (self);
    break;
  case NEBULA_FIELD_TIME:
    G_STRUCT_MEMBER (gint64, data, field->offset) = read_time (self);
    break;
  case NEBULA_FIELD_TEXT:
    G_STRUCT_MEMBER (char *, data, field->offset) = g_strdup (read_text (self));
    break;
  case NEBULA_FIELD_NAME:
    G_STRUCT_MEMBER (const char *, data, field->offset) =
        g_intern_string (read_text (self));
    break;
  case NEBULA_FIELD_VALUE:
    G_STRUCT_MEMBER (NebulaValue *, data, field->offset) = read_value (self);
    break;
  case NEBULA_FIELD_INPUTS:
    G_STRUCT_MEMBER (NebulaValue *, data, field->offset) = read_inputs (self);
    break;
  case NEBULA_FIELD_FLAGS:
    structure->set_flags (data, read_limited (self, structure->flags_mask));
    break;
  default:
    g_return_if_reached ();
  }
}

static void
read_fields (Reader *self, const NebulaStruct *structure, gpointer data)
{
  guint32 present = read_limited (self, (1u << structure->n_fields) - 1);

  for (guint i = 0; i < structure->n_fields && !self->is_broken; i++) {
    if (present & (1u << i))
      read_field (self, structure, &structure->fields[i], data);
  }
}

static gboolean
is_object (NebulaValue *value)
{
  return value && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;
}

/* A node of a lane by its id; NEBULA_PLAN_NONE and broken if there is none. */
static guint32
find_node (Reader *self, NebulaLane *lane, const char *id)
{
  NebulaPlan *plan = self->state->plan;
  guint32 node = id ? nebula_plan_find_node (plan, lane->scope, id) : NEBULA_PLAN_NONE;

  return require (self,
                  node != NEBULA_PLAN_NONE && plan->nodes[node].scope == lane->scope)
             ? node
             : NEBULA_PLAN_NONE;
}

static NebulaPlanEdge *
get_plan_edge (Reader *self, guint32 node, guint32 index)
{
  NebulaPlan *plan = self->state->plan;

  return &plan->edges[plan->in_edges[plan->nodes[node].first_in + index]];
}

static NebulaEdgeState *
get_in_edge (Reader *self, NebulaLane *lane, guint32 node, guint32 index)
{
  NebulaPlan *plan = self->state->plan;
  guint32 edge = plan->in_edges[plan->nodes[node].first_in + index];

  return &lane->edges[edge - plan->scopes[lane->scope].first_edge];
}

static void
read_connection (Reader *self,
                 NebulaLane *lane,
                 const NebulaPlanEdge *plan_edge,
                 NebulaEdgeState *edge)
{
  guint64 number = read_number (self);
  guint64 n_seen = number >> NEBULA_CONNECTION_SEEN_SHIFT;
  guint64 n_values = number & NEBULA_CONNECTION_TOKENS ? read_number (self) : 0;

  if (!require (self, n_seen <= G_MAXUINT32 && n_values <= n_seen))
    return;
  edge->n_seen = (guint32) n_seen;
  for (guint64 i = 0; i < n_values && !self->is_broken; i++) {
    g_autoptr (NebulaValue) value = read_value (self);

    if (!self->is_broken)
      _nebula_edge_push (edge, value);
  }
  if (!(number & NEBULA_CONNECTION_GUARDED))
    return;
  n_values = read_number (self);
  if (!require (self, n_values > 0 && plan_edge->when))
    return;
  edge->guarded = g_queue_new ();
  for (guint64 i = 0; i < n_values && !self->is_broken; i++) {
    NebulaValue *value = read_value (self);

    if (require (self, value != NULL))
      g_queue_push_tail (edge->guarded, value);
  }
  lane->active += edge->guarded->length;
}

/* A chunk of results: how many of its rounds have ended, where it is stored or else what it holds. */
static void
read_chunk (Reader *self, NebulaLoop *loop, guint64 number)
{
  guint64 n_ended = read_number (self);
  guint64 n_results;
  NebulaResultChunk *chunk;

  g_ptr_array_add (loop->results, NULL);
  if (n_ended == 0 || !require (self, n_ended <= NEBULA_LIST_CHUNK_ITEMS))
    return;
  chunk = _nebula_results_ensure (loop->results, (guint32) number);
  chunk->n_ended = (guint32) n_ended;
  chunk->stored = read_value (self);
  if (chunk->stored) {
    require (self, _nebula_results_accepts (chunk->stored));
    return;
  }
  n_results = read_number (self);
  if (!require (self, n_results <= NEBULA_LIST_CHUNK_ITEMS))
    return;
  for (guint64 i = 0; i < n_results && !self->is_broken; i++)
    _nebula_results_put (chunk, (guint32) i, read_value (self));
}

static void
read_results (Reader *self, NebulaLoop *loop)
{
  guint64 n_chunks = read_number (self);

  _nebula_loop_begin_results (loop);
  if (!require (self, n_chunks <= (guint64) MAX (loop->count, 0) / NEBULA_LIST_CHUNK_ITEMS + 1))
    return;
  for (guint64 i = 0; i < n_chunks && !self->is_broken; i++)
    read_chunk (self, loop, i);
}

/* Makes a round or body, behind those that are there. */
static NebulaLane *
add_lane (Reader *self,
          NebulaLoop *loop,
          NebulaLane *previous,
          guint32 number,
          guint32 index)
{
  NebulaPlanNode *node = &self->state->plan->nodes[loop->work->node];
  gboolean is_round = nebula_construct_is_loop (node->construct);
  NebulaLane *lane =
      _nebula_lane_new (self->state, number, node->body + (is_round ? 0 : index));

  lane->loop = loop;
  lane->parent = loop->work->lane;
  lane->index = index;
  lane->previous = previous;
  if (previous)
    previous->next = lane;
  else
    loop->lanes = lane;
  loop->n_open++;
  lane->item = is_round ? _nebula_loop_dup_item (loop, index) : read_value (self);
  if (is_round)
    number_value (self, lane->item);
  else
    require (self, lane->item != NULL);
  return lane;
}

static NebulaLane *
read_inner_lane (Reader *self, NebulaLoop *loop, NebulaLane *previous)
{
  guint32 number = read_limited (self, G_MAXUINT32);
  guint32 index = read_limited (self, G_MAXUINT32);
  NebulaLane *lane;

  if (!require (self, number > 0 && number < self->state->next_lane &&
                          index < loop->next_index &&
                          !nebula_state_get_lane (self->state, number)))
    return NULL;
  lane = add_lane (self, loop, previous, number, index);
  read_lane (self, lane);
  return lane;
}

static void
read_added (Reader *self, NebulaLoop *loop)
{
  guint64 n_added = read_number (self);

  require (self, n_added == 0 || loop->batch == 1);
  for (guint64 i = 0; i < n_added && !self->is_broken; i++) {
    g_autoptr (NebulaValue) items = read_value (self);

    if (require (self, items && _nebula_items_get_length (items) >= 0))
      _nebula_loop_add_items (loop, items);
  }
  require (self, _nebula_checkpoint_accepts_items (loop));
}

static void
read_loop (Reader *self, NebulaWork *work)
{
  NebulaPlanNode *node = &self->state->plan->nodes[work->node];
  NebulaLoop *loop = _nebula_loop_new (work);
  NebulaLane *previous = NULL;
  guint64 n_lanes;

  read_fields (self, &_nebula_struct_loop, loop);
  require (self, _nebula_checkpoint_accepts_loop (node, loop));
  if (node->construct == NEBULA_CONSTRUCT_FOR_EACH)
    read_results (self, loop);
  if (loop->items)
    read_added (self, loop);
  n_lanes = read_number (self);
  require (self,
           n_lanes <= (nebula_construct_is_loop (node->construct) ? loop->concurrency
                                                                  : node->n_bodies));
  for (guint64 i = 0; i < n_lanes && !self->is_broken; i++)
    previous = read_inner_lane (self, loop, previous);
}

/* The status was read before the work was there; the counters of the state go by the work. */
static void
read_work (Reader *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);
  NebulaPlanNode *plan_node = &self->state->plan->nodes[node];
  NebulaNodeStatus status = run->status;
  NebulaWork *work = _nebula_work_new (self->state, lane, node);

  read_fields (self, &_nebula_struct_work, work);
  require (self, work->input && (!work->inputs || is_object (work->inputs)));
  if ((status == NEBULA_NODE_RUNNING || run->is_trailing) && plan_node->body != NEBULA_PLAN_NONE &&
      !self->is_broken)
    read_loop (self, work);
  run->status = NEBULA_NODE_FIRED;
  _nebula_work_set_status (self->state, work, status);
}

static void
read_entry (Reader *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);
  guint32 n_in = nebula_plan_node_count_in (&self->state->plan->nodes[node]);

  /* Only once. */
  if (!require (self, _nebula_struct_get_present (&_nebula_struct_run, run) == 0))
    return;
  for (guint i = 0; i < n_in; i++)
    require (self, get_in_edge (self, lane, node, i)->n_seen == 0);
  read_fields (self, &_nebula_struct_run, run);
  require (self, _nebula_checkpoint_accepts_run (&self->state->plan->nodes[node], run));
  for (guint i = 0; i < n_in && !self->is_broken; i++)
    read_connection (self, lane, get_plan_edge (self, node, i),
                     get_in_edge (self, lane, node, i));
  if (self->is_broken) {
    run->status =
        NEBULA_NODE_PENDING; /* active without a work: not for whoever frees it */
    return;
  }
  require (self, _nebula_checkpoint_accepts_tokens (self->state->plan, lane, node));
  if ((run->status != NEBULA_NODE_PENDING &&
       !nebula_node_status_is_terminal (run->status)) ||
      run->is_trailing)
    read_work (self, lane, node);
}

static void
read_lane (Reader *self, NebulaLane *lane)
{
  const char *id;

  read_fields (self, &_nebula_struct_lane, lane);
  require (self, !lane->failure || is_object (lane->failure));
  while ((id = read_text (self))) {
    guint32 node = find_node (self, lane, id);

    if (!self->is_broken)
      read_entry (self, lane, node);
  }
}

static void
read_signals (Reader *self)
{
  guint64 n_signals = read_number (self);

  for (guint64 i = 0; i < n_signals && !self->is_broken; i++) {
    const char *name = read_text (self);
    NebulaValue *value = read_value (self);
    NebulaSignal *signal;

    if (!require (self, name && value)) {
      g_clear_pointer (&value, nebula_value_unref);
      return;
    }
    signal = g_new0 (NebulaSignal, 1);
    signal->name = g_strdup (name);
    signal->value = value;
    g_queue_push_tail (&self->state->signals, signal);
  }
}

static NebulaLane *
read_lane_number (Reader *self)
{
  NebulaLane *lane =
      nebula_state_get_lane (self->state, read_limited (self, G_MAXUINT32));

  return require (self, lane != NULL) ? lane : NULL;
}

static NebulaWork *
read_named_work (Reader *self)
{
  NebulaLane *lane = read_lane_number (self);
  guint32 node = lane ? find_node (self, lane, read_text (self)) : NEBULA_PLAN_NONE;
  NebulaWork *work =
      self->is_broken ? NULL : nebula_lane_get_run (self->state, lane, node)->work;

  return require (self, work != NULL) ? work : NULL;
}

/* They were made lane by lane; their order is that of their firing. */
static void
read_works (Reader *self)
{
  NebulaState *state = self->state;
  guint64 n_works = read_number (self);

  if (!require (self, n_works == state->works.length))
    return;
  for (guint64 i = 0; i < n_works && !self->is_broken; i++) {
    NebulaWork *work = read_named_work (self);

    if (!work)
      return;
    g_queue_unlink (&state->works, &work->link);
    g_queue_push_tail_link (&state->works, &work->link);
  }
}

static void
read_agenda_item (Reader *self)
{
  NebulaPlan *plan = self->state->plan;
  guint32 kind = read_limited (self, NEBULA_AGENDA_LANE);
  NebulaLane *lane = read_lane_number (self);
  NebulaAgendaKind known = (NebulaAgendaKind) kind;
  guint32 index = 0;
  guint32 in_index;

  if (lane && known != NEBULA_AGENDA_LANE)
    index = find_node (self, lane, read_text (self));
  if (self->is_broken)
    return;
  if (known == NEBULA_AGENDA_NEED)
    require (self, plan->nodes[index].need == NEBULA_JOIN_EXPRESSION);
  if (known == NEBULA_AGENDA_GUARD) {
    in_index = read_limited (self, G_MAXUINT32);
    if (!require (self, in_index < nebula_plan_node_count_in (&plan->nodes[index]) &&
                            get_plan_edge (self, index, in_index)->when))
      return;
    index = plan->in_edges[plan->nodes[index].first_in + in_index];
  }
  if (!self->is_broken)
    _nebula_state_push_agenda (self->state, known, lane, index);
}

static void
read_undo_lane (Reader *self, NebulaUndo *undo, guint32 index)
{
  guint32 number = read_limited (self, G_MAXUINT32);
  NebulaLane *lane;

  if (!require (self, number > 0 && number < self->state->next_lane && undo->input &&
                          undo->parameters &&
                          !nebula_state_get_lane (self->state, number)))
    return;
  lane = _nebula_lane_new (self->state, number, self->state->plan->nodes[undo->node].undo);
  undo->lane = lane;
  lane->parent = self->state->root;
  lane->undo = index + 1;
  lane->item = nebula_value_ref (undo->input);
  read_lane (self, lane);
  if (!self->is_broken && lane->runs[0].work)
    lane->runs[0].work->parameters = nebula_value_ref (undo->parameters);
}

static void
read_undo (Reader *self)
{
  NebulaPlan *plan = self->state->plan;
  NebulaUndo *undo = g_new0 (NebulaUndo, 1);
  const char *id;

  g_ptr_array_add (self->state->undos, undo);
  undo->node = read_limited (self, G_MAXUINT32);
  id = read_text (self);
  if (!require (self, id && undo->node < plan->n_nodes &&
                          g_str_equal (plan->nodes[undo->node].id, id) &&
                          plan->nodes[undo->node].undo != NEBULA_PLAN_NONE))
    return;
  undo->owner = read_limited (self, G_MAXUINT32);
  undo->status = (guint8) read_limited (self, NEBULA_UNDO_FAILED);
  undo->path = g_strdup (read_text (self));
  undo->parameters = read_value (self);
  undo->input = read_value (self);
  undo->failure = read_value (self);
  require (self, undo->path && (!undo->failure || is_object (undo->failure)) &&
                     (undo->status != NEBULA_UNDO_KEPT || undo->parameters ||
                      undo->failure) &&
                     (!undo->parameters || undo->input));
  if (undo->status == NEBULA_UNDO_RUNNING && !self->is_broken)
    read_undo_lane (self, undo, self->state->undos->len - 1);
}

static void
read_undos (Reader *self)
{
  guint64 n_undos = read_number (self);

  require (self, self->state->root != NULL);
  for (guint64 i = 0; i < n_undos && !self->is_broken; i++)
    read_undo (self);
}

static void
read_lock (Reader *self)
{
  const char *name = read_text (self);
  guint64 n_works = read_number (self);
  NebulaLock *lock;

  if (!require (self, name && n_works > 0))
    return;
  lock = g_new0 (NebulaLock, 1);
  lock->name = g_strdup (name);
  g_queue_init (&lock->works);
  g_ptr_array_add (self->state->locks, lock);
  for (guint64 i = 0; i < n_works && !self->is_broken; i++) {
    NebulaWork *work = read_named_work (self);

    if (!work || !require (self, !work->lock))
      return;
    work->lock = lock;
    g_queue_push_tail (&lock->works, work);
  }
}

static void
read_locks (Reader *self)
{
  guint64 n_locks = read_number (self);

  for (guint64 i = 0; i < n_locks && !self->is_broken; i++)
    read_lock (self);
}

static void
read_root (Reader *self)
{
  NebulaState *state = self->state;
  NebulaValue *input = nebula_value_get_member (state->started, "input");

  state->input = input ? nebula_value_ref (input) : nebula_value_new_null ();
  number_value (self, state->input);
  state->root = _nebula_lane_new (state, 0, 0);
  read_lane (self, state->root);
}

static void
read_state (Reader *self)
{
  guint64 n_items;

  read_fields (self, &_nebula_struct_state, self->state);
  require (self, _nebula_checkpoint_accepts_state (self->state));
  if (self->state->started && !self->is_broken)
    read_root (self);
  if (self->state->undos)
    read_undos (self);
  read_signals (self);
  read_works (self);
  if (self->state->locks)
    read_locks (self);
  /* What was due while the works were put together is not. */
  g_array_set_size (self->state->agenda, 0);
  n_items = read_number (self);
  for (guint64 i = 0; i < n_items && !self->is_broken; i++)
    read_agenda_item (self);
  require (self, self->offset == self->size);
}

static gboolean
check_format (Reader *self, GError **error)
{
  guint64 format = read_number (self);

  if (format == NEBULA_CHECKPOINT_FORMAT)
    return TRUE;
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_STORE_VERSION,
      _ ("A checkpoint has format %llu; this version reads format %d. Use a newer "
         "version of Nebula."),
      (unsigned long long) format, NEBULA_CHECKPOINT_FORMAT);
  return FALSE;
}

NebulaState *
nebula_state_from_checkpoint (NebulaPlan *plan, GBytes *bytes, GError **error)
{
  g_autoptr (NebulaState) state = nebula_state_new (plan);
  g_autoptr (GPtrArray) values =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  Reader reader = {.state = state, .values = values, .texts = texts};
  gsize size;

  reader.data = g_bytes_get_data (bytes, &size);
  if (!_nebula_checkpoint_check_sum (reader.data, size, error))
    return NULL;
  reader.size = size - NEBULA_CHECKPOINT_SUM_BYTES;
  if (!check_format (&reader, error))
    return NULL;
  read_state (&reader);
  if (!reader.is_broken)
    return g_steal_pointer (&state);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
               _ ("A checkpoint does not hold together at byte %llu."),
               (unsigned long long) reader.offset);
  return NULL;
}
