/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an execution that begins in the middle takes from an earlier one. Two paths are compared step by step along the plan
 * of the new execution: that of the node at which it begins (the point), and that of a node-run of the earlier one.
 *
 *   they part at two nodes of one scope   the run is taken unless the point's node leads to it
 *   … at two rounds of a for-each         it is taken: rounds do not depend on each other
 *   … at two rounds of another loop       it is taken if its round came before
 *   … at two bodies of a try              it is taken if its body comes before, failures too
 *   they do not part                      the run is the point, holds it, or is inside of it: it runs again
 *
 * Where they part deeper inside, whatever holds the run is taken as a whole. Failures are taken where the workflow handled
 * them; what was undone, cancelled or not done runs again, and so do nodes that only act on others (flow.cancel, flow.add)
 * or hand out something of the execution (flow.token).
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-given-internal.h"
#include "nebula-state-private.h"

#define STEPS_MAX 128

/* A step of a path: a node, and which of its scopes goes on below it. */
typedef struct {
  guint32 node;
  guint32 child;   /* scope; NEBULA_PLAN_NONE: the path ends here */
  gint64 index;    /* round; -1: all, or no loop */
  guint8 *reached; /* of the point: nodes of the step's scope to which its node leads */
} Step;

struct _NebulaRecall {
  NebulaPlan *plan;
  GArray *point;    /* Step */
  GHashTable *runs; /* =PATH → entry */
};

static void
step_clear (gpointer data)
{
  g_free (((Step *) data)->reached);
}

static GArray *
steps_new (void)
{
  GArray *steps = g_array_new (FALSE, TRUE, sizeof (Step));

  g_array_set_clear_func (steps, step_clear);
  return steps;
}

static guint32
find_in_scope (NebulaPlan *plan, guint32 scope, const char *text, gsize length)
{
  g_autofree char *id = g_strndup (text, length);
  guint32 node = nebula_plan_find_node (plan, scope, id);

  return node != NEBULA_PLAN_NONE && plan->nodes[node].scope == scope ? node
                                                                      : NEBULA_PLAN_NONE;
}

/* The body of this name. */
static guint32
find_body (NebulaPlan *plan, NebulaPlanNode *node, const char *text, gsize length)
{
  static const char *const names[] = {"body", "catch", "finally"};

  for (guint32 i = 0; i < node->n_bodies; i++) {
    NebulaPlanScope *scope = &plan->scopes[node->body + i];
    const char *name = scope->name ? scope->name
                       : scope->part < G_N_ELEMENTS (names) ? names[scope->part]
                                                            : "";

    if (strlen (name) == length && strncmp (name, text, length) == 0)
      return node->body + i;
  }
  return NEBULA_PLAN_NONE;
}

static gsize
get_word (const char *text)
{
  return strcspn (text, ".[#");
}

/* [3]: moves on; FALSE: it is no number. */
static gboolean
read_index (const char **text, gint64 *ret_index)
{
  char *end = NULL;

  if (**text != '[')
    return TRUE;
  if (!g_ascii_isdigit ((*text)[1]))
    return FALSE;
  *ret_index = g_ascii_strtoll (*text + 1, &end, 10);
  if (*end != ']')
    return FALSE;
  *text = end + 1;
  return TRUE;
}

/* Reads one step and moves on; FALSE: it is none. @step->child tells whether another one has to follow. */
static gboolean
read_step (NebulaPlan *plan, guint32 scope, const char **text, Step *step)
{
  gsize length = get_word (*text);
  NebulaPlanNode *node;

  *step = (Step){find_in_scope (plan, scope, *text, length), NEBULA_PLAN_NONE, -1, NULL};
  if (step->node == NEBULA_PLAN_NONE)
    return FALSE;
  node = &plan->nodes[step->node];
  *text += length;
  if (**text == '\0' || **text == '#')
    return TRUE;
  if (node->body == NEBULA_PLAN_NONE)
    return FALSE;
  if (nebula_construct_is_loop (node->construct)) {
    step->child = node->body;
    if (!read_index (text, &step->index) || **text != '.')
      return FALSE;
  } else {
    if (**text != '.')
      return FALSE;
    (*text)++;
    length = get_word (*text);
    step->child = find_body (plan, node, *text, length);
    *text += length;
    if (step->child == NEBULA_PLAN_NONE || **text != '.')
      return FALSE;
  }
  (*text)++;
  return TRUE;
}

