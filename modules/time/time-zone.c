/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "time-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

GTimeZone *
_nebula_time_zone_new (const char *name, GError **error)
{
  GTimeZone *zone = NULL;

  if (strcmp (name, "local") == 0)
    return g_time_zone_new_local ();
  zone = nebula_time_zone_new (name, NULL);
  if (zone != NULL)
    return zone;

  g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
               _("There is no time zone “%s”. Use a name such as “Europe/Rome”, “UTC” or an offset such as “+02:00”"),
               name);
  return NULL;
}

GDateTime *
_nebula_time_in_zone (gint64 unix_usec, GTimeZone *zone, GError **error)
{
  gint64 rest = unix_usec % G_USEC_PER_SEC;
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (unix_usec / G_USEC_PER_SEC);
  g_autoptr (GDateTime) utc = seconds != NULL ? g_date_time_add (seconds, rest) : NULL;
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_timezone (utc, zone) : NULL;

  if (local == NULL)
    g_set_error_literal (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_PARAMETER,
                         _("The time lies outside of the years 1 to 9999. Use a time within them"));
  return g_steal_pointer (&local);
}
