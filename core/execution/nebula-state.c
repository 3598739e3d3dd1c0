/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-frozen-internal.h"
#include "nebula-results-private.h"
#include "nebula-state-private.h"

NebulaState *
nebula_state_new (NebulaPlan *plan)
{
  NebulaState *self = g_new0 (NebulaState, 1);

  self->plan = nebula_plan_ref (plan);
  self->status = NEBULA_EXECUTION_STATUS_CREATED;
  self->next_lane = 1;
  self->agenda = g_array_new (FALSE, FALSE, sizeof (NebulaAgendaItem));
  self->worklist = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_queue_init (&self->works);
  g_queue_init (&self->signals);
  return self;
}

void
_nebula_signal_free (gpointer data)
{
  NebulaSignal *signal = data;

  nebula_value_unref (signal->value);
  g_free (signal->name);
  g_free (signal);
}

void
nebula_state_free (NebulaState *self)
{
  if (!self)
    return;
  for (guint i = 0; self->undos && i < self->undos->len; i++) {
    NebulaUndo *undo = self->undos->pdata[i];

    if (undo->lane)
      _nebula_lane_free (self, g_steal_pointer (&undo->lane));
  }
  if (self->root)
    _nebula_lane_free (self, self->root);
  g_clear_pointer (&self->undos, g_ptr_array_unref);
  g_clear_pointer (&self->locks, g_ptr_array_unref);
  g_clear_pointer (&self->lanes, g_hash_table_unref);
  g_queue_clear_full (&self->signals, _nebula_signal_free);
  g_array_unref (self->agenda);
  g_array_unref (self->worklist);
  g_clear_pointer (&self->started, nebula_value_unref);
  g_clear_pointer (&self->input, nebula_value_unref);
  g_clear_pointer (&self->output, nebula_value_unref);
  g_clear_pointer (&self->error, nebula_value_unref);
  g_clear_pointer (&self->watchers, nebula_value_unref);
  g_clear_pointer (&self->tokens, nebula_value_unref);
  g_clear_pointer (&self->gates, nebula_value_unref);
  g_clear_pointer (&self->given, nebula_value_unref);
  g_clear_pointer (&self->breaks, nebula_value_unref);
  g_clear_pointer (&self->break_at, g_free);
  g_clear_pointer (&self->gate_share, nebula_value_unref);
  g_clear_pointer (&self->partings, g_ptr_array_unref);
  g_free (self->gate_key);
  g_free (self->batch);
  nebula_plan_unref (self->plan);
  g_free (self);
}

NebulaLane *
_nebula_lane_new (NebulaState *self, guint32 number, guint32 scope)
{
  NebulaPlanScope *shape = &self->plan->scopes[scope];
  gsize runs_bytes = sizeof (NebulaLane) + shape->n_nodes * sizeof (NebulaRun);
  NebulaLane *lane = g_malloc0 (runs_bytes + shape->n_edges * sizeof (NebulaEdgeState));

  lane->number = number;
  lane->scope = scope;
  lane->edges = (NebulaEdgeState *) (gpointer) ((char *) lane + runs_bytes);
  if (number > 0 && !self->lanes)
    self->lanes = g_hash_table_new (NULL, NULL);
  if (number > 0)
    g_hash_table_insert (self->lanes, GUINT_TO_POINTER (number), lane);
  return lane;
}

void
_nebula_edge_clear (NebulaEdgeState *edge)
{
  NebulaValue *value;

  g_clear_pointer (&edge->first, nebula_value_unref);
  if (edge->guarded)
    g_queue_free_full (g_steal_pointer (&edge->guarded),
                       (GDestroyNotify) nebula_value_unref);
  while (edge->more && !g_queue_is_empty (edge->more)) {
    value = g_queue_pop_head (edge->more);
    if (value != (gpointer) edge)
      nebula_value_unref (value);
  }
  g_clear_pointer (&edge->more, g_queue_free);
  edge->n_tokens = 0;
}

void
_nebula_loop_free (NebulaState *self, NebulaLoop *loop)
{
  while (loop->lanes)
    _nebula_lane_free (self, loop->lanes);
  g_clear_pointer (&loop->items, nebula_value_unref);
  g_clear_pointer (&loop->added, g_ptr_array_unref);
  g_clear_pointer (&loop->failure, nebula_value_unref);
  g_clear_pointer (&loop->last, nebula_value_unref);
  g_clear_pointer (&loop->results, g_ptr_array_unref);
  g_free (loop);
}

