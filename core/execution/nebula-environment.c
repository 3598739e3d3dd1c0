/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of expressions, found in the recorded state of an execution and nowhere else. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-expression-limits.h"
#include "nebula-frozen-internal.h"
#include "nebula-kernel-private.h"
#include "nebula-limits.h"

static NebulaScopeEnvironment *
get_self (const NebulaEnvironment *environment)
{
  return environment->data;
}

static NebulaValue *
ref_or_null (NebulaValue *value)
{
  return value ? nebula_value_ref (value) : nebula_value_new_null ();
}

/* The round of the innermost loop around a lane. */
static NebulaLane *
get_round (NebulaScopeEnvironment *self)
{
  return nebula_lane_get_round (self->kernel->state, self->lane);
}

static NebulaValue *
get_item (NebulaScopeEnvironment *self)
{
  NebulaLane *lane = get_round (self);

  while (lane && !lane->item)
    lane = nebula_lane_get_round (self->kernel->state, lane->parent);
  return lane ? nebula_value_ref (lane->item) : NULL;
}

static NebulaValue *
get_index (NebulaScopeEnvironment *self)
{
  NebulaLane *lane = get_round (self);

  if (self->index >= 0)
    return nebula_value_new_integer (self->index);
  return lane ? nebula_value_new_integer (lane->index) : NULL;
}

static NebulaValue *
get_last (NebulaScopeEnvironment *self)
{
  NebulaLane *lane = get_round (self);

  if (self->index >= 0)
    return ref_or_null (self->last);
  return lane ? ref_or_null (lane->last) : NULL;
}

/* What went wrong, where a failure is handled: null in a `finally` if nothing did. NULL: nowhere near. */
static NebulaValue *
get_error (NebulaScopeEnvironment *self)
{
  NebulaPlan *plan = self->kernel->plan;

  for (NebulaLane *lane = self->lane; lane && lane->loop; lane = lane->parent) {
    NebulaPart part = plan->scopes[lane->scope].part;

    if (part == NEBULA_PART_CATCH)
      return ref_or_null (lane->item);
    if (part == NEBULA_PART_FINALLY)
      return ref_or_null (lane->loop->failure);
  }
  return NULL;
}

static NebulaValue *
get_json (NebulaScopeEnvironment *self)
{
  if (self->work)
    return nebula_value_ref (self->work->input);
  return self->lane->loop ? ref_or_null (self->lane->item)
                          : nebula_value_ref (self->kernel->state->input);
}

static NebulaValue *
get_inputs (NebulaScopeEnvironment *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  NebulaPlan *plan = self->kernel->plan;
  NebulaPlanNode *node;

  if (!self->work)
    return nebula_value_new_empty_object ();
  if (self->work->inputs)
    return nebula_value_ref (self->work->inputs);
  node = &plan->nodes[self->work->node];
  if (node->n_in == 0)
    return nebula_value_new_empty_object ();
  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set (
      builder, plan->nodes[plan->edges[plan->in_edges[node->first_in]].from].id,
      self->work->input);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
get_today (NebulaScopeEnvironment *self)
{
  g_autoptr (GDateTime) now =
      g_date_time_new_from_unix_utc (self->now_usec / G_USEC_PER_SEC);

  return nebula_value_new_date (g_date_time_get_year (now), g_date_time_get_month (now),
                                g_date_time_get_day_of_month (now), NULL);
}

static NebulaValue *
get_workflow (NebulaScopeEnvironment *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "name", self->kernel->plan->name);
  nebula_value_builder_set_string (builder, "revision", self->kernel->plan->hash);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
get_execution (NebulaScopeEnvironment *self)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "id", self->kernel->execution);
  nebula_value_builder_set_take (
      builder, "started",
      nebula_value_new_timestamp (self->kernel->state->started_usec, 0));
  return nebula_value_builder_end (builder);
}

/* What was captured when the execution was created. */
static NebulaValue *
get_captured (NebulaScopeEnvironment *self, const char *name)
{
  NebulaValue *captured = nebula_value_get_member (self->kernel->state->started, name);

  if (captured)
    return nebula_value_ref (captured);
  if (g_str_equal (name, "env"))
    return nebula_value_new_empty_object ();
  return g_str_equal (name, "trigger") || g_str_equal (name, "user")
             ? nebula_value_new_null ()
             : NULL;
}

