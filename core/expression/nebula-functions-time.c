/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions on time. A moment is a timestamp, a date (its midnight in UTC), or text in RFC 3339; zones are IANA names or
 * offsets such as +02:00, and years go from 1 to 9999.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-moment-private.h"

#define FIRST_USEC (G_GINT64_CONSTANT (-62135596800) * G_USEC_PER_SEC)
#define LAST_USEC  (G_GINT64_CONSTANT (253402300800) * G_USEC_PER_SEC - 1)

/* Only what can be a zone: never a path out of the database of zones. */
static gboolean
is_zone_name (const char *name)
{
  if (*name == '/' || *name == '\0' || strlen (name) > 64 || strstr (name, "..") != NULL)
    return FALSE;
  return strspn (name,
                 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-:") ==
         strlen (name);
}

GTimeZone *
_nebula_moment_take_zone (NebulaVm *vm, const NebulaCell *zone)
{
  const char *name = _nebula_cell_get_string (zone, NULL);
  GTimeZone *found = NULL;

  if (!_nebula_vm_burn (vm, 50))
    return NULL;
  if (is_zone_name (name))
    found = g_time_zone_new_identifier (name);
  if (found == NULL)
    _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_ARGUMENT,
                     _ ("Zones look like Europe/Rome, UTC or +02:00."),
                     _ ("There is no time zone “%s”"), name);
  return found;
}

gint64
_nebula_moment_get_usec (GDateTime *moment)
{
  return g_date_time_to_unix (moment) * G_USEC_PER_SEC +
         g_date_time_get_microsecond (moment);
}

static gboolean
fail_range (NebulaVm *vm)
{
  return _nebula_vm_fail (vm, NEBULA_ERROR_OVERFLOW, NULL,
                          _ ("Times go from the year 1 to the year 9999"));
}

static GDateTime *
make_moment (NebulaVm *vm, gint64 usec, GTimeZone *zone)
{
  g_autoptr (GDateTime) epoch = g_date_time_new_from_unix_utc (0);
  g_autoptr (GDateTime) utc = NULL;
  GDateTime *moment = NULL;

  if (usec >= FIRST_USEC && usec <= LAST_USEC)
    utc = g_date_time_add (epoch, usec);
  if (utc != NULL)
    moment = g_date_time_to_timezone (utc, zone);
  if (moment == NULL)
    fail_range (vm);
  return moment;
}

/* What a cell says: microseconds and the offset. */
static gboolean
read_moment (NebulaVm *vm, const NebulaCell *cell, gint64 *ret_usec, int *ret_offset)
{
  g_autoptr (GDateTime) midnight = NULL;
  g_autofree char *whole = NULL;
  int year, month, day;
  const char *text;

  *ret_offset = 0;
  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_TIMESTAMP)) {
    *ret_usec = nebula_value_get_usec (cell->as.value);
    *ret_offset = nebula_value_get_offset_seconds (cell->as.value);
    return TRUE;
  }
  if (_nebula_cell_is (cell, NEBULA_VALUE_KIND_DATE)) {
    nebula_value_get_date (cell->as.value, &year, &month, &day);
    midnight = g_date_time_new_utc (year, month, day, 0, 0, 0);
    if (midnight == NULL)
      return fail_range (vm);
    *ret_usec = _nebula_moment_get_usec (midnight);
    return TRUE;
  }
  if (!_nebula_cell_is (cell, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_TYPE,
        _nebula_cell_is_number (cell) ? _ ("Use from_unix () or from_unix_ms ().") : NULL,
        _ ("This takes a timestamp, a date or text, not %s"),
        _nebula_cell_to_words (cell));
  text = _nebula_cell_get_string (cell, NULL);
  whole = strlen (text) == 10 ? g_strconcat (text, "T00:00:00Z", NULL) : NULL;
  if (nebula_timestamp_parse (whole != NULL ? whole : text, ret_usec, ret_offset, NULL))
    return TRUE;
  return _nebula_vm_fail (
      vm, NEBULA_ERROR_INVALID_DATA, _ ("Use parse_date (text, format) for other forms."),
      _ ("The text “%s” is not a time such as 2026-01-31T12:00:00Z"), text);
}

