/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The next time of a schedule.
 *
 * Days are tried one by one in local time. A day that the schedule names is laid over the stretches of constant offset
 * that the zone has around it:
 *
 *   UTC    ──────── stretch 1, +1 h ───────┤── stretch 2, +2 h ────────
 *   local  … 00:00 ─── 01:00 ─── 02:00 ┤ gap ├ 03:00 ─── 04:00 …         (or an overlap when the clock goes back)
 *
 * The rules for changes of the offset: hours that are “*” or stepped follow the time that passes. Inside an overlap they
 * come twice; inside a gap a stepped hour comes as if the clock had stayed, and “*” loses nothing, because another hour
 * comes at once. Fixed hours stand for a time of day: one inside
 * a gap fires right after it, and one inside an overlap fires the first time only.
 */
#include "nebula-cron.h"

#include "nebula-cron-private.h"
#include "nebula-time-zone.h"

#define DAY          86400
#define HORIZON_DAYS (40 * 366)
#define OFFSET_MOST  (16 * 3600) /* no zone is farther from UTC */
#define SAMPLE       1800 /* the zone is looked at so often: no two changes are closer */
#define STRETCHES    8

typedef struct {
  gint64 from; /* seconds, UTC */
  gint64 to;
  gint32 offset;
} Stretch;

typedef struct {
  const NebulaCron *cron;
  GTimeZone *zone;
  gint64 after; /* seconds, UTC: the first second that counts */
} Search;

G_DEFINE_BOXED_TYPE (NebulaCron, nebula_cron, nebula_cron_ref, nebula_cron_unref)

