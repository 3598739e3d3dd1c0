/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "time-private.h"

#include <glib/gi18n-lib.h>
#include <locale.h>

NEBULA_DEFINE_ACTION (NebulaTimeFormat, nebula_time_format)

/* Names of days must not depend on the locale of the process, or the action would not be pure. */
static locale_t
get_plain_locale (void)
{
  static gsize plain;

  if (g_once_init_enter (&plain))
    g_once_init_leave (&plain, (gsize) newlocale (LC_ALL_MASK, "C", (locale_t) 0));
  return (locale_t) plain;
}

static char *
format_plainly (GDateTime *time, const char *format)
{
  locale_t previous = uselocale (get_plain_locale ());
  char *text = g_date_time_format (time, format);

  uselocale (previous);
  return text;
}

static gboolean
read_time (NebulaValue *value, gint64 *ret_usec, int *ret_offset, GError **error)
{
  if (nebula_value_get_kind (value) == NEBULA_VALUE_KIND_STRING)
    return nebula_timestamp_parse (nebula_value_get_string (value), ret_usec, ret_offset, error);

  *ret_usec = nebula_value_get_usec (value);
  *ret_offset = nebula_value_get_offset_seconds (value);
  return TRUE;
}

static GTimeZone *
choose_zone (NebulaValue *name, int offset, GError **error)
{
  if (name == NULL)
    return g_time_zone_new_offset (offset);
  return _nebula_time_zone_new (nebula_value_get_string (name), error);
}

static NebulaValue *
write_time (GDateTime *time, NebulaValue *format, GError **error)
{
  g_autofree char *text = NULL;

  text = format_plainly (time, nebula_value_get_string (format));
  if (text == NULL) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                 _("The format “%s” cannot be used. Write letters after “%%” as in “%%Y-%%m-%%d %%H:%%M”"),
                 nebula_value_get_string (format));
    return NULL;
  }
  return nebula_value_new_string (text);
}

static NebulaValue *
write_rfc3339 (gint64 usec, GDateTime *time)
{
  g_autofree char *text = nebula_timestamp_to_string (usec, (int) (g_date_time_get_utc_offset (time) / G_USEC_PER_SEC));

  return nebula_value_new_string (text);
}

static NebulaValue *
nebula_time_format_evaluate (const NebulaArguments *arguments, const char **ret_port, GError **error)
{
  NebulaValue *format = nebula_arguments_get (arguments, "format");
  g_autoptr (GTimeZone) zone = NULL;
  g_autoptr (GDateTime) time = NULL;
  gint64 usec = 0;
  int offset = 0;

  if (!read_time (nebula_arguments_get (arguments, "value"), &usec, &offset, error))
    return NULL;
  zone = choose_zone (nebula_arguments_get (arguments, "timezone"), offset, error);
  if (zone == NULL)
    return NULL;
  time = _nebula_time_in_zone (usec, zone, error);
  if (time == NULL)
    return NULL;
  return format != NULL ? write_time (time, format, error) : write_rfc3339 (usec, time);
}

static void
nebula_time_format_class_init (NebulaTimeFormatClass *klass)
{
  NebulaActionClass *action = NEBULA_ACTION_CLASS (klass);
  NebulaParameter *parameter;

  nebula_action_class_set_details (action, "time.format", "1.0.0", N_ ("Format a time"),
                                   N_ ("Writes a time as text, in a format and a zone of your choice."), N_ ("Time"));
  nebula_action_class_set_evaluate (action, nebula_time_format_evaluate);
  nebula_action_class_set_example (action, "action: time.format\n"
                                           "with: { value: \"{{ $json.created }}\", format: \"%d.%m.%Y %H:%M\", "
                                           "timezone: Europe/Rome }\n");

  parameter = nebula_action_class_add_parameter (action, "value", NEBULA_PARAMETER_KIND_DATE_TIME, N_ ("Time"),
                                                 N_ ("A timestamp, or text such as “2030-01-31T12:00:00Z”."));
  nebula_parameter_add_flags (parameter, NEBULA_PARAMETER_FLAGS_REQUIRED);
  parameter = nebula_action_class_add_parameter (action, "format", NEBULA_PARAMETER_KIND_TEXT, N_ ("Format"),
                                                 N_ ("Letters after % as in “%Y-%m-%d”; without it RFC 3339."));
  nebula_parameter_set_placeholder (parameter, "%Y-%m-%d %H:%M");
  nebula_action_class_add_parameter (action, "timezone", NEBULA_PARAMETER_KIND_TEXT, N_ ("Time zone"),
                                     N_ ("Zone that the time is written in; without it the one that it came with."));
}
