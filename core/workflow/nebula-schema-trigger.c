/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Triggers by time: what they say is read here, so that a mistake is found before anything waits for it. */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-cron.h"
#include "nebula-duration.h"
#include "nebula-schema-private.h"
#include "nebula-time-zone.h"

#define LEAST_USEC G_USEC_PER_SEC

static void
report (NebulaSchemaWalk *walk, const NebulaPath *path, const char *key, const char *message, const char *hint)
{
  NebulaProblem problem = { .code = "bad-trigger", .hint = hint };

  _nebula_schema_report (walk, problem, &(NebulaPath) { path, key, 0 }, message);
}

/* A member that is a text, whatever bytes are in it; NULL if it is none. */
static const char *
get_text (NebulaValue *with, const char *key)
{
  const char *text = _nebula_member_text (with, key);

  return text && strlen (text) == nebula_value_get_string_length (nebula_value_get_member (with, key)) ? text : NULL;
}

static void
check_zone (NebulaSchemaWalk *walk, NebulaValue *with, const NebulaPath *path)
{
  const char *name = get_text (with, "timezone");
  g_autoptr (GError) error = NULL;
  g_autoptr (GTimeZone) zone = name ? nebula_time_zone_new (name, &error) : NULL;

  if (!with || !nebula_value_has_member (with, "timezone") || zone)
    return;
  report (walk, path, "timezone", error ? error->message : _("“timezone” of a trigger must be a text"),
          _("Write a name such as Europe/Rome, or UTC."));
}

static void
check_cron (NebulaSchemaWalk *walk, NebulaValue *with, const NebulaPath *path)
{
  const char *schedule = get_text (with, "schedule");
  g_autoptr (GError) error = NULL;
  g_autoptr (NebulaCron) cron = schedule ? nebula_cron_new (schedule, &error) : NULL;

  if (!cron)
    report (walk, path, "schedule", error ? error->message : _("This trigger has no schedule that can be read"),
            _("Write a schedule of five fields, such as “0 3 * * *”."));
  check_zone (walk, with, path);
}

static void
check_interval (NebulaSchemaWalk *walk, NebulaValue *with, const NebulaPath *path)
{
  const char *every = get_text (with, "every");
  g_autoptr (GError) error = NULL;
  gint64 usec = 0;

  if (every && nebula_duration_parse (every, &usec, &error) && usec >= LEAST_USEC)
    return;
  report (walk, path, "every",
          !every  ? _("This trigger does not say how often it fires")
          : error ? error->message
                  : _("A trigger fires once a second at most"),
          _("Write a duration of at least 1s, such as “every: 5m”."));
}

void
_nebula_schema_check_trigger (NebulaSchemaWalk *walk, NebulaValue *value, const NebulaPath *path)
{
  NebulaValue *kind = nebula_value_get_member (value, "trigger");
  NebulaValue *with = _nebula_member (value, "with", NEBULA_VALUE_KIND_OBJECT);
  const char *name = _nebula_member_text (value, "trigger");
  NebulaPath inner = { path, "with", 0 };

  if (!kind || (name && !*name))
    report (walk, path, "trigger", _("This trigger does not say what kind it is"),
            _("Add a line such as “trigger: time.cron”."));
  else if (g_strcmp0 (name, "time.cron") == 0)
    check_cron (walk, with, &inner);
  else if (g_strcmp0 (name, "time.interval") == 0)
    check_interval (walk, with, &inner);
}
