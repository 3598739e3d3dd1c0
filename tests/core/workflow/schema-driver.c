/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For test-schema.py: reads a definition as JSON from each line, answers with the codes of its mistakes as a JSON array. */
#include "nebula-json.h"
#include "nebula-workflow.h"
#include "test-resolver.h"

static void
answer (NebulaActionResolver *resolver, const char *line, gsize length)
{
  g_autoptr (GPtrArray) diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) nebula_diagnostic_unref);
  g_autoptr (GBytes) bytes = g_bytes_new (line, length);
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();
  g_autoptr (NebulaValue) codes = NULL;
  g_autofree char *text = NULL;

  nebula_workflow_validate_bytes (bytes, NULL, resolver, diagnostics, NULL);
  for (guint i = 0; i < diagnostics->len; i++)
    nebula_value_builder_add_take (
        builder,
        nebula_value_new_string (nebula_diagnostic_get_code (g_ptr_array_index (diagnostics, i))));
  codes = nebula_value_builder_end (builder);
  text = nebula_value_to_json (codes, NEBULA_JSON_FLAGS_NONE);
  g_print ("%s\n", text);
}

int
main (void)
{
  g_autoptr (TestResolver) resolver = g_object_new (TEST_TYPE_RESOLVER, NULL);
  g_autoptr (GIOChannel) channel = g_io_channel_unix_new (0);
  char *line;
  gsize length;

  while (g_io_channel_read_line (channel, &line, &length, NULL, NULL) == G_IO_STATUS_NORMAL) {
    answer (NEBULA_ACTION_RESOLVER (resolver), line, length);
    g_free (line);
  }
  return 0;
}