static NebulaValue *
get_rare_variable (NebulaScopeEnvironment *self, const char *name)
{
  if (g_str_equal (name, "vars"))
    return ref_or_null (self->kernel->plan->variables);
  if (g_str_equal (name, "inputs"))
    return get_inputs (self);
  if (g_str_equal (name, "last"))
    return get_last (self);
  if (g_str_equal (name, "items"))
    return self->items ? nebula_value_ref (self->items) : NULL;
  if (g_str_equal (name, "error"))
    return get_error (self);
  if (g_str_equal (name, "now"))
    return nebula_value_new_timestamp (self->now_usec, 0);
  if (g_str_equal (name, "today"))
    return get_today (self);
  if (g_str_equal (name, "workflow"))
    return get_workflow (self);
  if (g_str_equal (name, "execution"))
    return get_execution (self);
  if (g_str_equal (name, "tenant"))
    return nebula_value_new_string (self->kernel->tenant);
  return get_captured (self, name);
}

static NebulaValue *
find_variable (NebulaScopeEnvironment *self, const char *name)
{
  if (g_str_equal (name, "json"))
    return get_json (self);
  if (g_str_equal (name, "item"))
    return get_item (self);
  if (g_str_equal (name, "index"))
    return get_index (self);
  if (g_str_equal (name, "input"))
    return nebula_value_ref (self->kernel->state->input);
  return get_rare_variable (self, name);
}

static NebulaValue *
get_variable (const NebulaEnvironment *environment, const char *name, GError **error)
{
  NebulaScopeEnvironment *self = get_self (environment);

  return _nebula_kernel_load_take (self->kernel, find_variable (self, name), error);
}

static NebulaValue *
get_node_field (NebulaRun *run, NebulaNodeField field)
{
  switch (field) {
  case NEBULA_NODE_FIELD_RESULT:
    return ref_or_null (run->status == NEBULA_NODE_COMPLETED ? run->value : NULL);
  case NEBULA_NODE_FIELD_STATUS:
    return nebula_value_new_string (nebula_node_status_to_string (run->status));
  case NEBULA_NODE_FIELD_SUCCESS:
    return nebula_value_new_boolean (run->status == NEBULA_NODE_COMPLETED);
  case NEBULA_NODE_FIELD_ERROR:
    return ref_or_null (run->status == NEBULA_NODE_FAILED ? run->value : NULL);
  case NEBULA_NODE_FIELD_ATTEMPTS:
    return nebula_value_new_integer (run->attempts);
  default:
    g_return_val_if_reached (nebula_value_new_null ());
  }
}

/* What a node gives that is about to complete. */
static NebulaValue *
get_ended_field (NebulaScopeEnvironment *self, NebulaRun *run, NebulaNodeField field)
{
  if (field == NEBULA_NODE_FIELD_RESULT)
    return nebula_value_ref (self->result); /* read by the caller, if it is stored */
  if (field == NEBULA_NODE_FIELD_STATUS)
    return nebula_value_new_string (nebula_node_status_to_string (NEBULA_NODE_COMPLETED));
  if (field == NEBULA_NODE_FIELD_SUCCESS)
    return nebula_value_new_boolean (TRUE);
  return get_node_field (run, field);
}

static NebulaValue *
get_node (const NebulaEnvironment *environment,
          const char *id,
          NebulaNodeField field,
          GError **error)
{
  NebulaScopeEnvironment *self = get_self (environment);
  guint32 node = nebula_plan_find_node (self->kernel->plan, self->lane->scope, id);
  NebulaRun *run = NULL;

  if (node != NEBULA_PLAN_NONE)
    run = nebula_state_find_run (self->kernel->state, self->lane, node);
  if (run && self->result && node == self->work->node)
    return _nebula_kernel_load_take (self->kernel, get_ended_field (self, run, field),
                                     error);
  if (run)
    return _nebula_kernel_load_take (self->kernel, get_node_field (run, field), error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME,
               _ ("There is no node “%s” that can be seen from here."), id);
  return NULL;
}

static NebulaValue *
get_loop (const NebulaEnvironment *environment,
          const char *loop_id,
          const char *field,
          GError **error)
{
  NebulaScopeEnvironment *self = get_self (environment);
  NebulaLane *lane = self->lane;

  while (lane && lane->loop &&
         !g_str_equal (self->kernel->plan->nodes[lane->loop->work->node].id, loop_id))
    lane = lane->parent;
  if (lane && lane->loop && g_str_equal (field, "item"))
    return _nebula_kernel_load_take (self->kernel, ref_or_null (lane->item), error);
  if (lane && lane->loop && g_str_equal (field, "index"))
    return nebula_value_new_integer (lane->index);
  if (lane && lane->loop && g_str_equal (field, "last"))
    return _nebula_kernel_load_take (self->kernel, ref_or_null (lane->last), error);
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_UNKNOWN_NAME,
               _ ("There is no loop “%s” around this node, or it has no “%s”."), loop_id,
               field);
  return NULL;
}

