/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A node's policy becomes what the kernel and the engine do by themselves. Retry, time-outs and fallback are the node's own,
 * as if they were written there, and so they are durable; the rest stands in front of each attempt, in the process that makes
 * it.
 */
#include <glib/gi18n-lib.h>

#include "nebula-plan-builder-private.h"
#include "nebula-policy.h"

static const NebulaRetry retry_defaults
  = { .attempts = 3, .initial_usec = G_USEC_PER_SEC / 5, .max_usec = 30 * (gint64) G_USEC_PER_SEC };

/* What the engine does in front of attempts; NULL: nothing. */
static NebulaValue *
pick_guard (NebulaValue *options)
{
  static const char *const keys[] = { "name", "shed", "limit", "breaker", "bulkhead", "hedge" };
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) guard = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    NebulaValue *member = nebula_value_get_member (options, keys[i]);

    if (member)
      nebula_value_builder_set (builder, keys[i], member);
  }
  guard = nebula_value_builder_end (builder);
  if (nebula_value_get_length (guard) == (nebula_value_has_member (guard, "name") ? 1u : 0u))
    return NULL;
  return g_steal_pointer (&guard);
}

static void
report (NebulaPlanBuilder *self, guint32 index, const char *message, const char *hint)
{
  g_autofree char *pointer = _nebula_plan_builder_node_pointer (self, index, "policy");
  NebulaProblem problem = { .code = "schema", .of_key = TRUE, .hint = hint, .pointer = pointer };

  _nebula_problems_add (self->problems, &problem, "%s", message);
}

static gboolean
check (NebulaPlanBuilder *self, guint32 index, NebulaValue *options)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  gboolean is_effectful = node->effect == NEBULA_EFFECT_EFFECTFUL || node->effect == NEBULA_EFFECT_TRANSACTIONAL;

  if (node->info && node->construct != NEBULA_CONSTRUCT_NONE) {
    report (self, index, _("Only a node that calls something can have a policy"),
            _("Write it beside the nodes in its body, or use “retry” and “timeout”."));
    return FALSE;
  }
  if (nebula_value_has_member (options, "hedge") && node->effect_given && is_effectful) {
    report (self, index, _("What has effects cannot be hedged: it would be done twice"),
            _("Take “hedge” out, or say “effect: idempotent” if it may be repeated."));
    return FALSE;
  }
  return TRUE;
}

void
_nebula_plan_builder_add_policy (NebulaPlanBuilder *self, guint32 index, NebulaValue *value)
{
  NebulaPlanNode *node = &self->plan->nodes[index];
  NebulaValue *given = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT
                         ? nebula_value_get_member (value, "policy")
                         : NULL;
  g_autoptr (NebulaValue) options = NULL;
  NebulaValue *retry = NULL, *fallback = NULL;

  /* What is no policy at all has been told already. */
  options = given ? nebula_policy_resolve_options (given, NULL) : NULL;
  if (!options || nebula_value_get_kind (options) != NEBULA_VALUE_KIND_OBJECT || !check (self, index, options))
    return;
  retry = _nebula_member (options, "retry", NEBULA_VALUE_KIND_OBJECT);
  if (retry && !nebula_value_has_member (value, "retry"))
    _nebula_retry_read (&node->retry, retry, &retry_defaults);
  if (!nebula_value_has_member (value, "timeout"))
    node->timeout_usec = _nebula_member_duration (options, "timeout", 0);
  if (!nebula_value_has_member (value, "total-timeout"))
    node->total_timeout_usec = _nebula_member_duration (options, "total-timeout", 0);
  fallback = nebula_value_get_member (options, "fallback");
  if (fallback)
    node->fallback = nebula_value_ref (fallback);
  node->policy = pick_guard (options);
}
