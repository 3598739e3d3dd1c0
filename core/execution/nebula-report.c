/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What people and programs are told about an execution: the run object, its digest. */

#include "nebula-duration.h"
#include "nebula-json.h"
#include "nebula-kernel-private.h"
#include "nebula-msgpack.h"
#include "nebula-results-private.h"

static void
set_member (NebulaValueBuilder *builder, const char *key, NebulaValue *value)
{
  nebula_value_builder_set_take (
      builder, key, value ? nebula_value_ref (value) : nebula_value_new_null ());
}

NebulaValue *
nebula_run_report (NebulaRun *run)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gint64 duration = run->ended_usec ? run->ended_usec - run->ready_usec : 0;

  nebula_value_builder_set_string (builder, "status",
                                   nebula_node_status_to_string (run->status));
  nebula_value_builder_set_integer (builder, "attempts", run->attempts);
  nebula_value_builder_set_integer (builder, "duration_us", duration);
  if (run->status == NEBULA_NODE_FAILED || run->status == NEBULA_NODE_RETRYING)
    set_member (builder, "error", run->value);
  else
    set_member (builder, "result",
                run->status == NEBULA_NODE_COMPLETED ? run->value : NULL);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
report_nodes (NebulaKernel *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  NebulaLane *root = self->state->root;

  for (guint i = 0; root && i < self->plan->scopes[0].n_nodes; i++)
    nebula_value_builder_set_take (builder, self->plan->nodes[i].id,
                                   nebula_run_report (&root->runs[i]));
  return nebula_value_builder_end (builder);
}

/* What was undone, or should have been: an array of {node, status, error?}; NULL: nothing. */
static NebulaValue *
report_undone (NebulaState *state)
{
  static const char *const statuses[] = {"kept", "running", "completed", "failed"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = state->undos ? state->undos->len : 0; i > 0; i--) {
    NebulaUndo *undo = state->undos->pdata[i - 1];
    g_autoptr (NebulaValueBuilder) entry = NULL;

    if (undo->status == NEBULA_UNDO_KEPT)
      continue;
    entry = nebula_value_builder_new_object ();
    nebula_value_builder_set_string (entry, "node", undo->path);
    nebula_value_builder_set_string (entry, "status", statuses[undo->status]);
    if (undo->failure)
      nebula_value_builder_set (entry, "error", undo->failure);
    nebula_value_builder_add_take (builder, nebula_value_builder_end (entry));
  }
  return nebula_value_builder_get_length (builder) > 0
             ? nebula_value_builder_end (builder)
             : NULL;
}

NebulaValue *
nebula_kernel_report (NebulaKernel *self)
{
  NebulaState *state = self->state;
  NebulaExecutionStatus status = nebula_kernel_get_status (self);
  gint64 end = state->ended_usec ? state->ended_usec : state->last_usec;
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *started = nebula_timestamp_to_string (state->started_usec, 0);
  g_autoptr (NebulaValue) undone = NULL;

  nebula_value_builder_set_string (builder, "execution", self->execution);
  nebula_value_builder_set_string (builder, "workflow", self->plan->name);
  nebula_value_builder_set_string (builder, "status",
                                   nebula_execution_status_to_string (status));
  set_member (builder, "output",
              status == NEBULA_EXECUTION_STATUS_COMPLETED ? state->output : NULL);
  set_member (builder, "error", state->error);
  nebula_value_builder_set_string (builder, "started", started);
  nebula_value_builder_set_integer (builder, "duration_us", end - state->started_usec);
  nebula_value_builder_set_take (builder, "nodes", report_nodes (self));
  if (state->started && nebula_value_has_member (state->started, "parent"))
    set_member (builder, "parent", nebula_value_get_member (state->started, "parent"));
  if (state->started && nebula_value_has_member (state->started, "revision"))
    set_member (builder, "revision", nebula_value_get_member (state->started, "revision"));
  undone = report_undone (state);
  if (undone)
    nebula_value_builder_set (builder, "undone", undone);
  return nebula_value_builder_end (builder);
}

