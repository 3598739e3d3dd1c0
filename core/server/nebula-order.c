/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can be asked of an execution, by the server, the control socket and by commands alike. */

#include "nebula-order.h"

typedef struct {
  NebulaOrderDone callback;
  gpointer user_data;
} Order;

static void
end (Order *self, GObject *execution, GError *error)
{
  g_autoptr (GError) owned = error;

  self->callback (NEBULA_EXECUTION (execution), owned, self->user_data);
  g_free (self);
}

static void
cancelled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  nebula_execution_cancel_finish (NEBULA_EXECUTION (source), result, &error);
  end (user_data, source, error);
}

static void
signalled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  nebula_execution_signal_finish (NEBULA_EXECUTION (source), result, &error);
  end (user_data, source, error);
}

static void
steered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  nebula_execution_steer_finish (NEBULA_EXECUTION (source), result, &error);
  end (user_data, source, error);
}

static const char *
get (NebulaValue *request, const char *key)
{
  return nebula_value_get_member_string (request, key, NULL);
}

static const char *
get_or_empty (NebulaValue *request, const char *key)
{
  return nebula_value_get_member_string (request, key, "");
}

static void
cancel (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_cancel_async (execution, get (request, "reason"), NULL, cancelled, order);
}

static void
signal_it (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_signal_async (execution, get_or_empty (request, "name"),
                                 nebula_value_get_member (request, "value"), NULL,
                                 signalled, order);
}

static void
cancel_node (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_cancel_node_async (execution, get_or_empty (request, "node"), NULL,
                                      steered, order);
}

static void
cancel_region (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_cancel_region_async (execution, get_or_empty (request, "region"), NULL,
                                        steered, order);
}

static void
terminate (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_terminate_async (execution, get (request, "reason"), NULL, steered,
                                    order);
}

static void
pause_it (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_pause_async (execution, get (request, "reason"), NULL, steered, order);
}

static void
answer (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_answer_async (execution, get_or_empty (request, "token"),
                                 nebula_value_get_member (request, "value"), NULL,
                                 steered, order);
}

static void
approve (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_decide_async (execution, get (request, "node"),
                                 get_or_empty (request, "by"), TRUE,
                                 get (request, "comment"), NULL, steered, order);
}

static void
reject (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_decide_async (execution, get (request, "node"),
                                 get_or_empty (request, "by"), FALSE,
                                 get (request, "comment"), NULL, steered, order);
}

static void
set_break (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_break_async (execution, get_or_empty (request, "node"),
                                get (request, "comment"), TRUE, NULL, steered, order);
}

static void
unset_break (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_break_async (execution, get_or_empty (request, "node"), NULL, FALSE,
                                NULL, steered, order);
}

static void
step (NebulaExecution *execution, NebulaValue *request, Order *order)
{
  nebula_execution_step_async (execution, NULL, steered, order);
}

static const struct {
  const char *op;
  void (*begin) (NebulaExecution *execution, NebulaValue *request, Order *order);
} orders[] = {
    {"cancel", cancel},       {"signal", signal_it}, {"cancel-node", cancel_node},
    {"pause", pause_it},      {"answer", answer},    {"cancel-region", cancel_region},
    {"terminate", terminate}, {"approve", approve},  {"reject", reject},
    {"break", set_break},     {"unbreak", unset_break}, {"step", step},
};

/**
 * nebula_order_carry_out: (skip)
 * @execution: an execution
 * @request: an object {op, …}: `cancel`, `terminate`, `pause` with reason?; `cancel-node` with node; `cancel-region` with
 *   region; `signal` with name and value?; `answer` with token and value?; `approve`, `reject` with by, node?, comment?;
 *   `break` with node and comment? (its condition); `unbreak` with node; `step`
 * @callback: told once it is committed, or why it is not; in the engine's context
 * @user_data: data for @callback
 *
 * Does what operators ask of an execution, by its name.
 *
 * Returns: %FALSE if @request holds no such order; then @callback is not called
 *
 * Since: 1.0
 */
gboolean
nebula_order_carry_out (NebulaExecution *execution,
                          NebulaValue *request,
                          NebulaOrderDone callback,
                          gpointer user_data)
{
  const char *op = get_or_empty (request, "op");

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    Order *order;

    if (!g_str_equal (orders[i].op, op))
      continue;
    order = g_new (Order, 1);
    order->callback = callback;
    order->user_data = user_data;
    orders[i].begin (execution, request, order);
    return TRUE;
  }
  return FALSE;
}