GDateTime *
_nebula_moment_take (NebulaVm *vm, const NebulaCell *cell, const NebulaCell *zone)
{
  g_autoptr (GTimeZone) wanted = NULL;
  gint64 usec;
  int offset;

  if (!read_moment (vm, cell, &usec, &offset))
    return NULL;
  wanted = zone != NULL ? _nebula_moment_take_zone (vm, zone)
                        : g_time_zone_new_offset (offset);
  return wanted != NULL ? make_moment (vm, usec, wanted) : NULL;
}

gboolean
_nebula_moment_give (NebulaVm *vm, GDateTime *moment, NebulaCell *ret)
{
  gint64 usec;
  int offset;

  if (moment == NULL)
    return fail_range (vm);
  usec = _nebula_moment_get_usec (moment);
  offset = (int) (g_date_time_get_utc_offset (moment) / G_USEC_PER_SEC);
  g_date_time_unref (moment);
  return _nebula_vm_charge (vm, 32) &&
         _nebula_vm_give (vm, nebula_value_new_timestamp (usec, offset), ret);
}

static gboolean
call_now (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_variable (vm, g_intern_static_string ("now"), ret);
}

static gboolean
call_today (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return _nebula_vm_variable (vm, g_intern_static_string ("today"), ret);
}

static gboolean
call_timestamp (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  GDateTime *moment =
      _nebula_moment_take (vm, arguments, count > 1 ? &arguments[1] : NULL);

  return moment != NULL && _nebula_moment_give (vm, moment, ret);
}

static gboolean
call_date (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GDateTime) moment = NULL;
  NebulaValue *value;

  moment = _nebula_moment_take (vm, arguments, count > 1 ? &arguments[1] : NULL);
  if (moment == NULL)
    return FALSE;
  value = nebula_value_new_date (g_date_time_get_year (moment),
                                 g_date_time_get_month (moment),
                                 g_date_time_get_day_of_month (moment), NULL);
  return value != NULL ? _nebula_vm_give (vm, value, ret) : fail_range (vm);
}

static gboolean
call_parse_date (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GTimeZone) zone = NULL;
  GDateTime *moment;

  if (count == 1)
    return call_timestamp (vm, arguments, 1, ret);
  zone =
      count > 2 ? _nebula_moment_take_zone (vm, &arguments[2]) : g_time_zone_new_utc ();
  if (zone == NULL || !_nebula_cell_is (arguments, NEBULA_VALUE_KIND_STRING))
    return zone != NULL && call_timestamp (vm, arguments, 1, ret);
  moment = _nebula_moment_parse (vm, _nebula_cell_get_string (&arguments[0], NULL),
                                 _nebula_cell_get_string (&arguments[1], NULL), zone);
  return moment != NULL && _nebula_moment_give (vm, moment, ret);
}

static gboolean
call_format_date (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GDateTime) moment =
      _nebula_moment_take (vm, arguments, count > 2 ? &arguments[2] : NULL);
  const char *format = count > 1 ? _nebula_cell_get_string (&arguments[1], NULL)
                                 : "yyyy-MM-dd'T'HH:mm:ssZ";
  g_autofree char *text = NULL;

  if (moment == NULL || !_nebula_vm_burn (vm, strlen (format)))
    return FALSE;
  text = _nebula_moment_format (moment, format);
  return _nebula_vm_give_string (vm, text, -1, ret);
}

typedef enum {
  UNIT_YEAR,
  UNIT_QUARTER,
  UNIT_MONTH,
  UNIT_WEEK,
  UNIT_DAY,
  UNIT_HOUR,
  UNIT_MINUTE,
  UNIT_SECOND,
  UNIT_MILLISECOND,
} Unit;

static const char *const unit_names[] = {"year", "quarter", "month",  "week",       "day",
                                         "hour", "minute",  "second", "millisecond"};

static const gint64 unit_usecs[] = {0,
                                    0,
                                    0,
                                    7 * G_TIME_SPAN_DAY,
                                    G_TIME_SPAN_DAY,
                                    G_TIME_SPAN_HOUR,
                                    G_TIME_SPAN_MINUTE,
                                    G_TIME_SPAN_SECOND,
                                    G_TIME_SPAN_MILLISECOND};

