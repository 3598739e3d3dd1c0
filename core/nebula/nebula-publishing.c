/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Orders that change the workflows of a store, by the control socket and by commands alike. */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-control-private.h"
#include "nebula-publishing-private.h"
#include "nebula-reading-private.h"
#include "nebula-revisions.h"

typedef struct {
  NebulaPublished callback;
  gpointer user_data;
} Order;

static void
ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Order *order = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaValue) answer =
      nebula_engine_publish_finish (NEBULA_ENGINE (source), result, &error);

  order->callback (answer, error, order->user_data);
}

static NebulaWorkflow *
read_item (NebulaValue *item, GPtrArray *diagnostics, GError **error)
{
  const char *text = nebula_value_get_member_string (item, "text", "");
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return nebula_workflow_read_bytes (
      bytes, nebula_value_get_member_string (item, "file", NULL), diagnostics, error);
}

static GPtrArray *
read_items (NebulaValue *request, GPtrArray *diagnostics, GError **error)
{
  NebulaValue *items = nebula_value_get_member (request, "workflows");
  g_autoptr (GPtrArray) workflows = g_ptr_array_new_with_free_func (g_object_unref);

  if (!items || nebula_value_get_kind (items) != NEBULA_VALUE_KIND_ARRAY) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                         _ ("Say which workflows to deploy."));
    return NULL;
  }
  for (gsize i = 0; i < nebula_value_get_length (items); i++) {
    NebulaWorkflow *workflow =
        read_item (nebula_value_get_item (items, i), diagnostics, error);

    if (!workflow)
      return NULL;
    g_ptr_array_add (workflows, workflow);
  }
  return g_steal_pointer (&workflows);
}

static void
publish (NebulaEngine *engine, NebulaValue *request, Order *order)
{
  g_autoptr (GPtrArray) diagnostics = nebula_diagnostics_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) workflows = read_items (request, diagnostics, &error);

  if (workflows) {
    nebula_engine_publish_async (engine, workflows,
                                 nebula_value_get_member (request, "options"),
                                 diagnostics, NULL, ended, order);
    return;
  }
  order->callback (NULL, error, order->user_data);
  g_free (order);
}

static void
roll_back (NebulaEngine *engine, NebulaValue *request, Order *order)
{
  nebula_engine_roll_back_async (
      engine, nebula_value_get_member_string (request, "workflow", ""),
      nebula_value_get_member_string (request, "which", ""),
      nebula_value_get_member (request, "options"), NULL, ended, order);
}

static void
label (NebulaEngine *engine, NebulaValue *request, Order *order)
{
  nebula_engine_label_async (engine,
                             nebula_value_get_member_string (request, "workflow", ""),
                             nebula_value_get_member_string (request, "label", ""),
                             nebula_value_get_member_string (request, "which", NULL),
                             NULL, ended, order);
}

gboolean
nebula_publishing_carry_out (NebulaEngine *engine,
                             NebulaValue *request,
                             NebulaPublished callback,
                             gpointer user_data)
{
  static const struct {
    const char *op;
    void (*begin) (NebulaEngine *engine, NebulaValue *request, Order *order);
  } orders[] = {{"publish", publish}, {"roll-back", roll_back}, {"label", label}};
  const char *op = nebula_value_get_member_string (request, "op", "");

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++) {
    Order *order;

    if (!g_str_equal (orders[i].op, op))
      continue;
    order = g_new (Order, 1);
    order->callback = callback;
    order->user_data = user_data;
    orders[i].begin (engine, request, order);
    return TRUE;
  }
  return FALSE;
}

typedef struct {
  NebulaValue *value;
  GError *error;
} Answer;

static void
answered (NebulaValue *value, const GError *error, gpointer user_data)
{
  Answer *answer = user_data;

  if (value)
    answer->value = nebula_value_ref (value);
  else
    answer->error = g_error_copy (error);
}

static NebulaValue *
order_here (NebulaEngine *engine, NebulaValue *request, GError **error)
{
  Answer answer = {NULL, NULL};

  if (!nebula_publishing_carry_out (engine, request, answered, &answer))
    g_return_val_if_reached (NULL);
  while (!answer.value && !answer.error)
    g_main_context_iteration (NULL, TRUE);
  if (answer.error)
    g_propagate_error (error, answer.error);
  return answer.value;
}

NebulaValue *
nebula_publishing_order (const char *store, NebulaValue *request, GError **error)
{
  g_auto (NebulaSession) session = {0};
  g_autoptr (GError) local_error = NULL;

  if (nebula_session_open (&session, store, NEBULA_SESSION_OWN, &local_error))
    return order_here (session.engine, request, error);
  if (g_error_matches (local_error, NEBULA_ERROR, NEBULA_ERROR_STORE_BUSY))
    return nebula_control_ask (store, request, error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}

char *
nebula_publishing_split (const char *text, char **ret_which)
{
  const char *at = strrchr (text, '@');

  *ret_which = at && at[1] ? g_strdup (at + 1) : NULL;
  return at && at[1] ? g_strndup (text, (gsize) (at - text)) : g_strdup (text);
}
