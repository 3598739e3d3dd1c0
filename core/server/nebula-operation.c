/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From a question to its operation and back. */

#include <glib/gi18n-lib.h>

#include "nebula-error-chain.h"
#include "nebula-error.h"
#include "nebula-idempotency.h"
#include "nebula-json.h"
#include "nebula-server-private.h"

static const NebulaOperationClass *const tables[] = {
    _nebula_operations_access,
    _nebula_operations_catalogue,
    _nebula_operations_execution,
    _nebula_operations_workflow,
};

static const NebulaOperationClass *
find (const char *op)
{
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const NebulaOperationClass *row = tables[i]; row->op; row++)
      if (g_str_equal (row->op, op))
        return row;
  return NULL;
}

NebulaOperation *
_nebula_operation_ref (NebulaOperation *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
_nebula_operation_unref (NebulaOperation *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_object (&self->execution);
  g_object_unref (self->server);
  nebula_caller_unref (self->caller);
  nebula_value_unref (self->request);
  g_object_unref (self->task);
  g_free (self->once_key);
  g_free (self);
}

const char *
_nebula_operation_get (NebulaOperation *self, const char *key)
{
  return nebula_value_get_member_string (self->request, key, NULL);
}

void
_nebula_operation_return (NebulaOperation *self, NebulaValue *answer, GError *error)
{
  if (error)
    g_task_return_error (self->task, error);
  else if (self->is_once)
    nebula_idempotency_return (self->task, answer);
  else
    g_task_return_pointer (self->task, nebula_value_ref (answer),
                           (GDestroyNotify) nebula_value_unref);
  g_clear_pointer (&answer, nebula_value_unref);
}

gboolean
_nebula_operation_check_tenant (NebulaOperation *self, GError **error)
{
  if (g_str_equal (nebula_caller_get_tenant (self->caller), "default"))
    return TRUE;
  g_set_error_literal (
      error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
      _ ("Workflows of the store belong to the tenant “default”. Other tenants cannot use them yet."));
  return FALSE;
}

/* Readers. Their threads hold no object that lives in the engine's context but through the operation, which goes back. */

typedef struct {
  NebulaOperation *operation;
  const NebulaOperationClass *klass; /* NULL: read_then */
  gboolean (*check) (NebulaOperation *operation, GError **error);
  void (*next) (NebulaOperation *operation);
  NebulaValue *answer;
  GError *error;
} Reading;

static void
reading_end (NebulaServer *server, gpointer data)
{
  g_autofree Reading *self = data;

  if (self->error || self->klass)
    _nebula_operation_return (self->operation, self->answer, self->error);
  else
    self->next (g_steal_pointer (&self->operation));
  if (self->operation)
    _nebula_operation_unref (self->operation);
}

static void
reading_discard (gpointer data)
{
  Reading *self = data;

  g_clear_error (&self->error);
  g_clear_pointer (&self->answer, nebula_value_unref);
  self->error = g_error_new_literal (NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE,
                                     _ ("The server is stopping."));
  reading_end (NULL, self);
}

static void
reading_run (gpointer data)
{
  Reading *self = data;

  if (self->klass)
    self->answer = self->klass->read (self->operation, &self->error);
  else
    self->check (self->operation, &self->error);
  _nebula_server_post (self->operation->server, reading_end, reading_discard, self);
}

static void
read_away (Reading *reading)
{
  if (reading->operation->server->readers)
    nebula_executor_push (reading->operation->server->readers, reading_run, reading);
  else
    reading_discard (reading);
}

void
_nebula_operation_read_then (NebulaOperation *self,
                             gboolean (*read) (NebulaOperation *operation,
                                               GError **error),
                             void (*next) (NebulaOperation *operation))
{
  Reading *reading = g_new0 (Reading, 1);

  reading->operation = _nebula_operation_ref (self);
  reading->check = read;
  reading->next = next;
  read_away (reading);
}

static void
run (NebulaOperation *self, const NebulaOperationClass *klass)
{
  Reading *reading;

  if (klass->begin) {
    klass->begin (self);
  } else if (klass->now) {
    GError *error = NULL;
    NebulaValue *answer = klass->now (self, &error);

    _nebula_operation_return (self, answer, error);
  } else {
    reading = g_new0 (Reading, 1);
    reading->operation = _nebula_operation_ref (self);
    reading->klass = klass;
    read_away (reading);
  }
}

static NebulaOperation *
operation_new (NebulaServer *server,
               NebulaCaller *caller,
               NebulaValue *request,
               GTask *task)
{
  NebulaOperation *self = g_new0 (NebulaOperation, 1);

  g_atomic_ref_count_init (&self->references);
  self->server = g_object_ref (server);
  self->caller = nebula_caller_ref (caller);
  self->request = nebula_value_without_member (request, "idempotency");
  self->task = g_object_ref (task);
  return self;
}

/* With a key: once. */

typedef struct {
  NebulaServer *server;
  NebulaCaller *caller;
  NebulaValue *request;
  const NebulaOperationClass *klass;
  GTask *task;
  char *key;
} Once;

static void
once_free (gpointer data)
{
  Once *self = data;

  g_object_unref (self->server);
  nebula_caller_unref (self->caller);
  nebula_value_unref (self->request);
  g_object_unref (self->task);
  g_free (self->key);
  g_free (self);
}

static void
once_work (GTask *task, guint attempt, gpointer user_data)
{
  Once *self = user_data;
  g_autoptr (NebulaOperation) operation =
      operation_new (self->server, self->caller, self->request, task);

  operation->is_once = TRUE;
  g_object_set_data (G_OBJECT (self->task), "runs", GINT_TO_POINTER (TRUE));
  operation->once_key = g_strdup (self->key);
  run (operation, self->klass);
}

/* A key that was used with another content, or whose first call still runs, is told apart from errors of the operation. */
static void
adapt_error (GTask *task, gboolean is_replayed, GError *error)
{
  if (is_replayed || g_object_get_data (G_OBJECT (task), "runs"))
    return;
  if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_CONFLICT))
    error->code = NEBULA_ERROR_INVALID_DATA;
  else if (g_error_matches (error, NEBULA_ERROR, NEBULA_ERROR_UNAVAILABLE) &&
           nebula_error_get_retry_after_ms (error) >= 0)
    error->code = NEBULA_ERROR_CONFLICT;
}