static gboolean
take_unit (NebulaVm *vm, const NebulaCell *cell, Unit *ret)
{
  const char *name = _nebula_cell_get_string (cell, NULL);
  gsize length = strlen (name);

  if (length > 1 && name[length - 1] == 's')
    length--;
  for (guint i = 0; i < G_N_ELEMENTS (unit_names); i++)
    if (strlen (unit_names[i]) == length && strncmp (unit_names[i], name, length) == 0) {
      *ret = (Unit) i;
      return TRUE;
    }
  return _nebula_vm_fail (
      vm, NEBULA_ERROR_INVALID_ARGUMENT,
      _ ("Units are year, quarter, month, week, day, hour, minute, second and millisecond."),
      _ ("There is no unit of time “%s”"), name);
}

/* Years to days by the calendar in the moment's zone, shorter ones by the clock. */
static GDateTime *
add_units (GDateTime *moment, gint64 amount, Unit unit)
{
  gint64 usec;

  if (ABS (amount / 2) > G_MAXINT32 / 6 && unit <= UNIT_DAY)
    return NULL;
  if (unit == UNIT_YEAR)
    return g_date_time_add_years (moment, (gint) amount);
  if (unit == UNIT_QUARTER)
    return g_date_time_add_months (moment, (gint) (3 * amount));
  if (unit == UNIT_MONTH)
    return g_date_time_add_months (moment, (gint) amount);
  if (unit == UNIT_WEEK)
    return ABS (amount) < 1000000 ? g_date_time_add_days (moment, (gint) (7 * amount))
                                  : NULL;
  if (unit == UNIT_DAY)
    return ABS (amount) < 7000000 ? g_date_time_add_days (moment, (gint) amount) : NULL;
  if (__builtin_mul_overflow (amount, unit_usecs[unit], &usec) ||
      ABS (usec / 2) > LAST_USEC)
    return NULL;
  return g_date_time_add (moment, usec);
}

static gboolean
add (NebulaVm *vm, const NebulaCell *arguments, guint count, int sign, NebulaCell *ret)
{
  g_autoptr (GDateTime) moment =
      _nebula_moment_take (vm, arguments, count > 3 ? &arguments[3] : NULL);
  gint64 amount = arguments[1].as.integer;
  Unit unit;

  if (moment == NULL || !take_unit (vm, &arguments[2], &unit))
    return FALSE;
  if (amount == G_MININT64)
    return fail_range (vm);
  return _nebula_moment_give (vm, add_units (moment, sign * amount, unit), ret);
}

static gboolean
call_date_add (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return add (vm, arguments, count, 1, ret);
}

static gboolean
call_date_subtract (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return add (vm, arguments, count, -1, ret);
}

static int
count_months (GDateTime *moment)
{
  return g_date_time_get_year (moment) * 12 + g_date_time_get_month (moment);
}

/* Whole months from @b to @a, cut towards zero. */
static gint64
get_months_between (GDateTime *a, GDateTime *b)
{
  int months = count_months (a) - count_months (b);
  g_autoptr (GDateTime) moved = g_date_time_add_months (b, months);
  int order = moved != NULL ? g_date_time_compare (moved, a) : 0;

  if (months > 0 && order > 0)
    return months - 1;
  return months < 0 && order < 0 ? months + 1 : months;
}

static gboolean
call_date_diff (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GDateTime) a = _nebula_moment_take (vm, &arguments[0], NULL);
  g_autoptr (GDateTime) b =
      a != NULL ? _nebula_moment_take (vm, &arguments[1], NULL) : NULL;
  Unit unit = UNIT_DAY;
  gint64 months;

  if (b == NULL || (count > 2 && !take_unit (vm, &arguments[2], &unit)))
    return FALSE;
  if (unit >= UNIT_WEEK) {
    *ret = _nebula_cell_integer (g_date_time_difference (a, b) / unit_usecs[unit]);
    return TRUE;
  }
  months = get_months_between (a, b);
  *ret = _nebula_cell_integer (unit == UNIT_YEAR      ? months / 12
                               : unit == UNIT_QUARTER ? months / 3
                                                      : months);
  return TRUE;
}

