/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-cron-private.h"
#include "nebula-duration.h"
#include "nebula-error.h"

#define TEXT_BYTES 1000

typedef struct {
  const char *title; /* for messages */
  guint least;
  guint most;
  const char *const *names; /* from least on */
} Field;

static const char *const months[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                     "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const weekdays[] = {"SUN", "MON", "TUE", "WED",
                                       "THU", "FRI", "SAT", NULL};

enum {
  SECOND,
  MINUTE,
  HOUR,
  DAY,
  MONTH,
  WEEKDAY,
};

static const Field fields[] = {
    {N_ ("seconds"), 0, 59, NULL},  {N_ ("minutes"), 0, 59, NULL},
    {N_ ("hours"), 0, 23, NULL},    {N_ ("days"), 1, 31, NULL},
    {N_ ("months"), 1, 12, months}, {N_ ("weekdays"), 0, 7, weekdays},
};

static const struct {
  const char *name;
  const char *fields;
} nicknames[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

typedef struct {
  NebulaCron *self;
  guint index; /* of the field */
  GError **error;
} Reader;

static gboolean
refuse (Reader *self, const char *part, const char *why)
{
  g_set_error (
      self->error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
      /* TRANSLATORS: a part such as “1-70”, the name of a field such as “minutes”, why */
      _ ("“%s” is no good for the %s of a schedule: %s."), part,
      _ (fields[self->index].title), why);
  return FALSE;
}

/* A number or name; moves on. */
static gboolean
read_value (Reader *self, const char **at, guint *ret)
{
  const Field *field = &fields[self->index];
  guint n = 0;

  for (guint i = 0; field->names && field->names[i]; i++) {
    if (g_ascii_strncasecmp (*at, field->names[i], 3) != 0 || g_ascii_isalnum ((*at)[3]))
      continue;
    *ret = field->least + i;
    *at += 3;
    return TRUE;
  }
  *ret = 0;
  for (; g_ascii_isdigit (**at) && n < 4; n++)
    *ret = *ret * 10 + (guint) (*(*at)++ - '0');
  return n > 0 && n < 4 && *ret >= field->least && *ret <= field->most;
}

static guint64 *
get_mask (Reader *self)
{
  NebulaCron *cron = self->self;

  switch (self->index) {
  case SECOND:
    return &cron->seconds;
  case MINUTE:
    return &cron->minutes;
  case HOUR:
    return &cron->hours;
  case DAY:
    return &cron->days;
  case MONTH:
    return &cron->months;
  default:
    return &cron->weekdays;
  }
}

static void
add_range (Reader *self, guint first, guint last, guint step)
{
  guint64 *mask = get_mask (self);

  for (guint value = first; value <= last; value += step)
    *mask |= G_GUINT64_CONSTANT (1) << (self->index == WEEKDAY ? value % 7 : value);
}

/* L, L-3, LW */
static gboolean
read_last (Reader *self, const char *part)
{
  NebulaCron *cron = self->self;
  guint64 before = 0;

  if (g_ascii_strcasecmp (part, "LW") == 0) {
    cron->last_working_day = TRUE;
    return TRUE;
  }
  if (part[1] == '-' && !g_ascii_string_to_unsigned (part + 2, 10, 1, 30, &before, NULL))
    return refuse (self, part, _ ("behind “L-” stands a number from 1 to 30"));
  if (part[1] != '\0' && part[1] != '-')
    return refuse (self, part, _ ("it must be L, L-3 or LW"));
  cron->days_from_last |= G_GUINT64_CONSTANT (1) << before;
  return TRUE;
}

/* What may follow a single value: 15W, 5L, 5#2. TRUE with *ret_is_done if it was one of them. */
static gboolean
read_suffix (Reader *self,
             const char *part,
             const char *at,
             guint value,
             gboolean *ret_is_done)
{
  NebulaCron *cron = self->self;
  char letter = g_ascii_toupper (*at);

  *ret_is_done = TRUE;
  if (self->index == DAY && letter == 'W' && at[1] == '\0')
    cron->working_days |= G_GUINT64_CONSTANT (1) << value;
  else if (self->index == WEEKDAY && letter == 'L' && at[1] == '\0')
    cron->last_weekdays |= G_GUINT64_CONSTANT (1) << (value % 7);
  else if (self->index == WEEKDAY && *at == '#' && at[1] >= '1' && at[1] <= '5' &&
           at[2] == '\0')
    cron->nth_weekdays[at[1] - '0'] |= G_GUINT64_CONSTANT (1) << (value % 7);
  else if (self->index == WEEKDAY && *at == '#')
    return refuse (self, part, _ ("behind “#” stands a number from 1 to 5"));
  else
    *ret_is_done = FALSE;
  return TRUE;
}

/* Behind “/”, or nothing. */
static gboolean
read_step (Reader *self, const char *part, const char *at, guint *ret_step)
{
  guint64 step = 1;

  if (*at == '/' && !g_ascii_string_to_unsigned (at + 1, 10, 1, 9999, &step, NULL))
    return refuse (self, part, _ ("behind “/” stands a number from 1"));
  if (*at != '/' && *at != '\0')
    return refuse (self, part, _ ("something follows that is not understood"));
  *ret_step = (guint) step;
  return TRUE;
}

static gboolean
read_part (Reader *self, const char *part)
{
  const Field *field = &fields[self->index];
  const char *at = part;
  guint first = field->least, last = field->most, step = 1;
  gboolean is_done = FALSE;

  if (self->index == DAY && g_ascii_toupper (*part) == 'L')
    return read_last (self, part);
  if (*at == '*' || *at == '?') {
    at++;
    last = self->index == WEEKDAY ? 6 : last;
  } else {
    if (!read_value (self, &at, &first))
      return refuse (self, part, _ ("that is no value of it"));
    if (!read_suffix (self, part, at, first, &is_done) || is_done)
      return is_done && (self->error == NULL || *self->error == NULL);
    if (*at == '-') {
      at++;
      if (!read_value (self, &at, &last))
        return refuse (self, part, _ ("the range ends with no value of it"));
    } else if (*at != '/') {
      last = first;
    }
    if (last < first)
      return refuse (self, part, _ ("the range goes backwards"));
  }
  if (!read_step (self, part, at, &step))
    return FALSE;
  add_range (self, first, last, step);
  return TRUE;
}

static gboolean
read_field (Reader *self, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  gboolean is_free = *text == '*' || *text == '?';

  for (guint i = 0; parts[i]; i++)
    if (!read_part (self, parts[i]))
      return FALSE;
  if (self->index == DAY)
    self->self->has_days = !is_free;
  else if (self->index == WEEKDAY)
    self->self->has_weekdays = !is_free;
  else if (self->index == HOUR) {
    self->self->is_every_hour = is_free && text[1] == '\0';
    self->self->is_wild = is_free || strchr (text, '/') != NULL;
  }
  return TRUE;
}

static gboolean
read_every (NebulaCron *self, const char *text, GError **error)
{
  gint64 usec;

  if (!nebula_duration_parse (text, &usec, error))
    return FALSE;
  if (usec < G_USEC_PER_SEC) {
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
                         _ ("A schedule repeats once a second at most; write @every 1s "
                            "or more."));
    return FALSE;
  }
  self->every_usec = usec;
  return TRUE;
}

