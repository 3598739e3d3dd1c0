/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* All that the program writes. */

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#include "nebula-command-private.h"
#include "nebula-json.h"
#include "nebula-output-private.h"

static gboolean output_has_failed;

static gboolean
write_all (int fd, const char *text, gsize length)
{
  while (length > 0) {
    gssize n_bytes = write (fd, text, length);

    if (n_bytes < 0 && errno == EINTR)
      continue;
    if (n_bytes <= 0)
      return FALSE;
    text += n_bytes;
    length -= (gsize) n_bytes;
  }
  return TRUE;
}

static void
output (const char *text, gsize length)
{
  if (output_has_failed || write_all (STDOUT_FILENO, text, length))
    return;
  output_has_failed = TRUE;
  nebula_complain (_ ("The result cannot be written: %s."), g_strerror (errno));
}

void
nebula_output_text (const char *text)
{
  output (text, strlen (text));
}

gboolean
nebula_output_has_failed (void)
{
  return output_has_failed;
}

void
nebula_output_value (NebulaValue *value, gboolean is_pretty)
{
  g_autoptr (GString) text = g_string_new (NULL);

  nebula_value_append_json (
      value, is_pretty ? NEBULA_JSON_FLAGS_PRETTY : NEBULA_JSON_FLAGS_NONE, text);
  if (text->len == 0 || text->str[text->len - 1] != '\n')
    g_string_append_c (text, '\n');
  output (text->str, text->len);
}

void
nebula_output_result (NebulaValue *value)
{
  if (nebula_value_get_kind (value) != NEBULA_VALUE_KIND_STRING) {
    nebula_output_value (value, TRUE);
    return;
  }
  output (nebula_value_get_string (value), nebula_value_get_string_length (value));
  output ("\n", 1);
}

void
nebula_note_text (const char *text)
{
  write_all (STDERR_FILENO, text, strlen (text));
}

void
nebula_note (const char *format, ...)
{
  g_autoptr (GString) text = g_string_new (NULL);
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (text, format, arguments);
  va_end (arguments);
  g_string_append_c (text, '\n');
  nebula_note_text (text->str);
}

void
nebula_complain (const char *format, ...)
{
  g_autoptr (GString) text = g_string_new (NULL);
  va_list arguments;

  nebula_paint (text, nebula_has_colour (STDERR_FILENO), NEBULA_STYLE_BAD, "nebula:");
  g_string_append_c (text, ' ');
  va_start (arguments, format);
  g_string_append_vprintf (text, format, arguments);
  va_end (arguments);
  g_string_append_c (text, '\n');
  nebula_note_text (text->str);
}

void
nebula_complain_error (const GError *error)
{
  g_autofree char *message = g_utf8_make_valid (error->message, -1);

  nebula_complain ("%s", message);
}

NebulaValue *
nebula_error_to_value (const GError *error)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_object ();
  g_autofree char *message = g_utf8_make_valid (error->message, -1);

  nebula_value_builder_set_string (builder, "code", nebula_error_get_code (error));
  nebula_value_builder_set_string (builder, "message", message);
  nebula_value_builder_set_string (
      builder, "retry",
      nebula_retry_class_to_string (nebula_error_get_retry_class (error)));
  return nebula_value_builder_end (builder);
}

int
nebula_fail (const GError *error, gboolean as_json)
{
  g_autoptr (NebulaValueBuilder) builder = NULL;
  g_autoptr (NebulaValue) value = NULL;

  nebula_complain_error (error);
  if (as_json) {
    builder = nebula_value_builder_new_object ();
    nebula_value_builder_set_take (builder, "error", nebula_error_to_value (error));
    value = nebula_value_builder_end (builder);
    nebula_output_value (value, FALSE);
  }
  return (int) nebula_exit_from_error (error);
}

void
nebula_note_diagnostics (GPtrArray *diagnostics)
{
  gboolean has_colour = nebula_has_colour (STDERR_FILENO);

  for (guint i = 0; i < diagnostics->len; i++) {
    NebulaDiagnostic *diagnostic = diagnostics->pdata[i];
    g_autofree char *line = nebula_diagnostic_to_string (diagnostic);
    const char *hint = nebula_diagnostic_get_hint (diagnostic);
    gboolean is_error =
        nebula_diagnostic_get_severity (diagnostic) == NEBULA_SEVERITY_ERROR;
    g_autoptr (GString) text = g_string_new (NULL);

    nebula_paint (text, has_colour, is_error ? NEBULA_STYLE_BAD : NEBULA_STYLE_BUSY,
                  line);
    if (hint && !strstr (line, hint))
      g_string_append_printf (text, "\n  %s", hint);
    nebula_note ("%s", text->str);
  }
}

NebulaValue *
nebula_diagnostics_to_value (GPtrArray *diagnostics)
{
  g_autoptr (NebulaValueBuilder) builder = nebula_value_builder_new_array ();

  for (guint i = 0; i < diagnostics->len; i++)
    nebula_value_builder_add_take (builder,
                                   nebula_diagnostic_to_value (diagnostics->pdata[i]));
  return nebula_value_builder_end (builder);
}

gboolean
nebula_has_colour (int fd)
{
  const char *no_colour = g_getenv ("NO_COLOR");
  const char *terminal = g_getenv ("TERM");

  if (no_colour && no_colour[0] != '\0')
    return FALSE;
  return isatty (fd) && g_strcmp0 (terminal, "dumb") != 0;
}

void
nebula_paint (GString *text, gboolean has_colour, NebulaStyle style, const char *part)
{
  static const char *const codes[] = {NULL, "1", "2", "32", "31", "33"};

  if (has_colour && codes[style])
    g_string_append_printf (text, "\033[%sm%s\033[0m", codes[style], part);
  else
    g_string_append (text, part);
}

char *
nebula_format_span (gint64 usec)
{
  gint64 ms = usec / 1000;

  if (usec < 1000)
    return g_strdup_printf (_ ("%d µs"), (int) usec);
  if (ms < 1000)
    return g_strdup_printf (_ ("%d ms"), (int) ms);
  if (ms < 60000)
    return g_strdup_printf (_ ("%d.%d s"), (int) (ms / 1000), (int) (ms % 1000 / 100));
  if (ms < 3600000)
    return g_strdup_printf (_ ("%d min %d s"), (int) (ms / 60000),
                            (int) (ms % 60000 / 1000));
  return g_strdup_printf (_ ("%d h %d min"), (int) (ms / 3600000),
                          (int) (ms % 3600000 / 60000));
}

void
nebula_append_tags (GString *text, NebulaValue *item)
{
  NebulaValue *tags = nebula_value_get_member (item, "tags");

  for (gsize i = 0; tags && i < nebula_value_get_length (tags); i++)
    g_string_append_printf (text, "  #%s",
                            nebula_value_get_string (nebula_value_get_item (tags, i)));
}