/* SplitMix64's finalizer (Steele, Lea, Flood 2014): the same input gives the same bits. */
static guint64
mix (guint64 bits)
{
  bits += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  bits = (bits ^ (bits >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  bits = (bits ^ (bits >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return bits ^ (bits >> 31);
}

guint64
_nebula_kernel_random (NebulaKernel *self,
                       NebulaLane *lane,
                       guint32 node,
                       guint32 firing,
                       guint call_index)
{
  guint64 bits = mix (self->state->seed ^ lane->number);

  if (node != NEBULA_PLAN_NONE)
    bits = mix (bits ^ g_str_hash (self->plan->nodes[node].id));
  return mix (mix (bits ^ firing) ^ call_index);
}

static guint64
get_random (const NebulaEnvironment *environment, guint call_index)
{
  NebulaScopeEnvironment *self = get_self (environment);
  NebulaWork *work = self->work;

  return _nebula_kernel_random (self->kernel, self->lane,
                                work ? work->node : NEBULA_PLAN_NONE,
                                work ? work->firing : 0, call_index);
}

/* All nodes that can be named from here: those of the scope, and of the scopes around it. */
static char **
list_nodes (const NebulaEnvironment *environment)
{
  NebulaScopeEnvironment *self = get_self (environment);
  NebulaPlan *plan = self->kernel->plan;
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();

  for (guint32 s = self->lane->scope; s != NEBULA_PLAN_NONE; s = plan->scopes[s].parent)
    for (guint32 i = 0; i < plan->scopes[s].n_nodes; i++)
      g_strv_builder_add (ids, plan->nodes[plan->scopes[s].first_node + i].id);
  return g_strv_builder_end (ids);
}

/* Whoever evaluates with it has full fuel: that is not done here. */
static NebulaFrozen *
freeze (NebulaKernel *self, NebulaWork *work, const NebulaLateExpressions *late)
{
  g_autoptr (GPtrArray) expressions = NULL;
  NebulaScopeEnvironment environment;

  expressions = g_ptr_array_new ();
  for (guint i = 0; i < late->n_items; i++)
    g_ptr_array_add (expressions, late->items[i].expression);
  _nebula_kernel_init_environment (self, &environment, work->lane, work);
  environment.environment.fuel = nebula_expression_limits_get ()->fuel;
  return nebula_frozen_new (&environment.environment,
                            (NebulaExpression *const *) expressions->pdata,
                            expressions->len);
}

gboolean
_nebula_kernel_freeze (NebulaKernel *self, NebulaWork *work, GError **error)
{
  const NebulaLateExpressions *late = self->plan->nodes[work->node].late;
  NebulaFrozen *frozen;

  if (!late || work->frozen)
    return TRUE;
  frozen = freeze (self, work, late);
  if (!self->is_put_off) {
    work->frozen = frozen;
    return TRUE;
  }
  nebula_frozen_unref (frozen);
  g_set_error_literal (error, NEBULA_KERNEL_WOULD_BLOCK, "Its names are to be read.");
  return FALSE;
}

NebulaFrozen *
nebula_kernel_freeze (NebulaKernel *self, NebulaWork *work)
{
  return g_steal_pointer (&work->frozen);
}

void
_nebula_kernel_init_environment (NebulaKernel *self,
                                 NebulaScopeEnvironment *ret_environment,
                                 NebulaLane *lane,
                                 NebulaWork *work)
{
  guint64 fuel = nebula_expression_limits_get ()->fuel;

  ret_environment->environment = (NebulaEnvironment){
      .get_variable = get_variable,
      .get_node = get_node,
      .get_loop = get_loop,
      .get_random = get_random,
      .list_nodes = list_nodes,
      .data = ret_environment,
      .missing_is_null = self->plan->missing_is_null,
      .must_not_wait = self->inline_fuel > 0,
      .fuel = self->inline_fuel ? MIN (self->inline_fuel, fuel) : fuel,
  };
  ret_environment->kernel = self;
  ret_environment->lane = lane;
  ret_environment->work = work;
  ret_environment->last = NULL;
  ret_environment->items = NULL;
  ret_environment->result = NULL;
  ret_environment->index = -1;
  ret_environment->now_usec =
      work ? nebula_lane_get_run (self->state, lane, work->node)->ready_usec
           : self->state->last_usec;
}
