/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-cron.h"

G_BEGIN_DECLS

/*
 *   schedule = [second] minute hour day month weekday          six fields have seconds, five begin at second 0
 *            | @yearly @annually @monthly @weekly @daily @midnight @hourly | @every DURATION
 *   field    = part { "," part }
 *   part     = ( "*" | "?" | value [ "-" value ] ) [ "/" step ]     value/step runs from value to the end
 *   day      = also  L (last) · L-3 (third before it) · LW (last working day) · 15W (the working day nearest to the 15th)
 *   weekday  = 0 to 7 or SUN to SAT, 0 and 7 are Sunday; also  5L (last Friday) · 5#2 (second Friday)
 *   month    = 1 to 12 or JAN to DEC; names in any case
 *
 * If both day and weekday are restricted (neither begins with “*” or “?”) one of them is enough, as cron has it.
 *
 * A mask has a bit for each value. Days that depend on the month are kept beside the mask of plain ones.
 */
struct _NebulaCron {
  gatomicrefcount references;
  char *text;
  gint64 every_usec; /* @every; 0: the fields hold */

  guint64 seconds;
  guint64 minutes;
  guint64 hours;
  guint64 days; /* bits 1 to 31 */
  guint64 months;
  guint64 weekdays; /* bits 0 to 6 */

  guint64 days_from_last; /* bit n: n days before the last */
  guint64 working_days;   /* bit n: the working day nearest to the nth */
  gboolean last_working_day;
  guint64 last_weekdays;   /* bit n: the last such weekday of the month */
  guint64 nth_weekdays[6]; /* [k], bit n: the kth such weekday */
  gboolean has_days;       /* the field restricts */
  gboolean has_weekdays;
  gboolean
      is_wild; /* hours are “*” or stepped: they follow the time that passes through changes of the zone */
  gboolean is_every_hour; /* hours are “*”: nothing is lost in a gap */
};

gboolean _nebula_cron_read (NebulaCron *self, const char *text, GError **error);
/* Whether the schedule names a day. @month counts from 1. */
gboolean _nebula_cron_has_day (const NebulaCron *self, int year, int month, int day);

G_END_DECLS
