/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing and reading moments by a format, in English whatever the language of the process is. Letters mean: yyyy yy
 * MMMM MMM MM M dd d EEEE EEE HH H hh h mm m ss s SSS a (am, pm) ZZ (+01:00) ZZZ (+0100) Z (Z or +01:00) X (seconds
 * since 1970) x (milliseconds); YYYY, YY, DD and D are taken too. Text in single quotes and all that is no letter stands
 * for itself. A format with a percent sign is read as that of strftime: %Y-%m-%d %H:%M:%S and so on.
 */

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-moment-private.h"

static const char *const month_names[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

typedef struct {
  char letter; /* of strftime */
  const char *token;
} Directive;

static const Directive directives[] = {
    {'Y', "yyyy"},     {'y', "yy"},   {'m', "MM"},  {'d', "dd"},  {'H', "HH"},
    {'I', "hh"},       {'M', "mm"},   {'S', "ss"},  {'p', "a"},   {'B', "MMMM"},
    {'b', "MMM"},      {'A', "EEEE"}, {'a', "EEE"}, {'z', "ZZZ"}, {'F', "yyyy-MM-dd"},
    {'T', "HH:mm:ss"}, {'e', "d"},    {'s', "X"},   {'f', "SSS"}, {'R', "HH:mm"},
};

/* strftime's directives in our letters. */
static char *
convert_format (const char *format)
{
  GString *result = g_string_new (NULL);

  for (const char *p = format; *p != '\0'; p++) {
    const char *token = NULL;

    if (*p != '%') {
      g_string_append_printf (result, g_ascii_isalpha (*p) ? "'%c'" : "%c", *p);
      continue;
    }
    p++;
    for (guint i = 0; i < G_N_ELEMENTS (directives); i++)
      if (directives[i].letter == *p)
        token = directives[i].token;
    g_string_append (result, token != NULL ? token : "");
    if (*p == '%')
      g_string_append_c (result, '%');
    if (*p == '\0')
      break;
  }
  return g_string_free (result, FALSE);
}

static void
append_offset (GString *text, GDateTime *moment, const char *separator)
{
  gint64 minutes = g_date_time_get_utc_offset (moment) / G_TIME_SPAN_MINUTE;
  guint size = (guint) ABS (minutes);

  g_string_append_printf (text, "%c%02u%s%02u", minutes < 0 ? '-' : '+', size / 60,
                          separator, size % 60);
}

static void
append_hours (GString *text, GDateTime *moment, guint length)
{
  int hour = g_date_time_get_hour (moment) % 12;

  g_string_append_printf (text, length > 1 ? "%02d" : "%d", hour == 0 ? 12 : hour);
}

static void
append_name (GString *text, const char *name, guint length)
{
  g_string_append_len (text, name, length > 3 ? (gssize) strlen (name) : 3);
}

static void
append_number (GString *text, int number, guint length)
{
  g_string_append_printf (text, "%0*d", (int) MIN (length, 4), number);
}

static void
append_zone (GString *text, GDateTime *moment, guint length)
{
  if (length == 1 && g_date_time_get_utc_offset (moment) == 0)
    g_string_append_c (text, 'Z');
  else
    append_offset (text, moment, length == 3 ? "" : ":");
}

static void
append_clock (GString *text, GDateTime *moment, char letter, guint length)
{
  if (letter == 'H')
    append_number (text, g_date_time_get_hour (moment), length);
  else if (letter == 'h')
    append_hours (text, moment, length);
  else if (letter == 'm')
    append_number (text, g_date_time_get_minute (moment), length);
  else if (letter == 's')
    append_number (text, g_date_time_get_second (moment), length);
  else if (letter == 'S')
    append_number (text, g_date_time_get_microsecond (moment) / 1000, MAX (length, 3));
  else if (letter == 'a')
    g_string_append (text, g_date_time_get_hour (moment) < 12 ? "AM" : "PM");
  else if (letter == 'Z')
    append_zone (text, moment, length);
  else if (letter == 'X')
    g_string_append_printf (text, "%" G_GINT64_FORMAT, g_date_time_to_unix (moment));
  else
    g_string_append_printf (text, "%" G_GINT64_FORMAT,
                            _nebula_moment_get_usec (moment) / 1000);
}

static void
append_token (GString *text, GDateTime *moment, char letter, guint length)
{
  if ((letter == 'y' || letter == 'Y') && length == 2)
    append_number (text, g_date_time_get_year (moment) % 100, 2);
  else if (letter == 'y' || letter == 'Y')
    append_number (text, g_date_time_get_year (moment), length);
  else if (letter == 'M' && length > 2)
    append_name (text, month_names[g_date_time_get_month (moment) - 1], length);
  else if (letter == 'M')
    append_number (text, g_date_time_get_month (moment), length);
  else if ((letter == 'E' || letter == 'd') && (letter == 'E' || length > 2))
    append_name (text, day_names[g_date_time_get_day_of_week (moment) - 1], length);
  else if (letter == 'd' || letter == 'D')
    append_number (text, g_date_time_get_day_of_month (moment), length);
  else
    append_clock (text, moment, letter, length);
}

/* Text in quotes; two quotes stand for one. Gives what follows. */
static const char *
append_quoted (GString *text, const char *p)
{
  for (p++; *p != '\0'; p++) {
    if (*p == '\'' && p[1] != '\'')
      return p + 1;
    if (*p == '\'')
      p++;
    g_string_append_c (text, *p);
  }
  return p;
}

static guint
count_run (const char *p)
{
  guint length = 1;

  while (p[length] == *p)
    length++;
  return length;
}

static gboolean
is_letter (char character)
{
  return character != '\0' && strchr ("yYMdDEHhmsSaZXx", character) != NULL;
}

char *
_nebula_moment_format (GDateTime *moment, const char *format)
{
  g_autofree char *converted =
      strchr (format, '%') != NULL ? convert_format (format) : NULL;
  GString *text = g_string_new (NULL);
  const char *p = converted != NULL ? converted : format;

  while (*p != '\0') {
    if (*p == '\'') {
      p = append_quoted (text, p);
    } else if (is_letter (*p)) {
      guint length = count_run (p);

      append_token (text, moment, *p, length);
      p += length;
    } else {
      g_string_append_c (text, *p++);
    }
  }
  return g_string_free (text, FALSE);
}

typedef struct {
  const char *text; /* what is left */
  int year, month, day, hour, minute, second, usec;
  gboolean is_afternoon, has_half;
  gboolean has_offset;
  int offset; /* seconds */
  gboolean has_unix;
  gint64 unix_usec;
} Reading;

static gboolean
read_digits (Reading *self, guint least, guint most, int *ret)
{
  guint count = 0;
  int number = 0;

  while (count < most && g_ascii_isdigit (self->text[count]))
    number = number * 10 + (self->text[count++] - '0');
  self->text += count;
  *ret = number;
  return count >= least;
}

static gboolean
read_name (Reading *self, const char *const *names, guint count, guint length, int *ret)
{
  for (guint i = 0; i < count; i++) {
    gsize size = length > 3 ? strlen (names[i]) : 3;

    if (g_ascii_strncasecmp (self->text, names[i], size) != 0)
      continue;
    self->text += size;
    *ret = (int) i + 1;
    return TRUE;
  }
  return FALSE;
}

static gboolean
read_offset (Reading *self)
{
  int hours, minutes, sign = *self->text == '-' ? -1 : 1;

  self->has_offset = TRUE;
  if (*self->text == 'Z') {
    self->text++;
    return TRUE;
  }
  if (*self->text != '+' && *self->text != '-')
    return FALSE;
  self->text++;
  if (!read_digits (self, 2, 2, &hours))
    return FALSE;
  if (*self->text == ':')
    self->text++;
  if (!read_digits (self, 2, 2, &minutes) || hours > 23 || minutes > 59)
    return FALSE;
  self->offset = sign * (hours * 3600 + minutes * 60);
  return TRUE;
}

static gboolean
read_unix (Reading *self, gint64 scale)
{
  char *end;
  gint64 number = g_ascii_strtoll (self->text, &end, 10);

  if (end == self->text || __builtin_mul_overflow (number, scale, &self->unix_usec))
    return FALSE;
  self->text = end;
  self->has_unix = TRUE;
  return TRUE;
}

static gboolean
read_half (Reading *self)
{
  char letter = g_ascii_tolower (*self->text);

  if ((letter != 'a' && letter != 'p') || g_ascii_tolower (self->text[1]) != 'm')
    return FALSE;
  self->has_half = TRUE;
  self->is_afternoon = letter == 'p';
  self->text += 2;
  return TRUE;
}

static gboolean
read_year (Reading *self, guint length)
{
  if (!read_digits (self, length == 2 ? 2 : 1, length == 2 ? 2 : 4, &self->year))
    return FALSE;
  if (length == 2)
    self->year += self->year < 70 ? 2000 : 1900;
  return TRUE;
}

static gboolean
read_fraction (Reading *self)
{
  int scale = 100000;

  if (!g_ascii_isdigit (*self->text))
    return FALSE;
  for (; g_ascii_isdigit (*self->text); self->text++, scale /= 10)
    self->usec += (*self->text - '0') * scale;
  return TRUE;
}

static gboolean
read_token (Reading *self, char letter, guint length)
{
  guint least = length > 1 ? 2 : 1;
  int ignored;

  if (letter == 'y' || letter == 'Y')
    return read_year (self, length);
  if (letter == 'M' && length > 2)
    return read_name (self, month_names, 12, length, &self->month);
  if (letter == 'M')
    return read_digits (self, least, 2, &self->month);
  if (letter == 'E' || (letter == 'd' && length > 2))
    return read_name (self, day_names, 7, length, &ignored);
  if (letter == 'd' || letter == 'D')
    return read_digits (self, least, 2, &self->day);
  if (letter == 'H' || letter == 'h')
    return read_digits (self, least, 2, &self->hour);
  if (letter == 'm')
    return read_digits (self, least, 2, &self->minute);
  if (letter == 's')
    return read_digits (self, least, 2, &self->second);
  if (letter == 'S')
    return read_fraction (self);
  if (letter == 'a')
    return read_half (self);
  if (letter == 'Z')
    return read_offset (self);
  return read_unix (self, letter == 'X' ? G_USEC_PER_SEC : 1000);
}

static gboolean
read_literal (Reading *self, const char *text)
{
  if (!g_str_has_prefix (self->text, text))
    return FALSE;
  self->text += strlen (text);
  return TRUE;
}

static gboolean
read_format (Reading *self, const char *p)
{
  while (*p != '\0') {
    if (is_letter (*p)) {
      guint length = count_run (p);

      if (!read_token (self, *p, length))
        return FALSE;
      p += length;
    } else {
      g_autoptr (GString) literal = g_string_new (NULL);

      if (*p == '\'')
        p = append_quoted (literal, p);
      else
        g_string_append_c (literal, *p++);
      if (!read_literal (self, literal->str))
        return FALSE;
    }
  }
  return *self->text == '\0';
}

GDateTime *
_nebula_moment_parse (NebulaVm *vm, const char *text, const char *format, GTimeZone *zone)
{
  g_autofree char *converted =
      strchr (format, '%') != NULL ? convert_format (format) : NULL;
  Reading reading = {.text = text, .year = 1970, .month = 1, .day = 1};
  g_autoptr (GTimeZone) offset = NULL;
  GDateTime *moment = NULL;

  if (read_format (&reading, converted != NULL ? converted : format)) {
    if (reading.has_half)
      reading.hour = reading.hour % 12 + (reading.is_afternoon ? 12 : 0);
    if (reading.has_offset)
      offset = g_time_zone_new_offset (reading.offset);
    if (reading.has_unix) {
      g_autoptr (GDateTime) epoch = g_date_time_new_from_unix_utc (0);

      moment = g_date_time_add (epoch, reading.unix_usec);
    } else {
      moment = g_date_time_new (offset != NULL ? offset : zone, reading.year,
                                reading.month, reading.day, reading.hour, reading.minute,
                                reading.second + reading.usec / 1e6);
    }
  }
  if (moment == NULL)
    _nebula_vm_fail (
        vm, NEBULA_ERROR_INVALID_DATA,
        _ ("Letters are yyyy MM dd HH mm ss; other text goes in single quotes."),
        _ ("The text “%s” is not a time in the format “%s”"), text, format);
  return moment;
}
