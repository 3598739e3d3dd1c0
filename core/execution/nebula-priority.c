/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The priority of an execution that is about to start. It is captured with it, so that nothing is evaluated again. */

#include <glib/gi18n-lib.h>

#include "nebula-error.h"
#include "nebula-kernel-private.h"

static gboolean
read_priority (NebulaValue *value, gint64 *ret_priority, GError **error)
{
  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_INTEGER) {
    *ret_priority = CLAMP (nebula_value_get_integer (value), G_MININT32, G_MAXINT32);
    return TRUE;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TYPE,
               _ ("“priority” of the settings must give an integer, not %s."),
               nebula_value_kind_to_string (nebula_value_get_kind (value)));
  return FALSE;
}

/* As the first fact would make it; nothing is recorded. */
static NebulaKernel *
make_trial (const NebulaOutset *outset, gint64 now_usec)
{
  static const NebulaKernelHost host = {0};
  g_autoptr (NebulaValue) started =
      nebula_value_with_member (outset->captured, "input", outset->input);
  NebulaKernel *kernel = nebula_kernel_new (outset->plan, outset->id, outset->tenant, &host);
  NebulaFact fact = {.kind = NEBULA_FACT_STARTED,
                     .node = NEBULA_PLAN_NONE,
                     .value = started,
                     .number = (gint64) outset->seed,
                     .time_usec = now_usec,
                     .code = 1};

  nebula_kernel_set_inline_fuel (kernel, outset->fuel);
  nebula_state_apply (kernel->state, &fact);
  return kernel;
}

gboolean
nebula_kernel_find_priority (const NebulaOutset *outset,
                             gint64 now_usec,
                             gint64 *ret_priority,
                             GError **error)
{
  NebulaExpression *expression = outset->plan->priority_expression;
  g_autoptr (NebulaKernel) trial = NULL;
  g_autoptr (NebulaValue) value = NULL;
  NebulaScopeEnvironment environment;

  if (!expression) {
    *ret_priority = outset->plan->priority;
    return TRUE;
  }
  trial = make_trial (outset, now_usec);
  _nebula_kernel_init_environment (trial, &environment, trial->state->root, NULL);
  value = nebula_expression_evaluate (expression, &environment.environment, error);
  if (value)
    return read_priority (value, ret_priority, error);
  g_prefix_error (error, _ ("The priority of the workflow “%s”: "), outset->plan->name);
  return FALSE;
}
