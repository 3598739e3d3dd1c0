/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of executions, for the server, the control socket and commands alike. */

#include <glib/gi18n-lib.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-order.h"

#define LIST_DEFAULT 100
#define LIST_MOST    1000

static NebulaValue *
tags_to_value (char **tags)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; tags && tags[i]; i++)
    nebula_value_builder_add_take (builder, nebula_value_new_string (tags[i]));
  return nebula_value_builder_end (builder);
}

static NebulaValue *
header_to_value (const NebulaHeader *header)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *created = nebula_timestamp_to_string (header->created_usec, 0);
  g_autofree char *updated = nebula_timestamp_to_string (header->updated_usec, 0);
  g_autofree char *wake =
      header->wake_usec > 0 ? nebula_timestamp_to_string (header->wake_usec, 0) : NULL;

  nebula_value_builder_set_string (builder, "execution", header->stream);
  nebula_value_builder_set_string (builder, "workflow", header->workflow);
  nebula_value_builder_set_string (
      builder, "status",
      nebula_execution_status_to_string ((NebulaExecutionStatus) header->status));
  nebula_value_builder_set_string (builder, "created", created);
  nebula_value_builder_set_string (builder, "updated", updated);
  nebula_value_builder_set_string (builder, "wakes", wake);
  nebula_value_builder_set_integer (builder, "recoveries", header->recoveries);
  nebula_value_builder_set_take (builder, "tags", tags_to_value (header->tags));
  return nebula_value_builder_end (builder);
}

/* A time, or how long ago. */
static gboolean
read_time (NebulaValue *request, const char *name, gint64 *ret_usec, GError **error)
{
  const char *text = nebula_value_get_member_string (request, name, NULL);
  gint64 ago;

  if (!text)
    return TRUE;
  if (nebula_duration_parse (text, &ago, NULL)) {
    *ret_usec = MAX (g_get_real_time () - ago, 1);
    return TRUE;
  }
  return nebula_timestamp_parse (text, ret_usec, NULL, error);
}

static gboolean
read_query (NebulaValue *request, NebulaHeaderQuery *query, GError **error)
{
  const char *status_text = nebula_value_get_member_string (request, "status", NULL);
  gint64 limit = nebula_value_get_member_integer (request, "limit", LIST_DEFAULT);
  NebulaExecutionStatus status;

  query->kind = NEBULA_STREAM_KIND_EXECUTION;
  query->workflow = nebula_value_get_member_string (request, "workflow", NULL);
  query->after = nebula_value_get_member_string (request, "after", NULL);
  query->limit = (guint) CLAMP (limit, 1, LIST_MOST);
  query->tenant = nebula_value_get_member_string (request, "tenant", NULL);
  query->text = nebula_value_get_member_string (request, "search", NULL);
  query->tag = nebula_value_get_member_string (request, "tag", NULL);
  if (!read_time (request, "since", &query->created_from_usec, error) ||
      !read_time (request, "before", &query->created_before_usec, error))
    return FALSE;
  if (!status_text)
    return TRUE;
  if (g_str_equal (status_text, "open")) {
    query->status_mask = (1u << NEBULA_EXECUTION_STATUS_COMPLETED) - 1;
    return TRUE;
  }
  if (!nebula_execution_status_from_string (status_text, &status)) {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
        _ ("“%s” is no status. Use open, created, running, suspended, paused, cancelling, completed, failed,"
           " cancelled or timed-out."),
        status_text);
    return FALSE;
  }
  query->status_mask = 1u << status;
  return TRUE;
}

/**
 * nebula_order_list: (skip)
 * @store: a store
 * @request: an object {status, workflow, tenant, search, since, before, after, limit}, all optional; `since` and `before`
 *   are times, or durations before now
 * @error: where the failure goes
 *
 * Lists executions, the newest first. Blocks.
 *
 * Thread: any.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal); those of the store.
 *
 * Returns: (transfer full): an object {items, next}
 *
 * Since: 1.0
 */
NebulaValue *
nebula_order_list (NebulaStore *store, NebulaValue *request, GError **error)
{
  NebulaHeaderQuery query = {0};
  g_autoptr (GPtrArray) headers = NULL;
  g_autoptr (NebulaValueBuilder) items = nebula_value_builder_new_array ();
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  gboolean is_full;

  if (!read_query (request, &query, error))
    return NULL;
  headers = nebula_store_list_headers (store, &query, error);
  if (!headers)
    return NULL;
  for (guint i = 0; i < headers->len; i++)
    nebula_value_builder_add_take (items, header_to_value (headers->pdata[i]));
  is_full = headers->len > 0 && headers->len == query.limit;
  nebula_value_builder_set_take (builder, "items", nebula_value_builder_end (items));
  nebula_value_builder_set_string (
      builder, "next",
      is_full ? ((NebulaHeader *) headers->pdata[headers->len - 1])->stream : NULL);
  return nebula_value_builder_end (builder);
}