static gboolean
can_fire_in (const NebulaCron *self, int year, int month)
{
  int length = g_date_get_days_in_month ((GDateMonth) month, (GDateYear) year);

  for (int day = 1; day <= length; day++)
    if (_nebula_cron_has_day (self, year, month, day))
      return TRUE;
  return FALSE;
}

/* Whether any year has a day that the schedule names: 30 February has none. The calendar of weeks repeats in 28 years. */
static gboolean
can_fire (const NebulaCron *self)
{
  for (int year = 2000; year < 2028; year++)
    for (int month = 1; month <= 12; month++)
      if (can_fire_in (self, year, month))
        return TRUE;
  return FALSE;
}

static gboolean
read_fields (NebulaCron *self, const char *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t", -1);
  guint n = 0, first;

  for (guint i = 0; words[i]; i++)
    n += words[i][0] != '\0';
  if (n != 5 && n != 6) {
    g_set_error (
        error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
        _ ("A schedule has five fields (minute, hour, day, month, weekday), or six "
           "with seconds in front; “%s” has %u."),
        text, n);
    return FALSE;
  }
  first = n == 6 ? SECOND : MINUTE;
  self->seconds = n == 6 ? 0 : 1;
  for (guint i = 0, index = first; words[i]; i++) {
    if (words[i][0] == '\0')
      continue;
    if (!read_field (&(Reader){self, index++, error}, words[i]))
      return FALSE;
  }
  if (can_fire (self))
    return TRUE;
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_DATA,
               _ ("“%s” names a day that never comes."), text);
  return FALSE;
}

gboolean
_nebula_cron_read (NebulaCron *self, const char *text, GError **error)
{
  if (strlen (text) > TEXT_BYTES || !g_utf8_validate (text, -1, NULL)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_TOO_LARGE,
                 _ ("A schedule is a text of at most %d bytes."), TEXT_BYTES);
    return FALSE;
  }
  if (g_str_has_prefix (text, "@every "))
    return read_every (self, text + strlen ("@every "), error);
  for (guint i = 0; i < G_N_ELEMENTS (nicknames); i++)
    if (strcmp (text, nicknames[i].name) == 0)
      return read_fields (self, nicknames[i].fields, error);
  if (*text != '@')
    return read_fields (self, text, error);
  g_set_error (
      error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
      _ ("There is no schedule “%s”; there are @yearly, @monthly, @weekly, @daily, "
         "@hourly and @every with a duration."),
      text);
  return FALSE;
}