static GDateTime *
get_start (GDateTime *moment, Unit unit)
{
  g_autoptr (GTimeZone) zone = g_time_zone_ref (g_date_time_get_timezone (moment));
  g_autoptr (GDateTime) monday = NULL;
  int month = g_date_time_get_month (moment);

  if (unit >= UNIT_HOUR)
    return g_date_time_add (moment, -(_nebula_moment_get_usec (moment) - FIRST_USEC +
                                      g_date_time_get_utc_offset (moment)) %
                                        unit_usecs[unit]);
  if (unit == UNIT_WEEK)
    monday = g_date_time_add_days (moment, 1 - g_date_time_get_day_of_week (moment));
  if (unit == UNIT_WEEK && monday == NULL)
    return NULL;
  if (unit == UNIT_WEEK || unit == UNIT_DAY) {
    GDateTime *day = monday != NULL ? monday : moment;

    return g_date_time_new (zone, g_date_time_get_year (day), g_date_time_get_month (day),
                            g_date_time_get_day_of_month (day), 0, 0, 0);
  }
  if (unit == UNIT_YEAR)
    month = 1;
  else if (unit == UNIT_QUARTER)
    month = (month - 1) / 3 * 3 + 1;
  return g_date_time_new (zone, g_date_time_get_year (moment), month, 1, 0, 0, 0);
}

static gboolean
call_start_of (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GDateTime) moment =
      _nebula_moment_take (vm, arguments, count > 2 ? &arguments[2] : NULL);
  Unit unit;

  return moment != NULL && take_unit (vm, &arguments[1], &unit) &&
         _nebula_moment_give (vm, get_start (moment, unit), ret);
}

static gboolean
call_end_of (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GDateTime) moment =
      _nebula_moment_take (vm, arguments, count > 2 ? &arguments[2] : NULL);
  g_autoptr (GDateTime) start = NULL;
  g_autoptr (GDateTime) next = NULL;
  Unit unit;

  if (moment == NULL || !take_unit (vm, &arguments[1], &unit))
    return FALSE;
  start = get_start (moment, unit);
  next = start != NULL ? add_units (start, 1, unit) : NULL;
  return next != NULL ? _nebula_moment_give (vm, g_date_time_add (next, -1), ret)
                      : fail_range (vm);
}

#define DEFINE_PART(name, expression)                                                    \
  static gboolean call_##name (NebulaVm *vm, NebulaCell *arguments, guint count,         \
                               NebulaCell *ret)                                          \
  {                                                                                      \
    g_autoptr (GDateTime) moment =                                                       \
        _nebula_moment_take (vm, arguments, count > 1 ? &arguments[1] : NULL);           \
    if (moment == NULL)                                                                  \
      return FALSE;                                                                      \
    *ret = _nebula_cell_integer (expression);                                            \
    return TRUE;                                                                         \
  }

DEFINE_PART (year, g_date_time_get_year (moment))
DEFINE_PART (month, g_date_time_get_month (moment))
DEFINE_PART (day, g_date_time_get_day_of_month (moment))
DEFINE_PART (hour, g_date_time_get_hour (moment))
DEFINE_PART (minute, g_date_time_get_minute (moment))
DEFINE_PART (second, g_date_time_get_second (moment))
DEFINE_PART (millisecond, g_date_time_get_microsecond (moment) / 1000)
DEFINE_PART (weekday, g_date_time_get_day_of_week (moment))
DEFINE_PART (day_of_year, g_date_time_get_day_of_year (moment))
DEFINE_PART (week, g_date_time_get_week_of_year (moment))
DEFINE_PART (unix, g_date_time_to_unix (moment))
DEFINE_PART (unix_ms,
             g_date_time_to_unix (moment) * 1000 +
                 g_date_time_get_microsecond (moment) / 1000)
DEFINE_PART (days_in_month,
             g_date_get_days_in_month ((GDateMonth) g_date_time_get_month (moment),
                                       (GDateYear) g_date_time_get_year (moment)))

