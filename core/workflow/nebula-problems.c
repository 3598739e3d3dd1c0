/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-workflow-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-error.h"
#include "nebula-limits.h"

static void
append_step (GString *pointer, const char *key)
{
  g_string_append_c (pointer, '/');
  for (; *key; key++) {
    if (*key == '~')
      g_string_append (pointer, "~0");
    else if (*key == '/')
      g_string_append (pointer, "~1");
    else
      g_string_append_c (pointer, *key);
  }
}

static void
append_path (GString *pointer, const NebulaPath *path)
{
  if (!path)
    return;
  append_path (pointer, path->parent);
  if (path->key)
    append_step (pointer, path->key);
  else
    g_string_append_printf (pointer, "/%" G_GSIZE_FORMAT, path->index);
}

char *
_nebula_path_to_pointer (const NebulaPath *self)
{
  GString *pointer = g_string_new (NULL);

  append_path (pointer, self);
  return g_string_free (pointer, FALSE);
}

char *
_nebula_pointer_append (const char *pointer, const char *key)
{
  GString *longer = g_string_new (pointer);

  append_step (longer, key);
  return g_string_free (longer, FALSE);
}

void
_nebula_problems_init (NebulaProblems *self,
                       GPtrArray *diagnostics,
                       NebulaDocument *document,
                       const char *file)
{
  self->diagnostics = diagnostics;
  self->document = document;
  self->file = file;
  self->n_before = diagnostics->len;
  self->n_errors = 0;
}

gboolean
_nebula_problems_is_full (const NebulaProblems *self)
{
  return self->n_errors >= NEBULA_LIMIT_DIAGNOSTICS;
}

/* Room for one more: an error may take the place of the last warning. */
static gboolean
make_room (NebulaProblems *self, NebulaSeverity severity)
{
  if (self->diagnostics->len - self->n_before < NEBULA_LIMIT_DIAGNOSTICS)
    return TRUE;
  if (severity != NEBULA_SEVERITY_ERROR)
    return FALSE;

  for (guint i = self->diagnostics->len; i > self->n_before; i--) {
    NebulaDiagnostic *diagnostic = g_ptr_array_index (self->diagnostics, i - 1);

    if (nebula_diagnostic_get_severity (diagnostic) != NEBULA_SEVERITY_ERROR) {
      g_ptr_array_remove_index (self->diagnostics, i - 1);
      return TRUE;
    }
  }
  return FALSE;
}

void
_nebula_problems_add (NebulaProblems *self,
                      const NebulaProblem *problem,
                      const char *format,
                      ...)
{
  g_autofree char *message = NULL;
  guint line = 0;
  guint column = 0;
  va_list arguments;

  if (problem->severity == NEBULA_SEVERITY_ERROR)
    self->n_errors++;
  if (!make_room (self, problem->severity))
    return;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  if (self->document && problem->pointer)
    nebula_document_locate (self->document, problem->pointer, problem->of_key, &line, &column);
  if (line > 0 && problem->text)
    nebula_document_locate_inside (self->document, problem->text, problem->text_line, problem->text_column, &line, &column);
  g_ptr_array_add (self->diagnostics,
                   nebula_diagnostic_new (problem->severity,
                                          problem->code,
                                          self->file,
                                          line,
                                          column,
                                          message,
                                          problem->hint));
}

static gint
compare_places (gconstpointer first, gconstpointer second, gpointer user_data)
{
  NebulaDiagnostic *a = *(NebulaDiagnostic *const *) first;
  NebulaDiagnostic *b = *(NebulaDiagnostic *const *) second;
  guint line_a = nebula_diagnostic_get_line (a);
  guint line_b = nebula_diagnostic_get_line (b);
  guint column_a = nebula_diagnostic_get_column (a);
  guint column_b = nebula_diagnostic_get_column (b);

  if (line_a != line_b)
    return line_a < line_b ? -1 : 1;
  return column_a < column_b ? -1 : column_a > column_b;
}

static NebulaDiagnostic *
first_error (NebulaProblems *self)
{
  for (guint i = self->n_before; i < self->diagnostics->len; i++) {
    NebulaDiagnostic *diagnostic = g_ptr_array_index (self->diagnostics, i);

    if (nebula_diagnostic_get_severity (diagnostic) == NEBULA_SEVERITY_ERROR)
      return diagnostic;
  }
  return NULL;
}

gboolean
_nebula_problems_end (NebulaProblems *self, const char *name, GError **error)
{
  NebulaDiagnostic *first;

  if (self->diagnostics->len > self->n_before)
    g_qsort_with_data (self->diagnostics->pdata + self->n_before,
                       (gint) (self->diagnostics->len - self->n_before),
                       sizeof (gpointer),
                       compare_places,
                       NULL);
  if (self->n_errors == 0)
    return TRUE;

  first = first_error (self);
  g_set_error (error,
               NEBULA_ERROR,
               NEBULA_ERROR_INVALID_WORKFLOW,
               g_dngettext (GETTEXT_PACKAGE,
                            "Workflow “%s” has %u mistake. Correct it and try again: %s",
                            "Workflow “%s” has %u mistakes. Correct them and try again, first this one: %s",
                            self->n_errors),
               name && *name ? name : self->file ? self->file : "?",
               self->n_errors,
               nebula_diagnostic_get_message (first));
  return FALSE;
}

char *
_nebula_hint_nearest (const char *nearest)
{
  return nearest ? g_strdup_printf (_("Did you mean “%s”?"), nearest) : NULL;
}

NebulaValue *
_nebula_member (NebulaValue *value, const char *key, NebulaValueKind kind)
{
  NebulaValue *member;

  if (!value || nebula_value_get_kind (value) != NEBULA_VALUE_KIND_OBJECT)
    return NULL;
  member = nebula_value_get_member (value, key);
  return member && nebula_value_get_kind (member) == kind ? member : NULL;
}

const char *
_nebula_member_text (NebulaValue *value, const char *key)
{
  NebulaValue *member = _nebula_member (value, key, NEBULA_VALUE_KIND_STRING);

  return member ? nebula_value_get_string (member) : NULL;
}

gint64
_nebula_member_duration (NebulaValue *value, const char *key, gint64 fallback)
{
  const char *text = _nebula_member_text (value, key);
  gint64 usec;

  return text && nebula_duration_parse (text, &usec, NULL) ? usec : fallback;
}

guint
_nebula_choose_text (const char *text, const char *const *choices, guint fallback)
{
  for (guint i = 0; text && choices[i]; i++)
    if (strcmp (text, choices[i]) == 0)
      return i;
  return fallback;
}