/* NULL: the path names no node of the plan. */
static GArray *
read_path (NebulaPlan *plan, const char *path, gboolean is_exact)
{
  g_autoptr (GArray) steps = steps_new ();
  guint32 scope = 0;
  Step step;

  do {
    if (steps->len == STEPS_MAX || !read_step (plan, scope, &path, &step))
      return NULL;
    if (is_exact && step.index < 0 && step.child != NEBULA_PLAN_NONE &&
        nebula_construct_is_loop (plan->nodes[step.node].construct))
      return NULL;
    g_array_append_val (steps, step);
    scope = step.child;
  } while (scope != NEBULA_PLAN_NONE);
  return g_steal_pointer (&steps);
}

static GArray *
read_path_or_fail (NebulaPlan *plan, const char *path, gboolean is_exact, GError **error)
{
  GArray *steps = strchr (path, '#') ? NULL : read_path (plan, path, is_exact);

  if (!steps)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 is_exact ? _ ("There is no node “%s” in the workflow “%s”. Inside a loop, name the round: each[734].price.")
                          : _ ("There is no node “%s” in the workflow “%s”."),
                 path, plan->name);
  return steps;
}

gboolean
nebula_plan_check_path (NebulaPlan *plan, const char *path, gboolean is_exact, GError **error)
{
  g_autoptr (GArray) steps = read_path_or_fail (plan, path, is_exact, error);

  return steps != NULL;
}

/* All nodes of the scope to which a node leads, over any number of connections. */
static guint8 *
reach (NebulaPlan *plan, guint32 from)
{
  NebulaPlanScope *scope = &plan->scopes[plan->nodes[from].scope];
  guint8 *reached = g_new0 (guint8, MAX (scope->n_nodes, 1));
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_array_append_val (stack, from);
  while (stack->len > 0) {
    guint32 node = g_array_index (stack, guint32, stack->len - 1);
    NebulaPlanNode *source = &plan->nodes[node];

    g_array_set_size (stack, stack->len - 1);
    for (guint32 i = 0; i < source->n_out; i++) {
      guint32 to = plan->edges[source->first_out + i].to;

      if (reached[to - scope->first_node])
        continue;
      reached[to - scope->first_node] = 1;
      g_array_append_val (stack, to);
    }
  }
  return reached;
}

NebulaRecall *
nebula_recall_new (NebulaPlan *plan, const char *from, GError **error)
{
  GArray *point = read_path_or_fail (plan, from, TRUE, error);
  NebulaRecall *self;

  if (!point)
    return NULL;
  for (guint i = 0; i < point->len; i++) {
    Step *step = &g_array_index (point, Step, i);

    step->reached = reach (plan, step->node);
  }
  self = g_new0 (NebulaRecall, 1);
  self->plan = nebula_plan_ref (plan);
  self->point = point;
  self->runs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                      (GDestroyNotify) nebula_value_unref);
  return self;
}

void
nebula_recall_free (NebulaRecall *self)
{
  nebula_plan_unref (self->plan);
  g_array_unref (self->point);
  g_hash_table_unref (self->runs);
  g_free (self);
}

typedef enum {
  TAKE_NOTHING,
  TAKE_HANDLED, /* results, and failures that the node handles */
  TAKE_ALL,
} Take;

/* They go into different scopes, or rounds of one, below the same node. */
static Take
compare_below (NebulaPlan *plan, const Step *point, const Step *run)
{
  guint construct = plan->nodes[point->node].construct;

  if (nebula_construct_is_loop (construct))
    return construct == NEBULA_CONSTRUCT_FOR_EACH || run->index < point->index ? TAKE_HANDLED
                                                                             : TAKE_NOTHING;
  return construct == NEBULA_CONSTRUCT_TRY && run->child < point->child ? TAKE_ALL
                                                                        : TAKE_NOTHING;
}

