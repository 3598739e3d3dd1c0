/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-duration.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"

#define DAY_USEC (24 * 3600 * (gint64) G_USEC_PER_SEC)

typedef struct
{
  const char *name;
  gint64 factor;
} Unit;

/* Longer names first where one begins with the other. */
static const Unit duration_units[] = {
  { "ms", 1000 },  { "us", 1 },         { "s", G_USEC_PER_SEC },   { "m", 60 * (gint64) G_USEC_PER_SEC },
  { "h", 3600 * (gint64) G_USEC_PER_SEC }, { "d", DAY_USEC }, { "w", 7 * DAY_USEC },
};

static const Unit size_units[] = {
  { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { "TiB", G_GINT64_CONSTANT (1) << 40 },
  { "kB", 1000 },     { "KB", 1000 },     { "MB", 1000000 },  { "GB", 1000000000 },
  { "TB", G_GINT64_CONSTANT (1000000000000) }, { "B", 1 },
};

/* Reads digits with an optional fraction, of which the first nine digits count. Moves *at behind them. */
static gboolean
read_amount (const char **at, guint64 *ret_whole, guint64 *ret_billionths)
{
  const char *text = *at;
  guint64 whole = 0, billionths = 0, weight = 100000000;

  if (!g_ascii_isdigit (*text))
    return FALSE;
  for (; g_ascii_isdigit (*text); text++)
    if (!g_uint64_checked_mul (&whole, whole, 10) || !g_uint64_checked_add (&whole, whole, (guint64) (*text - '0')))
      return FALSE;
  if (*text == '.') {
    text++;
    if (!g_ascii_isdigit (*text))
      return FALSE;
    for (; g_ascii_isdigit (*text); text++, weight /= 10)
      billionths += weight * (guint64) (*text - '0');
  }
  *at = text;
  *ret_whole = whole;
  *ret_billionths = billionths;
  return TRUE;
}

/* Adds amount × factor to *sum, which stays within 63 bits. */
static gboolean
add_amount (guint64 *sum, guint64 whole, guint64 billionths, gint64 factor)
{
  guint64 units = 0;
  /* Below 2^63 because factors stay under 2^43 and a thousandth is split off first. */
  guint64 part = billionths / 1000 * (guint64) factor / 1000000 + billionths % 1000 * (guint64) factor / 1000000000;

  return g_uint64_checked_mul (&units, whole, (guint64) factor) && g_uint64_checked_add (&units, units, part)
         && g_uint64_checked_add (sum, *sum, units) && *sum <= G_MAXINT64;
}

static const Unit *
find_unit (const char *text, const Unit *units, gsize n_units)
{
  for (gsize i = 0; i < n_units; i++)
    if (g_str_has_prefix (text, units[i].name))
      return &units[i];
  return NULL;
}

static gboolean
parse_units (const char *text, guint64 *ret_usec)
{
  guint64 sum = 0, whole = 0, billionths = 0;

  do {
    const Unit *unit = NULL;

    if (!read_amount (&text, &whole, &billionths))
      return FALSE;
    unit = find_unit (text, duration_units, G_N_ELEMENTS (duration_units));
    if (!unit || !add_amount (&sum, whole, billionths, unit->factor))
      return FALSE;
    text += strlen (unit->name);
  } while (*text);
  *ret_usec = sum;
  return TRUE;
}

static gint64
iso_factor (char letter, gboolean in_time)
{
  if (!in_time)
    return letter == 'D' ? DAY_USEC : letter == 'W' ? 7 * DAY_USEC : 0;
  return letter == 'H' ? 3600 * (gint64) G_USEC_PER_SEC
         : letter == 'M' ? 60 * (gint64) G_USEC_PER_SEC
         : letter == 'S' ? (gint64) G_USEC_PER_SEC
                         : 0;
}

/* `P` days or weeks, `T` hours, minutes, seconds: each once, in falling order. Years and months have no length. */
static gboolean
parse_iso (const char *text, guint64 *ret_usec)
{
  guint64 sum = 0, whole = 0, billionths = 0;
  gint64 last = G_MAXINT64;
  gboolean in_time = FALSE;

  for (text++; *text;) {
    gint64 factor = 0;

    if (*text == 'T' && !in_time) {
      in_time = TRUE;
      text++;
    }
    if (!read_amount (&text, &whole, &billionths))
      return FALSE;
    factor = iso_factor (*text, in_time);
    if (factor == 0 || factor >= last || !add_amount (&sum, whole, billionths, factor))
      return FALSE;
    last = factor;
    text++;
  }
  *ret_usec = sum;
  return last != G_MAXINT64;
}

/**
 * nebula_duration_parse:
 * @text: text such as `20ms`, `1h30m`, `1.5d` or `PT1H30M`
 * @ret_usec: (out): microseconds, never negative; untouched on failure
 * @error: where to put an error
 *
 * Reads a duration. A bare number is an error, because nobody could tell its unit.
 *
 * Errors: %NEBULA_ERROR_SYNTAX (terminal).
 *
 * Returns: whether it is one
 *
 * Since: 1.0
 */
gboolean
nebula_duration_parse (const char *text, gint64 *ret_usec, GError **error)
{
  guint64 usec = 0;
  g_autofree char *shown = NULL;

  g_return_val_if_fail (text != NULL && ret_usec != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (*text == 'P' ? parse_iso (text, &usec) : parse_units (text, &usec)) {
    *ret_usec = (gint64) usec;
    return TRUE;
  }
  shown = g_utf8_make_valid (text, (gssize) strnlen (text, 40));
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
               _ ("“%s” is not a duration; write a number with a unit (us, ms, s, m, h, d, w), such as 20ms or 1h30m."),
               shown);
  return FALSE;
}

static void
append_fraction (GString *text, guint64 usec)
{
  if (usec == 0)
    return;
  g_string_append_printf (text, ".%06" G_GUINT64_FORMAT, usec);
  while (text->str[text->len - 1] == '0')
    g_string_truncate (text, text->len - 1);
}

/**
 * nebula_duration_to_string:
 * @usec: microseconds
 *
 * Writes a duration in ISO 8601, such as `PT1H30M` or `-PT0.02S`.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_duration_to_string (gint64 usec)
{
  GString *text = g_string_new (usec < 0 ? "-P" : "P");
  guint64 left = usec < 0 ? 0 - (guint64) usec : (guint64) usec;
  guint64 days = left / (guint64) DAY_USEC;
  guint64 seconds = left / G_USEC_PER_SEC % 86400;

  left %= G_USEC_PER_SEC;
  if (days > 0)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT "D", days);
  if (seconds > 0 || left > 0 || days == 0)
    g_string_append_c (text, 'T');
  if (seconds >= 3600)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT "H", seconds / 3600);
  if (seconds / 60 % 60 > 0)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT "M", seconds / 60 % 60);
  if (seconds % 60 > 0 || left > 0 || (days == 0 && seconds == 0)) {
    g_string_append_printf (text, "%" G_GUINT64_FORMAT, seconds % 60);
    append_fraction (text, left);
    g_string_append_c (text, 'S');
  }
  return g_string_free (text, FALSE);
}

/**
 * nebula_size_parse:
 * @text: text such as `64MiB`, `10kB` or `4096`
 * @ret_bytes: (out): bytes; untouched on failure
 * @error: where to put an error
 *
 * Reads a size in bytes.
 *
 * Errors: %NEBULA_ERROR_SYNTAX (terminal).
 *
 * Returns: whether it is one
 *
 * Since: 1.0
 */
gboolean
nebula_size_parse (const char *text, guint64 *ret_bytes, GError **error)
{
  const char *at = text;
  guint64 sum = 0, whole = 0, billionths = 0;
  const Unit *unit = NULL;
  g_autofree char *shown = NULL;

  g_return_val_if_fail (text != NULL && ret_bytes != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (read_amount (&at, &whole, &billionths)) {
    static const Unit bytes = { "", 1 };

    unit = *at ? find_unit (at, size_units, G_N_ELEMENTS (size_units)) : &bytes;
  }
  if (unit && at[strlen (unit->name)] == '\0' && add_amount (&sum, whole, billionths, unit->factor)) {
    *ret_bytes = sum;
    return TRUE;
  }
  shown = g_utf8_make_valid (text, (gssize) strnlen (text, 40));
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
               _ ("“%s” is not a size; write a number of bytes or one with a unit, such as 64MiB or 10kB."), shown);
  return FALSE;
}

/* Days since 1970 of a day in the proleptic Gregorian calendar; years start in March so that leap days come last. */
static gint64
days_from_civil (gint64 year, gint64 month, gint64 day)
{
  gint64 era = 0, year_of_era = 0, day_of_year = 0;

  year -= month <= 2;
  era = (year >= 0 ? year : year - 399) / 400;
  year_of_era = year - era * 400;
  day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void
civil_from_days (gint64 days, gint64 *ret_year, int *ret_month, int *ret_day)
{
  gint64 era = 0, day_of_era = 0, year_of_era = 0, day_of_year = 0, month = 0;

  days += 719468;
  era = (days >= 0 ? days : days - 146096) / 146097;
  day_of_era = days - era * 146097;
  year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  month = (5 * day_of_year + 2) / 153;
  *ret_day = (int) (day_of_year - (153 * month + 2) / 5 + 1);
  *ret_month = (int) (month < 10 ? month + 3 : month - 9);
  *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* Exactly n digits. */
static gboolean
read_fixed (const char **at, int n_digits, int *ret_number)
{
  int number = 0;

  for (int i = 0; i < n_digits; i++) {
    if (!g_ascii_isdigit ((*at)[i]))
      return FALSE;
    number = number * 10 + (*at)[i] - '0';
  }
  *at += n_digits;
  *ret_number = number;
  return TRUE;
}

static gboolean
read_char (const char **at, const char *allowed)
{
  if (**at == '\0' || !strchr (allowed, **at))
    return FALSE;
  (*at)++;
  return TRUE;
}

static gboolean
read_date (const char **at, gint64 *ret_days)
{
  int year = 0, month = 0, day = 0;

  if (!read_fixed (at, 4, &year) || !read_char (at, "-") || !read_fixed (at, 2, &month) || !read_char (at, "-")
      || !read_fixed (at, 2, &day))
    return FALSE;
  if (year < 1 || month < 1 || month > 12 || day < 1
      || !g_date_valid_dmy ((GDateDay) day, (GDateMonth) month, (GDateYear) year))
    return FALSE;
  *ret_days = days_from_civil (year, month, day);
  return TRUE;
}

/* A leap second is the first of the next minute. */
static gboolean
read_clock (const char **at, gint64 *ret_usec)
{
  int hour = 0, minute = 0, second = 0;
  gint64 usec = 0, weight = 100000;

  if (!read_fixed (at, 2, &hour) || !read_char (at, ":") || !read_fixed (at, 2, &minute) || !read_char (at, ":")
      || !read_fixed (at, 2, &second) || hour > 23 || minute > 59 || second > 60)
    return FALSE;
  if (read_char (at, ".")) {
    if (!g_ascii_isdigit (**at))
      return FALSE;
    for (; g_ascii_isdigit (**at); (*at)++, weight /= 10)
      usec += weight * (**at - '0');
  }
  *ret_usec = ((gint64) hour * 3600 + minute * 60 + second) * G_USEC_PER_SEC + usec;
  return TRUE;
}

static gboolean
read_offset (const char **at, int *ret_seconds)
{
  int hours = 0, minutes = 0, sign = **at == '-' ? -1 : 1;

  if (read_char (at, "Zz")) {
    *ret_seconds = 0;
    return TRUE;
  }
  if (!read_char (at, "+-") || !read_fixed (at, 2, &hours) || !read_char (at, ":") || !read_fixed (at, 2, &minutes)
      || hours > 23 || minutes > 59)
    return FALSE;
  *ret_seconds = sign * (hours * 3600 + minutes * 60);
  return TRUE;
}

/**
 * nebula_timestamp_parse:
 * @text: RFC 3339 text, such as `2026-03-29T01:30:00+01:00`
 * @ret_unix_usec: (out): microseconds since 1970 in UTC; untouched on failure
 * @ret_offset_seconds: (out) (optional): the offset from UTC that it was written in
 * @error: where to put an error
 *
 * Reads a timestamp. It must have an offset or `Z`; finer digits than microseconds are dropped.
 *
 * Errors: %NEBULA_ERROR_SYNTAX (terminal).
 *
 * Returns: whether it is one
 *
 * Since: 1.0
 */
gboolean
nebula_timestamp_parse (const char *text, gint64 *ret_unix_usec, int *ret_offset_seconds, GError **error)
{
  const char *at = text;
  gint64 days = 0, usec = 0;
  int offset_seconds = 0;
  g_autofree char *shown = NULL;

  g_return_val_if_fail (text != NULL && ret_unix_usec != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (read_date (&at, &days) && read_char (&at, "Tt ") && read_clock (&at, &usec)
      && read_offset (&at, &offset_seconds) && *at == '\0') {
    *ret_unix_usec = days * DAY_USEC + usec - offset_seconds * (gint64) G_USEC_PER_SEC;
    if (ret_offset_seconds)
      *ret_offset_seconds = offset_seconds;
    return TRUE;
  }
  shown = g_utf8_make_valid (text, (gssize) strnlen (text, 40));
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
               _ ("“%s” is not a timestamp; write it like 2026-03-29T01:30:00Z."), shown);
  return FALSE;
}

/**
 * nebula_timestamp_to_string:
 * @unix_usec: microseconds since 1970 in UTC
 * @offset_seconds: the offset from UTC to write it in; seconds beyond whole minutes are dropped
 *
 * Writes a timestamp as RFC 3339, with `Z` for offset 0 and with as many digits of the second as it needs.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
nebula_timestamp_to_string (gint64 unix_usec, int offset_seconds)
{
  GString *text = g_string_sized_new (36);
  int minutes = CLAMP (offset_seconds / 60, -1439, 1439);
  gint64 days = unix_usec / DAY_USEC, left = unix_usec % DAY_USEC, year = 0;
  int month = 0, day = 0, seconds = 0;

  left += minutes * 60 * (gint64) G_USEC_PER_SEC;
  while (left < 0) {
    left += DAY_USEC;
    days--;
  }
  days += left / DAY_USEC;
  left %= DAY_USEC;
  civil_from_days (days, &year, &month, &day);
  seconds = (int) (left / G_USEC_PER_SEC);
  g_string_append_printf (text, "%04" G_GINT64_FORMAT "-%02d-%02dT%02d:%02d:%02d", year, month, day, seconds / 3600,
                          seconds / 60 % 60, seconds % 60);
  append_fraction (text, (guint64) (left % G_USEC_PER_SEC));
  if (minutes == 0)
    g_string_append_c (text, 'Z');
  else
    g_string_append_printf (text, "%c%02d:%02d", minutes < 0 ? '-' : '+', ABS (minutes) / 60, ABS (minutes) % 60);
  return g_string_free (text, FALSE);
}
