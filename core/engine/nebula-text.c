/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words by which an execution is found: its id, its workflow, and what its input, output and error say. */

#include <string.h>

#include "nebula-engine-private.h"
#include "nebula-json.h"
#include "nebula-stored-internal.h"

#define TEXT_BYTES (8 * 1024)
#define DEPTH_MAX  16

static void
add (GString *text, const char *word)
{
  if (!word || !*word || text->len >= TEXT_BYTES)
    return;
  if (text->len > 0)
    g_string_append_c (text, '\n');
  g_string_append_len (text, word, (gssize) MIN (strlen (word), TEXT_BYTES - text->len));
}

static void add_value (GString *text, NebulaValue *value, guint depth);

static void
add_members (GString *text, NebulaValue *value, guint depth)
{
  gboolean is_object = nebula_value_get_kind (value) == NEBULA_VALUE_KIND_OBJECT;

  for (gsize i = 0; i < nebula_value_get_length (value) && text->len < TEXT_BYTES; i++)
    add_value (text,
               is_object ? nebula_value_get_member_at (value, i) : nebula_value_get_item (value, i),
               depth + 1);
}

static void
add_value (GString *text, NebulaValue *value, guint depth)
{
  g_autofree char *json = NULL;

  if (!value || depth > DEPTH_MAX || nebula_value_is_stored (value))
    return;
  switch ((int) nebula_value_get_kind (value)) {
  case NEBULA_VALUE_KIND_STRING:
    add (text, nebula_value_get_string (value));
    break;
  case NEBULA_VALUE_KIND_OBJECT:
  case NEBULA_VALUE_KIND_ARRAY:
    add_members (text, value, depth);
    break;
  case NEBULA_VALUE_KIND_NULL:
  case NEBULA_VALUE_KIND_BOOLEAN:
  case NEBULA_VALUE_KIND_BYTES:
    break;
  default:
    json = nebula_value_to_json (value, NEBULA_JSON_FLAGS_NONE);
    add (text, json);
  }
}

void
_nebula_text_attach (NebulaInstance *instance, NebulaUnit *unit, NebulaExecutionStatus status)
{
  NebulaState *state = nebula_kernel_get_state (instance->kernel);
  gboolean is_first = unit->expected_sequence == 0;
  gboolean is_last = nebula_execution_status_is_terminal (status);
  GString *text;

  if ((!is_first && !is_last) || !instance->engine->has_full_text)
    return;
  text = g_string_new (NULL);
  if (is_first) {
    add (text, instance->id);
    add (text, instance->plan->name);
    add_value (text, state->input, 0);
  }
  if (is_last) {
    add_value (text, state->output, 0);
    add_value (text, state->error, 0);
  }
  /* Cut in the middle of a character. */
  if (!g_utf8_validate_len (text->str, text->len, NULL)) {
    const char *end;

    g_utf8_validate (text->str, (gssize) text->len, &end);
    g_string_truncate (text, (gsize) (end - text->str));
  }
  unit->text = g_string_free (text, text->len == 0);
}