static void
nebula_lane_unlink (NebulaLane *lane)
{
  if (!lane->loop)
    return;
  if (lane->previous)
    lane->previous->next = lane->next;
  else
    lane->loop->lanes = lane->next;
  if (lane->next)
    lane->next->previous = lane->previous;
  lane->loop->n_open--;
}

void
_nebula_lane_free (NebulaState *self, NebulaLane *lane)
{
  NebulaPlanScope *shape = &self->plan->scopes[lane->scope];

  for (guint i = 0; i < shape->n_nodes; i++) {
    if (lane->runs[i].work)
      _nebula_work_free (self, lane->runs[i].work);
    g_clear_pointer (&lane->runs[i].value, nebula_value_unref);
  }
  for (guint i = 0; i < shape->n_edges; i++)
    _nebula_edge_clear (&lane->edges[i]);
  nebula_lane_unlink (lane);
  if (lane->number > 0)
    g_hash_table_remove (self->lanes, GUINT_TO_POINTER (lane->number));
  g_clear_pointer (&lane->item, nebula_value_unref);
  g_clear_pointer (&lane->last, nebula_value_unref);
  g_clear_pointer (&lane->failure, nebula_value_unref);
  g_free (lane);
}

NebulaLoop *
_nebula_loop_new (NebulaWork *work)
{
  NebulaLoop *loop = g_new0 (NebulaLoop, 1);

  loop->work = work;
  work->loop = loop;
  return loop;
}

void
_nebula_loop_begin_results (NebulaLoop *loop)
{
  loop->results = _nebula_results_new ();
}

NebulaWork *
_nebula_work_new (NebulaState *self, NebulaLane *lane, guint32 node)
{
  NebulaRun *run = nebula_lane_get_run (self, lane, node);
  NebulaWork *work = g_new0 (NebulaWork, 1);

  work->lane = lane;
  work->node = node;
  work->firing = run->firing;
  work->link.data = work;
  g_queue_push_tail_link (&self->works, &work->link);
  run->work = work;
  lane->active++;
  return work;
}

static gboolean
counts_as_ready (NebulaNodeStatus status)
{
  return status == NEBULA_NODE_READY || status == NEBULA_NODE_RUNNING;
}

static gboolean
counts_as_waiting (NebulaNodeStatus status)
{
  return status == NEBULA_NODE_WAITING || status == NEBULA_NODE_RETRYING;
}

void
_nebula_work_set_status (NebulaState *self, NebulaWork *work, NebulaNodeStatus status)
{
  NebulaRun *run = nebula_lane_get_run (self, work->lane, work->node);

  /* A loop is no attempt of its own: what runs inside counts. */
  if (!work->loop) {
    self->n_ready +=
        (guint32) counts_as_ready (status) - (guint32) counts_as_ready (run->status);
    self->n_waiting +=
        (guint32) counts_as_waiting (status) - (guint32) counts_as_waiting (run->status);
  }
  run->status = (guint8) status;
}

void
_nebula_work_free (NebulaState *self, NebulaWork *work)
{
  NebulaLane *lane = work->lane;
  NebulaRun *run = nebula_lane_get_run (self, lane, work->node);

  if (!work->loop && counts_as_ready (run->status))
    self->n_ready--;
  if (!work->loop && counts_as_waiting (run->status))
    self->n_waiting--;
  g_queue_unlink (&self->works, &work->link);
  run->work = NULL;
  run->is_trailing = 0;
  if (work->loop)
    _nebula_loop_free (self, work->loop);
  _nebula_work_stop_waiting (self, work);
  _nebula_work_let_go (self, work);
  _nebula_lock_release (self, work);
  g_clear_pointer (&work->input, nebula_value_unref);
  g_clear_pointer (&work->inputs, nebula_value_unref);
  g_clear_pointer (&work->parameters, nebula_value_unref);
  g_clear_pointer (&work->loaded, nebula_value_unref);
  g_clear_pointer (&work->frozen, nebula_frozen_unref);
  g_free (work->signal);
  g_free (work);
  if (--lane->active == 0)
    _nebula_state_push_agenda (self, NEBULA_AGENDA_LANE, lane, 0);
}

