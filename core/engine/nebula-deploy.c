/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Workflows that this engine can start: compiled, linked, known by name. */

#include <glib/gi18n-lib.h>

#include "nebula-engine-private.h"
#include "nebula-error.h"
#include "nebula-limits.h"
#include "nebula-revisions.h"
#include "nebula-sync-internal.h"

/**
 * nebula_engine_set_limits:
 * @self: an engine
 * @max_nodes: nodes that a workflow may have; 0 for the default of 10,000
 * @max_connections: connections that it may have; 0 for the default of 50,000
 *
 * Sets how large the workflows may be that are deployed from now on. Executions that were started with a larger one are
 * recovered all the same.
 *
 * Since: 1.0
 */
void
nebula_engine_set_limits (NebulaEngine *self, guint max_nodes, guint max_connections)
{
  g_return_if_fail (NEBULA_IS_ENGINE (self));

  self->max_nodes = MIN (max_nodes, NEBULA_LIMIT_NODES_MAX);
  self->max_connections = max_connections;
}

NebulaPlan *
_nebula_engine_find_plan (NebulaEngine *self, const char *hash)
{
  return nebula_cache_get (self->peers->plans, hash);
}

/* About what a plan takes; one that is too large for the cache is kept alone rather than compiled again and again. */
static gsize
weigh (NebulaPlan *plan)
{
  gsize bytes = sizeof *plan + plan->n_nodes * (sizeof *plan->nodes + 256) +
                plan->n_edges * (sizeof *plan->edges + sizeof (guint32)) +
                plan->n_scopes * sizeof *plan->scopes;

  return MIN (bytes, NEBULA_PLANS_MAX_BYTES);
}

static gboolean
is_same (NebulaPlan *known, NebulaPlan *plan)
{
  if (!known->links || !plan->links)
    return known->links == plan->links;
  return nebula_value_equal (known->links, plan->links);
}

/* The same revision may call other ones by now. What came out of the store has its links in the executions. */
static NebulaPlan *
keep_plan (NebulaEngine *self, NebulaPlan *plan, GError **error)
{
  g_autoptr (NebulaPlan) known = _nebula_engine_find_plan (self, plan->hash);

  if (known && (!plan->links || is_same (known, plan)))
    return g_steal_pointer (&known);
  if (!nebula_plan_link (plan, self->resolver, error))
    return NULL;
  nebula_cache_put (self->peers->plans, plan->hash, plan, weigh (plan));
  return nebula_plan_ref (plan);
}

NebulaPlan *
_nebula_engine_deploy_limited (NebulaEngine *self,
                               NebulaWorkflow *workflow,
                               guint max_nodes,
                               guint max_connections,
                               GPtrArray *diagnostics,
                               GError **error)
{
  g_autoptr (NebulaPlan) plan = nebula_workflow_compile_limited (
      workflow, self->resolver, max_nodes, max_connections, diagnostics, error);

  if (!plan)
    return NULL;
  for (guint i = 0; plan->called && i < plan->called->len; i++) {
    g_autoptr (NebulaPlan) kept = keep_plan (self, plan->called->pdata[i], error);

    if (!kept)
      return NULL;
  }
  return keep_plan (self, plan, error);
}

void
_nebula_engine_remember_name (NebulaEngine *self, NebulaPlan *plan)
{
  _nebula_sync_lock (&self->peers->lock);
  g_hash_table_replace (self->peers->names, plan->name, nebula_plan_ref (plan));
  _nebula_sync_unlock (&self->peers->lock);
}

/* The same plan with other links than those in memory: what it calls by a path was published with it. */
NebulaPlan *
_nebula_engine_relink (NebulaEngine *self,
                       NebulaPlan *plan,
                       NebulaValue *links,
                       GError **error)
{
  g_autoptr (NebulaWorkflow) workflow =
      nebula_workflow_new_from_value (plan->definition, NULL, error);
  g_autoptr (NebulaPlan) copy = NULL;

  if (workflow)
    copy = nebula_workflow_compile_limited (workflow, self->resolver,
                                            NEBULA_LIMIT_NODES_MAX, G_MAXUINT, NULL, error);
  if (!copy)
    return NULL;
  copy->links = nebula_value_ref (links);
  return keep_plan (self, copy, error);
}

/**
 * nebula_engine_deploy:
 * @self: an engine
 * @workflow: what the user meant
 * @diagnostics: (element-type NebulaDiagnostic) (nullable): takes all problems, warnings too
 * @error: where the failure goes
 *
 * Compiles a workflow into a plan that this engine can start.
 *
 * Loads the modules of those actions that the plan holds as operations.
 *
 * Errors: %NEBULA_ERROR_INVALID_WORKFLOW (terminal) with the reasons in @diagnostics; %NEBULA_ERROR_MODULE_BROKEN
 * (terminal).
 *
 * Returns: (transfer full): the plan
 *
 * Since: 1.0
 */
