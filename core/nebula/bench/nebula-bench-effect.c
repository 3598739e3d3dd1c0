/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The smallest action that may not be repeated blindly. */

#include "nebula-bench-world-private.h"
#include "nebula-invocation.h"

typedef struct {
  NebulaAction parent_instance;
} NebulaBenchEffect;

typedef struct {
  NebulaActionClass parent_class;
} NebulaBenchEffectClass;

G_DEFINE_FINAL_TYPE (NebulaBenchEffect, nebula_bench_effect, NEBULA_TYPE_ACTION)

/* The outside world that it changes. */
static guint64 count;

static void
nebula_bench_effect_invoke (NebulaAction *action, NebulaInvocation *invocation)
{
  count++;
  nebula_invocation_return_value (invocation,
                                  nebula_invocation_get_parameters (invocation));
}

static void
nebula_bench_effect_class_init (NebulaBenchEffectClass *klass)
{
  NebulaActionClass *action_class = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *rest;

  action_class->invoke = nebula_bench_effect_invoke;
  nebula_action_class_set_details (action_class, "bench.effect", "1.0.0", "Effect",
                                   "Gives back its parameters", "bench");
  nebula_action_class_set_effect (action_class, NEBULA_EFFECT_EFFECTFUL);
  rest = nebula_action_class_add_parameter (
      action_class, "values", NEBULA_PARAMETER_KIND_OBJECT, "Values", "Any keys");
  nebula_parameter_add_flags (rest, NEBULA_PARAMETER_FLAGS_REST);
}

static void
nebula_bench_effect_init (NebulaBenchEffect *self)
{
}

guint64
nebula_bench_effect_get_count (void)
{
  return count;
}
