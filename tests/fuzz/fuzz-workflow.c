/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and compiles any bytes as a workflow; what compiles must survive being written and read again. */
#include "fuzz.h"

#include "../core/workflow/test-resolver.h"
#include "nebula-plan-internal.h"

static void
check_plan (NebulaWorkflow *workflow, NebulaActionResolver *resolver)
{
  g_autoptr (NebulaPlan) plan = nebula_workflow_compile (workflow, resolver, NULL, NULL);
  g_autoptr (NebulaPlan) again = NULL;
  g_autoptr (NebulaWorkflow) reread = NULL;
  g_autofree char *dot = nebula_workflow_to_dot (workflow);
  g_autofree char *mermaid = nebula_workflow_to_mermaid (workflow);
  g_autofree char *yaml = nebula_workflow_to_yaml (workflow);
  g_autoptr (GBytes) bytes = g_bytes_new (yaml, strlen (yaml));

  if (!plan)
    return;
  for (guint i = 0; i < plan->n_edges; i++)
    g_assert_cmpuint (plan->in_edges[plan->nodes[plan->edges[i].to].first_in + plan->edges[i].in_index], ==, i);
  reread = nebula_workflow_read_bytes (bytes, NULL, NULL, NULL);
  g_assert_nonnull (reread);
  again = nebula_workflow_compile (reread, resolver, NULL, NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (nebula_plan_get_hash (plan), ==, nebula_plan_get_hash (again));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static TestResolver *resolver;
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GPtrArray) diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (NebulaWorkflow) workflow = NULL;
  g_autoptr (GError) error = NULL;

  if (!resolver)
    resolver = g_object_new (TEST_TYPE_RESOLVER, NULL);
  workflow = nebula_workflow_read_bytes (bytes, "fuzz.yaml", diagnostics, &error);
  if (workflow)
    check_plan (workflow, NEBULA_ACTION_RESOLVER (resolver));
  else if (diagnostics->len == 0)
    g_assert_nonnull (error);
  return 0;
}