static void
digest_value (GChecksum *checksum, NebulaValue *value)
{
  g_autoptr (GBytes) bytes = value ? nebula_value_to_msgpack (value) : NULL;

  if (bytes)
    g_checksum_update (checksum, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes));
  else
    g_checksum_update (checksum, (const guchar *) "\xc1", 1);
}

static void
digest_text (GChecksum *checksum, char *text)
{
  g_checksum_update (checksum, (const guchar *) text, -1);
  g_free (text);
}

static void
digest_lane (NebulaState *self, NebulaLane *lane, GChecksum *checksum)
{
  NebulaPlanScope *scope = &self->plan->scopes[lane->scope];

  digest_text (checksum, g_strdup_printf ("lane %u %u %u %d|", lane->number, lane->index,
                                          lane->active, lane->is_ending));
  digest_value (checksum, lane->failure);
  for (guint i = 0; i < scope->n_nodes; i++) {
    NebulaRun *run = &lane->runs[i];
    NebulaWork *work = run->work;

    digest_text (checksum, g_strdup_printf (
                               "%u %u %u %u %u %u %s %" G_GINT64_FORMAT "|", run->status,
                               run->attempts, run->firing, run->arrived, run->live,
                               run->order, run->port ? run->port : "-", run->ready_usec));
    digest_value (checksum, run->value);
    if (!work)
      continue;
    digest_text (checksum,
                 g_strdup_printf ("work %" G_GINT64_FORMAT " %d %s|", work->due_usec,
                                  work->is_begun, work->signal ? work->signal : "-"));
    digest_text (checksum, g_strdup_printf ("%s %s %d|", work->other ? work->other : "-",
                                            work->hold ? work->hold : "-", work->is_held));
    digest_value (checksum, work->request);
    digest_value (checksum, work->answers);
    digest_value (checksum, work->input);
    if (work->loop && work->loop->results)
      _nebula_results_digest (work->loop->results, checksum);
    for (guint j = 0; work->loop && work->loop->added && j < work->loop->added->len; j++)
      digest_value (checksum, work->loop->added->pdata[j]);
    for (NebulaLane *round = work->loop ? work->loop->lanes : NULL; round;
         round = round->next)
      digest_lane (self, round, checksum);
  }
  for (guint i = 0; i < scope->n_edges; i++)
    digest_text (checksum, g_strdup_printf ("%u %u|", lane->edges[i].n_tokens,
                                            lane->edges[i].n_seen));
}

static void
digest_undos (NebulaState *self, GChecksum *checksum)
{
  for (guint i = 0; self->undos && i < self->undos->len; i++) {
    NebulaUndo *undo = self->undos->pdata[i];

    digest_text (checksum, g_strdup_printf ("undo %s %u %u|", undo->path, undo->owner,
                                            undo->status));
    digest_value (checksum, undo->parameters);
    digest_value (checksum, undo->input);
    digest_value (checksum, undo->failure);
    if (undo->lane)
      digest_lane (self, undo->lane, checksum);
  }
}

char *
nebula_state_dup_digest (NebulaState *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  NebulaAgendaItem item;
  gboolean is_due = nebula_state_peek_agenda (self, &item);

  digest_text (checksum,
               g_strdup_printf ("%" G_GUINT64_FORMAT " %u %d %d %u %u %u %u %d|",
                                self->sequence, self->status, self->is_paused,
                                self->is_stopping, self->next_lane, self->n_ready,
                                self->n_waiting, self->signals.length, is_due));
  digest_value (checksum, self->output);
  digest_value (checksum, self->error);
  digest_value (checksum, self->watchers);
  digest_value (checksum, self->tokens);
  digest_value (checksum, self->gates);
  if (self->root)
    digest_lane (self, self->root, checksum);
  digest_undos (self, checksum);
  return g_strdup (g_checksum_get_string (checksum));
}
