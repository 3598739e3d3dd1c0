/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Schemas, patches, schedules, headers. */

#include <string.h>

#include "nebula-cloud-event.h"
#include "nebula-conform.h"
#include "nebula-cron.h"
#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-json-schema.h"
#include "nebula-json.h"
#include "nebula-patch.h"
#include "nebula-time-zone.h"
#include "nebula-trace-context.h"

/* The remote schemas of the suite, by URL; without the suite there are none. */
static NebulaValue *
get_remotes (void)
{
  static NebulaValue *remotes;
  const char *folder = g_getenv ("NEBULA_CONFORMANCE_DIR");
  g_autofree char *path = g_build_filename (folder ? folder : CONFORMANCE_DIR,
                                            "json-schema-remotes.json", NULL);
  g_autofree char *text = NULL;
  gsize length;

  if (!remotes && g_file_get_contents (path, &text, &length, NULL))
    remotes =
        nebula_value_parse_json (text, (gssize) length, NEBULA_JSON_FLAGS_NONE, NULL);
  return remotes;
}

NebulaValue *
conform_jsonschema_validate (NebulaValue *request, GError **error)
{
  const char *draft = conform_get_text (request, "draft", error);
  NebulaValue *document = nebula_value_get_member (request, "schema");
  NebulaValue *instance = nebula_value_get_member (request, "instance");
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  g_autoptr (NebulaJsonSchema) schema = NULL;
  g_autoptr (GPtrArray) violations = NULL;

  if (!draft)
    return NULL;
  schema = nebula_json_schema_new (document ? document : null,
                                   g_str_equal (draft, "draft7")
                                       ? NEBULA_JSON_SCHEMA_DRAFT_7
                                       : NEBULA_JSON_SCHEMA_DRAFT_2020_12,
                                   NEBULA_JSON_SCHEMA_FLAGS_NONE, get_remotes (), error);
  violations = schema
                   ? nebula_json_schema_check (schema, instance ? instance : null, error)
                   : NULL;
  return violations ? nebula_value_new_boolean (violations->len == 0) : NULL;
}

NebulaValue *
conform_jsonpatch_apply (NebulaValue *request, GError **error)
{
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  NebulaValue *document = nebula_value_get_member (request, "doc");
  NebulaValue *patch = nebula_value_get_member (request, "patch");

  return nebula_value_apply_patch (document ? document : null, patch ? patch : null,
                                   error);
}

/* RFC 3339 with milliseconds, as the suite writes it. */
static NebulaValue *
write_time (gint64 usec)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (usec / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S.000Z");

  return nebula_value_new_string (text);
}

NebulaValue *
conform_cron_next (NebulaValue *request, GError **error)
{
  const char *text = conform_get_text (request, "expr", error);
  const char *from = text ? conform_get_text (request, "from", error) : NULL;
  const char *name = nebula_value_get_member_string (request, "tz", "UTC");
  g_autoptr (NebulaCron) cron = from ? nebula_cron_new (text, error) : NULL;
  g_autoptr (GTimeZone) zone = cron ? nebula_time_zone_new (name, error) : NULL;
  g_autoptr (NebulaValueBuilder) times = nebula_value_builder_new_array ();
  gint64 n = nebula_value_get_member_integer (request, "n", 1);
  gint64 usec;

  if (!zone || !nebula_timestamp_parse (from, &usec, NULL, error))
    return NULL;
  for (gint64 i = 0; i < n; i++) {
    usec = nebula_cron_get_next_usec (cron, zone, usec);
    if (usec == G_MAXINT64)
      break;
    nebula_value_builder_add_take (times, write_time (usec));
  }
  return nebula_value_builder_end (times);
}

NebulaValue *
conform_cloudevents_parse_json (NebulaValue *request, GError **error)
{
  g_autoptr (NebulaValue) null = nebula_value_new_null ();
  NebulaValue *event = nebula_value_get_member (request, "event");

  return nebula_cloud_event_read (event ? event : null, error);
}

/* The values of a header, joined as HTTP joins them; NULL if it is not there. */
static char *
join_header (NebulaValue *headers, const char *wanted, guint *ret_count)
{
  g_autoptr (GString) joined = g_string_new (NULL);

  *ret_count = 0;
  for (gsize i = 0; headers && i < nebula_value_get_length (headers); i++) {
    NebulaValue *header = nebula_value_get_item (headers, i);
    const char *name = nebula_value_get_string (nebula_value_get_item (header, 0));

    if (g_ascii_strcasecmp (name, wanted) != 0)
      continue;
    if ((*ret_count)++ > 0)
      g_string_append_c (joined, ',');
    g_string_append (joined, nebula_value_get_string (nebula_value_get_item (header, 1)));
  }
  return *ret_count > 0 ? g_string_free (g_steal_pointer (&joined), FALSE) : NULL;
}

/* Whether a key holds an “@”. */
static gboolean
has_vendor (const char *state)
{
  g_auto (GStrv) members = g_strsplit (state, ",", -1);

  for (guint i = 0; members[i]; i++)
    if (memchr (members[i], '@', strcspn (members[i], "=")))
      return TRUE;
  return FALSE;
}

NebulaValue *
conform_tracecontext_parse (NebulaValue *request, GError **error)
{
  NebulaValue *headers = nebula_value_get_member (request, "headers");
  guint n_parents, n_states;
  g_autofree char *parent = join_header (headers, "traceparent", &n_parents);
  g_autofree char *state = join_header (headers, "tracestate", &n_states);
  g_autoptr (NebulaTraceContext) context =
      n_parents == 1 ? nebula_trace_context_new (parent, state, NULL) : NULL;
  g_autoptr (NebulaValueBuilder) answer = nebula_value_builder_new_object ();

  nebula_value_builder_set_boolean (answer, "traceparent_valid", context != NULL);
  /* The levels of the recommendation differ in what they say about keys with “@”: no verdict. */
  if (context && state && strspn (state, ", ") < strlen (state) && !has_vendor (state))
    nebula_value_builder_set_boolean (answer, "tracestate_valid",
                                      nebula_trace_context_get_state (context) != NULL);
  return nebula_value_builder_end (answer);
}
