/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dates, times (RFC 3339) and durations (ISO 8601). */
#include <string.h>

#include "nebula-text-forms-internal.h"

/* @n digits as a number, and one step on; -1 if they are none. */
static int
read_digits (const char **at, guint n)
{
  int number = 0;

  for (guint i = 0; i < n; i++) {
    if (!g_ascii_isdigit ((*at)[i]))
      return -1;
    number = number * 10 + ((*at)[i] - '0');
  }
  *at += n;
  return number;
}

static gboolean
skip (const char **at, char character)
{
  if (**at != character)
    return FALSE;
  (*at)++;
  return TRUE;
}

static gboolean
read_date (const char **at)
{
  int year = read_digits (at, 4), month, day;

  if (year < 0 || !skip (at, '-'))
    return FALSE;
  month = read_digits (at, 2);
  if (month < 1 || month > 12 || !skip (at, '-'))
    return FALSE;
  day = read_digits (at, 2);
  /* GDate knows no year 0, which had a February of 29 days. */
  return day >= 1 && day <= g_date_get_days_in_month ((GDateMonth) month,
                                                      (GDateYear) (year ? year : 400));
}

/* Z or ±hh:mm, as minutes. */
static gboolean
read_offset (const char **at, int *ret_minutes)
{
  int sign, hours, minutes;

  *ret_minutes = 0;
  if (skip (at, 'Z') || skip (at, 'z'))
    return TRUE;
  if (**at != '+' && **at != '-')
    return FALSE;
  sign = *(*at)++ == '-' ? -1 : 1;
  hours = read_digits (at, 2);
  if (hours < 0 || hours > 23 || !skip (at, ':'))
    return FALSE;
  minutes = read_digits (at, 2);
  *ret_minutes = sign * (hours * 60 + minutes);
  return minutes >= 0 && minutes <= 59;
}

static gboolean
read_time (const char **at)
{
  int hours = read_digits (at, 2), minutes, seconds, offset;

  if (hours < 0 || hours > 23 || !skip (at, ':'))
    return FALSE;
  minutes = read_digits (at, 2);
  if (minutes < 0 || minutes > 59 || !skip (at, ':'))
    return FALSE;
  seconds = read_digits (at, 2);
  if (seconds < 0 || seconds > 60)
    return FALSE;
  if (skip (at, '.')) {
    gsize n = strspn (*at, "0123456789");

    if (n == 0)
      return FALSE;
    *at += n;
  }
  if (!read_offset (at, &offset))
    return FALSE;
  /* A leap second ends a day of UTC. */
  return seconds < 60 || (hours * 60 + minutes - offset + 2 * 1440) % 1440 == 1439;
}

gboolean
nebula_text_is_date (const char *text, gsize length)
{
  const char *at = text;

  return read_date (&at) && at == text + length;
}

gboolean
nebula_text_is_time (const char *text, gsize length)
{
  const char *at = text;

  return read_time (&at) && at == text + length;
}

gboolean
nebula_text_is_date_time (const char *text, gsize length)
{
  const char *at = text;

  return read_date (&at) && (skip (&at, 'T') || skip (&at, 't')) && read_time (&at) &&
         at == text + length;
}

/* Numbers, each with one of @units behind it, in that order; how many. */
static guint
skip_units (const char **at, const char *units)
{
  guint n = 0;

  while (g_ascii_isdigit (**at)) {
    const char *unit;

    *at += strspn (*at, "0123456789");
    unit = **at != '\0' ? strchr (units, **at) : NULL;
    if (!unit)
      return 0;
    units = unit + 1;
    (*at)++;
    n++;
  }
  return n;
}

/* P1Y2M3DT4H5M6S or P1W */
gboolean
nebula_text_is_duration (const char *text, gsize length)
{
  const char *at = text;
  guint n;

  if (!skip (&at, 'P'))
    return FALSE;
  n = skip_units (&at, "YMD");
  if (n == 0) {
    at = text + 1;
    if (skip_units (&at, "W") == 1)
      return at == text + length;
    at = text + 1;
  }
  if (skip (&at, 'T')) {
    if (skip_units (&at, "HMS") == 0)
      return FALSE;
    n++;
  }
  return n > 0 && at == text + length;
}