static void
once_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  gboolean is_replayed = FALSE;
  GError *error = NULL;
  NebulaValue *answer = nebula_idempotency_run_finish (NEBULA_IDEMPOTENCY (source),
                                                       result, &is_replayed, &error);

  if (is_replayed)
    g_task_set_task_data (task, GINT_TO_POINTER (TRUE), NULL);
  if (answer)
    g_task_return_pointer (task, answer, (GDestroyNotify) nebula_value_unref);
  else {
    adapt_error (task, is_replayed, error);
    g_task_return_error (task, error);
  }
}

static void
run_once (NebulaServer *server,
          NebulaCaller *caller,
          NebulaValue *request,
          const NebulaOperationClass *klass,
          GTask *task)
{
  NebulaValue *options = nebula_value_get_member (request, "idempotency");
  const char *key = nebula_value_get_member_string (options, "key", "");
  const char *user = nebula_caller_get_user (caller);
  g_autoptr (NebulaValue) content = nebula_value_without_member (request, "idempotency");
  g_autoptr (GError) error = NULL;
  g_autofree char *scope = NULL;
  g_autofree char *fingerprint = NULL;
  g_autoptr (NebulaValue) policy = NULL;
  Once *once;

  if (!nebula_idempotency_check_key (key, &error)) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  scope = g_strdup_printf ("%s/%s/%s", nebula_caller_get_tenant (caller),
                           user ? user : nebula_caller_get_credential (caller),
                           nebula_value_get_member_string (options, "route", klass->op));
  once = g_new0 (Once, 1);
  once->server = g_object_ref (server);
  once->caller = nebula_caller_ref (caller);
  once->request = nebula_value_ref (request);
  once->klass = klass;
  once->task = g_object_ref (task);
  once->key = nebula_idempotency_make_key (scope, key, NULL);
  fingerprint = nebula_idempotency_make_fingerprint (content);
  policy = nebula_value_parse_json ("{\"conflict\":\"return\"}", -1,
                                    NEBULA_JSON_FLAGS_NONE, NULL);
  nebula_idempotency_run_async (nebula_engine_get_idempotency (server->engine), once->key,
                                fingerprint, policy, once_work, once, once_free,
                                once_done, g_object_ref (task));
}

static gboolean
check (NebulaCaller *caller, const NebulaOperationClass *klass, GError **error)
{
  if (!klass) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_UNSUPPORTED,
                         _ ("There is no such operation."));
    return FALSE;
  }
  if (nebula_caller_may (caller, klass->permission))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_PERMISSION_DENIED,
               _ ("This takes the permission “%s”, which your role does not hold."),
               nebula_permission_to_string (klass->permission));
  return FALSE;
}

void
_nebula_operation_ask (NebulaServer *server,
                       NebulaCaller *caller,
                       NebulaValue *request,
                       GTask *task)
{
  const NebulaOperationClass *klass =
      find (nebula_value_get_member_string (request, "op", ""));
  g_autoptr (NebulaOperation) operation = NULL;
  GError *error = NULL;

  if (!check (caller, klass, &error)) {
    g_task_return_error (task, error);
  } else if (nebula_value_has_member (request, "idempotency")) {
    run_once (server, caller, request, klass, task);
  } else {
    operation = operation_new (server, caller, request, task);
    run (operation, klass);
  }
}
