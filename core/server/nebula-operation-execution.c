/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Executions: those of another tenant are not there, whatever is asked of them. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-order.h"
#include "nebula-revisions.h"
#include "nebula-server-private.h"

static gboolean
is_terminal (NebulaExecution *execution)
{
  return nebula_execution_status_is_terminal (nebula_execution_get_status (execution));
}

static NebulaValue *
describe (NebulaExecution *execution)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();

  nebula_value_builder_set_string (builder, "execution",
                                   nebula_execution_get_id (execution));
  nebula_value_builder_set_string (builder, "workflow",
                                   nebula_execution_get_workflow (execution));
  nebula_value_builder_set_string (
      builder, "status",
      nebula_execution_status_to_string (nebula_execution_get_status (execution)));
  return nebula_value_builder_end (builder);
}

static void
return_report (NebulaOperation *self)
{
  const char *node = _nebula_operation_get (self, "node");
  GError *error = NULL;
  NebulaValue *report =
      node ? nebula_execution_get_node_report (self->execution, node, &error)
           : nebula_execution_get_report (self->execution, &error);

  _nebula_operation_return (self, report, error);
}

/* Lists. */

static NebulaValue *
list (NebulaOperation *self, GError **error)
{
  NebulaStore *store = nebula_engine_get_store (self->server->engine);
  g_autoptr (NebulaValue) tenant =
      nebula_value_new_string (nebula_caller_get_tenant (self->caller));
  g_autoptr (NebulaValue) request =
      nebula_value_with_member (self->request, "tenant", tenant);

  return nebula_order_list (store, request, error);
}

/* One execution: first its header, for the tenant; then its handle. */

static gboolean
check_header (NebulaOperation *self, GError **error)
{
  const char *id = _nebula_operation_get (self, "execution");
  NebulaStore *store = nebula_engine_get_store (self->server->engine);
  g_autoptr (GError) local_error = NULL;
  g_autoptr (NebulaHeader) header =
      id ? nebula_store_read_header (store, id, &local_error) : NULL;

  if (header && header->kind == NEBULA_STREAM_KIND_EXECUTION &&
      g_strcmp0 (header->tenant, nebula_caller_get_tenant (self->caller)) == 0)
    return TRUE;
  if (local_error &&
      !g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&local_error));
    return FALSE;
  }
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_NOT_FOUND,
               _ ("There is no execution “%.80s”."), id ? id : "");
  return FALSE;
}

static void
resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (NebulaOperation) self = user_data;
  GError *error = NULL;

  nebula_execution_resume_finish (NEBULA_EXECUTION (source), result, &error);
  _nebula_operation_return (self, error ? NULL : describe (self->execution), error);
}

static void
waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (NebulaOperation) self = user_data;
  GError *error = NULL;

  if (nebula_execution_wait_finish (NEBULA_EXECUTION (source), result, &error))
    return_report (self);
  else
    _nebula_operation_return (self, NULL, error);
}

static void
ordered (NebulaExecution *execution, const GError *error, gpointer user_data)
{
  g_autoptr (NebulaOperation) self = user_data;

  if (error)
    _nebula_operation_return (self, NULL, g_error_copy (error));
  else
    _nebula_operation_return (self, describe (execution), NULL);
}

/* The order's name is what stands behind “execution-”. Who decides is who asks, whatever the request says. */
static void
carry_out (NebulaOperation *self)
{
  const char *op = _nebula_operation_get (self, "op") + strlen ("execution-");
  const char *user = nebula_caller_get_user (self->caller);
  g_autoptr (NebulaValue) name = nebula_value_new_string (op);
  g_autoptr (NebulaValue) by =
      nebula_value_new_string (user ? user : nebula_caller_get_credential (self->caller));
  g_autoptr (NebulaValue) named = nebula_value_with_member (self->request, "op", name);
  g_autoptr (NebulaValue) order = nebula_value_with_member (named, "by", by);

  _nebula_operation_ref (self);
  if (nebula_order_carry_out (self->execution, order, ordered, self))
    return;
  _nebula_operation_return (self, NULL,
                            g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                                                 _ ("There is no such operation.")));
  _nebula_operation_unref (self);
}

static void
settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (NebulaOperation) self = user_data;
  GError *error = NULL;

  nebula_execution_steer_finish (NEBULA_EXECUTION (source), result, &error);
  _nebula_operation_return (self, error ? NULL : describe (self->execution), error);
}

/* Answers when the execution that was just started is in the store, or with `wait` when it has ended. */
static void
answer_started (NebulaOperation *self, NebulaExecution *execution, GError *error)
{
  if (!execution) {
    _nebula_operation_return (self, NULL, error);
    return;
  }
  g_set_object (&self->execution, execution);
  _nebula_operation_ref (self);
  if (nebula_value_get_member_boolean (self->request, "wait", FALSE))
    nebula_execution_wait_async (execution, NULL, waited, self);
  else
    nebula_execution_settle_async (execution, NULL, settled, self);
}

