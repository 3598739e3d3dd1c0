/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   interval = [ "R" [count] "/" ] ( start "/" end | start "/" period | period "/" end )
 *   period   = P1Y2M3DT4H5M6S or P1W; months and years are those of the calendar, so 31 January and P1M is 29 February
 *
 * Start and end are RFC 3339 with an offset. The nth repetition adds the period n times to the first start, so that months
 * keep their day.
 */
#include "nebula-interval.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-duration.h"
#include "nebula-error.h"

#define MOST_COUNT 1000000

typedef struct {
  gint64 months;
  gint64 days;
  gint64 usec;
} Period;

struct _NebulaInterval {
  gatomicrefcount references;
  gint64 start_usec;
  gint64 end_usec;
  int offset_seconds; /* of the start: its calendar counts months */
  gint64 repeats;
  Period period;
};

G_DEFINE_BOXED_TYPE (NebulaInterval,
                     nebula_interval,
                     nebula_interval_ref,
                     nebula_interval_unref)

static gboolean
refuse (GError **error, const char *text)
{
  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_SYNTAX,
               _ ("“%s” is not an interval; write it like 2024-01-31T08:00:00Z/PT1H."),
               text);
  return FALSE;
}

/* One number and its unit. */
static gboolean
add_unit (Period *self, guint64 number, char unit, gboolean is_time)
{
  const gint64 second = G_USEC_PER_SEC;

  if (number > MOST_COUNT)
    return FALSE;
  if (is_time && (unit == 'H' || unit == 'M' || unit == 'S'))
    self->usec += (gint64) number * (unit == 'H' ? 3600 : unit == 'M' ? 60 : 1) * second;
  else if (!is_time && (unit == 'Y' || unit == 'M'))
    self->months += (gint64) number * (unit == 'Y' ? 12 : 1);
  else if (!is_time && (unit == 'W' || unit == 'D'))
    self->days += (gint64) number * (unit == 'W' ? 7 : 1);
  else
    return FALSE;
  return TRUE;
}

static gboolean
read_period (const char *text, Period *ret)
{
  gboolean is_time = FALSE;
  const char *order = "YMWD";
  guint n = 0;

  *ret = (Period){0, 0, 0};
  for (const char *at = text + 1; *at != '\0'; n++) {
    char *end = NULL;
    const char *place;
    guint64 number;

    if (*at == 'T' && !is_time) {
      is_time = TRUE;
      order = "HMS";
      at++;
    }
    if (!g_ascii_isdigit (*at))
      return FALSE;
    number = g_ascii_strtoull (at, &end, 10);
    place = *end != '\0' ? strchr (order, *end) : NULL;
    if (!place || !add_unit (ret, number, *end, is_time))
      return FALSE;
    order = place + 1;
    at = end + 1;
  }
  return n > 0;
}

/* @start with the period @times added by the calendar; FALSE outside of the years 1 to 9999. */
static gboolean
add_period (gint64 start_usec,
            int offset_seconds,
            const Period *period,
            gint64 times,
            gint64 *ret_usec)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_offset (offset_seconds);
  gint64 seconds = start_usec / G_USEC_PER_SEC, rest = start_usec % G_USEC_PER_SEC;
  g_autoptr (GDateTime) utc =
      g_date_time_new_from_unix_utc (rest < 0 ? seconds - 1 : seconds);
  g_autoptr (GDateTime) local = utc ? g_date_time_to_timezone (utc, zone) : NULL;
  g_autoptr (GDateTime) moved = NULL;
  g_autoptr (GDateTime) added = NULL;
  gint64 months, days, usec;

  if (!local || __builtin_mul_overflow (period->months, times, &months) ||
      __builtin_mul_overflow (period->days, times, &days) ||
      __builtin_mul_overflow (period->usec, times, &usec) || ABS (months) > 120000 ||
      ABS (days) > 3700000)
    return FALSE;
  moved = g_date_time_add_months (local, (int) months);
  added = moved ? g_date_time_add_days (moved, (int) days) : NULL;
  if (!added)
    return FALSE;
  seconds = g_date_time_to_unix (added);
  rest = rest < 0 ? rest + G_USEC_PER_SEC : rest;
  return !__builtin_add_overflow (seconds * G_USEC_PER_SEC + rest, usec, ret_usec) &&
         *ret_usec > -G_GINT64_CONSTANT (62135596800000000) &&
         *ret_usec < G_GINT64_CONSTANT (253402300800000000);
}