/* Days since 1970 of a civil date, and back; the calendar repeats every 400 years. */
static gint64
to_days (int year, int month, int day)
{
  gint64 y = year - (month <= 2);
  gint64 era = (y >= 0 ? y : y - 399) / 400;
  gint64 of_era = y - era * 400;
  gint64 of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
from_days (gint64 days, int *ret_year, int *ret_month, int *ret_day)
{
  gint64 shifted = days + 719468;
  gint64 era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  gint64 of_era = shifted - era * 146097;
  gint64 year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  gint64 of_year = of_era - (365 * year + year / 4 - year / 100);
  gint64 month = (5 * of_year + 2) / 153;

  *ret_day = (int) (of_year - (153 * month + 2) / 5 + 1);
  *ret_month = (int) (month < 10 ? month + 3 : month - 9);
  *ret_year = (int) (year + era * 400 + (*ret_month <= 2));
}

static int
get_weekday (gint64 days)
{
  return (int) (((days + 4) % 7 + 7) % 7);
}

static int
get_month_length (int year, int month)
{
  return (int) (to_days (month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
                to_days (year, month, 1));
}

static gboolean
has_bit (guint64 mask, int bit)
{
  return (mask >> bit) & 1;
}

/* The working day nearest to @day within the month. */
static int
get_working_day (int year, int month, int day, int length)
{
  int weekday = get_weekday (to_days (year, month, MIN (day, length)));

  if (day > length)
    return 0;
  if (weekday == 6)
    return day > 1 ? day - 1 : day + 2;
  if (weekday == 0)
    return day < length ? day + 1 : day - 2;
  return day;
}

static gboolean
has_working_day (const NebulaCron *self, int year, int month, int day, int length)
{
  int last = get_working_day (year, month, length, length);

  /* The last working day never lies in the next month, so a Sunday at the end steps back. */
  if (self->last_working_day && day == last)
    return TRUE;
  for (int wanted = 1; self->working_days != 0 && wanted <= 31; wanted++)
    if (has_bit (self->working_days, wanted) &&
        get_working_day (year, month, wanted, length) == day)
      return TRUE;
  return FALSE;
}

static gboolean
has_day_of_month (const NebulaCron *self, int year, int month, int day)
{
  int length = get_month_length (year, month);

  return has_bit (self->days, day) || has_bit (self->days_from_last, length - day) ||
         has_working_day (self, year, month, day, length);
}

static gboolean
has_day_of_week (const NebulaCron *self, int year, int month, int day)
{
  int weekday = get_weekday (to_days (year, month, day));

  return has_bit (self->weekdays, weekday) ||
         has_bit (self->nth_weekdays[(day + 6) / 7], weekday) ||
         (has_bit (self->last_weekdays, weekday) &&
          day + 7 > get_month_length (year, month));
}

gboolean
_nebula_cron_has_day (const NebulaCron *self, int year, int month, int day)
{
  if (!has_bit (self->months, month))
    return FALSE;
  if (self->has_days && self->has_weekdays)
    return has_day_of_month (self, year, month, day) ||
           has_day_of_week (self, year, month, day);
  return has_day_of_month (self, year, month, day) &&
         has_day_of_week (self, year, month, day);
}

/* The first second of an hour, counted in the day, that is named and not before @from; -1 for none. */
static int
find_in_hour (const NebulaCron *self, int hour, int from)
{
  for (int minute = 0; minute < 60; minute++) {
    int start = hour * 3600 + minute * 60;

    if (!has_bit (self->minutes, minute) || start + 60 <= from)
      continue;
    for (int second = MAX (0, from - start); second < 60; second++)
      if (has_bit (self->seconds, second))
        return start + second;
  }
  return -1;
}

/* The first second of the day in [@from, @to) that the schedule names; -1 for none. */
static int
find_second (const NebulaCron *self, int from, int to)
{
  for (int hour = from / 3600; hour < 24 && hour * 3600 < to; hour++) {
    int found = has_bit (self->hours, hour) ? find_in_hour (self, hour, from) : -1;

    if (found >= 0)
      return found < to ? found : -1;
  }
  return -1;
}

static gint32
get_offset (const Search *search, gint64 seconds)
{
  return g_time_zone_get_offset (
      search->zone,
      g_time_zone_find_interval (search->zone, G_TIME_TYPE_UNIVERSAL, seconds));
}

/* The first second in (@before, @at] with the offset that holds at @at. */
static gint64
find_change (const Search *search, gint64 before, gint64 at)
{
  gint32 offset = get_offset (search, at);

  while (at - before > 1) {
    gint64 middle = before + (at - before) / 2;

    if (get_offset (search, middle) == offset)
      at = middle;
    else
      before = middle;
  }
  return at;
}

/* The stretches that may hold times of the local day which begins at @local. */
static guint
list_stretches (const Search *search, gint64 local, Stretch *stretches)
{
  gint64 from = local - OFFSET_MOST, to = local + DAY + OFFSET_MOST;
  guint n = 1;

  stretches[0] = (Stretch){from, to, get_offset (search, from)};
  for (gint64 at = from + SAMPLE; at < to; at += SAMPLE) {
    gint64 change;

    if (get_offset (search, at) == stretches[n - 1].offset || n == STRETCHES)
      continue;
    change = find_change (search, at - SAMPLE, at);
    stretches[n - 1].to = change;
    stretches[n++] = (Stretch){change, to, get_offset (search, at)};
  }
  return n;
}

/* The first local time of the day in [@from, @to) that is named; G_MAXINT64 for none. All are seconds. */
static gint64
find_local (const Search *search, gint64 local, gint64 from, gint64 to)
{
  int second;

  from = MAX (from - local, 0);
  to = MIN (to - local, DAY);
  if (from >= to)
    return G_MAXINT64;
  second = find_second (search->cron, (int) from, (int) to);
  return second < 0 ? G_MAXINT64 : local + second;
}

/* What lies in the gap between two stretches: fixed hours fire right behind it, stepped ones as if the clock had stayed. */
static gint64
search_gap (const Search *search,
            const Stretch *before,
            const Stretch *stretch,
            gint64 local)
{
  gint64 from = before->to + before->offset, to = stretch->from + stretch->offset;
  gint64 found;

  if (search->cron->is_every_hour)
    return G_MAXINT64;
  if (search->cron->is_wild) {
    from = MAX (from, search->after + before->offset);
    found = find_local (search, local, from, to);
    return found == G_MAXINT64 ? found : found - before->offset;
  }
  found = find_local (search, local, from, to);
  return found == G_MAXINT64 || stretch->from < search->after ? G_MAXINT64
                                                              : stretch->from;
}

/* The first time in one stretch, as seconds of UTC. @seen: local times up to here were there already. */
static gint64
search_stretch (const Search *search, const Stretch *stretch, gint64 local, gint64 seen)
{
  gint64 from = MAX (stretch->from, search->after) + stretch->offset;
  gint64 found;

  if (!search->cron->is_wild)
    from = MAX (from, seen);
  found = find_local (search, local, from, stretch->to + stretch->offset);
  return found == G_MAXINT64 ? found : found - stretch->offset;
}

static gint64
search_day (const Search *search, gint64 day)
{
  Stretch stretches[STRETCHES];
  gint64 local = day * DAY;
  guint n = list_stretches (search, local, stretches);
  gint64 seen = stretches[0].from + stretches[0].offset;

  for (guint i = 0; i < n; i++) {
    gint64 found = search_stretch (search, &stretches[i], local, seen);

    if (i > 0)
      found = MIN (found, search_gap (search, &stretches[i - 1], &stretches[i], local));
    if (found != G_MAXINT64)
      return found;
    seen = MAX (seen, stretches[i].to + stretches[i].offset);
  }
  return G_MAXINT64;
}

static gint64
divide_down (gint64 number, gint64 by)
{
  return number / by - (number % by < 0);
}

/**
 * nebula_cron_new:
 * @text: a schedule
 * @error: where to put an error
 *
 * Reads a schedule: five fields (minute, hour, day of month, month, day of week) or six with seconds in front, each `*`,
 * a value, a range, a step or a list of these, with names, `L`, `W` and `#`; or `@daily` and its like, or `@every 5m`.
 *
 * Errors, all terminal: %NEBULA_ERROR_SYNTAX; %NEBULA_ERROR_INVALID_DATA for a day that never comes or an interval below
 * one second; %NEBULA_ERROR_TOO_LARGE above 1,000 bytes.
 *
 * Returns: (transfer full): the schedule
 *
 * Since: 1.0
 */
NebulaCron *
nebula_cron_new (const char *text, GError **error)
{
  g_autoptr (NebulaCron) self = NULL;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_new0 (NebulaCron, 1);
  g_atomic_ref_count_init (&self->references);
  self->text = g_strdup (text);
  return _nebula_cron_read (self, text, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * nebula_cron_ref:
 * @self: a schedule
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaCron *
nebula_cron_ref (NebulaCron *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_cron_unref:
 * @self: (transfer full): a schedule
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_cron_unref (NebulaCron *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_free (self->text);
  g_free (self);
}

/**
 * nebula_cron_get_text:
 * @self: a schedule
 *
 * Gives the text that it was made of.
 *
 * Returns: (transfer none): the text
 *
 * Since: 1.0
 */
const char *
nebula_cron_get_text (NebulaCron *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->text;
}

/* G_MAXINT64: none up to @most. */
static gint64
get_next_multiple (gint64 every_usec, gint64 after_usec, gint64 most)
{
  gint64 next = every_usec > most ? G_MAXINT64 : (divide_down (after_usec, every_usec) + 1) * every_usec;

  return next > most ? G_MAXINT64 : next;
}

/**
 * nebula_cron_get_next_usec:
 * @self: a schedule
 * @zone: the zone whose clock counts
 * @after_usec: an instant, microseconds since 1970
 *
 * Finds the first time after an instant. Hours that are `*` or stepped follow the time that passes through changes of
 * the zone: what the clock repeats comes twice, and a stepped hour that it leaves out comes as if it had not. A fixed hour that is left out fires right after the
 * change, and one that is repeated fires the first time only. `@every` counts from 1970.
 *
 * Returns: microseconds since 1970; %G_MAXINT64 if there is no time within 40 years
 *
 * Since: 1.0
 */
gint64
nebula_cron_get_next_usec (NebulaCron *self, GTimeZone *zone, gint64 after_usec)
{
  const gint64 most = G_MAXINT64 / 4;
  Search search = {self, zone, 0};
  gint64 first;

  g_return_val_if_fail (self != NULL, G_MAXINT64);
  g_return_val_if_fail (zone != NULL, G_MAXINT64);

  after_usec = CLAMP (after_usec, -most, most);
  if (self->every_usec > 0)
    return get_next_multiple (self->every_usec, after_usec, most);
  search.after = divide_down (after_usec, G_USEC_PER_SEC) + 1;
  /* One day early: a gap can swallow a whole day, and what lay in it fires on the next. */
  first = divide_down (search.after + get_offset (&search, search.after), DAY) - 1;
  for (gint64 day = first; day < first + HORIZON_DAYS; day++) {
    int year, month, day_of_month;
    gint64 found;

    from_days (day, &year, &month, &day_of_month);
    if (!_nebula_cron_has_day (self, year, month, day_of_month))
      continue;
    found = search_day (&search, day);
    if (found != G_MAXINT64)
      return found * G_USEC_PER_SEC;
  }
  return G_MAXINT64;
}