NebulaPlan *
nebula_engine_deploy (NebulaEngine *self,
                      NebulaWorkflow *workflow,
                      GPtrArray *diagnostics,
                      GError **error)
{
  NebulaPlan *plan;

  g_return_val_if_fail (NEBULA_IS_ENGINE (self), NULL);
  g_return_val_if_fail (NEBULA_IS_WORKFLOW (workflow), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  plan = _nebula_engine_deploy_limited (self, workflow, self->max_nodes,
                                        self->max_connections, diagnostics, error);
  if (plan)
    _nebula_engine_remember_name (self, plan);
  return plan;
}

/* The revisions of all that a plan may call, as they are now, so that the whole tree of executions keeps them. */
typedef struct {
  NebulaEngine *engine;
  GPtrArray *plans; /* borrowed by the walk; the first is the root */
  NebulaValueBuilder *links;
} Pinning;

static void
pin_plan (Pinning *self, NebulaPlan *plan)
{
  for (guint i = 0; i < self->plans->len; i++)
    if (g_str_equal (((NebulaPlan *) self->plans->pdata[i])->hash, plan->hash))
      return;
  g_ptr_array_add (self->plans, nebula_plan_ref (plan));
}

NebulaPlan *
_nebula_engine_find_name (NebulaEngine *self, const char *name)
{
  NEBULA_SYNC_AUTO (guard, &self->peers->lock);
  NebulaPlan *plan = g_hash_table_lookup (self->peers->names, name);

  return plan ? nebula_plan_ref (plan) : NULL;
}

/* The revision that a name means now: the one that was deployed here last, else the current one of the store. NULL: it is
 * not known, and asked for when it is called. */
static NebulaPlan *
find_by_name (NebulaEngine *engine, const char *name)
{
  NebulaPlan *plan = _nebula_engine_find_name (engine, name);

  return plan ? plan : nebula_engine_load_revision (engine, name, NULL, NULL, NULL);
}

/* A plan that a path led to: it may have left the cache, but not the plan that calls it. */
static NebulaPlan *
find_called (Pinning *self, const char *hash)
{
  NebulaPlan *found = _nebula_engine_find_plan (self->engine, hash);

  for (guint i = 0; !found && i < self->plans->len; i++) {
    GPtrArray *called = ((NebulaPlan *) self->plans->pdata[i])->called;

    for (guint j = 0; !found && called && j < called->len; j++)
      if (g_str_equal (((NebulaPlan *) called->pdata[j])->hash, hash))
        found = nebula_plan_ref (called->pdata[j]);
  }
  return found ? found : _nebula_recovery_load_plan (self->engine, hash, NULL);
}

static void
pin_calls (Pinning *self, NebulaPlan *plan, NebulaValue *by_path)
{
  g_autoptr (NebulaValueBuilder) links = nebula_value_builder_new_object ();

  for (guint32 i = 0; i < plan->n_nodes; i++) {
    const char *name = nebula_plan_node_get_callee (&plan->nodes[i]);
    const char *hash =
        name && by_path ? nebula_value_get_member_string (by_path, name, NULL) : NULL;
    g_autoptr (NebulaPlan) callee = NULL;

    if (!name || g_strcmp0 (name, plan->name) == 0)
      continue;
    callee = hash ? find_called (self, hash) : find_by_name (self->engine, name);
    if (!callee)
      continue;
    nebula_value_builder_set_string (links, name, callee->hash);
    pin_plan (self, callee);
  }
  if (nebula_value_builder_get_length (links) > 0)
    nebula_value_builder_set_take (self->links, plan->hash,
                                   nebula_value_builder_end (links));
}

NebulaValue *
_nebula_engine_pin (NebulaEngine *self, NebulaPlan *plan, GPtrArray *ret_plans)
{
  g_autoptr (NebulaValueBuilder) links = NULL;
  Pinning pinning = {self, ret_plans, NULL};

  if (!plan->has_calls)
    return NULL;
  pinning.links = links = nebula_value_builder_new_object ();
  g_ptr_array_add (ret_plans, nebula_plan_ref (plan));
  for (guint i = 0; i < ret_plans->len; i++) {
    NebulaPlan *caller = ret_plans->pdata[i];
    NebulaValue *by_path =
        plan->links ? nebula_value_get_member (plan->links, caller->hash) : NULL;

    if (!by_path && caller->links)
      by_path = nebula_value_get_member (caller->links, caller->hash);
    pin_calls (&pinning, caller, by_path);
  }
  return nebula_value_builder_get_length (links) > 0 ? nebula_value_builder_end (links)
                                                     : NULL;
}
