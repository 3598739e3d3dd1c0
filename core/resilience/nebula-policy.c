/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-policy.h"

#include "nebula-policy-private.h"

/**
 * NebulaPolicy:
 *
 * How calls to one destination are made: see nebula-policy.h for the parts and their order. Calls that share a policy share
 * its breaker, its places and its rate.
 *
 * Thread: owner context.
 */
G_DEFINE_FINAL_TYPE (NebulaPolicy, nebula_policy, G_TYPE_OBJECT)

static void
nebula_policy_finalize (GObject *object)
{
  NebulaPolicy *self = NEBULA_POLICY (object);

  g_clear_object (&self->clock);
  g_clear_pointer (&self->fallback, nebula_value_unref);
  g_clear_pointer (&self->retry, nebula_retry_policy_unref);
  g_clear_pointer (&self->limiter, nebula_limiter_unref);
  g_clear_object (&self->breaker);
  g_clear_object (&self->bulkhead);
  G_OBJECT_CLASS (nebula_policy_parent_class)->finalize (object);
}

static void
nebula_policy_class_init (NebulaPolicyClass *class)
{
  G_OBJECT_CLASS (class)->finalize = nebula_policy_finalize;
}

static void
nebula_policy_init (NebulaPolicy *self)
{
}

/**
 * nebula_policy_new:
 * @clock: the clock that counts
 * @options: the name of a preset, or an object
 * @error: where to put an error
 *
 * Makes a policy.
 *
 * Errors: %NEBULA_ERROR_INVALID_DATA (terminal), naming the option.
 *
 * Returns: (transfer full): the policy
 *
 * Since: 1.0
 */
NebulaPolicy *
nebula_policy_new (NebulaClock *clock, NebulaValue *options, GError **error)
{
  g_autoptr (NebulaPolicy) self = NULL;

  g_return_val_if_fail (NEBULA_IS_CLOCK (clock), NULL);
  g_return_val_if_fail (options != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (NEBULA_TYPE_POLICY, NULL);
  self->clock = g_object_ref (clock);
  return _nebula_policy_read (self, options, error) ? g_steal_pointer (&self) : NULL;
}

static void
set_count (NebulaValueBuilder *state, const char *name, guint64 count)
{
  nebula_value_builder_set_integer (state, name, (gint64) count);
}

/**
 * nebula_policy_dup_state:
 * @self: a policy
 *
 * Gives what a metric shows: how much is running and what has happened so far.
 *
 * Returns: (transfer full): an object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_policy_dup_state (NebulaPolicy *self)
{
  static const char *const states[] = {"closed", "open", "half-open"};
  g_autoptr (NebulaValueBuilder) state = nebula_value_builder_new_object ();

  g_return_val_if_fail (NEBULA_IS_POLICY (self), NULL);

  set_count (state, "running", self->n_running);
  set_count (state, "attempts", self->n_attempts);
  set_count (state, "retries", self->n_retries);
  set_count (state, "refused", self->n_refused);
  set_count (state, "timed-out", self->n_timed_out);
  set_count (state, "hedged", self->n_hedged);
  set_count (state, "fallbacks", self->n_fallbacks);
  if (self->bulkhead)
    set_count (state, "waiting", nebula_bulkhead_get_waiting (self->bulkhead));
  if (self->breaker)
    nebula_value_builder_set_string (state, "breaker",
                                     states[nebula_breaker_get_state (self->breaker)]);
  return nebula_value_builder_end (state);
}

/**
 * nebula_policy_get_breaker:
 * @self: a policy
 *
 * Gives its breaker, whose `state` is notified.
 *
 * Returns: (transfer none) (nullable): the breaker; lives as long as @self
 *
 * Since: 1.0
 */
NebulaBreaker *
nebula_policy_get_breaker (NebulaPolicy *self)
{
  g_return_val_if_fail (NEBULA_IS_POLICY (self), NULL);

  return self->breaker;
}
