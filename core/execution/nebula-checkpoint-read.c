/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A checkpoint becomes a state. Nothing that is read is trusted: after a mistake all further reads give zeros, and the
 * state is thrown away. What the kernel relies on is checked where it is read; see also nebula_state_accepts ().
 */

#include <glib/gi18n-lib.h>

#include "nebula-checkpoint-reader-private.h"
#include "nebula-error.h"
#include "nebula-results-private.h"

static void read_lane (NebulaReader *self, NebulaLane *lane);

/* A node of a lane by its id; NEBULA_PLAN_NONE and broken if there is none. */
static guint32
find_node (NebulaReader *self, NebulaLane *lane, const char *id)
{
  NebulaPlan *plan = self->state->plan;
  guint32 node = id ? nebula_plan_find_node (plan, lane->scope, id) : NEBULA_PLAN_NONE;

  return _nebula_reader_require (self, node != NEBULA_PLAN_NONE &&
                                           plan->nodes[node].scope == lane->scope)
             ? node
             : NEBULA_PLAN_NONE;
}

static NebulaPlanEdge *
get_plan_edge (NebulaReader *self, guint32 node, guint32 index)
{
  NebulaPlan *plan = self->state->plan;

  return &plan->edges[plan->in_edges[plan->nodes[node].first_in + index]];
}

static NebulaEdgeState *
get_in_edge (NebulaReader *self, NebulaLane *lane, guint32 node, guint32 index)
{
  NebulaPlan *plan = self->state->plan;
  guint32 edge = plan->in_edges[plan->nodes[node].first_in + index];

  return &lane->edges[edge - plan->scopes[lane->scope].first_edge];
}

static void
read_connection (NebulaReader *self,
                 NebulaLane *lane,
                 const NebulaPlanEdge *plan_edge,
                 NebulaEdgeState *edge)
{
  guint64 number = _nebula_reader_read_number (self);
  guint64 n_seen = number >> NEBULA_CONNECTION_SEEN_SHIFT;
  guint64 n_values =
      number & NEBULA_CONNECTION_TOKENS ? _nebula_reader_read_number (self) : 0;

  if (!_nebula_reader_require (self, n_seen <= G_MAXUINT32 && n_values <= n_seen))
    return;
  edge->n_seen = (guint32) n_seen;
  for (guint64 i = 0; i < n_values && !self->is_broken; i++) {
    g_autoptr (NebulaValue) value = _nebula_reader_read_value (self);

    if (!self->is_broken)
      _nebula_edge_push (edge, value);
  }
  if (!(number & NEBULA_CONNECTION_GUARDED))
    return;
  n_values = _nebula_reader_read_number (self);
  if (!_nebula_reader_require (self, n_values > 0 && plan_edge->when))
    return;
  edge->guarded = g_queue_new ();
  for (guint64 i = 0; i < n_values && !self->is_broken; i++) {
    NebulaValue *value = _nebula_reader_read_value (self);

    if (_nebula_reader_require (self, value != NULL))
      g_queue_push_tail (edge->guarded, value);
  }
  lane->active += edge->guarded->length;
}

/* A chunk of results: how many of its rounds have ended, where it is stored or else what it holds. */
static void
read_chunk (NebulaReader *self, NebulaLoop *loop, guint64 number)
{
  guint64 n_ended = _nebula_reader_read_number (self);
  guint64 n_results;
  NebulaResultChunk *chunk;

  g_ptr_array_add (loop->results, NULL);
  if (n_ended == 0 || !_nebula_reader_require (self, n_ended <= NEBULA_LIST_CHUNK_ITEMS))
    return;
  chunk = _nebula_results_ensure (loop->results, (guint32) number);
  chunk->n_ended = (guint32) n_ended;
  chunk->stored = _nebula_reader_read_value (self);
  if (chunk->stored) {
    _nebula_reader_require (self, _nebula_results_accepts (chunk->stored));
    return;
  }
  n_results = _nebula_reader_read_number (self);
  if (!_nebula_reader_require (self, n_results <= NEBULA_LIST_CHUNK_ITEMS))
    return;
  for (guint64 i = 0; i < n_results && !self->is_broken; i++)
    _nebula_results_put (chunk, (guint32) i, _nebula_reader_read_value (self));
}