static gboolean
from_unix (NebulaVm *vm, const NebulaCell *cell, double scale, NebulaCell *ret)
{
  double usec = _nebula_cell_to_double (cell) * scale;
  gint64 exact;

  if (!(usec >= (double) FIRST_USEC && usec <= (double) LAST_USEC))
    return fail_range (vm);
  exact = cell->tag == NEBULA_CELL_INTEGER ? cell->as.integer * (gint64) scale
                                           : (gint64) usec;
  return _nebula_vm_give (vm, nebula_value_new_timestamp (exact, 0), ret);
}

static gboolean
call_from_unix (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return from_unix (vm, arguments, 1e6, ret);
}

static gboolean
call_from_unix_ms (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  return from_unix (vm, arguments, 1e3, ret);
}

static gboolean
call_is_leap_year (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  gint64 year = arguments[0].as.integer;

  *ret = _nebula_cell_boolean (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
  return TRUE;
}

static gboolean
call_duration (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  g_autoptr (GError) error = NULL;
  gint64 usec;
  Unit unit;

  if (count > 1) {
    if (arguments[0].tag != NEBULA_CELL_INTEGER)
      return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE, NULL,
                              _ ("The amount of a duration is an integer, not %s"),
                              _nebula_cell_to_words (arguments));
    if (!take_unit (vm, &arguments[1], &unit))
      return FALSE;
    if (unit_usecs[unit] == 0)
      return _nebula_vm_fail (
          vm, NEBULA_ERROR_INVALID_ARGUMENT,
          _ ("Use date_add () to move by the calendar."),
          _ ("Years and months are no durations: they differ in length"));
    if (__builtin_mul_overflow (arguments[0].as.integer, unit_usecs[unit], &usec))
      return fail_range (vm);
    return _nebula_vm_give (vm, nebula_value_new_duration (usec), ret);
  }
  if (_nebula_cell_is (arguments, NEBULA_VALUE_KIND_DURATION)) {
    *ret = arguments[0];
    ret->is_owned = FALSE;
    return TRUE;
  }
  if (!_nebula_cell_is (arguments, NEBULA_VALUE_KIND_STRING))
    return _nebula_vm_fail (vm, NEBULA_ERROR_TYPE,
                            _ ("Write \"90s\", or duration (90, \"seconds\")."),
                            _ ("A duration is text such as 1h30m, not %s"),
                            _nebula_cell_to_words (arguments));
  if (!nebula_duration_parse (_nebula_cell_get_string (arguments, NULL), &usec, &error))
    return _nebula_vm_fail (vm, NEBULA_ERROR_INVALID_DATA, NULL, "%s", error->message);
  return _nebula_vm_give (vm, nebula_value_new_duration (usec), ret);
}

static gboolean
call_in_units (NebulaVm *vm, NebulaCell *arguments, guint count, NebulaCell *ret)
{
  Unit unit;

  if (!_nebula_cell_is (arguments, NEBULA_VALUE_KIND_DURATION))
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_TYPE, _ ("Turn text into one with duration ()."),
        _ ("This takes a duration, not %s"), _nebula_cell_to_words (arguments));
  if (!take_unit (vm, &arguments[1], &unit))
    return FALSE;
  if (unit_usecs[unit] == 0)
    return _nebula_vm_fail (
        vm, NEBULA_ERROR_INVALID_ARGUMENT, NULL,
        _ ("Years and months are no durations: they differ in length"));
  return _nebula_vm_give_float (vm,
                                (double) nebula_value_get_usec (arguments[0].as.value) /
                                    (double) unit_usecs[unit],
                                ret);
}

