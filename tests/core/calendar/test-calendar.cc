/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Schedules against a slow oracle and across changes of the clock, zones, intervals. The suite of next times runs in
 * tests/conformance. */
#include "nebula-test.h"

#include <string>
#include <vector>

#include "nebula-cron.h"
#include "nebula-duration.h"
#include "nebula-interval.h"
#include "nebula-time-zone.h"

using nebula::Error;

namespace
{

using Cron = nebula::Owned<NebulaCron, nebula_cron_unref>;
using Zone = nebula::Owned<GTimeZone, g_time_zone_unref>;
using Interval = nebula::Owned<NebulaInterval, nebula_interval_unref>;

Cron
cron (const char *text)
{
  Error error;
  Cron made (nebula_cron_new (text, error.out ()));

  EXPECT_TRUE (made) << text << ": " << error.message ();
  return made;
}

Zone
zone (const char *name)
{
  Error error;
  Zone made (nebula_time_zone_new (name, error.out ()));

  EXPECT_TRUE (made) << name << ": " << error.message ();
  return made;
}

gint64
at (const char *text)
{
  Error error;
  gint64 usec = 0;

  EXPECT_TRUE (nebula_timestamp_parse (text, &usec, nullptr, error.out ())) << error.message ();
  return usec;
}

std::string
write (gint64 usec)
{
  if (usec == G_MAXINT64)
    return "never";
  char *text = nebula_timestamp_to_string (usec, 0);
  std::string result (text);
  g_free (text);
  return result;
}

struct NextCase {
  const char *schedule;
  const char *zone;
  const char *after;
  std::vector<std::string> times;
};

TEST (Cron, FindsTheNextTimes)
{
  const NextCase cases[] = {
      {"*/20 * * * * *", "UTC", "2024-01-01T00:00:05Z", {"2024-01-01T00:00:20Z", "2024-01-01T00:00:40Z", "2024-01-01T00:01:00Z"}},
      {"5 59 23 31 12 ?", "UTC", "2024-01-01T00:00:00Z", {"2024-12-31T23:59:05Z"}},
      {"0 0 L * *", "UTC", "2024-01-31T00:00:00Z", {"2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", "2024-04-30T00:00:00Z"}},
      {"0 0 L-3 * *", "UTC", "2024-02-01T00:00:00Z", {"2024-02-26T00:00:00Z", "2024-03-28T00:00:00Z"}},
      {"0 0 LW * *", "UTC", "2024-03-01T00:00:00Z", {"2024-03-29T00:00:00Z", "2024-04-30T00:00:00Z", "2024-05-31T00:00:00Z", "2024-06-28T00:00:00Z"}},
      {"0 0 15W * *", "UTC", "2024-06-01T00:00:00Z", {"2024-06-14T00:00:00Z", "2024-07-15T00:00:00Z", "2024-08-15T00:00:00Z", "2024-09-16T00:00:00Z"}},
      {"0 0 1W 6,9 *", "UTC", "2024-01-01T00:00:00Z", {"2024-06-03T00:00:00Z", "2024-09-02T00:00:00Z"}},
      {"0 0 31W * *", "UTC", "2024-03-01T00:00:00Z", {"2024-03-29T00:00:00Z", "2024-05-31T00:00:00Z"}},
      {"0 0 * * 5L", "UTC", "2024-02-01T00:00:00Z", {"2024-02-23T00:00:00Z", "2024-03-29T00:00:00Z"}},
      {"0 0 * * FRI#2", "UTC", "2024-02-01T00:00:00Z", {"2024-02-09T00:00:00Z", "2024-03-08T00:00:00Z"}},
      {"0 0 * * 1#5", "UTC", "2024-02-01T00:00:00Z", {"2024-04-29T00:00:00Z", "2024-07-29T00:00:00Z"}},
      {"0 0 13 * FRI", "UTC", "2024-09-10T00:00:00Z", {"2024-09-13T00:00:00Z", "2024-09-20T00:00:00Z"}},
      {"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", {"2104-02-29T00:00:00Z"}},
      {"@hourly", "UTC", "2024-02-01T00:10:00Z", {"2024-02-01T01:00:00Z"}},
      {"@daily", "Europe/Rome", "2024-02-01T00:10:00Z", {"2024-02-01T23:00:00Z"}},
      {"@weekly", "UTC", "2024-02-01T00:10:00Z", {"2024-02-04T00:00:00Z"}},
      {"@yearly", "UTC", "2024-02-01T00:10:00Z", {"2025-01-01T00:00:00Z"}},
      {"@every 90s", "Europe/Rome", "1970-01-01T00:01:29Z", {"1970-01-01T00:01:30Z", "1970-01-01T00:03:00Z"}},
      {"@every 1h", "UTC", "1969-12-31T23:30:00Z", {"1970-01-01T00:00:00Z"}},
      /* RELIABILITY: a fixed time in a gap fires right after it, an hour that comes twice fires once; stars fire in both. */
      {"30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", {"2024-03-31T01:00:00Z", "2024-04-01T00:30:00Z"}},
      {"0,30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", {"2024-03-31T01:00:00Z", "2024-04-01T00:00:00Z"}},
      {"30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z", {"2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"}},
      {"30 * * * *", "Europe/Berlin", "2024-03-31T00:00:00Z", {"2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z"}},
      {"30 * * * *", "Europe/Berlin", "2024-10-27T00:00:00Z", {"2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", "2024-10-27T02:30:00Z"}},
      {"15 2 * * *", "Australia/Lord_Howe", "2024-10-05T00:00:00Z", {"2024-10-05T15:30:00Z", "2024-10-06T15:15:00Z"}},
      /* A day that was left out as a whole: Apia crossed the date line. */
      {"0 12 * * *", "Pacific/Apia", "2011-12-29T22:00:00Z", {"2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"}},
      /* A gap at midnight. */
      {"0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", {"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}},
  };
  for (const NextCase &c : cases) {
    Cron schedule = cron (c.schedule);
    Zone place = zone (c.zone);
    gint64 usec = at (c.after);

    for (const std::string &time : c.times) {
      usec = nebula_cron_get_next_usec (schedule.get (), place.get (), usec);
      EXPECT_EQ (write (usec), time) << c.schedule << " in " << c.zone;
    }
  }
}

/* Every minute of two years in zones with odd changes, looked at one by one. */
TEST (Cron, AgreesWithASlowOracle)
{
  const char *zones[] = {"America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns"};

  for (const char *name : zones) {
    Zone place = zone (name);
    Cron wild = cron ("7-50/13 * * * *");
    gint64 begin = at ("2023-12-20T00:00:00Z"), end = at ("2024-12-20T00:00:00Z");
    gint64 next = nebula_cron_get_next_usec (wild.get (), place.get (), begin - 1);

    for (gint64 usec = begin; usec < end; usec += 60 * G_USEC_PER_SEC) {
      gint64 local = usec / G_USEC_PER_SEC + nebula_time_zone_get_offset_seconds (place.get (), usec);
      int minute = (int) (local / 60 % 60);
      bool is_due = minute >= 7 && minute <= 50 && (minute - 7) % 13 == 0;

      ASSERT_EQ (next == usec, is_due) << name << " " << write (usec) << " " << write (next);
      if (is_due)
        next = nebula_cron_get_next_usec (wild.get (), place.get (), usec);
    }
  }
}

/* A fixed time fires once on each local day, whatever the clock does. */
TEST (Cron, FixedTimesFireOnceADay)
{
  for (const char *name : {"Europe/Rome", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca", "America/Asuncion"}) {
    Zone place = zone (name);

    for (const char *text : {"0 0 * * *", "30 0 * * *", "30 1 * * *", "30 2 * * *", "0 3 * * *"}) {
      Cron schedule = cron (text);
      gint64 usec = at ("2019-12-31T12:00:00Z"), end = at ("2024-12-31T12:00:00Z");
      int count = 0;

      for (usec = nebula_cron_get_next_usec (schedule.get (), place.get (), usec); usec < end; count++) {
        gint64 next = nebula_cron_get_next_usec (schedule.get (), place.get (), usec);

        ASSERT_GE (next - usec, G_GINT64_CONSTANT (22) * 3600 * G_USEC_PER_SEC) << name << " " << text;
        ASSERT_LE (next - usec, G_GINT64_CONSTANT (26) * 3600 * G_USEC_PER_SEC) << name << " " << text << " " << write (usec);
        usec = next;
      }
      EXPECT_EQ (count, 1827) << name << " " << text;
    }
  }
}

struct BadCase {
  const char *text;
  NebulaError code;
  const char *message;
};

TEST (Cron, RefusesWhatIsNoSchedule)
{
  const std::string huge (10240, '*');
  const BadCase cases[] = {
      {"", NEBULA_ERROR_SYNTAX, "five fields"},
      {"* * * *", NEBULA_ERROR_SYNTAX, "five fields"},
      {"* * * * * * *", NEBULA_ERROR_SYNTAX, "has 7"},
      {"61 * * * *", NEBULA_ERROR_SYNTAX, "minutes"},
      {"* 24 * * *", NEBULA_ERROR_SYNTAX, "hours"},
      {"* * 0 * *", NEBULA_ERROR_SYNTAX, "days"},
      {"* * * 13 *", NEBULA_ERROR_SYNTAX, "months"},
      {"* * * * 8", NEBULA_ERROR_SYNTAX, "weekdays"},
      {"*/-1 * * * *", NEBULA_ERROR_SYNTAX, "behind “/”"},
      {"0-59/0 * * * *", NEBULA_ERROR_SYNTAX, "behind “/”"},
      {"5-1 * * * *", NEBULA_ERROR_SYNTAX, "backwards"},
      {"1- * * * *", NEBULA_ERROR_SYNTAX, "range ends"},
      {"1,,2 * * * *", NEBULA_ERROR_SYNTAX, "no value"},
      {"1x * * * *", NEBULA_ERROR_SYNTAX, "not understood"},
      {"* * L-31 * *", NEBULA_ERROR_SYNTAX, "behind “L-”"},
      {"* * LX * *", NEBULA_ERROR_SYNTAX, "L, L-3 or LW"},
      {"* * * * 5#6", NEBULA_ERROR_SYNTAX, "behind “#”"},
      {"* * 5# * *", NEBULA_ERROR_SYNTAX, "not understood"},
      {"0 0 30 2 *", NEBULA_ERROR_INVALID_DATA, "never comes"},
      {"0 0 31 4,6 *", NEBULA_ERROR_INVALID_DATA, "never comes"},
      {"@reboot", NEBULA_ERROR_SYNTAX, "@daily"},
      {"@every 1us", NEBULA_ERROR_INVALID_DATA, "once a second"},
      {"@every soon", NEBULA_ERROR_SYNTAX, ""},
      {huge.c_str (), NEBULA_ERROR_TOO_LARGE, "1000"},
      {"\xff * * * *", NEBULA_ERROR_TOO_LARGE, ""},
  };
  for (const BadCase &c : cases) {
    Error error;

    EXPECT_EQ (nebula_cron_new (c.text, error.out ()), nullptr) << c.text;
    EXPECT_TRUE (nebula::has_error (error, c.code) || *c.message == '\0') << c.text << ": " << error.message ();
    EXPECT_THAT (error.message (), testing::HasSubstr (c.message));
  }
}

TEST (Cron, IsCountedAndSurvivesTheEnds)
{
  Cron schedule = cron ("0 0 * * *");
  Zone utc = zone ("UTC");
  NebulaCron *other = nebula_cron_ref (schedule.get ());

  EXPECT_STREQ (nebula_cron_get_text (other), "0 0 * * *");
  nebula_cron_unref (other);
  EXPECT_NE (nebula_cron_get_next_usec (schedule.get (), utc.get (), G_MININT64), G_MAXINT64);
  EXPECT_NE (nebula_cron_get_next_usec (schedule.get (), utc.get (), G_MAXINT64), 0);
  EXPECT_EQ (write (nebula_cron_get_next_usec (schedule.get (), utc.get (), at ("1969-12-31T23:59:59.999999Z"))), "1970-01-01T00:00:00Z");
}

TEST (TimeZone, IsFoundByName)
{
  for (const char *name : {"../../etc/passwd", "/etc/localtime", "", "Europe/Nowhere", ":UTC", "Europe/R\xc3\xb6m", "a b"}) {
    Error error;

    EXPECT_EQ (nebula_time_zone_new (name, error.out ()), nullptr) << name;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_INVALID_ARGUMENT)) << name;
  }
  EXPECT_EQ (nebula_time_zone_get_offset_seconds (zone ("+05:30").get (), 0), 19800);
  EXPECT_EQ (nebula_time_zone_get_offset_seconds (zone ("Europe/Rome").get (), at ("2024-07-01T00:00:00Z")), 7200);
  EXPECT_EQ (nebula_time_zone_get_offset_seconds (zone ("UTC").get (), -1), 0);
}

struct IntervalCase {
  const char *text;
  const char *start;
  const char *end;
  gint64 repeats;
};

TEST (Interval, HasStartAndEnd)
{
  const IntervalCase cases[] = {
      {"2024-01-01T00:00:00Z/2024-01-02T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", 0},
      {"2024-01-31T08:00:00Z/P1M", "2024-01-31T08:00:00Z", "2024-02-29T08:00:00Z", 0},
      {"2024-01-31T00:30:00+01:00/P1M", "2024-01-30T23:30:00Z", "2024-02-28T23:30:00Z", 0},
      {"P1Y2M10DT2H30M/2024-03-11T02:30:00Z", "2023-01-01T00:00:00Z", "2024-03-11T02:30:00Z", 0},
      {"R5/2024-01-01T00:00:00Z/PT1H", "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", 5},
      {"R/2024-01-01T00:00:00Z/P1W", "2024-01-01T00:00:00Z", "2024-01-08T00:00:00Z", -1},
      {"1969-12-31T23:59:59.5Z/PT1S", "1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00.5Z", 0},
  };
  for (const IntervalCase &c : cases) {
    Error error;
    Interval interval (nebula_interval_new (c.text, error.out ()));

    ASSERT_TRUE (interval) << error.message ();
    EXPECT_EQ (nebula_interval_get_start_usec (interval.get ()), at (c.start)) << c.text;
    EXPECT_EQ (nebula_interval_get_end_usec (interval.get ()), at (c.end)) << c.text;
    EXPECT_EQ (nebula_interval_get_repeats (interval.get ()), c.repeats) << c.text;
  }
}

TEST (Interval, RepeatsByTheCalendar)
{
  Interval monthly (nebula_interval_new ("R3/2024-01-31T00:00:00Z/P1M", nullptr));
  std::vector<std::string> times;

  for (gint64 i = -1; i < 5; i++)
    times.push_back (write (nebula_interval_get_repeat_usec (monthly.get (), i)));
  EXPECT_THAT (times, testing::ElementsAre ("never", "2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", "2024-04-30T00:00:00Z", "never"));

  Interval endless (nebula_interval_new ("R/2024-01-01T00:00:00Z/P1Y", nullptr));
  EXPECT_EQ (write (nebula_interval_get_repeat_usec (endless.get (), 100)), "2124-01-01T00:00:00Z");
  EXPECT_EQ (write (nebula_interval_get_repeat_usec (endless.get (), 100000)), "never");
  EXPECT_EQ (write (nebula_interval_get_repeat_usec (endless.get (), G_MAXINT64)), "never");
  NebulaInterval *other = nebula_interval_ref (endless.get ());
  nebula_interval_unref (other);
}

TEST (Interval, RefusesWhatIsNone)
{
  for (const char *text : {"", "2024-01-01T00:00:00Z", "P1D/P1D", "2024-01-01T00:00:00Z/P", "2024-01-01T00:00:00Z/PT", "2024-01-01T00:00:00Z/P1D1M",
                           "2024-01-01T00:00:00Z/P1H", "2024-01-01T00:00:00Z/PT1D", "2024-01-02T00:00:00Z/2024-01-01T00:00:00Z", "R/", "R5",
                           "Rx/2024-01-01T00:00:00Z/P1D", "R99999999999/2024-01-01T00:00:00Z/P1D", "2024-01-01T00:00:00Z/P9999999Y",
                           "2024-01-01T00:00:00Z/P999999Y", "2024-01-01T00:00:00Z/P1D/P1D", "2024-01-01/P1D", "P3000Y/2024-01-01T00:00:00Z"}) {
    Error error;

    EXPECT_EQ (nebula_interval_new (text, error.out ()), nullptr) << text;
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_SYNTAX)) << text;
  }
}

} // namespace
