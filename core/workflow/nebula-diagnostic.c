/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-diagnostic.h"

struct _NebulaDiagnostic
{
  gatomicrefcount ref_count;
  NebulaSeverity severity;
  const char *code; /* interned */
  char *file;
  guint line;
  guint column;
  char *message;
  char *hint;
};

G_DEFINE_BOXED_TYPE (NebulaDiagnostic,
                     nebula_diagnostic,
                     nebula_diagnostic_ref,
                     nebula_diagnostic_unref)

static const char *
severity_to_string (NebulaSeverity severity)
{
  return severity == NEBULA_SEVERITY_ERROR ? "error" : "warning";
}

/**
 * nebula_diagnostic_new:
 * @severity: how bad it is
 * @code: a kebab-case code of the list in docs/file-format.md
 * @file: (nullable): name of the file, as people know it
 * @line: line, counted from 1; 0 if no place is known
 * @column: column in characters, counted from 1; 0 if no place is known
 * @message: a sentence for people
 * @hint: (nullable): what to do about it
 *
 * Makes a diagnostic.
 *
 * Returns: (transfer full): the diagnostic
 *
 * Since: 1.0
 */
NebulaDiagnostic *
nebula_diagnostic_new (NebulaSeverity severity,
                       const char *code,
                       const char *file,
                       guint line,
                       guint column,
                       const char *message,
                       const char *hint)
{
  NebulaDiagnostic *self;

  g_return_val_if_fail (code != NULL, NULL);
  g_return_val_if_fail (message != NULL, NULL);

  self = g_new0 (NebulaDiagnostic, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->severity = severity;
  self->code = g_intern_string (code);
  self->file = g_strdup (file);
  self->line = line;
  self->column = column;
  self->message = g_strdup (message);
  self->hint = g_strdup (hint);
  return self;
}

/**
 * nebula_diagnostic_ref:
 * @self: a diagnostic
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaDiagnostic *
nebula_diagnostic_ref (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * nebula_diagnostic_unref:
 * @self: (transfer full): a diagnostic
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_diagnostic_unref (NebulaDiagnostic *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->file);
  g_free (self->message);
  g_free (self->hint);
  g_free (self);
}

/**
 * nebula_diagnostic_get_severity:
 * @self: a diagnostic
 *
 * Gives how bad it is.
 *
 * Returns: the severity
 *
 * Since: 1.0
 */
NebulaSeverity
nebula_diagnostic_get_severity (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, NEBULA_SEVERITY_ERROR);

  return self->severity;
}

/**
 * nebula_diagnostic_get_code:
 * @self: a diagnostic
 *
 * Gives the code, which never changes and is never translated.
 *
 * Returns: (transfer none): the code
 *
 * Since: 1.0
 */
const char *
nebula_diagnostic_get_code (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->code;
}

/**
 * nebula_diagnostic_get_file:
 * @self: a diagnostic
 *
 * Gives the name of the file.
 *
 * Returns: (transfer none) (nullable): the name, or %NULL if the workflow came from no file
 *
 * Since: 1.0
 */
const char *
nebula_diagnostic_get_file (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->file;
}

/**
 * nebula_diagnostic_get_line:
 * @self: a diagnostic
 *
 * Gives the line.
 *
 * Returns: the line from 1, or 0 if no place is known
 *
 * Since: 1.0
 */
guint
nebula_diagnostic_get_line (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->line;
}

/**
 * nebula_diagnostic_get_column:
 * @self: a diagnostic
 *
 * Gives the column.
 *
 * Returns: the column in characters from 1, or 0 if no place is known
 *
 * Since: 1.0
 */
guint
nebula_diagnostic_get_column (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->column;
}

/**
 * nebula_diagnostic_get_message:
 * @self: a diagnostic
 *
 * Gives the sentence for people.
 *
 * Returns: (transfer none): the message
 *
 * Since: 1.0
 */
const char *
nebula_diagnostic_get_message (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->message;
}

/**
 * nebula_diagnostic_get_hint:
 * @self: a diagnostic
 *
 * Gives what to do about it.
 *
 * Returns: (transfer none) (nullable): the hint
 *
 * Since: 1.0
 */
const char *
nebula_diagnostic_get_hint (NebulaDiagnostic *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->hint;
}

/**
 * nebula_diagnostic_to_value:
 * @self: a diagnostic
 *
 * Gives the diagnostic as an object `{file, line, column, code, severity, message, hint}`; what is not known is null.
 *
 * Returns: (transfer full): the object
 *
 * Since: 1.0
 */
NebulaValue *
nebula_diagnostic_to_value (NebulaDiagnostic *self)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  builder = nebula_value_builder_new_object ();
  nebula_value_builder_set_string (builder, "file", self->file);
  nebula_value_builder_set_integer (builder, "line", self->line);
  nebula_value_builder_set_integer (builder, "column", self->column);
  nebula_value_builder_set_string (builder, "code", self->code);
  nebula_value_builder_set_string (builder, "severity", severity_to_string (self->severity));
  nebula_value_builder_set_string (builder, "message", self->message);
  nebula_value_builder_set_string (builder, "hint", self->hint);
  return nebula_value_builder_end (builder);
}

/**
 * nebula_diagnostic_to_string:
 * @self: a diagnostic
 *
 * Gives the diagnostic as compilers print it: `file:line:column: severity: message [code]`, without the hint.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_diagnostic_to_string (NebulaDiagnostic *self)
{
  g_autoptr (GString) text = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  text = g_string_new (NULL);
  if (self->file)
    g_string_append_printf (text, "%s:", self->file);
  if (self->line > 0)
    g_string_append_printf (text, "%u:%u:", self->line, self->column);
  if (text->len > 0)
    g_string_append_c (text, ' ');
  g_string_append_printf (text,
                          "%s: %s [%s]",
                          severity_to_string (self->severity),
                          self->message,
                          self->code);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