static void
rerun (NebulaOperation *self)
{
  GError *error = NULL;
  g_autoptr (NebulaExecution) execution = nebula_engine_rerun (
      self->server->engine, nebula_execution_get_id (self->execution),
      nebula_value_get_member (self->request, "options"), &error);

  answer_started (self, execution, error);
}

static void
explain (NebulaOperation *self)
{
  g_autoptr (NebulaValue) described = describe (self->execution);
  g_autoptr (NebulaValue) reasons = nebula_execution_explain (self->execution);

  _nebula_operation_return (
      self, nebula_value_with_member (described, "reasons", reasons), NULL);
}

static void
resume (NebulaOperation *self)
{
  nebula_execution_resume_async (self->execution, NULL, resumed,
                                 _nebula_operation_ref (self));
}

static void
wait_for_end (NebulaOperation *self)
{
  if (is_terminal (self->execution))
    return_report (self);
  else
    nebula_execution_wait_async (self->execution, NULL, waited,
                                 _nebula_operation_ref (self));
}

static void
go_on (NebulaOperation *self)
{
  static const struct {
    const char *op;
    void (*function) (NebulaOperation *operation);
  } table[] = {{"execution-get", return_report},
               {"execution-why", explain},
               {"execution-resume", resume},
               {"execution-wait", wait_for_end},
               {"execution-rerun", rerun}};

  for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
    if (g_strcmp0 (_nebula_operation_get (self, "op"), table[i].op) != 0)
      continue;
    table[i].function (self);
    return;
  }
  carry_out (self);
}

static void
found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (NebulaOperation) self = user_data;
  GError *error = NULL;

  self->execution =
      nebula_engine_get_execution_finish (NEBULA_ENGINE (source), result, &error);
  if (self->execution)
    go_on (self);
  else
    _nebula_operation_return (self, NULL, error);
}

static void
look_up (NebulaOperation *self)
{
  nebula_engine_get_execution_async (
      self->server->engine, _nebula_operation_get (self, "execution"), NULL, found, self);
}

static void
one (NebulaOperation *self)
{
  _nebula_operation_read_then (self, check_header, look_up);
}

/* Starts. */

static void
copy_option (NebulaOperation *self, NebulaValueBuilder *builder, const char *key)
{
  NebulaValue *value = nebula_value_get_member (self->request, key);

  if (value && !nebula_value_is_null (value))
    nebula_value_builder_set (builder, key, value);
}

static NebulaValue *
make_options (NebulaOperation *self)
{
  static const char *const taken[] = {"durability", "timeout", "priority",
                                      "pins",       "mocks",   "breakpoints"};
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  const char *user = nebula_caller_get_user (self->caller);

  for (guint i = 0; i < G_N_ELEMENTS (taken); i++)
    copy_option (self, builder, taken[i]);
  nebula_value_builder_set_string (builder, "tenant",
                                   nebula_caller_get_tenant (self->caller));
  if (user)
    nebula_value_builder_set_string (builder, "user", user);
  if (self->once_key)
    nebula_value_builder_set_string (builder, "idempotency-key", self->once_key);
  return nebula_value_builder_end (builder);
}

static void
start (NebulaOperation *self)
{
  const char *workflow = _nebula_operation_get (self, "workflow");
  g_autoptr (NebulaValue) options = make_options (self);
  g_autoptr (NebulaExecution) execution = NULL;
  NebulaValue *input = nebula_value_get_member (self->request, "input");
  GError *error = NULL;

  if (_nebula_operation_check_tenant (self, &error))
    execution = nebula_engine_start_revision (
        self->server->engine, workflow ? workflow : "",
        _nebula_operation_get (self, "revision"), input, options, &error);
  answer_started (self, execution, error);
}

#define CONTROL NEBULA_PERMISSION_EXECUTION_CONTROL

const NebulaOperationClass _nebula_operations_execution[] = {
    {"execution-list", NEBULA_PERMISSION_EXECUTION_READ, .read = list},
    {"execution-get", NEBULA_PERMISSION_EXECUTION_READ, .begin = one},
    {"execution-why", NEBULA_PERMISSION_EXECUTION_READ, .begin = one},
    {"execution-wait", NEBULA_PERMISSION_EXECUTION_READ, .begin = one},
    {"execution-start", NEBULA_PERMISSION_EXECUTION_START, .begin = start},
    {"execution-rerun", NEBULA_PERMISSION_EXECUTION_START, .begin = one},
    {"execution-cancel", CONTROL, .begin = one},
    {"execution-terminate", CONTROL, .begin = one},
    {"execution-pause", CONTROL, .begin = one},
    {"execution-resume", CONTROL, .begin = one},
    {"execution-signal", CONTROL, .begin = one},
    {"execution-answer", CONTROL, .begin = one},
    {"execution-approve", CONTROL, .begin = one},
    {"execution-reject", CONTROL, .begin = one},
    {"execution-break", CONTROL, .begin = one},
    {"execution-unbreak", CONTROL, .begin = one},
    {"execution-step", CONTROL, .begin = one},
    {"execution-cancel-node", CONTROL, .begin = one},
    {"execution-cancel-region", CONTROL, .begin = one},
    {NULL, NEBULA_PERMISSION_NONE, NULL, NULL, NULL},
};
