/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-time-zone.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-limits.h"

#define NAME_CHARACTERS                                                                  \
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/:"

/* GLib would open any file that a name leads to. */
static gboolean
is_plain_name (const char *name)
{
  return *name != '\0' && *name != '/' && *name != ':' &&
         strlen (name) <= NEBULA_LIMIT_NAME_BYTES &&
         strspn (name, NAME_CHARACTERS) == strlen (name);
}

/**
 * nebula_time_zone_new:
 * @name: an IANA name such as `Europe/Rome`, `UTC`, or an offset such as `+02:00`
 * @error: where to put an error
 *
 * Finds a time zone.
 *
 * Errors: %NEBULA_ERROR_INVALID_ARGUMENT (terminal) if there is none of that name.
 *
 * Returns: (transfer full): the zone
 *
 * Since: 1.0
 */
GTimeZone *
nebula_time_zone_new (const char *name, GError **error)
{
  GTimeZone *zone = NULL;

  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (is_plain_name (name))
    zone = g_time_zone_new_identifier (name);
  if (zone == NULL)
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("There is no time zone “%s”. Use a name such as “Europe/Rome”, “UTC” "
                    "or an offset such as “+02:00”"),
                 name);
  return zone;
}

/**
 * nebula_time_zone_get_offset_seconds:
 * @zone: a zone
 * @unix_usec: an instant, microseconds since 1970
 *
 * Tells how far @zone is ahead of UTC at an instant.
 *
 * Returns: seconds east of UTC
 *
 * Since: 1.0
 */
gint32
nebula_time_zone_get_offset_seconds (GTimeZone *zone, gint64 unix_usec)
{
  gint64 seconds = unix_usec / G_USEC_PER_SEC;

  g_return_val_if_fail (zone != NULL, 0);

  if (unix_usec < 0 && unix_usec % G_USEC_PER_SEC != 0)
    seconds--;
  return g_time_zone_get_offset (
      zone, g_time_zone_find_interval (zone, G_TIME_TYPE_UNIVERSAL, seconds));
}
