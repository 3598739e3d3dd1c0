/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One entry to one line. Whatever stands in a message or field, the line stays one line: control characters are
 * escaped, broken UTF-8 is replaced, and each part has a share of the line's length.
 */
#include <string.h>

#include "nebula-log-private.h"

#define MESSAGE_BYTES (48 * 1024)
#define FIELD_BYTES 1024
#define FIELDS_MAX 12

static const char colour_off[] = "\033[0m";

const char *
_nebula_log_level_to_string (GLogLevelFlags level)
{
  if (level & G_LOG_LEVEL_ERROR)
    return "error";
  if (level & G_LOG_LEVEL_CRITICAL)
    return "critical";
  if (level & G_LOG_LEVEL_WARNING)
    return "warning";
  if (level & G_LOG_LEVEL_MESSAGE)
    return "message";
  return level & G_LOG_LEVEL_INFO ? "info" : "debug";
}

int
_nebula_log_level_to_priority (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return 3;
  if (level & G_LOG_LEVEL_WARNING)
    return 4;
  if (level & G_LOG_LEVEL_MESSAGE)
    return 5;
  return level & G_LOG_LEVEL_INFO ? 6 : 7;
}

static const char *
get_colour (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return "\033[1;31m";
  if (level & G_LOG_LEVEL_WARNING)
    return "\033[33m";
  if (level & G_LOG_LEVEL_MESSAGE)
    return "\033[1m";
  return level & G_LOG_LEVEL_INFO ? "\033[32m" : "\033[2m";
}

/* Controls, also the second set, and the marks that turn the direction of writing. */
static gboolean
is_unsafe (gunichar character)
{
  return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 || character == 0x2029
         || (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

static void
append_character (GString *line, gunichar character, gboolean is_quoted)
{
  if (character == '\n')
    g_string_append (line, "\\n");
  else if (character == '\t')
    g_string_append (line, "\\t");
  else if (is_unsafe (character))
    g_string_append_printf (line, "\\u%04x", character);
  else if (is_quoted && (character == '"' || character == '\\'))
    g_string_append_printf (line, "\\%c", (char) character);
  else
    g_string_append_unichar (line, character);
}

/* At most so many bytes; a cut shows as an ellipsis. */
static void
append_text (GString *line, const char *text, gboolean is_quoted, gsize limit)
{
  g_autofree char *cut = g_strndup (text, limit);
  g_autofree char *valid = g_utf8_make_valid (cut, -1);
  gsize end = line->len + limit;

  for (const char *at = valid; *at; at = g_utf8_next_char (at)) {
    if (line->len + 8 > end) {
      g_string_append (line, "…");
      return;
    }
    append_character (line, g_utf8_get_char (at), is_quoted);
  }
  if (strlen (text) > limit)
    g_string_append (line, "…");
}

static void
append_value (GString *line, const char *text, gboolean is_quoted, gsize limit)
{
  if (is_quoted)
    g_string_append_c (line, '"');
  append_text (line, text, is_quoted, limit);
  if (is_quoted)
    g_string_append_c (line, '"');
}

static char *
format_time (gint64 real_usec, const char *format)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (real_usec / G_USEC_PER_SEC);
  g_autofree char *text = second ? g_date_time_format (second, format) : g_strdup ("-");

  return g_strdup_printf ("%s.%03d", text, (int) (real_usec % G_USEC_PER_SEC / 1000));
}

static gboolean
needs_quotes (const char *text)
{
  return *text == '\0' || strpbrk (text, " =\"\\\n\t") != NULL;
}

static void
append_fields (GString *line, NebulaLogRecord *record, NebulaLogFormat format)
{
  guint count = 0;

  for (guint i = 0; i < record->n_fields && count < FIELDS_MAX; i++) {
    const char *value = record->fields[i].value;
    g_autofree char *name = NULL;

    if (!g_str_has_prefix (record->fields[i].key, NEBULA_LOG_FIELD_PREFIX))
      continue;
    count++;
    name = g_ascii_strdown (record->fields[i].key + strlen (NEBULA_LOG_FIELD_PREFIX), 64);
    g_string_append (line, format == NEBULA_LOG_FORMAT_JSON ? ",\"" : " ");
    append_text (line, name, TRUE, FIELD_BYTES);
    g_string_append (line, format == NEBULA_LOG_FORMAT_JSON ? "\":" : "=");
    append_value (line, value, format == NEBULA_LOG_FORMAT_JSON || needs_quotes (value), FIELD_BYTES);
  }
}

static void
append_head (GString *line, NebulaLogRecord *record, NebulaLogFormat format, const char *colour)
{
  const char *level = _nebula_log_level_to_string (record->level), *domain = record->domain;
  g_autofree char *time
    = format_time (record->real_usec, format == NEBULA_LOG_FORMAT_PRETTY ? "%H:%M:%S" : "%Y-%m-%dT%H:%M:%S");

  switch (format) {
  case NEBULA_LOG_FORMAT_PRETTY:
    g_string_append_printf (line, "%s %s%-8s%s ", time, colour, level, *colour ? colour_off : "");
    append_text (line, domain, FALSE, FIELD_BYTES);
    g_string_append (line, ": ");
    return;
  case NEBULA_LOG_FORMAT_JSON:
    g_string_append_printf (line, "{\"time\":\"%sZ\",\"level\":\"%s\",\"domain\":\"", time, level);
    append_text (line, domain, TRUE, FIELD_BYTES);
    g_string_append (line, "\",\"message\":");
    return;
  case NEBULA_LOG_FORMAT_LOGFMT:
    g_string_append_printf (line, "time=%sZ level=%s domain=\"", time, level);
    append_text (line, domain, TRUE, FIELD_BYTES);
    g_string_append (line, "\" message=");
    return;
  case NEBULA_LOG_FORMAT_COMPACT:
  default:
    g_string_append_printf (line, "%sZ %s ", time, level);
    append_text (line, domain, FALSE, FIELD_BYTES);
    g_string_append (line, ": ");
    return;
  }
}

GString *
_nebula_log_line (NebulaLogRecord *record, NebulaLogFormat format, gboolean has_colour)
{
  GString *line = g_string_sized_new (256);
  gboolean is_pretty = format == NEBULA_LOG_FORMAT_PRETTY;
  gboolean is_quoted = format == NEBULA_LOG_FORMAT_JSON || format == NEBULA_LOG_FORMAT_LOGFMT;

  append_head (line, record, format, is_pretty && has_colour ? get_colour (record->level) : "");
  append_value (line, record->message, is_quoted, MESSAGE_BYTES);
  append_fields (line, record, format);
  g_string_append (line, format == NEBULA_LOG_FORMAT_JSON ? "}\n" : "\n");
  return line;
}
