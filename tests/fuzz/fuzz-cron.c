/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads any bytes as a schedule and as an interval. Times come in order, and each is a time of its own: asked a moment
 * before it, the schedule gives it again.
 */
#include "fuzz.h"

#include "nebula-cron.h"
#include "nebula-interval.h"
#include "nebula-time-zone.h"

static void
check_schedule (NebulaCron *cron, const char *zone_name, gint64 usec)
{
  g_autoptr (GTimeZone) zone = nebula_time_zone_new (zone_name, NULL);

  for (guint i = 0; zone && i < 4; i++) {
    gint64 next = nebula_cron_get_next_usec (cron, zone, usec);

    g_assert_cmpint (next, >, usec);
    if (next == G_MAXINT64)
      return;
    g_assert_cmpint (nebula_cron_get_next_usec (cron, zone, next - 1), ==, next);
    usec = next;
  }
}

static void
check_interval (const char *text)
{
  g_autoptr (NebulaInterval) interval = nebula_interval_new (text, NULL);

  if (!interval)
    return;
  g_assert_cmpint (nebula_interval_get_end_usec (interval), >=,
                   nebula_interval_get_start_usec (interval));
  g_assert_cmpint (nebula_interval_get_repeat_usec (interval, 0), ==,
                   nebula_interval_get_start_usec (interval));
  nebula_interval_get_repeat_usec (interval, 7);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaCron) cron = nebula_cron_new (text, &error);
  const gint64 dst = G_GINT64_CONSTANT (1711843200000000); /* 2024-03-31T00:00:00Z */

  g_assert_true ((cron != NULL) == (error == NULL));
  check_interval (text);
  if (!cron)
    return 0;
  check_schedule (cron, "UTC", 0);
  check_schedule (cron, "Europe/Berlin", dst);
  check_schedule (cron, "Australia/Lord_Howe", dst);
  return 0;
}