NebulaLane *
nebula_state_get_lane (NebulaState *self, guint32 number)
{
  if (number == 0)
    return self->root;
  return self->lanes ? g_hash_table_lookup (self->lanes, GUINT_TO_POINTER (number)) : NULL;
}

NebulaRun *
nebula_lane_get_run (NebulaState *self, NebulaLane *lane, guint32 node)
{
  return &lane->runs[node - self->plan->scopes[lane->scope].first_node];
}

NebulaRun *
nebula_state_find_run (NebulaState *self, NebulaLane *lane, guint32 node)
{
  guint32 scope = self->plan->nodes[node].scope;

  while (lane && lane->scope != scope)
    lane = lane->parent;
  return lane ? nebula_lane_get_run (self, lane, node) : NULL;
}

NebulaLane *
nebula_lane_get_round (NebulaState *self, NebulaLane *lane)
{
  while (lane && lane->loop &&
         !nebula_construct_is_loop (self->plan->nodes[lane->loop->work->node].construct))
    lane = lane->parent;
  return lane && lane->loop ? lane : NULL;
}

gboolean
nebula_lane_is_doomed (NebulaState *self, NebulaLane *lane)
{
  if (!self->is_stopping || self->root->is_halted)
    return FALSE;
  for (; lane; lane = lane->parent) {
    if (self->plan->scopes[lane->scope].part == NEBULA_PART_FINALLY || lane->undo > 0)
      return FALSE;
  }
  return TRUE;
}

const char *
nebula_lane_get_part_name (NebulaState *self, NebulaLane *lane)
{
  static const char *const names[] = {"body", "catch", "finally"};
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];

  if (!lane->loop ||
      nebula_construct_is_loop (self->plan->nodes[lane->loop->work->node].construct))
    return NULL;
  return scope->name ? scope->name : names[scope->part];
}

gboolean
nebula_node_status_is_terminal (NebulaNodeStatus status)
{
  return status >= NEBULA_NODE_COMPLETED;
}

const char *
nebula_node_status_to_string (NebulaNodeStatus status)
{
  static const char *const names[] = {
      "pending",       "ready",     "ready",  "running", "waiting",
      "waiting-retry", "completed", "failed", "skipped", "cancelled",
  };

  g_return_val_if_fail (status < G_N_ELEMENTS (names), "unknown");
  return names[status];
}

void
_nebula_state_push_agenda (NebulaState *self,
                           NebulaAgendaKind kind,
                           NebulaLane *lane,
                           guint32 index)
{
  NebulaAgendaItem item = {kind, lane->number, index};

  g_array_append_val (self->agenda, item);
}

gboolean
_nebula_loop_wants_judgement (NebulaState *self, NebulaLoop *loop)
{
  NebulaPlanNode *node = &self->plan->nodes[loop->work->node];

  /* A for-each has no other late expression than done-when. */
  return node->construct == NEBULA_CONSTRUCT_FOR_EACH && node->late && !loop->is_ending &&
         loop->n_judged < loop->n_done;
}

static gboolean
loop_is_due (NebulaState *self, NebulaRun *run)
{
  NebulaLoop *loop = run->work ? run->work->loop : NULL;

  if (!loop)
    return FALSE;
  if (loop->n_open == 0)
    return !loop->is_undoing;
  if (loop->is_trailing)
    return FALSE;
  if (loop->is_ending)
    return !_nebula_scope_ends_gently (self, loop) ||
           _nebula_scope_find_going (self, loop) != NULL;
  if (_nebula_loop_wants_judgement (self, loop))
    return TRUE;
  return nebula_construct_is_loop (self->plan->nodes[loop->work->node].construct) &&
         loop->next_index < loop->count &&
         loop->n_open < loop->concurrency;
}