/* clang-format off */
const NebulaFunction _nebula_functions_time[] = {
  { "date", "to_date", "ts", "D", "moment, zone?", N_("the day of a moment"), call_date, 1, 2 },
  { "date_add", "add_time plus_time", "tiss", "t", "moment, amount, unit, zone?", N_("the moment moved; days and longer by the calendar"), call_date_add, 3, 4 },
  { "date_diff", "diff_time", "tts", "i", "a, b, unit?", N_("whole units (days) from b to a"), call_date_diff, 2, 3 },
  { "date_subtract", "subtract_time minus_time", "tiss", "t", "moment, amount, unit, zone?", N_("the moment moved back"), call_date_subtract, 3, 4 },
  { "day", NULL, "ts", "i", "moment, zone?", N_("the day of the month"), call_day, 1, 2 },
  { "day_of_year", NULL, "ts", "i", "moment, zone?", N_("the day of the year, from 1"), call_day_of_year, 1, 2 },
  { "days_in_month", NULL, "ts", "i", "moment, zone?", N_("how many days its month has"), call_days_in_month, 1, 2 },
  { "duration", "to_duration", "vs", "d", "text or amount, unit?", N_("a duration: \"1h30m\", \"PT90M\", or 90, \"minutes\""), call_duration, 1, 2 },
  { "end_of", NULL, "tss", "t", "moment, unit, zone?", N_("the last microsecond of the unit that it is in"), call_end_of, 2, 3 },
  { "format_date", "date_format format_time", "tss", "s", "moment, format?, zone?", N_("text such as yyyy-MM-dd HH:mm"), call_format_date, 1, 3 },
  { "from_unix", NULL, "n", "t", "seconds", N_("the moment so many seconds after 1970"), call_from_unix, 1, 1 },
  { "from_unix_ms", "from_millis", "n", "t", "milliseconds", N_("the moment so many milliseconds after 1970"), call_from_unix_ms, 1, 1 },
  { "hour", NULL, "ts", "i", "moment, zone?", N_("the hour, 0 to 23"), call_hour, 1, 2 },
  { "in_units", "as_unit duration_in", "vs", "x", "duration, unit", N_("how many units a duration is, as a float"), call_in_units, 2, 2 },
  { "in_zone", "to_zone to_timezone", "ts", "t", "moment, zone", N_("the same moment with the clock of a zone"), call_timestamp, 2, 2 },
  { "is_leap_year", NULL, "i", "b", "year", N_("whether February has 29 days"), call_is_leap_year, 1, 1 },
  { "millisecond", NULL, "ts", "i", "moment, zone?", N_("the millisecond of the second"), call_millisecond, 1, 2 },
  { "minute", NULL, "ts", "i", "moment, zone?", N_("the minute of the hour"), call_minute, 1, 2 },
  { "month", NULL, "ts", "i", "moment, zone?", N_("the month, 1 to 12"), call_month, 1, 2 },
  { "now", NULL, "", "t", "", N_("the time at which the node became ready"), call_now, 0, 0, 0, NEBULA_FUNCTION_IMPURE },
  { "parse_date", NULL, "vss", "t", "text, format?, zone?", N_("the moment that a text in this format says"), call_parse_date, 1, 3 },
  { "second", NULL, "ts", "i", "moment, zone?", N_("the second of the minute"), call_second, 1, 2 },
  { "start_of", "begin_of", "tss", "t", "moment, unit, zone?", N_("the start of the unit that it is in; weeks begin on Monday"), call_start_of, 2, 3 },
  { "timestamp", "to_timestamp to_date_time date_time", "ts", "t", "moment, zone?", N_("a timestamp out of a date or text"), call_timestamp, 1, 2 },
  { "today", NULL, "", "D", "", N_("the day on which the node became ready"), call_today, 0, 0, 0, NEBULA_FUNCTION_IMPURE },
  { "unix", "to_unix", "ts", "i", "moment", N_("seconds since 1970"), call_unix, 1, 1 },
  { "unix_ms", "to_unix_ms to_millis", "ts", "i", "moment", N_("milliseconds since 1970"), call_unix_ms, 1, 1 },
  { "week", "week_of_year", "ts", "i", "moment, zone?", N_("the week of the year by ISO 8601"), call_week, 1, 2 },
  { "weekday", "day_of_week", "ts", "i", "moment, zone?", N_("the day of the week, Monday is 1"), call_weekday, 1, 2 },
  { "year", NULL, "ts", "i", "moment, zone?", N_("the year"), call_year, 1, 2 },
  { NULL },
};
/* clang-format on */