static gboolean
read_repeats (const char **at, gint64 *ret)
{
  const char *slash = strchr (*at, '/');
  g_autofree char *count = NULL;
  guint64 number;

  *ret = 0;
  if (**at != 'R')
    return TRUE;
  if (!slash)
    return FALSE;
  count = g_strndup (*at + 1, (gsize) (slash - *at - 1));
  *at = slash + 1;
  *ret = -1;
  if (*count == '\0')
    return TRUE;
  if (!g_ascii_string_to_unsigned (count, 10, 0, G_MAXINT32, &number, NULL))
    return FALSE;
  *ret = (gint64) number;
  return TRUE;
}

/* The two halves, one of which may be a period. */
static gboolean
read_halves (NebulaInterval *self, const char *first, const char *second)
{
  int offset;

  if (*first == 'P') {
    if (!read_period (first, &self->period) ||
        !nebula_timestamp_parse (second, &self->end_usec, &self->offset_seconds, NULL))
      return FALSE;
    return add_period (self->end_usec, self->offset_seconds, &self->period, -1,
                       &self->start_usec);
  }
  if (!nebula_timestamp_parse (first, &self->start_usec, &self->offset_seconds, NULL))
    return FALSE;
  if (*second == 'P')
    return read_period (second, &self->period) &&
           add_period (self->start_usec, self->offset_seconds, &self->period, 1,
                       &self->end_usec);
  if (!nebula_timestamp_parse (second, &self->end_usec, &offset, NULL))
    return FALSE;
  self->period.usec = self->end_usec - self->start_usec;
  return self->period.usec >= 0;
}

/**
 * nebula_interval_new:
 * @text: an interval
 * @error: where to put an error
 *
 * Reads an interval: start and end, start and period, or period and end, with `R5/` or `R/` in front if it is repeated.
 *
 * Errors: %NEBULA_ERROR_SYNTAX (terminal), also if it ends before it starts or leaves the years 1 to 9999.
 *
 * Returns: (transfer full): the interval
 *
 * Since: 1.0
 */
NebulaInterval *
nebula_interval_new (const char *text, GError **error)
{
  g_autoptr (NebulaInterval) self = NULL;
  g_auto (GStrv) halves = NULL;
  const char *at = text;

  g_return_val_if_fail (text != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_new0 (NebulaInterval, 1);
  g_atomic_ref_count_init (&self->references);
  if (read_repeats (&at, &self->repeats)) {
    halves = g_strsplit (at, "/", 3);
    if (g_strv_length (halves) == 2 && read_halves (self, halves[0], halves[1]))
      return g_steal_pointer (&self);
  }
  refuse (error, text);
  return NULL;
}

/**
 * nebula_interval_ref:
 * @self: an interval
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
NebulaInterval *
nebula_interval_ref (NebulaInterval *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * nebula_interval_unref:
 * @self: (transfer full): an interval
 *
 * Gives a reference back.
 *
 * Since: 1.0
 */
void
nebula_interval_unref (NebulaInterval *self)
{
  g_return_if_fail (self != NULL);

  if (g_atomic_ref_count_dec (&self->references))
    g_free (self);
}

/**
 * nebula_interval_get_start_usec:
 * @self: an interval
 *
 * Gives when it starts.
 *
 * Returns: microseconds since 1970
 *
 * Since: 1.0
 */
gint64
nebula_interval_get_start_usec (NebulaInterval *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->start_usec;
}

/**
 * nebula_interval_get_end_usec:
 * @self: an interval
 *
 * Gives when it ends; this instant is not part of it any more.
 *
 * Returns: microseconds since 1970
 *
 * Since: 1.0
 */
gint64
nebula_interval_get_end_usec (NebulaInterval *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->end_usec;
}

/**
 * nebula_interval_get_repeats:
 * @self: an interval
 *
 * Tells how often it is repeated.
 *
 * Returns: times beyond the first; -1 without end
 *
 * Since: 1.0
 */
gint64
nebula_interval_get_repeats (NebulaInterval *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->repeats;
}

/**
 * nebula_interval_get_repeat_usec:
 * @self: an interval
 * @index: which time; 0 is the first
 *
 * Tells when a repetition starts. Months are added to the first start, so that they keep its day.
 *
 * Returns: microseconds since 1970; %G_MAXINT64 if there is no such repetition
 *
 * Since: 1.0
 */
gint64
nebula_interval_get_repeat_usec (NebulaInterval *self, gint64 index)
{
  gint64 usec;

  g_return_val_if_fail (self != NULL, G_MAXINT64);

  if (index < 0 || (self->repeats >= 0 && index > self->repeats) ||
      !add_period (self->start_usec, self->offset_seconds, &self->period, index, &usec))
    return G_MAXINT64;
  return usec;
}
