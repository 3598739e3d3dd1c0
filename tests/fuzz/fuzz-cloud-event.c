/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads any bytes as the headers of a trace (two lines) and any JSON as a CloudEvent, structured and binary. What was read
 * can be read again and stays the same.
 */
#include <string.h>

#include "fuzz.h"

#include "nebula-cloud-event.h"
#include "nebula-json.h"
#include "nebula-trace-context.h"

static void
check_trace (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  char *line_end = strchr (text, '\n');
  g_autoptr (NebulaTraceContext) context = NULL;
  g_autoptr (NebulaTraceContext) again = NULL;
  g_autofree char *header = NULL;

  if (line_end)
    *line_end = '\0';
  context = nebula_trace_context_new (text, line_end ? line_end + 1 : NULL, NULL);
  if (!context)
    return;
  header = nebula_trace_context_to_header (context);
  again = nebula_trace_context_new (header, nebula_trace_context_get_state (context), NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (nebula_trace_context_get_state (again), ==,
                   nebula_trace_context_get_state (context));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (NebulaValue) value = nebula_value_parse_json (
      (const char *) data, (gssize) size, NEBULA_JSON_FLAGS_LIMITED, NULL);
  g_autoptr (NebulaValue) event = NULL;
  g_autoptr (NebulaValue) again = NULL;
  g_autoptr (NebulaValue) events = NULL;
  g_autoptr (GBytes) body = g_bytes_new (data, size);

  check_trace (data, size);
  if (!value || nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return 0;
  event = nebula_cloud_event_read (value, NULL);
  if (event) {
    again = nebula_cloud_event_read (event, NULL);
    g_assert_true (again && nebula_value_equal (event, again));
  }
  events = nebula_cloud_event_read_http (value, body, NULL);
  return 0;
}
