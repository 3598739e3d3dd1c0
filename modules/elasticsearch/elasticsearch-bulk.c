/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bulk protocol: one line that says what to do, one line with the document, each ended by a line feed.
 *
 *   {"create":{"_index":"logs-nebula"}}
 *   {"@timestamp":"2026-03-29T00:30:00.123Z","level":"info","domain":"…","message":"…","execution":"…"}
 *
 * `create` is what both plain indices and data streams accept. The answer has one item for each document, in order; 429
 * means that the server had no room, and the document is sent again.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "elasticsearch-private.h"

#define TIME_KEY "{\"time\":"
#define TOO_MANY 429

GBytes *
nebula_elasticsearch_make_body (const char *index, GPtrArray *records)
{
  g_autoptr (NebulaValueBuilder) inner = nebula_value_builder_new_object ();
  g_autoptr (NebulaValueBuilder) outer = nebula_value_builder_new_object ();
  g_autoptr (NebulaValue) action = NULL;
  g_autofree char *head = NULL;
  GString *body = g_string_new (NULL);

  nebula_value_builder_set_string (inner, "_index", index);
  nebula_value_builder_set_take (outer, "create", nebula_value_builder_end (inner));
  action = nebula_value_builder_end (outer);
  head = nebula_value_to_json (action, NEBULA_JSON_FLAGS_NONE);
  for (guint i = 0; i < records->len; i++) {
    g_autofree char *line = nebula_log_record_format (g_ptr_array_index (records, i),
                                                      NEBULA_LOG_FORMAT_JSON, FALSE);

    g_string_append_printf (body, "%s\n{\"@timestamp\":%s", head, line + strlen (TIME_KEY));
  }
  return g_string_free_to_bytes (body);
}

static gboolean
fail (GError **error, const char *reason)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_FAILED,
               _ ("Elasticsearch refused log entries: %s."), reason);
  return FALSE;
}

/* The reason of a refused item, in words. */
static const char *
get_reason (NebulaValue *result)
{
  NebulaValue *problem = nebula_value_get_member (result, "error");

  if (problem && nebula_value_get_kind (problem) == NEBULA_VALUE_KIND_OBJECT)
    return nebula_value_get_member_string (problem, "reason", _ ("no reason was given"));
  return _ ("no reason was given");
}

static NebulaValue *
get_result (NebulaValue *items, guint index)
{
  NebulaValue *item = nebula_value_get_item (items, index);
  gboolean is_object = item && nebula_value_get_kind (item) == NEBULA_VALUE_KIND_OBJECT
                       && nebula_value_get_length (item) == 1;
  NebulaValue *result = is_object ? nebula_value_get_member_at (item, 0) : NULL;

  return result && nebula_value_get_kind (result) == NEBULA_VALUE_KIND_OBJECT ? result : NULL;
}

static gint64
get_status (NebulaValue *result)
{
  NebulaValue *status = result ? nebula_value_get_member (result, "status") : NULL;

  return status && nebula_value_get_kind (status) == NEBULA_VALUE_KIND_INTEGER
             ? nebula_value_get_integer (status)
             : 0;
}

gboolean
nebula_elasticsearch_read_answer (GBytes *answer, GPtrArray *records, GError **error)
{
  gsize size = 0;
  const char *text = g_bytes_get_data (answer, &size);
  g_autoptr (NebulaValue) value
      = nebula_value_parse_json (text, (gssize) size, NEBULA_JSON_FLAGS_NONE, NULL);
  NebulaValue *items = NULL;
  g_autofree char *reason = NULL;
  g_autoptr (GPtrArray) again
      = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_log_record_unref);

  if (value && nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT)
    items = nebula_value_get_member (value, "items");
  if (!items || nebula_value_get_kind (items) != NEBULA_VALUE_KIND_ARRAY
      || nebula_value_get_length (items) != records->len) {
    g_ptr_array_set_size (records, 0);
    return fail (error, _ ("the answer is none of the bulk protocol; check the address"));
  }
  for (guint i = 0; i < records->len; i++) {
    NebulaValue *result = get_result (items, i);
    gint64 status = get_status (result);

    if (status == TOO_MANY)
      g_ptr_array_add (again, nebula_log_record_ref (g_ptr_array_index (records, i)));
    else if ((status < 200 || status > 299) && !reason)
      reason = g_strdup (result ? get_reason (result) : _ ("no reason was given"));
  }
  g_ptr_array_set_size (records, 0);
  g_ptr_array_extend_and_steal (records, g_steal_pointer (&again));
  return reason ? fail (error, reason) : TRUE;
}