/* An item that was decided already, or whose lane is gone, is stale and is dropped. */
static gboolean
agenda_item_is_due (NebulaState *self, const NebulaAgendaItem *item)
{
  NebulaLane *lane = nebula_state_get_lane (self, item->lane);
  guint32 first_edge;

  if (!lane)
    return FALSE;
  switch ((NebulaAgendaKind) item->kind) {
  case NEBULA_AGENDA_NODE:
    return nebula_lane_get_run (self, lane, item->index)->status == NEBULA_NODE_FIRED;
  case NEBULA_AGENDA_GUARD:
    first_edge = self->plan->scopes[lane->scope].first_edge;
    return lane->edges[item->index - first_edge].guarded != NULL;
  case NEBULA_AGENDA_NEED:
    return nebula_lane_get_run (self, lane, item->index)->live > 0 &&
           nebula_lane_get_run (self, lane, item->index)->need == 0;
  case NEBULA_AGENDA_LOOP:
    return loop_is_due (self, nebula_lane_get_run (self, lane, item->index));
  case NEBULA_AGENDA_LANE:
    if (lane == self->root && self->is_undoing)
      return FALSE;
    return lane->active == 0 || lane->is_ending ||
           (self->is_stopping && lane == self->root && !lane->is_halted);
  default:
    return FALSE;
  }
}

gboolean
nebula_state_peek_agenda (NebulaState *self, NebulaAgendaItem *ret_item)
{
  if (nebula_execution_status_is_terminal (self->status))
    return FALSE;
  while (self->agenda_head < self->agenda->len) {
    NebulaAgendaItem *item =
        &g_array_index (self->agenda, NebulaAgendaItem, self->agenda_head);

    if (agenda_item_is_due (self, item)) {
      *ret_item = *item;
      return TRUE;
    }
    self->agenda_head++;
  }
  g_array_set_size (self->agenda, 0);
  self->agenda_head = 0;
  return FALSE;
}

void
nebula_state_pop_agenda (NebulaState *self)
{
  self->agenda_head++;
  if (self->agenda_head < 1024 || self->agenda_head * 2 < self->agenda->len)
    return;
  g_array_remove_range (self->agenda, 0, self->agenda_head);
  self->agenda_head = 0;
}

char *
nebula_state_dup_path (NebulaState *self, NebulaLane *lane, guint32 node)
{
  GString *path = g_string_new (self->plan->nodes[node].id);

  if (lane && lane->undo > 0) {
    g_string_prepend_c (path, '.');
    g_string_prepend (path, _nebula_state_get_undo (self, lane->undo - 1)->path);
  }
  for (; lane && lane->loop; lane = lane->parent) {
    const char *id = self->plan->nodes[lane->loop->work->node].id;
    const char *part = nebula_lane_get_part_name (self, lane);
    g_autofree char *step = part ? g_strdup_printf ("%s.%s.", id, part)
                                 : g_strdup_printf ("%s[%u].", id, lane->index);

    g_string_prepend (path, step);
  }
  return g_string_free (path, FALSE);
}

static guint32
find_node (guint32 lane_number, const char *id, gpointer data)
{
  NebulaState *self = data;
  NebulaLane *lane = nebula_state_get_lane (self, lane_number);

  return nebula_plan_find_node (self->plan, lane ? lane->scope : 0, id);
}

gboolean
nebula_state_fold (NebulaState *self, GBytes *segment, GError **error)
{
  NebulaFactReader reader;
  NebulaFact fact;
  NebulaAgendaItem item;
  g_autoptr (GError) local_error = NULL;

  if (!nebula_fact_reader_init (&reader, segment, find_node, self, error))
    return FALSE;
  while (nebula_fact_reader_next (&reader, &fact, &local_error)) {
    g_autoptr (NebulaValue) value = fact.value;

    if (!nebula_state_accepts (self, &fact)) {
      g_set_error (
          error, NEBULA_ERROR, NEBULA_ERROR_STORE_CORRUPT,
          _ ("Fact %llu (%s) does not fit what came before it."),
          (unsigned long long) self->sequence + 1, nebula_fact_kind_to_string (fact.kind));
      nebula_fact_reader_clear (&reader);
      return FALSE;
    }
    if (self->watch)
      self->watch (self, &fact, self->watch_data);
    nebula_state_apply (self, &fact);
    if (self->told)
      self->told (self, &fact, self->told_data);
    nebula_state_peek_agenda (self, &item); /* drops what this fact decided */
  }
  g_clear_pointer (&self->partings, g_ptr_array_unref); /* they were told when the facts were recorded */
  if (!local_error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}