static Take
compare (NebulaRecall *self, GArray *run)
{
  for (guint i = 0; i < MIN (run->len, self->point->len); i++) {
    const Step *point = &g_array_index (self->point, Step, i);
    const Step *step = &g_array_index (run, Step, i);
    guint32 first = self->plan->scopes[self->plan->nodes[point->node].scope].first_node;

    if (step->node != point->node)
      return i + 1 == run->len && !point->reached[step->node - first] ? TAKE_HANDLED
                                                                      : TAKE_NOTHING;
    if (i + 1 == run->len || i + 1 == self->point->len)
      return TAKE_NOTHING;
    if (step->child != point->child || step->index != point->index)
      return i + 2 == run->len ? compare_below (self->plan, point, step) : TAKE_NOTHING;
  }
  return TAKE_NOTHING;
}

static gboolean
is_taken (NebulaRecall *self, const NebulaFact *fact, GArray *run)
{
  NebulaPlanNode *node =
      &self->plan->nodes[g_array_index (run, Step, run->len - 1).node];
  Take take = compare (self, run);

  if (node->construct == NEBULA_CONSTRUCT_CANCEL || node->construct == NEBULA_CONSTRUCT_ADD ||
      node->construct == NEBULA_CONSTRUCT_TOKEN)
    return FALSE;
  if (fact->kind != NEBULA_FACT_NODE_FAILED)
    return take != TAKE_NOTHING;
  return take == TAKE_ALL || (take == TAKE_HANDLED && (node->has_error_edge ||
                                                       node->on_error == NEBULA_ON_ERROR_CONTINUE));
}

static NebulaValue *
make_entry (const NebulaFact *fact)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  if (fact->kind == NEBULA_FACT_NODE_SKIPPED)
    nebula_value_builder_set_boolean (builder, "skipped", TRUE);
  else
    nebula_value_builder_set (
        builder, fact->kind == NEBULA_FACT_NODE_FAILED ? "failure" : "value", fact->value);
  if (fact->text)
    nebula_value_builder_set_string (builder, "port", fact->text);
  if (fact->kind == NEBULA_FACT_NODE_ENDED && fact->code == 1)
    nebula_value_builder_set_string (builder, "by", "port");
  return nebula_value_builder_end (builder);
}

static char *
make_key (NebulaState *state, const NebulaFact *fact)
{
  NebulaLane *lane = nebula_state_get_lane (state, fact->lane);
  NebulaRun *run = nebula_lane_get_run (state, lane, fact->node);
  g_autofree char *path = nebula_state_dup_path (state, lane, fact->node);

  return run->firing > 1 ? g_strdup_printf ("=%s#%u", path, run->firing)
                         : g_strconcat ("=", path, NULL);
}

static void
see (NebulaState *state, const NebulaFact *fact, gpointer data)
{
  NebulaRecall *self = data;
  NebulaLane *lane = nebula_state_get_lane (state, fact->lane);
  g_autofree char *key = NULL;
  g_autoptr (GArray) run = NULL;

  if (fact->kind != NEBULA_FACT_NODE_ENDED && fact->kind != NEBULA_FACT_NODE_FAILED &&
      fact->kind != NEBULA_FACT_NODE_SKIPPED)
    return;
  if (!lane || lane->undo > 0)
    return;
  key = make_key (state, fact);
  run = read_path (self->plan, key + 1, TRUE);
  if (run && is_taken (self, fact, run))
    g_hash_table_insert (self->runs, g_steal_pointer (&key), make_entry (fact));
}

void
nebula_recall_watch (NebulaRecall *self, NebulaState *state)
{
  state->watch = see;
  state->watch_data = self;
}

static void
drop_undone (NebulaRecall *self, NebulaState *state)
{
  for (guint i = 0; state->undos && i < state->undos->len; i++) {
    NebulaUndo *undo = state->undos->pdata[i];
    g_autofree char *key = g_strconcat ("=", undo->path, NULL);

    if (undo->status != NEBULA_UNDO_KEPT)
      g_hash_table_remove (self->runs, key);
  }
}

NebulaValue *
nebula_recall_end (NebulaRecall *self, NebulaState *state)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  GHashTableIter iter;
  gpointer key;
  gpointer entry;

  state->watch = NULL;
  drop_undone (self, state);
  g_hash_table_iter_init (&iter, self->runs);
  while (g_hash_table_iter_next (&iter, &key, &entry))
    nebula_value_builder_set (builder, key, entry);
  return nebula_value_builder_end (builder);
}