static void
read_results (NebulaReader *self, NebulaLoop *loop)
{
  guint64 n_chunks = _nebula_reader_read_number (self);

  _nebula_loop_begin_results (loop);
  if (!_nebula_reader_require (
          self, n_chunks <= (guint64) MAX (loop->count, 0) / NEBULA_LIST_CHUNK_ITEMS + 1))
    return;
  for (guint64 i = 0; i < n_chunks && !self->is_broken; i++)
    read_chunk (self, loop, i);
}

/* Makes a round or body, behind those that are there. */
static NebulaLane *
add_lane (NebulaReader *self,
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
  lane->item =
      is_round ? _nebula_loop_dup_item (loop, index) : _nebula_reader_read_value (self);
  if (is_round)
    _nebula_reader_number_value (self, lane->item);
  else
    _nebula_reader_require (self, lane->item != NULL);
  return lane;
}

static NebulaLane *
read_inner_lane (NebulaReader *self, NebulaLoop *loop, NebulaLane *previous)
{
  guint32 number = _nebula_reader_read_limited (self, G_MAXUINT32);
  guint32 index = _nebula_reader_read_limited (self, G_MAXUINT32);
  NebulaLane *lane;

  if (!_nebula_reader_require (self, number > 0 && number < self->state->next_lane &&
                                         index < loop->next_index &&
                                         !nebula_state_get_lane (self->state, number)))
    return NULL;
  lane = add_lane (self, loop, previous, number, index);
  read_lane (self, lane);
  return lane;
}

static void
read_added (NebulaReader *self, NebulaLoop *loop)
{
  guint64 n_added = _nebula_reader_read_number (self);

  _nebula_reader_require (self, n_added == 0 || loop->batch == 1);
  for (guint64 i = 0; i < n_added && !self->is_broken; i++) {
    g_autoptr (NebulaValue) items = _nebula_reader_read_value (self);

    if (_nebula_reader_require (self, items && _nebula_items_get_length (items) >= 0))
      _nebula_loop_add_items (loop, items);
  }
  _nebula_reader_require (self, _nebula_checkpoint_accepts_items (loop));
}

static void
read_loop (NebulaReader *self, NebulaWork *work)
{
  NebulaPlanNode *node = &self->state->plan->nodes[work->node];
  NebulaLoop *loop = _nebula_loop_new (work);
  NebulaLane *previous = NULL;
  guint64 n_lanes;

  _nebula_reader_read_fields (self, &_nebula_struct_loop, loop);
  _nebula_reader_require (self, _nebula_checkpoint_accepts_loop (node, loop));
  if (node->construct == NEBULA_CONSTRUCT_FOR_EACH)
    read_results (self, loop);
  if (loop->items && !self->is_broken)
    read_added (self, loop);
  n_lanes = _nebula_reader_read_number (self);
  _nebula_reader_require (self, n_lanes <= (nebula_construct_is_loop (node->construct)
                                                ? loop->concurrency
                                                : node->n_bodies));
  for (guint64 i = 0; i < n_lanes && !self->is_broken; i++)
    previous = read_inner_lane (self, loop, previous);
}

/* The status was read before the work was there; the counters of the state go by the work. */
static void
read_work (NebulaReader *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);
  NebulaPlanNode *plan_node = &self->state->plan->nodes[node];
  NebulaNodeStatus status = run->status;
  NebulaWork *work = _nebula_work_new (self->state, lane, node);

  _nebula_reader_read_fields (self, &_nebula_struct_work, work);
  _nebula_reader_require (
      self,
      work->input && (!work->inputs || _nebula_checkpoint_is_object (work->inputs)) &&
          _nebula_checkpoint_accepts_work (work, status));
  if ((status == NEBULA_NODE_RUNNING || run->is_trailing) &&
      plan_node->body != NEBULA_PLAN_NONE && !self->is_broken)
    read_loop (self, work);
  run->status = NEBULA_NODE_FIRED;
  _nebula_work_set_status (self->state, work, status);
}

static void
read_entry (NebulaReader *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self->state, lane, node);
  guint32 n_in = nebula_plan_node_count_in (&self->state->plan->nodes[node]);

  /* Only once. */
  if (!_nebula_reader_require (
          self, _nebula_struct_get_present (&_nebula_struct_run, run) == 0))
    return;
  for (guint i = 0; i < n_in; i++)
    _nebula_reader_require (self, get_in_edge (self, lane, node, i)->n_seen == 0);
  _nebula_reader_read_fields (self, &_nebula_struct_run, run);
  _nebula_reader_require (
      self, _nebula_checkpoint_accepts_run (&self->state->plan->nodes[node], run));
  for (guint i = 0; i < n_in && !self->is_broken; i++)
    read_connection (self, lane, get_plan_edge (self, node, i),
                     get_in_edge (self, lane, node, i));
  if (self->is_broken) {
    run->status =
        NEBULA_NODE_PENDING; /* active without a work: not for whoever frees it */
    return;
  }
  _nebula_reader_require (
      self, _nebula_checkpoint_accepts_tokens (self->state->plan, lane, node));
  if ((run->status != NEBULA_NODE_PENDING &&
       !nebula_node_status_is_terminal (run->status)) ||
      run->is_trailing)
    read_work (self, lane, node);
}

