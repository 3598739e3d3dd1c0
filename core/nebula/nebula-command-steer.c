/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nebula execution cancel|signal|…: asks the owner of the store, or becomes it for a moment. */

#include <glib/gi18n-lib.h>

#include "nebula-command-private.h"
#include "nebula-control-private.h"
#include "nebula-output-private.h"
#include "nebula-reading-private.h"
#include "nebula-steer-private.h"

static NebulaValue *
make_request (const NebulaWish *wish, const char *op)
{
  const struct {
    const char *key;
    const char *text;
  } members[] = {
      {"op", op},           {"execution", wish->execution}, {"reason", wish->reason},
      {"name", wish->name}, {"node", wish->node},           {"region", wish->region},
      {"by", wish->by},     {"comment", wish->comment},     {"token", wish->token},
  };
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gboolean is_look = g_str_equal (op, "show") || g_str_equal (op, "wait");

  /* Whoever looks wants the whole execution, whatever node was steered. */
  for (guint i = 0; i < (is_look ? 2 : G_N_ELEMENTS (members)); i++)
    if (members[i].text)
      nebula_value_builder_set_string (builder, members[i].key, members[i].text);
  if (wish->value)
    nebula_value_builder_set (builder, "value", wish->value);
  return nebula_value_builder_end (builder);
}

static NebulaValue *
ask (const char *store, const NebulaWish *wish, const char *op, GError **error)
{
  g_autoptr (NebulaValue) request = make_request (wish, op);

  return nebula_control_ask (store, request, error);
}

static NebulaValue *
look (const char *store, const char *id, GError **error)
{
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaExecution) execution = NULL;

  if (nebula_session_open (&session, store, NEBULA_SESSION_LOOK, error))
    execution = nebula_engine_get_execution (session.engine, id, error);
  return execution ? nebula_execution_get_report (execution, error) : NULL;
}

static gboolean
is_end (const char *op)
{
  return g_str_equal (op, "cancel") || g_str_equal (op, "terminate");
}

/* A cancelled execution ends soon, so its end is waited for; one that got a signal goes on without us. The owner may end
 * as soon as it has done what was asked: then the store tells. */
static NebulaValue *
steer_owner (const char *store, const NebulaWish *wish, GError **error)
{
  g_autoptr (NebulaValue) answer = ask (store, wish, wish->op, error);
  NebulaValue *report;

  if (!answer)
    return NULL;
  report = ask (store, wish, is_end (wish->op) ? "wait" : "show", NULL);
  return report ? report : look (store, wish->execution, error);
}

typedef struct {
  gboolean is_over;
  GError *error;
} Answer;

static void
carried_out (NebulaExecution *execution, const GError *error, gpointer user_data)
{
  Answer *answer = user_data;

  answer->error = error ? g_error_copy (error) : NULL;
  answer->is_over = TRUE;
}

static void
resumed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  nebula_execution_resume_finish (NEBULA_EXECUTION (source), result,
                                  NULL); /* it may have ended already */
}

static gboolean
steer_execution (NebulaExecution *execution, const NebulaWish *wish, GError **error)
{
  g_autoptr (NebulaValue) request = make_request (wish, wish->op);
  Answer answer = {FALSE, NULL};

  if (!nebula_order_carry_out (execution, request, carried_out, &answer))
    g_return_val_if_reached (FALSE);
  while (!answer.is_over)
    g_main_context_iteration (NULL, TRUE);
  if (answer.error) {
    g_propagate_error (error, answer.error);
    return FALSE;
  }
  if (g_str_equal (wish->op, "pause") || g_str_has_suffix (wish->op, "break"))
    return TRUE;
  if (!is_end (wish->op) && !g_str_equal (wish->op, "step"))
    nebula_execution_resume_async (execution, NULL, resumed, NULL);
  return nebula_execution_run (execution, TRUE, NULL, error);
}

static NebulaValue *
steer (const char *store, const NebulaWish *wish, GError **error)
{
  g_auto (NebulaSession) session = {0};
  g_autoptr (NebulaExecution) execution = NULL;
  g_autoptr (GError) local_error = NULL;
  NebulaValue *report = NULL;

  if (nebula_session_open (&session, store, NEBULA_SESSION_OWN, &local_error)) {
    execution = nebula_engine_get_execution (session.engine, wish->execution, error);
    if (execution && steer_execution (execution, wish, error))
      report = nebula_execution_get_report (execution, error);
    return report;
  }
  if (g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY))
    return steer_owner (store, wish, error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

int
nebula_steer (const NebulaSteerOptions *opts, const NebulaWish *wish)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) report = NULL;
  g_autofree char *line = NULL;

  if (nebula_store_check (opts->store, &error))
    report = steer (opts->store, wish, &error);
  if (!report)
    return nebula_fail (error, opts->is_json);
  if (opts->is_json) {
    nebula_output_value (report, FALSE);
    return NEBULA_EXIT_OK;
  }
  line = g_strdup_printf ("%s  %s\n", wish->execution,
                          nebula_value_get_member_string (report, "status", ""));
  nebula_output_text (line);
  return NEBULA_EXIT_OK;
}
