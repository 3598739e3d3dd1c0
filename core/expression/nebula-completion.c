/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thing that may stand, or stands, at a place of an expression, and the help on it. */

#include "nebula-completion.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-completion-private.h"
#include "nebula-json.h"

#define VALUE_CHARACTERS 200 /* of a value that is shown */

struct _NebulaCompletion {
  gatomicrefcount references;
  NebulaCompletionKind kind;
  char *label;
  char *detail;        /* nullable */
  char *documentation; /* nullable */
  char *insert_text;
  guint start, end;
};

G_DEFINE_BOXED_TYPE (NebulaCompletion,
                     nebula_completion,
                     nebula_completion_ref,
                     nebula_completion_unref)

NebulaCompletion *
_nebula_completion_new (const NebulaCompletionParts *parts)
{
  NebulaCompletion *self = g_new0 (NebulaCompletion, 1);

  g_atomic_ref_count_init (&self->references);
  self->kind = parts->kind;
  self->label = g_strdup (parts->label);
  self->detail = g_strdup (parts->detail);
  self->documentation = g_strdup (parts->documentation);
  self->insert_text =
      g_strdup (parts->insert_text != NULL ? parts->insert_text : parts->label);
  self->start = parts->start;
  self->end = parts->end;
  return self;
}

/* What it gives stands behind its parameters. */
char *
_nebula_function_get_detail (const NebulaFunction *function)
{
  g_autoptr (NebulaValue) help = _nebula_function_describe (function);

  return g_strdup_printf ("%s → %s",
                          nebula_value_get_member_string (help, "signature", ""),
                          nebula_value_get_member_string (help, "result", ""));
}

static void
append_words (GString *text, const char *heading, NebulaValue *words)
{
  if (nebula_value_get_length (words) == 0)
    return;
  g_string_append_printf (text, "\n%s", heading);
  for (gsize i = 0; i < nebula_value_get_length (words); i++)
    g_string_append_printf (text, " %s",
                            nebula_value_get_string (nebula_value_get_item (words, i)));
}

char *
_nebula_function_get_documentation (const NebulaFunction *function)
{
  g_autoptr (NebulaValue) help = _nebula_function_describe (function);
  NebulaValue *parameters = nebula_value_get_member (help, "parameters");
  NebulaValue *examples = nebula_value_get_member (help, "examples");
  GString *text = g_string_new (nebula_value_get_member_string (help, "description", ""));

  for (gsize i = 0; i < nebula_value_get_length (parameters); i++) {
    NebulaValue *parameter = nebula_value_get_item (parameters, i);

    g_string_append_printf (text, "\n  %s: %s",
                            nebula_value_get_member_string (parameter, "name", ""),
                            nebula_value_get_member_string (parameter, "type", ""));
  }
  append_words (text, _ ("Errors:"), nebula_value_get_member (help, "errors"));
  append_words (text, _ ("Also called:"), nebula_value_get_member (help, "aliases"));
  for (gsize i = 0; i < nebula_value_get_length (examples); i++) {
    NebulaValue *example = nebula_value_get_item (examples, i);

    g_string_append_printf (text, "\n  %s → %s",
                            nebula_value_get_member_string (example, "expression", ""),
                            nebula_value_get_member_string (example, "value", ""));
  }
  return g_string_free (text, FALSE);
}

char *
_nebula_type_get_documentation (const NebulaType *type)
{
  const char *description;
  g_autofree char *json = NULL;
  g_autofree char *start = NULL;

  if (type->value != NULL) {
    g_autoptr (NebulaValue) shown = _nebula_value_hide_secrets (type->value);

    json = nebula_value_to_json (shown, NEBULA_JSON_FLAGS_NONE);
    if (g_utf8_strlen (json, -1) <= VALUE_CHARACTERS)
      return g_steal_pointer (&json);
    start = g_utf8_substring (json, 0, VALUE_CHARACTERS);
    return g_strconcat (start, "…", NULL);
  }
  description = type->schema != NULL
                    ? nebula_value_get_member_string (type->schema, "description", NULL)
                    : NULL;
  return g_strdup (description);
}

/**
 * nebula_completion_ref:
 * @self: a completion
 *
 * Takes a reference.
 *
 * Thread: any.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaCompletion *
nebula_completion_ref (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_completion_unref:
 * @self: (transfer full): a completion
 *
 * Gives a reference back; the last one frees the completion.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
void
nebula_completion_unref (NebulaCompletion *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_free (self->label);
  g_free (self->detail);
  g_free (self->documentation);
  g_free (self->insert_text);
  g_free (self);
}

/**
 * nebula_completion_get_kind:
 * @self: a completion
 *
 * Gets what it is.
 *
 * Thread: any.
 *
 * Returns: the kind
 *
 * Since: 1.0
 */
NebulaCompletionKind
nebula_completion_get_kind (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_COMPLETION_KIND_KEYWORD);

  return self->kind;
}

/**
 * nebula_completion_get_label:
 * @self: a completion
 *
 * Gets its name, as a list shows it; that of a variable has its dollar.
 *
 * Thread: any.
 *
 * Returns: (transfer none): the name, as long as @self lives
 *
 * Since: 1.0
 */
const char *
nebula_completion_get_label (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->label;
}

/**
 * nebula_completion_get_detail:
 * @self: a completion
 *
 * Gets its type in words, or of a function what it takes and gives, in the language of the process.
 *
 * Thread: any.
 *
 * Returns: (transfer none) (nullable): a line, as long as @self lives, or %NULL if nothing is known
 *
 * Since: 1.0
 */
const char *
nebula_completion_get_detail (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->detail;
}

/**
 * nebula_completion_get_documentation:
 * @self: a completion
 *
 * Gets the help on it: of a function its description, parameters, errors and examples; of data what its schema says, or
 * the value itself, where it is known.
 *
 * Thread: any.
 *
 * Returns: (transfer none) (nullable): lines of text, as long as @self lives, or %NULL if there is no help
 *
 * Since: 1.0
 */
const char *
nebula_completion_get_documentation (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->documentation;
}

/**
 * nebula_completion_get_insert_text:
 * @self: a completion
 *
 * Gets what takes the place of the characters from nebula_completion_get_start() to nebula_completion_get_end().
 *
 * Thread: any.
 *
 * Returns: (transfer none): the text, as long as @self lives
 *
 * Since: 1.0
 */
const char *
nebula_completion_get_insert_text (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->insert_text;
}

/**
 * nebula_completion_get_start:
 * @self: a completion
 *
 * Gets where in the text the part begins that it replaces, or of which it is the help.
 *
 * Thread: any.
 *
 * Returns: characters from the start of the text
 *
 * Since: 1.0
 */
guint
nebula_completion_get_start (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->start;
}

/**
 * nebula_completion_get_end:
 * @self: a completion
 *
 * Gets where in the text that part ends.
 *
 * Thread: any.
 *
 * Returns: characters from the start of the text
 *
 * Since: 1.0
 */
guint
nebula_completion_get_end (NebulaCompletion *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->end;
}