static void
read_lane (NebulaReader *self, NebulaLane *lane)
{
  const char *id;

  _nebula_reader_read_fields (self, &_nebula_struct_lane, lane);
  _nebula_reader_require (self,
                          !lane->failure || _nebula_checkpoint_is_object (lane->failure));
  while ((id = _nebula_reader_read_text (self))) {
    guint32 node = find_node (self, lane, id);

    if (!self->is_broken)
      read_entry (self, lane, node);
  }
}

static void
read_signals (NebulaReader *self)
{
  guint64 n_signals = _nebula_reader_read_number (self);

  for (guint64 i = 0; i < n_signals && !self->is_broken; i++) {
    const char *name = _nebula_reader_read_text (self);
    NebulaValue *value = _nebula_reader_read_value (self);
    NebulaSignal *signal;

    if (!_nebula_reader_require (self, name && value)) {
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
read_lane_number (NebulaReader *self)
{
  NebulaLane *lane = nebula_state_get_lane (
      self->state, _nebula_reader_read_limited (self, G_MAXUINT32));

  return _nebula_reader_require (self, lane != NULL) ? lane : NULL;
}

static NebulaWork *
read_named_work (NebulaReader *self)
{
  NebulaLane *lane = read_lane_number (self);
  guint32 node =
      lane ? find_node (self, lane, _nebula_reader_read_text (self)) : NEBULA_PLAN_NONE;
  NebulaWork *work =
      self->is_broken ? NULL : nebula_lane_get_run (self->state, lane, node)->work;

  return _nebula_reader_require (self, work != NULL) ? work : NULL;
}

/* They were made lane by lane; their order is that of their firing. */
static void
read_works (NebulaReader *self)
{
  NebulaState *state = self->state;
  guint64 n_works = _nebula_reader_read_number (self);

  if (!_nebula_reader_require (self, n_works == state->works.length))
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
read_agenda_item (NebulaReader *self)
{
  NebulaPlan *plan = self->state->plan;
  guint32 kind = _nebula_reader_read_limited (self, NEBULA_AGENDA_LANE);
  NebulaLane *lane = read_lane_number (self);
  NebulaAgendaKind known = (NebulaAgendaKind) kind;
  guint32 index = 0;
  guint32 in_index;

  if (lane && known != NEBULA_AGENDA_LANE)
    index = find_node (self, lane, _nebula_reader_read_text (self));
  if (self->is_broken)
    return;
  if (known == NEBULA_AGENDA_NEED)
    _nebula_reader_require (self, plan->nodes[index].need == NEBULA_JOIN_EXPRESSION);
  if (known == NEBULA_AGENDA_GUARD) {
    in_index = _nebula_reader_read_limited (self, G_MAXUINT32);
    if (!_nebula_reader_require (
            self, in_index < nebula_plan_node_count_in (&plan->nodes[index]) &&
                      get_plan_edge (self, index, in_index)->when))
      return;
    index = plan->in_edges[plan->nodes[index].first_in + in_index];
  }
  if (!self->is_broken)
    _nebula_state_push_agenda (self->state, known, lane, index);
}

static void
read_undo_lane (NebulaReader *self, NebulaUndo *undo, guint32 index)
{
  guint32 number = _nebula_reader_read_limited (self, G_MAXUINT32);
  NebulaLane *lane;

  if (!_nebula_reader_require (self, number > 0 && number < self->state->next_lane &&
                                         undo->input && undo->parameters &&
                                         !nebula_state_get_lane (self->state, number)))
    return;
  lane =
      _nebula_lane_new (self->state, number, self->state->plan->nodes[undo->node].undo);
  undo->lane = lane;
  lane->parent = self->state->root;
  lane->undo = index + 1;
  lane->item = nebula_value_ref (undo->input);
  read_lane (self, lane);
  if (!self->is_broken && lane->runs[0].work)
    lane->runs[0].work->parameters = nebula_value_ref (undo->parameters);
}

static void
read_undo (NebulaReader *self)
{
  NebulaPlan *plan = self->state->plan;
  NebulaUndo *undo = g_new0 (NebulaUndo, 1);
  const char *id;

  g_ptr_array_add (self->state->undos, undo);
  undo->node = _nebula_reader_read_limited (self, G_MAXUINT32);
  id = _nebula_reader_read_text (self);
  if (!_nebula_reader_require (self,
                               id && undo->node < plan->n_nodes &&
                                   g_str_equal (plan->nodes[undo->node].id, id) &&
                                   plan->nodes[undo->node].undo != NEBULA_PLAN_NONE))
    return;
  undo->owner = _nebula_reader_read_limited (self, G_MAXUINT32);
  undo->status = (guint8) _nebula_reader_read_limited (self, NEBULA_UNDO_FAILED);
  undo->path = g_strdup (_nebula_reader_read_text (self));
  undo->parameters = _nebula_reader_read_value (self);
  undo->input = _nebula_reader_read_value (self);
  undo->failure = _nebula_reader_read_value (self);
  _nebula_reader_require (self, _nebula_checkpoint_accepts_undo (undo));
  if (undo->status == NEBULA_UNDO_RUNNING && !self->is_broken)
    read_undo_lane (self, undo, self->state->undos->len - 1);
}

static void
read_undos (NebulaReader *self)
{
  guint64 n_undos = _nebula_reader_read_number (self);

  _nebula_reader_require (self, self->state->root != NULL);
  for (guint64 i = 0; i < n_undos && !self->is_broken; i++)
    read_undo (self);
}

static void
read_lock (NebulaReader *self)
{
  const char *name = _nebula_reader_read_text (self);
  guint64 n_works = _nebula_reader_read_number (self);
  NebulaLock *lock;

  if (!_nebula_reader_require (self, name && n_works > 0))
    return;
  lock = g_new0 (NebulaLock, 1);
  lock->name = g_strdup (name);
  g_queue_init (&lock->works);
  g_ptr_array_add (self->state->locks, lock);
  for (guint64 i = 0; i < n_works && !self->is_broken; i++) {
    NebulaWork *work = read_named_work (self);

    if (!work || !_nebula_reader_require (self, !work->lock))
      return;
    work->lock = lock;
    g_queue_push_tail (&lock->works, work);
  }
}

static void
read_locks (NebulaReader *self)
{
  guint64 n_locks = _nebula_reader_read_number (self);

  for (guint64 i = 0; i < n_locks && !self->is_broken; i++)
    read_lock (self);
}

static void
read_root (NebulaReader *self)
{
  NebulaState *state = self->state;
  NebulaValue *input = nebula_value_get_member (state->started, "input");

  state->input = input ? nebula_value_ref (input) : nebula_value_new_null ();
  _nebula_reader_number_value (self, state->input);
  state->root = _nebula_lane_new (state, 0, 0);
  read_lane (self, state->root);
}

static void
read_state (NebulaReader *self)
{
  guint64 n_items;

  _nebula_reader_read_fields (self, &_nebula_struct_state, self->state);
  _nebula_reader_require (self, _nebula_checkpoint_accepts_state (self->state));
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
  n_items = _nebula_reader_read_number (self);
  for (guint64 i = 0; i < n_items && !self->is_broken; i++)
    read_agenda_item (self);
  _nebula_reader_require (self, self->offset == self->size);
}

NebulaState *
nebula_state_from_checkpoint (NebulaPlan *plan, GBytes *bytes, GError **error)
{
  g_autoptr (NebulaState) state = nebula_state_new (plan);
  g_autoptr (GPtrArray) values =
      g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_value_unref);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  NebulaReader reader = {.state = state, .values = values, .texts = texts};
  gsize size;

  reader.data = g_bytes_get_data (bytes, &size);
  if (!_nebula_checkpoint_check_sum (reader.data, size, error))
    return NULL;
  reader.size = size - NEBULA_CHECKPOINT_SUM_BYTES;
  if (!_nebula_checkpoint_check_format (_nebula_reader_read_number (&reader), error))
    return NULL;
  read_state (&reader);
  if (!reader.is_broken)
    return g_steal_pointer (&state);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
               _ ("A checkpoint does not hold together at byte %llu."),
               (unsigned long long) reader.offset);
  return NULL;
}
